//! x86-64 as the pass sees it: its registers, and the instructions of the pass's own making.

use super::disassemble::disassemble;
use super::{Compiler, Operand};
use crate::baseline::memory::Access;
use crate::baseline::operand::Slot;
use crate::baseline::target::{Assembler, Disassembled, Invertible, Register, Target};
use crate::faults::fault;
use crate::module::DefinedFuncIndex;
use crate::native::arch::Arch;
use crate::native::helpers::Helper;
use crate::native::link::Branch;
use crate::native::x64::asm::*;
use crate::native::x64::thunks::field;
use crate::native::x64::{
    FLOAT_ARGUMENTS, FLOAT_RESULT, FLOAT_SCRATCH, FUEL, INT_ARGUMENTS, INT_RESULT, MEMORY, SCRATCH, X64,
};
use crate::opcode::reader::{MemArg, Reader};
use crate::opcode::{Numeric, Wide};
use crate::store::{FuncLink, MemoryLink, TableLink};
use std::mem::{offset_of, size_of};

const W32: Width = Width::W32;
const W64: Width = Width::W64;
/// Frames larger than this compare before they move the stack pointer.
const LARGE_FRAME_BYTES: u32 = 32 << 10;
/// Binary logarithm of the size of a function's link.
const LINK_LOG2: u8 = size_of::<FuncLink>().trailing_zeros() as u8;
/// Where the pass has the callee's index, reference or number.
const CALLEE: Gpr = X64::CALLEE;

impl Register for Gpr {
    #[inline(always)]
    fn number(self) -> u8 {
        self.0
    }

    fn name(self) -> String {
        Gpr::name(self).to_string()
    }
}

impl Register for Xmm {
    #[inline(always)]
    fn number(self) -> u8 {
        self.0
    }

    fn name(self) -> String {
        format!("xmm{}", self.0)
    }
}

/// What the flags say about the last comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::baseline) struct Test {
    pub cond: Cond,
    pub parity: Parity,
}

/// What else the parity flag has to say, which is set where an operand was NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::baseline) enum Parity {
    Ignored,
    /// The test holds only without it.
    Without,
    /// The test holds with it in any case.
    Or,
}

impl Test {
    pub fn of(cond: Cond) -> Test {
        Test { cond, parity: Parity::Ignored }
    }
}

impl Invertible for Test {
    fn inverted(self) -> Test {
        let parity = match self.parity {
            Parity::Ignored => Parity::Ignored,
            Parity::Without => Parity::Or,
            Parity::Or => Parity::Without,
        };
        Test { cond: self.cond.inverted(), parity }
    }
}

/// The second operand of an instruction: what the machine can take without a move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Reg(Gpr),
    Mem(Mem),
    Imm(i32),
}

impl Target for X64 {
    type Int = Gpr;
    type Float = Xmm;
    type Test = Test;
    type Label = Label;
    type Asm = Asm;

    const INTS: &'static [Gpr] = &[RAX, RCX, RDX, RSI, RDI];
    const INT_HOMES: &'static [Gpr] = &[RBX, R12, R13, R8, R9, FUEL];
    const FLOATS: &'static [Xmm] = &[Xmm(0), Xmm(1), Xmm(2), Xmm(3), Xmm(4), Xmm(5), Xmm(6), Xmm(7)];
    const FLOAT_HOMES: &'static [Xmm] = &[Xmm(8), Xmm(9), Xmm(10), Xmm(11), Xmm(12), Xmm(13), Xmm(14)];
    const FEW_INTS: usize = 4;
    const FEW_FLOATS: usize = 3;
    const INT_ARGUMENTS: &'static [Gpr] = &INT_ARGUMENTS;
    const FLOAT_ARGUMENTS: &'static [Xmm] = &FLOAT_ARGUMENTS;
    const HELPER_ARGUMENTS: [Gpr; 6] = [RDI, RSI, RDX, RCX, R8, R9];
    const INT_RESULT: Gpr = INT_RESULT;
    const FLOAT_RESULT: Xmm = FLOAT_RESULT;
    const CALLEE: Gpr = RAX;
    const FLOAT_SCRATCH: Xmm = FLOAT_SCRATCH;
    const DISTANCE_BYTES: u32 = <X64 as Arch>::DISTANCE_BYTES;
    const ISLAND_BYTES: u32 = <X64 as Arch>::ISLAND_BYTES;
    const ISLAND_REACH: u32 = *X64::ISLAND_RANGE.end() as u32;

