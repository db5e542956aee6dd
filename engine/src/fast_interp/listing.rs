//! Register code as text, an instruction a line, with the offset of the opcode it came from.

use super::code::HEADER_SLOTS;
use crate::executor::ExplainedLine;
use crate::opcode::Opcode;
use std::fmt::Write;

/// What an instruction is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// As the opcode it executes.
    Opcode(Opcode),
    /// A branch that an opcode decides: on a result that is not zero, or on zero.
    Branch(Opcode, bool),
    /// Something that has no opcode of its own.
    Other(&'static str),
}

impl<O: Into<Opcode>> From<O> for Name {
    fn from(opcode: O) -> Name {
        Name::Opcode(opcode.into())
    }
}

/// A part of an instruction that a reader wants to see.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The slot that is written, named by field 0.
    To,
    /// The slot that a field names.
    Slot(usize),
    /// The accumulator.
    Accumulator,
    /// A half of the operand word, as a number.
    Half(usize),
    /// A half of the operand word, as a slot.
    HalfSlot(usize),
    /// A word, as a number.
    Word(usize),
    /// The second half, as a branch distance.
    Target,
}

/// An instruction of a listing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    /// Position in code.
    pub at: u32,
    /// File offset of the opcode that is being lowered.
    pub offset: u32,
    pub name: Name,
    pub parts: &'static [Part],
}

/// Renders the code of one function, whose parameters take `params` slots and which has `locals` slots
/// of parameters and locals.
pub(super) fn describe(words: &[u64], listing: &[Listed], params: u32, locals: u32) -> Vec<ExplainedLine> {
    let slot = |slot: u32| match slot {
        slot if slot < params => format!("l{slot}"),
        slot if slot < params + HEADER_SLOTS => format!("header+{}", slot - params),
        slot if slot < locals + HEADER_SLOTS => format!("l{}", slot - HEADER_SLOTS),
        slot => format!("s{}", slot - locals - HEADER_SLOTS),
    };
    let render = |listed: &Listed| {
        let mut text = format!("{:5}  ", listed.at);
        match listed.name {
            Name::Opcode(opcode) => text.push_str(opcode.text()),
            Name::Branch(opcode, on) => {
                let sense = if on { "if" } else { "unless" };
                write!(text, "branch {sense} {opcode}").expect("strings take everything");
            }
            Name::Other(name) => text.push_str(name),
        }
        let operands = super::code::operands(words[listed.at as usize + 1]);
        for (index, part) in listed.parts.iter().enumerate() {
            text.push_str(if index == 0 { " " } else { ", " });
            text.push_str(&match *part {
                Part::To => format!("{} <-", slot(operands.field(0))),
                Part::Slot(field) => slot(operands.field(field)),
                Part::Accumulator => "acc".to_string(),
                Part::Half(half) => format!("{:#x}", operands.half(half)),
                Part::HalfSlot(half) => slot(operands.half(half)),
                Part::Word(word) => format!("{:#x}", words[listed.at as usize + word]),
                Part::Target => format!("-> {}", i64::from(listed.at) + i64::from(operands.half(1) as i32)),
            });
        }
        ExplainedLine { offset: listed.offset, text: text.replace("<-,", "<-"), is_state: false }
    };
    listing.iter().map(render).collect()
}
