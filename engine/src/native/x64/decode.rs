//! Reads machine code back: how long each instruction is and what it does to control, as far as the verifier
//! cares.
//!
//! Written from Intel's manual (volume 2, chapter 2 and the opcode maps of appendix A), not from the assembler,
//! and much faster than a disassembler that knows everything. What the assembler never writes is no instruction here.
//! The assembler's tests hold every instruction against an independent disassembler, and the decoder against both.

use crate::native::arch::{self, Class, Instruction, Pointer};

/// Decodes code from an offset to its end.
pub(crate) struct Decoder<'a> {
    code: &'a [u8],
    at: usize,
}

/// What follows an opcode.
const NONE: u8 = 0;
const MODRM: u8 = 1;
const IMM8: u8 = 2;
const IMM32: u8 = 4;
/// 32 bits, or 64 with a wide prefix.
const IMM: u8 = 8;
const REL8: u8 = 16;
const REL32: u8 = 32;
const UNKNOWN: u8 = 128;

/// The opcodes of one byte.
static ONE_BYTE: [u8; 256] = {
    let mut table = [UNKNOWN; 256];
    let mut group = 0;
    // Arithmetic between a register and a register or memory, 32 or 64 bits.
    while group < 8 {
        table[group << 3 | 1] = MODRM;
        table[group << 3 | 3] = MODRM;
        group += 1;
    }
    let mut low = 0;
    while low < 16 {
        table[0x50 | low] = NONE;
        table[0x70 | low] = REL8;
        low += 1;
    }
    let mut reg = 0;
    while reg < 8 {
        table[0xb8 | reg] = IMM;
        reg += 1;
    }
    let with_operands = [0x63, 0x85, 0x87, 0x88, 0x89, 0x8b, 0x8d, 0xd3, 0xf7, 0xff];
    let mut at = 0;
    while at < with_operands.len() {
        table[with_operands[at]] = MODRM;
        at += 1;
    }
    table[0x69] = MODRM | IMM32;
    table[0x6b] = MODRM | IMM8;
    table[0x81] = MODRM | IMM32;
    table[0x83] = MODRM | IMM8;
    table[0x99] = NONE;
    table[0xab] = NONE;
    table[0xc1] = MODRM | IMM8;
    table[0xc3] = NONE;
    table[0xc7] = MODRM | IMM32;
    table[0xc9] = NONE;
    table[0xcc] = NONE;
    table[0xe8] = REL32;
    table[0xe9] = REL32;
    table[0xeb] = REL8;
    table
};

/// The opcodes of two bytes, by the second.
static TWO_BYTES: [u8; 256] = {
    let mut table = [UNKNOWN; 256];
    let mut low = 0;
    while low < 16 {
        table[0x40 | low] = MODRM;
        table[0x80 | low] = REL32;
        table[0x90 | low] = MODRM;
        low += 1;
    }
    let with_operands = [
        0x10, 0x11, 0x28, 0x2a, 0x2c, 0x2e, 0x51, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5c, 0x5d, 0x5e,
        0x5f, 0x6e, 0x7e, 0xaf, 0xb6, 0xb7, 0xb8, 0xbc, 0xbd, 0xbe, 0xbf,
    ];
    let mut at = 0;
    while at < with_operands.len() {
        table[with_operands[at]] = MODRM;
        at += 1;
    }
    table
};

const CONTEXT: u8 = super::CONTEXT.0;
const MEMORY: u8 = super::MEMORY.0;
const SCRATCH: u8 = super::SCRATCH.0;

/// The operand that may be in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Register(u8),
    Memory {
        base: u8,
        index: Option<u8>,
        disp: i32,
    },
    /// So far from the end of the instruction.
    Relative(i32),
}

impl<'a> arch::Decoder<'a> for Decoder<'a> {
    fn new(code: &'a [u8], from: u32) -> Decoder<'a> {
        Decoder { code, at: from as usize }
    }

    fn at(&self) -> u32 {
        self.at as u32
    }
}

