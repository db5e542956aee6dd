//! A case under way in V8.

use super::bridge::{self, is_ref, numeric_globals};
use super::links::{Links, Wrapped};
use super::outcome::outcome;
use super::wire::{self, Frame, Message, StateReader, Wire};
use crate::case::bytes::Writer;
use crate::case::{Action, Limits, Value};
use crate::hosts::{self, Host, OUT_OF_BOUNDS, Refusal, World};
use crate::observe::{ActionObservation, Capture, ExportState, InstanceState, Outcome, State};
use crate::subject::Prepared;
use crate::subject::provider::provider;
use crate::subject::surface::{Export, Surface, with_start_exported};
use crosscheck_engine::{ExternType, HeapType, RefType, TrapKind, ValType};
use std::io;
use wasmparser::{ExternalKind, Validator, WasmFeatures};

/// Bytes of a page of memory.
const PAGE_BYTES: u64 = 1 << 16;
/// The largest size of a table that V8's flag takes.
const LARGEST_TABLE: u64 = 10_000_000;

/// Where a view's imports come from: a wrapper that is not called from inside, or an export of the instance.
const VIEW_WRAPPER: u8 = 1;
const VIEW_EXPORT: u8 = 2;

/// The other end is gone, or cannot be understood: nothing more can be seen.
pub(super) struct Stopped(pub io::Error);

/// Why an action did not end well.
pub(super) enum Failure {
    Outcome(Outcome),
    Stopped(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Stopped(error)
    }
}

pub(super) fn link<T>(message: String) -> Result<T, Failure> {
    Err(Failure::Outcome(Outcome::Link(message)))
}

fn usage<T>(message: String) -> Result<T, Failure> {
    Err(Failure::Outcome(Outcome::Usage(message)))
}

pub(super) fn unsupported<T>(message: String) -> Result<T, Failure> {
    Err(Failure::Outcome(Outcome::Unsupported(message)))
}

/// A host function as an instance imports it: JavaScript does not say who calls, so each has its own.
struct Wrapper {
    /// Which import it is, of the module that imports it from the host.
    import: u32,
    name: String,
    /// Types of its parameters, as the reader has them.
    params: Vec<wasmparser::ValType>,
    results: Vec<ValType>,
    /// The instance that calls; none if it is called from outside.
    caller: Option<u32>,
}

/// One case under way.
pub(super) struct Run<'a> {
    prepared: &'a Prepared<'a>,
    wire: &'a mut Wire,
    reads: WasmFeatures,
    surfaces: Vec<Surface>,
    /// The number of each module's latest instance.
    latest: Vec<Option<u32>>,
    /// Which module each instance is of.
    made: Vec<usize>,
    wrappers: Vec<Wrapper>,
    host: Host,
    /// How the trap that is on its way through the guest is to be observed, if a host function began it.
    pending: Option<Outcome>,
    capture: Capture,
}

