//! What is kept on disk: findings, a folder each, and how far a campaign has come. Everything is written whole or not
//! at all, so a process that is killed at any moment leaves nothing half-written that looks whole.

pub mod campaign;
pub mod finding;
mod started;

pub use finding::REDUCED_FILE;
pub use started::Started;

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

/// The folder for a campaign's findings below its report's folder.
pub const FINDINGS: &str = "findings";

/// Makes room for the findings of a new campaign: those of an earlier one are kept beside it, under a number. Gives
/// where they went, if there were any.
pub fn put_aside(report: &Path) -> io::Result<Option<PathBuf>> {
    let findings = report.join(FINDINGS);
    let mut entries = match fs::read_dir(&findings) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    if entries.next().is_none() {
        return Ok(None);
    }
    let numbered = |number: u32| report.join(format!("{FINDINGS}-{number}"));
    let free = (1..).map(numbered).find(|folder| !folder.exists()).expect("numbers do not run out");
    fs::rename(&findings, &free)?;
    Ok(Some(free))
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
        // SAFETY: signal 0 is not delivered; the call only says whether the process is there.
        let is_alive = unsafe { libc::kill(builder, 0) } == 0;
        if !is_alive && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if !is_alive {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// This platform does not tell which processes still build, so all of it stays; it is never read.
#[cfg(not(unix))]
pub fn remove_unfinished(_: &Path) -> io::Result<()> {
    Ok(())
}
