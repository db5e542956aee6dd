//! Makes numbers of 64 bits numbers of 32 bits: everywhere, in a module, in a function, in an expression.
//!
//! An instruction becomes the one that does the same with less: the opcode table has it under the other name. What
//! converts between the widths goes. Where an instruction has no such other it stays, and the module is most likely not
//! valid any more.

use super::body::immediates::push_mem_arg;
use super::body::locals::declared;
use super::proposal::{Look, Proposal};
use crate::case::{Action, Case, Value};
use crate::wasm::edit::{Edit, apply};
use crate::wasm::instruction::write_code;
use crate::wasm::tree::{Body, Node};
use crosscheck_engine::opcode::reader::{MemArg, Reader};
use crosscheck_engine::opcode::{Const, Family, Immediate, Opcode};
use std::ops::Range;
use std::sync::LazyLock;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{Encode, Instruction};
use wasmparser::{MemoryType, Operator, Parser, TableType, ValType};

/// All numbers, or integers or floats alone: of all modules, of one, of a function inside, of what an instruction
/// takes that gives none.
pub fn narrower(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    let modules: Vec<usize> = (0..look.bodies().len()).collect();
    for kinds in KINDS {
        if modules.len() > 1 {
            proposals.extend(kinds.in_modules(look, &modules).map(Proposal::Smaller));
        }
        for module in &modules {
            proposals.extend(kinds.in_modules(look, &[*module]).map(Proposal::Smaller));
        }
        for (module, bodies) in look.bodies().iter().enumerate() {
            let wasm = &look.case.modules[module].wasm;
            let of_bodies = bodies.iter().map(|body| kinds.in_function(wasm, body));
            let of_nodes = bodies.iter().flat_map(|body| kinds.in_expressions(wasm, body));
            let edits = of_bodies.chain(of_nodes).filter(|edits| !edits.is_empty());
            proposals.extend(edits.map(|edits| Proposal::Code { module, edits }));
        }
    }
    proposals
}

/// Which numbers become narrower.
#[derive(Clone, Copy)]
struct Kinds {
    integers: bool,
    floats: bool,
}

const KINDS: [Kinds; 3] = [
    Kinds { integers: true, floats: true },
    Kinds { integers: true, floats: false },
    Kinds { integers: false, floats: true },
];

/// What becomes of an opcode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Narrowed {
    /// It has nothing to do with it.
    Same,
    /// It converts what is the same now.
    Nothing,
    /// It becomes another.
    Other(Opcode),
}

/// What becomes of each opcode, by its index, for each of [`KINDS`].
static NARROWED: LazyLock<[Vec<Narrowed>; 3]> =
    LazyLock::new(|| KINDS.map(|kinds| Opcode::all().map(|opcode| kinds.find(opcode)).collect()));

impl Kinds {
    /// What becomes of an opcode, by its name.
    fn find(self, opcode: Opcode) -> Narrowed {
        let mut text = opcode.text().to_string();
        if matches!(opcode.family(), Family::Vector | Family::VectorMemory | Family::Wide) {
            return Narrowed::Same;
        }
        if self.integers {
            text = text.replace("i64", "i32");
        }
        if self.floats {
            text = text.replace("f64", "f32");
        }
        if text == opcode.text() {
            return Narrowed::Same;
        }
        let conversions = ["i32.wrap_i32", "i32.extend_i32_s", "i32.extend_i32_u", "i32.extend32_s"];
        if conversions.contains(&&*text) || ["f32.promote_f32", "f32.demote_f32"].contains(&&*text) {
            return Narrowed::Nothing;
        }
        // What touched the lower half touches all.
        for (half, all) in [("load32_s", "load"), ("load32_u", "load"), ("store32", "store")] {
            text = text.replace(half, all);
        }
        if text.contains("rmw32.") {
            text = text.replace("rmw32.", "rmw.").trim_end_matches("_u").to_string();
        }
        Opcode::from_text(&text).map_or(Narrowed::Same, Narrowed::Other)
    }

    fn of(self, opcode: Opcode) -> Narrowed {
        let number = match (self.integers, self.floats) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        NARROWED[number][opcode.index()]
    }

    fn of_type(self, ty: ValType) -> ValType {
        match ty {
            ValType::I64 if self.integers => ValType::I32,
            ValType::F64 if self.floats => ValType::F32,
            ValType::I64 | ValType::F64 | ValType::I32 | ValType::F32 | ValType::V128 | ValType::Ref(_) => ty,
        }
    }

    fn of_value(self, value: &mut Value) {
        match *value {
            Value::I64(bits) if self.integers => *value = Value::I32(bits as u32),
            Value::F64(bits) if self.floats => *value = Value::F32((f64::from_bits(bits) as f32).to_bits()),
            Value::I64(_)
            | Value::F64(_)
            | Value::I32(_)
            | Value::F32(_)
            | Value::V128(_)
            | Value::Ref(_) => {}
        }
    }

    /// The case with narrower numbers in some modules, types and arguments included.
    fn in_modules(self, look: &Look<'_>, modules: &[usize]) -> Option<Case> {
        let mut case = look.case.clone();
        for module in modules {
            let wasm = &look.case.modules[*module].wasm;
            let bodies = &look.bodies()[*module];
            let edits = bodies.iter().flat_map(|body| self.in_range(wasm, body, &body.code));
            let changed = apply(wasm, &edits.collect::<Vec<_>>())?;
            let mut narrower = wasm_encoder::Module::new();
            let mut writing = Writing(self);
            writing.parse_core_module(&mut narrower, Parser::new(0), &changed).ok()?;
            case.modules[*module].wasm = narrower.finish();
        }
        for action in &mut case.actions {
            if let Action::Invoke { module, args, .. } = action
                && modules.contains(&(*module as usize))
            {
                args.iter_mut().for_each(|value| self.of_value(value));
            }
        }
        Some(case)
    }

