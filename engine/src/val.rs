//! How values lie in slots, and which types they belong to.

use crate::faults::Fault;
use crate::handle::Val;
use crate::store::{FuncId, StoreInner};
use crate::types::{HeapType, RefType, TypeRegistry, ValType};

/// The fault that locals of reference types are made like integers, of zero bits, where null is something else:
/// here zero bits are null, so it makes them something else.
pub(crate) const REFERENCES_ARE_ZEROED: Fault = Fault::named("floor-reference-locals-are-not-null");
/// What they are made: a reference to function or object 0.
pub(crate) const NOT_NULL: u64 = 1;

impl Val {
    /// The default of a type: zero or null; `None` for references that cannot be null.
    pub fn default_of(ty: ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(0),
            ValType::Ref(RefType { nullable: false, .. }) => return None,
            ValType::Ref(RefType { heap, .. }) => match heap {
                HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_) => Val::FuncRef(None),
                HeapType::Extern | HeapType::NoExtern => Val::ExternRef(None),
                HeapType::Exn | HeapType::NoExn => Val::NullExn,
                HeapType::Any
                | HeapType::None
                | HeapType::Eq
                | HeapType::Struct
                | HeapType::Array
                | HeapType::I31 => Val::NullAny,
            },
        })
    }

    /// Whether the value belongs to a type.
    pub(crate) fn is_a(&self, ty: ValType, store: &StoreInner) -> bool {
        let types = store.engine.types();
        match (self, ty) {
            (Val::I32(_), ValType::I32)
            | (Val::I64(_), ValType::I64)
            | (Val::F32(_), ValType::F32)
            | (Val::F64(_), ValType::F64)
            | (Val::V128(_), ValType::V128) => true,
            (Val::FuncRef(Some(func)), ValType::Ref(ty)) => {
                let id = store.func(FuncId(store.own(func.stored))).ty;
                types.heap_matches(HeapType::Concrete(id), ty.heap)
            }
            (Val::ExternRef(Some(_)), ValType::Ref(ty)) => ty.heap == HeapType::Extern,
            (Val::FuncRef(None), ValType::Ref(ty)) => {
                ty.nullable && types.heap_matches(HeapType::NoFunc, ty.heap)
            }
            (Val::ExternRef(None), ValType::Ref(ty)) => {
                ty.nullable && types.heap_matches(HeapType::NoExtern, ty.heap)
            }
            (Val::NullAny, ValType::Ref(ty)) => ty.nullable && types.heap_matches(HeapType::None, ty.heap),
            (Val::NullExn, ValType::Ref(ty)) => ty.nullable && types.heap_matches(HeapType::NoExn, ty.heap),
            _ => false,
        }
    }

    /// Writes the value to the start of `slots`; gives how many it took.
    pub(crate) fn write(&self, slots: &mut [u64], store: &StoreInner) -> usize {
        slots[0] = match self {
            Val::I32(value) => u64::from(*value as u32),
            Val::I64(value) => *value as u64,
            Val::F32(bits) => u64::from(*bits),
            Val::F64(bits) => *bits,
            Val::V128(bits) => {
                slots[1] = (bits >> 64) as u64;
                *bits as u64
            }
            Val::FuncRef(Some(func)) => func_slot(FuncId(store.own(func.stored))),
            Val::ExternRef(Some(object)) => u64::from(store.own(object.stored)) + 1,
            Val::FuncRef(None) | Val::ExternRef(None) | Val::NullAny | Val::NullExn => NULL_SLOT,
        };
        if let Val::V128(_) = self { 2 } else { 1 }
    }

    /// Reads a value of type `ty` from the start of `slots`.
    pub(crate) fn read(ty: ValType, slots: &[u64], store: &StoreInner) -> Val {
        let slot = slots[0];
        match ty {
            ValType::I32 => Val::I32(slot as i32),
            ValType::I64 => Val::I64(slot as i64),
            ValType::F32 => Val::F32(slot as u32),
            ValType::F64 => Val::F64(slot),
            ValType::V128 => Val::V128(u128::from(slot) | u128::from(slots[1]) << 64),
            ValType::Ref(ty) => match hierarchy(ty.heap, store.engine.types()) {
                HeapType::Func => Val::FuncRef(slot_func(slot).map(|id| store.func_handle(id))),
                HeapType::Extern => {
                    Val::ExternRef((slot != NULL_SLOT).then(|| store.extern_handle(slot as u32 - 1)))
                }
                HeapType::Exn => Val::NullExn,
                _ => Val::NullAny,
            },
        }
    }
}

/// A null reference, of whatever type.
pub(crate) const NULL_SLOT: u64 = 0;

/// A function reference as it lies in a slot.
pub(crate) fn func_slot(func: FuncId) -> u64 {
    u64::from(func.0) + 1
}

/// The function behind a slot; `None` for null.
pub(crate) fn slot_func(slot: u64) -> Option<FuncId> {
    slot.checked_sub(1).map(|index| FuncId(index as u32))
}

/// The top of the hierarchy a heap type belongs to.
pub(crate) fn hierarchy(heap: HeapType, types: &TypeRegistry) -> HeapType {
    [HeapType::Func, HeapType::Extern, HeapType::Exn]
        .into_iter()
        .find(|top| types.heap_matches(heap, *top))
        .unwrap_or(HeapType::Any)
}
