//! Modules that stand between a guest and JavaScript, whose numbers lose the bits of a NaN and which has no vectors.
//!
//! Every number that crosses the border goes through memory, a slot of 16 bytes a value from address 0 on. One memory
//! does for all, for it is not needed for longer than a call into or out of JavaScript: what calls the guest has
//! loaded the arguments when the guest runs, and stores results when it has returned. References are passed.
//!
//! All three kinds of modules start with the types of the guest's module, so that type indices are the same.

use crate::subject::provider::{Known, known};
use crate::subject::surface::{Export, Surface};
use crate::wasm::sections::extend_section;
use wasm_encoder::{
    CodeSection, Encode, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    InstructionSink, MemArg, MemArgTarget, Module, RawSection, ValType,
};
use wasmparser::{ExternalKind, FuncType};

/// Bytes of a value.
pub(super) const SLOT_BYTES: usize = 16;

/// Values for which the memory, of one page, has room.
const MOST_SLOTS: usize = (1 << 16) / SLOT_BYTES;

/// Values of a type that are no numbers.
pub(super) fn is_ref(ty: wasmparser::ValType) -> bool {
    matches!(ty, wasmparser::ValType::Ref(_))
}

/// A module with a function of the guest's type for each of these functions of the guest's module, which leaves its
/// arguments in memory and asks JavaScript. What the host refuses is a trap. Empty if there are none.
pub(super) fn wrappers(surface: &Surface, funcs: &[u32]) -> Known<Vec<u8>> {
    if funcs.is_empty() {
        return Ok(Vec::new());
    }
    let mut bridge = Bridge::new(surface);
    for func in funcs {
        let params = bridge.refs(surface.func_type(*func).params())?;
        let ty = bridge.own_type(&params, &[ValType::I32]);
        bridge.imports.import("", "", EntityType::Function(ty));
    }
    for (number, func) in (0..).zip(funcs) {
        bridge.functions.function(surface.funcs[*func as usize]);
        bridge.code.function(&wrapper(number, surface.func_type(*func))?);
        bridge.exports.export(&number.to_string(), ExportKind::Func, funcs.len() as u32 + number);
    }
    Ok(bridge.finish())
}

fn wrapper(ask: u32, ty: &FuncType) -> Known<Function> {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for (slot, ty) in (0..).zip(ty.params()) {
        store(&mut code, *ty, slot, slot);
    }
    for (local, _) in (0..).zip(ty.params()).filter(|(_, ty)| is_ref(**ty)) {
        code.local_get(local);
    }
    code.call(ask).if_(wasm_encoder::BlockType::Empty).unreachable().end();
    for (slot, ty) in (0..).zip(ty.results()) {
        match known(*ty)? {
            // The host answers with no other reference.
            ValType::Ref(ty) if ty.nullable => code.ref_null(ty.heap_type),
            ValType::Ref(_) => code.unreachable(),
            _ => load(&mut code, *ty, slot),
        };
    }
    code.end();
    Ok(function)
}

/// A module that imports what an instance exports and makes it accessible: `c0`, `c1` and so on call the exported
/// functions, in order, with arguments from memory and results to it; `g` stores all exported globals of numbers.
pub(super) fn view(surface: &Surface) -> Known<Vec<u8>> {
    if numeric_globals(surface).count() > MOST_SLOTS {
        return Err(format!("more than {MOST_SLOTS} exported globals"));
    }
    let mut bridge = Bridge::new(surface);
    let funcs: Vec<u32> = surface.exports_of(ExternalKind::Func).map(|export| export.index).collect();
    let globals: Vec<u32> = numeric_globals(surface).map(|export| export.index).collect();
    for func in &funcs {
        bridge.imports.import("", "", EntityType::Function(surface.funcs[*func as usize]));
    }
    for global in &globals {
        let ty = surface.globals[*global as usize];
        bridge.imports.import("", "", EntityType::Global(known(ty)?));
    }
    let imported = funcs.len() as u32;
    for (number, func) in (0..).zip(&funcs) {
        let ty = surface.func_type(*func);
        let (params, results) = (bridge.refs(ty.params())?, bridge.refs(ty.results())?);
        let own = bridge.own_type(&params, &results);
        bridge.functions.function(own);
        bridge.code.function(&caller(number, ty)?);
        bridge.exports.export(&format!("c{number}"), ExportKind::Func, imported + number);
    }
    let own = bridge.own_type(&[], &[]);
    bridge.functions.function(own);
    let mut reader = Function::new([]);
    let mut code = reader.instructions();
    for (number, global) in (0..).zip(&globals) {
        let ty = surface.globals[*global as usize].content_type;
        code.i32_const(0).global_get(number);
        store_on(&mut code, ty, number);
    }
    code.end();
    bridge.code.function(&reader);
    bridge.exports.export("g", ExportKind::Func, 2 * imported);
    Ok(bridge.finish())
}

