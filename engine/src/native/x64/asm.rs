//! Writes x86-64 machine code: one method an instruction form, labels, and a list of calls to link.
//!
//! Names and operand order follow Intel's manual (volume 2): destination first. Nothing here knows
//! WebAssembly. Where an instruction has a 32-bit and a 64-bit form, the first argument says which;
//! 32-bit forms clear the upper half of their destination.

mod operands;

use crate::native::buffer::CodeBuffer;
use crate::native::link::Branch;
pub(crate) use crate::native::width::{Float, Width};
pub(crate) use operands::*;

/// A place in code that branches name before it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Label(u32);

const UNBOUND: u32 = u32::MAX;
const NO_FIXUP: u32 = u32::MAX;

struct LabelState {
    position: u32,
    first_fixup: u32,
}

/// A 32-bit distance to be filled in: relative to its own end, or to `origin`.
struct Fixup {
    at: u32,
    origin: u32,
    next: u32,
}

/// The assembler.
#[derive(Default)]
pub(crate) struct Asm {
    pub code: CodeBuffer,
    labels: Vec<LabelState>,
    fixups: Vec<Fixup>,
    /// The branches to labels: offset after each, where it goes, and under which condition.
    branches: Vec<(u32, Label, Option<Cond>)>,
}

/// One instruction under construction: up to 15 bytes.
struct Encoding {
    bytes: [u8; 16],
    len: usize,
}

impl Encoding {
    #[inline(always)]
    fn new() -> Encoding {
        Encoding { bytes: [0; 16], len: 0 }
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.len & 15] = byte;
        self.len += 1;
    }

    #[inline(always)]
    fn imm32(&mut self, value: i32) {
        for byte in value.to_le_bytes() {
            self.byte(byte);
        }
    }

    /// The REX prefix for a register field, an index and a base, if any of them needs it.
    #[inline(always)]
    fn rex(&mut self, wide: bool, reg: u8, index: u8, base: u8) {
        let rex = 0x40 | u8::from(wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
        if rex != 0x40 {
            self.byte(rex);
        }
    }

    /// The same, where `reg` is a byte register: 4 to 7 mean the low bytes only with a prefix.
    #[inline(always)]
    fn rex_byte(&mut self, reg: u8, index: u8, base: u8, forced: bool) {
        let rex = 0x40 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
        if rex != 0x40 || forced {
            self.byte(rex);
        }
    }

    #[inline(always)]
    fn mod_reg(&mut self, reg: u8, rm: u8) {
        self.byte(0xc0 | (reg & 7) << 3 | rm & 7);
    }

    #[inline(always)]
    fn mod_mem(&mut self, reg: u8, mem: Mem) {
        let base = mem.base.0 & 7;
        let short = i8::try_from(mem.disp).is_ok();
        // A base of rbp or r13 always has a displacement; that encoding without one means rip.
        let mode = if mem.disp == 0 && base != 5 {
            0
        } else if short {
            0x40
        } else {
            0x80
        };
        match mem.index {
            Some(index) => {
                debug_assert_ne!(index, RSP, "the stack pointer cannot be an index");
                self.byte(mode | (reg & 7) << 3 | 4);
                self.byte(mem.scale << 6 | (index.0 & 7) << 3 | base);
            }
            None if base == 4 => {
                self.byte(mode | (reg & 7) << 3 | 4);
                self.byte(0x24);
            }
            None => self.byte(mode | (reg & 7) << 3 | base),
        }
        if mode == 0x40 {
            self.byte(mem.disp as u8);
        } else if mode == 0x80 {
            self.imm32(mem.disp);
        }
    }
}

fn index_number(mem: Mem) -> u8 {
    mem.index.map_or(0, |index| index.0)
}

fn is_wide(width: Width) -> bool {
    width == Width::W64
}

impl Asm {
    /// Position of the next instruction.
    #[inline]
    pub fn here(&self) -> u32 {
        self.code.len() as u32
    }

    #[inline(always)]
    fn put(&mut self, encoding: Encoding) {
        self.code.put(encoding.bytes, encoding.len);
    }

