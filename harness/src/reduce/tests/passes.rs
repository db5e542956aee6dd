//! What passes that change several places at once make of a case: that it is valid, smaller, and mostly shows the same.

use super::*;
use crate::case::{Action, CaseModule};
use crate::observe::Observation;

/// What each valid proposal of a pass makes of a case.
fn proposed(name: &str, case: &Case) -> Vec<Case> {
    let pass = PASSES.iter().chain(EXCHANGES).find(|pass| pass.name == name).expect("a pass has that name");
    let proposals = (pass.propose)(&Look::at(case)).into_iter();
    let cases = proposals.filter_map(|proposal| proposal.made(case, &Cost::of(case)));
    cases.filter(|case| case.modules.iter().all(|module| is_valid(&module.wasm))).collect()
}

fn text(case: &Case) -> String {
    let modules = case.modules.iter().map(|module| wasmprinter::print_bytes(&module.wasm));
    modules.collect::<Result<String, _>>().expect("it can be printed")
}

/// A case that instantiates modules called `m0`, `m1` and so on, and then calls `f` of the last.
fn calling(modules: &[&str], args: &[Value]) -> Case {
    let mut case = case_of("(module)");
    let wasm = modules.iter().map(|wat| case_of(wat).modules.remove(0).wasm);
    let named = |(number, wasm)| CaseModule { name: format!("m{number}"), wasm };
    case.modules = wasm.enumerate().map(named).collect();
    let last = modules.len() as u32 - 1;
    case.actions = (0..=last).map(|module| Action::Instantiate { module }).collect();
    case.actions.push(Action::Invoke { module: last, export: "f".into(), args: args.to_vec() });
    case.limits = crate::case::Limits { fuel: Some(1_000), ..crate::case::Limits::default() };
    case
}

fn observed(case: &Case) -> Observation {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let mut run = run_case(case, &[&subject], Capture::Digest);
    run.observations.remove(0).1
}

/// What the last action comes to.
fn outcome(case: &Case) -> Outcome {
    observed(case).actions.pop().expect("there is an action").outcome
}

/// The first proposal of a pass that shows the same as the case and whose text is as asked for.
fn same(name: &str, case: &Case, is_wanted: impl Fn(&str) -> bool) -> Case {
    let shown = outcome(case);
    assert!(matches!(shown, Outcome::Values(_)), "{shown:?}");
    let cases = proposed(name, case);
    let texts: Vec<String> = cases.iter().map(text).collect();
    let found = cases.into_iter().find(|case| is_wanted(&text(case)) && outcome(case) == shown);
    found.unwrap_or_else(|| panic!("{name} proposes none of that kind: {}", texts.join("\n")))
}

const SHARED_TYPE: &str = "(module (table 1 funcref) (elem (i32.const 0) $g) (type $t (func (param i32 i64) (result i32)))
    (func $g (type $t) (i32.add (local.get 0) (i32.const 1)))
    (func (export \"f\") (param f64 i32) (result i32)
        (i32.mul (call $g (local.get 1) (i64.const 77777))
            (call_indirect (type $t) (call $g (local.get 1) (i64.const 0)) (i64.const 88888) (i32.const 0)))))";

#[test]
fn a_parameter_that_is_not_used_goes_with_what_all_calls_give() {
    let case = calling(&[SHARED_TYPE], &[Value::F64(0), Value::I32(6)]);
    assert_eq!(outcome(&case), Outcome::Values(vec![Value::I32(56)]));
    let is_short = |text: &str| text.contains("(func (param i32) (result i32))") && !text.contains("i64");
    same("parameters and results", &case, is_short);
}

#[test]
fn an_exported_function_loses_a_parameter_and_its_calls_the_argument() {
    let case = calling(&[SHARED_TYPE], &[Value::F64(0), Value::I32(6)]);
    let shorter = same("parameters and results", &case, |text| !text.contains("f64"));
    let Some(Action::Invoke { args, .. }) = shorter.actions.last() else { panic!("{:?}", shorter.actions) };
    assert_eq!(*args, [Value::I32(6)]);
}

