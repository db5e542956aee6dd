//! Cases that mostly call the host, and are called back by it.
//!
//! What goes wrong between a module and its host is the crossing itself: a buffer whose address is passed on, a
//! result that comes back in the wrong register, a value that a call back has changed meanwhile, a tail call that has
//! left no frame to return to, a trap in the host that is not cleaned up after. So these modules import many functions
//! and globals, hand them places in memory that they have written before and read afterwards, compute with what they answer, and
//! reach them directly, through tables and by reference, in calls and in tail calls, from exported functions and from
//! chains of tail calls thousands deep. Everything is exported, so that a host that calls back finds other callers
//! of hosts. A module may stand between, which passes calls on from an instance with a memory of its own.
//!
//! What the host does is not decided here: see `crate::hosts`. Of the numbers it derives from, those are taken
//! under which some host calls back and some host writes memory.

mod body;
#[cfg(test)]
mod tests;

use super::Profile;
use super::linked::types::Ty;
use super::numbers::{NUMBERS, PAGE, Signature, encoded, number_type};
use super::plan;
use super::way::function_table;
use crate::case::{Action, Case, CaseModule, HeapKind, HostPlan, Limits, RefValue, Value};
use crate::draw::{Purpose, Stream, values};
use crate::features::Features;
use crate::hosts::{calls_back, writes};
use body::Body;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, EntityType, ExportKind, ExportSection,
    FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, Module,
    StartSection, TypeSection, ValType,
};

/// Name of the module that stands between, if there is one.
const BETWEEN: &str = "p";
/// Bytes of text at the start of every memory.
const TEXT_BYTES: usize = 192;
/// Slots of the table after those of the functions, which are empty at first.
const FREE_SLOTS: u32 = 4;
/// One in how many host calls traps, and how often that is.
const TRAP_ONE_IN: &[(u32, u32)] = &[(0, 6), (40, 3), (8, 2), (2, 1)];
/// How long chains of calls are, and how often.
const ROUNDS: &[(u32, u32)] = &[(1, 2), (3, 4), (12, 3), (70, 2)];
/// The same in a long case.
const MANY_ROUNDS: usize = 5_000;
/// Fuel of a long case.
const MUCH_FUEL: u64 = 120_000;

/// What a case has and has not.
struct Choices {
    floats: bool,
    multi_value: bool,
    bulk: bool,
    /// References as parameters and results, and writes to the table.
    references: bool,
    tail: bool,
    /// Calls by reference.
    typed: bool,
    /// Addresses are 64 bits wide.
    memory64: bool,
    /// A module stands between.
    between: bool,
    /// Its memory is the only one.
    one_memory: bool,
    /// Of a hundred dangerous operands, how many are left dangerous.
    wild: u32,
    /// Chains and loops are thousands of calls long.
    long: bool,
}

impl Choices {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Choices {
        let own = profile == Profile::Own;
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        Choices {
            floats: on(true, 80),
            multi_value: on(features.multi_value, 80),
            bulk: on(features.bulk_memory, 60),
            references: on(features.reference_types, 60),
            tail: on(features.tail_call, 85),
            typed: on(features.function_references && own, 60),
            memory64: on(features.memory64, 12),
            between: on(true, 30),
            one_memory: on(true, 40),
            wild: *stream.pick(&[0, 0, 3, 12]),
            long: stream.percent(2),
        }
    }

    fn number(&self, stream: &mut Stream) -> Ty {
        if self.floats { *stream.pick(&NUMBERS) } else { *stream.pick(&NUMBERS[..2]) }
    }

    /// A type of values that travel between module and host.
    fn any(&self, stream: &mut Stream) -> Ty {
        match stream.below(12) {
            0 if self.references => Ty::Extern,
            1 if self.references => Ty::Func,
            _ => self.number(stream),
        }
    }

    fn some(&self, low: usize, high: usize, stream: &mut Stream) -> Vec<Ty> {
        (0..stream.between(low, high)).map(|_| self.any(stream)).collect()
    }

    fn results(&self, stream: &mut Stream) -> Vec<Ty> {
        self.some(0, if self.multi_value { 3 } else { 1 }, stream)
    }

    fn address(&self) -> Ty {
        if self.memory64 { Ty::I64 } else { Ty::I32 }
    }

    /// How often something is done again, or how long a chain is.
    fn rounds(&self, stream: &mut Stream) -> u32 {
        if self.long && stream.percent(80) {
            return stream.between(MANY_ROUNDS / 4, MANY_ROUNDS) as u32;
        }
        stream.weighted(ROUNDS, |row| row.1).0
    }
}

