//! Values as the embedder holds them, and handles on what lives in a store.
//!
//! Plain data: what is done with a handle stands with what it is a handle on (`func`, `entities`, `store`), and how a
//! value lies in slots stands in `val`. So an error can hold values without knowing of stores.

/// A number that is only good in the store it came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Stored {
    /// The store's own number.
    pub store: u64,
    /// The number of the entity among those of its kind.
    pub index: u32,
}

/// A function of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Func {
    pub(crate) stored: Stored,
}

/// A tag of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tag {
    pub(crate) stored: Stored,
}

/// A reference to a host object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExternRef {
    pub(crate) stored: Stored,
}

/// A reference of the internal hierarchy (`any`) that refers to no host object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AnyRef {
    /// A 31-bit integer: the reference is the value, and there is no object.
    I31(I31),
    /// A structure or an array.
    Object(ObjectRef),
}

/// A 31-bit integer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct I31(u32);

impl I31 {
    /// The lower 31 bits of a number, as `ref.i31` takes them.
    pub fn wrapping(value: u32) -> I31 {
        I31(value & (u32::MAX >> 1))
    }

    /// The integer, zero-extended.
    pub fn unsigned(self) -> u32 {
        self.0
    }
}

/// A reference to a structure or an array of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ObjectRef {
    pub(crate) stored: Stored,
}

impl ObjectRef {
    /// The number of the object in its store. Objects are numbered in order of creation, so it is the same in every mode.
    pub fn number(self) -> u32 {
        self.stored.index
    }
}

/// A reference to an exception of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExnRef {
    pub(crate) stored: Stored,
}

impl ExnRef {
    /// The number of the exception in its store. Exceptions are numbered in order of creation, so it is the same in
    /// every mode.
    pub fn number(self) -> u32 {
        self.stored.index
    }
}

/// A WebAssembly value. Floats are bits: nothing may quieten a NaN on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Val {
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// Bits of a 32-bit float.
    F32(u32),
    /// Bits of a 64-bit float.
    F64(u64),
    /// 128-bit vector, first lane lowest.
    V128(u128),
    /// A reference to a function.
    FuncRef(Option<Func>),
    /// A reference to a host object, or the null of the hierarchy `extern`. A place of type `any` may refer to a host
    /// object too: `any.convert_extern` converts types, not references.
    ExternRef(Option<ExternRef>),
    /// A reference to what guests make themselves, or the null of the hierarchy `any`. A place of type `extern` may
    /// refer to it too, after `extern.convert_any`.
    Any(Option<AnyRef>),
    /// A reference to an exception.
    Exn(Option<ExnRef>),
}