#[test]
fn a_parameter_that_is_used_becomes_a_local() {
    let wat = "(module (func $g (param i64 i64 i64) (result i64) (local i64)
            (i64.add (local.get 1) (i64.add (local.get 0) (local.get 2))))
        (func (export \"f\") (result i64) (call $g (i64.const 300) (i64.const 0) (i64.const 5))))";
    let case = calling(&[wat], &[]);
    same("parameters and results", &case, |text| text.contains("(param i64 i64) (result i64)"));
}

#[test]
fn one_function_alone_gets_another_type() {
    let wat =
        "(module (type $t (func (param i32 i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $g $h)
        (func $g (type $t) (i32.add (local.get 0) (local.get 1)))
        (func $h (type $t) (i32.eqz (local.get 0)))
        (func (export \"f\") (result i32) (i32.add
            (call_indirect (type $t) (i32.const 2) (i32.const 3) (i32.const 0))
            (call $h (i32.const 0) (i32.const 99999)))))";
    let case = calling(&[wat], &[]);
    let is_short = |text: &str| !text.contains("99999") && text.contains("(param i32 i32) (result i32)");
    same("parameters and results", &case, is_short);
}

#[test]
fn a_result_that_is_not_used_goes_with_what_makes_it() {
    let wat = "(module (func $g (param i32) (result i32 i64)
            (if (local.get 0) (then (return (i32.const 7) (i64.const 77777))))
            (i32.const 8) (i64.const 88888))
        (func (export \"f\") (result i32)
            (call $g (i32.const 0)) (drop) (call $g (i32.const 1)) (drop) (i32.add)))";
    let case = calling(&[wat], &[]);
    assert_eq!(outcome(&case), Outcome::Values(vec![Value::I32(15)]));
    same("parameters and results", &case, |text| !text.contains("i64") && !text.contains("drop"));
}

#[test]
fn a_parameter_that_is_used_stays_one_where_nothing_calls() {
    let wat = "(module (func (export \"f\") (param i32) (result i32) (local i32) (local.get 0)))";
    let proposed = proposed("parameters and results", &calling(&[wat], &[Value::I32(0)]));
    assert!(proposed.iter().all(|case| text(case).contains("(param i32)")), "{proposed:?}");
}

#[test]
fn what_a_block_takes_goes_past_it() {
    let wat = "(module (func (export \"f\") (result i32) (i32.const 1) (i64.const 2) (block (param i32 i64)
        (result i32 i64) (drop) (i64.const 3)) (drop)))";
    let is_empty =
        |text: &str| text.contains("i64.const 2") && !text.contains("i64.const 3") && text.contains("block");
    same("parameters of blocks", &calling(&[wat], &[]), is_empty);
}

#[test]
fn locals_that_nothing_uses_are_declared_together() {
    let wat = "(module (func (export \"f\") (result f64) (local i64 f32 i32 f64 i32) (local.get 3)))";
    same("locals", &calling(&[wat], &[]), |text| text.contains("(local f64 f64 f64 f64 f64)"));
}

#[test]
fn functions_stand_in_place_of_their_calls_and_are_gone() {
    let wat = "(module (func $g (param i32 i32 i64) (result i32) (local i32)
            (local.set 3 (local.get 1))
            (if (local.get 0) (then (return (local.get 3))))
            (loop (if (i32.eqz (local.get 0)) (then (br 2 (i32.const 5)))))
            (unreachable))
        (func (export \"f\") (param i32) (result i32) (local i32)
            (block (result i32) (call $g (local.get 0) (i32.const 40) (i64.const 1)))
            (i32.add (call $g (i32.const 0) (local.get 1) (i64.const 2)))))";
    for (arg, sum) in [(1, 45), (0, 10)] {
        let case = calling(&[wat], &[Value::I32(arg)]);
        assert_eq!(outcome(&case), Outcome::Values(vec![Value::I32(sum)]));
        same("calls", &case, |text| !text.contains("call") && text.matches("(func (;").count() == 1);
    }
}

