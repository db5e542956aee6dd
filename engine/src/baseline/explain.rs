//! What became of each instruction: its machine code, disassembled.

use super::compiler::Compiler;
use super::target::{Assembler, Target};
use crate::executor::ExplainedLine;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::native::code::{CodeMap, Site};

/// The machine code of a function, line by line. Offsets are those in the function; distances to other
/// functions are not filled in, and shown as what they lead to.
pub(super) fn explain<T: Target>(
    module: &ModuleInner,
    settings: &Settings,
    func: DefinedFuncIndex,
) -> Vec<ExplainedLine> {
    let mut compiler = Compiler::<T>::new(module, settings);
    compiler.marks = Some(Vec::new());
    compiler.function(func);
    let Compiler { asm, plan, map, marks, .. } = compiler;
    let marks = marks.expect("just asked for");
    let mut lines = Vec::new();
    let (mut mark, mut offset) = (0, module.body(func).code.start);
    for instruction in asm.disassemble(map.funcs[0].code.end) {
        let (start, next) = (instruction.start, instruction.end);
        while let Some(next) = marks.get(mark).filter(|mark| mark.code <= start) {
            offset = next.wasm;
            if let Some(state) = &next.state {
                lines.push(ExplainedLine { offset, text: format!("        {state}"), is_state: true });
            }
            mark += 1;
        }
        let callee = plan.calls.iter().find(|call| call.at + T::DISTANCE_BYTES == next);
        let text = match callee {
            Some(call) => {
                let name = module.func_name(module.func_index(call.target).0);
                format!("{} {name}", instruction.mnemonic)
            }
            None => instruction.text,
        };
        // The code after the last opcode is stubs, each of which belongs to the instruction that its
        // rows name.
        let owner = if mark == marks.len() { owner_of_stub(&map, start, offset) } else { offset };
        let note = note(&map, start, next);
        lines.push(ExplainedLine {
            offset: owner,
            text: format!("{start:06x}  {text}{note}"),
            is_state: false,
        });
    }
    lines.sort_by_key(|line| line.offset);
    lines
}

fn owner_of_stub(map: &CodeMap, start: u32, last: u32) -> u32 {
    let next = map.sites.iter().find(|site| site.code > start);
    next.filter(|site| site.trap().is_some()).map_or(last, |site| site.wasm)
}

fn note(map: &CodeMap, start: u32, next: u32) -> String {
    if let Some(trap) = map.sites.iter().find(|site| site.code == next).and_then(Site::trap) {
        return format!("  ; {trap}");
    }
    let faults = map.faults.iter().any(|fault| fault.code == start);
    if faults { "  ; may fault: out of bounds memory access".to_string() } else { String::new() }
}
