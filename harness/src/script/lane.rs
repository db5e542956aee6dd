//! One mode's side of a script: its store, what the script has named so far, and its actions.

use super::Lane;
use super::report::PANICKED;
use super::spectest;
use super::value::{FuncName, References, TagName, Value, list};
use crate::case::HostPlan;
use crate::guard::guarded;
use crate::hosts::Host;
use crate::observe::{Capture, HostCalls};
use crate::subject::linked::{self, Hosted};
use crosscheck_engine::{
    DecodedModule, Engine, Error, Extern, ExternRef, ExternType, Func, Import, Instance, Module, Store, Tag,
    Trap, TypeRegistry, Val, ValType,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use wast::core::{AbstractHeapType, HeapType, WastArgCore};
use wast::token::Id;
use wast::{WastArg, WastInvoke};

/// Fuel for one action, where a lane counts it and the script does not say: more than any script uses.
const FUEL: u64 = 1 << 40;
/// Host calls that are noted for one action; a script that prints in a loop would fill memory.
const NOTED_CALLS: usize = 10_000;

/// Why something was not run, and the line of the cause.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Skip {
    pub line: u32,
    pub reason: Arc<str>,
}

/// What an action gave in one lane.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Results of a call, a global's value, or nothing.
    Values(Vec<Value>),
    Error(Error),
    Skipped(Skip),
    /// The script asks for what is not there; says nothing about the mode.
    Broken(String),
    /// The mode itself failed: a panic, or what ended its process.
    Died(String),
}

/// Something the script does, the same in every lane.
pub(super) enum Action<'a> {
    /// Instantiates a module.
    Module {
        module: &'a DecodedModule,
        becomes: Becomes<'a>,
    },
    /// Keeps a module under a name, or as the latest, without instantiating it.
    Definition {
        module: &'a DecodedModule,
        name: Option<&'a str>,
    },
    /// Instantiates a module that was kept.
    Instance {
        definition: Option<&'a str>,
        name: Option<&'a str>,
    },
    /// Offers a module's exports for import.
    Register {
        module: Option<&'a str>,
        under: &'a str,
    },
    Invoke(&'a WastInvoke<'a>),
    Get {
        module: Option<&'a str>,
        global: &'a str,
    },
    /// What the module would do cannot be done in any lane.
    Skip {
        skip: Skip,
        becomes: Becomes<'a>,
    },
    /// The module was refused.
    Refused {
        becomes: Becomes<'a>,
        message: &'a str,
    },
}

