//! Instructions that do much at once or are rare: whole memories and tables, segments, references,
//! 128-bit arithmetic.
//!
//! Their operands lie in a row in their places of the operand stack and the results replace them, so
//! each is a function of that row; two numbers of the instruction say which memory, table or segment.

use super::super::context::Context;
use super::super::dispatch::{Flow, Machine, Op};
use super::conjure;
use crate::error::Error;
use crate::instance::drop_elem;
use crate::memory::{MemoryEntity, Place};
use crate::numeric;
use crate::store::TableEntity;
use crate::trap::TrapKind;
use crate::val::{NULL_SLOT, func_slot};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Range;

/// Why an instruction did not come to its end.
pub(in super::super) enum Failure {
    Trap(TrapKind),
    Error(Error),
}

impl From<TrapKind> for Failure {
    fn from(kind: TrapKind) -> Failure {
        Failure::Trap(kind)
    }
}

/// The operands' row, and the two numbers.
pub(in super::super) struct Arguments {
    row: *mut u64,
    /// The second half of the operand word.
    first: u32,
    /// The third word.
    second: u32,
}

impl Arguments {
    fn get(&self, index: usize) -> u64 {
        // SAFETY: lowering gives every function as many operands as it reads.
        unsafe { self.row.add(index).read() }
    }

    fn set(&self, index: usize, value: u64) {
        // SAFETY: lowering makes room for results in the place of operands.
        unsafe { self.row.add(index).write(value) }
    }
}

/// Applies a function to the row that begins at the first half.
pub(in super::super) struct Apply<F>(PhantomData<F>);

impl<F: Fn(&mut Context, Arguments) -> Result<(), Failure> + Copy + 'static> Op for Apply<F> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's.
        unsafe {
            if !apply::<F>(machine.context.cast(), machine.ip, machine.fp) {
                return Flow::Stop;
            }
            machine.reload();
            machine.advance(3)
        }
    }
}

#[inline(never)]
unsafe extern "C-unwind" fn apply<F>(context: *mut c_void, ip: *const u64, fp: *mut u64) -> bool
where
    F: Fn(&mut Context, Arguments) -> Result<(), Failure> + Copy + 'static,
{
    // SAFETY: the context is the running activation's; the instruction has three words.
    let (context, arguments) = unsafe {
        let halves = ip.add(1).cast::<[u32; 2]>().read();
        let row = fp.add(halves[0] as usize);
        let second = ip.add(2).read() as u32;
        (&mut *context.cast::<Context>(), Arguments { row, first: halves[1], second })
    };
    match conjure::<F>()(context, arguments) {
        Ok(()) => return true,
        Err(Failure::Trap(kind)) => context.trap(ip, fp, kind),
        Err(Failure::Error(error)) => context.fail(error),
    }
    false
}

impl Context {
    fn memory_entity(&mut self, index: u32) -> &mut MemoryEntity {
        let number = self.instance().memories[index as usize];
        &mut self.store().memories[number as usize]
    }

    fn table_entity(&mut self, index: u32) -> &mut TableEntity {
        let number = self.instance().tables[index as usize];
        &mut self.store().tables[number as usize]
    }

    /// Pays for an operation on so many bytes or elements.
    fn pay(&mut self, length: u64) -> Result<(), Failure> {
        if self.store().engine.settings().fuel {
            let rest = self.fuel.checked_sub(length.div_ceil(64));
            self.fuel = rest.ok_or(TrapKind::OutOfFuel)?;
        }
        Ok(())
    }
}

/// What begins at `start` and is `length` long, if it ends by `end`.
fn inside(start: u64, length: u64, end: u64, otherwise: TrapKind) -> Result<Range<u64>, Failure> {
    match start.checked_add(length) {
        Some(stop) if stop <= end => Ok(start..stop),
        Some(_) | None => Err(Failure::Trap(otherwise)),
    }
}

pub(in super::super) fn memory_size(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    arguments.set(0, context.memory_entity(arguments.first).pages());
    Ok(())
}

pub(in super::super) fn memory_grow(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let memory = context.memory_entity(arguments.first);
    let failed = if memory.ty.is_64 { u64::MAX } else { u64::from(u32::MAX) };
    let grown = memory.grow(arguments.get(0)).map_err(Failure::Error)?;
    arguments.set(0, grown.unwrap_or(failed));
    context.refresh();
    Ok(())
}

pub(in super::super) fn memory_fill(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (start, byte, length) = (arguments.get(0), arguments.get(1) as u8, arguments.get(2));
    let end = context.memory_entity(arguments.first).len();
    let range = inside(start, length, end, TrapKind::MemoryOutOfBounds)?;
    context.pay(length)?;
    context.memory_entity(arguments.first).fill(range.start, length, byte).expect("it was found inside");
    Ok(())
}

pub(in super::super) fn memory_copy(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (to, from, length) = (arguments.get(0), arguments.get(1), arguments.get(2));
    let trap = TrapKind::MemoryOutOfBounds;
    let to = inside(to, length, context.memory_entity(arguments.first).len(), trap)?;
    let from = inside(from, length, context.memory_entity(arguments.second).len(), trap)?;
    context.pay(length)?;
    let to = Place { memory: context.instance().memories[arguments.first as usize], offset: to.start };
    let from = Place { memory: context.instance().memories[arguments.second as usize], offset: from.start };
    MemoryEntity::copy(&mut context.store().memories, to, from, length).expect("both were found inside");
    Ok(())
}

