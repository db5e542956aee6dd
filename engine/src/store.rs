//! What lives while running: instances and the entities they share, fuel, depth, and the stack of
//! activations from which backtraces are made.
//!
//! Entities are numbered in order of creation, so the same program gives the same numbers in every
//! mode. A handle that leaves the store carries the store's own number and is checked when it returns.

mod links;

use crate::backtrace::{Backtrace, BacktraceBuilder, FrameKind, FrameName, RawFrame};
use crate::engine::Engine;
use crate::error::Error;
use crate::executor::{Code, Executor};
use crate::handle::{ExternRef, Func, Stored};
use crate::memory::{MemoryEntity, give_reservation, take_reservation};
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::platform::Reservation;
use crate::trace::Trace;
use crate::trap::{Trap, TrapKind};
use crate::types::{FuncType, GlobalType, TableType, TypeId};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use links::{FuncLink, HOST_INSTANCE, InstanceLinks, MemoryLink, TableLink};

/// A function's number in its store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct FuncId(pub u32);

/// An instance's number in its store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct InstanceId(pub u32);

/// Where calls of a wasm function start in its mode; opaque to the floor.
#[derive(Clone, Copy)]
pub(crate) struct Entry(pub *const ());

// SAFETY: the pointer is only followed by the mode that made it, while the instance keeps the code alive,
// and code is `Send + Sync`.
unsafe impl Send for Entry {}
// SAFETY: as above.
unsafe impl Sync for Entry {}

/// A function of a store.
pub(crate) struct FuncRecord {
    pub ty: TypeId,
    pub func_type: Arc<FuncType>,
    pub kind: FuncKind,
}

#[derive(Clone)]
pub(crate) enum FuncKind {
    Wasm { instance: InstanceId, func: DefinedFuncIndex, entry: Entry },
    Host(Arc<HostFunc>),
}

/// A host function over raw slots: arguments come in and results go out at the start of the slice.
pub(crate) struct HostFunc {
    pub name: Arc<str>,
    pub call: Box<HostCall>,
}

pub(crate) type HostCall =
    dyn Fn(&mut StoreInner, Option<InstanceId>, &mut [u64]) -> Result<(), Error> + Send + Sync;

pub(crate) struct TableEntity {
    pub ty: TableType,
    pub elements: Vec<u64>,
    /// Elements it can ever have: declared maximum, index type and configured limit.
    pub limit: u64,
    /// Boxed so that compiled code can keep its address.
    pub link: Box<TableLink>,
}

pub(crate) struct GlobalEntity {
    pub ty: GlobalType,
    /// The value's slots; the second only counts for vectors. Boxed so that compiled code can keep the
    /// address.
    pub value: Box<[u64; 2]>,
}

pub(crate) struct InstanceEntity {
    pub module: Arc<ModuleInner>,
    pub code: Arc<dyn Code>,
    pub funcs: Box<[FuncId]>,
    pub tables: Box<[u32]>,
    pub memories: Box<[u32]>,
    pub globals: Box<[u32]>,
    pub tags: Box<[u32]>,
    /// Evaluated element segments; empty once dropped.
    pub elems: Box<[Vec<u64>]>,
    pub dropped_elems: Box<[bool]>,
    pub dropped_datas: Box<[bool]>,
    /// The same for compiled code.
    pub links: InstanceLinks,
}

