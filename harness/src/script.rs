//! The spec runner: a `.wast` script through several lanes, side by side.
//!
//! A script is parsed once and every module in it encoded and decoded once; then each directive runs
//! in every lane, is judged against what the script expects, and the lanes are compared with one
//! another. What is expected stands in the script, so this is the one place of the harness that
//! judges while it runs.
//!
//! What the figures mean: all of them count assertions (`assert_*`) in each lane, so that passed, failed,
//! skipped and excused add up to the same sum in every lane. What else fails (a module that does not
//! instantiate, an action that traps, a `register` without a module) is counted apart. A directive is
//! skipped where it needs something that no mode or this lane's mode does not execute, where a limit
//! of this bench stands in the way, and for no other reason; a skip is never a pass.
//!
//! The order to read: `read` finds the directives, `run` walks over them, `lane` is one mode's state, `value` and
//! `expect` judge, `compare` holds lanes against each other, `report` is what comes out. Outside engines take cases and
//! not scripts: `questions` makes them, `linking` links their modules, `judges` asks and `outside` judges. `cases` gives what is asked to generators.

mod build;
mod bytes;
mod cases;
mod compare;
mod expect;
mod judges;
mod lane;
mod linking;
mod outside;
mod questions;
mod read;
mod report;
mod run;
mod settings;
mod spectest;
mod text;
mod value;

#[cfg(test)]
mod tests;

pub use cases::cases;
pub use judges::{Bench, judge_script};
pub use report::{
    ExcuseEntry, Failure, JudgeCounts, JudgeReport, ModeCounts, ScriptReport, SkipEntry, Unreadable,
};
pub use text::headers;

use crate::case::Case;
use crate::observe::{Capture, Observation};
use crate::subject::{Acceptance, Shown, Subject, Unwatched, observe_all};
use crosscheck_engine::{Config, Mode};
use crosscheck_spec_tests::SpecFile;
use rayon::prelude::*;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A mode with settings that must not change what is observed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// What reports call it.
    pub name: String,
    /// The mode and its settings.
    pub config: Config,
}

impl Lane {
    /// A mode with its default settings, under the mode's name.
    pub fn of(mode: Mode) -> Lane {
        Lane { name: mode.name().to_string(), config: Config::new(mode) }
    }

    /// Every mode with its default settings, the reference first.
    pub fn all_modes() -> Vec<Lane> {
        Mode::all().map(Lane::of).collect()
    }
}

impl From<crate::subject::Lane> for Lane {
    fn from(lane: crate::subject::Lane) -> Lane {
        Lane { name: lane.to_string(), config: lane.config() }
    }
}

/// A script to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptFile {
    /// The group it belongs to; excuses are looked up by it. Empty for a file from elsewhere.
    pub group: String,
    /// Its name in the group, or its path.
    pub name: String,
    /// The whole script.
    pub text: Cow<'static, str>,
    /// The only line whose directives are judged; none for all. What stands before it runs and is not counted, and what
    /// stands after it does not run.
    pub line: Option<u32>,
}

impl ScriptFile {
    /// A script from outside the suite.
    pub fn new(name: impl Into<String>, text: impl Into<Cow<'static, str>>) -> ScriptFile {
        ScriptFile { group: String::new(), name: name.into(), text: text.into(), line: None }
    }

    /// What reports call it: `wasm-v3/i32.wast`.
    pub fn path(&self) -> String {
        if self.group.is_empty() { self.name.clone() } else { format!("{}/{}", self.group, self.name) }
    }
}

/// The lines at which directives of a script start, in their order. Fails if the text is not a script.
pub fn directive_lines(file: &ScriptFile) -> Result<Vec<u32>, Unreadable> {
    let lines = text::Lines::of(&file.text);
    read::read(file, &lines, |parts| Ok(parts.iter().map(|part| lines.line(part.span())).collect()))
}

impl From<SpecFile> for ScriptFile {
    fn from(file: SpecFile) -> ScriptFile {
        let (group, text) = (file.group.to_string(), Cow::Borrowed(file.text));
        ScriptFile { group, name: file.name, text, line: None }
    }
}

