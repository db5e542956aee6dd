//! Cases about one instruction at a time: every row of the opcode table that computes, on operands at borders, from
//! wherever operands come from.
//!
//! A module has a few functions, a *trial* each ([`trial`]): the instruction, what makes its operands, and what
//! shows its results to the bit. An operand is a constant or a parameter, and comes directly, by way of a
//! local, a global, memory, a call or a block, or waits on the stack while more values than registers come and go.
//! What numbers are tried follows from what the operand is for: a place for an access with that offset and
//! width, a length, a slot of a table, a plain number. So a wrong rule for one instruction and one kind of operand is
//! met in small modules, which are cheap to make and quick to read.
//!
//! Which instructions there are, and what they take and give, the engine's table says: a new row is tried at once.
//! Branches and calls are not for here: see `linked` and `boundary`.

#[cfg(test)]
mod tests;
mod trial;

use super::Profile;
use super::linked::types::Ty;
use super::numbers::{NUMBERS, PAGE, Signature, encoded};
use super::plan;
use crate::case::{Action, Case, CaseModule};
use crate::draw::{Purpose, Stream};
use crate::features::Features;
use crosscheck_engine::opcode::{Family, Opcode, Proposal, Row};
use std::borrow::Cow;
use std::sync::LazyLock;
use trial::Trial;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, ExportKind,
    ExportSection, FunctionSection, GlobalSection, GlobalType, HeapType, MemorySection, MemoryType, Module,
    RefType, TableSection, TableType, TypeSection,
};

/// The global that some results are mixed into.
const SINK: u32 = 0;
/// The first of four globals, one a type.
const GLOBALS: u32 = 1;
/// The first of the globals that hold references: to a function, and to something of the host.
const REFERENCE_GLOBALS: u32 = 5;
/// Functions that give back their only parameter come first, one a type of number.
const FIRST_TRIAL: u32 = NUMBERS.len() as u32;
/// Slots of a table. The first holds functions, the second what is the host's, the third is empty at first.
const SLOTS: u64 = 12;
/// Bytes of a passive data segment; the second one is empty.
const SEGMENT_BYTES: u64 = 40;
/// Data and element segments that may be named.
const SEGMENTS: u32 = 2;

/// The instructions that are tried: the plain ones, then those that touch memories, tables or references.
static ROWS: LazyLock<[Vec<&'static Row>; 2]> = LazyLock::new(|| {
    let rows = |wanted: fn(Family) -> bool| {
        Opcode::all().map(Opcode::row).filter(|row| wanted(row.family)).collect()
    };
    [rows(is_plain), rows(is_stateful)]
});

fn is_plain(family: Family) -> bool {
    matches!(family, Family::Numeric | Family::Wide | Family::Const)
}

fn is_stateful(family: Family) -> bool {
    match family {
        Family::Load
        | Family::Store
        | Family::Memory
        | Family::Table
        | Family::Parametric
        | Family::Variable
        | Family::Reference => true,
        Family::Numeric | Family::Wide | Family::Const => false,
        // Branches and calls are made by others, and the rest is not made as long as not every mode executes it.
        Family::Control | Family::Gc | Family::Vector | Family::VectorMemory | Family::Atomic => false,
    }
}

/// What a case has and has not.
struct Choices {
    multi_value: bool,
    bulk: bool,
    references: bool,
    two_memories: bool,
    memory64: bool,
    /// NaN bits that the specification leaves open are made canonical.
    judged: bool,
}

impl Choices {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Choices {
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        Choices {
            multi_value: on(features.multi_value, 90),
            bulk: on(features.bulk_memory, 90),
            references: on(features.reference_types, 80),
            two_memories: on(features.multi_memory, 15),
            memory64: on(features.memory64, 15),
            judged: profile == Profile::Judged,
        }
    }

    /// Whether the case may use an instruction.
    fn allows(&self, row: &Row, features: &Features) -> bool {
        match row.proposal {
            Proposal::Mvp => true,
            Proposal::SignExtensionOps => features.sign_extension,
            Proposal::NontrappingFloatToInt => features.saturating_conversions,
            Proposal::BulkMemory => self.bulk && (self.references || row.family == Family::Memory),
            Proposal::ReferenceTypes => self.references,
            Proposal::FunctionReferences => self.references && features.function_references && !self.judged,
            Proposal::WideArithmetic => features.wide_arithmetic,
            Proposal::TailCall
            | Proposal::Gc
            | Proposal::ExceptionHandling
            | Proposal::Simd
            | Proposal::RelaxedSimd
            | Proposal::Threads => false,
        }
    }

