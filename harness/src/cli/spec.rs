//! `spec`: scripts through every mode.

use super::input::read_script;
use super::status::{Now, Status};
use super::{Common, Done, Exit, Failure, progress, show, stop_flag};
use crate::report::header::Header;
use crate::report::night::SPEC_FILE;
use crate::report::spec::{OneFile, Spec as SpecReport};
use crate::report::standing::{Coverage, Standings};
use crate::report::{self, Clock, conformance};
use crate::script::{self, ScriptFile, ScriptReport, scripts_below};
use clap::Args;
use crosscheck_spec_tests::Group;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Options of `spec`.
#[derive(Args)]
pub struct Spec {
    /// Groups of the suite (wasm-v3, simd, ...), files or folders; default: every group
    what: Vec<String>,
    /// Fail on what is worse than in this file, and on nothing else: a spec.json, or a page that `--bless` wrote
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Hold only what runs against the baseline, and be green without the rest of it
    #[arg(long, requires = "baseline")]
    part: bool,
    /// Write the page that later runs are held against, e.g. reports/conformance.md
    #[arg(long, value_name = "FILE")]
    bless: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Failures that are printed; the report has them all.
const SHOWN_FAILURES: usize = 20;

impl Spec {
    /// The whole suite with default options otherwise.
    pub fn whole_suite(common: Common) -> Spec {
        Spec { what: Vec::new(), baseline: None, part: false, bless: None, common }
    }

    /// Runs the scripts, prints the summary and writes the report.
    pub fn run(&self) -> Done {
        let stop = stop_flag()?;
        self.run_until(&stop)
    }

