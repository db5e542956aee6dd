//! What the functions of a module take and give.

use wasmparser::{CompositeInnerType, FuncType, Parser, Payload, TypeRef};

/// Parameters and results of each type; none of those that are no function types.
pub fn signatures(wasm: &[u8]) -> wasmparser::Result<Vec<Option<FuncType>>> {
    let mut signatures = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::TypeSection(section) = payload? else { continue };
        for group in section {
            signatures.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                CompositeInnerType::Func(func) => Some(func),
                CompositeInnerType::Array(_)
                | CompositeInnerType::Struct(_)
                | CompositeInnerType::Cont(_) => None,
            }));
        }
    }
    Ok(signatures)
}

/// The type of each function, imported ones first.
pub fn function_types(wasm: &[u8]) -> wasmparser::Result<Vec<u32>> {
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                        types.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    types.push(ty?);
                }
            }
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    Ok(types)
}
