//! Blocks, branches and calls.
//!
//! These are the only operations that look at the side table. Every one after which a straight-line
//! segment may begin ends in [`Machine::charge`], directly or by way of [`branch`], [`Machine::enter`] or
//! [`Machine::resume`]; where fuel is not counted that is nothing.

use super::dispatch::{Handler, plain};
use super::frame::FuncCode;
use super::machine::{Machine, Regs, Return, Step, Stop, Trace};
use super::side_table::Entry;
use crate::faults::fault;
use crate::instance::func_matches;
use crate::opcode::Control;
use crate::store::{CallSite, FuncId, FuncKind, InstanceId};
use crate::trap::TrapKind;
use crate::val::slot_func;

/// The handler of a control instruction, if the mode executes it.
pub(super) fn handler<T: Trace, const FUEL: bool>(opcode: Control) -> Option<Handler<T, FUEL>> {
    Some(match opcode {
        Control::Unreachable => plain(|_, _| Err(TrapKind::Unreachable.into())),
        Control::Nop => plain(|_, r| Ok(r)),
        Control::Block => plain(|_, mut r| {
            r.skip_type();
            Ok(r)
        }),
        Control::Loop => plain(|m, mut r| {
            r.skip_type();
            m.charge(r)
        }),
        Control::If => plain(if_),
        // Reached at the end of the first arm, from where control goes on after the `end`.
        Control::Else => plain(take_branch),
        Control::End => plain(end),
        Control::Br => plain(take_branch),
        Control::BrIf => plain(br_if),
        Control::BrTable => plain(br_table),
        Control::BrOnNull => plain(br_on_null),
        Control::BrOnNonNull => plain(br_on_non_null),
        Control::Return => plain(return_),
        Control::Call => plain(call),
        Control::CallIndirect => plain(call_indirect),
        Control::CallRef => plain(call_ref),
        Control::ReturnCall => plain(return_call),
        Control::ReturnCallIndirect => plain(return_call_indirect),
        Control::ReturnCallRef => plain(return_call_ref),
        Control::Throw
        | Control::ThrowRef
        | Control::TryTable
        | Control::BrOnCast
        | Control::BrOnCastFail => return None,
    })
}

/// Follows an entry from the opcode at `at`.
#[inline(always)]
fn branch<T: Trace, const FUEL: bool>(
    m: &mut Machine<'_, T, FUEL>,
    mut r: Regs,
    at: *const u8,
    entry: *const Entry,
) -> Step {
    // SAFETY: the entry belongs to the instruction.
    let to = unsafe { *entry }.transfer();
    if to.drop_slots != 0 {
        let (keep, drop) = (to.keep_slots as usize, to.drop_slots as usize);
        // The topmost slot is where it has to be already: on top.
        if keep != 1 {
            r.flush();
            let kept = r.topmost(keep);
            // SAFETY: validation puts so many operands on the stack.
            unsafe { copy_slots(kept, kept.wrapping_sub(drop), keep) };
        }
        if fault!("interp-branch-keeps-lower-operands") && keep == 1 {
            // What is kept is taken one operand too low.
            r.flush();
            // SAFETY: something is dropped, so there is an operand below the one that is kept.
            r.tos = unsafe { *r.topmost(2) };
        }
        r.drop_below(drop);
        if keep != 1 {
            r.tos = r.top_slot();
        }
    }
    // The displacements lead to an instruction and an entry of the same function.
    r.pc = at.wrapping_offset(to.pc as isize);
    r.stp = entry.wrapping_offset(to.stp as isize);
    m.charge(r)
}

/// Copies slots downwards, to a place that may overlap; mostly none or one.
///
/// # Safety
/// Both ranges are inside the stack.
#[inline(always)]
unsafe fn copy_slots(from: *const u64, to: *mut u64, count: usize) {
    for slot in 0..count {
        // SAFETY: the caller's promise. Volatile, because the compiler would make the loop a call of
        // `memmove`, for which every branch would have to save registers.
        unsafe { to.add(slot).write_volatile(*from.add(slot)) };
    }
}

