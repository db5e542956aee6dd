//! The pieces of code between Rust and compiled code, made once a process.
//!
//! Rust runs on the thread's stack and compiled code on the store's, so each way in or out changes the stack
//! pointer. Arguments are in registers while control passes through a piece; a piece that calls Rust in between
//! keeps them in the context. The fuel changes its place as well, between its register and the context, with every
//! way in or out: also where it is not counted, because what the context then has is never read.

use super::arch::Arch;
use super::code::{CodeMap, CodeUnit};
use super::host::Host;
use crate::error::Error;
use std::sync::OnceLock;

/// How a helper ended, and where control goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub(crate) enum Status {
    /// The helper succeeded: the code that called it goes on with its value.
    Done = 0,
    /// The helper failed, and the context says how: the activation ends.
    Failed = 1,
    /// A call resolved to code that runs in another instance: the value is its entry.
    Cross = 2,
    /// A call resolved to code to jump to: the value is its entry.
    Jump = 3,
}

/// The pieces, each by its offset or by its address.
pub(crate) struct Pieces<P> {
    /// `extern "C" fn(context, entry) -> status`: calls compiled code with the arguments of the context.
    pub enter: P,
    /// Where code called by `enter` returns to.
    pub enter_return: P,
    /// Where code called across instances returns to.
    pub cross_return: P,
    /// Called by code to raise the trap of the call's row.
    pub trap: P,
    /// Goes on for an access of memory that faulted.
    pub fault: P,
    /// Called by code with a helper's number and arguments.
    pub helper: P,
    /// Called with a function's link: calls a host function, or enters a function that may run in another instance.
    pub call_other: P,
    /// Jumped to for the same, after the frame was given up.
    pub tail_other: P,
    /// Jumped to with a function's number: compiles the function, then runs it.
    pub compile: P,
    /// Called with a function's link and the index of a type: returns if the function's type matches.
    pub check_subtype: P,
}

impl<P> Pieces<P> {
    /// The same pieces in other terms.
    pub fn map<Q>(&self, place: impl Fn(&P) -> Q) -> Pieces<Q> {
        Pieces {
            enter: place(&self.enter),
            enter_return: place(&self.enter_return),
            cross_return: place(&self.cross_return),
            trap: place(&self.trap),
            fault: place(&self.fault),
            helper: place(&self.helper),
            call_other: place(&self.call_other),
            tail_other: place(&self.tail_other),
            compile: place(&self.compile),
            check_subtype: place(&self.check_subtype),
        }
    }
}

/// The pieces of this process.
struct Thunks {
    _unit: Box<CodeUnit>,
    addresses: Pieces<*const u8>,
}

// SAFETY: the addresses are of immutable code.
unsafe impl Send for Thunks {}
// SAFETY: as above.
unsafe impl Sync for Thunks {}

/// Addresses of the pieces; fails if the machine has no room for them.
pub(crate) fn thunks() -> Result<&'static Pieces<*const u8>, Error> {
    static THUNKS: OnceLock<Result<Thunks, Error>> = OnceLock::new();
    let thunks = THUNKS.get_or_init(|| {
        let (code, offsets) = Host::thunks();
        let unit = CodeUnit::publish(&code, CodeMap::default())?;
        let addresses = offsets.map(|offset| unit.address(*offset));
        Ok(Thunks { _unit: unit, addresses })
    });
    thunks.as_ref().map(|thunks| &thunks.addresses).map_err(Clone::clone)
}
