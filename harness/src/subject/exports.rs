//! What the modules of a case export, in order and by index: engines give exports by name only.

use super::Prepared;
use super::origins::Origins;
use crosscheck_engine::{ExternType, ValType};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// An export.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Export {
    name: String,
    kind: Kind,
}

/// What is exported, as far as it is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// A function, with its parameters, and whether it is known to be one of the host's.
    Func { params: Vec<ValType>, is_host: bool },
    /// The memory of that index.
    Memory(u32),
    /// Something else that has a state: a table or a global.
    Stateful,
    /// A tag.
    Tag,
}

/// The exports of a module, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exports(Vec<Export>);

impl Exports {
    /// The exports of each module of a case; an invalid one has none.
    ///
    /// Which functions are the host's is found out only for engines that do not say who calls them.
    pub(super) fn of_case(prepared: &Prepared<'_>, origins: Option<&Origins<'_>>) -> Vec<Exports> {
        (0..prepared.modules.len()).map(|module| Exports::of(prepared, origins, module)).collect()
    }

    fn of(prepared: &Prepared<'_>, origins: Option<&Origins<'_>>, module: usize) -> Exports {
        let Ok(decoded) = &prepared.modules[module] else { return Exports(Vec::new()) };
        let indices = indices(&prepared.case.modules[module].wasm);
        let exports = decoded.exports().zip(indices).map(|((name, ty), index)| {
            let kind = match ty {
                ExternType::Func(id) => Kind::Func {
                    params: decoded.func_type(id).params().to_vec(),
                    is_host: origins.is_some_and(|origins| origins.is_host(module, index)),
                },
                ExternType::Memory(_) => Kind::Memory(index),
                ExternType::Table(_) | ExternType::Global(_) => Kind::Stateful,
                ExternType::Tag(_) => Kind::Tag,
            };
            Export { name: name.to_string(), kind }
        });
        Exports(exports.collect())
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|export| export.name.as_str())
    }

    /// The names of what has a state: memories, tables and globals.
    pub fn stateful(&self) -> impl Iterator<Item = &str> {
        let stateful = |export: &&Export| matches!(export.kind, Kind::Memory(_) | Kind::Stateful);
        self.0.iter().filter(stateful).map(|export| export.name.as_str())
    }

    /// The functions: names, and types of parameters.
    pub fn funcs(&self) -> impl Iterator<Item = (&str, &[ValType])> {
        self.0.iter().filter_map(|export| match &export.kind {
            Kind::Func { params, .. } => Some((export.name.as_str(), params.as_slice())),
            Kind::Memory(_) | Kind::Stateful | Kind::Tag => None,
        })
    }

    /// Whether the export of that name is known to be one of the host's functions.
    pub fn is_host(&self, name: &str) -> bool {
        let is_host = |kind: &Kind| matches!(kind, Kind::Func { is_host: true, .. });
        self.0.iter().any(|export| export.name == name && is_host(&export.kind))
    }

    /// The name under which memory 0 is first exported.
    pub fn first_memory(&self) -> Option<&str> {
        let first = self.0.iter().find(|export| export.kind == Kind::Memory(0))?;
        Some(&first.name)
    }

    /// The exports of the module whose instance called a host function; none if none called it.
    ///
    /// Engines know the caller only by its exports: `has` says whether it has one of that name. Of several modules
    /// that it could be, the one with the most is it: the others' exports are a part of its own.
    pub fn of_caller<'a>(modules: &'a [Exports], mut has: impl FnMut(&str) -> bool) -> Option<&'a Exports> {
        let is_caller = |exports: &&'a Exports| exports.names().all(&mut has);
        modules.iter().filter(is_caller).max_by_key(|exports| exports.0.len())
    }
}

/// Whether a module's start function is one of the host's, perhaps by way of other modules that export it again.
///
/// Then no instance calls it: instantiation does. Some engines name the new instance as its caller nevertheless, which is no
/// less right, for the specification has callers only as frames ("Instantiation", step of the start function).
pub(super) fn starts_with_host(prepared: &Prepared<'_>, module: usize) -> bool {
    let first = Functions::of(&prepared.case.modules[module].wasm);
    let Some(mut func) = first.start else { return false };
    let (mut functions, mut below) = (first, module);
    loop {
        let Some((from, name)) = functions.imported.get(func as usize) else { return false };
        let source = prepared.case.modules.iter().position(|module| module.name == *from);
        let Some(source) = source.filter(|source| prepared.modules[*source].is_ok()) else { return true };
        let next = Functions::of(&prepared.case.modules[source].wasm);
        let Some((_, index)) = next.exported.iter().find(|(exported, _)| exported == name) else {
            return false;
        };
        // Modules import from earlier ones; from an earlier instance of itself comes what that one was given.
        if source >= below {
            return false;
        }
        (func, functions, below) = (*index, next, source);
    }
}

/// Where a module's functions come from and go.
#[derive(Default)]
struct Functions {
    /// Module and name of those that are imported.
    imported: Vec<(String, String)>,
    /// Those that are exported.
    exported: Vec<(String, u32)>,
    start: Option<u32>,
}

impl Functions {
    fn of(wasm: &[u8]) -> Functions {
        let mut functions = Functions::default();
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            match payload {
                Payload::ImportSection(section) => {
                    for import in section.into_imports().map_while(Result::ok) {
                        if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import.ty {
                            functions.imported.push((import.module.to_string(), import.name.to_string()));
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    let funcs = section
                        .into_iter()
                        .map_while(Result::ok)
                        .filter(|export| matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact));
                    functions.exported =
                        funcs.map(|export| (export.name.to_string(), export.index)).collect();
                }
                Payload::StartSection { func, .. } => functions.start = Some(func),
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        functions
    }
}

/// The indices of a module's exports, in order, as far as they can be read.
fn indices(wasm: &[u8]) -> Vec<u32> {
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::ExportSection(section)) => {
                return section.into_iter().map_while(Result::ok).map(|export| export.index).collect();
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Vec::new()
}
