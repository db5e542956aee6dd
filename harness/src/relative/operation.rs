//! What an instruction does, as far as it tells bugs apart.
//!
//! Instructions that do the same kind of thing in the same way count as one operation: a call is a call whatever names
//! the callee, and a condition is one whichever instruction asks for it. Numbers do not count, for they are what is left
//! by chance.

use crate::case::Case;
use crate::wasm::instruction::{Instruction, instructions};
use crosscheck_engine::opcode::{
    Control, Immediate, Load, Numeric, Opcode, Parametric, Table, Variable, Vector,
};
use std::fmt;

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// A call.
    Call,
    /// A call in place of the caller.
    TailCall,
    /// A branch, or the end or beginning of a block.
    Branch,
    /// A decision by a truth value.
    Condition,
    /// A load of a whole number: which one it is is left by chance.
    Load,
    /// What is done to a range of a memory or table, or to many of its elements at once.
    Bulk,
    /// A constant that is an operand.
    Constant,
    /// What this instruction does, and no other.
    One(Opcode),
    /// Several operations that are left in a case, in the order of their names; which of them goes wrong is not known.
    AnyOf(Vec<Operation>),
    /// Several instructions of one kind are needed.
    SeveralOfAKind,
    /// An instruction is known that only leads to what goes wrong.
    Unclear,
    /// No instruction is known.
    Unknown,
}

impl Operation {
    /// What an instruction does. A conditional branch that leaves other values is a branch, for it is taken rightly.
    pub fn of(opcode: Opcode, leaves_other_values: bool) -> Operation {
        use Control::{
            Block, Br, BrIf, BrOnCast, BrOnCastFail, BrOnNonNull, BrOnNull, BrTable, Call, CallIndirect,
            CallRef, Else, End, If, Loop, Nop, Return, ReturnCall, ReturnCallIndirect, ReturnCallRef, Throw,
            ThrowRef, TryTable, Unreachable,
        };
        match opcode {
            Opcode::Control(control) => match control {
                Call | CallIndirect | CallRef | ReturnCall | ReturnCallIndirect | ReturnCallRef => {
                    Operation::Call
                }
                Block | Loop | Br | BrOnNull | BrOnNonNull | Else | End => Operation::Branch,
                BrIf if leaves_other_values => Operation::Branch,
                BrIf | If => Operation::Condition,
                Unreachable | Nop | Throw | ThrowRef | BrTable | Return | TryTable | BrOnCast
                | BrOnCastFail => Operation::One(opcode),
            },
            Opcode::Parametric(Parametric::Select | Parametric::SelectT) => Operation::Condition,
            Opcode::Load(Load::I32Load | Load::I64Load | Load::F32Load | Load::F64Load) => Operation::Load,
            Opcode::Table(Table::TableGrow) => Operation::Bulk,
            Opcode::Memory(_) | Opcode::Table(_) if opcode.row().operands.len() > 2 => Operation::Bulk,
            Opcode::Numeric(Numeric::I32Eqz | Numeric::I64Eqz) => Operation::Condition,
            Opcode::Parametric(Parametric::Drop)
            | Opcode::Variable(_)
            | Opcode::Table(_)
            | Opcode::Load(_)
            | Opcode::Store(_)
            | Opcode::Memory(_)
            | Opcode::Const(_)
            | Opcode::Numeric(_)
            | Opcode::Wide(_)
            | Opcode::Reference(_)
            | Opcode::Gc(_)
            | Opcode::Vector(_)
            | Opcode::VectorMemory(_)
            | Opcode::Atomic(_) => Operation::One(opcode),
        }
    }

    /// The operations of a case: those of a tail call alone if there is one, as it would have become a call if a call
    /// did the same; and no call or branch where another operation is left.
    pub fn left_in(case: &Case) -> Operation {
        let functions = case.modules.iter().filter_map(|module| instructions(&module.wasm).ok()).flatten();
        let opcodes: Vec<Opcode> = functions.flatten().map(|instruction| instruction.opcode).collect();
        if opcodes.iter().any(|opcode| is_tail_call(*opcode)) {
            return Operation::TailCall;
        }
        let counting = opcodes.into_iter().filter(|opcode| !only_moves(*opcode));
        let mut left: Vec<Operation> = counting.map(|opcode| Operation::of(opcode, true)).collect();
        left.sort_by_key(Operation::to_string);
        left.dedup();
        for usual in [Operation::Call, Operation::Branch] {
            if left.len() > 1 {
                left.retain(|operation| *operation != usual);
            }
        }
        match left.len() {
            0 => Operation::Unknown,
            1 => left.remove(0),
            _ => Operation::AnyOf(left),
        }
    }

