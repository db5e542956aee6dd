//! Exercises: what a body does with its operands, so that something must be remembered across instructions.

use super::super::linked::operators::Operator;
use super::{GLOBALS, Plan, SINK, Ty};
use crate::draw::Stream;
use crate::generate::numbers::{INTEGERS, NUMBERS, PAGE, Signature, encoded};
use crate::generate::way::Way;
use crosscheck_engine::opcode::{Numeric, NumericKind};
use wasm_encoder::{BlockType, Function, InstructionSink};

/// A body being written.
pub(super) struct Body<'a> {
    pub plan: &'a Plan,
    number: usize,
    pub stream: &'a mut Stream,
    pub code: Vec<u8>,
    /// Parameters and locals, in order.
    locals: Vec<Ty>,
    /// Types of blocks, after those of functions.
    blocks: &'a mut Vec<Signature>,
    /// Whether another function with exercises has been called, which is done once.
    has_called: bool,
    /// Whether the function has certainly ended.
    pub is_over: bool,
}

/// A kind of exercise and how often it is chosen.
struct Row {
    weight: u32,
    write: fn(&mut Body<'_>),
}

const EXERCISES: &[Row] = &[
    Row { weight: 5, write: |body| body.compute() },
    Row { weight: 5, write: |body| body.corner() },
    Row { weight: 5, write: |body| body.access() },
    Row { weight: 5, write: |body| body.carry() },
    Row { weight: 3, write: |body| body.go_round() },
    Row { weight: 3, write: |body| body.change_places() },
    Row { weight: 4, write: |body| body.press() },
    Row { weight: 3, write: |body| body.grow() },
    Row { weight: 5, write: |body| body.call() },
    Row { weight: 3, write: |body| body.show_nan() },
    Row { weight: 3, write: |body| body.decide() },
    Row { weight: 2, write: |body| body.switch() },
    Row { weight: 1, write: |body| body.ignore() },
    Row { weight: 8, write: |body| body.sweep() },
    Row { weight: 2, write: |body| body.sweep_memory() },
];

impl<'a> Body<'a> {
    /// The function with exercises of that number.
    pub fn write(
        plan: &'a Plan,
        number: usize,
        blocks: &'a mut Vec<Signature>,
        stream: &'a mut Stream,
    ) -> Function {
        let params = &plan.exercises[number].params;
        let mut locals = params.clone();
        // At least one of each type, and sometimes more than registers can hold.
        let most = *stream.pick(&[1, 2, 7]);
        for ty in NUMBERS {
            (0..stream.between(1, most)).for_each(|_| locals.push(ty));
        }
        let mut body = Body {
            plan,
            number,
            stream,
            code: Vec::new(),
            locals,
            blocks,
            has_called: false,
            is_over: false,
        };
        body.begin(params.len());
        for _ in 0..body.stream.between(1, 6) {
            if !body.is_over {
                let row = body.stream.weighted(EXERCISES, |row| row.weight);
                (row.write)(&mut body);
            }
        }
        body.finish();
        let mut function = Function::new_with_locals_types(encoded(&body.locals[params.len()..]));
        function.raw(body.code);
        function
    }

