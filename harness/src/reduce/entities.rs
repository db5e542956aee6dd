//! Leaves out entities of a module: exports, functions, segments, globals, tables, memories, imports, types, the
//! start function, custom sections.
//!
//! What comes behind in an index space moves up, everywhere it is named. Where something still names what is
//! left out there is nothing to propose.

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasmparser::{Parser, Payload, TypeRef};

/// An index space, or a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Space {
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
struct Counts {
    of: [(u32, u32); 10],
}

const SPACES: [Space; 10] = [
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

impl Counts {
    /// Entities of each space: imported ones, and all.
    fn of(wasm: &[u8]) -> Option<Counts> {
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
                        let space = match import.ok()?.ty {
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => Space::Func,
                            TypeRef::Table(_) => Space::Table,
                            TypeRef::Memory(_) => Space::Memory,
                            TypeRef::Global(_) => Space::Global,
                            TypeRef::Tag(_) => Space::Tag,
                        };
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
}

/// An entity that may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entity {
    space: Space,
    index: u32,
    imported: u32,
}

/// All entities, the last of each space first.
pub fn all(wasm: &[u8]) -> Vec<Entity> {
    let Some(counts) = Counts::of(wasm) else { return Vec::new() };
    let of = |space: Space| {
        let (imported, all) = counts.of[space as usize];
        (0..all).rev().map(move |index| Entity { space, index, imported })
    };
    SPACES.into_iter().flat_map(of).collect()
}

/// The module without an entity; `None` where it is still needed.
pub fn without(wasm: &[u8], entity: &Entity) -> Option<Vec<u8>> {
    let Entity { space, index, imported } = *entity;
    match space {
        Space::Start => without_start(wasm),
        // One in a compact group of imports stays, and then nothing was left out.
        _ => Removal { space, index, imported, seen: 0, seen_funcs: 0 }
            .apply(wasm)
            .filter(|smaller| all(smaller).len() < all(wasm).len()),
    }
}

/// The module without its start section.
fn without_start(wasm: &[u8]) -> Option<Vec<u8>> {
    const START_SECTION: u8 = 8;
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Some((id, range)) = payload.ok()?.as_section() else { continue };
        if id != START_SECTION {
            let data = &wasm[range.start as usize..range.end as usize];
            module.section(&wasm_encoder::RawSection { id, data });
        }
    }
    Some(module.finish())
}

/// Nothing may name what is left out.
#[derive(Debug)]
struct StillNamed;

/// Leaves out one entity while a module is written anew.
struct Removal {
    space: Space,
    index: u32,
    /// Imported entities of the space.
    imported: u32,
    /// Entities of the space that have gone by.
    seen: u32,
    seen_funcs: u32,
}

type Written<T> = Result<T, Error<StillNamed>>;

impl Removal {
    fn apply(mut self, wasm: &[u8]) -> Option<Vec<u8>> {
        let mut module = wasm_encoder::Module::new();
        self.parse_core_module(&mut module, Parser::new(0), wasm).ok()?;
        Some(module.finish())
    }

    fn moved(&self, space: Space, index: u32) -> Written<u32> {
        if space != self.space || index < self.index {
            return Ok(index);
        }
        if index == self.index { Err(Error::UserError(StillNamed)) } else { Ok(index - 1) }
    }

    /// Whether the next entity of a space is the one that is left out.
    fn leaves_out(&mut self, space: Space) -> bool {
        if space != self.space {
            return false;
        }
        self.seen += 1;
        self.seen - 1 == self.index
    }
}

impl Reencode for Removal {
    type Error = StillNamed;

