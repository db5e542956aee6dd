//! Tables, element segments and references.

use super::compiler::Compiler;
use super::operand::Test;
use super::operand::{Place, Ty};
use crate::native::helpers::Helper;
use crate::native::x64::SCRATCH;
use crate::native::x64::asm::*;
use crate::native::x64::thunks::field;
use crate::opcode::reader::Reader;
use crate::opcode::{Reference, Table};
use crate::store::TableLink;
use crate::trap::TrapKind;
use std::mem::offset_of;

const W64: Width = Width::W64;

impl Compiler<'_> {
    pub(super) fn table(&mut self, opcode: Table, reader: &mut Reader) {
        match opcode {
            Table::TableGet => self.table_get(reader.u32()),
            Table::TableSet => self.table_set(reader.u32()),
            Table::TableSize => self.table_size(reader.u32()),
            Table::TableInit => {
                let (segment, table) = (reader.u32(), reader.u32());
                self.call_helper(Helper::TableInit, 3, &[table, segment], None);
            }
            Table::ElemDrop => self.call_helper(Helper::ElemDrop, 0, &[reader.u32()], None),
            Table::TableCopy => {
                let (target, source) = (reader.u32(), reader.u32());
                self.call_helper(Helper::TableCopy, 3, &[target, source], None);
            }
            Table::TableGrow => {
                let table = reader.u32();
                self.call_helper(Helper::TableGrow, 2, &[table], Some(self.table_index(table)));
            }
            Table::TableFill => self.call_helper(Helper::TableFill, 3, &[reader.u32()], None),
        }
    }

    fn table_index(&self, table: u32) -> Ty {
        if self.module.tables[table as usize].ty.is_64 { Ty::I64 } else { Ty::I32 }
    }

    /// Compares an index with the table's size, and gives the element's place. Traps: `TableOutOfBounds`.
    fn element(&mut self, table: u32, index: Gpr) -> Mem {
        let trap = self.trap(TrapKind::TableOutOfBounds);
        self.load_table(SCRATCH, table);
        self.asm.alu_rm(W64, Alu::Cmp, index, Mem::at(SCRATCH, offset_of!(TableLink, elements) as i32));
        self.asm.jcc(Cond::AboveEqual, trap);
        self.asm.mov_rm(W64, SCRATCH, Mem::at(SCRATCH, offset_of!(TableLink, base) as i32));
        Mem::scaled(SCRATCH, index, 3, 0)
    }

    fn table_get(&mut self, table: u32) {
        let operand = self.pop();
        let reg = self.own_int(operand);
        let element = self.element(table, reg);
        self.asm.mov_rm(W64, reg, element);
        self.push(Ty::Ref, Place::Int(reg));
    }

    fn table_set(&mut self, table: u32) {
        let (mut value, mut index) = (self.pop(), self.pop());
        let (from, at) = (self.read_int(&mut value), self.read_int(&mut index));
        let element = self.element(table, at);
        self.asm.mov_mr(W64, element, from);
        self.free(value);
        self.free(index);
    }

    fn table_size(&mut self, table: u32) {
        let reg = self.alloc_int();
        self.load_table(reg, table);
        self.asm.mov_rm(W64, reg, Mem::at(reg, offset_of!(TableLink, elements) as i32));
        self.push(self.table_index(table), Place::Int(reg));
    }

    pub(super) fn reference(&mut self, opcode: Reference, reader: &mut Reader) {
        match opcode {
            Reference::RefNull => {
                reader.heap_type();
                self.push_const(Ty::Ref, 0);
            }
            Reference::RefIsNull => {
                self.canonical_all();
                let mut operand = self.pop();
                let reg = self.read_int(&mut operand);
                self.asm.test_rr(W64, reg, reg);
                self.free(operand);
                self.push_test(Test::of(Cond::Equal), reader);
            }
            Reference::RefFunc => {
                let func = reader.u32();
                let reg = self.alloc_int();
                self.asm.mov_rm(W64, SCRATCH, field!(funcs));
                self.asm.mov_rm(Width::W32, reg, Mem::at(SCRATCH, 4 * func as i32));
                self.asm.alu_ri(W64, Alu::Add, reg, 1);
                self.push(Ty::Ref, Place::Int(reg));
            }
            Reference::RefAsNonNull => {
                let mut operand = self.pop();
                let reg = self.read_int(&mut operand);
                let trap = self.trap(TrapKind::NullReference);
                self.asm.test_rr(W64, reg, reg);
                self.asm.jcc(Cond::Equal, trap);
                self.push(operand.ty, operand.place);
            }
            Reference::RefEq => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }
}
