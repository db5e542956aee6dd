//! Input that means harm: damaged modules, and valid ones at the edge of what is allowed.
//!
//! Whatever the bytes, nobody panics or hangs, and every mode shows the same. The sizes are limits of
//! wasmparser, which are those that engines agreed on for the web (JavaScript API, "Limits").

use crosscheck::campaign::Lanes;
use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::compare::Verdict;
use crosscheck::draw::{Purpose, Stream, case_seed};
use crosscheck::features::Features;
use crosscheck::generate::mutate::mutate;
use crosscheck::generate::{Generator, plan};
use crosscheck::guard::guarded;
use crosscheck::observe::{Capture, Observation, Outcome};
use crosscheck::subject::{Lane, LaneSubject, Subject, Switch};
use crosscheck::trial::run_case;
use crosscheck_engine::{
    Config, Engine, Error, Extern, Instance, Limits as EngineLimits, Linker, Mode, Module, Store, TrapKind,
    Val,
};
use std::path::PathBuf;
use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, InstructionSink,
    TypeSection, ValType,
};

/// Mutants that are tried; a campaign of fuzz targets tries the others.
const MUTANTS: u64 = 10_000;
/// What `run --fuel` is given for a mutant.
const RUN_FUEL: u64 = 1_000_000;
/// Valid modules that mutants are made from, beside the seed cases.
const GENERATED: u64 = 40;

// Damage.

#[test]
fn damaged_modules_neither_panic_nor_hang_nor_divide_the_modes() {
    let sources = sources();
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let counts: Vec<[u64; 3]> = std::thread::scope(|scope| {
        let share = |thread| (0..MUTANTS).skip(thread as usize).step_by(threads as usize);
        let sources = &sources;
        let workers: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || try_mutants(share(thread), sources))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no mutant does harm")).collect()
    });
    let [undecodable, invalid, ran] =
        [0, 1, 2].map(|kind| counts.iter().map(|count| count[kind]).sum::<u64>());
    assert_eq!(undecodable + invalid + ran, MUTANTS);
    // A mutator whose output nobody accepts, or everybody, tests half of what it should.
    assert!(undecodable > 50 && invalid > 50 && ran > 1_000, "{undecodable} {invalid} {ran}");
}

/// How many of the mutants nobody can decode, how many are invalid, and how many run.
fn try_mutants(indices: impl Iterator<Item = u64>, sources: &[Vec<u8>]) -> [u64; 3] {
    let mut counts = [0; 3];
    for index in indices {
        let seed = case_seed(0, index);
        let mut stream = Stream::new(seed, Purpose::Mutation);
        let (wasm, donor) = (stream.pick::<Vec<u8>>(sources), stream.pick::<Vec<u8>>(sources));
        let mutant = mutate(wasm, donor, &mut stream);
        let outcome = guarded(|| {
            Mode::all().for_each(|mode| run_like_the_command(mode, &mutant));
            replay_like_the_command(&mutant, seed)
        });
        match outcome {
            Ok(None) => counts[0] += 1,
            Ok(Some(Verdict::Invalid)) => counts[1] += 1,
            Ok(Some(Verdict::Agree | Verdict::Inconclusive(_))) => counts[2] += 1,
            Ok(Some(Verdict::Diverge(divergence))) => {
                panic!("mutant {index}: {}: {mutant:02x?}", divergence.first)
            }
            Err(message) => panic!("mutant {index}: {message}: {mutant:02x?}"),
        }
    }
    counts
}

/// What `run --fuel` does with a module: instantiates it without hosts and calls `_start`, if it gets that far.
fn run_like_the_command(mode: Mode, wasm: &[u8]) {
    let engine = Engine::new(&Config::new(mode).fuel(true));
    let Ok(module) = Module::new(&engine, wasm) else { return };
    let mut store = Store::new(&engine, ());
    store.set_fuel(RUN_FUEL);
    let Ok(instance) = Linker::new().instantiate(&mut store, &module) else { return };
    if let Some(start) = instance.func(&store, "_start") {
        let mut results = vec![Val::I32(0); start.ty(&store).results().len()];
        // However it ends, it ends.
        let _ = start.call(&mut store, &[], &mut results);
    }
}

