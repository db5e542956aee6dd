//! What is changed of a module: code in its bodies, and entities at the ends of its index spaces.
//!
//! New entities come last, so that no index that stands in the module changes.

use crate::draw::Stream;
use crate::generate::linked::types::Ty;
use crate::generate::numbers::constant;
use crate::wasm::edit::{Edit, apply};
use crate::wasm::sections::{CODE_SECTION, FUNCTION_SECTION, GLOBAL_SECTION, Sections, TYPE_SECTION};
use crate::wasm::spaces::{Counts, SPACES, Space};
use crate::wasm::tree::{Body, Node};
use crosscheck_engine::opcode::Immediate;
use std::ops::Range;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Encode, FuncType, GlobalType, InstructionSink};
use wasmparser::{BinaryReader, HeapType, ValType};

/// A change of a module that is being put together.
pub(super) struct Change<'a> {
    wasm: &'a [u8],
    counts: Counts,
    /// How many entities are new, by space.
    added: [u32; SPACES.len()],
    edits: Vec<Edit>,
    entries: Vec<(u8, Vec<u8>)>,
    /// The body that gets new locals, its declarations, and how many there are now.
    locals: Option<(usize, Range<usize>, Vec<ValType>)>,
}

impl<'a> Change<'a> {
    /// A change of nothing yet; none of a module that cannot be read.
    pub fn of(wasm: &'a [u8]) -> Option<Change<'a>> {
        let counts = Counts::of(wasm)?;
        let (edits, entries) = (Vec::new(), Vec::new());
        Some(Change { wasm, counts, added: Default::default(), edits, entries, locals: None })
    }

    /// Puts code in place of a range of a body.
    pub fn edit(&mut self, body: &Body, range: Range<usize>, code: Vec<u8>) {
        self.edits.push(Edit { body: body.number, range, code });
    }

    /// How many entities of a space the module has so far.
    pub fn count(&self, space: Space) -> u32 {
        self.counts.in_space(space).1 + self.added[space as usize]
    }

    /// Adds an entity by its entry in a section, and gives its index.
    pub fn add(&mut self, space: Space, section: u8, entry: Vec<u8>) -> u32 {
        let index = self.count(space);
        self.entries.push((section, entry));
        self.added[space as usize] += 1;
        index
    }

    /// Adds a function type.
    pub fn ty(&mut self, params: &[ValType], results: &[ValType]) -> Option<u32> {
        let ty = FuncType::new(all_encoded(params)?, all_encoded(results)?);
        let mut entry = vec![0x60];
        ty.params().encode(&mut entry);
        ty.results().encode(&mut entry);
        Some(self.add(Space::Type, TYPE_SECTION, entry))
    }

    /// Adds a global with the initial value that the code gives, which lacks its `end`.
    pub fn global(&mut self, ty: ValType, mutable: bool, init: &[u8]) -> Option<u32> {
        let mut entry = Vec::new();
        GlobalType { val_type: encoded(ty)?, mutable, shared: false }.encode(&mut entry);
        entry.extend_from_slice(init);
        InstructionSink::new(&mut entry).end();
        Some(self.add(Space::Global, GLOBAL_SECTION, entry))
    }

    /// Adds a mutable global for values of a type, with a value that some code could have left there.
    pub fn variable(&mut self, ty: ValType, stream: &mut Stream) -> Option<u32> {
        let mut init = Vec::new();
        push_constant(ty, stream, &mut init)?;
        self.global(ty, true, &init)
    }

    /// Adds a function: the code without its last `end`, and no locals.
    pub fn function(&mut self, ty: u32, code: &[u8]) -> u32 {
        let mut body = vec![0];
        body.extend_from_slice(code);
        InstructionSink::new(&mut body).end();
        self.function_of(ty, &body)
    }

    /// Adds a function by its whole body, without its size.
    pub fn function_of(&mut self, ty: u32, body: &[u8]) -> u32 {
        let (mut declared, mut sized) = (Vec::new(), Vec::new());
        ty.encode(&mut declared);
        body.encode(&mut sized);
        self.entries.push((CODE_SECTION, sized));
        self.add(Space::Func, FUNCTION_SECTION, declared)
    }

    /// A new local of a body; all new locals are of one body.
    pub fn local(&mut self, body: &Body, ty: ValType) -> u32 {
        let declarations = body.start..body.code.start;
        let (of, _, new) = self.locals.get_or_insert_with(|| (body.number, declarations, Vec::new()));
        assert_eq!(*of, body.number, "a change is about one body");
        new.push(ty);
        (body.locals.len() + new.len() - 1) as u32
    }

    /// The module with the change; none if it cannot be written.
    pub fn made(mut self) -> Option<Vec<u8>> {
        if let Some((body, range, new)) = self.locals.take() {
            let old = &self.wasm[range.clone()];
            let mut reader = BinaryReader::new(old, 0);
            let groups = reader.read_var_u32().ok()?;
            let mut code = Vec::with_capacity(old.len() + 2 * new.len() + 1);
            (groups + new.len() as u32).encode(&mut code);
            code.extend_from_slice(&old[reader.original_position() as usize..]);
            for ty in new {
                code.push(1);
                encoded(ty)?.encode(&mut code);
            }
            self.edits.push(Edit { body, range, code });
        }
        let mut sections = Sections::of(&apply(self.wasm, &self.edits)?).ok()?;
        for (section, entry) in &self.entries {
            sections.append(*section, entry).ok()?;
        }
        Some(sections.module())
    }
}

/// A type as it is written; none if it names what is not known by its index.
pub(super) fn encoded(ty: ValType) -> Option<wasm_encoder::ValType> {
    RoundtripReencoder.val_type(ty).ok()
}

fn all_encoded(types: &[ValType]) -> Option<Vec<wasm_encoder::ValType>> {
    types.iter().map(|ty| encoded(*ty)).collect()
}

/// The number type that it is, if it is one.
pub(super) fn number(ty: ValType) -> Option<Ty> {
    match ty {
        ValType::I32 => Some(Ty::I32),
        ValType::I64 => Some(Ty::I64),
        ValType::F32 => Some(Ty::F32),
        ValType::F64 => Some(Ty::F64),
        ValType::V128 | ValType::Ref(_) => None,
    }
}

/// Writes a constant of a type, a null if it is a reference; none if there is none.
pub(super) fn push_constant(ty: ValType, stream: &mut Stream, code: &mut Vec<u8>) -> Option<()> {
    let mut op = InstructionSink::new(code);
    match ty {
        ValType::V128 => _ = op.v128_const((i128::from(stream.u64())) << 64 | i128::from(stream.u64())),
        ValType::Ref(ty) if ty.is_nullable() => _ = op.ref_null(heap_type(ty.heap_type())?),
        ValType::Ref(_) => return None,
        other => constant(number(other)?, stream, &mut op),
    }
    Some(())
}

fn heap_type(ty: HeapType) -> Option<wasm_encoder::HeapType> {
    RoundtripReencoder.heap_type(ty).ok()
}

/// A node of a body, with the module that it is of.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub wasm: &'a [u8],
    pub body: &'a Body,
    pub node: &'a Node,
}

