//! How the modules of a script find one another in a case, where each name stands for one module.

use super::spectest;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Encode, ImportSection, RawSection, Section, SectionId};
use wasmparser::{Parser, Payload};
use wast::Wat;
use wast::parser::{self, ParseBuffer};

/// The module that scripts import from without making it.
pub(super) const SPECTEST: &str = spectest::NAME;

/// What it exports, as text: the same that [`spectest`] gives our lanes, but for functions, which do nothing.
const ITEMS: [(&str, &str); 15] = [
    ("print", "(func (export \"print\"))"),
    ("print_i32", "(func (export \"print_i32\") (param i32))"),
    ("print_i64", "(func (export \"print_i64\") (param i64))"),
    ("print_f32", "(func (export \"print_f32\") (param f32))"),
    ("print_f64", "(func (export \"print_f64\") (param f64))"),
    ("print_i32_f32", "(func (export \"print_i32_f32\") (param i32 f32))"),
    ("print_f64_f64", "(func (export \"print_f64_f64\") (param f64 f64))"),
    ("global_i32", "(global (export \"global_i32\") i32 (i32.const 666))"),
    ("global_i64", "(global (export \"global_i64\") i64 (i64.const 666))"),
    ("global_f32", "(global (export \"global_f32\") f32 (f32.const 666.6))"),
    ("global_f64", "(global (export \"global_f64\") f64 (f64.const 666.6))"),
    ("table", "(table (export \"table\") 10 20 funcref)"),
    ("table64", "(table (export \"table64\") i64 10 20 funcref)"),
    ("memory", "(memory (export \"memory\") 1 2)"),
    ("shared_memory", "(memory (export \"shared_memory\") 1 2 shared)"),
];

/// Whether it exports something of that name.
pub(super) fn has(name: &str) -> bool {
    ITEMS.iter().any(|(item, _)| *item == name)
}

/// Whether what it exports by that name has a state, so that who imports it shares something.
pub(super) fn is_mutable(name: &str) -> bool {
    matches!(name, "table" | "table64" | "memory" | "shared_memory")
}

/// That module with these items only: an engine need not execute the proposals of the others.
pub(super) fn spectest(used: &BTreeSet<&str>) -> Vec<u8> {
    let mut text = String::from("(module");
    for (_, item) in ITEMS.iter().filter(|(name, _)| used.contains(name)) {
        let _ = write!(text, " {item}");
    }
    text.push(')');
    let buffer = ParseBuffer::new(&text).expect("the items are constants");
    let mut module = parser::parse::<Wat<'_>>(&buffer).expect("the items are constants");
    module.encode().expect("the items are constants")
}

/// What the instance of that number is called in a case.
pub(super) fn name(instance: usize) -> String {
    format!("script.{instance}")
}

/// A module whose imports come from other modules: the name of each in order, none for one that stays as it is.
pub(super) fn relinked(wasm: Vec<u8>, sources: &[Option<String>]) -> Result<Vec<u8>, String> {
    if sources.iter().all(Option::is_none) {
        return Ok(wasm);
    }
    let cannot = |error: &dyn std::fmt::Display| format!("the module's imports cannot be written: {error}");
    let mut bytes = wasm[..8].to_vec();
    for payload in Parser::new(0).parse_all(&wasm) {
        let payload = payload.map_err(|error| cannot(&error))?;
        if let Payload::ImportSection(section) = payload {
            let mut imports = ImportSection::new();
            for (import, source) in section.into_imports().zip(sources) {
                let import = import.map_err(|error| cannot(&error))?;
                let ty = RoundtripReencoder.entity_type(import.ty).map_err(|error| cannot(&error))?;
                imports.import(source.as_deref().unwrap_or(import.module), import.name, ty);
            }
            bytes.push(SectionId::Import.into());
            imports.encode(&mut bytes);
        } else if let Some((id, range)) = payload.as_section() {
            let data = &wasm[range.start as usize..range.end as usize];
            let section = RawSection { id, data };
            bytes.push(section.id());
            section.encode(&mut bytes);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Validator, WasmFeatures};

    #[test]
    fn everything_that_scripts_import_is_a_valid_module() {
        let all: BTreeSet<&str> = ITEMS.iter().map(|(name, _)| *name).collect();
        Validator::new_with_features(WasmFeatures::all()).validate_all(&spectest(&all)).expect("valid");
    }

    #[test]
    fn imports_are_renamed_and_nothing_else() {
        let encode = |text: &str| {
            let buffer = ParseBuffer::new(text).expect("text");
            parser::parse::<Wat<'_>>(&buffer).expect("a module").encode().expect("it has a binary form")
        };
        let text = |from: &str| {
            format!("(module (import \"{from}\" \"f\" (func)) (import \"b\" \"g\" (func)) (func (call 0)))")
        };
        let sources = [Some("script.3".to_string()), None];
        assert_eq!(relinked(encode(&text("a")), &sources), Ok(encode(&text("script.3"))));
    }
}
