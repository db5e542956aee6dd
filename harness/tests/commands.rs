//! Any command as a subject: our own `crosscheck run`, which is right, and commands that are not.

mod judged;

use crosscheck::case::{Case, Value};
use crosscheck::compare::{Compared, Verdict};
use crosscheck::generate::{Features, Generator, Profile};
use crosscheck::observe::Outcome;
use crosscheck::run::CaseRun;
use crosscheck::subject::CommandSubject;
use crosscheck_engine::TrapKind;
use judged::{i32, trap, values};

fn command(text: &str) -> CommandSubject {
    let (label, command) = text.split_once('=').expect("it has a label");
    CommandSubject::new(label, command).expect("it has a file")
}

/// Our own program as somebody else's.
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
fn a_trap_is_the_last_thing_that_is_asked_for() {
    let wat = r#"(module (func (export "one") (result i32) (i32.const 1))
        (func (export "trap") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0))))"#;
    let shown = agreed(wat, &[("one", &[]), ("trap", &[i32(0)]), ("one", &[])]);
    assert_eq!(shown[1..], [values(&[i32(1)]), trap(TrapKind::IntegerDivideByZero)]);
}

#[test]
fn what_is_imported_belongs_to_the_module_and_hosts_are_not_called() {
    let wat = r#"(module
        (import "h" "g" (global $g i64)) (import "h" "f" (func $f)) (import "h" "m" (memory 1))
        (func (export "read") (result i64) (global.get $g))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "host") (call $f)))"#;
    let shown = agreed(wat, &[("read", &[]), ("grow", &[i32(3)]), ("host", &[]), ("read", &[])]);
    assert_eq!(shown.len(), 3);
    // The limit of the case holds there too.
    assert_eq!(shown[2], values(&[i32(-1)]));
}

#[test]
fn a_command_that_refuses_what_every_engine_accepts_differs() {
    let one = case(r#"(module (func (export "one") (result i32) (i32.const 1)))"#, &[("one", &[])]);
    let Verdict::Diverge(divergence) = run(&one, "picky=cat NAME FILE").verdict else {
        panic!("a module of the first version is refused");
    };
    assert!(
        divergence.first.right.starts_with("link: the command refuses a valid module: "),
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
fn a_command_that_is_wrong_differs() {
    let wat = r#"(module (func (export "one") (result i32) (i32.const 1)))"#;
    // It adds one to the first result.
    let wrong = format!(
        r#"wrong=sh -c '"{}" run FILE --invoke NAME | sed s/^i32:0x1$/i32:0x2/' FILE"#,
        env!("CARGO_BIN_EXE_crosscheck")
    );
    let Verdict::Diverge(divergence) = run(&case(wat, &[("one", &[])]), &wrong).verdict else {
        panic!("two is not one");
    };
    assert_eq!(divergence.first.right, "i32:0x2");
    assert!(divergence.triage().starts_with("all modes agree, an outside engine differs"));
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
