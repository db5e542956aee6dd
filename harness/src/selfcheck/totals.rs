//! Whether campaigns count every lie: whole, in shards, and gone on with from disk; and whether reports tell it.

use super::{Missed, Told, fingerprint, is_told};
use crate::campaign::{Campaign, Lanes};
use crate::case::Action;
use crate::corpus::campaign::{self as saved, Identity};
use crate::corpus::{FINDINGS, Started};
use crate::events::{Events, Tally};
use crate::features::Features;
use crate::finding::Finding;
use crate::observe::{Observation, Outcome};
use crate::report::fuzz::{Fuzz, Throughput};
use crate::report::night::{FUZZ_FILE, Night, State, nights};
use crate::report::{Clock, Rendered, fuzz_summary, write_json};
use crate::run::Ground;
use crate::subject::liar::{Shows, With};
use crate::subject::{Lane, Task};
use crosscheck_engine::Mode;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Parts of the campaign that is run in shards.
const SHARDS: u64 = 3;
/// Differences that look alike and are looked at closely.
const CLOSE_LOOKS: u64 = 8;
/// How often each lie is told in the campaign of several batches: more often than a batch has cases, so that the totals of
/// batches are added, and what is not looked at closely any more is counted.
const ROUNDS: u64 = 6;
/// Characters of a total that is wrong which are shown.
const SHOWN_CHARACTERS: usize = 300;

/// Runs the campaigns; what their totals and reports tell wrongly.
pub(super) fn check(told: &[Told], ground: Ground<'_>, folder: &Path) -> Result<Vec<Missed>, String> {
    let cannot = |error| format!("{}: cannot be made or removed: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    let checked = Campaigns::new(told, ground, folder).check();
    fs::remove_dir_all(folder).map_err(cannot)?;
    checked
}

/// What campaigns are made of.
struct Campaigns<'a> {
    told: &'a [Told],
    tasks: Vec<Task>,
    ground: Ground<'a>,
    folder: &'a Path,
    stop: AtomicBool,
}

/// Saves what a campaign tells, as it does that is to be gone on with.
struct Saving<'a> {
    report: &'a Path,
    identity: &'a Identity,
    failed: Option<String>,
}

impl Saving<'_> {
    fn note(&mut self, done: std::io::Result<()>) {
        let told = |error| format!("{}: cannot save a campaign: {error}", self.report.display());
        self.failed = self.failed.take().or(done.map_err(told).err());
    }
}

impl Events for Saving<'_> {
    fn progress(&mut self, tally: &Tally, _: Option<u64>, _: Duration) {
        self.note(saved::save(self.report, self.identity, tally));
    }

    fn finding(&mut self, finding: &Finding) {
        let saved = finding.save(&self.report.join(FINDINGS), &Started::default());
        self.note(saved.map(|_| ()));
    }
}

/// A listener that hears nothing.
struct Unheard;

impl Events for Unheard {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}

    fn finding(&mut self, _: &Finding) {}
}

