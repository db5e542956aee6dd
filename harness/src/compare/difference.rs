//! What differs between two observations, and where.

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
