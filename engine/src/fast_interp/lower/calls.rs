//! Calls: the arguments go into a row where the callee's frame begins, the results come back there.

use super::{Lowering, Operand};
use crate::fast_interp::code::{FuncEntry, Operands};
use crate::fast_interp::dispatch::{Class, handler};
use crate::fast_interp::handlers::{ACCUMULATOR, SLOT, call as op};
use crate::fast_interp::listing::Part;
use crate::module::FuncIndex;
use crate::opcode::Control;
use crate::slots::{Row, Signature, Width};

impl<'m> Lowering<'m> {
    fn signature_of_type(&self, index: u32) -> Signature<'m> {
        Signature::of(self.module.func_type_at(index))
    }

    fn signature_of_func(&self, func: FuncIndex) -> Signature<'m> {
        self.signature_of_type(self.module.funcs[func.0 as usize])
    }

    /// Puts the arguments into their row, and gives the slot it begins with.
    fn arguments(&mut self, params: Row<'m>) -> u32 {
        self.take(params.values());
        let row = self.next_slot();
        self.place(row);
        // Only the callee reads them, but it reads them all.
        self.keep_stored();
        row
    }

    /// The results of a call are in their row.
    fn results(&mut self, results: Row<'m>) {
        let row = self.next_slot();
        self.join();
        if results.slots() == 1 {
            // Every return of one slot leaves it in the accumulator.
            self.mirrors_int(row);
        }
        self.push_own(results);
    }

    pub fn call(&mut self, func: FuncIndex) {
        let signature = self.signature_of_func(func);
        let row = self.arguments(signature.params);
        self.site();
        match self.module.defined(func) {
            Some(defined) => {
                let entry: *const FuncEntry = &self.entries[defined.0 as usize];
                let operands = Operands::halves(row, func.0);
                let parts = &[Part::HalfSlot(0), Part::Half(1)];
                let more = [entry.expose_provenance() as u64];
                self.emit(Control::Call, parts, handler::<op::CallInternal>(), operands, &more);
            }
            None => {
                let operands = Operands::halves(row, func.0);
                let parts = &[Part::HalfSlot(0), Part::Half(1)];
                let more = [u64::from(self.offset)];
                self.emit(Control::Call, parts, handler::<op::Call<op::Direct>>(), operands, &more);
            }
        }
        self.results(signature.results);
    }

    /// The callee's index or reference, which is on top of the arguments, in its own near slot or
    /// that of a local.
    fn callee(&mut self, params: Row<'m>) -> Operand {
        match self.pop() {
            operand @ Operand::Slot { .. } => self.near(operand, 0),
            Operand::Constant(value) => {
                debug_assert!(self.stack.len() >= params.values() as usize, "arguments are below");
                let operand = Operand::Slot { slot: self.next_slot(), width: Width::One, dies: true };
                self.constant(self.next_slot(), value);
                self.near(operand, 0)
            }
        }
    }

    pub fn call_indirect(&mut self, ty: u32, table: u32) {
        let signature = self.signature_of_type(ty);
        let index = self.callee(signature.params);
        let row = self.arguments(signature.params);
        self.site();
        let more = [u64::from(self.offset) | u64::from(ty) << 32];
        let (handler, parts, slot) = self.by_place(
            index,
            handler::<op::Call<op::Indirect<SLOT>>>(),
            handler::<op::Call<op::Indirect<ACCUMULATOR>>>(),
        );
        self.emit(Control::CallIndirect, parts, handler, row_and_fields(row, slot, table), &more);
        self.results(signature.results);
    }

    /// The handler and the slot for a table index that may be in the accumulator.
    fn by_place(&mut self, index: Operand, slot: u64, accumulator: u64) -> (u64, &'static [Part], u32) {
        if self.accumulates(index, Class::Int) {
            return (accumulator, &[Part::HalfSlot(0), Part::Accumulator], 0);
        }
        (slot, &[Part::HalfSlot(0), Part::Slot(2)], slot_of(index))
    }

    pub fn call_ref(&mut self, ty: u32) {
        let signature = self.signature_of_type(ty);
        let reference = self.callee(signature.params);
        let row = self.arguments(signature.params);
        self.site();
        let operands = row_and_fields(row, slot_of(reference), 0);
        let parts = &[Part::HalfSlot(0), Part::Slot(2)];
        let more = [u64::from(self.offset)];
        self.emit(Control::CallRef, parts, handler::<op::Call<op::Reference>>(), operands, &more);
        self.results(signature.results);
    }

    /// What a tail call knows of the frame it leaves.
    fn frame_word(&self) -> u64 {
        u64::from(self.frame.param_slots) | u64::from(self.frame.cost) << 32
    }

    pub fn return_call(&mut self, func: FuncIndex) {
        let row = self.arguments(self.signature_of_func(func).params);
        self.site();
        let more = [u64::from(self.offset), self.frame_word()];
        let operands = Operands::halves(row, func.0);
        let parts = &[Part::HalfSlot(0), Part::Half(1)];
        self.emit(Control::ReturnCall, parts, handler::<op::TailCall<op::Direct>>(), operands, &more);
        self.reachable = false;
    }

    pub fn return_call_indirect(&mut self, ty: u32, table: u32) {
        let signature = self.signature_of_type(ty);
        let index = self.callee(signature.params);
        let row = self.arguments(signature.params);
        self.site();
        let more = [u64::from(self.offset) | u64::from(ty) << 32, self.frame_word()];
        let (handler, parts, slot) = self.by_place(
            index,
            handler::<op::TailCall<op::Indirect<SLOT>>>(),
            handler::<op::TailCall<op::Indirect<ACCUMULATOR>>>(),
        );
        self.emit(Control::ReturnCallIndirect, parts, handler, row_and_fields(row, slot, table), &more);
        self.reachable = false;
    }

    pub fn return_call_ref(&mut self, ty: u32) {
        let signature = self.signature_of_type(ty);
        let reference = self.callee(signature.params);
        let row = self.arguments(signature.params);
        self.site();
        let operands = row_and_fields(row, slot_of(reference), 0);
        let parts = &[Part::HalfSlot(0), Part::Slot(2)];
        let more = [u64::from(self.offset), self.frame_word()];
        self.emit(Control::ReturnCallRef, parts, handler::<op::TailCall<op::Reference>>(), operands, &more);
        self.reachable = false;
    }
}

/// A row in the first half, fields 2 and 3 in the second.
fn row_and_fields(row: u32, second: u32, third: u32) -> Operands {
    let fields = Operands::fields([second, third, 0, 0]);
    Operands::halves(row, fields.half(0))
}

fn slot_of(operand: Operand) -> u32 {
    match operand {
        Operand::Slot { slot, .. } => slot,
        Operand::Constant(_) => unreachable!("a callee that is a constant was given a slot"),
    }
}
