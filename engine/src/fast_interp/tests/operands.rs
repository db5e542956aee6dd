//! Operands: where they are, and that they keep their values.

use super::*;

#[test]
fn an_operand_keeps_the_value_its_local_had() {
    check_i32(
        "(func (export \"f\") (param i32) (result i32 i32 i32)
            (local.get 0) (local.get 0) (local.set 0 (i32.const 9)) (local.get 0))",
        &[4],
        &[4, 4, 9],
    );
    check_i32(
        "(func (export \"f\") (param i32) (result i32)
            (local.get 0) (local.set 0 (i32.add (local.get 0) (i32.const 1))) (i32.mul (local.get 0)))",
        &[4],
        &[20],
    );
}

#[test]
fn an_operand_keeps_its_value_across_a_block_that_may_change_its_local() {
    let fields = "(func (export \"f\") (param i32) (result i32)
        (local.get 0)
        (block (br_if 0 (i32.eqz (local.get 0))) (local.set 0 (i32.const 100)))
        (i32.add (local.get 0)))";
    check_i32(fields, &[5], &[105]);
    check_i32(fields, &[0], &[0]);
}

#[test]
fn a_loop_that_changes_a_local_leaves_operands_below_alone() {
    check_i32(
        "(func (export \"f\") (param i32) (result i32)
            (local.get 0)
            (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (i32.add (local.get 0)))",
        &[5],
        &[5],
    );
}

#[test]
fn swapped_locals_swap() {
    check_i32(
        "(func (export \"f\") (param i32 i32) (result i32 i32)
            (local.get 0) (local.get 1) (local.set 0) (local.set 1) (local.get 0) (local.get 1))",
        &[1, 2],
        &[2, 1],
    );
}

#[test]
fn a_value_below_survives_a_chain_through_the_accumulator() {
    check_i32(
        "(func (export \"f\") (param i32 i32) (result i32)
            (i32.mul (i32.add (local.get 0) (i32.const 1))
                     (i32.sub (i32.xor (local.get 1) (i32.const 3)) (i32.add (local.get 0) (local.get 1)))))",
        &[10, 4],
        &[11 * ((4 ^ 3) - 14)],
    );
}

#[test]
fn a_parameter_of_both_arms_is_in_its_slot_for_the_second() {
    let fields = "(func (export \"f\") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 1))
        (i32.eqz (local.get 0))
        (if (param i32) (result i32) (then (i32.add (i32.const 10))) (else (i32.mul (i32.const 2)))))";
    check_i32(fields, &[0], &[11]);
    check_i32(fields, &[3], &[8]);
}

#[test]
fn floats_and_integers_have_accumulators_of_their_own() {
    check(
        "(func (export \"f\") (param f64 i32 f32) (result f64)
            (f64.add (f64.mul (local.get 0) (f64.const 2))
                (f64.add (f64.convert_i32_s (i32.add (local.get 1) (i32.const 1)))
                    (f64.promote_f32 (f32.mul (local.get 2) (local.get 2))))))",
        &[Val::F64(1.5f64.to_bits()), Val::I32(6), Val::F32(0.5f32.to_bits())],
        &[Val::F64(10.25f64.to_bits())],
    );
}

