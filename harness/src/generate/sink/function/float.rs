//! Makes the NaNs that an operator may have made canonical, in WebAssembly itself.
//!
//! A NaN is the only value that differs from itself. So the result is compared with itself, lane by lane, and a
//! constant takes its place where it differs. NaNs that were there before, in arguments, constants and
//! memory, keep their bits: moving them is exact in every engine.

use wasm_encoder::{InstructionSink, ValType};
use wasmparser::Operator;

/// A shape of floating-point value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::generate) enum Float {
    F32,
    F64,
    F32x4,
    F64x2,
}

/// The positive canonical NaN (specification, section 2.2.3, "Floating-Point").
const NAN32: u32 = 0x7fc0_0000;
/// The same with 64 bits.
const NAN64: u64 = 0x7ff8_0000_0000_0000;
const NAN32X4: u128 = NAN32 as u128 * 0x1_0000_0001_0000_0001_0000_0001;
const NAN64X2: u128 = NAN64 as u128 * 0x1_0000_0000_0000_0001;

impl Float {
    /// The shape of an operator's result, if it may be a NaN that no operand was to the bit (section 4.3.3).
    ///
    /// Not `abs`, `neg`, `copysign` and the pseudo-minima: they are exact. Relaxed operators have more than NaN
    /// bits left open, so there is no use in them here.
    pub(in crate::generate) fn of_new_nans(operator: &Operator<'_>) -> Option<Float> {
        match operator {
            Operator::F32Add
            | Operator::F32Sub
            | Operator::F32Mul
            | Operator::F32Div
            | Operator::F32Sqrt
            | Operator::F32Min
            | Operator::F32Max
            | Operator::F32Ceil
            | Operator::F32Floor
            | Operator::F32Trunc
            | Operator::F32Nearest
            | Operator::F32DemoteF64 => Some(Float::F32),
            Operator::F64Add
            | Operator::F64Sub
            | Operator::F64Mul
            | Operator::F64Div
            | Operator::F64Sqrt
            | Operator::F64Min
            | Operator::F64Max
            | Operator::F64Ceil
            | Operator::F64Floor
            | Operator::F64Trunc
            | Operator::F64Nearest
            | Operator::F64PromoteF32 => Some(Float::F64),
            Operator::F32x4Add
            | Operator::F32x4Sub
            | Operator::F32x4Mul
            | Operator::F32x4Div
            | Operator::F32x4Sqrt
            | Operator::F32x4Min
            | Operator::F32x4Max
            | Operator::F32x4Ceil
            | Operator::F32x4Floor
            | Operator::F32x4Trunc
            | Operator::F32x4Nearest
            | Operator::F32x4DemoteF64x2Zero => Some(Float::F32x4),
            Operator::F64x2Add
            | Operator::F64x2Sub
            | Operator::F64x2Mul
            | Operator::F64x2Div
            | Operator::F64x2Sqrt
            | Operator::F64x2Min
            | Operator::F64x2Max
            | Operator::F64x2Ceil
            | Operator::F64x2Floor
            | Operator::F64x2Trunc
            | Operator::F64x2Nearest
            | Operator::F64x2PromoteLowF32x4 => Some(Float::F64x2),
            _ => None,
        }
    }

    /// The type of local that holds a value of the shape.
    pub(in crate::generate) fn local(self) -> ValType {
        match self {
            Float::F32 => ValType::F32,
            Float::F64 => ValType::F64,
            Float::F32x4 | Float::F64x2 => ValType::V128,
        }
    }

    /// Makes the topmost operand canonical, with a local to keep it in meanwhile.
    pub(in crate::generate) fn canonicalise(self, scratch: u32, code: &mut Vec<u8>) {
        let mut sink = InstructionSink::new(code);
        sink.local_tee(scratch);
        match self {
            Float::F32 => sink.f32_const(f32::from_bits(NAN32).into()),
            Float::F64 => sink.f64_const(f64::from_bits(NAN64).into()),
            Float::F32x4 => sink.v128_const(NAN32X4 as i128),
            Float::F64x2 => sink.v128_const(NAN64X2 as i128),
        };
        sink.local_get(scratch).local_get(scratch);
        match self {
            Float::F32 => sink.f32_eq().select(),
            Float::F64 => sink.f64_eq().select(),
            Float::F32x4 => sink.f32x4_eq().v128_bitselect(),
            Float::F64x2 => sink.f64x2_eq().v128_bitselect(),
        };
    }
}
