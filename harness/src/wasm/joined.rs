//! Makes one module of two: of one that imports, and the one that it imports from.
//!
//! Both keep the order of what they have, the one that is imported from comes first, and imports come before
//! definitions. So what an initial value names still stands before it. An import of the one from the other becomes the
//! number of what it was. Where two exports have one name, the second gets another, and its importers ask for that.

use super::spaces::{Counts, SPACES, Space};
use crate::case::{Action, Case, CaseModule};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, ElementSection, ExportSection, FunctionSection,
    GlobalSection, ImportSection, MemorySection, Section, StartSection, TableSection, TagSection,
    TypeSection,
};
use wasmparser::{ExternalKind, Import, Parser, Payload};

/// The module name of imports that the host provides in [`as_one`]; their names are the numbers that they had in their
/// own modules.
pub const HOST: &str = "crosscheck host";

/// The case with all of its modules as one. `None` if they are not all connected by imports, or cannot be read.
///
/// Instantiating that one is like instantiating all of them in order, where that succeeds.
pub fn as_one(case: &Case) -> Option<Case> {
    let mut case = case.clone();
    for importer in 0..case.modules.len() {
        let (earlier, rest) = case.modules.split_at_mut(importer);
        let earlier = earlier.iter().map(|module| module.name.as_str()).collect();
        let mut numbering = Numbering { earlier, next: 0 };
        let mut module = wasm_encoder::Module::new();
        numbering.parse_core_module(&mut module, Parser::new(0), &rest[0].wasm).ok()?;
        rest[0].wasm = module.finish();
    }
    while case.modules.len() > 1 {
        let importers = 1..case.modules.len();
        let mut pairs =
            importers.flat_map(|importer| (0..importer).map(move |provider| (provider, importer)));
        case =
            pairs.find_map(|(provider, importer)| Some(Pair::of(&case, provider, importer)?.at(importer)))?;
    }
    Some(case)
}

/// Names imports that no earlier module provides by their numbers.
struct Numbering<'a> {
    earlier: Vec<&'a str>,
    next: u32,
}

impl Reencode for Numbering<'_> {
    type Error = Unknown;

    fn parse_imports(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::Imports<'_>,
    ) -> Result<(), Error<Unknown>> {
        let wasmparser::Imports::Single(offset, mut import) = imports else {
            return Err(Error::UserError(Unknown));
        };
        let name = self.next.to_string();
        self.next += 1;
        if !self.earlier.contains(&import.module) {
            import.module = HOST;
            import.name = &name;
        }
        utils::parse_imports(self, section, wasmparser::Imports::Single(offset, import))
    }
}

/// Two modules of a case, and what they are together.
pub struct Pair<'a> {
    case: &'a Case,
    provider: usize,
    importer: usize,
    wasm: Vec<u8>,
    /// What exports of the importer are called now, if that is something else.
    renamed: BTreeMap<String, String>,
}

impl<'a> Pair<'a> {
    /// Two modules as one. `None` if the one imports nothing from the other, if both have a start function, or one
    /// cannot be read.
    pub fn of(case: &'a Case, provider: usize, importer: usize) -> Option<Pair<'a>> {
        let [first, second] = [provider, importer].map(|module| &case.modules[module]);
        let exports = exports(&first.wasm)?;
        let provides = |import: &Import<'_>| {
            let (space, index) = *exports.get(import.name).filter(|_| import.module == first.name)?;
            (space == Space::of(import.ty)).then_some(index)
        };
        let imports = imports(&second.wasm)?;
        if !imports.iter().any(|import| provides(import).is_some()) {
            return None;
        }
        let (of_first, of_second) = (Counts::of(&first.wasm)?, Counts::of(&second.wasm)?);
        let mut numbers: [Numbers; 2] = Default::default();
        for space in SPACES {
            let (imported, all) = of_first.in_space(space);
            let mut own = imports.iter().filter(|import| Space::of(import.ty) == space);
            let kept = own.clone().filter(|import| provides(import).is_none()).count() as u32;
            // Definitions come after the imports of both.
            let moved = |index: u32| if index < imported { index } else { index + kept };
            numbers[0].of[space as usize] = (0..all).map(moved).collect();
            let mut next = imported..;
            let of_imports = own.by_ref().filter_map(|import| match provides(import) {
                Some(index) => Some(moved(index)),
                None => next.next(),
            });
            let mut of_second_space: Vec<u32> = of_imports.collect();
            let (imported, all_of_second) = of_second.in_space(space);
            of_second_space.extend((all + kept..).take((all_of_second - imported) as usize));
            numbers[1].of[space as usize] = of_second_space;
        }
        let [mut of_first, mut of_second] = numbers;
        let mut sections = Sections::default();
        sections.add(&mut of_first, &first.wasm, &|_| true)?;
        sections.add(&mut of_second, &second.wasm, &|import| provides(import).is_none())?;
        let renamed = std::mem::take(&mut sections.renamed);
        Some(Pair { case, provider, importer, wasm: sections.module(), renamed })
    }

