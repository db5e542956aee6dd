//! Which files belong to which room, and which are left out.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A part of the bench that mutants are drawn from, each on its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Room {
    /// The in-place interpreter.
    Interp,
    /// The register interpreter.
    FastInterp,
    /// The single-pass compiler.
    Baseline,
    /// What compiled modes stand on.
    Native,
    /// What all modes share.
    Floor,
    /// What lies between a mode's answer and a verdict.
    Harness,
}

/// Files and folders of a room, relative to the workspace.
const PLACES: &[(Room, &[&str])] = &[
    (Room::Interp, &["engine/src/interp.rs", "engine/src/interp"]),
    (Room::FastInterp, &["engine/src/fast_interp.rs", "engine/src/fast_interp"]),
    (Room::Baseline, &["engine/src/baseline.rs", "engine/src/baseline"]),
    (Room::Native, &["engine/src/native.rs", "engine/src/native"]),
    (
        Room::Floor,
        &[
            "engine/src/backtrace.rs",
            "engine/src/entities.rs",
            "engine/src/executor.rs",
            "engine/src/func.rs",
            "engine/src/handle.rs",
            "engine/src/instance.rs",
            "engine/src/limits.rs",
            "engine/src/linker.rs",
            "engine/src/memory.rs",
            "engine/src/memory",
            "engine/src/module.rs",
            "engine/src/module",
            "engine/src/numeric.rs",
            "engine/src/numeric",
            "engine/src/opcode.rs",
            "engine/src/opcode",
            "engine/src/platform.rs",
            "engine/src/platform",
            "engine/src/slots.rs",
            "engine/src/slots",
            "engine/src/store.rs",
            "engine/src/trap.rs",
            "engine/src/types.rs",
            "engine/src/val.rs",
        ],
    ),
    (
        Room::Harness,
        &[
            "harness/src/campaign.rs",
            "harness/src/case.rs",
            "harness/src/case",
            "harness/src/compare.rs",
            "harness/src/compare/difference.rs",
            "harness/src/compare/groups.rs",
            "harness/src/compare/state.rs",
            "harness/src/digest.rs",
            "harness/src/fingerprint.rs",
            "harness/src/hosts.rs",
            "harness/src/hosts",
            "harness/src/observe.rs",
            "harness/src/observe",
            "harness/src/run.rs",
            "harness/src/subject.rs",
            "harness/src/subject/lane.rs",
            "harness/src/subject/linked.rs",
            "harness/src/trial.rs",
            "harness/src/worker.rs",
            "harness/src/worker",
        ],
    ),
];

/// Files of rooms that no mutant is made of, by a part of their path, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("/tests.rs", "tests"),
    ("/tests/", "tests"),
    ("planted", "faults that are planted by name"),
    ("/explain.rs", "text for people"),
    ("/listing.rs", "text for people"),
    ("/describe.rs", "text for people"),
    ("/disassemble.rs", "text for people"),
    ("observe/json.rs", "text for people"),
    (
        "native/verify",
        "the verifier, which checks what the compiler made: a check that is broken finds no less elsewhere",
    ),
    ("baseline/ledger.rs", "the verifier"),
    ("native/x64/decode.rs", "the verifier's decoder"),
    ("engine/src/opcode/atomic.rs", "proposals that no mode executes"),
    ("engine/src/opcode/structure.rs", "proposals that no mode executes"),
    ("engine/src/opcode/vector.rs", "proposals that no mode executes"),
];

impl Room {
    /// Every room.
    pub const ALL: [Room; 6] =
        [Room::Interp, Room::FastInterp, Room::Baseline, Room::Native, Room::Floor, Room::Harness];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Room::Interp => "interp",
            Room::FastInterp => "fast-interp",
            Room::Baseline => "baseline",
            Room::Native => "native",
            Room::Floor => "floor",
            Room::Harness => "harness",
        }
    }

    /// The Rust files of the room that mutants are made of, relative to the workspace at `root`, in the order of their
    /// names; and how many are left out, by reason. Fails on what cannot be read.
    pub fn files(self, root: &Path) -> Result<(Vec<PathBuf>, BTreeMap<&'static str, usize>), String> {
        let mut left_out_by = BTreeMap::new();
        let mut files = self.all_files(root)?;
        files.retain(|file| match left_out(file) {
            Some(why) => {
                *left_out_by.entry(why).or_default() += 1;
                false
            }
            None => true,
        });
        Ok((files, left_out_by))
    }

    fn all_files(self, root: &Path) -> Result<Vec<PathBuf>, String> {
        let (_, places) = PLACES.iter().find(|(room, _)| *room == self).expect("every room has a row");
        let mut files = Vec::new();
        for place in *places {
            let path = root.join(place);
            if path.is_dir() {
                below(root, &path, &mut files)?;
            } else if path.is_file() {
                files.push(PathBuf::from(place));
            } else {
                return Err(format!("{place}: there is no such file or folder"));
            }
        }
        files.sort();
        Ok(files)
    }
}

impl std::str::FromStr for Room {
    type Err = String;

    fn from_str(name: &str) -> Result<Room, String> {
        let names = || Room::ALL.map(Room::name).join(", ");
        Room::ALL
            .into_iter()
            .find(|room| room.name() == name)
            .ok_or_else(|| format!("no room {name:?}: there are {}", names()))
    }
}

/// All Rust files below a folder of the workspace, relative to it, in the order of their names.
pub fn rust_files(root: &Path, place: &str) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    below(root, &root.join(place), &mut files)?;
    files.sort();
    Ok(files)
}

/// The text of a file. Fails with its name.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Why no mutant is made of a file, if none is.
fn left_out(file: &Path) -> Option<&'static str> {
    let path = file.to_string_lossy();
    LEFT_OUT.iter().find(|(part, _)| path.contains(part)).map(|(_, why)| *why)
}

fn below(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let fails = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(fails)? {
        let path = entry.map_err(fails)?.path();
        if path.is_dir() {
            below(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path.strip_prefix(root).expect("it is below").to_path_buf());
        }
    }
    Ok(())
}
