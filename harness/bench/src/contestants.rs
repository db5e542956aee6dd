//! The engines: every mode of our own with default settings, and wasmi with its.
//!
//! Ours keep what the contract asks of them: traps with backtraces, a counted depth, fuel by segments. wasmi counts
//! depth and, if asked, fuel too, at its own prices.

use crosscheck_engine::{Config, Engine, Linker, Mode, Module, Store};

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

/// The engine that the others are compared with.
pub const BASELINE: &str = "wasmi";

/// The engines' names: every mode, then the one they are compared with.
pub fn names() -> Vec<&'static str> {
    Mode::all().map(Mode::name).chain([BASELINE]).collect()
}

/// An instance of the module in every engine, in the order of [`names`]; the reason where an engine refuses it.
pub fn all(wasm: &[u8], fuel: bool) -> Vec<Result<Contestant, String>> {
    let ours = Mode::all().map(|mode| in_mode(mode, wasm, fuel));
    ours.chain([in_wasmi(wasm, fuel)]).collect()
}

fn in_mode(mode: Mode, wasm: &[u8], fuel: bool) -> Result<Contestant, String> {
    let engine = Engine::new(&Config::new(mode).fuel(fuel));
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

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
