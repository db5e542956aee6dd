//! The registry's wasmi 2.0 as a subject: the outside judge.
//!
//! Our modes share a floor (types, store, numeric, linking), and a fault there is the same in all of them. An
//! engine by other people doesn't share it. Wasmi runs the same case with the same hosts; what it can't
//! show or doesn't promise stands in its capabilities. Its own metering is a guard against hanging only.

mod convert;

use super::embedding::{Embedding, Entity, Guest, Provided, ProvidedItem, accepts, observe};
use super::{Acceptance, Capabilities, Prepared, Subject, Watch};
use crate::case::{HostPlan, Limits, Value};
use crate::hosts::Host;
use crate::observe::{Capture, MemoryState, Observation, Outcome, TableState};
use convert::{Failed, from_val, func_type, outcome, to_val, val_type};
use crosscheck_engine::ValType;
use std::collections::BTreeMap;
use wasmi::{
    Caller, CompilationMode, Config, Engine, Extern, Func, Global, Instance, Memory, MemoryType, Module,
    Mutability, Ref, Store, StoreLimits, StoreLimitsBuilder, Table, TableType, Val,
};
use wasmparser::WasmFeatures;

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
            nan_bits: true,
            null_kinds: true,
            unfit_callees: true,
            unfit_floats: true,
            exported_state: true,
            to_the_end: true,
            ..Capabilities::NONE
        }
    }

    fn ends_by_itself(&self) -> bool {
        true
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let host = Host::new(prepared.case.hosts, capture);
        observe(WasmiStore::new(&prepared.case.limits, host), prepared, capture, watch)
    }

    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        let host = Host::new(HostPlan { seed: 0, trap_one_in: 0 }, Capture::Digest);
        accepts(WasmiStore::new(&Limits::default(), host), wasm)
    }
}

/// What lives as long as the store.
struct Data {
    host: Host,
    limits: StoreLimits,
}

/// A store of wasmi.
struct WasmiStore {
    store: Store<Data>,
    /// What each action starts with.
    fuel: u64,
}

