//! Numeric instructions: a handler for each opcode's meaning and each useful pair of operand places.
//!
//! The meanings come from [`crate::numeric`] as functions without a name; this file names no opcode.
//! Any meaning that cannot trap can also decide a branch, which is how comparisons are mostly used.

use super::super::dispatch::{Class, Flow, Machine, Op, handler};
use super::{ACCUMULATOR, IMMEDIATE, SLOT, conjure, operand, result, words};
use crate::numeric::{Slot, Visitor};
use crate::trap::TrapKind;
use std::any::TypeId;
use std::marker::PhantomData;

/// Two handlers of the same instruction: one writes its result to a slot as well, the other leaves it
/// in the accumulator only.
#[derive(Clone, Copy)]
pub(in super::super) struct Results {
    pub stored: u64,
    pub quiet: u64,
}

/// Two handlers of the same branch: one branches on zero, the other on anything else.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Branches {
    pub on_zero: u64,
    pub on_nonzero: u64,
}

/// Where the operands of a binary instruction are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Places {
    SlotSlot,
    SlotAccumulator,
    AccumulatorSlot,
    SlotImmediate,
    AccumulatorImmediate,
    ImmediateSlot,
}

/// Handlers of an opcode with one operand, by whether it is in the accumulator.
pub(in super::super) struct UnaryForms {
    pub class: Class,
    pub result: Class,
    pub may_trap: bool,
    pub computes: [Results; 2],
    /// For what gives an `i32` and cannot trap.
    pub branches: Option<[Branches; 2]>,
}

/// Handlers of an opcode with two operands, by [`Places`].
pub(in super::super) struct BinaryForms {
    pub left: Class,
    pub right: Class,
    pub result: Class,
    pub may_trap: bool,
    /// Whether an immediate takes a word of its own.
    pub wide_immediate: bool,
    pub computes: [Results; 6],
    /// For what gives an `i32` and cannot trap, all but the last of [`Places`].
    pub branches: Option<[Branches; 5]>,
}

/// Handlers of a numeric opcode.
pub(in super::super) enum Forms {
    Unary(UnaryForms),
    Binary(BinaryForms),
}

/// Makes the handlers of an opcode.
pub(in super::super) struct FormsOf;

impl Visitor for FormsOf {
    type Output = Forms;

    fn unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> R + Copy + 'static) -> Forms {
        unary_forms(f)
    }

    fn binary<A: Slot, B: Slot, R: Slot>(self, f: impl Fn(A, B) -> R + Copy + 'static) -> Forms {
        binary_forms(f)
    }

    fn try_unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> Result<R, TrapKind> + Copy + 'static) -> Forms {
        try_unary_forms(f)
    }

    fn try_binary<A: Slot, B: Slot, R: Slot>(
        self,
        f: impl Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Forms {
        try_binary_forms(f)
    }
}

fn unary_forms<F: Fn(A) -> R + Copy + 'static, A: Slot, R: Slot>(_: F) -> Forms {
    fn computes<F: Fn(A) -> R + Copy + 'static, A: Slot, R: Slot, const PLACE: u8>() -> Results {
        Results {
            stored: handler::<Unary<F, A, R, PLACE, true>>(),
            quiet: handler::<Unary<F, A, R, PLACE, false>>(),
        }
    }
    fn branches<F: Fn(A) -> R + Copy + 'static, A: Slot, R: Slot, const PLACE: u8>() -> Branches {
        Branches {
            on_zero: handler::<UnaryBranch<F, A, R, PLACE, false>>(),
            on_nonzero: handler::<UnaryBranch<F, A, R, PLACE, true>>(),
        }
    }
    Forms::Unary(UnaryForms {
        class: Class::of::<A>(),
        result: result_class::<A, R>(),
        may_trap: false,
        computes: [computes::<F, A, R, SLOT>(), computes::<F, A, R, ACCUMULATOR>()],
        branches: match const { size_of::<R>() <= 4 } {
            true => Some([branches::<F, A, R, SLOT>(), branches::<F, A, R, ACCUMULATOR>()]),
            false => None,
        },
    })
}

fn try_unary_forms<F: Fn(A) -> Result<R, TrapKind> + Copy + 'static, A: Slot, R: Slot>(_: F) -> Forms {
    fn computes<F, A: Slot, R: Slot, const PLACE: u8>() -> Results
    where
        F: Fn(A) -> Result<R, TrapKind> + Copy + 'static,
    {
        Results {
            stored: handler::<TryUnary<F, A, R, PLACE, true>>(),
            quiet: handler::<TryUnary<F, A, R, PLACE, false>>(),
        }
    }
    Forms::Unary(UnaryForms {
        class: Class::of::<A>(),
        result: result_class::<A, R>(),
        may_trap: true,
        computes: [computes::<F, A, R, SLOT>(), computes::<F, A, R, ACCUMULATOR>()],
        branches: None,
    })
}

