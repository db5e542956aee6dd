//! A glance at a body before it is compiled: which locals are worth a register.
//!
//! A local in a register saves a memory access a use and costs a store and a load a call, so uses and calls
//! are weighed by the loops they are in.

use super::operand::Ty;
use crate::opcode::reader::Reader;
use crate::opcode::{Control, Memory, Opcode, Variable};

/// What was seen.
#[derive(Default)]
pub(super) struct Scan {
    /// Weight of the uses of each local.
    uses: Vec<u32>,
    /// The loop that each open block is, by its index.
    blocks: Vec<Option<usize>>,
    /// All loops in the order in which they begin, and those that are open; the first is the function.
    loops: Vec<LoopFacts>,
    open: Vec<usize>,
    /// How many loops the compiler has asked for or passed.
    asked: usize,
    calls: u32,
    pub uses_memory: bool,
}

/// What a loop does, loops within it included. A bit stands for all locals of the same number modulo 64.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoopFacts {
    /// File offset of its opcode.
    offset: u32,
    /// Locals that it reads or writes, those it writes, and those that it reads before it writes them, as
    /// they stand in the text.
    accessed: u64,
    written: u64,
    read_first: u64,
    /// Whether it calls anything that uses registers.
    pub calls: bool,
}

fn local_bit(local: u32) -> u64 {
    1 << (local % u64::BITS)
}

impl LoopFacts {
    /// Whether it may read or write the local.
    pub fn accesses(&self, local: u32) -> bool {
        self.accessed & local_bit(local) != 0
    }

    /// Whether it may write the local.
    pub fn writes(&self, local: u32) -> bool {
        self.written & local_bit(local) != 0
    }

    /// Whether it seems to read the local before it writes it.
    pub fn reads_first(&self, local: u32) -> bool {
        self.read_first & local_bit(local) != 0
    }

    fn read(&mut self, local: u32) {
        self.read_first |= local_bit(local) & !self.accessed;
        self.accessed |= local_bit(local);
    }

    fn write(&mut self, local: u32) {
        self.written |= local_bit(local);
        self.accessed |= local_bit(local);
    }

    /// Adds a loop that stands in this one, before anything that comes after it.
    fn contain(&mut self, inner: LoopFacts) {
        self.read_first |= inner.read_first & !self.accessed;
        self.accessed |= inner.accessed;
        self.written |= inner.written;
        self.calls |= inner.calls;
    }
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
        self.loops.clear();
        self.loops.push(LoopFacts::default());
        self.open.clear();
        self.asked = 0;
        self.calls = 0;
        self.uses_memory = false;
        let mut current = 0;
        let mut weight = 1;
        while !reader.is_done() {
            let (offset, opcode) = reader.opcode();
            match opcode {
                Opcode::Variable(variable) => {
                    let local = reader.u32();
                    match variable {
                        Variable::LocalGet => self.loops[current].read(local),
                        Variable::LocalSet | Variable::LocalTee => self.loops[current].write(local),
                        Variable::GlobalGet | Variable::GlobalSet => continue,
                    }
                    let uses = &mut self.uses[local as usize];
                    *uses = uses.saturating_add(weight);
                    continue;
                }
                Opcode::Control(control) => match control {
                    Control::Block | Control::If | Control::TryTable => self.blocks.push(None),
                    Control::Loop => {
                        self.open.push(current);
                        current = self.loops.len();
                        self.loops.push(LoopFacts { offset, ..LoopFacts::default() });
                        self.blocks.push(Some(current));
                        weight = self.weight();
                    }
                    Control::End => {
                        if let Some(Some(ended)) = self.blocks.pop() {
                            current = self.open.pop().expect("validation pairs blocks and ends");
                            let facts = self.loops[ended];
                            self.loops[current].contain(facts);
                            weight = self.weight();
                        }
                    }
                    Control::Call | Control::CallIndirect | Control::CallRef => {
                        self.calls = self.calls.saturating_add(weight);
                        self.loops[current].calls = true;
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
                Opcode::Load(_) | Opcode::Store(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => {
                    self.uses_memory = true;
                }
                Opcode::Memory(memory) => {
                    self.uses_memory = true;
                    self.loops[current].calls |= memory != Memory::MemorySize;
                }
                Opcode::Table(_) => self.loops[current].calls = true,
                Opcode::Parametric(_)
                | Opcode::Const(_)
                | Opcode::Numeric(_)
                | Opcode::Wide(_)
                | Opcode::Reference(_)
                | Opcode::Gc(_)
                | Opcode::Vector(_) => {}
            }
            reader.skip_immediates(opcode);
        }
    }

    fn weight(&self) -> u32 {
        1 << (LOOP_LOG2 * (self.open.len() as u32).min(DEEPEST))
    }

    /// What was seen of the loop whose opcode is at a file offset. Loops are asked for in their order, not
    /// necessarily all of them.
    pub fn loop_at(&mut self, offset: u32) -> LoopFacts {
        while self.loops[self.asked].offset != offset {
            self.asked += 1;
        }
        self.loops[self.asked]
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
