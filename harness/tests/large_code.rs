//! Modules that strain compiled code: more of everything than an instruction, a register file or a branch is
//! made for. Every mode shows the same, and compiled modes in every lane.
//!
//! What strains all modes alike stands in `hostile`.

use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::compare::Verdict;
use crosscheck::observe::{Capture, Observation, Outcome};
use crosscheck::subject::{Lane, LaneSubject, Subject, Switch};
use crosscheck::trial::run_case;
use crosscheck_engine::{Engine, Mode, Module, TrapKind};
use std::fmt::Write;

/// Both interpreters; compiled modes plain, with each switch, with all of them, and with those that make branches
/// the most crowded.
fn lanes() -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Mode::all().map(Lane::plain).collect();
    for mode in Mode::all().filter(|mode| mode.is_compiled()) {
        let applying: Vec<Switch> = Switch::all().filter(|switch| switch.applies_to(mode)).collect();
        lanes.extend(applying.iter().map(|switch| switch.lane(mode)));
        lanes.push(applying.iter().fold(Lane::plain(mode), |lane, switch| lane.with(*switch)));
        lanes.push(Switch::ShortBranches.lane(mode).with(Switch::FewRegisters).with(Switch::ExplicitBounds));
    }
    lanes
}

fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

/// Instantiates modules called `m0`, `m1` and so on, and calls `f` of the last with each of the arguments in
/// every lane; gives what all of them showed of the calls.
fn shown(modules: &[String], calls: &[Vec<Value>]) -> Observation {
    let last = modules.len() as u32 - 1;
    let call = |args: &Vec<Value>| Action::Invoke { module: last, export: "f".into(), args: args.clone() };
    let modules: Vec<CaseModule> = modules
        .iter()
        .enumerate()
        .map(|(number, wat)| CaseModule { name: format!("m{number}"), wasm: encode(wat) })
        .collect();
    let mut actions: Vec<Action> = (0..=last).map(|module| Action::Instantiate { module }).collect();
    actions.extend(calls.iter().map(call));
    let limits = Limits { fuel: Some(1 << 40), depth_slots: 1 << 20, ..Limits::default() };
    let case = Case { modules, hosts: HostPlan::new(7, 0), actions, limits };
    let subjects: Vec<LaneSubject> = lanes().into_iter().map(LaneSubject::new).collect();
    let subjects: Vec<&dyn Subject> = subjects.iter().map(|subject| subject as &dyn Subject).collect();
    let run = run_case(&case, &subjects, Capture::Digest);
    match run.verdict {
        Verdict::Agree => {}
        Verdict::Diverge(divergence) => panic!("{:?}: {}", divergence.groups, divergence.first),
        Verdict::Inconclusive(reason) => panic!("inconclusive: {reason}"),
        Verdict::Invalid => panic!("a module is invalid"),
    }
    assert_eq!(run.observations.len(), subjects.len(), "nobody was left out");
    let mut observation = run.observations.into_iter().next().expect("the reference ran").1;
    observation.actions.drain(..case.modules.len());
    observation
}

fn outcomes(observation: &Observation) -> Vec<&Outcome> {
    observation.actions.iter().map(|action| &action.outcome).collect()
}

fn is_trap(outcome: &Outcome, kind: TrapKind) -> bool {
    matches!(outcome, Outcome::Trap(trap) if trap.kind == kind)
}

fn returns(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Values(_))
}

fn repeat(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

const NUMBERS: [&str; 4] = ["i32", "i64", "f32", "f64"];

fn number(index: usize) -> &'static str {
    NUMBERS[index % NUMBERS.len()]
}

fn argument(index: usize) -> Value {
    match index % NUMBERS.len() {
        0 => Value::I32(0x8000_0000 | index as u32),
        1 => Value::I64(0x8000_0001_0000_0000 | index as u64),
        2 => Value::F32((index as f32 + 0.5).to_bits()),
        _ => Value::F64((index as f64 - 0.25).to_bits()),
    }
}

