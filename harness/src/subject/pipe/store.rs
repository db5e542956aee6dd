//! A case under way at the other end of a pipe.

use super::super::bounded::{Unbounded, bounded};
use super::super::embedding::{Embedding, Entity, Guest, HostFunction, Provided, ProvidedItem, Refused};
use super::super::provider::provider;
use super::super::surface::{Surface, with_start_exported};
use super::super::trap_text::{is_about_a_switch, trap_kind};
use super::line;
use super::peer::Peer;
use crate::case::{FuncIdentity, Limits, RefValue, Value};
use crate::hosts::Host;
use crate::observe::{MemoryState, Outcome, TableState};
use crosscheck_engine::TrapKind;
use std::rc::Rc;
use wasmparser::{ExternalKind, WasmFeatures};

/// What stands before the words of a trap that are not known.
const UNKNOWN_TRAP: &str = "a trap that is not known: ";

/// A module at the other end.
pub struct Remote {
    number: usize,
    surface: Surface,
    /// The name under which the start function is exported, if it is to be called from here.
    start: Option<String>,
    /// The instance that it becomes.
    instance: usize,
}

/// Something that an instance at the other end exports, or a host function.
#[derive(Clone)]
pub enum Item {
    Host(usize),
    Export { instance: usize, name: String, kind: Option<ExternalKind> },
}

/// A host function and the instance that it was made for.
struct HostEntry {
    function: HostFunction,
    caller: usize,
}

/// A case under way.
pub struct PipeStore<'a> {
    peer: &'a mut Peer,
    limits: Limits,
    host: Host,
    features: &'a dyn Fn() -> WasmFeatures,
    begun: bool,
    modules: usize,
    instances: usize,
    hosts: Vec<Rc<HostEntry>>,
    /// How the trap that is on its way through the guest is to be observed, if a host function began it.
    pending: Option<Outcome>,
}

