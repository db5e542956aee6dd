//! How a WebAssembly program fails: the kinds of trap, and a trap with the place it happened.
//!
//! A trap is an ordinary value. Every mode must raise the same kind at the same site, so the
//! kinds here are the whole shared vocabulary: a mode never invents a text of its own.

use crate::backtrace::Backtrace;
use std::fmt;
use std::sync::Arc;

/// Why execution was aborted.
///
/// The texts are those that the official scripts expect, without indices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum TrapKind {
    /// `unreachable` was executed.
    Unreachable,
    /// A load, store, bulk memory operation or host access beyond a memory's size.
    MemoryOutOfBounds,
    /// A table access or bulk table operation beyond a table's size.
    TableOutOfBounds,
    /// `call_indirect` with an index beyond the table's size.
    UndefinedElement,
    /// `call_indirect` through a null element.
    UninitializedElement,
    /// `call_indirect` through a function of another type.
    IndirectCallTypeMismatch,
    /// Integer division or remainder by zero.
    IntegerDivideByZero,
    /// A quotient or a conversion that does not fit its type.
    IntegerOverflow,
    /// A NaN converted to an integer.
    InvalidConversionToInteger,
    /// The depth budget ran out.
    CallStackExhausted,
    /// The fuel ran out.
    OutOfFuel,
    /// `call_ref` of null.
    NullFunctionReference,
    /// `ref.as_non_null` of null.
    NullReference,
    /// `struct.get`, `struct.set` of null.
    NullStructureReference,
    /// `array.get`, `array.set`, `array.len` and bulk array operations on null.
    NullArrayReference,
    /// `i31.get_s`, `i31.get_u` of null.
    NullI31Reference,
    /// An array access beyond the array's length.
    ArrayOutOfBounds,
    /// `ref.cast` to a type that the value does not have.
    CastFailure,
    /// `throw_ref` of null.
    NullExceptionReference,
    /// An atomic access at an address that is not a multiple of its width.
    UnalignedAtomic,
    /// `memory.atomic.wait` on a memory that is not shared.
    ExpectedSharedMemory,
    /// A wait without a timeout that nothing could ever end.
    WouldBlock,
    /// The budget of GC objects ran out.
    AllocationBudgetExhausted,
    /// A host function refused; the text is the host's own (see [`Trap::message`]).
    Host,
}

impl TrapKind {
    /// The text that the official scripts expect, without indices.
    pub fn text(self) -> &'static str {
        match self {
            TrapKind::Unreachable => "unreachable",
            TrapKind::MemoryOutOfBounds => "out of bounds memory access",
            TrapKind::TableOutOfBounds => "out of bounds table access",
            TrapKind::UndefinedElement => "undefined element",
            TrapKind::UninitializedElement => "uninitialized element",
            TrapKind::IndirectCallTypeMismatch => "indirect call type mismatch",
            TrapKind::IntegerDivideByZero => "integer divide by zero",
            TrapKind::IntegerOverflow => "integer overflow",
            TrapKind::InvalidConversionToInteger => "invalid conversion to integer",
            TrapKind::CallStackExhausted => "call stack exhausted",
            TrapKind::OutOfFuel => "out of fuel",
            TrapKind::NullFunctionReference => "null function reference",
            TrapKind::NullReference => "null reference",
            TrapKind::NullStructureReference => "null structure reference",
            TrapKind::NullArrayReference => "null array reference",
            TrapKind::NullI31Reference => "null i31 reference",
            TrapKind::ArrayOutOfBounds => "out of bounds array access",
            TrapKind::CastFailure => "cast failure",
            TrapKind::NullExceptionReference => "null exception reference",
            TrapKind::UnalignedAtomic => "unaligned atomic",
            TrapKind::ExpectedSharedMemory => "expected shared memory",
            TrapKind::WouldBlock => "would block",
            TrapKind::AllocationBudgetExhausted => "allocation budget exhausted",
            TrapKind::Host => "host trap",
        }
    }

    /// Every kind, for reports that count them.
    pub const ALL: [TrapKind; 24] = [
        TrapKind::Unreachable,
        TrapKind::MemoryOutOfBounds,
        TrapKind::TableOutOfBounds,
        TrapKind::UndefinedElement,
        TrapKind::UninitializedElement,
        TrapKind::IndirectCallTypeMismatch,
        TrapKind::IntegerDivideByZero,
        TrapKind::IntegerOverflow,
        TrapKind::InvalidConversionToInteger,
        TrapKind::CallStackExhausted,
        TrapKind::OutOfFuel,
        TrapKind::NullFunctionReference,
        TrapKind::NullReference,
        TrapKind::NullStructureReference,
        TrapKind::NullArrayReference,
        TrapKind::NullI31Reference,
        TrapKind::ArrayOutOfBounds,
        TrapKind::CastFailure,
        TrapKind::NullExceptionReference,
        TrapKind::UnalignedAtomic,
        TrapKind::ExpectedSharedMemory,
        TrapKind::WouldBlock,
        TrapKind::AllocationBudgetExhausted,
        TrapKind::Host,
    ];
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// An aborted execution: why, where, and through which calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    kind: TrapKind,
    message: Option<Arc<str>>,
    site: Option<u32>,
    backtrace: Option<Arc<Backtrace>>,
    /// Whether the engine has already noted the place: outer calls leave it alone.
    located: bool,
}

impl Trap {
    /// A trap without a place; the engine adds site and backtrace when it passes through guest code.
    pub fn new(kind: TrapKind) -> Trap {
        Trap { kind, message: None, site: None, backtrace: None, located: false }
    }

    /// A host function's refusal, in its own words.
    pub fn host(message: impl Into<Arc<str>>) -> Trap {
        Trap {
            kind: TrapKind::Host,
            message: Some(message.into()),
            site: None,
            backtrace: None,
            located: false,
        }
    }

    /// Why.
    pub fn kind(&self) -> TrapKind {
        self.kind
    }

    /// The host's own words, if a host function trapped with some.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// File offset of the opcode that trapped; `None` where no guest instruction is to blame
    /// (a host function called from outside, or reached by a tail call).
    pub fn site(&self) -> Option<u32> {
        self.site
    }

    /// The calls that led here, innermost first; `None` if backtraces are off or none was taken yet.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.backtrace.as_deref()
    }

    pub(crate) fn is_located(&self) -> bool {
        self.located
    }

    pub(crate) fn locate(&mut self, site: Option<u32>, backtrace: Option<Backtrace>) {
        self.site = site;
        self.backtrace = backtrace.map(Arc::new);
        self.located = true;
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => f.write_str(message),
            None => f.write_str(self.kind.text()),
        }
    }
}

impl std::error::Error for Trap {}

impl From<TrapKind> for Trap {
    fn from(kind: TrapKind) -> Trap {
        Trap::new(kind)
    }
}
