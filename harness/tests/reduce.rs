//! Findings of planted faults are reduced to a script that shows the fault and hardly anything else.

#![cfg(feature = "planted-faults")]

use crosscheck::case::Case;
use crosscheck::compare::Verdict;
use crosscheck::corpus::Finding;
use crosscheck::events::{Events, Tally};
use crosscheck::fingerprint::Fingerprint;
use crosscheck::generate::Features;
use crosscheck::observe::Capture;
use crosscheck::reduce::{Reducer, to_script};
use crosscheck::run::{Campaign, CaseRun, Lanes, run_case};
use crosscheck::subject::{Lane, LaneSubject, Subject};
use crosscheck_engine::Mode;
use crosscheck_engine::faults::{Fault, plant};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Keeps what a campaign finds.
#[derive(Default)]
struct Kept(Vec<Finding>);

impl Events for Kept {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
    fn finding(&mut self, finding: &Finding) {
        self.0.push(finding.clone());
    }
}

fn run(case: &Case) -> CaseRun {
    let subjects: Vec<LaneSubject> = Mode::all().map(|mode| LaneSubject::new(Lane::plain(mode))).collect();
    let subjects: Vec<&dyn Subject> = subjects.iter().map(|subject| subject as &dyn Subject).collect();
    run_case(case, &subjects, Capture::Digest)
}

fn fingerprint(run: &CaseRun) -> Option<Fingerprint> {
    if let Verdict::Diverge(divergence) = &run.verdict { Some(divergence.fingerprint()) } else { None }
}

fn code_bytes(case: &Case) -> usize {
    let payloads = case.modules.iter().flat_map(|module| wasmparser::Parser::new(0).parse_all(&module.wasm));
    let bodies = payloads.filter_map(|payload| match payload {
        Ok(wasmparser::Payload::CodeSectionEntry(body)) => Some(body.range()),
        _ => None,
    });
    bodies.map(|range| (range.end - range.start) as usize).sum()
}

#[test]
fn findings_of_planted_faults_become_small_scripts() {
    for (fault, opcode) in
        [("interp-branch-keeps-lower-operands", "br"), ("fast-interp-branch-forgets-negation", "eqz")]
    {
        plant(Some(Fault::named(fault)));
        let mut kept = Kept::default();
        let campaign = Campaign {
            seed: 5,
            first: 0,
            cases: Some(2_000),
            time: None,
            shard: (0, 1),
            lanes: Lanes::Fixed(Mode::all().map(Lane::plain).collect()),
            judges: Vec::new(),
            features: Features::executed(),
        };
        campaign.run(&mut kept, &AtomicBool::new(false));
        let finding = kept.0.first().unwrap_or_else(|| panic!("{fault} is found"));
        let wanted = finding.divergence.fingerprint();
        let interesting = |case: &Case| fingerprint(&run(case)) == Some(wanted.clone());
        let (stop, silent) = (AtomicBool::new(false), |_: &Case| ());
        let reducer = Reducer::new(&finding.case, &interesting, &stop, &silent);
        let reduced = reducer.unwrap_or_else(|refused| panic!("{fault}: {refused:?}")).run();
        let last = run(&reduced.case);
        assert_eq!(fingerprint(&last), Some(wanted), "{fault}: still the same bug");
        let bytes = code_bytes(&reduced.case);
        assert!(bytes <= 120, "{fault}: {bytes} bytes of code are left");
        let script = to_script(&reduced.case, &last.observations[0].1, &[]).expect("it can be printed");
        assert!(script.contains(opcode), "{fault}: {script}");
        plant(None);
    }
}
