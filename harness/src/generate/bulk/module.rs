//! The modules of a case: that of the exercises, and perhaps one that owns the memories, tables and globals.

use super::{DROPPED_LENGTH, GLOBALS, Object, PAGE, PROVIDER, SEGMENTS, SINK, Stream, Ty, World};
use crate::generate::numbers::{NUMBERS, global_type, globals, sink_and};
use std::borrow::Cow;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, HeapType, ImportSection, MemorySection, MemoryType, Module,
    RefType, TableSection, TableType, TypeSection, ValType,
};

/// The types: of functions with exercises, and of functions that grow, by the type they give.
pub(super) const BODY: u32 = 0;
const GROW: [u32; 2] = [1, 2];

/// The module that owns everything but the exercises.
pub(super) fn provider(world: &World, stream: &mut Stream) -> Vec<u8> {
    let mut exports = ExportSection::new();
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for index in 0..world.growers() {
        functions.function(grower_type(world, index));
        exports.export(&format!("c{index}"), ExportKind::Func, index);
        code.function(&grower(world, index));
    }
    for (kind, prefix, count) in [
        (ExportKind::Memory, 'm', world.memories.len()),
        (ExportKind::Table, 't', world.tables.len()),
        (ExportKind::Global, 'g', 1 + NUMBERS.len()),
    ] {
        for index in 0..count as u32 {
            exports.export(&format!("{prefix}{index}"), kind, index);
        }
    }
    let mut module = Module::new();
    module.section(&types()).section(&functions).section(&tables(world)).section(&memories(world));
    module.section(&globals(sink_and(NUMBERS.len()), stream)).section(&exports);
    let (mut segments, mut data) = (ElementSection::new(), DataSection::new());
    fill_tables(world, world.growers(), &mut segments);
    fill_memories(world, stream, &mut data);
    module.section(&segments).section(&code).section(&data);
    module.finish()
}

/// The module of the exercises, which has everything that no provider has.
pub(super) fn user(world: &World, bodies: &[Function], stream: &mut Stream) -> Vec<u8> {
    let mut imports = ImportSection::new();
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    if world.has_provider {
        import_all(world, &mut imports);
    } else {
        for index in 0..world.growers() {
            functions.function(grower_type(world, index));
            code.function(&grower(world, index));
        }
    }
    let mut exports = ExportSection::new();
    let first = world.growers();
    for (number, body) in (0..).zip(bodies) {
        functions.function(BODY);
        exports.export(&format!("b{number}"), ExportKind::Func, first + number);
        code.function(body);
    }
    for index in 0..world.memory_views.len() as u32 {
        exports.export(&format!("m{index}"), ExportKind::Memory, index);
    }
    for index in 0..world.table_views.len() as u32 {
        exports.export(&format!("t{index}"), ExportKind::Table, index);
    }
    for index in 0..GLOBALS + NUMBERS.len() as u32 {
        exports.export(&format!("g{index}"), ExportKind::Global, index);
    }
    let total = first + bodies.len() as u32;
    let mut segments = ElementSection::new();
    for length in SEGMENTS.into_iter().chain([DROPPED_LENGTH]) {
        let elements: Vec<u32> = (0..length as u32).map(|element| element % total).collect();
        segments.passive(Elements::Functions(Cow::Owned(elements)));
    }
    let mut data = DataSection::new();
    for length in SEGMENTS.into_iter().chain([DROPPED_LENGTH]) {
        let mut bytes = vec![0; length as usize];
        stream.fill(&mut bytes);
        data.passive(bytes);
    }
    if !world.has_provider {
        fill_tables(world, total, &mut segments);
        fill_memories(world, stream, &mut data);
    }
    let mut module = Module::new();
    module.section(&types()).section(&imports).section(&functions);
    if !world.has_provider {
        module
            .section(&tables(world))
            .section(&memories(world))
            .section(&globals(sink_and(NUMBERS.len()), stream));
    }
    module.section(&exports).section(&segments).section(&DataCountSection { count: data.len() });
    module.section(&code).section(&data);
    module.finish()
}

