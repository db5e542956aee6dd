//! Makes immediates smaller: constants, offsets and alignments of memory accesses, lists of labels.

use super::super::proposal::{Look, Proposal, Site};
use crosscheck_engine::opcode::reader::{MemArg, Reader};
use crosscheck_engine::opcode::{Const, Control, Immediate, Opcode};
use wasm_encoder::Encode;
use wasmparser::BinaryReader;

/// Constants made smaller, step by step.
pub fn smaller_constants(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| {
        let mut edits = Vec::new();
        for node in &site.body.nodes {
            let Opcode::Const(constant) = node.opcode else { continue };
            let old = &site.wasm()[node.immediates.clone()];
            let codes = smaller(constant, old).into_iter().filter(|code| is_less(code, old));
            edits.extend(codes.map(|code| vec![site.edit(node.immediates.clone(), code)]));
        }
        edits
    })
}

/// Offsets and alignments of memory accesses made zero, or the offset half of what it is; memory 0.
pub fn smaller_accesses(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| {
        let mut edits = Vec::new();
        for node in &site.body.nodes {
            if node.opcode.row().immediates.first() != Some(&Immediate::MemArg) {
                continue;
            }
            let mut reader = Reader::new(site.wasm(), 0);
            reader.go_to(node.immediates.start as u32);
            let access = reader.mem_arg();
            let range = node.immediates.start..reader.at() as usize;
            let is_atomic = matches!(node.opcode, Opcode::Atomic(_));
            let align = if is_atomic { access.align_log2 } else { 0 };
            for (align, offset, memory) in [
                (align, 0, 0),
                (align, 0, access.memory),
                (align, access.offset / 2, access.memory),
                (align, access.offset, access.memory),
            ] {
                let mut code = Vec::new();
                push_mem_arg(MemArg { align_log2: align, memory, offset }, &mut code);
                if site.wasm()[range.clone()] != *code {
                    edits.push(vec![site.edit(range.clone(), code)]);
                }
            }
        }
        edits
    })
}

/// Writes where an access goes.
pub fn push_mem_arg(access: MemArg, code: &mut Vec<u8>) {
    // Says that a memory's number follows.
    const HAS_MEMORY: u32 = 0x40;
    if access.memory == 0 {
        access.align_log2.encode(code);
    } else {
        (access.align_log2 | HAS_MEMORY).encode(code);
        access.memory.encode(code);
    }
    access.offset.encode(code);
}

/// A jump table with fewer labels, or a plain jump to one of them.
pub fn fewer_labels(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| {
        let mut edits = Vec::new();
        for node in &site.body.nodes {
            if node.opcode != Opcode::Control(Control::BrTable) {
                continue;
            }
            let depths: Vec<u32> = site.body.names_in(&node.immediates).map(|name| name.depth).collect();
            let Some((default, listed)) = depths.split_last() else { continue };
            let table = |listed: &[u32], default: u32| {
                let mut code = Vec::new();
                listed.encode(&mut code);
                default.encode(&mut code);
                code
            };
            for kept in [0, 1, listed.len() / 2, listed.len().saturating_sub(1)] {
                if kept < listed.len() {
                    edits.push(vec![site.edit(node.immediates.clone(), table(&listed[..kept], *default))]);
                    edits
                        .push(vec![site.edit(node.immediates.clone(), table(&listed[..kept], depths[kept]))]);
                }
            }
        }
        edits
    })
}

/// An order in which every kept constant goes down, so that there is an end.
fn is_less(new: &[u8], old: &[u8]) -> bool {
    let key = |bytes: &[u8]| (bytes.len(), bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>());
    key(new) < key(old)
}

fn smaller(constant: Const, old: &[u8]) -> Vec<Vec<u8>> {
    let signed = |value: i64| {
        let mut code = Vec::new();
        value.encode(&mut code);
        code
    };
    match constant {
        Const::I32Const | Const::I64Const => {
            let mut reader = BinaryReader::new(old, 0);
            let value = match constant {
                Const::I32Const => reader.read_var_i32().map(i64::from),
                _ => reader.read_var_i64(),
            };
            let Ok(value) = value else { return Vec::new() };
            [0, 1, -1, value / 256, value / 2, value - value.signum()].map(signed).to_vec()
        }
        Const::F32Const => [0f32, 1.0, -1.0, f32::NAN].map(|value| value.to_le_bytes().to_vec()).to_vec(),
        Const::F64Const => [0f64, 1.0, -1.0, f64::NAN].map(|value| value.to_le_bytes().to_vec()).to_vec(),
    }
}
