//! Locals, globals, numbers, memories, tables and references.

use super::emit::{Branch, Comparison, Mirrors};
use super::{Entry, Lowering, NEAR_SLOTS, Operand};
use crate::fast_interp::code::Operands;
use crate::fast_interp::context::Context;
use crate::fast_interp::dispatch::{Class, handler};
use crate::fast_interp::handlers::bulk::{self, Apply, Arguments, Failure};
use crate::fast_interp::handlers::numeric::{BinaryForms, Forms, Places, Results, UnaryForms};
use crate::fast_interp::handlers::{ACCUMULATOR, IMMEDIATE, SLOT, control as op};
use crate::fast_interp::listing::{Name, Part};
use crate::faults::fault;
use crate::opcode::reader::{MemArg, Reader};
use crate::opcode::{self, Load, Memory, Numeric, Parametric, Reference, Store, Table, Variable, Wide};
use crate::slots::{Row, Width};
use crate::val::NULL_SLOT;

/// What an instruction does to the operand stack, if its operands lie in a row: none of them is a vector.
struct Effect {
    takes: u32,
    leaves: u32,
}

impl Lowering<'_> {
    pub fn local_set(&mut self, local: u32) {
        let (slot, width) = self.local_slot(local);
        let value = self.pop();
        if value != (Operand::Slot { slot, width, dies: false }) {
            self.preserve(local);
            self.move_to(slot, value);
        }
    }

    pub fn local_tee(&mut self, local: u32) {
        let value = self.stack[self.stack.len() - 1];
        self.local_set(local);
        match value {
            Entry::Constant(_) => self.push(value, Width::One),
            Entry::Own | Entry::Local { .. } => self.push_local(local),
        }
    }

    pub fn global_get(&mut self, index: u32) {
        let width = Width::of(self.module.global_types[index as usize].content);
        debug_assert_eq!(width, Width::One, "modules with vectors are refused");
        let results = Results { stored: handler::<op::GlobalGet>(), quiet: 0 };
        let operands = Operands::with_number(0, 0, index);
        let parts = &[Part::To, Part::Half(1)];
        self.emit_result(Variable::GlobalGet, parts, results, Class::Int, operands, &[]);
    }

    pub fn global_set(&mut self, index: u32) {
        let name = Variable::GlobalSet;
        let value = self.pop();
        let value = self.near(value, 0);
        match value {
            Operand::Constant(value) => {
                let operands = Operands::with_number(0, 0, index);
                let parts = &[Part::Half(1), Part::Word(2)];
                self.emit(name, parts, handler::<op::GlobalSet<IMMEDIATE>>(), operands, &[value]);
            }
            Operand::Slot { .. } if self.accumulates(value, Class::Int) => {
                let operands = Operands::with_number(0, 0, index);
                let parts = &[Part::Half(1), Part::Accumulator];
                self.emit(name, parts, handler::<op::GlobalSet<ACCUMULATOR>>(), operands, &[]);
            }
            Operand::Slot { slot, .. } => {
                let operands = Operands::with_number(slot, 0, index);
                let parts = &[Part::Half(1), Part::Slot(0)];
                self.emit(name, parts, handler::<op::GlobalSet<SLOT>>(), operands, &[]);
            }
        }
    }

    pub fn select(&mut self) {
        let (condition, right, left) = (self.pop(), self.pop(), self.pop());
        let condition = self.in_near_slot(condition, 2);
        let (left, right) = (self.near(left, 0), self.near(right, 1));
        let mirrored = self.accumulates(condition, Class::Int);
        let field = |operand| match operand {
            Operand::Slot { slot, .. } => (slot, false),
            Operand::Constant(_) => (0, true),
        };
        let (test, (left_slot, left_constant), (right_slot, right_constant)) =
            (field(condition).0, field(left), field(right));
        let form = self.tables.select[usize::from(mirrored)][usize::from(left_constant)];
        let results = Results { stored: form[usize::from(right_constant)], quiet: 0 };
        let constants = [left, right].into_iter().filter_map(|operand| match operand {
            Operand::Slot { .. } => None,
            Operand::Constant(value) => Some(value),
        });
        let mut more = [0; 2];
        let count = constants.zip(&mut more).map(|(value, word)| *word = value).count();
        let operands = Operands::fields([0, if mirrored { 0 } else { test }, left_slot, right_slot]);
        let parts: &[Part] = match (left_constant, right_constant) {
            (false, false) => &[Part::To, Part::Slot(1), Part::Slot(2), Part::Slot(3)],
            (false, true) => &[Part::To, Part::Slot(1), Part::Slot(2), Part::Word(2)],
            (true, false) => &[Part::To, Part::Slot(1), Part::Word(2), Part::Slot(3)],
            (true, true) => &[Part::To, Part::Slot(1), Part::Word(2), Part::Word(3)],
        };
        self.emit_result(Parametric::Select, parts, results, Class::Int, operands, &more[..count]);
    }

    pub fn numeric(&mut self, opcode: Numeric) {
        match self.tables.numeric(opcode) {
            Forms::Unary(forms) => self.unary(opcode, forms),
            Forms::Binary(forms) => self.binary(opcode, forms),
        }
    }

    fn unary(&mut self, opcode: Numeric, forms: &UnaryForms) {
        let negated = match (&self.comparison, opcode, self.stack.last()) {
            (Some(comparison), Numeric::I32Eqz, Some(Entry::Own))
                if comparison.end == self.words.len() as u32
                    && comparison.slot == self.own_slot(self.stack.len() - 1) =>
            {
                Some(*comparison)
            }
            (Some(_) | None, _, _) => None,
        };
        let operand = self.pop();
        let operand = self.in_near_slot(operand, 0);
        if forms.may_trap {
            self.site();
        }
        let mirrored = self.accumulates(operand, forms.class);
        let before = self.mirrors;
        let slot = if mirrored { 0 } else { self.near_slot(operand, 0) };
        let start = self.words.len() as u32;
        let parts: &[Part] =
            if mirrored { &[Part::To, Part::Accumulator] } else { &[Part::To, Part::Slot(1)] };
        let results = forms.computes[usize::from(mirrored)];
        let operands = Operands::fields([0, slot, 0, 0]);
        self.emit_result(opcode, parts, results, forms.result, operands, &[]);
        let Some(branches) = &forms.branches else { return };
        let branch = Branch {
            opcode: opcode.into(),
            handlers: branches[usize::from(mirrored)],
            negated: false,
            fields: [slot, 0],
            immediate: None,
            parts: if mirrored { &[Part::Accumulator, Part::Target] } else { &[Part::Slot(0), Part::Target] },
        };
        match negated {
            Some(Comparison { start, branch, before, .. }) => {
                let negated = branch.negated == fault!("fast-interp-branch-forgets-negation");
                self.may_decide(Branch { negated, ..branch }, start, before);
            }
            None => self.may_decide(branch, start, before),
        }
    }

    /// The result on top of the stack can be computed by a branch instead.
    fn may_decide(&mut self, branch: Branch, start: u32, before: Mirrors) {
        let slot = self.own_slot(self.stack.len() - 1);
        let end = self.words.len() as u32;
        self.comparison = (slot < NEAR_SLOTS).then_some(Comparison { start, end, slot, branch, before });
    }

    fn binary(&mut self, opcode: Numeric, forms: &BinaryForms) {
        let (right, left) = (self.pop(), self.pop());
        let right = self.near(right, 1);
        let left = match (left, right) {
            (Operand::Constant(_), Operand::Constant(_)) => self.in_near_slot(left, 0),
            (_, _) => self.near(left, 0),
        };
        if forms.may_trap {
            self.site();
        }
        let (places, first, second, immediate) = match (left, right) {
            (Operand::Slot { slot, .. }, Operand::Constant(value)) => {
                match self.accumulates(left, forms.left) {
                    true => (Places::AccumulatorImmediate, 0, 0, Some(value)),
                    false => (Places::SlotImmediate, slot, 0, Some(value)),
                }
            }
            (Operand::Slot { slot: first, .. }, Operand::Slot { slot: second, .. }) => {
                if self.accumulates(right, forms.right) {
                    (Places::SlotAccumulator, first, 0, None)
                } else if self.accumulates(left, forms.left) {
                    (Places::AccumulatorSlot, second, 0, None)
                } else {
                    (Places::SlotSlot, first, second, None)
                }
            }
            (Operand::Constant(value), Operand::Slot { slot, .. }) => {
                (Places::ImmediateSlot, slot, 0, Some(value))
            }
            (Operand::Constant(_), Operand::Constant(_)) => {
                unreachable!("one of two constants was put into a slot")
            }
        };
        let before = self.mirrors;
        let start = self.words.len() as u32;
        let results = forms.computes[places as usize];
        let parts = binary_parts(places, forms.wide_immediate);
        match immediate {
            Some(value) if forms.wide_immediate => {
                let operands = Operands::fields([0, first, 0, 0]);
                self.emit_result(opcode, parts, results, forms.result, operands, &[value]);
            }
            Some(value) => {
                let operands = Operands::with_number(0, first, value as u32);
                self.emit_result(opcode, parts, results, forms.result, operands, &[]);
            }
            None => {
                let operands = Operands::fields([0, first, second, 0]);
                self.emit_result(opcode, parts, results, forms.result, operands, &[]);
            }
        }
        let handlers = forms.branches.as_ref().and_then(|branches| branches.get(places as usize));
        if let Some(handlers) = handlers {
            let branch = Branch {
                opcode: opcode.into(),
                handlers: *handlers,
                negated: false,
                fields: [first, second],
                immediate,
                parts: branch_parts(places),
            };
            self.may_decide(branch, start, before);
        }
    }

    pub fn load(&mut self, opcode: Load, access: MemArg) {
        let forms = self.tables.load(opcode);
        let address = self.pop();
        let near = access.memory == 0 && !self.module.memories[0].is_64;
        let Some(offset) = u32::try_from(access.offset).ok().filter(|_| near) else {
            let address = self.near_slot(address, 0);
            self.site();
            let results = Results { stored: forms.far, quiet: 0 };
            let operands = Operands::with_number(0, address, access.memory);
            let parts = &[Part::To, Part::Slot(1), Part::Half(1), Part::Word(2)];
            self.emit_result(opcode, parts, results, Class::Int, operands, &[access.offset]);
            return;
        };
        let class = class_of(opcode.row().results[0]);
        let results = forms.near[usize::from(class != Class::Int)];
        let (place, slot, offset) = self.address(address, offset);
        self.site();
        let operands = Operands::with_number(0, slot, offset);
        let parts: &[Part] = match place {
            SLOT => &[Part::To, Part::Slot(1), Part::Half(1)],
            ACCUMULATOR => &[Part::To, Part::Accumulator, Part::Half(1)],
            _ => &[Part::To, Part::Half(1)],
        };
        self.emit_result(opcode, parts, results[place as usize], class, operands, &[]);
    }

    /// Place and slot of an address, and the offset that goes with it.
    fn address(&mut self, address: Operand, offset: u32) -> (u8, u32, u32) {
        if let Operand::Constant(base) = address
            && let Some(sum) = (base as u32).checked_add(offset)
        {
            return (IMMEDIATE, 0, sum);
        }
        let address = self.in_near_slot(address, 0);
        match self.accumulates(address, Class::Int) {
            true => (ACCUMULATOR, 0, offset),
            false => (SLOT, self.near_slot(address, 0), offset),
        }
    }

    pub fn store(&mut self, opcode: Store, access: MemArg) {
        let forms = self.tables.store(opcode);
        let (value, address) = (self.pop(), self.pop());
        let near = access.memory == 0 && !self.module.memories[0].is_64;
        let Some(offset) = u32::try_from(access.offset).ok().filter(|_| near) else {
            let (value, address) = (self.near_slot(value, 1), self.near_slot(address, 0));
            self.site();
            let operands = Operands::with_number(address, value, access.memory);
            let parts = &[Part::Slot(0), Part::Half(1), Part::Word(2), Part::Slot(1)];
            self.emit(opcode, parts, forms.far, operands, &[access.offset]);
            return;
        };
        let value = self.near(value, 1);
        let (place, slot, offset) = self.address(address, offset);
        let forms = forms.near[place as usize];
        self.site();
        let class = class_of(opcode.row().operands[1]);
        let (handler, second, immediate) = match value {
            Operand::Constant(value) => (forms[IMMEDIATE as usize], 0, Some(value)),
            Operand::Slot { .. } if class != Class::Int && self.accumulates(value, class) => {
                (forms[3], 0, None)
            }
            Operand::Slot { .. } if self.accumulates(value, Class::Int) => {
                (forms[ACCUMULATOR as usize], 0, None)
            }
            Operand::Slot { slot, .. } => (forms[SLOT as usize], slot, None),
        };
        let operands = Operands::with_number(slot, second, offset);
        let parts: &[Part] = match (place == SLOT, immediate) {
            (true, None) => &[Part::Slot(0), Part::Half(1), Part::Slot(1)],
            (true, Some(_)) => &[Part::Slot(0), Part::Half(1), Part::Word(2)],
            (false, None) => &[Part::Half(1), Part::Slot(1)],
            (false, Some(_)) => &[Part::Half(1), Part::Word(2)],
        };
        self.emit(opcode, parts, handler, operands, immediate.as_slice());
    }

    /// Emits an instruction whose operands lie in a row that its results replace.
    fn apply<F>(&mut self, name: impl Into<Name>, _: F, effect: Effect, first: u32, second: u32)
    where
        F: Fn(&mut Context, Arguments) -> Result<(), Failure> + Copy + 'static,
    {
        self.take(effect.takes);
        let start = self.next_slot();
        self.place(start);
        self.keep_stored();
        self.site();
        let operands = Operands::halves(start, first);
        let parts = &[Part::HalfSlot(0), Part::Half(1), Part::Word(2)];
        self.emit(name, parts, handler::<Apply<F>>(), operands, &[u64::from(second)]);
        self.forget_from(start);
        (0..effect.leaves).for_each(|_| self.push_own(Row::single(Width::One)));
    }

    pub fn memory(&mut self, opcode: Memory, reader: &mut Reader) {
        let effect = |takes, leaves| Effect { takes, leaves };
        match opcode {
            Memory::MemorySize => self.apply(opcode, bulk::memory_size, effect(0, 1), reader.u32(), 0),
            Memory::MemoryGrow => self.apply(opcode, bulk::memory_grow, effect(1, 1), reader.u32(), 0),
            Memory::MemoryFill => self.apply(opcode, bulk::memory_fill, effect(3, 0), reader.u32(), 0),
            Memory::DataDrop => self.apply(opcode, bulk::data_drop, effect(0, 0), reader.u32(), 0),
            Memory::MemoryCopy => {
                let (to, from) = (reader.u32(), reader.u32());
                self.apply(opcode, bulk::memory_copy, effect(3, 0), to, from);
            }
            Memory::MemoryInit => {
                let (segment, memory) = (reader.u32(), reader.u32());
                self.apply(opcode, bulk::memory_init, effect(3, 0), memory, segment);
            }
        }
    }

    pub fn table(&mut self, opcode: Table, reader: &mut Reader) {
        let effect = |takes, leaves| Effect { takes, leaves };
        match opcode {
            Table::TableGet => self.apply(opcode, bulk::table_get, effect(1, 1), reader.u32(), 0),
            Table::TableSet => self.apply(opcode, bulk::table_set, effect(2, 0), reader.u32(), 0),
            Table::TableSize => self.apply(opcode, bulk::table_size, effect(0, 1), reader.u32(), 0),
            Table::TableGrow => self.apply(opcode, bulk::table_grow, effect(2, 1), reader.u32(), 0),
            Table::TableFill => self.apply(opcode, bulk::table_fill, effect(3, 0), reader.u32(), 0),
            Table::ElemDrop => self.apply(opcode, bulk::elem_drop, effect(0, 0), reader.u32(), 0),
            Table::TableCopy => {
                let (to, from) = (reader.u32(), reader.u32());
                self.apply(opcode, bulk::table_copy, effect(3, 0), to, from);
            }
            Table::TableInit => {
                let (segment, table) = (reader.u32(), reader.u32());
                self.apply(opcode, bulk::table_init, effect(3, 0), table, segment);
            }
        }
    }

    pub fn wide(&mut self, opcode: Wide) {
        let (four, two) = (Effect { takes: 4, leaves: 2 }, Effect { takes: 2, leaves: 2 });
        match opcode {
            Wide::I64Add128 => self.apply(opcode, bulk::add128, four, 0, 0),
            Wide::I64Sub128 => self.apply(opcode, bulk::sub128, four, 0, 0),
            Wide::I64MulWideS => self.apply(opcode, bulk::mul_wide_s, two, 0, 0),
            Wide::I64MulWideU => self.apply(opcode, bulk::mul_wide_u, two, 0, 0),
        }
    }

    pub fn reference(&mut self, opcode: Reference, reader: &mut Reader) {
        match opcode {
            Reference::RefNull => {
                reader.heap_type();
                self.push(Entry::Constant(NULL_SLOT), Width::One);
            }
            Reference::RefIsNull => self.unary(Numeric::I64Eqz, self.tables.slot_is_zero()),
            Reference::RefFunc => {
                let effect = Effect { takes: 0, leaves: 1 };
                self.apply(opcode, bulk::ref_func, effect, reader.u32(), 0);
            }
            Reference::RefAsNonNull => {
                let effect = Effect { takes: 1, leaves: 1 };
                self.apply(opcode, bulk::ref_as_non_null, effect, 0, 0);
            }
            Reference::RefEq => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }
}

