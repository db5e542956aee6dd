//! Shapes around and inside the expressions of a program, which leave what it computes mostly as it was.
//!
//! What real code computes meets what compilers get wrong: a value under which others wait, one that a branch carries or a
//! block takes, one that goes through memory, a global, a call, a table. A row of [`SHAPES`] is a change at one node; what
//! comes of it is kept if it is valid.

use super::call;
use super::change::{Change, Site, encoded, number};
use crate::draw::Stream;
use crate::generate::linked::types::Ty;
use crate::generate::numbers::PAGE;
use crate::wasm::tree::bodies;
use crosscheck_engine::opcode::{Control, Opcode};
use std::ops::Range;
use wasm_encoder::{BlockType, InstructionSink, MemArg, MemArgTarget};
use wasmparser::{MemoryType, Parser, Payload, TypeRef, ValType, Validator, WasmFeatures};

/// A way to change a module at a node.
struct Shape {
    name: &'static str,
    weight: u32,
    /// Whether it is tried at a node with this opcode.
    fits: fn(Opcode) -> bool,
    /// Puts the change together; none if the node is not such that it can be.
    make: fn(&Site<'_>, &mut Stream, &mut Change<'_>) -> Option<()>,
}

/// Every shape. A new one is a row and a function.
const SHAPES: &[Shape] = &[
    Shape { name: "around", weight: 3, fits: any, make: around },
    Shape { name: "parameters", weight: 3, fits: any, make: parameters },
    Shape { name: "branch", weight: 3, fits: any, make: branch },
    Shape { name: "round", weight: 2, fits: any, make: round },
    Shape { name: "beneath", weight: 3, fits: any, make: beneath },
    Shape { name: "local", weight: 2, fits: any, make: through_local },
    Shape { name: "global", weight: 2, fits: any, make: through_global },
    Shape { name: "constant", weight: 2, fits: is_constant, make: constant_in_global },
    Shape { name: "memory", weight: 3, fits: any, make: through_memory },
    Shape { name: "outlined", weight: 4, fits: any, make: call::outlined },
    Shape { name: "carried", weight: 2, fits: any, make: call::carried },
    Shape { name: "inlined", weight: 2, fits: is_call, make: call::inlined },
];

fn any(_: Opcode) -> bool {
    true
}

fn is_constant(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Const(_))
}

fn is_call(opcode: Opcode) -> bool {
    opcode == Opcode::Control(Control::Call)
}

/// The names of all shapes.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|shape| shape.name)
}

/// Attempts for each shape that is wanted: many nodes do not take many shapes.
const TRIES: usize = 8;
/// Code beyond this size is not written twice.
const MOST_TWICE: usize = 100;

/// The module with so many shapes in it, if as many can be had, and the names of those.
pub(super) fn shaped(
    mut wasm: Vec<u8>,
    count: usize,
    allowed: WasmFeatures,
    stream: &mut Stream,
) -> (Vec<u8>, Vec<&'static str>) {
    let mut made = Vec::new();
    for _ in 0..count * TRIES {
        if made.len() == count {
            break;
        }
        let shape = stream.weighted(SHAPES, |shape| shape.weight);
        let bodies = bodies(&wasm);
        let sites = bodies.iter().flat_map(|body| {
            let fitting = body.nodes.iter().filter(|node| (shape.fits)(node.opcode));
            fitting.map(|node| Site { wasm: &wasm, body, node })
        });
        let sites: Vec<Site<'_>> = sites.collect();
        if sites.is_empty() {
            continue;
        }
        let site = stream.pick(&sites);
        let Some(mut change) = Change::of(&wasm) else { break };
        if (shape.make)(site, stream, &mut change).is_none() {
            continue;
        }
        if let Some(changed) = change.made()
            && Validator::new_with_features(allowed).validate_all(&changed).is_ok()
        {
            wasm = changed;
            made.push(shape.name);
        }
    }
    (wasm, made)
}

/// Ways for control to go in and come out.
#[derive(Clone, Copy)]
enum Around {
    Block,
    Loop,
    If,
}

