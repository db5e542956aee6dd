//! `replay`: one file, side by side, mode by mode.

use super::input::{self, Input};
use super::{Common, Done, Exit, Failure, show, stop_flag};
use crate::case::{Action, Case};
use crate::compare::{Divergence, Verdict};
use crate::localise::{self, Localisation};
use crate::observe::{Capture, HostCall, Observation, Outcome, State};
use crate::report::header::Header;
use crate::report::{self, Clock};
use crate::run::{CaseRun, Ground, Task, run_task};
use crate::subject::Prepared;
use clap::Args;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    /// Also find the instruction at which the subjects of a case first part
    #[arg(long)]
    localise: bool,
    #[command(flatten)]
    common: Common,
}

impl Replay {
    /// Replays every file; the worst outcome counts.
    pub fn run(&self) -> Done {
        let mut worst = Exit::Green;
        // Only a search takes long enough to be stopped with what there is.
        let stop = if self.localise { stop_flag()? } else { Arc::default() };
        for file in &self.files {
            let input = input::read_for(file, self.target.as_deref())?;
            let exit = match input {
                Input::Module(wasm) => {
                    let wasm = input::for_judges(file, wasm, !self.common.with.is_empty())?;
                    self.case(file, &input::module_case(file, wasm, self.seed)?, &stop)?
                }
                Input::Case(case) => self.case(file, &case, &stop)?,
                Input::Script(text) => super::spec::replay_script(file, text, &self.common)?,
            };
            if exit != Exit::Green {
                worst = exit;
            }
        }
        Ok(worst)
    }

    fn case(&self, file: &Path, case: &Case, stop: &AtomicBool) -> Done {
        if let Some((module, error)) = Prepared::new(case).invalid() {
            let module = if case.modules.len() > 1 { format!("module {module}: ") } else { String::new() };
            return Err(Failure::Usage(format!("{}: {module}{error}", file.display())));
        }
        // A replay shows every mode as it is; lots are for campaigns, and for what they found.
        let subjects = self.common.subjects_for(file, self.target.as_ref().map(|_| case))?;
        let clock = Clock::start();
        let field = self.common.field()?;
        let task = Task { case: case.clone(), subjects };
        let run = run_task(field.ground(), &task, Capture::Full).map_err(Failure::Bench)?;
        show(render(file, case, &run));
        let localised = match &run.verdict {
            Verdict::Diverge(divergence) if self.localise => {
                Some(localised(field.ground(), &task, divergence, stop))
            }
            Verdict::Diverge(_) | Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
        };
        match &localised {
            Some(Ok(place)) => show(format_args!("  {}", place.to_string().replace('\n', "\n  "))),
            Some(Err(why)) => show(format_args!("  not localised: {why}")),
            None => {}
        }
        let worker = field.worker_json(&self.common);
        drop(field);
        if let Some(path) = &self.common.json {
            let names: Vec<String> = run.observations.iter().map(|(name, _)| name.clone()).collect();
            let header = Header::new(names, self.common.shard, &clock.stop(), true);
            let header = Header { worker, ..header };
            let (case, localised) = (case_json(case, &run), localised.and_then(Result::ok));
            report::write_json(path, &Replayed { header, case, localised }).map_err(Failure::Bench)?;
        }
        Ok(match run.verdict {
            Verdict::Agree => Exit::Green,
            Verdict::Diverge(_) => Exit::Failures,
            Verdict::Inconclusive(_) | Verdict::Invalid => Exit::NothingRan,
        })
    }
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

/// An action as people read it.
fn action_text(action: &Action) -> String {
    match action {
        Action::Instantiate { module } => format!("instantiate module {module}"),
        Action::Invoke { export, args, .. } => {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            format!("invoke {export:?} {}", args.join(" ")).trim_end().to_string()
        }
        Action::Read { export, .. } => format!("read {export:?}"),
    }
}

/// The case side by side; a line where all agree, a line a subject where they differ.
fn render(file: &Path, case: &Case, run: &CaseRun) -> String {
    let mut lines = vec![format!("{}", file.display())];
    let first = match &run.verdict {
        Verdict::Diverge(divergence) => Some(divergence.first.action),
        Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
    };
    for (number, action) in case.actions.iter().enumerate() {
        let mark = if first == Some(number) { "≠" } else { " " };
        lines.push(format!("{mark} {number}: {}", action_text(action)));
        let shown: Vec<(&str, Vec<String>)> =
            run.observations.iter().map(|(name, seen)| (name.as_str(), action_lines(seen, number))).collect();
        let same = shown.windows(2).all(|pair| pair[0].1 == pair[1].1);
        if same {
            let all = shown.first().map(|(_, lines)| lines.clone()).unwrap_or_default();
            lines.extend(all.into_iter().map(|line| format!("      {line}")));
        } else {
            for (name, seen) in shown {
                lines.push(format!("    ≠ {name}"));
                lines.extend(seen.into_iter().map(|line| format!("      {line}")));
            }
        }
    }
    for name in &run.left_out {
        lines.push(format!("  {name} was left out: it counts no fuel, and the reference ran out of it"));
    }
    lines.push(verdict_text(&run.verdict));
    lines.join("\n")
}

fn action_lines(observation: &Observation, number: usize) -> Vec<String> {
    let Some(action) = observation.actions.get(number) else {
        return vec!["nothing: an earlier action was the last".to_string()];
    };
    let mut lines = vec![action.outcome.describe()];
    if let Outcome::Trap(trap) = &action.outcome {
        lines.extend(trap.frames.iter().flat_map(|frames| &frames.kept).map(|frame| format!("  {frame}")));
    }
    if action.host_calls.count > 0 {
        lines.push(format!("  {} host calls", action.host_calls.count));
    }
    lines.push(format!("  fuel left {}, state {:016x}", action.fuel_left, action.state_digest));
    lines
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Agree => "verdict: agree".to_string(),
        Verdict::Invalid => "verdict: invalid".to_string(),
        Verdict::Inconclusive(reason) => format!("verdict: inconclusive: {reason}"),
        Verdict::Diverge(divergence) => {
            let Divergence { groups, first } = divergence;
            let groups: Vec<String> = groups.iter().map(|group| group.join(" ")).collect();
            format!(
                "verdict: diverge: {}\n  first difference: {first}\n  fingerprint: {}\n  look at: {}",
                groups.join(" / "),
                divergence.fingerprint(),
                divergence.triage()
            )
        }
    }
}

