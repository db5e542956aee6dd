//! `reduce`: the smallest case that diverges the same way; `adopt`: a reduced finding becomes a regression.

use super::input::{self, Input};
use super::replay::nothing_ran;
use super::{Common, Done, Exit, Failure, show, stop_flag};
use crate::case::Case;
use crate::compare::{Divergence, Verdict};
use crate::corpus::finding::Record;
use crate::corpus::{REDUCED_FILE, write_whole};
use crate::observe::Capture;
use crate::script::{Lane as ScriptLane, ScriptFile};
use crate::subject::Task;
use crate::triage::{Budget, Investigation, Question, Step};
use crate::trial::{CaseRun, run_task};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Options of `reduce`.
#[derive(Args)]
pub struct Reduce {
    /// A finding (folder), a case (.xchk) or a module (.wasm, .wat)
    file: PathBuf,
    /// What hosts, calls and arguments of a bare module derive from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The fuzz target whose artifact it is
    #[arg(long)]
    target: Option<String>,
    /// Where the script goes; default: into the finding's folder, else beside the file
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Lines of a script that are shown; the file has all of them.
const SHOWN_LINES: usize = 200;

impl Reduce {
    /// Reduces, shows the smallest script, and writes it. An interrupt ends it with the best so far in the file.
    pub fn run(&self) -> Done {
        let case = self.case()?;
        let stop = stop_flag()?;
        let subjects = self.common.subjects_for(&self.file, self.target.as_ref().map(|_| &case))?;
        if subjects.len() < 2 {
            return Err(Failure::Usage("--modes: a comparison needs at least two subjects".into()));
        }
        let field = self.common.field()?;
        let ground = field.ground().until(&stop, None);
        if self.common.tells_of_unfit(ground, &subjects)? {
            return Ok(Exit::NothingRan);
        }
        let task = Task { case, subjects };
        let first = match run_task(ground, &task, Capture::Digest) {
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(Exit::Interrupted),
            first => first.map_err(Failure::Bench)?,
        };
        let Verdict::Diverge(seen) = &first.verdict else {
            return self.nothing_to_reduce(&task.case, &first);
        };
        let best = Mutex::new(task.case.clone());
        let progress = |step: Step<'_>| {
            let Step::Smaller(case) = step else { return };
            best.lock().unwrap_or_else(PoisonError::into_inner).clone_from(case);
            if self.common.verbose {
                show(format_args!("  {} bytes, {} actions", case.wasm_bytes(), case.actions.len()));
            }
        };
        let budget = Budget { stop: &stop, time: None };
        let found = self.common.in_pool(|| {
            let question = Question::new(ground, &task.case, seen, &task.subjects)?;
            question.investigate(&task.case, &budget, &progress)
        })?;
        match found {
            Ok(found) => self.tell(&task, seen, &found)?,
            Err(_) if stop.load(Ordering::Relaxed) => {
                self.keep(&best.into_inner().unwrap_or_else(PoisonError::into_inner))?;
            }
            Err(error) => return Err(Failure::Bench(error)),
        }
        Ok(if stop.load(Ordering::Relaxed) { Exit::Interrupted } else { Exit::Failures })
    }

    /// Says why there is nothing to reduce. A finding that agrees, and agreement on nothing, are not green.
    fn nothing_to_reduce(&self, case: &Case, run: &CaseRun) -> Done {
        let file = self.file.display();
        let (what, exit) = match &run.verdict {
            Verdict::Invalid => {
                return Err(Failure::Usage(format!("{file}: a module of the case is invalid")));
            }
            Verdict::Inconclusive(reason) => (format!("nothing can be said: {reason}"), Exit::NothingRan),
            Verdict::Agree | Verdict::Diverge(_) if self.file.is_dir() => {
                ("recorded: diverge; now: all agree, so there is nothing to reduce".into(), Exit::NothingRan)
            }
            Verdict::Agree | Verdict::Diverge(_) => match nothing_ran(case, run) {
                Some(why) => (format!("nothing was compared: {why}"), Exit::NothingRan),
                None => ("all agree; there is nothing to reduce".into(), Exit::Green),
            },
        };
        show(format_args!("{file}: {what}"));
        Ok(exit)
    }

    /// Shows what a reduction came to, and writes it.
    fn tell(&self, task: &Task, seen: &Divergence, found: &Investigation) -> Result<(), Failure> {
        let Investigation { reduced, divergence, script, localised, time, .. } = found;
        let lines: Vec<&str> = script.lines().collect();
        lines.iter().take(SHOWN_LINES).for_each(show);
        if let Some(more) = lines.len().checked_sub(SHOWN_LINES + 1) {
            show(format_args!(";; and {} more lines", more + 1));
        }
        show(format_args!(
            "{} bytes of wasm became {}; {} cases in {:.1} s; {}",
            task.case.wasm_bytes(),
            reduced.case.wasm_bytes(),
            reduced.tried,
            time.as_secs_f64(),
            divergence.fingerprint()
        ));
        if self.common.verbose {
            show(format_args!("{:<44} {:>6} {:>6}", "pass", "tried", "kept"));
            for pass in reduced.passes.iter().filter(|pass| pass.tried > 0) {
                show(format_args!("{:<44} {:>6} {:>6}", pass.name, pass.tried, pass.kept));
            }
        }
        match localised {
            Ok(localised) => show(localised),
            Err(why) => show(format_args!("not localised: {why}")),
        }
        show(format_args!("the bug: {}", found.bug(seen)));
        let output = self.output.clone().unwrap_or_else(|| default_output(&self.file));
        if self.file.is_dir() {
            let record = Record::load(&self.file).map_err(Failure::Usage)?;
            found.save(seen, record, &self.file).map_err(|error| cannot_write(&output, &error))?;
        }
        write_whole(&output, script.as_bytes()).map_err(|error| cannot_write(&output, &error))?;
        show(format_args!("written to {}", output.display()));
        Ok(())
    }

