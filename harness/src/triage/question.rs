//! What is done with a divergence before people see it: the smallest case that diverges the same way, a script of it,
//! and the instruction at which its subjects part.
//!
//! "The same way" is the fingerprint, asked of one of the majority and one who is wrong: who agrees with them need not
//! run, and where several are wrong in ways of their own, one is enough to find out about. Cases are tried where the divergence was seen, for only there a subject that dies costs nothing, and another build of the
//! program may be the one that has the fault.

use crate::case::Case;
use crate::compare::{Divergence, Kind, Verdict};
use crate::corpus::finding::{Record, Reduction};
use crate::fingerprint::Fingerprint;
use crate::localise::{Localisation, Precision, localise, parties};
use crate::observe::{Capture, Observation};
use crate::reduce::{Reduced, Reducer, Refused, code_bytes, shown, to_script_on};
use crate::relative::{Operation, Relative, Relatives};
use crate::run::Ground;
use crate::subject::{Subject, Task, releases};
use crate::trial::{CaseRun, run_task};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a case is run again to see it diverge: what is left in memory by others may be what it takes.
const ATTEMPTS: usize = 5;

/// How long to localise, and to look for relatives, where no time is given: a relative is not worth an hour.
const UNHURRIED: Duration = Duration::from_secs(60);

/// In fifths of the time that is given: when reducing ends, and when localising does. Mostly both end long before.
const REDUCED_BY: u32 = 3;
const LOCALISED_BY: u32 = 4;

/// How long the smallest case may take to be run once more when an interrupt has ended the reduction.
const LAST_RUN: Duration = Duration::from_millis(500);

/// What is said of a step that did not come to its end.
const OUT_OF_TIME: &str = "there was no time left for it";

/// For what an interrupt does not end.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Whether a case still diverges the way another did.
#[derive(Clone)]
pub struct Question<'a> {
    ground: Ground<'a>,
    /// One of the majority and one who is wrong, the reference first; one alone if all fail alike.
    subjects: Vec<Arc<dyn Subject>>,
    /// Which of the subjects speaks for the largest group.
    majority: usize,
    wanted: Fingerprint,
    /// Whether the reference survives the case, so that what it executes can be watched in this process.
    is_traceable: bool,
}

/// A divergence that was looked into.
pub struct Investigation {
    /// The smallest case found, and what it took.
    pub reduced: Reduced,
    /// How it diverges.
    pub divergence: Divergence,
    /// The case as a script, with what the majority showed as what is expected.
    pub script: String,
    /// Where subjects part in the smallest case, or why that is not known.
    pub localised: Result<Localisation, String>,
    /// How long reducing took.
    pub time: Duration,
    /// The simplest case of the bug, or why there is none.
    pub relative: Result<Relative, String>,
}

impl Investigation {
    /// What makes it the same bug as another: what tells its simplest relative from others if there is one. Else how it
    /// is seen; and of an outside engine, the operation at which it parts, or those that are left in the reduced case.
    pub fn bug(&self, seen: &Divergence) -> Fingerprint {
        if let Ok(relative) = &self.relative {
            return Fingerprint::of_bug(&relative.groups, &relative.signature);
        }
        let localised = self.localised.as_ref().ok();
        let parted = localised.filter(|localised| localised.precision == Precision::Instruction);
        let operations = match parted.and_then(|localised| localised.place.as_ref()) {
            Some(place) => Operation::One(place.opcode),
            None => Operation::left_in(&self.reduced.case),
        };
        Fingerprint::of_unrelated(&seen.groups, &operations).unwrap_or_else(|| seen.fingerprint())
    }

    /// Adds to a finding's folder what an investigation of that divergence came to: the reduced case, its script and the
    /// page. Gives what is in the record now.
    pub fn save(&self, seen: &Divergence, record: Record, folder: &Path) -> io::Result<Reduction> {
        let reduction = self.reduction(seen);
        record.looked_into(folder, Ok((reduction.clone(), &self.reduced.case, &self.script)))?;
        Ok(reduction)
    }

    /// What of an investigation of that divergence goes into the finding's record.
    fn reduction(&self, seen: &Divergence) -> Reduction {
        Reduction {
            fingerprint: self.divergence.fingerprint(),
            first_difference: self.divergence.first.to_string(),
            bug: self.bug(seen),
            relative: self.relative.as_ref().ok().and_then(|relative| relative.script.clone().ok()),
            no_relative: self.relative.as_ref().err().cloned(),
            is_tried: self.relative.as_ref().is_ok_and(|relative| relative.signature.is_tried()),
            wasm_bytes: self.reduced.case.wasm_bytes(),
            code_bytes: code_bytes(&self.reduced.case),
            tried: self.reduced.tried,
            seconds: self.time.as_secs_f64(),
            localised: self.localised.as_ref().ok().cloned(),
            not_localised: self.localised.as_ref().err().cloned(),
        }
    }
}