/// A case's run as JSON.
fn case_json(case: &Case, run: &CaseRun) -> Json {
    let (verdict, divergence) = match &run.verdict {
        Verdict::Agree => ("agree", None),
        Verdict::Diverge(divergence) => ("diverge", Some(divergence)),
        Verdict::Inconclusive(_) => ("inconclusive", None),
        Verdict::Invalid => ("invalid", None),
    };
    let subjects: serde_json::Map<String, Json> = run
        .observations
        .iter()
        .map(|(name, observation)| (name.clone(), observation_json(case, observation)))
        .collect();
    json!({
        "verdict": verdict,
        "fingerprint": divergence.map(|divergence| divergence.fingerprint().to_string()),
        "first_difference": divergence.map(|divergence| divergence.first.to_string()),
        "subjects": subjects,
    })
}

fn observation_json(case: &Case, observation: &Observation) -> Json {
    let actions = case.actions.iter().zip(&observation.actions).map(|(action, seen)| {
        let (mut values, mut trap, mut site, mut frames, mut message) = (None, None, None, None, None);
        match &seen.outcome {
            Outcome::Values(all) => values = Some(all.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Outcome::Trap(seen) => {
                trap = Some(seen.kind.text());
                site = seen.site;
                message = seen.message.clone();
                frames =
                    seen.frames.as_ref().map(|frames| frames.kept.iter().map(frame_json).collect::<Vec<_>>());
            }
            other => message = Some(other.describe()),
        }
        json!({
            "action": action_text(action),
            "outcome": seen.outcome.kind(),
            "values": values,
            "trap": trap,
            "site": site,
            "message": message,
            "frames": frames,
            "exception": null,
            "fuel_left": seen.fuel_left,
            "host_calls": seen.host_calls.first.iter().map(host_call_json).collect::<Vec<_>>(),
        })
    });
    let actions: Vec<Json> = actions.collect();
    let state = observation.actions.last().and_then(|action| action.state.as_ref());
    json!({"actions": actions, "state": state.map(state_json)})
}

fn frame_json(frame: &crate::observe::Frame) -> Json {
    json!({
        "module": frame.function.map(|(instance, _)| instance),
        "func": frame.function.map(|(_, func)| func),
        "name": frame.name,
        "offset": frame.offset,
        "kind": if frame.function.is_some() { "wasm" } else { "host" },
    })
}

fn host_call_json(call: &HostCall) -> Json {
    let texts = |values: &[crate::case::Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "import": call.import,
        "args": texts(&call.args),
        "results": call.results.as_deref().map(texts),
        "notes": call.notes,
    })
}

/// The last state; memories as sizes and pages that are not zero, by digest.
fn state_json(state: &State) -> Json {
    let (mut memories, mut globals, mut tables, mut dropped) = (vec![], vec![], vec![], vec![]);
    for (number, instance) in state.instances.iter().enumerate() {
        for memory in &instance.memories {
            let pages: serde_json::Map<String, Json> = memory
                .pages
                .iter()
                .map(|(page, bytes)| {
                    let mut digest = crate::digest::Digest::default();
                    digest.bytes(bytes);
                    (
                        format!("{:#x}", page * crate::observe::OS_PAGE_BYTES),
                        format!("{:016x}", digest.finish()).into(),
                    )
                })
                .collect();
            memories.push(json!({"instance": number, "bytes": memory.bytes, "pages": pages}));
        }
        let texts: Vec<String> = instance.globals.iter().map(ToString::to_string).collect();
        globals.push(json!({"instance": number, "values": texts}));
        for table in &instance.tables {
            let elements: serde_json::Map<String, Json> = table
                .non_null
                .iter()
                .map(|(index, value)| (index.to_string(), value.to_string().into()))
                .collect();
            tables.push(json!({"instance": number, "elements": table.elements, "non_null": elements}));
        }
        dropped.push(
            json!({"instance": number, "elems": instance.dropped_elems, "datas": instance.dropped_datas}),
        );
    }
    json!({"memories": memories, "globals": globals, "tables": tables, "dropped": dropped, "gc": []})
}
