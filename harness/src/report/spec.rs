//! What scripts came to: `spec.json`.

use super::header::Header;
use super::standing::without_mode;
use crate::coverage::Coverage;
use crate::script::{
    ExcuseEntry, Failure, JudgeCounts, JudgeReport, ModeCounts, ScriptReport, SkipEntry, Unreadable,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// `spec.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// Which build ran where.
    #[serde(flatten)]
    pub header: Header,
    /// Figures by lane.
    pub modes: BTreeMap<String, ModeCounts>,
    /// Scripts that ran.
    pub files: u64,
    /// Figures by script and lane.
    #[serde(default)]
    pub by_file: BTreeMap<String, BTreeMap<String, ModeCounts>>,
    /// Milliseconds that each script took.
    #[serde(default)]
    pub took_ms: BTreeMap<String, u64>,
    /// What outside engines came to, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgeReport>,
    /// Figures by script and outside engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub judged_files: BTreeMap<String, BTreeMap<String, JudgeCounts>>,
    /// Everything that went wrong.
    pub failures: Vec<Failure>,
    /// Everything that was not run, by its cause.
    pub skips: Vec<SkipEntry>,
    /// Failures that a later standard explains.
    pub excuses: Vec<ExcuseEntry>,
    /// Files that are not scripts.
    pub unreadable: Vec<Unreadable>,
    /// Opcodes that the reference executed, a directive at most once, and assertions about them that hold.
    #[serde(default)]
    pub coverage: Coverage,
}

/// Figures of the scripts of one group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Group {
    /// Scripts that ran.
    pub files: u64,
    /// Figures by lane.
    pub modes: BTreeMap<String, ModeCounts>,
    /// Figures by outside engine.
    pub judges: BTreeMap<String, JudgeCounts>,
}

/// What one script came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneFile {
    /// The script.
    pub file: String,
    /// Figures by lane.
    pub modes: Vec<(String, ModeCounts)>,
    /// Figures by outside engine.
    pub judges: Vec<(String, JudgeCounts)>,
    /// How long it took.
    pub took: Duration,
}

impl OneFile {
    /// What the report on a script says of it; nothing of a text that is no script.
    pub fn of(file: String, report: &ScriptReport) -> Option<OneFile> {
        let judges = report.judges.iter().map(|judge| (judge.name.clone(), judge.counts)).collect();
        let (modes, took) = (report.modes.clone(), report.took);
        (report.files > 0).then_some(OneFile { file, modes, judges, took })
    }
}

