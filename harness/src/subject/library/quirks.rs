//! Where libraries with the C API differ from one another: a row an engine, told by what else it exports.

use super::Loaded;
use super::api::{Api, Config, Engine, Vector};
use super::context::Context;
use crate::case::HostPlan;
use crate::hosts::Host;
use crate::observe::Capture;
use crate::subject::Capabilities;
use std::ffi::{CStr, c_char};

/// An engine that has been tried, and what is to be known about it.
#[derive(Clone, Copy, Debug)]
pub struct Quirks {
    /// What the engine is called.
    pub engine: &'static str,
    /// A symbol that no other engine exports.
    symbol: &'static str,
    /// Whether traps can be asked for their frames. Where they cannot, asking ends the process.
    pub traces: bool,
    /// Whether an engine object keeps what it has compiled, so that each case is given a new one.
    pub keeps_code: bool,
    /// Whether each case says which null was used.
    null_kinds: bool,
    /// Whether a callee that does not fit is told from none, and a NaN from a float that is too large.
    tells_unfit: bool,
    /// How to find out which release it is.
    release: Release,
    /// What is set in every configuration of the engine.
    settings: &'static [Setting],
    /// Settings that users choose by their names, after a `+`.
    choices: &'static [(&'static str, Setting)],
}

/// A function that sets something in a configuration, and what it is given.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    function: &'static str,
    value: SettingValue,
}

/// What a function that sets something takes.
#[derive(Clone, Copy, Debug)]
enum SettingValue {
    Bool(bool),
    /// A constant of an enumeration that the engine's header declares as a byte.
    Byte(u8),
}

impl Setting {
    const fn bool(function: &'static str, value: bool) -> Setting {
        Setting { function, value: SettingValue::Bool(value) }
    }

    const fn byte(function: &'static str, value: u8) -> Setting {
        Setting { function, value: SettingValue::Byte(value) }
    }
}

/// How to find out which release an engine is.
#[derive(Clone, Copy, Debug)]
enum Release {
    /// It does not say.
    Unknown,
    /// A function of that name gives a text that ends in a zero byte.
    Text(&'static str),
    /// A function of that name gives three numbers.
    Numbers(&'static str),
    /// Compiled modules carry it, so that another release does not load them.
    Compiled,
}

/// Engines that are known. Wasmi's frames and its serialised modules are not implemented and panic, which ends the
/// process; Wasmtime and WAMR have both.
const KNOWN: [Quirks; 4] = [
    Quirks {
        engine: "Wasmtime",
        symbol: "wasmtime_module_new",
        traces: true,
        keeps_code: false,
        null_kinds: false,
        tells_unfit: true,
        release: Release::Compiled,
        // Its threads take longer to wake than modules of cases take to compile.
        settings: &[Setting::bool("wasmtime_config_parallel_compilation_set", false)],
        choices: &[
            ("winch", Setting::byte("wasmtime_config_strategy_set", 2)),
            ("no-optimization", Setting::byte("wasmtime_config_cranelift_opt_level_set", 0)),
            ("single-pass-registers", Setting::byte("wasmtime_config_cranelift_regalloc_algorithm_set", 1)),
            ("no-signals", Setting::bool("wasmtime_config_signals_based_traps_set", false)),
        ],
    },
    Quirks {
        engine: "wasmi",
        symbol: "wasmi_trap_new",
        traces: false,
        keeps_code: true,
        null_kinds: true,
        tells_unfit: true,
        release: Release::Unknown,
        settings: &[],
        choices: &[],
    },
    Quirks {
        engine: "WAMR",
        symbol: "wasm_runtime_get_version",
        release: Release::Numbers("wasm_runtime_get_version"),
        ..UNKNOWN
    },
    Quirks {
        engine: "Wasmer",
        symbol: "wasmer_version",
        release: Release::Text("wasmer_version"),
        ..UNKNOWN
    },
];

/// What is taken to be so of an engine that is not known: nothing that could end the process or a false difference.
const UNKNOWN: Quirks = Quirks {
    engine: "an engine with the C API",
    symbol: "",
    traces: false,
    keeps_code: true,
    null_kinds: false,
    tells_unfit: false,
    release: Release::Unknown,
    settings: &[],
    choices: &[],
};

/// The smallest module.
const EMPTY_MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";

impl Quirks {
    /// The row of a library.
    pub fn of(api: &Api) -> Quirks {
        KNOWN.into_iter().find(|row| api.has(row.symbol)).unwrap_or(UNKNOWN)
    }

    /// The settings that a user chose by these names. Fails, in one sentence, on a name that the engine does not have, or
    /// a function that this release lacks.
    pub fn chosen(&self, api: &Api, names: &[&str]) -> Result<Vec<Setting>, String> {
        let known = || match self.choices {
            [] => "it has none".to_string(),
            choices => choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
        };
        let setting = |name: &&str| {
            let found = self.choices.iter().find(|(choice, _)| choice == name);
            let (_, setting) =
                found.ok_or_else(|| format!("{} has no setting `{name}`: {}", self.engine, known()))?;
            let is_there = api.has(setting.function) && api.wasm_config_new.is_some();
            is_there.then_some(*setting).ok_or_else(|| {
                format!(
                    "this release of {} cannot be set to `{name}`: it has no `{}`",
                    self.engine, setting.function
                )
            })
        };
        names.iter().map(setting).collect()
    }

    /// A new engine object with these settings beside those of every one.
    pub fn engine(&self, api: &Api, chosen: &[Setting]) -> *mut Engine {
        // SAFETY: the functions have these types, and a configuration goes to the engine that is made with it.
        unsafe {
            let (Some(config), Some(with_config), false) = (
                api.wasm_config_new,
                api.wasm_engine_new_with_config,
                self.settings.is_empty() && chosen.is_empty(),
            ) else {
                return (api.wasm_engine_new)();
            };
            let config = config();
            for setting in self.settings.iter().chain(chosen) {
                match setting.value {
                    SettingValue::Bool(value) => {
                        let set = api.symbol::<unsafe extern "C" fn(*mut Config, bool)>(setting.function);
                        set.inspect(|set| set(config, value));
                    }
                    SettingValue::Byte(value) => {
                        let set = api.symbol::<unsafe extern "C" fn(*mut Config, u8)>(setting.function);
                        set.inspect(|set| set(config, value));
                    }
                }
            }
            with_config(config)
        }
    }

    /// What the engine vouches for by this interface. Functions have no identity there.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            nan_bits: true,
            null_kinds: self.null_kinds,
            unfit_callees: self.tells_unfit,
            unfit_floats: self.tells_unfit,
            exported_state: true,
            to_the_end: true,
            ..Capabilities::NONE
        }
    }

