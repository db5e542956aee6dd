//! Values as they are compared and shown: without anything that is private to one store.

use crosscheck_engine::{AnyRef, ExternRef, Func, FuncIdentity, Hierarchy, TagIdentity, Val};
use std::fmt;

/// A value that means the same in every lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    Null(Hierarchy),
    Func(FuncName),
    /// A host object by the number the script gave it; `None` for one that no script made.
    Extern(Option<u32>),
    /// An integer of 31 bits, zero-extended.
    I31(u32),
    /// A structure or an array, by its number in the store.
    Object(u32),
    /// An exception, by its number in the store.
    Exn(u32),
}

/// Which function it is, by what the script says and not by the numbers of a store: a lane that skips
/// a module counts its instances differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FuncName {
    /// The directive that made the instance, and the function index in its module.
    Wasm { directive: u32, func: u32 },
    /// Host functions are all made at the start, so their numbers agree.
    Host(u32),
}

/// Which tag it is, as [`FuncName`] says which function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TagName {
    Wasm { directive: u32, tag: u32 },
    Host(u32),
}

/// What a store knows of references.
pub(super) trait References {
    fn func(&self, func: Func) -> FuncName;
    fn object(&self, object: ExternRef) -> Option<u32>;
}

impl FuncName {
    /// `directives` has the directive that made each instance of the store.
    pub fn new(identity: FuncIdentity, directives: &[u32]) -> FuncName {
        match identity {
            FuncIdentity::Wasm { instance, func } => {
                FuncName::Wasm { directive: directives[instance as usize], func }
            }
            FuncIdentity::Host(number) => FuncName::Host(number),
        }
    }
}

impl TagName {
    /// `directives` has the directive that made each instance of the store.
    pub fn new(identity: TagIdentity, directives: &[u32]) -> TagName {
        match identity {
            TagIdentity::Wasm { instance, tag } => {
                TagName::Wasm { directive: directives[instance as usize], tag }
            }
            TagIdentity::Host(number) => TagName::Host(number),
        }
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TagName::Wasm { tag, .. } => write!(f, "tag {tag}"),
            TagName::Host(number) => write!(f, "tag host {number}"),
        }
    }
}

impl Value {
    pub fn new(value: Val, references: &impl References) -> Value {
        match value {
            Val::I32(value) => Value::I32(value as u32),
            Val::I64(value) => Value::I64(value as u64),
            Val::F32(bits) => Value::F32(bits),
            Val::F64(bits) => Value::F64(bits),
            Val::V128(bits) => Value::V128(bits),
            Val::FuncRef(None) => Value::Null(Hierarchy::Func),
            Val::FuncRef(Some(func)) => Value::Func(references.func(func)),
            Val::ExternRef(None) => Value::Null(Hierarchy::Extern),
            Val::ExternRef(Some(object)) => Value::Extern(references.object(object)),
            Val::Any(None) => Value::Null(Hierarchy::Any),
            Val::Any(Some(AnyRef::I31(value))) => Value::I31(value.unsigned()),
            Val::Any(Some(AnyRef::Object(object))) => Value::Object(object.number()),
            Val::Exn(None) => Value::Null(Hierarchy::Exn),
            Val::Exn(Some(exception)) => Value::Exn(exception.number()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(value) => write!(f, "i32:{value:#x}"),
            Value::I64(value) => write!(f, "i64:{value:#x}"),
            Value::F32(bits) => write!(f, "f32:{bits:#x}"),
            Value::F64(bits) => write!(f, "f64:{bits:#x}"),
            Value::V128(bits) => write!(f, "v128:{bits:#x}"),
            Value::Null(hierarchy) => write!(f, "ref.null {hierarchy}"),
            Value::Func(FuncName::Wasm { func, .. }) => write!(f, "ref.func {func}"),
            Value::Func(FuncName::Host(number)) => write!(f, "ref.func host {number}"),
            Value::Extern(Some(number)) => write!(f, "ref.extern {number}"),
            Value::Extern(None) => f.write_str("ref.extern"),
            Value::I31(bits) => write!(f, "ref.i31 {bits:#x}"),
            Value::Object(number) => write!(f, "ref.any #{number}"),
            Value::Exn(number) => write!(f, "ref.exn #{number}"),
        }
    }
}

/// Several values in brackets.
pub(super) fn list<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(" "))
}
