//! Makes function bodies smaller.
//!
//! A body is seen as nodes ([`tree`](crate::wasm::tree)): an instruction with the instructions that make its operands,
//! or a block up to its end. Each pass lists edits, the most promising first. An edit need not make a valid module; the
//! reducer validates what it applies.

pub mod blocks;
pub mod calls;
pub mod immediates;
pub mod locals;
pub mod opcodes;

use super::proposal::{Look, Proposal, Site, halvings};
use crate::case::{HeapKind, RefValue, Value};
use crate::wasm::edit::Edit;
use crate::wasm::tree::{Body, Node, Operand};
use crosscheck_engine::opcode::Opcode;
use std::cmp::Reverse;
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{HeapType, RefType, ValType};

const UNREACHABLE: u8 = 0x00;
pub const DROP: u8 = 0x1a;
/// The type of a block that takes and leaves nothing.
pub const EMPTY_TYPE: u8 = 0x40;

/// What the reference does not execute, given up for `unreachable`: all of it, halves, and so on.
pub fn unexecuted(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, bodies) in look.bodies().iter().enumerate() {
        let mut edits = Vec::new();
        for body in bodies {
            let mut cuts: Vec<Range<usize>> = Vec::new();
            // The function's own arm ends last, and an arm after those inside of it.
            for arm in body.arms.iter().rev() {
                let is_executed = |at: &&usize| look.trace().seen(module, **at).is_some();
                let rest = arm.instructions.iter().find(|at| !is_executed(at));
                let Some(start) = rest.copied().or((arm.inside.is_empty()).then_some(arm.inside.start))
                else {
                    continue;
                };
                let cut = start..arm.inside.end;
                if cut.len() > 1 && !cuts.iter().any(|around| around.start <= start && cut.end <= around.end)
                {
                    cuts.push(cut);
                }
            }
            edits.extend(cuts.into_iter().map(|range| Edit {
                body: body.number,
                range,
                code: vec![UNREACHABLE],
            }));
        }
        edits.sort_by_key(|edit| Reverse(edit.range.len()));
        proposals.extend(halvings(&edits).into_iter().map(|edits| Proposal::Code { module, edits }));
    }
    proposals
}

/// Bodies that trap at once, or give the simplest results: many at once, then one at a time.
pub fn emptied(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, bodies) in look.bodies().iter().enumerate() {
        let mut bodies: Vec<&Body> = bodies.iter().collect();
        bodies.sort_by_key(|body| Reverse(body.code.len()));
        let simple = |body: &&Body| {
            let mut code = Vec::new();
            body.results.iter().all(|ty| push_simplest(*ty, &mut code)).then_some(())?;
            (code.len() < body.code.len()).then_some(Edit {
                body: body.number,
                range: body.code.clone(),
                code,
            })
        };
        let trapping = |body: &&Body| {
            let edit = Edit { body: body.number, range: body.code.clone(), code: vec![UNREACHABLE] };
            (body.code.len() > 1).then_some(edit)
        };
        for ways in [
            bodies.iter().filter_map(trapping).collect::<Vec<_>>(),
            bodies.iter().filter_map(simple).collect::<Vec<_>>(),
        ] {
            proposals.extend(halvings(&ways).into_iter().map(|edits| Proposal::Code { module, edits }));
        }
    }
    proposals
}

/// Runs of neighbouring statements left out: all, halves, quarters, and so on to single ones; long ones first.
pub fn fewer_statements(look: &Look<'_>) -> Vec<Proposal> {
    let runs = |site: &Site<'_>| {
        let mut edits = Vec::new();
        for arm in &site.body.arms {
            edits.extend(
                halvings(&arm.statements)
                    .iter()
                    .map(|run| vec![site.edit(run[0].start..run[run.len() - 1].end, Vec::new())]),
            );
        }
        edits
    };
    long_first(look.in_bodies(runs))
}

