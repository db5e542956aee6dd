//! Calls, tail calls, hosts, depth and backtraces.

use super::*;

#[test]
fn arguments_become_locals_and_results_operands() {
    check(
        "(module (func $swap (param i32 i64) (result i64 i32) (local f32) (local.get 1) (local.get 0))
            (func (export \"f\") (result i32 i64 i32)
                (i32.const 1) (call $swap (i32.const 2) (i64.const 3))))",
        "f",
        &[],
        &[Val::I32(1), Val::I64(3), Val::I32(2)],
    );
}

#[test]
fn a_function_may_have_more_results_than_locals() {
    let results = "i32 ".repeat(1000);
    let consts: String = (0..1000).map(|i| format!("(i32.const {i})")).collect();
    let text = format!(
        "(module (func $g (result {results}) {consts})
            (func (export \"f\") (result {results}) (call $g)) (func (export \"t\") (result {results})
                (return_call $g)))"
    );
    let expected: Vec<Val> = (0..1000).map(Val::I32).collect();
    check(&text, "f", &[], &expected);
    check(&text, "t", &[], &expected);
}

#[test]
fn recursion_returns_through_every_frame() {
    let text = "(module (func $fib (export \"f\") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                           (call $fib (i32.sub (local.get 0) (i32.const 2))))))))";
    check_i32(text, &[15], 610);
}

#[test]
fn exhaustion_is_the_callees_at_its_first_opcode() {
    let text = "(module (func $g (export \"f\") (param i32) (local i64) (call $g (local.get 0))))";
    // A frame costs 8 + 2 locals + 1 operand.
    let mut world = World::with(small_depth(11 * 5 + 10), text);
    let trap = world.trap("f", &[Val::I32(0)]);
    assert_eq!(trap.kind(), TrapKind::CallStackExhausted);
    let first = world.find(&[0x20, 0x00, 0x10, 0x00]);
    assert_eq!(trap.site(), Some(first));
    let backtrace = trap.backtrace().unwrap();
    assert_eq!(backtrace.count(), 6);
    assert_eq!(backtrace.innermost()[0].offset(), Some(first));
    assert_eq!(backtrace.innermost()[1].offset(), Some(first + 2));
    // The budget is whole again afterwards.
    assert_eq!(world.trap("f", &[Val::I32(0)]).backtrace().unwrap().count(), 6);
}

#[test]
fn the_whole_default_budget_can_be_used() {
    let text = "(module (func $g (export \"f\") (result i32)
        (i32.add (i32.const 1) (call $g))) )";
    let trap = World::new(text).trap("f", &[]);
    assert_eq!(trap.kind(), TrapKind::CallStackExhausted);
    assert_eq!(trap.backtrace().unwrap().count(), (1 << 20) / 10 + 1);
}

