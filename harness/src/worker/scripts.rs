//! Scripts through workers, one at a time each.
//!
//! Lanes are compared with one another while a script runs, so they run in one worker. When it dies, the script is run
//! again up to there by all and from there on without the lane that died: it fails that directive, as it does when it
//! panics.

use super::client::{Halt, Lease, Workers};
use super::death::Death;
use super::protocol::{Message, NONE, Place, Request};
use crate::case::Case;
use crate::observe::{Capture, Observation};
use crate::script::{Bench, Failure, Lane, LaneDeath, Options, ScriptFile, ScriptReport, judge_script};
use crate::subject::Task;
use crate::subject::{Acceptance, Shown, Subject};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// As [`run_files`](crate::script::run_files), in workers. Lanes must be named as they are made. Fails if no worker
/// can be had.
pub fn run_files(
    workers: &Workers,
    files: &[ScriptFile],
    lanes: &[Lane],
    options: &Options,
    stop: &AtomicBool,
    progress: &(dyn Fn(&ScriptFile, &ScriptReport) + Sync),
) -> Result<ScriptReport, String> {
    run_files_beside(workers, files, lanes, &[], options, stop, progress)
}

/// As [`run_files`], with outside engines beside the lanes.
pub fn run_files_beside(
    workers: &Workers,
    files: &[ScriptFile],
    lanes: &[Lane],
    judges: &[Arc<dyn Subject>],
    options: &Options,
    stop: &AtomicBool,
    progress: &(dyn Fn(&ScriptFile, &ScriptReport) + Sync),
) -> Result<ScriptReport, String> {
    let run = |file: &ScriptFile| {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let halt = Halt { stop: Some(stop), ..Halt::default() };
        let started = Instant::now();
        let run = |mut lease: Lease<'_>| {
            let mut report = lease.script(file, lanes, options)?;
            report.judges = judge_script(file, judges, &mut lease)?;
            report.took = started.elapsed();
            Ok(report)
        };
        match workers.lease_until(halt).and_then(run) {
            Ok(report) => {
                progress(file, &report);
                Ok(Some(report))
            }
            // A script that was interrupted did not run.
            Err(_) if halt.is_over() => Ok(None),
            Err(error) => Err(error),
        }
    };
    let reports: Vec<Result<Option<ScriptReport>, String>> =
        files.par_iter().with_max_len(1).map(run).collect();
    let mut total = ScriptReport::of_lanes(lanes);
    for report in reports {
        report?.into_iter().for_each(|report| total.add(report));
    }
    Ok(total)
}

impl Lease<'_> {
    /// Runs a script. A lane that dies fails the directive it died of, and the rest of the script is skipped there.
    pub fn script(
        &mut self,
        file: &ScriptFile,
        lanes: &[Lane],
        options: &Options,
    ) -> Result<ScriptReport, String> {
        let names: Vec<String> = lanes.iter().map(|lane| lane.name.clone()).collect();
        let mut deaths: Vec<LaneDeath> = Vec::new();
        let (mut careful, mut is_first) = (false, true);
        loop {
            self.client()?.ask(Request::script_frame(file, &names, options.compare_state, &deaths, careful));
            let mut place = None;
            let death = loop {
                match self.receive()? {
                    Ok(Message::Begins(begun)) => place = Some(begun),
                    Ok(Message::Script(report)) => return Ok(report.unwrap_or_else(ScriptReport::unreadable)),
                    Ok(other) => return Err(self.unexpected(&other)),
                    Err(death) => break death,
                }
            };
            if !death.is_its_own() && is_first {
                (is_first, careful) = (false, true);
                continue;
            }
            let known = death.words.map(|words| words.place).or(place.filter(|_| careful));
            match known.filter(|place| place.step != NONE) {
                Some(place) if deaths.iter().all(|known| !is_at(known, place)) => {
                    deaths.push(LaneDeath {
                        lane: Some(place.subject).filter(|lane| *lane != NONE),
                        directive: place.step,
                        message: death.outcome().describe(),
                    });
                }
                None if !careful => careful = true,
                Some(_) | None => return Ok(lost(file, lanes, &death)),
            }
        }
    }
}

impl Bench for Lease<'_> {
    fn observe(&mut self, engine: &Arc<dyn Subject>, case: &Case) -> Result<Option<Observation>, String> {
        let task = Task { case: case.clone(), subjects: vec![engine.clone()] };
        match self.quickly(&task, Capture::Digest)? {
            Shown::Invalid => Ok(None),
            Shown::Observed(observed) => Ok(observed.into_iter().next().flatten()),
        }
    }

    fn accepts(&mut self, engine: &Arc<dyn Subject>, wasm: &[u8]) -> Result<Acceptance, String> {
        let mut is_first = true;
        loop {
            self.client()?.ask(Request::module_frame(engine.definition(), wasm));
            match self.receive()? {
                Ok(Message::Module(acceptance)) => return Ok(acceptance),
                Ok(other) => return Err(self.unexpected(&other)),
                Err(death) if !death.is_its_own() && is_first => is_first = false,
                Err(death) => return Ok(Acceptance::Failed(death.outcome())),
            }
        }
    }
}

fn is_at(death: &LaneDeath, place: Place) -> bool {
    (death.lane.unwrap_or(NONE), death.directive) == (place.subject, place.step)
}

/// The report on a script that no lane survives.
fn lost(file: &ScriptFile, lanes: &[Lane], death: &Death) -> ScriptReport {
    let mut report = ScriptReport { files: 1, ..ScriptReport::of_lanes(lanes) };
    let message = format!("the whole script is lost: {}", death.outcome().describe());
    for (mode, counts) in &mut report.modes {
        counts.steps_failed += 1;
        let (file, mode, message) = (file.path(), mode.clone(), message.clone());
        report.failures.push(Failure { file, line: 1, mode, message });
    }
    report
}