    pub fn op(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    /// Gives most locals a value.
    fn begin(&mut self, params: usize) {
        for local in params..self.locals.len() {
            if self.stream.percent(60) {
                self.value_of(self.locals[local], 1);
                self.op().local_set(local as u32);
            }
        }
    }

    /// Results, or a tail call that gives them.
    fn finish(&mut self) {
        let results = self.plan.exercises[self.number].results.clone();
        let fitting: Vec<u32> =
            self.callable().filter(|func| self.signature(*func).results == results).collect();
        if self.plan.choices.tail && !fitting.is_empty() && self.stream.percent(60) {
            let func = *self.stream.pick(&fitting);
            self.transfer(func, true);
        } else {
            results.iter().for_each(|ty| self.value(*ty));
        }
        self.op().end();
    }

    pub fn number(&mut self) -> Ty {
        self.plan.choices.number(self.stream)
    }

    /// Some types, rather few different ones.
    fn numbers(&mut self, low: usize, high: usize) -> Vec<Ty> {
        let choices = [self.number(), self.number()];
        (0..self.stream.between(low, high)).map(|_| *self.stream.pick(&choices)).collect()
    }

    /// A local of the type.
    pub fn local(&mut self, ty: Ty) -> u32 {
        let fitting: Vec<u32> =
            (0u32..).zip(&self.locals).filter(|(_, local)| **local == ty).map(|(local, _)| local).collect();
        *self.stream.pick(&fitting)
    }

    fn new_local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    /// Whether the next dangerous thing stays dangerous.
    pub fn wild(&mut self) -> bool {
        let percent = self.plan.choices.wild;
        percent > 0 && self.stream.percent(percent)
    }

    fn push_all(&mut self, tys: &[Ty], depth: u32) {
        tys.iter().for_each(|ty| self.value_of(*ty, depth));
    }

    /// Keeps the topmost values, which have these types.
    fn keep_all(&mut self, tys: &[Ty]) {
        tys.iter().rev().for_each(|ty| self.keep(*ty));
    }

    /// The type of a block.
    fn block_type(&mut self, params: &[Ty], results: &[Ty]) -> BlockType {
        match (params, results) {
            ([], []) => return BlockType::Empty,
            ([], [one]) => return BlockType::Result(one.encoded(&[])),
            _ => {}
        }
        self.blocks.push(Signature { params: params.to_vec(), results: results.to_vec() });
        let functions = self.plan.signatures().count();
        BlockType::FunctionType((functions + self.blocks.len() - 1) as u32)
    }

    /// How many values a block may carry.
    fn most(&self) -> usize {
        if self.plan.choices.multi_value { 6 } else { 1 }
    }

    // Exercises.

    pub fn compute(&mut self) {
        let ty = self.number();
        self.operate(ty, 2);
        self.keep(ty);
    }

    /// Division, a shift, arithmetic or a comparison where constants have their corners.
    fn corner(&mut self) {
        const MIN: [i64; 2] = [i32::MIN as i64, i64::MIN];
        let ty = if self.stream.percent(50) { Ty::I32 } else { Ty::I64 };
        let is_long = usize::from(ty == Ty::I64);
        let of = |kind| Operator::of_kind(kind, ty);
        let (operators, left, right): (_, i64, i64) = match self.stream.below(5) {
            0 | 1 => {
                let left = *self.stream.pick(&[MIN[is_long], MIN[is_long] + 1, -1, 0, 1, 7]);
                let right = *self.stream.pick(&[-1, -1, 1, 2, -2, MIN[is_long], 0]);
                // Of remainders only division by zero traps.
                let right = if right == 0 && !self.wild() { 3 } else { right };
                let traps = left == MIN[is_long] && right == -1;
                let mut operators = of(NumericKind::Division);
                operators.extend(of(NumericKind::Remainder));
                if traps && !self.wild() {
                    operators
                        .retain(|operator| !matches!(operator.opcode, Numeric::I32DivS | Numeric::I64DivS));
                }
                (operators, left, right)
            }
            2 => {
                let count = *self.stream.pick(&[0, 1, 31, 32, 33, 63, 64, 65, -1]);
                (of(NumericKind::Shift), *self.stream.pick(INTEGERS), count)
            }
            3 => {
                let kind =
                    if self.stream.percent(50) { NumericKind::Arithmetic } else { NumericKind::Bitwise };
                (of(kind), *self.stream.pick(INTEGERS), *self.stream.pick(INTEGERS))
            }
            _ => {
                let left = *self.stream.pick(INTEGERS);
                let right = *self.stream.pick(&[left, left.wrapping_add(1), left ^ 1 << 31]);
                (of(NumericKind::Comparison), left, right)
            }
        };
        self.known(ty, left as u64);
        match (ty, self.stream.percent(60)) {
            (Ty::I32, true) => {
                self.op().i32_const(right as i32);
            }
            (_, true) => {
                self.op().i64_const(right);
            }
            (_, false) => self.known(ty, right as u64),
        }
        let operator = *self.stream.pick(&operators);
        operator.write(&mut self.code);
        self.keep(if operator.opcode.kind().is_predicate() { Ty::I32 } else { ty });
    }

    /// A load or store at a border, or over it.
    fn access(&mut self) {
        let ty = self.number();
        let is_bad = self.wild();
        let spot = if is_bad { self.bad_spot(8) } else { self.spot(8) };
        // Most bad ones are met in some of the calls only.
        let guarded = is_bad && self.stream.percent(70);
        if guarded {
            let param = self.plan.exercises[self.number].params.iter().position(|ty| *ty == Ty::I32);
            let param = param.expect("every function with exercises has one") as u32;
            let bit = 1 << self.stream.below(4);
            self.op().local_get(param).i32_const(bit).i32_and().if_(BlockType::Empty);
        }
        if self.stream.percent(50) {
            self.load(ty, spot);
            self.keep(ty);
        } else {
            self.store(ty, spot, |body| body.value(ty));
        }
        if guarded {
            self.op().end();
        }
        self.is_over |= is_bad && !guarded;
    }

    /// Leaves a block with values from above others that stay.
    fn carry(&mut self) {
        let most = self.most();
        let carried = self.numbers(1, most);
        let below = self.numbers(0, 3);
        let left = self.numbers(0, 4);
        self.push_all(&below, 1);
        let ty = self.block_type(&[], &carried);
        self.op().block(ty);
        let nested = self.stream.percent(30);
        if nested {
            self.op().block(ty);
        }
        self.push_all(&left, 1);
        self.push_all(&carried, 1);
        match self.stream.below(3) {
            0 => {
                let depth = if nested { self.stream.below(2) as u32 } else { 0 };
                self.op().br(depth);
            }
            1 => {
                self.condition();
                self.op().br_if(0);
                self.keep_all(&carried);
                self.push_all(&carried, 1);
                self.op().br(0);
            }
            _ => {
                let most = if nested { 2 } else { 1 };
                let labels: Vec<u32> =
                    (0..self.stream.between(0, 5)).map(|_| self.stream.below(most) as u32).collect();
                let default = self.stream.below(most) as u32;
                self.value_of(Ty::I32, 1);
                if self.stream.percent(60) {
                    self.op().i32_const(7).i32_and();
                }
                self.op().br_table(labels, default);
            }
        }
        self.op().end();
        if nested {
            self.keep_all(&carried);
            self.push_all(&carried, 1);
            self.op().end();
        }
        self.keep_all(&carried);
        self.keep_all(&below);
    }

    /// Values go round a loop and change places on the way.
    fn go_round(&mut self) {
        let most = self.most();
        let carried = if most > 1 { self.numbers(1, most) } else { Vec::new() };
        let rounds = self.new_local(Ty::I32);
        let count = self.stream.between(1, 4) as i32;
        self.op().i32_const(count).local_set(rounds);
        let ty = self.block_type(&carried, &carried);
        self.push_all(&carried, 1);
        self.op().loop_(ty);
        let places: Vec<u32> = carried.iter().map(|ty| self.new_local(*ty)).collect();
        places.iter().rev().for_each(|local| {
            self.op().local_set(*local);
        });
        if self.stream.percent(50) {
            let ty = self.number();
            self.value(ty);
            self.keep(ty);
        }
        let left = self.numbers(0, 2);
        self.push_all(&left, 1);
        for ty in &carried {
            let same: Vec<u32> = places
                .iter()
                .zip(&carried)
                .filter(|(_, other)| *other == ty)
                .map(|(local, _)| *local)
                .collect();
            let local = *self.stream.pick(&same);
            self.op().local_get(local);
        }
        self.op().local_get(rounds).i32_const(1).i32_sub().local_tee(rounds).br_if(0);
        if !left.is_empty() {
            self.keep_all(&carried);
            self.keep_all(&left);
            self.push_all(&carried, 0);
        }
        self.op().end();
        self.keep_all(&carried);
    }

    /// Locals of one type take each other's values, by way of the stack or of a call.
    fn change_places(&mut self) {
        let ty = self.number();
        let mut places: Vec<u32> = (0..self.stream.between(2, 5)).map(|_| self.local(ty)).collect();
        places.iter().for_each(|local| {
            self.op().local_get(*local);
        });
        if self.stream.percent(30) {
            self.call_same(ty);
        }
        let turn = self.stream.between(0, places.len());
        places.rotate_left(turn);
        for local in &places {
            match self.stream.below(3) {
                0 => self.op().local_tee(*local).local_set(*local),
                _ => self.op().local_set(*local),
            };
        }
        for local in places {
            self.op().local_get(local);
            self.mix(ty);
        }
    }

    /// More values than there are registers, with something in the middle that wants certain ones.
    fn press(&mut self) {
        let tys = self.numbers(3, 16);
        self.push_all(&tys, 1);
        let wide = if self.stream.percent(50) { Ty::I32 } else { Ty::I64 };
        match self.stream.below(6) {
            0 => {
                self.operate(wide, 1);
                self.keep(wide);
            }
            1 => {
                // A count that is not known wants a register of its own.
                self.value_of(wide, 1);
                self.value_of(wide, 1);
                let mut op = self.op();
                if wide == Ty::I32 {
                    op.i32_shl()
                } else {
                    op.i64_shr_s()
                };
                self.keep(wide);
            }
            2 => {
                self.value_of(wide, 1);
                self.divisor(wide, 1);
                let mut op = self.op();
                if wide == Ty::I32 {
                    op.i32_rem_s()
                } else {
                    op.i64_div_u()
                };
                self.keep(wide);
            }
            3 => self.grow(),
            4 => self.call(),
            _ => {
                let ty = self.number();
                self.value(ty);
                self.call_same(ty);
                self.keep(ty);
            }
        }
        self.keep_all(&tys);
    }

    /// Grows memory, and looks at everything that may have moved: locals, the last bytes, the size.
    fn grow(&mut self) {
        let ty = self.address_type();
        let pages = self.stream.below(3);
        self.known(ty, pages);
        self.op().memory_grow(0);
        self.keep(ty);
        for _ in 0..self.stream.between(1, 4) {
            let ty = self.number();
            let local = self.local(ty);
            self.op().local_get(local);
            self.mix(ty);
        }
        self.look_at_the_end();
    }

    /// Writes and reads the last bytes that memory has now.
    fn look_at_the_end(&mut self) {
        let is_long = self.plan.choices.memory64;
        let back = 8 + self.stream.below(16) as i64;
        let mut op = self.op();
        op.memory_size(0);
        let arg = wasm_encoder::MemArg {
            offset: 0,
            align: 0,
            target: wasm_encoder::MemArgTarget::Memory(0),
            ordering: None,
        };
        if is_long {
            op.i64_const(PAGE as i64).i64_mul().i64_const(back).i64_sub();
            op.global_get(SINK).i64_store(arg).memory_size(0).i64_const(PAGE as i64).i64_mul();
            op.i64_const(back).i64_sub().i64_load(arg);
        } else {
            op.i32_const(PAGE as i32).i32_mul().i32_const(back as i32).i32_sub();
            op.global_get(SINK).i64_store(arg).memory_size(0).i32_const(PAGE as i32).i32_mul();
            op.i32_const(back as i32).i32_sub().i64_load(arg);
        }
        self.mix(Ty::I64);
    }

    // Calls.

    fn signature(&self, func: u32) -> &'a Signature {
        let hosts = self.plan.hosts.len();
        let func = func as usize;
        match func.checked_sub(hosts) {
            None => &self.plan.hosts[func],
            Some(func) => match self.plan.callees.get(func) {
                Some(callee) => &callee.signature,
                None => &self.plan.exercises[func - self.plan.callees.len()],
            },
        }
    }

