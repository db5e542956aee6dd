//! Everything that can go wrong when using the engine, as one type.

use crate::handle::{Tag, Val};
use crate::names::ShownMessage;
use crate::opcode::Opcode;
use crate::trap::{Trap, TrapKind};
use std::fmt;

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The bytes are not a valid module.
    Invalid {
        /// File offset of what is wrong.
        offset: u64,
        /// What is wrong there, in wasmparser's words.
        message: String,
    },
    /// The imports that are given do not fit the module.
    Link(String),
    /// The embedder asked for what it may not: arguments that are not of a function's type, no room for the results, a
    /// change of an immutable global, bytes beyond the end of a memory.
    Usage(String),
    /// A valid module contains something that the mode does not execute.
    Unsupported(String),
    /// A configured limit forbids it.
    Limit(String),
    /// The operating system refused memory; says nothing about the program.
    Resources(String),
    /// The program trapped.
    Trap(Trap),
    /// The program threw an exception that nothing caught.
    Exception(Exception),
}

/// An exception: a tag, and a value for each parameter of the tag's type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    tag: Tag,
    payload: Box<[Val]>,
}

impl Exception {
    /// The exception of values that belong to the types of the tag.
    pub(crate) fn of_checked(tag: Tag, payload: Box<[Val]>) -> Exception {
        Exception { tag, payload }
    }

    /// The tag.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The values that were thrown with it, in the order of the tag's parameters.
    pub fn payload(&self) -> &[Val] {
        &self.payload
    }
}

/// Values are left out: what references refer to is only known to their store.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uncaught exception with tag number {} of its store", self.tag.stored.index)
    }
}

impl Error {
    pub(crate) fn decode(error: wasmparser::Error) -> Error {
        // Some messages are laid out over several lines; an error here is one.
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let message = ShownMessage(&message).to_string();
        Error::Invalid { offset: error.offset(), message }
    }

    pub(crate) fn invalid(offset: u64, message: impl Into<String>) -> Error {
        Error::Invalid { offset, message: message.into() }
    }

    pub(crate) fn unsupported(what: impl fmt::Display) -> Error {
        Error::Unsupported(format!("no mode executes {what} yet"))
    }

    /// `place` says where the module has the opcode first.
    pub(crate) fn unsupported_opcode(mode: &str, opcode: Opcode, place: Option<String>) -> Error {
        let proposal = opcode.row().proposal;
        let place = place.map_or(String::new(), |place| format!("{place}: "));
        Error::Unsupported(format!("{place}{mode} does not execute {opcode} ({proposal}) yet"))
    }

    /// The same error; if a module is invalid, said of that function of the module.
    pub(crate) fn in_function(self, function: impl fmt::Display) -> Error {
        match self {
            Error::Invalid { offset, message } => {
                Error::Invalid { offset, message: format!("in function {function}: {message}") }
            }
            other @ (Error::Link(_)
            | Error::Usage(_)
            | Error::Unsupported(_)
            | Error::Limit(_)
            | Error::Resources(_)
            | Error::Trap(_)
            | Error::Exception(_)) => other,
        }
    }

    /// The trap, if the error is one.
    pub fn as_trap(&self) -> Option<&Trap> {
        match self {
            Error::Trap(trap) => Some(trap),
            Error::Invalid { .. }
            | Error::Link(_)
            | Error::Usage(_)
            | Error::Unsupported(_)
            | Error::Limit(_)
            | Error::Resources(_)
            | Error::Exception(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid { offset, message } => write!(f, "at offset {offset:#x}: {message}"),
            Error::Link(message)
            | Error::Usage(message)
            | Error::Unsupported(message)
            | Error::Limit(message)
            | Error::Resources(message) => f.write_str(message),
            Error::Trap(trap) => write!(f, "{trap}"),
            Error::Exception(exception) => write!(f, "{exception}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Error {
        Error::Trap(trap)
    }
}

impl From<Exception> for Error {
    fn from(exception: Exception) -> Error {
        Error::Exception(exception)
    }
}

impl From<TrapKind> for Error {
    fn from(kind: TrapKind) -> Error {
        Error::Trap(Trap::new(kind))
    }
}
