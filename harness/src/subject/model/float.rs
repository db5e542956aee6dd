//! What the operators on floats compute (specification, section 4.3.3, "Floating-Point Operations"), in the deterministic
//! profile: a NaN that is computed is the positive canonical one.

use super::integer::Done;
use super::value::{Operands, Val};
use wasmparser::Operator;

const SIGN_32: u32 = 1 << 31;
const SIGN_64: u64 = 1 << 63;
const CANONICAL_32: u32 = 0x7fc0_0000;
const CANONICAL_64: u64 = 0x7ff8_0000_0000_0000;

/// The bits of a result, which are canonical if it is a NaN.
pub(super) fn bits_32(value: f32) -> u32 {
    if value.is_nan() { CANONICAL_32 } else { value.to_bits() }
}

/// The bits of a result, which are canonical if it is a NaN.
pub(super) fn bits_64(value: f64) -> u64 {
    if value.is_nan() { CANONICAL_64 } else { value.to_bits() }
}

/// Executes an operator on `f32`; `None` if it is another.
pub(super) fn on_f32(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    match operator {
        // These three are about the sign bit alone, of NaNs too.
        O::F32Abs => stack.bits_f32(|a| a & !SIGN_32),
        O::F32Neg => stack.bits_f32(|a| a ^ SIGN_32),
        O::F32Copysign => {
            let (sign, value) = (stack.pop_f32(), stack.pop_f32());
            stack.push(Val::F32(value & !SIGN_32 | sign & SIGN_32));
        }
        O::F32Ceil => stack.unary_f32(f32::ceil),
        O::F32Floor => stack.unary_f32(f32::floor),
        O::F32Trunc => stack.unary_f32(f32::trunc),
        O::F32Nearest => stack.unary_f32(nearest_32),
        O::F32Sqrt => stack.unary_f32(f32::sqrt),
        O::F32Add => stack.binary_f32(|a, b| a + b),
        O::F32Sub => stack.binary_f32(|a, b| a - b),
        O::F32Mul => stack.binary_f32(|a, b| a * b),
        O::F32Div => stack.binary_f32(|a, b| a / b),
        O::F32Min => stack.binary_f32(|a, b| match a.is_nan() || b.is_nan() {
            true => f32::NAN,
            // Of two zeros the negative one is less.
            false if a == b => f32::from_bits(a.to_bits() | b.to_bits()),
            false => {
                if a < b {
                    a
                } else {
                    b
                }
            }
        }),
        O::F32Max => stack.binary_f32(|a, b| match a.is_nan() || b.is_nan() {
            true => f32::NAN,
            false if a == b => f32::from_bits(a.to_bits() & b.to_bits()),
            false => {
                if a > b {
                    a
                } else {
                    b
                }
            }
        }),
        O::F32Eq => stack.compare_f32(|a, b| a == b),
        O::F32Ne => stack.compare_f32(|a, b| a != b),
        O::F32Lt => stack.compare_f32(|a, b| a < b),
        O::F32Gt => stack.compare_f32(|a, b| a > b),
        O::F32Le => stack.compare_f32(|a, b| a <= b),
        O::F32Ge => stack.compare_f32(|a, b| a >= b),
        _ => return None,
    }
    Some(Ok(()))
}

