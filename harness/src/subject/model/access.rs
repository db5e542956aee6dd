//! Instructions on memories and tables.
//!
//! Those on many bytes or elements check their bounds, then pay fuel for every 64 begun, and only then do anything.

use super::store::{Call, Instance, Stop, Store};
use super::value::{Reference, Val};
use crosscheck_engine::TrapKind;
use wasmparser::{MemArg, MemArgTarget, Operator};

/// How many bytes or elements of a bulk operation cost one unit of fuel.
const BULK_UNIT: u64 = 64;
/// Bytes that are copied at a time.
const CHUNK_BYTES: u64 = 1 << 16;
/// Why bytes and elements are there.
const CHECKED: &str = "bounds are checked before";

impl<'a> Store<'a> {
    /// The instance of the innermost frame.
    pub fn instance(&self) -> &Instance<'a> {
        match self.calls.last() {
            Some(Call::Wasm(frame)) => &self.instances[frame.instance],
            Some(Call::Host(_)) | None => unreachable!("a module's function is running"),
        }
    }

    /// Executes an instruction on memories or tables.
    pub fn on_state(&mut self, operator: &Operator<'a>) -> Result<(), Stop> {
        use Operator as O;
        match operator {
            O::TableGet { table } => {
                let (table, index) = (self.table(*table), self.operands.pop_index());
                let element = *self.element(table, index)?;
                self.operands.push(Val::Ref(element));
            }
            O::TableSet { table } => {
                let (table, value) = (self.table(*table), self.operands.pop().reference());
                let index = self.operands.pop_index();
                *self.element(table, index)? = value;
            }
            O::TableSize { table } => {
                let table = &self.tables[self.table(*table)];
                self.operands.push(Val::of_index(table.size(), table.bounds.is_64));
            }
            O::TableGrow { table } => {
                let (table, count) = (self.table(*table), self.operands.pop_index());
                let init = self.operands.pop().reference();
                let table = &mut self.tables[table];
                let old = table.grow(count, init).unwrap_or(u64::MAX);
                self.operands.push(Val::of_index(old, table.bounds.is_64));
            }
            O::TableFill { table } => return self.table_fill(*table),
            O::TableCopy { dst_table, src_table } => return self.table_copy(*dst_table, *src_table),
            O::TableInit { elem_index, table } => return self.table_init(*elem_index, *table),
            O::ElemDrop { elem_index } => {
                let instance = self.frame().instance;
                self.instances[instance].drop_elements(*elem_index as usize);
            }
            O::MemorySize { mem } => {
                let memory = &self.memories[self.memory(*mem)];
                self.operands.push(Val::of_index(memory.pages(), memory.bounds.is_64));
            }
            O::MemoryGrow { mem } => {
                let (memory, pages) = (self.memory(*mem), self.operands.pop_index());
                let memory = &mut self.memories[memory];
                let old = memory.grow(pages).unwrap_or(u64::MAX);
                self.operands.push(Val::of_index(old, memory.bounds.is_64));
            }
            O::MemoryFill { mem } => return self.memory_fill(*mem),
            O::MemoryCopy { dst_mem, src_mem } => return self.memory_copy(*dst_mem, *src_mem),
            O::MemoryInit { data_index, mem } => return self.memory_init(*data_index, *mem),
            O::DataDrop { data_index } => {
                let instance = self.frame().instance;
                self.instances[instance].dropped_datas[*data_index as usize] = true;
            }
            other => return self.load_or_store(other),
        }
        Ok(())
    }

    /// The address of a table of the instance that is running.
    fn table(&self, index: u32) -> usize {
        self.instance().tables[index as usize]
    }

    /// The address of a memory of the instance that is running.
    fn memory(&self, index: u32) -> usize {
        self.instance().memories[index as usize]
    }

    fn element(&mut self, table: usize, index: u64) -> Result<&mut Reference, Stop> {
        let elements = &mut self.tables[table].elements;
        let element = usize::try_from(index).ok().and_then(|index| elements.get_mut(index));
        Ok(element.ok_or(TrapKind::TableOutOfBounds)?)
    }

    fn table_fill(&mut self, table: u32) -> Result<(), Stop> {
        let table = self.table(table);
        let (count, value) = (self.operands.pop_index(), self.operands.pop().reference());
        let start = self.operands.pop_index();
        is_inside(start, count, self.tables[table].size(), TrapKind::TableOutOfBounds)?;
        self.pay(count.div_ceil(BULK_UNIT))?;
        for index in start..start + count {
            self.tables[table].elements[index as usize] = value;
        }
        Ok(())
    }

    fn table_copy(&mut self, to_table: u32, from_table: u32) -> Result<(), Stop> {
        let (to_table, from_table) = (self.table(to_table), self.table(from_table));
        let (count, from, to) =
            (self.operands.pop_index(), self.operands.pop_index(), self.operands.pop_index());
        is_inside(to, count, self.tables[to_table].size(), TrapKind::TableOutOfBounds)?;
        is_inside(from, count, self.tables[from_table].size(), TrapKind::TableOutOfBounds)?;
        self.pay(count.div_ceil(BULK_UNIT))?;
        let copied = self.tables[from_table].elements[from as usize..][..count as usize].to_vec();
        self.tables[to_table].elements[to as usize..][..count as usize].copy_from_slice(&copied);
        Ok(())
    }

    fn table_init(&mut self, segment: u32, table: u32) -> Result<(), Stop> {
        let table = self.table(table);
        let (count, from, to) =
            (self.operands.pop_index(), self.operands.pop_index(), self.operands.pop_index());
        let items = self.instance().elems[segment as usize].clone();
        is_inside(to, count, self.tables[table].size(), TrapKind::TableOutOfBounds)?;
        is_inside(from, count, items.len() as u64, TrapKind::TableOutOfBounds)?;
        self.pay(count.div_ceil(BULK_UNIT))?;
        let items = &items[from as usize..][..count as usize];
        self.tables[table].elements[to as usize..][..count as usize].copy_from_slice(items);
        Ok(())
    }

    fn memory_fill(&mut self, memory: u32) -> Result<(), Stop> {
        let memory = self.memory(memory);
        let (count, byte) = (self.operands.pop_index(), self.operands.pop_i32() as u8);
        let start = self.operands.pop_index();
        is_inside(start, count, self.memories[memory].bytes(), TrapKind::MemoryOutOfBounds)?;
        self.pay(count.div_ceil(BULK_UNIT))?;
        for done in (0..count).step_by(CHUNK_BYTES as usize) {
            let chunk = vec![byte; CHUNK_BYTES.min(count - done) as usize];
            self.memories[memory].write(start + done, &chunk).expect(CHECKED);
        }
        Ok(())
    }

    fn memory_copy(&mut self, to_memory: u32, from_memory: u32) -> Result<(), Stop> {
        let (to_memory, from_memory) = (self.memory(to_memory), self.memory(from_memory));
        let (count, from, to) =
            (self.operands.pop_index(), self.operands.pop_index(), self.operands.pop_index());
        is_inside(to, count, self.memories[to_memory].bytes(), TrapKind::MemoryOutOfBounds)?;
        is_inside(from, count, self.memories[from_memory].bytes(), TrapKind::MemoryOutOfBounds)?;
        self.pay(count.div_ceil(BULK_UNIT))?;
        let mut chunks: Vec<u64> = (0..count).step_by(CHUNK_BYTES as usize).collect();
        // Upwards, what is still to be copied could be overwritten: the end goes first.
        if to > from {
            chunks.reverse();
        }
        for done in chunks {
            let mut chunk = vec![0; CHUNK_BYTES.min(count - done) as usize];
            self.memories[from_memory].read(from + done, &mut chunk).expect(CHECKED);
            self.memories[to_memory].write(to + done, &chunk).expect(CHECKED);
        }
        Ok(())
    }

    fn memory_init(&mut self, segment: u32, memory: u32) -> Result<(), Stop> {
        let memory = self.memory(memory);
        let (count, from, to) =
            (self.operands.pop_index(), self.operands.pop_index(), self.operands.pop_index());
        let instance = self.instance();
        let bytes: &[u8] = match instance.dropped_datas[segment as usize] {
            true => &[],
            false => instance.module.datas[segment as usize].bytes,
        };
        is_inside(to, count, self.memories[memory].bytes(), TrapKind::MemoryOutOfBounds)?;
        is_inside(from, count, bytes.len() as u64, TrapKind::MemoryOutOfBounds)?;
        self.pay(count.div_ceil(BULK_UNIT))?;
        let bytes = &bytes[from as usize..][..count as usize];
        self.memories[memory].write(to, bytes).expect(CHECKED);
        Ok(())
    }

    fn load_or_store(&mut self, operator: &Operator<'a>) -> Result<(), Stop> {
        use Operator as O;
        let value = match operator {
            O::I32Load { memarg } => Val::I32(u32::from_le_bytes(self.load(memarg)?)),
            O::I32Load8U { memarg } => Val::I32(u32::from(u8::from_le_bytes(self.load(memarg)?))),
            O::I32Load8S { memarg } => Val::I32(i32::from(i8::from_le_bytes(self.load(memarg)?)) as u32),
            O::I32Load16U { memarg } => Val::I32(u32::from(u16::from_le_bytes(self.load(memarg)?))),
            O::I32Load16S { memarg } => Val::I32(i32::from(i16::from_le_bytes(self.load(memarg)?)) as u32),
            O::I64Load { memarg } => Val::I64(u64::from_le_bytes(self.load(memarg)?)),
            O::I64Load8U { memarg } => Val::I64(u64::from(u8::from_le_bytes(self.load(memarg)?))),
            O::I64Load8S { memarg } => Val::I64(i64::from(i8::from_le_bytes(self.load(memarg)?)) as u64),
            O::I64Load16U { memarg } => Val::I64(u64::from(u16::from_le_bytes(self.load(memarg)?))),
            O::I64Load16S { memarg } => Val::I64(i64::from(i16::from_le_bytes(self.load(memarg)?)) as u64),
            O::I64Load32U { memarg } => Val::I64(u64::from(u32::from_le_bytes(self.load(memarg)?))),
            O::I64Load32S { memarg } => Val::I64(i64::from(i32::from_le_bytes(self.load(memarg)?)) as u64),
            O::F32Load { memarg } => Val::F32(u32::from_le_bytes(self.load(memarg)?)),
            O::F64Load { memarg } => Val::F64(u64::from_le_bytes(self.load(memarg)?)),
            O::I32Store { memarg } | O::F32Store { memarg } => return self.store(memarg, 4),
            O::I32Store8 { memarg } | O::I64Store8 { memarg } => return self.store(memarg, 1),
            O::I32Store16 { memarg } | O::I64Store16 { memarg } => return self.store(memarg, 2),
            O::I64Store { memarg } | O::F64Store { memarg } => return self.store(memarg, 8),
            O::I64Store32 { memarg } => return self.store(memarg, 4),
            other => unreachable!("{other:?} was refused when the module was read"),
        };
        self.operands.push(value);
        Ok(())
    }

    /// The bytes that a load reads.
    fn load<const BYTES: usize>(&mut self, memarg: &MemArg) -> Result<[u8; BYTES], Stop> {
        let (memory, address) = self.place(memarg)?;
        let mut bytes = [0; BYTES];
        self.memories[memory].read(address, &mut bytes).ok_or(TrapKind::MemoryOutOfBounds)?;
        Ok(bytes)
    }

    /// Stores the lowest bytes of a value.
    fn store(&mut self, memarg: &MemArg, bytes: usize) -> Result<(), Stop> {
        let bits = match self.operands.pop() {
            Val::I32(bits) | Val::F32(bits) => u64::from(bits),
            Val::I64(bits) | Val::F64(bits) => bits,
            Val::Ref(_) => unreachable!("validation wants a number here"),
        };
        let (memory, address) = self.place(memarg)?;
        let written = self.memories[memory].write(address, &bits.to_le_bytes()[..bytes]);
        Ok(written.ok_or(TrapKind::MemoryOutOfBounds)?)
    }

    /// The memory that an access means, and the address there.
    fn place(&mut self, memarg: &MemArg) -> Result<(usize, u64), Stop> {
        let MemArgTarget::Memory(index) = memarg.target else { unreachable!("arrays are left out") };
        let address = self.operands.pop_index().checked_add(memarg.offset);
        Ok((self.memory(index), address.ok_or(TrapKind::MemoryOutOfBounds)?))
    }
}

/// Whether as many positions from one on are all inside.
fn is_inside(start: u64, count: u64, size: u64, otherwise: TrapKind) -> Result<(), Stop> {
    match start.checked_add(count) {
        Some(end) if end <= size => Ok(()),
        Some(_) | None => Err(otherwise.into()),
    }
}
