//! The one table of opcodes: a row for everything WebAssembly 3.0, threads and wide arithmetic can say.
//!
//! A row gives an opcode's code, text, immediates, operand types, family and proposal; listing, counting,
//! decoding, printing and generating opcodes all ask here. A family is an enum of its own, so that
//! a mode's lowering is one `match` a family and the compiler names the places a new opcode must visit.
//! What an opcode computes is not here: see `numeric` for the scalars, the modes for the rest.
//!
//! The rows stand in `scalar`, `vector` and `atomic`. [`reader`] walks function bodies with them;
//! `structure` says how bodies fall into blocks and fuel segments, `kind` what scalar operators have in common.

mod atomic;
mod kind;
pub mod reader;
mod scalar;
mod structure;
mod vector;
mod width;

#[cfg(test)]
mod tests;

pub use atomic::Atomic;
pub use kind::NumericKind;
pub use scalar::{
    Const, Control, Gc, Load, Memory, Numeric, Parametric, Reference, Store, Table, Variable, Wide,
};
pub use structure::{Boundary, Nesting, Structure};
pub use vector::{Vector, VectorMemory};

use std::fmt;

/// Any opcode: its family, and which of the family.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Opcode {
    /// Blocks, branches, calls, returns and exceptions.
    Control(Control),
    /// Operators on a value of any type.
    Parametric(Parametric),
    /// Locals and globals.
    Variable(Variable),
    /// Tables and element segments.
    Table(Table),
    /// Reads of a scalar from memory.
    Load(Load),
    /// Writes of a scalar to memory.
    Store(Store),
    /// Whole memories and data segments.
    Memory(Memory),
    /// Scalar constants.
    Const(Const),
    /// Scalar operators without immediates.
    Numeric(Numeric),
    /// 128-bit arithmetic on pairs of `i64`.
    Wide(Wide),
    /// References of every kind.
    Reference(Reference),
    /// Structures, arrays, `i31` and casts.
    Gc(Gc),
    /// Vector operators that touch no memory.
    Vector(Vector),
    /// Vector loads and stores.
    VectorMemory(VectorMemory),
    /// Atomic accesses, waiting, notifying and the fence.
    Atomic(Atomic),
}

/// Which enum an opcode belongs to; the order is that of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Family {
    /// See [`Opcode::Control`].
    Control,
    /// See [`Opcode::Parametric`].
    Parametric,
    /// See [`Opcode::Variable`].
    Variable,
    /// See [`Opcode::Table`].
    Table,
    /// See [`Opcode::Load`].
    Load,
    /// See [`Opcode::Store`].
    Store,
    /// See [`Opcode::Memory`].
    Memory,
    /// See [`Opcode::Const`].
    Const,
    /// See [`Opcode::Numeric`].
    Numeric,
    /// See [`Opcode::Wide`].
    Wide,
    /// See [`Opcode::Reference`].
    Reference,
    /// See [`Opcode::Gc`].
    Gc,
    /// See [`Opcode::Vector`].
    Vector,
    /// See [`Opcode::VectorMemory`].
    VectorMemory,
    /// See [`Opcode::Atomic`].
    Atomic,
}

/// All that is known about an opcode without running it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The opcode this row is about.
    pub opcode: Opcode,
    /// How the binary format writes it.
    pub code: Code,
    /// How the text format writes it. Unique: where the text format tells two opcodes apart by an
    /// immediate only, the second has a name of ours (`select_t`, `ref.test_null`, `ref.cast_null`).
    pub text: &'static str,
    /// What follows the code, in binary order.
    pub immediates: &'static [Immediate],
    /// What it pops, deepest first.
    pub operands: &'static [Operand],
    /// What it pushes, deepest first.
    pub results: &'static [Operand],
    /// Its family.
    pub family: Family,
    /// The proposal that brought it.
    pub proposal: Proposal,
    /// What sort of scalar operator it is; `None` in every family but [`Family::Numeric`].
    pub kind: Option<NumericKind>,
}

/// The bytes of an opcode: one, or a prefix byte and an unsigned LEB128 number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Code {
    /// 0xFB, 0xFC, 0xFD or 0xFE, if there is a prefix.
    pub prefix: Option<u8>,
    /// The opcode byte, or the number after the prefix.
    pub value: u32,
}

