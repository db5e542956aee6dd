//! Memories and tables: what is in them, and how they grow.

use super::types::ValueType;
use super::value::Reference;
use crate::observe::{MemoryState, OS_PAGE_BYTES, Outcome};
use std::collections::BTreeMap;

/// The type of a memory or a table: its bounds in pages or elements, and the width of its addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    pub minimum: u64,
    pub maximum: Option<u64>,
    pub is_64: bool,
}

impl Bounds {
    /// Whether something of that size and maximum is what an import with these bounds asks for (specification, section 3.4,
    /// "Matching", limits).
    pub fn admit(self, size: u64, given: Bounds) -> bool {
        let ends = match (self.maximum, given.maximum) {
            (None, _) => true,
            (Some(wanted), Some(given)) => given <= wanted,
            (Some(_), None) => false,
        };
        self.is_64 == given.is_64 && size >= self.minimum && ends
    }
}

/// A memory. Its bytes are kept in pieces of [`OS_PAGE_BYTES`]; those that are not there are zeros.
#[derive(Debug)]
pub(super) struct Memory {
    pub bounds: Bounds,
    pub page_size_log2: u32,
    bytes: u64,
    pieces: BTreeMap<u64, Box<[u8; OS_PAGE_BYTES as usize]>>,
    limit_pages: u64,
}

impl Memory {
    /// A memory of zeros. Fails where it begins with more than a memory may have.
    pub fn new(bounds: Bounds, page_size_log2: u32, limit_bytes: u64) -> Result<Memory, Outcome> {
        let address_bits: u32 = if bounds.is_64 { 64 } else { 32 };
        let addressable = 1u64.checked_shl(address_bits - page_size_log2).unwrap_or(u64::MAX);
        let declared = bounds.maximum.unwrap_or(u64::MAX);
        let limit_pages = (limit_bytes >> page_size_log2).min(declared).min(addressable);
        if bounds.minimum > limit_pages {
            return Err(Outcome::Limit(format!("a memory of {} pages", bounds.minimum)));
        }
        let bytes = bounds.minimum << page_size_log2;
        Ok(Memory { bounds, page_size_log2, bytes, pieces: BTreeMap::new(), limit_pages })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn pages(&self) -> u64 {
        self.bytes >> self.page_size_log2
    }

    /// Grows, and gives the old size in pages; `None` where the limit forbids it.
    pub fn grow(&mut self, pages: u64) -> Option<u64> {
        let old = self.pages();
        let new = old.checked_add(pages).filter(|new| *new <= self.limit_pages)?;
        self.bytes = new << self.page_size_log2;
        Some(old)
    }

    /// Whether bytes from an address on are all inside.
    pub fn has(&self, address: u64, count: u64) -> bool {
        address.checked_add(count).is_some_and(|end| end <= self.bytes)
    }

    /// Copies bytes out; `None` if they are not all inside.
    pub fn read(&self, address: u64, buffer: &mut [u8]) -> Option<()> {
        if !self.has(address, buffer.len() as u64) {
            return None;
        }
        for (number, within, part) in parts(address, buffer.len()) {
            let target = &mut buffer[part];
            match self.pieces.get(&number) {
                Some(piece) => target.copy_from_slice(&piece[within..within + target.len()]),
                None => target.fill(0),
            }
        }
        Some(())
    }

    /// Copies bytes in; `None`, with nothing written, if they do not all fit.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Option<()> {
        if !self.has(address, bytes.len() as u64) {
            return None;
        }
        for (number, within, part) in parts(address, bytes.len()) {
            let source = &bytes[part];
            // What is zero already need not be kept.
            if self.pieces.contains_key(&number) || source.iter().any(|byte| *byte != 0) {
                let piece =
                    self.pieces.entry(number).or_insert_with(|| Box::new([0; OS_PAGE_BYTES as usize]));
                piece[within..within + source.len()].copy_from_slice(source);
            }
        }
        Some(())
    }

    /// What can be seen of it, but for pages of zeros.
    pub fn seen(&self) -> MemoryState {
        let mut seen = MemoryState::new(self.bytes);
        for (number, piece) in &self.pieces {
            let offset = number * OS_PAGE_BYTES;
            let inside = (self.bytes - offset).min(OS_PAGE_BYTES) as usize;
            seen.add(offset, &piece[..inside]);
        }
        seen
    }
}

/// The pieces that bytes from an address on lie in: number, place in the piece, and which of the bytes.
fn parts(address: u64, count: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == count {
            return None;
        }
        let at = address + done as u64;
        let within = (at % OS_PAGE_BYTES) as usize;
        let end = count.min(done + OS_PAGE_BYTES as usize - within);
        let part = done..end;
        done = end;
        Some((at / OS_PAGE_BYTES, within, part))
    })
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub bounds: Bounds,
    pub element: ValueType,
    pub elements: Vec<Reference>,
    limit: u64,
}

impl Table {
    /// A table of one reference. Fails where it begins with more than a table may have.
    pub fn new(
        bounds: Bounds,
        element: ValueType,
        init: Reference,
        limit_elements: u64,
    ) -> Result<Table, Outcome> {
        let addressable = if bounds.is_64 { u64::MAX } else { u64::from(u32::MAX) };
        let limit = limit_elements.min(bounds.maximum.unwrap_or(u64::MAX)).min(addressable);
        if bounds.minimum > limit {
            return Err(Outcome::Limit(format!("a table of {} elements", bounds.minimum)));
        }
        Ok(Table { bounds, element, elements: vec![init; bounds.minimum as usize], limit })
    }

    pub fn size(&self) -> u64 {
        self.elements.len() as u64
    }

    /// Grows, and gives the old size; `None` where the limit forbids it.
    pub fn grow(&mut self, count: u64, init: Reference) -> Option<u64> {
        let old = self.size();
        let new = old.checked_add(count).filter(|new| *new <= self.limit)?;
        self.elements.resize(new as usize, init);
        Some(old)
    }
}
