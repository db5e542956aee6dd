//! That every handler of an optimised build goes on by a jump.

use super::*;
use crate::tests::handlers::noted;
use crate::tests::jumps::{Handler, violations};
use std::collections::BTreeSet;

/// Sources of the instructions.
const SOURCES: [&str; 6] = [
    include_str!("../context.rs"),
    include_str!("../handlers/access.rs"),
    include_str!("../handlers/bulk.rs"),
    include_str!("../handlers/call.rs"),
    include_str!("../handlers/control.rs"),
    include_str!("../handlers/numeric.rs"),
];

/// Names of all types that are instructions.
fn kinds() -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for source in SOURCES {
        let words = source.split_whitespace().collect::<Vec<_>>().join(" ");
        for implementation in words.split(" Op for ").skip(1) {
            let end =
                implementation.find(|c: char| !c.is_alphanumeric()).expect("a type is followed by more");
            kinds.insert(implementation[..end].to_string());
        }
    }
    kinds
}

/// Name of an instruction's type, without path and arguments.
fn kind(name: &str) -> &str {
    let path = name.split('<').next().expect("a first part");
    path.rsplit("::").next().expect("a last part")
}

/// Functions whose code has all kinds of instructions, with operands in all places, but for those that
/// come from the tables.
const TEXT: &str = "(module
    (import \"host\" \"add\" (func $add (param i32 i32) (result i32)))
    (type $t (func)) (type $f (func (param i32) (result i32)))
    (memory 1) (table 2 funcref) (global $x (mut i32) (i32.const 1)) (data \"\") (elem func $g)
    (func $g) (func $one (param i32) (result i32) (local.get 0)) (func $two (result i32) (i32.const 2))
    (func $three (param i32 i32 i32))
    (func $many (param i32 i32 i32 i32 i32) (result i32 i32 i32 i32 i32)
        (block (result i32 i32 i32 i32 i32)
            (i32.const 1) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
            (br_if 0 (local.get 0)) (br 0)))
    (func (return_call $g)) (func (return_call_ref $t (ref.func $g)))
    (func (param i32) (return_call_indirect (type $t) (local.get 0)))
    (func (param i32) (return_call_indirect (type $t) (i32.eqz (local.get 0))))
    (func (param i32 i32) (result i32) (return_call $add (local.get 0) (local.get 1)))
    (func (param i32) (result i64 i32 i32 i32)
        (call $g) (drop (call $add (local.get 0) (i32.eqz (local.get 0)))) (call_ref $t (ref.func $g))
        (call_indirect (type $t) (local.get 0)) (call_indirect (type $t) (i32.eqz (local.get 0)))
        (global.set $x (global.get $x)) (global.set $x (local.get 0)) (global.set $x (i32.const 1))
        (block (block (br_table 0 1 (local.get 0)))) (block (block (br_table 0 1 (i32.eqz (local.get 0)))))
        (if (local.get 0) (then (unreachable)) (else (drop (ref.as_non_null (ref.func $g)))))
        (local.set 0 (i32.const 1)) (call $three (local.get 0) (global.get $x) (local.get 0))
        (call $three (local.get 0) (local.get 0) (local.get 0)) (drop (call $one (local.tee 0 (call $two))))
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) (drop (memory.grow (memory.size)))
        (memory.copy (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 0)
        (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))
        (table.set (i32.const 1) (table.get (i32.const 0))) (drop (table.size)) (elem.drop 0)
        (drop (table.grow (ref.null func) (i32.const 0))) (table.fill (i32.const 1) (ref.func $g) (i32.const 1))
        (table.copy (i32.const 1) (i32.const 0) (i32.const 1))
        (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0))
        (i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)) (drop) (drop)
        (i64.sub128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)) (drop) (drop)
        (i64.mul_wide_s (i64.const 1) (i64.const 1)) (drop) (drop)
        (i64.mul_wide_u (i64.const 1) (i64.const 1)) (drop) (drop)
        (i64.const 0x100000000) (local.get 0) (local.get 0) (local.get 0) (local.set 0 (i32.const 1)))
    (func (export \"f\")))";

#[test]
fn every_handler_ends_in_a_jump() {
    // Some handlers are asked for when code is prepared, some when it runs.
    assert_eq!(run(TEXT, &[]), Ok(vec![]));
    instantiate(&config().fuel(true), TEXT);
    // More operands than a field can number.
    let deep = format!(
        "(module (func (param i32) {} {}))",
        "(local.get 0)".repeat(70_000),
        "(block)".to_string() + &"(drop)".repeat(70_000)
    );
    instantiate(&config(), &deep);
    let noted = noted();
    let seen: BTreeSet<&str> = noted.values().map(|name| kind(name)).collect();
    let missing: Vec<String> = kinds().into_iter().filter(|kind| !seen.contains(kind.as_str())).collect();
    assert!(missing.is_empty(), "no handler was made of {missing:?}");
    let handlers: Vec<Handler> = noted
        .iter()
        .map(|(address, name)| Handler {
            address: *address,
            name: name.to_string(),
            continues: !["Exit", "Unreachable"].contains(&kind(name)),
        })
        .collect();
    let wrong = violations(&handlers);
    assert!(wrong.is_empty(), "{} of {} handlers:\n{}", wrong.len(), handlers.len(), wrong.join("\n"));
}
