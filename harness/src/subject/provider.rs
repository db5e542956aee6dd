//! A module that provides what the host gives to another one: memories, tables, globals and tags, but no functions.
//!
//! Engines make what a module defines, whatever its type; their embedding interfaces often know fewer types.

use super::surface::Surface;
use crate::case::Value;
use wasm_encoder::{
    ConstExpr, ExportKind, ExportSection, GlobalSection, Ieee32, Ieee64, MemorySection, Module, RawSection,
    TableSection, TagSection, ValType,
};
use wasmparser::TypeRef;

/// What is made of a type that the encoder and the reader both know, or what is wrong.
pub(super) type Known<T> = Result<T, String>;

/// A type of the reader's as the encoder has it.
pub(super) fn known<T>(ty: impl TryInto<T>) -> Known<T> {
    ty.try_into().map_err(|_| "a type that cannot be written".to_string())
}

/// A module that provides what is no function: what the host gives, by the numbers of imports. Empty if that is nothing.
pub(super) fn provider(surface: &Surface, given: &[(u32, Option<Value>)]) -> Known<Vec<u8>> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let (mut memories, mut tables) = (MemorySection::new(), TableSection::new());
    let (mut globals, mut tags, mut exports) =
        (GlobalSection::new(), TagSection::new(), ExportSection::new());
    for (import, value) in given {
        let name = import.to_string();
        match surface.imports[*import as usize] {
            TypeRef::Memory(ty) => {
                exports.export(&name, ExportKind::Memory, memories.len());
                memories.memory(ty.into());
            }
            TypeRef::Table(ty) => {
                exports.export(&name, ExportKind::Table, tables.len());
                tables.table(known(ty)?);
            }
            TypeRef::Tag(ty) => {
                exports.export(&name, ExportKind::Tag, tags.len());
                tags.tag(known(ty)?);
            }
            TypeRef::Global(ty) => {
                exports.export(&name, ExportKind::Global, globals.len());
                let value = value.as_ref().expect("host globals have values");
                globals.global(known(ty)?, &constant(value, ty.content_type)?);
            }
            TypeRef::Func(_) | TypeRef::FuncExact(_) => unreachable!("functions get wrappers"),
        }
    }
    let mut module = Module::new();
    module.section(&RawSection { id: 1, data: &surface.type_section });
    module.section(&tables).section(&memories);
    // An engine without exceptions refuses even an empty section of tags.
    if !tags.is_empty() {
        module.section(&tags);
    }
    module.section(&globals).section(&exports);
    Ok(module.finish())
}

fn constant(value: &Value, ty: wasmparser::ValType) -> Known<ConstExpr> {
    Ok(match value {
        Value::I32(bits) => ConstExpr::i32_const(*bits as i32),
        Value::I64(bits) => ConstExpr::i64_const(*bits as i64),
        Value::F32(bits) => ConstExpr::f32_const(Ieee32::new(*bits)),
        Value::F64(bits) => ConstExpr::f64_const(Ieee64::new(*bits)),
        Value::V128(bits) => ConstExpr::v128_const(*bits as i128),
        Value::Ref(_) => match known(ty)? {
            ValType::Ref(ty) => ConstExpr::ref_null(ty.heap_type),
            _ => unreachable!("the host gives references to imports of references"),
        },
    })
}
