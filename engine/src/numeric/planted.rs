//! What opcodes compute when a drawn fault is planted: see `crate::faults::drawn`.
//!
//! [`Mutated`] stands between a visitor and the meanings, so a room that asks for meanings gets wrong ones without
//! naming an opcode. Compiled modes write the wrong thing themselves.

use super::{AccessVisitor, Slot, Visitor, evaluate, visit_load, visit_store};
use crate::faults::drawn::{Drawn, Lot, Mutation, other_trap};
use crate::faults::planted_drawn;
use crate::opcode::Opcode;
use crate::trap::TrapKind;

/// What an opcode computes of operands, deepest first, if nothing is wrong. The operand of a load is the bytes it
/// reads, that of a store the value; what a store computes is the bytes it writes.
fn sound(opcode: Opcode, operands: &[u64]) -> Result<u64, TrapKind> {
    match opcode {
        Opcode::Numeric(opcode) => evaluate(opcode, operands),
        Opcode::Load(opcode) => Ok(visit_load(opcode, Moved(operands[0]))),
        Opcode::Store(opcode) => Ok(visit_store(opcode, Moved(operands[0]))),
        _ => unreachable!("faults are drawn for scalar operators, loads and stores"),
    }
}

/// The bits that a load or store moves.
struct Moved(u64);

impl AccessVisitor for Moved {
    type Output = u64;

    fn load<const N: usize, R: Slot>(self, f: impl Fn([u8; N]) -> R + Copy + 'static) -> u64 {
        f(bytes(self.0)).to_slot()
    }

    fn store<const N: usize, V: Slot>(self, f: impl Fn(V) -> [u8; N] + Copy + 'static) -> u64 {
        number(f(V::from_slot(self.0)))
    }
}

fn bytes<const N: usize>(value: u64) -> [u8; N] {
    std::array::from_fn(|i| value.to_le_bytes()[i])
}

