//! What all modes must agree on about a body: its fuel segments and its highest operand stack.
//!
//! Both are by-products of validation, so they are taken in the same pass: after every operator the
//! validator knows the height of the operand stack and how deep the control stack is.

use crate::opcode::{Boundary, Nesting, Opcode};
use wasmparser::{FuncValidator, WasmModuleResources};

/// A straight-line run of reachable instructions that is paid for as a whole.
///
/// A segment ends before `loop`, `else` and `end`, and after every call, branch, `if`, `throw` and
/// return. All its instructions but `block`, `loop`, `try_table`, `else` and `end` cost 1. Which opcode
/// does what is for [`Opcode::structure`] to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FuelSegment {
    /// File offset of the first opcode that costs anything: where running out traps.
    pub offset: u32,
    /// What the segment costs.
    pub cost: u32,
}

/// Follows a body as it is validated.
#[derive(Default)]
pub(super) struct Analysis {
    segments: Vec<FuelSegment>,
    open: Option<FuelSegment>,
    /// Control stack height at which code became unreachable, while it is.
    dead_at: Option<u32>,
    /// Slots below and including each operand now on the stack; kept only where vectors are possible.
    slot_sums: Vec<u32>,
    highest_slots: u32,
}

impl Analysis {
    /// Forgets the last function but keeps its buffers.
    pub fn start(&mut self) {
        self.segments.clear();
        self.open = None;
        self.dead_at = None;
        self.slot_sums.clear();
        self.highest_slots = 0;
    }

    /// Takes note of the opcode at `offset`, which `validator` has just accepted. `pops` is how many
    /// operands it may have taken, where vectors are possible and operands are not all of one slot.
    pub fn step<T: WasmModuleResources>(
        &mut self,
        opcode: Opcode,
        offset: u32,
        validator: &FuncValidator<T>,
        pops: Option<u32>,
    ) {
        let control_height = validator.control_stack_height();
        let was_live = self.dead_at.is_none();
        let structure = opcode.structure();
        self.revive(structure.nesting, control_height);
        if structure.boundary == Boundary::Before {
            self.close();
        }
        if was_live && !structure.is_free {
            self.open.get_or_insert(FuelSegment { offset, cost: 0 }).cost += 1;
        }
        if matches!(structure.boundary, Boundary::Behind | Boundary::Last) {
            self.close();
        }
        let height_slots = match pops {
            None => validator.operand_stack_height(),
            Some(pops) => self.recount_slots(validator, pops),
        };
        if self.dead_at.is_none() {
            self.highest_slots = self.highest_slots.max(height_slots);
            if validator.get_control_frame(0).is_some_and(|frame| frame.unreachable) {
                self.dead_at = Some(control_height);
            }
        }
    }

    /// Operands below those that were taken have not changed, so only what lies above is counted.
    fn recount_slots<T: WasmModuleResources>(&mut self, validator: &FuncValidator<T>, pops: u32) -> u32 {
        let height = validator.operand_stack_height() as usize;
        let kept = self.slot_sums.len().saturating_sub(pops as usize).min(height);
        self.slot_sums.truncate(kept);
        let mut sum = self.slot_sums.last().copied().unwrap_or(0);
        for position in kept..height {
            let ty = validator.get_operand_type(height - 1 - position).flatten();
            sum += if ty == Some(wasmparser::ValType::V128) { 2 } else { 1 };
            self.slot_sums.push(sum);
        }
        sum
    }

    /// Code lives again behind the `end` of the block it died in, or in its `else` arm.
    fn revive(&mut self, nesting: Nesting, control_height: u32) {
        let Some(dead_at) = self.dead_at else { return };
        if control_height < dead_at || (nesting == Nesting::Divides && control_height == dead_at) {
            self.dead_at = None;
        }
    }

    fn close(&mut self) {
        self.segments.extend(self.open.take());
    }

    /// The segments, and slots of the highest reachable operand stack.
    pub fn finish(&mut self) -> (Box<[FuelSegment]>, u32) {
        self.close();
        (self.segments.as_slice().into(), self.highest_slots)
    }
}
