//! What tells a bug from others: what goes wrong in its simplest case, and what it takes to make it go wrong.
//!
//! Instructions that do the same kind of thing in the same way count as one operation: a call is a call whatever names
//! the callee, and a condition is one whoever asks for it. Numbers do not count, for they are what is left by chance.

use super::{Plainness, anybody_trapped};
use crate::case::Case;
use crate::compare::{Divergence, Kind, Side};
use crate::localise::probe::without_operands_below;
use crate::localise::{Localisation, Precision};
use crate::observe::Outcome;
use crate::reduce::without_constants;
use crate::subject::{Lane, Switch};
use crate::trial::CaseRun;
use crate::wasm::text::wasm_lines;
use crosscheck_engine::TrapKind;
use crosscheck_engine::opcode::{Control, Load, Opcode, Parametric, Table};
use std::collections::BTreeSet;
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
        operation: String,
    },
    /// Somebody fails over an operation before it is executed.
    Refused {
        /// What is said of that, without what is different each time.
        message: String,
        /// The operation.
        operation: String,
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
    /// A comparison behind the condition.
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
        let left = self.operations_left();
        let operation = left.as_deref().unwrap_or_else(|| self.operation());
        let is_refused = first.kind == Kind::Crash
            && localised.place.as_ref().is_some_and(|place| place.instance.is_none());
        if is_refused {
            return self.refused(operation);
        }
        let plainness = Plainness::of(run, divergence);
        if !localised.leaves_other_values {
            if anybody_trapped(run, divergence, TrapKind::CallStackExhausted) {
                return Signature::bare(Wrong::Depth);
            }
            let is_imprecise = localised.precision != Precision::Instruction;
            // Where fuel runs out depends on what was charged before.
            let out_of_fuel = anybody_trapped(run, divergence, TrapKind::OutOfFuel);
            match plainness {
                Plainness::Fuel if is_imprecise => return Signature::bare(Wrong::Fuel),
                Plainness::Site if out_of_fuel => return Signature::bare(Wrong::Fuel),
                Plainness::Site if operation != TAIL_CALL => return Signature::bare(Wrong::Frames),
                Plainness::Effect
                | Plainness::Fuel
                | Plainness::OutOfFuel
                | Plainness::Site
                | Plainness::Unstable => {}
            }
        }
        let mut operation = operation;
        // Which load it is does not matter to an address.
        if operation.contains(".load") && self.address_counts() {
            operation = LOAD;
        }
        let circumstances = self.circumstances(operation);
        // Whoever takes the constant gets it wrong already.
        if circumstances == [Circumstance::Constant, Circumstance::UpperHalf] {
            operation = "constant";
        }
        Signature { wrong: Wrong::Effect { operation: operation.to_string() }, circumstances }
    }

    /// The operations that are left in the relative of an outside engine of which no instruction is known at which it
    /// parts: what the relative could not do without.
    fn operations_left(&self) -> Option<String> {
        let is_known = self.localised.place.is_some() || self.guilty.parse::<Lane>().is_ok();
        (!is_known).then(|| operations_left(self.case))
    }

    /// What is refused before it runs is told by why. Where it takes two operations it is not about what they are.
    fn refused(&self, operation: &str) -> Signature {
        let first = &self.divergence.first;
        let failure = [&first.left, &first.right].into_iter().find_map(Side::failure);
        let message = words(&failure.map_or(String::new(), Outcome::describe));
        let alike = |text: &&(u32, String)| may_trap_alike(name_of(&text.1), operation);
        let several = operation != CALL && self.code().iter().filter(alike).count() > 1;
        let is_unclear = operation == "unreachable" || only_fetches(operation);
        let operation = match several {
            true => "several of a kind",
            false if is_unclear => "unclear",
            false => operation,
        };
        Signature::bare(Wrong::Refused { message, operation: operation.to_string() })
    }

    /// The operation that goes wrong. What a tail call does wrong is mostly seen behind it, at an instruction that only
    /// fetches something; and it would have become a call if that did the same.
    fn operation(&self) -> &str {
        let Seen { run, divergence, localised, earlier, .. } = self;
        let is_vague =
            divergence.first.kind == Kind::HostCalls && localised.precision != Precision::Instruction;
        let known = if is_vague { earlier.unwrap_or(localised) } else { localised };
        let name = known.place.as_ref().map_or("", |place| place.opcode.as_str());
        let only_fetches = only_fetches(name);
        let is_behind = only_fetches || is_vague || Plainness::of(run, divergence) == Plainness::Site;
        let has_tail_call = || self.code().iter().any(|(_, text)| text.starts_with(RETURN_CALL));
        if name.starts_with(RETURN_CALL) || (is_behind && has_tail_call()) {
            return TAIL_CALL;
        }
        if only_fetches && is_vague {
            return CALL;
        }
        if name == "br_if" && self.is_decided_by_comparison() {
            return CONDITION;
        }
        if name.is_empty() { "unknown" } else { operation(name, known.leaves_other_values) }
    }

    /// Whether what comes right before the place makes a truth value.
    fn is_decided_by_comparison(&self) -> bool {
        let Some(place) = &self.localised.place else { return false };
        let code = self.code();
        let before = code.iter().rev().find(|(at, _)| *at < place.offset);
        before.is_some_and(|(_, text)| is_comparison(text) || name_of(text).ends_with(".eqz"))
    }

    fn circumstances(&self, operation: &str) -> Vec<Circumstance> {
        let Seen { case, divergence, localised, .. } = self;
        let code = self.code();
        let count = |wanted: &dyn Fn(&str) -> bool| code.iter().filter(|(_, text)| wanted(text)).count();
        let own = localised.place.as_ref().and_then(|place| code.iter().find(|(at, _)| *at == place.offset));
        let own = own.map_or("", |(_, text)| text);
        let first = &divergence.first;
        let sides = [
            (first.left.to_string(), first.right.to_string()),
            (localised.reference.shows.join(" "), localised.guilty.shows.join(" ")),
        ];
        let shown = |is: fn(&str, &str) -> bool| sides.iter().any(|(left, right)| is(left, right));
        let calls = [CALL, TAIL_CALL].contains(&operation);
        let is_linked = case.modules.len() > 1 && (calls || is_scalar_access(operation));
        let is_constant = !calls && operation != BRANCH && self.takes_constants();
        let is_upper_half = (is_constant || operation == BRANCH) && shown(is_upper_half);
        if is_constant && is_upper_half {
            return vec![Circumstance::Constant, Circumstance::UpperHalf];
        }
        let compares = count(&is_comparison) > 0 || count(&|text| name_of(text).ends_with(".eqz")) > 1;
        let mut found = self.switches(operation);
        // Where a memory has just moved, or is another's, any address will do that is or is not within.
        let is_there = found.contains(&Circumstance::With(Switch::MovingMemory)) || is_linked || is_constant;
        let mut add = |circumstance, is_so: bool| found.extend(is_so.then_some(circumstance));
        add(Circumstance::Constant, is_constant);
        add(Circumstance::Linked, is_linked);
        add(Circumstance::Nan, operation != CONDITION && shown(is_nan_bits));
        add(Circumstance::UpperHalf, is_upper_half);
        add(Circumstance::FarOffset, offset_of(own) >= 1 << 31);
        add(Circumstance::Address, operation == LOAD && !is_there && self.address_counts());
        add(Circumstance::Comparison, operation == CONDITION && compares);
        add(Circumstance::OperandsBelow, operation == TAIL_CALL && self.takes_operands_below());
        found
    }

    /// The switches that matter: those that make it go wrong where it is right without them, or right where it is wrong
    /// without. How memory is accessed matters to accesses only; what others leave shows by an access now and then. And
    /// with few registers calls and branches have other values to move, but not others to get wrong.
    fn switches(&self, operation: &str) -> Vec<Circumstance> {
        let Ok(guilty) = self.guilty.parse::<Lane>() else { return Vec::new() };
        let matters = |switch: &Switch| match switch {
            // These take away what is seen, or change when it is.
            Switch::NoFuel | Switch::NoBacktraces | Switch::Lazy => false,
            Switch::MovingMemory | Switch::ExplicitBounds => is_access(operation),
            Switch::FewRegisters => ![CALL, TAIL_CALL, BRANCH].contains(&operation),
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
            let lines = wasm_lines(&self.case.modules[module].wasm).unwrap_or_default();
            let mut calls = lines.iter().filter(|(_, text)| text.starts_with(RETURN_CALL));
            calls.any(|(at, _)| is_gone(module, *at))
        };
        self.guilty.parse::<Lane>().is_err() && (0..self.case.modules.len()).any(is_gone_in)
    }

    /// The instructions of the module that has the place, the last one if none has, with their offsets.
    fn code(&self) -> Vec<(u32, String)> {
        let modules = &self.case.modules;
        let module = match &self.localised.place {
            Some(place) => modules.get(place.module as usize),
            None => modules.last(),
        };
        let lines = module.and_then(|module| wasm_lines(&module.wasm).ok());
        lines.unwrap_or_default().into_iter().filter(|(_, text)| !text.starts_with('(')).collect()
    }

    /// Whether the address is not zero, which is what is left of one that does not matter.
    fn address_counts(&self) -> bool {
        self.localised.operands.first().is_some_and(|address| !address.ends_with(":0x0"))
    }
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

