//! Memories as a whole, globals, and what a load or a store means; accesses themselves are the target's.

use super::compiler::Compiler;
use super::operand::{Place, Slot, Ty};
use super::target::{Assembler, Target};
use crate::faults::fault;
use crate::module::ConstOp;
use crate::native::helpers::Helper;
use crate::native::width::Width;
use crate::opcode::reader::Reader;
use crate::opcode::{Load, Memory, Store};

/// How a value lies in memory and in a register.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// As many bytes as the type has.
    Whole,
    Unsigned8,
    Unsigned16,
    Unsigned32,
    Signed8,
    Signed16,
    Signed32,
}

/// What a load gives or a store takes, and how it lies in memory.
#[derive(Clone, Copy)]
pub(super) struct Access {
    pub ty: Ty,
    pub shape: Shape,
}

impl Access {
    pub fn of_load(opcode: Load) -> Access {
        let (ty, shape) = match opcode {
            Load::I32Load => (Ty::I32, Shape::Whole),
            Load::I64Load => (Ty::I64, Shape::Whole),
            Load::F32Load => (Ty::F32, Shape::Whole),
            Load::F64Load => (Ty::F64, Shape::Whole),
            Load::I32Load8S => (Ty::I32, Shape::Signed8),
            Load::I32Load8U => (Ty::I32, Shape::Unsigned8),
            Load::I32Load16S => (Ty::I32, Shape::Signed16),
            Load::I32Load16U => (Ty::I32, Shape::Unsigned16),
            Load::I64Load8S => (Ty::I64, Shape::Signed8),
            Load::I64Load8U => (Ty::I64, Shape::Unsigned8),
            Load::I64Load16S => (Ty::I64, Shape::Signed16),
            Load::I64Load16U => (Ty::I64, Shape::Unsigned16),
            Load::I64Load32S => (Ty::I64, Shape::Signed32),
            Load::I64Load32U => (Ty::I64, Shape::Unsigned32),
        };
        Access { ty, shape }
    }

    pub fn of_store(opcode: Store) -> Access {
        let (ty, shape) = match opcode {
            Store::I32Store => (Ty::I32, Shape::Whole),
            Store::I64Store => (Ty::I64, Shape::Whole),
            Store::F32Store => (Ty::F32, Shape::Whole),
            Store::F64Store => (Ty::F64, Shape::Whole),
            Store::I32Store8 => (Ty::I32, Shape::Unsigned8),
            Store::I32Store16 => (Ty::I32, Shape::Unsigned16),
            Store::I64Store8 => (Ty::I64, Shape::Unsigned8),
            Store::I64Store16 => (Ty::I64, Shape::Unsigned16),
            Store::I64Store32 => (Ty::I64, Shape::Unsigned32),
        };
        Access { ty, shape }
    }

    /// How many bytes of memory it reads or writes.
    pub fn bytes(self) -> u64 {
        match self.shape {
            Shape::Whole => match self.ty.width() {
                Width::W32 => 4,
                Width::W64 => 8,
            },
            Shape::Unsigned8 | Shape::Signed8 => 1,
            Shape::Unsigned16 | Shape::Signed16 => 2,
            Shape::Unsigned32 | Shape::Signed32 => 4,
        }
    }
}

impl<T: Target> Compiler<'_, T> {
    pub(super) fn memory(&mut self, opcode: Memory, reader: &mut Reader) {
        match opcode {
            Memory::MemorySize => self.memory_size(reader.u32()),
            Memory::MemoryGrow => {
                let memory = reader.u32();
                self.call_helper(Helper::MemoryGrow, 1, &[memory], Some(self.memory_index(memory)));
            }
            Memory::MemoryInit => {
                let (segment, memory) = (reader.u32(), reader.u32());
                self.call_helper(Helper::MemoryInit, 3, &[memory, segment], None);
            }
            Memory::DataDrop => self.call_helper(Helper::DataDrop, 0, &[reader.u32()], None),
            Memory::MemoryCopy => {
                let (target, source) = (reader.u32(), reader.u32());
                self.call_helper(Helper::MemoryCopy, 3, &[target, source], None);
            }
            Memory::MemoryFill => self.call_helper(Helper::MemoryFill, 3, &[reader.u32()], None),
        }
    }

    fn memory_index(&self, memory: u32) -> Ty {
        if self.module.memories[memory as usize].is_64 { Ty::I64 } else { Ty::I32 }
    }

    fn memory_size(&mut self, memory: u32) {
        let reg = self.alloc_int();
        let page = self.module.memories[memory as usize].page_size_log2;
        self.asm.memory_size(reg, memory, page);
        self.push(self.memory_index(memory), Place::Int(reg));
    }

    pub(super) fn global_get(&mut self, index: u32) {
        let ty = Ty::of(self.module.global_types[index as usize].content);
        if let Some(value) = self.constant_global(index) {
            return self.push(ty, Place::Const(value));
        }
        match ty.float() {
            Some(float) => {
                let reg = self.alloc_float();
                self.asm.find_global(index);
                self.asm.load_float(float, reg, Slot::Found(0));
                self.push(ty, Place::Float(reg));
            }
            None => {
                let reg = self.alloc_int();
                self.asm.find_global(index);
                self.asm.load_int(ty.width(), reg, Slot::Found(0));
                self.push(ty, Place::Int(reg));
            }
        }
    }

    /// The value of a global that the module defines by a number and that cannot be written.
    fn constant_global(&self, index: u32) -> Option<u64> {
        let defined = index.checked_sub(self.module.imported_globals)?;
        let global = &self.module.globals[defined as usize];
        match *global.init.ops {
            [ConstOp::Slot(value)] if !global.ty.mutable => Some(value),
            _ => None,
        }
    }

    pub(super) fn global_set(&mut self, index: u32) {
        let mut value = if fault!("baseline-nan-seen-in-globals") { self.pop() } else { self.pop_seen() };
        let ty = value.ty;
        match ty.float() {
            Some(float) => {
                let reg = self.read_float(&mut value);
                self.asm.find_global(index);
                self.asm.store_float(float, Slot::Found(0), reg);
            }
            None => {
                let reg = self.read_int(&mut value);
                self.asm.find_global(index);
                self.asm.store_int(ty.width(), Slot::Found(0), reg);
            }
        }
        self.free(value);
    }
}