impl Decoder<'_> {
    /// The next byte; bytes after the end of the code belong to no instruction.
    #[inline(always)]
    fn byte(&mut self) -> u8 {
        let byte = self.code.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    #[inline(always)]
    fn int32(&mut self) -> i32 {
        let bytes = self.code.get(self.at..self.at + 4).and_then(|bytes| bytes.try_into().ok());
        self.at += 4;
        i32::from_le_bytes(bytes.unwrap_or_default())
    }

    /// The operands after an opcode: the register field, and the other operand.
    #[inline(always)]
    fn operands(&mut self, rex: u8) -> (u8, Place) {
        let modrm = self.byte();
        let (mode, reg, rm) = (modrm >> 6, modrm >> 3 & 7 | (rex & 4) << 1, modrm & 7);
        let high_base = (rex & 1) << 3;
        if mode == 3 {
            return (reg, Place::Register(rm | high_base));
        }
        let (mut base, mut index) = (rm | high_base, None);
        if rm == 4 {
            let sib = self.byte();
            base = sib & 7 | high_base;
            let number = sib >> 3 & 7 | (rex & 2) << 2;
            index = (number != 4).then_some(number);
            if mode == 0 && sib & 7 == 5 {
                // No base: an address that is never written. No register has this number.
                let disp = self.int32();
                return (reg, Place::Memory { base: u8::MAX, index, disp });
            }
        } else if mode == 0 && rm == 5 {
            return (reg, Place::Relative(self.int32()));
        }
        let disp = match mode {
            0 => 0,
            1 => i32::from(self.byte() as i8),
            _ => self.int32(),
        };
        (reg, Place::Memory { base, index, disp })
    }
}

impl Iterator for Decoder<'_> {
    type Item = Instruction;

    #[inline]
    fn next(&mut self) -> Option<Instruction> {
        if self.at >= self.code.len() {
            return None;
        }
        let start = self.at as u32;
        let (mut opcode, mut prefix) = (self.byte(), 0);
        if matches!(opcode, 0x66 | 0xf2 | 0xf3) {
            prefix = opcode;
            opcode = self.byte();
        }
        let mut rex = 0;
        if opcode & 0xf0 == 0x40 {
            rex = opcode;
            opcode = self.byte();
        }
        let (mut class, may_fault) =
            if opcode == 0x0f { self.two_bytes(prefix, rex) } else { self.one_byte(opcode, prefix, rex) };
        if self.at > self.code.len() {
            class = Class::Invalid;
        }
        Some(Instruction {
            start,
            end: self.at as u32,
            class,
            may_fault: may_fault && class == Class::Access,
        })
    }
}

