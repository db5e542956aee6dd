//! Looks for the first difference: by fuel, which changes nothing but shows only what instructions leave behind; then
//! by probes, which show operands and locals.

use super::path::{Path, Step};
use super::probe::{self, Probe, Probed, Route, Show, What};
use crate::case::{Case, Limits, Value};
use crate::compare::{Difference, Divergence, Kind, Testimony, Verdict, judge};
use crate::observe::{Capture, Observation, Outcome};
use crate::run::Ground;
use crate::subject::{Subject, Task};
use crate::trial::{CaseRun, run_task};
use crate::wasm::instruction::instructions;
use crosscheck_engine::{Mode, TrapKind};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Places that are probed one after the other; more than so many are halved first.
const ONE_BY_ONE: usize = 192;

/// Two subjects that part on a case, and where they run.
pub struct Bench<'a> {
    pub ground: Ground<'a>,
    /// The case up to the action in which they part.
    pub case: Case,
    pub subjects: [Arc<dyn Subject>; 2],
    pub stop: &'a AtomicBool,
    /// How they part.
    pub first: Difference,
    /// Cases that were run.
    pub runs: u64,
}

/// Where a difference is visible first without looking inside functions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visible {
    /// The least fuel with which subjects part.
    pub fuel: u64,
    /// The instance and file offset where less fuel ends: the first opcode of the segment that shows it.
    pub segment: Option<(u32, u32)>,
}

/// What subjects show at a place.
pub struct Shown {
    /// How they differ there, if they do.
    pub difference: Option<Difference>,
    /// What the probe shows of each: nothing of one that did not get there.
    pub values: [Vec<(What, Value)>; 2],
}

