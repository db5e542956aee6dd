//! `replay`: one file, side by side, mode by mode.

mod show;

use super::input::{self, Input};
use super::{Common, Done, Exit, Failure, argument, did_you_mean, named_hosts, show, show_error, stop_flag};
use crate::case::{Action, Case};
use crate::compare::{Compared, Divergence, Verdict};
use crate::corpus::finding::Record;
use crate::guard::guarded;
use crate::localise::{self, Localisation};
use crate::observe::{Capture, Outcome};
use crate::report::header::Header;
use crate::report::{self, Clock};
use crate::run::Ground;
use crate::subject::{Prepared, Task};
use crate::trial::{CaseRun, observed_json, run_task};
use clap::Args;
use crosscheck_engine::{Config, Engine, ExternType, Mode, Module, Shown, TrapKind, ValType};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use wasmparser::{Parser, Payload};

/// Options of `replay`.
#[derive(Args)]
pub struct Replay {
    /// Modules (.wasm, .wat), scripts (.wast), findings (folders) or cases (.xchk)
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The fuzz target whose artifacts or corpus files they are
    #[arg(long)]
    target: Option<String>,
    /// What hosts, calls and arguments of a bare module derive from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The one function of a bare module to call and its arguments, as `run` takes them
    #[arg(long, num_args = 1.., allow_negative_numbers = true, value_names = ["NAME", "ARG"], conflicts_with = "seed")]
    invoke: Vec<String>,
    /// Built-in host functions that a bare module imports by name, as `run` takes them
    #[arg(long)]
    host: Vec<String>,
    /// Fuel for each action; default: what the case says, and for a bare module 10,000,000
    #[arg(long)]
    fuel: Option<u64>,
    /// Also find the instruction at which the subjects of a case first part
    #[arg(long)]
    localise: bool,
    #[command(flatten)]
    common: Common,
}

impl Replay {
    /// Replays every file; the worst outcome counts, and a file that cannot be replayed does not keep others from it.
    pub fn run(&self) -> Done {
        let one_report = self.common.json.is_some() || self.common.junit.is_some();
        if self.files.len() > 1 && one_report {
            return Err(Failure::Usage("--json and --junit take the results of one file".into()));
        }
        let stop = stop_flag()?;
        let mut worst = Exit::Green;
        for file in &self.files {
            let exit = match self.file(file, &stop) {
                Ok(exit) => exit,
                Err(failure) if self.files.len() == 1 => return Err(failure),
                Err(failure) => {
                    let (message, exit) = failure.told();
                    show_error(&message);
                    exit
                }
            };
            worst = worst.worse(exit);
            if stop.load(Ordering::Relaxed) {
                return Ok(Exit::Interrupted);
            }
        }
        Ok(worst)
    }

    fn file(&self, file: &Path, stop: &AtomicBool) -> Done {
        let refused = |option: &str, what: &str| {
            Failure::Usage(format!("{option}: {} is {what}, which says so itself", file.display()))
        };
        match input::read_for(file, self.target.as_deref())? {
            Input::Script(_) if self.fuel.is_some() => Err(refused("--fuel", "a script")),
            Input::Script(_) | Input::Case(_) if !self.host.is_empty() => {
                Err(refused("--host", "a script or a case"))
            }
            Input::Script(_) | Input::Case(_) if !self.invoke.is_empty() => {
                Err(refused("--invoke", "a script or a case"))
            }
            Input::Script(text) => super::spec::replay_script(file, text, &self.common),
            Input::Module(wasm) if self.invoke.is_empty() => {
                let wasm = input::for_judges(file, wasm, self.common.has_judges())?;
                self.case(file, self.module_case(file, wasm)?, stop)
            }
            Input::Module(wasm) => {
                let wasm = input::for_judges(file, wasm, self.common.has_judges())?;
                let call = self.call(file, &wasm)?;
                let mut case = self.module_case(file, wasm)?;
                case.actions = vec![Action::Instantiate { module: 0 }, call];
                self.case(file, case, stop)
            }
            Input::Case(case) => self.case(file, case, stop),
        }
    }

    fn module_case(&self, file: &Path, wasm: Vec<u8>) -> Result<Case, Failure> {
        let mut case = input::module_case(file, wasm, self.seed)?;
        case.hosts.named = named_hosts(&self.host)?;
        Ok(case)
    }

