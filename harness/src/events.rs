//! What a campaign tells while it runs, and what it adds up to.

use crate::case::{Action, Case};
use crate::compare::Compared;
use crate::coverage::Coverage;
use crate::finding::Finding;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Characters of a message that are counted by.
const LONGEST_REASON: usize = 100;

/// A listener to a campaign: a progress bar, a folder of findings.
pub trait Events {
    /// Some cases are done. `cases` is how many there will be, if that is known.
    fn progress(&mut self, tally: &Tally, cases: Option<u64>, elapsed: Duration);

    /// A finding whose fingerprint was not seen before in this campaign.
    fn finding(&mut self, finding: &Finding);
}

/// Totals of a campaign, or of a part of one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// The campaign's seed.
    pub seed: u64,
    /// Where another run would go on.
    pub next_index: u64,
    /// Whether all that was asked for was done.
    pub complete: bool,
    /// Cases generated.
    pub cases: u64,
    /// Those of an earlier run that this one goes on with.
    #[serde(skip)]
    pub earlier_cases: u64,
    /// Cases on which all subjects agree.
    pub agree: u64,
    /// Cases on which they do not.
    pub diverge: u64,
    /// Those of them on which all of our modes agree and only outside engines differ.
    #[serde(default)]
    pub judged_differences: u64,
    /// On how much each outside engine was compared.
    #[serde(default)]
    pub judges: BTreeMap<String, Judged>,
    /// Cases whose module no subject accepts.
    pub invalid: u64,
    /// Cases about which nothing can be said, by reason.
    pub inconclusive: BTreeMap<String, u64>,
    /// How often a subject failed on a case.
    pub crashes: u64,
    /// How often a subject did not come to an end.
    pub hangs: u64,
    /// Workers that ended without being asked to, and were replaced.
    pub workers_lost: u64,
    /// Cases each lane ran.
    pub by_lane: BTreeMap<String, u64>,
    /// Cases each lane was left out of, because the reference ran out of fuel.
    pub left_out: BTreeMap<String, u64>,
    /// Calls of exported functions.
    pub calls: u64,
    /// Those that returned.
    pub returned: u64,
    /// Calls of host functions.
    pub host_calls: u64,
    /// Traps of the reference, by kind.
    pub traps: BTreeMap<String, u64>,
    /// What the reference executes of a sample of the cases on which all agree, and the modes that agree with it.
    #[serde(default)]
    pub coverage: Coverage,
    /// How many cases that sample has.
    #[serde(default)]
    pub sampled: u64,
    /// Bytes of all modules.
    pub wasm_bytes: u64,
    /// The first finding of each fingerprint. Each is on disk, so totals on disk leave them out.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// Differences at first sight that were looked at closely, by what they look like at first sight.
    pub glances: BTreeMap<String, u64>,
    /// Differences that were only counted, for enough that look like them were looked at closely.
    pub unexamined: u64,
    /// Findings of each fingerprint.
    pub fingerprints: BTreeMap<String, u64>,
}

/// On how much an outside engine was compared.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Judged {
    /// Cases of which more was compared than that a module can be instantiated, or all there is.
    pub compared: u64,
    /// Those of them of which all actions were compared.
    pub to_the_end: u64,
    /// Actions that were compared.
    pub actions: u64,
    /// Those of all cases that it ran.
    pub of_actions: u64,
    /// Cases in which nothing was compared, by what the engine does not execute.
    pub unsupported: BTreeMap<String, u64>,
    /// Cases in which nothing was compared, by what the engine showed that is not understood.
    pub unclear: BTreeMap<String, u64>,
}

impl Judged {
    /// Counts a case that the engine ran.
    pub fn count(&mut self, case: &Case, compared: &Compared) {
        match compared {
            Compared::Actions(actions, of) => {
                let does = |action: &Action| !matches!(action, Action::Instantiate { .. });
                let something = case.actions.iter().take(*actions).any(does);
                self.compared += u64::from(something || actions == of);
                self.to_the_end += u64::from(actions == of);
                self.actions += *actions as u64;
                self.of_actions += *of as u64;
            }
            Compared::Unsupported(why) => *self.unsupported.entry(without_numbers(why)).or_default() += 1,
            Compared::Unclear(why) => *self.unclear.entry(without_numbers(why)).or_default() += 1,
            Compared::Failed => {}
        }
    }

