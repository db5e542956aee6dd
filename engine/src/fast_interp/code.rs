//! Register code: what lowering makes of a module and the handlers run.
//!
//! Code is one sequence of 64-bit words for a whole module. An instruction is its handler's address, an
//! operand word, and for some kinds more words. The operand word is read as four 16-bit fields or two
//! 32-bit halves: slots are fields (a slot that is written stands in field 0), and an immediate or a
//! branch distance is the second half. Immediates of 8-byte types take a word of their own. Branch
//! distances count words from the start of the branch.
//!
//! # Frames
//! A frame is a row of 8-byte slots: parameters, a header of [`HEADER_SLOTS`] (return position and the
//! caller's frame), declared locals, then the operand stack. An operand has its place by its height, so
//! arguments lie where the callee's frame begins and results come back to the same place.
//!
//! # Sites
//! Nothing that runs remembers offsets of the module's file. A table beside the code has the offset of
//! every instruction that may trap or call, and is searched when a trap or a backtrace needs one.

use crate::executor::Code;
use crate::module::{DefinedFuncIndex, FuncIndex};
use crate::store::InstanceEntity;
use std::any::Any;

/// Slots between parameters and locals: where to return to, and the caller's frame.
pub(super) const HEADER_SLOTS: u32 = 2;

/// What calls of a function need to know.
pub(super) struct FuncEntry {
    /// First instruction.
    pub code: *const u64,
    /// What a call charges to the depth budget.
    pub cost: u32,
    /// Slots of the parameters, and thereby the slot of the header.
    pub param_slots: u32,
    /// Slots of the declared locals: zeroed on entry.
    pub declared_slots: u32,
    /// File offset of the first opcode.
    pub first_offset: u32,
    pub func: FuncIndex,
}

impl FuncEntry {
    /// Return position and caller's frame.
    ///
    /// # Safety
    /// `fp` is a frame of this function whose header was written.
    #[inline(always)]
    pub unsafe fn header(&self, fp: *mut u64) -> (*const u64, *mut u64) {
        // SAFETY: the caller's.
        let [ip, caller] = unsafe { fp.add(self.param_slots as usize).cast::<[u64; 2]>().read() };
        (
            std::ptr::with_exposed_provenance(ip as usize),
            std::ptr::with_exposed_provenance_mut(caller as usize),
        )
    }
}

/// The code of one module.
pub(super) struct ModuleCode {
    pub words: Vec<u64>,
    /// By defined function; code lies in the same order. Never moves: code holds addresses of entries.
    pub entries: Vec<FuncEntry>,
    /// Position in code and file offset of every instruction that may trap or call, ascending.
    pub sites: Vec<(u32, u32)>,
}

// SAFETY: the pointers of the entries point into `words`, which does not change any more.
unsafe impl Send for ModuleCode {}
// SAFETY: as above.
unsafe impl Sync for ModuleCode {}

impl Code for ModuleCode {
    fn entry(&self, func: DefinedFuncIndex) -> *const () {
        std::ptr::from_ref(&self.entries[func.0 as usize]).cast()
    }
}

impl ModuleCode {
    /// The code of an instance's module.
    pub fn of(instance: &InstanceEntity) -> &ModuleCode {
        let code: &dyn Any = &*instance.code;
        code.downcast_ref().expect("all functions of a store run in its engine's mode")
    }

    /// The function that an instruction belongs to; `ip` is after the instruction's first word.
    pub fn entry_at(&self, ip: *const u64) -> &FuncEntry {
        &self.entries[self.entries.partition_point(|entry| entry.code < ip) - 1]
    }

    /// The file offset of an instruction that may trap or call; `ip` is after its first word and not
    /// after its end.
    pub fn site(&self, ip: *const u64) -> u32 {
        let position = (ip.addr() - self.words.as_ptr().addr()) / 8;
        let after = self.sites.partition_point(|(at, _)| (*at as usize) < position);
        self.sites[after - 1].1
    }
}

/// An operand word, to put together and to take apart.
#[derive(Clone, Copy)]
pub(super) struct Operands([u16; 4]);

impl Operands {
    /// Four slots.
    pub fn fields(fields: [u32; 4]) -> Operands {
        Operands(fields.map(near))
    }

    /// Two slots and a number.
    pub fn with_number(first: u32, second: u32, number: u32) -> Operands {
        let [low, high] = split(number);
        Operands([near(first), near(second), low, high])
    }

    /// Two numbers.
    pub fn halves(first: u32, second: u32) -> Operands {
        let ([a, b], [c, d]) = (split(first), split(second));
        Operands([a, b, c, d])
    }

    /// The word as it stands in code, where handlers read its parts by their place in memory.
    pub fn word(self) -> u64 {
        let mut bytes = [0; 8];
        for (field, pair) in self.0.iter().zip(bytes.chunks_exact_mut(2)) {
            pair.copy_from_slice(&field.to_ne_bytes());
        }
        u64::from_ne_bytes(bytes)
    }

    /// The same with another slot in field 0.
    #[inline]
    pub fn to(self, slot: u32) -> Operands {
        let Operands([_, a, b, c]) = self;
        Operands([near(slot), a, b, c])
    }

    pub fn field(self, index: usize) -> u32 {
        u32::from(self.0[index])
    }

    pub fn half(self, index: usize) -> u32 {
        join([self.0[2 * index], self.0[2 * index + 1]])
    }
}

/// The parts of an operand word.
pub(super) fn operands(word: u64) -> Operands {
    let bytes = word.to_ne_bytes();
    Operands(std::array::from_fn(|index| u16::from_ne_bytes([bytes[2 * index], bytes[2 * index + 1]])))
}

#[inline]
fn near(slot: u32) -> u16 {
    u16::try_from(slot).expect("a field names only near slots")
}

fn split(number: u32) -> [u16; 2] {
    let bytes = number.to_ne_bytes();
    [u16::from_ne_bytes([bytes[0], bytes[1]]), u16::from_ne_bytes([bytes[2], bytes[3]])]
}

fn join(pair: [u16; 2]) -> u32 {
    let ([a, b], [c, d]) = (pair[0].to_ne_bytes(), pair[1].to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}
