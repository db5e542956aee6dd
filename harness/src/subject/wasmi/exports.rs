//! What modules export, by name and index: wasmi itself gives exports by name only.

use wasmi::Caller;
use wasmparser::{ExternalKind, Parser, Payload};

/// What is exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Func,
    Table,
    Memory,
    Global,
}

/// An export.
struct Export {
    name: String,
    kind: Kind,
    index: u32,
}

/// The exports of a module, in order.
pub(super) struct Exports(Vec<Export>);

impl Exports {
    /// The exports of a module; what cannot be read has none.
    pub(super) fn of(wasm: &[u8]) -> Exports {
        let mut exports = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload {
                Ok(Payload::ExportSection(section)) => {
                    let readable = section.into_iter().map_while(Result::ok);
                    exports.extend(readable.filter_map(|export| {
                        let kind = match export.kind {
                            ExternalKind::Func | ExternalKind::FuncExact => Kind::Func,
                            ExternalKind::Table => Kind::Table,
                            ExternalKind::Memory => Kind::Memory,
                            ExternalKind::Global => Kind::Global,
                            // Wasmi refuses modules with tags.
                            ExternalKind::Tag => return None,
                        };
                        Some(Export { name: export.name.to_string(), kind, index: export.index })
                    }));
                    break;
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        Exports(exports)
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|export| export.name.as_str())
    }

    /// The names of the exports of a kind.
    pub(super) fn names_of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |export| export.kind == kind).map(|export| export.name.as_str())
    }

    /// The name under which memory 0 is first exported.
    pub(super) fn first_memory(&self) -> Option<&str> {
        let first = self.0.iter().find(|export| export.kind == Kind::Memory && export.index == 0)?;
        Some(&first.name)
    }
}

/// The exports of the module whose instance called a host function; none if none called it.
///
/// Wasmi knows the caller only by its exports. Of several modules that it could be, the one with the most is it:
/// the others' exports are a part of its own.
pub(super) fn of_caller<'a, T>(modules: &'a [Exports], caller: &Caller<'_, T>) -> Option<&'a Exports> {
    let is_caller = |exports: &&Exports| exports.names().all(|name| caller.get_export(name).is_some());
    modules.iter().filter(is_caller).max_by_key(|exports| exports.0.len())
}
