//! Takes the usual instruction in place of special ones, so that what all of a kind show is shown by one of them.

use super::super::proposal::{Look, Proposal, Site};
use super::DROP;
use crate::wasm::edit::Edit;
use crate::wasm::instruction::write_code;
use crate::wasm::tree::Node;
use crosscheck_engine::opcode::{Control, Load, Opcode};

/// Instructions that take and give the same, have the same immediates, and come earlier in the binary format; any load
/// may be one of an `i32`.
pub fn plainer(look: &Look<'_>) -> Vec<Proposal> {
    of_nodes(look, |site, node| {
        let at = node.at..node.immediates.start;
        let own = &site.wasm()[at.clone()];
        let codes = Opcode::all().filter(|other| may_stand_for(*other, node.opcode)).map(code);
        let earlier = codes.filter(|code| (code.len(), code.as_slice()) < (own.len(), own));
        earlier.map(|code| vec![site.edit(at.clone(), code)]).collect()
    })
}

/// Stores that become loads from the same address, of which the result is dropped.
pub fn loads(look: &Look<'_>) -> Vec<Proposal> {
    of_nodes(look, |site, node| {
        let (Opcode::Store(store), [_, value]) = (node.opcode, node.operands.as_slice()) else {
            return Vec::new();
        };
        let as_wide = |load: &Opcode| matches!(load, Opcode::Load(load) if load.width() == store.width());
        let Some(load) = Opcode::all().find(as_wide).filter(|_| value.ty.is_some()) else {
            return Vec::new();
        };
        let end = node.immediates.end;
        vec![vec![
            site.edit(value.bytes.clone(), Vec::new()),
            site.edit(node.at..node.immediates.start, code(load)),
            site.edit(end..end, vec![DROP]),
        ]]
    })
}

/// Jump tables that have one label only, and so are jumps.
pub fn jumps(look: &Look<'_>) -> Vec<Proposal> {
    of_nodes(look, |site, node| {
        let labels: Vec<_> = site.body.names_in(&node.immediates).collect();
        match (node.opcode, labels.as_slice(), node.operands.last()) {
            (Opcode::Control(Control::BrTable), [only], Some(index)) if index.ty.is_some() => {
                let label = site.wasm()[only.bytes.clone()].to_vec();
                let jump = [code(Opcode::Control(Control::Br)), label].concat();
                let own = node.at..node.immediates.end;
                vec![vec![site.edit(index.bytes.clone(), Vec::new()), site.edit(own, jump)]]
            }
            _ => Vec::new(),
        }
    })
}

/// What is proposed for each node.
fn of_nodes(look: &Look<'_>, edits: impl Fn(&Site<'_>, &Node) -> Vec<Vec<Edit>>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| site.body.nodes.iter().flat_map(|node| edits(site, node)).collect())
}

fn code(opcode: Opcode) -> Vec<u8> {
    let mut code = Vec::new();
    write_code(opcode.row(), &mut code);
    code
}

/// Whether one that computes or loads may stand where another stands; of what is stored the type may matter.
fn may_stand_for(other: Opcode, opcode: Opcode) -> bool {
    let (row, own) = (other.row(), opcode.row());
    let is_alike = row.operands == own.operands && row.results == own.results;
    match (other, opcode) {
        (Opcode::Numeric(_), Opcode::Numeric(_)) | (Opcode::Store(_), Opcode::Store(_)) => is_alike,
        (Opcode::Load(load), Opcode::Load(_)) => is_alike || load == Load::I32Load,
        _ => false,
    }
}