impl<'a> Run<'a> {
    pub fn new(
        prepared: &'a Prepared<'a>,
        wire: &'a mut Wire,
        reads: WasmFeatures,
        capture: Capture,
    ) -> Run<'a> {
        let surface = |wasm: &[u8]| Surface::of(wasm).expect("the module was decoded before");
        Run {
            prepared,
            wire,
            reads,
            surfaces: prepared.case.modules.iter().map(|module| surface(&module.wasm)).collect(),
            latest: vec![None; prepared.case.modules.len()],
            made: Vec::new(),
            wrappers: Vec::new(),
            host: Host::new(prepared.case.hosts, capture),
            pending: None,
            capture,
        }
    }

    /// Performs an action. The first one makes the other end forget earlier cases.
    pub fn action(&mut self, action: &Action) -> Result<ActionObservation, Stopped> {
        let result = if self.made.is_empty() { self.begin() } else { Ok(()) };
        let outcome = match result.and_then(|()| self.perform(action)) {
            Ok(values) => Outcome::Values(values),
            Err(Failure::Outcome(outcome)) => outcome,
            Err(Failure::Stopped(error)) => return Err(Stopped(error)),
        };
        let (outcome, state) = match self.capture {
            Capture::Digest => (outcome, None),
            Capture::Full => match self.state() {
                Ok(state) => (outcome, Some(state)),
                Err(Failure::Outcome(unseen)) => (unseen, None),
                Err(Failure::Stopped(error)) => return Err(Stopped(error)),
            },
        };
        let host_calls = self.host.take_calls();
        Ok(ActionObservation { outcome, fuel_left: 0, host_calls, state_digest: 0, state })
    }

    fn begin(&mut self) -> Result<(), Failure> {
        let limits = &self.prepared.case.limits;
        let mut frame = Frame::new(b'L');
        // Our own modules import a page.
        frame.fields().u32(u32::try_from(limits.memory_bytes / PAGE_BYTES).unwrap_or(u32::MAX).max(1));
        frame.fields().u32(limits.table_elements.clamp(1, LARGEST_TABLE) as u32);
        Ok(self.wire.send(frame)?)
    }

    fn perform(&mut self, action: &Action) -> Result<Vec<Value>, Failure> {
        match action {
            Action::Instantiate { module } => {
                self.instantiate(*module as usize)?;
                Ok(Vec::new())
            }
            Action::Invoke { module, export, args } => {
                let module = *module as usize;
                let mut funcs = self.surfaces[module].exports_of(ExternalKind::Func);
                let number = funcs.position(|func| func.name == *export);
                drop(funcs);
                match (self.latest[module], number) {
                    (Some(instance), Some(number)) => self.call(instance, number, args),
                    _ => usage(format!("there is no function `{export}` to call")),
                }
            }
            Action::Read { module, export } => {
                let Some(instance) = self.latest[*module as usize] else {
                    return usage(format!("there is no global `{export}` to read"));
                };
                let state = self.show(instance)?;
                match state.exports.iter().find(|(name, _)| name == export) {
                    Some((_, ExportState::Global(number))) => {
                        Ok(vec![state.globals[*number as usize].clone()])
                    }
                    _ => usage(format!("there is no global `{export}` to read")),
                }
            }
        }
    }

    /// The answer to what was asked, and host calls answered until it comes.
    fn answer(&mut self) -> Result<Message, Failure> {
        loop {
            match self.wire.receive()? {
                Message::HostCall { wrapper, slots, refs } => self.host_call(wrapper, &slots, refs)?,
                Message::Failed { stage, name, message } => {
                    let module = self.made.last().map(|module| &self.prepared.case.modules[*module].wasm);
                    let is_known = || {
                        module.is_some_and(|wasm| {
                            Validator::new_with_features(self.reads).validate_all(wasm).is_ok()
                        })
                    };
                    let seen = outcome(&stage, &name, &message, is_known);
                    return Err(Failure::Outcome(self.pending.take().unwrap_or(seen)));
                }
                other => return Ok(other),
            }
        }
    }

    fn host_call(&mut self, wrapper: u32, slots: &[u8], refs: Vec<Value>) -> Result<(), Failure> {
        let wrapper = self.wrappers.get(wrapper as usize).ok_or_else(|| wire::garbled("an unknown host"))?;
        let (import, name, results) = (wrapper.import, wrapper.name.clone(), wrapper.results.clone());
        let caller = wrapper.caller;
        let args = wire::values(&wrapper.params, slots, refs)?;
        let mut world = V8World { run: self, caller, failure: None };
        let answer = hosts::call(&mut world, import, &name, &args, &results);
        let mut frame = Frame::new(b'A');
        match (world.failure, answer) {
            (Some(Failure::Stopped(error)), _) => return Err(Failure::Stopped(error)),
            (_, Ok(values)) => {
                frame.fields().u8(1);
                frame.fields().blob(&wire::slots(&values));
            }
            (_, Err(refusal @ (Refusal::Trap(_) | Refusal::OutOfBounds))) => {
                let message = if let Refusal::Trap(message) = refusal { message } else { OUT_OF_BOUNDS };
                self.pending = Some(Outcome::trap(TrapKind::Host, Some(message)));
                frame.fields().u8(0);
            }
            (failure, Err(Refusal::CallBack)) => {
                self.pending = match failure {
                    Some(Failure::Outcome(outcome)) => Some(outcome),
                    _ => unreachable!("a failed call back leaves its failure"),
                };
                frame.fields().u8(0);
            }
        }
        Ok(self.wire.send(frame)?)
    }

    /// Calls an exported function, by its number among them.
    fn call(&mut self, instance: u32, number: usize, args: &[Value]) -> Result<Vec<Value>, Failure> {
        let surface = &self.surfaces[self.made[instance as usize]];
        let export = surface.exports_of(ExternalKind::Func).nth(number).expect("the caller counted them");
        let results = surface.func_type(export.index).results().to_vec();
        let mut frame = Frame::new(b'C');
        frame.fields().u32(instance);
        frame.fields().u32(number as u32);
        frame.fields().count(results.len());
        if let Err(value) = frame.values(args) {
            return unsupported(format!("V8 cannot be passed {} from outside", Value::Ref(value)));
        }
        self.wire.send(frame)?;
        let answer = self.answer()?;
        self.pending = None;
        match answer {
            Message::Values { slots, refs } => Ok(wire::values(&results, &slots, refs)?),
            _ => Err(wire::garbled("no answer to a call").into()),
        }
    }

    fn instantiate(&mut self, module: usize) -> Result<(), Failure> {
        let decoded = match &self.prepared.modules[module] {
            Ok(decoded) => decoded,
            Err(error) => return link(error.to_string()),
        };
        let number = self.made.len() as u32;
        let links = Links::new(self.prepared, &self.surfaces, &self.latest, module)?;
        let surface = &self.surfaces[module];
        if let Some(limit) = over_limit(surface, &links, &self.prepared.case.limits) {
            return Err(Failure::Outcome(Outcome::Limit(limit)));
        }
        let wrapped = links.wrapped(surface);
        let given = links.given(decoded.imports(), &self.host)?;
        let bridge_failed = |what: String| Failure::Outcome(Outcome::Unsupported(format!("V8: {what}")));

        let mut frame = Frame::new(b'I');
        let fields = frame.fields();
        fields.u32(number);
        let wasm = &self.prepared.case.modules[module].wasm;
        let exported = surface.start.map(|start| with_start_exported(wasm, surface, start));
        let exported = exported.transpose().expect("the module was decoded before");
        fields.blob(exported.as_ref().map_or(wasm, |(wasm, _)| wasm));
        fields.blob(&provider(surface, &given).map_err(bridge_failed)?);
        let funcs: Vec<u32> = wrapped.iter().map(|wrapped| wrapped.func).collect();
        fields.blob(&bridge::wrappers(surface, &funcs).map_err(bridge_failed)?);
        fields.u32(self.wrappers.len() as u32);
        fields.count(funcs.len());
        funcs.iter().for_each(|func| fields.u32(surface.func_type(*func).params().len() as u32));
        links.write(fields, surface, &wrapped);
        fields.blob(&bridge::view(surface).map_err(bridge_failed)?);
        write_viewed(fields, surface, &wrapped);
        write_shown(fields, surface);
        write_name(fields, surface.first_memory());
        write_start(fields, surface, &wrapped, exported.as_ref().map(|(_, name)| name.as_str()));

        for Wrapped { func, host, is_outside } in wrapped {
            let home = &self.prepared.modules[host.module].as_ref().expect("it was instantiated");
            let import = &home.imports()[host.import as usize];
            let ExternType::Func(ty) = &import.ty else { unreachable!("hosts of functions are functions") };
            self.wrappers.push(Wrapper {
                import: host.import,
                name: format!("{}.{}", import.module, import.name),
                params: surface.func_type(func).params().to_vec(),
                results: home.func_type(*ty).results().to_vec(),
                caller: (!is_outside).then_some(number),
            });
        }
        self.made.push(module);
        self.latest[module] = None;
        self.wire.send(frame)?;
        match self.answer()? {
            Message::Made => self.latest[module] = Some(number),
            _ => return Err(wire::garbled("no answer to an instantiation").into()),
        }
        self.pending = None;
        Ok(())
    }

    /// What the latest instances export.
    fn state(&mut self) -> Result<State, Failure> {
        let mut state = State::default();
        for instance in self.latest.clone() {
            state.modules.push(instance.map(|_| state.instances.len() as u32));
            if let Some(instance) = instance {
                state.instances.push(self.show(instance)?);
            }
        }
        Ok(state)
    }

    /// What an instance exports.
    fn show(&mut self, instance: u32) -> Result<InstanceState, Failure> {
        let mut frame = Frame::new(b'S');
        frame.fields().u32(instance);
        self.wire.send(frame)?;
        let Message::State(bytes) = self.answer()? else {
            return Err(wire::garbled("no answer to what there is to see").into());
        };
        let surface = &self.surfaces[self.made[instance as usize]];
        let mut reader = StateReader::new(&bytes);
        let types: Vec<wasmparser::ValType> =
            numeric_globals(surface).map(|global| surface.content(global)).collect();
        let mut numbers = wire::values(&types, reader.globals()?, Vec::new())?.into_iter();
        let mut state = InstanceState::default();
        for export in &surface.exports {
            let place = match export.kind {
                ExternalKind::Global => {
                    let ty = surface.content(export);
                    let number = if is_ref(ty) { None } else { numbers.next() };
                    state.globals.push(match number {
                        Some(number) => number,
                        None => reader.reference(ty)?,
                    });
                    ExportState::Global(state.globals.len() as u32 - 1)
                }
                ExternalKind::Table => {
                    state.tables.push(reader.table()?);
                    ExportState::Table(state.tables.len() as u32 - 1)
                }
                ExternalKind::Memory => {
                    state.memories.push(reader.memory()?);
                    ExportState::Memory(state.memories.len() as u32 - 1)
                }
                ExternalKind::Func | ExternalKind::FuncExact | ExternalKind::Tag => continue,
            };
            state.exports.push((export.name.clone(), place));
        }
        Ok(state)
    }
}