/// The accumulator for operands of a type.
fn class_of(operand: opcode::Operand) -> Class {
    match operand {
        opcode::Operand::F32 => Class::Single,
        opcode::Operand::F64 => Class::Double,
        opcode::Operand::I32
        | opcode::Operand::I64
        | opcode::Operand::V128
        | opcode::Operand::Address
        | opcode::Operand::Ref
        | opcode::Operand::Any
        | opcode::Operand::Many => Class::Int,
    }
}

fn binary_parts(places: Places, wide: bool) -> &'static [Part] {
    match (places, wide) {
        (Places::SlotSlot, _) => &[Part::To, Part::Slot(1), Part::Slot(2)],
        (Places::SlotAccumulator, _) => &[Part::To, Part::Slot(1), Part::Accumulator],
        (Places::AccumulatorSlot, _) => &[Part::To, Part::Accumulator, Part::Slot(1)],
        (Places::SlotImmediate, false) => &[Part::To, Part::Slot(1), Part::Half(1)],
        (Places::SlotImmediate, true) => &[Part::To, Part::Slot(1), Part::Word(2)],
        (Places::AccumulatorImmediate, false) => &[Part::To, Part::Accumulator, Part::Half(1)],
        (Places::AccumulatorImmediate, true) => &[Part::To, Part::Accumulator, Part::Word(2)],
        (Places::ImmediateSlot, false) => &[Part::To, Part::Half(1), Part::Slot(1)],
        (Places::ImmediateSlot, true) => &[Part::To, Part::Word(2), Part::Slot(1)],
    }
}

fn branch_parts(places: Places) -> &'static [Part] {
    match places {
        Places::SlotSlot => &[Part::Slot(0), Part::Slot(1), Part::Target],
        Places::SlotAccumulator => &[Part::Slot(0), Part::Accumulator, Part::Target],
        Places::AccumulatorSlot => &[Part::Accumulator, Part::Slot(0), Part::Target],
        Places::SlotImmediate => &[Part::Slot(0), Part::Word(2), Part::Target],
        Places::AccumulatorImmediate => &[Part::Accumulator, Part::Word(2), Part::Target],
        Places::ImmediateSlot => &[Part::Word(2), Part::Slot(0), Part::Target],
    }
}
