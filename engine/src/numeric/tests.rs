//! Boundary cases with their bits written out by hand, from the specification's section on numerics.

mod properties;

use super::*;
use crate::opcode::Opcode;
use TrapKind::{IntegerDivideByZero, IntegerOverflow, InvalidConversionToInteger};

fn numeric(text: &str) -> Numeric {
    match Opcode::from_text(text) {
        Some(Opcode::Numeric(opcode)) => opcode,
        other => panic!("{text} is no numeric opcode but {other:?}"),
    }
}

/// Each operator gives each result of its operands.
#[track_caller]
fn check_binary(cases: &[(&str, u64, u64, u64)]) {
    for &(text, a, b, expected) in cases {
        let result = evaluate(numeric(text), &[a, b]);
        assert_eq!(result, Ok(expected), "{text} {a:#x} {b:#x}: {result:x?}, not {expected:#x}");
    }
}

/// Each operator gives each result of its operand.
#[track_caller]
fn check_unary(cases: &[(&str, u64, u64)]) {
    for &(text, a, expected) in cases {
        let result = evaluate(numeric(text), &[a]);
        assert_eq!(result, Ok(expected), "{text} {a:#x}: {result:x?}, not {expected:#x}");
    }
}

/// Each operator traps on its operands.
#[track_caller]
fn check_traps(cases: &[(&str, &[u64], TrapKind)]) {
    for &(text, operands, expected) in cases {
        assert_eq!(evaluate(numeric(text), operands), Err(expected), "{text} {operands:x?}");
    }
}

#[test]
fn comparisons_of_32_bits_know_signed_from_unsigned() {
    check_unary(&[("i32.eqz", 0, 1), ("i32.eqz", 0x8000_0000, 0), ("i32.eqz", 1, 0)]);
    check_binary(&[
        ("i32.eq", 0xFFFF_FFFF, 0xFFFF_FFFF, 1),
        ("i32.eq", 0, 0x8000_0000, 0),
        ("i32.ne", 0, 0x8000_0000, 1),
        ("i32.ne", 7, 7, 0),
        ("i32.lt_s", 0x8000_0000, 0x7FFF_FFFF, 1),
        ("i32.lt_u", 0x8000_0000, 0x7FFF_FFFF, 0),
        ("i32.gt_s", 0x8000_0000, 0x7FFF_FFFF, 0),
        ("i32.gt_u", 0x8000_0000, 0x7FFF_FFFF, 1),
        ("i32.le_s", 0xFFFF_FFFF, 0, 1),
        ("i32.le_u", 0xFFFF_FFFF, 0, 0),
        ("i32.ge_s", 0xFFFF_FFFF, 0, 0),
        ("i32.ge_u", 0xFFFF_FFFF, 0, 1),
        ("i32.lt_s", 5, 5, 0),
        ("i32.lt_u", 5, 5, 0),
        ("i32.gt_s", 5, 5, 0),
        ("i32.gt_u", 5, 5, 0),
        ("i32.le_s", 5, 5, 1),
        ("i32.le_u", 5, 5, 1),
        ("i32.ge_s", 5, 5, 1),
        ("i32.ge_u", 5, 5, 1),
    ]);
}

#[test]
fn comparisons_of_64_bits_know_signed_from_unsigned() {
    const MIN: u64 = 0x8000_0000_0000_0000;
    const MAX: u64 = 0x7FFF_FFFF_FFFF_FFFF;
    const MINUS_ONE: u64 = 0xFFFF_FFFF_FFFF_FFFF;
    check_unary(&[("i64.eqz", 0, 1), ("i64.eqz", MIN, 0), ("i64.eqz", 0x1_0000_0000, 0)]);
    check_binary(&[
        ("i64.eq", MIN, MIN, 1),
        ("i64.eq", 1, 0x1_0000_0001, 0),
        ("i64.ne", 1, 0x1_0000_0001, 1),
        ("i64.ne", MIN, MIN, 0),
        ("i64.lt_s", MIN, MAX, 1),
        ("i64.lt_u", MIN, MAX, 0),
        ("i64.gt_s", MIN, MAX, 0),
        ("i64.gt_u", MIN, MAX, 1),
        ("i64.le_s", MINUS_ONE, 0, 1),
        ("i64.le_u", MINUS_ONE, 0, 0),
        ("i64.ge_s", MINUS_ONE, 0, 0),
        ("i64.ge_u", MINUS_ONE, 0, 1),
        ("i64.lt_s", 5, 5, 0),
        ("i64.lt_u", 5, 5, 0),
        ("i64.gt_s", 5, 5, 0),
        ("i64.gt_u", 5, 5, 0),
        ("i64.le_s", 5, 5, 1),
        ("i64.le_u", 5, 5, 1),
        ("i64.ge_s", 5, 5, 1),
        ("i64.ge_u", 5, 5, 1),
    ]);
}

