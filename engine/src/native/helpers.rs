//! What compiled code calls because it is long or rare: growth, bulk operations, segments, subtype checks,
//! and calls that leave the instance.
//!
//! A helper runs on the thread's stack, takes the context and up to five numbers, and gives a status and a
//! value. Nothing unwinds out of one: failure is noted in the context and the status says so. Bulk
//! operations check their bounds, then pay fuel, then act.

use super::arch::Arch;
use super::context::{Failure, VmContext};
use super::host::Host;
use super::thunks::Status;
use crate::faults::fault;
use crate::instance::{drop_elem, func_matches};
use crate::memory::{MemoryEntity, Place};
use crate::module::DefinedFuncIndex;
use crate::store::{CallSite, FuncId, FuncKind, FuncLink, InstanceId, TableEntity};
use crate::trap::TrapKind;
use crate::types::TypeId;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A helper's number: its position in [`TABLE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Helper {
    MemoryGrow,
    MemoryFill,
    MemoryCopy,
    MemoryInit,
    DataDrop,
    TableGrow,
    TableFill,
    TableCopy,
    TableInit,
    ElemDrop,
}

/// What a helper gives: both come back in registers.
#[repr(C)]
pub(crate) struct Reply {
    status: Status,
    value: u64,
}

const fn done(value: u64) -> Reply {
    Reply { status: Status::Done, value }
}

/// A function of the table, whatever its parameters.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Entry(*const ());

// SAFETY: the address of a function.
unsafe impl Sync for Entry {}

/// The helpers by number.
pub(crate) static TABLE: [Entry; 10] = [
    Entry(memory_grow as *const ()),
    Entry(memory_fill as *const ()),
    Entry(memory_copy as *const ()),
    Entry(memory_init as *const ()),
    Entry(data_drop as *const ()),
    Entry(table_grow as *const ()),
    Entry(table_fill as *const ()),
    Entry(table_copy as *const ()),
    Entry(table_init as *const ()),
    Entry(elem_drop as *const ()),
];

/// The context that a helper's first argument points to.
fn of<'a>(context: *mut VmContext) -> &'a mut VmContext {
    // SAFETY: code passes the running activation's context, and nothing else uses it meanwhile.
    unsafe { &mut *context }
}

/// Does the work of a helper. A panic ends the activation and is raised again outside of generated code, which
/// nothing can unwind through: else the process would abort and the message would be lost.
fn contained(context: *mut VmContext, work: impl FnOnce(&mut VmContext) -> Reply) -> Reply {
    catch_unwind(AssertUnwindSafe(|| work(of(context))))
        .unwrap_or_else(|payload| of(context).fail(Failure::Panic(payload)))
}

/// Does what may trap, and tells how it went.
fn attempt(context: *mut VmContext, work: impl FnOnce(&mut VmContext) -> Result<u64, TrapKind>) -> Reply {
    contained(context, |context| {
        let outcome = work(context);
        context.reply(outcome)
    })
}

impl VmContext {
    fn fail(&mut self, failure: Failure) -> Reply {
        self.failure = Some(failure);
        Reply { status: Status::Failed, value: 0 }
    }

    fn reply(&mut self, outcome: Result<u64, TrapKind>) -> Reply {
        match outcome {
            Ok(value) => done(value),
            Err(kind) => self.fail(Failure::Trap(kind)),
        }
    }

    fn memory(&mut self, index: u64) -> &mut MemoryEntity {
        let id = self.instance_id();
        let store = self.store();
        let number = store.instance(id).memories[index as usize];
        &mut store.memories[number as usize]
    }

    /// A place in a memory of the running instance.
    fn place(&mut self, index: u64, offset: usize) -> Place {
        let id = self.instance_id();
        let memory = self.store().instance(id).memories[index as usize];
        Place { memory, offset: offset as u64 }
    }

    fn table(&mut self, index: u64) -> &mut TableEntity {
        let id = self.instance_id();
        let store = self.store();
        let number = store.instance(id).tables[index as usize];
        &mut store.tables[number as usize]
    }

    /// Pays for an operation on so many bytes or elements.
    fn pay(&mut self, length: u64) -> Result<(), TrapKind> {
        if self.store().engine.settings().fuel {
            self.fuel = self.fuel.checked_sub(length.div_ceil(64)).ok_or(TrapKind::OutOfFuel)?;
        }
        Ok(())
    }
}

/// `length` things from `start` on, if they end by `end`.
fn span(start: u64, length: u64, end: u64, otherwise: TrapKind) -> Result<Range<usize>, TrapKind> {
    match start.checked_add(length) {
        Some(stop) if stop <= end => Ok(start as usize..stop as usize),
        Some(_) | None => Err(otherwise),
    }
}

