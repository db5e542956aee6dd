//! What the engine asks of the operating system: address space that costs nothing until touched.
//!
//! Everything unsafe about mapping stands here, inside of [`Reservation`]. On a platform without
//! `mmap` a reservation is an ordinary allocation of the whole size, which is slower and works.

#[cfg(target_os = "linux")]
pub mod faults;

use std::io;
use std::ops::Range;

/// Granularity of protection and of [`Reservation::touched`].
pub const OS_PAGE_BYTES: usize = 4096;

pub use imp::Reservation;

/// What pages may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reading and writing.
    ReadWrite,
    /// Reading and running.
    ReadExecute,
}

#[cfg(unix)]
mod imp {
    use super::{Access, OS_PAGE_BYTES, Range, io};
    use std::ptr::NonNull;

    /// A range of address space: inaccessible beyond its committed prefix, zero where never written.
    pub struct Reservation {
        base: NonNull<u8>,
        bytes: usize,
        committed: usize,
    }

    // SAFETY: a reservation owns its mapping and has no thread affinity.
    unsafe impl Send for Reservation {}
    // SAFETY: shared references only read the fields; the bytes are reached through raw pointers
    // whose users synchronise themselves.
    unsafe impl Sync for Reservation {}

    impl Reservation {
        /// Reserves `bytes` (rounded up to pages) without committing any; fails as `mmap` fails.
        pub fn new(bytes: usize) -> io::Result<Reservation> {
            let bytes = bytes.next_multiple_of(OS_PAGE_BYTES).max(OS_PAGE_BYTES);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: a new private mapping at an address of the kernel's choice touches no existing memory.
            let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            // A huge page would be zeroed whole for one touched byte, and would make every page of it
            // look touched. Advice only: where it is refused nothing but speed is lost.
            #[cfg(target_os = "linux")]
            // SAFETY: the range is the mapping just made.
            unsafe {
                libc::madvise(base, bytes, libc::MADV_NOHUGEPAGE);
            }
            let base = NonNull::new(base.cast()).expect("mmap never returns null without MAP_FIXED");
            Ok(Reservation { base, bytes, committed: 0 })
        }

        /// First address.
        pub fn base(&self) -> *mut u8 {
            self.base.as_ptr()
        }

        /// Size of the whole range.
        pub fn bytes(&self) -> usize {
            self.bytes
        }

        /// Makes at least the first `bytes` readable and writable; fails as `mprotect` fails.
        pub fn commit(&mut self, bytes: usize) -> io::Result<()> {
            assert!(bytes <= self.bytes, "a commitment stays inside its reservation");
            let bytes = bytes.next_multiple_of(OS_PAGE_BYTES);
            if bytes <= self.committed {
                return Ok(());
            }
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let added = bytes - self.committed;
            // SAFETY: the range lies inside the mapping owned by `self`.
            let done = unsafe { libc::mprotect(self.base().add(self.committed).cast(), added, access) };
            if done != 0 {
                return Err(io::Error::last_os_error());
            }
            self.committed = bytes;
            Ok(())
        }

        /// Makes everything after the first `bytes` inaccessible again; fails as `mprotect` fails.
        pub fn close_behind(&mut self, bytes: usize) -> io::Result<()> {
            let bytes = bytes.next_multiple_of(OS_PAGE_BYTES);
            if bytes >= self.committed {
                return Ok(());
            }
            let length = self.committed - bytes;
            // SAFETY: the range lies inside the mapping owned by `self`, and no reference to its bytes exists.
            let done = unsafe { libc::mprotect(self.base().add(bytes).cast(), length, libc::PROT_NONE) };
            if done != 0 {
                return Err(io::Error::last_os_error());
            }
            self.committed = bytes;
            Ok(())
        }

