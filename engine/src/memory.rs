//! Linear memories: reserved address space that grows in place, and the pool it comes from.
//!
//! A campaign makes thousands of instances a second, so address space is reused: a reservation goes
//! back to the pool zeroed, its pages given up, its range still mapped.
//!
//! A memory belongs to its store ([`owned`]) or, if its type says so, is shared by the stores of several threads
//! ([`shared`]). Other threads may change the bytes of a shared memory at any time, so they are never lent out
//! as `&[u8]`: everything outside of guest code reads, writes, fills and copies.

mod owned;
mod shared;

use crate::error::Error;
use crate::limits::Settings;
use crate::platform::Reservation;
use crate::store::MemoryLink;
use crate::types::MemoryType;
use owned::OwnedMemory;
use std::sync::{Arc, Mutex};

pub use shared::SharedMemory;

/// Reservations are made in a few sizes, so that the pool finds one that fits.
const SMALLEST_RESERVATION_BYTES: u64 = 1 << 20;
/// Reserved for a memory whose bounds are checked by faulting: whatever a 32-bit address and an offset of
/// less than 2^31 reach is either inside the memory or inaccessible.
pub(crate) const GUARDED_BYTES: u64 = 8 << 30;
/// Reservations kept for reuse; more are unmapped.
const POOLED: usize = 64;

static POOL: Mutex<Vec<Reservation>> = Mutex::new(Vec::new());

/// A reservation of at least `bytes`, all zero; reused if one of the same size class is free.
pub(crate) fn take_reservation(bytes: u64) -> Result<Reservation, Error> {
    let bytes = usize::try_from(bytes.max(SMALLEST_RESERVATION_BYTES).next_power_of_two())
        .map_err(|_| Error::Resources(format!("{bytes} bytes exceed this machine's address space")))?;
    let mut pool = POOL.lock().expect("no panic happens while the pool is locked");
    if let Some(found) = pool.iter().position(|free| free.bytes() == bytes) {
        return Ok(pool.swap_remove(found));
    }
    drop(pool);
    Reservation::new(bytes)
        .map_err(|error| Error::Resources(format!("cannot reserve {bytes} bytes of address space: {error}")))
}

/// Gives a reservation back, whatever was written to it.
pub(crate) fn give_reservation(mut reservation: Reservation) {
    reservation.reset();
    let mut pool = POOL.lock().expect("no panic happens while the pool is locked");
    if pool.len() < POOLED {
        pool.push(reservation);
    }
}

/// A memory of a store.
pub(crate) struct MemoryEntity {
    pub ty: MemoryType,
    kind: Kind,
}

enum Kind {
    Owned(OwnedMemory),
    Shared(Arc<SharedMemory>),
}

/// Where something lies in the memories of a store.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The memory's number in the store.
    pub memory: u32,
    pub offset: u64,
}

impl MemoryEntity {
    /// A new memory of its minimum size, shared if its type says so; fails by the configured limit or for want of
    /// address space.
    pub fn new(ty: MemoryType, settings: &Settings) -> Result<MemoryEntity, Error> {
        let kind = match ty.shared {
            false => Kind::Owned(OwnedMemory::new(ty, settings)?),
            true => Kind::Shared(SharedMemory::of_type(ty, settings)?),
        };
        Ok(MemoryEntity { ty, kind })
    }

    /// A memory that other stores may have, too.
    pub fn of_shared(memory: Arc<SharedMemory>) -> MemoryEntity {
        MemoryEntity { ty: memory.ty(), kind: Kind::Shared(memory) }
    }

    /// The memory as other stores can have it; `None` if it is the store's own.
    pub fn shared(&self) -> Option<&Arc<SharedMemory>> {
        match &self.kind {
            Kind::Owned(_) => None,
            Kind::Shared(memory) => Some(memory),
        }
    }

    /// Address of the first byte. Valid until the memory grows, of a shared memory for good.
    pub fn base(&self) -> *mut u8 {
        self.link_ref().base
    }

    /// Base and size for compiled code, at an address that stays.
    pub fn link(&self) -> *const MemoryLink {
        self.link_ref()
    }

    fn link_ref(&self) -> &MemoryLink {
        match &self.kind {
            Kind::Owned(memory) => memory.link(),
            Kind::Shared(memory) => memory.link(),
        }
    }

    /// Size in bytes. Another thread may have made a shared memory larger by the time it is used.
    pub fn len(&self) -> u64 {
        self.link_ref().bytes()
    }

    /// Size in pages.
    pub fn pages(&self) -> u64 {
        self.len() >> self.ty.page_size_log2
    }

    /// Grows by `delta` pages and gives the old size in pages; `None` if a limit forbids it.
    /// Fails only if the operating system refuses, which says nothing about the program.
    pub fn grow(&mut self, delta: u64) -> Result<Option<u64>, Error> {
        match &mut self.kind {
            Kind::Owned(memory) => memory.grow(delta),
            Kind::Shared(memory) => memory.grow(delta),
        }
    }

