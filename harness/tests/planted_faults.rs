//! A bench that never fails proves nothing: each planted fault must be found, by the means that should find it.

#![cfg(feature = "planted-faults")]

use crosscheck::campaign::{Campaign, Lanes};
use crosscheck::case::{Action, Case};
use crosscheck::compare::{Kind, Verdict};
use crosscheck::events::{Events, Tally};
use crosscheck::features::Features;
use crosscheck::finding::Finding;
use crosscheck::observe::Capture;
use crosscheck::script::{self, Options, ScriptFile};
use crosscheck::subject::{Lane, LaneSubject};
use crosscheck::trial::run_case;
use crosscheck_engine::Mode;
use crosscheck_engine::faults::{Fault, plant};
use crosscheck_spec_tests::Group;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A fault is planted for the whole process, so one test at a time.
static PLANTING: Mutex<()> = Mutex::new(());

fn with_fault<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    plant(Some(Fault::named(name)));
    let outcome = work();
    plant(None);
    outcome
}

struct Silent;

impl Events for Silent {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
    fn finding(&mut self, _: &Finding) {}
}

fn campaign(cases: u64) -> Tally {
    campaign_of(Mode::all(), cases)
}

fn campaign_of(modes: impl Iterator<Item = Mode>, cases: u64) -> Tally {
    let lanes = Lanes::Swarm(modes.collect());
    let features = Features::executed();
    let campaign = Campaign {
        seed: 1,
        first: 0,
        cases: Some(cases),
        time: None,
        shard: (0, 1),
        lanes,
        judges: Vec::new(),
        model_percent: 0,
        features,
        material: None,
    };
    campaign.run(&mut Silent, &AtomicBool::new(false))
}

/// The campaign finds the fault, and some finding blames `mode`, which differs from the others.
fn campaign_finds(name: &str, mode: Mode) {
    let tally = with_fault(name, || campaign(3_000));
    assert!(tally.diverge > 0, "{name} was not found in {} cases", tally.cases);
    let blamed = tally.findings.iter().any(|finding| {
        finding.divergence.groups.iter().any(|group| group.iter().all(|name| name.starts_with(mode.name())))
    });
    assert!(blamed, "{name}: no finding sets {mode} apart");
}

fn suite_failures(group: &str) -> usize {
    let group: Group = group.parse().expect("a group of the suite");
    let files: Vec<ScriptFile> = group.files().into_iter().map(ScriptFile::from).collect();
    let stop = AtomicBool::new(false);
    script::run_files(&files, &script::Lane::all_modes(), &Options::default(), &stop, &|_, _| {})
        .failures
        .len()
}

#[test]
fn nothing_is_found_without_a_fault() {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    let tally = campaign(300);
    assert_eq!(tally.diverge, 0);
    assert!(tally.agree > 290);
}

#[test]
fn a_fault_in_interp_is_found_by_the_campaign() {
    campaign_finds("interp-branch-keeps-lower-operands", Mode::Interp);
}

#[test]
fn a_fault_in_fast_interp_is_found_by_the_campaign() {
    campaign_finds("fast-interp-branch-forgets-negation", Mode::FastInterp);
}

#[test]
fn a_fault_in_numeric_meanings_is_found_by_the_suite_and_by_modes_that_do_not_share_them() {
    with_fault("numeric-i32-rem-s-keeps-divisor-sign", || {
        let interpreters = Mode::all().filter(|mode| !mode.is_compiled());
        assert_eq!(
            campaign_of(interpreters, 1_000).diverge,
            0,
            "both share the meaning, so they agree on it"
        );
        if Mode::all().any(|mode| mode.is_compiled()) {
            assert!(campaign(3_000).diverge > 0, "compiled modes have meanings of their own");
        }
        assert!(suite_failures("wasm-v1") > 0);
    });
}

#[test]
fn a_fault_in_the_store_is_found_by_the_suite() {
    with_fault("store-import-minimum-ignored", || assert!(suite_failures("wasm-v1") > 0));
}

#[test]
fn a_comparison_that_ignores_the_sign_of_zero_is_found_by_its_own_check() {
    let module = |constant: u8| {
        // (module (func (export "f") (result f32) (f32.const C))), C being zero with this last byte.
        let mut wasm = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7d\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x09\x01\x07\0\x43\0\0\0".to_vec();
        wasm.extend([constant, 0x0b]);
        wasm
    };
    let show = |constant: u8| {
        let mut case = crosscheck::generate::plan::plan(module(constant), 1).expect("a small module");
        case.actions = vec![
            Action::Instantiate { module: 0 },
            Action::Invoke { module: 0, export: "f".into(), args: Vec::new() },
        ];
        observe(&case)
    };
    let verdict = || {
        let (plus, minus) = (show(0), show(0x80));
        let testimony = |name, observation| crosscheck::compare::Testimony {
            name,
            capabilities: crosscheck::subject::Capabilities::ALL,
            observation,
        };
        crosscheck::compare::judge(&[testimony("a", &plus), testimony("b", &minus)])
    };
    let sound =
        |verdict: &Verdict| matches!(verdict, Verdict::Diverge(found) if found.first.kind == Kind::Values);
    assert!(!sound(&with_fault("compare-ignores-the-sign-of-zero", verdict)), "the fault is not planted");
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(sound(&verdict()), "zeros of different sign must differ");
}

fn observe(case: &Case) -> crosscheck::observe::Observation {
    let subjects = Mode::all().map(|mode| LaneSubject::new(Lane::plain(mode))).collect::<Vec<_>>();
    let subjects: Vec<&dyn crosscheck::subject::Subject> =
        subjects.iter().map(|subject| subject as &dyn crosscheck::subject::Subject).collect();
    let run = run_case(case, &subjects, Capture::Full);
    run.observations.into_iter().next().expect("the reference ran").1
}
