//! How wide the operands of machine instructions are.

/// Width of an integer operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Width {
    W32,
    W64,
}

/// Width of a floating-point operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Float {
    Single,
    Double,
}

impl Float {
    /// The width of an integer with as many bits.
    pub fn width(self) -> Width {
        match self {
            Float::Single => Width::W32,
            Float::Double => Width::W64,
        }
    }
}
