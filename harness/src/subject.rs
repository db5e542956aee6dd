//! Whatever the harness can run a case on: a lane of our engine, or an outside engine.
//!
//! A subject turns a case into an observation and judges nothing. What it cannot promise stands in its
//! capability row, which `compare` reads and reports print.

pub mod access;
mod bounded;
#[cfg(unix)]
pub(crate) mod command;
pub mod embedding;
pub mod engines;
mod exports;
mod lane;
pub mod liar;
#[cfg(unix)]
mod library;
pub(crate) mod linked;
mod model;
mod origins;
mod pipe;
pub mod probe;
mod provider;
mod surface;
mod trace;
mod trap_text;
mod v8;
#[cfg(feature = "wasmi")]
mod wasmi;
#[cfg(feature = "wasmtime")]
mod wasmtime;

use crate::case::{Action, Case};
use crate::features::Features;
use crate::guard::guarded;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crosscheck_engine::{DecodedModule, Engine, Error, Module, TrapKind};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

#[cfg(feature = "wasmi")]
pub use self::wasmi::WasmiSubject;
#[cfg(feature = "wasmtime")]
pub use self::wasmtime::WasmtimeSubject;
#[cfg(unix)]
pub use command::CommandSubject;
pub(crate) use lane::Recorded;
pub use lane::{Lane, LaneSubject, Switch};
#[cfg(unix)]
pub use library::LibrarySubject;
pub use linked::define as define_named_hosts;
pub use model::{MODEL, ModelSubject};
pub use pipe::PipeSubject;
pub use trace::{Seen, Trace};
pub use v8::{TIERS as V8_TIERS, Tier as V8Tier, V8Subject};

/// What of an observation a subject vouches for. What two subjects do not both vouch for is not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Fuel left, and where it runs out.
    pub fuel: bool,
    /// The call depth at which the stack is exhausted.
    pub depth: bool,
    /// The instruction a trap happened at.
    pub trap_sites: bool,
    /// The calls a trap happened through.
    pub backtraces: bool,
    /// The bits of NaN results.
    pub nan_bits: bool,
    /// Entities that are not exported, table elements and dropped segments.
    pub internal_state: bool,
    /// The identity of functions in results and host arguments, and of the tags of exceptions.
    pub function_identity: bool,
    /// Which trap an index beyond a table's end is: `call_indirect`'s own or that of all other accesses.
    pub undefined_elements: bool,
    /// Whether what `call_indirect` finds is null, or of another type.
    pub unfit_callees: bool,
    /// Whether a float that no integer can hold is a NaN, or too large.
    pub unfit_floats: bool,
    /// Which trap a null is: that of a function, a structure, an array or another reference.
    pub null_kinds: bool,
    /// Exported globals, tables and memories.
    pub exported_state: bool,
    /// All actions of a case. Else an observation may end early.
    pub to_the_end: bool,
}

impl Capabilities {
    /// Everything: the deterministic contract.
    pub const ALL: Capabilities = Capabilities {
        fuel: true,
        depth: true,
        trap_sites: true,
        backtraces: true,
        nan_bits: true,
        internal_state: true,
        function_identity: true,
        undefined_elements: true,
        unfit_callees: true,
        unfit_floats: true,
        null_kinds: true,
        exported_state: true,
        to_the_end: true,
    };

    /// Nothing but how actions end, and what hosts are called with. What an engine can do beyond that is added.
    pub const NONE: Capabilities = Capabilities {
        fuel: false,
        depth: false,
        trap_sites: false,
        backtraces: false,
        nan_bits: false,
        internal_state: false,
        function_identity: false,
        undefined_elements: false,
        unfit_callees: false,
        unfit_floats: false,
        null_kinds: false,
        exported_state: false,
        to_the_end: false,
    };

    /// What both vouch for.
    pub fn and(self, other: Capabilities) -> Capabilities {
        Capabilities {
            fuel: self.fuel && other.fuel,
            depth: self.depth && other.depth,
            trap_sites: self.trap_sites && other.trap_sites,
            backtraces: self.backtraces && other.backtraces,
            nan_bits: self.nan_bits && other.nan_bits,
            internal_state: self.internal_state && other.internal_state,
            function_identity: self.function_identity && other.function_identity,
            undefined_elements: self.undefined_elements && other.undefined_elements,
            unfit_callees: self.unfit_callees && other.unfit_callees,
            unfit_floats: self.unfit_floats && other.unfit_floats,
            null_kinds: self.null_kinds && other.null_kinds,
            exported_state: self.exported_state && other.exported_state,
            to_the_end: self.to_the_end && other.to_the_end,
        }
    }

