//! A script as questions to outside engines: cases whose actions are its directives, and modules to be refused.
//!
//! An engine gets as many cases as a script has stretches, modules that import from one another: what dies in one of
//! them loses nothing of the others. In a case an instance is imported by its number, for a script may register several
//! under one name; `spectest` is a module like any other, made of what a stretch uses of it. What is found out here
//! already, or cannot be asked of any engine, is a step without a question, with the reason.

use super::build::{Built, decode, encode};
use super::expect::Expectation;
use super::lane::{Skip, id};
use super::linking::{self, SPECTEST};
use super::read::Part;
use super::settings::Settings;
use super::text::Lines;
use crate::case::{Action, Case, CaseModule, HeapKind, RefValue, Value};
use crosscheck_engine::{DecodedModule, Engine, ExternType};
use std::collections::{BTreeSet, HashMap};
use wast::core::{AbstractHeapType, HeapType, WastArgCore};
use wast::{QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// A directive, and what is asked about it.
pub(super) struct Step<'a> {
    /// Where it starts.
    pub line: u32,
    /// Whether it asserts something.
    pub is_assertion: bool,
    /// What is asked.
    pub ask: Ask,
    /// What must come of it.
    pub expected: Expected<'a>,
}

/// What is asked of an engine.
pub(super) enum Ask {
    /// To do something with an instance.
    Act { instance: usize, act: Act },
    /// Whether bytes are a valid module.
    IsValid(Vec<u8>),
    /// Nothing, and why.
    Nothing(Skip),
    /// Nothing, because the directive only gives names.
    Naming,
}

/// What is done with an instance.
pub(super) enum Act {
    Instantiate,
    Invoke { export: String, args: Vec<Value> },
    Read { export: String },
}

/// What a script expects, as [`Expectation`], with what it owns.
pub(super) enum Expected<'a> {
    Success,
    Results(Vec<WastRet<'a>>),
    Trap(&'a str),
    Unlinkable(&'a str),
    Exception,
    Suspension,
    /// That the module is refused.
    Refusal(&'a str),
}

impl Expected<'_> {
    /// What an action must come to; none for what is no action.
    pub fn of_action(&self) -> Option<Expectation<'_>> {
        Some(match self {
            Expected::Success => Expectation::Success,
            Expected::Results(results) => Expectation::Results(results),
            Expected::Trap(text) => Expectation::Trap(text),
            Expected::Unlinkable(text) => Expectation::Unlinkable(text),
            Expected::Exception => Expectation::Exception,
            Expected::Suspension => Expectation::Suspension,
            Expected::Refusal(_) => return None,
        })
    }
}

/// An instance of a module of the script.
struct Instance {
    wasm: Vec<u8>,
    exports: HashMap<String, ExternType>,
    /// Instances it imports from.
    links: Vec<usize>,
    /// What it imports from `spectest`.
    spectest: BTreeSet<String>,
}

/// Modules that share something, and the steps about them, in the order of the script.
pub(super) struct Stretch {
    instances: Vec<usize>,
    pub steps: Vec<usize>,
}

/// All that there is to ask about a script.
pub(super) struct Questions<'a> {
    /// Every directive.
    pub steps: Vec<Step<'a>>,
    /// Which of them are asked together.
    pub stretches: Vec<Stretch>,
    instances: Vec<Instance>,
    settings: Settings,
}

