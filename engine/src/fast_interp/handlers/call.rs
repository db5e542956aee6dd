//! Calls and returns.
//!
//! The arguments are already where the callee's frame begins, so a call within the instance charges the
//! depth budget, writes the header, zeroes the locals and goes on. Everything else about calls (another
//! instance, a host function) is left to one function that is not inlined.

use super::super::code::{FuncEntry, HEADER_SLOTS};
use super::super::context::{Context, Crossing};
use super::super::dispatch::{Flow, Machine, Op};
use super::{ACCUMULATOR, SLOT};
use crate::faults::fault;
use crate::instance::func_matches;
use crate::store::{CallSite, FuncId, FuncKind, InstanceId};
use crate::trap::TrapKind;
use crate::val::{NOT_NULL, references_are_zeroed, slot_func};
use std::ffi::c_void;

/// Charges and lays out a frame at `fp`, from which to return to `back` in `caller`, and enters.
#[inline(always)]
unsafe fn enter(
    machine: &mut Machine,
    callee: *const FuncEntry,
    fp: *mut u64,
    back: *const u64,
    caller: *mut u64,
) -> Flow {
    // SAFETY: the callee is a function of code that is alive; the stack is committed for the whole depth
    // budget, and beyond it for a header.
    unsafe {
        let entry = &*callee;
        let mut at = fp.add(entry.param_slots as usize);
        at.write(back.expose_provenance() as u64);
        at.add(1).write(caller.expose_provenance() as u64);
        let depth = &raw mut (*machine.context).depth;
        let Some(left) = depth.read().checked_sub(u64::from(entry.cost)) else {
            exhausted(machine.context.cast(), callee.cast(), fp);
            return Flow::Stop;
        };
        depth.write(left);
        at = at.add(HEADER_SLOTS as usize);
        let end = at.add(entry.declared_slots as usize);
        while at != end {
            at.write(0);
            at = at.add(1);
        }
        if references_are_zeroed() {
            let module = &(*machine.context).instance().module;
            let locals = at.sub(entry.declared_slots as usize);
            for local in module.body_of(entry.func).layout.declared_references() {
                locals.add(local.0 as usize).write(NOT_NULL);
            }
        }
        machine.fp = fp;
        machine.ip = entry.code;
        Flow::Next
    }
}

#[cold]
#[inline(never)]
unsafe extern "C-unwind" fn exhausted(context: *mut c_void, callee: *const c_void, fp: *mut u64) {
    // SAFETY: the caller's; the callee's frame is laid out up to the header.
    unsafe { (*context.cast::<Context>()).exhausted(&*callee.cast::<FuncEntry>(), fp) };
}

/// Calls a function of the same module. First half: the callee's frame; third word: its entry.
pub(in super::super) struct CallInternal;

impl Op for CallInternal {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; lowering wrote the address of the module's own entry.
        unsafe {
            let fp = machine.fp.add(machine.half(0) as usize);
            let callee = std::ptr::with_exposed_provenance(machine.word(2) as usize);
            let (back, caller) = (machine.ip.add(3), machine.fp);
            enter(machine, callee, fp, back, caller)
        }
    }
}

/// Words of the calls below: handler, operands, and the offset of the call with what names the callee.
const CALL_WORDS: usize = 3;
/// Words of tail calls: the same, and what they know of their own frame.
const TAIL_CALL_WORDS: usize = 4;

/// How a call finds its callee.
pub(in super::super) trait Callee {
    /// The callee, or why there is none.
    ///
    /// # Safety
    /// As for [`Op::run`].
    unsafe fn find(machine: &Machine) -> Result<FuncId, TrapKind>;
}

/// A function of the instance; its index is the second half.
pub(in super::super) struct Direct;

impl Callee for Direct {
    #[inline(always)]
    unsafe fn find(machine: &Machine) -> Result<FuncId, TrapKind> {
        // SAFETY: the caller's.
        unsafe { Ok((*machine.context).instance().funcs[machine.half(1) as usize]) }
    }
}

/// An element of a table: fields 2 and 3 are slot of the index and the table's index, the second half of
/// the third word is the index of the type.
pub(in super::super) struct Indirect<const PLACE: u8>;

