//! Engines behind the line protocol: the example's driver shows all that our interpreter does, and what is wrong with
//! another one is said.
//!
//! This program is the tests and the driver: with the argument [`AS_DRIVER`] it is that. So it has its own `main`.

mod judged;
#[path = "../examples/line_driver.rs"]
mod line_driver;

use crosscheck::case::{HeapKind, HostPlan, RefValue, Value};
use crosscheck::compare::Verdict;
use crosscheck::features::Features;
use crosscheck::generate::{Generator, Profile};
use crosscheck::observe::Outcome;
use crosscheck::subject::{Acceptance, PipeSubject, Subject, named};
use crosscheck_engine::TrapKind;
use judged::{agreed_at_last, case, i32, run, trap, values};
use std::io::Write;
use std::process::{Command, ExitCode};

/// What tells the driver from the tests.
const AS_DRIVER: &str = "--as-driver";

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == AS_DRIVER) {
        return line_driver::main();
    }
    let judge = twin();
    the_driver_says_what_it_executes(&judge);
    state_and_traps_are_those_of_our_modes(&judge);
    hosts_act_as_for_everybody(&judge);
    generated_cases_agree(&judge);
    what_is_wrong_with_a_driver_is_said();
    a_driver_that_ends_in_the_middle_is_a_crash_and_the_next_case_has_another();
    modules_are_refused_and_found_valid(&judge);
    what_no_refusal_is_is_not_taken_for_one();
    #[cfg(unix)]
    a_driver_that_hangs_ends_the_run_in_one_sentence();
    the_python_driver_agrees();
    the_c_driver_agrees();
    ExitCode::SUCCESS
}

fn parsed(command: &str) -> Result<PipeSubject, String> {
    PipeSubject::parse(&format!("judge=pipe:{command}")).expect("it is of the right form")
}

/// This program as the driver.
fn twin() -> PipeSubject {
    let program = std::env::current_exe().expect("a program has a path");
    parsed(&format!("'{}' {AS_DRIVER}", program.display())).expect("it speaks the protocol")
}

fn the_driver_says_what_it_executes(judge: &PipeSubject) {
    assert_eq!(judge.features(), Features { shared_hosts: false, ..Features::executed() });
    assert_eq!(judge.version(), Some("the interpreter of this project"));
    assert_eq!(judge.name(), "judge");
    assert!(judge.definition().starts_with("judge=pipe:"));
}

fn state_and_traps_are_those_of_our_modes(judge: &PipeSubject) {
    let wat = r#"(module (memory (export "m") 1) (global $n (export "n") (mut i64) (i64.const 1))
        (table (export "t") 2 funcref) (elem (i32.const 1) $f) (func $f)
        (func (export "step") (param i32 externref) (result i64 f32 externref)
            (i32.store8 (local.get 0) (i32.const 5)) (global.set $n (i64.add (global.get $n) (i64.const 3)))
            (global.get $n) (f32.const nan:0x300000) (local.get 1)))"#;
    let object = Value::Ref(RefValue::Extern(9));
    let null = Value::Ref(RefValue::Null(HeapKind::Extern));
    let seen = agreed_at_last(
        judge,
        &[("m", wat)],
        &[("step", &[i32(9), null]), ("step", &[i32(70), object.clone()])],
    );
    assert_eq!(seen, values(&[Value::I64(7), Value::F32(0x7fb0_0000), object.clone()]));
    let seen = agreed_at_last(judge, &[("m", wat)], &[("step", &[i32(-1), object])]);
    assert_eq!(seen, trap(TrapKind::MemoryOutOfBounds));
    judged::memories_grow_to_the_limit(judge);
    judged::a_failing_segment_traps(judge);
}

