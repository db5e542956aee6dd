//! The rows of the atomic opcodes.

use super::{Code, Family, Immediate, NumericKind, Opcode, Operand, Proposal, Row, family};

family! {
    /// Atomic accesses, waiting, notifying and the fence.
    Atomic {
        MemoryAtomicNotify     [0xFE 0x00] "memory.atomic.notify"       (MemArg)   [Address I32 -> I32]     Threads;
        MemoryAtomicWait32     [0xFE 0x01] "memory.atomic.wait32"       (MemArg)   [Address I32 I64 -> I32] Threads;
        MemoryAtomicWait64     [0xFE 0x02] "memory.atomic.wait64"       (MemArg)   [Address I64 I64 -> I32] Threads;
        AtomicFence            [0xFE 0x03] "atomic.fence"               (Reserved) [->]                     Threads;
        I32AtomicLoad          [0xFE 0x10] "i32.atomic.load"            (MemArg)   [Address -> I32]         Threads;
        I64AtomicLoad          [0xFE 0x11] "i64.atomic.load"            (MemArg)   [Address -> I64]         Threads;
        I32AtomicLoad8U        [0xFE 0x12] "i32.atomic.load8_u"         (MemArg)   [Address -> I32]         Threads;
        I32AtomicLoad16U       [0xFE 0x13] "i32.atomic.load16_u"        (MemArg)   [Address -> I32]         Threads;
        I64AtomicLoad8U        [0xFE 0x14] "i64.atomic.load8_u"         (MemArg)   [Address -> I64]         Threads;
        I64AtomicLoad16U       [0xFE 0x15] "i64.atomic.load16_u"        (MemArg)   [Address -> I64]         Threads;
        I64AtomicLoad32U       [0xFE 0x16] "i64.atomic.load32_u"        (MemArg)   [Address -> I64]         Threads;
        I32AtomicStore         [0xFE 0x17] "i32.atomic.store"           (MemArg)   [Address I32 ->]         Threads;
        I64AtomicStore         [0xFE 0x18] "i64.atomic.store"           (MemArg)   [Address I64 ->]         Threads;
        I32AtomicStore8        [0xFE 0x19] "i32.atomic.store8"          (MemArg)   [Address I32 ->]         Threads;
        I32AtomicStore16       [0xFE 0x1A] "i32.atomic.store16"         (MemArg)   [Address I32 ->]         Threads;
        I64AtomicStore8        [0xFE 0x1B] "i64.atomic.store8"          (MemArg)   [Address I64 ->]         Threads;
        I64AtomicStore16       [0xFE 0x1C] "i64.atomic.store16"         (MemArg)   [Address I64 ->]         Threads;
        I64AtomicStore32       [0xFE 0x1D] "i64.atomic.store32"         (MemArg)   [Address I64 ->]         Threads;
        I32AtomicRmwAdd        [0xFE 0x1E] "i32.atomic.rmw.add"         (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmwAdd        [0xFE 0x1F] "i64.atomic.rmw.add"         (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmw8AddU      [0xFE 0x20] "i32.atomic.rmw8.add_u"      (MemArg)   [Address I32 -> I32]     Threads;
        I32AtomicRmw16AddU     [0xFE 0x21] "i32.atomic.rmw16.add_u"     (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmw8AddU      [0xFE 0x22] "i64.atomic.rmw8.add_u"      (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw16AddU     [0xFE 0x23] "i64.atomic.rmw16.add_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw32AddU     [0xFE 0x24] "i64.atomic.rmw32.add_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmwSub        [0xFE 0x25] "i32.atomic.rmw.sub"         (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmwSub        [0xFE 0x26] "i64.atomic.rmw.sub"         (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmw8SubU      [0xFE 0x27] "i32.atomic.rmw8.sub_u"      (MemArg)   [Address I32 -> I32]     Threads;
        I32AtomicRmw16SubU     [0xFE 0x28] "i32.atomic.rmw16.sub_u"     (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmw8SubU      [0xFE 0x29] "i64.atomic.rmw8.sub_u"      (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw16SubU     [0xFE 0x2A] "i64.atomic.rmw16.sub_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw32SubU     [0xFE 0x2B] "i64.atomic.rmw32.sub_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmwAnd        [0xFE 0x2C] "i32.atomic.rmw.and"         (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmwAnd        [0xFE 0x2D] "i64.atomic.rmw.and"         (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmw8AndU      [0xFE 0x2E] "i32.atomic.rmw8.and_u"      (MemArg)   [Address I32 -> I32]     Threads;
        I32AtomicRmw16AndU     [0xFE 0x2F] "i32.atomic.rmw16.and_u"     (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmw8AndU      [0xFE 0x30] "i64.atomic.rmw8.and_u"      (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw16AndU     [0xFE 0x31] "i64.atomic.rmw16.and_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw32AndU     [0xFE 0x32] "i64.atomic.rmw32.and_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmwOr         [0xFE 0x33] "i32.atomic.rmw.or"          (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmwOr         [0xFE 0x34] "i64.atomic.rmw.or"          (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmw8OrU       [0xFE 0x35] "i32.atomic.rmw8.or_u"       (MemArg)   [Address I32 -> I32]     Threads;
        I32AtomicRmw16OrU      [0xFE 0x36] "i32.atomic.rmw16.or_u"      (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmw8OrU       [0xFE 0x37] "i64.atomic.rmw8.or_u"       (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw16OrU      [0xFE 0x38] "i64.atomic.rmw16.or_u"      (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw32OrU      [0xFE 0x39] "i64.atomic.rmw32.or_u"      (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmwXor        [0xFE 0x3A] "i32.atomic.rmw.xor"         (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmwXor        [0xFE 0x3B] "i64.atomic.rmw.xor"         (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmw8XorU      [0xFE 0x3C] "i32.atomic.rmw8.xor_u"      (MemArg)   [Address I32 -> I32]     Threads;
        I32AtomicRmw16XorU     [0xFE 0x3D] "i32.atomic.rmw16.xor_u"     (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmw8XorU      [0xFE 0x3E] "i64.atomic.rmw8.xor_u"      (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw16XorU     [0xFE 0x3F] "i64.atomic.rmw16.xor_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw32XorU     [0xFE 0x40] "i64.atomic.rmw32.xor_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmwXchg       [0xFE 0x41] "i32.atomic.rmw.xchg"        (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmwXchg       [0xFE 0x42] "i64.atomic.rmw.xchg"        (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmw8XchgU     [0xFE 0x43] "i32.atomic.rmw8.xchg_u"     (MemArg)   [Address I32 -> I32]     Threads;
        I32AtomicRmw16XchgU    [0xFE 0x44] "i32.atomic.rmw16.xchg_u"    (MemArg)   [Address I32 -> I32]     Threads;
        I64AtomicRmw8XchgU     [0xFE 0x45] "i64.atomic.rmw8.xchg_u"     (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw16XchgU    [0xFE 0x46] "i64.atomic.rmw16.xchg_u"    (MemArg)   [Address I64 -> I64]     Threads;
        I64AtomicRmw32XchgU    [0xFE 0x47] "i64.atomic.rmw32.xchg_u"    (MemArg)   [Address I64 -> I64]     Threads;
        I32AtomicRmwCmpxchg    [0xFE 0x48] "i32.atomic.rmw.cmpxchg"     (MemArg)   [Address I32 I32 -> I32] Threads;
        I64AtomicRmwCmpxchg    [0xFE 0x49] "i64.atomic.rmw.cmpxchg"     (MemArg)   [Address I64 I64 -> I64] Threads;
        I32AtomicRmw8CmpxchgU  [0xFE 0x4A] "i32.atomic.rmw8.cmpxchg_u"  (MemArg)   [Address I32 I32 -> I32] Threads;
        I32AtomicRmw16CmpxchgU [0xFE 0x4B] "i32.atomic.rmw16.cmpxchg_u" (MemArg)   [Address I32 I32 -> I32] Threads;
        I64AtomicRmw8CmpxchgU  [0xFE 0x4C] "i64.atomic.rmw8.cmpxchg_u"  (MemArg)   [Address I64 I64 -> I64] Threads;
        I64AtomicRmw16CmpxchgU [0xFE 0x4D] "i64.atomic.rmw16.cmpxchg_u" (MemArg)   [Address I64 I64 -> I64] Threads;
        I64AtomicRmw32CmpxchgU [0xFE 0x4E] "i64.atomic.rmw32.cmpxchg_u" (MemArg)   [Address I64 I64 -> I64] Threads;
    }
}
