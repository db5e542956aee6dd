//! Handles on memories, tables, globals and tags: what the embedder holds and host functions use.

use crate::engine::Engine;
use crate::error::{Error, Exception};
use crate::handle::{Stored, Tag, Val};
use crate::memory::{MemoryEntity, SharedMemory};
use crate::store::{AsContext, AsContextMut, GlobalEntity, StoreInner, TableEntity};
use crate::types::{FuncType, GlobalType, MemoryType, TableType, ValType};
use crate::val::NULL_SLOT;
use std::sync::Arc;

/// A memory of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    pub(crate) stored: Stored,
}

/// A table of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    pub(crate) stored: Stored,
}

/// A global of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Global {
    pub(crate) stored: Stored,
}

/// What makes two tags the same one, in every mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TagIdentity {
    /// Number of the instance that defines it in its store, and tag index in that instance's module.
    Wasm {
        /// Instance number.
        instance: u32,
        /// Tag index, imports counted.
        tag: u32,
    },
    /// A tag of the host, by its number among all tags of the store.
    Host(u32),
}

fn outside(what: &str, offset: u64, len: usize) -> Error {
    Error::Usage(format!("{len} bytes at {offset:#x} are not all inside the {what}"))
}

impl SharedMemory {
    /// A new memory of its minimum size. Fails by the engine's configured limit, and if the type is not shared or has
    /// no maximum, which shared memories must have.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<Arc<SharedMemory>, Error> {
        SharedMemory::of_type(ty, engine.settings())
    }
}

impl Memory {
    /// A new memory; fails by the configured limit.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory, Error> {
        let store = store.context_mut().0;
        let index = add_memory(store, ty)?;
        Ok(Memory { stored: store.stored(index) })
    }

    /// A memory that is shared, as the memory of a store: there may be others in stores of other threads.
    pub fn from_shared(mut store: impl AsContextMut, memory: &Arc<SharedMemory>) -> Memory {
        let store = store.context_mut().0;
        store.memories.push(MemoryEntity::of_shared(memory.clone()));
        Memory { stored: store.stored(store.memories.len() as u32 - 1) }
    }

    /// The memory as other stores can have it; `None` if it is not shared.
    pub fn shared(&self, store: impl AsContext) -> Option<Arc<SharedMemory>> {
        self.entity(store.context().0).shared().cloned()
    }

    /// Address of the first byte in this process, until the memory grows: to see whether it has moved.
    pub fn address(&self, store: impl AsContext) -> usize {
        self.entity(store.context().0).base().expose_provenance()
    }

    /// Its type as declared; its minimum is not its present size.
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        self.entity(store.context().0).ty
    }

    /// Present size in pages.
    pub fn pages(&self, store: impl AsContext) -> u64 {
        self.entity(store.context().0).pages()
    }

    /// Present size in bytes.
    pub fn len(&self, store: impl AsContext) -> u64 {
        self.entity(store.context().0).len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self, store: impl AsContext) -> bool {
        self.len(store) == 0
    }

    /// Grows by `delta` pages and gives the old size in pages; `None` if a limit forbids it.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<Option<u64>, Error> {
        self.entity_mut(store.context_mut().0).grow(delta)
    }

    /// Copies bytes from `offset` out of the memory; fails if they are not all inside.
    pub fn read(&self, store: impl AsContext, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        let memory = self.entity(store.context().0);
        memory.read(offset, buffer).ok_or_else(|| outside("memory", offset, buffer.len()))
    }

    /// Copies bytes into the memory at `offset`; fails, writing nothing, if they are not all inside.
    pub fn write(&self, mut store: impl AsContextMut, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let memory = self.entity_mut(store.context_mut().0);
        memory.write(offset, bytes).ok_or_else(|| outside("memory", offset, bytes.len()))
    }

    /// Calls `visit` with offset and bytes of every run that may hold anything but zeros, ascending.
    /// Which zeros are left out differs between runs; nothing else does. What is seen of a shared memory is a copy.
    pub fn touched(&self, store: impl AsContext, visit: impl FnMut(u64, &[u8])) {
        self.entity(store.context().0).touched(visit);
    }

    fn entity<'a>(&self, store: &'a StoreInner) -> &'a MemoryEntity {
        &store.memories[store.own(self.stored) as usize]
    }

    fn entity_mut<'a>(&self, store: &'a mut StoreInner) -> &'a mut MemoryEntity {
        let index = store.own(self.stored);
        &mut store.memories[index as usize]
    }
}

impl Table {
    /// A new table full of `init`; fails by the configured limit or if `init` is of another type.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Val) -> Result<Table, Error> {
        let store = store.context_mut().0;
        let slot = one_slot(store, ValType::Ref(ty.element), init)?;
        let index = add_table(store, ty, slot)?;
        Ok(Table { stored: store.stored(index) })
    }

    /// Its type as declared; its minimum is not its present size.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        self.entity(store.context().0).ty
    }

    /// Present size in elements.
    pub fn len(&self, store: impl AsContext) -> u64 {
        self.entity(store.context().0).elements.len() as u64
    }

    /// Whether it has no elements.
    pub fn is_empty(&self, store: impl AsContext) -> bool {
        self.len(store) == 0
    }

    /// An element; `None` beyond the end.
    pub fn get(&self, store: impl AsContext, index: u64) -> Option<Val> {
        let store = store.context().0;
        let table = self.entity(store);
        let slot = *table.elements.get(usize::try_from(index).ok()?)?;
        Some(Val::read(ValType::Ref(table.ty.element), &[slot], store))
    }

    /// Calls `visit` with index and value of every element that is not null, ascending.
    pub fn non_null(&self, store: impl AsContext, mut visit: impl FnMut(u64, Val)) {
        let store = store.context().0;
        let table = self.entity(store);
        for (index, slot) in table.elements.iter().enumerate().filter(|(_, slot)| **slot != NULL_SLOT) {
            visit(index as u64, Val::read(ValType::Ref(table.ty.element), &[*slot], store));
        }
    }

    /// Sets an element; fails beyond the end or if the value is of another type.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, value: Val) -> Result<(), Error> {
        let store = store.context_mut().0;
        let element = self.entity(store).ty.element;
        let slot = one_slot(store, ValType::Ref(element), value)?;
        let position = store.own(self.stored) as usize;
        let target = store.tables[position].elements.get_mut(index as usize);
        *target.ok_or_else(|| Error::Usage(format!("element {index} is not inside the table")))? = slot;
        Ok(())
    }

    fn entity<'a>(&self, store: &'a StoreInner) -> &'a TableEntity {
        &store.tables[store.own(self.stored) as usize]
    }
}

