//! What makes two findings the same bug.
//!
//! Which subjects agree with which, the kind of difference, and where - by type or kind of entity,
//! never by number or value, which change while a case shrinks. One bug shows itself in many such ways, for what is
//! seen first depends on what a program goes on to do with a wrong value; and many bugs in the same. So once a
//! finding is localised, it gets another fingerprint ([`Fingerprint::of_bug`]): the guilty modes, and the opcode.

use crate::compare::{Kind, majority};
use crate::digest::Digest;
use std::fmt;

/// The identity of a bug, as far as it is known from outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a difference. Lanes count as their modes: which lanes run is drawn by lot.
    pub fn new(groups: &[Vec<String>], kind: Kind, place: &str) -> Fingerprint {
        let mut groups: Vec<String> = groups
            .iter()
            .map(|group| {
                let mut modes: Vec<_> = group.iter().map(|name| mode_of(name)).collect();
                modes.sort();
                modes.dedup();
                modes.join(" ")
            })
            .collect();
        groups.sort();
        Fingerprint(format!("{}|{}|{place}", groups.join(" / "), kind.word()))
    }

    /// The fingerprint of a bug that was localised: which modes are wrong - those outside of the
    /// [`majority`] -, at which opcode, and what about it.
    pub fn of_bug(groups: &[Vec<String>], kind: Kind, opcode: &str) -> Fingerprint {
        let right = majority(groups);
        let wrong = groups.iter().enumerate().filter(|(group, _)| *group != right);
        let mut modes: Vec<&str> = wrong.flat_map(|(_, names)| names).map(|name| mode_of(name)).collect();
        modes.sort_unstable();
        modes.dedup();
        let what = match kind {
            Kind::Crash => "crash",
            Kind::Hang => "hang",
            Kind::Fuel => "fuel",
            Kind::TrapSite | Kind::Frames => "frames",
            // Where a wrong value is seen first says nothing about how it came about.
            Kind::Outcome
            | Kind::Values
            | Kind::TrapKind
            | Kind::HostCalls
            | Kind::Global
            | Kind::TableSize
            | Kind::TableElement
            | Kind::MemorySize
            | Kind::MemoryBytes
            | Kind::Dropped
            | Kind::Instances
            | Kind::Unstable => "outcome",
        };
        Fingerprint(format!("{}|{what}|{opcode}", modes.join(" ")))
    }

    /// A short name, good for files.
    pub fn short(&self) -> String {
        let mut digest = Digest::default();
        digest.text(&self.0);
        format!("{:012x}", digest.finish() >> 16)
    }
}

/// The mode of a lane of that name; an outside engine is its own, and a command's is its label.
pub fn mode_of(name: &str) -> &str {
    name.split(['+', '=']).next().unwrap_or(name)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
