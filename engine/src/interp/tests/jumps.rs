//! That every handler of an optimised build goes on by a jump, or returns to the loop if it is a big one.

use crate::interp::dispatch::{Handler, handler_of, prefixed};
use crate::interp::machine::{NoTrace, Trace};
use crate::opcode::{Control, Memory, Opcode, Table as TableOp};
use crate::tests::jumps::{self, violations};

/// Whether an opcode's handler goes on itself. Big operations return to the loop.
fn continues(opcode: Opcode) -> bool {
    match opcode {
        Opcode::Control(control) => control != Control::Unreachable,
        Opcode::Memory(memory) => memory == Memory::MemorySize,
        Opcode::Table(table) => matches!(table, TableOp::TableGet | TableOp::TableSet),
        Opcode::Parametric(_)
        | Opcode::Variable(_)
        | Opcode::Load(_)
        | Opcode::Store(_)
        | Opcode::Const(_)
        | Opcode::Numeric(_)
        | Opcode::Wide(_)
        | Opcode::Reference(_)
        | Opcode::Gc(_)
        | Opcode::Vector(_)
        | Opcode::VectorMemory(_)
        | Opcode::Atomic(_) => true,
    }
}

#[track_caller]
fn check<T: Trace, const FUEL: bool>() {
    let expected = |handler: Handler<T, FUEL>, name: &str, continues| jumps::Handler {
        address: handler as usize as u64,
        name: name.to_string(),
        continues,
    };
    let mut handlers: Vec<jumps::Handler> = Opcode::all()
        .filter_map(|opcode| Some(expected(handler_of(opcode)?, opcode.text(), continues(opcode))))
        .collect();
    handlers.push(expected(prefixed, "prefix", true));
    let wrong = violations(&handlers);
    assert!(wrong.is_empty(), "{} of {} handlers:\n{}", wrong.len(), handlers.len(), wrong.join("\n"));
}

#[test]
fn every_handler_ends_in_a_jump() {
    check::<NoTrace, false>();
}

#[test]
fn every_handler_that_counts_fuel_ends_in_a_jump() {
    check::<NoTrace, true>();
}