#[test]
fn a_function_of_more_than_a_megabyte_of_machine_code_runs_and_traps_where_it_should() {
    // Each step loads, divides, stores and calls; the loop makes branches over all of it.
    let step = |index: usize| {
        format!(
            "(i64.store offset={} (local.get 0) (i64.div_u
                (i64.add (i64.load offset={} (local.get 0)) (i64.const {index}))
                (i64.extend_i32_u (i32.sub (i32.const {}) (local.get 1)))))
             {}",
            index % 8000,
            index % 7919,
            index + 1,
            if index.is_multiple_of(64) { "(local.set 1 (call $g (local.get 1)))" } else { "" },
        )
    };
    let module = format!(
        "(module (memory 1)
            (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 0)))
            (func (export \"f\") (param i32 i32) (local i32)
                (loop $again
                    {}
                    (br_if $again (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 3))))))",
        repeat(24_000, step),
    );
    for lane in lanes().into_iter().filter(|lane| lane.mode.is_compiled() && !lane.has(Switch::Lazy)) {
        let module = Module::new(&Engine::new(&lane.config()), encode(&module)).expect("it compiles");
        assert!(module.code_bytes() > 1 << 20, "{lane}: {} bytes", module.code_bytes());
    }
    let calls = [[8, 0], [8, 20_000], [60_000, 0], [8, 1]].map(|args| args.map(Value::I32).to_vec());
    let observation = shown(&[module], &calls);
    let given = outcomes(&observation);
    assert!(returns(given[0]));
    assert!(is_trap(given[1], TrapKind::IntegerDivideByZero));
    assert!(is_trap(given[2], TrapKind::MemoryOutOfBounds));
    assert!(is_trap(given[3], TrapKind::IntegerDivideByZero));
}

#[test]
fn forty_thousand_functions_and_their_imports_call_across_the_whole_module() {
    const FUNCTIONS: usize = 40_000;
    const IMPORTS: usize = 45;
    let import = |index| format!("(import \"host\" \"h{index}\" (func (param i32) (result i32)))");
    let function = |index: usize| {
        let far = IMPORTS + (index * 7919 + 12_345) % FUNCTIONS;
        format!(
            "(func {} (param i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (return (i32.div_u (i32.const 1) (local.get 0)))))
                (drop (call {} (local.get 0)))
                {})",
            if index == 0 { "(export \"f\")" } else { "" },
            index % IMPORTS,
            // Every third gives its frame to the next.
            match index % 3 {
                0 => format!("(return_call {far} (i32.sub (local.get 0) (i32.const 1)))"),
                1 => format!("(i32.add (i32.const 1) (call {far} (i32.sub (local.get 0) (i32.const 1))))"),
                _ => format!(
                    "(i32.add (call {far} (i32.const 1)) (call {far} (i32.sub (local.get 0) (i32.const 1))))"
                ),
            },
        )
    };
    let module = format!("(module {} {})", repeat(IMPORTS, import), repeat(FUNCTIONS, function));
    let observation = shown(&[module], &[vec![Value::I32(3)], vec![Value::I32(5_000)]]);
    for outcome in outcomes(&observation) {
        assert!(is_trap(outcome, TrapKind::IntegerDivideByZero), "{}", outcome.describe());
    }
}

