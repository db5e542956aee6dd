//! Calls: what is in registers goes to slots, arguments go where the callee finds them, results come back.

use super::compiler::{Compiler, Stub};
use super::operand::{Operand, Place, Ty};
use crate::faults::Fault;
use crate::module::{DefinedFuncIndex, FuncIndex};
use crate::native::activation::{Place as ArgumentPlace, places};
use crate::native::helpers::Helper;
use crate::native::x64::asm::*;
use crate::native::x64::thunks::field;
use crate::native::x64::{FLOAT_ARGUMENTS, FLOAT_RESULT, FLOAT_SCRATCH, INT_ARGUMENTS, INT_RESULT, SCRATCH};
use crate::store::{FuncLink, TableLink};
use crate::trap::TrapKind;
use crate::types::FuncType;
use std::mem::{offset_of, size_of};
use std::sync::Arc;

const W64: Width = Width::W64;
/// Binary logarithm of the size of a function's link.
const LINK_LOG2: u8 = size_of::<FuncLink>().trailing_zeros() as u8;
/// Holds the callee's index, reference or link while arguments take their places: no argument.
const CALLEE: Gpr = RAX;

/// What is called.
#[derive(Clone, Copy)]
enum Callee {
    /// A function that the module defines.
    Defined(DefinedFuncIndex),
    /// An imported function.
    Import(FuncIndex),
    /// An element of a table, of this type, if it has it.
    Element { table: u32, ty: u32 },
    /// A function reference.
    Reference,
}

/// A move between registers of the same kind.
#[derive(Clone, Copy)]
struct Move {
    to: u8,
    from: u8,
}

