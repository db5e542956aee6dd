//! What is done with a divergence before people see it.
//!
//! A [`Question`] confirms that a case diverges and looks into it: the smallest case that diverges the same way, a
//! script of it, the instruction at which its subjects part, and the simplest case of its bug. [`Findings`] keeps what a
//! run finds: every finding is a folder, the first ones are looked into, and those of one bug are told of each
//! other. Nothing is printed here: a [`Listener`] hears of every step.
//!
//! From a case to a finished finding, for a program that uses the library:
//!
//! ```no_run
//! use crosscheck::case::Case;
//! use crosscheck::compare::Verdict;
//! use crosscheck::corpus::Started;
//! use crosscheck::observe::Capture;
//! use crosscheck::run::Ground;
//! use crosscheck::subject::Task;
//! use crosscheck::triage::{Findings, Listener, Looking};
//! use crosscheck::trial::run_task;
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//! use std::time::Duration;
//!
//! struct Silence;
//! impl Listener for Silence {}
//!
//! fn look(task: Task, folder: &Path) -> Result<(), String> {
//!     let ground = Ground::InProcess;
//!     let run = run_task(ground, &task, Capture::Full)?;
//!     let Some(finding) = run.finding(task, "by hand", 0, 0) else { return Ok(()) };
//!     let stop = AtomicBool::new(false);
//!     let looking = Looking { ground, stop: &stop, each: Duration::from_secs(60), until: None, most: None };
//!     let mut findings = Findings::new(folder, Started::default(), looking);
//!     findings.take(&finding, &Silence).map_err(|error| error.to_string())?;
//!     Ok(())
//! }
//! ```

mod question;

pub use question::{Budget, Investigation, Question, Step};

use crate::corpus::Started;
use crate::corpus::finding::{Kinship, Record, Reduction};
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::run::Ground;
use crate::subject::{self, Subject};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many findings of a run are looked into. To look into more is the work of a person who has dealt with these.
const MOST_LOOKED_INTO: u32 = 20;

/// How a run looks into its findings.
pub struct Looking<'a> {
    /// Where their cases are run.
    pub ground: Ground<'a>,
    /// Ends the run when set; it is set when there are as many findings as were asked for.
    pub stop: &'a AtomicBool,
    /// How long one finding may take; with zero, no finding is looked into.
    pub each: Duration,
    /// When the run ends, whatever there is to look into.
    pub until: Option<Instant>,
    /// After how many findings the run ends.
    pub most: Option<u64>,
}

/// A listener to what becomes of findings. By default it ignores all of it.
pub trait Listener: Sync {
    /// A finding was saved as that folder.
    fn saved(&self, finding: &Finding, folder: &Path) {
        let _ = (finding, folder);
    }

    /// A finding is going to be looked into.
    fn begins(&self, finding: &Finding) {
        let _ = finding;
    }

    /// A step of looking into a finding is done. Called by several threads at once.
    fn step(&self, step: Step<'_>) {
        let _ = step;
    }

    /// A finding was looked into, and its folder says what came of it.
    fn looked_into(&self, looked: &LookedInto<'_>) {
        let _ = looked;
    }
}

/// What looking into a finding came to.
pub struct LookedInto<'a> {
    /// The finding's folder.
    pub folder: &'a Path,
    /// What the finding was reduced to, or why it was not.
    pub reduction: Result<&'a Reduction, &'a str>,
    /// The earlier finding whose bug has the same name, and how sure it is that both are of one bug.
    pub kin: Option<(Kinship, &'a Path)>,
}

/// What could not be written.
#[derive(Debug)]
pub struct Unsaved {
    /// What it is.
    pub what: &'static str,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for Unsaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot save {}: {}", self.what, self.error)
    }
}

impl std::error::Error for Unsaved {}

/// The findings of a run: a folder each, of which the first are looked into.
pub struct Findings<'a> {
    folder: PathBuf,
    /// How the program was started.
    started: Started,
    looking: Looking<'a>,
    looked_into: u32,
    /// Findings that were saved.
    saved: u64,
    /// The first finding of each bug that was looked into.
    bugs: BTreeMap<Fingerprint, (PathBuf, Reduction)>,
}

