//! Campaigns that end before they are done, and which subjects their cases have.

use super::*;
use crate::finding::Finding;
use crate::subject::MODEL;
use std::sync::atomic::AtomicU64;

/// A listener that ignores everything.
struct Silence;

impl Events for Silence {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}

    fn finding(&mut self, _: &Finding) {}
}

const CASES: u64 = 300;

fn campaign() -> Campaign {
    let lanes = [Mode::Interp, Mode::FastInterp].map(Lane::plain).to_vec();
    Campaign {
        seed: 4,
        first: 0,
        cases: Some(CASES),
        time: None,
        shard: (0, 1),
        lanes: Lanes::Fixed(lanes),
        judges: Vec::new(),
        model_percent: 0,
        features: Features::executed(),
        material: None,
    }
}

/// The campaign from where it came to, until its clock was looked at that often.
fn go_on(tally: Tally, looks: u64) -> Tally {
    let (stop, looked) = (AtomicBool::new(false), AtomicU64::new(0));
    let is_late = || looked.fetch_add(1, Ordering::Relaxed) >= looks;
    let ends = Ends { stop: &stop, is_late: &is_late };
    let campaign = campaign();
    let source = || campaign.source();
    let done = campaign.go_on_until(ends, &source, tally, Ground::InProcess, &mut Silence, Instant::now());
    done.expect("this process is there")
}

#[test]
fn time_that_is_up_within_a_batch_leaves_what_can_be_gone_on_with() {
    let (stop, new) = (AtomicBool::new(false), || Tally::new(4, 0));
    let whole = campaign().run(&mut Silence, &stop);
    assert_eq!((whole.cases, whole.next_index, whole.complete), (CASES, CASES, true));
    assert!(whole.sampled > 0 && whole.coverage.opcodes["local.get"].executed > 0);
    let mut tally = new();
    let mut rests = 0;
    while tally.next_index < CASES {
        tally = go_on(tally, 70);
        rests += 1;
        assert_eq!(tally.cases, tally.next_index, "every case before the next one was done, and no other");
        assert_eq!(tally.complete, tally.next_index == CASES);
    }
    assert!(rests > 4, "{rests}");
    for (rested, whole) in [
        (tally.agree, whole.agree),
        (tally.calls, whole.calls),
        (tally.host_calls, whole.host_calls),
        (tally.wasm_bytes, whole.wasm_bytes),
        (tally.sampled, whole.sampled),
    ] {
        assert_eq!(rested, whole);
    }
    assert_eq!((tally.traps, tally.coverage), (whole.traps, whole.coverage));
}

#[test]
fn a_campaign_whose_time_is_up_at_once_has_done_nothing() {
    let tally = go_on(Tally::new(4, 0), 0);
    assert_eq!((tally.cases, tally.next_index, tally.complete), (0, 0, false));
}

#[test]
fn the_model_runs_a_share_of_the_cases_and_changes_no_lane() {
    let names = |model_percent, seed| -> Vec<String> {
        let campaign = Campaign { model_percent, ..campaign() };
        campaign.subjects(seed).iter().map(|subject| subject.name().to_string()).collect()
    };
    let with_model =
        |percent| (0..1000).filter(|seed| names(percent, *seed).contains(&MODEL.to_string())).count();
    assert_eq!((with_model(0), with_model(100)), (0, 1000));
    assert!((430..=570).contains(&with_model(50)), "{}", with_model(50));
    for seed in 0..50 {
        let mut beside = names(50, seed);
        beside.retain(|name| name != MODEL);
        assert_eq!(beside, names(0, seed));
    }
}
