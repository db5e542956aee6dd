//! What a campaign came to: `fuzz.json`.

use super::header::{Header, Times};
use crate::campaign::Campaign;
use crate::corpus::finding::Record;
use crate::corpus::{FINDINGS, Started};
use crate::coverage::Coverage;
use crate::events::{Judged, Tally, add_all, least_share, percent};
use crate::finding::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// `fuzz.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fuzz {
    /// Which build ran where.
    #[serde(flatten)]
    pub header: Header,
    /// What all cases derive from.
    pub seed: u64,
    /// Cases generated.
    pub cases: u64,
    /// Where another run would go on.
    pub next_index: u64,
    /// What was asked to run.
    pub modes: Vec<String>,
    /// Cases on which all subjects agree.
    pub agree: u64,
    /// Cases on which they do not.
    pub diverge: u64,
    /// Those of them on which all modes agree and only outside engines differ.
    #[serde(default)]
    pub judged_differences: u64,
    /// Cases whose module no subject accepts.
    pub invalid: u64,
    /// Cases about which nothing can be said, by reason.
    pub inconclusive: BTreeMap<String, u64>,
    /// How often a subject failed on a case.
    pub crashes: u64,
    /// How often a subject did not come to an end.
    pub hangs: u64,
    /// Workers that were replaced.
    pub workers_lost: u64,
    /// Differences that were only counted.
    pub unexamined: u64,
    /// Cases each lane ran.
    pub by_lane: BTreeMap<String, u64>,
    /// Cases each lane was left out of.
    pub left_out: BTreeMap<String, u64>,
    /// Outside engines and what is not compared with them.
    pub judges: Vec<Judge>,
    /// Calls of exported functions.
    pub calls: u64,
    /// Those that returned.
    pub returned: u64,
    /// Calls of host functions.
    pub host_calls: u64,
    /// Traps of the reference, by kind.
    pub traps: BTreeMap<String, u64>,
    /// Bytes of all modules.
    #[serde(default)]
    pub wasm_bytes: u64,
    /// Bytes of a module in the mean.
    pub mean_wasm_bytes: Option<u64>,
    /// Cases a CPU-second, of those that this run ran.
    pub cases_per_cpu_s: f64,
    /// Cases that were run once more to see which opcodes they execute.
    #[serde(default)]
    pub sampled: u64,
    /// What they execute, and the modes that agreed on it.
    #[serde(default)]
    pub coverage: Coverage,
    /// How fast it went, a part of the work each.
    #[serde(default)]
    pub throughput: Vec<Throughput>,
    /// The first finding of each fingerprint.
    pub findings: Vec<FindingEntry>,
}

/// An outside engine beside the modes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Judge {
    /// Its name.
    pub subject: String,
    /// Which release it is, if it says so.
    #[serde(default)]
    pub version: Option<String>,
    /// What is not compared with it.
    pub not_compared: Vec<String>,
    /// The smallest share of cases that it must be compared on, in percent.
    #[serde(default)]
    pub min_judged: f64,
    /// The share of cases that was drawn for it, in percent; none if it was asked about all.
    #[serde(default)]
    pub drawn: Option<f64>,
    /// Why it was not used, if it does not work.
    #[serde(default)]
    pub unfit: Option<String>,
    /// On how much it was compared.
    #[serde(flatten)]
    pub judged: Judged,
}

impl Judge {
    /// Why agreement with it in so many cases means nothing, if so.
    pub fn doubt(&self, cases: u64) -> Option<String> {
        let share = percent(self.judged.compared, cases);
        // Of all cases, too, the generator may have given some up.
        let least = self.drawn.map_or(self.min_judged, |drawn| least_share(drawn.min(99.0), cases));
        let too_little = self.judged.compared == 0 || share < least;
        let told = || {
            format!(
                "the engine `{}` was compared on {share:.1} % of the cases, and at least {least:.1} % are asked for",
                self.subject
            )
        };
        self.unfit.clone().or_else(|| (cases > 0 && least > 0.0 && too_little).then(told))
    }
}

/// A finding, as totals name it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingEntry {
    /// What makes it the same bug as another.
    pub fingerprint: String,
    /// The campaign's seed.
    pub seed: u64,
    /// The case's index.
    pub index: u64,
    /// Subjects that agree with one another, the reference's group first.
    pub subjects: Vec<Vec<String>>,
    /// What kind of thing differs.
    pub kind: String,
    /// What differs first.
    pub first_difference: String,
    /// Where to look first.
    #[serde(default)]
    pub triage: String,
    /// Cases of this fingerprint that were looked at.
    pub cases: Option<u64>,
    /// Which bug it is of, if it was looked into.
    #[serde(default)]
    pub bug: Option<String>,
    /// Its folder.
    pub path: String,
    /// The command that repeats it.
    pub replay: String,
}