#[test]
fn integers_count_bits() {
    check_unary(&[
        ("i32.clz", 0, 32),
        ("i32.clz", 1, 31),
        ("i32.clz", 0x8000_0000, 0),
        ("i32.ctz", 0, 32),
        ("i32.ctz", 0x8000_0000, 31),
        ("i32.ctz", 1, 0),
        ("i32.popcnt", 0xFFFF_FFFF, 32),
        ("i32.popcnt", 0xA5A5_0001, 9),
        ("i64.clz", 0, 64),
        ("i64.clz", 1, 63),
        ("i64.clz", 0xFFFF_FFFF, 32),
        ("i64.ctz", 0, 64),
        ("i64.ctz", 0x8000_0000_0000_0000, 63),
        ("i64.ctz", 0x1_0000_0000, 32),
        ("i64.popcnt", 0xFFFF_FFFF_FFFF_FFFF, 64),
        ("i64.popcnt", 0x8000_0001_0000_0001, 3),
    ]);
}

#[test]
fn integer_arithmetic_wraps() {
    check_binary(&[
        ("i32.add", 0xFFFF_FFFF, 1, 0),
        ("i32.add", 0x7FFF_FFFF, 1, 0x8000_0000),
        ("i32.sub", 0, 1, 0xFFFF_FFFF),
        ("i32.sub", 0x8000_0000, 1, 0x7FFF_FFFF),
        ("i32.mul", 0x8000_0000, 2, 0),
        ("i32.mul", 0xFFFF_FFFF, 0xFFFF_FFFF, 1),
        ("i32.mul", 0x1234_5678, 0x9ABC_DEF0, 0x242D_2080),
        ("i64.add", 0xFFFF_FFFF_FFFF_FFFF, 1, 0),
        ("i64.add", 0xFFFF_FFFF, 1, 0x1_0000_0000),
        ("i64.sub", 0, 1, 0xFFFF_FFFF_FFFF_FFFF),
        ("i64.mul", 0x1_0000_0000, 0x1_0000_0000, 0),
        ("i64.mul", 0xFFFF_FFFF_FFFF_FFFF, 7, 0xFFFF_FFFF_FFFF_FFF9),
        ("i32.and", 0xF0F0_F0F0, 0xFF00_FF00, 0xF000_F000),
        ("i32.or", 0xF0F0_F0F0, 0xFF00_FF00, 0xFFF0_FFF0),
        ("i32.xor", 0xF0F0_F0F0, 0xFF00_FF00, 0x0FF0_0FF0),
        ("i64.and", 0xF0F0_F0F0_0000_0001, 0xFF00_FF00_0000_0003, 0xF000_F000_0000_0001),
        ("i64.or", 0xF0F0_F0F0_0000_0001, 0xFF00_FF00_0000_0003, 0xFFF0_FFF0_0000_0003),
        ("i64.xor", 0xF0F0_F0F0_0000_0001, 0xFF00_FF00_0000_0003, 0x0FF0_0FF0_0000_0002),
    ]);
}

#[test]
fn division_rounds_towards_zero() {
    check_binary(&[
        ("i32.div_s", 0xFFFF_FFF9, 2, 0xFFFF_FFFD),
        ("i32.div_s", 7, 0xFFFF_FFFE, 0xFFFF_FFFD),
        ("i32.div_s", 0x8000_0000, 2, 0xC000_0000),
        ("i32.div_u", 0xFFFF_FFF9, 2, 0x7FFF_FFFC),
        ("i32.div_u", 0x8000_0000, 0xFFFF_FFFF, 0),
        ("i32.rem_s", 0xFFFF_FFF9, 2, 0xFFFF_FFFF),
        ("i32.rem_s", 7, 0xFFFF_FFFE, 1),
        ("i32.rem_s", 0x8000_0000, 0xFFFF_FFFF, 0),
        ("i32.rem_u", 0xFFFF_FFF9, 2, 1),
        ("i32.rem_u", 0x8000_0000, 0xFFFF_FFFF, 0x8000_0000),
        ("i64.div_s", 0xFFFF_FFFF_FFFF_FFF9, 2, 0xFFFF_FFFF_FFFF_FFFD),
        ("i64.div_s", 0x8000_0000, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_8000_0000),
        ("i64.div_u", 0xFFFF_FFFF_FFFF_FFF9, 2, 0x7FFF_FFFF_FFFF_FFFC),
        ("i64.rem_s", 0xFFFF_FFFF_FFFF_FFF9, 2, 0xFFFF_FFFF_FFFF_FFFF),
        ("i64.rem_s", 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF, 0),
        ("i64.rem_u", 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000),
    ]);
}

