//! Selects what computes: every operator is one line, with its operands in registers.

use super::write::{Label, Line, Listing, int};
use super::{FLOAT_SCRATCH, Float, Int, Location, Loses, Outcome, Recording};
use crate::baseline::compiler::Compiler;
use crate::baseline::memory::{Access, Shape};
use crate::baseline::operand::{Operand, Place, Ty};
use crate::baseline::registers::LocalTarget;
use crate::baseline::target::{Invertible, Register, Target};
use crate::native::width::Width;
use crate::opcode::reader::{MemArg, Reader};
use crate::opcode::{Numeric, Operand as OperandType, Wide};
use crate::trap::TrapKind;

type Pass<'m> = Compiler<'m, Recording>;

impl Target for Recording {
    type Int = Int;
    type Float = Float;
    type Test = Outcome;
    type Label = Label;
    type Asm = Listing;

    // The order shows that a number says nothing about a register's place in the table.
    const INTS: &'static [Int] = &[Int(2), Int(0), Int(3), Int(1)];
    const INT_HOMES: &'static [Int] = &[Int(4), super::FUEL];
    const FLOATS: &'static [Float] = &[Float(1), Float(0)];
    const FLOAT_HOMES: &'static [Float] = &[Float(2)];
    const FEW_INTS: usize = 4;
    const FEW_FLOATS: usize = 2;
    const INT_ARGUMENTS: &'static [Int] = &[Int(0), Int(4)];
    const FLOAT_ARGUMENTS: &'static [Float] = &[Float(0)];
    const HELPER_ARGUMENTS: [Int; 6] = [Int(5), Int(0), Int(1), Int(2), Int(3), Int(7)];
    const INT_RESULT: Int = Int(2);
    const FLOAT_RESULT: Float = Float(1);
    const CALLEE: Int = Int(3);
    const FLOAT_SCRATCH: Float = FLOAT_SCRATCH;
    const DISTANCE_BYTES: u32 = 1;
    const ISLAND_BYTES: u32 = 1;
    const ISLAND_REACH: u32 = 4096;

    fn condition(pass: &mut Pass<'_>, operand: &mut Operand<Recording>) -> Outcome {
        if let Place::Outcome(outcome) = operand.place {
            return outcome;
        }
        let reg = pass.read_int(operand);
        pass.asm.compare(format!("t = {}:32 != 0", reg.name()), [Location::Int(reg)])
    }

    fn numeric(pass: &mut Pass<'_>, opcode: Numeric, reader: &Reader) {
        if is_comparison(opcode) {
            return compare(pass, opcode, reader);
        }
        let labels: Vec<Label> = traps(opcode).iter().map(|kind| pass.trap(*kind)).collect();
        let row = opcode.row();
        let operands = take(pass, row.operands.len(), sees_bits(opcode));
        let result = type_of(row.results[0]);
        let to = Destination::of(pass, result, reader);
        let line = pass.asm.line(format!("{} = {} {}", to.name(), row.text, names(&operands)));
        let line = labels.into_iter().fold(line, Line::may_go);
        line.reads(operands).writes([to.reg]).loses(Loses::Outcome).done();
        to.push(pass, result, makes_nan(opcode));
    }

    fn wide(pass: &mut Pass<'_>, opcode: Wide) {
        let row = opcode.row();
        let operands = take(pass, row.operands.len(), false);
        let (low, high) = (pass.alloc_int(), pass.alloc_int());
        let text = format!("{}, {} = {} {}", low.name(), high.name(), row.text, names(&operands));
        let writes = [int(low).1, int(high).1];
        pass.asm.line(text).reads(operands).writes(writes).loses(Loses::Outcome).done();
        pass.push(Ty::I64, Place::Int(low));
        pass.push(Ty::I64, Place::Int(high));
    }

