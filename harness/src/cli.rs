//! The command line: a file a subcommand, and what they share.
//!
//! Exit codes are part of the interface: see [`Exit`]. Whatever is wrong with options or input is one
//! line on stderr that names the file, the place and what was expected.

mod argument;
mod check;
mod explain;
mod faults;
mod field;
mod fuzz;
mod input;
mod judges;
mod list;
mod material;
mod place;
mod progress;
mod reduce;
mod replay;
mod report;
mod run;
mod spec;
mod status;
mod terminal;

use crate::campaign::Lanes;
use crate::case::{Case, NamedHosts};
use crate::corpus::Started;
use crate::corpus::finding::Record;
use crate::guard::guarded;
use crate::hosts;
use crate::report::night::with_earlier;
use crate::report::{Rendered, write_json, write_text};
use crate::subject::{self, Lane, LaneSubject, Outside, Subject};
use clap::{Args, Parser, Subcommand};
use crosscheck_engine::{Mode, Shown};
use field::Field;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use terminal::{show, show_error};

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

impl Exit {
    /// The worse of two outcomes, whichever came first.
    fn worse(self, other: Exit) -> Exit {
        let severity = |exit| match exit {
            Exit::Green => 0,
            Exit::NothingRan => 1,
            Exit::Failures => 2,
            Exit::Usage => 3,
            Exit::Bench => 4,
            Exit::Interrupted => 5,
        };
        if severity(other) > severity(self) { other } else { self }
    }
}

/// What ends a subcommand early, in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The user's: options, or input that cannot be read.
    Usage(String),
    /// Ours: a report that cannot be written, say.
    Bench(String),
}

impl Failure {
    /// The line and the exit code.
    fn told(self) -> (String, Exit) {
        match self {
            Failure::Usage(message) => (message, Exit::Usage),
            Failure::Bench(message) => (message, Exit::Bench),
        }
    }
}

type Done = Result<Exit, Failure>;

#[derive(Parser)]
#[command(name = "crosscheck", version, about, max_term_width = 100)]
struct Cli {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t)]
    color: terminal::Color,
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

/// What `--timeout` is by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

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

/// A time as people write it: parts with a unit, from large to small, or seconds.
fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let wrong = || format!("expected a time like 60s, 10m or 1h30m, not `{text}`");
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1000).map(Duration::from_millis).ok_or_else(wrong);
    }
    let (mut rest, mut units, mut milliseconds) = (text, &UNITS[..], 0u64);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        let (name, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let unit = units.iter().position(|(unit, _)| *unit == name).ok_or_else(wrong)?;
        let part = count.checked_mul(units[unit].1);
        milliseconds = part.and_then(|part| milliseconds.checked_add(part)).ok_or_else(wrong)?;
        (rest, units) = (next, &units[unit + 1..]);
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_millis(milliseconds)) }
}

/// The sets of built-in host functions of those names. Fails with what there is.
fn named_hosts(names: &[String]) -> Result<NamedHosts, Failure> {
    names.iter().try_fold(NamedHosts::NONE, |named, name| {
        hosts::named::set(name).map(|set| named.with(set)).map_err(Failure::Usage)
    })
}

/// Names that an error lists.
const NAMES_TOLD: usize = 12;

/// What there is in place of a name that is not there: the one that was probably meant, else the first of all.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    let closest = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match closest.filter(|closest| likeness(closest) > 0.8) {
        Some(closest) => format!("did you mean `{}`?", Shown(closest)),
        None if known.is_empty() => "there is none".to_string(),
        None => {
            let told: Vec<String> =
                known.iter().take(NAMES_TOLD).map(|name| Shown(name).to_string()).collect();
            let more = known.len().saturating_sub(NAMES_TOLD);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("there is {}{more}", told.join(", "))
        }
    }
}

/// For commands that take few of the common options.
#[derive(Parser)]
struct Plain {
    #[command(flatten)]
    common: Common,
}

impl Common {
    /// Whether outside engines were asked for.
    fn has_judges(&self) -> bool {
        !self.with.is_empty() || self.engines.is_some()
    }

    /// The options as they are if none is given.
    fn plain() -> Common {
        Plain::parse_from(["crosscheck"]).common
    }

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

    /// The same, for a part of a run whose totals were not asked for.
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

    /// The same for a file; where none were asked for, those that it was found with, if it is a finding or the case
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

    /// How this program was started, for the commands that it prints.
    fn started(&self) -> Started {
        let arguments: Vec<String> = std::env::args().collect();
        #[cfg(all(feature = "planted-faults", unix))]
        let words = if arguments.get(1).is_some_and(|word| word == crate::worker::PLANTED) { 3 } else { 1 };
        #[cfg(not(all(feature = "planted-faults", unix)))]
        let words = 1;
        let program = arguments.into_iter().take(words).collect();
        let mut options = Vec::new();
        if let Some(worker) = &self.worker {
            options.extend(["--worker".to_string(), worker.clone()]);
        }
        if self.in_process {
            options.push("--in-process".to_string());
        }
        if self.timeout != DEFAULT_TIMEOUT {
            options.extend(["--timeout".to_string(), format!("{}ms", self.timeout.as_millis())]);
        }
        Started::new(program, options)
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
        // A second interrupt is for a user who cannot wait for the batch to end.
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
    let tip = text.lines().map(str::trim).find(|line| line.starts_with("tip: a similar"));
    let tip = tip.map_or(String::new(), |tip| format!("; {}", tip.trim_start_matches("tip: ")));
    format!("{}{tip}; see `crosscheck --help`", told.join(" "))
}

/// The program's name and arguments. Fails if a fault is to be planted that there is not.
fn arguments() -> Result<Vec<OsString>, String> {
    #[cfg_attr(not(all(feature = "planted-faults", unix)), expect(unused_mut))]
    let mut arguments: Vec<OsString> = std::env::args_os().map(argument::with_hyphens).collect();
    #[cfg(all(feature = "planted-faults", unix))]
    if arguments.get(1).is_some_and(|argument| argument == crate::worker::PLANTED) && arguments.len() > 2 {
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
            show_error(&message);
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
    terminal::set_color(cli.color);
    let command = cli.command.unwrap_or_else(|| Command::Check(check::Check::default_run()));
    let done = guarded(|| run(command))
        .unwrap_or_else(|panic| Err(Failure::Bench(format!("the bench itself panicked: {panic}"))));
    subject::put_away();
    let done = match done {
        Ok(_) if terminal::is_untold() => Err(Failure::Bench("cannot write to stdout".into())),
        done => done,
    };
    let exit = done.unwrap_or_else(|failure| {
        let (message, exit) = failure.told();
        show_error(&message);
        exit
    });
    ExitCode::from(exit as u8)
}

/// Does what a command line says.
fn run(command: Command) -> Done {
    match command {
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
    }
}
