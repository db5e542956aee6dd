//! Text of what modes make of modules, by file offset.

use crate::subject::Lane;
use crosscheck_engine::{Engine, FuncIndex, Module};

/// What stands in place of what a lane makes of an instruction if that cannot be found out.
pub fn not_shown(why: String) -> Vec<String> {
    vec![format!("not shown: {why}")]
}

/// What a lane makes of one instruction, line by line; nothing where it says nothing.
pub fn made_of(lane: Lane, wasm: &[u8], function: u32, offset: u32) -> Vec<String> {
    let engine = Engine::new(&lane.config());
    let module = Module::new(&engine, wasm).ok();
    let lines = module.and_then(|module| module.explain(FuncIndex(function))).unwrap_or_default();
    let ours = lines.into_iter().filter(|line| line.offset == offset && !line.is_state);
    ours.map(|line| line.text).collect()
}
