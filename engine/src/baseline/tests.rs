//! The verifier passes sound code, and finds every corruption of it.

#[path = "../../tests/lowering/golden.rs"]
mod golden;
mod lowering;
mod recording;

use super::ledger::SinglePass;
use crate::config::Config;
use crate::engine::Engine;
use crate::limits::Settings;
use crate::mode::Mode;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::native::arch::Arch;
use crate::native::code::{CodeUnit, What, code_place};
use crate::native::side_tables::{Handler, Inlined, Point, Root};
use crate::native::verify::ledger::Ledger;
use crate::native::x64::X64;
use crate::trap::TrapKind;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The code of x86-64 is verified on every host.
type Linked = super::Linked<X64>;

/// Of every kind of call, branch, access and trap at least two, so that one can be taken for the other.
const MODULE: &str = r#"(module
    (import "host" "a" (func $host (param i32) (result i32)))
    (import "host" "b" (func $other (param i32) (result i32)))
    (type $unary (func (param i32) (result i32)))
    (memory 1) (memory $second 1) (table $t 8 funcref) (table $u 8 funcref)
    (elem (table $t) (i32.const 0) func $host $add $tail $trees) (elem declare func $add $tail)
    (global $g (mut i64) (i64.const 0))
    (func $add (export "add") (type $unary)
        (i32.add (call $host (local.get 0)) (call $other (call $host (i32.const 3)))))
    (func $tail (type $unary)
        (if (i32.eqz (local.get 0)) (then (return_call $add (i32.const 1))))
        (if (i32.eq (local.get 0) (i32.const 1)) (then (return_call $trees (i32.const 1))))
        (if (i32.eq (local.get 0) (i32.const 2)) (then (return_call $host (i32.const 2))))
        (if (i32.eq (local.get 0) (i32.const 3))
            (then (return_call_indirect $t (type $unary) (i32.const 2) (local.get 0))))
        (if (i32.eq (local.get 0) (i32.const 4))
            (then (return_call_ref $unary (i32.const 2) (ref.func $add))))
        (return_call $tail (i32.sub (local.get 0) (i32.const 1))))
    (func $trees (type $unary) (local i32 i64 f64)
        (block $a (block $b (block $c
            (br_table $a $b $c $b $a (local.get 0)))
            (local.set 1 (call_indirect $t (type $unary) (i32.const 1) (local.get 0)))
            (local.set 1 (call_indirect $u (type $unary) (i32.const 1) (local.get 1))))
            (local.set 1 (call_ref $unary (i32.const 1) (ref.func $add)))
            (local.set 1 (call_ref $unary (i32.const 1) (ref.func $tail))))
        (local.set 1 (block $v (result i32)
            (i32.const 7) (br_table $v $v 1 $v (local.get 1))))
        (call $add (call $add (call $tail (call $tail (local.get 1))))))
    (func $traps (param i32 i64 f32 f64) (result i32)
        (drop (i32.div_s (local.get 0) (i32.load offset=4 (local.get 0))))
        (drop (i32.div_u (i32.load8_s (local.get 0)) (i32.const 0)))
        (drop (i32.rem_s (local.get 0) (i32.const -1)))
        (drop (i32.div_s (local.get 0) (i32.const -1)))
        (drop (i32.rem_u (local.get 0) (local.get 0)))
        (drop (i64.div_s (local.get 1) (local.get 1)))
        (drop (i64.rem_u (local.get 1) (i64.load (local.get 0))))
        (drop (i32.trunc_f32_s (local.get 2)))
        (drop (i64.trunc_f64_u (f64.load offset=16 (local.get 0))))
        (i64.store16 (local.get 0) (local.get 1))
        (f32.store (local.get 0) (local.get 2))
        (i64.store $second (local.get 0) (local.get 1))
        (drop (i32.load offset=0x90000000 (local.get 0)))
        (drop (ref.as_non_null (table.get $t (local.get 0))))
        (table.set $u (local.get 0) (ref.null func))
        (drop (memory.grow (i32.const 1)))
        (memory.fill (i32.const 1) (i32.const 2) (i32.const 3))
        (memory.copy (i32.const 1) (i32.const 2) (i32.const 3))
        (drop (table.grow $t (ref.null func) (i32.const 1)))
        (if (local.get 0) (then unreachable))
        (loop $l (global.set $g (i64.add (global.get $g) (i64.const 1)))
            (br_if $l (i64.lt_u (global.get $g) (i64.const 9))))
        (block (br_if 0 (f64.lt (local.get 3) (f64.const 1))) (unreachable))
        (i32.load16_u (i32.const 9)))
    (func $many (export "many") (result i32 i64 f32)
        (block (result i32 i64 f32) (i32.const 1) (i64.const 2) (f32.const 3)
            (br_if 0 (call $add (i32.const 1))) (br_if 1 (call $add (i32.const 2))))))"#;

