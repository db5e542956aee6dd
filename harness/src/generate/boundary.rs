//! Cases about the corners that simple compilers cut: registers, moves, addresses, immediates and flags.
//!
//! A compiler that looks at one instruction at a time goes wrong where it must remember something from one to the next:
//! which half of a register is clean, which register a local is in after a call, what the flags still say, which of
//! several moves must come first, where memory is after another function has grown it. Random programs rarely
//! put two such things side by side. So this generator writes *exercises* ([`exercise`]), a few in a function: an
//! operator on operands at the borders; an access whose address and offset end at the last byte, or just do
//! not; many values carried through blocks, loops and tables of branches; locals that change places; more values
//! than there are registers, with an instruction in the middle that wants certain ones; growth in a callee, and
//! calls of every kind with more parameters than travel in registers. The operands ([`operand`]) come from wherever
//! values come from: constants, parameters, locals, memory, globals, calls, blocks, below a call on the stack.
//!
//! Everything computed is seen: mixed into the sink, stored, returned or passed on. Callees may stand in a module of
//! their own that owns memory and globals, so that calls cross instances. Which faults engines have is not known
//! here; which instructions have corners is.

mod exercise;
mod operand;
mod sweep;
#[cfg(test)]
mod tests;

use super::Profile;
use super::linked::operators::Operator;
use super::linked::types::Ty;
use super::numbers::{
    self, NUMBERS, PAGE, Signature, distance, encoded, global_type, globals, number_type, sink_and,
};
use super::plan;
use super::way::function_table;
use crate::case::{Action, Case, CaseModule};
use crate::draw::{Purpose, Stream, values};
use crate::features::Features;
use crosscheck_engine::opcode::Proposal;
use exercise::Body;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, MemArg, MemArgTarget, MemorySection, MemoryType, Module, TypeSection,
};

/// Name of the module that owns memory and globals, if that is another one.
const PROVIDER: &str = "p";
/// The global that everything is mixed into.
const SINK: u32 = 0;
/// The first of four globals, one a type.
const GLOBALS: u32 = 1;
/// A function that exercises may call.
#[derive(Clone)]
struct Callee {
    signature: Signature,
    /// Whether it grows the memory.
    grows: bool,
}

/// What a case has and has not.
struct Choices {
    floats: bool,
    multi_value: bool,
    tail: bool,
    references: bool,
    sign_extension: bool,
    saturating: bool,
    /// Addresses are 64 bits wide.
    memory64: bool,
    /// Exercises use the second of two memories, too.
    two_memories: bool,
    /// NaN bits that the specification leaves open are compared.
    nan_bits: bool,
    /// Callees, memories and globals belong to another module.
    provider: bool,
    /// That module's memories are in another order here, or it keeps its only one to itself.
    other_memories: bool,
    /// Of a hundred dangerous operands, how many are left dangerous.
    wild: u32,
}

impl Choices {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Choices {
        let own = profile == Profile::Own;
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        Choices {
            floats: on(true, 85),
            multi_value: on(features.multi_value, 85),
            tail: on(features.tail_call, 80),
            references: on(features.function_references && own, 60),
            sign_extension: on(features.sign_extension, 80),
            saturating: on(features.saturating_conversions, 80),
            memory64: on(features.memory64, 12),
            two_memories: on(features.multi_memory, 15),
            nan_bits: own,
            provider: on(true, 30),
            other_memories: on(true, 40),
            wild: *stream.pick(&[0, 5, 15, 40]),
        }
    }

    fn number(&self, stream: &mut Stream) -> Ty {
        if self.floats { *stream.pick(&NUMBERS) } else { *stream.pick(&NUMBERS[..2]) }
    }

    fn numbers(&self, low: usize, high: usize, stream: &mut Stream) -> Vec<Ty> {
        (0..stream.between(low, high)).map(|_| self.number(stream)).collect()
    }

    /// Whether the case may use an operator.
    fn allows(&self, operator: &Operator) -> bool {
        let proposal = match operator.proposal {
            Proposal::SignExtensionOps => self.sign_extension,
            Proposal::NontrappingFloatToInt => self.saturating,
            other => other == Proposal::Mvp,
        };
        let is_float = |ty: &Ty| matches!(ty, Ty::F32 | Ty::F64);
        proposal
            && (self.nan_bits || !operator.new_nans)
            && (self.floats || !operator.operands.iter().any(is_float))
    }
}

/// Everything that the modules of a case have in common.
struct Plan {
    choices: Choices,
    /// Host functions, which come first in the index space.
    hosts: Vec<Signature>,
    /// Then functions that compute little and end soon: the first four give back their only parameter, a type each.
    callees: Vec<Callee>,
    /// Then the functions with the exercises.
    exercises: Vec<Signature>,
    /// Pages to which memories may grow.
    maximum: u64,
}

