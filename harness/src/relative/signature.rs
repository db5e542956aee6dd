//! What tells a bug from others: what goes wrong in its simplest case, and what it takes to make it go wrong.

use super::operation::{Operation, bodies, is_comparison, is_eqz, is_tail_call, only_fetches};
use super::{Evidence, anybody_trapped};
use crate::case::{Case, Value};
use crate::compare::{Divergence, Kind, Side};
use crate::localise::probe::without_operands_below;
use crate::localise::{self, Localisation, Precision, Sight};
use crate::observe::Outcome;
use crate::reduce::without_constants;
use crate::subject::{Lane, Switch};
use crate::trial::CaseRun;
use crate::wasm::instruction::Instruction;
use crosscheck_engine::TrapKind;
use crosscheck_engine::opcode::{Control, Opcode};
use std::fmt;

/// What tells a bug from others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// What goes wrong.
    pub wrong: Wrong,
    /// What it takes, in the order of [`Circumstance`].
    pub circumstances: Vec<Circumstance>,
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// What an operation does.
    Effect {
        /// The operation.
        operation: Operation,
    },
    /// A subject fails over an operation before it is executed.
    Refused {
        /// What is said of that, without what is different each time.
        message: String,
        /// The operation.
        operation: Operation,
    },
    /// What instructions cost, whichever they are.
    Fuel,
    /// Where a trap is told to have happened, whatever traps.
    Frames,
    /// How deep calls may go.
    Depth,
}

/// What it takes to make it go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Circumstance {
    /// A switch of the lane.
    With(Switch),
    /// A switch of the lane that is not thrown.
    Without(Switch),
    /// An operand that is a constant where it is used.
    Constant,
    /// Several modules.
    Linked,
    /// A NaN whose bits are not the canonical ones.
    Nan,
    /// The upper half of something that has no upper half.
    UpperHalf,
    /// An offset of 2^31 bytes or more.
    FarOffset,
    /// An address that is not zero.
    Address,
    /// A comparison that makes the condition.
    Comparison,
    /// Operands below those that a tail call takes.
    OperandsBelow,
}

impl Circumstance {
    /// Whether taking it away was tried, and nothing went wrong any more.
    pub fn is_tried(self) -> bool {
        match self {
            Circumstance::With(_)
            | Circumstance::Without(_)
            | Circumstance::Constant
            | Circumstance::OperandsBelow => true,
            Circumstance::Linked
            | Circumstance::Nan
            | Circumstance::UpperHalf
            | Circumstance::FarOffset
            | Circumstance::Address
            | Circumstance::Comparison => false,
        }
    }
}

/// What there is to see of a relative.
pub(super) struct Seen<'a> {
    pub case: &'a Case,
    pub run: &'a CaseRun,
    pub divergence: &'a Divergence,
    pub localised: &'a Localisation,
    /// Where subjects part in the case that it is a relative of, if that is known to the instruction.
    pub earlier: Option<&'a Localisation>,
    /// The lane that was localised.
    pub guilty: &'a str,
    /// Whether another case shows something, too.
    pub is_shown: &'a dyn Fn(&Case) -> bool,
    /// Whether a lane is wrong about the relative.
    pub is_wrong_in: &'a dyn Fn(Lane) -> bool,
}

