//! Wasmtime's two compilers as judges: they run what our modes run, and agree.

#![cfg(feature = "wasmtime")]

mod judged;

use crosscheck::compare::Verdict;
use crosscheck::observe::Outcome;
use crosscheck::subject::{Subject, WasmtimeSubject};
use judged::{agreed_at_last, case, generated_cases_agree, run, values};

/// Both judges, one after the other.
fn both(check: impl Fn(&dyn Subject)) {
    check(&WasmtimeSubject::cranelift());
    check(&WasmtimeSubject::winch());
}

#[test]
fn generated_cases_agree_with_cranelift() {
    let (returned, shown) = generated_cases_agree(&WasmtimeSubject::cranelift(), 120, &[]);
    assert!(returned > 300, "{returned} actions returned");
    assert!(shown > 1_000, "{shown} exported entities were compared");
}

#[test]
fn memories_grow_to_the_limit_of_the_case() {
    both(judged::memories_grow_to_the_limit);
}

#[test]
fn a_failing_segment_traps_and_what_it_left_in_imports_is_compared() {
    both(judged::a_failing_segment_traps);
}

#[test]
fn a_case_that_never_ends_is_judged_as_far_as_it_went() {
    both(judged::what_never_ends_runs_out_of_fuel);
}

#[test]
fn a_host_function_that_starts_a_module_is_called_by_nobody() {
    let host = r#"(module (import "h" "f" (func $f)) (export "again" (func $f)))"#;
    for import in [r#""h" "f""#, r#""host" "again""#] {
        let wat = format!(r#"(module (import {import} (func $f)) (memory (export "m") 1) (start $f))"#);
        // Some of these hosts read the caller's memory, if there is one, and some write it.
        for seed in 0..16 {
            let mut case = case(&[("host", host), ("m", wat.as_str())], &[]);
            case.hosts.seed = seed;
            both(|judge| assert_eq!(run(&case, judge).verdict, Verdict::Agree, "hosts {seed}"));
        }
    }
}

#[test]
fn what_a_compiler_does_not_have_is_unsupported() {
    let wat = r#"(module (func $f) (func (export "f") (return_call $f)))"#;
    let last = agreed_at_last(&WasmtimeSubject::winch(), &[("m", wat)], &[]);
    assert!(matches!(&last, Outcome::Unsupported(why) if why.contains("tail calls")), "{last:?}");
    assert_eq!(agreed_at_last(&WasmtimeSubject::cranelift(), &[("m", wat)], &[("f", &[])]), values(&[]));
}
