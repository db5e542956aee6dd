//! The abstract operand stack: what each operand is and where its value is right now.

use crate::native::x64::asm::{Cond, Float, Gpr, Width, Xmm};
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

    /// How a value of it travels; `None` for a float.
    pub fn width(self) -> Width {
        match self {
            Ty::I32 | Ty::F32 => Width::W32,
            Ty::I64 | Ty::F64 | Ty::Ref => Width::W64,
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

/// What the flags say about the last comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Test {
    pub cond: Cond,
    pub parity: Parity,
}

/// What else the parity flag has to say, which is set where an operand was NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parity {
    Ignored,
    /// The test holds only without it.
    Without,
    /// The test holds with it in any case.
    Or,
}

impl Test {
    pub fn of(cond: Cond) -> Test {
        Test { cond, parity: Parity::Ignored }
    }

    pub fn inverted(self) -> Test {
        let parity = match self.parity {
            Parity::Ignored => Parity::Ignored,
            Parity::Without => Parity::Or,
            Parity::Or => Parity::Without,
        };
        Test { cond: self.cond.inverted(), parity }
    }
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Nowhere yet: a constant, zero-extended.
    Const(u64),
    /// Still in a local that has not been written since.
    Local(u32),
    /// In an integer register that belongs to this operand.
    Int(Gpr),
    /// In a floating-point register that belongs to this operand.
    Float(Xmm),
    /// In the operand's own slot.
    Slot,
    /// In the flags; the next instruction takes it.
    Flags(Test),
}

/// An operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Operand {
    pub ty: Ty,
    pub place: Place,
    /// Whether it may be a NaN whose bits are not canonical yet.
    pub raw_nan: bool,
    /// Its position on the stack, which says which slot is its own.
    pub index: u32,
}
