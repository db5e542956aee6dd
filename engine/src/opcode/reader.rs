//! Walks the bytes of one validated function body: opcodes, and their immediates one by one.
//!
//! The bytes were validated before a [`Reader`] is made, so nothing here fails: bytes that make no
//! sense are a fault of this engine and panic with the belief that broke. What almost every instruction
//! needs (a byte, a short number, a memory immediate) is inlined; nothing allocates.

use super::{Immediate, Nesting, Opcode};
use wasmparser::{AbstractHeapType, HeapType, RefType, UnpackedIndex, ValType};

#[cfg(test)]
mod tests;

/// A place in the bytes of a function body. A copy stays where it is, so a copy is a bookmark.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    base: u32,
}

/// What a block takes and leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockType {
    /// Nothing, nothing.
    Empty,
    /// Takes nothing, leaves one value.
    Value(ValType),
    /// Takes and leaves what the function type of this index says.
    Type(u32),
}

/// Where a load or store goes, but for the address on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemArg {
    /// Binary logarithm of the alignment that the module promises; a hint, except for atomics.
    pub align_log2: u32,
    /// Memory index.
    pub memory: u32,
    /// Added to the address without wrapping.
    pub offset: u64,
}

/// Which ends of a cast include null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CastFlags {
    /// The type that the operand has before the cast includes null.
    pub from_nullable: bool,
    /// The type that is asked for includes null.
    pub to_nullable: bool,
}

/// One clause of a `try_table`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Catch {
    /// Exceptions of the tag branch to the label with their payload.
    One {
        /// Tag index.
        tag: u32,
        /// Relative depth, counted outside of the `try_table`.
        label: u32,
    },
    /// The same, and a reference to the exception on top.
    OneRef {
        /// Tag index.
        tag: u32,
        /// Relative depth, counted outside of the `try_table`.
        label: u32,
    },
    /// Every exception branches to the label with nothing.
    All {
        /// Relative depth, counted outside of the `try_table`.
        label: u32,
    },
    /// Every exception branches to the label with a reference to it.
    AllRef {
        /// Relative depth, counted outside of the `try_table`.
        label: u32,
    },
}

/// The labels of a `br_table`, in order, the default label last.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    reader: Reader<'a>,
    left: usize,
}