    fn condition(compiler: &mut Compiler<'_, X64>, operand: &mut Operand) -> Test {
        compiler.condition(operand)
    }

    fn numeric(compiler: &mut Compiler<'_, X64>, opcode: Numeric, reader: &Reader) {
        compiler.numeric(opcode, reader);
    }

    fn wide(compiler: &mut Compiler<'_, X64>, opcode: Wide) {
        compiler.wide(opcode);
    }

    fn load(compiler: &mut Compiler<'_, X64>, access: Access, to: MemArg, reader: &Reader) {
        compiler.load(access, to, reader);
    }

    fn store(compiler: &mut Compiler<'_, X64>, access: Access, to: MemArg) {
        compiler.store(access, to);
    }

    #[cfg(feature = "planted-faults")]
    fn wrong_operator(
        compiler: &mut Compiler<'_, X64>,
        drawn: &crate::faults::drawn::Drawn,
        reader: &mut Reader,
    ) {
        compiler.wrong_operator(drawn, reader);
    }
}

impl Compiler<'_, X64> {
    /// The slot that an operand is in, if it is in memory.
    pub(super) fn memory_operand(&self, operand: &Operand) -> Option<Mem> {
        self.slot_of(operand).map(mem)
    }

    /// The value as the second operand of an instruction of the width.
    pub(super) fn source(&mut self, operand: &mut Operand, width: Width) -> Source {
        if let super::Place::Const(value) = operand.place
            && let Some(value) = immediate(width, value)
        {
            return Source::Imm(value);
        }
        match self.memory_operand(operand) {
            Some(mem) => Source::Mem(mem),
            None => Source::Reg(self.read_int(operand)),
        }
    }
}

/// A slot's address.
pub(super) fn mem(slot: Slot) -> Mem {
    match slot {
        Slot::Frame(index) => Mem::at(RBP, -8 * (index as i32 + 1)),
        Slot::Found(index) => Mem::at(SCRATCH, 8 * index as i32),
    }
}

/// A constant as a sign-extended 32-bit immediate of an instruction of the width.
pub(super) fn immediate(width: Width, value: u64) -> Option<i32> {
    match width {
        Width::W32 => Some(value as u32 as i32),
        Width::W64 if fault!("baseline-constant-extends-its-sign") => {
            u32::try_from(value).map(|value| value as i32).or(i32::try_from(value as i64)).ok()
        }
        Width::W64 => i32::try_from(value as i64).ok(),
    }
}

impl Assembler<X64> for Asm {
    fn reserve(&mut self, bytes: usize) {
        self.code.reserve(bytes);
    }

    fn into_bytes(self) -> Vec<u8> {
        self.code.into_bytes()
    }

    fn here(&self) -> u32 {
        self.here()
    }

    fn disassemble(&self, end: u32) -> Vec<Disassembled> {
        disassemble(&self.code.bytes()[..end as usize])
    }

    fn label(&mut self) -> Label {
        self.label()
    }

    fn bind(&mut self, label: Label) {
        self.bind(label);
    }

    fn position(&self, label: Label) -> u32 {
        self.position(label)
    }

    fn forget_labels(&mut self) {
        self.forget_labels();
    }

    fn branches(&self) -> impl Iterator<Item = Branch> {
        self.branches()
    }

    fn jump(&mut self, label: Label) {
        self.jmp(label);
    }

    fn align(&mut self) {
        while !self.code.len().is_multiple_of(X64::ALIGNMENT as usize) {
            self.int3();
        }
    }

    fn enter(&mut self, bytes: u32, exhausted: Label) {
        self.push(RBP);
        self.mov_rr(W64, RBP, RSP);
        if bytes <= LARGE_FRAME_BYTES {
            self.alu_ri(W64, Alu::Sub, RSP, bytes as i32);
            self.alu_rm(W64, Alu::Cmp, RSP, field!(stack_limit));
            self.jcc(Cond::Below, exhausted);
        } else {
            self.lea(W64, RAX, Mem::at(RSP, -(bytes as i32)));
            self.alu_rm(W64, Alu::Cmp, RAX, field!(stack_limit));
            self.jcc(Cond::Below, exhausted);
            self.mov_rr(W64, RSP, RAX);
        }
    }

    fn ret(&mut self) {
        self.leave();
        self.ret();
    }

    fn copy_int(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.mov_rr(width, to, from);
    }

    fn copy_float(&mut self, to: Xmm, from: Xmm) {
        self.movaps(to, from);
    }

