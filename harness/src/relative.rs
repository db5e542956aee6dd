//! What a reduced case has in common with other cases of its bug: its simplest relative.
//!
//! A reduced case shows its bug the way the finding did, for that is what it was reduced by. But how a bug is seen first
//! depends on what a program goes on to do with a wrong value, so one bug is reduced to many kinds of cases. Here the
//! way does not matter any more: the case shrinks as long as the same mode is wrong *somehow*, in one of a few lanes,
//! and gives up what is special for what is usual. So the cases of a bug become much alike, and those of different bugs
//! stay what they are. What is left tells the bugs apart: the operation that goes wrong, and what it takes to make it
//! ([`Circumstance`]).

mod operation;
mod signature;

use crate::case::{Case, Limits};
use crate::compare::{Divergence, Kind, Verdict};
use crate::localise::{Localisation, Precision, localise};
use crate::observe::{Capture, Outcome};
use crate::reduce::{Reducer, to_script_on};
use crate::run::Ground;
use crate::subject::{Lane, LaneSubject, Subject, Switch, Task, releases};
use crate::trial::{CaseRun, run_task};
use crosscheck_engine::{Mode, TrapKind};
pub use operation::Operation;
use signature::Seen;
pub use signature::{Circumstance, Signature, Wrong};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Instant;

/// Fuel for those who look for a relative: running out of it is hardly what a bug is about.
const FUEL: u64 = 10_000;

/// Who looks for relatives, and of what.
pub struct Relatives<'a> {
    /// Where cases are run.
    pub ground: Ground<'a>,
    /// One of those who are right.
    pub right: Arc<dyn Subject>,
    /// One of those who are wrong.
    pub wrong: Arc<dyn Subject>,
    /// Whether the reference survives the case, so that what it executes can be watched in this process.
    pub is_traceable: bool,
    /// Ends it at once when set, with the best so far.
    pub stop: &'a AtomicBool,
    /// When it is late enough to end with the best so far.
    pub until: Instant,
}

/// A simple case of the same bug.
#[derive(Clone, Debug)]
pub struct Relative {
    /// The case.
    pub case: Case,
    /// The case as a script that expects what the right subject showed; or why there is none.
    pub script: Result<String, String>,
    /// Who agrees with whom about it, plain lanes of all modes included; the first group is one that is right.
    pub groups: Vec<Vec<String>>,
    /// What tells its bug from others.
    pub signature: Signature,
}

/// How directly a difference points at the fault, strongest evidence first. A relative's evidence is at least as strong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Evidence {
    /// Something else was computed, or a subject failed.
    Effect,
    /// Other fuel was charged.
    Fuel,
    /// Something else happened, since a subject ran out of fuel.
    OutOfFuel,
    /// A trap is told to have happened elsewhere.
    Site,
    /// Not even the same subject shows the same twice.
    Unstable,
}

impl Evidence {
    fn of(run: &CaseRun, divergence: &Divergence) -> Evidence {
        match divergence.first.kind {
            Kind::Fuel => Evidence::Fuel,
            Kind::TrapSite | Kind::Frames => Evidence::Site,
            Kind::Unstable => Evidence::Unstable,
            Kind::Crash
            | Kind::Hang
            | Kind::Outcome
            | Kind::Values
            | Kind::TrapKind
            | Kind::Exception
            | Kind::HostCalls
            | Kind::Global
            | Kind::TableSize
            | Kind::TableElement
            | Kind::MemorySize
            | Kind::MemoryBytes
            | Kind::Dropped
            | Kind::Objects
            | Kind::Instances => match anybody_trapped(run, divergence, TrapKind::OutOfFuel) {
                true => Evidence::OutOfFuel,
                false => Evidence::Effect,
            },
        }
    }
}

/// Whether a subject ended the action in which they differ first in that kind of trap.
fn anybody_trapped(run: &CaseRun, divergence: &Divergence, kind: TrapKind) -> bool {
    run.observations.iter().any(|(_, observation)| {
        let outcome = observation.actions.get(divergence.first.action).map(|seen| &seen.outcome);
        matches!(outcome, Some(Outcome::Trap(trap)) if trap.kind == kind)
    })
}