/// A statement and all that follows it in its block, given up for `unreachable`.
pub fn ended(look: &Look<'_>) -> Vec<Proposal> {
    let ends = |site: &Site<'_>| {
        let mut edits = Vec::new();
        for arm in &site.body.arms {
            for statement in &arm.statements {
                let cut = statement.start..arm.inside.end;
                if site.wasm()[cut.clone()] != [UNREACHABLE] {
                    edits.push(vec![site.edit(cut, vec![UNREACHABLE])]);
                }
            }
        }
        edits
    };
    long_first(look.in_bodies(ends))
}

/// Expressions replaced by a constant, by what the reference was seen to compute, by one of their operands, or by a
/// local; large ones first.
pub fn simpler_expressions(look: &Look<'_>) -> Vec<Proposal> {
    let edits = |site: &Site<'_>| {
        let mut edits = Vec::new();
        for node in &site.body.nodes {
            let codes = replacements(site, node).into_iter();
            edits.extend(codes.map(|code| vec![site.edit(node.bytes.clone(), code)]));
            edits.extend(around_statements(site, node));
        }
        edits
    };
    long_first(look.in_bodies(edits))
}

/// Where statements stand between a node's operands: its opcode and operands left out, replaced by constants or
/// by one of the operands, and the statements kept.
fn around_statements(site: &Site<'_>, node: &Node) -> Vec<Vec<Edit>> {
    let mut operands = node.operands.clone();
    operands.dedup_by(|a, b| a.bytes == b.bytes);
    let own = node.at..node.immediates.end;
    let taken: usize = operands.iter().map(|operand| operand.bytes.len()).sum();
    if !node.inside.is_empty() || taken + own.len() == node.bytes.len() {
        return Vec::new();
    }
    let without = |kept: Option<usize>, code: Vec<u8>| {
        let gone = (0..operands.len()).filter(|operand| Some(*operand) != kept);
        let mut edits: Vec<Edit> =
            gone.map(|operand| site.edit(operands[operand].bytes.clone(), Vec::new())).collect();
        edits.push(site.edit(own.clone(), code));
        edits
    };
    let mut edits = Vec::new();
    let mut simple = Vec::new();
    if node.results.iter().all(|ty| push_simplest(*ty, &mut simple)) {
        edits.push(without(None, simple));
    }
    if !node.results.is_empty() {
        edits.extend(observed(site, node).map(|code| without(None, code)));
    }
    edits.extend((0..operands.len()).map(|kept| without(Some(kept), Vec::new())));
    edits
}

/// Puts first what changes most.
fn long_first(mut proposals: Vec<Proposal>) -> Vec<Proposal> {
    let gain = |proposal: &Proposal| match proposal {
        Proposal::Code { edits, .. } => {
            edits.iter().map(|edit| edit.range.len() - edit.code.len().min(edit.range.len())).sum()
        }
        Proposal::Without { .. } | Proposal::Wasm { .. } | Proposal::Smaller(_) | Proposal::Case(_) => 0usize,
    };
    proposals.sort_by_key(|proposal| Reverse(gain(proposal)));
    proposals
}

