//! Bytes of machine code while they are written.

/// Spare bytes that are always allocated, so that an instruction is stored without a check for room.
const INSTRUCTION_BYTES: usize = 16;

/// A growing run of code.
#[derive(Default)]
pub(crate) struct CodeBuffer {
    bytes: Vec<u8>,
}

impl CodeBuffer {
    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, for good.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Makes room for so many bytes at once.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Adds the first `len` of the bytes.
    #[inline(always)]
    pub fn put(&mut self, bytes: [u8; INSTRUCTION_BYTES], len: usize) {
        debug_assert!(len < INSTRUCTION_BYTES, "an instruction has at most 15 bytes");
        let at = self.bytes.len();
        if self.bytes.capacity() - at < INSTRUCTION_BYTES {
            self.bytes.reserve(INSTRUCTION_BYTES);
        }
        // SAFETY: there is room for all of the bytes, and the length covers only those that were written.
        unsafe {
            self.bytes.as_mut_ptr().add(at).cast::<[u8; INSTRUCTION_BYTES]>().write_unaligned(bytes);
            self.bytes.set_len(at + len);
        }
    }

    /// Adds bytes.
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Overwrites four bytes.
    pub fn set_u32(&mut self, at: u32, value: u32) {
        self.bytes[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }
}
