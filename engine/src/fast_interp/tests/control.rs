//! Blocks, branches, and the values they carry.

use super::*;

#[test]
fn blocks_take_and_leave_values() {
    check_i32(
        "(func (export \"f\") (param i32) (result i32 i32)
            local.get 0 i32.const 5
            (block (param i32 i32) (result i32 i32) i32.add i32.const 7))",
        &[3],
        &[8, 7],
    );
}

#[test]
fn loops_take_values_back() {
    check_i32(
        "(func (export \"f\") (param i32) (result i32) (local $n i32) (local $sum i32)
            (i32.const 0) (local.get 0)
            (loop (param i32 i32) (result i32)
                (local.set $n) (local.set $sum)
                (i32.add (local.get $sum) (local.get $n))
                (local.tee $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if 0 (local.get $n))
                (drop)))",
        &[10],
        &[55],
    );
}

#[test]
fn both_arms_of_an_if_find_its_parameters() {
    let fields = "(func (export \"f\") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 10)) (local.get 0)
        (if (param i32) (result i32) (then (i32.mul (i32.const 2)))
            (else (i32.add (i32.const 1)) (i32.mul (i32.const 3)))))";
    check_i32(fields, &[5], &[30]);
    check_i32(fields, &[0], &[33]);
}

#[test]
fn an_if_without_else_leaves_its_parameters() {
    let fields = "(func (export \"f\") (param i32) (result i32)
        (i32.const 4) (local.get 0) (if (param i32) (result i32) (then (i32.add (i32.const 1)))))";
    check_i32(fields, &[1], &[5]);
    check_i32(fields, &[0], &[4]);
}

#[test]
fn a_conditional_branch_keeps_its_values_where_it_is_not_taken() {
    let fields = "(func (export \"f\") (param i32) (result i32)
        (block (result i32)
            (i32.const 1) (i32.mul (local.get 0) (i32.const 7)) (br_if 0 (i32.gt_s (local.get 0) (i32.const 2)))
            i32.add))";
    check_i32(fields, &[1], &[8]);
    check_i32(fields, &[3], &[21]);
}

#[test]
fn a_conditional_branch_out_of_the_function_returns() {
    let fields = "(func (export \"f\") (param i32) (result i32 i32)
        (local.get 0) (i32.const 2) (br_if 0 (local.get 0)) (drop) (drop) (i32.const 8) (i32.const 9))";
    check_i32(fields, &[1], &[1, 2]);
    check_i32(fields, &[0], &[8, 9]);
}

#[test]
fn a_table_of_branches_carries_values_to_labels_at_different_heights() {
    let fields = "(func (export \"f\") (param i32) (result i32)
        (i32.const 1000)
        (block (result i32)
            (i32.const 100)
            (block (result i32)
                (i32.const 10)
                (block (result i32) (i32.const 5) (br_table 0 1 2 3 (local.get 0)))
                i32.add)
            i32.add)
        i32.add)";
    check_i32(fields, &[0], &[1115]);
    check_i32(fields, &[1], &[1105]);
    check_i32(fields, &[2], &[1005]);
    check_i32(fields, &[3], &[5]);
    check_i32(fields, &[-1], &[5]);
}

#[test]
fn a_table_of_branches_can_be_long_and_lead_back() {
    let labels = "1 0 ".repeat(30_000);
    let fields = format!(
        "(func (export \"f\") (param i32) (result i32) (local i32)
            (block (loop
                (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                (local.set 0 (i32.add (local.get 0) (i32.const 59995)))
                (br_table {labels} 1 (local.get 0))))
            (local.get 1))"
    );
    check_i32(&fields, &[0], &[2]);
}

#[test]
fn comparisons_decide_branches_either_way() {
    for (comparison, expected) in [
        ("(i32.lt_s (local.get 0) (i32.const 5))", [1, 0, 1]),
        ("(i32.eqz (i32.lt_s (local.get 0) (i32.const 5)))", [0, 1, 0]),
        ("(i32.eqz (i32.eqz (i32.lt_s (local.get 0) (i32.const 5))))", [1, 0, 1]),
        ("(i32.and (local.get 0) (i32.const 4))", [0, 1, 1]),
        ("(i64.eqz (i64.extend_i32_s (local.get 0)))", [1, 0, 0]),
        ("(f64.le (f64.convert_i32_s (local.get 0)) (f64.const 2))", [1, 0, 1]),
        ("(i32.eqz (f64.le (f64.convert_i32_s (local.get 0)) (f64.const 2)))", [0, 1, 0]),
        ("(i32.gt_s (i32.const 5) (local.get 0))", [1, 0, 1]),
        ("(local.get 0)", [0, 1, 1]),
    ] {
        for (argument, expected) in [0, 7, -1].into_iter().zip(expected) {
            let shapes = [
                format!("(if (result i32) {comparison} (then (i32.const 1)) (else (i32.const 0)))"),
                format!("(block (br_if 0 {comparison}) (return (i32.const 0))) (i32.const 1)"),
                format!("(select (i32.const 1) (i32.const 0) {comparison})"),
                format!("(i32.ne (i32.const 0) {comparison})"),
            ];
            for shape in shapes {
                let fields = format!("(func (export \"f\") (param i32) (result i32) {shape})");
                check_i32(&fields, &[argument], &[expected]);
            }
        }
    }
}

#[test]
fn code_behind_a_branch_is_passed_over() {
    check_i32(
        "(func (export \"f\") (result i32)
            (block (br 0) (block (loop (if (i32.const 1) (then (br 2)) (else unreachable)))) (drop (i32.add)))
            (return (i32.const 3)) (block (result i32) (i32.const 1)) (drop) (i32.const 4))",
        &[],
        &[3],
    );
}

#[test]
fn blocks_can_be_nested_deeply() {
    let depth = 20_000;
    let fields = format!(
        "(func (export \"f\") (result i32) {} (br {}) {} (i32.const 9))",
        "block ".repeat(depth),
        depth - 1,
        "end ".repeat(depth)
    );
    check_i32(&fields, &[], &[9]);
}

#[test]
fn references_decide_branches() {
    let fields = "(type $t (func (result i32))) (elem declare func $g) (func $g (type $t) (i32.const 6))
        (func (export \"f\") (param i32) (result i32)
            (block $null
                (block $some (result (ref $t))
                    (br_on_non_null $some
                        (select (result (ref null $t)) (ref.func $g) (ref.null $t) (local.get 0)))
                    (br $null))
                (br_on_null $null)
                (return (i32.add (call_ref $t) (i32.const 1))))
            (i32.const 2))";
    check_i32(fields, &[1], &[7]);
    check_i32(fields, &[0], &[2]);
}
