//! Makes a diverging case as small as it gets while the fingerprint stays.
//!
//! Passes ([`PASSES`]) go from coarse to fine, over and over until none finds anything. A pass only proposes; every
//! proposal is validated and run, and kept if the case is smaller and still diverges the same way. So a pass may be
//! naive about what it breaks. What was refused once is not run again.
//!
//! Passes look at the best case so far by way of [`proposal::Look`]: its bodies as trees, and what the reference
//! executes of it.
//!
//! The caller says what "the same way" is, and may stop it at any time: the best so far is kept.

mod actions;
mod body;
mod entities;
mod hosts;
mod inlining;
mod merging;
mod narrowing;
mod opaque;
mod proposal;
mod script;
mod segments;
mod show;
mod signatures;

use crate::case::Case;
use crate::guard::guarded;
use crosscheck_engine::Module;
use proposal::{Cost, Look, Proposal};
use rayon::prelude::*;
use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use wasmparser::Validator;

pub use opaque::without_constants;
pub use proposal::code_bytes;
pub use script::{to_script, to_script_on};
pub use show::shown;

/// Whether a case still shows what it is reduced for.
pub type Interesting<'a> = dyn Fn(&Case) -> bool + Sync + 'a;

/// What a reduction did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reduced {
    /// The smallest case found.
    pub case: Case,
    /// Cases that were run.
    pub tried: u64,
    /// Proposals that were kept.
    pub kept: u64,
    /// The same by pass, in the order in which passes run.
    pub passes: Vec<PassReport>,
}

/// What a pass did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PassReport {
    /// Its name.
    pub name: &'static str,
    /// Cases that it had run.
    pub tried: u64,
    /// Proposals of it that were kept.
    pub kept: u64,
}

/// Why a case was not reduced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The case does not show what it is to be reduced for.
    Uninteresting,
    /// A case without modules and actions shows it too: the question is wrong.
    EmptyIsInteresting,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Uninteresting => "the case does not diverge the same way twice",
            Refused::EmptyIsInteresting => "a case without modules diverges the same way",
        })
    }
}

/// Something to make a case smaller by.
struct Pass {
    name: &'static str,
    propose: fn(&Look<'_>) -> Vec<Proposal>,
    /// Whether it is so cheap, and helps others so much, that it runs again after each that kept something.
    tidies: bool,
}

const fn pass(name: &'static str, propose: fn(&Look<'_>) -> Vec<Proposal>) -> Pass {
    Pass { name, propose, tidies: false }
}

const fn tidying(name: &'static str, propose: fn(&Look<'_>) -> Vec<Proposal>) -> Pass {
    Pass { name, propose, tidies: true }
}

const FUEL: &str = "fuel";

/// The passes, from coarse to fine.
const PASSES: &[Pass] = &[
    pass("actions", actions::fewer_actions),
    pass("modules", actions::fewer_modules),
    pass("modules in one", merging::merged),
    tidying("code that is not executed", body::unexecuted),
    tidying("entities", entities::fewer),
    pass("imports", hosts::defined),
    pass(FUEL, actions::less_fuel),
    pass("bodies", body::emptied),
    pass("statements", body::fewer_statements),
    pass("blocks", body::blocks::unwrapped),
    pass("parameters of blocks", body::blocks::without_parameters),
    pass("expressions", body::simpler_expressions),
    pass("calls through tables", body::calls::direct),
    pass("calls", inlining::inlined),
    pass("parameters and results", signatures::shorter),
    pass("labels", body::immediates::fewer_labels),
    pass("locals in place of others", body::locals::merged),
    pass("locals", body::locals::fewer),
    pass("segments, globals and limits of memories", segments::smaller),
    pass("narrower numbers", narrowing::narrower),
    pass("constants", body::immediates::smaller_constants),
    pass("memory accesses", body::immediates::smaller_accesses),
    pass("arguments", actions::simpler_arguments),
    pass("hosts", actions::simpler_hosts),
    pass("limits", actions::usual_limits),
    pass("hosts as modules", hosts::played),
];

/// Passes that exchange what is special for what is usual. What shows a bug the way a finding did may not survive
/// them, but something that shows it does.
const EXCHANGES: &[Pass] = &[
    pass("ends", body::ended),
    pass("opcodes", body::opcodes::plainer),
    pass("stores", body::opcodes::loads),
    pass("jump tables", body::opcodes::jumps),
    pass("plain calls", body::calls::plain),
];

/// Proposals that are judged at once.
const BATCH: usize = 8;

/// A reduction under way.
pub struct Reducer<'a> {
    interesting: &'a Interesting<'a>,
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(&Case) + Sync),
    best: Case,
    cost: Cost,
    /// Hashes of what was run and did not show the same.
    refused: Mutex<HashSet<u64>>,
    tried: AtomicU64,
    passes: Vec<PassReport>,
    /// Whether passes may see what the reference executes.
    traces: bool,
    /// Passes, from coarse to fine.
    list: Vec<&'static Pass>,
}

