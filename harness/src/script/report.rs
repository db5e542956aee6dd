//! What running scripts gives: figures a mode, and a line for everything that is not a pass.

use super::Lane;
use crate::coverage::Coverage;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The result of one or many scripts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScriptReport {
    /// Figures by lane, in the order of the lanes.
    pub modes: Vec<(String, ModeCounts)>,
    /// Scripts that ran.
    pub files: u64,
    /// Everything that went wrong.
    pub failures: Vec<Failure>,
    /// Everything that was not run, by its cause.
    pub skips: Vec<SkipEntry>,
    /// Failures that a later standard explains.
    pub excuses: Vec<ExcuseEntry>,
    /// Files that are not scripts.
    pub unreadable: Vec<Unreadable>,
    /// Opcodes that lanes of the reference executed, a directive at most once, and assertions about them that hold.
    pub coverage: Coverage,
    /// What outside engines came to, in the order in which they were named.
    pub judges: Vec<JudgeReport>,
    /// How long it took, by the clock on the wall; of several scripts the sum.
    pub took: Duration,
}

/// One lane's figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeCounts {
    /// Assertions that hold.
    pub passed: u64,
    /// Assertions that do not hold.
    pub failed: u64,
    /// Assertions that were not run.
    pub skipped: u64,
    /// Assertions that cannot hold any more.
    pub excused: u64,
    /// Directives that assert nothing and were done.
    #[serde(default)]
    pub steps: u64,
    /// Failures that are no assertion's: other directives that fail, and state that differs at the end of a script.
    #[serde(default)]
    pub steps_failed: u64,
}

/// What scripts came to in one outside engine.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeReport {
    /// What people call it.
    pub name: String,
    /// Its release, if it says.
    pub version: Option<String>,
    /// Its figures.
    pub counts: JudgeCounts,
    /// Everything that it gets wrong.
    pub failures: Vec<Failure>,
    /// Assertions that it could not be asked about or does not execute, by cause.
    pub unsupported: Vec<SkipEntry>,
}

/// Figures of one outside engine, in assertions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeCounts {
    /// Assertions that hold.
    pub passed: u64,
    /// Assertions that do not hold.
    pub failed: u64,
    /// Assertions that could not be asked, or need what it does not execute.
    pub unsupported: u64,
    /// Assertions that a later standard withdrew.
    pub excused: u64,
    /// Directives that assert nothing and fail.
    pub steps_failed: u64,
}

impl JudgeReport {
    /// A report on nothing.
    pub fn of(name: &str, version: Option<&str>) -> JudgeReport {
        let (name, version) = (name.to_string(), version.map(str::to_string));
        JudgeReport { name, version, ..JudgeReport::default() }
    }

    /// Adds what other scripts came to in the same engine.
    pub fn add(&mut self, other: JudgeReport) {
        self.counts.add(other.counts);
        self.failures.extend(other.failures);
        self.unsupported.extend(other.unsupported);
    }
}

impl JudgeCounts {
    /// Whether it was judged on anything.
    pub fn has_evidence(&self) -> bool {
        self.passed + self.failed + self.excused + self.steps_failed > 0
    }

    /// Everything that failed, assertions or not.
    pub fn all_failed(&self) -> u64 {
        self.failed + self.steps_failed
    }

    /// Adds another part's figures.
    pub fn add(&mut self, other: JudgeCounts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.unsupported += other.unsupported;
        self.excused += other.excused;
        self.steps_failed += other.steps_failed;
    }
}

/// How a failure's message begins if lanes differ, and if a lane did not survive.
pub(super) const DIFFERS: &str = "modes differ";
pub(super) const PANICKED: &str = "panicked";

impl Failure {
    /// Whether a lane is wrong whatever the script expects: it differs from the others, or did not survive.
    pub fn is_difference(&self) -> bool {
        self.message.starts_with(DIFFERS) || self.message.starts_with(PANICKED)
    }
}

/// Something that went wrong in one lane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The script: `wasm-v3/i32.wast`.
    pub file: String,
    /// The line on which the directive starts, from 1.
    pub line: u32,
    /// The lane.
    pub mode: String,
    /// What was expected and what happened.
    pub message: String,
}

/// Assertions that were not run, for one cause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipEntry {
    /// The script.
    pub file: String,
    /// The line of the cause: usually of the module that cannot run.
    pub line: u32,
    /// Assertions that this cause kept from running, in each of the lanes; 0 if it kept only other directives.
    pub count: u64,
    /// The lanes.
    pub modes: Vec<String>,
    /// What would be needed.
    pub reason: String,
}

/// A directive that failed and is excused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExcuseEntry {
    /// The script.
    pub file: String,
    /// The line on which the directive starts, from 1.
    pub line: u32,
    /// The lanes; none of them in reports of earlier versions, for all.
    #[serde(default)]
    pub modes: Vec<String>,
    /// Why it cannot pass.
    pub reason: String,
}

/// A file that is not a script: where it stops being one, and what was expected there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    /// The file.
    pub file: String,
    /// Line of the place, from 1.
    pub line: u32,
    /// Column of the place in bytes, from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl std::error::Error for Unreadable {}

impl ScriptReport {
    /// A report without any script.
    pub fn of_lanes(lanes: &[Lane]) -> ScriptReport {
        let modes = lanes.iter().map(|lane| (lane.name.clone(), ModeCounts::default())).collect();
        ScriptReport { modes, ..ScriptReport::default() }
    }

    /// A report about a file that is not a script.
    pub fn unreadable(file: Unreadable) -> ScriptReport {
        ScriptReport { unreadable: vec![file], ..ScriptReport::default() }
    }

    /// One lane's figures.
    pub fn mode(&self, name: &str) -> Option<ModeCounts> {
        self.modes.iter().find(|(mode, _)| mode == name).map(|(_, counts)| *counts)
    }

    /// Whether nothing failed and every file could be read. Skips do not count against it.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.unreadable.is_empty()
    }

    /// How much went wrong, in lanes and outside engines.
    pub fn failures_of_all(&self) -> usize {
        self.failures.len() + self.judges.iter().map(|judge| judge.failures.len()).sum::<usize>()
    }

    /// Adds another report's figures and lists to this one's.
    pub fn add(&mut self, other: ScriptReport) {
        for (name, counts) in other.modes {
            match self.modes.iter_mut().find(|(mode, _)| *mode == name) {
                Some((_, total)) => total.add(counts),
                None => self.modes.push((name, counts)),
            }
        }
        self.files += other.files;
        self.failures.extend(other.failures);
        self.skips.extend(other.skips);
        self.excuses.extend(other.excuses);
        self.unreadable.extend(other.unreadable);
        self.coverage.add(&other.coverage);
        self.took += other.took;
        for judge in other.judges {
            match self.judges.iter_mut().find(|known| known.name == judge.name) {
                Some(known) => known.add(judge),
                None => self.judges.push(judge),
            }
        }
    }
}

impl ModeCounts {
    /// Adds another part's figures.
    pub fn add(&mut self, other: ModeCounts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.excused += other.excused;
        self.steps += other.steps;
        self.steps_failed += other.steps_failed;
    }

    /// All assertions, run or not: the same in every lane.
    pub fn assertions(&self) -> u64 {
        self.passed + self.failed + self.skipped + self.excused
    }

    /// Everything that failed, assertions or not.
    pub fn all_failed(&self) -> u64 {
        self.failed + self.steps_failed
    }

    /// Whether anything at all was done that could have failed.
    pub fn has_evidence(&self) -> bool {
        self.passed + self.failed + self.excused > 0
            || (self.skipped == 0 && self.steps + self.steps_failed > 0)
    }
}