/// One immediate of an opcode, as the binary format has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Immediate {
    /// Empty, a value type, or a function type's index.
    BlockType,
    /// Relative depth of a label.
    Label,
    /// A count and as many labels, then the default label.
    Labels,
    /// Function index.
    Func,
    /// Type index.
    Type,
    /// Table index.
    Table,
    /// Memory index.
    Memory,
    /// Alignment, memory index if it is not 0, offset.
    MemArg,
    /// Local index.
    Local,
    /// Global index.
    Global,
    /// Tag index.
    Tag,
    /// Data segment index.
    Data,
    /// Element segment index.
    Elem,
    /// Field index within a structure.
    Field,
    /// Heap type.
    HeapType,
    /// Bit 0: the source type of a cast is nullable; bit 1: so is the target type.
    CastFlags,
    /// A count, which validation holds to 1, and as many value types.
    SelectTypes,
    /// Signed LEB128, 32 bits.
    I32,
    /// Signed LEB128, 64 bits.
    I64,
    /// Four bytes, little-endian.
    F32,
    /// Eight bytes, little-endian.
    F64,
    /// Sixteen bytes, little-endian.
    V128,
    /// A byte: number of a lane.
    Lane,
    /// Sixteen bytes, each the number of a lane of two vectors.
    Lanes16,
    /// How many operands follow from the stack.
    Count,
    /// A count and as many catch clauses.
    Catches,
    /// A byte that must be 0.
    Reserved,
}

/// The type of an operand or result, as far as the opcode alone decides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A vector.
    V128,
    /// `i32` or `i64`, as the memory or table is indexed.
    Address,
    /// A reference; which type of reference is for the immediates or the stack to say.
    Ref,
    /// One value whose type the immediates or the stack decide.
    Any,
    /// No, one or many values, as the immediates or the stack decide.
    Many,
}

/// Where an opcode comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Proposal {
    /// WebAssembly 1.0.
    Mvp,
    /// Sign extension within an integer type.
    SignExtensionOps,
    /// Conversions from float to integer that saturate.
    NontrappingFloatToInt,
    /// Bulk operations on memories and tables.
    BulkMemory,
    /// References as values.
    ReferenceTypes,
    /// Calls that replace their caller.
    TailCall,
    /// Typed function references.
    FunctionReferences,
    /// Structures, arrays and casts.
    Gc,
    /// Exceptions with `try_table`.
    ExceptionHandling,
    /// Vectors of 128 bits.
    Simd,
    /// Vector operators whose result the hardware may choose.
    RelaxedSimd,
    /// Atomics.
    Threads,
    /// 128-bit arithmetic.
    WideArithmetic,
}

impl Opcode {
    /// How many opcodes there are.
    pub const COUNT: usize = FIRST_INDEX[FAMILIES.len()];

