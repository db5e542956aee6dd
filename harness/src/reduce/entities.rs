//! Leaves out entities of a module: exports, functions, segments, globals, tables, memories, imports, types, the
//! start function, custom sections.
//!
//! What comes later in an index space moves up, everywhere it is named. Where something still names what is
//! left out there is nothing to propose.

use super::proposal::{Look, Proposal, halvings};
use crate::wasm::spaces::{Counts, SPACES, Space};
use std::collections::BTreeSet;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasmparser::Parser;

/// An entity that may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entity {
    space: Space,
    index: u32,
}

impl Entity {
    /// A function.
    pub fn func(index: u32) -> Entity {
        Entity { space: Space::Func, index }
    }
}

/// Custom sections left out, then exports, segments and the start function, then what nothing names: many at once,
/// and one at a time; the last of each space first.
pub fn fewer(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, of) in look.case.modules.iter().enumerate() {
        let Some(counts) = Counts::of(&of.wasm) else { continue };
        let Some(named) = Removal::of(&of.wasm, &[]).and_then(|removal| removal.names(&of.wasm)) else {
            continue;
        };
        proposals.push(Proposal::Without { module, gone: Vec::new() });
        for spaces in [&[Space::Export][..], &[Space::Elem, Space::Data, Space::Start], &SPACES[4..]] {
            let all = spaces.iter().flat_map(|space| {
                (0..counts.in_space(*space).1).rev().map(|index| Entity { space: *space, index })
            });
            let unnamed: Vec<Entity> =
                all.filter(|entity| !named.contains(&(entity.space, entity.index))).collect();
            let halvings = halvings(&unnamed).into_iter();
            proposals.extend(halvings.map(|gone| Proposal::Without { module, gone }));
        }
    }
    proposals
}

/// The module without some entities and its custom sections; `None` where one of them is still needed.
pub fn without(wasm: &[u8], gone: &[Entity]) -> Option<Vec<u8>> {
    let smaller = Removal::of(wasm, gone)?.apply(wasm)?;
    if gone.iter().any(|entity| entity.space == Space::Start) {
        without_start(&smaller)
    } else {
        Some(smaller)
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

/// Leaves out entities while a module is written anew.
struct Removal {
    /// The indices that go, by space, in order.
    gone: [Vec<u32>; 10],
    /// Imported functions.
    imported_funcs: u32,
    /// Entities that have gone by, by space.
    seen: [u32; 10],
    seen_bodies: u32,
    /// What is named.
    named: BTreeSet<(Space, u32)>,
}

type Written<T> = Result<T, Error<StillNamed>>;

impl Removal {
    fn of(wasm: &[u8], gone: &[Entity]) -> Option<Removal> {
        let mut indices: [Vec<u32>; 10] = Default::default();
        gone.iter().for_each(|entity| indices[entity.space as usize].push(entity.index));
        indices.iter_mut().for_each(|indices| indices.sort_unstable());
        let imported_funcs = Counts::of(wasm)?.in_space(Space::Func).0;
        let named = BTreeSet::new();
        Some(Removal { gone: indices, imported_funcs, seen: [0; 10], seen_bodies: 0, named })
    }

    fn write(&mut self, wasm: &[u8]) -> Option<Vec<u8>> {
        let mut module = wasm_encoder::Module::new();
        self.parse_core_module(&mut module, Parser::new(0), wasm).ok()?;
        Some(module.finish())
    }

    fn apply(mut self, wasm: &[u8]) -> Option<Vec<u8>> {
        let smaller = self.write(wasm)?;
        // An import in a compact group stays, and then something else would have been left out.
        let stayed = |space: Space| self.gone[space as usize].len() as u32 > self.seen[space as usize];
        SPACES.iter().all(|space| *space == Space::Start || !stayed(*space)).then_some(smaller)
    }

    /// What the module's entities name.
    fn names(mut self, wasm: &[u8]) -> Option<BTreeSet<(Space, u32)>> {
        self.write(wasm)?;
        Some(self.named)
    }

    fn moved(&mut self, space: Space, index: u32) -> Written<u32> {
        self.named.insert((space, index));
        match self.gone[space as usize].binary_search(&index) {
            Ok(_) => Err(Error::UserError(StillNamed)),
            Err(before) => Ok(index - before as u32),
        }
    }

    /// Whether the next entity of a space is one that is left out.
    fn leaves_out(&mut self, space: Space) -> bool {
        let index = self.seen[space as usize];
        self.seen[space as usize] += 1;
        self.gone[space as usize].binary_search(&index).is_ok()
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

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Written<()> {
        for group in section {
            let group = group?;
            let first = self.seen[Space::Type as usize];
            let count = group.types().len() as u32;
            self.seen[Space::Type as usize] += count;
            let within = |index: &&u32| (first..first + count).contains(*index);
            match self.gone[Space::Type as usize].iter().filter(within).count() as u32 {
                0 => self.parse_recursive_type_group(types.ty(), group)?,
                all if all == count => {}
                // A group is one thing.
                _ => return Err(Error::UserError(StillNamed)),
            }
        }
        Ok(())
    }

    fn parse_imports(
        &mut self,
        section: &mut wasm_encoder::ImportSection,
        imports: wasmparser::Imports<'_>,
    ) -> Written<()> {
        if let wasmparser::Imports::Single(_, import) = &imports {
            let space = Space::of(import.ty);
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
        let index = self.imported_funcs + self.seen_bodies;
        self.seen_bodies += 1;
        if self.gone[Space::Func as usize].binary_search(&index).is_ok() {
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
        Ok(count - self.gone[Space::Data as usize].len() as u32)
    }
}
