//! What code looks like: that the instructions which should disappear do.

use super::*;
use crate::executor::Executor;
use crate::fast_interp::FastInterp;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use std::sync::Arc;

/// The register code of the first function, a line an instruction.
fn lower(fields: &str) -> Vec<String> {
    let bytes = assemble(&format!("(module {fields})"));
    let module = Arc::new(ModuleInner::decode(bytes.into(), Engine::new(&config()).types()).expect("valid"));
    let lines = FastInterp.explain(&module, &Settings::default(), DefinedFuncIndex(0));
    lines.iter().map(|line| line.text.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn check_code(fields: &str, expected: &[&str]) {
    assert_eq!(lower(fields), expected);
}

#[test]
fn locals_and_constants_are_operands() {
    check_code(
        "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))",
        &["i32.add s0 <- l0, 0x1", "return acc"],
    );
}

#[test]
fn a_result_goes_straight_into_its_local() {
    check_code(
        "(func (param i32 i32) (local.set 1 (i32.mul (local.get 0) (local.get 1))))",
        &["i32.mul l1 <- l0, l1", "return"],
    );
}

#[test]
fn a_comparison_becomes_part_of_its_branch() {
    check_code(
        "(func (param i32) (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9)))))",
        &["i32.add l0 <- l0, 0x1", "branch if i32.lt_u acc, 0x9, -> 0", "return"],
    );
    check_code(
        "(func (param i64) (block (br_if 0 (i32.eqz (i64.eqz (local.get 0)))) (unreachable)))",
        &["branch unless i64.eqz l0, -> 4", "unreachable", "return"],
    );
}

#[test]
fn a_local_that_changes_is_copied_for_those_who_mean_its_old_value() {
    check_code(
        "(func (param i32) (result i32) (local.get 0) (local.set 0 (i32.const 5)))",
        &["copy s0 <- l0", "const l0 <- 0x5", "return s0"],
    );
}

#[test]
fn arguments_are_copied_together() {
    check_code(
        "(func (param i32 i32) (call 0 (local.get 1) (local.get 0)))",
        &["copy.2 s0 <- l1, l0", "call s0, 0x0", "return"],
    );
}

#[test]
fn a_vector_is_copied_and_returned_as_two_slots() {
    check_code(
        "(func (param v128 i32 v128) (result v128) (local.get 2))",
        &["copy.span s0, l3, 0x2", "return 0x200000007"],
    );
    check_code(
        "(func (param v128 v128) (result v128) (local.get 0) (local.set 0 (local.get 1)))",
        &["copy.span s0, l0, 0x2", "copy.span l0, l2, 0x2", "return 0x200000006"],
    );
}

#[test]
fn arguments_after_a_vector_lie_two_slots_further() {
    check_code(
        "(func (param v128 i32 v128) (call 0 (local.get 2) (local.get 1) (local.get 0)))",
        &["copy.span s0, l3, 0x2", "copy s2 <- l2", "copy.span s3, l0, 0x2", "call s0, 0x0", "return"],
    );
}

#[test]
fn a_branch_takes_vectors_to_the_slots_of_its_label() {
    check_code(
        "(func (param v128 i32) (local v128)
            (local.get 1)
            (block (result v128) (local.get 1) (br_if 0 (local.get 0) (local.get 1)) (drop) (drop) (local.get 2))
            (local.set 2) (drop))",
        &[
            "copy s0 <- l2",
            "branch if i32.eqz l2, -> 9",
            "copy.span s1, l0, 0x2",
            "jump -> 12",
            "copy.span s1, l3, 0x2",
            "copy.span l3, s1, 0x2",
            "return",
        ],
    );
}
