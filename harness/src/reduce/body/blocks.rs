//! Takes blocks apart: leaves their inside, or an arm of an `if`, with labels that fit where it comes to stand.

use super::super::proposal::{Look, Proposal, Site};
use super::{DROP, EMPTY_TYPE, locals, long_first, push_simplest};
use crate::wasm::tree::Node;
use crosscheck_engine::opcode::reader::Reader;
use crosscheck_engine::opcode::{Control, Immediate, Opcode};
use std::ops::Range;
use wasm_encoder::Encode;

/// Blocks without their beginning and end, large ones first.
pub fn unwrapped(look: &Look<'_>) -> Vec<Proposal> {
    let edits = look.in_bodies(|site: &Site<'_>| {
        let blocks = site.body.nodes.iter().filter(|node| !node.inside.is_empty());
        blocks.flat_map(|block| block_replacements(site, block)).collect()
    });
    long_first(edits)
}

fn block_replacements(site: &Site<'_>, block: &Node) -> Vec<Vec<super::Edit>> {
    let before = &site.wasm()[block.bytes.start..block.at];
    let is_if = block.opcode == Opcode::Control(Control::If);
    let mut edits = Vec::new();
    for inside in &block.inside {
        let freed = freed(site, inside, block.level);
        if !before.is_empty() {
            let drop: &[u8] = if is_if { &[DROP] } else { &[] };
            let code = [before, drop, &freed].concat();
            edits.push(vec![site.edit(block.bytes.clone(), code)]);
        }
        edits.push(vec![site.edit(block.bytes.clone(), freed)]);
    }
    if block.opcode == Opcode::Control(Control::Loop) || block.opcode == Opcode::Control(Control::TryTable) {
        // The opcode of a plain block; clauses that catch go with what had them.
        let mut code = vec![0x02];
        let mut reader = Reader::new(site.wasm(), 0);
        reader.go_to(block.immediates.start as u32);
        reader.block_type();
        code.extend_from_slice(&site.wasm()[block.immediates.start..reader.at() as usize]);
        edits.push(vec![site.edit(block.at..block.immediates.end, code)]);
    }
    edits
}

/// Blocks that take nothing: what they took is made inside, or they are empty, and their results are constants or what
/// they took.
pub fn without_parameters(look: &Look<'_>) -> Vec<Proposal> {
    const END: u8 = 0x0b;
    look.in_bodies(|site: &Site<'_>| {
        let mut edits = Vec::new();
        for block in &site.body.nodes {
            let begins = matches!(block.opcode, Opcode::Control(Control::Block | Control::Loop));
            let [inside] = block.inside.as_slice() else { continue };
            if !begins {
                continue;
            }
            let opcode = site.wasm()[block.at];
            let mut empty = vec![opcode, EMPTY_TYPE, END];
            if block.results.iter().all(|ty| push_simplest(*ty, &mut empty)) {
                edits.push(vec![site.edit(block.bytes.clone(), empty)]);
            }
            // What it took may as well go past it.
            let around = vec![opcode, EMPTY_TYPE, END];
            edits.push(vec![site.edit(block.at..block.bytes.end, around)]);
            let before = block.bytes.start..block.at;
            let names_labels = site.body.names_in(&before).any(|name| name.of == Immediate::Label);
            if before.is_empty() || names_labels || block.results.len() > 1 {
                continue;
            }
            let mut code = vec![opcode];
            match block.results.first() {
                None => code.push(EMPTY_TYPE),
                Some(ty) if locals::push_type(*ty, &mut code).is_some() => {}
                Some(_) => continue,
            }
            for part in [before, inside.start..block.bytes.end] {
                code.extend_from_slice(&site.wasm()[part]);
            }
            edits.push(vec![site.edit(block.bytes.clone(), code)]);
        }
        edits
    })
}

/// The code of a range inside the block of that label, with labels as they are without the block. What branched to
/// the block branches to what is around it.
fn freed(site: &Site<'_>, range: &Range<usize>, label: u32) -> Vec<u8> {
    let mut code = Vec::with_capacity(range.len());
    let mut copied = range.start;
    for name in site.body.names_in(range).filter(|name| name.of == Immediate::Label && name.index < label) {
        code.extend_from_slice(&site.wasm()[copied..name.bytes.start]);
        (name.depth - 1).encode(&mut code);
        copied = name.bytes.end;
    }
    code.extend_from_slice(&site.wasm()[copied..range.end]);
    code
}
