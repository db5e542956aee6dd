//! How far a run has come, for those who have no terminal: one line on stderr for every SIGUSR1, and a file in the
//! report's folder, written at most once a second.

use crate::corpus::write_whole;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The file in the report's folder.
const FILE: &str = "status.json";
/// Seconds between two writings.
const EVERY: Duration = Duration::from_secs(1);

/// Set when the status is asked for.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Who tells.
pub struct Status {
    path: PathBuf,
    what: &'static str,
    /// When the file was written last, counted from the start.
    written: Mutex<Option<Duration>>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Cases or scripts that are done.
    pub done: u64,
    /// How many there will be, if that is known.
    pub of: Option<u64>,
    /// Findings, or failures.
    pub findings: u64,
    /// How long it has run.
    pub elapsed: Duration,
    /// How long it may run.
    pub time: Option<Duration>,
}

/// `status.json`.
#[derive(Serialize)]
struct File {
    schema: u32,
    command: &'static str,
    pid: u32,
    done: u64,
    of: Option<u64>,
    findings: u64,
    per_s: f64,
    elapsed_s: f64,
    left_s: Option<f64>,
}

impl Now {
    /// Done in a second, in the mean.
    fn per_s(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(1e-3)
    }

    /// Seconds that are left, as far as can be said.
    fn left_s(&self) -> Option<f64> {
        let by_count = self.of.map(|of| of.saturating_sub(self.done) as f64 / self.per_s().max(1e-9));
        let by_time = self.time.map(|time| time.saturating_sub(self.elapsed).as_secs_f64());
        match (by_count, by_time) {
            (Some(count), Some(time)) => Some(count.min(time)),
            (count, time) => count.or(time),
        }
    }

    /// One line.
    fn line(&self, what: &str) -> String {
        let Now { done, findings, elapsed, .. } = self;
        let of = self.of.map_or(String::new(), |of| format!(" of {of}"));
        let left = self.left_s().map_or(String::new(), |left| format!(", {left:.0} s left"));
        let (rate, elapsed) = (self.per_s(), elapsed.as_secs_f64());
        format!("{what}: {done}{of}, {findings} findings, {rate:.0}/s, {elapsed:.0} s{left}")
    }
}

impl Status {
    /// From now on this process answers when its status is asked for.
    pub fn new(report: &Path, what: &'static str) -> Status {
        listen();
        Status { path: report.join(FILE), what, written: Mutex::new(None) }
    }

    /// Tells those who asked, and the file if it was not told for a while.
    #[allow(clippy::print_stderr, reason = "stdout is for what the run comes to")]
    pub fn tell(&self, now: &Now) {
        if IS_ASKED.swap(false, Ordering::Relaxed) {
            eprintln!("{}", now.line(self.what));
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_some_and(|written| now.elapsed < written + EVERY) {
            return;
        }
        *written = Some(now.elapsed);
        let file = File {
            schema: 1,
            command: self.what,
            pid: std::process::id(),
            done: now.done,
            of: now.of,
            findings: now.findings,
            per_s: now.per_s(),
            elapsed_s: now.elapsed.as_secs_f64(),
            left_s: now.left_s(),
        };
        let text = serde_json::to_string_pretty(&file).expect("plain data has a text") + "\n";
        // A status that cannot be written is no reason to end what it is about, and the report will say so anyway.
        let _ = write_whole(&self.path, text.as_bytes());
    }
}

impl Drop for Status {
    /// What has ended has no status, but a report.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Lets SIGUSR1 ask.
#[cfg(unix)]
fn listen() {
    extern "C" fn asked(_: libc::c_int) {
        IS_ASKED.store(true, Ordering::Relaxed);
    }
    // SAFETY: the handler only writes an atomic, and the structure is plain data for which all zeros is a value.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = asked as extern "C" fn(libc::c_int) as usize;
        // What was under way goes on.
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
    }
}

/// There is no such signal here; the file tells.
#[cfg(not(unix))]
fn listen() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_ends_first() {
        let now = Now {
            done: 100,
            of: Some(400),
            findings: 2,
            elapsed: Duration::from_secs(10),
            time: Some(Duration::from_secs(30)),
        };
        assert_eq!(now.line("fuzz"), "fuzz: 100 of 400, 2 findings, 10/s, 10 s, 20 s left");
        let endless = Now { of: None, time: None, ..now };
        assert_eq!(endless.line("fuzz"), "fuzz: 100, 2 findings, 10/s, 10 s");
    }
}
