//! Whole memories and tables: size, growth, filling, copying, segments.
//!
//! Operations on many bytes or elements check their bounds first, then pay fuel for every 64 begun, and
//! only then do anything. Operands may be of 32 or of 64 bits; in their slots they are the same number.

use super::dispatch::{Handler, big, plain};
use super::machine::{Machine, Regs, Step, Stop, Trace};
use crate::faults::fault;
use crate::instance::drop_elem;
use crate::memory::{MemoryEntity, Place};
use crate::opcode::{Memory, Table};
use crate::store::TableEntity;
use crate::trap::TrapKind;
use std::ops::Range;

/// The handler of an instruction on whole memories.
pub(super) fn memory<T: Trace, const FUEL: bool>(opcode: Memory) -> Handler<T, FUEL> {
    match opcode {
        Memory::MemorySize => plain(|m, mut r| {
            let index = r.u32();
            r.push(memory_mut(m, index).pages());
            Ok(r)
        }),
        Memory::MemoryGrow => big(memory_grow, false),
        Memory::MemoryInit => big(memory_init, true),
        Memory::DataDrop => big(
            |m, mut r| {
                let data = r.u32();
                let instance = m.instance.0 as usize;
                m.store.instances[instance].dropped_datas[data as usize] = true;
                Ok(r)
            },
            true,
        ),
        Memory::MemoryCopy => big(memory_copy, true),
        Memory::MemoryFill => big(memory_fill, true),
    }
}

/// The handler of an instruction on tables.
pub(super) fn table<T: Trace, const FUEL: bool>(opcode: Table) -> Handler<T, FUEL> {
    match opcode {
        Table::TableGet => plain(|m, mut r| {
            let table = r.u32();
            let index = r.pop();
            let element = *element(m, table, index)?;
            r.push(element);
            Ok(r)
        }),
        Table::TableSet => plain(|m, mut r| {
            let table = r.u32();
            let (value, index) = (r.pop(), r.pop());
            *element(m, table, index)? = value;
            Ok(r)
        }),
        Table::TableInit => big(table_init, true),
        Table::ElemDrop => big(
            |m, mut r| {
                let elem = r.u32();
                drop_elem(m.store, m.instance, elem);
                Ok(r)
            },
            true,
        ),
        Table::TableCopy => big(table_copy, true),
        Table::TableGrow => big(
            |m, mut r| {
                let table = r.u32();
                let (delta, init) = (r.pop(), r.pop());
                let table = table_mut(m, table);
                let old = table.grow(delta, init);
                r.push(old.unwrap_or(minus_one(table.ty.is_64)));
                Ok(r)
            },
            true,
        ),
        Table::TableSize => big(
            |m, mut r| {
                let table = r.u32();
                r.push(table_mut(m, table).elements.len() as u64);
                Ok(r)
            },
            true,
        ),
        Table::TableFill => big(table_fill, true),
    }
}

fn memory_mut<'m, T: Trace, const FUEL: bool>(
    m: &'m mut Machine<'_, T, FUEL>,
    index: u32,
) -> &'m mut MemoryEntity {
    let memory = m.entity().memories[index as usize];
    &mut m.store.memories[memory as usize]
}

fn table_mut<'m, T: Trace, const FUEL: bool>(
    m: &'m mut Machine<'_, T, FUEL>,
    index: u32,
) -> &'m mut TableEntity {
    let table = m.entity().tables[index as usize];
    &mut m.store.tables[table as usize]
}

/// An element of a table. Traps: `TableOutOfBounds`.
fn element<'m, T: Trace, const FUEL: bool>(
    m: &'m mut Machine<'_, T, FUEL>,
    table: u32,
    index: u64,
) -> Result<&'m mut u64, Stop> {
    let elements = &mut table_mut(m, table).elements;
    let element = usize::try_from(index).ok().and_then(|index| elements.get_mut(index));
    Ok(element.ok_or(TrapKind::TableOutOfBounds)?)
}

/// What growing gives when a limit forbids it.
fn minus_one(is_64: bool) -> u64 {
    if is_64 { u64::MAX } else { u64::from(u32::MAX) }
}

/// `count` positions from `start` on, if they are within `len`.
fn span(start: u64, count: u64, len: u64, otherwise: TrapKind) -> Result<Range<usize>, Stop> {
    match start.checked_add(count) {
        Some(end) if end <= len => Ok(start as usize..end as usize),
        _ => Err(otherwise.into()),
    }
}