/// What an instance is to the rest of the script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes<'a> {
    /// The current module, and this name's.
    Current(Option<&'a str>),
    /// Nothing: an assertion is about the instantiation itself.
    Nothing,
    /// Nothing, because it must not even link.
    NeverLinked,
    /// A module that is kept, of this name.
    Definition(Option<&'a str>),
}

/// The host, and calls of its functions during one action.
#[derive(Default, Debug)]
pub(super) struct HostLog {
    calls: Vec<(&'static str, Box<[Val]>)>,
    total: u64,
    /// What behaves as a case's host does, in a script that asks for one.
    host: Option<Host>,
    /// Calls of that.
    answered: HostCalls,
}

impl Hosted for HostLog {
    fn host(&mut self) -> &mut Host {
        self.host.as_mut().expect("imports are only linked to a host where there is one")
    }
}

impl HostLog {
    /// A log with a host that behaves by that plan, if there is one.
    pub fn new(plan: Option<HostPlan>) -> HostLog {
        HostLog { host: plan.map(|plan| Host::new(plan, Capture::Digest)), ..HostLog::default() }
    }

    /// Forgets the calls; the host remembers how many there were.
    fn clear(&mut self) {
        *self = HostLog { host: self.host.take(), ..HostLog::default() };
    }

    /// Adds up what the host was called for.
    fn close(&mut self) {
        if let Some(host) = &mut self.host {
            self.answered = host.take_calls();
        }
    }

    /// Whether the host was called otherwise than another log's.
    pub fn is_asked_otherwise(&self, other: &HostLog) -> bool {
        self.answered != other.answered
    }

    /// Notes a call; its arguments are numbers.
    pub fn note(&mut self, name: &'static str, args: &[Val]) {
        self.total += 1;
        if self.calls.len() < NOTED_CALLS {
            self.calls.push((name, args.into()));
        }
    }

    /// How many calls there were, noted or not.
    pub fn total(&self) -> u64 {
        self.total + self.answered.count
    }

    /// The position of the first call that differs from another log's.
    pub fn first_difference(&self, other: &HostLog) -> Option<usize> {
        let shorter = self.calls.len().min(other.calls.len());
        let differs = |at: &usize| self.calls.get(*at) != other.calls.get(*at);
        (0..shorter + 1).find(differs).or((self.total != other.total).then_some(NOTED_CALLS))
    }
}

/// A name of the script, or its current module.
#[derive(Clone)]
enum Named<T> {
    Live(T),
    Skipped(Skip),
    /// It failed on this line.
    Failed(u32),
}

impl<T: Clone> Named<T> {
    fn get(&self) -> Result<T, Outcome> {
        match self {
            Named::Live(item) => Ok(item.clone()),
            Named::Skipped(skip) => Err(Outcome::Skipped(skip.clone())),
            Named::Failed(line) => {
                Err(Outcome::Broken(format!("this needs the module of line {line}, which failed")))
            }
        }
    }

    fn of(result: &Result<T, Outcome>, line: u32) -> Named<T> {
        match result {
            Ok(item) => Named::Live(item.clone()),
            Err(Outcome::Skipped(skip)) => Named::Skipped(skip.clone()),
            Err(Outcome::Error(error)) => match refused_here(error) {
                Some(reason) => Named::Skipped(Skip { line, reason: reason.into() }),
                None => Named::Failed(line),
            },
            Err(Outcome::Values(_) | Outcome::Broken(_) | Outcome::Died(_)) => Named::Failed(line),
        }
    }
}

/// One lane while a script runs.
pub(super) struct LaneState {
    pub name: String,
    pub engine: Engine,
    /// Fuel for each action.
    fuel: u64,
    /// Whether what no module offers is the host's.
    has_host: bool,
    pub store: Store<HostLog>,
    /// The directive that made each instance of the store, half-made ones included.
    pub directives: Vec<u32>,
    /// Set once a module was skipped that shares state with others: what they show from now on may
    /// differ from what the script expects for that reason alone.
    pub clouded: Option<Skip>,
    /// Set once the mode has panicked: its store is no longer to be trusted.
    pub dead: Option<Skip>,
    /// Set once its state was found to differ, which is reported once.
    pub is_apart: bool,
    /// The instance that the latest action was about.
    pub touched: Option<Instance>,
    spectest: HashMap<&'static str, Extern>,
    objects: HashMap<u32, ExternRef>,
    instances: HashMap<String, Named<Instance>>,
    current: Option<Named<Instance>>,
    definitions: HashMap<String, Named<Module>>,
    latest_definition: Option<Named<Module>>,
    registered: HashMap<String, Named<Instance>>,
}

impl LaneState {
    /// A lane before the script's first directive. The engine is made from the lane's configuration.
    pub fn new(lane: &Lane, engine: Engine, fuel: Option<u64>, hosts: Option<HostPlan>) -> LaneState {
        let mut store = Store::new(&engine, HostLog::new(hosts));
        let spectest = spectest::define(&mut store);
        LaneState {
            name: lane.name.clone(),
            engine,
            fuel: fuel.unwrap_or(FUEL),
            has_host: hosts.is_some(),
            store,
            directives: Vec::new(),
            clouded: None,
            dead: None,
            is_apart: false,
            touched: None,
            spectest,
            objects: HashMap::new(),
            instances: HashMap::new(),
            current: None,
            definitions: HashMap::new(),
            latest_definition: None,
            registered: HashMap::new(),
        }
    }

    /// Does what directive number `directive`, on this line, asks for. Never panics: a panic of the
    /// mode is an outcome, after which the lane is dead.
    pub fn perform(&mut self, action: &Action<'_>, directive: u32, line: u32) -> Outcome {
        if let Some(dead) = &self.dead {
            return Outcome::Skipped(dead.clone());
        }
        self.touched = None;
        self.store.data_mut().clear();
        self.store.set_fuel(self.fuel);
        let outcome = guarded(|| {
            let outcome = self.act(action, line);
            self.directives.resize(Instance::all(&self.store).len(), directive);
            self.store.data_mut().close();
            outcome
        });
        match outcome {
            Ok(Ok(values)) => Outcome::Values(values),
            // A mode that finds out late that it cannot execute something has not failed.
            Ok(Err(Outcome::Error(Error::Unsupported(reason)))) => {
                Outcome::Skipped(Skip { line, reason: reason.into() })
            }
            Ok(Err(outcome)) => outcome,
            Err(panic) => {
                self.dead = Some(Skip { line, reason: format!("{} panicked here", self.name).into() });
                Outcome::Died(format!("{PANICKED}: {panic}"))
            }
        }
    }

    /// Ends the lane on this line, where it is known to die of that.
    pub fn die(&mut self, message: &str, line: u32) -> Outcome {
        if let Some(dead) = &self.dead {
            return Outcome::Skipped(dead.clone());
        }
        self.dead = Some(Skip { line, reason: format!("{} died here", self.name).into() });
        Outcome::Died(message.to_string())
    }

    /// Fuel that the latest action used, if the lane counts it.
    pub fn fuel_used(&self) -> Option<u64> {
        self.engine.settings().fuel.then(|| self.fuel - self.store.fuel())
    }

    fn act(&mut self, action: &Action<'_>, line: u32) -> Result<Vec<Value>, Outcome> {
        match action {
            Action::Module { module, becomes } => {
                let prepared = self.prepare(module, line);
                self.cloud(&prepared, module, *becomes);
                if let Becomes::Current(Some(name)) = becomes {
                    self.definitions.insert(name.to_string(), Named::of(&prepared, line));
                }
                let instance = prepared.and_then(|module| self.instantiate(&module));
                self.bind(&instance, *becomes, line);
                instance.map(|_| Vec::new())
            }
            Action::Definition { module, name } => {
                let prepared = self.prepare(module, line);
                self.cloud(&prepared, module, Becomes::Definition(*name));
                self.keep(Named::of(&prepared, line), *name);
                prepared.map(|_| Vec::new())
            }
            Action::Instance { definition, name } => {
                let module = self.definition(*definition).and_then(|module| module.get());
                let instance = module.and_then(|module| self.instantiate(&module));
                self.bind(&instance, Becomes::Current(*name), line);
                instance.map(|_| Vec::new())
            }
            Action::Register { module, under } => {
                let named = self.named(*module)?;
                self.registered.insert(under.to_string(), named.clone());
                named.get().map(|_| Vec::new())
            }
            Action::Invoke(invoke) => self.invoke(invoke, line),
            Action::Get { module, global } => {
                let instance = self.instance(*module)?;
                let global = match instance.export(&self.store, global) {
                    Some(Extern::Global(global)) => global,
                    Some(_) | None => return broken(format!("no global is exported as \"{global}\"")),
                };
                Ok(vec![self.value(global.get(&self.store))])
            }
            Action::Skip { skip, becomes } => {
                if *becomes != Becomes::NeverLinked {
                    // Nothing is known of the module, so it may share anything.
                    self.clouded.get_or_insert_with(|| skip.clone());
                }
                self.bind(&Err(Outcome::Skipped(skip.clone())), *becomes, line);
                Err(Outcome::Skipped(skip.clone()))
            }
            Action::Refused { becomes, message } => {
                let outcome = Outcome::Broken(format!("the module was refused: {message}"));
                self.bind(&Err(outcome.clone()), *becomes, line);
                Err(outcome)
            }
        }
    }

    fn prepare(&self, module: &DecodedModule, line: u32) -> Result<Module, Outcome> {
        module.prepare(&self.engine).map_err(|error| match error {
            Error::Unsupported(reason) => Outcome::Skipped(Skip { line, reason: reason.into() }),
            other => Outcome::Error(other),
        })
    }

    /// A skipped module that would have shared state with others clouds what they show.
    fn cloud(&mut self, prepared: &Result<Module, Outcome>, module: &DecodedModule, becomes: Becomes<'_>) {
        if let Err(Outcome::Skipped(skip)) = prepared
            && becomes != Becomes::NeverLinked
            && module.imports().iter().any(shares_state)
        {
            self.clouded.get_or_insert_with(|| skip.clone());
        }
    }

    fn instantiate(&mut self, module: &Module) -> Result<Instance, Outcome> {
        // By position, not by name: a host gives two imports of one name two things.
        let mut items = Vec::with_capacity(module.imports().len());
        for (import, number) in module.imports().iter().zip(0..) {
            let unknown = || Error::Link(format!("unknown import {}.{}", import.module, import.name));
            items.push(self.import(import, number)?.ok_or_else(unknown).map_err(Outcome::Error)?);
        }
        let instance = Instance::new(&mut self.store, module, &items).map_err(Outcome::Error)?;
        self.touched = Some(instance);
        Ok(instance)
    }

    /// What import number `number` of a module is satisfied with; nothing if it is not offered.
    fn import(&mut self, import: &Import, number: u32) -> Result<Option<Extern>, Outcome> {
        match self.registered.get(&import.module) {
            Some(named) => Ok(named.get()?.export(&self.store, &import.name)),
            None if import.module == spectest::NAME => Ok(self.spectest.get(&*import.name).copied()),
            None if self.has_host => {
                let item = linked::import(&mut self.store, &self.engine, import, number);
                item.map(Some).map_err(Outcome::Error)
            }
            None => Ok(None),
        }
    }

    fn bind(&mut self, instance: &Result<Instance, Outcome>, becomes: Becomes<'_>, line: u32) {
        match becomes {
            Becomes::Current(name) => {
                let named = Named::of(instance, line);
                if let Some(name) = name {
                    self.instances.insert(name.to_string(), named.clone());
                }
                self.current = Some(named);
            }
            Becomes::Nothing | Becomes::NeverLinked => {}
            Becomes::Definition(name) => {
                let named = match instance {
                    Ok(_) => unreachable!("a module that is only kept has no instance"),
                    Err(outcome) => Named::of(&Err(outcome.clone()), line),
                };
                self.keep(named, name);
            }
        }
    }

    fn keep(&mut self, module: Named<Module>, name: Option<&str>) {
        if let Some(name) = name {
            self.definitions.insert(name.to_string(), module.clone());
        }
        self.latest_definition = Some(module);
    }

    fn definition(&self, name: Option<&str>) -> Result<&Named<Module>, Outcome> {
        match name {
            Some(name) => self.definitions.get(name).ok_or_else(|| no_module(name)),
            None => self.latest_definition.as_ref().ok_or_else(no_module_yet),
        }
    }

    fn named(&self, name: Option<&str>) -> Result<Named<Instance>, Outcome> {
        match name {
            Some(name) => self.instances.get(name).cloned().ok_or_else(|| no_module(name)),
            None => self.current.clone().ok_or_else(no_module_yet),
        }
    }

    fn instance(&mut self, name: Option<&str>) -> Result<Instance, Outcome> {
        let instance = self.named(name)?.get()?;
        self.touched = Some(instance);
        Ok(instance)
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>, line: u32) -> Result<Vec<Value>, Outcome> {
        let instance = self.instance(id(invoke.module))?;
        let Some(func) = instance.func(&self.store, invoke.name) else {
            return broken(format!("no function is exported as \"{}\"", invoke.name));
        };
        let ty = func.ty(&self.store);
        let args = invoke.args.iter().enumerate();
        let args = args.map(|(position, arg)| self.argument(arg, ty.params().get(position).copied(), line));
        let args: Vec<Val> = args.collect::<Result<_, _>>()?;
        // Overwritten by the call, whatever they are.
        let mut results = vec![Val::I32(0); ty.results().len()];
        func.call(&mut self.store, &args, &mut results).map_err(Outcome::Error)?;
        Ok(results.into_iter().map(|value| self.value(value)).collect())
    }

    fn argument(&mut self, arg: &WastArg<'_>, wanted: Option<ValType>, line: u32) -> Result<Val, Outcome> {
        let skip = |reason: &str| Err(Outcome::Skipped(Skip { line, reason: reason.into() }));
        let WastArg::Core(arg) = arg else {
            return skip("components are not run (component-model)");
        };
        Ok(match arg {
            WastArgCore::I32(value) => Val::I32(*value),
            WastArgCore::I64(value) => Val::I64(*value),
            WastArgCore::F32(value) => Val::F32(value.bits),
            WastArgCore::F64(value) => Val::F64(value.bits),
            WastArgCore::V128(value) => Val::V128(u128::from_le_bytes(value.to_le_bytes())),
            WastArgCore::RefNull(heap) => match null(heap, wanted, self.store.engine().types()) {
                Some(null) => null,
                None => return skip("no mode executes continuations (stack-switching) yet"),
            },
            WastArgCore::RefExtern(number) => Val::ExternRef(Some(self.object(*number))),
            WastArgCore::RefHost(_) => {
                return skip("host objects as internal references (gc) cannot be passed yet");
            }
        })
    }

    /// The host object of a number: the same one each time.
    fn object(&mut self, number: u32) -> ExternRef {
        *self.objects.entry(number).or_insert_with(|| ExternRef::new(&mut self.store, number))
    }

    /// A tag of this lane's store as one that all lanes share.
    pub fn tag(&self, tag: Tag) -> TagName {
        TagName::new(tag.identity(&self.store), &self.directives)
    }

    /// A value of this lane's store as one that all lanes share.
    pub fn value(&self, value: Val) -> Value {
        Value::new(value, self)
    }
}

impl References for LaneState {
    fn func(&self, func: Func) -> FuncName {
        FuncName::new(func.identity(&self.store), &self.directives)
    }

    fn object(&self, object: ExternRef) -> Option<u32> {
        object.data(&self.store).downcast_ref().copied()
    }
}

/// The name that an identifier stands for.
pub(super) fn id<'a>(id: Option<Id<'a>>) -> Option<&'a str> {
    id.map(|id| id.name())
}

