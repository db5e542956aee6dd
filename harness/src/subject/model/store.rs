//! What lives while a case runs: functions, tables, memories, globals, instances, and the calls in progress.
//!
//! Addresses are positions in the lists of their kind (specification, section 4.2, "Runtime Structure").

use super::code::Code;
use super::memory::{Memory, Table};
use super::module::{GlobalType, Module, is_func};
use super::types::{Types, ValueType};
use super::value::{Operands, Reference, Val, null_of};
use crate::case::{FuncIdentity, Limits, RefValue, Value};
use crate::hosts::Host;
use crate::observe::{Capture, Outcome};
use crosscheck_engine::TrapKind;
use std::rc::Rc;
use wasmparser::ExternalKind;

/// Everything there is.
pub(super) struct Store<'a> {
    pub types: Types,
    pub funcs: Vec<Func<'a>>,
    pub tables: Vec<Table>,
    pub memories: Vec<Memory>,
    pub globals: Vec<Global>,
    pub instances: Vec<Instance<'a>>,
    pub host: Host,
    pub limits: Limits,
    pub capture: Capture,
    /// Fuel that is left.
    pub fuel: u64,
    /// Slots that are left of the depth budget.
    pub depth: u32,
    /// How many calls from outside of modules are in progress, one inside the other.
    pub entries: u32,
    pub operands: Operands,
    /// The calls in progress, outermost first.
    pub calls: Vec<Call<'a>>,
}

/// A function.
pub(super) struct Func<'a> {
    /// The number of its type.
    pub ty: usize,
    pub kind: FuncKind<'a>,
}

#[derive(Clone)]
pub(super) enum FuncKind<'a> {
    /// Of an instance's module.
    Wasm { instance: usize, code: Rc<Code<'a>> },
    /// Of the host: which import it was made for, and its name.
    Host { import: u32, name: Rc<str> },
}

/// A global.
pub(super) struct Global {
    pub ty: GlobalType,
    pub value: Val,
}

/// An instance of a module, with the addresses of what belongs to it.
pub(super) struct Instance<'a> {
    pub module: Rc<Module<'a>>,
    pub funcs: Vec<usize>,
    pub tables: Vec<usize>,
    pub memories: Vec<usize>,
    pub globals: Vec<usize>,
    /// Its element segments; those that are dropped are empty.
    pub elems: Vec<Vec<Reference>>,
    pub dropped_elems: Vec<bool>,
    pub dropped_datas: Vec<bool>,
}

/// Something that is imported and exported, by its address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extern {
    Func(usize),
    Table(usize),
    Memory(usize),
    Global(usize),
}

/// A call in progress.
pub(super) enum Call<'a> {
    Wasm(Frame<'a>),
    /// Of the host's function at that address.
    Host(usize),
}

/// The frame of a function that is running.
pub(super) struct Frame<'a> {
    pub instance: usize,
    pub code: Rc<Code<'a>>,
    pub locals: Vec<Val>,
    /// The blocks that it is in, outermost first.
    pub labels: Vec<Label>,
    /// How many operands there were before its own.
    pub height: usize,
    /// The number of the next instruction.
    pub next: usize,
    /// The file offset of the instruction that is being executed.
    pub site: u32,
}

/// Where a branch goes.
#[derive(Clone, Copy)]
pub(super) struct Label {
    /// The number of the instruction to go on with.
    pub target: usize,
    /// Whether that is inside of the block: it is a loop.
    pub is_loop: bool,
    /// How many values a branch takes along.
    pub arity: usize,
    /// How many operands there were before those of the block.
    pub height: usize,
}

/// Why execution does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// A trap that has not been given its place yet.
    Trap(TrapKind),
    /// The same, of the host, in its words.
    Host(&'static str),
    /// The action ends so.
    Ended(Box<Outcome>),
}

impl From<TrapKind> for Stop {
    fn from(kind: TrapKind) -> Stop {
        Stop::Trap(kind)
    }
}

impl From<Outcome> for Stop {
    fn from(outcome: Outcome) -> Stop {
        Stop::Ended(Box::new(outcome))
    }
}

impl<'a> Store<'a> {
    /// A store with nothing in it.
    pub fn new(limits: Limits, host: Host, capture: Capture) -> Store<'a> {
        Store {
            types: Types::default(),
            funcs: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            instances: Vec::new(),
            host,
            limits,
            capture,
            fuel: 0,
            depth: limits.depth_slots,
            entries: 0,
            operands: Operands::default(),
            calls: Vec::new(),
        }
    }

    /// What an instance exports by a name.
    pub fn export(&self, instance: usize, name: &str) -> Option<Extern> {
        let instance = &self.instances[instance];
        let (_, kind, index) = instance.module.exports.iter().find(|(exported, ..)| *exported == name)?;
        instance.item(*kind, *index)
    }

    /// A value of a type, as it is seen from outside.
    pub fn seen(&self, value: Val, ty: ValueType) -> Value {
        match value {
            Val::I32(bits) => Value::I32(bits),
            Val::I64(bits) => Value::I64(bits),
            Val::F32(bits) => Value::F32(bits),
            Val::F64(bits) => Value::F64(bits),
            Val::Ref(Reference::Extern(number)) => Value::Ref(RefValue::Extern(number)),
            Val::Ref(Reference::Func(address)) => Value::Ref(RefValue::Func(self.identity(address))),
            Val::Ref(Reference::Null) => {
                let ValueType::Ref { heap, .. } = ty else { unreachable!("a null is of a reference type") };
                Value::Ref(RefValue::Null(null_of(heap)))
            }
        }
    }

    /// Values of these types, as they are seen from outside.
    pub fn all_seen(&self, values: &[Val], types: &[ValueType]) -> Vec<Value> {
        values.iter().zip(types).map(|(value, ty)| self.seen(*value, *ty)).collect()
    }

    fn identity(&self, address: usize) -> FuncIdentity {
        match &self.funcs[address].kind {
            FuncKind::Wasm { instance, code } => {
                FuncIdentity::Wasm { instance: *instance as u32, func: code.func }
            }
            FuncKind::Host { .. } => FuncIdentity::Host(address as u32),
        }
    }

    /// Whether a value belongs to a type.
    pub fn is_of(&self, value: Val, ty: ValueType) -> bool {
        use super::types::{Defined, Heap};
        let refers = |heap| self.types.matches(ValueType::Ref { nullable: false, heap }, ty);
        match value {
            Val::I32(_) => ty == ValueType::I32,
            Val::I64(_) => ty == ValueType::I64,
            Val::F32(_) => ty == ValueType::F32,
            Val::F64(_) => ty == ValueType::F64,
            Val::Ref(Reference::Null) => matches!(ty, ValueType::Ref { nullable: true, .. }),
            Val::Ref(Reference::Extern(_)) => refers(Heap::Extern),
            Val::Ref(Reference::Func(address)) => {
                refers(Heap::Defined(Defined::Number(self.funcs[address].ty)))
            }
        }
    }
}

impl Instance<'_> {
    pub fn item(&self, kind: ExternalKind, index: u32) -> Option<Extern> {
        let index = index as usize;
        Some(match kind {
            kind if is_func(kind) => Extern::Func(self.funcs[index]),
            ExternalKind::Table => Extern::Table(self.tables[index]),
            ExternalKind::Memory => Extern::Memory(self.memories[index]),
            ExternalKind::Global => Extern::Global(self.globals[index]),
            _ => return None,
        })
    }
}