    // Forms that many instructions share.

    #[inline(always)]
    fn rr(&mut self, wide: bool, opcode: u8, reg: u8, rm: u8) {
        let mut e = Encoding::new();
        e.rex(wide, reg, 0, rm);
        e.byte(opcode);
        e.mod_reg(reg, rm);
        self.put(e);
    }

    #[inline(always)]
    fn rm(&mut self, wide: bool, opcode: u8, reg: u8, mem: Mem) {
        let mut e = Encoding::new();
        e.rex(wide, reg, index_number(mem), mem.base.0);
        e.byte(opcode);
        e.mod_mem(reg, mem);
        self.put(e);
    }

    /// Two-byte opcode, mandatory prefix first if it is not 0.
    #[inline(always)]
    fn rr_0f(&mut self, prefix: u8, wide: bool, opcode: u8, reg: u8, rm: u8) {
        let mut e = Encoding::new();
        if prefix != 0 {
            e.byte(prefix);
        }
        e.rex(wide, reg, 0, rm);
        e.byte(0x0f);
        e.byte(opcode);
        e.mod_reg(reg, rm);
        self.put(e);
    }

    #[inline(always)]
    fn rm_0f(&mut self, prefix: u8, wide: bool, opcode: u8, reg: u8, mem: Mem) {
        let mut e = Encoding::new();
        if prefix != 0 {
            e.byte(prefix);
        }
        e.rex(wide, reg, index_number(mem), mem.base.0);
        e.byte(0x0f);
        e.byte(opcode);
        e.mod_mem(reg, mem);
        self.put(e);
    }

    // Moves.

    pub fn mov_rr(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.rr(is_wide(width), 0x8b, to.0, from.0);
    }

    pub fn mov_rm(&mut self, width: Width, to: Gpr, from: Mem) {
        self.rm(is_wide(width), 0x8b, to.0, from);
    }

    pub fn mov_mr(&mut self, width: Width, to: Mem, from: Gpr) {
        self.rm(is_wide(width), 0x89, from.0, to);
    }

    /// Any constant, in as few bytes as it takes without touching the flags.
    pub fn mov_ri(&mut self, to: Gpr, value: u64) {
        let mut e = Encoding::new();
        if let Ok(value) = u32::try_from(value) {
            e.rex(false, 0, 0, to.0);
            e.byte(0xb8 | to.0 & 7);
            e.imm32(value as i32);
        } else if let Ok(value) = i32::try_from(value as i64) {
            e.rex(true, 0, 0, to.0);
            e.byte(0xc7);
            e.mod_reg(0, to.0);
            e.imm32(value);
        } else {
            e.rex(true, 0, 0, to.0);
            e.byte(0xb8 | to.0 & 7);
            e.imm32(value as i32);
            e.imm32((value >> 32) as i32);
        }
        self.put(e);
    }

    /// A sign-extended constant into memory.
    pub fn mov_mi(&mut self, width: Width, to: Mem, value: i32) {
        let mut e = Encoding::new();
        e.rex(is_wide(width), 0, index_number(to), to.base.0);
        e.byte(0xc7);
        e.mod_mem(0, to);
        e.imm32(value);
        self.put(e);
    }

    /// Stores the low byte.
    pub fn mov_m8r(&mut self, to: Mem, from: Gpr) {
        let mut e = Encoding::new();
        e.rex_byte(from.0, index_number(to), to.base.0, from.0 >= 4);
        e.byte(0x88);
        e.mod_mem(from.0, to);
        self.put(e);
    }

    /// Stores the low 16 bits.
    pub fn mov_m16r(&mut self, to: Mem, from: Gpr) {
        let mut e = Encoding::new();
        e.byte(0x66);
        e.rex(false, from.0, index_number(to), to.base.0);
        e.byte(0x89);
        e.mod_mem(from.0, to);
        self.put(e);
    }

    pub fn movzx_rm8(&mut self, to: Gpr, from: Mem) {
        self.rm_0f(0, false, 0xb6, to.0, from);
    }

