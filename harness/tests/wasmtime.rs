//! Wasmtime's two compilers as judges: they run what our modes run, and agree.

#![cfg(feature = "wasmtime")]

mod judged;

use crosscheck::compare::Verdict;
use crosscheck::observe::Outcome;
use crosscheck::subject::{Subject, WasmtimeSubject};
use crosscheck_engine::TrapKind;
use judged::{agreed_at_last, case, generated_cases_agree, i32, run, trap, values};

/// Both judges, one after the other.
fn both(check: impl Fn(&dyn Subject)) {
    check(&WasmtimeSubject::cranelift());
    check(&WasmtimeSubject::winch());
}

#[test]
fn generated_cases_agree_with_cranelift() {
    let (returned, shown) = generated_cases_agree(&WasmtimeSubject::cranelift(), 120);
    assert!(returned > 300, "{returned} actions returned");
    assert!(shown > 1_000, "{shown} exported entities were compared");
}

#[test]
fn memories_grow_to_the_limit_of_the_case() {
    let wat = r#"(module (memory (export "m") 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    both(|judge| {
        assert_eq!(agreed_at_last(judge, &[("m", wat)], &[("grow", &[i32(2)])]), values(&[i32(1)]));
        assert_eq!(agreed_at_last(judge, &[("m", wat)], &[("grow", &[i32(3)])]), values(&[i32(-1)]));
        let too_large = agreed_at_last(judge, &[("m", "(module (memory 4))")], &[]);
        assert!(matches!(too_large, Outcome::Limit(_)), "{too_large:?}");
    });
}

#[test]
fn a_failing_segment_traps_and_what_it_left_in_imports_is_compared() {
    let owner = r#"(module (memory (export "memory") 1))"#;
    let user = r#"(module (import "owner" "memory" (memory 1))
        (data (i32.const 3) "kept") (data (i32.const 65535) "lost"))"#;
    both(|judge| {
        let failed = agreed_at_last(judge, &[("owner", owner), ("m", user)], &[]);
        assert_eq!(failed, trap(TrapKind::MemoryOutOfBounds));
    });
}

#[test]
fn a_case_that_never_ends_is_judged_as_far_as_it_went() {
    let wat =
        r#"(module (func (export "one") (result i32) i32.const 1) (func (export "spin") (loop (br 0))))"#;
    both(|judge| {
        let last = agreed_at_last(judge, &[("m", wat)], &[("one", &[]), ("spin", &[])]);
        assert_eq!(last, trap(TrapKind::OutOfFuel));
    });
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