impl Global {
    /// A new global; fails if `value` is of another type.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global, Error> {
        let store = store.context_mut().0;
        let value = slots_of_value(store, ty.content, value)?;
        store.globals.push(GlobalEntity { ty, value: Box::new(value) });
        Ok(Global { stored: store.stored(store.globals.len() as u32 - 1) })
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        self.entity(store.context().0).ty
    }

    /// Its value.
    pub fn get(&self, store: impl AsContext) -> Val {
        let store = store.context().0;
        let global = self.entity(store);
        Val::read(global.ty.content, &*global.value, store)
    }

    /// Sets its value; fails if it is immutable or the value is of another type.
    pub fn set(&self, mut store: impl AsContextMut, value: Val) -> Result<(), Error> {
        let store = store.context_mut().0;
        let ty = self.entity(store).ty;
        if !ty.mutable {
            return Err(Error::Usage("the global is immutable".to_string()));
        }
        let value = slots_of_value(store, ty.content, value)?;
        let index = store.own(self.stored) as usize;
        *store.globals[index].value = value;
        Ok(())
    }

    fn entity<'a>(&self, store: &'a StoreInner) -> &'a GlobalEntity {
        &store.globals[store.own(self.stored) as usize]
    }
}

impl Tag {
    /// A new tag whose payload is the parameters of `ty`.
    pub fn new(mut store: impl AsContextMut, ty: FuncType) -> Tag {
        let store = store.context_mut().0;
        let id = store.engine.types().func(ty);
        store.tags.push(id);
        Tag { stored: store.stored(store.tags.len() as u32 - 1) }
    }

    /// Its type: the parameters are the types of the payload.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.context().0;
        let id = store.tags[store.own(self.stored) as usize];
        (*store.engine.types().func_type(id).expect("tags have function types")).clone()
    }

    /// What makes it the same tag in every mode.
    pub fn identity(&self, store: impl AsContext) -> TagIdentity {
        let store = store.context().0;
        let index = store.own(self.stored);
        let defined = store.instances.iter().zip(0..).find_map(|(entity, instance)| {
            let imported = entity.module.imported_tags;
            let own = &entity.tags[imported as usize..];
            let tag = own.iter().zip(imported..).find(|(tag, _)| **tag == index)?.1;
            Some(TagIdentity::Wasm { instance, tag })
        });
        defined.unwrap_or(TagIdentity::Host(index))
    }
}

impl Exception {
    /// An exception, for a host function to throw: a host function that fails with it throws it. Fails if there is not
    /// one value for each parameter of the tag's type, or one is of another type.
    pub fn new(store: impl AsContext, tag: Tag, payload: &[Val]) -> Result<Exception, Error> {
        let ty = tag.ty(&store);
        let (given, wanted) = (payload.len(), ty.params().len());
        if given != wanted {
            return Err(Error::Usage(format!("{given} values where the tag has {wanted}")));
        }
        let store = store.context().0;
        for (value, ty) in payload.iter().zip(ty.params()) {
            check_type(store, *ty, *value)?;
        }
        Ok(Exception::of_checked(tag, payload.into()))
    }
}

/// Adds a memory to the store and gives its number.
pub(crate) fn add_memory(store: &mut StoreInner, ty: MemoryType) -> Result<u32, Error> {
    store.check_entities(store.memories.len(), "memories")?;
    let memory = MemoryEntity::new(ty, store.engine.settings())?;
    store.memories.push(memory);
    Ok(store.memories.len() as u32 - 1)
}

/// Adds a table to the store and gives its number.
pub(crate) fn add_table(store: &mut StoreInner, ty: TableType, init: u64) -> Result<u32, Error> {
    store.check_entities(store.tables.len(), "tables")?;
    let table = TableEntity::new(ty, init, store.engine.settings().limits.table_elements)?;
    store.tables.push(table);
    Ok(store.tables.len() as u32 - 1)
}

fn check_type(store: &StoreInner, ty: ValType, value: Val) -> Result<(), Error> {
    let is_a = value.is_a(ty, store);
    is_a.then_some(()).ok_or_else(|| Error::Usage(format!("{value:?} is not a value of type {ty}")))
}

fn slots_of_value(store: &StoreInner, ty: ValType, value: Val) -> Result<[u64; 2], Error> {
    check_type(store, ty, value)?;
    let mut slots = [0; 2];
    value.write(&mut slots, store);
    Ok(slots)
}

fn one_slot(store: &StoreInner, ty: ValType, value: Val) -> Result<u64, Error> {
    Ok(slots_of_value(store, ty, value)?[0])
}