#[test]
fn division_by_zero_traps_before_overflow() {
    check_traps(&[
        ("i32.div_s", &[0x8000_0000, 0], IntegerDivideByZero),
        ("i32.div_u", &[1, 0], IntegerDivideByZero),
        ("i32.rem_s", &[0x8000_0000, 0], IntegerDivideByZero),
        ("i32.rem_u", &[0, 0], IntegerDivideByZero),
        ("i64.div_s", &[0x8000_0000_0000_0000, 0], IntegerDivideByZero),
        ("i64.div_u", &[1, 0], IntegerDivideByZero),
        ("i64.rem_s", &[0x8000_0000_0000_0000, 0], IntegerDivideByZero),
        ("i64.rem_u", &[0, 0], IntegerDivideByZero),
        ("i32.div_s", &[0x8000_0000, 0xFFFF_FFFF], IntegerOverflow),
        ("i64.div_s", &[0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF], IntegerOverflow),
    ]);
}

#[test]
fn shifts_and_rotations_take_the_distance_modulo_the_width() {
    check_binary(&[
        ("i32.shl", 1, 31, 0x8000_0000),
        ("i32.shl", 1, 32, 1),
        ("i32.shl", 3, 0xFFFF_FFFF, 0x8000_0000),
        ("i32.shr_s", 0x8000_0000, 31, 0xFFFF_FFFF),
        ("i32.shr_s", 0x8000_0000, 33, 0xC000_0000),
        ("i32.shr_u", 0x8000_0000, 31, 1),
        ("i32.shr_u", 0x8000_0000, 33, 0x4000_0000),
        ("i32.rotl", 0x8000_0001, 1, 3),
        ("i32.rotl", 0xABCD_9876, 32, 0xABCD_9876),
        ("i32.rotr", 0x8000_0001, 33, 0xC000_0000),
        ("i64.shl", 1, 63, 0x8000_0000_0000_0000),
        ("i64.shl", 1, 64, 1),
        ("i64.shl", 1, 0x1_0000_0000, 1),
        ("i64.shr_s", 0x8000_0000_0000_0000, 63, 0xFFFF_FFFF_FFFF_FFFF),
        ("i64.shr_s", 0x8000_0000_0000_0000, 65, 0xC000_0000_0000_0000),
        ("i64.shr_u", 0x8000_0000_0000_0000, 63, 1),
        ("i64.rotl", 0x8000_0000_0000_0001, 1, 3),
        ("i64.rotl", 0x8000_0000_0000_0001, 0x8000_0000_0000_0040, 0x8000_0000_0000_0001),
        ("i64.rotr", 0x8000_0000_0000_0001, 65, 0xC000_0000_0000_0000),
    ]);
}

#[test]
fn integers_change_width() {
    check_unary(&[
        ("i32.wrap_i64", 0xFFFF_FFFF_8000_0000, 0x8000_0000),
        ("i64.extend_i32_s", 0x8000_0000, 0xFFFF_FFFF_8000_0000),
        ("i64.extend_i32_u", 0x8000_0000, 0x8000_0000),
        ("i32.extend8_s", 0x1234_5680, 0xFFFF_FF80),
        ("i32.extend8_s", 0xFFFF_FF7F, 0x7F),
        ("i32.extend16_s", 0x1234_8000, 0xFFFF_8000),
        ("i32.extend16_s", 0xFFFF_7FFF, 0x7FFF),
        ("i64.extend8_s", 0x80, 0xFFFF_FFFF_FFFF_FF80),
        ("i64.extend8_s", 0xFFFF_FFFF_FFFF_FF7F, 0x7F),
        ("i64.extend16_s", 0x8000, 0xFFFF_FFFF_FFFF_8000),
        ("i64.extend32_s", 0x1234_5678_8000_0000, 0xFFFF_FFFF_8000_0000),
        ("i64.extend32_s", 0xFFFF_FFFF_7FFF_FFFF, 0x7FFF_FFFF),
    ]);
}

/// Signalling, negative, with payload: whatever NaN goes in.
const NANS_32: [u64; 5] = [0x7FC0_0000, 0xFFC0_0000, 0x7F80_0001, 0xFFA0_0000, 0x7FFF_FFFF];
const NANS_64: [u64; 5] = [
    0x7FF8_0000_0000_0000,
    0xFFF8_0000_0000_0000,
    0x7FF0_0000_0000_0001,
    0xFFF4_0000_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF,
];

