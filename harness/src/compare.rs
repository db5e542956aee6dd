//! Judges observations: who agrees with whom, and what differs first.
//!
//! Every rule about what may differ stands here, beside the reason. Between lanes of our own engine the
//! deterministic contract leaves nothing free, so the rules are about lanes that were switched off and
//! about outside engines.

use crate::case::Value;
use crate::fingerprint::{Fingerprint, mode_of};
use crate::observe::{
    ActionObservation, ExportState, HostCall, HostCalls, InstanceState, MemoryState, Observation, Outcome,
    State, TableState, TrapObservation,
};
use crate::subject::{Capabilities, is_outside};
use crosscheck_engine::TrapKind;
use crosscheck_engine::faults::fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One subject's part in a case.
pub struct Testimony<'a> {
    /// The subject's name.
    pub name: &'a str,
    /// What it vouches for.
    pub capabilities: Capabilities,
    /// What it showed.
    pub observation: &'a Observation,
}

/// What all testimonies together say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All that was compared is equal.
    Agree,
    /// Something differs.
    Diverge(Divergence),
    /// Nothing can be said, for a reason that is counted.
    Inconclusive(String),
    /// No subject accepts the module.
    Invalid,
}

/// A difference between subjects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// Subjects that agree with one another, the reference's group first.
    pub groups: Vec<Vec<String>>,
    /// The first difference between the first group and the others.
    pub first: Difference,
}

/// What kind of thing differs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A subject failed where another did not.
    Crash,
    /// A subject did not come to an end where another did.
    Hang,
    /// One returned, trapped, or was refused, where the other did something else.
    Outcome,
    /// Both returned, other values.
    Values,
    /// Both trapped, for other reasons.
    TrapKind,
    /// Both trapped for the same reason, at another instruction.
    TrapSite,
    /// Both trapped at the same place, through other calls.
    Frames,
    /// The host's calls differ.
    HostCalls,
    /// Other fuel is left.
    Fuel,
    /// A global differs.
    Global,
    /// A table's size differs.
    TableSize,
    /// A table's element differs.
    TableElement,
    /// A memory's size differs.
    MemorySize,
    /// A memory's bytes differ.
    MemoryBytes,
    /// Dropped segments differ.
    Dropped,
    /// The number of instances differs.
    Instances,
    /// State differed by digest, and no longer when spelled out: a subject is not deterministic.
    Unstable,
}

/// The first difference of two observations.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// Number of the action.
    pub action: usize,
    /// What kind of thing differs.
    pub kind: Kind,
    /// Where, without values: the type of a result, the kind of an entity, a pair of traps. Part of the
    /// fingerprint, so nothing that changes when a case shrinks.
    pub place: String,
    /// Where exactly, for people.
    pub exactly: String,
    /// What the first showed there.
    pub left: String,
    /// What the second showed there.
    pub right: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "action {}: {}: {} against {}", self.action, self.exactly, self.left, self.right)
    }
}

impl Kind {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Crash => "crash",
            Kind::Hang => "hang",
            Kind::Outcome => "outcome",
            Kind::Values => "values",
            Kind::TrapKind => "trap-kind",
            Kind::TrapSite => "trap-site",
            Kind::Frames => "frames",
            Kind::HostCalls => "host-calls",
            Kind::Fuel => "fuel",
            Kind::Global => "global",
            Kind::TableSize => "table-size",
            Kind::TableElement => "table-element",
            Kind::MemorySize => "memory-size",
            Kind::MemoryBytes => "memory-bytes",
            Kind::Dropped => "dropped",
            Kind::Instances => "instances",
            Kind::Unstable => "unstable",
        }
    }
}

/// Judges testimonies; the first is the reference.
pub fn judge(testimonies: &[Testimony<'_>]) -> Verdict {
    if let Some(failure) = failure(testimonies) {
        return Verdict::Diverge(failure);
    }
    if let Some(reason) = testimonies.iter().find_map(|testimony| resources(testimony.observation)) {
        return Verdict::Inconclusive(reason);
    }
    let is_clear = |testimony: &&Testimony<'_>| {
        unsupported(testimony.observation).or(unclear(testimony.observation)).is_none()
    };
    let ran: Vec<_> = testimonies.iter().filter(is_clear).collect();
    if ran.len() < 2 {
        let reason = |testimony: &Testimony<'_>| {
            unsupported(testimony.observation).or(unclear(testimony.observation)).map(str::to_string)
        };
        let reason = testimonies.iter().find_map(reason);
        return Verdict::Inconclusive(reason.unwrap_or_else(|| "fewer than two subjects ran".into()));
    }
    divergence(&ran).map_or(Verdict::Agree, Verdict::Diverge)
}

