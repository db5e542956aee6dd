//! Looking for one planted fault by the means that should find it, and what it took.

use super::{Planted, plant, unplant};
use crate::campaign::{Campaign, Lanes};
use crate::compare::{Divergence, mode_of};
use crate::draw::case_seed;
use crate::events::{Events, Tally};
use crate::features::Features;
use crate::finding::Finding;
use crate::reduce::code_bytes;
use crate::report::Clock;
use crate::run::Ground;
use crate::script::{self, ScriptFile};
use crate::selfcheck;
use crate::triage::{Budget, Question};
use crate::worker::{self, Options, PLANTED, Workers};
use crosscheck_engine::Mode;
use crosscheck_engine::faults::Room;
use crosscheck_engine::faults::table::SeenBy;
use crosscheck_spec_tests::Group;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the reduction of a finding may take.
const REDUCTION: Duration = Duration::from_secs(15);
/// How long an action may take: a fault may well make a loop endless.
const PATIENCE: Duration = Duration::from_secs(3);

/// How faults are looked for.
pub struct Hunt<'a> {
    /// This program, which runs as the workers that have the fault.
    pub program: OsString,
    /// What the cases derive from.
    pub seed: u64,
    /// How long at most, for each fault.
    pub time: Duration,
    /// How many findings to go on to, to see how they are told apart.
    pub more: u64,
    /// Ends everything.
    pub stop: &'a AtomicBool,
}

/// What became of the search for a fault.
#[derive(Clone, Debug, Serialize)]
pub struct Hunted {
    /// The fault's name.
    pub fault: String,
    /// Where it is.
    pub room: &'static str,
    /// What found it; `None` if nothing did.
    pub found: Option<Found>,
    /// Cases that were run until then.
    pub cases: u64,
    /// CPU seconds until then, those of workers included.
    pub cpu_s: f64,
    /// How many findings each bug had, of those that were looked at: as a campaign counts, for which all findings of a
    /// fingerprint are of the bug that the first was localised to.
    pub bugs: BTreeMap<String, u64>,
    /// The findings that `bugs` counts, one of each fingerprint.
    pub looks: Vec<Look>,
}

/// A finding that was looked into to see which bug it is of.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    /// The fingerprint before it was looked into.
    pub seen: String,
    /// How many findings have it.
    pub findings: u64,
    /// The bug it is of.
    pub bug: String,
    /// What came of it.
    pub found: Found,
}

/// What found a fault.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// A case of a campaign.
    Case {
        /// Which.
        index: u64,
        /// Which generator made it.
        generator: String,
        /// The first difference.
        difference: String,
        /// Whether who differs from whom points to the fault's room.
        is_room_right: bool,
        /// What it was reduced to, or why it was not.
        reduced: Result<Reduced, String>,
    },
    /// A script of the suite, in which so many directives fail.
    Suite {
        /// Group and name.
        script: String,
        /// How many fail.
        failures: u64,
    },
    /// The harness's check of itself.
    SelfCheck {
        /// How many lies were not seen for what they are, and how many totals are wrong.
        missed: usize,
        /// The first of them.
        first: String,
    },
}

/// A reduced finding.
#[derive(Clone, Debug, Serialize)]
pub struct Reduced {
    /// Bytes of all function bodies.
    pub code_bytes: usize,
    /// Seconds by the clock on the wall.
    pub seconds: f64,
    /// As a script.
    pub script: String,
    /// What makes it the same bug as another.
    pub bug: String,
    /// The opcode at which subjects first part, or why it is not known.
    pub opcode: Result<String, String>,
    /// Whether it is the fault's; `None` if any would be.
    pub is_opcode_right: Option<bool>,
}

