//! Faults that are drawn by lot, so that none is picked for being easy: an opcode of the table, a kind of mutation, a room.
//!
//! A drawn fault is plain data with a name that can be read back, like `baseline:i32.rem_s:swapped`. What it computes
//! instead is said once, in `numeric::planted`; each room has one place where it does so. The rows it is drawn from
//! are the scalar operators, and loads and stores, which are operators on the bits they move.

use super::Room;
use crate::opcode::{NumericKind, Opcode, Operand};
use crate::trap::TrapKind;
use std::fmt;
use std::str::FromStr;

/// A fault of one opcode in one room.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Drawn {
    /// Where it is.
    pub room: Room,
    /// Which opcode goes wrong: a [`Opcode::Numeric`], [`Opcode::Load`] or [`Opcode::Store`].
    pub opcode: Opcode,
    /// How it goes wrong.
    pub mutation: Mutation,
}

/// How an opcode goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutation {
    /// It is taken for another opcode of the same operands and results.
    Instead(Opcode),
    /// Its operands are swapped.
    Swapped,
    /// This bit of what it computes, or moves, is flipped.
    Flipped(u8),
    /// The upper half of its result is lost.
    UpperLost,
    /// It traps for another reason.
    OtherTrap,
    /// This bit is flipped, but only if the operands are in a corner.
    Corner(Corner, u8),
}

/// Operands at which engines go wrong, and which random ones hardly ever meet. Those with one operand are about the
/// right one, or the only one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Corner {
    /// The smallest signed integer, and -1.
    MinimumByMinusOne,
    /// A count that is the width.
    Width,
    /// The smallest signed integer.
    Minimum,
    /// The largest signed integer.
    Maximum,
    /// -1.
    MinusOne,
    /// Zero; of floats the positive one.
    Zero,
    /// Two to this power; a float or an integer.
    PowerOfTwo(u8),
    /// Both operands are the same bits.
    Equal,
    /// The left operand is zero.
    LeftZero,
    /// Zeros, the left one positive, the right one negative.
    ZerosOfBothSigns,
    /// Two quiet NaNs.
    TwoNans,
    /// Negative zero.
    NegativeZero,
    /// Positive infinity.
    Infinity,
    /// A half.
    Half,
    /// The smallest positive float.
    SmallestFloat,
    /// The largest finite float.
    LargestFloat,
    /// Minus two to this power; a float.
    MinusPowerOfTwo(u8),
}

/// What operands must look like, in a form that is as easily asked in machine code: some of their bits are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Conditions {
    /// Mask and value of the left of two operands.
    pub left: Option<(u64, u64)>,
    /// Mask and value of the right operand, or of the only one.
    pub right: Option<(u64, u64)>,
    /// Whether both must be the same.
    pub equal: bool,
}

impl Conditions {
    /// Whether operands, deepest first, meet them.
    pub fn hold(&self, operands: &[u64]) -> bool {
        let is = |condition: Option<(u64, u64)>, operand: u64| {
            condition.is_none_or(|(mask, value)| operand & mask == value)
        };
        match *operands {
            [only] => is(self.right, only),
            [left, right] => is(self.left, left) && is(self.right, right) && (!self.equal || left == right),
            _ => unreachable!("rows have one operand or two"),
        }
    }

    /// How many bits of operands of that width they settle.
    fn bits(&self, width: u32) -> u32 {
        let of = |condition: Option<(u64, u64)>| condition.map_or(0, |(mask, _)| mask.count_ones());
        of(self.left) + of(self.right) + if self.equal { width } else { 0 }
    }
}

/// Random operands meet a corner of so many bits less than once in 16,000.
const RARE_BITS: u32 = 14;

/// What an opcode looks like to a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// One operand or two.
    pub operands: u32,
    /// Bits of the operands that count; operands have the same type, or the left one has.
    pub width: u32,
    /// Whether the operands are floats.
    pub is_float: bool,
    /// Bits of what is flipped or lost: the result, or what a store writes.
    pub result_width: u32,
    /// Whether the result is an integer.
    pub result_is_integer: bool,
}

