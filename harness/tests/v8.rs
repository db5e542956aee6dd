//! V8 as a judge, through `node`: it runs what our modes run. Where there is no node, these say so and test nothing;
//! what they are about without one is tested beside the code (`harness/src/subject/v8/tests.rs`).

#![allow(clippy::tests_outside_test_module, reason = "this file is tests")]

mod judged;

use crosscheck::case::{Action, Case, FuncIdentity, HeapKind, HostPlan, RefValue, Value};
use crosscheck::compare::Verdict;
use crosscheck::features::Features;
use crosscheck::generate::{Generator, Profile};
use crosscheck::observe::{Capture, Observation, Outcome};
use crosscheck::script::{self, ScriptFile};
use crosscheck::subject::{Prepared, Subject, Unwatched, V8_TIERS, V8Subject};
use crosscheck_engine::TrapKind;
use judged::{case, run};
use std::io::Write;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

/// V8 as it comes; says why if there is none.
fn v8() -> Option<&'static V8Subject> {
    static V8: OnceLock<Option<V8Subject>> = OnceLock::new();
    V8.get_or_init(|| match V8Subject::start(V8_TIERS[0]) {
        Ok(v8) => Some(v8),
        Err(error) => {
            // Past the test's own output, which nobody sees if it passes.
            let _ = writeln!(std::io::stderr(), "NOT TESTED: V8, for {error}");
            None
        }
    })
    .as_ref()
}

/// What V8 showed, where all agree.
fn agreed(v8: &V8Subject, case: &Case) -> Observation {
    let run = run(case, v8);
    assert_eq!(run.verdict, Verdict::Agree);
    let (name, observation) = run.observations.into_iter().last().expect("V8 ran");
    assert_eq!(name, "v8");
    observation
}

fn last(observation: &Observation) -> &Outcome {
    &observation.actions.last().expect("there are actions").outcome
}

/// How V8's last action ended, where all agree.
fn outcome(v8: &V8Subject, modules: &[(&str, &str)], calls: &[(&str, &[Value])]) -> Outcome {
    last(&agreed(v8, &case(modules, calls))).clone()
}

/// What V8 shows of a case that our modes do not execute.
fn alone(v8: &V8Subject, case: &Case) -> Observation {
    v8.observe(&Prepared::new(case), Capture::Full, &mut Unwatched)
}

fn i32s(values: &[i32]) -> Vec<Value> {
    values.iter().map(|value| Value::I32(*value as u32)).collect()
}

#[test]
fn numbers_keep_their_bits() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module
        (func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
            (local.get 3) (local.get 2) (local.get 1) (local.get 0))
        (global (export "g") f32 (f32.const -nan:0x200001)))"#;
    let args = [
        Value::I32(0x8000_0000),
        Value::I64(u64::MAX - 1),
        Value::F32(0xffa0_0001),
        Value::F64(0x7ff4_0000_dead_beef),
    ];
    let mut case = case(&[("m", wat)], &[("all", &args)]);
    let [a, b, c, d] = args;
    assert_eq!(*last(&agreed(v8, &case)), Outcome::Values(vec![d, c, b, a]));
    case.actions.push(Action::Read { module: 0, export: "g".into() });
    assert_eq!(*last(&agreed(v8, &case)), Outcome::Values(vec![Value::F32(0xffa0_0001)]));
}