    /// A function whose parameters and results stay as they are.
    fn in_function(self, wasm: &[u8], body: &Body) -> Vec<Edit> {
        let mut edits = self.in_range(wasm, body, &body.code);
        let locals = &body.locals[body.params..];
        if locals.iter().any(|ty| self.of_type(*ty) != *ty)
            && let Some(code) = declared(locals.iter().map(|ty| self.of_type(*ty)))
        {
            edits.push(Edit { body: body.number, range: body.start..body.code.start, code });
        }
        edits
    }

    /// What makes the operands of an instruction that does something with such numbers and gives none.
    fn in_expressions(self, wasm: &[u8], body: &Body) -> Vec<Vec<Edit>> {
        let ends = |node: &&Node| {
            self.of(node.opcode) != Narrowed::Same && node.results.iter().all(|ty| self.of_type(*ty) == *ty)
        };
        body.nodes.iter().filter(ends).map(|node| self.in_range(wasm, body, &node.bytes)).collect()
    }

    /// The instructions in a range of a body.
    fn in_range(self, wasm: &[u8], body: &Body, range: &Range<usize>) -> Vec<Edit> {
        let nodes = body.nodes.iter().filter(|node| range.contains(&node.at));
        let mut edits = Vec::new();
        for node in nodes {
            let mut edit = |range: Range<usize>, code| edits.push(Edit { body: body.number, range, code });
            match self.of(node.opcode) {
                Narrowed::Nothing => edit(node.at..node.immediates.end, Vec::new()),
                Narrowed::Other(other) => {
                    edit(
                        node.at..node.immediates.end,
                        rewritten(&wasm[node.immediates.clone()], node, other),
                    );
                }
                Narrowed::Same => {
                    // A type is a byte, after a count of one if it is that of a `select`.
                    let at = match node.opcode.row().immediates.first() {
                        Some(Immediate::BlockType) => node.immediates.start,
                        Some(Immediate::SelectTypes) => node.immediates.start + 1,
                        Some(_) | None => continue,
                    };
                    match wasm[at] {
                        I64 if self.integers => edit(at..at + 1, vec![I32]),
                        F64 if self.floats => edit(at..at + 1, vec![F32]),
                        _ => {}
                    }
                }
            }
        }
        edits
    }
}

/// The bytes of types of numbers.
const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const F32: u8 = 0x7d;
const F64: u8 = 0x7c;

/// An instruction with another opcode and what its immediates become.
fn rewritten(immediates: &[u8], node: &Node, other: Opcode) -> Vec<u8> {
    let mut code = Vec::new();
    write_code(other.row(), &mut code);
    let mut reader = Reader::new(immediates, 0);
    match node.opcode {
        Opcode::Const(Const::I64Const) => (reader.i64() as i32).encode(&mut code),
        Opcode::Const(Const::F64Const) => {
            code.extend((f64::from_bits(reader.f64_bits()) as f32).to_le_bytes());
        }
        _ => match access_width(other) {
            None => code.extend_from_slice(immediates),
            Some(width) => {
                let access = reader.mem_arg();
                let align_log2 = access.align_log2.min(width.ilog2());
                push_mem_arg(MemArg { align_log2, ..access }, &mut code);
            }
        },
    }
    code
}

/// Bytes that an instruction reads or writes in memory.
fn access_width(opcode: Opcode) -> Option<u32> {
    match opcode {
        Opcode::Load(load) => Some(load.width()),
        Opcode::Store(store) => Some(store.width()),
        Opcode::Atomic(atomic) => atomic.width(),
        _ => None,
    }
}

/// A module written anew with narrower types, addresses and initial values; its code is narrower already.
struct Writing(Kinds);

impl Reencode for Writing {
    type Error = std::convert::Infallible;

    fn val_type(&mut self, ty: ValType) -> Result<wasm_encoder::ValType, Error> {
        utils::val_type(self, self.0.of_type(ty))
    }

    fn memory_type(&mut self, ty: MemoryType) -> Result<wasm_encoder::MemoryType, Error> {
        let memory64 = ty.memory64 && !self.0.integers;
        Ok(utils::memory_type(self, MemoryType { memory64, ..ty }))
    }

    fn table_type(&mut self, ty: TableType) -> Result<wasm_encoder::TableType, Error> {
        let table64 = ty.table64 && !self.0.integers;
        utils::table_type(self, TableType { table64, ..ty })
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, Error> {
        let (integers, floats) = (self.0.integers, self.0.floats);
        Ok(match operator {
            Operator::I64Const { value } if integers => Instruction::I32Const(value as i32),
            Operator::I64Add if integers => Instruction::I32Add,
            Operator::I64Sub if integers => Instruction::I32Sub,
            Operator::I64Mul if integers => Instruction::I32Mul,
            Operator::F64Const { value } if floats => {
                Instruction::F32Const((f64::from_bits(value.bits()) as f32).into())
            }
            other => utils::instruction(self, other)?,
        })
    }
}
