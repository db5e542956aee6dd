//! Every switch of a lane changes what it says, in every mode: a lane that changes nothing compares a mode with itself.
//!
//! That it changes nothing *else* is what campaigns compare. So each test here looks at the one thing that no
//! comparison may look at.

use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::observe::{ActionObservation, Capture, Outcome};
use crosscheck::subject::{Lane, LaneSubject, Prepared, Subject, Switch, Unwatched};
use crosscheck_engine::{Caller, Engine, Linker, Mode, Module, Store, TrapKind};

/// What a memory leaves behind where it was.
const POISON: u8 = 0xdb;

#[test]
fn every_switch_changes_what_it_says() {
    for switch in Switch::all() {
        for mode in Mode::all().filter(|mode| switch.applies_to(*mode)) {
            let (plain, switched) = (Lane::plain(mode), switch.lane(mode));
            assert_ne!(plain, switched);
            // No `_` here: a new switch has to say here how it is seen to work.
            match switch {
                Switch::NoFuel => fuel_is_not_counted(plain, switched),
                Switch::NoBacktraces => traps_have_no_backtrace(plain, switched),
                Switch::MovingMemory => memory_moves_and_leaves_poison(plain, switched),
                Switch::ExplicitBounds | Switch::FewRegisters | Switch::ShortBranches => {
                    code_is_different(plain, switched);
                }
                Switch::Lazy => code_comes_with_calls(plain, switched),
            }
        }
    }
}

#[test]
fn a_lane_is_read_back_from_its_name_switch_by_switch() {
    for switch in Switch::all() {
        for mode in Mode::all().filter(|mode| switch.applies_to(*mode)) {
            let lane = switch.lane(mode);
            assert_eq!(lane.to_string().parse(), Ok(lane));
            assert_ne!(lane.to_string(), Lane::plain(mode).to_string());
        }
    }
}

const FUEL: u64 = 1000;

/// A call of `f` with one number.
fn call(lane: Lane, wat: &str, arg: u32) -> ActionObservation {
    let case = Case {
        modules: vec![CaseModule { name: "m".into(), wasm: encode(wat) }],
        hosts: HostPlan::new(0, 0),
        actions: vec![
            Action::Instantiate { module: 0 },
            Action::Invoke { module: 0, export: "f".into(), args: vec![Value::I32(arg)] },
        ],
        limits: Limits { fuel: Some(FUEL), ..Limits::default() },
    };
    let observation = LaneSubject::new(lane).observe(&Prepared::new(&case), Capture::Digest, &mut Unwatched);
    observation.actions.into_iter().last().expect("there are two actions")
}

fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

fn is_trap(observed: &ActionObservation, kind: TrapKind) -> bool {
    matches!(&observed.outcome, Outcome::Trap(trap) if trap.kind == kind)
}

/// What is left stays untouched, and what needs more than there is ends all the same.
fn fuel_is_not_counted(plain: Lane, switched: Lane) {
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 0)))"#;
    let returned = Outcome::Values(vec![Value::I32(0)]);
    let counted = call(plain, wat, 10);
    assert!(counted.fuel_left < FUEL, "{plain} counts");
    assert_eq!(counted.outcome, returned);
    assert_eq!(call(switched, wat, 10).fuel_left, FUEL, "{switched} does not");
    assert!(is_trap(&call(plain, wat, 10_000), TrapKind::OutOfFuel), "{plain} runs out");
    assert_eq!(call(switched, wat, 10_000).outcome, returned, "{switched} does not");
}

fn traps_have_no_backtrace(plain: Lane, switched: Lane) {
    let wat = r#"(module (func $g unreachable) (func (export "f") (param i32) (call $g)))"#;
    let frames = |lane: Lane| {
        let observed = call(lane, wat, 0);
        assert!(is_trap(&observed, TrapKind::Unreachable));
        let Outcome::Trap(trap) = observed.outcome else { unreachable!("it is a trap") };
        trap.frames.map(|frames| frames.count)
    };
    assert_eq!(frames(plain), Some(2), "{plain} has a backtrace");
    assert_eq!(frames(switched), None, "{switched} has none");
}

/// What a host function saw of the first byte of its caller's memory, call by call: its address, and the byte.
type Seen = Vec<(usize, u8)>;