#[test]
fn vectors_and_references_cross_the_border() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module
        (import "h" "x" (func $x (param v128 externref) (result v128)))
        (global (export "v") (mut v128) (v128.const i64x2 1 2))
        (func (export "f") (param externref v128 funcref) (result v128 funcref externref)
            (global.set 0 (call $x (local.get 1) (local.get 0)))
            (local.get 1) (ref.func 1) (local.get 0)))"#;
    let vector = Value::V128(u128::MAX / 7);
    let object = Value::Ref(RefValue::Extern(41));
    let null = Value::Ref(RefValue::Null(HeapKind::Func));
    let seen = alone(v8, &case(&[("m", wat)], &[("f", &[object.clone(), vector.clone(), null])]));
    let func = Value::Ref(RefValue::Func(FuncIdentity::Host(0)));
    assert_eq!(*last(&seen), Outcome::Values(vec![vector.clone(), func, object.clone()]));
    let action = &seen.actions[1];
    assert_eq!(action.host_calls.first[0].args, [vector, object]);
    let answer = action.host_calls.first[0].results.clone().expect("the host answered");
    assert_eq!(action.state.as_ref().expect("it was asked for").instances[0].globals, answer);
}

#[test]
fn traps_are_of_our_kinds() {
    let Some(v8) = v8() else { return };
    let rows = [
        ("unreachable", TrapKind::Unreachable),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", TrapKind::IntegerDivideByZero),
        ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", TrapKind::IntegerDivideByZero),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", TrapKind::IntegerOverflow),
        ("(drop (i32.trunc_f32_s (f32.const 1e20)))", TrapKind::IntegerOverflow),
        ("(drop (i64.trunc_f64_u (f64.const nan)))", TrapKind::IntegerOverflow),
        ("(drop (i32.load8_u (i32.const 65536)))", TrapKind::MemoryOutOfBounds),
        ("(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))", TrapKind::MemoryOutOfBounds),
        ("(memory.init 0 (i32.const 0) (i32.const 1) (i32.const 3))", TrapKind::MemoryOutOfBounds),
        ("(memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))", TrapKind::MemoryOutOfBounds),
        ("(drop (table.get (i32.const 3)))", TrapKind::TableOutOfBounds),
        ("(table.set (i32.const 3) (ref.null func))", TrapKind::TableOutOfBounds),
        ("(table.init 0 (i32.const 0) (i32.const 1) (i32.const 3))", TrapKind::TableOutOfBounds),
        ("(table.copy (i32.const 1) (i32.const 0) (i32.const 3))", TrapKind::TableOutOfBounds),
        ("(table.fill (i32.const 1) (ref.null func) (i32.const 3))", TrapKind::TableOutOfBounds),
        ("(call_indirect (i32.const 3))", TrapKind::TableOutOfBounds),
        ("(call_indirect (i32.const 2))", TrapKind::IndirectCallTypeMismatch),
        ("(call_indirect (param i32) (i32.const 0) (i32.const 1))", TrapKind::IndirectCallTypeMismatch),
    ];
    for (body, kind) in rows {
        let wat = format!(
            r#"(module (memory 1) (data "abc") (table 3 funcref) (elem (i32.const 1) $f) (elem func $f $f)
                (func $f (export "f") {body}))"#
        );
        let seen = outcome(v8, &[("m", &wat)], &[("f", &[])]);
        assert!(matches!(&seen, Outcome::Trap(trap) if trap.kind == kind), "{body}: {seen:?}");
    }
    let recursion = r#"(module (import "h" "x" (func $x)) (func $f (export "f") (call $x) (call $f)))"#;
    let seen = alone(v8, &case(&[("m", recursion)], &[("f", &[])]));
    assert!(
        matches!(last(&seen), Outcome::Trap(trap) if trap.kind == TrapKind::CallStackExhausted),
        "{seen:?}"
    );
}

#[test]
fn segments_that_do_not_fit_trap_and_leave_what_went_before() {
    let Some(v8) = v8() else { return };
    let owner = r#"(module (memory (export "memory") 1) (table (export "table") 2 funcref))"#;
    let data = r#"(module (import "owner" "memory" (memory 1))
        (data (i32.const 3) "kept") (data (i32.const 65535) "lost"))"#;
    let elem = r#"(module (import "owner" "table" (table 1 funcref)) (func $f)
        (elem (i32.const 1) $f) (elem (i32.const 2) $f))"#;
    for (user, kind) in [(data, TrapKind::MemoryOutOfBounds), (elem, TrapKind::TableOutOfBounds)] {
        let seen = outcome(v8, &[("owner", owner), ("m", user)], &[]);
        assert!(matches!(&seen, Outcome::Trap(trap) if trap.kind == kind), "{seen:?}");
    }
}

