//! Holds the reader against wasmparser's, and against numbers of every length.

use super::super::tests::{assemble, bodies};
use super::super::{Boundary, Control};
use super::*;
use proptest::prelude::*;
use wasmparser::{BinaryReader, MemArgTarget, Operator, OperatorsReader};

/// Walks every function of a module with both readers; opcodes begin at the same offsets, and
/// immediates are the same.
#[track_caller]
fn check(text: &str) {
    let module = assemble(text);
    for (bytes, base) in bodies(&module) {
        let mut ours = Reader::new(bytes, base);
        let mut theirs = OperatorsReader::new(BinaryReader::new(bytes, base.into()));
        while !theirs.eof() {
            let (operator, offset) = theirs.read_with_offset().unwrap();
            let (at, opcode) = ours.opcode();
            assert_eq!(at, offset as u32);
            check_immediates(ours, opcode, &operator);
            ours.skip_immediates(opcode);
        }
        assert!(ours.is_done());
        ours.go_to(base);
        assert_eq!(ours.at(), base);
    }
}

/// Reads the immediates of `opcode` one by one and holds them against wasmparser's operator.
fn check_immediates(mut reader: Reader<'_>, opcode: Opcode, operator: &Operator<'_>) {
    use wasmparser::BlockType as Theirs;
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
            let expected = match *blockty {
                Theirs::Empty => BlockType::Empty,
                Theirs::Type(ty) => BlockType::Value(ty),
                Theirs::FuncType(index) => BlockType::Type(index),
            };
            assert_eq!(reader.block_type(), expected);
        }
        Operator::BrTable { targets } => {
            let expected: Vec<u32> =
                targets.targets().map(Result::unwrap).chain([targets.default()]).collect();
            let labels = reader.labels();
            assert_eq!(labels.len(), expected.len());
            assert_eq!(labels.collect::<Vec<u32>>(), expected);
        }
        Operator::CallIndirect { type_index, table_index } => {
            assert_eq!((reader.u32(), reader.u32()), (*type_index, *table_index));
        }
        Operator::TypedSelect { ty } => assert_eq!(reader.select_type(), *ty),
        Operator::I32Const { value } => assert_eq!(reader.i32(), *value),
        Operator::I64Const { value } => assert_eq!(reader.i64(), *value),
        Operator::F32Const { value } => assert_eq!(reader.f32_bits(), value.bits()),
        Operator::F64Const { value } => assert_eq!(reader.f64_bits(), value.bits()),
        Operator::V128Const { value } => assert_eq!(reader.v128(), *value.bytes()),
        Operator::I8x16Shuffle { lanes } => assert_eq!(reader.v128(), *lanes),
        Operator::I64Load { memarg } | Operator::V128Load8Lane { memarg, .. } => {
            let MemArg { align_log2, memory, offset } = reader.mem_arg();
            assert_eq!((align_log2, offset), (u32::from(memarg.align), memarg.offset));
            assert_eq!(MemArgTarget::Memory(memory), memarg.target);
            if let Operator::V128Load8Lane { lane, .. } = operator {
                assert_eq!(reader.byte(), *lane);
            }
        }
        Operator::RefNull { hty }
        | Operator::RefTestNonNull { hty }
        | Operator::RefTestNullable { hty }
        | Operator::RefCastNonNull { hty } => assert_eq!(reader.heap_type(), *hty),
        Operator::BrOnCast { relative_depth, from_ref_type, to_ref_type }
        | Operator::BrOnCastFail { relative_depth, from_ref_type, to_ref_type } => {
            let flags = reader.cast_flags();
            assert_eq!(flags.from_nullable, from_ref_type.is_nullable());
            assert_eq!(flags.to_nullable, to_ref_type.is_nullable());
            assert_eq!(reader.u32(), *relative_depth);
            assert_eq!(reader.heap_type(), from_ref_type.heap_type());
            assert_eq!(reader.heap_type(), to_ref_type.heap_type());
        }
        Operator::TryTable { try_table } => {
            reader.block_type();
            let expected: Vec<Catch> = try_table
                .catches
                .iter()
                .map(|catch| match *catch {
                    wasmparser::Catch::One { tag, label } => Catch::One { tag, label },
                    wasmparser::Catch::OneRef { tag, label } => Catch::OneRef { tag, label },
                    wasmparser::Catch::All { label } => Catch::All { label },
                    wasmparser::Catch::AllRef { label } => Catch::AllRef { label },
                })
                .collect();
            assert_eq!(reader.catches().collect::<Vec<Catch>>(), expected);
        }
        _ => reader.skip_immediates(opcode),
    }
}

