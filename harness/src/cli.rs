//! The command line: a file a subcommand, and what they share.
//!
//! Exit codes are part of the interface: see [`Exit`]. Whatever is wrong with options or input is one
//! line on stderr that names the file, the place and what was expected.

mod check;
mod explain;
mod faults;
mod field;
mod fuzz;
mod input;
mod judges;
mod list;
mod progress;
mod reduce;
mod replay;
mod report;
mod run;
mod spec;
mod status;

use crate::case::Case;
use crate::corpus::finding::Record;
use crate::report::night::with_earlier;
use crate::report::{Rendered, write_json, write_text};
use crate::run::Lanes;
use crate::subject::{self, Lane, LaneSubject, Outside, Subject};
use clap::{Args, Parser, Subcommand};
use crosscheck_engine::Mode;
use field::Field;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How a run ended, as a process tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// All agree and pass.
    Green = 0,
    /// Findings or failures.
    Failures = 1,
    /// Usage, or input that cannot be read.
    Usage = 2,
    /// Nothing ran, or fewer verdicts than asked for.
    NothingRan = 3,
    /// The bench itself failed.
    Bench = 4,
    /// Interrupted from outside.
    Interrupted = 130,
}

/// What ends a subcommand early, in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The user's: options, or input that cannot be read.
    Usage(String),
    /// Ours: a report that cannot be written, say.
    Bench(String),
}

type Done = Result<Exit, Failure>;

/// Set once a line could not be printed, for another reason than that nobody reads any more.
static IS_UNTOLD: AtomicBool = AtomicBool::new(false);

/// Prints lines. A reader that has seen enough and gone (`| head`) changes nothing about what the command does or how
/// it ends; output that cannot be written otherwise lets it go on, and end as a failure of the bench.
fn show(text: impl std::fmt::Display) {
    let written = writeln!(std::io::stdout().lock(), "{text}");
    if written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
        IS_UNTOLD.store(true, Ordering::Relaxed);
    }
}

/// Before any other argument, and followed by the names of faults: the process runs with them. For workers, which
/// may die of it.
#[cfg(all(feature = "planted-faults", unix))]
pub const PLANTED: &str = "__planted";

#[derive(Parser)]
#[command(name = "crosscheck", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The official suite and a short seeded campaign through every mode (also what no subcommand does)
    Check(check::Check),
    /// Spec scripts through every mode; a GROUP is a folder name of the suite
    Spec(spec::Spec),
    /// Generated cases through every mode; keeps findings
    Fuzz(fuzz::Fuzz),
    /// Shows a file side by side, mode by mode: .wasm, .wat, .wast, a finding or a case
    Replay(replay::Replay),
    /// The smallest case that diverges the same way
    Reduce(reduce::Reduce),
    /// Files a reduced finding as a regression
    Adopt(reduce::Adopt),
    /// Whether the bench finds faults that are planted; only in builds that have them
    Faults(faults::Faults),
    /// Puts runs together, shards and nights: terminal, page, JSON, JUnit
    Report(report::Report),
    /// A plain runtime
    Run(run::Run),
    /// What a mode made of a module, beside the wasm
    Explain(explain::Explain),
    /// Lists the modes, the switches that make lanes of them, and the outside engines
    Modes,
    /// Lists every opcode and which modes execute it
    Ops(list::Ops),
}

