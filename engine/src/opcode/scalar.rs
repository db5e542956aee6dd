//! The rows of everything but vectors and atomics, in the order of the binary format within a family.
//!
//! `family!` in `opcode.rs` says what the columns are.

use super::{Code, Family, Immediate, NumericKind, Opcode, Operand, Proposal, Row, family};

family! {
    /// Blocks, branches, calls, returns and exceptions.
    Control {
        Unreachable        [0x00]      "unreachable"          ()                                  [Many -> Many]         Mvp;
        Nop                [0x01]      "nop"                  ()                                  [->]                   Mvp;
        Block              [0x02]      "block"                (BlockType)                         [Many -> Many]         Mvp;
        Loop               [0x03]      "loop"                 (BlockType)                         [Many -> Many]         Mvp;
        If                 [0x04]      "if"                   (BlockType)                         [Many I32 -> Many]     Mvp;
        Else               [0x05]      "else"                 ()                                  [Many -> Many]         Mvp;
        Throw              [0x08]      "throw"                (Tag)                               [Many -> Many]         ExceptionHandling;
        ThrowRef           [0x0A]      "throw_ref"            ()                                  [Many Ref -> Many]     ExceptionHandling;
        End                [0x0B]      "end"                  ()                                  [Many -> Many]         Mvp;
        Br                 [0x0C]      "br"                   (Label)                             [Many -> Many]         Mvp;
        BrIf               [0x0D]      "br_if"                (Label)                             [Many I32 -> Many]     Mvp;
        BrTable            [0x0E]      "br_table"             (Labels)                            [Many I32 -> Many]     Mvp;
        Return             [0x0F]      "return"               ()                                  [Many -> Many]         Mvp;
        Call               [0x10]      "call"                 (Func)                              [Many -> Many]         Mvp;
        CallIndirect       [0x11]      "call_indirect"        (Type Table)                        [Many Address -> Many] Mvp;
        ReturnCall         [0x12]      "return_call"          (Func)                              [Many -> Many]         TailCall;
        ReturnCallIndirect [0x13]      "return_call_indirect" (Type Table)                        [Many Address -> Many] TailCall;
        CallRef            [0x14]      "call_ref"             (Type)                              [Many Ref -> Many]     FunctionReferences;
        ReturnCallRef      [0x15]      "return_call_ref"      (Type)                              [Many Ref -> Many]     FunctionReferences;
        TryTable           [0x1F]      "try_table"            (BlockType Catches)                 [Many -> Many]         ExceptionHandling;
        BrOnNull           [0xD5]      "br_on_null"           (Label)                             [Many Ref -> Many Ref] FunctionReferences;
        BrOnNonNull        [0xD6]      "br_on_non_null"       (Label)                             [Many Ref -> Many]     FunctionReferences;
        BrOnCast           [0xFB 0x18] "br_on_cast"           (CastFlags Label HeapType HeapType) [Many Ref -> Many Ref] Gc;
        BrOnCastFail       [0xFB 0x19] "br_on_cast_fail"      (CastFlags Label HeapType HeapType) [Many Ref -> Many Ref] Gc;
    }
}

family! {
    /// Operators on a value of any type.
    Parametric {
        Drop    [0x1A] "drop"     ()            [Any ->]             Mvp;
        Select  [0x1B] "select"   ()            [Any Any I32 -> Any] Mvp;
        SelectT [0x1C] "select_t" (SelectTypes) [Any Any I32 -> Any] ReferenceTypes;
    }
}

family! {
    /// Locals and globals.
    Variable {
        LocalGet  [0x20] "local.get"  (Local)  [-> Any]     Mvp;
        LocalSet  [0x21] "local.set"  (Local)  [Any ->]     Mvp;
        LocalTee  [0x22] "local.tee"  (Local)  [Any -> Any] Mvp;
        GlobalGet [0x23] "global.get" (Global) [-> Any]     Mvp;
        GlobalSet [0x24] "global.set" (Global) [Any ->]     Mvp;
    }
}

