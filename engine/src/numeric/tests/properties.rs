//! Every operator on any operands against another formulation: integers in 128 bits, floats taken
//! apart into sign, significand and exponent.

use super::*;
use crate::opcode::Operand;
use proptest::prelude::*;

/// Bits with boundary values far more often than chance has them.
fn bits() -> impl Strategy<Value = u64> {
    let near_a_power = (0u32..64, -3i64..=3).prop_map(|(shift, by)| (1u64 << shift).wrapping_add_signed(by));
    let float_64 =
        (any::<bool>(), 0u64..0x800, any::<u64>(), 0u32..53).prop_map(|(sign, exponent, fraction, zeros)| {
            u64::from(sign) << 63 | exponent << 52 | (fraction & 0xF_FFFF_FFFF_FFFF) >> zeros << zeros
        });
    let float_32 =
        (any::<bool>(), 0u64..0x100, any::<u64>(), 0u32..24).prop_map(|(sign, exponent, fraction, zeros)| {
            u64::from(sign) << 31 | exponent << 23 | (fraction & 0x7F_FFFF) >> zeros << zeros
        });
    // Floats about as large as the limits of integers.
    let limit_64 = (any::<bool>(), 1020u64..1090, any::<u64>(), 0u32..53).prop_map(
        |(sign, exponent, fraction, zeros)| {
            u64::from(sign) << 63 | exponent << 52 | (fraction & 0xF_FFFF_FFFF_FFFF) >> zeros << zeros
        },
    );
    let limit_32 =
        (any::<bool>(), 124u64..194, any::<u64>(), 0u32..24).prop_map(|(sign, exponent, fraction, zeros)| {
            u64::from(sign) << 31 | exponent << 23 | (fraction & 0x7F_FFFF) >> zeros << zeros
        });
    prop_oneof![
        any::<u64>(),
        near_a_power.clone(),
        near_a_power.prop_map(|bits| !bits),
        float_32,
        float_64,
        limit_32,
        limit_64,
    ]
}

/// The low `width` bits as an unsigned number.
fn unsigned(bits: u64, width: u32) -> i128 {
    i128::from(bits) & ((1 << width) - 1)
}

/// The low `width` bits as a signed number.
fn signed(bits: u64, width: u32) -> i128 {
    let value = unsigned(bits, width);
    if value >> (width - 1) != 0 { value - (1 << width) } else { value }
}

/// A number as a slot of `width` bits.
fn slot(value: i128, width: u32) -> u64 {
    (value & ((1 << width) - 1)) as u64
}

/// What an integer operator of two operands gives, in numbers of 128 bits; `None` if it is none.
fn integer_binary(name: &str, width: u32, a: u64, b: u64) -> Option<Result<u64, TrapKind>> {
    let (ua, ub) = (unsigned(a, width), unsigned(b, width));
    let (sa, sb) = (signed(a, width), signed(b, width));
    let distance = (ub % i128::from(width)) as u32;
    let value = match name {
        "eq" => return Some(Ok((ua == ub).into())),
        "ne" => return Some(Ok((ua != ub).into())),
        "lt_s" => return Some(Ok((sa < sb).into())),
        "lt_u" => return Some(Ok((ua < ub).into())),
        "gt_s" => return Some(Ok((sa > sb).into())),
        "gt_u" => return Some(Ok((ua > ub).into())),
        "le_s" => return Some(Ok((sa <= sb).into())),
        "le_u" => return Some(Ok((ua <= ub).into())),
        "ge_s" => return Some(Ok((sa >= sb).into())),
        "ge_u" => return Some(Ok((ua >= ub).into())),
        "add" => sa + sb,
        "sub" => sa - sb,
        "mul" => sa * sb,
        "div_s" | "div_u" | "rem_s" | "rem_u" if ub == 0 => return Some(Err(IntegerDivideByZero)),
        "div_s" if sa / sb == 1 << (width - 1) => return Some(Err(IntegerOverflow)),
        "div_s" => sa / sb,
        "div_u" => ua / ub,
        "rem_s" => sa - sa / sb * sb,
        "rem_u" => ua - ua / ub * ub,
        "and" => ua & ub,
        "or" => ua | ub,
        "xor" => ua + ub - 2 * (ua & ub),
        "shl" => ua << distance,
        "shr_s" => sa >> distance,
        "shr_u" => ua >> distance,
        "rotl" => ua << distance | ua >> (width - distance),
        "rotr" => ua >> distance | ua << (width - distance),
        _ => return None,
    };
    Some(Ok(slot(value, width)))
}