/// The exported globals that hold numbers, in order.
pub(super) fn numeric_globals(surface: &Surface) -> impl Iterator<Item = &Export> + Clone {
    surface.exports_of(ExternalKind::Global).filter(|export| !is_ref(surface.content(export)))
}

fn caller(callee: u32, ty: &FuncType) -> Known<Function> {
    let refs = ty.params().iter().filter(|ty| is_ref(**ty)).count() as u32;
    let locals = ty.results().iter().map(|ty| known(*ty)).collect::<Known<Vec<ValType>>>()?;
    let mut function = Function::new_with_locals_types(locals);
    let mut code = function.instructions();
    let mut next_ref = 0;
    for (slot, ty) in (0..).zip(ty.params()) {
        if is_ref(*ty) {
            code.local_get(next_ref);
            next_ref += 1;
        } else {
            load(&mut code, *ty, slot);
        }
    }
    code.call(callee);
    for local in (0..ty.results().len() as u32).rev() {
        code.local_set(refs + local);
    }
    for (slot, ty) in (0..).zip(ty.results()) {
        store(&mut code, *ty, slot, refs + slot);
    }
    for (local, _) in (0..).zip(ty.results()).filter(|(_, ty)| is_ref(**ty)) {
        code.local_get(refs + local);
    }
    code.end();
    Ok(function)
}

/// Stores a number from a local to its slot; leaves references where they are.
fn store(code: &mut InstructionSink<'_>, ty: wasmparser::ValType, slot: u32, local: u32) {
    if !is_ref(ty) {
        code.i32_const(0).local_get(local);
        store_on(code, ty, slot);
    }
}

fn at(slot: u32) -> MemArg {
    MemArg {
        offset: u64::from(slot) * SLOT_BYTES as u64,
        align: 0,
        target: MemArgTarget::Memory(0),
        ordering: None,
    }
}

fn store_on(code: &mut InstructionSink<'_>, ty: wasmparser::ValType, slot: u32) {
    match ty {
        wasmparser::ValType::I32 => code.i32_store(at(slot)),
        wasmparser::ValType::I64 => code.i64_store(at(slot)),
        wasmparser::ValType::F32 => code.f32_store(at(slot)),
        wasmparser::ValType::F64 => code.f64_store(at(slot)),
        wasmparser::ValType::V128 => code.v128_store(at(slot)),
        wasmparser::ValType::Ref(_) => unreachable!("references do not go through memory"),
    };
}

fn load<'a, 'b>(
    code: &'a mut InstructionSink<'b>,
    ty: wasmparser::ValType,
    slot: u32,
) -> &'a mut InstructionSink<'b> {
    code.i32_const(0);
    match ty {
        wasmparser::ValType::I32 => code.i32_load(at(slot)),
        wasmparser::ValType::I64 => code.i64_load(at(slot)),
        wasmparser::ValType::F32 => code.f32_load(at(slot)),
        wasmparser::ValType::F64 => code.f64_load(at(slot)),
        wasmparser::ValType::V128 => code.v128_load(at(slot)),
        wasmparser::ValType::Ref(_) => unreachable!("references do not go through memory"),
    }
}

/// A module in the making that has the guest's types and the memory.
struct Bridge<'a> {
    surface: &'a Surface,
    own_types: Vec<u8>,
    own_type_count: u32,
    imports: ImportSection,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
}

impl<'a> Bridge<'a> {
    fn new(surface: &'a Surface) -> Bridge<'a> {
        let mut imports = ImportSection::new();
        let memory = wasm_encoder::MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        imports.import("", "", EntityType::Memory(memory));
        Bridge {
            surface,
            own_types: Vec::new(),
            own_type_count: 0,
            imports,
            functions: FunctionSection::new(),
            exports: ExportSection::new(),
            code: CodeSection::new(),
        }
    }

    /// Those of the types that are references.
    fn refs(&self, types: &[wasmparser::ValType]) -> Known<Vec<ValType>> {
        types.iter().filter(|ty| is_ref(**ty)).map(|ty| known(*ty)).collect()
    }

    /// The index of a function type of the bridge's own.
    fn own_type(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        self.own_types.push(0x60);
        params.encode(&mut self.own_types);
        results.encode(&mut self.own_types);
        self.own_type_count += 1;
        self.surface.types.len() as u32 + self.own_type_count - 1
    }

    fn finish(self) -> Vec<u8> {
        let types = extend_section(&self.surface.type_section, self.own_type_count, &self.own_types)
            .expect("the section was read before");
        let mut module = Module::new();
        module.section(&RawSection { id: 1, data: &types }).section(&self.imports).section(&self.functions);
        module.section(&self.exports).section(&self.code);
        module.finish()
    }
}
