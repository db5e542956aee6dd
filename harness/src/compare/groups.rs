//! Groups of subjects that agree with one another.

use std::collections::BTreeSet;

/// The mode of a lane of that name; an outside engine is its own, and a command's is its label.
pub fn mode_of(name: &str) -> &str {
    name.split(['+', '=']).next().unwrap_or(name)
}

/// Index of the largest group by number of modes. Ties go to the group of more lanes, then to the first, which has the
/// reference. Groups are not empty.
pub fn majority(groups: &[Vec<String>]) -> usize {
    let size = |group: &Vec<String>| {
        let modes: BTreeSet<&str> = group.iter().map(|name| mode_of(name)).collect();
        (modes.len(), group.len())
    };
    let sizes = groups.iter().map(size).enumerate();
    sizes.rev().max_by_key(|(_, size)| *size).map_or(0, |(group, _)| group)
}
