//! Does without hosts: what a module imports becomes its own, or that of a module which plays the host.
//!
//! Imports come first in their index spaces, so where the last import of a space goes and a definition comes in front
//! of the others, no index changes. Functions answer with constants: what the host answered last, or the simplest.

use super::body::{push_simplest, push_value};
use super::proposal::{Look, Proposal, hosts_of};
use crate::case::{Action, Case, CaseModule};
use crate::hosts::Host;
use crate::observe::Capture;
use crate::wasm::functions::signatures;
use crate::wasm::sections::{
    CODE_SECTION, EXPORT_SECTION, FUNCTION_SECTION, IMPORT_SECTION, Sections, TYPE_SECTION,
};
use std::collections::BTreeMap;
use wasm_encoder::Encode;
use wasmparser::{BinaryReader, Import, Imports, Parser, Payload, TypeRef, ValType};

const END: u8 = 0x0b;

/// How definitions get their values.
#[derive(Clone, Copy)]
enum Values {
    /// The simplest of their types.
    Simplest,
    /// What the host gave.
    Answered,
}

/// Imports that become definitions: all of a kind, or the last one.
pub fn defined(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, of) in look.case.modules.iter().enumerate() {
        let Some(parts) = Parts::of(&of.wasm) else { continue };
        for kind in KINDS {
            let count = parts.imports.iter().filter(|import| kind.is(import.ty)).count();
            for first in if count > 1 { vec![0, count - 1] } else { (0..count).collect() } {
                for values in [Values::Simplest, Values::Answered] {
                    let wasm = parts.with_definitions(look, *kind, first, values);
                    proposals.extend(wasm.map(|wasm| Proposal::Wasm { module, wasm }));
                }
            }
        }
    }
    proposals
}

/// Another module for each name that hosts are imported by.
pub fn played(look: &Look<'_>) -> Vec<Proposal> {
    let mut names: Vec<String> = hosts_of(look.case).into_iter().map(|(host, _)| host).collect();
    names.sort_unstable();
    names.dedup();
    let ways = names.iter().flat_map(|name| [(name, Values::Simplest), (name, Values::Answered)]);
    ways.filter_map(|(name, values)| Some(Proposal::Case(with_player(look, name, values)?))).collect()
}

/// The case with a module of that name in front, which has what others import by it.
fn with_player(look: &Look<'_>, name: &str, values: Values) -> Option<Case> {
    let mut player = Player::default();
    for of in &look.case.modules {
        let parts = Parts::of(&of.wasm)?;
        for (number, import) in parts.imports.iter().enumerate().filter(|(_, import)| import.module == name) {
            player.add(look, &parts, number, import, values)?;
        }
    }
    let mut case = look.case.clone();
    for action in &mut case.actions {
        let (Action::Instantiate { module } | Action::Invoke { module, .. } | Action::Read { module, .. }) =
            action;
        *module += 1;
    }
    case.modules.insert(0, CaseModule { name: name.to_string(), wasm: player.finish() });
    case.actions.insert(0, Action::Instantiate { module: 0 });
    Some(case)
}

/// What can be imported and defined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

const KINDS: &[Kind] = &[Kind::Global, Kind::Memory, Kind::Table, Kind::Tag, Kind::Func];

impl Kind {
    fn of(ty: TypeRef) -> Kind {
        match ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => Kind::Func,
            TypeRef::Table(_) => Kind::Table,
            TypeRef::Memory(_) => Kind::Memory,
            TypeRef::Global(_) => Kind::Global,
            TypeRef::Tag(_) => Kind::Tag,
        }
    }

    fn is(self, ty: TypeRef) -> bool {
        Kind::of(ty) == self
    }

    /// The section of its definitions (WebAssembly 3.0, section 5.5.2).
    fn section(self) -> u8 {
        match self {
            Kind::Func => FUNCTION_SECTION,
            Kind::Table => 4,
            Kind::Memory => 5,
            Kind::Global => 6,
            Kind::Tag => 13,
        }
    }

    /// The byte that says so in exports.
    fn byte(self) -> u8 {
        match self {
            Kind::Func => 0,
            Kind::Table => 1,
            Kind::Memory => 2,
            Kind::Global => 3,
            Kind::Tag => 4,
        }
    }
}

