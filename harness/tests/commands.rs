//! Any command as a subject: our own `crosscheck run`, which is right, and commands that are not.

use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::compare::Verdict;
use crosscheck::generate::{Features, Generator, Profile};
use crosscheck::observe::{Capture, Outcome, TrapObservation};
use crosscheck::run::{CaseRun, run_case};
use crosscheck::subject::{CommandSubject, Lane, LaneSubject};
use crosscheck_engine::{Mode, TrapKind};

/// Runs a case in the reference and by a command, which stands last.
fn run(case: &Case, command: &str) -> CaseRun {
    let reference = LaneSubject::new(Lane::plain(Mode::all().next().expect("there is a mode")));
    let command = CommandSubject::parse(command).expect("it has a label").expect("it has a name and a file");
    run_case(case, &[&reference, &command], Capture::Digest)
}

/// Our own program as somebody else's.
fn ours() -> String {
    format!("ours={} run FILE --mode fast-interp --invoke NAME ARGS", env!("CARGO_BIN_EXE_crosscheck"))
}

fn case(wat: &str, calls: &[(&str, &[Value])]) -> Case {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    let wasm = module.encode().expect("the test's text can be encoded");
    let invoke = calls.iter().map(|(export, args)| Action::Invoke {
        module: 0,
        export: export.to_string(),
        args: args.to_vec(),
    });
    Case {
        modules: vec![CaseModule { name: "m".into(), wasm }],
        hosts: HostPlan { seed: 1, trap_one_in: 0 },
        actions: [Action::Instantiate { module: 0 }].into_iter().chain(invoke).collect(),
        limits: Limits { fuel: Some(100_000), memory_bytes: 3 << 16, ..Limits::default() },
    }
}

/// What the command showed of the actions, where it agrees with the reference.
fn agreed(wat: &str, calls: &[(&str, &[Value])]) -> Vec<Outcome> {
    let run = run(&case(wat, calls), &ours());
    assert_eq!(run.verdict, Verdict::Agree);
    let (_, observation) = run.observations.last().expect("the command ran");
    observation.actions.iter().map(|action| action.outcome.clone()).collect()
}

fn values(values: &[Value]) -> Outcome {
    Outcome::Values(values.to_vec())
}

#[test]
fn values_go_in_and_come_out_by_their_bits() {
    let wat = r#"(module
        (func (export "same") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
            (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;
    let (nan32, nan64) = (Value::F32(0xffa0_0001), Value::F64(0x7ff4_0000_0000_0123));
    let args = [Value::I32(u32::MAX), Value::I64(1 << 63), nan32.clone(), nan64.clone()];
    let [a, b, c, d] = args.clone();
    assert_eq!(agreed(wat, &[("same", &args)])[1], values(&[d, c, b, a]));
}

#[test]
fn calls_are_made_on_one_instance() {
    let wat = r#"(module (global $g (mut i32) (i32.const 5))
        (func (export "next") (result i32)
            (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"#;
    let shown = agreed(wat, &[("next", &[]), ("next", &[])]);
    assert_eq!(shown[1..], [values(&[Value::I32(6)]), values(&[Value::I32(7)])]);
}

#[test]
fn a_trap_is_the_last_thing_that_is_asked_for() {
    let wat = r#"(module (func (export "one") (result i32) (i32.const 1))
        (func (export "trap") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0))))"#;
    let shown = agreed(wat, &[("one", &[]), ("trap", &[Value::I32(0)]), ("one", &[])]);
    let kind = TrapKind::IntegerDivideByZero;
    let trap = Outcome::Trap(TrapObservation { kind, message: None, site: None, frames: None });
    assert_eq!(shown[1..], [values(&[Value::I32(1)]), trap]);
}

#[test]
fn what_is_imported_belongs_to_the_module_and_hosts_are_not_called() {
    let wat = r#"(module
        (import "h" "g" (global $g i64)) (import "h" "f" (func $f)) (import "h" "m" (memory 1))
        (func (export "read") (result i64) (global.get $g))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "host") (call $f)))"#;
    let shown = agreed(wat, &[("read", &[]), ("grow", &[Value::I32(3)]), ("host", &[]), ("read", &[])]);
    assert_eq!(shown.len(), 3);
    // The limit of the case holds there too.
    assert_eq!(shown[2], values(&[Value::I32(u32::MAX)]));
}

#[test]
fn what_a_command_does_not_accept_is_unsupported() {
    let one = case(r#"(module (func (export "one") (result i32) (i32.const 1)))"#, &[("one", &[])]);
    let unsupported = run(&one, "picky=cat NAME FILE");
    assert!(
        matches!(&unsupported.verdict, Verdict::Inconclusive(why) if why.starts_with("the command says: "))
    );
}

#[test]
fn a_command_that_is_wrong_differs() {
    let wat = r#"(module (func (export "one") (result i32) (i32.const 1)))"#;
    let Verdict::Diverge(divergence) =
        run(&case(wat, &[("one", &[])]), "wrong=echo 2 NAME FILE").verdict
    else {
        panic!("two is not one");
    };
    assert_eq!(divergence.first.right, "i32:0x2");
    assert!(divergence.triage().starts_with("all modes agree, an outside engine differs"));
}

#[test]
fn generated_cases_agree() {
    let mut generator = Generator::new(Features::executed()).profile(Profile::Judged);
    let mut compared = 0;
    for index in 0..40 {
        let Some(generated) = generator.case(5, index) else { continue };
        let run = run(&generated.case, &ours());
        match run.verdict {
            Verdict::Agree => {
                let (_, observation) = run.observations.last().expect("the command ran");
                compared += observation.actions.len();
            }
            Verdict::Inconclusive(_) => {}
            other => panic!("case {index}: {other:?}"),
        }
    }
    assert!(compared > 40, "{compared} actions were compared");
}
