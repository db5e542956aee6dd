//! A model of WebAssembly as a subject: a small interpreter that is written after the specification alone.
//!
//! Our modes stand on one floor (decoding, numeric meanings, memories, tables, linking, fuel), and a fault there is the same in all of
//! them. The model shares no code with the engine: it has `wasmparser` decode, and everything else is its own, as plain as can
//! be. It shows all that a mode shows, in the same vocabulary, so that a case on which all modes agree can still be wrong.
//!
//! In the order to read: `types` and `module` are what a module declares, `code` what is known of a function before it runs;
//! `value`, `memory` and `store` are what lives; `instantiate` makes instances; `run` executes, with `numeric` (`integer`,
//! `float`, `convert`), `access` for memories and tables and `host` for the host's functions; `backtrace` and `state` are what is shown.

mod access;
mod backtrace;
mod code;
mod convert;
mod float;
mod host;
mod instantiate;
mod integer;
mod memory;
mod module;
mod numeric;
mod run;
mod state;
mod store;
mod types;
mod value;

use super::{Acceptance, Capabilities, Prepared, Subject, Watch, observe_actions};
use crate::case::{Action, Value};
use crate::features::Features;
use crate::hosts::Host;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use memory::{Memory, Table};
use module::{Import, Module, Wanted};
use std::sync::Arc;
use store::{Extern, Func, FuncKind, Global, Stop, Store};
use types::{ValueType, left_out};
use value::{Reference, Val};

/// What people call the model.
pub const MODEL: &str = "model";

/// The model as a subject.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelSubject;

impl ModelSubject {
    /// The model, for those who run subjects of all kinds.
    pub fn shared() -> Arc<dyn Subject> {
        Arc::new(ModelSubject)
    }
}

impl Subject for ModelSubject {
    fn name(&self) -> &str {
        MODEL
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL
    }

    fn features(&self) -> Features {
        Features::executed()
    }

    /// All cases, for it leaves out nothing that the modes execute and ends where they end.
    fn least_judged(&self) -> f64 {
        99.0
    }

    fn accepts(&self, _: &[u8]) -> Acceptance {
        Acceptance::Unknown("the model stands on the validator that the modes stand on".into())
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let host = Host::new(prepared.case.hosts, capture);
        let store = Store::new(prepared.case.limits, host, capture);
        let run = Run { prepared, store, latest: vec![None; prepared.case.modules.len()] };
        observe_actions(run, prepared.case, watch, Run::action, |_| false)
    }
}

/// One case under way.
struct Run<'a> {
    prepared: &'a Prepared<'a>,
    store: Store<'a>,
    /// The latest instance of each module.
    latest: Vec<Option<usize>>,
}

impl<'a> Run<'a> {
    fn action(&mut self, action: &Action) -> ActionObservation {
        self.store.fuel = self.prepared.case.limits.fuel.unwrap_or(u64::MAX);
        let outcome = match self.perform(action) {
            Ok(values) => Outcome::Values(values),
            Err(stop) => match self.store.located(stop, None) {
                Stop::Ended(outcome) => *outcome,
                Stop::Trap(_) | Stop::Host(_) => unreachable!("a trap that has its place ends the action"),
            },
        };
        let (state_digest, state) = self.store.capture(&self.latest);
        let host_calls = self.store.host.take_calls();
        ActionObservation { outcome, fuel_left: self.store.fuel, host_calls, state_digest, state }
    }

    fn perform(&mut self, action: &Action) -> Result<Vec<Value>, Stop> {
        match action {
            Action::Instantiate { module } => {
                let number = *module as usize;
                let prepared = self.prepared;
                let wasm = &prepared.case.modules[number].wasm;
                if let Err(error) = &prepared.modules[number] {
                    return Err(Outcome::Link(error.to_string()).into());
                }
                let module = Module::decode(wasm, &mut self.store.types)?;
                let mut imports = Vec::with_capacity(module.imports.len());
                for (import, index) in module.imports.iter().zip(0..) {
                    imports.push(self.import(import, index)?);
                }
                self.latest[number] = None;
                self.latest[number] = Some(self.store.instantiate(module, &imports)?);
                Ok(Vec::new())
            }
            Action::Invoke { module, export, args } => match self.exported(*module, export) {
                Some(Extern::Func(func)) => self.store.invoke(func, args),
                Some(Extern::Table(_) | Extern::Memory(_) | Extern::Global(_)) | None => {
                    Err(Outcome::Usage(format!("there is no function `{export}` to call")).into())
                }
            },
            Action::Read { module, export } => match self.exported(*module, export) {
                Some(Extern::Global(global)) => {
                    let global = &self.store.globals[global];
                    Ok(vec![self.store.seen(global.value, global.ty.content)])
                }
                Some(Extern::Func(_) | Extern::Table(_) | Extern::Memory(_)) | None => {
                    Err(Outcome::Usage(format!("there is no global `{export}` to read")).into())
                }
            },
        }
    }

    fn exported(&self, module: u32, name: &str) -> Option<Extern> {
        self.store.export(self.latest[module as usize]?, name)
    }

    /// What is given for an import: by the module of the case that has its name, else by the host.
    fn import(&mut self, import: &Import<'_>, index: u32) -> Result<Extern, Outcome> {
        let modules = &self.prepared.case.modules;
        let source = modules.iter().position(|module| module.name == import.module);
        if let Some(source) = source.filter(|source| self.prepared.modules[*source].is_ok()) {
            let item = self.exported(source as u32, import.name);
            let (module, name) = (import.module, import.name);
            return item.ok_or_else(|| Outcome::Link(format!("there is no {module}.{name} to import")));
        }
        let no_value =
            || Outcome::Link(format!("the host has no value for {}.{}", import.module, import.name));
        let store = &mut self.store;
        Ok(match import.wanted {
            Wanted::Func(_) if store.host.throws() => {
                return Err(left_out("hosts that throw exceptions (exception-handling)"));
            }
            Wanted::Func(ty) => {
                let name = format!("{}.{}", import.module, import.name).into();
                // The host's function has the signature, as a type that stands alone.
                let ty = store.types.alone(store.types.signature(ty).clone());
                Extern::Func(store.add_func(Func { ty, kind: FuncKind::Host { import: index, name } }))
            }
            Wanted::Global(ty) => {
                let value = store.host.global(index, ty.content.for_hosts()).ok_or_else(no_value)?;
                let value = Val::of_case(&value).ok_or_else(no_value)?;
                Extern::Global(store.add_global(Global { ty, value }))
            }
            Wanted::Memory(ty) => {
                let memory = Memory::new(ty.bounds, ty.page_size_log2, store.limits.memory_bytes)?;
                Extern::Memory(store.add_memory(memory))
            }
            Wanted::Table(ty) => {
                let ValueType::Ref { nullable: true, .. } = ty.element else { return Err(no_value()) };
                let limit = store.limits.table_elements;
                let table = Table::new(ty.bounds, ty.element, Reference::Null, limit)?;
                Extern::Table(store.add_table(table))
            }
        })
    }
}

#[cfg(test)]
mod tests;
