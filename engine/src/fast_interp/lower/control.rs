//! Blocks, branches and returns.
//!
//! A label's values are in the own slots of the entries they become, whichever way control arrives. So a
//! branch puts them there first; a conditional one does so only on its taken path, unless they are there
//! already. That is for a few values. Many are first put into the own slots of the entries they are, once
//! for all branches, so that no branch needs more than one copy of a run.

use super::emit::Condition;
use super::stack::{FEW, slots_of};
use super::{Entry, Lowering, Operand};
use crate::fast_interp::code::{Operands, operands};
use crate::fast_interp::dispatch::{Class, handler};
use crate::fast_interp::handlers::{ACCUMULATOR, IMMEDIATE, SLOT, call as op, control};
use crate::fast_interp::listing::{Name, Part};
use crate::opcode::reader::{BlockType, Labels};
use crate::opcode::{Control, Numeric, Opcode};
use crate::slots::{Row, Signature, Width};

/// Ends a chain of patches.
const NO_PATCH: u32 = u32::MAX;
/// A function's label has no stub, a loop's no patches: no position.
const NOWHERE: u32 = u32::MAX;

/// What a label belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Function,
    Block,
    Loop,
    If,
}

/// A structured instruction that has begun and not ended.
pub(super) struct Label<'m> {
    kind: Kind,
    /// Operands below its parameters.
    height: u32,
    signature: Signature<'m>,
    /// Where a loop begins.
    start: u32,
    /// Branches to the end.
    patches: u32,
    /// The branch to the `else` arm.
    otherwise: u32,
    /// A jump table, and where it comes through if values have to be moved for this label.
    stub: (u32, u32),
}

/// A branch distance to be filled in.
pub(super) struct Patch {
    /// Position in code, counted in halves of words.
    half: u32,
    /// Position of the branch.
    origin: u32,
    next: u32,
}

impl<'m> Label<'m> {
    pub fn new(kind: Kind, height: u32, signature: Signature<'m>) -> Label<'m> {
        Label {
            kind,
            height,
            signature,
            start: NOWHERE,
            patches: NO_PATCH,
            otherwise: NO_PATCH,
            stub: (NOWHERE, NOWHERE),
        }
    }

    /// The values that a branch to it carries.
    fn carries(&self) -> Row<'m> {
        match self.kind {
            Kind::Loop => self.signature.params,
            Kind::Function | Kind::Block | Kind::If => self.signature.results,
        }
    }
}

impl<'m> Lowering<'m> {
    fn here(&self) -> u32 {
        self.words.len() as u32
    }

    fn label(&mut self, depth: u32) -> (usize, &mut Label<'m>) {
        let index = self.labels.len() - 1 - depth as usize;
        (index, &mut self.labels[index])
    }

    fn begin(&mut self, kind: Kind, signature: Signature<'m>) {
        let height = self.stack.len() as u32 - signature.params.values();
        self.labels.push(Label::new(kind, height, signature));
    }

    pub fn block(&mut self, ty: BlockType) {
        self.settle();
        self.begin(Kind::Block, self.module.block_signature(ty));
    }

    pub fn loop_(&mut self, ty: BlockType) {
        let signature = self.module.block_signature(ty);
        self.own(signature.params.values());
        self.settle();
        self.join();
        self.begin(Kind::Loop, signature);
        let start = self.here();
        self.label(0).1.start = start;
    }

    pub fn if_(&mut self, ty: BlockType) {
        let signature = self.module.block_signature(ty);
        let params = signature.params.values();
        // What has to be copied first would stand between a comparison and its branch.
        let lazy = matches!(self.stack.last(), Some(Entry::Local { .. }));
        let fuse = self.lazy == u32::from(lazy) && self.are_own_below_top(params);
        let condition = self.take_condition(fuse);
        self.own(params);
        self.settle();
        let branch = self.branch(condition, false);
        self.begin(Kind::If, signature);
        let otherwise = self.patch_branch(branch, NO_PATCH);
        self.label(0).1.otherwise = otherwise;
    }

    pub fn else_(&mut self) {
        let (_, label) = self.label(0);
        let (height, Signature { params, results }) = (label.height, label.signature);
        let otherwise = std::mem::replace(&mut label.otherwise, NO_PATCH);
        if self.reachable {
            self.own(results.values());
            let jump = self.jump();
            let (index, label) = self.label(0);
            let patches = label.patches;
            self.labels[index].patches = self.patch_branch(jump, patches);
        }
        self.bind(otherwise);
        self.drop_to(height);
        self.push_own(params);
        self.reachable = true;
    }