#[test]
fn a_thousand_parameters_and_results_go_every_way_a_call_can_go() {
    const COUNT: usize = 1000;
    let params = repeat(COUNT, |index| format!(" {}", number(index)));
    let results = repeat(COUNT, |index| format!(" {}", number(index + 1)));
    let ty = format!("(type $t (func (param{params}) (result{results})))");
    // Results are the parameters one further on, so that every value changes its place.
    let shifted = repeat(COUNT, |index| format!(" (local.get {})", (index + 1) % COUNT));
    let same = repeat(COUNT, |index| format!(" (local.get {index})"));
    let callee = format!("(module {ty} (func (export \"g\") (type $t){shifted}))");
    let caller = |call: &str, tail: bool| {
        let rest = if tail { String::new() } else { repeat(COUNT, |_| " (drop)".into()) };
        let after = if tail { String::new() } else { shifted.clone() };
        format!(
            "(module {ty}
                (import \"m0\" \"g\" (func $g (type $t)))
                (import \"host\" \"h\" (func $h (type $t)))
                (table 3 funcref) (elem (i32.const 0) func $g $h $own)
                (elem declare func $g $h $own)
                (func $own (type $t){shifted})
                (func $other (type $t) (return_call $own{same}))
                (func (export \"f\") (type $t) {}{rest}{after}))",
            call.replace("ARGS", &same),
        )
    };
    let args: Vec<Value> = (0..COUNT).map(argument).collect();
    for (call, tail) in [
        ("(call $own ARGS)", false),
        ("(call $other ARGS)", false),
        ("(call $g ARGS)", false),
        ("(call $h ARGS)", false),
        ("(call_indirect (type $t) ARGS (i32.const 0))", false),
        ("(call_indirect (type $t) ARGS (i32.const 1))", false),
        ("(call_indirect (type $t) ARGS (i32.const 2))", false),
        ("(call_ref $t ARGS (ref.func $g))", false),
        ("(call_ref $t ARGS (ref.func $h))", false),
        ("(call_ref $t ARGS (ref.func $own))", false),
        ("(call $own ARGS)", true),
        ("(call $g ARGS)", true),
        ("(call $h ARGS)", true),
        ("(return_call $own ARGS)", true),
        ("(return_call $g ARGS)", true),
        ("(return_call $h ARGS)", true),
        ("(return_call_indirect (type $t) ARGS (i32.const 0))", true),
        ("(return_call_indirect (type $t) ARGS (i32.const 1))", true),
        ("(return_call_indirect (type $t) ARGS (i32.const 2))", true),
        ("(return_call_ref $t ARGS (ref.func $g))", true),
        ("(return_call_ref $t ARGS (ref.func $h))", true),
    ] {
        let observation = shown(&[callee.clone(), caller(call, tail)], std::slice::from_ref(&args));
        assert!(outcomes(&observation).into_iter().all(returns), "{call}");
    }
}

#[test]
fn frames_of_fifty_thousand_locals_are_cleared_used_and_exhausted() {
    let locals = repeat(49_999, |index| format!(" {}", number(index)));
    let module = format!(
        "(module (memory 1)
            (func $f (export \"f\") (param i32) (local{locals})
                (i32.store (i32.const 0) (local.get 49997))
                (i64.store (i32.const 8) (i64.add (local.get 2) (local.get 49998)))
                (f32.store (i32.const 16) (f32.add (local.get 3) (local.get 49999)))
                (f64.store (i32.const 24) (f64.add (local.get 4) (local.get 25000)))
                (local.set 49997 (i32.const -1)) (local.set 2 (i64.const -1)) (local.set 49998 (i64.const 5))
                (local.set 3 (f32.const 1)) (local.set 4 (f64.const 2)) (local.set 25000 (f64.const 3))
                (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))))
                (i32.store (i32.const 32) (local.get 49997))
                (i64.store (i32.const 40) (i64.add (local.get 2) (local.get 49998)))
                (f32.store (i32.const 48) (f32.add (local.get 3) (local.get 49999)))
                (f64.store (i32.const 56) (f64.add (local.get 4) (local.get 25000)))))"
    );
    let observation = shown(&[module], &[0, 5, 100, 3].map(|arg| vec![Value::I32(arg)]));
    let given = outcomes(&observation);
    assert!(returns(given[0]) && returns(given[1]) && returns(given[3]));
    assert!(is_trap(given[2], TrapKind::CallStackExhausted));
}

#[test]
fn frames_of_every_size_around_the_limit_are_exhausted_at_the_same_call() {
    for locals in [0, 1, 9, 4_000, 4_079, 4_080, 4_081, 4_082, 4_095, 4_096, 4_097, 8_000, 16_000] {
        let module = format!(
            "(module (func $f (export \"f\") (param i32) (result i32) (local {}) (local i64)
                (i32.add (i32.const 1) (call $f (i32.const 1)))))",
            "i64 ".repeat(locals),
        );
        let observation = shown(&[module], &[vec![Value::I32(0)]]);
        assert!(is_trap(outcomes(&observation)[0], TrapKind::CallStackExhausted), "{locals} locals");
    }
}