/// A module taken apart.
struct Parts<'a> {
    /// Each section but custom ones: its number and its content.
    sections: Sections,
    imports: Vec<Import<'a>>,
    /// Each import as it stands in the module, and its type alone.
    written: Vec<(&'a [u8], &'a [u8])>,
    /// Parameters and results of each type; none of those that are no function types.
    types: Vec<Option<wasmparser::FuncType>>,
}

impl<'a> Parts<'a> {
    /// Takes a module apart; `None` if it cannot be read, or its imports stand in groups.
    fn of(wasm: &'a [u8]) -> Option<Parts<'a>> {
        let sections = Sections::of(wasm).ok()?.without_custom();
        let types = signatures(wasm).ok()?;
        let mut parts = Parts { sections, imports: Vec::new(), written: Vec::new(), types };
        for payload in Parser::new(0).parse_all(wasm) {
            let Payload::ImportSection(section) = payload.ok()? else { continue };
            let end = section.range().end;
            let starts: Vec<u64> = section
                .clone()
                .into_iter_with_offsets()
                .map(|import| import.map(|(start, _)| start))
                .collect::<Result<_, _>>()
                .ok()?;
            let ends = starts.iter().skip(1).copied().chain([end]);
            for ((import, start), end) in section.into_iter().zip(&starts).zip(ends) {
                let Imports::Single(_, import) = import.ok()? else { return None };
                let written = &wasm[*start as usize..end as usize];
                let mut reader = BinaryReader::new(written, 0);
                // Two names and a byte for the kind.
                reader.read_string().ok()?;
                reader.read_string().ok()?;
                reader.read_u8().ok()?;
                parts.imports.push(import);
                parts.written.push((written, &written[reader.original_position() as usize..]));
            }
        }
        Some(parts)
    }

    /// The module with definitions in place of the imports of a kind from number `first` of them on.
    fn with_definitions(&self, look: &Look<'_>, kind: Kind, first: usize, values: Values) -> Option<Vec<u8>> {
        let of_kind = self.imports.iter().enumerate().filter(|(_, import)| kind.is(import.ty));
        let gone: Vec<usize> = of_kind.map(|(number, _)| number).skip(first).collect();
        let kept = (0..self.imports.len()).filter(|number| !gone.contains(number));
        let kept: Vec<&[u8]> = kept.map(|number| self.written[number].0).collect();
        let definitions: Vec<Definition> =
            gone.iter().map(|number| self.definition(look, *number, values)).collect::<Option<_>>()?;
        let mut sections = self.sections.clone();
        sections.replace(IMPORT_SECTION, &kept);
        let entries: Vec<&[u8]> = definitions.iter().map(|made| made.entry.as_slice()).collect();
        sections.prepend(kind.section(), &entries).ok()?;
        if kind == Kind::Func {
            let bodies: Vec<&[u8]> = definitions.iter().map(|made| made.body.as_slice()).collect();
            sections.prepend(CODE_SECTION, &bodies).ok()?;
        }
        Some(sections.module())
    }

    /// What import number `number` is as a definition; `None` if there is no value of its type.
    fn definition(&self, look: &Look<'_>, number: usize, values: Values) -> Option<Definition> {
        let import = &self.imports[number];
        let mut definition = Definition { entry: self.written[number].1.to_vec(), body: Vec::new() };
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                let results = self.types.get(ty as usize)?.as_ref()?.results();
                // No locals.
                let mut code = vec![0];
                match values {
                    Values::Simplest => push_all_simplest(results, &mut code)?,
                    Values::Answered => {
                        let answers = look.answers();
                        let answer = answers.get(&format!("{}.{}", import.module, import.name))?;
                        answer.iter().all(|value| push_value(value, &mut code)).then_some(())?;
                    }
                }
                code.push(END);
                code.as_slice().encode(&mut definition.body);
            }
            TypeRef::Global(ty) => {
                let entry = &mut definition.entry;
                let answered = match values {
                    Values::Simplest => false,
                    Values::Answered => {
                        let host = Host::new(look.case.hosts, Capture::Digest);
                        let value =
                            engine_type(ty.content_type).and_then(|ty| host.global(number as u32, ty));
                        push_value(&value?, entry)
                    }
                };
                if !answered {
                    push_simplest(ty.content_type, entry).then_some(())?;
                }
                entry.push(END);
            }
            TypeRef::Table(_) | TypeRef::Memory(_) | TypeRef::Tag(_) => {}
        }
        Some(definition)
    }
}