    /// The call that `--invoke` asks for.
    fn call(&self, file: &Path, wasm: &[u8]) -> Result<Action, Failure> {
        let (name, args) = self.invoke.split_first().expect("the option takes a name at least");
        let engine = Engine::new(&Config::new(Mode::Interp));
        let wrong = |what: String| Failure::Usage(format!("{}: {what}", file.display()));
        let module = guarded(|| Module::decode(&engine, wasm))
            .map_err(|panic| wrong(format!("decoding panics: {panic}")))?
            .map_err(|error| wrong(error.to_string()))?;
        let exports: Vec<(String, Vec<ValType>)> = module
            .exports()
            .filter_map(|(name, ty)| match ty {
                ExternType::Func(id) => Some((name.to_string(), module.func_type(id).params().to_vec())),
                _ => None,
            })
            .collect();
        let Some((_, params)) = exports.iter().find(|(export, _)| export == name) else {
            let there_is = did_you_mean(name, exports.iter().map(|(name, _)| name.as_str()));
            return Err(wrong(format!("no exported function is called `{}`; {there_is}", Shown(name))));
        };
        let args = argument::parse_all(name, args, params)
            .map_err(|error| Failure::Usage(format!("--invoke: {error}")))?;
        Ok(Action::Invoke { module: 0, export: name.clone(), args })
    }

    fn case(&self, file: &Path, mut case: Case, stop: &AtomicBool) -> Done {
        if self.fuel.is_some() {
            case.limits.fuel = self.fuel;
        }
        let case = &case;
        // Where decoding panics, that is what every subject will show.
        let invalid = guarded(|| {
            let prepared = Prepared::new(case);
            prepared.invalid().map(|(module, error)| (module, error.to_string()))
        });
        if let Ok(Some((module, error))) = invalid {
            let module = if case.modules.len() > 1 { format!("module {module}: ") } else { String::new() };
            return Err(Failure::Usage(format!("{}: {module}{error}", file.display())));
        }
        // A replay shows every mode as it is; lots are for campaigns, and for what they found.
        let subjects = self.common.subjects_for(file, self.target.as_ref().map(|_| case))?;
        let clock = Clock::start();
        let field = self.common.field()?;
        let ground = field.ground().until(stop, None);
        if self.common.tells_of_unfit(ground, &subjects)? {
            return Ok(Exit::NothingRan);
        }
        let task = Task { case: case.clone(), subjects };
        let run = match run_task(ground, &task, Capture::Full) {
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(Exit::Interrupted),
            run => run.map_err(Failure::Bench)?,
        };
        show(show::render(file, &task, &run));
        let localised = match &run.verdict {
            Verdict::Diverge(divergence) if self.localise => Some(localised(ground, &task, divergence, stop)),
            Verdict::Diverge(_) | Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
        };
        match &localised {
            Some(Ok(place)) => show(format_args!("  {}", place.to_string().replace('\n', "\n  "))),
            Some(Err(why)) => show(format_args!("  not localised: {why}")),
            None => {}
        }
        let exit = exit(file, case, &run)?;
        let worker = field.worker_json(&self.common);
        drop(field);
        if let Some(path) = &self.common.json {
            let names: Vec<String> = run.observations.iter().map(|(name, _)| name.clone()).collect();
            let header = Header::new(names, self.common.shard, &clock.stop(), true);
            let header = Header { worker, ..header };
            let (case, localised) = (case_json(case, &run), localised.and_then(Result::ok));
            report::write_json(path, &Replayed { header, case, localised }).map_err(Failure::Bench)?;
        }
        Ok(exit)
    }
}

