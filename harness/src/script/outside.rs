//! What an outside engine showed of a directive, held against what the script expects.
//!
//! The same rules hold as for our modes, but an engine is asked only for what it promises: it need not tell kinds of
//! trap apart (see [`Capabilities`]), word errors as scripts do, or say what kind of object a reference is.

use super::expect::{self, Expectation};
use super::value::Value;
use crate::case::{self, HeapKind, RefValue};
use crate::compare::same_kind;
use crate::observe::{Outcome, TrapObservation};
use crate::subject::{Acceptance, Capabilities};
use crosscheck_engine::{Hierarchy, TrapKind};
use wast::WastRet;
use wast::core::WastRetCore;

/// What is said of an outside engine on one directive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    Passed,
    Failed(String),
    /// It was not asked, or does not execute that: why.
    Unsupported(String),
}

/// Judges an outcome.
pub(super) fn judge(expectation: &Expectation<'_>, outcome: &Outcome, capabilities: Capabilities) -> Said {
    let met = match outcome {
        Outcome::Unsupported(reason) | Outcome::Unclear(reason) => return Said::Unsupported(reason.clone()),
        Outcome::Limit(reason) => return Said::Unsupported(format!("limit: {reason}")),
        Outcome::Resources(reason) => return Said::Unsupported(format!("no resources: {reason}")),
        // Engines show an exception that nothing catches as a trap with words of their own.
        Outcome::Crash(said) if is_about_exceptions(expectation) && said.starts_with("a trap that") => None,
        Outcome::Crash(_) | Outcome::Hang(_) => Some(false),
        Outcome::Values(values) => match expectation {
            Expectation::Success => Some(true),
            Expectation::Results(expected) => are_met(expected, values),
            Expectation::Trap(_)
            | Expectation::Unlinkable(_)
            | Expectation::Exception
            | Expectation::Suspension => Some(false),
        },
        Outcome::Trap(trap) => match expectation {
            Expectation::Trap(text) => trap_is_met(text, trap, capabilities),
            // Its own guard against programs that never end says nothing about the program.
            _ if trap.kind == TrapKind::OutOfFuel => None,
            Expectation::Success
            | Expectation::Results(_)
            | Expectation::Unlinkable(_)
            | Expectation::Exception
            | Expectation::Suspension => Some(false),
        },
        // Words for that differ from engine to engine.
        Outcome::Link(_) => Some(matches!(expectation, Expectation::Unlinkable(_))),
        Outcome::Exception { .. } => Some(matches!(expectation, Expectation::Exception)),
        Outcome::Usage(_) => Some(false),
    };
    match met {
        Some(true) => Said::Passed,
        Some(false) => {
            Said::Failed(format!("expected {}, got {}", expect::wanted(expectation), first_line(outcome)))
        }
        None => Said::Unsupported("what the engine shows cannot be told apart from what is expected".into()),
    }
}

/// Judges what an engine says of a module that must be refused.
pub(super) fn judge_refusal(wanted: &str, acceptance: &Acceptance) -> Said {
    match acceptance {
        Acceptance::Refused(_) => Said::Passed,
        Acceptance::Valid => {
            Said::Failed(format!("expected the module to be refused ({wanted}), it was accepted"))
        }
        Acceptance::Unknown(reason) => Said::Unsupported(reason.clone()),
        Acceptance::Failed(Outcome::Resources(reason)) => {
            Said::Unsupported(format!("no resources: {reason}"))
        }
        Acceptance::Failed(outcome) => {
            Said::Failed(format!("expected the module to be refused ({wanted}), got {}", first_line(outcome)))
        }
    }
}

fn is_about_exceptions(expectation: &Expectation<'_>) -> bool {
    matches!(expectation, Expectation::Exception | Expectation::Suspension)
}

/// An outcome in one line: some engines draw pictures of what is wrong.
fn first_line(outcome: &Outcome) -> String {
    outcome.describe().lines().next().unwrap_or_default().to_string()
}