/// One stretch of the call stack: guest frames of one executor, or one host function.
pub(crate) enum Activation {
    Guest { executor: &'static dyn Executor, top: usize, base: usize },
    Host { func: FuncId },
}

/// The store without the embedder's type parameter.
pub(crate) struct StoreInner {
    id: u64,
    pub engine: Engine,
    pub host_data: Box<dyn Any + Send>,
    pub funcs: Vec<FuncRecord>,
    /// The functions as compiled code calls them, by the same number.
    pub func_links: Vec<FuncLink>,
    pub tables: Vec<TableEntity>,
    pub memories: Vec<MemoryEntity>,
    pub globals: Vec<GlobalEntity>,
    pub tags: Vec<TypeId>,
    pub externs: Vec<Box<dyn Any + Send>>,
    /// Boxed so that an instance never moves while the store lives: modes keep its address.
    #[allow(clippy::vec_box, reason = "addresses must stay")]
    pub instances: Vec<Box<InstanceEntity>>,
    /// Fuel that is left, where the engine counts it.
    pub fuel: u64,
    /// Slots left of the depth budget.
    pub depth: u32,
    /// Is told of every instruction, if there is a trace.
    pub trace: Option<Arc<dyn Trace>>,
    activations: Vec<Activation>,
    guest_activations: u32,
    stack: Option<Reservation>,
    /// First free slot of the stack.
    stack_top: usize,
}

/// How a host function is reached from guest code.
#[derive(Clone, Copy)]
pub(crate) enum CallSite {
    /// By the call at this file offset.
    Call(u32),
    /// By a tail call: the frame that made it is gone.
    Tail,
}

impl StoreInner {
    pub fn new(engine: &Engine, host_data: Box<dyn Any + Send>) -> StoreInner {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        StoreInner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            engine: engine.clone(),
            host_data,
            funcs: Vec::new(),
            func_links: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            externs: Vec::new(),
            instances: Vec::new(),
            fuel: 0,
            depth: engine.settings().limits.depth_slots,
            trace: None,
            activations: Vec::new(),
            guest_activations: 0,
            stack: None,
            stack_top: 0,
        }
    }

    /// The index in a handle, which must be of this store.
    pub fn own(&self, stored: Stored) -> u32 {
        assert_eq!(stored.store, self.id, "a handle is only used with the store it came from");
        stored.index
    }

    pub fn stored(&self, index: u32) -> Stored {
        Stored { store: self.id, index }
    }

    pub fn func(&self, id: FuncId) -> &FuncRecord {
        &self.funcs[id.0 as usize]
    }

    pub fn func_handle(&self, id: FuncId) -> Func {
        Func { stored: self.stored(id.0) }
    }

    pub fn extern_handle(&self, index: u32) -> ExternRef {
        ExternRef { stored: self.stored(index) }
    }

    pub fn instance(&self, id: InstanceId) -> &InstanceEntity {
        &self.instances[id.0 as usize]
    }

    pub fn add_func(&mut self, record: FuncRecord) -> FuncId {
        let (entry, instance) = match &record.kind {
            FuncKind::Wasm { instance, entry, .. } => (entry.0, instance.0),
            FuncKind::Host(_) => (std::ptr::null(), HOST_INSTANCE),
        };
        self.func_links.push(FuncLink { entry, ty: record.ty, instance });
        self.funcs.push(record);
        FuncId(self.funcs.len() as u32 - 1)
    }

    /// Memory for frames: as many slots as the depth budget can ever fill, twice over, and some.
    /// The address is the same for the life of the store.
    pub fn stack_base(&mut self) -> Result<*mut u64, Error> {
        if self.stack.is_none() {
            let bytes = self.stack_slots() as u64 * 8;
            let mut stack = take_reservation(bytes)?;
            stack
                .commit(bytes as usize)
                .map_err(|error| Error::Resources(format!("cannot commit a stack: {error}")))?;
            self.stack = Some(stack);
        }
        Ok(self.stack.as_ref().expect("just made").base().cast())
    }

    /// Size of the memory that starts at [`StoreInner::stack_base`].
    pub fn stack_slots(&self) -> usize {
        self.engine.settings().limits.depth_slots as usize * 2 + (1 << 16)
    }

    /// First slot of the stack that no activation uses.
    pub fn stack_top(&self) -> usize {
        self.stack_top
    }

    /// Calls any function from outside guest code. `slots` is at least as long as its arguments and results.
    pub fn invoke(&mut self, func: FuncId, slots: &mut [u64]) -> Result<(), Error> {
        match &self.func(func).kind {
            FuncKind::Host(_) => self.call_host(func, None, CallSite::Tail, slots),
            FuncKind::Wasm { .. } => self.invoke_guest(func, slots),
        }
    }