#[test]
fn arithmetic_on_nan_gives_the_positive_canonical_nan() {
    for (float, nans, one, canonical) in [
        ("f32", NANS_32, 0x3F80_0000, 0x7FC0_0000),
        ("f64", NANS_64, 0x3FF0_0000_0000_0000, 0x7FF8_0000_0000_0000),
    ] {
        for nan in nans {
            for name in ["add", "sub", "mul", "div", "min", "max"] {
                let text = format!("{float}.{name}");
                check_binary(&[(&text, nan, one, canonical), (&text, one, nan, canonical)]);
                check_binary(&[(&text, nan, nan, canonical)]);
            }
            for name in ["sqrt", "ceil", "floor", "trunc", "nearest"] {
                check_unary(&[(&format!("{float}.{name}"), nan, canonical)]);
            }
            for (name, result) in [("eq", 0), ("ne", 1), ("lt", 0), ("gt", 0), ("le", 0), ("ge", 0)] {
                let text = format!("{float}.{name}");
                check_binary(&[(&text, nan, one, result), (&text, one, nan, result)]);
                check_binary(&[(&text, nan, nan, result)]);
            }
        }
    }
    for nan in NANS_32 {
        check_unary(&[("f64.promote_f32", nan, 0x7FF8_0000_0000_0000)]);
    }
    for nan in NANS_64 {
        check_unary(&[("f32.demote_f64", nan, 0x7FC0_0000)]);
    }
}

#[test]
fn operations_without_a_number_give_the_positive_canonical_nan() {
    check_binary(&[
        ("f32.add", 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000),
        ("f32.sub", 0x7F80_0000, 0x7F80_0000, 0x7FC0_0000),
        ("f32.mul", 0, 0xFF80_0000, 0x7FC0_0000),
        ("f32.div", 0x8000_0000, 0, 0x7FC0_0000),
        ("f32.div", 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000),
        ("f64.add", 0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0000),
        ("f64.sub", 0xFFF0_0000_0000_0000, 0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0000),
        ("f64.mul", 0x7FF0_0000_0000_0000, 0x8000_0000_0000_0000, 0x7FF8_0000_0000_0000),
        ("f64.div", 0, 0, 0x7FF8_0000_0000_0000),
    ]);
    check_unary(&[
        ("f32.sqrt", 0xBF80_0000, 0x7FC0_0000),
        ("f32.sqrt", 0xFF80_0000, 0x7FC0_0000),
        ("f64.sqrt", 0xBFF0_0000_0000_0000, 0x7FF8_0000_0000_0000),
        ("f32.sqrt", 0x8000_0000, 0x8000_0000),
        ("f64.sqrt", 0x8000_0000_0000_0000, 0x8000_0000_0000_0000),
    ]);
}

#[test]
fn operators_that_move_bits_keep_those_of_a_nan() {
    for nan in NANS_32 {
        let (clear, set) = (nan & 0x7FFF_FFFF, nan | 0x8000_0000);
        check_unary(&[
            ("f32.abs", nan, clear),
            ("f32.neg", nan, nan ^ 0x8000_0000),
            ("i32.reinterpret_f32", nan, nan),
            ("f32.reinterpret_i32", nan, nan),
        ]);
        check_binary(&[("f32.copysign", nan, 0x8000_0000, set), ("f32.copysign", nan, 0x7FC0_0000, clear)]);
    }
    for nan in NANS_64 {
        let (clear, set) = (nan & 0x7FFF_FFFF_FFFF_FFFF, nan | 0x8000_0000_0000_0000);
        check_unary(&[
            ("f64.abs", nan, clear),
            ("f64.neg", nan, nan ^ 0x8000_0000_0000_0000),
            ("i64.reinterpret_f64", nan, nan),
            ("f64.reinterpret_i64", nan, nan),
        ]);
        check_binary(&[("f64.copysign", nan, 0xFFF0_0000_0000_0001, set), ("f64.copysign", nan, 0, clear)]);
    }
}

#[test]
fn zeros_are_equal_but_minimum_and_maximum_know_their_sign() {
    const PLUS: u64 = 0;
    const MINUS_32: u64 = 0x8000_0000;
    const MINUS_64: u64 = 0x8000_0000_0000_0000;
    check_binary(&[
        ("f32.eq", PLUS, MINUS_32, 1),
        ("f32.lt", MINUS_32, PLUS, 0),
        ("f32.ge", MINUS_32, PLUS, 1),
        ("f32.min", PLUS, MINUS_32, MINUS_32),
        ("f32.min", MINUS_32, PLUS, MINUS_32),
        ("f32.max", PLUS, MINUS_32, PLUS),
        ("f32.max", MINUS_32, PLUS, PLUS),
        ("f32.max", MINUS_32, MINUS_32, MINUS_32),
        ("f32.add", MINUS_32, PLUS, PLUS),
        ("f32.add", MINUS_32, MINUS_32, MINUS_32),
        ("f32.sub", PLUS, PLUS, PLUS),
        ("f32.mul", MINUS_32, PLUS, MINUS_32),
        ("f64.eq", PLUS, MINUS_64, 1),
        ("f64.min", PLUS, MINUS_64, MINUS_64),
        ("f64.min", MINUS_64, PLUS, MINUS_64),
        ("f64.max", PLUS, MINUS_64, PLUS),
        ("f64.max", MINUS_64, PLUS, PLUS),
        ("f64.add", MINUS_64, PLUS, PLUS),
        ("f64.sub", MINUS_64, PLUS, MINUS_64),
    ]);
}

