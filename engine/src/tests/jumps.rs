//! Whether handlers go on by jumping to one another, proved from the machine code of this very process.
//!
//! Tests that run handlers notice a lost jump only on the path they take and only if enough stack is lost.
//! Here every path of a handler is followed through its machine code. What it may end in: a jump whose
//! target is computed, which is dispatch; a jump to another handler or function; a return. What it must
//! not contain: a call whose target is computed, or a call of a handler. Then no path returns
//! to a handler from the one it went on to.
//!
//! A function ends where the tables for unwinding say so. Calls that never return have nothing behind them.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use std::collections::{BTreeMap, HashSet};
use std::ffi::c_void;

/// A handler, and what is expected of it.
pub(crate) struct Handler {
    pub address: u64,
    pub name: String,
    /// Whether it goes on to the next handler itself, on any of its paths.
    pub continues: bool,
}

/// Everything that is wrong with these handlers, which jump to none but one another.
pub(crate) fn violations(handlers: &[Handler]) -> Vec<String> {
    let entries: BTreeMap<u64, &Handler> =
        handlers.iter().map(|handler| (handler.address, handler)).collect();
    let mut wrong = Vec::new();
    for handler in handlers {
        let mut walk = Walk { entries: &entries, function: function_at(handler.address), ..Walk::default() };
        walk.follow(handler.address);
        let mut say = |what: &str| wrong.push(format!("{}: {what}", handler.name));
        walk.faults.iter().for_each(|fault| say(fault));
        match (handler.continues, walk.goes_on) {
            (true, false) => say("no path ends in a jump to the next handler"),
            (false, true) => say("goes on, and was not expected to"),
            (true, true) | (false, false) => {}
        }
    }
    wrong
}

/// Where control goes from an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    Next,
    Jump(Target),
    /// To an address, or on.
    Either(u64),
    Call(Target),
    /// Nowhere in this function.
    End,
    /// Nowhere that is understood.
    Unknown,
}

/// Where a jump or a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Known(u64),
    Computed,
}

/// A walk over the paths of one function.
struct Walk<'a> {
    entries: &'a BTreeMap<u64, &'a Handler>,
    function: u64,
    goes_on: bool,
    faults: Vec<String>,
}

impl Default for Walk<'_> {
    fn default() -> Self {
        static NONE: BTreeMap<u64, &Handler> = BTreeMap::new();
        Walk { entries: &NONE, function: 0, goes_on: false, faults: Vec::new() }
    }
}

impl Walk<'_> {
    fn follow(&mut self, entry: u64) {
        let mut seen = HashSet::new();
        let mut open = vec![entry];
        while let Some(at) = open.pop() {
            let mut next = Some(at);
            // Instructions without a jump between them.
            let mut run: Vec<Instruction> = Vec::new();
            while let Some(at) = next.filter(|at| function_at(*at) == self.function && seen.insert(*at)) {
                let instruction = decode(at);
                next = self.step(&instruction, &run, &mut open);
                run.push(instruction);
            }
        }
    }

    /// Takes note of an instruction; gives the one behind it if control may get there.
    fn step(&mut self, instruction: &Instruction, run: &[Instruction], open: &mut Vec<u64>) -> Option<u64> {
        match flow(instruction) {
            Flow::Next => Some(instruction.next_ip()),
            Flow::Jump(Target::Known(to)) => self.inside(to),
            Flow::Jump(Target::Computed) => {
                if is_loaded(instruction, run) {
                    self.goes_on = true;
                } else {
                    self.fault("goes where no single load says", instruction);
                }
                None
            }
            Flow::Either(to) => {
                open.extend(self.inside(to));
                Some(instruction.next_ip())
            }
            Flow::Call(target) => {
                self.check_call(target, instruction);
                Some(instruction.next_ip())
            }
            Flow::End => None,
            Flow::Unknown => {
                self.fault("is not understood", instruction);
                None
            }
        }
    }

    /// The target of a jump, if it is to be followed; else the path ends here.
    fn inside(&mut self, to: u64) -> Option<u64> {
        if self.entries.contains_key(&to) {
            self.goes_on = true;
            return None;
        }
        (function_at(to) == self.function).then_some(to)
    }

    fn check_call(&mut self, target: Target, instruction: &Instruction) {
        match target {
            Target::Computed => self.fault("calls what it computed", instruction),
            Target::Known(to) => {
                if let Some(handler) = self.entries.get(&to) {
                    self.fault(&format!("calls the handler {}", handler.name), instruction);
                }
            }
        }
    }

    fn fault(&mut self, what: &str, instruction: &Instruction) {
        let distance = instruction.ip() - self.function;
        self.faults.push(format!("{:?} at +{distance:#x} {what}", instruction.code()));
    }
}

fn flow(instruction: &Instruction) -> Flow {
    match instruction.flow_control() {
        FlowControl::Next if instruction.is_invalid() => Flow::Unknown,
        FlowControl::Next => Flow::Next,
        FlowControl::ConditionalBranch => Flow::Either(instruction.near_branch_target()),
        FlowControl::UnconditionalBranch => Flow::Jump(Target::Known(instruction.near_branch_target())),
        FlowControl::IndirectBranch => Flow::Jump(indirect_target(instruction)),
        FlowControl::Call => Flow::Call(Target::Known(instruction.near_branch_target())),
        FlowControl::IndirectCall => Flow::Call(indirect_target(instruction)),
        FlowControl::Return | FlowControl::Exception => Flow::End,
        FlowControl::Interrupt | FlowControl::XbeginXabortXend => Flow::Unknown,
    }
}

