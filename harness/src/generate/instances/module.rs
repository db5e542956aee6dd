//! The modules of a case.

use super::body::{Body, Home, SEGMENT_BYTES};
use super::{
    IMPORTERS, NAMES, NEXT, NUMBERS, OWN_GLOBALS, Plan, REGISTERED, SINK, Signature, Stream, TYPES, Ty,
};
use crate::generate::numbers::{encoded, global_type, globals};
use std::borrow::Cow;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, HeapType, ImportSection, MemorySection,
    MemoryType, Module, RefType, StartSection, TableSection, TableType, TypeSection,
};

/// The types after those of registered functions: of the host, and of start functions.
const HOST_TYPE: u32 = TYPES;
const START_TYPE: u32 = TYPES + 1;
/// The host comes first in every index space.
pub(super) const HOST: u32 = 0;

/// What all instances share: the table, and two globals.
pub(super) fn shared(stream: &mut Stream) -> Vec<u8> {
    let mut globals = GlobalSection::new();
    globals.global(global_type(Ty::I64), &ConstExpr::i64_const(stream.u64() as i64));
    globals.global(global_type(Ty::I32), &ConstExpr::i32_const(0));
    let mut tables = TableSection::new();
    tables.table(table_type());
    let mut exports = ExportSection::new();
    exports.export("t", ExportKind::Table, 0);
    exports.export("sink", ExportKind::Global, SINK);
    exports.export("next", ExportKind::Global, NEXT);
    let mut module = Module::new();
    module.section(&tables).section(&globals).section(&exports);
    module.finish()
}

/// The module that puts its functions into the table when it is instantiated.
pub(super) fn registering(plan: &Plan, stream: &mut Stream) -> Vec<u8> {
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    let home = Home {
        first: HOST + 1,
        direct: HOST + 1..HOST + 1 + REGISTERED,
        memories: 1,
        has_segment: plan.choices.bulk,
    };
    for number in 0..REGISTERED {
        functions.function(number % TYPES);
        exports.export(&format!("f{number}"), ExportKind::Func, home.first + number);
        code.function(&Body::write(plan, &home, number, stream));
    }
    let start = home.first + REGISTERED;
    functions.function(START_TYPE);
    code.function(&register(home.first));
    exports.export("m", ExportKind::Memory, 0);
    export_globals(&mut exports);
    let mut memories = MemorySection::new();
    memories.memory(memory_type(plan));
    let mut segments = ElementSection::new();
    segments.declared(Elements::Functions(Cow::Owned(home.direct.clone().collect())));
    let mut module = Module::new();
    module.section(&types(plan)).section(&imports()).section(&functions).section(&memories);
    module
        .section(&globals(NUMBERS, stream))
        .section(&exports)
        .section(&StartSection { function_index: start });
    module.section(&segments);
    let data = data(plan, stream);
    if plan.choices.bulk {
        module.section(&DataCountSection { count: data.len() });
    }
    module.section(&code).section(&data);
    module.finish()
}

/// The module that imports functions and memory of the latest instance of that one, all of them twice.
pub(super) fn importing(plan: &Plan, stream: &mut Stream) -> Vec<u8> {
    let mut imports = imports();
    for _ in 0..2 {
        for number in 0..REGISTERED {
            imports.import(NAMES[1], &format!("f{number}"), EntityType::Function(number % TYPES));
        }
    }
    let memories = if plan.choices.two_memories { 2 } else { 1 };
    (0..memories).for_each(|_| {
        imports.import(NAMES[1], "m", memory_type(plan));
    });
    let direct = HOST + 1..HOST + 1 + 2 * REGISTERED;
    let home = Home { first: direct.end, direct, memories, has_segment: false };
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for number in 0..IMPORTERS {
        functions.function(number % TYPES);
        exports.export(&format!("f{number}"), ExportKind::Func, home.first + number);
        code.function(&Body::write(plan, &home, number, stream));
    }
    exports.export("m", ExportKind::Memory, 0);
    export_globals(&mut exports);
    let mut segments = ElementSection::new();
    segments.declared(Elements::Functions(Cow::Owned(home.direct.clone().collect())));
    let mut module = Module::new();
    module.section(&types(plan)).section(&imports).section(&functions).section(&globals(NUMBERS, stream));
    module.section(&exports).section(&segments).section(&code);
    module.finish()
}

/// Grows the table and puts the functions into it.
fn register(first: u32) -> Function {
    let mut function = Function::new([]);
    let mut op = function.instructions();
    op.ref_null(HeapType::FUNC).i32_const(REGISTERED as i32).table_grow(0).global_set(NEXT);
    for number in 0..REGISTERED {
        op.global_get(NEXT).ref_func(first + number).table_set(0);
        op.global_get(NEXT).i32_const(1).i32_add().global_set(NEXT);
    }
    op.end();
    function
}

fn types(plan: &Plan) -> TypeSection {
    let mut types = TypeSection::new();
    for Signature { params, results } in plan.types.iter().chain([&plan.host]) {
        types.ty().function(encoded(params), encoded(results));
    }
    types.ty().function([], []);
    types
}

/// What every module but the first imports.
fn imports() -> ImportSection {
    let mut imports = ImportSection::new();
    imports.import("env", "h", EntityType::Function(HOST_TYPE));
    imports.import(NAMES[0], "t", table_type());
    imports.import(NAMES[0], "sink", global_type(Ty::I64));
    imports.import(NAMES[0], "next", global_type(Ty::I32));
    imports
}

fn table_type() -> TableType {
    TableType { element_type: RefType::FUNCREF, table64: false, minimum: 0, maximum: None, shared: false }
}

fn memory_type(plan: &Plan) -> MemoryType {
    MemoryType {
        minimum: 1,
        maximum: Some(4),
        memory64: plan.choices.memory64,
        shared: false,
        page_size_log2: None,
    }
}

fn export_globals(exports: &mut ExportSection) {
    for (number, global) in (0..NUMBERS.len()).zip(OWN_GLOBALS..) {
        exports.export(&format!("g{number}"), ExportKind::Global, global);
    }
}

fn data(plan: &Plan, stream: &mut Stream) -> DataSection {
    let mut bytes = [0; 64];
    stream.fill(&mut bytes);
    let start = match plan.choices.memory64 {
        true => ConstExpr::i64_const(0),
        false => ConstExpr::i32_const(0),
    };
    let mut data = DataSection::new();
    if plan.choices.bulk {
        let mut segment = [0; SEGMENT_BYTES as usize];
        stream.fill(&mut segment);
        data.passive(segment);
    }
    data.active(0, &start, bytes);
    data
}
