//! From an engine's words to a kind of trap, for engines that say in words how they ended.

use crosscheck_engine::TrapKind;

/// Texts of other engines beside the scripts' own.
const OTHER_TEXTS: [(&str, TrapKind); 25] = [
    ("memory access out of bounds", TrapKind::MemoryOutOfBounds),
    ("out-of-bounds memory access", TrapKind::MemoryOutOfBounds),
    ("table access out of bounds", TrapKind::TableOutOfBounds),
    ("out-of-bounds table access", TrapKind::TableOutOfBounds),
    ("table index is out of bounds", TrapKind::TableOutOfBounds),
    ("indirect call signature mismatch", TrapKind::IndirectCallTypeMismatch),
    ("divide by zero", TrapKind::IntegerDivideByZero),
    ("division by zero", TrapKind::IntegerDivideByZero),
    ("divide result unrepresentable", TrapKind::IntegerOverflow),
    ("unrepresentable in integer range", TrapKind::InvalidConversionToInteger),
    ("stack overflow", TrapKind::CallStackExhausted),
    ("stack exhausted", TrapKind::CallStackExhausted),
    ("stack size exceeded", TrapKind::CallStackExhausted),
    ("null function", TrapKind::NullFunctionReference),
    // Wasmi's C API shows names of its variants.
    ("unreachablecodereached", TrapKind::Unreachable),
    ("memoryoutofbounds", TrapKind::MemoryOutOfBounds),
    ("outofboundsaccess", TrapKind::MemoryOutOfBounds),
    ("tableoutofbounds", TrapKind::TableOutOfBounds),
    ("elementsegmentdoesnotfit", TrapKind::TableOutOfBounds),
    ("indirectcalltonull", TrapKind::UninitializedElement),
    ("badsignature", TrapKind::IndirectCallTypeMismatch),
    ("integerdivisionbyzero", TrapKind::IntegerDivideByZero),
    ("integeroverflow", TrapKind::IntegerOverflow),
    ("badconversiontointeger", TrapKind::InvalidConversionToInteger),
    ("stackoverflow", TrapKind::CallStackExhausted),
];

/// The trap that an engine's words tell of, if they do: the most telling text.
pub(super) fn trap_kind(said: &str) -> Option<TrapKind> {
    let said = said.to_lowercase();
    // Outside engines have no host trap of their own, and its text is no convention.
    let own =
        TrapKind::ALL.into_iter().filter(|kind| *kind != TrapKind::Host).map(|kind| (kind.text(), kind));
    let told = own.chain(OTHER_TEXTS).filter(|(text, _)| said.contains(text));
    told.max_by_key(|(text, _)| text.len()).map(|(_, kind)| kind)
}

/// Whether an engine says that it has what a module needs and that it is switched off.
pub(super) fn is_about_a_switch(said: &str) -> bool {
    let said = said.to_lowercase();
    ["is disabled", "not enabled"].iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_off_is_no_import_that_does_not_fit() {
        assert!(is_about_a_switch("shared memory support is disabled for this engine"));
        assert!(is_about_a_switch("Threads are not enabled"));
        assert!(!is_about_a_switch("incompatible import type for `m::memory`"));
    }

    #[test]
    fn the_most_telling_text_says_which_trap_it_was() {
        assert_eq!(trap_kind("Exception: integer divide by zero"), Some(TrapKind::IntegerDivideByZero));
        assert_eq!(trap_kind("wasm trap: wasm `unreachable` instruction"), Some(TrapKind::Unreachable));
        assert_eq!(
            trap_kind("RangeError: Maximum call stack size exceeded"),
            Some(TrapKind::CallStackExhausted)
        );
        let shown = "Error { kind: TrapCode(IntegerDivisionByZero) }";
        assert_eq!(trap_kind(shown), Some(TrapKind::IntegerDivideByZero));
        assert_eq!(trap_kind("failed to parse"), None);
    }
}
