//! Engines with an ordinary embedding interface, as subjects: what all of them have in common.
//!
//! Modules are compiled and instantiated, exports called and looked at, and host functions are called with an instance to
//! call back. An [`Embedding`] says how one engine does each of these; [`observe`] makes an observation of a case with
//! them. How hosts answer is decided in `hosts` and is the same for all: an engine only hands on the call, through
//! [`HostFunction::call`], and lets itself be looked at and called back as a [`Guest`].

use super::exports::{Exports, starts_with_host};
use super::origins::Origins;
use super::surface::Surface;
use super::{Acceptance, Prepared, Watch, observe_actions};
use crate::case::{Action, Value};
use crate::guard::guarded;
use crate::hosts::{self, Host, OUT_OF_BOUNDS, Refusal, World};
use crate::observe::{
    ActionObservation, Capture, ExportState, InstanceState, MemoryState, Observation, Outcome, State,
    TableState,
};
use crosscheck_engine::{ExternType, FuncType, GlobalType, Import, MemoryType, TableType, TrapKind, ValType};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmparser::{Validator, WasmFeatures};

/// A store of an engine, made for one case.
pub trait Embedding {
    /// A module that is compiled.
    type Module;
    /// An instance of one.
    type Instance: Clone;
    /// A function, table, memory or global.
    type Item: Clone;

    /// What the engine executes as it is configured here. A valid module within these that it refuses is a
    /// difference; others are only unsupported.
    fn features(&self) -> WasmFeatures;

    /// Whether a host function hears from the engine which instance calls it. If not, each instance is given host
    /// functions of its own, and [`Guest::has`] is never asked.
    fn names_callers(&self) -> bool {
        true
    }

    /// An action begins: the time to renew whatever keeps the engine from running for ever.
    fn begin_action(&mut self);

    /// Compiles a valid module. An engine that calls it invalid gives [`Outcome::Link`].
    fn compile(&mut self, wasm: &[u8]) -> Result<Self::Module, Outcome>;

    /// Makes what the host provides for an import of the module.
    fn provide(&mut self, module: &Self::Module, provided: Provided) -> Result<Self::Item, Outcome>;

    /// Instantiates a module with its imports in order, start function included.
    fn instantiate(
        &mut self,
        module: &Self::Module,
        imports: Vec<Self::Item>,
    ) -> Result<Self::Instance, Outcome>;

    /// What an instance exports by that name.
    fn export(&mut self, instance: &Self::Instance, name: &str) -> Option<Self::Item>;

    /// Calls an item that is a function.
    fn call(&mut self, function: &Self::Item, args: &[Value]) -> Result<Vec<Value>, Outcome>;

    /// What can be seen of an item.
    fn look(&mut self, item: &Self::Item) -> Entity;

    /// The host that the store was made with.
    fn host(&mut self) -> &mut Host;
}

/// What can be seen of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entity {
    /// A function, or anything else without a state.
    Func,
    /// A global, with its value.
    Global(Value),
    /// A table.
    Table(TableState),
    /// A memory.
    Memory(MemoryState),
    /// Something with a state that the engine cannot show.
    Unseen,
}

/// What the host provides for an import.
pub struct Provided {
    /// The import's number in its module.
    pub index: u32,
    /// What to make.
    pub item: ProvidedItem,
}

/// What there is to provide.
pub enum ProvidedItem {
    /// A function.
    Func(Arc<FuncType>, HostFunction),
    /// A global that holds a value.
    Global(GlobalType, Value),
    /// A memory of zeros.
    Memory(MemoryType),
    /// A table of nulls.
    Table(TableType),
}

/// A host function of a case, waiting to be called.
pub struct HostFunction {
    index: u32,
    name: String,
    results: Vec<ValType>,
    modules: Arc<[Exports]>,
    /// The module whose instance it was made for, if the engine does not say who calls.
    caller: Option<usize>,
    /// Whether the next call has no calling instance: see [`starts_with_host`].
    by_nobody: Arc<AtomicBool>,
}

/// The instance that calls a host function, seen from there.
pub trait Guest {
    /// How a call back fails, on its way to the caller of the host.
    type Failure;