    /// Where bytes of the range begin; `None` if they are not all inside.
    fn at(&self, offset: u64, bytes: u64) -> Option<*mut u8> {
        let end = offset.checked_add(bytes)?;
        (end <= self.len()).then(|| self.base().wrapping_add(offset as usize))
    }

    /// Copies bytes from `offset` on out of the memory; `None` if they are not all inside.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Option<()> {
        let from = self.at(offset, buffer.len() as u64)?;
        match &self.kind {
            // SAFETY: the bytes are inside the committed memory, and `&self` keeps writers away: guest code runs
            // only with the whole store borrowed mutably.
            Kind::Owned(_) => unsafe {
                from.copy_to_nonoverlapping(buffer.as_mut_ptr(), buffer.len());
            },
            // SAFETY: the bytes are inside the committed memory.
            Kind::Shared(_) => unsafe { shared::read(from, buffer) },
        }
        Some(())
    }

    /// Copies bytes into the memory from `offset` on; `None`, with nothing written, if they are not all inside.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Option<()> {
        let to = self.at(offset, bytes.len() as u64)?;
        match &self.kind {
            // SAFETY: the bytes are inside the committed memory, to which `&mut self` is the only way.
            Kind::Owned(_) => unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) },
            // SAFETY: the bytes are inside the committed memory.
            Kind::Shared(_) => unsafe { shared::write(to, bytes) },
        }
        Some(())
    }

    /// Makes `count` bytes from `offset` on the same; `None`, with nothing written, if they are not all inside.
    pub fn fill(&mut self, offset: u64, count: u64, byte: u8) -> Option<()> {
        let to = self.at(offset, count)?;
        match &self.kind {
            // SAFETY: as in `write`.
            Kind::Owned(_) => unsafe { to.write_bytes(byte, count as usize) },
            // SAFETY: as in `write`.
            Kind::Shared(_) => unsafe { shared::fill(to, count as usize, byte) },
        }
        Some(())
    }

    /// Copies `count` bytes from a place in the memories of a store to another, which may overlap it; `None`, with
    /// nothing written, if they are not all inside.
    pub fn copy(memories: &mut [MemoryEntity], to: Place, from: Place, count: u64) -> Option<()> {
        let (target, source) = (&memories[to.memory as usize], &memories[from.memory as usize]);
        let (to, from) = (target.at(to.offset, count)?, source.at(from.offset, count)?);
        match (&target.kind, &source.kind) {
            // SAFETY: the bytes are inside committed memories, to which `memories` is the only way.
            (Kind::Owned(_), Kind::Owned(_)) => unsafe { to.copy_from(from, count as usize) },
            // SAFETY: the bytes are inside committed memories.
            (Kind::Shared(_), Kind::Owned(_) | Kind::Shared(_)) | (Kind::Owned(_), Kind::Shared(_)) => unsafe {
                shared::copy(to, from, count as usize);
            },
        }
        Some(())
    }

    /// Calls `visit` with offset and bytes of every run that may hold anything but zeros, ascending. What it sees of a
    /// shared memory is a copy.
    pub fn touched(&self, visit: impl FnMut(u64, &[u8])) {
        match &self.kind {
            Kind::Owned(memory) => memory.touched(visit),
            Kind::Shared(memory) => memory.touched(visit),
        }
    }
}

/// Pages that a memory can ever have: declared maximum, address type and configured limit. Fails if it begins with
/// more.
fn limit_pages(ty: MemoryType, settings: &Settings) -> Result<u64, Error> {
    let limit_bytes = settings.limits.memory_bytes;
    let limit_pages =
        (limit_bytes >> ty.page_size_log2).min(ty.maximum.unwrap_or(u64::MAX)).min(ty.address_limit_pages());
    if ty.minimum > limit_pages {
        let wanted = ty.minimum;
        return Err(Error::Limit(format!(
            "a memory of {wanted} pages exceeds the limit of {limit_bytes} bytes"
        )));
    }
    Ok(limit_pages)
}

/// Whether the bounds of a memory are checked by faulting.
fn is_guarded(ty: MemoryType, settings: &Settings) -> bool {
    settings.guard_regions && ty.can_be_guarded()
}

/// What to reserve for a memory of up to `bytes`, with or without room after it that faults.
fn guarded_size(bytes: u64, guarded: bool) -> u64 {
    if guarded { bytes.max(GUARDED_BYTES) } else { bytes }
}