/// What `replay` does with a module, and the lanes of a campaign beside its plain modes.
fn replay_like_the_command(wasm: &[u8], seed: u64) -> Option<Verdict> {
    let Ok(case) = plan::plan(wasm.to_vec(), seed) else {
        // What the planner cannot read, the engine must refuse in peace.
        let engine = Engine::new(&Config::new(Mode::Interp));
        return Module::decode(&engine, wasm).is_ok().then_some(Verdict::Agree);
    };
    Some(verdict(&case, &Lanes::Swarm(Mode::all().collect()).draw(seed)))
}

/// Valid modules to damage: the seed cases and generated ones.
fn sources() -> Vec<Vec<u8>> {
    let seeds: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "corpus", "seeds"].iter().collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(seeds)
        .expect("the seed cases are there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "wasm"))
        .collect();
    files.sort();
    let mut sources: Vec<Vec<u8>> =
        files.iter().map(|file| std::fs::read(file).expect("a readable file")).collect();
    let mut generator = Generator::new(Features::executed());
    let generated = (0..GENERATED).filter_map(|index| generator.case(0, index));
    sources.extend(generated.flat_map(|generated| generated.case.modules).map(|module| module.wasm));
    sources
}

fn verdict(case: &Case, lanes: &[Lane]) -> Verdict {
    let subjects: Vec<LaneSubject> = lanes.iter().map(|lane| LaneSubject::new(*lane)).collect();
    let subjects: Vec<&dyn Subject> = subjects.iter().map(|subject| subject as &dyn Subject).collect();
    run_case(case, &subjects, Capture::Digest).verdict
}

// Size.

/// The one function of a module, exported as `f`.
struct Single<'a> {
    params: Vec<ValType>,
    results: Vec<ValType>,
    locals: Vec<(u32, ValType)>,
    /// Other types, from index 1 on.
    types: Vec<(Vec<ValType>, Vec<ValType>)>,
    body: &'a dyn Fn(&mut InstructionSink<'_>),
}

impl Default for Single<'_> {
    /// From nothing to an i32.
    fn default() -> Self {
        Single {
            params: Vec::new(),
            results: vec![ValType::I32],
            locals: Vec::new(),
            types: Vec::new(),
            body: &|_| {},
        }
    }
}

impl Single<'_> {
    fn wasm(self) -> Vec<u8> {
        let mut function = Function::new(self.locals);
        (self.body)(&mut function.instructions());
        function.instructions().end();
        let mut types = vec![(self.params, self.results)];
        types.extend(self.types);
        module(&types, &[0], &[function])
    }
}

/// A module of these functions, the first of them exported as `f`.
fn module(types: &[(Vec<ValType>, Vec<ValType>)], of_type: &[u32], functions: &[Function]) -> Vec<u8> {
    let mut type_section = TypeSection::new();
    for (params, results) in types {
        type_section.ty().function(params.iter().copied(), results.iter().copied());
    }
    let mut function_section = FunctionSection::new();
    of_type.iter().for_each(|ty| {
        function_section.function(*ty);
    });
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    functions.iter().for_each(|function| {
        code.function(function);
    });
    let mut module = wasm_encoder::Module::new();
    module.section(&type_section).section(&function_section).section(&exports).section(&code);
    module.finish()
}

/// Every mode, with fuel and without.
fn lanes() -> Vec<Lane> {
    let with = |no_fuel| {
        move |mode| if no_fuel { Lane::plain(mode).with(Switch::NoFuel) } else { Lane::plain(mode) }
    };
    Mode::all().map(with(false)).chain(Mode::all().map(with(true))).collect()
}

/// Calls `f` of the module with each of the arguments in every lane; gives what all of them showed.
fn shown(wasm: Vec<u8>, calls: &[Vec<Value>]) -> Observation {
    let call = |args: &Vec<Value>| Action::Invoke { module: 0, export: "f".into(), args: args.clone() };
    let mut actions = vec![Action::Instantiate { module: 0 }];
    actions.extend(calls.iter().map(call));
    let limits = Limits { fuel: Some(1 << 40), depth_slots: 1 << 20, ..Limits::default() };
    observe(&Case {
        modules: vec![CaseModule { name: "m".into(), wasm }],
        hosts: HostPlan::new(0, 0),
        actions,
        limits,
    })
}

