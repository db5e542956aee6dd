//! One function of thousands of instructions: blocks in blocks, long tables of branches, towers of operands, and
//! more locals than people write.

use super::{Choices, Func, GLOBALS, SINK};
use crate::draw::Stream;
use crate::generate::linked::operators::Operator;
use crate::generate::linked::types::Ty;
use crate::generate::numbers::{NUMBERS, PAGE, Signature, constant, distance, encoded, mix, position};
use crosscheck_engine::opcode::{Numeric, NumericKind};
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget};

/// Statements at least and at most.
const STATEMENTS: (usize, usize) = (60, 900);
/// Targets of a table of branches, at most.
const TARGETS: &[usize] = &[3, 20, 130, 700];
/// How high operands are piled, at most.
const HEIGHTS: &[usize] = &[5, 40, 300];
/// How deep blocks lie in each other, at most, and of how many of a hundred there is another in front.
const NESTING: &[(usize, u32)] = &[(3, 0), (20, 50), (150, 96)];

struct Writer<'a> {
    choices: &'a Choices,
    stream: &'a mut Stream,
    code: Vec<u8>,
    /// Parameters and locals.
    locals: Vec<Ty>,
    /// How many blocks are open that branches may leave.
    open: usize,
    /// How many blocks are open.
    depth: usize,
    nesting: (usize, u32),
    /// Statements still to be written.
    left: usize,
}

/// A function of many statements.
pub(super) fn function(choices: &Choices, stream: &mut Stream) -> Func {
    let mut params = choices.numbers(0, 4, stream);
    params.insert(0, Ty::I32);
    let results = choices.numbers(0, 1, stream);
    let most = *stream.pick(&[4, 40, 400]);
    let mut locals = params.clone();
    locals.extend(NUMBERS);
    locals.extend(choices.numbers(0, most, stream));
    let left = stream.between(STATEMENTS.0, STATEMENTS.1);
    let nesting = *stream.pick(NESTING);
    let code = Vec::with_capacity(16 * left);
    let mut writer = Writer { choices, stream, code, locals, open: 0, depth: 0, nesting, left };
    while writer.left > 0 {
        writer.statement();
    }
    // Locals that nothing has shown are shown here.
    for local in 0..writer.locals.len() {
        writer.op().local_get(local as u32);
        writer.mix(writer.locals[local]);
    }
    results.iter().for_each(|ty| writer.value(*ty));
    writer.op().end();
    let mut function = Function::new_with_locals_types(encoded(&writer.locals[params.len()..]));
    function.raw(writer.code);
    Func { signature: Signature { params, results }, function }
}

