//! What running scripts gives: figures a mode, and a line for everything that is not a pass.

use super::Lane;
use crate::coverage::Coverage;
use serde::{Deserialize, Serialize};
use std::fmt;

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
}

/// One lane's figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeCounts {
    /// Assertions that hold.
    pub passed: u64,
    /// Assertions that do not hold, and other directives that fail.
    pub failed: u64,
    /// Assertions that were not run.
    pub skipped: u64,
    /// Assertions that cannot hold any more.
    pub excused: u64,
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

/// Directives that were not run, for one cause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipEntry {
    /// The script.
    pub file: String,
    /// The line of the cause: usually of the module that cannot run.
    pub line: u32,
    /// Directives that this cause kept from running in at least one lane, the cause included.
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
    }
}

impl ModeCounts {
    /// Adds another part's figures.
    pub fn add(&mut self, other: ModeCounts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.excused += other.excused;
    }
}
