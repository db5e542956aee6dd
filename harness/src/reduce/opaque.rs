//! Hides constants from what compiles or lowers a body: what an instruction is given as constants it reads from
//! globals instead.

use crate::case::Case;
use crate::wasm::edit::{Edit, apply};
use crate::wasm::sections::{GLOBAL_SECTION, Sections};
use crate::wasm::spaces::{Counts, Space};
use crate::wasm::tree::bodies;
use crosscheck_engine::opcode::{Const, Opcode};
use wasm_encoder::{Encode, ValType};

const GLOBAL_GET: u8 = 0x23;
const MUTABLE: u8 = 1;
const END: u8 = 0x0b;

/// The case with the constants that an instruction takes as operands read from globals; `None` if it takes none. The
/// instruction is told by its module and file offset.
pub fn without_constants(case: &Case, module: usize, offset: usize) -> Option<Case> {
    let wasm = &case.modules.get(module)?.wasm;
    let bodies = bodies(wasm);
    let mut nodes = bodies.iter().flat_map(|body| body.nodes.iter().map(move |node| (body, node)));
    let (body, node) = nodes.find(|(_, node)| node.at == offset)?;
    let (_, first) = Counts::of(wasm)?.in_space(Space::Global);
    let (mut edits, mut entries) = (Vec::new(), Vec::<Vec<u8>>::new());
    for operand in &node.operands {
        let Some(made) = body.nodes.iter().find(|made| made.bytes == operand.bytes) else { continue };
        let Opcode::Const(constant) = made.opcode else { continue };
        let mut entry = Vec::new();
        type_of(constant).encode(&mut entry);
        entry.push(MUTABLE);
        entry.extend_from_slice(&wasm[made.bytes.clone()]);
        entry.push(END);
        let mut code = vec![GLOBAL_GET];
        (first + entries.len() as u32).encode(&mut code);
        edits.push(Edit { body: body.number, range: operand.bytes.clone(), code });
        entries.push(entry);
    }
    if edits.is_empty() {
        return None;
    }
    let mut sections = Sections::of(&apply(wasm, &edits)?).ok()?.without_custom();
    entries.iter().try_for_each(|entry| sections.extend(GLOBAL_SECTION, 1, entry)).ok()?;
    let mut case = case.clone();
    case.modules[module].wasm = sections.module();
    Some(case)
}

fn type_of(constant: Const) -> ValType {
    match constant {
        Const::I32Const => ValType::I32,
        Const::I64Const => ValType::I64,
        Const::F32Const => ValType::F32,
        Const::F64Const => ValType::F64,
    }
}
