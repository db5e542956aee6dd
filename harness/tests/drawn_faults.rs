//! Faults drawn by lot are what they say: the same every time, never without effect, rare where they should be, and
//! each room makes the same wrong thing of them.

#![cfg(feature = "planted-faults")]

use crosscheck_engine::faults::drawn::{Drawn, Mutation};
use crosscheck_engine::faults::{Room, plant_drawn};
use crosscheck_engine::numeric::planted::{draw, mutated, shown_among, shows};
use crosscheck_engine::opcode::{Opcode, Operand};
use crosscheck_engine::{Config, Engine, Error, Linker, Mode, Module, Store, Val};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// A fault is planted for the whole process, so one test at a time.
static PLANTING: Mutex<()> = Mutex::new(());

#[test]
fn a_seed_always_draws_the_same_faults() {
    let names: Vec<String> = draw(1, 20).iter().map(Drawn::to_string).collect();
    let expected = include_str!("drawn_faults_of_seed_1.txt");
    assert_eq!(names.join("\n"), expected.trim_end());
}

#[test]
fn seeds_draw_different_faults_and_their_names_can_be_read() {
    let mut seen = HashSet::new();
    for seed in 0..50 {
        for drawn in draw(seed, 20) {
            assert_eq!(drawn.to_string().parse(), Ok(drawn));
            seen.insert(drawn);
        }
    }
    assert!(seen.len() > 900, "of a thousand only {} are different", seen.len());
}

#[test]
fn faults_without_effect_are_not_drawn() {
    for equivalent in ["interp:i32.add:swapped", "baseline:i64.mul:swapped", "fast-interp:i32.clz:upper-lost"]
    {
        assert!(!shows(&equivalent.parse().expect("a name")), "{equivalent}");
    }
    for seed in 0..20 {
        for drawn in draw(seed, 20) {
            assert!(shows(&drawn), "{drawn}");
        }
    }
}

#[test]
fn rare_faults_are_shown_by_less_than_one_in_ten_thousand_operands() {
    for (number, drawn) in draw(1, 20).iter().enumerate() {
        let shown = shown_among(drawn, 1_000_000, 7);
        assert_eq!(drawn.is_rare(), number >= 10, "the second half is rare");
        if drawn.is_rare() {
            assert!(shown < 100, "{drawn} is shown by {shown} of a million");
        }
    }
}

#[test]
fn names_that_make_no_sense_are_refused() {
    for text in [
        "",
        "interp",
        "interp:i32.add",
        "interp:i32.add:backwards",
        "attic:i32.sub:swapped",
        "native:i32.sub:swapped",
        "interp:i32.frob:swapped",
        "interp:i32.clz:swapped",
        "interp:local.get:swapped",
        "interp:i32.add:flipped/32",
        "interp:i32.add:flipped/x",
        "interp:i32.add:instead/i64.add",
        "interp:f32.add:upper-lost",
        "interp:i32.add:other-trap",
        "interp:i32.add:corner/two-nans/1",
        "interp:i32.load8_u:corner/zero/1",
    ] {
        assert!(text.parse::<Drawn>().is_err(), "{text}");
    }
}

/// A function of the opcode's operands that gives its result; loads and stores go through memory.
fn module(opcode: Opcode) -> String {
    let name = |operand: Operand| match operand {
        Operand::I32 => "i32",
        Operand::I64 => "i64",
        Operand::F32 => "f32",
        Operand::F64 => "f64",
        other => panic!("{other:?} is no number"),
    };
    let (row, text) = (opcode.row(), opcode.text());
    let body = match opcode {
        Opcode::Load(_) => {
            let result = name(row.results[0]);
            format!(
                "(param i64) (result {result}) (i64.store (i32.const 8) (local.get 0)) ({text} (i32.const 8))"
            )
        }
        Opcode::Store(_) => {
            let value = name(row.operands[1]);
            format!(
                "(param {value}) (result i64) ({text} (i32.const 8) (local.get 0)) (i64.load (i32.const 8))"
            )
        }
        _ => {
            let params: Vec<&str> = row.operands.iter().map(|operand| name(*operand)).collect();
            let operands: String = (0..params.len()).map(|i| format!(" (local.get {i})")).collect();
            format!("(param {}) (result {}) ({text}{operands})", params.join(" "), name(row.results[0]))
        }
    };
    format!("(module (memory 1) (func (export \"f\") {body}))")
}

