//! What an instance imports: from whom, and which of it is the host's.
//!
//! JavaScript does not say which instance calls a host function, and hosts act on the caller. So each instance has
//! host functions of its own, even where it imports one from another module that has it from the host. What
//! travels as a reference keeps the caller it was made for.

use super::run::{Failure, link, unsupported};
use super::surface::Surface;
use crate::case::Value;
use crate::case::bytes::Writer;
use crate::hosts::{self, Host};
use crate::subject::Prepared;
use crosscheck_engine::{ExternType, Import};
use wasmparser::{ExternalKind, RefType, TypeRef, ValType};

/// A host function: an import of a module that nobody else provides.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostFunc {
    pub module: usize,
    pub import: u32,
}

/// What provides an import.
enum Source {
    /// The host, and it is no function.
    Provider,
    Host(HostFunc),
    /// An export of an instance.
    Instance {
        number: u32,
        export: String,
    },
}

/// What provides the imports of an instance, in order.
pub(super) struct Links(Vec<Source>);

/// A function of a module that is to ask the host.
pub(super) struct Wrapped {
    /// Which function of the module it stands for.
    pub func: u32,
    pub host: HostFunc,
    /// Whether it is for calls from outside, by nobody.
    pub is_outside: bool,
}

impl Links {
    /// Finds what provides the imports of a module. Fails if something is missing.
    pub fn new(
        prepared: &Prepared<'_>,
        surfaces: &[Surface],
        latest: &[Option<u32>],
        module: usize,
    ) -> Result<Links, Failure> {
        let resolver = Resolver { prepared, surfaces };
        let mut sources = Vec::new();
        for (import, number) in resolver.imports(module).iter().zip(0..) {
            let source = match resolver.home(&import.module) {
                Some(home) => {
                    let missing = || link(format!("unknown import {}.{}", import.module, import.name));
                    let Some(instance) = latest[home] else { return missing() };
                    let mut exports = surfaces[home].exports.iter();
                    if !exports.any(|export| export.name == import.name) {
                        return missing();
                    }
                    match resolver.host(module, number, 0) {
                        Some(host) => Source::Host(host),
                        None => Source::Instance { number: instance, export: import.name.clone() },
                    }
                }
                None => match import.ty {
                    ExternType::Func(_) => Source::Host(HostFunc { module, import: number }),
                    _ => Source::Provider,
                },
            };
            sources.push(source);
        }
        let links = Links(sources);
        if resolver.shares_references(module) {
            links.check_travellers(prepared, &surfaces[module])?;
        }
        Ok(links)
    }

    /// Fails if a function that acts on its caller may be called by another instance than the one it was made for.
    fn check_travellers(&self, prepared: &Prepared<'_>, surface: &Surface) -> Result<(), Failure> {
        let plan = prepared.case.hosts;
        let acts = |import| {
            hosts::calls_back(plan, import) || hosts::writes(plan, import) || hosts::reads(plan, import)
        };
        let travels = |func: &u32| match surface.import_of(*func).map(|import| &self.0[import as usize]) {
            Some(Source::Host(host)) => acts(host.import),
            Some(Source::Provider | Source::Instance { .. }) | None => false,
        };
        if surface.referenced.iter().any(travels) {
            return unsupported("a host function that acts on its caller travels as a reference".into());
        }
        Ok(())
    }

    /// Whether a memory or table is made with the instance: it is defined, or the host provides it.
    pub fn is_new(&self, import: Option<u32>) -> bool {
        import.is_none_or(|import| matches!(self.0[import as usize], Source::Provider))
    }

    /// What is to be provided by the host and is no function, globals with their values.
    pub fn given(&self, imports: &[Import], host: &Host) -> Result<Vec<(u32, Option<Value>)>, Failure> {
        let mut given = Vec::new();
        for ((source, import), number) in self.0.iter().zip(imports).zip(0..) {
            match (source, &import.ty) {
                (Source::Provider, ExternType::Global(ty)) => {
                    let Some(value) = host.global(number, ty.content) else {
                        return link(format!("the host has no value of type {}", ty.content));
                    };
                    given.push((number, Some(value)));
                }
                (Source::Provider, _) => given.push((number, None)),
                (Source::Host(_) | Source::Instance { .. }, _) => {}
            }
        }
        Ok(given)
    }

