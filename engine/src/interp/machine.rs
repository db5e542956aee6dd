//! The machine: what handlers work on.
//!
//! Four pointers and the topmost operand make up the running state and travel from handler to handler in processor registers
//! ([`Regs`]); everything that changes only at calls is in the [`Machine`]. The operand stack, the locals
//! and the records of frames are slots of the store's stack (see `frame`).
//!
//! What keeps the raw pointers right: validation (operands, locals, immediates), the side table, whose
//! entries the checker verifies, and the depth budget, which is spent before a frame is used and for
//! which the store's stack has room twice over. Debug builds check the operand pointer at every instruction.

use super::ModuleCode;
use super::dispatch::{Next, Table};
use super::frame::{FRAME_SLOTS, Frame, FuncCode};
use super::side_table::Entry;
use crate::error::Error;
use crate::opcode::Opcode;
use crate::slots::SlotIndex;
use crate::store::{CallSite, FuncId, InstanceEntity, InstanceId, StoreInner};
use crate::trap::TrapKind;
use crate::val::{NOT_NULL, references_are_zeroed};
use std::sync::Arc;

/// Watches execution. The machine is compiled once for each kind of trace, so [`NoTrace`] costs nothing.
pub(super) trait Trace: 'static {
    /// Whether [`Trace::instruction`] is called at all.
    const ON: bool;

    /// See [`crate::Trace::instruction`].
    fn instruction(&mut self, instance: InstanceId, offset: u32, opcode: Opcode, operands: &[u64]);
}

/// Watches nothing.
pub(super) struct NoTrace;

impl Trace for NoTrace {
    const ON: bool = false;

    fn instruction(&mut self, _: InstanceId, _: u32, _: Opcode, _: &[u64]) {}
}

/// Forwards each instruction to the store's trace.
pub(super) struct StoreTrace(pub Arc<dyn crate::trace::Trace>);

impl Trace for StoreTrace {
    const ON: bool = true;

    fn instruction(&mut self, instance: InstanceId, offset: u32, opcode: Opcode, operands: &[u64]) {
        self.0.instruction(instance.0, offset, opcode, operands);
    }
}

/// Why the machine stops. Small enough to be returned in a register, so that what is called out of line needs
/// no memory of the caller's (see `dispatch`).
#[derive(Clone, Copy)]
pub(super) enum Stop {
    /// The outermost function has returned.
    Finished,
    /// The instruction that is being executed traps.
    Trap(TrapKind),
    /// Something traps at [`Machine::site`], a place in the innermost frame's function.
    TrapAt(TrapKind),
    /// The error is in [`Machine::outcome`].
    Failed,
}

impl From<TrapKind> for Stop {
    #[inline(always)]
    fn from(kind: TrapKind) -> Stop {
        Stop::Trap(kind)
    }
}

/// Where to go on, or that there is nowhere to go.
pub(super) type Step = Result<Regs, Stop>;

/// The pointers that travel.
#[derive(Clone, Copy)]
pub(super) struct Regs {
    /// Program counter: the next byte to read.
    pub pc: *const u8,
    /// Stack pointer: the slot of the topmost operand, which is not up to date (see `tos`). If there is no
    /// operand, the slot below where the first would be, which is the frame's [`Frame::bottom`].
    pub sp: *mut u64,
    /// Frame pointer: the first local.
    pub fp: *mut u64,
    /// Side-table pointer: the next entry.
    pub stp: *const Entry,
    /// Top of stack: the topmost operand's value. Mostly it is used by the next instruction, and
    /// from here that is faster than by way of memory.
    pub tos: u64,
}

impl Regs {
    /// Before execution begins.
    const NOWHERE: Regs = Regs {
        pc: std::ptr::null(),
        sp: std::ptr::null_mut(),
        fp: std::ptr::null_mut(),
        stp: std::ptr::null(),
        tos: 0,
    };

