//! A walk: a body written step by step, each on what the steps before left on the stack.
//!
//! The types of all operands are known at every point, so whatever is written is valid. A step that wants operands takes
//! those on top if they fit, and else pushes its own above them, and the others stay where they are. In code
//! that cannot be reached operands may come from nowhere, as validation allows.

use super::control::DEEPEST;
use super::{GLOBAL_COUNT, GLOBALS, Plan, SINK, Signature, Stream};
use crate::generate::linked::operators::{Danger, Operator};
use crate::generate::linked::types::Ty;
use crate::generate::numbers::{NUMBERS, constant, distance, encoded, mix, position};
use crate::generate::way::Way;
use crosscheck_engine::opcode::NumericKind;
use wasm_encoder::{BlockType, Function, InstructionSink};

/// What a walk may cost at most, in instructions, so that most calls end within the fuel of a case.
const BUDGET: u64 = 2_500;
/// Operands that wait on the stack, at most, before some are used.
const HIGH: usize = 24;

/// A structured instruction that has begun and not ended; the outermost is the function.
pub(super) struct Label {
    /// What a branch to it carries.
    pub carries: Vec<Ty>,
    pub results: Vec<Ty>,
    /// Operands below its parameters.
    pub floor: usize,
    /// Of a loop, the local that counts how often it is still entered.
    pub counter: Option<u32>,
    /// Whether it is an arm that is entered in some of the calls only.
    pub is_arm: bool,
    /// Whether the code that is written now cannot be reached.
    pub is_dead: bool,
}

/// A body being written.
pub(super) struct Body<'a> {
    pub plan: &'a Plan,
    pub number: usize,
    pub stream: &'a mut Stream,
    pub code: Vec<u8>,
    /// Parameters and locals, in order.
    pub locals: Vec<Ty>,
    /// Those that steps may set, by type.
    variables: [Vec<u32>; 4],
    /// Types of blocks, after those of functions.
    blocks: &'a mut Vec<Signature>,
    stack: Vec<Ty>,
    pub labels: Vec<Label>,
    /// How many more steps there may be.
    pub left: i32,
    /// What it costs at most so far, and how often what is written now is executed.
    cost: u64,
    pub times: u64,
    /// What it may cost.
    budget: u64,
    /// What earlier walks cost.
    costs: &'a [u64],
}

/// A kind of step and how often it is chosen.
struct Row {
    weight: u32,
    write: fn(&mut Body<'_>),
}

const STEPS: &[Row] = &[
    Row { weight: 8, write: |body| body.push_some() },
    Row { weight: 5, write: |body| body.operate() },
    Row { weight: 6, write: |body| body.keep() },
    Row { weight: 4, write: |body| body.set_between() },
    Row { weight: 2, write: |body| body.tee() },
    Row { weight: 2, write: |body| body.select() },
    Row { weight: 6, write: |body| body.block() },
    Row { weight: 6, write: |body| body.if_() },
    Row { weight: 3, write: |body| body.loop_() },
    Row { weight: 4, write: |body| body.br_if() },
    Row { weight: 4, write: |body| body.leave() },
    Row { weight: 4, write: |body| body.call_some() },
    Row { weight: 4, write: |body| body.look_around_a_call() },
];

impl<'a> Body<'a> {
    /// The walk of that number, and what it costs at most.
    pub fn write(
        plan: &'a Plan,
        number: usize,
        costs: &'a [u64],
        blocks: &'a mut Vec<Signature>,
        stream: &'a mut Stream,
    ) -> (Function, u64) {
        let Signature { params, results } = &plan.walks[number];
        let mut locals = params.clone();
        // At least one of each type, and sometimes more than registers can hold.
        let most = *stream.pick(&[1, 2, 5]);
        for ty in NUMBERS {
            (0..stream.between(1, most)).for_each(|_| locals.push(ty));
        }
        let outermost = Label {
            carries: results.clone(),
            results: results.clone(),
            floor: 0,
            counter: None,
            is_arm: false,
            is_dead: false,
        };
        let mut body = Body {
            plan,
            number,
            code: Vec::new(),
            variables: Default::default(),
            locals,
            blocks,
            stack: Vec::new(),
            labels: vec![outermost],
            left: stream.between(8, 40) as i32,
            stream,
            cost: 0,
            times: 1,
            budget: BUDGET,
            costs,
        };
        for local in 0..body.locals.len() as u32 {
            body.add_variable(local);
        }
        body.begin(params.len());
        let is_last = number + 1 == plan.walks.len();
        if let Some(crowd) = plan.crowd.filter(|_| is_last) {
            body.left = body.left.min(8);
            crowd.write(&mut body);
        }
        while body.left > 0 && !body.is_dead() {
            body.step();
        }
        body.finish();
        let mut function = Function::new_with_locals_types(encoded(&body.locals[params.len()..]));
        function.raw(body.code);
        (function, body.cost)
    }

