//! Makes function bodies smaller: empties them, leaves out statements, puts something simple in place of an
//! expression, makes constants and lists of locals smaller.
//!
//! A body is seen as nodes ([`tree`]): an instruction with the instructions that make its operands, or a block
//! up to its end. Each pass lists edits, the most promising first. An edit need not make a valid module; whoever
//! applies it validates.

mod tree;

use crosscheck_engine::opcode::{Const, Opcode, Variable};
use std::cmp::Reverse;
use std::ops::Range;
use tree::{Body, Node, Operand, bodies};
use wasm_encoder::Encode;
use wasmparser::{HeapType, Parser, Payload, RefType, ValType};

const DROP: u8 = 0x1a;

/// Bytes to put in place of a range of a module's code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The body, by its number.
    body: usize,
    range: Range<usize>,
    code: Vec<u8>,
}

/// The module with the edit made, sizes put right; `None` if it cannot be read.
pub fn apply(wasm: &[u8], edit: &Edit) -> Option<Vec<u8>> {
    const CODE_SECTION: u8 = 10;
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
            let data = code_section(wasm, &ranges, edit);
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

fn code_section(wasm: &[u8], ranges: &[Range<usize>], edit: &Edit) -> Vec<u8> {
    let mut data = Vec::with_capacity(wasm.len());
    ranges.len().encode(&mut data);
    for (number, range) in ranges.iter().enumerate() {
        if number == edit.body {
            let mut body = wasm[range.start..edit.range.start].to_vec();
            body.extend_from_slice(&edit.code);
            body.extend_from_slice(&wasm[edit.range.end..range.end]);
            body.as_slice().encode(&mut data);
        } else {
            wasm[range.clone()].encode(&mut data);
        }
    }
    data
}

/// Bodies that trap at once, or give the simplest results; large ones first.
pub fn emptied(wasm: &[u8]) -> Vec<Edit> {
    const UNREACHABLE: u8 = 0x00;
    let mut bodies = bodies(wasm);
    bodies.sort_by_key(|body| Reverse(body.code.len()));
    let mut edits = Vec::new();
    for body in &bodies {
        let mut simple = Vec::new();
        let is_possible = body.results.iter().all(|ty| push_simplest(*ty, &mut simple));
        let ways = [Some(vec![UNREACHABLE]), is_possible.then_some(simple)];
        edits.extend(
            ways.into_iter().flatten().filter(|code| code.len() < body.code.len()).map(|code| Edit {
                body: body.number,
                range: body.code.clone(),
                code,
            }),
        );
    }
    edits
}

/// Runs of neighbouring statements left out: all, halves, quarters, and so on to single ones; long ones first.
pub fn without_statements(wasm: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for body in bodies(wasm) {
        for sequence in &body.sequences {
            let mut size = sequence.len();
            while size > 0 {
                edits.extend(sequence.chunks(size).map(|run| Edit {
                    body: body.number,
                    range: run[0].start..run[run.len() - 1].end,
                    code: Vec::new(),
                }));
                size /= 2;
            }
        }
    }
    edits.sort_by_key(|edit| Reverse(edit.range.len()));
    edits.dedup();
    edits
}

/// Expressions replaced by a constant, by one of their operands, by a local, or by what is in a block; large ones
/// first.
pub fn simplified(wasm: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for body in bodies(wasm) {
        for node in &body.nodes {
            let codes = replacements(wasm, &body, node).into_iter();
            edits.extend(codes.map(|code| Edit { body: body.number, range: node.bytes.clone(), code }));
        }
    }
    edits.sort_by_key(|edit| Reverse(edit.range.len()));
    edits
}

/// What may stand in place of a node: only what is shorter, or as short and simpler.
fn replacements(wasm: &[u8], body: &Body, node: &Node) -> Vec<Vec<u8>> {
    let mut codes = Vec::new();
    let is_constant = matches!(node.opcode, Opcode::Const(_));
    let is_local = node.opcode == Opcode::Variable(Variable::LocalGet);
    let mut simple = Vec::new();
    if node.results.iter().all(|ty| push_simplest(*ty, &mut simple)) {
        let length = node.bytes.len();
        let is_new = simple.len() == length && !is_constant && simple != wasm[node.bytes.clone()];
        if simple.len() < length || is_new {
            codes.push(simple);
        }
    }
    if node.results.is_empty() {
        // Only its operands, dropped: what counts may be in one of them, or in what one of them takes.
        let of = |operand: &Operand| {
            let made = body.nodes.iter().find(|other| other.bytes == operand.bytes);
            made.map_or(Vec::new(), |made| made.operands.clone())
        };
        let deeper = node.operands.iter().flat_map(of);
        for operand in node.operands.iter().cloned().chain(deeper).filter(|operand| operand.ty.is_some()) {
            let code = [&wasm[operand.bytes], &[DROP]].concat();
            if code.len() < node.bytes.len() {
                codes.push(code);
            }
        }
    }
    codes.extend(node.inside.iter().map(|inside| wasm[inside.clone()].to_vec()));
    if let [result] = *node.results {
        let fitting = node.operands.iter().filter(|operand| operand.ty == Some(result));
        codes.extend(fitting.map(|operand| wasm[operand.bytes.clone()].to_vec()));
        if !is_local && let Some(local) = body.locals.iter().position(|ty| *ty == result) {
            let mut code = vec![0x20];
            (local as u32).encode(&mut code);
            if code.len() < node.bytes.len() {
                codes.push(code);
            }
        }
    }
    codes
}

/// Writes the simplest value of a type; says `false` where there is none that can be written.
fn push_simplest(ty: ValType, code: &mut Vec<u8>) -> bool {
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

/// Constants made smaller, step by step.
pub fn smaller_constants(wasm: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for body in bodies(wasm) {
        for node in &body.nodes {
            let Opcode::Const(constant) = node.opcode else { continue };
            // Behind the code of one byte.
            let old = &wasm[node.bytes.start + 1..node.bytes.end];
            let codes = smaller(constant, old).into_iter().filter(|code| is_less(code, old));
            let range = node.bytes.start + 1..node.bytes.end;
            edits.extend(codes.map(|code| Edit { body: body.number, range: range.clone(), code }));
        }
    }
    edits
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
            let mut reader = wasmparser::BinaryReader::new(old, 0);
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

/// Declared locals that nothing uses left out, one at a time.
pub fn without_locals(wasm: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for body in bodies(wasm) {
        for local in (body.params..body.locals.len()).rev() {
            if !body.local_uses.iter().any(|(_, used)| *used as usize == local) {
                edits.extend(without_local(wasm, &body, local));
            }
        }
    }
    edits
}

fn without_local(wasm: &[u8], body: &Body, local: usize) -> Option<Edit> {
    let mut code = Vec::new();
    let kept: Vec<ValType> = (body.params..body.locals.len())
        .filter(|other| *other != local)
        .map(|other| body.locals[other])
        .collect();
    kept.len().encode(&mut code);
    for ty in kept {
        1u32.encode(&mut code);
        push_type(ty, &mut code)?;
    }
    let mut copied = body.code.start;
    for (at, used) in &body.local_uses {
        code.extend_from_slice(&wasm[copied..at.start]);
        (used - u32::from(*used as usize > local)).encode(&mut code);
        copied = at.end;
    }
    code.extend_from_slice(&wasm[copied..body.code.end]);
    Some(Edit { body: body.number, range: body.start..body.code.end, code })
}

fn push_type(ty: ValType, code: &mut Vec<u8>) -> Option<()> {
    code.push(match ty {
        ValType::I32 => 0x7f,
        ValType::I64 => 0x7e,
        ValType::F32 => 0x7d,
        ValType::F64 => 0x7c,
        ValType::V128 => 0x7b,
        ValType::Ref(RefType::FUNCREF) => 0x70,
        ValType::Ref(RefType::EXTERNREF) => 0x6f,
        ValType::Ref(_) => return None,
    });
    Some(())
}
