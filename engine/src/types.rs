//! Types, and when two of them are the same.
//!
//! A module names types by index; two modules that talk to each other need a common language. The
//! registry gives every distinct recursion group a canonical place, so that type equality is equality
//! of [`TypeId`] and a subtype check walks a short list of declared supertypes. This is the
//! iso-recursive equivalence of WebAssembly 3.0, section 3.1 (types).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

/// The canonical name of a defined type within one family of engines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(transparent)]
pub struct TypeId(u32);

/// Ids with this bit are positions inside the group being interned; they never leave this file.
const RELATIVE: u32 = 0x8000_0000;

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// Reference.
    Ref(RefType),
}

/// The type of a reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RefType {
    /// Whether null belongs to the type.
    pub nullable: bool,
    /// What a non-null value refers to.
    pub heap: HeapType,
}

/// What a reference refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeapType {
    /// Any function.
    Func,
    /// Any host object.
    Extern,
    /// Any internal object.
    Any,
    /// No internal object.
    None,
    /// No host object.
    NoExtern,
    /// No function.
    NoFunc,
    /// Anything `ref.eq` compares.
    Eq,
    /// Any structure.
    Struct,
    /// Any array.
    Array,
    /// A 31-bit integer without an object.
    I31,
    /// Any exception.
    Exn,
    /// No exception.
    NoExn,
    /// A defined type.
    Concrete(TypeId),
}

/// The heap types that share a null. No two hierarchies have a common type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hierarchy {
    /// Functions.
    Func,
    /// Host objects, and internal objects that were converted.
    Extern,
    /// Internal objects, and host objects that were converted.
    Any,
    /// Exceptions.
    Exn,
}

/// As the text format writes the hierarchy's top.
impl fmt::Display for Hierarchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hierarchy::Func => "func",
            Hierarchy::Extern => "extern",
            Hierarchy::Any => "any",
            Hierarchy::Exn => "exn",
        })
    }
}

impl ValType {
    /// How many 8-byte slots a value takes: two for a vector, else one.
    pub const fn slots(self) -> u32 {
        match self {
            ValType::V128 => 2,
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::Ref(_) => 1,
        }
    }

    /// `(ref null func)`.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `(ref null extern)`.
    pub const EXTERNREF: ValType = ValType::Ref(RefType { nullable: true, heap: HeapType::Extern });
}

impl RefType {
    /// `(ref null func)`.
    pub const FUNCREF: RefType = RefType { nullable: true, heap: HeapType::Func };
}

/// How many slots values of these types take together.
pub fn slots_of(types: &[ValType]) -> u32 {
    types.iter().map(|ty| ty.slots()).sum()
}

/// Parameters and results of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FuncType {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
    /// Counted once, because calls and blocks ask often.
    param_slots: u32,
    result_slots: u32,
}

impl FuncType {
    /// A function type.
    pub fn new(params: impl Into<Box<[ValType]>>, results: impl Into<Box<[ValType]>>) -> FuncType {
        let (params, results) = (params.into(), results.into());
        let (param_slots, result_slots) = (slots_of(&params), slots_of(&results));
        FuncType { params, results, param_slots, result_slots }
    }

    /// Parameter types in order.
    pub fn params(&self) -> &[ValType] {
        &self.params
    }

    /// Result types in order.
    pub fn results(&self) -> &[ValType] {
        &self.results
    }

    /// Slots of all parameters.
    pub fn param_slots(&self) -> u32 {
        self.param_slots
    }

    /// Slots of all results.
    pub fn result_slots(&self) -> u32 {
        self.result_slots
    }
}

/// What a field or array element is stored as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StorageType {
    /// 8 bits.
    I8,
    /// 16 bits.
    I16,
    /// A whole value.
    Val(ValType),
}

/// A field of a structure, or the elements of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FieldType {
    /// What is stored.
    pub storage: StorageType,
    /// Whether it may be written.
    pub mutable: bool,
}

/// The shape of a defined type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CompositeType {
    /// A function.
    Func(Arc<FuncType>),
    /// A structure.
    Struct(Box<[FieldType]>),
    /// An array.
    Array(FieldType),
}

/// A defined type with its place in the subtype hierarchy.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SubType {
    /// Whether it may have subtypes.
    pub is_final: bool,
    /// Its declared supertype.
    pub supertype: Option<TypeId>,
    /// Its shape.
    pub composite: CompositeType,
}

/// The canonical types of a family of engines.
#[derive(Default)]
pub struct TypeRegistry {
    inner: RwLock<Registry>,
}

#[derive(Default)]
struct Registry {
    groups: HashMap<Vec<SubType>, TypeId>,
    types: Vec<Registered>,
}

struct Registered {
    sub: SubType,
    /// All supertypes, nearest first.
    supertypes: Box<[TypeId]>,
}

