//! Lies that the engine is brought to tell: two cases that differ in one thing.

use super::{Field, Lie, Shows, Specimen, Twins, answers, plan};
use crate::case::{HostPlan, RefValue, Value};
use crate::hosts;
use Field::*;

/// The lies.
pub(super) fn lies() -> Vec<Lie> {
    let groups = [
        results(),
        traps(),
        refusals(),
        host_arguments(),
        host_references(),
        host_calls(),
        fuel_and_globals(),
        memories(),
        tables(),
        instances(),
    ];
    groups.into_iter().flatten().collect()
}

/// Values that are returned.
fn results() -> Vec<Lie> {
    vec![
        lie(
            "result-i32",
            &[Result, I32],
            &[r#"(module (func (export "f") (result i32) i32.const {7|-2147483641}))"#],
        )
        .seen("values|i32", "action 1: result 0: i32:0x7 against i32:0x80000007"),
        lie(
            "result-i64",
            &[Result, I64],
            &[r#"(module (func (export "f") (result i64) i64.const {7|-9223372036854775801}))"#],
        )
        .seen("values|i64", "action 1: result 0: i64:0x7 against i64:0x8000000000000007"),
        lie(
            "result-f32-zero",
            &[Result, F32],
            &[r#"(module (func (export "f") (result f32) f32.const {0|-0}))"#],
        )
        .seen("values|f32", "action 1: result 0: f32:0x00000000 against f32:0x80000000"),
        lie(
            "result-f64-nan",
            &[Result, F64],
            &[r#"(module (func (export "f") (result i32 f64) i32.const 1 f64.const {nan|-nan}))"#],
        )
        .seen("values|f64", "action 1: result 1: f64:0x7ff8000000000000 against f64:0xfff8000000000000")
        .unseen_without(&["nan_bits"]),
        lie(
            "result-count",
            &[ResultCount],
            &[r#"(module (func
                        (export "f") {(result i32)|(result i32 i32)} i32.const 1 {nop|i32.const 1}))"#],
        )
        .seen("values|count", "action 1: number of results: 1 against 2"),
        lie(
            "result-null",
            &[Result],
            &[r#"(module (func $g) (elem declare func $g) (func (export "f")
                        (result funcref) {ref.null func|ref.func $g}))"#],
        )
        .seen("values|ref", "action 1: result 0: ref.null func against ref.func 0:0"),
        lie(
            "result-extern",
            &[Result, Extern],
            &[r#"(module (func (export "f") (param externref) (result externref) local.get 0))"#],
        )
        .args(extern_value)
        .seen("values|ref", "action 1: result 0: ref.extern 1 against ref.extern 2147483648"),
        lie(
            "result-function",
            &[Result, Function],
            &[r#"(module (func $a) (func $b) (elem declare func $a $b) (func (export "f")
                        (result funcref) ref.func {$a|$b}))"#],
        )
        .seen("values|ref", "action 1: result 0: ref.func 0:0 against ref.func 0:1")
        .unseen_without(&["function_identity"]),
        lie(
            "result-function-instance",
            &[Result, FunctionInstance],
            &[
                r#"(module (func (export "g") unreachable))"#,
                r#"(module (func (export "g") unreachable))"#,
                r#"(module (import "m0" "g" (func $a)) (import "m1" "g" (func $b))
                        (elem declare func $a $b) (func (export "f")
                        (result funcref) ref.func {$a|$b}))"#,
            ],
        )
        .seen("values|ref", "action 3: result 0: ref.func 0:0 against ref.func 1:0")
        .unseen_without(&["function_identity"]),
        lie(
            "result-host-function",
            &[Result, HostFunction],
            &[r#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b))
                        (elem declare func $a $b) (func (export "f")
                        (result funcref) ref.func {$a|$b}))"#],
        )
        .seen("values|ref", "action 1: result 0: ref.func host 0 against ref.func host 1")
        .unseen_without(&["function_identity"]),
    ]
}

/// Traps, and where they are.
fn traps() -> Vec<Lie> {
    vec![
        lie(
            "trap-kind",
            &[TrapKind],
            &[r#"(module (func (export "f") (result i32) (i32.div_s (i32.const -2147483648)
                        (i32.const {0|-1}))))"#],
        )
        .seen(
            "trap-kind|integer divide by zero/integer overflow",
            "action 1: why it trapped: integer divide by zero against integer overflow",
        ),
        lie(
            "trap-kind-of-callee",
            &[TrapKind],
            &[r#"(module (type $t (func)) (table funcref (elem (ref.null func) (ref.func $g)))
                        (func $g (param i32)) (func (export "f") (call_indirect (type $t)
                        (i32.const {0|1}))))"#],
        )
        .seen(
            "trap-kind|uninitialized element/indirect call type mismatch",
            "action 1: why it trapped: uninitialized element against indirect call type mismatch",
        )
        .unseen_without(&["unfit_callees"]),
        lie(
            "trap-kind-of-float",
            &[TrapKind],
            &[r#"(module (func (export "f") (result i32) (i32.trunc_f32_s
                        (f32.const {nan|3e9}))))"#],
        )
        .seen(
            "trap-kind|invalid conversion to integer/integer overflow",
            "action 1: why it trapped: invalid conversion to integer against integer overflow",
        )
        .unseen_without(&["unfit_floats"]),
        lie(
            "trap-site",
            &[TrapSite, FrameOffset],
            &[r#"(module (func (export "f") {(block)|} unreachable {|(block)}))"#],
        )
        .seen("trap-site|unreachable", "action 1: where it trapped: 0x0021 against 0x001e"),
        lie(
            "frame-offset-of-caller",
            &[FrameOffset],
            &[r#"(module (func $t unreachable) (func
                        (export "f") {(block)|} call $t {|(block)}))"#],
        )
        .seen("frames|unreachable", "action 1: frame: #01: 0x0026 - f against #01: 0x0023 - f")
        .unseen_without(&["backtraces"]),
        lie(
            "frame-function",
            &[FrameFunction, FrameOffset, FrameName],
            &[r#"(module (func $t unreachable) (func $a call $t) (func $b call $t) (func
                        (export "f") call {$a|$b}))"#],
        )
        .seen("frames|unreachable", "action 1: frame: #01: 0x0025 - a against #01: 0x002a - b")
        .unseen_without(&["backtraces"]),
        lie(
            "frame-instance",
            &[FrameInstance],
            &[
                r#"(module (func (export "g") unreachable))"#,
                r#"(module (func (export "g") unreachable))"#,
                r#"(module (import "m0" "g" (func $a)) (import "m1" "g" (func $b)) (func
                        (export "f") call {$a|$b}))"#,
            ],
        )
        .seen("frames|unreachable", "action 3: frame: #00: 0x001e - g (0:0) against #00: 0x001e - g (1:0)")
        .unseen_without(&["backtraces"]),
        lie(
            "frame-name",
            &[FrameName],
            &[r#"(module (func ${a|b} unreachable) (func (export "f") call ${a|b}))"#],
        )
        .in_full("frames|unreachable", "action 1: frame: #00: 0x001f - a against #00: 0x001f - b")
        .unseen_without(&["backtraces"]),
        lie(
            "frame-in-the-middle",
            &[FrameHash],
            &[r#"(module (func $f (param i32) (if (i32.eqz (local.get 0)) (then unreachable))
                        (if (i32.eq (local.get 0) (i32.const {-72|72})) (then (call $f (i32.sub
                        (local.get 0) (i32.const 1)))) (else (call $f (i32.sub (local.get 0)
                        (i32.const 1)))))) (func (export "f") (call $f (i32.const 100))))"#],
        )
        .seen("frames|unreachable", "action 1: hash of all frames: ...")
        .unseen_without(&["backtraces"]),
    ]
}

