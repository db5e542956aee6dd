//! What a campaign shows and keeps while it runs: a bar on a terminal, nothing in a pipe; findings as they come, and how
//! far the campaign has come.

use super::status::{Now, Status};
use super::{Failure, show};
use crate::corpus::campaign::{self, Identity};
use crate::corpus::finding::{Kinship, Reduction};
use crate::corpus::{FINDINGS, REDUCED_FILE, Started};
use crate::events::{Events, Tally};
use crate::finding::Finding;
use crate::report::fuzz::Throughput;
use crate::triage::{Findings, Listener, LookedInto, Looking, Unsaved};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A campaign's listener that draws a bar, saves findings and looks into them.
pub struct Terminal<'a> {
    screen: Screen,
    report: PathBuf,
    campaign: Identity,
    findings: Findings<'a>,
    /// How long it may take.
    time: Option<Duration>,
    throughput: Throughput,
    /// Cases that are counted in the throughput, or ran before.
    counted: u64,
    status: Status,
    /// What could not be saved: told at the end, for a run must not end because a disk is full.
    unsaved: Option<String>,
}

impl<'a> Terminal<'a> {
    /// Findings go below `report`, and so does how far the campaign has come.
    pub fn new(
        report: &Path,
        campaign: Identity,
        looking: Looking<'a>,
        verbose: bool,
        started: Started,
        time: Option<Duration>,
    ) -> Terminal<'a> {
        Terminal {
            report: report.to_path_buf(),
            campaign,
            findings: Findings::new(&report.join(FINDINGS), started.clone(), looking),
            screen: Screen { bar: bar(), verbose, started },
            time,
            throughput: Throughput::default(),
            counted: 0,
            status: Status::new(report, "fuzz"),
            unsaved: None,
        }
    }

    /// Takes the bar away. Gives how fast it went, and what could not be saved.
    pub fn finish(self) -> (Throughput, Result<(), Failure>) {
        self.screen.bar.finish_and_clear();
        (self.throughput, self.unsaved.map_or(Ok(()), |first| Err(Failure::Bench(first))))
    }

    /// Whether the campaign was ended because it has as many findings as were asked for.
    pub fn had_enough(&self) -> bool {
        self.findings.are_enough()
    }

    fn cannot_save(&mut self, what: &str, error: &std::io::Error) {
        let message = || format!("cannot save {what} below {}: {error}", self.report.display());
        self.unsaved.get_or_insert_with(message);
    }
}

/// Where a campaign's findings are shown.
struct Screen {
    bar: ProgressBar,
    verbose: bool,
    /// How the program was started.
    started: Started,
}

impl Listener for Screen {
    fn saved(&self, finding: &Finding, folder: &Path) {
        self.bar.suspend(|| {
            let Finding { index, seed, divergence, .. } = finding;
            show(format_args!("finding: case {index} of seed {seed}: {}", divergence.first));
            show(format_args!("  {}", finding.replay_command(folder, &self.started)));
            if self.verbose {
                show(format_args!("  fingerprint: {}", divergence.fingerprint()));
                show(format_args!("  triage: {}", divergence.triage()));
            }
        });
    }

    fn begins(&self, finding: &Finding) {
        self.bar.set_message(format!("looking into case {}", finding.index));
    }

    fn looked_into(&self, looked: &LookedInto<'_>) {
        self.bar.suspend(|| {
            let reduction = match looked.reduction {
                Ok(reduction) => reduction,
                Err(reason) => return show(format_args!("  not reduced: {reason}")),
            };
            let Reduction { bug, code_bytes, localised, .. } = reduction;
            let script = looked.folder.join(REDUCED_FILE);
            show(format_args!("  reduced to {code_bytes} bytes of code: {}", script.display()));
            if let Some(place) = localised.as_ref().and_then(|localised| localised.place.as_ref()) {
                show(format_args!("  subjects part at {place}"));
            }
            if let Some((kinship, place)) = looked.kin {
                let kin = match kinship {
                    Kinship::Same => "the same bug as",
                    Kinship::Perhaps => "perhaps the same bug as",
                };
                show(format_args!("  {kin} {}: {bug}", place.display()));
            }
        });
    }
}

/// A bar, if stderr is a terminal.
pub fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}, {elapsed}, {eta} left");
    ProgressBar::new_spinner().with_style(style.expect("the template is a constant"))
}

impl Events for Terminal<'_> {
    fn progress(&mut self, tally: &Tally, cases: Option<u64>, elapsed: Duration) {
        let ran = tally.cases - tally.earlier_cases;
        self.throughput.count(ran - self.counted, elapsed.as_secs_f64());
        self.counted = ran;
        let of = cases.map(|cases| cases / self.campaign.shard.1);
        let findings = tally.findings.len() as u64;
        let now = Now { done: tally.cases, of, findings, elapsed, time: self.time };
        // A campaign that has a time is as far as its time is.
        match (of, self.time) {
            (Some(cases), _) => {
                self.screen.bar.set_length(cases);
                self.screen.bar.set_position(tally.cases);
            }
            (None, Some(time)) => {
                self.screen.bar.set_length(time.as_secs());
                self.screen.bar.set_position(elapsed.as_secs().min(time.as_secs()));
            }
            (None, None) => self.screen.bar.set_position(tally.cases),
        }
        let rate = ran as f64 / elapsed.as_secs_f64().max(0.001);
        let Tally { cases, agree, diverge, .. } = tally;
        let told =
            format!("{cases} cases, {agree} agree, {diverge} diverge, {findings} findings, {rate:.0}/s");
        self.screen.bar.set_message(told);
        self.status.tell(&now);
        if let Err(error) = campaign::save(&self.report, &self.campaign, tally) {
            self.cannot_save("how far the campaign has come", &error);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        if let Err(Unsaved { what, error }) = self.findings.take(finding, &self.screen) {
            self.cannot_save(what, &error);
        }
    }
}