impl<'a> Campaigns<'a> {
    fn new(told: &'a [Told], ground: Ground<'a>, folder: &'a Path) -> Campaigns<'a> {
        let tasks = told.iter().map(|told| told.task.clone()).collect();
        Campaigns { told, tasks, ground, folder, stop: AtomicBool::new(false) }
    }

    fn check(&self) -> Result<Vec<Missed>, String> {
        let mut missed = self.rounds()?;
        missed.extend(self.shards()?);
        missed.extend(self.resumed()?);
        Ok(missed)
    }

    fn campaign(&self, cases: u64, shard: (u64, u64)) -> Campaign {
        Campaign {
            seed: 0,
            first: 0,
            cases: Some(cases),
            time: None,
            shard,
            lanes: Lanes::Fixed([Mode::Interp, Mode::FastInterp].map(Lane::plain).to_vec()),
            judges: Vec::new(),
            model_percent: 0,
            features: Features::executed(),
            material: None,
        }
    }

    /// The same lies several times: no more is found, and all is counted.
    ///
    /// Those that no engine has to run for are enough.
    fn rounds(&self) -> Result<Vec<Missed>, String> {
        let first = self.told.partition_point(|told| told.lie.is_made_by_the_engine());
        let (told, tasks) = (&self.told[first..], &self.tasks[first..]);
        let campaign = self.campaign(ROUNDS * tasks.len() as u64, (0, 1));
        let new = Tally::new(0, 0);
        let tally = campaign.go_on_with(tasks, new, Ground::InProcess, &mut Unheard, &self.stop)?;
        let expected = Expected::of(told, ROUNDS);
        Ok(expected.wrong_after_several_batches("in a campaign of several batches", &tally))
    }

    /// The campaign in parts, each of which leaves a report; put together they tell all of it.
    fn shards(&self) -> Result<Vec<Missed>, String> {
        let clock = Clock::start();
        let mut folders: Vec<PathBuf> = Vec::new();
        for part in 0..SHARDS {
            let campaign = self.campaign(self.tasks.len() as u64, (part, SHARDS));
            let new = Tally::new(0, 0);
            let tally = campaign.go_on_with(&self.tasks, new, self.ground, &mut Unheard, &self.stop)?;
            let folder = self.folder.join(format!("shard-{part}"));
            let (times, throughput) = (clock.stop(), Throughput::default());
            let report = Fuzz::new(&campaign, &tally, &times, throughput, &folder, &Started::default());
            write_json(&folder.join(FUZZ_FILE), &report)?;
            folders.push(folder);
        }
        let ground = "in shards of a campaign";
        let read = nights(&folders)?;
        let [Night { fuzz: Some(fuzz), .. }] = &read[..] else {
            return Ok(vec![Missed::total(ground, "shards", "they are not put together to one run")]);
        };
        let expected = Expected::of(self.told, 1);
        let mut missed = expected.wrong(ground, &json(fuzz));
        let entries = || fuzz.findings.iter();
        let counts = entries().map(|entry| (entry.fingerprint.clone(), entry.cases.unwrap_or(0)));
        missed.extend(expected.wrong_fingerprints(ground, &counts.collect()));
        let firsts = entries().map(|entry| (entry.fingerprint.clone(), entry.first_difference.clone()));
        missed.extend(expected.wrong_findings(ground, firsts.collect()));
        missed.extend(unreported(ground, &read, &expected));
        Ok(missed)
    }

    /// The campaign, ended half-way and gone on with from what is on disk.
    fn resumed(&self) -> Result<Vec<Missed>, String> {
        let all = self.tasks.len() as u64;
        let report = self.folder.join("resumed");
        let identity = Identity {
            commit: env!("CROSSCHECK_COMMIT").into(),
            seed: 0,
            first: 0,
            shard: (0, 1),
            subjects: Vec::new(),
            material: None,
        };
        let mut saving = Saving { report: &report, identity: &identity, failed: None };
        let half = self.campaign(all / 2, (0, 1));
        let begun = half.go_on_with(&self.tasks, Tally::new(0, 0), self.ground, &mut saving, &self.stop)?;
        if let Some(failed) = saving.failed {
            return Err(failed);
        }
        let ground = "in a resumed campaign";
        let Some(loaded) = saved::load(&report, &identity)? else {
            return Ok(vec![Missed::total(ground, "all", "what was saved is not there")]);
        };
        let mut missed = differences(ground, json(&loaded), json(&begun));
        missed.extend(differences(ground, found(&loaded), found(&begun)));
        let campaign = self.campaign(all, (0, 1));
        let tally = campaign.go_on_with(&self.tasks, loaded, self.ground, &mut Unheard, &self.stop)?;
        missed.extend(Expected::of(self.told, 1).wrong_after_several_batches(ground, &tally));
        Ok(missed)
    }
}

fn json(totals: &impl Serialize) -> Json {
    serde_json::to_value(totals).expect("totals always have a text")
}

/// The findings of a campaign, as far as they are on disk too.
fn found(tally: &Tally) -> Json {
    let one = |finding: &Finding| {
        let Finding { seed, index, generator, case, divergence, definitions, seen: _ } = finding;
        let definitions = serde_json::to_value(definitions).expect("names always have a text");
        let first = divergence.first.to_string();
        let place = format!("{:?} {}", divergence.first.kind, divergence.first.place);
        serde_json::json!({
            "seed": seed, "index": index, "generator": generator, "case": case.to_bytes(),
            "groups": divergence.groups, "first": first, "place": place, "definitions": definitions,
        })
    };
    let by_index: BTreeMap<String, Json> =
        tally.findings.iter().map(|finding| (finding.index.to_string(), one(finding))).collect();
    serde_json::json!({ "findings": by_index })
}

/// The totals that are not what they are to be.
fn differences(ground: &str, seen: Json, expected: Json) -> Vec<Missed> {
    let (Json::Object(seen), Json::Object(expected)) = (seen, expected) else {
        return vec![Missed::total(ground, "all", "totals have no names")];
    };
    let names = seen.keys().chain(expected.keys().filter(|name| !seen.contains_key(*name)));
    let wrong = names.filter(|name| seen.get(*name) != expected.get(*name));
    let told = |name: &String| {
        let text = |totals: &serde_json::Map<String, Json>| -> String {
            totals
                .get(name)
                .map_or("nothing".into(), Json::to_string)
                .chars()
                .take(SHOWN_CHARACTERS)
                .collect()
        };
        let (seen, expected) = (text(&seen), text(&expected));
        Missed::total(ground, name, &format!("expected {expected}, and there is {seen}"))
    };
    wrong.map(told).collect()
}

/// What of a campaign people and machines are not told.
fn unreported(ground: &str, nights: &[Night], whole: &Expected) -> Vec<Missed> {
    let mut missed = Vec::new();
    let (Some(night), Some(rendered)) = (nights.last(), Rendered::of(nights)) else {
        return vec![Missed::total(ground, "reports", "there are none")];
    };
    let Some(fuzz) = &night.fuzz else {
        return vec![Missed::total(ground, "reports", "no campaign is in them")];
    };
    if night.state() != State::NotGreen {
        missed.push(Missed::total(ground, "the state of the run", night.state().word()));
    }
    let summary = fuzz_summary(fuzz);
    let counted = format!("{}: {} agree, {} diverge, ", whole.cases, whole.agree, whole.diverge);
    let junit = format!("{} of {} cases diverge", whole.diverge, whole.cases);
    let mut tell = |what: &str, text: &str, part: &str| {
        if !text.contains(part) {
            missed.push(Missed::total(ground, what, &format!("it does not say `{part}`")));
        }
    };
    tell("the summary", &summary, &counted);
    tell("JUnit", &rendered.junit, &junit);
    tell("the page", &rendered.page, &whole.diverge.to_string());
    for (fingerprint, count) in &whole.fingerprints {
        tell("the summary", &summary, &format!("{count} x {fingerprint}\n"));
        tell("JUnit", &rendered.junit, &format!("<testcase name=\"{fingerprint}\""));
        tell("report.json", &rendered.json, &format!("\"fingerprint\": \"{fingerprint}\""));
        tell("the page", &rendered.page, fingerprint);
    }
    missed
}

/// What the totals of a campaign are to be, by what was seen of each lie alone.
#[derive(Default)]
struct Expected {
    rounds: u64,
    cases: u64,
    agree: u64,
    diverge: u64,
    inconclusive: BTreeMap<String, u64>,
    fingerprints: BTreeMap<String, u64>,
    /// What the first finding of each fingerprint tells.
    firsts: BTreeMap<String, String>,
    crashes: u64,
    hangs: u64,
    calls: u64,
    returned: u64,
    host_calls: u64,
    wasm_bytes: u64,
    traps: BTreeMap<String, u64>,
}

impl Expected {
    fn of(told: &[Told], rounds: u64) -> Expected {
        let mut expected = Expected { rounds, ..Expected::default() };
        for told in told {
            expected.cases += rounds;
            expected.wasm_bytes += rounds * told.case().wasm_bytes() as u64;
            match told.lie.shows {
                Shows::Difference { what, told, with: With::Both | With::Digest } => {
                    expected.diverge += rounds;
                    let fingerprint = fingerprint(what);
                    *expected.fingerprints.entry(fingerprint.clone()).or_default() += rounds;
                    expected.firsts.entry(fingerprint).or_insert_with(|| told.to_string());
                }
                Shows::Difference { with: With::Full, .. } | Shows::Nothing(_) => expected.agree += rounds,
                Shows::Inconclusive(reason) => {
                    *expected.inconclusive.entry(reason.to_string()).or_default() += rounds;
                }
            }
            for (_, observation) in &told.observations {
                expected.count_failure(observation);
            }
            expected.count_reference(told);
        }
        expected
    }