impl<'a> Findings<'a> {
    /// None yet. They are going to be folders below `folder`, whose pages repeat how the program was started.
    pub fn new(folder: &Path, started: Started, looking: Looking<'a>) -> Findings<'a> {
        let folder = folder.to_path_buf();
        Findings { folder, started, looking, looked_into: 0, saved: 0, bugs: BTreeMap::new() }
    }

    /// Whether there are as many findings as were asked for.
    pub fn are_enough(&self) -> bool {
        self.looking.most.is_some_and(|most| self.saved >= most)
    }

    /// Saves a finding, and looks into it if there is time. Its subjects are found by the names in its groups.
    pub fn take(&mut self, finding: &Finding, listener: &dyn Listener) -> Result<(), Unsaved> {
        let recorded = || {
            let names = finding.divergence.groups.iter().flatten();
            names.map(|name| subject::recorded(name, &finding.definitions)).collect()
        };
        self.keep(finding, &recorded, listener)
    }

    /// As [`Findings::take`], with these subjects: those of a program that brings its own are not found by their names.
    pub fn take_of(
        &mut self,
        finding: &Finding,
        subjects: &[Arc<dyn Subject>],
        listener: &dyn Listener,
    ) -> Result<(), Unsaved> {
        self.keep(finding, &|| Ok(subjects.to_vec()), listener)
    }

    fn keep(
        &mut self,
        finding: &Finding,
        subjects: &dyn Fn() -> Result<Vec<Arc<dyn Subject>>, String>,
        listener: &dyn Listener,
    ) -> Result<(), Unsaved> {
        let unsaved = |what| move |error| Unsaved { what, error };
        let folder = finding.save(&self.folder, &self.started).map_err(unsaved("a finding"))?;
        listener.saved(finding, &folder);
        // What the last batch found beyond what was asked for is saved, and that is all.
        if self.are_enough() {
            return Ok(());
        }
        let looked = self.look_into(finding, &folder, subjects, listener);
        self.saved += 1;
        if self.are_enough() {
            self.looking.stop.store(true, Ordering::Relaxed);
        }
        looked.map_err(unsaved("what a finding was reduced to"))
    }

    /// Looks into a finding that was saved, unless that was done before or time is up.
    fn look_into(
        &mut self,
        finding: &Finding,
        folder: &Path,
        subjects: &dyn Fn() -> Result<Vec<Arc<dyn Subject>>, String>,
        listener: &dyn Listener,
    ) -> io::Result<()> {
        let Looking { ground, stop, each, until, .. } = self.looking;
        let time = until.map_or(each, |until| until.saturating_duration_since(Instant::now()).min(each));
        let record = Record::load(folder).map_err(io::Error::other)?;
        if time.is_zero() || self.looked_into == MOST_LOOKED_INTO || record.was_looked_into() {
            return Ok(());
        }
        self.looked_into += 1;
        listener.begins(finding);
        let budget = Budget { stop, time: Some(time) };
        let found = subjects().and_then(|subjects| {
            let question = Question::new(ground, &finding.case, &finding.divergence, &subjects)?;
            question.investigate(&finding.case, &budget, &|step| listener.step(step))
        });
        let reduction = match &found {
            Ok(found) => Ok(found.save(&finding.divergence, record, folder)?),
            Err(reason) => {
                record.looked_into(folder, Err(reason.clone()))?;
                Err(reason.as_str())
            }
        };
        let reduction = reduction.as_ref().map_err(|reason| *reason);
        let earlier = reduction.ok().and_then(|reduction| self.bugs.get(&reduction.bug));
        let kin = earlier
            .zip(reduction.ok())
            .map(|((place, earlier), reduction)| (reduction.kinship(earlier), place.as_path()));
        listener.looked_into(&LookedInto { folder, reduction, kin });
        if let (Ok(reduction), None) = (reduction, kin) {
            self.bugs.insert(reduction.bug.clone(), (folder.to_path_buf(), reduction.clone()));
        }
        Ok(())
    }
}
