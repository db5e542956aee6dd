//! The scalar operators that bodies compute with, read from the engine's opcode table: a new row is used at once.

use super::Choices;
use super::types::Ty;
use crate::wasm::instruction::write_code;
use crosscheck_engine::opcode::{Family, Numeric, Opcode, Operand, Proposal, Row};
use std::sync::LazyLock;

/// An operator without immediates that takes numbers and gives one.
pub(in crate::generate) struct Operator {
    pub opcode: Numeric,
    code: Vec<u8>,
    pub operands: Vec<Ty>,
    pub danger: Danger,
    /// Whether the result may be a NaN whose bits the specification leaves open (section 4.3.3).
    pub new_nans: bool,
    pub proposal: Proposal,
    floats: bool,
}

/// What an operator traps of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::generate) enum Danger {
    None,
    /// A divisor of zero.
    Division,
    /// A float that is no such integer.
    Truncation,
}

/// The operators that give an `i32`, an `i64`, an `f32` and an `f64`.
static OPERATORS: LazyLock<[Vec<Operator>; 4]> = LazyLock::new(|| {
    [Ty::I32, Ty::I64, Ty::F32, Ty::F64].map(|result| {
        let rows = Opcode::all().map(Opcode::row).filter(|row| row.family == Family::Numeric);
        rows.filter(|row| row.results.len() == 1 && number(row.results[0]) == result).map(operator).collect()
    })
});

fn number(operand: Operand) -> Ty {
    match operand {
        Operand::I32 => Ty::I32,
        Operand::I64 => Ty::I64,
        Operand::F32 => Ty::F32,
        Operand::F64 => Ty::F64,
        Operand::V128 | Operand::Address | Operand::Ref | Operand::Any | Operand::Many => {
            unreachable!("a numeric operator takes and gives numbers")
        }
    }
}

fn operator(row: &'static Row) -> Operator {
    let mut code = Vec::new();
    write_code(row, &mut code);
    let (ty, name) = row.text.split_once('.').expect("a numeric operator is named type.name");
    let danger = match name {
        "div_s" | "div_u" | "rem_s" | "rem_u" => Danger::Division,
        _ if name.starts_with("trunc_f") => Danger::Truncation,
        _ => Danger::None,
    };
    let exact = ["abs", "neg", "copysign"].contains(&name)
        || name.starts_with("convert")
        || name.starts_with("reinterpret");
    let operands: Vec<Ty> = row.operands.iter().map(|operand| number(*operand)).collect();
    let is_float = |ty: &Ty| matches!(ty, Ty::F32 | Ty::F64);
    let float_result = is_float(&number(row.results[0]));
    let Opcode::Numeric(opcode) = row.opcode else { unreachable!("the rows are of this family") };
    Operator {
        opcode,
        code,
        danger,
        new_nans: ty.starts_with('f') && float_result && !exact,
        proposal: row.proposal,
        floats: float_result || operands.iter().any(is_float),
        operands,
    }
}

impl Operator {
    /// The operators that give a number of that type.
    pub fn giving(result: Ty) -> &'static [Operator] {
        let [i32s, i64s, f32s, f64s] = &*OPERATORS;
        match result {
            Ty::I32 => i32s,
            Ty::I64 => i64s,
            Ty::F32 => f32s,
            Ty::F64 => f64s,
            Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("operators give numbers"),
        }
    }

    /// Whether a case has it.
    pub(in crate::generate::linked) fn allowed(&self, choices: &Choices) -> bool {
        let proposal = match self.proposal {
            Proposal::SignExtensionOps => choices.sign_extension,
            Proposal::NontrappingFloatToInt => choices.saturating,
            other => other == Proposal::Mvp,
        };
        proposal && (choices.floats || !self.floats)
    }

    /// Writes it.
    pub fn write(&self, code: &mut Vec<u8>) {
        code.extend_from_slice(&self.code);
    }
}

/// A load or store: its code, and the logarithm of its width in bytes.
#[derive(Clone, Copy)]
pub(in crate::generate) struct Access {
    pub code: u8,
    pub width: u32,
}

const fn access(code: u8, width: u32) -> Access {
    Access { code, width }
}

/// The loads that give a number of that type.
pub(in crate::generate) fn loads(ty: Ty) -> &'static [Access] {
    match ty {
        Ty::I32 => {
            const { &[access(0x28, 2), access(0x2c, 0), access(0x2d, 0), access(0x2e, 1), access(0x2f, 1)] }
        }
        Ty::I64 => {
            const {
                &[
                    access(0x29, 3),
                    access(0x30, 0),
                    access(0x31, 0),
                    access(0x32, 1),
                    access(0x33, 1),
                    access(0x34, 2),
                    access(0x35, 2),
                ]
            }
        }
        Ty::F32 => const { &[access(0x2a, 2)] },
        Ty::F64 => const { &[access(0x2b, 3)] },
        Ty::Func | Ty::Extern | Ty::Typed { .. } => &[],
    }
}

/// The stores of a number of that type.
pub(in crate::generate) fn stores(ty: Ty) -> &'static [Access] {
    match ty {
        Ty::I32 => const { &[access(0x36, 2), access(0x3a, 0), access(0x3b, 1)] },
        Ty::I64 => const { &[access(0x37, 3), access(0x3c, 0), access(0x3d, 1), access(0x3e, 2)] },
        Ty::F32 => const { &[access(0x38, 2)] },
        Ty::F64 => const { &[access(0x39, 3)] },
        Ty::Func | Ty::Extern | Ty::Typed { .. } => &[],
    }
}
