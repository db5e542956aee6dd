//! What is kept on disk: findings, a folder each, and how far a campaign has come. Everything is written whole or not
//! at all, so whoever is killed at any moment leaves nothing half-written that looks whole.

pub mod campaign;
pub mod finding;

pub use finding::{Finding, REDUCED_FILE};

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes a file whole or not at all: under another name, then renamed. Makes the folders on the way.
pub fn write_whole(target: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let building = building(target);
    fs::write(&building, bytes)?;
    fs::rename(&building, target)
}

/// Where something is built before it gets its name: hidden, and marked with the process that builds it.
fn building(target: &Path) -> PathBuf {
    let mut name = OsString::from(format!(".{}-", std::process::id()));
    name.push(target.file_name().unwrap_or_default());
    target.with_file_name(name)
}

/// Removes what killed processes were building in a folder. Others may be building there still: theirs stays.
#[cfg(unix)]
pub fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let builder = name.to_str().and_then(|name| name.strip_prefix('.')?.split_once('-')?.0.parse().ok());
        let Some(builder) = builder else { continue };
        // SAFETY: signal 0 is sent to nobody; the call only says whether the process is there.
        let is_alive = unsafe { libc::kill(builder, 0) } == 0;
        if !is_alive && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if !is_alive {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Nobody can say here who still builds, so all of it stays; nobody reads it.
#[cfg(not(unix))]
pub fn remove_unfinished(_: &Path) -> io::Result<()> {
    Ok(())
}
