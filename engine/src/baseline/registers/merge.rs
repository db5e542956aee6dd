//! What is true of the locals in registers where control arrives from several places.
//!
//! Whoever comes to a label first says what is true there; whoever comes later loads and stores what is
//! missing. A loop is entered before anyone branches back to it, so what is true at its head is
//! decided by a glance at its body.

use super::home_bit;
use crate::baseline::compiler::Compiler;
use crate::baseline::scan::LoopFacts;
use crate::baseline::target::Target;

/// What is true of the locals in registers at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::baseline) struct Arrival {
    /// Bits of the registers that hold their local.
    valid: u32,
    /// Those of them whose slot may be out of date.
    dirty: u32,
}

impl Arrival {
    /// What both have in registers, as if nobody had written it yet.
    pub fn common(self, other: Arrival) -> Arrival {
        Arrival { valid: self.valid & other.valid, dirty: 0 }
    }
}

impl<T: Target> Compiler<'_, T> {
    /// What is true here.
    pub(in crate::baseline) fn locals_here(&self) -> Arrival {
        Arrival { valid: self.regs.valid, dirty: self.regs.dirty & self.regs.valid }
    }

    /// Believes that control arrives here as it was there.
    pub(in crate::baseline) fn locals_as(&mut self, arrival: Arrival) {
        self.regs.valid = arrival.valid;
        self.regs.dirty = arrival.dirty;
    }

    /// Whether control can go from here to there without a load or a store.
    pub(in crate::baseline) fn locals_fit(&self, there: Arrival) -> bool {
        let here = self.locals_here();
        there.valid & !here.valid == 0 && here.dirty & !there.valid == 0
    }

    /// Makes true what is true where control goes; gives what is true there from now on, which is a little
    /// less. Touches no flags.
    pub(in crate::baseline) fn locals_meet(&mut self, there: Option<Arrival>) -> Arrival {
        let Some(there) = there else { return self.locals_here() };
        if !self.locals_fit(there) {
            for position in 0..self.regs.residents.len() {
                let local = self.regs.residents[position];
                if there.valid & home_bit(self.regs.homes[local as usize]) != 0 {
                    self.make_valid(local);
                } else {
                    self.store_local(local);
                }
            }
        }
        Arrival { valid: there.valid, dirty: there.dirty | self.regs.dirty & there.valid }
    }

    /// Decides what is true at the head of a loop, and makes it true.
    ///
    /// What a call in the loop would throw away is left to whoever reads it, unless the loop begins by
    /// reading it. What the loop writes may be out of date in its slot, whoever arrives.
    pub(in crate::baseline) fn locals_for_loop(&mut self, facts: LoopFacts) -> Arrival {
        let mut written = 0;
        for position in 0..self.regs.residents.len() {
            let local = self.regs.residents[position];
            let bit = home_bit(self.regs.homes[local as usize]);
            let wanted = if facts.calls { facts.reads_first(local) } else { facts.accesses(local) };
            if wanted {
                self.make_valid(local);
            } else if facts.calls {
                self.store_local(local);
                self.regs.valid &= !bit;
            }
            if facts.writes(local) {
                written |= bit;
            }
        }
        self.regs.dirty |= written & self.regs.valid;
        self.locals_here()
    }
}