fn module() -> ModuleInner {
    let buffer = wast::parser::ParseBuffer::new(MODULE).expect("the test's text can be read");
    let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    let wasm = module.encode().expect("the test's text can be encoded");
    let engine = Engine::new(&Config::new(Mode::Baseline));
    ModuleInner::decode(wasm.into(), engine.types()).expect("the test's module is valid")
}

/// The lanes of compiled code, as far as they change the code.
fn lanes() -> Vec<Settings> {
    let config = || Config::new(Mode::Baseline).fuel(true);
    let configs = [
        config(),
        config().fuel(false),
        config().explicit_bounds(true),
        config().few_registers(true),
        config().short_branches(true),
        config().short_branches(true).few_registers(true).explicit_bounds(true),
        config().lazy(true),
        config().free_nan_bits(true),
    ];
    configs.iter().map(|config| *Engine::new(config).settings()).collect()
}

impl Linked {
    fn all(module: &ModuleInner, settings: &Settings) -> Linked {
        Linked::new(module, settings, (0..module.bodies.len() as u32).map(DefinedFuncIndex))
    }
}

impl Clone for Linked {
    fn clone(&self) -> Linked {
        let super::Linked { code, plan, map, target } = self;
        super::Linked { code: code.clone(), plan: plan.clone(), map: map.clone(), target: *target }
    }
}

/// Numbers that are the same in every run (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// A position of a list, if it has any.
    fn position<T>(&mut self, list: &[T]) -> Option<usize> {
        (!list.is_empty()).then(|| self.below(list.len()))
    }

    /// Another number than `value`: near it, or anything below `limit`.
    fn other(&mut self, value: u32, limit: u32) -> u32 {
        loop {
            let other = match self.below(3) {
                0 => value.wrapping_add_signed(self.below(17) as i32 - 8),
                1 => self.below(limit as usize + 1) as u32,
                _ => value ^ 1 << self.below(32),
            };
            if other != value {
                return other;
            }
        }
    }
}

/// Damages code; `None` if there is nothing of the kind to damage.
type Corrupt = fn(&mut Linked, &mut Numbers, &ModuleInner) -> Option<()>;

