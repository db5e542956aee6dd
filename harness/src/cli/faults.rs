//! `faults`: plants faults one after the other, and says whether the bench finds them.

use super::{Done, duration};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `faults`.
#[derive(Args)]
pub struct Faults {
    /// Faults to look for, e.g. `store-import-minimum-ignored` or `interp:i32.sub:swapped`; default: all named ones,
    /// and twenty drawn by the seed
    names: Vec<String>,
    /// What cases and drawn faults derive from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long to look for a fault at most
    #[arg(long, value_parser = duration, default_value = "120s")]
    time: Duration,
    /// How many findings of each fault to go on to, to see how fingerprints tell faults apart
    #[arg(long, default_value_t = 0)]
    more: u64,
    /// Only list the faults
    #[arg(long)]
    list: bool,
    /// Write the rows and totals as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Threads, with a worker process each; default: one a core
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

#[cfg(not(all(feature = "planted-faults", unix)))]
impl Faults {
    /// There are no faults in this build.
    pub fn run(&self) -> Done {
        Err(super::Failure::Usage(
            "this build has no planted faults; use `cargo run --release --features planted-faults -- faults`"
                .into(),
        ))
    }
}

#[cfg(all(feature = "planted-faults", unix))]
mod planted {
    use super::{Done, Faults};
    use crate::canary::{Found, Hunt, Hunted, Planted};
    use crate::cli::check::show_self_check;
    use crate::cli::{Exit, Failure, show, stop_flag};
    use crate::events::percent;
    use crate::report::header::Header;
    use crate::report::{self, Clock};
    use crate::run::Ground;
    use crate::selfcheck;
    use crate::worker::{Options, Workers};
    use serde::Serialize;
    use std::collections::BTreeMap;
    use std::sync::atomic::Ordering;

    /// What all faults together say.
    #[derive(Clone, Debug, Default, Serialize)]
    struct Totals {
        /// Faults that were looked for.
        faults: usize,
        /// Faults that were found.
        found: usize,
        /// CPU seconds to find one of a room, in the median.
        median_cpu_s: f64,
        /// Findings that were reduced, of those that campaigns made.
        reduced: usize,
        /// Bytes of code after reduction, in the median.
        median_code_bytes: f64,
        /// The most bytes of code after reduction.
        largest_code_bytes: f64,
        /// Seconds of the longest reduction.
        longest_reduction_s: f64,
        /// Findings of campaigns that point to the right room, in percent.
        rooms_right: f64,
        /// Findings that were localised at the opcode of the fault, in percent of those where one is expected.
        opcodes_right: f64,
        /// Share of findings whose fingerprint is mostly that of their fault, in percent.
        purity: f64,
        /// Fingerprints a fault.
        buckets_per_fault: f64,
    }

    /// What `--json` writes.
    #[derive(Serialize)]
    struct Hunts<'a> {
        #[serde(flatten)]
        header: Header,
        seed: u64,
        rows: &'a [Hunted],
        totals: &'a Totals,
    }

    impl Faults {
        /// Looks for each fault, a row each, and adds up.
        pub fn run(&self) -> Done {
            let faults = self.faults()?;
            if self.list {
                faults.iter().for_each(|planted| show(describe(planted)));
                return Ok(Exit::Green);
            }
            let stop = stop_flag()?;
            let clock = Clock::start();
            let program = std::env::current_exe()
                .map_err(|error| Failure::Bench(format!("cannot find this program to start it: {error}")))?;
            let program = program.into_os_string();
            let hunt = Hunt { program, seed: self.seed, time: self.time, more: self.more, stop: &stop };
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(usize::from(self.jobs.unwrap_or(0))).build();
            let pool = pool.map_err(|error| Failure::Bench(format!("cannot start threads: {error}")))?;
            pool.install(sees)?;
            show(format_args!(
                "{:<52} {:>7} {:>7} {:>5} {:>6}  room  found by",
                "fault", "cases", "cpu s", "bytes", "red. s"
            ));
            let mut rows = Vec::new();
            for planted in &faults {
                let hunted = pool
                    .install(|| hunt.hunt(planted))
                    .map_err(|error| Failure::Bench(format!("{planted}: {error}")))?;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                show(line(&hunted));
                rows.push(hunted);
            }
            let totals = Totals::of(&rows);
            totals.lines(self.more > 0).iter().for_each(show);
            if let Some(path) = &self.json {
                let is_complete = rows.len() == faults.len();
                let header = Header::new(Vec::new(), (0, 1), &clock.stop(), is_complete);
                let hunts = Hunts { header, seed: self.seed, rows: &rows, totals: &totals };
                report::write_json(path, &hunts).map_err(Failure::Bench)?;
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(Exit::Interrupted);
            }
            Ok(if totals.found == totals.faults { Exit::Green } else { Exit::Failures })
        }

        fn faults(&self) -> Result<Vec<Planted>, Failure> {
            if self.names.is_empty() {
                return Ok(Planted::all(self.seed));
            }
            self.names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(Failure::Usage)
        }
    }

    /// What the harness's check of itself says while no fault is planted. Fails if it misses something.
    fn sees() -> Result<(), Failure> {
        let workers = Options::own().and_then(Workers::start).map_err(Failure::Bench)?;
        let folder = std::env::temp_dir().join(format!("crosscheck-self-check-{}", std::process::id()));
        let checked = selfcheck::check(Ground::Workers(&workers), &folder).map_err(Failure::Bench)?;
        show_self_check(&checked)
    }