impl TypeRegistry {
    /// The canonical ids of a recursion group; `group` refers to its own members by [`relative`].
    pub(crate) fn intern(&self, group: Vec<SubType>) -> Vec<TypeId> {
        let members = group.len() as u32;
        let ids = |first: TypeId| (0..members).map(|i| TypeId(first.0 + i)).collect();
        if let Some(first) = self.read().groups.get(&group) {
            return ids(*first);
        }
        let mut registry = self.inner.write().expect("no panic happens while types are being interned");
        if let Some(first) = registry.groups.get(&group) {
            return ids(*first);
        }
        let first = TypeId(registry.types.len() as u32);
        for sub in &group {
            let sub = absolute(sub, first);
            let supertypes = match sub.supertype {
                Some(parent) => {
                    let above = &registry.types[parent.0 as usize].supertypes;
                    std::iter::once(parent).chain(above.iter().copied()).collect()
                }
                None => Box::default(),
            };
            registry.types.push(Registered { sub, supertypes });
        }
        registry.groups.insert(group, first);
        ids(first)
    }

    /// The canonical id of a final function type that stands alone.
    pub fn func(&self, ty: FuncType) -> TypeId {
        let composite = CompositeType::Func(Arc::new(ty));
        self.intern(vec![SubType { is_final: true, supertype: None, composite }])[0]
    }

    /// The definition of an id.
    pub fn get(&self, id: TypeId) -> SubType {
        self.read().types[id.0 as usize].sub.clone()
    }

    /// The function type of an id, if it is one.
    pub fn func_type(&self, id: TypeId) -> Option<Arc<FuncType>> {
        match &self.read().types[id.0 as usize].sub.composite {
            CompositeType::Func(ty) => Some(ty.clone()),
            CompositeType::Struct(_) | CompositeType::Array(_) => None,
        }
    }

    /// Whether every value of defined type `sub` is one of `sup`.
    pub fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        sub == sup || self.read().types[sub.0 as usize].supertypes.contains(&sup)
    }

    /// Whether every reference to `sub` is one to `sup` (null apart).
    pub fn heap_matches(&self, sub: HeapType, sup: HeapType) -> bool {
        use HeapType as H;
        match sub {
            H::Concrete(sub) => match sup {
                H::Concrete(sup) => self.is_subtype(sub, sup),
                H::Func
                | H::NoFunc
                | H::Extern
                | H::NoExtern
                | H::Any
                | H::Eq
                | H::Struct
                | H::Array
                | H::I31
                | H::None
                | H::Exn
                | H::NoExn => self.heap_matches(self.top_of_shape(sub), sup),
            },
            H::Func | H::Extern | H::Any | H::Exn => sup == sub,
            H::Eq => matches!(sup, H::Eq | H::Any),
            H::I31 | H::Struct | H::Array => sup == sub || matches!(sup, H::Eq | H::Any),
            // A bottom lies below everything in its hierarchy.
            H::NoFunc | H::NoExtern | H::None | H::NoExn => self.hierarchy(sub) == self.hierarchy(sup),
        }
    }

    /// The hierarchy of a heap type.
    pub fn hierarchy(&self, heap: HeapType) -> Hierarchy {
        match heap {
            HeapType::Func | HeapType::NoFunc => Hierarchy::Func,
            HeapType::Extern | HeapType::NoExtern => Hierarchy::Extern,
            HeapType::Exn | HeapType::NoExn => Hierarchy::Exn,
            HeapType::Any
            | HeapType::Eq
            | HeapType::Struct
            | HeapType::Array
            | HeapType::I31
            | HeapType::None => Hierarchy::Any,
            HeapType::Concrete(id) => self.hierarchy(self.top_of_shape(id)),
        }
    }

    /// Whether every value of type `sub` is one of type `sup`.
    pub fn matches(&self, sub: ValType, sup: ValType) -> bool {
        match (sub, sup) {
            (ValType::Ref(a), ValType::Ref(b)) => self.ref_matches(a, b),
            (a, b) => a == b,
        }
    }

    /// Whether every value of reference type `sub` is one of `sup`.
    pub fn ref_matches(&self, sub: RefType, sup: RefType) -> bool {
        (sup.nullable || !sub.nullable) && self.heap_matches(sub.heap, sup.heap)
    }

    fn top_of_shape(&self, id: TypeId) -> HeapType {
        match self.read().types[id.0 as usize].sub.composite {
            CompositeType::Func(_) => HeapType::Func,
            CompositeType::Struct(_) => HeapType::Struct,
            CompositeType::Array(_) => HeapType::Array,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Registry> {
        self.inner.read().expect("no panic happens while types are being interned")
    }
}

/// How a recursion group refers to its own member number `index` before it is interned.
pub(crate) fn relative(index: u32) -> TypeId {
    TypeId(RELATIVE | index)
}

fn absolute(sub: &SubType, first: TypeId) -> SubType {
    let id = |id: TypeId| if id.0 & RELATIVE != 0 { TypeId(first.0 + (id.0 & !RELATIVE)) } else { id };
    let val = |ty: ValType| match ty {
        ValType::Ref(RefType { nullable, heap: HeapType::Concrete(to) }) => {
            ValType::Ref(RefType { nullable, heap: HeapType::Concrete(id(to)) })
        }
        other => other,
    };
    let field = |field: &FieldType| FieldType {
        storage: match field.storage {
            StorageType::Val(ty) => StorageType::Val(val(ty)),
            packed => packed,
        },
        mutable: field.mutable,
    };
    SubType {
        is_final: sub.is_final,
        supertype: sub.supertype.map(id),
        composite: match &sub.composite {
            CompositeType::Func(ty) => {
                let all = |types: &[ValType]| types.iter().map(|ty| val(*ty)).collect::<Box<[_]>>();
                CompositeType::Func(Arc::new(FuncType::new(all(&ty.params), all(&ty.results))))
            }
            CompositeType::Struct(fields) => CompositeType::Struct(fields.iter().map(field).collect()),
            CompositeType::Array(element) => CompositeType::Array(field(element)),
        },
    }
}

/// What a memory is: its unit, its bounds in pages, and how it is addressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Pages it starts with.
    pub minimum: u64,
    /// Pages it may grow to.
    pub maximum: Option<u64>,
    /// Whether addresses have 64 bits.
    pub is_64: bool,
    /// Whether several threads may use it.
    pub shared: bool,
    /// Binary logarithm of the page size in bytes: 16, or 0 with custom page sizes.
    pub page_size_log2: u32,
}