impl Bench<'_> {
    /// Runs a variant of the case.
    fn run(&mut self, case: Case, capture: Capture) -> Result<CaseRun, String> {
        if self.stop.load(Ordering::Relaxed) {
            return Err("stopped".to_string());
        }
        self.runs += 1;
        run_task(self.ground, &Task { case, subjects: self.subjects.to_vec() }, capture)
    }

    fn with_fuel(&self, fuel: u64) -> Case {
        Case { limits: Limits { fuel: Some(fuel), ..self.case.limits }, ..self.case.clone() }
    }

    /// The least fuel with which a difference is visible. None if a subject counts no fuel, if less fuel would
    /// change earlier actions, or if each attempt may cost a full hang timeout.
    pub fn visible(&mut self, reference: &Observation) -> Result<Option<Visible>, String> {
        let counted = self.subjects.iter().all(|subject| subject.capabilities().fuel);
        if !counted || self.first.kind == Kind::Hang {
            return Ok(None);
        }
        let start = self.case.limits.fuel.unwrap_or(u64::MAX);
        let used =
            |action: usize| reference.actions.get(action).map(|seen| start.saturating_sub(seen.fuel_left));
        let last = self.case.actions.len() - 1;
        let mut agrees = (0..last).filter_map(used).max().unwrap_or(0);
        let mut differs = used(last).unwrap_or(start).max(agrees);
        if !self.differs_with(differs)? {
            agrees = differs;
            differs = start;
        } else if self.differs_with(agrees)? {
            return Ok(None);
        }
        while differs - agrees > 1 {
            let middle = agrees + (differs - agrees) / 2;
            if self.differs_with(middle)? { differs = middle } else { agrees = middle }
        }
        let short = self.run(self.with_fuel(agrees), Capture::Full)?;
        let outcome =
            short.observations.first().and_then(|(_, seen)| seen.actions.get(last)).map(|a| &a.outcome);
        let segment = match outcome {
            Some(Outcome::Trap(trap)) if trap.kind == TrapKind::OutOfFuel => {
                let frame = trap.frames.as_ref().and_then(|frames| frames.kept.first());
                frame.and_then(|frame| Some((frame.function?.0, frame.offset?)))
            }
            _ => None,
        };
        Ok(Some(Visible { fuel: differs, segment }))
    }

    fn differs_with(&mut self, fuel: u64) -> Result<bool, String> {
        let case = self.with_fuel(fuel);
        Ok(matches!(self.run(case, Capture::Digest)?.verdict, Verdict::Diverge(_)))
    }

    /// The way through the last action up to where a difference is visible; none if `interp` itself may not live
    /// to tell.
    pub fn path(&self, seen: &Observation, visible: Option<&Visible>) -> Result<Option<Path>, String> {
        let failed = if seen.failure().is_some() { &self.subjects[0] } else { &self.subjects[1] };
        let fails = matches!(self.first.kind, Kind::Crash | Kind::Hang)
            && failed.name().starts_with(Mode::Interp.name());
        match visible {
            Some(visible) if fails => {
                let mut path = Path::of(&self.with_fuel(visible.fuel - 1), seen)?;
                // What the fuel did not suffice for is where it fails.
                let next =
                    visible.segment.and_then(|(instance, offset)| path.go_on(&self.case, instance, offset));
                path.is_cut = next.is_none();
                Ok(Some(path))
            }
            None if fails => Ok(None),
            Some(visible) => {
                let steps = Path::of(&self.with_fuel(visible.fuel), seen)?.steps.len();
                let mut path = Path::of(&self.case, seen)?;
                // One more, so that what the last one leaves can be looked at.
                path.is_cut = path.steps.len() > steps + 1;
                path.steps.truncate(steps + 1);
                Ok(Some(path))
            }
            None => Path::of(&self.case, seen).map(Some),
        }
    }

    /// The number of the first step before which subjects differ, and how that is shown; none if they agree before all
    /// that were probed.
    pub fn first_difference(&mut self, path: &Path) -> Result<Option<(usize, Route)>, String> {
        let steps = path.steps.len();
        let places: Vec<usize> = (0..steps).collect();
        let mut found = steps;
        if steps > ONE_BY_ONE || self.first.kind == Kind::Hang {
            found = self.halve(path, &places)?.unwrap_or(steps);
            // What differs in a function that is waiting for a call is not seen in the callee. So the places of
            // the same call of a function are looked at by themselves, until none is earlier.
            while let Some(step) = path.steps.get(found) {
                let home = |place: &usize| path.steps[*place].activation == step.activation;
                let places: Vec<usize> = (0..found).filter(home).collect();
                match self.halve(path, &places)? {
                    Some(earlier) => found = earlier,
                    None => break,
                }
            }
        }
        // A hang costs its whole timeout: only halving is affordable.
        if self.first.kind != Kind::Hang {
            let mut window = found.saturating_sub(ONE_BY_ONE)..found;
            while let Some(earlier) = self.first_of(path, window.clone(), Show::All)? {
                found = earlier;
                window = window.start.saturating_sub(ONE_BY_ONE)..window.start;
            }
            let window = found.saturating_sub(ONE_BY_ONE)..found;
            found = self.first_of(path, window, Show::Operands)?.unwrap_or(found);
            for place in found.saturating_sub(ONE_BY_ONE)..found {
                if self.is_wider_at(path, &path.steps[place])? {
                    return Ok(Some((place, Route::Widened)));
                }
            }
        }
        Ok((found < steps).then_some((found, Route::Direct)))
    }

    /// Whether subjects differ before a step in what registers hold beside an i32: nothing that an i32 shows, but
    /// what becomes of it when it is taken for more.
    fn is_wider_at(&mut self, path: &Path, step: &Step) -> Result<bool, String> {
        Ok(self.differs_by(path, step, Show::Operands, Route::Widened)?
            && !self.differs_by(path, step, Show::Operands, Route::WidenedCopy)?)
    }

    /// The first of neighbouring places that differs.
    fn first_of(&mut self, path: &Path, places: Range<usize>, show: Show) -> Result<Option<usize>, String> {
        for place in places {
            if self.differs_at(path, &path.steps[place], show)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Halves places in order until two neighbours are left: the first that differs, if the last one does.
    fn halve(&mut self, path: &Path, places: &[usize]) -> Result<Option<usize>, String> {
        let (mut agrees, mut differs) = (0, places.len());
        while agrees < differs {
            let middle = agrees + (differs - agrees) / 2;
            if self.differs_at(path, &path.steps[places[middle]], Show::All)? {
                differs = middle;
            } else {
                agrees = middle + 1;
            }
        }
        Ok(places.get(differs).copied())
    }

    /// Whether subjects differ before a step, whichever way values are shown.
    fn differs_at(&mut self, path: &Path, step: &Step, show: Show) -> Result<bool, String> {
        Ok(self.differs_by(path, step, show, Route::Direct)?
            && self.differs_by(path, step, show, Route::Detour)?)
    }

    fn differs_by(&mut self, path: &Path, step: &Step, show: Show, route: Route) -> Result<bool, String> {
        let seen = self.look(path, step, show, route, Capture::Digest)?;
        Ok(seen.is_some_and(|seen| seen.difference.is_some()))
    }

    /// What subjects show before a step; none if the place cannot be probed.
    pub fn look(
        &mut self,
        path: &Path,
        step: &Step,
        show: Show,
        route: Route,
        capture: Capture,
    ) -> Result<Option<Shown>, String> {
        let Some((case, probed)) = self.probed(path, step, show, route) else { return Ok(None) };
        let mut run = self.run(case, capture)?;
        let last = self.case.actions.len() - 1;
        // A branch to the end of a function passes it, but not what stands before it.
        let stopped = run.observations.first().and_then(|(_, seen)| seen.actions.get(last));
        let stopped = stopped.is_some_and(|seen| match &seen.outcome {
            Outcome::Trap(trap) => trap.kind == TrapKind::Unreachable && trap.site == Some(probed.site),
            _ => false,
        });
        if !stopped {
            return Ok(None);
        }
        let values = |side: usize| {
            let seen = run.observations.get(side).and_then(|(_, seen)| seen.actions.get(last));
            let state = seen.and_then(|seen| seen.state.as_ref());
            state.map_or(Vec::new(), |state| probed.values(state, step.instance as usize))
        };
        let values = [values(0), values(1)];
        let difference = self.difference(&mut run);
        Ok(Some(Shown { difference, values }))
    }

    fn probed(&self, path: &Path, step: &Step, show: Show, route: Route) -> Option<(Case, Probed)> {
        let module = path.module(step)? as usize;
        let exported = self.subjects.iter().any(|subject| !subject.capabilities().internal_state);
        let (offset, execution) = (step.offset, step.execution);
        let probe = Probe { offset, execution, show, route, exported };
        let probed = probe::probed(&self.case.modules[module].wasm, &probe).ok()?;
        let mut case = self.case.clone();
        case.limits.fuel = case.limits.fuel.map(|fuel| fuel.saturating_add(probed.fuel));
        case.modules[module].wasm.clone_from(&probed.wasm);
        Some((case, probed))
    }

    /// How subjects differ at a probe. Through which calls it was reached is nothing that an instruction did; and
    /// where the fault is that traps name the wrong place, the probe's own trap would.
    fn difference(&self, run: &mut CaseRun) -> Option<Difference> {
        let Verdict::Diverge(Divergence { first, .. }) = &run.verdict else { return None };
        if !matches!(first.kind, Kind::Frames | Kind::TrapSite) {
            return Some(first.clone());
        }
        let keeps_sites = !matches!(self.first.kind, Kind::Frames | Kind::TrapSite);
        for (_, observation) in &mut run.observations {
            for action in &mut observation.actions {
                if let Outcome::Trap(trap) = &mut action.outcome {
                    trap.frames = None;
                    trap.site = trap.site.filter(|_| keeps_sites);
                }
            }
        }
        let capabilities = |name: &str| {
            let subject = self.subjects.iter().find(|subject| subject.name() == name);
            subject.map(|subject| subject.capabilities())
        };
        let testimonies: Vec<Testimony<'_>> = run
            .observations
            .iter()
            .filter_map(|(name, observation)| {
                Some(Testimony { name, capabilities: capabilities(name)?, observation })
            })
            .collect();
        match judge(&testimonies) {
            Verdict::Diverge(divergence) => Some(divergence.first),
            Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
        }
    }

    /// Whether subjects still part when a probe is in place that never stops: if not, that none showed a difference
    /// means nothing.
    pub fn survives(&mut self, path: &Path, step: &Step) -> Result<bool, String> {
        let never = Step { execution: i32::MAX as u32, ..*step };
        let Some((mut case, _)) = self.probed(path, &never, Show::All, Route::Direct) else {
            return Ok(false);
        };
        // It costs what it costs where it is passed, not what it would if it stopped.
        case.limits.fuel = self.case.limits.fuel.map(|fuel| fuel.saturating_mul(8));
        self.fails_the_same(case)
    }

    fn fails_the_same(&mut self, case: Case) -> Result<bool, String> {
        let run = self.run(case, Capture::Digest)?;
        Ok(matches!(run.verdict, Verdict::Diverge(divergence) if divergence.first.kind == self.first.kind))
    }

    /// The instruction, as module and file offset, without which a subject would not fail before anything is
    /// executed: a compiler that refuses what it made. Behind a stop code is dead, and is not compiled.
    pub fn failing_code(&mut self) -> Result<Option<(u32, u32)>, String> {
        for module in 0..self.case.modules.len() {
            let wasm = self.case.modules[module].wasm.clone();
            for body in instructions(&wasm).map_err(|error| error.to_string())? {
                let fails_before = |bench: &mut Self, offset: u32| -> Result<bool, String> {
                    let (show, route) = (Show::Nothing, Route::Direct);
                    let probe = Probe { offset, execution: 1, show, route, exported: false };
                    let mut case = bench.case.clone();
                    case.modules[module].wasm = probe::probed(&wasm, &probe)?.wasm;
                    bench.fails_the_same(case)
                };
                if fails_before(self, body[0].at)? {
                    continue;
                }
                let (mut well, mut fails) = (0, body.len());
                while fails - well > 1 {
                    let middle = well + (fails - well) / 2;
                    if fails_before(self, body[middle].at)? { fails = middle } else { well = middle }
                }
                return Ok(Some((module as u32, body[well].at)));
            }
        }
        Ok(None)
    }
}