#[inline(always)]
fn opcode_before(r: Regs) -> *const u8 {
    r.pc.wrapping_sub(1)
}

#[inline(always)]
fn take_branch<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, r: Regs) -> Step {
    branch(m, r, opcode_before(r), r.stp)
}

/// Steps over the label and the entry of a branch that is not taken.
#[inline(always)]
fn pass_branch<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    r.skip_number();
    r.entry();
    m.charge(r)
}

#[inline(always)]
fn if_<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    if r.pop() == 0 {
        return take_branch(m, r);
    }
    r.skip_type();
    r.entry();
    m.charge(r)
}

#[inline(always)]
fn br_if<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    if r.pop() != 0 { take_branch(m, r) } else { pass_branch(m, r) }
}

#[inline(always)]
fn br_table<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let at = opcode_before(r);
    let chosen = (r.pop() as u32).min(r.u32());
    branch(m, r, at, r.stp.wrapping_add(chosen as usize))
}

#[inline(always)]
fn br_on_null<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let value = r.pop();
    if slot_func(value).is_none() {
        return take_branch(m, r);
    }
    r.push(value);
    pass_branch(m, r)
}

#[inline(always)]
fn br_on_non_null<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    if slot_func(*r.top()).is_some() {
        return take_branch(m, r);
    }
    r.pop();
    pass_branch(m, r)
}

#[inline(always)]
fn end<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, r: Regs) -> Step {
    if r.pc != m.func().end {
        return m.charge(r);
    }
    debug_assert_eq!(
        m.height_slots(r),
        m.func().result_slots as usize,
        "a function ends with its results alone"
    );
    return_(m, r)
}

#[inline(always)]
fn return_<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let func = m.func();
    let results = func.result_slots as usize;
    // Read first: results may overwrite the record.
    let back = Return::of(m.record());
    r.flush();
    // SAFETY: the results are on the stack, and the caller has room for them where its arguments were.
    unsafe { copy_slots(r.topmost(results), r.fp, results) };
    m.store.depth += func.frame_cost;
    m.resume(back, r.fp.wrapping_add(results))
}

#[inline(always)]
fn call<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    m.record().site = opcode_before(r);
    let index = r.u32();
    match m.code().defined(index) {
        Some(callee) => enter_from(m, r, callee, m.instance),
        None => {
            let func = m.entity().funcs[index as usize];
            out_of_line(m, r, func, call_func)
        }
    }
}

#[inline(always)]
fn enter_from<T: Trace, const FUEL: bool>(
    m: &mut Machine<'_, T, FUEL>,
    mut r: Regs,
    callee: *const FuncCode,
    instance: InstanceId,
) -> Step {
    r.flush();
    // SAFETY: instances hold their code.
    let callee = unsafe { &*callee };
    let fp = r.topmost(callee.param_slots as usize);
    m.enter(callee, instance, fp, Return { caller: m.frame, pc: r.pc, stp: r.stp })
}

/// Calls a function that takes the registers from the machine and leaves them there.
#[inline(always)]
fn out_of_line<T: Trace, const FUEL: bool>(
    m: &mut Machine<'_, T, FUEL>,
    r: Regs,
    func: FuncId,
    call: fn(&mut Machine<'_, T, FUEL>, FuncId) -> Result<(), Stop>,
) -> Step {
    m.regs = r;
    call(m, func)?;
    Ok(m.regs)
}

/// Calls any function with the operands on the stack.
#[inline(never)]
fn call_func<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, func: FuncId) -> Result<(), Stop> {
    let mut r = m.regs;
    let record = m.store.func(func);
    m.regs = match &record.kind {
        FuncKind::Wasm { instance, entry, .. } => enter_from(m, r, entry.0.cast(), *instance)?,
        FuncKind::Host(_) => {
            let (params, results) = (record.func_type.param_slots(), record.func_type.result_slots());
            let site = CallSite::Call(m.func().offset_of(m.record().site));
            r.flush();
            let args = r.topmost(params as usize);
            m.call_host(func, m.instance, site, args)?;
            r.sp = args.wrapping_add(results as usize).wrapping_sub(1);
            r.tos = r.top_slot();
            m.charge(r)?
        }
    };
    Ok(())
}