/// Limits, and what is not there.
fn refusals() -> Vec<Lie> {
    vec![
        lie(
            "exhausted-limit",
            &[TrapKind, FuelLeft, TrapSite, FrameCount, FramesKept, FrameOffset],
            &[r#"(module (func $f (export "f") {(loop (br 0))|call $f}))"#],
        )
        .seen(
            "trap-kind|out of fuel/call stack exhausted",
            "action 1: why it trapped: out of fuel against call stack exhausted",
        )
        .unseen_without(&["fuel", "depth"]),
        lie(
            "limit",
            &[Limit, Values, Usage, Instances, ModuleInstance],
            &[r#"(module (memory 2) (func (export "f")))"#],
        )
        .memory_bytes(|is_lying| if is_lying { 1 << 16 } else { 1 << 20 })
        .seen(
            "outcome|values/limit",
            "action 0: how it ended: ok against limit: a memory of 2 pages exceeds the limit of \
                 65536 bytes",
        )
        .unseen_without(&["depth"]),
        lie(
            "link",
            &[Link, Values, Usage, Instances, ModuleInstance],
            &[
                r#"(module (func (export "{g|h}")))"#,
                r#"(module (import "m0" "g" (func)) (func (export "f")))"#,
            ],
        )
        .seen("outcome|values/link", "action 1: how it ended: ok against link: ..."),
        lie("usage", &[Usage, Values], &[r#"(module (func (export "{f|g}")))"#]).seen(
            "outcome|values/usage",
            "action 1: how it ended: ok against usage: there is no function `f` to call",
        ),
    ]
}

/// What hosts are given.
fn host_arguments() -> Vec<Lie> {
    vec![
        lie(
            "host-arg",
            &[HostArg, I64],
            &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f") (call $a
                        (i64.const {7|-9223372036854775801}))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7) ->   against env.a(i64:0x8000000000000007) ->  ",
        ),
        lie(
            "host-arg-i32",
            &[HostArg, I32],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (func $g) (func $h) (elem declare func $a $g $h) (func (export "f") (call $a
                        (i64.const 7) (i32.const {7|-2147483641}) (f32.const 0) (f64.const 1)
                        (ref.null extern) (ref.func $g))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.func 0:1) ->   against env.a(i64:0x7 i32:0x80000007 \
                 f32:0x00000000 f64:0x3ff0000000000000 ref.null extern ref.func 0:1) ->  ",
        ),
        lie(
            "host-arg-f32-zero",
            &[HostArg, F32],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (func $g) (func $h) (elem declare func $a $g $h) (func (export "f") (call $a
                        (i64.const 7) (i32.const 7) (f32.const {0|-0}) (f64.const 1) (ref.null extern)
                        (ref.func $g))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.func 0:1) ->   against env.a(i64:0x7 i32:0x7 f32:0x80000000 \
                 f64:0x3ff0000000000000 ref.null extern ref.func 0:1) ->  ",
        ),
        lie(
            "host-arg-f64",
            &[HostArg, F64],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (func $g) (func $h) (elem declare func $a $g $h) (func (export "f") (call $a
                        (i64.const 7) (i32.const 7) (f32.const 0) (f64.const {1|-1}) (ref.null extern)
                        (ref.func $g))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.func 0:1) ->   against env.a(i64:0x7 i32:0x7 f32:0x00000000 \
                 f64:0xbff0000000000000 ref.null extern ref.func 0:1) ->  ",
        ),
        lie(
            "host-arg-extern",
            &[HostArg, Extern],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (func $g) (func $h) (elem declare func $a $g $h) (func (export "f")
                        (param externref) (call $a (i64.const 7) (i32.const 7) (f32.const 0)
                        (f64.const 1) (local.get 0) (ref.func $g))))"#],
        )
        .args(extern_value)
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.extern 1 ref.func 0:1) ->   against env.a(i64:0x7 i32:0x7 f32:0x00000000 \
                 f64:0x3ff0000000000000 ref.extern 2147483648 ref.func 0:1) ->  ",
        ),
    ]
}