    /// An instruction that is allowed.
    fn row(&self, features: &Features, stream: &mut Stream) -> &'static Row {
        loop {
            let rows = &ROWS[usize::from(stream.percent(45))];
            let row = *stream.pick(rows);
            if self.allows(row, features) {
                return row;
            }
        }
    }

    fn memories(&self) -> u32 {
        if self.two_memories { 2 } else { 1 }
    }

    fn address(&self) -> Ty {
        if self.memory64 { Ty::I64 } else { Ty::I32 }
    }
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let choices = Choices::draw(features, profile, &mut stream);
    let trials: Vec<Trial> = (0..stream.between(3, 8))
        .map(|_| {
            let row = choices.row(features, &mut stream);
            Trial::write(row, &choices, &mut stream)
        })
        .collect();
    let wasm = encode(&choices, &trials, &mut stream);
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (hosts, mut limits) = plan::surroundings(&mut stream);
    limits.table_elements = limits.table_elements.max(SLOTS);
    let mut actions = vec![Action::Instantiate { module: 0 }];
    for (number, trial) in trials.iter().enumerate() {
        // Without parameters it is the same again, but for what has been written meanwhile.
        let calls = if trial.params.is_empty() { 1 } else { stream.between(1, 4) };
        for _ in 0..calls {
            let args = trial.params.iter().map(|role| role.draw(&mut stream)).collect();
            actions.push(Action::Invoke { module: 0, export: name(number), args });
        }
    }
    let module = CaseModule { name: plan::MODULE_NAME.to_owned(), wasm };
    Case { modules: vec![module], hosts, actions, limits }
}

fn name(trial: usize) -> String {
    format!("t{trial}")
}

fn encode(choices: &Choices, trials: &[Trial], stream: &mut Stream) -> Vec<u8> {
    let mut types = TypeSection::new();
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for (number, ty) in (0..).zip(NUMBERS) {
        types.ty().function(encoded(&[ty]), encoded(&[ty]));
        functions.function(number);
        // No locals, `local.get 0`, `end`.
        code.raw(&[0, 0x20, 0, 0x0b]);
    }
    for (number, trial) in trials.iter().enumerate() {
        let Signature { params, results } = &trial.signature;
        let index = FIRST_TRIAL + number as u32;
        types.ty().function(encoded(params), encoded(results));
        functions.function(index);
        exports.export(&name(number), ExportKind::Func, index);
        code.raw(&trial.code);
    }
    for memory in 0..choices.memories() {
        exports.export(&format!("m{memory}"), ExportKind::Memory, memory);
    }
    let globals = globals(choices, stream);
    for global in 0..globals.len() {
        exports.export(&format!("g{global}"), ExportKind::Global, global);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tables(choices)).section(&memories(choices));
    module.section(&globals).section(&exports);
    module.section(&elements(choices, FIRST_TRIAL + trials.len() as u32));
    let data = data(choices, stream);
    if choices.bulk {
        module.section(&DataCountSection { count: data.len() });
    }
    module.section(&code).section(&data);
    module.finish()
}

fn tables(choices: &Choices) -> TableSection {
    let table = |element_type| TableType {
        element_type,
        table64: false,
        minimum: SLOTS,
        maximum: Some(2 * SLOTS),
        shared: false,
    };
    let mut tables = TableSection::new();
    tables.table(table(RefType::FUNCREF));
    if choices.references {
        tables.table(table(RefType::EXTERNREF)).table(table(RefType::FUNCREF));
    }
    tables
}

fn memories(choices: &Choices) -> MemorySection {
    let mut memories = MemorySection::new();
    for _ in 0..choices.memories() {
        memories.memory(MemoryType {
            minimum: 1,
            maximum: Some(3),
            memory64: choices.memory64,
            shared: false,
            page_size_log2: None,
        });
    }
    memories
}

fn globals(choices: &Choices, stream: &mut Stream) -> GlobalSection {
    let mut globals = GlobalSection::new();
    let mut add = |ty: Ty, init: &ConstExpr| {
        globals.global(GlobalType { val_type: ty.encoded(&[]), mutable: true, shared: false }, init);
    };
    add(Ty::I64, &ConstExpr::i64_const(stream.u64() as i64));
    add(Ty::I32, &ConstExpr::i32_const(stream.u32() as i32));
    add(Ty::I64, &ConstExpr::i64_const(stream.u64() as i64));
    add(Ty::F32, &ConstExpr::f32_const((stream.u32() as i32 as f32).into()));
    add(Ty::F64, &ConstExpr::f64_const((stream.u64() as i64 as f64).into()));
    if choices.references {
        add(Ty::Func, &ConstExpr::ref_null(HeapType::FUNC));
        add(Ty::Extern, &ConstExpr::ref_null(HeapType::EXTERN));
    }
    globals
}

/// Passive segments, which have the first indices, and one that fills half of the first table.
fn elements(choices: &Choices, functions: u32) -> ElementSection {
    let all: Vec<u32> = (0..functions).collect();
    let mut elements = ElementSection::new();
    if choices.bulk {
        elements.passive(Elements::Functions(Cow::Borrowed(&all[..3])));
        elements.passive(Elements::Functions(Cow::Borrowed(&[])));
    }
    // All functions, so that there may be references to them.
    elements.declared(Elements::Functions(Cow::Borrowed(&all)));
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(Cow::Borrowed(&all[..4])));
    elements
}

/// Passive segments, which have the first indices, and random bytes at both ends of the first page.
fn data(choices: &Choices, stream: &mut Stream) -> DataSection {
    let mut bytes = [0; SEGMENT_BYTES as usize];
    let mut data = DataSection::new();
    if choices.bulk {
        stream.fill(&mut bytes);
        data.passive(bytes).passive([]);
    }
    for at in [0, PAGE - SEGMENT_BYTES] {
        stream.fill(&mut bytes);
        let offset = match choices.memory64 {
            true => ConstExpr::i64_const(at as i64),
            false => ConstExpr::i32_const(at as i32),
        };
        data.active(0, &offset, bytes);
    }
    data
}
