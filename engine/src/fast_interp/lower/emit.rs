//! Putting instructions down, and knowing what they leave in the accumulators.
//!
//! Every instruction with a result writes it to a slot and leaves it in an accumulator too. Lowering
//! follows which slot each accumulator mirrors, until control may come from elsewhere; an operand that
//! is mirrored is taken from there. If it was an operand-stack entry, its slot is not read any more, and
//! its producer is changed to the handler that does not write it.
//!
//! The last instruction's result can still be sent elsewhere (`local.set` right after an operator), and
//! a comparison that was emitted last can still become part of the branch that asks for it.

use super::stack::slots_of;
use super::{Lowering, NEAR_SLOTS, Operand};
use crate::fast_interp::code::Operands;
use crate::fast_interp::dispatch::{Class, handler};
use crate::fast_interp::handlers::control as op;
use crate::fast_interp::handlers::numeric::{Branches, Results, UnaryForms};
use crate::fast_interp::listing::{Listed, Name, Part};
use crate::opcode::Opcode;
use crate::slots::{Row, Width};

/// No slot, no position.
const NOWHERE: u32 = u32::MAX;

/// What an accumulator holds besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mirror {
    slot: u32,
    /// Position of the instruction that wrote the slot, and its handler that does not; 0 if it must be
    /// written.
    at: u32,
    quiet: u64,
}

/// What each accumulator holds besides, by its class.
pub(super) type Mirrors = [Mirror; Class::COUNT];

/// No accumulator holds the value of a slot.
pub(super) const NO_MIRRORS: Mirrors = [Mirror::NONE; Class::COUNT];

impl Mirror {
    pub const NONE: Mirror = Mirror { slot: NOWHERE, at: NOWHERE, quiet: 0 };
}

/// The instruction that ends where code ends now, and the slot it writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastResult {
    slot: u32,
    at: u32,
    end: u32,
}

impl LastResult {
    pub const NONE: LastResult = LastResult { slot: NOWHERE, at: NOWHERE, end: NOWHERE };
}

/// A computation that a branch can take over, as long as code ends with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    pub start: u32,
    pub end: u32,
    /// Slot of the result.
    pub slot: u32,
    pub branch: Branch,
    /// What the accumulators held before.
    pub before: Mirrors,
}

/// A branch without its target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub opcode: Opcode,
    pub handlers: Branches,
    /// Whether the condition holds if the computed value is zero.
    pub negated: bool,
    pub fields: [u32; 2],
    pub immediate: Option<u64>,
    pub parts: &'static [Part],
}

/// What decides a branch.
pub(super) enum Condition {
    Computed(Branch),
    /// An operand that is not zero if these handlers branch on zero.
    Operand(Operand, &'static UnaryForms, Opcode),
}

impl Lowering<'_> {
    /// Puts an instruction down and gives its position.
    #[inline]
    pub fn emit(
        &mut self,
        name: impl Into<Name>,
        parts: &'static [Part],
        handler: u64,
        operands: Operands,
        more: &[u64],
    ) -> u32 {
        let at = self.words.len() as u32;
        if let Some(listing) = &mut self.listing {
            listing.push(Listed { at, offset: self.offset, name: name.into(), parts });
        }
        self.words.extend_from_slice(&[handler, operands.word()]);
        self.words.extend_from_slice(more);
        at
    }

    /// Notes that the next instruction may trap or call.
    #[inline]
    pub fn site(&mut self) {
        self.sites.push((self.words.len() as u32, self.offset));
    }

    /// Puts an instruction down whose result is pushed. Field 0 of `operands` is filled in here.
    #[inline]
    pub fn emit_result(
        &mut self,
        name: impl Into<Name>,
        parts: &'static [Part],
        results: Results,
        class: Class,
        operands: Operands,
        more: &[u64],
    ) {
        let slot = self.next_slot();
        if slot < NEAR_SLOTS {
            let at = self.emit(name, parts, results.stored, operands.to(slot), more);
            self.wrote(slot, class, at, results.quiet);
            self.last = LastResult { slot, at, end: self.words.len() as u32 };
        } else {
            let near = self.scratch_slot(3);
            self.emit(name, parts, results.stored, operands.to(near), more);
            self.mirrors[class as usize] = Mirror::NONE;
            self.copy(slot, near);
        }
        self.push_own(Row::single(Width::One));
    }

