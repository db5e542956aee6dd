//! Executable memory, and what each place in it stands for.
//!
//! All code lies in one range of reserved address space, so that "is this code?" is a comparison, and what
//! code it is, one load: both can be asked in a signal handler. A unit is what was compiled together: a
//! module, or one function of it. Its pages are writable while it is written and executable afterwards,
//! never both; when it is freed they are writable again, so that a stale pointer to them faults until another
//! unit takes them.

use super::side_tables::{Handler, Inlined, Point, Root, SideTable};
use crate::error::Error;
use crate::module::{DefinedFuncIndex, FuncIndex};
use crate::platform::{Access, Reservation};
use crate::trap::TrapKind;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Address space for all code of the process.
const ARENA_BYTES: usize = 4 << 30;
/// Units begin at multiples of this.
const CHUNK_BYTES: usize = 16 << 10;
/// Freed units larger than this give their pages back.
const KEPT_BYTES: usize = 1 << 20;

/// A function's part of a unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FuncRange {
    pub func: DefinedFuncIndex,
    /// Offsets in the unit: entry to the end of its last instruction; its jump tables may follow.
    pub code: Range<u32>,
    /// Its jump tables, one after the other.
    pub tables: Vec<Range<u32>>,
    /// Slots of its frame, return address and frame pointer among them: its cost in the depth budget.
    pub frame_slots: u32,
}

/// What a return address stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Site {
    /// Offset in the unit, after the call.
    pub code: u32,
    /// File offset of the opcode.
    pub wasm: u32,
    pub what: What,
}

/// What a call is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// Something that may return: a function, or a helper.
    Call,
    /// It raises this trap, and does nothing else.
    Trap(TrapKind),
}

impl Site {
    /// The trap that the call raises, if it does nothing else.
    pub fn trap(&self) -> Option<TrapKind> {
        match self.what {
            What::Call => None,
            What::Trap(kind) => Some(kind),
        }
    }
}

/// An instruction that may fault because its address is out of bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// Offset in the unit of the instruction.
    pub code: u32,
    /// File offset of the opcode.
    pub wasm: u32,
}

/// Maps of a unit, each ascending by offset in the unit.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct CodeMap {
    /// Functions that the module imports: they come first in its index space.
    pub imported_funcs: u32,
    pub funcs: Vec<FuncRange>,
    pub sites: Vec<Site>,
    pub faults: Vec<Fault>,
    /// Inlined functions that a place is in.
    pub inlined: SideTable<Inlined>,
    /// Where exceptions go.
    pub handlers: SideTable<Handler>,
    /// References in frames.
    pub roots: SideTable<Root>,
}

impl CodeMap {
    /// The functions that a place in the code of `outer` is in, innermost first, each with the file offset of its
    /// instruction; `wasm` is the place's own. Neither locks nor allocates.
    pub fn functions(
        &self,
        outer: DefinedFuncIndex,
        point: Point,
        wasm: u32,
    ) -> impl Iterator<Item = (DefinedFuncIndex, u32)> {
        let inlined = self.inlined.at(point);
        let funcs = inlined.iter().map(|(_, inlined)| inlined.func).chain([outer]);
        let calls = inlined.iter().map(|(_, inlined)| inlined.call);
        funcs.zip([wasm].into_iter().chain(calls))
    }
}

/// Code that can run. Lives in a box whose address the arena knows.
pub(crate) struct CodeUnit {
    memory: Range<usize>,
    base: usize,
    bytes: u32,
    map: CodeMap,
}

/// A place in generated code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodePlace {
    /// The function, by its index in its module.
    pub func: FuncIndex,
    /// Bytes from the start of its code.
    pub code_offset: u32,
    /// File offset of the opcode that the code was made of, as far as the code's maps tell: exact for
    /// instructions that may trap and after calls, else that of the last such opcode before.
    pub wasm_offset: u32,
}

/// What generated code is at an address; `None` if none is there that belongs to a function. Neither locks
/// nor allocates, so that a signal handler may ask; the code must not go away meanwhile.
pub fn code_place(address: usize) -> Option<CodePlace> {
    let (unit, offset) = CodeUnit::at(address)?;
    unit.place(offset)
}

struct Arena {
    reservation: Mutex<Reservation>,
    base: usize,
    /// The unit that covers each chunk; null if none does.
    units: Box<[AtomicPtr<CodeUnit>]>,
    /// How many bytes from the start of each chunk can be written, while no unit covers it.
    writable: Box<[AtomicUsize]>,
    free: Mutex<FreeRanges>,
}

