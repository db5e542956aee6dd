//! Puts the bodies of functions where they are called, so that the functions can go.
//!
//! Arguments go into new locals of the caller, and a function that returns before its end becomes a block. Labels stay
//! as they are: the block stands where the function's own label did. Locals are not made zero again where a call is
//! in a loop; that may change what the case shows, and then it is not taken.

use super::body::locals::{declared, push_type};
use super::body::{DROP, EMPTY_TYPE};
use super::entities::{Entity, without};
use super::proposal::{Look, Proposal};
use crate::wasm::edit::{Edit, apply};
use crate::wasm::functions::function_types;
use crate::wasm::tree::{Body, Name, Node};
use crosscheck_engine::opcode::{Control, Immediate, Opcode};
use wasm_encoder::Encode;

/// Bytes by which code may grow where a function is called more than once.
const GROWTH: usize = 32;

/// Functions in place of all their calls: without them where nothing else names them.
pub fn inlined(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, bodies) in look.bodies().iter().enumerate() {
        let wasm = &look.case.modules[module].wasm;
        let Ok(types) = function_types(wasm) else { continue };
        let Some(imported) = types.len().checked_sub(bodies.len()) else { continue };
        for callee in bodies.iter().filter(|callee| returns_itself(callee)) {
            let func = (imported + callee.number) as u32;
            let callee = Callee { wasm, body: callee, func, ty: types[func as usize] };
            let changed = callee.in_place_of_calls(bodies).and_then(|edits| apply(wasm, &edits));
            let changed = changed.map(|wasm| without(&wasm, &[Entity::func(func)]).unwrap_or(wasm));
            proposals.extend(changed.map(|wasm| Proposal::Wasm { module, wasm }));
        }
    }
    proposals
}

/// Whether a function does not leave its frame to another one.
fn returns_itself(body: &Body) -> bool {
    use Control::{ReturnCall, ReturnCallIndirect, ReturnCallRef};
    let is_tail_call =
        |node: &Node| matches!(node.opcode, Opcode::Control(ReturnCall | ReturnCallIndirect | ReturnCallRef));
    !body.nodes.iter().any(is_tail_call)
}

/// A function that is called.
struct Callee<'a> {
    wasm: &'a [u8],
    body: &'a Body,
    func: u32,
    ty: u32,
}

impl Callee<'_> {
    /// Whether a node calls it, and comes back.
    fn is_called_by(&self, body: &Body, node: &Node) -> bool {
        node.opcode == Opcode::Control(Control::Call)
            && body.names_in(&node.immediates).any(|name| name.index == self.func)
    }

    /// Its code in place of every call of it; `None` if there is none, or that would be too much, or it calls itself.
    fn in_place_of_calls(&self, bodies: &[Body]) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        let mut calls = 0;
        for caller in bodies {
            let sites: Vec<&Node> =
                caller.nodes.iter().filter(|node| self.is_called_by(caller, node)).collect();
            if sites.is_empty() {
                continue;
            }
            if caller.number == self.body.number {
                return None;
            }
            calls += sites.len();
            edits.extend(self.in_caller(caller, &sites)?);
        }
        (calls > 0 && (calls - 1) * self.body.code.len() <= GROWTH).then_some(edits)
    }

    fn in_caller(&self, caller: &Body, sites: &[&Node]) -> Option<Vec<Edit>> {
        let used: Vec<usize> = (0..self.body.locals.len()).filter(|local| self.uses(*local)).collect();
        let types = used.iter().map(|local| self.body.locals[*local]);
        let declarations = declared(caller.locals[caller.params..].iter().copied().chain(types))?;
        let number = |local: usize| {
            let place = used.iter().position(|used| *used == local)?;
            Some((caller.locals.len() + place) as u32)
        };
        let code = self.code(&number)?;
        let in_caller = |range, code| Edit { body: caller.number, range, code };
        let mut edits = vec![in_caller(caller.start..caller.code.start, declarations)];
        edits.extend(sites.iter().map(|site| in_caller(site.at..site.immediates.end, code.clone())));
        Some(edits)
    }

    fn uses(&self, local: usize) -> bool {
        self.body.local_names().any(|name| name.index as usize == local)
    }

    /// What stands in place of a call: takes the arguments from the stack, and leaves the results.
    fn code(&self, number: &dyn Fn(usize) -> Option<u32>) -> Option<Vec<u8>> {
        const BLOCK: u8 = 0x02;
        const END: u8 = 0x0b;
        const LOCAL_SET: u8 = 0x21;
        let mut code = Vec::new();
        let is_block = self.leaves_early();
        let takes = is_block && self.body.results.len() > 1;
        let begin = |code: &mut Vec<u8>| {
            code.push(BLOCK);
            match &*self.body.results {
                // Only a type of the module says that there are several, and that has the parameters as well.
                _ if takes => i64::from(self.ty).encode(code),
                [] => code.push(EMPTY_TYPE),
                [one, ..] => push_type(*one, code)?,
            }
            Some(())
        };
        if takes {
            begin(&mut code)?;
        }
        for param in (0..self.body.params).rev() {
            match number(param) {
                None => code.push(DROP),
                Some(local) => {
                    code.push(LOCAL_SET);
                    local.encode(&mut code);
                }
            }
        }
        if is_block && !takes {
            begin(&mut code)?;
        }
        self.push_body(number, &mut code)?;
        if is_block {
            code.push(END);
        }
        Some(code)
    }

    /// Whether anything but the end of its code ends it.
    fn leaves_early(&self) -> bool {
        let is_own_label = |name: &Name| name.of == Immediate::Label && name.index == 0;
        self.body.names.iter().any(is_own_label) || self.body.nodes.iter().any(is_return)
    }

    /// Its code with other locals, and a branch in place of each return.
    fn push_body(&self, number: &dyn Fn(usize) -> Option<u32>, code: &mut Vec<u8>) -> Option<()> {
        const BR: u8 = 0x0c;
        let mut changes = Vec::new();
        for name in self.body.local_names() {
            let mut other = Vec::new();
            number(name.index as usize)?.encode(&mut other);
            changes.push((name.bytes.clone(), other));
        }
        for node in self.body.nodes.iter().filter(|node| is_return(node)) {
            let mut branch = vec![BR];
            (node.level - 1).encode(&mut branch);
            changes.push((node.at..node.immediates.end, branch));
        }
        changes.sort_by_key(|(range, _)| range.start);
        let mut copied = self.body.code.start;
        for (range, other) in changes {
            code.extend_from_slice(&self.wasm[copied..range.start]);
            code.extend_from_slice(&other);
            copied = range.end;
        }
        code.extend_from_slice(&self.wasm[copied..self.body.code.end]);
        Some(())
    }
}

fn is_return(node: &Node) -> bool {
    node.opcode == Opcode::Control(Control::Return)
}
