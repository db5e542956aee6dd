use super::*;
use crate::draw::Purpose;

const TAME: Taming = Taming { unreachables_percent: 100, rounds: Some(10), operands_percent: 100 };

fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

fn rewrite(wasm: &[u8]) -> Vec<u8> {
    rewrite_for(wasm, Profile::Own)
}

fn rewrite_for(wasm: &[u8], profile: Profile) -> Vec<u8> {
    let mut stream = Stream::new(0, Purpose::Rewrite);
    let rewritten =
        Rewriter::default().rewrite(wasm, &TAME, profile, &mut stream).expect("the module is valid");
    Validator::new().validate_all(&rewritten).expect("the rewritten module is valid");
    rewritten
}

/// The instructions of a module's last function after rewriting, without the distances that the stream chose.
fn check(wat: &str, expected: &str) {
    check_for(Profile::Own, wat, expected);
}

fn check_for(profile: Profile, wat: &str, expected: &str) {
    let rewritten = rewrite_for(&encode(wat), profile);
    let mut body = Vec::new();
    for payload in Parser::new(0).parse_all(&rewritten) {
        if let Payload::CodeSectionEntry(entry) = payload.expect("the module is valid") {
            let operators = entry.get_operators_reader().expect("the body is valid");
            body = operators.into_iter().map(|operator| name(&operator.expect("it is valid"))).collect();
        }
    }
    assert_eq!(body.join(" "), expected);
}

fn name(operator: &wasmparser::Operator<'_>) -> String {
    let text = format!("{operator:?}");
    text.split([' ', '{']).next().expect("splitting gives at least one part").to_owned()
}

#[test]
fn a_dropped_float_goes_into_the_sink_by_its_bits() {
    check(
        "(module (func (param f32) local.get 0 drop))",
        "LocalGet I32ReinterpretF32 I64ExtendI32U GlobalGet I64Const I64Rotl I64Xor GlobalSet End",
    );
}

#[test]
fn unreachable_code_stays_as_it_is() {
    check("(module (func return drop unreachable))", "Return Drop Unreachable End");
}

#[test]
fn unreachable_leaves_its_block_with_default_values() {
    check("(module (func (result i64) (block (result i64) unreachable)))", "Block I64Const Br End End");
}

#[test]
fn a_loop_counts_its_rounds() {
    check(
        "(module (func (loop (br 0))))",
        "Loop LocalGet I32Const I32Add LocalTee I32Const I32GtU If Return End Br End End",
    );
}

#[test]
fn the_value_to_store_steps_aside_while_the_address_is_masked() {
    check(
        "(module (memory 1) (func (param i32 f64) local.get 0 local.get 1 f64.store))",
        "LocalGet LocalGet LocalSet I32Const I32And LocalGet F64Store End",
    );
}

#[test]
fn an_indirect_call_finds_a_function_of_its_type() {
    check(
        "(module (table 3 funcref) (func (param i32) local.get 0 local.get 0 call_indirect (param i32)))",
        "LocalGet LocalGet I64ExtendI32U GlobalGet I64Const I64Rotl I64Xor GlobalSet I32Const CallIndirect End",
    );
}

#[test]
fn only_judged_modules_make_their_own_nans_canonical() {
    let wat = "(module (func (param f32 f32) (result f32) local.get 0 local.get 1 f32.min f32.neg))";
    check(wat, "LocalGet LocalGet F32Min F32Neg End");
    let canonical = "LocalGet LocalGet F32Min LocalTee F32Const LocalGet LocalGet F32Eq Select F32Neg End";
    check_for(Profile::Judged, wat, canonical);
}

#[test]
fn vectors_are_made_canonical_lane_by_lane() {
    check_for(
        Profile::Judged,
        "(module (func (param v128) (result v128) local.get 0 f64x2.sqrt))",
        "LocalGet F64x2Sqrt LocalTee V128Const LocalGet LocalGet F64x2Eq V128Bitselect End",
    );
}

fn exports(wasm: &[u8]) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ExportSection(section) = payload.expect("the module is valid") {
            let exports = section.into_iter().map(|export| export.expect("it is valid"));
            found.extend(exports.map(|export| (export.name.to_owned(), export.index)));
        }
    }
    found
}

#[test]
fn judged_modules_export_the_sink_under_a_name_of_its_own() {
    let wasm =
        encode(r#"(module (global i32 (i32.const 0)) (func (export "sink")) (func (export "sink_")))"#);
    assert_eq!(exports(&rewrite(&wasm)).len(), 2);
    assert_eq!(exports(&rewrite_for(&wasm, Profile::Judged))[2], ("sink__".to_owned(), 1));
    let bare = rewrite_for(&encode("(module (func i32.const 1 drop))"), Profile::Judged);
    assert_eq!(exports(&bare), [("sink".to_owned(), 0)]);
}

/// Sections as (number, bytes).
fn sections(wasm: &[u8]) -> Vec<(u8, &[u8])> {
    let payloads = Parser::new(0).parse_all(wasm).map(|payload| payload.expect("the module is valid"));
    let sections = payloads.filter_map(|payload| payload.as_section());
    sections.map(|(id, range)| (id, &wasm[range.start as usize..range.end as usize])).collect()
}

#[test]
fn everything_but_globals_elements_and_code_stays_identical() {
    let wasm = encode(
        r#"(module (import "a" "b" (func (param i64))) (import "" "g" (global i32))
             (memory 1 2) (table 4 funcref) (global (mut f32) (f32.const 1))
             (export "f" (func $f)) (start $f) (elem (i32.const 3) $f)
             (data (i32.const 5) "bytes") (@custom "last" "kept")
             (func $f i32.const 1 drop))"#,
    );
    let rewritten = rewrite(&wasm);
    let untouched = |section: &(u8, &[u8])| ![GLOBAL_SECTION, ELEMENT_SECTION, 10].contains(&section.0);
    let before: Vec<_> = sections(&wasm).into_iter().filter(untouched).collect();
    let after: Vec<_> = sections(&rewritten).into_iter().filter(untouched).collect();
    assert_eq!(before, after);
    assert_eq!(sections(&wasm).len(), sections(&rewritten).len());
}

#[test]
fn missing_sections_are_added_in_their_place() {
    let rewritten = rewrite(&encode(r#"(module (import "" "t" (table 2 funcref)) (func))"#));
    let ids: Vec<_> = sections(&rewritten).iter().map(|section| section.0).collect();
    assert_eq!(ids, [1, 2, 3, GLOBAL_SECTION, ELEMENT_SECTION, 10]);
}
