//! What an instance imports: from whom, and which of it is the host's.
//!
//! JavaScript does not say which instance calls a host function, so each instance has its own: see `subject/origins.rs`.

use super::run::{Failure, link, unsupported};
use crate::case::Value;
use crate::case::bytes::Writer;
use crate::hosts::Host;
use crate::subject::Prepared;
use crate::subject::origins::{HostFunc, Origins};
use crate::subject::surface::Surface;
use crosscheck_engine::{ExternType, Import};
use wasmparser::ExternalKind;

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
    /// Whether it is for calls from outside, which no instance makes.
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
        let origins = Origins { prepared, surfaces };
        let mut sources = Vec::new();
        for (import, number) in origins.imports(module).iter().zip(0..) {
            let source = match origins.home(&import.module) {
                Some(home) => {
                    let missing = || link(format!("unknown import {}.{}", import.module, import.name));
                    let Some(instance) = latest[home] else { return missing() };
                    let mut exports = surfaces[home].exports.iter();
                    if !exports.any(|export| export.name == import.name) {
                        return missing();
                    }
                    match origins.host(module, number) {
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
        if origins.has_travellers(module) {
            return unsupported("a host function that acts on its caller travels as a reference".into());
        }
        Ok(links)
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
