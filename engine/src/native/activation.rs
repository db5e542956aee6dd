//! Entering compiled code, and finding out how it ended.
//!
//! The stack of a store is used from its end downwards; the first slots of it are the argument buffer. What
//! the store calls "free" is counted in slots from the end.

use super::arch::Arch;
use super::code::CodeUnit;
use super::context::{Failure, VmContext};
use super::host::Host;
use super::side_tables::{Point, PointKind};
use super::thunks::{Status, thunks};
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
/// Slots below a frame that other signal handlers of the process may use.
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

/// Where the arguments of a function travel on this machine, in order.
fn places(params: &[ValType]) -> impl Iterator<Item = Place> + '_ {
    places_in(params, Host::INT_ARGUMENT_REGISTERS, Host::FLOAT_ARGUMENT_REGISTERS)
}

/// Where the arguments of a function travel on a machine that passes so many integers and so many floats in
/// registers, in order.
pub(crate) fn places_in(
    params: &[ValType],
    int_arguments: usize,
    float_arguments: usize,
) -> impl Iterator<Item = Place> + '_ {
    let (mut ints, mut floats, mut slot) = (0, 0, 0);
    params.iter().map(move |ty| {
        let at = slot;
        slot += ty.slots();
        let (count, limit, place): (&mut usize, usize, fn(usize) -> Place) = match ty {
            ValType::F32 | ValType::F64 => (&mut floats, float_arguments, Place::Float),
            ValType::I32 | ValType::I64 | ValType::Ref(_) => (&mut ints, int_arguments, Place::Int),
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
        // What the call put on the stack belongs to the callee's frame; a frame that found no room is below the limit.
        ((self.guest_sp + Host::CALL_BYTES).saturating_sub(self.stack_limit) / 8) as u32
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
        // One frame of the machine stands for as many as functions are inlined there.
        let mut frames = |instance: u32, unit: &CodeUnit, point: Point, wasm: u32| {
            // A return address may be where the next function begins: the call belongs to the frame.
            let inside = match point.kind {
                PointKind::Return => point.code - 1,
                PointKind::Fault => point.code,
            };
            let outer = unit.func(inside).expect("every place in a unit belongs to a function").func;
            // SAFETY: the activation's store lives while it is walked.
            let module = unsafe { &(&(*self.store).instances)[instance as usize].module };
            for (func, wasm) in unit.map().functions(outer, point, wasm) {
                let forgets = is_innermost && fault!("native-innermost-frame-at-zero");
                let offset = if forgets { 0 } else { wasm };
                is_innermost = false;
                let func = module.func_index(func).0;
                visit(RawFrame { kind: FrameKind::Wasm, owner: instance, func, offset });
            }
        };
        // SAFETY: frames in progress begin with the caller's frame pointer and the return address.
        let outwards = |fp: u64| unsafe { (fp as *const [u64; 2]).read() };
        let mut pc = match self.fault_pc {
            0 => self.return_address(),
            at => {
                let (unit, offset) = CodeUnit::at(at as usize).expect("the guest was in its code");
                let wasm = unit.fault(offset).expect("the signal handler looked it up");
                frames(instance, unit, Point::of_fault(offset), wasm);
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
                // The call itself, since its return address may be where the next unit begins.
                let (unit, offset) = CodeUnit::at(pc as usize - 1).expect("return addresses are in code");
                let site = unit.site(offset + 1).expect("every call has its row");
                frames(instance, unit, Point::of_return(site.code), site.wasm);
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

/// Address after the last slot of the store's stack.
fn stack_end(store: &mut StoreInner) -> u64 {
    let slots = store.stack_slots();
    store.stack_base().expect("the activation has it already").wrapping_add(slots) as u64
}

/// Says where code goes on after an access of memory 0 that was out of bounds.
fn redirect(interrupted: &Interrupted) -> Option<usize> {
    let (unit, offset) = CodeUnit::at(interrupted.pc)?;
    unit.fault(offset)?;
    let context = interrupted.register(Host::CONTEXT_REGISTER) as *mut VmContext;
    // SAFETY: code that may fault runs with the context register set.
    let context = unsafe { &mut *context };
    let reached = (interrupted.address as u64).wrapping_sub(context.memory_base as u64);
    if reached >= crate::memory::GUARDED_BYTES {
        return None;
    }
    context.fault_pc = interrupted.pc as u64;
    context.guest_fp = interrupted.register(Host::FRAME_REGISTER) as u64;
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
    let mut context = VmContext::new(store, thunks, base, start);
    debug_assert!(
        base as u64 + 8 * ARGUMENT_SLOTS as u64 <= context.stack_limit,
        "the budgets fit the stack"
    );
    context.enter_instance(instance);
    context.set_arguments(&ty, slots);
    // SAFETY: the piece of code has this type.
    let enter: extern "C" fn(*mut VmContext, *const ()) -> u64 = unsafe { std::mem::transmute(thunks.enter) };
    let status = enter(&raw mut context, entry.0);
    if status == Status::Done as u64 {
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
            self.guest_sp = self.guest_fp - Host::CALL_BYTES;
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

#[cfg(test)]
mod tests;
