//! What of the compiler writes x86-64 instructions.

mod convert;
mod float;
mod integer;
mod memory;
#[cfg(feature = "planted-faults")]
mod planted;
