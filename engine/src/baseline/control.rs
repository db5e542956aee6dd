//! Blocks, branches and returns.

use super::compiler::Compiler;
use super::operand::{Operand, Place, Slot, Ty};
use super::registers::Arrival;
use super::stubs::Stub;
use super::target::{Assembler, Invertible, Target};
use crate::faults::fault;
use crate::module::FuncIndex;
use crate::native::width::Width;
use crate::opcode::Control;
use crate::opcode::reader::{BlockType, Labels, Reader};
use crate::slots::SlotIndex;
use crate::trap::TrapKind;
use wasmparser::ValType as WasmType;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Function,
    Block,
    Loop,
    If,
}

/// A structured instruction that has begun and not ended.
pub(super) struct Block<T: Target> {
    kind: Kind,
    /// Operands below its parameters.
    height: usize,
    params: Box<[Ty]>,
    results: Box<[Ty]>,
    /// Where branches to it go; a function has none.
    label: Option<T::Label>,
    /// What is true of the locals in registers at the label, once a branch to it was written.
    arrival: Option<Arrival>,
    /// Of an `if` whose `else` has not come yet: where control goes if the condition is zero, and what is true
    /// of the locals there.
    otherwise: Option<(T::Label, Arrival)>,
}

impl<T: Target> Block<T> {
    pub fn function(results: Box<[Ty]>) -> Block<T> {
        let params = Box::default();
        Block {
            kind: Kind::Function,
            height: 0,
            params,
            results,
            label: None,
            arrival: None,
            otherwise: None,
        }
    }

    /// The types of the values that a branch to it carries.
    fn arity(&self) -> &[Ty] {
        match self.kind {
            Kind::Loop => &self.params,
            Kind::Function | Kind::Block | Kind::If => &self.results,
        }
    }
}

/// Where a branch goes: what the moves for it need to know.
#[derive(Clone, Copy)]
struct Destination<T: Target> {
    label: Option<T::Label>,
    /// Its position among the open blocks.
    block: usize,
    height: usize,
    arity: usize,
}

/// Whether this mode executes a control instruction.
pub(crate) fn executes(opcode: Control) -> bool {
    match opcode {
        Control::Unreachable
        | Control::Nop
        | Control::Block
        | Control::Loop
        | Control::If
        | Control::Else
        | Control::End
        | Control::Br
        | Control::BrIf
        | Control::BrTable
        | Control::Return
        | Control::Call
        | Control::CallIndirect
        | Control::CallRef
        | Control::ReturnCall
        | Control::ReturnCallIndirect
        | Control::ReturnCallRef
        | Control::BrOnNull
        | Control::BrOnNonNull => true,
        Control::TryTable
        | Control::Throw
        | Control::ThrowRef
        | Control::BrOnCast
        | Control::BrOnCastFail => false,
    }
}

