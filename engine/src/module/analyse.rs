//! What all modes must agree on about a body: its fuel segments and its highest operand stack.
//!
//! Both are by-products of validation, so they are taken in the same pass: after every operator the
//! validator knows the height of the operand stack and how deep the control stack is.

use crate::opcode::{Boundary, Nesting, Opcode};
use crate::slots::{Extent, Heights, Width};
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
    /// The operands now on the stack; followed only where vectors are possible.
    heights: Heights,
    highest_slots: u32,
    has_vectors: bool,
}

/// What was found out about a body.
pub(super) struct Analysed {
    /// Its fuel segments.
    pub segments: Box<[FuelSegment]>,
    /// Slots of the highest operand stack that reachable code has.
    pub operand_slots: u32,
    /// Whether an operand of reachable code is a vector.
    pub has_vectors: bool,
}

impl Analysis {
    /// Forgets the last function but keeps its buffers.
    pub fn start(&mut self) {
        self.segments.clear();
        self.open = None;
        self.dead_at = None;
        self.heights.start(true);
        self.highest_slots = 0;
        self.has_vectors = false;
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
        let height = match pops {
            None => {
                let values = validator.operand_stack_height();
                Extent { values, slots: values }
            }
            Some(pops) => self.recount(validator, pops),
        };
        if self.dead_at.is_none() {
            self.highest_slots = self.highest_slots.max(height.slots);
            self.has_vectors |= height.is_wide();
            if validator.get_control_frame(0).is_some_and(|frame| frame.unreachable) {
                self.dead_at = Some(control_height);
            }
        }
    }

    /// Operands below those that were taken have not changed, so only what lies above is counted.
    fn recount<T: WasmModuleResources>(&mut self, validator: &FuncValidator<T>, pops: u32) -> Extent {
        let height = validator.operand_stack_height();
        let kept = self.heights.values().saturating_sub(pops).min(height);
        self.heights.go_back_to(kept);
        for position in kept..height {
            let ty = validator.get_operand_type((height - 1 - position) as usize).flatten();
            // Only code that cannot be reached has operands of no type.
            self.heights.push(ty.map_or(Width::One, Width::of_read));
        }
        self.heights.extent()
    }

    /// Code lives again after the `end` of the block it died in, or in its `else` arm.
    fn revive(&mut self, nesting: Nesting, control_height: u32) {
        let Some(dead_at) = self.dead_at else { return };
        if control_height < dead_at || (nesting == Nesting::Divides && control_height == dead_at) {
            self.dead_at = None;
        }
    }

    fn close(&mut self) {
        self.segments.extend(self.open.take());
    }

    /// What was found out, once the body is at its end.
    pub fn finish(&mut self) -> Analysed {
        self.close();
        Analysed {
            segments: self.segments.as_slice().into(),
            operand_slots: self.highest_slots,
            has_vectors: self.has_vectors,
        }
    }
}