/// A size that is more than the case allows. V8 knows no limits of stores, only of memories that grow.
fn over_limit(surface: &Surface, links: &Links, limits: &Limits) -> Option<String> {
    let (memories, tables) = (surface.memories.iter(), surface.tables.iter());
    // Those that other modules own are there already.
    for memory in memories.filter(|memory| links.is_new(memory.import)) {
        let page_bytes = 1 << memory.ty.page_size_log2.unwrap_or(16);
        if memory.ty.initial.saturating_mul(page_bytes) > limits.memory_bytes {
            return Some(format!("a memory of {} pages", memory.ty.initial));
        }
    }
    for table in tables.filter(|table| links.is_new(table.import)) {
        if table.ty.initial > limits.table_elements {
            return Some(format!("a table of {} elements", table.ty.initial));
        }
    }
    None
}

/// Where the functions and globals come from that are accessible from outside.
fn write_viewed(fields: &mut Writer, surface: &Surface, wrapped: &[Wrapped]) {
    let globals = numeric_globals(surface);
    let funcs = surface.exports_of(ExternalKind::Func);
    fields.count(funcs.clone().count() + globals.clone().count());
    for func in funcs {
        let outside = wrapped.iter().position(|wrapped| wrapped.is_outside && wrapped.func == func.index);
        fields.u8(if outside.is_some() { VIEW_WRAPPER } else { VIEW_EXPORT });
        fields.string(&outside.map_or(func.name.clone(), |number| number.to_string()));
    }
    for global in globals {
        fields.u8(VIEW_EXPORT);
        fields.string(&global.name);
    }
}