    /// The functions that this one may call: all before it, but exercises once only, so that calls end soon.
    fn callable(&self) -> impl Iterator<Item = u32> + use<> {
        let own = if self.has_called { 0 } else { self.number as u32 };
        0..self.plan.first_exercise() + own
    }

    /// Calls something with many parameters, perhaps with values that wait below.
    fn call(&mut self) {
        let below = self.numbers(0, 3);
        self.push_all(&below, 1);
        let callable: Vec<u32> = self.callable().collect();
        // Later functions have more parameters.
        let func = (*self.stream.pick(&callable)).max(*self.stream.pick(&callable));
        self.has_called |= func >= self.plan.first_exercise();
        let results = &self.signature(func).results;
        self.transfer(func, false);
        // The callee may have grown it.
        if self.stream.percent(40) {
            self.look_at_the_end();
        }
        self.keep_all(results);
        self.keep_all(&below);
    }

    fn transfer(&mut self, func: u32, tail: bool) {
        let signature = self.signature(func);
        self.push_all(&signature.params, 1);
        let way = match self.stream.below(4) {
            0 | 1 => Way::Direct,
            3 if self.plan.choices.references => Way::Reference,
            _ => Way::Table,
        };
        match way {
            Way::Direct => {}
            Way::Table if self.stream.percent(50) => self.known(Ty::I32, u64::from(func)),
            Way::Table => {
                self.op().i32_const(func as i32);
            }
            Way::Reference => {
                self.op().ref_func(func);
            }
        }
        way.call(func, tail, &mut self.op());
    }

