//! Shapes that are calls: an instruction in a function of its own, a value that passes through one, a function in place of
//! its call.

use super::change::{Change, Site, push_constant};
use crate::draw::Stream;
use crate::wasm::spaces::{Counts, Space};
use crate::wasm::tree::{Body, bodies};
use crosscheck_engine::opcode::{Control, Immediate, Opcode};
use std::ops::Range;
use wasm_encoder::{BlockType, Encode, InstructionSink, RefType, TableType};
use wasmparser::ValType;

/// Numbers of sections that only this file adds to.
const TABLE_SECTION: u8 = 4;
const ELEMENT_SECTION: u8 = 9;

/// An instruction in a function of its own, which is called or reached through a table of its own.
pub(super) fn outlined(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let node = site.node;
    match node.opcode {
        Opcode::Control(Control::Call) => {}
        Opcode::Control(_) => return None,
        _ => {}
    }
    let range = site.instruction();
    let is_of_frame = |of| matches!(of, Immediate::Local | Immediate::Label);
    if site.body.names_in(&range).any(|name| is_of_frame(name.of)) {
        return None;
    }
    let params: Vec<ValType> = node.operands.iter().map(|operand| operand.ty).collect::<Option<_>>()?;
    let ty = change.ty(&params, &node.results)?;
    let mut code = Vec::new();
    for param in 0..params.len() {
        InstructionSink::new(&mut code).local_get(param as u32);
    }
    code.extend_from_slice(&site.wasm[range.clone()]);
    let func = change.function(ty, &code);
    let mut call = Vec::new();
    if stream.percent(50) {
        InstructionSink::new(&mut call).call(func);
    } else {
        let slot = stream.below(3) as u32;
        let table = table_of(func, slot, change);
        InstructionSink::new(&mut call).i32_const(slot as i32).call_indirect(table, ty);
    }
    change.edit(site.body, range, call);
    Some(())
}

/// A new table that has a function in one slot, and nulls in all others.
fn table_of(func: u32, slot: u32, change: &mut Change<'_>) -> u32 {
    let mut entry = Vec::new();
    let (element_type, minimum) = (RefType::FUNCREF, u64::from(slot) + 1);
    TableType { element_type, table64: false, minimum, maximum: None, shared: false }.encode(&mut entry);
    let table = change.add(Space::Table, TABLE_SECTION, entry);
    // Only a segment of another table than the first one says of which table it is, and of what.
    let mut segment = Vec::new();
    if table == 0 {
        segment.push(0);
    } else {
        segment.push(2);
        table.encode(&mut segment);
    }
    InstructionSink::new(&mut segment).i32_const(slot as i32).end();
    if table != 0 {
        segment.push(0);
    }
    [func].as_slice().encode(&mut segment);
    change.add(Space::Elem, ELEMENT_SECTION, segment);
    table
}

/// A value that is one of several arguments of a function, and one of its results.
pub(super) fn carried(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let ty = site.value()?;
    let count = stream.between(1, 12);
    let place = stream.below(count as u64) as usize;
    let mut params: Vec<ValType> = (0..count).map(|_| *stream.pick(&OTHERS)).collect();
    params[place] = ty;
    // Another argument comes back too, before or after it.
    let other = stream.below(count as u64) as usize;
    let results = match stream.below(3) {
        0 => vec![place],
        1 => vec![place, other],
        _ => vec![other, place],
    };
    let types: Vec<ValType> = results.iter().map(|result| params[*result]).collect();
    let of_function = change.ty(&params, &types)?;
    let mut body = Vec::new();
    for result in &results {
        InstructionSink::new(&mut body).local_get(*result as u32);
    }
    let func = change.function(of_function, &body);
    let mut code = Vec::new();
    for (number, param) in params.iter().enumerate() {
        if number == place {
            code.extend_from_slice(&site.wasm[site.node.bytes.clone()]);
        } else {
            site.push_any(*param, stream, &mut code)?;
        }
    }
    InstructionSink::new(&mut code).call(func);
    if let [first, _] = *results {
        let seen = change.variable(params[other], stream)?;
        if first == place {
            InstructionSink::new(&mut code).global_set(seen);
        } else {
            let kept = change.local(site.body, ty);
            InstructionSink::new(&mut code).local_set(kept).global_set(seen).local_get(kept);
        }
    }
    change.edit(site.body, site.node.bytes.clone(), code);
    Some(())
}