    pub fn movzx_rm16(&mut self, to: Gpr, from: Mem) {
        self.rm_0f(0, false, 0xb7, to.0, from);
    }

    pub fn movsx_rm8(&mut self, width: Width, to: Gpr, from: Mem) {
        self.rm_0f(0, is_wide(width), 0xbe, to.0, from);
    }

    pub fn movsx_rm16(&mut self, width: Width, to: Gpr, from: Mem) {
        self.rm_0f(0, is_wide(width), 0xbf, to.0, from);
    }

    pub fn movsxd_rm(&mut self, to: Gpr, from: Mem) {
        self.rm(true, 0x63, to.0, from);
    }

    /// Zero-extends the low byte.
    pub fn movzx_rr8(&mut self, to: Gpr, from: Gpr) {
        let mut e = Encoding::new();
        e.rex_byte(to.0, 0, from.0, from.0 >= 4);
        e.byte(0x0f);
        e.byte(0xb6);
        e.mod_reg(to.0, from.0);
        self.put(e);
    }

    /// Sign-extends the low byte.
    pub fn movsx_rr8(&mut self, width: Width, to: Gpr, from: Gpr) {
        let mut e = Encoding::new();
        match width {
            Width::W32 => e.rex_byte(to.0, 0, from.0, from.0 >= 4),
            Width::W64 => e.rex(true, to.0, 0, from.0),
        }
        e.byte(0x0f);
        e.byte(0xbe);
        e.mod_reg(to.0, from.0);
        self.put(e);
    }

    /// Sign-extends the low 16 bits.
    pub fn movsx_rr16(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.rr_0f(0, is_wide(width), 0xbf, to.0, from.0);
    }

    /// Sign-extends the low 32 bits.
    pub fn movsxd_rr(&mut self, to: Gpr, from: Gpr) {
        self.rr(true, 0x63, to.0, from.0);
    }

    pub fn xchg_rr(&mut self, a: Gpr, b: Gpr) {
        self.rr(true, 0x87, a.0, b.0);
    }

    pub fn lea(&mut self, width: Width, to: Gpr, mem: Mem) {
        self.rm(is_wide(width), 0x8d, to.0, mem);
    }

    pub fn push(&mut self, reg: Gpr) {
        let mut e = Encoding::new();
        e.rex(false, 0, 0, reg.0);
        e.byte(0x50 | reg.0 & 7);
        self.put(e);
    }

    pub fn push_m(&mut self, mem: Mem) {
        self.rm(false, 0xff, 6, mem);
    }

    pub fn pop(&mut self, reg: Gpr) {
        let mut e = Encoding::new();
        e.rex(false, 0, 0, reg.0);
        e.byte(0x58 | reg.0 & 7);
        self.put(e);
    }

    // Integer arithmetic.

    pub fn alu_rr(&mut self, width: Width, op: Alu, to: Gpr, from: Gpr) {
        self.rr(is_wide(width), (op as u8) << 3 | 3, to.0, from.0);
    }

    pub fn alu_rm(&mut self, width: Width, op: Alu, to: Gpr, from: Mem) {
        self.rm(is_wide(width), (op as u8) << 3 | 3, to.0, from);
    }

    pub fn alu_mr(&mut self, width: Width, op: Alu, to: Mem, from: Gpr) {
        self.rm(is_wide(width), (op as u8) << 3 | 1, from.0, to);
    }

    pub fn alu_ri(&mut self, width: Width, op: Alu, to: Gpr, value: i32) {
        let mut e = Encoding::new();
        e.rex(is_wide(width), 0, 0, to.0);
        if let Ok(short) = i8::try_from(value) {
            e.byte(0x83);
            e.mod_reg(op as u8, to.0);
            e.byte(short as u8);
        } else {
            e.byte(0x81);
            e.mod_reg(op as u8, to.0);
            e.imm32(value);
        }
        self.put(e);
    }

