//! What is true of the locals in registers where control arrives from several places.
//!
//! The first branch to a label fixes which registers hold their locals there; later branches load and store until
//! the same is true. A loop is entered before any branch back to it is compiled, so what is true at its head
//! is decided by a look at its body.

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
    /// The locals that both have in registers, taken to be stored in their slots as well.
    pub fn common(self, other: Arrival) -> Arrival {
        Arrival { valid: self.valid & other.valid, dirty: 0 }
    }
}

impl<T: Target> Compiler<'_, T> {
    /// What is true here.
    pub(in crate::baseline) fn locals_here(&self) -> Arrival {
        Arrival { valid: self.regs.valid, dirty: self.regs.dirty & self.regs.valid }
    }

    /// Continues with what is true of the locals at another place, from which control arrives here.
    pub(in crate::baseline) fn locals_as(&mut self, arrival: Arrival) {
        self.regs.valid = arrival.valid;
        self.regs.dirty = arrival.dirty;
    }

    /// Whether control can go from here to there without a load or a store.
    pub(in crate::baseline) fn locals_fit(&self, there: Arrival) -> bool {
        let here = self.locals_here();
        there.valid & !here.valid == 0 && here.dirty & !there.valid == 0
    }

    /// Loads and stores locals until what is true at the place where control goes is true here; gives what is true
    /// there from now on: slots may be out of date that were not before. Changes no outcome of a comparison.
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
    /// A local whose register a call in the loop would clear is loaded where it is read, unless the loop begins by
    /// reading it. The slot of a local that the loop writes may be out of date, whichever way control arrives.
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