/// References that hosts are given.
fn host_references() -> Vec<Lie> {
    vec![
        lie(
            "host-arg-function",
            &[HostArg, Function],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (func $g) (func $h) (elem declare func $a $g $h) (func (export "f") (call $a
                        (i64.const 7) (i32.const 7) (f32.const 0) (f64.const 1) (ref.null extern)
                        (ref.func {$g|$h}))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.func 0:1) ->   against env.a(i64:0x7 i32:0x7 f32:0x00000000 \
                 f64:0x3ff0000000000000 ref.null extern ref.func 0:2) ->  ",
        )
        .unseen_without(&["function_identity"]),
        lie(
            "host-arg-host-function",
            &[HostArg, HostFunction],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (import "env" "b" (func $b)) (elem declare func $a $b) (func (export "f")
                        (call $a (i64.const 7) (i32.const 7) (f32.const 0) (f64.const 1)
                        (ref.null extern) (ref.func {$a|$b}))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.func host 0) ->   against env.a(i64:0x7 i32:0x7 f32:0x00000000 \
                 f64:0x3ff0000000000000 ref.null extern ref.func host 1) ->  ",
        )
        .unseen_without(&["function_identity"]),
        lie(
            "host-arg-function-instance",
            &[HostArg, FunctionInstance],
            &[
                r#"(module (func (export "g") unreachable))"#,
                r#"(module (func (export "g") unreachable))"#,
                r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (import "m0" "g" (func $g)) (import "m1" "g" (func $h))
                        (elem declare func $g $h) (func (export "f") (call $a (i64.const 7)
                        (i32.const 7) (f32.const 0) (f64.const 1) (ref.null extern)
                        (ref.func {$g|$h}))))"#,
            ],
        )
        .seen(
            "host-calls|",
            "action 3: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.func 0:0) ->   against env.a(i64:0x7 i32:0x7 f32:0x00000000 \
                 f64:0x3ff0000000000000 ref.null extern ref.func 1:0) ->  ",
        )
        .unseen_without(&["function_identity"]),
        lie(
            "host-arg-null",
            &[HostArg],
            &[r#"(module (import "env" "a" (func $a (param i64 i32 f32 f64 externref funcref)))
                        (func $g) (func $h) (elem declare func $a $g $h) (func (export "f") (call $a
                        (i64.const 7) (i32.const 7) (f32.const 0) (f64.const 1) (ref.null extern)
                        ({ref.null func|ref.func $g}))))"#],
        )
        .seen(
            "host-calls|",
            "action 1: host call 0: env.a(i64:0x7 i32:0x7 f32:0x00000000 f64:0x3ff0000000000000 \
                 ref.null extern ref.null func) ->   against env.a(i64:0x7 i32:0x7 f32:0x00000000 \
                 f64:0x3ff0000000000000 ref.null extern ref.func 0:1) ->  ",
        ),
    ]
}

