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
mod presets;
mod process;
mod said;
pub(crate) mod scratch;
mod template;
mod watchdog;

use super::probe::features::{self, Executed, Probe};
use super::{Capabilities, Lane, LaneSubject, Prepared, ScriptRun, Subject, Unwatched, Watch};
use crate::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crate::generate::Features;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crosscheck_engine::{Import, Mode, TrapKind};
use driver::{Driver, Exports};
use said::{Ended, ended};
use scratch::{Ending, Scratch};
use std::convert::Infallible;
use std::sync::OnceLock;
use std::time::Duration;
use template::Template;
use wasmparser::{Validator, WasmFeatures};

pub(crate) use presets::presets;

/// What a command begins with that names a preset.
const PRESET: &str = "preset:";

/// The environment variable that tells a worker how many milliseconds a command may take.
pub(crate) const LIMIT_VARIABLE: &str = "CROSSCHECK_COMMAND_MS";
/// The part of the time for an action that a command may take: so its hang is the outcome of an action, and not the
/// death of the worker that waits for it.
const LIMIT_PART: u32 = 8;

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
    /// What it executes, once that was asked.
    executed: OnceLock<Executed>,
}

impl CommandSubject {
    /// The engine of that label and command, which may be `preset:NAME` or `preset:NAME PROGRAM`. Fails with what is
    /// wrong with the command.
    pub fn new(label: &str, command: &str) -> Result<CommandSubject, String> {
        let template = match command.strip_prefix(PRESET) {
            Some(preset) => Template::parse(&presets::command(preset)?)?,
            None => Template::parse(command)?,
        };
        let (name, definition) = (label.to_string(), format!("{label}={command}"));
        Ok(CommandSubject { name, definition, template, executed: OnceLock::new() })
    }

    /// The engine of a preset, which is found by its name. Fails if its program is not there.
    pub fn of_preset(name: &str) -> Result<CommandSubject, String> {
        Ok(CommandSubject {
            definition: name.to_string(),
            ..CommandSubject::new(name, &format!("{PRESET}{name}"))?
        })
    }

    /// What it executes: what was claimed or found out before in this run, else what it says when it is asked.
    fn executed(&self) -> &Executed {
        self.executed.get_or_init(|| {
            if let Some(names) = scratch::shared(&self.definition) {
                return executed_of(&names);
            }
            let works = |probe: &Probe| Ok::<bool, Infallible>(self.works(probe));
            let Ok(executed) = Executed::ask(works);
            // Other processes of the run need not ask again; that they must is no reason to fail.
            let _ = scratch::share(&self.definition, &names_of(executed.reads));
            executed_of(&names_of(executed.reads))
        })
    }

    fn works(&self, probe: &Probe) -> bool {
        let invoke = Action::Invoke { module: 0, export: features::EXPORT.to_string(), args: Vec::new() };
        let case = Case {
            modules: vec![CaseModule { name: "probe".into(), wasm: probe.wasm() }],
            hosts: HostPlan { seed: 0, trap_one_in: 0 },
            actions: vec![Action::Instantiate { module: 0 }, invoke],
            limits: Limits::default(),
        };
        let Ok(driver) = self.driver(&case, &[], &case.actions) else { return false };
        let Ended::Values(integers) = self.run(&driver) else { return false };
        let answers = driver.values(&integers);
        answers.is_some_and(|values| values.concat() == [Value::I32(features::ANSWER)])
    }

    /// What it shows that a command said something else than was asked: that it refuses the module or, if it
    /// instantiates it, something that is not understood. `returns` says whether instantiation returns.
    fn unclear(&self, case: &Case, imports: &[Import], returns: bool, said: &str) -> Outcome {
        let idle = self.driver(case, imports, &[]).map(Driver::without_start);
        let Ok(idle) = idle else { return Outcome::Unsupported(format!("the command says: {said}")) };
        if !returns || matches!(self.run(&idle), Ended::Values(integers) if idle.values(&integers).is_some())
        {
            return Outcome::Unclear(format!("the command instantiates the module, then says: {said}"));
        }
        if Validator::new_with_features(self.executed().reads).validate_all(&idle.wasm).is_err() {
            return Outcome::Unsupported(format!("the command says: {said}"));
        }
        let lower = said.to_lowercase();
        if LIMITS.iter().any(|word| lower.contains(word)) {
            return Outcome::Limit(said.to_string());
        }
        Outcome::Link(format!("the command refuses a valid module: {said}"))
    }