/// A finite float taken apart: its value is `significand` times two to the `exponent`.
#[derive(Clone, Copy)]
struct Parts {
    negative: bool,
    significand: u128,
    exponent: i32,
}

#[derive(Clone, Copy)]
enum Taken {
    Finite(Parts),
    Infinite { negative: bool },
    Nan,
}

/// Bits of exponent and fraction of a float type.
#[derive(Clone, Copy)]
struct Format {
    exponent_bits: u32,
    fraction_bits: u32,
}

const F32: Format = Format { exponent_bits: 8, fraction_bits: 23 };
const F64: Format = Format { exponent_bits: 11, fraction_bits: 52 };

impl Format {
    fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    fn sign(self, negative: bool) -> u64 {
        u64::from(negative) << (self.exponent_bits + self.fraction_bits)
    }

    fn infinity(self, negative: bool) -> u64 {
        self.sign(negative) | ((1 << self.exponent_bits) - 1) << self.fraction_bits
    }

    fn canonical_nan(self) -> u64 {
        self.infinity(false) | 1 << (self.fraction_bits - 1)
    }

    fn take_apart(self, bits: u64) -> Taken {
        let negative = bits >> (self.exponent_bits + self.fraction_bits) & 1 != 0;
        let biased = (bits >> self.fraction_bits) as i32 & ((1 << self.exponent_bits) - 1);
        let fraction = u128::from(bits & ((1 << self.fraction_bits) - 1));
        let lowest = 1 - self.bias() - self.fraction_bits as i32;
        if biased == (1 << self.exponent_bits) - 1 {
            return if fraction == 0 { Taken::Infinite { negative } } else { Taken::Nan };
        }
        Taken::Finite(match biased {
            0 => Parts { negative, significand: fraction, exponent: lowest },
            _ => Parts {
                negative,
                significand: fraction | 1 << self.fraction_bits,
                exponent: lowest + biased - 1,
            },
        })
    }

    /// The float nearest to a number, the even one of two; with the number's sign even if it is zero.
    /// The last bit of the significand may stand for anything smaller that is not zero.
    fn put_together(self, mut parts: Parts) -> u64 {
        let lowest = 1 - self.bias() - self.fraction_bits as i32;
        if parts.significand == 0 {
            return self.sign(parts.negative);
        }
        let length = 128 - parts.significand.leading_zeros() as i32;
        // As many bits as the format has, fewer where it is subnormal.
        let target = (parts.exponent + length - 1 - self.fraction_bits as i32).max(lowest);
        if target <= parts.exponent {
            parts.significand <<= parts.exponent - target;
        } else {
            parts.significand = half_even(parts.significand, (target - parts.exponent) as u32);
        }
        // A carry out of the fraction goes into the exponent, and from the largest float to infinity.
        let scaled = (target - lowest) as u128;
        let magnitude = (scaled << self.fraction_bits) + parts.significand;
        let infinity = u128::from(self.infinity(false));
        self.sign(parts.negative) | magnitude.min(infinity) as u64
    }
}

/// `value` divided by two to the `shift`, to the nearest, the even one of two.
fn half_even(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        return value;
    }
    if shift > 127 {
        return 0;
    }
    let (quotient, rest, half) = (value >> shift, value & ((1 << shift) - 1), 1 << (shift - 1));
    quotient + u128::from(rest > half || rest == half && quotient % 2 == 1)
}

/// The square root of a number below 2^126, rounded down.
fn whole_root(value: u128) -> u128 {
    let mut root: u128 = 0;
    for bit in (0..63).rev() {
        let larger = root | 1 << bit;
        if larger * larger <= value {
            root = larger;
        }
    }
    root
}

