//! The engines: every mode of our own with default settings, wasmi with its, and other compilers where they
//! were built in.
//!
//! Ours keep what the contract asks of them: traps with backtraces, a counted depth, fuel by segments. wasmi counts
//! depth and, if asked, fuel too, at its own prices. The other compilers count nothing, find out-of-bounds accesses
//! by faults, and leave NaN bits alone; so our compiler runs beside them twice, once like them and once with
//! all that it promises.

#[cfg(feature = "peers")]
mod peers;

use crosscheck_engine::{Config, Engine, Linker, Mode, Module, Store};

#[cfg(feature = "peers")]
pub use peers::{COMPILERS, compiler};

/// An instance of a kernel, ready to be called.
pub struct Contestant {
    call: Box<dyn FnMut(i32) -> Result<u64, String>>,
}

impl Contestant {
    /// Runs the kernel; gives the checksum, or what the engine failed with.
    pub fn call(&mut self, argument: i32) -> Result<u64, String> {
        (self.call)(argument)
    }
}

/// Makes an instance of a module; fails with the reason why the engine refuses it.
type Make = Box<dyn Fn(&[u8]) -> Result<Contestant, String>>;

/// Engines that are compared with one another.
pub struct Group {
    /// What is asked of all of them.
    pub title: &'static str,
    /// The name of the engine that the others are compared with.
    pub unit: &'static str,
    entrants: Vec<(String, Make)>,
}

impl Group {
    /// The engines' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entrants.iter().map(|(name, _)| name.as_str())
    }

    /// Where the engine stands among the names that the others are compared with.
    pub fn unit_index(&self) -> usize {
        self.names().position(|name| name == self.unit).expect("the unit is one of the group")
    }

    /// An instance of the module in every engine, in the order of the names.
    pub fn instances(&self, wasm: &[u8]) -> Vec<Result<Contestant, String>> {
        self.entrants.iter().map(|(_, make)| make(wasm)).collect()
    }
}

/// The interpreter that our modes are compared with.
pub const BASELINE: &str = "wasmi";

/// All groups, in the order in which they run.
pub fn groups() -> Vec<Group> {
    vec![
        modes("fuel not counted", false),
        modes("fuel counted", true),
        #[cfg(feature = "peers")]
        peers::group(),
    ]
}

fn modes(title: &'static str, fuel: bool) -> Group {
    let mut entrants: Vec<(String, Make)> =
        Mode::all().map(|mode| ours(mode.name(), Config::new(mode).fuel(fuel))).collect();
    entrants.push(wasmi(fuel));
    Group { title, unit: BASELINE, entrants }
}

fn ours(name: &str, config: Config) -> (String, Make) {
    (name.into(), Box::new(move |wasm| in_ours(&config, wasm)))
}

fn wasmi(fuel: bool) -> (String, Make) {
    (BASELINE.into(), Box::new(move |wasm| in_wasmi(wasm, fuel)))
}

fn in_ours(config: &Config, wasm: &[u8]) -> Result<Contestant, String> {
    let engine = Engine::new(config);
    let module = Module::new(&engine, wasm).map_err(text)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::<()>::new().instantiate(&mut store, &module).map_err(text)?;
    let run = instance.func(&store, "run").ok_or("the kernel exports no `run`")?;
    let run = run.typed::<i32, u64>(&store).map_err(text)?;
    let call = move |argument| {
        store.set_fuel(u64::MAX);
        run.call(&mut store, argument).map_err(text)
    };
    Ok(Contestant { call: Box::new(call) })
}

fn in_wasmi(wasm: &[u8], fuel: bool) -> Result<Contestant, String> {
    let mut config = wasmi::Config::default();
    config.consume_fuel(fuel);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm).map_err(text)?;
    let mut store = wasmi::Store::new(&engine, ());
    if fuel {
        // A start function would need some.
        store.set_fuel(u64::MAX).map_err(text)?;
    }
    let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module).map_err(text)?;
    let run = instance.get_typed_func::<i32, u64>(&store, "run").map_err(text)?;
    let call = move |argument| {
        if fuel {
            store.set_fuel(u64::MAX).map_err(text)?;
        }
        run.call(&mut store, argument).map_err(text)
    };
    Ok(Contestant { call: Box::new(call) })
}

/// An error as text.
pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
