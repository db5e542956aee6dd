//! Directives of the official suite that a later standard contradicts.
//!
//! The suite keeps the scripts of older editions and of proposals as they were. Where a later
//! standard allows what such a script forbids, no engine can pass both. Each such directive is listed
//! here with its reason, one by one, so that nothing else hides behind it: the runner counts an
//! excused failure apart from passes, and an excused directive that passes is a failure.

/// A directive that cannot pass, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Excuse {
    /// The group of the file.
    pub group: &'static str,
    /// The file's name in its group.
    pub file: &'static str,
    /// The line on which the directive starts, from 1.
    pub line: u32,
    /// What the directive is.
    pub directive: Directive,
    /// Why it cannot pass.
    pub reason: &'static str,
}

/// The kinds of directive that are excused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Directive {
    /// `assert_invalid`.
    AssertInvalid,
    /// `assert_malformed`.
    AssertMalformed,
    /// `assert_unlinkable`.
    AssertUnlinkable,
    /// `assert_trap`.
    AssertTrap,
    /// `assert_return`.
    AssertReturn,
}

impl Directive {
    /// The keyword in scripts.
    pub fn keyword(self) -> &'static str {
        match self {
            Directive::AssertInvalid => "assert_invalid",
            Directive::AssertMalformed => "assert_malformed",
            Directive::AssertUnlinkable => "assert_unlinkable",
            Directive::AssertTrap => "assert_trap",
            Directive::AssertReturn => "assert_return",
        }
    }
}

/// The excuse for the directive that starts on a line of a file, if it has one.
pub fn find(group: &str, file: &str, line: u32) -> Option<Excuse> {
    let rows = ROWS.iter().filter(|row| row.file == file && row.groups.contains(&group));
    let mut rows = rows.filter(|row| row.lines.contains(&line));
    rows.next().map(|row| row.excuse(group_name(row, group), line))
}

/// All excuses.
pub fn all() -> impl Iterator<Item = Excuse> {
    ROWS.iter().flat_map(|row| {
        let lines = move |group: &'static str| row.lines.iter().map(move |line| row.excuse(group, *line));
        row.groups.iter().copied().flat_map(lines)
    })
}

/// Directives of one kind in one file, excused for one reason; the file is the same in all the groups.
struct Row {
    groups: &'static [&'static str],
    file: &'static str,
    directive: Directive,
    lines: &'static [u32],
    reason: &'static str,
}

impl Row {
    fn excuse(&self, group: &'static str, line: u32) -> Excuse {
        Excuse { group, file: self.file, line, directive: self.directive, reason: self.reason }
    }
}

fn group_name(row: &Row, group: &str) -> &'static str {
    row.groups.iter().find(|name| **name == group).expect("the row was chosen by its group")
}

const ROWS: &[Row] = &[];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Group;
    use std::collections::HashSet;

    #[test]
    fn every_excuse_points_at_a_directive_of_its_kind() {
        for excuse in all() {
            let group: Group = excuse.group.parse().expect("a known group");
            let file = group.file(excuse.file).expect("a file of the group");
            let line = file.text.lines().nth(excuse.line as usize - 1).unwrap_or_default();
            let directive = format!("({}", excuse.directive.keyword());
            assert!(line.trim_start().starts_with(&directive), "{excuse:?} points at `{line}`");
        }
    }

    #[test]
    fn no_directive_is_excused_twice() {
        let mut seen = HashSet::new();
        for excuse in all() {
            assert!(seen.insert((excuse.group, excuse.file, excuse.line)), "{excuse:?}");
            assert_eq!(find(excuse.group, excuse.file, excuse.line), Some(excuse));
        }
    }

    #[test]
    fn a_directive_without_an_excuse_has_none() {
        assert_eq!(find("wasm-v3", "i32.wast", 1), None);
    }
}