impl<'a> Questions<'a> {
    /// The questions that the directives of a script are.
    pub fn of(parts: Vec<Part<'a>>, lines: &Lines, settings: Settings, engine: &Engine) -> Questions<'a> {
        let mut asking = Asking {
            engine,
            line: 0,
            steps: Vec::with_capacity(parts.len()),
            instances: Vec::new(),
            named: HashMap::new(),
            current: None,
            definitions: HashMap::new(),
            latest_definition: None,
            registered: HashMap::new(),
            has_host: settings.hosts.is_some(),
        };
        for part in parts {
            asking.line = lines.line(part.span());
            asking.part(part);
        }
        let stretches = stretches(&asking.steps, &asking.instances);
        Questions { steps: asking.steps, stretches, instances: asking.instances, settings }
    }

    /// Instances that an instance is linked to, directly.
    pub fn links(&self, instance: usize) -> &[usize] {
        &self.instances[instance].links
    }

    /// A case of some steps of a stretch, and how many actions come before the first of them.
    pub fn case(&self, stretch: &Stretch, steps: &[usize]) -> (Case, usize) {
        let instances = stretch.instances.iter();
        let used: BTreeSet<&str> =
            instances.flat_map(|instance| &self.instances[*instance].spectest).map(String::as_str).collect();
        let mut modules = Vec::with_capacity(stretch.instances.len() + 1);
        let mut actions = Vec::with_capacity(steps.len() + 1);
        if !used.is_empty() {
            modules.push(CaseModule { name: SPECTEST.into(), wasm: linking::spectest(&used) });
            actions.push(Action::Instantiate { module: 0 });
        }
        let before = actions.len();
        modules.extend(stretch.instances.iter().map(|instance| CaseModule {
            name: linking::name(*instance),
            wasm: self.instances[*instance].wasm.clone(),
        }));
        for step in steps {
            let Ask::Act { instance, act } = &self.steps[*step].ask else { continue };
            let place = stretch.instances.iter().position(|other| other == instance);
            let module = (place.expect("a step is about an instance of its stretch") + before) as u32;
            actions.push(match act {
                Act::Instantiate => Action::Instantiate { module },
                Act::Invoke { export, args } => {
                    Action::Invoke { module, export: export.clone(), args: args.clone() }
                }
                Act::Read { export } => Action::Read { module, export: export.clone() },
            });
        }
        let (hosts, limits) = (self.settings.case_hosts(), self.settings.case_limits());
        (Case { modules, hosts, actions, limits }, before)
    }
}

/// Instances that share state, or may, belong together.
fn stretches(steps: &[Step<'_>], instances: &[Instance]) -> Vec<Stretch> {
    let mut leaders: Vec<usize> = (0..instances.len()).collect();
    fn leader(leaders: &[usize], mut of: usize) -> usize {
        while leaders[of] != of {
            of = leaders[of];
        }
        of
    }
    let mut join = |a: usize, b: usize| {
        let (a, b) = (leader(&leaders, a), leader(&leaders, b));
        leaders[a.max(b)] = a.min(b);
    };
    let mut shares_host = None;
    for (number, instance) in instances.iter().enumerate() {
        instance.links.iter().for_each(|link| join(number, *link));
        if instance.spectest.iter().any(|name| linking::is_mutable(name)) {
            join(*shares_host.get_or_insert(number), number);
        }
    }
    let mut stretches: Vec<(usize, Stretch)> = Vec::new();
    for number in 0..instances.len() {
        let first = leader(&leaders, number);
        match stretches.iter_mut().find(|(leader, _)| *leader == first) {
            Some((_, stretch)) => stretch.instances.push(number),
            None => stretches.push((first, Stretch { instances: vec![number], steps: Vec::new() })),
        }
    }
    for (number, step) in steps.iter().enumerate() {
        let Ask::Act { instance, .. } = step.ask else { continue };
        let first = leader(&leaders, instance);
        let (_, stretch) = stretches.iter_mut().find(|(leader, _)| *leader == first).expect("made above");
        stretch.steps.push(number);
    }
    stretches.into_iter().map(|(_, stretch)| stretch).collect()
}

/// A thing that the script has named, or why it is not there.
type Named<T> = Result<T, Skip>;

/// What is known while the directives are gone through.
struct Asking<'a, 'e> {
    engine: &'e Engine,
    line: u32,
    steps: Vec<Step<'a>>,
    instances: Vec<Instance>,
    named: HashMap<String, Named<usize>>,
    current: Option<Named<usize>>,
    definitions: HashMap<String, Named<Vec<u8>>>,
    latest_definition: Option<Named<Vec<u8>>>,
    registered: HashMap<String, Named<usize>>,
    /// Whether a host provides what no module does.
    has_host: bool,
}

impl<'a> Asking<'a, '_> {
    fn part(&mut self, part: Part<'a>) {
        let directive = match part {
            Part::Directive(directive) => *directive,
            Part::Unread(unread) => {
                let skip = self.skip(unread.reason());
                if !unread.is_assertion() {
                    self.bind(Err(skip.clone()), unread.name.as_deref());
                }
                return self.push(unread.is_assertion(), Ask::Nothing(skip), Expected::Success);
            }
        };
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name();
                let bytes = self.encode(&mut module);
                self.definition(bytes.clone(), id(name));
                let instance = bytes.and_then(|bytes| self.instance(bytes));
                self.bind(instance.clone(), id(name));
                self.instantiate(false, instance, Expected::Success);
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name();
                let bytes = self.encode(&mut module);
                self.definition(bytes, id(name));
                self.push(false, Ask::Naming, Expected::Success);
            }
            WastDirective::ModuleInstance { instance: name, module, .. } => {
                let known = match id(module) {
                    Some(module) => self.definitions.get(module).cloned(),
                    None => self.latest_definition.clone(),
                };
                let bytes = known.unwrap_or_else(|| Err(self.skip("the script has no such module")));
                let instance = bytes.and_then(|bytes| self.instance(bytes));
                self.bind(instance.clone(), id(name));
                self.instantiate(false, instance, Expected::Success);
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.named(id(module));
                self.registered.insert(name.to_string(), instance);
                self.push(false, Ask::Naming, Expected::Success);
            }
            WastDirective::Invoke(invoke) => self.invoke(false, &invoke, Expected::Success),
            WastDirective::AssertReturn { exec, results, .. } => {
                self.execute(exec, Expected::Results(results));
            }
            WastDirective::AssertTrap { exec, message, .. } => self.execute(exec, Expected::Trap(message)),
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.invoke(true, &call, Expected::Trap(message));
            }
            WastDirective::AssertException { exec, .. } => self.execute(exec, Expected::Exception),
            WastDirective::AssertSuspension { exec, .. } => self.execute(exec, Expected::Suspension),
            WastDirective::AssertUnlinkable { module, message, .. } => {
                self.execute(WastExecute::Wat(module), Expected::Unlinkable(message));
            }
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. } => self.refusal(module, message),
            WastDirective::AssertInvalidCustom { message, .. }
            | WastDirective::AssertMalformedCustom { message, .. } => {
                let skip = self.skip("engines need not look at custom sections");
                self.push(true, Ask::Nothing(skip), Expected::Refusal(message));
            }
            WastDirective::Thread(thread) => {
                let skip = self.skip("scripts with several threads are not run (threads)");
                let assertions = super::run::inside(&thread);
                for is_assertion in std::iter::repeat_n(true, assertions as usize).chain([false]) {
                    self.push(is_assertion, Ask::Nothing(skip.clone()), Expected::Success);
                }
            }
            WastDirective::Wait { .. } => self.push(false, Ask::Naming, Expected::Success),
        }
    }

    fn execute(&mut self, exec: WastExecute<'a>, expected: Expected<'a>) {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(true, &invoke, expected),
            WastExecute::Wat(module) => {
                let bytes = self.encode(&mut QuoteWat::Wat(module));
                let instance = bytes.and_then(|bytes| self.instance(bytes));
                self.instantiate(true, instance, expected);
            }
            WastExecute::Get { module, global, .. } => {
                let is_global = |ty: &ExternType| matches!(ty, ExternType::Global(_));
                let instance = self.exporter(id(module), global, is_global);
                let act = Act::Read { export: global.to_string() };
                self.act(true, instance, act, expected);
            }
        }
    }

    fn invoke(&mut self, is_assertion: bool, invoke: &WastInvoke<'_>, expected: Expected<'a>) {
        let is_func = |ty: &ExternType| matches!(ty, ExternType::Func(_));
        let instance = self.exporter(id(invoke.module), invoke.name, is_func);
        let args: Option<Vec<Value>> = invoke.args.iter().map(argument).collect();
        match args {
            Some(args) => {
                self.act(
                    is_assertion,
                    instance,
                    Act::Invoke { export: invoke.name.to_string(), args },
                    expected,
                );
            }
            None => {
                let skip = self.skip("no engine is given such an argument from outside");
                self.push(is_assertion, Ask::Nothing(skip), expected);
            }
        }
    }

    fn refusal(&mut self, mut module: QuoteWat<'a>, wanted: &'a str) {
        let ask = match encode(&mut module) {
            Ok(bytes) => Ask::IsValid(bytes),
            Err(Built::Skipped(reason)) => Ask::Nothing(self.skip(reason)),
            Err(Built::Refused(_) | Built::Panicked(_) | Built::Module(_)) => {
                Ask::Nothing(self.skip("malformed text is no engine's business"))
            }
        };
        self.push(true, ask, Expected::Refusal(wanted));
    }

    fn instantiate(&mut self, is_assertion: bool, instance: Named<usize>, expected: Expected<'a>) {
        self.act(is_assertion, instance, Act::Instantiate, expected);
    }

    fn act(&mut self, is_assertion: bool, instance: Named<usize>, act: Act, expected: Expected<'a>) {
        let ask = match instance {
            Ok(instance) => Ask::Act { instance, act },
            Err(skip) => Ask::Nothing(skip),
        };
        self.push(is_assertion, ask, expected);
    }

    fn push(&mut self, is_assertion: bool, ask: Ask, expected: Expected<'a>) {
        self.steps.push(Step { line: self.line, is_assertion, ask, expected });
    }

    fn skip(&self, reason: impl Into<String>) -> Skip {
        Skip { line: self.line, reason: reason.into().into() }
    }

    fn encode(&self, module: &mut QuoteWat<'_>) -> Named<Vec<u8>> {
        encode(module).map_err(|built| self.skip(why_not(built)))
    }

    fn definition(&mut self, bytes: Named<Vec<u8>>, name: Option<&str>) {
        if let Some(name) = name {
            self.definitions.insert(name.to_string(), bytes.clone());
        }
        self.latest_definition = Some(bytes);
    }

    fn bind(&mut self, instance: Named<usize>, name: Option<&str>) {
        if let Some(name) = name {
            self.named.insert(name.to_string(), instance.clone());
        }
        self.current = Some(instance);
    }

    fn named(&self, name: Option<&str>) -> Named<usize> {
        let known = match name {
            Some(name) => self.named.get(name),
            None => self.current.as_ref(),
        };
        known.cloned().unwrap_or_else(|| Err(self.skip("the script has no such module")))
    }

    /// The instance that a directive is about, if it exports what is asked for.
    fn exporter(&self, module: Option<&str>, name: &str, fits: impl Fn(&ExternType) -> bool) -> Named<usize> {
        let instance = self.named(module)?;
        match self.instances[instance].exports.get(name) {
            Some(ty) if fits(ty) => Ok(instance),
            Some(_) | None => Err(self.skip("the module exports nothing like that")),
        }
    }

    /// An instance of a module, linked to what is registered now.
    fn instance(&mut self, bytes: Vec<u8>) -> Named<usize> {
        let module = match decode(self.engine, bytes.as_slice().into()) {
            Built::Module(module) => module,
            other => return Err(self.skip(why_not(other))),
        };
        let (mut links, mut spectest, mut sources) = (Vec::new(), BTreeSet::new(), Vec::new());
        for import in module.imports() {
            let missing = || self.skip("an import is missing, which is found before any engine is asked");
            sources.push(match self.registered.get(&import.module) {
                Some(instance) => {
                    let instance = instance.clone()?;
                    if !self.instances[instance].exports.contains_key(&import.name) {
                        return Err(missing());
                    }
                    links.push(instance);
                    Some(linking::name(instance))
                }
                None if import.module == SPECTEST && linking::has(&import.name) => {
                    spectest.insert(import.name.clone());
                    None
                }
                None if self.has_host && import.module != SPECTEST => None,
                None => return Err(missing()),
            });
        }
        let wasm = linking::relinked(bytes, &sources).map_err(|message| self.skip(message))?;
        let exports = exports(&module);
        self.instances.push(Instance { wasm, exports, links, spectest });
        Ok(self.instances.len() - 1)
    }
}