    /// Reads a byte of the code.
    #[inline(always)]
    pub fn byte(&mut self) -> u8 {
        // SAFETY: validation ends every body with an `end`, after which nothing is read.
        unsafe {
            let byte = *self.pc;
            self.pc = self.pc.add(1);
            byte
        }
    }

    /// Reads bytes of the code.
    #[inline(always)]
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        // SAFETY: as above.
        unsafe {
            let bytes = self.pc.cast::<[u8; N]>().read();
            self.pc = self.pc.add(N);
            bytes
        }
    }

    /// Reads an index, a label or a count.
    #[inline(always)]
    pub fn u32(&mut self) -> u32 {
        self.u64() as u32
    }

    /// Reads an unsigned LEB128 number.
    #[inline(always)]
    pub fn u64(&mut self) -> u64 {
        let first = self.byte();
        if first < 0x80 {
            return u64::from(first);
        }
        self.continued(first).0
    }

    /// Reads a signed LEB128 number.
    #[inline(always)]
    pub fn i64(&mut self) -> i64 {
        let first = self.byte();
        if first < 0x80 {
            return i64::from(first << 1) << 56 >> 57;
        }
        let (value, bits) = self.continued(first);
        let unused = 64u32.saturating_sub(bits);
        (value << unused) as i64 >> unused
    }

    /// The rest of a number of several bytes, and how many bits its bytes have room for.
    #[inline(always)]
    fn continued(&mut self, first: u8) -> (u64, u32) {
        let (mut value, mut bits) = (u64::from(first & 0x7f), 7);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << (bits & 63);
            bits += 7;
            if byte < 0x80 {
                return (value, bits);
            }
        }
    }

    /// Passes over a LEB128 number.
    #[inline(always)]
    pub fn skip_number(&mut self) {
        while self.byte() >= 0x80 {}
    }

    /// Passes over a value type or a block type. All of them are one number, but for references
    /// that are written out.
    #[inline(always)]
    pub fn skip_type(&mut self) {
        let first = self.byte();
        if first == 0x63 || first == 0x64 || first >= 0x80 {
            self.skip_number();
        }
    }

    /// Takes the topmost operand.
    #[inline(always)]
    pub fn pop(&mut self) -> u64 {
        let taken = self.tos;
        self.drop_below(1);
        self.tos = self.top_slot();
        taken
    }

    /// Adds an operand.
    #[inline(always)]
    pub fn push(&mut self, slot: u64) {
        self.flush();
        // The frame's room for operands was paid for when it was entered.
        self.sp = self.sp.wrapping_add(1);
        self.tos = slot;
    }

    /// The topmost operand.
    #[inline(always)]
    pub fn top(&mut self) -> &mut u64 {
        &mut self.tos
    }

    /// Makes memory say what the topmost operand is, so that all operands lie together.
    #[inline(always)]
    pub fn flush(&mut self) {
        // SAFETY: `sp` is between the frame's bottom and the end of its room for operands.
        unsafe { *self.sp = self.tos };
    }

    /// What memory says the topmost operand is.
    #[inline(always)]
    pub fn top_slot(&self) -> u64 {
        // SAFETY: as above.
        unsafe { *self.sp }
    }

    /// Drops `count` operands from under the topmost one.
    #[inline(always)]
    pub fn drop_below(&mut self, count: usize) {
        // Validation keeps the stack deep enough.
        self.sp = self.sp.wrapping_sub(count);
    }

    /// The slot of the lowest of the `count` topmost operands.
    #[inline(always)]
    pub fn topmost(&self, count: usize) -> *mut u64 {
        self.sp.wrapping_add(1).wrapping_sub(count)
    }

    /// A slot of the locals.
    #[inline(always)]
    pub fn local(&mut self, slot: SlotIndex) -> &mut u64 {
        // SAFETY: validation keeps the index within the locals; the slot is not referred to otherwise.
        unsafe { &mut *self.fp.add(slot.0 as usize) }
    }

    /// The next entry of the side table, which is stepped over.
    #[inline(always)]
    pub fn entry(&mut self) -> Entry {
        // SAFETY: the table has an entry for every instruction that reads one.
        unsafe {
            let entry = *self.stp;
            self.stp = self.stp.add(1);
            entry
        }
    }
}

