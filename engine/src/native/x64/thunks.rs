//! The pieces of code between Rust and compiled code: what x86-64 executes for each of [`Pieces`].

use super::asm::*;
use super::{CONTEXT, FLOAT_ARGUMENTS, FLOAT_RESULT, FUEL, INT_ARGUMENTS, INT_RESULT, SCRATCH};
use crate::native::context::VmContext;
use crate::native::thunks::{Pieces, Status};
use std::mem::offset_of;

/// A field of the context.
macro_rules! field {
    ($name:ident) => {
        $crate::native::x64::asm::Mem::at(
            $crate::native::x64::CONTEXT,
            std::mem::offset_of!($crate::native::context::VmContext, $name) as i32,
        )
    };
}
pub(crate) use field;

const W64: Width = Width::W64;

/// The code of all pieces, and where each begins.
pub(super) fn emit() -> (Vec<u8>, Pieces<u32>) {
    let mut asm = Asm::default();
    let exit = asm.label();
    let leave = asm.label();
    let enter = asm.here();
    let enter_return = emit_enter(&mut asm, leave);
    let fault = asm.here();
    keep_fuel(&mut asm);
    asm.bind(exit);
    asm.mov_ri(RAX, Status::Failed as u64);
    asm.jmp(leave);
    let trap = asm.here();
    leave_guest(&mut asm);
    asm.jmp(exit);
    let helper = asm.here();
    emit_helper(&mut asm, exit);
    let call_other = asm.here();
    asm.mov_ri(RAX, 0);
    let other = asm.label();
    asm.jmp(other);
    let tail_other = asm.here();
    asm.mov_ri(RAX, 1);
    asm.bind(other);
    let cross_return = emit_other(&mut asm, exit);
    let compile = asm.here();
    emit_compile(&mut asm, exit);
    let check_subtype = asm.here();
    emit_check_subtype(&mut asm, exit);
    let pieces = Pieces {
        enter,
        enter_return,
        cross_return,
        trap,
        fault,
        helper,
        call_other,
        tail_other,
        compile,
        check_subtype,
    };
    (asm.code.into_bytes(), pieces)
}

const SAVED: [Gpr; 6] = [RBP, RBX, R12, R13, R14, R15];

/// `extern "C" fn(context, entry) -> status`: calls compiled code with the arguments of the context.
fn emit_enter(asm: &mut Asm, leave: Label) -> u32 {
    for reg in SAVED {
        asm.push(reg);
    }
    // Six registers and the return address: one more slot makes a multiple of 16 bytes.
    asm.alu_ri(W64, Alu::Sub, RSP, 8);
    asm.mov_rr(W64, CONTEXT, RDI);
    asm.mov_rr(W64, SCRATCH, RSI);
    asm.mov_mr(W64, field!(host_sp), RSP);
    asm.mov_rm(W64, RSP, field!(guest_sp));
    asm.alu_rr(Width::W32, Alu::Xor, RBP, RBP);
    load_arguments(asm);
    asm.call_r(SCRATCH);
    let enter_return = asm.here();
    keep_result(asm);
    asm.mov_ri(RAX, Status::Done as u64);
    asm.bind(leave);
    asm.mov_rm(W64, RSP, field!(host_sp));
    asm.alu_ri(W64, Alu::Add, RSP, 8);
    for reg in SAVED.into_iter().rev() {
        asm.pop(reg);
    }
    asm.ret();
    enter_return
}

/// Notes where the guest is; its return address is on top of the stack.
fn leave_guest(asm: &mut Asm) {
    asm.mov_mr(W64, field!(guest_sp), RSP);
    asm.mov_mr(W64, field!(guest_fp), RBP);
    keep_fuel(asm);
}

/// Calls a Rust function on the thread's stack, with the context as its first argument. Where the guest's stack
/// pointer is must be noted already.
fn call_rust(asm: &mut Asm, function: Mem) {
    asm.mov_rr(W64, RDI, CONTEXT);
    asm.mov_rm(W64, RSP, field!(host_sp));
    asm.call_m(function);
    asm.mov_rm(W64, RSP, field!(guest_sp));
}

fn keep_fuel(asm: &mut Asm) {
    asm.mov_mr(W64, field!(fuel), FUEL);
}

fn load_fuel(asm: &mut Asm) {
    asm.mov_rm(W64, FUEL, field!(fuel));
}

/// Called with a helper's number times eight in rax and its arguments from rsi on; gives its value in rax.
fn emit_helper(asm: &mut Asm, exit: Label) {
    leave_guest(asm);
    asm.mov_rm(W64, SCRATCH, field!(helpers));
    call_rust(asm, Mem::indexed(SCRATCH, RAX, 0));
    asm.test_rr(W64, RAX, RAX);
    asm.jcc(Cond::NotEqual, exit);
    asm.mov_rr(W64, RAX, RDX);
    load_fuel(asm);
    asm.ret();
}

