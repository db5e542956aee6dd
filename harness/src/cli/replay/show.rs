//! A case side by side: what all subjects show stands once, what differs stands for each group of subjects.
//!
//! Whether two subjects differ is for `compare` to say: a subject is not held against others in what it does not vouch
//! for, and what it does not show is not made up.

use crate::case::{Action, Case, Value};
use crate::compare::{Aspect, Divergence, Testimony, Verdict, difference_in};
use crate::observe::{ActionObservation, MemoryState, OS_PAGE_BYTES, Outcome, State};
use crate::subject::{Capabilities, Task, access};
use crate::trial::CaseRun;
use crosscheck_engine::TrapKind;
use std::collections::BTreeSet;
use std::path::Path;

/// Host calls of an action that are spelled out.
const SHOWN_HOST_CALLS: usize = 12;
/// Lines of 16 bytes of a memory that are shown where two subjects differ.
const SHOWN_MEMORY_LINES: usize = 8;
/// Bytes in such a line.
const LINE_BYTES: u64 = 16;

/// The case side by side.
pub fn render(file: &Path, task: &Task, run: &CaseRun) -> String {
    let shown = run.testimonies();
    let mut lines = vec![format!("{}", file.display())];
    for testimony in &shown {
        if testimony.capabilities == Capabilities::ALL {
            continue;
        }
        let subject = task.subjects.iter().find(|subject| subject.name() == testimony.name);
        let version =
            subject.and_then(|subject| subject.version()).map_or(String::new(), |of| format!(" {of}"));
        let missing = testimony.capabilities.left_out().join(", ");
        lines.push(format!("  {}{version} is not compared in: {missing}", testimony.name));
    }
    let first = match &run.verdict {
        Verdict::Diverge(divergence) => Some(divergence.first.action),
        Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
    };
    let last = shown.iter().map(|testimony| testimony.observation.actions.len()).max().unwrap_or(0);
    let mut ended: BTreeSet<&str> = BTreeSet::new();
    let mut without_instance = 0;
    for (number, action) in task.case.actions.iter().enumerate() {
        if is_without_instance(&task.case, &shown, number) {
            without_instance += 1;
            continue;
        }
        let mark = if first == Some(number) { "\u{2260}" } else { " " };
        lines.push(format!("{mark} {number}: {}", action.describe()));
        if number >= last {
            lines.push("      not run: every subject ended before".into());
            break;
        }
        for aspect in Aspect::ALL {
            lines.extend(aspect_lines(&shown, number, aspect));
        }
        if let Some(access) = access(task, run, number) {
            lines.push(format!("        {access}"));
        }
        for testimony in &shown {
            if testimony.observation.actions.len() <= number && ended.insert(testimony.name) {
                lines.push(format!("      {}: nothing from here on", testimony.name));
            }
        }
    }
    if without_instance > 0 {
        lines.push(format!("  {without_instance} calls were not made: there was no instance to call"));
    }
    for name in &run.left_out {
        lines.push(format!("  {name} was left out: it counts no fuel, and the reference ran out of it"));
    }
    lines.push(verdict_text(&run.verdict));
    lines.join("\n")
}

/// What the access was about that an action trapped of, if all that can be watched survived the case.
fn access(task: &Task, run: &CaseRun, number: usize) -> Option<String> {
    let (_, reference) = run.observations.first()?;
    match &reference.actions.get(number)?.outcome {
        Outcome::Trap(trap) if trap.kind == TrapKind::MemoryOutOfBounds && run.is_traceable() => {
            access::of_action(&task.case, number, trap.site?)
        }
        _ => None,
    }
}

/// Whether an action calls or reads something of a module that no subject could instantiate.
fn is_without_instance(case: &Case, shown: &[Testimony<'_>], number: usize) -> bool {
    let module = match &case.actions[number] {
        Action::Invoke { module, .. } | Action::Read { module, .. } => *module,
        Action::Instantiate { .. } => return false,
    };
    let made = case.actions[..number]
        .iter()
        .rposition(|action| matches!(action, Action::Instantiate { module: made } if *made == module));
    let failed = |testimony: &Testimony<'_>, made: usize| {
        let outcome = testimony.observation.actions.get(made).map(|seen| &seen.outcome);
        !matches!(outcome, Some(Outcome::Values(_)) | None)
    };
    made.is_none_or(|made| shown.iter().all(|testimony| failed(testimony, made)))
}

/// One aspect of an action: a group for all subjects that show the same, as far as they can be compared.
fn aspect_lines(shown: &[Testimony<'_>], number: usize, aspect: Aspect) -> Vec<String> {
    let shows = |testimony: &&Testimony<'_>| {
        let vouches = match aspect {
            Aspect::Outcome | Aspect::HostCalls => true,
            Aspect::Fuel => testimony.capabilities.fuel,
            Aspect::State => testimony.capabilities.exported_state || testimony.capabilities.internal_state,
        };
        vouches && testimony.observation.actions.len() > number
    };
    let mut groups: Vec<Vec<&Testimony<'_>>> = Vec::new();
    for testimony in shown.iter().filter(shows) {
        let same =
            |group: &&mut Vec<&Testimony<'_>>| difference_in(group[0], testimony, number, aspect).is_none();
        match groups.iter_mut().find(same) {
            Some(group) => group.push(testimony),
            None => groups.push(vec![testimony]),
        }
    }
    let text = |testimony: &Testimony<'_>| {
        own_lines(&testimony.observation.actions[number], testimony.capabilities, aspect)
    };
    if let [all] = groups.as_slice() {
        return text(all[0]).into_iter().map(|line| format!("      {line}")).collect();
    }
    let most = groups.iter().map(Vec::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    for group in &groups {
        let names: Vec<&str> = group.iter().map(|testimony| testimony.name).collect();
        let alone = if group.len() == 1 && most > 1 { ", alone" } else { "" };
        lines.push(format!("    \u{2260} {}{alone}", names.join(" ")));
        lines.extend(text(group[0]).into_iter().map(|line| format!("      {line}")));
    }
    if let (Aspect::State, [first, others @ ..]) = (aspect, groups.as_slice()) {
        for other in others {
            lines.extend(state_lines(first[0], other[0], number));
        }
    }
    lines
}