impl Seen<'_> {
    /// The signature of the relative.
    pub fn signature(&self) -> Signature {
        let Seen { run, divergence, localised, .. } = self;
        let first = &divergence.first;
        let mut operation = self.operation();
        let is_refused = first.kind == Kind::Crash
            && localised.place.as_ref().is_some_and(|place| place.instance.is_none());
        if is_refused {
            return self.refused(operation);
        }
        let evidence = Evidence::of(run, divergence);
        if !localised.leaves_other_values {
            if anybody_trapped(run, divergence, TrapKind::CallStackExhausted) {
                return Signature::bare(Wrong::Depth);
            }
            let is_imprecise = localised.precision != Precision::Instruction;
            // Where fuel runs out depends on what was charged before.
            let out_of_fuel = anybody_trapped(run, divergence, TrapKind::OutOfFuel);
            match evidence {
                Evidence::Fuel if is_imprecise => return Signature::bare(Wrong::Fuel),
                Evidence::Site if out_of_fuel => return Signature::bare(Wrong::Fuel),
                Evidence::Site if operation != Operation::TailCall => return Signature::bare(Wrong::Frames),
                Evidence::Effect
                | Evidence::Fuel
                | Evidence::OutOfFuel
                | Evidence::Site
                | Evidence::Unstable => {}
            }
        }
        // Which load it is does not matter to an address.
        if matches!(operation, Operation::One(Opcode::Load(_))) && self.address_counts() {
            operation = Operation::Load;
        }
        let is_constant = !is_call(&operation) && operation != Operation::Branch && self.takes_constants();
        let may_be_wide = is_constant || operation == Operation::Branch;
        let is_upper_half = may_be_wide && self.shows(is_upper_half);
        // Whatever takes the constant, the constant is wrong already.
        if is_constant && is_upper_half {
            let circumstances = vec![Circumstance::Constant, Circumstance::UpperHalf];
            return Signature { wrong: Wrong::Effect { operation: Operation::Constant }, circumstances };
        }
        let circumstances = self.circumstances(&operation, is_constant, is_upper_half);
        Signature { wrong: Wrong::Effect { operation }, circumstances }
    }

    /// What is refused before it runs is told by why. Where it takes two operations it is not about what they are.
    fn refused(&self, operation: Operation) -> Signature {
        let first = &self.divergence.first;
        let failure = [&first.left, &first.right].into_iter().find_map(Side::failure);
        let message = words(&failure.map_or(String::new(), Outcome::describe));
        let alike = |instruction: &&Instruction| operation.may_trap_like(instruction.opcode);
        let several = operation != Operation::Call && self.code().iter().filter(alike).count() > 1;
        let leads_there = |opcode| opcode == Opcode::Control(Control::Unreachable) || only_fetches(opcode);
        let is_unclear = matches!(operation, Operation::One(opcode) if leads_there(opcode));
        let operation = match several {
            true => Operation::SeveralOfAKind,
            false if is_unclear => Operation::Unclear,
            false => operation,
        };
        Signature::bare(Wrong::Refused { message, operation })
    }

    /// The operation that goes wrong. What a tail call does wrong is mostly seen after it, at an instruction that only
    /// fetches something; and it would have become a call if that did the same. Of an outside engine of which no
    /// instruction is known at which it parts, it is what the relative could not do without.
    fn operation(&self) -> Operation {
        let Seen { run, divergence, localised, earlier, .. } = self;
        if localised.place.is_none() && self.guilty.parse::<Lane>().is_err() {
            return Operation::left_in(self.case);
        }
        let is_vague =
            divergence.first.kind == Kind::HostCalls && localised.precision != Precision::Instruction;
        let known = if is_vague { earlier.unwrap_or(localised) } else { localised };
        let opcode = known.place.as_ref().map(|place| place.opcode);
        let only_fetches = opcode.is_none_or(only_fetches);
        let is_late = only_fetches || is_vague || Evidence::of(run, divergence) == Evidence::Site;
        let has_tail_call = || self.code().iter().any(|instruction| is_tail_call(instruction.opcode));
        if opcode.is_some_and(is_tail_call) || (is_late && has_tail_call()) {
            return Operation::TailCall;
        }
        if only_fetches && is_vague {
            return Operation::Call;
        }
        match opcode {
            None => Operation::Unknown,
            Some(Opcode::Control(Control::BrIf)) if self.is_decided_by_comparison() => Operation::Condition,
            Some(opcode) => Operation::of(opcode, known.leaves_other_values),
        }
    }

    /// Whether what comes right before the place makes a truth value.
    fn is_decided_by_comparison(&self) -> bool {
        let Some(place) = &self.localised.place else { return false };
        let code = self.code();
        let before = code.iter().rev().find(|instruction| instruction.at < place.offset);
        before.is_some_and(|before| is_comparison(before.opcode) || is_eqz(before.opcode))
    }

    /// Whether two lists of values stand in a relation: those that differ first, or those at the place; the right ones
    /// first.
    fn shows(&self, is_so: fn(&[&Value], &[&Value]) -> bool) -> bool {
        let Seen { divergence, localised, .. } = self;
        let first = &divergence.first;
        is_so(&first.left.values(), &first.right.values())
            || is_so(&values(&localised.reference), &values(&localised.guilty))
    }

    fn circumstances(
        &self,
        operation: &Operation,
        is_constant: bool,
        is_upper_half: bool,
    ) -> Vec<Circumstance> {
        let Seen { case, localised, .. } = self;
        let code = self.code();
        let count =
            |wanted: fn(Opcode) -> bool| code.iter().filter(|instruction| wanted(instruction.opcode)).count();
        let own = localised.place.as_ref().and_then(|place| code.iter().find(|own| own.at == place.offset));
        let is_linked = case.modules.len() > 1 && (is_call(operation) || operation.is_scalar_access());
        let compares = count(is_comparison) > 0 || count(is_eqz) > 1;
        let mut found = self.switches(operation);
        // Where a memory has just moved, or is another's, any address will do that is or is not within.
        let is_there = found.contains(&Circumstance::With(Switch::MovingMemory)) || is_linked || is_constant;
        let mut add = |circumstance, is_so: bool| found.extend(is_so.then_some(circumstance));
        add(Circumstance::Constant, is_constant);
        add(Circumstance::Linked, is_linked);
        add(Circumstance::Nan, *operation != Operation::Condition && self.shows(is_nan_bits));
        add(Circumstance::UpperHalf, is_upper_half);
        add(Circumstance::FarOffset, own.is_some_and(|own| own.access_offset >= 1 << 31));
        add(Circumstance::Address, *operation == Operation::Load && !is_there && self.address_counts());
        add(Circumstance::Comparison, *operation == Operation::Condition && compares);
        add(Circumstance::OperandsBelow, *operation == Operation::TailCall && self.takes_operands_below());
        found
    }

    /// The switches that matter: those that make it go wrong where it is right without them, or right where it is wrong
    /// without. How memory is accessed matters to accesses only; what others leave shows by an access now and then. And
    /// with few registers calls and branches have other values to move, but not others to get wrong.
    fn switches(&self, operation: &Operation) -> Vec<Circumstance> {
        let Ok(guilty) = self.guilty.parse::<Lane>() else { return Vec::new() };
        let matters = |switch: &Switch| match switch {
            // These take away what is seen, or change when it is.
            Switch::NoFuel | Switch::NoBacktraces | Switch::Lazy => false,
            Switch::MovingMemory | Switch::ExplicitBounds => operation.is_access(),
            Switch::FewRegisters => !is_call(operation) && *operation != Operation::Branch,
            Switch::ShortBranches => true,
        };
        let without = |lane: Lane| {
            let kept = Switch::all().filter(|switch| lane.has(*switch) && !matters(switch));
            kept.fold(Lane::plain(lane.mode), Lane::with)
        };
        let base = without(guilty);
        let is_wrong = (self.is_wrong_in)(base);
        let matter = Switch::all().filter(|switch| switch.applies_to(base.mode)).filter(matters);
        let changes = matter.filter(|switch| (self.is_wrong_in)(base.with(*switch)) != is_wrong);
        let of = |switch| if is_wrong { Circumstance::Without(switch) } else { Circumstance::With(switch) };
        changes.map(of).collect()
    }

    /// Whether nothing goes wrong if the place reads from globals what it takes as constants.
    fn takes_constants(&self) -> bool {
        let Some(place) = &self.localised.place else { return false };
        let hidden = without_constants(self.case, place.module as usize, place.offset as usize);
        hidden.is_some_and(|hidden| !(self.is_shown)(&hidden))
    }

    /// Whether an outside engine does nothing wrong once the operands below those of a tail call are dropped before it. The
    /// tail calls of our own modes are told by what their operands become.
    fn takes_operands_below(&self) -> bool {
        let is_gone = |module: usize, at: u32| {
            let Some(wasm) = without_operands_below(&self.case.modules[module].wasm, at) else {
                return false;
            };
            let mut case = self.case.clone();
            case.modules[module].wasm = wasm;
            !(self.is_shown)(&case)
        };
        let is_gone_in = |module: usize| {
            let code = bodies(&self.case.modules[module].wasm);
            let mut calls = code.iter().filter(|instruction| is_tail_call(instruction.opcode));
            calls.any(|call| is_gone(module, call.at))
        };
        self.guilty.parse::<Lane>().is_err() && (0..self.case.modules.len()).any(is_gone_in)
    }

    /// The instructions of the module that has the place, of the last module if none has.
    fn code(&self) -> Vec<Instruction> {
        let modules = &self.case.modules;
        let module = match &self.localised.place {
            Some(place) => modules.get(place.module as usize),
            None => modules.last(),
        };
        module.map_or(Vec::new(), |module| bodies(&module.wasm))
    }

    /// Whether the address is not zero, which is what is left of one that does not matter.
    fn address_counts(&self) -> bool {
        let is_zero = |address: &Sight| matches!(*address.values, [Value::I32(0) | Value::I64(0)]);
        self.localised.operands.first().is_some_and(|address| !is_zero(address))
    }
}