/// A subject that failed is a finding whatever others show, and even if all of them fail.
fn failure(testimonies: &[Testimony<'_>]) -> Option<Divergence> {
    let failing = |testimony: &&Testimony<'_>| testimony.observation.failure().is_some();
    let failed = testimonies.iter().find(failing)?;
    let (action, outcome) = failed.observation.failure()?;
    let kind = if matches!(outcome, Outcome::Hang(_)) { Kind::Hang } else { Kind::Crash };
    let first = Difference {
        action,
        kind,
        place: failure_place(outcome).to_string(),
        exactly: format!("{} fails", failed.name),
        left: format!("no {}", kind.word()),
        right: outcome.describe(),
    };
    let (loud, quiet): (Vec<_>, Vec<_>) = testimonies.iter().partition(failing);
    let mut groups: Vec<Vec<String>> = [quiet, loud]
        .iter()
        .map(|side| side.iter().map(|testimony| testimony.name.to_string()).collect())
        .collect();
    groups.retain(|group| !group.is_empty());
    Some(Divergence { groups, first })
}

/// What of a failure is the same each time: which signal, or that it was a panic.
fn failure_place(outcome: &Outcome) -> &str {
    let message = outcome.failure().unwrap_or_default();
    let word = message.split([' ', ',', ':', ';']).next().unwrap_or_default();
    if word.starts_with("SIG") || word == "panic" { word } else { "" }
}

fn divergence(ran: &[&Testimony<'_>]) -> Option<Divergence> {
    let mut groups: Vec<Vec<&Testimony<'_>>> = Vec::new();
    let mut first: Option<Difference> = None;
    for testimony in ran {
        let mut home = None;
        for (number, group) in groups.iter().enumerate() {
            let found = difference(group[0], testimony);
            if found.is_none() {
                home = Some(number);
                break;
            }
            if number == 0
                && first.as_ref().is_none_or(|first| found.as_ref().is_some_and(|f| f.action < first.action))
            {
                first = found;
            }
        }
        match home {
            Some(number) => groups[number].push(testimony),
            None => groups.push(vec![testimony]),
        }
    }
    let groups = groups.iter().map(|group| group.iter().map(|t| t.name.to_string()).collect()).collect();
    first.map(|first| Divergence { groups, first })
}

fn resources(observation: &Observation) -> Option<String> {
    observation.actions.iter().find_map(|action| match &action.outcome {
        Outcome::Resources(_) => Some("the operating system refused memory".to_string()),
        _ => None,
    })
}

fn unsupported(observation: &Observation) -> Option<&str> {
    observation.actions.iter().find_map(|action| match &action.outcome {
        Outcome::Unsupported(message) => Some(message.as_str()),
        _ => None,
    })
}

fn unclear(observation: &Observation) -> Option<&str> {
    observation.actions.iter().find_map(|action| match &action.outcome {
        Outcome::Unclear(message) => Some(message.as_str()),
        _ => None,
    })
}

/// How much of a case an outside engine was truly compared on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Compared {
    /// That many actions, of that many.
    Actions(usize, usize),
    /// None, for it does not execute something.
    Unsupported(String),
    /// None, for it shows something that is not understood.
    Unclear(String),
    /// None, for a subject failed, or the operating system refused memory.
    Failed,
}

/// How much of the reference's case another subject was compared on.
pub fn compared(reference: &Testimony<'_>, other: &Testimony<'_>) -> Compared {
    let failed = |testimony: &Testimony<'_>| {
        testimony.observation.failure().is_some() || resources(testimony.observation).is_some()
    };
    if failed(reference) || failed(other) {
        return Compared::Failed;
    }
    if let Some(why) = [other, reference].iter().find_map(|testimony| unsupported(testimony.observation)) {
        return Compared::Unsupported(why.to_string());
    }
    if let Some(why) = unclear(other.observation) {
        return Compared::Unclear(why.to_string());
    }
    let both = reference.capabilities.and(other.capabilities);
    let actions = &reference.observation.actions;
    let pairs = actions.iter().zip(&other.observation.actions);
    let beyond = |(a, b): &(&ActionObservation, &ActionObservation)| {
        beyond_comparison(a, both) || beyond_comparison(b, both)
    };
    Compared::Actions(pairs.take_while(|pair| !beyond(pair)).count(), actions.len())
}

