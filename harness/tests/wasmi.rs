//! The outside judge: wasmi runs what our modes run, and differs where it is at fault only.

#![cfg(feature = "wasmi")]

mod judged;

use crosscheck::case::Value;
use crosscheck::compare::Verdict;
use crosscheck::observe::Outcome;
use crosscheck::subject::WasmiSubject;
use crosscheck_engine::TrapKind;
use judged::{agreed_at_last, case, i32, run, trap};

/// What wasmi's last action showed, where all agree.
fn agreed(modules: &[(&str, &str)], calls: &[(&str, &[Value])]) -> Outcome {
    agreed_at_last(&WasmiSubject, modules, calls)
}

#[test]
fn generated_cases_agree() {
    // An assertion of wasmi's translator about its own stack, in builds that have assertions. In case 268 a global has
    // another value in wasmi than in all modes.
    let known = ["a register operand already exists on the stack"];
    let (returned, shown) = judged::generated_cases_agree(&WasmiSubject, 268, &known);
    assert!(returned > 700, "{returned} actions returned");
    assert!(shown > 2_500, "{shown} exported entities were compared");
}

#[test]
fn imports_of_one_name_are_told_apart_by_their_index() {
    let wat = r#"(module
        (import "h" "x" (global $g (mut i64)))
        (import "h" "x" (func $f (param i32) (result i32)))
        (import "h" "x" (func $k (param f64) (result i32)))
        (import "h" "x" (memory 1 2))
        (export "g" (global $g))
        (func (export "both") (result i32 i32) (call $f (i32.const 1)) (call $k (f64.const 1))))"#;
    assert!(matches!(agreed(&[("m", wat)], &[("both", &[])]), Outcome::Values(values) if values.len() == 2));
}

#[test]
fn memories_grow_to_the_limit_of_the_case() {
    judged::memories_grow_to_the_limit(&WasmiSubject);
}

#[test]
fn a_failing_segment_traps_and_what_it_left_in_imports_is_compared() {
    judged::a_failing_segment_traps(&WasmiSubject);
}

#[test]
fn an_index_beyond_a_table_is_one_trap_in_wasmi() {
    let wat = r#"(module (table 1 funcref)
        (func (export "call") (param i32) (call_indirect (local.get 0))))"#;
    assert_eq!(agreed(&[("m", wat)], &[("call", &[i32(1)])]), trap(TrapKind::TableOutOfBounds));
    assert_eq!(agreed(&[("m", wat)], &[("call", &[i32(0)])]), trap(TrapKind::UninitializedElement));
}

#[test]
fn a_case_that_never_ends_is_judged_as_far_as_it_went() {
    judged::what_never_ends_runs_out_of_fuel(&WasmiSubject);
}

#[test]
fn the_judge_stands_alone_with_its_own_fault() {
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        (select (i32.const 10) (i32.const 20) (i32.eqz (local.get 0)))))"#;
    let Verdict::Diverge(divergence) = run(&case(&[("m", wat)], &[("f", &[i32(1)])]), &WasmiSubject).verdict
    else {
        panic!("wasmi 2.0.0 takes the wrong value");
    };
    assert_eq!(divergence.groups.last().expect("there are two groups"), &["wasmi"]);
    assert_eq!(
        [&divergence.first.left, &divergence.first.right].map(ToString::to_string),
        ["i32:0x14", "i32:0xa"]
    );
}