family! {
    /// Tables and element segments.
    Table {
        TableGet  [0x25]      "table.get"  (Table)       [Address -> Ref]             ReferenceTypes;
        TableSet  [0x26]      "table.set"  (Table)       [Address Ref ->]             ReferenceTypes;
        TableInit [0xFC 0x0C] "table.init" (Elem Table)  [Address I32 I32 ->]         BulkMemory;
        ElemDrop  [0xFC 0x0D] "elem.drop"  (Elem)        [->]                         BulkMemory;
        TableCopy [0xFC 0x0E] "table.copy" (Table Table) [Address Address Address ->] BulkMemory;
        TableGrow [0xFC 0x0F] "table.grow" (Table)       [Ref Address -> Address]     ReferenceTypes;
        TableSize [0xFC 0x10] "table.size" (Table)       [-> Address]                 ReferenceTypes;
        TableFill [0xFC 0x11] "table.fill" (Table)       [Address Ref Address ->]     ReferenceTypes;
    }
}

family! {
    /// Reads of a scalar from memory.
    Load {
        I32Load    [0x28] "i32.load"     (MemArg) [Address -> I32] Mvp;
        I64Load    [0x29] "i64.load"     (MemArg) [Address -> I64] Mvp;
        F32Load    [0x2A] "f32.load"     (MemArg) [Address -> F32] Mvp;
        F64Load    [0x2B] "f64.load"     (MemArg) [Address -> F64] Mvp;
        I32Load8S  [0x2C] "i32.load8_s"  (MemArg) [Address -> I32] Mvp;
        I32Load8U  [0x2D] "i32.load8_u"  (MemArg) [Address -> I32] Mvp;
        I32Load16S [0x2E] "i32.load16_s" (MemArg) [Address -> I32] Mvp;
        I32Load16U [0x2F] "i32.load16_u" (MemArg) [Address -> I32] Mvp;
        I64Load8S  [0x30] "i64.load8_s"  (MemArg) [Address -> I64] Mvp;
        I64Load8U  [0x31] "i64.load8_u"  (MemArg) [Address -> I64] Mvp;
        I64Load16S [0x32] "i64.load16_s" (MemArg) [Address -> I64] Mvp;
        I64Load16U [0x33] "i64.load16_u" (MemArg) [Address -> I64] Mvp;
        I64Load32S [0x34] "i64.load32_s" (MemArg) [Address -> I64] Mvp;
        I64Load32U [0x35] "i64.load32_u" (MemArg) [Address -> I64] Mvp;
    }
}

family! {
    /// Writes of a scalar to memory.
    Store {
        I32Store   [0x36] "i32.store"   (MemArg) [Address I32 ->] Mvp;
        I64Store   [0x37] "i64.store"   (MemArg) [Address I64 ->] Mvp;
        F32Store   [0x38] "f32.store"   (MemArg) [Address F32 ->] Mvp;
        F64Store   [0x39] "f64.store"   (MemArg) [Address F64 ->] Mvp;
        I32Store8  [0x3A] "i32.store8"  (MemArg) [Address I32 ->] Mvp;
        I32Store16 [0x3B] "i32.store16" (MemArg) [Address I32 ->] Mvp;
        I64Store8  [0x3C] "i64.store8"  (MemArg) [Address I64 ->] Mvp;
        I64Store16 [0x3D] "i64.store16" (MemArg) [Address I64 ->] Mvp;
        I64Store32 [0x3E] "i64.store32" (MemArg) [Address I64 ->] Mvp;
    }
}

family! {
    /// Whole memories and data segments.
    Memory {
        MemorySize [0x3F]      "memory.size" (Memory)        [-> Address]                 Mvp;
        MemoryGrow [0x40]      "memory.grow" (Memory)        [Address -> Address]         Mvp;
        MemoryInit [0xFC 0x08] "memory.init" (Data Memory)   [Address I32 I32 ->]         BulkMemory;
        DataDrop   [0xFC 0x09] "data.drop"   (Data)          [->]                         BulkMemory;
        MemoryCopy [0xFC 0x0A] "memory.copy" (Memory Memory) [Address Address Address ->] BulkMemory;
        MemoryFill [0xFC 0x0B] "memory.fill" (Memory)        [Address I32 Address ->]     BulkMemory;
    }
}

family! {
    /// Scalar constants.
    Const {
        I32Const [0x41] "i32.const" (I32) [-> I32] Mvp;
        I64Const [0x42] "i64.const" (I64) [-> I64] Mvp;
        F32Const [0x43] "f32.const" (F32) [-> F32] Mvp;
        F64Const [0x44] "f64.const" (F64) [-> F64] Mvp;
    }
}

