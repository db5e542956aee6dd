//! The abstract operand stack: what each operand is and where its value is right now.

use super::target::Target;
use crate::native::width::{Float, Width};
use crate::slots::SlotIndex;
use crate::types::ValType;

/// The type of an operand, as far as machine code cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ty {
    I32,
    I64,
    F32,
    F64,
    Ref,
}

impl Ty {
    pub fn of(ty: ValType) -> Ty {
        match ty {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::Ref(_) => Ty::Ref,
            ValType::V128 => unreachable!("modules with vectors are refused"),
        }
    }

    /// How many bits a value of it has.
    pub fn width(self) -> Width {
        match self {
            Ty::I32 | Ty::F32 => Width::W32,
            Ty::I64 | Ty::F64 | Ty::Ref => Width::W64,
        }
    }

    /// How many slots a value of it takes.
    pub fn slots(self) -> u32 {
        match self {
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 | Ty::Ref => 1,
        }
    }

    /// The precision of a float; `None` for what travels in integer registers.
    pub fn float(self) -> Option<Float> {
        match self {
            Ty::F32 => Some(Float::Single),
            Ty::F64 => Some(Float::Double),
            Ty::I32 | Ty::I64 | Ty::Ref => None,
        }
    }
}

/// A slot of 8 bytes in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slot {
    /// Of the frame: parameters and locals come first, then the operand stack.
    Frame(u32),
    /// Of what the assembler has found last: the argument buffer or a global's value.
    Found(u32),
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place<T: Target> {
    /// In no register and no slot yet: a constant, zero-extended.
    Const(u64),
    /// Still in a local that has not been written since.
    Local(u32),
    /// In an integer register that belongs to this operand.
    Int(T::Int),
    /// In a floating-point register that belongs to this operand.
    Float(T::Float),
    /// In the operand's own slot.
    Slot,
    /// In the outcome of the last comparison; the next instruction takes it.
    Outcome(T::Test),
}

/// An operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Operand<T: Target> {
    pub ty: Ty,
    pub place: Place<T>,
    /// Whether it may be a NaN whose bits are not canonical yet.
    pub raw_nan: bool,
    /// The first slot of its own, counted from that of the lowest operand.
    pub slot: SlotIndex,
}