/// How many cases were done in each of equal stretches of time. The stretches grow with the run, so that there are
/// never many.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throughput {
    /// Seconds of one stretch.
    pub stretch_s: f64,
    /// Cases done in each; the last one may not be over.
    pub cases: Vec<u64>,
}

/// Stretches of a run at most.
const STRETCHES: usize = 120;

impl Default for Throughput {
    fn default() -> Throughput {
        Throughput { stretch_s: 1.0, cases: Vec::new() }
    }
}

impl Throughput {
    /// So many more cases are done, that long after the start.
    pub fn count(&mut self, cases: u64, elapsed_s: f64) {
        let mut stretch = (elapsed_s / self.stretch_s) as usize;
        while stretch >= STRETCHES {
            self.cases = self.cases.chunks(2).map(|pair| pair.iter().sum()).collect();
            self.stretch_s *= 2.0;
            stretch = (elapsed_s / self.stretch_s) as usize;
        }
        if self.cases.len() <= stretch {
            self.cases.resize(stretch + 1, 0);
        }
        self.cases[stretch] += cases;
    }
}

impl Fuzz {
    /// The totals of a campaign whose findings are below that folder.
    pub fn new(
        campaign: &Campaign,
        tally: &Tally,
        times: &Times,
        throughput: Throughput,
        report: &Path,
        started: &Started,
    ) -> Fuzz {
        let lanes: Vec<String> = tally.by_lane.keys().cloned().collect();
        let model = campaign.model();
        let all = campaign.judges.iter().map(|judge| (judge, None));
        let drawn = model.iter().map(|model| (model, Some(campaign.model_percent.into())));
        let judges = all.chain(drawn).map(|(judge, drawn)| Judge {
            subject: judge.name().to_string(),
            version: judge.version().map(str::to_string),
            not_compared: judge.capabilities().left_out().into_iter().map(Into::into).collect(),
            min_judged: 0.0,
            drawn,
            unfit: None,
            judged: tally.judges.get(judge.name()).cloned().unwrap_or_default(),
        });
        Fuzz {
            header: Header::new(lanes, campaign.shard, times, tally.complete),
            seed: tally.seed,
            cases: tally.cases,
            next_index: tally.next_index,
            modes: campaign.lanes.names(),
            agree: tally.agree,
            diverge: tally.diverge,
            judged_differences: tally.judged_differences,
            invalid: tally.invalid,
            inconclusive: tally.inconclusive.clone(),
            crashes: tally.crashes,
            hangs: tally.hangs,
            workers_lost: tally.workers_lost,
            unexamined: tally.unexamined,
            by_lane: tally.by_lane.clone(),
            left_out: tally.left_out.clone(),
            judges: judges.collect(),
            calls: tally.calls,
            returned: tally.returned,
            host_calls: tally.host_calls,
            traps: tally.traps.clone(),
            wasm_bytes: tally.wasm_bytes,
            mean_wasm_bytes: tally.wasm_bytes.checked_div(tally.cases),
            cases_per_cpu_s: (tally.cases - tally.earlier_cases) as f64 / times.cpu_s.max(1e-9),
            sampled: tally.sampled,
            coverage: tally.coverage.clone(),
            throughput: vec![throughput],
            findings: entries(tally, report, started),
        }
    }

