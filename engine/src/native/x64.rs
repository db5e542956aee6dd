//! What compiled modes need to know of x86-64: the assembler, which registers play which part, and the
//! pieces of code between Rust and compiled code.

pub(crate) mod asm;
pub(crate) mod decode;
pub(crate) mod thunks;

use asm::*;
use std::ops::RangeInclusive;

/// Address of the running activation's context.
pub(crate) const CONTEXT: Gpr = R15;
/// Base of memory 0, in functions that use it.
pub(crate) const MEMORY: Gpr = R14;
/// What is left of the fuel while guest code runs that counts it; elsewhere the context has it.
pub(crate) const FUEL: Gpr = R10;
/// Never holds a value from one instruction of the module to the next.
pub(crate) const SCRATCH: Gpr = R11;
/// The same for floats.
pub(crate) const FLOAT_SCRATCH: Xmm = Xmm(15);
/// Integer and reference arguments, in order.
pub(crate) const INT_ARGUMENTS: [Gpr; super::context::INT_ARGUMENTS] = [RDI, RSI, RDX, RCX, R8, R9];
/// Floating-point arguments, in order.
pub(crate) const FLOAT_ARGUMENTS: [Xmm; super::context::FLOAT_ARGUMENTS] =
    [Xmm(0), Xmm(1), Xmm(2), Xmm(3), Xmm(4), Xmm(5), Xmm(6), Xmm(7)];
/// A single integer result.
pub(crate) const INT_RESULT: Gpr = RAX;
/// A single floating-point result.
pub(crate) const FLOAT_RESULT: Xmm = Xmm(0);

/// How far a direct call or jump reaches, from its own end.
pub(crate) const DIRECT_RANGE: RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;
/// The same, pretended: so little that calls of hardly anything but neighbours do without an island.
pub(crate) const SHORT_RANGE: RangeInclusive<i64> = -128..=127;
/// How far a call is from its island at most: far enough that islands of several calls stand together.
pub(crate) const ISLAND_RANGE: RangeInclusive<i64> = -4096..=4095;
/// What is between functions: an instruction that stops whoever comes there.
pub(crate) const PADDING: u8 = 0xcc;
/// Bytes of an island: a jump.
pub(crate) const ISLAND_BYTES: u32 = 5;
/// Bytes of a direct call or jump, up to the end of which its distance counts.
pub(crate) const DISTANCE_BYTES: u32 = 4;

/// Whether the machine has everything that the code uses beyond the instructions that all machines have.
pub(crate) fn is_supported() -> bool {
    std::arch::is_x86_feature_detected!("sse4.1") && std::arch::is_x86_feature_detected!("popcnt")
}