/// Every kind of damage.
const KINDS: &[(&str, Corrupt)] = &[
    ("a site's place", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.map.sites)?, linked.code.len() as u32);
        linked.map.sites[at].code = numbers.other(linked.map.sites[at].code, limit);
        Some(())
    }),
    ("a site's instruction", |linked, numbers, module| {
        let (at, limit) = (numbers.position(&linked.map.sites)?, module.bytes.len() as u32);
        linked.map.sites[at].wasm = numbers.other(linked.map.sites[at].wasm, limit);
        Some(())
    }),
    ("two sites' instructions", |linked, numbers, _| {
        let sites = &mut linked.map.sites;
        let (one, other) = (numbers.position(sites)?, numbers.position(sites)?);
        let (first, second) = (sites[one], sites[other]);
        (sites[one].wasm, sites[other].wasm) = (second.wasm, first.wasm);
        (first.wasm != second.wasm).then_some(())
    }),
    ("another site's instruction", |linked, numbers, _| {
        let sites = &mut linked.map.sites;
        let (one, other) = (numbers.position(sites)?, numbers.position(sites)?);
        let before = sites[one].wasm;
        sites[one].wasm = sites[other].wasm;
        (before != sites[one].wasm).then_some(())
    }),
    ("a site's trap", |linked, numbers, _| {
        let at = numbers.position(&linked.map.sites)?;
        let kind = (numbers.below(4) > 0).then(|| TrapKind::ALL[numbers.below(TrapKind::ALL.len())]);
        let before = std::mem::replace(&mut linked.map.sites[at].what, kind.map_or(What::Call, What::Trap));
        (before != linked.map.sites[at].what).then_some(())
    }),
    ("two sites' traps", |linked, numbers, _| {
        let sites = &mut linked.map.sites;
        let one = numbers.below(sites.len() - 1);
        let (first, second) = (sites[one], sites[one + 1]);
        (sites[one].what, sites[one + 1].what) = (second.what, first.what);
        (first.what != second.what).then_some(())
    }),
    ("a site is missing", |linked, numbers, _| {
        let at = numbers.position(&linked.map.sites)?;
        linked.map.sites.remove(at);
        Some(())
    }),
    ("a site is there twice", |linked, numbers, _| {
        let at = numbers.position(&linked.map.sites)?;
        linked.map.sites.insert(at, linked.map.sites[at]);
        Some(())
    }),
    ("a fault's place", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.map.faults)?, linked.code.len() as u32);
        linked.map.faults[at].code = numbers.other(linked.map.faults[at].code, limit);
        Some(())
    }),
    ("a fault's instruction", |linked, numbers, module| {
        let (at, limit) = (numbers.position(&linked.map.faults)?, module.bytes.len() as u32);
        linked.map.faults[at].wasm = numbers.other(linked.map.faults[at].wasm, limit);
        Some(())
    }),
    ("two faults' instructions", |linked, numbers, _| {
        let faults = &mut linked.map.faults;
        let (one, other) = (numbers.position(faults)?, numbers.position(faults)?);
        let (first, second) = (faults[one], faults[other]);
        (faults[one].wasm, faults[other].wasm) = (second.wasm, first.wasm);
        (first.wasm != second.wasm).then_some(())
    }),
    ("a fault is missing", |linked, numbers, _| {
        let at = numbers.position(&linked.map.faults)?;
        linked.map.faults.remove(at);
        Some(())
    }),
    ("a fault is there twice", |linked, numbers, _| {
        let at = numbers.position(&linked.map.faults)?;
        linked.map.faults.insert(at, linked.map.faults[at]);
        Some(())
    }),
    ("a function's code", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.map.funcs)?, linked.code.len() as u32);
        let code = &mut linked.map.funcs[at].code;
        match numbers.below(2) {
            0 => code.start = numbers.other(code.start, limit),
            _ => code.end = numbers.other(code.end, limit),
        }
        Some(())
    }),
    ("a function's number", |linked, numbers, _| {
        let at = numbers.position(&linked.map.funcs)?;
        let func = &mut linked.map.funcs[at].func;
        func.0 = numbers.other(func.0, 6);
        if numbers.below(2) == 0 {
            linked.plan.regions[at].func = *func;
        }
        Some(())
    }),
    ("a function's frame", |linked, numbers, _| {
        let at = numbers.position(&linked.map.funcs)?;
        let frame_slots = &mut linked.map.funcs[at].frame_slots;
        *frame_slots = numbers.other(*frame_slots, 64);
        Some(())
    }),
    ("two functions", |linked, numbers, _| {
        let regions = linked.plan.regions.len();
        let (one, other) = (numbers.below(regions), numbers.below(regions));
        let (first, second) = (linked.map.funcs[one].func, linked.map.funcs[other].func);
        (linked.map.funcs[one].func, linked.map.funcs[other].func) = (second, first);
        (linked.plan.regions[one].func, linked.plan.regions[other].func) = (second, first);
        (one != other).then_some(())
    }),
    ("the count of imports", |linked, numbers, _| {
        linked.map.imported_funcs = numbers.other(linked.map.imported_funcs, 9);
        Some(())
    }),
    ("a jump table's place", |linked, numbers, _| {
        let limit = linked.code.len() as u32;
        let mut tables: Vec<_> = linked.map.funcs.iter_mut().flat_map(|func| &mut func.tables).collect();
        let at = numbers.position(&tables)?;
        match numbers.below(2) {
            0 => tables[at].start = numbers.other(tables[at].start, limit),
            _ => tables[at].end = numbers.other(tables[at].end, limit),
        }
        Some(())
    }),
    ("a jump table is missing", |linked, numbers, _| {
        let mut funcs: Vec<_> = linked.map.funcs.iter_mut().filter(|func| !func.tables.is_empty()).collect();
        let at = numbers.position(&funcs)?;
        funcs[at].tables.pop();
        Some(())
    }),
    ("a jump table's entry", |linked, numbers, _| {
        let tables: Vec<_> = linked.map.funcs.iter().flat_map(|func| func.tables.clone()).collect();
        let table = tables[numbers.position(&tables)?].clone();
        let at = table.start as usize + numbers.below(table.len());
        linked.code[at] ^= 1 << numbers.below(8);
        Some(())
    }),
    ("a planned entry", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.plan.targets)?, linked.code.len() as u32);
        linked.plan.targets[at] = numbers.other(linked.plan.targets[at], limit);
        Some(())
    }),
    ("a call's place", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.plan.calls)?, linked.code.len() as u32);
        linked.plan.calls[at].at = numbers.other(linked.plan.calls[at].at, limit);
        Some(())
    }),
    ("a call's target", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.calls)?;
        linked.plan.calls[at].target.0 = numbers.other(linked.plan.calls[at].target.0, 6);
        Some(())
    }),
    ("a call's target, written too", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.calls)?;
        let other = numbers.below(linked.plan.regions.len()) as u32;
        let before = std::mem::replace(&mut linked.plan.calls[at].target.0, other);
        linked.plan.calls[at].island?;
        linked.plan.write::<X64>(&mut linked.code, &X64::SHORT_RANGE);
        (before != other).then_some(())
    }),
    ("a call's island", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.plan.calls)?, linked.code.len() as u32);
        let island = &mut linked.plan.calls[at].island;
        let before = *island;
        *island = match (before, numbers.below(2)) {
            (Some(_), 0) => None,
            (before, _) => Some(numbers.other(before.unwrap_or(0), limit)),
        };
        Some(())
    }),
    ("a call is missing", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.calls)?;
        linked.plan.calls.remove(at);
        Some(())
    }),
    ("a call is there twice", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.calls)?;
        linked.plan.calls.insert(at, linked.plan.calls[at]);
        Some(())
    }),
    ("a region's bytes", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.plan.regions)?, linked.code.len() as u32);
        let bytes = &mut linked.plan.regions[at].bytes;
        match numbers.below(2) {
            0 => bytes.start = numbers.other(bytes.start, limit),
            _ => bytes.end = numbers.other(bytes.end, limit),
        }
        Some(())
    }),
    ("a region's calls", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.plan.regions)?, linked.plan.calls.len() as u32);
        let calls = &mut linked.plan.regions[at].calls;
        match numbers.below(2) {
            0 => calls.start = numbers.other(calls.start, limit),
            _ => calls.end = numbers.other(calls.end, limit),
        }
        Some(())
    }),
    ("a region is missing", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.regions)?;
        linked.plan.regions.remove(at);
        if numbers.below(2) == 0 {
            linked.map.funcs.remove(at);
        }
        Some(())
    }),
    ("a planned branch", |linked, numbers, _| {
        let (at, limit) = (numbers.position(&linked.plan.branches)?, linked.code.len() as u32);
        let branch = &mut linked.plan.branches[at];
        match numbers.below(3) {
            0 => branch.end = numbers.other(branch.end, limit),
            1 => branch.target = numbers.other(branch.target, limit),
            _ => branch.condition = branch.condition.map(|condition| condition ^ 1).xor(Some(4)),
        }
        Some(())
    }),
    ("a planned branch is missing", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.branches)?;
        linked.plan.branches.remove(at);
        Some(())
    }),
    ("a branch's bytes", |linked, numbers, _| {
        let at = numbers.position(&linked.plan.branches)?;
        let end = linked.plan.branches[at].end as usize;
        // The distance, or the byte with the condition before it.
        let is_short = linked.code[end - 2] >> 4 == 7 || linked.code[end - 2] == 0xeb;
        let bytes = if is_short { 2 } else { 5 };
        linked.code[end - 1 - numbers.below(bytes)] ^= 1 << numbers.below(8);
        Some(())
    }),
    ("a call's bytes", |linked, numbers, _| {
        let call = linked.plan.calls[numbers.position(&linked.plan.calls)?];
        linked.code[call.at as usize - 1 + numbers.below(5)] ^= 1 << numbers.below(8);
        Some(())
    }),
    ("an island's bytes", |linked, numbers, _| {
        let islands: Vec<u32> = linked.plan.calls.iter().filter_map(|call| call.island).collect();
        let island = islands[numbers.position(&islands)?];
        linked.code[island as usize + numbers.below(5)] ^= 1 << numbers.below(8);
        Some(())
    }),
    ("what a call through the context reads", |linked, numbers, _| {
        let is_call = |code: u32| {
            let code = code as usize;
            linked.code[code - 4..code - 1] == [0x41, 0xff, 0x57]
        };
        let calls: Vec<u32> =
            linked.map.sites.iter().map(|site| site.code).filter(|code| is_call(*code)).collect();
        let call = calls[numbers.position(&calls)?];
        linked.code[call as usize - 1] ^= 1 << numbers.below(8);
        Some(())
    }),
    ("padding", |linked, numbers, _| {
        let gaps = linked.plan.regions.windows(2).flat_map(|two| two[0].bytes.end..two[1].bytes.start);
        let gaps: Vec<u32> = gaps.collect();
        let at = gaps[numbers.position(&gaps)?];
        linked.code[at as usize] ^= 1 << numbers.below(8);
        Some(())
    }),
    ("more bytes", |linked, _, _| {
        linked.code.push(0xcc);
        Some(())
    }),
];

