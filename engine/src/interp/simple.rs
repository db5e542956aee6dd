//! Operations that move one slot: locals, globals, constants, references.
//!
//! Vectors are not executed, so every value here has one slot and a local's index is its slot.

use super::dispatch::{Handler, plain};
use super::machine::{Machine, Regs, Trace};
use crate::opcode::{Const, Parametric, Reference, Variable};
use crate::slots::{LocalIndex, SlotIndex};
use crate::trap::TrapKind;
use crate::val::{NULL_SLOT, func_slot};

/// The handler of a parametric instruction.
pub(super) fn parametric<T: Trace, const FUEL: bool>(opcode: Parametric) -> Handler<T, FUEL> {
    match opcode {
        Parametric::Drop => plain(|_, mut r| {
            r.pop();
            Ok(r)
        }),
        Parametric::Select => plain(|_, r| Ok(select(r))),
        Parametric::SelectT => plain(|_, mut r| {
            // The count, which is 1, and the type.
            r.skip_number();
            r.skip_type();
            Ok(select(r))
        }),
    }
}

#[inline(always)]
fn select(mut r: Regs) -> Regs {
    let (condition, second) = (r.pop() as u32, r.pop());
    let first = r.top();
    *first = if condition != 0 { *first } else { second };
    r
}

/// The handler of an instruction on locals or globals.
pub(super) fn variable<T: Trace, const FUEL: bool>(opcode: Variable) -> Handler<T, FUEL> {
    match opcode {
        Variable::LocalGet => plain(|_, mut r| {
            let slot = local(&mut r);
            let value = *r.local(slot);
            r.push(value);
            Ok(r)
        }),
        Variable::LocalSet => plain(|_, mut r| {
            let slot = local(&mut r);
            *r.local(slot) = r.pop();
            Ok(r)
        }),
        Variable::LocalTee => plain(|_, mut r| {
            let slot = local(&mut r);
            *r.local(slot) = *r.top();
            Ok(r)
        }),
        Variable::GlobalGet => plain(|m, mut r| {
            let index = r.u32();
            r.push(*global(m, index));
            Ok(r)
        }),
        Variable::GlobalSet => plain(|m, mut r| {
            let index = r.u32();
            *global(m, index) = r.pop();
            Ok(r)
        }),
    }
}

/// Reads a local's index and gives its slot.
#[inline(always)]
fn local(r: &mut Regs) -> SlotIndex {
    LocalIndex(r.u32()).narrow_slot()
}

#[inline(always)]
fn global<'m, T: Trace, const FUEL: bool>(m: &'m mut Machine<'_, T, FUEL>, index: u32) -> &'m mut u64 {
    let global = m.entity().globals[index as usize];
    &mut m.store.globals[global as usize].value[0]
}

/// The handler of a constant.
pub(super) fn constant<T: Trace, const FUEL: bool>(opcode: Const) -> Handler<T, FUEL> {
    match opcode {
        Const::I32Const => plain(|_, mut r| {
            let value = r.i64() as u32;
            r.push(u64::from(value));
            Ok(r)
        }),
        Const::I64Const => plain(|_, mut r| {
            let value = r.i64() as u64;
            r.push(value);
            Ok(r)
        }),
        Const::F32Const => plain(|_, mut r| {
            let bits = u32::from_le_bytes(r.bytes());
            r.push(u64::from(bits));
            Ok(r)
        }),
        Const::F64Const => plain(|_, mut r| {
            let bits = u64::from_le_bytes(r.bytes());
            r.push(bits);
            Ok(r)
        }),
    }
}

/// The handler of an instruction on references, if the mode executes it.
pub(super) fn reference<T: Trace, const FUEL: bool>(opcode: Reference) -> Option<Handler<T, FUEL>> {
    Some(match opcode {
        Reference::RefNull => plain(|_, mut r| {
            r.skip_number();
            r.push(NULL_SLOT);
            Ok(r)
        }),
        Reference::RefIsNull => plain(|_, mut r| {
            let reference = r.top();
            *reference = u64::from(*reference == NULL_SLOT);
            Ok(r)
        }),
        Reference::RefFunc => plain(|m, mut r| {
            let index = r.u32();
            r.push(func_slot(m.entity().funcs[index as usize]));
            Ok(r)
        }),
        Reference::RefAsNonNull => plain(|_, mut r| {
            if *r.top() == NULL_SLOT {
                return Err(TrapKind::NullReference.into());
            }
            Ok(r)
        }),
        // Of the GC proposal.
        Reference::RefEq => return None,
    })
}
