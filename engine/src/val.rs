//! How values lie in slots, and which types they belong to.

use crate::faults::fault;
use crate::handle::{AnyRef, ExnRef, I31, ObjectRef, Val};
use crate::store::{FuncId, StoreInner};
use crate::types::{HeapType, Hierarchy, RefType, TypeRegistry, ValType};

/// Whether locals of reference types are made like integers, of zero bits, where null is something else: here zero
/// bits are null, so the fault makes them something else.
#[inline(always)]
pub(crate) fn references_are_zeroed() -> bool {
    fault!("floor-reference-locals-are-not-null")
}

/// What they are made: a reference to function or object 0.
pub(crate) const NOT_NULL: u64 = 1;

impl Val {
    /// The null of a hierarchy.
    pub fn null(hierarchy: Hierarchy) -> Val {
        match hierarchy {
            Hierarchy::Func => Val::FuncRef(None),
            Hierarchy::Extern => Val::ExternRef(None),
            Hierarchy::Any => Val::Any(None),
            Hierarchy::Exn => Val::Exn(None),
        }
    }

    /// The default of a type: zero or null; `None` for references that cannot be null. `types` are those of the
    /// engine that the type belongs to.
    pub fn default_of(ty: ValType, types: &TypeRegistry) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(0),
            ValType::Ref(RefType { nullable: false, .. }) => return None,
            ValType::Ref(RefType { heap, .. }) => Val::null(types.hierarchy(heap)),
        })
    }

    /// Whether the value belongs to a type.
    pub(crate) fn is_a(&self, ty: ValType, store: &StoreInner) -> bool {
        let types = store.engine.types();
        let refers =
            |heap: HeapType| matches!(ty, ValType::Ref(wanted) if types.heap_matches(heap, wanted.heap));
        let is_null_of = |bottom: HeapType| matches!(ty, ValType::Ref(wanted) if wanted.nullable && types.heap_matches(bottom, wanted.heap));
        match self {
            Val::I32(_) => ty == ValType::I32,
            Val::I64(_) => ty == ValType::I64,
            Val::F32(_) => ty == ValType::F32,
            Val::F64(_) => ty == ValType::F64,
            Val::V128(_) => ty == ValType::V128,
            Val::FuncRef(Some(func)) => {
                refers(HeapType::Concrete(store.func(FuncId(store.own(func.stored))).ty))
            }
            // References of `extern` and of `any` are converted into one another as they are.
            Val::ExternRef(Some(_)) => refers(HeapType::Extern) || refers(HeapType::Any),
            Val::Any(Some(AnyRef::I31(_))) => refers(HeapType::I31) || refers(HeapType::Extern),
            // Whether it is a structure or an array, and of which type, no store can say yet: none holds objects.
            Val::Any(Some(AnyRef::Object(_))) => refers(HeapType::Eq) || refers(HeapType::Extern),
            Val::Exn(Some(_)) => refers(HeapType::Exn),
            Val::FuncRef(None) => is_null_of(HeapType::NoFunc),
            Val::ExternRef(None) => is_null_of(HeapType::NoExtern),
            Val::Any(None) => is_null_of(HeapType::None),
            Val::Exn(None) => is_null_of(HeapType::NoExn),
        }
    }

    /// Writes the value to the start of `slots`, which has as many as its type takes.
    pub(crate) fn write(&self, slots: &mut [u64], store: &StoreInner) {
        slots[0] = match self {
            Val::I32(value) => u64::from(*value as u32),
            Val::I64(value) => *value as u64,
            Val::F32(bits) => u64::from(*bits),
            Val::F64(bits) => *bits,
            Val::V128(bits) => {
                let [low, high] = vector_slots(*bits);
                slots[1] = high;
                low
            }
            Val::FuncRef(Some(func)) => func_slot(FuncId(store.own(func.stored))),
            Val::ExternRef(Some(object)) => Referent::Host(store.own(object.stored)).slot(),
            Val::Any(Some(AnyRef::I31(value))) => Referent::I31(*value).slot(),
            Val::Any(Some(AnyRef::Object(object))) => Referent::Object(store.own(object.stored)).slot(),
            Val::Exn(Some(exception)) => u64::from(store.own(exception.stored)) + 1,
            Val::FuncRef(None) | Val::ExternRef(None) | Val::Any(None) | Val::Exn(None) => NULL_SLOT,
        };
    }

    /// Reads a value of type `ty` from the start of `slots`.
    pub(crate) fn read(ty: ValType, slots: &[u64], store: &StoreInner) -> Val {
        let slot = slots[0];
        match ty {
            ValType::I32 => Val::I32(slot as i32),
            ValType::I64 => Val::I64(slot as i64),
            ValType::F32 => Val::F32(slot as u32),
            ValType::F64 => Val::F64(slot),
            ValType::V128 => Val::V128(vector_of([slot, slots[1]])),
            ValType::Ref(ty) => Val::read_reference(store.engine.types().hierarchy(ty.heap), slot, store),
        }
    }

    fn read_reference(hierarchy: Hierarchy, slot: u64, store: &StoreInner) -> Val {
        if slot == NULL_SLOT {
            return Val::null(hierarchy);
        }
        match hierarchy {
            Hierarchy::Func => Val::FuncRef(slot_func(slot).map(|id| store.func_handle(id))),
            Hierarchy::Exn => Val::Exn(Some(ExnRef { stored: store.stored((slot - 1) as u32) })),
            Hierarchy::Any | Hierarchy::Extern => match Referent::of(slot) {
                Referent::Host(number) => Val::ExternRef(Some(store.extern_handle(number))),
                Referent::I31(value) => Val::Any(Some(AnyRef::I31(value))),
                Referent::Object(number) => {
                    Val::Any(Some(AnyRef::Object(ObjectRef { stored: store.stored(number) })))
                }
            },
        }
    }
}

