//! The modules of a case: that of the walks, and perhaps one that owns what callees change.

use super::state::Callee;
use super::{GLOBAL_COUNT, GLOBALS, PROVIDER, Plan, SINK, SLOT_TABLE, SLOTS, Signature, Stream};
use crate::generate::numbers::{PAGE, encoded, global_type, globals, sink_and};
use std::borrow::Cow;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, ImportSection, MemorySection, MemoryType, Module, RefType, TableSection,
    TableType, TypeSection,
};

/// The module of the callees. It imports the hosts as well, so that both modules have the same index space.
pub(super) fn provider(plan: &Plan, callees: &[Function], stream: &mut Stream) -> Vec<u8> {
    let mut imports = ImportSection::new();
    import_hosts(plan, &mut imports);
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    for (name, index) in callee_indices(plan) {
        functions.function(index);
        exports.export(&name, ExportKind::Func, index);
    }
    export_shared(plan, &mut exports);
    let mut code = CodeSection::new();
    callees.iter().for_each(|body| {
        code.function(body);
    });
    let mut module = Module::new();
    module.section(&types(plan, &[])).section(&imports).section(&functions).section(&tables(plan));
    module
        .section(&memories(plan))
        .section(&globals(sink_and(GLOBAL_COUNT as usize), stream))
        .section(&exports);
    module.section(&elements(plan, &[], stream)).section(&code).section(&data(plan, stream));
    module.finish()
}

/// The module of the walks, which has everything that no provider has.
pub(super) fn user(
    plan: &Plan,
    callees: &[Function],
    walks: &[Function],
    blocks: &[Signature],
    stream: &mut Stream,
) -> Vec<u8> {
    let provided = plan.choices.provider;
    let mut imports = ImportSection::new();
    import_hosts(plan, &mut imports);
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    for (name, index) in callee_indices(plan) {
        if provided {
            imports.import(PROVIDER, &name, EntityType::Function(index));
        } else {
            functions.function(index);
        }
        exports.export(&name, ExportKind::Func, index);
    }
    if provided {
        for (number, ty) in table_types(plan).enumerate() {
            imports.import(PROVIDER, &format!("t{number}"), ty);
        }
        for memory in 0..plan.choices.memories {
            imports.import(PROVIDER, &format!("m{memory}"), memory_type(plan));
        }
        for (global, ty) in sink_and(GLOBAL_COUNT as usize).map(global_type).enumerate() {
            imports.import(PROVIDER, &format!("g{global}"), ty);
        }
    }
    for (number, index) in (plan.first_walk()..plan.functions()).enumerate() {
        functions.function(index);
        exports.export(&format!("w{number}"), ExportKind::Func, index);
    }
    export_shared(plan, &mut exports);
    let mut code = CodeSection::new();
    let own = if provided { &[] } else { callees };
    own.iter().chain(walks).for_each(|body| {
        code.function(body);
    });
    let mut module = Module::new();
    module.section(&types(plan, blocks)).section(&imports).section(&functions);
    if !provided {
        module
            .section(&tables(plan))
            .section(&memories(plan))
            .section(&globals(sink_and(GLOBAL_COUNT as usize), stream));
    }
    let all: Vec<u32> = (0..plan.functions()).collect();
    module.section(&exports).section(&elements(plan, &all, stream)).section(&code);
    if !provided {
        module.section(&data(plan, stream));
    }
    module.finish()
}

fn import_hosts(plan: &Plan, imports: &mut ImportSection) {
    for number in 0..plan.hosts.len() as u32 {
        imports.import("env", &format!("h{number}"), EntityType::Function(number));
    }
}

fn callee_indices(plan: &Plan) -> impl Iterator<Item = (String, u32)> {
    (0..plan.callees.len()).zip(plan.first_callee()..).map(|(number, index)| (format!("c{number}"), index))
}

/// A type for every function, of its index, and those of blocks after them.
fn types(plan: &Plan, blocks: &[Signature]) -> TypeSection {
    let mut types = TypeSection::new();
    for Signature { params, results } in plan.signatures().chain(blocks) {
        types.ty().function(encoded(params), encoded(results));
    }
    types
}

fn table_types(plan: &Plan) -> impl Iterator<Item = TableType> {
    let ty = |minimum: u32| TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: u64::from(minimum),
        maximum: None,
        shared: false,
    };
    let slots = plan.choices.slots.then(|| ty(SLOTS));
    std::iter::once(ty(plan.functions())).chain(slots)
}

fn tables(plan: &Plan) -> TableSection {
    let mut tables = TableSection::new();
    table_types(plan).for_each(|ty| {
        tables.table(ty);
    });
    tables
}

/// All functions in their order in the first table, and some in every slot of the second.
fn elements(plan: &Plan, all: &[u32], stream: &mut Stream) -> ElementSection {
    let mut segments = ElementSection::new();
    let at = ConstExpr::i32_const(0);
    if !all.is_empty() {
        segments.active(None, &at, Elements::Functions(Cow::Borrowed(all)));
    }
    if plan.choices.slots {
        let slots: Vec<u32> = (0..SLOTS).map(|_| Callee::for_slot(plan, stream)).collect();
        segments.active(Some(SLOT_TABLE), &at, Elements::Functions(Cow::Borrowed(&slots)));
    }
    segments
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

fn memories(plan: &Plan) -> MemorySection {
    let mut memories = MemorySection::new();
    (0..plan.choices.memories).for_each(|_| {
        memories.memory(memory_type(plan));
    });
    memories
}

/// Random bytes at both ends of the first page of every memory.
fn data(plan: &Plan, stream: &mut Stream) -> DataSection {
    let mut data = DataSection::new();
    for memory in 0..plan.choices.memories {
        for at in [0, PAGE - 32] {
            let mut bytes = [0; 32];
            stream.fill(&mut bytes);
            let offset = match plan.choices.memory64 {
                true => ConstExpr::i64_const(at as i64),
                false => ConstExpr::i32_const(at as i32),
            };
            data.active(memory, &offset, bytes);
        }
    }
    data
}

fn export_shared(plan: &Plan, exports: &mut ExportSection) {
    for (number, _) in (0..).zip(table_types(plan)) {
        exports.export(&format!("t{number}"), ExportKind::Table, number);
    }
    for memory in 0..plan.choices.memories {
        exports.export(&format!("m{memory}"), ExportKind::Memory, memory);
    }
    for global in SINK..GLOBALS + GLOBAL_COUNT {
        exports.export(&format!("g{global}"), ExportKind::Global, global);
    }
}