/// The clauses of a `try_table`, in order.
#[derive(Clone, Copy, Debug)]
pub struct Catches<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, which begin at offset `base` of the module's file.
    #[inline]
    pub fn new(bytes: &'a [u8], base: u32) -> Reader<'a> {
        Reader { bytes, position: 0, base }
    }

    /// File offset of the next byte.
    #[inline]
    pub fn at(&self) -> u32 {
        self.base + self.position as u32
    }

    /// Whether every byte was read.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// Goes to a file offset within the bytes, or to their end.
    #[inline]
    pub fn go_to(&mut self, offset: u32) {
        let position = offset.checked_sub(self.base).expect("offsets come from this body") as usize;
        assert!(position <= self.bytes.len(), "offsets come from this body");
        self.position = position;
    }

    /// The next opcode, and the file offset of its first byte.
    #[inline]
    pub fn opcode(&mut self) -> (u32, Opcode) {
        let at = self.at();
        let (opcode, length) =
            Opcode::decode(&self.bytes[self.position..]).expect("validation accepts known opcodes only");
        self.position += length;
        (at, opcode)
    }

    /// Passes over the immediates of `opcode`, which was just read.
    #[inline]
    pub fn skip_immediates(&mut self, opcode: Opcode) {
        for &immediate in opcode.row().immediates {
            self.skip(immediate);
        }
    }

    /// Passes over code that control cannot reach, up to the `else` or `end` that may change that, or to
    /// the end of the bytes. To be called in the block that the code is in.
    pub fn skip_unreachable(&mut self) {
        let mut depth = 0;
        while !self.is_done() {
            let here = *self;
            let (_, opcode) = self.opcode();
            match opcode.structure().nesting {
                Nesting::Divides | Nesting::Ends if depth == 0 => {
                    *self = here;
                    return;
                }
                Nesting::Begins => depth += 1,
                Nesting::Ends => depth -= 1,
                Nesting::Inside | Nesting::Divides => {}
            }
            self.skip_immediates(opcode);
        }
    }

    /// A byte: a lane, or `atomic.fence`'s reserved byte.
    #[inline]
    pub fn byte(&mut self) -> u8 {
        let byte = *self.bytes.get(self.position).expect("validation ends a body after an instruction");
        self.position += 1;
        byte
    }

    /// An index, a label or a count.
    #[inline]
    pub fn u32(&mut self) -> u32 {
        self.u64() as u32
    }

    /// An unsigned LEB128 number of up to 64 bits.
    #[inline]
    pub fn u64(&mut self) -> u64 {
        let first = self.byte();
        if first < 0x80 { u64::from(first) } else { self.continued(first).0 }
    }

    /// The value of `i32.const`.
    #[inline]
    pub fn i32(&mut self) -> i32 {
        self.i64() as i32
    }

    /// The value of `i64.const`, or any signed LEB128 number of up to 64 bits.
    #[inline]
    pub fn i64(&mut self) -> i64 {
        let first = self.byte();
        if first < 0x80 {
            return sign_extend(u64::from(first), 7);
        }
        let (value, bits) = self.continued(first);
        sign_extend(value, bits)
    }

    /// The bits of `f32.const`'s value.
    #[inline]
    pub fn f32_bits(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    /// The bits of `f64.const`'s value.
    #[inline]
    pub fn f64_bits(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// The bytes of `v128.const`'s value, or `i8x16.shuffle`'s lanes.
    #[inline]
    pub fn v128(&mut self) -> [u8; 16] {
        self.array()
    }

    /// Where a load or store goes.
    #[inline]
    pub fn mem_arg(&mut self) -> MemArg {
        /// Says that a memory index follows.
        const HAS_MEMORY: u32 = 1 << 6;
        let flags = self.u32();
        let memory = if flags & HAS_MEMORY != 0 { self.u32() } else { 0 };
        MemArg { align_log2: flags & !HAS_MEMORY, memory, offset: self.u64() }
    }

    /// What a block takes and leaves.
    #[inline]
    pub fn block_type(&mut self) -> BlockType {
        let mut ahead = *self;
        let index = ahead.i64();
        if index >= 0 {
            *self = ahead;
            return BlockType::Type(index as u32);
        }
        match self.bytes[self.position] {
            0x40 => {
                self.position += 1;
                BlockType::Empty
            }
            _ => BlockType::Value(self.val_type()),
        }
    }

    /// A value type.
    pub fn val_type(&mut self) -> ValType {
        match self.byte() {
            0x7F => ValType::I32,
            0x7E => ValType::I64,
            0x7D => ValType::F32,
            0x7C => ValType::F64,
            0x7B => ValType::V128,
            0x64 => reference(false, self.heap_type()),
            0x63 => reference(true, self.heap_type()),
            shorthand => reference(true, abstract_heap_type(shorthand)),
        }
    }

    /// A heap type; a concrete one by its index in the module.
    pub fn heap_type(&mut self) -> HeapType {
        let index = self.i64();
        match u32::try_from(index) {
            Ok(index) => HeapType::Concrete(UnpackedIndex::Module(index)),
            // A negative number of one byte is that byte's low seven bits, extended.
            Err(_) => abstract_heap_type(index as u8 & 0x7F),
        }
    }

    /// Which ends of a cast include null.
    #[inline]
    pub fn cast_flags(&mut self) -> CastFlags {
        let flags = self.byte();
        CastFlags { from_nullable: flags & 1 != 0, to_nullable: flags & 2 != 0 }
    }

    /// The type that `select_t` names.
    pub fn select_type(&mut self) -> ValType {
        let count = self.u32();
        assert_eq!(count, 1, "validation accepts a select of one type only");
        self.val_type()
    }

    /// The labels of a `br_table`; the reader is after them when this returns.
    pub fn labels(&mut self) -> Labels<'a> {
        // Validation holds the count of a table to far less than `usize`, so the default label fits.
        let left = self.u32() as usize + 1;
        let labels = Labels { reader: *self, left };
        for _ in 0..left {
            self.skip_number();
        }
        labels
    }

    /// The clauses of a `try_table`; the reader is after them when this returns.
    pub fn catches(&mut self) -> Catches<'a> {
        let left = self.u32() as usize;
        let catches = Catches { reader: *self, left };
        for _ in 0..left {
            self.catch();
        }
        catches
    }

    /// The next opcode, which stays the next; `None` at the end.
    #[inline]
    pub fn peek(&self) -> Option<Opcode> {
        Opcode::decode(&self.bytes[self.position..]).map(|(opcode, _)| opcode)
    }

    fn catch(&mut self) -> Catch {
        match self.byte() {
            0 => Catch::One { tag: self.u32(), label: self.u32() },
            1 => Catch::OneRef { tag: self.u32(), label: self.u32() },
            2 => Catch::All { label: self.u32() },
            3 => Catch::AllRef { label: self.u32() },
            kind => unreachable!("validation accepts four kinds of catch clause, not {kind}"),
        }
    }

    fn skip(&mut self, immediate: Immediate) {
        match immediate {
            Immediate::Label
            | Immediate::Func
            | Immediate::Type
            | Immediate::Table
            | Immediate::Memory
            | Immediate::Local
            | Immediate::Global
            | Immediate::Tag
            | Immediate::Data
            | Immediate::Elem
            | Immediate::Field
            | Immediate::Count
            | Immediate::I32
            | Immediate::I64 => self.skip_number(),
            Immediate::MemArg => _ = self.mem_arg(),
            Immediate::Lane | Immediate::Reserved | Immediate::CastFlags => self.skip_bytes(1),
            Immediate::F32 => self.skip_bytes(4),
            Immediate::F64 => self.skip_bytes(8),
            Immediate::V128 | Immediate::Lanes16 => self.skip_bytes(16),
            Immediate::BlockType => _ = self.block_type(),
            Immediate::HeapType => _ = self.heap_type(),
            Immediate::SelectTypes => _ = self.select_type(),
            Immediate::Labels => _ = self.labels(),
            Immediate::Catches => _ = self.catches(),
        }
    }

    #[inline]
    fn skip_number(&mut self) {
        while self.byte() >= 0x80 {}
    }

    #[inline]
    fn skip_bytes(&mut self, count: usize) {
        self.position += count;
        debug_assert!(self.position <= self.bytes.len(), "validation ends a body after an instruction");
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let array =
            *self.bytes[self.position..].first_chunk().expect("validation ends a body after an instruction");
        self.position += N;
        array
    }

    /// The rest of a number whose first byte says that there is more: the number, and how many bits
    /// its bytes had room for.
    fn continued(&mut self, first: u8) -> (u64, u32) {
        let mut value = u64::from(first & 0x7F);
        for shift in (7..70).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return (value, shift + 7);
            }
        }
        unreachable!("validation accepts numbers of at most ten bytes");
    }
}