/// One activation of guest code.
pub(super) struct Machine<'a, T: Trace, const FUEL: bool> {
    pub table: &'a Table<T, FUEL>,
    pub store: &'a mut StoreInner,
    pub trace: &'a mut T,
    /// How it ended, once it has.
    pub outcome: Result<(), Error>,
    /// The innermost frame; null while a function that the embedder called has been replaced by a host
    /// function.
    pub frame: *mut Frame,
    /// The innermost frame's function.
    pub func: *const FuncCode,
    /// The innermost frame's instance, and what is used of it.
    pub instance: InstanceId,
    entity: *const InstanceEntity,
    code: *const ModuleCode,
    /// The instance's first memory; of no size if it has none.
    pub memory: Memory,
    /// The instance's memories but the first.
    other_memories: Vec<Memory>,
    /// The prefix byte of the instruction that is being executed, if it has one.
    pub prefix: *const u8,
    /// Where [`Stop::TrapAt`] traps.
    pub site: *const u8,
    /// The registers, while they don't travel.
    pub regs: Regs,
    stack: *mut u64,
}

/// Where a memory is now.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub base: *mut u8,
    pub bytes: u64,
}

impl Memory {
    const NONE: Memory = Memory { base: std::ptr::null_mut(), bytes: 0 };
}

