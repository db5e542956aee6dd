//! What passes propose, what they may look at, and what is smaller than what.

use super::entities::{self, Entity};
use crate::case::{Case, CaseModule, Value};
use crate::subject::Trace;
use crate::wasm::edit::{Edit, apply};
use crate::wasm::tree::{Body, bodies};
use crosscheck_engine::opcode::{Const, Control, Opcode};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use wasmparser::{Parser, Payload};

/// The best case so far, as passes see it. What costs something to find out is found out when it is asked for.
pub struct Look<'a> {
    /// The case.
    pub case: &'a Case,
    bodies: OnceCell<Vec<Vec<Body>>>,
    trace: OnceCell<Trace>,
    answers: OnceCell<BTreeMap<String, Vec<Value>>>,
}

impl<'a> Look<'a> {
    /// A look at a case.
    pub fn at(case: &'a Case) -> Look<'a> {
        Look { case, bodies: OnceCell::new(), trace: OnceCell::new(), answers: OnceCell::new() }
    }

    /// The same without a trace: as if the reference executed nothing.
    pub fn without_trace(case: &'a Case) -> Look<'a> {
        let (trace, answers) = (OnceCell::from(Trace::default()), OnceCell::from(BTreeMap::new()));
        Look { trace, answers, ..Look::at(case) }
    }

    /// The bodies of each module.
    pub fn bodies(&self) -> &[Vec<Body>] {
        let of = |module: &CaseModule| bodies(&module.wasm);
        self.bodies.get_or_init(|| self.case.modules.iter().map(of).collect())
    }

    /// What the reference executes.
    pub fn trace(&self) -> &Trace {
        self.trace.get_or_init(|| Trace::of(self.case))
    }

    /// What hosts answered the reference last, by import.
    pub fn answers(&self) -> &BTreeMap<String, Vec<Value>> {
        self.answers.get_or_init(|| Trace::answers(self.case))
    }

    /// What is proposed for each body: lists of edits that belong together.
    pub fn in_bodies(&self, edits: impl Fn(&Site<'_>) -> Vec<Vec<Edit>>) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        for (module, bodies) in self.bodies().iter().enumerate() {
            for body in bodies {
                let edits = edits(&Site { look: self, module, body });
                proposals.extend(edits.into_iter().map(|edits| Proposal::Code { module, edits }));
            }
        }
        proposals
    }
}

/// A body, and where it is.
pub struct Site<'a> {
    look: &'a Look<'a>,
    module: usize,
    /// The body.
    pub body: &'a Body,
}

impl Site<'_> {
    /// The bytes of the module.
    pub fn wasm(&self) -> &[u8] {
        &self.look.case.modules[self.module].wasm
    }

    /// The topmost operands when what stands at an offset was first executed, if it ever was; the topmost first.
    pub fn operands_at(&self, offset: usize) -> Option<[u64; 4]> {
        self.look.trace().seen(self.module, offset).map(|seen| seen.operands)
    }

    /// An edit of this body.
    pub fn edit(&self, range: std::ops::Range<usize>, code: Vec<u8>) -> Edit {
        Edit { body: self.body.number, range, code }
    }
}

/// A change to the best case.
pub enum Proposal {
    /// Changes of a module's code that do not overlap.
    Code {
        /// The module's number.
        module: usize,
        /// The changes.
        edits: Vec<Edit>,
    },
    /// Entities of a module left out.
    Without {
        /// The module's number.
        module: usize,
        /// The entities.
        gone: Vec<Entity>,
    },
    /// Another module in place of one.
    Wasm {
        /// The module's number.
        module: usize,
        /// The other module.
        wasm: Vec<u8>,
    },
    /// Another case altogether.
    Smaller(Case),
    /// Another case altogether, simpler by the pass's own claim, not by its cost.
    Case(Case),
}

