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
    /// A reference to a host object.
    ExternRef(Option<ExternRef>),
    /// Null of the internal hierarchy.
    NullAny,
    /// Null of the exceptions.
    NullExn,
}