fn observe(case: &Case) -> Observation {
    let subjects: Vec<LaneSubject> = lanes().into_iter().map(LaneSubject::new).collect();
    let subjects: Vec<&dyn Subject> = subjects.iter().map(|subject| subject as &dyn Subject).collect();
    let run = run_case(case, &subjects, Capture::Digest);
    match run.verdict {
        Verdict::Agree => {}
        Verdict::Diverge(divergence) => panic!("{:?}: {}", divergence.groups, divergence.first),
        Verdict::Inconclusive(reason) => panic!("inconclusive: {reason}"),
        Verdict::Invalid => panic!("the module is invalid"),
    }
    assert_eq!(run.observations.len(), subjects.len(), "nobody was left out");
    run.observations.into_iter().next().expect("the reference ran").1
}

/// What the calls returned, instantiation left out.
fn values(observation: &Observation) -> Vec<&[Value]> {
    observation.actions.iter().map(|action| returned(&action.outcome)).skip(1).collect()
}

fn returned(outcome: &Outcome) -> &[Value] {
    match outcome {
        Outcome::Values(values) => values,
        other => panic!("{}", other.describe()),
    }
}

/// The kinds of the traps that the calls ended in; none where a call returned.
fn traps(observation: &Observation) -> Vec<Option<TrapKind>> {
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Trap(trap) => Some(trap.kind),
        Outcome::Values(_) => None,
        other => panic!("{}", other.describe()),
    };
    observation.actions.iter().map(|action| kind(&action.outcome)).skip(1).collect()
}

fn check(single: Single<'_>, args: &[u32], expected: u32) {
    let args = args.iter().map(|arg| Value::I32(*arg)).collect();
    assert_eq!(values(&shown(single.wasm(), &[args])), [[Value::I32(expected)]]);
}

fn refusal(wasm: Vec<u8>) -> String {
    let engine = Engine::new(&Config::new(Mode::Interp));
    match Module::decode(&engine, wasm) {
        Err(Error::Invalid { message, .. }) => message,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the module is accepted"),
    }
}

#[test]
fn fifty_thousand_locals_are_zero_and_keep_what_they_are_given() {
    let body = |code: &mut InstructionSink<'_>| {
        code.i32_const(7).local_set(49_999).local_get(49_999).local_get(25_000).i32_add();
    };
    check(Single { locals: vec![(50_000, ValType::I32)], body: &body, ..Single::default() }, &[], 7);
    let runs = (0..25_000).flat_map(|_| [(1, ValType::I32), (1, ValType::I64)]).collect();
    let body = |code: &mut InstructionSink<'_>| {
        code.i64_const(-1).local_set(49_999).local_get(49_998).local_get(49_999).i32_wrap_i64().i32_add();
    };
    check(Single { locals: runs, body: &body, ..Single::default() }, &[], u32::MAX);
}

#[test]
fn more_locals_are_refused() {
    let body = |code: &mut InstructionSink<'_>| {
        code.i32_const(0);
    };
    let message =
        refusal(Single { locals: vec![(50_001, ValType::I32)], body: &body, ..Single::default() }.wasm());
    assert_eq!(message, "in function 0 `f`: too many locals: locals exceed maximum");
}

#[test]
fn a_thousand_values_go_through_calls_blocks_and_branches() {
    let many = || vec![ValType::I32; 1000];
    let mut outer = Function::new([]);
    let mut code = outer.instructions();
    (0..1000).for_each(|index| {
        code.local_get(999 - index);
    });
    // Through a block that falls out, a loop, a branch that is taken, a table of branches, and a call.
    code.block(BlockType::FunctionType(0)).end().loop_(BlockType::FunctionType(0)).end();
    code.block(BlockType::FunctionType(0)).local_get(999).br_if(0).end();
    code.block(BlockType::FunctionType(0)).local_get(0).br_table([0, 0], 0).end();
    code.local_get(0).if_(BlockType::FunctionType(0)).call(1).else_().call(1).end().end();
    let mut inner = Function::new([]);
    let mut code = inner.instructions();
    (0..1000).for_each(|index| {
        code.local_get(index).i32_const(1).i32_add();
    });
    code.end();
    let wasm = module(&[(many(), many())], &[0, 0], &[outer, inner]);
    let args: Vec<Value> = (0..1000).map(Value::I32).collect();
    let expected: Vec<Value> = (0..1000).map(|index| Value::I32(1000 - index)).collect();
    assert_eq!(values(&shown(wasm, &[args])), [expected]);
}

