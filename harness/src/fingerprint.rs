//! What makes two findings the same bug.
//!
//! Which subjects agree with which, the kind of difference, and where - by type or kind of entity,
//! never by number or value, which change while a case shrinks. One bug shows itself in many such ways, for what is
//! seen first depends on what a program goes on to do with a wrong value; and many bugs in the same. So once a
//! finding is looked into, it gets another fingerprint ([`Fingerprint::of_bug`]): the guilty modes, and what tells its
//! simplest relative from others.

use crate::compare::{Divergence, Kind, majority, mode_of};
use crate::digest::Digest;
use crate::subject::is_outside;
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

    /// The fingerprint of a bug that was looked into: which modes are wrong - those outside of the [`majority`] -, and
    /// the signature that tells it from others.
    pub fn of_bug(groups: &[Vec<String>], signature: &dyn fmt::Display) -> Fingerprint {
        Fingerprint(format!("{}|{signature}", wrong_modes(groups).join(" ")))
    }

    /// The fingerprint of a bug of an outside engine of which no relative is known: which parties are wrong, and the
    /// operations that it perhaps is about. `None` if only modes of ours are wrong.
    pub fn of_unrelated(groups: &[Vec<String>], operations: &dyn fmt::Display) -> Option<Fingerprint> {
        let wrong = wrong_modes(groups);
        let name = || Fingerprint(format!("{}|perhaps|{operations}", wrong.join(" ")));
        wrong.iter().any(|party| is_outside(party)).then(name)
    }

    /// A short name, good for files.
    pub fn short(&self) -> String {
        let mut digest = Digest::default();
        digest.text(&self.0);
        format!("{:012x}", digest.finish() >> 16)
    }
}

impl Divergence {
    /// What makes this the same bug as another.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(&self.groups, self.first.kind, &self.first.place)
    }
}

/// The modes, and outside engines, that are wrong: those outside of the [`majority`].
fn wrong_modes(groups: &[Vec<String>]) -> Vec<&str> {
    let right = majority(groups);
    let others = groups.iter().enumerate().filter(|(group, _)| *group != right);
    let mut modes: Vec<&str> = others.flat_map(|(_, names)| names).map(|name| mode_of(name)).collect();
    modes.sort_unstable();
    modes.dedup();
    modes
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_told_of_the_minority_of_modes() {
        let groups = [
            vec!["interp".into(), "interp+no-fuel".into()],
            vec!["fast-interp".into()],
            vec!["baseline".into()],
        ];
        let bug = Fingerprint::of_bug(&groups, &"outcome|i32.add");
        assert_eq!(bug.to_string(), "baseline fast-interp|outcome|i32.add");
    }

    #[test]
    fn without_a_relative_only_an_outside_engine_gets_a_name_by_operations() {
        let name = |wrong: &str| {
            let groups = [vec!["interp".into(), "baseline".into()], vec![wrong.to_string()]];
            Fingerprint::of_unrelated(&groups, &"br_table").map(|name| name.to_string())
        };
        assert_eq!(name("iwasm").as_deref(), Some("iwasm|perhaps|br_table"));
        assert_eq!(name("fast-interp+no-fuel"), None);
    }
}