/// The first difference of two testimonies in what both vouch for.
pub fn difference(left: &Testimony<'_>, right: &Testimony<'_>) -> Option<Difference> {
    let both = left.capabilities.and(right.capabilities);
    let (a, b) = (&left.observation.actions, &right.observation.actions);
    for (number, (a, b)) in a.iter().zip(b).enumerate() {
        if beyond_comparison(a, both) || beyond_comparison(b, both) {
            return None;
        }
        if let Some(found) = action_difference(number, a, b, both) {
            return Some(found);
        }
    }
    // A subject that cannot be expected to finish this action was not asked to run it.
    let next = a.get(b.len()).or_else(|| b.get(a.len()));
    if next.is_some_and(|next| beyond_comparison(next, both)) {
        return None;
    }
    (both.to_the_end && a.len() != b.len()).then(|| Difference {
        action: a.len().min(b.len()),
        kind: Kind::Outcome,
        place: "count".into(),
        exactly: "how many actions were observed".into(),
        left: a.len().to_string(),
        right: b.len().to_string(),
    })
}

/// Whether an action ended where one of the two cannot be expected to end: from here on their states
/// have nothing to do with one another. The specification leaves resource exhaustion to the
/// implementation (appendix "Implementation Limitations", "Execution").
fn beyond_comparison(action: &ActionObservation, both: Capabilities) -> bool {
    match &action.outcome {
        Outcome::Trap(trap) => match trap.kind {
            TrapKind::OutOfFuel => !both.fuel,
            TrapKind::CallStackExhausted => !both.depth,
            _ => false,
        },
        Outcome::Limit(_) => !both.depth,
        _ => false,
    }
}

/// What of an action is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aspect {
    /// How it ended: values, trap and frames, or what else.
    Outcome,
    /// The calls of host functions.
    HostCalls,
    /// The fuel that is left.
    Fuel,
    /// Globals, memories, tables, dropped segments.
    State,
}

impl Aspect {
    /// All of them, in the order in which they are compared.
    pub const ALL: [Aspect; 4] = [Aspect::Outcome, Aspect::HostCalls, Aspect::Fuel, Aspect::State];
}

/// The first difference of two testimonies in one aspect of an action; none where they do not both vouch for it.
pub fn difference_in(
    left: &Testimony<'_>,
    right: &Testimony<'_>,
    action: usize,
    aspect: Aspect,
) -> Option<Difference> {
    let both = left.capabilities.and(right.capabilities);
    let (a, b) = (left.observation.actions.get(action)?, right.observation.actions.get(action)?);
    let is_beyond = beyond_comparison(a, both) || beyond_comparison(b, both);
    if is_beyond { None } else { aspect_difference(action, aspect, a, b, both) }
}

fn action_difference(
    action: usize,
    a: &ActionObservation,
    b: &ActionObservation,
    both: Capabilities,
) -> Option<Difference> {
    Aspect::ALL.into_iter().find_map(|aspect| aspect_difference(action, aspect, a, b, both))
}

fn aspect_difference(
    action: usize,
    aspect: Aspect,
    a: &ActionObservation,
    b: &ActionObservation,
    both: Capabilities,
) -> Option<Difference> {
    let differs = |kind, place: &str, exactly: &str, left: String, right: String| {
        Some(Difference { action, kind, place: place.into(), exactly: exactly.into(), left, right })
    };
    match aspect {
        Aspect::Outcome => {
            let (kind, place, exactly, left, right) = outcome_difference(&a.outcome, &b.outcome, both)?;
            differs(kind, &place, &exactly, left, right)
        }
        Aspect::HostCalls if host_calls_differ(&a.host_calls, &b.host_calls, both) => {
            let (exactly, left, right) = host_call_difference(a, b);
            differs(Kind::HostCalls, "", &exactly, left, right)
        }
        Aspect::Fuel if both.fuel && a.fuel_left != b.fuel_left => {
            differs(Kind::Fuel, "", "fuel left", a.fuel_left.to_string(), b.fuel_left.to_string())
        }
        Aspect::State => match (&a.state, &b.state) {
            (Some(a), Some(b)) if both.exported_state => {
                let (kind, exactly, left, right) = state_difference(a, b, both)?;
                differs(kind, kind.word(), &exactly, left, right)
            }
            // Digests cover internal state, which some subjects cannot show.
            _ if both.internal_state && a.state_digest != b.state_digest => differs(
                Kind::Unstable,
                "",
                "digest of the state",
                format!("{:016x}", a.state_digest),
                format!("{:016x}", b.state_digest),
            ),
            _ => None,
        },
        Aspect::HostCalls | Aspect::Fuel => None,
    }
}

