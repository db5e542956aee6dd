//! A module rewritten so that one call without arguments does what a case does, and answers in integers.
//!
//! A command line can call one function, once, with arguments and results as that engine writes numbers. So the module
//! gets a new export that makes the calls of a case one after the other, on constants, and gives back all results as
//! bits. What it imports becomes its own: functions that do what the host did ([`super::play`]), globals with the values that the host
//! gives them, memories and tables as large as they must be. The limits of the case become limits of types. No index
//! changes, for imports stand first in every index space and so do what they become.

use super::play::{Play, Stage};
use crate::case::{Action, Case, HeapKind, Limits, RefValue, Value};
use crate::hosts::{Host, Played};
use crate::observe::Capture;
use crate::wasm::joined;
use crosscheck_engine::{ExternType, Import as ModuleImport};
use std::collections::HashMap;
use std::fmt::Display;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    AbstractHeapType, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, HeapType, InstructionSink, MemorySection,
    Module, RawSection, RefType, StartSection, TableSection, TypeSection, ValType,
};
use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};

/// What the new export is called, unless something else is called so.
const NAME: &str = "crosscheck";
/// Most results of a function that engines must take (JavaScript interface, "Implementation-defined limits").
const MOST_RESULTS: usize = 1_000;
/// What the call gives last. A command that only ends without an error has not said that it called anything.
const DONE: i32 = 0x00c5_c5c5;
/// Binary logarithm of the size of a page.
const PAGE_LOG2: u32 = 16;

/// The module and how to understand what it answers.
pub(super) struct Driver {
    /// The module.
    pub(super) wasm: Vec<u8>,
    /// The export to call.
    pub(super) name: String,
    /// The types of the results of each action, in order.
    pub(super) results: Vec<Vec<ValType>>,
    /// Whether what hosts were given follows the results of each action.
    has_mixture: bool,
}

/// An action to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// The action.
    pub(super) action: &'a Action,
    /// How many host calls were made before it.
    pub(super) host_calls: usize,
}

/// What an action did.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Driven {
    /// Its results.
    pub(super) values: Vec<Value>,
    /// A mixture of all that hosts were given until its end.
    pub(super) mixture: u64,
}

/// A function that the host provides.
pub(super) struct Import {
    /// The number by which its behaviour goes.
    pub(super) number: u32,
    /// Its parameters.
    pub(super) params: Vec<ValType>,
    /// Its results.
    pub(super) results: Vec<ValType>,
}

impl Driver {
    /// The driver that does these actions of a case of one module, all but instantiations, with hosts that do this.
    /// Fails with what cannot be driven.
    pub(super) fn new(
        case: &Case,
        imports: &[ModuleImport],
        steps: &[Step<'_>],
        played: &[Played],
        exports: Exports,
    ) -> Result<Driver, String> {
        let host = Host::new(case.hosts, Capture::Digest);
        let mut parts = Parts { is_of_several: imports.iter().any(is_numbered), ..Parts::default() };
        parts.read(&case.modules[0].wasm, &case.limits, imports, &host).map_err(unreadable)?;
        parts.drive(steps, played, exports)
    }

    /// The same without the start function: what is instantiated then depends on nothing but the module.
    pub(super) fn without_start(mut self) -> Driver {
        let mut module = Module::new();
        for payload in Parser::new(0).parse_all(&self.wasm) {
            let payload = payload.expect("the driver wrote it");
            let is_start = matches!(payload, Payload::StartSection { .. });
            if let Some((id, range)) = payload.as_section().filter(|_| !is_start) {
                module
                    .section(&RawSection { id, data: &self.wasm[range.start as usize..range.end as usize] });
            }
        }
        self.wasm = module.finish();
        self
    }

    /// How many integers it answers.
    pub(super) fn integers(&self) -> usize {
        let results = self.results.iter().flatten().map(|ty| integers(*ty).len()).sum::<usize>();
        results + if self.has_mixture { self.results.len() } else { 0 } + 1
    }

    /// Whether the last integer that is answered shows that it was the driver who answered.
    pub(super) fn is_done(last: u64) -> bool {
        last as i32 == DONE
    }

    /// What each action did, from as many integers as it answers.
    pub(super) fn driven(&self, integers: &[u64]) -> Vec<Driven> {
        let mut integers = integers.iter().copied();
        let mut next = || integers.next().expect("as many integers as were asked for");
        let mut value = |ty: &ValType| match ty {
            ValType::I32 => Value::I32(next() as u32),
            ValType::I64 => Value::I64(next()),
            ValType::F32 => Value::F32(next() as u32),
            ValType::F64 => Value::F64(next()),
            ValType::V128 => Value::V128(u128::from(next()) | u128::from(next()) << 64),
            // Which it is is not asked for, and capabilities say so.
            ValType::Ref(_) if next() == 0 => Value::Ref(RefValue::Func(crate::case::FuncIdentity::Host(0))),
            ValType::Ref(_) => Value::Ref(RefValue::Null(HeapKind::Func)),
        };
        let values: Vec<Vec<Value>> =
            self.results.iter().map(|types| types.iter().map(&mut value).collect()).collect();
        // All mixtures come after all results.
        let mut driven = Vec::with_capacity(values.len());
        for values in values {
            driven.push(Driven { values, mixture: if self.has_mixture { next() } else { 0 } });
        }
        driven
    }
}

/// What the rewritten module exports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exports {
    /// All that it exported before, and the call.
    All,
    /// Only the call, for commands that run everything that is exported.
    TheCall,
}