impl Iterator for Labels<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.u32())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Labels<'_> {}

impl Iterator for Catches<'_> {
    type Item = Catch;

    #[inline]
    fn next(&mut self) -> Option<Catch> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.catch())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Catches<'_> {}

/// The low `bits` bits of `value` as a signed number.
#[inline]
fn sign_extend(value: u64, bits: u32) -> i64 {
    let unused = 64u32.saturating_sub(bits);
    (value << unused) as i64 >> unused
}

fn reference(nullable: bool, heap_type: HeapType) -> ValType {
    ValType::Ref(RefType::new(nullable, heap_type).expect("validation limits the number of types"))
}

fn abstract_heap_type(code: u8) -> HeapType {
    let ty = match code {
        0x69 => AbstractHeapType::Exn,
        0x6A => AbstractHeapType::Array,
        0x6B => AbstractHeapType::Struct,
        0x6C => AbstractHeapType::I31,
        0x6D => AbstractHeapType::Eq,
        0x6E => AbstractHeapType::Any,
        0x6F => AbstractHeapType::Extern,
        0x70 => AbstractHeapType::Func,
        0x71 => AbstractHeapType::None,
        0x72 => AbstractHeapType::NoExtern,
        0x73 => AbstractHeapType::NoFunc,
        0x74 => AbstractHeapType::NoExn,
        _ => unreachable!("validation accepts known heap types only, not {code:#04x}"),
    };
    HeapType::Abstract { shared: false, ty }
}
