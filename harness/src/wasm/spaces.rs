//! Index spaces of a module, and how many entities each has.

use wasmparser::{Parser, Payload, TypeRef};

/// An index space, or a list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Space {
    Export,
    Start,
    Elem,
    Data,
    Func,
    Global,
    Table,
    Memory,
    Tag,
    Type,
}

/// How much of each there is, imports included.
#[derive(Default)]
pub struct Counts {
    of: [(u32, u32); 10],
}

/// All of them, in the order in which they are left out.
pub const SPACES: [Space; 10] = [
    Space::Export,
    Space::Start,
    Space::Elem,
    Space::Data,
    Space::Func,
    Space::Global,
    Space::Table,
    Space::Memory,
    Space::Tag,
    Space::Type,
];

impl Space {
    /// Where an import goes.
    pub fn of(import: TypeRef) -> Space {
        match import {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => Space::Func,
            TypeRef::Table(_) => Space::Table,
            TypeRef::Memory(_) => Space::Memory,
            TypeRef::Global(_) => Space::Global,
            TypeRef::Tag(_) => Space::Tag,
        }
    }
}

impl Counts {
    /// Entities of each space: imported ones, and all.
    pub fn of(wasm: &[u8]) -> Option<Counts> {
        let mut counts = Counts::default();
        let mut add = |space: Space, imported: u32, all: u32| {
            let (before, sum) = &mut counts.of[space as usize];
            *before += imported;
            *sum += all;
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.ok()? {
                Payload::TypeSection(section) => {
                    for group in section {
                        add(Space::Type, 0, group.ok()?.types().len() as u32);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let space = Space::of(import.ok()?.ty);
                        add(space, 1, 1);
                    }
                }
                Payload::FunctionSection(section) => add(Space::Func, 0, section.count()),
                Payload::TableSection(section) => add(Space::Table, 0, section.count()),
                Payload::MemorySection(section) => add(Space::Memory, 0, section.count()),
                Payload::TagSection(section) => add(Space::Tag, 0, section.count()),
                Payload::GlobalSection(section) => add(Space::Global, 0, section.count()),
                Payload::ExportSection(section) => add(Space::Export, 0, section.count()),
                Payload::StartSection { .. } => add(Space::Start, 0, 1),
                Payload::ElementSection(section) => add(Space::Elem, 0, section.count()),
                Payload::DataSection(section) => add(Space::Data, 0, section.count()),
                _ => {}
            }
        }
        Some(counts)
    }

    /// How many entities of a space are imported, and how many there are.
    pub fn in_space(&self, space: Space) -> (u32, u32) {
        self.of[space as usize]
    }
}
