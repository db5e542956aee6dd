//! How control goes from one instruction to the next.
//!
//! An instruction is a type that implements [`Op`]: it reads its operands after the instruction
//! pointer, does its work on the [`Machine`] and leaves the pointer at what comes next. Its handler is
//! made from that one definition in one of two forms. Release builds thread: a handler takes the machine
//! in argument registers and ends in an indirect call that the compiler turns into a jump, so that every
//! instruction has its own branch to predict. That is an optimisation no compiler owes us, and with
//! debug assertions it doesn't happen; there a loop calls the handlers one after the other.

use super::context::Context;
use crate::numeric::Slot;
use crate::trap::TrapKind;
use std::any::TypeId;
use std::ffi::c_void;

/// What an instruction finds and leaves: all of it lives in registers while code runs threaded.
pub(super) struct Machine {
    /// The instruction, until it moves on.
    pub ip: *const u64,
    /// Slot 0 of the frame.
    pub fp: *mut u64,
    /// The last integer or reference that an instruction computed, as a slot.
    pub int: u64,
    /// First byte of memory 0; dangling if there is none.
    pub memory: *mut u8,
    /// Bytes of memory 0.
    pub memory_len: u64,
    pub context: *mut Context,
    /// The last `f32` that an instruction computed.
    pub single: f32,
    /// The last `f64` that an instruction computed.
    pub double: f64,
}

/// What comes after an instruction.
pub(super) enum Flow {
    /// The instruction at `ip`.
    Next,
    /// Nothing: the activation is over, and the context knows why.
    Stop,
}

/// One kind of instruction.
pub(super) trait Op {
    /// Executes it.
    ///
    /// # Safety
    /// `ip` points to an instruction of this kind that lowering emitted for the running function,
    /// `fp` to a frame of that function, and the context is the running activation's.
    unsafe fn run(machine: &mut Machine) -> Flow;
}

/// Which of the machine's accumulators holds values of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Class {
    Int,
    Single,
    Double,
}

impl Class {
    /// How many accumulators there are.
    pub const COUNT: usize = 3;

    /// The accumulator of a Rust type.
    #[inline(always)]
    pub fn of<T: Slot>() -> Class {
        let id = TypeId::of::<T>();
        if id == TypeId::of::<f32>() {
            Class::Single
        } else if id == TypeId::of::<f64>() {
            Class::Double
        } else {
            Class::Int
        }
    }
}

impl Machine {
    /// The 16-bit field of the operand word, counted from 0.
    ///
    /// # Safety
    /// As for [`Op::run`]; `index` is less than 4.
    #[inline(always)]
    pub unsafe fn field(&self, index: usize) -> usize {
        // SAFETY: every instruction has an operand word after its handler.
        unsafe { usize::from(self.ip.add(1).cast::<u16>().add(index).read()) }
    }

    /// The 32-bit half of the operand word.
    ///
    /// # Safety
    /// As for [`Op::run`]; `index` is less than 2.
    #[inline(always)]
    pub unsafe fn half(&self, index: usize) -> u32 {
        // SAFETY: every instruction has an operand word after its handler.
        unsafe { self.ip.add(1).cast::<u32>().add(index).read() }
    }

    /// The word at a distance from the instruction's start.
    ///
    /// # Safety
    /// As for [`Op::run`]; the instruction has that many words.
    #[inline(always)]
    pub unsafe fn word(&self, index: usize) -> u64 {
        // SAFETY: the caller's.
        unsafe { self.ip.add(index).read() }
    }

    /// A slot of the frame.
    ///
    /// # Safety
    /// As for [`Op::run`]; the slot belongs to the frame.
    #[inline(always)]
    pub unsafe fn slot(&self, index: usize) -> u64 {
        // SAFETY: the caller's; the stack was committed for the whole depth budget.
        unsafe { self.fp.add(index).read() }
    }

    /// Writes a slot of the frame.
    ///
    /// # Safety
    /// As for [`Machine::slot`].
    #[inline(always)]
    pub unsafe fn set_slot(&mut self, index: usize, value: u64) {
        // SAFETY: the caller's.
        unsafe { self.fp.add(index).write(value) }
    }

    /// What an accumulator holds, as a slot.
    #[inline(always)]
    pub fn accumulator(&self, class: Class) -> u64 {
        match class {
            Class::Int => self.int,
            Class::Single => u64::from(self.single.to_bits()),
            Class::Double => self.double.to_bits(),
        }
    }

    /// Sets an accumulator to what a slot would hold.
    #[inline(always)]
    pub fn set_accumulator(&mut self, class: Class, slot: u64) {
        match class {
            Class::Int => self.int = slot,
            Class::Single => self.single = f32::from_bits(slot as u32),
            Class::Double => self.double = f64::from_bits(slot),
        }
    }

