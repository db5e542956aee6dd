//! Outside engines that lie, die and lack things, on small scripts: what is said of each directive.

use super::super::{Lane, Options, run_files_beside};
use super::*;
use crate::observe::{ActionObservation, Capture, Outcome};
use crate::script::JudgeCounts;
use crate::subject::{Capabilities, Lane as SubjectLane, LaneSubject, Prepared, Unwatched, Watch};
use std::sync::atomic::AtomicBool;

/// Our own reference under another name, with something wrong with it.
struct Judge {
    /// Changes what an action showed; the number is that of the action in its case.
    change: fn(&crate::case::Action, &mut ActionObservation),
    accepts: fn(&[u8]) -> Acceptance,
    capabilities: Capabilities,
    runs_scripts: Option<ScriptRun>,
}

impl Judge {
    fn right() -> Judge {
        Judge {
            change: |_, _| (),
            accepts: |wasm| match wasmparser::Validator::new().validate_all(wasm) {
                Ok(_) => Acceptance::Valid,
                Err(error) => Acceptance::Refused(error.to_string()),
            },
            capabilities: Capabilities { to_the_end: true, ..Capabilities::NONE },
            runs_scripts: None,
        }
    }
}

impl Subject for Judge {
    fn name(&self) -> &str {
        "judge"
    }

    fn version(&self) -> Option<&str> {
        Some("1.0")
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mode = Mode::all().next().expect("there is a mode");
        let reference = LaneSubject::new(SubjectLane::plain(mode));
        let mut observation = reference.observe(prepared, capture, &mut Unwatched);
        let mut shown = 0;
        for (action, observed) in prepared.case.actions.iter().zip(&mut observation.actions) {
            watch.begins(shown);
            (self.change)(action, observed);
            watch.ended(observed);
            shown += 1;
            let ends_here = !self.capabilities.to_the_end && !matches!(observed.outcome, Outcome::Values(_));
            if observed.outcome.failure().is_some() || ends_here {
                break;
            }
        }
        observation.actions.truncate(shown);
        observation
    }

    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        (self.accepts)(wasm)
    }

    fn run_script(&self, _: &str) -> Option<ScriptRun> {
        self.runs_scripts.clone()
    }
}

fn report(judge: Judge, text: &'static str) -> JudgeReport {
    let (file, judges): (_, [Arc<dyn Subject>; 1]) = (ScriptFile::new("test.wast", text), [Arc::new(judge)]);
    let (lanes, stop) = (Lane::all_modes(), AtomicBool::new(false));
    let report = run_files_beside(&[file], &lanes, &judges, &Options::default(), &stop, &|_, _| {});
    let mut report = report.expect("the engine is in this process");
    assert!(report.failures.is_empty(), "our modes are right: {:?}", report.failures);
    report.judges.pop().expect("the judge was asked")
}

/// Runs a script and compares the figures (passed, failed, unsupported) and the failures, as `line: message`.
fn check(judge: Judge, text: &'static str, figures: (u64, u64, u64), failures: &[&str]) -> JudgeReport {
    let report = report(judge, text);
    let found = report.failures.iter().map(|failure| format!("{}: {}", failure.line, failure.message));
    assert_eq!(found.collect::<Vec<_>>(), failures);
    let JudgeCounts { passed, failed, unsupported, .. } = report.counts;
    assert_eq!((passed, failed, unsupported), figures, "{:#?}", report.unsupported);
    let sum: u64 = report.unsupported.iter().map(|entry| entry.count).sum();
    assert_eq!(sum, unsupported, "each has a reason");
    report
}

const LINKED: &str = r#"
    (module $a (memory (export "m") 1) (func (export "f") (result i32) (i32.load (i32.const 0))))
    (register "lib" $a)
    (module $b (import "lib" "m" (memory 1)) (import "spectest" "print_i32" (func (param i32)))
      (func (export "g") (param i32) (i32.store (i32.const 0) (local.get 0))))
    (invoke $b "g" (i32.const 7))
    (assert_return (invoke $a "f") (i32.const 7))
    (register "lib" $b)
    (assert_unlinkable (module (import "lib" "g" (func))) "incompatible import type")
    (module $c (func (export "nan") (result f32) (f32.div (f32.const 0) (f32.const 0)))
      (global (export "x") i64 (i64.const 3)))
    (assert_return (invoke $c "nan") (f32.const nan:canonical))
    (assert_return (get "x") (i64.const 3))
    (assert_return (get "x") (either (i64.const 4) (i64.const 3)))
    (assert_trap (module (memory 1) (data (i32.const 65536) "a")) "out of bounds memory access")
    (module definition $d (func (export "h") (result i32) (i32.const 1)))
    (module instance $e $d)
    (assert_return (invoke $e "h") (i32.const 1))
    (assert_invalid (module (func (result i32))) "type mismatch")
    (assert_malformed (module binary "\00asm") "unexpected end")
    (assert_malformed (module quote "(func") "unexpected end")"#;

