//! The registry's wasmi 2.0 as a subject: the outside judge.
//!
//! Our modes share a floor (types, store, numeric, linking), and a fault there is the same in all of them. An
//! engine by other people doesn't share it. Wasmi runs the same case with the same hosts; what it can't
//! show or doesn't promise stands in its capabilities. Its own metering is a guard against hanging only.

mod convert;
mod exports;

use super::{Capabilities, Prepared, Subject, Watch};
use crate::case::{Action, Limits, Value};
use crate::guard::guarded;
use crate::hosts::{self, Host, Refusal, World};
use crate::observe::{
    ActionObservation, Capture, ExportState, InstanceState, MemoryState, Observation, Outcome, State,
    TableState,
};
use convert::{Refused, from_val, func_type, outcome, to_val, val_type};
use crosscheck_engine::{ExternType, Import, TrapKind, ValType};
use exports::{Exports, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmi::{
    Caller, CompilationMode, Config, Engine, Extern, Func, Global, Instance, Memory, MemoryType, Module,
    Mutability, Ref, Store, StoreLimits, StoreLimitsBuilder, Table, TableType, Val,
};
use wasmparser::{Validator, WasmFeatures};

/// Wasmi's fuel for one of ours. It counts by its own table, in which growing memory is dear.
const FUEL_FACTOR: u64 = 16;
/// Fuel that comes on top: enough to grow a memory to its limit, some milliseconds if it is burnt.
const FUEL_BASE: u64 = 1 << 21;
/// Least slots of ours that a frame takes. Wasmi counts frames, and is to have room for more of them than we.
const LEAST_FRAME_SLOTS: usize = 8;
/// Bytes of wasmi's stack for one slot of ours: constants and intermediate values have slots there too.
const STACK_BYTES_PER_SLOT: usize = 8 * 16;

/// What wasmi executes as it is configured here. A valid module within these that it refuses is a difference.
const FEATURES: WasmFeatures = WasmFeatures::WASM1
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::WIDE_ARITHMETIC);

/// The registry's wasmi as a subject.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasmiSubject;

impl Subject for WasmiSubject {
    fn name(&self) -> &str {
        "wasmi"
    }

    /// NaN bits are vouched for because judged cases make them canonical themselves, see
    /// [`Profile::Judged`](crate::generate::Profile::Judged).
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            fuel: false,
            depth: false,
            trap_sites: false,
            backtraces: false,
            nan_bits: true,
            internal_state: false,
            function_identity: false,
            undefined_elements: false,
        }
    }

    fn ends_by_itself(&self) -> bool {
        true
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mut run = Run::new(prepared, capture);
        let mut actions = Vec::with_capacity(prepared.case.actions.len());
        for (number, action) in prepared.case.actions.iter().enumerate() {
            watch.begins(number);
            match guarded(|| run.action(action)) {
                Ok(observed) => {
                    watch.ended(&observed);
                    let hung = out_of_fuel(&observed.outcome);
                    actions.push(observed);
                    // What comes after is not compared, so there is no use in waiting for it.
                    if hung {
                        break;
                    }
                }
                Err(message) => {
                    actions.push(ActionObservation::panicked(&message));
                    // Nothing of a store that panicked can be trusted, not even its destructors.
                    std::mem::forget(run);
                    break;
                }
            }
        }
        Observation { actions }
    }
}

fn out_of_fuel(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Trap(trap) if trap.kind == TrapKind::OutOfFuel)
}

/// What lives as long as the store.
struct Data {
    host: Host,
    limits: StoreLimits,
}

/// One case under way.
struct Run<'a> {
    prepared: &'a Prepared<'a>,
    store: Store<Data>,
    /// What each module exports.
    exports: Arc<[Exports]>,
    /// The latest instance of each module.
    instances: Vec<Option<Instance>>,
    capture: Capture,
}