    fn driver(&self, case: &Case, imports: &[Import], actions: &[Action]) -> Result<Driver, String> {
        let exports = if self.template.names_the_function() { Exports::All } else { Exports::TheCall };
        Driver::new(case, imports, actions, exports)
    }

    fn run(&self, driver: &Driver) -> Ended {
        let file = match Scratch::write(&driver.wasm, Ending::Wasm) {
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
                    let returns = plan.returning > 0;
                    return Err(self.unclear(prepared.case, imports, returns, &message));
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

    fn features(&self) -> Features {
        self.executed().makes.clone()
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

    fn run_script(&self, script: &str) -> Option<ScriptRun> {
        let template = Template::of_script(&scratch::shared(&runner_of(&self.definition))?).ok()?;
        let file = match Scratch::write(script.as_bytes(), Ending::Wast) {
            Ok(file) => file,
            Err(error) => {
                return Some(ScriptRun::NotRun(format!("cannot write a script for a command: {error}")));
            }
        };
        // A whole script may take as long as an action elsewhere.
        Some(match process::run(&mut template.of_file(&file.path), limit() * LIMIT_PART) {
            Ok(finished) => said::of_script(&finished),
            Err(error) => ScriptRun::NotRun(format!("cannot start `{}`: {error}", template.program)),
        })
    }
}

/// Says which command runs whole scripts for the engine of a definition, in all processes of the run. Fails with what is
/// wrong with the command, or if there is no room for it.
pub(crate) fn run_scripts_by(definition: &str, command: &str) -> Result<(), String> {
    Template::of_script(command)?;
    scratch::share(&runner_of(definition), command).map_err(|error| error.to_string())
}

/// Under which name the command is noted that runs scripts for the engine of a definition.
fn runner_of(definition: &str) -> String {
    format!("scripts of {definition}")
}

/// Says what the engine of a definition executes, for all processes of the run. Fails if there is no room for it.
pub(crate) fn claim(definition: &str, reads: WasmFeatures) -> Result<(), String> {
    scratch::share(definition, &names_of(reads)).map_err(|error| error.to_string())
}

/// The names of proposals, a line each.
fn names_of(reads: WasmFeatures) -> String {
    let executed = features::probes().iter().filter(|probe| reads.contains(probe.feature));
    executed.map(|probe| format!("{}\n", probe.name)).collect()
}

/// What an engine executes that has the proposals of these names.
fn executed_of(names: &str) -> Executed {
    let named = features::probes().iter().filter(|probe| names.lines().any(|name| name == probe.name));
    let reads = named.fold(WasmFeatures::WASM1, |reads, probe| reads | probe.feature);
    // The one module of a driver plays the host itself, so who calls it must be known from the module.
    Executed { reads, makes: Features { shared_hosts: false, ..Features::within(reads) } }
}

/// What engines say of modules that go beyond what they are built for (specification, appendix "Implementation
/// Limitations").
const LIMITS: [&str; 6] = ["limit", "too many", "too large", "too big", "exceed", "maximum"];

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
                | Outcome::Unclear(_)
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
    #[test]
    fn what_is_wrong_with_a_command_is_said() {
        let wrong = |text: &str| super::super::named(text).err().expect("it is wrong");
        assert!(wrong("x=true NAME").contains("expected the word FILE"));
        assert!(wrong("=true NAME FILE").contains("LABEL"));
        assert_eq!(wrong("interp=true FILE"), "`interp` is a mode of this program; another label is needed");
        assert!(wrong("baseline+lazy=true FILE").contains("is a mode of this program"));
        assert_eq!(wrong("v8=true FILE"), "`v8` is another engine's name here; another label is needed");
        assert!(wrong("x=preset:wasm5").contains("there is no preset `wasm5`; there is wasmtime"));
        assert_eq!(wrong("x=preset:wasm3 no-such-program"), "there is no program `no-such-program`");
        assert_eq!(
            wrong("x=no-such-program-anywhere NAME FILE"),
            "there is no program `no-such-program-anywhere`"
        );
    }
}