/// Calls any function with the operands on the stack, in place of the innermost frame.
#[inline(never)]
fn tail_call_func<T: Trace, const FUEL: bool>(
    m: &mut Machine<'_, T, FUEL>,
    func: FuncId,
) -> Result<(), Stop> {
    let mut r = m.regs;
    let back = Return::of(m.record());
    m.store.depth += m.func().frame_cost;
    let record = m.store.func(func);
    let args = record.func_type.param_slots() as usize;
    r.flush();
    // SAFETY: the arguments are on the stack; where they go there is room for as many slots as the frame
    // has, and more, since the depth budget is half of the stack. The record may be overwritten.
    unsafe { copy_slots(r.topmost(args), r.fp, args) };
    m.regs = match &record.kind {
        FuncKind::Wasm { instance, entry, .. } => {
            let (callee, instance) = (entry.0.cast::<FuncCode>(), *instance);
            // SAFETY: instances hold their code.
            m.enter(unsafe { &*callee }, instance, r.fp, back)?
        }
        FuncKind::Host(_) => {
            let results = record.func_type.result_slots() as usize;
            let freed = m.frame;
            m.frame = back.caller;
            m.call_host(func, m.instance, CallSite::Tail, r.fp)?;
            let back = if fault!("interp-tail-call-to-host-resumes-freed-frame") {
                // SAFETY: the record is inside the stack; what stands there by now is the fault.
                Return::of(unsafe { &mut *freed })
            } else {
                back
            };
            m.resume(back, r.fp.wrapping_add(results))?
        }
    };
    Ok(())
}

/// The function that `call_indirect` means; reads its immediates.
///
/// Traps: `UndefinedElement`, `UninitializedElement`, `IndirectCallTypeMismatch`, in this order.
#[inline(always)]
fn indirect<T: Trace, const FUEL: bool>(m: &Machine<'_, T, FUEL>, r: &mut Regs) -> Result<FuncId, Stop> {
    let wanted = m.entity().module.types[r.u32() as usize];
    let table = &m.store.tables[m.entity().tables[r.u32() as usize] as usize];
    let element = usize::try_from(r.pop()).ok().and_then(|index| table.elements.get(index));
    let func = slot_func(*element.ok_or(TrapKind::UndefinedElement)?);
    let func = func.ok_or(TrapKind::UninitializedElement)?;
    if !func_matches(m.store, func, wanted) {
        return Err(TrapKind::IndirectCallTypeMismatch.into());
    }
    Ok(func)
}

/// The function that `call_ref` means; reads its immediate. Traps: `NullFunctionReference`.
#[inline(always)]
fn referenced(r: &mut Regs) -> Result<FuncId, Stop> {
    r.skip_number();
    Ok(slot_func(r.pop()).ok_or(TrapKind::NullFunctionReference)?)
}

#[inline(always)]
fn call_indirect<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    m.record().site = opcode_before(r);
    let func = indirect(m, &mut r)?;
    out_of_line(m, r, func, call_func)
}

#[inline(always)]
fn call_ref<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    m.record().site = opcode_before(r);
    let func = referenced(&mut r)?;
    out_of_line(m, r, func, call_func)
}

#[inline(always)]
fn return_call<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let func = m.entity().funcs[r.u32() as usize];
    out_of_line(m, r, func, tail_call_func)
}

#[inline(always)]
fn return_call_indirect<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let func = indirect(m, &mut r)?;
    out_of_line(m, r, func, tail_call_func)
}

#[inline(always)]
fn return_call_ref<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let func = referenced(&mut r)?;
    out_of_line(m, r, func, tail_call_func)
}