#[test]
fn several_results_come_out_of_a_block_with_the_functions_type() {
    let wat = "(module (func $g (param i32) (result i32 i32)
            (if (local.get 0) (then (return (i32.const 1) (i32.const 2)))) (i32.const 3) (i32.const 4))
        (func (export \"f\") (result i32 i32) (call $g (i32.const 1))))";
    let case = calling(&[wat], &[]);
    same("calls", &case, |text| !text.contains("call") && text.contains("br 1"));
}

#[test]
fn what_calls_itself_or_leaves_its_frame_to_others_is_not_put_elsewhere() {
    let wat = "(module (func $g (call $g)) (func $h (return_call $f)) (func $f (export \"f\") (call $g) (call $h)))";
    assert_eq!(proposed("calls", &calling(&[wat], &[])), []);
}

#[test]
fn numbers_become_narrower_in_a_module_and_in_its_calls() {
    let wat = "(module (memory 1) (global $g (mut i64) (i64.const 1))
        (func (export \"f\") (param i64 f64) (result i32) (local i64)
            (global.set $g (i64.add (local.get 0) (i64.load align=8 (i32.const 8))))
            (i64.store32 (i32.const 8) (select (result i64) (global.get $g) (local.get 2) (i32.const 1)))
            (drop (block (result f64) (f64.promote_f32 (f32.demote_f64 (f64.const 1.5)))))
            (i32.wrap_i64 (i64.extend_i32_u (i32.load (i32.const 8))))))";
    let case = calling(&[wat], &[Value::I64(6), Value::F64(0x3ff8 << 48)]);
    let narrower = same("narrower numbers", &case, |text| !text.contains("64"));
    let Some(Action::Invoke { args, .. }) = narrower.actions.last() else { panic!("{:?}", narrower.actions) };
    assert_eq!(*args, [Value::I32(6), Value::F32(0x3fc0_0000)]);
    let are_floats_left = |text: &str| !text.contains("i64") && text.contains("f64.const");
    same("narrower numbers", &case, are_floats_left);
}

#[test]
fn numbers_become_narrower_in_a_function_or_an_expression_alone() {
    let wat = "(module (func (export \"f\") (param i64) (result i64)
            (local.set 0 (i64.extend_i32_u (i32.wrap_i64 (i64.mul (i64.const 3) (i64.const 4)))))
            (local.get 0))
        (func (export \"g\") (local i64) (drop (local.get 0)) (drop (i64.const 9))))";
    let case = calling(&[wat], &[Value::I64(0)]);
    same("narrower numbers", &case, |text| text.contains("i32.mul") && text.contains("i64.extend_i32_u"));
    same("narrower numbers", &case, |text| text.contains("(local i32)") && text.contains("i64.mul"));
}

/// A module that others import everything from, by the name of `m0`.
const PROVIDER: &str = "(module (import \"host\" \"g\" (global i32))
    (type (func (param f32))) (type $t (func (param i32) (result i32)))
    (memory (export \"m\") 1) (data (i32.const 4) \"\\05\")
    (table (export \"t\") 2 funcref) (elem (i32.const 0) $five)
    (global (export \"g\") (mut i32) (i32.const 100))
    (tag (export \"e\") (type 0))
    (func $five (type $t) (i32.add (local.get 0) (i32.load8_u (i32.const 4))))
    (func (export \"f\") (type $t) (i32.mul (local.get 0) (i32.const 2))))";

const IMPORTER: &str = "(module (import \"host\" \"h\" (global i32)) (import \"m0\" \"f\" (func $double (param i32) (result i32)))
    (import \"m0\" \"m\" (memory 1)) (import \"m0\" \"t\" (table 1 funcref)) (import \"m0\" \"g\" (global $g (mut i32)))
    (import \"m0\" \"e\" (tag (param f32)))
    (type $t (func (param i32) (result i32))) (elem (i32.const 1) $own) (data $d \"\\03\") (memory $own 1)
    (start $begin)
    (func $begin (memory.init $d (i32.const 5) (i32.const 0) (i32.const 1)))
    (func $own (type $t) (i32.add (local.get 0) (i32.load8_u (i32.const 5))))
    (func (export \"f\") (param i32) (result i32)
        (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (i32.store $own (i32.const 0) (call $double (local.get 0)))
        (i32.add (global.get $g) (i32.mul (i32.load $own (i32.const 0))
            (i32.add (call_indirect (type $t) (i32.const 10) (i32.const 0))
                (call_indirect (type $t) (i32.const 20) (i32.const 1)))))))";

#[test]
fn a_module_and_one_that_it_imports_from_become_one() {
    let case = calling(&[PROVIDER, IMPORTER], &[Value::I32(3)]);
    assert_eq!(outcome(&case), Outcome::Values(vec![Value::I32(101 + 6 * 38)]));
    let merged = same("modules in one", &case, |text| text.matches("(module").count() == 1);
    assert!(!text(&merged).contains("\"m0\""), "{}", text(&merged));
    let Some(Action::Invoke { module: 0, export, .. }) = merged.actions.last() else { panic!("{merged:?}") };
    assert_eq!(export, "f+", "both have an export of that name");
    assert_eq!(merged.actions.len(), 2);
}

#[test]
fn who_imports_from_one_of_two_that_become_one_imports_from_that() {
    let third = "(module (import \"m1\" \"f\" (func (param i32) (result i32))) (import \"m0\" \"g\" (global (mut i32)))
        (func (export \"f\") (result i32) (i32.add (call 0 (i32.const 3)) (global.get 0))))";
    let case = calling(&[PROVIDER, IMPORTER, third], &[]);
    assert_eq!(outcome(&case), Outcome::Values(vec![Value::I32(2 * 101 + 6 * 38)]));
    same("modules in one", &case, |text| text.contains("\"m0\" \"f+\""));
    let all = proposed("modules in one", &case);
    let again: Vec<Case> = all.iter().flat_map(|case| proposed("modules in one", case)).collect();
    assert!(again.iter().any(|one| one.modules.len() == 1 && outcome(one) == outcome(&case)));
}

#[test]
fn modules_that_have_nothing_from_each_other_and_those_that_both_start_stay_apart() {
    let start = "(module (global (export \"g\") i32 (i32.const 1)) (func $s) (start $s))";
    let both =
        calling(&[start, "(module (import \"m0\" \"g\" (global i32)) (func (export \"f\")) (start 0))"], &[]);
    assert_eq!(proposed("modules in one", &both), []);
    let strangers = calling(&[start, "(module (func (export \"f\")))"], &[]);
    assert_eq!(proposed("modules in one", &strangers), []);
}

#[test]
fn what_comes_from_another_module_becomes_a_definition_and_that_module_goes() {
    let case = calling(&[PROVIDER, IMPORTER], &[Value::I32(3)]);
    let imports = |case: &Case| text(case).matches("(import \"m0\"").count();
    let mut alone = case.clone();
    while let Some(next) =
        proposed("imports", &alone).into_iter().find(|next| imports(next) < imports(&alone))
    {
        alone = next;
    }
    assert_eq!(imports(&alone), 0, "{}", text(&alone));
    assert!(proposed("modules", &alone).iter().any(|case| case.modules.len() == 1));
    let leaves_hosts = |case: &Case| text(case).contains("\"m0\"");
    assert!(!proposed("modules", &case).iter().any(leaves_hosts), "imports are not to become a host's");
}

#[test]
fn addresses_of_64_bits_become_those_of_32() {
    let wat = "(module (memory i64 1) (table i64 1 funcref) (data (i64.const 3) \"abc\")
        (func (export \"f\") (result i32) (i32.load8_u offset=1 (i64.const 3))))";
    same("narrower numbers", &calling(&[wat], &[]), |text| !text.contains("i64"));
}

#[test]
fn a_memory_begins_small_where_a_table_cannot() {
    let wat = "(module (memory 7) (table 1 funcref) (elem (i32.const 0) $g) (func $g)
        (func (export \"f\") (result i32) (i32.const 7)))";
    let is_small = |text: &str| text.contains("(memory (;0;) 0)") && text.contains("(table (;0;) 1 funcref)");
    same("segments, globals and limits of memories", &calling(&[wat], &[]), is_small);
}

#[test]
fn an_instruction_is_exchanged_for_the_first_that_takes_and_gives_the_same() {
    let wat = "(module (memory 1) (func (export \"f\") (result i32)
        (drop (f64.load align=1 (i32.const 0))) (i32.sub (i32.load16_s (i32.const 0)) (i32.const 0))))";
    let case = calling(&[wat], &[]);
    same("opcodes", &case, |text| text.contains("i32.eq") || text.contains("i32.add"));
    same("opcodes", &case, |text| !text.contains("i32.load16_s"));
    same("opcodes", &case, |text| !text.contains("f64.load"));
}

#[test]
fn a_store_is_exchanged_for_a_load() {
    let wat = "(module (memory 1) (func (export \"f\") (i64.store offset=8 (i32.const 4) (i64.const 0))))";
    same("stores", &calling(&[wat], &[]), |text| !text.contains("store") && text.contains("load offset=8"));
}

#[test]
fn a_jump_table_of_one_label_is_a_jump() {
    let wat = "(module (func (export \"f\") (param i32) (result i32)
        (block (result i32) (br_table 0 (i32.const 7) (local.get 0)))))";
    let case = calling(&[wat], &[Value::I32(3)]);
    same("jump tables", &case, |text| text.contains("br 0") && !text.contains("local.get"));
}

#[test]
fn calls_lose_tail_and_reference() {
    let wat = "(module (type (func (param i32) (result i32))) (elem declare func 0)
        (func (type 0) (i32.add (local.get 0) (i32.const 1)))
        (func (type 0) (return_call_ref 0 (local.get 0) (ref.func 0)))
        (func (export \"f\") (param i32) (result i32) (return_call 1 (local.get 0))))";
    let case = calling(&[wat], &[Value::I32(6)]);
    same("plain calls", &case, |text| !text.contains("return_call 1"));
    same("plain calls", &case, |text| text.contains("return_call 0") && !text.contains("call_ref"));
    same("plain calls", &case, |text| text.contains("call_ref") && !text.contains("return_call_ref"));
}

#[test]
fn what_follows_a_statement_is_given_up_with_it() {
    let wat = "(module (func (export \"f\") (param i32) (result i32)
        (drop (local.get 0)) (local.set 0 (i32.const 3)) (local.get 0)))";
    let cases = proposed("ends", &calling(&[wat], &[Value::I32(6)]));
    let texts: Vec<String> = cases.iter().map(text).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts.iter().all(|text| text.contains("unreachable") && !text.contains("i32.const 3")),
        "{texts:?}"
    );
}

#[test]
fn constants_of_an_instruction_are_hidden_in_globals() {
    let wat = "(module (global i32 (i32.const 5)) (func (export \"f\") (param i32) (result i32)
        (i32.mul (i32.shl (local.get 0) (i32.const 33)) (i32.const 2))))";
    let case = calling(&[wat], &[Value::I32(6)]);
    let look = Look::at(&case);
    let shift = look.bodies()[0][0].nodes.iter().find(|node| node.opcode.text() == "i32.shl");
    let hidden = without_constants(&case, 0, shift.expect("it is there").at).expect("it takes one");
    let shown = text(&hidden);
    assert!(shown.contains("global.get 1") && shown.contains("(mut i32) i32.const 33"), "{shown}");
    assert!(shown.contains("i32.const 2"), "only its own: {shown}");
    assert_eq!(outcome(&hidden), outcome(&case));
    let constant = look.bodies()[0][0].nodes.iter().find(|node| node.opcode.text() == "i32.const");
    assert_eq!(without_constants(&case, 0, constant.expect("it is there").at), None);
}