/// How scripts are run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether globals, memories and tables of the lanes are compared after each action.
    pub compare_state: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { compare_state: true }
    }
}

/// Runs one script through every lane. Fails if the text is not a script.
pub fn run_script(file: &ScriptFile, lanes: &[Lane], options: &Options) -> Result<ScriptReport, Unreadable> {
    run::run(file, lanes, options, &[], &mut Unwatched)
}

/// As [`run_script`], with a watch. A lane fails where it is known to die, without being let there.
pub fn run_script_watched(
    file: &ScriptFile,
    lanes: &[Lane],
    options: &Options,
    deaths: &[LaneDeath],
    watch: &mut dyn ScriptWatch,
) -> Result<ScriptReport, Unreadable> {
    run::run(file, lanes, options, deaths, watch)
}

/// Hears how far a script has come, so that it is known if the script never comes to its end.
pub trait ScriptWatch {
    /// A lane begins with the directive of that number; without a lane, it is the runner that works on it.
    fn begins(&mut self, lane: Option<usize>, directive: u32);
}

impl ScriptWatch for Unwatched {
    fn begins(&mut self, _: Option<usize>, _: u32) {}
}

/// Where a lane is known to take its process with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneDeath {
    /// The number of the lane; none if it was the runner, without which no lane goes on.
    pub lane: Option<u32>,
    /// The number of the directive.
    pub directive: u32,
    /// What it dies of.
    pub message: String,
}

/// Runs scripts in parallel and adds their reports up, in the order of `files`.
///
/// A file that is not a script is listed as unreadable and the rest runs. `progress` hears of every
/// file that is done; once `stop` is set no further file starts, and `files` in the report says how
/// many ran.
pub fn run_files(
    files: &[ScriptFile],
    lanes: &[Lane],
    options: &Options,
    stop: &AtomicBool,
    progress: &(dyn Fn(&ScriptFile, &ScriptReport) + Sync),
) -> ScriptReport {
    run_files_beside(files, lanes, &[], options, stop, progress)
        .expect("only outside engines are hard to ask")
}

/// As [`run_files`], with outside engines beside the lanes. Fails if one of them cannot be asked.
pub fn run_files_beside(
    files: &[ScriptFile],
    lanes: &[Lane],
    judges: &[Arc<dyn Subject>],
    options: &Options,
    stop: &AtomicBool,
    progress: &(dyn Fn(&ScriptFile, &ScriptReport) + Sync),
) -> Result<ScriptReport, String> {
    let run = |file: &ScriptFile| {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let started = Instant::now();
        let mut report = run_script(file, lanes, options).unwrap_or_else(ScriptReport::unreadable);
        report.judges = judge_script(file, judges, &mut Here)?;
        report.took = started.elapsed();
        progress(file, &report);
        Ok(Some(report))
    };
    // Files differ a hundredfold in size: one at a time keeps every core busy to the end.
    let reports: Result<Vec<_>, String> = files.par_iter().with_max_len(1).map(run).collect();
    let mut total = ScriptReport::of_lanes(lanes);
    reports?.into_iter().flatten().for_each(|report| total.add(report));
    Ok(total)
}

/// Outside engines in this process.
struct Here;

impl Bench for Here {
    fn observe(&mut self, engine: &Arc<dyn Subject>, case: &Case) -> Result<Option<Observation>, String> {
        match observe_all(case, &[&**engine], Capture::Digest, &mut Unwatched) {
            Shown::Invalid => Ok(None),
            Shown::Observed(observed) => Ok(observed.into_iter().next().flatten()),
        }
    }

    fn accepts(&mut self, engine: &Arc<dyn Subject>, wasm: &[u8]) -> Result<Acceptance, String> {
        Ok(engine.accepts(wasm))
    }
}

/// The `.wast` files in a folder and below it, sorted. Fails as reading a folder fails.
pub fn scripts_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    files_below(folder, &["wast"])
}

/// The files with these endings in a folder and below it, sorted. Fails as reading a folder fails.
pub fn files_below(folder: &Path, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path, endings)?);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|asked| ending == *asked)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
