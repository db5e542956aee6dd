//! Groups of subjects that agree with one another.

use super::{Divergence, Kind};
use crate::subject::MODEL;
use std::collections::BTreeSet;

/// The mode of a lane of that name; an outside engine is its own, and a command's is its label.
pub fn mode_of(name: &str) -> &str {
    name.split(['+', '=']).next().unwrap_or(name)
}

impl Divergence {
    /// Index of the group that is taken to be right. Of a failure the model says nothing: it may be what failed.
    pub fn right(&self) -> usize {
        match self.first.kind {
            Kind::Crash | Kind::Hang => majority(&self.groups),
            _ => right(&self.groups),
        }
    }
}

/// Index of the group that is taken to be right: that of the model, which is written after the specification alone, if it ran;
/// else the largest.
pub fn right(groups: &[Vec<String>]) -> usize {
    let has_model = |group: &Vec<String>| group.iter().any(|name| name == MODEL);
    groups.iter().position(has_model).unwrap_or_else(|| majority(groups))
}

/// Index of the largest group by number of modes. Ties go to the group of more lanes, then to the first, which has the
/// reference. Groups are not empty.
fn majority(groups: &[Vec<String>]) -> usize {
    let size = |group: &Vec<String>| {
        let modes: BTreeSet<&str> = group.iter().map(|name| mode_of(name)).collect();
        (modes.len(), group.len())
    };
    let sizes = groups.iter().map(size).enumerate();
    sizes.rev().max_by_key(|(_, size)| *size).map_or(0, |(group, _)| group)
}
