//! A glance at a body before it is compiled: which locals are worth a register.
//!
//! A local in a register saves a memory access a use and costs a store and a load a call, so uses and calls
//! are weighed by the loops they are in.

use super::operand::Ty;
use crate::opcode::reader::Reader;
use crate::opcode::{Control, Opcode};

/// What was seen.
#[derive(Default)]
pub(super) struct Scan {
    /// Weight of the uses of each local.
    uses: Vec<u32>,
    /// Whether each open block is a loop.
    blocks: Vec<bool>,
    calls: u32,
    pub uses_memory: bool,
}

/// Loops deeper than this weigh the same.
const DEEPEST: u32 = 4;
/// Binary logarithm of how often a loop is taken to run.
const LOOP_LOG2: u32 = 3;

impl Scan {
    /// Looks at a body with so many locals.
    pub fn body(&mut self, mut reader: Reader, locals: usize) {
        self.uses.clear();
        self.uses.resize(locals, 0);
        self.blocks.clear();
        self.calls = 0;
        self.uses_memory = false;
        let mut loops = 0u32;
        while !reader.is_done() {
            let (_, opcode) = reader.opcode();
            let weight = 1 << (LOOP_LOG2 * loops.min(DEEPEST));
            match opcode {
                Opcode::Variable(crate::opcode::Variable::LocalGet)
                | Opcode::Variable(crate::opcode::Variable::LocalSet)
                | Opcode::Variable(crate::opcode::Variable::LocalTee) => {
                    let uses = &mut self.uses[reader.u32() as usize];
                    *uses = uses.saturating_add(weight);
                    continue;
                }
                Opcode::Control(control) => match control {
                    Control::Block | Control::If | Control::TryTable => self.blocks.push(false),
                    Control::Loop => {
                        self.blocks.push(true);
                        loops += 1;
                    }
                    Control::End => loops -= u32::from(self.blocks.pop().unwrap_or(false)),
                    Control::Call | Control::CallIndirect | Control::CallRef => {
                        self.calls = self.calls.saturating_add(weight)
                    }
                    Control::ReturnCall
                    | Control::ReturnCallIndirect
                    | Control::ReturnCallRef
                    | Control::Unreachable
                    | Control::Nop
                    | Control::Else
                    | Control::Throw
                    | Control::ThrowRef
                    | Control::Br
                    | Control::BrIf
                    | Control::BrTable
                    | Control::Return
                    | Control::BrOnNull
                    | Control::BrOnNonNull
                    | Control::BrOnCast
                    | Control::BrOnCastFail => {}
                },
                Opcode::Load(_) | Opcode::Store(_) | Opcode::Memory(_) => self.uses_memory = true,
                _ => {}
            }
            reader.skip_immediates(opcode);
        }
    }

    /// The locals that gain most from a register, at most `ints` and `floats` of each kind.
    pub fn best(&self, types: &[Ty], ints: usize, floats: usize, chosen: &mut Vec<u32>) {
        chosen.clear();
        for is_float in [false, true] {
            let limit = if is_float { floats } else { ints };
            let first = chosen.len();
            for (local, ty) in types.iter().enumerate() {
                let gain = self.gain(local as u32);
                if ty.float().is_some() != is_float || gain <= 1 {
                    continue;
                }
                let at = first + chosen[first..].partition_point(|other| self.gain(*other) >= gain);
                if at < first + limit {
                    chosen.truncate(first + limit.min(chosen.len() - first + 1) - 1);
                    chosen.insert(at, local as u32);
                }
            }
        }
    }

    fn gain(&self, local: u32) -> i64 {
        i64::from(self.uses[local as usize]) - i64::from(self.calls)
    }
}
