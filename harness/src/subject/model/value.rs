//! Values as the model has them: numbers by their bits, references by what they refer to.

use super::types::{Heap, ValueType};
use crate::case::{self, HeapKind, RefValue};

/// A value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Val {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    Ref(Reference),
}

/// A reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reference {
    Null,
    /// A function, by its address in the store.
    Func(usize),
    /// The host's object of that number.
    Extern(u32),
}

impl Val {
    /// What a local of a type begins with. One whose type has no default is set before it is read.
    pub fn default_of(ty: ValueType) -> Val {
        match ty {
            ValueType::I32 => Val::I32(0),
            ValueType::I64 => Val::I64(0),
            ValueType::F32 => Val::F32(0),
            ValueType::F64 => Val::F64(0),
            ValueType::Ref { .. } => Val::Ref(Reference::Null),
        }
    }

    /// The value that was passed from outside; `None` if it cannot be made there.
    pub fn of_case(value: &case::Value) -> Option<Val> {
        Some(match value {
            case::Value::I32(bits) => Val::I32(*bits),
            case::Value::I64(bits) => Val::I64(*bits),
            case::Value::F32(bits) => Val::F32(*bits),
            case::Value::F64(bits) => Val::F64(*bits),
            case::Value::Ref(RefValue::Null(_)) => Val::Ref(Reference::Null),
            case::Value::Ref(RefValue::Extern(number)) => Val::Ref(Reference::Extern(*number)),
            case::Value::V128(_)
            | case::Value::Ref(RefValue::Func(_) | RefValue::I31(_) | RefValue::Other { .. }) => return None,
        })
    }

    /// The number that an address, an index or a count is.
    pub fn index(self) -> u64 {
        match self {
            Val::I32(bits) => u64::from(bits),
            Val::I64(bits) => bits,
            Val::F32(_) | Val::F64(_) | Val::Ref(_) => unreachable!("validation wants an integer here"),
        }
    }

    /// The reference that it is.
    pub fn reference(self) -> Reference {
        match self {
            Val::Ref(reference) => reference,
            Val::I32(_) | Val::I64(_) | Val::F32(_) | Val::F64(_) => {
                unreachable!("validation wants a reference here")
            }
        }
    }

    /// An address, an index or a count of that width.
    pub fn of_index(index: u64, is_64: bool) -> Val {
        if is_64 { Val::I64(index) } else { Val::I32(index as u32) }
    }
}

/// How a null of a type is shown.
pub(super) fn null_of(heap: Heap) -> HeapKind {
    match heap {
        Heap::Func | Heap::Defined(_) => HeapKind::Func,
        Heap::NoFunc => HeapKind::NoFunc,
        Heap::Extern => HeapKind::Extern,
        Heap::NoExtern => HeapKind::NoExtern,
    }
}

/// The operands of the functions in progress.
#[derive(Default, Debug)]
pub(super) struct Operands(pub Vec<Val>);

/// Why there is a value to take, of the type that is wanted.
const VALID: &str = "validation puts the operands of an instruction on the stack";

impl Operands {
    pub fn push(&mut self, value: Val) {
        self.0.push(value);
    }

    pub fn pop(&mut self) -> Val {
        self.0.pop().expect(VALID)
    }

    pub fn top(&self) -> Val {
        *self.0.last().expect(VALID)
    }

    /// Takes as many values as that, in the order in which they were put.
    pub fn take(&mut self, count: usize) -> Vec<Val> {
        self.0.split_off(self.0.len() - count)
    }

    /// Keeps the topmost values of that count, and drops those below them down to a height.
    pub fn unwind(&mut self, height: usize, keep: usize) {
        let end = self.0.len() - keep;
        self.0.drain(height..end);
    }

    pub fn pop_i32(&mut self) -> u32 {
        let Val::I32(bits) = self.pop() else { unreachable!("{VALID}") };
        bits
    }

    pub fn pop_i64(&mut self) -> u64 {
        let Val::I64(bits) = self.pop() else { unreachable!("{VALID}") };
        bits
    }

    pub fn pop_f32(&mut self) -> u32 {
        let Val::F32(bits) = self.pop() else { unreachable!("{VALID}") };
        bits
    }

    pub fn pop_f64(&mut self) -> u64 {
        let Val::F64(bits) = self.pop() else { unreachable!("{VALID}") };
        bits
    }

    pub fn pop_index(&mut self) -> u64 {
        self.pop().index()
    }
}
