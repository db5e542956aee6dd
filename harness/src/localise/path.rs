//! The way that the reference takes through a case: every instruction of one action, in order.
//!
//! `interp` tells it, whichever subject is the reference: up to where subjects part they take the same way.

use super::probe::{self, Arity};
use crate::case::{Action, Case};
use crate::observe::{ActionObservation, Capture, Observation};
use crate::subject::{Lane, LaneSubject, Prepared, Subject, Watch};
use crate::wasm::instruction::{Instruction, instructions};
use crosscheck_engine::opcode::{Control, Opcode};
use crosscheck_engine::{Config, Engine, Mode, Module, Trace};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Steps of an action that are kept; what comes later is not looked at.
const LONGEST: usize = 1 << 20;

/// One instruction of the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Number of the instance that executes it.
    pub instance: u32,
    /// File offset of its opcode.
    pub offset: u32,
    /// Its opcode.
    pub opcode: Opcode,
    /// Which execution of this instruction in the instance it is (1 = first), earlier actions counted.
    pub execution: u32,
    /// Which call of a function it belongs to.
    pub activation: u32,
}

/// A function of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its index, imports counted.
    pub index: u32,
    /// What people call it.
    pub name: String,
    /// File offsets of its code.
    pub code: Range<u32>,
}

/// The way through the last action of a case.
pub struct Path {
    /// The instructions.
    pub steps: Vec<Step>,
    /// Whether the path goes on after the last of them.
    pub is_cut: bool,
    /// The module of each instance.
    pub modules: Vec<u32>,
    /// The functions of each module.
    functions: Vec<Vec<Function>>,
    /// How often each instance executed the instruction at each file offset, earlier actions counted.
    executions: HashMap<(u32, u32), u32>,
}

impl Path {
    /// The way through the last action of a case, of which the reference showed this.
    /// Fails if a module cannot be prepared.
    pub fn of(case: &Case, seen: &Observation) -> Result<Path, String> {
        let mut path = Path::without_steps(case, seen)?;
        let recorder = Arc::new(Recorder::default());
        let subject = LaneSubject::new(Lane::plain(Mode::Interp)).traced(recorder.clone());
        let mut turns = Turns { recorder: &recorder, last: case.actions.len().saturating_sub(1) };
        subject.observe(&Prepared::new(case), Capture::Digest, &mut turns);
        let told = std::mem::take(&mut *recorder.told());
        (path.steps, path.executions) = (told.steps, told.executions);
        path.find_activations();
        Ok(path)
    }

    /// Goes on with the instructions from an offset up to where control goes elsewhere; they are not executed yet.
    pub fn go_on(&mut self, case: &Case, instance: u32, offset: u32) -> Option<()> {
        let wasm = &case.modules[*self.modules.get(instance as usize)? as usize].wasm;
        let functions = instructions(wasm).ok()?;
        let function = functions.into_iter().find(|body| body.iter().any(|found| found.at == offset))?;
        for Instruction { at: offset, opcode, .. } in function.into_iter().filter(|found| found.at >= offset)
        {
            if let Opcode::Control(Control::Loop | Control::Else | Control::End) = opcode {
                break;
            }
            let execution = self.executions.get(&(instance, offset)).map_or(1, |before| before + 1);
            self.steps.push(Step { instance, offset, opcode, execution, activation: 0 });
            let goes_on = [Control::Block, Control::Nop].map(Opcode::Control).contains(&opcode);
            if matches!(opcode, Opcode::Control(_)) && !goes_on {
                break;
            }
        }
        self.find_activations();
        Some(())
    }

    /// The same without the way: which modules and functions it could lead through.
    pub fn without_steps(case: &Case, seen: &Observation) -> Result<Path, String> {
        let engine = Engine::new(&Config::new(Mode::Interp));
        let functions = |wasm: &[u8]| -> Result<Vec<Function>, String> {
            let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
            Ok(module.functions().map(|(func, name, code)| Function { index: func.0, name, code }).collect())
        };
        let functions: Result<Vec<_>, _> =
            case.modules.iter().map(|module| functions(&module.wasm)).collect();
        let mut modules = Vec::new();
        for (action, seen) in case.actions.iter().zip(&seen.actions) {
            let count = seen.state.as_ref().map_or(0, |state| state.instances.len());
            if let Action::Instantiate { module } = action {
                modules.resize(count.max(modules.len()), *module);
            }
        }
        let (steps, executions) = (Vec::new(), HashMap::new());
        Ok(Path { steps, is_cut: false, modules, functions: functions?, executions })
    }

    /// The module of a step's instance.
    pub fn module(&self, step: &Step) -> Option<u32> {
        self.modules.get(step.instance as usize).copied()
    }