    fn count_failure(&mut self, observation: &Observation) {
        match observation.failure() {
            Some((_, Outcome::Hang(_))) => self.hangs += self.rounds,
            Some(_) => self.crashes += self.rounds,
            None => {}
        }
    }

    fn count_reference(&mut self, told: &Told) {
        let rounds = self.rounds;
        let Some((_, reference)) = told.observations.first() else { return };
        for (action, seen) in told.case().actions.iter().zip(&reference.actions) {
            let is_call = matches!(action, Action::Invoke { .. });
            self.calls += rounds * u64::from(is_call);
            self.returned += rounds * u64::from(is_call && matches!(seen.outcome, Outcome::Values(_)));
            self.host_calls += rounds * seen.host_calls.count;
            if let Outcome::Trap(trap) = &seen.outcome {
                *self.traps.entry(trap.kind.text().to_string()).or_default() += rounds;
            }
        }
    }

    /// What of the totals is otherwise, which a report and a campaign call by the same names.
    fn wrong(&self, ground: &str, totals: &Json) -> Vec<Missed> {
        let lanes = ["fast-interp", "interp", "interp+moving-memory"];
        let by_lane: BTreeMap<&str, u64> = lanes.iter().map(|lane| (*lane, self.cases)).collect();
        let expected = serde_json::json!({
            "seed": 0, "cases": self.cases, "agree": self.agree, "diverge": self.diverge,
            "judged_differences": 0,  "invalid": 0,
            "inconclusive": self.inconclusive, "crashes": self.crashes, "hangs": self.hangs, "workers_lost": 0,
            "by_lane": by_lane, "left_out": {}, "calls": self.calls, "returned": self.returned,
            "host_calls": self.host_calls, "traps": self.traps, "wasm_bytes": self.wasm_bytes,
            "next_index": self.cases, "complete": true,
        });
        let mut seen = totals.clone();
        if let (Some(seen), Some(expected)) = (seen.as_object_mut(), expected.as_object()) {
            seen.retain(|name, _| expected.contains_key(name));
        }
        differences(ground, seen, expected)
    }