impl<'a, T: Trace, const FUEL: bool> Machine<'a, T, FUEL> {
    /// A machine that is about to enter a function of `instance`; `stack` is the store's.
    pub fn new(
        table: &'a Table<T, FUEL>,
        store: &'a mut StoreInner,
        trace: &'a mut T,
        instance: InstanceId,
        stack: *mut u64,
    ) -> Machine<'a, T, FUEL> {
        let mut machine = Machine {
            table,
            store,
            trace,
            outcome: Ok(()),
            frame: std::ptr::null_mut(),
            func: std::ptr::null(),
            instance,
            entity: std::ptr::null(),
            code: std::ptr::null(),
            memory: Memory::NONE,
            other_memories: Vec::new(),
            prefix: std::ptr::null(),
            site: std::ptr::null(),
            regs: Regs::NOWHERE,
            stack,
        };
        machine.switch(instance);
        machine
    }

    /// The innermost frame's function.
    #[inline(always)]
    pub fn func(&self) -> &'static FuncCode {
        // SAFETY: the instance holds its code, and instances live as long as the store: longer than any
        // use within the machine.
        unsafe { &*self.func }
    }

    /// The instance of the innermost frame.
    #[inline(always)]
    pub fn entity(&self) -> &InstanceEntity {
        // SAFETY: instances are boxed and live as long as the store; none changes while guest code
        // looks at it.
        unsafe { &*self.entity }
    }

    /// What this mode made of the innermost frame's module.
    #[inline(always)]
    pub fn code(&self) -> &ModuleCode {
        // SAFETY: the instance holds its code.
        unsafe { &*self.code }
    }

    /// Makes `instance` the current one.
    ///
    /// Out of line, because asking the code for its type leaves an answer on the native stack, and a handler with
    /// such a place in its own frame loses its jump.
    #[inline(never)]
    pub fn switch(&mut self, instance: InstanceId) {
        let entity = self.store.instance(instance);
        self.instance = instance;
        self.entity = entity;
        self.code = ModuleCode::of(&*entity.code);
        self.reload_memories();
    }

    /// Looks up the memories again, after something may have made one grow.
    pub fn reload_memories(&mut self) {
        // SAFETY: as in `entity`; borrowed apart from the machine.
        let indices = unsafe { &(*self.entity).memories };
        let mut memories = indices.iter().map(|index| {
            let memory = &self.store.memories[*index as usize];
            Memory { base: memory.base(), bytes: memory.len() }
        });
        self.memory = memories.next().unwrap_or(Memory::NONE);
        self.other_memories.clear();
        self.other_memories.extend(memories);
    }

    /// Where a memory of the instance is.
    #[inline(always)]
    pub fn memory_at(&self, index: u32) -> &Memory {
        match index {
            0 => &self.memory,
            _ => &self.other_memories[index as usize - 1],
        }
    }

    /// Pays for the segment that begins here, where fuel is counted.
    #[inline(always)]
    pub fn charge(&mut self, mut r: Regs) -> Step {
        if FUEL {
            let charge = r.entry().charge();
            if self.store.fuel < u64::from(charge.cost) {
                self.site = self.func().at_offset(charge.site);
                return Err(Stop::TrapAt(TrapKind::OutOfFuel));
            }
            self.store.fuel -= u64::from(charge.cost);
        }
        Ok(r)
    }

    /// Pays for `count` bytes or elements of a bulk operation, where fuel is counted.
    pub fn charge_bulk(&mut self, count: u64) -> Result<(), Stop> {
        if FUEL {
            let left = self.store.fuel.checked_sub(count.div_ceil(64));
            self.store.fuel = left.ok_or(Stop::Trap(TrapKind::OutOfFuel))?;
        }
        Ok(())
    }

    /// Enters a function whose arguments lie from `fp` on.
    #[inline(always)]
    pub fn enter(&mut self, callee: &FuncCode, instance: InstanceId, fp: *mut u64, back: Return) -> Step {
        let locals = callee.local_slots as usize;
        let frame = Frame {
            caller: back.caller,
            func: callee,
            return_pc: back.pc,
            return_stp: back.stp,
            site: callee.start,
            instance,
            bottom: 0,
        };
        // SAFETY: beyond twice the depth budget the stack has room for the largest frame there can be.
        let record = unsafe {
            let record = fp.add(locals).cast::<Frame>();
            record.write(frame);
            record
        };
        self.frame = record;
        self.func = callee;
        if instance != self.instance {
            self.switch(instance);
        }
        if self.store.depth < callee.frame_cost {
            self.site = callee.start;
            return Err(Stop::TrapAt(TrapKind::CallStackExhausted));
        }
        self.store.depth -= callee.frame_cost;
        for local in callee.param_slots as usize..locals {
            // SAFETY: declared locals lie between the parameters and the record. Volatile, because the
            // compiler would make the loop a call of `memset`, for which every call would have to save registers.
            unsafe { fp.add(local).write_volatile(0) };
        }
        if references_are_zeroed() {
            self.write_wrong_defaults(callee);
        }
        let sp = operands(record).wrapping_sub(1);
        self.charge(Regs { pc: callee.start, sp, fp, stp: callee.table, tos: 0 })
    }

    /// Does to locals that are references what the fault says.
    #[cold]
    #[inline(never)]
    fn write_wrong_defaults(&mut self, callee: &FuncCode) {
        let module = self.entity().module.clone();
        for local in module.body_of(callee.index).layout.declared_references() {
            // SAFETY: declared locals end where the record begins.
            unsafe {
                self.frame
                    .cast::<u64>()
                    .sub((callee.local_slots - callee.param_slots - local.0) as usize)
                    .write(NOT_NULL)
            };
        }
    }

    /// Goes on in a caller, to which a frame returns; results end below `end`.
    #[inline(always)]
    pub fn resume(&mut self, back: Return, end: *mut u64) -> Step {
        // SAFETY: a caller's record is intact as long as the call is in progress.
        let Some(caller) = (unsafe { back.caller.as_ref() }) else { return Err(Stop::Finished) };
        self.frame = back.caller;
        self.func = caller.func;
        if caller.instance != self.instance {
            self.switch(caller.instance);
        }
        // SAFETY: locals lie below the record.
        let fp = unsafe { back.caller.cast::<u64>().sub(self.func().local_slots as usize) };
        let mut r = Regs { pc: back.pc, sp: end.wrapping_sub(1), fp, stp: back.stp, tos: 0 };
        r.tos = r.top_slot();
        self.charge(r)
    }

    /// The record of the innermost frame.
    #[inline(always)]
    pub fn record(&mut self) -> &mut Frame {
        // SAFETY: there is a frame while its function runs, and nothing else refers to it.
        unsafe { &mut *self.frame }
    }

    /// Calls a host function whose arguments lie from `args` on, which is where its results go.
    #[inline(never)]
    pub fn call_host(
        &mut self,
        func: FuncId,
        caller: InstanceId,
        site: CallSite,
        args: *mut u64,
    ) -> Result<(), Stop> {
        let ty = &self.store.func(func).func_type;
        let slots = ty.param_slots().max(ty.result_slots()) as usize;
        let free = self.slot_index(args) + slots;
        self.store.leave(self.frame.expose_provenance(), free);
        // SAFETY: arguments and results lie in the caller's operands. Nothing else uses them: a guest that
        // the host calls has its frames from `free` on.
        let slots = unsafe { std::slice::from_raw_parts_mut(args, slots) };
        if let Err(error) = self.store.call_host(func, Some(caller), site, slots) {
            return Err(self.fail(error));
        }
        self.reload_memories();
        Ok(())
    }

    /// Notes an error that is already located, or needs no place.
    pub fn fail(&mut self, error: Error) -> Stop {
        self.outcome = Err(error);
        Stop::Failed
    }

    /// Ends execution. `at` is the instruction that was being executed.
    #[cold]
    #[inline(never)]
    pub fn stop(&mut self, stop: Stop, at: *const u8) -> Next {
        let (kind, at) = match stop {
            Stop::Finished | Stop::Failed => return Next::End,
            Stop::Trap(kind) => (kind, at),
            Stop::TrapAt(kind) => (kind, self.site),
        };
        self.record().site = at;
        let free = self.slot_index(self.frame.cast()) + FRAME_SLOTS;
        self.store.leave(self.frame.expose_provenance(), free);
        self.outcome = Err(self.store.trap(kind, self.func().offset_of(at)));
        Next::End
    }

    fn slot_index(&self, slot: *const u64) -> usize {
        (slot.addr() - self.stack.addr()) / size_of::<u64>()
    }

    /// Shows the instruction at `r.pc` to the trace.
    #[inline(never)]
    pub fn show(&mut self, mut r: Regs) {
        r.flush();
        let func = self.func();
        // SAFETY: the function's code ends at `func.end`.
        let rest = unsafe { std::slice::from_raw_parts(r.pc, func.end.addr() - r.pc.addr()) };
        let (opcode, _) = Opcode::decode(rest).expect("validation accepts known opcodes only");
        // SAFETY: operands lie between the frame's record and `sp`.
        let operands = unsafe { std::slice::from_raw_parts(operands(self.frame), self.height_slots(r)) };
        self.trace.instruction(self.instance, func.offset_of(r.pc), opcode, operands);
    }

    /// Slots of the operands that the function has on the stack.
    pub fn height_slots(&self, r: Regs) -> usize {
        r.topmost(0).addr().wrapping_sub(operands(self.frame).addr()) / size_of::<u64>()
    }
}

/// The slot of a frame's lowest operand.
#[inline(always)]
fn operands(frame: *mut Frame) -> *mut u64 {
    frame.wrapping_add(1).cast()
}

/// What a frame knows of the way back.
#[derive(Clone, Copy)]
pub(super) struct Return {
    pub caller: *mut Frame,
    pub pc: *const u8,
    pub stp: *const Entry,
}

impl Return {
    /// To the embedder.
    pub const OUT: Return =
        Return { caller: std::ptr::null_mut(), pc: std::ptr::null(), stp: std::ptr::null() };

    /// The way back of an existing frame.
    #[inline(always)]
    pub fn of(frame: &Frame) -> Return {
        Return { caller: frame.caller, pc: frame.return_pc, stp: frame.return_stp }
    }
}