/// The types of the integers that a result becomes.
fn integers(ty: ValType) -> &'static [ValType] {
    match ty {
        ValType::I32 | ValType::F32 | ValType::Ref(_) => &[ValType::I32],
        ValType::I64 | ValType::F64 => &[ValType::I64],
        ValType::V128 => &[ValType::I64, ValType::I64],
    }
}

fn unreadable(error: impl Display) -> String {
    format!("the module cannot be rewritten: {error}")
}

/// The sections of the module under way.
#[derive(Default)]
struct Parts {
    types: TypeSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    start: Option<u32>,
    elements: ElementSection,
    data_count: Option<u32>,
    /// The functions that the host provided.
    hosts: Vec<Import>,
    /// Whether the module was made of several.
    is_of_several: bool,
    /// The address type of each memory.
    memories_are_64: Vec<bool>,
    /// The functions that are exported, in order.
    exported_functions: Vec<u32>,
    /// The bodies of the module's own functions.
    bodies: Vec<Vec<u8>>,
    data: DataSection,
    /// Parameters and results of each type that is a function's.
    signatures: Vec<Option<(Vec<ValType>, Vec<ValType>)>>,
    /// The type of each function.
    function_types: Vec<u32>,
    global_types: Vec<ValType>,
    /// Whether code makes references to functions.
    refers_to_functions: bool,
    /// What is exported.
    exported: HashMap<String, (ExternalKind, u32)>,
}

type Error = wasm_encoder::reencode::Error;

/// What of a table or memory may be, by its own type and by the limit of the case.
fn maximum(declared: Option<u64>, limit: u64) -> Option<u64> {
    Some(declared.map_or(limit, |declared| declared.min(limit)))
}

