//! What scripts came to: `spec.json`.

use super::header::Header;
use crate::coverage::Coverage;
use crate::script::{ExcuseEntry, Failure, ModeCounts, ScriptReport, SkipEntry, Unreadable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
}

impl Spec {
    /// A run of scripts; `by_file` is what each of them came to.
    pub fn new(
        header: Header,
        report: ScriptReport,
        by_file: Vec<(String, Vec<(String, ModeCounts)>)>,
    ) -> Spec {
        let by_file = by_file.into_iter().map(|(file, modes)| (file, modes.into_iter().collect()));
        let mut spec = Spec {
            header,
            modes: report.modes.into_iter().collect(),
            files: report.files,
            by_file: by_file.collect(),
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
        groups
    }
}

/// The group of a script of the suite; the folder of any other.
pub fn group_of(file: &str) -> &str {
    match file.split_once('/') {
        Some((group, _)) if group.parse::<crosscheck_spec_tests::Group>().is_ok() => group,
        _ => file.rsplit_once('/').map_or(".", |(folder, _)| folder),
    }
}
