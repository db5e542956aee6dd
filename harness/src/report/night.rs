//! Report folders as runs: shards put together, nights in order, each beside the one before.
//!
//! A folder with a `spec.json` or a `fuzz.json` is a run, or a shard of one. A folder of such folders is a series of
//! nights. Shards of the same work (same commit, seed and number of shards, each another part) are one night.

use super::fuzz::Fuzz;
use super::header::Header;
use super::spec::Spec;
use super::standing::{Changes, Standings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The names of what runs write.
pub const SPEC_FILE: &str = "spec.json";
/// The totals of a campaign.
pub const FUZZ_FILE: &str = "fuzz.json";

/// One run: scripts, a campaign, or both.
#[derive(Clone, Debug, Default)]
pub struct Night {
    /// What people call it: the name of its folder.
    pub name: String,
    /// Its folders, one a shard.
    pub folders: Vec<PathBuf>,
    /// What scripts came to, if any ran.
    pub spec: Option<Spec>,
    /// What a campaign came to, if one ran.
    pub fuzz: Option<Fuzz>,
}

/// What is different since the night before.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Since {
    /// The night before.
    pub before: String,
    /// What scripts do otherwise.
    pub scripts: Changes,
    /// Fingerprints that were not found before.
    pub new_findings: Vec<String>,
    /// Fingerprints that are no longer found.
    pub gone_findings: Vec<String>,
}

/// A night in a line, for trends.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Point {
    /// The night's name.
    pub name: String,
    /// When it began, in seconds since 1970.
    pub started_s: u64,
    /// The build.
    pub commit: String,
    /// Assertions that passed, in all modes together.
    pub passed: Option<u64>,
    /// Assertions that failed.
    pub failed: Option<u64>,
    /// Assertions that did not run.
    pub skipped: Option<u64>,
    /// Cases of the campaign.
    pub cases: Option<u64>,
    /// Fingerprints that were found.
    pub findings: Option<u64>,
    /// Cases a CPU-second.
    pub cases_per_cpu_s: Option<f64>,
}

/// How a night stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// All agrees and passes.
    Green,
    /// Something failed, differs or cannot be read.
    NotGreen,
    /// Nothing of what ran is wrong, and not everything ran: what is missing.
    Incomplete(String),
    /// Nothing ran.
    Empty,
}

impl State {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            State::Green => "green",
            State::NotGreen => "not green",
            State::Incomplete(_) => "incomplete",
            State::Empty => "nothing ran",
        }
    }
}

impl Night {
    /// What is in one folder; nothing if no run was written there. Fails with one line if it cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Night>, String> {
        let (spec, fuzz) = (read_json(&folder.join(SPEC_FILE))?, read_json(&folder.join(FUZZ_FILE))?);
        if spec.is_none() && fuzz.is_none() {
            return Ok(None);
        }
        Ok(Some(Night { name: name_of(folder), folders: vec![folder.to_path_buf()], spec, fuzz }))
    }

    /// When it began.
    pub fn started_s(&self) -> u64 {
        let spec = self.spec.as_ref().map(|spec| spec.header.started_s);
        let fuzz = self.fuzz.as_ref().map(|fuzz| fuzz.header.started_s);
        spec.into_iter().chain(fuzz).min().unwrap_or(0)
    }

    /// The build; of the scripts if the campaign had another one.
    pub fn commit(&self) -> &str {
        let spec = self.spec.as_ref().map(|spec| &*spec.header.commit);
        spec.or(self.fuzz.as_ref().map(|fuzz| &*fuzz.header.commit)).unwrap_or_default()
    }

    /// Whether another folder holds another part of the same work.
    fn is_complemented_by(&self, other: &Night) -> bool {
        if self.commit() != other.commit() {
            return false;
        }
        let spec = match (&self.spec, &other.spec) {
            (Some(a), Some(b)) => Some(a.header.shard.is_complemented_by(&b.header.shard)),
            (None, _) | (_, None) => None,
        };
        let fuzz = match (&self.fuzz, &other.fuzz) {
            (Some(a), Some(b)) => {
                Some(a.header.shard.is_complemented_by(&b.header.shard) && a.seed == b.seed)
            }
            (None, _) | (_, None) => None,
        };
        spec.or(fuzz) == Some(true) && fuzz != Some(false)
    }

    fn add(&mut self, other: Night) {
        self.folders.extend(other.folders);
        match (&mut self.spec, other.spec) {
            (Some(spec), Some(more)) => spec.add(more),
            (spec @ None, more) => *spec = more,
            (Some(_), None) => {}
        }
        match (&mut self.fuzz, other.fuzz) {
            (Some(fuzz), Some(more)) => fuzz.add(more),
            (fuzz @ None, more) => *fuzz = more,
            (Some(_), None) => {}
        }
    }

    /// How it stands. What went wrong counts more than what is missing.
    pub fn state(&self) -> State {
        let is_clean = self.spec.as_ref().is_none_or(Spec::is_clean)
            && self.fuzz.as_ref().is_none_or(|fuzz| fuzz.diverge == 0);
        if self.is_empty() {
            return State::Empty;
        }
        if !is_clean {
            return State::NotGreen;
        }
        let missing = self.missing();
        if missing.is_empty() { State::Green } else { State::Incomplete(missing.join("; ")) }
    }

    /// What of the work was not done, or gave nothing to judge by.
    pub fn missing(&self) -> Vec<String> {
        let headers = [
            ("suite", self.spec.as_ref().map(|spec| &spec.header)),
            ("campaign", self.fuzz.as_ref().map(|fuzz| &fuzz.header)),
        ];
        let incomplete =
            |(what, header): (&str, Option<&Header>)| Some(format!("{what}: {}", header?.incomplete()?));
        let mut missing: Vec<String> = headers.into_iter().filter_map(incomplete).collect();
        let without = self.spec.as_ref().map(Spec::without_evidence).unwrap_or_default();
        missing.extend(without.iter().map(|who| format!("suite: nothing was judged in {who}")));
        let doubts = self.fuzz.as_ref().map(Fuzz::doubts).unwrap_or_default();
        missing.extend(doubts.into_iter().map(|doubt| format!("campaign: {doubt}")));
        missing
    }

    /// Whether nothing failed, differed or could not be read, and all of the work was done.
    pub fn is_green(&self) -> bool {
        self.state() == State::Green
    }

    /// Whether nothing ran at all.
    pub fn is_empty(&self) -> bool {
        let nothing =
            |spec: &Spec| spec.is_clean() && spec.modes.values().all(|counts| !counts.has_evidence());
        self.spec.as_ref().is_none_or(nothing)
            && self.fuzz.as_ref().is_none_or(|fuzz| fuzz.agree + fuzz.diverge == 0)
    }

    /// What is different since an earlier night.
    pub fn since(&self, before: &Night) -> Since {
        let scripts = match (&self.spec, &before.spec) {
            (Some(now), Some(before)) => Standings::of(now).since(&Standings::of(before), false),
            (None, _) | (_, None) => Changes::default(),
        };
        let found = |night: &Night| -> BTreeSet<String> {
            let findings = night.fuzz.iter().flat_map(|fuzz| &fuzz.findings);
            findings.map(|finding| finding.fingerprint.clone()).collect()
        };
        let (now, then) = (found(self), found(before));
        Since {
            before: before.name.clone(),
            scripts,
            new_findings: now.difference(&then).cloned().collect(),
            gone_findings: then.difference(&now).cloned().collect(),
        }
    }

    /// The night in a line.
    pub fn point(&self) -> Point {
        let sum = |of: fn(&crate::script::ModeCounts) -> u64| {
            self.spec.as_ref().map(|spec| spec.modes.values().map(of).sum())
        };
        let fuzz = self.fuzz.as_ref();
        Point {
            name: self.name.clone(),
            started_s: self.started_s(),
            commit: self.commit().to_string(),
            passed: sum(|counts| counts.passed),
            failed: sum(crate::script::ModeCounts::all_failed),
            skipped: sum(|counts| counts.skipped),
            cases: fuzz.map(|fuzz| fuzz.cases),
            findings: fuzz.map(|fuzz| fuzz.findings.len() as u64),
            cases_per_cpu_s: fuzz.map(|fuzz| fuzz.cases_per_cpu_s),
        }
    }
}

