//! Lies that the engine is brought to tell: two cases that differ in one thing.

use super::{Field, Lie, Shows, Specimen, Twins, answers, plan};
use crate::case::{HostPlan, RefValue, Value};
use crate::hosts;
use Field::*;

/// The lies.
pub(super) fn lies() -> Vec<Lie> {
    vec![
        lie("result-i32", &[], &[r#"(module (func (export "f") (result i32) i32.const {7|-2147483641}))"#]).seen("?", "?"),
        lie("result-i64", &[], &[r#"(module (func (export "f") (result i64) i64.const {7|-9223372036854775801}))"#]).seen("?", "?"),
        lie("result-f32-zero", &[], &[r#"(module (func (export "f") (result f32) f32.const {0|-0}))"#]).seen("?", "?"),
        lie("result-f64-nan", &[], &[r#"(module (func (export "f") (result i32 f64) i32.const 1 f64.const {nan|-nan}))"#]).seen("?", "?").unseen_without(&["nan_bits"]),
        lie("result-count", &[], &[r#"(module (func (export "f") {(result i32)|(result i32 i32)} i32.const 1 {nop|i32.const 1}))"#]).seen("?", "?"),
        lie("result-null", &[], &[r#"(module (func $g) (elem declare func $g) (func (export "f") (result funcref) {ref.null func|ref.func $g}))"#]).seen("?", "?"),
        lie("result-extern", &[], &[r#"(module (func (export "f") (param externref) (result externref) local.get 0))"#]).args(|is_lying| vec![Value::Ref(RefValue::Extern(if is_lying { 1 << 31 } else { 1 }))]).seen("?", "?"),
        lie("result-function", &[], &[r#"(module (func $a) (func $b) (elem declare func $a $b) (func (export "f") (result funcref) ref.func {$a|$b}))"#]).seen("?", "?").unseen_without(&["function_identity"]),
        lie("result-function-instance", &[], &[r#"(module (func (export "g") unreachable))"#, r#"(module (func (export "g") unreachable))"#, r#"(module (import "m0" "g" (func $a)) (import "m1" "g" (func $b)) (elem declare func $a $b) (func (export "f") (result funcref) ref.func {$a|$b}))"#]).seen("?", "?").unseen_without(&["function_identity"]),
        lie("result-host-function", &[], &[r#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b)) (elem declare func $a $b) (func (export "f") (result funcref) ref.func {$a|$b}))"#]).seen("?", "?").unseen_without(&["function_identity"]),
        lie("trap-kind", &[], &[r#"(module (func (export "f") (result i32) (i32.div_s (i32.const -2147483648) (i32.const {0|-1}))))"#]).seen("?", "?"),
        lie("trap-kind-of-callee", &[], &[r#"(module (type $t (func)) (table funcref (elem (ref.null func) (ref.func $g))) (func $g (param i32)) (func (export "f") (call_indirect (type $t) (i32.const {0|1}))))"#]).seen("?", "?").unseen_without(&["unfit_callees"]),
        lie("trap-kind-of-float", &[], &[r#"(module (func (export "f") (result i32) (i32.trunc_f32_s (f32.const {nan|3e9}))))"#]).seen("?", "?").unseen_without(&["unfit_floats"]),
        lie("trap-site", &[], &[r#"(module (func (export "f") {(block)|} unreachable {|(block)}))"#]).seen("?", "?").unseen_without(&["trap_sites", "backtraces"]),
        lie("frame-offset-of-caller", &[], &[r#"(module (func $t unreachable) (func (export "f") {(block)|} call $t {|(block)}))"#]).seen("?", "?").unseen_without(&["backtraces"]),
        lie("frame-function", &[], &[r#"(module (func $t unreachable) (func $a call $t) (func $b call $t) (func (export "f") call {$a|$b}))"#]).seen("?", "?").unseen_without(&["backtraces"]),
        lie("frame-instance", &[], &[r#"(module (func (export "g") unreachable))"#, r#"(module (func (export "g") unreachable))"#, r#"(module (import "m0" "g" (func $a)) (import "m1" "g" (func $b)) (func (export "f") call {$a|$b}))"#]).seen("?", "?").unseen_without(&["backtraces"]),
        lie("frame-name", &[], &[r#"(module (func ${a|b} unreachable) (func (export "f") call ${a|b}))"#]).in_full("?", "?").unseen_without(&["backtraces"]),
        lie("frame-in-the-middle", &[], &[r#"(module (func $f (param i32) (if (i32.eqz (local.get 0)) (then unreachable)) (if (i32.eq (local.get 0) (i32.const {-1|72})) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (call $f (i32.sub (local.get 0) (i32.const 1)))))) (func (export "f") (call $f (i32.const 100))))"#]).seen("?", "?").unseen_without(&["backtraces"]),
        lie("exhausted-limit", &[], &[r#"(module (func $f (export "f") {(loop (br 0))|call $f}))"#]).seen("?", "?").unseen_without(&["fuel", "depth"]),
        lie("limit", &[], &[r#"(module (memory 2) (func (export "f")))"#]).memory_bytes(|is_lying| if is_lying { 1 << 16 } else { 1 << 20 }).seen("?", "?").unseen_without(&["depth"]),
        lie("link", &[], &[r#"(module (global (export "{g|h}") i32 (i32.const 0)))"#, r#"(module (import "m0" "g" (global i32)) (func (export "f")))"#]).seen("?", "?"),
        lie("usage", &[], &[r#"(module (func (export "{f|g}")))"#]).seen("?", "?"),
        lie("host-arg", &[], &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f") (call $a (i64.const {7|-9223372036854775801}))))"#]).seen("?", "?"),
        lie("host-import", &[], &[r#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b)) (func (export "f") call {$a|$b}))"#]).seen("?", "?"),
        lie("host-import-name", &[], &[r#"(module (import "env" "{a|b}" (func $a)) (func (export "f") call $a))"#]).seen("?", "?"),
        lie("host-result", &[], &[r#"(module (import "env" "a" (func $a (result i64))) (func (export "f") (drop (call $a))))"#]).hosts(|is_lying| plan(answers, usize::from(is_lying))).seen("?", "?"),
        lie("host-note", &[], &[r#"(module (import "env" "a" (func $a (param i32 i32))) (memory (export "m") 1) (func (export "f") (i32.store (i32.const 16) (i32.const {1|2})) (call $a (i32.const 16) (i32.const 8)) (i32.store (i32.const 16) (i32.const 0))))"#]).hosts(|_| plan(|plan| hosts::reads(plan, 0), 0)).seen("?", "?"),
        lie("host-call-5", &[], &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f") (local i32) (loop (call $a (i64.extend_i32_u (i32.eq (local.get 0) (i32.const {-1|4})))) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 301))))))"#]).seen("?", "?"),
        lie("host-call-300", &[], &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f") (local i32) (loop (call $a (i64.extend_i32_u (i32.eq (local.get 0) (i32.const {-1|299})))) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 301))))))"#]).seen("?", "?").unseen_without(&["nan_bits", "function_identity"]),
        lie("host-call-count", &[], &[r#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b)) (func (export "f") (if (i32.const {0|1}) (then (call $a)) (else nop))))"#]).seen("?", "?"),
        lie("host-call-before-trap", &[], &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f") (call $a (i64.const {1|2})) unreachable))"#]).seen("?", "?"),
        lie("fuel", &[], &[r#"(module (func (export "f") {nop|(block)}))"#]).seen("?", "?").unseen_without(&["fuel"]),
        lie("fuel-after-trap", &[], &[r#"(module (func (export "f") {nop nop nop|(block)} unreachable))"#]).seen("?", "?").unseen_without(&["fuel"]),
        lie("global", &[], &[r#"(module (global $g (mut i32) (i32.const 0)) (func (export "f") (global.set $g (i32.const {1|2}))))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("global-after-trap", &[], &[r#"(module (global (mut f32) (f32.const 1)) (global $g (mut f32) (f32.const 1)) (func (export "f") (global.set $g (f32.const {0|-0})) unreachable))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("global-exported", &[], &[r#"(module (global $g (export "g") (mut f64) (f64.const 0)) (func (export "f") (global.set $g (f64.const {1|2}))))"#]).seen("?", "?"),
        lie("global-of-another-instance", &[], &[r#"(module (global $g (mut i64) (i64.const 0)) (func (export "s") (param i64) (global.set $g (local.get 0))))"#, r#"(module (import "m0" "s" (func $s (param i64))) (func (export "f") (call $s (i64.const {1|2}))))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("memory-byte", &[], &[r#"(module (memory 1) (func (export "f") (i32.store8 (i32.const 0) (i32.const {1|2}))))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("memory-last-byte", &[], &[r#"(module (memory (export "m") 3) (func (export "f") (i32.store8 (i32.const 196607) (i32.const {0|128}))))"#]).seen("?", "?"),
        lie("memory-after-trap", &[], &[r#"(module (memory 1) (func (export "f") (i32.store8 (i32.const 4096) (i32.const {1|2})) unreachable))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("memory-second", &[], &[r#"(module (memory 1) (memory $n 1) (func (export "f") (i32.store8 $n (i32.const 7) (i32.const {1|2}))))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("memory-size", &[], &[r#"(module (memory 1) (func (export "f") (drop (memory.grow (i32.const {0|1})))))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("memory-which", &[], &[r#"(module (memory (export "a") 1) (memory (export "b") 1))"#, r#"(module (import "m0" "{a|b}" (memory 1)) (func (export "f")))"#]).by_digest("?", "?").unseen_without(&["internal_state"]),
        lie("table-size", &[], &[r#"(module (table 1 funcref) (func (export "f") (drop (table.grow (ref.null func) (i32.const {0|1})))))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("table-element", &[], &[r#"(module (table 2 funcref) (func $a) (func $b) (elem declare func $a $b) (func (export "f") (table.set (i32.const 1) (ref.func {$a|$b}))))"#]).seen("?", "?").unseen_without(&["internal_state", "function_identity"]),
        lie("table-element-after-trap", &[], &[r#"(module (table 2 funcref) (func $a) (func $b) (elem declare func $a $b) (func (export "f") (table.set (i32.const 1) (ref.func {$a|$b})) unreachable))"#]).seen("?", "?").unseen_without(&["internal_state", "function_identity"]),
        lie("table-null", &[], &[r#"(module (table (export "t") 2 funcref) (func $a) (elem declare func $a) (func (export "f") (table.set (i32.const 1) {(ref.null func)|(ref.func $a)})))"#]).seen("?", "?"),
        lie("table-extern", &[], &[r#"(module (table 2 externref) (func (export "f") (param externref) (table.set (i32.const 1) (local.get 0))))"#]).args(|is_lying| vec![Value::Ref(RefValue::Extern(if is_lying { 1 << 31 } else { 1 }))]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("dropped-elem", &[], &[r#"(module (func $a) (elem func) (elem func $a) (func (export "f") {nop|elem.drop 1}))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("dropped-data", &[], &[r#"(module (data "a") (data "b") (func (export "f") {nop|data.drop 1}))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("dropped-data-after-trap", &[], &[r#"(module (data "a") (data "b") (func (export "f") {nop (block)|data.drop 1 nop} unreachable))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("instances", &[], &[r#"(module (func (export "f")))"#]).actions("0 {0|f}").seen("?", "?").unseen_without(&["internal_state"]),
        lie("instance-of-module", &[], &[r#"(module (func (export "f")))"#, r#"(module (func (export "f")))"#]).actions("{0 1|1 0}").seen("?", "?").unseen_without(&["internal_state"]),
        lie("export", &[], &[r#"(module (global i32 (i32.const 0)) (global i32 (i32.const 0)) (export "a" (global {0|1})) (export "b" (global {1|0})) (func (export "f")))"#]).seen("?", "?").unseen_without(&["internal_state"]),
        lie("export-name", &[], &[r#"(module (global i32 (i32.const 0)) (export "{a|b}" (global 0)) (func (export "f")))"#]).seen("?", "?"),
    ]
}

/// A lie about these fields, of these modules; each is instantiated, then `f` of the last is called.
fn lie(name: &'static str, fields: &'static [Field], modules: &'static [&'static str]) -> Lie {
    let actions = ["0 f", "0 1 f", "0 1 2 f"][modules.len() - 1];
    let twins = Twins {
        modules,
        actions,
        args: |_| Vec::new(),
        hosts: |_| plan(answers, 0),
        memory_bytes: |_| 1 << 20,
    };
    Lie { name, fields, shows: Shows::Nothing(""), unseen_without: &[], specimen: Specimen::Twins(twins) }
}

impl Lie {
    fn twins(self, change: impl FnOnce(&mut Twins)) -> Lie {
        let mut specimen = self.specimen;
        if let Specimen::Twins(twins) = &mut specimen {
            change(twins);
        }
        Lie { specimen, ..self }
    }

    fn actions(self, actions: &'static str) -> Lie {
        self.twins(|twins| twins.actions = actions)
    }

    fn args(self, args: fn(bool) -> Vec<Value>) -> Lie {
        self.twins(|twins| twins.args = args)
    }

    fn hosts(self, hosts: fn(bool) -> HostPlan) -> Lie {
        self.twins(|twins| twins.hosts = hosts)
    }

    fn memory_bytes(self, bytes: fn(bool) -> u64) -> Lie {
        self.twins(|twins| twins.memory_bytes = bytes)
    }
}
