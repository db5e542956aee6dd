//! What makes two findings the same bug.
//!
//! Which subjects agree with which, the kind of difference, and where - by type or kind of entity,
//! never by number or value, which change while a case shrinks. One bug shows itself in many such ways, for what is
//! seen first depends on what a program goes on to do with a wrong value; and many bugs in the same. So once a
//! finding is localised, it gets another fingerprint ([`Fingerprint::of_bug`]): the guilty modes, and what is wrong.

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

    /// The fingerprint of a bug that was localised: which modes are wrong - those outside of the [`majority`] -, what
    /// about it, and at which opcode, if opcodes matter to that.
    pub fn of_bug(groups: &[Vec<String>], wrong: &Wrong<'_>) -> Fingerprint {
        let right = majority(groups);
        let others = groups.iter().enumerate().filter(|(group, _)| *group != right);
        let mut modes: Vec<&str> = others.flat_map(|(_, names)| names).map(|name| mode_of(name)).collect();
        modes.sort_unstable();
        modes.dedup();
        let what = match wrong {
            Wrong::Effect { opcode } => format!("outcome|{opcode}"),
            Wrong::Refused { message, opcode } => format!("{}|{opcode}", words(message)),
            Wrong::Fuel => "fuel".into(),
            Wrong::Frames => "frames".into(),
        };
        Fingerprint(format!("{}|{what}", modes.join(" ")))
    }

    /// A short name, good for files.
    pub fn short(&self) -> String {
        let mut digest = Digest::default();
        digest.text(&self.0);
        format!("{:012x}", digest.finish() >> 16)
    }
}

/// What is wrong about an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong<'a> {
    /// What it does. Where a wrong value is seen first says nothing about how it came about.
    Effect {
        /// The opcode.
        opcode: &'a str,
    },
    /// Somebody fails over it before it is executed.
    Refused {
        /// What is said of that.
        message: &'a str,
        /// The opcode.
        opcode: &'a str,
    },
    /// What it costs, for which it matters little which opcode it is.
    Fuel,
    /// What a trap says about where it happened, of which the same is true.
    Frames,
}

/// The first words of a message, up to what is different each time.
fn words(message: &str) -> String {
    let is_word = |word: &&str| word.chars().all(|char| !char.is_ascii_digit() && !"(/".contains(char));
    let words: Vec<&str> = message.split_whitespace().take_while(is_word).collect();
    words.join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_without_numbers_and_of_the_minority_of_modes() {
        let groups = [
            vec!["interp".into(), "interp+no-fuel".into()],
            vec!["fast-interp".into()],
            vec!["baseline".into()],
        ];
        let bug = |wrong| Fingerprint::of_bug(&groups, &wrong).to_string();
        assert_eq!(bug(Wrong::Effect { opcode: "i32.add" }), "baseline fast-interp|outcome|i32.add");
        assert_eq!(bug(Wrong::Frames), "baseline fast-interp|frames");
        let groups =
            [vec!["interp".into(), "interp+no-fuel".into()], vec!["fast-interp".into(), "baseline".into()]];
        let message = "crash: panic: the island at 0x12 is cut off in function 7";
        let bug = Fingerprint::of_bug(&groups, &Wrong::Refused { message, opcode: "call" });
        assert_eq!(bug.to_string(), "interp|crash: panic: the island at|call");
    }
}
