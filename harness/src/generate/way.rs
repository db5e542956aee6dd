//! How generated code reaches a function, where every function has a type of its own index and table 0 holds them all.

use std::borrow::Cow;
use wasm_encoder::{ConstExpr, ElementSection, Elements, InstructionSink, RefType, TableSection, TableType};

/// How a function is reached.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Direct,
    Table,
    Reference,
}

/// Table 0 with so many functions in their order and some free slots, and the segment that fills it.
pub(super) fn function_table(funcs: u32, free_slots: u32) -> (TableSection, ElementSection) {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: u64::from(funcs + free_slots),
        maximum: None,
        shared: false,
    });
    let mut segments = ElementSection::new();
    let elements = Elements::Functions(Cow::Owned((0..funcs).collect()));
    segments.active(None, &ConstExpr::i32_const(0), elements);
    (tables, segments)
}

impl Way {
    /// Writes the call, or the tail call. Arguments, and after them the index or the reference, are there.
    pub fn call(self, func: u32, tail: bool, op: &mut InstructionSink<'_>) {
        match (self, tail) {
            (Way::Direct, false) => op.call(func),
            (Way::Direct, true) => op.return_call(func),
            (Way::Table, false) => op.call_indirect(0, func),
            (Way::Table, true) => op.return_call_indirect(0, func),
            (Way::Reference, false) => op.call_ref(func),
            (Way::Reference, true) => op.return_call_ref(func),
        };
    }
}