impl<'a> PipeStore<'a> {
    /// An empty store. `features` is what the engine executes.
    pub fn new(
        peer: &'a mut Peer,
        limits: Limits,
        host: Host,
        features: &'a dyn Fn() -> WasmFeatures,
    ) -> PipeStore<'a> {
        PipeStore {
            peer,
            limits,
            host,
            features,
            begun: false,
            modules: 0,
            instances: 0,
            hosts: Vec::new(),
            pending: None,
        }
    }

    /// What follows the first word of the answer to a line, if that is the one expected; host calls are answered until it
    /// comes.
    fn ask(&mut self, line: &str, expected: &str) -> Result<String, Outcome> {
        self.peer.say(line)?;
        loop {
            let answer = self.peer.hear()?;
            let (word, rest) = answer.split_once(' ').unwrap_or((&answer, ""));
            match word {
                "host" => self.host_call(rest)?,
                "trap" => return Err(self.trapped(rest)),
                "refused" => return Err(Outcome::Link(rest.to_string())),
                "unsupported" => return Err(Outcome::Unsupported(rest.to_string())),
                "limit" => return Err(Outcome::Limit(rest.to_string())),
                word if word == expected => return Ok(rest.to_string()),
                _ => return Err(self.peer.garbled(&answer)),
            }
        }
    }

    fn trapped(&mut self, text: &str) -> Outcome {
        if let Some(pending) = self.pending.take() {
            return pending;
        }
        match trap_kind(text) {
            Some(kind) => Outcome::trap(kind, None),
            None => Outcome::Crash(format!("{UNKNOWN_TRAP}{text}")),
        }
    }

    fn host_call(&mut self, line: &str) -> Result<(), Outcome> {
        let (number, args) = line.split_once(' ').unwrap_or((line, ""));
        let entry = number.parse().ok().and_then(|number: usize| self.hosts.get(number).cloned());
        let (Some(entry), Some(args)) = (entry, line::values(args)) else {
            return Err(self.peer.garbled(line));
        };
        let outcome = match entry.function.call(&mut PipeGuest { store: self, caller: entry.caller }, &args) {
            Ok(values) => {
                let words: Vec<String> = values.iter().filter_map(line::value).collect();
                return self.peer.say(format!("values {}", words.join(" ")).trim_end());
            }
            Err(Refused::Trap(message)) => Outcome::trap(TrapKind::Host, Some(message)),
            Err(Refused::CallBack(outcome)) => outcome,
        };
        self.pending = Some(outcome);
        self.peer.say("trap")
    }

    /// Makes a module at the other end.
    fn module(&mut self, wasm: &[u8]) -> Result<usize, Outcome> {
        let number = self.modules;
        self.modules += 1;
        self.ask(&format!("module {number} {}", line::hex(wasm)), "ok")?;
        Ok(number)
    }

    /// Makes an instance of that number at the other end.
    fn instance(&mut self, instance: usize, module: usize, imports: &[Item]) -> Result<(), Outcome> {
        let imports: String = imports
            .iter()
            .map(|import| match import {
                Item::Host(number) => format!(" host:{number}"),
                Item::Export { instance, name, .. } => format!(" {instance}:{}", line::hex(name.as_bytes())),
            })
            .collect();
        let made = self.ask(&format!("instance {instance} {module}{imports}"), "ok");
        made.map(drop).map_err(|outcome| {
            // Engines tell in one way of traps and of imports that do not fit, and few drivers can tell them apart.
            let text = match &outcome {
                Outcome::Link(text) => Some(text.as_str()),
                Outcome::Crash(text) => text.strip_prefix(UNKNOWN_TRAP),
                _ => None,
            };
            match text {
                Some(text) if is_about_a_switch(text) => Outcome::Unsupported(text.to_string()),
                Some(text) => Outcome::Link(text.to_string()),
                None => outcome,
            }
        })
    }

    fn call_export(&mut self, instance: usize, name: &str, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let mut line = format!("call {instance} {}", line::hex(name.as_bytes()));
        for arg in args {
            let word = line::value(arg);
            let word = word.ok_or_else(|| Outcome::Unsupported(format!("{arg} cannot be passed")))?;
            line += &format!(" {word}");
        }
        let answer = self.ask(&line, "values")?;
        line::values(&answer).ok_or_else(|| self.peer.garbled(&answer))
    }

    fn show(&mut self, instance: usize, name: &str, kind: ExternalKind) -> Result<Entity, Outcome> {
        let name = line::hex(name.as_bytes());
        let (question, answer) = match kind {
            ExternalKind::Global => ("global", "values"),
            ExternalKind::Table => ("table", "table"),
            ExternalKind::Memory => ("memory", "memory"),
            ExternalKind::Func | ExternalKind::FuncExact | ExternalKind::Tag => return Ok(Entity::Func),
        };
        let said = self.ask(&format!("{question} {instance} {name}"), answer)?;
        let shown = match kind {
            ExternalKind::Global => {
                line::values(&said).and_then(|mut values| values.pop()).map(Entity::Global)
            }
            ExternalKind::Table => table(&said).map(Entity::Table),
            _ => memory(&said).map(Entity::Memory),
        };
        shown.ok_or_else(|| self.peer.garbled(&said))
    }

    fn bounded<'w>(&self, wasm: &'w [u8]) -> Result<std::borrow::Cow<'w, [u8]>, Outcome> {
        bounded(wasm, &self.limits).map_err(|error| match error {
            Unbounded::TooLarge(what) => Outcome::Limit(what),
            Unbounded::Unreadable(what) => Outcome::Unsupported(what),
        })
    }
}

/// A table as it is shown: its size and the indices of what is not null.
fn table(said: &str) -> Option<TableState> {
    let mut numbers = said.split_whitespace().map(|word| word.parse::<u64>().ok());
    let mut shown = TableState { elements: numbers.next()??, ..TableState::default() };
    for index in numbers {
        shown.non_null.insert(index?, Value::Ref(RefValue::Func(FuncIdentity::Host(0))));
    }
    Some(shown)
}

/// A memory as it is shown: its size and pages by their offset.
fn memory(said: &str) -> Option<MemoryState> {
    let mut words = said.split_whitespace();
    let mut shown = MemoryState::new(words.next()?.parse().ok()?);
    for word in words {
        let (offset, bytes) = word.split_once(':')?;
        shown.add(offset.parse().ok()?, &line::bytes(bytes)?);
    }
    Some(shown)
}

impl PipeStore<'_> {
    /// Makes a module of bytes that may be one, without anything done to them before.
    pub fn compile_as_it_is(&mut self, wasm: &[u8]) -> Result<(), Outcome> {
        self.begin()?;
        self.module(wasm).map(drop)
    }

    /// Begins a new store at the other end, once.
    fn begin(&mut self) -> Result<(), Outcome> {
        if !std::mem::replace(&mut self.begun, true) {
            self.ask("reset", "ok")?;
        }
        Ok(())
    }
}