/// Called or jumped to with a function's link in the scratch register and 0 or 1 in rax for a call or a
/// tail call: calls a host function, or enters a function that may run in another instance.
fn emit_other(asm: &mut Asm, exit: Label) -> u32 {
    keep_arguments(asm);
    leave_guest(asm);
    asm.mov_rr(W64, RSI, SCRATCH);
    asm.mov_rr(W64, RDX, RAX);
    call_rust(asm, field!(resolve));
    asm.mov_rr(W64, SCRATCH, RDX);
    let (jump, cross) = (asm.label(), asm.label());
    asm.alu_ri(W64, Alu::Cmp, RAX, Status::Failed as i32);
    asm.jcc(Cond::Equal, exit);
    asm.alu_ri(W64, Alu::Cmp, RAX, Status::Cross as i32);
    asm.jcc(Cond::Equal, cross);
    asm.jcc(Cond::Above, jump);
    load_result(asm);
    asm.ret();
    asm.bind(jump);
    load_arguments(asm);
    asm.jmp_r(SCRATCH);
    asm.bind(cross);
    asm.push(RBP);
    asm.mov_rr(W64, RBP, RSP);
    asm.push_m(field!(crossed_from));
    load_arguments(asm);
    asm.call_r(SCRATCH);
    let cross_return = asm.here();
    keep_result(asm);
    asm.mov_rm(W64, RSI, Mem::at(RBP, -8));
    asm.mov_mr(W64, field!(guest_sp), RSP);
    call_rust(asm, field!(cross_back));
    asm.leave();
    load_result(asm);
    asm.ret();
    cross_return
}

/// Jumped to with a function's number in rax: compiles it, then runs it.
fn emit_compile(asm: &mut Asm, exit: Label) {
    keep_arguments(asm);
    leave_guest(asm);
    asm.mov_rr(W64, RSI, RAX);
    call_rust(asm, field!(compile_now));
    asm.mov_rr(W64, SCRATCH, RDX);
    asm.test_rr(W64, RAX, RAX);
    asm.jcc(Cond::NotEqual, exit);
    load_arguments(asm);
    asm.jmp_r(SCRATCH);
}

/// Called with a function's link in the scratch register and the index of a type in rax: comes back if
/// the function's type matches. Arguments and link stay.
fn emit_check_subtype(asm: &mut Asm, exit: Label) {
    keep_arguments(asm);
    asm.mov_mr(W64, field!(link), SCRATCH);
    leave_guest(asm);
    asm.mov_rr(W64, RSI, SCRATCH);
    asm.mov_rr(W64, RDX, RAX);
    call_rust(asm, field!(check_now));
    asm.test_rr(W64, RAX, RAX);
    asm.jcc(Cond::NotEqual, exit);
    load_arguments(asm);
    asm.mov_rm(W64, SCRATCH, field!(link));
    asm.ret();
}

fn argument_fields() -> (impl Iterator<Item = (Gpr, Mem)>, impl Iterator<Item = (Xmm, Mem)>) {
    let at = |start: usize, index: usize| Mem::at(CONTEXT, (start + 8 * index) as i32);
    (
        INT_ARGUMENTS.into_iter().enumerate().map(move |(i, reg)| (reg, at(offset_of!(VmContext, ints), i))),
        FLOAT_ARGUMENTS
            .into_iter()
            .enumerate()
            .map(move |(i, reg)| (reg, at(offset_of!(VmContext, floats), i))),
    )
}

fn keep_arguments(asm: &mut Asm) {
    let (ints, floats) = argument_fields();
    ints.for_each(|(reg, place)| asm.mov_mr(W64, place, reg));
    floats.for_each(|(reg, place)| asm.movs_mr(Float::Double, place, reg));
}

fn load_arguments(asm: &mut Asm) {
    let (ints, floats) = argument_fields();
    ints.for_each(|(reg, place)| asm.mov_rm(W64, reg, place));
    floats.for_each(|(reg, place)| asm.movs_rm(Float::Double, reg, place));
    load_fuel(asm);
}

fn keep_result(asm: &mut Asm) {
    asm.mov_mr(W64, field!(result_int), INT_RESULT);
    asm.movs_mr(Float::Double, field!(result_float), FLOAT_RESULT);
    keep_fuel(asm);
}

fn load_result(asm: &mut Asm) {
    asm.mov_rm(W64, INT_RESULT, field!(result_int));
    asm.movs_rm(Float::Double, FLOAT_RESULT, field!(result_float));
    load_fuel(asm);
}
