//! The operand stack as lowering sees it.
//!
//! Entries that mean a local are chained by local, newest first, so that a write to the local finds
//! them without looking at the rest of the stack. A block's beginning settles every entry below it;
//! each entry is settled once, so that this costs no more than pushing it did. For the same reason long
//! runs of entries that a branch wanted in their own slots are remembered: the next branch with the
//! same values looks at none of them.

use super::{Lowering, SCRATCH_SLOTS};
use crate::fast_interp::code::HEADER_SLOTS;
use crate::slots::{Local, LocalIndex, Row, SlotIndex, Width};
use std::ops::Range;

/// As many entries as are looked at one by one. Runs of more are remembered.
pub(super) const FEW: u32 = 4;

/// Ends a chain of entries.
pub(super) const NO_ENTRY: u32 = u32::MAX;

/// A value on the operand stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// It is in the entry's own slot.
    Own,
    /// It is what the local holds now; `earlier` is the next lower entry that means the same local.
    Local { local: u32, earlier: u32 },
    /// It is this, as a slot.
    Constant(u64),
}

/// A value that was taken from the operand stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operand {
    /// It is in a slot, or begins there if it has two. If it `dies`, nothing reads the slot again before it
    /// is written.
    Slot { slot: u32, width: Width, dies: bool },
    /// It is this, as a slot.
    Constant(u64),
}

impl Operand {
    pub fn width(self) -> Width {
        match self {
            Operand::Slot { width, .. } => width,
            Operand::Constant(_) => Width::One,
        }
    }
}

/// Slots that operands take together.
pub(super) fn slots_of(operands: &[Operand]) -> u32 {
    operands.iter().map(|operand| operand.width().slots()).sum()
}