/// Which hosts are called, and what they do.
fn host_calls() -> Vec<Lie> {
    vec![
        lie(
            "host-import",
            &[HostImport],
            &[r#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b)) (func
                        (export "f") call {$a|$b}))"#],
        )
        .seen("host-calls|", "action 1: host call 0: env.a() ->   against env.b() ->  "),
        lie(
            "host-import-name",
            &[HostImport],
            &[r#"(module (import "env" "{a|b}" (func $a)) (func (export "f") call $a))"#],
        )
        .seen("host-calls|", "action 1: host call 0: env.a() ->   against env.b() ->  "),
        lie(
            "host-result",
            &[HostResult, I64],
            &[r#"(module (import "env" "a" (func $a (result i64))) (func (export "f") (drop
                        (call $a))))"#],
        )
        .hosts(|is_lying| plan(answers, usize::from(is_lying)))
        .seen("host-calls|", "action 1: host call 0: env.a() -> i64:..."),
        lie(
            "host-note",
            &[Note],
            &[r#"(module (import "env" "a" (func $a (param i32 i32))) (memory (export "m") 1)
                        (func (export "f") (i32.store (i32.const 16) (i32.const {1|2})) (call $a
                        (i32.const 16) (i32.const 8)) (i32.store (i32.const 16) (i32.const 0))))"#],
        )
        .hosts(|_| plan(|plan| hosts::reads(plan, 0), 0))
        .seen("host-calls|", "action 1: host call 0: env.a(i32:0x10 i32:0x8) ->  read 8 bytes at 0x10: ..."),
        lie(
            "host-call-5",
            &[HostArg, I64],
            &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f")
                        (local i32) (loop (call $a (i64.extend_i32_u (i32.eq (local.get 0)
                        (i32.const {-1|4})))) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0)
                        (i32.const 1))) (i32.const 301))))))"#],
        )
        .seen("host-calls|", "action 1: host call 4: env.a(i64:0x0) ->   against env.a(i64:0x1) ->  "),
        lie(
            "host-call-300",
            &[HostCallDigest],
            &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f")
                        (local i32) (loop (call $a (i64.extend_i32_u (i32.eq (local.get 0)
                        (i32.const {-1|299})))) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0)
                        (i32.const 1))) (i32.const 301))))))"#],
        )
        .seen("host-calls|", "action 1: host calls: 301 calls, digest ...")
        .unseen_without(&["nan_bits", "function_identity"]),
        lie(
            "host-call-count",
            &[HostCallCount, HostCallsSpelledOut],
            &[r#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b)) (func
                        (export "f") (if (i32.const {0|1}) (then (call $a)) (else nop))))"#],
        )
        .seen("host-calls|", "action 1: host call 0: no call against env.a() ->  "),
        lie(
            "host-call-before-trap",
            &[HostArg, I64],
            &[r#"(module (import "env" "a" (func $a (param i64))) (func (export "f") (call $a
                        (i64.const {1|2})) unreachable))"#],
        )
        .seen("host-calls|", "action 1: host call 0: env.a(i64:0x1) ->   against env.a(i64:0x2) ->  "),
    ]
}

