//! What conversions compute (specification, section 4.3.4, "Conversions").
//!
//! A float that becomes an integer loses its fraction first. Both widths of floats are looked at as `f64`, which holds
//! every `f32` exactly; an integral `f64` below 2^127 is exact as an `i128`.

use super::float::{bits_32, bits_64};
use super::integer::Done;
use super::value::{Operands, Val};
use crosscheck_engine::TrapKind;
use wasmparser::Operator;

/// An integer type, as the range of its values.
#[derive(Clone, Copy)]
struct Range {
    least: i128,
    most: i128,
}

const S32: Range = Range { least: -(1 << 31), most: (1 << 31) - 1 };
const U32: Range = Range { least: 0, most: (1 << 32) - 1 };
const S64: Range = Range { least: -(1 << 63), most: (1 << 63) - 1 };
const U64: Range = Range { least: 0, most: (1 << 64) - 1 };

/// Executes a conversion; `None` if the operator is none.
pub(super) fn conversion(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    let value = match operator {
        O::I32WrapI64 => Val::I32(stack.pop_i64() as u32),
        O::I64ExtendI32S => Val::I64(i64::from(stack.pop_i32() as i32) as u64),
        O::I64ExtendI32U => Val::I64(u64::from(stack.pop_i32())),
        O::F32ConvertI32S => Val::F32(bits_32(stack.pop_i32() as i32 as f32)),
        O::F32ConvertI32U => Val::F32(bits_32(stack.pop_i32() as f32)),
        O::F32ConvertI64S => Val::F32(bits_32(stack.pop_i64() as i64 as f32)),
        O::F32ConvertI64U => Val::F32(bits_32(stack.pop_i64() as f32)),
        O::F64ConvertI32S => Val::F64(bits_64(f64::from(stack.pop_i32() as i32))),
        O::F64ConvertI32U => Val::F64(bits_64(f64::from(stack.pop_i32()))),
        O::F64ConvertI64S => Val::F64(bits_64(stack.pop_i64() as i64 as f64)),
        O::F64ConvertI64U => Val::F64(bits_64(stack.pop_i64() as f64)),
        O::F32DemoteF64 => Val::F32(bits_32(f64::from_bits(stack.pop_f64()) as f32)),
        O::F64PromoteF32 => Val::F64(bits_64(f64::from(f32::from_bits(stack.pop_f32())))),
        O::I32ReinterpretF32 => Val::I32(stack.pop_f32()),
        O::I64ReinterpretF64 => Val::I64(stack.pop_f64()),
        O::F32ReinterpretI32 => Val::F32(stack.pop_i32()),
        O::F64ReinterpretI64 => Val::F64(stack.pop_i64()),
        _ => return truncation(operator, stack),
    };
    stack.push(value);
    Some(Ok(()))
}

fn truncation(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    let (range, is_wide, from_f32, saturates) = match operator {
        O::I32TruncF32S => (S32, false, true, false),
        O::I32TruncF32U => (U32, false, true, false),
        O::I32TruncF64S => (S32, false, false, false),
        O::I32TruncF64U => (U32, false, false, false),
        O::I64TruncF32S => (S64, true, true, false),
        O::I64TruncF32U => (U64, true, true, false),
        O::I64TruncF64S => (S64, true, false, false),
        O::I64TruncF64U => (U64, true, false, false),
        O::I32TruncSatF32S => (S32, false, true, true),
        O::I32TruncSatF32U => (U32, false, true, true),
        O::I32TruncSatF64S => (S32, false, false, true),
        O::I32TruncSatF64U => (U32, false, false, true),
        O::I64TruncSatF32S => (S64, true, true, true),
        O::I64TruncSatF32U => (U64, true, true, true),
        O::I64TruncSatF64S => (S64, true, false, true),
        O::I64TruncSatF64U => (U64, true, false, true),
        _ => return None,
    };
    let value = match from_f32 {
        true => f64::from(f32::from_bits(stack.pop_f32())),
        false => f64::from_bits(stack.pop_f64()),
    };
    let integer = match truncated(value, range) {
        Ok(integer) => integer,
        Err(_) if saturates => saturated(value, range),
        Err(trap) => return Some(Err(trap)),
    };
    stack.push(if is_wide { Val::I64(integer as u64) } else { Val::I32(integer as u32) });
    Some(Ok(()))
}

/// A float without its fraction, if that is in range.
fn truncated(value: f64, range: Range) -> Result<i128, TrapKind> {
    if value.is_nan() {
        return Err(TrapKind::InvalidConversionToInteger);
    }
    // No range reaches so far.
    const FAR: f64 = 1e30;
    if value.abs() >= FAR {
        return Err(TrapKind::IntegerOverflow);
    }
    let integer = value.trunc() as i128;
    let fits = (range.least..=range.most).contains(&integer);
    if fits { Ok(integer) } else { Err(TrapKind::IntegerOverflow) }
}

/// The end of a range that a float lies beyond; zero for a NaN.
fn saturated(value: f64, range: Range) -> i128 {
    match value.is_nan() {
        true => 0,
        false if value < 0.0 => range.least,
        false => range.most,
    }
}