impl Hunt<'_> {
    /// Looks for a fault. Fails if the bench fails.
    pub fn hunt(&self, planted: &Planted) -> Result<Hunted, String> {
        let clock = Clock::start();
        let nothing = Hunted {
            fault: planted.to_string(),
            room: planted.room().name(),
            found: None,
            cases: 0,
            cpu_s: 0.0,
            bugs: BTreeMap::new(),
            looks: Vec::new(),
        };
        match planted.seen_by() {
            SeenBy::Campaign => self.campaign(planted, nothing),
            SeenBy::Suite { group, file } => {
                let failures = self.suite(planted, group, file)?;
                let script = format!("{group}/{file}");
                let found = (failures > 0).then_some(Found::Suite { script, failures });
                Ok(Hunted { found, cpu_s: clock.stop().cpu_s, ..nothing })
            }
            SeenBy::OwnCheck => {
                let found = self.self_check(planted)?;
                Ok(Hunted { found, cpu_s: clock.stop().cpu_s, ..nothing })
            }
        }
    }

    fn workers(&self, planted: &Planted) -> Result<Workers, String> {
        let command = vec![self.program.clone(), PLANTED.into(), planted.to_string().into()];
        Workers::start(Options { command, timeout: PATIENCE, ..Options::of("") })
    }

    fn campaign(&self, planted: &Planted, nothing: Hunted) -> Result<Hunted, String> {
        let clock = Clock::start();
        let campaign = self.campaign_for(self.time);
        let workers = self.workers(planted)?;
        let mut first = Until { enough: 1, outer: self.stop, stop: &AtomicBool::new(false) };
        let stop = first.stop;
        let tally = campaign.run_on(Ground::Workers(&workers), &mut first, stop)?;
        // Only workers that have ended are counted.
        drop(workers);
        let cpu_s = clock.stop().cpu_s;
        let found = match tally.findings.iter().min_by_key(|finding| finding.index) {
            Some(finding) => Some(self.look_into(planted, &campaign, finding)?),
            None => None,
        };
        let looks = match &found {
            Some(_) if self.more > 0 => self.looks(planted)?,
            Some(_) | None => Vec::new(),
        };
        let mut bugs: BTreeMap<String, u64> = BTreeMap::new();
        for look in &looks {
            *bugs.entry(look.bug.clone()).or_default() += look.findings;
        }
        Ok(Hunted { found, cases: tally.cases, cpu_s, bugs, looks, ..nothing })
    }

    /// Findings of the fault as they are told apart, of as many as are asked for.
    fn looks(&self, planted: &Planted) -> Result<Vec<Look>, String> {
        let campaign = self.campaign_for(self.time);
        let workers = self.workers(planted)?;
        let stop = AtomicBool::new(false);
        let mut events = Until { enough: self.more, outer: self.stop, stop: &stop };
        let tally = campaign.run_on(Ground::Workers(&workers), &mut events, &stop)?;
        let look = |finding: &Finding| {
            let seen = finding.divergence.fingerprint().to_string();
            let findings = tally.fingerprints.get(&seen).copied().unwrap_or(1);
            let found = self.look_into(planted, &campaign, finding)?;
            let bug = match &found {
                Found::Case { reduced: Ok(reduced), .. } => reduced.bug.clone(),
                // One heap, as on the page of a campaign.
                Found::Case { reduced: Err(_), .. } | Found::Suite { .. } | Found::SelfCheck { .. } => {
                    "not known".to_string()
                }
            };
            Ok(Look { findings, seen, bug, found })
        };
        tally.findings.iter().map(look).collect()
    }

    fn campaign_for(&self, time: Duration) -> Campaign {
        Campaign {
            seed: self.seed,
            first: 0,
            cases: None,
            time: Some(time),
            shard: (0, 1),
            lanes: Lanes::Swarm(Mode::all().collect()),
            judges: Vec::new(),
            model_percent: 0,
            features: Features::executed(),
            material: None,
        }
    }

    fn look_into(&self, planted: &Planted, campaign: &Campaign, finding: &Finding) -> Result<Found, String> {
        let workers = self.workers(planted)?;
        let subjects = campaign.subjects(case_seed(campaign.seed, finding.index));
        let budget = Budget { stop: self.stop, time: Some(REDUCTION) };
        let ground = Ground::Workers(&workers);
        let reduced = Question::new(ground, &finding.case, &finding.divergence, &subjects)
            .and_then(|question| question.investigate(&finding.case, &budget, &|_| {}))
            .map(|found| {
                let place = found.localised.as_ref().map_err(String::clone);
                let place = place.and_then(|found| found.place.as_ref().ok_or("no place was found".into()));
                let opcode = place.map(|place| place.opcode.text().to_string());
                Reduced {
                    code_bytes: code_bytes(&found.reduced.case),
                    seconds: found.time.as_secs_f64(),
                    is_opcode_right: opcode.as_ref().map_or(Some(false), |opcode| planted.is_at(opcode)),
                    opcode,
                    bug: found.bug(&finding.divergence).to_string(),
                    script: found.script,
                }
            });
        Ok(Found::Case {
            index: finding.index,
            generator: finding.generator.clone(),
            difference: finding.divergence.first.to_string(),
            is_room_right: points_to(planted.room(), &finding.divergence),
            reduced,
        })
    }

    /// How many directives of a script of the suite fail.
    fn suite(&self, planted: &Planted, group: &str, file: &str) -> Result<u64, String> {
        let files: Vec<ScriptFile> =
            group.parse::<Group>()?.files().into_iter().map(ScriptFile::from).collect();
        let script = files.into_iter().find(|script| script.name == file);
        let script = script.ok_or_else(|| format!("the suite has no {group}/{file}"))?;
        let workers = self.workers(planted)?;
        let options = script::Options::default();
        let lanes = script::Lane::all_modes();
        let report =
            worker::scripts::run_files(&workers, &[script], &lanes, &options, self.stop, &|_, _| {})?;
        Ok(report.failures.len() as u64)
    }

    /// What the harness's check of itself says of the fault, in this process and in workers.
    fn self_check(&self, planted: &Planted) -> Result<Option<Found>, String> {
        let folder = std::env::temp_dir().join(format!("crosscheck-self-check-{}", std::process::id()));
        let workers = self.workers(planted)?;
        plant(&planted.to_string())?;
        let checked = selfcheck::check(Ground::Workers(&workers), &folder);
        unplant();
        // A check that cannot even be made says that something is wrong, too.
        let missed = match checked {
            Ok(checked) => checked.missed.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error],
        };
        let found = |first: &String| Found::SelfCheck { missed: missed.len(), first: first.clone() };
        Ok(missed.first().map(found))
    }
}

/// Ends a campaign with enough findings.
struct Until<'a> {
    enough: u64,
    outer: &'a AtomicBool,
    stop: &'a AtomicBool,
}

impl Events for Until<'_> {
    fn progress(&mut self, tally: &Tally, _: Option<u64>, _: Duration) {
        if tally.diverge >= self.enough || self.outer.load(Ordering::Relaxed) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn finding(&mut self, _: &Finding) {}
}

/// Whether who differs from whom says that the fault is in that room.
fn points_to(room: Room, divergence: &Divergence) -> bool {
    let is_in_room = |lane: &String| {
        let mode = mode_of(lane);
        let compiled = || Mode::all().any(|known| known.is_compiled() && known.name() == mode);
        match room {
            Room::Interp | Room::FastInterp | Room::Baseline => mode == room.name(),
            Room::Native => compiled(),
            Room::Floor | Room::Harness => false,
        }
    };
    divergence.groups.iter().any(|group| group.iter().all(is_in_room))
}