/// The nights in some folders, the earliest first.
///
/// Fails with one line if there is none in one of them, or if something cannot be read.
pub fn nights(folders: &[PathBuf]) -> Result<Vec<Night>, String> {
    let mut all = Vec::new();
    for folder in folders {
        if !folder.is_dir() {
            return Err(format!("{}: expected a folder that a run wrote", folder.display()));
        }
        let inside = below(folder, 2)?;
        if inside.is_empty() {
            return Err(format!(
                "{}: neither {SPEC_FILE} nor {FUZZ_FILE} in this folder or in its folders",
                folder.display()
            ));
        }
        all.extend(inside);
    }
    Ok(in_order(together(all, None)))
}

/// The night of one folder, and those before it: what stands beside the folder and began earlier.
pub fn with_earlier(folder: &Path) -> Result<Vec<Night>, String> {
    let Some(night) = Night::read(folder)? else { return nights(&[folder.to_path_buf()]) };
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let beside = whole.parent().map_or_else(|| Ok(Vec::new()), folders_in);
    let beside = beside.map_err(|error| format!("{}: cannot read: {error}", folder.display()))?;
    let mut earlier = Vec::new();
    for other in beside.into_iter().filter(|other| *other != whole) {
        // What stands beside it need not be ours.
        earlier.extend(Night::read(&other).ok().flatten());
    }
    let mut earlier = in_order(together(earlier, None));
    earlier.retain(|other| other.started_s() < night.started_s());
    earlier.push(night);
    Ok(earlier)
}

/// The runs in a folder, or in its folders.
fn below(folder: &Path, depth: u32) -> Result<Vec<Night>, String> {
    if let Some(night) = Night::read(folder)? {
        return Ok(vec![night]);
    }
    let mut inside = Vec::new();
    if depth > 0 {
        let folders =
            folders_in(folder).map_err(|error| format!("{}: cannot read: {error}", folder.display()))?;
        for folder in folders {
            inside.extend(below(&folder, depth - 1)?);
        }
    }
    Ok(together(inside, Some(name_of(folder))))
}

/// Runs with shards put together; if all are shards of one, it gets this name.
fn together(parts: Vec<Night>, name: Option<String>) -> Vec<Night> {
    let several = parts.len() > 1;
    let mut nights: Vec<Night> = Vec::new();
    for part in parts {
        match nights.iter_mut().find(|night| night.is_complemented_by(&part)) {
            Some(night) => night.add(part),
            None => nights.push(part),
        }
    }
    if let ([night], Some(name), true) = (&mut nights[..], name, several) {
        night.name = name;
    }
    nights
}

fn in_order(mut nights: Vec<Night>) -> Vec<Night> {
    nights.sort_by(|a, b| (a.started_s(), &a.name).cmp(&(b.started_s(), &b.name)));
    nights
}

fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut folders: Vec<PathBuf> = entries?.into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn name_of(folder: &Path) -> String {
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    whole.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| format!("{}: cannot read: {error}", path.display()))?,
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("{}: {error}", path.display()))
}
