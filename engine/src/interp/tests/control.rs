//! Blocks and branches.

use super::*;

#[test]
fn a_block_passes_parameters_and_results_through() {
    check_i32(
        "(module (func (export \"f\") (param i32) (result i32)
            (local.get 0) (i32.const 5)
            (block (param i32 i32) (result i32) (i32.sub))))",
        &[7],
        2,
    );
}

#[test]
fn a_branch_drops_what_is_below_its_values() {
    check(
        "(module (func (export \"f\") (result i32 i32 i32)
            (i32.const 1)
            (block (result i32 i32)
                (i32.const 90) (i32.const 91) (i32.const 2) (i32.const 3) (br 0))))",
        "f",
        &[],
        &[Val::I32(1), Val::I32(2), Val::I32(3)],
    );
}

#[test]
fn a_conditional_branch_leaves_its_values_when_it_is_not_taken() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (block (result i32) (i32.const 90) (i32.const 4) (br_if 0 (local.get 0)) (i32.add))))";
    check_i32(text, &[0], 94);
    check_i32(text, &[1], 4);
}

#[test]
fn a_loop_with_parameters_counts_and_multiplies() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (i32.const 1) (local.get 0)
        (loop (param i32 i32) (result i32)
            (local.set 0) (i32.mul (local.get 0))
            (i32.sub (local.get 0) (i32.const 1)) (local.tee 0)
            (br_if 0 (local.get 0)) (drop))))";
    check_i32(text, &[6], 720);
    check_i32(text, &[1], 1);
}

#[test]
fn a_branch_to_a_loop_drops_what_is_above_its_parameters() {
    check_i32(
        "(module (func (export \"f\") (param i32) (result i32)
            (i32.const 0)
            (loop (param i32) (result i32)
                (i32.add (local.get 0))
                (if (param i32) (result i32) (i32.eqz (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))
                    (then)
                    (else (local.set 0 (local.get 0)) (i64.const 1) (f64.const 2) (drop) (drop) (br 1))))))",
        &[4],
        10,
    );
}

#[test]
fn if_takes_the_arm_of_its_condition() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.const 10)) (else (i32.const 20)))))";
    check_i32(text, &[2], 10);
    check_i32(text, &[0], 20);
    let without_else = "(module (func (export \"f\") (param i32) (result i32)
        (i32.const 5) (local.get 0)
        (if (param i32) (result i32) (then (i32.const 1) (i32.add)))))";
    check_i32(without_else, &[1], 6);
    check_i32(without_else, &[0], 5);
}

#[test]
fn a_branch_table_chooses_by_index_and_carries_values() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (block (result i32)
            (i32.const 1000)
            (block (result i32)
                (block (result i32)
                    (i64.const 9) (i32.const 1) (local.get 0) (br_table 0 1 2 0))
                (i32.const 10) (i32.add))
            (i32.const 100) (i32.add)
            (i32.add))))";
    check_i32(text, &[0], 1111);
    check_i32(text, &[1], 1101);
    check_i32(text, &[2], 1);
    check_i32(text, &[3], 1111);
    check_i32(text, &[-1], 1111);
}

#[test]
fn branches_to_the_function_return() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (i32.const 50) (i32.const 7) (br_if 0 (local.get 0)) (drop)
        (drop (block (result i32) (br_table 0 1 0 (i32.const 8) (i32.const 1))))
        (unreachable)))";
    check_i32(text, &[1], 7);
    check_i32(text, &[0], 8);
}

#[test]
fn code_behind_a_branch_is_passed_over() {
    check_i32(
        "(module (func (export \"f\") (result i32)
            (block (result i32)
                (br 0 (i32.const 3))
                (if (result i32) (i32.const 1) (then (br 1 (i32.const 4))) (else (i32.add (unreachable))))
                (drop) (loop (br 0)) (block (br_table 0 0 0 (i32.const 0))) (br_if 0 (i32.const 2) (i32.const 1)))))",
        &[],
        3,
    );
}

#[test]
fn unreachable_traps_at_its_opcode() {
    let mut world = World::new("(module (func (export \"f\") (block (nop) (unreachable))))");
    let trap = world.trap("f", &[]);
    assert_eq!(trap.kind(), TrapKind::Unreachable);
    assert_eq!(trap.site(), Some(world.find(&[0x01, 0x00, 0x0b, 0x0b]) + 1));
}

#[test]
fn blocks_may_be_nested_very_deeply() {
    let depth = 20_000;
    let text = format!(
        "(module (func (export \"f\") (result i32) {} (br {} (i32.const 1)) {}))",
        "block (result i32) ".repeat(depth),
        depth / 2,
        "end (i32.add (i32.const 1)) ".repeat(depth),
    );
    check_i32(&text, &[], 1 + (depth / 2) as i32);
}

#[test]
fn a_branch_table_may_be_very_long() {
    let text = format!(
        "(module (func (export \"f\") (param i32) (result i32)
            (block (block (local.get 0) (br_table {} 0)) (return (i32.const 5))) (i32.const 6)))",
        "0 1 ".repeat(30_000)
    );
    check_i32(&text, &[59_999], 6);
    check_i32(&text, &[59_998], 5);
    check_i32(&text, &[60_000], 5);
}

#[test]
fn branches_on_null_take_or_leave_the_reference() {
    let text = "(module (type $t (func (result i32))) (elem declare func $seven)
        (func $seven (type $t) (i32.const 7))
        (func (export \"f\") (param i32) (result i32)
            (block $null
                (block $found (result (ref $t))
                    (i32.const 30)
                    (br_on_null $null (if (result (ref null $t)) (local.get 0)
                        (then (ref.func $seven)) (else (ref.null $t))))
                    (br_on_non_null $found)
                    (unreachable))
                (return (call_ref $t)))
            (i32.const 0)))";
    check_i32(text, &[1], 7);
    check_i32(text, &[0], 0);
    check_i32(
        "(module (type $t (func)) (func (export \"f\") (result i32)
            (block (result (ref $t)) (ref.null $t) (br_on_non_null 0) (return (i32.const 3)))
            (drop) (i32.const 4)))",
        &[],
        3,
    );
}

#[test]
fn select_chooses_for_every_type() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (select (i32.const 1) (i32.const 2) (local.get 0))
        (select (result i64) (i64.const 10) (i64.const 20) (local.get 0)) (i32.wrap_i64)
        (select (result (ref null func)) (ref.null func) (ref.func 0) (local.get 0)) (ref.is_null)
        (i32.add) (i32.add)) (elem declare func 0))";
    check_i32(text, &[1], 12);
    check_i32(text, &[0], 22);
}
