//! Findings on disk: a folder each, written whole or not at all.

use crate::case::Case;
use crate::compare::Divergence;
use crate::subject::OUTSIDE;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A divergence, with all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The campaign's seed.
    pub seed: u64,
    /// The case's index.
    pub index: u64,
    /// Which generator made it.
    pub generator: &'static str,
    /// The case itself.
    pub case: Case,
    /// What differs.
    pub divergence: Divergence,
}

/// The name of the file that holds a finding's case.
pub const CASE_FILE: &str = "case.xchk";

/// The name of the script that a finding was reduced to.
pub const REDUCED_FILE: &str = "reduced.wast";
/// The name of the case that a finding was reduced to.
pub const REDUCED_CASE_FILE: &str = "reduced.xchk";

/// `finding.json`.
#[derive(Serialize)]
struct FindingJson<'a> {
    schema: u32,
    fingerprint: String,
    seed: u64,
    index: u64,
    generator: &'a str,
    subjects: &'a [Vec<String>],
    kind: &'static str,
    first_difference: String,
    triage: &'static str,
    replay: String,
}

impl Finding {
    /// The name of its folder: what it is and where it came from.
    pub fn folder_name(&self) -> String {
        format!("{}-{}-{}", self.divergence.fingerprint().short(), self.seed, self.index)
    }

    /// The one command that repeats it, from the folder it was saved in: on the lanes that it was found with, for a
    /// switch may be what it takes.
    pub fn replay_command(&self, folder: &Path) -> String {
        let names = || self.divergence.groups.iter().flatten().map(String::as_str);
        let is_outside = |name: &&str| OUTSIDE.iter().any(|outside| outside.name == *name);
        let lanes: Vec<&str> = names().filter(|name| !is_outside(name)).collect();
        let outside: Vec<&str> = names().filter(is_outside).collect();
        let mut command =
            format!("cargo run --release -- replay {} --modes {}", folder.display(), lanes.join(","));
        if !outside.is_empty() {
            command += &format!(" --with {}", outside.join(","));
        }
        command
    }

    /// Writes the finding as a folder below `findings` and gives its path.
    ///
    /// The folder is filled under another name and renamed when it is complete: whoever finds it finds all of it.
    pub fn save(&self, findings: &Path) -> io::Result<PathBuf> {
        let target = findings.join(self.folder_name());
        if target.exists() {
            return Ok(target);
        }
        let building = findings.join(format!(".{}-{}", std::process::id(), self.folder_name()));
        if building.exists() {
            fs::remove_dir_all(&building)?;
        }
        fs::create_dir_all(&building)?;
        fs::write(building.join(CASE_FILE), self.case.to_bytes())?;
        for (number, module) in self.case.modules.iter().enumerate() {
            fs::write(building.join(format!("module-{number}.wasm")), &module.wasm)?;
        }
        let json = FindingJson {
            schema: 1,
            fingerprint: self.divergence.fingerprint().to_string(),
            seed: self.seed,
            index: self.index,
            generator: self.generator,
            subjects: &self.divergence.groups,
            kind: self.divergence.first.kind.word(),
            first_difference: self.divergence.first.to_string(),
            triage: self.divergence.triage(),
            replay: self.replay_command(&target),
        };
        fs::write(building.join("finding.json"), serde_json::to_vec_pretty(&json)?)?;
        fs::rename(&building, &target)?;
        Ok(target)
    }
}

/// Writes a file whole or not at all: under another name, then renamed. Makes the folders on the way.
pub fn write_whole(target: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut name = std::ffi::OsString::from(format!(".{}-", std::process::id()));
    name.push(target.file_name().unwrap_or_default());
    let building = target.with_file_name(name);
    fs::write(&building, bytes)?;
    fs::rename(&building, target)
}
