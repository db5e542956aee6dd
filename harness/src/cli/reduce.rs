//! `reduce`: the smallest case that diverges the same way; `adopt`: a reduced finding becomes a regression.

use super::input::{self, Input};
use super::{Common, Done, Exit, Failure, stop_flag};
use crate::case::Case;
use crate::compare::{Divergence, Kind, Verdict};
use crate::corpus::{REDUCED_CASE_FILE, REDUCED_FILE, write_whole};
use crate::fingerprint::Fingerprint;
use crate::generate::plan;
use crate::observe::Capture;
use crate::reduce::{Reducer, Refused, to_script};
use crate::run::{CaseRun, Ground, Task, run_task};
use crate::subject::{LaneSubject, Subject};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Options of `reduce`.
#[derive(Args)]
pub struct Reduce {
    /// A finding (folder), a case (.xchk) or a module (.wasm, .wat)
    file: PathBuf,
    /// What hosts, calls and arguments of a bare module derive from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where the script goes; default: into the finding's folder, else beside the file
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Reduce {
    /// Reduces, shows the smallest script, and writes it.
    #[allow(clippy::print_stdout, reason = "the script is what the command is for")]
    pub fn run(&self) -> Done {
        let case = self.case()?;
        let stop = stop_flag()?;
        let started = Instant::now();
        let field = self.common.field()?;
        let lanes = self.common.plain_lanes()?;
        let mut all: Vec<Arc<dyn Subject>> =
            lanes.into_iter().map(|lane| Arc::new(LaneSubject::new(lane)) as Arc<dyn Subject>).collect();
        let judges = self.common.judges()?;
        let is_judged = !judges.is_empty();
        all.extend(judges);
        let first = run(field.ground(), &case, &all)?;
        let Verdict::Diverge(divergence) = &first.verdict else {
            println!("{}: all agree; there is nothing to reduce", self.file.display());
            return Ok(Exit::Green);
        };
        let subjects = one_of_each(&all, divergence);
        // What ends the process must not end this one; who knows what an outside engine does on the way.
        let dangerous = is_judged || matches!(divergence.first.kind, Kind::Crash | Kind::Hang);
        let ground = if dangerous { field.ground() } else { Ground::InProcess };
        let wanted = fingerprint(&run(ground, &case, &subjects)?);
        let interesting = |case: &Case| {
            let shown = run(ground, case, &subjects).ok().and_then(|run| fingerprint(&run));
            shown.is_some() && shown == wanted
        };
        let bytes = |case: &Case| case.modules.iter().map(|module| module.wasm.len()).sum::<usize>();
        let progress = |case: &Case| {
            if self.common.verbose {
                println!("  {} bytes, {} actions", bytes(case), case.actions.len());
            }
        };
        let reduced =
            self.common.in_pool(|| Reducer::new(&case, &interesting, &stop, &progress).map(Reducer::run))?;
        let reduced = reduced.map_err(|refused| Failure::Bench(explain(refused).to_string()))?;
        let last = run(ground, &reduced.case, &subjects)?;
        let Verdict::Diverge(divergence) = &last.verdict else {
            return Err(Failure::Bench(
                "the smallest case does not diverge when it is run again".to_string(),
            ));
        };
        let script =
            to_script(&reduced.case, &last.observations[0].1, &notes(divergence)).map_err(Failure::Bench)?;
        println!("{script}");
        let (before, after) = (bytes(&case), bytes(&reduced.case));
        println!(
            "{before} bytes of wasm became {after}; {} cases in {:.1} s; {}",
            reduced.tried,
            started.elapsed().as_secs_f64(),
            divergence.fingerprint()
        );
        let output = self.output.clone().unwrap_or_else(|| default_output(&self.file));
        let cannot = |error| Failure::Bench(format!("{}: cannot write: {error}", output.display()));
        write_whole(&output, script.as_bytes()).map_err(cannot)?;
        if self.file.is_dir() {
            write_whole(&self.file.join(REDUCED_CASE_FILE), &reduced.case.to_bytes()).map_err(cannot)?;
        }
        println!("written to {}", output.display());
        Ok(Exit::Failures)
    }

    fn case(&self) -> Result<Case, Failure> {
        let file = self.file.display();
        match input::read(&self.file)? {
            Input::Case(case) => Ok(case),
            Input::Module(wasm) => {
                plan::plan(wasm, self.seed).map_err(|error| Failure::Usage(format!("{file}: {error}")))
            }
            Input::Script(_) => Err(Failure::Usage(format!(
                "{file}: this is a script; a finding, case or module is expected"
            ))),
        }
    }
}

fn run(ground: Ground<'_>, case: &Case, subjects: &[Arc<dyn Subject>]) -> Result<CaseRun, Failure> {
    let task = Task { case: case.clone(), subjects: subjects.to_vec() };
    run_task(ground, &task, Capture::Digest).map_err(Failure::Bench)
}

fn fingerprint(run: &CaseRun) -> Option<Fingerprint> {
    match &run.verdict {
        Verdict::Diverge(divergence) => Some(divergence.fingerprint()),
        Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
    }
}

/// A subject of each group, the reference's first: who agrees anyway need not run.
fn one_of_each(all: &[Arc<dyn Subject>], divergence: &Divergence) -> Vec<Arc<dyn Subject>> {
    let named = |name: &String| all.iter().find(|subject| subject.name() == name).cloned();
    divergence.groups.iter().filter_map(|group| group.first().and_then(named)).collect()
}

fn notes(divergence: &Divergence) -> Vec<String> {
    let groups: Vec<String> = divergence.groups.iter().map(|group| group.join(" ")).collect();
    vec![
        format!("{} differ: {}", groups.join(" / "), divergence.first),
        format!("fingerprint: {}", divergence.fingerprint()),
        format!("look at: {}", divergence.triage()),
    ]
}

fn explain(refused: Refused) -> &'static str {
    match refused {
        Refused::Uninteresting => "the case does not diverge the same way twice",
        Refused::EmptyIsInteresting => "a case without modules diverges the same way",
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
    #[allow(clippy::print_stdout, reason = "where it went is what the user wants to know")]
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
        println!("{}", target.display());
        Ok(Exit::Green)
    }
}