/// How a replay ends. Agreement is worth something only if something ran, with every judge that was asked for; what is
/// missing is shown. A finding that does not show again is not green either.
fn exit(file: &Path, case: &Case, run: &CaseRun) -> Done {
    let recorded =
        if file.is_dir() { Some(Record::load(file).map_err(Failure::Usage)?.fingerprint) } else { None };
    if let Some(recorded) = recorded {
        let now = match &run.verdict {
            Verdict::Agree => "agree".to_string(),
            Verdict::Diverge(now) if now.fingerprint().to_string() == recorded => return Ok(Exit::Failures),
            Verdict::Diverge(now) => format!("diverge: {}", now.fingerprint()),
            Verdict::Inconclusive(reason) => format!("inconclusive: {reason}"),
            Verdict::Invalid => "invalid".to_string(),
        };
        show(format_args!("  recorded: diverge: {recorded}; now: {now}"));
        let differs = matches!(run.verdict, Verdict::Diverge(_));
        return Ok(if differs { Exit::Failures } else { Exit::NothingRan });
    }
    match &run.verdict {
        Verdict::Diverge(_) => return Ok(Exit::Failures),
        Verdict::Inconclusive(_) | Verdict::Invalid => return Ok(Exit::NothingRan),
        Verdict::Agree => {}
    }
    let mut missing: Vec<String> = nothing_ran(case, run).into_iter().collect();
    for (judge, compared) in &run.compared {
        missing.extend(match compared {
            Compared::Actions(0, _) => Some(format!("{judge} was compared on no action")),
            Compared::Unsupported(why) | Compared::Unclear(why) => {
                Some(format!("{judge} was not compared: {why}"))
            }
            Compared::Failed => Some(format!("{judge} was not compared, for a subject failed")),
            Compared::Actions(..) => None,
        });
    }
    for line in &missing {
        show(format_args!("  no evidence: {line}"));
    }
    Ok(if missing.is_empty() { Exit::Green } else { Exit::NothingRan })
}

/// Why agreement says nothing: no code of the case ran to an end on the reference. None if some did.
pub fn nothing_ran(case: &Case, run: &CaseRun) -> Option<String> {
    let (_, reference) = run.observations.first()?;
    let (mut calls, mut out_of_fuel, mut refused) = (0, 0, None);
    for (action, seen) in case.actions.iter().zip(&reference.actions) {
        let is_code = match action {
            Action::Invoke { .. } => true,
            Action::Instantiate { module } => has_start(&case.modules[*module as usize].wasm),
            Action::Read { .. } => false,
        };
        calls += u32::from(is_code);
        match &seen.outcome {
            Outcome::Trap(trap) if trap.kind == TrapKind::OutOfFuel => out_of_fuel += u32::from(is_code),
            Outcome::Values(_) | Outcome::Trap(_) | Outcome::Exception { .. } if is_code => return None,
            other if matches!(action, Action::Instantiate { .. }) => {
                let failed = !matches!(other, Outcome::Values(_));
                refused = refused.or(failed.then(|| other.describe()));
            }
            _ => {}
        }
    }
    Some(match refused {
        Some(why) => format!("the module was not instantiated, so nothing was called ({why})"),
        None if calls == 0 => {
            "nothing was called: the module exports no function that can be called from outside".into()
        }
        None if out_of_fuel > 0 => "every call ran out of fuel; --fuel N gives more".into(),
        None => "no call was made".into(),
    })
}

/// Whether instantiating a module calls a function of it.
fn has_start(wasm: &[u8]) -> bool {
    let mut payloads = Parser::new(0).parse_all(wasm);
    payloads.any(|payload| matches!(payload, Ok(Payload::StartSection { .. })))
}

/// The verdict and what each subject showed, as JSON.
fn case_json(case: &Case, run: &CaseRun) -> Json {
    let (verdict, divergence) = match &run.verdict {
        Verdict::Agree => ("agree", None),
        Verdict::Diverge(divergence) => ("diverge", Some(divergence)),
        Verdict::Inconclusive(_) => ("inconclusive", None),
        Verdict::Invalid => ("invalid", None),
    };
    json!({
        "verdict": verdict,
        "fingerprint": divergence.map(|divergence| divergence.fingerprint().to_string()),
        "first_difference": divergence.map(|divergence| divergence.first.to_string()),
        "subjects": observed_json(&run.testimonies(), case),
    })
}

/// A replay as JSON.
#[derive(Serialize)]
struct Replayed {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    case: Json,
    localised: Option<Localisation>,
}

/// Where the subjects of a task first part.
fn localised(
    ground: Ground<'_>,
    task: &Task,
    divergence: &Divergence,
    stop: &AtomicBool,
) -> Result<Localisation, String> {
    let parties = localise::parties(divergence, &task.subjects);
    let [reference, guilty] = parties.ok_or("all fail alike, so there is none to hold another against")?;
    localise::localise(ground, &task.case, &reference, &guilty, stop)
}
