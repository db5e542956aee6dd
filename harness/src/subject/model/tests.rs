use super::*;
use crate::case::{Case, CaseModule, HostPlan, Limits};
use crate::compare::Verdict;
use crate::features::Features;
use crate::generate::Generator;
use crate::observe::TrapObservation;
use crate::subject::{Lane, LaneSubject, Shown, Unwatched, observe_all};
use crate::trial::run_case;
use crosscheck_engine::{Mode, TrapKind};

fn wasm(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).expect("it is text");
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("it is a module");
    module.encode().expect("it can be encoded")
}

/// A case of one module, whose function `f` is called with these arguments.
fn case(text: &str, args: &[Value], limits: Limits) -> Case {
    let invoke = Action::Invoke { module: 0, export: "f".into(), args: args.to_vec() };
    Case {
        modules: vec![CaseModule { name: "m".into(), wasm: wasm(text) }],
        hosts: HostPlan::new(0, 0),
        actions: vec![Action::Instantiate { module: 0 }, invoke],
        limits,
    }
}

/// What the model shows of the call of a case.
fn called(text: &str, args: &[Value], limits: Limits) -> ActionObservation {
    let case = case(text, args, limits);
    let Shown::Observed(mut shown) = observe_all(&case, &[&ModelSubject], Capture::Full, &mut Unwatched)
    else {
        panic!("the module is valid")
    };
    let mut actions = shown.remove(0).expect("it was asked").actions;
    assert_eq!(actions[0].outcome, Outcome::Values(Vec::new()));
    actions.remove(1)
}

fn fuel(fuel: u64) -> Limits {
    Limits { fuel: Some(fuel), ..Limits::default() }
}

#[track_caller]
fn trapped(seen: &ActionObservation) -> &TrapObservation {
    let Outcome::Trap(trap) = &seen.outcome else { panic!("{:?}", seen.outcome) };
    trap
}

#[track_caller]
fn gives(body: &str, expected: Value) {
    let ty = match expected {
        Value::I32(_) => "i32",
        Value::I64(_) => "i64",
        Value::F32(_) => "f32",
        _ => "f64",
    };
    let text = format!("(module (func (export \"f\") (result {ty}) {body}))");
    assert_eq!(called(&text, &[], Limits::default()).outcome, Outcome::Values(vec![expected]), "{body}");
}

#[test]
fn it_shows_what_a_mode_shows_on_generated_cases() {
    let mut generator = Generator::new(Features::executed());
    let lane = LaneSubject::new(Lane::plain(Mode::Interp));
    let mut agreed = 0;
    for index in 0..300 {
        let Some(generated) = generator.case(11, index) else { continue };
        let run = run_case(&generated.case, &[&lane, &ModelSubject], Capture::Digest);
        match run.verdict {
            Verdict::Agree => agreed += 1,
            Verdict::Diverge(divergence) => panic!("case {index}: {}", divergence.first),
            Verdict::Inconclusive(reason) => panic!("case {index}: {reason}"),
            Verdict::Invalid => {}
        }
    }
    assert!(agreed > 250, "{agreed}");
}

#[test]
fn integers_wrap_and_turn() {
    gives("(i32.rotl (i32.const 0x80000001) (i32.const 32))", Value::I32(0x8000_0001));
    gives("(i32.rotr (i32.const 0x80000001) (i32.const 33))", Value::I32(0xc000_0000));
    gives("(i64.rotl (i64.const 0x8000000000000001) (i64.const 1))", Value::I64(3));
    gives("(i32.rem_s (i32.const 0x80000000) (i32.const -1))", Value::I32(0));
    gives("(i64.sub (i64.const 0) (i64.const 1))", Value::I64(u64::MAX));
    gives("(i32.shr_s (i32.const -8) (i32.const 33))", Value::I32(-4i32 as u32));
    gives("(i32.ctz (i32.const 0))", Value::I32(32));
    gives("(i64.clz (i64.const 0))", Value::I64(64));
    gives("(i32.clz (i32.const 1))", Value::I32(31));
}

#[test]
fn wide_products_have_both_halves() {
    gives("(i64.mul_wide_u (i64.const -1) (i64.const -1)) drop", Value::I64(1));
    // The sum of 1 and -2.
    gives("(i64.mul_wide_u (i64.const -1) (i64.const -1)) i64.add", Value::I64(u64::MAX));
    // The sum of -5 and -1.
    gives("(i64.mul_wide_s (i64.const -1) (i64.const 5)) i64.add", Value::I64(-6i64 as u64));
}

#[test]
fn floats_round_to_even_and_nans_are_canonical() {
    gives("(f32.nearest (f32.const 2.5))", Value::F32(2f32.to_bits()));
    gives("(f32.nearest (f32.const -0.5))", Value::F32((-0f32).to_bits()));
    gives("(f64.nearest (f64.const 4503599627370495.5))", Value::F64(4_503_599_627_370_496f64.to_bits()));
    gives("(f32.min (f32.const 0) (f32.const -0))", Value::F32((-0f32).to_bits()));
    gives("(f64.max (f64.const -0) (f64.const 0))", Value::F64(0));
    gives("(f32.add (f32.const -nan:0x200000) (f32.const 1))", Value::F32(0x7fc0_0000));
    gives("(f32.neg (f32.const nan:0x200000))", Value::F32(0xffa0_0000));
    gives("(f64.promote_f32 (f32.const -nan:0x1))", Value::F64(0x7ff8_0000_0000_0000));
}