    #[inline]
    fn wrote(&mut self, slot: u32, class: Class, at: u32, quiet: u64) {
        self.forget(slot);
        self.mirrors[class as usize] = Mirror { slot, at, quiet };
    }

    /// A slot was written, and no accumulator mirrors it.
    #[inline]
    pub fn forget(&mut self, slot: u32) {
        for mirror in &mut self.mirrors {
            if mirror.slot == slot {
                *mirror = Mirror::NONE;
            }
        }
    }

    /// All slots from one on were written.
    pub fn forget_from(&mut self, slot: u32) {
        for mirror in &mut self.mirrors {
            if mirror.slot >= slot {
                *mirror = Mirror::NONE;
            }
        }
    }

    /// A row of slots was written.
    fn forget_row(&mut self, row: u32, count: u32) {
        for mirror in &mut self.mirrors {
            if (row..row + count).contains(&mirror.slot) {
                *mirror = Mirror::NONE;
            }
        }
    }

    /// Control may arrive here from elsewhere.
    pub fn join(&mut self) {
        self.mirrors = NO_MIRRORS;
        self.last = LastResult::NONE;
        self.comparison = None;
    }

    /// The integer accumulator mirrors a slot, whichever instruction wrote it.
    pub fn mirrors_int(&mut self, slot: u32) {
        self.wrote(slot, Class::Int, NOWHERE, 0);
    }

    /// Every entry must be in its slot from here on: it may be read there.
    pub fn keep_stored(&mut self) {
        for mirror in &mut self.mirrors {
            mirror.quiet = 0;
        }
    }

    /// Whether an operand can be taken from the accumulator of a class, which is then settled.
    #[inline]
    pub fn accumulates(&mut self, operand: Operand, class: Class) -> bool {
        let Operand::Slot { slot, dies, .. } = operand else { return false };
        let mirror = &mut self.mirrors[class as usize];
        if mirror.slot != slot {
            return false;
        }
        if dies && mirror.quiet != 0 {
            self.words[mirror.at as usize] = mirror.quiet;
            mirror.quiet = 0;
        }
        true
    }

    /// The operand, of one slot, in a slot that a field can name: its own, or a scratch slot.
    #[inline]
    pub fn near(&mut self, operand: Operand, scratch: u32) -> Operand {
        debug_assert_eq!(operand.width(), Width::One, "only copies and returns are emitted for vectors");
        match operand {
            Operand::Slot { slot, .. } if slot >= NEAR_SLOTS => {
                let near = self.scratch_slot(scratch);
                self.copy(near, slot);
                Operand::Slot { slot: near, width: Width::One, dies: false }
            }
            Operand::Slot { .. } | Operand::Constant(_) => operand,
        }
    }

    /// The near slot that an operand is in, or now is.
    pub fn near_slot(&mut self, operand: Operand, scratch: u32) -> u32 {
        match self.near(operand, scratch) {
            Operand::Slot { slot, .. } => slot,
            Operand::Constant(value) => {
                let free = self.next_slot() + scratch;
                let slot = if free < NEAR_SLOTS { free } else { self.scratch_slot(scratch) };
                self.constant(slot, value);
                slot
            }
        }
    }

    /// The same as an operand, so that it may be taken from the accumulator.
    pub fn in_near_slot(&mut self, operand: Operand, scratch: u32) -> Operand {
        match self.near(operand, scratch) {
            near @ Operand::Slot { .. } => near,
            constant @ Operand::Constant(_) => {
                Operand::Slot { slot: self.near_slot(constant, scratch), width: Width::One, dies: true }
            }
        }
    }

    /// Writes a constant to a slot.
    pub fn constant(&mut self, to: u32, value: u64) {
        if to >= NEAR_SLOTS {
            let near = self.scratch_slot(3);
            self.constant(near, value);
            self.copy(to, near);
            return;
        }
        let at = match u32::try_from(value) {
            Ok(value) => {
                let operands = Operands::with_number(to, 0, value);
                let parts = &[Part::To, Part::Half(1)];
                self.emit(Name::Other("const"), parts, handler::<op::Constant>(), operands, &[])
            }
            Err(_) => {
                let operands = Operands::with_number(to, 0, 0);
                let parts = &[Part::To, Part::Word(2)];
                self.emit(Name::Other("const"), parts, handler::<op::ConstantWide>(), operands, &[value])
            }
        };
        self.wrote(to, Class::Int, at, 0);
    }