    pub fn alu_mi(&mut self, width: Width, op: Alu, to: Mem, value: i32) {
        let mut e = Encoding::new();
        e.rex(is_wide(width), 0, index_number(to), to.base.0);
        if let Ok(short) = i8::try_from(value) {
            e.byte(0x83);
            e.mod_mem(op as u8, to);
            e.byte(short as u8);
        } else {
            e.byte(0x81);
            e.mod_mem(op as u8, to);
            e.imm32(value);
        }
        self.put(e);
    }

    pub fn test_rr(&mut self, width: Width, a: Gpr, b: Gpr) {
        self.rr(is_wide(width), 0x85, b.0, a.0);
    }

    pub fn imul_rr(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.rr_0f(0, is_wide(width), 0xaf, to.0, from.0);
    }

    pub fn imul_rm(&mut self, width: Width, to: Gpr, from: Mem) {
        self.rm_0f(0, is_wide(width), 0xaf, to.0, from);
    }

    pub fn imul_rri(&mut self, width: Width, to: Gpr, from: Gpr, value: i32) {
        let mut e = Encoding::new();
        e.rex(is_wide(width), to.0, 0, from.0);
        if let Ok(short) = i8::try_from(value) {
            e.byte(0x6b);
            e.mod_reg(to.0, from.0);
            e.byte(short as u8);
        } else {
            e.byte(0x69);
            e.mod_reg(to.0, from.0);
            e.imm32(value);
        }
        self.put(e);
    }

    pub fn unary(&mut self, width: Width, op: Unary, reg: Gpr) {
        self.rr(is_wide(width), 0xf7, op as u8, reg.0);
    }

    /// Sign-extends rax into rdx.
    pub fn sign_into_rdx(&mut self, width: Width) {
        let mut e = Encoding::new();
        e.rex(is_wide(width), 0, 0, 0);
        e.byte(0x99);
        self.put(e);
    }

    pub fn shift_ri(&mut self, width: Width, op: Shift, reg: Gpr, count: u8) {
        let mut e = Encoding::new();
        e.rex(is_wide(width), 0, 0, reg.0);
        e.byte(0xc1);
        e.mod_reg(op as u8, reg.0);
        e.byte(count);
        self.put(e);
    }

    /// Shifts by the low bits of rcx.
    pub fn shift_cl(&mut self, width: Width, op: Shift, reg: Gpr) {
        self.rr(is_wide(width), 0xd3, op as u8, reg.0);
    }

    pub fn bsf(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.rr_0f(0, is_wide(width), 0xbc, to.0, from.0);
    }

    pub fn bsr(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.rr_0f(0, is_wide(width), 0xbd, to.0, from.0);
    }

    pub fn popcnt(&mut self, width: Width, to: Gpr, from: Gpr) {
        self.rr_0f(0xf3, is_wide(width), 0xb8, to.0, from.0);
    }

    /// Sets the low byte to whether the condition holds, and leaves the rest.
    pub fn setcc(&mut self, cond: Cond, to: Gpr) {
        let mut e = Encoding::new();
        e.rex_byte(0, 0, to.0, to.0 >= 4);
        e.byte(0x0f);
        e.byte(0x90 | cond as u8);
        e.mod_reg(0, to.0);
        self.put(e);
    }

    pub fn cmov(&mut self, width: Width, cond: Cond, to: Gpr, from: Gpr) {
        self.rr_0f(0, is_wide(width), 0x40 | cond as u8, to.0, from.0);
    }

    /// Stores rax to `rcx` slots from rdi upwards.
    pub fn rep_stosq(&mut self) {
        self.code.put_slice(&[0xf3, 0x48, 0xab]);
    }

    // Floating point.

    fn scalar(float: Float) -> u8 {
        match float {
            Float::Single => 0xf3,
            Float::Double => 0xf2,
        }
    }

    fn packed(float: Float) -> u8 {
        match float {
            Float::Single => 0,
            Float::Double => 0x66,
        }
    }

    /// Copies the whole register.
    pub fn movaps(&mut self, to: Xmm, from: Xmm) {
        self.rr_0f(0, false, 0x28, to.0, from.0);
    }

