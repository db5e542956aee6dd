//! What one subject showed on one case: the only thing subjects are judged by.
//!
//! An observation is data without references into a subject, so that it can come from another process
//! or another build. State is a digest by default; with [`Capture::Full`] it is spelled out, which is
//! asked for only once two digests differ.

mod bytes;
pub mod json;
pub mod leaves;
mod state;
pub mod values;

use crate::case::{TagIdentity, Value};
use crate::names::readable;
use crosscheck_engine::{Shown, ShownMessage, TrapKind};

pub use state::{
    ExportState, InstanceState, MemoryState, OS_PAGE_BYTES, ObjectState, State, TableState, TypeIdentity,
    capture_state,
};
pub(crate) use state::{digest_exports, digest_modules};

/// How much of the state an observation spells out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capture {
    /// Digests.
    Digest,
    /// Everything.
    Full,
}

/// All that one subject showed on one case, an entry an action. A crash ends it early.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observation {
    /// What each action showed.
    pub actions: Vec<ActionObservation>,
}

/// What one action showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionObservation {
    /// How it ended.
    pub outcome: Outcome,
    /// Fuel that was left.
    pub fuel_left: u64,
    /// The host functions it called.
    pub host_calls: HostCalls,
    /// The state of everything afterwards.
    pub state_digest: u64,
    /// The same, spelled out.
    pub state: Option<State>,
}

/// How an action ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It returned, or was instantiated: no values then.
    Values(Vec<Value>),
    /// It trapped.
    Trap(TrapObservation),
    /// An exception was thrown that nothing caught. It has no backtrace: where it was thrown, a program cannot see.
    Exception {
        /// Its tag.
        tag: TagIdentity,
        /// The values that were thrown with it.
        payload: Vec<Value>,
    },
    /// The module is refused, or its imports do not fit.
    Link(String),
    /// The action cannot be done: there is nothing of that name, or the arguments are not of the function's type.
    Usage(String),
    /// A configured limit of the store forbade it.
    Limit(String),
    /// The subject does not execute something the module contains.
    Unsupported(String),
    /// The subject accepted the module and then showed something that is not understood.
    Unclear(String),
    /// The operating system refused memory: this says nothing about any subject.
    Resources(String),
    /// The subject itself failed: a bug whatever others show.
    Crash(String),
    /// The subject did not end in time: a bug too.
    Hang(String),
}

/// A trap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrapObservation {
    /// Why.
    pub kind: TrapKind,
    /// The host's words, if a host function trapped with some.
    pub message: Option<String>,
    /// File offset of the opcode to blame.
    pub site: Option<u32>,
    /// The calls that led there, if the subject tells.
    pub frames: Option<Frames>,
}

/// A backtrace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frames {
    /// How many frames there were.
    pub count: u64,
    /// A hash of all of them.
    pub hash: u64,
    /// The innermost and the outermost, spelled out only with [`Capture::Full`].
    pub kept: Vec<Frame>,
}

/// A frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Distance from the innermost frame.
    pub number: u64,
    /// Instance number and function index; `None` for hosts.
    pub function: Option<(u32, u32)>,
    /// File offset of the call or trapping instruction; `None` for hosts.
    pub offset: Option<u32>,
    /// What people call the function.
    pub name: String,
}

/// Host calls of an action.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostCalls {
    /// How many there were.
    pub count: u64,
    /// A digest of all of them.
    pub digest: u64,
    /// The first ones, spelled out only with [`Capture::Full`].
    pub first: Vec<HostCall>,
}

/// A call of a host function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostCall {
    /// `module.name` of the import.
    pub import: String,
    /// What it was given.
    pub args: Vec<Value>,
    /// What it answered; `None` if it trapped.
    pub results: Option<Vec<Value>>,
    /// What else it saw or did: memory it read, functions it called back.
    pub notes: Vec<String>,
}

