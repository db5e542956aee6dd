//! The registry's wasmtime 48 as two subjects, one for each of its compilers: Cranelift and Winch.
//!
//! A second judge, by other people than the first, that compiles: what both judges show is hardly the fault of both.
//! Its own fuel is a guard against hanging only.

mod convert;

use super::embedding::{Embedding, Entity, Guest, Provided, ProvidedItem, accepts, observe};
use super::{Acceptance, Capabilities, Prepared, Subject, Watch};
use crate::case::{HostPlan, Limits, Value};
use crate::features::Features;
use crate::hosts::Host;
use crate::observe::{Capture, MemoryState, Observation, Outcome, TableState};
use convert::{Failed, from_val, outcome, to_val};
use std::collections::BTreeMap;
use wasmparser::WasmFeatures;
use wasmtime::{
    AsContextMut, Caller, Collector, Config, Engine, Extern, ExternType, Func, Global, Instance, Memory,
    Module, Ref, ResourceLimiter, Store, Strategy, Table, Val,
};

/// Wasmtime's fuel for one of ours: both count instructions, but it looks only at loops and calls.
const FUEL_FACTOR: u64 = 4;
/// Bytes of native stack for guests, well below the stack of any thread that cases run on.
const STACK_BYTES: usize = 1 << 20;

/// What the compilers have in common.
const FEATURES: WasmFeatures = WasmFeatures::WASM1
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MEMORY64);

/// What Cranelift executes beyond that, as it is configured here.
const CRANELIFT_FEATURES: WasmFeatures = FEATURES
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::WIDE_ARITHMETIC);

/// The registry's wasmtime as a subject.
pub struct WasmtimeSubject {
    name: &'static str,
    engine: Engine,
    features: WasmFeatures,
}

impl WasmtimeSubject {
    /// `wasmtime`: its optimising compiler, Cranelift.
    pub fn cranelift() -> WasmtimeSubject {
        let features = CRANELIFT_FEATURES;
        WasmtimeSubject { name: "wasmtime", engine: engine(Strategy::Cranelift, features), features }
    }

    /// `wasmtime-winch`: its single-pass compiler, Winch.
    pub fn winch() -> WasmtimeSubject {
        let features = FEATURES;
        WasmtimeSubject { name: "wasmtime-winch", engine: engine(Strategy::Winch, features), features }
    }
}

fn engine(strategy: Strategy, features: WasmFeatures) -> Engine {
    let mut config = Config::new();
    config.strategy(strategy).consume_fuel(true).max_wasm_stack(STACK_BYTES);
    if features.contains(WasmFeatures::GC) {
        config.wasm_function_references(true).wasm_gc(true).wasm_wide_arithmetic(true);
        config.collector(Collector::Null);
    }
    config.wasm_backtrace_max_frames(None);
    Engine::new(&config).expect("the configuration is one that this release has")
}

impl Subject for WasmtimeSubject {
    fn name(&self) -> &str {
        self.name
    }

    /// NaN bits are vouched for because judged cases make them canonical themselves, see
    /// [`Profile::Judged`](crate::generate::Profile::Judged).
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            nan_bits: true,
            unfit_callees: true,
            unfit_floats: true,
            exported_state: true,
            to_the_end: true,
            ..Capabilities::NONE
        }
    }

    fn features(&self) -> Features {
        Features::within(self.features)
    }

    fn ends_by_itself(&self) -> bool {
        true
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        observe(self.store(prepared.case.limits, prepared.case.hosts, capture), prepared, capture, watch)
    }

    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        let no_host = HostPlan::new(0, 0);
        accepts(self.store(Limits::default(), no_host, Capture::Digest), wasm)
    }
}

impl WasmtimeSubject {
    fn store(&self, limits: Limits, hosts: HostPlan, capture: Capture) -> WasmtimeStore {
        let data = Data { host: Host::new(hosts, capture), limits, refused: None };
        let mut store = Store::new(&self.engine, data);
        store.limiter(|data| data);
        let fuel = limits.fuel.unwrap_or(u64::MAX).saturating_mul(FUEL_FACTOR);
        WasmtimeStore { store, fuel, features: self.features }
    }
}

