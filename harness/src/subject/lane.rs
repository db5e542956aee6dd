//! A mode of our engine in a configuration that must not change what is observed.

use super::trace::{Recorder, Trace};
use super::{Capabilities, Prepared, Subject, Watch, values};
use crate::case::{Action, Limits, Value};
use crate::guard::guarded;
use crate::hosts::{self, Host, Refusal, World};
use crate::observe::{
    ActionObservation, Capture, Frame, Frames, Observation, Outcome, TrapObservation, capture_state,
};
use crosscheck_engine::{
    self as engine, Caller, Config, Engine, Error, Extern, ExternType, Func, FuncType, Global, Import,
    Instance, Memory, Mode, Module, Store, Table, Tag, Trap, Val, ValType,
};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A mode and the switches of its lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane {
    /// The mode.
    pub mode: Mode,
    /// The switches that are thrown, by their bit.
    switches: u16,
}

/// A switch of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Switch {
    /// Fuel is not counted.
    NoFuel,
    /// Traps carry no backtraces.
    NoBacktraces,
    /// Memory moves on every growth and leaves poison behind.
    MovingMemory,
    /// Compiled code compares with a memory's size where it could rely on a fault.
    ExplicitBounds,
    /// Compiled code makes do with few registers.
    FewRegisters,
    /// Direct calls of compiled code are taken to reach a few KiB only.
    ShortBranches,
    /// Functions are compiled when they are first called.
    Lazy,
}

struct Row {
    switch: Switch,
    /// What people type behind a `+`.
    name: &'static str,
    /// Whether it means something to compiled modes only.
    compiled: bool,
}

/// Every switch; `tests/lanes.rs` has a test for each that it changes what it says.
const SWITCHES: [Row; 7] = [
    Row { switch: Switch::NoFuel, name: "no-fuel", compiled: false },
    Row { switch: Switch::NoBacktraces, name: "no-backtraces", compiled: false },
    Row { switch: Switch::MovingMemory, name: "moving-memory", compiled: false },
    Row { switch: Switch::ExplicitBounds, name: "explicit-bounds", compiled: true },
    Row { switch: Switch::FewRegisters, name: "few-registers", compiled: true },
    Row { switch: Switch::ShortBranches, name: "short-branches", compiled: true },
    Row { switch: Switch::Lazy, name: "lazy", compiled: true },
];

impl Switch {
    /// Every switch.
    pub fn all() -> impl Iterator<Item = Switch> {
        SWITCHES.iter().map(|row| row.switch)
    }

    /// Whether it means something to a mode.
    pub fn applies_to(self, mode: Mode) -> bool {
        mode.is_compiled() || !self.row().compiled
    }

    /// A mode with this switch thrown and no other.
    pub fn lane(self, mode: Mode) -> Lane {
        Lane::plain(mode).with(self)
    }

    fn row(self) -> &'static Row {
        SWITCHES.iter().find(|row| row.switch == self).expect("every switch has a row")
    }
}

impl Lane {
    /// A mode with no switch thrown.
    pub fn plain(mode: Mode) -> Lane {
        Lane { mode, switches: 0 }
    }

    /// The same with a switch thrown.
    pub fn with(self, switch: Switch) -> Lane {
        Lane { switches: self.switches | 1 << switch as u16, ..self }
    }

    /// Whether a switch is thrown.
    pub fn has(&self, switch: Switch) -> bool {
        self.switches & 1 << switch as u16 != 0
    }

    /// The names of all switches.
    pub fn switches() -> impl Iterator<Item = &'static str> {
        SWITCHES.iter().map(|row| row.name)
    }

    /// The lane's engine configuration, apart from limits.
    pub fn config(&self) -> Config {
        Config::new(self.mode)
            .fuel(!self.has(Switch::NoFuel))
            .backtraces(!self.has(Switch::NoBacktraces))
            .moving_memory(self.has(Switch::MovingMemory))
            .explicit_bounds(self.has(Switch::ExplicitBounds))
            .few_registers(self.has(Switch::FewRegisters))
            .short_branches(self.has(Switch::ShortBranches))
            .lazy(self.has(Switch::Lazy))
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mode.name())?;
        SWITCHES.iter().filter(|row| self.has(row.switch)).try_for_each(|row| write!(f, "+{}", row.name))
    }
}