fn binary_forms<F: Fn(A, B) -> R + Copy + 'static, A: Slot, B: Slot, R: Slot>(_: F) -> Forms {
    fn computes<F, A: Slot, B: Slot, R: Slot, const LEFT: u8, const RIGHT: u8>() -> Results
    where
        F: Fn(A, B) -> R + Copy + 'static,
    {
        Results {
            stored: handler::<Binary<F, A, B, R, LEFT, RIGHT, true>>(),
            quiet: handler::<Binary<F, A, B, R, LEFT, RIGHT, false>>(),
        }
    }
    fn branches<F, A: Slot, B: Slot, R: Slot, const LEFT: u8, const RIGHT: u8>() -> Branches
    where
        F: Fn(A, B) -> R + Copy + 'static,
    {
        Branches {
            on_zero: handler::<BinaryBranch<F, A, B, R, LEFT, RIGHT, false>>(),
            on_nonzero: handler::<BinaryBranch<F, A, B, R, LEFT, RIGHT, true>>(),
        }
    }
    Forms::Binary(BinaryForms {
        left: Class::of::<A>(),
        right: Class::of::<B>(),
        result: result_class::<A, R>(),
        may_trap: false,
        wide_immediate: words::<B>(IMMEDIATE) == 3,
        computes: [
            computes::<F, A, B, R, SLOT, SLOT>(),
            computes::<F, A, B, R, SLOT, ACCUMULATOR>(),
            computes::<F, A, B, R, ACCUMULATOR, SLOT>(),
            computes::<F, A, B, R, SLOT, IMMEDIATE>(),
            computes::<F, A, B, R, ACCUMULATOR, IMMEDIATE>(),
            computes::<F, A, B, R, IMMEDIATE, SLOT>(),
        ],
        branches: match const { size_of::<R>() <= 4 } {
            true => Some([
                branches::<F, A, B, R, SLOT, SLOT>(),
                branches::<F, A, B, R, SLOT, ACCUMULATOR>(),
                branches::<F, A, B, R, ACCUMULATOR, SLOT>(),
                branches::<F, A, B, R, SLOT, IMMEDIATE>(),
                branches::<F, A, B, R, ACCUMULATOR, IMMEDIATE>(),
            ]),
            false => None,
        },
    })
}

fn try_binary_forms<F, A: Slot, B: Slot, R: Slot>(_: F) -> Forms
where
    F: Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
{
    fn computes<F, A: Slot, B: Slot, R: Slot, const LEFT: u8, const RIGHT: u8>() -> Results
    where
        F: Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    {
        Results {
            stored: handler::<TryBinary<F, A, B, R, LEFT, RIGHT, true>>(),
            quiet: handler::<TryBinary<F, A, B, R, LEFT, RIGHT, false>>(),
        }
    }
    Forms::Binary(BinaryForms {
        left: Class::of::<A>(),
        right: Class::of::<B>(),
        result: result_class::<A, R>(),
        may_trap: true,
        wide_immediate: words::<B>(IMMEDIATE) == 3,
        computes: [
            computes::<F, A, B, R, SLOT, SLOT>(),
            computes::<F, A, B, R, SLOT, ACCUMULATOR>(),
            computes::<F, A, B, R, ACCUMULATOR, SLOT>(),
            computes::<F, A, B, R, SLOT, IMMEDIATE>(),
            computes::<F, A, B, R, ACCUMULATOR, IMMEDIATE>(),
            computes::<F, A, B, R, IMMEDIATE, SLOT>(),
        ],
        branches: None,
    })
}

/// The accumulator for what a meaning computes. One that takes a float and gives an unsigned integer
/// mostly gives the bits of a float.
#[inline(always)]
fn result_class<A: Slot, R: Slot>() -> Class {
    let bits = [TypeId::of::<u32>(), TypeId::of::<u64>()];
    if Class::of::<A>() == Class::Int || !bits.contains(&TypeId::of::<R>()) {
        Class::of::<R>()
    } else if size_of::<R>() == 4 {
        Class::Single
    } else {
        Class::Double
    }
}

/// Field of the right operand's slot: behind the left one's, if that has one.
const fn right_field(left: u8) -> usize {
    if left == SLOT { 2 } else { 1 }
}

struct Unary<F, A, R, const PLACE: u8, const STORED: bool>(PhantomData<(F, A, R)>);