    fn invoke_guest(&mut self, func: FuncId, slots: &mut [u64]) -> Result<(), Error> {
        if self.guest_activations > self.engine.settings().limits.host_reentries {
            // Not located here: the host function that tried is the innermost frame.
            return Err(TrapKind::CallStackExhausted.into());
        }
        let executor = self.engine.executor();
        let (depth, base) = (self.depth, self.stack_top);
        self.activations.push(Activation::Guest { executor, top: base, base });
        self.guest_activations += 1;
        let outcome = executor.call(self, func, slots);
        self.guest_activations -= 1;
        self.activations.pop();
        self.depth = depth;
        self.stack_top = base;
        outcome
    }

    /// Says where the innermost guest activation stands, before anything may look at it: `top` is the
    /// executor's own name for its innermost frame, `free` the first slot it does not use.
    pub fn leave(&mut self, top: usize, free: usize) {
        self.stack_top = free;
        match self.activations.last_mut() {
            Some(Activation::Guest { top: noted, .. }) => *noted = top,
            Some(Activation::Host { .. }) | None => unreachable!("only a running guest leaves its code"),
        }
    }

    /// Calls a host function; `caller` is the instance that executed the call.
    pub fn call_host(
        &mut self,
        func: FuncId,
        caller: Option<InstanceId>,
        site: CallSite,
        slots: &mut [u64],
    ) -> Result<(), Error> {
        let FuncKind::Host(host) = &self.func(func).kind else {
            unreachable!("the caller looked at the kind")
        };
        let host = host.clone();
        self.activations.push(Activation::Host { func });
        let outcome = (host.call)(self, caller, slots).map_err(|error| match error {
            Error::Trap(mut trap) if !trap.is_located() => {
                let site = match site {
                    CallSite::Call(offset) => Some(offset),
                    CallSite::Tail => None,
                };
                self.locate(&mut trap, site);
                Error::Trap(trap)
            }
            located @ Error::Trap(_) => located,
            other @ (Error::Invalid { .. }
            | Error::Link(_)
            | Error::Usage(_)
            | Error::Unsupported(_)
            | Error::Limit(_)
            | Error::Resources(_)
            | Error::Exception(_)) => other,
        });
        self.activations.pop();
        outcome
    }

    /// The trap of a guest that has left its code at `site`.
    pub fn trap(&self, kind: TrapKind, site: u32) -> Error {
        let mut trap = Trap::new(kind);
        self.locate(&mut trap, Some(site));
        Error::Trap(trap)
    }

    fn locate(&self, trap: &mut Trap, site: Option<u32>) {
        let backtrace = (!self.engine.settings().without_backtraces).then(|| self.backtrace());
        trap.locate(site, backtrace);
    }

    /// The calls in progress.
    pub fn backtrace(&self) -> Backtrace {
        let mut builder = BacktraceBuilder::default();
        for activation in self.activations.iter().rev() {
            match activation {
                Activation::Host { func } => {
                    builder.push(RawFrame { kind: FrameKind::Host, owner: func.0, func: 0, offset: 0 });
                }
                Activation::Guest { executor, top, base } => {
                    executor.walk(self, *top, *base, &mut |frame| builder.push(frame));
                }
            }
        }
        builder.finish(|frame| match frame.kind {
            FrameKind::Wasm => FrameName::Wasm(self.instances[frame.owner as usize].module.clone()),
            FrameKind::Host => match &self.funcs[frame.owner as usize].kind {
                FuncKind::Host(host) => FrameName::Host(host.name.clone()),
                FuncKind::Wasm { .. } => unreachable!("host frames name host functions"),
            },
        })
    }

    /// Fails once the store holds as many of a kind of entity as it may.
    pub fn check_entities(&self, count: usize, what: &str) -> Result<(), Error> {
        let limit = self.engine.settings().limits.entities as usize;
        if count >= limit {
            return Err(Error::Limit(format!("the store holds {limit} {what} already")));
        }
        Ok(())
    }
}

impl Drop for StoreInner {
    fn drop(&mut self) {
        if let Some(stack) = self.stack.take() {
            give_reservation(stack);
        }
    }
}