/// A host function.
struct HostFunc {
    signature: Signature,
    /// Imported by way of the module between.
    by_way: bool,
}

/// What a function that a module defines is for.
#[derive(Clone, Copy)]
enum Role {
    /// Passes its arguments on to a host, and the host's results back.
    Passes { host: u32 },
    /// Does so after as many calls of itself as its first parameter says; the rest are the host's.
    CountsDown { host: u32 },
    /// A body with statements.
    Uses,
}

struct Func {
    signature: Signature,
    role: Role,
}

/// Everything that the modules of a case have in common.
struct Plan {
    choices: Choices,
    /// They come first in the index space.
    hosts: Vec<HostFunc>,
    /// Then functions of the module between.
    relays: Vec<Func>,
    /// Then those of the module itself.
    funcs: Vec<Func>,
    /// Globals of the host, which come first, and whether they are mutable.
    imported: Vec<(Ty, bool)>,
    /// The host function without parameters and results that instantiation calls.
    start: Option<u32>,
}

impl Plan {
    fn draw(choices: Choices, stream: &mut Stream) -> Plan {
        let mut hosts: Vec<HostFunc> = (0..stream.between(2, 6))
            .map(|_| HostFunc {
                signature: Signature {
                    params: host_params(&choices, stream),
                    results: choices.results(stream),
                },
                by_way: choices.between && stream.percent(40),
            })
            .collect();
        let start = stream.percent(12).then_some(hosts.len() as u32);
        if start.is_some() {
            hosts.push(HostFunc { signature: Signature::default(), by_way: false });
        }
        let relays = if choices.between { stream.between(1, 3) } else { 0 };
        let mut pick = |_| {
            let host = stream.below(hosts.len() as u64) as u32;
            Func { signature: hosts[host as usize].signature.clone(), role: Role::Passes { host } }
        };
        let relays = (0..relays).map(&mut pick).collect();
        let passing = (0..3).map(&mut pick);
        let mut funcs: Vec<Func> = passing.collect();
        for _ in 0..stream.between(1, 2) {
            let host = stream.below(hosts.len() as u64) as u32;
            let mut signature = hosts[host as usize].signature.clone();
            signature.params.insert(0, Ty::I32);
            funcs.push(Func { signature, role: Role::CountsDown { host } });
        }
        for _ in 0..stream.between(2, 4) {
            let mut params = choices.some(0, 3, stream);
            params.insert(stream.between(0, params.len()), Ty::I32);
            let results = match stream.percent(50) {
                // Those of a host, so that a tail call may be the end.
                true => stream.pick(&hosts).signature.results.clone(),
                false => choices.results(stream),
            };
            funcs.push(Func { signature: Signature { params, results }, role: Role::Uses });
        }
        let imported = (0..stream.below(5)).map(|_| (choices.number(stream), stream.percent(50))).collect();
        Plan { choices, hosts, relays, funcs, imported, start }
    }

    /// Every function, in the order of the index space.
    fn signatures(&self) -> impl Iterator<Item = &Signature> {
        let defined = self.relays.iter().chain(&self.funcs).map(|func| &func.signature);
        self.hosts.iter().map(|host| &host.signature).chain(defined)
    }

    fn signature(&self, func: u32) -> &Signature {
        self.signatures().nth(func as usize).expect("the function exists")
    }

    fn first_relay(&self) -> u32 {
        self.hosts.len() as u32
    }

    /// Index of the first function that the module itself defines.
    fn first_func(&self) -> u32 {
        (self.hosts.len() + self.relays.len()) as u32
    }

    /// The functions that bodies with statements may call: none of their own kind, so that calls end.
    fn callable(&self) -> u32 {
        let quiet = self.funcs.iter().filter(|func| !matches!(func.role, Role::Uses)).count();
        self.first_func() + quiet as u32
    }

    fn func_count(&self) -> u32 {
        self.first_func() + self.funcs.len() as u32
    }

    /// The global that everything is mixed into.
    fn sink(&self) -> u32 {
        self.imported.len() as u32
    }

    /// The first of four mutable globals, one a type.
    fn first_global(&self) -> u32 {
        self.sink() + 1
    }
}

