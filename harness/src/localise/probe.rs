//! Rewrites a module so that it stops before one instruction and shows what is on the stack there.
//!
//! What stands on the operand stack of the innermost block, and the locals, go to new globals, which every
//! observation shows; then an `unreachable` ends the action. Up to the place nothing is added, so a compiler in one
//! pass writes the same code up to there: a probe that only looked on and let the function go on would change
//! the registers of all that follows. If the place is passed several times, a new global counts, and what
//! stops becomes the inside of an `if`.
//!
//! All that is new goes to the end of its index space, so no index of the module changes. File offsets do.

mod below;

use crate::case::Value;
use crate::observe::State;
use crate::wasm::edit::{Edit, apply};
use crate::wasm::sections::{EXPORT_SECTION, GLOBAL_SECTION, Sections, TYPE_SECTION};
use crosscheck_engine::Module;
use std::ops::Range;
use wasm_encoder::{Encode, HeapType, Ieee32, Ieee64, InstructionSink, RefType, ValType};
use wasmparser::{
    BinaryReaderError, FuncValidatorAllocations, FunctionBody, OperatorsReader, Parser, ValidPayload,
    Validator,
};

pub use below::without_operands_below;

/// How a value goes to its global. A difference that only one way shows is one of that way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// As it is.
    Direct,
    /// Through an instruction that makes something else of the same bits.
    Detour,
    /// An i32 as an i64, which shows what a register holds beside it.
    Widened,
    /// The same of a fresh copy of the i32: what this shows, widening does.
    WidenedCopy,
}

/// What a probe shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// Operands and locals. To name locals is to use them, which a compiler may take into account.
    All,
    /// Operands.
    Operands,
    /// Nothing: it only stops.
    Nothing,
}

/// Where and how a module is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    /// File offset of the opcode before which it stops.
    pub offset: u32,
    /// Which execution of this instruction in the instance (1 is the first).
    pub execution: u32,
    /// What it shows.
    pub show: Show,
    /// How values are shown.
    pub route: Route,
    /// Whether what is shown is exported, for subjects that show nothing else.
    pub exported: bool,
}

/// What a shown value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// An operand of the innermost block, counted from the topmost.
    Operand(u32),
    /// A local.
    Local(u32),
}

/// A module with a probe.
pub struct Probed {
    /// The module.
    pub wasm: Vec<u8>,
    /// What it shows, in the order of the new globals.
    pub shown: Vec<What>,
    /// File offset of the instruction that stops.
    pub site: u32,
    /// Fuel that the probe costs at most until it stops.
    pub fuel: u64,
    /// Index of the first new global.
    first_global: usize,
}

/// What an instruction takes and leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arity {
    /// Operands it takes.
    pub operands: u32,
    /// Results it leaves.
    pub results: u32,
}

/// What is known about a place in a body before its instruction.
struct Place {
    /// Position in the code section.
    body: usize,
    /// Types of the operands of the innermost block, the topmost first, as far as globals can hold them.
    operands: Vec<Option<Held>>,
    locals: Vec<Option<Held>>,
    arity: Option<Arity>,
    globals: u32,
    types: u32,
}

/// The type of a global that can hold a value.
#[derive(Clone, Copy)]
struct Held {
    ty: ValType,
    /// Whether it is the value's own type, not a more general one.
    is_exact: bool,
}

/// What a new global holds before a value goes to it: hardly what any value is, so that one which went elsewhere is missed.
const UNTOUCHED: i64 = 0x5eed_0bad_5eed_0bad;

/// Whether a shown value is what its global held before: then the subject never came to the probe.
pub fn is_untouched(value: &Value) -> bool {
    match value {
        Value::I32(bits) | Value::F32(bits) => *bits == UNTOUCHED as u32,
        Value::I64(bits) | Value::F64(bits) => *bits == UNTOUCHED as u64,
        Value::V128(bits) => *bits == i128::from(UNTOUCHED) as u128,
        Value::Ref(_) => false,
    }
}