impl Plan {
    fn draw(choices: Choices, stream: &mut Stream) -> Plan {
        let hosts = (0..stream.below(3))
            .map(|_| Signature {
                params: choices.numbers(0, 9, stream),
                results: choices.numbers(0, 1, stream),
            })
            .collect();
        let same = NUMBERS.iter().map(|ty| Signature { params: vec![*ty], results: vec![*ty] });
        let mut callees: Vec<Callee> =
            same.map(|signature| Callee { signature, grows: stream.percent(30) }).collect();
        for _ in 0..stream.between(2, 4) {
            // Up to more than travels in registers, of either kind.
            let params = choices.numbers(1, *stream.pick(&[4, 9, 20]), stream);
            let most = if choices.multi_value { 4 } else { 1 };
            let signature = Signature { params, results: choices.numbers(0, most, stream) };
            callees.push(Callee { signature, grows: stream.percent(30) });
        }
        let exercises = (0..stream.between(2, 5))
            .map(|_| {
                let mut params = choices.numbers(0, 5, stream);
                params.insert(stream.between(0, params.len()), Ty::I32);
                let results = if choices.tail && stream.percent(40) {
                    // Those of a callee, so that a tail call may be the end.
                    stream.pick(&callees).signature.results.clone()
                } else {
                    choices.numbers(0, if choices.multi_value { 3 } else { 1 }, stream)
                };
                Signature { params, results }
            })
            .collect();
        let maximum = stream.between(1, 4) as u64;
        Plan { choices, hosts, callees, exercises, maximum }
    }

    /// Every function, in the order of the index space.
    fn signatures(&self) -> impl Iterator<Item = &Signature> + Clone {
        let callees = self.callees.iter().map(|callee| &callee.signature);
        self.hosts.iter().chain(callees).chain(&self.exercises)
    }

    /// Index of the first callee.
    fn first_callee(&self) -> u32 {
        self.hosts.len() as u32
    }

    /// Index of the first function with exercises.
    fn first_exercise(&self) -> u32 {
        (self.hosts.len() + self.callees.len()) as u32
    }

    fn memories(&self) -> u32 {
        if self.choices.two_memories { 2 } else { 1 }
    }
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let choices = Choices::draw(features, profile, &mut stream);
    let plan = Plan::draw(choices, &mut stream);
    let callees: Vec<Function> =
        (0..plan.callees.len()).map(|number| callee_body(&plan, number, &mut stream)).collect();
    let mut blocks = Vec::new();
    let exercises: Vec<Function> = (0..plan.exercises.len())
        .map(|number| Body::write(&plan, number, &mut blocks, &mut stream))
        .collect();
    let mut modules = Vec::new();
    if plan.choices.provider {
        modules.push(CaseModule { name: PROVIDER.to_owned(), wasm: provider(&plan, &callees, &mut stream) });
    }
    modules.push(CaseModule {
        name: plan::MODULE_NAME.to_owned(),
        wasm: user(&plan, &callees, &exercises, &blocks, &mut stream),
    });
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (hosts, mut limits) = plan::surroundings(&mut stream);
    limits.table_elements = limits.table_elements.max(plan.signatures().count() as u64);
    let mut actions: Vec<Action> =
        (0..modules.len() as u32).map(|module| Action::Instantiate { module }).collect();
    let module = modules.len() as u32 - 1;
    for _ in 0..stream.between(4, 9) {
        let number = stream.below(plan.exercises.len() as u64) as usize;
        let params = plan.exercises[number].params.iter();
        let args = params.map(|ty| values::value(number_type(*ty), &mut stream).expect("a number"));
        let args = args.collect();
        actions.push(Action::Invoke { module, export: format!("e{number}"), args });
    }
    Case { modules, hosts, actions, limits }
}

/// A callee looks at all its parameters, may grow the memory, and gives some of them back.
fn callee_body(plan: &Plan, number: usize, stream: &mut Stream) -> Function {
    let Callee { signature, grows } = &plan.callees[number];
    let mut function = Function::new([]);
    let mut op = function.instructions();
    // Leaves a mark in whatever memory is its first.
    let place = stream.below(1 << 10);
    if plan.choices.memory64 {
        op.i64_const(place as i64)
    } else {
        op.i32_const(place as i32)
    };
    op.global_get(SINK).i64_store(MemArg {
        offset: 0,
        align: 0,
        target: MemArgTarget::Memory(0),
        ordering: None,
    });
    for (local, ty) in (0u32..).zip(&signature.params) {
        op.local_get(local);
        numbers::mix(*ty, SINK, distance(stream), &mut op);
    }
    if *grows {
        if plan.choices.memory64 {
            op.i64_const(1).memory_grow(0);
            numbers::mix(Ty::I64, SINK, 5, &mut op);
        } else {
            op.i32_const(1).memory_grow(0);
            numbers::mix(Ty::I32, SINK, 5, &mut op);
        }
    }
    for ty in &signature.results {
        let same = (0u32..).zip(&signature.params).filter(|(_, param)| *param == ty);
        let same: Vec<u32> = same.map(|(local, _)| local).collect();
        if same.is_empty() {
            numbers::constant(*ty, stream, &mut op);
        } else {
            op.local_get(*stream.pick(&same));
        }
    }
    op.end();
    function
}

fn memory_type(plan: &Plan) -> MemoryType {
    MemoryType {
        minimum: 1,
        maximum: Some(plan.maximum),
        memory64: plan.choices.memory64,
        shared: false,
        page_size_log2: None,
    }
}

