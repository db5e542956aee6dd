//! Holds the table against wasmparser's list of operators, wasmparser's validator and wast's texts.

use super::reader::Reader;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{BinaryReader, OperatorsReader, Parser, Payload, Validator, WasmFeatures};

/// An operator of wasmparser: proposal, name, arity.
struct Foreign {
    proposal: &'static str,
    name: &'static str,
    arity: &'static str,
}

macro_rules! foreign_operators {
    ($(@$proposal:ident $name:ident $({ $($field:ident: $type:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
        vec![$(Foreign {
            proposal: stringify!($proposal),
            name: stringify!($name),
            arity: stringify!($($arity)*),
        }),*]
    };
}

/// The operators that the table has to have, by their name here, in lower case.
fn foreign_operators() -> BTreeMap<String, Foreign> {
    wasmparser::for_each_operator!(foreign_operators)
        .into_iter()
        .filter(|foreign| proposal_of(foreign.proposal).is_some())
        // The binary format has a select of several types, but no such module is valid.
        .filter(|foreign| foreign.name != "TypedSelectMulti")
        .map(|foreign| (name_here(foreign.name), foreign))
        .collect()
}

fn name_here(name: &str) -> String {
    match name {
        "TypedSelect" => "selectt".into(),
        "RefTestNonNull" => "reftest".into(),
        "RefTestNullable" => "reftestnull".into(),
        "RefCastNonNull" => "refcast".into(),
        "RefCastNullable" => "refcastnull".into(),
        _ => name.to_lowercase(),
    }
}

/// The proposals by wasmparser's names; `None` for those that are no part of WebAssembly 3.0, threads
/// or wide arithmetic.
fn proposal_of(name: &str) -> Option<Proposal> {
    Some(match name {
        "mvp" => Proposal::Mvp,
        "sign_extension" => Proposal::SignExtensionOps,
        "saturating_float_to_int" => Proposal::NontrappingFloatToInt,
        "bulk_memory" => Proposal::BulkMemory,
        "reference_types" => Proposal::ReferenceTypes,
        "tail_call" => Proposal::TailCall,
        "function_references" => Proposal::FunctionReferences,
        "gc" => Proposal::Gc,
        "exceptions" => Proposal::ExceptionHandling,
        "simd" => Proposal::Simd,
        "relaxed_simd" => Proposal::RelaxedSimd,
        "threads" => Proposal::Threads,
        "wide_arithmetic" => Proposal::WideArithmetic,
        // Replaced by `exceptions` before the standard.
        "legacy_exceptions" => return None,
        // Not standard yet.
        "custom_descriptors"
        | "memory_control"
        | "shared_everything_threads"
        | "stack_switching"
        | "acquire_release_atomics" => return None,
        _ => panic!("wasmparser knows a proposal that this table does not name: {name}"),
    })
}

/// The Rust name within the family, in lower case.
fn name(opcode: Opcode) -> String {
    let debug = format!("{opcode:?}").to_lowercase();
    debug.split_once('(').unwrap().1.trim_end_matches(')').to_string()
}

#[test]
fn the_table_has_wasmparsers_operators_and_no_others() {
    let ours: BTreeSet<String> = Opcode::all().map(name).collect();
    let theirs: BTreeSet<String> = foreign_operators().into_keys().collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), Opcode::COUNT);
}

#[test]
fn proposals_are_those_of_wasmparser() {
    let foreign = foreign_operators();
    for opcode in Opcode::all() {
        let theirs = foreign[&name(opcode)].proposal;
        assert_eq!(Some(opcode.row().proposal), proposal_of(theirs), "{opcode}");
    }
}

#[test]
fn arities_are_those_of_wasmparser() {
    let foreign = foreign_operators();
    for opcode in Opcode::all() {
        let row = opcode.row();
        if [row.operands, row.results].concat().contains(&Operand::Many) {
            continue;
        }
        let ours = format!("{} -> {}", row.operands.len(), row.results.len());
        let theirs = foreign[&name(opcode)].arity;
        assert!(theirs.ends_with(&ours) || theirs.ends_with("custom"), "{opcode}: {ours}, {theirs}");
    }
}

#[test]
fn wasmparser_reads_each_code_with_its_immediates_as_the_same_operator() {
    for opcode in Opcode::all() {
        // `else` wants an `if` to belong to.
        let mut bytes = vec![0x04, 0x40];
        encode(opcode.row(), &mut bytes);
        let mut operators = OperatorsReader::new(BinaryReader::new(&bytes, 0));
        operators.read().unwrap();
        let theirs = format!("{:?}", operators.read().unwrap());
        let theirs = theirs.split([' ', '{', '(']).next().unwrap();
        assert_eq!(name_here(theirs), name(opcode));
        assert!(operators.eof(), "wasmparser leaves some of {opcode}'s immediates");

        let mut reader = Reader::new(&bytes[2..], 0);
        assert_eq!(reader.opcode(), (0, opcode));
        reader.skip_immediates(opcode);
        assert!(reader.is_done(), "the reader leaves some of {opcode}'s immediates");
    }
}

fn encode(row: &Row, bytes: &mut Vec<u8>) {
    encode_code(row.code, 0, bytes);
    for immediate in row.immediates {
        bytes.extend_from_slice(match immediate {
            Immediate::BlockType => &[0x40],
            Immediate::Labels => &[2, 3, 2, 1],
            Immediate::MemArg => &[0x40, 9, 7],
            Immediate::HeapType => &[0x70],
            Immediate::CastFlags => &[3],
            Immediate::SelectTypes => &[1, 0x63, 0x05],
            Immediate::F32 => &[0xFF; 4],
            Immediate::F64 => &[0xFF; 8],
            Immediate::V128 => &[0xFF; 16],
            Immediate::Lanes16 => &[31; 16],
            Immediate::Catches => &[4, 0, 1, 2, 1, 3, 4, 2, 5, 3, 6],
            Immediate::Lane | Immediate::Reserved => &[0],
            Immediate::I32 => &[0xFF, 0xFF, 0xFF, 0xFF, 0x07],
            Immediate::I64 => &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00],
            Immediate::Label
            | Immediate::Func
            | Immediate::Type
            | Immediate::Table
            | Immediate::Memory
            | Immediate::Local
            | Immediate::Global
            | Immediate::Tag
            | Immediate::Data
            | Immediate::Elem
            | Immediate::Field
            | Immediate::Count => &[0x85, 0x01],
        });
    }
}

/// Writes a code, the number after a prefix `padding` bytes longer than it has to be.
fn encode_code(code: Code, padding: usize, bytes: &mut Vec<u8>) {
    let Some(prefix) = code.prefix else {
        return bytes.push(code.value as u8);
    };
    bytes.push(prefix);
    let mut value = code.value;
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    match padding {
        0 => bytes.push(value as u8),
        _ => {
            bytes.push(value as u8 | 0x80);
            bytes.extend(std::iter::repeat_n(0x80, padding - 1));
            bytes.push(0);
        }
    }
}

/// Texts and operand types in one: a function of the row's operands and results around the row's text
/// is valid, and its code is the row's.
#[track_caller]
fn check_typed_rows(index_type: &str) {
    let mut checked = 0;
    for opcode in Opcode::all() {
        let row = opcode.row();
        let Some(types) = types(row.operands, index_type).zip(types(row.results, index_type)) else {
            continue;
        };
        let Some(immediates) = immediates(row) else { continue };
        let gets: String = (0..row.operands.len()).map(|index| format!("(local.get {index})")).collect();
        let text = format!(
            "(module (memory {index_type} 1) (data \"\") (func (param {}) (result {}) {gets} {}{immediates}))",
            types.0, types.1, row.text,
        );
        let module = assemble(&text);
        if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(&module) {
            panic!("{text}: {error}");
        }
        assert_eq!(opcode_before_end(&module), opcode, "{text}");
        checked += 1;
    }
    let families = [Family::Load, Family::Store, Family::Memory, Family::Const, Family::Numeric]
        .into_iter()
        .chain([Family::Wide, Family::Vector, Family::VectorMemory, Family::Atomic]);
    let with_types: usize = families.map(|family| FAMILIES[family as usize].len()).sum();
    assert_eq!(checked, with_types + 1, "these families and `nop`");
}

fn types(operands: &[Operand], index_type: &str) -> Option<String> {
    let mut types = String::new();
    for operand in operands {
        types += match operand {
            Operand::I32 => "i32 ",
            Operand::I64 => "i64 ",
            Operand::F32 => "f32 ",
            Operand::F64 => "f64 ",
            Operand::V128 => "v128 ",
            Operand::Address => index_type,
            Operand::Ref | Operand::Any | Operand::Many => return None,
        };
        types += " ";
    }
    Some(types)
}

/// The immediates of a row in the text format, if they need nothing but the module above.
fn immediates(row: &Row) -> Option<String> {
    let mut text = String::new();
    for immediate in row.immediates {
        text += match immediate {
            Immediate::MemArg | Immediate::Memory | Immediate::Reserved => "",
            Immediate::Data | Immediate::Lane => " 0",
            Immediate::Lanes16 => " 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
            Immediate::I32 | Immediate::I64 | Immediate::F32 | Immediate::F64 => " 1",
            Immediate::V128 => " i64x2 1 2",
            Immediate::BlockType
            | Immediate::Label
            | Immediate::Labels
            | Immediate::Func
            | Immediate::Type
            | Immediate::Table
            | Immediate::Local
            | Immediate::Global
            | Immediate::Tag
            | Immediate::Elem
            | Immediate::Field
            | Immediate::HeapType
            | Immediate::CastFlags
            | Immediate::SelectTypes
            | Immediate::Count
            | Immediate::Catches => return None,
        };
    }
    Some(text)
}

pub(super) fn assemble(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).unwrap();
    let mut module =
        wast::parser::parse::<wast::Wat>(&buffer).unwrap_or_else(|error| panic!("{text}: {error}"));
    module.encode().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The bodies of a module's functions: the instructions, and the file offset of the first.
pub(super) fn bodies(module: &[u8]) -> Vec<(&[u8], u32)> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload.unwrap() {
            let start = body.get_operators_reader().unwrap().original_position();
            bodies.push((&module[start as usize..body.range().end as usize], start as u32));
        }
    }
    bodies
}