    /// The case with both in the place of one of them.
    pub fn at(&self, place: usize) -> Case {
        let mut case = self.case.clone();
        let gone = if place == self.provider { self.importer } else { self.provider };
        let names = [self.provider, self.importer].map(|module| case.modules[module].name.clone());
        let [name, other_name] = names;
        for module in &mut case.modules {
            let renaming = Renaming { from: &other_name, to: &name, exports: &self.renamed };
            renaming.of(module);
        }
        case.modules[place] = CaseModule { name, wasm: self.wasm.clone() };
        case.modules.remove(gone);
        case.actions.retain_mut(|action| {
            if let Action::Instantiate { module } = action
                && *module as usize == gone
            {
                return false;
            }
            let (Action::Instantiate { module }
            | Action::Invoke { module, .. }
            | Action::Read { module, .. }) = action;
            let of = *module as usize;
            let is_either = of == gone || of == place;
            let now = if is_either { place } else { of };
            *module = (now - usize::from(now > gone)) as u32;
            if let Action::Invoke { export, .. } | Action::Read { export, .. } = action
                && of == self.importer
                && let Some(now) = self.renamed.get(export)
            {
                export.clone_from(now);
            }
            true
        });
        case
    }
}

/// What a module exports: the space and index by name.
fn exports(wasm: &[u8]) -> Option<BTreeMap<&str, (Space, u32)>> {
    let mut exports = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ExportSection(section) = payload.ok()? else { continue };
        for export in section {
            let export = export.ok()?;
            let space = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => Space::Func,
                ExternalKind::Table => Space::Table,
                ExternalKind::Memory => Space::Memory,
                ExternalKind::Global => Space::Global,
                ExternalKind::Tag => Space::Tag,
            };
            exports.insert(export.name, (space, export.index));
        }
    }
    Some(exports)
}

fn imports(wasm: &[u8]) -> Option<Vec<Import<'_>>> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload.ok()? {
            return section.into_imports().collect::<Result<_, _>>().ok();
        }
    }
    Some(Vec::new())
}

/// What the indices of a module are in the module of both, by space.
#[derive(Default)]
struct Numbers {
    of: [Vec<u32>; SPACES.len()],
}

/// An index of nothing.
#[derive(Debug)]
struct Unknown;

type Written<T> = Result<T, Error<Unknown>>;

impl Numbers {
    fn now(&self, space: Space, index: u32) -> Written<u32> {
        self.of[space as usize].get(index as usize).copied().ok_or(Error::UserError(Unknown))
    }
}

impl Reencode for Numbers {
    type Error = Unknown;

    fn data_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Data, index)
    }

    fn element_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Elem, index)
    }

    fn function_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Func, index)
    }

    fn global_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Global, index)
    }

    fn memory_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Memory, index)
    }

    fn table_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Table, index)
    }

    fn tag_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Tag, index)
    }

    fn type_index(&mut self, index: u32) -> Written<u32> {
        self.now(Space::Type, index)
    }
}

/// The sections of the module of both, as they grow. Custom ones are left out.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    tags: TagSection,
    globals: GlobalSection,
    exports: ExportSection,
    start: Option<u32>,
    elements: ElementSection,
    counts_data: bool,
    code: CodeSection,
    data: DataSection,
    /// Names of exports.
    exported: BTreeSet<String>,
    renamed: BTreeMap<String, String>,
}