#[test]
fn float_arithmetic_rounds_to_nearest_even() {
    check_binary(&[
        // 2^24 + 1 lies halfway and goes to the even neighbour below, 2^24 + 3 to the one above.
        ("f32.add", 0x4B80_0000, 0x3F80_0000, 0x4B80_0000),
        ("f32.add", 0x4B80_0001, 0x3F80_0000, 0x4B80_0002),
        ("f32.sub", 0x3F80_0000, 0x3300_0000, 0x3F80_0000),
        ("f32.mul", 0x7F7F_FFFF, 0x4000_0000, 0x7F80_0000),
        ("f32.mul", 0x0000_0001, 0x3F00_0000, 0),
        ("f32.mul", 0x0000_0003, 0x3F00_0000, 0x0000_0002),
        ("f32.div", 0x3F80_0000, 0x4040_0000, 0x3EAA_AAAB),
        ("f32.div", 0x3F80_0000, 0x8000_0000, 0xFF80_0000),
        ("f64.add", 0x4340_0000_0000_0000, 0x3FF0_0000_0000_0000, 0x4340_0000_0000_0000),
        ("f64.add", 0x4340_0000_0000_0001, 0x3FF0_0000_0000_0000, 0x4340_0000_0000_0002),
        ("f64.add", 0x3FB9_9999_9999_999A, 0x3FC9_9999_9999_999A, 0x3FD3_3333_3333_3334),
        ("f64.sub", 0x0010_0000_0000_0000, 0x0000_0000_0000_0001, 0x000F_FFFF_FFFF_FFFF),
        ("f64.mul", 0x7FEF_FFFF_FFFF_FFFF, 0x4000_0000_0000_0000, 0x7FF0_0000_0000_0000),
        ("f64.mul", 0x0000_0000_0000_0001, 0x3FE0_0000_0000_0000, 0),
        ("f64.div", 0x3FF0_0000_0000_0000, 0x4008_0000_0000_0000, 0x3FD5_5555_5555_5555),
        ("f64.div", 0xBFF0_0000_0000_0000, 0, 0xFFF0_0000_0000_0000),
    ]);
    check_unary(&[
        ("f32.sqrt", 0x4000_0000, 0x3FB5_04F3),
        ("f32.sqrt", 0x7F80_0000, 0x7F80_0000),
        ("f64.sqrt", 0x4000_0000_0000_0000, 0x3FF6_A09E_667F_3BCD),
    ]);
}

#[test]
fn rounding_keeps_the_sign_of_zero_and_breaks_ties_to_even() {
    check_unary(&[
        ("f32.ceil", 0xBF00_0000, 0x8000_0000),
        ("f32.ceil", 0x3F00_0000, 0x3F80_0000),
        ("f32.floor", 0xBF00_0000, 0xBF80_0000),
        ("f32.floor", 0x3F00_0000, 0),
        ("f32.trunc", 0xBFC0_0000, 0xBF80_0000),
        ("f32.trunc", 0xBF40_0000, 0x8000_0000),
        ("f32.nearest", 0x3F00_0000, 0),
        ("f32.nearest", 0xBF00_0000, 0x8000_0000),
        ("f32.nearest", 0x3FC0_0000, 0x4000_0000),
        ("f32.nearest", 0x4020_0000, 0x4000_0000),
        ("f32.nearest", 0x3EFF_FFFF, 0),
        ("f32.nearest", 0x4B7F_FFFF, 0x4B7F_FFFF),
        ("f32.nearest", 0x4AFF_FFFF, 0x4B00_0000),
        ("f32.nearest", 0xFF80_0000, 0xFF80_0000),
        ("f64.ceil", 0xBFE0_0000_0000_0000, 0x8000_0000_0000_0000),
        ("f64.floor", 0x8000_0000_0000_0001, 0xBFF0_0000_0000_0000),
        ("f64.trunc", 0xBFEF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000),
        ("f64.nearest", 0x3FE0_0000_0000_0000, 0),
        ("f64.nearest", 0xC004_0000_0000_0000, 0xC000_0000_0000_0000),
        ("f64.nearest", 0xC00C_0000_0000_0000, 0xC010_0000_0000_0000),
        ("f64.nearest", 0x3FDF_FFFF_FFFF_FFFF, 0),
    ]);
}