const CALL: &str = "call";
const TAIL_CALL: &str = "tail call";
/// What the names of all tail calls begin with.
const RETURN_CALL: &str = "return_call";
const BRANCH: &str = "branch";
const CONDITION: &str = "condition";
/// A load of a whole number: which one it is is left by chance.
const LOAD: &str = "load";
/// What is done to a range of a memory or table, or to many of its elements at once.
const BULK: &str = "bulk";

/// The operations of a case, each once and in order of their names: those of a tail call alone if there is one, as it
/// would have become a call if a call did the same; and no call where another operation is left.
pub fn operations_left(case: &Case) -> String {
    let lines = case.modules.iter().filter_map(|module| wasm_lines(&module.wasm).ok()).flatten();
    let names: Vec<String> = lines.map(|(_, text)| name_of(&text).to_string()).collect();
    if names.iter().any(|name| name.starts_with(RETURN_CALL)) {
        return TAIL_CALL.to_string();
    }
    let is_operation = |name: &&String| !name.starts_with(['(', ')']) && !only_moves(name);
    let operations = names.iter().filter(is_operation).map(|name| operation(name, true));
    let mut operations: BTreeSet<&str> = operations.collect();
    for usual in [CALL, BRANCH] {
        if operations.len() > 1 {
            operations.remove(usual);
        }
    }
    let operations: Vec<&str> = operations.into_iter().collect();
    if operations.is_empty() { "unknown".to_string() } else { operations.join(" + ") }
}