impl Proposal {
    /// The case that is proposed, if it can be made and is smaller.
    pub fn made(&self, best: &Case, cost: &Cost) -> Option<Case> {
        let (module, wasm) = match self {
            Proposal::Code { module, edits } => (*module, apply(&best.modules[*module].wasm, edits)?),
            Proposal::Without { module, gone } => {
                (*module, entities::without(&best.modules[*module].wasm, gone)?)
            }
            Proposal::Wasm { module, wasm } => (*module, wasm.clone()),
            Proposal::Smaller(case) => return (Cost::of(case) < *cost).then(|| case.clone()),
            // What plays a host is not to be left out again.
            Proposal::Case(case) => return (hosts_of(case).len() <= cost.hosts).then(|| case.clone()),
        };
        let mut case = best.clone();
        case.modules[module].wasm = wasm;
        (Cost::of(&case) < *cost).then_some(case)
    }
}

/// What makes one case smaller than another, most important first. Every change of a module that is kept makes it
/// less, so a reduction ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cost {
    hosts: usize,
    imports: u32,
    functions: usize,
    code_bytes: usize,
    bytes: usize,
    /// Bytes of code that are a call through a table, or look like one: a direct call is simpler than as short a one.
    indirect: usize,
    /// Bytes of code and types that are of 64-bit numbers (constants and types of them), or look like it.
    wide: usize,
    /// The sum of all bytes: zero is simpler than anything else.
    sum: u64,
}

impl Cost {
    /// What a case costs.
    pub fn of(case: &Case) -> Cost {
        /// How the binary format writes the types `i64` and `f64`.
        const WIDE_TYPES: [u8; 2] = [0x7e, 0x7c];
        let bytes = |opcodes: [Opcode; 2]| opcodes.map(|opcode| opcode.byte().expect("it has no prefix"));
        let indirect = bytes([Control::CallIndirect.into(), Control::ReturnCallIndirect.into()]);
        let wide = [bytes([Const::I64Const.into(), Const::F64Const.into()]), WIDE_TYPES].concat();
        let hosts = hosts_of(case).len();
        let mut cost =
            Cost { hosts, imports: 0, functions: 0, code_bytes: 0, bytes: 0, indirect: 0, wide: 0, sum: 0 };
        for module in &case.modules {
            cost.bytes += module.wasm.len();
            cost.sum += module.wasm.iter().map(|byte| u64::from(*byte)).sum::<u64>();
            for payload in Parser::new(0).parse_all(&module.wasm) {
                match payload {
                    Ok(Payload::ImportSection(section)) => cost.imports += section.count(),
                    Ok(Payload::TypeSection(section)) => {
                        let range = section.range();
                        let types = &module.wasm[range.start as usize..range.end as usize];
                        cost.wide += count(types, &wide);
                    }
                    Ok(Payload::CodeSectionEntry(body)) => {
                        cost.functions += 1;
                        let code = &module.wasm[body.range().start as usize..body.range().end as usize];
                        cost.code_bytes += code.len();
                        cost.wide += count(code, &wide);
                        cost.indirect += count(code, &indirect);
                    }
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        }
        cost
    }
}

/// How many of the bytes are one of some.
fn count(bytes: &[u8], some: &[u8]) -> usize {
    bytes.iter().filter(|byte| some.contains(byte)).count()
}

/// What modules import that no module of the case provides: the names of host and item.
pub fn hosts_of(case: &Case) -> Vec<(String, String)> {
    let mut hosts = Vec::new();
    for module in &case.modules {
        for payload in Parser::new(0).parse_all(&module.wasm) {
            match payload {
                Ok(Payload::ImportSection(section)) => {
                    let imports = section.into_imports().filter_map(Result::ok);
                    let unknown =
                        imports.filter(|import| case.modules.iter().all(|of| of.name != import.module));
                    hosts.extend(unknown.map(|import| (import.module.to_string(), import.name.to_string())));
                }
                Ok(Payload::CodeSectionStart { .. }) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }
    hosts
}

/// Bytes of function bodies in all modules of a case: locals and instructions, sizes left out.
pub fn code_bytes(case: &Case) -> usize {
    Cost::of(case).code_bytes
}

/// All of some things, halves of them, quarters and so on down to one at a time.
pub fn halvings<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    let mut size = things.len();
    while size > 0 {
        chunks.extend(things.chunks(size).map(<[T]>::to_vec));
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    chunks
}
