//! The trace hook.

use super::*;
use crate::Extern;
use crate::interp::dispatch::Table;
use crate::interp::machine::Trace;
use crate::opcode::Opcode;
use crate::store::{AsContextMut, FuncId};

#[derive(Default)]
struct Lines(Vec<String>);

impl Trace for Lines {
    const ON: bool = true;

    fn instruction(&mut self, offset: u32, opcode: Opcode, operands: &[u64]) {
        self.0.push(format!("{offset:#x} {opcode} {operands:?}"));
    }
}

#[test]
fn a_trace_sees_every_instruction_with_its_operands() {
    let mut world = World::new(
        "(module (func $g (param i32) (result i32) (i32.eqz (local.get 0)))
            (func (export \"f\") (result i32) (i32.const 7) (call $g (i32.const 2)) (i32.add)))",
    );
    let Some(Extern::Func(func)) = world.instance.export(&world.store, "f") else { panic!("f is exported") };
    let start = world.find(&[0x41, 0x07]);
    let callee = world.find(&[0x20, 0x00, 0x45]);
    let store = world.store.context_mut().0;
    let mut lines = Lines::default();
    let func = FuncId(store.own(func.stored));
    let mut slots = [0];
    // As the store does it, but that the activation is the test's affair: nothing here looks at it.
    crate::interp::call::<_, false>(store, func, &mut slots, &Table::new(), &mut lines).unwrap();
    assert_eq!(slots, [7]);
    let at = |offset: u32, rest: &str| format!("{offset:#x} {rest}");
    assert_eq!(
        lines.0,
        [
            at(start, "i32.const []"),
            at(start + 2, "i32.const [7]"),
            at(start + 4, "call [7, 2]"),
            at(callee, "local.get []"),
            at(callee + 2, "i32.eqz [2]"),
            at(callee + 3, "end [0]"),
            at(start + 6, "i32.add [7, 0]"),
            at(start + 7, "end [7]"),
        ]
    );
}