    /// Reads the opcode at the start of `bytes`: which one, and how many bytes its code takes.
    /// `None` if there is no opcode of that code, or the code is cut off.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Option<(Opcode, usize)> {
        let first = *bytes.first()?;
        match SINGLE_BYTE[first as usize] {
            Some(opcode) => Some((opcode, 1)),
            None => decode_prefixed(first, &bytes[1..]),
        }
    }

    /// All that is known about the opcode.
    #[inline]
    pub fn row(self) -> &'static Row {
        &ROWS[self.index()]
    }

    /// Every opcode, in the order of [`Opcode::index`].
    pub fn all() -> impl ExactSizeIterator<Item = Opcode> + Clone {
        ROWS.iter().map(|row| row.opcode)
    }

    /// The opcode's number in the table, less than [`Opcode::COUNT`]: for counters. The numbers are
    /// those of this build; what is written down names opcodes by their text.
    #[inline]
    pub const fn index(self) -> usize {
        let (family, number) = self.family_and_number();
        FIRST_INDEX[family as usize] + number
    }

    /// The opcode of that [`Row::text`].
    pub fn from_text(text: &str) -> Option<Opcode> {
        Opcode::all().find(|opcode| opcode.text() == text)
    }

    /// The one byte that the opcode is, if it has no prefix.
    pub fn byte(self) -> Option<u8> {
        let Code { prefix, value } = self.row().code;
        // Codes without a prefix are bytes: a test decodes all of them.
        prefix.is_none().then_some(value as u8)
    }

    /// Shorthand for [`Row::text`].
    pub fn text(self) -> &'static str {
        self.row().text
    }

    /// Which enum the opcode belongs to.
    #[inline]
    pub const fn family(self) -> Family {
        self.family_and_number().0
    }

    const fn family_and_number(self) -> (Family, usize) {
        match self {
            Opcode::Control(opcode) => (Family::Control, opcode as usize),
            Opcode::Parametric(opcode) => (Family::Parametric, opcode as usize),
            Opcode::Variable(opcode) => (Family::Variable, opcode as usize),
            Opcode::Table(opcode) => (Family::Table, opcode as usize),
            Opcode::Load(opcode) => (Family::Load, opcode as usize),
            Opcode::Store(opcode) => (Family::Store, opcode as usize),
            Opcode::Memory(opcode) => (Family::Memory, opcode as usize),
            Opcode::Const(opcode) => (Family::Const, opcode as usize),
            Opcode::Numeric(opcode) => (Family::Numeric, opcode as usize),
            Opcode::Wide(opcode) => (Family::Wide, opcode as usize),
            Opcode::Reference(opcode) => (Family::Reference, opcode as usize),
            Opcode::Gc(opcode) => (Family::Gc, opcode as usize),
            Opcode::Vector(opcode) => (Family::Vector, opcode as usize),
            Opcode::VectorMemory(opcode) => (Family::VectorMemory, opcode as usize),
            Opcode::Atomic(opcode) => (Family::Atomic, opcode as usize),
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl Code {
    /// A code as the rows write it: `[0x6A]`, or `[0xFD 0x10D]` with a prefix.
    const fn new(parts: &[u32]) -> Code {
        match *parts {
            [value] => Code { prefix: None, value },
            [prefix, value] => Code { prefix: Some(prefix as u8), value },
            _ => panic!("a code is one number, or a prefix and a number"),
        }
    }
}

impl Operand {
    /// Whether it is a scalar float.
    pub const fn is_float(self) -> bool {
        match self {
            Operand::F32 | Operand::F64 => true,
            Operand::I32
            | Operand::I64
            | Operand::V128
            | Operand::Address
            | Operand::Ref
            | Operand::Any
            | Operand::Many => false,
        }
    }
}

impl fmt::Display for Code {
    /// `0x6a`, or `0xfd 0x10d` with a prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            None => write!(f, "{:#04x}", self.value),
            Some(prefix) => write!(f, "{prefix:#04x} {:#04x}", self.value),
        }
    }
}

impl Family {
    /// The family in one lower-case word or two, for tables and reports.
    pub fn text(self) -> &'static str {
        match self {
            Family::Control => "control",
            Family::Parametric => "parametric",
            Family::Variable => "variable",
            Family::Table => "table",
            Family::Load => "load",
            Family::Store => "store",
            Family::Memory => "memory",
            Family::Const => "const",
            Family::Numeric => "numeric",
            Family::Wide => "wide",
            Family::Reference => "reference",
            Family::Gc => "gc",
            Family::Vector => "vector",
            Family::VectorMemory => "vector-memory",
            Family::Atomic => "atomic",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl Proposal {
    /// The proposal's usual name, which is also the name of its repository and of its test group
    /// (but for `mvp`).
    pub fn text(self) -> &'static str {
        match self {
            Proposal::Mvp => "mvp",
            Proposal::SignExtensionOps => "sign-extension-ops",
            Proposal::NontrappingFloatToInt => "nontrapping-float-to-int-conversions",
            Proposal::BulkMemory => "bulk-memory",
            Proposal::ReferenceTypes => "reference-types",
            Proposal::TailCall => "tail-call",
            Proposal::FunctionReferences => "function-references",
            Proposal::Gc => "gc",
            Proposal::ExceptionHandling => "exception-handling",
            Proposal::Simd => "simd",
            Proposal::RelaxedSimd => "relaxed-simd",
            Proposal::Threads => "threads",
            Proposal::WideArithmetic => "wide-arithmetic",
        }
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// Makes a family's enum and its rows. The columns: Rust name, `[code]`, text, `(immediates)`,
/// `[operands -> results]`, proposal, and of scalar operators the kind.
macro_rules! family {
    (
        #[doc = $doc:literal]
        $family:ident {
            $(
                $name:ident [$($code:literal)+] $text:literal ($($immediate:ident)*)
                [$($operand:ident)* -> $($result:ident)*] $proposal:ident $($kind:ident)?;
            )*
        }
    ) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum $family {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl $family {
            /// Every opcode of the family, in the order of the table.
            pub const ALL: &'static [$family] = &[$($family::$name),*];

            /// The family's part of the table.
            pub(super) const ROWS: &'static [Row] = &[$(Row {
                opcode: Opcode::$family($family::$name),
                code: Code::new(&[$($code),+]),
                text: $text,
                immediates: &[$(Immediate::$immediate),*],
                operands: &[$(Operand::$operand),*],
                results: &[$(Operand::$result),*],
                family: Family::$family,
                proposal: Proposal::$proposal,
                kind: NumericKind::of_row(&[$(NumericKind::$kind)?]),
            }),*];

            /// All that is known about the opcode.
            #[inline]
            pub fn row(self) -> &'static Row {
                Opcode::$family(self).row()
            }
        }