/// What is shown of an instance: how many globals of numbers, and what else, in order.
fn write_shown(fields: &mut Writer, surface: &Surface) {
    fields.u32(numeric_globals(surface).count() as u32);
    let shown = surface.exports.iter().filter_map(|export| match export.kind {
        ExternalKind::Global => is_ref(surface.content(export)).then_some((0, &export.name)),
        ExternalKind::Table => Some((1, &export.name)),
        ExternalKind::Memory => Some((2, &export.name)),
        ExternalKind::Func | ExternalKind::FuncExact | ExternalKind::Tag => None,
    });
    let shown: Vec<_> = shown.collect();
    fields.count(shown.len());
    for (kind, name) in shown {
        fields.u8(kind);
        fields.string(name);
    }
}

/// Which start function there is to call, without a calling instance even if it is the host's.
fn write_start(fields: &mut Writer, surface: &Surface, wrapped: &[Wrapped], exported: Option<&str>) {
    let is_it = |wrapped: &Wrapped| wrapped.is_outside && Some(wrapped.func) == surface.start;
    match (wrapped.iter().position(is_it), exported) {
        (Some(wrapper), _) => {
            fields.u8(VIEW_WRAPPER);
            fields.string(&wrapper.to_string());
        }
        (None, Some(name)) => {
            fields.u8(VIEW_EXPORT);
            fields.string(name);
        }
        (None, None) => fields.u8(0),
    }
}