#[test]
fn hosts_answer_read_write_and_call_back_as_ours_do() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module
        (import "h" "a" (func $a (param i32 i32) (result i64)))
        (import "h" "b" (func $b (param f32) (result f64)))
        (import "h" "c" (func $c (param i64 i32)))
        (memory (export "m") 1 2) (global $n (export "n") (mut i32) (i32.const 0))
        (func (export "half") (param f64) (result f64)
            (call $c (i64.const 8) (i32.const 2)) (f64.mul (local.get 0) (f64.const 0.5)))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "f") (param i32) (result i64 f64)
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (call $c (i64.const 65533) (i32.const 3))
            (call $a (local.get 0) (i32.const 5))
            (call $b (f32.const nan:0x200000)))
        (start $start) (func $start (call $c (i64.const 4) (i32.const 4)) (drop (call $a (i32.const 0) (i32.const 1)))))"#;
    let mut notes = Vec::new();
    let mut refusals = 0;
    for seed in 0..40 {
        let calls: Vec<(&str, &[Value])> = vec![("f", &[Value::I32(16)]); 5];
        let mut case = case(&[("m", wat)], &calls);
        case.hosts = HostPlan::new(seed, if seed % 4 == 0 { 5 } else { 0 });
        for action in agreed(v8, &case).actions {
            refusals += usize::from(matches!(action.outcome, Outcome::Trap(trap) if trap.message.is_some()));
            notes.extend(action.host_calls.first.into_iter().flat_map(|call| call.notes));
        }
    }
    for word in ["read", "could not read", "wrote", "could not write", "called back"] {
        assert!(notes.iter().any(|note| note.starts_with(word)), "no host {word}");
    }
    assert!(refusals > 3, "{refusals} refusals");
}

#[test]
fn a_host_acts_on_the_instance_that_calls_it() {
    let Some(v8) = v8() else { return };
    let way = r#"(module (import "h" "x" (func $x (param i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "of the way")
        (func (export "own") (result i32) (call $x (i32.const 0) (i32.const 9)))
        (export "passed on" (func $x)))"#;
    let user = r#"(module
        (import "way" "passed on" (func $x (param i32 i32) (result i32)))
        (import "way" "own" (func $own (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "of the user")
        (export "outside" (func $x))
        (func (export "f") (result i32 i32) (call $x (i32.const 0) (i32.const 9)) (call $own)))"#;
    let mut noted = 0;
    for seed in 0..30 {
        let args = i32s(&[0, 4]);
        let mut case = case(&[("way", way), ("m", user)], &[("f", &[]), ("outside", &args), ("f", &[])]);
        case.hosts.seed = seed;
        let seen = agreed(v8, &case);
        noted += seen
            .actions
            .iter()
            .flat_map(|action| &action.host_calls.first)
            .filter(|call| !call.notes.is_empty())
            .count();
    }
    assert!(noted > 30, "{noted} host calls acted on memory");
}

#[test]
fn nobody_calls_a_host_function_that_starts_an_instance() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module (import "h" "x" (func $x)) (memory (export "memory") 1) (export "again" (func $x))
        (func (export "f") (call $x)) (start $x))"#;
    for seed in 0..20 {
        let mut case = case(&[("m", wat)], &[("f", &[]), ("again", &[])]);
        case.hosts.seed = seed;
        agreed(v8, &case);
    }
}