/// What growth gives where a limit forbids it.
fn refusal(is_64: bool) -> u64 {
    if is_64 { u64::MAX } else { u64::from(u32::MAX) }
}

extern "C" fn memory_grow(context: *mut VmContext, delta: u64, memory: u64) -> Reply {
    contained(context, |context| {
        let entity = context.memory(memory);
        let refused = refusal(entity.ty.is_64);
        match entity.grow(delta) {
            Ok(old) => {
                if !fault!("native-memory-length-kept-after-growth") {
                    context.refresh();
                }
                done(old.unwrap_or(refused))
            }
            Err(error) => context.fail(Failure::Error(error)),
        }
    })
}

extern "C" fn memory_fill(context: *mut VmContext, start: u64, byte: u64, length: u64, memory: u64) -> Reply {
    attempt(context, |context| {
        let range = span(start, length, context.memory(memory).len(), TrapKind::MemoryOutOfBounds)?;
        context.pay(length)?;
        let filled = context.memory(memory).fill(range.start as u64, length, byte as u8);
        filled.expect("it was found inside");
        Ok(0)
    })
}

extern "C" fn memory_copy(
    context: *mut VmContext,
    to: u64,
    from: u64,
    length: u64,
    target: u64,
    source: u64,
) -> Reply {
    attempt(context, |context| {
        let to = span(to, length, context.memory(target).len(), TrapKind::MemoryOutOfBounds)?;
        let from = span(from, length, context.memory(source).len(), TrapKind::MemoryOutOfBounds)?;
        context.pay(length)?;
        let (to, from) = (context.place(target, to.start), context.place(source, from.start));
        let copied = MemoryEntity::copy(&mut context.store().memories, to, from, length);
        copied.expect("both were found inside");
        Ok(0)
    })
}

extern "C" fn memory_init(
    context: *mut VmContext,
    to: u64,
    from: u64,
    length: u64,
    memory: u64,
    segment: u64,
) -> Reply {
    attempt(context, |context| {
        let id = context.instance_id();
        let entity = context.store().instance(id);
        let (module, dropped) = (entity.module.clone(), entity.dropped_datas[segment as usize]);
        let bytes = if dropped { 0..0 } else { module.datas[segment as usize].bytes.clone() };
        let contents = &module.bytes[bytes.start as usize..bytes.end as usize];
        let to = span(to, length, context.memory(memory).len(), TrapKind::MemoryOutOfBounds)?;
        let from = span(from, length, contents.len() as u64, TrapKind::MemoryOutOfBounds)?;
        context.pay(length)?;
        let written = context.memory(memory).write(to.start as u64, &contents[from]);
        written.expect("it was found inside");
        Ok(0)
    })
}

extern "C" fn data_drop(context: *mut VmContext, segment: u64) -> Reply {
    attempt(context, |context| {
        let id = context.instance_id();
        context.store().instances[id.0 as usize].dropped_datas[segment as usize] = true;
        Ok(0)
    })
}

extern "C" fn table_grow(context: *mut VmContext, init: u64, delta: u64, table: u64) -> Reply {
    attempt(context, |context| {
        let entity = context.table(table);
        let refused = refusal(entity.ty.is_64);
        Ok(entity.grow(delta, init).unwrap_or(refused))
    })
}

extern "C" fn table_fill(context: *mut VmContext, start: u64, value: u64, length: u64, table: u64) -> Reply {
    attempt(context, |context| {
        let elements = context.table(table).elements.len() as u64;
        let range = span(start, length, elements, TrapKind::TableOutOfBounds)?;
        context.pay(length)?;
        context.table(table).elements[range].fill(value);
        Ok(0)
    })
}

extern "C" fn table_copy(
    context: *mut VmContext,
    to: u64,
    from: u64,
    length: u64,
    target: u64,
    source: u64,
) -> Reply {
    attempt(context, |context| {
        let trap = TrapKind::TableOutOfBounds;
        let to = span(to, length, context.table(target).elements.len() as u64, trap)?;
        let from = span(from, length, context.table(source).elements.len() as u64, trap)?;
        context.pay(length)?;
        let target = context.table(target).elements.as_mut_ptr();
        let source = context.table(source).elements.as_mut_ptr().cast_const();
        // SAFETY: both ranges lie inside their tables; they may overlap, and no reference is alive.
        unsafe { std::ptr::copy(source.add(from.start), target.add(to.start), to.len()) };
        Ok(0)
    })
}

extern "C" fn table_init(
    context: *mut VmContext,
    to: u64,
    from: u64,
    length: u64,
    table: u64,
    segment: u64,
) -> Reply {
    attempt(context, |context| {
        let trap = TrapKind::TableOutOfBounds;
        let id = context.instance_id();
        let items = context.store().instance(id).elems[segment as usize].len() as u64;
        let to = span(to, length, context.table(table).elements.len() as u64, trap)?;
        let from = span(from, length, items, trap)?;
        context.pay(length)?;
        let store = context.store();
        let entity = &store.instances[id.0 as usize];
        let target = &mut store.tables[entity.tables[table as usize] as usize];
        target.elements[to].copy_from_slice(&entity.elems[segment as usize][from]);
        Ok(0)
    })
}

