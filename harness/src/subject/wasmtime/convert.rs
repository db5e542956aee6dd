//! Between wasmtime's values and errors and those of cases and observations.

use super::super::embedding::Refused;
use crate::case::{FuncIdentity, HeapKind, RefValue, Value};
use crate::observe::Outcome;
use crosscheck_engine::TrapKind;
use std::fmt;
use wasmtime::{AsContext, AsContextMut, ExternRef, Trap, V128, Val};

/// A host function's words of refusal, on their way through wasmtime.
#[derive(Debug)]
struct Words(&'static str);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Words {}

/// Why a call did not return.
pub(super) enum Failed {
    /// It ended so.
    Wasmtime(wasmtime::Error),
    /// An argument cannot be made from outside.
    Argument(String),
}

/// A host function's refusal as wasmtime takes it.
pub(super) fn refusal(refused: Refused<Failed>) -> wasmtime::Error {
    match refused {
        Refused::Trap(message) => wasmtime::Error::new(Words(message)),
        Refused::CallBack(Failed::Wasmtime(error)) => error,
        Refused::CallBack(Failed::Argument(_)) => unreachable!("call backs are given numbers"),
    }
}

/// Wasmtime's value; `None` if it cannot be made from outside.
pub(super) fn to_val(store: impl AsContextMut, value: &Value) -> Option<Val> {
    Some(match value {
        Value::I32(bits) => Val::I32(*bits as i32),
        Value::I64(bits) => Val::I64(*bits as i64),
        Value::F32(bits) => Val::F32(*bits),
        Value::F64(bits) => Val::F64(*bits),
        Value::V128(bits) => Val::V128(V128::from(*bits)),
        Value::Ref(RefValue::Extern(number)) => Val::ExternRef(Some(ExternRef::new(store, *number).ok()?)),
        Value::Ref(RefValue::Null(kind)) => match kind {
            HeapKind::Func | HeapKind::NoFunc | HeapKind::Concrete(_) => Val::FuncRef(None),
            HeapKind::Extern | HeapKind::NoExtern => Val::ExternRef(None),
            HeapKind::Exn | HeapKind::NoExn => Val::ExnRef(None),
            HeapKind::Any
            | HeapKind::None
            | HeapKind::Eq
            | HeapKind::I31
            | HeapKind::Struct
            | HeapKind::Array => Val::AnyRef(None),
        },
        Value::Ref(RefValue::Func(_) | RefValue::I31(_) | RefValue::Other { .. }) => return None,
    })
}

/// Wasmtime's value as it is observed.
pub(super) fn from_val(store: &impl AsContext, value: &Val) -> Value {
    let null = |kind| Value::Ref(RefValue::Null(kind));
    let object = |kind| Value::Ref(RefValue::Other { kind, number: 0 });
    match value {
        Val::I32(value) => Value::I32(*value as u32),
        Val::I64(value) => Value::I64(*value as u64),
        Val::F32(bits) => Value::F32(*bits),
        Val::F64(bits) => Value::F64(*bits),
        Val::V128(value) => Value::V128(value.as_u128()),
        Val::FuncRef(None) => null(HeapKind::Func),
        // Which function it is wasmtime does not say, and its capabilities say so.
        Val::FuncRef(Some(_)) => Value::Ref(RefValue::Func(FuncIdentity::Host(0))),
        Val::ExternRef(None) => null(HeapKind::Extern),
        Val::ExternRef(Some(reference)) => {
            let data = reference.data(store.as_context()).ok().flatten();
            let number = data.and_then(|data| data.downcast_ref::<u32>());
            Value::Ref(RefValue::Extern(*number.expect("the harness makes host objects of numbers only")))
        }
        Val::AnyRef(None) => null(HeapKind::Any),
        Val::AnyRef(Some(_)) => object(HeapKind::Any),
        Val::ExnRef(None) => null(HeapKind::Exn),
        Val::ExnRef(Some(_)) => object(HeapKind::Exn),
        Val::ContRef(_) => object(HeapKind::Any),
    }
}

fn trap_outcome(code: Trap) -> Outcome {
    let kind = match code {
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        // An index of `call_indirect` beyond the end too, see `Capabilities::undefined_elements`.
        Trap::TableOutOfBounds => TrapKind::TableOutOfBounds,
        Trap::IndirectCallToNull => TrapKind::UninitializedElement,
        Trap::IntegerDivisionByZero => TrapKind::IntegerDivideByZero,
        Trap::IntegerOverflow => TrapKind::IntegerOverflow,
        Trap::BadConversionToInteger => TrapKind::InvalidConversionToInteger,
        Trap::StackOverflow => TrapKind::CallStackExhausted,
        Trap::BadSignature => TrapKind::IndirectCallTypeMismatch,
        Trap::OutOfFuel => TrapKind::OutOfFuel,
        // Of functions, structures and arrays too, see `Capabilities::null_kinds`.
        Trap::NullReference => TrapKind::NullReference,
        // Others are of proposals that judged cases do not use, or of faults in wasmtime.
        other => return Outcome::Crash(other.to_string()),
    };
    Outcome::trap(kind, None)
}

/// How a failure of wasmtime is observed. What has no kind is about linking: a [`Outcome::Link`].
pub(super) fn outcome(error: &wasmtime::Error) -> Outcome {
    if let Some(Words(message)) = error.downcast_ref() {
        return Outcome::trap(TrapKind::Host, Some(message));
    }
    match error.downcast_ref::<Trap>() {
        Some(code) => trap_outcome(*code),
        None => Outcome::Link(format!("{error:#}")),
    }
}

/// How it is observed that wasmtime does not compile a module.
pub(super) fn refused_module(error: &wasmtime::Error) -> Outcome {
    let message = format!("{error:#}");
    // Sizes that the specification lets an implementation choose (appendix "Implementation Limitations"), and
    // operators that a compiler does not know. The compilers' own types of errors are not exported.
    let of_its_own = ["Implementation limit exceeded", "Unsupported", "Unimplemented", "not implemented"];
    if of_its_own.iter().any(|words| message.contains(words)) {
        return Outcome::Unsupported(message);
    }
    Outcome::Link(message)
}