#[test]
fn what_would_not_end_is_not_asked_for() {
    let Some(v8) = v8() else { return };
    // Two calls a level: with our stack of some hundred slots it ends at once, with V8's it never does.
    let wat = r#"(module (func $f (export "f") (call $f) (call $f)) (func (export "g") (result i32) (i32.const 7))
        (func (export "spin") (loop (br 0))))"#;
    for endless in ["f", "spin"] {
        let mut case = case(&[("m", wat)], &[("g", &[]), (endless, &[]), ("g", &[])]);
        case.limits.depth_slots = 400;
        let seen = agreed(v8, &case);
        assert_eq!(seen.actions.len(), 2, "{endless}");
        assert_eq!(*last(&seen), Outcome::Values(i32s(&[7])));
    }
    let mut case = case(&[("m", "(module (func $f (call $f) (call $f)) (start $f))")], &[]);
    case.limits.depth_slots = 400;
    assert_eq!(run(&case, v8).left_out, ["v8"]);
}

#[test]
fn imports_of_one_name_are_told_apart_by_their_index() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module
        (import "h" "x" (global $g (mut i64)))
        (import "h" "x" (func $f (param i32) (result i32)))
        (import "h" "x" (func $k (param f64) (result i32)))
        (import "h" "x" (memory 1 2))
        (import "h" "x" (table 1 5 externref))
        (export "g" (global $g)) (export "t" (table 0))
        (func (export "both") (result i32 i32) (call $f (i32.const 1)) (call $k (f64.const 1))))"#;
    assert!(
        matches!(outcome(v8, &[("m", wat)], &[("both", &[])]), Outcome::Values(values) if values.len() == 2)
    );
}

#[test]
fn memories_and_tables_grow_to_the_limit_of_the_case() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module (memory (export "m") 1) (table (export "t") 3 funcref)
        (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "table") (param i32) (result i32) (table.grow (ref.func 0) (local.get 0))))"#;
    for (export, by, grown) in [("memory", 2, 1), ("memory", 3, -1), ("table", 7, 3), ("table", 8, -1)] {
        let seen = outcome(v8, &[("m", wat)], &[(export, &i32s(&[by]))]);
        assert_eq!(seen, Outcome::Values(i32s(&[grown])), "{export} by {by}");
    }
    for wat in ["(module (memory 4))", "(module (table 11 funcref))"] {
        let seen = outcome(v8, &[("m", wat)], &[]);
        assert!(matches!(seen, Outcome::Limit(_)), "{seen:?}");
    }
}

#[test]
fn what_an_instance_shows_follows_its_calls() {
    let Some(v8) = v8() else { return };
    let wat = r#"(module
        (memory (export "memory") 2) (table (export "table") 4 externref)
        (global $last (export "last") (mut externref) (ref.null extern)) (global $n (export "n") (mut i64) (i64.const 0))
        (func (export "put") (param i32 externref)
            (table.set (local.get 0) (local.get 1)) (global.set $last (local.get 1))
            (global.set $n (i64.sub (global.get $n) (i64.const 1)))
            (i32.store8 (i32.mul (local.get 0) (i32.const 40000)) (i32.const 255))))"#;
    let object = |number| Value::Ref(RefValue::Extern(number));
    let calls: [(&str, &[Value]); 2] =
        [("put", &[Value::I32(1), object(5)]), ("put", &[Value::I32(3), object(6)])];
    let seen = agreed(v8, &case(&[("m", wat)], &calls));
    let state = seen.actions[2].state.as_ref().expect("state is compared");
    let instance = &state.instances[0];
    assert_eq!(instance.globals, [object(6), Value::I64(-2i64 as u64)]);
    assert_eq!(instance.tables[0].non_null.len(), 2);
    assert_eq!(
        instance.memories[0].pages.keys().copied().collect::<Vec<_>>(),
        [40_000 / 4096, 120_000 / 4096]
    );
}