    /// Engine and release, as far as it says.
    pub(super) fn release(&self, loaded: &Loaded) -> String {
        let api = &loaded.api;
        let release = match self.release {
            Release::Unknown => None,
            Release::Text(symbol) => {
                // SAFETY: the engine's header gives the function this type and a text that stays.
                unsafe {
                    let text = api.symbol::<unsafe extern "C" fn() -> *const c_char>(symbol);
                    text.map(|text| CStr::from_ptr(text()).to_string_lossy().into_owned())
                }
            }
            Release::Numbers(symbol) => {
                // SAFETY: the engine's header gives the function this type.
                let function =
                    unsafe { api.symbol::<unsafe extern "C" fn(*mut u32, *mut u32, *mut u32)>(symbol) };
                function.map(|function| {
                    let (mut major, mut minor, mut patch) = (0, 0, 0);
                    // SAFETY: the three numbers are there to be written.
                    unsafe { function(&mut major, &mut minor, &mut patch) };
                    format!("{major}.{minor}.{patch}")
                })
            }
            Release::Compiled => compiled(loaded).and_then(|bytes| version_in(&bytes)),
        };
        match release {
            Some(release) => format!("{} {release}", self.engine),
            None => format!("{}, which does not say its release", self.engine),
        }
    }
}

/// An empty module as the library compiles it.
fn compiled(loaded: &Loaded) -> Option<Vec<u8>> {
    let serialize = loaded.api.wasm_module_serialize?;
    let context = Context::new(loaded, Host::new(HostPlan::new(0, 0), Capture::Digest));
    let module = context.module(&EMPTY_MODULE).ok()?;
    let mut bytes = Vector::empty();
    // SAFETY: the vector is filled, copied and deleted.
    unsafe {
        serialize(module, &mut bytes);
        let copied = bytes.items().to_vec();
        (loaded.api.wasm_byte_vec_delete)(&mut bytes);
        Some(copied)
    }
}

/// The release in a module that Wasmtime compiled: it stands before the name of the architecture, with its length before
/// each. New releases give the first number only, since others of that number load the module.
fn version_in(bytes: &[u8]) -> Option<String> {
    let triple = format!("{}-", std::env::consts::ARCH);
    let place = bytes.windows(triple.len()).position(|window| window == triple.as_bytes())?;
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let end = bytes[..place].iter().rposition(is_part)? + 1;
    let start = bytes[..end].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    // A length that is a digit or a point by chance, or something else altogether, is no release.
    let length = usize::from(*bytes.get(start.checked_sub(1)?)?);
    let text = (length == end - start && place - end <= LONGEST_LENGTH_BYTES)
        .then(|| String::from_utf8_lossy(&bytes[start..end]).into_owned());
    text.filter(|text| text.starts_with(|first: char| first.is_ascii_digit()))
}

/// Bytes that the length of a text takes at most.
const LONGEST_LENGTH_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_among_bytes() {
        let arch = std::env::consts::ARCH;
        let with = |before: &[u8]| version_in(&[before, arch.as_bytes(), b"-unknown-linux-gnu"].concat());
        assert_eq!(with(b"\x00\x0250\x18"), Some("50".to_string()));
        assert_eq!(with(b"\x00\x0610.0.0\x18\x00\x00\x00\x00\x00\x00\x00"), Some("10.0.0".to_string()));
        assert_eq!(with(b"wasmtime-aot\x051.0.0\x18"), Some("1.0.0".to_string()));
        assert_eq!(with(b"1.0.0 and nothing that has a length "), None);
        assert_eq!(version_in(b"\x0250\x18"), None);
    }
}
