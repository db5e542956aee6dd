//! A fault of an outside engine has one name, in whichever way a case shows it.

mod judged;

use crosscheck::case::{Case, Value};
use crosscheck::compare::{Compared, Verdict};
use crosscheck::fingerprint::Fingerprint;
use crosscheck::observe::{Capture, Observation, Outcome};
use crosscheck::run::Ground;
use crosscheck::subject::{Capabilities, CommandSubject, Lane, LaneSubject, Prepared, Subject, Watch, named};
use crosscheck::triage::{Budget, Investigation, Question};
use crosscheck::trial::run_case;
use crosscheck_engine::{Mode, Module, TrapKind};
use judged::i32;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wasmparser::{FuncValidatorAllocations, Operator, OperatorsReader, Parser, ValidPayload, Validator};

/// An engine that is right but for one fault, and shows no more than a command: how calls end, and what hosts are
/// called with.
struct Faulty {
    /// The bytes that stand in place of an instruction, as many as it has, where the fault is; told by the operator and
    /// the operands in the function's stack.
    instead: fn(&Operator<'_>, u32) -> Option<&'static [u8]>,
}

/// `i32.shl` shifts the other way.
const SHIFT: Faulty =
    Faulty { instead: |operator, _| matches!(operator, Operator::I32Shl).then_some(&[0x76]) };

/// A tail call traps (`unreachable`, `nop`) where there are operands below its own, of which callees here take one at most.
const TAIL_CALL: Faulty = Faulty {
    instead: |operator, height| {
        (matches!(operator, Operator::ReturnCall { .. }) && height > 1).then_some(&[0x00, 0x01])
    },
};

impl Faulty {
    fn falsified(&self, wasm: &[u8]) -> Vec<u8> {
        let mut falsified = wasm.to_vec();
        let mut validator = Validator::new_with_features(Module::FEATURES);
        for payload in Parser::new(0).parse_all(wasm) {
            let valid = validator.payload(&payload.expect("it was decoded")).expect("it is valid");
            let ValidPayload::Func(function, body) = valid else { continue };
            let mut function = function.into_validator(FuncValidatorAllocations::default());
            let mut reader = body.get_binary_reader();
            function.read_locals(&mut reader).expect("it is valid");
            let mut operators = OperatorsReader::new(reader);
            while !operators.eof() {
                let at = operators.original_position();
                let operator = operators.read().expect("it is valid");
                if let Some(instead) = (self.instead)(&operator, function.operand_stack_height()) {
                    falsified[at as usize..][..instead.len()].copy_from_slice(instead);
                }
                function.op(at, &operator).expect("it is valid");
            }
        }
        falsified
    }
}

impl Subject for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { nan_bits: true, ..Capabilities::NONE }
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mut case = prepared.case.clone();
        case.modules.iter_mut().for_each(|module| module.wasm = self.falsified(&module.wasm));
        LaneSubject::new(Lane::plain(Mode::Interp)).observe(&Prepared::new(&case), capture, watch)
    }
}

/// What is found out about a case beside a judge, and the fingerprint of how it is seen.
fn found(case: &Case, judge: &Arc<dyn Subject>) -> (Investigation, Fingerprint, Fingerprint) {
    let subjects = [named("interp").expect("a mode"), named("fast-interp").expect("a mode"), judge.clone()];
    let borrowed: Vec<&dyn Subject> = subjects.iter().map(|subject| &**subject).collect();
    let Verdict::Diverge(divergence) = run_case(case, &borrowed, Capture::Digest).verdict else {
        panic!("the judge is wrong");
    };
    let question = Question::new(Ground::InProcess, case, &divergence, &subjects).expect("it shows again");
    let stop = AtomicBool::new(false);
    let budget = Budget { stop: &stop, time: Some(Duration::from_secs(600)) };
    let found = question.investigate(case, &budget, &|_| ()).expect("it can be reduced");
    let bug = found.bug(&divergence);
    (found, bug, divergence.fingerprint())
}

/// The cases, which are seen in as many ways, have one bug of that name.
fn have_one_name(cases: &[Case], judge: &Arc<dyn Subject>, name: &str) {
    let mut ways = BTreeSet::new();
    for case in cases {
        let (found, bug, way) = found(case, judge);
        let why = found.relative.as_ref().err();
        assert_eq!(bug.to_string(), name, "seen as {way}; {why:?}\n{}", found.script);
        ways.insert(way);
    }
    assert_eq!(ways.len(), cases.len(), "each case shows it in another way: {ways:?}");
}

fn case(wat: &str, calls: &[(&str, &[Value])]) -> Case {
    judged::case(&[("m", wat)], calls)
}

