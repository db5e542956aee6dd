//! The limits of a case as limits of types, for engines whose stores have none.

use crate::case::Limits;
use std::borrow::Cow;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{MemorySection, Module, RawSection, TableSection};
use wasmparser::{MemoryType, Parser, Payload, TableInit, TableType};

/// Binary logarithm of the size of a page, where a memory names none.
const PAGE_LOG2: u32 = 16;

/// Why a module cannot be bounded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unbounded {
    /// It begins with more than the case allows.
    TooLarge(String),
    /// It cannot be read or written.
    Unreadable(String),
}

/// The module with no memory and no table of its own that can grow beyond the limits of the case. What it imports is left
/// as it is: who exports it bounds it. All other sections stay identical to the byte.
pub(super) fn bounded<'a>(wasm: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Unbounded> {
    let unreadable = |error: &dyn std::fmt::Display| Unbounded::Unreadable(error.to_string());
    let reencoder = &mut RoundtripReencoder;
    let mut module = Module::new();
    let mut is_changed = false;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| unreadable(&error))?;
        match &payload {
            Payload::MemorySection(section) => {
                let mut memories = MemorySection::new();
                for memory in section.clone() {
                    let mut ty = memory.map_err(|error| unreadable(&error))?;
                    let (limit, initial) = (memory_limit(&ty, limits), ty.initial);
                    is_changed |= bound(&mut ty.maximum, limit, initial, "memory")?;
                    memories.memory(ty.into());
                }
                module.section(&memories);
                continue;
            }
            Payload::TableSection(section) => {
                let mut tables = TableSection::new();
                for table in section.clone() {
                    let table = table.map_err(|error| unreadable(&error))?;
                    let mut ty = table.ty;
                    let (limit, initial) = (table_limit(&ty, limits), ty.initial);
                    is_changed |= bound(&mut ty.maximum, limit, initial, "table")?;
                    let ty = reencoder.table_type(ty).map_err(|error| unreadable(&error))?;
                    match table.init {
                        TableInit::RefNull => tables.table(ty),
                        TableInit::Expr(init) => {
                            let init = reencoder.const_expr(init).map_err(|error| unreadable(&error))?;
                            tables.table_with_init(ty, &init)
                        }
                    };
                }
                module.section(&tables);
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection { id, data: &wasm[range.start as usize..range.end as usize] });
        }
    }
    Ok(if is_changed { Cow::Owned(module.finish()) } else { Cow::Borrowed(wasm) })
}

/// Lowers a maximum to a limit, if there is one that can be reached; whether it did.
fn bound(maximum: &mut Option<u64>, limit: Option<u64>, initial: u64, what: &str) -> Result<bool, Unbounded> {
    let Some(limit) = limit else { return Ok(false) };
    if initial > limit {
        return Err(Unbounded::TooLarge(format!("a {what} of {initial} where the case allows {limit}")));
    }
    let is_lower = maximum.is_none_or(|maximum| maximum > limit);
    if is_lower {
        *maximum = Some(limit);
    }
    Ok(is_lower)
}

/// Pages that a memory may have; none if its type allows no more than the case does.
fn memory_limit(ty: &MemoryType, limits: &Limits) -> Option<u64> {
    let page_log2 = ty.page_size_log2.unwrap_or(PAGE_LOG2);
    let address_bits = if ty.memory64 { 64 } else { 32 };
    let pages = limits.memory_bytes >> page_log2;
    (pages < 1 << (address_bits - page_log2).min(63)).then_some(pages)
}

/// Elements that a table may have; none if its type allows no more than the case does.
fn table_limit(ty: &TableType, limits: &Limits) -> Option<u64> {
    let most = if ty.table64 { u64::MAX } else { u64::from(u32::MAX) };
    (limits.table_elements < most).then_some(limits.table_elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::Validator;

    fn bounds(wat: &str) -> Result<String, Unbounded> {
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        let wasm = module.encode().expect("the test's text can be encoded");
        let limits = Limits { memory_bytes: 3 << 16, table_elements: 10, ..Limits::default() };
        let bounded = bounded(&wasm, &limits)?;
        Validator::new_with_features(crosscheck_engine::Module::FEATURES)
            .validate_all(&bounded)
            .expect("valid");
        let text = wasmprinter::print_bytes(&bounded).expect("it can be printed");
        Ok(text.lines().filter(|line| line.contains("memory") || line.contains("table")).collect())
    }

    #[test]
    fn what_a_module_defines_grows_no_further_than_the_case_allows() {
        let text = bounds(
            "(module (memory 1) (memory i64 1 9) (memory 2 2) (table 1 funcref) (table 1 5 externref))",
        );
        let text = text.expect("it is small");
        for expected in ["0;) 1 3", "1;) i64 1 3", "2;) 2 2", "0;) 1 10 funcref", "1;) 1 5 externref"] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn what_is_imported_stays_as_it_is() {
        let text = bounds(r#"(module (import "m" "m" (memory 1)) (import "m" "t" (table 1 99 funcref)))"#);
        let text = text.expect("it defines nothing");
        assert!(text.contains("(memory (;0;) 1)") && text.contains("1 99 funcref"), "{text}");
    }

    #[test]
    fn what_begins_too_large_is_said() {
        assert!(matches!(bounds("(module (memory 4))"), Err(Unbounded::TooLarge(_))));
        assert!(matches!(bounds("(module (table 11 funcref))"), Err(Unbounded::TooLarge(_))));
    }
}
