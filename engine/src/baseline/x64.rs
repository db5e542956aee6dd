//! The x86-64 side of the compiler: which registers it has, and the instructions it writes.
//!
//! [`target`] says so to the neutral pass and writes what the pass asks for; [`integer`], [`float`],
//! [`convert`] and [`memory`] select the instructions that compute, with operands in memory, immediates and flags
//! where that is shorter; [`disassemble`] reads them back for listings.

mod convert;
mod disassemble;
mod float;
mod integer;
mod memory;
#[cfg(feature = "planted-faults")]
mod planted;
mod target;

use super::compiler::Compiler;
use crate::native::x64::X64;

type Operand = super::operand::Operand<X64>;
type Place = super::operand::Place<X64>;
