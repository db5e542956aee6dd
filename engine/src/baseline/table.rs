//! Tables, element segments and references.

use super::compiler::Compiler;
use super::operand::{Place, Ty};
use super::target::{Assembler, Invertible, Target};
use crate::native::helpers::Helper;
use crate::native::width::Width;
use crate::opcode::reader::Reader;
use crate::opcode::{Reference, Table};
use crate::trap::TrapKind;

impl<T: Target> Compiler<'_, T> {
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

    fn table_get(&mut self, table: u32) {
        let operand = self.pop();
        let reg = self.own_int(operand);
        let trap = self.trap(TrapKind::TableOutOfBounds);
        self.asm.table_get(table, reg, trap);
        self.push(Ty::Ref, Place::Int(reg));
    }

    fn table_set(&mut self, table: u32) {
        let (mut value, mut index) = (self.pop(), self.pop());
        let (from, at) = (self.read_int(&mut value), self.read_int(&mut index));
        let trap = self.trap(TrapKind::TableOutOfBounds);
        self.asm.table_set(table, at, from, trap);
        self.free(value);
        self.free(index);
    }

    fn table_size(&mut self, table: u32) {
        let reg = self.alloc_int();
        self.asm.table_size(reg, table);
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
                let test = self.asm.test_nonzero(Width::W64, reg);
                self.free(operand);
                self.push_test(test.inverted(), reader);
            }
            Reference::RefFunc => {
                let func = reader.u32();
                let reg = self.alloc_int();
                self.asm.func_reference(reg, func);
                self.push(Ty::Ref, Place::Int(reg));
            }
            Reference::RefAsNonNull => {
                let mut operand = self.pop();
                let reg = self.read_int(&mut operand);
                let trap = self.trap(TrapKind::NullReference);
                self.asm.jump_if_null(reg, trap);
                self.push(operand.ty, operand.place);
            }
            Reference::RefEq => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }
}