/// The module with a probe. Fails if it is not valid, or has no instruction at the offset.
pub fn probed(wasm: &[u8], probe: &Probe) -> Result<Probed, String> {
    let place = place(wasm, probe.offset)?;
    let mut code = Vec::new();
    let mut globals = Globals { first: place.globals, entries: Vec::new(), count: 0 };
    let mut shown = Vec::new();
    let counter = (probe.execution > 1).then(|| globals.add(ValType::I32, i64::from(probe.execution)));
    // Operands reach the inside of an `if` only as its parameters, so their types must be known exactly.
    let exactly = |held: &Option<Held>| held.filter(|held| held.is_exact).map(|held| held.ty);
    let passed: Option<Vec<ValType>> = place.operands.iter().rev().map(exactly).collect();
    let mut types = Vec::new();
    if let Some(counter) = counter {
        let mut sink = InstructionSink::new(&mut code);
        sink.global_get(counter).i32_const(1).i32_sub().global_set(counter);
        sink.global_get(counter).i32_eqz();
        match &passed {
            Some(passed) if !passed.is_empty() => {
                types.push(0x60);
                passed.as_slice().encode(&mut types);
                passed.as_slice().encode(&mut types);
                sink.if_(wasm_encoder::BlockType::FunctionType(place.types));
            }
            _ => {
                sink.if_(wasm_encoder::BlockType::Empty);
            }
        }
    }
    if probe.show != Show::Nothing && (counter.is_none() || passed.is_some()) {
        for (number, held) in (0..).zip(&place.operands) {
            match held {
                Some(held) => {
                    shown.push(What::Operand(number));
                    globals.take(held.ty, probe.route, &mut code);
                }
                None => _ = InstructionSink::new(&mut code).drop(),
            }
        }
    }
    for (number, held) in (0..).zip(&place.locals).filter(|_| probe.show == Show::All) {
        if let Some(held) = held {
            shown.push(What::Local(number));
            InstructionSink::new(&mut code).local_get(number);
            globals.take(held.ty, probe.route, &mut code);
        }
    }
    let stop = code.len();
    InstructionSink::new(&mut code).unreachable();
    if counter.is_some() {
        InstructionSink::new(&mut code).end();
    }
    // No instruction is shorter than a byte, and only those before the stop are paid for.
    let fuel = u64::from(probe.execution).saturating_mul(code.len() as u64);
    let mut sections = with_insertion(wasm, place.body, probe.offset as usize, code)?;
    if !types.is_empty() {
        sections.extend(TYPE_SECTION, 1, &types).map_err(decoding)?;
    }
    sections.extend(GLOBAL_SECTION, globals.count, &globals.entries).map_err(decoding)?;
    if probe.exported {
        let (count, entries) = globals.exports(wasm, counter.is_some())?;
        sections.extend(EXPORT_SECTION, count, &entries).map_err(decoding)?;
    }
    let first_global = (place.globals + u32::from(counter.is_some())) as usize;
    let probed = sections.module();
    let start = |wasm: &[u8]| bodies(wasm).map(|bodies| bodies[place.body].start).map_err(decoding);
    let site = start(&probed)? + (probe.offset as usize - start(wasm)?) + stop;
    Ok(Probed { wasm: probed, shown, site: site as u32, fuel, first_global })
}

/// What the instruction at an offset takes and leaves, where validation knows.
pub fn arity(wasm: &[u8], offset: u32) -> Option<Arity> {
    place(wasm, offset).ok()?.arity
}

impl Probed {
    /// What a state shows of an instance of this module: nothing if there is no such instance.
    pub fn values(&self, state: &State, instance: usize) -> Vec<(What, Value)> {
        let Some(instance) = state.instances.get(instance) else { return Vec::new() };
        let values = instance.globals.iter().skip(self.first_global);
        self.shown.iter().copied().zip(values.cloned()).collect()
    }
}

/// New globals.
struct Globals {
    first: u32,
    entries: Vec<u8>,
    count: u32,
}

impl Globals {
    fn add(&mut self, ty: ValType, start: i64) -> u32 {
        ty.encode(&mut self.entries);
        self.entries.push(1);
        let mut sink = InstructionSink::new(&mut self.entries);
        match ty {
            ValType::I32 => sink.i32_const(start as i32),
            ValType::I64 => sink.i64_const(start),
            ValType::F32 => sink.f32_const(Ieee32::new(start as u32)),
            ValType::F64 => sink.f64_const(Ieee64::new(start as u64)),
            ValType::V128 => sink.v128_const(i128::from(start)),
            ValType::Ref(ty) => sink.ref_null(ty.heap_type),
        };
        sink.end();
        self.count += 1;
        self.first + self.count - 1
    }

    /// Writes what takes the topmost operand to a new global.
    fn take(&mut self, ty: ValType, route: Route, code: &mut Vec<u8>) {
        let mut sink = InstructionSink::new(code);
        let (sink, ty) = match (route, ty) {
            (Route::Detour, ValType::I32) => (sink.f32_reinterpret_i32(), ValType::F32),
            (Route::Detour, ValType::I64) => (sink.f64_reinterpret_i64(), ValType::F64),
            (Route::Detour, ValType::F32) => (sink.i32_reinterpret_f32(), ValType::I32),
            (Route::Detour, ValType::F64) => (sink.i64_reinterpret_f64(), ValType::I64),
            (Route::Widened, ValType::I32) => (sink.i64_extend_i32_u(), ValType::I64),
            (Route::WidenedCopy, ValType::I32) => {
                let copy = sink.i32_const(7).i32_rotl().i32_const(7).i32_rotr();
                (copy.i64_extend_i32_u(), ValType::I64)
            }
            (Route::Detour, ValType::V128 | ValType::Ref(_))
            | (Route::Direct | Route::Widened | Route::WidenedCopy, _) => (&mut sink, ty),
        };
        sink.global_set(self.add(ty, UNTOUCHED));
    }

