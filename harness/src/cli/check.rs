//! `check`, and what no subcommand does: the official suite and a short campaign.

use super::field::Field;
use super::fuzz::Fuzz;
use super::spec::Spec;
use super::{Common, Done, Exit, Failure, show, stop_flag};
use crate::selfcheck::{self, Checked};
use clap::{Args, Parser};
use std::sync::atomic::Ordering;

/// Options of `check`.
#[derive(Args)]
pub struct Check {
    /// What all cases derive from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many cases
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    #[command(flatten)]
    common: Common,
}

/// Misses of the self-check that are shown.
const SHOWN_MISSES: usize = 20;

/// Says what the bench's check of itself came to. Fails if it missed something.
pub(super) fn show_self_check(checked: &Checked) -> Result<(), Failure> {
    show(format_args!("self-check\n  {:<14}{checked}", "lies"));
    checked
        .missed
        .iter()
        .take(SHOWN_MISSES)
        .for_each(|missed| show(format_args!("  {:<14}{missed}", "NOT SEEN")));
    match checked.missed.first() {
        None => Ok(()),
        Some(missed) => Err(Failure::Bench(format!("the bench does not see what it is to see: {missed}"))),
    }
}

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    check: Check,
}

impl Check {
    /// What runs by default.
    pub fn default_run() -> Check {
        Defaults::parse_from(["check"]).check
    }

    /// Whether the bench sees what it is to see. Fails if not: then nothing that it says counts.
    fn check_itself(&self) -> Result<(), Failure> {
        // Workers of another build may not know what this one tells them.
        let is_own = self.common.worker.is_none();
        let field = if is_own { self.common.field()? } else { Field::in_process() };
        let folder = self.common.report.join(format!(".{}-self-check", std::process::id()));
        let checked = self.common.in_pool(|| selfcheck::check(field.ground(), &folder))?;
        show_self_check(&checked.map_err(Failure::Bench)?)
    }

    /// Runs the suite, then the campaign; the worse outcome counts.
    pub fn run(&self) -> Done {
        let stop = stop_flag()?;
        self.check_itself()?;
        let fuzz = Fuzz::short(self.seed, self.cases, self.common.clone());
        // The suite takes a while, and what does not work does not work after it either.
        if fuzz.is_unfit(&stop)? {
            if stop.load(Ordering::Relaxed) {
                return Ok(Exit::Interrupted);
            }
            show(format_args!("NOT GREEN; report in {}", self.common.report.display()));
            return Ok(Exit::NothingRan);
        }
        let spec = Spec::whole_suite(self.common.without_files()).run_until(&stop)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(Exit::Interrupted);
        }
        let fuzz = fuzz.run_until(&stop)?;
        let worse = spec.worse(fuzz);
        let (part, of) = self.common.shard;
        let word = match worse {
            Exit::Green if of > 1 => format!("incomplete: shard {part}/{of}"),
            Exit::Green => "green".to_string(),
            Exit::Failures | Exit::Usage | Exit::NothingRan | Exit::Bench | Exit::Interrupted => {
                "NOT GREEN".to_string()
            }
        };
        show(format_args!("{word}; report in {}", self.common.report.display()));
        Ok(worse)
    }
}