    /// Adds another part of the same campaign.
    pub fn add(&mut self, other: Fuzz) {
        let ran = self.cases_per_cpu_s * self.header.cpu_s + other.cases_per_cpu_s * other.header.cpu_s;
        self.header.add(&other.header);
        self.header.lanes.sort();
        self.cases += other.cases;
        self.next_index = self.next_index.max(other.next_index);
        self.agree += other.agree;
        self.diverge += other.diverge;
        self.judged_differences += other.judged_differences;
        for judge in other.judges {
            match self.judges.iter_mut().find(|known| known.subject == judge.subject) {
                Some(known) => {
                    known.judged.add(judge.judged);
                    known.unfit = known.unfit.take().or(judge.unfit);
                }
                None => self.judges.push(judge),
            }
        }
        self.invalid += other.invalid;
        add_all(&mut self.inconclusive, other.inconclusive);
        self.crashes += other.crashes;
        self.hangs += other.hangs;
        self.workers_lost += other.workers_lost;
        self.unexamined += other.unexamined;
        add_all(&mut self.by_lane, other.by_lane);
        add_all(&mut self.left_out, other.left_out);
        self.calls += other.calls;
        self.returned += other.returned;
        self.host_calls += other.host_calls;
        add_all(&mut self.traps, other.traps);
        self.wasm_bytes += other.wasm_bytes;
        self.mean_wasm_bytes = self.wasm_bytes.checked_div(self.cases);
        self.cases_per_cpu_s = ran / self.header.cpu_s.max(1e-9);
        self.sampled += other.sampled;
        self.coverage.add(&other.coverage);
        self.throughput.extend(other.throughput);
        for finding in other.findings {
            match self.findings.iter_mut().find(|known| known.fingerprint == finding.fingerprint) {
                None => self.findings.push(finding),
                Some(known) => {
                    let cases = known.cases.unwrap_or(1) + finding.cases.unwrap_or(1);
                    if (finding.seed, finding.index) < (known.seed, known.index) {
                        *known = finding;
                    }
                    known.cases = Some(cases);
                }
            }
        }
        self.findings.sort_by_key(|finding| (finding.seed, finding.index));
    }

    /// Why agreement with outside engines means nothing, a sentence each.
    pub fn doubts(&self) -> Vec<String> {
        self.judges.iter().filter_map(|judge| judge.doubt(self.cases)).collect()
    }

    /// All inconclusive cases.
    pub fn inconclusive_cases(&self) -> u64 {
        self.inconclusive.values().sum()
    }

    /// The bugs that findings were looked into to be of: how many findings each has, and cases.
    pub fn bugs(&self) -> BTreeMap<&str, (u64, u64)> {
        let mut bugs = BTreeMap::new();
        for finding in &self.findings {
            if let Some(bug) = &finding.bug {
                let (findings, cases): &mut (u64, u64) = bugs.entry(bug.as_str()).or_default();
                *findings += 1;
                *cases += finding.cases.unwrap_or(1);
            }
        }
        bugs
    }

    /// Share of valid cases with a verdict, in percent.
    pub fn verdict_rate(&self) -> f64 {
        percent(self.agree + self.diverge, self.cases.saturating_sub(self.invalid))
    }
}

fn entries(tally: &Tally, report: &Path, started: &Started) -> Vec<FindingEntry> {
    let entry = |finding: &Finding| {
        let path = report.join(FINDINGS).join(finding.folder_name());
        let fingerprint = finding.divergence.fingerprint().to_string();
        FindingEntry {
            seed: finding.seed,
            index: finding.index,
            subjects: finding.divergence.groups.clone(),
            kind: finding.divergence.first.kind.word().into(),
            first_difference: finding.divergence.first.to_string(),
            triage: finding.divergence.triage().to_string(),
            cases: tally.fingerprints.get(&fingerprint).copied(),
            bug: Record::load(&path)
                .ok()
                .and_then(|record| record.reduced)
                .map(|reduced| reduced.bug.to_string()),
            replay: finding.replay_command(&path, started),
            path: path.display().to_string(),
            fingerprint,
        }
    };
    let mut entries: Vec<FindingEntry> = tally.findings.iter().map(entry).collect();
    entries.sort_by_key(|finding| (finding.seed, finding.index));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_never_ran_is_in_doubt_unless_that_is_chance() {
        let model = |compared| Judge {
            subject: "model".into(),
            version: None,
            not_compared: Vec::new(),
            min_judged: 0.0,
            drawn: Some(50.0),
            unfit: None,
            judged: Judged { compared, ..Judged::default() },
        };
        let doubt = model(0).doubt(1_000).expect("it never ran");
        assert!(doubt.starts_with("the engine `model` was compared on 0.0 % of the cases"), "{doubt}");
        assert!(model(400).doubt(1_000).is_some());
        assert_eq!(model(490).doubt(1_000), None);
        assert_eq!((model(0).doubt(3), model(0).doubt(0)), (None, None));
    }

    #[test]
    fn a_long_run_has_as_many_cases_and_not_more_stretches() {
        let mut throughput = Throughput::default();
        for second in 0..1000 {
            throughput.count(second, second as f64 + 0.5);
        }
        assert_eq!(throughput.cases.iter().sum::<u64>(), 999 * 1000 / 2);
        assert!(throughput.cases.len() <= STRETCHES && throughput.stretch_s == 16.0);
    }
}