fn argument(ty: crosscheck_engine::ValType, bits: u64) -> Val {
    use crosscheck_engine::ValType;
    match ty {
        ValType::I32 => Val::I32(bits as i32),
        ValType::I64 => Val::I64(bits as i64),
        ValType::F32 => Val::F32(bits as u32),
        ValType::F64 => Val::F64(bits),
        other => panic!("{other:?} is no number"),
    }
}

/// Bits of the result, or the kind of trap.
fn call(mode: Mode, wasm: &[u8], operands: &[u64]) -> Result<u64, crosscheck_engine::TrapKind> {
    let engine = Engine::new(&Config::new(mode));
    let module = Module::new(&engine, wasm).expect("a valid module");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new().instantiate(&mut store, &module).expect("no imports");
    let func = instance.func(&store, "f").expect("exported");
    let ty = func.ty(&store);
    let args: Vec<Val> = ty.params().iter().zip(operands).map(|(ty, bits)| argument(*ty, *bits)).collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    match func.call(&mut store, &args, &mut results) {
        Ok(()) => Ok(match results[0] {
            Val::I32(value) => u64::from(value as u32),
            Val::I64(value) => value as u64,
            Val::F32(bits) => u64::from(bits),
            Val::F64(bits) => bits,
            other => panic!("{other:?} is no number"),
        }),
        Err(Error::Trap(trap)) => Err(trap.kind()),
        Err(error) => panic!("{error}"),
    }
}

/// Operands to try: ordinary ones, and those of the fault's corner.
fn operands(drawn: &Drawn) -> Vec<[u64; 2]> {
    let all = u64::MAX >> (64 - Drawn::shape(drawn.opcode).width);
    let ordinary = [[20, 3], [0x8765_4321_fedc_ba98, 5], [0x3f80_0000_c049_0fdb, 0x4014_0000_3f80_0000]];
    let conditions = drawn.conditions();
    let moved = |bits: u64, condition: Option<(u64, u64)>| match condition {
        Some((mask, value)) => bits & all & !mask | value,
        None => bits & all,
    };
    let cornered = |[left, right]: [u64; 2]| {
        let only = moved(left, conditions.right);
        let right = if conditions.equal { left & all } else { moved(right, conditions.right) };
        if Drawn::shape(drawn.opcode).operands == 1 {
            [only, 0]
        } else {
            [moved(left, conditions.left), right]
        }
    };
    ordinary
        .into_iter()
        .map(|[left, right]| [left & all, right & all])
        .chain(ordinary.map(cornered))
        .collect()
}

#[test]
fn every_room_makes_the_same_wrong_thing_of_a_fault() {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    for drawn in (0..15).flat_map(|seed| draw(seed, 20)) {
        let wasm = wast::parser::ParseBuffer::new(&module(drawn.opcode))
            .and_then(|buffer| wast::parser::parse::<wast::Wat>(&buffer)?.encode())
            .expect("the module is written right");
        for operands in operands(&drawn) {
            let count = Drawn::shape(drawn.opcode).operands as usize;
            let wrong = mutated(&drawn, &operands[..count]);
            let sound = call(Mode::all().next().expect("a mode"), &wasm, &operands[..count]);
            for mode in Mode::all() {
                let room = Room::ALL.into_iter().find(|room| room.name() == mode.name()).expect("its room");
                plant_drawn(Some(Drawn { room, ..drawn }));
                // A divisor that compiled code does not know may trap for two reasons, and its verifier knows which.
                let is_verified = mode.is_compiled() && drawn.mutation == Mutation::OtherTrap;
                let shown = (!is_verified).then(|| call(mode, &wasm, &operands[..count]));
                plant_drawn(None);
                assert!(shown.is_none_or(|shown| shown == wrong), "{mode}, {drawn}, {operands:x?}");
                assert_eq!(call(mode, &wasm, &operands[..count]), sound, "{mode} without a fault");
            }
        }
    }
}