#[test]
fn a_frame_of_many_locals_is_refused_when_the_budget_is_small() {
    let text = format!(
        "(module (func $g (param {}) (local {}))
            (func (export \"f\") {} (call $g)))",
        "i64 ".repeat(1000),
        "i64 ".repeat(49_000),
        "(i64.const 1) ".repeat(1000),
    );
    check(&text, "f", &[], &[]);
    assert_eq!(World::with(small_depth(2000), &text).trap("f", &[]).kind(), TrapKind::CallStackExhausted);
}

#[test]
fn indirect_calls_check_bounds_then_null_then_type() {
    let text = "(module (type $t (func (result i32))) (type $u (func))
        (table funcref (elem $one $none)) (table 1 funcref)
        (func $one (result i32) (i32.const 1)) (func $none)
        (func (export \"f\") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
        (func (export \"null\") (result i32) (call_indirect 1 (type $t) (i32.const 0))))";
    check_i32(text, &[0], 1);
    check_trap(text, "f", &[Val::I32(1)], TrapKind::IndirectCallTypeMismatch);
    check_trap(text, "f", &[Val::I32(2)], TrapKind::UndefinedElement);
    check_trap(text, "f", &[Val::I32(-1)], TrapKind::UndefinedElement);
    check_trap(text, "null", &[], TrapKind::UninitializedElement);
    let mut world = World::new(text);
    assert_eq!(world.trap("f", &[Val::I32(2)]).site(), Some(world.find(&[0x20, 0x00, 0x11]) + 2));
}

#[test]
fn a_function_of_a_subtype_may_be_called_indirectly() {
    check_i32(
        "(module (type $super (sub (func (result i32)))) (type $sub (sub $super (func (result i32))))
            (table funcref (elem $g)) (func $g (type $sub) (i32.const 4))
            (func (export \"f\") (result i32) (call_indirect (type $super) (i32.const 0))))",
        &[],
        4,
    );
}

#[test]
fn null_references_are_not_called() {
    let text = "(module (type $t (func)) (func (export \"f\") (call_ref $t (ref.null $t)))
        (func (export \"t\") (return_call_ref $t (ref.null $t)))
        (func (export \"n\") (drop (ref.as_non_null (ref.null $t)))))";
    check_trap(text, "f", &[], TrapKind::NullFunctionReference);
    check_trap(text, "t", &[], TrapKind::NullFunctionReference);
    check_trap(text, "n", &[], TrapKind::NullReference);
}

#[test]
fn hosts_take_operands_and_leave_results() {
    let text = "(module (import \"host\" \"sum\" (func $sum (param i32 i32) (result i32)))
        (import \"host\" \"three\" (func $three (result i32 i32 i32)))
        (func (export \"f\") (result i32 i32 i32 i32 i32)
            (i32.const 9) (call $sum (i32.const 20) (i32.const 3)) (call $three)))";
    check(text, "f", &[], &[9, 23, 1, 2, 3].map(Val::I32));
}

#[test]
fn a_host_may_call_back() {
    let text = "(module (import \"host\" \"again\" (func $again (param i32) (result i32)))
        (memory (export \"m\") 1)
        (func (export \"again\") (param i32) (result i32) (local i64 i64)
            (drop (memory.grow (i32.const 1))) (i32.store (i32.const 70000) (local.get 0))
            (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $again (i32.sub (local.get 0) (i32.const 1)))))
                (else (memory.size))))
        (func (export \"f\") (param i32) (result i32)
            (i32.const 100) (call $again (local.get 0)) (i32.load (i32.const 70000)) (i32.add) (i32.add)))";
    check_i32(text, &[5], 100 + 5 + 7);
}

#[test]
fn backtraces_show_calls_hosts_and_reentry() {
    let mut world = World::new(
        "(module (import \"host\" \"again\" (func $again (param i32) (result i32)))
            (func $inner (param i32) (result i32) (nop) (unreachable))
            (func (export \"again\") (param i32) (result i32) (i32.const 1) (call $inner (local.get 0)) (i32.add))
            (func (export \"f\") (result i32) (call $again (i32.const 4))))",
    );
    let trap = world.trap("f", &[]);
    let at = |bytes: &[u8], plus: u32| format!("{:#06x}", world.find(bytes) + plus);
    assert_eq!(
        frames(&trap),
        [
            format!("{} - inner", at(&[0x01, 0x00, 0x0b], 1)),
            format!("{} - again", at(&[0x20, 0x00, 0x10, 0x01], 2)),
            "host - host.again".into(),
            format!("{} - f", at(&[0x41, 0x04, 0x10, 0x00], 2)),
        ]
    );
    assert_eq!(trap.site(), trap.backtrace().unwrap().innermost()[0].offset());
}

#[test]
fn a_host_trap_is_at_the_guests_call() {
    let mut world = World::new(
        "(module (import \"host\" \"fail\" (func $fail)) (func $g (call $fail))
            (func (export \"f\") (nop) (call $g)))",
    );
    let trap = world.trap("f", &[]);
    let (g, f) = (world.find(&[0x10, 0x00, 0x0b]), world.find(&[0x01, 0x10, 0x01]) + 1);
    assert_eq!(trap.message(), Some("the host refuses"));
    assert_eq!(trap.site(), Some(g));
    assert_eq!(frames(&trap), ["host - host.fail".into(), format!("{g:#06x} - g"), format!("{f:#06x} - f")]);
}

#[test]
fn a_tail_call_to_a_host_shows_whoever_called_the_tail_caller() {
    let mut world = World::new(
        "(module (import \"host\" \"fail\" (func $fail)) (func $g (export \"g\") (return_call $fail))
            (func (export \"f\") (nop) (call $g)))",
    );
    let f = world.find(&[0x01, 0x10, 0x01]) + 1;
    let trap = world.trap("f", &[]);
    assert_eq!(trap.site(), None);
    assert_eq!(frames(&trap), ["host - host.fail".into(), format!("{f:#06x} - f")]);
    assert_eq!(frames(&world.trap("g", &[])), ["host - host.fail"]);
}

#[test]
fn results_of_a_tail_called_host_go_to_the_caller() {
    let text = "(module (import \"host\" \"three\" (func $three (result i32 i32 i32)))
        (import \"host\" \"sum\" (func $sum (param i32 i32) (result i32)))
        (type $sum (func (param i32 i32) (result i32))) (table funcref (elem $sum)) (elem declare func $sum)
        (func $direct (param i64 i64) (result i32 i32 i32) (local f64) (i32.const 5) (return_call $three))
        (func $indirect (param i32) (result i32)
            (return_call_indirect (type $sum) (local.get 0) (i32.const 1) (i32.const 0)))
        (func $by_ref (param i32) (result i32)
            (return_call_ref $sum (local.get 0) (i32.const 2) (ref.func $sum)))
        (func (export \"f\") (result i32 i32 i32 i32 i32)
            (call $direct (i64.const 8) (i64.const 8)) (call $indirect (i32.const 10))
            (call $by_ref (i32.const 20)))
        (func (export \"g\") (result i32 i32 i32) (return_call $three)))";
    check(text, "f", &[], &[1, 2, 3, 11, 22].map(Val::I32));
    check(text, "g", &[], &[1, 2, 3].map(Val::I32));
}

#[test]
fn a_hundred_thousand_tail_calls_use_one_frame() {
    let text = "(module (type $t (func (param i32 i32) (result i32)))
        (import \"host\" \"sum\" (func $sum (type $t)))
        (table funcref (elem $table $sum)) (elem declare func $ref $sum)
        (func $direct (export \"f\") (type $t) (local i64)
            (if (i32.eqz (local.get 0)) (then (return_call $sum (local.get 0) (local.get 1))))
            (return_call $table (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1))))
        (func $table (type $t)
            (if (i32.eqz (local.get 0))
                (then (return_call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 1))))
            (return_call $ref (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1))))
        (func $ref (type $t) (local f64 f64 f64)
            (if (i32.eqz (local.get 0))
                (then (return_call_ref $t (local.get 0) (local.get 1) (ref.func $sum))))
            (return_call_ref $t (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1))
                (ref.func $direct)))
        (elem declare func $direct))";
    for config in [small_depth(100), small_depth(100).fuel(true)] {
        for depth in [100_000, 100_001, 100_002] {
            let results = World::with(config, text).call("f", &[Val::I32(depth), Val::I32(0)]);
            assert_eq!(results, Ok(vec![Val::I32(depth)]));
        }
    }
}

#[test]
fn a_tail_call_releases_depth_before_the_callee_is_charged() {
    // The caller costs 8 + 0 + 1, the callee 8 + 1 + 1.
    let text = "(module (func $g (param i32) (drop (local.get 0))) (func (export \"f\")
        (return_call $g (i32.const 1))))";
    assert_eq!(World::with(small_depth(10), text).call("f", &[]), Ok(vec![]));
    let mut world = World::with(small_depth(9), text);
    let trap = world.trap("f", &[]);
    let first = world.find(&[0x20, 0x00, 0x1a]);
    assert_eq!((trap.kind(), trap.site()), (TrapKind::CallStackExhausted, Some(first)));
    assert_eq!(trap.backtrace().unwrap().count(), 1);
}

#[test]
fn calls_across_instances_switch_memory_and_globals_and_back() {
    let config = config().fuel(true);
    let mut store = Store::new(&Engine::new(&config), Vec::new());
    store.set_fuel(100_000_000);
    let mut linker = hosts(&mut store);
    let library = "(module (import \"host\" \"who\" (func $who (result i32)))
        (memory 1) (global $g (mut i32) (i32.const 0)) (data (i32.const 0) \"\\07\")
        (func (export \"get\") (param i32) (result i32)
            (global.set $g (i32.const 5)) (i32.add (i32.load8_u (local.get 0)) (call $who)))
        (func (export \"tail\") (result i32) (return_call $who))
        (table (export \"table\") 2 funcref)
        (func (export \"bounce\") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.load8_u (i32.const 0)))))
            (return_call_indirect (param i32) (result i32)
                (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))";
    let main = "(module (import \"lib\" \"get\" (func $get (param i32) (result i32)))
        (import \"lib\" \"tail\" (func $tail (result i32))) (import \"lib\" \"table\" (table 2 funcref))
        (import \"lib\" \"bounce\" (func $bounce (param i32) (result i32)))
        (memory 1) (global $g (mut i32) (i32.const 1)) (data (i32.const 0) \"\\30\") (elem (i32.const 0) $back)
        (func $back (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.load8_u (i32.const 0)))))
            (return_call $bounce (i32.sub (local.get 0) (i32.const 1))))
        (func (export \"f\") (result i32 i32 i32 i32)
            (call $get (i32.const 0)) (i32.load8_u (i32.const 0)) (global.get $g) (call $tail))
        (func (export \"bounce\") (param i32) (result i32 i32)
            (call $bounce (local.get 0)) (i32.load8_u (i32.const 0))))";
    let library = Module::new(store.engine(), assemble(library)).unwrap();
    let library = linker.instantiate(&mut store, &library).unwrap();
    linker.instance(&store, "lib", library);
    let main = Module::new(store.engine(), assemble(main)).unwrap();
    let main = linker.instantiate(&mut store, &main).unwrap();
    assert_eq!(call(&mut store, &main, "f", &[]), Ok([7, 0x30, 1, 0].map(Val::I32).to_vec()));
    let bounce = |depth, store: &mut _| call(store, &main, "bounce", &[Val::I32(depth)]);
    assert_eq!(bounce(100_000, &mut store), Ok([7, 0x30].map(Val::I32).to_vec()));
    assert_eq!(bounce(100_001, &mut store), Ok([0x30, 0x30].map(Val::I32).to_vec()));
}

#[test]
fn a_start_function_runs() {
    let world = World::new(
        "(module (import \"host\" \"log\" (func $log (param i32))) (func $start (call $log (i32.const 6)))
            (start $start))",
    );
    assert_eq!(world.store.data(), &[6]);
}
