//! How opcodes divide a body: into blocks, and into the straight-line segments that fuel is charged for.

use super::{Control, Opcode};

/// What an opcode means for the structure of the body it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Structure {
    /// How it stands to blocks.
    pub nesting: Nesting,
    /// How it stands to fuel segments.
    pub boundary: Boundary,
    /// Whether it costs no fuel. Everything else costs 1.
    pub is_free: bool,
}

/// How an opcode stands to blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nesting {
    /// No block begins or ends with it.
    Inside,
    /// It begins a block.
    Begins,
    /// It ends an arm of a block and begins the other.
    Divides,
    /// It ends a block, or the body.
    Ends,
}

/// How an opcode stands to fuel segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundary {
    /// It is in the segment of the opcodes before and behind it.
    Inside,
    /// A segment ends before it.
    Before,
    /// A segment ends with it, and control may go on behind it.
    Behind,
    /// A segment ends with it, and control never goes on behind it.
    Last,
}

impl Opcode {
    /// What the opcode means for the structure of a body.
    #[inline]
    pub fn structure(self) -> Structure {
        let (nesting, boundary, is_free) = match self {
            Opcode::Control(control) => match control {
                Control::Nop => (Nesting::Inside, Boundary::Inside, false),
                Control::Block | Control::TryTable => (Nesting::Begins, Boundary::Inside, true),
                Control::Loop => (Nesting::Begins, Boundary::Before, true),
                Control::If => (Nesting::Begins, Boundary::Behind, false),
                Control::Else => (Nesting::Divides, Boundary::Before, true),
                Control::End => (Nesting::Ends, Boundary::Before, true),
                Control::BrIf
                | Control::BrOnNull
                | Control::BrOnNonNull
                | Control::BrOnCast
                | Control::BrOnCastFail
                | Control::Call
                | Control::CallIndirect
                | Control::CallRef => (Nesting::Inside, Boundary::Behind, false),
                Control::Unreachable
                | Control::Br
                | Control::BrTable
                | Control::Return
                | Control::ReturnCall
                | Control::ReturnCallIndirect
                | Control::ReturnCallRef
                | Control::Throw
                | Control::ThrowRef => (Nesting::Inside, Boundary::Last, false),
            },
            Opcode::Parametric(_)
            | Opcode::Variable(_)
            | Opcode::Table(_)
            | Opcode::Load(_)
            | Opcode::Store(_)
            | Opcode::Memory(_)
            | Opcode::Const(_)
            | Opcode::Numeric(_)
            | Opcode::Wide(_)
            | Opcode::Reference(_)
            | Opcode::Gc(_)
            | Opcode::Vector(_)
            | Opcode::VectorMemory(_)
            | Opcode::Atomic(_) => (Nesting::Inside, Boundary::Inside, false),
        };
        Structure { nesting, boundary, is_free }
    }
}
