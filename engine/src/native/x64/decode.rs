//! Reads machine code back: what kind of instruction each is, as far as the verifier cares.

use iced_x86::{Code, FlowControl, Instruction as Decoded, Mnemonic, OpKind, Register};

/// What an instruction does to control, or that it accesses memory 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// A direct call of this offset.
    Call(u32),
    /// A direct jump to this offset.
    Jump(u32),
    /// A conditional jump to this offset.
    Branch(u32),
    /// A call through a field of the context, or what the scratch register points to.
    CallThrough,
    /// A jump through the same.
    JumpThrough,
    /// A call through anything else.
    CallElsewhere,
    /// A jump to what the scratch register holds: through a jump table.
    JumpTable,
    /// The address of this offset goes into the scratch register: a jump table's.
    TableAddress(u32),
    Return,
    /// Never meant to run.
    Trap,
    /// Reads or writes memory 0.
    Access,
    Plain,
    /// Not an instruction, or one that we never write.
    Invalid,
}

/// An instruction and where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Instruction {
    pub start: u32,
    pub end: u32,
    pub class: Class,
    /// Whether it is an access whose address nobody has compared with the memory's size.
    pub may_fault: bool,
}

/// Decodes code from an offset to its end.
pub(crate) struct Decoder<'a> {
    inner: iced_x86::Decoder<'a>,
}

impl<'a> Decoder<'a> {
    /// A decoder of `code` from offset `from` on.
    pub fn new(code: &'a [u8], from: u32) -> Decoder<'a> {
        let options = iced_x86::DecoderOptions::NONE;
        Decoder { inner: iced_x86::Decoder::with_ip(64, &code[from as usize..], u64::from(from), options) }
    }

    /// Offset of the next instruction.
    pub fn at(&self) -> u32 {
        self.inner.ip() as u32
    }
}

impl Iterator for Decoder<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        if !self.inner.can_decode() {
            return None;
        }
        let mut decoded = Decoded::default();
        self.inner.decode_out(&mut decoded);
        let class = classify(&decoded);
        let may_fault = class == Class::Access
            && !(decoded.memory_index() == Register::R11 && (decoded.memory_displacement64() as i64) < 0);
        Some(Instruction { start: decoded.ip() as u32, end: decoded.next_ip() as u32, class, may_fault })
    }
}

fn classify(decoded: &Decoded) -> Class {
    let target = || decoded.near_branch_target() as u32;
    match decoded.flow_control() {
        FlowControl::Next => {}
        FlowControl::UnconditionalBranch => return Class::Jump(target()),
        FlowControl::ConditionalBranch => return Class::Branch(target()),
        FlowControl::Call => return Class::Call(target()),
        FlowControl::IndirectCall if is_known_pointer(decoded) => return Class::CallThrough,
        FlowControl::IndirectCall => return Class::CallElsewhere,
        FlowControl::IndirectBranch if is_known_pointer(decoded) => return Class::JumpThrough,
        FlowControl::IndirectBranch if decoded.op0_register() == Register::R11 => return Class::JumpTable,
        FlowControl::Return => return Class::Return,
        FlowControl::Interrupt if decoded.code() == Code::Int3 => return Class::Trap,
        FlowControl::IndirectBranch
        | FlowControl::Interrupt
        | FlowControl::XbeginXabortXend
        | FlowControl::Exception => return Class::Invalid,
    }
    if decoded.memory_base() == Register::RIP {
        let is_table = decoded.mnemonic() == Mnemonic::Lea && decoded.op0_register() == Register::R11;
        return if is_table {
            Class::TableAddress(decoded.memory_displacement64() as u32)
        } else {
            Class::Invalid
        };
    }
    match decoded.memory_base() {
        Register::R14 if decoded.mnemonic() != Mnemonic::Lea => Class::Access,
        _ => Class::Plain,
    }
}

/// A call or jump through memory at the context or at the scratch register.
fn is_known_pointer(decoded: &Decoded) -> bool {
    decoded.op0_kind() == OpKind::Memory
        && decoded.memory_index() == Register::None
        && matches!(decoded.memory_base(), Register::R15 | Register::R11)
}
