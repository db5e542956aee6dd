//! Locals: which live in registers, when their registers hold them, and when their slots do.

use super::{Home, LocalTarget, home_bit, index_of};
use crate::baseline::compiler::Compiler;
use crate::baseline::operand::{Operand, Place, Ty};
use crate::baseline::target::{Assembler, Target};
use crate::faults::fault;
use crate::native::width::Float;
use crate::opcode::reader::Reader;
use crate::opcode::{Opcode, Variable};

impl<T: Target> Compiler<'_, T> {
    /// Loads a local that lives in a register but is not valid there. Changes no outcome of a comparison.
    pub(super) fn make_valid(&mut self, local: u32) {
        let home = self.regs.homes[local as usize];
        let bit = home_bit(home);
        if bit == 0 || self.regs.valid & bit != 0 {
            return;
        }
        let slot = self.local_slot(local);
        let ty = self.local_types[local as usize];
        match home {
            Home::Int(reg) => self.asm.load_int(ty.width(), reg, slot),
            Home::Float(reg) => self.asm.load_float(ty.float().expect("a float's home"), reg, slot),
            Home::Slot => {}
        }
        self.regs.valid |= bit;
        self.regs.dirty &= !bit;
    }

    /// Stores all locals whose slot is out of date, and forgets the registers: before a call.
    pub(in crate::baseline) fn locals_for_call(&mut self) {
        for position in 0..self.regs.residents.len() {
            self.store_local(self.regs.residents[position]);
        }
    }

    /// Stores a local that lives in a register and whose slot is out of date. Changes no outcome of a comparison.
    pub(super) fn store_local(&mut self, local: u32) {
        let home = self.regs.homes[local as usize];
        let bit = home_bit(home);
        if self.regs.valid & self.regs.dirty & bit == 0 {
            return;
        }
        let slot = self.local_slot(local);
        let ty = self.local_types[local as usize];
        match home {
            Home::Int(reg) => self.asm.store_int(ty.width(), slot, reg),
            Home::Float(reg) => self.store_float(ty, slot, reg),
            Home::Slot => {}
        }
        self.regs.dirty &= !bit;
    }

    /// The registers of locals hold nothing any more: after a call.
    pub(in crate::baseline) fn locals_after_call(&mut self) {
        self.regs.valid = 0;
    }

    /// Gives a parameter that arrives in a register its home.
    pub(in crate::baseline) fn home_int(&mut self, local: u32, ty: Ty, from: T::Int) {
        match self.regs.homes[local as usize] {
            Home::Slot => {
                let slot = self.local_slot(local);
                self.asm.store_int(ty.width(), slot, from);
            }
            Home::Int(reg) => {
                self.asm.copy_int(ty.width(), reg, from);
                self.written(local);
            }
            Home::Float(_) => unreachable!("an integer does not live in a float's register"),
        }
    }

    pub(in crate::baseline) fn home_float(&mut self, local: u32, ty: Ty, from: T::Float) {
        match self.regs.homes[local as usize] {
            Home::Slot => {
                let slot = self.local_slot(local);
                self.store_float(ty, slot, from);
            }
            Home::Float(reg) => {
                self.asm.copy_float(reg, from);
                self.written(local);
            }
            Home::Int(_) => unreachable!("a float does not live in an integer's register"),
        }
    }

    /// Clears a local that lives in a register.
    pub(in crate::baseline) fn clear_home(&mut self, local: u32) {
        match self.regs.homes[local as usize] {
            Home::Slot => return,
            Home::Int(reg) => self.asm.clear_int(reg),
            Home::Float(reg) => self.asm.set_float(Float::Double, reg, 0),
        }
        self.written(local);
    }

    /// The register of a local has just been given a new value.
    pub(super) fn written(&mut self, local: u32) {
        let bit = home_bit(self.regs.homes[local as usize]);
        self.regs.valid |= bit;
        self.regs.dirty |= bit;
    }

    /// Gives the operands that mean a local a copy of their own: before it is written.
    pub(super) fn preserve(&mut self, local: u32) {
        let mut position = self.stack.len();
        while self.regs.references[local as usize] > 0 {
            position -= 1;
            if self.stack[position].place == Place::Local(local) {
                self.detach(position);
            }
        }
    }

    /// Moves an operand that means a local to a register, or to its slot if none is free.
    pub(super) fn detach(&mut self, position: usize) {
        let operand = self.stack[position];
        let Place::Local(local) = operand.place else { unreachable!("the caller looked") };
        let place = match operand.ty.float() {
            Some(_) if self.regs.free_floats != 0 => {
                let reg = self.alloc_float();
                self.load_float(reg, operand);
                self.regs.float_owners[index_of(reg)] = position as u32;
                Place::Float(reg)
            }
            None if self.regs.free_ints != 0 => {
                let reg = self.alloc_int();
                self.load_int(reg, operand);
                self.regs.int_owners[index_of(reg)] = position as u32;
                Place::Int(reg)
            }
            Some(_) | None => return self.spill(position),
        };
        self.stack[position].place = place;
        self.regs.references[local as usize] -= 1;
    }

    pub(in crate::baseline) fn variable(&mut self, variable: Variable, index: u32) {
        match variable {
            Variable::LocalGet => self.push(self.local_types[index as usize], Place::Local(index)),
            Variable::LocalSet => {
                let value = self.pop_seen();
                self.set_local(index, value, false);
            }
            Variable::LocalTee => {
                let value = self.pop_seen();
                self.set_local(index, value, true);
            }
            Variable::GlobalGet => self.global_get(index),
            Variable::GlobalSet => self.global_set(index),
        }
    }

    pub(super) fn set_local(&mut self, local: u32, value: Operand<T>, keep: bool) {
        if value.place == Place::Local(local) {
            if keep {
                self.push(value.ty, value.place);
            }
            return;
        }
        if !fault!("baseline-written-local-changes-operands") {
            self.preserve(local);
        }
        match self.regs.homes[local as usize] {
            Home::Int(reg) => {
                self.load_int(reg, value);
                self.free(value);
                self.written(local);
            }
            Home::Float(reg) => {
                self.load_float(reg, value);
                self.free(value);
                self.written(local);
            }
            Home::Slot => {
                let slot = self.local_slot(local);
                self.store_slot(slot, value);
                if keep {
                    // What is at hand already is the better copy.
                    match value.place {
                        Place::Int(_) | Place::Float(_) | Place::Const(_) => {
                            return self.push(value.ty, value.place);
                        }
                        Place::Local(_) | Place::Slot | Place::Outcome(_) => {}
                    }
                }
                self.free(value);
            }
        }
        if keep {
            self.push(value.ty, Place::Local(local));
        }
    }

    /// The register of the local that the next instruction sets, if no operand still means that local: a
    /// result may go there at once.
    pub(in crate::baseline) fn int_target(&self, reader: &Reader) -> Option<LocalTarget<T::Int>> {
        let local = self.next_set(reader)?;
        match self.regs.homes[local as usize] {
            Home::Int(reg) => Some(LocalTarget { reg, local }),
            Home::Slot | Home::Float(_) => None,
        }
    }

    /// The same for a float.
    pub(in crate::baseline) fn float_target(&self, reader: &Reader) -> Option<LocalTarget<T::Float>> {
        let local = self.next_set(reader)?;
        match self.regs.homes[local as usize] {
            Home::Float(reg) => Some(LocalTarget { reg, local }),
            Home::Slot | Home::Int(_) => None,
        }
    }

    pub(super) fn next_set(&self, reader: &Reader) -> Option<u32> {
        if !matches!(reader.peek(), Some(Opcode::Variable(Variable::LocalSet | Variable::LocalTee))) {
            return None;
        }
        let mut ahead = *reader;
        ahead.opcode();
        let local = ahead.u32();
        (self.regs.references[local as usize] == 0).then_some(local)
    }

    /// Pushes a result that was written to a target.
    pub(in crate::baseline) fn push_target(&mut self, ty: Ty, local: u32) {
        self.written(local);
        self.push(ty, Place::Local(local));
    }
}
