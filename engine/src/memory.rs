//! Linear memories: reserved address space that grows in place, and the pool it comes from.
//!
//! A campaign makes thousands of instances a second, so address space is reused: a reservation goes
//! back to the pool zeroed, its pages given up, its range still mapped.

use crate::error::Error;
use crate::limits::Settings;
use crate::platform::{OS_PAGE_BYTES, Reservation};
use crate::store::MemoryLink;
use crate::types::MemoryType;
use std::ops::Range;
use std::sync::Mutex;

/// Bytes that moving memory leaves where it was: a stale base address reads these.
const POISON: u8 = 0xdb;
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
    reservation: Option<Reservation>,
    /// Where the memory was before it last moved, poisoned; only while memory moves on growth. One is
    /// enough: a stale address is stale by one growth, and all of them would fill the machine.
    left_behind: Option<Reservation>,
    bytes: u64,
    /// Pages it can ever have: declared maximum, address type and configured limit.
    limit_pages: u64,
    moves: bool,
    guarded: bool,
    /// Boxed so that compiled code can keep its address.
    link: Box<MemoryLink>,
}

impl MemoryEntity {
    /// A new memory of its minimum size; fails by the configured limit or for want of address space.
    pub fn new(ty: MemoryType, settings: &Settings) -> Result<MemoryEntity, Error> {
        let limit_bytes = settings.limits.memory_bytes;
        let limit_pages = (limit_bytes >> ty.page_size_log2)
            .min(ty.maximum.unwrap_or(u64::MAX))
            .min(ty.address_limit_pages());
        if ty.minimum > limit_pages {
            let wanted = ty.minimum;
            return Err(Error::Limit(format!(
                "a memory of {wanted} pages exceeds the limit of {limit_bytes} bytes"
            )));
        }
        let bytes = ty.minimum << ty.page_size_log2;
        let moves = settings.moving_memory;
        let guarded = settings.guard_regions && ty.can_be_guarded();
        let reserved = if moves { bytes } else { limit_pages << ty.page_size_log2 };
        let mut reservation = take_reservation(guarded_size(reserved, guarded))?;
        commit(&mut reservation, bytes, guarded)?;
        let link = Box::new(MemoryLink { base: reservation.base(), bytes });
        let reservation = Some(reservation);
        Ok(MemoryEntity { ty, reservation, left_behind: None, bytes, limit_pages, moves, guarded, link })
    }

    fn reservation(&self) -> &Reservation {
        self.reservation.as_ref().expect("only drop takes the reservation away")
    }

    /// Address of the first byte. Valid until the memory grows.
    pub fn base(&self) -> *mut u8 {
        self.reservation().base()
    }

    /// Base and size for compiled code, at an address that stays.
    pub fn link(&self) -> *const MemoryLink {
        &raw const *self.link
    }

    /// Size in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Size in pages.
    pub fn pages(&self) -> u64 {
        self.bytes >> self.ty.page_size_log2
    }

    /// Grows by `delta` pages and gives the old size in pages; `None` if a limit forbids it.
    /// Fails only if the operating system refuses, which says nothing about the program.
    pub fn grow(&mut self, delta: u64) -> Result<Option<u64>, Error> {
        let old = self.pages();
        let Some(new) = old.checked_add(delta).filter(|pages| *pages <= self.limit_pages) else {
            return Ok(None);
        };
        let bytes = new << self.ty.page_size_log2;
        if self.moves && delta > 0 {
            self.move_to(bytes)?;
        } else {
            let reservation = self.reservation.as_mut().expect("only drop takes the reservation away");
            commit(reservation, bytes, self.guarded)?;
        }
        self.bytes = bytes;
        *self.link = MemoryLink { base: self.base(), bytes };
        Ok(Some(old))
    }

    fn move_to(&mut self, bytes: u64) -> Result<(), Error> {
        let mut target = take_reservation(guarded_size(bytes, self.guarded))?;
        commit(&mut target, bytes, self.guarded)?;
        let source = self.reservation();
        // SAFETY: the range is committed, since it lies inside the memory.
        let poison =
            |range: Range<usize>| unsafe { source.base().add(range.start).write_bytes(POISON, range.len()) };
        source.touched(self.bytes as usize, |range| {
            // SAFETY: both ranges are committed, at least as long, and belong to different reservations.
            unsafe {
                target
                    .base()
                    .add(range.start)
                    .copy_from_nonoverlapping(source.base().add(range.start), range.len());
            }
            poison(range);
        });
        // What was never touched would read as zero, as it does in the new place; poisoning all of it
        // would cost what was declared, so only both ends are made to tell.
        let bytes = self.bytes as usize;
        poison(0..bytes.min(OS_PAGE_BYTES));
        poison(bytes.saturating_sub(OS_PAGE_BYTES)..bytes);
        if let Some(before) = self.left_behind.take() {
            give_reservation(before);
        }
        self.left_behind = self.reservation.replace(target);
        Ok(())
    }

    /// The bytes of `range`; `None` if they are not all inside.
    pub fn slice(&self, range: Range<u64>) -> Option<&[u8]> {
        if range.start > range.end || range.end > self.bytes {
            return None;
        }
        // SAFETY: the range is inside the committed memory, and `&self` keeps writers away: guest code
        // runs only with the whole store borrowed mutably.
        Some(unsafe {
            std::slice::from_raw_parts(
                self.base().add(range.start as usize),
                (range.end - range.start) as usize,
            )
        })
    }

    /// The bytes of `range`, writable; `None` if they are not all inside.
    pub fn slice_mut(&mut self, range: Range<u64>) -> Option<&mut [u8]> {
        if range.start > range.end || range.end > self.bytes {
            return None;
        }
        // SAFETY: as above, and `&mut self` makes this the only reference.
        Some(unsafe {
            std::slice::from_raw_parts_mut(
                self.base().add(range.start as usize),
                (range.end - range.start) as usize,
            )
        })
    }

    /// Calls `visit` with offset and bytes of every run that may hold anything but zeros.
    pub fn touched(&self, mut visit: impl FnMut(u64, &[u8])) {
        self.reservation().touched(self.bytes as usize, |range| {
            let bytes = self.slice(range.start as u64..range.end as u64).expect("runs lie inside the memory");
            visit(range.start as u64, bytes);
        });
    }
}

impl Drop for MemoryEntity {
    fn drop(&mut self) {
        self.reservation.take().into_iter().chain(self.left_behind.take()).for_each(give_reservation);
    }
}

/// What to reserve for a memory of up to `bytes`, with or without room behind it that faults.
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
            memory.slice_mut(65_535..65_536).expect("inside")[0] = 7;
            assert_eq!(memory.grow(2), Ok(Some(1)));
            assert_eq!(memory.slice(65_535..65_537).expect("inside"), [7, 0]);
            assert_eq!(memory.grow(1), Ok(None));
            assert_eq!(memory.pages(), 3);
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
        assert_eq!(unsafe { before.read() }, POISON);
    }

    #[test]
    fn a_reused_reservation_is_zero() {
        for _ in 0..3 {
            let mut memory =
                MemoryEntity::new(MemoryType::new(2, Some(2)), &settings(false)).expect("a small memory");
            let bytes = memory.slice_mut(0..131_072).expect("inside");
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(1);
        }
    }
}