impl HostCall {
    /// The call as people read it, in one line.
    pub fn describe(&self) -> String {
        let list = |values: &[Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let answer = self.results.as_ref().map_or("refused".to_string(), |results| list(results));
        format!("{}({}) -> {answer} {}", Shown(&self.import), list(&self.args), self.notes.join(", "))
    }
}

impl Observation {
    /// The action in which the subject failed, if it did, and how.
    pub fn failure(&self) -> Option<(usize, &Outcome)> {
        let outcomes = self.actions.iter().map(|action| &action.outcome);
        outcomes.enumerate().find(|(_, outcome)| outcome.failure().is_some())
    }
}

impl ActionObservation {
    /// The last thing seen of a subject that panicked: nothing of its store can be trusted.
    pub fn panicked(message: &str) -> ActionObservation {
        ActionObservation::last(Outcome::Crash(format!("panic: {message}")))
    }

    /// The last thing seen of a subject that failed: how, and nothing else.
    pub fn last(outcome: Outcome) -> ActionObservation {
        ActionObservation {
            outcome,
            fuel_left: 0,
            host_calls: HostCalls::default(),
            state_digest: 0,
            state: None,
        }
    }
}

impl Outcome {
    /// A trap of which it is not known where it happened.
    pub fn trap(kind: TrapKind, message: Option<&str>) -> Outcome {
        let message = message.map(str::to_string);
        Outcome::Trap(TrapObservation { kind, message, site: None, frames: None })
    }

    /// The word that reports use.
    pub fn kind(&self) -> &'static str {
        match self {
            Outcome::Values(_) => "values",
            Outcome::Trap(trap) => match trap.kind {
                TrapKind::CallStackExhausted | TrapKind::OutOfFuel | TrapKind::AllocationBudgetExhausted => {
                    "exhausted"
                }
                _ => "trap",
            },
            Outcome::Exception { .. } => "exception",
            Outcome::Link(_) => "link",
            Outcome::Usage(_) => "usage",
            Outcome::Limit(_) => "limit",
            Outcome::Unsupported(_) => "unsupported",
            Outcome::Unclear(_) => "unclear",
            Outcome::Resources(_) => "resources",
            Outcome::Crash(_) => "crash",
            Outcome::Hang(_) => "hang",
        }
    }

    /// The outcome as people read it, in one line.
    pub fn describe(&self) -> String {
        match self {
            Outcome::Values(values) if values.is_empty() => "ok".to_string(),
            Outcome::Values(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Outcome::Trap(trap) => {
                let text = ShownMessage(trap.message.as_deref().unwrap_or(trap.kind.text()));
                match trap.site {
                    Some(site) => format!("trap: {text} at {site:#06x}"),
                    None => format!("trap: {text}"),
                }
            }
            Outcome::Exception { tag, payload } => {
                let payload = payload.iter().map(|value| format!(" {value}")).collect::<String>();
                format!("exception: tag {tag}{payload}")
            }
            Outcome::Link(message)
            | Outcome::Usage(message)
            | Outcome::Limit(message)
            | Outcome::Unsupported(message)
            | Outcome::Unclear(message) => {
                format!("{}: {}", self.kind(), ShownMessage(message))
            }
            Outcome::Resources(message) => format!("no resources: {}", ShownMessage(message)),
            Outcome::Crash(message) => format!("crash: {}", ShownMessage(message)),
            Outcome::Hang(message) => format!("hang: {}", ShownMessage(message)),
        }
    }

    /// What the subject failed with, if it did: the outcome is a crash or a hang.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Outcome::Crash(message) | Outcome::Hang(message) => Some(message),
            Outcome::Values(_)
            | Outcome::Trap(_)
            | Outcome::Exception { .. }
            | Outcome::Link(_)
            | Outcome::Usage(_)
            | Outcome::Limit(_)
            | Outcome::Unsupported(_)
            | Outcome::Unclear(_)
            | Outcome::Resources(_) => None,
        }
    }
}

impl std::fmt::Display for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "#{:02}: {offset:#06x} - {}", self.number, readable(&self.name)),
            None => write!(f, "#{:02}: host - {}", self.number, readable(&self.name)),
        }
    }
}

#[cfg(test)]
mod tests;