impl Lowering<'_> {
    /// Slot of a local, the lower one if it has two, and its width.
    pub fn local_slot(&self, local: u32) -> (u32, Width) {
        let layout = self.frame.layout.expect("a function is being lowered");
        let Local { slot: SlotIndex(slot), width } = layout.local(LocalIndex(local));
        (if slot < self.frame.param_slots { slot } else { slot + HEADER_SLOTS }, width)
    }

    /// A local as an operand.
    fn local_operand(&self, local: u32) -> Operand {
        let (slot, width) = self.local_slot(local);
        Operand::Slot { slot, width, dies: false }
    }

    /// Own slot of the entry at a position: the lower one if it has two.
    pub fn own_slot(&self, position: usize) -> u32 {
        self.frame.first_operand + self.heights.slots_below(position as u32)
    }

    /// The entry at a position as an operand in its own slot.
    fn own_operand(&self, position: usize, dies: bool) -> Operand {
        Operand::Slot { slot: self.own_slot(position), width: self.heights.width(position as u32), dies }
    }

    /// Own slot of the entry that would be pushed next.
    pub fn next_slot(&self) -> u32 {
        self.own_slot(self.stack.len())
    }

    /// One of the slots that are kept free where slots are many.
    pub fn scratch_slot(&self, index: u32) -> u32 {
        debug_assert!(index < SCRATCH_SLOTS, "there are so many scratch slots");
        self.frame.first_operand - SCRATCH_SLOTS + index
    }

    pub fn push(&mut self, entry: Entry, width: Width) {
        self.stack.push(entry);
        self.heights.push(width);
    }

    pub fn push_own(&mut self, row: Row<'_>) {
        self.stack.resize(self.stack.len() + row.values() as usize, Entry::Own);
        self.heights.push_row(row);
    }

    pub fn push_local(&mut self, local: u32) {
        let position = self.stack.len() as u32;
        let earlier = std::mem::replace(&mut self.latest[local as usize], position);
        self.push(Entry::Local { local, earlier }, self.local_slot(local).1);
        self.lazy += 1;
    }

    /// The operand that an entry is, without taking it.
    pub fn peek(&self, position: usize) -> Operand {
        match self.stack[position] {
            Entry::Own => self.own_operand(position, false),
            Entry::Local { local, .. } => self.local_operand(local),
            Entry::Constant(slot) => Operand::Constant(slot),
        }
    }

    pub fn pop(&mut self) -> Operand {
        let position = self.stack.len() - 1;
        let operand = self.release(position);
        self.stack.truncate(position);
        self.heights.go_back_to(position as u32);
        self.settled = self.settled.min(position);
        if let Some(run) = self.owned.last_mut()
            && run.end > position
        {
            run.end = position;
            if run.start == position {
                self.owned.pop();
            }
        }
        operand
    }

    /// The operand that an entry is. If it means a local, it is that local's highest entry, and no
    /// longer counted as one.
    fn release(&mut self, position: usize) -> Operand {
        match self.stack[position] {
            Entry::Own => self.own_operand(position, true),
            Entry::Local { local, earlier } => {
                debug_assert_eq!(self.latest[local as usize] as usize, position, "chains start at the top");
                self.latest[local as usize] = earlier;
                self.lazy -= 1;
                self.local_operand(local)
            }
            Entry::Constant(slot) => Operand::Constant(slot),
        }
    }

    /// Takes the highest operands into `taken`, lowest first.
    pub fn take(&mut self, count: u32) {
        let mut taken = std::mem::take(&mut self.taken);
        taken.clear();
        taken.extend((0..count).map(|_| self.pop()));
        taken.reverse();
        self.taken = taken;
    }

    /// Looks at the highest operands as [`Lowering::take`] does, and leaves them.
    pub fn look_at(&mut self, count: u32) {
        let mut taken = std::mem::take(&mut self.taken);
        taken.clear();
        taken.extend((self.stack.len() - count as usize..self.stack.len()).map(|at| self.peek(at)));
        self.taken = taken;
    }

    pub fn drop_to(&mut self, height: u32) {
        while self.stack.len() > height as usize {
            self.pop();
        }
    }

    /// Whether entries right below the highest are in their own slots.
    pub fn are_own_below_top(&self, count: u32) -> bool {
        let mut end = self.stack.len() - 1;
        let start = end - count as usize;
        for run in self.owned.iter().rev().take_while(|run| run.end > start) {
            if !self.are_own(run.end.min(end)..end) {
                return false;
            }
            end = run.start.clamp(start, end);
        }
        self.are_own(start..end)
    }

    fn are_own(&self, positions: Range<usize>) -> bool {
        self.stack[positions].iter().all(|entry| matches!(entry, Entry::Own))
    }

    /// Puts the highest entries into their own slots.
    pub fn own(&mut self, count: u32) {
        let top = self.stack.len();
        let bottom = top - count as usize;
        if count <= FEW {
            return self.own_all(bottom..top);
        }
        let (mut start, mut end) = (bottom, top);
        while let Some(run) = self.owned.pop_if(|run| run.end >= bottom) {
            self.own_all(run.end..end);
            (start, end) = (run.start.min(bottom), run.start.max(bottom));
        }
        self.own_all(bottom..end);
        self.owned.push(start..top);
    }

    /// Puts entries into their own slots; all above them that mean locals are there already.
    fn own_all(&mut self, positions: Range<usize>) {
        if self.are_own(positions.clone()) {
            return;
        }
        let mut taken = std::mem::take(&mut self.taken);
        taken.clear();
        taken.extend(positions.clone().rev().map(|position| self.release(position)));
        taken.reverse();
        self.taken = taken;
        self.place(self.own_slot(positions.start));
        self.stack[positions].fill(Entry::Own);
    }

    /// Puts all entries that mean locals into their own slots.
    pub fn settle(&mut self) {
        if self.lazy > 0 {
            for position in self.settled..self.stack.len() {
                if let Entry::Local { local, .. } = self.stack[position] {
                    self.latest[local as usize] = NO_ENTRY;
                    self.move_to(self.own_slot(position), self.local_operand(local));
                    self.stack[position] = Entry::Own;
                }
            }
            self.lazy = 0;
        }
        self.settled = self.stack.len();
    }

    /// Puts entries that mean a local into their own slots, because the local is about to change.
    pub fn preserve(&mut self, local: u32) {
        let mut position = std::mem::replace(&mut self.latest[local as usize], NO_ENTRY);
        while position != NO_ENTRY {
            let Entry::Local { earlier, .. } = self.stack[position as usize] else {
                unreachable!("a chain has entries of its local only")
            };
            self.move_to(self.own_slot(position as usize), self.local_operand(local));
            self.stack[position as usize] = Entry::Own;
            self.lazy -= 1;
            position = earlier;
        }
    }
}
