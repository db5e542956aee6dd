//! Arguments: values at the borders where engines go wrong, and random ones between.

use super::Stream;
use crate::case::{HeapKind, RefValue, Value};
use wasmparser::{AbstractHeapType, HeapType, RefType, ValType};

/// Integers at borders, as 64 bits; an `i32` takes the low half.
const INTEGERS: &[u64] = &[
    0,
    1,
    2,
    7,
    31,
    32,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0xfffc,
    0xfff8,
    0x1_fff8,
    0x2_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// Bits of `f32` values at borders: zeros, ones, halves that round, extremes, subnormals, where conversions to
/// integers begin to trap, infinities, quiet and signalling NaNs with and without payload.
const F32: &[u32] = &[
    0x0000_0000,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x3fc0_0000,
    0x4020_0000,
    0x0000_0001,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x4b00_0000,
    0x4b80_0000,
    0x4eff_ffff,
    0x4f00_0000,
    0xcf00_0000,
    0xcf00_0001,
    0x4f7f_ffff,
    0x4f80_0000,
    0x5f00_0000,
    0xdf00_0000,
    0x5f80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc0_0000,
    0x7fc0_1234,
    0x7fff_ffff,
    0x7f80_0001,
    0xffa5_5aa5,
];

/// Bits of `f64` values at the same borders.
const F64: &[u64] = &[
    0x0000_0000_0000_0000,
    0x8000_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x3fe0_0000_0000_0000,
    0xbfe0_0000_0000_0000,
    0x3ff8_0000_0000_0000,
    0x4004_0000_0000_0000,
    0x0000_0000_0000_0001,
    0x8000_0000_0000_0001,
    0x000f_ffff_ffff_ffff,
    0x0010_0000_0000_0000,
    0x7fef_ffff_ffff_ffff,
    0xffef_ffff_ffff_ffff,
    0x4330_0000_0000_0000,
    0x4340_0000_0000_0000,
    0x41df_ffff_ffc0_0000,
    0x41e0_0000_0000_0000,
    0xc1e0_0000_0000_0000,
    0xc1e0_0000_0020_0000,
    0x41ef_ffff_ffe0_0000,
    0x41f0_0000_0000_0000,
    0x43df_ffff_ffff_ffff,
    0x43e0_0000_0000_0000,
    0xc3e0_0000_0000_0000,
    0x43f0_0000_0000_0000,
    0x47ef_ffff_e000_0000,
    0x47ef_ffff_f000_0000,
    0x36a0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0x7ff8_0000_1234_5678,
    0x7fff_ffff_ffff_ffff,
    0x7ff0_0000_0000_0001,
    0xfff5_5aa5_5aa5_5aa5,
];

/// A value of the type, at a border as often as not; `None` if the host cannot make one.
pub fn value(ty: ValType, stream: &mut Stream) -> Option<Value> {
    Some(match ty {
        ValType::I32 => Value::I32(integer(32, stream) as u32),
        ValType::I64 => Value::I64(integer(64, stream)),
        ValType::F32 => Value::F32(f32_bits(stream)),
        ValType::F64 => Value::F64(f64_bits(stream)),
        ValType::V128 => Value::V128(v128_bits(stream)),
        ValType::Ref(ty) => Value::Ref(reference(ty, stream)?),
    })
}

/// Another value of the same type; references stay, for their type is not known.
pub fn another(value: &Value, stream: &mut Stream) -> Value {
    match value {
        Value::I32(_) => Value::I32(integer(32, stream) as u32),
        Value::I64(_) => Value::I64(integer(64, stream)),
        Value::F32(_) => Value::F32(f32_bits(stream)),
        Value::F64(_) => Value::F64(f64_bits(stream)),
        Value::V128(_) => Value::V128(v128_bits(stream)),
        Value::Ref(value) => Value::Ref(*value),
    }
}

/// An integer of so many bits; the bits above them are to be ignored.
fn integer(bits: u64, stream: &mut Stream) -> u64 {
    match stream.below(10) {
        0..4 => *stream.pick(INTEGERS),
        4..6 => {
            let power = 1u64 << stream.below(bits);
            // And its neighbours, and its negation.
            match stream.below(6) {
                0 => power - 1,
                1 => power + 1,
                2 => power.wrapping_neg(),
                _ => power,
            }
        }
        // Small numbers are what indices, counts and shifts are made of.
        6 => stream.below(20).wrapping_sub(4),
        7 | 8 => tie(bits, stream),
        _ => stream.u64(),
    }
}

/// An integer of at most so many bits that is half-way between two floats, or next to such a one.
fn tie(bits: u64, stream: &mut Stream) -> u64 {
    const PRECISIONS: [u64; 2] = [24, 53];
    let fitting = if bits > PRECISIONS[1] { 2 } else { 1 };
    let precision = *stream.pick(&PRECISIONS[..fitting]);
    // As many bits as there are, as often as not.
    let most = bits - precision;
    let lost = if stream.percent(50) { most } else { 1 + stream.below(most) };
    let significand = 1 << (precision - 1) | stream.below(1 << (precision - 1));
    let half_way = significand << lost | 1 << (lost - 1);
    let near = half_way.wrapping_add(stream.below(3)).wrapping_sub(1);
    if stream.percent(50) { near } else { near.wrapping_neg() }
}

fn f32_bits(stream: &mut Stream) -> u32 {
    match stream.below(8) {
        0..3 => *stream.pick(F32),
        // One of its neighbours.
        3 => stream.pick(F32).wrapping_add(stream.pick(&[1, -1_i32]).cast_unsigned()),
        4 | 5 => (integer(64, stream) as i64 as f32).to_bits(),
        // Half-way between two integers.
        6 => (stream.below(1 << 22) as f32 + 0.5).to_bits() | stream.u32() & 1 << 31,
        _ => stream.u32(),
    }
}

fn f64_bits(stream: &mut Stream) -> u64 {
    /// Bits of the significand that an `f32` lacks, and half of the least that it has.
    const LACKING: u64 = (1 << 29) - 1;
    const HALF: u64 = 1 << 28;
    match stream.below(8) {
        0..3 => *stream.pick(F64),
        // One of its neighbours.
        3 => stream.pick(F64).wrapping_add(stream.pick(&[1, -1_i64]).cast_unsigned()),
        4 => (integer(64, stream) as i64 as f64).to_bits(),
        // Half-way between two integers.
        5 => (stream.below(1 << 51) as f64 + 0.5).to_bits() | stream.u64() & 1 << 63,
        // Half-way between two floats of 32 bits, or next to that.
        6 => {
            let float = f64::from(f32::from_bits(f32_bits(stream))).to_bits();
            (float & !LACKING | HALF).wrapping_add(stream.below(3)).wrapping_sub(1)
        }
        _ => stream.u64(),
    }
}

fn v128_bits(stream: &mut Stream) -> u128 {
    let mut half = || match stream.below(3) {
        0 => integer(64, stream),
        1 => f64_bits(stream),
        _ => u64::from(f32_bits(stream)) << 32 | u64::from(f32_bits(stream)),
    };
    u128::from(half()) << 64 | u128::from(half())
}

fn reference(ty: RefType, stream: &mut Stream) -> Option<RefValue> {
    if ty.is_nullable() && stream.percent(30) {
        return heap_kind(ty.heap_type()).map(RefValue::Null);
    }
    match ty.heap_type() {
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Extern } => {
            Some(RefValue::Extern(stream.below(4) as u32))
        }
        HeapType::Abstract {
            shared: false,
            ty: AbstractHeapType::Any | AbstractHeapType::Eq | AbstractHeapType::I31,
        } => Some(RefValue::I31(integer(32, stream) as u32 & 0x7fff_ffff)),
        other if ty.is_nullable() => heap_kind(other).map(RefValue::Null),
        _ => None,
    }
}

