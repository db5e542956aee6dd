//! From an opcode's byte to the function that executes it.
//!
//! A handler is made from an operation, which is a function of machine and registers; operations know
//! nothing of dispatch. There are two ways to go on after one. A handler may end in a call of the next
//! handler, which the compiler turns into a jump, so the registers stay in the processor's and every
//! handler has an indirect jump of its own to be predicted. Or it leaves the registers in the machine and
//! returns to a loop. Compilers don't promise the jump, and a handler that lost it would eat the native
//! stack: so big operations always return, and in debug builds, where compilers keep calls, all do.
//! What costs a jump is memory in the handler's own frame whose address a called function gets. So what
//! is called out of line passes registers through the machine. A test runs every handler long
//! enough to notice.

use super::machine::{Machine, Regs, Step, Trace};
use super::side_table::Entry;
use super::{bulk, control, numeric, simple};
use crate::opcode::Opcode;

/// A handler takes the registers one by one, because so they are passed in the processor's: the machine
/// and five more are as many as x86-64 has for arguments.
pub(super) type Handler<T, const FUEL: bool> =
    fn(&mut Machine<'_, T, FUEL>, *const u8, *mut u64, *mut u64, *const Entry, u64) -> Next;

/// Handlers by the byte of their opcode.
pub(super) struct Table<T: Trace, const FUEL: bool> {
    single: [Handler<T, FUEL>; 0x100],
    /// Those after 0xFC, the only prefix of opcodes that are executed.
    prefixed: [Handler<T, FUEL>; 0x20],
}

const PREFIX: u8 = 0xfc;

/// What a handler returns, if it returns before the machine stops or because it has stopped.
pub(super) enum Next {
    /// Execution goes on at [`Machine::regs`].
    Again,
    /// Execution has ended.
    End,
}

impl<T: Trace, const FUEL: bool> Table<T, FUEL> {
    /// The handlers of all opcodes that the mode executes.
    pub fn new() -> Table<T, FUEL> {
        let mut table = Table { single: [refuse; 0x100], prefixed: [refuse; 0x20] };
        table.single[PREFIX as usize] = prefixed;
        for opcode in Opcode::all() {
            if let Some(handler) = handler_of(opcode) {
                table.set(opcode, handler);
            }
        }
        table
    }

    fn set(&mut self, opcode: Opcode, handler: Handler<T, FUEL>) {
        let code = opcode.row().code;
        match code.prefix {
            None => self.single[code.value as usize] = handler,
            Some(PREFIX) => self.prefixed[code.value as usize] = handler,
            Some(_) => unreachable!("{opcode} has a prefix that is not dispatched"),
        }
    }

    /// The same, but for the opcode of a drawn fault.
    #[cfg(feature = "planted-faults")]
    pub fn with_wrong(opcode: Opcode) -> Table<T, FUEL> {
        let mut table = Table::new();
        table.set(opcode, numeric::wrong(opcode));
        table
    }
}

/// Executes from `r` until the machine stops.
pub(super) fn run<T: Trace, const FUEL: bool>(machine: &mut Machine<'_, T, FUEL>, r: Regs) {
    machine.regs = r;
    while let Next::Again = step(machine, machine.regs) {}
}

/// Executes the instruction at `r.pc`.
#[inline(always)]
fn step<T: Trace, const FUEL: bool>(machine: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Next {
    if cfg!(debug_assertions) {
        let (height, room) = (machine.height_slots(r), machine.func().operand_slots as usize);
        assert!(height <= room, "{height} slots of operands are within the {room} of the function");
    }
    if T::ON {
        machine.show(r);
    }
    let handler = machine.table.single[r.byte() as usize];
    handler(machine, r.pc, r.sp, r.fp, r.stp, r.tos)
}

/// Goes on at `r`.
#[inline(always)]
fn go_on<T: Trace, const FUEL: bool>(machine: &mut Machine<'_, T, FUEL>, r: Regs) -> Next {
    // The trace is called out of line with what is in memory of the handler's, so it could not end in a jump.
    if cfg!(debug_assertions) || T::ON {
        machine.regs = r;
        return Next::Again;
    }
    step(machine, r)
}

/// The handler of an opcode; `None` if the mode does not execute it.
pub(super) fn handler_of<T: Trace, const FUEL: bool>(opcode: Opcode) -> Option<Handler<T, FUEL>> {
    match opcode {
        Opcode::Control(opcode) => control::handler(opcode),
        Opcode::Parametric(opcode) => Some(simple::parametric(opcode)),
        Opcode::Variable(opcode) => Some(simple::variable(opcode)),
        Opcode::Const(opcode) => Some(simple::constant(opcode)),
        Opcode::Reference(opcode) => simple::reference(opcode),
        Opcode::Numeric(opcode) => Some(numeric::operator(opcode)),
        Opcode::Wide(opcode) => Some(numeric::wide(opcode)),
        Opcode::Load(opcode) => Some(numeric::load(opcode)),
        Opcode::Store(opcode) => Some(numeric::store(opcode)),
        Opcode::Memory(opcode) => Some(bulk::memory(opcode)),
        Opcode::Table(opcode) => Some(bulk::table(opcode)),
        Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => None,
    }
}

/// Makes a handler of an operation. If the operation traps, it does so at its one-byte opcode.
pub(super) fn plain<T, const FUEL: bool, F>(_: F) -> Handler<T, FUEL>
where
    T: Trace,
    F: Fn(&mut Machine<'_, T, FUEL>, Regs) -> Step + Copy + 'static,
{
    fn handler<T, const FUEL: bool, F>(
        machine: &mut Machine<'_, T, FUEL>,
        pc: *const u8,
        sp: *mut u64,
        fp: *mut u64,
        stp: *const Entry,
        tos: u64,
    ) -> Next
    where
        T: Trace,
        F: Fn(&mut Machine<'_, T, FUEL>, Regs) -> Step + Copy + 'static,
    {
        match stateless::<F>()(machine, Regs { pc, sp, fp, stp, tos }) {
            Ok(r) => go_on(machine, r),
            Err(stop) => machine.stop(stop, pc.wrapping_sub(1)),
        }
    }
    handler::<T, FUEL, F>
}

/// Makes a handler of a big operation, which returns to the loop. If the operation traps, it does so at the
/// prefix of its opcode, if it has one.
pub(super) fn big<T, const FUEL: bool, F>(_: F, prefixed: bool) -> Handler<T, FUEL>
where
    T: Trace,
    F: Fn(&mut Machine<'_, T, FUEL>, Regs) -> Step + Copy + 'static,
{
    fn handler<T, const FUEL: bool, const PREFIXED: bool, F>(
        machine: &mut Machine<'_, T, FUEL>,
        pc: *const u8,
        sp: *mut u64,
        fp: *mut u64,
        stp: *const Entry,
        tos: u64,
    ) -> Next
    where
        T: Trace,
        F: Fn(&mut Machine<'_, T, FUEL>, Regs) -> Step + Copy + 'static,
    {
        match stateless::<F>()(machine, Regs { pc, sp, fp, stp, tos }) {
            Ok(r) => {
                machine.regs = r;
                Next::Again
            }
            Err(stop) => {
                let at = if PREFIXED { machine.prefix } else { pc.wrapping_sub(1) };
                machine.stop(stop, at)
            }
        }
    }
    if prefixed { handler::<T, FUEL, true, F> } else { handler::<T, FUEL, false, F> }
}

/// An operation that captures nothing, from its type alone.
#[inline(always)]
fn stateless<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "operations capture nothing") };
    // SAFETY: a value of the type exists, because handlers are made from one; it has no bytes, and
    // may be copied.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// Reads the number after the prefix. It may be longer than it needs to be, so the place of the prefix
/// is noted for those that trap.
pub(super) fn prefixed<T: Trace, const FUEL: bool>(
    machine: &mut Machine<'_, T, FUEL>,
    pc: *const u8,
    sp: *mut u64,
    fp: *mut u64,
    stp: *const Entry,
    tos: u64,
) -> Next {
    machine.prefix = pc.wrapping_sub(1);
    let mut r = Regs { pc, sp, fp, stp, tos };
    let handler = machine.table.prefixed[r.u32() as usize];
    handler(machine, r.pc, sp, fp, stp, tos)
}

fn refuse<T: Trace, const FUEL: bool>(
    _: &mut Machine<'_, T, FUEL>,
    _: *const u8,
    _: *mut u64,
    _: *mut u64,
    _: *const Entry,
    _: u64,
) -> Next {
    unreachable!("modules with opcodes that the mode does not execute are refused")
}