impl MemoryType {
    /// A 32-bit memory of 64 KiB pages that is not shared.
    pub fn new(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType { minimum, maximum, is_64: false, shared: false, page_size_log2: 16 }
    }

    /// Whether the operating system's page protection can end it: addresses are of 32 bits and its size is
    /// a multiple of the protection's granularity.
    pub(crate) fn can_be_guarded(&self) -> bool {
        !self.is_64 && self.page_size_log2 == 16
    }

    /// Pages that the address type allows.
    pub fn address_limit_pages(&self) -> u64 {
        let address_bits = if self.is_64 { 64 } else { 32 };
        1u64.checked_shl(address_bits - self.page_size_log2).unwrap_or(u64::MAX)
    }
}

/// What a table is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    /// What its elements are.
    pub element: RefType,
    /// Elements it starts with.
    pub minimum: u64,
    /// Elements it may grow to.
    pub maximum: Option<u64>,
    /// Whether indices have 64 bits.
    pub is_64: bool,
}

/// What a global is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    /// What it holds.
    pub content: ValType,
    /// Whether it may be written.
    pub mutable: bool,
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(ty) => write!(f, "{ty}"),
        }
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(ref {}{})", if self.nullable { "null " } else { "" }, self.heap)
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            HeapType::Func => "func",
            HeapType::Extern => "extern",
            HeapType::Any => "any",
            HeapType::None => "none",
            HeapType::NoExtern => "noextern",
            HeapType::NoFunc => "nofunc",
            HeapType::Eq => "eq",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::I31 => "i31",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            HeapType::Concrete(id) => return write!(f, "type#{}", id.0),
        };
        f.write_str(text)
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        write!(f, "[{}] -> [{}]", list(&self.params), list(&self.results))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn func(params: &[ValType], supertype: Option<TypeId>, is_final: bool) -> SubType {
        let composite = CompositeType::Func(Arc::new(FuncType::new(params, [])));
        SubType { is_final, supertype, composite }
    }

    fn ref_to(id: TypeId) -> ValType {
        ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(id) })
    }

    #[test]
    fn equal_groups_of_two_modules_have_equal_ids() {
        let registry = TypeRegistry::default();
        let group =
            || vec![func(&[ref_to(relative(1))], None, true), func(&[ref_to(relative(0))], None, true)];
        let first = registry.intern(group());
        registry.intern(vec![func(&[ValType::I32], None, true)]);
        assert_eq!(first, registry.intern(group()));
    }

    #[test]
    fn the_same_type_in_another_group_is_another_type() {
        let registry = TypeRegistry::default();
        let alone = registry.intern(vec![func(&[], None, true)]);
        let pair = registry.intern(vec![func(&[], None, true), func(&[], None, true)]);
        assert!(!pair.contains(&alone[0]));
    }

    #[test]
    fn a_declared_subtype_matches_all_its_ancestors_and_not_the_reverse() {
        let registry = TypeRegistry::default();
        let top = registry.intern(vec![func(&[], None, false)])[0];
        let middle = registry.intern(vec![func(&[], Some(top), false)])[0];
        let bottom = registry.intern(vec![func(&[], Some(middle), true)])[0];
        assert!(registry.is_subtype(bottom, top));
        assert!(!registry.is_subtype(top, bottom));
        assert!(registry.matches(ref_to(bottom), ValType::FUNCREF));
        assert!(!registry.matches(ValType::FUNCREF, ref_to(top)));
    }

    #[test]
    fn groups_that_refer_to_themselves_get_absolute_ids() {
        let registry = TypeRegistry::default();
        registry.func(FuncType::new([], []));
        let id = registry.intern(vec![func(&[ref_to(relative(0))], None, true)])[0];
        let ty = registry.func_type(id).expect("interned as a function");
        assert_eq!(ty.params(), [ref_to(id)]);
    }
}
