//! Any engine with a command line as a subject: `--with 'iwasm=iwasm -f NAME FILE'`.
//!
//! Such a command instantiates a file and calls one function, and that is all there is: no second call on the instance,
//! no host of ours, no look at memories. So a case is rewritten ([`driver`]) to one module with one call that makes all its calls,
//! gives arguments as constants and takes results as bits. Host functions become code that does what the host did
//! ([`play`]), for the reference runs the case first.
//!
//! The reference also says how far a case can be asked ([`plan`]): up to where fuel or stack run out, or the host
//! traps, and after a trap only if that changed nothing. The observation ends there ([`Capabilities::to_the_end`]). What
//! the rewritten module does is held against the case in this process, so that a rewriting that is wrong is never
//! taken for a difference.

mod driver;
mod plan;
mod play;
mod presets;
mod process;
mod said;
pub(crate) mod scratch;
mod template;
mod watchdog;

use super::probe::features::{self, Executed, Probe};
use super::{Capabilities, Prepared, ScriptRun, Subject, Unwatched, Watch};
use crate::case::{Action, Case, CaseModule, HostPlan, Limits, RefValue, Value};
use crate::features::Features;
use crate::hosts::Played;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crosscheck_engine::{Import, TrapKind};
use driver::{Driven, Driver, Exports, Step};
use plan::Plan;
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

/// How long an action may take in this process.
pub(crate) fn action_limit() -> Duration {
    limit() * LIMIT_PART
}

/// How long an action may take unless the user says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Ends what commands of this process left. To be called last; no command must be under way.
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
            hosts: HostPlan::new(0, 0),
            actions: vec![Action::Instantiate { module: 0 }, invoke],
            limits: Limits::default(),
        };
        let steps: Vec<Step<'_>> = case.actions.iter().map(|action| Step { action, host_calls: 0 }).collect();
        let Ok(driver) = self.driver(&case, &[], &steps, &[]) else { return false };
        let Ended::Values(integers) = self.run(&driver) else { return false };
        let answer = driver.driven(&integers).pop().map(|driven| driven.values);
        answer == Some(vec![Value::I32(features::ANSWER)])
    }

    fn driver(
        &self,
        case: &Case,
        imports: &[Import],
        steps: &[Step<'_>],
        played: &[Played],
    ) -> Result<Driver, String> {
        let exports = if self.template.names_the_function() { Exports::All } else { Exports::TheCall };
        Driver::new(case, imports, steps, played, exports)
    }

    fn run(&self, driver: &Driver) -> Ended {
        // The watchdog comes first, so that there is never a file that it does not know of.
        let file = match watchdog::ready().and_then(|()| Scratch::write(&driver.wasm, Ending::Wasm)) {
            Ok(file) => file,
            Err(error) => return Ended::Resources(format!("cannot write a module for a command: {error}")),
        };
        let mut command = self.template.command(&driver.name, &file.path);
        match process::run(&mut command, limit()) {
            Ok(finished) => ended(&finished, driver.integers(), Driver::is_done),
            Err(error) => Ended::Resources(format!("cannot start `{}`: {error}", self.template.program)),
        }
    }

    /// What the command shows of the actions of a plan; tells `watch` of each process.
    fn observe_plan(&self, plan: &Plan, watch: &mut dyn Watch) -> Result<Vec<ActionObservation>, Outcome> {
        let prepared = Prepared::new(&plan.case);
        let imports = match &prepared.modules[0] {
            Ok(module) => module.imports(),
            Err(error) => {
                return Err(Outcome::Unsupported(format!("the case as one module is invalid: {error}")));
            }
        };
        let asked = Asked { subject: self, plan, imports };
        let mut observed: Vec<Option<ActionObservation>> = vec![None; plan.turns.len()];
        let quiet = asked.question(&plan.quiet_steps(), None)?;
        if let Ended::Values(integers) = self.run(&quiet.driver) {
            let returning = plan.turns.iter().enumerate().filter(|(_, turn)| turn.returns());
            let driven = quiet.driver.driven(&integers).into_iter().zip(&quiet.expected);
            for ((number, turn), (driven, expected)) in returning.zip(driven) {
                observed[number] = Some(plan.observed(turn, driven, Some(expected)));
            }
        }
        // One that should return did not, or one that should not: which, and how?
        for (number, turn) in plan.turns.iter().enumerate() {
            if observed[number].is_some() {
                continue;
            }
            watch.begins(turn.action);
            let seen = asked.turn(number)?;
            let is_last = turn.returns() && !matches!(seen.outcome, Outcome::Values(_))
                || seen.outcome.failure().is_some();
            observed[number] = Some(seen);
            if is_last {
                observed.truncate(number + 1);
                break;
            }
        }
        Ok(observed.into_iter().flatten().collect())
    }
}