type Found = (Kind, String, String, String, String);

fn outcome_difference(a: &Outcome, b: &Outcome, both: Capabilities) -> Option<Found> {
    match (a, b) {
        (Outcome::Values(left), Outcome::Values(right)) => {
            if left.len() != right.len() {
                let sides = (left.len().to_string(), right.len().to_string());
                return Some((Kind::Values, "count".into(), "number of results".into(), sides.0, sides.1));
            }
            let (position, (left, right)) = left
                .iter()
                .zip(right)
                .enumerate()
                .find(|(_, (left, right))| !same_value(left, right, both))?;
            let ty = type_name(left);
            let exactly = format!("result {position}");
            Some((Kind::Values, ty.to_string(), exactly, left.to_string(), right.to_string()))
        }
        (Outcome::Trap(left), Outcome::Trap(right)) => trap_difference(left, right, both),
        // Messages are for people; that both refuse is what counts.
        (Outcome::Link(_), Outcome::Link(_)) | (Outcome::Limit(_), Outcome::Limit(_)) => None,
        (left, right) => {
            let place = format!("{}/{}", short(left), short(right));
            Some((Kind::Outcome, place, "how it ended".into(), left.describe(), right.describe()))
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::I32(_) => "i32",
        Value::I64(_) => "i64",
        Value::F32(_) => "f32",
        Value::F64(_) => "f64",
        Value::V128(_) => "v128",
        Value::Ref(_) => "ref",
    }
}

fn short(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Trap(trap) => trap.kind.text(),
        other => other.kind(),
    }
}

fn same_value(left: &Value, right: &Value, both: Capabilities) -> bool {
    use crate::case::RefValue;
    if left == right {
        return true;
    }
    let ignores_sign = fault!("compare-ignores-the-sign-of-zero");
    match (left, right) {
        (Value::F32(a), Value::F32(b)) if ignores_sign && (a | b) << 1 == 0 => true,
        (Value::F64(a), Value::F64(b)) if ignores_sign && (a | b) << 1 == 0 => true,
        // Without the deterministic profile an arithmetic NaN has any payload and either sign
        // (specification, section 4.3.3, "NaN Propagation").
        (Value::F32(a), Value::F32(b)) => !both.nan_bits && is_nan32(*a) && is_nan32(*b),
        (Value::F64(a), Value::F64(b)) => !both.nan_bits && is_nan64(*a) && is_nan64(*b),
        (Value::Ref(RefValue::Null(_)), Value::Ref(RefValue::Null(_))) => true,
        (Value::Ref(RefValue::Func(_)), Value::Ref(RefValue::Func(_))) => !both.function_identity,
        _ => false,
    }
}

fn is_nan32(bits: u32) -> bool {
    f32::from_bits(bits).is_nan()
}

fn is_nan64(bits: u64) -> bool {
    f64::from_bits(bits).is_nan()
}

/// Whether two traps are of the same kind, as far as both subjects tell kinds apart.
///
/// The specification says that execution traps, not that traps have kinds; the scripts' texts are a convention.
/// An engine with one text for every index beyond a table's end still satisfies all scripts.
pub fn same_kind(a: TrapKind, b: TrapKind, both: Capabilities) -> bool {
    let beyond = |kind| matches!(kind, TrapKind::UndefinedElement | TrapKind::TableOutOfBounds);
    let null = |kind| {
        matches!(
            kind,
            TrapKind::NullFunctionReference
                | TrapKind::NullReference
                | TrapKind::NullStructureReference
                | TrapKind::NullArrayReference
                | TrapKind::NullI31Reference
                | TrapKind::NullExceptionReference
        )
    };
    let unfit = |kind| matches!(kind, TrapKind::UninitializedElement | TrapKind::IndirectCallTypeMismatch);
    let float = |kind| matches!(kind, TrapKind::InvalidConversionToInteger | TrapKind::IntegerOverflow);
    a == b
        || (!both.undefined_elements && beyond(a) && beyond(b))
        || (!both.null_kinds && null(a) && null(b))
        || (!both.unfit_callees && unfit(a) && unfit(b))
        || (!both.unfit_floats && float(a) && float(b))
}