    pub fn op(&mut self) -> InstructionSink<'_> {
        self.cost += self.times;
        InstructionSink::new(&mut self.code)
    }

    /// Writes what may cost as much as it does.
    pub fn unbudgeted(&mut self, write: impl FnOnce(&mut Self)) {
        let before = self.cost;
        self.budget += BUDGET;
        write(self);
        self.budget = BUDGET + self.cost - before;
    }

    /// Gives most locals a value.
    fn begin(&mut self, params: usize) {
        for local in params..self.locals.len() {
            if self.stream.percent(70) {
                constant(self.locals[local], self.stream, &mut InstructionSink::new(&mut self.code));
                self.op().local_set(local as u32);
            }
        }
    }

    /// Looks at locals, and gives the results.
    fn finish(&mut self) {
        for local in 0..self.locals.len().min(12) as u32 {
            if self.stream.percent(40) {
                self.op().local_get(local);
                self.mix(self.locals[local as usize]);
            }
        }
        self.close();
        self.op().end();
    }

    pub fn step(&mut self) {
        self.left -= 1;
        if self.height() > HIGH {
            return (0..6).for_each(|_| self.keep());
        }
        let row = self.stream.weighted(STEPS, |row| row.weight);
        (row.write)(self);
    }

    // The stack.

    pub fn push(&mut self, ty: Ty) {
        self.stack.push(ty);
    }

    pub fn push_all(&mut self, tys: &[Ty]) {
        self.stack.extend_from_slice(tys);
    }

    pub fn floor(&self) -> usize {
        self.labels.last().expect("the function's own label is there").floor
    }

    pub fn is_dead(&self) -> bool {
        self.labels.last().expect("the function's own label is there").is_dead
    }

    /// Operands of the innermost block.
    pub fn operands(&self) -> &[Ty] {
        &self.stack[self.floor()..]
    }

    pub fn height(&self) -> usize {
        self.operands().len()
    }

    pub fn cut(&mut self, height: usize) {
        self.stack.truncate(height);
    }

    pub fn stack_height(&self) -> usize {
        self.stack.len()
    }

    /// So many operands are gone from the top; in code that cannot be reached there may be fewer.
    pub fn take(&mut self, count: usize) {
        debug_assert!(self.is_dead() || self.height() >= count, "a step takes what it wanted");
        let count = count.min(self.height());
        self.stack.truncate(self.stack.len() - count);
    }

    /// Sees that operands of these types are on top.
    pub fn want(&mut self, tys: &[Ty]) {
        if self.is_dead() && self.height() == 0 && self.stream.percent(60) {
            return;
        }
        let most = tys.len().min(self.height());
        let fits = |count: &usize| self.operands().ends_with(&tys[..*count]);
        let mut there = (0..=most).rev().find(fits).expect("nothing fits anywhere");
        if self.stream.percent(20) {
            // What is there stays below.
            there = 0;
        }
        let is_deep = self.labels.len() > DEEPEST;
        if tys.len() > there + 1 && self.plan.choices.multi_value && !is_deep && self.stream.percent(25) {
            // All of them come out of a block: no register holds them.
            self.open(&tys[there..]);
            tys[there..].iter().for_each(|ty| self.leaf(*ty));
            if self.stream.percent(40) {
                self.condition();
                self.op().br_if(0);
                self.take(1);
            }
            return self.close_block();
        }
        tys[there..].iter().for_each(|ty| self.leaf(*ty));
    }

    // Values.

    pub fn number(&mut self) -> Ty {
        self.plan.choices.number(self.stream)
    }

    /// Whether the next thing that may trap is left to it.
    pub fn wild(&mut self) -> bool {
        self.stream.percent(self.plan.choices.wild)
    }

    pub fn numbers(&mut self, low: usize, high: usize) -> Vec<Ty> {
        // Rather few different ones, so that many labels carry the same.
        let choices = [self.number(), self.number()];
        (0..self.stream.between(low, high)).map(|_| *self.stream.pick(&choices)).collect()
    }