/// Whether a trap is of a kind that a script's text names; none if no kind is called so.
fn trap_is_met(text: &str, trap: &TrapObservation, capabilities: Capabilities) -> Option<bool> {
    let text = expect::spelling(text);
    let mut kinds = TrapKind::ALL.into_iter().filter(|kind| kind.text().starts_with(text)).peekable();
    kinds.peek()?;
    Some(kinds.any(|kind| same_kind(kind, trap.kind, capabilities)))
}

fn are_met(expected: &[WastRet<'_>], values: &[case::Value]) -> Option<bool> {
    if expected.len() != values.len() {
        return Some(false);
    }
    let met: Vec<Option<bool>> =
        expected.iter().zip(values).map(|(expected, value)| is_met(expected, value)).collect();
    // A value that is wrong is wrong, whatever cannot be told of the others.
    if met.contains(&Some(false)) {
        Some(false)
    } else {
        met.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
    }
}

/// Whether a value is the expected one; none if the engine does not say enough of it.
fn is_met(expected: &WastRet<'_>, value: &case::Value) -> Option<bool> {
    let WastRet::Core(expected) = expected else { return None };
    core_is_met(expected, value)
}

fn core_is_met(expected: &WastRetCore<'_>, value: &case::Value) -> Option<bool> {
    if let WastRetCore::Either(choices) = expected {
        let met: Vec<Option<bool>> = choices.iter().map(|choice| core_is_met(choice, value)).collect();
        return if met.contains(&Some(true)) {
            Some(true)
        } else {
            met.iter().all(Option::is_some).then_some(false)
        };
    }
    let value = match value {
        case::Value::I32(bits) => Value::I32(*bits),
        case::Value::I64(bits) => Value::I64(*bits),
        case::Value::F32(bits) => Value::F32(*bits),
        case::Value::F64(bits) => Value::F64(*bits),
        case::Value::V128(bits) => Value::V128(*bits),
        case::Value::Ref(reference) => return reference_is_met(expected, reference),
    };
    Some(expect::core_is_met(expected, &value))
}

fn reference_is_met(expected: &WastRetCore<'_>, reference: &RefValue) -> Option<bool> {
    match (expected, reference) {
        // An engine that does not know a null's type from the outside says that it is one of some hierarchy.
        (WastRetCore::RefNull(_), RefValue::Null(kind)) => match hierarchy(*kind) {
            Some(hierarchy) => Some(expect::core_is_met(expected, &Value::Null(hierarchy))),
            None => Some(true),
        },
        (_, RefValue::Null(_)) | (WastRetCore::RefNull(_), _) => Some(false),
        // Which function it is, engines do not say.
        (WastRetCore::RefFunc(_), RefValue::Func(_)) => Some(true),
        (WastRetCore::RefExtern(_), RefValue::Extern(number)) => {
            Some(expect::core_is_met(expected, &Value::Extern(Some(*number))))
        }
        (WastRetCore::RefI31 | WastRetCore::RefEq | WastRetCore::RefAny, RefValue::I31(_)) => Some(true),
        (WastRetCore::RefFunc(_) | WastRetCore::RefExtern(_), RefValue::I31(_)) => Some(false),
        (WastRetCore::RefFunc(_), RefValue::Extern(_)) => Some(false),
        // Kinds of object are not told.
        (_, RefValue::I31(_) | RefValue::Other { .. } | RefValue::Func(_) | RefValue::Extern(_)) => None,
    }
}

fn hierarchy(kind: HeapKind) -> Option<Hierarchy> {
    Some(match kind {
        HeapKind::Func | HeapKind::NoFunc => Hierarchy::Func,
        HeapKind::Extern | HeapKind::NoExtern => Hierarchy::Extern,
        HeapKind::Exn | HeapKind::NoExn => Hierarchy::Exn,
        HeapKind::Any
        | HeapKind::None
        | HeapKind::I31
        | HeapKind::Struct
        | HeapKind::Array
        | HeapKind::Eq => Hierarchy::Any,
        HeapKind::Concrete(_) => return None,
    })
}