impl Spec {
    /// A run of scripts, and what each of them came to.
    pub fn new(header: Header, report: ScriptReport, files: Vec<OneFile>) -> Spec {
        let mut by_file = BTreeMap::new();
        let (mut judged_files, mut took_ms) = (BTreeMap::new(), BTreeMap::new());
        for OneFile { file, modes, judges, took } in files {
            took_ms.insert(file.clone(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            if !judges.is_empty() {
                judged_files.insert(file.clone(), judges.into_iter().collect());
            }
            by_file.insert(file, modes.into_iter().collect());
        }
        let mut spec = Spec {
            header,
            modes: report.modes.into_iter().collect(),
            files: report.files,
            by_file,
            took_ms,
            judges: report.judges,
            judged_files,
            failures: report.failures,
            skips: report.skips,
            excuses: report.excuses,
            unreadable: report.unreadable,
            coverage: report.coverage,
        };
        spec.sort();
        spec
    }

    /// Adds another part of the same work.
    pub fn add(&mut self, other: Spec) {
        self.header.add(&other.header);
        for (mode, counts) in other.modes {
            self.modes.entry(mode).or_default().add(counts);
        }
        self.files += other.files;
        self.by_file.extend(other.by_file);
        self.took_ms.extend(other.took_ms);
        self.judged_files.extend(other.judged_files);
        for judge in other.judges {
            match self.judges.iter_mut().find(|known| known.name == judge.name) {
                Some(known) => known.add(judge),
                None => self.judges.push(judge),
            }
        }
        self.failures.extend(other.failures);
        self.skips.extend(other.skips);
        self.excuses.extend(other.excuses);
        self.unreadable.extend(other.unreadable);
        self.coverage.add(&other.coverage);
        self.sort();
    }

    /// One order, whatever ran first.
    fn sort(&mut self) {
        self.failures.sort_by(|a, b| (&a.file, a.line, &a.mode).cmp(&(&b.file, b.line, &b.mode)));
        self.skips.sort_by(|a, b| (&a.file, a.line, &a.reason).cmp(&(&b.file, b.line, &b.reason)));
        self.excuses.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        self.unreadable.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        for judge in &mut self.judges {
            judge.failures.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
            judge.unsupported.sort_by(|a, b| (&a.file, a.line, &a.reason).cmp(&(&b.file, b.line, &b.reason)));
        }
    }

    /// The lanes, in the order in which they ran.
    pub fn lanes(&self) -> Vec<&str> {
        self.header.lanes.iter().map(String::as_str).filter(|lane| self.modes.contains_key(*lane)).collect()
    }

    /// Figures by group.
    pub fn groups(&self) -> BTreeMap<&str, Group> {
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        for (file, modes) in &self.by_file {
            let group = groups.entry(group_of(file)).or_default();
            group.files += 1;
            for (mode, counts) in modes {
                group.modes.entry(mode.clone()).or_default().add(*counts);
            }
        }
        for (file, judges) in &self.judged_files {
            let group = groups.entry(group_of(file)).or_default();
            for (judge, counts) in judges {
                group.judges.entry(judge.clone()).or_default().add(*counts);
            }
        }
        groups
    }

    /// What outside engines get wrong.
    pub fn judge_failures(&self) -> impl Iterator<Item = &Failure> {
        self.judges.iter().flat_map(|judge| &judge.failures)
    }

    /// Whether nothing failed and everything could be read.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.unreadable.is_empty() && self.judge_failures().next().is_none()
    }

    /// Who was asked and showed nothing that could be judged: lanes and outside engines.
    pub fn without_evidence(&self) -> Vec<&str> {
        let lanes = self.lanes().into_iter().filter(|lane| !self.modes[*lane].has_evidence());
        let judges = self.judges.iter().filter(|judge| !judge.counts.has_evidence());
        lanes.chain(judges.map(|judge| &*judge.name)).collect()
    }

    /// Assertions that each reason keeps from running, by lane: the largest first.
    pub fn skipped_by_reason<'a>(
        &'a self,
        reason_of: impl Fn(&'a str) -> &'a str,
    ) -> Vec<(&'a str, BTreeMap<&'a str, u64>)> {
        let mut reasons: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for skip in &self.skips {
            for mode in &skip.modes {
                let reason = reason_of(without_mode(&skip.reason, mode));
                *reasons.entry(reason).or_default().entry(mode).or_default() += skip.count;
            }
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        let most = |lanes: &BTreeMap<&str, u64>| lanes.values().copied().max();
        reasons.sort_by(|(a, x), (b, y)| (most(y), a).cmp(&(most(x), b)));
        reasons
    }
}

/// The group of a script of the suite; the folder of any other.
pub fn group_of(file: &str) -> &str {
    match file.split_once('/') {
        Some((group, _)) if group.parse::<crosscheck_spec_tests::Group>().is_ok() => group,
        _ => file.rsplit_once('/').map_or(".", |(folder, _)| folder),
    }
}

/// A figure of each mode: one if it is the same in all of them, else with the modes' names.
pub fn in_modes(figures: &BTreeMap<&str, u64>, modes: usize) -> String {
    let first = figures.values().next().copied().unwrap_or(0);
    if figures.len() == modes && figures.values().all(|figure| *figure == first) {
        return first.to_string();
    }
    let told: Vec<String> = figures.iter().map(|(mode, figure)| format!("{figure} in {mode}")).collect();
    told.join(", ")
}
