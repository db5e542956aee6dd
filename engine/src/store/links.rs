//! What compiled code reads of a store: small records of a fixed layout, at addresses that stay as long as
//! the store lives (functions excepted, whose table moves when functions are added).

use super::{FuncId, InstanceEntity};
use crate::types::TypeId;

/// A function as compiled code calls it.
#[repr(C)]
pub(crate) struct FuncLink {
    /// Where its mode starts calls of it; null for a host function.
    pub entry: *const (),
    pub ty: TypeId,
    /// Number of its instance; [`HOST_INSTANCE`] for a host function.
    pub instance: u32,
}

/// Stands for the instance of functions that have none.
pub(crate) const HOST_INSTANCE: u32 = u32::MAX;

/// A memory: first byte and size in bytes.
#[repr(C)]
pub(crate) struct MemoryLink {
    pub base: *mut u8,
    pub bytes: u64,
}

/// A table: first element and number of elements.
#[repr(C)]
pub(crate) struct TableLink {
    pub base: *mut u64,
    pub elements: u64,
}

/// Where an instance's entities are, by their index in the instance.
pub(crate) struct InstanceLinks {
    pub memories: Box<[*const MemoryLink]>,
    pub tables: Box<[*const TableLink]>,
    pub globals: Box<[*mut u64]>,
}

// SAFETY: the addresses belong to the store and are only followed by code that has the store to itself.
unsafe impl Send for FuncLink {}
// SAFETY: as above.
unsafe impl Sync for FuncLink {}
// SAFETY: as above.
unsafe impl Send for MemoryLink {}
// SAFETY: as above.
unsafe impl Sync for MemoryLink {}
// SAFETY: as above.
unsafe impl Send for TableLink {}
// SAFETY: as above.
unsafe impl Sync for TableLink {}
// SAFETY: as above.
unsafe impl Send for InstanceLinks {}
// SAFETY: as above.
unsafe impl Sync for InstanceLinks {}

impl InstanceEntity {
    /// The numbers of its functions in the store, as compiled code reads them.
    pub fn func_numbers(&self) -> *const FuncId {
        self.funcs.as_ptr()
    }
}