    /// Moves on by some words.
    ///
    /// # Safety
    /// As for [`Op::run`]; the instruction has that many words.
    #[inline(always)]
    pub unsafe fn advance(&mut self, words: usize) -> Flow {
        // SAFETY: lowering ends every function with an instruction that does not fall through.
        self.ip = unsafe { self.ip.add(words) };
        Flow::Next
    }

    /// Goes to an instruction some words away.
    ///
    /// # Safety
    /// As for [`Op::run`]; `words` comes from a branch that lowering has resolved.
    #[inline(always)]
    pub unsafe fn branch(&mut self, words: i32) -> Flow {
        // SAFETY: the caller's.
        self.ip = unsafe { self.ip.offset(apart(words as isize)) };
        Flow::Next
    }

    /// Ends the activation with a trap at this instruction.
    ///
    /// # Safety
    /// As for [`Op::run`].
    #[inline(always)]
    pub unsafe fn trap(&mut self, kind: TrapKind) -> Flow {
        // SAFETY: the context is the running activation's.
        unsafe { trap(self.context.cast(), self.ip, self.fp, kind as u32) };
        Flow::Stop
    }

    /// Reads base and length of memory 0 again, after anything that may have changed them.
    ///
    /// # Safety
    /// As for [`Op::run`].
    #[inline(always)]
    pub unsafe fn reload(&mut self) {
        // SAFETY: the context is the running activation's.
        let context = unsafe { &*self.context };
        (self.memory, self.memory_len) = (context.memory, context.memory_len);
    }
}

#[cold]
#[inline(never)]
unsafe extern "C-unwind" fn trap(context: *mut c_void, ip: *const u64, fp: *mut u64, kind: u32) {
    // SAFETY: the context is the running activation's.
    let context = unsafe { &mut *context.cast::<Context>() };
    context.trap(ip, fp, TrapKind::ALL[kind as usize]);
}

/// The same distance, computed where it is asked for. Without this the two outcomes of a branch become
/// one conditional move, and everything after the branch waits for its condition instead of being
/// predicted.
#[inline(always)]
fn apart(words: isize) -> isize {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        let mut words = words;
        // SAFETY: no instruction at all; the operand only keeps the value from being merged.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) words, options(nomem, nostack, preserves_flags));
        }
        words
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        words
    }
}

pub(super) use form::{handler, start};

/// Handlers that a loop calls one after the other.
#[cfg(debug_assertions)]
mod form {
    use super::{Flow, Machine, Op};

    type Handler = unsafe fn(&mut Machine) -> Flow;

    unsafe fn looped<O: Op>(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe { O::run(machine) }
    }

    /// The word that stands for an instruction of this kind in code.
    pub fn handler<O: Op>() -> u64 {
        looped::<O> as Handler as usize as u64
    }

    /// Runs until the activation is over.
    ///
    /// # Safety
    /// As for [`Op::run`].
    pub unsafe fn start(mut machine: Machine) {
        loop {
            // SAFETY: the first word of an instruction is its handler, made by `handler`.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(machine.ip.read() as usize) };
            // SAFETY: the instruction is of the kind its handler expects.
            match unsafe { handler(&mut machine) } {
                Flow::Next => {}
                Flow::Stop => return,
            }
        }
    }
}

/// Handlers that jump to one another.
#[cfg(not(debug_assertions))]
mod form {
    use super::{Flow, Machine, Op};
    use std::ffi::c_void;

    type Handler =
        unsafe extern "C-unwind" fn(*const u64, *mut u64, u64, *mut u8, u64, *mut c_void, f32, f64);

    unsafe extern "C-unwind" fn threaded<O: Op>(
        ip: *const u64,
        fp: *mut u64,
        int: u64,
        memory: *mut u8,
        memory_len: u64,
        context: *mut c_void,
        single: f32,
        double: f64,
    ) {
        let context = context.cast();
        let mut machine = Machine { ip, fp, int, memory, memory_len, context, single, double };
        // SAFETY: the caller's.
        match unsafe { O::run(&mut machine) } {
            // SAFETY: the instruction has left `ip` at the next one.
            Flow::Next => unsafe { start(machine) },
            Flow::Stop => {}
        }
    }

    /// The word that stands for an instruction of this kind in code.
    pub fn handler<O: Op>() -> u64 {
        let handler = threaded::<O> as Handler as usize as u64;
        #[cfg(test)]
        crate::tests::handlers::note(handler, std::any::type_name::<O>());
        handler
    }

    /// Runs until the activation is over.
    ///
    /// # Safety
    /// As for [`Op::run`].
    #[inline(always)]
    pub unsafe fn start(machine: Machine) {
        let Machine { ip, fp, int, memory, memory_len, context, single, double } = machine;
        // SAFETY: the first word of an instruction is its handler, made by `handler`, and the instruction
        // is of the kind its handler expects.
        unsafe {
            let next = std::mem::transmute::<usize, Handler>(ip.read() as usize);
            next(ip, fp, int, memory, memory_len, context.cast(), single, double);
        }
    }
}