/// Parameters of a host function: most often a place in memory comes first.
fn host_params(choices: &Choices, stream: &mut Stream) -> Vec<Ty> {
    let address = choices.address();
    match stream.below(8) {
        0 => vec![address],
        1..4 => vec![address, address],
        4 => {
            let mut params = vec![address, Ty::I32, address];
            params.extend(choices.some(0, 2, stream));
            params
        }
        5 => choices.some(5, 12, stream),
        _ => choices.some(0, 4, stream),
    }
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let choices = Choices::draw(features, profile, &mut stream);
    let plan = Plan::draw(choices, &mut stream);
    let mut modules = Vec::with_capacity(2);
    if plan.choices.between {
        modules.push(CaseModule { name: BETWEEN.to_owned(), wasm: between(&plan, &mut stream) });
    }
    let wasm = user(&plan, &mut stream);
    modules.push(CaseModule { name: plan::MODULE_NAME.to_owned(), wasm });
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (hosts, limits) = surroundings(&plan, &mut stream);
    let actions = actions(&plan, modules.len() as u32, &mut stream);
    Case { modules, hosts, actions, limits }
}

/// Hosts of which some do something, and limits.
fn surroundings(plan: &Plan, stream: &mut Stream) -> (HostPlan, Limits) {
    let (mut hosts, mut limits) = plan::surroundings(stream);
    hosts.trap_one_in = stream.weighted(TRAP_ONE_IN, |row| row.1).0;
    let imports = 0..plan.hosts.len() as u32;
    for _ in 0..6 {
        let some = |does: fn(HostPlan, u32) -> bool| imports.clone().any(|import| does(hosts, import));
        if some(calls_back) && some(writes) {
            break;
        }
        hosts.seed = stream.u64();
    }
    limits.table_elements = limits.table_elements.max(u64::from(plan.func_count() + FREE_SLOTS));
    limits.host_depth = *stream.pick(&[1, 2, 4, 4]);
    if plan.choices.long {
        limits.fuel = Some(MUCH_FUEL);
    }
    (hosts, limits)
}

fn actions(plan: &Plan, modules: u32, stream: &mut Stream) -> Vec<Action> {
    let mut actions: Vec<Action> = (0..modules).map(|module| Action::Instantiate { module }).collect();
    for _ in 0..stream.between(4, 9) {
        // Mostly functions of the module; now and then one of the host, called straight from outside.
        let func = if stream.percent(5) {
            stream.below(plan.hosts.len() as u64) as u32
        } else {
            plan.first_func() + stream.below(plan.funcs.len() as u64) as u32
        };
        let mut args: Vec<Value> =
            plan.signature(func).params.iter().map(|ty| argument(*ty, stream)).collect();
        let counts = func.checked_sub(plan.first_func()).map(|number| plan.funcs[number as usize].role);
        if let Some(Role::CountsDown { .. }) = counts {
            args[0] = Value::I32(plan.choices.rounds(stream));
        }
        actions.push(Action::Invoke { module: modules - 1, export: name(plan, func), args });
    }
    actions
}

fn argument(ty: Ty, stream: &mut Stream) -> Value {
    match ty {
        Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => values::value(number_type(ty), stream).expect("a number"),
        Ty::Extern => Value::Ref(RefValue::Extern(stream.below(4) as u32)),
        Ty::Func | Ty::Typed { .. } => Value::Ref(RefValue::Null(HeapKind::Func)),
    }
}

/// What a function is exported as.
fn name(plan: &Plan, func: u32) -> String {
    match func.checked_sub(plan.first_relay()) {
        None => format!("h{func}"),
        Some(relay) if func < plan.first_func() => format!("r{relay}"),
        Some(_) => format!("f{}", func - plan.first_func()),
    }
}

fn memory_type(plan: &Plan) -> MemoryType {
    MemoryType {
        minimum: 1,
        maximum: Some(2),
        memory64: plan.choices.memory64,
        shared: false,
        page_size_log2: None,
    }
}

fn memories(plan: &Plan) -> MemorySection {
    let mut memories = MemorySection::new();
    memories.memory(memory_type(plan));
    memories
}

/// Text that ends in zeros here and there, at the start of memory; and random bytes at its end.
fn data(plan: &Plan, stream: &mut Stream) -> DataSection {
    let mut text = [0; TEXT_BYTES];
    stream.fill(&mut text);
    text.iter_mut().for_each(|byte| *byte = if *byte < 16 { 0 } else { b'a' + *byte % 26 });
    let mut tail = [0; 32];
    stream.fill(&mut tail);
    let mut data = DataSection::new();
    for (at, bytes) in [(0, &text[..]), (PAGE - tail.len() as u64, &tail)] {
        let offset = match plan.choices.memory64 {
            true => ConstExpr::i64_const(at as i64),
            false => ConstExpr::i32_const(at as i32),
        };
        data.active(0, &offset, bytes.iter().copied());
    }
    data
}

