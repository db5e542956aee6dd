//! A machine that only exists on paper: its instructions are lines of text.
//!
//! It differs from real ones in what the pass might take for granted: few registers, three operands, no operands in
//! memory, no immediates, no flags but one outcome, other registers for arguments. [`check`] follows control through
//! what was written and proves that nothing is read that was not written.

mod check;
mod select;
mod write;

use crate::baseline::compiler::{Compiler, places};
use crate::baseline::operand::Place;
use crate::baseline::target::Assembler;
use crate::baseline::target::{Invertible, Register, Target};
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::native::activation::Place as ArgumentPlace;
use crate::types::ValType;
use std::collections::BTreeSet;

/// An integer register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Int(u8);

/// A register for floats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Float(u8);

/// Whether the comparison that was written as instruction `comparison` gave true, or false.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    comparison: u32,
    is_inverted: bool,
}

/// The machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Recording;

/// Holds the fuel where code counts it.
const FUEL: Int = Int(6);
/// Holds a float while it is copied from slot to slot.
const FLOAT_SCRATCH: Float = Float(3);

/// What an instruction reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Location {
    Int(Int),
    Float(Float),
    /// The scratch register, which holds the address of what was found.
    Scratch,
    /// The base of memory 0.
    Memory,
    /// The outcome of the comparison that is this instruction.
    Outcome(u32),
    /// A slot of the frame.
    Slot(u32),
}

/// What an instruction overwrites besides what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Loses {
    Nothing,
    /// The outcome of the last comparison.
    Outcome,
    /// All registers but the fuel, as a call does.
    Registers,
    /// Registers for integer operands.
    Ints,
}

impl Register for Int {
    fn number(self) -> u8 {
        self.0
    }

    fn name(self) -> String {
        format!("r{}", self.0)
    }
}

impl Register for Float {
    fn number(self) -> u8 {
        self.0
    }

    fn name(self) -> String {
        format!("f{}", self.0)
    }
}

impl Invertible for Outcome {
    fn inverted(self) -> Outcome {
        Outcome { is_inverted: !self.is_inverted, ..self }
    }
}

/// Compiles a function, and checks all that can be checked of it: between the module's opcodes that operands are
/// apart, at the end what was written. Gives what is wrong.
pub(super) fn compile_checked(
    compiler: &mut Compiler<'_, Recording>,
    module: &ModuleInner,
    settings: &Settings,
    func: DefinedFuncIndex,
) -> Result<(), String> {
    let (first, first_call) = (compiler.asm.here(), compiler.plan.calls.len());
    compiler.asm.returned = returned(module, func);
    let mut walk = compiler.start(func);
    while compiler.step(&mut walk) {
        operands_are_apart(compiler)?;
    }
    compiler.finish(walk);
    for call in &compiler.plan.calls[first_call..] {
        compiler.asm.add_reads(call.at, arrivals(module, call.target));
    }
    let fuel = settings.fuel.then_some(Location::Int(FUEL));
    check::check(compiler.asm.since(first), first, arrivals(module, func).chain(fuel))
}

/// The registers in which a function's arguments arrive.
fn arrivals(module: &ModuleInner, func: DefinedFuncIndex) -> impl Iterator<Item = Location> + '_ {
    let ty = module.func_type(module.func_index(func));
    places::<Recording>(ty.params()).filter_map(|place| match place {
        ArgumentPlace::Int(index) => Some(Location::Int(Recording::INT_ARGUMENTS[index])),
        ArgumentPlace::Float(index) => Some(Location::Float(Recording::FLOAT_ARGUMENTS[index])),
        ArgumentPlace::Slot(_) => None,
    })
}

/// The register in which a function returns its result, if it has a single one.
fn returned(module: &ModuleInner, func: DefinedFuncIndex) -> Option<Location> {
    match *module.func_type(module.func_index(func)).results() {
        [ValType::F32 | ValType::F64] => Some(Location::Float(Recording::FLOAT_RESULT)),
        [_] => Some(Location::Int(Recording::INT_RESULT)),
        _ => None,
    }
}

/// No two operands have one register, and none has a register in which a local lives.
fn operands_are_apart(compiler: &Compiler<'_, Recording>) -> Result<(), String> {
    let mut taken = BTreeSet::new();
    for operand in &compiler.stack {
        let location = match operand.place {
            Place::Int(reg) => Location::Int(reg),
            Place::Float(reg) => Location::Float(reg),
            Place::Const(_) | Place::Local(_) | Place::Slot | Place::Outcome(_) => continue,
        };
        let for_operands = match location {
            Location::Int(reg) => Recording::INTS.contains(&reg),
            Location::Float(reg) => Recording::FLOATS.contains(&reg),
            Location::Scratch | Location::Memory | Location::Outcome(_) | Location::Slot(_) => false,
        };
        if !for_operands || !taken.insert(location) {
            return Err(format!("at {:#x}: {:?}", compiler.offset, compiler.stack));
        }
    }
    Ok(())
}