#[test]
fn blocks_and_branches() {
    check(
        "(module (type $pair (func (param i32) (result i32 i32)))
            (func (param i32) (result i32)
                (block (result i32) (loop (result i32) (if (local.get 0) (then nop) (else (br 2 (i32.const 1))))
                    (i32.const 7) (br_if 1 (local.get 0))))
                (block (type $pair) (i32.const 3)) drop
                (block (block (br_table 0 1 0 1 1 0 (local.get 0))) (return (local.get 0)))
                (block (result (ref null func)) (ref.null func)) drop
                (block (result v128) (v128.const i32x4 1 2 3 4)) drop))",
    );
}

#[test]
fn a_branch_table_of_many_labels() {
    check(&format!("(module (func (block (br_table {} 0 (i32.const 0)))))", "1 ".repeat(1000)));
}

#[test]
fn constants_of_every_length() {
    let mut body = String::new();
    for shift in 0..64 {
        for value in [1i64 << shift, -1i64 << shift, (1i64 << shift).wrapping_sub(1)] {
            body += &format!("(drop (i64.const {value})) (drop (i32.const {}))", value as i32);
        }
    }
    body += "(drop (f32.const nan:0x200001)) (drop (f64.const -0x1.8p-1000)) (drop (f32.const inf))";
    check(&format!("(module (func {body}))"));
}

#[test]
fn memory_accesses_name_their_memory() {
    check(
        "(module (memory 1) (memory $b i64 1)
            (func (param i32 i64 v128)
                (drop (i64.load offset=4294967295 align=1 (local.get 0)))
                (drop (i64.load $b offset=18446744073709551615 align=8 (local.get 1)))
                (drop (v128.load8_lane $b offset=300 15 (local.get 1) (local.get 2)))
                (drop (i8x16.shuffle 0 31 1 30 2 29 3 28 4 27 5 26 6 25 7 24 (local.get 2) (local.get 2)))
                (memory.copy 0 0 (local.get 0) (local.get 0) (local.get 0))
                (drop (i32.atomic.rmw.add offset=4 (local.get 0) (local.get 0)))
                atomic.fence))",
    );
}

#[test]
fn references_casts_and_aggregates() {
    check(
        "(module
            (rec (type $s (sub (struct (field (mut i8)) (field (ref null $s))))) (type $a (array (mut i16))))
            (type $f (func)) (table $t 1 funcref) (table $u 1 (ref null $f)) (func $g) (elem declare func $g) (data $d \"abcd\")
            (func (param anyref i32)
                (drop (ref.null $s)) (drop (ref.null none)) (drop (ref.null noextern)) (drop (ref.null nofunc))
                (drop (ref.null exn)) (drop (ref.null noexn)) (drop (ref.null i31)) (drop (ref.null extern))
                (drop (ref.test (ref $s) (local.get 0))) (drop (ref.test (ref null eq) (local.get 0)))
                (drop (ref.test (ref array) (local.get 0))) (drop (ref.test structref (local.get 0)))
                (drop (struct.get_u $s 0 (ref.cast (ref $s) (local.get 0))))
                (drop (array.new_fixed $a 2 (i32.const 1) (i32.const 2)))
                (drop (array.new_data $a $d (i32.const 0) (i32.const 2)))
                (drop (block $l (result (ref $s)) (drop (br_on_cast $l anyref (ref $s) (local.get 0))) unreachable))
                (drop (block $l (result anyref) (drop (br_on_cast_fail $l anyref (ref null $s) (local.get 0))) unreachable))
                (drop (select (result (ref null $s)) (ref.null $s) (ref.null none) (local.get 1)))
                (drop (select (result i32) (local.get 1) (local.get 1) (local.get 1)))
                (call_indirect $u (type $f) (local.get 1))
                (call_ref $f (ref.func $g))
                (table.fill $t (local.get 1) (ref.null func) (i32.const 1))
                (drop (ref.i31 (local.get 1)))))",
    );
}