#[test]
fn a_wrong_operation_has_one_name_as_a_result_and_as_an_argument_of_a_host() {
    let cases = [
        case(
            r#"(module (func (export "f") (param i32) (result i32)
                (i32.add (i32.shl (local.get 0) (i32.const 3)) (i32.const 5))))"#,
            &[("f", &[i32(9)])],
        ),
        case(
            r#"(module (import "host" "take" (func $take (param i32)))
                (func (export "f") (param i32) (call $take (i32.shl (local.get 0) (i32.const 1)))))"#,
            &[("f", &[i32(1)])],
        ),
    ];
    have_one_name(&cases, &(Arc::new(SHIFT) as Arc<dyn Subject>), "faulty|outcome|i32.shl");
}

/// A judge that shows nothing of what a probe leaves is not asked inside a function. So the operation by which the wrong
/// value is seen stays in the name, and one bug can have several names.
#[test]
fn an_operation_that_the_wrong_value_is_seen_by_stays_in_the_name() {
    let cases = [
        case(
            r#"(module (func (export "f") (param i32) (result f64)
                (f64.convert_i32_s (i32.shl (i32.const 3) (local.get 0)))))"#,
            &[("f", &[i32(2)])],
        ),
        case(
            r#"(module (func (export "f") (param i32)
                (if (i32.shl (local.get 0) (i32.const 30)) (then unreachable))))"#,
            &[("f", &[i32(1)])],
        ),
    ];
    for case in &cases {
        let (found, bug, _) = found(case, &(Arc::new(SHIFT) as Arc<dyn Subject>));
        let operations = bug.to_string();
        let operations = operations.strip_prefix("faulty|outcome|").expect("it has a relative");
        assert!(operations.split(" + ").any(|operation| operation == "i32.shl"), "{bug}\n{}", found.script);
    }
}

#[test]
fn what_a_tail_call_takes_to_go_wrong_is_found_by_experiment() {
    let cases = [
        case(
            r#"(module (func $g (param i32) (result i32) (local.get 0))
                (func (export "f") (param i32) (result i32)
                    i64.const 7 local.get 0 return_call $g))"#,
            &[("f", &[i32(9)])],
        ),
        case(
            r#"(module (import "host" "take" (func $take (param i32)))
                (func $g (param i32) (result i32) (local.get 0))
                (func (export "f") (param i32) (result i32)
                    local.get 0 call $take
                    f32.const 7 local.get 0 return_call $g)
                (func (export "h") (param i32)
                    (if (i32.eq (local.get 0) (i32.const 2)) (then unreachable))
                    (drop (call 2 (local.get 0)))))"#,
            &[("h", &[i32(1)]), ("h", &[i32(2)])],
        ),
    ];
    for case in &cases {
        let (found, bug, _) = found(case, &(Arc::new(TAIL_CALL) as Arc<dyn Subject>));
        assert_eq!(bug.to_string(), "faulty|outcome|tail call|operands below", "{}", found.script);
        assert!(found.relative.expect("there is one").signature.is_tried());
    }
    // With nothing below, nothing is wrong: `unreachable` is what this case does.
    let right = r#"(module (func $g (param i32) unreachable)
        (func (export "f") (param i32) local.get 0 return_call $g))"#;
    let agreed = judged::agreed_at_last(&TAIL_CALL, &[("m", right)], &[("f", &[i32(1)])]);
    assert!(matches!(agreed, Outcome::Trap(trap) if trap.kind == TrapKind::Unreachable));
}

#[test]
#[allow(clippy::print_stdout, reason = "what is not tested is told")]
fn the_tail_calls_of_wasm_interp_are_one_bug() {
    let judge = match CommandSubject::of_preset("wasm-interp") {
        Ok(judge) => judge,
        Err(why) => return println!("NOT TESTED: {why}"),
    };
    let cases = [
        case(
            r#"(module (func $g (result f64) (f64.const 1))
                (func (export "f") (result f64) (local i32) local.get 0 return_call $g))"#,
            &[("f", &[]), ("f", &[])],
        ),
        case(
            r#"(module (func $g (result i64 i32) (i64.const 3) (i32.const 4))
                (func (export "f") (result i64 i32) (i32.const 1) return_call $g)
                (func (export "h") (result i64 i32) return_call $g))"#,
            &[("h", &[]), ("f", &[])],
        ),
        case(
            r#"(module (import "host" "take" (func $take (param i32)))
                (func (export "f") (param i32) local.get 0 local.get 0 return_call $take))"#,
            &[("f", &[i32(1)]), ("f", &[i32(0)])],
        ),
    ];
    let run = judged::run(&cases[0], &judge);
    if run.verdict == Verdict::Agree {
        let is_compared = matches!(run.compared.as_slice(), [(_, Compared::Actions(..))]);
        assert!(is_compared, "{:?}", run.compared);
        return println!("NOT TESTED: this wasm-interp drops the operands below those of a tail call");
    }
    let judge: Arc<dyn Subject> = Arc::new(judge);
    have_one_name(&cases, &judge, "wasm-interp|outcome|tail call|operands below");
}
