//! Any engine with a command line as a subject: `--with 'iwasm=iwasm -f NAME FILE'`.
//!
//! Such a command instantiates a file and calls one function, and that is all there is: no second call on the instance,
//! no host of ours, no look at memories. So a case is rewritten ([`driver`]) to one call that makes all its calls,
//! gives arguments as constants and takes results as bits, and each process does a case up to some action.
//!
//! What cannot be asked that way is left out, and the reference says what it is, for it runs the case first: whatever
//! comes after a trap, and whatever calls the host or runs out of something. The observation ends there
//! ([`Capabilities::to_the_end`]). What the command does not accept, or says in words that nobody here
//! understands, is [`Outcome::Unsupported`] and never a difference.

mod driver;
mod process;
mod said;
pub(crate) mod scratch;
mod template;
mod watchdog;

use super::{Capabilities, Lane, LaneSubject, Prepared, Subject, Unwatched, Watch};
use crate::case::{Action, Case};
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crosscheck_engine::{Import, Mode, TrapKind};
use driver::{Driver, Exports};
use said::{Ended, ended};
use scratch::Scratch;
use std::sync::OnceLock;
use std::time::Duration;
use template::Template;

/// The environment variable that tells a worker how many milliseconds a command may take.
pub(crate) const LIMIT_VARIABLE: &str = "CROSSCHECK_COMMAND_MS";
/// The part of the time for an action that a command may take: so its hang is the outcome of an action, and not the
/// death of the worker that waits for it.
const LIMIT_PART: u32 = 5;

/// How long a command may take in this process.
static LIMIT: OnceLock<Duration> = OnceLock::new();

/// How long a command may take where an action may take so long.
pub(crate) fn limit_for(timeout: Duration) -> Duration {
    (timeout / LIMIT_PART).max(Duration::from_millis(1))
}

/// Prepares this process and its workers for commands, of a run in which an action may take so long. Fails if there is
/// no room for files.
pub(crate) fn prepare(timeout: Duration) -> Result<(), String> {
    // Where there are several, they are of one command line, and say the same.
    let _ = LIMIT.set(limit_for(timeout));
    let made = scratch::folder().map(|_| ());
    made.map_err(|error| {
        format!("cannot make a folder for modules in {}: {error}", std::env::temp_dir().display())
    })
}

fn limit() -> Duration {
    *LIMIT.get_or_init(|| {
        let told = std::env::var(LIMIT_VARIABLE).ok().and_then(|text| text.parse().ok());
        told.map_or_else(|| limit_for(DEFAULT_TIMEOUT), Duration::from_millis)
    })
}

/// How long an action may take unless the user says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Ends what commands of this process left behind. To be called last; no command must be under way.
pub(crate) fn end() {
    watchdog::end();
    scratch::end();
}

/// An engine with a command line.
#[derive(Clone, Debug)]
pub struct CommandSubject {
    /// What people call it: the label.
    name: String,
    /// The whole of it: `LABEL=COMMAND`.
    definition: String,
    /// The command.
    template: Template,
}

impl CommandSubject {
    /// The subject of `LABEL=COMMAND`; none if the text is not one. Fails with what is wrong with the command.
    pub fn parse(text: &str) -> Option<Result<CommandSubject, String>> {
        let (label, command) = text.split_once('=')?;
        if label.is_empty() || label.contains(char::is_whitespace) {
            return Some(Err("expected LABEL=COMMAND, with a label without spaces".to_string()));
        }
        Some(Template::parse(command).map(|template| CommandSubject {
            name: label.to_string(),
            definition: text.to_string(),
            template,
        }))
    }

    fn driver(&self, case: &Case, imports: &[Import], actions: &[Action]) -> Result<Driver, String> {
        let exports = if self.template.names_the_function() { Exports::All } else { Exports::TheCall };
        Driver::new(case, imports, actions, exports)
    }

    fn run(&self, driver: &Driver) -> Ended {
        let file = match Scratch::write(&driver.wasm) {
            Ok(file) => file,
            Err(error) => return Ended::Resources(format!("cannot write a module for a command: {error}")),
        };
        let mut command = self.template.command(&driver.name, &file.path);
        match process::run(&mut command, limit()) {
            Ok(finished) => ended(&finished, driver.integers()),
            Err(error) => Ended::Resources(format!("cannot start `{}`: {error}", self.template.program)),
        }
    }