impl Parts {
    fn read(
        &mut self,
        wasm: &[u8],
        limits: &Limits,
        imports: &[ModuleImport],
        host: &Host,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let reencoder = &mut RoundtripReencoder;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section.clone() {
                        for ty in group?.into_types() {
                            self.signatures.push(match &ty.composite_type.inner {
                                wasmparser::CompositeInnerType::Func(ty) => {
                                    Some((val_types(ty.params())?, val_types(ty.results())?))
                                }
                                _ => None,
                            });
                        }
                    }
                    reencoder.parse_type_section(&mut self.types, section)?;
                }
                Payload::ImportSection(section) => {
                    for (index, import) in section.into_imports().enumerate() {
                        let import = import?;
                        let number = if self.is_of_several { import.name.parse()? } else { index as u32 };
                        let provided = host_value(&imports[index], number, host);
                        self.own(import.ty, number, provided, limits)?;
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section.clone() {
                        self.function_types.push(ty?);
                    }
                    reencoder.parse_function_section(&mut self.functions, section)?;
                }
                Payload::TableSection(section) => {
                    for table in section {
                        let table = table?;
                        let mut ty = reencoder.table_type(table.ty)?;
                        ty.maximum = maximum(ty.maximum, limits.table_elements);
                        match table.init {
                            wasmparser::TableInit::RefNull => self.tables.table(ty),
                            wasmparser::TableInit::Expr(init) => {
                                self.tables.table_with_init(ty, &reencoder.const_expr(init)?)
                            }
                        };
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        self.memory(reencoder.memory_type(memory?)?, limits);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section.clone() {
                        self.global_types.push(reencoder.val_type(global?.ty.content_type)?);
                    }
                    reencoder.parse_global_section(&mut self.globals, section)?;
                }
                Payload::ExportSection(section) => {
                    for export in section.clone() {
                        let export = export?;
                        if is_function(export.kind) {
                            self.exported_functions.push(export.index);
                        }
                        self.exported.insert(export.name.to_string(), (export.kind, export.index));
                    }
                    reencoder.parse_export_section(&mut self.exports, section)?;
                }
                Payload::StartSection { func, .. } => self.start = Some(func),
                Payload::ElementSection(section) => {
                    reencoder.parse_element_section(&mut self.elements, section)?;
                }
                Payload::DataCountSection { count, .. } => self.data_count = Some(count),
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        self.refers_to_functions |= matches!(operator?, Operator::RefFunc { .. });
                    }
                    self.bodies.push(body.as_bytes().to_vec());
                }
                Payload::DataSection(section) => reencoder.parse_data_section(&mut self.data, section)?,
                Payload::TagSection(_) => return Err("tags".into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn memory(&mut self, mut ty: wasm_encoder::MemoryType, limits: &Limits) {
        let page_log2 = ty.page_size_log2.unwrap_or(PAGE_LOG2);
        ty.maximum = maximum(ty.maximum, limits.memory_bytes >> page_log2);
        self.memories_are_64.push(ty.memory64);
        self.memories.memory(ty);
    }

    /// An import becomes the module's own.
    fn own(
        &mut self,
        ty: TypeRef,
        number: u32,
        provided: Option<Value>,
        limits: &Limits,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let reencoder = &mut RoundtripReencoder;
        match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.functions.function(ty);
                let (params, results) =
                    self.signatures[ty as usize].clone().ok_or("a function without a function's type")?;
                self.hosts.push(Import { number, params, results });
                self.function_types.push(ty);
            }
            TypeRef::Table(ty) => {
                let mut ty = reencoder.table_type(ty)?;
                ty.maximum = maximum(ty.maximum, limits.table_elements);
                self.tables.table(ty);
            }
            TypeRef::Memory(ty) => self.memory(reencoder.memory_type(ty)?, limits),
            TypeRef::Global(ty) => {
                let ty = reencoder.global_type(ty)?;
                self.global_types.push(ty.val_type);
                let value = provided.and_then(|value| constant(&value, ty.val_type));
                self.globals.global(ty, &value.ok_or("a global that has no constant")?);
            }
            TypeRef::Tag(_) => return Err("tags".into()),
        }
        Ok(())
    }

    /// Adds the driver and gives the module.
    fn drive(mut self, steps: &[Step<'_>], played: &[Played], exports: Exports) -> Result<Driver, String> {
        let play = Play::new(played);
        let first_global = self.global_types.len() as u32;
        let mut locals: Vec<ValType> = Vec::new();
        let mut code: Vec<u8> = Vec::new();
        let mut results = Vec::new();
        let mut mixtures: Vec<u32> = Vec::new();
        for step in steps {
            let is_instantiation = matches!(step.action, Action::Instantiate { .. });
            if !play.is_empty() && !is_instantiation {
                // What was left out before may have called hosts too.
                let before = &played[..step.host_calls.min(played.len())];
                play.set_counters(before, first_global, &mut InstructionSink::new(&mut code));
            }
            results.push(self.act(step.action, &mut code, &mut locals)?);
            if !play.is_empty() {
                mixtures.push(locals.len() as u32);
                locals.push(ValType::I64);
                let mixture = locals.len() as u32 - 1;
                InstructionSink::new(&mut code).global_get(first_global).local_set(mixture);
            }
        }
        let mut sink = InstructionSink::new(&mut code);
        mixtures.iter().for_each(|mixture| {
            sink.local_get(*mixture);
        });
        sink.i32_const(DONE);
        let integers = results.iter().flatten().flat_map(|ty| integers(*ty)).copied();
        let integers = integers.chain(mixtures.iter().map(|_| ValType::I64)).chain([ValType::I32]);
        let integers: Vec<ValType> = integers.collect();
        if integers.len() > MOST_RESULTS {
            return Err("too many results for one call".into());
        }
        let mut all = self.code(&play, first_global)?;
        let mut body = Function::new_with_locals_types(locals);
        body.raw(code);
        body.instructions().end();
        all.function(&body);
        if !play.is_empty() {
            play.add_globals(&mut self.globals);
        }
        let ty = self.signatures.len() as u32;
        self.types.ty().function([], integers);
        self.functions.function(ty);
        if exports == Exports::TheCall {
            self.export_nothing();
        }
        let mut name = NAME.to_string();
        while self.exported.contains_key(&name) {
            name.push('_');
        }
        self.exports.export(&name, ExportKind::Func, self.function_types.len() as u32);
        let has_mixture = !play.is_empty();
        Ok(Driver { wasm: self.finish(&all), name, results, has_mixture })
    }

    /// The code of the functions that the host provided, and of the module's own.
    fn code(&self, play: &Play<'_>, first_global: u32) -> Result<CodeSection, String> {
        let signature = |func: &u32| {
            let ty = *self.function_types.get(*func as usize)?;
            let (params, results) = self.signatures[ty as usize].as_ref()?;
            Some((*func, params.clone(), results.len()))
        };
        let callable: Option<Vec<_>> = self.exported_functions.iter().map(signature).collect();
        let stage = Stage {
            first_global,
            // Of several modules it is not known which one calls.
            memory_is_64: match &self.memories_are_64[..] {
                [first, rest @ ..] if rest.is_empty() || !self.is_of_several => Some(*first),
                _ => None,
            },
            callable: callable.as_deref().filter(|_| !self.is_of_several),
        };
        let mut code = CodeSection::new();
        for import in &self.hosts {
            code.function(&play.body(import, &stage)?);
        }
        self.bodies.iter().for_each(|body| {
            code.raw(body);
        });
        Ok(code)
    }

    /// Takes back all exports. A function that code refers to is declared by an export or a segment (specification,
    /// section 3.4.13, "Modules"), so what was exported is declared by a segment.
    fn export_nothing(&mut self) {
        self.exports = ExportSection::new();
        if !self.refers_to_functions {
            return;
        }
        let functions = self.exported.values().filter(|(kind, _)| is_function(*kind));
        let mut functions: Vec<u32> = functions.map(|(_, index)| *index).collect();
        functions.sort_unstable();
        self.elements.declared(wasm_encoder::Elements::Functions(functions.into()));
    }

    /// Writes an action, whose results are left on the stack as integers; their types.
    fn act(
        &self,
        action: &Action,
        code: &mut Vec<u8>,
        locals: &mut Vec<ValType>,
    ) -> Result<Vec<ValType>, String> {
        let results = match action {
            Action::Instantiate { .. } => Vec::new(),
            Action::Invoke { export, args, .. } => {
                let Some((_, index)) = self.exported.get(export).filter(|(kind, _)| is_function(*kind))
                else {
                    return Err(format!("no function `{export}`"));
                };
                let signature = &self.signatures[self.function_types[*index as usize] as usize];
                let (params, results) = signature.as_ref().ok_or("a function without a function's type")?;
                let mut sink = InstructionSink::new(code);
                for (arg, ty) in args.iter().zip(params) {
                    constant_into(arg, *ty, &mut sink)?;
                }
                sink.call(*index);
                results.clone()
            }
            Action::Read { export, .. } => {
                let Some((ExternalKind::Global, index)) = self.exported.get(export) else {
                    return Err(format!("no global `{export}`"));
                };
                InstructionSink::new(code).global_get(*index);
                vec![self.global_types[*index as usize]]
            }
        };
        let mut sink = InstructionSink::new(code);
        let first = locals.len() as u32;
        locals.extend(&results);
        for number in (0..results.len() as u32).rev() {
            sink.local_set(first + number);
        }
        for (ty, local) in results.iter().zip(first..) {
            sink.local_get(local);
            match ty {
                ValType::I32 | ValType::I64 => {}
                ValType::F32 => _ = sink.i32_reinterpret_f32(),
                ValType::F64 => _ = sink.i64_reinterpret_f64(),
                ValType::V128 => {
                    sink.i64x2_extract_lane(0).local_get(local).i64x2_extract_lane(1);
                }
                ValType::Ref(_) => _ = sink.ref_is_null(),
            }
        }
        Ok(results)
    }

    fn finish(self, code: &CodeSection) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.functions);
        if !self.tables.is_empty() {
            module.section(&self.tables);
        }
        if !self.memories.is_empty() {
            module.section(&self.memories);
        }
        if !self.globals.is_empty() {
            module.section(&self.globals);
        }
        module.section(&self.exports);
        if let Some(function_index) = self.start {
            module.section(&StartSection { function_index });
        }
        if !self.elements.is_empty() {
            module.section(&self.elements);
        }
        if let Some(count) = self.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(code);
        if !self.data.is_empty() {
            module.section(&self.data);
        }
        module.finish()
    }
}

