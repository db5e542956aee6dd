//! Programs that a build brings along: the scripts of the official suite, and those of our own corpus.
//!
//! Scripts are read when one of their programs is asked for first, and kept. The corpus is drawn apart from the suite, so
//! that a new regression does not change which program of the suite a case is made of.

use crate::case::Case;
use crate::draw::Stream;
use crate::script::{ScriptFile, cases};
use crosscheck_spec_tests::Group;
use std::collections::BTreeSet;
use std::sync::{LazyLock, OnceLock};

/// A script, and the cases that are in it.
struct Script {
    file: ScriptFile,
    cases: OnceLock<Vec<Case>>,
}

impl Script {
    fn new(file: ScriptFile) -> Script {
        Script { file, cases: OnceLock::new() }
    }

    /// Its cases; none of what the spec runner cannot read either.
    fn cases(&self) -> &[Case] {
        self.cases.get_or_init(|| cases(&self.file).unwrap_or_default())
    }
}

/// Groups of the suite whose scripts are used. Of scripts with the same name the first one counts: the others are older
/// editions of it.
const GROUPS: [&str; 8] = [
    "wasm-v3",
    "multi-memory",
    "memory64",
    "function-references",
    "tail-call",
    "extended-const",
    "wide-arithmetic",
    "own",
];

static SUITE: LazyLock<Vec<Script>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    let groups = GROUPS.iter().map(|name| name.parse::<Group>().expect("the suite has these groups"));
    let files = groups.flat_map(Group::files).filter(|file| names.insert(file.name.clone()));
    files.map(|file| Script::new(file.into())).collect()
});

/// Names and texts of the scripts below `corpus`, in which `build.rs` found them.
const CORPUS_TEXTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

static CORPUS: LazyLock<Vec<Script>> = LazyLock::new(|| {
    let scripts = CORPUS_TEXTS.iter().map(|(name, text)| ScriptFile::new(*name, *text));
    scripts.map(Script::new).collect()
});

/// Of a hundred programs, how many come from the corpus.
const CORPUS_PERCENT: u32 = 20;

/// A program that is built in; none if the script that was drawn has none.
pub(super) fn built_in(stream: &mut Stream) -> Option<&'static Case> {
    let scripts = if stream.percent(CORPUS_PERCENT) { &*CORPUS } else { &*SUITE };
    let cases = stream.pick(scripts).cases();
    if cases.is_empty() { None } else { Some(stream.pick(cases)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suite_and_corpus_are_there() {
        assert!(SUITE.len() > 100, "{} scripts of the suite", SUITE.len());
        let names: BTreeSet<&str> = CORPUS_TEXTS.iter().map(|(name, _)| *name).collect();
        assert!(names.iter().any(|name| name.starts_with("regressions/calls/")), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("outside/")), "{names:?}");
        let empty: Vec<_> = CORPUS.iter().filter(|script| script.cases().is_empty()).collect();
        assert!(empty.is_empty(), "{:?}", empty.iter().map(|script| &script.file.name).collect::<Vec<_>>());
    }
}