impl Decoder<'_> {
    #[inline(always)]
    fn one_byte(&mut self, opcode: u8, prefix: u8, rex: u8) -> (Class, bool) {
        let follows = ONE_BYTE[opcode as usize];
        // The only prefixes here: a store of 16 bits, and storing again and again.
        let fits = match prefix {
            0 => opcode != 0xab,
            0x66 => opcode == 0x89,
            0xf3 => opcode == 0xab,
            _ => false,
        };
        if follows == UNKNOWN || !fits {
            return (Class::Invalid, false);
        }
        if follows & MODRM == 0 {
            return (self.without_operands(opcode, follows, rex), false);
        }
        let (reg, place) = self.operands(rex);
        let immediate = self.immediate(follows);
        if opcode == 0xff {
            return (Decoder::group_five(reg & 7, place), false);
        }
        if opcode == 0x8d {
            return (self.address(reg, place), false);
        }
        let is_compare = matches!(opcode, 0x81 | 0x83) && reg & 7 == 7 && rex & 8 == 0;
        match place {
            Place::Register(_) if is_compare => (Class::Compare(immediate as u32), false),
            other => accessed(other),
        }
    }

    #[inline(always)]
    fn two_bytes(&mut self, prefix: u8, rex: u8) -> (Class, bool) {
        let opcode = self.byte();
        if opcode == 0x3a {
            let opcode = self.byte();
            let (_, place) = self.operands(rex);
            self.at += 1;
            let rounds = prefix == 0x66 && matches!(opcode, 0x0a | 0x0b);
            return if rounds { accessed(place) } else { (Class::Invalid, false) };
        }
        match TWO_BYTES[opcode as usize] {
            MODRM => {
                let (_, place) = self.operands(rex);
                accessed(place)
            }
            REL32 if prefix == 0 && rex == 0 => {
                let distance = self.int32();
                (Class::Branch(opcode & 15, self.target(distance)), false)
            }
            _ => (Class::Invalid, false),
        }
    }

    #[inline(always)]
    fn without_operands(&mut self, opcode: u8, follows: u8, rex: u8) -> Class {
        match follows {
            REL8 => {
                let distance = i32::from(self.byte() as i8);
                let target = self.target(distance);
                if opcode == 0xeb { Class::Jump(target) } else { Class::Branch(opcode & 15, target) }
            }
            REL32 => {
                let distance = self.int32();
                let target = self.target(distance);
                if opcode == 0xe8 { Class::Call(target) } else { Class::Jump(target) }
            }
            IMM => {
                self.at += if rex & 8 != 0 { 8 } else { 4 };
                Class::Plain
            }
            _ => match opcode {
                0xc3 => Class::Return,
                0xcc => Class::Trap,
                _ => Class::Plain,
            },
        }
    }

    #[inline(always)]
    fn immediate(&mut self, follows: u8) -> i32 {
        if follows & IMM8 != 0 {
            i32::from(self.byte() as i8)
        } else if follows & IMM32 != 0 {
            self.int32()
        } else {
            0
        }
    }

    /// Where a distance from here leads.
    fn target(&self, distance: i32) -> u32 {
        (self.at as u32).wrapping_add_signed(distance)
    }

    /// Calls, jumps and pushes.
    fn group_five(operation: u8, place: Place) -> Class {
        match (operation, place) {
            (2, Place::Register(_)) => Class::CallElsewhere,
            (2, place) => Class::CallThrough(pointer(place)),
            (4, Place::Register(SCRATCH)) => Class::JumpTable,
            (4, Place::Memory { .. }) => Class::JumpThrough(pointer(place)),
            (6, Place::Memory { .. }) => Class::Plain,
            _ => Class::Invalid,
        }
    }

    /// An address that goes into a register, and is not accessed.
    fn address(&self, reg: u8, place: Place) -> Class {
        match place {
            Place::Relative(distance) if reg == SCRATCH => Class::TableAddress(self.target(distance)),
            Place::Relative(_) | Place::Register(_) => Class::Invalid,
            Place::Memory { .. } => Class::Plain,
        }
    }
}

/// Whether an operand is in memory 0, and whether its address was not compared before: an address that was compared
/// is in the scratch register, and the access ends there.
#[inline(always)]
fn accessed(place: Place) -> (Class, bool) {
    match place {
        Place::Memory { base: MEMORY, index, disp } => (Class::Access, !(index == Some(SCRATCH) && disp < 0)),
        Place::Memory { base: u8::MAX, .. } | Place::Relative(_) => (Class::Invalid, false),
        Place::Memory { .. } | Place::Register(_) => (Class::Plain, false),
    }
}

fn pointer(place: Place) -> Pointer {
    match place {
        Place::Memory { base: CONTEXT, index: None, disp } => Pointer::Context(disp),
        Place::Memory { base: SCRATCH, index: None, disp } => Pointer::Scratch(disp),
        Place::Memory { .. } | Place::Register(_) | Place::Relative(_) => Pointer::Elsewhere,
    }
}
