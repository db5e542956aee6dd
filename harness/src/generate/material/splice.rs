//! A function of one program in another one.
//!
//! What the function refers to comes along or is found there: the memory, table or global of the other program if one of
//! that type is there, else a new one; the functions that it calls up to some number, beyond that one of the same type, else
//! one that gives constants. Calls of it stand in the middle of the other program's expressions, and it is exported.

use super::change::{Change, Site, encoded, number, push_constant};
use crate::draw::Stream;
use crate::wasm::functions::{function_types, signatures};
use crate::wasm::sections::EXPORT_SECTION;
use crate::wasm::spaces::Space;
use crate::wasm::tree::bodies;
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Error, Reencode, RoundtripReencoder, utils};
use wasm_encoder::{Encode, ExportKind, Function, InstructionSink};
use wasmparser::{
    FuncType, FunctionBody, GlobalType, HeapType, MemoryType, Parser, Payload, TableType, TypeRef, ValType,
    Validator, WasmFeatures,
};

/// Numbers of sections that only this file adds to.
const TABLE_SECTION: u8 = 4;
const MEMORY_SECTION: u8 = 5;

/// Functions that come along at most.
const MOST_FUNCTIONS: usize = 5;
/// Bytes of the function that is spliced, at most.
const MOST_BYTES: usize = 800;
/// Attempts, at a function and at a place for a call of it.
const TRIES: usize = 6;

/// The first program with a function of the second; none if no function of it would fit.
pub(super) fn spliced(
    wasm: &[u8],
    donor: &[u8],
    allowed: WasmFeatures,
    stream: &mut Stream,
) -> Option<Vec<u8>> {
    let (host, donor) = (Program::of(wasm)?, Program::of(donor)?);
    if donor.bodies.is_empty() {
        return None;
    }
    (0..TRIES).find_map(|_| {
        let body = stream.below(donor.bodies.len() as u64) as usize;
        let func = (donor.functions.len() - donor.bodies.len() + body) as u32;
        let range = donor.bodies[body].range();
        if range.end - range.start > MOST_BYTES as u64 {
            return None;
        }
        let mut change = Change::of(wasm)?;
        let signature = donor.signature(func)?.clone();
        let mut graft = Graft::new(&host, &donor, &mut change, stream);
        let new = graft.function_index(func).ok()?;
        graft.finish()?;
        export(new, &mut change);
        call(wasm, new, &signature, &mut change, stream);
        let changed = change.made()?;
        Validator::new_with_features(allowed).validate_all(&changed).is_ok().then_some(changed)
    })
}

/// Exports a function, under a name that hardly any module has.
fn export(func: u32, change: &mut Change<'_>) {
    let mut entry = Vec::new();
    format!("spliced {func}").as_str().encode(&mut entry);
    ExportKind::Func.encode(&mut entry);
    func.encode(&mut entry);
    change.add(Space::Export, EXPORT_SECTION, entry);
}

/// Calls a function after an expression of the program: the value is an argument where it fits, and results are seen in
/// globals; one that fits stands for the value from there on.
fn call(
    wasm: &[u8],
    func: u32,
    signature: &FuncType,
    change: &mut Change<'_>,
    stream: &mut Stream,
) -> Option<()> {
    let bodies: Vec<_> = bodies(wasm).into_iter().filter(|body| !body.nodes.is_empty()).collect();
    if bodies.is_empty() {
        return None;
    }
    let (site, ty) = (0..TRIES).find_map(|_| {
        let body = stream.pick(&bodies);
        let site = Site { wasm, body, node: stream.pick(&body.nodes) };
        let ty = site.value().filter(|ty| number(*ty).is_some())?;
        Some((site, ty))
    })?;
    let mut code = Vec::new();
    // All constants first: what cannot be made leaves the change as it is.
    let results: Vec<u32> =
        signature.results().iter().map(|ty| change.variable(*ty, stream)).collect::<Option<_>>()?;
    let kept = change.local(site.body, ty);
    InstructionSink::new(&mut code).local_set(kept);
    for param in signature.params() {
        if *param == ty && stream.percent(70) {
            InstructionSink::new(&mut code).local_get(kept);
        } else {
            site.push_any(*param, stream, &mut code)?;
        }
    }
    let mut op = InstructionSink::new(&mut code);
    op.call(func);
    for global in results.iter().rev() {
        op.global_set(*global);
    }
    let fitting = results.iter().zip(signature.results()).find(|(_, result)| **result == ty);
    match fitting.filter(|_| stream.percent(60)) {
        Some((global, _)) => op.global_get(*global),
        None => op.local_get(kept),
    };
    let end = site.node.bytes.end;
    change.edit(site.body, end..end, code);
    Some(())
}

