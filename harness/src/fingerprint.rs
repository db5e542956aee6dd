//! What makes two findings the same bug.
//!
//! Which subjects agree with which, the kind of difference, and where - by type or kind of entity,
//! never by number or value, which change while a case shrinks. The guilty opcode is added once it is
//! localised.

use crate::compare::Kind;
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
                let mut modes: Vec<_> = group.iter().map(|name| mode_of(name).to_string()).collect();
                modes.sort();
                modes.dedup();
                modes.join(" ")
            })
            .collect();
        groups.sort();
        Fingerprint(format!("{}|{}|{place}", groups.join(" / "), kind.word()))
    }

    /// A short name, good for files.
    pub fn short(&self) -> String {
        let mut digest = Digest::default();
        digest.text(&self.0);
        format!("{:012x}", digest.finish() >> 16)
    }
}

/// The mode of a lane of that name; an outside engine is its own.
pub fn mode_of(name: &str) -> &str {
    name.split('+').next().unwrap_or(name)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