impl TableEntity {
    /// A table of its minimum size; fails by the configured limit.
    pub fn new(ty: TableType, init: u64, limit: u64) -> Result<TableEntity, Error> {
        let by_index_type = if ty.is_64 { u64::MAX } else { u64::from(u32::MAX) };
        let bound = limit.min(ty.maximum.unwrap_or(u64::MAX)).min(by_index_type);
        if ty.minimum > bound {
            let wanted = ty.minimum;
            return Err(Error::Limit(format!("a table of {wanted} elements exceeds the limit of {limit}")));
        }
        let mut elements = vec![init; ty.minimum as usize];
        let link = Box::new(TableLink { base: elements.as_mut_ptr(), elements: ty.minimum });
        Ok(TableEntity { ty, elements, limit: bound, link })
    }

    /// Grows by `delta` elements and gives the old size; `None` if a limit forbids it.
    pub fn grow(&mut self, delta: u64, init: u64) -> Option<u64> {
        let old = self.elements.len() as u64;
        let new = old.checked_add(delta).filter(|elements| *elements <= self.limit)?;
        self.elements.resize(new as usize, init);
        *self.link = TableLink { base: self.elements.as_mut_ptr(), elements: new };
        Some(old)
    }
}

/// A store, or what has access to one: a reference to a store, or the caller of a host function.
pub trait AsContext {
    #[doc(hidden)]
    fn context(&self) -> Context<'_>;
}

/// As [`AsContext`], with the right to change the store.
pub trait AsContextMut: AsContext {
    #[doc(hidden)]
    fn context_mut(&mut self) -> ContextMut<'_>;
}

/// A store, to look at.
pub struct Context<'a>(pub(crate) &'a StoreInner);

/// A store, to change.
pub struct ContextMut<'a>(pub(crate) &'a mut StoreInner);

/// Instances with everything they refer to, and the embedder's data `T`.
pub struct Store<T> {
    inner: Box<StoreInner>,
    data: std::marker::PhantomData<T>,
}

impl<T: Send + 'static> Store<T> {
    /// An empty store.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        Store { inner: Box::new(StoreInner::new(engine, Box::new(data))), data: std::marker::PhantomData }
    }

    /// The engine it runs in.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.inner.host_data.downcast_ref().expect("the store was made with a T")
    }

    /// The embedder's data, to change.
    pub fn data_mut(&mut self) -> &mut T {
        self.inner.host_data.downcast_mut().expect("the store was made with a T")
    }

    /// Fuel that is left; meaningful only where the engine counts fuel.
    pub fn fuel(&self) -> u64 {
        self.inner.fuel
    }

    /// Sets the fuel that is left.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.inner.fuel = fuel;
    }

    /// Has every instruction told to a trace from the next call on, or to none. Only the mode `interp` tells.
    pub fn set_trace(&mut self, trace: Option<Arc<dyn Trace>>) {
        self.inner.trace = trace;
    }
}

impl<T> AsContext for Store<T> {
    fn context(&self) -> Context<'_> {
        Context(&self.inner)
    }
}

impl<T> AsContextMut for Store<T> {
    fn context_mut(&mut self) -> ContextMut<'_> {
        ContextMut(&mut self.inner)
    }
}

impl<C: AsContext> AsContext for &C {
    fn context(&self) -> Context<'_> {
        (**self).context()
    }
}

impl<C: AsContext> AsContext for &mut C {
    fn context(&self) -> Context<'_> {
        (**self).context()
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn context_mut(&mut self) -> ContextMut<'_> {
        (**self).context_mut()
    }
}

impl ExternRef {
    /// Makes a host object that guests can hold.
    pub fn new(mut store: impl AsContextMut, object: impl Any + Send) -> ExternRef {
        let store = store.context_mut().0;
        store.externs.push(Box::new(object));
        store.extern_handle(store.externs.len() as u32 - 1)
    }

    /// The object.
    pub fn data<'a>(&self, store: &'a impl AsContext) -> &'a (dyn Any + Send) {
        let store = store.context().0;
        &*store.externs[store.own(self.stored) as usize]
    }
}
