//! `spec`: scripts through every mode.

use super::input::read_script;
use super::status::{Now, Status};
use super::{Common, Done, Exit, Failure, did_you_mean, progress, show, stop_flag};
use crate::report::header::Header;
use crate::report::night::SPEC_FILE;
use crate::report::spec::{OneFile, Spec as SpecReport};
use crate::report::standing::{Coverage, Standings};
use crate::report::{self, Clock, PAGE_FILE, conformance};
use crate::script::{self, ScriptFile, ScriptReport, directive_lines, scripts_below};
use clap::Args;
use crosscheck_spec_tests::Group;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Options of `spec`.
#[derive(Args)]
pub struct Spec {
    /// Groups of the suite (wasm-v3, simd, ...), files or folders; default: every group. FILE:LINE judges only what starts
    /// at that line of a file or of a script of the suite, after all that stands before it has run
    #[arg(value_name = "GROUP|FILE|FOLDER|FILE:LINE")]
    what: Vec<String>,
    /// Run only scripts whose path contains this, e.g. `wasm-v3/i32`
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// End after the first script with a failure
    #[arg(long)]
    fail_fast: bool,
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
        let (what, filter, fail_fast) = (Vec::new(), None, false);
        Spec { what, filter, fail_fast, baseline: None, part: false, bless: None, common }
    }

    /// Runs the scripts, prints the summary and writes the report.
    pub fn run(&self) -> Done {
        let stop = stop_flag()?;
        let exit = self.run_until(&stop)?;
        show(format_args!("report: {}", self.common.report.join(PAGE_FILE).display()));
        Ok(exit)
    }

    /// As [`Spec::run`], with the caller watching for interrupts.
    pub fn run_until(&self, stop: &AtomicBool) -> Done {
        // A baseline that cannot be read is told before anything runs.
        let baseline = self.baseline.as_deref().map(Standings::load).transpose().map_err(Failure::Usage)?;
        if self.bless.is_some() && self.common.shard.1 > 1 {
            return Err(Failure::Usage("--bless: a shard is not what others can be held against".into()));
        }
        let (mut files, broken) = collect(&self.what)?;
        self.select(&mut files)?;
        let (exit, spec) = run_scripts(&files, broken, self.fail_fast, &self.common, stop)?;
        let is_complete = spec.header.complete;
        if let Some(path) = self.bless.as_ref().filter(|_| is_complete) {
            report::write_text(path, &conformance::page(&spec)).map_err(Failure::Bench)?;
        }
        let Some(baseline) = baseline else { return Ok(exit) };
        let is_whole_suite = self.what.is_empty() && self.filter.is_none();
        let whole = is_whole_suite && self.common.shard.1 == 1 && is_complete;
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

    /// Leaves the scripts that are meant. Fails if there is none, or if parts of scripts are to be held against whole
    /// ones.
    fn select(&self, files: &mut Vec<ScriptFile>) -> Result<(), Failure> {
        if let Some(text) = &self.filter {
            files.retain(|file| file.path().contains(text));
            if files.is_empty() {
                return Err(Failure::Usage(format!("--filter: no script's path contains `{text}`")));
            }
        }
        let option = if self.bless.is_some() { "--bless" } else { "--baseline" };
        match files.iter().find_map(|file| Some((file.path(), file.line?))) {
            Some((path, line)) if self.bless.is_some() || self.baseline.is_some() => Err(Failure::Usage(
                format!("{option}: `{path}:{line}` is a part of a script, and figures are of whole ones"),
            )),
            _ => Ok(()),
        }
    }
}

/// A script from a file, as `replay` shows it: every failure, and the totals.
pub fn replay_script(path: &Path, text: String, common: &Common) -> Done {
    let file = ScriptFile::new(path.display().to_string(), text);
    Ok(run_scripts(&[file], Vec::new(), false, common, &AtomicBool::new(false))?.0)
}

#[allow(clippy::print_stderr, reason = "files that cannot be read are no part of the summary")]
fn run_scripts(
    files: &[ScriptFile],
    broken: Vec<String>,
    is_fail_fast: bool,
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
    let had_enough = AtomicBool::new(false);
    let step = |file: &ScriptFile, report: &ScriptReport| {
        if is_fail_fast && (report.failures_of_all() > 0 || !report.unreadable.is_empty()) {
            had_enough.store(true, Ordering::Relaxed);
            stop.store(true, Ordering::Relaxed);
        }
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
    // A failure in the last script cuts nothing short.
    let (had_enough, is_cut) = (had_enough.into_inner(), stop.load(Ordering::Relaxed));
    let complete =
        !is_cut || had_enough && report.files + report.unreadable.len() as u64 == mine.len() as u64;
    let header = Header { worker, ..Header::new(names, common.shard, &times, complete) };
    let by_file = by_file.into_inner().unwrap_or_else(PoisonError::into_inner);
    let spec = SpecReport::new(header, report, by_file);
    let verbose = common.verbose || files.len() == 1;
    show(report::spec_summary(&spec, if verbose { usize::MAX } else { SHOWN_FAILURES }, verbose));
    common.write_report(SPEC_FILE, &spec)?;
    let unreadable: Vec<String> = spec.unreadable.iter().map(ToString::to_string).chain(broken).collect();
    unreadable.iter().for_each(|line| eprintln!("error: {line}"));
    if had_enough && !complete {
        let (ran, of) = (spec.files, mine.len());
        show(format_args!("ended after the first script with a failure: {ran} of {of} scripts ran"));
    }
    let exit = if !complete && !had_enough {
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
        if let Some(file) = line_of_script(name)? {
            files.push(file);
        } else if let Ok(group) = name.parse::<Group>() {
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
        } else if let Some(file) = of_suite(name) {
            files.push(file);
        } else {
            let told = did_you_mean(name, Group::all().map(Group::name));
            return Err(Failure::Usage(format!(
                "`{name}` is neither a file nor a folder nor a group; {told}"
            )));
        }
    }
    Ok((files, broken))
}

/// The script of the suite that reports call so.
fn of_suite(path: &str) -> Option<ScriptFile> {
    let group = path.split_once('/')?.0.parse::<Group>().ok()?;
    group.files().into_iter().map(ScriptFile::from).find(|file| file.path() == path)
}

/// The script and line that `FILE:LINE` names; none if the text is something else. Fails if nothing starts there.
fn line_of_script(name: &str) -> Result<Option<ScriptFile>, Failure> {
    let Some((path, line)) = name.rsplit_once(':') else { return Ok(None) };
    let Ok(line) = line.parse::<u32>() else { return Ok(None) };
    let file = match Path::new(path).is_file() && !Path::new(name).exists() {
        true => Some(ScriptFile::new(path, read_script(Path::new(path))?)),
        false => of_suite(path),
    };
    let Some(file) = file else { return Ok(None) };
    // What is wrong with a text that is no script is told when it runs.
    let lines = directive_lines(&file).unwrap_or_else(|_| vec![line]);
    if !lines.contains(&line) {
        let before = lines.iter().rfind(|other| **other < line);
        let after = lines.iter().find(|other| **other > line);
        let near: Vec<String> = before.into_iter().chain(after).map(u32::to_string).collect();
        let near = if near.is_empty() {
            "there is none".into()
        } else {
            format!("the next to it start at {}", near.join(" and "))
        };
        return Err(Failure::Usage(format!("{path}: no directive starts at line {line}; {near}")));
    }
    Ok(Some(ScriptFile { line: Some(line), ..file }))
}
