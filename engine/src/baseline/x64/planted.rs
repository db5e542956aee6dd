//! Wrong code on purpose: the one place of this room where drawn faults are made (see `crate::faults::drawn`).
//!
//! The opcode is compiled as always, or another one is, and its result is changed afterwards. Whether operands are
//! in a fault's corner is computed in front, without branches, and kept in the context: no register and no slot of the
//! frame is free for longer than an instruction.

use super::X64;
use super::target::mem;
use super::{Compiler, Place};
use crate::baseline::memory::Access;
use crate::baseline::target::Assembler;
use crate::faults::drawn::{Drawn, Mutation};
use crate::native::x64::asm::*;
use crate::native::x64::thunks::field;
use crate::native::x64::{FLOAT_SCRATCH, SCRATCH};
use crate::opcode::Opcode;
use crate::opcode::reader::Reader;

const W64: Width = Width::W64;

/// A `nop`: lowerings that look at the next opcode find none to prepare for, so a result can be changed.
const NOTHING_NEXT: &[u8] = &[0x01];

impl Compiler<'_, X64> {
    /// Compiles the opcode of a drawn fault, wrongly.
    pub(super) fn wrong_operator(&mut self, drawn: &Drawn, reader: &mut Reader) {
        let shape = Drawn::shape(drawn.opcode);
        match drawn.mutation {
            Mutation::Instead(other) => self.sound_operator(other, reader),
            Mutation::Swapped => {
                self.swap();
                self.sound_operator(drawn.opcode, reader);
            }
            Mutation::OtherTrap => {
                self.traps_otherwise = true;
                self.sound_operator(drawn.opcode, reader);
                self.traps_otherwise = false;
            }
            Mutation::Flipped(bit) => self.around(drawn, reader, |compiler, width, reg| {
                compiler.asm.mov_ri(SCRATCH, 1 << bit);
                compiler.asm.alu_rr(width, Alu::Xor, reg, SCRATCH);
            }),
            Mutation::UpperLost => self.around(drawn, reader, |compiler, width, reg| {
                compiler.asm.mov_ri(SCRATCH, u64::MAX >> (64 - shape.result_width / 2));
                compiler.asm.alu_rr(width, Alu::And, reg, SCRATCH);
            }),
            Mutation::Corner(_, bit) => self.around(drawn, reader, |compiler, width, reg| {
                compiler.asm.mov_rm(W64, SCRATCH, field!(in_corner));
                compiler.asm.shift_ri(W64, Shift::Shl, SCRATCH, bit);
                compiler.asm.alu_rr(width, Alu::Xor, reg, SCRATCH);
            }),
        }
    }

    /// Compiles the opcode, and changes what it computes: of a store the value, before it is stored. What a load has
    /// read and what a store will write is what their corners are about.
    fn around(&mut self, drawn: &Drawn, reader: &mut Reader, change: impl Fn(&mut Self, Width, Gpr)) {
        match drawn.opcode {
            Opcode::Store(store) => {
                self.ask_for_corner(drawn);
                self.change_top(change);
                self.store(Access::of_store(store), reader.mem_arg());
            }
            Opcode::Load(load) => {
                let to = reader.mem_arg();
                self.load(Access::of_load(load), to, &Reader::new(NOTHING_NEXT, self.offset));
                self.ask_for_corner(drawn);
                self.change_top(change);
            }
            opcode => {
                self.ask_for_corner(drawn);
                self.sound_operator(opcode, &mut Reader::new(NOTHING_NEXT, self.offset));
                self.change_top(change);
            }
        }
    }

    /// Changes the operand on top in an integer register.
    fn change_top(&mut self, change: impl Fn(&mut Self, Width, Gpr)) {
        let operand = self.pop_seen();
        let width = operand.ty.width();
        if operand.ty.float().is_none() {
            let reg = self.own_int(operand);
            change(self, width, reg);
            return self.push(operand.ty, Place::Int(reg));
        }
        let float = self.own_float(operand);
        let reg = self.alloc_int();
        self.asm.mov_rx(width, reg, float);
        change(self, width, reg);
        self.asm.mov_xr(width, float, reg);
        self.free_int(reg);
        self.push(operand.ty, Place::Float(float));
    }

    /// Puts a truth value that is still in the flags into a register.
    fn keep_flags(&mut self) {
        if let Some(Place::Outcome(test)) = self.stack.last().map(|operand| operand.place) {
            let operand = self.pop();
            let reg = self.alloc_int();
            self.asm.set_from(test, reg);
            self.push(operand.ty, Place::Int(reg));
        }
    }

    /// Notes in the context whether the topmost operands are in the fault's corner. Constants stay constants, so that
    /// the opcode is compiled as it would be.
    fn ask_for_corner(&mut self, drawn: &Drawn) {
        if !drawn.is_rare() {
            return self.keep_flags();
        }
        self.keep_flags();
        let conditions = drawn.conditions();
        let top = self.stack.len() - 1;
        let differs = self.alloc_int();
        let other = self.alloc_int();
        self.asm.mov_ri(differs, 0);
        for (position, condition) in [(Some(top), conditions.right), (top.checked_sub(1), conditions.left)] {
            if let (Some(position), Some((mask, value))) = (position, condition) {
                self.fetch(position, SCRATCH);
                self.asm.mov_ri(other, mask);
                self.asm.alu_rr(W64, Alu::And, SCRATCH, other);
                self.asm.mov_ri(other, value);
                self.asm.alu_rr(W64, Alu::Xor, SCRATCH, other);
                self.asm.alu_rr(W64, Alu::Or, differs, SCRATCH);
            }
        }
        if conditions.equal {
            self.fetch(top, other);
            self.fetch(top - 1, SCRATCH);
            self.asm.alu_rr(W64, Alu::Xor, SCRATCH, other);
            self.asm.alu_rr(W64, Alu::Or, differs, SCRATCH);
        }
        self.asm.test_rr(W64, differs, differs);
        self.asm.setcc(Cond::Equal, differs);
        self.asm.movzx_rr8(differs, differs);
        self.asm.mov_mr(W64, field!(in_corner), differs);
        self.free_int(other);
        self.free_int(differs);
    }

    /// Copies an operand's bits, zero-extended, to a register; puts it into its slot for that, unless it is a
    /// constant.
    fn fetch(&mut self, position: usize, to: Gpr) {
        let operand = self.stack[position];
        if let Place::Const(value) = operand.place {
            return self.asm.mov_ri(to, value);
        }
        self.spill(position);
        let slot = mem(self.operand_slot(operand.slot));
        self.asm.mov_rm(operand.ty.width(), to, slot);
    }

    /// Swaps the two topmost operands, in their slots.
    fn swap(&mut self) {
        self.keep_flags();
        let top = self.stack.len() - 1;
        self.spill(top);
        self.spill(top - 1);
        let (right, left) =
            (mem(self.operand_slot(self.stack[top].slot)), mem(self.operand_slot(self.stack[top - 1].slot)));
        self.asm.mov_rm(W64, SCRATCH, left);
        self.asm.movs_rm(Float::Double, FLOAT_SCRATCH, right);
        self.asm.mov_mr(W64, right, SCRATCH);
        self.asm.movs_mr(Float::Double, left, FLOAT_SCRATCH);
    }
}