/// What an instruction of that name does.
fn operation(name: &str, leaves_other_values: bool) -> &str {
    use Control::{
        Block, Br, BrIf, BrOnNonNull, BrOnNull, Call, CallIndirect, CallRef, Else, End, If, Loop, ReturnCall,
        ReturnCallIndirect, ReturnCallRef,
    };
    match Opcode::from_text(name) {
        Some(Opcode::Control(control)) => match control {
            Call | CallIndirect | CallRef | ReturnCall | ReturnCallIndirect | ReturnCallRef => CALL,
            Block | Loop | Br | BrOnNull | BrOnNonNull | Else | End => BRANCH,
            BrIf if leaves_other_values => BRANCH,
            BrIf | If => CONDITION,
            _ => name,
        },
        Some(Opcode::Parametric(Parametric::Select | Parametric::SelectT)) => CONDITION,
        Some(Opcode::Load(Load::I32Load | Load::I64Load | Load::F32Load | Load::F64Load)) => LOAD,
        Some(Opcode::Table(Table::TableGrow)) => BULK,
        Some(opcode @ (Opcode::Memory(_) | Opcode::Table(_))) if opcode.row().operands.len() > 2 => BULK,
        _ if name.ends_with(".eqz") => CONDITION,
        _ => name,
    }
}