    /// Whether it exports something of that name.
    fn has(&mut self, export: &str) -> bool;
    /// Bytes of the memory that it exports by that name.
    fn memory_bytes(&mut self, memory: &str) -> Option<u64>;
    /// Copies bytes out of it; `false` if they are not all inside.
    fn read(&mut self, memory: &str, address: u64, buffer: &mut [u8]) -> bool;
    /// Copies bytes into it; `false`, writing nothing, if they do not all fit.
    fn write(&mut self, memory: &str, address: u64, bytes: &[u8]) -> bool;
    /// Calls a function that it exports.
    fn call(&mut self, func: &str, args: &[Value]) -> Result<Vec<Value>, Self::Failure>;
    /// The host of the store.
    fn host(&mut self) -> &mut Host;
}

/// Why a host function did not return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused<F> {
    /// It traps with these words: [`TrapKind::Host`] with a message.
    Trap(&'static str),
    /// It called back, which failed so.
    CallBack(F),
}

impl HostFunction {
    /// Calls it on behalf of a guest; gives a value for each result of its type.
    pub fn call<G: Guest>(&self, guest: &mut G, args: &[Value]) -> Result<Vec<Value>, Refused<G::Failure>> {
        let exports = match (self.by_nobody.swap(false, Ordering::Relaxed), self.caller) {
            (true, _) => None,
            (false, Some(module)) => Some(&self.modules[module]),
            (false, None) => Exports::of_caller(&self.modules, |name| guest.has(name)),
        };
        let mut world = GuestWorld { guest, exports, by_nobody: &self.by_nobody, failure: None };
        hosts::call(&mut world, self.index, &self.name, args, &self.results).map_err(
            |refusal| match refusal {
                Refusal::Trap(message) => Refused::Trap(message),
                Refusal::OutOfBounds => Refused::Trap(OUT_OF_BOUNDS),
                Refusal::CallBack => {
                    Refused::CallBack(world.failure.expect("a failed call back leaves its failure"))
                }
            },
        )
    }
}

/// The world of a host function called by a guest.
struct GuestWorld<'a, G: Guest> {
    guest: &'a mut G,
    /// What the calling instance exports; nothing if it is called from outside.
    exports: Option<&'a Exports>,
    /// Whether the next call of a host function has no calling instance.
    by_nobody: &'a AtomicBool,
    failure: Option<G::Failure>,
}

impl<G: Guest> World for GuestWorld<'_, G> {
    fn memory_bytes(&mut self) -> Option<u64> {
        self.guest.memory_bytes(self.exports?.first_memory()?)
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        let memory = self.exports.and_then(Exports::first_memory);
        memory.is_some_and(|memory| self.guest.read(memory, address, buffer))
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let memory = self.exports.and_then(Exports::first_memory);
        memory.is_some_and(|memory| self.guest.write(memory, address, bytes))
    }

    fn exported_funcs(&mut self) -> Vec<Vec<ValType>> {
        self.exports.into_iter().flat_map(Exports::funcs).map(|(_, params)| params.to_vec()).collect()
    }

    fn exported_func(&mut self, name: &str) -> Option<usize> {
        self.exports?.funcs().position(|(export, _)| export == name)
    }

    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>> {
        let exports = self.exports?;
        let (name, _) = exports.funcs().nth(number)?;
        self.by_nobody.store(exports.is_host(name), Ordering::Relaxed);
        let called = self.guest.call(name, args);
        self.by_nobody.store(false, Ordering::Relaxed);
        called.map_err(|failure| self.failure = Some(failure)).ok()
    }

    fn host(&mut self) -> &mut Host {
        self.guest.host()
    }
}

/// Runs a case in a store that was made for it.
///
/// The observation ends early where the engine panics or runs out of its own fuel: what comes after is not compared.
pub fn observe<E: Embedding>(
    store: E,
    prepared: &Prepared<'_>,
    capture: Capture,
    watch: &mut dyn Watch,
) -> Observation {
    let surface = |wasm: &[u8]| Surface::of(wasm).unwrap_or_default();
    let surfaces: Vec<Surface> = match store.names_callers() {
        true => Vec::new(),
        false => prepared.case.modules.iter().map(|module| surface(&module.wasm)).collect(),
    };
    let origins = (!store.names_callers()).then_some(Origins { prepared, surfaces: &surfaces });
    let exports: Arc<[Exports]> = Exports::of_case(prepared, origins.as_ref()).into();
    let instances = vec![None; prepared.case.modules.len()];
    let by_nobody = Arc::default();
    let run = Run { prepared, store, exports, origins, instances, capture, by_nobody };
    observe_actions(run, prepared.case, watch, Run::action, out_of_fuel)
}