/// The values that a subject shows at a place.
fn values(side: &localise::Side) -> Vec<&Value> {
    side.shows.iter().flat_map(|sight| &sight.values).collect()
}

fn is_call(operation: &Operation) -> bool {
    matches!(operation, Operation::Call | Operation::TailCall)
}

impl Signature {
    /// Whether something that it takes was taken away, and nothing went wrong any more.
    pub fn is_tried(&self) -> bool {
        self.circumstances.iter().any(|circumstance| circumstance.is_tried())
    }

    /// Where it takes nothing that is worth a word.
    fn bare(wrong: Wrong) -> Signature {
        Signature { wrong, circumstances: Vec::new() }
    }
}

/// Whether the right side has canonical NaNs that the wrong one has not. Integers may have the bits of one, too.
fn is_nan_bits(right: &[&Value], wrong: &[&Value]) -> bool {
    let is_canonical = |value: &&&Value| match value {
        Value::I32(bits) | Value::F32(bits) => *bits == 0x7fc0_0000,
        Value::I64(bits) | Value::F64(bits) => *bits == 0x7ff8_0000_0000_0000,
        Value::V128(_) | Value::Ref(_) => false,
    };
    let canonical = |side: &[&Value]| side.iter().filter(is_canonical).count();
    canonical(right) > canonical(wrong)
}

