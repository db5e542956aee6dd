//! Text of modules, by file offset.

use crate::guard::guarded;
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