impl Drawn {
    /// The shape of an opcode that faults are drawn for.
    pub fn shape(opcode: Opcode) -> Shape {
        let row = opcode.row();
        let bits = |operand: Operand| if matches!(operand, Operand::I64 | Operand::F64) { 64 } else { 32 };
        match opcode {
            Opcode::Load(load) => Shape {
                operands: 1,
                width: 8 * load.width(),
                is_float: row.results[0].is_float(),
                result_width: bits(row.results[0]),
                result_is_integer: !row.results[0].is_float(),
            },
            Opcode::Store(store) => Shape {
                operands: 1,
                width: 8 * store.width(),
                is_float: row.operands[1].is_float(),
                result_width: 8 * store.width(),
                result_is_integer: false,
            },
            _ => Shape {
                operands: row.operands.len() as u32,
                width: bits(row.operands[0]),
                is_float: row.operands[0].is_float(),
                // Comparisons give a single bit.
                result_width: if is_test(opcode) { 1 } else { bits(row.results[0]) },
                result_is_integer: !row.results[0].is_float() && !is_test(opcode),
            },
        }
    }

    /// What operands must look like for a fault in a corner; nothing special for others.
    pub fn conditions(&self) -> Conditions {
        match self.mutation {
            Mutation::Corner(corner, _) => corner.conditions(Drawn::shape(self.opcode)).unwrap_or_default(),
            Mutation::Instead(_)
            | Mutation::Swapped
            | Mutation::Flipped(_)
            | Mutation::UpperLost
            | Mutation::OtherTrap => Conditions::default(),
        }
    }

    /// Whether random operands hardly ever meet it.
    pub fn is_rare(&self) -> bool {
        matches!(self.mutation, Mutation::Corner(..))
    }

    /// Whether the opcode can go wrong this way. That it then shows is another question.
    fn makes_sense(&self) -> bool {
        let shape = Drawn::shape(self.opcode);
        match self.mutation {
            Mutation::Instead(other) => other != self.opcode && is_sibling(self.opcode, other),
            Mutation::Swapped => {
                let operands = self.opcode.row().operands;
                is_numeric(self.opcode) && operands.len() == 2 && operands[0] == operands[1]
            }
            Mutation::Flipped(bit) => u32::from(bit) < shape.result_width,
            Mutation::UpperLost => shape.result_is_integer,
            Mutation::OtherTrap => is_numeric(self.opcode) && may_trap(self.opcode),
            Mutation::Corner(corner, bit) => {
                let conditions = corner.conditions(shape);
                u32::from(bit) < shape.result_width
                    && conditions.is_some_and(|conditions| conditions.bits(shape.width) >= RARE_BITS)
            }
        }
    }

    /// One of all faults that make sense, by lot: first room, opcode and kind, then what the kind leaves open. Whether
    /// one that random operands hardly ever meet is asked for. The same on every machine.
    pub fn draw(lot: &mut Lot, rare: bool) -> Drawn {
        let rows: Vec<Opcode> = Opcode::all().filter(|opcode| is_drawable(*opcode)).collect();
        loop {
            let (room, opcode) = (*lot.pick(&ROOMS), *lot.pick(&rows));
            let bit = lot.below(Drawn::shape(opcode).result_width as usize) as u8;
            let mutations: Vec<Mutation> = if rare {
                let power = lot.below(64) as u8;
                Corner::all(power).map(|corner| Mutation::Corner(corner, bit)).to_vec()
            } else {
                match lot.below(5) {
                    0 => rows.iter().map(|other| Mutation::Instead(*other)).collect(),
                    1 => vec![Mutation::Swapped],
                    2 => vec![Mutation::Flipped(bit)],
                    3 => vec![Mutation::UpperLost],
                    _ => vec![Mutation::OtherTrap],
                }
            };
            let drawn = mutations.into_iter().map(|mutation| Drawn { room, opcode, mutation });
            let drawn: Vec<Drawn> = drawn.filter(Drawn::makes_sense).collect();
            if !drawn.is_empty() {
                return *lot.pick(&drawn);
            }
        }
    }
}

/// The rooms that have a place for drawn faults.
const ROOMS: [Room; 3] = [Room::Interp, Room::FastInterp, Room::Baseline];