impl Embedding for PipeStore<'_> {
    type Module = Remote;
    type Instance = Rc<(usize, Vec<(String, ExternalKind)>)>;
    type Item = Item;

    fn features(&self) -> WasmFeatures {
        (self.features)()
    }

    fn names_callers(&self) -> bool {
        false
    }

    fn begin_action(&mut self) {
        self.pending = None;
    }

    fn compile(&mut self, wasm: &[u8]) -> Result<Remote, Outcome> {
        self.begin()?;
        let unreadable = |error: wasmparser::BinaryReaderError| Outcome::Unsupported(error.to_string());
        let surface = Surface::of(wasm).map_err(unreadable)?;
        let rewritten = self.bounded(wasm)?;
        // A start function that may call the host is called once the instance can be seen from there.
        let start = surface.start.filter(|_| !surface.imported_funcs.is_empty());
        let exported = start.map(|start| with_start_exported(&rewritten, &surface, start));
        let exported = exported.transpose().map_err(unreadable)?;
        let number = self.module(exported.as_ref().map_or(&*rewritten, |(wasm, _)| wasm))?;
        let instance = self.instances;
        self.instances += 1;
        Ok(Remote { number, surface, start: exported.map(|(_, name)| name), instance })
    }

    fn provide(&mut self, module: &Remote, provided: Provided) -> Result<Item, Outcome> {
        let value = match provided.item {
            ProvidedItem::Func(_, function) => {
                self.hosts.push(Rc::new(HostEntry { function, caller: module.instance }));
                return Ok(Item::Host(self.hosts.len() - 1));
            }
            ProvidedItem::Global(_, value) => Some(value),
            ProvidedItem::Memory(_) | ProvidedItem::Table(_) => None,
        };
        let wasm = provider(&module.surface, &[(provided.index, value)]).map_err(Outcome::Unsupported)?;
        let wasm = self.bounded(&wasm)?.into_owned();
        let made = self.module(&wasm)?;
        let instance = self.instances;
        self.instances += 1;
        self.instance(instance, made, &[])?;
        Ok(Item::Export { instance, name: provided.index.to_string(), kind: None })
    }

    fn instantiate(&mut self, module: &Remote, imports: Vec<Item>) -> Result<Self::Instance, Outcome> {
        self.instance(module.instance, module.number, &imports)?;
        if let Some(start) = &module.start {
            self.call_export(module.instance, start, &[])?;
        }
        let exports = module.surface.exports.iter().map(|export| (export.name.clone(), export.kind));
        Ok(Rc::new((module.instance, exports.collect())))
    }

    fn export(&mut self, instance: &Self::Instance, name: &str) -> Option<Item> {
        let (number, exports) = &**instance;
        let (_, kind) = exports.iter().find(|(export, _)| export == name)?;
        Some(Item::Export { instance: *number, name: name.to_string(), kind: Some(*kind) })
    }

    fn call(&mut self, function: &Item, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let Item::Export { instance, name, .. } = function else { unreachable!("only exports are called") };
        self.call_export(*instance, name, args)
    }

    /// What the driver does not show counts as unseen.
    fn look(&mut self, item: &Item) -> Entity {
        match item {
            Item::Export { instance, name, kind: Some(kind) } => {
                self.show(*instance, name, *kind).unwrap_or(Entity::Unseen)
            }
            Item::Host(_) | Item::Export { kind: None, .. } => Entity::Unseen,
        }
    }

    fn host(&mut self) -> &mut Host {
        &mut self.host
    }
}

/// An instance that calls a host function.
struct PipeGuest<'s, 'a> {
    store: &'s mut PipeStore<'a>,
    caller: usize,
}

impl Guest for PipeGuest<'_, '_> {
    type Failure = Outcome;

    /// The protocol does not say which instance calls, so this is not asked.
    fn has(&mut self, _: &str) -> bool {
        false
    }

    fn memory_bytes(&mut self, memory: &str) -> Option<u64> {
        let line = format!("size {} {}", self.caller, line::hex(memory.as_bytes()));
        self.store.ask(&line, "size").ok()?.parse().ok()
    }

    fn read(&mut self, memory: &str, address: u64, buffer: &mut [u8]) -> bool {
        let memory = line::hex(memory.as_bytes());
        let line = format!("read {} {memory} {address} {}", self.caller, buffer.len());
        let bytes = self.store.ask(&line, "bytes").ok().and_then(|said| line::bytes(&said));
        let bytes = bytes.filter(|bytes| bytes.len() == buffer.len());
        bytes.map(|bytes| buffer.copy_from_slice(&bytes)).is_some()
    }

    fn write(&mut self, memory: &str, address: u64, bytes: &[u8]) -> bool {
        let memory = line::hex(memory.as_bytes());
        let line = format!("write {} {memory} {address} {}", self.caller, line::hex(bytes));
        self.store.ask(&line, "ok").is_ok()
    }

    fn call(&mut self, func: &str, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        self.store.call_export(self.caller, func, args)
    }

    fn host(&mut self) -> &mut Host {
        &mut self.store.host
    }
}
