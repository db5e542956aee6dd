//! Where values lie: the slots of locals, of operands, and of what functions and blocks take and leave.
//!
//! A slot has 8 bytes. A vector takes two slots and any other value takes one. So the index of a local and the
//! slot where it lies are different numbers as soon as a vector precedes it, and so are the height of an
//! operand stack in operands and its height in slots. The types here keep them apart, and every mode asks
//! here instead of counting for itself: [`Layout`] says where the locals of a function lie, [`Row`] how many
//! slots the parameters or results of a function or block take, [`Heights`] where operands lie while a pass
//! follows the operand stack.
//!
//! Few functions have vectors. In the others index and slot are the same number, so for them nothing is
//! stored an operand and nothing is searched.
//!
//! What a mode puts between locals and operands (a record of the call, registers that were saved) is the
//! mode's own business: slots are counted here as if there were nothing.

#[cfg(test)]
mod tests;

use crate::opcode::Operand;
use crate::types::{FuncType, ValType};
use std::ops::Range;

/// The index of a local: parameters first, then declared locals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct LocalIndex(pub u32);

/// A slot, by its distance from the first slot of the locals or operands that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct SlotIndex(pub u32);

impl LocalIndex {
    /// Where the local lies in a function whose locals are all of one slot.
    ///
    /// For code that only runs such functions; [`Layout::local`] is right for all.
    #[inline(always)]
    pub const fn narrow_slot(self) -> SlotIndex {
        SlotIndex(self.0)
    }
}

/// How many slots a value takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Width {
    /// All values but vectors.
    One,
    /// Vectors: the lower half first.
    Two,
}

impl Width {
    /// The width of values of a type.
    #[inline]
    pub const fn of(ty: ValType) -> Width {
        match ty.slots() {
            1 => Width::One,
            _ => Width::Two,
        }
    }

    /// The width of values of a type that was read from a module's bytes.
    #[inline]
    pub const fn of_read(ty: wasmparser::ValType) -> Width {
        use wasmparser::ValType as Read;
        match ty {
            Read::V128 => Width::Two,
            Read::I32 | Read::I64 | Read::F32 | Read::F64 | Read::Ref(_) => Width::One,
        }
    }

    /// The width of an operand or result; `None` if the opcode alone does not decide it.
    pub const fn of_operand(operand: Operand) -> Option<Width> {
        match operand {
            Operand::V128 => Some(Width::Two),
            Operand::I32 | Operand::I64 | Operand::F32 | Operand::F64 | Operand::Address | Operand::Ref => {
                Some(Width::One)
            }
            Operand::Any | Operand::Many => None,
        }
    }

    /// The width in slots.
    #[inline]
    pub const fn slots(self) -> u32 {
        match self {
            Width::One => 1,
            Width::Two => 2,
        }
    }
}

/// How many values there are, and how many slots they take together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Extent {
    pub values: u32,
    pub slots: u32,
}

impl Extent {
    /// Whether a vector is among the values.
    pub const fn is_wide(self) -> bool {
        self.values != self.slots
    }
}

/// Values that lie in a row: the parameters or results of a function or of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'t> {
    widths: Widths<'t>,
    extent: Extent,
}

#[derive(Clone, Copy, Debug)]
enum Widths<'t> {
    OfTypes(&'t [ValType]),
    Single(Width),
}

impl<'t> Row<'t> {
    /// No values.
    pub const EMPTY: Row<'static> =
        Row { widths: Widths::OfTypes(&[]), extent: Extent { values: 0, slots: 0 } };

    /// One value.
    pub const fn single(width: Width) -> Row<'static> {
        Row { widths: Widths::Single(width), extent: Extent { values: 1, slots: width.slots() } }
    }

    /// The parameters of a function type.
    pub fn params(ty: &FuncType) -> Row<'_> {
        Row::of(ty.params(), ty.param_slots())
    }

    /// The results of a function type.
    pub fn results(ty: &FuncType) -> Row<'_> {
        Row::of(ty.results(), ty.result_slots())
    }

    fn of(types: &[ValType], slots: u32) -> Row<'_> {
        Row { widths: Widths::OfTypes(types), extent: Extent { values: types.len() as u32, slots } }
    }

    /// How many values there are.
    pub const fn values(self) -> u32 {
        self.extent.values
    }

    /// How many slots they take together.
    pub const fn slots(self) -> u32 {
        self.extent.slots
    }

    /// Whether a vector is among them.
    pub const fn is_wide(self) -> bool {
        self.extent.is_wide()
    }

    /// The width of each value.
    pub fn widths(self) -> impl Iterator<Item = Width> + 't {
        let (types, single) = match self.widths {
            Widths::OfTypes(types) => (types, None),
            Widths::Single(width) => (&[][..], Some(width)),
        };
        types.iter().map(|ty| Width::of(*ty)).chain(single)
    }
}

/// What a function or a block takes and leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature<'t> {
    pub params: Row<'t>,
    pub results: Row<'t>,
}

impl<'t> Signature<'t> {
    /// What functions of a type, and blocks that name the type, take and leave.
    pub fn of(ty: &'t FuncType) -> Signature<'t> {
        Signature { params: Row::params(ty), results: Row::results(ty) }
    }
}

/// Gives the slots of one value after the other, by their types.
pub(crate) fn in_a_row() -> impl FnMut(ValType) -> Range<usize> {
    let mut end = 0;
    move |ty| {
        let start = end;
        end += ty.slots() as usize;
        start..end
    }
}

/// Where a local lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Local {
    /// Its slot, the lower one if it has two, counted from the first parameter's.
    pub slot: SlotIndex,
    pub width: Width,
}