/// Fuel and globals.
fn fuel_and_globals() -> Vec<Lie> {
    vec![
        lie("fuel", &[FuelLeft], &[r#"(module (func (export "f") {nop|(block)}))"#])
            .seen("fuel|", "action 1: fuel left: 19999 against 20000")
            .unseen_without(&["fuel"]),
        lie(
            "fuel-after-trap",
            &[FuelLeft],
            &[r#"(module (func (export "f") {nop nop nop|(block)} unreachable))"#],
        )
        .seen("fuel|", "action 1: fuel left: 19996 against 19999")
        .unseen_without(&["fuel"]),
        lie(
            "global",
            &[Global, I32],
            &[r#"(module (global $g (mut i32) (i32.const 0)) (func (export "f") (global.set $g
                        (i32.const {1|2}))))"#],
        )
        .seen("global|global", "action 1: instance 0, global 0: i32:0x1 against i32:0x2")
        .unseen_without(&["internal_state"]),
        lie(
            "global-after-trap",
            &[Global, F32],
            &[r#"(module (global (mut f32) (f32.const 1)) (global $g (mut f32) (f32.const 1))
                        (func (export "f") (global.set $g (f32.const {0|-0})) unreachable))"#],
        )
        .seen("global|global", "action 1: instance 0, global 1: f32:0x00000000 against f32:0x80000000")
        .unseen_without(&["internal_state"]),
        lie(
            "global-exported",
            &[Global, F64],
            &[r#"(module (global $g (export "g") (mut f64) (f64.const 0)) (func (export "f")
                        (global.set $g (f64.const {1|2}))))"#],
        )
        .seen(
            "global|global",
            "action 1: instance 0, global 0: f64:0x3ff0000000000000 against f64:0x4000000000000000",
        ),
        lie(
            "global-of-another-instance",
            &[Global, I64],
            &[
                r#"(module (global $g (mut i64) (i64.const 0)) (func (export "s") (param i64)
                        (global.set $g (local.get 0))))"#,
                r#"(module (import "m0" "s" (func $s (param i64))) (func (export "f") (call $s
                        (i64.const {1|2}))))"#,
            ],
        )
        .seen("global|global", "action 2: instance 0, global 0: i64:0x1 against i64:0x2")
        .unseen_without(&["internal_state"]),
    ]
}