fn write_name(fields: &mut Writer, name: Option<&str>) {
    fields.u8(u8::from(name.is_some()));
    if let Some(name) = name {
        fields.string(name);
    }
}

/// The world of a host function called from V8.
struct V8World<'r, 'a> {
    run: &'r mut Run<'a>,
    caller: Option<u32>,
    failure: Option<Failure>,
}

impl V8World<'_, '_> {
    /// Asks about the caller's memory; nothing if there is no caller, or no answer any more.
    fn ask(&mut self, kind: u8, fields: impl FnOnce(&mut Writer)) -> Option<Message> {
        let mut frame = Frame::new(kind);
        frame.fields().u32(self.caller?);
        fields(frame.fields());
        let answer = self.run.wire.send(frame).map_err(Failure::from).and_then(|()| self.run.answer());
        answer.map_err(|failure| self.failure = Some(failure)).ok()
    }

    fn surface(&self) -> Option<&Surface> {
        Some(&self.run.surfaces[self.run.made[self.caller? as usize]])
    }
}

impl World for V8World<'_, '_> {
    fn memory_bytes(&mut self) -> Option<u64> {
        match self.ask(b'Z', |_| ())? {
            Message::MemoryBytes(bytes) => bytes,
            _ => None,
        }
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        let count = buffer.len();
        let answer = self.ask(b'R', |fields| {
            fields.u64(address);
            fields.u32(count as u32);
        });
        match answer {
            Some(Message::Bytes(Some(bytes))) if bytes.len() == count => {
                buffer.copy_from_slice(&bytes);
                true
            }
            _ => false,
        }
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let answer = self.ask(b'W', |fields| {
            fields.u64(address);
            fields.blob(bytes);
        });
        matches!(answer, Some(Message::Wrote(true)))
    }

    fn exported_funcs(&mut self) -> Vec<Vec<ValType>> {
        let Some(surface) = self.surface() else { return Vec::new() };
        let params = |func: &Export| surface.func_type(func.index).params().iter().map(engine_type).collect();
        surface.exports_of(ExternalKind::Func).map(params).collect()
    }

    fn exported_func(&mut self, name: &str) -> Option<usize> {
        self.surface()?.exports_of(ExternalKind::Func).position(|export| export.name == name)
    }

    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>> {
        let caller = self.caller.expect("who has exports is there");
        self.run.call(caller, number, args).map_err(|failure| self.failure = Some(failure)).ok()
    }

    fn host(&mut self) -> &mut Host {
        &mut self.run.host
    }
}

/// The engine's type, as far as hosts care: what is a reference they pass over.
fn engine_type(ty: &wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(_) => ValType::Ref(RefType { heap: HeapType::Func, nullable: true }),
    }
}
