//! Calls, recursion to the end of the budget, hosts, other instances, tail calls, and what backtraces
//! say about them.

use super::*;

const FIBONACCI: &str = "(func $fib (export \"f\") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                       (call $fib (i32.sub (local.get 0) (i32.const 2)))))))";

#[test]
fn functions_call_themselves() {
    check_i32(FIBONACCI, &[15], &[610]);
}

#[test]
fn arguments_and_results_keep_their_order() {
    check_i32(
        "(func $g (param i32 i32 i32) (result i32 i32 i32) (local i32)
            (local.get 2) (local.get 3) (i32.sub (local.get 0) (local.get 1)))
        (func (export \"f\") (param i32) (result i32 i32 i32 i32)
            (i32.const 7)
            (call $g (local.get 0) (i32.const 3) (i32.add (local.get 0) (local.get 0))))",
        &[10],
        &[7, 20, 0, 7],
    );
}

#[test]
fn many_results_replace_few_parameters() {
    let results: Vec<i32> = (0..1000).collect();
    let constants: String = results.iter().map(|number| format!("(i32.const {number}) ")).collect();
    let fields = format!(
        "(type $many (func (param i32) (result {types}))) (func $g (type $many) {constants})
        (func (export \"f\") (type $many) (call $g (local.get 0)))",
        types = "i32 ".repeat(1000)
    );
    check_i32(&fields, &[3], &results);
}

#[test]
fn recursion_ends_in_the_callee_that_finds_too_little() {
    let text = "(module (func $f (export \"f\") (param i32) (call $f (local.get 0))))";
    let limits = Limits { depth_slots: 1000, ..Limits::default() };
    let trap = trap(run_with(&config().limits(limits), text, &[Val::I32(0)]));
    assert_eq!(trap.kind(), TrapKind::CallStackExhausted);
    let start = offsets(text, &[0x20, 0, 0x10]).pop();
    let backtrace = trap.backtrace().expect("taken");
    assert_eq!(trap.site(), start);
    // A frame costs 8, a parameter and an operand; the one that finds too little is shown, too.
    assert_eq!(backtrace.count(), 101);
    assert_eq!(backtrace.innermost()[0].offset(), start);
    assert_eq!(backtrace.innermost()[1].offset(), start.map(|start| start + 2));
}

#[test]
fn recursion_reaches_the_whole_default_budget() {
    let text = "(module (func $f (export \"f\") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0)))))";
    assert_eq!(run(text, &[Val::I32(80_000)]), Ok(vec![Val::I32(80_000)]));
    assert_eq!(trap(run(text, &[Val::I32(1 << 20)])).kind(), TrapKind::CallStackExhausted);
}

#[test]
fn depth_comes_back_after_returns_and_traps() {
    let text = "(module (func $f (export \"f\") (call $f)) (func (export \"g\") (call $h)) (func $h))";
    let limits = Limits { depth_slots: 30, ..Limits::default() };
    let (mut store, instance) = instantiate(&config().limits(limits), text);
    let [f, g] = ["f", "g"].map(|name| instance.func(&store, name).expect("exported"));
    for _ in 0..5 {
        assert_eq!(trap(call(&mut store, f, &[])).kind(), TrapKind::CallStackExhausted);
        assert_eq!(call(&mut store, g, &[]), Ok(vec![]));
    }
}

#[test]
fn a_call_through_a_table_checks_bounds_then_null_then_type() {
    let fields =
        "(type $t (func (result i32))) (table 3 funcref) (elem (i32.const 0) $a) (elem (i32.const 2) $b)
        (func $a (type $t) (i32.const 1)) (func $b)
        (func (export \"f\") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))";
    check_i32(fields, &[0], &[1]);
    check_trap(fields, &[Val::I32(1)], TrapKind::UninitializedElement);
    check_trap(fields, &[Val::I32(2)], TrapKind::IndirectCallTypeMismatch);
    check_trap(fields, &[Val::I32(3)], TrapKind::UndefinedElement);
    check_trap(fields, &[Val::I32(-1)], TrapKind::UndefinedElement);
}

#[test]
fn a_subtype_may_be_called_through_a_table() {
    check_i32(
        "(type $sup (sub (func (result i32)))) (type $sub (sub $sup (func (result i32))))
        (table 1 funcref) (elem (i32.const 0) $a) (func $a (type $sub) (i32.const 5))
        (func (export \"f\") (param i32) (result i32) (call_indirect (type $sup) (local.get 0)))",
        &[0],
        &[5],
    );
}

#[test]
fn null_references_cannot_be_called_or_trusted() {
    check_trap(
        "(type $t (func)) (func (export \"f\") (call_ref $t (ref.null $t)))",
        &[],
        TrapKind::NullFunctionReference,
    );
    check_trap(
        "(type $t (func)) (func (export \"f\") (return_call_ref $t (ref.null $t)))",
        &[],
        TrapKind::NullFunctionReference,
    );
    check_trap(
        "(func (export \"f\") (drop (ref.as_non_null (ref.null func))))",
        &[],
        TrapKind::NullReference,
    );
}

#[test]
fn hosts_take_arguments_and_give_results() {
    check_i32(
        "(import \"host\" \"add\" (func $add (param i32 i32) (result i32)))
        (func (export \"f\") (param i32) (result i32)
            (i32.mul (call $add (local.get 0) (i32.const 2)) (call $add (i32.const 1) (i32.const 2))))",
        &[5],
        &[21],
    );
}

#[test]
fn a_host_may_call_back_and_the_frames_are_shown_in_order() {
    let text = "(module (import \"host\" \"again\" (func $again (param i32) (result i32)))
        (memory 1)
        (func (export \"inner\") (param i32) (result i32)
            (drop (memory.grow (i32.const 1))) (i32.div_u (i32.const 100) (local.get 0)))
        (func (export \"f\") (param i32) (result i32) (local i32)
            (local.set 1 (i32.const 3))
            (i32.add (local.get 1) (call $again (local.get 0)))
            (i32.store (i32.const 65536) (i32.const 0))))";
    assert_eq!(run(text, &[Val::I32(10)]), Ok(vec![Val::I32(13)]));
    let trap = trap(run(text, &[Val::I32(0)]));
    assert_eq!(trap.kind(), TrapKind::IntegerDivideByZero);
    let division = offsets(text, &[0x6E, 0x0B]).pop();
    let call = offsets(text, &[0x10, 0, 0x6A]).pop();
    assert_eq!(
        frames(trap.backtrace().expect("taken")),
        [(Some(1), division), (None, None), (Some(2), call)]
    );
}

#[test]
fn a_host_that_refuses_is_located_at_the_call() {
    let text = "(module (import \"host\" \"refuse\" (func $refuse))
        (func $g (call $refuse)) (func (export \"f\") (call $g)))";
    let trap = trap(run(text, &[]));
    let calls = offsets(text, &[0x10]);
    let [.., inner, outer] = *calls else { panic!("two calls") };
    assert_eq!(trap.site(), Some(inner));
    assert_eq!(
        frames(trap.backtrace().expect("taken")),
        [(None, None), (Some(1), Some(inner)), (Some(2), Some(outer))]
    );
}

#[test]
fn a_tail_call_to_a_host_leaves_no_frame() {
    let text = "(module (import \"host\" \"refuse\" (func $refuse)) (type $t (func)) (table 1 funcref)
        (elem (i32.const 0) $refuse)
        (func $direct (return_call $refuse))
        (func $indirect (return_call_indirect (type $t) (i32.const 0)))
        (func $ref (return_call_ref $t (ref.func $refuse)))
        (func (export \"f\") (param i32)
            (block (block (block (br_table 0 1 2 (local.get 0)))
                (call $direct) (return)) (call $indirect) (return)) (call $ref))
        (func (export \"g\") (return_call $refuse)))";
    let (mut store, instance) = instantiate(&config(), text);
    let [f, g] = ["f", "g"].map(|name| instance.func(&store, name).expect("exported"));
    for kind in 0..3 {
        let trap = trap(call(&mut store, f, &[Val::I32(kind)]));
        assert_eq!(trap.site(), None);
        let frames = frames(trap.backtrace().expect("taken"));
        assert_eq!(frames.iter().map(|(func, _)| *func).collect::<Vec<_>>(), [None, Some(4)]);
    }
    let trap = trap(call(&mut store, g, &[]));
    assert_eq!(frames(trap.backtrace().expect("taken")), [(None, None)]);
}

#[test]
fn tail_calls_run_in_constant_depth() {
    for callee in [
        "(return_call $g (local.get 1) (local.get 0) (i64.const 5))",
        "(return_call_indirect (type $g) (local.get 1) (local.get 0) (i64.const 5) (i32.const 0))",
        "(return_call_ref $g (local.get 1) (local.get 0) (i64.const 5) (ref.func $g))",
    ] {
        let fields = format!(
            "(type $g (func (param i32 i32 i64) (result i32))) (table 1 funcref) (elem (i32.const 0) $g)
            (func $f (export \"f\") (param i32 i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
                {callee})
            (func $g (type $g) (local i32)
                (local.set 3 (i32.sub (local.get 1) (i32.const 1)))
                (return_call $f (local.get 3) (i32.add (local.get 0) (i32.const 1))))"
        );
        check_i32(&fields, &[100_000, 0], &[100_000]);
    }
}

#[test]
fn a_tail_call_may_take_more_than_its_caller_had() {
    let (params, sum) = ("i32 ".repeat(100), "(i32.add) ".repeat(99));
    let fields = format!(
        "(func $g (param {params}) (result i32) {} {sum})
        (func (export \"f\") (result i32) (return_call $g {}))",
        (0..100).map(|index| format!("(local.get {index}) ")).collect::<String>(),
        (0..100).map(|index| format!("(i32.const {index}) ")).collect::<String>(),
    );
    check_i32(&fields, &[], &[4950]);
}

#[test]
fn calls_cross_into_other_instances_and_back() {
    let mut store = Store::new(&Engine::new(&config()), Vec::new());
    let mut linker = hosts(&mut store);
    let other = add_instance(
        &mut store,
        &linker,
        "(module (import \"host\" \"again\" (func $again (param i32) (result i32)))
            (memory 1) (global $g (mut i32) (i32.const 40)) (data (i32.const 0) \"\\07\")
            (type $f (func (param i32) (result i32))) (table (export \"table\") 1 funcref)
            (func (export \"get\") (param i32) (result i32)
                (i32.add (i32.load8_u (i32.const 0)) (i32.add (global.get $g) (local.get 0))))
            (func (export \"inner\") (param i32) (result i32) (i32.div_s (i32.const 8) (local.get 0)))
            (func (export \"through\") (param i32) (result i32) (call $again (local.get 0)))
            (func (export \"back\") (param i32) (result i32)
                (return_call_indirect (type $f) (i32.add (local.get 0) (i32.load8_u (i32.const 0))) (i32.const 0))))",
    );
    linker.instance(&store, "other", other);
    let instance = add_instance(
        &mut store,
        &linker,
        "(module (import \"other\" \"get\" (func $get (param i32) (result i32)))
            (import \"other\" \"through\" (func $through (param i32) (result i32)))
            (import \"other\" \"back\" (func $back (param i32) (result i32)))
            (import \"other\" \"table\" (table 1 funcref))
            (memory 1) (data (i32.const 0) \"\\64\") (elem (i32.const 0) $count)
            (func $count (export \"count\") (param i32) (result i32)
                (if (i32.gt_s (local.get 0) (i32.const 700000))
                    (then (return (i32.add (local.get 0) (i32.load8_u (i32.const 0))))))
                (return_call $back (local.get 0)))
            (func (export \"f\") (param i32) (result i32)
                (i32.add (call $get (local.get 0)) (i32.load8_u (i32.const 0))))
            (func (export \"g\") (param i32) (result i32)
                (i32.add (call $through (local.get 0)) (i32.load8_u (i32.const 0)))))",
    );
    let func = |store: &Store<Vec<i32>>, name| instance.func(store, name).expect("exported");
    let (f, g, count) = (func(&store, "f"), func(&store, "g"), func(&store, "count"));
    assert_eq!(call(&mut store, f, &[Val::I32(1)]), Ok(vec![Val::I32(148)]));
    assert_eq!(call(&mut store, g, &[Val::I32(2)]), Ok(vec![Val::I32(104)]));
    // A hundred thousand tail calls each way.
    assert_eq!(call(&mut store, count, &[Val::I32(0)]), Ok(vec![Val::I32(700_007 + 100)]));
    let trap = trap(call(&mut store, g, &[Val::I32(0)]));
    let backtrace = trap.backtrace().expect("taken");
    let shown: Vec<_> = backtrace.innermost().iter().map(|frame| (frame.instance(), frame.func())).collect();
    assert_eq!(shown, [(Some(0), Some(2)), (None, None), (Some(0), Some(3)), (Some(1), Some(5))]);
}

#[test]
fn no_handler_grows_the_native_stack() {
    const TURNS: u32 = 20_000;
    const STACK_BYTES: usize = 256 << 10;
    const TEXT: &str = "(module (import \"host\" \"log\" (func $log (param i32)))
            (import \"host\" \"add\" (func $add (param i32 i32) (result i32)))
            (type $t (func)) (type $u (func (param i32 i32) (result i32)))
            (memory 1) (table 2 funcref) (elem (i32.const 0) $g $add) (global $x (mut f64) (f64.const 1))
            (func $g) (func $tail (return_call $g))
            (func $tail_indirect (return_call_indirect (type $t) (i32.const 0)))
            (func $tail_ref (return_call_ref $t (ref.func $g)))
            (func $tail_host (param i32 i32) (result i32) (return_call $add (local.get 0) (local.get 1)))
            (func (export \"f\") (param i32) (local f64 f32 i64)
                (loop
                    (call $g) (call $tail) (call $tail_indirect) (call $tail_ref)
                    (call_indirect (type $t) (i32.const 0)) (call_ref $t (ref.func $g))
                    (drop (call_indirect (type $u) (i32.const 1) (i32.const 2) (i32.const 1)))
                    (drop (call $tail_host (i32.const 1) (i32.const 2)))
                    (drop (memory.grow (i32.const 0))) (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))
                    (table.set (i32.const 0) (table.get (i32.const 0))) (drop (ref.is_null (ref.func $g)))
                    (global.set $x (f64.sqrt (f64.min (global.get $x) (local.get 1))))
                    (local.set 2 (f32.demote_f64 (f64.nearest (f64.load (i32.const 8)))))
                    (local.set 3 (i64.trunc_f32_s (local.get 2)))
                    (local.set 3 (i64.div_s (local.get 3) (i64.const 3)))
                    (i64.store (i32.const 16) (i64.rotl (local.get 3) (i64.popcnt (local.get 3))))
                    (drop (select (local.get 0) (i32.const 1) (i64.eqz (local.get 3))))
                    (block (block (br_table 0 1 (i32.and (local.get 0) (i32.const 1)))))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";
    let body = move || {
        let (mut store, instance) = instantiate(&config().fuel(true), TEXT);
        store.set_fuel(u64::MAX);
        let f = instance.func(&store, "f").expect("exported");
        assert_eq!(call(&mut store, f, &[Val::I32(TURNS as i32)]), Ok(vec![]));
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(body).expect("a thread");
    thread.join().expect("the stack was enough");
}
