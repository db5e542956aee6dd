//! How far a case can be asked of a command, by what the reference shows of it.

use super::driver::{Driven, Step};
use super::play::MOST_CALLS;
use crate::case::{Action, Case};
use crate::hosts::Played;
use crate::observe::{ActionObservation, Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Prepared, Recorded};
use crate::wasm::joined;
use crosscheck_engine::{Mode, TrapKind};

/// Traps of one case that a command is asked for, each in a process of its own.
const MOST_TRAPS: usize = 2;

/// How a case is asked of a command.
pub(super) struct Plan {
    /// The case of one module that is asked: all of its modules in one, where there are several.
    pub(super) case: Case,
    /// How many instantiations of the case the one of that module stands for.
    pub(super) instantiations: usize,
    /// What hosts did.
    pub(super) played: Vec<Played>,
    /// The actions of that case that are asked, in order.
    pub(super) turns: Vec<Turn>,
}

/// An action that is asked.
pub(super) struct Turn {
    /// Its number in the plan's case.
    pub(super) action: usize,
    /// Host calls before it.
    pub(super) host_calls: usize,
    /// What the reference shows.
    pub(super) reference: ActionObservation,
}

impl Turn {
    /// The trap that it ends in, if it does.
    pub(super) fn trap(&self) -> Option<TrapKind> {
        match &self.reference.outcome {
            Outcome::Trap(trap) => Some(trap.kind),
            _ => None,
        }
    }

    /// Whether it returns.
    pub(super) fn returns(&self) -> bool {
        matches!(self.reference.outcome, Outcome::Values(_))
    }
}

impl Plan {
    /// The plan for a case. Fails with why nothing of it can be asked.
    pub(super) fn of(prepared: &Prepared<'_>, capture: Capture) -> Result<Plan, String> {
        let Recorded { observation, played, until } = reference().record(prepared, capture);
        let (case, instantiations) = match prepared.case.modules.len() {
            0 => return Err("there is no module".into()),
            1 => (prepared.case.clone(), 1),
            modules => {
                let returns = |action: &ActionObservation| matches!(action.outcome, Outcome::Values(_));
                let first = prepared.case.actions.iter().zip(&observation.actions).take(modules);
                let in_order = first.zip(0..).all(|((action, seen), number)| {
                    *action == Action::Instantiate { module: number } && returns(seen)
                });
                if !in_order || observation.actions.len() < modules {
                    return Err("modules that are not all instantiated first".into());
                }
                let one = joined::as_one(prepared.case).ok_or("modules that cannot be put into one")?;
                (one, modules)
            }
        };
        let surplus = instantiations - 1;
        let mut turns = Vec::new();
        let (mut traps, mut state) = (0, None);
        for (number, seen) in observation.actions.iter().enumerate().skip(surplus) {
            let action = number - surplus;
            let before = if action == 0 { 0 } else { until[number - 1] };
            // A second instance is beyond a driver, and the case of one module leaves it out.
            if is_instantiation(&prepared.case.actions[number]) != (action == 0) || until[number] > MOST_CALLS
            {
                break;
            }
            let turn = Turn { action, host_calls: before, reference: seen.clone() };
            match &seen.outcome {
                Outcome::Values(_) => turns.push(turn),
                Outcome::Trap(trap) if is_askable(trap.kind) && traps < MOST_TRAPS => {
                    turns.push(turn);
                    traps += 1;
                    // What comes next begins in a state that only the trap leads to, unless it changed nothing.
                    if state != Some(seen.state_digest) {
                        break;
                    }
                }
                _ => break,
            }
            state = Some(seen.state_digest);
        }
        if turns.is_empty() {
            return Err("its first action is refused, or fails in the host".into());
        }
        Ok(Plan { case, instantiations, played, turns })
    }

    /// The steps of the turns that return, before the turn of a number, and that one.
    pub(super) fn steps_to(&self, turn: usize) -> Vec<Step<'_>> {
        let before = self.turns[..turn].iter().filter(|turn| turn.returns());
        before.chain(&self.turns[turn..=turn]).map(|turn| self.step(turn)).collect()
    }

    /// The steps of all turns that return.
    pub(super) fn quiet_steps(&self) -> Vec<Step<'_>> {
        self.turns.iter().filter(|turn| turn.returns()).map(|turn| self.step(turn)).collect()
    }

    fn step(&self, turn: &Turn) -> Step<'_> {
        Step { action: &self.case.actions[turn.action], host_calls: turn.host_calls }
    }

    /// What an action shows that did this: as the reference, where both do the same.
    pub(super) fn observed(
        &self,
        turn: &Turn,
        driven: Driven,
        expected: Option<&Driven>,
    ) -> ActionObservation {
        let mut observed = ActionObservation::last(Outcome::Values(driven.values));
        observed.host_calls = turn.reference.host_calls.clone();
        if expected.is_some_and(|expected| expected.mixture != driven.mixture) {
            // That they were given something else is all that is known of them.
            observed.host_calls.digest = !observed.host_calls.digest;
            observed.host_calls.first.clear();
        }
        observed
    }
}

/// The lane that runs a case first.
pub(super) fn reference() -> LaneSubject {
    LaneSubject::new(Lane::plain(Mode::all().next().expect("there is a mode")))
}

fn is_instantiation(action: &Action) -> bool {
    matches!(action, Action::Instantiate { .. })
}

/// Whether a command can be asked for such a trap. One that the host makes is not the module's; and where fuel or stack
/// run out, engines differ.
fn is_askable(kind: TrapKind) -> bool {
    !matches!(kind, TrapKind::OutOfFuel | TrapKind::CallStackExhausted | TrapKind::Host)
}