fn is_function(kind: ExternalKind) -> bool {
    matches!(kind, ExternalKind::Func | ExternalKind::FuncExact)
}

fn val_types(types: &[wasmparser::ValType]) -> Result<Vec<ValType>, Error> {
    types.iter().map(|ty| RoundtripReencoder.val_type(*ty)).collect()
}

/// What the host's global of an import holds, if it is one.
fn host_value(import: &ModuleImport, number: u32, host: &Host) -> Option<Value> {
    match &import.ty {
        ExternType::Global(ty) => host.global(number, ty.content),
        ExternType::Func(_) | ExternType::Table(_) | ExternType::Memory(_) | ExternType::Tag(_) => None,
    }
}

/// Whether an import is one of a module that was made of several, and has its number for a name.
fn is_numbered(import: &ModuleImport) -> bool {
    import.module == joined::HOST
}

/// Whether a value is of that type.
pub(super) fn is_of(value: &Value, ty: ValType) -> bool {
    matches!(
        (value, ty),
        (Value::I32(_), ValType::I32)
            | (Value::I64(_), ValType::I64)
            | (Value::F32(_), ValType::F32)
            | (Value::F64(_), ValType::F64)
            | (Value::V128(_), ValType::V128)
            | (Value::Ref(RefValue::Null(_)), ValType::Ref(RefType { nullable: true, .. }))
    )
}

