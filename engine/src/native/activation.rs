//! Entering compiled code, and finding out how it ended.
//!
//! The stack of a store is used from its end downwards; the first slots of it are the argument buffer. What
//! the store calls "free" is counted in slots from the end.

use super::code::CodeUnit;
use super::context::{Failure, VmContext};
use super::helpers;
use super::x64::thunks::thunks;
use crate::backtrace::{FrameKind, RawFrame};
use crate::error::Error;
use crate::faults::fault;
use crate::platform::faults::{Interrupted, prepare_thread};
use crate::slots::{Width, in_a_row};
use crate::store::{FuncId, FuncKind, StoreInner};
use crate::types::{FuncType, ValType};

/// Slots for arguments without registers and for several results: as many as validation allows, twice,
/// since a vector takes two.
const ARGUMENT_SLOTS: usize = 2048;
/// Slots below a frame that signal handlers of others may use.
const SPARE_SLOTS: usize = 64;

/// Where a value of a signature travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// In the n-th integer register.
    Int(usize),
    /// In the n-th floating-point register.
    Float(usize),
    /// In this slot of the argument buffer.
    Slot(u32),
}

/// Where the arguments of a function travel, in order.
pub(crate) fn places(params: &[ValType]) -> impl Iterator<Item = Place> + '_ {
    let (mut ints, mut floats, mut slot) = (0, 0, 0);
    params.iter().map(move |ty| {
        let at = slot;
        slot += ty.slots();
        let (count, limit, place): (&mut usize, usize, fn(usize) -> Place) = match ty {
            ValType::F32 | ValType::F64 => (&mut floats, super::context::FLOAT_ARGUMENTS, Place::Float),
            ValType::I32 | ValType::I64 | ValType::Ref(_) => {
                (&mut ints, super::context::INT_ARGUMENTS, Place::Int)
            }
            ValType::V128 => return Place::Slot(at),
        };
        if *count == limit {
            return Place::Slot(at);
        }
        *count += 1;
        place(*count - 1)
    })
}

/// Whether a value travels in a floating-point register.
pub(crate) fn is_float(ty: ValType) -> bool {
    matches!(ty, ValType::F32 | ValType::F64)
}

impl VmContext {
    /// Copies arguments to where a function of this type finds them.
    fn set_arguments(&mut self, ty: &FuncType, slots: &[u64]) {
        let mut next = in_a_row();
        for (place, ty) in places(ty.params()).zip(ty.params()) {
            let own = &slots[next(*ty)];
            match place {
                Place::Int(index) => self.ints[index] = own[0],
                Place::Float(index) => self.floats[index] = own[0],
                // SAFETY: the buffer has room for all arguments that validation allows.
                Place::Slot(slot) => unsafe {
                    self.arguments.add(slot as usize).copy_from_nonoverlapping(own.as_ptr(), own.len());
                },
            }
        }
    }

    /// Copies arguments from where a function of this type finds them.
    pub fn arguments(&self, ty: &FuncType, slots: &mut [u64]) {
        let mut next = in_a_row();
        for (place, ty) in places(ty.params()).zip(ty.params()) {
            let own = &mut slots[next(*ty)];
            match place {
                Place::Int(index) => own[0] = self.ints[index],
                Place::Float(index) => own[0] = self.floats[index],
                // SAFETY: as above.
                Place::Slot(slot) => unsafe {
                    self.arguments.add(slot as usize).copy_to_nonoverlapping(own.as_mut_ptr(), own.len());
                },
            }
            own[0] = clean(*ty, own[0]);
        }
    }

    /// Copies results to where the caller of a function of this type finds them: a register if there is one
    /// result, and it is no vector, else the argument buffer.
    pub fn set_results(&mut self, ty: &FuncType, slots: &[u64]) {
        match ty.results() {
            [] => {}
            [one] if is_float(*one) => self.result_float = slots[0],
            [one] if Width::of(*one) == Width::One => self.result_int = slots[0],
            // SAFETY: the buffer has room for all results that validation allows.
            [..] => unsafe {
                self.arguments.copy_from_nonoverlapping(slots.as_ptr(), ty.result_slots() as usize);
            },
        }
    }

