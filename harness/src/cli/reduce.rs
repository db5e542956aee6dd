//! `reduce`: the smallest case that diverges the same way; `adopt`: a reduced finding becomes a regression.

use super::input::{self, Input};
use super::{Common, Done, Exit, Failure, show, stop_flag};
use crate::case::Case;
use crate::compare::Verdict;
use crate::corpus::finding::{Record, Reduction};
use crate::corpus::{REDUCED_FILE, write_whole};
use crate::investigate::{Budget, Investigation, Question};
use crate::observe::Capture;
use crate::run::{Task, run_task};
use clap::Args;
use std::path::{Path, PathBuf};

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

impl Reduce {
    /// Reduces, shows the smallest script, and writes it.
    pub fn run(&self) -> Done {
        let case = self.case()?;
        let stop = stop_flag()?;
        let field = self.common.field()?;
        let subjects = self.common.subjects_for(&self.file, self.target.as_ref().map(|_| &case))?;
        let task = Task { case, subjects };
        let first = run_task(field.ground(), &task, Capture::Digest).map_err(Failure::Bench)?;
        let Verdict::Diverge(seen) = &first.verdict else {
            show(format_args!("{}: all agree; there is nothing to reduce", self.file.display()));
            return Ok(Exit::Green);
        };
        let question = Question::new(field.ground(), &task.case, seen, &task.subjects);
        let question = question.map_err(Failure::Bench)?;
        let progress = |case: &Case| {
            if self.common.verbose {
                show(format_args!("  {} bytes, {} actions", case.wasm_bytes(), case.actions.len()));
            }
        };
        let budget = Budget { stop: &stop, time: None };
        let found = self.common.in_pool(|| question.investigate(&task.case, &budget, &progress))?;
        let found = found.map_err(Failure::Bench)?;
        let Investigation { reduced, divergence, script, localised, time, .. } = &found;
        show(script);
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
        let cannot = |error| Failure::Bench(format!("{}: cannot write: {error}", output.display()));
        if self.file.is_dir() {
            let record = Record::load(&self.file).map_err(Failure::Usage)?;
            let reduction = Reduction::of(&found, seen);
            let found = Ok((reduction, &reduced.case, script.as_str()));
            record.looked_into(&self.file, found).map_err(cannot)?;
        }
        write_whole(&output, script.as_bytes()).map_err(cannot)?;
        show(format_args!("written to {}", output.display()));
        Ok(Exit::Failures)
    }

    fn case(&self) -> Result<Case, Failure> {
        match input::read_for(&self.file, self.target.as_deref())? {
            Input::Case(case) => Ok(case),
            Input::Module(wasm) => {
                let wasm = input::for_judges(&self.file, wasm, !self.common.with.is_empty())?;
                input::module_case(&self.file, wasm, self.seed)
            }
            Input::Script(_) => Err(Failure::Usage(format!(
                "{}: this is a script; a finding, case or module is expected",
                self.file.display()
            ))),
        }
    }
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
        let script =
            if self.finding.is_dir() { self.finding.join(REDUCED_FILE) } else { self.finding.clone() };
        let text = input::read_script(&script)?;
        let target = self.corpus.join(parts[0]).join(format!("{}.wast", parts[1]));
        if target.exists() {
            return Err(Failure::Usage(format!("{}: there is a regression of this name", target.display())));
        }
        write_whole(&target, text.as_bytes())
            .map_err(|error| Failure::Bench(format!("{}: cannot write: {error}", target.display())))?;
        show(target.display());
        Ok(Exit::Green)
    }
}