/// What one subject shows of an aspect.
fn own_lines(seen: &ActionObservation, shows: Capabilities, aspect: Aspect) -> Vec<String> {
    match aspect {
        Aspect::Outcome => {
            let mut lines = vec![match &seen.outcome {
                Outcome::Values(values) if !values.is_empty() => {
                    values.iter().map(Value::described).collect::<Vec<_>>().join(" ")
                }
                other => other.describe(),
            }];
            if let Outcome::Trap(trap) = &seen.outcome {
                let frames = trap.frames.iter().flat_map(|frames| &frames.kept);
                lines.extend(frames.map(|frame| format!("  {frame}")));
            }
            lines
        }
        Aspect::HostCalls => {
            let calls = &seen.host_calls;
            let told = calls.first.iter().take(SHOWN_HOST_CALLS);
            let mut lines: Vec<String> =
                told.map(|call| format!("  host: {}", call.describe().trim_end())).collect();
            let more = calls.count.saturating_sub(lines.len() as u64);
            if more > 0 {
                lines.push(format!("  host: {more} more calls"));
            }
            lines
        }
        Aspect::Fuel => vec![format!("  fuel left {}", seen.fuel_left)],
        Aspect::State if shows.internal_state => vec![format!("  state {:016x}", seen.state_digest)],
        Aspect::State => Vec::new(),
    }
}

/// How the states of two subjects differ: what differs first, and the bytes of memories.
fn state_lines(left: &Testimony<'_>, right: &Testimony<'_>, number: usize) -> Vec<String> {
    let Some(difference) = difference_in(left, right, number, Aspect::State) else { return Vec::new() };
    let mut lines = vec![
        format!("      {}", difference.exactly),
        format!("        {}: {}", left.name, difference.left),
        format!("        {}: {}", right.name, difference.right),
    ];
    let state = |testimony: &Testimony<'_>| testimony.observation.actions[number].state.clone();
    let (Some(a), Some(b)) = (state(left), state(right)) else { return lines };
    for (what, a, b) in memories(&a, &b, left.capabilities.and(right.capabilities)) {
        let different = different_lines(a, b);
        let more = different.len().saturating_sub(SHOWN_MEMORY_LINES);
        for address in different.into_iter().take(SHOWN_MEMORY_LINES) {
            lines.push(format!("      {what} at {address:#x}"));
            lines.push(format!("        {}: {}", left.name, bytes_text(a, address)));
            lines.push(format!("        {}: {}", right.name, bytes_text(b, address)));
        }
        if more > 0 {
            lines.push(format!("      {what} differs in {more} more lines of {LINE_BYTES} bytes"));
        }
    }
    lines
}

/// Memories that stand for one another in two states: by number, or by export if one of the two shows no others.
fn memories<'s>(
    a: &'s State,
    b: &'s State,
    both: Capabilities,
) -> Vec<(String, &'s MemoryState, &'s MemoryState)> {
    use crate::observe::ExportState;
    let mut pairs = Vec::new();
    if both.internal_state {
        for (instance, (a, b)) in a.instances.iter().zip(&b.instances).enumerate() {
            for (number, (a, b)) in a.memories.iter().zip(&b.memories).enumerate() {
                pairs.push((format!("instance {instance}, memory {number}"), a, b));
            }
        }
        return pairs;
    }
    for (module, (left, right)) in a.modules.iter().zip(&b.modules).enumerate() {
        let (Some(left), Some(right)) = (left, right) else { continue };
        let (left, right) = (&a.instances[*left as usize], &b.instances[*right as usize]);
        for (name, place) in &left.exports {
            let other = right.exports.iter().find(|(other, _)| other == name).map(|(_, place)| *place);
            if let (ExportState::Memory(ours), Some(ExportState::Memory(theirs))) = (*place, other) {
                let (a, b) = (&left.memories[ours as usize], &right.memories[theirs as usize]);
                pairs.push((format!("module {module}, memory {name:?}"), a, b));
            }
        }
    }
    pairs
}

/// Addresses of the lines of bytes in which two memories differ.
fn different_lines(a: &MemoryState, b: &MemoryState) -> Vec<u64> {
    let pages: BTreeSet<u64> = a.pages.keys().chain(b.pages.keys()).copied().collect();
    let lines = pages.into_iter().flat_map(|page| {
        let start = page * OS_PAGE_BYTES;
        (start..start + OS_PAGE_BYTES).step_by(LINE_BYTES as usize)
    });
    lines.filter(|address| bytes_at(a, *address) != bytes_at(b, *address)).collect()
}

/// A line of bytes; pages that are absent are zeros.
fn bytes_at(memory: &MemoryState, address: u64) -> [u8; LINE_BYTES as usize] {
    let mut bytes = [0; LINE_BYTES as usize];
    let start = (address % OS_PAGE_BYTES) as usize;
    if let Some(page) = memory.pages.get(&(address / OS_PAGE_BYTES)) {
        for (byte, seen) in bytes.iter_mut().zip(page.iter().skip(start)) {
            *byte = *seen;
        }
    }
    bytes
}

fn bytes_text(memory: &MemoryState, address: u64) -> String {
    let bytes: Vec<String> = bytes_at(memory, address).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
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
