use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::Mode;
use wasmparser::WasmFeatures;

fn cases(features: &Features, count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(move |index| case(features, Profile::Own, case_seed(6, index)))
}

#[test]
fn modules_validate() {
    let allowed = WasmFeatures::WASM2 | WasmFeatures::MULTI_MEMORY | WasmFeatures::MEMORY64;
    check_modules(cases(&Features::executed(), 1000), allowed);
}

#[test]
fn modules_without_features_validate() {
    let features = Features { memory64: false, multi_memory: false, ..Features::executed() };
    check_modules(cases(&features, 300), WasmFeatures::WASM2);
    let features = Features { bulk_memory: false, ..features };
    let allowed = WasmFeatures::WASM3.difference(WasmFeatures::MEMORY64 | WasmFeatures::MULTI_MEMORY);
    check_modules(cases(&features, 100), allowed);
}

#[test]
fn most_calls_return_and_some_trap() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned) = (0, 0);
    let mut ends = std::collections::BTreeMap::new();
    for case in cases(&Features::executed(), 500) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Digest);
        let actions = &run.observations.first().expect("the modules are valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let is_fine = matches!(observed.outcome, Outcome::Values(_));
            if let Outcome::Trap(trap) = &observed.outcome {
                *ends.entry(trap.kind.text()).or_insert(0) += 1;
            }
            match action {
                Action::Instantiate { .. } => assert!(is_fine, "{:?}", observed.outcome),
                Action::Invoke { .. } => (calls, returned) = (calls + 1, returned + u32::from(is_fine)),
                Action::Read { .. } => {}
            }
        }
    }
    assert!(returned * 10 > calls * 7, "{returned} of {calls} calls returned: {ends:?}");
    let trapped = |kind: &str| ends.get(kind).copied().unwrap_or(0);
    assert!(trapped("out of bounds memory access") > 100, "{ends:?}");
    assert!(trapped("out of bounds table access") > 100, "{ends:?}");
}