/// Memories.
fn memories() -> Vec<Lie> {
    vec![
        lie(
            "memory-byte",
            &[MemoryPage],
            &[r#"(module (memory 1) (func (export "f") (i32.store8 (i32.const 0)
                        (i32.const {1|2}))))"#],
        )
        .seen(
            "memory-bytes|memory-bytes",
            "action 1: instance 0, memory 0 differs first at 0x0: 0x01 against 0x02",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "memory-page",
            &[MemoryPage],
            &[r#"(module (memory 1) (func (export "f") (i32.store8 (i32.const {0|4096})
                        (i32.const 1))))"#],
        )
        .seen(
            "memory-bytes|memory-bytes",
            "action 1: instance 0, memory 0 differs first at 0x0: 0x01 against 0x00",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "memory-last-byte",
            &[MemoryPage],
            &[r#"(module (memory (export "m") 3) (func (export "f") (i32.store8
                        (i32.const 196607) (i32.const {0|128}))))"#],
        )
        .seen(
            "memory-bytes|memory-bytes",
            "action 1: instance 0, memory 0 differs first at 0x2ffff: 0x00 against 0x80",
        ),
        lie(
            "memory-after-trap",
            &[MemoryPage],
            &[r#"(module (memory 1) (func (export "f") (i32.store8 (i32.const 4096)
                        (i32.const {1|2})) unreachable))"#],
        )
        .seen(
            "memory-bytes|memory-bytes",
            "action 1: instance 0, memory 0 differs first at 0x1000: 0x01 against 0x02",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "memory-second",
            &[MemoryPage],
            &[r#"(module (memory 1) (memory $n 1) (func (export "f") (i32.store8 $n
                        (i32.const 7) (i32.const {1|2}))))"#],
        )
        .seen(
            "memory-bytes|memory-bytes",
            "action 1: instance 0, memory 1 differs first at 0x7: 0x01 against 0x02",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "memory-size",
            &[MemorySize],
            &[r#"(module (memory 1) (func (export "f") (drop (memory.grow (i32.const {0|1})))))"#],
        )
        .seen(
            "memory-size|memory-size",
            "action 1: instance 0, size of memory 0: 65536 bytes against 131072 bytes",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "memory-which",
            &[StateDigest],
            &[
                r#"(module (memory (export "a") 1) (memory (export "b") 1))"#,
                r#"(module (import "m0" "{a|b}" (memory 1)) (func (export "f")))"#,
            ],
        )
        .by_digest("unstable|", "action 1: digest of the state: ...")
        .unseen_without(&["internal_state"]),
    ]
}

