//! Fuel: what is charged when, and where running out shows.

use super::*;

/// Calls `f` with so much fuel; gives the outcome and what is left.
fn run_on(fuel: u64, text: &str, arguments: &[Val]) -> (Result<Vec<Val>, Error>, u64) {
    let (mut store, instance) = instantiate(&config().fuel(true), text);
    store.set_fuel(fuel);
    let func = instance.func(&store, "f").expect("tests export f");
    let outcome = call(&mut store, func, arguments);
    (outcome, store.fuel())
}

const STRAIGHT: &str = "(module (func (export \"f\") (param i32) (result i32)
    (i32.add (local.get 0) (i32.const 1))))";

#[test]
fn a_straight_line_is_paid_for_at_once() {
    assert_eq!(run_on(3, STRAIGHT, &[Val::I32(4)]), (Ok(vec![Val::I32(5)]), 0));
    let (outcome, left) = run_on(2, STRAIGHT, &[Val::I32(4)]);
    let trap = trap(outcome);
    assert_eq!((trap.kind(), left), (TrapKind::OutOfFuel, 2));
    assert_eq!(trap.site(), offsets(STRAIGHT, &[0x20, 0]).pop());
}

#[test]
fn a_loop_pays_every_turn() {
    let text = "(module (func (export \"f\") (param i32)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";
    // Five instructions a turn; the loop itself and the ends are free.
    assert_eq!(run_on(100, text, &[Val::I32(7)]), (Ok(vec![]), 65));
    let (outcome, left) = run_on(17, text, &[Val::I32(7)]);
    assert_eq!((trap(outcome).kind(), left), (TrapKind::OutOfFuel, 2));
}

#[test]
fn only_the_arm_that_runs_is_paid_for() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.const 1) (nop) (nop)) (else (i32.const 2)))))";
    assert_eq!(run_on(100, text, &[Val::I32(1)]).1, 95);
    assert_eq!(run_on(100, text, &[Val::I32(0)]).1, 97);
}

#[test]
fn a_trap_keeps_the_charge_of_its_segment() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (i32.div_u (i32.const 1) (local.get 0)) (drop) (i32.const 1)))";
    let (outcome, left) = run_on(100, text, &[Val::I32(0)]);
    assert_eq!((trap(outcome).kind(), left), (TrapKind::IntegerDivideByZero, 95));
}

#[test]
fn callees_pay_for_themselves() {
    let text = "(module (func $g (result i32) (i32.const 3)) (func (export \"f\") (result i32)
        (call $g) (drop) (i32.add (call $g) (i32.const 1))))";
    // call; const; drop, call; const; const, add.
    assert_eq!(run_on(100, text, &[]), (Ok(vec![Val::I32(4)]), 93));
}

#[test]
fn bulk_operations_pay_by_length_after_the_bounds_check() {
    let text = "(module (memory 1) (func (export \"f\") (param i32)
        (memory.fill (i32.const 0) (i32.const 9) (local.get 0))))";
    assert_eq!(run_on(100, text, &[Val::I32(0)]), (Ok(vec![]), 96));
    assert_eq!(run_on(100, text, &[Val::I32(64)]), (Ok(vec![]), 95));
    assert_eq!(run_on(100, text, &[Val::I32(65)]), (Ok(vec![]), 94));
    let (outcome, left) = run_on(100, text, &[Val::I32(65536)]);
    let out_of_fuel = trap(outcome);
    assert_eq!((out_of_fuel.kind(), left), (TrapKind::OutOfFuel, 96));
    assert_eq!(out_of_fuel.site(), offsets(text, &[0xFC, 0x0B]).pop());
    let (outcome, left) = run_on(100, text, &[Val::I32(65537)]);
    assert_eq!((trap(outcome).kind(), left), (TrapKind::MemoryOutOfBounds, 96));
}

#[test]
fn hosts_see_the_fuel_that_is_left_and_may_change_it() {
    let mut store = Store::new(&Engine::new(&config().fuel(true)), Vec::new());
    let mut linker = hosts(&mut store);
    linker.func_wrap(&mut store, ("host", "fuel"), |caller: crate::Caller<'_, Vec<i32>>, (): ()| {
        Ok(caller.fuel() as i64)
    });
    let text = "(module (import \"host\" \"fuel\" (func $fuel (result i64)))
        (func (export \"f\") (result i64) (nop) (nop) (call $fuel) (nop)))";
    let instance = add_instance(&mut store, &linker, text);
    store.set_fuel(50);
    let func = instance.func(&store, "f").expect("exported");
    assert_eq!(call(&mut store, func, &[]), Ok(vec![Val::I64(47)]));
    assert_eq!(store.fuel(), 46);
}
