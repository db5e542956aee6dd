//! The float operators that Rust doesn't have, or has with another idea of NaN and zero.
//!
//! Results are bits, not floats, because LLVM promises nothing about the bits of a NaN that it sees
//! through: it folds "canonical NaN if `x.sqrt()` is NaN, else `x.sqrt()`" to `x.sqrt()`, which is x86's
//! negative NaN. It has no such licence for integers.

use super::Slot;
use crate::trap::TrapKind;

/// What the specification asks of both float types alike.
pub(super) trait Float: Slot {
    /// An unsigned integer as wide as the float.
    type Bits: Slot;
    /// The bits of the number itself, or of the positive canonical NaN for any NaN.
    fn canonical(self) -> Self::Bits;
    /// `min`: NaN if either is, and -0 is less than +0.
    fn minimum(self, other: Self) -> Self::Bits;
    /// `max`: NaN if either is, and +0 is greater than -0.
    fn maximum(self, other: Self) -> Self::Bits;
}

macro_rules! float {
    ($float:ty, $bits:ty, $infinity:literal, $canonical_nan:literal) => {
        impl Float for $float {
            type Bits = $bits;

            #[inline]
            fn canonical(self) -> $bits {
                let bits = self.to_bits();
                let magnitude = bits & (<$bits>::MAX >> 1);
                if magnitude > $infinity { $canonical_nan } else { bits }
            }

            #[inline]
            fn minimum(self, other: $float) -> $bits {
                if self < other {
                    self.to_bits()
                } else if other < self {
                    other.to_bits()
                } else if self == other {
                    // Equal but for the sign of zero: a set sign wins.
                    self.to_bits() | other.to_bits()
                } else {
                    $canonical_nan
                }
            }

            #[inline]
            fn maximum(self, other: $float) -> $bits {
                if self > other {
                    self.to_bits()
                } else if other > self {
                    other.to_bits()
                } else if self == other {
                    // Equal but for the sign of zero: a clear sign wins.
                    self.to_bits() & other.to_bits()
                } else {
                    $canonical_nan
                }
            }
        }
    };
}
float!(f32, u32, 0x7F80_0000, 0x7FC0_0000);
float!(f64, u64, 0x7FF0_0000_0000_0000, 0x7FF8_0000_0000_0000);

/// Makes a truncation that traps: `InvalidConversionToInteger` for NaN, `IntegerOverflow` unless the
/// operand lies strictly between the two bounds.
///
/// A bound is the first number of the float type that truncates to one beyond the integer's range: the
/// limit plus or minus one if the float type has it, else the next float after the limit.
macro_rules! truncation {
    ($name:ident: $float:ty => $integer:ty, $above:literal, $below:literal) => {
        #[inline]
        pub(super) fn $name(a: $float) -> Result<$integer, TrapKind> {
            if a.is_nan() {
                return Err(TrapKind::InvalidConversionToInteger);
            }
            if a > $above && a < $below { Ok(a as $integer) } else { Err(TrapKind::IntegerOverflow) }
        }
    };
}
truncation!(i32_of_f32: f32 => i32, -2147483904.0, 2147483648.0);
truncation!(u32_of_f32: f32 => u32, -1.0, 4294967296.0);
truncation!(i32_of_f64: f64 => i32, -2147483649.0, 2147483648.0);
truncation!(u32_of_f64: f64 => u32, -1.0, 4294967296.0);
truncation!(i64_of_f32: f32 => i64, -9223373136366403584.0, 9223372036854775808.0);
truncation!(u64_of_f32: f32 => u64, -1.0, 18446744073709551616.0);
truncation!(i64_of_f64: f64 => i64, -9223372036854777856.0, 9223372036854775808.0);
truncation!(u64_of_f64: f64 => u64, -1.0, 18446744073709551616.0);