/// Tables.
fn tables() -> Vec<Lie> {
    vec![
        lie(
            "table-size",
            &[TableSize],
            &[r#"(module (table 1 funcref) (func (export "f") (drop (table.grow (ref.null func)
                        (i32.const {0|1})))))"#],
        )
        .seen("table-size|table-size", "action 1: instance 0, size of table 0: 1 against 2")
        .unseen_without(&["internal_state"]),
        lie(
            "table-element",
            &[TableElement, Function],
            &[r#"(module (table 2 funcref) (func $a) (func $b) (elem declare func $a $b) (func
                        (export "f") (table.set (i32.const 1) (ref.func {$a|$b}))))"#],
        )
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.func 0:0 against ref.func 0:1",
        )
        .unseen_without(&["internal_state", "function_identity"]),
        lie(
            "table-element-after-trap",
            &[TableElement, Function],
            &[r#"(module (table 2 funcref) (func $a) (func $b) (elem declare func $a $b) (func
                        (export "f") (table.set (i32.const 1) (ref.func {$a|$b})) unreachable))"#],
        )
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.func 0:0 against ref.func 0:1",
        )
        .unseen_without(&["internal_state", "function_identity"]),
        lie(
            "table-element-elsewhere",
            &[TableElement],
            &[r#"(module (table 3 funcref) (func $a) (elem declare func $a) (func (export "f")
                        (table.set (i32.const {1|2}) (ref.func $a))))"#],
        )
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.func 0:0 against null",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "table-null",
            &[TableElement],
            &[r#"(module (table (export "t") 2 funcref) (func $a) (elem declare func $a) (func
                        (export "f") (table.set (i32.const 1) {(ref.null func)|(ref.func $a)})))"#],
        )
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: null against ref.func 0:0",
        ),
        lie(
            "table-extern",
            &[TableElement, Extern],
            &[r#"(module (table 2 externref) (func (export "f") (param externref) (table.set
                        (i32.const 1) (local.get 0))))"#],
        )
        .args(extern_value)
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.extern 1 against ref.extern 2147483648",
        )
        .unseen_without(&["internal_state"]),
    ]
}

/// Segments, instances and exports.
fn instances() -> Vec<Lie> {
    vec![
        lie(
            "dropped-elem",
            &[DroppedElem],
            &[r#"(module (func $a) (elem func) (elem func $a) (func
                        (export "f") elem.drop {0|1}))"#],
        )
        .seen(
            "dropped|dropped",
            "action 1: instance 0, dropped segments: elems [0], datas [] against elems [1], datas \
                 []",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "dropped-data",
            &[DroppedData],
            &[r#"(module (data "a") (data "b") (func (export "f") {nop|data.drop 1}))"#],
        )
        .seen(
            "dropped|dropped",
            "action 1: instance 0, dropped segments: elems [], datas [] against elems [], datas \
                 [1]",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "dropped-data-after-trap",
            &[DroppedData],
            &[r#"(module (data "a") (data "b") (func (export "f") data.drop {0|1} unreachable))"#],
        )
        .seen(
            "dropped|dropped",
            "action 1: instance 0, dropped segments: elems [], datas [0] against elems [], datas \
                 [1]",
        )
        .unseen_without(&["internal_state"]),
        lie("instances", &[Instances, ModuleInstance], &[r#"(module (func (export "f")))"#])
            .actions("0 {0|f}")
            .seen("instances|instances", "action 1: number of instances: 2 against 1")
            .unseen_without(&["internal_state"]),
        lie(
            "instance-of-module",
            &[ModuleInstance],
            &[r#"(module (func (export "f")))"#, r#"(module (func (export "f")))"#],
        )
        .actions("{0 1|1 0}")
        .seen("instances|instances", "action 0: latest instance of module 0: 0 against none")
        .unseen_without(&["internal_state"]),
        lie(
            "export",
            &[ExportNumber],
            &[r#"(module (global i32 (i32.const 0)) (global i32 (i32.const 0)) (export "a"
                        (global {0|1})) (export "b" (global {1|0})) (func (export "f")))"#],
        )
        .seen(
            "instances|instances",
            "action 0: instance 0, export 0: `a` is Global(0) against `a` is Global(1)",
        )
        .unseen_without(&["internal_state"]),
        lie(
            "export-name",
            &[ExportName],
            &[r#"(module (global i32 (i32.const 0)) (export "{a|b}" (global 0)) (func
                        (export "f")))"#],
        )
        .seen(
            "instances|instances",
            "action 0: instance 0, export 0: `a` is Global(0) against `b` is Global(0)",
        ),
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

/// A reference to a value of the host, another one in a lie.
fn extern_value(is_lying: bool) -> Vec<Value> {
    vec![Value::Ref(RefValue::Extern(if is_lying { 1 << 31 } else { 1 }))]
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