/// Free ranges of chunks, by their first chunk.
struct FreeRanges(BTreeMap<usize, usize>);

static ARENA: OnceLock<Result<Arena, String>> = OnceLock::new();

fn arena() -> Result<&'static Arena, Error> {
    ARENA.get_or_init(Arena::new).as_ref().map_err(|message| Error::Resources(message.clone()))
}

impl Arena {
    fn new() -> Result<Arena, String> {
        let reservation = Reservation::new(ARENA_BYTES)
            .map_err(|error| format!("cannot reserve address space for code: {error}"))?;
        let chunks = ARENA_BYTES / CHUNK_BYTES;
        let mut units = Vec::with_capacity(chunks);
        units.resize_with(chunks, AtomicPtr::default);
        Ok(Arena {
            base: reservation.base() as usize,
            reservation: Mutex::new(reservation),
            units: units.into(),
            writable: (0..chunks).map(|_| AtomicUsize::new(0)).collect(),
            free: Mutex::new(FreeRanges(BTreeMap::from([(0, chunks)]))),
        })
    }

    /// Makes pages writable that no unit covers, unless they are.
    fn make_writable(&self, pages: &Range<usize>) -> Result<(), Error> {
        let is_writable = chunks_of(pages).all(|(chunk, bytes)| {
            // Handed from one unit to the next under the lock of the free ranges.
            self.writable[chunk].load(Ordering::Relaxed) >= bytes
        });
        if is_writable { Ok(()) } else { self.set_writable(pages) }
    }

    fn set_writable(&self, pages: &Range<usize>) -> Result<(), Error> {
        self.protect(pages, Access::ReadWrite)?;
        chunks_of(pages).for_each(|(chunk, bytes)| {
            self.writable[chunk].fetch_max(bytes, Ordering::Relaxed);
        });
        Ok(())
    }

    fn protect(&self, range: &Range<usize>, access: Access) -> Result<(), Error> {
        let reservation = self.reservation.lock().expect("no panic happens while it is locked");
        reservation
            .protect(range.clone(), access)
            .map_err(|error| Error::Resources(format!("cannot change the protection of code: {error}")))
    }
}

/// The chunks that pages from the start of a chunk lie in, and how many bytes of each they take.
fn chunks_of(pages: &Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let end = pages.end;
    pages.clone().step_by(CHUNK_BYTES).map(move |start| (start / CHUNK_BYTES, CHUNK_BYTES.min(end - start)))
}

impl FreeRanges {
    fn take(&mut self, chunks: usize) -> Option<usize> {
        let (&start, &length) = self.0.iter().find(|(_, length)| **length >= chunks)?;
        self.0.remove(&start);
        if length > chunks {
            self.0.insert(start + chunks, length - chunks);
        }
        Some(start)
    }

    fn give(&mut self, mut start: usize, mut length: usize) {
        if let Some(next) = self.0.remove(&(start + length)) {
            length += next;
        }
        if let Some((&before, &its)) = self.0.range(..start).next_back()
            && before + its == start
        {
            (start, length) = (before, its + length);
        }
        self.0.insert(start, length);
    }
}

impl CodeUnit {
    /// Copies code into executable memory. Fails if the machine has no room for it.
    pub fn publish(code: &[u8], map: CodeMap) -> Result<Box<CodeUnit>, Error> {
        let arena = arena()?;
        let chunks = code.len().div_ceil(CHUNK_BYTES).max(1);
        let first = arena.free.lock().expect("no panic happens while it is locked").take(chunks);
        let first = first.ok_or_else(|| Error::Resources("no address space is left for code".to_string()))?;
        let memory = first * CHUNK_BYTES..(first + chunks) * CHUNK_BYTES;
        let base = arena.base + memory.start;
        // From here on dropping the unit gives the memory back.
        let unit = Box::new(CodeUnit { memory, base, bytes: code.len() as u32, map });
        let pages = unit.pages();
        arena.make_writable(&pages)?;
        // SAFETY: the pages are writable, belong to this unit alone, and are large enough for the code.
        unsafe { (base as *mut u8).copy_from_nonoverlapping(code.as_ptr(), code.len()) };
        chunks_of(&pages).for_each(|(chunk, _)| arena.writable[chunk].store(0, Ordering::Relaxed));
        arena.protect(&pages, Access::ReadExecute)?;
        for chunk in first..first + chunks {
            arena.units[chunk].store((&raw const *unit).cast_mut(), Ordering::Release);
        }
        Ok(unit)
    }