fn number<const N: usize>(bytes: [u8; N]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// What the opcode computes with the fault.
pub fn mutated(drawn: &Drawn, operands: &[u64]) -> Result<u64, TrapKind> {
    let honest = || sound(drawn.opcode, operands);
    match drawn.mutation {
        Mutation::Instead(other) => sound(other, operands),
        Mutation::Swapped => sound(drawn.opcode, &[operands[1], operands[0]]),
        Mutation::Flipped(bit) => honest().map(|value| value ^ 1 << bit),
        Mutation::UpperLost => {
            let half = Drawn::shape(drawn.opcode).result_width / 2;
            honest().map(|value| value & (u64::MAX >> (64 - half)))
        }
        Mutation::OtherTrap => honest().map_err(other_trap),
        Mutation::Corner(_, bit) => {
            let is_there = drawn.conditions().hold(operands);
            honest().map(|value| value ^ u64::from(is_there) << bit)
        }
    }
}

/// Bits of operands that are tried to see whether a fault shows at all.
const TRIED: [u64; 24] = [
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    0x80,
    0x8000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x3f80_0000,
    0x4f00_0000,
    0x7fc0_0000,
    0xc0a0_0000,
    0x8000_0000_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
    0x3ff0_0000_0000_0000,
    0x4014_0000_0000_0000,
    0xc3e0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0x0123_4567_89ab_cdef,
];

/// Whether the fault changes what the opcode computes for at least one of many operands.
pub fn shows(drawn: &Drawn) -> bool {
    let shape = Drawn::shape(drawn.opcode);
    let all = u64::MAX >> (64 - shape.width);
    let conditions = drawn.conditions();
    // Operands are moved into the corner, if there is one.
    let moved = |value: u64, condition: Option<(u64, u64)>| match condition {
        Some((mask, known)) => value & all & !mask | known,
        None => value & all,
    };
    let differs = |operands: &[u64]| mutated(drawn, operands) != sound(drawn.opcode, operands);
    if shape.operands == 1 {
        return TRIED.iter().any(|value| differs(&[moved(*value, conditions.right)]));
    }
    let pairs = TRIED.iter().flat_map(|left| TRIED.iter().map(move |right| (*left, *right)));
    pairs.into_iter().any(|(left, right)| {
        let left = moved(left, conditions.left);
        let right = if conditions.equal { left } else { moved(right, conditions.right) };
        differs(&[left, right])
    })
}

/// How many of so many random operands show the fault.
pub fn shown_among(drawn: &Drawn, count: u64, seed: u64) -> u64 {
    let shape = Drawn::shape(drawn.opcode);
    let all = u64::MAX >> (64 - shape.width);
    let mut lot = Lot::new(seed);
    let differs = |operands: &[u64]| mutated(drawn, operands) != sound(drawn.opcode, operands);
    let mut shown = 0;
    for _ in 0..count {
        let operands = [lot.number() & all, lot.number() & all];
        shown += u64::from(differs(&operands[..shape.operands as usize]));
    }
    shown
}

/// So many faults of a seed that show, no two the same; the second half of them is rare.
pub fn draw(seed: u64, count: usize) -> Vec<Drawn> {
    let mut lot = Lot::new(seed);
    let mut faults: Vec<Drawn> = Vec::with_capacity(count);
    while faults.len() < count {
        let drawn = Drawn::draw(&mut lot, faults.len() >= count / 2);
        if shows(&drawn) && !faults.contains(&drawn) {
            faults.push(drawn);
        }
    }
    faults
}

/// What [`wrong`] says, in registers: code that calls it must not need memory of its own for that, or it cannot end
/// in a jump.
#[repr(C)]
struct Wrong {
    status: u64,
    value: u64,
}

const NOT_PLANTED: u64 = 0;
const COMPUTED: u64 = 1;
/// And from here on the trap's number.
const TRAPPED: u64 = 2;

/// What the opcode of the planted fault computes; an operand that it does not have is ignored.
#[inline(never)]
extern "C-unwind" fn wrong(left: u64, right: u64) -> Wrong {
    let Some(drawn) = planted_drawn() else { return Wrong { status: NOT_PLANTED, value: 0 } };
    let operands = [left, right];
    match mutated(&drawn, &operands[..Drawn::shape(drawn.opcode).operands as usize]) {
        Ok(value) => Wrong { status: COMPUTED, value },
        Err(kind) => Wrong { status: TRAPPED, value: kind as u64 },
    }
}

impl Wrong {
    #[inline(always)]
    fn or<R: Slot>(self, sound: impl FnOnce() -> Result<R, TrapKind>) -> Result<R, TrapKind> {
        match self.status {
            NOT_PLANTED => sound(),
            COMPUTED => Ok(R::from_slot(self.value)),
            _ => Err(TrapKind::ALL[self.value as usize]),
        }
    }

    #[inline(always)]
    fn or_value<R: Slot>(self, sound: impl FnOnce() -> R) -> R {
        if self.status == COMPUTED { R::from_slot(self.value) } else { sound() }
    }
}

/// Hands wrong meanings to a visitor: to be asked for the opcode of the planted fault, and for no other.
pub(crate) struct Mutated<V>(pub V);

impl<V: Visitor> Visitor for Mutated<V> {
    type Output = V::Output;

    fn unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> R + Copy + 'static) -> V::Output {
        self.0.unary(move |a: A| wrong(a.to_slot(), 0).or_value(|| f(a)))
    }

    fn binary<A: Slot, B: Slot, R: Slot>(self, f: impl Fn(A, B) -> R + Copy + 'static) -> V::Output {
        self.0.binary(move |a: A, b: B| wrong(a.to_slot(), b.to_slot()).or_value(|| f(a, b)))
    }

    fn try_unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> Result<R, TrapKind> + Copy + 'static) -> V::Output {
        self.0.try_unary(move |a: A| wrong(a.to_slot(), 0).or(|| f(a)))
    }

    fn try_binary<A: Slot, B: Slot, R: Slot>(
        self,
        f: impl Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    ) -> V::Output {
        self.0.try_binary(move |a: A, b: B| wrong(a.to_slot(), b.to_slot()).or(|| f(a, b)))
    }
}

impl<V: AccessVisitor> AccessVisitor for Mutated<V> {
    type Output = V::Output;

    fn load<const N: usize, R: Slot>(self, f: impl Fn([u8; N]) -> R + Copy + 'static) -> V::Output {
        self.0.load(move |read: [u8; N]| wrong(number(read), 0).or_value(|| f(read)))
    }

    fn store<const N: usize, S: Slot>(self, f: impl Fn(S) -> [u8; N] + Copy + 'static) -> V::Output {
        self.0.store(move |value: S| {
            let wrong = wrong(value.to_slot(), 0);
            if wrong.status == COMPUTED { bytes(wrong.value) } else { f(value) }
        })
    }
}