    fn load(pass: &mut Pass<'_>, access: Access, to: MemArg, reader: &Reader) {
        let address = take(pass, 1, false);
        let result = Destination::of(pass, access.ty, reader);
        let (label, text) = reach(pass, access, to, &names(&address));
        let line = pass.asm.line(format!("{} = {text}", result.name()));
        let line = label.into_iter().fold(line, Line::may_go);
        line.reads(address).reads(base(to)).writes([result.reg]).loses(Loses::Outcome).done();
        result.push(pass, access.ty, false);
    }

    fn store(pass: &mut Pass<'_>, access: Access, to: MemArg) {
        let operands = take(pass, 2, true);
        let (address, value) = (names(&operands[..1]), names(&operands[1..]));
        let (label, text) = reach(pass, access, to, &address);
        let line = pass.asm.line(format!("{text} = {value}"));
        let line = label.into_iter().fold(line, Line::may_go);
        line.reads(operands).reads(base(to)).loses(Loses::Outcome).done();
    }

    #[cfg(feature = "planted-faults")]
    fn wrong_operator(_: &mut Pass<'_>, _: &crate::faults::drawn::Drawn, _: &mut Reader) {
        unreachable!("faults are drawn for code that runs")
    }
}

/// Where a result goes: a register of its own, or that of the local that the next instruction sets.
struct Destination {
    reg: Location,
    local: Option<u32>,
}

impl Destination {
    fn of(pass: &mut Pass<'_>, ty: Ty, reader: &Reader) -> Destination {
        match ty.float() {
            Some(_) => {
                let target = pass.float_target(reader);
                let reg = target.map_or_else(|| pass.alloc_float(), |target| target.reg);
                Destination { reg: Location::Float(reg), local: target.map(|target| target.local) }
            }
            None => {
                let target = pass.int_target(reader);
                let reg = target.map_or_else(|| pass.alloc_int(), |target| target.reg);
                Destination { reg: Location::Int(reg), local: target.map(|target| target.local) }
            }
        }
    }

    fn name(&self) -> String {
        names(&[self.reg])
    }

    fn push(self, pass: &mut Pass<'_>, ty: Ty, may_be_nan: bool) {
        match (self.reg, self.local) {
            (Location::Float(reg), local) if may_be_nan => {
                pass.push_float(ty, reg, local.map(|local| LocalTarget { reg, local }));
            }
            (_, Some(local)) => pass.push_target(ty, local),
            (Location::Float(reg), None) => pass.push(ty, Place::Float(reg)),
            (Location::Int(reg), None) => pass.push(ty, Place::Int(reg)),
            (other, None) => unreachable!("{other:?} is no register for results"),
        }
    }
}

/// Takes operands, all of which come to registers, the deepest first. The registers are given back, since one
/// instruction reads them and writes its result.
fn take(pass: &mut Pass<'_>, count: usize, sees_bits: bool) -> Vec<Location> {
    let mut taken = Vec::new();
    let mut operands = Vec::new();
    for _ in 0..count {
        let mut operand = if sees_bits { pass.pop_seen() } else { pass.pop() };
        taken.push(match operand.ty.float() {
            Some(_) => Location::Float(pass.read_float(&mut operand)),
            None => Location::Int(pass.read_int(&mut operand)),
        });
        operands.push(operand);
    }
    operands.into_iter().for_each(|operand| pass.free(operand));
    taken.reverse();
    taken
}