    /// Copies a slot to another.
    pub fn copy(&mut self, to: u32, from: u32) {
        self.move_to(to, Operand::Slot { slot: from, width: Width::One, dies: false });
    }

    /// Puts an operand into a slot, or into two from that one on; by way of its producer if that came last.
    pub fn move_to(&mut self, to: u32, operand: Operand) {
        let (from, dies) = match operand {
            Operand::Constant(value) => return self.constant(to, value),
            Operand::Slot { slot, .. } if slot == to => return,
            Operand::Slot { slot, width: Width::Two, .. } => {
                return self.copy_row(to, slot, Width::Two.slots());
            }
            Operand::Slot { slot, width: Width::One, dies } => (slot, dies),
        };
        let end = self.words.len() as u32;
        if to >= NEAR_SLOTS || from >= NEAR_SLOTS {
            let parts = &[Part::HalfSlot(0), Part::HalfSlot(1)];
            let operands = Operands::halves(to, from);
            self.emit(Name::Other("copy"), parts, handler::<op::CopyWide>(), operands, &[]);
            self.mirrors_int(to);
        } else if dies && self.last.slot == from && self.last.end == end {
            self.redirect_last(to);
        } else if self.accumulates(operand, Class::Int) {
            let parts = &[Part::To, Part::Accumulator];
            let operands = Operands::fields([to, 0, 0, 0]);
            self.emit(Name::Other("copy"), parts, handler::<op::CopyAccumulator>(), operands, &[]);
            if dies {
                self.mirrors_int(to);
            } else {
                self.forget(to);
            }
        } else {
            let parts = &[Part::To, Part::Slot(1)];
            let operands = Operands::fields([to, from, 0, 0]);
            self.emit(Name::Other("copy"), parts, handler::<op::Copy1>(), operands, &[]);
            self.mirrors_int(to);
        }
    }

    /// The last instruction writes its result to another slot.
    fn redirect_last(&mut self, to: u32) {
        let LastResult { slot, at, .. } = std::mem::replace(&mut self.last, LastResult::NONE);
        let operands = &mut self.words[at as usize + 1];
        *operands = crate::fast_interp::code::operands(*operands).to(to).word();
        self.forget(to);
        for mirror in &mut self.mirrors {
            if mirror.slot == slot {
                (mirror.slot, mirror.quiet) = (to, 0);
            }
        }
        self.comparison = None;
    }

    /// Puts the operands that were taken into a row of slots. Own slots among them are at or above the
    /// slots they go to, so that moving the lowest first overwrites nothing that is still wanted.
    pub fn place(&mut self, to: u32) {
        let taken = std::mem::take(&mut self.taken);
        if let [operand] = *taken {
            self.move_to(to, operand);
        } else if let Some(from) = span(&taken) {
            self.copy_row(to, from, slots_of(&taken));
        } else {
            let (mut rest, mut to) = (&taken[..], to);
            while !rest.is_empty() {
                let (placed, others) = rest.split_at(self.place_some(rest, to));
                rest = others;
                to += slots_of(placed);
            }
        }
        self.taken = taken;
    }

    /// Copies a row of slots to another, which may overlap it.
    pub fn copy_row(&mut self, to: u32, from: u32, count: u32) {
        if from != to {
            let operands = Operands::halves(to, from);
            let parts = &[Part::HalfSlot(0), Part::HalfSlot(1), Part::Word(2)];
            let more = [u64::from(count)];
            self.emit(Name::Other("copy.span"), parts, handler::<op::CopySpan>(), operands, &more);
            self.forget_row(to, count);
        }
    }

