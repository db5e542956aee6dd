//! A memory that belongs to one store: it may move when it grows, and code that runs has it to itself.

use super::{commit, give_reservation, guarded_size, is_guarded, limit_pages, take_reservation};
use crate::error::Error;
use crate::limits::Settings;
use crate::platform::{OS_PAGE_BYTES, Reservation};
use crate::store::MemoryLink;
use crate::types::MemoryType;
use std::ops::Range;

/// Bytes that moving memory leaves where it was: a stale base address reads these.
pub(super) const POISON: u8 = 0xdb;

/// The bytes of a memory that is not shared.
pub(super) struct OwnedMemory {
    reservation: Option<Reservation>,
    /// Where the memory was before it last moved, poisoned; only while memory moves on growth. One is
    /// enough: a stale address is stale by one growth, and all of them would fill the machine.
    left_behind: Option<Reservation>,
    limit_pages: u64,
    page_size_log2: u32,
    moves: bool,
    guarded: bool,
    /// Base and size. Boxed so that compiled code can keep its address.
    link: Box<MemoryLink>,
}

impl OwnedMemory {
    /// A new memory of its minimum size; fails by the configured limit or for want of address space.
    pub fn new(ty: MemoryType, settings: &Settings) -> Result<OwnedMemory, Error> {
        let limit_pages = limit_pages(ty, settings)?;
        let bytes = ty.minimum << ty.page_size_log2;
        let (moves, guarded) = (settings.moving_memory, is_guarded(ty, settings));
        let reserved = if moves { bytes } else { limit_pages << ty.page_size_log2 };
        let mut reservation = take_reservation(guarded_size(reserved, guarded))?;
        commit(&mut reservation, bytes, guarded)?;
        Ok(OwnedMemory {
            link: Box::new(MemoryLink::new(reservation.base(), bytes)),
            reservation: Some(reservation),
            left_behind: None,
            limit_pages,
            page_size_log2: ty.page_size_log2,
            moves,
            guarded,
        })
    }

    fn reservation(&self) -> &Reservation {
        self.reservation.as_ref().expect("only drop takes the reservation away")
    }

    /// Base and size.
    pub fn link(&self) -> &MemoryLink {
        &self.link
    }

    /// See `MemoryEntity::grow`.
    pub fn grow(&mut self, delta: u64) -> Result<Option<u64>, Error> {
        let old = self.link.bytes() >> self.page_size_log2;
        let Some(new) = old.checked_add(delta).filter(|pages| *pages <= self.limit_pages) else {
            return Ok(None);
        };
        let bytes = new << self.page_size_log2;
        if self.moves && delta > 0 {
            self.move_to(bytes)?;
        } else {
            let reservation = self.reservation.as_mut().expect("only drop takes the reservation away");
            commit(reservation, bytes, self.guarded)?;
        }
        *self.link = MemoryLink::new(self.reservation().base(), bytes);
        Ok(Some(old))
    }

    fn move_to(&mut self, bytes: u64) -> Result<(), Error> {
        let mut target = take_reservation(guarded_size(bytes, self.guarded))?;
        commit(&mut target, bytes, self.guarded)?;
        let (source, bytes) = (self.reservation(), self.link.bytes() as usize);
        // SAFETY: the range is committed, since it lies inside the memory.
        let poison =
            |range: Range<usize>| unsafe { source.base().add(range.start).write_bytes(POISON, range.len()) };
        source.touched(bytes, |range| {
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
        poison(0..bytes.min(OS_PAGE_BYTES));
        poison(bytes.saturating_sub(OS_PAGE_BYTES)..bytes);
        if let Some(before) = self.left_behind.take() {
            give_reservation(before);
        }
        self.left_behind = self.reservation.replace(target);
        Ok(())
    }

    /// See `MemoryEntity::touched`.
    pub fn touched(&self, mut visit: impl FnMut(u64, &[u8])) {
        self.reservation().touched(self.link.bytes() as usize, |range| {
            // SAFETY: runs lie inside the committed memory, and `&self` keeps writers away: guest code runs only
            // with the whole store borrowed mutably.
            let bytes = unsafe { std::slice::from_raw_parts(self.link.base.add(range.start), range.len()) };
            visit(range.start as u64, bytes);
        });
    }
}

impl Drop for OwnedMemory {
    fn drop(&mut self) {
        self.reservation.take().into_iter().chain(self.left_behind.take()).for_each(give_reservation);
    }
}