    /// Keeps the smallest case so far where an interrupt left no time to make a script of it.
    fn keep(&self, best: &Case) -> Result<(), Failure> {
        let output = self.output.clone().unwrap_or_else(|| default_output(&self.file));
        let output = output.with_extension("xchk");
        write_whole(&output, &best.to_bytes()).map_err(|error| cannot_write(&output, &error))?;
        show(format_args!(
            "interrupted; the smallest case so far, of {} bytes of wasm, is in {}",
            best.wasm_bytes(),
            output.display()
        ));
        Ok(())
    }

    fn case(&self) -> Result<Case, Failure> {
        match input::read_for(&self.file, self.target.as_deref())? {
            Input::Case(case) => Ok(case),
            Input::Module(wasm) => {
                let wasm = input::for_judges(&self.file, wasm, self.common.has_judges())?;
                input::module_case(&self.file, wasm, self.seed)
            }
            Input::Script(_) => Err(Failure::Usage(format!(
                "{}: this is a script; a finding, case or module is expected",
                self.file.display()
            ))),
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Bench(format!("{}: cannot write: {error}", path.display()))
}

fn default_output(file: &Path) -> PathBuf {
    if file.is_dir() { file.join(REDUCED_FILE) } else { file.with_extension("reduced.wast") }
}

/// Options of `adopt`.
#[derive(Args)]
pub struct Adopt {
    /// A finding's folder that was reduced, or a reduced script
    finding: PathBuf,
    /// Area and name below `corpus/regressions`, like `calls/result-survives-spill`
    name: String,
    /// The corpus
    #[arg(long, default_value = "corpus/regressions")]
    corpus: PathBuf,
    /// The bug is fixed in this build: take the script although all modes pass it
    #[arg(long)]
    fixed: bool,
    /// Program that runs the modes, e.g. the build with the bug; default: this one
    #[arg(long, value_name = "COMMAND")]
    worker: Option<String>,
}

impl Adopt {
    /// Files the reduced script as a regression.
    pub fn run(&self) -> Done {
        let parts: Vec<&str> = self.name.split('/').collect();
        let is_plain = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if parts.len() != 2 || !parts.iter().all(is_plain) {
            let name = &self.name;
            return Err(Failure::Usage(format!(
                "{name}: expected AREA/WHAT-IT-SHOWS in lower case with hyphens"
            )));
        }
        if !self.corpus.is_dir() {
            let corpus = self.corpus.display();
            return Err(Failure::Usage(format!(
                "{corpus}: there is no such folder; run this in a checkout, or name its corpus with --corpus"
            )));
        }
        let script =
            if self.finding.is_dir() { self.finding.join(REDUCED_FILE) } else { self.finding.clone() };
        let text = input::read_script(&script)?;
        let target = self.corpus.join(parts[0]).join(format!("{}.wast", parts[1]));
        if target.exists() {
            return Err(Failure::Usage(format!("{}: there is a regression of this name", target.display())));
        }
        if !self.fixed && self.passes(&script, text.clone())? {
            return Err(Failure::Usage(format!(
                "{}: every mode passes this script, so it shows no bug of this build; --fixed takes it all the same",
                script.display()
            )));
        }
        write_whole(&target, text.as_bytes()).map_err(|error| cannot_write(&target, &error))?;
        show(target.display());
        Ok(Exit::Green)
    }
    /// Whether every mode passes the script. Fails if the text is not a script, or asserts nothing.
    fn passes(&self, path: &Path, text: String) -> Result<bool, Failure> {
        let file = ScriptFile::new(path.display().to_string(), text);
        let common = Common { worker: self.worker.clone(), ..Common::plain() };
        let field = common.field()?;
        let report = field
            .run_files(&[file], &ScriptLane::all_modes(), &[], &AtomicBool::new(false), &|_, _| ())
            .map_err(Failure::Bench)?;
        if let Some(unreadable) = report.unreadable.first() {
            return Err(Failure::Usage(unreadable.to_string()));
        }
        if report.modes.iter().all(|(_, counts)| counts.passed + counts.failed == 0) {
            return Err(Failure::Usage(format!("{}: the script asserts nothing that runs", path.display())));
        }
        Ok(report.failures.is_empty())
    }
}