/// Whether an engine finds bytes to be a valid module, in a store that was made for nothing else.
pub fn accepts<E: Embedding>(mut store: E, wasm: &[u8]) -> Acceptance {
    let features = store.features();
    accepts_by(wasm, features, move || store.compile(wasm).map(drop))
}

/// The same of an engine that executes these features, by `compile`.
pub fn accepts_by(
    wasm: &[u8],
    features: WasmFeatures,
    compile: impl FnOnce() -> Result<(), Outcome>,
) -> Acceptance {
    match guarded(compile) {
        Ok(Ok(())) => Acceptance::Valid,
        // An engine that comes back with an error has refused, whatever class its words are of.
        Ok(Err(Outcome::Link(message) | Outcome::Crash(message))) => {
            Acceptance::refused(wasm, features, message)
        }
        Ok(Err(Outcome::Unsupported(message) | Outcome::Limit(message))) => Acceptance::Unknown(message),
        Ok(Err(other)) => Acceptance::Failed(other),
        Err(panic) => Acceptance::Failed(Outcome::Crash(format!("panic: {panic}"))),
    }
}

fn out_of_fuel(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Trap(trap) if trap.kind == TrapKind::OutOfFuel)
}

/// One case under way.
struct Run<'a, E: Embedding> {
    prepared: &'a Prepared<'a>,
    store: E,
    /// What each module exports.
    exports: Arc<[Exports]>,
    /// Where imports come from, if the engine does not say who calls host functions.
    origins: Option<Origins<'a>>,
    /// The latest instance of each module.
    instances: Vec<Option<E::Instance>>,
    capture: Capture,
    /// Whether the next host function is called without a calling instance.
    by_nobody: Arc<AtomicBool>,
}

