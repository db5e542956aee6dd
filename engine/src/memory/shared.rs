//! A memory of several threads: it lies outside of all stores, never moves, and only grows.
//!
//! Its size is atomic; growth is one at a time. Other threads may change any byte at any time, so bytes are
//! accessed one by one as relaxed atomics, which order nothing and are never torn (specification of the threads
//! proposal, "Memory Model": accesses of the kind "unordered").

use super::{commit, give_reservation, guarded_size, is_guarded, limit_pages, take_reservation};
use crate::error::Error;
use crate::limits::Settings;
use crate::platform::Reservation;
use crate::store::MemoryLink;
use crate::types::MemoryType;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that [`SharedMemory::touched`] copies at once.
const COPIED_BYTES: usize = 1 << 16;

/// A memory that stores of several threads can have.
///
/// No mode executes modules with shared memories yet; the embedder can make them and use them.
pub struct SharedMemory {
    ty: MemoryType,
    limit_pages: u64,
    guarded: bool,
    /// Base, which stays, and size. Compiled code keeps its address, which stays while the memory lives.
    link: MemoryLink,
    /// Locked while the memory grows. Absent only while it is dropped.
    reservation: Mutex<Option<Reservation>>,
}

impl SharedMemory {
    /// A new memory of its minimum size. Fails by the configured limit, and if the type is not shared or has no
    /// maximum, which shared memories must have.
    pub(crate) fn of_type(ty: MemoryType, settings: &Settings) -> Result<Arc<SharedMemory>, Error> {
        if !ty.shared || ty.maximum.is_none() {
            return Err(Error::Usage("a shared memory needs a type that is shared and has a maximum".into()));
        }
        let limit_pages = limit_pages(ty, settings)?;
        let bytes = ty.minimum << ty.page_size_log2;
        let guarded = is_guarded(ty, settings);
        let mut reservation = take_reservation(guarded_size(limit_pages << ty.page_size_log2, guarded))?;
        commit(&mut reservation, bytes, guarded)?;
        let link = MemoryLink::new(reservation.base(), bytes);
        let reservation = Mutex::new(Some(reservation));
        Ok(Arc::new(SharedMemory { ty, limit_pages, guarded, link, reservation }))
    }

    /// Its type as declared; its minimum is not its present size.
    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    /// Present size in bytes, which only grows.
    pub fn len(&self) -> u64 {
        self.link.bytes()
    }

    /// Whether it has no bytes yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Present size in pages, which only grows.
    pub fn pages(&self) -> u64 {
        self.len() >> self.ty.page_size_log2
    }

    /// Base and size.
    pub(super) fn link(&self) -> &MemoryLink {
        &self.link
    }

    fn reservation(&self) -> MutexGuard<'_, Option<Reservation>> {
        self.reservation.lock().expect("no panic happens while a memory grows")
    }

    /// Grows by `delta` pages and gives the old size in pages; `None` if a limit forbids it. Of several threads that
    /// grow it, each sees what those before it made.
    ///
    /// Fails only if the operating system refuses, which says nothing about the program.
    pub fn grow(&self, delta: u64) -> Result<Option<u64>, Error> {
        let mut reservation = self.reservation();
        let old = self.pages();
        let Some(new) = old.checked_add(delta).filter(|pages| *pages <= self.limit_pages) else {
            return Ok(None);
        };
        let bytes = new << self.ty.page_size_log2;
        let reservation = reservation.as_mut().expect("only drop takes the reservation away");
        commit(reservation, bytes, self.guarded)?;
        // After the pages have become accessible, since another thread may use them from here on.
        self.link.set_bytes(bytes);
        Ok(Some(old))
    }

    /// See `MemoryEntity::touched`. The bytes are copies.
    pub(super) fn touched(&self, mut visit: impl FnMut(u64, &[u8])) {
        let mut runs: Vec<Range<usize>> = Vec::new();
        let reservation = self.reservation();
        let mapped = reservation.as_ref().expect("only drop takes the reservation away");
        mapped.touched(self.len() as usize, |run| runs.push(run));
        drop(reservation);
        let mut copy = Vec::new();
        for run in runs {
            for start in run.clone().step_by(COPIED_BYTES) {
                copy.resize(COPIED_BYTES.min(run.end - start), 0);
                // SAFETY: runs lie inside the memory, which never shrinks.
                unsafe { read(self.link.base.add(start), &mut copy) };
                visit(start as u64, &copy);
            }
        }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        let reservation = self.reservation.get_mut().expect("no panic happens while a memory grows");
        reservation.take().into_iter().for_each(give_reservation);
    }
}