/// Fails, with the call and without a trap, if the operating system refuses.
fn memory_grow<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let index = r.u32();
    let mut delta = r.pop();
    if delta > 0 && fault!("interp-memory-grows-a-page-more") {
        delta += 1;
    }
    let memory = memory_mut(m, index);
    let refused = minus_one(memory.ty.is_64);
    match memory.grow(delta) {
        Ok(old) => r.push(old.unwrap_or(refused)),
        Err(error) => return Err(m.fail(error)),
    }
    // Under another index the instance may have the same memory.
    m.reload_memories();
    Ok(r)
}

fn memory_fill<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let index = r.u32();
    let (count, value, start) = (r.pop(), r.pop() as u8, r.pop());
    let len = memory_mut(m, index).len();
    let range = span(start, count, len, TrapKind::MemoryOutOfBounds)?;
    m.charge_bulk(count)?;
    memory_mut(m, index).fill(range.start as u64, count, value).expect(CHECKED);
    Ok(r)
}

/// Why bytes are inside their memory.
const CHECKED: &str = "bounds are checked before fuel is charged";

/// A place in a memory of the running instance.
fn place<T: Trace, const FUEL: bool>(m: &Machine<'_, T, FUEL>, index: u32, offset: usize) -> Place {
    Place { memory: m.entity().memories[index as usize], offset: offset as u64 }
}

fn memory_copy<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let (to_memory, from_memory) = (r.u32(), r.u32());
    let (count, from, to) = (r.pop(), r.pop(), r.pop());
    let (target, source) = (m.memory_at(to_memory).bytes, m.memory_at(from_memory).bytes);
    let to = span(to, count, target, TrapKind::MemoryOutOfBounds)?;
    let from = span(from, count, source, TrapKind::MemoryOutOfBounds)?;
    m.charge_bulk(count)?;
    let (to, from) = (place(m, to_memory, to.start), place(m, from_memory, from.start));
    MemoryEntity::copy(&mut m.store.memories, to, from, count).expect(CHECKED);
    Ok(r)
}

fn memory_init<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let (data, index) = (r.u32() as usize, r.u32());
    let (count, from, to) = (r.pop(), r.pop(), r.pop());
    let module = m.entity().module.clone();
    let data = match m.entity().dropped_datas[data] {
        true => &[],
        false => {
            let Range { start, end } = module.datas[data].bytes;
            &module.bytes[start as usize..end as usize]
        }
    };
    let to = span(to, count, memory_mut(m, index).len(), TrapKind::MemoryOutOfBounds)?;
    let from = span(from, count, data.len() as u64, TrapKind::MemoryOutOfBounds)?;
    m.charge_bulk(count)?;
    memory_mut(m, index).write(to.start as u64, &data[from]).expect(CHECKED);
    Ok(r)
}

fn table_fill<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let index = r.u32();
    let (count, value, start) = (r.pop(), r.pop(), r.pop());
    let len = table_mut(m, index).elements.len() as u64;
    let range = span(start, count, len, TrapKind::TableOutOfBounds)?;
    m.charge_bulk(count)?;
    table_mut(m, index).elements[range].fill(value);
    Ok(r)
}

fn table_copy<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let (to_table, from_table) = (r.u32(), r.u32());
    let (count, from, to) = (r.pop(), r.pop(), r.pop());
    let to_len = table_mut(m, to_table).elements.len() as u64;
    let from_len = table_mut(m, from_table).elements.len() as u64;
    let to = span(to, count, to_len, TrapKind::TableOutOfBounds)?;
    let from = span(from, count, from_len, TrapKind::TableOutOfBounds)?;
    m.charge_bulk(count)?;
    let tables = &m.entity().tables;
    let (target, source) = (tables[to_table as usize] as usize, tables[from_table as usize] as usize);
    if target == source {
        m.store.tables[target].elements.copy_within(from, to.start);
    } else {
        let [target, source] =
            m.store.tables.get_disjoint_mut([target, source]).expect("two tables of the store");
        target.elements[to].copy_from_slice(&source.elements[from]);
    }
    Ok(r)
}

fn table_init<T: Trace, const FUEL: bool>(m: &mut Machine<'_, T, FUEL>, mut r: Regs) -> Step {
    let (elem, index) = (r.u32() as usize, r.u32());
    let (count, from, to) = (r.pop(), r.pop(), r.pop());
    let to = span(to, count, table_mut(m, index).elements.len() as u64, TrapKind::TableOutOfBounds)?;
    let items = m.entity().elems[elem].len() as u64;
    let from = span(from, count, items, TrapKind::TableOutOfBounds)?;
    m.charge_bulk(count)?;
    let table = m.entity().tables[index as usize] as usize;
    let items = &m.store.instances[m.instance.0 as usize].elems[elem][from];
    m.store.tables[table].elements[to].copy_from_slice(items);
    Ok(r)
}