    /// What the command shows of the actions of a plan.
    fn outcomes(&self, prepared: &Prepared<'_>, plan: &Plan) -> Result<Vec<Outcome>, Outcome> {
        let imports = match &prepared.modules[0] {
            Ok(module) => module.imports(),
            Err(error) => return Err(Outcome::Link(error.to_string())),
        };
        let drive =
            |actions: &[Action]| self.driver(prepared.case, imports, actions).map_err(Outcome::Unsupported);
        let actions = &prepared.case.actions;
        let quiet = drive(&actions[..plan.returning])?;
        let mut outcomes = Vec::with_capacity(plan.returning + 1);
        if let Ended::Values(integers) = self.run(&quiet)
            && let Some(values) = quiet.values(&integers)
        {
            outcomes.extend(values.into_iter().map(Outcome::Values));
            if !plan.ends_in_a_trap {
                return Ok(outcomes);
            }
        }
        // One that should return did not, or one that should not comes last: which, and how?
        for end in outcomes.len() + 1..=plan.returning + usize::from(plan.ends_in_a_trap) {
            let driver = drive(&actions[..end])?;
            let outcome = match self.run(&driver) {
                Ended::Values(integers) => {
                    let values = driver.values(&integers).ok_or_else(|| strange(&integers))?;
                    Outcome::Values(values.into_iter().next_back().expect("there is an action"))
                }
                Ended::Trap(kind) => Outcome::trap(kind, None),
                Ended::Crash(message) => Outcome::Crash(message),
                Ended::Hang => Outcome::Hang(format!("not done in {} s", limit().as_secs_f64())),
                Ended::Resources(message) => Outcome::Resources(message),
                Ended::Unclear(message) => {
                    return Err(Outcome::Unsupported(format!("the command says: {message}")));
                }
            };
            let is_last = !matches!(outcome, Outcome::Values(_));
            outcomes.push(outcome);
            if is_last {
                break;
            }
        }
        Ok(outcomes)
    }
}

impl Subject for CommandSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { nan_bits: true, ..Capabilities::NONE }
    }

    /// It is not asked for what ran out of fuel.
    fn ends_by_itself(&self) -> bool {
        true
    }

    fn observe(&self, prepared: &Prepared<'_>, _: Capture, watch: &mut dyn Watch) -> Observation {
        watch.begins(0);
        let plan = Plan::of(prepared);
        let outcomes = match plan {
            Ok(plan) => self.outcomes(prepared, &plan),
            Err(why) => Err(Outcome::Unsupported(why)),
        };
        let outcomes = outcomes.unwrap_or_else(|outcome| vec![outcome]);
        let mut actions = Vec::with_capacity(outcomes.len());
        for (number, outcome) in outcomes.into_iter().enumerate() {
            if number > 0 {
                watch.begins(number);
            }
            let observed = ActionObservation::last(outcome);
            watch.ended(&observed);
            actions.push(observed);
        }
        Observation { actions }
    }
}

/// What to make of as many numbers as were expected that are not the call's.
fn strange(integers: &[u64]) -> Outcome {
    let numbers: Vec<String> = integers.iter().map(u64::to_string).collect();
    Outcome::Unsupported(format!("the command does not call the function; it prints {}", numbers.join(" ")))
}

/// How far a case can be asked of a command.
struct Plan {
    /// Actions that return and call no host, from the first on.
    returning: usize,
    /// Whether the next one traps, without a host.
    ends_in_a_trap: bool,
}

impl Plan {
    /// The plan for a case, by what the reference shows. Fails with why nothing of it can be asked.
    fn of(prepared: &Prepared<'_>) -> Result<Plan, String> {
        let case: &Case = prepared.case;
        if case.modules.len() != 1 {
            return Err("a command takes one module".into());
        }
        let reference = Mode::all().next().expect("there is a mode");
        let reference = LaneSubject::new(Lane::plain(reference));
        let shown = reference.observe(prepared, Capture::Digest, &mut Unwatched);
        let mut plan = Plan { returning: 0, ends_in_a_trap: false };
        for (number, (action, seen)) in case.actions.iter().zip(&shown.actions).enumerate() {
            let is_instantiation = matches!(action, Action::Instantiate { .. });
            if seen.host_calls.count > 0 || is_instantiation != (number == 0) {
                break;
            }
            match &seen.outcome {
                Outcome::Values(_) => plan.returning += 1,
                Outcome::Trap(trap) => {
                    let exhausted = [TrapKind::OutOfFuel, TrapKind::CallStackExhausted];
                    plan.ends_in_a_trap = !exhausted.contains(&trap.kind);
                    break;
                }
                Outcome::Link(_)
                | Outcome::Limit(_)
                | Outcome::Unsupported(_)
                | Outcome::Resources(_)
                | Outcome::Crash(_)
                | Outcome::Hang(_) => break,
            }
        }
        if plan.returning == 0 && !plan.ends_in_a_trap {
            return Err("nothing happens before the host is called or something runs out".into());
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_command_is_said() {
        assert!(CommandSubject::parse("wasmi").is_none());
        let wrong =
            |text: &str| CommandSubject::parse(text).expect("there is a `=`").expect_err("it is wrong");
        assert!(wrong("x=true NAME").contains("expected the word FILE"));
        assert!(wrong("=true NAME FILE").contains("LABEL"));
        assert_eq!(
            wrong("x=no-such-program-anywhere NAME FILE"),
            "there is no program `no-such-program-anywhere`"
        );
    }
}