fn hosts_act_as_for_everybody(judge: &PipeSubject) {
    let first = r#"(module (import "h" "a" (func $a (param i32 f64) (result f32))) (memory (export "own") 1)
        (export "a" (func $a)))"#;
    let second = r#"(module (import "first" "a" (func $a (param i32 f64) (result f32)))
        (import "h" "b" (func $b (param i32) (result i64))) (import "h" "g" (global (mut i32)))
        (import "h" "m" (memory 1)) (export "memory" (memory 0)) (export "global" (global 0)) (export "a" (func $a))
        (func $start (drop (call $b (i32.const 4)))) (start $start)
        (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.load8_u (i32.const 3))))
        (func (export "go") (param i32) (result i64) (drop (call $a (local.get 0) (f64.const 2)))
            (call $b (local.get 0))))"#;
    let (mut notes, mut refused) = (0, 0);
    for seed in 0..60 {
        let calls: [(&str, &[Value]); 3] = [("go", &[i32(8)]), ("go", &[i32(3)]), ("add", &[i32(1)])];
        let mut case = case(&[("first", first), ("second", second)], &calls);
        case.hosts = HostPlan::new(seed, 9);
        let run = run(&case, judge);
        assert_eq!(run.verdict, Verdict::Agree, "seed {seed}");
        let (_, observation) = run.observations.last().expect("the judge ran");
        for call in observation.actions.iter().flat_map(|action| &action.host_calls.first) {
            notes += call.notes.len();
            refused += usize::from(call.results.is_none());
        }
    }
    assert!(notes > 20 && refused > 5, "{notes} notes, {refused} refused");
}

fn generated_cases_agree(judge: &dyn Subject) {
    let mut generator = Generator::new(Features::executed().and(&judge.features())).profile(Profile::Judged);
    let mut agreed = 0;
    for index in 0..100 {
        let Some(generated) = generator.case(1, index) else { continue };
        let run = run(&generated.case, judge);
        assert!(!matches!(run.verdict, Verdict::Diverge(_)), "case {index}: {:?}", run.verdict);
        agreed += usize::from(run.verdict == Verdict::Agree);
    }
    assert!(agreed > 90, "{agreed} cases agreed");
}

fn what_is_wrong_with_a_driver_is_said() {
    let error = |text: &str| named(text).err().unwrap_or_else(|| panic!("{text} is no driver"));
    for (text, expected) in [
        ("a b=pipe:true", "a label without spaces"),
        ("x=pipe:", "expected a command"),
        ("x=pipe:'true", "missing closing quote"),
        ("x=pipe:/nowhere/driver", "cannot start `/nowhere/driver`"),
        ("x=pipe:true", "does not speak the line protocol"),
        ("x=pipe:echo hello", "was expected to say `crosscheck 1`"),
    ] {
        let said = error(text);
        assert!(said.contains(expected) && !said.contains('\n'), "{text}: {said}");
    }
}

fn a_driver_that_ends_in_the_middle_is_a_crash_and_the_next_case_has_another() {
    let judge =
        parsed("sh -c 'read x; echo crosscheck 1 brittle; read x; echo ok; read x'").expect("it greets");
    for _ in 0..2 {
        let run = run(&case(&[("m", "(module)")], &[]), &judge);
        let (_, observation) = run.observations.last().expect("the judge ran");
        let [action] = &observation.actions[..] else { panic!("{:?}", observation.actions) };
        assert!(matches!(&action.outcome, Outcome::Crash(words) if words.contains("the driver ended")));
    }
    let babbling = parsed("sh -c 'read x; echo crosscheck 1 babbling; while read x; do echo what; done'");
    let run = run(&case(&[("m", "(module)")], &[]), &babbling.expect("it greets"));
    let (_, observation) = run.observations.last().expect("the judge ran");
    assert!(matches!(&observation.actions[0].outcome, Outcome::Crash(words) if words.contains("\"what\"")));
}

fn modules_are_refused_and_found_valid(judge: &PipeSubject) {
    let valid = judged::encode("(module (func (export \"f\") (result i32) i32.const 1))");
    let invalid = judged::encode("(module (func (result i32)))");
    assert_eq!(judge.accepts(&valid), Acceptance::Valid);
    for wasm in [&invalid[..], b"\0asm", b""] {
        assert!(matches!(judge.accepts(wasm), Acceptance::Refused(_)), "{:?}", judge.accepts(wasm));
    }
}

