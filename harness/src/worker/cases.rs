//! Cases through a worker: many at full speed, one with care.
//!
//! At full speed a worker has some cases in hand while the parent makes the next. When it dies, the first case
//! without an answer was under way and is run again with care; those after it are sent again.

use super::client::Lease;
use super::death::Death;
use super::protocol::{Message, Request};
use crate::case::Case;
use crate::disassembly::not_shown;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crate::subject::{Shown, Subject, Task, asked_for, first_actions};
use std::collections::VecDeque;

/// Cases that a worker has in hand: enough that it never waits, few enough to send again.
const IN_HAND: usize = 16;

/// Where cases come from and where their answers go, in the same order.
pub trait Feed {
    /// The next case and how closely it is looked at; none once there are no more.
    fn next(&mut self) -> Option<(Task, Capture)>;

    /// What subjects showed on a case.
    fn done(&mut self, task: Task, capture: Capture, shown: Shown);
}

impl Lease<'_> {
    /// Runs cases at full speed. Every case gets its one answer, whatever dies. Fails if no worker can be had.
    pub fn many(&mut self, feed: &mut dyn Feed) -> Result<(), String> {
        let mut asked: VecDeque<(Task, Capture)> = VecDeque::new();
        let mut more = true;
        loop {
            if more && asked.len() < IN_HAND {
                match feed.next() {
                    Some((task, capture)) => {
                        self.client()?.ask(quick_frame(&task, capture));
                        asked.push_back((task, capture));
                    }
                    None => more = false,
                }
                if let Some(message) = self.client()?.at_hand() {
                    self.answered(message, &mut asked, feed)?;
                }
                continue;
            }
            if asked.is_empty() {
                return Ok(());
            }
            match self.receive()? {
                Ok(message) => self.answered(message, &mut asked, feed)?,
                Err(death) => {
                    let (task, capture) = asked.pop_front().expect("a task waits for an answer");
                    let shown = self.with_care(&task, capture, Some(&death))?;
                    for (task, capture) in &asked {
                        self.client()?.ask(quick_frame(task, *capture));
                    }
                    feed.done(task, capture, shown);
                }
            }
        }
    }

    /// Runs one case at full speed, and with care if the worker dies of it; with care at once where a subject is known
    /// to hang. Fails if no worker can be had.
    pub fn quickly(&mut self, task: &Task, capture: Capture) -> Result<Shown, String> {
        if self.expects_a_hang() {
            return self.with_care(task, capture, None);
        }
        let mut single = Single { task: Some((task.clone(), capture)), shown: None };
        self.many(&mut single)?;
        Ok(single.shown.expect("every case gets its one answer"))
    }

    /// What a lane makes of an instruction; where the worker dies of compiling the module, what it died of. Fails if no
    /// worker can be had.
    pub fn explain(
        &mut self,
        lane: &str,
        wasm: &[u8],
        function: u32,
        offset: u32,
    ) -> Result<Vec<String>, String> {
        self.client()?.ask(Request::explain_frame(lane, wasm, function, offset));
        match self.receive()? {
            Ok(Message::Lines(lines)) => Ok(lines),
            Ok(other) => Err(self.unexpected(&other)),
            Err(death) => Ok(not_shown(death.outcome().describe())),
        }
    }

    fn answered(
        &mut self,
        message: Message,
        asked: &mut VecDeque<(Task, Capture)>,
        feed: &mut dyn Feed,
    ) -> Result<(), String> {
        match message {
            Message::Begins(_) => Ok(()),
            Message::Case(shown) => {
                let (task, capture) = asked.pop_front().ok_or("a worker answers what was not asked")?;
                feed.done(task, capture, shown);
                Ok(())
            }
            other => Err(self.unexpected(&other)),
        }
    }

    /// Runs a case subject by subject. `before` is how a worker died that had it in hand, if one did.
    fn with_care(&mut self, task: &Task, capture: Capture, before: Option<&Death>) -> Result<Shown, String> {
        let mut observed: Vec<Option<Observation>> = Vec::with_capacity(task.subjects.len());
        for subject in &task.subjects {
            let reference = observed.first().and_then(Option::as_ref);
            let Some(count) = asked_for(&task.case, &**subject, reference) else {
                observed.push(None);
                continue;
            };
            match self.turn(&first_actions(&task.case, count), &**subject, capture)? {
                Some(observation) => observed.push(Some(observation)),
                None => return Ok(Shown::Invalid),
            }
        }
        if let Some(death) = before {
            attribute_crash(death, &mut observed);
        }
        Ok(Shown::Observed(observed))
    }

    /// What one subject shows, its death included; none if the case is invalid.
    fn turn(
        &mut self,
        case: &Case,
        subject: &dyn Subject,
        capture: Capture,
    ) -> Result<Option<Observation>, String> {
        let mut is_first = true;
        loop {
            self.client()?.ask(Request::case_frame(
                case,
                std::iter::once(subject.definition()),
                capture,
                true,
            ));
            let mut actions: Vec<ActionObservation> = Vec::new();
            let death = loop {
                match self.receive()? {
                    Ok(Message::Begins(_)) => {}
                    Ok(Message::Ended(observed)) => actions.push(observed),
                    Ok(Message::Case(Shown::Invalid)) => return Ok(None),
                    Ok(Message::Case(Shown::Observed(observed))) => match observed.into_iter().next() {
                        Some(Some(observation)) => return Ok(Some(observation)),
                        Some(None) | None => return Err("a worker answers for no subject".into()),
                    },
                    Ok(other) => return Err(self.unexpected(&other)),
                    Err(death) => break death,
                }
            };
            // A user or a system that kills processes is not likely to hit the same case twice.
            if !death.is_its_own() && is_first {
                is_first = false;
                continue;
            }
            // One that dies while it puts everything away dies of its last action.
            actions.truncate(case.actions.len().saturating_sub(1));
            actions.push(ActionObservation::last(death.outcome()));
            return Ok(Some(Observation { actions }));
        }
    }
}

/// A feed of one case.
struct Single {
    task: Option<(Task, Capture)>,
    shown: Option<Shown>,
}

impl Feed for Single {
    fn next(&mut self) -> Option<(Task, Capture)> {
        self.task.take()
    }

    fn done(&mut self, _: Task, _: Capture, shown: Shown) {
        self.shown = Some(shown);
    }
}

fn quick_frame(task: &Task, capture: Capture) -> Vec<u8> {
    Request::case_frame(&task.case, task.subjects.iter().map(|subject| subject.definition()), capture, false)
}

/// Attributes a crash that did not show again to the subject that the worker last reported.
fn attribute_crash(death: &Death, observed: &mut [Option<Observation>]) {
    let Some(words) = &death.words else { return };
    let known = observed.iter().flatten().any(|observation| observation.failure().is_some());
    // Before the first subject ran, what all of them need was made: the reference answers for that.
    let number = Some(words.place.subject as usize).filter(|number| *number < observed.len()).unwrap_or(0);
    let Some(slot) = observed.get_mut(number).filter(|_| !known) else { return };
    let mut observation = slot.take().unwrap_or_default();
    observation
        .actions
        .truncate((words.place.step as usize).min(observation.actions.len().saturating_sub(1)));
    let Outcome::Crash(message) = death.outcome() else { unreachable!("last words are of a crash") };
    let message = format!("{message}; not when it was run again");
    observation.actions.push(ActionObservation::last(Outcome::Crash(message)));
    *slot = Some(observation);
}