#[test]
fn blocks_nested_a_hundred_thousand_deep_are_left_at_once() {
    for depth in [10_000, 100_000] {
        let body = |code: &mut InstructionSink<'_>| {
            (0..depth).for_each(|_| {
                code.block(BlockType::Result(ValType::I32));
            });
            code.i32_const(7).br(depth - 1);
            (0..depth).for_each(|_| {
                code.end();
            });
        };
        check(Single { body: &body, ..Single::default() }, &[], 7);
    }
}

#[test]
fn every_one_of_ten_thousand_nested_blocks_may_be_left_to_the_outermost() {
    const DEPTH: u32 = 10_000;
    let body = |code: &mut InstructionSink<'_>| {
        code.block(BlockType::Empty);
        for depth in 0..DEPTH {
            match depth % 3 {
                0 => code.block(BlockType::Empty),
                1 => code.loop_(BlockType::Empty),
                _ => code.i32_const(1).if_(BlockType::Empty),
            };
            code.local_get(0).i32_const(depth as i32).i32_eq().br_if(depth + 1);
        }
        (0..=DEPTH).for_each(|_| {
            code.end();
        });
        code.local_get(0);
    };
    let wasm = Single { params: vec![ValType::I32], body: &body, ..Single::default() }.wasm();
    let calls = [0, 1, 2, 5000, DEPTH - 1, DEPTH].map(|arg| vec![Value::I32(arg)]);
    assert_eq!(values(&shown(wasm, &calls)), calls.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn sixty_thousand_targets_of_a_table_are_told_apart() {
    const TARGETS: u32 = 60_000;
    let body = |code: &mut InstructionSink<'_>| {
        (0..=TARGETS).for_each(|_| {
            code.block(BlockType::Empty);
        });
        code.local_get(0).br_table(0..TARGETS, TARGETS);
        // Behind the end of each block stands its number, and a way out.
        for target in 0..=TARGETS {
            code.end().i32_const(target as i32).return_();
        }
        code.unreachable();
    };
    let wasm = Single { params: vec![ValType::I32], body: &body, ..Single::default() }.wasm();
    let calls = [0, 1, 30_000, TARGETS - 1, TARGETS, TARGETS + 1, u32::MAX].map(|arg| vec![Value::I32(arg)]);
    let expected = [0, 1, 30_000, TARGETS - 1, TARGETS, TARGETS, TARGETS].map(|target| [Value::I32(target)]);
    assert_eq!(values(&shown(wasm, &calls)), expected);
}

/// The longest body that is allowed, in bytes (`MAX_WASM_FUNCTION_SIZE` of wasmparser).
const LONGEST_BODY: usize = 7_654_321;

/// A function of so many bytes. Adding up is one instruction a byte and a half; `nop` makes up what is left.
fn long_function(bytes: usize) -> (Vec<u8>, u32) {
    // The count of local runs, the first operand and the end take four bytes.
    let (terms, left) = ((bytes - 4) / 3, (bytes - 4) % 3);
    let body = |code: &mut InstructionSink<'_>| {
        code.i32_const(0);
        (0..terms).for_each(|_| {
            code.i32_const(1).i32_add();
        });
        (0..left).for_each(|_| {
            code.nop();
        });
    };
    (Single { body: &body, ..Single::default() }.wasm(), terms as u32)
}

#[test]
fn a_body_of_the_longest_allowed_length_runs_to_its_end() {
    let (wasm, sum) = long_function(LONGEST_BODY);
    assert_eq!(values(&shown(wasm, &[vec![]])), [[Value::I32(sum)]]);
}