#[test]
fn floats_change_width() {
    check_unary(&[
        ("f64.promote_f32", 0x0000_0001, 0x36A0_0000_0000_0000),
        ("f64.promote_f32", 0x8000_0000, 0x8000_0000_0000_0000),
        ("f64.promote_f32", 0xFF80_0000, 0xFFF0_0000_0000_0000),
        ("f32.demote_f64", 0x0000_0000_0000_0001, 0),
        ("f32.demote_f64", 0x8000_0000_0000_0001, 0x8000_0000),
        ("f32.demote_f64", 0x3690_0000_0000_0000, 0),
        ("f32.demote_f64", 0x3690_0000_0000_0001, 1),
        ("f32.demote_f64", 0x47EF_FFFF_EFFF_FFFF, 0x7F7F_FFFF),
        ("f32.demote_f64", 0x47EF_FFFF_F000_0000, 0x7F80_0000),
        ("f32.demote_f64", 0x3FF0_0000_1000_0000, 0x3F80_0000),
        ("f32.demote_f64", 0x3FF0_0000_3000_0000, 0x3F80_0002),
    ]);
}

#[test]
fn integers_become_floats_rounded_once() {
    check_unary(&[
        ("f32.convert_i32_s", 0xFFFF_FFFF, 0xBF80_0000),
        ("f32.convert_i32_s", 0x0100_0001, 0x4B80_0000),
        ("f32.convert_i32_s", 0x7FFF_FFFF, 0x4F00_0000),
        ("f32.convert_i32_u", 0xFFFF_FFFF, 0x4F80_0000),
        ("f32.convert_i64_s", 0x8000_0000_0000_0000, 0xDF00_0000),
        ("f32.convert_i64_u", 0xFFFF_FFFF_FFFF_FFFF, 0x5F80_0000),
        // Through an f64 this would be a tie, and lose its last bit.
        ("f32.convert_i64_u", 0x8000_0080_0000_0001, 0x5F00_0001),
        ("f32.convert_i64_s", 0x4000_0040_0000_0001, 0x5E80_0001),
        ("f64.convert_i32_s", 0x8000_0000, 0xC1E0_0000_0000_0000),
        ("f64.convert_i32_u", 0x8000_0000, 0x41E0_0000_0000_0000),
        ("f64.convert_i64_s", 0xFFFF_FFFF_FFFF_FFFF, 0xBFF0_0000_0000_0000),
        ("f64.convert_i64_s", 0x0020_0000_0000_0001, 0x4340_0000_0000_0000),
        ("f64.convert_i64_u", 0xFFFF_FFFF_FFFF_FFFF, 0x43F0_0000_0000_0000),
        ("f64.convert_i64_u", 0x8000_0000_0000_0400, 0x43E0_0000_0000_0000),
        ("f64.convert_i64_u", 0x8000_0000_0000_0401, 0x43E0_0000_0000_0001),
    ]);
}

#[test]
fn truncation_reaches_the_limits_of_the_integer() {
    check_unary(&[
        ("i32.trunc_f32_s", 0x4EFF_FFFF, 0x7FFF_FF80),
        ("i32.trunc_f32_s", 0xCF00_0000, 0x8000_0000),
        ("i32.trunc_f32_s", 0xBF7F_FFFF, 0),
        ("i32.trunc_f32_u", 0x4F7F_FFFF, 0xFFFF_FF00),
        ("i32.trunc_f32_u", 0xBF7F_FFFF, 0),
        ("i32.trunc_f64_s", 0x41DF_FFFF_FFFF_FFFF, 0x7FFF_FFFF),
        ("i32.trunc_f64_s", 0xC1E0_0000_001F_FFFF, 0x8000_0000),
        ("i32.trunc_f64_u", 0x41EF_FFFF_FFFF_FFFF, 0xFFFF_FFFF),
        ("i32.trunc_f64_u", 0xBFEF_FFFF_FFFF_FFFF, 0),
        ("i64.trunc_f32_s", 0x5EFF_FFFF, 0x7FFF_FF80_0000_0000),
        ("i64.trunc_f32_s", 0xDF00_0000, 0x8000_0000_0000_0000),
        ("i64.trunc_f32_u", 0x5F7F_FFFF, 0xFFFF_FF00_0000_0000),
        ("i64.trunc_f64_s", 0x43DF_FFFF_FFFF_FFFF, 0x7FFF_FFFF_FFFF_FC00),
        ("i64.trunc_f64_s", 0xC3E0_0000_0000_0000, 0x8000_0000_0000_0000),
        ("i64.trunc_f64_u", 0x43EF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_F800),
        ("i64.trunc_f64_u", 0x8000_0000_0000_0000, 0),
    ]);
}