    /// Each of them by its name.
    pub fn rows(&mut self) -> [(&'static str, &mut bool); 13] {
        let Capabilities {
            fuel,
            depth,
            trap_sites,
            backtraces,
            nan_bits,
            internal_state,
            function_identity,
            undefined_elements,
            unfit_callees,
            unfit_floats,
            null_kinds,
            exported_state,
            to_the_end,
        } = self;
        [
            ("fuel", fuel),
            ("depth", depth),
            ("trap_sites", trap_sites),
            ("backtraces", backtraces),
            ("nan_bits", nan_bits),
            ("internal_state", internal_state),
            ("function_identity", function_identity),
            ("undefined_elements", undefined_elements),
            ("unfit_callees", unfit_callees),
            ("unfit_floats", unfit_floats),
            ("null_kinds", null_kinds),
            ("exported_state", exported_state),
            ("to_the_end", to_the_end),
        ]
    }

    /// The smallest share of generated cases that a subject of such capabilities is compared on if all is well, in
    /// percent. Those that go to the end are compared on 87 to 89 % (the rest runs out of something in its first call),
    /// the `wasm-interp` of wabt 1.0.32 by command on 77 %: an engine with fewer proposals, or with words for traps that
    /// are not understood, on less.
    fn least_judged(self) -> f64 {
        if self.to_the_end { 80.0 } else { 50.0 }
    }

    /// What is left out, in words.
    pub fn left_out(self) -> Vec<&'static str> {
        let rows = [
            (self.fuel, "fuel"),
            (self.depth, "depth"),
            (self.trap_sites, "trap sites"),
            (self.backtraces, "backtraces"),
            (self.nan_bits, "NaN bits"),
            (self.internal_state, "internal state"),
            (self.function_identity, "function identity"),
            (self.undefined_elements, "undefined elements"),
            (self.unfit_callees, "unfit callees"),
            (self.unfit_floats, "unfit floats"),
            (self.null_kinds, "kinds of null"),
            (self.exported_state, "exported state"),
            (self.to_the_end, "what follows a trap or a host call"),
        ];
        rows.into_iter().filter(|(has, _)| !has).map(|(_, what)| what).collect()
    }
}

/// A case with its modules decoded once for all of our lanes.
pub struct Prepared<'a> {
    /// The case.
    pub case: &'a Case,
    /// The engine whose siblings may prepare the modules.
    pub engine: Engine,
    /// The modules; what is wrong with the invalid ones.
    pub modules: Vec<Result<DecodedModule, Error>>,
}

impl<'a> Prepared<'a> {
    /// Decodes and validates the modules of a case.
    pub fn new(case: &'a Case) -> Prepared<'a> {
        let mode = crosscheck_engine::Mode::all().next().expect("there is a mode");
        let engine = Engine::new(&crosscheck_engine::Config::new(mode));
        let modules =
            case.modules.iter().map(|module| Module::decode(&engine, module.wasm.as_slice())).collect();
        Prepared { case, engine, modules }
    }

    /// What is wrong with the first invalid module, and which it is.
    pub fn invalid(&self) -> Option<(usize, &Error)> {
        self.modules.iter().enumerate().find_map(|(index, module)| Some((index, module.as_ref().err()?)))
    }
}

/// Whatever can run a case.
pub trait Subject: Send + Sync {
    /// What people call it: a lane's name, or an engine's.
    fn name(&self) -> &str;

    /// What [`named`] makes it from again, in another process too; its name, where that is enough.
    fn definition(&self) -> &str {
        self.name()
    }

    /// Which release it is, for reports, if that is not this program's.
    fn version(&self) -> Option<&str> {
        None
    }

    /// What it vouches for.
    fn capabilities(&self) -> Capabilities;

    /// What it executes, of what generators know. What goes beyond shows as [`Outcome::Unsupported`].
    fn features(&self) -> Features {
        Features::all()
    }

    /// The smallest share of generated cases that it is compared on if all is well, in percent.
    fn least_judged(&self) -> f64 {
        self.capabilities().least_judged()
    }

    /// Whether it ends even a case that never ends; if not, it is spared what ran out of fuel elsewhere.
    fn ends_by_itself(&self) -> bool {
        self.capabilities().fuel
    }

    /// Whether it is another engine than ours.
    fn is_outside(&self) -> bool {
        true
    }

    /// Runs a case, all of whose modules are valid; tells `watch` as it goes.
    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation;

