//! The scalar operators that bodies compute with, read from the engine's opcode table: a new row is used at once.

use super::Choices;
use super::types::Ty;
use crate::generate::numbers::NUMBERS;
use crate::wasm::instruction::write_code;
use crosscheck_engine::opcode::{Family, Load, Numeric, NumericKind, Opcode, Operand, Proposal, Row, Store};
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
    NUMBERS.map(|result| {
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
    let operands: Vec<Ty> = row.operands.iter().map(|operand| number(*operand)).collect();
    let float_result = row.results[0].is_float();
    let Opcode::Numeric(opcode) = row.opcode else { unreachable!("the rows are of this family") };
    let (danger, new_nans) = match opcode.kind() {
        NumericKind::Division | NumericKind::Remainder => (Danger::Division, false),
        NumericKind::Truncation => (Danger::Truncation, false),
        NumericKind::Arithmetic | NumericKind::Rounding | NumericKind::Precision => {
            (Danger::None, float_result)
        }
        NumericKind::Test
        | NumericKind::Comparison
        | NumericKind::BitCount
        | NumericKind::Bitwise
        | NumericKind::Shift
        | NumericKind::Sign
        | NumericKind::SignExtension
        | NumericKind::Resize
        | NumericKind::Saturation
        | NumericKind::Conversion
        | NumericKind::Reinterpretation => (Danger::None, false),
    };
    Operator {
        opcode,
        code,
        danger,
        new_nans,
        proposal: row.proposal,
        floats: float_result || row.operands.iter().any(|operand| operand.is_float()),
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

    /// The operators of a kind that take values of that type, in the order of the table.
    pub fn of_kind(kind: NumericKind, operand: Ty) -> Vec<&'static Operator> {
        let operators = OPERATORS.iter().flatten();
        let mut found: Vec<_> = operators
            .filter(|operator| operator.opcode.kind() == kind && operator.operands[0] == operand)
            .collect();
        found.sort_by_key(|operator| operator.opcode as u16);
        found
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

/// Loads that give an `i32`, an `i64`, an `f32` and an `f64`.
static LOADS: LazyLock<[Vec<Access>; 4]> =
    LazyLock::new(|| accesses(Load::ALL.iter().map(|load| (load.row(), load.width())), |row| row.results[0]));

/// Stores of an `i32`, an `i64`, an `f32` and an `f64`.
static STORES: LazyLock<[Vec<Access>; 4]> = LazyLock::new(|| {
    accesses(Store::ALL.iter().map(|store| (store.row(), store.width())), |row| row.operands[1])
});

/// Accesses by the number they move; the rows come with their widths in bytes.
fn accesses(
    rows: impl Iterator<Item = (&'static Row, u32)> + Clone,
    moved: fn(&Row) -> Operand,
) -> [Vec<Access>; 4] {
    let access = |(row, width): (&Row, u32)| Access {
        code: row.opcode.byte().expect("loads and stores of numbers have no prefix"),
        width: width.ilog2(),
    };
    NUMBERS.map(|ty| rows.clone().filter(|(row, _)| number(moved(row)) == ty).map(access).collect())
}

/// The loads that give a number of that type.
pub(in crate::generate) fn loads(ty: Ty) -> &'static [Access] {
    of_number(&LOADS, ty)
}

/// The stores of a number of that type.
pub(in crate::generate) fn stores(ty: Ty) -> &'static [Access] {
    of_number(&STORES, ty)
}

fn of_number(accesses: &'static [Vec<Access>; 4], ty: Ty) -> &'static [Access] {
    NUMBERS.iter().position(|number| *number == ty).map_or(&[], |number| &accesses[number])
}