#[test]
fn a_longer_body_is_refused() {
    let message = refusal(long_function(LONGEST_BODY + 1).0);
    assert!(message.starts_with("function body size count exceeds limit"), "{message}");
}

#[test]
fn operands_pile_up_ten_thousand_high() {
    const HEIGHT: u32 = 10_000;
    // Every operand is the local as it was when it was pushed, whatever the local becomes.
    let body = |code: &mut InstructionSink<'_>| {
        (0..HEIGHT).for_each(|_| {
            code.local_get(0).local_get(0).i32_const(1).i32_add().local_set(0);
        });
        (1..HEIGHT).for_each(|_| {
            code.i32_add();
        });
    };
    let sum = HEIGHT * (HEIGHT - 1) / 2;
    check(Single { params: vec![ValType::I32], body: &body, ..Single::default() }, &[0], sum);
}

#[test]
fn operands_below_a_branch_are_dropped_ten_thousand_at_a_time() {
    const HEIGHT: u32 = 10_000;
    let body = |code: &mut InstructionSink<'_>| {
        code.block(BlockType::Result(ValType::I32));
        (0..HEIGHT).for_each(|index| {
            code.local_get(0).i32_const(index as i32);
        });
        code.i32_const(7).local_get(0).br_if(0).br(0).end();
    };
    for arg in [0, 1] {
        check(Single { params: vec![ValType::I32], body: &body, ..Single::default() }, &[arg], 7);
    }
}

#[test]
fn forty_thousand_functions_call_one_another() {
    const FUNCTIONS: u32 = 40_000;
    let functions: Vec<Function> = (0..FUNCTIONS)
        .map(|index| {
            let mut function = Function::new([]);
            let mut code = function.instructions();
            match index + 1 {
                // The last one divides by what it was given.
                FUNCTIONS => code.i32_const(42).local_get(0).i32_div_u().end(),
                next => code.local_get(0).call(next).i32_const(1).i32_add().end(),
            };
            function
        })
        .collect();
    let ty = (vec![ValType::I32], vec![ValType::I32]);
    let wasm = module(&[ty], &vec![0; FUNCTIONS as usize], &functions);
    let calls = [1, 0].map(|arg| vec![Value::I32(arg)]);
    let observation = shown(wasm, &calls);
    assert_eq!(traps(&observation), [None, Some(TrapKind::IntegerDivideByZero)]);
    let Outcome::Trap(trap) = &observation.actions[2].outcome else { unreachable!("it trapped") };
    assert_eq!(trap.frames.as_ref().map(|frames| frames.count), Some(u64::from(FUNCTIONS)));
}

// Limits, reached again and again.

fn text_module(text: &str) -> CaseModule {
    let buffer = wast::parser::ParseBuffer::new(text).expect("the test's text is well-formed");
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("the test's text is a module");
    CaseModule { name: "m".into(), wasm: module.encode().expect("the test's module encodes") }
}

#[test]
fn the_stack_is_exhausted_and_recovers_fifty_times() {
    let module = text_module(
        r#"(module
            (func $f (export "f") (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
                    (else (i32.const 0)))))"#,
    );
    let calls: Vec<Vec<Value>> =
        (0..50).flat_map(|_| [vec![Value::I32(u32::MAX)], vec![Value::I32(1000)]]).collect();
    let observation = shown(module.wasm, &calls);
    let expected = [Some(TrapKind::CallStackExhausted), None].repeat(50);
    assert_eq!(traps(&observation), expected);
}