fn trap_difference(a: &TrapObservation, b: &TrapObservation, both: Capabilities) -> Option<Found> {
    if !same_kind(a.kind, b.kind, both) || a.message != b.message {
        let place = format!("{}/{}", a.kind.text(), b.kind.text());
        let text = |trap: &TrapObservation| trap.message.clone().unwrap_or_else(|| trap.kind.text().into());
        return Some((Kind::TrapKind, place, "why it trapped".into(), text(a), text(b)));
    }
    let site = |trap: &TrapObservation| trap.site.map_or("nowhere".into(), |site| format!("{site:#06x}"));
    // The site does not depend on backtraces: it is there even where they are switched off.
    if both.trap_sites && a.site != b.site {
        return Some((Kind::TrapSite, a.kind.text().into(), "where it trapped".into(), site(a), site(b)));
    }
    let (Some(left), Some(right)) = (&a.frames, &b.frames) else { return None };
    if !both.backtraces || left == right || fault!("compare-drops-backtraces") {
        return None;
    }
    let different = left.kept.iter().zip(&right.kept).find(|(left, right)| left != right);
    let (exactly, left, right) = match different {
        Some((left, right)) => ("frame".to_string(), left.to_string(), right.to_string()),
        None if left.count != right.count => {
            ("number of frames".to_string(), left.count.to_string(), right.count.to_string())
        }
        None => {
            ("hash of all frames".to_string(), format!("{:016x}", left.hash), format!("{:016x}", right.hash))
        }
    };
    Some((Kind::Frames, a.kind.text().into(), exactly, left, right))
}

/// Whether the host's calls differ. A digest is of bits and identities, so it decides only between subjects that
/// vouch for both; others have the first calls spelled out.
fn host_calls_differ(a: &HostCalls, b: &HostCalls, both: Capabilities) -> bool {
    if a.count != b.count || a.digest == b.digest {
        return a.count != b.count;
    }
    let same_values =
        |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b, both));
    let same_results = |a: &HostCall, b: &HostCall| match (&a.results, &b.results) {
        (Some(a), Some(b)) => same_values(a, b),
        (a, b) => a.is_some() == b.is_some(),
    };
    let same_call = |(a, b): (&HostCall, &HostCall)| {
        a.import == b.import && a.notes == b.notes && same_values(&a.args, &b.args) && same_results(a, b)
    };
    let exact = both.nan_bits && both.function_identity;
    exact || a.first.len() != b.first.len() || !a.first.iter().zip(&b.first).all(same_call)
}

fn host_call_difference(a: &ActionObservation, b: &ActionObservation) -> (String, String, String) {
    let describe = |call: Option<&HostCall>| call.map_or("no call".to_string(), HostCall::describe);
    let (left, right) = (&a.host_calls.first, &b.host_calls.first);
    let calls = 0..left.len().max(right.len());
    match calls.into_iter().find(|number| left.get(*number) != right.get(*number)) {
        Some(number) => {
            (format!("host call {number}"), describe(left.get(number)), describe(right.get(number)))
        }
        None => {
            let sum = |action: &ActionObservation| {
                format!("{} calls, digest {:016x}", action.host_calls.count, action.host_calls.digest)
            };
            ("host calls".into(), sum(a), sum(b))
        }
    }
}

/// What of the state differs: kind, where exactly, and both sides.
type FoundState = (Kind, String, String, String);