/// A plan under way.
struct Asked<'a> {
    subject: &'a CommandSubject,
    plan: &'a Plan,
    imports: &'a [Import],
}

/// A driver, and what it does in the reference.
struct Question {
    driver: Driver,
    /// What each of its actions does; nothing if one of them does not return.
    expected: Vec<Driven>,
}

impl Asked<'_> {
    /// The driver of these steps, of which the last one may trap so. Fails if what they do in one module is not what they
    /// do in the case: then nothing would follow from it.
    fn question(&self, steps: &[Step<'_>], trap: Option<TrapKind>) -> Result<Question, Outcome> {
        let Plan { case, played, .. } = self.plan;
        let driver = self.subject.driver(case, self.imports, steps, played).map_err(Outcome::Unsupported)?;
        let fuel =
            case.limits.fuel.map(|fuel| fuel.saturating_mul(steps.len() as u64 + 1).saturating_add(1 << 20));
        let invoke = Action::Invoke { module: 0, export: driver.name.clone(), args: Vec::new() };
        let limits =
            Limits { fuel, depth_slots: case.limits.depth_slots.saturating_add(1 << 12), ..case.limits };
        let driving = Case {
            modules: vec![CaseModule { name: "driver".into(), wasm: driver.wasm.clone() }],
            actions: vec![Action::Instantiate { module: 0 }, invoke],
            limits,
            ..case.clone()
        };
        let seen = plan::reference().observe(&Prepared::new(&driving), Capture::Digest, &mut Unwatched);
        let last = seen.actions.last().map(|action| &action.outcome);
        let expected = match last {
            Some(Outcome::Values(values)) if seen.actions.len() == 2 => driver.driven(&integers_of(values)),
            _ => Vec::new(),
        };
        let turns = self.plan.turns.iter().filter(|turn| turn.returns());
        let is_as_seen = expected.iter().zip(turns).all(|(driven, turn)| {
            matches!(&turn.reference.outcome, Outcome::Values(values) if same_but_identity(values, &driven.values))
        });
        let ends_as_seen = match (trap, last) {
            (None, _) => expected.len() == steps.len() && is_as_seen,
            (Some(kind), Some(Outcome::Trap(trap))) => trap.kind == kind,
            (Some(_), _) => false,
        };
        if !ends_as_seen {
            return Err(Outcome::Unsupported("the case does something else in one module".into()));
        }
        Ok(Question { driver, expected })
    }

    /// What the command shows of a turn, after those before it that return.
    fn turn(&self, number: usize) -> Result<ActionObservation, Outcome> {
        let turn = &self.plan.turns[number];
        let Question { driver, expected } = self.question(&self.plan.steps_to(number), turn.trap())?;
        let with_calls = |outcome| ActionObservation {
            host_calls: turn.reference.host_calls.clone(),
            ..ActionObservation::last(outcome)
        };
        Ok(match self.subject.run(&driver) {
            Ended::Values(integers) => {
                let driven = driver.driven(&integers).pop().expect("there is an action");
                self.plan.observed(turn, driven, expected.last())
            }
            Ended::Strange(integers) => {
                let driven = driver.driven(&integers).pop().expect("there is an action");
                let seen = self.plan.observed(turn, driven, expected.last());
                // A wrong last number is a wrong answer; but if nothing else is wrong, it may be another program's.
                if seen.outcome == turn.reference.outcome {
                    return Err(strange(&integers));
                }
                seen
            }
            Ended::Trap(kind) => with_calls(Outcome::trap(kind, None)),
            Ended::Crash(message) => with_calls(Outcome::Crash(message)),
            Ended::Hang => with_calls(Outcome::Hang(format!("not done in {} s", limit().as_secs_f64()))),
            Ended::Resources(message) => with_calls(Outcome::Resources(message)),
            Ended::Unclear(message) => return Err(self.unclear(turn.returns() || turn.action > 0, &message)),
        })
    }

    /// What it shows that a command said something else than was asked: that it refuses the module or, if it
    /// instantiates it, something that is not understood. `returns` says whether instantiation returns.
    fn unclear(&self, returns: bool, said: &str) -> Outcome {
        let Plan { case, played, .. } = self.plan;
        let idle = self.subject.driver(case, self.imports, &[], played).map(Driver::without_start);
        let Ok(idle) = idle else { return Outcome::Unsupported(format!("the command says: {said}")) };
        if !returns || matches!(self.subject.run(&idle), Ended::Values(_)) {
            return Outcome::Unclear(format!("the command instantiates the module, then says: {said}"));
        }
        if Validator::new_with_features(self.subject.executed().reads).validate_all(&idle.wasm).is_err() {
            return Outcome::Unsupported(format!("the command says: {said}"));
        }
        let lower = said.to_lowercase();
        if LIMITS.iter().any(|word| lower.contains(word)) {
            return Outcome::Limit(said.to_string());
        }
        Outcome::Link(format!("the command refuses a valid module: {said}"))
    }
}