    /// Exports of all but the counter, under names that nothing else has.
    fn exports(&self, wasm: &[u8], has_counter: bool) -> Result<(u32, Vec<u8>), String> {
        let mut prefix = "probe".to_owned();
        while exported_names(wasm).map_err(decoding)?.iter().any(|name| name.starts_with(&prefix)) {
            prefix.push('_');
        }
        let mut entries = Vec::new();
        let first = self.first + u32::from(has_counter);
        for index in first..self.first + self.count {
            format!("{prefix}{}", index - first).as_str().encode(&mut entries);
            wasm_encoder::ExportKind::Global.encode(&mut entries);
            index.encode(&mut entries);
        }
        Ok((self.first + self.count - first, entries))
    }
}

fn exported_names(wasm: &[u8]) -> Result<Vec<String>, BinaryReaderError> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let wasmparser::Payload::ExportSection(exports) = payload? {
            for export in exports {
                names.push(export?.name.to_owned());
            }
        }
    }
    Ok(names)
}

fn decoding(error: BinaryReaderError) -> String {
    error.to_string()
}

/// Walks to an offset together with the validator.
fn place(wasm: &[u8], offset: u32) -> Result<Place, String> {
    let mut validator = Validator::new_with_features(Module::FEATURES);
    let mut number = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let valid = validator.payload(&payload.map_err(decoding)?).map_err(decoding)?;
        let ValidPayload::Func(function, body) = valid else { continue };
        if body.range().contains(&u64::from(offset)) {
            let types = validator.types(0).expect("the module has begun");
            let (globals, types) = (types.global_count(), types.core_type_count_in_module());
            let mut function = function.into_validator(FuncValidatorAllocations::default());
            let place = place_in(&mut function, &body, offset).map_err(decoding)?;
            let place = place.ok_or_else(|| format!("no instruction begins at {offset:#x}"))?;
            return Ok(Place { body: number, globals, types, ..place });
        }
        number += 1;
    }
    Err(format!("no function body holds {offset:#x}"))
}

fn place_in(
    validator: &mut wasmparser::FuncValidator<wasmparser::ValidatorResources>,
    body: &FunctionBody<'_>,
    offset: u32,
) -> Result<Option<Place>, BinaryReaderError> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let at = operators.original_position();
        let operator = operators.read()?;
        if at < u64::from(offset) {
            validator.op(at, &operator)?;
            continue;
        }
        if at > u64::from(offset) {
            return Ok(None);
        }
        let frame = validator.get_control_frame(0).expect("the function's frame ends with its last operator");
        let height = (validator.operand_stack_height() as usize).saturating_sub(frame.height);
        let operand = |depth| validator.get_operand_type(depth).flatten().and_then(held);
        // A reference that cannot be null may not have been set yet, and then may not be named.
        let local = |local| validator.get_local_type(local).filter(|ty| ty.is_defaultable()).and_then(held);
        let arity = operator.operator_arity(&*validator);
        return Ok(Some(Place {
            body: 0,
            operands: (0..height).map(operand).collect(),
            locals: (0..validator.len_locals()).map(local).collect(),
            arity: arity.map(|(operands, results)| Arity { operands, results }),
            globals: 0,
            types: 0,
        }));
    }
    Ok(None)
}

/// The type of a global that can hold a value of that type and starts as null or zero.
fn held(ty: wasmparser::ValType) -> Option<Held> {
    use wasmparser::AbstractHeapType::{Extern, Func, NoExtern, NoFunc};
    let ty = match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => {
            let heap_type = match ty.heap_type() {
                // Of all types that can be defined, only functions are executed so far.
                wasmparser::HeapType::Abstract { shared: false, ty: Func | NoFunc }
                | wasmparser::HeapType::Concrete(_)
                | wasmparser::HeapType::Exact(_) => HeapType::FUNC,
                wasmparser::HeapType::Abstract { shared: false, ty: Extern | NoExtern } => HeapType::EXTERN,
                wasmparser::HeapType::Abstract { .. } => return None,
            };
            let is_exact = [wasmparser::RefType::FUNCREF, wasmparser::RefType::EXTERNREF].contains(&ty);
            return Some(Held { ty: ValType::Ref(RefType { nullable: true, heap_type }), is_exact });
        }
    };
    Some(Held { ty, is_exact: true })
}

/// The sections of a module with code inserted into one body.
fn with_insertion(wasm: &[u8], body: usize, at: usize, code: Vec<u8>) -> Result<Sections, String> {
    let changed = apply(wasm, &[Edit { body, range: at..at, code }]).ok_or("the module cannot be read")?;
    Sections::of(&changed).map_err(decoding)
}

fn bodies(wasm: &[u8]) -> Result<Vec<Range<usize>>, BinaryReaderError> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let wasmparser::Payload::CodeSectionEntry(body) = payload? {
            bodies.push(body.range().start as usize..body.range().end as usize);
        }
    }
    Ok(bodies)
}
