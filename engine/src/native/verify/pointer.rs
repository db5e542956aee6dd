//! What a call or jump through memory is, told by where its target is read.

use super::ledger::{Ledger, Role};
use crate::module::DefinedFuncIndex;
use crate::native::arch::Pointer;
use crate::native::context::VmContext;
use crate::store::FuncLink;
use crate::trap::TrapKind;
use std::mem::offset_of;

const TRAP: usize = offset_of!(VmContext, trap);
const HELPER: usize = offset_of!(VmContext, helper);
const CALL_OTHER: usize = offset_of!(VmContext, call_other);
const TAIL_OTHER: usize = offset_of!(VmContext, tail_other);
const CHECK_SUBTYPE: usize = offset_of!(VmContext, check_subtype);
/// Where a link has the address to call.
const ENTRY: i32 = offset_of!(FuncLink, entry) as i32;

/// What a call is; a row with a trap makes it one. `entries` is how many functions have an entry that code may call
/// through: none where all functions are compiled together.
pub(super) fn called(
    ledger: &impl Ledger,
    pointer: Pointer,
    trap: Option<TrapKind>,
    entries: u32,
) -> Result<Role, String> {
    let role = match pointer {
        Pointer::Context(at) => match at as usize {
            TRAP => trap.map(Role::Trap),
            HELPER => Some(Role::Helper),
            CALL_OTHER => Some(Role::CallOther),
            CHECK_SUBTYPE => Some(Role::Subtype),
            _ => None,
        },
        Pointer::Scratch(at) => scratch(ledger, at, entries, Role::Call, Role::CallLink),
        Pointer::Elsewhere => None,
    };
    let role = role.ok_or_else(|| format!("a call through {pointer:?}"))?;
    if trap.is_some() && !matches!(role, Role::Trap(_)) {
        return Err(format!("{role:?} is no trap"));
    }
    Ok(role)
}

/// What a jump is.
pub(super) fn jumped(ledger: &impl Ledger, pointer: Pointer, entries: u32) -> Result<Role, String> {
    let role = match pointer {
        Pointer::Context(at) => (at as usize == TAIL_OTHER).then_some(Role::TailCallOther),
        Pointer::Scratch(at) => scratch(ledger, at, entries, Role::TailCall, Role::TailCallLink),
        Pointer::Elsewhere => None,
    };
    role.ok_or_else(|| format!("a jump through {pointer:?}"))
}

/// The scratch register points to the table of entries or to a function's link, which only the order of the body can
/// tell apart.
fn scratch(
    ledger: &impl Ledger,
    at: i32,
    entries: u32,
    direct: fn(DefinedFuncIndex) -> Role,
    link: Role,
) -> Option<Role> {
    let number = u32::try_from(at).ok().filter(|at| at.is_multiple_of(8)).map(|at| at / 8);
    let entry = number.filter(|number| *number < entries).map(|number| direct(DefinedFuncIndex(number)));
    entry.filter(|role| ledger.expects(*role)).or((at == ENTRY).then_some(link))
}