fn state_difference(a: &State, b: &State, both: Capabilities) -> Option<FoundState> {
    // Who shows exports only numbers entities its own way and keeps no half-made instances.
    if !both.internal_state {
        return exported_difference(a, b, both);
    }
    if a.instances.len() != b.instances.len() {
        let (left, right) = (a.instances.len().to_string(), b.instances.len().to_string());
        return Some((Kind::Instances, "number of instances".into(), left, right));
    }
    let pairs = a.instances.iter().zip(&b.instances).enumerate();
    pairs.into_iter().find_map(|(number, (a, b))| {
        let (kind, exactly, left, right) = instance_difference(a, b, both)?;
        Some((kind, format!("instance {number}, {exactly}"), left, right))
    })
}

/// Compares what the latest instances of the modules export, name by name.
fn exported_difference<'s>(a: &'s State, b: &'s State, both: Capabilities) -> Option<FoundState> {
    let no_instance = InstanceState::default();
    let pairs = a.modules.iter().zip(&b.modules).enumerate();
    pairs.into_iter().find_map(|(module, (left, right))| {
        let of = |state: &'s State, number: &Option<u32>| state.instances.get((*number)? as usize);
        let (left, right) = (of(a, left).unwrap_or(&no_instance), of(b, right).unwrap_or(&no_instance));
        if left.exports.len() != right.exports.len() {
            let sides = (left.exports.len().to_string(), right.exports.len().to_string());
            let exactly = format!("number of exports of module {module} that have a state");
            return Some((Kind::Instances, exactly, sides.0, sides.1));
        }
        left.exports.iter().find_map(|(name, place)| {
            let other = right.exports.iter().find(|(other, _)| other == name).map(|(_, place)| *place);
            let (kind, exactly, ours, theirs) = export_difference((left, *place), (right, other), both)?;
            Some((kind, format!("module {module}, export `{name}`, {exactly}"), ours, theirs))
        })
    })
}

fn export_difference(
    (a, left): (&InstanceState, ExportState),
    (b, right): (&InstanceState, Option<ExportState>),
    both: Capabilities,
) -> Option<FoundState> {
    match (left, right) {
        (ExportState::Unseen, Some(_)) | (_, Some(ExportState::Unseen)) => None,
        (ExportState::Global(left), Some(ExportState::Global(right))) => {
            global_difference("global", a.globals.get(left as usize)?, b.globals.get(right as usize)?, both)
        }
        (ExportState::Table(left), Some(ExportState::Table(right))) => {
            table_difference("table", a.tables.get(left as usize)?, b.tables.get(right as usize)?, both)
        }
        (ExportState::Memory(left), Some(ExportState::Memory(right))) => {
            memory_difference("memory", a.memories.get(left as usize)?, b.memories.get(right as usize)?)
        }
        (left, right) => {
            let right = right.map_or("nothing".into(), |right| format!("{right:?}"));
            Some((Kind::Instances, "what it is".into(), format!("{left:?}"), right))
        }
    }
}

fn instance_difference(a: &InstanceState, b: &InstanceState, both: Capabilities) -> Option<FoundState> {
    let globals = a.globals.iter().zip(&b.globals).enumerate();
    let memories = a.memories.iter().zip(&b.memories).enumerate();
    let tables = a.tables.iter().zip(&b.tables).enumerate();
    let found = None
        .or_else(|| {
            globals.into_iter().find_map(|(n, (a, b))| global_difference(&format!("global {n}"), a, b, both))
        })
        .or_else(|| {
            memories.into_iter().find_map(|(n, (a, b))| memory_difference(&format!("memory {n}"), a, b))
        })
        .or_else(|| {
            tables.into_iter().find_map(|(n, (a, b))| table_difference(&format!("table {n}"), a, b, both))
        });
    if found.is_none() && (&a.dropped_elems, &a.dropped_datas) != (&b.dropped_elems, &b.dropped_datas) {
        let text =
            |side: &InstanceState| format!("elems {:?}, datas {:?}", side.dropped_elems, side.dropped_datas);
        return Some((Kind::Dropped, "dropped segments".into(), text(a), text(b)));
    }
    found
}

fn global_difference(what: &str, left: &Value, right: &Value, both: Capabilities) -> Option<FoundState> {
    let differs = !same_value(left, right, both);
    differs.then(|| (Kind::Global, what.to_string(), left.to_string(), right.to_string()))
}

