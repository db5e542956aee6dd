//! A decoded, validated, immutable module: what every mode starts from.
//!
//! wasmparser decodes and validates; this module keeps what running needs, in the order of the
//! binary format, with types already canonical. Two things are computed here once for all modes,
//! because their agreement depends on them: the fuel segments of every function and its frame cost
//! (see [`analyse`]). How a mode executes a body is the mode's own affair.

mod analyse;
mod const_expr;
mod decode;

use crate::names::Shown;
use crate::opcode::Opcode;
use crate::opcode::reader::BlockType;
use crate::slots::{Layout, Row, Signature, Width};
use crate::types::{FuncType, GlobalType, MemoryType, TableType, TypeId, TypeRegistry};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

pub use analyse::FuelSegment;
pub(crate) use const_expr::{ConstExpr, ConstOp};
pub(crate) use decode::FEATURES;

/// A function's position in its module's index space, imports first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FuncIndex(pub u32);

/// A function's position among the functions that its module defines: an index into the code section.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct DefinedFuncIndex(pub u32);

/// What an import asks for or an export offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExternType {
    /// A function of this type.
    Func(TypeId),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A tag whose payload is the parameters of this function type.
    Tag(TypeId),
}

/// Something a module needs from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// First part of its name.
    pub module: String,
    /// Second part of its name.
    pub name: String,
    /// What it must be.
    pub ty: ExternType,
}

impl Import {
    /// Its name and type in words, for messages.
    pub(crate) fn describe(&self, types: &TypeRegistry) -> String {
        let Import { module, name, ty } = self;
        format!("{}.{} ({})", Shown(module), Shown(name), ty.describe(types))
    }
}

impl ExternType {
    /// The type in words, for messages.
    pub(crate) fn describe(&self, types: &TypeRegistry) -> String {
        let func = |id: TypeId| types.func_type(id).map_or_else(|| "?".to_string(), |ty| ty.to_string());
        let limits = |minimum: u64, maximum: Option<u64>, is_64: bool| {
            let maximum = maximum.map_or(String::new(), |maximum| maximum.to_string());
            format!("{}{minimum}..{maximum}", if is_64 { "i64 " } else { "" })
        };
        match self {
            ExternType::Func(id) => format!("func {}", func(*id)),
            ExternType::Tag(id) => format!("tag {}", func(*id)),
            ExternType::Global(ty) => {
                format!("global {}{}", if ty.mutable { "mut " } else { "" }, ty.content)
            }
            ExternType::Table(ty) => {
                format!("table {} {}", limits(ty.minimum, ty.maximum, ty.is_64), ty.element)
            }
            ExternType::Memory(ty) => {
                let page = if ty.page_size_log2 == 16 { "" } else { " pages of one byte" };
                let shared = if ty.shared { " shared" } else { "" };
                format!("memory {}{page}{shared}", limits(ty.minimum, ty.maximum, ty.is_64))
            }
        }
    }
}

/// The index space an export points into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExternKind {
    /// Functions.
    Func,
    /// Tables.
    Table,
    /// Memories.
    Memory,
    /// Globals.
    Global,
    /// Tags.
    Tag,
}

/// Something a module offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Which index space.
    pub kind: ExternKind,
    /// Position in that index space.
    pub index: u32,
}

/// A function body: where its code lies and what a frame of it needs.
#[derive(Debug)]
pub(crate) struct FuncBody {
    /// File offsets from the first opcode to the end of the final `end`.
    pub code: Range<u32>,
    /// Where parameters and declared locals lie.
    pub layout: Layout,
    /// Slots of the highest operand stack that reachable code has.
    pub operand_slots: u32,
    /// Whether a local, a result or an operand of reachable code is a vector. If none is, index and slot are
    /// the same number everywhere in the function.
    pub is_wide: bool,
    /// What a call charges to the depth budget.
    pub frame_cost: u32,
    /// Straight-line runs of reachable code with their fuel, ascending by offset.
    pub fuel: Box<[FuelSegment]>,
}

/// A table that the module defines.
#[derive(Debug)]
pub(crate) struct TableDecl {
    pub ty: TableType,
    /// What its elements start as; null if absent.
    pub init: Option<ConstExpr>,
}

/// A global that the module defines.
#[derive(Debug)]
pub(crate) struct GlobalDecl {
    pub ty: GlobalType,
    pub init: ConstExpr,
}

/// When a segment's contents go where.
#[derive(Debug)]
pub(crate) enum SegmentMode {
    Passive,
    Active { target: u32, offset: ConstExpr },
    Declared,
}

#[derive(Debug)]
pub(crate) struct ElemSegment {
    pub mode: SegmentMode,
    pub items: ElemItems,
    /// File offset of the segment's first byte: the site of a trap at instantiation.
    pub offset: u32,
}

#[derive(Debug)]
pub(crate) enum ElemItems {
    Functions(Box<[u32]>),
    Expressions(Box<[ConstExpr]>),
}

#[derive(Debug)]
pub(crate) struct DataSegment {
    pub mode: SegmentMode,
    /// Where the contents lie in the file.
    pub bytes: Range<u32>,
    /// File offset of the segment's first byte: the site of a trap at instantiation.
    pub offset: u32,
}

/// Which opcodes a module contains, constant expressions included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpcodeSet {
    words: [u64; Opcode::COUNT.div_ceil(64)],
}

