//! What one activation keeps beside the machine's registers: counters, the current instance, calls that
//! crossed into another instance, and how it ended.
//!
//! The store finds the frames of an activation through its context: while code is left, `top` is the
//! context's address, and the context knows the innermost frame.

use super::code::{FuncEntry, ModuleCode};
use super::dispatch::{Flow, Machine, Op, handler};
use crate::backtrace::{FrameKind, RawFrame};
use crate::error::Error;
use crate::store::{GlobalEntity, InstanceEntity, InstanceId, StoreInner};
use crate::trap::TrapKind;
use crate::types::TypeId;

/// A call whose callee runs in another instance: where its return really goes.
pub(super) struct Crossing {
    pub ip: *const u64,
    pub instance: InstanceId,
}

/// Where the stack is looked at.
#[derive(Clone, Copy)]
struct Innermost {
    /// A position in code that belongs to the frame: behind the instruction in progress.
    ip: *const u64,
    fp: *mut u64,
    /// The instruction's offset, where the position does not tell.
    offset: Option<u32>,
}

/// One activation of the interpreter.
pub(super) struct Context {
    /// Slots left of the depth budget.
    pub depth: u64,
    pub fuel: u64,
    /// The running function's instance, and what instructions need of it.
    pub instance: *const InstanceEntity,
    pub global_numbers: *const u32,
    pub globals: *mut GlobalEntity,
    pub types: *const TypeId,
    pub memory: *mut u8,
    pub memory_len: u64,
    pub instance_id: InstanceId,
    pub store: *mut StoreInner,
    pub stack: *mut u64,
    /// Calls in progress that crossed into another instance, outermost first.
    pub crossings: Vec<Crossing>,
    /// Code that the entry function returns to.
    exit: [u64; 2],
    /// Code that functions called from another instance return to.
    back: [u64; 2],
    innermost: Innermost,
    /// The first result of the call that has just ended outside of the handlers.
    pub first: u64,
    /// How the activation ended.
    pub outcome: Result<(), Error>,
}

impl Context {
    pub fn new(store: &mut StoreInner, instance: InstanceId) -> Result<Context, Error> {
        let stack = store.stack_base()?;
        let mut context = Context {
            depth: u64::from(store.depth),
            fuel: store.fuel,
            instance: std::ptr::null(),
            global_numbers: std::ptr::null(),
            globals: std::ptr::null_mut(),
            types: std::ptr::null(),
            memory: std::ptr::null_mut(),
            memory_len: 0,
            instance_id: instance,
            store,
            stack,
            crossings: Vec::new(),
            exit: [handler::<Exit>(), 0],
            back: [handler::<Back>(), 0],
            innermost: Innermost { ip: std::ptr::null(), fp: std::ptr::null_mut(), offset: None },
            first: 0,
            outcome: Ok(()),
        };
        context.enter_instance(instance);
        Ok(context)
    }

    /// The store.
    #[inline(always)]
    pub fn store(&mut self) -> &mut StoreInner {
        // SAFETY: the activation has the store to itself while guest code runs, and every reference made
        // here ends before the next one begins.
        unsafe { &mut *self.store }
    }

    /// The running instance.
    #[inline(always)]
    pub fn instance(&self) -> &InstanceEntity {
        // SAFETY: instances live as long as the store and never move.
        unsafe { &*self.instance }
    }

    /// Makes an instance the running one.
    pub fn enter_instance(&mut self, id: InstanceId) {
        let entity: *const InstanceEntity = self.store().instance(id);
        self.instance = entity;
        self.instance_id = id;
        self.refresh();
    }

    /// Takes over from the store whatever may have changed outside: addresses, fuel and depth.
    pub fn refresh(&mut self) {
        let instance = self.instance;
        let store = self.store();
        // SAFETY: instances live as long as the store and never move.
        let instance = unsafe { &*instance };
        let globals = store.globals.as_mut_ptr();
        let (memory, memory_len) = match instance.memories.first() {
            Some(number) => {
                let memory = &store.memories[*number as usize];
                (memory.base(), memory.len())
            }
            None => (std::ptr::NonNull::dangling().as_ptr(), 0),
        };
        self.global_numbers = instance.globals.as_ptr();
        self.types = instance.module.types.as_ptr();
        self.globals = globals;
        (self.memory, self.memory_len) = (memory, memory_len);
    }

