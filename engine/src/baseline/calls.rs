//! Calls: values in registers go to slots, arguments go where the callee finds them, results are taken.

use super::compiler::{Compiler, places};
use super::operand::{Operand, Place, Slot, Ty};
use super::stubs::Stub;
use super::target::{Assembler, Target};
use crate::faults::fault;
use crate::module::{DefinedFuncIndex, FuncIndex};
use crate::native::activation::Place as ArgumentPlace;
use crate::native::helpers::Helper;
use crate::native::width::Width;
use crate::trap::TrapKind;
use crate::types::FuncType;
use std::sync::Arc;

/// A class has at most so many registers, and so many are moved at once.
const MOST_MOVES: usize = 16;

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

/// A move between registers of the same class.
#[derive(Clone, Copy)]
struct Move<R> {
    to: R,
    from: R,
}

impl<T: Target> Compiler<'_, T> {
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
                self.asm.call_entry(func);
                self.site();
            }
            Callee::Defined(func) => {
                let at = self.asm.call_linked();
                self.linked(at, func);
                self.site();
            }
            Callee::Import(func) => {
                self.asm.find_import(func.0);
                self.asm.call_other();
                self.site();
            }
            Callee::Element { .. } | Callee::Reference => {
                self.find_link(callee);
                let (other, back) = (self.asm.label(), self.asm.label());
                self.asm.jump_if_other_instance(other);
                self.asm.call_found();
                self.site();
                self.asm.bind(back);
                self.stubs.push(Stub::Other { label: other, back, wasm: self.offset });
            }
        }
        self.locals_after_call();
        self.take_results(ty);
        if self.uses_memory && !fault!("baseline-memory-base-kept-after-calls") {
            self.asm.load_memory_base();
        }
    }

    fn emit_tail_call(&mut self, callee: Callee, ty: &Arc<FuncType>) {
        self.arguments(callee, ty);
        match callee {
            Callee::Defined(func) if self.settings.lazy => {
                self.asm.tail_entry(func);
            }
            Callee::Defined(func) if fault!("baseline-tail-call-keeps-its-frame") => {
                let at = self.asm.call_linked();
                self.linked(at, func);
                self.site();
                self.asm.ret();
            }
            Callee::Defined(func) => {
                let at = self.asm.tail_linked();
                self.linked(at, func);
            }
            Callee::Import(func) => {
                self.asm.find_import(func.0);
                self.asm.tail_other();
            }
            Callee::Element { .. } | Callee::Reference => {
                self.find_link(callee);
                let other = self.asm.label();
                self.asm.jump_if_other_instance(other);
                self.asm.tail_found();
                self.stubs.push(Stub::TailOther { label: other });
            }
        }
        self.reachable = false;
    }

    /// From the index or reference in the callee register to the link of the function; traps if there is
    /// none that fits.
    fn find_link(&mut self, callee: Callee) {
        let null = match callee {
            Callee::Element { table, .. } => {
                let undefined = self.trap(TrapKind::UndefinedElement);
                self.asm.table_get(table, T::CALLEE, undefined);
                TrapKind::UninitializedElement
            }
            Callee::Reference => TrapKind::NullFunctionReference,
            Callee::Defined(_) | Callee::Import(_) => unreachable!("these are not looked up"),
        };
        let null = self.trap(null);
        self.asm.jump_if_null(T::CALLEE, null);
        self.asm.find_callee();
        if let Callee::Element { ty, .. } = callee {
            let (label, back) = (self.asm.label(), self.asm.label());
            self.asm.jump_if_other_type(ty, label);
            self.asm.bind(back);
            self.stubs.push(Stub::Subtype { label, back, ty, wasm: self.offset });
        }
    }

    /// Takes the arguments, and the callee's index or reference on top of them, and moves them to where
    /// they belong. All locals and operands are in slots after this.
    fn arguments(&mut self, callee: Callee, ty: &FuncType) {
        let count = ty.params().len();
        let indirect = matches!(callee, Callee::Element { .. } | Callee::Reference);
        let above = count + usize::from(indirect);
        let first = self.stack.len() - above;
        if !fault!("baseline-nan-seen-in-arguments") {
            for position in first..self.stack.len() {
                self.canonical(position);
            }
        }
        let imported = matches!(callee, Callee::Import(_));
        if imported && fault!("baseline-address-for-host-misses-its-addend") {
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
        for (offset, place) in places::<T>(ty.params()).enumerate() {
            if let ArgumentPlace::Slot(slot) = place {
                let operand = self.stack[first + offset];
                self.store_argument(slot, operand);
                self.islands_in_time();
            }
        }
        let mut ints = [Move { to: T::CALLEE, from: T::CALLEE }; MOST_MOVES];
        let mut floats = [Move { to: T::FLOAT_SCRATCH, from: T::FLOAT_SCRATCH }; MOST_MOVES];
        let (mut int_count, mut float_count) = (0, 0);
        for (offset, place) in places::<T>(ty.params()).enumerate() {
            let operand = self.stack[first + offset];
            match place {
                ArgumentPlace::Int(index) => {
                    if let Some(from) = self.int_at(&operand) {
                        ints[int_count] = Move { to: T::INT_ARGUMENTS[index], from };
                        int_count += 1;
                    }
                }
                ArgumentPlace::Float(index) => {
                    if let Some(from) = self.float_at(&operand) {
                        floats[float_count] = Move { to: T::FLOAT_ARGUMENTS[index], from };
                        float_count += 1;
                    }
                }
                ArgumentPlace::Slot(_) => {}
            }
        }
        if let Some(from) = callee.and_then(|operand| self.int_at(&operand)) {
            ints[int_count] = Move { to: T::CALLEE, from };
            int_count += 1;
        }
        self.move_ints(&mut ints[..int_count]);
        self.move_floats(&mut floats[..float_count]);
        for (offset, place) in places::<T>(ty.params()).enumerate() {
            let operand = self.stack[first + offset];
            match place {
                ArgumentPlace::Int(index) if self.int_at(&operand).is_none() => {
                    self.fetch_int(T::INT_ARGUMENTS[index], operand);
                }
                ArgumentPlace::Float(index) if self.float_at(&operand).is_none() => {
                    self.fetch_float(T::FLOAT_ARGUMENTS[index], operand);
                }
                ArgumentPlace::Int(_) | ArgumentPlace::Float(_) | ArgumentPlace::Slot(_) => {}
            }
        }
        if let Some(operand) = callee
            && self.int_at(&operand).is_none()
        {
            self.fetch_int(T::CALLEE, operand);
        }
        self.cut(first);
    }

    /// The integer register that an operand's value is in right now.
    fn int_at(&mut self, operand: &Operand<T>) -> Option<T::Int> {
        match operand.place {
            Place::Int(reg) => Some(reg),
            Place::Local(_) => self.valid_home(operand),
            Place::Const(_) | Place::Float(_) | Place::Slot | Place::Outcome(_) => None,
        }
    }

    /// The floating-point register that an operand's value is in right now.
    fn float_at(&mut self, operand: &Operand<T>) -> Option<T::Float> {
        match operand.place {
            Place::Float(reg) => Some(reg),
            Place::Local(_) => self.valid_float_home(operand),
            Place::Const(_) | Place::Int(_) | Place::Slot | Place::Outcome(_) => None,
        }
    }

    /// Loads what is in no register. A local comes from its slot without becoming valid in its register, so
    /// that what was in no register before stays so.
    fn fetch_int(&mut self, to: T::Int, operand: Operand<T>) {
        match operand.place {
            Place::Local(local) => {
                let slot = self.local_slot(local);
                self.asm.load_int(operand.ty.width(), to, slot);
            }
            Place::Const(_) | Place::Slot | Place::Int(_) | Place::Float(_) | Place::Outcome(_) => {
                self.load_int(to, operand);
            }
        }
    }

    fn fetch_float(&mut self, to: T::Float, operand: Operand<T>) {
        match operand.place {
            Place::Local(local) => {
                let slot = self.local_slot(local);
                self.asm.load_float(operand.ty.float().expect("a float operand"), to, slot);
            }
            Place::Const(_) | Place::Slot | Place::Int(_) | Place::Float(_) | Place::Outcome(_) => {
                self.load_float(to, operand);
            }
        }
    }

    /// Carries out moves at once: a destination that is still a source waits; a cycle is broken by an
    /// exchange.
    fn move_ints(&mut self, moves: &mut [Move<T::Int>]) {
        sequence(moves, |step| match step {
            Step::Move(Move { to, from }) => self.asm.copy_int(Width::W64, to, from),
            Step::Exchange(Move { to, from }) if fault!("baseline-cycle-of-moves-is-cut") => {
                self.asm.copy_int(Width::W64, to, from);
            }
            Step::Exchange(Move { to, from }) => self.asm.exchange_ints(to, from),
        });
    }

    fn move_floats(&mut self, moves: &mut [Move<T::Float>]) {
        sequence(moves, |step| match step {
            Step::Move(Move { to, from }) => self.asm.copy_float(to, from),
            Step::Exchange(Move { to, from }) => self.asm.exchange_floats(to, from),
        });
    }

    fn take_results(&mut self, ty: &FuncType) {
        match ty.results() {
            [] => {}
            [one] => {
                let ty = Ty::of(*one);
                if ty.float().is_some() {
                    self.claim_float(T::FLOAT_RESULT);
                    self.push(ty, Place::Float(T::FLOAT_RESULT));
                } else {
                    self.claim_int(T::INT_RESULT);
                    self.push(ty, Place::Int(T::INT_RESULT));
                }
            }
            many => {
                self.asm.find_arguments();
                let mut slot = 0;
                for ty in many {
                    let own = self.operand_slot(self.slot_above(self.stack.len()));
                    let ty = Ty::of(*ty);
                    self.asm.copy_slot(ty.width(), own, Slot::Found(slot));
                    slot += ty.slots();
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
        /// After the context.
        const FIRST: usize = 1;
        let first = self.stack.len() - count;
        self.settle_registers_below(first);
        self.locals_for_call();
        let mut moves = [Move { to: T::CALLEE, from: T::CALLEE }; MOST_MOVES];
        let mut move_count = 0;
        for offset in 0..count {
            let operand = self.stack[first + offset];
            if let Some(from) = self.int_at(&operand) {
                moves[move_count] = Move { to: T::HELPER_ARGUMENTS[FIRST + offset], from };
                move_count += 1;
            }
        }
        self.move_ints(&mut moves[..move_count]);
        for offset in 0..count {
            let operand = self.stack[first + offset];
            if self.int_at(&operand).is_none() {
                self.fetch_int(T::HELPER_ARGUMENTS[FIRST + offset], operand);
            }
        }
        for (offset, immediate) in immediates.iter().enumerate() {
            self.asm.set_int(T::HELPER_ARGUMENTS[FIRST + count + offset], u64::from(*immediate));
        }
        self.asm.call_helper(helper);
        self.site();
        self.cut(first);
        let kept = helper == Helper::MemoryGrow;
        if !(kept && fault!("baseline-locals-kept-across-growth")) {
            self.locals_after_call();
        }
        if let Some(ty) = result {
            self.claim_int(T::INT_RESULT);
            self.push(ty, Place::Int(T::INT_RESULT));
        }
        if self.uses_memory {
            self.asm.load_memory_base();
        }
    }
}

enum Step<R> {
    Move(Move<R>),
    Exchange(Move<R>),
}

/// Puts moves that happen at once into an order. Destinations are distinct.
fn sequence<R: Copy + Eq>(moves: &mut [Move<R>], mut emit: impl FnMut(Step<R>)) {
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
            // Only cycles are left: an exchange settles one destination, and moves from that register now come
            // from the other one.
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
        let mut moves: Vec<Move<u8>> = pairs.iter().map(|(to, from)| Move { to: *to, from: *from }).collect();
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