#[test]
fn a_right_engine_passes_all_that_can_be_asked() {
    check(Judge::right(), LINKED, (9, 0, 1), &[]);
}

#[test]
fn wrong_values_traps_and_acceptances_fail_with_the_line() {
    let wrong = Judge {
        change: |_, observed| match &mut observed.outcome {
            Outcome::Values(values) => {
                values.iter_mut().for_each(|value| *value = crate::case::Value::I32(0))
            }
            Outcome::Trap(trap) => trap.kind = crosscheck_engine::TrapKind::Unreachable,
            _ => observed.outcome = Outcome::Values(Vec::new()),
        },
        accepts: |_| Acceptance::Valid,
        ..Judge::right()
    };
    check(
        wrong,
        LINKED,
        (0, 9, 1),
        &[
            "7: expected [i32:0x7], got i32:0x0",
            "9: expected link error: incompatible import type, got ok",
            "12: expected [f32:nan:canonical], got i32:0x0",
            "13: expected [i64:0x3], got i32:0x0",
            "14: expected [i64:0x4 or i64:0x3], got i32:0x0",
            "15: expected trap: out of bounds memory access, got trap: unreachable at 0x0010",
            "18: expected [i32:0x1], got i32:0x0",
            "19: expected the module to be refused (type mismatch), it was accepted",
            "20: expected the module to be refused (unexpected end), it was accepted",
        ],
    );
}

const CALLS: &str = r#"
    (module (func (export "die") (result i32) (i32.const 1)) (func (export "live") (result i32) (i32.const 2))
      (func (export "trap") (result i32) (i32.div_u (i32.const 1) (i32.const 0))))
    (assert_return (invoke "live") (i32.const 2))
    (assert_return (invoke "die") (i32.const 1))
    (assert_trap (invoke "trap") "integer divide by zero")
    (assert_return (invoke "live") (i32.const 2))
    (module (func (export "other") (result i32) (i32.const 3)))
    (assert_return (invoke "other") (i32.const 3))"#;

fn is_call_of(action: &crate::case::Action, name: &str) -> bool {
    matches!(action, crate::case::Action::Invoke { export, .. } if export == name)
}

#[test]
fn an_engine_that_dies_fails_that_directive_and_is_judged_on_the_rest() {
    let dying = Judge {
        change: |action, observed| {
            if is_call_of(action, "die") {
                *observed = ActionObservation::last(Outcome::Crash("signal 11".into()));
            }
        },
        ..Judge::right()
    };
    check(dying, CALLS, (4, 1, 0), &["5: expected [i32:0x1], got crash: signal 11"]);
}

#[test]
fn an_engine_that_hangs_everywhere_is_given_up() {
    let hanging = Judge {
        change: |_, observed| *observed = ActionObservation::last(Outcome::Hang("not done".into())),
        ..Judge::right()
    };
    // Modules are no assertions, and of what needs them nothing can be said.
    let report = check(
        hanging,
        CALLS,
        (0, 0, 5),
        &["2: expected success, got hang: not done", "8: expected success, got hang: not done"],
    );
    assert_eq!(report.counts.steps_failed, 2);
}

#[test]
fn what_an_engine_does_not_execute_is_unsupported_with_its_line_and_reason() {
    let lacking = Judge {
        change: |action, observed| {
            if let crate::case::Action::Instantiate { module: 0 } = action {
                observed.outcome = Outcome::Unsupported("no such thing".into());
            }
        },
        accepts: |_| Acceptance::Unknown("cannot say".into()),
        ..Judge::right()
    };
    let report = check(lacking, CALLS, (0, 0, 5), &[]);
    let told: Vec<_> = report.unsupported.iter().map(|e| (e.line, e.count, e.reason.as_str())).collect();
    assert_eq!(told, [(2, 4, "no such thing"), (8, 1, "no such thing")]);
}

#[test]
fn an_engine_that_shows_nothing_after_a_trap_is_asked_again_without_it() {
    let short = Judge { capabilities: Capabilities::NONE, ..Judge::right() };
    check(short, CALLS, (5, 0, 0), &[]);
}

#[test]
fn kinds_of_trap_are_told_apart_as_far_as_the_engine_does() {
    let text = r#"(module (table 1 funcref) (func (export "null") (call_indirect (i32.const 0))))
        (assert_trap (invoke "null") "uninitialized element")"#;
    let confusing = |capabilities| Judge {
        change: |_, observed| {
            if let Outcome::Trap(trap) = &mut observed.outcome {
                trap.kind = crosscheck_engine::TrapKind::IndirectCallTypeMismatch;
            }
        },
        capabilities,
        ..Judge::right()
    };
    let none = Capabilities { to_the_end: true, ..Capabilities::NONE };
    check(confusing(none), text, (1, 0, 0), &[]);
    let precise = Capabilities { unfit_callees: true, ..none };
    let told = "2: expected trap: uninitialized element, got trap: indirect call type mismatch at 0x0029";
    check(confusing(precise), text, (0, 1, 0), &[told]);
}

