//! A fault in what all modes share is found beside the model, and what it is reduced to expects what the model shows.

#![cfg(feature = "planted-faults")]

use crosscheck::campaign::{Campaign, Lanes};
use crosscheck::compare::Suspect;
use crosscheck::events::{Events, Tally};
use crosscheck::features::Features;
use crosscheck::finding::Finding;
use crosscheck::run::Ground;
use crosscheck::script::{self, Options, ScriptFile, run_script};
use crosscheck::subject::{MODEL, Subject, named};
use crosscheck::triage::{Budget, Question};
use crosscheck_engine::Mode;
use crosscheck_engine::faults::{Fault, plant};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Faults in what all modes share, which show in memory: scripts can say that.
const FAULTS: [&str; 1] = ["store-data-segment-loses-its-last-byte"];

struct Silent;

impl Events for Silent {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
    fn finding(&mut self, _: &Finding) {}
}

fn campaign(model_percent: u32) -> Tally {
    let campaign = Campaign {
        seed: 1,
        first: 0,
        cases: Some(400),
        time: None,
        shard: (0, 1),
        lanes: Lanes::Swarm(Mode::all().collect()),
        judges: Vec::new(),
        model_percent,
        features: Features::executed(),
        material: None,
    };
    campaign.run(&mut Silent, &AtomicBool::new(false))
}

/// How often a script fails, all modes together.
fn failures(script: &str) -> usize {
    let file = ScriptFile::new("reduced.wast", script.to_string());
    let report = run_script(&file, &script::Lane::all_modes(), &Options::default());
    report.unwrap_or_else(|unreadable| panic!("{unreadable}\n{script}")).failures.len()
}

#[test]
fn what_all_modes_have_in_common_is_found_beside_the_model_alone() {
    for fault in FAULTS {
        plant(Some(Fault::named(fault)));
        assert_eq!(campaign(0).diverge, 0, "{fault}: all modes agree on it");
        let tally = campaign(50);
        let finding = tally.findings.iter().min_by_key(|finding| finding.index);
        let finding = finding.unwrap_or_else(|| panic!("{fault} is not found"));
        let divergence = &finding.divergence;
        assert_eq!(divergence.triage(), Suspect::FloorOrModel, "{fault}");
        assert!(divergence.fingerprint().to_string().contains(" / model|"), "{}", divergence.fingerprint());
        assert_eq!(divergence.groups[divergence.right()], [MODEL]);
        assert_eq!(tally.judged_differences, 0, "the model is no outside engine");

        let names = divergence.groups.iter().flatten();
        let all: Vec<Arc<dyn Subject>> = names.map(|name| named(name).expect("it is known")).collect();
        let stop = AtomicBool::new(false);
        let budget = Budget { stop: &stop, time: Some(Duration::from_secs(30)) };
        let found = Question::new(Ground::InProcess, &finding.case, divergence, &all)
            .and_then(|question| question.investigate(&finding.case, &budget, &|_| ()));
        let script = found.unwrap_or_else(|why| panic!("{fault}: {why}")).script;
        let with_fault = failures(&script);
        plant(None);
        assert_eq!(with_fault % Mode::all().count(), 0, "{fault}: every mode fails it\n{script}");
        assert!(with_fault > 0, "{fault}: {script}");
        assert_eq!(failures(&script), 0, "{fault}: {script}");
    }
}