/// What rounding to a whole number gives.
fn rounded(format: Format, name: &str, bits: u64) -> u64 {
    let parts = match format.take_apart(bits) {
        Taken::Nan => return format.canonical_nan(),
        Taken::Infinite { .. } => return bits,
        Taken::Finite(parts) => parts,
    };
    if parts.exponent >= 0 {
        return bits;
    }
    let shift = parts.exponent.unsigned_abs().min(100);
    let below = parts.significand >> shift;
    let whole = below << shift == parts.significand;
    let significand = match name {
        "trunc" => below,
        "floor" => below + u128::from(!whole && parts.negative),
        "ceil" => below + u128::from(!whole && !parts.negative),
        "nearest" => half_even(parts.significand, shift),
        _ => unreachable!("four operators round"),
    };
    format.put_together(Parts { significand, exponent: 0, ..parts })
}

/// What `+ - * /` give of finite numbers; `None` where that is a matter of rules, not of numbers.
fn arithmetic(format: Format, name: &str, a: Parts, b: Parts) -> Option<u64> {
    match name {
        "add" => sum(format, a, b),
        "sub" => sum(format, a, Parts { negative: !b.negative, ..b }),
        "mul" => Some(format.put_together(Parts {
            negative: a.negative != b.negative,
            significand: a.significand * b.significand,
            exponent: a.exponent + b.exponent,
        })),
        "div" if a.significand != 0 && b.significand != 0 => {
            // Enough bits for any quotient, and the remainder as a last bit.
            let shift = a.significand.leading_zeros() - 1;
            let dividend = a.significand << shift;
            let (quotient, rest) = (dividend / b.significand, dividend % b.significand);
            Some(format.put_together(Parts {
                negative: a.negative != b.negative,
                significand: quotient << 1 | u128::from(rest != 0),
                exponent: a.exponent - b.exponent - shift as i32 - 1,
            }))
        }
        _ => None,
    }
}

fn sum(format: Format, a: Parts, b: Parts) -> Option<u64> {
    let (high, low) = if a.exponent >= b.exponent { (a, b) } else { (b, a) };
    let apart = (high.exponent - low.exponent) as u32;
    // Significands have at most 53 bits: beyond 70 the lower number is a last bit that says "not zero".
    let (high_part, low_part, exponent) = if apart <= 70 {
        (high.significand << apart, low.significand, low.exponent)
    } else {
        (high.significand << 70, u128::from(low.significand != 0), high.exponent - 70)
    };
    let with_sign = |part: u128, negative: bool| if negative { -(part as i128) } else { part as i128 };
    let total = with_sign(high_part, high.negative) + with_sign(low_part, low.negative);
    // The sign of an exact zero is a rule; the table of zeros has it.
    (total != 0).then(|| {
        format.put_together(Parts { negative: total < 0, significand: total.unsigned_abs(), exponent })
    })
}

/// An order of all numbers in which -0 is less than +0: the bits as sign and magnitude.
fn total_order(format: Format, bits: u64) -> i128 {
    let width = 1 + format.exponent_bits + format.fraction_bits;
    let magnitude = unsigned(bits, width - 1);
    if bits >> (width - 1) & 1 != 0 { -1 - magnitude } else { magnitude }
}

fn float_binary(format: Format, name: &str, a: u64, b: u64) -> Option<u64> {
    let (ta, tb) = (format.take_apart(a), format.take_apart(b));
    if name == "copysign" {
        return None;
    }
    if matches!(ta, Taken::Nan) || matches!(tb, Taken::Nan) {
        let comparison = ["eq", "ne", "lt", "gt", "le", "ge"].contains(&name);
        return Some(if comparison { u64::from(name == "ne") } else { format.canonical_nan() });
    }
    let (oa, ob) = (total_order(format, a), total_order(format, b));
    // Comparisons take both zeros for the same number.
    let (ca, cb) = (if oa == -1 { 0 } else { oa }, if ob == -1 { 0 } else { ob });
    match name {
        "eq" => return Some((ca == cb).into()),
        "ne" => return Some((ca != cb).into()),
        "lt" => return Some((ca < cb).into()),
        "gt" => return Some((ca > cb).into()),
        "le" => return Some((ca <= cb).into()),
        "ge" => return Some((ca >= cb).into()),
        "min" => return Some(if oa < ob { a } else { b }),
        "max" => return Some(if oa > ob { a } else { b }),
        _ => {}
    }
    match (ta, tb) {
        (Taken::Finite(a), Taken::Finite(b)) => arithmetic(format, name, a, b),
        _ => None,
    }
}