pub(in super::super) fn memory_init(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (to, from, length) = (arguments.get(0), arguments.get(1), arguments.get(2));
    let segment = arguments.second as usize;
    let dropped = context.instance().dropped_datas[segment];
    let bytes = context.instance().module.datas[segment].bytes.clone();
    let available = if dropped { 0 } else { u64::from(bytes.end - bytes.start) };
    let trap = TrapKind::MemoryOutOfBounds;
    let to = inside(to, length, context.memory_entity(arguments.first).len(), trap)?;
    let from = inside(from, length, available, trap)?;
    context.pay(length)?;
    let file = context.instance().module.bytes.clone();
    let source = &file[bytes.start as usize + from.start as usize..][..length as usize];
    context.memory_entity(arguments.first).write(to.start, source).expect("it was found inside");
    Ok(())
}

pub(in super::super) fn data_drop(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let instance = context.instance_id;
    context.store().instances[instance.0 as usize].dropped_datas[arguments.first as usize] = true;
    Ok(())
}

pub(in super::super) fn table_get(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let index = usize::try_from(arguments.get(0)).ok();
    let table = context.table_entity(arguments.first);
    let element = index.and_then(|index| table.elements.get(index));
    arguments.set(0, *element.ok_or(TrapKind::TableOutOfBounds)?);
    Ok(())
}

pub(in super::super) fn table_set(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let index = usize::try_from(arguments.get(0)).ok();
    let table = context.table_entity(arguments.first);
    let element = index.and_then(|index| table.elements.get_mut(index));
    *element.ok_or(TrapKind::TableOutOfBounds)? = arguments.get(1);
    Ok(())
}

pub(in super::super) fn table_size(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    arguments.set(0, context.table_entity(arguments.first).elements.len() as u64);
    Ok(())
}

pub(in super::super) fn table_grow(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let table = context.table_entity(arguments.first);
    let failed = if table.ty.is_64 { u64::MAX } else { u64::from(u32::MAX) };
    let grown = table.grow(arguments.get(1), arguments.get(0));
    arguments.set(0, grown.unwrap_or(failed));
    Ok(())
}

pub(in super::super) fn table_fill(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (start, value, length) = (arguments.get(0), arguments.get(1), arguments.get(2));
    let end = context.table_entity(arguments.first).elements.len() as u64;
    let range = inside(start, length, end, TrapKind::TableOutOfBounds)?;
    context.pay(length)?;
    let table = context.table_entity(arguments.first);
    table.elements[range.start as usize..range.end as usize].fill(value);
    Ok(())
}

pub(in super::super) fn table_copy(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (to, from, length) = (arguments.get(0), arguments.get(1), arguments.get(2));
    let trap = TrapKind::TableOutOfBounds;
    let to = inside(to, length, context.table_entity(arguments.first).elements.len() as u64, trap)?;
    let from = inside(from, length, context.table_entity(arguments.second).elements.len() as u64, trap)?;
    context.pay(length)?;
    let target = context.table_entity(arguments.first).elements.as_mut_ptr();
    let source = context.table_entity(arguments.second).elements.as_mut_ptr().cast_const();
    // SAFETY: both ranges lie inside their tables; they may overlap, and no reference is alive.
    unsafe {
        let (source, target) = (source.add(from.start as usize), target.add(to.start as usize));
        std::ptr::copy(source, target, length as usize);
    }
    Ok(())
}

pub(in super::super) fn table_init(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (to, from, length) = (arguments.get(0), arguments.get(1), arguments.get(2));
    let trap = TrapKind::TableOutOfBounds;
    let available = context.instance().elems[arguments.second as usize].len() as u64;
    let to = inside(to, length, context.table_entity(arguments.first).elements.len() as u64, trap)?;
    let from = inside(from, length, available, trap)?;
    context.pay(length)?;
    let number = context.instance().tables[arguments.first as usize] as usize;
    let instance = context.instance_id.0 as usize;
    let store = context.store();
    let items = &store.instances[instance].elems[arguments.second as usize];
    let items = &items[from.start as usize..from.end as usize];
    store.tables[number].elements[to.start as usize..to.end as usize].copy_from_slice(items);
    Ok(())
}

pub(in super::super) fn elem_drop(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let instance = context.instance_id;
    drop_elem(context.store(), instance, arguments.first);
    Ok(())
}

pub(in super::super) fn ref_func(context: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    arguments.set(0, func_slot(context.instance().funcs[arguments.first as usize]));
    Ok(())
}

pub(in super::super) fn ref_as_non_null(_: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    if arguments.get(0) == NULL_SLOT { Err(TrapKind::NullReference.into()) } else { Ok(()) }
}

/// Writes two results, low half first.
fn set_pair(arguments: Arguments, (low, high): (u64, u64)) -> Result<(), Failure> {
    arguments.set(0, low);
    arguments.set(1, high);
    Ok(())
}

pub(in super::super) fn add128(_: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| arguments.get(index));
    set_pair(arguments, numeric::add128(a, b, c, d))
}

pub(in super::super) fn sub128(_: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| arguments.get(index));
    set_pair(arguments, numeric::sub128(a, b, c, d))
}

pub(in super::super) fn mul_wide_s(_: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (a, b) = (arguments.get(0), arguments.get(1));
    set_pair(arguments, numeric::mul_wide_s(a, b))
}

pub(in super::super) fn mul_wide_u(_: &mut Context, arguments: Arguments) -> Result<(), Failure> {
    let (a, b) = (arguments.get(0), arguments.get(1));
    set_pair(arguments, numeric::mul_wide_u(a, b))
}
