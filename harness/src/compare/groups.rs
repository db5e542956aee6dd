//! Groups of subjects that agree with one another, and what they say about where to look.

use super::{Divergence, Kind};
use crate::subject::is_outside;
use std::collections::BTreeSet;

/// The mode of a lane of that name; an outside engine is its own, and a command's is its label.
pub fn mode_of(name: &str) -> &str {
    name.split(['+', '=']).next().unwrap_or(name)
}

/// The number of the group of most modes, which is likely right: lanes of a mode have much in common, and count where
/// modes are as many. Of several as large it is the first, for the reference is likely right. Groups are not empty.
pub fn majority(groups: &[Vec<String>]) -> usize {
    let size = |group: &Vec<String>| {
        let modes: BTreeSet<&str> = group.iter().map(|name| mode_of(name)).collect();
        (modes.len(), group.len())
    };
    let sizes = groups.iter().map(size).enumerate();
    sizes.rev().max_by_key(|(_, size)| *size).map_or(0, |(group, _)| group)
}

impl Divergence {
    /// Whether all of our modes agree, and only outside engines differ.
    pub fn is_of_judges(&self) -> bool {
        let ours = self.groups.iter().filter(|group| group.iter().any(|name| !is_outside(name))).count();
        ours == 1 && self.groups.len() > 1
    }

    /// Where to look first.
    pub fn triage(&self) -> &'static str {
        if !self.is_of_judges() {
            return match self.first.kind {
                Kind::Unstable => "a subject is not deterministic: what it shows differs between two runs",
                _ => "one mode alone differs: that mode's room",
            };
        }
        let (ours, theirs): (Vec<_>, Vec<_>) =
            self.groups.iter().partition(|group| group.iter().any(|name| !is_outside(name)));
        let sides_with_us = ours.iter().flat_map(|group| *group).any(|name| is_outside(name));
        let against_us = theirs.iter().map(|group| group.len()).max().unwrap_or(0);
        match (sides_with_us, against_us) {
            (true, _) => {
                "all modes and an outside engine agree, another one differs: that engine, and then the shared floor"
            }
            (false, 0..=1) => {
                "all modes agree, an outside engine differs: the shared floor (types, store, numeric, linking), or the judge"
            }
            (false, _) => {
                "outside engines agree with one another, and not with our modes: the shared floor (types, store, numeric, linking)"
            }
        }
    }
}
