//! The trace hook.

use super::*;
use crate::Extern;
use crate::interp::dispatch::Table;
use crate::interp::machine::Trace;
use crate::opcode::Opcode;
use crate::store::{AsContextMut, FuncId, InstanceId};

#[derive(Default)]
struct Lines(Vec<String>);

impl Trace for Lines {
    const ON: bool = true;

    fn instruction(&mut self, _: InstanceId, offset: u32, opcode: Opcode, operands: &[u64]) {
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

/// Counts instructions by the instance they are executed in, and keeps the last operands.
#[derive(Default)]
struct Counted(std::sync::Mutex<(Vec<u32>, Vec<u64>)>);

impl crate::Trace for Counted {
    fn instruction(&self, instance: u32, _: u32, _: Opcode, operands: &[u64]) {
        let mut seen = self.0.lock().unwrap();
        seen.0.push(instance);
        seen.1 = operands.to_vec();
    }
}

#[test]
fn a_store_tells_its_trace_of_calls_through_the_host_too() {
    for fuel in [false, true] {
        let mut world = World::with(
            config().fuel(fuel),
            "(module (import \"host\" \"again\" (func $again (param i32) (result i32)))
                (func (export \"again\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
                (func (export \"f\") (result i32) (call $again (i32.const 14))))",
        );
        let counted = std::sync::Arc::new(Counted::default());
        world.store.set_trace(Some(counted.clone()));
        assert_eq!(world.call("f", &[]), Ok(vec![Val::I32(42)]));
        let told = std::mem::take(&mut *counted.0.lock().unwrap());
        assert_eq!(told, (vec![0; 7], vec![42]), "three instructions of f, four of what the host calls");
        world.store.set_trace(None);
        assert_eq!(world.call("f", &[]), Ok(vec![Val::I32(42)]));
        assert_eq!(*counted.0.lock().unwrap(), (Vec::new(), Vec::new()), "the trace is no longer told");
    }
}