family! {
    /// Scalar operators without immediates: comparisons, arithmetic, conversions.
    Numeric {
        I32Eqz            [0x45]      "i32.eqz"             () [I32 -> I32]     Mvp                   Test;
        I32Eq             [0x46]      "i32.eq"              () [I32 I32 -> I32] Mvp                   Comparison;
        I32Ne             [0x47]      "i32.ne"              () [I32 I32 -> I32] Mvp                   Comparison;
        I32LtS            [0x48]      "i32.lt_s"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32LtU            [0x49]      "i32.lt_u"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32GtS            [0x4A]      "i32.gt_s"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32GtU            [0x4B]      "i32.gt_u"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32LeS            [0x4C]      "i32.le_s"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32LeU            [0x4D]      "i32.le_u"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32GeS            [0x4E]      "i32.ge_s"            () [I32 I32 -> I32] Mvp                   Comparison;
        I32GeU            [0x4F]      "i32.ge_u"            () [I32 I32 -> I32] Mvp                   Comparison;
        I64Eqz            [0x50]      "i64.eqz"             () [I64 -> I32]     Mvp                   Test;
        I64Eq             [0x51]      "i64.eq"              () [I64 I64 -> I32] Mvp                   Comparison;
        I64Ne             [0x52]      "i64.ne"              () [I64 I64 -> I32] Mvp                   Comparison;
        I64LtS            [0x53]      "i64.lt_s"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64LtU            [0x54]      "i64.lt_u"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64GtS            [0x55]      "i64.gt_s"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64GtU            [0x56]      "i64.gt_u"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64LeS            [0x57]      "i64.le_s"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64LeU            [0x58]      "i64.le_u"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64GeS            [0x59]      "i64.ge_s"            () [I64 I64 -> I32] Mvp                   Comparison;
        I64GeU            [0x5A]      "i64.ge_u"            () [I64 I64 -> I32] Mvp                   Comparison;
        F32Eq             [0x5B]      "f32.eq"              () [F32 F32 -> I32] Mvp                   Comparison;
        F32Ne             [0x5C]      "f32.ne"              () [F32 F32 -> I32] Mvp                   Comparison;
        F32Lt             [0x5D]      "f32.lt"              () [F32 F32 -> I32] Mvp                   Comparison;
        F32Gt             [0x5E]      "f32.gt"              () [F32 F32 -> I32] Mvp                   Comparison;
        F32Le             [0x5F]      "f32.le"              () [F32 F32 -> I32] Mvp                   Comparison;
        F32Ge             [0x60]      "f32.ge"              () [F32 F32 -> I32] Mvp                   Comparison;
        F64Eq             [0x61]      "f64.eq"              () [F64 F64 -> I32] Mvp                   Comparison;
        F64Ne             [0x62]      "f64.ne"              () [F64 F64 -> I32] Mvp                   Comparison;
        F64Lt             [0x63]      "f64.lt"              () [F64 F64 -> I32] Mvp                   Comparison;
        F64Gt             [0x64]      "f64.gt"              () [F64 F64 -> I32] Mvp                   Comparison;
        F64Le             [0x65]      "f64.le"              () [F64 F64 -> I32] Mvp                   Comparison;
        F64Ge             [0x66]      "f64.ge"              () [F64 F64 -> I32] Mvp                   Comparison;
        I32Clz            [0x67]      "i32.clz"             () [I32 -> I32]     Mvp                   BitCount;
        I32Ctz            [0x68]      "i32.ctz"             () [I32 -> I32]     Mvp                   BitCount;
        I32Popcnt         [0x69]      "i32.popcnt"          () [I32 -> I32]     Mvp                   BitCount;
        I32Add            [0x6A]      "i32.add"             () [I32 I32 -> I32] Mvp                   Arithmetic;
        I32Sub            [0x6B]      "i32.sub"             () [I32 I32 -> I32] Mvp                   Arithmetic;
        I32Mul            [0x6C]      "i32.mul"             () [I32 I32 -> I32] Mvp                   Arithmetic;
        I32DivS           [0x6D]      "i32.div_s"           () [I32 I32 -> I32] Mvp                   Division;
        I32DivU           [0x6E]      "i32.div_u"           () [I32 I32 -> I32] Mvp                   Division;
        I32RemS           [0x6F]      "i32.rem_s"           () [I32 I32 -> I32] Mvp                   Remainder;
        I32RemU           [0x70]      "i32.rem_u"           () [I32 I32 -> I32] Mvp                   Remainder;
        I32And            [0x71]      "i32.and"             () [I32 I32 -> I32] Mvp                   Bitwise;
        I32Or             [0x72]      "i32.or"              () [I32 I32 -> I32] Mvp                   Bitwise;
        I32Xor            [0x73]      "i32.xor"             () [I32 I32 -> I32] Mvp                   Bitwise;
        I32Shl            [0x74]      "i32.shl"             () [I32 I32 -> I32] Mvp                   Shift;
        I32ShrS           [0x75]      "i32.shr_s"           () [I32 I32 -> I32] Mvp                   Shift;
        I32ShrU           [0x76]      "i32.shr_u"           () [I32 I32 -> I32] Mvp                   Shift;
        I32Rotl           [0x77]      "i32.rotl"            () [I32 I32 -> I32] Mvp                   Shift;
        I32Rotr           [0x78]      "i32.rotr"            () [I32 I32 -> I32] Mvp                   Shift;
        I64Clz            [0x79]      "i64.clz"             () [I64 -> I64]     Mvp                   BitCount;
        I64Ctz            [0x7A]      "i64.ctz"             () [I64 -> I64]     Mvp                   BitCount;
        I64Popcnt         [0x7B]      "i64.popcnt"          () [I64 -> I64]     Mvp                   BitCount;
        I64Add            [0x7C]      "i64.add"             () [I64 I64 -> I64] Mvp                   Arithmetic;
        I64Sub            [0x7D]      "i64.sub"             () [I64 I64 -> I64] Mvp                   Arithmetic;
        I64Mul            [0x7E]      "i64.mul"             () [I64 I64 -> I64] Mvp                   Arithmetic;
        I64DivS           [0x7F]      "i64.div_s"           () [I64 I64 -> I64] Mvp                   Division;
        I64DivU           [0x80]      "i64.div_u"           () [I64 I64 -> I64] Mvp                   Division;
        I64RemS           [0x81]      "i64.rem_s"           () [I64 I64 -> I64] Mvp                   Remainder;
        I64RemU           [0x82]      "i64.rem_u"           () [I64 I64 -> I64] Mvp                   Remainder;
        I64And            [0x83]      "i64.and"             () [I64 I64 -> I64] Mvp                   Bitwise;
        I64Or             [0x84]      "i64.or"              () [I64 I64 -> I64] Mvp                   Bitwise;
        I64Xor            [0x85]      "i64.xor"             () [I64 I64 -> I64] Mvp                   Bitwise;
        I64Shl            [0x86]      "i64.shl"             () [I64 I64 -> I64] Mvp                   Shift;
        I64ShrS           [0x87]      "i64.shr_s"           () [I64 I64 -> I64] Mvp                   Shift;
        I64ShrU           [0x88]      "i64.shr_u"           () [I64 I64 -> I64] Mvp                   Shift;
        I64Rotl           [0x89]      "i64.rotl"            () [I64 I64 -> I64] Mvp                   Shift;
        I64Rotr           [0x8A]      "i64.rotr"            () [I64 I64 -> I64] Mvp                   Shift;
        F32Abs            [0x8B]      "f32.abs"             () [F32 -> F32]     Mvp                   Sign;
        F32Neg            [0x8C]      "f32.neg"             () [F32 -> F32]     Mvp                   Sign;
        F32Ceil           [0x8D]      "f32.ceil"            () [F32 -> F32]     Mvp                   Rounding;
        F32Floor          [0x8E]      "f32.floor"           () [F32 -> F32]     Mvp                   Rounding;
        F32Trunc          [0x8F]      "f32.trunc"           () [F32 -> F32]     Mvp                   Rounding;
        F32Nearest        [0x90]      "f32.nearest"         () [F32 -> F32]     Mvp                   Rounding;
        F32Sqrt           [0x91]      "f32.sqrt"            () [F32 -> F32]     Mvp                   Rounding;
        F32Add            [0x92]      "f32.add"             () [F32 F32 -> F32] Mvp                   Arithmetic;
        F32Sub            [0x93]      "f32.sub"             () [F32 F32 -> F32] Mvp                   Arithmetic;
        F32Mul            [0x94]      "f32.mul"             () [F32 F32 -> F32] Mvp                   Arithmetic;
        F32Div            [0x95]      "f32.div"             () [F32 F32 -> F32] Mvp                   Arithmetic;
        F32Min            [0x96]      "f32.min"             () [F32 F32 -> F32] Mvp                   Arithmetic;
        F32Max            [0x97]      "f32.max"             () [F32 F32 -> F32] Mvp                   Arithmetic;
        F32Copysign       [0x98]      "f32.copysign"        () [F32 F32 -> F32] Mvp                   Sign;
        F64Abs            [0x99]      "f64.abs"             () [F64 -> F64]     Mvp                   Sign;
        F64Neg            [0x9A]      "f64.neg"             () [F64 -> F64]     Mvp                   Sign;
        F64Ceil           [0x9B]      "f64.ceil"            () [F64 -> F64]     Mvp                   Rounding;
        F64Floor          [0x9C]      "f64.floor"           () [F64 -> F64]     Mvp                   Rounding;
        F64Trunc          [0x9D]      "f64.trunc"           () [F64 -> F64]     Mvp                   Rounding;
        F64Nearest        [0x9E]      "f64.nearest"         () [F64 -> F64]     Mvp                   Rounding;
        F64Sqrt           [0x9F]      "f64.sqrt"            () [F64 -> F64]     Mvp                   Rounding;
        F64Add            [0xA0]      "f64.add"             () [F64 F64 -> F64] Mvp                   Arithmetic;
        F64Sub            [0xA1]      "f64.sub"             () [F64 F64 -> F64] Mvp                   Arithmetic;
        F64Mul            [0xA2]      "f64.mul"             () [F64 F64 -> F64] Mvp                   Arithmetic;
        F64Div            [0xA3]      "f64.div"             () [F64 F64 -> F64] Mvp                   Arithmetic;
        F64Min            [0xA4]      "f64.min"             () [F64 F64 -> F64] Mvp                   Arithmetic;
        F64Max            [0xA5]      "f64.max"             () [F64 F64 -> F64] Mvp                   Arithmetic;
        F64Copysign       [0xA6]      "f64.copysign"        () [F64 F64 -> F64] Mvp                   Sign;
        I32WrapI64        [0xA7]      "i32.wrap_i64"        () [I64 -> I32]     Mvp                   Resize;
        I32TruncF32S      [0xA8]      "i32.trunc_f32_s"     () [F32 -> I32]     Mvp                   Truncation;
        I32TruncF32U      [0xA9]      "i32.trunc_f32_u"     () [F32 -> I32]     Mvp                   Truncation;
        I32TruncF64S      [0xAA]      "i32.trunc_f64_s"     () [F64 -> I32]     Mvp                   Truncation;
        I32TruncF64U      [0xAB]      "i32.trunc_f64_u"     () [F64 -> I32]     Mvp                   Truncation;
        I64ExtendI32S     [0xAC]      "i64.extend_i32_s"    () [I32 -> I64]     Mvp                   Resize;
        I64ExtendI32U     [0xAD]      "i64.extend_i32_u"    () [I32 -> I64]     Mvp                   Resize;
        I64TruncF32S      [0xAE]      "i64.trunc_f32_s"     () [F32 -> I64]     Mvp                   Truncation;
        I64TruncF32U      [0xAF]      "i64.trunc_f32_u"     () [F32 -> I64]     Mvp                   Truncation;
        I64TruncF64S      [0xB0]      "i64.trunc_f64_s"     () [F64 -> I64]     Mvp                   Truncation;
        I64TruncF64U      [0xB1]      "i64.trunc_f64_u"     () [F64 -> I64]     Mvp                   Truncation;
        F32ConvertI32S    [0xB2]      "f32.convert_i32_s"   () [I32 -> F32]     Mvp                   Conversion;
        F32ConvertI32U    [0xB3]      "f32.convert_i32_u"   () [I32 -> F32]     Mvp                   Conversion;
        F32ConvertI64S    [0xB4]      "f32.convert_i64_s"   () [I64 -> F32]     Mvp                   Conversion;
        F32ConvertI64U    [0xB5]      "f32.convert_i64_u"   () [I64 -> F32]     Mvp                   Conversion;
        F32DemoteF64      [0xB6]      "f32.demote_f64"      () [F64 -> F32]     Mvp                   Precision;
        F64ConvertI32S    [0xB7]      "f64.convert_i32_s"   () [I32 -> F64]     Mvp                   Conversion;
        F64ConvertI32U    [0xB8]      "f64.convert_i32_u"   () [I32 -> F64]     Mvp                   Conversion;
        F64ConvertI64S    [0xB9]      "f64.convert_i64_s"   () [I64 -> F64]     Mvp                   Conversion;
        F64ConvertI64U    [0xBA]      "f64.convert_i64_u"   () [I64 -> F64]     Mvp                   Conversion;
        F64PromoteF32     [0xBB]      "f64.promote_f32"     () [F32 -> F64]     Mvp                   Precision;
        I32ReinterpretF32 [0xBC]      "i32.reinterpret_f32" () [F32 -> I32]     Mvp                   Reinterpretation;
        I64ReinterpretF64 [0xBD]      "i64.reinterpret_f64" () [F64 -> I64]     Mvp                   Reinterpretation;
        F32ReinterpretI32 [0xBE]      "f32.reinterpret_i32" () [I32 -> F32]     Mvp                   Reinterpretation;
        F64ReinterpretI64 [0xBF]      "f64.reinterpret_i64" () [I64 -> F64]     Mvp                   Reinterpretation;
        I32Extend8S       [0xC0]      "i32.extend8_s"       () [I32 -> I32]     SignExtensionOps      SignExtension;
        I32Extend16S      [0xC1]      "i32.extend16_s"      () [I32 -> I32]     SignExtensionOps      SignExtension;
        I64Extend8S       [0xC2]      "i64.extend8_s"       () [I64 -> I64]     SignExtensionOps      SignExtension;
        I64Extend16S      [0xC3]      "i64.extend16_s"      () [I64 -> I64]     SignExtensionOps      SignExtension;
        I64Extend32S      [0xC4]      "i64.extend32_s"      () [I64 -> I64]     SignExtensionOps      SignExtension;
        I32TruncSatF32S   [0xFC 0x00] "i32.trunc_sat_f32_s" () [F32 -> I32]     NontrappingFloatToInt Saturation;
        I32TruncSatF32U   [0xFC 0x01] "i32.trunc_sat_f32_u" () [F32 -> I32]     NontrappingFloatToInt Saturation;
        I32TruncSatF64S   [0xFC 0x02] "i32.trunc_sat_f64_s" () [F64 -> I32]     NontrappingFloatToInt Saturation;
        I32TruncSatF64U   [0xFC 0x03] "i32.trunc_sat_f64_u" () [F64 -> I32]     NontrappingFloatToInt Saturation;
        I64TruncSatF32S   [0xFC 0x04] "i64.trunc_sat_f32_s" () [F32 -> I64]     NontrappingFloatToInt Saturation;
        I64TruncSatF32U   [0xFC 0x05] "i64.trunc_sat_f32_u" () [F32 -> I64]     NontrappingFloatToInt Saturation;
        I64TruncSatF64S   [0xFC 0x06] "i64.trunc_sat_f64_s" () [F64 -> I64]     NontrappingFloatToInt Saturation;
        I64TruncSatF64U   [0xFC 0x07] "i64.trunc_sat_f64_u" () [F64 -> I64]     NontrappingFloatToInt Saturation;
    }
}

