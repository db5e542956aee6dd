//! What scalar operators have in common: which compare, which may trap, which convert.
//!
//! A new operator says its kind in its row, so passes that ask for a kind know it at once.

use super::Numeric;

/// What sort of scalar operator an opcode is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NumericKind {
    /// Whether the operand is zero.
    Test,
    /// Whether two operands stand in a relation.
    Comparison,
    /// Leading, trailing or all bits of the operand, counted.
    BitCount,
    /// Addition, subtraction and multiplication; of floats also division, minimum and maximum.
    Arithmetic,
    /// The quotient of two integers. Traps: division by zero; a signed one also overflow.
    Division,
    /// The remainder of two integers. Traps: division by zero.
    Remainder,
    /// And, or, exclusive or.
    Bitwise,
    /// Shifts and rotations by a count.
    Shift,
    /// Operators on the sign bit of a float, which pass the other bits of a NaN on.
    Sign,
    /// A float rounded to an integral one, and the square root.
    Rounding,
    /// The low bits of an integer, extended to all its bits with their sign.
    SignExtension,
    /// An integer of the other width.
    Resize,
    /// A float to an integer. Traps: invalid conversion of a NaN, overflow.
    Truncation,
    /// A float to the nearest integer there is.
    Saturation,
    /// An integer to a float.
    Conversion,
    /// A float of the other precision.
    Precision,
    /// The same bits as another type.
    Reinterpretation,
}

impl NumericKind {
    /// A kind as the rows write it, or none.
    pub(super) const fn of_row(kinds: &[NumericKind]) -> Option<NumericKind> {
        match *kinds {
            [] => None,
            [kind] => Some(kind),
            _ => panic!("a row has one kind"),
        }
    }

    /// Whether operands alone can make such an operator trap.
    pub const fn may_trap(self) -> bool {
        match self {
            NumericKind::Division | NumericKind::Remainder | NumericKind::Truncation => true,
            NumericKind::Test
            | NumericKind::Comparison
            | NumericKind::BitCount
            | NumericKind::Arithmetic
            | NumericKind::Bitwise
            | NumericKind::Shift
            | NumericKind::Sign
            | NumericKind::Rounding
            | NumericKind::SignExtension
            | NumericKind::Resize
            | NumericKind::Saturation
            | NumericKind::Conversion
            | NumericKind::Precision
            | NumericKind::Reinterpretation => false,
        }
    }

    /// Whether such an operator gives 1 or 0 as the answer to a question.
    pub const fn is_predicate(self) -> bool {
        matches!(self, NumericKind::Test | NumericKind::Comparison)
    }
}

impl Numeric {
    /// What sort of operator it is.
    #[inline]
    pub fn kind(self) -> NumericKind {
        self.row().kind.expect("the rows of the family have a kind")
    }
}