#[test]
fn a_runner_of_its_own_says_one_thing_about_the_whole_script() {
    let own = |run| Judge { runs_scripts: Some(run), ..Judge::right() };
    check(own(ScriptRun::Passed), CALLS, (5, 0, 0), &[]);
    check(own(ScriptRun::NotRun("no room".into())), CALLS, (0, 0, 5), &[]);
    check(
        own(ScriptRun::Failed("3 of 5 passed".into())),
        CALLS,
        (0, 1, 4),
        &["4: the engine's own runner of scripts: 3 of 5 passed"],
    );
}

#[test]
fn what_is_found_out_before_any_engine_is_asked_is_no_pass() {
    check(
        Judge::right(),
        r#"(assert_unlinkable (module (import "missing" "f" (func))) "unknown import")
           (assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")
           (assert_malformed (module quote "(func") "unexpected end")
           (assert_malformed_custom (module quote "(@custom)") "missing section name")"#,
        (0, 0, 4),
        &[],
    );
}

#[test]
fn vectors_and_other_things_that_no_mode_executes_are_asked_of_engines() {
    // The reference under the judge does not execute it either; but it was asked.
    let report = report(
        Judge {
            change: |action, observed| {
                observed.outcome = Outcome::Values(match action {
                    crate::case::Action::Invoke { args, .. } => args.clone(),
                    _ => Vec::new(),
                });
            },
            ..Judge::right()
        },
        r#"(module (func (export "id") (param v128) (result v128) (local.get 0)))
           (assert_return (invoke "id" (v128.const i32x4 1 2 3 4)) (v128.const i32x4 1 2 3 4))"#,
    );
    assert_eq!(report.counts.passed, 1);
}

#[test]
fn an_engine_need_not_share_our_fuel_frames_and_nan_bits() {
    let wrong = || Judge {
        change: |action, observed| {
            if matches!(action, crate::case::Action::Invoke { .. }) {
                observed.outcome = Outcome::Values(vec![crate::case::Value::I32(0xffc0_0000)]);
            }
        },
        ..Judge::right()
    };
    let script = r#"(module (func (export "f") (result i32)
          (i32.reinterpret_f32 (f32.div (f32.const 0) (f32.const 0)))))
        (assert_return (invoke "f") (i32.const 0x7fc00000))"#;
    let told = ["3: expected [i32:0x7fc00000], got i32:0xffc00000"];
    check(wrong(), script, (0, 1, 0), &told);
    check(wrong(), format!(";;! profile: deterministic\n{script}").leak(), (0, 0, 1), &[]);
    // Fuel explains nothing but that it runs out.
    let told = ["4: expected [i32:0x7fc00000], got i32:0xffc00000"];
    check(wrong(), format!(";;! fuel: 1000\n{script}").leak(), (0, 1, 0), &told);
    let endless = r#";;! fuel: 50
        (module (func $f (export "f") (result i32) (loop (result i32) (br 0))) (func (export "g")))
        (assert_trap (invoke "f") "out of fuel")"#;
    check(wrong(), endless, (0, 0, 1), &[]);
    let deep = r#";;! depth-slots: 500
        (module (func $f (export "f") (result i32) (call $f)))
        (assert_exhaustion (invoke "f") "call stack exhausted")"#;
    check(wrong(), deep, (0, 0, 1), &[]);
}

/// The engine's own runner would speak of the whole script, and is not asked.
#[test]
fn one_line_of_a_script_is_judged_after_what_stands_before_it() {
    let text = r#"(module (global $n (mut i32) (i32.const 0)) (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
      (assert_return (invoke "next") (i32.const 7))
      (assert_return (invoke "next") (i32.const 2))
      (assert_return (invoke "next") (i32.const 7))"#;
    let engine = || Judge { runs_scripts: Some(ScriptRun::Failed("all of it".into())), ..Judge::right() };
    let judged = |line: u32| {
        let file = ScriptFile { line: Some(line), ..ScriptFile::new("test.wast", text) };
        let judges: [Arc<dyn Subject>; 1] = [Arc::new(engine())];
        let (lanes, stop) = (Lane::all_modes(), AtomicBool::new(false));
        let report = run_files_beside(&[file], &lanes, &judges, &Options::default(), &stop, &|_, _| {});
        let report = report.expect("the engine is in this process");
        let judge = &report.judges[0];
        let lines = judge.failures.iter().chain(&report.failures).map(|failure| failure.line);
        assert!(lines.clone().all(|failed| failed == line), "{:?}", lines.collect::<Vec<_>>());
        let modes = report.modes.iter().map(|(_, counts)| (counts.passed, counts.failed));
        (judge.counts.passed, judge.counts.failed, modes.collect::<Vec<_>>())
    };
    assert_eq!(judged(4), (1, 0, vec![(1, 0); Lane::all_modes().len()]));
    assert_eq!(judged(3), (0, 1, vec![(0, 1); Lane::all_modes().len()]));
}
