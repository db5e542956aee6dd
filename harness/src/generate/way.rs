//! How generated code reaches a function, where every function has a type of its own index and table 0 holds them all.

use wasm_encoder::InstructionSink;

/// How a function is reached.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Direct,
    Table,
    Reference,
}

impl Way {
    /// Writes the call, or the tail call. Arguments, and behind them the index or the reference, are there.
    pub fn call(self, func: u32, tail: bool, op: &mut InstructionSink<'_>) {
        match (self, tail) {
            (Way::Direct, false) => op.call(func),
            (Way::Direct, true) => op.return_call(func),
            (Way::Table, false) => op.call_indirect(0, func),
            (Way::Table, true) => op.return_call_indirect(0, func),
            (Way::Reference, false) => op.call_ref(func),
            (Way::Reference, true) => op.return_call_ref(func),
        };
    }
}
