use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::Mode;
use wasmparser::WasmFeatures;

fn cases(profile: Profile, count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(move |index| case(&Features::executed(), profile, case_seed(6, index)))
}

fn check_validity(profile: Profile, allowed: WasmFeatures) {
    check_modules(cases(profile, 1000), allowed);
}

#[test]
fn modules_validate() {
    check_validity(Profile::Own, WasmFeatures::WASM3);
}

#[test]
fn modules_for_outside_judges_have_no_typed_references() {
    check_validity(
        Profile::Judged,
        WasmFeatures::WASM2 | WasmFeatures::TAIL_CALL | WasmFeatures::MULTI_MEMORY | WasmFeatures::MEMORY64,
    );
}

#[test]
fn at_least_half_of_the_calls_return() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned) = (0, 0);
    let mut ends = std::collections::BTreeMap::new();
    for case in cases(Profile::Own, 1000) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Digest);
        let actions = &run.observations.first().expect("the modules are valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let fine = matches!(observed.outcome, Outcome::Values(_));
            if let Outcome::Trap(trap) = &observed.outcome {
                *ends.entry(trap.kind.text()).or_insert(0) += 1;
            }
            match action {
                Action::Instantiate { .. } => assert!(fine, "{:?}", observed.outcome),
                Action::Invoke { .. } => (calls, returned) = (calls + 1, returned + u32::from(fine)),
                Action::Read { .. } => {}
            }
        }
    }
    assert!(returned * 2 > calls, "{returned} of {calls} calls returned: {ends:?}");
}