    fn exchange_ints(&mut self, one: Gpr, other: Gpr) {
        self.xchg_rr(one, other);
    }

    fn exchange_floats(&mut self, one: Xmm, other: Xmm) {
        self.movaps(FLOAT_SCRATCH, one);
        self.movaps(one, other);
        self.movaps(other, FLOAT_SCRATCH);
    }

    fn set_int(&mut self, to: Gpr, value: u64) {
        self.mov_ri(to, value);
    }

    fn clear_int(&mut self, to: Gpr) {
        self.alu_rr(W32, Alu::Xor, to, to);
    }

    fn set_float(&mut self, float: Float, to: Xmm, bits: u64) {
        if bits == 0 {
            return self.bits_rr(Float::Single, Bits::Xor, to, to);
        }
        self.mov_ri(SCRATCH, bits);
        self.mov_xr(float.width(), to, SCRATCH);
    }

    fn load_int(&mut self, width: Width, to: Gpr, from: Slot) {
        self.mov_rm(width, to, mem(from));
    }

    fn store_int(&mut self, width: Width, to: Slot, from: Gpr) {
        self.mov_mr(width, mem(to), from);
    }

    fn load_float(&mut self, float: Float, to: Xmm, from: Slot) {
        self.movs_rm(float, to, mem(from));
    }

    fn store_float(&mut self, float: Float, to: Slot, from: Xmm) {
        self.movs_mr(float, mem(to), from);
    }

    fn store_const(&mut self, width: Width, to: Slot, value: u64) {
        match immediate(width, value) {
            Some(value) => self.mov_mi(width, mem(to), value),
            None => {
                debug_assert!(matches!(to, Slot::Frame(_)), "the scratch register is needed for the value");
                self.mov_ri(SCRATCH, value);
                self.mov_mr(width, mem(to), SCRATCH);
            }
        }
    }

    fn copy_slot(&mut self, width: Width, to: Slot, from: Slot) {
        let float = match width {
            Width::W32 => Float::Single,
            Width::W64 => Float::Double,
        };
        self.movs_rm(float, FLOAT_SCRATCH, mem(from));
        self.movs_mr(float, mem(to), FLOAT_SCRATCH);
    }

    fn clear_slots(&mut self, first: u32, count: u32) {
        // Later slots have lower addresses.
        self.lea(W64, RDI, mem(Slot::Frame(first + count - 1)));
        self.mov_ri(RCX, u64::from(count));
        self.mov_ri(RAX, 0);
        self.rep_stosq();
    }

    fn test_nonzero(&mut self, width: Width, reg: Gpr) -> Test {
        self.test_rr(width, reg, reg);
        Test::of(Cond::NotEqual)
    }

    fn jump_if(&mut self, test: Test, label: Label) {
        match test.parity {
            Parity::Ignored => self.jcc(test.cond, label),
            Parity::Without => {
                let skip = self.label();
                self.jcc(Cond::Parity, skip);
                self.jcc(test.cond, label);
                self.bind(skip);
            }
            Parity::Or => {
                self.jcc(Cond::Parity, label);
                self.jcc(test.cond, label);
            }
        }
    }

    fn set_from(&mut self, test: Test, reg: Gpr) {
        self.setcc(test.cond, reg);
        self.movzx_rr8(reg, reg);
        match test.parity {
            Parity::Ignored => {}
            Parity::Without => {
                self.setcc(Cond::NoParity, SCRATCH);
                self.movzx_rr8(SCRATCH, SCRATCH);
                self.alu_rr(W32, Alu::And, reg, SCRATCH);
            }
            Parity::Or => {
                self.setcc(Cond::Parity, SCRATCH);
                self.movzx_rr8(SCRATCH, SCRATCH);
                self.alu_rr(W32, Alu::Or, reg, SCRATCH);
            }
        }
    }

    fn select_int(&mut self, test: Test, width: Width, to: Gpr, from: Gpr) {
        let test = test.inverted();
        match test.parity {
            Parity::Ignored => self.cmov(width, test.cond, to, from),
            Parity::Or => {
                self.cmov(width, test.cond, to, from);
                self.cmov(width, Cond::Parity, to, from);
            }
            Parity::Without => {
                let skip = self.label();
                self.jcc(Cond::Parity, skip);
                self.cmov(width, test.cond, to, from);
                self.bind(skip);
            }
        }
    }

