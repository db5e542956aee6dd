//! Structured instructions with parameters and results, branches over what is left behind, and code that no branch reaches.

use super::Ty;
use super::walk::{Body, Label};
use wasm_encoder::{BlockType, InstructionSink};

/// Blocks inside blocks, at most.
pub(super) const DEEPEST: usize = 7;
/// How often what is inside loops may be executed.
const MOST_TIMES: u64 = 16;

/// What begins a structured instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Loop,
    If,
}

impl Body<'_> {
    // Blocks.

    pub(super) fn block(&mut self) {
        if self.labels.len() > DEEPEST {
            return self.keep();
        }
        let params = self.params();
        let results = self.results(&params);
        self.enter(Kind::Block, &params, &results, None, false);
        self.walk_on();
        self.close();
        self.leave_block();
    }

    pub(super) fn if_(&mut self) {
        if self.labels.len() > DEEPEST {
            return self.keep();
        }
        let params = self.params();
        let has_else = self.stream.percent(60);
        let results = if has_else { self.results(&params) } else { params.clone() };
        let back = if self.stream.percent(25) { self.innermost_loop() } else { None };
        match back {
            // One arm goes back to the loop, as long as its counter allows it.
            Some((_, counter)) => self.count_down(counter),
            None => self.condition(),
        }
        self.take(1);
        self.enter(Kind::If, &params, &results, None, true);
        self.walk_on();
        if let Some((depth, _)) = back
            && !self.is_dead()
        {
            self.go(depth + 1);
            self.dead_code();
        }
        self.close();
        if has_else {
            self.op().else_();
            let label = self.labels.last_mut().expect("the if is open");
            label.is_dead = false;
            let floor = label.floor;
            self.cut(floor);
            self.push_all(&params);
            self.walk_on();
            self.close();
        }
        self.leave_block();
    }

    pub(super) fn loop_(&mut self) {
        if self.labels.len() > DEEPEST || self.times >= MOST_TIMES {
            return self.keep();
        }
        let params = self.params();
        let results = self.results(&params);
        let count = self.stream.between(1, 4);
        let counter = self.new_counter(count);
        self.enter(Kind::Loop, &params, &results, Some(counter), false);
        self.times *= count as u64;
        if self.stream.percent(50) {
            self.change_places();
        }
        self.walk_on();
        if !self.is_dead() {
            self.want(&params);
        }
        self.end_rounds(counter, count);
    }

    /// Something done a few times, on a stack that it leaves as it is.
    pub(super) fn rounds(&mut self, write: impl FnOnce(&mut Self)) {
        if self.times >= MOST_TIMES {
            return;
        }
        let count = self.stream.between(2, 4);
        let counter = self.new_counter(count);
        self.enter(Kind::Loop, &[], &[], Some(counter), false);
        self.times *= count as u64;
        write(self);
        self.end_rounds(counter, count);
    }

    /// Ends a loop that is entered so many times, as its counter says.
    fn end_rounds(&mut self, counter: u32, count: usize) {
        if !self.is_dead() {
            self.count_down(counter);
            self.op().br_if(0);
            self.take(1);
        }
        self.close();
        self.times /= count as u64;
        self.leave_block();
    }

    /// Begins a block without parameters.
    pub(super) fn open(&mut self, results: &[Ty]) {
        self.enter(Kind::Block, &[], results, None, false);
    }

    /// Ends a block, one way or another.
    pub(super) fn close_block(&mut self) {
        self.close();
        self.leave_block();
    }

    /// Ends a block whose operands are all used.
    pub(super) fn close_with_all(&mut self) {
        while !self.is_dead() && self.height() > 0 {
            self.keep();
        }
        self.close_block();
    }

    /// Something in an arm without values that has been begun.
    pub(super) fn in_arm(&mut self, write: impl FnOnce(&mut Self)) {
        let floor = self.stack_height();
        self.labels.push(Label {
            carries: Vec::new(),
            results: Vec::new(),
            floor,
            counter: None,
            is_arm: true,
            is_dead: false,
        });
        write(self);
        self.close();
        self.labels.pop();
        self.cut(floor);
    }

    fn new_counter(&mut self, count: usize) -> u32 {
        let counter = self.new_local(Ty::I32);
        self.op().i32_const(count as i32).local_set(counter);
        counter
    }

    /// Pushes whether a loop may be entered once more.
    fn count_down(&mut self, counter: u32) {
        self.op().local_get(counter).i32_const(1).i32_sub().local_tee(counter).i32_const(0).i32_gt_s();
        self.push(Ty::I32);
    }

    /// The topmost operands, or in code that cannot be reached some from nowhere.
    fn params(&mut self) -> Vec<Ty> {
        if !self.plan.choices.multi_value {
            return Vec::new();
        }
        if self.is_dead() && self.height() == 0 {
            return self.numbers(0, 3);
        }
        while self.height() < 3 && self.stream.percent(40) {
            let ty = self.number();
            self.leaf(ty);
        }
        let most = self.height().min(4);
        let count = self.stream.between(0, most);
        self.operands()[self.height() - count..].to_vec()
    }

    /// What a block gives: often what a label around it carries, or what it was given.
    fn results(&mut self, params: &[Ty]) -> Vec<Ty> {
        let most = self.plan.choices.most_results();
        let results = match self.stream.below(10) {
            0..4 => {
                let around = self.stream.below(self.labels.len() as u64) as usize;
                self.labels[around].carries.clone()
            }
            4 | 5 => params.to_vec(),
            _ => self.numbers(0, most),
        };
        if results.len() > most { self.numbers(0, most) } else { results }
    }

    fn enter(&mut self, kind: Kind, params: &[Ty], results: &[Ty], counter: Option<u32>, is_arm: bool) {
        let ty = self.block_type(params, results);
        match kind {
            Kind::Block => self.op().block(ty),
            Kind::Loop => self.op().loop_(ty),
            Kind::If => self.op().if_(ty),
        };
        self.take(params.len());
        let carries = if kind == Kind::Loop { params } else { results };
        self.labels.push(Label {
            carries: carries.to_vec(),
            results: results.to_vec(),
            floor: self.stack_height(),
            counter,
            is_arm,
            is_dead: false,
        });
        self.push_all(params);
    }

    fn leave_block(&mut self) {
        self.op().end();
        let label = self.labels.pop().expect("it was begun");
        self.cut(label.floor);
        self.push_all(&label.results);
    }

    fn walk_on(&mut self) {
        for _ in 0..self.stream.between(0, 5) {
            if self.left > 0 && !self.is_dead() {
                self.step();
            }
        }
    }

    /// Makes the operands of the innermost block its results: uses up what is not wanted, or branches over it.
    pub(super) fn close(&mut self) {
        let results = self.labels.last().expect("a block is open").results.clone();
        if !self.is_dead() {
            let is_loop = self.labels.last().is_some_and(|label| label.counter.is_some());
            match self.stream.below(10) {
                0..3 if !is_loop => {
                    self.go(0);
                    self.dead_code();
                }
                3 if self.labels.len() == 1 => {
                    self.go_back();
                    self.dead_code();
                }
                4..8 if self.labels.len() == 1 && self.tail_call() => {
                    self.die();
                    self.dead_code();
                }
                _ => {}
            }
        }
        if self.is_dead() {
            // What is missing comes from nowhere, but nothing may be left.
            while !results.ends_with(self.operands()) {
                self.keep();
            }
            return;
        }
        while !results.starts_with(self.operands()) {
            self.keep();
        }
        for ty in &results[self.height()..] {
            self.leaf(*ty);
        }
    }

    /// Values at the head of a loop change places, or one comes twice, by way of locals.
    fn change_places(&mut self) {
        let tys = self.operands().to_vec();
        let places: Vec<u32> = tys.iter().map(|ty| self.new_local(*ty)).collect();
        for local in places.iter().rev() {
            self.op().local_set(*local);
        }
        self.take(tys.len());
        let turn = self.stream.between(0, tys.len());
        for (position, ty) in tys.iter().enumerate() {
            let same: Vec<usize> = (0..tys.len()).filter(|other| tys[*other] == *ty).collect();
            let own = same.iter().position(|other| *other == position).expect("it is of its own type");
            let other = match self.stream.below(8) {
                0 => *self.stream.pick(&same),
                _ => same[(own + turn) % same.len()],
            };
            self.op().local_get(places[other]);
            self.push(*ty);
        }
    }

    // Branches.

    /// The innermost loop: how far away it is, and its counter.
    fn innermost_loop(&self) -> Option<(u32, u32)> {
        let labels = self.labels.iter().rev().zip(0u32..);
        labels.filter_map(|(label, depth)| Some((depth, label.counter?))).next()
    }

    fn carries(&self, depth: u32) -> Vec<Ty> {
        self.labels[self.labels.len() - 1 - depth as usize].carries.clone()
    }

    fn counter(&self, depth: u32) -> Option<u32> {
        self.labels[self.labels.len() - 1 - depth as usize].counter
    }

    pub(super) fn die(&mut self) {
        let floor = self.floor();
        self.cut(floor);
        self.labels.last_mut().expect("a block is open").is_dead = true;
    }

    fn go(&mut self, depth: u32) {
        let carries = self.carries(depth);
        self.want(&carries);
        self.op().br(depth);
        self.die();
    }

    fn go_back(&mut self) {
        let results = self.carries(self.labels.len() as u32 - 1);
        self.want(&results);
        self.op().return_();
        self.die();
    }

    pub(super) fn br_if(&mut self) {
        let depth = self.stream.below(self.labels.len() as u64) as u32;
        let carries = self.carries(depth);
        self.want(&carries);
        match self.counter(depth) {
            Some(counter) => self.count_down(counter),
            None => self.condition(),
        }
        self.op().br_if(depth);
        self.take(1);
        if self.is_dead() && self.height() < carries.len() {
            // Validation takes the types of the label from now on.
            let height = self.stack_height() - self.height();
            self.cut(height);
            self.push_all(&carries);
        }
    }

    /// Goes away for good, and writes some code behind.
    pub(super) fn leave(&mut self) {
        if self.labels.len() == 1 && !self.is_dead() {
            return self.if_();
        }
        let is_arm = self.labels.iter().any(|label| label.is_arm);
        let forwards: Vec<u32> =
            (0..self.labels.len() as u32).filter(|depth| self.counter(*depth).is_none()).collect();
        match self.stream.below(12) {
            0..5 => {
                let depth = if is_arm { *self.stream.pick(&forwards) } else { forwards[0] };
                self.go(depth);
            }
            5 if is_arm => self.go_back(),
            6 if is_arm && self.tail_call() => self.die(),
            7 if is_arm && self.wild() => {
                self.op().unreachable();
                self.die();
            }
            _ => {
                let depth = if is_arm { *self.stream.pick(&forwards) } else { forwards[0] };
                self.br_table(depth);
            }
        }
        self.dead_code();
    }

    /// A table of branches to labels that carry the same; one of them leads forwards to that depth.
    pub(super) fn br_table(&mut self, default: u32) {
        let carries = self.carries(default);
        let mut same: Vec<u32> = (0..self.labels.len() as u32)
            .filter(|depth| self.carries(*depth) == carries && self.counter(*depth).is_none())
            .collect();
        let back = self.innermost_loop().filter(|(depth, _)| self.carries(*depth) == carries);
        let back = back.filter(|_| self.stream.percent(50));
        same.extend(back.map(|(depth, _)| depth));
        let most = *self.stream.pick(&[2, 5, 9, 9, 20, 300]);
        let count = self.stream.between(0, most);
        let arms: Vec<u32> = (0..count).map(|_| *self.stream.pick(&same)).collect();
        self.want(&carries);
        self.index(count);
        if let Some((_, counter)) = back {
            // Once the loop has had its rounds the last label is taken.
            self.op().i32_const(-1);
            self.push(Ty::I32);
            self.count_down(counter);
            self.op().select();
            self.take(2);
        }
        self.op().br_table(arms, default);
        self.die();
    }

    /// Pushes an index for so many arms: inside, right at the end, or far outside.
    pub(super) fn index(&mut self, count: usize) {
        let count = count as i32;
        match self.stream.below(8) {
            0 => {
                let index = *self.stream.pick(&[0, count - 1, count, count + 1, -1, i32::MIN, i32::MAX]);
                self.op().i32_const(index);
            }
            1 => return self.leaf(Ty::I32),
            2 => {
                // Negative as a signed number, by what was computed.
                let local = self.local(Ty::I32);
                self.op().local_get(local).i32_const(i32::MIN).i32_or();
            }
            3..5 => {
                let mask = count.max(1) as u32;
                let local = self.local(Ty::I32);
                self.op().local_get(local).i32_const((mask.next_power_of_two() - 1) as i32).i32_and();
            }
            _ => {
                let mask = i64::from((count.max(1) as u32).next_power_of_two() * 2 - 1);
                self.op().global_get(super::SINK).i64_const(mask).i64_and().i32_wrap_i64();
            }
        }
        self.push(Ty::I32);
    }

    /// Steps that are never executed: operands may come from nowhere, and some are left for the end to find.
    pub(super) fn dead_code(&mut self) {
        if !self.stream.percent(65) {
            return;
        }
        for _ in 0..self.stream.between(1, 4) {
            match self.stream.below(10) {
                0 => {
                    let results = self.numbers(0, 2);
                    let params = self.numbers(0, 2);
                    self.dead_block(&params, &results);
                }
                1 => {
                    self.op().drop();
                    self.take(1);
                }
                _ if self.left > 0 => self.step(),
                _ => {
                    let ty = self.number();
                    self.leaf(ty);
                }
            }
        }
    }

    /// A block in code that cannot be reached, whose parameters come from nowhere.
    fn dead_block(&mut self, params: &[Ty], results: &[Ty]) {
        if self.height() > 0 || !self.plan.choices.multi_value {
            let mut op = InstructionSink::new(&mut self.code);
            op.block(BlockType::Empty).end();
            return;
        }
        let kind = *self.stream.pick(&[Kind::Block, Kind::Loop, Kind::If]);
        let counter = (kind == Kind::Loop).then(|| self.local(Ty::I32));
        self.enter(kind, params, results, counter, false);
        self.close();
        if kind == Kind::If {
            self.op().else_();
            let label = self.labels.last_mut().expect("the if is open");
            label.is_dead = false;
            let floor = label.floor;
            self.cut(floor);
            self.push_all(params);
            self.close();
        }
        self.leave_block();
    }
}