/// What lives as long as the store.
struct Data {
    host: Host,
    limits: Limits,
    /// What was last refused in this action, and by whom.
    refused: Option<RefusedBy>,
}

/// Who refuses to let something grow, or to make it as large as it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RefusedBy {
    /// The limits of the case.
    Limits,
    /// The operating system.
    System,
}

impl Data {
    fn allows(&mut self, desired: usize, limit: u64, maximum: Option<usize>) -> bool {
        let within = desired as u64 <= limit;
        if !within {
            self.refused = Some(RefusedBy::Limits);
        }
        // Asking for more than the type's maximum fails as it should, and no memory is refused.
        within && maximum.is_none_or(|maximum| desired <= maximum)
    }
}

impl ResourceLimiter for Data {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.allows(desired, self.limits.memory_bytes, maximum))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(RefusedBy::System);
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.allows(desired, self.limits.table_elements, maximum))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(RefusedBy::System);
        Ok(())
    }
}

/// A store of wasmtime.
struct WasmtimeStore {
    store: Store<Data>,
    /// What each action starts with.
    fuel: u64,
    features: WasmFeatures,
}

impl WasmtimeStore {
    /// How making something failed.
    fn not_made(&self, error: &wasmtime::Error) -> Outcome {
        match (outcome(error), self.store.data().refused) {
            (Outcome::Link(message), Some(RefusedBy::Limits)) => Outcome::Limit(message),
            (Outcome::Link(message), Some(RefusedBy::System)) => Outcome::Resources(message),
            (other, _) => other,
        }
    }

    fn table_state(&mut self, table: Table) -> TableState {
        let elements = table.size(&self.store);
        let mut non_null = BTreeMap::new();
        for index in 0..elements {
            let element = table.get(&mut self.store, index).expect("the index is below the size");
            if !element.is_null() {
                non_null.insert(index, from_val(&self.store, &Val::from(element)));
            }
        }
        TableState { elements, non_null }
    }
}

impl Embedding for WasmtimeStore {
    type Module = Module;
    type Instance = Instance;
    type Item = Extern;

    fn features(&self) -> WasmFeatures {
        self.features
    }

    fn begin_action(&mut self) {
        self.store.set_fuel(self.fuel).expect("the engine is configured to count fuel");
        self.store.data_mut().refused = None;
    }

    fn compile(&mut self, wasm: &[u8]) -> Result<Module, Outcome> {
        Module::new(self.store.engine(), wasm).map_err(|error| convert::refused_module(&error))
    }

    /// Types are taken from the module: its own are the only ones of wasmtime's that recur.
    fn provide(&mut self, module: &Module, provided: Provided) -> Result<Extern, Outcome> {
        let mut imports = module.imports();
        let import = imports.nth(provided.index as usize).expect("wasmtime has all imports of a module");
        let made = match (provided.item, import.ty()) {
            (ProvidedItem::Func(_, function), ExternType::Func(ty)) => {
                Ok(Extern::Func(Func::new(&mut self.store, ty, move |caller, args, answers| {
                    let args: Vec<Value> = args.iter().map(|value| from_val(&caller, value)).collect();
                    let mut guest = WasmtimeGuest(caller);
                    let values = function.call(&mut guest, &args).map_err(convert::refusal)?;
                    for (answer, value) in answers.iter_mut().zip(values) {
                        *answer = to_val(&mut guest.0, &value).expect("hosts answer with numbers and nulls");
                    }
                    Ok(())
                })))
            }
            (ProvidedItem::Global(_, value), ExternType::Global(ty)) => {
                let value = to_val(&mut self.store, &value);
                let value =
                    value.ok_or_else(|| Outcome::Unsupported("wasmtime has no such global".to_string()))?;
                Global::new(&mut self.store, ty, value).map(Extern::Global)
            }
            (ProvidedItem::Memory(_), ExternType::Memory(ty)) if !ty.is_shared() => {
                Memory::new(&mut self.store, ty).map(Extern::Memory)
            }
            (ProvidedItem::Memory(_), ExternType::Memory(_)) => {
                return Err(Outcome::Unsupported("shared memories are not shown here".to_string()));
            }
            (ProvidedItem::Table(_), ExternType::Table(ty)) => {
                let null = Ref::null(ty.element().heap_type());
                Table::new(&mut self.store, ty, null).map(Extern::Table)
            }
            (_, other) => {
                return Err(Outcome::Crash(format!("wasmtime takes an import for {other:?}")));
            }
        };
        made.map_err(|error| self.not_made(&error))
    }