    // Flags and NaNs.

    /// A number that says yes or no, most often from a comparison.
    fn condition(&mut self) {
        let ty = self.number();
        let comparisons = Operator::giving(Ty::I32).iter();
        let fits = |operator: &&Operator| operator.operands == [ty, ty] && ty != Ty::I32;
        let comparisons: Vec<&Operator> = comparisons.filter(fits).collect();
        if comparisons.is_empty() {
            self.value_of(Ty::I32, 1);
            self.value_of(Ty::I32, 1);
            let mut op = self.op();
            op.i32_lt_s();
        } else {
            self.value_of(ty, 1);
            self.value_of(ty, 1);
            let comparison = *self.stream.pick(&comparisons);
            comparison.write(&mut self.code);
        }
        if self.stream.percent(20) {
            self.op().i32_eqz();
        }
    }

    /// Values on the stack, a comparison, and at once whatever takes its outcome.
    fn decide(&mut self) {
        let tys = self.numbers(1, 5);
        for ty in &tys {
            if self.stream.percent(30) { self.fresh_nan(*ty) } else { self.value_of(*ty, 1) }
        }
        match self.stream.below(3) {
            0 => {
                let result = self.number();
                self.condition();
                self.op().if_(BlockType::Result(result.encoded(&[])));
                self.value_of(result, 1);
                self.op().else_();
                self.value_of(result, 1);
                self.op().end();
                self.keep(result);
            }
            1 => {
                let result = self.number();
                self.op().block(BlockType::Result(result.encoded(&[])));
                if self.stream.percent(50) {
                    self.fresh_nan(result)
                } else {
                    self.value_of(result, 1)
                }
                self.condition();
                self.op().br_if(0).end();
                self.keep(result);
            }
            _ => {
                let result = self.number();
                self.fresh_nan(result);
                self.value_of(result, 1);
                self.condition();
                self.op().select();
                self.keep(result);
            }
        }
        self.keep_all(&tys);
    }