/// What a reference of the hierarchies `any` and `extern` refers to, if it is not null.
///
/// Both hierarchies have one encoding, so that `any.convert_extern` and `extern.convert_any` leave slots as they are.
/// Equal references have equal slots, for `ref.eq`. The highest bits of a slot say what the reference is; the lower 32
/// bits of the slot of an integer or an object are the integer, or the object's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Referent {
    /// The host object of that number: the slot is one more than the number.
    Host(u32),
    /// An integer of 31 bits.
    I31(I31),
    /// The structure or array of that number.
    Object(u32),
}

/// The bit of a slot that says: an integer of 31 bits.
const I31_BIT: u64 = 1 << 62;
/// The bit of a slot that says: a structure or an array.
const OBJECT_BIT: u64 = 1 << 63;

impl Referent {
    /// What a slot that is not null refers to.
    fn of(slot: u64) -> Referent {
        let low = slot as u32;
        if slot & OBJECT_BIT != 0 {
            Referent::Object(low)
        } else if slot & I31_BIT != 0 {
            Referent::I31(I31::wrapping(low))
        } else {
            Referent::Host((slot - 1) as u32)
        }
    }

    fn slot(self) -> u64 {
        match self {
            Referent::Host(number) => u64::from(number) + 1,
            Referent::I31(value) => I31_BIT | u64::from(value.unsigned()),
            Referent::Object(number) => OBJECT_BIT | u64::from(number),
        }
    }
}

/// A vector as it lies in slots, the lower half first.
pub(crate) fn vector_slots(bits: u128) -> [u64; 2] {
    [bits as u64, (bits >> 64) as u64]
}

/// The vector that lies in two slots.
pub(crate) fn vector_of([low, high]: [u64; 2]) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

/// A null reference, of whatever type.
pub(crate) const NULL_SLOT: u64 = 0;

/// A function reference as it lies in a slot.
pub(crate) fn func_slot(func: FuncId) -> u64 {
    u64::from(func.0) + 1
}

