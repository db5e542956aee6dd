//! Side tables, and the checker that proves them.

use super::*;
use crate::interp::ModuleCode;
use crate::interp::side_table::{Charge, Entry, Transfer};
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::types::TypeRegistry;
use std::sync::Arc;

fn compile(text: &str, fuel: bool) -> ModuleCode {
    let module = ModuleInner::decode(assemble(text).into(), &TypeRegistry::default()).unwrap();
    ModuleCode::new(Arc::new(module), fuel)
}

#[test]
fn tables_of_many_branches_are_right() {
    let text = "(module
        (type $t (func (param i32 i64) (result i64)))
        (func (result i32)
            (i32.const 3)
            (loop (param i32) (result i32)
                (drop)
                (block (result i32)
                    (i64.const 5) (i32.const 1) (br_if 0 (i32.const 2))
                    (br_table 0 1 2 0 (i32.const 3)))
                (if (param i32) (result i32) (i32.const 4) (then (br 1)) (else (i32.const 1) (i32.sub)))
                (br_if 0 (i32.const 0)))
            (return))
        (func (type $t)
            (local.get 1) (if (i32.const 0) (then (nop))) (call 1 (i32.const 0) (i64.const 1)) (drop) (drop)
            (block (drop (br_on_null 0 (ref.null $t))))
            (drop (block (result (ref $t)) (i32.const 0) (br_on_non_null 0 (ref.null $t)) (unreachable)))
            (i64.const 1) (br 0) (block (br 1 (i64.const 2))) (drop)))";
    for fuel in [false, true] {
        compile(text, fuel).check().unwrap();
    }
}

#[test]
fn the_checker_notices_any_change_of_a_live_entry() {
    let text = "(module (func (param i32) (result i32)
        (block (result i32)
            (i64.const 5) (i32.const 1) (br_if 0 (local.get 0)) (local.get 0) (br_table 0 1 0))
        (if (result i32) (local.get 0) (then (i32.const 8)) (else (nop) (loop (br_if 0 (local.get 0)))
            (call 0 (i32.const 1)))) (i32.add)))";
    for fuel in [false, true] {
        let mut code = compile(text, fuel);
        code.check().unwrap();
        for position in 0..code.entries.len() {
            let right = code.entries[position];
            for wrong in changes(right) {
                code.entries[position] = wrong;
                assert!(code.check().is_err(), "entry {position}: {:?} for {:?}", wrong, right);
            }
            code.entries[position] = right;
        }
    }
}

#[test]
fn tables_count_the_slots_of_vectors_and_not_the_vectors() {
    let text = "(module
        (type $pair (func (param v128 i32) (result i32 v128)))
        (global $v (mut v128) (v128.const i64x2 1 2))
        (func (type $pair) (local v128)
            (local.get 0) (local.get 1) (block (type $pair)
                (global.set $v (local.get 2)) (drop) (local.set 2) (i64.const 3) (global.get $v)
                (br_if 1 (i32.const 4) (local.tee 2 (global.get $v)) (i32.const 5))
                (br_table 0 1 0 (local.get 1)))
            (drop) (drop)
            (call 0 (select (local.get 0) (local.get 2) (local.get 1)) (i32.const 6))
            (return (i32.const 7) (select (result v128) (local.get 0) (local.get 2) (local.get 1))))
        (func (result v128)
            (v128.const i64x2 1 2)
            (loop (param v128) (result v128)
                (br_if 0 (v128.not) (i32.const 1))
                (if (param v128) (result v128) (i32.const 1)
                    (then (br 1) (drop) (drop) (unreachable)) (else (i64x2.neg)))
                (v128.const i64x2 1 2) (br 0 (local.tee 0 (v128.const i64x2 3 4))))))";
    let text = text.replace("(func (result v128)", "(func (result v128) (local v128)");
    for fuel in [false, true] {
        compile(&text, fuel).check().unwrap();
    }
    let one = "(module (func (param v128 i32) (result v128)
        (block (result v128) (local.get 1) (br_if 1 (local.get 0) (local.get 1)) (br 0) (drop))))";
    let lines = compile(one, false).describe(DefinedFuncIndex(0));
    let moves = |line: &crate::ExplainedLine| line.text.split("keep").nth(1).map(str::to_owned);
    assert_eq!(lines.iter().filter_map(moves).collect::<Vec<_>>(), [" 2 drop 1", " 2 drop 1"]);
}

fn changes(entry: Entry) -> Vec<Entry> {
    let Transfer { pc, stp, keep_slots, drop_slots } = entry.transfer();
    let Charge { cost, site } = entry.charge();
    vec![
        Transfer { pc: pc ^ 1, stp, keep_slots, drop_slots }.into(),
        Transfer { pc, stp: stp ^ 1, keep_slots, drop_slots }.into(),
        Charge { cost: cost ^ 1, site: site ^ 1 }.into(),
    ]
}

#[test]
fn a_description_names_targets_and_charges() {
    let text = "(module (func (param i32) (result i32)
        (block (result i32) (i64.const 5) (i32.const 1) (br_if 0 (local.get 0)) (br 1)) (nop)))";
    let start = World::new(&text.replace("(func", "(func (export \"f\")")).find(&[0x02, 0x7f]);
    let shift = start - compile(text, true).module.bodies[0].code.start;
    assert!(shift > 0, "an export makes the module longer");
    let lines = compile(text, true).describe(DefinedFuncIndex(0)).into_iter();
    let start = compile(text, true).module.bodies[0].code.start;
    let at = |plus: u32| format!("{:#06x}", start + plus);
    assert_eq!(
        lines.map(|line| format!("{:#06x} {}", line.offset, line.text)).collect::<Vec<_>>(),
        [
            format!("{} entry          charge 4 at {}", at(0), at(2)),
            format!("{} br_if          -> {} stp 4 keep 1 drop 1", at(8), at(13)),
            format!("{} br_if          charge 1 at {}", at(8), at(10)),
            format!("{} br             -> {} stp 5 keep 1 drop 1", at(10), at(14)),
            format!("{} end            charge 1 at {}", at(12), at(13)),
            format!("{} end            charge 0", at(14)),
        ]
    );
    assert_eq!(compile(text, false).describe(DefinedFuncIndex(0)).len(), 2);
}
