//! Watching a program run, instruction by instruction.

use crate::opcode::Opcode;

/// Hears of instructions before they are executed.
///
/// Only the mode `interp` tells. A store without a trace pays nothing: its code is compiled apart.
pub trait Trace: Send + Sync {
    /// An instruction at a file offset is about to be executed, in the instance of that number (in order of
    /// creation), with the operands of the function that it stands in as slots, the topmost last.
    /// `end`, `else` and `loop` are seen when control passes through them, not when a branch goes past.
    fn instruction(&self, instance: u32, offset: u32, opcode: Opcode, operands: &[u64]);
}