    /// The function of an instance at a file offset.
    pub fn function(&self, instance: u32, offset: u32) -> Option<&Function> {
        self.function_of(*self.modules.get(instance as usize)?, offset)
    }

    /// The function of a module at a file offset.
    pub fn function_of(&self, module: u32, offset: u32) -> Option<&Function> {
        function_at(self.functions.get(module as usize)?, offset)
    }

    /// What a step takes and leaves, where validation knows.
    pub fn arity(&self, case: &Case, step: &Step) -> Option<Arity> {
        probe::arity(&case.modules[self.module(step)? as usize].wasm, step.offset)
    }

    /// The step that is the tail call which began the call that a step belongs to, if one did.
    pub fn tail_call_into(&self, step: usize) -> Option<usize> {
        let activation = self.steps.get(step)?.activation;
        let first =
            self.steps[..step].iter().position(|other| other.activation == activation).unwrap_or(step);
        let before = first.checked_sub(1)?;
        matches!(kind(self.steps[before].opcode), Kind::TailCall).then_some(before)
    }

    /// Numbers the calls that steps belong to. A return is told by where the way goes on, so a function that
    /// returns by a branch to a call of itself may pass for a jump; nothing but the order of probing depends on it.
    fn find_activations(&mut self) {
        let mut open: Vec<(u32, Option<(u32, u32)>)> = Vec::new();
        let (mut next, mut last) = (0, None::<(Step, Option<u32>)>);
        let mut steps = std::mem::take(&mut self.steps);
        for step in &mut steps {
            let function = self.function(step.instance, step.offset);
            let home = function.map(|function| (step.instance, function.index));
            let begins = function.is_some_and(|function| function.code.start == step.offset);
            if let Some((last, last_of_function)) = last {
                match kind(last.opcode) {
                    Kind::Call if begins => {
                        open.push((next, home));
                        next += 1;
                    }
                    Kind::TailCall if begins => {
                        open.pop();
                        open.push((next, home));
                        next += 1;
                    }
                    Kind::Leaves if last.opcode != END || last_of_function == Some(last.offset) => {
                        open.pop();
                    }
                    Kind::Call | Kind::TailCall | Kind::Leaves | Kind::Other => {}
                }
            }
            while open.last().is_some_and(|(_, other)| *other != home) {
                open.pop();
            }
            if open.is_empty() {
                open.push((next, home));
                next += 1;
            }
            step.activation = open.last().map_or(0, |(number, _)| *number);
            last = Some((*step, function.map(|function| function.code.end - 1)));
        }
        self.steps = steps;
    }
}

const END: Opcode = Opcode::Control(Control::End);

/// What an instruction means for the calls under way.
enum Kind {
    Call,
    TailCall,
    /// Returns, or is an `end`, which does if it is the function's.
    Leaves,
    Other,
}

fn kind(opcode: Opcode) -> Kind {
    match opcode {
        Opcode::Control(Control::Call | Control::CallIndirect | Control::CallRef) => Kind::Call,
        Opcode::Control(Control::ReturnCall | Control::ReturnCallIndirect | Control::ReturnCallRef) => {
            Kind::TailCall
        }
        Opcode::Control(Control::End | Control::Return) => Kind::Leaves,
        _ => Kind::Other,
    }
}

fn function_at(functions: &[Function], offset: u32) -> Option<&Function> {
    let after = functions.partition_point(|function| function.code.start <= offset);
    functions[..after].last().filter(|function| function.code.contains(&offset))
}

/// Keeps the steps that `interp` reports.
#[derive(Default)]
struct Recorder(Mutex<Told>);

#[derive(Default)]
struct Told {
    executions: HashMap<(u32, u32), u32>,
    /// Whether the action is the one whose steps are kept.
    keeps: bool,
    steps: Vec<Step>,
}

impl Recorder {
    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trace for Recorder {
    fn instruction(&self, instance: u32, offset: u32, opcode: Opcode, _: &[u64]) {
        let mut told = self.told();
        let execution = told.executions.entry((instance, offset)).or_default();
        *execution = execution.saturating_add(1);
        let execution = *execution;
        if told.keeps && told.steps.len() < LONGEST {
            told.steps.push(Step { instance, offset, opcode, execution, activation: 0 });
        }
    }
}

/// Tells the recorder when the action begins whose steps are kept.
struct Turns<'a> {
    recorder: &'a Recorder,
    last: usize,
}

impl Watch for Turns<'_> {
    fn begins(&mut self, action: usize) {
        self.recorder.told().keeps = action == self.last;
    }

    fn ended(&mut self, _: &ActionObservation) {}
}