/// What a module has, imports included, and the bodies of its functions.
struct Program<'a> {
    signatures: Vec<Option<FuncType>>,
    /// The type of each function.
    functions: Vec<u32>,
    tables: Vec<TableType>,
    memories: Vec<MemoryType>,
    globals: Vec<GlobalType>,
    bodies: Vec<FunctionBody<'a>>,
}

impl<'a> Program<'a> {
    fn of(wasm: &'a [u8]) -> Option<Program<'a>> {
        let (signatures, functions) = (signatures(wasm).ok()?, function_types(wasm).ok()?);
        let (tables, memories, globals, bodies) = Default::default();
        let mut program = Program { signatures, functions, tables, memories, globals, bodies };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.ok()? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import.ok()?.ty {
                            TypeRef::Table(ty) => program.tables.push(ty),
                            TypeRef::Memory(ty) => program.memories.push(ty),
                            TypeRef::Global(ty) => program.globals.push(ty),
                            TypeRef::Func(_) | TypeRef::FuncExact(_) | TypeRef::Tag(_) => {}
                        }
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        program.tables.push(table.ok()?.ty);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        program.memories.push(memory.ok()?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        program.globals.push(global.ok()?.ty);
                    }
                }
                Payload::CodeSectionEntry(body) => program.bodies.push(body),
                _ => {}
            }
        }
        Some(program)
    }

    /// What a function takes and gives; none if types of the module are part of it.
    fn signature(&self, func: u32) -> Option<&FuncType> {
        self.signature_of_type(*self.functions.get(func as usize)?)
    }

    fn signature_of_type(&self, ty: u32) -> Option<&FuncType> {
        let signature = self.signatures.get(ty as usize)?.as_ref()?;
        let is_known = |ty: &ValType| match ty {
            ValType::Ref(ty) => matches!(ty.heap_type(), HeapType::Abstract { .. }),
            _ => true,
        };
        signature.params().iter().chain(signature.results()).all(is_known).then_some(signature)
    }

    /// The body of a function; none of an imported one.
    fn body(&self, func: u32) -> Option<&FunctionBody<'a>> {
        let imported = self.functions.len() - self.bodies.len();
        self.bodies.get((func as usize).checked_sub(imported)?)
    }
}

/// What the function needs is not there, and cannot be brought along.
#[derive(Debug)]
struct Missing;

type Written<T> = Result<T, Error<Missing>>;

/// Functions on their way from one program into another one.
struct Graft<'a, 'c, 'w> {
    host: &'a Program<'a>,
    donor: &'a Program<'a>,
    change: &'c mut Change<'w>,
    stream: &'c mut Stream,
    /// The index of the first function that comes along. None is added before all are known.
    first: u32,
    /// Functions of the donor that come along, in the order of their indices.
    coming: Vec<u32>,
    types: BTreeMap<u32, u32>,
    functions: BTreeMap<u32, u32>,
    tables: BTreeMap<u32, u32>,
    memories: BTreeMap<u32, u32>,
    globals: BTreeMap<u32, u32>,
}

impl<'a, 'c, 'w> Graft<'a, 'c, 'w> {
    fn new(
        host: &'a Program<'a>,
        donor: &'a Program<'a>,
        change: &'c mut Change<'w>,
        stream: &'c mut Stream,
    ) -> Graft<'a, 'c, 'w> {
        let first = change.count(Space::Func);
        let (types, functions, tables, memories, globals) = Default::default();
        let coming = Vec::new();
        Graft { host, donor, change, stream, first, coming, types, functions, tables, memories, globals }
    }

    /// Adds the functions that come along, with those that they call.
    fn finish(mut self) -> Option<()> {
        let mut next = 0;
        while let Some(func) = self.coming.get(next).copied() {
            next += 1;
            let ty = self.type_index(self.donor.functions[func as usize]).ok()?;
            let body = match self.donor.body(func).filter(|_| next <= MOST_FUNCTIONS) {
                Some(body) => self.body(body).ok()?,
                None => self.stub(func)?,
            };
            self.change.function_of(ty, &body);
        }
        Some(())
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Written<Vec<u8>> {
        let mut function = self.new_function_with_parsed_locals(body)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            utils::parse_instruction(self, &mut reader)
                .map(|instruction| function.instruction(&instruction))?;
        }
        Ok(function.into_raw_body())
    }

    /// A function that gives constants.
    fn stub(&mut self, func: u32) -> Option<Vec<u8>> {
        let mut code = Vec::new();
        for ty in self.donor.signature(func)?.results() {
            push_constant(*ty, self.stream, &mut code)?;
        }
        let mut function = Function::new([]);
        function.raw(code);
        function.instructions().end();
        Some(function.into_raw_body())
    }

    /// One of the indices of the other program at which there is what fits, drawn once.
    fn drawn<T>(&mut self, all: &[T], fits: impl Fn(&T) -> bool) -> Option<u32> {
        let fitting: Vec<u32> =
            (0u32..).zip(all).filter(|(_, of)| fits(of)).map(|(index, _)| index).collect();
        if fitting.is_empty() { None } else { Some(*self.stream.pick(&fitting)) }
    }

    fn new_table(&mut self, ty: TableType) -> Option<u32> {
        let ty = TableType { initial: ty.initial.min(100), maximum: None, ..ty };
        let mut entry = Vec::new();
        RoundtripReencoder.table_type(ty).ok()?.encode(&mut entry);
        Some(self.change.add(Space::Table, TABLE_SECTION, entry))
    }

    fn new_memory(&mut self, ty: MemoryType) -> Option<u32> {
        let ty = MemoryType { initial: ty.initial.min(2), ..ty };
        let mut entry = Vec::new();
        RoundtripReencoder.memory_type(ty).ok()?.encode(&mut entry);
        Some(self.change.add(Space::Memory, MEMORY_SECTION, entry))
    }

    fn new_global(&mut self, ty: GlobalType) -> Option<u32> {
        encoded(ty.content_type)?;
        let mut init = Vec::new();
        push_constant(ty.content_type, self.stream, &mut init)?;
        self.change.global(ty.content_type, ty.mutable, &init)
    }
}