impl<'a> Run<'a> {
    fn new(prepared: &'a Prepared<'a>, capture: Capture) -> Run<'a> {
        let limits = &prepared.case.limits;
        let bound = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let store_limits = StoreLimitsBuilder::new()
            .memory_size(bound(limits.memory_bytes))
            .table_elements(bound(limits.table_elements))
            .build();
        // An engine keeps the code of all modules it has ever compiled, so each case has its own.
        let engine = Engine::new(&config(limits));
        let data = Data { host: Host::new(prepared.case.hosts, capture), limits: store_limits };
        let mut store = Store::new(&engine, data);
        store.limiter(|data| &mut data.limits);
        let exports = prepared.case.modules.iter().map(|module| Exports::of(&module.wasm)).collect();
        Run { prepared, store, exports, instances: vec![None; prepared.case.modules.len()], capture }
    }

    fn action(&mut self, action: &Action) -> ActionObservation {
        let fuel = self.prepared.case.limits.fuel.unwrap_or(u64::MAX).saturating_mul(FUEL_FACTOR);
        self.store.set_fuel(fuel.saturating_add(FUEL_BASE)).expect("the engine is configured to count fuel");
        let outcome = self.perform(action).map_or_else(|outcome| outcome, Outcome::Values);
        let state = (self.capture == Capture::Full).then(|| self.state());
        let host_calls = self.store.data_mut().host.take_calls();
        ActionObservation { outcome, fuel_left: 0, host_calls, state_digest: 0, state }
    }

    fn perform(&mut self, action: &Action) -> Result<Vec<Value>, Outcome> {
        match action {
            Action::Instantiate { module } => {
                let index = *module as usize;
                let module = self.module(&self.prepared.case.modules[index].wasm)?;
                let imports = self.imports(index)?;
                self.instances[index] = None;
                let instance = Instance::new(&mut self.store, &module, &imports).map_err(|e| outcome(&e))?;
                self.instances[index] = Some(instance);
                Ok(Vec::new())
            }
            Action::Invoke { module, export, args } => {
                let missing = || Outcome::Link(format!("there is no function `{export}` to call"));
                let instance = self.instances[*module as usize].ok_or_else(missing)?;
                let func = instance.get_func(&self.store, export).ok_or_else(missing)?;
                let mut params = Vec::with_capacity(args.len());
                for arg in args {
                    let value = to_val(&mut self.store, arg);
                    let refused = || Outcome::Unsupported(format!("wasmi cannot pass {arg} from outside"));
                    params.push(value.ok_or_else(refused)?);
                }
                call(&mut self.store, func, &params).map_err(|error| outcome(&error))
            }
            Action::Read { module, export } => {
                let missing = || Outcome::Link(format!("there is no global `{export}` to read"));
                let instance = self.instances[*module as usize].ok_or_else(missing)?;
                let global = instance.get_global(&self.store, export).ok_or_else(missing)?;
                Ok(vec![from_val(&self.store, &global.get(&self.store))])
            }
        }
    }

    fn module(&self, wasm: &[u8]) -> Result<Module, Outcome> {
        Module::new(self.store.engine(), wasm).map_err(|error| {
            let within_features = Validator::new_with_features(FEATURES).validate_all(wasm).is_ok();
            match outcome(&error) {
                Outcome::Link(message) if !within_features => Outcome::Unsupported(message),
                other => other,
            }
        })
    }

    /// Imports in wasmi's order: from earlier modules of the case by name, else from the host.
    fn imports(&mut self, module: usize) -> Result<Vec<Extern>, Outcome> {
        let decoded =
            self.prepared.modules[module].as_ref().map_err(|error| Outcome::Link(error.to_string()))?;
        let mut imports = Vec::with_capacity(decoded.imports().len());
        for (import, index) in decoded.imports().iter().zip(0..) {
            let source = self.prepared.case.modules.iter().position(|module| module.name == import.module);
            let item = match source.filter(|source| self.prepared.modules[*source].is_ok()) {
                Some(source) => {
                    let missing =
                        || Outcome::Link(format!("unknown import {}.{}", import.module, import.name));
                    let instance = self.instances[source].ok_or_else(missing)?;
                    instance.get_export(&self.store, &import.name).ok_or_else(missing)?
                }
                None => self.host_import(module, import, index)?,
            };
            imports.push(item);
        }
        // Wasmi takes them kind by kind, in the order of its `Module::imports`.
        imports.sort_by_key(|item| match item {
            Extern::Func(_) => 0,
            Extern::Table(_) => 1,
            Extern::Memory(_) => 2,
            Extern::Global(_) => 3,
        });
        Ok(imports)
    }

    fn host_import(&mut self, module: usize, import: &Import, index: u32) -> Result<Extern, Outcome> {
        let unsupported = || Outcome::Unsupported(format!("wasmi has no {:?}", import.ty));
        let no_value = |ty: ValType| Outcome::Link(format!("the host has no value of type {ty}"));
        Ok(match &import.ty {
            ExternType::Func(id) => {
                let decoded = self.prepared.modules[module].as_ref().expect("its imports were read");
                let ty = decoded.func_type(*id);
                let name = format!("{}.{}", import.module, import.name);
                let exports = self.exports.clone();
                let wasmi_type = func_type(&ty).ok_or_else(unsupported)?;
                let results = ty.results().to_vec();
                Extern::Func(Func::new(&mut self.store, wasmi_type, move |caller, args, answers| {
                    host_function(caller, &exports, (index, &name), args, &results, answers)
                }))
            }
            ExternType::Global(ty) => {
                let value = self.store.data().host.global(index, ty.content);
                let value = value.ok_or_else(|| no_value(ty.content))?;
                let value = to_val(&mut self.store, &value).ok_or_else(|| no_value(ty.content))?;
                let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
                Extern::Global(Global::new(&mut self.store, value, mutability))
            }
            ExternType::Memory(ty) if !ty.shared && ty.page_size_log2 == 16 => {
                let mut builder = MemoryType::builder();
                builder.memory64(ty.is_64).min(ty.minimum).max(ty.maximum);
                let memory = builder.build().map_err(|error| convert::memory_outcome(&error))?;
                Extern::Memory(Memory::new(&mut self.store, memory).map_err(|error| outcome(&error))?)
            }
            ExternType::Memory(_) => return Err(unsupported()),
            ExternType::Table(ty) => {
                let element = val_type(ValType::Ref(ty.element)).and_then(convert::ref_type);
                let element = element.ok_or_else(unsupported)?;
                let bound = |elements: u64| u32::try_from(elements).unwrap_or(u32::MAX);
                let table = if ty.is_64 {
                    TableType::new64(element, ty.minimum, ty.maximum)
                } else {
                    TableType::new(element, bound(ty.minimum), ty.maximum.map(bound))
                };
                let null = Ref::null(element);
                Extern::Table(Table::new(&mut self.store, table, null).map_err(|error| outcome(&error))?)
            }
            ExternType::Tag(_) => return Err(unsupported()),
        })
    }

    /// What the latest instances export.
    fn state(&self) -> State {
        let mut state = State::default();
        for (instance, exports) in self.instances.iter().zip(&*self.exports) {
            state.modules.push(instance.map(|_| state.instances.len() as u32));
            if let Some(instance) = instance {
                state.instances.push(self.exported_state(instance, exports));
            }
        }
        state
    }

    fn exported_state(&self, instance: &Instance, exports: &Exports) -> InstanceState {
        let mut state = InstanceState::default();
        for name in exports.names() {
            let item = instance.get_export(&self.store, name).expect("wasmi keeps all exports of a module");
            let place = match item {
                Extern::Global(global) => {
                    state.globals.push(from_val(&self.store, &global.get(&self.store)));
                    ExportState::Global(state.globals.len() as u32 - 1)
                }
                Extern::Table(table) => {
                    state.tables.push(self.table_state(table));
                    ExportState::Table(state.tables.len() as u32 - 1)
                }
                Extern::Memory(memory) => {
                    let bytes = memory.data(&self.store);
                    let mut seen = MemoryState::new(bytes.len() as u64);
                    seen.add(0, bytes);
                    state.memories.push(seen);
                    ExportState::Memory(state.memories.len() as u32 - 1)
                }
                Extern::Func(_) => continue,
            };
            state.exports.push((name.to_string(), place));
        }
        state
    }

    fn table_state(&self, table: Table) -> TableState {
        let elements = table.size(&self.store);
        let mut non_null = BTreeMap::new();
        for index in 0..elements {
            let element = table.get(&self.store, index).expect("the index is below the size");
            if !element.is_null() {
                non_null.insert(index, from_val(&self.store, &Val::from(element)));
            }
        }
        TableState { elements, non_null }
    }
}

