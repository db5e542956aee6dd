//! The process at the other end.

use super::super::v8::spawn;
use crate::observe::Outcome;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

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
}

impl Peer {
    /// Starts a process. Fails, in one sentence, if there is none or it does not greet.
    pub fn start(words: &[String]) -> Result<Peer, String> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = spawn(command).map_err(|error| format!("cannot start `{}`: {error}", words[0]))?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (to, from) = to.zip(from).expect("both are pipes");
        let from = BufReader::new(from);
        let mut peer = Peer { child, to, from, engine: String::new(), ended: None };
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
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(length) if length > 0 => Ok(line.trim_end().to_string()),
            Ok(_) | Err(_) => Err(self.end()),
        }
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
}
