//! What the single-pass compiler needs of a machine.
//!
//! The pass decides where every value is; a [`Target`] knows registers and writes instructions. Most of what
//! the pass writes itself (moves, slots, branches, calls, what is found through the context) goes through an
//! [`Assembler`], one method for what the pass means by it. What computes (arithmetic, comparisons,
//! conversions, accesses to memory) is selected by the target as a whole, since one machine has operands in
//! memory, another three operands, a third fused instructions: those methods of [`Target`] take the compiler,
//! and pop and push its operands.
//!
//! Everything is monomorphised: there is one target in a build that only executes, and calls of these methods
//! are direct.

use super::compiler::Compiler;
use super::memory::Access;
use super::operand::{Operand, Slot};
use crate::module::DefinedFuncIndex;
use crate::native::helpers::Helper;
use crate::native::link::Branch;
use crate::native::width::{Float, Width};
use crate::opcode::reader::{MemArg, Reader};
use crate::opcode::{Numeric, Wide};
use std::fmt::Debug;

/// A register of one class.
pub(super) trait Register: Copy + Eq + Debug + 'static {
    /// Its number in its class, less than 16.
    fn number(self) -> u8;

    /// Its name in listings.
    fn name(self) -> String;
}

/// What a machine remembers of a comparison until the next instruction asks.
pub(super) trait Invertible: Copy + Eq + Debug {
    /// The test that holds exactly where this one does not.
    fn inverted(self) -> Self;
}

