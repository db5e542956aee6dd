//! More of one thing than a small number holds: labels, arms of a table, operands that wait, locals.
//!
//! A depth, a slot, a count that is kept in a byte, or in two, is right in all small functions. So one function of a case
//! has many of something, and then walks on with all of that around it or below it.

use super::walk::Body;
use super::{SINK, Stream};
use crate::generate::linked::types::Ty;

/// What a function has much of, and how much.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Blocks inside each other, and a table of branches to all of them.
    Labels(usize),
    /// Operands that wait on the stack.
    Operands(usize),
    /// Locals of all types.
    Locals(usize),
    /// So many locals and operands that 16 bits do not number all slots.
    Giant,
}

/// Locals that a function may have, by the limits that engines agreed on.
const MOST_LOCALS: usize = 50_000;
/// Slots that 16 bits number.
const SLOTS_OF_16_BITS: usize = 1 << 16;

impl Crowd {
    pub fn draw(stream: &mut Stream) -> Crowd {
        match stream.below(100) {
            0..40 => Crowd::Labels(stream.between(4, 24)),
            40..46 => Crowd::Labels(stream.between(100, 300)),
            46..66 => Crowd::Operands(stream.between(16, 64)),
            66..76 => Crowd::Operands(stream.between(200, 300)),
            76..90 => Crowd::Locals(stream.between(30, 100)),
            90..99 => Crowd::Locals(stream.between(250, 300)),
            _ => Crowd::Giant,
        }
    }

    pub fn write(self, body: &mut Body<'_>) {
        body.unbudgeted(|body| match self {
            Crowd::Labels(count) => body.many_labels(count),
            Crowd::Operands(count) => body.many_operands(count),
            Crowd::Locals(count) => body.many_locals(count),
            Crowd::Giant => body.giant(),
        });
    }
}

impl Body<'_> {
    /// Blocks inside each other, some of which are left early, and then a table of branches to any of them.
    fn many_labels(&mut self, count: usize) {
        let most = self.plan.choices.most_results().min(3);
        let carries = self.numbers(0, most);
        // Locals that are set on the way and looked at everywhere, and so live in registers.
        let watched: Vec<u32> = (0..self.stream.between(1, 3))
            .map(|_| {
                let ty = self.number();
                self.local(ty)
            })
            .collect();
        let below = self.numbers(0, 3);
        below.iter().for_each(|ty| self.leaf(*ty));
        (0..count).for_each(|_| self.open(&carries));
        for _ in 0..self.stream.between(0, 4) {
            let depth = self.stream.below(count as u64) as u32;
            self.want(&carries);
            self.rarely();
            self.op().br_if(depth);
            self.take(1);
            self.set_some(&watched);
        }
        if self.stream.percent(60) {
            self.look_around_a_call();
        }
        self.set_some(&watched);
        let most = *self.stream.pick(&[1, 1, 2, 3]);
        let arms: Vec<u32> = (0..self.stream.between(5, count * most + 5))
            .map(|_| self.stream.below(count as u64) as u32)
            .collect();
        self.want(&carries);
        self.index(arms.len());
        let default = self.stream.below(count as u64) as u32;
        self.op().br_table(arms, default);
        self.die();
        self.dead_code();
        for number in 0..count {
            self.close_block();
            if count <= 24 || number % 8 == 0 {
                // Says which way was taken, and what locals are there.
                self.op().i32_const(number as i32);
                self.mix(Ty::I32);
                let local = *self.stream.pick(&watched);
                self.op().local_get(local);
                self.mix(self.locals[local as usize]);
            }
            if number + 1 < count && self.stream.percent(10) {
                self.want(&carries);
                self.rarely();
                let outside = (count - number - 1) as u64;
                let depth = self.stream.below(outside) as u32;
                self.op().br_if(depth);
                self.take(1);
            }
        }
    }

    /// Some of the locals get other values.
    fn set_some(&mut self, watched: &[u32]) {
        for local in watched {
            if self.stream.percent(50) {
                let ty = self.locals[*local as usize];
                self.leaf(ty);
                self.op().local_set(*local);
                self.take(1);
            }
        }
    }

    /// Pushes a condition that holds in one of four cases.
    fn rarely(&mut self) {
        let shift = self.stream.below(60) as i64;
        let op = &mut self.op();
        op.global_get(SINK).i64_const(3 << shift).i64_and().i64_eqz();
        self.push(Ty::I32);
    }

    /// Operands pile up, and steps are made above them.
    fn many_operands(&mut self, count: usize) {
        let results = self.numbers(1, self.plan.choices.most_results());
        self.open(&results);
        for _ in 0..count {
            let ty = self.number();
            self.leaf(ty);
        }
        self.walk_above();
        if self.stream.percent(40) {
            // All of them stay behind.
            self.want(&results);
            self.rarely();
            self.op().br_if(0);
            self.take(1);
        }
        self.close_with_all();
    }

    /// Steps in a block of their own, so that what waits below is left alone.
    fn walk_above(&mut self) {
        let results = self.numbers(0, self.plan.choices.most_results());
        self.open(&results);
        let steps = self.stream.between(3, 8);
        self.left += steps as i32;
        for _ in 0..steps {
            if !self.is_dead() {
                self.step();
            }
        }
        self.close_block();
    }

    fn many_locals(&mut self, count: usize) {
        let first = self.locals.len() as u32;
        for _ in 0..count {
            let ty = self.number();
            let local = self.new_local(ty);
            self.add_variable(local);
        }
        let locals = first..self.locals.len() as u32;
        for local in locals.clone() {
            let ty = self.locals[local as usize];
            if self.stream.percent(80) {
                self.leaf(ty);
                self.op().local_set(local);
                self.take(1);
            }
        }
        self.walk_above();
        for local in locals {
            if self.stream.percent(50) {
                self.op().local_get(local);
                self.mix(self.locals[local as usize]);
            }
        }
    }

    /// As many locals as there may be, and operands until there are more slots than 16 bits number.
    fn giant(&mut self) {
        while self.locals.len() < MOST_LOCALS - 200 {
            self.new_local(Ty::I64);
        }
        let locals = self.locals.len();
        let far = locals as u32 - 1;
        self.op().global_get(SINK).local_set(far);
        let count = SLOTS_OF_16_BITS - locals + self.stream.between(0, 300);
        for number in 0..count {
            match number % 7 {
                0 => self.op().global_get(SINK),
                1 => self.op().local_get(far),
                _ => self.op().i64_const(number as i64),
            };
            self.push(Ty::I64);
        }
        for _ in 0..3 {
            self.walk_above();
        }
        while self.height() > 1 {
            if !self.operands().ends_with(&[Ty::I64, Ty::I64]) {
                self.keep();
                continue;
            }
            let height = self.height();
            let mut op = self.op();
            match height % 3 {
                0 => op.i64_sub(),
                1 => op.i64_rotl(),
                _ => op.i64_add(),
            };
            self.take(1);
        }
    }
}