/// Whether an instruction only fetches a value, if it is one.
fn only_fetches(name: &str) -> bool {
    name.is_empty() || name.contains(".const") || name.contains(".get")
}

/// Whether an instruction only moves values, or nothing.
fn only_moves(name: &str) -> bool {
    let sets = name.contains(".set") || name.contains(".tee");
    let is_of_table = name.starts_with("table.");
    (only_fetches(name) || sets) && !is_of_table || ["drop", "end", "nop", "return"].contains(&name)
}

/// Whether instructions of two names trap for the same kind of reason.
fn may_trap_alike(name: &str, other: &str) -> bool {
    operation(name, false) == other || (is_scalar_access(name) && is_scalar_access(other))
}

/// Whether something is done to a memory.
fn is_access(operation: &str) -> bool {
    is_scalar_access(operation) || operation.starts_with("memory.")
}

fn is_scalar_access(operation: &str) -> bool {
    operation == LOAD || operation.contains(".load") || operation.contains(".store")
}

/// Whether an instruction compares two operands.
fn is_comparison(text: &str) -> bool {
    let kind =
        name_of(text).split_once('.').map_or("", |(_, kind)| kind.split('_').next().unwrap_or_default());
    ["eq", "ne", "lt", "gt", "le", "ge"].contains(&kind)
}

