//! Observations as JSON, for reports and for what is kept of a finding.

use super::{Frame, HostCall, ObjectState, Observation, Outcome, State};
use crate::case::{Case, Value};
use serde_json::{Value as Json, json};

/// What one subject showed; `null` stands for what it does not show, such as fuel that it does not count.
pub fn observation_json(case: &Case, observation: &Observation, counts_fuel: bool) -> Json {
    let actions = case.actions.iter().zip(&observation.actions).map(|(action, seen)| {
        let (mut values, mut trap, mut site, mut frames, mut message) = (None, None, None, None, None);
        let mut exception = None;
        match &seen.outcome {
            Outcome::Values(all) => values = Some(texts(all)),
            Outcome::Trap(seen) => {
                trap = Some(seen.kind.text());
                site = seen.site;
                message = seen.message.clone();
                frames =
                    seen.frames.as_ref().map(|frames| frames.kept.iter().map(frame_json).collect::<Vec<_>>());
            }
            Outcome::Exception { tag, payload } => {
                exception = Some(json!({"tag": tag.to_string(), "payload": texts(payload)}));
            }
            other @ (Outcome::Link(_)
            | Outcome::Usage(_)
            | Outcome::Limit(_)
            | Outcome::Unsupported(_)
            | Outcome::Unclear(_)
            | Outcome::Resources(_)
            | Outcome::Crash(_)
            | Outcome::Hang(_)) => message = Some(other.describe()),
        }
        json!({
            "action": action.describe(),
            "outcome": seen.outcome.kind(),
            "values": values,
            "trap": trap,
            "site": site,
            "message": message,
            "frames": frames,
            "exception": exception,
            "fuel_left": counts_fuel.then_some(seen.fuel_left),
            "host_calls": seen.host_calls.first.iter().map(host_call_json).collect::<Vec<_>>(),
        })
    });
    let actions: Vec<Json> = actions.collect();
    let state = observation.actions.last().and_then(|action| action.state.as_ref());
    json!({"actions": actions, "state": state.map(state_json)})
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn frame_json(frame: &Frame) -> Json {
    json!({
        "module": frame.function.map(|(instance, _)| instance),
        "func": frame.function.map(|(_, func)| func),
        "name": frame.name,
        "offset": frame.offset,
        "kind": if frame.function.is_some() { "wasm" } else { "host" },
    })
}

fn host_call_json(call: &HostCall) -> Json {
    json!({
        "import": call.import,
        "args": texts(&call.args),
        "results": call.results.as_deref().map(texts),
        "notes": call.notes,
    })
}

/// An object by the place in the list that is its number.
fn object_json(object: &ObjectState) -> Json {
    json!({
        "kind": object.kind().to_string(),
        "type": object.identity(),
        "values": texts(object.values()),
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
                        format!("{:#x}", page * super::OS_PAGE_BYTES),
                        format!("{:016x}", digest.finish()).into(),
                    )
                })
                .collect();
            memories.push(json!({"instance": number, "bytes": memory.bytes, "pages": pages}));
        }
        globals.push(json!({"instance": number, "values": texts(&instance.globals)}));
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
    let gc: Vec<Json> = state.gc.iter().map(object_json).collect();
    json!({"memories": memories, "globals": globals, "tables": tables, "dropped": dropped, "gc": gc})
}