/// What may stand in place of a node.
fn replacements(site: &Site<'_>, node: &Node) -> Vec<Vec<u8>> {
    let (wasm, body) = (site.wasm(), site.body);
    let mut codes = Vec::new();
    let mut simple = Vec::new();
    if node.results.iter().all(|ty| push_simplest(*ty, &mut simple)) {
        codes.push(simple);
    }
    let is_constant = matches!(node.opcode, Opcode::Const(_));
    if !is_constant && !node.results.is_empty() {
        codes.extend(observed(site, node));
    }
    if node.results.is_empty() {
        // Only its operands, dropped: what counts may be in one of them, or in what one of them takes.
        let of = |operand: &Operand| {
            let made = body.nodes.iter().find(|other| other.bytes == operand.bytes);
            made.map_or(Vec::new(), |made| made.operands.clone())
        };
        let deeper = node.operands.iter().flat_map(of);
        for operand in node.operands.iter().cloned().chain(deeper).filter(|operand| operand.ty.is_some()) {
            codes.push([&wasm[operand.bytes], &[DROP]].concat());
        }
    }
    if !node.results.is_empty() {
        // What is left on the stack by a branch need not be there.
        codes.push(Vec::new());
        // What counts may be what an operand does, not what it is.
        let mut simple = vec![DROP];
        if node.results.iter().all(|ty| push_simplest(*ty, &mut simple)) {
            let does = |operand: &&Operand| operand.ty.is_some() && operand.bytes.len() > 2;
            let kept = node.operands.iter().filter(does);
            codes.extend(kept.map(|operand| [&wasm[operand.bytes.clone()], &simple].concat()));
        }
    }
    if let [result] = *node.results {
        let fitting = node.operands.iter().filter(|operand| operand.ty == Some(result));
        codes.extend(fitting.map(|operand| wasm[operand.bytes.clone()].to_vec()));
        if let Some(local) = body.locals.iter().position(|ty| *ty == result) {
            let mut code = vec![0x20];
            (local as u32).encode(&mut code);
            codes.push(code);
        }
    }
    codes.retain(|code| code.len() <= node.bytes.len() && *code != wasm[node.bytes.clone()]);
    codes
}

/// The results of a node as the reference saw them first, as constants.
fn observed(site: &Site<'_>, node: &Node) -> Option<Vec<u8>> {
    // What comes next finds them on the stack.
    let operands = site.operands_at(node.bytes.end)?;
    let mut code = Vec::new();
    let mut depth = node.results.len();
    for ty in &node.results {
        depth -= 1;
        let bits = *operands.get(depth)?;
        let value = match ty {
            ValType::I32 => Value::I32(bits as u32),
            ValType::I64 => Value::I64(bits),
            ValType::F32 => Value::F32(bits as u32),
            ValType::F64 => Value::F64(bits),
            // A vector takes two slots, and a reference's slot says nothing to others.
            ValType::V128 | ValType::Ref(_) => return None,
        };
        push_value(&value, &mut code);
    }
    Some(code)
}

/// Writes a value as a constant; says `false` of references, but for the plainest nulls.
pub fn push_value(value: &Value, code: &mut Vec<u8>) -> bool {
    match value {
        Value::I32(value) => {
            code.push(0x41);
            (*value as i32).encode(code);
        }
        Value::I64(value) => {
            code.push(0x42);
            (*value as i64).encode(code);
        }
        Value::F32(bits) => {
            code.push(0x43);
            code.extend(bits.to_le_bytes());
        }
        Value::F64(bits) => {
            code.push(0x44);
            code.extend(bits.to_le_bytes());
        }
        Value::V128(bits) => {
            code.extend([0xfd, 0x0c]);
            code.extend(bits.to_le_bytes());
        }
        Value::Ref(RefValue::Null(HeapKind::Func)) => code.extend([0xd0, 0x70]),
        Value::Ref(RefValue::Null(HeapKind::Extern)) => code.extend([0xd0, 0x6f]),
        Value::Ref(_) => return false,
    }
    true
}

/// Writes the simplest value of a type; says `false` where there is none that can be written.
pub fn push_simplest(ty: ValType, code: &mut Vec<u8>) -> bool {
    match ty {
        ValType::I32 => code.extend([0x41, 0]),
        ValType::I64 => code.extend([0x42, 0]),
        ValType::F32 => code.extend([0x43, 0, 0, 0, 0]),
        ValType::F64 => code.extend([0x44, 0, 0, 0, 0, 0, 0, 0, 0]),
        ValType::V128 => {
            code.extend([0xfd, 0x0c]);
            code.extend([0; 16]);
        }
        ValType::Ref(RefType::FUNCREF) => code.extend([0xd0, 0x70]),
        ValType::Ref(RefType::EXTERNREF) => code.extend([0xd0, 0x6f]),
        ValType::Ref(ty) => match ty.heap_type() {
            HeapType::Abstract { .. } | HeapType::Concrete(_) | HeapType::Exact(_) => return false,
        },
    }
    true
}
