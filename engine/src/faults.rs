//! Faults planted on purpose, to see that the bench finds them.
//!
//! A build with the feature `planted-faults` behaves as always until a fault is switched on by name, for
//! the whole process. Without the feature nothing can be switched on and every question is answered
//! "no" at compile time.

use std::sync::atomic::{AtomicU64, Ordering};

/// The fault that is switched on; 0 is none.
static PLANTED: AtomicU64 = AtomicU64::new(0);

/// A fault by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault(u64);

impl Fault {
    /// The fault of that name.
    pub const fn named(name: &str) -> Fault {
        // FNV-1a over the bytes: good enough to keep some dozens of names apart, and never 0 for them.
        let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        Fault(hash)
    }

    /// Whether it is switched on. Always `false` in a build without planted faults.
    #[inline(always)]
    pub fn is_planted(self) -> bool {
        cfg!(feature = "planted-faults") && PLANTED.load(Ordering::Relaxed) == self.0
    }
}

/// Switches a fault on, and whichever was on off; `None` just off.
#[cfg(feature = "planted-faults")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.store(fault.map_or(0, |fault| fault.0), Ordering::Relaxed);
}
