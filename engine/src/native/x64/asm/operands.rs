//! What instructions are about: registers, addresses, conditions, and operations that share an encoding.

/// A general-purpose register by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gpr(pub u8);

impl Gpr {
    /// Its name when all 64 bits are meant.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
            "r14", "r15",
        ];
        NAMES[self.0 as usize]
    }
}

pub(crate) const RAX: Gpr = Gpr(0);
pub(crate) const RCX: Gpr = Gpr(1);
pub(crate) const RDX: Gpr = Gpr(2);
pub(crate) const RBX: Gpr = Gpr(3);
pub(crate) const RSP: Gpr = Gpr(4);
pub(crate) const RBP: Gpr = Gpr(5);
pub(crate) const RSI: Gpr = Gpr(6);
pub(crate) const RDI: Gpr = Gpr(7);
pub(crate) const R8: Gpr = Gpr(8);
pub(crate) const R9: Gpr = Gpr(9);
pub(crate) const R10: Gpr = Gpr(10);
pub(crate) const R11: Gpr = Gpr(11);
pub(crate) const R12: Gpr = Gpr(12);
pub(crate) const R13: Gpr = Gpr(13);
pub(crate) const R14: Gpr = Gpr(14);
pub(crate) const R15: Gpr = Gpr(15);

/// A vector register by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Xmm(pub u8);

/// An address: base, perhaps an index times a power of two, a displacement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mem {
    pub base: Gpr,
    /// Never the stack pointer.
    pub index: Option<Gpr>,
    /// Binary logarithm of what the index is multiplied by, up to 3.
    pub scale: u8,
    pub disp: i32,
}

impl Mem {
    pub fn at(base: Gpr, disp: i32) -> Mem {
        Mem { base, index: None, scale: 0, disp }
    }

    pub fn indexed(base: Gpr, index: Gpr, disp: i32) -> Mem {
        Mem { base, index: Some(index), scale: 0, disp }
    }

    pub fn scaled(base: Gpr, index: Gpr, scale: u8, disp: i32) -> Mem {
        Mem { base, index: Some(index), scale, disp }
    }
}

/// The eight operations of the common arithmetic group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Alu {
    Add = 0,
    Or = 1,
    Adc = 2,
    Sbb = 3,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// The shifts and rotations, by their number in the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Shift {
    Rol = 0,
    Ror = 1,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// Operations on one register that share an opcode, by their number in the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Unary {
    Mul = 4,
    Imul = 5,
    Div = 6,
    Idiv = 7,
}

/// A condition on the flags; the number is that of the instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Cond {
    Below = 2,
    AboveEqual = 3,
    Equal = 4,
    NotEqual = 5,
    BelowEqual = 6,
    Above = 7,
    Sign = 8,
    Parity = 10,
    NoParity = 11,
    Less = 12,
    GreaterEqual = 13,
    LessEqual = 14,
    Greater = 15,
}

impl Cond {
    /// The condition that holds exactly where this one does not.
    pub fn inverted(self) -> Cond {
        match self {
            Cond::Below => Cond::AboveEqual,
            Cond::AboveEqual => Cond::Below,
            Cond::Equal => Cond::NotEqual,
            Cond::NotEqual => Cond::Equal,
            Cond::BelowEqual => Cond::Above,
            Cond::Above => Cond::BelowEqual,
            Cond::Parity => Cond::NoParity,
            Cond::NoParity => Cond::Parity,
            Cond::Less => Cond::GreaterEqual,
            Cond::GreaterEqual => Cond::Less,
            Cond::LessEqual => Cond::Greater,
            Cond::Greater => Cond::LessEqual,
            Cond::Sign => unreachable!("no caller inverts a test of the sign"),
        }
    }

    /// The condition for swapped operands of a comparison.
    pub fn swapped(self) -> Cond {
        match self {
            Cond::Below => Cond::Above,
            Cond::AboveEqual => Cond::BelowEqual,
            Cond::Equal => Cond::Equal,
            Cond::NotEqual => Cond::NotEqual,
            Cond::BelowEqual => Cond::AboveEqual,
            Cond::Above => Cond::Below,
            Cond::Less => Cond::Greater,
            Cond::GreaterEqual => Cond::LessEqual,
            Cond::LessEqual => Cond::GreaterEqual,
            Cond::Greater => Cond::Less,
            Cond::Sign | Cond::Parity | Cond::NoParity => unreachable!("not a comparison"),
        }
    }
}

/// Two-operand floating-point arithmetic, by opcode byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Sse {
    Sqrt = 0x51,
    Add = 0x58,
    Mul = 0x59,
    Sub = 0x5c,
    Min = 0x5d,
    Div = 0x5e,
    Max = 0x5f,
}

/// Bitwise operations on whole vector registers, by opcode byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Bits {
    And = 0x54,
    AndNot = 0x55,
    Or = 0x56,
    Xor = 0x57,
}

/// Rounding modes of `roundss` and `roundsd`; none raises the inexact exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Round {
    Nearest = 8,
    Down = 9,
    Up = 10,
    Zero = 11,
}
