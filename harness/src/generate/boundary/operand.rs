//! Operands: a value of a wanted type, from wherever values come from.

use super::super::linked::operators::{Danger, Operator, loads, stores};
use super::exercise::Body;
use super::{GLOBALS, SINK, Ty};
use crate::generate::numbers::{INTEGERS, PAGE, constant, distance, mix, position};
use wasm_encoder::{BlockType, Encode, InstructionSink, MemArg, MemArgTarget};

/// Where an access goes and how: its address and offset add up to the place.
pub(super) struct Spot {
    pub address: u64,
    pub offset: u64,
}

impl Body<'_> {
    /// A value of the type.
    pub(super) fn value(&mut self, ty: Ty) {
        self.value_of(ty, 2);
    }

    /// A value made by at most so many instructions on top of each other.
    pub(super) fn value_of(&mut self, ty: Ty, depth: u32) {
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.stream.below(20) {
            0..8 => self.leaf(ty),
            8..13 => self.operate(ty, depth),
            13 => {
                let spot = self.spot(8);
                self.load(ty, spot);
            }
            14 => {
                self.value_of(ty, depth - 1);
                self.call_same(ty);
            }
            15 => {
                self.op().block(BlockType::Result(ty.encoded(&[])));
                self.value_of(ty, depth - 1);
                self.value_of(Ty::I32, depth - 1);
                self.op().br_if(0).end();
            }
            16 => {
                self.value_of(Ty::I32, depth - 1);
                self.op().if_(BlockType::Result(ty.encoded(&[])));
                self.value_of(ty, depth - 1);
                self.op().else_();
                self.value_of(ty, depth - 1);
                self.op().end();
            }
            17 => {
                self.value_of(ty, depth - 1);
                self.value_of(ty, depth - 1);
                self.value_of(Ty::I32, depth - 1);
                self.op().select();
            }
            18 => {
                self.value_of(ty, depth - 1);
                let local = self.local(ty);
                self.op().local_tee(local);
            }
            _ => self.fresh_nan(ty),
        }
    }

    fn leaf(&mut self, ty: Ty) {
        match self.stream.below(10) {
            0..4 => constant(ty, self.stream, &mut InstructionSink::new(&mut self.code)),
            4..9 => {
                let local = self.local(ty);
                self.op().local_get(local);
            }
            _ => {
                self.op().global_get(GLOBALS + position(ty));
            }
        }
    }

    /// An operator on operands from anywhere.
    pub(super) fn operate(&mut self, ty: Ty, depth: u32) {
        let operators = Operator::giving(ty);
        let mut operator = self.stream.pick(operators);
        for _ in 0..8 {
            if self.plan.choices.allows(operator) {
                break;
            }
            operator = self.stream.pick(operators);
        }
        if !self.plan.choices.allows(operator) {
            return self.leaf(ty);
        }
        let (last, first) = operator.operands.split_last().expect("every operator has an operand");
        first.iter().for_each(|operand| self.value_of(*operand, depth - 1));
        let tame = operator.danger != Danger::None && !self.wild();
        match (operator.danger, *last) {
            (Danger::Division, ty) if tame => self.divisor(ty, depth - 1),
            (Danger::Division | Danger::None, ty) => self.value_of(ty, depth - 1),
            (Danger::Truncation, ty) => {
                self.value_of(ty, depth - 1);
                // A number from 0 to 2, made of whatever the operand is.
                match ty {
                    Ty::F32 if tame => {
                        self.op()
                            .i32_reinterpret_f32()
                            .i32_const(0x3fff_ffff)
                            .i32_and()
                            .f32_reinterpret_i32();
                    }
                    Ty::F64 if tame => {
                        let mask = 0x3fff_ffff_ffff_ffff;
                        self.op().i64_reinterpret_f64().i64_const(mask).i64_and().f64_reinterpret_i64();
                    }
                    _ => {}
                }
            }
        }
        operator.write(&mut self.code);
    }

    /// A divisor that is not zero.
    pub(super) fn divisor(&mut self, ty: Ty, depth: u32) {
        let constant = if self.stream.percent(50) { *self.stream.pick(&INTEGERS[1..]) } else { 0 };
        match ty {
            Ty::I32 if constant as i32 != 0 => {
                self.op().i32_const(constant as i32);
            }
            Ty::I64 if constant != 0 => {
                self.op().i64_const(constant);
            }
            Ty::I32 => {
                self.value_of(Ty::I32, depth);
                self.op().i32_const(1).i32_or();
            }
            _ => {
                self.value_of(Ty::I64, depth);
                self.op().i64_const(1).i64_or();
            }
        }
    }

    /// A NaN that has just been made; any value of other types, or where its bits may not be looked at.
    pub(super) fn fresh_nan(&mut self, ty: Ty) {
        if !self.plan.choices.nan_bits || !self.plan.choices.floats {
            return self.leaf(ty);
        }
        let way = self.stream.below(3);
        if ty == Ty::I32 || ty == Ty::I64 {
            return self.leaf(ty);
        }
        let mut op = self.op();
        match (ty, way) {
            (Ty::F32, 0) => op.f32_const(0.0.into()).f32_const(0.0.into()).f32_div(),
            (Ty::F32, 1) => op.f32_const((-1.0).into()).f32_sqrt(),
            (Ty::F32, _) => op.f32_const(f32::INFINITY.into()).f32_const(f32::INFINITY.into()).f32_sub(),
            (Ty::F64, 0) => op.f64_const(0.0.into()).f64_const(0.0.into()).f64_div(),
            (Ty::F64, 1) => op.f64_const((-1.0).into()).f64_sqrt(),
            (Ty::F64, _) => op.f64_const(0.0.into()).f64_const(f64::INFINITY.into()).f64_mul(),
            _ => unreachable!("only numbers are drawn"),
        };
    }

    /// The topmost value passes through a function that gives it back.
    pub(super) fn call_same(&mut self, ty: Ty) {
        let index = self.plan.first_callee() + position(ty);
        self.op().call(index);
    }

    /// The topmost value goes where it can be seen.
    pub(super) fn keep(&mut self, ty: Ty) {
        match self.stream.below(12) {
            0 => {
                let local = self.local(ty);
                self.op().local_set(local);
            }
            1 | 2 => {
                self.op().global_set(GLOBALS + position(ty));
            }
            3 => {
                self.call_same(ty);
                self.mix(ty);
            }
            _ => self.mix(ty),
        }
    }

    pub(super) fn mix(&mut self, ty: Ty) {
        let distance = distance(self.stream);
        mix(ty, SINK, distance, &mut self.op());
    }

    /// The type of addresses.
    pub(super) fn address_type(&self) -> Ty {
        if self.plan.choices.memory64 { Ty::I64 } else { Ty::I32 }
    }

    /// A certain number, made in a way that leaves it unknown to a compiler that looks at single instructions, and the rest of
    /// the register it comes in full of something else.
    pub(super) fn known(&mut self, ty: Ty, number: u64) {
        const UPPER: i64 = -1 << 32;
        let is_long = ty == Ty::I64;
        let number = number as i64;
        let constant = |body: &mut Self| {
            let mut op = body.op();
            if is_long {
                op.i64_const(number)
            } else {
                op.i32_const(number as i32)
            };
        };
        match self.stream.below(9) {
            0 | 1 if !is_long => {
                // Bits above the 32 that count.
                self.value_of(Ty::I64, 1);
                self.op().i64_const(UPPER).i64_and().i64_const(number & 0xffff_ffff).i64_or().i32_wrap_i64();
            }
            2 => {
                let local = self.local(ty);
                constant(self);
                self.op().local_set(local).local_get(local);
            }
            3 => {
                self.value_of(ty, 1);
                let mut op = self.op();
                if is_long {
                    op.i64_const(0).i64_and()
                } else {
                    op.i32_const(0).i32_and()
                };
                constant(self);
                let mut op = self.op();
                if is_long {
                    op.i64_or()
                } else {
                    op.i32_or()
                };
            }
            4 => {
                constant(self);
                self.call_same(ty);
            }
            5 => {
                // Below a call on the stack.
                constant(self);
                self.value_of(Ty::I64, 1);
                self.call_same(Ty::I64);
                self.mix(Ty::I64);
            }
            6 => {
                self.op().block(BlockType::Result(ty.encoded(&[])));
                constant(self);
                self.op().end();
            }
            _ => constant(self),
        }
    }

    // Memory.

    fn arg(&mut self, offset: u64, width: u32) -> MemArg {
        let memory = if self.plan.choices.two_memories { self.stream.below(2) as u32 } else { 0 };
        let align = self.stream.below(u64::from(width) + 1) as u32;
        MemArg { offset, align, target: MemArgTarget::Memory(memory), ordering: None }
    }

    /// A place for so many bytes inside of the first page; the last one rather often.
    pub(super) fn spot(&mut self, bytes: u64) -> Spot {
        let place = match self.stream.below(4) {
            0 | 1 => PAGE - bytes,
            2 => self.stream.below(64),
            _ => self.stream.below(PAGE - bytes + 1),
        };
        let offset = match self.stream.below(4) {
            0 => 0,
            1 => place,
            2 => self.stream.below(8).min(place),
            _ => self.stream.below(place + 1),
        };
        Spot { address: place - offset, offset }
    }

    /// A place that is outside of every memory, but for those who lose a carry or mistake a sign.
    pub(super) fn bad_spot(&mut self, bytes: u64) -> Spot {
        const FAR: &[u64] = &[0x7fff_ffff, 0x8000_0000, 0x8000_0008, 0xffff_0000, 0xffff_fff8, 0xffff_ffff];
        let inside = self.spot(bytes);
        let place = inside.address + inside.offset;
        let limit = if self.plan.choices.memory64 { 0 } else { 1u64 << 32 };
        match self.stream.below(5) {
            // Right after the last byte that memory may ever have.
            0 => {
                let end = self.plan.maximum * PAGE - bytes + 1 + self.stream.below(bytes);
                let offset = self.stream.below(end + 1);
                Spot { address: end - offset, offset }
            }
            // Comes round to a place inside, once the carry is gone.
            1 | 2 => {
                let offset = *self.stream.pick(FAR);
                Spot { address: limit.wrapping_sub(offset).wrapping_add(place), offset }
            }
            3 => {
                let address = limit.wrapping_sub(1 + self.stream.below(16));
                Spot { address, offset: self.stream.below(32) + 1 }
            }
            _ => Spot { address: *self.stream.pick(FAR), offset: *self.stream.pick(FAR) },
        }
    }

    /// A load from there.
    pub(super) fn load(&mut self, ty: Ty, spot: Spot) {
        let access = *self.stream.pick(loads(ty));
        let arg = self.arg(spot.offset, access.width);
        self.known(self.address_type(), spot.address);
        self.code.push(access.code);
        arg.encode(&mut self.code);
    }

    /// A store of a value to there.
    pub(super) fn store(&mut self, ty: Ty, spot: Spot, value: impl FnOnce(&mut Self)) {
        let access = *self.stream.pick(stores(ty));
        let arg = self.arg(spot.offset, access.width);
        self.known(self.address_type(), spot.address);
        value(self);
        self.code.push(access.code);
        arg.encode(&mut self.code);
    }
}
