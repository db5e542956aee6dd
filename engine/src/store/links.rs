//! What compiled code reads of a store: small records of a fixed layout, at addresses that stay as long as
//! the store lives (functions excepted, whose table moves when functions are added).

use super::{FuncId, InstanceEntity};
use crate::types::TypeId;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// Atomic, because another thread may make a shared memory grow.
    pub bytes: AtomicU64,
}

impl MemoryLink {
    pub fn new(base: *mut u8, bytes: u64) -> MemoryLink {
        MemoryLink { base, bytes: AtomicU64::new(bytes) }
    }

    /// Size in bytes. So many are accessible, whichever thread has made them so.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Says that the memory has become larger.
    pub fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::SeqCst);
    }
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
// SAFETY: the address belongs to the store, or to a memory that is shared and made for it; what it leads to is used
// by code that has the store to itself, or as atomics.
unsafe impl Send for MemoryLink {}
// SAFETY: as above, and the size is atomic.
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
