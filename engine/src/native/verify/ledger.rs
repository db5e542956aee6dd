//! What code owes besides what any code owes.
//!
//! The verifier proves of all code where its branches go and that the rows of its maps are at instructions of their
//! kind. Which rows a function must have is known only to the compiler's kind: code of one pass has its calls in the
//! order of the body, an optimising compiler moves them, copies them and leaves them out. So a compiler brings a
//! [`Ledger`] of its own, which opens an account for every function and crosses off what the code turns out to have;
//! `()` is the ledger that asks for nothing.

use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::trap::TrapKind;

/// What a call or jump in a function's code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// A direct call of a function, or a call through its entry where functions are compiled lazily.
    Call(DefinedFuncIndex),
    TailCall(DefinedFuncIndex),
    /// A call through the link of a function.
    CallLink,
    TailCallLink,
    /// A call that may leave the instance.
    CallOther,
    TailCallOther,
    Helper,
    Subtype,
    Trap(TrapKind),
}

/// What the code of a function must have. It is told what the code has, in the order of the code; every complaint is a
/// text. By default it asks for nothing.
pub(crate) trait Ledger: Default {
    /// Opens an account for a function; the one before is closed, or given up.
    fn open(&mut self, _module: &ModuleInner, _settings: &Settings, _func: DefinedFuncIndex) {}

    /// The file offset of the instruction whose code was last looked at, or looked for, if the ledger knows it.
    fn place(&self) -> Option<u32> {
        None
    }

    /// Notes that the code of the instruction at this file offset is looked at next, which stands elsewhere.
    fn look_at(&mut self, _place: u32) {}

    /// Whether this call or jump may be the next in the order of instructions. Asked where the code alone leaves two
    /// meanings open.
    fn expects(&self, _role: Role) -> bool {
        true
    }

    /// Crosses off a call or jump that the code has; `wasm` is the file offset that its row gives it.
    fn has(&mut self, _role: Role, _wasm: Option<u32>) -> Result<(), String> {
        Ok(())
    }

    /// Crosses off an access of memory that may fault.
    fn has_fault(&mut self, _wasm: u32) -> Result<(), String> {
        Ok(())
    }

    /// Crosses off a jump table of so many entries.
    fn has_table(&mut self, _entries: u32) -> Result<(), String> {
        Ok(())
    }

    /// Closes the account: everything must have been crossed off.
    fn close(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Ledger for () {}
