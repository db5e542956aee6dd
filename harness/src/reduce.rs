//! Makes a diverging case as small as it gets while the fingerprint stays.
//!
//! Passes go from coarse to fine, over and over until none finds anything: actions and modules; entities of
//! modules ([`entities`]); whole bodies, statements and expressions ([`body`]); constants and locals. A pass
//! only proposes; every proposal is validated and run, and kept if the case still diverges the same way. So a
//! pass may be naive about what it breaks.
//!
//! Whoever calls says what "the same way" is, and may stop it at any time: the best so far is kept.

mod body;
mod entities;
mod script;

use crate::case::{Action, Case, Value};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wasmparser::{Validator, WasmFeatures};

pub use script::to_script;

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
}

/// Why a case was not reduced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The case does not show what it is to be reduced for.
    Uninteresting,
    /// A case without modules and actions shows it too: the question is wrong.
    EmptyIsInteresting,
}

/// Proposals that are judged at once.
const BATCH: usize = 8;

/// A reduction under way.
pub struct Reducer<'a> {
    interesting: &'a Interesting<'a>,
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(&Case) + Sync),
    best: Case,
    tried: AtomicU64,
    kept: u64,
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
        let tried = AtomicU64::new(2);
        Ok(Reducer { interesting, stop, progress, best: case.clone(), tried, kept: 0 })
    }

    /// Runs all passes until none finds anything, or somebody says stop.
    pub fn run(mut self) -> Reduced {
        loop {
            let before = self.kept;
            self.actions();
            self.modules();
            for module in 0..self.best.modules.len() {
                self.sweep(module, body::emptied, body::apply);
                self.sweep(module, entities::all, entities::without);
                self.sweep(module, body::without_statements, body::apply);
                self.sweep(module, body::simplified, body::apply);
                self.sweep(module, entities::all, entities::without);
                self.sweep(module, body::smaller_constants, body::apply);
                self.sweep(module, body::without_locals, body::apply);
            }
            self.arguments();
            self.surroundings();
            if self.kept == before || self.is_stopped() {
                break;
            }
        }
        Reduced { case: self.best, tried: self.tried.into_inner(), kept: self.kept }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn shows(&self, case: &Case) -> bool {
        self.tried.fetch_add(1, Ordering::Relaxed);
        (self.interesting)(case)
    }

    fn keep(&mut self, case: Case) {
        self.best = case;
        self.kept += 1;
        (self.progress)(&self.best);
    }

    /// Keeps a case if it shows the same.
    fn offer(&mut self, case: Case) -> bool {
        if self.is_stopped() || !self.shows(&case) {
            return false;
        }
        self.keep(case);
        true
    }

    /// The first of some wasm in place of a module that is valid and shows the same, kept: its position.
    /// Several are judged at once, but always the first is taken, so that a reduction is repeatable.
    fn offer_wasm(&mut self, module: usize, proposals: &[Option<Vec<u8>>]) -> Option<usize> {
        let with = |wasm: &Vec<u8>| {
            let mut case = self.best.clone();
            case.modules[module].wasm.clone_from(wasm);
            case
        };
        let shows = |wasm: &Option<Vec<u8>>| {
            wasm.as_ref().is_some_and(|wasm| is_valid(wasm) && self.shows(&with(wasm)))
        };
        let found = proposals.par_iter().position_first(shows)?;
        let case = with(proposals[found].as_ref().expect("it shows something"));
        self.keep(case);
        Some(found)
    }

    /// Goes through what a pass proposes for the best wasm of a module, a batch at a time. After a success the
    /// list is made anew and gone on with where it was.
    fn sweep<P: Sync>(
        &mut self,
        module: usize,
        propose: impl Fn(&[u8]) -> Vec<P>,
        apply: impl Fn(&[u8], &P) -> Option<Vec<u8>> + Sync,
    ) {
        let mut next = 0;
        let mut proposals = propose(&self.best.modules[module].wasm);
        while next < proposals.len() && !self.is_stopped() {
            let batch = &proposals[next..proposals.len().min(next + BATCH)];
            let wasm = &self.best.modules[module].wasm;
            let made: Vec<Option<Vec<u8>>> = batch.iter().map(|proposal| apply(wasm, proposal)).collect();
            match self.offer_wasm(module, &made) {
                Some(found) => {
                    next += found;
                    proposals = propose(&self.best.modules[module].wasm);
                }
                None => next += BATCH,
            }
        }
    }

    /// Leaves out actions: halves, quarters, then one by one.
    fn actions(&mut self) {
        let mut size = self.best.actions.len().div_ceil(2);
        while size > 0 {
            let mut end = self.best.actions.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut case = self.best.clone();
                case.actions.drain(start..end);
                self.offer(case);
                end = start.min(self.best.actions.len());
            }
            size /= 2;
        }
    }

    /// Leaves out modules that nothing needs.
    fn modules(&mut self) {
        let mut module = self.best.modules.len();
        while module > 0 {
            module -= 1;
            let mut case = self.best.clone();
            case.modules.remove(module);
            let of = |action: &Action| match action {
                Action::Instantiate { module }
                | Action::Invoke { module, .. }
                | Action::Read { module, .. } => *module as usize,
            };
            case.actions.retain(|action| of(action) != module);
            for action in &mut case.actions {
                let (Action::Instantiate { module: of }
                | Action::Invoke { module: of, .. }
                | Action::Read { module: of, .. }) = action;
                *of -= u32::from(*of as usize > module);
            }
            self.offer(case);
        }
    }

    /// Makes arguments simple.
    fn arguments(&mut self) {
        for action in 0..self.best.actions.len() {
            let Action::Invoke { args, .. } = &self.best.actions[action] else { continue };
            for argument in 0..args.len() {
                let Action::Invoke { args, .. } = &self.best.actions[action] else { continue };
                for simple in simpler(&args[argument]) {
                    let mut case = self.best.clone();
                    if let Action::Invoke { args, .. } = &mut case.actions[action] {
                        args[argument] = simple;
                    }
                    if self.offer(case) {
                        break;
                    }
                }
            }
        }
    }

    /// Makes hosts and limits those that need no words.
    fn surroundings(&mut self) {
        let hosts = self.best.hosts;
        if hosts.trap_one_in != 0 {
            let mut case = self.best.clone();
            case.hosts.trap_one_in = 0;
            self.offer(case);
        }
        if hosts.seed != 0 {
            let mut case = self.best.clone();
            case.hosts.seed = 0;
            self.offer(case);
        }
    }
}

/// Values to try instead of one, the simplest first.
fn simpler(value: &Value) -> Vec<Value> {
    let simple: &[Value] = match value {
        Value::I32(_) => &[Value::I32(0), Value::I32(1)],
        Value::I64(_) => &[Value::I64(0), Value::I64(1)],
        Value::F32(_) => &[Value::F32(0), Value::F32(0x3f80_0000)],
        Value::F64(_) => &[Value::F64(0), Value::F64(0x3ff0_0000_0000_0000)],
        Value::V128(_) | Value::Ref(_) => &[],
    };
    simple.iter().take_while(|simple| *simple != value).cloned().collect()
}

fn is_valid(wasm: &[u8]) -> bool {
    let features = WasmFeatures::WASM3 | WasmFeatures::THREADS | WasmFeatures::WIDE_ARITHMETIC;
    Validator::new_with_features(features).validate_all(wasm).is_ok()
}

#[cfg(test)]
mod tests;
