//! What every scalar opcode without immediates computes, as pure functions of bits.
//!
//! The meanings are the specification's (4.3 Numerics) in its deterministic profile: where it lets an
//! implementation choose the bits of a NaN result, the result is the positive canonical NaN. Operators
//! that only move bits (`abs`, `neg`, `copysign`, `reinterpret`, loads, stores) are written on integers,
//! because a float that passes through a register may lose the bits of a signalling NaN.
//!
//! [`visit`] hands an opcode's meaning to a [`Visitor`] as a function that captures nothing. So
//! interpreters can make a handler of each, and folding, generation and tests can apply it, without
//! naming a single opcode. Compiled modes don't ask here: they have to be right on their own.

mod float;
#[cfg(feature = "planted-faults")]
pub mod planted;

#[cfg(test)]
mod tests;

use crate::faults::fault;
use crate::opcode::{Load, Numeric, Store};
use crate::trap::TrapKind;
use float::Float;

/// A value as it lies in an 8-byte slot: integers zero-extended, floats as bits.
pub trait Slot: Copy + 'static {
    /// The value in the slot; bits that the type has no room for are ignored.
    fn from_slot(slot: u64) -> Self;
    /// The slot of the value; bits that the type has no room for are 0.
    fn to_slot(self) -> u64;
}

/// Wants to know what an opcode computes. Operands come deepest first.
pub trait Visitor {
    /// What the visitor makes of a meaning.
    type Output;

    /// The opcode is a function of one operand.
    fn unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> R + Copy + 'static) -> Self::Output;

