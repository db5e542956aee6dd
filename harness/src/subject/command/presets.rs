//! Command lines of engines that many people have, so that `--with wasm-interp` is enough.
//!
//! Each is what the engine's own documentation says for calling a function of a module. An engine without such
//! a command line has no row: `wazero run`, for one, only starts programs.

/// An engine that is known by the name of its program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preset {
    /// Its program, which is what it is called by.
    pub(crate) name: &'static str,
    /// What follows the program.
    arguments: &'static str,
    /// Where that stands.
    source: &'static str,
}

impl Preset {
    /// The command line, and where it is from.
    pub(crate) fn template(&self) -> String {
        format!("`{} {}` ({})", self.name, self.arguments, self.source)
    }
}

/// The presets.
pub(crate) fn presets() -> &'static [Preset] {
    &PRESETS
}

/// The command of a preset: `NAME`, or `NAME PROGRAM` if its program has another name or is not in PATH. Fails with
/// what there is instead.
pub(super) fn command(text: &str) -> Result<String, String> {
    let words = shell_words::split(text).map_err(|_| format!("a quote is not closed in `{text}`"))?;
    let (name, program) = match &words[..] {
        [name] => (name, name),
        [name, program] => (name, program),
        _ => return Err(format!("expected `preset:NAME` or `preset:NAME PROGRAM`, not `preset:{text}`")),
    };
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        return Err(format!("there is no preset `{name}`; there is {}", known.join(", ")));
    };
    Ok(format!("{} {}", shell_words::quote(program), preset.arguments))
}

const PRESETS: [Preset; 7] = [
    Preset {
        name: "wasmtime",
        arguments: "run --invoke NAME FILE",
        source: "docs.wasmtime.dev, \"CLI Options for wasmtime\", `run`",
    },
    Preset { name: "wasmer", arguments: "run FILE --invoke NAME", source: "docs.wasmer.io, \"wasmer run\"" },
    Preset {
        name: "wasmi_cli",
        arguments: "FILE --invoke NAME",
        source: "github.com/wasmi-labs/wasmi, crates/cli/README.md",
    },
    // The heap that it adds to a module's memory is visible to the module.
    Preset {
        name: "iwasm",
        arguments: "--heap-size=0 -f NAME FILE",
        source: "github.com/bytecodealliance/wasm-micro-runtime, doc/build_wamr.md, and `iwasm --help`",
    },
    // It cannot call one function of several, so the module has only one.
    Preset {
        name: "wasm-interp",
        arguments: "--enable-all --run-all-exports FILE",
        source: "wasm-interp(1) of wabt",
    },
    Preset {
        name: "wasm3",
        arguments: "--func NAME FILE",
        source: "github.com/wasm3/wasm3, docs/Cookbook.md, and `wasm3 --help`",
    },
    Preset {
        name: "wasmedge",
        arguments: "--reactor FILE NAME",
        source: "wasmedge.org/docs, \"The wasmedge CLI\", `--reactor`",
    },
];
