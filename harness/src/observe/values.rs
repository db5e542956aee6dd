//! Between the engine's values and the values of cases and observations.

use super::Outcome;
use crate::case::{FuncIdentity, HeapKind, RefValue, TagIdentity, Value};
use crate::digest::Digest;
use crosscheck_engine::{
    self as engine, AnyRef, AsContext, AsContextMut, Exception, ExternRef, HeapType, Hierarchy, I31, RefType,
    Val, ValType,
};

/// A value of type `ty` as it is observed.
pub fn observed(store: &impl AsContext, value: Val, ty: ValType) -> Value {
    let null = |hierarchy| match ty {
        // The null of a defined type is shown as that of its hierarchy: in which module the type has which index is
        // not known here.
        ValType::Ref(RefType { heap: HeapType::Concrete(_), .. }) => {
            Value::Ref(RefValue::Null(match hierarchy {
                Hierarchy::Func => HeapKind::Func,
                Hierarchy::Extern => HeapKind::Extern,
                Hierarchy::Any => HeapKind::Any,
                Hierarchy::Exn => HeapKind::Exn,
            }))
        }
        ValType::Ref(ty) => null(ty),
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => {
            unreachable!("a null is of a reference type")
        }
    };
    match value {
        Val::I32(value) => Value::I32(value as u32),
        Val::I64(value) => Value::I64(value as u64),
        Val::F32(bits) => Value::F32(bits),
        Val::F64(bits) => Value::F64(bits),
        Val::V128(bits) => Value::V128(bits),
        Val::FuncRef(Some(func)) => Value::Ref(RefValue::Func(match func.identity(store) {
            engine::FuncIdentity::Wasm { instance, func } => FuncIdentity::Wasm { instance, func },
            engine::FuncIdentity::Host(number) => FuncIdentity::Host(number),
        })),
        Val::ExternRef(Some(object)) => {
            let number = object.data(store).downcast_ref::<u32>();
            Value::Ref(RefValue::Extern(*number.expect("the harness makes host objects of numbers only")))
        }
        Val::Any(Some(AnyRef::I31(value))) => Value::Ref(RefValue::I31(value.unsigned())),
        // No mode makes objects yet, so there is no graph by which they could be numbered.
        Val::Any(Some(AnyRef::Object(object))) => {
            Value::Ref(RefValue::Other { kind: HeapKind::Any, number: object.number() })
        }
        Val::Exn(Some(exception)) => {
            Value::Ref(RefValue::Other { kind: HeapKind::Exn, number: exception.number() })
        }
        Val::FuncRef(None) => null(Hierarchy::Func),
        Val::ExternRef(None) => null(Hierarchy::Extern),
        Val::Any(None) => null(Hierarchy::Any),
        Val::Exn(None) => null(Hierarchy::Exn),
    }
}

/// An exception that nothing caught, as it is observed.
pub fn exception(store: &impl AsContext, exception: &Exception) -> Outcome {
    let tag = match exception.tag().identity(store) {
        engine::TagIdentity::Wasm { instance, tag } => TagIdentity::Wasm { instance, tag },
        engine::TagIdentity::Host(number) => TagIdentity::Host(number),
    };
    let ty = exception.tag().ty(store);
    let payload = exception.payload().iter().zip(ty.params());
    Outcome::Exception { tag, payload: payload.map(|(value, ty)| observed(store, *value, *ty)).collect() }
}

/// The null of a type, for hosts and command lines. Defined types are taken for function types: no mode executes others.
pub fn null(ty: RefType) -> Value {
    Value::Ref(RefValue::Null(match ty.heap {
        HeapType::Func | HeapType::Concrete(_) => HeapKind::Func,
        HeapType::NoFunc => HeapKind::NoFunc,
        HeapType::Extern => HeapKind::Extern,
        HeapType::NoExtern => HeapKind::NoExtern,
        HeapType::Any => HeapKind::Any,
        HeapType::None => HeapKind::None,
        HeapType::Eq => HeapKind::Eq,
        HeapType::Struct => HeapKind::Struct,
        HeapType::Array => HeapKind::Array,
        HeapType::I31 => HeapKind::I31,
        HeapType::Exn => HeapKind::Exn,
        HeapType::NoExn => HeapKind::NoExn,
    }))
}