    /// As [`Spec::run`], with somebody else watching for interrupts.
    pub fn run_until(&self, stop: &AtomicBool) -> Done {
        // A baseline that cannot be read is told before anything runs.
        let baseline = self.baseline.as_deref().map(Standings::load).transpose().map_err(Failure::Usage)?;
        if self.bless.is_some() && self.common.shard.1 > 1 {
            return Err(Failure::Usage("--bless: a shard is not what others can be held against".into()));
        }
        let (files, broken) = collect(&self.what)?;
        let (exit, spec) = run_scripts(&files, broken, &self.common, stop)?;
        if let Some(path) = self.bless.as_ref().filter(|_| exit != Exit::Interrupted) {
            report::write_text(path, &conformance::page(&spec)).map_err(Failure::Bench)?;
        }
        let Some(baseline) = baseline else { return Ok(exit) };
        let whole = self.what.is_empty() && self.common.shard.1 == 1 && exit != Exit::Interrupted;
        let changes = Standings::of(&spec).since(&baseline, whole);
        let shown = if self.common.verbose { usize::MAX } else { SHOWN_FAILURES };
        changes.lines(shown).iter().for_each(show);
        let (worse, better) = (changes.worse.len(), changes.better.len());
        show(format_args!("baseline: {worse} worse, {better} better"));
        let Coverage { rows, missing } = Standings::of(&spec).coverage_of(&baseline);
        if missing > 0 {
            let hint = if self.part { "" } else { "; `--part` holds only what runs against it" };
            show(format_args!(
                "incomplete: {missing} of {rows} rows of the baseline did not run (a row is a script in a mode){hint}"
            ));
        }
        // A baseline says nothing of outside engines.
        let is_worse = worse > 0 || spec.judge_failures().next().is_some();
        Ok(match exit {
            Exit::Green | Exit::Failures if is_worse => Exit::Failures,
            Exit::Green | Exit::Failures if missing > 0 && !self.part => Exit::NothingRan,
            // What fails is known, and failed before.
            Exit::Green | Exit::Failures => Exit::Green,
            Exit::Usage | Exit::NothingRan | Exit::Bench | Exit::Interrupted => exit,
        })
    }
}

/// A script from a file, as `replay` shows it: every failure, and the totals.
pub fn replay_script(path: &Path, text: String, common: &Common) -> Done {
    let file = ScriptFile::new(path.display().to_string(), text);
    Ok(run_scripts(&[file], Vec::new(), common, &AtomicBool::new(false))?.0)
}

#[allow(clippy::print_stderr, reason = "files that cannot be read are no part of the summary")]
fn run_scripts(
    files: &[ScriptFile],
    broken: Vec<String>,
    common: &Common,
    stop: &AtomicBool,
) -> Result<(Exit, SpecReport), Failure> {
    let (shard, shards) = common.shard;
    let mut mine: Vec<ScriptFile> =
        files.iter().zip(0..).filter(|(_, n)| n % shards == shard).map(|(f, _)| f.clone()).collect();
    let lanes: Vec<script::Lane> = common.plain_lanes()?.into_iter().map(script::Lane::from).collect();
    let judges = common.judges()?;
    let bar = progress::bar();
    let clock = Clock::start();
    let field = common.field()?;
    if common.tells_of_unfit(field.ground().until(stop, None), &judges)? {
        // An engine that does not work says nothing of any script, and its report is that nothing ran.
        mine.clear();
    }
    bar.set_length(mine.len() as u64);
    let by_file = Mutex::new(Vec::with_capacity(mine.len()));
    let status = Status::new(&common.report, "spec");
    let step = |file: &ScriptFile, report: &ScriptReport| {
        bar.set_message(file.path());
        bar.inc(1);
        let mut by_file = by_file.lock().unwrap_or_else(PoisonError::into_inner);
        by_file.extend(OneFile::of(file.path(), report));
        status.tell(&Now {
            done: by_file.len() as u64,
            of: Some(mine.len() as u64),
            findings: report.failures_of_all() as u64,
            elapsed: clock.elapsed(),
            time: None,
        });
    };
    let report = common.in_pool(|| field.run_files(&mine, &lanes, &judges, stop, &step))?;
    let worker = field.worker_json(common);
    drop(field);
    bar.finish_and_clear();
    let report = report.map_err(Failure::Bench)?;
    let times = clock.stop();
    let names: Vec<String> = lanes.iter().map(|lane| lane.name.clone()).collect();
    let complete = !stop.load(Ordering::Relaxed);
    let header = Header { worker, ..Header::new(names, common.shard, &times, complete) };
    let by_file = by_file.into_inner().unwrap_or_else(PoisonError::into_inner);
    let spec = SpecReport::new(header, report, by_file);
    let verbose = common.verbose || files.len() == 1;
    show(report::spec_summary(&spec, if verbose { usize::MAX } else { SHOWN_FAILURES }, verbose));
    common.write_report(SPEC_FILE, &spec)?;
    let unreadable: Vec<String> = spec.unreadable.iter().map(ToString::to_string).chain(broken).collect();
    unreadable.iter().for_each(|line| eprintln!("error: {line}"));
    let exit = if !complete {
        Exit::Interrupted
    } else if !unreadable.is_empty() {
        Exit::Usage
    } else if !spec.is_clean() {
        Exit::Failures
    } else if spec.files == 0 || !spec.without_evidence().is_empty() {
        Exit::NothingRan
    } else {
        Exit::Green
    };
    Ok((exit, spec))
}

/// The scripts that are meant, and a line for each file in a folder that cannot be read.
fn collect(what: &[String]) -> Result<(Vec<ScriptFile>, Vec<String>), Failure> {
    if what.is_empty() {
        return Ok((Group::all().flat_map(Group::files).map(ScriptFile::from).collect(), Vec::new()));
    }
    let (mut files, mut broken) = (Vec::new(), Vec::new());
    for name in what {
        let path = Path::new(name);
        if let Ok(group) = name.parse::<Group>() {
            files.extend(group.files().into_iter().map(ScriptFile::from));
        } else if path.is_dir() {
            let scripts = scripts_below(path)
                .map_err(|error| Failure::Usage(format!("{}: cannot read: {error}", path.display())))?;
            if scripts.is_empty() {
                return Err(Failure::Usage(format!("{}: no .wast file in this folder", path.display())));
            }
            for script in scripts {
                match read_script(&script) {
                    Ok(text) => files.push(ScriptFile::new(script.display().to_string(), text)),
                    Err(Failure::Usage(line) | Failure::Bench(line)) => broken.push(line),
                }
            }
        } else if path.exists() {
            files.push(ScriptFile::new(name.clone(), read_script(path)?));
        } else {
            let known: Vec<&str> = Group::all().map(Group::name).collect();
            let known = known.join(" ");
            return Err(Failure::Usage(format!(
                "`{name}` is neither a file nor a folder nor a group ({known})"
            )));
        }
    }
    Ok((files, broken))
}