impl FromStr for Lane {
    type Err = String;

    fn from_str(text: &str) -> Result<Lane, String> {
        let mut parts = text.split('+');
        let mut lane = Lane::plain(parts.next().unwrap_or_default().parse()?);
        for part in parts {
            let row = SWITCHES.iter().find(|row| row.name == part).ok_or_else(|| {
                let known: Vec<_> = Lane::switches().collect();
                format!("no lane switch is called `{part}`; there are {}", known.join(", "))
            })?;
            if !row.switch.applies_to(lane.mode) {
                return Err(format!("`{part}` is for compiled modes, which {} is not", lane.mode));
            }
            lane = lane.with(row.switch);
        }
        Ok(lane)
    }
}

/// A lane as a subject.
pub struct LaneSubject {
    lane: Lane,
    name: String,
    trace: Option<Arc<dyn engine::Trace>>,
}

impl LaneSubject {
    /// A lane as a subject.
    pub fn new(lane: Lane) -> LaneSubject {
        LaneSubject { lane, name: lane.to_string(), trace: None }
    }

    /// The same, telling somebody of every instruction, if the mode is one that tells.
    pub fn traced(self, trace: Arc<dyn engine::Trace>) -> LaneSubject {
        LaneSubject { trace: Some(trace), ..self }
    }

    /// The same, for those who run subjects of all kinds.
    pub fn shared(lane: Lane) -> Arc<dyn Subject> {
        Arc::new(LaneSubject::new(lane))
    }

    /// The lane.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// What it executes of a case; nothing for modes that do not tell.
    pub(super) fn trace(&self, prepared: &Prepared<'_>) -> Trace {
        let mut run = Run::new(&self.lane, prepared, Capture::Digest);
        let recorder = Arc::new(Recorder::default());
        run.store.set_trace(Some(recorder.clone()));
        for action in &prepared.case.actions {
            if let Action::Instantiate { module } = action {
                recorder.instantiates(Instance::all(&run.store).len(), *module);
            }
            if guarded(|| run.action(action)).is_err() {
                // As in `observe`: nothing of such a store can be trusted.
                std::mem::forget(run);
                break;
            }
        }
        recorder.take()
    }
}

impl Subject for LaneSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            fuel: !self.lane.has(Switch::NoFuel),
            backtraces: !self.lane.has(Switch::NoBacktraces),
            ..Capabilities::ALL
        }
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mut run = Run::new(&self.lane, prepared, capture);
        run.store.set_trace(self.trace.clone());
        let mut actions = Vec::with_capacity(prepared.case.actions.len());
        for (number, action) in prepared.case.actions.iter().enumerate() {
            watch.begins(number);
            let observed = guarded(|| run.action(action));
            match observed {
                Ok(observed) => {
                    watch.ended(&observed);
                    actions.push(observed);
                }
                Err(message) => {
                    // Nothing of a store that panicked can be trusted, so the observation ends here.
                    actions.push(ActionObservation::panicked(&message));
                    std::mem::forget(run);
                    break;
                }
            }
        }
        Observation { actions }
    }
}

/// One case in one lane, under way.
struct Run<'a> {
    prepared: &'a Prepared<'a>,
    engine: Engine,
    store: Store<Host>,
    /// The latest instance of each module.
    instances: Vec<Option<Instance>>,
    capture: Capture,
}

