//! The trial of a case: subjects run it, and what they show is judged.
//!
//! What differs by digest is asked for again with everything spelled out, so that the difference can be named. Running
//! is left to [`run`](crate::run), judging to [`compare`](crate::compare).

use crate::case::Case;
use crate::compare::{Compared, Kind, Testimony, Verdict, compared, judge};
use crate::finding::Finding;
use crate::observe::json::observation_json;
use crate::observe::{Capture, Observation};
use crate::run::Ground;
use crate::subject::{Capabilities, Lane, Shown, Subject, Task, Trace, Unwatched, definitions, observe_all};
use serde_json::Value as Json;

/// What happened to one case.
pub struct CaseRun {
    /// The verdict.
    pub verdict: Verdict,
    /// What each subject showed, spelled out if they differ; the reference first.
    pub observations: Vec<(String, Observation)>,
    /// What each of these subjects vouches for, in the same order.
    pub capabilities: Vec<Capabilities>,
    /// Lanes left out because the reference ran out of fuel, which they do not count.
    pub left_out: Vec<String>,
    /// How much of the case each outside engine was compared on that was not left out.
    pub compared: Vec<(String, Compared)>,
}

impl CaseRun {
    /// What each subject showed, as `compare` takes it.
    pub fn testimonies(&self) -> Vec<Testimony<'_>> {
        let shown = self.observations.iter().zip(&self.capabilities);
        shown
            .map(|((name, observation), capabilities)| Testimony {
                name,
                capabilities: *capabilities,
                observation,
            })
            .collect()
    }

    /// The finding that this run of a task gives, if subjects differ. The other arguments say where the case comes from:
    /// the generator, and the campaign's seed and the case's index.
    pub fn finding(&self, task: Task, generator: &str, seed: u64, index: u64) -> Option<Finding> {
        let Verdict::Diverge(divergence) = &self.verdict else { return None };
        let definitions = definitions(&task.subjects);
        let seen = observed_json(&self.testimonies(), &task.case);
        let (generator, case, divergence) = (generator.to_string(), task.case, divergence.clone());
        Some(Finding { seed, index, generator, case, divergence, definitions, seen })
    }

    /// Whether the mode whose instructions can be watched in this process survived the case, in all of its lanes.
    pub fn is_traceable(&self) -> bool {
        !self.observations.iter().any(|(name, observation)| {
            let is_watched = || name.parse::<Lane>().is_ok_and(|lane| lane.mode == Trace::MODE);
            observation.failure().is_some() && is_watched()
        })
    }
}

/// Runs a case in this process on every subject, the reference first, and judges.
pub fn run_case(case: &Case, subjects: &[&dyn Subject], capture: Capture) -> CaseRun {
    let look = |capture| observe_all(case, subjects, capture, &mut Unwatched);
    let capture = at_least(capture, subjects);
    let run = judged(subjects, look(capture));
    if wants_a_closer_look(&run, capture) { closer(run, subjects, look(Capture::Full)) } else { run }
}

/// Runs a case on that ground, and judges. Fails if no worker can be had, or time is up.
pub fn run_task(ground: Ground<'_>, task: &Task, capture: Capture) -> Result<CaseRun, String> {
    let subjects: Vec<&dyn Subject> = task.subjects.iter().map(|subject| &**subject).collect();
    let mut runner = ground.runner()?;
    let capture = at_least(capture, &subjects);
    let run = judged(&subjects, runner.shown(task, capture)?);
    if !wants_a_closer_look(&run, capture) {
        return Ok(run);
    }
    Ok(closer(run, &subjects, runner.shown(task, Capture::Full)?))
}

/// What subjects showed, by name, as JSON.
pub fn observed_json(shown: &[Testimony<'_>], case: &Case) -> Json {
    let subjects = shown.iter().map(|testimony| {
        let Testimony { name, capabilities, observation } = testimony;
        (name.to_string(), observation_json(case, observation, capabilities.fuel))
    });
    Json::Object(subjects.collect())
}

/// Subjects that cannot show internal state have no digest to compare: they need everything spelled out.
pub(crate) fn at_least(capture: Capture, subjects: &[&dyn Subject]) -> Capture {
    let outside = subjects.iter().any(|subject| !subject.capabilities().internal_state);
    if outside { Capture::Full } else { capture }
}

/// A digest says that, not what. There is nothing more to see of a subject that failed.
pub(crate) fn wants_a_closer_look(run: &CaseRun, capture: Capture) -> bool {
    let differs = |first: Kind| !matches!(first, Kind::Crash | Kind::Hang);
    let differ = matches!(&run.verdict, Verdict::Diverge(divergence) if differs(divergence.first.kind));
    capture == Capture::Digest && differ
}

/// The run with everything spelled out, unless that did not show the difference again: then what was seen first.
pub(crate) fn closer(run: CaseRun, subjects: &[&dyn Subject], shown: Shown) -> CaseRun {
    let closer = judged(subjects, shown);
    match closer.verdict {
        Verdict::Diverge(_) => closer,
        Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => run,
    }
}

/// The verdict on what subjects showed.
pub(crate) fn judged(subjects: &[&dyn Subject], shown: Shown) -> CaseRun {
    let Shown::Observed(observed) = shown else {
        return CaseRun {
            verdict: Verdict::Invalid,
            observations: Vec::new(),
            capabilities: Vec::new(),
            left_out: Vec::new(),
            compared: Vec::new(),
        };
    };
    let (mut observations, mut left_out) = (Vec::with_capacity(subjects.len()), Vec::new());
    for (subject, observation) in subjects.iter().zip(observed) {
        match observation {
            Some(observation) => observations.push((*subject, observation)),
            None => left_out.push(subject.name().to_string()),
        }
    }
    let testimonies: Vec<_> = observations
        .iter()
        .map(|(subject, observation)| Testimony {
            name: subject.name(),
            capabilities: subject.capabilities(),
            observation,
        })
        .collect();
    let verdict = judge(&testimonies);
    let judges = observations.iter().zip(&testimonies).filter(|((subject, _), _)| subject.is_outside());
    let compared =
        judges.map(|(_, judge)| (judge.name.to_string(), compared(&testimonies[0], judge))).collect();
    let named =
        |(subject, observation): (&dyn Subject, Observation)| (subject.name().to_string(), observation);
    let capabilities = observations.iter().map(|(subject, _)| subject.capabilities()).collect();
    let observations = observations.into_iter().map(named).collect();
    CaseRun { verdict, observations, capabilities, left_out, compared }
}
