//! What the reference executes of a case, and with which operands: for the reducer, and for what explains cases.

use super::lane::LaneSubject;
use super::{Lane, Prepared, Subject, Unwatched};
use crate::case::{Case, Limits, Value};
use crate::coverage::Executed;
use crate::guard::guarded;
use crate::observe::Capture;
use crosscheck_engine::Mode;
use crosscheck_engine::opcode::Opcode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Operands kept of each instruction, the topmost ones.
const KEPT: usize = 4;
/// Fuel for an action that has more, or no limit: what is watched should end.
const ENOUGH_FUEL: u64 = 200_000;

/// The instructions that were executed, by module and file offset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    modules: BTreeMap<u32, BTreeMap<u32, Seen>>,
}

/// What is known of an instruction that was executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// How often it was executed.
    pub count: u64,
    /// The topmost operands when it was executed first, the topmost one first; zero where there is none.
    pub operands: [u64; KEPT],
}

impl Trace {
    /// The mode that is watched. It runs in this process, and takes the process with it if it crashes.
    pub const MODE: Mode = Mode::Interp;

    /// What the reference executes of a case, as far as its modules are valid; nothing if decoding panics.
    pub fn of(case: &Case) -> Trace {
        let case = with_enough_fuel(case);
        let trace = guarded(|| {
            let prepared = Prepared::new(&case);
            let is_valid = prepared.invalid().is_none();
            is_valid.then(|| LaneSubject::new(Lane::plain(Trace::MODE)).trace(&prepared))
        });
        trace.ok().flatten().unwrap_or_default()
    }

    /// What hosts answer the reference last in a case, by import; nothing if its modules are not valid.
    pub fn answers(case: &Case) -> BTreeMap<String, Vec<Value>> {
        let case = with_enough_fuel(case);
        let reference = LaneSubject::new(Lane::plain(Trace::MODE));
        let shown = guarded(|| {
            let prepared = Prepared::new(&case);
            let is_valid = prepared.invalid().is_none();
            is_valid.then(|| reference.observe(&prepared, Capture::Full, &mut Unwatched))
        });
        let observation = shown.ok().flatten().unwrap_or_default();
        let calls = observation.actions.into_iter().flat_map(|action| action.host_calls.first);
        calls.filter_map(|call| Some((call.import, call.results?))).collect()
    }

    /// The opcodes that the reference executes of a case, as far as its modules are valid.
    pub fn opcodes_of(case: &Case) -> Vec<Opcode> {
        let executed = Arc::new(Executed::default());
        let subject = LaneSubject::new(Lane::plain(Trace::MODE)).traced(executed.clone());
        let case = with_enough_fuel(case);
        // What was executed before a panic was executed.
        let _ = guarded(|| {
            let prepared = Prepared::new(&case);
            if prepared.invalid().is_none() {
                subject.observe(&prepared, Capture::Digest, &mut Unwatched);
            }
        });
        executed.take()
    }

    /// The instruction of a module at a file offset, if it was executed.
    pub fn seen(&self, module: usize, offset: usize) -> Option<&Seen> {
        self.modules.get(&(module as u32))?.get(&(offset as u32))
    }
}

/// The case with no more fuel than it takes to see what it does.
fn with_enough_fuel(case: &Case) -> Case {
    let fuel = Some(case.limits.fuel.map_or(ENOUGH_FUEL, |fuel| fuel.min(ENOUGH_FUEL)));
    Case { limits: Limits { fuel, ..case.limits }, ..case.clone() }
}

/// Makes a trace while a case runs.
#[derive(Default)]
pub(super) struct Recorder {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    trace: Trace,
    /// The number of the first instance that an instantiation makes, and the module.
    instantiations: Vec<(u32, u32)>,
}

impl Recorder {
    /// Instances from this number on are of this module, until the next instantiation.
    pub(super) fn instantiates(&self, first: usize, module: u32) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.instantiations.push((first as u32, module));
    }

    /// The trace so far.
    pub(super) fn take(&self) -> Trace {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).trace)
    }
}

impl crosscheck_engine::Trace for Recorder {
    fn instruction(&self, instance: u32, offset: u32, _: Opcode, operands: &[u64]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let made = state.instantiations.iter().rev().find(|(first, _)| *first <= instance);
        let Some((_, module)) = made.copied() else { return };
        let seen = state.trace.modules.entry(module).or_default().entry(offset).or_default();
        if seen.count == 0 {
            seen.operands.iter_mut().zip(operands.iter().rev()).for_each(|(kept, operand)| *kept = *operand);
        }
        seen.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Action, CaseModule};
    use crate::generate::plan;

    fn wasm(text: &str) -> Vec<u8> {
        let buffer = wast::parser::ParseBuffer::new(text).expect("it is text");
        let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("it is a module");
        module.encode().expect("it can be encoded")
    }

    #[test]
    fn instructions_count_for_the_module_they_stand_in() {
        let first = wasm("(module (func (export \"g\") (result i32) (i32.const 5)))");
        let second = wasm(
            "(module (import \"a\" \"g\" (func (result i32)))
                (func (export \"f\") (result i32) (i32.add (call 0) (call 0))))",
        );
        let mut case = plan::plan(second, 1).expect("it is a module");
        case.modules.insert(0, CaseModule { name: "a".into(), wasm: first.clone() });
        case.actions = vec![
            Action::Instantiate { module: 0 },
            Action::Instantiate { module: 1 },
            Action::Invoke { module: 1, export: "f".into(), args: Vec::new() },
        ];
        let trace = Trace::of(&case);
        let constant = first.len() - 3;
        assert_eq!(trace.seen(0, constant).map(|seen| seen.count), Some(2));
        let add = case.modules[1].wasm.len() - 2;
        let seen = trace.seen(1, add).expect("it was executed");
        assert_eq!((seen.count, &seen.operands[..2]), (1, &[5, 5][..]));
        assert_eq!(trace.seen(1, constant), None);
    }
}
