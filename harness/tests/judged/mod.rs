//! Cases of modules in text, run by every mode and by a judge.

#![allow(dead_code, reason = "each test program uses a part")]

use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::compare::Verdict;
use crosscheck::features::Features;
use crosscheck::generate::{Generator, Profile};
use crosscheck::observe::{Capture, Outcome};
use crosscheck::subject::{Lane, LaneSubject, Subject};
use crosscheck::trial::{CaseRun, run_case};
use crosscheck_engine::{Mode, TrapKind};

/// Runs a case in every mode and by a judge, which stands last.
pub fn run(case: &Case, judge: &dyn Subject) -> CaseRun {
    let modes: Vec<_> = Mode::all().map(|mode| LaneSubject::new(Lane::plain(mode))).collect();
    let mut subjects: Vec<&dyn Subject> = modes.iter().map(|mode| mode as &dyn Subject).collect();
    subjects.push(judge);
    run_case(case, &subjects, Capture::Digest)
}

/// A module's bytes.
pub fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

/// A case of modules in text, each instantiated, and calls of the last one's exports.
pub fn case(modules: &[(&str, &str)], calls: &[(&str, &[Value])]) -> Case {
    let case_modules =
        modules.iter().map(|(name, wat)| CaseModule { name: name.to_string(), wasm: encode(wat) }).collect();
    let instantiate = (0..modules.len() as u32).map(|module| Action::Instantiate { module });
    let invoke = calls.iter().map(|(export, args)| Action::Invoke {
        module: modules.len() as u32 - 1,
        export: export.to_string(),
        args: args.to_vec(),
    });
    Case {
        modules: case_modules,
        hosts: HostPlan::new(1, 0),
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

/// What the judge showed of each action, where all agree.
pub fn agreed(judge: &dyn Subject, modules: &[(&str, &str)], calls: &[(&str, &[Value])]) -> Vec<Outcome> {
    let run = run(&case(modules, calls), judge);
    assert_eq!(run.verdict, Verdict::Agree);
    let (name, observation) = run.observations.last().expect("the judge ran");
    assert_eq!(name, judge.name());
    observation.actions.iter().map(|action| action.outcome.clone()).collect()
}

/// What the judge showed of the last action, where all agree.
pub fn agreed_at_last(judge: &dyn Subject, modules: &[(&str, &str)], calls: &[(&str, &[Value])]) -> Outcome {
    agreed(judge, modules, calls).pop().expect("there are actions")
}

/// All modes and the judge agree on the first generated cases of seed 1, but where the judge panics with words that are
/// known of it, in at most one of twenty cases; how many actions returned, and how many exported entities were compared.
pub fn generated_cases_agree(judge: &dyn Subject, cases: u64, known: &[&str]) -> (usize, usize) {
    let mut generator = Generator::new(Features::executed()).profile(Profile::Judged);
    let (mut returned, mut shown, mut panicked) = (0, 0, 0);
    for index in 0..cases {
        let Some(generated) = generator.case(1, index) else { continue };
        let run = run(&generated.case, judge);
        let (_, observation) = run.observations.last().expect("the judge ran");
        if let Some((_, Outcome::Crash(words))) = observation.failure()
            && known.iter().any(|known| words.contains(known))
        {
            panicked += 1;
            continue;
        }
        assert_eq!(run.verdict, Verdict::Agree, "case {index}");
        for action in &observation.actions {
            returned += usize::from(matches!(action.outcome, Outcome::Values(_)));
            let instances = action.state.iter().flat_map(|state| &state.instances);
            shown += instances.map(|instance| instance.exports.len()).sum::<usize>();
        }
    }
    assert!(panicked * 20 <= cases, "the judge panics in {panicked} of {cases} cases");
    (returned, shown)
}

/// A memory of the judge grows to the limit of the case and no further, and none begins beyond it.
pub fn memories_grow_to_the_limit(judge: &dyn Subject) {
    let wat = r#"(module (memory (export "m") 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    assert_eq!(agreed_at_last(judge, &[("m", wat)], &[("grow", &[i32(2)])]), values(&[i32(1)]));
    assert_eq!(agreed_at_last(judge, &[("m", wat)], &[("grow", &[i32(3)])]), values(&[i32(-1)]));
    let too_large = agreed_at_last(judge, &[("m", "(module (memory 4))")], &[]);
    assert!(matches!(too_large, Outcome::Limit(_)), "{too_large:?}");
}

/// A segment that fails traps, and all agree on what it left in an imported memory.
pub fn a_failing_segment_traps(judge: &dyn Subject) {
    let owner = r#"(module (memory (export "memory") 1))"#;
    let user = r#"(module (import "owner" "memory" (memory 1))
        (data (i32.const 3) "kept") (data (i32.const 65535) "lost"))"#;
    let failed = agreed_at_last(judge, &[("owner", owner), ("m", user)], &[]);
    assert_eq!(failed, trap(TrapKind::MemoryOutOfBounds));
}

/// A judge with fuel of its own is compared on all that a case does before it would go on for ever.
pub fn what_never_ends_runs_out_of_fuel(judge: &dyn Subject) {
    let wat =
        r#"(module (func (export "one") (result i32) i32.const 1) (func (export "spin") (loop (br 0))))"#;
    let last = agreed_at_last(judge, &[("m", wat)], &[("one", &[]), ("spin", &[])]);
    assert_eq!(last, trap(TrapKind::OutOfFuel));
}

/// An argument or result.
pub fn i32(value: i32) -> Value {
    Value::I32(value as u32)
}

/// A call that returned these.
pub fn values(values: &[Value]) -> Outcome {
    Outcome::Values(values.to_vec())
}

/// A trap, as judges show one.
pub fn trap(kind: TrapKind) -> Outcome {
    Outcome::trap(kind, None)
}