/// A block, a loop or an `if` of that type around code, which stands in both arms of an `if`. `None` if that is too much.
fn enclosed(site: &Site<'_>, ty: BlockType, range: Range<usize>, stream: &mut Stream) -> Option<Vec<u8>> {
    let inside = site.inside(range, 1);
    let around = *stream.pick(&[Around::Block, Around::Loop, Around::If]);
    let mut code = Vec::with_capacity(inside.len() + 8);
    match around {
        Around::Block => _ = InstructionSink::new(&mut code).block(ty),
        Around::Loop => _ = InstructionSink::new(&mut code).loop_(ty),
        Around::If => {
            site.push_any(ValType::I32, stream, &mut code)?;
            InstructionSink::new(&mut code).if_(ty);
        }
    }
    code.extend_from_slice(&inside);
    if let Around::If = around {
        if inside.len() > MOST_TWICE {
            return None;
        }
        InstructionSink::new(&mut code).else_();
        code.extend_from_slice(&inside);
    }
    InstructionSink::new(&mut code).end();
    Some(code)
}

/// The type of a block that takes nothing and leaves one value or none.
fn leaving(value: Option<ValType>) -> Option<BlockType> {
    match value {
        None => Some(BlockType::Empty),
        Some(ty) => encoded(ty).map(BlockType::Result),
    }
}

/// An expression in a block, or some statements that follow one another.
fn around(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let mut range = site.node.bytes.clone();
    let ty = leaving(if site.node.results.is_empty() { None } else { Some(site.value()?) })?;
    if let BlockType::Empty = ty {
        let more = stream.between(0, 4);
        let arm = site.body.arms.iter().find(|arm| arm.statements.contains(&site.node.bytes))?;
        let place = arm.statements.iter().position(|statement| *statement == range)?;
        for statement in arm.statements[place + 1..].iter().take(more) {
            if statement.start != range.end {
                break;
            }
            range.end = statement.end;
        }
    }
    let code = enclosed(site, ty, range.clone(), stream)?;
    change.edit(site.body, range, code);
    Some(())
}

/// An instruction in a block that takes its operands as parameters.
fn parameters(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let operands = &site.node.operands;
    let params: Option<Vec<ValType>> = operands.iter().map(|operand| operand.ty).collect();
    let params = params.filter(|params| !params.is_empty())?;
    let ty = change.ty(&params, &site.node.results)?;
    let code = enclosed(site, BlockType::FunctionType(ty), site.instruction(), stream)?;
    change.edit(site.body, site.instruction(), code);
    Some(())
}

/// A value that a branch carries out of a block: over another value, out of one of two, or past code that is never reached.
fn branch(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let ty = site.value()?;
    let block = leaving(Some(ty))?;
    let mut code = Vec::new();
    match stream.below(3) {
        // What lies beneath stays behind if the branch is taken.
        0 => {
            let beneath = *stream.pick(&[ValType::I32, ValType::I64, ValType::F64]);
            let (kept, seen) = (change.local(site.body, ty), change.variable(beneath, stream)?);
            InstructionSink::new(&mut code).block(block);
            site.push_any(beneath, stream, &mut code)?;
            code.extend(site.inside(site.node.bytes.clone(), 1));
            site.push_any(ValType::I32, stream, &mut code)?;
            let mut op = InstructionSink::new(&mut code);
            op.br_if(0).local_set(kept).global_set(seen).local_get(kept).end();
        }
        1 => {
            InstructionSink::new(&mut code).block(block).block(block);
            code.extend(site.inside(site.node.bytes.clone(), 2));
            site.push_any(ValType::I32, stream, &mut code)?;
            InstructionSink::new(&mut code).br_table([0, 1, 0, 1], 0).end().end();
        }
        _ => {
            let inside = site.inside(site.node.bytes.clone(), 1);
            InstructionSink::new(&mut code).block(block);
            code.extend_from_slice(&inside);
            InstructionSink::new(&mut code).br(0);
            if inside.len() <= MOST_TWICE {
                code.extend_from_slice(&inside);
            }
            InstructionSink::new(&mut code).end();
        }
    }
    change.edit(site.body, site.node.bytes.clone(), code);
    Some(())
}

/// A value that goes round in a loop a few times, beside another one that changes.
fn round(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let ty = site.value()?;
    let rounds = change.local(site.body, ValType::I32);
    let kept = change.local(site.body, ty);
    let seen = change.variable(ValType::I64, stream)?;
    let is_first = stream.percent(50);
    let carried = if is_first { [ty, ValType::I64] } else { [ValType::I64, ty] };
    let of_loop = BlockType::FunctionType(change.ty(&carried, &carried)?);
    let mut code = Vec::new();
    let value = &site.wasm[site.node.bytes.clone()];
    if is_first {
        code.extend_from_slice(value);
    }
    site.push_any(ValType::I64, stream, &mut code)?;
    if !is_first {
        code.extend_from_slice(value);
    }
    let mut op = InstructionSink::new(&mut code);
    op.loop_(of_loop);
    if !is_first {
        op.local_set(kept);
    }
    op.i64_const(5).i64_rotl().i64_const(-3).i64_add();
    if !is_first {
        op.local_get(kept);
    }
    // The count is that of the activation, so that a round of an outer loop comes to an end at once.
    op.local_get(rounds).i32_const(1).i32_add().local_tee(rounds);
    op.i32_const(stream.between(1, 6) as i32).i32_lt_u().br_if(0).end();
    match is_first {
        true => op.global_set(seen),
        false => op.local_set(kept).global_set(seen).local_get(kept),
    };
    change.edit(site.body, site.node.bytes.clone(), code);
    Some(())
}