    /// Where the entry function returns to.
    pub fn exit_code(&self) -> *const u64 {
        self.exit.as_ptr()
    }

    /// Where a function called from another instance returns to.
    pub fn back_code(&self) -> *const u64 {
        self.back.as_ptr()
    }

    /// Gives the store the counters it lends to an activation.
    pub fn hand_over(&mut self) {
        let (fuel, depth) = (self.fuel, self.depth);
        let store = self.store();
        store.fuel = fuel;
        store.depth = depth as u32;
    }

    /// Prepares for a walk of the stack. `ip` is behind the instruction in progress, whose
    /// offset is `offset` if the position does not tell; no slot from `free` on is in use.
    pub fn leave(&mut self, ip: *const u64, fp: *mut u64, offset: Option<u32>, free: usize) {
        self.innermost = Innermost { ip, fp, offset };
        self.hand_over();
        let top = std::ptr::from_mut(self).expose_provenance();
        self.store().leave(top, free);
    }

    /// The same where nothing will run before the activation is over.
    fn leave_for_good(&mut self, ip: *const u64, fp: *mut u64, offset: u32) {
        self.leave(ip, fp, Some(offset), self.slot_number(fp));
    }

    /// The position of an address among the slots of the stack.
    pub fn slot_number(&self, address: *const u64) -> usize {
        (address.addr() - self.stack.addr()) / 8
    }

    /// Ends the activation with a trap of the instruction at `ip`.
    pub fn trap(&mut self, ip: *const u64, fp: *mut u64, kind: TrapKind) {
        let site = ModuleCode::of(self.instance()).site(ip.wrapping_add(1));
        self.leave_for_good(ip.wrapping_add(1), fp, site);
        self.outcome = Err(self.store().trap(kind, site));
    }

    /// Ends the activation because `callee` finds too little left of the depth budget. Its frame is
    /// laid out at `fp`, up to the header.
    pub fn exhausted(&mut self, callee: &FuncEntry, fp: *mut u64) {
        self.leave_for_good(callee.code.wrapping_add(1), fp, callee.first_offset);
        self.outcome = Err(self.store().trap(TrapKind::CallStackExhausted, callee.first_offset));
    }

    /// Ends the activation with an error that is already located.
    pub fn fail(&mut self, error: Error) {
        self.outcome = Err(error);
    }

    /// Visits the frames, innermost first.
    pub fn walk(&self, store: &StoreInner, visit: &mut dyn FnMut(RawFrame)) {
        let Innermost { mut ip, mut fp, mut offset } = self.innermost;
        let mut instance = self.instance_id;
        let mut crossings = self.crossings.iter().rev();
        while ip != self.exit_code() {
            if ip == self.back_code() {
                let crossing = crossings.next().expect("as many frames return through it");
                (ip, instance) = (crossing.ip, crossing.instance);
                continue;
            }
            let code = ModuleCode::of(store.instance(instance));
            let entry = code.entry_at(ip);
            let offset = offset.take().unwrap_or_else(|| code.site(ip));
            visit(RawFrame { kind: FrameKind::Wasm, owner: instance.0, func: entry.func.0, offset });
            // SAFETY: every frame in progress has its header filled in.
            (ip, fp) = unsafe { entry.header(fp) };
        }
    }
}

/// What the entry function returns to: the end of the activation.
struct Exit;

impl Op for Exit {
    #[inline(always)]
    unsafe fn run(_: &mut Machine) -> Flow {
        Flow::Stop
    }
}

/// What a function called from another instance returns to: its caller's instance is the running one
/// again, then its caller goes on.
struct Back;

impl Op for Back {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the context is the running activation's.
        unsafe {
            machine.ip = cross_back(machine.context.cast());
            machine.reload();
        }
        Flow::Next
    }
}

#[inline(never)]
unsafe extern "C-unwind" fn cross_back(context: *mut std::ffi::c_void) -> *const u64 {
    // SAFETY: the context is the running activation's.
    let context = unsafe { &mut *context.cast::<Context>() };
    let crossing = context.crossings.pop().expect("a return to this place ends a crossing");
    context.enter_instance(crossing.instance);
    crossing.ip
}
