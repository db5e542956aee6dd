//! Code that runs rarely, put after the function: traps, canonical NaN bits, calls that leave the instance, jump
//! tables; and the islands of the lane of short branches.

use super::compiler::Compiler;
use super::target::{Assembler, Target};
use crate::faults::fault;
use crate::module::DefinedFuncIndex;
use crate::native::code::{Fault, Site, What};
use crate::native::link::CallSite;
use crate::native::width::Float;
use crate::trap::TrapKind;
use std::ops::Range;

/// A piece of such code.
pub(super) enum Stub<T: Target> {
    /// Raises a trap.
    Trap { label: T::Label, kind: TrapKind, wasm: u32 },
    /// Gives back what was charged, and raises the trap for want of fuel.
    Fuel { label: T::Label, cost: u32, wasm: u32 },
    /// Replaces a NaN by the canonical one.
    Nan { label: T::Label, back: T::Label, float: Float, reg: T::Float },
    /// Calls what runs in another instance.
    Other { label: T::Label, back: T::Label, wasm: u32 },
    /// Gives up the frame, and calls what runs in another instance.
    TailOther { label: T::Label },
    /// Asks whether a function's type is a subtype.
    Subtype { label: T::Label, back: T::Label, ty: u32, wasm: u32 },
    /// The distances of a jump table.
    Table { label: T::Label, targets: Vec<T::Label> },
}

impl<T: Target> Compiler<'_, T> {
    /// Where the current instruction jumps if it traps.
    pub(super) fn trap(&mut self, kind: TrapKind) -> T::Label {
        #[cfg(feature = "planted-faults")]
        let kind = if self.traps_otherwise { crate::faults::drawn::other_trap(kind) } else { kind };
        let wasm = self.offset;
        for stub in self.stubs.iter().rev().take(2) {
            if let Stub::Trap { label, kind: other, wasm: at } = stub
                && *other == kind
                && (*at == wasm || fault!("baseline-traps-of-a-kind-share-their-row"))
            {
                return *label;
            }
        }
        let label = self.asm.label();
        self.stubs.push(Stub::Trap { label, kind, wasm });
        label
    }

    /// Notes that the instruction just written was a call by the current opcode.
    pub(super) fn site(&mut self) {
        self.site_of(self.offset, What::Call);
    }

    fn site_of(&mut self, wasm: u32, what: What) {
        self.map.sites.push(Site { code: self.asm.here(), wasm, what });
    }

    /// Notes that the next instruction may fault.
    pub(super) fn fault(&mut self) {
        self.map.faults.push(Fault { code: self.asm.here(), wasm: self.offset });
    }

    /// Writes all stubs but jump tables.
    pub(super) fn emit_code_stubs(&mut self) {
        let stubs = std::mem::take(&mut self.stubs);
        for stub in &stubs {
            match *stub {
                Stub::Trap { label, kind, wasm } => {
                    self.asm.bind(label);
                    self.call_trap(kind, wasm);
                }
                Stub::Fuel { label, cost, wasm } => {
                    self.asm.bind(label);
                    self.asm.refund(cost);
                    self.call_trap(TrapKind::OutOfFuel, wasm);
                }
                Stub::Nan { label, back, float, reg } => {
                    self.asm.bind(label);
                    self.asm.set_nan(float, reg);
                    self.asm.jump(back);
                }
                Stub::Other { label, back, wasm } => {
                    self.asm.bind(label);
                    self.asm.call_other();
                    self.site_of(wasm, What::Call);
                    self.asm.jump(back);
                }
                Stub::TailOther { label } => {
                    self.asm.bind(label);
                    self.asm.tail_other();
                }
                Stub::Subtype { label, back, ty, wasm } => {
                    self.asm.bind(label);
                    self.asm.check_subtype(ty);
                    self.site_of(wasm, What::Call);
                    self.asm.jump(back);
                }
                Stub::Table { .. } => {}
            }
        }
        self.stubs = stubs;
    }

    fn call_trap(&mut self, kind: TrapKind, wasm: u32) {
        self.asm.call_trap();
        self.site_of(wasm, What::Trap(kind));
    }

    /// Writes the jump tables, which come last: they are not code.
    pub(super) fn emit_tables(&mut self) -> Vec<Range<u32>> {
        let mut tables = Vec::new();
        let stubs = std::mem::take(&mut self.stubs);
        for stub in &stubs {
            if let Stub::Table { label, targets } = stub {
                self.asm.bind(*label);
                let origin = self.asm.here();
                for target in targets {
                    self.asm.table_entry(origin, *target);
                    self.plan.targets.push(self.asm.position(*target));
                }
                tables.push(origin..self.asm.here());
            }
        }
        self.stubs = stubs;
        tables
    }

    /// In the lane of short branches: writes islands while the pending calls still reach them. To be called
    /// between instructions of the module, and between the values of one that moves many; touches neither
    /// registers nor flags.
    pub(super) fn islands_in_time(&mut self) {
        /// Room for the most code between two chances.
        const MARGIN: u32 = 1536;
        if !self.settings.short_branches {
            return;
        }
        let Some(first) = self.plan.calls.get(self.pending_calls) else { return };
        let count = (self.plan.calls.len() - self.pending_calls) as u32;
        let islands = count * T::ISLAND_BYTES;
        if self.asm.here() + islands + MARGIN < first.at + T::ISLAND_REACH {
            return;
        }
        self.islands();
    }

    /// Writes islands in the middle of code.
    fn islands(&mut self) {
        let over = self.asm.label();
        self.asm.jump(over);
        self.flush_islands();
        self.asm.bind(over);
    }

    /// Writes an island for every pending call.
    pub(super) fn flush_islands(&mut self) {
        if !self.settings.short_branches {
            return;
        }
        for call in self.pending_calls..self.plan.calls.len() {
            let island = self.asm.here();
            self.asm.island();
            self.plan.calls[call].island = Some(island);
        }
        self.pending_calls = self.plan.calls.len();
    }

    /// Notes a direct call or jump whose distance is at `at`.
    pub(super) fn linked(&mut self, at: u32, target: DefinedFuncIndex) {
        self.plan.calls.push(CallSite { at, target, island: None });
    }
}