        /// Makes the committed prefix zero again and gives its pages back.
        pub fn reset(&mut self) {
            if self.committed == 0 {
                return;
            }
            // SAFETY: the range lies inside the mapping owned by `self`, and no reference to its bytes exists.
            let done = unsafe { libc::madvise(self.base().cast(), self.committed, libc::MADV_DONTNEED) };
            // On Linux private anonymous pages read as zero after this; elsewhere it is mere advice.
            if done != 0 || !cfg!(target_os = "linux") {
                // SAFETY: as above, and the prefix is committed, hence writable.
                unsafe { self.base().write_bytes(0, self.committed) };
            }
        }

        /// Changes what pages may be used for; fails as `mprotect` fails.
        pub fn protect(&self, range: Range<usize>, access: Access) -> io::Result<()> {
            assert!(range.end <= self.bytes, "a range stays inside its reservation");
            let access = match access {
                Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
                Access::ReadExecute => libc::PROT_READ | libc::PROT_EXEC,
            };
            // SAFETY: the range lies inside the mapping owned by `self`.
            let done = unsafe { libc::mprotect(self.base().add(range.start).cast(), range.len(), access) };
            if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
        }

        /// Gives the pages of a range back; what they held is lost.
        pub fn give_back(&self, range: Range<usize>) {
            assert!(range.end <= self.bytes, "a range stays inside its reservation");
            // SAFETY: the range lies inside the mapping owned by `self`, and no reference to its bytes exists.
            unsafe { libc::madvise(self.base().add(range.start).cast(), range.len(), libc::MADV_DONTNEED) };
        }

        /// Calls `visit` with each run of pages within the first `bytes` that may hold anything but
        /// zeros, in ascending order. Cost follows the pages touched where the system can tell.
        pub fn touched(&self, bytes: usize, mut visit: impl FnMut(Range<usize>)) {
            #[cfg(target_os = "linux")]
            if super::pagemap::touched(self.base() as usize, bytes, &mut visit) {
                return;
            }
            if bytes > 0 {
                visit(0..bytes);
            }
        }
    }

    impl Drop for Reservation {
        fn drop(&mut self) {
            // SAFETY: the mapping is owned by `self` and not used after this.
            unsafe { libc::munmap(self.base().cast(), self.bytes) };
        }
    }
}

#[cfg(target_os = "linux")]
mod pagemap {
    //! Which pages exist, from `/proc/self/pagemap` (proc(5)): 8 bytes a page, bit 63 "present",
    //! bit 62 "swapped". An anonymous page that is neither has never been touched.

    use super::{OS_PAGE_BYTES, Range};
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::sync::OnceLock;

    const ENTRY_BYTES: usize = 8;
    const BATCH_PAGES: usize = 512;
    /// Below this size looking at the bytes is cheaper than asking the kernel.
    const WORTH_ASKING_BYTES: usize = 4 * OS_PAGE_BYTES;

    /// Whether the kernel could tell; if not, nothing was visited.
    pub fn touched(base: usize, bytes: usize, visit: &mut impl FnMut(Range<usize>)) -> bool {
        static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
        if bytes < WORTH_ASKING_BYTES {
            return false;
        }
        let Some(file) = PAGEMAP.get_or_init(|| File::open("/proc/self/pagemap").ok()) else {
            return false;
        };
        let pages = bytes.div_ceil(OS_PAGE_BYTES);
        let mut entries = [0u8; BATCH_PAGES * ENTRY_BYTES];
        let mut run: Option<Range<usize>> = None;
        let mut first = 0;
        while first < pages {
            let batch = BATCH_PAGES.min(pages - first);
            let at = ((base / OS_PAGE_BYTES + first) * ENTRY_BYTES) as u64;
            let wanted = &mut entries[..batch * ENTRY_BYTES];
            if file.read_exact_at(wanted, at).is_err() {
                // Nothing is visited before the first batch is read, and a later one fails only if
                // the file vanishes; treating the rest as touched stays right in both cases.
                if first == 0 {
                    return false;
                }
                wanted.fill(0xff);
            }
            for page in 0..batch {
                let present = entries[page * ENTRY_BYTES + 7] & 0xc0 != 0;
                let start = (first + page) * OS_PAGE_BYTES;
                let end = (start + OS_PAGE_BYTES).min(bytes);
                match &mut run {
                    Some(open) if present => open.end = end,
                    Some(_) => visit(run.take().expect("matched as some")),
                    None if present => run = Some(start..end),
                    None => {}
                }
            }
            first += batch;
        }
        if let Some(run) = run {
            visit(run);
        }
        true
    }
}

