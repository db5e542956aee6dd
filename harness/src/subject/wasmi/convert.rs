//! Between wasmi's types, values and errors and those of cases and observations.

use super::super::embedding::Refused;
use crate::case::{FuncIdentity, HeapKind, RefValue, Value};
use crate::observe::Outcome;
use crosscheck_engine::{self as engine, HeapType, TrapKind};
use std::fmt;
use wasmi::errors::{ErrorKind, FuelError, InstantiationError, MemoryError, TableError};
use wasmi::{AsContext, AsContextMut, ExternRef, F32, F64, Func, FuncType, Nullable, TrapCode, V128, Val};

/// A host function's words of refusal, on their way through wasmi.
#[derive(Debug)]
struct Words(&'static str);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl wasmi::errors::HostError for Words {}

/// Why a call did not return.
pub(super) enum Failed {
    /// It ended so.
    Wasmi(wasmi::Error),
    /// An argument cannot be made from outside.
    Argument(String),
}

/// A host function's refusal as wasmi takes it.
pub(super) fn refusal(refused: Refused<Failed>) -> wasmi::Error {
    match refused {
        Refused::Trap(message) => wasmi::Error::host(Words(message)),
        Refused::CallBack(Failed::Wasmi(error)) => error,
        Refused::CallBack(Failed::Argument(_)) => unreachable!("call backs are given numbers"),
    }
}

/// Wasmi's type of values; `None` for references that it does not have.
pub(super) fn val_type(ty: engine::ValType) -> Option<wasmi::ValType> {
    Some(match ty {
        engine::ValType::I32 => wasmi::ValType::I32,
        engine::ValType::I64 => wasmi::ValType::I64,
        engine::ValType::F32 => wasmi::ValType::F32,
        engine::ValType::F64 => wasmi::ValType::F64,
        engine::ValType::V128 => wasmi::ValType::V128,
        engine::ValType::Ref(engine::RefType { heap: HeapType::Func, nullable: true }) => {
            wasmi::ValType::FuncRef
        }
        engine::ValType::Ref(engine::RefType { heap: HeapType::Extern, nullable: true }) => {
            wasmi::ValType::ExternRef
        }
        engine::ValType::Ref(_) => return None,
    })
}

/// The type of references, if it is one.
pub(super) fn ref_type(ty: wasmi::ValType) -> Option<wasmi::RefType> {
    match ty {
        wasmi::ValType::FuncRef => Some(wasmi::RefType::Func),
        wasmi::ValType::ExternRef => Some(wasmi::RefType::Extern),
        wasmi::ValType::I32
        | wasmi::ValType::I64
        | wasmi::ValType::F32
        | wasmi::ValType::F64
        | wasmi::ValType::V128 => None,
    }
}

/// Wasmi's function type; `None` if it has a type of values that wasmi does not have.
pub(super) fn func_type(ty: &engine::FuncType) -> Option<FuncType> {
    let types = |types: &[engine::ValType]| types.iter().map(|ty| val_type(*ty)).collect::<Option<Vec<_>>>();
    Some(FuncType::new(types(ty.params())?, types(ty.results())?))
}

/// Wasmi's value; `None` if wasmi cannot make it from outside.
pub(super) fn to_val(store: impl AsContextMut, value: &Value) -> Option<Val> {
    Some(match value {
        Value::I32(bits) => Val::I32(*bits as i32),
        Value::I64(bits) => Val::I64(*bits as i64),
        Value::F32(bits) => Val::F32(F32::from_bits(*bits)),
        Value::F64(bits) => Val::F64(F64::from_bits(*bits)),
        Value::V128(bits) => Val::V128(V128::from(*bits)),
        Value::Ref(RefValue::Extern(number)) => Val::from(ExternRef::new(store, *number)),
        Value::Ref(RefValue::Null(HeapKind::Func)) => Val::from(Nullable::<Func>::Null),
        Value::Ref(RefValue::Null(HeapKind::Extern)) => Val::from(Nullable::<ExternRef>::Null),
        Value::Ref(RefValue::Null(_) | RefValue::Func(_) | RefValue::I31(_) | RefValue::Other { .. }) => {
            return None;
        }
    })
}

/// Wasmi's value as it is observed.
pub(super) fn from_val(store: &impl AsContext, value: &Val) -> Value {
    match value {
        Val::I32(value) => Value::I32(*value as u32),
        Val::I64(value) => Value::I64(*value as u64),
        Val::F32(value) => Value::F32(value.to_bits()),
        Val::F64(value) => Value::F64(value.to_bits()),
        Val::V128(value) => Value::V128(value.as_u128()),
        Val::FuncRef(Nullable::Null) => Value::Ref(RefValue::Null(HeapKind::Func)),
        // Which function it is wasmi does not say, and its capabilities say so.
        Val::FuncRef(Nullable::Val(_)) => Value::Ref(RefValue::Func(FuncIdentity::Host(0))),
        Val::ExternRef(Nullable::Null) => Value::Ref(RefValue::Null(HeapKind::Extern)),
        Val::ExternRef(Nullable::Val(object)) => {
            let number = object.data(store).downcast_ref::<u32>();
            Value::Ref(RefValue::Extern(*number.expect("the harness makes host objects of numbers only")))
        }
    }
}

fn trap_outcome(code: TrapCode) -> Outcome {
    let kind = match code {
        TrapCode::UnreachableCodeReached => TrapKind::Unreachable,
        TrapCode::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        // An index of `call_indirect` beyond the end too, see `Capabilities::undefined_elements`.
        TrapCode::TableOutOfBounds => TrapKind::TableOutOfBounds,
        TrapCode::IndirectCallToNull => TrapKind::UninitializedElement,
        TrapCode::IntegerDivisionByZero => TrapKind::IntegerDivideByZero,
        TrapCode::IntegerOverflow => TrapKind::IntegerOverflow,
        TrapCode::BadConversionToInteger => TrapKind::InvalidConversionToInteger,
        TrapCode::StackOverflow => TrapKind::CallStackExhausted,
        TrapCode::BadSignature => TrapKind::IndirectCallTypeMismatch,
        TrapCode::OutOfFuel => TrapKind::OutOfFuel,
        TrapCode::GrowthOperationLimited => return Outcome::Limit(code.to_string()),
        TrapCode::OutOfSystemMemory => return Outcome::Resources(code.to_string()),
    };
    Outcome::trap(kind, None)
}

/// How a failure of making or accessing a memory is observed.
pub(super) fn memory_outcome(error: &MemoryError) -> Outcome {
    match error {
        MemoryError::OutOfSystemMemory => Outcome::Resources(error.to_string()),
        MemoryError::OutOfBoundsAccess => trap_outcome(TrapCode::MemoryOutOfBounds),
        MemoryError::OutOfFuel { .. } => trap_outcome(TrapCode::OutOfFuel),
        MemoryError::OutOfBoundsGrowth
        | MemoryError::ResourceLimiterDeniedAllocation
        | MemoryError::MinimumSizeOverflow
        | MemoryError::MaximumSizeOverflow => Outcome::Limit(error.to_string()),
        MemoryError::InvalidMemoryType | MemoryError::InvalidStaticBufferSize => {
            Outcome::Crash(error.to_string())
        }
    }
}

fn table_outcome(error: &TableError) -> Outcome {
    match error {
        TableError::OutOfSystemMemory => Outcome::Resources(error.to_string()),
        TableError::OutOfFuel { .. } => trap_outcome(TrapCode::OutOfFuel),
        TableError::InitOutOfBounds
        | TableError::FillOutOfBounds
        | TableError::SetOutOfBounds
        | TableError::CopyOutOfBounds => trap_outcome(TrapCode::TableOutOfBounds),
        TableError::MinimumSizeOverflow
        | TableError::MaximumSizeOverflow
        | TableError::ResourceLimiterDeniedAllocation
        | TableError::GrowOutOfBounds => Outcome::Limit(error.to_string()),
        // The error may have more kinds in other versions.
        other => Outcome::Crash(other.to_string()),
    }
}

fn instantiation_outcome(error: &InstantiationError) -> Outcome {
    match error {
        InstantiationError::MismatchedNumberOfImports { .. }
        | InstantiationError::ImportTypeMismatch { .. }
        | InstantiationError::GlobalTypeMismatch { .. }
        | InstantiationError::FuncTypeMismatch { .. }
        | InstantiationError::TableTypeMismatch { .. }
        | InstantiationError::MemoryTypeMismatch { .. } => Outcome::Link(error.to_string()),
        InstantiationError::ElementSegmentDoesNotFit { .. } => trap_outcome(TrapCode::TableOutOfBounds),
        InstantiationError::TooManyInstances
        | InstantiationError::TooManyTables
        | InstantiationError::TooManyMemories => Outcome::Limit(error.to_string()),
        InstantiationError::FailedToInstantiateMemory(error) => memory_outcome(error),
        InstantiationError::FailedToInstantiateTable(error) => table_outcome(error),
        InstantiationError::UnexpectedStartFn { .. } => Outcome::Crash(error.to_string()),
    }
}

/// How a failure of wasmi is observed. A module that wasmi refuses is a [`Outcome::Link`].
pub(super) fn outcome(error: &wasmi::Error) -> Outcome {
    if let Some(Words(message)) = error.downcast_ref() {
        return Outcome::trap(TrapKind::Host, Some(message));
    }
    match error.kind() {
        ErrorKind::TrapCode(code) => trap_outcome(*code),
        ErrorKind::Memory(error) => memory_outcome(error),
        ErrorKind::Table(error) => table_outcome(error),
        ErrorKind::Instantiation(error) => instantiation_outcome(error),
        ErrorKind::Fuel(FuelError::OutOfFuel { .. }) => trap_outcome(TrapCode::OutOfFuel),
        ErrorKind::Wasm(error) => Outcome::Link(error.to_string()),
        // Sizes that the specification lets an implementation choose (appendix "Implementation Limitations").
        ErrorKind::Translation(error) => Outcome::Unsupported(error.to_string()),
        ErrorKind::ImplementationLimits(error) => Outcome::Unsupported(error.to_string()),
        // What is left is about how wasmi is used. If any of it happens, the bench or wasmi is at fault.
        other => Outcome::Crash(other.to_string()),
    }
}
