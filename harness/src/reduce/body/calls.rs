//! Makes calls through tables direct, so that tables and their segments can go; and all others plain ones.

use super::super::proposal::{Look, Proposal, Site};
use super::DROP;
use crate::wasm::edit::Edit;
use crate::wasm::functions::function_types;
use crate::wasm::tree::Node;
use crosscheck_engine::opcode::{Control, Immediate, Opcode, Reference};
use wasm_encoder::Encode;

/// Functions that are tried in place of a table's element.
const CANDIDATES: usize = 16;

/// Calls through a table that call a function of the same type directly.
pub fn direct(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| {
        let mut edits = Vec::new();
        for node in &site.body.nodes {
            let code = match node.opcode {
                Opcode::Control(Control::CallIndirect) => Control::Call,
                Opcode::Control(Control::ReturnCallIndirect) => Control::ReturnCall,
                _ => continue,
            };
            edits.extend(edits_of(site, node, code.row().code.value as u8));
        }
        edits
    })
}

/// Calls of what a reference names that call it directly, and tail calls that call, whatever comes of what follows.
pub fn plain(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| site.body.nodes.iter().flat_map(|node| plain_of(site, node)).collect())
}

fn plain_of(site: &Site<'_>, node: &Node) -> Vec<Vec<Edit>> {
    let Opcode::Control(control) = node.opcode else { return Vec::new() };
    let code = |control: Control| control.row().code.value as u8;
    let called = match control {
        Control::ReturnCall => Some(Control::Call),
        Control::ReturnCallIndirect => Some(Control::CallIndirect),
        Control::ReturnCallRef => Some(Control::CallRef),
        _ => None,
    };
    let mut edits: Vec<_> =
        called.map(|call| vec![site.edit(node.at..node.at + 1, vec![code(call)])]).into_iter().collect();
    let direct = match control {
        Control::CallRef => Control::Call,
        Control::ReturnCallRef => Control::ReturnCall,
        _ => return edits,
    };
    let made = node.operands.last().and_then(|operand| {
        let named = |made: &&Node| made.opcode == Opcode::Reference(Reference::RefFunc);
        site.body.nodes.iter().filter(named).find(|made| made.bytes == operand.bytes)
    });
    if let Some(made) = made {
        let call = [&[code(direct)], &site.wasm()[made.immediates.clone()]].concat();
        let own = node.at..node.immediates.end;
        edits.push(vec![site.edit(made.bytes.clone(), Vec::new()), site.edit(own, call)]);
    }
    edits
}

fn edits_of(site: &Site<'_>, node: &Node, opcode: u8) -> Vec<Vec<Edit>> {
    let ty = site.body.names_in(&node.immediates).find(|name| name.of == Immediate::Type);
    let (Some(ty), Some(index)) = (ty, node.operands.last()) else { return Vec::new() };
    let types = function_types(site.wasm()).unwrap_or_default();
    let funcs = (0u32..).zip(&types).filter(|(_, of)| **of == ty.index).take(CANDIDATES);
    let edits = |(func, _): (u32, &u32)| {
        let mut call = vec![opcode];
        func.encode(&mut call);
        let dropped = [vec![DROP], call.clone()].concat();
        let at = node.at..node.immediates.end;
        // What makes the index may be what counts.
        [
            vec![site.edit(index.bytes.clone(), Vec::new()), site.edit(at.clone(), call)],
            vec![site.edit(at, dropped)],
        ]
    };
    funcs.flat_map(edits).collect()
}
