//! Little-endian writing and suspicious reading, for everything that crosses a process or a disk.
//!
//! A length in the input is a claim. The reader believes it only as far as bytes are left to back it up,
//! so that four hostile bytes cannot ask for four gigabytes.

use std::fmt;

/// Why bytes could not be read: where, and what should have stood there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    offset: usize,
    expected: &'static str,
}

impl DecodeError {
    /// An error at a byte offset; `expected` reads after "expected ".
    pub fn new(offset: usize, expected: &'static str) -> DecodeError {
        DecodeError { offset, expected }
    }

    /// Byte offset of what could not be read.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at offset {:#x}: expected {}", self.offset, self.expected)
    }
}

impl std::error::Error for DecodeError {}

/// Appends fields to a byte vector.
#[derive(Default, Debug)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer { bytes: Vec::with_capacity(bytes) }
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    /// Sixteen bytes.
    pub fn u128(&mut self, value: u128) {
        self.raw(&value.to_le_bytes());
    }

    /// A byte that says whether a number follows, and the number.
    pub fn option_u64(&mut self, value: Option<u64>) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            self.u64(value);
        }
    }

    /// How many elements follow, in four bytes.
    pub fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).expect("nothing that is serialised has four billion elements"));
    }

    /// A length and so many bytes.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// A length and so many bytes of UTF-8.
    pub fn string(&mut self, string: &str) {
        self.blob(string.as_bytes());
    }
}

/// Reads back, in the same order, what a [`Writer`] wrote.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of the bytes.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, offset: 0 }
    }

    /// Where the next field starts.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    fn take(&mut self, length: usize, expected: &'static str) -> Result<&'a [u8], DecodeError> {
        if length > self.left() {
            return Err(DecodeError::new(self.offset, expected));
        }
        let taken = &self.bytes[self.offset..self.offset + length];
        self.offset += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N, expected)?;
        Ok(taken.try_into().expect("`take` gives exactly the bytes asked for"))
    }

    /// So many bytes; fails if fewer are left.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        self.take(length, "more bytes")
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array("one more byte")?))
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array("two more bytes")?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array("four more bytes")?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array("eight more bytes")?))
    }

    /// Sixteen bytes.
    pub fn u128(&mut self) -> Result<u128, DecodeError> {
        Ok(u128::from_le_bytes(self.array("sixteen more bytes")?))
    }

    /// What [`Writer::option_u64`] wrote.
    pub fn option_u64(&mut self) -> Result<Option<u64>, DecodeError> {
        let at = self.offset;
        match self.u8()? {
            0 => Ok(None),
            1 => Ok(Some(self.u64()?)),
            _ => Err(DecodeError::new(at, "0 or 1, for whether a number follows")),
        }
    }

    /// What [`Writer::blob`] wrote, borrowed from the input.
    pub fn blob(&mut self) -> Result<&'a [u8], DecodeError> {
        let at = self.offset;
        let length = self.u32()? as usize;
        self.take(length, "").map_err(|_| DecodeError::new(at, "a length that the remaining bytes can hold"))
    }

    /// What [`Writer::string`] wrote, borrowed from the input; fails on anything but UTF-8.
    pub fn string(&mut self) -> Result<&'a str, DecodeError> {
        let at = self.offset + 4;
        let bytes = self.blob()?;
        std::str::from_utf8(bytes)
            .map_err(|error| DecodeError::new(at + error.valid_up_to(), "a string in UTF-8"))
    }

    /// A count and so many elements, of which each takes at least `element_bytes` in the input.
    pub fn list<T>(
        &mut self,
        element_bytes: usize,
        mut element: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let at = self.offset;
        let count = self.u32()? as usize;
        if count > self.left() / element_bytes.max(1) {
            return Err(DecodeError::new(at, "a count that the remaining bytes can hold"));
        }
        // An element in memory may be several times its bytes in the input, so the claim buys no capacity.
        let mut elements = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(elements)
    }

    /// Succeeds if nothing is left.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.left() == 0 { Ok(()) } else { Err(DecodeError::new(self.offset, "the end")) }
    }
}