impl Sections {
    /// Adds a module: of its imports those that stay. Fails on a second start function.
    fn add(&mut self, numbers: &mut Numbers, wasm: &[u8], stays: &dyn Fn(&Import<'_>) -> bool) -> Option<()> {
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.ok()? {
                Payload::TypeSection(section) => numbers.parse_type_section(&mut self.types, section),
                Payload::ImportSection(section) => section
                    .into_imports()
                    .filter(|import| import.as_ref().map_or(true, stays))
                    .try_for_each(|import| numbers.parse_import(&mut self.imports, import?)),
                Payload::FunctionSection(section) => {
                    numbers.parse_function_section(&mut self.functions, section)
                }
                Payload::TableSection(section) => numbers.parse_table_section(&mut self.tables, section),
                Payload::MemorySection(section) => numbers.parse_memory_section(&mut self.memories, section),
                Payload::TagSection(section) => numbers.parse_tag_section(&mut self.tags, section),
                Payload::GlobalSection(section) => numbers.parse_global_section(&mut self.globals, section),
                Payload::ExportSection(section) => self.add_exports(numbers, section),
                Payload::StartSection { func, .. } => {
                    let start = numbers.function_index(func).ok();
                    if self.start.is_some() {
                        return None;
                    }
                    self.start = start;
                    Ok(())
                }
                Payload::ElementSection(section) => {
                    numbers.parse_element_section(&mut self.elements, section)
                }
                Payload::DataCountSection { .. } => {
                    self.counts_data = true;
                    Ok(())
                }
                Payload::CodeSectionEntry(body) => numbers.parse_function_body(&mut self.code, body),
                Payload::DataSection(section) => numbers.parse_data_section(&mut self.data, section),
                _ => Ok(()),
            }
            .ok()?;
        }
        Some(())
    }

    fn add_exports(
        &mut self,
        numbers: &mut Numbers,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Written<()> {
        for export in section {
            let mut export = export?;
            let mut name = export.name.to_string();
            while !self.exported.insert(name.clone()) {
                name.push('+');
            }
            if name != export.name {
                self.renamed.insert(export.name.to_string(), name.clone());
            }
            export.name = &name;
            utils::parse_export(numbers, &mut self.exports, export)?;
        }
        Ok(())
    }

    /// The module, without sections that would be empty.
    fn module(&self) -> Vec<u8> {
        fn add(module: &mut wasm_encoder::Module, is_empty: bool, section: &impl Section) {
            if !is_empty {
                module.section(section);
            }
        }
        let mut module = wasm_encoder::Module::new();
        add(&mut module, self.types.is_empty(), &self.types);
        add(&mut module, self.imports.is_empty(), &self.imports);
        add(&mut module, self.functions.is_empty(), &self.functions);
        add(&mut module, self.tables.is_empty(), &self.tables);
        add(&mut module, self.memories.is_empty(), &self.memories);
        add(&mut module, self.tags.is_empty(), &self.tags);
        add(&mut module, self.globals.is_empty(), &self.globals);
        add(&mut module, self.exports.is_empty(), &self.exports);
        if let Some(function_index) = self.start {
            module.section(&StartSection { function_index });
        }
        add(&mut module, self.elements.is_empty(), &self.elements);
        add(&mut module, !self.counts_data, &DataCountSection { count: self.data.len() });
        add(&mut module, self.code.is_empty(), &self.code);
        add(&mut module, self.data.is_empty(), &self.data);
        module.finish()
    }
}

/// Another name for a module that others import from, and for what it exports.
struct Renaming<'a> {
    from: &'a str,
    to: &'a str,
    exports: &'a BTreeMap<String, String>,
}

impl Renaming<'_> {
    /// Renames what a module imports, if that is the module.
    fn of(mut self, module: &mut CaseModule) {
        let names = imports(&module.wasm).unwrap_or_default();
        if names.iter().all(|import| import.module != self.from) {
            return;
        }
        let mut renamed = wasm_encoder::Module::new();
        if self.parse_core_module(&mut renamed, Parser::new(0), &module.wasm).is_ok() {
            module.wasm = renamed.finish();
        }
    }
}

impl Reencode for Renaming<'_> {
    type Error = std::convert::Infallible;

    fn parse_imports(
        &mut self,
        section: &mut ImportSection,
        imports: wasmparser::Imports<'_>,
    ) -> Result<(), Error> {
        if let wasmparser::Imports::Single(offset, mut import) = imports
            && import.module == self.from
        {
            import.module = self.to;
            import.name = self.exports.get(import.name).map_or(import.name, String::as_str);
            return utils::parse_imports(self, section, wasmparser::Imports::Single(offset, import));
        }
        utils::parse_imports(self, section, imports)
    }
}
