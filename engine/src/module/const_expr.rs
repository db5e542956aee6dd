//! Constant expressions: what initialises globals, tables, elements and offsets.
//!
//! They are decoded once and evaluated on a small stack of values. They cost no fuel and, but for
//! allocation, cannot fail.

use super::OpcodeSet;
use crate::error::Error;
use crate::opcode::Opcode;

/// A constant expression in postfix order.
#[derive(Debug)]
pub(crate) struct ConstExpr {
    pub ops: Box<[ConstOp]>,
}

/// One step of a constant expression.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConstOp {
    /// A 32- or 64-bit constant, as it lies in a slot.
    Slot(u64),
    /// A vector constant.
    Vector(u128),
    /// A null reference.
    Null,
    GlobalGet(u32),
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
    /// Something no mode executes yet; a module that has it is refused before it is evaluated.
    Unsupported,
}

impl ConstExpr {
    /// Decodes a validated expression; notes its opcodes.
    pub fn decode(expr: &wasmparser::ConstExpr<'_>, opcodes: &mut OpcodeSet) -> Result<ConstExpr, Error> {
        use wasmparser::Operator as O;
        let mut ops = Vec::with_capacity(1);
        let mut reader = expr.get_operators_reader();
        loop {
            let mut bytes = reader.get_binary_reader();
            let at = bytes.read_bytes(bytes.bytes_remaining()).map_err(Error::decode)?;
            let op = reader.read().map_err(Error::decode)?;
            if let Some((opcode, _)) = Opcode::decode(at) {
                opcodes.insert(opcode);
            }
            ops.push(match op {
                O::End => break,
                O::I32Const { value } => ConstOp::Slot(u64::from(value as u32)),
                O::I64Const { value } => ConstOp::Slot(value as u64),
                O::F32Const { value } => ConstOp::Slot(u64::from(value.bits())),
                O::F64Const { value } => ConstOp::Slot(value.bits()),
                O::V128Const { value } => ConstOp::Vector(u128::from_le_bytes(*value.bytes())),
                O::RefNull { .. } => ConstOp::Null,
                O::RefFunc { function_index } => ConstOp::RefFunc(function_index),
                O::GlobalGet { global_index } => ConstOp::GlobalGet(global_index),
                O::I32Add => ConstOp::I32Add,
                O::I32Sub => ConstOp::I32Sub,
                O::I32Mul => ConstOp::I32Mul,
                O::I64Add => ConstOp::I64Add,
                O::I64Sub => ConstOp::I64Sub,
                O::I64Mul => ConstOp::I64Mul,
                // The remaining constant instructions are those of the GC proposal.
                _ => ConstOp::Unsupported,
            });
        }
        Ok(ConstExpr { ops: ops.into() })
    }
}