/// The function that a slot refers to; `None` for null.
pub(crate) fn slot_func(slot: u64) -> Option<FuncId> {
    slot.checked_sub(1).map(|index| FuncId(index as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::Engine;
    use crate::mode::Mode;
    use crate::types::CompositeType;
    use crate::types::SubType;

    fn store() -> StoreInner {
        StoreInner::new(&Engine::new(&Config::new(Mode::Interp)), Box::new(()))
    }

    fn nullable(heap: HeapType) -> ValType {
        ValType::Ref(RefType { nullable: true, heap })
    }

    /// Asserts that a value lies in this slot, and is read back from places of these types.
    fn check_slot(store: &StoreInner, value: Val, slot: u64, places: &[HeapType]) {
        let mut slots = [7; 2];
        value.write(&mut slots, store);
        assert_eq!(slots[0], slot, "{value:?}");
        for heap in places {
            assert_eq!(Val::read(nullable(*heap), &slots, store), value, "from {heap:?}");
        }
    }

    #[test]
    fn functions_and_host_objects_lie_in_slots_as_their_numbers_and_one() {
        let store = store();
        check_slot(&store, Val::FuncRef(Some(store.func_handle(FuncId(6)))), 7, &[HeapType::Func]);
        let object = Val::ExternRef(Some(store.extern_handle(6)));
        check_slot(&store, object, 7, &[HeapType::Extern, HeapType::Any]);
        let last = Val::ExternRef(Some(store.extern_handle(u32::MAX)));
        check_slot(&store, last, 1 << 32, &[HeapType::Extern, HeapType::Any]);
    }

    #[test]
    fn integers_objects_and_exceptions_come_back_out_of_slots() {
        let store = store();
        let i31 = |value| Val::Any(Some(AnyRef::I31(I31::wrapping(value))));
        let both = [HeapType::Any, HeapType::Extern];
        check_slot(&store, i31(0), I31_BIT, &both);
        check_slot(&store, i31(u32::MAX), I31_BIT | 0x7fff_ffff, &both);
        let object = Val::Any(Some(AnyRef::Object(ObjectRef { stored: store.stored(0) })));
        check_slot(&store, object, OBJECT_BIT, &both);
        let exception = Val::Exn(Some(ExnRef { stored: store.stored(4) }));
        check_slot(&store, exception, 5, &[HeapType::Exn]);
    }

    #[test]
    fn null_is_zero_in_every_hierarchy_and_is_read_as_the_null_of_its_place() {
        let store = store();
        for (hierarchy, heap) in [
            (Hierarchy::Func, HeapType::NoFunc),
            (Hierarchy::Extern, HeapType::Extern),
            (Hierarchy::Any, HeapType::Struct),
            (Hierarchy::Exn, HeapType::NoExn),
        ] {
            check_slot(&store, Val::null(hierarchy), NULL_SLOT, &[heap]);
        }
    }

    #[test]
    fn defaults_of_defined_types_are_the_nulls_of_their_hierarchies() {
        let store = store();
        let types = store.engine.types();
        let structure =
            SubType { is_final: true, supertype: None, composite: CompositeType::Struct(Box::default()) };
        let structure = nullable(HeapType::Concrete(types.intern(vec![structure])[0]));
        assert_eq!(Val::default_of(structure, types), Some(Val::Any(None)));
        assert!(Val::Any(None).is_a(structure, &store) && !Val::FuncRef(None).is_a(structure, &store));
        let never_null = ValType::Ref(RefType { nullable: false, heap: HeapType::Any });
        assert_eq!(Val::default_of(never_null, types), None);
    }

    #[test]
    fn references_belong_to_the_types_above_what_they_refer_to() {
        let store = store();
        let i31 = Val::Any(Some(AnyRef::I31(I31::wrapping(1))));
        let host = Val::ExternRef(Some(store.extern_handle(0)));
        let exception = Val::Exn(Some(ExnRef { stored: store.stored(0) }));
        let belongs =
            |value: Val, heaps: &[HeapType]| heaps.iter().all(|heap| value.is_a(nullable(*heap), &store));
        assert!(belongs(i31, &[HeapType::I31, HeapType::Eq, HeapType::Any, HeapType::Extern]));
        assert!(belongs(host, &[HeapType::Extern, HeapType::Any]));
        assert!(belongs(exception, &[HeapType::Exn]));
        for (value, heap) in [
            (i31, HeapType::Struct),
            (i31, HeapType::Func),
            (host, HeapType::Eq),
            (host, HeapType::NoExtern),
            (exception, HeapType::Any),
            (exception, HeapType::NoExn),
        ] {
            assert!(!value.is_a(nullable(heap), &store), "{value:?} is no {heap:?}");
        }
    }
}