/// The opcode of an instruction as it is printed.
fn name_of(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn offset_of(text: &str) -> u64 {
    let offset = text.split_whitespace().find_map(|word| word.strip_prefix("offset="));
    offset.and_then(|offset| offset.parse().ok()).unwrap_or(0)
}

/// Whether the right side has canonical NaNs that the wrong one has not.
fn is_nan_bits(right: &str, wrong: &str) -> bool {
    let canonical = |text: &str| {
        ["0x7fc00000", "0x7ff8000000000000"].iter().map(|nan| text.matches(nan).count()).sum::<usize>()
    };
    canonical(right) > canonical(wrong)
}

/// Whether both sides are an `i64`, with a lower half that is the same and an upper one that is zero on the right side.
fn is_upper_half(right: &str, wrong: &str) -> bool {
    let bits = |text: &str| {
        let (_, number) = text.rsplit_once("i64:0x")?;
        u64::from_str_radix(number, 16).ok()
    };
    let (Some(right), Some(wrong)) = (bits(right), bits(wrong)) else { return false };
    right >> 32 == 0 && wrong >> 32 != 0 && right as u32 == wrong as u32
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
    use crate::case::{CaseModule, HostPlan, Limits};

    #[test]
    fn instructions_that_do_the_same_are_one_operation() {
        for (names, expected) in [
            (["call", "call_ref", "call_indirect"], CALL),
            (["br", "end", "loop"], BRANCH),
            (["if", "select", "i64.eqz"], CONDITION),
            (["i32.load", "i64.load", "f64.load"], LOAD),
            (["memory.copy", "table.init", "table.grow"], BULK),
        ] {
            names.iter().for_each(|name| assert_eq!(operation(name, true), expected, "{name}"));
        }
        for name in
            ["i32.load8_s", "i64.store", "memory.grow", "table.set", "i32.add", "local.set", "br_table"]
        {
            assert_eq!(operation(name, true), name);
        }
    }

    #[test]
    fn a_branch_that_carries_wrong_values_is_another_than_one_that_is_taken_wrongly() {
        assert_eq!(operation("br_if", true), BRANCH);
        assert_eq!(operation("br_if", false), CONDITION);
    }

    #[test]
    fn nan_bits_are_seen_wherever_they_are_shown() {
        assert!(is_nan_bits("result: f32:0x7fc00000", "result: f32:0xffc00000"));
        assert!(is_nan_bits("env.h(f64:0x7ff8000000000000)", "env.h(f64:0xfff8000000000000)"));
        assert!(!is_nan_bits("f32:0x7fc00000 f32:0x0", "f32:0x7fc00000 f32:0x1"));
        assert!(!is_nan_bits("f32:0x0", "f32:0x7fc00000"));
    }

    #[test]
    fn an_upper_half_is_wrong_if_the_lower_one_is_right() {
        assert!(is_upper_half("i64:0x7", "i64:0x1200000007"));
        assert!(!is_upper_half("i64:0x7", "i64:0x1200000008"));
        assert!(!is_upper_half("i64:0x100000007", "i64:0x1200000007"));
        assert!(!is_upper_half("i32:0x7", "i32:0x8"));
    }

    #[test]
    fn comparisons_and_offsets_are_read_from_text() {
        for text in ["i32.eq", "f64.ge", "i64.lt_u"] {
            assert!(is_comparison(text), "{text}");
        }
        for text in ["i32.eqz", "f32.neg", "f32.nearest", "i32.add", "end", "local.get 0"] {
            assert!(!is_comparison(text), "{text}");
        }
        assert_eq!(offset_of("i32.load offset=4294967295 align=1"), 0xffff_ffff);
        assert_eq!(offset_of("i32.load align=1"), 0);
    }

    #[test]
    fn messages_lose_what_is_different_each_time() {
        let message = "crash: panic: the island at 0x12 is cut off in function 7";
        assert_eq!(words(message), "crash: panic: the island at");
        assert_eq!(words("code and body differ (Access of 0x2e has no code)"), "code and body differ");
    }

    #[test]
    fn what_is_left_of_a_case_are_its_operations() {
        let left = |wat: &str| {
            let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
            let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
            let wasm = module.encode().expect("the test's text can be encoded");
            let modules = vec![CaseModule { name: "m".into(), wasm }];
            let hosts = HostPlan::new(0, 0);
            operations_left(&Case { modules, hosts, actions: Vec::new(), limits: Limits::default() })
        };
        let shift = "(i32.shl (local.get 0) (global.get 0))";
        let f = |body: &str| {
            left(&format!("(module (global i32 (i32.const 1)) (func $f (param i32) (result i32) {body}))"))
        };
        assert_eq!(f(shift), "i32.shl");
        assert_eq!(f(&format!("(call $f {shift})")), "i32.shl");
        assert_eq!(
            f(&format!("(select {shift} (i32.const 1) (i32.eqz (i32.const 0)))")),
            "condition + i32.shl"
        );
        assert_eq!(f(&format!("(return_call $f {shift})")), TAIL_CALL);
        assert_eq!(f("(call $f (i32.const 1))"), CALL);
        assert_eq!(f("(i32.const 1)"), "unknown");
    }

    #[test]
    fn what_it_takes_is_told_behind_what_goes_wrong() {
        let circumstances = vec![Circumstance::Without(Switch::ExplicitBounds), Circumstance::Linked];
        let wrong = Wrong::Effect { operation: LOAD.into() };
        let signature = Signature { wrong, circumstances };
        assert_eq!(signature.to_string(), "outcome|load|without explicit-bounds, linked");
        assert_eq!(Signature::bare(Wrong::Depth).to_string(), "depth");
        let wrong = Wrong::Refused { message: "code and body differ".into(), operation: CALL.into() };
        assert_eq!(Signature::bare(wrong).to_string(), "code and body differ|call");
    }
}