/// Whether both sides end in an `i64`, with a lower half that is the same and an upper one that is zero on the right
/// side.
fn is_upper_half(right: &[&Value], wrong: &[&Value]) -> bool {
    let (Some(Value::I64(right)), Some(Value::I64(wrong))) = (right.last(), wrong.last()) else {
        return false;
    };
    right >> 32 == 0 && wrong >> 32 != 0 && *right as u32 == *wrong as u32
}

/// The words of a message, up to what is different each time.
fn words(message: &str) -> String {
    let is_word = |word: &&str| word.chars().all(|char| !char.is_ascii_digit() && !"(/".contains(char));
    let words: Vec<&str> = message.split_whitespace().take_while(is_word).collect();
    words.join(" ")
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wrong {
            Wrong::Effect { operation } => write!(f, "outcome|{operation}")?,
            Wrong::Refused { message, operation } => write!(f, "{message}|{operation}")?,
            Wrong::Fuel => f.write_str("fuel")?,
            Wrong::Frames => f.write_str("frames")?,
            Wrong::Depth => f.write_str("depth")?,
        }
        let circumstances: Vec<String> = self.circumstances.iter().map(Circumstance::to_string).collect();
        if circumstances.is_empty() { Ok(()) } else { write!(f, "|{}", circumstances.join(", ")) }
    }
}

impl fmt::Display for Circumstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Circumstance::With(switch) => write!(f, "with {}", switch.name()),
            Circumstance::Without(switch) => write!(f, "without {}", switch.name()),
            Circumstance::Constant => f.write_str("constant operand"),
            Circumstance::Linked => f.write_str("linked"),
            Circumstance::Nan => f.write_str("NaN bits"),
            Circumstance::UpperHalf => f.write_str("upper half"),
            Circumstance::FarOffset => f.write_str("far offset"),
            Circumstance::Address => f.write_str("address"),
            Circumstance::Comparison => f.write_str("comparison"),
            Circumstance::OperandsBelow => f.write_str("operands below"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn nan_bits_are_seen_wherever_they_are_shown() {
        let (canonical, other) = (Value::F32(0x7fc0_0000), Value::F32(0xffc0_0000));
        assert!(is_nan_bits(&[&canonical], &[&other]));
        assert!(is_nan_bits(
            &[&Value::I64(7), &Value::I64(0x7ff8 << 48)],
            &[&Value::I64(7), &Value::I64(0xfff8 << 48)]
        ));
        assert!(!is_nan_bits(&[&canonical, &Value::F32(0)], &[&canonical, &Value::F32(1)]));
        assert!(!is_nan_bits(&[&Value::F32(0)], &[&canonical]));
    }

    #[test]
    fn an_upper_half_is_wrong_if_the_lower_one_is_right() {
        let is = |right: u64, wrong: u64| is_upper_half(&[&Value::I64(right)], &[&Value::I64(wrong)]);
        assert!(is(0x7, 0x12_0000_0007));
        assert!(!is(0x7, 0x12_0000_0008));
        assert!(!is(0x1_0000_0007, 0x12_0000_0007));
        assert!(!is_upper_half(&[&Value::I32(7)], &[&Value::I32(8)]));
        assert!(!is_upper_half(&[], &[]));
    }

    #[test]
    fn messages_lose_what_is_different_each_time() {
        let message = "crash: panic: the island at 0x12 is cut off in function 7";
        assert_eq!(words(message), "crash: panic: the island at");
        assert_eq!(words("code and body differ (Access of 0x2e has no code)"), "code and body differ");
    }

    #[test]
    fn what_it_takes_is_told_after_what_goes_wrong() {
        let circumstances = vec![Circumstance::Without(Switch::ExplicitBounds), Circumstance::Linked];
        let wrong = Wrong::Effect { operation: Operation::Load };
        let signature = Signature { wrong, circumstances };
        assert_eq!(signature.to_string(), "outcome|load|without explicit-bounds, linked");
        assert_eq!(Signature::bare(Wrong::Depth).to_string(), "depth");
        let wrong = Wrong::Refused { message: "code and body differ".into(), operation: Operation::Call };
        assert_eq!(Signature::bare(wrong).to_string(), "code and body differ|call");
    }
}