impl<T: Target> Compiler<'_, T> {
    pub(super) fn control(&mut self, opcode: Control, reader: &mut Reader) {
        match opcode {
            Control::Unreachable => {
                let trap = self.trap(TrapKind::Unreachable);
                self.asm.jump(trap);
                self.reachable = false;
            }
            Control::Nop => {}
            Control::Block => self.block(reader.block_type()),
            Control::Loop => self.loop_(reader.block_type()),
            Control::If => self.if_(reader.block_type()),
            Control::Else => self.else_(),
            Control::End => self.end(),
            Control::Br => self.br(reader.u32()),
            Control::BrIf => self.br_if(reader.u32()),
            Control::BrTable => self.br_table(reader.labels()),
            Control::Return => self.br(self.blocks.len() as u32 - 1),
            Control::Call => self.call(FuncIndex(reader.u32())),
            Control::CallIndirect => self.call_indirect(reader.u32(), reader.u32()),
            Control::CallRef => self.call_ref(reader.u32()),
            Control::ReturnCall => self.return_call(FuncIndex(reader.u32())),
            Control::ReturnCallIndirect => self.return_call_indirect(reader.u32(), reader.u32()),
            Control::ReturnCallRef => self.return_call_ref(reader.u32()),
            Control::BrOnNull => self.br_on_null(reader.u32()),
            Control::BrOnNonNull => self.br_on_non_null(reader.u32()),
            Control::TryTable
            | Control::Throw
            | Control::ThrowRef
            | Control::BrOnCast
            | Control::BrOnCastFail => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }

    // Blocks.

    fn signature(&self, ty: BlockType) -> (Box<[Ty]>, Box<[Ty]>) {
        match ty {
            BlockType::Empty => (Box::default(), Box::default()),
            BlockType::Value(ty) => (Box::default(), Box::new([ty_of(ty)])),
            BlockType::Type(index) => {
                let ty = self.module.func_type_at(index);
                let types = |types: &[crate::types::ValType]| types.iter().map(|ty| Ty::of(*ty)).collect();
                (types(ty.params()), types(ty.results()))
            }
        }
    }

    fn open(
        &mut self,
        kind: Kind,
        (params, results): (Box<[Ty]>, Box<[Ty]>),
        otherwise: Option<(T::Label, Arrival)>,
    ) {
        let height = self.stack.len() - params.len();
        let label = Some(self.asm.label());
        self.blocks.push(Block { kind, height, params, results, label, arrival: None, otherwise });
    }

    fn block(&mut self, ty: BlockType) {
        self.settle();
        let signature = self.signature(ty);
        self.open(Kind::Block, signature, None);
    }

    fn loop_(&mut self, ty: BlockType) {
        let signature = self.signature(ty);
        let params = signature.0.len();
        self.open(Kind::Loop, signature, None);
        self.settle_below(self.stack.len() - params);
        let block = self.destination(0);
        self.carry(block);
        let facts = self.scan.loop_at(self.offset);
        self.blocks[block.block].arrival = Some(self.locals_for_loop(facts));
        let label = block.label.expect("only functions have none");
        self.asm.bind(label);
        let types = self.blocks.last().expect("just opened").params.clone();
        self.arrive(block.height, &types);
    }

    fn if_(&mut self, ty: BlockType) {
        let test = self.test();
        self.settle();
        let signature = self.signature(ty);
        // Both arms find the parameters in their slots.
        for position in self.stack.len() - signature.0.len()..self.stack.len() {
            self.spill(position);
            self.islands_in_time();
        }
        let otherwise = self.asm.label();
        self.asm.jump_if(test.inverted(), otherwise);
        self.open(Kind::If, signature, Some((otherwise, self.locals_here())));
    }

    fn else_(&mut self) {
        let block = self.destination(0);
        let label = block.label.expect("only functions have none");
        if self.reachable {
            self.carry(block);
            self.locals_go(block);
            self.asm.jump(label);
        }
        self.cut(block.height);
        let top = self.blocks.last_mut().expect("validation pairs blocks and ends");
        let (otherwise, arrival) = top.otherwise.take().expect("an else belongs to an if");
        let params = top.params.clone();
        self.asm.bind(otherwise);
        self.locals_as(arrival);
        for ty in params {
            self.push(ty, Place::Slot);
        }
        self.reachable = true;
    }

    fn end(&mut self) {
        let destination = self.destination(0);
        let Some(label) = destination.label else {
            if self.reachable {
                self.leave(destination);
            }
            self.cut(0);
            self.blocks.pop();
            return;
        };
        if self.reachable {
            self.carry_at_end(destination);
        }
        self.cut(destination.height);
        if self.blocks[destination.block].kind == Kind::Loop {
            // Nothing branches to its end: the results are where the last instruction left them.
            let block = self.blocks.pop().expect("validation pairs blocks and ends");
            self.reachable = true;
            self.arrive(block.height, &block.results);
            return;
        }
        if self.reachable {
            let here = self.locals_here();
            let block = &mut self.blocks[destination.block];
            if let (None, Some((_, arrival))) = (block.arrival, block.otherwise) {
                // A register that one side lacks need not be valid on the other.
                block.arrival = Some(here.common(arrival));
            }
            self.locals_go(destination);
        }
        if let Some(otherwise) = self.blocks[destination.block].otherwise {
            self.end_without_else(destination, otherwise);
        }
        self.asm.bind(label);
        let block = self.blocks.pop().expect("validation pairs blocks and ends");
        // A label to which no branch goes may have any state.
        self.locals_as(block.arrival.unwrap_or_default());
        self.reachable = true;
        self.arrive(block.height, &block.results);
    }

    /// The end of an `if` without `else`, on the way of a condition that is zero: the parameters are the results,
    /// and in their slots.
    fn end_without_else(&mut self, destination: Destination<T>, (otherwise, arrival): (T::Label, Arrival)) {
        let skip = self.asm.label();
        let block = &self.blocks[destination.block];
        let there = block.arrival;
        let result = if let [ty] = *block.results { Some(ty) } else { None };
        self.locals_as(arrival);
        let moves = result.is_some() || there.is_some_and(|there| !self.locals_fit(there));
        if moves && self.reachable {
            self.asm.jump(skip);
        }
        self.asm.bind(otherwise);
        if let Some(ty) = result {
            let slot = self.operand_slot(self.slot_above(destination.height));
            match ty.float() {
                Some(float) => self.asm.load_float(float, T::FLOAT_RESULT, slot),
                None => self.asm.load_int(ty.width(), T::INT_RESULT, slot),
            }
        }
        self.locals_go(destination);
        self.asm.bind(skip);
    }

    /// Makes of the locals in registers what is true where control goes next.
    fn locals_go(&mut self, to: Destination<T>) {
        let arrival = self.locals_meet(self.blocks[to.block].arrival);
        let block = &mut self.blocks[to.block];
        debug_assert!(
            block.kind != Kind::Loop || block.arrival == Some(arrival),
            "the head of a loop expects what its body does"
        );
        block.arrival = Some(arrival);
    }

    /// Pushes the values that arrive at a label.
    fn arrive(&mut self, height: usize, types: &[Ty]) {
        self.cut(height);
        if let [ty] = *types {
            let place = match ty.float() {
                Some(_) => {
                    self.claim_float(T::FLOAT_RESULT);
                    Place::Float(T::FLOAT_RESULT)
                }
                None => {
                    self.claim_int(T::INT_RESULT);
                    Place::Int(T::INT_RESULT)
                }
            };
            self.push(ty, place);
            return;
        }
        for ty in types {
            self.push(*ty, Place::Slot);
        }
    }

    // Branches.

    fn destination(&self, depth: u32) -> Destination<T> {
        let position = self.blocks.len() - 1 - depth as usize;
        let block = &self.blocks[position];
        Destination { label: block.label, block: position, height: block.height, arity: block.arity().len() }
    }

    /// Puts the top values where a label finds them; what the operands are does not change, so only code
    /// that leaves may follow, or code that says anew what the operands are.
    fn carry(&mut self, to: Destination<T>) {
        if !fault!("baseline-nan-seen-behind-branches") {
            self.canonical_top(to.arity);
        }
        self.carry_seen(to);
    }

    /// The same for the results at the end of a block, whichever way its label carries them.
    fn carry_at_end(&mut self, to: Destination<T>) {
        let results = self.blocks.last().expect("validation pairs blocks and ends").results.len();
        self.carry(Destination { arity: results, ..to });
    }

    /// Makes NaN bits canonical of so many operands from the top.
    fn canonical_top(&mut self, count: usize) {
        for position in self.stack.len() - count..self.stack.len() {
            self.canonical(position);
        }
    }

    /// The same where all NaN bits are canonical: changes no outcome of a comparison.
    fn carry_seen(&mut self, to: Destination<T>) {
        match to.arity {
            0 => {}
            1 => self.carry_one(),
            count => {
                let (first, base) = (self.stack.len() - count, self.slot_above(to.height));
                // Ascending, so that no slot is written before it was read: each goes down or stays.
                for offset in 0..count {
                    let downwards = fault!("baseline-values-carried-from-the-top");
                    let offset = if downwards { count - 1 - offset } else { offset };
                    let operand = self.stack[first + offset];
                    let slot = SlotIndex(base.0 + operand.slot.0 - self.stack[first].slot.0);
                    self.store_slot(self.operand_slot(slot), operand);
                    self.islands_in_time();
                }
            }
        }
    }

    /// Copies the top value to the result register.
    fn carry_one(&mut self) {
        let operand = self.top();
        match operand.ty.float() {
            Some(_) => self.load_float(T::FLOAT_RESULT, operand),
            None => self.load_int(T::INT_RESULT, operand),
        }
    }

    fn top(&self) -> Operand<T> {
        *self.stack.last().expect("validation keeps the stack deep enough")
    }

    /// Jumps to the destination, whose values are in place, or returns.
    fn leave(&mut self, to: Destination<T>) {
        match to.label {
            Some(label) => {
                self.carry(to);
                self.locals_go(to);
                self.asm.jump(label);
            }
            None => {
                self.canonical_top(to.arity);
                self.return_values(to.arity);
            }
        }
    }

    /// Puts the top values where the caller finds them, and returns. Changes no outcome of a comparison before that.
    fn return_values(&mut self, count: usize) {
        match count {
            0 => {}
            1 => self.carry_one(),
            count => {
                let first = self.stack.len() - count;
                for position in first..self.stack.len() {
                    let operand = self.stack[position];
                    self.store_argument(operand.slot.0 - self.stack[first].slot.0, operand);
                    self.islands_in_time();
                }
            }
        }
        self.asm.ret();
    }

    /// Stores an operand to a slot of the argument buffer.
    pub(super) fn store_argument(&mut self, slot: u32, operand: Operand<T>) {
        let width = operand.ty.width();
        let to = Slot::Found(slot);
        match operand.place {
            Place::Int(reg) => {
                self.asm.find_arguments();
                self.asm.store_int(width, to, reg);
            }
            Place::Float(reg) => {
                self.asm.find_arguments();
                self.asm.store_float(operand.ty.float().expect("a float's register"), to, reg);
            }
            Place::Const(value) => self.asm.store_argument(width, slot, value),
            Place::Local(_) | Place::Slot => {
                self.asm.find_arguments();
                self.store_slot(to, operand);
            }
            Place::Outcome(_) => unreachable!("the instruction after a comparison takes the outcome"),
        }
    }

    fn br(&mut self, depth: u32) {
        let destination = self.destination(depth);
        self.leave(destination);
        self.reachable = false;
    }

    fn br_if(&mut self, depth: u32) {
        let destination = self.destination(depth);
        let test = self.test();
        self.branch_if(test, destination);
    }

    /// Branches if the test holds. The operands stay.
    fn branch_if(&mut self, test: T::Test, to: Destination<T>) {
        let base = self.stack.len() - to.arity;
        let in_place = match to.arity {
            0 => true,
            1 => self.is_result(self.top()),
            _ => base == to.height,
        };
        match to.label {
            Some(label) if in_place => {
                self.locals_go(to);
                if to.arity > 1 {
                    self.settle_top(to.arity);
                }
                self.asm.jump_if(test, label);
            }
            label => {
                let skip = self.asm.label();
                self.asm.jump_if(test.inverted(), skip);
                // Loads and stores on the way to the label are not executed if the branch is not taken.
                let here = self.locals_here();
                match label {
                    Some(label) => {
                        self.carry_seen(to);
                        self.locals_go(to);
                        self.asm.jump(label);
                    }
                    None => self.return_values(to.arity),
                }
                self.locals_as(here);
                self.asm.bind(skip);
            }
        }
    }

    fn is_result(&self, operand: Operand<T>) -> bool {
        operand.place == Place::Int(T::INT_RESULT) || operand.place == Place::Float(T::FLOAT_RESULT)
    }

    /// Puts so many operands from the top into their own slots.
    fn settle_top(&mut self, count: usize) {
        for position in self.stack.len() - count..self.stack.len() {
            if self.stack[position].place != Place::Slot {
                self.spill(position);
                self.islands_in_time();
            }
        }
    }

    fn br_table(&mut self, labels: Labels) {
        let mut index = self.pop();
        // The index must survive the moves, and the table takes a register.
        self.canonical_all();
        let default = labels.last().expect("there is a default label");
        let arity = self.destination(default).arity;
        let takes = fault!("baseline-jump-table-takes-the-locals-register");
        let reg = match self.valid_home(&index) {
            Some(home) if takes => home,
            Some(_) | None => {
                let reg = self.own_int(index);
                index.place = Place::Int(reg);
                reg
            }
        };
        let count = labels.len() - 1;
        let mut stubs: Vec<(u32, T::Label)> = Vec::new();
        let mut labels_of: Vec<T::Label> = Vec::with_capacity(count);
        let mut known: Vec<Option<T::Label>> = vec![None; self.blocks.len()];
        for depth in labels {
            let destination = self.destination(depth);
            let arrival = self.blocks[destination.block].arrival;
            let at_once = arity == 0 && arrival.is_none_or(|arrival| self.locals_fit(arrival));
            let label = match (known[depth as usize], destination.label) {
                (Some(label), _) => label,
                (None, Some(label)) if at_once => {
                    self.locals_go(destination);
                    label
                }
                (None, _) => {
                    let label = self.asm.label();
                    stubs.push((depth, label));
                    label
                }
            };
            known[depth as usize] = Some(label);
            labels_of.push(label);
        }
        let otherwise = labels_of.pop().expect("there is a default label");
        if count == 0 {
            self.asm.jump(otherwise);
        } else {
            let table = self.asm.label();
            self.asm.jump_by_table(reg, count as u32, otherwise, table);
            self.stubs.push(Stub::Table { label: table, targets: labels_of });
        }
        self.free(index);
        let here = self.locals_here();
        for (depth, label) in stubs {
            self.asm.bind(label);
            self.locals_as(here);
            self.leave(self.destination(depth));
            self.islands_in_time();
        }
        self.reachable = false;
    }

    fn br_on_null(&mut self, depth: u32) {
        self.canonical_all();
        let mut reference = self.pop();
        let reg = self.read_int(&mut reference);
        let test = self.asm.test_nonzero(Width::W64, reg);
        // Where the branch is taken the reference is not needed any more, so the moves may overwrite it.
        self.branch_if(test.inverted(), self.destination(depth));
        self.push(reference.ty, reference.place);
    }

    fn br_on_non_null(&mut self, depth: u32) {
        self.canonical_all();
        let mut reference = self.pop();
        let reg = self.read_int(&mut reference);
        let test = self.asm.test_nonzero(Width::W64, reg);
        self.push(reference.ty, reference.place);
        self.branch_if(test, self.destination(depth));
        let operand = self.pop();
        self.free(operand);
    }
}

fn ty_of(ty: WasmType) -> Ty {
    match ty {
        WasmType::I32 => Ty::I32,
        WasmType::I64 => Ty::I64,
        WasmType::F32 => Ty::F32,
        WasmType::F64 => Ty::F64,
        WasmType::Ref(_) => Ty::Ref,
        WasmType::V128 => unreachable!("modules with vectors are refused"),
    }
}
