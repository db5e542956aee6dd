//! Text of modules and of what modes make of them, by file offset.

use crate::guard::guarded;
use crate::subject::Lane;
use crosscheck_engine::{Engine, FuncIndex, Module};
use std::collections::BTreeMap;

/// The text of every line of a module that has a place in the file. Fails on what cannot be printed.
pub fn wasm_lines(wasm: &[u8]) -> Result<BTreeMap<u32, String>, String> {
    let printed = guarded(|| {
        let mut storage = String::new();
        let lines = wasmprinter::Config::new()
            .offsets_and_lines(wasm, &mut storage)
            .map_err(|error| format!("cannot print the module: {error}"))?;
        let placed =
            lines.filter_map(|(offset, text)| Some((u32::try_from(offset?).ok()?, text.trim().to_string())));
        Ok(placed.filter(|(_, text)| !text.is_empty()).collect())
    });
    printed.unwrap_or_else(|panic| Err(format!("cannot print the module: the printer panics: {panic}")))
}

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