    fn results(&self, ty: &FuncType, slots: &mut [u64]) {
        match ty.results() {
            [] => {}
            [one] if is_float(*one) => slots[0] = clean(*one, self.result_float),
            [one] if Width::of(*one) == Width::One => slots[0] = clean(*one, self.result_int),
            // SAFETY: as above, and `slots` is at least as long as the results.
            [..] => unsafe {
                self.arguments.copy_to_nonoverlapping(slots.as_mut_ptr(), ty.result_slots() as usize);
            },
        }
    }

    /// Slots of the depth budget that are left where the guest left its code by a call.
    pub fn depth_left(&self) -> u32 {
        // The return address belongs to the callee's frame; a frame that found no room is below the limit.
        ((self.guest_sp + 8).saturating_sub(self.stack_limit) / 8) as u32
    }

    /// Tells the store where the guest is, before anything may look at it.
    pub fn leave(&mut self) {
        self.give_back_fuel();
        let (depth, guest_sp) = (self.depth_left(), self.guest_sp);
        let top = std::ptr::from_mut(self).expose_provenance();
        let store = self.store();
        store.depth = depth;
        let end = stack_end(store);
        store.leave(top, ((end - guest_sp) / 8) as usize + SPARE_SLOTS);
    }

    /// Tells the store what is left of the fuel, if code counts it.
    fn give_back_fuel(&mut self) {
        let fuel = self.fuel;
        let store = self.store();
        if store.engine.settings().fuel {
            store.fuel = fuel;
        }
    }

    /// Visits the frames, innermost first.
    pub fn walk(&self, visit: &mut dyn FnMut(RawFrame)) {
        let mut fp = self.guest_fp;
        let mut instance = self.instance as u32;
        let mut is_innermost = true;
        let mut frame = |instance: u32, unit: &CodeUnit, offset: u32, wasm: u32| {
            let forgets = is_innermost && fault!("native-innermost-frame-at-zero");
            let wasm = if forgets { 0 } else { wasm };
            is_innermost = false;
            let func = unit.func(offset).expect("every place in a unit belongs to a function").func;
            // SAFETY: the activation's store lives while it is walked.
            let module = unsafe { &(&(*self.store).instances)[instance as usize].module };
            let func = module.func_index(func).0;
            visit(RawFrame { kind: FrameKind::Wasm, owner: instance, func, offset: wasm });
        };
        // SAFETY: frames in progress begin with the caller's frame pointer and the return address.
        let outwards = |fp: u64| unsafe { (fp as *const [u64; 2]).read() };
        let mut pc = match self.fault_pc {
            // SAFETY: guest code left through a call, which pushed its return address.
            0 => unsafe { (self.guest_sp as *const u64).read() },
            at => {
                let (unit, offset) = CodeUnit::at(at as usize).expect("the guest was in its code");
                frame(instance, unit, offset, unit.fault(offset).expect("the signal handler looked it up"));
                let [caller, pc] = outwards(fp);
                fp = caller;
                pc
            }
        };
        while pc != self.enter_return {
            if pc == self.cross_return {
                // SAFETY: a crossing keeps the number of the instance below its frame pointer.
                instance = unsafe { (fp as *const u64).sub(1).read() } as u32;
            } else {
                // A return address may be where the next function begins: the call belongs to the frame.
                let (unit, offset) = CodeUnit::at(pc as usize - 1).expect("return addresses are in code");
                let site = unit.site(offset + 1).expect("every call has its row");
                frame(instance, unit, offset, site.wasm);
            }
            [fp, pc] = outwards(fp);
        }
    }
}

/// The slot of a value whose upper half registers do not promise.
fn clean(ty: ValType, value: u64) -> u64 {
    match ty {
        ValType::I32 | ValType::F32 => value & u64::from(u32::MAX),
        ValType::I64 | ValType::F64 | ValType::V128 | ValType::Ref(_) => value,
    }
}

/// Address behind the last slot of the store's stack.
fn stack_end(store: &mut StoreInner) -> u64 {
    let slots = store.stack_slots();
    store.stack_base().expect("the activation has it already").wrapping_add(slots) as u64
}