impl Compiler<'_> {
    fn callee(&self, func: FuncIndex) -> Callee {
        match self.module.defined(func) {
            Some(func) => Callee::Defined(func),
            None => Callee::Import(func),
        }
    }

    pub(super) fn call(&mut self, func: FuncIndex) {
        let ty = self.module.func_type(func).clone();
        self.emit_call(self.callee(func), &ty);
    }

    pub(super) fn call_indirect(&mut self, ty: u32, table: u32) {
        let func_type = self.module.func_type_at(ty).clone();
        self.emit_call(Callee::Element { table, ty }, &func_type);
    }

    pub(super) fn call_ref(&mut self, ty: u32) {
        let func_type = self.module.func_type_at(ty).clone();
        self.emit_call(Callee::Reference, &func_type);
    }

    pub(super) fn return_call(&mut self, func: FuncIndex) {
        let ty = self.module.func_type(func).clone();
        self.emit_tail_call(self.callee(func), &ty);
    }

    pub(super) fn return_call_indirect(&mut self, ty: u32, table: u32) {
        let func_type = self.module.func_type_at(ty).clone();
        self.emit_tail_call(Callee::Element { table, ty }, &func_type);
    }

    pub(super) fn return_call_ref(&mut self, ty: u32) {
        let func_type = self.module.func_type_at(ty).clone();
        self.emit_tail_call(Callee::Reference, &func_type);
    }

    fn emit_call(&mut self, callee: Callee, ty: &Arc<FuncType>) {
        self.arguments(callee, ty);
        match callee {
            Callee::Defined(func) if self.settings.lazy => {
                self.asm.mov_rm(W64, SCRATCH, field!(entries));
                self.asm.call_m(Mem::at(SCRATCH, 8 * func.0 as i32));
                self.site();
            }
            Callee::Defined(func) => {
                let at = self.asm.call_linked();
                self.linked(at, func);
                self.site();
            }
            Callee::Import(func) => {
                self.load_import(func);
                self.asm.call_m(field!(call_other));
                self.site();
            }
            Callee::Element { .. } | Callee::Reference => {
                self.find_link(callee);
                let (other, back) = (self.asm.label(), self.asm.label());
                self.compare_instance();
                self.asm.jcc(Cond::NotEqual, other);
                self.asm.call_m(Mem::at(SCRATCH, offset_of!(FuncLink, entry) as i32));
                self.site();
                self.asm.bind(back);
                self.stubs.push(Stub::Other { label: other, back, wasm: self.offset });
            }
        }
        self.locals_after_call();
        self.take_results(ty);
        if self.uses_memory && !const { Fault::named("baseline-memory-base-kept-after-calls") }.is_planted() {
            self.reload_memory();
        }
    }

    fn emit_tail_call(&mut self, callee: Callee, ty: &Arc<FuncType>) {
        self.arguments(callee, ty);
        match callee {
            Callee::Defined(func) if self.settings.lazy => {
                self.asm.mov_rm(W64, SCRATCH, field!(entries));
                self.asm.leave();
                self.asm.jmp_m(Mem::at(SCRATCH, 8 * func.0 as i32));
            }
            Callee::Defined(func)
                if const { Fault::named("baseline-tail-call-keeps-its-frame") }.is_planted() =>
            {
                let at = self.asm.call_linked();
                self.linked(at, func);
                self.site();
                self.asm.leave();
                self.asm.ret();
            }
            Callee::Defined(func) => {
                self.asm.leave();
                let at = self.asm.jmp_linked();
                self.linked(at, func);
            }
            Callee::Import(func) => {
                self.load_import(func);
                self.asm.leave();
                self.asm.jmp_m(field!(tail_other));
            }
            Callee::Element { .. } | Callee::Reference => {
                self.find_link(callee);
                let other = self.asm.label();
                self.compare_instance();
                self.asm.jcc(Cond::NotEqual, other);
                self.asm.leave();
                self.asm.jmp_m(Mem::at(SCRATCH, offset_of!(FuncLink, entry) as i32));
                self.stubs.push(Stub::TailOther { label: other });
            }
        }
        self.reachable = false;
    }

    /// Loads the link of an imported function into the scratch register.
    fn load_import(&mut self, func: FuncIndex) {
        self.asm.mov_rm(W64, SCRATCH, field!(funcs));
        self.asm.mov_rm(Width::W32, CALLEE, Mem::at(SCRATCH, 4 * func.0 as i32));
        self.link_of_number(0);
    }

    /// Turns a function's number in the callee register, `bias` too large, into its link's address in the
    /// scratch register.
    fn link_of_number(&mut self, bias: i32) {
        self.asm.shift_ri(W64, Shift::Shl, CALLEE, LINK_LOG2);
        self.asm.mov_rm(W64, SCRATCH, field!(func_links));
        self.asm.lea(W64, SCRATCH, Mem::indexed(SCRATCH, CALLEE, -bias << LINK_LOG2));
    }

    /// Whether the function behind the link runs in the running instance.
    fn compare_instance(&mut self) {
        self.asm.mov_rm(Width::W32, CALLEE, field!(instance));
        self.asm.alu_rm(
            Width::W32,
            Alu::Cmp,
            CALLEE,
            Mem::at(SCRATCH, offset_of!(FuncLink, instance) as i32),
        );
    }

    /// From the index or reference in the callee register to the link in the scratch register; traps if
    /// there is none that fits.
    fn find_link(&mut self, callee: Callee) {
        let null = match callee {
            Callee::Element { table, .. } => {
                let undefined = self.trap(TrapKind::UndefinedElement);
                self.load_table(SCRATCH, table);
                self.asm.alu_rm(
                    W64,
                    Alu::Cmp,
                    CALLEE,
                    Mem::at(SCRATCH, offset_of!(TableLink, elements) as i32),
                );
                self.asm.jcc(Cond::AboveEqual, undefined);
                self.asm.mov_rm(W64, SCRATCH, Mem::at(SCRATCH, offset_of!(TableLink, base) as i32));
                self.asm.mov_rm(W64, CALLEE, Mem::scaled(SCRATCH, CALLEE, 3, 0));
                TrapKind::UninitializedElement
            }
            Callee::Reference => TrapKind::NullFunctionReference,
            Callee::Defined(_) | Callee::Import(_) => unreachable!("these are not looked up"),
        };
        let null = self.trap(null);
        self.asm.test_rr(W64, CALLEE, CALLEE);
        self.asm.jcc(Cond::Equal, null);
        self.link_of_number(1);
        if let Callee::Element { ty, .. } = callee {
            let (label, back) = (self.asm.label(), self.asm.label());
            self.asm.mov_rm(W64, CALLEE, field!(types));
            self.asm.mov_rm(Width::W32, CALLEE, Mem::at(CALLEE, 4 * ty as i32));
            self.asm.alu_rm(Width::W32, Alu::Cmp, CALLEE, Mem::at(SCRATCH, offset_of!(FuncLink, ty) as i32));
            self.asm.jcc(Cond::NotEqual, label);
            self.asm.bind(back);
            self.stubs.push(Stub::Subtype { label, back, ty, wasm: self.offset });
        }
    }

    /// Loads the address of a table's record.
    pub(super) fn load_table(&mut self, to: Gpr, table: u32) {
        self.asm.mov_rm(W64, to, field!(tables));
        self.asm.mov_rm(W64, to, Mem::at(to, 8 * table as i32));
    }

    /// Takes the arguments, and the callee's index or reference on top of them, and moves them to where
    /// they belong. All locals and operands are in slots after this.
    fn arguments(&mut self, callee: Callee, ty: &FuncType) {
        let count = ty.params().len();
        let indirect = matches!(callee, Callee::Element { .. } | Callee::Reference);
        let above = count + usize::from(indirect);
        let first = self.stack.len() - above;
        if !const { Fault::named("baseline-nan-seen-in-arguments") }.is_planted() {
            for position in first..self.stack.len() {
                self.canonical(position);
            }
        }
        let imported = matches!(callee, Callee::Import(_));
        if imported && const { Fault::named("baseline-address-for-host-misses-its-addend") }.is_planted() {
            for operand in &mut self.stack[first..] {
                // As a relocation that counts from the end of its four bytes.
                if let (Ty::I32, Place::Const(value)) = (operand.ty, operand.place) {
                    operand.place = Place::Const(u64::from((value as u32).wrapping_sub(4)));
                }
            }
        }
        self.settle_registers_below(first);
        self.locals_for_call();
        let callee = indirect.then(|| self.stack[self.stack.len() - 1]);
        // Those without registers first, then registers from registers, then registers from elsewhere.
        for (offset, place) in places(ty.params()).enumerate() {
            if let ArgumentPlace::Slot(slot) = place {
                let operand = self.stack[first + offset];
                self.store_argument(slot, operand);
                self.islands_in_time();
            }
        }
        let mut ints = [Move { to: 0, from: 0 }; INT_ARGUMENTS.len() + 1];
        let mut floats = [Move { to: 0, from: 0 }; FLOAT_ARGUMENTS.len()];
        let (mut int_count, mut float_count) = (0, 0);
        for (offset, place) in places(ty.params()).enumerate() {
            let operand = self.stack[first + offset];
            match place {
                ArgumentPlace::Int(index) => {
                    if let Some(from) = self.int_at(&operand) {
                        ints[int_count] = Move { to: INT_ARGUMENTS[index].0, from: from.0 };
                        int_count += 1;
                    }
                }
                ArgumentPlace::Float(index) => {
                    if let Some(from) = self.float_at(&operand) {
                        floats[float_count] = Move { to: FLOAT_ARGUMENTS[index].0, from: from.0 };
                        float_count += 1;
                    }
                }
                ArgumentPlace::Slot(_) => {}
            }
        }
        if let Some(from) = callee.and_then(|operand| self.int_at(&operand)) {
            ints[int_count] = Move { to: CALLEE.0, from: from.0 };
            int_count += 1;
        }
        self.move_ints(&mut ints[..int_count]);
        self.move_floats(&mut floats[..float_count]);
        for (offset, place) in places(ty.params()).enumerate() {
            let operand = self.stack[first + offset];
            match place {
                ArgumentPlace::Int(index) if self.int_at(&operand).is_none() => {
                    self.fetch_int(INT_ARGUMENTS[index], operand);
                }
                ArgumentPlace::Float(index) if self.float_at(&operand).is_none() => {
                    self.fetch_float(FLOAT_ARGUMENTS[index], operand);
                }
                ArgumentPlace::Int(_) | ArgumentPlace::Float(_) | ArgumentPlace::Slot(_) => {}
            }
        }
        if let Some(operand) = callee
            && self.int_at(&operand).is_none()
        {
            self.fetch_int(CALLEE, operand);
        }
        self.cut(first);
    }

    /// The integer register that an operand's value is in right now.
    fn int_at(&mut self, operand: &Operand) -> Option<Gpr> {
        match operand.place {
            Place::Int(reg) => Some(reg),
            Place::Local(_) => self.valid_home(operand),
            Place::Const(_) | Place::Float(_) | Place::Slot | Place::Flags(_) => None,
        }
    }

    /// The floating-point register that an operand's value is in right now.
    fn float_at(&mut self, operand: &Operand) -> Option<Xmm> {
        match operand.place {
            Place::Float(reg) => Some(reg),
            Place::Local(_) => self.valid_float_home(operand),
            Place::Const(_) | Place::Int(_) | Place::Slot | Place::Flags(_) => None,
        }
    }

    /// Loads what is in no register. A local comes from its slot without becoming valid in its register, so
    /// that what was in no register before stays so.
    fn fetch_int(&mut self, to: Gpr, operand: Operand) {
        match operand.place {
            Place::Local(local) => {
                let slot = self.local_slot(local);
                self.asm.mov_rm(operand.ty.width(), to, slot);
            }
            Place::Const(_) | Place::Slot | Place::Int(_) | Place::Float(_) | Place::Flags(_) => {
                self.load_int(to, operand);
            }
        }
    }

    fn fetch_float(&mut self, to: Xmm, operand: Operand) {
        match operand.place {
            Place::Local(local) => {
                let slot = self.local_slot(local);
                self.asm.movs_rm(operand.ty.float().expect("a float operand"), to, slot);
            }
            Place::Const(_) | Place::Slot | Place::Int(_) | Place::Float(_) | Place::Flags(_) => {
                self.load_float(to, operand);
            }
        }
    }

    /// Carries out moves at once: a destination that is still a source waits; a cycle is broken by an
    /// exchange.
    fn move_ints(&mut self, moves: &mut [Move]) {
        sequence(moves, |step| match step {
            Step::Move(Move { to, from }) => self.asm.mov_rr(W64, Gpr(to), Gpr(from)),
            Step::Exchange(Move { to, from })
                if const { Fault::named("baseline-cycle-of-moves-is-cut") }.is_planted() =>
            {
                self.asm.mov_rr(W64, Gpr(to), Gpr(from));
            }
            Step::Exchange(Move { to, from }) => self.asm.xchg_rr(Gpr(to), Gpr(from)),
        });
    }

    fn move_floats(&mut self, moves: &mut [Move]) {
        sequence(moves, |step| match step {
            Step::Move(Move { to, from }) => self.asm.movaps(Xmm(to), Xmm(from)),
            Step::Exchange(Move { to, from }) => {
                self.asm.movaps(FLOAT_SCRATCH, Xmm(to));
                self.asm.movaps(Xmm(to), Xmm(from));
                self.asm.movaps(Xmm(from), FLOAT_SCRATCH);
            }
        });
    }

    fn take_results(&mut self, ty: &FuncType) {
        match ty.results() {
            [] => {}
            [one] => {
                let ty = Ty::of(*one);
                if ty.float().is_some() {
                    self.claim_float(FLOAT_RESULT);
                    self.push(ty, Place::Float(FLOAT_RESULT));
                } else {
                    self.claim_int(INT_RESULT);
                    self.push(ty, Place::Int(INT_RESULT));
                }
            }
            many => {
                self.asm.mov_rm(W64, SCRATCH, field!(arguments));
                for (slot, ty) in many.iter().enumerate() {
                    let own = self.operand_slot(self.stack.len() as u32);
                    let ty = Ty::of(*ty);
                    self.copy_slot(ty.width(), own, Mem::at(SCRATCH, 8 * slot as i32));
                    self.push(ty, Place::Slot);
                    self.islands_in_time();
                }
            }
        }
    }

    /// Calls a helper with the top operands, then the immediates; gives its value as a result of a type.
    pub(super) fn call_helper(
        &mut self,
        helper: Helper,
        count: usize,
        immediates: &[u32],
        result: Option<Ty>,
    ) {
        /// Behind the context.
        const FIRST: usize = 1;
        /// The registers that helpers take their arguments in.
        const ARGUMENTS: [Gpr; 6] = [RDI, RSI, RDX, RCX, R8, R9];
        let first = self.stack.len() - count;
        self.settle_registers_below(first);
        self.locals_for_call();
        let mut moves = [Move { to: 0, from: 0 }; 5];
        let mut move_count = 0;
        for offset in 0..count {
            let operand = self.stack[first + offset];
            if let Some(from) = self.int_at(&operand) {
                moves[move_count] = Move { to: ARGUMENTS[FIRST + offset].0, from: from.0 };
                move_count += 1;
            }
        }
        self.move_ints(&mut moves[..move_count]);
        for offset in 0..count {
            let operand = self.stack[first + offset];
            if self.int_at(&operand).is_none() {
                self.fetch_int(ARGUMENTS[FIRST + offset], operand);
            }
        }
        for (offset, immediate) in immediates.iter().enumerate() {
            self.asm.mov_ri(ARGUMENTS[FIRST + count + offset], u64::from(*immediate));
        }
        self.asm.mov_ri(RAX, 8 * helper as u64);
        self.asm.call_m(field!(helper));
        self.site();
        self.cut(first);
        let kept = helper == Helper::MemoryGrow;
        if !(kept && const { Fault::named("baseline-locals-kept-across-growth") }.is_planted()) {
            self.locals_after_call();
        }
        if let Some(ty) = result {
            self.claim_int(INT_RESULT);
            self.push(ty, Place::Int(INT_RESULT));
        }
        if self.uses_memory {
            self.reload_memory();
        }
    }
}

