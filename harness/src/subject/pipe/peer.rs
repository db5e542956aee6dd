//! The process at the other end.

use super::super::v8::spawn;
use crate::observe::Outcome;
use std::io::{BufRead, BufReader, ErrorKind, Write};
#[cfg(unix)]
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The first words that both ends say: the protocol and its version.
const GREETING: &str = "crosscheck 1";

/// A process that speaks lines.
pub struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// What it calls its engine and release.
    pub engine: String,
    /// How it ended, if it did.
    ended: Option<Outcome>,
    /// How long a line is waited for; none where something else ends this process if it takes too long.
    pub patience: Option<Duration>,
}

impl Peer {
    /// Starts a process. Fails, in one sentence, if there is none or it does not greet in that time.
    pub fn start(words: &[String], patience: Duration) -> Result<Peer, String> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = spawn(command).map_err(|error| format!("cannot start `{}`: {error}", words[0]))?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (to, from) = to.zip(from).expect("both are pipes");
        let from = BufReader::new(from);
        let mut peer = Peer { child, to, from, engine: String::new(), ended: None, patience: Some(patience) };
        // A program that reads nothing may be gone before it is greeted; what it said is heard nevertheless.
        let _ = peer.to.write_all(format!("{GREETING}\n").as_bytes());
        let greeting = peer.hear().map_err(|outcome| {
            format!("`{}` does not speak the line protocol: {}", words.join(" "), outcome.describe())
        })?;
        let engine = greeting.strip_prefix(GREETING).map(str::trim);
        let engine = engine.ok_or_else(|| {
            format!(
                "`{}` was expected to say `{GREETING}` and the name of its engine: {greeting:?}",
                words.join(" ")
            )
        })?;
        peer.engine = engine.to_string();
        Ok(peer)
    }

    /// Says a line.
    pub fn say(&mut self, line: &str) -> Result<(), Outcome> {
        let said = self.to.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.to.flush());
        said.map_err(|_| self.end())
    }

    /// The next line.
    pub fn hear(&mut self) -> Result<String, Outcome> {
        let started = Instant::now();
        let mut line = Vec::new();
        loop {
            if let Some(patience) = self.patience
                && self.from.buffer().is_empty()
                && !self.is_readable(patience.saturating_sub(started.elapsed()))
            {
                return Err(self.hang(patience));
            }
            let read = match self.from.fill_buf() {
                Ok([]) if line.is_empty() => return Err(self.end()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(self.end()),
            };
            let end = read.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(read.len(), |end| end + 1);
            let is_last = end.is_some() || read.is_empty();
            line.extend_from_slice(&read[..length]);
            self.from.consume(length);
            if is_last {
                return Ok(String::from_utf8_lossy(&line).trim_end().to_string());
            }
        }
    }

    /// Waits so long for something to read; whether there is something.
    #[cfg(unix)]
    fn is_readable(&self, time: Duration) -> bool {
        let mut pipe = libc::pollfd { fd: self.from.get_ref().as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let milliseconds = libc::c_int::try_from(time.as_millis()).unwrap_or(libc::c_int::MAX);
        loop {
            // SAFETY: there is one descriptor, which outlives the call.
            let ready = unsafe { libc::poll(&mut pipe, 1, milliseconds) };
            // A signal is no answer, and starts the time anew.
            if ready >= 0 || std::io::Error::last_os_error().kind() != ErrorKind::Interrupted {
                return ready != 0;
            }
        }
    }

    /// Nothing of the standard library waits for a pipe.
    #[cfg(not(unix))]
    fn is_readable(&self, _: Duration) -> bool {
        true
    }

    /// The answer to a line.
    pub fn ask(&mut self, line: &str) -> Result<String, Outcome> {
        self.say(line)?;
        self.hear()
    }

    /// How it ended, if it did.
    pub fn death(&self) -> Option<&Outcome> {
        self.ended.as_ref()
    }

    /// What cannot be understood ends the process: nothing that it says later can be trusted.
    pub fn garbled(&mut self, line: &str) -> Outcome {
        let said: String = line.chars().take(80).collect();
        self.ended
            .insert(Outcome::Crash(format!("the driver says what the protocol does not know: {said:?}")))
            .clone()
    }

    /// A process that says nothing is ended with all that it started: what it says later answers another question.
    fn hang(&mut self, patience: Duration) -> Outcome {
        self.kill();
        let message = format!("the driver says nothing for {} s", patience.as_secs_f64());
        self.ended.insert(Outcome::Hang(message)).clone()
    }

    /// Kills the process and what it started.
    fn kill(&mut self) {
        // Its group ends with it, in case the command is a shell's. It was started as the leader of one.
        #[cfg(unix)]
        if let Ok(leader) = i32::try_from(self.child.id()) {
            // SAFETY: the call takes numbers only. The child was not waited for, so its number is still its own, unless
            // it ended by itself.
            unsafe { libc::kill(-leader, libc::SIGKILL) };
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the end of a process that no longer reads or writes.
    fn end(&mut self) -> Outcome {
        let outcome = match self.child.wait() {
            Ok(status) => Outcome::Crash(format!("the driver ended: {status}")),
            Err(error) => Outcome::Crash(format!("the driver is gone: {error}")),
        };
        self.ended.get_or_insert(outcome).clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A number that was waited for may be another's.
        if !matches!(self.ended, Some(Outcome::Hang(_))) {
            self.kill();
        }
    }
}
