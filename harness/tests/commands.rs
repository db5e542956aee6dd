//! Any command as a subject: our own `crosscheck run`, which is right, and commands that are not.

mod judged;

use crosscheck::case::{Case, HostPlan, Value};
use crosscheck::compare::{Compared, Kind, Verdict};
use crosscheck::features::Features;
use crosscheck::generate::{Generator, Profile};
use crosscheck::observe::Outcome;
use crosscheck::subject::{CommandSubject, Subject};
use crosscheck::trial::CaseRun;
use crosscheck_engine::TrapKind;
use judged::{i32, trap, values};

fn command(text: &str) -> CommandSubject {
    let (label, command) = text.split_once('=').expect("it has a label");
    CommandSubject::new(label, command).expect("it has a file")
}

/// Our own program as an outside engine.
fn ours() -> CommandSubject {
    let program = env!("CARGO_BIN_EXE_crosscheck");
    command(&format!("ours={program} run FILE --mode fast-interp --invoke NAME ARGS"))
}

fn run(case: &Case, text: &str) -> CaseRun {
    judged::run(case, &command(text))
}

fn case(wat: &str, calls: &[(&str, &[Value])]) -> Case {
    judged::case(&[("m", wat)], calls)
}

/// What the command showed of the actions, where it agrees with the modes.
fn agreed(wat: &str, calls: &[(&str, &[Value])]) -> Vec<Outcome> {
    judged::agreed(&ours(), &[("m", wat)], calls)
}

#[test]
fn values_go_in_and_come_out_by_their_bits() {
    let wat = r#"(module
        (func (export "same") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
            (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;
    let (nan32, nan64) = (Value::F32(0xffa0_0001), Value::F64(0x7ff4_0000_0000_0123));
    let args = [i32(-1), Value::I64(1 << 63), nan32.clone(), nan64.clone()];
    let [a, b, c, d] = args.clone();
    assert_eq!(agreed(wat, &[("same", &args)])[1], values(&[d, c, b, a]));
}

#[test]
fn calls_are_made_on_one_instance() {
    let wat = r#"(module (global $g (mut i32) (i32.const 5))
        (func (export "next") (result i32)
            (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"#;
    let shown = agreed(wat, &[("next", &[]), ("next", &[])]);
    assert_eq!(shown[1..], [values(&[i32(6)]), values(&[i32(7)])]);
}

#[test]
fn what_follows_a_trap_is_asked_for_if_the_trap_changed_nothing() {
    let wat = r#"(module (global $g (mut i32) (i32.const 5))
        (func (export "get") (result i32) (global.get $g))
        (func (export "trap") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
        (func (export "set") (global.set $g (i32.const 6)) unreachable))"#;
    let calls: [(&str, &[Value]); 5] =
        [("get", &[]), ("trap", &[i32(0)]), ("get", &[]), ("set", &[]), ("get", &[])];
    let shown = agreed(wat, &calls);
    let get = values(&[i32(5)]);
    let [divides, sets] = [TrapKind::IntegerDivideByZero, TrapKind::Unreachable].map(trap);
    assert_eq!(shown[1..], [get.clone(), divides, get, sets]);
}

#[test]
fn what_is_imported_belongs_to_the_module() {
    let wat = r#"(module
        (import "h" "g" (global $g i64)) (import "h" "m" (memory 1))
        (func (export "read") (result i64) (global.get $g))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let shown = agreed(wat, &[("read", &[]), ("grow", &[i32(3)]), ("read", &[])]);
    assert_eq!(shown.len(), 4);
    // The limit of the case holds there too.
    assert_eq!(shown[2], values(&[i32(-1)]));
}

/// Hosts of every character: with this seed some of these imports read and write memory, and one calls back.
const HOSTS: &str = r#"(module
    (import "h" "a" (func $a (param i32 i64) (result i32))) (import "h" "b" (func $b (param i32) (result i64)))
    (import "h" "c" (func $c (param f32) (result f32))) (import "h" "d" (func $d (param i32 i32)))
    (import "h" "e" (func $e (result i32))) (import "h" "f" (func $f (param i32) (result i32 i64)))
    (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    (func (export "count") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (local.get 0))) (global.get $n))
    (func (export "all") (param i32) (result i32 i64 f32 i32 i32 i64)
        (call $a (local.get 0) (i64.const -1)) (call $b (local.get 0)) (call $c (f32.const 1.5))
        (call $d (i32.const 16) (i32.const 8)) (call $e) (call $f (i32.const 40)))
    (func (export "sum") (result i32) (local $at i32) (local $sum i32)
        (loop (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
            (br_if 0 (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 256))))
        (local.get $sum)))"#;

#[test]
fn hosts_are_played_by_the_module() {
    let (mut wrote, mut called_back, mut calls) = (0, 0, 0);
    for seed in 0..12 {
        let actions: [(&str, &[Value]); 4] =
            [("all", &[i32(3)]), ("sum", &[]), ("all", &[i32(70)]), ("count", &[i32(0)])];
        let case = Case { hosts: HostPlan::new(seed, 0), ..case(HOSTS, &actions) };
        let run = judged::run(&case, &ours());
        assert_eq!(run.verdict, Verdict::Agree, "seed {seed}");
        let (_, observation) = run.observations.last().expect("the judge ran");
        assert_eq!(observation.actions.len(), 5, "seed {seed}: {observation:?}");
        let notes = run.observations[0].1.actions.iter().flat_map(|action| &action.host_calls.first);
        for call in notes {
            calls += 1;
            wrote += call.notes.iter().filter(|note| note.starts_with("wrote")).count();
            called_back += call.notes.iter().filter(|note| note.starts_with("called back")).count();
        }
    }
    assert!(
        calls >= 144 && wrote > 0 && called_back > 0,
        "{calls} calls, {wrote} writes, {called_back} call backs"
    );
}

#[test]
fn a_host_that_is_given_something_else_shows() {
    // The wrapper makes a 7 of the first 5 that the module has as a constant.
    let wrong = format!(
        r#"wrong=sh -c 'LC_ALL=C sed "s/A\x05/A\x07/" "$0" > "$0.other"; "{}" run "$0.other" --invoke "$1"; rm "$0.other"' FILE NAME"#,
        env!("CARGO_BIN_EXE_crosscheck")
    );
    let wat =
        r#"(module (import "h" "f" (func $f (param i32))) (func (export "call") (call $f (i32.const 5))))"#;
    let Verdict::Diverge(divergence) = run(&case(wat, &[("call", &[])]), &wrong).verdict else {
        panic!("the host is given another number");
    };
    assert_eq!(divergence.first.kind, Kind::HostCalls);
}

#[test]
fn several_modules_are_asked_as_one() {
    let owner = r#"(module (memory (export "m") 1) (global (export "g") (mut i32) (i32.const 4))
        (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))"#;
    let user = r#"(module (import "owner" "m" (memory 1)) (import "owner" "f" (func $f (param i32) (result i32)))
        (import "owner" "g" (global $g (mut i32))) (import "host" "h" (func $h (result i32)))
        (data (i32.const 2) "\07")
        (func (export "all") (result i32 i32 i32)
            (global.set $g (i32.add (global.get $g) (call $h))) (i32.load8_u (i32.const 2)) (call $f (i32.const 5))
            (global.get $g)))"#;
    let shown = judged::agreed(&ours(), &[("owner", owner), ("user", user)], &[("all", &[]), ("all", &[])]);
    assert_eq!(shown.len(), 4);
    let Outcome::Values(values) = &shown[2] else { panic!("{shown:?}") };
    assert_eq!(values[..2], [i32(7), i32(15)]);
}