#[test]
fn exceptions_and_tail_calls() {
    check(
        "(module (tag $e (param i32)) (tag $n) (type $f (func (result i32))) (table 1 funcref)
            (func $g (result i32)
                (block $r (result exnref)
                    (block $v (result i32 exnref)
                        (block $i (result i32)
                            (try_table (result i32) (catch $e $i) (catch_ref $e $v) (catch_ref $n $r) (catch_all_ref $r)
                                (throw $e (i32.const 1)))
                            (return))
                        (return))
                    (throw_ref))
                (throw_ref))
            (func (result i32) (try_table (catch_all 0)) (return_call $g))
            (func (result i32) (return_call_indirect (type $f) (i32.const 0))))",
    );
}

/// `value` in LEB128: as short as it can be, then made longer by up to `padding` bytes within `limit`.
fn leb128(mut value: i128, padding: usize, limit: usize, signed: bool) -> Vec<u8> {
    let negative = value < 0;
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7F) as u8;
        value >>= 7;
        bytes.push(low | 0x80);
        let done = if signed { value == if low & 0x40 != 0 { -1 } else { 0 } } else { value == 0 };
        if done {
            break;
        }
    }
    for _ in 0..padding.min(limit - bytes.len()) {
        bytes.push(if negative { 0xFF } else { 0x80 });
    }
    *bytes.last_mut().unwrap() &= 0x7F;
    bytes
}

/// Numbers with every count of significant bits about equally often.
fn any_length() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64).prop_map(|(bits, shift)| bits >> shift)
}

proptest! {
    #[test]
    fn unsigned_numbers_come_back(value in any_length(), padding in 0usize..10) {
        let bytes = leb128(i128::from(value), padding, 10, false);
        let mut reader = Reader::new(&bytes, 0);
        prop_assert_eq!(reader.u64(), value);
        prop_assert!(reader.is_done());

        let bytes = leb128(i128::from(value as u32), padding, 5, false);
        let mut reader = Reader::new(&bytes, 0);
        prop_assert_eq!(reader.u32(), value as u32);
        prop_assert!(reader.is_done());
    }

    #[test]
    fn signed_numbers_come_back(value in any_length(), negative: bool, padding in 0usize..10) {
        let value = if negative { !(value as i64) } else { value as i64 };
        let bytes = leb128(i128::from(value), padding, 10, true);
        let mut reader = Reader::new(&bytes, 0);
        prop_assert_eq!(reader.i64(), value);
        prop_assert!(reader.is_done());

        let bytes = leb128(i128::from(value as i32), padding, 5, true);
        let mut reader = Reader::new(&bytes, 0);
        prop_assert_eq!(reader.i32(), value as i32);
        prop_assert!(reader.is_done());
    }
}

#[test]
fn unreachable_code_is_passed_over_to_the_end_of_its_arm() {
    let module = assemble(
        "(module (func (param i32)
            (if (local.get 0)
                (then (unreachable) (block (if (i32.const 1) (then nop) (else nop))) (loop (br 1)))
                (else (return) (block (br_table 0 1 0 (i32.const 5)))))
            (nop)))",
    );
    let (bytes, base) = bodies(&module)[0];
    let mut reader = Reader::new(bytes, base);
    let mut stops = Vec::new();
    while !reader.is_done() {
        let (_, opcode) = reader.opcode();
        reader.skip_immediates(opcode);
        if opcode.structure().boundary == Boundary::Last {
            reader.skip_unreachable();
            stops.push((opcode, { reader }.opcode().1));
        }
    }
    assert_eq!(
        stops,
        [(Control::Unreachable.into(), Control::Else.into()), (Control::Return.into(), Control::End.into())]
    );
}
