//! `spec`: scripts through every mode.

use super::input::read_script;
use super::{Common, Done, Exit, Failure, progress, show, stop_flag};
use crate::report::{self, Clock};
use crate::script::{self, ScriptFile, ScriptReport, scripts_below};
use clap::Args;
use crosscheck_spec_tests::Group;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Options of `spec`.
#[derive(Args)]
pub struct Spec {
    /// Groups of the suite (wasm-v3, simd, ...), files or folders; default: every group
    what: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// Failures that are printed; the report has them all.
const SHOWN_FAILURES: usize = 20;

impl Spec {
    /// The whole suite with default options otherwise.
    pub fn whole_suite(common: Common) -> Spec {
        Spec { what: Vec::new(), common }
    }

    /// Runs the scripts, prints the summary and writes the report.
    pub fn run(&self) -> Done {
        let stop = stop_flag()?;
        self.run_until(&stop)
    }

    /// As [`Spec::run`], with somebody else watching for interrupts.
    pub fn run_until(&self, stop: &AtomicBool) -> Done {
        let (files, broken) = collect(&self.what)?;
        run_scripts(&files, broken, &self.common, stop)
    }
}

/// A script from a file, as `replay` shows it: every failure, and the totals.
pub fn replay_script(path: &Path, text: String, common: &Common) -> Done {
    let file = ScriptFile::new(path.display().to_string(), text);
    run_scripts(&[file], Vec::new(), common, &AtomicBool::new(false))
}

#[allow(clippy::print_stderr, reason = "files that cannot be read are no part of the summary")]
fn run_scripts(files: &[ScriptFile], broken: Vec<String>, common: &Common, stop: &AtomicBool) -> Done {
    let (shard, shards) = common.shard;
    let mine: Vec<ScriptFile> =
        files.iter().zip(0..).filter(|(_, n)| n % shards == shard).map(|(f, _)| f.clone()).collect();
    let lanes: Vec<script::Lane> = common.plain_lanes()?.into_iter().map(script::Lane::from).collect();
    let bar = progress::bar();
    bar.set_length(mine.len() as u64);
    let clock = Clock::start();
    let field = common.field()?;
    let step = |file: &ScriptFile, _: &ScriptReport| {
        bar.set_message(file.path());
        bar.inc(1);
    };
    let report = common.in_pool(|| field.run_files(&mine, &lanes, stop, &step))?;
    let worker = field.worker_json(common);
    drop(field);
    bar.finish_and_clear();
    let report = report.map_err(Failure::Bench)?;
    let times = clock.stop();
    let verbose = common.verbose || files.len() == 1;
    show(report::spec_summary(&report, &times, if verbose { usize::MAX } else { SHOWN_FAILURES }, verbose));
    let names: Vec<String> = lanes.iter().map(|lane| lane.name.clone()).collect();
    let complete = !stop.load(Ordering::Relaxed);
    let body = serde_json::to_value(&report).expect("a report is plain data");
    let json = report::joined(report::header(&names, common.shard, &times, complete), body);
    let json = report::joined(json, worker);
    report::write_json(&common.report.join("spec.json"), &json).map_err(Failure::Bench)?;
    if let Some(path) = &common.json {
        report::write_json(path, &json).map_err(Failure::Bench)?;
    }
    let unreadable: Vec<String> = report.unreadable.iter().map(ToString::to_string).chain(broken).collect();
    unreadable.iter().for_each(|line| eprintln!("error: {line}"));
    if !complete {
        return Ok(Exit::Interrupted);
    }
    if !unreadable.is_empty() {
        return Ok(Exit::Usage);
    }
    if !report.failures.is_empty() {
        return Ok(Exit::Failures);
    }
    let passed: u64 = report.modes.iter().map(|(_, counts)| counts.passed).sum();
    let skipped: u64 = report.modes.iter().map(|(_, counts)| counts.skipped).sum();
    Ok(if report.files == 0 || (passed == 0 && skipped > 0) { Exit::NothingRan } else { Exit::Green })
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