fn types(plan: &Plan) -> TypeSection {
    let mut types = TypeSection::new();
    for Signature { params, results } in plan.signatures() {
        types.ty().function(encoded(params), encoded(results));
    }
    types
}

/// Exports of those functions, and of the first memory, for hosts to find.
fn exported(plan: &Plan, funcs: impl Iterator<Item = u32>) -> ExportSection {
    let mut exports = ExportSection::new();
    funcs.for_each(|func| {
        exports.export(&name(plan, func), ExportKind::Func, func);
    });
    exports.export("memory", ExportKind::Memory, 0);
    exports
}

/// The module that stands between: hosts again, and functions that pass on to them.
fn between(plan: &Plan, stream: &mut Stream) -> Vec<u8> {
    let mut imports = ImportSection::new();
    for host in 0..plan.first_relay() {
        imports.import("env", &name(plan, host), EntityType::Function(host));
    }
    let relays = plan.first_relay()..plan.first_func();
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for relay in relays.clone() {
        functions.function(relay);
        code.raw(&Body::write(plan, relay, stream));
    }
    let (tables, segments) = function_table(relays.end, FREE_SLOTS);
    let exports = exported(plan, 0..relays.end);
    let mut module = Module::new();
    module.section(&types(plan)).section(&imports).section(&functions).section(&tables);
    module.section(&memories(plan)).section(&exports).section(&segments).section(&code);
    module.section(&data(plan, stream));
    module.finish()
}

/// The module that is called.
fn user(plan: &Plan, stream: &mut Stream) -> Vec<u8> {
    let mut imports = ImportSection::new();
    for (number, host) in (0..).zip(&plan.hosts) {
        let from = if host.by_way { BETWEEN } else { "env" };
        imports.import(from, &name(plan, number), EntityType::Function(number));
    }
    for relay in plan.first_relay()..plan.first_func() {
        imports.import(BETWEEN, &name(plan, relay), EntityType::Function(relay));
    }
    for (number, (ty, mutable)) in plan.imported.iter().enumerate() {
        imports.import("env", &format!("g{number}"), global_type(*ty, *mutable));
    }
    let one_memory = plan.choices.between && plan.choices.one_memory;
    if one_memory {
        imports.import(BETWEEN, "memory", memory_type(plan));
    }
    let all = plan.func_count();
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for func in plan.first_func()..all {
        functions.function(func);
        code.raw(&Body::write(plan, func, stream));
    }
    let (tables, segments) = function_table(all, FREE_SLOTS);
    let mut exports = exported(plan, 0..all);
    for global in 0..plan.first_global() + NUMBERS.len() as u32 {
        exports.export(&format!("g{global}"), ExportKind::Global, global);
    }
    let mut module = Module::new();
    module.section(&types(plan)).section(&imports).section(&functions).section(&tables);
    if !one_memory {
        module.section(&memories(plan));
    }
    module.section(&globals(plan, stream)).section(&exports);
    if let Some(function_index) = plan.start {
        module.section(&StartSection { function_index });
    }
    module.section(&segments);
    if plan.choices.bulk {
        // `memory.init` wants to know before the code how many there are.
        module.section(&DataCountSection { count: 2 });
    }
    module.section(&code).section(&data(plan, stream));
    module.finish()
}

fn global_type(ty: Ty, mutable: bool) -> GlobalType {
    GlobalType { val_type: ty.encoded(&[]), mutable, shared: false }
}

/// The sink, and a global of each type that starts as one of the host's where there is one.
fn globals(plan: &Plan, stream: &mut Stream) -> GlobalSection {
    let mut globals = GlobalSection::new();
    globals.global(global_type(Ty::I64, true), &ConstExpr::i64_const(stream.u64() as i64));
    for ty in NUMBERS {
        let of_host = plan.imported.iter().position(|imported| *imported == (ty, false));
        let init = match (of_host, ty.encoded(&[])) {
            (Some(global), _) => ConstExpr::global_get(global as u32),
            (None, ValType::I32) => ConstExpr::i32_const(stream.u32() as i32),
            (None, ValType::F32) => ConstExpr::f32_const((stream.u32() as i32 as f32).into()),
            (None, ValType::F64) => ConstExpr::f64_const((stream.u64() as i64 as f64).into()),
            (None, _) => ConstExpr::i64_const(stream.u64() as i64),
        };
        globals.global(global_type(ty, true), &init);
    }
    globals
}