    fn select_float(&mut self, test: Test, to: Xmm, from: Xmm) {
        let (keep, take) = (self.label(), self.label());
        match test.parity {
            Parity::Ignored => self.jcc(test.cond, keep),
            Parity::Without => {
                self.jcc(Cond::Parity, take);
                self.jcc(test.cond, keep);
            }
            Parity::Or => {
                self.jcc(Cond::Parity, keep);
                self.jcc(test.cond, keep);
            }
        }
        self.bind(take);
        self.movaps(to, from);
        self.bind(keep);
    }

    fn jump_if_nan(&mut self, float: Float, reg: Xmm, label: Label) {
        self.ucomis_rr(float, reg, reg);
        self.jcc(Cond::Parity, label);
    }

    fn set_nan(&mut self, float: Float, reg: Xmm) {
        let bits = match float {
            Float::Single => 0x7fc0_0000,
            Float::Double => 0x7ff8_0000_0000_0000,
        };
        self.mov_ri(SCRATCH, bits);
        self.mov_xr(W64, reg, SCRATCH);
    }

    fn jump_if_null(&mut self, reference: Gpr, label: Label) {
        self.test_rr(W64, reference, reference);
        self.jcc(Cond::Equal, label);
    }

    fn jump_by_table(&mut self, index: Gpr, count: u32, otherwise: Label, table: Label) {
        self.alu_ri(W32, Alu::Cmp, index, count as i32);
        self.jcc(Cond::AboveEqual, otherwise);
        self.lea_label(SCRATCH, table);
        self.movsxd_rm(index, Mem::scaled(SCRATCH, index, 2, 0));
        self.alu_rr(W64, Alu::Add, SCRATCH, index);
        self.jmp_r(SCRATCH);
    }

    fn table_entry(&mut self, origin: u32, target: Label) {
        self.distance_data(origin, target);
    }

    fn charge(&mut self, cost: u32, exhausted: Label) {
        self.alu_ri(W64, Alu::Sub, FUEL, cost as i32);
        self.jcc(Cond::Below, exhausted);
    }

    fn refund(&mut self, cost: u32) {
        self.alu_ri(W64, Alu::Add, FUEL, cost as i32);
    }

    fn load_memory_base(&mut self) {
        self.mov_rm(W64, MEMORY, field!(memory_base));
    }

    fn find_arguments(&mut self) {
        self.mov_rm(W64, SCRATCH, field!(arguments));
    }

    fn store_argument(&mut self, width: Width, slot: u32, value: u64) {
        let to = mem(Slot::Found(slot));
        match i32::try_from(value as i64) {
            Ok(value) => {
                self.find_arguments();
                self.mov_mi(width, to, value);
            }
            Err(_) => {
                self.mov_ri(SCRATCH, value);
                self.mov_xr(W64, FLOAT_SCRATCH, SCRATCH);
                self.find_arguments();
                self.movs_mr(Float::Double, to, FLOAT_SCRATCH);
            }
        }
    }

    fn find_global(&mut self, index: u32) {
        self.mov_rm(W64, SCRATCH, field!(globals));
        self.mov_rm(W64, SCRATCH, Mem::at(SCRATCH, 8 * index as i32));
    }

    fn memory_size(&mut self, to: Gpr, memory: u32, page_log2: u32) {
        if memory == 0 {
            self.mov_rm(W64, to, field!(memory_bytes));
        } else {
            load_memory(self, to, memory);
            self.mov_rm(W64, to, Mem::at(to, offset_of!(MemoryLink, bytes) as i32));
        }
        if page_log2 > 0 {
            self.shift_ri(W64, Shift::Shr, to, page_log2 as u8);
        }
    }

    fn table_size(&mut self, to: Gpr, table: u32) {
        load_table(self, to, table);
        self.mov_rm(W64, to, Mem::at(to, offset_of!(TableLink, elements) as i32));
    }

    fn table_get(&mut self, table: u32, index: Gpr, otherwise: Label) {
        let element = element(self, table, index, otherwise);
        self.mov_rm(W64, index, element);
    }

    fn table_set(&mut self, table: u32, index: Gpr, value: Gpr, otherwise: Label) {
        let element = element(self, table, index, otherwise);
        self.mov_mr(W64, element, value);
    }

    fn func_reference(&mut self, to: Gpr, func: u32) {
        self.mov_rm(W64, SCRATCH, field!(funcs));
        self.mov_rm(W32, to, Mem::at(SCRATCH, 4 * func as i32));
        self.alu_ri(W64, Alu::Add, to, 1);
    }