fn config(limits: &Limits) -> Config {
    let slots = limits.depth_slots as usize;
    let mut config = Config::default();
    config
        .consume_fuel(true)
        // So that what cannot be compiled shows at once, not in the call that first needs it.
        .compilation_mode(CompilationMode::Eager)
        .ignore_custom_sections(true)
        .wasm_wide_arithmetic(true)
        .set_max_recursion_depth(1_000 + slots / LEAST_FRAME_SLOTS)
        .set_max_stack_height(1_000_000 + slots * STACK_BYTES_PER_SLOT);
    config
}

fn call(
    mut store: impl wasmi::AsContextMut<Data = Data>,
    func: Func,
    params: &[Val],
) -> Result<Vec<Value>, wasmi::Error> {
    let ty = func.ty(&store);
    let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
    func.call(&mut store, params, &mut results)?;
    Ok(results.iter().map(|value| from_val(&store, value)).collect())
}

fn host_function(
    caller: Caller<'_, Data>,
    modules: &[Exports],
    (index, name): (u32, &str),
    args: &[Val],
    results: &[ValType],
    answers: &mut [Val],
) -> Result<(), wasmi::Error> {
    let exports = exports::of_caller(modules, &caller);
    let args: Vec<Value> = args.iter().map(|value| from_val(&caller, value)).collect();
    let mut world = WasmiWorld { caller, exports, failure: None };
    match hosts::call(&mut world, index, name, &args, results) {
        Ok(values) => {
            for (answer, value) in answers.iter_mut().zip(values) {
                *answer = to_val(&mut world.caller, &value).expect("hosts answer with numbers and nulls");
            }
            Ok(())
        }
        Err(Refusal::Trap(message)) => Err(wasmi::Error::host(Refused(message))),
        Err(Refusal::CallBack) => Err(world.failure.expect("a failed call back leaves its failure")),
    }
}

