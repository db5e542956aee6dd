//! What a call in progress looks like on the stack, and what a function is to the machine.
//!
//! A frame begins with the arguments, where the caller pushed them: they are the first locals.
//!
//! ```text
//! fp                                        frame                       sp
//! | parameters | declared locals, zeroed    | Frame record              | operands ...
//! ```
//!
//! The record sits between locals and operands, so locals and operands are found without it, and it is
//! found from `fp` by the slots of the locals. Records form a list from the innermost call outwards, which is
//! all that a backtrace needs: every record knows the instruction that its own function is at.

use super::side_table::Entry;
use crate::backtrace::{FrameKind, RawFrame};
use crate::limits::FRAME_OVERHEAD_SLOTS;
use crate::module::{FuncBody, FuncIndex};
use crate::store::InstanceId;

/// What a function needs to run. Pointers go into the module's bytes and its side table, which live as
/// long as the code that holds this.
pub(super) struct FuncCode {
    /// Position in the module's index space.
    pub index: FuncIndex,
    /// The first opcode.
    pub start: *const u8,
    /// The end of the last `end`.
    pub end: *const u8,
    /// File offset of the first opcode.
    pub start_offset: u32,
    /// The function's first entry in the side table.
    pub table: *const Entry,
    /// Slots of parameters.
    pub param_slots: u32,
    /// Slots of parameters and declared locals.
    pub local_slots: u32,
    /// Slots of results.
    pub result_slots: u32,
    /// Slots of the highest operand stack.
    pub operand_slots: u32,
    /// What a call charges to the depth budget.
    pub frame_cost: u32,
}

// SAFETY: the pointers are only read through, and what they point to never changes.
unsafe impl Send for FuncCode {}
// SAFETY: as above.
unsafe impl Sync for FuncCode {}

impl FuncCode {
    /// A function of the module whose bytes are `bytes`, with its part of the side table.
    pub fn new(
        index: FuncIndex,
        body: &FuncBody,
        result_slots: u32,
        bytes: &[u8],
        table: &[Entry],
    ) -> FuncCode {
        let code = bytes[body.code.start as usize..body.code.end as usize].as_ptr_range();
        FuncCode {
            index,
            start: code.start,
            end: code.end,
            start_offset: body.code.start,
            table: table.as_ptr(),
            param_slots: body.layout.params().slots,
            local_slots: body.layout.locals().slots,
            result_slots,
            operand_slots: body.operand_slots,
            frame_cost: body.frame_cost,
        }
    }

    /// File offset of a place in the body.
    pub fn offset_of(&self, pc: *const u8) -> u32 {
        self.start_offset + (pc.addr() - self.start.addr()) as u32
    }

    /// The place in the body at a file offset.
    pub fn at_offset(&self, offset: u32) -> *const u8 {
        self.start.wrapping_add((offset - self.start_offset) as usize)
    }
}

/// The record of a call in progress.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Frame {
    /// Whom the function returns to; null if that is the embedder.
    pub caller: *mut Frame,
    /// The function.
    pub func: *const FuncCode,
    /// Where the caller goes on.
    pub return_pc: *const u8,
    /// Where the caller's place in its side table is.
    pub return_stp: *const Entry,
    /// The call that the function is in, or the instruction it trapped at; only good while it is not running.
    pub site: *const u8,
    /// The function's instance.
    pub instance: InstanceId,
    /// The slot below the lowest operand, where the machine's registers put what is on top of no operands.
    pub bottom: u64,
}

/// Slots of a record.
pub(super) const FRAME_SLOTS: usize = size_of::<Frame>() / size_of::<u64>();

// The stack has room for what the depth budget pays for, and this is what it pays for records.
const _: () = assert!(FRAME_SLOTS <= FRAME_OVERHEAD_SLOTS as usize);
const _: () = assert!(size_of::<Frame>().is_multiple_of(size_of::<u64>()) && align_of::<Frame>() <= 8);

/// Visits the frames from `top` outwards.
///
/// # Safety
/// `top` is null, or the record of a call in progress.
pub(super) unsafe fn walk(top: *const Frame, visit: &mut dyn FnMut(RawFrame)) {
    let mut frame = top;
    // SAFETY: records of calls in progress are intact, and so are their functions: the instance holds them.
    while let Some(record) = unsafe { frame.as_ref() } {
        // SAFETY: as above.
        let func = unsafe { &*record.func };
        visit(RawFrame {
            kind: FrameKind::Wasm,
            owner: record.instance.0,
            func: func.index.0,
            offset: func.offset_of(record.site),
        });
        frame = record.caller;
    }
}