fn names(locations: &[Location]) -> String {
    let name = |location: &Location| match location {
        Location::Int(reg) => reg.name(),
        Location::Float(reg) => reg.name(),
        Location::Scratch | Location::Memory | Location::Outcome(_) | Location::Slot(_) => {
            unreachable!("operands are in registers")
        }
    };
    locations.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn compare(pass: &mut Pass<'_>, opcode: Numeric, reader: &Reader) {
    pass.canonical_all();
    if let Some(Place::Outcome(outcome)) = pass.stack.last().map(|operand| operand.place) {
        // Only "equal to zero" takes an outcome.
        pass.pop();
        return pass.push_test(outcome.inverted(), reader);
    }
    let row = opcode.row();
    let operands = take(pass, row.operands.len(), false);
    let outcome = pass.asm.compare(format!("t = {} {}", row.text, names(&operands)), operands);
    pass.push_test(outcome, reader);
}

/// The memory that an access reaches, and where it goes if that is out of bounds and no fault says so.
fn reach(pass: &mut Pass<'_>, access: Access, to: MemArg, address: &str) -> (Option<Label>, String) {
    let shape = match access.shape {
        Shape::Whole if access.ty.width() == Width::W32 => "32",
        Shape::Whole => "64",
        Shape::Unsigned8 => "8u",
        Shape::Unsigned16 => "16u",
        Shape::Unsigned32 => "32u",
        Shape::Signed8 => "8s",
        Shape::Signed16 => "16s",
        Shape::Signed32 => "32s",
    };
    let text = format!("m{}[{address}+{:#x}]:{shape}", to.memory, to.offset);
    let ty = pass.module.memories[to.memory as usize];
    if to.memory == 0 && pass.settings.guard_regions && ty.can_be_guarded() {
        pass.fault();
        return (None, text);
    }
    (Some(pass.trap(TrapKind::MemoryOutOfBounds)), text)
}

/// What an access reads besides its operands.
fn base(to: MemArg) -> Option<Location> {
    (to.memory == 0).then_some(Location::Memory)
}

fn type_of(operand: OperandType) -> Ty {
    match operand {
        OperandType::I32 => Ty::I32,
        OperandType::I64 => Ty::I64,
        OperandType::F32 => Ty::F32,
        OperandType::F64 => Ty::F64,
        OperandType::V128
        | OperandType::Address
        | OperandType::Ref
        | OperandType::Any
        | OperandType::Many => unreachable!("scalar operators say the types of their operands"),
    }
}

/// The name of an operator without its type, its sign and the type that it converts.
fn stem(opcode: Numeric) -> &'static str {
    let (_, name) = opcode.row().text.split_once('.').expect("scalar operators begin with a type");
    name.split_once('_').map_or(name, |(stem, _)| stem)
}

fn is_comparison(opcode: Numeric) -> bool {
    ["eqz", "eq", "ne", "lt", "gt", "le", "ge"].contains(&stem(opcode))
}

/// Whether an operator shows the bits of a NaN that it takes.
fn sees_bits(opcode: Numeric) -> bool {
    ["reinterpret", "abs", "neg", "copysign"].contains(&stem(opcode))
}

/// Whether an operator may give a NaN whose bits are not canonical.
fn makes_nan(opcode: Numeric) -> bool {
    const STEMS: [&str; 13] = [
        "ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div", "min", "max", "demote",
        "promote",
    ];
    matches!(opcode.row().results, [OperandType::F32 | OperandType::F64]) && STEMS.contains(&stem(opcode))
}

/// The traps of an operator.
fn traps(opcode: Numeric) -> &'static [TrapKind] {
    match opcode {
        Numeric::I32DivS | Numeric::I64DivS => &[TrapKind::IntegerDivideByZero, TrapKind::IntegerOverflow],
        Numeric::I32DivU
        | Numeric::I64DivU
        | Numeric::I32RemS
        | Numeric::I32RemU
        | Numeric::I64RemS
        | Numeric::I64RemU => &[TrapKind::IntegerDivideByZero],
        Numeric::I32TruncF32S
        | Numeric::I32TruncF32U
        | Numeric::I32TruncF64S
        | Numeric::I32TruncF64U
        | Numeric::I64TruncF32S
        | Numeric::I64TruncF32U
        | Numeric::I64TruncF64S
        | Numeric::I64TruncF64U => &[TrapKind::InvalidConversionToInteger, TrapKind::IntegerOverflow],
        _ => &[],
    }
}