    /// Adds another part of the same campaign.
    pub fn add(&mut self, part: Judged) {
        self.compared += part.compared;
        self.to_the_end += part.to_the_end;
        self.actions += part.actions;
        self.of_actions += part.of_actions;
        add_all(&mut self.unsupported, part.unsupported);
        add_all(&mut self.unclear, part.unclear);
    }
}

/// A message without what is different in every module: numbers, and all but its beginning.
fn without_numbers(message: &str) -> String {
    let mut text = String::new();
    for c in message.lines().next().unwrap_or_default().chars().take(LONGEST_REASON) {
        match (c.is_ascii_digit(), text.ends_with('#')) {
            (true, true) => {}
            (true, false) => text.push('#'),
            (false, _) => text.push(c),
        }
    }
    text
}

impl Tally {
    /// Nothing yet.
    pub fn new(seed: u64, first: u64) -> Tally {
        Tally { seed, next_index: first, complete: true, ..Tally::default() }
    }

    /// Counts a case about which nothing can be said.
    pub fn inconclusive(&mut self, reason: &str) {
        *self.inconclusive.entry(reason.to_string()).or_default() += 1;
    }

    /// All inconclusive cases.
    pub fn inconclusive_cases(&self) -> u64 {
        self.inconclusive.values().sum()
    }

    /// Share of valid cases with a verdict, in percent.
    pub fn verdict_rate(&self) -> f64 {
        percent(self.agree + self.diverge, self.cases - self.invalid)
    }

    /// Share of calls that returned, in percent.
    pub fn return_rate(&self) -> f64 {
        percent(self.returned, self.calls)
    }

    /// Adds a part; gives its findings that are new here.
    pub fn merge(&mut self, part: Tally) -> Vec<Finding> {
        let seen: BTreeSet<String> = self.fingerprints.keys().cloned().collect();
        let mut fresh: BTreeMap<String, Finding> = BTreeMap::new();
        for finding in part.findings {
            let fingerprint = finding.divergence.fingerprint().to_string();
            *self.fingerprints.entry(fingerprint.clone()).or_default() += 1;
            if !seen.contains(&fingerprint) {
                fresh.entry(fingerprint).or_insert(finding);
            }
        }
        self.cases += part.cases;
        self.agree += part.agree;
        self.diverge += part.diverge;
        self.judged_differences += part.judged_differences;
        for (name, judged) in part.judges {
            self.judges.entry(name).or_default().add(judged);
        }
        self.invalid += part.invalid;
        self.crashes += part.crashes;
        self.hangs += part.hangs;
        self.workers_lost += part.workers_lost;
        self.calls += part.calls;
        self.returned += part.returned;
        self.host_calls += part.host_calls;
        self.wasm_bytes += part.wasm_bytes;
        self.unexamined += part.unexamined;
        self.sampled += part.sampled;
        self.coverage.add(&part.coverage);
        add_all(&mut self.glances, part.glances);
        add_all(&mut self.inconclusive, part.inconclusive);
        add_all(&mut self.by_lane, part.by_lane);
        add_all(&mut self.left_out, part.left_out);
        add_all(&mut self.traps, part.traps);
        let fresh: Vec<Finding> = fresh.into_values().collect();
        self.findings.extend(fresh.iter().cloned());
        fresh
    }
}

/// Adds counts up, key by key.
pub fn add_all<K: Ord>(total: &mut BTreeMap<K, u64>, part: BTreeMap<K, u64>) {
    for (key, count) in part {
        *total.entry(key).or_default() += count;
    }
}

/// What a share of many cases may be of so many, in percent: by chance a few may be three standard deviations below.
pub fn least_share(percent: f64, cases: u64) -> f64 {
    let mean = percent / 100.0;
    let deviation = (mean * (1.0 - mean) / cases.max(1) as f64).sqrt();
    (100.0 * (mean - 3.0 * deviation)).max(0.0)
}

/// How much of `whole` is `part`, in percent; 100 of nothing.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}