impl<'a> Run<'a> {
    fn new(lane: &Lane, prepared: &'a Prepared<'a>, capture: Capture) -> Run<'a> {
        let engine = prepared.engine.sibling(&lane.config().limits(limits(&prepared.case.limits)));
        let store = Store::new(&engine, Host::new(prepared.case.hosts, capture));
        Run { prepared, engine, store, instances: vec![None; prepared.case.modules.len()], capture }
    }

    fn action(&mut self, action: &Action) -> ActionObservation {
        self.store.set_fuel(self.prepared.case.limits.fuel.unwrap_or(u64::MAX));
        let outcome = match self.perform(action) {
            Ok(values) => Outcome::Values(values),
            Err(error) => self.outcome(error),
        };
        let (state_digest, state) = capture_state(&self.store, &self.instances, self.capture);
        let host_calls = self.store.data_mut().take_calls();
        ActionObservation { outcome, fuel_left: self.store.fuel(), host_calls, state_digest, state }
    }

    fn perform(&mut self, action: &Action) -> Result<Vec<Value>, Error> {
        match action {
            Action::Instantiate { module } => {
                let decoded = self.prepared.modules[*module as usize].as_ref().map_err(Clone::clone)?;
                let prepared = decoded.prepare(&self.engine)?;
                let imports = self.imports(&prepared)?;
                self.instances[*module as usize] = None;
                let instance = Instance::new(&mut self.store, &prepared, &imports)?;
                self.instances[*module as usize] = Some(instance);
                Ok(Vec::new())
            }
            Action::Invoke { module, export, args } => {
                let missing = || Error::Link(format!("there is no function `{export}` to call"));
                let instance = self.instances[*module as usize].ok_or_else(missing)?;
                let func = instance.func(&self.store, export).ok_or_else(missing)?;
                self.invoke(func, args)
            }
            Action::Read { module, export } => {
                let missing = || Error::Link(format!("there is no global `{export}` to read"));
                let instance = self.instances[*module as usize].ok_or_else(missing)?;
                let global =
                    instance.export(&self.store, export).and_then(Extern::global).ok_or_else(missing)?;
                let content = global.ty(&self.store).content;
                Ok(vec![values::observed(&self.store, global.get(&self.store), content)])
            }
        }
    }

    fn invoke(&mut self, func: Func, args: &[Value]) -> Result<Vec<Value>, Error> {
        let mut params = Vec::with_capacity(args.len());
        for arg in args {
            let value = values::to_val(&mut self.store, arg);
            params.push(value.ok_or_else(|| Error::Unsupported(format!("cannot pass {arg} from outside")))?);
        }
        call(&mut self.store, func, &params)
    }

    /// Imports in order: from earlier modules of the case by name, else from the host.
    fn imports(&mut self, module: &Module) -> Result<Vec<Extern>, Error> {
        let mut imports = Vec::with_capacity(module.imports().len());
        for (import, index) in module.imports().iter().zip(0..) {
            let source = self.prepared.case.modules.iter().position(|module| module.name == import.module);
            let item = match source.filter(|source| self.prepared.modules[*source].is_ok()) {
                Some(source) => {
                    let missing = || Error::Link(format!("unknown import {}.{}", import.module, import.name));
                    let instance = self.instances[source].ok_or_else(missing)?;
                    instance.export(&self.store, &import.name).ok_or_else(missing)?
                }
                None => self.host_import(import, index)?,
            };
            imports.push(item);
        }
        Ok(imports)
    }

    fn host_import(&mut self, import: &Import, index: u32) -> Result<Extern, Error> {
        let types = self.engine.types();
        let no_value = |ty: ValType| Error::Link(format!("the host has no value of type {ty}"));
        Ok(match &import.ty {
            ExternType::Func(id) => {
                let ty = (*types.func_type(*id).expect("functions have function types")).clone();
                Extern::Func(host_function(&mut self.store, import, index, ty))
            }
            ExternType::Global(ty) => {
                let value =
                    self.store.data().global(index, ty.content).ok_or_else(|| no_value(ty.content))?;
                let value = values::to_val(&mut self.store, &value).ok_or_else(|| no_value(ty.content))?;
                Extern::Global(Global::new(&mut self.store, *ty, value)?)
            }
            ExternType::Memory(ty) => Extern::Memory(Memory::new(&mut self.store, *ty)?),
            ExternType::Table(ty) => {
                let element = ValType::Ref(ty.element);
                let init = Val::default_of(element).ok_or_else(|| no_value(element))?;
                Extern::Table(Table::new(&mut self.store, *ty, init)?)
            }
            ExternType::Tag(id) => {
                let ty = (*types.func_type(*id).expect("tags have function types")).clone();
                Extern::Tag(Tag::new(&mut self.store, ty))
            }
        })
    }

    fn outcome(&self, error: Error) -> Outcome {
        match error {
            Error::Trap(trap) => Outcome::Trap(observe_trap(&trap, self.capture)),
            Error::Link(message) => Outcome::Link(message),
            Error::Limit(message) => Outcome::Limit(message),
            Error::Unsupported(message) => Outcome::Unsupported(message),
            Error::Resources(message) => Outcome::Resources(message),
            invalid @ Error::Invalid { .. } => Outcome::Link(invalid.to_string()),
        }
    }
}