#[test]
fn memories_and_tables_grow_to_their_limits_and_no_further() {
    let module = text_module(
        r#"(module
            (memory 1) (memory i64 0 4) (table $t 0 funcref) (table $u i64 1 100 externref)
            (func (export "small") (param i32) (result i32) (memory.grow (local.get 0)))
            (func (export "large") (param i64) (result i64) (memory.grow 1 (local.get 0)))
            (func (export "table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
            (func (export "wide") (param i64) (result i64) (table.grow $u (ref.null extern) (local.get 0)))
            (func (export "touch") (param i32) (i32.store8 (local.get 0) (i32.const 1))))"#,
    );
    let call =
        |export: &str, arg: Value| Action::Invoke { module: 0, export: export.into(), args: vec![arg] };
    let (narrow, wide) = (|arg: u32| Value::I32(arg), |arg: u64| Value::I64(arg));
    let failed = (Value::I32(u32::MAX), Value::I64(u64::MAX));
    // The memory may have 16 pages, the table 1000 elements, whatever they declare.
    let rows = [
        ("small", narrow(u32::MAX), &failed.0),
        ("small", narrow(65_536), &failed.0),
        ("small", narrow(16), &failed.0),
        ("small", narrow(15), &narrow(1)),
        ("small", narrow(1), &failed.0),
        ("small", narrow(0), &narrow(16)),
        ("large", wide(u64::MAX), &failed.1),
        ("large", wide(1 << 48), &failed.1),
        ("large", wide(4), &wide(0)),
        ("large", wide(1), &failed.1),
        ("table", narrow(u32::MAX), &failed.0),
        ("table", narrow(1001), &failed.0),
        ("table", narrow(1000), &narrow(0)),
        ("table", narrow(1), &failed.0),
        ("wide", wide(u64::MAX), &failed.1),
        ("wide", wide(100), &failed.1),
        ("wide", wide(99), &wide(1)),
    ];
    let mut actions = vec![Action::Instantiate { module: 0 }];
    actions.extend(rows.iter().map(|(export, arg, _)| call(export, arg.clone())));
    actions.extend([call("touch", narrow((16 << 16) - 1)), call("touch", narrow(16 << 16))]);
    let limits =
        Limits { memory_bytes: 16 << 16, table_elements: 1000, fuel: Some(10_000), ..Limits::default() };
    let hosts = HostPlan::new(0, 0);
    let mut observation = observe(&Case { modules: vec![module], hosts, actions, limits });
    let last = observation.actions.split_off(rows.len() + 1);
    assert!(matches!(&last[0].outcome, Outcome::Values(_)), "{}", last[0].outcome.describe());
    assert!(last[1].outcome.describe().starts_with("trap: out of bounds memory access"));
    for ((export, arg, expected), given) in rows.iter().zip(values(&observation)) {
        assert_eq!(given, [(*expected).clone()], "{export} {arg}");
    }
}

#[test]
fn a_store_takes_as_many_instances_as_its_limit_says_and_calls_go_through_all_of_them() {
    const INSTANCES: u32 = 2_000;
    let first =
        text_module(r#"(module (memory 1) (func (export "f") (param i32) (result i32) (local.get 0)))"#);
    let next = text_module(
        r#"(module
            (import "m" "f" (func $before (param i32) (result i32)))
            (memory 1) (global $calls (mut i32) (i32.const 0))
            (func (export "f") (param i32) (result i32)
                (i32.store8 (i32.const 65535) (i32.const 1))
                (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                (i32.add (call $before (local.get 0)) (global.get $calls))))"#,
    );
    for mode in Mode::all() {
        let limits = EngineLimits { entities: INSTANCES, memory_bytes: 1 << 16, ..EngineLimits::default() };
        let engine = Engine::new(&Config::new(mode).limits(limits));
        let prepare = |module: &CaseModule| Module::new(&engine, module.wasm.as_slice()).expect("valid");
        let (first, next) = (prepare(&first), prepare(&next));
        let mut store = Store::new(&engine, ());
        let mut instance = Instance::new(&mut store, &first, &[]).expect("the first");
        for _ in 1..INSTANCES {
            let before = instance.export(&store, "f").expect("exported");
            instance = Instance::new(&mut store, &next, &[before]).expect("within the limit");
        }
        let f = instance.export(&store, "f").and_then(Extern::func).expect("exported");
        let error = Instance::new(&mut store, &next, &[Extern::Func(f)]).expect_err("one too many");
        assert!(matches!(error, Error::Limit(_)), "{mode}: {error}");
        let f = f.typed::<i32, i32>(&store).expect("its type");
        for (call, expected) in (0..3).zip([2_009, 4_008, 6_007]) {
            assert_eq!(f.call(&mut store, 10).expect("it returns"), expected, "{mode}: call {call}");
        }
    }
}