/// A machine for which the pass compiles. The type itself has no values that matter; it names the machine.
///
/// What the methods that select instructions owe the pass:
///
/// - They take operands with [`Compiler::pop`] and read them with `read_`, `own_` or `load_`; they free all that they
///   took but the registers that they push.
/// - A comparison makes all NaN bits canonical first ([`Compiler::canonical_all`]), since doing so later may lose the
///   outcome, which it pushes with [`Compiler::push_test`].
/// - An operator that shows the bits of a float takes it with [`Compiler::pop_seen`]; a result that may be a NaN of
///   any bits is pushed with [`Compiler::push_float`].
/// - An instruction that jumps to a trap gets the label from [`Compiler::trap`]; before one that may fault instead,
///   [`Compiler::fault`] is called.
/// - A result may go to the register of the local that the next instruction sets ([`Compiler::int_target`]).
pub(super) trait Target: Copy + Eq + Debug + 'static {
    /// An integer register. References travel in these as well.
    type Int: Register;
    /// A register for floats.
    type Float: Register;
    /// The outcome of a comparison, as the instruction after it can ask for it.
    type Test: Invertible;
    /// A place in code that branches name before it is known.
    type Label: Copy + Eq + Debug;
    /// Writes the instructions.
    type Asm: Assembler<Self>;

    /// Integer registers for operands, the most wanted first. At least [`Target::FEW_INTS`].
    const INTS: &'static [Self::Int];
    /// Integer registers for locals, none of them for operands. The last holds the fuel where code counts it.
    const INT_HOMES: &'static [Self::Int];
    /// Registers for floating-point operands, the most wanted first. At least [`Target::FEW_FLOATS`].
    const FLOATS: &'static [Self::Float];
    /// Registers for floating-point locals, none of them for operands.
    const FLOAT_HOMES: &'static [Self::Float];
    /// How many registers of [`Target::INTS`] the lane of few registers uses: no instruction holds more at once.
    const FEW_INTS: usize;
    /// The same of [`Target::FLOATS`].
    const FEW_FLOATS: usize;
    /// Integer and reference arguments, in order. Further arguments go to the argument buffer.
    const INT_ARGUMENTS: &'static [Self::Int];
    /// Floating-point arguments, in order.
    const FLOAT_ARGUMENTS: &'static [Self::Float];
    /// Where helpers find the context, which the call itself puts there, and up to five numbers.
    const HELPER_ARGUMENTS: [Self::Int; 6];
    /// A single integer result of a call, and the single integer value at a label; one of the first of
    /// [`Target::INTS`], so that the lane of few registers has it.
    const INT_RESULT: Self::Int;
    /// The same for a float, of [`Target::FLOATS`].
    const FLOAT_RESULT: Self::Float;
    /// Holds the callee's index, reference or number while arguments take their places: no argument, and no
    /// local lives there.
    const CALLEE: Self::Int;
    /// Never holds a float from one instruction of the module to the next.
    const FLOAT_SCRATCH: Self::Float;
    /// Bytes of a direct call or jump from where its distance is to where its distance counts from.
    const DISTANCE_BYTES: u32;
    /// Bytes of an island.
    const ISLAND_BYTES: u32;
    /// How far after a call its island may be.
    const ISLAND_REACH: u32;

    /// Tests whether an `i32` that was taken from the stack is other than zero. Nothing may change the outcome
    /// until it is asked for.
    fn condition(compiler: &mut Compiler<'_, Self>, operand: &mut Operand<Self>) -> Self::Test;

    /// Compiles a scalar operator: takes its operands from the stack, and pushes its result.
    fn numeric(compiler: &mut Compiler<'_, Self>, opcode: Numeric, reader: &Reader);

    /// Compiles 128-bit arithmetic.
    fn wide(compiler: &mut Compiler<'_, Self>, opcode: Wide);

    /// Compiles a load: takes the address, and pushes the value.
    fn load(compiler: &mut Compiler<'_, Self>, access: Access, to: MemArg, reader: &Reader);

    /// Compiles a store: takes the value and the address.
    fn store(compiler: &mut Compiler<'_, Self>, access: Access, to: MemArg);

    /// Compiles the opcode of a drawn fault, wrongly.
    #[cfg(feature = "planted-faults")]
    fn wrong_operator(
        compiler: &mut Compiler<'_, Self>,
        drawn: &crate::faults::drawn::Drawn,
        reader: &mut Reader,
    );
}

/// An instruction as text.
pub(super) struct Disassembled {
    /// Offset of its first byte.
    pub start: u32,
    /// Offset after its last byte.
    pub end: u32,
    pub text: String,
    /// Its name alone, where operands say nothing before the code is linked.
    pub mnemonic: String,
}

/// Writes instructions for the pass. Unless a method says so, it changes no outcome of a comparison and no
/// register that it was not given, but the scratch registers: what an instruction of the module keeps there is
/// the target's business. "Found" memory is what the last `find_` method left in a scratch register.
pub(super) trait Assembler<T: Target>: Default {
    // Code.

    /// Makes room for so many bytes at once.
    fn reserve(&mut self, bytes: usize);

    /// The code, for good.
    fn into_bytes(self) -> Vec<u8>;

    /// Position of the next instruction.
    fn here(&self) -> u32;

    /// The instructions before `end`.
    fn disassemble(&self, end: u32) -> Vec<Disassembled>;

    // Labels.

    /// A label that is nowhere yet.
    fn label(&mut self) -> T::Label;

    /// Puts a label here.
    fn bind(&mut self, label: T::Label);

    /// Where a bound label is.
    fn position(&self, label: T::Label) -> u32;

    /// Forgets all labels, which must be bound.
    fn forget_labels(&mut self);

    /// The branches to labels, which must be bound, in order.
    fn branches(&self) -> impl Iterator<Item = Branch>;

    /// Jumps.
    fn jump(&mut self, label: T::Label);

    // Frames.

    /// Fills up to where a function may begin.
    fn align(&mut self);

    /// Begins a function's frame of so many bytes; jumps if the stack has no room for them. May use
    /// [`Target::CALLEE`].
    fn enter(&mut self, bytes: u32, exhausted: T::Label);

    /// Gives up the frame, and returns.
    fn ret(&mut self);

    // Moves.

    /// Copies an integer, and clears what is above the width.
    fn copy_int(&mut self, width: Width, to: T::Int, from: T::Int);

    /// Copies a float of any width.
    fn copy_float(&mut self, to: T::Float, from: T::Float);

    /// Exchanges two integer registers.
    fn exchange_ints(&mut self, one: T::Int, other: T::Int);

    /// Exchanges two registers for floats.
    fn exchange_floats(&mut self, one: T::Float, other: T::Float);

    /// Makes an integer register hold a constant.
    fn set_int(&mut self, to: T::Int, value: u64);

    /// Makes an integer register zero. The outcome of a comparison may be lost.
    fn clear_int(&mut self, to: T::Int);

    /// Makes a register for floats hold a constant, given by its bits.
    fn set_float(&mut self, float: Float, to: T::Float, bits: u64);

    /// Loads an integer from a slot, and clears what is above the width.
    fn load_int(&mut self, width: Width, to: T::Int, from: Slot);

    /// Stores an integer to a slot.
    fn store_int(&mut self, width: Width, to: Slot, from: T::Int);

    /// Loads a float from a slot.
    fn load_float(&mut self, float: Float, to: T::Float, from: Slot);

    /// Stores a float to a slot.
    fn store_float(&mut self, float: Float, to: Slot, from: T::Float);

    /// Stores a constant to a slot of the frame.
    fn store_const(&mut self, width: Width, to: Slot, value: u64);

    /// Copies a value of the width from slot to slot, one of which may be found memory. Reading more of a slot
    /// than was just written to it would wait for the cache.
    fn copy_slot(&mut self, width: Width, to: Slot, from: Slot);

    /// Zeroes many slots of the frame: those from `first` on, so many. May use registers that carry arguments,
    /// which have been received.
    fn clear_slots(&mut self, first: u32, count: u32);

    // Conditions.

    /// Tests whether a register is other than zero.
    fn test_nonzero(&mut self, width: Width, reg: T::Int) -> T::Test;

    /// Jumps if a test holds.
    fn jump_if(&mut self, test: T::Test, label: T::Label);

    /// Makes a register 1 if a test holds, else 0.
    fn set_from(&mut self, test: T::Test, to: T::Int);

    /// Keeps `to` if a test holds, else copies `from` to it.
    fn select_int(&mut self, test: T::Test, width: Width, to: T::Int, from: T::Int);

    /// The same for floats.
    fn select_float(&mut self, test: T::Test, to: T::Float, from: T::Float);

    /// Jumps if a float is NaN. The outcome of a comparison is lost.
    fn jump_if_nan(&mut self, float: Float, reg: T::Float, label: T::Label);

    /// Makes a register the canonical NaN.
    fn set_nan(&mut self, float: Float, reg: T::Float);

    /// Jumps if a reference is null.
    fn jump_if_null(&mut self, reference: T::Int, label: T::Label);

    /// Jumps by a table of so many entries, or to `otherwise` if the index is too large for it. Changes the
    /// index.
    fn jump_by_table(&mut self, index: T::Int, count: u32, otherwise: T::Label, table: T::Label);

    /// Data: an entry of a jump table that begins at `origin`.
    fn table_entry(&mut self, origin: u32, target: T::Label);

    // Fuel.

    /// Pays fuel; jumps if there is less.
    fn charge(&mut self, cost: u32, exhausted: T::Label);

    /// Gives fuel back.
    fn refund(&mut self, cost: u32);

    // What the context leads to.

    /// Loads the base of memory 0 into the register where accesses expect it.
    fn load_memory_base(&mut self);

    /// Finds the argument buffer.
    fn find_arguments(&mut self);

    /// Stores a constant to a slot of the argument buffer, which this finds.
    fn store_argument(&mut self, width: Width, slot: u32, value: u64);

    /// Finds a global's value.
    fn find_global(&mut self, index: u32);

    /// The size of a memory in pages of a size whose binary logarithm is given.
    fn memory_size(&mut self, to: T::Int, memory: u32, page_log2: u32);

    /// The size of a table.
    fn table_size(&mut self, to: T::Int, table: u32);

    /// Replaces an index by the table's element; jumps if there is none.
    fn table_get(&mut self, table: u32, index: T::Int, otherwise: T::Label);

    /// Stores an element; jumps if the table has none of that index.
    fn table_set(&mut self, table: u32, index: T::Int, value: T::Int, otherwise: T::Label);

    /// A reference to a function of the running instance.
    fn func_reference(&mut self, to: T::Int, func: u32);

    // Calls. Each ends with the instruction that calls or jumps, unless it says otherwise.

    /// Calls a function that was compiled together with this one; gives the position of the distance, which
    /// is filled in later.
    fn call_linked(&mut self) -> u32;

    /// The same instead of this function, whose frame is given up.
    fn tail_linked(&mut self) -> u32;

    /// Calls a function of the module through the instance's table of entries.
    fn call_entry(&mut self, func: DefinedFuncIndex);

    /// The same instead of this function, whose frame is given up.
    fn tail_entry(&mut self, func: DefinedFuncIndex);

    /// Finds the link of an imported function.
    fn find_import(&mut self, func: u32);

    /// Finds the link of the function to which [`Target::CALLEE`] refers, which is not null.
    fn find_callee(&mut self);

    /// Jumps if the type of the function that was found is another than this of the module.
    fn jump_if_other_type(&mut self, ty: u32, otherwise: T::Label);

    /// Asks the runtime whether the type of the function that was found is a subtype of this of the module;
    /// traps if not. The function stays found.
    fn check_subtype(&mut self, ty: u32);

    /// Jumps if the function that was found runs in another instance.
    fn jump_if_other_instance(&mut self, otherwise: T::Label);

    /// Calls the function that was found, which runs in this instance.
    fn call_found(&mut self);

    /// The same instead of this function, whose frame is given up.
    fn tail_found(&mut self);

    /// Calls the function that was found, whatever its instance.
    fn call_other(&mut self);

    /// The same instead of this function, whose frame is given up.
    fn tail_other(&mut self);

    /// Calls a helper, whose arguments are in place.
    fn call_helper(&mut self, helper: Helper);

    /// Calls what raises a trap.
    fn call_trap(&mut self);

    /// Leaves room for an island, a jump that the linker may write.
    fn island(&mut self);
}