/// The integers that a driver gives in this process.
fn integers_of(values: &[Value]) -> Vec<u64> {
    let integer = |value: &Value| match value {
        Value::I32(bits) => u64::from(*bits),
        Value::I64(bits) => *bits,
        Value::F32(_) | Value::F64(_) | Value::V128(_) | Value::Ref(_) => {
            unreachable!("drivers give integers")
        }
    };
    values.iter().map(integer).collect()
}

/// Whether two are the same, as far as integers tell: of references only whether they are null.
fn same_but_identity(a: &[Value], b: &[Value]) -> bool {
    let is_null = |value: &RefValue| matches!(value, RefValue::Null(_));
    let same = |(a, b): (&Value, &Value)| match (a, b) {
        (Value::Ref(a), Value::Ref(b)) => is_null(a) == is_null(b),
        (a, b) => a == b,
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
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

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        watch.begins(0);
        let plan = Plan::of(prepared, capture).map_err(Outcome::Unsupported);
        let observed = plan.and_then(|plan| {
            let surplus = plan.instantiations - 1;
            // Where there are several modules, the first of them were instantiated with the last.
            let earlier = vec![ActionObservation::last(Outcome::Values(Vec::new())); surplus];
            Ok([earlier, self.observe_plan(&plan, &mut Shifted { watch, by: surplus })?].concat())
        });
        let actions = observed.unwrap_or_else(|outcome| vec![ActionObservation::last(outcome)]);
        for (number, observed) in actions.iter().enumerate() {
            if number > 0 {
                watch.begins(number);
            }
            watch.ended(observed);
        }
        Observation { actions }
    }

    fn run_script(&self, script: &str) -> Option<ScriptRun> {
        let template = Template::of_script(&scratch::shared(&runner_of(&self.definition))?).ok()?;
        let file = match watchdog::ready().and_then(|()| Scratch::write(script.as_bytes(), Ending::Wast)) {
            Ok(file) => file,
            Err(error) => {
                return Some(ScriptRun::NotRun(format!("cannot write a script for a command: {error}")));
            }
        };
        // A whole script may take as long as an action elsewhere.
        Some(match process::run(&mut template.of_file(&file.path), action_limit()) {
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

/// Hears of actions of a plan, and tells of actions of the case.
struct Shifted<'a> {
    watch: &'a mut dyn Watch,
    by: usize,
}

impl Watch for Shifted<'_> {
    fn begins(&mut self, action: usize) {
        self.watch.begins(action + self.by);
    }

    fn ended(&mut self, observed: &ActionObservation) {
        self.watch.ended(observed);
    }
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