    fn data_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Data, index)
    }

    fn element_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Elem, index)
    }

    fn function_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Func, index)
    }

    fn global_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Global, index)
    }

    fn memory_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Memory, index)
    }

    fn table_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Table, index)
    }

    fn tag_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Tag, index)
    }

    fn type_index(&mut self, index: u32) -> Written<u32> {
        self.moved(Space::Type, index)
    }

    fn parse_custom_section(
        &mut self,
        _: &mut wasm_encoder::Module,
        _: wasmparser::CustomSectionReader<'_>,
    ) -> Written<()> {
        // Names would have to be renumbered, and say nothing about faults.
        Ok(())
    }

    fn parse_recursive_type_group(
        &mut self,
        encoder: wasm_encoder::CoreTypeEncoder<'_>,
        group: wasmparser::RecGroup,
    ) -> Written<()> {
        if self.space == Space::Type {
            let first = self.seen;
            self.seen += group.types().len() as u32;
            if (first..self.seen).contains(&self.index) {
                // A group is one thing: only one of a single type can go.
                return if group.types().len() == 1 { Ok(()) } else { Err(Error::UserError(StillNamed)) };
            }
        }
        utils::parse_recursive_type_group(self, encoder, group)
    }

    fn parse_imports(
        &mut self,
        section: &mut wasm_encoder::ImportSection,
        imports: wasmparser::Imports<'_>,
    ) -> Written<()> {
        if let wasmparser::Imports::Single(_, import) = &imports {
            let space = match import.ty {
                TypeRef::Func(_) | TypeRef::FuncExact(_) => Space::Func,
                TypeRef::Table(_) => Space::Table,
                TypeRef::Memory(_) => Space::Memory,
                TypeRef::Global(_) => Space::Global,
                TypeRef::Tag(_) => Space::Tag,
            };
            if self.leaves_out(space) {
                return Ok(());
            }
        }
        utils::parse_imports(self, section, imports)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Written<()> {
        for func in section {
            let ty = func?;
            if !self.leaves_out(Space::Func) {
                functions.function(self.type_index(ty)?);
            }
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Written<()> {
        let index = self.imported + self.seen_funcs;
        self.seen_funcs += 1;
        if self.space == Space::Func && index == self.index {
            return Ok(());
        }
        utils::parse_function_body(self, code, body)
    }

    fn parse_memory_section(
        &mut self,
        memories: &mut wasm_encoder::MemorySection,
        section: wasmparser::MemorySectionReader<'_>,
    ) -> Written<()> {
        for memory in section {
            let memory = memory?;
            if !self.leaves_out(Space::Memory) {
                memories.memory(self.memory_type(memory)?);
            }
        }
        Ok(())
    }

    fn parse_table(
        &mut self,
        tables: &mut wasm_encoder::TableSection,
        table: wasmparser::Table<'_>,
    ) -> Written<()> {
        if self.leaves_out(Space::Table) { Ok(()) } else { utils::parse_table(self, tables, table) }
    }

    fn parse_tag_section(
        &mut self,
        tags: &mut wasm_encoder::TagSection,
        section: wasmparser::TagSectionReader<'_>,
    ) -> Written<()> {
        for tag in section {
            let tag = tag?;
            if !self.leaves_out(Space::Tag) {
                tags.tag(self.tag_type(tag)?);
            }
        }
        Ok(())
    }

    fn parse_global(
        &mut self,
        globals: &mut wasm_encoder::GlobalSection,
        global: wasmparser::Global<'_>,
    ) -> Written<()> {
        if self.leaves_out(Space::Global) { Ok(()) } else { utils::parse_global(self, globals, global) }
    }

    fn parse_export(
        &mut self,
        exports: &mut wasm_encoder::ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Written<()> {
        if self.leaves_out(Space::Export) { Ok(()) } else { utils::parse_export(self, exports, export) }
    }

    fn parse_element(
        &mut self,
        elements: &mut wasm_encoder::ElementSection,
        element: wasmparser::Element<'_>,
    ) -> Written<()> {
        if self.leaves_out(Space::Elem) { Ok(()) } else { utils::parse_element(self, elements, element) }
    }

    fn parse_data(
        &mut self,
        datas: &mut wasm_encoder::DataSection,
        data: wasmparser::Data<'_>,
    ) -> Written<()> {
        if self.leaves_out(Space::Data) { Ok(()) } else { utils::parse_data(self, datas, data) }
    }

    fn data_count(&mut self, count: u32) -> Written<u32> {
        Ok(count - u32::from(self.space == Space::Data))
    }
}