    pub fn movs_rm(&mut self, float: Float, to: Xmm, from: Mem) {
        self.rm_0f(Asm::scalar(float), false, 0x10, to.0, from);
    }

    pub fn movs_mr(&mut self, float: Float, to: Mem, from: Xmm) {
        self.rm_0f(Asm::scalar(float), false, 0x11, from.0, to);
    }

    /// Bits of an integer register into a vector register; the rest becomes zero.
    pub fn mov_xr(&mut self, width: Width, to: Xmm, from: Gpr) {
        self.rr_0f(0x66, is_wide(width), 0x6e, to.0, from.0);
    }

    /// Bits of a vector register into an integer register.
    pub fn mov_rx(&mut self, width: Width, to: Gpr, from: Xmm) {
        self.rr_0f(0x66, is_wide(width), 0x7e, from.0, to.0);
    }

    pub fn sse_rr(&mut self, float: Float, op: Sse, to: Xmm, from: Xmm) {
        self.rr_0f(Asm::scalar(float), false, op as u8, to.0, from.0);
    }

    pub fn sse_rm(&mut self, float: Float, op: Sse, to: Xmm, from: Mem) {
        self.rm_0f(Asm::scalar(float), false, op as u8, to.0, from);
    }

    pub fn bits_rr(&mut self, float: Float, op: Bits, to: Xmm, from: Xmm) {
        self.rr_0f(Asm::packed(float), false, op as u8, to.0, from.0);
    }

    /// Compares: parity is set if either is NaN, else "below" and "equal" as for unsigned integers.
    pub fn ucomis_rr(&mut self, float: Float, a: Xmm, b: Xmm) {
        self.rr_0f(Asm::packed(float), false, 0x2e, a.0, b.0);
    }

    pub fn round(&mut self, float: Float, mode: Round, to: Xmm, from: Xmm) {
        let mut e = Encoding::new();
        e.byte(0x66);
        e.rex(false, to.0, 0, from.0);
        e.byte(0x0f);
        e.byte(0x3a);
        e.byte(if float == Float::Single { 0x0a } else { 0x0b });
        e.mod_reg(to.0, from.0);
        e.byte(mode as u8);
        self.put(e);
    }

    /// Signed integer to float. The destination's other bits stay, so clear it first.
    pub fn cvtsi2s(&mut self, float: Float, width: Width, to: Xmm, from: Gpr) {
        self.rr_0f(Asm::scalar(float), is_wide(width), 0x2a, to.0, from.0);
    }

    /// Float to signed integer towards zero; the smallest integer if it does not fit.
    pub fn cvtts2si(&mut self, float: Float, width: Width, to: Gpr, from: Xmm) {
        self.rr_0f(Asm::scalar(float), is_wide(width), 0x2c, to.0, from.0);
    }

    /// From `float` to the other width.
    pub fn cvts2s(&mut self, float: Float, to: Xmm, from: Xmm) {
        self.rr_0f(Asm::scalar(float), false, 0x5a, to.0, from.0);
    }

    /// Gives up the frame: the stack pointer is above the saved frame pointer, which is restored.
    pub fn leave(&mut self) {
        self.code.put_slice(&[0xc9]);
    }

    // Control.

    pub fn ret(&mut self) {
        self.code.put_slice(&[0xc3]);
    }

    /// An instruction that is never meant to run.
    pub fn int3(&mut self) {
        self.code.put_slice(&[0xcc]);
    }

    pub fn jmp_r(&mut self, reg: Gpr) {
        self.rr(false, 0xff, 4, reg.0);
    }

    pub fn jmp_m(&mut self, mem: Mem) {
        self.rm(false, 0xff, 4, mem);
    }

    pub fn call_r(&mut self, reg: Gpr) {
        self.rr(false, 0xff, 2, reg.0);
    }

    pub fn call_m(&mut self, mem: Mem) {
        self.rm(false, 0xff, 2, mem);
    }

    /// A direct call whose distance the linker fills in; gives the position of the distance.
    pub fn call_linked(&mut self) -> u32 {
        self.code.put_slice(&[0xe8, 0, 0, 0, 0]);
        self.here() - 4
    }

