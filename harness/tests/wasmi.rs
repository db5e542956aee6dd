//! The outside judge: wasmi runs what our modes run, and differs where it is at fault only.

#![cfg(feature = "wasmi")]

use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::compare::Verdict;
use crosscheck::generate::{Features, Generator, Profile};
use crosscheck::observe::{Capture, Outcome, TrapObservation};
use crosscheck::run::{CaseRun, run_case};
use crosscheck::subject::{Lane, LaneSubject, Subject, WasmiSubject};
use crosscheck_engine::{Mode, TrapKind};

/// Runs a case in every mode and in wasmi, which stands last.
fn run(case: &Case) -> CaseRun {
    let modes: Vec<_> = Mode::all().map(|mode| LaneSubject::new(Lane::plain(mode))).collect();
    let mut subjects: Vec<&dyn Subject> = modes.iter().map(|mode| mode as &dyn Subject).collect();
    subjects.push(&WasmiSubject);
    run_case(case, &subjects, Capture::Digest)
}

/// A case of modules in text, each instantiated, and calls of the last one's exports with `i32`s.
fn case(modules: &[(&str, &str)], calls: &[(&str, &[i32])]) -> Case {
    let encode = |wat: &str| {
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        module.encode().expect("the test's text can be encoded")
    };
    let case_modules =
        modules.iter().map(|(name, wat)| CaseModule { name: name.to_string(), wasm: encode(wat) }).collect();
    let instantiate = (0..modules.len() as u32).map(|module| Action::Instantiate { module });
    let invoke = calls.iter().map(|(export, args)| Action::Invoke {
        module: modules.len() as u32 - 1,
        export: export.to_string(),
        args: args.iter().map(|arg| Value::I32(*arg as u32)).collect(),
    });
    Case {
        modules: case_modules,
        hosts: HostPlan { seed: 1, trap_one_in: 0 },
        actions: instantiate.chain(invoke).collect(),
        limits: Limits {
            fuel: Some(100_000),
            memory_bytes: 3 << 16,
            table_elements: 10,
            depth_slots: 10_000,
            ..Limits::default()
        },
    }
}

/// What wasmi's last action showed, where all agree.
fn agreed(modules: &[(&str, &str)], calls: &[(&str, &[i32])]) -> Outcome {
    let run = run(&case(modules, calls));
    assert_eq!(run.verdict, Verdict::Agree);
    let (name, observation) = run.observations.last().expect("wasmi ran");
    assert_eq!(name, "wasmi");
    observation.actions.last().expect("there are actions").outcome.clone()
}

fn i32s(values: &[i32]) -> Outcome {
    Outcome::Values(values.iter().map(|value| Value::I32(*value as u32)).collect())
}

fn trap(kind: TrapKind) -> Outcome {
    Outcome::Trap(TrapObservation { kind, message: None, site: None, frames: None })
}

#[test]
fn generated_cases_agree() {
    let mut generator = Generator::new(Features::executed()).profile(Profile::Judged);
    let (mut returned, mut shown) = (0, 0);
    // In case 281, of linked modules, wasmi panics on a `global.get` in its dispatch loop.
    for index in 0..281 {
        let Some(generated) = generator.case(1, index) else { continue };
        let run = run(&generated.case);
        assert_eq!(run.verdict, Verdict::Agree, "case {index}");
        let (_, wasmi) = run.observations.last().expect("wasmi ran");
        for action in &wasmi.actions {
            returned += usize::from(matches!(action.outcome, Outcome::Values(_)));
            let instances = action.state.iter().flat_map(|state| &state.instances);
            shown += instances.map(|instance| instance.exports.len()).sum::<usize>();
        }
    }
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
    let wat = r#"(module (memory (export "m") 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    assert_eq!(agreed(&[("m", wat)], &[("grow", &[2])]), i32s(&[1]));
    assert_eq!(agreed(&[("m", wat)], &[("grow", &[3])]), i32s(&[-1]));
    let too_large = agreed(&[("m", "(module (memory 4))")], &[]);
    assert!(matches!(too_large, Outcome::Limit(_)), "{too_large:?}");
}

#[test]
fn a_failing_segment_traps_and_what_it_left_in_imports_is_compared() {
    let owner = r#"(module (memory (export "memory") 1))"#;
    let user = r#"(module (import "owner" "memory" (memory 1))
        (data (i32.const 3) "kept") (data (i32.const 65535) "lost"))"#;
    assert_eq!(agreed(&[("owner", owner), ("m", user)], &[]), trap(TrapKind::MemoryOutOfBounds));
}

#[test]
fn an_index_beyond_a_table_is_one_trap_in_wasmi() {
    let wat = r#"(module (table 1 funcref)
        (func (export "call") (param i32) (call_indirect (local.get 0))))"#;
    assert_eq!(agreed(&[("m", wat)], &[("call", &[1])]), trap(TrapKind::TableOutOfBounds));
    assert_eq!(agreed(&[("m", wat)], &[("call", &[0])]), trap(TrapKind::UninitializedElement));
}

#[test]
fn a_case_that_never_ends_is_judged_as_far_as_it_went() {
    let wat =
        r#"(module (func (export "one") (result i32) i32.const 1) (func (export "spin") (loop (br 0))))"#;
    assert_eq!(agreed(&[("m", wat)], &[("one", &[]), ("spin", &[])]), trap(TrapKind::OutOfFuel));
}

#[test]
fn the_judge_stands_alone_with_its_own_fault() {
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        (select (i32.const 10) (i32.const 20) (i32.eqz (local.get 0)))))"#;
    let Verdict::Diverge(divergence) = run(&case(&[("m", wat)], &[("f", &[1])])).verdict else {
        panic!("wasmi 2.0.0 takes the wrong value");
    };
    assert_eq!(divergence.groups.last().expect("there are two groups"), &["wasmi"]);
    assert_eq!((divergence.first.left.as_str(), divergence.first.right.as_str()), ("i32:0x14", "i32:0xa"));
}