/// Types of arguments beside the value that is carried.
const OTHERS: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
/// Code of a function beyond this size is not put in place of its calls.
const MOST_INLINED: usize = 400;

/// A function in place of one of its calls: a block with locals of its own, which begin as zero every time.
pub(super) fn inlined(site: &Site<'_>, stream: &mut Stream, change: &mut Change<'_>) -> Option<()> {
    let callee = site.body.names_in(&site.node.immediates).find(|name| name.of == Immediate::Func)?;
    let imported = Counts::of(site.wasm)?.in_space(Space::Func).0;
    let bodies = bodies(site.wasm);
    let callee = bodies.get(callee.index.checked_sub(imported)? as usize)?;
    if callee.code.len() > MOST_INLINED {
        return None;
    }
    let locals: Vec<u32> = callee.locals.iter().map(|ty| change.local(site.body, *ty)).collect();
    let mut code = Vec::new();
    for local in locals[..callee.params].iter().rev() {
        InstructionSink::new(&mut code).local_set(*local);
    }
    for (local, ty) in locals.iter().zip(&callee.locals).skip(callee.params) {
        push_zero(*ty, stream, &mut code)?;
        InstructionSink::new(&mut code).local_set(*local);
    }
    let ty = match *callee.results {
        [] => BlockType::Empty,
        [one] => BlockType::Result(super::change::encoded(one)?),
        _ => BlockType::FunctionType(change.ty(&[], &callee.results)?),
    };
    InstructionSink::new(&mut code).block(ty);
    code.extend(moved(site.wasm, callee, &locals)?);
    InstructionSink::new(&mut code).end();
    change.edit(site.body, site.instruction(), code);
    Some(())
}

/// Writes what a local begins with.
fn push_zero(ty: ValType, stream: &mut Stream, code: &mut Vec<u8>) -> Option<()> {
    let mut op = InstructionSink::new(code);
    match ty {
        ValType::I32 => _ = op.i32_const(0),
        ValType::I64 => _ = op.i64_const(0),
        ValType::F32 => _ = op.f32_const(0.0.into()),
        ValType::F64 => _ = op.f64_const(0.0.into()),
        ValType::V128 => _ = op.v128_const(0),
        // The constant of a reference is null.
        ValType::Ref(_) => return push_constant(ty, stream, code),
    }
    Some(())
}

/// A function's code with other locals, which branches to its end where it returned. Labels stay as they are: a block
/// stands where the function's own label did. None if it leaves its frame to another function.
fn moved(wasm: &[u8], body: &Body, locals: &[u32]) -> Option<Vec<u8>> {
    let mut replaced: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    for name in body.local_names() {
        let mut local = Vec::new();
        locals[name.index as usize].encode(&mut local);
        replaced.push((name.bytes.clone(), local));
    }
    for node in &body.nodes {
        use Control::{Return, ReturnCall, ReturnCallIndirect, ReturnCallRef};
        match node.opcode {
            Opcode::Control(ReturnCall | ReturnCallIndirect | ReturnCallRef) => return None,
            Opcode::Control(Return) => {
                let mut leave = Vec::new();
                InstructionSink::new(&mut leave).br(node.level - 1);
                replaced.push((node.at..node.bytes.end, leave));
            }
            _ => {}
        }
    }
    replaced.sort_by_key(|(range, _)| range.start);
    let (mut code, mut copied) = (Vec::new(), body.code.start);
    for (range, new) in replaced {
        code.extend_from_slice(&wasm[copied..range.start]);
        code.extend_from_slice(&new);
        copied = range.end;
    }
    code.extend_from_slice(&wasm[copied..body.code.end]);
    Some(code)
}
