//! Faults planted on purpose, and whether the bench finds them: a bench that never fails proves nothing.
//!
//! A fault is a named one of the engine, one that was drawn by lot, or one of the harness itself. Those of the engine's
//! rooms are for campaigns; those in what all modes share are for the official suite, for no comparison can see them;
//! those of the harness are for its [check of itself](crate::selfcheck). A faulty engine runs in a worker process, which may die of
//! it. This is in builds with planted faults only.

mod hunt;

pub use hunt::{Found, Hunt, Hunted};

use crosscheck_engine::faults::drawn::Drawn;
use crosscheck_engine::faults::table::{ROWS, Row, SeenBy};
use crosscheck_engine::faults::{Fault, Room, plant_drawn};
use crosscheck_engine::numeric::planted::draw;
use std::fmt;
use std::str::FromStr;

/// How many faults are drawn by a seed; the second half is rare.
pub const DRAWN: usize = 20;

/// The harness's own faults.
pub const HARNESS_ROWS: &[Row] = &[
    harness_row("compare-ignores-the-sign-of-zero", "takes zeros of different signs for the same"),
    harness_row("compare-skips-memory-size", "does not compare how large memories are"),
    harness_row("compare-drops-backtraces", "compares traps without the calls they happened in"),
    harness_row("compare-stops-at-equal-traps", "compares nothing else of actions that trap alike"),
    harness_row("wire-loses-the-digest-of-many-host-calls", "sends no digest of more than four host calls"),
    harness_row("digest-takes-functions-for-the-same", "tells no functions in tables apart by digest"),
];

const fn harness_row(name: &'static str, what: &'static str) -> Row {
    Row { name, room: Room::Harness, what, opcodes: &[], seen_by: SeenBy::OwnCheck }
}

/// A fault that can be planted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planted {
    /// One with a name.
    Named(&'static Row),
    /// One that was drawn.
    Drawn(Drawn),
}

impl Planted {
    /// Every named fault, and those that a seed draws.
    pub fn all(seed: u64) -> Vec<Planted> {
        let named = ROWS.iter().chain(HARNESS_ROWS).map(Planted::Named);
        named.chain(draw(seed, DRAWN).into_iter().map(Planted::Drawn)).collect()
    }

    /// Where it is.
    pub fn room(&self) -> Room {
        match self {
            Planted::Named(row) => row.room,
            Planted::Drawn(drawn) => drawn.room,
        }
    }

    /// Who is to find it.
    pub fn seen_by(&self) -> SeenBy {
        match self {
            Planted::Named(row) => row.seen_by,
            Planted::Drawn(_) => SeenBy::Campaign,
        }
    }

    /// Whether an opcode is one at which subjects may first part; `None` if it may be any.
    pub fn is_at(&self, opcode: &str) -> Option<bool> {
        match self {
            Planted::Named(row) if row.opcodes.is_empty() => None,
            Planted::Named(row) => Some(row.opcodes.contains(&opcode)),
            Planted::Drawn(drawn) => Some(drawn.opcode.text() == opcode),
        }
    }
}

impl fmt::Display for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Planted::Named(row) => f.write_str(row.name),
            Planted::Drawn(drawn) => drawn.fmt(f),
        }
    }
}

impl FromStr for Planted {
    type Err = String;

    fn from_str(text: &str) -> Result<Planted, String> {
        if text.contains(':') {
            return text.parse().map(Planted::Drawn);
        }
        let named = ROWS.iter().chain(HARNESS_ROWS).find(|row| row.name == text);
        named.map(Planted::Named).ok_or_else(|| format!("no planted fault is called `{text}`"))
    }
}

/// Switches the faults on that a list with commas names, and all others off, for the whole process.
pub fn plant(names: &str) -> Result<(), String> {
    let faults: Vec<Planted> = names.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let named = faults.iter().filter_map(|fault| match fault {
        Planted::Named(row) => Some(Fault::named(row.name)),
        Planted::Drawn(_) => None,
    });
    let named: Vec<Fault> = named.collect();
    let mut drawn = faults.iter().filter_map(|fault| match fault {
        Planted::Named(_) => None,
        Planted::Drawn(drawn) => Some(*drawn),
    });
    let first = drawn.next();
    if named.len() > 2 || drawn.next().is_some() {
        return Err(format!("{names}: at most two named faults and a drawn one are planted at once"));
    }
    crosscheck_engine::faults::plant(named);
    plant_drawn(first);
    Ok(())
}

/// Switches every fault off.
pub fn unplant() {
    crosscheck_engine::faults::plant(None);
}