/// The engine's value; `None` if the engine cannot make it from outside.
pub fn to_val(store: &mut impl AsContextMut, value: &Value) -> Option<Val> {
    Some(match value {
        Value::I32(bits) => Val::I32(*bits as i32),
        Value::I64(bits) => Val::I64(*bits as i64),
        Value::F32(bits) => Val::F32(*bits),
        Value::F64(bits) => Val::F64(*bits),
        Value::V128(bits) => Val::V128(*bits),
        Value::Ref(RefValue::Extern(number)) => Val::ExternRef(Some(ExternRef::new(store, *number))),
        Value::Ref(RefValue::Null(kind)) => match kind {
            HeapKind::Func | HeapKind::NoFunc | HeapKind::Concrete(_) => Val::FuncRef(None),
            HeapKind::Extern | HeapKind::NoExtern => Val::ExternRef(None),
            HeapKind::Exn | HeapKind::NoExn => Val::Exn(None),
            HeapKind::Any
            | HeapKind::None
            | HeapKind::Eq
            | HeapKind::I31
            | HeapKind::Struct
            | HeapKind::Array => Val::Any(None),
        },
        Value::Ref(RefValue::I31(bits)) => Val::Any(Some(AnyRef::I31(I31::wrapping(*bits)))),
        Value::Ref(RefValue::Func(_) | RefValue::Other { .. }) => return None,
    })
}

/// Takes a value into a digest.
pub fn digest(value: &Value, digest: &mut Digest) {
    let (tag, bits) = match value {
        Value::I32(bits) => (1, u64::from(*bits)),
        Value::I64(bits) => (2, *bits),
        Value::F32(bits) => (3, u64::from(*bits)),
        Value::F64(bits) => (4, *bits),
        Value::V128(bits) => {
            digest.u64((bits >> 64) as u64);
            (5, *bits as u64)
        }
        // Nulls of one hierarchy are the same value, in whatever place they are seen.
        Value::Ref(RefValue::Null(_)) => (6, 0),
        Value::Ref(RefValue::Extern(number)) => (7, u64::from(*number)),
        Value::Ref(RefValue::Func(FuncIdentity::Wasm { instance, func })) => {
            (8, u64::from(*instance) << 32 | u64::from(*func))
        }
        Value::Ref(RefValue::Func(FuncIdentity::Host(number))) => (9, u64::from(*number)),
        Value::Ref(RefValue::I31(bits)) => (10, u64::from(*bits)),
        Value::Ref(RefValue::Other { number, .. }) => (11, u64::from(*number)),
    };
    digest.u64(tag);
    digest.u64(bits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_engine::{Config, Engine, FuncType, Mode, Store, Tag};

    #[test]
    fn an_integer_of_31_bits_is_the_same_in_the_engine_and_in_cases() {
        let mut store = Store::new(&Engine::new(&Config::new(Mode::Interp)), ());
        let value = Value::Ref(RefValue::I31(0x7fff_ffff));
        let passed = to_val(&mut store, &value).expect("made of its bits");
        let anyref = ValType::Ref(RefType { nullable: true, heap: HeapType::Any });
        assert_eq!(observed(&store, passed, anyref), value);
    }

    #[test]
    fn an_exception_is_observed_by_what_its_tag_and_values_are() {
        let mut store = Store::new(&Engine::new(&Config::new(Mode::Interp)), ());
        let tag = Tag::new(&mut store, FuncType::new([ValType::F32, ValType::EXTERNREF], []));
        let object = Val::ExternRef(Some(ExternRef::new(&mut store, 9u32)));
        let thrown = Exception::new(&store, tag, &[Val::F32(0xffc0_0001), object]).expect("fits its tag");
        let payload = vec![Value::F32(0xffc0_0001), Value::Ref(RefValue::Extern(9))];
        assert_eq!(exception(&store, &thrown), Outcome::Exception { tag: TagIdentity::Host(0), payload });
    }
}