impl<E: Embedding> Run<'_, E> {
    fn action(&mut self, action: &Action) -> ActionObservation {
        self.store.begin_action();
        let outcome = self.perform(action).map_or_else(|outcome| outcome, Outcome::Values);
        let state = (self.capture == Capture::Full).then(|| self.state());
        let host_calls = self.store.host().take_calls();
        ActionObservation { outcome, fuel_left: 0, host_calls, state_digest: 0, state }
    }

    fn perform(&mut self, action: &Action) -> Result<Vec<Value>, Outcome> {
        match action {
            Action::Instantiate { module } => {
                let index = *module as usize;
                let module = self.compile(&self.prepared.case.modules[index].wasm)?;
                let imports = self.imports(index, &module)?;
                self.instances[index] = None;
                self.by_nobody.store(starts_with_host(self.prepared, index), Ordering::Relaxed);
                let instance = self.store.instantiate(&module, imports);
                self.by_nobody.store(false, Ordering::Relaxed);
                self.instances[index] = Some(instance?);
                Ok(Vec::new())
            }
            Action::Invoke { module, export, args } => {
                let item = self.exported(*module, export);
                let func = item.filter(|item| self.store.look(item) == Entity::Func);
                let func =
                    func.ok_or_else(|| Outcome::Usage(format!("there is no function `{export}` to call")))?;
                // A function of the host's that is called from outside has no calling instance.
                self.by_nobody.store(self.exports[*module as usize].is_host(export), Ordering::Relaxed);
                let called = self.store.call(&func, args);
                self.by_nobody.store(false, Ordering::Relaxed);
                called.map_err(|outcome| match outcome {
                    // Nothing is linked by a call: what the engine refuses is how it was called.
                    Outcome::Link(message) => Outcome::Usage(message),
                    other => other,
                })
            }
            Action::Read { module, export } => {
                let item = self.exported(*module, export);
                match item.map(|item| self.store.look(&item)) {
                    Some(Entity::Global(value)) => Ok(vec![value]),
                    Some(Entity::Unseen) => {
                        Err(Outcome::Unsupported(format!("what `{export}` holds cannot be shown")))
                    }
                    Some(Entity::Func | Entity::Table(_) | Entity::Memory(_)) | None => {
                        Err(Outcome::Usage(format!("there is no global `{export}` to read")))
                    }
                }
            }
        }
    }

    fn compile(&mut self, wasm: &[u8]) -> Result<E::Module, Outcome> {
        self.store.compile(wasm).map_err(|outcome| match outcome {
            Outcome::Link(message)
                if Validator::new_with_features(self.store.features()).validate_all(wasm).is_err() =>
            {
                Outcome::Unsupported(message)
            }
            other => other,
        })
    }

    fn exported(&mut self, module: u32, name: &str) -> Option<E::Item> {
        let instance = self.instances[module as usize].clone()?;
        self.store.export(&instance, name)
    }

    /// Imports in order: from earlier modules of the case by name, else from the host.
    fn imports(&mut self, number: usize, module: &E::Module) -> Result<Vec<E::Item>, Outcome> {
        let decoded =
            self.prepared.modules[number].as_ref().map_err(|error| Outcome::Link(error.to_string()))?;
        if self.origins.as_ref().is_some_and(|origins| origins.has_travellers(number)) {
            let what = "a host function that acts on its caller travels as a reference".to_string();
            return Err(Outcome::Unsupported(what));
        }
        let mut imports = Vec::with_capacity(decoded.imports().len());
        for (import, index) in decoded.imports().iter().zip(0..) {
            let source = self.prepared.case.modules.iter().position(|module| module.name == import.module);
            let exported = match source.filter(|source| self.prepared.modules[*source].is_ok()) {
                Some(source) => Some(self.exported(source as u32, &import.name).ok_or_else(|| {
                    Outcome::Link(format!("unknown import {}.{}", import.module, import.name))
                })?),
                None => None,
            };
            let host = self.origins.as_ref().and_then(|origins| origins.host(number, index));
            imports.push(match (exported, host) {
                (Some(item), None) => item,
                (Some(_), Some(host)) => {
                    let home = self.prepared.modules[host.module].as_ref().expect("the host was found there");
                    let import = &home.imports()[host.import as usize];
                    let item = self.provided(host.module, number, import, host.import)?;
                    self.store.provide(module, Provided { index, item })?
                }
                (None, _) => {
                    let item = self.provided(number, number, import, index)?;
                    self.store.provide(module, Provided { index, item })?
                }
            });
        }
        Ok(imports)
    }

    /// What the host provides for an import of a module, on behalf of an instance of `caller`.
    fn provided(
        &mut self,
        module: usize,
        caller: usize,
        import: &Import,
        index: u32,
    ) -> Result<ProvidedItem, Outcome> {
        Ok(match &import.ty {
            ExternType::Func(id) => {
                let decoded = self.prepared.modules[module].as_ref().expect("its imports were read");
                let ty = decoded.func_type(*id);
                let name = format!("{}.{}", import.module, import.name);
                let (results, modules) = (ty.results().to_vec(), self.exports.clone());
                let (by_nobody, caller) = (self.by_nobody.clone(), self.origins.is_some().then_some(caller));
                ProvidedItem::Func(ty, HostFunction { index, name, results, modules, caller, by_nobody })
            }
            ExternType::Global(ty) => {
                let value = self.store.host().global(index, ty.content);
                let no_value = || Outcome::Link(format!("the host has no value of type {}", ty.content));
                ProvidedItem::Global(*ty, value.ok_or_else(no_value)?)
            }
            ExternType::Memory(ty) => ProvidedItem::Memory(*ty),
            ExternType::Table(ty) => ProvidedItem::Table(*ty),
            ExternType::Tag(_) => {
                return Err(Outcome::Unsupported(format!("the host has no tag {}", import.name)));
            }
        })
    }

    /// What the latest instances export.
    fn state(&mut self) -> State {
        let mut state = State::default();
        let exports = self.exports.clone();
        for (number, exports) in exports.iter().enumerate() {
            let instance = self.instances[number].clone();
            state.modules.push(instance.as_ref().map(|_| state.instances.len() as u32));
            if let Some(instance) = instance {
                state.instances.push(self.exported_state(&instance, exports));
            }
        }
        state
    }

    fn exported_state(&mut self, instance: &E::Instance, exports: &Exports) -> InstanceState {
        let mut state = InstanceState::default();
        for name in exports.stateful() {
            let Some(item) = self.store.export(instance, name) else { continue };
            let place = match self.store.look(&item) {
                Entity::Global(value) => {
                    state.globals.push(value);
                    ExportState::Global(state.globals.len() as u32 - 1)
                }
                Entity::Table(table) => {
                    state.tables.push(table);
                    ExportState::Table(state.tables.len() as u32 - 1)
                }
                Entity::Memory(memory) => {
                    state.memories.push(memory);
                    ExportState::Memory(state.memories.len() as u32 - 1)
                }
                Entity::Unseen => ExportState::Unseen,
                Entity::Func => continue,
            };
            state.exports.push((name.to_string(), place));
        }
        state
    }
}