/// How long an investigation may go on.
pub struct Budget<'a> {
    /// Ends it at once when set, with the best so far.
    pub stop: &'a AtomicBool,
    /// Ends it after that time, with the best so far.
    pub time: Option<Duration>,
}

/// A step of an investigation that is done.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    /// A smaller case was found that diverges the same way.
    Smaller(&'a Case),
    /// This is the smallest one that was found.
    Reduced(&'a Case),
    /// It is known where subjects part in it, or why that is not known.
    Localised(Result<&'a Localisation, &'a str>),
    /// The simplest case of the bug is known, or why there is none.
    Related(Result<&'a Relative, &'a str>),
}

impl<'a> Question<'a> {
    /// The question that a divergence of those subjects asks. Fails if it does not show again with two of them, or
    /// no worker can be had.
    pub fn new(
        ground: Ground<'a>,
        case: &Case,
        divergence: &Divergence,
        all: &[Arc<dyn Subject>],
    ) -> Result<Question<'a>, String> {
        let place = |party: &Arc<dyn Subject>| all.iter().position(|other| other.name() == party.name());
        let took_part = |subject: &&Arc<dyn Subject>| {
            divergence.groups.iter().flatten().any(|name| name == subject.name())
        };
        let (subjects, majority) = match parties(divergence, all) {
            Some([right, wrong]) if place(&right) < place(&wrong) => (vec![right, wrong], 0),
            Some([right, wrong]) => (vec![wrong, right], 1),
            None => (all.iter().find(took_part).cloned().into_iter().collect(), 0),
        };
        let task = Task { case: case.clone(), subjects };
        let hangs = divergence.first.kind == Kind::Hang;
        let ground = if hangs { ground.expecting_a_hang() } else { ground };
        for _ in 0..ATTEMPTS {
            let run = run_task(ground, &task, Capture::Digest)?;
            let Verdict::Diverge(again) = &run.verdict else { continue };
            let is_traceable = run.is_traceable();
            let wanted = again.fingerprint();
            return Ok(Question { ground, subjects: task.subjects, majority, wanted, is_traceable });
        }
        Err(format!("the case does not diverge when it is run {ATTEMPTS} times again"))
    }

    /// Runs a case on the subjects that are asked.
    pub fn run(&self, case: &Case) -> Result<CaseRun, String> {
        let task = Task { case: case.clone(), subjects: self.subjects.clone() };
        run_task(self.ground, &task, Capture::Digest)
    }

    /// Whether a case diverges that way. One that cannot be run does not.
    pub fn is_shown_by(&self, case: &Case) -> bool {
        let run = self.run(case);
        matches!(run, Ok(CaseRun { verdict: Verdict::Diverge(shown), .. }) if shown.fingerprint() == self.wanted)
    }

    /// The same question until `stop` is set or the time comes; from then on nothing shows anything.
    fn until(&self, stop: &'a AtomicBool, until: Option<Instant>) -> Question<'a> {
        Question { ground: self.ground.until(stop, until), ..self.clone() }
    }

    /// Reduces a case that diverges that way, on rayon's current threads; then localises it and looks for its simplest
    /// relative. All of it takes the budget's time at most. Fails if the case does not diverge reliably.
    pub fn investigate(
        &self,
        case: &Case,
        budget: &Budget<'a>,
        progress: &(dyn Fn(Step<'_>) + Sync),
    ) -> Result<Investigation, String> {
        let started = Instant::now();
        let fifths = |fifths: u32| budget.time.map(|time| started + time / 5 * fifths);
        let reduced = self.until(budget.stop, fifths(REDUCED_BY)).reduce(
            case,
            fifths(REDUCED_BY),
            budget,
            &|case| {
                progress(Step::Smaller(case));
            },
        )?;
        progress(Step::Reduced(&reduced.case));
        // An interrupt ends the reduction, not its result: the smallest case is run once more to tell what it shows.
        let is_interrupted = budget.stop.load(Ordering::Relaxed);
        let last_until = if is_interrupted { Some(Instant::now() + LAST_RUN) } else { fifths(LOCALISED_BY) };
        let question = self.until(if is_interrupted { &NEVER } else { budget.stop }, last_until);
        let last = question.run(&reduced.case)?;
        let Verdict::Diverge(divergence) = &last.verdict else {
            return Err("the smallest case does not diverge when it is run again".into());
        };
        let expected = self.expected(&last).ok_or("the majority was left out of the smallest case")?;
        let lanes: Vec<&str> = self.subjects.iter().map(|subject| subject.name()).collect();
        let notes = [notes(divergence), releases(&self.subjects)].concat();
        let script = match question.shown(&reduced.case, &last, divergence) {
            Some((case, expected)) => to_script_on(&case, &expected, &lanes, &notes)?,
            None => to_script_on(&reduced.case, expected, &lanes, &notes)?,
        };
        let time = started.elapsed();
        let until = fifths(LOCALISED_BY).unwrap_or_else(|| Instant::now() + UNHURRIED);
        let localised = self.until(budget.stop, Some(until)).localise(&reduced.case, divergence, budget.stop);
        let localised =
            localised.map_err(|why| if Instant::now() >= until { OUT_OF_TIME.into() } else { why });
        progress(Step::Localised(localised.as_ref().map_err(String::as_str)));
        let until = budget.time.map_or_else(|| Instant::now() + UNHURRIED, |time| started + time);
        let known = localised.as_ref().ok();
        let question = self.until(budget.stop, Some(until));
        let relative = question.relative(&reduced.case, divergence, known, budget.stop, until);
        progress(Step::Related(relative.as_ref().map_err(String::as_str)));
        Ok(Investigation { reduced, divergence: divergence.clone(), script, localised, time, relative })
    }

    /// The smallest case that diverges that way and is found by that time.
    fn reduce(
        &self,
        case: &Case,
        until: Option<Instant>,
        budget: &Budget<'_>,
        progress: &(dyn Fn(&Case) + Sync),
    ) -> Result<Reduced, String> {
        let stop = AtomicBool::new(false);
        let interesting = |case: &Case| {
            let is_late = until.is_some_and(|until| Instant::now() >= until);
            if is_late || budget.stop.load(Ordering::Relaxed) {
                stop.store(true, Ordering::Relaxed);
            }
            self.is_shown_by(case)
        };
        let reducer = Reducer::new(case, &interesting, &stop, progress).map_err(|refused| match refused {
            Refused::Uninteresting if stop.load(Ordering::Relaxed) => OUT_OF_TIME.into(),
            refused => refused.to_string(),
        })?;
        let reducer = if self.is_traceable { reducer } else { reducer.without_trace() };
        Ok(reducer.run())
    }

    /// What the majority showed.
    fn expected<'r>(&self, run: &'r CaseRun) -> Option<&'r Observation> {
        let majority = self.subjects[self.majority].name();
        run.observations.iter().find(|(name, _)| name == majority).map(|(_, seen)| seen)
    }

    /// The case with what differs made a result, and what the majority then shows, if it differs that way too.
    fn shown(&self, case: &Case, run: &CaseRun, divergence: &Divergence) -> Option<(Case, Observation)> {
        let action = divergence.first.action;
        let (Kind::Global | Kind::MemoryBytes | Kind::MemorySize) = divergence.first.kind else {
            return None;
        };
        let state = |observation: &'_ Observation| observation.actions.get(action)?.state.clone();
        let ours = state(self.expected(run)?)?;
        let mut others = run.observations.iter().filter_map(|(_, observation)| state(observation));
        let theirs = others.find(|theirs| *theirs != ours)?;
        let shown = shown(case, action, &ours, &theirs)?;
        let again = self.run(&shown).ok()?;
        let outcome = |observation: &Observation| Some(observation.actions.get(action + 1)?.outcome.clone());
        let expected = self.expected(&again)?;
        let differs = again.observations.iter().any(|(_, other)| outcome(other) != outcome(expected));
        differs.then(|| (shown, expected.clone()))
    }

    /// Where subjects part on a case that diverges that way.
    fn localise(
        &self,
        case: &Case,
        divergence: &Divergence,
        stop: &AtomicBool,
    ) -> Result<Localisation, String> {
        let [reference, guilty] = self.speakers(divergence)?;
        localise(self.ground, case, reference, guilty, stop)
    }

    /// The simplest case of the bug that a reduced case shows.
    fn relative(
        &self,
        case: &Case,
        divergence: &Divergence,
        localised: Option<&Localisation>,
        stop: &AtomicBool,
        until: Instant,
    ) -> Result<Relative, String> {
        let [right, wrong] = self.speakers(divergence)?;
        let relatives = Relatives {
            ground: self.ground,
            right: right.clone(),
            wrong: wrong.clone(),
            is_traceable: self.is_traceable,
            stop,
            until,
        };
        relatives.simplest(case, localised)
    }

    /// Who speaks for the majority, and who is wrong.
    fn speakers(&self, divergence: &Divergence) -> Result<[&Arc<dyn Subject>; 2], String> {
        let speakers = [self.majority, usize::from(self.majority == 0)];
        match speakers.map(|speaker| self.subjects.get(speaker)) {
            [Some(right), Some(wrong)] => Ok([right, wrong]),
            _ => Err(format!("no subject to hold against {}", divergence.groups.concat().join(" "))),
        }
    }
}

fn notes(divergence: &Divergence) -> Vec<String> {
    let groups: Vec<String> = divergence.groups.iter().map(|group| group.join(" ")).collect();
    vec![
        format!("{} differ: {}", groups.join(" / "), divergence.first),
        format!("fingerprint: {}", divergence.fingerprint()),
        format!("look at: {}", divergence.triage()),
    ]
}