    pub fn end(&mut self) {
        let label = self.labels.pop().expect("validation balances blocks");
        let Label { kind, height, signature: Signature { results, .. }, patches, otherwise, .. } = label;
        if kind == Kind::Function {
            if self.reachable {
                self.take(results.values());
                self.emit_return(self.next_slot());
            }
            self.reachable = true;
            return;
        }
        if patches == NO_PATCH && otherwise == NO_PATCH {
            // Only the code right before comes here: what is known about operands stays true.
            if !self.reachable {
                self.drop_to(height);
            }
            return;
        }
        if self.reachable {
            self.own(results.values());
        } else {
            self.drop_to(height);
            self.push_own(results);
        }
        self.bind(patches);
        self.bind(otherwise);
        self.reachable = true;
    }

    pub fn unreachable(&mut self) {
        self.site();
        let operands = Operands::halves(0, 0);
        self.emit(Control::Unreachable, &[], handler::<control::Unreachable>(), operands, &[]);
        self.reachable = false;
    }

    /// Puts a jump down whose target is left open.
    fn jump(&mut self) -> u32 {
        let operands = Operands::halves(0, 0);
        self.emit(Name::Other("jump"), &[Part::Target], handler::<control::Jump>(), operands, &[])
    }

    /// Chains a branch whose distance is in its operand word.
    fn patch_branch(&mut self, at: u32, next: u32) -> u32 {
        self.patch(2 * (at + 1) + 1, at, next)
    }

    fn patch(&mut self, half: u32, origin: u32, next: u32) -> u32 {
        self.patches.push(Patch { half, origin, next });
        self.patches.len() as u32 - 1
    }

    /// Lets the branches of a chain arrive here.
    fn bind(&mut self, mut chain: u32) {
        let target = self.here();
        while chain != NO_PATCH {
            let Patch { half, origin, next } = self.patches[chain as usize];
            self.fill_in(half, origin, target);
            chain = next;
        }
        self.join();
    }

    fn fill_in(&mut self, half: u32, origin: u32, target: u32) {
        let distance = (i64::from(target) - i64::from(origin)) as i32 as u32;
        let word = &mut self.words[half as usize / 2];
        let old = operands(*word);
        *word = match half % 2 {
            0 => Operands::halves(distance, old.half(1)),
            _ => Operands::halves(old.half(0), distance),
        }
        .word();
    }

    /// Lets a branch distance lead to a label that is not the function's.
    fn aim(&mut self, half: u32, origin: u32, index: usize) {
        let Label { start, patches, .. } = self.labels[index];
        if start != NOWHERE {
            self.fill_in(half, origin, start);
        } else {
            self.labels[index].patches = self.patch(half, origin, patches);
        }
    }

    /// Leaves for a label with the operands that were taken, whose own slots begin with `row`.
    fn leave_for(&mut self, index: usize, row: u32) {
        if self.labels[index].kind == Kind::Function {
            self.emit_return(row);
            return;
        }
        self.place(self.own_slot(self.labels[index].height as usize));
        self.jump_to(index);
    }

    /// Leaves for a label with the highest operands on one path, and keeps them for the other. If they
    /// are many, they are in their own slots.
    fn leave_with_copies(&mut self, index: usize, values: Row<'m>) {
        let row = self.next_slot() - values.slots();
        if values.values() <= FEW {
            self.look_at(values.values());
            self.leave_for(index, row);
        } else if self.labels[index].kind == Kind::Function {
            self.return_row(row, values.slots());
        } else {
            self.copy_row(self.own_slot(self.labels[index].height as usize), row, values.slots());
            self.jump_to(index);
        }
    }

    fn jump_to(&mut self, index: usize) {
        let at = self.jump();
        self.aim(2 * (at + 1) + 1, at, index);
    }

    pub fn br(&mut self, depth: u32) {
        let (index, label) = self.label(depth);
        let arity = label.carries().values();
        self.take(arity);
        self.leave_for(index, self.next_slot());
        self.reachable = false;
    }

    pub fn return_(&mut self) {
        self.br(self.labels.len() as u32 - 1);
    }

    pub fn br_if(&mut self, depth: u32) {
        let (index, label) = self.label(depth);
        let (arity, height, kind) = (label.carries().values(), label.height, label.kind);
        let in_place = kind != Kind::Function && height + arity == self.stack.len() as u32 - 1;
        let copies_first = in_place || arity > FEW;
        let condition = self.take_condition(!copies_first || self.are_own_below_top(arity));
        self.branch_to(condition, true, index);
    }

    /// Branches to a label with the highest operands, if the condition holds or if it does not.
    fn branch_to(&mut self, condition: Condition, if_holds: bool, index: usize) {
        let label = &self.labels[index];
        let (values, height) = (label.carries(), label.height);
        let arity = values.values();
        let in_place = height + arity == self.stack.len() as u32;
        if label.kind != Kind::Function && (arity == 0 || in_place) {
            self.own(arity);
            let at = self.branch(condition, if_holds);
            self.aim(2 * (at + 1) + 1, at, index);
            return;
        }
        if arity > FEW {
            self.own(arity);
        }
        let around = self.branch(condition, !if_holds);
        let mirrors = self.mirrors;
        self.leave_with_copies(index, values);
        let chain = self.patch_branch(around, NO_PATCH);
        self.bind(chain);
        self.mirrors = mirrors;
    }