/// Says where code goes on whose access of memory 0 was out of bounds.
fn redirect(interrupted: &Interrupted) -> Option<usize> {
    let (unit, offset) = CodeUnit::at(interrupted.pc)?;
    unit.fault(offset)?;
    let context = interrupted.context as *mut VmContext;
    // SAFETY: code that may fault runs with the context register set.
    let context = unsafe { &mut *context };
    let reached = (interrupted.address as u64).wrapping_sub(context.memory_base as u64);
    if reached >= crate::memory::GUARDED_BYTES {
        return None;
    }
    context.fault_pc = interrupted.pc as u64;
    context.guest_fp = interrupted.fp as u64;
    Some(thunks().ok()?.fault as usize)
}

/// Calls a function of a compiled mode; see `Executor::call`.
pub(crate) fn call(store: &mut StoreInner, func: FuncId, slots: &mut [u64]) -> Result<(), Error> {
    let thunks = thunks()?;
    prepare_thread(redirect);
    let record = store.func(func);
    let FuncKind::Wasm { instance, entry, .. } = record.kind else {
        unreachable!("the store calls host functions itself")
    };
    let ty = record.func_type.clone();
    let base = store.stack_base()?;
    let start = stack_end(store) - 8 * store.stack_top() as u64;
    let mut context = VmContext {
        stack_limit: start - 8 * u64::from(store.depth),
        fuel: store.fuel,
        memory_base: std::ptr::null_mut(),
        memory_bytes: 0,
        globals: std::ptr::null(),
        tables: std::ptr::null(),
        memories: std::ptr::null(),
        func_links: std::ptr::null(),
        funcs: std::ptr::null(),
        types: std::ptr::null(),
        entries: std::ptr::null(),
        arguments: base,
        trap: thunks.trap,
        helper: thunks.helper,
        call_other: thunks.call_other,
        tail_other: thunks.tail_other,
        compile: thunks.compile,
        check_subtype: thunks.check_subtype,
        instance: 0,
        host_sp: 0,
        guest_sp: start,
        guest_fp: 0,
        fault_pc: 0,
        result_int: 0,
        result_float: 0,
        crossed_from: 0,
        link: 0,
        helpers: helpers::TABLE.as_ptr().cast(),
        resolve: helpers::resolve as *const () as usize,
        cross_back: helpers::cross_back as *const () as usize,
        compile_now: helpers::compile_now as *const () as usize,
        check_now: helpers::check_subtype as *const () as usize,
        ints: [0; super::context::INT_ARGUMENTS],
        floats: [0; super::context::FLOAT_ARGUMENTS],
        #[cfg(feature = "planted-faults")]
        in_corner: 0,
        store,
        enter_return: thunks.enter_return as u64,
        cross_return: thunks.cross_return as u64,
        failure: None,
    };
    debug_assert!(
        base as u64 + 8 * ARGUMENT_SLOTS as u64 <= context.stack_limit,
        "the budgets fit the stack"
    );
    context.enter_instance(instance);
    context.set_arguments(&ty, slots);
    // SAFETY: the piece of code has this type.
    let enter: extern "C" fn(*mut VmContext, *const ()) -> u64 = unsafe { std::mem::transmute(thunks.enter) };
    let status = enter(&raw mut context, entry.0);
    if status == super::x64::thunks::DONE {
        context.give_back_fuel();
        context.results(&ty, slots);
        return Ok(());
    }
    Err(context.failed())
}

impl VmContext {
    /// The error of an activation that left its code for good.
    fn failed(&mut self) -> Error {
        let kind = match self.failure.take() {
            Some(Failure::Panic(payload)) => std::panic::resume_unwind(payload),
            Some(Failure::Error(error)) => {
                self.give_back_fuel();
                return error;
            }
            Some(Failure::Trap(kind)) => Some(kind),
            None => None,
        };
        let (site, own) = self.left_site();
        let kind = kind.or(own).expect("code leaves for good only where a trap is");
        if self.fault_pc != 0 {
            // The stack pointer is not known, and nothing runs below the frame any more.
            self.guest_sp = self.guest_fp - 8;
        }
        self.leave();
        self.store().trap(kind, site)
    }
}

/// Visits the frames of an activation; see `Executor::walk`.
pub(crate) fn walk(top: usize, visit: &mut dyn FnMut(RawFrame)) {
    // SAFETY: what compiled modes pass to `leave` is the address of the activation's context, which lives
    // until the activation is over.
    let context = unsafe { &*std::ptr::with_exposed_provenance::<VmContext>(top) };
    context.walk(visit);
}