/// Why an error says nothing about a mode: it is a size that the specification allows and this bench does not (appendix
/// "Implementation Limitations"), or the operating system's.
pub(super) fn refused_here(error: &Error) -> Option<String> {
    match error {
        Error::Limit(message) => Some(format!("limit: {message}; header lines of a script raise limits")),
        Error::Resources(message) => Some(format!("no resources: {message}")),
        Error::Trap(_)
        | Error::Exception(_)
        | Error::Link(_)
        | Error::Usage(_)
        | Error::Invalid { .. }
        | Error::Unsupported(_) => None,
    }
}

/// Whether what is imported is shared with the module that exports it, so that using it can be seen there.
fn shares_state(import: &Import) -> bool {
    match import.ty {
        ExternType::Func(_) => import.module != spectest::NAME,
        ExternType::Table(_) | ExternType::Memory(_) => true,
        ExternType::Global(ty) => ty.mutable,
        ExternType::Tag(_) => false,
    }
}

/// The null of a type that a script names; `None` if no value of this engine is that.
fn null(heap: &HeapType<'_>, wanted: Option<ValType>, types: &TypeRegistry) -> Option<Val> {
    use AbstractHeapType as A;
    match heap {
        HeapType::Abstract { ty, .. } => match ty {
            A::Func | A::NoFunc => Some(Val::FuncRef(None)),
            A::Extern | A::NoExtern => Some(Val::ExternRef(None)),
            A::Any | A::Eq | A::Struct | A::Array | A::I31 | A::None => Some(Val::Any(None)),
            A::Exn | A::NoExn => Some(Val::Exn(None)),
            A::Cont | A::NoCont => None,
        },
        // What the index stands for is only known to the module; its parameter says as much.
        HeapType::Concrete(_) | HeapType::Exact(_) => wanted.and_then(|ty| Val::default_of(ty, types)),
    }
}

