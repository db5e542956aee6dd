//! Small modules as campaigns have them: from wasm-smith, about a kilobyte each, the same on every machine.

use arbitrary::Unstructured;

/// Bytes a module has, roughly: from here to twice as many.
const BYTES: usize = 750;
/// Random bytes that a module is made of.
const INPUT_BYTES: usize = 8 << 10;

/// So many modules.
pub fn modules(count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut input = vec![0; INPUT_BYTES];
    let mut modules = Vec::with_capacity(count);
    while modules.len() < count {
        for chunk in input.chunks_exact_mut(8) {
            chunk.copy_from_slice(&next(&mut state).to_le_bytes());
        }
        let module = wasm_smith::Module::new(config(), &mut Unstructured::new(&input));
        let Ok(module) = module else { continue };
        let bytes = module.to_bytes();
        if (BYTES..2 * BYTES).contains(&bytes.len()) {
            modules.push(bytes);
        }
    }
    modules
}

/// Only what every contestant executes.
fn config() -> wasm_smith::Config {
    wasm_smith::Config {
        max_imports: 0,
        max_funcs: 8,
        min_funcs: 1,
        max_data_segments: 1,
        max_element_segments: 1,
        bulk_memory_enabled: true,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        max_memories: 1,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        ..wasm_smith::Config::default()
    }
}

/// The next number of a xorshift generator (Marsaglia 2003).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
