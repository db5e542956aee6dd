//! Fuel, counted by hand: every opcode costs 1 but for `block loop else end`.

use super::*;

/// Fuel that a call takes, and how it ends.
#[track_caller]
fn check_fuel(text: &str, arguments: &[i32], expected: u64) {
    let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
    let mut world = World::with(config().fuel(true), text);
    world.store.set_fuel(10_000);
    world.call("f", &arguments).unwrap();
    assert_eq!(10_000 - world.store.fuel(), expected);
    world.store.set_fuel(expected);
    world.call("f", &arguments).expect("exactly enough is enough");
    assert_eq!(world.store.fuel(), 0);
    for fuel in 0..expected {
        world.store.set_fuel(fuel);
        assert_eq!(world.trap("f", &arguments).kind(), TrapKind::OutOfFuel, "with {fuel}");
    }
}

#[test]
fn straight_code_costs_one_an_opcode() {
    check_fuel("(module (func (export \"f\") (result i32) (i32.add (i32.const 1) (i32.const 2))))", &[], 3);
    check_fuel("(module (func (export \"f\")))", &[], 0);
    check_fuel("(module (func (export \"f\") (block (nop) (block) (nop))))", &[], 2);
}

#[test]
fn arms_of_an_if_are_paid_for_when_taken() {
    let text = "(module (func (export \"f\") (param i32)
        (if (local.get 0) (then (nop)) (else (nop) (nop) (nop))) (nop)))";
    check_fuel(text, &[1], 2 + 1 + 1);
    check_fuel(text, &[0], 2 + 3 + 1);
    let text = "(module (func (export \"f\") (param i32) (if (local.get 0) (then (nop))) (nop)))";
    check_fuel(text, &[1], 4);
    check_fuel(text, &[0], 3);
}

#[test]
fn every_turn_of_a_loop_is_paid_for() {
    let text = "(module (func (export \"f\") (param i32)
        (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0)) (nop)) (nop)))";
    check_fuel(text, &[1], 6 + 1 + 1);
    check_fuel(text, &[10], 60 + 1 + 1);
}

#[test]
fn branches_pay_where_they_arrive() {
    let text = "(module (func (export \"f\") (param i32)
        (block (block (block (br_table 0 1 2 (local.get 0))) (nop) (return)) (nop) (nop) (br 0)) (nop) (nop)))";
    check_fuel(text, &[0], 2 + 2);
    check_fuel(text, &[1], 2 + 3 + 2);
    check_fuel(text, &[2], 2 + 2);
    let text = "(module (func (export \"f\") (param i32) (br_if 0 (local.get 0)) (nop)))";
    check_fuel(text, &[1], 2);
    check_fuel(text, &[0], 3);
}

#[test]
fn calls_pay_for_the_callee_and_for_what_follows() {
    let text = "(module (import \"host\" \"sum\" (func $sum (param i32 i32) (result i32)))
        (func $g (param i32) (result i32) (nop) (local.get 0))
        (func $t (param i32) (result i32) (local.get 0) (return_call $g))
        (func $h (param i32) (result i32) (return_call $sum (local.get 0) (local.get 0)))
        (func (export \"f\")
            (call $g (i32.const 1)) (drop)
            (call $t (i32.const 1)) (drop) (nop)
            (call $h (i32.const 1)) (call $sum (i32.const 1)) (drop)))";
    check_fuel(text, &[], (2 + 2 + 1) + (2 + 2 + 2 + 2) + (2 + 3) + 2 + 1);
}

#[test]
fn running_out_is_at_the_segments_first_opcode_and_takes_nothing() {
    let text = "(module (func (export \"f\") (param i32)
        (loop (block (nop) (local.get 0) (drop)) (br 0))))";
    let mut world = World::with(config().fuel(true), text);
    let nop = world.find(&[0x02, 0x40, 0x01]) + 2;
    let br = world.find(&[0x0b, 0x0c, 0x00]) + 1;
    // A turn costs 3 up to the block's end and 1 for the branch.
    for (fuel, site, left) in [(0, nop, 0), (2, nop, 2), (3, br, 0), (4, nop, 0), (6, nop, 2), (7, br, 0)] {
        world.store.set_fuel(fuel);
        let trap = world.trap("f", &[Val::I32(0)]);
        assert_eq!((trap.kind(), trap.site()), (TrapKind::OutOfFuel, Some(site)), "with {fuel}");
        assert_eq!(world.store.fuel(), left, "with {fuel}");
        assert_eq!(trap.backtrace().unwrap().innermost()[0].offset(), Some(site));
    }
}

#[test]
fn a_trap_keeps_the_charge_of_its_segment() {
    let text = "(module (func (export \"f\") (nop) (unreachable)))";
    let mut world = World::with(config().fuel(true), text);
    world.store.set_fuel(10);
    assert_eq!(world.trap("f", &[]).kind(), TrapKind::Unreachable);
    assert_eq!(world.store.fuel(), 8);
}

#[test]
fn depth_is_charged_before_fuel() {
    let text = "(module (func $g (export \"f\") (nop) (call $g)))";
    let mut world = World::with(small_depth(20).fuel(true), text);
    world.store.set_fuel(4);
    assert_eq!(world.trap("f", &[]).kind(), TrapKind::CallStackExhausted);
    assert_eq!(world.store.fuel(), 0);
    world.store.set_fuel(3);
    assert_eq!(world.trap("f", &[]).kind(), TrapKind::OutOfFuel);
    assert_eq!(world.store.fuel(), 1);
}

#[test]
fn bulk_operations_pay_for_every_64_begun() {
    let text = "(module (memory 1) (table 200 funcref) (data \"0123456789\") (elem func 0 0 0)
        (func (export \"f\")
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 65))
            (memory.copy (i32.const 0) (i32.const 100) (i32.const 64))
            (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 10))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 0))
            (table.fill (i32.const 0) (ref.null func) (i32.const 129))
            (table.copy (i32.const 0) (i32.const 1) (i32.const 128))
            (table.init 0 (i32.const 0) (i32.const 0) (i32.const 3))))";
    let mut world = World::with(config().fuel(true), text);
    world.store.set_fuel(1000);
    world.call("f", &[]).unwrap();
    assert_eq!(1000 - world.store.fuel(), 7 * 4 + (2 + 1 + 1) + (3 + 2 + 1));
}

#[test]
fn a_bulk_operation_checks_bounds_before_it_pays_and_pays_before_it_writes() {
    let text = "(module (memory 1)
        (func (export \"f\") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
        (func (export \"get\") (result i32) (i32.load8_u (i32.const 0))))";
    let mut world = World::with(config().fuel(true), text);
    let site = Some(world.find(&[0xfc, 0x0b]));
    world.store.set_fuel(5);
    let trap = world.trap("f", &[Val::I32(65_537)]);
    assert_eq!((trap.kind(), trap.site()), (TrapKind::MemoryOutOfBounds, site));
    assert_eq!(world.store.fuel(), 1);
    world.store.set_fuel(5);
    let trap = world.trap("f", &[Val::I32(65)]);
    assert_eq!((trap.kind(), trap.site()), (TrapKind::OutOfFuel, site));
    assert_eq!(world.store.fuel(), 1);
    assert_eq!(world.call("get", &[]), Err(world.call("get", &[]).unwrap_err()));
    world.store.set_fuel(10);
    assert_eq!(world.call("get", &[]), Ok(vec![Val::I32(0)]));
}