impl<'a> Reducer<'a> {
    /// A reduction of a case that is interesting; checks that it is, and that the empty case is not.
    pub fn new(
        case: &Case,
        interesting: &'a Interesting<'a>,
        stop: &'a AtomicBool,
        progress: &'a (dyn Fn(&Case) + Sync),
    ) -> Result<Reducer<'a>, Refused> {
        if !interesting(case) {
            return Err(Refused::Uninteresting);
        }
        let empty = Case { modules: Vec::new(), actions: Vec::new(), ..case.clone() };
        if interesting(&empty) {
            return Err(Refused::EmptyIsInteresting);
        }
        Ok(Reducer {
            interesting,
            stop,
            progress,
            cost: Cost::of(case),
            best: case.clone(),
            refused: Mutex::default(),
            tried: AtomicU64::new(2),
            passes: PASSES.iter().map(|pass| PassReport { name: pass.name, tried: 0, kept: 0 }).collect(),
            traces: true,
            list: PASSES.iter().collect(),
        })
    }

    /// The same with passes that exchange what is special for what is usual, and with all the fuel that there is.
    pub fn with_exchanges(mut self) -> Reducer<'a> {
        self.list = PASSES.iter().filter(|pass| pass.name != FUEL).chain(EXCHANGES).collect();
        self.passes =
            self.list.iter().map(|pass| PassReport { name: pass.name, tried: 0, kept: 0 }).collect();
        self
    }

    /// The same without a look at what the reference executes, which happens in this process: for cases that the
    /// reference does not survive.
    pub fn without_trace(self) -> Reducer<'a> {
        Reducer { traces: false, ..self }
    }

    /// Runs all passes until none finds anything, or it is told to stop.
    pub fn run(mut self) -> Reduced {
        let tidying: Vec<usize> = (0..self.list.len()).filter(|pass| self.list[*pass].tidies).collect();
        while !self.is_stopped() {
            let mut is_better = false;
            for number in 0..self.list.len() {
                if !self.sweep(number) {
                    continue;
                }
                is_better = true;
                while tidying.iter().filter(|pass| self.sweep(**pass)).count() > 0 {}
            }
            if !is_better {
                break;
            }
        }
        let kept = self.passes.iter().map(|pass| pass.kept).sum();
        Reduced { case: self.best, tried: self.tried.into_inner(), kept, passes: self.passes }
    }

    fn proposals(&self, pass: usize) -> Vec<Proposal> {
        let look = if self.traces { Look::at(&self.best) } else { Look::without_trace(&self.best) };
        // A pass that cannot cope with a case proposes nothing; what other passes found is kept.
        guarded(|| (self.list[pass].propose)(&look)).unwrap_or_default()
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Goes through what a pass proposes, a batch at a time; says whether anything was kept. After a success the
    /// list is made anew and gone on with where it was. Several are judged at once, but always the first that shows
    /// the same is taken, so that a reduction is repeatable.
    fn sweep(&mut self, number: usize) -> bool {
        let before = self.passes[number].kept;
        let tried = self.tried.load(Ordering::Relaxed);
        let mut proposals = self.proposals(number);
        let mut next = 0;
        while next < proposals.len() && !self.is_stopped() {
            let batch = &proposals[next..proposals.len().min(next + BATCH)];
            let made = |proposal: &Proposal| proposal.made(&self.best, &self.cost);
            let shows = |proposal: &Proposal| made(proposal).is_some_and(|case| self.shows(&case));
            match batch.par_iter().position_first(shows) {
                Some(found) => {
                    let case = made(&batch[found]).expect("it was made before");
                    next += found;
                    self.cost = Cost::of(&case);
                    self.best = case;
                    self.passes[number].kept += 1;
                    (self.progress)(&self.best);
                    proposals = self.proposals(number);
                }
                None => next += BATCH,
            }
        }
        self.passes[number].tried += self.tried.load(Ordering::Relaxed) - tried;
        self.passes[number].kept > before
    }

    /// Whether a case is valid and shows the same. What was refused before still is.
    fn shows(&self, case: &Case) -> bool {
        let mut hasher = DefaultHasher::new();
        case.to_bytes().hash(&mut hasher);
        let hash = hasher.finish();
        let refused = || self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused().contains(&hash) || self.is_stopped() {
            return false;
        }
        let shows = case.modules.iter().all(|module| is_valid(&module.wasm)) && {
            self.tried.fetch_add(1, Ordering::Relaxed);
            (self.interesting)(case)
        };
        if !shows {
            refused().insert(hash);
        }
        shows
    }
}

fn is_valid(wasm: &[u8]) -> bool {
    guarded(|| Validator::new_with_features(Module::FEATURES).validate_all(wasm).is_ok()).unwrap_or(false)
}

#[cfg(test)]
mod tests;