    /// A local that steps may set.
    pub fn local(&mut self, ty: Ty) -> u32 {
        *self.stream.pick(&self.variables[position(ty) as usize])
    }

    pub fn new_local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    pub fn add_variable(&mut self, local: u32) {
        self.variables[position(self.locals[local as usize]) as usize].push(local);
    }

    /// Pushes a value that is at hand.
    pub fn leaf(&mut self, ty: Ty) {
        match self.stream.below(20) {
            0..6 => {
                self.cost += self.times;
                constant(ty, self.stream, &mut InstructionSink::new(&mut self.code));
            }
            6..16 => {
                let local = self.local(ty);
                self.op().local_get(local);
            }
            16..19 => {
                let second = if self.stream.percent(50) { GLOBAL_COUNT / 2 } else { 0 };
                self.op().global_get(GLOBALS + position(ty) + second);
            }
            _ => return self.load(ty),
        }
        self.push(ty);
    }

    /// Pushes a number that says yes or no, and is not always the same.
    pub fn condition(&mut self) {
        match self.stream.below(6) {
            0 | 1 => {
                // A bit of all that was computed so far.
                let bit = 1i64 << self.stream.below(63);
                self.op().global_get(SINK).i64_const(bit).i64_and().i64_eqz();
            }
            2 => {
                let ty = self.number();
                let operators = Operator::of_kind(NumericKind::Comparison, ty);
                self.leaf(ty);
                self.leaf(ty);
                self.take(2);
                self.stream.pick(&operators).write(&mut self.code);
            }
            3 => {
                let local = self.local(Ty::I32);
                let bit = 1 << self.stream.below(6);
                self.op().local_get(local).i32_const(bit).i32_and();
            }
            4 => {
                let local = self.local(Ty::I32);
                self.op().local_get(local).i32_eqz();
            }
            _ => return self.leaf(Ty::I32),
        }
        self.push(Ty::I32);
    }

    // Steps.

    fn push_some(&mut self) {
        for _ in 0..self.stream.between(1, 4) {
            let ty = self.number();
            self.leaf(ty);
        }
    }

    /// An operator on what is on top.
    pub fn operate(&mut self) {
        const KINDS: &[NumericKind] = &[
            NumericKind::Arithmetic,
            NumericKind::Arithmetic,
            NumericKind::Bitwise,
            NumericKind::Shift,
            NumericKind::Sign,
            NumericKind::SignExtension,
            NumericKind::Resize,
            NumericKind::Reinterpretation,
            NumericKind::Conversion,
            NumericKind::Comparison,
            NumericKind::Precision,
        ];
        let ty = self.operands().last().copied();
        let ty = ty.unwrap_or_else(|| self.number());
        let operators = Operator::of_kind(*self.stream.pick(KINDS), ty);
        if operators.is_empty() {
            return self.leaf(ty);
        }
        let operator = *self.stream.pick(&operators);
        let result = NUMBERS
            .into_iter()
            .find(|result| Operator::giving(*result).iter().any(|other| other.opcode == operator.opcode));
        let result = result.expect("an operator gives a number");
        let is_float = matches!(result, Ty::F32 | Ty::F64);
        let is_allowed = self.plan.choices.allows(operator) && (self.plan.choices.floats || !is_float);
        if !is_allowed || operator.danger != Danger::None {
            return self.leaf(ty);
        }
        self.want(&operator.operands);
        self.cost += self.times;
        operator.write(&mut self.code);
        self.take(operator.operands.len());
        self.push(result);
    }

    /// The topmost value goes where it can be seen.
    pub fn keep(&mut self) {
        let ty = match self.operands().last() {
            Some(ty) => *ty,
            None if self.is_dead() => self.number(),
            None => return,
        };
        self.take(1);
        match self.stream.below(12) {
            0..3 => {
                let local = self.local(ty);
                self.op().local_set(local);
            }
            3 => {
                let second = if self.stream.percent(50) { GLOBAL_COUNT / 2 } else { 0 };
                self.op().global_set(GLOBALS + position(ty) + second);
            }
            4 | 5 => self.store(ty),
            6 if self.is_dead() => {
                self.op().drop();
            }
            _ => self.mix(ty),
        }
    }

