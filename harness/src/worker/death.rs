//! How workers die, and what that shows of the subject that was under way.

use super::protocol::Crash;
use crate::guard::signal_name;
use crate::observe::Outcome;
use std::time::Duration;

/// How a worker died.
#[derive(Clone, PartialEq, Debug)]
pub struct Death {
    /// What ended it.
    pub cause: Cause,
    /// What its signal handler still said.
    pub words: Option<Crash>,
    /// The end of what it wrote to standard error.
    pub told: String,
}

/// What ended a worker.
#[derive(Clone, PartialEq, Debug)]
pub enum Cause {
    /// A signal.
    Signal(i32),
    /// It ended by itself, with this code.
    Exit(i32),
    /// It said nothing for so long, and was killed.
    Silence(Duration),
    /// It used so many bytes of memory, and was killed.
    Memory(u64),
    /// What it said could not be understood, and it was killed.
    Garbled(String),
}

impl Death {
    /// Whether it is certain that no other process did it: a signal without last words may have been sent by any.
    pub fn is_its_own(&self) -> bool {
        self.words.is_some() || !matches!(self.cause, Cause::Signal(_))
    }

    /// What this shows of the subject that was under way. Says nothing that is another number next time.
    pub fn outcome(&self) -> Outcome {
        let mut lines = self.told.lines().rev().map(str::trim);
        let last_line = lines.find(|line| !line.is_empty() && !line.starts_with("note:"));
        let told = last_line.map(|line| format!(": {line}")).unwrap_or_default();
        Outcome::Crash(match &self.cause {
            Cause::Silence(time) => return Outcome::Hang(format!("not done in {} s", time.as_secs_f64())),
            Cause::Memory(limit) => format!("out of memory: more than {} MiB in use", limit >> 20),
            Cause::Exit(code) => format!("the process ends with code {code}{told}"),
            Cause::Garbled(error) => format!("what the process says is garbled: {error}"),
            Cause::Signal(signal) => match &self.words {
                None => signal_name(*signal),
                Some(words) => format!("{}{told}", last_words(words)),
            },
        })
    }
}

fn last_words(words: &Crash) -> String {
    let mut text = signal_name(words.signal);
    if let Some(code) = &words.code {
        text.push_str(&format!(" at {code}"));
    }
    if words.near_stack {
        text.push_str(", the native stack is exhausted");
    } else if words.signal == libc::SIGSEGV && words.address < 1 << 16 {
        text.push_str(&format!(", address {:#x}", words.address));
    }
    text
}