fn is_numeric(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Numeric(_))
}

fn is_drawable(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Numeric(_) | Opcode::Load(_) | Opcode::Store(_))
}

/// Whether the result is a truth value.
fn is_test(opcode: Opcode) -> bool {
    opcode.row().kind.is_some_and(NumericKind::is_predicate)
}

/// Whether operands alone can make a scalar operator trap.
fn may_trap(opcode: Opcode) -> bool {
    opcode.row().kind.is_some_and(NumericKind::may_trap)
}

/// Whether one may be taken for the other: the same types, the same bytes of memory, and both trap or none does, both
/// give truth values or none does.
fn is_sibling(one: Opcode, other: Opcode) -> bool {
    let (a, b) = (one.row(), other.row());
    let alike = a.operands == b.operands && a.results == b.results && a.family == b.family;
    alike
        && match (one, other) {
            (Opcode::Load(a), Opcode::Load(b)) => a.width() == b.width(),
            (Opcode::Numeric(_), Opcode::Numeric(_)) => {
                may_trap(one) == may_trap(other) && is_test(one) == is_test(other)
            }
            _ => false,
        }
}

impl Corner {
    const COUNT: usize = 17;

    /// Every corner, of the power where there is one.
    fn all(power: u8) -> [Corner; Corner::COUNT] {
        use Corner::*;
        [
            MinimumByMinusOne,
            Width,
            Minimum,
            Maximum,
            MinusOne,
            Zero,
            PowerOfTwo(power),
            Equal,
            LeftZero,
            ZerosOfBothSigns,
            TwoNans,
            NegativeZero,
            Infinity,
            Half,
            SmallestFloat,
            LargestFloat,
            MinusPowerOfTwo(power),
        ]
    }

    /// What operands of a shape must look like; `None` if the shape has no such corner.
    fn conditions(self, shape: Shape) -> Option<Conditions> {
        let Shape { operands, width, is_float, .. } = shape;
        let all = u64::MAX >> (64 - width);
        let sign = 1u64 << (width - 1);
        let right = |value: u64| Some(Conditions { right: Some((all, value)), ..Conditions::default() });
        let both = |left: (u64, u64), right: (u64, u64)| {
            let (left, right) = (Some(left), Some(right));
            (operands == 2).then_some(Conditions { left, right, equal: false })
        };
        let integer = |conditions: Option<Conditions>| conditions.filter(|_| !is_float);
        let float = |conditions: Option<Conditions>| conditions.filter(|_| is_float && width >= 32);
        let bits =
            |value: f64| if width == 32 { u64::from((value as f32).to_bits()) } else { value.to_bits() };
        // All bits of the exponent, and the highest of those after it.
        let quiet = bits(f64::INFINITY) | bits(f64::INFINITY) >> 1 & !bits(f64::INFINITY);
        let two_to = |power: u8| f64::from_bits((1023 + u64::from(power)) << 52);
        match self {
            Corner::MinimumByMinusOne => integer(both((all, sign), (all, all))),
            Corner::Width => integer(right(u64::from(width)).filter(|_| operands == 2)),
            Corner::Minimum => integer(right(sign)),
            Corner::Maximum => integer(right(sign - 1)),
            Corner::MinusOne => integer(right(all)),
            Corner::Zero => right(0),
            Corner::PowerOfTwo(power) if is_float => float(right(bits(two_to(power)))),
            Corner::PowerOfTwo(power) => right(1 << (u32::from(power) % width)),
            Corner::Equal => (operands == 2).then_some(Conditions { equal: true, ..Conditions::default() }),
            Corner::LeftZero => {
                let left = Some((all, 0));
                (operands == 2).then_some(Conditions { left, ..Conditions::default() })
            }
            Corner::ZerosOfBothSigns => float(both((all, 0), (all, sign))),
            Corner::TwoNans => float(both((quiet, quiet), (quiet, quiet))),
            Corner::NegativeZero => float(right(sign)),
            Corner::Infinity => float(right(bits(f64::INFINITY))),
            Corner::Half => float(right(bits(0.5))),
            Corner::SmallestFloat => float(right(1)),
            Corner::LargestFloat => float(right(bits(f64::INFINITY) - 1)),
            Corner::MinusPowerOfTwo(power) => float(right(bits(-two_to(power)))),
        }
    }
}