fn what_no_refusal_is_is_not_taken_for_one() {
    let invalid = judged::encode("(module (func (result i32)))");
    // A refusal of what the driver does not execute says nothing about the module.
    let refusing = parsed(
        "sh -c 'read x; echo crosscheck 1 no; while read x; do case $x in reset) echo ok;; *) echo refused no; esac; done'",
    );
    let refusing = refusing.expect("it greets");
    let tail_call = judged::encode("(module (func return_call 0))");
    let said = refusing.accepts(&tail_call);
    assert!(matches!(&said, Acceptance::Unknown(why) if why.contains("no")), "{said:?}");
    assert!(matches!(refusing.accepts(b"\0asm"), Acceptance::Refused(_)));
    // One that dies of a module has not refused it.
    let dying =
        parsed("sh -c 'read x; echo crosscheck 1 dying; read x; echo ok; read x'").expect("it greets");
    let said = dying.accepts(&invalid);
    assert!(
        matches!(&said, Acceptance::Failed(Outcome::Crash(words)) if words.contains("ended")),
        "{said:?}"
    );
}

/// It never greets, never answers, or no longer answers; the first process is the run's own, and ends with it.
#[cfg(unix)]
fn a_driver_that_hangs_ends_the_run_in_one_sentence() {
    let folder = std::env::temp_dir().join(format!("crosscheck-hung-drivers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let spin = "while :; do :; done";
    let greeted = format!("read x; echo crosscheck 1 asleep; {spin}");
    let reset = format!("read x; echo crosscheck 1 asleep; read x; echo ok; {spin}");
    for (hang, code, told) in [
        (spin, 2, "does not speak the line protocol: hang: the driver says nothing for 0.4 s"),
        (&greeted, 3, "the engine `x` does not work"),
        (&reset, 3, "the engine `x` does not work"),
    ] {
        let pids = folder.join("pids");
        let driver = format!("x=pipe:sh -c 'echo $$ >> \"{}\"; {hang}'", pids.display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        command.args(["fuzz", "--cases", "20", "--timeout", "400ms", "--with", &driver]);
        let output = command.current_dir(&folder).output().expect("the program starts");
        let said = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{hang}: {said}");
        assert_eq!(said.lines().filter(|line| line.contains(told)).count(), 1, "{hang}: {said}");
        let pids_told = std::fs::read_to_string(&pids).expect("it was started");
        let pid: i32 =
            pids_told.lines().next().and_then(|pid| pid.parse().ok()).expect("a number of a process");
        // SAFETY: the call takes numbers, and signal 0 is none.
        assert_ne!(unsafe { libc::kill(pid, 0) }, 0, "{hang}: {pid} is still there");
        std::fs::remove_file(&pids).expect("it was there");
    }
    std::fs::remove_dir_all(&folder).expect("it was there");
}

/// Says why something is not tested.
fn not_tested(why: &str) {
    // Whether it is heard changes no test.
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {why}");
}

fn the_python_driver_agrees() {
    let has_wasmtime = Command::new("python3").args(["-c", "import wasmtime"]).output();
    if !has_wasmtime.is_ok_and(|output| output.status.success()) {
        return not_tested("python3 has no module `wasmtime`");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/line_driver.py");
    let judge = parsed(&format!("python3 '{script}'")).expect("it speaks the protocol");
    assert!(judge.features().multi_value);
    modules_are_refused_and_found_valid(&judge);
    generated_cases_agree(&judge);
}

/// The driver in C is compiled wherever there is a compiler, and run on the library that the tests are told of.
fn the_c_driver_agrees() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/line_driver.c");
    let program = std::env::temp_dir().join(format!("crosscheck-line-driver-{}", std::process::id()));
    let compile = ["-O1", "-Wall", "-Wextra", "-Werror", "-o"];
    let compiled = Command::new("cc").args(compile).arg(&program).args([source, "-ldl"]).output();
    let Ok(compiled) = compiled else { return not_tested("there is no `cc`") };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    match std::env::var("CROSSCHECK_C_API_LIBRARY") {
        Err(_) => not_tested("CROSSCHECK_C_API_LIBRARY names no library for the driver in C"),
        Ok(library) => {
            let judge = parsed(&format!("'{}' '{library}'", program.display()));
            let judge = judge.expect("it speaks the protocol");
            assert!(judge.features().multi_value, "{:?}", judge.features());
            modules_are_refused_and_found_valid(&judge);
            judged::memories_grow_to_the_limit(&judge);
            judged::a_failing_segment_traps(&judge);
            hosts_act_as_for_everybody(&judge);
            generated_cases_agree(&judge);
        }
    }
    std::fs::remove_file(&program).expect("the driver was there");
}