    fn instantiate(&mut self, module: &Module, imports: Vec<Extern>) -> Result<Instance, Outcome> {
        Instance::new(&mut self.store, module, &imports).map_err(|error| self.not_made(&error))
    }

    fn export(&mut self, instance: &Instance, name: &str) -> Option<Extern> {
        instance.get_export(&mut self.store, name)
    }

    fn call(&mut self, function: &Extern, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let Extern::Func(function) = function else { unreachable!("only functions are called") };
        let called = call(&mut self.store, *function, args);
        // Growth that the system refused gave -1, and nothing can be said about what became of that.
        if self.store.data().refused == Some(RefusedBy::System) {
            return Err(Outcome::Resources("the system refused memory to wasmtime".to_string()));
        }
        called.map_err(|failed| match failed {
            Failed::Wasmtime(error) => outcome(&error),
            Failed::Argument(what) => Outcome::Unsupported(what),
        })
    }

    fn look(&mut self, item: &Extern) -> Entity {
        match item {
            Extern::Global(global) => {
                let value = global.get(&mut self.store);
                Entity::Global(from_val(&self.store, &value))
            }
            Extern::Table(table) => Entity::Table(self.table_state(*table)),
            Extern::Memory(memory) => {
                let bytes = memory.data(&self.store);
                let mut seen = MemoryState::new(bytes.len() as u64);
                seen.add(0, bytes);
                Entity::Memory(seen)
            }
            // Shared memories are not supported here, and tags have no state.
            Extern::Func(_) | Extern::SharedMemory(_) | Extern::Tag(_) => Entity::Func,
        }
    }

    fn host(&mut self) -> &mut Host {
        &mut self.store.data_mut().host
    }
}

fn call(mut store: impl AsContextMut<Data = Data>, func: Func, args: &[Value]) -> Result<Vec<Value>, Failed> {
    let mut params = Vec::with_capacity(args.len());
    for arg in args {
        let value = to_val(&mut store, arg);
        params
            .push(value.ok_or_else(|| Failed::Argument(format!("wasmtime cannot pass {arg} from outside")))?);
    }
    // What is in them does not matter before the call.
    let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
    func.call(&mut store, &params, &mut results).map_err(Failed::Wasmtime)?;
    Ok(results.iter().map(|value| from_val(&store, value)).collect())
}

/// An instance that calls a host function.
struct WasmtimeGuest<'a>(Caller<'a, Data>);

impl WasmtimeGuest<'_> {
    fn memory(&mut self, name: &str) -> Option<Memory> {
        self.0.get_export(name)?.into_memory()
    }
}

impl Guest for WasmtimeGuest<'_> {
    type Failure = Failed;

    fn has(&mut self, export: &str) -> bool {
        self.0.get_export(export).is_some()
    }

    fn memory_bytes(&mut self, memory: &str) -> Option<u64> {
        Some(self.memory(memory)?.data_size(&self.0) as u64)
    }

    fn read(&mut self, memory: &str, address: u64, buffer: &mut [u8]) -> bool {
        let memory = self.memory(memory).zip(usize::try_from(address).ok());
        memory.is_some_and(|(memory, address)| memory.read(&self.0, address, buffer).is_ok())
    }

    fn write(&mut self, memory: &str, address: u64, bytes: &[u8]) -> bool {
        let memory = self.memory(memory).zip(usize::try_from(address).ok());
        memory.is_some_and(|(memory, address)| memory.write(&mut self.0, address, bytes).is_ok())
    }

    fn call(&mut self, func: &str, args: &[Value]) -> Result<Vec<Value>, Failed> {
        let func = self.0.get_export(func).and_then(Extern::into_func);
        call(&mut self.0, func.expect("the guest has what its module exports"), args)
    }

    fn host(&mut self) -> &mut Host {
        &mut self.0.data_mut().host
    }
}
