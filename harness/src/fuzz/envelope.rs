//! A case as a module: the first module as it is, with a custom section at its end that holds the rest.
//!
//! A module without the section is a case too, with hosts, calls and arguments that follow from its bytes.

use super::seed_of;
use crate::case::Case;
use crate::generate::plan;
use wasm_encoder::{CustomSection, Section};
use wasmparser::{Parser, Payload};

/// The name of the custom section.
const SECTION: &str = "crosscheck.case";

/// The case as a module; `None` if it has no module.
pub fn write(case: &Case) -> Option<Vec<u8>> {
    let mut rest = case.clone();
    let mut wasm = std::mem::take(&mut rest.modules.first_mut()?.wasm);
    let section = CustomSection { name: SECTION.into(), data: rest.to_bytes().into() };
    section.append_to(&mut wasm);
    Some(wasm)
}

/// The case of a module; `None` if the bytes are no module. A section that cannot be read is none.
pub fn read(bytes: &[u8]) -> Option<Case> {
    let (wasm, rest) = split(bytes)?;
    let stored = rest.and_then(|rest| Case::from_bytes(rest).ok()).filter(|case| !case.modules.is_empty());
    let Some(mut case) = stored else { return plan::plan(wasm.to_vec(), seed_of(wasm)).ok() };
    case.modules[0].wasm = wasm.to_vec();
    Some(case)
}

/// The module without the section, and what the section holds if it is the last; `None` if the bytes are no module.
fn split(bytes: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (mut start, mut last) = (0, None);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::CustomSection(section) if section.name() == SECTION => {
                last = Some((start, section.data_offset() as usize, section.range().end as usize));
                start = section.range().end as usize;
            }
            payload => {
                if let Some((_, range)) = payload.as_section() {
                    start = range.end as usize;
                }
                if let Payload::CodeSectionEntry(body) = &payload {
                    start = body.range().end as usize;
                }
                if let Payload::Version { range, .. } = &payload {
                    start = range.end as usize;
                }
            }
        }
    }
    Some(match last {
        Some((start, data, end)) if end == bytes.len() => (&bytes[..start], Some(&bytes[data..end])),
        _ => (bytes, None),
    })
}