#[test]
fn sound_code_passes_in_every_lane() {
    let module = module();
    for settings in lanes() {
        let linked = Linked::all(&module, &settings);
        assert_eq!(linked.verify::<SinglePass>(&module, &settings), Ok(()), "{settings:?}");
        assert_eq!(linked.verify::<()>(&module, &settings), Ok(()), "without an account: {settings:?}");
        for func in 0..module.bodies.len() as u32 {
            let alone = settings
                .lazy
                .then(|| Linked::new(&module, &settings, std::iter::once(DefinedFuncIndex(func))));
            let passes = alone.is_none_or(|alone| alone.verify::<SinglePass>(&module, &settings).is_ok());
            assert!(passes, "function {func} alone");
        }
    }
}

#[test]
fn a_place_in_code_is_told_by_function_and_instruction() {
    let module = module();
    let settings = lanes()[0];
    let linked = Linked::all(&module, &settings);
    let unit = CodeUnit::publish(&linked.code, linked.map).expect("there is room");
    for func in &unit.map().funcs {
        let address = |code: u32| unit.address(code) as usize;
        let place = code_place(address(func.code.start)).expect("it is code");
        let entry = (module.func_index(func.func), 0, module.body(func.func).code.start);
        assert_eq!((place.func, place.code_offset, place.wasm_offset), entry);
        for fault in unit.map().faults.iter().filter(|fault| func.code.contains(&fault.code)) {
            let place = code_place(address(fault.code)).expect("it is code");
            assert_eq!(place.func, module.func_index(func.func));
            assert_eq!((place.code_offset, place.wasm_offset), (fault.code - func.code.start, fault.wasm));
        }
        for table in &func.tables {
            assert_eq!(code_place(address(table.start)), None, "a jump table is no code");
        }
    }
    assert_eq!(code_place(std::ptr::from_ref(&settings) as usize), None);
}

