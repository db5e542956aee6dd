//! What a campaign shows and keeps while it runs: a bar on a terminal, nothing in a pipe; findings as they come, looked
//! into at once; how far it has come.

use super::status::{Now, Status};
use super::{Failure, show};
use crate::corpus::campaign::{self, Identity};
use crate::corpus::finding::{Kinship, Record, Reduction};
use crate::corpus::{FINDINGS, REDUCED_FILE, Started};
use crate::events::{Events, Tally};
use crate::finding::Finding;
use crate::report::fuzz::Throughput;
use crate::run::Ground;
use crate::subject;
use crate::triage::{Budget, Investigation, Question};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Findings of a campaign that are looked into. More are the work of a person who has dealt with these.
const MOST_LOOKED_INTO: u32 = 20;

/// How a campaign looks into its findings.
pub struct Looking<'a> {
    /// Where their cases are run.
    pub ground: Ground<'a>,
    /// Ends it.
    pub stop: &'a AtomicBool,
    /// How long one finding may take; none is looked into if that is nothing.
    pub each: Duration,
    /// When the campaign ends, whatever there is to look into.
    pub until: Option<Instant>,
    /// After how many findings the campaign ends.
    pub most: Option<u64>,
}

/// A campaign's listener that draws a bar, saves findings and looks into them.
pub struct Terminal<'a> {
    bar: ProgressBar,
    report: PathBuf,
    campaign: Identity,
    looking: Looking<'a>,
    looked_into: u32,
    /// Findings that were saved.
    saved: u64,
    /// The first finding of each bug that was looked into.
    bugs: BTreeMap<String, (PathBuf, Reduction)>,
    verbose: bool,
    /// How the program was started.
    started: Started,
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
            bar: bar(),
            report: report.to_path_buf(),
            campaign,
            looking,
            looked_into: 0,
            saved: 0,
            bugs: BTreeMap::new(),
            verbose,
            started,
            time,
            throughput: Throughput::default(),
            counted: 0,
            status: Status::new(report, "fuzz"),
            unsaved: None,
        }
    }

    /// Takes the bar away. Gives how fast it went, and what could not be saved.
    pub fn finish(self) -> (Throughput, Result<(), Failure>) {
        self.bar.finish_and_clear();
        (self.throughput, self.unsaved.map_or(Ok(()), |first| Err(Failure::Bench(first))))
    }

    /// Whether the campaign was ended for it has as many findings as were asked for.
    pub fn had_enough(&self) -> bool {
        self.looking.most.is_some_and(|most| self.saved >= most)
    }

    fn cannot_save(&mut self, what: &str, error: &std::io::Error) {
        let message = || format!("cannot save {what} below {}: {error}", self.report.display());
        self.unsaved.get_or_insert_with(message);
    }

    /// Looks into a finding that was saved, unless somebody did before or time is up. Tells what came of it.
    fn look_into(&mut self, finding: &Finding, folder: &Path) -> std::io::Result<Option<String>> {
        let left = self.looking.until.map(|until| until.saturating_duration_since(Instant::now()));
        let time = left.map_or(self.looking.each, |left| left.min(self.looking.each));
        let record = Record::load(folder).map_err(std::io::Error::other)?;
        if time.is_zero() || self.looked_into == MOST_LOOKED_INTO || record.was_looked_into() {
            return Ok(None);
        }
        self.looked_into += 1;
        self.bar.set_message(format!("looking into case {}", finding.index));
        let found = self.investigate(finding, time);
        let reduction = found.as_ref().map(|found| found.reduction(&finding.divergence));
        let told = match &reduction {
            Ok(reduction) => self.told(reduction, folder),
            Err(reason) => format!("  not reduced: {reason}"),
        };
        let result = match (&found, reduction) {
            (Ok(found), Ok(reduction)) => Ok((reduction, &found.reduced.case, found.script.as_str())),
            (Err(reason), _) | (_, Err(reason)) => Err(reason.clone()),
        };
        record.looked_into(folder, result)?;
        Ok(Some(told))
    }

    /// What a reduction comes to, and which earlier finding is of the same bug.
    fn told(&mut self, reduction: &Reduction, folder: &Path) -> String {
        let Reduction { bug, code_bytes, localised, .. } = reduction;
        let script = folder.join(REDUCED_FILE);
        let mut told = format!("  reduced to {code_bytes} bytes of code: {}", script.display());
        if let Some(place) = localised.as_ref().and_then(|localised| localised.place.as_ref()) {
            told += &format!("\n  subjects part at {place}");
        }
        match self.bugs.get(bug) {
            Some((place, earlier)) => {
                let kin = match reduction.kinship(earlier) {
                    Kinship::Same => "the same bug as",
                    Kinship::Perhaps => "perhaps the same bug as",
                };
                told += &format!("\n  {kin} {}: {bug}", place.display());
            }
            None => _ = self.bugs.insert(bug.clone(), (folder.to_path_buf(), reduction.clone())),
        }
        told
    }

    fn investigate(&self, finding: &Finding, time: Duration) -> Result<Investigation, String> {
        let names = finding.divergence.groups.iter().flatten();
        let subjects: Vec<_> =
            names.map(|name| subject::recorded(name, &finding.definitions)).collect::<Result<_, _>>()?;
        let question = Question::new(self.looking.ground, &finding.case, &finding.divergence, &subjects)?;
        let budget = Budget { stop: self.looking.stop, time: Some(time) };
        question.investigate(&finding.case, &budget, &|_| ())
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
                self.bar.set_length(cases);
                self.bar.set_position(tally.cases);
            }
            (None, Some(time)) => {
                self.bar.set_length(time.as_secs());
                self.bar.set_position(elapsed.as_secs().min(time.as_secs()));
            }
            (None, None) => self.bar.set_position(tally.cases),
        }
        let rate = ran as f64 / elapsed.as_secs_f64().max(0.001);
        let Tally { cases, agree, diverge, .. } = tally;
        let told =
            format!("{cases} cases, {agree} agree, {diverge} diverge, {findings} findings, {rate:.0}/s");
        self.bar.set_message(told);
        self.status.tell(&now);
        if let Err(error) = campaign::save(&self.report, &self.campaign, tally) {
            self.cannot_save("how far the campaign has come", &error);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let path = match finding.save(&self.report.join(FINDINGS), &self.started) {
            Ok(path) => path,
            Err(error) => return self.cannot_save("a finding", &error),
        };
        self.bar.suspend(|| {
            let Finding { index, seed, divergence, .. } = finding;
            show(format_args!("finding: case {index} of seed {seed}: {}", divergence.first));
            show(format_args!("  {}", finding.replay_command(&path, &self.started)));
            if self.verbose {
                show(format_args!("  fingerprint: {}", divergence.fingerprint()));
                show(format_args!("  triage: {}", divergence.triage()));
            }
        });
        // What the last batch found beyond what was asked for is saved, and that is all.
        if self.had_enough() {
            return;
        }
        match self.look_into(finding, &path) {
            Ok(told) => self.bar.suspend(|| told.iter().for_each(show)),
            Err(error) => self.cannot_save("what a finding was reduced to", &error),
        }
        self.saved += 1;
        if self.had_enough() {
            self.looking.stop.store(true, Ordering::Relaxed);
        }
    }
}