fn opcode_before_end(module: &[u8]) -> Opcode {
    let (bytes, base) = bodies(module)[0];
    let mut reader = Reader::new(bytes, base);
    let mut opcodes = Vec::new();
    while !reader.is_done() {
        let (_, opcode) = reader.opcode();
        reader.skip_immediates(opcode);
        opcodes.push(opcode);
    }
    opcodes[opcodes.len() - 2]
}

#[test]
fn texts_and_types_are_valid_over_a_memory_of_32_bits() {
    check_typed_rows("i32");
}

#[test]
fn texts_and_types_are_valid_over_a_memory_of_64_bits() {
    check_typed_rows("i64");
}

#[test]
fn every_code_decodes_to_its_opcode_however_long_its_number_is() {
    for opcode in Opcode::all() {
        let code = opcode.row().code;
        let paddings = match code {
            Code { prefix: None, .. } => 0..1,
            Code { value: 0x80.., .. } => 0..4,
            Code { .. } => 0..5,
        };
        for padding in paddings {
            let mut bytes = Vec::new();
            encode_code(code, padding, &mut bytes);
            let length = bytes.len();
            assert_eq!(Opcode::decode(&bytes[..length - 1]), None, "{opcode} cut off");
            bytes.push(0xAA);
            assert_eq!(Opcode::decode(&bytes), Some((opcode, length)));
        }
    }
}