impl Relatives<'_> {
    /// The simplest relative of a case, of which it may be known already where subjects part. Fails if no lane is wrong
    /// about the case itself, or no worker can be had.
    pub fn simplest(&self, case: &Case, earlier: Option<&Localisation>) -> Result<Relative, String> {
        let right = self.plain_right();
        let few = self.lanes();
        let asked = |case: &Case, lanes: &[Arc<dyn Subject>]| self.ask(&right, case, lanes);
        let evidence = |case: &Case| {
            let run = asked(case, &few).ok()?;
            // What is watched in this process must not end it.
            if self.is_traceable && !run.is_traceable() {
                return None;
            }
            let divergence = self.divergence(&run, &right)?;
            Some(Evidence::of(&run, divergence))
        };
        let roomy = Case { limits: Limits { fuel: Some(FUEL), ..case.limits }, ..case.clone() };
        let (case, begin) = match evidence(&roomy) {
            Some(evidence) => (&roomy, evidence),
            None => (case, evidence(case).ok_or("in plain lanes no subject is wrong about it")?),
        };
        let best = AtomicU8::new(begin as u8);
        let stop = AtomicBool::new(false);
        let interesting = |case: &Case| {
            if Instant::now() >= self.until || self.stop.load(Ordering::Relaxed) {
                stop.store(true, Ordering::Relaxed);
            }
            evidence(case).is_some_and(|evidence| evidence as u8 <= best.load(Ordering::Relaxed))
        };
        // Stronger evidence once found is kept.
        let kept = |case: &Case| {
            if let Some(evidence) = evidence(case) {
                best.fetch_min(evidence as u8, Ordering::Relaxed);
            }
        };
        let reducer = Reducer::new(case, &interesting, &stop, &kept)
            .map_err(|refused| refused.to_string())?
            .with_exchanges();
        let reducer = if self.is_traceable { reducer } else { reducer.without_trace() };
        let case = reducer.run().case;
        let run = asked(&case, &few)?;
        let divergence = self.divergence(&run, &right).ok_or("the relative does not diverge again")?;
        let wrong = self.wrong_in(divergence, &right);
        let guilty = few.iter().find(|lane| wrong.contains(&lane.name()));
        let guilty = guilty.ok_or("no lane is wrong about the relative")?;
        let localised = localise(self.ground, &case, &right, guilty, self.stop)?;
        let is_shown = |case: &Case| evidence(case).is_some();
        let is_wrong_in = |lane: Lane| {
            let lane = LaneSubject::shared(lane);
            asked(&case, &[lane]).is_ok_and(|run| self.divergence(&run, &right).is_some())
        };
        let signature = Seen {
            case: &case,
            run: &run,
            divergence,
            localised: &localised,
            earlier: earlier.filter(|earlier| earlier.precision == Precision::Instruction),
            guilty: guilty.name(),
            is_shown: &is_shown,
            is_wrong_in: &is_wrong_in,
        }
        .signature();
        let groups = self.all_groups(&case, &right, guilty)?;
        let lanes = [right.name(), guilty.name()];
        let expected = run.observations.iter().find(|(name, _)| name == right.name());
        let expected = expected.map(|(_, seen)| seen).ok_or("the right subject was left out")?;
        let mut notes = vec![format!("what tells the bug: {signature}")];
        notes.extend(releases([&right, guilty]));
        let script = to_script_on(&case, expected, &lanes, &notes);
        Ok(Relative { signature, script, groups, case })
    }

    /// Who agrees with whom about a case, plain lanes of all modes included.
    fn all_groups(
        &self,
        case: &Case,
        right: &Arc<dyn Subject>,
        guilty: &Arc<dyn Subject>,
    ) -> Result<Vec<Vec<String>>, String> {
        let mut subjects = vec![right.clone(), guilty.clone()];
        for plain in Mode::all().map(Lane::plain).map(LaneSubject::shared) {
            if subjects.iter().all(|subject| subject.name() != plain.name()) {
                subjects.push(plain);
            }
        }
        let run = run_task(self.ground, &Task { case: case.clone(), subjects }, Capture::Digest)?;
        match run.verdict {
            Verdict::Diverge(divergence) => Ok(divergence.groups),
            Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => {
                Err("the relative does not diverge again".into())
            }
        }
    }

    /// Who is right, without any switch that hides something.
    fn plain_right(&self) -> Arc<dyn Subject> {
        match self.right.name().parse::<Lane>() {
            Ok(lane) => LaneSubject::shared(Lane::plain(lane.mode)),
            Err(_) => self.right.clone(),
        }
    }

    /// Lanes in which every step is tried: the plain one of the mode that is wrong, one that checks bounds in the other
    /// way, which is how addresses of 64 bits are checked, and the one that was seen to be wrong.
    fn lanes(&self) -> Vec<Arc<dyn Subject>> {
        let Ok(seen) = self.wrong.name().parse::<Lane>() else { return vec![self.wrong.clone()] };
        let plain = Lane::plain(seen.mode);
        let mut lanes = vec![plain];
        for lane in [plain.with(Switch::ExplicitBounds), seen] {
            let applies = lane == seen || Switch::ExplicitBounds.applies_to(seen.mode);
            if applies && !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        lanes.into_iter().map(LaneSubject::shared).collect()
    }

    fn ask(
        &self,
        right: &Arc<dyn Subject>,
        case: &Case,
        lanes: &[Arc<dyn Subject>],
    ) -> Result<CaseRun, String> {
        let subjects = std::iter::once(right).chain(lanes).cloned().collect();
        run_task(self.ground, &Task { case: case.clone(), subjects }, Capture::Digest)
    }

    /// How a run diverges, if the right subject took part.
    fn divergence<'r>(&self, run: &'r CaseRun, right: &Arc<dyn Subject>) -> Option<&'r Divergence> {
        match &run.verdict {
            Verdict::Diverge(divergence) => {
                let took_part = divergence.groups.iter().flatten().any(|name| name == right.name());
                took_part.then_some(divergence)
            }
            Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
        }
    }

    /// The lanes that do not agree with the right subject.
    fn wrong_in<'d>(&self, divergence: &'d Divergence, right: &Arc<dyn Subject>) -> Vec<&'d str> {
        let is_right = |group: &&Vec<String>| group.iter().any(|name| name == right.name());
        let wrong = divergence.groups.iter().filter(|group| !is_right(group));
        wrong.flatten().map(String::as_str).collect()
    }
}
