//! Faults planted on purpose, to see that the bench finds them.
//!
//! A build with the feature `planted-faults` behaves as always until a fault is switched on, for the whole process.
//! Without the feature nothing can be switched on and every question is answered "no" at compile time.
//!
//! There are two kinds. A named fault is an `if` where it is planted, and a row of [`table`] that says what it does
//! and who is to find it. A [`drawn`] fault is made of an opcode and a mutation; each room has one place that can
//! make any of them.

#[cfg(feature = "planted-faults")]
pub mod drawn;
#[cfg(feature = "planted-faults")]
pub mod table;

#[cfg(feature = "planted-faults")]
use drawn::Drawn;
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "planted-faults")]
use std::sync::{PoisonError, RwLock};

/// How many named faults can be switched on at once: one in the engine, one in the harness.
const AT_ONCE: usize = 2;

/// The named faults that are switched on; 0 is none.
static PLANTED: [AtomicU64; AT_ONCE] = [const { AtomicU64::new(0) }; AT_ONCE];

/// The drawn fault that is switched on.
#[cfg(feature = "planted-faults")]
static DRAWN: RwLock<Option<Drawn>> = RwLock::new(None);

/// A named fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault(u64);

/// Whether the named fault is switched on: `fault!("interp-memory-grows-a-page-more")`. The name is hashed when the
/// code is compiled, and without planted faults the answer is "no" then, too.
#[macro_export]
macro_rules! fault {
    ($name:literal) => {
        const { $crate::faults::Fault::named($name) }.is_planted()
    };
}
pub use fault;

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
        cfg!(feature = "planted-faults")
            && PLANTED.iter().any(|planted| planted.load(Ordering::Relaxed) == self.0)
    }
}

/// Where a fault is, and so where to look for it.
#[cfg(feature = "planted-faults")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Room {
    /// The in-place interpreter.
    Interp,
    /// The register interpreter.
    FastInterp,
    /// The single-pass compiler.
    Baseline,
    /// What compiled modes stand on.
    Native,
    /// What all modes share.
    Floor,
    /// The harness, which compares what engines show.
    Harness,
}

#[cfg(feature = "planted-faults")]
impl Room {
    /// Every room.
    pub const ALL: [Room; 6] =
        [Room::Interp, Room::FastInterp, Room::Baseline, Room::Native, Room::Floor, Room::Harness];

    /// Its name; of a mode's room the mode's.
    pub fn name(self) -> &'static str {
        match self {
            Room::Interp => "interp",
            Room::FastInterp => "fast-interp",
            Room::Baseline => "baseline",
            Room::Native => "native",
            Room::Floor => "floor",
            Room::Harness => "harness",
        }
    }
}

/// Switches named faults on, and all others off: at most one in the engine and one in the harness.
#[cfg(feature = "planted-faults")]
pub fn plant(faults: impl IntoIterator<Item = Fault>) {
    let mut faults = faults.into_iter();
    for planted in &PLANTED {
        planted.store(faults.next().map_or(0, |fault| fault.0), Ordering::Relaxed);
    }
    assert!(faults.next().is_none(), "no more than {AT_ONCE} faults are planted at once");
    plant_drawn(None);
}

/// Switches a drawn fault on, beside named ones.
#[cfg(feature = "planted-faults")]
pub fn plant_drawn(fault: Option<Drawn>) {
    *DRAWN.write().unwrap_or_else(PoisonError::into_inner) = fault;
}

/// The drawn fault that is switched on.
#[cfg(feature = "planted-faults")]
pub fn planted_drawn() -> Option<Drawn> {
    *DRAWN.read().unwrap_or_else(PoisonError::into_inner)
}

/// The drawn fault that is switched on in a room.
#[cfg(feature = "planted-faults")]
pub(crate) fn drawn_in(room: Room) -> Option<Drawn> {
    planted_drawn().filter(|drawn| drawn.room == room)
}
