//! What a campaign shows while it runs: a bar on a terminal, nothing in a pipe; findings as they come.

use super::{Failure, show};
use crate::corpus::Finding;
use crate::events::{Events, Tally};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// A campaign's listener that draws a bar and saves findings.
pub struct Terminal {
    bar: ProgressBar,
    findings: PathBuf,
    verbose: bool,
    /// What could not be saved: told at the end, for a run must not end because a disk is full.
    unsaved: Vec<String>,
}

impl Terminal {
    /// Findings go below `findings`.
    pub fn new(findings: PathBuf, verbose: bool) -> Terminal {
        Terminal { bar: bar(), findings, verbose, unsaved: Vec::new() }
    }

    /// Takes the bar away. Fails if a finding could not be saved.
    pub fn finish(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        match self.unsaved.first() {
            Some(first) => Err(Failure::Bench(first.clone())),
            None => Ok(()),
        }
    }
}

/// A bar, if stderr is a terminal.
pub fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} {elapsed}, {eta} left");
    ProgressBar::new_spinner().with_style(style.expect("the template is a constant"))
}

impl Events for Terminal {
    fn progress(&mut self, tally: &Tally, cases: Option<u64>, elapsed: Duration) {
        if let Some(cases) = cases {
            self.bar.set_length(cases);
        }
        let rate = tally.cases as f64 / elapsed.as_secs_f64().max(0.001);
        self.bar.set_position(tally.cases);
        self.bar.set_message(format!("{rate:.0}/s, {} findings", tally.findings.len()));
    }

    fn finding(&mut self, finding: &Finding) {
        let path = match finding.save(&self.findings) {
            Ok(path) => path,
            Err(error) => {
                self.unsaved
                    .push(format!("cannot save a finding below {}: {error}", self.findings.display()));
                return;
            }
        };
        self.bar.suspend(|| {
            show(format_args!(
                "finding: case {} of seed {}: {}",
                finding.index, finding.seed, finding.divergence.first
            ));
            show(format_args!("  {}", finding.replay_command(&path)));
            if self.verbose {
                show(format_args!("  fingerprint: {}", finding.divergence.fingerprint()));
                show(format_args!("  triage: {}", finding.divergence.triage()));
            }
        });
    }
}