#[test]
fn a_signalling_nan_passes_through_moves_unchanged() {
    let bits = 0x7FF0_0000_0000_0001;
    check(
        "(memory 1)
        (func (export \"f\") (param f64) (result f64) (local f64 f64)
            (f64.store (i32.const 8) (local.get 0))
            (local.set 1 (f64.load (i32.const 8)))
            (local.set 2 (f64.neg (f64.neg (local.get 1))))
            (select (local.get 2) (f64.const 0) (i32.const 1)))",
        &[Val::F64(bits)],
        &[Val::F64(bits)],
    );
}

#[test]
fn wide_constants_are_immediates_on_either_side() {
    let big = 0x0123_4567_89AB_CDEFi64;
    let fields = |body: &str| format!("(func (export \"f\") (param i64) (result i64) {body})");
    let constant = "(i64.const 0x0123456789ABCDEF)";
    check(&fields(&format!("(i64.sub (local.get 0) {constant})")), &[Val::I64(5)], &[Val::I64(5 - big)]);
    check(&fields(&format!("(i64.sub {constant} (local.get 0))")), &[Val::I64(5)], &[Val::I64(big - 5)]);
    check(&fields(&format!("(i64.sub {constant} (i64.const -1))")), &[Val::I64(0)], &[Val::I64(big + 1)]);
}

#[test]
fn loads_and_stores_find_their_bytes() {
    check_i32(
        "(memory 1) (data (i32.const 0) \"\\01\\02\\03\\84\\05\\06\\07\\08\")
        (func (export \"f\") (param i32) (result i32 i32 i32 i32)
            (i32.load8_s offset=2 (i32.add (local.get 0) (i32.const 1)))
            (i32.load16_u (local.get 0))
            (i32.store16 offset=10 (local.get 0) (i32.const 0xFFFF1234))
            (i32.load (i32.const 10))
            (i32.store8 (i32.add (local.get 0) (i32.const 20)) (i32.add (local.get 0) (i32.const 0x1FF)))
            (i32.load offset=20 (local.get 0)))",
        &[0],
        &[-124, 0x0201, 0x1234, 0xFF],
    );
}

#[test]
fn an_access_beyond_the_end_traps_at_its_opcode() {
    let text = "(memory 1) (func (export \"f\") (param i32) (drop (i64.load offset=4 (local.get 0))))";
    check_i32(text, &[65536 - 12], &[]);
    for address in [65536 - 11, -1, -5] {
        let trap = check_trap(text, &[Val::I32(address)], TrapKind::MemoryOutOfBounds);
        assert_eq!(trap.site(), offsets(&format!("(module {text})"), &[0x29, 3, 4]).pop());
    }
    check_trap(
        "(memory 1) (func (export \"f\") (i32.store8 offset=0xFFFFFFFF (i32.const -1) (i32.const 0)))",
        &[],
        TrapKind::MemoryOutOfBounds,
    );
}

#[test]
fn other_memories_and_other_index_types_are_reached() {
    check(
        "(memory 1) (memory $wide i64 1 3)
        (func (export \"f\") (param i64) (result i64 i64 i64)
            (i64.store $wide offset=8 (local.get 0) (i64.const 77))
            (i64.load $wide (i64.add (local.get 0) (i64.const 8)))
            (memory.grow $wide (i64.const 2))
            (memory.grow $wide (i64.const 1)))",
        &[Val::I64(100)],
        &[Val::I64(77), Val::I64(1), Val::I64(-1)],
    );
    check_trap(
        "(memory i64 1) (func (export \"f\") (drop (i32.load offset=8 (i64.const -4))))",
        &[],
        TrapKind::MemoryOutOfBounds,
    );
}

#[test]
fn memory_that_grew_is_seen_at_once_and_where_it_went() {
    let text = "(module (memory 1 3) (func $grow (drop (memory.grow (i32.const 1))))
        (func (export \"f\") (result i32 i32)
            (i32.store (i32.const 65532) (i32.const 11))
            (drop (memory.grow (i32.const 1)))
            (i32.store (i32.const 65536) (i32.const 22))
            (call $grow)
            (i32.store (i32.const 131072) (i32.const 33))
            (i32.load (i32.const 65532))
            (i32.add (i32.load (i32.const 65536)) (i32.load (i32.const 131072)))))";
    for moves in [false, true] {
        let results = run_with(&config().moving_memory(moves), text, &[]);
        assert_eq!(results, Ok(vec![Val::I32(11), Val::I32(55)]));
    }
}

#[test]
fn bulk_operations_check_first() {
    let fields = "(memory 1) (data $d \"abcd\")
        (func (export \"f\") (param i32) (result i32)
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 4))
            (memory.init $d (i32.const 4) (i32.const 1) (i32.const 3))
            (memory.copy (i32.const 2) (i32.const 3) (local.get 0))
            (data.drop $d)
            (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))
            (i32.load (i32.const 2)))";
    check_i32(fields, &[4], &[i32::from_le_bytes(*b"\x01bcd")]);
    check_trap(fields, &[Val::I32(65534)], TrapKind::MemoryOutOfBounds);
}

#[test]
fn tables_hold_references() {
    check_i32(
        "(table $t 2 10 funcref) (elem $e func $a $b) (func $a (result i32) (i32.const 1))
        (func $b (result i32) (i32.const 2))
        (func (export \"f\") (result i32 i32 i32 i32)
            (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))
            (table.grow $t (table.get $t (i32.const 1)) (i32.const 2))
            (call_indirect $t (result i32) (i32.const 3))
            (table.fill $t (i32.const 0) (ref.null func) (i32.const 2))
            (table.copy $t $t (i32.const 1) (i32.const 2) (i32.const 1))
            (ref.is_null (table.get $t (i32.const 0)))
            (table.size $t))",
        &[],
        &[2, 2, 1, 4],
    );
    check_trap(
        "(table 1 funcref) (func (export \"f\") (drop (table.get (i32.const 1))))",
        &[],
        TrapKind::TableOutOfBounds,
    );
}

#[test]
fn pairs_are_added_and_multiplied() {
    check(
        "(func (export \"f\") (param i64) (result i64 i64 i64 i64)
            (i64.add128 (local.get 0) (i64.const 1) (i64.const 1) (i64.const 1))
            (i64.mul_wide_u (local.get 0) (local.get 0)))",
        &[Val::I64(-1)],
        &[Val::I64(0), Val::I64(3), Val::I64(1), Val::I64(-2)],
    );
}

