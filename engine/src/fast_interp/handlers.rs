//! The instructions themselves, by what they touch, and the tables by which lowering finds the handler
//! of an opcode for the places its operands are in.

pub(super) mod access;
pub(super) mod bulk;
pub(super) mod call;
pub(super) mod control;
pub(super) mod numeric;

use super::dispatch::{Class, Machine};
use crate::numeric::Slot;

/// The operand is in a slot that a field names.
pub(super) const SLOT: u8 = 0;
/// The operand is in the accumulator of its class.
pub(super) const ACCUMULATOR: u8 = 1;
/// The operand is in the instruction.
pub(super) const IMMEDIATE: u8 = 2;

/// The function whose type is `F`: one that captures nothing is known by its type alone.
#[inline(always)]
pub(super) fn conjure<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "functions that capture something have no handlers") };
    // SAFETY: a value without bytes can be read anywhere, and `F` is `Copy`, so that one more does no
    // harm: code that names the type was given a value of it.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// Reads an operand: the slot that field `field` names, the accumulator, or an immediate.
///
/// # Safety
/// As for [`super::dispatch::Op::run`].
#[inline(always)]
pub(super) unsafe fn operand<T: Slot, const PLACE: u8>(machine: &Machine, field: usize) -> T {
    // SAFETY: the caller's.
    let slot = unsafe {
        match PLACE {
            SLOT => machine.slot(machine.field(field)),
            ACCUMULATOR => machine.accumulator(Class::of::<T>()),
            _ if size_of::<T>() <= 4 => u64::from(machine.half(1)),
            _ => machine.word(2),
        }
    };
    T::from_slot(slot)
}

/// Words of an instruction with an operand of type `T` in such a place.
pub(super) const fn words<T>(place: u8) -> usize {
    if place == IMMEDIATE && size_of::<T>() > 4 { 3 } else { 2 }
}

/// Writes a result, as a slot, to its accumulator, and to the slot that field 0 names if `STORED`.
///
/// # Safety
/// As for [`super::dispatch::Op::run`].
#[inline(always)]
pub(super) unsafe fn result<const STORED: bool>(machine: &mut Machine, class: Class, slot: u64) {
    if STORED {
        // SAFETY: the caller's.
        unsafe { machine.set_slot(machine.field(0), slot) };
    }
    machine.set_accumulator(class, slot);
}