#[test]
fn a_command_that_refuses_what_every_engine_accepts_differs() {
    let one = case(r#"(module (func (export "one") (result i32) (i32.const 1)))"#, &[("one", &[])]);
    let Verdict::Diverge(divergence) = run(&one, "picky=cat NAME FILE").verdict else {
        panic!("a module of the first version is refused");
    };
    assert!(
        divergence.first.right.to_string().starts_with("link: the command refuses a valid module: "),
        "{divergence:?}"
    );
}

#[test]
fn what_a_command_says_beside_the_point_is_no_answer() {
    let one = case(r#"(module (func (export "one") (result i32) (i32.const 1)))"#, &[("one", &[])]);
    let run = run(&one, "fickle=echo 5 NAME FILE");
    assert_eq!(run.verdict, Verdict::Agree);
    let [(_, Compared::Unsupported(why))] = run.compared.as_slice() else { panic!("{:?}", run.compared) };
    assert_eq!(why, "the command does not call the function; it prints 5");
}

#[test]
fn a_case_without_modules_is_not_asked() {
    let empty = Case { modules: Vec::new(), actions: Vec::new(), ..case("(module)", &[]) };
    let run = judged::run(&empty, &ours());
    assert_eq!(run.verdict, Verdict::Agree);
    let [(_, Compared::Unsupported(why))] = run.compared.as_slice() else { panic!("{:?}", run.compared) };
    assert_eq!(why, "there is no module");
}

#[test]
fn a_command_that_is_wrong_differs() {
    let wat = r#"(module (func (export "one") (result i32) (i32.const 1)))"#;
    // It adds one to the first result.
    let wrong = format!(
        r#"wrong=sh -c '"{}" run FILE --invoke NAME | sed "s/^i32:0x1 (1)/i32:0x2/"' FILE"#,
        env!("CARGO_BIN_EXE_crosscheck")
    );
    let Verdict::Diverge(divergence) = run(&case(wat, &[("one", &[])]), &wrong).verdict else {
        panic!("two is not one");
    };
    assert_eq!(divergence.first.right.to_string(), "i32:0x2");
    assert!(divergence.triage().to_string().starts_with("all modes agree, an outside engine differs"));
}

#[test]
fn generated_cases_agree() {
    let mut compared = 0;
    let mut generator = Generator::new(Features::executed()).profile(Profile::Judged);
    for index in 0..40 {
        let Some(generated) = generator.case(5, index) else { continue };
        let run = judged::run(&generated.case, &ours());
        assert_eq!(run.verdict, Verdict::Agree, "case {index}");
        compared +=
            run.compared.iter().filter(|(_, compared)| matches!(compared, Compared::Actions(..))).count();
    }
    assert!(compared > 20, "{compared} cases were compared");
}

#[test]
#[allow(clippy::print_stdout, reason = "what is not tested is told")]
fn wasm_interp_is_compared_on_most_cases() {
    let judge = match CommandSubject::of_preset("wasm-interp") {
        Ok(judge) => judge,
        Err(why) => return println!("NOT TESTED: {why}"),
    };
    let shown = judged::run(
        &case(r#"(module (func (export "one") (result i32) (i32.const 1)))"#, &[("one", &[])]),
        &judge,
    );
    assert_eq!(shown.verdict, Verdict::Agree);
    let mut generator =
        Generator::new(Features::executed()).profile(Profile::Judged).mostly(&judge.features());
    let (mut cases, mut compared) = (0, 0);
    for index in 0..150 {
        let Some(generated) = generator.case(5, index) else { continue };
        let run = judged::run(&generated.case, &judge);
        let beyond_start = |(_, compared): &(String, Compared)| matches!(compared, Compared::Actions(2.., _));
        cases += 1;
        compared += usize::from(run.compared.iter().any(beyond_start));
    }
    assert!(compared * 100 > cases * 60, "{compared} of {cases} cases were compared");
}