    /// A NaN fresh from arithmetic goes straight to where its bits can be seen.
    fn show_nan(&mut self) {
        let ty = if self.stream.percent(50) { Ty::F32 } else { Ty::F64 };
        if !self.plan.choices.floats {
            return self.compute();
        }
        match self.stream.below(7) {
            0 => {
                let spot = self.spot(8);
                self.store(ty, spot, |body| body.fresh_nan(ty));
                return;
            }
            1 => {
                self.fresh_nan(ty);
                let global = if ty == Ty::F32 { 2 } else { 3 };
                self.op().global_set(GLOBALS + global);
                return;
            }
            2 => {
                self.fresh_nan(ty);
                self.call_same(ty);
            }
            3 => {
                self.op().block(BlockType::Result(ty.encoded(&[])));
                self.fresh_nan(ty);
                if self.stream.percent(50) {
                    self.op().br(0);
                }
                self.op().end();
            }
            4 => {
                self.fresh_nan(ty);
                let local = self.local(ty);
                self.op().local_set(local).local_get(local);
            }
            5 => {
                self.fresh_nan(ty);
                self.value_of(ty, 1);
                let mut op = self.op();
                if ty == Ty::F32 {
                    op.f32_copysign()
                } else {
                    op.f64_copysign()
                };
            }
            _ => {
                self.fresh_nan(ty);
                let mut op = self.op();
                if ty == Ty::F32 {
                    op.f32_neg()
                } else {
                    op.f64_neg()
                };
            }
        }
        self.mix(ty);
    }

    /// A table of branches on an index that is in a local, which is read again after it.
    fn switch(&mut self) {
        let index = self.local(Ty::I32);
        let count = self.stream.between(1, 4) as u32;
        (0..=count).for_each(|_| {
            self.op().block(BlockType::Empty);
        });
        self.op().local_get(index);
        if self.stream.percent(50) {
            self.op().i32_const(3).i32_and().local_tee(index);
        }
        let labels: Vec<u32> =
            (0..self.stream.between(1, 6)).map(|_| self.stream.below(u64::from(count) + 1) as u32).collect();
        self.op().br_table(labels, count);
        for _ in 0..=count {
            self.op().end().local_get(index);
            self.mix(Ty::I32);
        }
    }

    /// A value that is not used, but whose making may trap.
    fn ignore(&mut self) {
        let ty = self.number();
        let is_bad = self.wild();
        let spot = if is_bad { self.bad_spot(8) } else { self.spot(8) };
        self.load(ty, spot);
        self.op().drop();
        self.is_over |= is_bad;
    }
}