#[test]
fn codes_without_a_row_decode_to_nothing() {
    assert_eq!(Opcode::decode(&[]), None);
    let mut known = 0;
    for prefix in [None, Some(0xFB), Some(0xFC), Some(0xFD), Some(0xFE)] {
        for value in 0..0x400 {
            if prefix.is_none() && value > 0xFF {
                continue;
            }
            let code = Code { prefix, value };
            let mut bytes = Vec::new();
            encode_code(code, 0, &mut bytes);
            match Opcode::decode(&bytes) {
                Some((opcode, _)) => {
                    assert_eq!(opcode.row().code, code);
                    known += 1;
                }
                None => assert!(Opcode::all().all(|opcode| opcode.row().code != code)),
            }
        }
    }
    assert_eq!(known, Opcode::COUNT);
}

#[test]
fn numbers_after_a_prefix_have_at_most_five_bytes_and_32_bits() {
    assert_eq!(Opcode::decode(&[0xFC, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), None);
    assert_eq!(Opcode::decode(&[0xFC, 0x80, 0x80, 0x80, 0x80, 0x10]), None);
}

#[test]
fn indices_are_dense_and_texts_unique() {
    for (index, opcode) in Opcode::all().enumerate() {
        assert_eq!(opcode.index(), index);
        assert_eq!(opcode.row().opcode, opcode);
        assert_eq!(opcode.family(), opcode.row().family);
        assert_eq!(Opcode::from_text(opcode.text()), Some(opcode));
    }
    assert_eq!(Opcode::from_text("i32.frobnicate"), None);
}

#[test]
fn widths_are_the_natural_alignments_of_wasmparser() {
    for opcode in Opcode::all() {
        let width = match opcode {
            Opcode::Load(load) => load.width(),
            Opcode::Store(store) => store.width(),
            Opcode::VectorMemory(access) => access.width(),
            Opcode::Atomic(atomic) => match atomic.width() {
                Some(width) => width,
                None => continue,
            },
            _ => {
                assert!(!opcode.row().immediates.contains(&Immediate::MemArg));
                continue;
            }
        };
        let mut bytes = Vec::new();
        encode(opcode.row(), &mut bytes);
        let operator = OperatorsReader::new(BinaryReader::new(&bytes, 0)).read().unwrap();
        let natural = format!("max_align: {},", width.ilog2());
        assert!(format!("{operator:?}").contains(&natural), "{operator:?}: {width}");
    }
}

#[test]
fn an_opcode_is_four_bytes() {
    assert_eq!(size_of::<Opcode>(), 4);
    assert_eq!(size_of::<Option<Opcode>>(), 4);
}

#[test]
fn codes_print_as_the_specification_writes_them() {
    assert_eq!(Numeric::I32Add.row().code.to_string(), "0x6a");
    assert_eq!(Vector::F32x4RelaxedMin.row().code.to_string(), "0xfd 0x10d");
    assert_eq!(format!("{:>9}|", Opcode::from(Control::BrIf)), "    br_if|");
}

#[test]
fn segments_end_before_free_opcodes_and_behind_those_that_cost() {
    for opcode in Opcode::all() {
        let Structure { nesting, boundary, is_free } = opcode.structure();
        match boundary {
            Boundary::Inside => assert_eq!(is_free, nesting == Nesting::Begins, "{opcode}"),
            Boundary::Before => assert!(is_free && nesting != Nesting::Inside, "{opcode}"),
            Boundary::Behind | Boundary::Last => assert!(!is_free, "{opcode}"),
        }
    }
}
