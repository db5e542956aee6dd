//! Changes function bodies, and puts all sizes right.

use super::sections::CODE_SECTION;
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{Parser, Payload};

/// Bytes to put in place of a range of a module's code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The body, by its number.
    pub body: usize,
    /// Offsets in the module.
    pub range: Range<usize>,
    /// What comes there.
    pub code: Vec<u8>,
}

/// The module with the edits made, sizes put right; `None` if it cannot be read, or edits overlap: what makes one of
/// several results may make another operand too.
pub fn apply(wasm: &[u8], edits: &[Edit]) -> Option<Vec<u8>> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.body, edit.range.start));
    if edits.windows(2).any(|two| two[0].body == two[1].body && two[0].range.end > two[1].range.start) {
        return None;
    }
    let mut module = wasm_encoder::Module::new();
    let mut ranges = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.ok()?;
        if let Payload::CodeSectionEntry(body) = &payload {
            ranges.push(body.range().start as usize..body.range().end as usize);
            continue;
        }
        // The code goes out as soon as what follows it, or the end, comes by.
        if !ranges.is_empty() && !matches!(payload, Payload::CodeSectionStart { .. }) {
            let data = code_section(wasm, &ranges, &edits);
            module.section(&wasm_encoder::RawSection { id: CODE_SECTION, data: &data });
            ranges.clear();
        }
        if let Some((id, range)) = payload.as_section()
            && id != CODE_SECTION
        {
            let data = &wasm[range.start as usize..range.end as usize];
            module.section(&wasm_encoder::RawSection { id, data });
        }
    }
    Some(module.finish())
}

fn code_section(wasm: &[u8], ranges: &[Range<usize>], edits: &[&Edit]) -> Vec<u8> {
    let mut data = Vec::with_capacity(wasm.len());
    ranges.len().encode(&mut data);
    let mut body = Vec::new();
    for (number, range) in ranges.iter().enumerate() {
        let mut copied = range.start;
        body.clear();
        for edit in edits.iter().filter(|edit| edit.body == number) {
            body.extend_from_slice(&wasm[copied..edit.range.start]);
            body.extend_from_slice(&edit.code);
            copied = edit.range.end;
        }
        body.extend_from_slice(&wasm[copied..range.end]);
        body.as_slice().encode(&mut data);
    }
    data
}