/// Options of everything that runs more than one thing.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Modes or lanes to run, e.g. `interp,fast-interp+moving-memory`; default: every mode, switches by lot
    #[arg(long, value_delimiter = ',')]
    modes: Vec<String>,
    /// Threads, with a worker process each; default: one a core
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Run only this machine's part, as `I/N` with I from 0
    #[arg(long, value_parser = shard, default_value = "0/1")]
    shard: (u64, u64),
    /// Outside engines that run beside the modes: names of `crosscheck modes` or of the file of `--engines`, with commas
    /// between them, or one command like `iwasm=iwasm -f NAME FILE`; may be given several times
    #[arg(long, value_name = "NAMES|LABEL=COMMAND")]
    with: Vec<String>,
    /// A TOML file of outside engines; without `--with` all of them run
    #[arg(long, value_name = "FILE")]
    engines: Option<PathBuf>,
    /// Smallest share of a campaign's cases that each outside engine must be compared on, in percent; default: by what can
    /// be seen of the engine
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_judged: Option<f64>,
    /// How long one action may take before its subject counts as hung, e.g. 10s
    #[arg(long, value_parser = duration, default_value = "10s")]
    timeout: Duration,
    /// Program that runs the subjects, e.g. another build, perhaps behind an emulator; default: this one
    #[arg(long, value_name = "COMMAND")]
    worker: Option<String>,
    /// Run the subjects in this process, which dies with them
    #[arg(long, conflicts_with = "worker")]
    in_process: bool,
    /// Write the totals as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the results as JUnit XML
    #[arg(long)]
    junit: Option<PathBuf>,
    /// Folder for findings and reports
    #[arg(long, default_value = "reports/latest")]
    report: PathBuf,
    /// Say more
    #[arg(short, long)]
    verbose: bool,
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let parts =
        text.split_once('/').and_then(|(i, n)| Some((i.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
    parts.filter(|(i, n)| i < n).ok_or_else(|| "expected I/N with I from 0 to N-1, like 0/4".to_string())
}

/// A share as people write it.
fn percent(text: &str) -> Result<f64, String> {
    let share = text.trim_end_matches('%').trim().parse().ok().filter(|share| (0.0..=100.0).contains(share));
    share.ok_or_else(|| format!("expected a share from 0 to 100, not `{text}`"))
}

/// A time as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time like 60s, 10m or 2h, not `{text}`");
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => Some(count),
        "" | "s" => count.checked_mul(1000),
        "m" => count.checked_mul(60_000),
        "h" => count.checked_mul(3_600_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

impl Common {
    /// The lanes that were asked for.
    fn lanes(&self) -> Result<Lanes, Failure> {
        if self.modes.is_empty() {
            return Ok(Lanes::Swarm(Mode::all().collect()));
        }
        let lanes: Result<Vec<Lane>, String> = self.modes.iter().map(|name| name.parse()).collect();
        let lanes = lanes.map_err(|message| Failure::Usage(format!("--modes: {message}")))?;
        if let Some(twice) = lanes.iter().enumerate().find(|(i, lane)| lanes[..*i].contains(lane)) {
            return Err(Failure::Usage(format!("--modes: {} is named twice", twice.1)));
        }
        Ok(Lanes::Fixed(lanes))
    }

    /// The lanes that were asked for; every mode as it is, if none was.
    fn plain_lanes(&self) -> Result<Vec<Lane>, Failure> {
        Ok(match self.lanes()? {
            Lanes::Swarm(modes) => modes.into_iter().map(Lane::plain).collect(),
            Lanes::Fixed(lanes) => lanes,
        })
    }

    /// The same, for a part of a run whose totals nobody asked for.
    fn without_files(&self) -> Common {
        Common { json: None, junit: None, ..self.clone() }
    }

    /// Writes the totals of a run into the report's folder, and the page and JUnit of all that is there.
    fn write_report(&self, name: &str, totals: &impl serde::Serialize) -> Result<(), Failure> {
        let write = || {
            write_json(&self.report.join(name), totals)?;
            if let Some(path) = &self.json {
                write_json(path, totals)?;
            }
            let rendered = Rendered::of(&with_earlier(&self.report)?);
            let rendered = rendered.expect("the night that was just written is there");
            rendered.write(&self.report)?;
            self.junit.as_ref().map_or(Ok(()), |path| write_text(path, &rendered.junit))
        };
        write().map_err(Failure::Bench)
    }

    /// Every mode as it is, or the lanes that were asked for; then the outside engines.
    fn subjects(&self) -> Result<Vec<Arc<dyn Subject>>, Failure> {
        let lanes = self.plain_lanes()?.into_iter().map(LaneSubject::shared);
        Ok(lanes.chain(self.judges()?).collect())
    }

    /// The same for a file; where nobody asked for any, those that it was found with, if it is a finding or the case
    /// of a fuzz target.
    fn subjects_for(&self, file: &Path, of_target: Option<&Case>) -> Result<Vec<Arc<dyn Subject>>, Failure> {
        if !self.modes.is_empty() || !self.with.is_empty() || self.engines.is_some() {
            return self.subjects();
        }
        if let Some(case) = of_target {
            return Ok(crate::fuzz::subjects(case));
        }
        if !file.is_dir() {
            return self.subjects();
        }
        let record = Record::load(file).map_err(Failure::Usage)?;
        let names = record.subjects.iter().flatten();
        let subjects: Result<_, String> =
            names.map(|name| subject::recorded(name, &record.definitions)).collect();
        subjects.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
    }

    /// Where subjects run.
    fn field(&self) -> Result<Field, Failure> {
        if self.in_process { Ok(Field::in_process()) } else { Field::of_workers(self) }
    }

    /// Runs `work` on as many threads as were asked for.
    fn in_pool<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        let threads = usize::from(self.jobs.unwrap_or(0));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Ok(pool.map_err(|error| Failure::Bench(format!("cannot start threads: {error}")))?.install(work))
    }
}

/// Set when the user wants the run to end; what is done so far still counts.
fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let handler = move || {
        // A second interrupt is for whoever cannot wait for the batch to end.
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Failure::Bench(format!("cannot watch for interrupts: {error}")))?;
    Ok(stop)
}

/// What is wrong with the command line, without the essay that follows it.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let told: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    format!("{}; see `crosscheck --help`", told.join(" "))
}

