//! V8 as a subject, through `node`: an outside judge that is compiled for speed, by command and without a feature.
//!
//! A process runs our script (`v8/peer.js`), which makes instances and calls them as it is told; many cases
//! a process, another when it dies. Everything that decides anything is here: the script knows no cases. Hosts too:
//! for a host call the script asks through the pipe, and what answers is the very [`crate::hosts`] that answers
//! everybody. What it does meanwhile (call back, read and write the guest's memory) are questions to the script.
//!
//! In order: [`wire`] is the pipe, [`node`] the process at its end (what it executes is asked with
//! [`super::probe`]); [`bridge`] writes modules that carry numbers to and from it;
//! [`run`] is a case under way, [`links`] what an instance imports; [`outcome`] translates V8's failures.

mod bridge;
mod links;
mod node;
mod outcome;
mod run;
mod wire;

#[cfg(test)]
mod tests;

use super::probe::features::Executed;
use super::{Acceptance, Capabilities, Prepared, Subject, Watch};
use crate::features::Features;
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use node::Node;
pub(super) use node::spawn;
use run::{Run, Stopped};
use std::sync::{Arc, Mutex, PoisonError};

/// V8 in some configuration.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    /// What people call it.
    pub name: &'static str,
    /// Flags that no other has.
    flags: &'static [&'static str],
}

/// The configurations: as it comes (its baseline compiler first, the optimising one for what is hot), and with either alone.
pub const TIERS: [Tier; 3] = [
    Tier { name: "v8", flags: &[] },
    Tier { name: "v8-liftoff", flags: &["--liftoff-only"] },
    Tier { name: "v8-turbofan", flags: &["--no-liftoff", "--no-wasm-tier-up"] },
];

/// V8 as a subject.
pub struct V8Subject {
    tier: Tier,
    version: String,
    executed: Executed,
    /// Processes that wait for a case.
    idle: Mutex<Vec<Node>>,
}

impl V8Subject {
    /// Starts a first process and asks what it executes. Fails, in one line, if there is no node that can be used.
    pub fn start(tier: Tier) -> Result<V8Subject, String> {
        let mut node = Node::start(tier.flags)?;
        let asked = Executed::ask(|probe| node.accepts(&probe.wasm()));
        let mut executed = asked.map_err(|error| format!("`node` does not run our script: {error}"))?;
        // JavaScript does not say who calls, see `links`.
        executed.makes.shared_hosts = false;
        let version = format!("V8 {} of node {}", node.v8, node.node);
        Ok(V8Subject { tier, version, executed, idle: Mutex::new(vec![node]) })
    }

    /// The same, for those who run subjects of all kinds.
    pub fn shared(tier: Tier) -> Result<Arc<dyn Subject>, String> {
        Ok(Arc::new(V8Subject::start(tier)?))
    }

    /// A process that is there: one that waits, if it was not killed meanwhile, or a new one.
    fn node(&self) -> Result<Node, String> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut node) = idle.pop() {
            if node.is_alive() {
                return Ok(node);
            }
        }
        drop(idle);
        Node::start(self.tier.flags)
    }
}

impl Subject for V8Subject {
    fn name(&self) -> &str {
        self.tier.name
    }

    fn version(&self) -> Option<&str> {
        Some(&self.version)
    }

    fn features(&self) -> Features {
        self.executed.makes.clone()
    }

    /// NaN bits are vouched for because judged cases make them canonical themselves, see
    /// [`Profile::Judged`](crate::generate::Profile::Judged).
    fn capabilities(&self) -> Capabilities {
        Capabilities { nan_bits: true, exported_state: true, to_the_end: true, ..Capabilities::NONE }
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let mut node = match self.node() {
            Ok(node) => node,
            Err(error) => {
                let failed = ActionObservation::last(Outcome::Resources(error));
                return Observation { actions: vec![failed] };
            }
        };
        let mut run = Run::new(prepared, &mut node.wire, self.executed.reads, capture);
        let mut actions = Vec::with_capacity(prepared.case.actions.len());
        for (number, action) in prepared.case.actions.iter().enumerate() {
            watch.begins(number);
            match run.action(action) {
                Ok(observed) => {
                    watch.ended(&observed);
                    actions.push(observed);
                }
                Err(Stopped(error)) => {
                    actions.push(ActionObservation::last(node.death(&error)));
                    return Observation { actions };
                }
            }
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(node);
        Observation { actions }
    }

    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        let mut node = match self.node() {
            Ok(node) => node,
            Err(error) => return Acceptance::Failed(Outcome::Resources(error)),
        };
        let accepted = match node.accepts(wasm) {
            Ok(accepted) => accepted,
            Err(error) => return Acceptance::Failed(node.death(&error)),
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(node);
        match accepted {
            true => Acceptance::Valid,
            false => Acceptance::refused(wasm, self.executed.reads, "V8 finds it invalid".into()),
        }
    }
}