impl Site<'_> {
    /// The type of the node's value, if it has one and no more.
    pub fn value(&self) -> Option<ValType> {
        let [one] = *self.node.results else { return None };
        Some(one)
    }

    /// The instruction, or the block, without what makes its operands.
    pub fn instruction(&self) -> Range<usize> {
        self.node.at..self.node.bytes.end
    }

    /// The code of a range around which there are so many more labels. The range begins where the node's labels are in
    /// force.
    pub fn inside(&self, range: Range<usize>, labels: u32) -> Vec<u8> {
        let mut code = Vec::with_capacity(range.len() + 4);
        let mut copied = range.start;
        for name in self.body.names_in(&range) {
            if name.of == Immediate::Label && name.index < self.node.level {
                code.extend_from_slice(&self.wasm[copied..name.bytes.start]);
                (name.depth + labels).encode(&mut code);
                copied = name.bytes.end;
            }
        }
        code.extend_from_slice(&self.wasm[copied..range.end]);
        code
    }

    /// Writes a value: a local's, as often as not, or a constant.
    pub fn push_any(&self, ty: ValType, stream: &mut Stream, code: &mut Vec<u8>) -> Option<()> {
        let locals = self.body.locals.iter().enumerate().filter(|(_, local)| **local == ty);
        let locals: Vec<usize> = locals.map(|(index, _)| index).collect();
        if locals.is_empty() || stream.percent(40) {
            return push_constant(ty, stream, code);
        }
        InstructionSink::new(code).local_get(*stream.pick(&locals) as u32);
        Some(())
    }
}