impl Writer<'_> {
    fn op(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn statement(&mut self) {
        self.left = self.left.saturating_sub(1);
        match self.stream.below(20) {
            0..9 => self.assign(),
            9 | 10 => {
                let ty = self.choices.number(self.stream);
                self.value(ty);
                self.mix(ty);
            }
            11 | 12 => self.store(),
            13 if self.stream.percent(30) => self.pile(),
            14..17 if self.depth < self.nesting.0 => self.nest(),
            17 if self.open > 0 => {
                self.value(Ty::I32);
                let label = self.stream.below(self.open as u64) as u32;
                self.op().br_if(label);
            }
            18 if self.stream.percent(30) => self.switch(),
            _ => self.assign(),
        }
    }

    fn assign(&mut self) {
        let local = self.stream.below(self.locals.len() as u64) as usize;
        self.value(self.locals[local]);
        self.op().local_set(local as u32);
    }

    fn store(&mut self) {
        let place = self.stream.below(PAGE - 8);
        self.op().i32_const(0);
        self.value(Ty::I64);
        let target = MemArgTarget::Memory(0);
        self.op().i64_store(MemArg { offset: place, align: 0, target, ordering: None });
    }

    /// Many operands on top of each other, of one type.
    fn pile(&mut self) {
        let most = *self.stream.pick(HEIGHTS);
        let height = self.stream.between(2, most);
        let ty = *self.stream.pick(&[Ty::I32, Ty::I64]);
        (0..height).for_each(|_| self.leaf(ty));
        let mut operators = Operator::of_kind(NumericKind::Arithmetic, ty);
        let bitwise = Operator::of_kind(NumericKind::Bitwise, ty);
        operators.extend(
            bitwise.iter().filter(|operator| matches!(operator.opcode, Numeric::I32Xor | Numeric::I64Xor)),
        );
        for _ in 1..height {
            self.stream.pick(&operators).write(&mut self.code);
        }
        self.mix(ty);
    }

    /// Some statements in a block, an arm, or a loop that goes round twice.
    fn nest(&mut self) {
        let statements = self.stream.between(0, 6);
        let counter = match self.stream.below(4) {
            0 | 1 => {
                self.op().block(BlockType::Empty);
                None
            }
            2 => {
                self.value(Ty::I32);
                self.op().if_(BlockType::Empty);
                None
            }
            _ => {
                // Its counter is its own, so that it ends.
                self.locals.push(Ty::I32);
                let counter = self.locals.len() as u32 - 1;
                self.op().i32_const(2).local_set(counter).loop_(BlockType::Empty);
                // Branches to a loop's label would go round for ever; those within leave a block around the body.
                self.op()
                    .local_get(counter)
                    .i32_const(1)
                    .i32_sub()
                    .local_set(counter)
                    .block(BlockType::Empty);
                Some(counter)
            }
        };
        let outside = self.open;
        // Nothing leaves a loop early, so that its label is out of reach.
        self.open = if counter.is_some() { 1 } else { outside + 1 };
        self.depth += 1;
        let is_nested = self.stream.percent(self.nesting.1);
        if is_nested && self.depth < self.nesting.0 && self.left > 0 {
            self.left -= 1;
            self.nest();
        }
        (0..statements.min(self.left)).for_each(|_| self.statement());
        self.depth -= 1;
        self.open = outside;
        if let Some(counter) = counter {
            self.op().end().local_get(counter).br_if(0);
        }
        self.op().end();
    }

    /// A long table of branches out of a few blocks, each of which goes on differently.
    fn switch(&mut self) {
        let ways = self.stream.between(1, 12);
        (0..ways).for_each(|_| {
            self.op().block(BlockType::Empty);
        });
        let most = *self.stream.pick(TARGETS);
        let labels: Vec<u32> =
            (0..self.stream.between(1, most)).map(|_| self.stream.below(ways as u64) as u32).collect();
        self.value(Ty::I32);
        if self.stream.percent(80) {
            self.op().i32_const(labels.len() as i32).i32_rem_u();
        }
        let default = self.stream.below(ways as u64) as u32;
        self.op().br_table(labels, default);
        for _ in 0..ways {
            self.op().end();
            self.assign();
        }
    }

    fn value(&mut self, ty: Ty) {
        match (ty, self.stream.below(3)) {
            (Ty::I32 | Ty::I64, 0) => {
                self.leaf(ty);
                self.leaf(ty);
                self.stream.pick(&Operator::of_kind(NumericKind::Arithmetic, ty)).write(&mut self.code);
            }
            (Ty::F32, 0) => {
                self.leaf(Ty::F32);
                self.op().f32_neg();
            }
            (Ty::F64, 0) => {
                self.leaf(Ty::F64);
                self.op().f64_abs();
            }
            (ty, _) => self.leaf(ty),
        }
    }

    fn leaf(&mut self, ty: Ty) {
        match self.stream.below(6) {
            0 | 1 => constant(ty, self.stream, &mut InstructionSink::new(&mut self.code)),
            2 => {
                self.op().global_get(GLOBALS + position(ty));
            }
            _ => {
                // The next of its type from anywhere on; there is one.
                let start = self.stream.below(self.locals.len() as u64) as usize;
                let numbers = (start..self.locals.len()).chain(0..start);
                let local = numbers.into_iter().find(|number| self.locals[*number] == ty);
                let local = local.expect("there is a local of each type") as u32;
                self.op().local_get(local);
            }
        }
    }

    fn mix(&mut self, ty: Ty) {
        let distance = distance(self.stream);
        mix(ty, SINK, distance, &mut self.op());
    }
}