#[test]
fn truncation_beyond_the_limits_of_the_integer_traps() {
    check_traps(&[
        ("i32.trunc_f32_s", &[0x4F00_0000], IntegerOverflow),
        ("i32.trunc_f32_s", &[0xCF00_0001], IntegerOverflow),
        ("i32.trunc_f32_u", &[0x4F80_0000], IntegerOverflow),
        ("i32.trunc_f32_u", &[0xBF80_0000], IntegerOverflow),
        ("i32.trunc_f64_s", &[0x41E0_0000_0000_0000], IntegerOverflow),
        ("i32.trunc_f64_s", &[0xC1E0_0000_0020_0000], IntegerOverflow),
        ("i32.trunc_f64_u", &[0x41F0_0000_0000_0000], IntegerOverflow),
        ("i32.trunc_f64_u", &[0xBFF0_0000_0000_0000], IntegerOverflow),
        ("i64.trunc_f32_s", &[0x5F00_0000], IntegerOverflow),
        ("i64.trunc_f32_s", &[0xDF00_0001], IntegerOverflow),
        ("i64.trunc_f32_u", &[0x5F80_0000], IntegerOverflow),
        ("i64.trunc_f32_u", &[0xFF80_0000], IntegerOverflow),
        ("i64.trunc_f64_s", &[0x43E0_0000_0000_0000], IntegerOverflow),
        ("i64.trunc_f64_s", &[0xC3E0_0000_0000_0001], IntegerOverflow),
        ("i64.trunc_f64_u", &[0x43F0_0000_0000_0000], IntegerOverflow),
        ("i64.trunc_f64_u", &[0x7FF0_0000_0000_0000], IntegerOverflow),
    ]);
}

#[test]
fn truncation_of_nan_traps_or_saturates_to_zero() {
    for integer in ["i32", "i64"] {
        for (float, nans) in [("f32", NANS_32), ("f64", NANS_64)] {
            for sign in ["s", "u"] {
                for nan in nans {
                    let trapping = format!("{integer}.trunc_{float}_{sign}");
                    check_traps(&[(&trapping, &[nan], InvalidConversionToInteger)]);
                    check_unary(&[(&format!("{integer}.trunc_sat_{float}_{sign}"), nan, 0)]);
                }
            }
        }
    }
}

#[test]
fn saturating_truncation_stops_at_the_limits_of_the_integer() {
    check_unary(&[
        ("i32.trunc_sat_f32_s", 0x4F00_0000, 0x7FFF_FFFF),
        ("i32.trunc_sat_f32_s", 0xFF80_0000, 0x8000_0000),
        ("i32.trunc_sat_f32_s", 0xBFC0_0000, 0xFFFF_FFFF),
        ("i32.trunc_sat_f32_u", 0x7F80_0000, 0xFFFF_FFFF),
        ("i32.trunc_sat_f32_u", 0xBF80_0000, 0),
        ("i32.trunc_sat_f64_s", 0x41E0_0000_0000_0000, 0x7FFF_FFFF),
        ("i32.trunc_sat_f64_s", 0xC1E0_0000_0020_0000, 0x8000_0000),
        ("i32.trunc_sat_f64_u", 0x41F0_0000_0000_0000, 0xFFFF_FFFF),
        ("i32.trunc_sat_f64_u", 0xBFF0_0000_0000_0000, 0),
        ("i64.trunc_sat_f32_s", 0x5F00_0000, 0x7FFF_FFFF_FFFF_FFFF),
        ("i64.trunc_sat_f32_s", 0xDF00_0001, 0x8000_0000_0000_0000),
        ("i64.trunc_sat_f32_u", 0x5F80_0000, 0xFFFF_FFFF_FFFF_FFFF),
        ("i64.trunc_sat_f64_s", 0x7FF0_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF),
        ("i64.trunc_sat_f64_s", 0xFFF0_0000_0000_0000, 0x8000_0000_0000_0000),
        ("i64.trunc_sat_f64_u", 0x43F0_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF),
        ("i64.trunc_sat_f64_u", 0xC3F0_0000_0000_0000, 0),
    ]);
}