    /// Whether it finds bytes to be a valid module.
    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        let _ = wasm;
        Acceptance::Unknown("the engine cannot be asked whether a module is valid".into())
    }

    /// Lets its own runner of scripts run one, if it has any: how many processes that takes is its affair.
    fn run_script(&self, script: &str) -> Option<ScriptRun> {
        let _ = script;
        None
    }
}

/// What an engine's own runner of scripts says of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScriptRun {
    /// All of its assertions hold.
    Passed,
    /// Not all of them do, or the runner failed: what it says.
    Failed(String),
    /// It was not run: why.
    NotRun(String),
}

/// What a subject says of bytes that may be a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acceptance {
    /// They are a valid module.
    Valid,
    /// They are not: why.
    Refused(String),
    /// It does not know everything that they use, or cannot be asked: the reason.
    Unknown(String),
    /// It fails over them.
    Failed(Outcome),
}

impl Acceptance {
    /// A refusal by an engine that executes these features, if it says something about the module.
    pub fn refused(wasm: &[u8], features: WasmFeatures, message: String) -> Acceptance {
        match is_judged_within(wasm, features) {
            true => Acceptance::Refused(message),
            false => {
                Acceptance::Unknown(format!("the module needs what the engine does not execute: {message}"))
            }
        }
    }
}

/// Whether a refusal by an engine that knows these features says something about a module: it is refused in the same way with
/// every proposal known.
pub fn is_judged_within(wasm: &[u8], features: WasmFeatures) -> bool {
    let error = |features| Validator::new_with_features(features).validate_all(wasm).err();
    let said = |error: BinaryReaderError| (error.offset(), error.message().to_string());
    error(WasmFeatures::all()).is_some_and(|all| error(features).map(said) == Some(said(all)))
}

/// Hears how far a subject has come, so that it is known if the subject never comes back.
pub trait Watch {
    /// The subject of that number has its turn.
    fn turn(&mut self, subject: usize) {
        let _ = subject;
    }

    /// The action of that number begins.
    fn begins(&mut self, action: usize);

    /// The action that began has ended.
    fn ended(&mut self, observed: &ActionObservation);
}

/// What the actions of a case show, each performed by `perform` on `run`, while `watch` is told. The observation ends after
/// an action of which `is_last` says so, and after a panic: nothing of what panicked can be trusted, not even its
/// destructors.
fn observe_actions<R>(
    mut run: R,
    case: &Case,
    watch: &mut dyn Watch,
    perform: impl Fn(&mut R, &Action) -> ActionObservation,
    is_last: impl Fn(&Outcome) -> bool,
) -> Observation {
    let mut actions = Vec::with_capacity(case.actions.len());
    for (number, action) in case.actions.iter().enumerate() {
        watch.begins(number);
        match guarded(|| perform(&mut run, action)) {
            Ok(observed) => {
                watch.ended(&observed);
                let is_last = is_last(&observed.outcome);
                actions.push(observed);
                if is_last {
                    break;
                }
            }
            Err(message) => {
                actions.push(ActionObservation::panicked(&message));
                std::mem::forget(run);
                break;
            }
        }
    }
    Observation { actions }
}

/// No watch: a subject that never comes back takes this process with it.
pub struct Unwatched;

impl Watch for Unwatched {
    fn begins(&mut self, _: usize) {}
    fn ended(&mut self, _: &ActionObservation) {}
}

/// What subjects showed on a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A module of the case is invalid, so no subject was asked.
    Invalid,
    /// An entry a subject; none for those that were spared.
    Observed(Vec<Option<Observation>>),
}

/// How many actions of a case a subject is asked for, of which the reference showed this; none if it is spared the
/// case. Who counts no fuel runs for ever where the reference ran out of it, and perhaps where the reference did not live
/// to tell. An outside engine that counts no depth either may take an age where the reference ran out of stack; it
/// is asked for what comes before, as far as there is to be compared.
pub fn asked_for(case: &Case, subject: &dyn Subject, reference: Option<&Observation>) -> Option<usize> {
    let all = case.actions.len();
    let counts_depth = subject.capabilities().depth;
    let endless = |action: &ActionObservation| match &action.outcome {
        Outcome::Trap(trap) => match trap.kind {
            TrapKind::OutOfFuel => true,
            TrapKind::CallStackExhausted => !counts_depth,
            _ => false,
        },
        other => other.failure().is_some(),
    };
    let first = reference.and_then(|reference| reference.actions.iter().position(endless));
    match first {
        Some(first) if !subject.ends_by_itself() => (subject.is_outside() && first > 0).then_some(first),
        Some(_) | None => Some(all),
    }
}