    /// Whether instructions of this operation and that one trap for the same kind of reason.
    pub fn may_trap_like(&self, opcode: Opcode) -> bool {
        *self == Operation::of(opcode, false) || (self.is_scalar_access() && is_scalar_access(opcode))
    }

    /// Whether a value of a memory is read or written.
    pub fn is_scalar_access(&self) -> bool {
        match self {
            Operation::Load => true,
            Operation::One(opcode) => is_scalar_access(*opcode),
            Operation::AnyOf(operations) => operations.iter().any(Operation::is_scalar_access),
            Operation::Call
            | Operation::TailCall
            | Operation::Branch
            | Operation::Condition
            | Operation::Bulk
            | Operation::Constant
            | Operation::SeveralOfAKind
            | Operation::Unclear
            | Operation::Unknown => false,
        }
    }

    /// Whether something is done to a memory, one value at a time or to its size.
    pub fn is_access(&self) -> bool {
        self.is_scalar_access() || matches!(self, Operation::One(Opcode::Memory(_)))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Call => "call",
            Operation::TailCall => "tail call",
            Operation::Branch => "branch",
            Operation::Condition => "condition",
            Operation::Load => "load",
            Operation::Bulk => "bulk",
            Operation::Constant => "constant",
            Operation::One(opcode) => opcode.text(),
            Operation::AnyOf(operations) => {
                let names: Vec<String> = operations.iter().map(Operation::to_string).collect();
                return f.write_str(&names.join(" + "));
            }
            Operation::SeveralOfAKind => "several of a kind",
            Operation::Unclear => "unclear",
            Operation::Unknown => "unknown",
        })
    }
}

/// Whether an instruction reads or writes a value of a memory.
fn is_scalar_access(opcode: Opcode) -> bool {
    opcode.row().immediates.first() == Some(&Immediate::MemArg)
}

/// Whether an instruction is a call in place of the caller.
pub fn is_tail_call(opcode: Opcode) -> bool {
    use Control::{ReturnCall, ReturnCallIndirect, ReturnCallRef};
    matches!(opcode, Opcode::Control(ReturnCall | ReturnCallIndirect | ReturnCallRef))
}

/// Whether an instruction only fetches a value. What reads a field of an object may trap, and does more.
pub fn only_fetches(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Const(_)
            | Opcode::Vector(Vector::V128Const)
            | Opcode::Variable(Variable::LocalGet | Variable::GlobalGet)
            | Opcode::Table(Table::TableGet)
    )
}

/// Whether an instruction only moves values, or does nothing.
fn only_moves(opcode: Opcode) -> bool {
    match opcode {
        Opcode::Const(_)
        | Opcode::Variable(_)
        | Opcode::Vector(Vector::V128Const)
        | Opcode::Parametric(Parametric::Drop)
        | Opcode::Control(Control::End | Control::Nop | Control::Return) => true,
        Opcode::Control(_)
        | Opcode::Parametric(_)
        | Opcode::Table(_)
        | Opcode::Load(_)
        | Opcode::Store(_)
        | Opcode::Memory(_)
        | Opcode::Numeric(_)
        | Opcode::Wide(_)
        | Opcode::Reference(_)
        | Opcode::Gc(_)
        | Opcode::Vector(_)
        | Opcode::VectorMemory(_)
        | Opcode::Atomic(_) => false,
    }
}

/// Whether an instruction compares a number with zero.
pub fn is_eqz(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Numeric(Numeric::I32Eqz | Numeric::I64Eqz))
}

