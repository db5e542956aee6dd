//! What fuzz targets do: functions over bytes, tested on stable; `fuzz_targets/` only plugs them into libFuzzer.
//!
//! A target says what its bytes mean ([`Target::read`]) and how they are varied ([`mutators`]); what is done with
//! them is the same for all ([`Target::run`]), and so is `replay --target`. Most targets take a module in an
//! [`envelope`]: plain wasm, with what else belongs to the case in a custom section. So a corpus is readable by any
//! tool, is good seed for other fuzzers, and keeps its meaning when a generator changes.
//!
//! Everything runs in the fuzzer's own process and thread: it wants to see coverage, and to catch crashes itself.

pub mod envelope;
pub mod mutators;

use crate::campaign::Lanes;
use crate::case::Case;
use crate::compare::{Divergence, Verdict};
use crate::digest::Digest;
use crate::draw::case_seed;
use crate::generate::plan;
use crate::observe::Capture;
use crate::script::{self, Options, ScriptFile};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::{Config, Engine, Mode, Module};
use std::sync::Arc;

/// A fuzz target.
pub struct Target {
    /// What people call it, and the file below `fuzz_targets/`.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What bytes mean to it.
    pub read: fn(&[u8]) -> Input,
    /// How it makes new bytes of old ones; none if any bytes will do.
    pub mutate: Option<mutators::Mutate>,
}

/// What bytes mean to a target.
#[derive(Debug)]
pub enum Input {
    /// Nothing that can be run; the corpus does without.
    Nothing,
    /// A case.
    Case(Case),
    /// A script.
    Script(String),
}

/// Every target, in the order in which people should know them.
pub const TARGETS: [Target; 7] = [
    Target {
        name: "differential",
        about: "modules by wasm-smith under swarm configuration, with calls",
        read: enveloped,
        mutate: Some(mutators::differential),
    },
    Target {
        name: "single_instruction",
        about: "one instruction at a time, on operands at their borders",
        read: enveloped,
        mutate: Some(mutators::single_instruction),
    },
    Target {
        name: "mutate",
        about: "any valid module, varied by wasm-mutate",
        read: enveloped,
        mutate: Some(mutators::mutate),
    },
    Target {
        name: "decode",
        about: "any bytes: no panic, and what validates runs",
        read: any_bytes,
        mutate: None,
    },
    Target { name: "wast_text", about: "any text as a script", read: any_text, mutate: None },
    Target {
        name: "host_calls",
        about: "modules that mostly call the host and are called back",
        read: enveloped,
        mutate: Some(mutators::host_calls),
    },
    Target {
        name: "link",
        about: "two or three modules that share memories, tables, globals and functions",
        read: enveloped,
        mutate: Some(mutators::link),
    },
];

/// The target of that name. Fails with the names there are.
pub fn target(name: &str) -> Result<&'static Target, String> {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        format!("no fuzz target is called `{name}`; there are {}", names.join(", "))
    })
}

impl Target {
    /// Runs everything on those bytes; says whether they are worth keeping in a corpus.
    ///
    /// # Panics
    ///
    /// If subjects differ: that is how a fuzzer learns of it. The message is what `replay` prints, in short.
    pub fn run(&self, bytes: &[u8]) -> bool {
        match (self.read)(bytes) {
            Input::Nothing => false,
            Input::Case(case) => {
                if let Some(divergence) = differ(&case) {
                    panic!("{}", self.told(&divergence));
                }
                true
            }
            Input::Script(text) => {
                let file = ScriptFile::new(self.name, text);
                let lanes = script::Lane::all_modes();
                let Ok(report) = script::run_script(&file, &lanes, &Options::default()) else { return false };
                // A script may well expect what is not so; that modes differ is told in other words.
                let differs = report.failures.iter().find(|failure| failure.is_difference());
                if let Some(failure) = differs {
                    panic!("line {}: {}: {}", failure.line, failure.mode, failure.message);
                }
                true
            }
        }
    }

    fn told(&self, divergence: &Divergence) -> String {
        let groups: Vec<String> = divergence.groups.iter().map(|group| group.join(" ")).collect();
        format!(
            "{} differ\n  first difference: {}\n  fingerprint: {}\n  look at: {}\n  repeat: crosscheck replay --target {} FILE",
            groups.join(" / "),
            divergence.first,
            divergence.fingerprint(),
            divergence.triage(),
            self.name,
        )
    }
}

/// How the subjects of a fuzz run differ on a case, if they do.
fn differ(case: &Case) -> Option<Divergence> {
    let subjects: Vec<LaneSubject> = lanes(case).into_iter().map(LaneSubject::new).collect();
    let subjects: Vec<&dyn Subject> = subjects.iter().map(|subject| subject as &dyn Subject).collect();
    match run_case(case, &subjects, Capture::Digest).verdict {
        Verdict::Diverge(divergence) => Some(divergence),
        Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
    }
}

/// The lanes that a case runs on: every mode, with switches that follow from the case alone.
fn lanes(case: &Case) -> Vec<Lane> {
    Lanes::Swarm(Mode::all().collect()).draw(seed_of(&case.to_bytes()))
}

/// The subjects that a case of a fuzz run was run on, for who repeats it.
pub fn subjects(case: &Case) -> Vec<Arc<dyn Subject>> {
    lanes(case).into_iter().map(LaneSubject::shared).collect()
}

/// A seed that follows from bytes.
fn seed_of(bytes: &[u8]) -> u64 {
    let mut digest = Digest::default();
    digest.bytes(bytes);
    case_seed(digest.finish(), 0)
}

/// What stands before any text, so that endless loops end.
const SCRIPT_LIMITS: &str = ";;! fuel: 20000\n";

fn enveloped(bytes: &[u8]) -> Input {
    envelope::read(bytes).map_or(Input::Nothing, Input::Case)
}

/// Decodes any bytes as a module; one that is valid becomes a case.
fn any_bytes(bytes: &[u8]) -> Input {
    let engine = Engine::new(&Config::new(Mode::Interp));
    if Module::new(&engine, bytes).is_err() {
        return Input::Nothing;
    }
    plan::plan(bytes.to_vec(), seed_of(bytes)).map_or(Input::Nothing, Input::Case)
}

fn any_text(bytes: &[u8]) -> Input {
    std::str::from_utf8(bytes).map_or(Input::Nothing, |text| Input::Script(format!("{SCRIPT_LIMITS}{text}")))
}

#[cfg(test)]
mod tests;