    fn call_linked(&mut self) -> u32 {
        self.call_linked()
    }

    fn tail_linked(&mut self) -> u32 {
        self.leave();
        self.jmp_linked()
    }

    fn call_entry(&mut self, func: DefinedFuncIndex) {
        self.mov_rm(W64, SCRATCH, field!(entries));
        self.call_m(Mem::at(SCRATCH, 8 * func.0 as i32));
    }

    fn tail_entry(&mut self, func: DefinedFuncIndex) {
        self.mov_rm(W64, SCRATCH, field!(entries));
        self.leave();
        self.jmp_m(Mem::at(SCRATCH, 8 * func.0 as i32));
    }

    fn find_import(&mut self, func: u32) {
        self.mov_rm(W64, SCRATCH, field!(funcs));
        self.mov_rm(W32, CALLEE, Mem::at(SCRATCH, 4 * func as i32));
        link_of_number(self, 0);
    }

    fn find_callee(&mut self) {
        link_of_number(self, 1);
    }

    fn jump_if_other_type(&mut self, ty: u32, otherwise: Label) {
        self.mov_rm(W64, CALLEE, field!(types));
        self.mov_rm(W32, CALLEE, Mem::at(CALLEE, 4 * ty as i32));
        self.alu_rm(W32, Alu::Cmp, CALLEE, Mem::at(SCRATCH, offset_of!(FuncLink, ty) as i32));
        self.jcc(Cond::NotEqual, otherwise);
    }

    fn check_subtype(&mut self, ty: u32) {
        self.mov_ri(RAX, u64::from(ty));
        self.call_m(field!(check_subtype));
    }

    fn jump_if_other_instance(&mut self, otherwise: Label) {
        self.mov_rm(W32, CALLEE, field!(instance));
        self.alu_rm(W32, Alu::Cmp, CALLEE, Mem::at(SCRATCH, offset_of!(FuncLink, instance) as i32));
        self.jcc(Cond::NotEqual, otherwise);
    }

    fn call_found(&mut self) {
        self.call_m(Mem::at(SCRATCH, offset_of!(FuncLink, entry) as i32));
    }

    fn tail_found(&mut self) {
        self.leave();
        self.jmp_m(Mem::at(SCRATCH, offset_of!(FuncLink, entry) as i32));
    }

    fn call_other(&mut self) {
        self.call_m(field!(call_other));
    }

    fn tail_other(&mut self) {
        self.leave();
        self.jmp_m(field!(tail_other));
    }

    fn call_helper(&mut self, helper: Helper) {
        self.mov_ri(RAX, 8 * helper as u64);
        self.call_m(field!(helper));
    }

    fn call_trap(&mut self) {
        self.call_m(field!(trap));
    }

    fn island(&mut self) {
        for _ in 0..<X64 as Arch>::ISLAND_BYTES {
            self.int3();
        }
    }
}

/// Loads the address of a memory's record.
pub(super) fn load_memory(asm: &mut Asm, to: Gpr, memory: u32) {
    asm.mov_rm(W64, to, field!(memories));
    asm.mov_rm(W64, to, Mem::at(to, 8 * memory as i32));
}

/// Loads the address of a table's record.
fn load_table(asm: &mut Asm, to: Gpr, table: u32) {
    asm.mov_rm(W64, to, field!(tables));
    asm.mov_rm(W64, to, Mem::at(to, 8 * table as i32));
}

/// Compares an index with the table's size, and gives the element's place.
fn element(asm: &mut Asm, table: u32, index: Gpr, otherwise: Label) -> Mem {
    load_table(asm, SCRATCH, table);
    asm.alu_rm(W64, Alu::Cmp, index, Mem::at(SCRATCH, offset_of!(TableLink, elements) as i32));
    asm.jcc(Cond::AboveEqual, otherwise);
    asm.mov_rm(W64, SCRATCH, Mem::at(SCRATCH, offset_of!(TableLink, base) as i32));
    Mem::scaled(SCRATCH, index, 3, 0)
}

/// Turns a function's number in the callee register, `bias` too large, into its link's address in the scratch
/// register.
fn link_of_number(asm: &mut Asm, bias: i32) {
    asm.shift_ri(W64, Shift::Shl, CALLEE, LINK_LOG2);
    asm.mov_rm(W64, SCRATCH, field!(func_links));
    asm.lea(W64, SCRATCH, Mem::indexed(SCRATCH, CALLEE, -bias << LINK_LOG2));
}