#[test]
fn ten_thousand_nested_blocks_carry_values_to_any_of_them() {
    const DEPTH: usize = 10_000;
    let open = repeat(DEPTH, |index| match index % 3 {
        0 => "(block (result i32 i64) ".into(),
        1 => "(loop (result i32 i64) ".into(),
        _ => "(if (result i32 i64) (local.get 1) (then ".to_string(),
    });
    let close = repeat(DEPTH, |index| match (DEPTH - 1 - index) % 3 {
        0 | 1 => ") (i64.add (i64.const 1)) ".into(),
        _ => ") (else (i32.const 1) (i64.const 2))) (i64.add (i64.const 3)) ".to_string(),
    });
    let targets = repeat(DEPTH, |index| {
        // Branches to a loop would go on for ever.
        let depth = index - index % 3;
        format!("{} ", DEPTH - 1 - depth)
    });
    let module = format!(
        "(module (func (export \"f\") (param i32 i32) (result i32 i64)
            {open} (i32.const 5) (i64.const 6) (br_table {targets} {} (local.get 0)) {close}))",
        DEPTH - 1
    );
    let calls = [[0, 1], [5_000, 1], [9_999, 1], [10_000, 1], [7, 0], [u32::MAX, 1]];
    let observation = shown(&[module], &calls.map(|args| args.map(Value::I32).to_vec()));
    assert!(outcomes(&observation).into_iter().all(returns));
}

#[test]
fn tables_of_sixty_thousand_targets_carry_none_one_and_several_values() {
    const TARGETS: usize = 60_000;
    for (results, values) in
        [("", ""), ("(result f64)", "(f64.const 1.5)"), ("(result i32 f32)", "(i32.const 9) (f32.const 2.5)")]
    {
        let several = results.matches(' ').count();
        let drops = "(drop) ".repeat(several);
        let blocks = 300;
        let open = format!("(block {results} ").repeat(blocks);
        // Behind the end of each block its number is stored.
        let close = repeat(blocks, |block| {
            format!(") {drops} (i32.store (i32.const {}) (i32.const {block})) {values} (call $g) ", 4 * block)
        });
        let targets = repeat(TARGETS, |index| format!("{} ", (index * 7) % blocks));
        let module = format!(
            "(module (memory 1) (func $g)
                (func (export \"f\") (param i32) (call $g)
                    {open} {values} (br_table {targets} {} (local.get 0)) {close} {drops}))",
            blocks - 1
        );
        let calls = [0, 1, 30_000, 59_999, 60_000, 60_001, u32::MAX, 1 << 31];
        let observation = shown(&[module], &calls.map(|arg| vec![Value::I32(arg)]));
        assert!(outcomes(&observation).into_iter().all(returns));
    }
}

/// What may stand between a call and its island: instructions that become more code than any other.
fn widest() -> Vec<(&'static str, String)> {
    let floats = |count: usize| repeat(count, |index| format!("(f64.const {index}.3)"));
    let of_type = |count: usize, ty: &str| format!(" {ty}").repeat(count);
    let drops = |count: usize| "(drop)".repeat(count);
    let mut rows = Vec::new();
    for count in [20, 31, 32, 33, 60, 300, 1000] {
        let (values, drop) = (floats(count), drops(count));
        let types = of_type(count, "f64");
        rows.push(("call", format!("(call $wide{count} {values}) {drop}")));
        rows.push(("a block's end", format!("(block (result{types}) {values}) {drop}")));
        rows.push((
            "the arms of an if",
            format!("(if (result{types}) (local.get 0) (then {values}) (else {values})) {drop}"),
        ));
        rows.push((
            "a conditional branch",
            format!("(block (result{types}) {values} (br_if 0 (local.get 0))) {drop}"),
        ));
        rows.push((
            "a conditional branch that moves",
            format!("(block (result{types}) (i32.const 1) {values} (br_if 0 (local.get 0)) (br 0)) {drop}"),
        ));
        rows.push((
            "a table of branches",
            format!(
                "(block (result{types}) (i32.const 3) (block (result{types}) (i64.const 3) (block (result{types})
                    (i32.const 1) {values} (br_table 0 1 2 1 0 2 2 (local.get 0))) (br 1)) (br 0)) {drop}"
            ),
        ));
        rows.push((
            "a null that branches",
            format!(
                "(block (result{types}) (i32.const 4) {values} (br_on_null 0 (ref.null func)) (drop) (br 0)) {drop}"
            ),
        ));
        rows.push((
            "a conditional return",
            format!("(block (result{types}) {values}) {drop} {values} (call $sink{count})"),
        ));
    }
    rows
}