    /// The opcode is a function of two operands.
    fn binary<A: Slot, B: Slot, R: Slot>(self, f: impl Fn(A, B) -> R + Copy + 'static) -> Self::Output;

    /// The opcode is a function of one operand that may trap.
    fn try_unary<A: Slot, R: Slot>(
        self,
        f: impl Fn(A) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output;

    /// The opcode is a function of two operands that may trap.
    fn try_binary<A: Slot, B: Slot, R: Slot>(
        self,
        f: impl Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output;
}

/// Wants to know how a load or store turns bytes of memory into a slot, or a slot into bytes.
pub trait AccessVisitor {
    /// What the visitor makes of a meaning.
    type Output;

    /// The opcode reads `N` bytes.
    fn load<const N: usize, R: Slot>(self, f: impl Fn([u8; N]) -> R + Copy + 'static) -> Self::Output;

    /// The opcode writes `N` bytes.
    fn store<const N: usize, V: Slot>(self, f: impl Fn(V) -> [u8; N] + Copy + 'static) -> Self::Output;
}

/// What `opcode` computes of `operands`, deepest first, or why it traps.
///
/// Traps: `IntegerDivideByZero` (divisions and remainders), `IntegerOverflow` (signed division,
/// truncation), `InvalidConversionToInteger` (truncation).
pub fn evaluate(opcode: Numeric, operands: &[u64]) -> Result<u64, TrapKind> {
    visit(opcode, Evaluate(operands))
}

/// Tells `visitor` what `opcode` computes.
#[inline]
pub fn visit<V: Visitor>(opcode: Numeric, visitor: V) -> V::Output {
    use Numeric as N;
    match opcode {
        N::I32Eqz => visitor.unary(|a: u32| a == 0),
        N::I32Eq => visitor.binary(|a: u32, b: u32| a == b),
        N::I32Ne => visitor.binary(|a: u32, b: u32| a != b),
        N::I32LtS => visitor.binary(|a: i32, b: i32| a < b),
        N::I32LtU => visitor.binary(|a: u32, b: u32| a < b),
        N::I32GtS => visitor.binary(|a: i32, b: i32| a > b),
        N::I32GtU => visitor.binary(|a: u32, b: u32| a > b),
        N::I32LeS => visitor.binary(|a: i32, b: i32| a <= b),
        N::I32LeU => visitor.binary(|a: u32, b: u32| a <= b),
        N::I32GeS => visitor.binary(|a: i32, b: i32| a >= b),
        N::I32GeU => visitor.binary(|a: u32, b: u32| a >= b),
        N::I64Eqz => visitor.unary(|a: u64| a == 0),
        N::I64Eq => visitor.binary(|a: u64, b: u64| a == b),
        N::I64Ne => visitor.binary(|a: u64, b: u64| a != b),
        N::I64LtS => visitor.binary(|a: i64, b: i64| a < b),
        N::I64LtU => visitor.binary(|a: u64, b: u64| a < b),
        N::I64GtS => visitor.binary(|a: i64, b: i64| a > b),
        N::I64GtU => visitor.binary(|a: u64, b: u64| a > b),
        N::I64LeS => visitor.binary(|a: i64, b: i64| a <= b),
        N::I64LeU => visitor.binary(|a: u64, b: u64| a <= b),
        N::I64GeS => visitor.binary(|a: i64, b: i64| a >= b),
        N::I64GeU => visitor.binary(|a: u64, b: u64| a >= b),
        N::F32Eq => visitor.binary(|a: f32, b: f32| a == b),
        N::F32Ne => visitor.binary(|a: f32, b: f32| a != b),
        N::F32Lt => visitor.binary(|a: f32, b: f32| a < b),
        N::F32Gt => visitor.binary(|a: f32, b: f32| a > b),
        N::F32Le => visitor.binary(|a: f32, b: f32| a <= b),
        N::F32Ge => visitor.binary(|a: f32, b: f32| a >= b),
        N::F64Eq => visitor.binary(|a: f64, b: f64| a == b),
        N::F64Ne => visitor.binary(|a: f64, b: f64| a != b),
        N::F64Lt => visitor.binary(|a: f64, b: f64| a < b),
        N::F64Gt => visitor.binary(|a: f64, b: f64| a > b),
        N::F64Le => visitor.binary(|a: f64, b: f64| a <= b),
        N::F64Ge => visitor.binary(|a: f64, b: f64| a >= b),
        N::I32Clz => visitor.unary(u32::leading_zeros),
        N::I32Ctz => visitor.unary(u32::trailing_zeros),
        N::I32Popcnt => visitor.unary(u32::count_ones),
        N::I32Add => visitor.binary(u32::wrapping_add),
        N::I32Sub => visitor.binary(u32::wrapping_sub),
        N::I32Mul => visitor.binary(u32::wrapping_mul),
        N::I32DivS => {
            visitor.try_binary(|a: i32, b: i32| a.checked_div(nonzero(b)?).ok_or(TrapKind::IntegerOverflow))
        }
        N::I32DivU => visitor.try_binary(|a: u32, b: u32| Ok(a / nonzero(b)?)),
        N::I32RemS => visitor.try_binary(|a: i32, b: i32| Ok(i32_rem_s(a, nonzero(b)?))),
        N::I32RemU => visitor.try_binary(|a: u32, b: u32| Ok(a % nonzero(b)?)),
        N::I32And => visitor.binary(|a: u32, b: u32| a & b),
        N::I32Or => visitor.binary(|a: u32, b: u32| a | b),
        N::I32Xor => visitor.binary(|a: u32, b: u32| a ^ b),
        N::I32Shl => visitor.binary(|a: u32, b: u32| a.wrapping_shl(b)),
        N::I32ShrS => visitor.binary(|a: i32, b: u32| a.wrapping_shr(b)),
        N::I32ShrU => visitor.binary(|a: u32, b: u32| a.wrapping_shr(b)),
        N::I32Rotl => visitor.binary(|a: u32, b: u32| a.rotate_left(b)),
        N::I32Rotr => visitor.binary(|a: u32, b: u32| a.rotate_right(b)),
        N::I64Clz => visitor.unary(|a: u64| u64::from(a.leading_zeros())),
        N::I64Ctz => visitor.unary(|a: u64| u64::from(a.trailing_zeros())),
        N::I64Popcnt => visitor.unary(|a: u64| u64::from(a.count_ones())),
        N::I64Add => visitor.binary(u64::wrapping_add),
        N::I64Sub => visitor.binary(u64::wrapping_sub),
        N::I64Mul => visitor.binary(u64::wrapping_mul),
        N::I64DivS => {
            visitor.try_binary(|a: i64, b: i64| a.checked_div(nonzero(b)?).ok_or(TrapKind::IntegerOverflow))
        }
        N::I64DivU => visitor.try_binary(|a: u64, b: u64| Ok(a / nonzero(b)?)),
        N::I64RemS => visitor.try_binary(|a: i64, b: i64| Ok(a.wrapping_rem(nonzero(b)?))),
        N::I64RemU => visitor.try_binary(|a: u64, b: u64| Ok(a % nonzero(b)?)),
        N::I64And => visitor.binary(|a: u64, b: u64| a & b),
        N::I64Or => visitor.binary(|a: u64, b: u64| a | b),
        N::I64Xor => visitor.binary(|a: u64, b: u64| a ^ b),
        N::I64Shl => visitor.binary(|a: u64, b: u64| a.wrapping_shl(b as u32)),
        N::I64ShrS => visitor.binary(|a: i64, b: u64| a.wrapping_shr(b as u32)),
        N::I64ShrU => visitor.binary(|a: u64, b: u64| a.wrapping_shr(b as u32)),
        N::I64Rotl => visitor.binary(|a: u64, b: u64| a.rotate_left(b as u32)),
        N::I64Rotr => visitor.binary(|a: u64, b: u64| a.rotate_right(b as u32)),
        N::F32Abs => visitor.unary(|bits: u32| bits & !F32_SIGN),
        N::F32Neg => visitor.unary(|bits: u32| bits ^ F32_SIGN),
        N::F32Ceil => visitor.unary(|a: f32| a.ceil().canonical()),
        N::F32Floor => visitor.unary(|a: f32| a.floor().canonical()),
        N::F32Trunc => visitor.unary(|a: f32| a.trunc().canonical()),
        N::F32Nearest => visitor.unary(|a: f32| a.round_ties_even().canonical()),
        N::F32Sqrt => visitor.unary(|a: f32| a.sqrt().canonical()),
        N::F32Add => visitor.binary(|a: f32, b: f32| (a + b).canonical()),
        N::F32Sub => visitor.binary(|a: f32, b: f32| (a - b).canonical()),
        N::F32Mul => visitor.binary(|a: f32, b: f32| (a * b).canonical()),
        N::F32Div => visitor.binary(|a: f32, b: f32| (a / b).canonical()),
        N::F32Min => visitor.binary(<f32 as Float>::minimum),
        N::F32Max => visitor.binary(<f32 as Float>::maximum),
        N::F32Copysign => visitor.binary(|a: u32, b: u32| (a & !F32_SIGN) | (b & F32_SIGN)),
        N::F64Abs => visitor.unary(|bits: u64| bits & !F64_SIGN),
        N::F64Neg => visitor.unary(|bits: u64| bits ^ F64_SIGN),
        N::F64Ceil => visitor.unary(|a: f64| a.ceil().canonical()),
        N::F64Floor => visitor.unary(|a: f64| a.floor().canonical()),
        N::F64Trunc => visitor.unary(|a: f64| a.trunc().canonical()),
        N::F64Nearest => visitor.unary(|a: f64| a.round_ties_even().canonical()),
        N::F64Sqrt => visitor.unary(|a: f64| a.sqrt().canonical()),
        N::F64Add => visitor.binary(|a: f64, b: f64| (a + b).canonical()),
        N::F64Sub => visitor.binary(|a: f64, b: f64| (a - b).canonical()),
        N::F64Mul => visitor.binary(|a: f64, b: f64| (a * b).canonical()),
        N::F64Div => visitor.binary(|a: f64, b: f64| (a / b).canonical()),
        N::F64Min => visitor.binary(<f64 as Float>::minimum),
        N::F64Max => visitor.binary(<f64 as Float>::maximum),
        N::F64Copysign => visitor.binary(|a: u64, b: u64| (a & !F64_SIGN) | (b & F64_SIGN)),
        N::I32WrapI64 => visitor.unary(|a: u64| a as u32),
        N::I32TruncF32S => visitor.try_unary(float::i32_of_f32),
        N::I32TruncF32U => visitor.try_unary(float::u32_of_f32),
        N::I32TruncF64S => visitor.try_unary(float::i32_of_f64),
        N::I32TruncF64U => visitor.try_unary(float::u32_of_f64),
        N::I64ExtendI32S => visitor.unary(|a: i32| i64::from(a)),
        N::I64ExtendI32U => visitor.unary(|a: u32| u64::from(a)),
        N::I64TruncF32S => visitor.try_unary(float::i64_of_f32),
        N::I64TruncF32U => visitor.try_unary(float::u64_of_f32),
        N::I64TruncF64S => visitor.try_unary(float::i64_of_f64),
        N::I64TruncF64U => visitor.try_unary(float::u64_of_f64),
        N::F32ConvertI32S => visitor.unary(|a: i32| a as f32),
        N::F32ConvertI32U => visitor.unary(|a: u32| a as f32),
        N::F32ConvertI64S => visitor.unary(|a: i64| a as f32),
        N::F32ConvertI64U => visitor.unary(|a: u64| a as f32),
        N::F32DemoteF64 => visitor.unary(|a: f64| (a as f32).canonical()),
        N::F64ConvertI32S => visitor.unary(|a: i32| a as f64),
        N::F64ConvertI32U => visitor.unary(|a: u32| a as f64),
        N::F64ConvertI64S => visitor.unary(|a: i64| a as f64),
        N::F64ConvertI64U => visitor.unary(|a: u64| a as f64),
        N::F64PromoteF32 => visitor.unary(|a: f32| f64::from(a).canonical()),
        N::I32ReinterpretF32 => visitor.unary(|bits: u32| bits),
        N::I64ReinterpretF64 => visitor.unary(|bits: u64| bits),
        N::F32ReinterpretI32 => visitor.unary(|bits: u32| bits),
        N::F64ReinterpretI64 => visitor.unary(|bits: u64| bits),
        N::I32Extend8S => visitor.unary(|a: i32| i32::from(a as i8)),
        N::I32Extend16S => visitor.unary(|a: i32| i32::from(a as i16)),
        N::I64Extend8S => visitor.unary(|a: i64| i64::from(a as i8)),
        N::I64Extend16S => visitor.unary(|a: i64| i64::from(a as i16)),
        N::I64Extend32S => visitor.unary(|a: i64| i64::from(a as i32)),
        N::I32TruncSatF32S => visitor.unary(|a: f32| a as i32),
        N::I32TruncSatF32U => visitor.unary(|a: f32| a as u32),
        N::I32TruncSatF64S => visitor.unary(|a: f64| a as i32),
        N::I32TruncSatF64U => visitor.unary(|a: f64| a as u32),
        N::I64TruncSatF32S => visitor.unary(|a: f32| a as i64),
        N::I64TruncSatF32U => visitor.unary(|a: f32| a as u64),
        N::I64TruncSatF64S => visitor.unary(|a: f64| a as i64),
        N::I64TruncSatF64U => visitor.unary(|a: f64| a as u64),
    }
}

/// Tells `visitor` how the bytes that `opcode` reads become a slot.
#[inline]
pub fn visit_load<V: AccessVisitor>(opcode: Load, visitor: V) -> V::Output {
    match opcode {
        Load::I32Load => visitor.load(u32::from_le_bytes),
        Load::I64Load => visitor.load(u64::from_le_bytes),
        Load::F32Load => visitor.load(u32::from_le_bytes),
        Load::F64Load => visitor.load(u64::from_le_bytes),
        Load::I32Load8S => visitor.load(|bytes| i32::from(i8::from_le_bytes(bytes))),
        Load::I32Load8U => visitor.load(|bytes| u32::from(u8::from_le_bytes(bytes))),
        Load::I32Load16S => visitor.load(|bytes| i32::from(i16::from_le_bytes(bytes))),
        Load::I32Load16U => visitor.load(|bytes| u32::from(u16::from_le_bytes(bytes))),
        Load::I64Load8S => visitor.load(|bytes| i64::from(i8::from_le_bytes(bytes))),
        Load::I64Load8U => visitor.load(|bytes| u64::from(u8::from_le_bytes(bytes))),
        Load::I64Load16S => visitor.load(|bytes| i64::from(i16::from_le_bytes(bytes))),
        Load::I64Load16U => visitor.load(|bytes| u64::from(u16::from_le_bytes(bytes))),
        Load::I64Load32S => visitor.load(|bytes| i64::from(i32::from_le_bytes(bytes))),
        Load::I64Load32U => visitor.load(|bytes| u64::from(u32::from_le_bytes(bytes))),
    }
}

/// Tells `visitor` how a slot becomes the bytes that `opcode` writes.
#[inline]
pub fn visit_store<V: AccessVisitor>(opcode: Store, visitor: V) -> V::Output {
    match opcode {
        Store::I32Store => visitor.store(u32::to_le_bytes),
        Store::I64Store => visitor.store(u64::to_le_bytes),
        Store::F32Store => visitor.store(u32::to_le_bytes),
        Store::F64Store => visitor.store(u64::to_le_bytes),
        Store::I32Store8 => visitor.store(|value: u32| (value as u8).to_le_bytes()),
        Store::I32Store16 => visitor.store(|value: u32| (value as u16).to_le_bytes()),
        Store::I64Store8 => visitor.store(|value: u64| (value as u8).to_le_bytes()),
        Store::I64Store16 => visitor.store(|value: u64| (value as u16).to_le_bytes()),
        Store::I64Store32 => visitor.store(|value: u64| (value as u32).to_le_bytes()),
    }
}

/// `i64.add128`: the sum of two 128-bit numbers, each low half first.
#[inline]
pub fn add128(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> (u64, u64) {
    halves(joined(a_low, a_high).wrapping_add(joined(b_low, b_high)))
}

/// `i64.sub128`: the difference of two 128-bit numbers, each low half first.
#[inline]
pub fn sub128(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> (u64, u64) {
    halves(joined(a_low, a_high).wrapping_sub(joined(b_low, b_high)))
}

/// `i64.mul_wide_s`: the full product of two signed numbers, low half first.
#[inline]
pub fn mul_wide_s(a: u64, b: u64) -> (u64, u64) {
    halves((i128::from(a as i64) * i128::from(b as i64)) as u128)
}

/// `i64.mul_wide_u`: the full product of two unsigned numbers, low half first.
#[inline]
pub fn mul_wide_u(a: u64, b: u64) -> (u64, u64) {
    halves(u128::from(a) * u128::from(b))
}

const F32_SIGN: u32 = 1 << 31;
const F64_SIGN: u64 = 1 << 63;

/// The remainder has the sign of the dividend; that of `i32::MIN` by -1 is 0.
#[inline(always)]
fn i32_rem_s(dividend: i32, divisor: i32) -> i32 {
    if fault!("numeric-i32-rem-s-keeps-divisor-sign") {
        return dividend.wrapping_rem(divisor).wrapping_mul(divisor.signum());
    }
    dividend.wrapping_rem(divisor)
}

/// A divisor. Checked before anything else about a division, as the specification does.
#[inline]
fn nonzero<T: PartialEq + Default>(divisor: T) -> Result<T, TrapKind> {
    if divisor == T::default() { Err(TrapKind::IntegerDivideByZero) } else { Ok(divisor) }
}

fn joined(low: u64, high: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn halves(value: u128) -> (u64, u64) {
    (value as u64, (value >> 64) as u64)
}

struct Evaluate<'a>(&'a [u64]);

impl Evaluate<'_> {
    fn operands<const N: usize>(&self) -> [u64; N] {
        self.0.try_into().expect("an opcode is evaluated on as many operands as its row says")
    }
}

impl Visitor for Evaluate<'_> {
    type Output = Result<u64, TrapKind>;

    fn unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> R + Copy + 'static) -> Self::Output {
        self.try_unary(move |a| Ok(f(a)))
    }

    fn binary<A: Slot, B: Slot, R: Slot>(self, f: impl Fn(A, B) -> R + Copy + 'static) -> Self::Output {
        self.try_binary(move |a, b| Ok(f(a, b)))
    }

    fn try_unary<A: Slot, R: Slot>(
        self,
        f: impl Fn(A) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output {
        let [a] = self.operands();
        f(A::from_slot(a)).map(R::to_slot)
    }

    fn try_binary<A: Slot, B: Slot, R: Slot>(
        self,
        f: impl Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output {
        let [a, b] = self.operands();
        f(A::from_slot(a), B::from_slot(b)).map(R::to_slot)
    }
}

impl Slot for u32 {
    #[inline]
    fn from_slot(slot: u64) -> u32 {
        slot as u32
    }

    #[inline]
    fn to_slot(self) -> u64 {
        u64::from(self)
    }
}

impl Slot for i32 {
    #[inline]
    fn from_slot(slot: u64) -> i32 {
        slot as i32
    }

    #[inline]
    fn to_slot(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Slot for u64 {
    #[inline]
    fn from_slot(slot: u64) -> u64 {
        slot
    }

    #[inline]
    fn to_slot(self) -> u64 {
        self
    }
}

impl Slot for i64 {
    #[inline]
    fn from_slot(slot: u64) -> i64 {
        slot as i64
    }

    #[inline]
    fn to_slot(self) -> u64 {
        self as u64
    }
}

impl Slot for f32 {
    #[inline]
    fn from_slot(slot: u64) -> f32 {
        f32::from_bits(slot as u32)
    }

    #[inline]
    fn to_slot(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Slot for f64 {
    #[inline]
    fn from_slot(slot: u64) -> f64 {
        f64::from_bits(slot)
    }

    #[inline]
    fn to_slot(self) -> u64 {
        self.to_bits()
    }
}

impl Slot for bool {
    #[inline]
    fn from_slot(slot: u64) -> bool {
        slot as u32 != 0
    }

    #[inline]
    fn to_slot(self) -> u64 {
        u64::from(self)
    }
}