impl WasmiStore {
    fn new(limits: &Limits, host: Host) -> WasmiStore {
        let bound = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let bounds = StoreLimitsBuilder::new()
            .memory_size(bound(limits.memory_bytes))
            .table_elements(bound(limits.table_elements))
            .build();
        // An engine keeps the code of all modules it has ever compiled, so each case has its own.
        let engine = Engine::new(&config(limits));
        let mut store = Store::new(&engine, Data { host, limits: bounds });
        store.limiter(|data| &mut data.limits);
        let fuel = limits.fuel.unwrap_or(u64::MAX).saturating_mul(FUEL_FACTOR);
        WasmiStore { store, fuel: fuel.saturating_add(FUEL_BASE) }
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

impl Embedding for WasmiStore {
    type Module = Module;
    type Instance = Instance;
    type Item = Extern;

    fn features(&self) -> WasmFeatures {
        FEATURES
    }

    fn begin_action(&mut self) {
        self.store.set_fuel(self.fuel).expect("the engine is configured to count fuel");
    }

    fn compile(&mut self, wasm: &[u8]) -> Result<Module, Outcome> {
        Module::new(self.store.engine(), wasm).map_err(|error| outcome(&error))
    }

    fn provide(&mut self, _: &Module, provided: Provided) -> Result<Extern, Outcome> {
        let unsupported = |what: &str| Outcome::Unsupported(format!("wasmi has no such {what}"));
        Ok(match provided.item {
            ProvidedItem::Func(ty, function) => {
                let ty = func_type(&ty).ok_or_else(|| unsupported("function"))?;
                Extern::Func(Func::new(&mut self.store, ty, move |caller, args, answers| {
                    let args: Vec<Value> = args.iter().map(|value| from_val(&caller, value)).collect();
                    let mut guest = WasmiGuest(caller);
                    let values = function.call(&mut guest, &args).map_err(convert::refusal)?;
                    for (answer, value) in answers.iter_mut().zip(values) {
                        *answer = to_val(&mut guest.0, &value).expect("hosts answer with numbers and nulls");
                    }
                    Ok(())
                }))
            }
            ProvidedItem::Global(ty, value) => {
                let value = to_val(&mut self.store, &value).ok_or_else(|| unsupported("global"))?;
                let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
                Extern::Global(Global::new(&mut self.store, value, mutability))
            }
            ProvidedItem::Memory(ty) if !ty.shared && ty.page_size_log2 == 16 => {
                let mut builder = MemoryType::builder();
                builder.memory64(ty.is_64).min(ty.minimum).max(ty.maximum);
                let memory = builder.build().map_err(|error| convert::memory_outcome(&error))?;
                Extern::Memory(Memory::new(&mut self.store, memory).map_err(|error| outcome(&error))?)
            }
            ProvidedItem::Memory(_) => return Err(unsupported("memory")),
            ProvidedItem::Table(ty) => {
                let element = val_type(ValType::Ref(ty.element)).and_then(convert::ref_type);
                let element = element.ok_or_else(|| unsupported("table"))?;
                let bound = |elements: u64| u32::try_from(elements).unwrap_or(u32::MAX);
                let table = if ty.is_64 {
                    TableType::new64(element, ty.minimum, ty.maximum)
                } else {
                    TableType::new(element, bound(ty.minimum), ty.maximum.map(bound))
                };
                let null = Ref::null(element);
                Extern::Table(Table::new(&mut self.store, table, null).map_err(|error| outcome(&error))?)
            }
        })
    }

    fn instantiate(&mut self, module: &Module, mut imports: Vec<Extern>) -> Result<Instance, Outcome> {
        // Wasmi takes them kind by kind, in the order of its `Module::imports`.
        imports.sort_by_key(|item| match item {
            Extern::Func(_) => 0,
            Extern::Table(_) => 1,
            Extern::Memory(_) => 2,
            Extern::Global(_) => 3,
        });
        Instance::new(&mut self.store, module, &imports).map_err(|error| outcome(&error))
    }

    fn export(&mut self, instance: &Instance, name: &str) -> Option<Extern> {
        instance.get_export(&self.store, name)
    }

    fn call(&mut self, function: &Extern, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let Extern::Func(function) = function else { unreachable!("only functions are called") };
        call(&mut self.store, *function, args).map_err(|failed| match failed {
            Failed::Wasmi(error) => outcome(&error),
            Failed::Argument(what) => Outcome::Unsupported(what),
        })
    }

    fn look(&mut self, item: &Extern) -> Entity {
        match item {
            Extern::Func(_) => Entity::Func,
            Extern::Global(global) => Entity::Global(from_val(&self.store, &global.get(&self.store))),
            Extern::Table(table) => Entity::Table(self.table_state(*table)),
            Extern::Memory(memory) => {
                let bytes = memory.data(&self.store);
                let mut seen = MemoryState::new(bytes.len() as u64);
                seen.add(0, bytes);
                Entity::Memory(seen)
            }
        }
    }

    fn host(&mut self) -> &mut Host {
        &mut self.store.data_mut().host
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
    args: &[Value],
) -> Result<Vec<Value>, Failed> {
    let mut params = Vec::with_capacity(args.len());
    for arg in args {
        let value = to_val(&mut store, arg);
        params.push(value.ok_or_else(|| Failed::Argument(format!("wasmi cannot pass {arg} from outside")))?);
    }
    let ty = func.ty(&store);
    let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
    func.call(&mut store, &params, &mut results).map_err(Failed::Wasmi)?;
    Ok(results.iter().map(|value| from_val(&store, value)).collect())
}

/// An instance that calls a host function.
struct WasmiGuest<'a>(Caller<'a, Data>);

impl WasmiGuest<'_> {
    fn memory(&self, name: &str) -> Option<Memory> {
        self.0.get_export(name)?.into_memory()
    }
}

impl Guest for WasmiGuest<'_> {
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