/// Writes a value of that type. Fails for references to something.
pub(super) fn constant_into(
    value: &Value,
    ty: ValType,
    sink: &mut InstructionSink<'_>,
) -> Result<(), String> {
    match (value, ty) {
        (Value::I32(bits), _) => sink.i32_const(*bits as i32),
        (Value::I64(bits), _) => sink.i64_const(*bits as i64),
        (Value::F32(bits), _) => sink.f32_const(wasm_encoder::Ieee32::new(*bits)),
        (Value::F64(bits), _) => sink.f64_const(wasm_encoder::Ieee64::new(*bits)),
        (Value::V128(bits), _) => sink.v128_const(*bits as i128),
        (Value::Ref(RefValue::Null(_)), ValType::Ref(RefType { heap_type, .. })) => sink.ref_null(heap_type),
        (Value::Ref(_), _) => return Err(format!("no constant is {value}")),
    };
    Ok(())
}

/// A value of that type as a constant expression; none for references to something.
fn constant(value: &Value, ty: ValType) -> Option<ConstExpr> {
    Some(match value {
        Value::I32(bits) => ConstExpr::i32_const(*bits as i32),
        Value::I64(bits) => ConstExpr::i64_const(*bits as i64),
        Value::F32(bits) => ConstExpr::f32_const(wasm_encoder::Ieee32::new(*bits)),
        Value::F64(bits) => ConstExpr::f64_const(wasm_encoder::Ieee64::new(*bits)),
        Value::V128(bits) => ConstExpr::v128_const(*bits as i128),
        Value::Ref(RefValue::Null(_)) => match ty {
            ValType::Ref(RefType { heap_type, .. }) => ConstExpr::ref_null(heap_type),
            _ => ConstExpr::ref_null(HeapType::Abstract { shared: false, ty: AbstractHeapType::Func }),
        },
        Value::Ref(_) => return None,
    })
}
