//! What compiled modes need of a machine, whatever compiles for it.
//!
//! `native` itself knows no machine: it links, verifies, enters and unwinds code through an [`Arch`]. Everything is
//! monomorphised. What runs in this process is the code of [`super::host::Host`]; code of any other machine can be
//! written, linked, verified and shown as well.
//!
//! What machines have in common, so that it is written down nowhere else: addresses have 64 bits; the stack grows
//! downwards; a frame begins, at the frame pointer, with the caller's frame pointer and the return address; a
//! distance in a direct call or jump is stored in the last bytes of the instruction.

use super::context::VmContext;
use super::thunks::Pieces;
use std::fmt::Debug;
use std::ops::RangeInclusive;

/// A machine. The type has no values that matter; it names the machine.
pub(crate) trait Arch: Copy + Debug + 'static {
    /// Reads machine code back.
    type Decoder<'a>: Decoder<'a>;

    /// How far a direct call or jump reaches.
    const DIRECT_RANGE: RangeInclusive<i64>;
    /// How far the lane of short branches pretends that it reaches: so little that hardly any calls but those of
    /// neighbours do without an island.
    const SHORT_RANGE: RangeInclusive<i64>;
    /// How far a call is from its island at most: far enough that islands of several calls stand together.
    const ISLAND_RANGE: RangeInclusive<i64>;
    /// Bytes of a direct call or jump that hold its distance, which are its last.
    const DISTANCE_BYTES: u32;
    /// Bytes from the first of these to where the distance counts from.
    const DISTANCE_ORIGIN: u32;
    /// Bytes of an island: a jump.
    const ISLAND_BYTES: u32;
    /// Functions begin at multiples of this.
    const ALIGNMENT: u32;
    /// An instruction that stops execution. Repeated, it fills the room between functions, and islands not in use.
    const PADDING: &'static [u8];

    /// Integer and reference arguments that travel in registers.
    const INT_ARGUMENT_REGISTERS: usize;
    /// Floating-point arguments that travel in registers.
    const FLOAT_ARGUMENT_REGISTERS: usize;
    /// Number of the register that holds the address of the running activation's context.
    const CONTEXT_REGISTER: u8;
    /// Number of the register that holds the frame pointer.
    const FRAME_REGISTER: u8;
    /// Bytes that a call instruction itself puts on the stack.
    const CALL_BYTES: u64;
    /// Bytes that a crossing leaves on the stack beside the callee's frame: the return address, the frame pointer,
    /// and just below what the frame pointer says, in eight bytes, the number of the instance it came from.
    const CROSSING_BYTES: u64;

    /// Writes the distance of a direct call or jump into its last [`Arch::DISTANCE_BYTES`] bytes. The distance is in
    /// [`Arch::DIRECT_RANGE`].
    fn write_distance(bytes: &mut [u8], distance: i64);

    /// Reads what [`Arch::write_distance`] has written.
    fn read_distance(bytes: &[u8]) -> i64;

    /// Writes an island that leads so far from its first byte.
    fn write_island(bytes: &mut [u8], distance: i64);

    /// The code between Rust and compiled code, and the offset of each piece.
    fn thunks() -> (Vec<u8>, Pieces<u32>);

    /// A stub for each of so many functions, which jumps with the function's number to the piece that compiles it;
    /// and the offset of each stub.
    fn lazy_stubs(functions: u32) -> (Vec<u8>, Vec<u32>);

    /// Where the guest's code goes on after the call by which it was left: the call's return address.
    ///
    /// # Safety
    ///
    /// Guest code of this machine was left through a call, and the context says where; or it gave up its frame and
    /// was left through a tail call.
    unsafe fn return_address(context: &VmContext) -> u64;
}

/// Decodes instruction by instruction, as the machine would, up to the end of the code.
pub(crate) trait Decoder<'a>: Iterator<Item = Instruction> {
    /// A decoder of `code` from offset `from` on.
    fn new(code: &'a [u8], from: u32) -> Self;

    /// Offset of the next instruction.
    fn at(&self) -> u32;
}

/// What an instruction does to control, or that it accesses memory 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// A direct call of this offset.
    Call(u32),
    /// A direct jump to this offset.
    Jump(u32),
    /// A jump to this offset under the condition of this number.
    Branch(u8, u32),
    /// A call of an address read from memory. On a machine that loads the address first, what was loaded is known
    /// from the instruction before.
    CallThrough(Pointer),
    /// A jump to an address read from memory.
    JumpThrough(Pointer),
    /// A call of an address in a register.
    CallElsewhere,
    /// A jump to what the scratch register holds: through a jump table.
    JumpTable,
    /// The address of this offset goes into the scratch register: a jump table's.
    TableAddress(u32),
    /// A 32-bit register is compared with this number: perhaps with the length of a jump table.
    Compare(u32),
    Return,
    /// Never meant to run.
    Trap,
    /// Reads or writes memory 0.
    Access,
    Plain,
    /// Not an instruction, or one that is never written.
    Invalid,
}

/// Where an address is read that control goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pointer {
    /// So many bytes into the context.
    Context(i32),
    /// So many bytes after what the scratch register points to.
    Scratch(i32),
    Elsewhere,
}

/// An instruction and where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Instruction {
    pub start: u32,
    pub end: u32,
    pub class: Class,
    /// Whether it is an access of memory 0 whose address was not compared with the memory's size before.
    pub may_fault: bool,
}

#[cfg(test)]
mod tests;