        impl From<$family> for Opcode {
            #[inline]
            fn from(opcode: $family) -> Opcode {
                Opcode::$family(opcode)
            }
        }
    };
}
use family;

/// The families' rows, in the order of [`Family`].
const FAMILIES: [&[Row]; 15] = [
    Control::ROWS,
    Parametric::ROWS,
    Variable::ROWS,
    Table::ROWS,
    Load::ROWS,
    Store::ROWS,
    Memory::ROWS,
    Const::ROWS,
    Numeric::ROWS,
    Wide::ROWS,
    Reference::ROWS,
    Gc::ROWS,
    Vector::ROWS,
    VectorMemory::ROWS,
    Atomic::ROWS,
];

/// Where each family's rows begin in the table; the last entry is the table's length.
const FIRST_INDEX: [usize; FAMILIES.len() + 1] = {
    let mut first = [0; FAMILIES.len() + 1];
    let mut family = 0;
    while family < FAMILIES.len() {
        first[family + 1] = first[family] + FAMILIES[family].len();
        family += 1;
    }
    first
};

/// The table.
static ROWS: [Row; Opcode::COUNT] = {
    let mut rows = [FAMILIES[0][0]; Opcode::COUNT];
    let mut family = 0;
    while family < FAMILIES.len() {
        let mut number = 0;
        while number < FAMILIES[family].len() {
            rows[FIRST_INDEX[family] + number] = FAMILIES[family][number];
            number += 1;
        }
        family += 1;
    }
    rows
};

static SINGLE_BYTE: [Option<Opcode>; 0x100] = by_code(None);
static PREFIXED_FB: [Option<Opcode>; 0x1F] = by_code(Some(0xFB));
static PREFIXED_FC: [Option<Opcode>; 0x17] = by_code(Some(0xFC));
static PREFIXED_FD: [Option<Opcode>; 0x114] = by_code(Some(0xFD));
static PREFIXED_FE: [Option<Opcode>; 0x4F] = by_code(Some(0xFE));

/// The opcodes of one prefix by their number. A table that is too short for a row doesn't compile.
const fn by_code<const N: usize>(prefix: Option<u8>) -> [Option<Opcode>; N] {
    let mut table = [None; N];
    let mut index = 0;
    while index < ROWS.len() {
        let row = &ROWS[index];
        let ours = match (row.code.prefix, prefix) {
            (None, None) => true,
            (Some(a), Some(b)) => a == b,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if ours {
            assert!(table[row.code.value as usize].is_none(), "two rows have the same code");
            table[row.code.value as usize] = Some(row.opcode);
        }
        index += 1;
    }
    table
}

/// The opcode of a prefix byte and the number in `rest`, and how many bytes both take.
fn decode_prefixed(prefix: u8, rest: &[u8]) -> Option<(Opcode, usize)> {
    let table: &[Option<Opcode>] = match prefix {
        0xFB => &PREFIXED_FB,
        0xFC => &PREFIXED_FC,
        0xFD => &PREFIXED_FD,
        0xFE => &PREFIXED_FE,
        _ => return None,
    };
    let (value, length) = unsigned_leb32(rest)?;
    Some(((*table.get(value as usize)?)?, 1 + length))
}

/// A 32-bit LEB128 number and its length; `None` if it is cut off, longer than 5 bytes, or sets bits
/// beyond the 32nd.
fn unsigned_leb32(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Some((u32::try_from(value).ok()?, index + 1));
        }
    }
    None
}