    /// The part of its memory that holds code, in whole pages of the arena.
    fn pages(&self) -> Range<usize> {
        let bytes = (self.bytes as usize).next_multiple_of(crate::platform::OS_PAGE_BYTES);
        self.memory.start..self.memory.start + bytes
    }

    /// Unit and offset of an address; `None` if no code is there. Neither locks nor allocates.
    pub fn at(address: usize) -> Option<(&'static CodeUnit, u32)> {
        let arena = ARENA.get()?.as_ref().ok()?;
        let offset = address.checked_sub(arena.base).filter(|offset| *offset < ARENA_BYTES)?;
        let unit = arena.units[offset / CHUNK_BYTES].load(Ordering::Acquire);
        // SAFETY: a unit takes itself out of the arena before it is dropped, and the caller runs its code or is called
        // by it, so that it stays for as long as the answer is used.
        let unit = unsafe { unit.as_ref() }?;
        Some((unit, (address - unit.base) as u32))
    }

    /// Address of an offset in the unit.
    pub fn address(&self, offset: u32) -> *const u8 {
        (self.base + offset as usize) as *const u8
    }

    /// The code, and its data.
    pub fn code(&self) -> &[u8] {
        // SAFETY: the unit's pages can be read and do not change as long as it lives.
        unsafe { std::slice::from_raw_parts(self.base as *const u8, self.bytes as usize) }
    }

    /// How many bytes of code and data there are.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// What is known about its places.
    pub fn map(&self) -> &CodeMap {
        &self.map
    }

    /// What a return address stands for.
    pub fn site(&self, offset: u32) -> Option<Site> {
        let found = self.map.sites.binary_search_by_key(&offset, |site| site.code).ok()?;
        Some(self.map.sites[found])
    }

    /// File offset of an instruction that may fault.
    pub fn fault(&self, offset: u32) -> Option<u32> {
        let found = self.map.faults.binary_search_by_key(&offset, |fault| fault.code).ok()?;
        Some(self.map.faults[found].wasm)
    }

    fn place(&self, offset: u32) -> Option<CodePlace> {
        let func = self.func(offset).filter(|func| func.code.contains(&offset))?;
        let (sites, faults) = (&self.map.sites, &self.map.faults);
        // A return address after the last call of a function belongs to it; one at its entry does not.
        let site = sites[..sites.partition_point(|site| site.code <= offset)].last();
        let fault = faults[..faults.partition_point(|fault| fault.code <= offset)].last();
        let site = site.map(|site| (site.code, site.wasm)).filter(|(code, _)| *code > func.code.start);
        let fault = fault.map(|fault| (fault.code, fault.wasm)).filter(|(code, _)| *code >= func.code.start);
        let (_, wasm_offset) = site.max(fault).unwrap_or_else(|| self.entry_of(func));
        let func_index = FuncIndex(self.map.imported_funcs + func.func.0);
        Some(CodePlace { func: func_index, code_offset: offset - func.code.start, wasm_offset })
    }

    /// Where a function begins, in its code and in the file: exhaustion of the stack is its first trap.
    fn entry_of(&self, func: &FuncRange) -> (u32, u32) {
        let from = self.map.sites.partition_point(|site| site.code <= func.code.start);
        let exhausted = |site: &&Site| site.what == What::Trap(TrapKind::CallStackExhausted);
        let wasm = self.map.sites[from..].iter().find(exhausted).map_or(0, |site| site.wasm);
        (func.code.start, wasm)
    }

    /// The function whose code is at an offset.
    pub fn func(&self, offset: u32) -> Option<&FuncRange> {
        let after = self.map.funcs.partition_point(|func| func.code.start <= offset);
        self.map.funcs[..after].last()
    }
}

impl Drop for CodeUnit {
    fn drop(&mut self) {
        let Ok(arena) = arena() else { return };
        // A stale pointer into freed code faults, and the next unit finds the pages writable. If the system refuses, the
        // next unit asks again.
        let _ = arena.set_writable(&self.pages());
        let chunks = self.memory.start / CHUNK_BYTES..self.memory.end / CHUNK_BYTES;
        for chunk in chunks.clone() {
            arena.units[chunk].store(std::ptr::null_mut(), Ordering::Release);
        }
        if self.memory.len() > KEPT_BYTES {
            let reservation = arena.reservation.lock().expect("no panic happens while it is locked");
            reservation.give_back(self.memory.clone());
        }
        arena.free.lock().expect("no panic happens while it is locked").give(chunks.start, chunks.len());
    }
}