    fn describe(planted: &Planted) -> String {
        match planted {
            Planted::Named(row) => format!("{:<52} {:<12} {}", row.name, row.room.name(), row.what),
            Planted::Drawn(drawn) => format!("{drawn}"),
        }
    }

    fn line(hunted: &Hunted) -> String {
        let Hunted { fault, cases, cpu_s, .. } = hunted;
        let (bytes, seconds, room, by) = match &hunted.found {
            None => (String::new(), String::new(), "", "NOT FOUND".to_string()),
            Some(Found::Suite { script, failures }) => {
                (String::new(), String::new(), "", format!("{script}, {failures} fail"))
            }
            Some(Found::SelfCheck { missed, first }) => {
                (String::new(), String::new(), "", format!("the self-check misses {missed}: {first}"))
            }
            Some(Found::Case { generator, difference, is_room_right, reduced, .. }) => {
                let (bytes, seconds) = match reduced {
                    Ok(reduced) => (reduced.code_bytes.to_string(), format!("{:.1}", reduced.seconds)),
                    Err(_) => ("-".to_string(), String::new()),
                };
                let why =
                    reduced.as_ref().err().map(|why| format!("; not reduced: {why}")).unwrap_or_default();
                let room = if *is_room_right { "right" } else { "WRONG" };
                let opcode = reduced.as_ref().ok().map_or("", |reduced| match &reduced.opcode {
                    Ok(opcode) => opcode,
                    Err(why) => why,
                });
                let verdict = match reduced.as_ref().ok().and_then(|reduced| reduced.is_opcode_right) {
                    Some(true) => "right ",
                    Some(false) => "WRONG ",
                    None => "",
                };
                (bytes, seconds, room, format!("{verdict}{opcode}; {generator}: {difference}{why}"))
            }
        };
        format!("{fault:<52} {cases:>7} {cpu_s:>7.2} {bytes:>5} {seconds:>6}  {room:<5} {by}")
    }

    impl Totals {
        /// Adds rows up.
        fn of(rows: &[Hunted]) -> Totals {
            let found: Vec<&Hunted> = rows.iter().filter(|row| row.found.is_some()).collect();
            let mut cpu_s: Vec<f64> = found.iter().map(|row| row.cpu_s).collect();
            let cases = || {
                rows.iter().filter_map(|row| match &row.found {
                    Some(Found::Case { is_room_right, reduced, .. }) => Some((*is_room_right, reduced)),
                    Some(Found::Suite { .. } | Found::SelfCheck { .. }) | None => None,
                })
            };
            let reduced = || cases().filter_map(|(_, reduced)| reduced.as_ref().ok());
            let mut sizes: Vec<f64> = reduced().map(|reduced| reduced.code_bytes as f64).collect();
            let at_opcode =
                |is| reduced().filter(|reduced| reduced.is_opcode_right == Some(is)).count() as u64;
            let rights = cases().filter(|(is_right, _)| *is_right).count();
            let (purity, buckets_per_fault) = fingerprints(rows);
            Totals {
                faults: rows.len(),
                found: found.len(),
                median_cpu_s: median(&mut cpu_s),
                reduced: sizes.len(),
                median_code_bytes: median(&mut sizes),
                largest_code_bytes: sizes.last().copied().unwrap_or(0.0),
                longest_reduction_s: reduced().map(|reduced| reduced.seconds).fold(0.0, f64::max),
                opcodes_right: percent(at_opcode(true), at_opcode(true) + at_opcode(false)),
                rooms_right: percent(rights as u64, cases().count() as u64),
                purity,
                buckets_per_fault,
            }
        }

        fn lines(&self, told_apart: bool) -> Vec<String> {
            let mut lines = vec![
                format!(
                    "found         {} of {}, {:.2} CPU-seconds in the median",
                    self.found, self.faults, self.median_cpu_s
                ),
                format!(
                    "reduced       {}, to {} bytes of code in the median, {} at most, in {:.1} s at most",
                    self.reduced, self.median_code_bytes, self.largest_code_bytes, self.longest_reduction_s
                ),
                format!("room          {:.1} % point to the right one", self.rooms_right),
                format!("opcode        {:.1} % are localised at the right one", self.opcodes_right),
            ];
            if told_apart {
                lines.push(format!(
                    "fingerprints  {:.1} % pure, {:.2} a fault",
                    self.purity, self.buckets_per_fault
                ));
            }
            lines
        }
    }

    /// The middle one; sorts. 0 of none.
    fn median(values: &mut [f64]) -> f64 {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    }

    /// Share of findings that are of the fault that most findings of their fingerprint are of, in percent; and
    /// fingerprints a fault that has any.
    fn fingerprints(rows: &[Hunted]) -> (f64, f64) {
        let mut buckets: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let faults = rows.iter().filter(|row| !row.bugs.is_empty()).count();
        for (fingerprint, count) in rows.iter().flat_map(|row| &row.bugs) {
            buckets.entry(fingerprint).or_default().push(*count);
        }
        let all: u64 = buckets.values().flatten().sum();
        let largest: u64 = buckets.values().filter_map(|counts| counts.iter().max()).sum();
        let pairs: usize = buckets.values().map(Vec::len).sum();
        (percent(largest, all), if faults == 0 { 0.0 } else { pairs as f64 / faults as f64 })
    }
}