/// What became of damaged code.
#[derive(Default)]
struct Tally {
    /// How often each kind of damage was done.
    tried: BTreeMap<&'static str, u32>,
    /// The kinds that were missed, each in a lane in which it was.
    missed: BTreeMap<&'static str, Settings>,
}

/// Does every kind of damage in every lane, and verifies with this ledger.
fn corrupt_everything<L: Ledger>() -> Tally {
    /// Of each kind in each lane.
    const TIMES: u32 = 60;
    let module = module();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut tally = Tally::default();
    for settings in lanes() {
        let sound = Linked::all(&module, &settings);
        for (kind, corrupt) in KINDS {
            for _ in 0..TIMES {
                let mut linked = sound.clone();
                if corrupt(&mut linked, &mut numbers, &module).is_none() {
                    continue;
                }
                *tally.tried.entry(kind).or_default() += 1;
                if linked.verify::<L>(&module, &settings).is_ok() {
                    tally.missed.insert(kind, settings);
                }
            }
        }
    }
    tally
}

#[test]
fn every_corruption_is_found() {
    let Tally { tried, missed } = corrupt_everything::<SinglePass>();
    assert!(missed.is_empty(), "{missed:?}");
    assert!(tried.values().sum::<u32>() > 1000, "{tried:?}");
    assert_eq!(tried.len(), KINDS.len(), "{tried:?}");
}

/// Checks code whose map was changed to have side tables, which the pass does not write.
fn check_side_tables(change: impl Fn(&mut Linked)) -> Result<(), String> {
    let (module, settings) = (module(), lanes()[0]);
    let mut linked = Linked::all(&module, &settings);
    change(&mut linked);
    linked.verify::<SinglePass>(&module, &settings)
}