/// Every object as often as there are indices for it.
fn import_all(world: &World, imports: &mut ImportSection) {
    for index in 0..world.growers() {
        imports.import(PROVIDER, &format!("c{index}"), EntityType::Function(grower_type(world, index)));
    }
    for memory in &world.memory_views {
        imports.import(PROVIDER, &format!("m{memory}"), memory_type(world.memories[*memory]));
    }
    for table in &world.table_views {
        imports.import(PROVIDER, &format!("t{table}"), table_type(world.tables[*table]));
    }
    imports.import(PROVIDER, &format!("g{SINK}"), global_type(Ty::I64));
    for _ in 0..world.global_views() {
        for (global, ty) in (GLOBALS..).zip(NUMBERS) {
            imports.import(PROVIDER, &format!("g{global}"), global_type(ty));
        }
    }
}

fn types() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32, ValType::I64], []);
    types.ty().function([], [ValType::I32]);
    types.ty().function([], [ValType::I64]);
    types
}

/// The object that a function grows.
fn grown(world: &World, index: u32) -> Object {
    let index = index as usize;
    match index.checked_sub(world.memories.len()) {
        None => world.memories[index],
        Some(table) => world.tables[table],
    }
}

fn grower_type(world: &World, index: u32) -> u32 {
    GROW[usize::from(grown(world, index).is_64)]
}

/// Grows an object by one.
fn grower(world: &World, index: u32) -> Function {
    let mut function = Function::new([]);
    let mut op = function.instructions();
    let table = index.checked_sub(world.memories.len() as u32);
    if table.is_some() {
        op.ref_null(HeapType::FUNC);
    }
    match grown(world, index).is_64 {
        true => op.i64_const(1),
        false => op.i32_const(1),
    };
    match table {
        Some(table) => op.table_grow(table),
        None => op.memory_grow(index),
    };
    op.end();
    function
}

fn memory_type(memory: Object) -> MemoryType {
    MemoryType {
        minimum: memory.minimum,
        maximum: Some(memory.maximum),
        memory64: memory.is_64,
        shared: false,
        page_size_log2: None,
    }
}

fn table_type(table: Object) -> TableType {
    TableType {
        element_type: RefType::FUNCREF,
        table64: table.is_64,
        minimum: table.minimum,
        maximum: Some(table.maximum),
        shared: false,
    }
}

fn memories(world: &World) -> MemorySection {
    let mut memories = MemorySection::new();
    world.memories.iter().for_each(|memory| {
        memories.memory(memory_type(*memory));
    });
    memories
}

fn tables(world: &World) -> TableSection {
    let mut tables = TableSection::new();
    world.tables.iter().for_each(|table| {
        tables.table(table_type(*table));
    });
    tables
}

fn start(object: Object, at: u64) -> ConstExpr {
    match object.is_64 {
        true => ConstExpr::i64_const(at as i64),
        false => ConstExpr::i32_const(at as i32),
    }
}

/// Different functions in neighbouring elements of every table.
fn fill_tables(world: &World, functions: u32, segments: &mut ElementSection) {
    for (index, table) in (0..).zip(&world.tables) {
        let elements: Vec<u32> = (0..table.minimum as u32).map(|element| element % functions).collect();
        segments.active(Some(index), &start(*table, 0), Elements::Functions(Cow::Owned(elements)));
    }
}

/// Random bytes at both ends of every memory.
fn fill_memories(world: &World, stream: &mut Stream, data: &mut DataSection) {
    for (index, memory) in (0..).zip(&world.memories) {
        let mut bytes = [0; 160];
        for at in [0, memory.minimum * PAGE - bytes.len() as u64] {
            stream.fill(&mut bytes);
            data.active(index, &start(*memory, at), bytes);
        }
    }
}
