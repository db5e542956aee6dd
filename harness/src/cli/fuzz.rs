//! `fuzz`: generated cases through every mode.

use super::material;
use super::progress::Terminal;
use super::{Common, Done, Exit, Failure, duration, show, stop_flag};
use crate::campaign::Campaign;
use crate::corpus::campaign::Identity;
use crate::corpus::{self, FINDINGS, put_aside, remove_unfinished};
use crate::events::Tally;
use crate::features::Features;
use crate::inquiry;
use crate::report::fuzz::{Fuzz as FuzzReport, Throughput};
use crate::report::night::FUZZ_FILE;
use crate::report::{self, Clock, PAGE_FILE};
use crate::run::Ground;
use crate::subject::MODEL;
use crate::triage::Looking;
use clap::Args;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Options of `fuzz`.
#[derive(Args)]
pub struct Fuzz {
    /// What all cases derive from; default: one that is drawn and printed, or with `--resume` that of the campaign
    #[arg(long)]
    seed: Option<u64>,
    /// How many cases; default 10000, or as many as `--time` allows
    #[arg(long)]
    cases: Option<u64>,
    /// How long at most, e.g. 60s, 10m, 2h
    #[arg(long, value_parser = duration)]
    time: Option<Duration>,
    /// First index, to go on where another run ended
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// How long looking into a finding may take; `0s` leaves findings as they are
    #[arg(long, value_parser = duration, default_value = "15s")]
    reduce_time: Duration,
    /// Go on with the campaign that was begun in the report's folder; a new one if none was
    #[arg(long)]
    resume: bool,
    /// End after that many findings that look different
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_findings: Option<u64>,
    /// End after the first finding: `--max-findings 1`
    #[arg(long, conflicts_with = "max_findings")]
    fail_fast: bool,
    /// Share of the cases that the model runs beside the modes, in percent; which ones follows from the seed. `--with model` is
    /// every case, and 0 is none
    #[arg(long, value_name = "PERCENT", default_value_t = MODEL_PERCENT, value_parser = clap::value_parser!(u32).range(..=100))]
    model: u32,
    /// A folder of programs, .wasm, .wat and .wast, of which half of the cases are made, in place of those that are built in
    #[arg(long, value_name = "DIR")]
    material: Option<PathBuf>,
    /// Least share of valid cases that must get a verdict, in percent
    #[arg(long, default_value_t = 99.0)]
    min_verdicts: f64,
    #[command(flatten)]
    common: Common,
}

/// Share of the cases that the model runs, in percent: more would make a campaign noticeably slower.
const MODEL_PERCENT: u32 = 50;
/// Cases of a run that says neither how many nor how long.
const DEFAULT_CASES: u64 = 10_000;

impl Fuzz {
    /// A campaign of that many cases with default options otherwise.
    pub fn short(seed: u64, cases: u64, common: Common) -> Fuzz {
        Fuzz {
            seed: Some(seed),
            cases: Some(cases),
            time: None,
            start: 0,
            reduce_time: Duration::from_secs(15),
            resume: false,
            max_findings: None,
            fail_fast: false,
            model: MODEL_PERCENT,
            material: None,
            min_verdicts: 99.0,
            common,
        }
    }

    /// Runs the campaign, prints its summary and writes its report.
    pub fn run(&self) -> Done {
        let stop = stop_flag()?;
        let exit = self.run_until(&stop)?;
        show(format_args!("report: {}", self.common.report.join(PAGE_FILE).display()));
        Ok(exit)
    }

    /// As [`Fuzz::run`], with the caller watching for interrupts.
    pub fn run_until(&self, stop: &AtomicBool) -> Done {
        let campaign = self.campaign()?;
        let identity = identity(&campaign);
        let begun = self.begun(&identity)?;
        if self.seed.is_none() {
            show(format_args!("seed {}", campaign.seed));
        }
        let started = self.common.started();
        let clock = Clock::start();
        let field = self.common.field()?;
        let ground = field.ground();
        let ground = ground.until(stop, None);
        if self.refuses(&campaign, ground, stop)? {
            return Ok(if stop.load(Ordering::Relaxed) { Exit::Interrupted } else { Exit::NothingRan });
        }
        // A campaign that was killed in its first batch has findings, and no totals yet to go on from.
        if !self.resume {
            self.put_aside()?;
        }
        let until = self.time.and_then(|time| Instant::now().checked_add(time));
        let most = if self.fail_fast { Some(1) } else { self.max_findings };
        let looking = Looking { ground, stop, each: self.reduce_time, until, most };
        let report = &self.common.report;
        let mut terminal =
            Terminal::new(report, identity, looking, self.common.verbose, started.clone(), self.time);
        let tally = self.common.in_pool(|| match begun {
            Some(tally) => campaign.go_on(tally, ground, &mut terminal, stop),
            None => campaign.run_on(ground, &mut terminal, stop),
        })?;
        let had_enough = terminal.had_enough();
        let (throughput, saved) = terminal.finish();
        let worker = field.worker_json(&self.common);
        // Only workers that have ended are counted in what the run took.
        drop(field);
        let tally = tally.map_err(Failure::Bench)?;
        saved?;
        let times = clock.stop();
        let mut totals = FuzzReport::new(&campaign, &tally, &times, throughput, report, &started);
        totals.header.worker = worker;
        for (judge, row) in campaign.judges.iter().zip(&mut totals.judges) {
            row.min_judged = self.common.least_judged(&**judge, totals.cases)?;
        }
        show(format_args!("campaign\n{}", report::fuzz_summary(&totals)));
        self.common.write_report(FUZZ_FILE, &totals)?;
        if had_enough {
            show(format_args!(
                "ended after as many findings as were asked for; the campaign is not complete"
            ));
            return Ok(Exit::Failures);
        }
        if stop.load(Ordering::Relaxed) {
            let seed = campaign.seed;
            show(format_args!("interrupted; the same command with --seed {seed} --resume goes on from here"));
            return Ok(Exit::Interrupted);
        }
        if tally.diverge > 0 {
            return Ok(Exit::Failures);
        }
        let nothing = tally.agree + tally.diverge == 0;
        let too_few = tally.verdict_rate() < self.min_verdicts;
        let is_in_doubt = !totals.doubts().is_empty();
        Ok(if nothing || too_few || is_in_doubt { Exit::NothingRan } else { Exit::Green })
    }