/// Executes an operator on `f64`; `None` if it is another.
pub(super) fn on_f64(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    match operator {
        O::F64Abs => stack.bits_f64(|a| a & !SIGN_64),
        O::F64Neg => stack.bits_f64(|a| a ^ SIGN_64),
        O::F64Copysign => {
            let (sign, value) = (stack.pop_f64(), stack.pop_f64());
            stack.push(Val::F64(value & !SIGN_64 | sign & SIGN_64));
        }
        O::F64Ceil => stack.unary_f64(f64::ceil),
        O::F64Floor => stack.unary_f64(f64::floor),
        O::F64Trunc => stack.unary_f64(f64::trunc),
        O::F64Nearest => stack.unary_f64(nearest_64),
        O::F64Sqrt => stack.unary_f64(f64::sqrt),
        O::F64Add => stack.binary_f64(|a, b| a + b),
        O::F64Sub => stack.binary_f64(|a, b| a - b),
        O::F64Mul => stack.binary_f64(|a, b| a * b),
        O::F64Div => stack.binary_f64(|a, b| a / b),
        O::F64Min => stack.binary_f64(|a, b| match a.is_nan() || b.is_nan() {
            true => f64::NAN,
            false if a == b => f64::from_bits(a.to_bits() | b.to_bits()),
            false => {
                if a < b {
                    a
                } else {
                    b
                }
            }
        }),
        O::F64Max => stack.binary_f64(|a, b| match a.is_nan() || b.is_nan() {
            true => f64::NAN,
            false if a == b => f64::from_bits(a.to_bits() & b.to_bits()),
            false => {
                if a > b {
                    a
                } else {
                    b
                }
            }
        }),
        O::F64Eq => stack.compare_f64(|a, b| a == b),
        O::F64Ne => stack.compare_f64(|a, b| a != b),
        O::F64Lt => stack.compare_f64(|a, b| a < b),
        O::F64Gt => stack.compare_f64(|a, b| a > b),
        O::F64Le => stack.compare_f64(|a, b| a <= b),
        O::F64Ge => stack.compare_f64(|a, b| a >= b),
        _ => return None,
    }
    Some(Ok(()))
}

/// The nearest integer, of two the even one. Beyond 2^23 all numbers are integers; below, adding that much leaves no room
/// for a fraction, so that the addition rounds.
fn nearest_32(value: f32) -> f32 {
    const ALL_INTEGERS: f32 = 8_388_608.0;
    if value.is_nan() || value.abs() >= ALL_INTEGERS {
        return value;
    }
    ((value.abs() + ALL_INTEGERS) - ALL_INTEGERS).copysign(value)
}

/// As [`nearest_32`]; beyond 2^52 all numbers are integers.
fn nearest_64(value: f64) -> f64 {
    const ALL_INTEGERS: f64 = 4_503_599_627_370_496.0;
    if value.is_nan() || value.abs() >= ALL_INTEGERS {
        return value;
    }
    ((value.abs() + ALL_INTEGERS) - ALL_INTEGERS).copysign(value)
}

impl Operands {
    fn bits_f32(&mut self, compute: impl Fn(u32) -> u32) {
        let a = self.pop_f32();
        self.push(Val::F32(compute(a)));
    }

    fn unary_f32(&mut self, compute: impl Fn(f32) -> f32) {
        let a = f32::from_bits(self.pop_f32());
        self.push(Val::F32(bits_32(compute(a))));
    }

    fn binary_f32(&mut self, compute: impl Fn(f32, f32) -> f32) {
        let (b, a) = (f32::from_bits(self.pop_f32()), f32::from_bits(self.pop_f32()));
        self.push(Val::F32(bits_32(compute(a, b))));
    }

    fn compare_f32(&mut self, holds: impl Fn(f32, f32) -> bool) {
        let (b, a) = (f32::from_bits(self.pop_f32()), f32::from_bits(self.pop_f32()));
        self.push(Val::I32(u32::from(holds(a, b))));
    }

    fn bits_f64(&mut self, compute: impl Fn(u64) -> u64) {
        let a = self.pop_f64();
        self.push(Val::F64(compute(a)));
    }

    fn unary_f64(&mut self, compute: impl Fn(f64) -> f64) {
        let a = f64::from_bits(self.pop_f64());
        self.push(Val::F64(bits_64(compute(a))));
    }

    fn binary_f64(&mut self, compute: impl Fn(f64, f64) -> f64) {
        let (b, a) = (f64::from_bits(self.pop_f64()), f64::from_bits(self.pop_f64()));
        self.push(Val::F64(bits_64(compute(a, b))));
    }

    fn compare_f64(&mut self, holds: impl Fn(f64, f64) -> bool) {
        let (b, a) = (f64::from_bits(self.pop_f64()), f64::from_bits(self.pop_f64()));
        self.push(Val::I32(u32::from(holds(a, b))));
    }
}