    /// Puts one, two or three operands into slots, and says how many.
    fn place_some(&mut self, operands: &[Operand], to: u32) -> usize {
        let mut slots = [0; 3];
        let mut count = 0;
        for (operand, free) in operands.iter().zip(&mut slots) {
            let Operand::Slot { slot, width: Width::One, .. } = *operand else { break };
            if slot == to + count as u32 || slot >= NEAR_SLOTS {
                break;
            }
            *free = slot;
            count += 1;
        }
        let [first, second, third] = slots;
        let fields = Operands::fields;
        if to + 2 >= NEAR_SLOTS || count < 2 {
            self.move_to(to, operands[0]);
            return 1;
        }
        if count == 2 {
            let parts = &[Part::To, Part::Slot(1), Part::Slot(2)];
            let operands = fields([to, first, second, 0]);
            self.emit(Name::Other("copy.2"), parts, handler::<op::Copy2>(), operands, &[]);
        } else {
            let parts = &[Part::To, Part::Slot(1), Part::Slot(2), Part::Slot(3)];
            let operands = fields([to, first, second, third]);
            self.emit(Name::Other("copy.3"), parts, handler::<op::Copy3>(), operands, &[]);
        }
        self.forget_row(to, count as u32);
        self.mirrors_int(to + count as u32 - 1);
        count
    }

    /// Charges fuel.
    pub fn fuel(&mut self, cost: u32) {
        self.site();
        let operands = Operands::halves(0, cost);
        self.emit(Name::Other("fuel"), &[Part::Half(1)], handler::<op::Fuel>(), operands, &[]);
    }

    /// Puts a branch down that is taken if the condition holds, or if it does not. The target is left
    /// open.
    pub fn branch(&mut self, condition: Condition, if_holds: bool) -> u32 {
        let at = match condition {
            Condition::Computed(branch) => {
                let on_nonzero = if_holds != branch.negated;
                let handlers = branch.handlers;
                let handler = if on_nonzero { handlers.on_nonzero } else { handlers.on_zero };
                let [first, second] = branch.fields;
                let operands = Operands::with_number(first, second, 0);
                let name = Name::Branch(branch.opcode, on_nonzero);
                self.emit(name, branch.parts, handler, operands, branch.immediate.as_slice())
            }
            Condition::Operand(operand, forms, opcode) => {
                let operand = self.in_near_slot(operand, 0);
                let mirrored = self.accumulates(operand, forms.class);
                let slot = if mirrored { 0 } else { self.near_slot(operand, 0) };
                let handlers = forms.branches.expect("tests for zero can decide")[usize::from(mirrored)];
                let handler = if if_holds { handlers.on_zero } else { handlers.on_nonzero };
                let parts: &[Part] = match mirrored {
                    true => &[Part::Accumulator, Part::Target],
                    false => &[Part::Slot(0), Part::Target],
                };
                let operands = Operands::with_number(slot, 0, 0);
                self.emit(Name::Branch(opcode, !if_holds), parts, handler, operands, &[])
            }
        };
        self.keep_stored();
        at
    }

    /// The condition on top of the stack. A comparison that came last is removed from code and becomes
    /// the condition, if `fuse`.
    pub fn take_condition(&mut self, fuse: bool) -> Condition {
        let operand = self.pop();
        if let (Some(comparison), Operand::Slot { slot, dies: true, .. }) = (self.comparison, operand)
            && fuse
            && comparison.end == self.words.len() as u32
            && comparison.slot == slot
        {
            self.words.truncate(comparison.start as usize);
            if let Some(listing) = &mut self.listing {
                listing.retain(|listed| listed.at < comparison.start);
            }
            self.mirrors = comparison.before;
            self.last = LastResult::NONE;
            self.comparison = None;
            return Condition::Computed(comparison.branch);
        }
        let opcode = Opcode::Numeric(crate::opcode::Numeric::I32Eqz);
        Condition::Operand(operand, self.tables.i32_is_zero(), opcode)
    }
}

/// Where a run of many operands that lie in a row begins.
fn span(operands: &[Operand]) -> Option<u32> {
    let Some(Operand::Slot { slot: first, .. }) = operands.first().copied() else { return None };
    let mut next = first;
    let follows = |operand: &Operand| match *operand {
        Operand::Slot { slot, width, .. } => slot == std::mem::replace(&mut next, slot + width.slots()),
        Operand::Constant(_) => false,
    };
    (operands.len() >= 4 && operands.iter().all(follows)).then_some(first)
}