fn exports(module: &DecodedModule) -> HashMap<String, ExternType> {
    module.exports().map(|(name, ty)| (name.to_string(), ty)).collect()
}

/// Why there is no module to ask about.
fn why_not(built: Built) -> String {
    match built {
        Built::Module(_) => unreachable!("there is a module"),
        Built::Refused(message) => format!("the module is refused before any engine is asked: {message}"),
        Built::Skipped(reason) => format!("the module is not decoded before engines are asked: {reason}"),
        Built::Panicked(message) => format!("decoding panicked: {message}"),
    }
}

/// A value as a case has it; none if it cannot be passed from outside.
fn argument(arg: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(value) => Value::I32(*value as u32),
        WastArgCore::I64(value) => Value::I64(*value as u64),
        WastArgCore::F32(value) => Value::F32(value.bits),
        WastArgCore::F64(value) => Value::F64(value.bits),
        WastArgCore::V128(value) => Value::V128(u128::from_le_bytes(value.to_le_bytes())),
        WastArgCore::RefNull(heap) => Value::Ref(RefValue::Null(heap_kind(heap)?)),
        WastArgCore::RefExtern(number) => Value::Ref(RefValue::Extern(*number)),
        WastArgCore::RefHost(_) => return None,
    })
}

fn heap_kind(heap: &HeapType<'_>) -> Option<HeapKind> {
    use AbstractHeapType as A;
    let HeapType::Abstract { ty, .. } = heap else { return None };
    Some(match ty {
        A::Func => HeapKind::Func,
        A::NoFunc => HeapKind::NoFunc,
        A::Extern => HeapKind::Extern,
        A::NoExtern => HeapKind::NoExtern,
        A::Any => HeapKind::Any,
        A::Eq => HeapKind::Eq,
        A::Struct => HeapKind::Struct,
        A::Array => HeapKind::Array,
        A::I31 => HeapKind::I31,
        A::None => HeapKind::None,
        A::Exn => HeapKind::Exn,
        A::NoExn => HeapKind::NoExn,
        A::Cont | A::NoCont => return None,
    })
}