fn broken<T>(message: String) -> Result<T, Outcome> {
    Err(Outcome::Broken(message))
}

fn no_module(name: &str) -> Outcome {
    Outcome::Broken(format!("no module is called ${name}"))
}

fn no_module_yet() -> Outcome {
    Outcome::Broken("there is no module yet".to_string())
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Values(values) => f.write_str(&list(values)),
            Outcome::Error(Error::Trap(trap)) => write_trap(f, trap),
            Outcome::Error(Error::Exception(exception)) => write!(f, "{exception}"),
            Outcome::Error(Error::Link(message)) => write!(f, "link error: {message}"),
            Outcome::Error(Error::Usage(message)) => write!(f, "usage error: {message}"),
            Outcome::Error(Error::Invalid { offset, message }) => {
                write!(f, "invalid at {offset:#x}: {message}")
            }
            Outcome::Error(Error::Unsupported(message)) => write!(f, "unsupported: {message}"),
            Outcome::Error(Error::Limit(message)) => write!(f, "limit: {message}"),
            Outcome::Error(Error::Resources(message)) => write!(f, "out of resources: {message}"),
            Outcome::Skipped(skip) => write!(f, "skipped: {}", skip.reason),
            Outcome::Broken(message) => f.write_str(message),
            Outcome::Died(message) => f.write_str(message),
        }
    }
}

fn write_trap(f: &mut fmt::Formatter<'_>, trap: &Trap) -> fmt::Result {
    write!(f, "trap: {trap}")?;
    match trap.site() {
        Some(site) => write!(f, " at {site:#x}"),
        None => Ok(()),
    }
}