fn square_root(format: Format, bits: u64) -> u64 {
    match format.take_apart(bits) {
        Taken::Finite(parts) if parts.significand == 0 => bits,
        Taken::Finite(mut parts) if !parts.negative => {
            // Room for more bits than any format has, with an even exponent.
            let shift = parts.significand.leading_zeros() as i32 - 3;
            let shift = shift - (parts.exponent - shift).rem_euclid(2);
            parts.significand <<= shift;
            parts.exponent -= shift;
            let root = whole_root(parts.significand);
            let exact = root * root == parts.significand;
            format.put_together(Parts {
                negative: false,
                significand: root << 1 | u128::from(!exact),
                exponent: parts.exponent / 2 - 1,
            })
        }
        Taken::Infinite { negative: false } => bits,
        Taken::Finite(_) | Taken::Infinite { .. } | Taken::Nan => format.canonical_nan(),
    }
}

/// What a truncation to an integer gives: of the whole number exactly, then of its limits.
fn truncated(
    format: Format,
    bits: u64,
    width: u32,
    is_signed: bool,
    saturates: bool,
) -> Result<u64, TrapKind> {
    let (least, most) = if is_signed {
        (-1i128 << (width - 1), (1i128 << (width - 1)) - 1)
    } else {
        (0, (1i128 << width) - 1)
    };
    let far = |negative: bool| if negative { i128::MIN } else { i128::MAX };
    let value = match format.take_apart(bits) {
        Taken::Nan if saturates => 0,
        Taken::Nan => return Err(InvalidConversionToInteger),
        Taken::Infinite { negative } => far(negative),
        Taken::Finite(parts) => {
            let magnitude = match parts.exponent {
                ..-120 => 0,
                -120..0 => parts.significand >> -parts.exponent,
                0..70 => parts.significand << parts.exponent,
                70.. if parts.significand == 0 => 0,
                70.. => far(false) as u128,
            };
            if parts.negative { -(magnitude as i128) } else { magnitude as i128 }
        }
    };
    if (least..=most).contains(&value) {
        Ok(slot(value, width))
    } else if saturates {
        Ok(slot(value.clamp(least, most), width))
    } else {
        Err(IntegerOverflow)
    }
}

fn format_of(text: &str) -> Format {
    if text.starts_with("f32") { F32 } else { F64 }
}

/// The other formulation of an operator of one operand; `None` for those that move bits.
fn expected_unary(text: &str, bits: u64) -> Option<Result<u64, TrapKind>> {
    let (ty, name) = text.split_once('.').unwrap();
    let width = if ty.ends_with("32") { 32 } else { 64 };
    let number = |bits: i128, format: Format| {
        format.put_together(Parts { negative: bits < 0, significand: bits.unsigned_abs(), exponent: 0 })
    };
    let result = match name {
        "eqz" => u64::from(unsigned(bits, width) == 0),
        "clz" => (0..width).take_while(|bit| bits >> (width - 1 - bit) & 1 == 0).count() as u64,
        "ctz" => (0..width).take_while(|bit| bits >> bit & 1 == 0).count() as u64,
        "popcnt" => (0..width).map(|bit| bits >> bit & 1).sum(),
        "extend8_s" => slot(signed(bits, 8), width),
        "extend16_s" => slot(signed(bits, 16), width),
        "extend32_s" | "extend_i32_s" => slot(signed(bits, 32), width),
        "wrap_i64" | "extend_i32_u" => slot(unsigned(bits, 32), 32),
        "convert_i32_s" => number(signed(bits, 32), format_of(ty)),
        "convert_i32_u" => number(unsigned(bits, 32), format_of(ty)),
        "convert_i64_s" => number(signed(bits, 64), format_of(ty)),
        "convert_i64_u" => number(unsigned(bits, 64), format_of(ty)),
        "ceil" | "floor" | "trunc" | "nearest" => rounded(format_of(ty), name, bits),
        "sqrt" => square_root(format_of(ty), bits),
        "demote_f64" | "promote_f32" => {
            let (from, to) = if name == "demote_f64" { (F64, F32) } else { (F32, F64) };
            match from.take_apart(bits) {
                Taken::Nan => to.canonical_nan(),
                Taken::Infinite { negative } => to.infinity(negative),
                Taken::Finite(parts) => to.put_together(parts),
            }
        }
        "abs" | "neg" => return None,
        _ if name.starts_with("reinterpret_") => return None,
        _ => {
            let (kind, sign) = name.strip_prefix("trunc_").unwrap().rsplit_once('_').unwrap();
            let (float, saturates) = match kind.strip_prefix("sat_") {
                Some(float) => (float, true),
                None => (kind, false),
            };
            return Some(truncated(format_of(float), bits, width, sign == "s", saturates));
        }
    };
    Some(Ok(result))
}