/// Makes so many bytes accessible, and where faults tell the bounds, no more than that: what comes from the
/// pool may have been larger.
fn commit(reservation: &mut Reservation, bytes: u64, guarded: bool) -> Result<(), Error> {
    let bytes = bytes as usize;
    reservation
        .commit(bytes)
        .and_then(|()| if guarded { reservation.close_behind(bytes) } else { Ok(()) })
        .map_err(|error| Error::Resources(format!("cannot commit {bytes} bytes of memory: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(moving_memory: bool) -> Settings {
        Settings { moving_memory, ..Settings::default() }
    }

    #[test]
    fn growth_keeps_contents_and_adds_zeros() {
        for moves in [false, true] {
            let mut memory =
                MemoryEntity::new(MemoryType::new(1, Some(3)), &settings(moves)).expect("a small memory");
            memory.write(65_535, &[7]).expect("inside");
            assert_eq!(memory.grow(2), Ok(Some(1)));
            let mut bytes = [1; 2];
            memory.read(65_535, &mut bytes).expect("inside");
            assert_eq!(bytes, [7, 0]);
            assert_eq!(memory.grow(1), Ok(None));
            assert_eq!(memory.pages(), 3);
        }
    }

    fn shared_type() -> MemoryType {
        MemoryType { shared: true, ..MemoryType::new(1, Some(3)) }
    }

    /// An owned and a shared memory of one page that may have three.
    fn both() -> Vec<MemoryEntity> {
        let types = [MemoryType::new(1, Some(3)), shared_type()];
        types.map(|ty| MemoryEntity::new(ty, &settings(false)).expect("a small memory")).into()
    }

    #[test]
    fn nothing_is_written_if_one_byte_is_outside() {
        for mut memory in both() {
            assert_eq!(memory.write(65_534, &[1, 2]), Some(()));
            assert_eq!(memory.write(65_535, &[3, 4]), None);
            assert_eq!(memory.fill(65_535, 2, 5), None);
            assert_eq!(memory.fill(u64::MAX, 2, 5), None);
            assert_eq!(memory.fill(65_536, 0, 5), Some(()));
            let mut bytes = [0; 2];
            assert_eq!(memory.read(65_535, &mut bytes), None);
            assert_eq!(memory.read(65_534, &mut bytes), Some(()));
            assert_eq!(bytes, [1, 2]);
        }
    }

    #[test]
    fn copies_may_overlap_and_cross_memories_of_both_kinds() {
        let mut memories = both();
        let at = |memory, offset| Place { memory, offset };
        let read = |memories: &[MemoryEntity], memory: usize, offset| {
            let mut bytes = [0; 6];
            memories[memory].read(offset, &mut bytes).expect("inside");
            bytes
        };
        for memory in [0, 1] {
            memories[memory as usize].write(10, &[1, 2, 3, 4]).expect("inside");
            MemoryEntity::copy(&mut memories, at(memory, 12), at(memory, 10), 4).expect("inside");
            assert_eq!(read(&memories, memory as usize, 10), [1, 2, 1, 2, 3, 4]);
            MemoryEntity::copy(&mut memories, at(memory, 10), at(memory, 12), 4).expect("inside");
            assert_eq!(read(&memories, memory as usize, 10), [1, 2, 3, 4, 3, 4]);
            MemoryEntity::copy(&mut memories, at(1 - memory, 65_530), at(memory, 10), 6).expect("inside");
            assert_eq!(read(&memories, 1 - memory as usize, 65_530), [1, 2, 3, 4, 3, 4]);
            let outside = MemoryEntity::copy(&mut memories, at(1 - memory, 65_531), at(memory, 0), 6);
            assert_eq!(outside, None);
            assert_eq!(read(&memories, 1 - memory as usize, 65_530), [1, 2, 3, 4, 3, 4]);
        }
    }

    #[test]
    fn what_was_written_is_visited_in_memories_of_both_kinds() {
        for mut memory in both() {
            memory.grow(2).expect("the system allows it");
            memory.write(70_000, b"here").expect("inside");
            let mut seen = vec![0; memory.len() as usize];
            let mut end = 0;
            memory.touched(|offset, bytes| {
                assert!(offset >= end, "runs ascend");
                end = offset + bytes.len() as u64;
                seen[offset as usize..end as usize].copy_from_slice(bytes);
            });
            assert_eq!(&seen[70_000..70_004], b"here");
            assert_eq!(seen.iter().filter(|byte| **byte != 0).count(), 4);
        }
    }

    #[test]
    fn moving_memory_poisons_what_it_leaves() {
        let mut memory =
            MemoryEntity::new(MemoryType::new(1, None), &settings(true)).expect("a small memory");
        let before = memory.base();
        memory.grow(1).expect("a small memory");
        assert_ne!(before, memory.base());
        // SAFETY: the old reservation lives as long as the memory.
        assert_eq!(unsafe { before.read() }, owned::POISON);
    }

    #[test]
    fn a_reused_reservation_is_zero() {
        for _ in 0..3 {
            let mut memory =
                MemoryEntity::new(MemoryType::new(2, Some(2)), &settings(false)).expect("a small memory");
            let mut bytes = vec![1; 131_072];
            memory.read(0, &mut bytes).expect("inside");
            assert!(bytes.iter().all(|byte| *byte == 0));
            memory.fill(0, 131_072, 1).expect("inside");
        }
    }
}