impl Default for OpcodeSet {
    fn default() -> OpcodeSet {
        OpcodeSet { words: [0; Opcode::COUNT.div_ceil(64)] }
    }
}

impl OpcodeSet {
    /// Adds an opcode.
    #[inline]
    pub fn insert(&mut self, opcode: Opcode) {
        let index = opcode.index();
        self.words[index / 64] |= 1 << (index % 64);
    }

    /// Whether the set has an opcode.
    #[inline]
    pub fn contains(&self, opcode: Opcode) -> bool {
        let index = opcode.index();
        self.words[index / 64] >> (index % 64) & 1 != 0
    }

    /// The opcodes of the set in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Opcode> + '_ {
        Opcode::all().filter(|opcode| self.contains(*opcode))
    }
}

/// The decoded module, shared by everything that runs it.
pub(crate) struct ModuleInner {
    /// The file, whole: `interp` executes from it, offsets point into it.
    pub bytes: Arc<[u8]>,
    /// Canonical ids of the type section's entries.
    pub types: Box<[TypeId]>,
    /// The function types among them, by the same index.
    pub func_types: Box<[Option<Arc<FuncType>>]>,
    pub imports: Vec<Import>,
    /// Type index of every function, imports first.
    pub funcs: Vec<u32>,
    pub imported_funcs: u32,
    pub bodies: Vec<FuncBody>,
    pub imported_tables: u32,
    pub tables: Vec<TableDecl>,
    pub imported_memories: u32,
    /// Types of all memories, imports first.
    pub memories: Vec<MemoryType>,
    pub imported_globals: u32,
    /// Types of all globals, imports first.
    pub global_types: Vec<GlobalType>,
    pub globals: Vec<GlobalDecl>,
    /// Canonical types of all tags, imports first.
    pub tags: Vec<TypeId>,
    pub imported_tags: u32,
    pub exports: Vec<Export>,
    pub start: Option<u32>,
    pub elems: Vec<ElemSegment>,
    pub datas: Vec<DataSegment>,
    pub func_names: HashMap<u32, String>,
    pub opcodes: OpcodeSet,
    /// Where the module has a vector value first: in a type, a global, a local or an instruction.
    pub vectors: Option<String>,
}

impl ModuleInner {
    /// The position among defined functions; `None` for an import.
    pub fn defined(&self, func: FuncIndex) -> Option<DefinedFuncIndex> {
        func.0.checked_sub(self.imported_funcs).map(DefinedFuncIndex)
    }

    /// The position in the index space of functions.
    pub fn func_index(&self, defined: DefinedFuncIndex) -> FuncIndex {
        FuncIndex(defined.0 + self.imported_funcs)
    }

    /// A function's type.
    pub fn func_type(&self, func: FuncIndex) -> &Arc<FuncType> {
        self.func_type_at(self.funcs[func.0 as usize])
    }

    /// The function type at an index of the type section.
    pub fn func_type_at(&self, type_index: u32) -> &Arc<FuncType> {
        self.func_types[type_index as usize].as_ref().expect("validation allows only function types here")
    }

    /// What a block takes and leaves.
    pub fn block_signature(&self, ty: BlockType) -> Signature<'_> {
        match ty {
            BlockType::Empty => Signature { params: Row::EMPTY, results: Row::EMPTY },
            BlockType::Value(ty) => {
                Signature { params: Row::EMPTY, results: Row::single(Width::of_read(ty)) }
            }
            BlockType::Type(index) => Signature::of(self.func_type_at(index)),
        }
    }

    /// Where an opcode stands first, in words: the function and the file offset.
    pub fn first_place_of(&self, opcode: Opcode) -> Option<String> {
        self.bodies.iter().zip(0..).find_map(|(body, defined)| {
            let code = &self.bytes[body.code.start as usize..body.code.end as usize];
            let reader = wasmparser::BinaryReader::new(code, body.code.start.into());
            let mut reader = wasmparser::OperatorsReader::new(reader);
            while !reader.eof() {
                let offset = reader.original_position();
                reader.read().ok()?;
                if Opcode::decode(&self.bytes[offset as usize..]).is_some_and(|(found, _)| found == opcode) {
                    let func = self.func_index(DefinedFuncIndex(defined)).0;
                    let name = self.func_name(func);
                    return Some(format!("in function {func} `{}` at offset {offset:#x}", Shown(&name)));
                }
            }
            None
        })
    }

    /// A defined function's body.
    pub fn body(&self, defined: DefinedFuncIndex) -> &FuncBody {
        &self.bodies[defined.0 as usize]
    }

    /// The body of a function that the module defines.
    pub fn body_of(&self, func: FuncIndex) -> &FuncBody {
        self.body(self.defined(func).expect("imported functions have no body here"))
    }

    /// Import, then name section, then export, else `$fN`.
    pub fn func_name(&self, func: u32) -> String {
        if func < self.imported_funcs {
            let mut functions = self.imports.iter().filter(|import| matches!(import.ty, ExternType::Func(_)));
            let import = functions.nth(func as usize).expect("the count of imported functions is theirs");
            return format!("{}.{}", import.module, import.name);
        }
        if let Some(name) = self.func_names.get(&func) {
            return name.clone();
        }
        let exported = |export: &&Export| export.kind == ExternKind::Func && export.index == func;
        match self.exports.iter().find(exported) {
            Some(export) => export.name.clone(),
            None => format!("$f{func}"),
        }
    }
}
