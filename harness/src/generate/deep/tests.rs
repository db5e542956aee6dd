use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::{Mode, TrapKind};
use std::collections::BTreeMap;
use wasmparser::{Operator, Parser, Payload, WasmFeatures};

fn cases(profile: Profile, count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(move |index| case(&Features::executed(), profile, case_seed(6, index)))
}

fn check_validity(profile: Profile, allowed: WasmFeatures) {
    check_modules(cases(profile, 500), allowed);
}

#[test]
fn modules_validate() {
    check_validity(Profile::Own, WasmFeatures::WASM3);
}

#[test]
fn modules_for_outside_judges_have_no_typed_references() {
    check_validity(Profile::Judged, WasmFeatures::WASM2 | WasmFeatures::TAIL_CALL);
}

#[test]
fn calls_return_or_meet_every_end_of_depth() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned, mut deepest) = (0, 0, 0);
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for case in cases(Profile::Own, 300) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Digest);
        let actions = &run.observations.first().expect("the module is valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let Action::Invoke { .. } = action else { continue };
            calls += 1;
            match &observed.outcome {
                Outcome::Values(_) => returned += 1,
                Outcome::Trap(trap) => {
                    *ends.entry(trap.kind.text()).or_insert(0) += 1;
                    deepest = deepest.max(trap.frames.as_ref().map_or(0, |frames| frames.count));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(returned * 5 > calls * 2, "{returned} of {calls} calls returned: {ends:?}");
    for kind in [TrapKind::CallStackExhausted, TrapKind::OutOfFuel, TrapKind::Unreachable, TrapKind::Host] {
        assert!(ends.contains_key(kind.text()), "{} is never met: {ends:?}", kind.text());
    }
    assert!(deepest > 1_000, "at most {deepest} frames");
}

#[test]
fn functions_are_huge_in_every_way() {
    let (mut bytes, mut locals, mut targets, mut nesting) = (0, 0, 0, 0);
    for case in cases(Profile::Own, 300) {
        for payload in Parser::new(0).parse_all(&case.modules[0].wasm) {
            let Payload::CodeSectionEntry(body) = payload.expect("it decodes") else { continue };
            bytes = bytes.max(body.range().end - body.range().start);
            let groups = body.get_locals_reader().expect("it decodes").into_iter();
            locals = locals.max(groups.map(|group| group.expect("it decodes").0).sum());
            let mut open = 0u32;
            for operator in body.get_operators_reader().expect("it decodes") {
                match operator.expect("it decodes") {
                    Operator::BrTable { targets: table } => targets = targets.max(table.len()),
                    Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open += 1,
                    Operator::End => open = open.saturating_sub(1),
                    _ => {}
                }
                nesting = nesting.max(open);
            }
        }
    }
    assert!(bytes > 10_000, "at most {bytes} bytes");
    assert!(locals > 300, "at most {locals} locals");
    assert!(targets > 500, "at most {targets} targets");
    assert!(nesting > 40, "at most {nesting} blocks in each other");
}
