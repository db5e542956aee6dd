//! wasmtime's two compilers beside ours: Winch, which like ours makes one pass, and Cranelift, which optimises.

use super::{Contestant, Group, ours, text, wasmi};
use crosscheck_engine::{Config, Mode};
use wasmtime::{Config as PeerConfig, Engine, Linker, Module, Store, Strategy};

/// The other compilers, by the names they are shown with.
pub const COMPILERS: [(&str, Strategy); 2] = [("winch", Strategy::Winch), ("cranelift", Strategy::Cranelift)];

/// Our compiler with nothing but the module to run: no fuel, and NaN bits as the machine makes them.
const BARE: &str = "baseline bare";
/// Our compiler with all that the contract asks.
const CONTRACT: &str = "with contract";

/// All that runs fast: our modes, wasmi and the other compilers.
pub fn group() -> Group {
    let mut entrants = Vec::new();
    for mode in Mode::all() {
        let config = Config::new(mode);
        if mode.name() == "baseline" {
            entrants.push(ours(BARE, config.free_nan_bits(true)));
            entrants.push(ours(CONTRACT, config.fuel(true)));
        } else {
            entrants.push(ours(mode.name(), config));
        }
    }
    entrants.push(wasmi(false));
    for (name, strategy) in COMPILERS {
        entrants.push((name.into(), Box::new(move |wasm| in_peer(strategy, wasm))));
    }
    Group { title: "beside compilers", unit: COMPILERS[0].0, entrants }
}

/// wasmtime with this compiler on one thread, without fuel and interruption.
pub fn compiler(strategy: Strategy) -> Result<Engine, String> {
    let mut config = PeerConfig::new();
    config.strategy(strategy);
    Engine::new(&config).map_err(text)
}

fn in_peer(strategy: Strategy, wasm: &[u8]) -> Result<Contestant, String> {
    let engine = compiler(strategy)?;
    let module = Module::new(&engine, wasm).map_err(text)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).map_err(text)?;
    let run = instance.get_typed_func::<i32, u64>(&mut store, "run").map_err(text)?;
    let call = move |argument| run.call(&mut store, argument).map_err(text);
    Ok(Contestant { call: Box::new(call) })
}
