//! Loads and stores.
//!
//! A bounds check is either a fault in the reserved room after memory 0, or a comparison of the access's end with
//! the memory's size. A store needs no load before it: this architecture looks at all bytes' pages before it
//! writes any.

use super::X64;
use super::target::{immediate, load_memory};
use super::{Compiler, Operand, Place};
use crate::baseline::memory::{Access, Shape};
use crate::baseline::operand::Ty;
use crate::faults::fault;
use crate::native::x64::asm::*;
use crate::native::x64::thunks::field;
use crate::native::x64::{MEMORY, SCRATCH};
use crate::opcode::reader::{MemArg, Reader};
use crate::opcode::{Opcode, Parametric};
use crate::store::MemoryLink;
use crate::trap::TrapKind;
use std::mem::offset_of;

const W64: Width = Width::W64;
/// Offsets below this fit an instruction, and stay inside the reserved room after a memory.
const NEAR_OFFSETS: u64 = 1 << 31;

/// An address that may be accessed, and what it keeps in use.
struct Address {
    mem: Mem,
    operand: Operand,
    base: Option<Gpr>,
    /// Whether the access faults if it is out of bounds.
    faults: bool,
}

impl Compiler<'_, X64> {
    pub(super) fn load(&mut self, access: Access, to: MemArg, reader: &Reader) {
        let Access { ty, shape } = access;
        let operand = self.pop();
        let is_dropped = reader.peek() == Some(Opcode::Parametric(Parametric::Drop));
        if is_dropped && fault!("baseline-dropped-load-is-left-out") {
            self.free(operand);
            return self.push_const(ty, 0);
        }
        if let Some(float) = ty.float() {
            // Before the address, which may be in the scratch register: what has to make room may be a NaN, and
            // making its bits canonical takes that register.
            let target = self.float_target(reader);
            let reg = target.map_or_else(|| self.alloc_float(), |target| target.reg);
            let address = self.load_address(to, access.bytes(), operand);
            self.fault_at(&address);
            self.asm.movs_rm(float, reg, address.mem);
            self.free_address(address);
            match target {
                Some(target) => self.push_target(ty, target.local),
                None => self.push(ty, Place::Float(reg)),
            }
            return;
        }
        let address = self.load_address(to, access.bytes(), operand);
        match self.int_target(reader) {
            Some(target) => {
                self.load_shape(ty, shape, target.reg, &address);
                self.free_address(address);
                self.push_target(ty, target.local);
            }
            None => {
                let reg = match address.operand.place {
                    Place::Int(reg) => reg,
                    _ => self.alloc_int(),
                };
                self.load_shape(ty, shape, reg, &address);
                self.free_address(Address {
                    operand: Operand { place: Place::Slot, ..address.operand },
                    ..address
                });
                self.push(ty, Place::Int(reg));
            }
        }
    }

    fn load_address(&mut self, to: MemArg, bytes: u64, operand: Operand) -> Address {
        let mut address = self.address(to, bytes, operand);
        if address.faults && fault!("baseline-load-from-nowhere") {
            // Further away than any memory reaches.
            self.asm.mov_ri(SCRATCH, 1 << 47);
            address.mem = Mem::indexed(MEMORY, SCRATCH, 0);
        }
        address
    }

    fn load_shape(&mut self, ty: Ty, shape: Shape, to: Gpr, address: &Address) {
        self.fault_at(address);
        let (mem, width) = (address.mem, ty.width());
        match shape {
            Shape::Whole => self.asm.mov_rm(width, to, mem),
            Shape::Unsigned8 => self.asm.movzx_rm8(to, mem),
            Shape::Unsigned16 => self.asm.movzx_rm16(to, mem),
            Shape::Unsigned32 => self.asm.mov_rm(Width::W32, to, mem),
            Shape::Signed8 => self.asm.movsx_rm8(width, to, mem),
            Shape::Signed16 => self.asm.movsx_rm16(width, to, mem),
            Shape::Signed32 => self.asm.movsxd_rm(to, mem),
        }
    }

    pub(super) fn store(&mut self, access: Access, to: MemArg) {
        let Access { ty, shape } = access;
        let mut value = if fault!("baseline-nan-seen-in-stores") { self.pop() } else { self.pop_seen() };
        let operand = self.pop();
        if let Some(float) = ty.float() {
            let reg = self.read_float(&mut value);
            let address = self.address(to, access.bytes(), operand);
            self.fault_at(&address);
            self.asm.movs_mr(float, address.mem, reg);
            self.free_address(address);
            self.free(value);
            return;
        }
        let constant = match (value.place, shape) {
            (Place::Const(value), Shape::Whole) => immediate(ty.width(), value),
            _ => None,
        };
        if let Some(constant) = constant {
            let address = self.address(to, access.bytes(), operand);
            self.fault_at(&address);
            let narrow = fault!("baseline-long-constant-stored-short");
            self.asm.mov_mi(if narrow { Width::W32 } else { ty.width() }, address.mem, constant);
            self.free_address(address);
            return;
        }
        let reg = self.read_int(&mut value);
        let address = self.address(to, access.bytes(), operand);
        self.fault_at(&address);
        match shape {
            Shape::Unsigned8 => self.asm.mov_m8r(address.mem, reg),
            Shape::Unsigned16 => self.asm.mov_m16r(address.mem, reg),
            Shape::Unsigned32 => self.asm.mov_mr(Width::W32, address.mem, reg),
            Shape::Whole => self.asm.mov_mr(ty.width(), address.mem, reg),
            Shape::Signed8 | Shape::Signed16 | Shape::Signed32 => unreachable!("stores have no sign"),
        }
        self.free_address(address);
        self.free(value);
    }

    fn fault_at(&mut self, address: &Address) {
        if address.faults {
            self.fault();
        }
    }

    fn free_address(&mut self, address: Address) {
        self.free(address.operand);
        if let Some(base) = address.base {
            self.free_int(base);
        }
    }

    /// Makes an address of an operand that was taken. The scratch register may be part of it.
    fn address(&mut self, to: MemArg, bytes: u64, mut operand: Operand) -> Address {
        let ty = self.module.memories[to.memory as usize];
        let guarded = to.memory == 0 && self.settings.guard_regions && ty.can_be_guarded();
        let all_near = fault!("baseline-far-offset-is-negative");
        if !guarded || to.offset >= NEAR_OFFSETS && !all_near {
            return self.checked_address(to, bytes, operand, ty.is_64);
        }
        let disp = to.offset as i32;
        if let Place::Const(value) = operand.place {
            let mut sum = value + to.offset;
            if fault!("baseline-constant-address-wraps") {
                sum &= u64::from(u32::MAX);
            }
            let mem = match i32::try_from(sum) {
                Ok(disp) => Mem::at(MEMORY, disp),
                Err(_) => {
                    self.asm.mov_ri(SCRATCH, sum);
                    Mem::indexed(MEMORY, SCRATCH, 0)
                }
            };
            return Address { mem, operand, base: None, faults: true };
        }
        let index = self.read_int(&mut operand);
        if fault!("baseline-guarded-offset-wraps") {
            self.asm.lea(Width::W32, SCRATCH, Mem::at(index, disp));
            return Address { mem: Mem::indexed(MEMORY, SCRATCH, 0), operand, base: None, faults: true };
        }
        Address { mem: Mem::indexed(MEMORY, index, disp), operand, base: None, faults: true }
    }

    /// Compares the access's end with the memory's size.
    fn checked_address(&mut self, to: MemArg, bytes: u64, mut operand: Operand, is_64: bool) -> Address {
        let trap = self.trap(TrapKind::MemoryOutOfBounds);
        let link = (to.memory != 0).then(|| {
            let reg = self.alloc_int();
            load_memory(&mut self.asm, reg, to.memory);
            reg
        });
        let Some(distance) = to.offset.checked_add(bytes) else {
            self.asm.jmp(trap);
            // Never reached, but to be written like any other.
            let mem = Mem::indexed(MEMORY, SCRATCH, -(bytes as i32));
            return Address { mem, operand, base: link, faults: false };
        };
        let address = self.read_int(&mut operand);
        match i32::try_from(distance) {
            Ok(distance) if fault!("baseline-checked-offset-wraps") => {
                self.asm.lea(Width::W32, SCRATCH, Mem::at(address, distance));
            }
            Ok(distance) if !is_64 => self.asm.lea(W64, SCRATCH, Mem::at(address, distance)),
            Ok(_) | Err(_) => {
                self.asm.mov_ri(SCRATCH, distance);
                self.asm.alu_rr(W64, Alu::Add, SCRATCH, address);
                if is_64 {
                    self.asm.jcc(Cond::Below, trap);
                }
            }
        }
        let size = match link {
            None => field!(memory_bytes),
            Some(link) => Mem::at(link, offset_of!(MemoryLink, bytes) as i32),
        };
        self.asm.alu_rm(W64, Alu::Cmp, SCRATCH, size);
        self.asm.jcc(Cond::Above, trap);
        let base = match link {
            None => MEMORY,
            Some(link) => {
                self.asm.mov_rm(W64, link, Mem::at(link, offset_of!(MemoryLink, base) as i32));
                link
            }
        };
        let mem = Mem::indexed(base, SCRATCH, -(bytes as i32));
        Address { mem, operand, base: link, faults: false }
    }
}