/// The world of a host function called from wasmi.
struct WasmiWorld<'a> {
    caller: Caller<'a, Data>,
    /// What the calling instance exports; nothing if it is called from outside.
    exports: Option<&'a Exports>,
    failure: Option<wasmi::Error>,
}

impl WasmiWorld<'_> {
    fn memory(&self) -> Option<Memory> {
        self.caller.get_export(self.exports?.first_memory()?)?.into_memory()
    }

    fn funcs(&self) -> Vec<Func> {
        let names = self.exports.into_iter().flat_map(|exports| exports.names_of(Kind::Func));
        names.filter_map(|name| self.caller.get_export(name)?.into_func()).collect()
    }
}

impl World for WasmiWorld<'_> {
    fn memory_bytes(&mut self) -> Option<u64> {
        Some(self.memory()?.data_size(&self.caller) as u64)
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        let memory = self.memory().zip(usize::try_from(address).ok());
        memory.is_some_and(|(memory, address)| memory.read(&self.caller, address, buffer).is_ok())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let memory = self.memory().zip(usize::try_from(address).ok());
        memory.is_some_and(|(memory, address)| memory.write(&mut self.caller, address, bytes).is_ok())
    }

    fn exported_funcs(&mut self) -> Vec<Vec<ValType>> {
        let params = |func: Func| func.ty(&self.caller).params().iter().map(convert::engine_type).collect();
        self.funcs().into_iter().map(params).collect()
    }

    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>> {
        let func = self.funcs()[number];
        let value = |value| to_val(&mut self.caller, value).expect("call backs are given numbers");
        let params: Vec<Val> = args.iter().map(value).collect();
        call(&mut self.caller, func, &params).map_err(|error| self.failure = Some(error)).ok()
    }

    fn host(&mut self) -> &mut Host {
        &mut self.caller.data_mut().host
    }
}
