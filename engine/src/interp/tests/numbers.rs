//! Numbers, constants, locals, globals, loads and stores.

use super::*;

#[test]
fn constants_of_every_length_are_read() {
    for value in [0, 1, -1, 63, 64, -64, -65, 8191, -8192, i32::MAX, i32::MIN] {
        check_i32(&format!("(module (func (export \"f\") (result i32) (i32.const {value})))"), &[], value);
    }
    for value in [0, -1, i64::MIN, i64::MAX, 1 << 62, -(1 << 55), 1 << 35] {
        let text = format!("(module (func (export \"f\") (result i64) (i64.const {value})))");
        check(&text, "f", &[], &[Val::I64(value)]);
    }
    check(
        "(module (func (export \"f\") (result f32 f64) (f32.const nan:0x200000) (f64.const -0.5)))",
        "f",
        &[],
        &[Val::F32(0x7fa0_0000), Val::F64((-0.5f64).to_bits())],
    );
}

#[test]
fn operators_take_their_operands_in_order() {
    check_i32(
        "(module (func (export \"f\") (param i32 i32) (result i32)
            (i32.div_s (local.get 0) (local.get 1))))",
        &[-7, 2],
        -3,
    );
    check_i32("(module (func (export \"f\") (result i32) (i32.trunc_sat_f64_u (f64.const 1e20))))", &[], -1);
    check_i32("(module (func (export \"f\") (result i32) (i32.extend8_s (i32.const 0x80))))", &[], -128);
}

#[test]
fn wide_arithmetic_carries() {
    check(
        "(module (func (export \"f\") (result i64 i64 i64 i64)
            (i64.add128 (i64.const -1) (i64.const 1) (i64.const 1) (i64.const 2))
            (i64.mul_wide_s (i64.const -2) (i64.const 3))))",
        "f",
        &[],
        &[Val::I64(0), Val::I64(4), Val::I64(-6), Val::I64(-1)],
    );
}

#[test]
fn divisions_and_truncations_trap_at_their_opcode() {
    let mut world = World::new(
        "(module (func (export \"f\") (param i32 i32) (result i32)
                (i32.div_s (local.get 0) (local.get 1)))
            (func (export \"g\") (param f32) (result i64) (i64.trunc_f32_u (local.get 0))))",
    );
    let div = world.find(&[0x20, 0x01, 0x6d]) + 2;
    let trap = world.trap("f", &[Val::I32(1), Val::I32(0)]);
    assert_eq!((trap.kind(), trap.site()), (TrapKind::IntegerDivideByZero, Some(div)));
    let trap = world.trap("f", &[Val::I32(i32::MIN), Val::I32(-1)]);
    assert_eq!((trap.kind(), trap.site()), (TrapKind::IntegerOverflow, Some(div)));
    let trap = world.trap("g", &[Val::F32(0x7fc0_0000)]);
    assert_eq!(trap.kind(), TrapKind::InvalidConversionToInteger);
    assert_eq!(trap.site(), Some(world.find(&[0x20, 0x00, 0xaf]) + 2));
}

#[test]
fn declared_locals_start_as_zero_or_null_in_every_call() {
    check_i32(
        "(module (func $g (param i32) (result i32) (local i32 funcref i64 externref)
                (i32.add (local.get 1) (i32.add (ref.is_null (local.get 2)) (ref.is_null (local.get 4))))
                (local.set 1 (i32.const 77)) (local.set 3 (i64.const -1)) (local.set 2 (ref.func $g)))
            (elem declare func $g)
            (func (export \"f\") (result i32)
                (drop (call $g (i32.const 1))) (call $g (i32.const 2))))",
        &[],
        2,
    );
}

#[test]
fn globals_keep_what_is_written() {
    check_i32(
        "(module (global $a (mut i32) (i32.const 4)) (global $b i32 (i32.const 30))
            (func (export \"f\") (result i32)
                (global.set $a (i32.add (global.get $a) (global.get $b))) (global.get $a)))",
        &[],
        34,
    );
}

#[test]
fn loads_extend_and_stores_truncate() {
    check(
        "(module (memory 1) (data (i32.const 8) \"\\80\\ff\\ff\\ff\\ff\\ff\\ff\\7f\")
            (func (export \"f\") (result i32 i32 i64 i64 i64)
                (i32.load8_s (i32.const 8)) (i32.load8_u offset=8 (i32.const 0))
                (i64.load32_s (i32.const 8)) (i64.load (i32.const 8))
                (i64.store16 offset=3 (i32.const 20) (i64.const 0x12345))
                (i64.load (i32.const 23))))",
        "f",
        &[],
        &[Val::I32(-128), Val::I32(0x80), Val::I64(-128), Val::I64(0x7fff_ffff_ffff_ff80), Val::I64(0x2345)],
    );
}

#[test]
fn an_access_must_be_inside_as_a_whole() {
    let text = "(module (memory 1)
        (func (export \"load\") (param i32) (drop (i32.load offset=4 (local.get 0))))
        (func (export \"far\") (param i32) (drop (i32.load8_u offset=0xffffffff (local.get 0))))
        (func (export \"store\") (param i32) (i64.store (local.get 0) (i64.const -1)))
        (func (export \"get\") (param i32) (result i32) (i32.load8_u (local.get 0))))";
    check(text, "load", &[Val::I32(65_536 - 8)], &[]);
    check_trap(text, "load", &[Val::I32(65_536 - 7)], TrapKind::MemoryOutOfBounds);
    check_trap(text, "load", &[Val::I32(-4)], TrapKind::MemoryOutOfBounds);
    check_trap(text, "far", &[Val::I32(-1)], TrapKind::MemoryOutOfBounds);
    let mut world = World::new(text);
    let trap = world.trap("store", &[Val::I32(65_536 - 7)]);
    assert_eq!(trap.site(), Some(world.find(&[0x42, 0x7f, 0x37]) + 2));
    assert_eq!(world.call("get", &[Val::I32(65_535)]), Ok(vec![Val::I32(0)]), "nothing was written");
}

#[test]
fn a_second_memory_is_not_the_first() {
    check(
        "(module (memory 1) (memory 2)
            (func (export \"f\") (result i32 i32 i32)
                (i32.store 1 (i32.const 70000) (i32.const 9))
                (i32.store (i32.const 4) (i32.const 3))
                (i32.load 1 (i32.const 70000)) (i32.load 0 (i32.const 4)) (i32.load 1 (i32.const 4))))",
        "f",
        &[],
        &[Val::I32(9), Val::I32(3), Val::I32(0)],
    );
}

#[test]
fn addresses_of_64_bits_do_not_wrap() {
    let text = "(module (memory i64 1)
        (func (export \"f\") (param i64) (drop (i32.load offset=0xfffffffffffffffe (local.get 0)))))";
    for address in [0, 1, 2, 4, -1] {
        check_trap(text, "f", &[Val::I64(address)], TrapKind::MemoryOutOfBounds);
    }
}