/// The trap that a fault has in place of another.
pub(crate) fn other_trap(kind: TrapKind) -> TrapKind {
    match kind {
        TrapKind::IntegerDivideByZero | TrapKind::InvalidConversionToInteger => TrapKind::IntegerOverflow,
        TrapKind::IntegerOverflow => TrapKind::IntegerDivideByZero,
        other => other,
    }
}

/// Random numbers from a seed, the same on every machine (G. Steele, D. Lea and C. Flood's SplitMix64).
pub struct Lot(u64);

impl Lot {
    /// Of a seed.
    pub fn new(seed: u64) -> Lot {
        Lot(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.number() % count as u64) as usize
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.room.name(), self.opcode.text(), self.mutation)
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mutation::Instead(other) => write!(f, "instead/{}", other.text()),
            Mutation::Swapped => f.write_str("swapped"),
            Mutation::Flipped(bit) => write!(f, "flipped/{bit}"),
            Mutation::UpperLost => f.write_str("upper-lost"),
            Mutation::OtherTrap => f.write_str("other-trap"),
            Mutation::Corner(corner, bit) => write!(f, "corner/{}/{bit}", corner.name()),
        }
    }
}

impl Corner {
    fn name(self) -> String {
        let plain = match self {
            Corner::MinimumByMinusOne => "minimum-by-minus-one",
            Corner::Width => "width",
            Corner::Minimum => "minimum",
            Corner::Maximum => "maximum",
            Corner::MinusOne => "minus-one",
            Corner::Zero => "zero",
            Corner::PowerOfTwo(power) => return format!("two-to-{power}"),
            Corner::Equal => "equal",
            Corner::LeftZero => "left-zero",
            Corner::ZerosOfBothSigns => "zeros-of-both-signs",
            Corner::TwoNans => "two-nans",
            Corner::NegativeZero => "negative-zero",
            Corner::Infinity => "infinity",
            Corner::Half => "half",
            Corner::SmallestFloat => "smallest-float",
            Corner::LargestFloat => "largest-float",
            Corner::MinusPowerOfTwo(power) => return format!("minus-two-to-{power}"),
        };
        plain.to_string()
    }
}

impl FromStr for Drawn {
    type Err = String;

    /// Reads what [`Drawn`] displays as.
    fn from_str(text: &str) -> Result<Drawn, String> {
        let wrong = || format!("expected ROOM:OPCODE:MUTATION, like interp:i32.sub:swapped, not `{text}`");
        let mut parts = text.splitn(3, ':');
        let (Some(room), Some(opcode), Some(mutation)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let room = Room::ALL.into_iter().find(|known| known.name() == room).ok_or_else(wrong)?;
        let opcode = Opcode::from_text(opcode).filter(|opcode| is_drawable(*opcode)).ok_or_else(wrong)?;
        let mut parts = mutation.split('/');
        let kind = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        let bit = |text: &str| text.parse::<u8>().map_err(|_| wrong());
        let mutation = match (kind, rest.as_slice()) {
            ("instead", [other]) => Mutation::Instead(Opcode::from_text(other).ok_or_else(wrong)?),
            ("swapped", []) => Mutation::Swapped,
            ("flipped", [text]) => Mutation::Flipped(bit(text)?),
            ("upper-lost", []) => Mutation::UpperLost,
            ("other-trap", []) => Mutation::OtherTrap,
            ("corner", [corner, text]) => {
                let known = (0..64).flat_map(Corner::all).find(|known| known.name() == *corner);
                Mutation::Corner(known.ok_or_else(wrong)?, bit(text)?)
            }
            _ => return Err(wrong()),
        };
        let drawn = Drawn { room, opcode, mutation };
        if !ROOMS.contains(&room) || !drawn.makes_sense() {
            return Err(format!("`{text}` is no fault: the opcode or the room cannot go wrong this way"));
        }
        Ok(drawn)
    }
}
