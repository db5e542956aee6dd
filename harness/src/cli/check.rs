//! `check`, and what no subcommand does: the official suite and a short campaign.

use super::fuzz::Fuzz;
use super::spec::Spec;
use super::{Common, Done, Exit, show, stop_flag};
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

    /// Runs the suite, then the campaign; the worse outcome counts.
    pub fn run(&self) -> Done {
        let stop = stop_flag()?;
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
