//! How many bytes of memory an access touches, which is also its natural alignment.

use super::{Atomic, Load, Store, VectorMemory};

impl Load {
    /// Bytes read: 1, 2, 4 or 8.
    pub const fn width(self) -> u32 {
        match self {
            Load::I32Load8S | Load::I32Load8U | Load::I64Load8S | Load::I64Load8U => 1,
            Load::I32Load16S | Load::I32Load16U | Load::I64Load16S | Load::I64Load16U => 2,
            Load::I32Load | Load::F32Load | Load::I64Load32S | Load::I64Load32U => 4,
            Load::I64Load | Load::F64Load => 8,
        }
    }
}

impl Store {
    /// Bytes written: 1, 2, 4 or 8.
    pub const fn width(self) -> u32 {
        match self {
            Store::I32Store8 | Store::I64Store8 => 1,
            Store::I32Store16 | Store::I64Store16 => 2,
            Store::I32Store | Store::F32Store | Store::I64Store32 => 4,
            Store::I64Store | Store::F64Store => 8,
        }
    }
}

impl VectorMemory {
    /// Bytes read or written: 1, 2, 4, 8 or 16.
    pub const fn width(self) -> u32 {
        use VectorMemory as V;
        match self {
            V::V128Load8Splat | V::V128Load8Lane | V::V128Store8Lane => 1,
            V::V128Load16Splat | V::V128Load16Lane | V::V128Store16Lane => 2,
            V::V128Load32Splat | V::V128Load32Zero | V::V128Load32Lane | V::V128Store32Lane => 4,
            V::V128Load8x8S
            | V::V128Load8x8U
            | V::V128Load16x4S
            | V::V128Load16x4U
            | V::V128Load32x2S
            | V::V128Load32x2U
            | V::V128Load64Splat
            | V::V128Load64Zero
            | V::V128Load64Lane
            | V::V128Store64Lane => 8,
            V::V128Load | V::V128Store => 16,
        }
    }
}

impl Atomic {
    /// Bytes accessed, or waited on: 1, 2, 4 or 8; `None` for the fence, which touches no memory.
    pub const fn width(self) -> Option<u32> {
        use Atomic as A;
        match self {
            A::AtomicFence => None,
            A::I32AtomicLoad8U
            | A::I64AtomicLoad8U
            | A::I32AtomicStore8
            | A::I64AtomicStore8
            | A::I32AtomicRmw8AddU
            | A::I64AtomicRmw8AddU
            | A::I32AtomicRmw8SubU
            | A::I64AtomicRmw8SubU
            | A::I32AtomicRmw8AndU
            | A::I64AtomicRmw8AndU
            | A::I32AtomicRmw8OrU
            | A::I64AtomicRmw8OrU
            | A::I32AtomicRmw8XorU
            | A::I64AtomicRmw8XorU
            | A::I32AtomicRmw8XchgU
            | A::I64AtomicRmw8XchgU
            | A::I32AtomicRmw8CmpxchgU
            | A::I64AtomicRmw8CmpxchgU => Some(1),
            A::I32AtomicLoad16U
            | A::I64AtomicLoad16U
            | A::I32AtomicStore16
            | A::I64AtomicStore16
            | A::I32AtomicRmw16AddU
            | A::I64AtomicRmw16AddU
            | A::I32AtomicRmw16SubU
            | A::I64AtomicRmw16SubU
            | A::I32AtomicRmw16AndU
            | A::I64AtomicRmw16AndU
            | A::I32AtomicRmw16OrU
            | A::I64AtomicRmw16OrU
            | A::I32AtomicRmw16XorU
            | A::I64AtomicRmw16XorU
            | A::I32AtomicRmw16XchgU
            | A::I64AtomicRmw16XchgU
            | A::I32AtomicRmw16CmpxchgU
            | A::I64AtomicRmw16CmpxchgU => Some(2),
            A::MemoryAtomicNotify
            | A::MemoryAtomicWait32
            | A::I32AtomicLoad
            | A::I64AtomicLoad32U
            | A::I32AtomicStore
            | A::I64AtomicStore32
            | A::I32AtomicRmwAdd
            | A::I64AtomicRmw32AddU
            | A::I32AtomicRmwSub
            | A::I64AtomicRmw32SubU
            | A::I32AtomicRmwAnd
            | A::I64AtomicRmw32AndU
            | A::I32AtomicRmwOr
            | A::I64AtomicRmw32OrU
            | A::I32AtomicRmwXor
            | A::I64AtomicRmw32XorU
            | A::I32AtomicRmwXchg
            | A::I64AtomicRmw32XchgU
            | A::I32AtomicRmwCmpxchg
            | A::I64AtomicRmw32CmpxchgU => Some(4),
            A::MemoryAtomicWait64
            | A::I64AtomicLoad
            | A::I64AtomicStore
            | A::I64AtomicRmwAdd
            | A::I64AtomicRmwSub
            | A::I64AtomicRmwAnd
            | A::I64AtomicRmwOr
            | A::I64AtomicRmwXor
            | A::I64AtomicRmwXchg
            | A::I64AtomicRmwCmpxchg => Some(8),
        }
    }
}