/// The case without its last actions, if there are more than that.
pub fn first_actions(case: &Case, count: usize) -> Cow<'_, Case> {
    if count >= case.actions.len() {
        return Cow::Borrowed(case);
    }
    let mut shorter = case.clone();
    shorter.actions.truncate(count);
    Cow::Owned(shorter)
}

/// Lets subjects run a case one after the other, the reference first.
///
/// Where the modules cannot even be decoded without a panic, everybody fails: they all stand on the decoder.
pub fn observe_all(case: &Case, subjects: &[&dyn Subject], capture: Capture, watch: &mut dyn Watch) -> Shown {
    match guarded(|| Prepared::new(case)) {
        Ok(prepared) => observe_prepared(&prepared, subjects, capture, watch),
        Err(message) => {
            let failed = Observation { actions: vec![ActionObservation::panicked(&message)] };
            Shown::Observed(vec![Some(failed); subjects.len()])
        }
    }
}

fn observe_prepared(
    prepared: &Prepared<'_>,
    subjects: &[&dyn Subject],
    capture: Capture,
    watch: &mut dyn Watch,
) -> Shown {
    if prepared.invalid().is_some() {
        return Shown::Invalid;
    }
    let mut observed: Vec<Option<Observation>> = Vec::with_capacity(subjects.len());
    for (number, subject) in subjects.iter().enumerate() {
        let reference = observed.first().and_then(Option::as_ref);
        let Some(count) = asked_for(prepared.case, *subject, reference) else {
            observed.push(None);
            continue;
        };
        watch.turn(number);
        observed.push(Some(match first_actions(prepared.case, count) {
            Cow::Borrowed(_) => subject.observe(prepared, capture, watch),
            Cow::Owned(case) => {
                let (engine, modules) = (prepared.engine.clone(), prepared.modules.clone());
                subject.observe(&Prepared { case: &case, engine, modules }, capture, watch)
            }
        }));
    }
    Shown::Observed(observed)
}

/// The subject of that name: a lane, an outside engine, or the engine of a command (`LABEL=COMMAND`). Fails with what
/// there is instead, or what the engine lacks.
pub fn named(name: &str) -> Result<Arc<dyn Subject>, String> {
    if let Some(liar) = liar::Liar::parse(name) {
        return liar;
    }
    if let Some(outside) = outside().find(|outside| outside.name == name) {
        let make = outside.subject.ok_or_else(|| format!("this build has no {name}; {}", outside.needs))?;
        return make();
    }
    if let Some((label, what)) = name.split_once('=') {
        is_free(label)?;
        #[cfg(unix)]
        if let Some(library) = LibrarySubject::parse(name) {
            return Ok(Arc::new(library?));
        }
        if let Some(pipe) = PipeSubject::parse(name) {
            return Ok(Arc::new(pipe?));
        }
        #[cfg(unix)]
        return Ok(Arc::new(CommandSubject::new(label, what)?));
        #[cfg(not(unix))]
        return Err("this platform has no commands".to_string());
    }
    #[cfg(unix)]
    if command::presets().iter().any(|preset| preset.name == name) {
        return Ok(Arc::new(CommandSubject::of_preset(name)?));
    }
    Ok(LaneSubject::shared(name.parse()?))
}

/// Whether an engine of the user's may be called so. Fails with who is already.
fn is_free(label: &str) -> Result<(), String> {
    if label.is_empty() || label.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("expected LABEL=COMMAND, with a label without spaces".to_string());
    }
    if label.parse::<Lane>().is_ok() {
        return Err(format!("`{label}` is a mode of this program; another label is needed"));
    }
    if outside().any(|outside| outside.name == label) {
        return Err(format!("`{label}` is another engine's name here; another label is needed"));
    }
    Ok(())
}

/// Ends what subjects of this process leave outside of it: processes and files of commands. To be called last.
pub(crate) fn put_away() {
    #[cfg(unix)]
    command::end();
}

/// A case and the subjects that are to run it.
#[derive(Clone)]
pub struct Task {
    /// The case.
    pub case: Case,
    /// The subjects, the reference first.
    pub subjects: Vec<Arc<dyn Subject>>,
}

/// Definitions of subjects by their names, where the name alone does not say what the subject is.
pub type Definitions = BTreeMap<String, String>;