/// A byte that other threads may use.
///
/// # Safety
/// It is inside a committed memory that lives as long as the reference.
unsafe fn byte<'a>(at: *mut u8) -> &'a AtomicU8 {
    // SAFETY: the caller's; bytes of memories that are shared are accessed by guest code and by this module alone,
    // never through ordinary references.
    unsafe { AtomicU8::from_ptr(at) }
}

/// Copies bytes out of a memory that may be shared.
///
/// # Safety
/// They are inside a committed memory.
pub(super) unsafe fn read(from: *mut u8, buffer: &mut [u8]) {
    for (at, copy) in buffer.iter_mut().enumerate() {
        // SAFETY: the caller's.
        *copy = unsafe { byte(from.add(at)) }.load(Ordering::Relaxed);
    }
}

/// Copies bytes into a memory that may be shared.
///
/// # Safety
/// As for [`read`].
pub(super) unsafe fn write(to: *mut u8, bytes: &[u8]) {
    for (at, new) in bytes.iter().enumerate() {
        // SAFETY: the caller's.
        unsafe { byte(to.add(at)) }.store(*new, Ordering::Relaxed);
    }
}

/// Makes bytes of a memory that may be shared the same.
///
/// # Safety
/// As for [`read`].
pub(super) unsafe fn fill(to: *mut u8, count: usize, value: u8) {
    for at in 0..count {
        // SAFETY: the caller's.
        unsafe { byte(to.add(at)) }.store(value, Ordering::Relaxed);
    }
}

/// Copies bytes from a memory to another, which may be the same; either may be shared.
///
/// # Safety
/// As for [`read`], for both.
pub(super) unsafe fn copy(to: *mut u8, from: *mut u8, count: usize) {
    let move_byte = |at: usize| {
        // SAFETY: the caller's.
        unsafe { byte(to.add(at)).store(byte(from.add(at)).load(Ordering::Relaxed), Ordering::Relaxed) };
    };
    // What overlaps is read before it is overwritten.
    match to <= from {
        true => (0..count).for_each(move_byte),
        false => (0..count).rev().for_each(move_byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(minimum: u64, maximum: u64) -> Arc<SharedMemory> {
        let ty = MemoryType { shared: true, ..MemoryType::new(minimum, Some(maximum)) };
        SharedMemory::of_type(ty, &Settings::default()).expect("a small memory")
    }

    #[test]
    fn every_page_that_two_threads_add_is_added_once_and_the_base_stays() {
        let memory = shared(1, 101);
        let base = memory.link.base;
        let grow = || {
            let old: Vec<u64> =
                std::iter::from_fn(|| memory.grow(1).expect("the system allows it")).collect();
            assert!(old.is_sorted_by(|a, b| a < b), "each thread sees the memory grow: {old:?}");
            old
        };
        let (mut one, other) = std::thread::scope(|scope| {
            let threads = [scope.spawn(grow), scope.spawn(grow)];
            let [one, other] = threads.map(|thread| thread.join().expect("it does not panic"));
            (one, other)
        });
        one.extend(other);
        one.sort_unstable();
        assert_eq!(one, (1..101).collect::<Vec<_>>());
        assert_eq!(memory.pages(), 101);
        assert_eq!(memory.link.base, base);
    }

    #[test]
    fn a_size_that_a_thread_sees_is_one_that_it_can_use() {
        let memory = shared(0, 64);
        std::thread::scope(|scope| {
            scope.spawn(|| while memory.grow(1).expect("the system allows it").is_some() {});
            let mut seen = 0;
            while seen < 64 << 16 {
                seen = memory.len();
                if seen > 0 {
                    let last = memory.link.base.wrapping_add(seen as usize - 1);
                    // SAFETY: the last byte is inside the memory.
                    unsafe { write(last, &[1]) };
                }
            }
        });
    }

    #[test]
    fn a_shared_memory_does_not_move_where_others_do() {
        let ty = MemoryType { shared: true, ..MemoryType::new(1, Some(2)) };
        let settings = Settings { moving_memory: true, ..Settings::default() };
        let memory = SharedMemory::of_type(ty, &settings).expect("a small memory");
        let base = memory.link.base;
        assert_eq!(memory.grow(1), Ok(Some(1)));
        assert_eq!(memory.link.base, base);
    }

    #[test]
    fn a_type_that_is_not_shared_or_has_no_maximum_is_refused() {
        let of = |shared, maximum| {
            let ty = MemoryType { shared, ..MemoryType::new(1, maximum) };
            SharedMemory::of_type(ty, &Settings::default()).err()
        };
        assert!(matches!(of(false, Some(1)), Some(Error::Usage(_))));
        assert!(matches!(of(true, None), Some(Error::Usage(_))));
        assert!(of(true, Some(1)).is_none());
    }
}