impl<F: Fn(A) -> R + Copy + 'static, A: Slot, R: Slot, const PLACE: u8, const STORED: bool> Op
    for Unary<F, A, R, PLACE, STORED>
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let value = conjure::<F>()(operand::<A, PLACE>(machine, 1));
            result::<STORED>(machine, result_class::<A, R>(), value.to_slot());
            machine.advance(2)
        }
    }
}

struct TryUnary<F, A, R, const PLACE: u8, const STORED: bool>(PhantomData<(F, A, R)>);

impl<F, A: Slot, R: Slot, const PLACE: u8, const STORED: bool> Op for TryUnary<F, A, R, PLACE, STORED>
where
    F: Fn(A) -> Result<R, TrapKind> + Copy + 'static,
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            match conjure::<F>()(operand::<A, PLACE>(machine, 1)) {
                Ok(value) => result::<STORED>(machine, result_class::<A, R>(), value.to_slot()),
                Err(kind) => return machine.trap(kind),
            }
            machine.advance(2)
        }
    }
}

struct Binary<F, A, B, R, const LEFT: u8, const RIGHT: u8, const STORED: bool>(PhantomData<(F, A, B, R)>);

impl<F, A: Slot, B: Slot, R: Slot, const LEFT: u8, const RIGHT: u8, const STORED: bool> Op
    for Binary<F, A, B, R, LEFT, RIGHT, STORED>
where
    F: Fn(A, B) -> R + Copy + 'static,
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let left = operand::<A, LEFT>(machine, 1);
            let right = operand::<B, RIGHT>(machine, right_field(LEFT));
            let value = conjure::<F>()(left, right);
            result::<STORED>(machine, result_class::<A, R>(), value.to_slot());
            machine.advance(words::<A>(LEFT) + words::<B>(RIGHT) - 2)
        }
    }
}

struct TryBinary<F, A, B, R, const LEFT: u8, const RIGHT: u8, const STORED: bool>(PhantomData<(F, A, B, R)>);

impl<F, A: Slot, B: Slot, R: Slot, const LEFT: u8, const RIGHT: u8, const STORED: bool> Op
    for TryBinary<F, A, B, R, LEFT, RIGHT, STORED>
where
    F: Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let left = operand::<A, LEFT>(machine, 1);
            let right = operand::<B, RIGHT>(machine, right_field(LEFT));
            match conjure::<F>()(left, right) {
                Ok(value) => result::<STORED>(machine, result_class::<A, R>(), value.to_slot()),
                Err(kind) => return machine.trap(kind),
            }
            machine.advance(words::<A>(LEFT) + words::<B>(RIGHT) - 2)
        }
    }
}

/// Reads an operand of a branch, whose immediate always has a word of its own.
#[inline(always)]
unsafe fn branch_operand<T: Slot, const PLACE: u8>(machine: &Machine, field: usize) -> T {
    // SAFETY: the caller's.
    let slot = unsafe {
        match PLACE {
            SLOT => machine.slot(machine.field(field)),
            ACCUMULATOR => machine.accumulator(Class::of::<T>()),
            _ => machine.word(2),
        }
    };
    T::from_slot(slot)
}

struct UnaryBranch<F, A, R, const PLACE: u8, const ON_NONZERO: bool>(PhantomData<(F, A, R)>);

impl<F: Fn(A) -> R + Copy + 'static, A: Slot, R: Slot, const PLACE: u8, const ON_NONZERO: bool> Op
    for UnaryBranch<F, A, R, PLACE, ON_NONZERO>
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let value = conjure::<F>()(branch_operand::<A, PLACE>(machine, 0));
            if (value.to_slot() as u32 != 0) == ON_NONZERO {
                machine.branch(machine.half(1) as i32)
            } else {
                machine.advance(2)
            }
        }
    }
}

struct BinaryBranch<F, A, B, R, const LEFT: u8, const RIGHT: u8, const ON_NONZERO: bool>(
    PhantomData<(F, A, B, R)>,
);

impl<F, A: Slot, B: Slot, R: Slot, const LEFT: u8, const RIGHT: u8, const ON_NONZERO: bool> Op
    for BinaryBranch<F, A, B, R, LEFT, RIGHT, ON_NONZERO>
where
    F: Fn(A, B) -> R + Copy + 'static,
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let left = branch_operand::<A, LEFT>(machine, 0);
            let right = branch_operand::<B, RIGHT>(machine, right_field(LEFT) - 1);
            if (conjure::<F>()(left, right).to_slot() as u32 != 0) == ON_NONZERO {
                machine.branch(machine.half(1) as i32)
            } else {
                machine.advance(if RIGHT == IMMEDIATE { 3 } else { 2 })
            }
        }
    }
}