fn types(plan: &Plan, blocks: &[Signature]) -> TypeSection {
    let mut types = TypeSection::new();
    for Signature { params, results } in plan.signatures().chain(blocks) {
        types.ty().function(encoded(params), encoded(results));
    }
    types
}

fn memories(plan: &Plan) -> MemorySection {
    let mut memories = MemorySection::new();
    (0..plan.memories()).for_each(|_| {
        memories.memory(memory_type(plan));
    });
    memories
}

/// Random bytes at both ends of the first page.
fn data(plan: &Plan, stream: &mut Stream) -> DataSection {
    let mut data = DataSection::new();
    for offset in [0, PAGE - 64] {
        let mut bytes = [0; 64];
        stream.fill(&mut bytes);
        let at = offset as i64;
        let offset =
            if plan.choices.memory64 { ConstExpr::i64_const(at) } else { ConstExpr::i32_const(at as i32) };
        data.active(0, &offset, bytes);
    }
    data
}

fn export_shared(plan: &Plan, exports: &mut ExportSection) {
    for memory in 0..plan.memories() {
        exports.export(&format!("m{memory}"), ExportKind::Memory, memory);
    }
    for (global, _) in (0..).zip(sink_and(NUMBERS.len()).map(global_type)) {
        exports.export(&format!("g{global}"), ExportKind::Global, global);
    }
}

fn callee_indices(plan: &Plan) -> impl Iterator<Item = (String, u32)> {
    (0..plan.callees.len()).zip(plan.first_callee()..).map(|(number, index)| (format!("c{number}"), index))
}

/// The module of the callees. It imports the hosts only to have the same index space.
fn provider(plan: &Plan, callees: &[Function], stream: &mut Stream) -> Vec<u8> {
    let mut imports = ImportSection::new();
    import_hosts(plan, &mut imports);
    let mut functions = FunctionSection::new();
    callee_indices(plan).for_each(|(_, index)| {
        functions.function(index);
    });
    let mut exports = ExportSection::new();
    callee_indices(plan).for_each(|(name, index)| {
        exports.export(&name, ExportKind::Func, index);
    });
    export_shared(plan, &mut exports);
    let mut code = CodeSection::new();
    callees.iter().for_each(|body| {
        code.function(body);
    });
    let mut module = Module::new();
    module.section(&types(plan, &[])).section(&imports).section(&functions).section(&memories(plan));
    module
        .section(&globals(sink_and(NUMBERS.len()), stream))
        .section(&exports)
        .section(&code)
        .section(&data(plan, stream));
    module.finish()
}

fn import_hosts(plan: &Plan, imports: &mut ImportSection) {
    for number in 0..plan.hosts.len() as u32 {
        imports.import("env", &format!("h{number}"), EntityType::Function(number));
    }
}

/// The module of the exercises, which has everything that no provider has.
fn user(
    plan: &Plan,
    callees: &[Function],
    exercises: &[Function],
    blocks: &[Signature],
    stream: &mut Stream,
) -> Vec<u8> {
    let provided = plan.choices.provider;
    let mut imports = ImportSection::new();
    import_hosts(plan, &mut imports);
    let mut functions = FunctionSection::new();
    for (name, index) in callee_indices(plan) {
        if provided {
            imports.import(PROVIDER, &name, EntityType::Function(index));
        } else {
            functions.function(index);
        }
    }
    if provided {
        let memories: &[u32] = match (plan.choices.two_memories, plan.choices.other_memories) {
            (false, false) => &[0],
            (false, true) => &[],
            (true, false) => &[0, 1],
            (true, true) => &[1, 0],
        };
        for memory in memories {
            imports.import(PROVIDER, &format!("m{memory}"), memory_type(plan));
        }
        for (global, ty) in (0..).zip(sink_and(NUMBERS.len()).map(global_type)) {
            imports.import(PROVIDER, &format!("g{global}"), ty);
        }
    }
    let exercise_indices = plan.first_exercise()..plan.first_exercise() + exercises.len() as u32;
    let mut exports = ExportSection::new();
    for (number, index) in exercise_indices.clone().enumerate() {
        functions.function(index);
        exports.export(&format!("e{number}"), ExportKind::Func, index);
    }
    // Hosts that call back take the first memory that is exported.
    export_shared(plan, &mut exports);
    let (tables, segments) = function_table(exercise_indices.end, 0);
    let mut code = CodeSection::new();
    let own = if provided { &[] } else { callees };
    own.iter().chain(exercises).for_each(|body| {
        code.function(body);
    });
    let mut module = Module::new();
    module.section(&types(plan, blocks)).section(&imports).section(&functions).section(&tables);
    let keeps_to_itself = plan.choices.other_memories && !plan.choices.two_memories;
    if !provided || keeps_to_itself {
        module.section(&memories(plan));
    }
    if !provided {
        module.section(&globals(sink_and(NUMBERS.len()), stream));
    }
    module.section(&exports).section(&segments).section(&code);
    if !provided {
        module.section(&data(plan, stream));
    }
    module.finish()
}