impl<const PLACE: u8> Callee for Indirect<PLACE> {
    #[inline(always)]
    unsafe fn find(machine: &Machine) -> Result<FuncId, TrapKind> {
        // SAFETY: the caller's.
        unsafe {
            let index = if PLACE == SLOT { machine.slot(machine.field(2)) } else { machine.int };
            let context = &mut *machine.context;
            let wanted = context.types.add((machine.word(2) >> 32) as usize).read();
            let table = context.instance().tables[machine.field(3)];
            let store = context.store();
            let table = &store.tables[table as usize];
            let element = usize::try_from(index).ok().and_then(|index| table.elements.get(index));
            let element = *element.ok_or(TrapKind::UndefinedElement)?;
            let func = slot_func(element).ok_or(TrapKind::UninitializedElement)?;
            if store.func(func).ty != wanted && !func_matches(store, func, wanted) {
                return Err(TrapKind::IndirectCallTypeMismatch);
            }
            Ok(func)
        }
    }
}

/// A function reference in the slot of field 2.
pub(in super::super) struct Reference;

impl Callee for Reference {
    #[inline(always)]
    unsafe fn find(machine: &Machine) -> Result<FuncId, TrapKind> {
        // SAFETY: the caller's.
        let slot = unsafe { machine.slot(machine.field(2)) };
        slot_func(slot).ok_or(TrapKind::NullFunctionReference)
    }
}

/// Calls what `C` finds. First half: the callee's frame (16 bits where fields 2 and 3 are used); third
/// word: the call's file offset in its lower half.
pub(in super::super) struct Call<C>(std::marker::PhantomData<C>);

impl<C: Callee> Op for Call<C> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let func = match C::find(machine) {
                Ok(func) => func,
                Err(kind) => return machine.trap(kind),
            };
            let fp = machine.fp.add(machine.half(0) as usize);
            let context = &mut *machine.context;
            let here = context.instance_id;
            if let FuncKind::Wasm { instance, entry, .. } = &context.store().func(func).kind
                && *instance == here
            {
                let callee = entry.0.cast();
                let (back, caller) = (machine.ip.add(CALL_WORDS), machine.fp);
                return enter(machine, callee, fp, back, caller);
            }
            land(machine, call_other(machine.context.cast(), machine.ip, machine.fp, fp, func.0))
        }
    }
}

/// Where execution goes on; what the first result is, if there is one, stands in [`Context::first`].
///
/// Two words, because those come back in registers: a third would come back in memory of the handler's
/// own frame, and a handler with such a frame cannot end in a jump.
#[repr(C)]
struct Landing {
    /// Null if the activation is over.
    ip: *const u64,
    fp: *mut u64,
}

const STOPPED: Landing = Landing { ip: std::ptr::null(), fp: std::ptr::null_mut() };

impl Landing {
    /// After a call that is over, whose results lie at `results`.
    unsafe fn after(context: &mut Context, ip: *const u64, fp: *mut u64, results: *const u64) -> Landing {
        // SAFETY: the caller's: a slot of the stack may be read, whether it holds a result or not.
        context.first = unsafe { results.read() };
        Landing { ip, fp }
    }
}

#[inline(always)]
unsafe fn land(machine: &mut Machine, landing: Landing) -> Flow {
    if landing.ip.is_null() {
        return Flow::Stop;
    }
    machine.ip = landing.ip;
    machine.fp = landing.fp;
    // SAFETY: the caller's.
    unsafe {
        machine.int = (*machine.context).first;
        machine.reload();
    }
    Flow::Next
}

/// Calls a host function, or enters a function of another instance.
#[inline(never)]
unsafe extern "C-unwind" fn call_other(
    context: *mut c_void,
    ip: *const u64,
    caller: *mut u64,
    fp: *mut u64,
    func: u32,
) -> Landing {
    // SAFETY: the context is the running activation's; the call has three words.
    let (context, site) = unsafe { (&mut *context.cast::<Context>(), ip.add(2).read() as u32) };
    let func = FuncId(func);
    let back = ip.wrapping_add(CALL_WORDS);
    match context.wasm(func) {
        Some((instance, entry)) => {
            context.crossings.push(Crossing { ip: back, instance: context.instance_id });
            context.enter_instance(instance);
            let back = context.back_code();
            // SAFETY: the entry is that of a function of an instance that is alive.
            unsafe { enter_slowly(context, entry, fp, back, caller) }
        }
        // SAFETY: the arguments lie at `fp`.
        None => unsafe { call_host(context, func, CallSite::Call(site), fp, back, caller) },
    }
}

