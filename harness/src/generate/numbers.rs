//! Numbers in code that our own generators write: constants at borders, and where what is computed is seen.

use super::linked::types::Ty;
use crate::case::Value;
use crate::draw::{Stream, values};
use wasm_encoder::{ConstExpr, GlobalSection, GlobalType, Ieee32, Ieee64, InstructionSink, ValType};

/// The types of numbers.
pub(super) const NUMBERS: [Ty; 4] = [Ty::I32, Ty::I64, Ty::F32, Ty::F64];
/// Bytes of a page.
pub(super) const PAGE: u64 = 1 << 16;

/// Parameters and results of a function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Signature {
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
}

/// The types of a global that everything is mixed into, and of so many that code changes, a type of numbers after the other.
pub(super) fn sink_and(changing: usize) -> impl Iterator<Item = Ty> {
    [Ty::I64].into_iter().chain(NUMBERS.into_iter().cycle().take(changing))
}

/// The type of a global of numbers that code changes.
pub(super) fn global_type(ty: Ty) -> GlobalType {
    GlobalType { val_type: ty.encoded(&[]), mutable: true, shared: false }
}

/// Globals of these types, with random values.
pub(super) fn globals(tys: impl IntoIterator<Item = Ty>, stream: &mut Stream) -> GlobalSection {
    let mut globals = GlobalSection::new();
    for ty in tys.into_iter().map(global_type) {
        let init = match ty.val_type {
            ValType::I32 => ConstExpr::i32_const(stream.u32() as i32),
            ValType::F32 => ConstExpr::f32_const((stream.u32() as i32 as f32).into()),
            ValType::F64 => ConstExpr::f64_const((stream.u64() as i64 as f64).into()),
            _ => ConstExpr::i64_const(stream.u64() as i64),
        };
        globals.global(ty, &init);
    }
    globals
}

/// Integers at which immediates, extensions, shifts and divisions change their ways.
pub(super) const INTEGERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    65,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    -128,
    -129,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fff8,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    -0x8000_0000,
    -0x8000_0001,
    -0x1_0000_0000,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
];

/// Floats at which rounding, conversions and signs do.
const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -1.5,
    2_147_483_647.0,
    2_147_483_648.0,
    -2_147_483_648.0,
    4_294_967_295.0,
    4_294_967_296.0,
    9_223_372_036_854_775_808.0,
    1e30,
    -1e-30,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

/// A constant at a border, as often as not, and never NaN.
pub(super) fn constant(ty: Ty, stream: &mut Stream, op: &mut InstructionSink) {
    let drawn = if stream.percent(20) { values::value(number_type(ty), stream) } else { None };
    if let Some(value) = drawn.filter(|value| !is_nan(value)) {
        return constant_of(&value, op);
    }
    let integer = if stream.percent(70) { *stream.pick(INTEGERS) } else { stream.u64() as i64 };
    let float = if stream.percent(70) { *stream.pick(FLOATS) } else { integer as f64 };
    match ty {
        Ty::I32 => op.i32_const(integer as i32),
        Ty::I64 => op.i64_const(integer),
        Ty::F32 => op.f32_const((float as f32).into()),
        Ty::F64 => op.f64_const(float.into()),
        Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("only numbers are drawn"),
    };
}

fn is_nan(value: &Value) -> bool {
    match *value {
        Value::F32(bits) => f32::from_bits(bits).is_nan(),
        Value::F64(bits) => f64::from_bits(bits).is_nan(),
        Value::I32(_) | Value::I64(_) | Value::V128(_) | Value::Ref(_) => false,
    }
}

/// A certain number as a constant.
pub(super) fn constant_of(value: &Value, op: &mut InstructionSink) {
    match *value {
        Value::I32(bits) => op.i32_const(bits as i32),
        Value::I64(bits) => op.i64_const(bits as i64),
        Value::F32(bits) => op.f32_const(Ieee32::new(bits)),
        Value::F64(bits) => op.f64_const(Ieee64::new(bits)),
        Value::V128(_) | Value::Ref(_) => unreachable!("only numbers are drawn"),
    };
}

/// Which of the four types it is.
pub(super) fn position(ty: Ty) -> u32 {
    NUMBERS.iter().position(|number| *number == ty).expect("only numbers are drawn") as u32
}

/// The type as arguments are drawn by.
pub(super) fn number_type(ty: Ty) -> wasmparser::ValType {
    match ty {
        Ty::I32 => wasmparser::ValType::I32,
        Ty::I64 => wasmparser::ValType::I64,
        Ty::F32 => wasmparser::ValType::F32,
        Ty::F64 => wasmparser::ValType::F64,
        Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("only numbers are drawn"),
    }
}

/// Types as modules write them; none of them is a typed reference.
pub(super) fn encoded(tys: &[Ty]) -> impl ExactSizeIterator<Item = ValType> + '_ {
    tys.iter().map(|ty| ty.encoded(&[]))
}

/// Mixes the topmost value into the global `sink`, an `i64`, so that its bits and the order of mixing show.
pub(super) fn mix(ty: Ty, sink: u32, distance: i64, op: &mut InstructionSink) {
    match ty {
        Ty::I32 => op.i64_extend_i32_u(),
        Ty::I64 => op,
        Ty::F32 => op.i32_reinterpret_f32().i64_extend_i32_u(),
        Ty::F64 => op.i64_reinterpret_f64(),
        Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("only numbers are drawn"),
    };
    op.global_get(sink).i64_const(distance).i64_rotl().i64_xor().global_set(sink);
}

/// How far a mix turns the sink.
pub(super) fn distance(stream: &mut Stream) -> i64 {
    1 + 2 * stream.below(31) as i64
}