#[test]
fn divisions_trap() {
    let fields = |body: &str| format!("(func (export \"f\") (param i32 i32) (result i32) {body})");
    let division = fields("(i32.div_s (local.get 0) (local.get 1))");
    check_i32(&division, &[-7, 2], &[-3]);
    check_trap(&division, &[Val::I32(1), Val::I32(0)], TrapKind::IntegerDivideByZero);
    check_trap(&division, &[Val::I32(i32::MIN), Val::I32(-1)], TrapKind::IntegerOverflow);
    let constant = fields("(i32.rem_u (local.get 0) (i32.const 0))");
    check_trap(&constant, &[Val::I32(1), Val::I32(0)], TrapKind::IntegerDivideByZero);
    check_trap(
        "(func (export \"f\") (param f32) (result i32) (i32.trunc_f32_s (local.get 0)))",
        &[Val::F32(f32::NAN.to_bits())],
        TrapKind::InvalidConversionToInteger,
    );
}

#[test]
fn a_function_may_have_the_most_locals_and_more_operands_than_fields_can_name() {
    let locals = "i32 ".repeat(49_999);
    let constants = "(i32.add (local.get 0) (local.get 49999)) ".repeat(20_000);
    let additions = "i32.add ".repeat(19_999);
    let fields = format!(
        "(func (export \"f\") (param i32) (result i32) (local {locals})
            (local.set 49999 (i32.const 1))
            {constants} {additions}
            (if (param i32) (result i32) (i32.gt_s (local.get 0) (i32.const 0))
                (then (i32.sub (local.get 49999))) (else (call $g))))
        (func $g (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))"
    );
    check_i32(&fields, &[3], &[79_999]);
    check_i32(&fields, &[-3], &[-80_000]);
}

#[test]
fn operands_beyond_near_slots_reach_every_kind_of_instruction() {
    let fields = format!(
        "(memory 1) (table 1 funcref) (elem (i32.const 0) $g) (global $global (mut i32) (i32.const 0))
        (type $t (func (param i32 i32) (result i32 i32)))
        (func $g (type $t) (i32.sub (local.get 0) (local.get 1)) (local.get 0))
        (func (export \"f\") (param i32) (result i32) (local {})
            {}
            (i32.store (i32.const 16) (i32.add (local.get 0) (i32.const 1)))
            (i32.load (i32.add (local.get 0) (i32.const 16)))
            (global.set $global (i32.mul (i32.const 3)))
            (global.get $global) (i32.const 2)
            (call_indirect (type $t) (i32.eqz (i32.const 1)))
            (select (i32.add (local.get 0) (i32.const 1)) (i32.const 5))
            (block (param i32 i32) (result i32) (br_if 0 (i32.eqz (local.get 0))) i32.add)
            {}
            (br_table 0 0 (i32.const 0)))",
        "i32 ".repeat(49_000),
        "(i32.add (local.get 0) (i32.const 1)) ".repeat(18_000),
        "(i32.add) ".repeat(18_000),
    );
    // The call leaves 1 and 3, the selection 3 in place of the latter, and the branch drops the 1 below.
    check_i32(&fields, &[0], &[18_000 + 3]);
}
