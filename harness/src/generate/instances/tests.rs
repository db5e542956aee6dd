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

#[test]
fn modules_validate() {
    check_modules(cases(Profile::Own, 1000), WasmFeatures::WASM3);
    let allowed =
        WasmFeatures::WASM2 | WasmFeatures::TAIL_CALL | WasmFeatures::MULTI_MEMORY | WasmFeatures::MEMORY64;
    check_modules(cases(Profile::Judged, 300), allowed);
}

#[test]
fn instances_of_one_module_meet_in_backtraces() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned) = (0, 0);
    let mut ends = std::collections::BTreeMap::new();
    let (mut traps, mut crossing) = (0, 0);
    for case in cases(Profile::Own, 300) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Full);
        let actions = &run.observations.first().expect("the modules are valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let is_fine = matches!(observed.outcome, Outcome::Values(_));
            match action {
                Action::Instantiate { .. } => assert!(is_fine, "{:?}", observed.outcome),
                Action::Invoke { .. } => (calls, returned) = (calls + 1, returned + u32::from(is_fine)),
                Action::Read { .. } => {}
            }
            if let Outcome::Trap(trap) = &observed.outcome {
                *ends.entry(trap.kind.text()).or_insert(0) += 1;
                let frames = trap.frames.iter().flat_map(|frames| &frames.kept);
                let mut instances: Vec<u32> = frames.filter_map(|frame| Some(frame.function?.0)).collect();
                instances.sort_unstable();
                instances.dedup();
                traps += 1;
                crossing += u32::from(instances.len() > 2);
            }
        }
    }
    assert!(returned * 2 > calls, "{returned} of {calls} calls returned: {ends:?}");
    assert!(crossing * 3 > traps, "{crossing} of {traps} backtraces lead through three instances");
}