/// A value that is made while others wait beneath it, more of them than there are registers now and then.
fn beneath(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let ty = site.value()?;
    let kept = change.local(site.body, ty);
    let (mut code, mut waiting) = (Vec::new(), Vec::new());
    for _ in 0..*stream.pick(&[1, 2, 3, 5, 9, 14]) {
        let ty = *stream.pick(&[ValType::I32, ValType::I64, ValType::F32, ValType::F64]);
        site.push_any(ty, stream, &mut code)?;
        waiting.push(change.variable(ty, stream)?);
    }
    code.extend_from_slice(&site.wasm[site.node.bytes.clone()]);
    let mut op = InstructionSink::new(&mut code);
    op.local_set(kept);
    for global in waiting.iter().rev() {
        op.global_set(*global);
    }
    op.local_get(kept);
    change.edit(site.body, site.node.bytes.clone(), code);
    Some(())
}

fn through_local(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let local = change.local(site.body, site.value()?);
    let mut code = Vec::new();
    match stream.percent(50) {
        true => InstructionSink::new(&mut code).local_set(local).local_get(local),
        false => InstructionSink::new(&mut code).local_tee(local),
    };
    let end = site.node.bytes.end;
    change.edit(site.body, end..end, code);
    Some(())
}

fn through_global(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let global = change.variable(site.value()?, stream)?;
    let mut code = Vec::new();
    InstructionSink::new(&mut code).global_set(global).global_get(global);
    let end = site.node.bytes.end;
    change.edit(site.body, end..end, code);
    Some(())
}

/// A constant that is a global's value, which is the same for ever if the global cannot be written.
fn constant_in_global(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let range = site.node.bytes.clone();
    let global = change.global(site.value()?, stream.percent(50), &site.wasm[range.clone()])?;
    let mut code = Vec::new();
    InstructionSink::new(&mut code).global_get(global);
    change.edit(site.body, range, code);
    Some(())
}

/// A value that is stored and loaded again, in whatever the program keeps there.
fn through_memory(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    const PLACES: [u64; 8] = [0, 1, 7, 64, 255, 0x7ffc, PAGE - 9, PAGE - 8];
    let ty = number(site.value()?)?;
    let memory = first_memory(site.wasm)?;
    if memory.initial == 0 || memory.page_size_log2.is_some() || memory.shared {
        return None;
    }
    let place = *stream.pick(&PLACES);
    let offset = if stream.percent(50) { 0 } else { stream.below(place + 1) };
    let address = |op: &mut InstructionSink<'_>| match memory.memory64 {
        true => _ = op.i64_const((place - offset) as i64),
        false => _ = op.i32_const((place - offset) as i32),
    };
    let access =
        MemArg { offset, align: stream.below(3) as u32, target: MemArgTarget::Memory(0), ordering: None };
    let mut code = Vec::new();
    address(&mut InstructionSink::new(&mut code));
    code.extend_from_slice(&site.wasm[site.node.bytes.clone()]);
    let mut op = InstructionSink::new(&mut code);
    match ty {
        Ty::I32 => op.i32_store(access),
        Ty::I64 => op.i64_store(access),
        Ty::F32 => op.f32_store(access),
        Ty::F64 => op.f64_store(access),
        Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("it is a number"),
    };
    address(&mut op);
    match ty {
        Ty::I32 => op.i32_load(access),
        Ty::I64 => op.i64_load(access),
        Ty::F32 => op.f32_load(access),
        Ty::F64 => op.f64_load(access),
        Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("it is a number"),
    };
    change.edit(site.body, site.node.bytes.clone(), code);
    Some(())
}

/// The type of memory 0, if there is one.
fn first_memory(wasm: &[u8]) -> Option<MemoryType> {
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Memory(ty) = import.ok()?.ty {
                        return Some(ty);
                    }
                }
            }
            Payload::MemorySection(section) => return section.into_iter().next()?.ok(),
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    None
}
