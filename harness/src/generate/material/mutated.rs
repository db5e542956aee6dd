//! Modules that wasm-mutate changed.

use crate::draw::Stream;
use crate::guard::guarded;
use wasm_mutate::WasmMutate;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// How much work wasm-mutate may do in a round.
const FUEL: u64 = 60;
/// Bytes by which it may make a module grow.
const MOST_GROWTH: usize = 4000;

/// The module after some rounds of wasm-mutate, a word for each that changed something. Beside other modules it keeps what it
/// imports and exports.
pub(super) fn mutated(
    wasm: &[u8],
    preserving: bool,
    is_alone: bool,
    allowed: WasmFeatures,
    stream: &mut Stream,
) -> (Vec<u8>, Vec<&'static str>) {
    let mut now = wasm.to_vec();
    let mut steps = Vec::new();
    for _ in 0..stream.between(1, 5) {
        let Some(mutant) = mutant(&now, preserving, stream.u64()) else { continue };
        let is_valid = Validator::new_with_features(allowed).validate_all(&mutant).is_ok();
        let fits = is_alone || surface(&mutant) == surface(&now);
        if is_valid && fits && mutant.len() <= wasm.len() + MOST_GROWTH {
            now = mutant;
            steps.push(if preserving { "preserving" } else { "mutated" });
        }
    }
    (now, steps)
}

/// One change; none if wasm-mutate found nothing to change. It panics at some of what it does not know.
fn mutant(wasm: &[u8], preserving: bool, seed: u64) -> Option<Vec<u8>> {
    let mutant = guarded(|| {
        let mut mutate = WasmMutate::default();
        mutate.seed(seed).fuel(FUEL).preserve_semantics(preserving);
        mutate.run(wasm).ok()?.find_map(Result::ok)
    });
    mutant.ok().flatten()
}

/// The bytes of what a module shares with others: its types, imports and exports.
fn surface(wasm: &[u8]) -> Vec<Vec<u8>> {
    let mut surface = Vec::new();
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        let range = match payload {
            Payload::TypeSection(section) => section.range(),
            Payload::ImportSection(section) => section.range(),
            Payload::ExportSection(section) => section.range(),
            _ => continue,
        };
        surface.push(wasm[range.start as usize..range.end as usize].to_vec());
    }
    surface
}