fn memory_difference(what: &str, left: &MemoryState, right: &MemoryState) -> Option<FoundState> {
    if left.bytes != right.bytes && !fault!("compare-skips-memory-size") {
        let sides = (format!("{} bytes", left.bytes), format!("{} bytes", right.bytes));
        return Some((Kind::MemorySize, format!("size of {what}"), sides.0, sides.1));
    }
    let (address, left, right) = first_byte(left, right)?;
    let exactly = format!("{what} differs first at {address:#x}");
    Some((Kind::MemoryBytes, exactly, format!("{left:#04x}"), format!("{right:#04x}")))
}

fn table_difference(
    what: &str,
    left: &TableState,
    right: &TableState,
    both: Capabilities,
) -> Option<FoundState> {
    if left.elements != right.elements {
        let sides = (left.elements.to_string(), right.elements.to_string());
        return Some((Kind::TableSize, format!("size of {what}"), sides.0, sides.1));
    }
    let indices = left.non_null.keys().chain(right.non_null.keys());
    let different = |index: &&u64| match (left.non_null.get(index), right.non_null.get(index)) {
        (Some(left), Some(right)) => !same_value(left, right, both),
        (left, right) => left.is_some() != right.is_some(),
    };
    let index = indices.filter(different).min()?;
    let text = |side: Option<&Value>| side.map_or("null".to_string(), ToString::to_string);
    let sides = (text(left.non_null.get(index)), text(right.non_null.get(index)));
    Some((Kind::TableElement, format!("{what}, element {index}"), sides.0, sides.1))
}

/// Address of the first byte that differs, and the two bytes. Pages that are absent are zeros.
pub(crate) fn first_byte(left: &MemoryState, right: &MemoryState) -> Option<(u64, u8, u8)> {
    let mut numbers: Vec<u64> = left.pages.keys().chain(right.pages.keys()).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let (left, right) = (left.pages.get(&number), right.pages.get(&number));
        // Nearly all pages are equal, and looking at bytes one by one takes much longer.
        if left == right {
            continue;
        }
        let byte = |side: Option<&Vec<u8>>, offset: usize| {
            side.and_then(|page| page.get(offset)).copied().unwrap_or(0)
        };
        let different = (0..crate::observe::OS_PAGE_BYTES as usize)
            .find(|offset| byte(left, *offset) != byte(right, *offset));
        if let Some(offset) = different {
            let address = number * crate::observe::OS_PAGE_BYTES + offset as u64;
            return Some((address, byte(left, offset), byte(right, offset)));
        }
    }
    None
}

/// The number of the group of most modes, which is likely right: lanes of a mode have much in common, and count where
/// modes are as many. Of several as large it is the first, for the reference is likely right. Groups are not empty.
pub fn majority(groups: &[Vec<String>]) -> usize {
    let size = |group: &Vec<String>| {
        let modes: BTreeSet<&str> = group.iter().map(|name| mode_of(name)).collect();
        (modes.len(), group.len())
    };
    let sizes = groups.iter().map(size).enumerate();
    sizes.rev().max_by_key(|(_, size)| *size).map_or(0, |(group, _)| group)
}

impl Divergence {
    /// What makes this the same bug as another.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(&self.groups, self.first.kind, &self.first.place)
    }

    /// Whether all of our modes agree, and only outside engines differ.
    pub fn is_of_judges(&self) -> bool {
        let ours = self.groups.iter().filter(|group| group.iter().any(|name| !is_outside(name))).count();
        ours == 1 && self.groups.len() > 1
    }

    /// Where to look first.
    pub fn triage(&self) -> &'static str {
        if !self.is_of_judges() {
            return match self.first.kind {
                Kind::Unstable => "a subject is not deterministic: what it shows differs between two runs",
                _ => "one mode alone differs: that mode's room",
            };
        }
        let (ours, theirs): (Vec<_>, Vec<_>) =
            self.groups.iter().partition(|group| group.iter().any(|name| !is_outside(name)));
        let sides_with_us = ours.iter().flat_map(|group| *group).any(|name| is_outside(name));
        let against_us = theirs.iter().map(|group| group.len()).max().unwrap_or(0);
        match (sides_with_us, against_us) {
            (true, _) => {
                "all modes and an outside engine agree, another one differs: that engine, and then the shared floor"
            }
            (false, 0..=1) => {
                "all modes agree, an outside engine differs: the shared floor (types, store, numeric, linking), or the judge"
            }
            (false, _) => {
                "outside engines agree with one another, and not with our modes: the shared floor (types, store, numeric, linking)"
            }
        }
    }
}
