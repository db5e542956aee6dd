//! Any engine behind a process that speaks lines of text: `--with 'NAME=pipe:COMMAND'`.
//!
//! For engines in any language: a driver of some fifty lines makes modules and instances, calls functions and shows what
//! they export, as it is told; for a call of the host it asks back. What there is to say stands in
//! `harness/examples/PROTOCOL.md`, beside drivers to begin with. A process lives as long as it answers, for many cases;
//! one that ends in the middle of a case is a crash, and the next case gets another one.
//!
//! Everything that decides anything is here: hosts are the very [`crate::hosts`] that answer everybody, and the limits of a
//! case become limits of types. [`peer`] is the process, [`line`] how values are written, [`store`] a case under way.

mod line;
mod peer;
mod store;

use super::embedding::{accepts_by, observe};
use super::probe::features::{ANSWER, EXPORT, Executed, Probe, plain};
use super::{Acceptance, Capabilities, Prepared, Subject, Watch};
use crate::case::{HostPlan, Limits, Value};
use crate::features::Features;
use crate::hosts::Host;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use peer::Peer;
use std::convert::Infallible;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use store::PipeStore;

/// What stands before a command.
const PREFIX: &str = "pipe:";

/// How long a driver may take to greet and to answer what is asked before anything runs: as long as an action.
#[cfg(unix)]
fn patience() -> Duration {
    super::command::action_limit()
}

/// A driver cannot be waited for here.
#[cfg(not(unix))]
fn patience() -> Duration {
    Duration::MAX
}

/// An engine behind a process that speaks lines.
pub struct PipeSubject {
    /// What people call it: the label.
    name: String,
    /// The whole of it: `LABEL=pipe:COMMAND`.
    definition: String,
    /// The words of the command.
    words: Vec<String>,
    /// What the driver says of its engine and release.
    version: String,
    /// What the engine executes, once that was asked.
    executed: OnceLock<Executed>,
    /// Processes that wait for a case.
    idle: Mutex<Vec<Peer>>,
}

impl PipeSubject {
    /// The subject of `LABEL=pipe:COMMAND`; none if the text is not one. Fails, in one sentence, if the command does not
    /// start or does not speak the protocol.
    pub fn parse(text: &str) -> Option<Result<PipeSubject, String>> {
        let (label, rest) = text.split_once('=')?;
        let command = rest.strip_prefix(PREFIX)?;
        if label.is_empty() || label.contains(char::is_whitespace) {
            return Some(Err(format!(
                "expected LABEL={PREFIX}COMMAND in `{text}`, with a label without spaces"
            )));
        }
        Some(PipeSubject::start(label, text, command))
    }

    fn start(label: &str, definition: &str, command: &str) -> Result<PipeSubject, String> {
        let words = shell_words::split(command).map_err(|error| format!("`{command}`: {error}"))?;
        if words.is_empty() {
            return Err(format!("expected a command after `{label}={PREFIX}`"));
        }
        let peer = Peer::start(&words, patience())?;
        Ok(PipeSubject {
            name: label.to_string(),
            definition: definition.to_string(),
            words,
            version: peer.engine.clone(),
            executed: OnceLock::new(),
            idle: Mutex::new(vec![peer]),
        })
    }

    /// A process that is there: one that waits, or a new one.
    fn peer(&self) -> Result<Peer, String> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Peer::start(&self.words, patience()), Ok)
    }

    /// Takes back a process that has answered all.
    fn give_back(&self, peer: Peer) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(peer);
    }

    fn executed(&self) -> &Executed {
        self.executed.get_or_init(|| {
            // An engine that hangs is not asked again: it would take as long for each question.
            let mut is_asked = self.works(&plain()) == Some(true);
            let asked = Executed::ask::<Infallible>(|probe| {
                let works = if is_asked { self.works(probe) } else { Some(false) };
                is_asked &= works.is_some();
                Ok(works == Some(true))
            });
            let Ok(mut executed) = asked;
            // The protocol does not say who calls a host function.
            executed.makes.shared_hosts = false;
            executed
        })
    }

    /// Whether a probe gives its answer; none if the driver does not answer in time.
    fn works(&self, probe: &Probe) -> Option<bool> {
        let Ok(mut peer) = self.peer() else { return Some(false) };
        peer.patience = Some(patience());
        let mut ask = || {
            peer.ask("reset").ok()?;
            peer.ask(&format!("module 0 {}", line::hex(&probe.wasm()))).ok()?.strip_prefix("ok")?;
            peer.ask("instance 0 0").ok()?.strip_prefix("ok")?;
            let answer = peer.ask(&format!("call 0 {}", line::hex(EXPORT.as_bytes()))).ok()?;
            line::values(answer.strip_prefix("values")?)
        };
        let works = ask() == Some(vec![Value::I32(ANSWER)]);
        let hangs = matches!(peer.death(), Some(Outcome::Hang(_)));
        if works {
            self.give_back(peer);
        }
        (!hangs).then_some(works)
    }
}

impl Subject for PipeSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn version(&self) -> Option<&str> {
        Some(&self.version)
    }

    fn features(&self) -> Features {
        self.executed().makes.clone()
    }

    /// NaN bits are vouched for because judged cases make them canonical themselves, see
    /// [`Profile::Judged`](crate::generate::Profile::Judged). Of traps of one family the words of few engines say which.
    fn capabilities(&self) -> Capabilities {
        Capabilities { nan_bits: true, exported_state: true, to_the_end: true, ..Capabilities::NONE }
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mut peer = match self.peer() {
            Ok(peer) => peer,
            Err(error) => {
                return Observation { actions: vec![ActionObservation::last(Outcome::Resources(error))] };
            }
        };
        let host = Host::new(prepared.case.hosts, capture);
        // The process that this one is of ends a case that takes too long.
        peer.patience = None;
        let reads = || self.executed().reads;
        let store = PipeStore::new(&mut peer, prepared.case.limits, host, &reads);
        let mut observation = observe(store, prepared, capture, watch);
        match peer.death() {
            None => self.give_back(peer),
            // What comes after the action in which the process ended was not asked.
            Some(_) => {
                let ended = observation.actions.iter().position(|action| action.outcome.failure().is_some());
                observation.actions.truncate(ended.map_or(usize::MAX, |ended| ended + 1));
            }
        }
        observation
    }

    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        let reads = self.executed().reads;
        let mut peer = match self.peer() {
            Ok(peer) => peer,
            Err(error) => return Acceptance::Failed(Outcome::Resources(error)),
        };
        peer.patience = None;
        let host = Host::new(HostPlan::new(0, 0), Capture::Digest);
        let never_asked = || reads;
        let mut store = PipeStore::new(&mut peer, Limits::default(), host, &never_asked);
        let acceptance = accepts_by(wasm, reads, || store.compile_as_it_is(wasm));
        match peer.death() {
            Some(death) => Acceptance::Failed(death.clone()),
            None => {
                self.give_back(peer);
                acceptance
            }
        }
    }
}

impl std::fmt::Debug for PipeSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeSubject").field("words", &self.words).finish_non_exhaustive()
    }
}
