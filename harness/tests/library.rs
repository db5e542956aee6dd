//! Engines as libraries with the C API: they run what our modes run, and what they lack is said.
//!
//! The library is the one that `CROSSCHECK_C_API_LIBRARY` names; without it what needs one is not tested.

#![cfg(unix)]

mod judged;

use crosscheck::case::{Case, HeapKind, HostPlan, RefValue, Value};
use crosscheck::compare::Verdict;
use crosscheck::features::Features;
use crosscheck::generate::{Generator, Profile};
use crosscheck::observe::Outcome;
use crosscheck::subject::{LibrarySubject, Subject, named};
use crosscheck_engine::TrapKind;
use judged::{agreed_at_last, case, i32, run, trap, values};
use std::io::Write;

/// Says on the error stream, which tests do not capture, what is missing.
fn not_tested(reason: &str) {
    // Whether it is heard changes no test.
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {reason}");
}

/// The library that the environment names; none, with words, if it names none.
fn library() -> Option<LibrarySubject> {
    let Ok(path) = std::env::var("CROSSCHECK_C_API_LIBRARY") else {
        not_tested("CROSSCHECK_C_API_LIBRARY names no library with the C API");
        return None;
    };
    let subject = LibrarySubject::parse(&format!("library=lib:{path}"));
    Some(subject.expect("it is of the right form").unwrap_or_else(|error| panic!("{error}")))
}

fn agreed(judge: &LibrarySubject, modules: &[(&str, &str)], calls: &[(&str, &[Value])]) -> Outcome {
    agreed_at_last(judge, modules, calls)
}

#[test]
fn what_is_no_library_is_refused_in_one_sentence() {
    for text in ["x=lib:/nowhere/libx.so", "x=lib:", "=lib:/x.so", "a b=lib:/x.so"] {
        let error = named(text).err().unwrap_or_else(|| panic!("{text} is no library"));
        assert!(!error.contains('\n') && !error.is_empty(), "{text}: {error}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_library_without_the_interface_is_told_by_the_function_that_it_lacks() {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the system tells of mapped files");
    let libc = maps.split_whitespace().find(|word| word.contains("/libc.so") || word.contains("/libc-"));
    let Some(libc) = libc else {
        not_tested("this program has no shared library of C");
        return;
    };
    let error = named(&format!("x=lib:{libc}")).err().expect("it is no engine");
    assert!(error.contains("has no function `wasm_engine_new`"), "{error}");
}

#[test]
fn a_library_executes_the_first_version_and_says_which_release_it_is() {
    let Some(judge) = library() else { return };
    let features = judge.features();
    assert!(features.sign_extension && features.multi_value && features.bulk_memory, "{features:?}");
    assert!(!features.shared_hosts);
    assert!(judge.version().is_some_and(|version| !version.is_empty()));
    assert_eq!(judge.name(), "library");
    assert!(judge.definition().starts_with("library=lib:"));
}

#[test]
fn several_calls_share_an_instance_and_its_state_is_compared() {
    let Some(judge) = library() else { return };
    let wat = r#"(module (memory (export "m") 1) (global $n (export "n") (mut i64) (i64.const 1))
        (table (export "t") 2 funcref)
        (func (export "step") (param i32) (result i64)
            (i32.store8 (local.get 0) (i32.const 5))
            (global.set $n (i64.add (global.get $n) (i64.const 3))) (global.get $n)))"#;
    let calls: [(&str, &[Value]); 3] = [("step", &[i32(9)]), ("step", &[i32(-1)]), ("step", &[i32(7)])];
    assert_eq!(agreed(&judge, &[("m", wat)], &calls), values(&[Value::I64(7)]));
}

/// A case whose host traps often, reads, writes and calls back, over some seeds.
fn hosted(seed: u64) -> Case {
    let wat = r#"(module (import "h" "a" (func $a (param i32 f64) (result f32)))
        (import "h" "b" (func $b (param i32) (result i64))) (import "h" "g" (global (mut i32)))
        (import "h" "m" (memory 1)) (import "h" "t" (table 3 funcref)) (export "memory" (memory 0))
        (export "table" (table 0)) (export "global" (global 0)) (export "a" (func $a))
        (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.load8_u (i32.const 3))))
        (func (export "go") (param i32) (result i64) (drop (call $a (local.get 0) (f64.const 2)))
            (call $b (local.get 0))))"#;
    let mut case = case(&[("m", wat)], &[("go", &[i32(8)]), ("go", &[i32(3)]), ("add", &[i32(1)])]);
    case.hosts = HostPlan::new(seed, 9);
    case
}

#[test]
fn hosts_read_write_trap_and_call_back_as_for_everybody() {
    let Some(judge) = library() else { return };
    let (mut notes, mut refused) = (0, 0);
    for seed in 0..60 {
        let run = run(&hosted(seed), &judge);
        assert_eq!(run.verdict, Verdict::Agree, "seed {seed}");
        let (_, observation) = run.observations.last().expect("the judge ran");
        for call in observation.actions.iter().flat_map(|action| &action.host_calls.first) {
            notes += call.notes.len();
            refused += usize::from(call.results.is_none());
        }
    }
    assert!(notes > 20 && refused > 5, "{notes} notes, {refused} refused");
}

#[test]
fn a_host_called_by_a_start_function_sees_the_instance() {
    let Some(judge) = library() else { return };
    let wat = r#"(module (import "h" "a" (func $a (param i32 i32))) (memory (export "m") 1)
        (func $start (call $a (i32.const 16) (i32.const 8)) (call $a (i32.const 32) (i32.const 8)))
        (start $start))"#;
    for seed in 0..40 {
        let mut case = case(&[("m", wat)], &[]);
        case.hosts.seed = seed;
        assert_eq!(run(&case, &judge).verdict, Verdict::Agree, "seed {seed}");
    }
}

