//! Judges observations: who agrees with whom, and what differs first.
//!
//! Every rule about what may differ stands here, beside the reason. Between lanes of our own engine the
//! deterministic contract leaves nothing free, so the rules are about lanes that were switched off and
//! about outside engines.

mod difference;
mod groups;
mod state;
mod suspect;

use crate::case::Value;
use crate::observe::{ActionObservation, Frame, HostCall, HostCalls, Observation, Outcome, TrapObservation};
use crate::subject::Capabilities;
use crosscheck_engine::TrapKind;
use crosscheck_engine::faults::fault;
pub use difference::{Difference, Kind, Side};
pub use groups::{mode_of, right};
pub(crate) use state::first_byte;
use state::state_difference;
pub use suspect::Suspect;

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
        left: Side::NoFailure(kind),
        right: Side::outcome(outcome),
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
        left: Side::text(a.len()),
        right: Side::text(b.len()),
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
    let stops = fault!("compare-stops-at-equal-traps") && matches!(a.outcome, Outcome::Trap(_));
    let aspects = if stops { &Aspect::ALL[..1] } else { &Aspect::ALL[..] };
    aspects.iter().find_map(|aspect| aspect_difference(action, *aspect, a, b, both))
}

fn aspect_difference(
    action: usize,
    aspect: Aspect,
    a: &ActionObservation,
    b: &ActionObservation,
    both: Capabilities,
) -> Option<Difference> {
    let differs = |kind, place: &str, exactly: &str, left: Side, right: Side| {
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
            differs(Kind::Fuel, "", "fuel left", Side::text(a.fuel_left), Side::text(b.fuel_left))
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
                Side::text(format_args!("{:016x}", a.state_digest)),
                Side::text(format_args!("{:016x}", b.state_digest)),
            ),
            _ => None,
        },
        Aspect::HostCalls | Aspect::Fuel => None,
    }
}

type Found = (Kind, String, String, Side, Side);

fn outcome_difference(a: &Outcome, b: &Outcome, both: Capabilities) -> Option<Found> {
    match (a, b) {
        (Outcome::Values(left), Outcome::Values(right)) => {
            values_difference(Kind::Values, "result", left, right, both)
        }
        (Outcome::Trap(left), Outcome::Trap(right)) => trap_difference(left, right, both),
        // An exception is its tag and its values (specification, section 4.2, "Exception Instances"): programs see
        // nothing else of it, so there is no backtrace to compare.
        (
            Outcome::Exception { tag: left, payload: left_payload },
            Outcome::Exception { tag: right, payload: right_payload },
        ) => {
            if both.function_identity && left != right {
                let sides = (Side::text(left), Side::text(right));
                return Some((
                    Kind::Exception,
                    "tag".into(),
                    "tag of the exception".into(),
                    sides.0,
                    sides.1,
                ));
            }
            values_difference(Kind::Exception, "exception value", left_payload, right_payload, both)
        }
        // Messages are for people; that both refuse is what counts.
        (Outcome::Link(_), Outcome::Link(_))
        | (Outcome::Usage(_), Outcome::Usage(_))
        | (Outcome::Limit(_), Outcome::Limit(_)) => None,
        (left, right) => {
            let place = format!("{}/{}", short(left), short(right));
            let sides = (Side::outcome(left), Side::outcome(right));
            Some((Kind::Outcome, place, "how it ended".into(), sides.0, sides.1))
        }
    }
}

/// The first difference of two lists of values; `what` is one of them, in words.
fn values_difference(
    kind: Kind,
    what: &str,
    left: &[Value],
    right: &[Value],
    both: Capabilities,
) -> Option<Found> {
    if left.len() != right.len() {
        let sides = (Side::text(left.len()), Side::text(right.len()));
        return Some((kind, "count".into(), format!("number of {what}s"), sides.0, sides.1));
    }
    let mut pairs = left.iter().zip(right).enumerate();
    let (position, (left, right)) = pairs.find(|(_, (left, right))| !same_value(left, right, both))?;
    let sides = (Side::Value(left.clone()), Side::Value(right.clone()));
    Some((kind, type_name(left).to_string(), format!("{what} {position}"), sides.0, sides.1))
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
        let text =
            |trap: &TrapObservation| Side::text(trap.message.as_deref().unwrap_or_else(|| trap.kind.text()));
        return Some((Kind::TrapKind, place, "why it trapped".into(), text(a), text(b)));
    }
    let site = |trap: &TrapObservation| match trap.site {
        Some(site) => Side::text(format_args!("{site:#06x}")),
        None => Side::text("nowhere"),
    };
    // The site does not depend on backtraces: it is there even where they are switched off.
    if both.trap_sites && a.site != b.site {
        return Some((Kind::TrapSite, a.kind.text().into(), "where it trapped".into(), site(a), site(b)));
    }
    if !both.backtraces || a.frames == b.frames || fault!("compare-drops-backtraces") {
        return None;
    }
    let (Some(left), Some(right)) = (&a.frames, &b.frames) else {
        let told =
            |trap: &TrapObservation| Side::text(if trap.frames.is_some() { "a backtrace" } else { "none" });
        return Some((
            Kind::Frames,
            a.kind.text().into(),
            "whether it has a backtrace".into(),
            told(a),
            told(b),
        ));
    };
    let different = left.kept.iter().zip(&right.kept).find(|(left, right)| left != right);
    let (exactly, left, right) = match different {
        Some((left, right)) if left.to_string() != right.to_string() => {
            ("frame", Side::text(left), Side::text(right))
        }
        Some((left, right)) => {
            let function = |frame: &Frame| match frame.function {
                Some((instance, function)) => Side::text(format_args!("{frame} ({instance}:{function})")),
                None => Side::text(frame),
            };
            ("frame", function(left), function(right))
        }
        None if left.count != right.count => {
            ("number of frames", Side::text(left.count), Side::text(right.count))
        }
        None => {
            let hash = |hash: u64| Side::text(format_args!("{hash:016x}"));
            ("hash of all frames", hash(left.hash), hash(right.hash))
        }
    };
    Some((Kind::Frames, a.kind.text().into(), exactly.to_string(), left, right))
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

fn host_call_difference(a: &ActionObservation, b: &ActionObservation) -> (String, Side, Side) {
    let side = |call: Option<&HostCall>| {
        call.map_or(Side::text("no call"), |call| Side::HostCall(Box::new(call.clone())))
    };
    let (left, right) = (&a.host_calls.first, &b.host_calls.first);
    let calls = 0..left.len().max(right.len());
    match calls.into_iter().find(|number| left.get(*number) != right.get(*number)) {
        Some(number) => (format!("host call {number}"), side(left.get(number)), side(right.get(number))),
        None => {
            let sum = |action: &ActionObservation| {
                let HostCalls { count, digest, .. } = &action.host_calls;
                Side::text(format_args!("{count} calls, digest {digest:016x}"))
            };
            ("host calls".into(), sum(a), sum(b))
        }
    }
}

#[cfg(test)]
mod tests;
