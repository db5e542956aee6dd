//! The host module `spectest` that scripts import from, with what the reference interpreter puts there.

use super::lane::HostLog;
use crosscheck_engine::{
    Extern, Func, FuncType, Global, GlobalType, Memory, MemoryType, RefType, Store, Table, TableType, Val,
    ValType,
};
use std::collections::HashMap;

/// The name it is imported under.
pub(super) const NAME: &str = "spectest";

const FUNCS: [(&str, &[ValType]); 7] = [
    ("print", &[]),
    ("print_i32", &[ValType::I32]),
    ("print_i64", &[ValType::I64]),
    ("print_f32", &[ValType::F32]),
    ("print_f64", &[ValType::F64]),
    ("print_i32_f32", &[ValType::I32, ValType::F32]),
    ("print_f64_f64", &[ValType::F64, ValType::F64]),
];

/// Makes its definitions in a store. The functions note their arguments in the store's log. A table or memory that the
/// limits of a script leave no room for is not there.
pub(super) fn define(store: &mut Store<HostLog>) -> HashMap<&'static str, Extern> {
    let mut items = HashMap::new();
    for (name, params) in FUNCS {
        let ty = FuncType::new(params, []);
        let func =
            Func::new(&mut *store, &format!("{NAME}.{name}"), ty, move |mut caller, args: &[Val], _| {
                let log: &mut HostLog = caller.data_mut();
                log.note(name, args);
                Ok(())
            });
        items.insert(name, Extern::Func(func));
    }
    let globals = [
        ("global_i32", ValType::I32, Val::I32(666)),
        ("global_i64", ValType::I64, Val::I64(666)),
        ("global_f32", ValType::F32, Val::F32(666.6f32.to_bits())),
        ("global_f64", ValType::F64, Val::F64(666.6f64.to_bits())),
    ];
    for (name, content, value) in globals {
        let ty = GlobalType { content, mutable: false };
        items.insert(
            name,
            Extern::Global(Global::new(&mut *store, ty, value).expect("the value is of the type")),
        );
    }
    for (name, is_64) in [("table", false), ("table64", true)] {
        let ty = TableType { element: RefType::FUNCREF, minimum: 10, maximum: Some(20), is_64 };
        if let Ok(table) = Table::new(&mut *store, ty, Val::FuncRef(None)) {
            items.insert(name, Extern::Table(table));
        }
    }
    for (name, shared) in [("memory", false), ("shared_memory", true)] {
        let ty = MemoryType { shared, ..MemoryType::new(1, Some(2)) };
        if let Ok(memory) = Memory::new(&mut *store, ty) {
            items.insert(name, Extern::Memory(memory));
        }
    }
    items
}