#[cfg(not(unix))]
mod imp {
    use super::{OS_PAGE_BYTES, Range, io};
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    /// A range of memory, all of it accessible, zero where never written.
    pub struct Reservation {
        base: *mut u8,
        layout: Layout,
        committed: usize,
    }

    // SAFETY: a reservation owns its allocation and has no thread affinity.
    unsafe impl Send for Reservation {}
    // SAFETY: shared references only read the fields.
    unsafe impl Sync for Reservation {}

    impl Reservation {
        /// Allocates `bytes` (rounded up to pages), zeroed; fails when memory runs out.
        pub fn new(bytes: usize) -> io::Result<Reservation> {
            let bytes = bytes.next_multiple_of(OS_PAGE_BYTES).max(OS_PAGE_BYTES);
            let layout = Layout::from_size_align(bytes, OS_PAGE_BYTES)
                .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
            // SAFETY: the layout has a size above zero.
            let base = unsafe { alloc_zeroed(layout) };
            if base.is_null() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            Ok(Reservation { base, layout, committed: 0 })
        }

        /// First address.
        pub fn base(&self) -> *mut u8 {
            self.base
        }

        /// Size of the whole range.
        pub fn bytes(&self) -> usize {
            self.layout.size()
        }

        /// Notes that the first `bytes` are in use; all of the range is accessible anyway.
        pub fn commit(&mut self, bytes: usize) -> io::Result<()> {
            assert!(bytes <= self.bytes(), "a commitment stays inside its reservation");
            self.committed = self.committed.max(bytes);
            Ok(())
        }

        /// Notes that the rest is not in use; this platform cannot make it inaccessible.
        pub fn close_behind(&mut self, bytes: usize) -> io::Result<()> {
            self.committed = self.committed.min(bytes);
            Ok(())
        }

        /// Makes the committed prefix zero again.
        pub fn reset(&mut self) {
            // SAFETY: the prefix lies inside the allocation, and no reference to its bytes exists.
            unsafe { self.base.write_bytes(0, self.committed) };
        }

        /// Visits all of the first `bytes`: this platform cannot tell which were touched.
        pub fn touched(&self, bytes: usize, mut visit: impl FnMut(Range<usize>)) {
            if bytes > 0 {
                visit(0..bytes);
            }
        }
    }

    impl Drop for Reservation {
        fn drop(&mut self) {
            // SAFETY: allocated with this very layout and not used after this.
            unsafe { dealloc(self.base, self.layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_touched_pages_are_visited() {
        let mut reservation = Reservation::new(64 * OS_PAGE_BYTES).expect("a small mapping");
        reservation.commit(64 * OS_PAGE_BYTES).expect("a small commitment");
        for page in [3, 4, 60] {
            // SAFETY: the page is committed.
            unsafe { reservation.base().add(page * OS_PAGE_BYTES + 7).write(1) };
        }
        let mut seen = Vec::new();
        reservation.touched(64 * OS_PAGE_BYTES, |range| seen.extend(range.step_by(OS_PAGE_BYTES)));
        for page in [3, 4, 60] {
            assert!(seen.contains(&(page * OS_PAGE_BYTES)));
        }
        if cfg!(target_os = "linux") && std::fs::File::open("/proc/self/pagemap").is_ok() {
            assert_eq!(seen.len(), 3);
        }
    }

    #[test]
    fn a_reset_reservation_reads_as_zero() {
        let mut reservation = Reservation::new(OS_PAGE_BYTES).expect("a small mapping");
        reservation.commit(OS_PAGE_BYTES).expect("a small commitment");
        // SAFETY: the page is committed.
        unsafe { reservation.base().write(9) };
        reservation.reset();
        // SAFETY: as above; a reset keeps the commitment.
        assert_eq!(unsafe { reservation.base().read() }, 0);
    }
}
