//! What differs between two observations, and where.

use crate::case::Value;
use crate::observe::{HostCall, Outcome};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// Both threw an exception that nothing caught, with another tag or other values.
    Exception,
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
    /// Objects that guests made differ.
    Objects,
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
    pub left: Side,
    /// What the second showed there.
    pub right: Side,
}

/// What one subject showed where it differs from another. Its text is for people; records have nothing else of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Side {
    /// A value: a result, a global, an element of a table.
    Value(Value),
    /// How an action ended.
    Outcome(Box<Outcome>),
    /// That the subject did not fail in this way.
    NoFailure(Kind),
    /// A call of a host function.
    HostCall(Box<HostCall>),
    /// Something of which only the text counts: a number, an offset, a frame. What is read from a record is this, too.
    Text(String),
}

impl Side {
    /// The text of something.
    pub(super) fn text(shown: impl fmt::Display) -> Side {
        Side::Text(shown.to_string())
    }

    /// How an action ended.
    pub(super) fn outcome(outcome: &Outcome) -> Side {
        Side::Outcome(Box::new(outcome.clone()))
    }

    /// The values that are shown, in order: of a host call, what it was given and what it answered.
    pub fn values(&self) -> Vec<&Value> {
        match self {
            Side::Value(value) => vec![value],
            Side::Outcome(outcome) => match &**outcome {
                Outcome::Values(values) | Outcome::Exception { payload: values, .. } => {
                    values.iter().collect()
                }
                Outcome::Trap(_)
                | Outcome::Link(_)
                | Outcome::Usage(_)
                | Outcome::Limit(_)
                | Outcome::Unsupported(_)
                | Outcome::Unclear(_)
                | Outcome::Resources(_)
                | Outcome::Crash(_)
                | Outcome::Hang(_) => Vec::new(),
            },
            Side::HostCall(call) => call.args.iter().chain(call.results.iter().flatten()).collect(),
            Side::NoFailure(_) | Side::Text(_) => Vec::new(),
        }
    }

    /// How the subject failed, if that is what it showed.
    pub fn failure(&self) -> Option<&Outcome> {
        match self {
            Side::Outcome(outcome) => outcome.failure().is_some().then_some(&**outcome),
            Side::Value(_) | Side::NoFailure(_) | Side::HostCall(_) | Side::Text(_) => None,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Value(value) => write!(f, "{value}"),
            Side::Outcome(outcome) => f.write_str(&outcome.describe()),
            Side::NoFailure(kind) => write!(f, "no {}", kind.word()),
            Side::HostCall(call) => f.write_str(&call.describe()),
            Side::Text(text) => f.write_str(text),
        }
    }
}

impl From<Side> for String {
    fn from(side: Side) -> String {
        side.to_string()
    }
}

impl From<String> for Side {
    fn from(text: String) -> Side {
        Side::Text(text)
    }
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
            Kind::Exception => "exception",
            Kind::HostCalls => "host-calls",
            Kind::Fuel => "fuel",
            Kind::Global => "global",
            Kind::TableSize => "table-size",
            Kind::TableElement => "table-element",
            Kind::MemorySize => "memory-size",
            Kind::MemoryBytes => "memory-bytes",
            Kind::Dropped => "dropped",
            Kind::Objects => "objects",
            Kind::Instances => "instances",
            Kind::Unstable => "unstable",
        }
    }
}
