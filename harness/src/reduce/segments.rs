//! Makes what is not code smaller: items of element segments, bytes of data segments, initial values of globals,
//! minimums of tables and memories.

use super::proposal::{Look, Proposal, halvings};
use std::ops::Range;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{ConstExpr, DataSection, GlobalSection};
use wasmparser::{Parser, Payload, RefType, ValType};

/// Segments cut short, from their end and from their beginning, and bytes made zero; initial values made simple; tables and
/// memories made small.
pub fn smaller(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, of) in look.case.modules.iter().enumerate() {
        let changes = changes(&of.wasm).unwrap_or_default();
        let made = changes.into_iter().filter_map(|change| {
            let mut smaller = wasm_encoder::Module::new();
            Rewriting { change, data: 0, elem: 0, global: 0 }
                .parse_core_module(&mut smaller, Parser::new(0), &of.wasm)
                .ok()?;
            Some(Proposal::Wasm { module, wasm: smaller.finish() })
        });
        proposals.extend(made);
    }
    proposals
}

/// Something to do to one entity, by its number among those the module defines.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Change {
    /// Bytes left out of a data segment.
    CutData(u32, Range<usize>),
    /// Bytes of a data segment made zero.
    ClearData(u32, Range<usize>),
    /// Items left out of an element segment.
    CutElem(u32, Range<usize>),
    /// A global begins with zero, or null.
    ClearGlobal(u32),
    /// Minimums of tables and memories that the module defines no larger than this.
    Minimums(u64),
    /// The same of memories alone: a table may have a segment that wants room.
    MemoryMinimums(u64),
    /// Tables and memories have no maximum.
    NoMaximums,
}

/// Ranges to leave out of so many things: all, halves from the end on, and so on; single ones only if they are few.
fn cuts(count: usize) -> Vec<Range<usize>> {
    const FEW: usize = 16;
    let numbers: Vec<usize> = (0..count).collect();
    let mut ranges: Vec<Range<usize>> = halvings(&numbers)
        .into_iter()
        .map(|run| run[0]..run[run.len() - 1] + 1)
        .filter(|range| count <= FEW || range.len() * FEW >= count)
        .collect();
    if count > FEW {
        ranges.extend([count - 1..count, 0..1]);
    }
    ranges
}

fn changes(wasm: &[u8]) -> wasmparser::Result<Vec<Change>> {
    let mut changes = vec![Change::Minimums(0), Change::Minimums(1), Change::NoMaximums];
    changes.extend([Change::MemoryMinimums(0), Change::MemoryMinimums(1)]);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::DataSection(section) => {
                for (data, number) in section.into_iter().zip(0..) {
                    let length = data?.data.len();
                    changes.extend(cuts(length).into_iter().map(|cut| Change::CutData(number, cut)));
                    changes.extend(cuts(length).into_iter().map(|cut| Change::ClearData(number, cut)));
                }
            }
            Payload::ElementSection(section) => {
                for (elem, number) in section.into_iter().zip(0..) {
                    let count = match elem?.items {
                        wasmparser::ElementItems::Functions(items) => items.count(),
                        wasmparser::ElementItems::Expressions(_, items) => items.count(),
                    };
                    changes.extend(cuts(count as usize).into_iter().map(|cut| Change::CutElem(number, cut)));
                }
            }
            Payload::GlobalSection(section) => {
                changes.extend((0..section.count()).map(Change::ClearGlobal));
            }
            _ => {}
        }
    }
    Ok(changes)
}

/// A module written anew with one change.
struct Rewriting {
    change: Change,
    data: u32,
    elem: u32,
    global: u32,
}

type Written<T> = Result<T, Error>;

impl Rewriting {
    fn minimum(&self, minimum: u64) -> u64 {
        if let Change::Minimums(most) = &self.change { minimum.min(*most) } else { minimum }
    }

    fn maximum(&self, maximum: Option<u64>) -> Option<u64> {
        if self.change == Change::NoMaximums { None } else { maximum }
    }
}

impl Reencode for Rewriting {
    type Error = std::convert::Infallible;

    fn memory_type(&mut self, ty: wasmparser::MemoryType) -> Written<wasm_encoder::MemoryType> {
        let initial = match &self.change {
            Change::MemoryMinimums(most) => ty.initial.min(*most),
            _ => self.minimum(ty.initial),
        };
        let maximum = self.maximum(ty.maximum);
        Ok(utils::memory_type(self, wasmparser::MemoryType { initial, maximum, ..ty }))
    }

    fn table_type(&mut self, ty: wasmparser::TableType) -> Written<wasm_encoder::TableType> {
        let (initial, maximum) = (self.minimum(ty.initial), self.maximum(ty.maximum));
        utils::table_type(self, wasmparser::TableType { initial, maximum, ..ty })
    }

    fn parse_data(&mut self, datas: &mut DataSection, data: wasmparser::Data<'_>) -> Written<()> {
        let number = self.data;
        self.data += 1;
        let mut bytes = data.data.to_vec();
        match &self.change {
            Change::CutData(of, cut) if *of == number => _ = bytes.drain(cut.clone()),
            Change::ClearData(of, cut) if *of == number => bytes[cut.clone()].fill(0),
            _ => {}
        }
        utils::parse_data(self, datas, wasmparser::Data { data: &bytes, ..data })
    }

    fn element_items<'a>(
        &mut self,
        items: wasmparser::ElementItems<'a>,
    ) -> Written<wasm_encoder::Elements<'a>> {
        let number = self.elem;
        self.elem += 1;
        let mut items = utils::element_items(self, items)?;
        if let Change::CutElem(of, cut) = &self.change
            && *of == number
        {
            match &mut items {
                wasm_encoder::Elements::Functions(funcs) => _ = funcs.to_mut().drain(cut.clone()),
                wasm_encoder::Elements::Expressions(_, items) => _ = items.to_mut().drain(cut.clone()),
            }
        }
        Ok(items)
    }

    fn parse_global(&mut self, globals: &mut GlobalSection, global: wasmparser::Global<'_>) -> Written<()> {
        let number = self.global;
        self.global += 1;
        let simple = match global.ty.content_type {
            ValType::I32 => ConstExpr::i32_const(0),
            ValType::I64 => ConstExpr::i64_const(0),
            ValType::F32 => ConstExpr::f32_const(0f32.into()),
            ValType::F64 => ConstExpr::f64_const(0f64.into()),
            ValType::V128 => ConstExpr::v128_const(0),
            ValType::Ref(RefType::FUNCREF) => ConstExpr::ref_null(wasm_encoder::HeapType::FUNC),
            ValType::Ref(RefType::EXTERNREF) => ConstExpr::ref_null(wasm_encoder::HeapType::EXTERN),
            ValType::Ref(_) => return utils::parse_global(self, globals, global),
        };
        if self.change != Change::ClearGlobal(number) {
            return utils::parse_global(self, globals, global);
        }
        globals.global(self.global_type(global.ty)?, &simple);
        Ok(())
    }
}