/// The program's name and arguments. Fails if a fault is to be planted that there is not.
fn arguments() -> Result<Vec<OsString>, String> {
    #[cfg_attr(not(all(feature = "planted-faults", unix)), expect(unused_mut))]
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    #[cfg(all(feature = "planted-faults", unix))]
    if arguments.get(1).is_some_and(|argument| argument == PLANTED) && arguments.len() > 2 {
        let names = arguments.drain(1..3).next_back().expect("two were taken");
        crate::canary::plant(&names.to_string_lossy())?;
    }
    Ok(arguments)
}

/// As [`main`], with engines that are not of this crate among the outside ones: `--with NAME` runs them everywhere, in
/// worker processes too, for those are the same program. To be called once, first thing in a program's `main`.
pub fn main_with(engines: Vec<Outside>) -> ExitCode {
    subject::add_outside(engines);
    main()
}

/// Reads the command line, does what it says, and tells how it ended.
#[allow(clippy::print_stderr, reason = "the one place where failures are told")]
pub fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(Exit::Usage as u8);
        }
    };
    // Before anything else, for workers are started by the dozen.
    #[cfg(unix)]
    if arguments.get(1).is_some_and(|argument| argument == crate::worker::ARGUMENT) {
        return crate::worker::serve();
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            eprintln!("{}", one_line(&error));
            return ExitCode::from(Exit::Usage as u8);
        }
        // Help and version are no errors.
        Err(help) => help.exit(),
    };
    let done = match cli.command.unwrap_or_else(|| Command::Check(check::Check::default_run())) {
        Command::Check(check) => check.run(),
        Command::Spec(spec) => spec.run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Replay(replay) => replay.run(),
        Command::Reduce(reduce) => reduce.run(),
        Command::Adopt(adopt) => adopt.run(),
        Command::Faults(faults) => faults.run(),
        Command::Report(report) => report.run(),
        Command::Run(run) => run.run(),
        Command::Explain(explain) => explain.run(),
        Command::Modes => list::modes(),
        Command::Ops(ops) => ops.run(),
    };
    subject::put_away();
    let done = match done {
        Ok(_) if IS_UNTOLD.load(Ordering::Relaxed) => Err(Failure::Bench("cannot write to stdout".into())),
        done => done,
    };
    let exit = done.unwrap_or_else(|failure| {
        let (message, exit) = match failure {
            Failure::Usage(message) => (message, Exit::Usage),
            Failure::Bench(message) => (message, Exit::Bench),
        };
        eprintln!("error: {message}");
        exit
    });
    ExitCode::from(exit as u8)
}