/// The return addresses of the function that calls most, and where its code can go on.
fn calls_and_targets(linked: &Linked) -> (Vec<Point>, Vec<u32>) {
    let calls = |code: &Range<u32>| {
        let sites = linked.map.sites.iter().map(|site| site.code).filter(|at| code.contains(at));
        sites.map(Point::of_return).collect::<Vec<_>>()
    };
    let func =
        linked.map.funcs.iter().max_by_key(|func| calls(&func.code).len()).expect("there are functions");
    let targets = linked.plan.branches.iter().map(|branch| branch.target).filter(|at| func.code.contains(at));
    (calls(&func.code), targets.collect())
}

#[test]
fn side_tables_that_fit_pass() {
    let checked = check_side_tables(|linked| {
        let (calls, targets) = calls_and_targets(linked);
        let fault = Point::of_fault(linked.map.faults[0].code);
        let inlined = Inlined { func: DefinedFuncIndex(0), call: 0 };
        linked.map.inlined.rows = vec![(calls[0], inlined), (calls[0], inlined), (calls[2], inlined)];
        linked.map.handlers.rows = vec![
            (calls[0], Handler { tag: None, code: targets[0] }),
            (calls[1], Handler { tag: None, code: targets[1] }),
        ];
        linked.map.roots.rows = vec![(calls[1], Root { slot: 0 }), (fault, Root { slot: 2 })];
        linked.map.roots.rows.sort_by_key(|(point, _)| *point);
    });
    assert_eq!(checked, Ok(()));
}

#[test]
fn side_tables_that_do_not_fit_are_refused() {
    type Change = fn(&mut Linked, &[Point], &[u32]);
    let wrong: [(&str, Change); 8] = [
        ("a function that is not there", |linked, calls, _| {
            let inlined = Inlined { func: DefinedFuncIndex(99), call: 0 };
            linked.map.inlined.rows = vec![(calls[0], inlined)];
        }),
        ("a handler inside of an instruction", |linked, calls, targets| {
            linked.map.handlers.rows = vec![(calls[0], Handler { tag: None, code: targets[0] + 1 })];
        }),
        ("a handler in another function", |linked, calls, _| {
            let code = linked.map.funcs[0].code.start;
            linked.map.handlers.rows = vec![(calls[0], Handler { tag: None, code })];
        }),
        ("a tag that is not there", |linked, calls, targets| {
            linked.map.handlers.rows = vec![(calls[0], Handler { tag: Some(0), code: targets[0] })];
        }),
        ("a slot beyond the frame", |linked, calls, _| {
            let slot =
                linked.map.funcs.iter().map(|func| func.frame_slots).max().expect("there are functions");
            linked.map.roots.rows = vec![(calls[0], Root { slot })];
        }),
        ("a place without a row", |linked, calls, _| {
            let between = Point::of_return(calls[0].code + 1);
            linked.map.roots.rows = vec![(between, Root { slot: 0 })];
        }),
        ("a fault where a call returns", |linked, calls, _| {
            linked.map.roots.rows = vec![(Point::of_fault(calls[0].code), Root { slot: 0 })];
        }),
        ("rows that do not ascend", |linked, calls, _| {
            linked.map.roots.rows = vec![(calls[1], Root { slot: 0 }), (calls[0], Root { slot: 0 })];
        }),
    ];
    for (what, change) in wrong {
        let checked = check_side_tables(|linked| {
            let (calls, targets) = calls_and_targets(linked);
            change(linked, &calls, &targets);
        });
        assert!(checked.is_err(), "{what} passes");
    }
}

/// Damage that leaves code and maps in agreement: only the body says that they are of something else.
const OF_THE_BODY: &[&str] = &[
    "a site's instruction",
    "two sites' instructions",
    "another site's instruction",
    "a site's trap",
    "two sites' traps",
    "a fault's instruction",
    "two faults' instructions",
    "two functions",
    "a call's target, written too",
];

#[test]
fn without_an_account_everything_is_found_but_what_only_the_body_tells() {
    let Tally { missed, .. } = corrupt_everything::<()>();
    let missed: BTreeSet<&str> = missed.into_keys().collect();
    assert_eq!(missed, OF_THE_BODY.iter().copied().collect());
}