    pub fn br_on_null(&mut self, depth: u32) {
        let top = self.stack.len() - 1;
        let entry = self.stack[top];
        let operand = match self.pop() {
            Operand::Slot { slot, width, .. } => Operand::Slot { slot, width, dies: false },
            constant @ Operand::Constant(_) => constant,
        };
        let condition = self.is_not_null(operand);
        let (index, _) = self.label(depth);
        self.branch_to(condition, false, index);
        match entry {
            Entry::Own => self.push_own(Row::single(Width::One)),
            Entry::Local { local, .. } => self.push_local(local),
            Entry::Constant(_) => self.push(entry, Width::One),
        }
    }

    pub fn br_on_non_null(&mut self, depth: u32) {
        // The reference is among the values that the branch carries.
        self.own(1);
        let condition = self.is_not_null(self.peek(self.stack.len() - 1));
        let (index, _) = self.label(depth);
        self.branch_to(condition, true, index);
        self.pop();
    }

    /// The condition that a reference is not null.
    fn is_not_null(&self, operand: Operand) -> Condition {
        Condition::Operand(operand, self.tables.slot_is_zero(), Opcode::Numeric(Numeric::I64Eqz))
    }

    pub fn br_table(&mut self, labels: Labels) {
        let selector = self.pop();
        let default = labels.last().expect("a table has a default label");
        let values = self.label(default).1.carries();
        let arity = values.values();
        self.own(arity);
        let base = self.stack.len() as u32 - arity;
        // The selector's own slot is the next one, where a constant may go, too.
        let selector = self.in_near_slot(selector, 0);
        let mirrored = self.accumulates(selector, Class::Int);
        let slot = if mirrored { 0 } else { self.near_slot(selector, 0) };
        let (table, parts): (_, &[Part]) = match mirrored {
            true => (handler::<control::JumpTable<ACCUMULATOR>>(), &[Part::Accumulator, Part::Half(1)]),
            false => (handler::<control::JumpTable<SLOT>>(), &[Part::Slot(0), Part::Half(1)]),
        };
        let operands = Operands::with_number(slot, 0, labels.len() as u32);
        let at = self.emit(Control::BrTable, parts, table, operands, &[]);
        self.words.resize(self.words.len() + labels.len().div_ceil(2), 0);
        self.join();
        for (position, depth) in labels.enumerate() {
            let half = 2 * (at + 2) + position as u32;
            let (index, label) = self.label(depth);
            if label.kind != Kind::Function && (arity == 0 || label.height == base) {
                self.aim(half, at, index);
            } else {
                let stub = self.stub(at, index, values);
                self.fill_in(half, at, stub);
            }
        }
        self.reachable = false;
    }

    /// Where a jump table's entry for a label goes that needs its values moved.
    fn stub(&mut self, table: u32, index: usize, values: Row<'m>) -> u32 {
        let (of, at) = self.labels[index].stub;
        if of == table {
            return at;
        }
        let at = self.here();
        self.labels[index].stub = (table, at);
        self.join();
        self.leave_with_copies(index, values);
        at
    }

    /// Returns the operands that were taken, whose own slots begin with `row`.
    fn emit_return(&mut self, row: u32) {
        let (header, cost) = (self.frame.param_slots, self.frame.cost);
        match *self.taken {
            [] => {
                let operands = Operands::with_number(header, 0, cost);
                self.emit(Control::Return, &[], handler::<op::Return0>(), operands, &[]);
            }
            [Operand::Constant(value)] => {
                let operands = Operands::with_number(header, 0, cost);
                let parts = &[Part::Word(2)];
                self.emit(Control::Return, parts, handler::<op::Return1<IMMEDIATE>>(), operands, &[value]);
            }
            [operand] if operand.width() == Width::One => {
                let operand = self.near(operand, 0);
                if self.accumulates(operand, Class::Int) {
                    let operands = Operands::with_number(header, 0, cost);
                    let handler = handler::<op::Return1<ACCUMULATOR>>();
                    self.emit(Control::Return, &[Part::Accumulator], handler, operands, &[]);
                } else {
                    let slot = self.near_slot(operand, 0);
                    let operands = Operands::with_number(header, slot, cost);
                    let handler = handler::<op::Return1<SLOT>>();
                    self.emit(Control::Return, &[Part::Slot(1)], handler, operands, &[]);
                }
            }
            [..] => {
                self.place(row);
                self.return_row(row, slots_of(&self.taken));
            }
        }
    }

    /// Returns values that lie in a row.
    fn return_row(&mut self, row: u32, slots: u32) {
        let operands = Operands::with_number(self.frame.param_slots, 0, self.frame.cost);
        let run = [u64::from(row) | u64::from(slots) << 32];
        self.emit(Control::Return, &[Part::Word(2)], handler::<op::ReturnMany>(), operands, &run);
    }
}
