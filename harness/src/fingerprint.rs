//! What makes two findings the same bug.
//!
//! Which subjects agree with which, the kind of difference, and where - by type or kind of entity,
//! never by number or value, which change while a case shrinks. One bug shows itself in many such ways, for what is
//! seen first depends on what a program goes on to do with a wrong value; and many bugs in the same. So once a
//! finding is looked into, it gets another fingerprint ([`Fingerprint::of_bug`]): the guilty modes, and what tells its
//! simplest relative from others.

use crate::compare::{Divergence, Kind, mode_of, right};
use crate::digest::Digest;
use crate::subject::{MODEL, is_outside};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The identity of a bug, as far as it is known from outside: `a b / c|what`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Fingerprint {
    /// Modes and outside engines: those that agree with one another, or those that are wrong as one group.
    groups: Vec<Vec<String>>,
    /// What differs and where, or what tells the bug from others.
    what: String,
}

impl Fingerprint {
    /// The fingerprint of a difference. Lanes count as their modes, and the model only where it stands alone: which lanes run,
    /// and whether the model does, is drawn by lot.
    pub fn new(groups: &[Vec<String>], kind: Kind, place: &str) -> Fingerprint {
        let mut groups: Vec<Vec<String>> = groups
            .iter()
            .map(|group| {
                let mut modes: Vec<String> = group.iter().map(|name| mode_of(name).to_string()).collect();
                modes.sort();
                modes.dedup();
                if modes.len() > 1 {
                    modes.retain(|name| name != MODEL);
                }
                modes
            })
            .collect();
        groups.sort_by_key(|group| group.join(" "));
        Fingerprint { groups, what: format!("{}|{place}", kind.word()) }
    }

    /// The fingerprint of a bug that was looked into: which modes are wrong - those outside of the group that is [`right`] -, and
    /// the signature that tells it from others.
    pub fn of_bug(groups: &[Vec<String>], signature: &dyn fmt::Display) -> Fingerprint {
        Fingerprint { groups: vec![wrong_modes(groups)], what: signature.to_string() }
    }

    /// The fingerprint of a bug of an outside engine of which no relative is known: which parties are wrong, and the
    /// operations that it perhaps is about. `None` if only modes of ours are wrong.
    pub fn of_unrelated(groups: &[Vec<String>], operations: &dyn fmt::Display) -> Option<Fingerprint> {
        let bug = Fingerprint::of_bug(groups, &format_args!("perhaps|{operations}"));
        bug.is_about_outside().then_some(bug)
    }

    /// Whether an outside engine is among those that it names.
    pub fn is_about_outside(&self) -> bool {
        self.groups.iter().flatten().any(|party| is_outside(party))
    }

    /// What differs and where, or what tells the bug from others; without the parties.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// A short name, good for files.
    pub fn short(&self) -> String {
        let mut digest = Digest::default();
        digest.text(&self.to_string());
        format!("{:012x}", digest.finish() >> 16)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

impl From<String> for Fingerprint {
    /// Reads what a record has. A text without parties names none.
    fn from(text: String) -> Fingerprint {
        let Some((groups, what)) = text.split_once('|') else {
            return Fingerprint { groups: Vec::new(), what: text };
        };
        let parties = |group: &str| group.split(' ').map(str::to_string).collect();
        Fingerprint { groups: groups.split(" / ").map(parties).collect(), what: what.to_string() }
    }
}

impl Divergence {
    /// What makes this the same bug as another.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(&self.groups, self.first.kind, &self.first.place)
    }
}

/// The modes, and outside engines, that are wrong: those outside of the group that is [`right`].
fn wrong_modes(groups: &[Vec<String>]) -> Vec<String> {
    let right = right(groups);
    let others = groups.iter().enumerate().filter(|(group, _)| *group != right);
    let mut modes: Vec<String> =
        others.flat_map(|(_, names)| names).map(|name| mode_of(name).to_string()).collect();
    modes.sort_unstable();
    modes.dedup();
    modes
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.groups.is_empty() {
            return f.write_str(&self.what);
        }
        let groups: Vec<String> = self.groups.iter().map(|group| group.join(" ")).collect();
        write!(f, "{}|{}", groups.join(" / "), self.what)
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
    fn the_model_is_a_party_where_it_stands_alone() {
        let fingerprint = |groups: &[&[&str]]| {
            let owned = |group: &&[&str]| group.iter().map(|name| name.to_string()).collect();
            Fingerprint::new(&groups.iter().map(owned).collect::<Vec<_>>(), Kind::Values, "i32").to_string()
        };
        let of_a_mode = fingerprint(&[&["interp", "fast-interp"], &["baseline"]]);
        assert_eq!(fingerprint(&[&["interp", "fast-interp", "model"], &["baseline+lazy"]]), of_a_mode);
        let of_all = fingerprint(&[&["interp", "interp+no-fuel", "baseline"], &["model"]]);
        assert_eq!(of_all, "baseline interp / model|values|i32");
        let groups = [vec!["interp".into(), "baseline".into()], vec!["model".into()]];
        let bug = Fingerprint::of_bug(&groups, &"outcome|memory.copy");
        assert_eq!(bug.to_string(), "baseline interp|outcome|memory.copy");
    }

    #[test]
    fn a_fingerprint_is_read_as_it_was_written() {
        for text in [
            "interp fast-interp / baseline|values|i32",
            "iwasm|outcome|tail call|operands below",
            "a / b|crash|",
            "not known",
            "",
        ] {
            assert_eq!(Fingerprint::from(text.to_string()).to_string(), text);
        }
        let groups = [vec!["fast-interp".to_string(), "interp+lazy".into()], vec!["baseline".into()]];
        let written = Fingerprint::new(&groups, Kind::Values, "i32");
        assert_eq!(written.to_string(), "baseline / fast-interp interp|values|i32");
        assert_eq!(Fingerprint::from(written.to_string()), written);
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