#[test]
fn calls_crowded_before_the_widest_instructions_still_reach_their_islands() {
    let counts = [20, 31, 32, 33, 60, 300, 1000];
    let mut callees = String::new();
    for count in counts {
        let types = " f64".repeat(count);
        let get = repeat(count, |index| format!("(local.get {})", count - 1 - index));
        write!(
            callees,
            "(func $wide{count} (param{types}) (result{types}) {get})
             (func $sink{count} (param{types}) (global.set 0 (f64.add (global.get 0) (local.get {}))))",
            count / 2
        )
        .expect("writing to a string");
    }
    // Callees further away than a short branch reaches, before and behind.
    let filler = |name: &str| {
        let stores = repeat(600, |index| format!("(global.set 0 (f64.const {index}.7))"));
        format!("(func ${name} (param i32) {stores})")
    };
    let wide = widest();
    let functions = repeat(wide.len() * 6, |index| {
        let (_, instruction) = &wide[index % wide.len()];
        // The more calls stand before, the nearer the first is to the end of its reach.
        let calls = [1, 40, 100, 118, 120, 130][index / wide.len()];
        let calls = repeat(calls, |call| format!("(call $near (i32.const {call}))"));
        format!("(func $t{index} (param i32) {calls} {instruction} {calls} {instruction})")
    });
    let run = repeat(wide.len() * 6, |index| format!("(call $t{index} (local.get 0))"));
    let module = format!(
        "(module (global (mut f64) (f64.const 0))
            {} (func $near (param i32) (global.set 0 (f64.add (global.get 0) (f64.convert_i32_u (local.get 0)))))
            {callees} {} {functions}
            (func (export \"f\") (param i32) {run}))",
        filler("a"),
        filler("b"),
    );
    let observation = shown(&[module], &[0, 1, 2].map(|arg| vec![Value::I32(arg)]));
    assert!(outcomes(&observation).into_iter().all(returns));
}

#[test]
fn calls_crowded_before_a_wide_return_still_reach_their_islands() {
    for count in [1, 20, 32, 33, 200, 1000] {
        let types = " f64".repeat(count);
        let values = repeat(count, |index| format!("(f64.const {index}.9)"));
        let functions = repeat(40, |index| {
            let calls = "(call $near)".repeat(index * 4);
            let leave = match index % 4 {
                0 => values.clone(),
                1 => format!("{values} (return)"),
                2 => format!("{values} (br_if 0 (local.get 0))"),
                _ => "(return_call $t0 (local.get 0))".to_string(),
            };
            format!("(func $t{index} (param i32) (result{types}) {calls} {leave})")
        });
        let filler = repeat(600, |index| format!("(global.set 0 (f64.const {index}.7))"));
        let run = repeat(40, |index| {
            format!("(call $t{index} (local.get 0)) (global.set 0) {}", "(drop)".repeat(count - 1))
        });
        let module = format!(
            "(module (global (mut f64) (f64.const 0)) (func $near) (func $far {filler}) {functions}
                (func $further {filler}) (func (export \"f\") (param i32) {run}))"
        );
        let observation = shown(&[module], &[0, 1].map(|arg| vec![Value::I32(arg)]));
        assert!(outcomes(&observation).into_iter().all(returns), "{count} results");
    }
}
