//! Where modules are written for commands: one folder a run, gone when the run ends, however it ends.
//!
//! The run's process makes the folder and holds a lock on it as long as it lives. Workers hear of it by an environment
//! variable, for they may be another build of the program; one that does not hear of any makes its own. What a
//! run leaves that was killed is removed by its workers' watchdogs, and if those were killed as well by the next run,
//! which tells by the lock that nobody lives there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// The environment variable that tells a worker where the folder is.
pub(crate) const VARIABLE: &str = "CROSSCHECK_SCRATCH";
/// What names of folders begin with.
const PREFIX: &str = "crosscheck-run-";
/// Files of one process at the same time: one a thread, of which there are no more.
pub(super) const MOST_FILES: usize = 1024;

/// The folder, and the lock on it if this process made it.
struct Folder {
    path: PathBuf,
    lock: Option<File>,
}

/// The folder of this process, once it was needed.
static FOLDER: OnceLock<Folder> = OnceLock::new();
/// Which files of this process are in use.
static IN_USE: Mutex<Vec<bool>> = Mutex::new(Vec::new());

/// The folder; makes it if need be. Fails if the system does.
pub(crate) fn folder() -> io::Result<&'static Path> {
    if let Some(folder) = FOLDER.get() {
        return Ok(&folder.path);
    }
    let told = std::env::var_os(VARIABLE).map(PathBuf::from).filter(|path| path.is_dir());
    let folder = match told {
        Some(path) => Folder { path, lock: None },
        None => make(&std::env::temp_dir())?,
    };
    // Where two threads come at once, one folder is too many.
    if let Err(surplus) = FOLDER.set(folder) {
        surplus.remove();
    }
    Ok(&FOLDER.get().expect("it was just set").path)
}

/// The folder, if there is one: what workers are told.
pub(crate) fn made() -> Option<&'static Path> {
    FOLDER.get().map(|folder| folder.path.as_path())
}

/// Removes the folder if this process made it. Nothing must be under way in it.
pub(super) fn end() {
    if let Some(folder) = FOLDER.get() {
        folder.remove();
    }
}

impl Folder {
    fn remove(&self) {
        if self.lock.is_some() {
            // What cannot be removed now is removed by the next run.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes what dead runs left in a folder for temporary files, and makes a folder there.
fn make(temporary: &Path) -> io::Result<Folder> {
    sweep(temporary);
    let moment = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let name = format!("{}-{moment}", std::process::id());
    // Under another name until it is locked, so that no other run takes it for a dead one's.
    let unlocked = temporary.join(format!("crosscheck-new-{name}"));
    let path = temporary.join(format!("{PREFIX}{name}"));
    create(&unlocked)?;
    let lock = File::open(&unlocked)?;
    lock.lock()?;
    fs::rename(&unlocked, &path)?;
    Ok(Folder { path, lock: Some(lock) })
}

/// A folder that others cannot look into.
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // Other people's folders cannot be opened, and those of runs that live cannot be locked.
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The names that files of this process have. Fails if there is no folder.
pub(super) fn own_files() -> io::Result<impl Iterator<Item = PathBuf>> {
    let folder = folder()?;
    let endings = [Ending::Wasm, Ending::Wast];
    Ok((0..MOST_FILES).flat_map(move |number| endings.map(|ending| path(folder, number, ending))))
}

/// The one file in the folder that belongs to the run, and not to one of its processes. It has a name that a watchdog
/// can know before there is one.
const SHARED_FILE: &str = "shared";

/// Where that file is.
pub(super) fn shared_file() -> io::Result<PathBuf> {
    Ok(folder()?.join(SHARED_FILE))
}

/// Notes something for all processes of the run, under a name. Fails if the system does.
pub(super) fn share(name: &str, text: &str) -> io::Result<()> {
    let line = serde_json::to_string(&(name, text)).expect("texts have a form") + "\n";
    // A line in one piece, for others may write at the same time.
    let mut file = File::options().append(true).create(true).open(shared_file()?)?;
    file.write_all(line.as_bytes())
}

/// What a process of the run noted for all under that name first.
pub(super) fn shared(name: &str) -> Option<String> {
    let text = fs::read_to_string(shared_file().ok()?).ok()?;
    let mut notes = text.lines().filter_map(|line| serde_json::from_str::<(String, String)>(line).ok());
    notes.find(|(noted, _)| noted == name).map(|(_, text)| text)
}

fn path(folder: &Path, number: usize, ending: Ending) -> PathBuf {
    folder.join(format!("{}-{number}.{}", std::process::id(), ending.text()))
}

/// What a file holds.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// A module.
    Wasm,
    /// A script.
    Wast,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Ending::Wasm => "wasm",
            Ending::Wast => "wast",
        }
    }
}

/// A file that is gone when it is no longer needed.
pub(super) struct Scratch {
    number: usize,
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Scratch {
    /// Writes a file. Fails if the system does.
    pub(super) fn write(bytes: &[u8], ending: Ending) -> io::Result<Scratch> {
        let folder = folder()?;
        let scratch = {
            let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
            let number = in_use.iter().position(|taken| !taken).unwrap_or(in_use.len());
            if number >= MOST_FILES {
                return Err(io::Error::other("too many modules at the same time"));
            }
            if number == in_use.len() {
                in_use.push(true);
            }
            in_use[number] = true;
            Scratch { number, path: path(folder, number, ending) }
        };
        fs::write(&scratch.path, bytes)?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed here goes with the folder.
        let _ = fs::remove_file(&self.path);
        IN_USE.lock().unwrap_or_else(PoisonError::into_inner)[self.number] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder for temporary files of a test's own.
    fn temporary(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("crosscheck-scratch-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room");
        path
    }

    #[test]
    fn a_run_removes_what_a_dead_one_left_and_leaves_the_living_alone() {
        let temporary = temporary("sweep");
        let dead = make(&temporary).expect("there is room");
        fs::write(dead.path.join("1-0.wasm"), "left").expect("there is room");
        let left = dead.path.clone();
        // What the system does to the lock of a process that is killed.
        drop(dead.lock);
        let living = make(&temporary).expect("there is room");
        assert!(!left.exists(), "{} was left by a dead run", left.display());
        let another = make(&temporary).expect("there is room");
        assert!(living.path.exists(), "{} is in use", living.path.display());
        for folder in [living, another] {
            folder.remove();
            assert!(!folder.path.exists(), "{} is over", folder.path.display());
        }
        fs::remove_dir(&temporary).expect("nothing is left");
    }
}