#[test]
fn a_host_function_that_passes_through_a_module_acts_on_who_calls_it() {
    let Some(judge) = library() else { return };
    let first = r#"(module (import "h" "a" (func $a (param i32 i32))) (memory (export "m") 1)
        (export "a" (func $a)))"#;
    let second = r#"(module (import "first" "a" (func $a (param i32 i32))) (memory (export "m") 1)
        (func (export "go") (call $a (i32.const 16) (i32.const 8))))"#;
    for seed in 0..40 {
        let mut case = case(&[("first", first), ("second", second)], &[("go", &[])]);
        case.hosts.seed = seed;
        assert_eq!(run(&case, &judge).verdict, Verdict::Agree, "seed {seed}");
    }
}

#[test]
fn what_does_not_cross_the_interface_is_carried_by_a_module_between() {
    let Some(judge) = library() else { return };
    if !judge.features().reference_types {
        not_tested("the library has no reference types");
        return;
    }
    let wat = r#"(module (import "h" "a" (func $a (param externref i32) (result externref i64)))
        (global (export "g") (mut externref) (ref.null extern)) (table (export "t") 2 externref)
        (func (export "go") (param externref i32) (result i32 externref i64)
            (call $a (local.get 0) (local.get 1)) (local.get 1) (i64.extend_i32_u) (i64.add) (local.set 2)
            drop (i32.const 4) (local.get 0) (local.get 2)) )"#;
    let wat = &wat.replace("(result i32 externref i64)\n", "(result i32 externref i64) (local i64)\n");
    let null = Value::Ref(RefValue::Null(HeapKind::Extern));
    let last = agreed(&judge, &[("m", wat)], &[("go", &[null, i32(5)])]);
    assert!(matches!(&last, Outcome::Values(values) if values.len() == 3), "{last:?}");
}

#[test]
fn traps_are_told_apart_by_the_words_of_the_library() {
    let Some(judge) = library() else { return };
    let wat = r#"(module (memory 1) (table 1 funcref)
        (func (export "unreachable") unreachable)
        (func (export "load") (result i32) (i32.load (i32.const -1)))
        (func (export "zero") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
        (func (export "overflow") (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
        (func (export "convert") (result i32) (i32.trunc_f32_s (f32.const nan)))
        (func (export "null") (call_indirect (i32.const 0)))
        (func (export "beyond") (call_indirect (i32.const 1))))"#;
    let expected = [
        ("unreachable", TrapKind::Unreachable),
        ("load", TrapKind::MemoryOutOfBounds),
        ("zero", TrapKind::IntegerDivideByZero),
        ("overflow", TrapKind::IntegerOverflow),
        ("convert", TrapKind::InvalidConversionToInteger),
        ("null", TrapKind::UninitializedElement),
    ];
    for (export, kind) in expected {
        let Outcome::Trap(seen) = agreed(&judge, &[("m", wat)], &[(export, &[])]) else {
            panic!("{export} traps");
        };
        assert_eq!(seen.kind, kind, "{export}");
    }
    assert!(matches!(agreed(&judge, &[("m", wat)], &[("beyond", &[])]), Outcome::Trap(_)));
}

#[test]
fn memories_grow_to_the_limit_of_the_case() {
    let Some(judge) = library() else { return };
    judged::memories_grow_to_the_limit(&judge);
}

#[test]
fn a_failing_segment_traps_and_what_it_left_in_imports_is_compared() {
    let Some(judge) = library() else { return };
    let owner = r#"(module (memory (export "memory") 1))"#;
    let user = r#"(module (import "owner" "memory" (memory 1))
        (data (i32.const 3) "kept") (data (i32.const 65535) "lost"))"#;
    assert_eq!(agreed(&judge, &[("owner", owner), ("m", user)], &[]), trap(TrapKind::MemoryOutOfBounds));
}

#[test]
fn imports_that_do_not_fit_are_a_link_error_as_for_everybody() {
    let Some(judge) = library() else { return };
    let owner = r#"(module (func (export "f") (result i32) i32.const 1))"#;
    let user = r#"(module (import "owner" "f" (func (result i64))))"#;
    assert!(matches!(agreed(&judge, &[("owner", owner), ("m", user)], &[]), Outcome::Link(_)));
}

#[test]
fn generated_cases_within_its_features_agree() {
    let Some(judge) = library() else { return };
    if judge.version().is_some_and(|version| version.starts_with("wasmi")) {
        not_tested("known faults of wasmi show among generated cases");
        return;
    }
    let features = Features::executed().and(&judge.features());
    let mut generator = Generator::new(features).profile(Profile::Judged);
    let (mut agreed, mut shown) = (0, 0);
    for index in 0..150 {
        let Some(generated) = generator.case(1, index) else { continue };
        let run = run(&generated.case, &judge);
        assert!(!matches!(run.verdict, Verdict::Diverge(_)), "case {index}: {:?}", run.verdict);
        agreed += usize::from(run.verdict == Verdict::Agree);
        let (_, observation) = run.observations.last().expect("the judge ran");
        for state in observation.actions.iter().filter_map(|action| action.state.as_ref()) {
            shown += state.instances.iter().map(|instance| instance.exports.len()).sum::<usize>();
        }
    }
    assert!(agreed > 140, "{agreed} cases agreed");
    assert!(shown > 1_000, "{shown} exported entities were compared");
}