extern "C" fn elem_drop(context: *mut VmContext, segment: u64) -> Reply {
    attempt(context, |context| {
        let id = context.instance_id();
        drop_elem(context.store(), id, segment as u32);
        Ok(0)
    })
}

/// Traps unless the function of a link is of the wanted type or of a subtype of it.
pub(crate) extern "C" fn check_subtype(context: *mut VmContext, link: *const FuncLink, wanted: u64) -> Reply {
    attempt(context, |context| {
        let func = context.func_of(link);
        // SAFETY: code passes an index of the running instance's types.
        let wanted: TypeId = unsafe { context.types.add(wanted as usize).read() };
        let matches = func_matches(context.store(), func, wanted);
        if matches { Ok(0) } else { Err(TrapKind::IndirectCallTypeMismatch) }
    })
}

impl VmContext {
    fn func_of(&self, link: *const FuncLink) -> FuncId {
        // SAFETY: code passes addresses of the store's links.
        FuncId(unsafe { link.offset_from(self.func_links) } as u32)
    }
}

/// Calls a host function, or finds out how to go on with a function that may run in another instance.
pub(crate) extern "C" fn resolve(context: *mut VmContext, link: *const FuncLink, tail: u64) -> Reply {
    let context = of(context);
    let func = context.func_of(link);
    let (instance, entry) = match &context.store().func(func).kind {
        FuncKind::Wasm { instance, .. } => {
            // SAFETY: as in `func_of`.
            (*instance, unsafe { (*link).entry })
        }
        FuncKind::Host(_) => return context.call_host(func, tail != 0),
    };
    let value = entry as u64;
    if instance == context.instance_id() {
        return Reply { status: Status::Jump, value };
    }
    // Of the call, or of the frame that a tail call has given up.
    let back = context.return_address();
    let kept = fault!("native-tail-call-never-crosses-back");
    let crosses_already = tail != 0 && (back == context.cross_return || kept);
    if !crosses_already {
        context.crossed_from = context.instance;
        context.stack_limit -= Host::CROSSING_BYTES;
    }
    context.enter_instance(instance);
    Reply { status: if crosses_already { Status::Jump } else { Status::Cross }, value }
}

/// Makes the instance the running one that a call has come from.
pub(crate) extern "C" fn cross_back(context: *mut VmContext, instance: u64) {
    let context = of(context);
    context.stack_limit += Host::CROSSING_BYTES;
    let bytes = context.memory_bytes;
    context.enter_instance(InstanceId(instance as u32));
    if fault!("native-memory-length-kept-after-crossing") {
        context.memory_bytes = bytes;
    }
}

/// Compiles a function that is called for the first time.
pub(crate) extern "C" fn compile_now(context: *mut VmContext, func: u64) -> Reply {
    contained(context, |context| {
        let id = context.instance_id();
        let entity = context.store().instance(id);
        let (code, module) = (entity.code.clone(), entity.module.clone());
        let func = DefinedFuncIndex(func as u32);
        match code.compile_now(&module, func) {
            Ok(entry) => {
                let number = context.store().instance(id).funcs[module.func_index(func).0 as usize];
                context.store().func_links[number.0 as usize].entry = entry;
                done(entry as u64)
            }
            Err(error) => context.fail(Failure::Error(error)),
        }
    })
}

impl VmContext {
    fn call_host(&mut self, func: FuncId, tail: bool) -> Reply {
        /// Slots that need no allocation.
        const FEW: usize = 16;
        let ty = self.store().func(func).func_type.clone();
        let count = ty.param_slots().max(ty.result_slots()) as usize;
        let (mut few, mut many) = ([0; FEW], Vec::new());
        let slots = if count <= FEW {
            &mut few[..count]
        } else {
            many.resize(count, 0);
            &mut many[..]
        };
        self.arguments(&ty, slots);
        self.leave();
        let site = if tail { CallSite::Tail } else { CallSite::Call(self.left_site().0) };
        let caller = Some(self.instance_id());
        let outcome = catch_unwind(AssertUnwindSafe(|| self.store().call_host(func, caller, site, slots)));
        self.fuel = self.store().fuel;
        match outcome {
            Ok(Ok(())) => {
                self.refresh();
                self.set_results(&ty, slots);
                done(0)
            }
            Ok(Err(error)) => self.fail(Failure::Error(error)),
            Err(payload) => self.fail(Failure::Panic(payload)),
        }
    }
}
