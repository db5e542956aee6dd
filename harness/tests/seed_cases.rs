//! The modules of `corpus/seeds` give exactly the values, traps and frames of `expected.json`, in every
//! mode and in every lane.

use crosscheck::case::{HostPlan, NamedHosts};
use crosscheck::hosts::{Host, named};
use crosscheck::observe::values;
use crosscheck::subject::{Lane, Switch, define_named_hosts};
use crosscheck_engine::{Engine, Error, FuncType, Linker, Mode, Module, Store, Val, ValType};
use serde_json::Value as Json;
use std::path::PathBuf;

fn seeds() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "corpus", "seeds"].iter().collect()
}

fn expected() -> Vec<Json> {
    let text = std::fs::read_to_string(seeds().join("expected.json"))
        .expect("expected.json stands beside the modules");
    serde_json::from_str(&text).expect("expected.json is JSON")
}

/// Every mode with every set of the switches that mean something to it.
fn lanes() -> Vec<Lane> {
    Mode::all()
        .flat_map(|mode| {
            let switches: Vec<Switch> = Switch::all().filter(|switch| switch.applies_to(mode)).collect();
            (0..1u32 << switches.len()).map(move |bits| {
                let thrown = switches.iter().zip(0..).filter(|(_, bit)| bits >> bit & 1 != 0);
                thrown.fold(Lane::plain(mode), |lane, (switch, _)| lane.with(*switch))
            })
        })
        .collect()
}

/// What an invocation gave: results as people read them, or the trap's text and frames.
struct Given {
    results: Vec<String>,
    trap: Option<String>,
    frames: Option<Vec<String>>,
}

fn invoke(lane: &Lane, case: &Json) -> Result<Given, Error> {
    let file = case["file"].as_str().expect("a file name");
    let bytes = std::fs::read(seeds().join(file)).expect("the module stands beside expected.json");
    let engine = Engine::new(&lane.config());
    let module = Module::new(&engine, bytes)?;
    let set = named::set("seed-cases").expect("a built-in set");
    let plan = HostPlan { named: NamedHosts::NONE.with(set), ..HostPlan::new(0, 0) };
    let mut store = Store::new(&engine, Host::of_program(plan, true));
    store.set_fuel(100_000_000);
    let mut linker = Linker::new();
    define_named_hosts(plan.named, &mut linker, &mut store);
    let instance = linker.instantiate(&mut store, &module)?;
    let name = case["invoke"].as_str().expect("a function name");
    let func = instance.func(&store, name).expect("the function is exported");
    let ty: FuncType = func.ty(&store);
    let params: Vec<Val> =
        case["args"].as_array().expect("arguments").iter().zip(ty.params()).map(argument).collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    match func.call(&mut store, &params, &mut results) {
        Ok(()) => {
            let shown = results.iter().zip(ty.results());
            let results =
                shown.map(|(value, ty)| values::observed(&store, *value, *ty).to_string()).collect();
            Ok(Given { results, trap: None, frames: None })
        }
        Err(Error::Trap(trap)) => {
            let frames =
                trap.backtrace().map(|trace| trace.to_string().lines().map(str::to_string).collect());
            Ok(Given { results: Vec::new(), trap: Some(trap.to_string()), frames })
        }
        Err(other) => Err(other),
    }
}

fn argument((json, ty): (&Json, &ValType)) -> Val {
    let number = json.as_u64().expect("arguments are numbers");
    match ty {
        ValType::I32 => Val::I32(number as u32 as i32),
        ValType::I64 => Val::I64(number as i64),
        other => panic!("no seed case takes an argument of type {other}"),
    }
}

#[test]
fn every_lane_gives_the_expected_values_traps_and_frames() {
    for lane in lanes() {
        for case in expected() {
            let given = invoke(&lane, &case).unwrap_or_else(|error| panic!("{lane}: {case}: {error}"));
            assert_eq!(given.trap.as_deref(), case["trap"].as_str(), "{lane}: {case}");
            match &case["value"] {
                Json::Number(number) => {
                    let wanted = format!("i32:{:#x}", number.as_u64().expect("an unsigned number"));
                    assert_eq!(given.results, [wanted], "{lane}: {case}");
                }
                Json::String(text) => assert_eq!(&given.results, &[text.as_str()], "{lane}: {case}"),
                _ => {
                    assert_eq!(given.results.len(), usize::from(case["any_value"] == true), "{lane}: {case}")
                }
            }
            assert_eq!(
                given.frames.is_none(),
                given.trap.is_none() || lane.has(Switch::NoBacktraces),
                "{lane}: {case}"
            );
            if let (Some(wanted), Some(frames)) = (case["frames"].as_array(), given.frames) {
                let wanted: Vec<&str> =
                    wanted.iter().map(|frame| frame.as_str().expect("frames are text")).collect();
                assert_eq!(frames, wanted, "{lane}: {case}");
            }
        }
    }
}