enum Step {
    Move(Move),
    Exchange(Move),
}

/// Puts moves that happen at once into an order. Destinations are distinct.
fn sequence(moves: &mut [Move], mut emit: impl FnMut(Step)) {
    let mut left = moves.len();
    loop {
        let mut progress = false;
        let mut position = 0;
        while position < left {
            let Move { to, from } = moves[position];
            let is_source = moves[..left].iter().enumerate().any(|(i, m)| i != position && m.from == to);
            if to == from || !is_source {
                if to != from {
                    emit(Step::Move(moves[position]));
                }
                left -= 1;
                moves.swap(position, left);
                progress = true;
            } else {
                position += 1;
            }
        }
        if left == 0 {
            return;
        }
        if !progress {
            // Only cycles are left: exchanging settles one destination, and whoever wanted what was there
            // finds it in the other register.
            let Move { to, from } = moves[0];
            emit(Step::Exchange(moves[0]));
            for other in &mut moves[1..left] {
                if other.from == to {
                    other.from = from;
                } else if other.from == from {
                    other.from = to;
                }
            }
            left -= 1;
            moves.swap(0, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(u8, u8)]) {
        let mut registers: [u8; 16] = std::array::from_fn(|i| i as u8);
        let mut moves: Vec<Move> = pairs.iter().map(|(to, from)| Move { to: *to, from: *from }).collect();
        sequence(&mut moves, |step| match step {
            Step::Move(Move { to, from }) => registers[to as usize] = registers[from as usize],
            Step::Exchange(Move { to, from }) => registers.swap(to as usize, from as usize),
        });
        for (to, from) in pairs {
            assert_eq!(registers[*to as usize], *from, "{pairs:?}");
        }
    }

    #[test]
    fn every_set_of_moves_between_four_registers_is_carried_out() {
        for code in 0..5u32.pow(4) {
            let mut pairs = Vec::new();
            for to in 0..4u8 {
                let from = code / 5u32.pow(u32::from(to)) % 5;
                if from < 4 {
                    pairs.push((to, from as u8));
                }
            }
            check(&pairs);
        }
    }

    #[test]
    fn a_cycle_with_a_tail_is_carried_out() {
        check(&[(0, 1), (1, 2), (2, 0), (3, 0), (4, 2)]);
    }
}