/// Where the locals of a function lie: one after the other, the parameters first.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Neighbours of the same type together, in order. There is no run of no locals.
    runs: Box<[Run]>,
    params: Extent,
    locals: Extent,
}

/// Locals of the same type.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: LocalIndex,
    slot: SlotIndex,
    count: u32,
    ty: ValType,
}

impl Layout {
    /// The layout of a function of a type, with declared locals: how many of each type, in order.
    pub fn new(ty: &FuncType, declared: &[(u32, ValType)]) -> Layout {
        let mut runs: Vec<Run> = Vec::with_capacity(ty.params().len() + declared.len());
        let mut locals = Extent::default();
        let params = ty.params().iter().map(|ty| (1, *ty));
        for (count, ty) in params.chain(declared.iter().copied()).filter(|(count, _)| *count > 0) {
            match runs.last_mut().filter(|run| run.ty == ty) {
                Some(run) => run.count += count,
                None => runs.push(Run {
                    first: LocalIndex(locals.values),
                    slot: SlotIndex(locals.slots),
                    count,
                    ty,
                }),
            }
            locals.values += count;
            locals.slots += count * Width::of(ty).slots();
        }
        let params = Extent { values: ty.params().len() as u32, slots: ty.param_slots() };
        Layout { runs: runs.into(), params, locals }
    }

    /// The parameters.
    pub fn params(&self) -> Extent {
        self.params
    }

    /// Parameters and declared locals.
    pub fn locals(&self) -> Extent {
        self.locals
    }

    /// Slots of the declared locals.
    pub fn declared_slots(&self) -> u32 {
        self.locals.slots - self.params.slots
    }

    /// Where a local lies.
    #[inline]
    pub fn local(&self, index: LocalIndex) -> Local {
        debug_assert!(index.0 < self.locals.values, "validation keeps the index within the locals");
        if !self.locals.is_wide() {
            return Local { slot: index.narrow_slot(), width: Width::One };
        }
        let after = self.runs.partition_point(|run| run.first <= index);
        let run = self.runs[after - 1];
        let width = Width::of(run.ty);
        Local { slot: SlotIndex(run.slot.0 + (index.0 - run.first.0) * width.slots()), width }
    }

    /// The types of all locals, in order.
    pub fn types(&self) -> impl Iterator<Item = ValType> + '_ {
        self.runs.iter().flat_map(|run| std::iter::repeat_n(run.ty, run.count as usize))
    }

    /// The declared locals that are references, in order, by their slots from the first declared local on.
    pub fn declared_references(&self) -> impl Iterator<Item = SlotIndex> + '_ {
        let first = self.params.slots;
        let references = self.runs.iter().filter(|run| matches!(run.ty, ValType::Ref(_)));
        references
            .flat_map(|run| run.slot.0..run.slot.0 + run.count)
            .filter_map(move |slot| slot.checked_sub(first).map(SlotIndex))
    }
}

/// How high an operand stack is, in operands and in slots, while operands come and go.
#[derive(Default, Debug)]
pub(crate) struct Heights {
    is_wide: bool,
    values: u32,
    /// For each operand the slots up to its end; empty unless `is_wide`.
    ends: Vec<u32>,
}

impl Heights {
    /// Begins with an empty stack. `is_wide` says whether a vector may come onto it.
    pub fn start(&mut self, is_wide: bool) {
        self.is_wide = is_wide;
        self.values = 0;
        self.ends.clear();
    }

    /// Whether a vector may be on the stack.
    #[inline]
    pub fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// Operands on the stack.
    #[inline]
    pub fn values(&self) -> u32 {
        self.values
    }

    /// Slots that they take.
    #[inline]
    pub fn slots(&self) -> u32 {
        self.slots_below(self.values)
    }

    /// Operands on the stack, and slots that they take.
    #[inline]
    pub fn extent(&self) -> Extent {
        Extent { values: self.values, slots: self.slots() }
    }

    /// Slots that the `position` lowest operands take, which is where the next one lies.
    #[inline]
    pub fn slots_below(&self, position: u32) -> u32 {
        match self.is_wide {
            false => position,
            true => position.checked_sub(1).map_or(0, |last| self.ends[last as usize]),
        }
    }

    /// The width of the operand that has `position` operands below it.
    #[inline]
    pub fn width(&self, position: u32) -> Width {
        match self.slots_below(position + 1) - self.slots_below(position) {
            1 => Width::One,
            _ => Width::Two,
        }
    }

    /// Adds an operand.
    #[inline]
    pub fn push(&mut self, width: Width) {
        if self.is_wide {
            self.ends.push(self.slots() + width.slots());
        } else {
            debug_assert_eq!(width, Width::One, "a function with vectors is wide");
        }
        self.values += 1;
    }

    /// Adds operands.
    #[inline]
    pub fn push_row(&mut self, row: Row<'_>) {
        if self.is_wide {
            row.widths().for_each(|width| self.push(width));
        } else {
            self.values += row.values();
        }
    }

    /// Goes back to a number of operands that were on the stack before and have not been replaced.
    #[inline]
    pub fn go_back_to(&mut self, values: u32) {
        self.values = values;
        if self.is_wide {
            debug_assert!(values as usize <= self.ends.len(), "the stack was this high before");
            self.ends.truncate(values as usize);
        }
    }
}