#[test]
fn wide_arithmetic_carries_into_the_high_half() {
    const ONES: u64 = 0xFFFF_FFFF_FFFF_FFFF;
    assert_eq!(add128(ONES, 0, 1, 0), (0, 1));
    assert_eq!(add128(ONES, ONES, 1, 0), (0, 0));
    assert_eq!(sub128(0, 1, 1, 0), (ONES, 0));
    assert_eq!(sub128(0, 0, 1, 0), (ONES, ONES));
    assert_eq!(mul_wide_s(ONES, ONES), (1, 0));
    assert_eq!(mul_wide_s(ONES, 2), (0xFFFF_FFFF_FFFF_FFFE, ONES));
    assert_eq!(mul_wide_u(ONES, ONES), (1, 0xFFFF_FFFF_FFFF_FFFE));
    assert_eq!(mul_wide_u(ONES, 2), (0xFFFF_FFFF_FFFF_FFFE, 1));
}

/// Loads from, or stores into, the first bytes of eight.
struct Access {
    bytes: [u8; 8],
    slot: u64,
}

impl AccessVisitor for Access {
    type Output = (usize, Access);

    fn load<const N: usize, R: Slot>(self, f: impl Fn([u8; N]) -> R + Copy + 'static) -> Self::Output {
        assert_eq!(size_of_val(&f), 0, "a meaning captures nothing");
        let slot = f(*self.bytes.first_chunk().unwrap()).to_slot();
        (N, Access { slot, ..self })
    }

    fn store<const N: usize, V: Slot>(mut self, f: impl Fn(V) -> [u8; N] + Copy + 'static) -> Self::Output {
        assert_eq!(size_of_val(&f), 0, "a meaning captures nothing");
        *self.bytes.first_chunk_mut().unwrap() = f(V::from_slot(self.slot));
        (N, self)
    }
}

#[test]
fn loads_extend_little_endian_bytes() {
    let bytes = [0x81, 0x92, 0xA3, 0xB4, 0xC5, 0xD6, 0xE7, 0xF8];
    for (load, expected) in [
        (Load::I32Load, 0xB4A3_9281),
        (Load::I64Load, 0xF8E7_D6C5_B4A3_9281),
        (Load::F32Load, 0xB4A3_9281),
        (Load::F64Load, 0xF8E7_D6C5_B4A3_9281),
        (Load::I32Load8S, 0xFFFF_FF81),
        (Load::I32Load8U, 0x81),
        (Load::I32Load16S, 0xFFFF_9281),
        (Load::I32Load16U, 0x9281),
        (Load::I64Load8S, 0xFFFF_FFFF_FFFF_FF81),
        (Load::I64Load8U, 0x81),
        (Load::I64Load16S, 0xFFFF_FFFF_FFFF_9281),
        (Load::I64Load16U, 0x9281),
        (Load::I64Load32S, 0xFFFF_FFFF_B4A3_9281),
        (Load::I64Load32U, 0xB4A3_9281),
    ] {
        let (width, access) = visit_load(load, Access { bytes, slot: 0 });
        assert_eq!(access.slot, expected, "{load:?}");
        assert_eq!(width as u32, load.width(), "{load:?}");
    }
}

#[test]
fn stores_write_the_low_bytes_first_and_no_others() {
    for (store, expected) in [
        (Store::I32Store, [4, 3, 2, 1, 9, 9, 9, 9]),
        (Store::I64Store, [4, 3, 2, 1, 8, 7, 6, 0xF5]),
        (Store::F32Store, [4, 3, 2, 1, 9, 9, 9, 9]),
        (Store::F64Store, [4, 3, 2, 1, 8, 7, 6, 0xF5]),
        (Store::I32Store8, [4, 9, 9, 9, 9, 9, 9, 9]),
        (Store::I32Store16, [4, 3, 9, 9, 9, 9, 9, 9]),
        (Store::I64Store8, [4, 9, 9, 9, 9, 9, 9, 9]),
        (Store::I64Store16, [4, 3, 9, 9, 9, 9, 9, 9]),
        (Store::I64Store32, [4, 3, 2, 1, 9, 9, 9, 9]),
    ] {
        let (width, access) = visit_store(store, Access { bytes: [9; 8], slot: 0xF506_0708_0102_0304 });
        assert_eq!(access.bytes, expected, "{store:?}");
        assert_eq!(width as u32, store.width(), "{store:?}");
    }
}

#[test]
fn slots_ignore_bits_beyond_their_type() {
    check_binary(&[
        ("i32.add", 0xAAAA_AAAA_0000_0001, 0xBBBB_BBBB_0000_0002, 3),
        ("i32.shr_s", 0x0000_0001_8000_0000, 0xFFFF_FFFF_0000_0001, 0xC000_0000),
        ("f32.add", 0xFFFF_FFFF_3F80_0000, 0xFFFF_FFFF_3F80_0000, 0x4000_0000),
    ]);
}