impl Context {
    /// Instance and entry of a wasm function; `None` for a host function.
    fn wasm(&mut self, func: FuncId) -> Option<(InstanceId, *const FuncEntry)> {
        match &self.store().func(func).kind {
            FuncKind::Wasm { instance, entry, .. } => Some((*instance, entry.0.cast())),
            FuncKind::Host(_) => None,
        }
    }
}

/// Calls a host function whose arguments lie at `fp`, and goes on at `back` in `caller`.
unsafe fn call_host(
    context: &mut Context,
    func: FuncId,
    site: CallSite,
    fp: *mut u64,
    back: *const u64,
    caller: *mut u64,
) -> Landing {
    let ty = &context.store().func(func).func_type;
    let slots = ty.param_slots().max(ty.result_slots()) as usize;
    // What a call is in progress in needs nothing above its arguments and results.
    let free = context.slot_number(fp) + slots;
    context.leave(back, caller, None, free);
    // SAFETY: the slots belong to a frame in progress, or to one that has just ended; no other reference
    // to them exists, and nested activations begin after them.
    let slots = unsafe { std::slice::from_raw_parts_mut(fp, slots) };
    let instance = context.instance_id;
    let outcome = context.store().call_host(func, Some(instance), site, slots);
    context.fuel = context.store().fuel;
    context.refresh();
    match outcome {
        // SAFETY: a slot of the stack may be read, whether it holds a result or not.
        Ok(()) => unsafe { Landing::after(context, back, caller, fp) },
        Err(error) => {
            context.fail(error);
            STOPPED
        }
    }
}

/// The same as [`enter`], for those who are not an instruction.
unsafe fn enter_slowly(
    context: &mut Context,
    callee: *const FuncEntry,
    fp: *mut u64,
    back: *const u64,
    caller: *mut u64,
) -> Landing {
    let mut machine = Machine {
        ip: back,
        fp: caller,
        int: 0,
        memory: context.memory,
        memory_len: context.memory_len,
        context,
        single: 0.0,
        double: 0.0,
    };
    // SAFETY: the caller's.
    match unsafe { enter(&mut machine, callee, fp, back, caller) } {
        Flow::Next => Landing { ip: machine.ip, fp: machine.fp },
        Flow::Stop => STOPPED,
    }
}

/// Starts a fresh activation's machine at the entry function, whose arguments lie at `fp`; `None` if it
/// finds too little depth.
///
/// # Safety
/// The callee is a function of the context's instance, and the stack is free from `fp` on.
pub(in super::super) unsafe fn first_call(
    context: &mut Context,
    callee: *const FuncEntry,
    fp: *mut u64,
) -> Option<Machine> {
    let exit = context.exit_code();
    // SAFETY: the caller's.
    let landing = unsafe { enter_slowly(context, callee, fp, exit, fp) };
    let (memory, memory_len) = (context.memory, context.memory_len);
    (!landing.ip.is_null()).then_some(Machine {
        ip: landing.ip,
        fp: landing.fp,
        int: 0,
        memory,
        memory_len,
        context,
        single: 0.0,
        double: 0.0,
    })
}

/// Replaces the running frame by that of what `C` finds. First half: where the arguments are; third word
/// as for [`Call`]; fourth word: the frame's header slot, and its cost in the upper half.
pub(in super::super) struct TailCall<C>(std::marker::PhantomData<C>);

impl<C: Callee> Op for TailCall<C> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            match C::find(machine) {
                Ok(func) => land(machine, tail_call(machine.context.cast(), machine.ip, machine.fp, func.0)),
                Err(kind) => machine.trap(kind),
            }
        }
    }
}

