//! Cases that are large in one way: calls inside calls until the depth budget is gone, or a function of thousands of
//! instructions.
//!
//! Small programs never meet what only counts: the frame that does not fit any more, a backtrace of which the middle
//! is left out, frames that unwind by the thousand, a branch that is too far for its encoding, a table of
//! branches as long as a page, locals and operands beyond what an offset of one byte reaches. Such cases cost more
//! than others, so they are rare. [`recursion`] and [`huge`] write the functions; this file puts modules
//! together.

mod huge;
mod recursion;
#[cfg(test)]
mod tests;

use super::Profile;
use super::linked::types::Ty;
use super::numbers::{NUMBERS, Signature, encoded, number_type};
use super::plan;
use super::way::function_table;
use crate::case::{Action, Case, CaseModule, Value};
use crate::draw::{Purpose, Stream, values};
use crate::features::Features;
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, MemorySection, MemoryType, Module, TypeSection,
};

/// The global that everything is mixed into.
const SINK: u32 = 0;
/// The first of four globals, one a type.
const GLOBALS: u32 = 1;
/// The only host function, without parameters and results.
const HOST: u32 = 0;
/// The first function that is defined.
const FIRST: u32 = 1;
/// Slots for all frames.
const DEPTH_SLOTS: &[u32] = &[150, 1_000, 10_000, 40_000];
/// Fuel, and how often it is that much.
const FUEL: &[(u64, u32)] = &[(20_000, 3), (60_000, 3), (200_000, 1)];

/// What a case has and has not.
struct Choices {
    floats: bool,
    multi_value: bool,
    tail: bool,
    /// Calls by reference.
    typed: bool,
}

impl Choices {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Choices {
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        Choices {
            floats: on(true, 70),
            multi_value: on(features.multi_value, 80),
            tail: on(features.tail_call, 70),
            typed: on(features.function_references && profile == Profile::Own, 50),
        }
    }

    fn number(&self, stream: &mut Stream) -> Ty {
        if self.floats { *stream.pick(&NUMBERS) } else { *stream.pick(&NUMBERS[..2]) }
    }

    fn numbers(&self, low: usize, high: usize, stream: &mut Stream) -> Vec<Ty> {
        (0..stream.between(low, high)).map(|_| self.number(stream)).collect()
    }
}

/// A function that the module defines; its first parameter is an `i32`.
struct Func {
    signature: Signature,
    function: Function,
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let choices = Choices::draw(features, profile, &mut stream);
    let recurses = stream.percent(60);
    let funcs = match recurses {
        true => recursion::functions(&choices, &mut stream),
        false => vec![huge::function(&choices, &mut stream)],
    };
    let wasm = encode(&funcs, &mut stream);
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (mut hosts, mut limits) = plan::surroundings(&mut stream);
    hosts.trap_one_in = *stream.pick(&[0, 0, 3]);
    limits.depth_slots = *stream.pick(DEPTH_SLOTS);
    limits.fuel = Some(stream.weighted(FUEL, |row| row.1).0);
    limits.table_elements = limits.table_elements.max(u64::from(FIRST) + funcs.len() as u64);
    let mut actions = vec![Action::Instantiate { module: 0 }];
    for _ in 0..stream.between(2, 4) {
        let number = stream.below(funcs.len() as u64) as usize;
        let params = funcs[number].signature.params.iter();
        let value = |ty: &Ty| values::value(number_type(*ty), &mut stream).expect("a number");
        let mut args: Vec<Value> = params.map(value).collect();
        if recurses {
            args[0] = Value::I32(*stream.pick(recursion::DEPTHS));
        }
        actions.push(Action::Invoke { module: 0, export: format!("f{number}"), args });
    }
    let module = CaseModule { name: plan::MODULE_NAME.to_owned(), wasm };
    Case { modules: vec![module], hosts, actions, limits }
}

fn encode(funcs: &[Func], stream: &mut Stream) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("env", "h", EntityType::Function(HOST));
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for (number, Func { signature, function }) in (0..).zip(funcs) {
        types.ty().function(encoded(&signature.params), encoded(&signature.results));
        functions.function(FIRST + number);
        exports.export(&format!("f{number}"), ExportKind::Func, FIRST + number);
        code.function(function);
    }
    exports.export("memory", ExportKind::Memory, 0);
    let (tables, segments) = function_table(FIRST + funcs.len() as u32, 0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    let mut add = |ty: Ty, init: &ConstExpr| {
        globals.global(GlobalType { val_type: ty.encoded(&[]), mutable: true, shared: false }, init);
    };
    add(Ty::I64, &ConstExpr::i64_const(stream.u64() as i64));
    add(Ty::I32, &ConstExpr::i32_const(stream.u32() as i32));
    add(Ty::I64, &ConstExpr::i64_const(stream.u64() as i64));
    add(Ty::F32, &ConstExpr::f32_const((stream.u32() as i32 as f32).into()));
    add(Ty::F64, &ConstExpr::f64_const((stream.u64() as i64 as f64).into()));
    for global in 0..globals.len() {
        exports.export(&format!("g{global}"), ExportKind::Global, global);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories);
    module.section(&globals).section(&exports).section(&segments).section(&code);
    module.finish()
}