    /// A direct jump whose distance the linker fills in; gives the position of the distance.
    pub fn jmp_linked(&mut self) -> u32 {
        self.code.put_slice(&[0xe9, 0, 0, 0, 0]);
        self.here() - 4
    }

    // Labels.

    pub fn label(&mut self) -> Label {
        self.labels.push(LabelState { position: UNBOUND, first_fixup: NO_FIXUP });
        Label(self.labels.len() as u32 - 1)
    }

    /// Forgets all labels, which must be bound.
    pub fn forget_labels(&mut self) {
        self.labels.clear();
        self.fixups.clear();
        self.branches.clear();
    }

    /// The branches to labels, which must be bound, in order.
    pub fn branches(&self) -> impl Iterator<Item = Branch> + '_ {
        self.branches.iter().map(|(end, label, cond)| Branch {
            end: *end,
            target: self.position(*label),
            condition: cond.map(|cond| cond as u8),
        })
    }

    /// Where a bound label is.
    pub fn position(&self, label: Label) -> u32 {
        let position = self.labels[label.0 as usize].position;
        debug_assert_ne!(position, UNBOUND, "the label is bound");
        position
    }

    /// Puts the label here.
    pub fn bind(&mut self, label: Label) {
        let here = self.here();
        let state = &mut self.labels[label.0 as usize];
        debug_assert_eq!(state.position, UNBOUND, "a label has one place");
        state.position = here;
        let mut next = state.first_fixup;
        while next != NO_FIXUP {
            let fixup = &self.fixups[next as usize];
            self.code.set_u32(fixup.at, here.wrapping_sub(fixup.origin));
            next = fixup.next;
        }
    }

    /// A 32-bit distance from `origin` to the label, which the caller has just made room for at `at`.
    fn distance(&mut self, at: u32, origin: u32, label: Label) {
        let state = &mut self.labels[label.0 as usize];
        if state.position != UNBOUND {
            self.code.set_u32(at, state.position.wrapping_sub(origin));
            return;
        }
        self.fixups.push(Fixup { at, origin, next: state.first_fixup });
        state.first_fixup = self.fixups.len() as u32 - 1;
    }

    /// How far back a bound label is from the end of a short branch here, if one reaches it.
    fn short(&self, label: Label) -> Option<u8> {
        let position = self.labels[label.0 as usize].position;
        let distance = i64::from(position) - i64::from(self.here()) - 2;
        (position != UNBOUND).then(|| i8::try_from(distance).ok()).flatten().map(|distance| distance as u8)
    }

    pub fn jmp(&mut self, label: Label) {
        match self.short(label) {
            Some(distance) => self.code.put_slice(&[0xeb, distance]),
            None => {
                self.code.put_slice(&[0xe9, 0, 0, 0, 0]);
                self.distance(self.here() - 4, self.here(), label);
            }
        }
        self.branches.push((self.here(), label, None));
    }

    pub fn jcc(&mut self, cond: Cond, label: Label) {
        match self.short(label) {
            Some(distance) => self.code.put_slice(&[0x70 | cond as u8, distance]),
            None => {
                self.code.put_slice(&[0x0f, 0x80 | cond as u8, 0, 0, 0, 0]);
                self.distance(self.here() - 4, self.here(), label);
            }
        }
        self.branches.push((self.here(), label, Some(cond)));
    }

    /// The label's address.
    pub fn lea_label(&mut self, to: Gpr, label: Label) {
        let mut e = Encoding::new();
        e.rex(true, to.0, 0, 0);
        e.byte(0x8d);
        e.byte((to.0 & 7) << 3 | 5);
        e.imm32(0);
        self.put(e);
        self.distance(self.here() - 4, self.here(), label);
    }

    /// Data: the label's distance from `origin`.
    pub fn distance_data(&mut self, origin: u32, label: Label) {
        self.code.put_slice(&[0; 4]);
        self.distance(self.here() - 4, origin, label);
    }
}

#[cfg(test)]
mod tests;
