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
    /// What happens instead, as the runner's message says it. A failure of another kind is a failure.
    pub instead: &'static str,
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
    instead: &'static str,
    reason: &'static str,
}

impl Row {
    fn excuse(&self, group: &'static str, line: u32) -> Excuse {
        let Row { file, directive, instead, reason, .. } = *self;
        Excuse { group, file, line, directive, instead, reason }
    }
}

fn group_name(row: &Row, group: &str) -> &'static str {
    row.groups.iter().find(|name| **name == group).expect("the row was chosen by its group")
}

const ACCEPTED: &str = "it was accepted";

const LONG_LIMITS_AND_OFFSETS: &str =
    "since memory64 limits and offsets are 64-bit numbers, which may take ten bytes and not only five";
const MEMORY_INDEX: &str =
    "since multi-memory this byte is the index of a memory in LEB128, which may be padded with zeros";
const MULTIPLE_MEMORIES: &str = "since multi-memory a module may have several memories";
const MULTIPLE_TABLES: &str = "since reference-types a module may have several tables";
const LABELS_AFTER_UNREACHABLE: &str =
    "since function-references unreachable operands fit labels of different types";
const SEGMENTS_TRAP: &str =
    "since bulk-memory segments are written one by one, and one that does not fit traps after linking";
const SEGMENTS_STAY_WRITTEN: &str =
    "since bulk-memory what a failed instantiation wrote stays: this reads what the module above wrote";

const ROWS: &[Row] = &[
    Row {
        groups: &["wasm-v1"],
        file: "binary-leb128.wast",
        directive: Directive::AssertMalformed,
        lines: &[216, 224, 403, 460],
        instead: ACCEPTED,
        reason: LONG_LIMITS_AND_OFFSETS,
    },
    Row {
        groups: &["wasm-v2"],
        file: "binary-leb128.wast",
        directive: Directive::AssertMalformed,
        lines: &[217, 225],
        instead: ACCEPTED,
        reason: LONG_LIMITS_AND_OFFSETS,
    },
    Row {
        groups: &["reference-types"],
        file: "binary-leb128.wast",
        directive: Directive::AssertMalformed,
        lines: &[217, 225, 404, 461],
        instead: ACCEPTED,
        reason: LONG_LIMITS_AND_OFFSETS,
    },
    Row {
        groups: &["reference-types"],
        file: "binary.wast",
        directive: Directive::AssertMalformed,
        lines: &[157, 354, 362, 419],
        instead: ACCEPTED,
        reason: LONG_LIMITS_AND_OFFSETS,
    },
    Row {
        groups: &["wasm-v2", "function-references"],
        file: "binary.wast",
        directive: Directive::AssertMalformed,
        lines: &[145, 165, 184, 203, 242, 261, 279, 297],
        instead: ACCEPTED,
        reason: MEMORY_INDEX,
    },
    Row {
        groups: &["multi-value"],
        file: "binary.wast",
        directive: Directive::AssertMalformed,
        lines: &[162, 182, 201, 220, 259, 278, 296, 314],
        instead: ACCEPTED,
        reason: MEMORY_INDEX,
    },
    Row {
        groups: &["reference-types"],
        file: "binary.wast",
        directive: Directive::AssertMalformed,
        lines: &[756, 776, 795, 814, 853, 872, 890, 908],
        instead: ACCEPTED,
        reason: MEMORY_INDEX,
    },
    Row {
        groups: &["memory64"],
        file: "binary.wast",
        directive: Directive::AssertMalformed,
        lines: &[876, 896, 915, 934, 973, 992, 1010, 1028],
        instead: ACCEPTED,
        reason: MEMORY_INDEX,
    },
    Row {
        groups: &["wasm-v1", "threads"],
        file: "imports.wast",
        directive: Directive::AssertInvalid,
        lines: &[404, 408, 412],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["wasm-v2"],
        file: "imports.wast",
        directive: Directive::AssertInvalid,
        lines: &[487, 491, 495],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["reference-types"],
        file: "imports.wast",
        directive: Directive::AssertInvalid,
        lines: &[416, 420, 424],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["wasm-v1"],
        file: "memory.wast",
        directive: Directive::AssertInvalid,
        lines: &[8, 9],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["wasm-v2", "memory64"],
        file: "memory.wast",
        directive: Directive::AssertInvalid,
        lines: &[10, 11],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["threads"],
        file: "memory.wast",
        directive: Directive::AssertInvalid,
        lines: &[14, 15],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["memory64"],
        file: "memory64.wast",
        directive: Directive::AssertInvalid,
        lines: &[8, 9],
        instead: ACCEPTED,
        reason: MULTIPLE_MEMORIES,
    },
    Row {
        groups: &["threads"],
        file: "imports.wast",
        directive: Directive::AssertInvalid,
        lines: &[309, 313, 317],
        instead: ACCEPTED,
        reason: MULTIPLE_TABLES,
    },
    Row {
        groups: &["reference-types"],
        file: "unreached-invalid.wast",
        directive: Directive::AssertInvalid,
        lines: &[539],
        instead: ACCEPTED,
        reason: LABELS_AFTER_UNREACHABLE,
    },
    Row {
        groups: &["mutable-global"],
        file: "linking.wast",
        directive: Directive::AssertUnlinkable,
        lines: &[206, 227, 344],
        instead: "trap: out of bounds table access",
        reason: SEGMENTS_TRAP,
    },
    Row {
        groups: &["mutable-global"],
        file: "linking.wast",
        directive: Directive::AssertUnlinkable,
        lines: &[238, 298, 334],
        instead: "trap: out of bounds memory access",
        reason: SEGMENTS_TRAP,
    },
    Row {
        groups: &["mutable-global"],
        file: "linking.wast",
        directive: Directive::AssertTrap,
        lines: &[236, 248],
        instead: "got [i32:0x0]",
        reason: SEGMENTS_STAY_WRITTEN,
    },
    Row {
        groups: &["mutable-global"],
        file: "linking.wast",
        directive: Directive::AssertReturn,
        lines: &[342, 354],
        instead: "got [i32:0x61]",
        reason: SEGMENTS_STAY_WRITTEN,
    },
];

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