/// Whether an instruction compares two numbers.
pub fn is_comparison(opcode: Opcode) -> bool {
    use Numeric::{
        F32Eq, F32Ge, F32Gt, F32Le, F32Lt, F32Ne, F64Eq, F64Ge, F64Gt, F64Le, F64Lt, F64Ne, I32Eq, I32GeS,
        I32GeU, I32GtS, I32GtU, I32LeS, I32LeU, I32LtS, I32LtU, I32Ne, I64Eq, I64GeS, I64GeU, I64GtS, I64GtU,
        I64LeS, I64LeU, I64LtS, I64LtU, I64Ne,
    };
    let Opcode::Numeric(numeric) = opcode else { return false };
    matches!(
        numeric,
        I32Eq
            | I32Ne
            | I32LtS
            | I32LtU
            | I32GtS
            | I32GtU
            | I32LeS
            | I32LeU
            | I32GeS
            | I32GeU
            | I64Eq
            | I64Ne
            | I64LtS
            | I64LtU
            | I64GtS
            | I64GtU
            | I64LeS
            | I64LeU
            | I64GeS
            | I64GeU
            | F32Eq
            | F32Ne
            | F32Lt
            | F32Gt
            | F32Le
            | F32Ge
            | F64Eq
            | F64Ne
            | F64Lt
            | F64Gt
            | F64Le
            | F64Ge
    )
}

/// The instructions of a module, function by function, each without the `end` of its function.
pub fn bodies(wasm: &[u8]) -> Vec<Instruction> {
    let functions = instructions(wasm).unwrap_or_default().into_iter();
    functions
        .flat_map(|mut body| {
            body.pop();
            body
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseModule, HostPlan, Limits};

    fn opcode(name: &str) -> Opcode {
        Opcode::from_text(name).expect("the test names an opcode")
    }

    #[test]
    fn instructions_that_do_the_same_are_one_operation() {
        for (names, expected) in [
            (["call", "call_ref", "call_indirect"], Operation::Call),
            (["br", "end", "loop"], Operation::Branch),
            (["if", "select", "i64.eqz"], Operation::Condition),
            (["i32.load", "i64.load", "f64.load"], Operation::Load),
            (["memory.copy", "table.init", "table.grow"], Operation::Bulk),
        ] {
            names.iter().for_each(|name| assert_eq!(Operation::of(opcode(name), true), expected, "{name}"));
        }
        for name in
            ["i32.load8_s", "i64.store", "memory.grow", "table.set", "i32.add", "local.set", "br_table"]
        {
            assert_eq!(Operation::of(opcode(name), true).to_string(), name);
        }
    }

    #[test]
    fn a_branch_that_carries_wrong_values_is_another_than_one_that_is_taken_wrongly() {
        assert_eq!(Operation::of(opcode("br_if"), true), Operation::Branch);
        assert_eq!(Operation::of(opcode("br_if"), false), Operation::Condition);
    }

    #[test]
    fn what_reads_an_object_does_more_than_fetch() {
        for name in ["i32.const", "local.get", "global.get", "table.get", "v128.const"] {
            assert!(only_fetches(opcode(name)), "{name}");
        }
        for name in ["struct.get", "array.get", "i31.get_s", "local.set", "table.size"] {
            assert!(!only_fetches(opcode(name)), "{name}");
        }
    }

    #[test]
    fn comparisons_are_those_of_two_numbers() {
        for opcode in Opcode::all() {
            let row = opcode.row();
            let kind = row.text.split_once('.').map_or("", |(_, kind)| kind);
            let named =
                ["eq", "ne", "lt", "gt", "le", "ge"].contains(&kind.split('_').next().unwrap_or_default());
            let compares = named && matches!(opcode, Opcode::Numeric(_));
            assert_eq!(is_comparison(opcode), compares, "{}", row.text);
        }
    }

    #[test]
    fn accesses_have_an_address_and_an_offset() {
        for name in ["i32.load", "i64.load8_s", "f32.store", "v128.load"] {
            assert!(Operation::of(opcode(name), true).is_scalar_access(), "{name}");
        }
        assert!(Operation::of(opcode("memory.grow"), true).is_access());
        assert!(!Operation::of(opcode("memory.copy"), true).is_access());
        assert!(Operation::Load.may_trap_like(opcode("i32.store8")));
        assert!(!Operation::Load.may_trap_like(opcode("i32.div_s")));
    }

    #[test]
    fn what_is_left_of_a_case_are_its_operations() {
        let left = |wat: &str| {
            let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
            let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
            let wasm = module.encode().expect("the test's text can be encoded");
            let modules = vec![CaseModule { name: "m".into(), wasm }];
            let hosts = HostPlan::new(0, 0);
            let case = Case { modules, hosts, actions: Vec::new(), limits: Limits::default() };
            Operation::left_in(&case).to_string()
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
        assert_eq!(f(&format!("(return_call $f {shift})")), "tail call");
        assert_eq!(f("(call $f (i32.const 1))"), "call");
        assert_eq!(f("(i32.const 1)"), "unknown");
    }
}