/// What stands in the sections of definitions and, of functions, of code.
struct Definition {
    entry: Vec<u8>,
    body: Vec<u8>,
}

/// A module that plays the host, as it grows.
#[derive(Default)]
struct Player {
    types: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    /// Entries of the sections of definitions.
    entries: BTreeMap<u8, Vec<Vec<u8>>>,
    /// What is exported already: its kind and type by its name.
    exported: BTreeMap<String, (u8, Vec<u8>)>,
    exports: Vec<Vec<u8>>,
}

impl Player {
    /// Adds what an import needs. Fails on types that name others, and on a name for two things.
    fn add(
        &mut self,
        look: &Look<'_>,
        parts: &Parts<'_>,
        number: usize,
        import: &Import<'_>,
        values: Values,
    ) -> Option<()> {
        let mut definition = parts.definition(look, number, values)?;
        let (kind, mut ty) = (Kind::of(import.ty), parts.written[number].1.to_vec());
        if let TypeRef::Func(of) | TypeRef::FuncExact(of) = import.ty {
            ty = written_type(parts.types.get(of as usize)?.as_ref()?)?;
        }
        let is_new = match self.exported.get(import.name) {
            None => true,
            Some(known) if *known == (kind.byte(), ty.clone()) => false,
            Some(_) => return None,
        };
        if !is_new {
            return Some(());
        }
        match kind {
            Kind::Func => {
                definition.entry.clear();
                self.types.len().encode(&mut definition.entry);
                self.types.push(ty.clone());
                self.bodies.push(definition.body);
            }
            Kind::Table | Kind::Memory | Kind::Global => {}
            Kind::Tag => return None,
        }
        let entries = self.entries.entry(kind.section()).or_default();
        let mut export = Vec::new();
        import.name.encode(&mut export);
        export.push(kind.byte());
        entries.len().encode(&mut export);
        entries.push(definition.entry);
        self.exports.push(export);
        self.exported.insert(import.name.to_string(), (kind.byte(), ty));
        Some(())
    }

    fn finish(self) -> Vec<u8> {
        let mut lists = self.entries;
        lists.extend([
            (TYPE_SECTION, self.types),
            (EXPORT_SECTION, self.exports),
            (CODE_SECTION, self.bodies),
        ]);
        let mut sections = Sections::default();
        for (id, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            sections.replace(*id, &list.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        sections.module()
    }
}

/// A function type as the type section has it; `None` if it names other types.
fn written_type(ty: &wasmparser::FuncType) -> Option<Vec<u8>> {
    const FUNC: u8 = 0x60;
    let mut written = vec![FUNC];
    for types in [ty.params(), ty.results()] {
        types.len().encode(&mut written);
        for ty in types {
            super::body::locals::push_type(*ty, &mut written)?;
        }
    }
    Some(written)
}

fn push_all_simplest(types: &[ValType], code: &mut Vec<u8>) -> Option<()> {
    types.iter().all(|ty| push_simplest(*ty, code)).then_some(())
}

/// The same type as the engine has it; hosts have no answer of the others.
fn engine_type(ty: ValType) -> Option<crosscheck_engine::ValType> {
    match ty {
        ValType::I32 => Some(crosscheck_engine::ValType::I32),
        ValType::I64 => Some(crosscheck_engine::ValType::I64),
        ValType::F32 => Some(crosscheck_engine::ValType::F32),
        ValType::F64 => Some(crosscheck_engine::ValType::F64),
        ValType::V128 => Some(crosscheck_engine::ValType::V128),
        ValType::Ref(_) => None,
    }
}
