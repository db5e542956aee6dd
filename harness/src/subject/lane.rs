//! A mode of our engine in a configuration that must not change what is observed.

use super::trace::{Recorder, Trace};
use super::{Capabilities, Prepared, Subject, Watch, linked, observe_actions};
use crate::case::{Action, Limits, Value};
use crate::guard::guarded;
use crate::hosts::{Host, Played};
use crate::observe::{
    ActionObservation, Capture, Frame, Frames, Observation, Outcome, TrapObservation, capture_state, values,
};
use crosscheck_engine::{
    self as engine, Config, Engine, Error, Extern, Func, Instance, Mode, Module, Store, Trap,
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
    /// What people type after a `+`.
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

    /// What people type after a `+`.
    pub fn name(self) -> &'static str {
        self.row().name
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

    /// The same, telling that trace of every instruction, if the mode is one that tells.
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

/// What a lane shows of a case, and all that its hosts did.
pub(crate) struct Recorded {
    /// What it shows.
    pub(crate) observation: Observation,
    /// The host calls of all actions, in the order in which they began.
    pub(crate) played: Vec<Played>,
    /// How many of them had begun when each action ended.
    pub(crate) until: Vec<usize>,
}

impl LaneSubject {
    /// As [`Subject::observe`], with a record of what hosts do.
    pub(crate) fn record(&self, prepared: &Prepared<'_>, capture: Capture) -> Recorded {
        let mut run = Run::new(&self.lane, prepared, capture);
        *run.store.data_mut() = Host::recording(prepared.case.hosts, capture);
        let (mut actions, mut until) = (Vec::new(), Vec::new());
        for action in &prepared.case.actions {
            match guarded(|| run.action(action)) {
                Ok(observed) => actions.push(observed),
                Err(message) => {
                    // As in `observe`: nothing of such a store can be trusted.
                    actions.push(ActionObservation::panicked(&message));
                    until.push(until.last().copied().unwrap_or(0));
                    std::mem::forget(run);
                    return Recorded { observation: Observation { actions }, played: Vec::new(), until };
                }
            }
            until.push(run.store.data().played().len());
        }
        let played = run.store.data().played().to_vec();
        Recorded { observation: Observation { actions }, played, until }
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

    fn is_outside(&self) -> bool {
        false
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mut run = Run::new(&self.lane, prepared, capture);
        run.store.set_trace(self.trace.clone());
        observe_actions(run, prepared.case, watch, Run::action, |_| false)
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
                let missing = || Error::Usage(format!("there is no function `{export}` to call"));
                let instance = self.instances[*module as usize].ok_or_else(missing)?;
                let func = instance.func(&self.store, export).ok_or_else(missing)?;
                self.invoke(func, args)
            }
            Action::Read { module, export } => {
                let missing = || Error::Usage(format!("there is no global `{export}` to read"));
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
        linked::call(&mut self.store, func, &params)
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
                None => linked::import(&mut self.store, &self.engine, import, index)?,
            };
            imports.push(item);
        }
        Ok(imports)
    }

    fn outcome(&self, error: Error) -> Outcome {
        match error {
            Error::Trap(trap) => Outcome::Trap(observe_trap(&trap, self.capture)),
            Error::Exception(exception) => values::exception(&self.store, &exception),
            Error::Link(message) => Outcome::Link(message),
            Error::Usage(message) => Outcome::Usage(message),
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