    /// As [`Expected::wrong`], of a campaign that made do with counting most differences that look alike.
    fn wrong_after_several_batches(&self, ground: &str, tally: &Tally) -> Vec<Missed> {
        let mut missed = self.wrong(ground, &json(tally));
        let looked_at: u64 = tally.fingerprints.values().sum();
        if looked_at + tally.unexamined != self.diverge || looked_at < CLOSE_LOOKS {
            let told =
                format!("{looked_at} were looked at and {} not, of {}", tally.unexamined, self.diverge);
            missed.push(Missed::total(ground, "differences", &told));
        }
        let firsts = tally.findings.iter().map(|finding| {
            (finding.divergence.fingerprint().to_string(), finding.divergence.first.to_string())
        });
        let firsts: BTreeMap<String, String> = firsts.collect();
        if !firsts.keys().eq(tally.fingerprints.keys()) {
            missed.push(Missed::total(ground, "findings", "there is not one of each fingerprint"));
        }
        let known = |(fingerprint, _): &(&String, &String)| firsts.contains_key(*fingerprint);
        let expected = self.firsts.iter().filter(known);
        let expected = expected.map(|(fingerprint, told)| (fingerprint.clone(), told.clone())).collect();
        missed.extend(wrong_findings(ground, &expected, firsts));
        missed
    }

    fn wrong_fingerprints(&self, ground: &str, seen: &BTreeMap<String, u64>) -> Vec<Missed> {
        differences(ground, json(seen), json(&self.fingerprints))
    }

    fn wrong_findings(&self, ground: &str, seen: BTreeMap<String, String>) -> Vec<Missed> {
        wrong_findings(ground, &self.firsts, seen)
    }
}

/// Findings that do not tell what the first lie of their fingerprint is.
fn wrong_findings(
    ground: &str,
    expected: &BTreeMap<String, String>,
    mut seen: BTreeMap<String, String>,
) -> Vec<Missed> {
    let mut missed = Vec::new();
    for (fingerprint, told) in expected {
        let found = seen.remove(fingerprint).unwrap_or_else(|| "nothing".into());
        if !is_told(told, &found) {
            let told = format!("expected {told}, and there is {found}");
            missed.push(Missed::total(ground, &format!("the finding {fingerprint}"), &told));
        }
    }
    missed.extend(
        seen.keys().map(|other| Missed::total(ground, &format!("the finding {other}"), "it is no lie")),
    );
    missed
}

impl Missed {
    fn total(ground: &str, what: &str, told: &str) -> Missed {
        Missed { ground: ground.into(), what: what.into(), told: told.into() }
    }
}