    pub fn mix(&mut self, ty: Ty) {
        self.cost += 5 * self.times;
        mix(ty, SINK, distance(self.stream), &mut self.op());
    }

    /// A local is pushed a few times, and gets another value while these wait.
    fn set_between(&mut self) {
        let ty = self.number();
        let local = self.local(ty);
        for _ in 0..self.stream.between(1, 5) {
            self.op().local_get(local);
            self.push(ty);
            if self.stream.percent(20) {
                let other = self.number();
                self.leaf(other);
            }
        }
        match self.stream.below(4) {
            0 => self.leaf(ty),
            1 => {
                let height = self.stack.len();
                self.step_inside();
                // A step may have used some of what was pushed.
                if self.is_dead() || self.stack.len() < height {
                    return;
                }
                self.leaf(ty);
            }
            _ => {
                self.operate();
                self.want(&[ty]);
            }
        }
        self.want(&[ty]);
        if self.stream.percent(30) {
            self.op().local_tee(local);
        } else {
            self.op().local_set(local);
            self.take(1);
        }
    }

    fn step_inside(&mut self) {
        if self.left > 0 {
            self.step();
        }
    }

    fn tee(&mut self) {
        let Some(ty) = self.operands().last().copied() else { return self.push_some() };
        let local = self.local(ty);
        self.op().local_tee(local);
    }

    fn select(&mut self) {
        let ty = self.operands().last().copied();
        let ty = ty.unwrap_or_else(|| self.number());
        self.want(&[ty, ty]);
        self.condition();
        self.op().select();
        self.take(3);
        self.push(ty);
    }

    // Calls.

    /// Calls a host, a callee or an earlier walk, whatever waits on the stack.
    fn call_some(&mut self) {
        let func = self.stream.below(u64::from(self.plan.first_walk()) + self.number as u64) as u32;
        self.call(func);
    }

    fn cost_of(&self, func: u32) -> u64 {
        match func.checked_sub(self.plan.first_callee()) {
            None => 10,
            Some(number) => match self.plan.callees.get(number as usize) {
                Some(callee) => callee.cost(),
                None => self.costs[number as usize - self.plan.callees.len()],
            },
        }
    }

    pub fn call(&mut self, func: u32) {
        if self.cost + self.times * self.cost_of(func) > self.budget {
            return self.push_some();
        }
        let plan = self.plan;
        let Signature { params, results } = plan.signature(func);
        self.want(params);
        self.transfer(func, false);
        self.take(params.len());
        self.push_all(results);
    }

    /// Writes a call, whose arguments are there, or a tail call.
    fn transfer(&mut self, func: u32, tail: bool) {
        self.cost += self.times * self.cost_of(func);
        let way = match self.stream.below(5) {
            0..3 => Way::Direct,
            3 if self.plan.choices.references => Way::Reference,
            _ => Way::Table,
        };
        match way {
            Way::Direct => {}
            Way::Table => {
                self.op().i32_const(func as i32);
            }
            Way::Reference => {
                self.op().ref_func(func);
            }
        }
        way.call(func, tail, &mut self.op());
    }

    /// A tail call of something that gives what this function gives; `false` if there is nothing.
    pub fn tail_call(&mut self) -> bool {
        let plan = self.plan;
        let results = &plan.walks[self.number].results;
        let callable = 0..plan.first_walk() + self.number as u32;
        let affordable = |func: &u32| self.cost + self.times * self.cost_of(*func) <= self.budget;
        let fitting: Vec<u32> =
            callable.filter(|func| plan.signature(*func).results == *results).filter(affordable).collect();
        if !plan.choices.tail || fitting.is_empty() {
            return false;
        }
        let func = *self.stream.pick(&fitting);
        let params = &plan.signature(func).params;
        self.want(params);
        self.transfer(func, true);
        self.take(params.len());
        true
    }

    /// The type of a block.
    pub fn block_type(&mut self, params: &[Ty], results: &[Ty]) -> BlockType {
        match (params, results) {
            ([], []) => return BlockType::Empty,
            ([], [one]) => return BlockType::Result(one.encoded(&[])),
            _ => {}
        }
        let same = |block: &Signature| block.params == params && block.results == results;
        let number = self.blocks.iter().position(same).unwrap_or_else(|| {
            self.blocks.push(Signature { params: params.to_vec(), results: results.to_vec() });
            self.blocks.len() - 1
        });
        BlockType::FunctionType(self.plan.functions() + number as u32)
    }
}