/// The definitions of those subjects that are not found by their names.
pub fn definitions<'a>(subjects: impl IntoIterator<Item = &'a Arc<dyn Subject>>) -> Definitions {
    let defined = subjects.into_iter().filter(|subject| subject.definition() != subject.name());
    defined.map(|subject| (subject.name().to_string(), subject.definition().to_string())).collect()
}

/// Which releases outside engines are, for scripts that leave this machine: a line each. No command and no path.
pub fn releases<'a>(subjects: impl IntoIterator<Item = &'a Arc<dyn Subject>>) -> Vec<String> {
    let released = |subject: &Arc<dyn Subject>| Some(format!("{} is {}", subject.name(), subject.version()?));
    subjects.into_iter().filter(|subject| subject.is_outside()).filter_map(released).collect()
}

/// The subject that has that name in a record, by its definition if the record has one. Fails as [`named`] does.
pub fn recorded(name: &str, definitions: &Definitions) -> Result<Arc<dyn Subject>, String> {
    named(definitions.get(name).map_or(name, String::as_str))
}

/// Whether a subject of that name is an outside engine: it is not a lane.
pub fn is_outside(name: &str) -> bool {
    name.parse::<Lane>().is_err()
}

/// Makes a subject; fails with what is not there.
type Make = fn() -> Result<Arc<dyn Subject>, String>;

/// An outside engine that is known by a name; without a subject if this build leaves it out.
#[derive(Clone, Copy)]
pub struct Outside {
    /// What people call it.
    pub name: &'static str,
    /// What it takes to have it, as advice.
    pub needs: &'static str,
    /// Makes the subject; fails if what it stands on is not there.
    subject: Option<Make>,
}

impl Outside {
    /// An engine that is there: what [`cli::main_with`](crate::cli::main_with) takes.
    pub const fn new(name: &'static str, make: Make) -> Outside {
        Outside { name, needs: "", subject: Some(make) }
    }

    /// Whether this build has it.
    pub fn is_built_in(&self) -> bool {
        self.subject.is_some()
    }
}

/// Engines that a program brings along.
static OWN: OnceLock<Vec<Outside>> = OnceLock::new();

/// Adds engines to the outside ones, once, before any is asked for.
pub(crate) fn add_outside(engines: Vec<Outside>) {
    assert!(OWN.set(engines).is_ok(), "engines are added once");
}

/// The outside engines.
pub fn outside() -> impl Iterator<Item = &'static Outside> {
    OUTSIDE.iter().chain(OWN.get().into_iter().flatten())
}

/// What V8 takes.
const V8_NEEDS: &str = "needs `node` in PATH";

/// The names that outside engines are found by: those of [`outside`], then the command lines that are known.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    #[cfg(unix)]
    let presets = command::presets().iter().map(|preset| preset.name);
    #[cfg(not(unix))]
    let presets = std::iter::empty();
    outside().map(|outside| outside.name).chain(presets)
}

/// Whether an outside engine is found by that name.
pub(crate) fn is_known(name: &str) -> bool {
    known().any(|known| known == name)
}

/// The outside engines that the harness knows.
static OUTSIDE: [Outside; 7] = [
    Outside { name: MODEL, needs: "", subject: Some(|| Ok(ModelSubject::shared())) },
    Outside {
        name: "wasmi",
        needs: "build with `--features wasmi`",
        #[cfg(feature = "wasmi")]
        subject: Some(|| Ok(Arc::new(WasmiSubject))),
        #[cfg(not(feature = "wasmi"))]
        subject: None,
    },
    Outside {
        name: "wasmtime",
        needs: "build with `--features wasmtime`",
        #[cfg(feature = "wasmtime")]
        subject: Some(|| Ok(Arc::new(WasmtimeSubject::cranelift()))),
        #[cfg(not(feature = "wasmtime"))]
        subject: None,
    },
    Outside {
        name: "wasmtime-winch",
        needs: "build with `--features wasmtime`",
        #[cfg(feature = "wasmtime")]
        subject: Some(|| Ok(Arc::new(WasmtimeSubject::winch()))),
        #[cfg(not(feature = "wasmtime"))]
        subject: None,
    },
    Outside { name: "v8", needs: V8_NEEDS, subject: Some(|| V8Subject::shared(v8::TIERS[0])) },
    Outside { name: "v8-liftoff", needs: V8_NEEDS, subject: Some(|| V8Subject::shared(v8::TIERS[1])) },
    Outside { name: "v8-turbofan", needs: V8_NEEDS, subject: Some(|| V8Subject::shared(v8::TIERS[2])) },
];