    /// Whether an outside engine of the campaign does not work. Then the report says so, and nothing is to run.
    pub fn is_unfit(&self, stop: &AtomicBool) -> Result<bool, Failure> {
        let campaign = self.campaign()?;
        if campaign.judges.is_empty() {
            return Ok(false);
        }
        let field = self.common.field()?;
        self.refuses(&campaign, field.ground().until(stop, None), stop)
    }

    /// As [`Fuzz::is_unfit`], of a campaign and where it runs; true also if it was interrupted.
    fn refuses(&self, campaign: &Campaign, ground: Ground<'_>, stop: &AtomicBool) -> Result<bool, Failure> {
        let clock = Clock::start();
        let mut unfit = match inquiry::unfit(ground, &campaign.judges) {
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(true),
            unfit => unfit.map_err(Failure::Bench)?,
        };
        if unfit.is_empty() {
            return Ok(false);
        }
        let tally = Tally { complete: false, ..Tally::new(campaign.seed, campaign.first) };
        let (times, report, started) = (clock.stop(), &self.common.report, self.common.started());
        let mut totals = FuzzReport::new(campaign, &tally, &times, Throughput::default(), report, &started);
        for judge in &mut totals.judges {
            let of_judge = unfit.iter().position(|unfit| unfit.judge == judge.subject);
            judge.unfit = of_judge.map(|place| unfit.swap_remove(place).why);
        }
        show(format_args!("campaign\n{}", report::fuzz_summary(&totals)));
        self.common.write_report(FUZZ_FILE, &totals)?;
        Ok(true)
    }

    /// Keeps the findings of an earlier campaign apart from those of a new one.
    fn put_aside(&self) -> Result<(), Failure> {
        let report = &self.common.report;
        let cannot = |error| {
            Failure::Bench(format!("{}: cannot put earlier findings aside: {error}", report.display()))
        };
        if let Some(aside) = put_aside(report).map_err(cannot)? {
            show(format_args!("findings of an earlier campaign are now in {}", aside.display()));
        }
        Ok(())
    }

    /// What an earlier run of the campaign has come to, if it is to be gone on with.
    fn begun(&self, identity: &Identity) -> Result<Option<Tally>, Failure> {
        let report = &self.common.report;
        let cannot = |error| Failure::Bench(format!("{}: cannot clear up: {error}", report.display()));
        for folder in [report.clone(), report.join(FINDINGS)] {
            remove_unfinished(&folder).map_err(cannot)?;
        }
        if !self.resume {
            return Ok(None);
        }
        corpus::campaign::load(report, identity).map_err(Failure::Usage)
    }

    /// The seed of the campaign that is to be gone on with, if there is one.
    fn begun_seed(&self) -> Result<Option<u64>, Failure> {
        if !self.resume {
            return Ok(None);
        }
        corpus::campaign::seed(&self.common.report).map_err(Failure::Usage)
    }

    fn campaign(&self) -> Result<Campaign, Failure> {
        let cases = match (self.cases, self.time) {
            (None, None) => Some(DEFAULT_CASES),
            (cases, _) => cases,
        };
        if !(0.0..=100.0).contains(&self.min_verdicts) {
            return Err(Failure::Usage("--min-verdicts: expected a share from 0 to 100".into()));
        }
        let lanes = self.common.lanes()?;
        let mut judges = self.common.judges()?;
        // The model obeys the contract of the modes, so cases need not be made for it as they are for judges.
        let asked = judges.extract_if(.., |judge| judge.name() == MODEL).count();
        let model_percent = if asked > 0 { 100 } else { self.model };
        if lanes.names().len() + judges.len() + asked < 2 {
            return Err(Failure::Usage("--modes: a comparison needs at least two subjects".into()));
        }
        let features = Features::executed();
        let seed = match self.seed {
            Some(seed) => seed,
            None => self.begun_seed()?.unwrap_or_else(drawn_seed),
        };
        let material =
            self.material.as_deref().map(|folder| material::read(folder, &features)).transpose()?;
        let (shard, time, first) = (self.common.shard, self.time, self.start);
        let material = material.map(Arc::new);
        Ok(Campaign { seed, first, cases, time, shard, lanes, judges, model_percent, features, material })
    }
}

/// Another seed each time: nights that all try the same cases find nothing new. Short enough to be typed.
fn drawn_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) >> 34
}

/// What must be the same for a campaign to be gone on with.
fn identity(campaign: &Campaign) -> Identity {
    let judges = campaign.judges.iter().map(|judge| judge.name().to_string());
    let model = (campaign.model_percent > 0).then(|| format!("{MODEL} on {} %", campaign.model_percent));
    Identity {
        commit: env!("CROSSCHECK_COMMIT").into(),
        seed: campaign.seed,
        first: campaign.first,
        shard: campaign.shard,
        subjects: campaign.lanes.names().into_iter().chain(model).chain(judges).collect(),
        material: campaign.material.as_ref().map(|material| format!("{:016x}", material.digest())),
    }
}