#[test]
fn a_module_beyond_what_it_executes_is_unsupported_and_no_difference() {
    let Some(v8) = v8() else { return };
    let rows = [
        (
            v8.features().wide_arithmetic,
            "(module (func (result i64 i64) (i64.mul_wide_u (i64.const 1) (i64.const 1))))",
        ),
        (v8.features().multi_memory, "(module (memory 1) (memory 1))"),
        (v8.features().memory64, "(module (table i64 1 funcref))"),
    ];
    for (_, wat) in rows.iter().filter(|(has, _)| !has) {
        let run = run(&case(&[("m", wat)], &[]), v8);
        assert_eq!(run.verdict, Verdict::Agree);
        let (_, seen) = run.observations.last().expect("V8 ran");
        assert!(matches!(last(seen), Outcome::Unsupported(_)), "{seen:?}");
    }
}

#[test]
fn generated_cases_agree_in_every_tier() {
    if v8().is_none() {
        return;
    }
    for tier in V8_TIERS {
        let v8 = V8Subject::start(tier).expect("there is a node");
        assert!(v8.version().is_some_and(|version| version.contains("V8 ")));
        let mut generator =
            Generator::new(Features::executed()).profile(Profile::Judged).mostly(&v8.features());
        let mut returned = 0;
        for index in 0..60 {
            let Some(generated) = generator.case(1, index) else { continue };
            let run = run(&generated.case, &v8);
            assert_eq!(run.verdict, Verdict::Agree, "{} on case {index}", tier.name);
            let Some((_, seen)) = run.observations.iter().find(|(name, _)| name == tier.name) else {
                continue;
            };
            let is_value = |outcome: &Outcome| matches!(outcome, Outcome::Values(_));
            returned += seen.actions.iter().filter(|action| is_value(&action.outcome)).count();
        }
        assert!(returned > 150, "{returned} actions returned");
    }
}

#[test]
fn without_node_there_is_one_line_and_no_campaign() {
    let output = Command::new(env!("CARGO_BIN_EXE_crosscheck"))
        .args(["fuzz", "--seed", "1", "--cases", "1", "--with", "v8"])
        .env("PATH", "")
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("--with v8") && told.contains("`node`"), "{told}");
    assert!(output.stdout.is_empty());
}

/// What scripts of the suite come to in V8: assertions that pass, and what fails.
fn scripts(group: &str, names: &[&str]) -> Option<(u64, Vec<script::Failure>)> {
    // Which starts a V8 of its own, since engines are shared.
    v8()?;
    let engine: [Arc<dyn Subject>; 1] = [V8Subject::shared(V8_TIERS[0]).expect("it starts as before")];
    let group: crosscheck_spec_tests::Group = group.parse().expect("a group of the suite");
    let file = |name: &&str| ScriptFile::from(group.file(name).expect("a script of the group"));
    let files: Vec<ScriptFile> = names.iter().map(file).collect();
    let (lanes, stop) = (script::Lane::all_modes(), AtomicBool::new(false));
    let report =
        script::run_files_beside(&files, &lanes, &engine, &script::Options::default(), &stop, &|_, _| {});
    let judge = report.expect("it is in this process").judges.pop().expect("it was asked");
    assert_eq!((judge.name.as_str(), judge.version.as_deref()), ("v8", engine[0].version()));
    Some((judge.counts.passed, judge.failures))
}

#[test]
fn v8_passes_scripts_of_the_suite_with_links_traps_and_refusals() {
    let names = ["i32.wast", "linking.wast", "imports.wast", "memory_trap.wast", "elem.wast", "call.wast"];
    let Some((passed, failures)) = scripts("wasm-v1", &names) else { return };
    assert_eq!(failures, []);
    assert!(passed > 800, "{passed} assertions pass");
}

#[test]
fn v8_is_asked_for_vectors_which_no_mode_executes() {
    let Some((passed, failures)) = scripts("simd", &["simd_i8x16_arith.wast", "simd_f32x4.wast"]) else {
        return;
    };
    assert_eq!(failures, []);
    assert!(passed > 900, "{passed} assertions pass");
}