fn expected_binary(text: &str, a: u64, b: u64) -> Option<Result<u64, TrapKind>> {
    let (ty, name) = text.split_once('.').unwrap();
    match ty {
        "i32" => integer_binary(name, 32, a, b),
        "i64" => integer_binary(name, 64, a, b),
        "f32" => float_binary(F32, name, a, b).map(Ok),
        _ => float_binary(F64, name, a, b).map(Ok),
    }
}

/// A slot of one operand's type.
fn fit(bits: u64, operand: Operand) -> u64 {
    match operand {
        Operand::I32 | Operand::F32 => bits & 0xFFFF_FFFF,
        _ => bits,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_numeric_opcode_is_what_the_other_formulation_says(a in bits(), b in bits()) {
        for &opcode in Numeric::ALL {
            let row = opcode.row();
            let operands: Vec<u64> =
                row.operands.iter().zip([a, b]).map(|(&operand, bits)| fit(bits, operand)).collect();
            let expected = match operands[..] {
                [a] => expected_unary(row.text, a),
                [a, b] => expected_binary(row.text, a, b),
                _ => unreachable!("numeric opcodes have one or two operands"),
            };
            let result = evaluate(opcode, &operands);
            if let Some(expected) = expected {
                prop_assert_eq!(result, expected, "{} {:x?}: {:x?}, not {:x?}", row.text, operands, result, expected);
            }
        }
    }
}

/// Says which types and captures a meaning has.
struct Shape;

fn operand_of<T: Slot>() -> Operand {
    match std::any::type_name::<T>() {
        "u32" | "i32" | "bool" => Operand::I32,
        "u64" | "i64" => Operand::I64,
        "f32" => Operand::F32,
        "f64" => Operand::F64,
        other => unreachable!("no slot is a {other}"),
    }
}

impl Visitor for Shape {
    type Output = (Vec<Operand>, Operand, usize);

    fn unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> R + Copy + 'static) -> Self::Output {
        (vec![operand_of::<A>()], operand_of::<R>(), size_of_val(&f))
    }

    fn binary<A: Slot, B: Slot, R: Slot>(self, f: impl Fn(A, B) -> R + Copy + 'static) -> Self::Output {
        (vec![operand_of::<A>(), operand_of::<B>()], operand_of::<R>(), size_of_val(&f))
    }

    fn try_unary<A: Slot, R: Slot>(
        self,
        f: impl Fn(A) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output {
        (vec![operand_of::<A>()], operand_of::<R>(), size_of_val(&f))
    }

    fn try_binary<A: Slot, B: Slot, R: Slot>(
        self,
        f: impl Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output {
        (vec![operand_of::<A>(), operand_of::<B>()], operand_of::<R>(), size_of_val(&f))
    }
}

#[test]
fn meanings_have_the_types_of_their_rows_and_capture_nothing() {
    // A float whose bits alone matter is an integer of the same width.
    let as_bits = |operand: Operand| match operand {
        Operand::F32 => Operand::I32,
        Operand::F64 => Operand::I64,
        other => other,
    };
    for &opcode in Numeric::ALL {
        let row = opcode.row();
        let (operands, result, captured) = visit(opcode, Shape);
        assert_eq!(captured, 0, "{}", row.text);
        // A float result is made canonical on its bits, and may be given as those.
        assert_eq!(as_bits(result), as_bits(row.results[0]), "{}", row.text);
        let bits_only = ["abs", "neg", "copysign", "reinterpret"].iter().any(|name| row.text.contains(name));
        for (&row_says, given) in row.operands.iter().zip(operands) {
            assert_eq!(given, if bits_only { as_bits(row_says) } else { row_says }, "{}", row.text);
        }
    }
}
