//! Moves between slots, selection, globals, jumps and fuel.

use super::super::dispatch::{Flow, Machine, Op};
use super::{ACCUMULATOR, IMMEDIATE, SLOT};
use crate::trap::TrapKind;

/// `slot = slot`
pub(in super::super) struct Copy1;

impl Op for Copy1 {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            machine.int = machine.slot(machine.field(1));
            machine.set_slot(machine.field(0), machine.int);
            machine.advance(2)
        }
    }
}

/// Two slots in a row from two others. The accumulator keeps the last.
pub(in super::super) struct Copy2;

impl Op for Copy2 {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let first = machine.slot(machine.field(1));
            machine.int = machine.slot(machine.field(2));
            machine.set_slot(machine.field(0), first);
            machine.set_slot(machine.field(0) + 1, machine.int);
            machine.advance(2)
        }
    }
}

/// Three slots in a row from three others. The accumulator keeps the last.
pub(in super::super) struct Copy3;

impl Op for Copy3 {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let (first, second) = (machine.slot(machine.field(1)), machine.slot(machine.field(2)));
            machine.int = machine.slot(machine.field(3));
            machine.set_slot(machine.field(0), first);
            machine.set_slot(machine.field(0) + 1, second);
            machine.set_slot(machine.field(0) + 2, machine.int);
            machine.advance(2)
        }
    }
}

/// A slot from the accumulator.
pub(in super::super) struct CopyAccumulator;

impl Op for CopyAccumulator {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            machine.set_slot(machine.field(0), machine.int);
            machine.advance(2)
        }
    }
}

/// A slot from another, both numbered with 32 bits.
pub(in super::super) struct CopyWide;

impl Op for CopyWide {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            machine.int = machine.slot(machine.half(1) as usize);
            machine.set_slot(machine.half(0) as usize, machine.int);
            machine.advance(2)
        }
    }
}

/// A run of slots from another, which may overlap; the count is the third word.
pub(in super::super) struct CopySpan;

impl Op for CopySpan {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; both runs belong to the frame.
        unsafe {
            let (to, from, count) = (machine.half(0), machine.half(1), machine.word(2));
            std::ptr::copy(machine.fp.add(from as usize), machine.fp.add(to as usize), count as usize);
            machine.advance(3)
        }
    }
}

/// A slot from an immediate: 32 bits, zero-extended.
pub(in super::super) struct Constant;

impl Op for Constant {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            machine.int = u64::from(machine.half(1));
            machine.set_slot(machine.field(0), machine.int);
            machine.advance(2)
        }
    }
}

/// A slot from an immediate of 64 bits.
pub(in super::super) struct ConstantWide;

impl Op for ConstantWide {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            machine.int = machine.word(2);
            machine.set_slot(machine.field(0), machine.int);
            machine.advance(3)
        }
    }
}

/// One of two operands, by a condition.
pub(in super::super) struct Select<const CONDITION: u8, const LEFT: u8, const RIGHT: u8>;

impl<const CONDITION: u8, const LEFT: u8, const RIGHT: u8> Op for Select<CONDITION, LEFT, RIGHT> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let condition = match CONDITION {
                SLOT => machine.slot(machine.field(1)),
                _ => machine.int,
            };
            let left = if LEFT == SLOT { machine.slot(machine.field(2)) } else { machine.word(2) };
            let right = match (LEFT, RIGHT) {
                (_, SLOT) => machine.slot(machine.field(3)),
                (SLOT, _) => machine.word(2),
                (_, _) => machine.word(3),
            };
            machine.int = if condition as u32 != 0 { left } else { right };
            machine.set_slot(machine.field(0), machine.int);
            machine.advance(2 + (LEFT == IMMEDIATE) as usize + (RIGHT == IMMEDIATE) as usize)
        }
    }
}

/// Reads a global.
pub(in super::super) struct GlobalGet;

impl Op for GlobalGet {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the index is one of the instance's globals.
        unsafe {
            machine.int = global(machine).read();
            machine.set_slot(machine.field(0), machine.int);
            machine.advance(2)
        }
    }
}

/// Writes a global.
pub(in super::super) struct GlobalSet<const PLACE: u8>;

impl<const PLACE: u8> Op for GlobalSet<PLACE> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the index is one of the instance's globals.
        unsafe {
            let value = match PLACE {
                SLOT => machine.slot(machine.field(0)),
                ACCUMULATOR => machine.int,
                _ => machine.word(2),
            };
            global(machine).write(value);
            machine.advance(if PLACE == IMMEDIATE { 3 } else { 2 })
        }
    }
}

/// The value of the global whose index is the second half.
#[inline(always)]
unsafe fn global(machine: &Machine) -> *mut u64 {
    // SAFETY: the caller's.
    unsafe {
        let context = &*machine.context;
        let number = context.global_numbers.add(machine.half(1) as usize).read();
        (&raw mut *(*context.globals.add(number as usize)).value).cast()
    }
}

/// Goes elsewhere.
pub(in super::super) struct Jump;

impl Op for Jump {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe { machine.branch(machine.half(1) as i32) }
    }
}

/// Goes where a table of branch distances says; the second half is the table's length.
pub(in super::super) struct JumpTable<const PLACE: u8>;

impl<const PLACE: u8> Op for JumpTable<PLACE> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the table lies behind the operand word.
        unsafe {
            let index =
                if PLACE == SLOT { machine.slot(machine.field(0)) as u32 } else { machine.int as u32 };
            let index = index.min(machine.half(1) - 1);
            let distance = machine.ip.add(2).cast::<i32>().add(index as usize).read();
            machine.branch(distance)
        }
    }
}

/// Traps.
pub(in super::super) struct Unreachable;

impl Op for Unreachable {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe { machine.trap(TrapKind::Unreachable) }
    }
}

/// Pays for the straight-line run that begins here.
pub(in super::super) struct Fuel;

impl Op for Fuel {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the context is the running activation's.
        unsafe {
            let cost = u64::from(machine.half(1));
            let left = &raw mut (*machine.context).fuel;
            match left.read().checked_sub(cost) {
                Some(rest) => left.write(rest),
                None => return machine.trap(TrapKind::OutOfFuel),
            }
            machine.advance(2)
        }
    }
}
