//! Makes state that no export shows a result, so that any engine's runner sees what only this bench compares.

use super::is_valid;
use crate::case::{Action, Case, Value};
use crate::compare::first_byte;
use crate::observe::State;
use crate::wasm::sections::{CODE_SECTION, EXPORT_SECTION, FUNCTION_SECTION, Sections, TYPE_SECTION};
use crate::wasm::spaces::{Counts, Space};
use wasm_encoder::Encode;

/// What the export is called.
const NAME: &str = "differs";

/// What differs in the latest instance of a module, by its index there.
enum Hidden {
    Global(u32),
    Byte { memory: u32, address: u64 },
    Size { memory: u32 },
}

/// The case with a look at the first global or memory that differs after action number `action`: a new export, and an
/// action that reads or calls it. `None` where neither differs, or no module can show it.
pub fn shown(case: &Case, action: usize, left: &State, right: &State) -> Option<Case> {
    let (module, hidden) = hidden(left, right)?;
    let wasm = &case.modules.get(module)?.wasm;
    let wasm = match hidden {
        Hidden::Global(global) => with_export(sections(wasm)?, 3, global)?,
        Hidden::Byte { memory, address } => {
            let constants = [i32_constant(address), Some(i64_constant(address))];
            let mut codes = constants.into_iter().flatten().map(|mut code| {
                // i32.load8_u, from a memory with a number.
                code.extend([0x2d, 0x40]);
                memory.encode(&mut code);
                code.push(0);
                code
            });
            codes.find_map(|code| with_function(wasm, &code).filter(|wasm| is_valid(wasm)))?
        }
        Hidden::Size { memory } => {
            const WRAP: u8 = 0xa7;
            let mut code = vec![0x3f];
            memory.encode(&mut code);
            let wrapped = [&code[..], &[WRAP]].concat();
            [code, wrapped].iter().find_map(|code| with_function(wasm, code).filter(|wasm| is_valid(wasm)))?
        }
    };
    if !is_valid(&wasm) {
        return None;
    }
    let mut case = case.clone();
    case.modules[module].wasm = wasm;
    let (export, module) = (NAME.to_string(), module as u32);
    let look = match hidden {
        Hidden::Global(_) => Action::Read { module, export },
        Hidden::Byte { .. } | Hidden::Size { .. } => Action::Invoke { module, export, args: Vec::new() },
    };
    case.actions.insert((action + 1).min(case.actions.len()), look);
    Some(case)
}

fn hidden(left: &State, right: &State) -> Option<(usize, Hidden)> {
    let modules = left.modules.iter().zip(&right.modules).enumerate();
    modules.into_iter().find_map(|(module, (ours, theirs))| {
        let ours = left.instances.get((*ours)? as usize)?;
        let theirs = right.instances.get((*theirs)? as usize)?;
        let is_number = |value: &Value| !matches!(value, Value::Ref(_));
        let mut globals = (0u32..).zip(ours.globals.iter().zip(&theirs.globals));
        let global = globals.find(|(_, (a, b))| a != b && is_number(a));
        let mut memories = (0u32..).zip(ours.memories.iter().zip(&theirs.memories));
        let hidden = global.map(|(number, _)| Hidden::Global(number)).or_else(|| {
            memories.find_map(|(memory, (a, b))| {
                if a.bytes != b.bytes {
                    return Some(Hidden::Size { memory });
                }
                first_byte(a, b).map(|(address, ..)| Hidden::Byte { memory, address })
            })
        });
        hidden.map(|hidden| (module, hidden))
    })
}

fn i32_constant(value: u64) -> Option<Vec<u8>> {
    let mut code = vec![0x41];
    (u32::try_from(value).ok()? as i32).encode(&mut code);
    Some(code)
}

fn i64_constant(value: u64) -> Vec<u8> {
    let mut code = vec![0x42];
    (value as i64).encode(&mut code);
    code
}

/// The module with an exported function more, which gives an i32.
fn with_function(wasm: &[u8], code: &[u8]) -> Option<Vec<u8>> {
    const END: u8 = 0x0b;
    let mut sections = sections(wasm)?;
    // Groups of types count as one entry, so their number says little.
    let counts = Counts::of(wasm)?;
    let (_, ty) = counts.in_space(Space::Type);
    sections.extend(TYPE_SECTION, 1, &[0x60, 0, 1, 0x7f]).ok()?;
    let mut entry = Vec::new();
    ty.encode(&mut entry);
    let defined = sections.append(FUNCTION_SECTION, &entry).ok()?;
    // No locals.
    let body = [&[0], code, &[END]].concat();
    let mut entry = Vec::new();
    body.as_slice().encode(&mut entry);
    sections.extend(CODE_SECTION, 1, &entry).ok()?;
    with_export(sections, 0, counts.in_space(Space::Func).0 + defined)
}

/// The module with an export more, of a kind by its number.
fn with_export(mut sections: Sections, kind: u8, index: u32) -> Option<Vec<u8>> {
    let mut entry = Vec::new();
    NAME.encode(&mut entry);
    entry.push(kind);
    index.encode(&mut entry);
    sections.extend(EXPORT_SECTION, 1, &entry).ok()?;
    Some(sections.module())
}

/// The sections that count: a script has no custom ones.
fn sections(wasm: &[u8]) -> Option<Sections> {
    Some(Sections::of(wasm).ok()?.without_custom())
}