/// The target of an indirect jump or call. Functions of other libraries are called through words beside
/// the code that were filled in when the process began.
fn indirect_target(instruction: &Instruction) -> Target {
    if instruction.op0_kind() == OpKind::Memory && instruction.memory_base() == Register::RIP {
        let word = instruction.ip_rel_memory_address();
        // SAFETY: the instruction reads the same word when it is executed.
        Target::Known(unsafe { std::ptr::with_exposed_provenance::<u64>(word as usize).read() })
    } else {
        Target::Computed
    }
}

/// Whether the target of a computed jump is a word of memory as it is. The target of a `match` that
/// became a table is not: it is relative to the table. `run` is the code before the jump.
fn is_loaded(jump: &Instruction, run: &[Instruction]) -> bool {
    if jump.op0_kind() == OpKind::Memory {
        return true;
    }
    let writes = |earlier: &&Instruction| {
        earlier.op0_kind() == OpKind::Register
            && earlier.op0_register().full_register() == jump.op0_register()
            && !matches!(earlier.mnemonic(), Mnemonic::Cmp | Mnemonic::Test)
    };
    let origin = run.iter().rev().find(writes);
    origin.is_some_and(|origin| origin.mnemonic() == Mnemonic::Mov && origin.op1_kind() == OpKind::Memory)
}

/// The instruction at an address that lies in a function.
fn decode(at: u64) -> Instruction {
    const PAGE_BYTES: u64 = 4096;
    const LONGEST_BYTES: u64 = 15;
    let decode_within = |length: u64| {
        let first = std::ptr::with_exposed_provenance::<u8>(at as usize);
        // SAFETY: code is readable, up to the end of its page at least; the caller sees to the rest.
        let bytes = unsafe { std::slice::from_raw_parts(first, length as usize) };
        Decoder::with_ip(64, bytes, at, DecoderOptions::NONE).decode()
    };
    let in_page = (PAGE_BYTES - at % PAGE_BYTES).min(LONGEST_BYTES);
    let instruction = decode_within(in_page);
    // An instruction that its page cuts short goes on in the next one, which is code, too.
    if instruction.is_invalid() && in_page < LONGEST_BYTES {
        decode_within(LONGEST_BYTES)
    } else {
        instruction
    }
}

/// Where the function begins that an address belongs to; 0 if it belongs to none.
fn function_at(address: u64) -> u64 {
    unsafe extern "C" {
        /// From the unwinder that the standard library uses: the function whose frame returns to `pc`,
        /// so that the byte before is what counts.
        fn _Unwind_FindEnclosingFunction(pc: *mut c_void) -> *mut c_void;
    }
    // SAFETY: the unwinder looks the address up and does nothing else with it.
    let start =
        unsafe { _Unwind_FindEnclosingFunction(std::ptr::without_provenance_mut(address as usize + 1)) };
    start.addr() as u64
}

/// The handlers of a machine that has an instruction pointer and nothing else; its code is handlers.
#[derive(Clone, Copy)]
struct Toy(unsafe extern "C-unwind" fn(*const Toy) -> u64);

unsafe extern "C-unwind" fn goes_on(ip: *const Toy) -> u64 {
    // SAFETY: it is never called.
    unsafe { (ip.add(1).read().0)(ip.add(1)) }
}

unsafe extern "C-unwind" fn adds_one_to_the_result(ip: *const Toy) -> u64 {
    // SAFETY: it is never called.
    unsafe { (ip.add(1).read().0)(ip.add(1)) + 1 }
}

unsafe extern "C-unwind" fn adds_one_on_a_rare_path(ip: *const Toy) -> u64 {
    // SAFETY: it is never called.
    unsafe { if ip.addr() == 0x7777 { (ip.read().0)(ip) + 1 } else { (ip.add(1).read().0)(ip.add(1)) } }
}

unsafe extern "C-unwind" fn calls_a_handler(ip: *const Toy) -> u64 {
    // SAFETY: it is never called.
    unsafe { calls_twice(ip) + 1 }
}

#[inline(never)]
unsafe extern "C-unwind" fn calls_twice(ip: *const Toy) -> u64 {
    // SAFETY: it is never called.
    unsafe { (ip.read().0)(ip) ^ (ip.add(1).read().0)(ip) }
}

unsafe extern "C-unwind" fn stops(ip: *const Toy) -> u64 {
    ip.addr() as u64
}

#[test]
fn handlers_that_do_not_jump_are_reported() {
    let handler = |toy, name: &str, continues| {
        let Toy(entry) = toy;
        Handler { address: entry as usize as u64, name: name.to_string(), continues }
    };
    let found = violations(&[
        handler(Toy(goes_on), "goes on", true),
        handler(Toy(goes_on), "goes on in secret", false),
        handler(Toy(adds_one_to_the_result), "adds one", true),
        handler(Toy(adds_one_on_a_rare_path), "adds one rarely", true),
        handler(Toy(calls_a_handler), "calls", true),
        handler(Toy(calls_twice), "calls twice", true),
        handler(Toy(stops), "stops", false),
    ]);
    let of = |name: &str| found.iter().filter(|line| line.starts_with(&format!("{name}:"))).count();
    assert_eq!([of("goes on"), of("stops")], [0; 2], "nothing is wrong with them: {found:#?}");
    assert_eq!([of("goes on in secret"), of("adds one rarely")], [1; 2], "one thing is: {found:#?}");
    assert_eq!([of("adds one"), of("calls")], [2; 2], "a call, and no jump: {found:#?}");
    assert_eq!(of("calls twice"), 3, "two calls, and no jump: {found:#?}");
}