family! {
    /// 128-bit arithmetic on pairs of `i64`.
    Wide {
        I64Add128   [0xFC 0x13] "i64.add128"     () [I64 I64 I64 I64 -> I64 I64] WideArithmetic;
        I64Sub128   [0xFC 0x14] "i64.sub128"     () [I64 I64 I64 I64 -> I64 I64] WideArithmetic;
        I64MulWideS [0xFC 0x15] "i64.mul_wide_s" () [I64 I64 -> I64 I64]         WideArithmetic;
        I64MulWideU [0xFC 0x16] "i64.mul_wide_u" () [I64 I64 -> I64 I64]         WideArithmetic;
    }
}

family! {
    /// References of every kind.
    Reference {
        RefNull      [0xD0] "ref.null"        (HeapType) [-> Ref]         ReferenceTypes;
        RefIsNull    [0xD1] "ref.is_null"     ()         [Ref -> I32]     ReferenceTypes;
        RefFunc      [0xD2] "ref.func"        (Func)     [-> Ref]         ReferenceTypes;
        RefEq        [0xD3] "ref.eq"          ()         [Ref Ref -> I32] Gc;
        RefAsNonNull [0xD4] "ref.as_non_null" ()         [Ref -> Ref]     FunctionReferences;
    }
}

family! {
    /// Structures, arrays, `i31` and casts.
    Gc {
        StructNew        [0xFB 0x00] "struct.new"         (Type)       [Many -> Ref]            Gc;
        StructNewDefault [0xFB 0x01] "struct.new_default" (Type)       [-> Ref]                 Gc;
        StructGet        [0xFB 0x02] "struct.get"         (Type Field) [Ref -> Any]             Gc;
        StructGetS       [0xFB 0x03] "struct.get_s"       (Type Field) [Ref -> I32]             Gc;
        StructGetU       [0xFB 0x04] "struct.get_u"       (Type Field) [Ref -> I32]             Gc;
        StructSet        [0xFB 0x05] "struct.set"         (Type Field) [Ref Any ->]             Gc;
        ArrayNew         [0xFB 0x06] "array.new"          (Type)       [Any I32 -> Ref]         Gc;
        ArrayNewDefault  [0xFB 0x07] "array.new_default"  (Type)       [I32 -> Ref]             Gc;
        ArrayNewFixed    [0xFB 0x08] "array.new_fixed"    (Type Count) [Many -> Ref]            Gc;
        ArrayNewData     [0xFB 0x09] "array.new_data"     (Type Data)  [I32 I32 -> Ref]         Gc;
        ArrayNewElem     [0xFB 0x0A] "array.new_elem"     (Type Elem)  [I32 I32 -> Ref]         Gc;
        ArrayGet         [0xFB 0x0B] "array.get"          (Type)       [Ref I32 -> Any]         Gc;
        ArrayGetS        [0xFB 0x0C] "array.get_s"        (Type)       [Ref I32 -> I32]         Gc;
        ArrayGetU        [0xFB 0x0D] "array.get_u"        (Type)       [Ref I32 -> I32]         Gc;
        ArraySet         [0xFB 0x0E] "array.set"          (Type)       [Ref I32 Any ->]         Gc;
        ArrayLen         [0xFB 0x0F] "array.len"          ()           [Ref -> I32]             Gc;
        ArrayFill        [0xFB 0x10] "array.fill"         (Type)       [Ref I32 Any I32 ->]     Gc;
        ArrayCopy        [0xFB 0x11] "array.copy"         (Type Type)  [Ref I32 Ref I32 I32 ->] Gc;
        ArrayInitData    [0xFB 0x12] "array.init_data"    (Type Data)  [Ref I32 I32 I32 ->]     Gc;
        ArrayInitElem    [0xFB 0x13] "array.init_elem"    (Type Elem)  [Ref I32 I32 I32 ->]     Gc;
        RefTest          [0xFB 0x14] "ref.test"           (HeapType)   [Ref -> I32]             Gc;
        RefTestNull      [0xFB 0x15] "ref.test_null"      (HeapType)   [Ref -> I32]             Gc;
        RefCast          [0xFB 0x16] "ref.cast"           (HeapType)   [Ref -> Ref]             Gc;
        RefCastNull      [0xFB 0x17] "ref.cast_null"      (HeapType)   [Ref -> Ref]             Gc;
        AnyConvertExtern [0xFB 0x1A] "any.convert_extern" ()           [Ref -> Ref]             Gc;
        ExternConvertAny [0xFB 0x1B] "extern.convert_any" ()           [Ref -> Ref]             Gc;
        RefI31           [0xFB 0x1C] "ref.i31"            ()           [I32 -> Ref]             Gc;
        I31GetS          [0xFB 0x1D] "i31.get_s"          ()           [Ref -> I32]             Gc;
        I31GetU          [0xFB 0x1E] "i31.get_u"          ()           [Ref -> I32]             Gc;
    }
}