#[inline(never)]
unsafe extern "C-unwind" fn tail_call(
    context: *mut c_void,
    ip: *const u64,
    fp: *mut u64,
    func: u32,
) -> Landing {
    // SAFETY: the context is the running activation's; a tail call has four words, of which the last
    // tells the header of the running frame.
    let (context, arguments, frame) = unsafe {
        let context = &mut *context.cast::<Context>();
        (context, fp.add(ip.add(1).cast::<u32>().read() as usize), ip.add(TAIL_CALL_WORDS - 1).read())
    };
    // SAFETY: as above.
    let [back, caller] = unsafe { fp.add(frame as u32 as usize).cast::<[u64; 2]>().read() };
    let mut back: *const u64 = std::ptr::with_exposed_provenance(back as usize);
    let caller: *mut u64 = std::ptr::with_exposed_provenance_mut(caller as usize);
    context.depth += frame >> 32;
    let func = FuncId(func);
    let params = context.store().func(func).func_type.param_slots() as usize;
    // SAFETY: nothing above the frame's start is in use but the arguments.
    unsafe { std::ptr::copy(arguments, fp, params) };
    match context.wasm(func) {
        Some((instance, entry)) => {
            if instance != context.instance_id {
                if back != context.back_code() {
                    context.crossings.push(Crossing { ip: back, instance: context.instance_id });
                    back = context.back_code();
                }
                context.enter_instance(instance);
            }
            // SAFETY: the entry is that of a function of an instance that is alive.
            unsafe { enter_slowly(context, entry, fp, back, caller) }
        }
        None => {
            let (mut back, mut caller) = (back, caller);
            if fault!("fast-interp-tail-call-to-host-resumes-freed-frame") {
                // SAFETY: the header is inside the stack; that arguments may have taken its place is the fault.
                let header = unsafe { fp.add(frame as u32 as usize).cast::<[u64; 2]>().read() };
                back = std::ptr::with_exposed_provenance(header[0] as usize);
                caller = std::ptr::with_exposed_provenance_mut(header[1] as usize);
            }
            // SAFETY: the arguments lie at `fp`.
            unsafe { call_host(context, func, CallSite::Tail, fp, back, caller) }
        }
    }
}

/// Leaves the frame whose header is in the slot of field 0; its cost is the second half.
#[inline(always)]
unsafe fn leave_frame(machine: &mut Machine, ip: *const u64, fp: *mut u64, cost: u64) -> Flow {
    // SAFETY: the caller's.
    unsafe {
        let depth = &raw mut (*machine.context).depth;
        depth.write(depth.read() + cost);
    }
    machine.ip = ip;
    machine.fp = fp;
    Flow::Next
}

/// Return position, caller's frame and cost.
#[inline(always)]
unsafe fn header(machine: &Machine) -> (*const u64, *mut u64, u64) {
    // SAFETY: the caller's.
    unsafe {
        let [ip, fp] = machine.fp.add(machine.field(0)).cast::<[u64; 2]>().read();
        (
            std::ptr::with_exposed_provenance(ip as usize),
            std::ptr::with_exposed_provenance_mut(fp as usize),
            u64::from(machine.half(1)),
        )
    }
}

/// Returns nothing.
pub(in super::super) struct Return0;

impl Op for Return0 {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            let (ip, fp, cost) = header(machine);
            leave_frame(machine, ip, fp, cost)
        }
    }
}

/// Returns the slot of field 1, the accumulator, or the third word.
pub(in super::super) struct Return1<const PLACE: u8>;

impl<const PLACE: u8> Op for Return1<PLACE> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            machine.int = match PLACE {
                SLOT => machine.slot(machine.field(1)),
                ACCUMULATOR => machine.int,
                _ => machine.word(2),
            };
            let (ip, fp, cost) = header(machine);
            machine.set_slot(0, machine.int);
            leave_frame(machine, ip, fp, cost)
        }
    }
}

/// Returns a run of slots; the third word is where it begins, and in its upper half its length.
pub(in super::super) struct ReturnMany;

impl Op for ReturnMany {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; results fit above the frame's start.
        unsafe {
            let (ip, fp, cost) = header(machine);
            let run = machine.word(2);
            std::ptr::copy(machine.fp.add(run as u32 as usize), machine.fp, (run >> 32) as usize);
            leave_frame(machine, ip, fp, cost)
        }
    }
}