impl Reencode for Graft<'_, '_, '_> {
    type Error = Missing;

    fn type_index(&mut self, ty: u32) -> Written<u32> {
        if let Some(known) = self.types.get(&ty) {
            return Ok(*known);
        }
        let donor = self.donor;
        let signature = donor.signature_of_type(ty).ok_or(Error::UserError(Missing))?;
        let new = self.change.ty(signature.params(), signature.results()).ok_or(Error::UserError(Missing))?;
        self.types.insert(ty, new);
        Ok(new)
    }

    fn function_index(&mut self, func: u32) -> Written<u32> {
        if let Some(known) = self.functions.get(&func) {
            return Ok(*known);
        }
        let host = self.host;
        let comes = self.donor.body(func).is_some() && self.coming.len() < MOST_FUNCTIONS;
        let donor = self.donor;
        let signature = donor.signature(func).ok_or(Error::UserError(Missing))?;
        let same = |ty: &u32| host.signature_of_type(*ty) == Some(signature);
        let there = if comes { None } else { self.drawn(&host.functions, same) };
        let index = there.unwrap_or_else(|| {
            self.coming.push(func);
            self.first + self.coming.len() as u32 - 1
        });
        self.functions.insert(func, index);
        Ok(index)
    }

    fn table_index(&mut self, table: u32) -> Written<u32> {
        if let Some(known) = self.tables.get(&table) {
            return Ok(*known);
        }
        let ty = *self.donor.tables.get(table as usize).ok_or(Error::UserError(Missing))?;
        let host = self.host;
        let fits = |of: &TableType| of.element_type == ty.element_type && of.table64 == ty.table64;
        let index = self.drawn(&host.tables, fits).or_else(|| self.new_table(ty));
        let index = index.ok_or(Error::UserError(Missing))?;
        self.tables.insert(table, index);
        Ok(index)
    }

    fn memory_index(&mut self, memory: u32) -> Written<u32> {
        if let Some(known) = self.memories.get(&memory) {
            return Ok(*known);
        }
        let ty = *self.donor.memories.get(memory as usize).ok_or(Error::UserError(Missing))?;
        let host = self.host;
        let fits = |of: &MemoryType| of.memory64 == ty.memory64 && of.shared == ty.shared;
        let index = self.drawn(&host.memories, fits).or_else(|| self.new_memory(ty));
        let index = index.ok_or(Error::UserError(Missing))?;
        self.memories.insert(memory, index);
        Ok(index)
    }

    fn global_index(&mut self, global: u32) -> Written<u32> {
        if let Some(known) = self.globals.get(&global) {
            return Ok(*known);
        }
        let ty = *self.donor.globals.get(global as usize).ok_or(Error::UserError(Missing))?;
        let host = self.host;
        let fits = |of: &GlobalType| of.content_type == ty.content_type && of.mutable >= ty.mutable;
        let index = self.drawn(&host.globals, fits).or_else(|| self.new_global(ty));
        let index = index.ok_or(Error::UserError(Missing))?;
        self.globals.insert(global, index);
        Ok(index)
    }

    fn data_index(&mut self, _: u32) -> Written<u32> {
        Err(Error::UserError(Missing))
    }

    fn element_index(&mut self, _: u32) -> Written<u32> {
        Err(Error::UserError(Missing))
    }

    fn tag_index(&mut self, _: u32) -> Written<u32> {
        Err(Error::UserError(Missing))
    }
}