/// The kind that a null of the type is shown with; none for continuations, which no feature has, but which modules
/// that have not been validated may still mention.
fn heap_kind(ty: HeapType) -> Option<HeapKind> {
    Some(match ty {
        HeapType::Abstract { ty, .. } => match ty {
            AbstractHeapType::Func => HeapKind::Func,
            AbstractHeapType::Extern => HeapKind::Extern,
            AbstractHeapType::Any => HeapKind::Any,
            AbstractHeapType::None => HeapKind::None,
            AbstractHeapType::NoFunc => HeapKind::NoFunc,
            AbstractHeapType::NoExtern => HeapKind::NoExtern,
            AbstractHeapType::Exn => HeapKind::Exn,
            AbstractHeapType::NoExn => HeapKind::NoExn,
            AbstractHeapType::I31 => HeapKind::I31,
            AbstractHeapType::Struct => HeapKind::Struct,
            AbstractHeapType::Array => HeapKind::Array,
            AbstractHeapType::Eq => HeapKind::Eq,
            AbstractHeapType::Cont | AbstractHeapType::NoCont => return None,
        },
        HeapType::Concrete(index) | HeapType::Exact(index) => {
            HeapKind::Concrete(index.as_module_index().expect("the module was not validated"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    /// How many of 10,000 values of the type pass.
    fn count(ty: ValType, passes: impl Fn(Value) -> bool) -> usize {
        let mut stream = Stream::new(1, Purpose::Plan);
        (0..10_000).filter(|_| passes(value(ty, &mut stream).expect("a number"))).count()
    }

    #[test]
    fn some_integers_come_out_wrong_when_they_are_rounded_twice() {
        let signed = |value| match value {
            Value::I64(bits) => (bits as i64) as f64 as f32 != bits as i64 as f32,
            _ => unreachable!("an i64 was asked for"),
        };
        let unsigned = |value| match value {
            Value::I64(bits) => bits as f64 as f32 != bits as f32,
            _ => unreachable!("an i64 was asked for"),
        };
        assert!(count(ValType::I64, signed) > 20);
        assert!(count(ValType::I64, unsigned) > 20);
    }

    #[test]
    fn some_doubles_are_half_way_between_floats() {
        let is_half_way = |value| match value {
            Value::F64(bits) => bits & 0x1fff_ffff == 0x1000_0000 && f64::from_bits(bits).is_finite(),
            _ => unreachable!("an f64 was asked for"),
        };
        assert!(count(ValType::F64, is_half_way) > 100);
    }
}
