use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::opcode::Opcode;
use crosscheck_engine::{Config, Engine, Mode, Module};
use std::collections::BTreeMap;
use wasmparser::WasmFeatures;

fn cases(count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(|index| case(&Features::executed(), Profile::Own, case_seed(4, index)))
}

fn check_validity(profile: Profile, allowed: WasmFeatures) {
    let cases = (0..1000).map(|index| case(&Features::executed(), profile, case_seed(5, index)));
    check_modules(cases, allowed);
}

#[test]
fn modules_validate() {
    check_validity(Profile::Own, WasmFeatures::WASM3);
}

#[test]
fn modules_for_outside_judges_have_no_typed_references() {
    check_validity(
        Profile::Judged,
        WasmFeatures::WASM2
            | WasmFeatures::TAIL_CALL
            | WasmFeatures::EXTENDED_CONST
            | WasmFeatures::MULTI_MEMORY
            | WasmFeatures::MEMORY64,
    );
}

#[test]
fn most_calls_return_and_modules_link() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned, mut linked, mut instantiated) = (0, 0, 0, 0);
    let mut crossing = 0;
    for case in cases(2000) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Full);
        let actions = &run.observations.first().expect("the modules are valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let fine = matches!(observed.outcome, Outcome::Values(_));
            match action {
                Action::Instantiate { .. } => {
                    (linked, instantiated) = (linked + 1, instantiated + u32::from(fine))
                }
                Action::Invoke { .. } => (calls, returned) = (calls + 1, returned + u32::from(fine)),
                Action::Read { .. } => {}
            }
            if let Outcome::Trap(trap) = &observed.outcome {
                let frames = trap.frames.iter().flat_map(|frames| &frames.kept);
                let mut instances: Vec<u32> = frames.filter_map(|frame| Some(frame.function?.0)).collect();
                instances.dedup();
                crossing += u32::from(instances.len() > 1);
            }
        }
    }
    assert!(returned * 2 > calls, "{returned} of {calls} calls returned");
    assert!(instantiated * 10 > linked * 9, "{instantiated} of {linked} instantiations succeeded");
    assert!(crossing > 100, "{crossing} backtraces lead through two instances");
}

/// How many modules of the first cases have each opcode.
fn opcodes(count: u64) -> BTreeMap<&'static str, u32> {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let mut found = BTreeMap::new();
    for case in cases(count) {
        for module in &case.modules {
            let decoded = Module::decode(&engine, module.wasm.as_slice()).expect("the module is valid");
            decoded.opcodes().iter().for_each(|opcode| *found.entry(opcode.text()).or_default() += 1);
        }
    }
    found
}

#[test]
fn every_call_and_every_instruction_on_typed_references_occurs() {
    let found = opcodes(2000);
    let wanted = [
        "call",
        "call_indirect",
        "call_ref",
        "return_call",
        "return_call_indirect",
        "return_call_ref",
        "ref.func",
        "ref.null",
        "ref.is_null",
        "ref.as_non_null",
        "br_on_null",
        "br_on_non_null",
        "table.get",
        "table.set",
        "table.grow",
        "table.size",
        "table.fill",
        "table.copy",
        "table.init",
        "elem.drop",
        "data.drop",
        "memory.init",
        "memory.copy",
        "memory.fill",
        "memory.grow",
        "memory.size",
        "select",
        "select_t",
        "br_table",
        "unreachable",
    ];
    for text in wanted {
        assert!(Opcode::from_text(text).is_some(), "{text} is an opcode");
        let modules = found.get(text).copied().unwrap_or_default();
        assert!(modules > 10, "{text} occurs in {modules} modules");
    }
}