    /// The functions that ask the host: imports, then imports as they are called from outside, exported or to start.
    pub fn wrapped(&self, surface: &Surface) -> Vec<Wrapped> {
        let host = |func: u32| match self.0[surface.import_of(func)? as usize] {
            Source::Host(host) => Some(host),
            Source::Provider | Source::Instance { .. } => None,
        };
        let imported = 0..surface.imported_funcs.len() as u32;
        let inside = imported.filter_map(|func| Some(Wrapped { func, host: host(func)?, is_outside: false }));
        let exported = surface.exports_of(ExternalKind::Func).map(|export| export.index);
        let exported = exported.chain(surface.start);
        let outside = exported.filter_map(|func| Some(Wrapped { func, host: host(func)?, is_outside: true }));
        inside.chain(outside).collect()
    }

    /// Says where each import comes from.
    pub fn write(&self, fields: &mut Writer, surface: &Surface, wrapped: &[Wrapped]) {
        fields.count(self.0.len());
        for (source, number) in self.0.iter().zip(0..) {
            match source {
                Source::Provider => {
                    fields.u8(0);
                    fields.u32(number);
                }
                Source::Host(_) => {
                    let is_it = |wrapped: &Wrapped| surface.import_of(wrapped.func) == Some(number);
                    let wrapper = wrapped.iter().position(is_it).expect("each import has a wrapper");
                    fields.u8(1);
                    fields.u32(wrapper as u32);
                }
                Source::Instance { number, export } => {
                    fields.u8(2);
                    fields.u32(*number);
                    fields.string(export);
                }
            }
        }
    }
}

/// Follows imports to where they come from.
struct Resolver<'a> {
    prepared: &'a Prepared<'a>,
    surfaces: &'a [Surface],
}

impl Resolver<'_> {
    fn imports(&self, module: usize) -> &[Import] {
        self.prepared.modules[module].as_ref().map_or(&[], |decoded| decoded.imports())
    }

    /// The module of that name, if it can be instantiated.
    fn home(&self, name: &str) -> Option<usize> {
        let home = self.prepared.case.modules.iter().position(|module| module.name == name)?;
        self.prepared.modules[home].is_ok().then_some(home)
    }

    /// Whether references to functions may pass between a module and another.
    fn shares_references(&self, module: usize) -> bool {
        (0..self.surfaces.len()).any(|importer| {
            let imports = self.imports(importer).iter().zip(&self.surfaces[importer].imports);
            let is_between = |import: &Import| match self.home(&import.module) {
                Some(home) => (importer == module) != (home == module),
                None => false,
            };
            let mut between = imports.filter(|(import, _)| is_between(import));
            between.any(|(_, ty)| carries_references(&self.surfaces[importer], *ty))
        })
    }

    /// The host function that an import turns out to be, if it is one and of the type that is asked for. Whether others
    /// fit is for V8 to say.
    fn host(&self, module: usize, number: u32, steps: usize) -> Option<HostFunc> {
        let import = &self.imports(module)[number as usize];
        let ExternType::Func(wanted) = import.ty else { return None };
        let Some(home) = self.home(&import.module) else {
            return Some(HostFunc { module, import: number });
        };
        // Modules may import from one another in a circle; instances cannot.
        if steps > self.surfaces.len() {
            return None;
        }
        let surface = &self.surfaces[home];
        let export = surface.exports_of(ExternalKind::Func).find(|export| export.name == import.name)?;
        let inner = surface.import_of(export.index)?;
        let is_fit = matches!(surface.imports[inner as usize], TypeRef::Func(_) | TypeRef::FuncExact(_))
            && matches!(self.imports(home)[inner as usize].ty, ExternType::Func(given) if given == wanted);
        if is_fit { self.host(home, inner, steps + 1) } else { None }
    }
}

/// Whether functions can be passed through something of that type.
fn carries_references(surface: &Surface, ty: TypeRef) -> bool {
    let carries = |ty: &ValType| match ty {
        ValType::Ref(ty) => *ty != RefType::EXTERNREF,
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => false,
    };
    match ty {
        TypeRef::Func(ty)
        | TypeRef::FuncExact(ty)
        | TypeRef::Tag(wasmparser::TagType { func_type_idx: ty, .. }) => surface.types[ty as usize]
            .as_ref()
            .is_some_and(|ty| ty.params().iter().chain(ty.results()).any(carries)),
        TypeRef::Table(ty) => carries(&ValType::Ref(ty.element_type)),
        TypeRef::Global(ty) => carries(&ty.content_type),
        TypeRef::Memory(_) => false,
    }
}
