//! Which imports of a case's modules are the host's functions, however many modules they pass through.
//!
//! Some engines do not say which instance calls a host function, and hosts act on their caller. There each instance has
//! host functions of its own, even where it imports one from another module that has it from the host. A reference to
//! one keeps the caller it was made for.

use super::Prepared;
use super::surface::Surface;
use crate::hosts;
use crosscheck_engine::{ExternType, Import};
use wasmparser::{ExternalKind, RefType, TypeRef, ValType};

/// A host function: an import of a module that no module provides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HostFunc {
    /// The module that imports it from the host.
    pub module: usize,
    /// Which of that module's imports it is.
    pub import: u32,
}

/// Follows imports of a case's modules to where they come from.
pub(super) struct Origins<'a> {
    pub prepared: &'a Prepared<'a>,
    /// What stands at the border of each module.
    pub surfaces: &'a [Surface],
}

impl Origins<'_> {
    pub fn imports(&self, module: usize) -> &[Import] {
        self.prepared.modules[module].as_ref().map_or(&[], |decoded| decoded.imports())
    }

    /// The module of that name, if it can be instantiated.
    pub fn home(&self, name: &str) -> Option<usize> {
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

    /// Whether a function that acts on its caller may be called by another instance than the one it was made for: a
    /// reference to it can reach other modules.
    pub fn has_travellers(&self, module: usize) -> bool {
        let plan = self.prepared.case.hosts;
        let acts = |host: HostFunc| {
            let import = host.import;
            hosts::calls_back(plan, import) || hosts::writes(plan, import) || hosts::reads(plan, import)
        };
        let surface = &self.surfaces[module];
        let host = |func: &u32| self.host(module, surface.import_of(*func)?);
        self.shares_references(module) && surface.referenced.iter().filter_map(host).any(acts)
    }

    /// Whether a function of a module turns out to be one of the host's.
    pub fn is_host(&self, module: usize, func: u32) -> bool {
        self.surfaces[module].import_of(func).is_some_and(|import| self.host(module, import).is_some())
    }

    /// The host function that an import turns out to be, if it is one and of the type that is asked for. Whether others
    /// fit is for the engine to say.
    pub fn host(&self, module: usize, number: u32) -> Option<HostFunc> {
        self.host_after(module, number, 0)
    }

    fn host_after(&self, module: usize, number: u32, steps: usize) -> Option<HostFunc> {
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
        if is_fit { self.host_after(home, inner, steps + 1) } else { None }
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