/// A host that kept the address of a memory before it grew.
fn memory_moves_and_leaves_poison(plain: Lane, switched: Lane) {
    let wat = r#"(module (import "host" "look" (func $look)) (memory (export "memory") 1) (data (i32.const 0) "\11")
        (func (export "f") (param i32) (result i32)
            (call $look) (drop (memory.grow (i32.const 1))) (call $look) (i32.load8_u (i32.const 0))))"#;
    let wasm = encode(wat);
    let look = |lane: Lane| -> (Seen, u8) {
        let engine = Engine::new(&lane.config());
        let module = Module::new(&engine, wasm.as_slice()).expect("the module is valid");
        let mut store = Store::new(&engine, Seen::new());
        store.set_fuel(FUEL);
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("host", "look"), |mut caller: Caller<'_, Seen>, ()| {
            let mut first = [0];
            caller.read_guest(0, &mut first)?;
            let memory = caller.exported_first_memory().expect("it is exported");
            let seen = (memory.address(&caller), first[0]);
            caller.data_mut().push(seen);
            Ok(())
        });
        let instance = linker.instantiate(&mut store, &module).expect("the module can be instantiated");
        let func = instance.func(&store, "f").expect("it is exported").typed::<i32, i32>(&store);
        let loaded = func.expect("of that type").call(&mut store, 0);
        assert_eq!(loaded, Ok(0x11), "{lane} reads what was there before");
        let seen = store.data().clone();
        let before: *const u8 = std::ptr::with_exposed_provenance(seen[0].0);
        // SAFETY: the store lives, and with it both the memory and what it last left behind.
        let stale = unsafe { before.read() };
        (seen, stale)
    };
    let (seen, stale) = look(plain);
    assert_eq!(seen[0], seen[1], "memory of {plain} stays");
    assert_eq!(stale, 0x11);
    let (seen, stale) = look(switched);
    assert_ne!(seen[0].0, seen[1].0, "memory of {switched} moves");
    assert_eq!((seen[0].1, seen[1].1), (0x11, 0x11), "{switched} takes along what it holds");
    assert_eq!(stale, POISON, "{switched} leaves poison");
}

/// A module whose code a switch of code generation cannot leave as it is: it loads, it needs many registers at
/// once, and it calls across more than what short branches reach.
fn telling_module() -> Vec<u8> {
    let sum = "(i32.add (i32.load (local.get 0))".repeat(8) + "(i32.const 1)" + &")".repeat(8);
    let filler = "(local.set 0 (i32.mul (local.get 0) (i32.load (local.get 0))))".repeat(1000);
    encode(&format!(
        r#"(module (memory 1)
            (func $first (export "first") (param i32) (result i32) {sum})
            (func (param i32) {filler})
            (func (export "last") (param i32) (result i32) (call $first (local.get 0))))"#
    ))
}

fn prepare(lane: Lane) -> (Engine, Module) {
    let engine = Engine::new(&lane.config());
    let module = Module::new(&engine, telling_module()).expect("the module is valid");
    (engine, module)
}

fn code_is_different(plain: Lane, switched: Lane) {
    let code = |lane: Lane| -> Vec<String> {
        let (_, module) = prepare(lane);
        let functions: Vec<_> = module.functions().map(|(func, ..)| func).collect();
        let lines = functions.into_iter().filter_map(|func| module.explain(func)).flatten();
        lines.map(|line| line.text).collect()
    };
    assert_ne!(code(plain), code(switched), "{switched} makes other code than {plain}");
}

fn code_comes_with_calls(plain: Lane, switched: Lane) {
    let bytes_before_and_after = |lane: Lane| {
        let (engine, module) = prepare(lane);
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL);
        let instance = Linker::new().instantiate(&mut store, &module).expect("the module has no imports");
        let before = module.code_bytes();
        let func = instance.func(&store, "last").expect("it is exported").typed::<i32, i32>(&store);
        assert_eq!(func.expect("of that type").call(&mut store, 0), Ok(1));
        (before, module.code_bytes())
    };
    let (before, after) = bytes_before_and_after(plain);
    assert_eq!(before, after, "{plain} compiles all at once");
    let (lazy_before, lazy_after) = bytes_before_and_after(switched);
    assert!(lazy_before < lazy_after && lazy_after < before, "{switched} compiles what is called");
}