#[test]
fn floats_become_integers_up_to_the_last_that_fits() {
    gives("(i32.trunc_f64_s (f64.const -2147483648.9))", Value::I32(0x8000_0000));
    gives("(i32.trunc_f64_u (f64.const -0.9))", Value::I32(0));
    gives("(i64.trunc_f64_u (f64.const 18446744073709549568))", Value::I64(18_446_744_073_709_549_568));
    gives("(i32.trunc_sat_f32_u (f32.const inf))", Value::I32(u32::MAX));
    gives("(i64.trunc_sat_f64_s (f64.const nan))", Value::I64(0));
    gives("(i64.trunc_sat_f64_s (f64.const -1e300))", Value::I64(1 << 63));
    let text = "(module (func (export \"f\") (result i32) (i32.trunc_f64_s (f64.const 2147483648))))";
    assert_eq!(trapped(&called(text, &[], Limits::default())).kind, TrapKind::IntegerOverflow);
}

#[test]
fn a_segment_is_paid_for_where_it_begins() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (block (br_if 0 (local.get 0)) (return (i32.const 1)))
        (i32.add (local.get 0) (i32.const 1))))";
    // Two for the branch, three for the sum.
    assert_eq!(called(text, &[Value::I32(1)], fuel(10)).fuel_left, 5);
    // Two for the branch, two for the return.
    assert_eq!(called(text, &[Value::I32(0)], fuel(10)).fuel_left, 6);
    let seen = called(text, &[Value::I32(1)], fuel(4));
    assert_eq!((trapped(&seen).kind, seen.fuel_left), (TrapKind::OutOfFuel, 2));
}

#[test]
fn bulk_instructions_pay_for_every_64_begun_after_their_bounds_are_checked() {
    let text = "(module (memory 1) (func (export \"f\") (param i32)
        (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))";
    assert_eq!(called(text, &[Value::I32(65)], fuel(10)).fuel_left, 4);
    let outside = called(text, &[Value::I32(65_537)], fuel(10));
    assert_eq!((trapped(&outside).kind, outside.fuel_left), (TrapKind::MemoryOutOfBounds, 6));
    let poor = called(text, &[Value::I32(640)], fuel(13));
    assert_eq!((trapped(&poor).kind, poor.fuel_left), (TrapKind::OutOfFuel, 9));
}

#[test]
fn a_frame_costs_its_values_and_eight_slots_more() {
    // One parameter, one local, three operands at most: 13 slots a frame.
    let text = "(module (global $n (mut i32) (i32.const 0)) (export \"n\" (global $n))
        (func $f (export \"f\") (param i32) (local i64)
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (drop (i32.add (i32.const 1) (i32.add (i32.const 1) (i32.const 2))))
            (call $f (local.get 0))))";
    let limits = Limits { depth_slots: 13 * 7 + 12, ..Limits::default() };
    let seen = called(text, &[Value::I32(0)], limits);
    assert_eq!(trapped(&seen).kind, TrapKind::CallStackExhausted);
    assert_eq!(seen.state.expect("everything is spelled out").instances[0].globals, [Value::I32(7)]);
    // The one that has no room is a frame, too.
    assert_eq!(
        trapped(&called(text, &[Value::I32(0)], limits)).frames.as_ref().map(|frames| frames.count),
        Some(8)
    );
}

#[test]
fn tail_calls_take_no_room() {
    let text = "(module (func $f (export \"f\") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
        (return_call $f (i32.sub (local.get 0) (i32.const 1)))))";
    let limits = Limits { depth_slots: 16, ..Limits::default() };
    assert_eq!(called(text, &[Value::I32(10_000)], limits).outcome, Outcome::Values(vec![Value::I32(7)]));
}

#[test]
fn types_are_the_same_if_their_whole_groups_are() {
    let with = |element: &str| {
        format!(
            "(module (rec (type $a (func)) (type $b (func (param i32)))) (type $c (func))
                (rec (type $d (func)) (type $e (func (param i32))))
                (func $g (type $a)) (table funcref (elem $g))
                (func (export \"f\") (call_indirect (type {element}) (i32.const 0))))"
        )
    };
    assert_eq!(called(&with("$d"), &[], Limits::default()).outcome, Outcome::Values(Vec::new()));
    let other = called(&with("$c"), &[], Limits::default());
    assert_eq!(trapped(&other).kind, TrapKind::IndirectCallTypeMismatch);
}

#[test]
fn copies_that_overlap_go_the_way_that_spoils_nothing() {
    let text = "(module (memory 3) (func (export \"f\") (param i32 i32 i32) (result i32)
        (i32.store8 (i32.const 100000) (i32.const 9))
        (memory.copy (local.get 0) (local.get 1) (i32.const 90000))
        (i32.load8_u (local.get 2))))";
    let args = |to: u32, from: u32| [Value::I32(to), Value::I32(from), Value::I32(100_000 + to - from)];
    let nine = Outcome::Values(vec![Value::I32(9)]);
    assert_eq!(called(text, &args(50_000, 20_000), Limits::default()).outcome, nine);
    let down = [Value::I32(20_000), Value::I32(50_000), Value::I32(70_000)];
    assert_eq!(called(text, &down, Limits::default()).outcome, nine);
}

#[test]
fn what_it_leaves_out_is_told_and_not_run() {
    let text = "(module (func (export \"f\") (drop (v128.const i64x2 0 0))))";
    let case = case(text, &[], Limits::default());
    let Shown::Observed(shown) = observe_all(&case, &[&ModelSubject], Capture::Digest, &mut Unwatched) else {
        panic!("the module is valid")
    };
    let outcome = &shown[0].as_ref().expect("it was asked").actions[0].outcome;
    assert_eq!(*outcome, Outcome::Unsupported("the model does not execute instructions of simd".into()));
}