fn limits(limits: &Limits) -> engine::Limits {
    engine::Limits {
        memory_bytes: limits.memory_bytes,
        table_elements: limits.table_elements,
        depth_slots: limits.depth_slots,
        host_reentries: limits.host_depth,
        ..engine::Limits::default()
    }
}

/// A trap as it is observed. Names are spelled out only in full: both sides take them from one place.
pub(crate) fn observe_trap(trap: &Trap, capture: Capture) -> TrapObservation {
    let frames = trap.backtrace().map(|backtrace| Frames {
        count: backtrace.count(),
        hash: backtrace.hash(),
        kept: match capture {
            Capture::Digest => Vec::new(),
            Capture::Full => backtrace.frames().map(|(number, frame)| observe_frame(number, frame)).collect(),
        },
    });
    TrapObservation {
        kind: trap.kind(),
        message: trap.message().map(str::to_string),
        site: trap.site(),
        frames,
    }
}

fn observe_frame(number: u64, frame: &engine::Frame) -> Frame {
    Frame { number, function: frame.instance().zip(frame.func()), offset: frame.offset(), name: frame.name() }
}

fn call(store: &mut impl engine::AsContextMut, func: Func, params: &[Val]) -> Result<Vec<Value>, Error> {
    let ty = func.ty(&*store);
    let default = |ty: &ValType| Val::default_of(*ty).unwrap_or(Val::FuncRef(None));
    let mut results: Vec<Val> = ty.results().iter().map(default).collect();
    func.call(&mut *store, params, &mut results)?;
    Ok(results.iter().zip(ty.results()).map(|(value, ty)| values::observed(store, *value, *ty)).collect())
}

fn host_function(store: &mut Store<Host>, import: &Import, index: u32, ty: FuncType) -> Func {
    let name = format!("{}.{}", import.module, import.name);
    let known_as: Arc<str> = name.as_str().into();
    let (params, answers) = (ty.params().to_vec(), ty.results().to_vec());
    Func::new(store, &name, ty, move |caller: Caller<'_, Host>, args, results| {
        let mut world = LaneWorld { caller, failure: None };
        let args: Vec<Value> = args
            .iter()
            .zip(&params)
            .map(|(value, ty)| values::observed(&world.caller, *value, *ty))
            .collect();
        match hosts::call(&mut world, index, &known_as, &args, &answers) {
            Ok(values) => {
                for (result, value) in results.iter_mut().zip(values) {
                    *result = values::to_val(&mut world.caller, &value)
                        .expect("hosts answer with numbers and nulls");
                }
                Ok(())
            }
            Err(Refusal::Trap(message)) => Err(Trap::host(message).into()),
            Err(Refusal::CallBack) => Err(world.failure.expect("a failed call back leaves its failure")),
        }
    })
}

/// The world of a host function called from our engine.
struct LaneWorld<'a> {
    caller: Caller<'a, Host>,
    failure: Option<Error>,
}

impl World for LaneWorld<'_> {
    fn memory_bytes(&mut self) -> Option<u64> {
        self.caller.exported_first_memory().map(|memory| memory.len(&self.caller))
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        let bytes = self.caller.guest_bytes(address, buffer.len() as u64);
        bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_ok()
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let target = self.caller.guest_bytes_mut(address, bytes.len() as u64);
        target.map(|target| target.copy_from_slice(bytes)).is_ok()
    }

    fn exported_funcs(&mut self) -> Vec<Vec<ValType>> {
        let funcs = self.caller.exported_funcs();
        funcs.iter().map(|func| func.ty(&self.caller).params().to_vec()).collect()
    }

    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>> {
        let func = self.caller.exported_funcs()[number];
        let to_val = |value| values::to_val(&mut self.caller, value).expect("call backs are given numbers");
        let params: Vec<Val> = args.iter().map(to_val).collect();
        call(&mut self.caller, func, &params).map_err(|error| self.failure = Some(error)).ok()
    }

    fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }
}
