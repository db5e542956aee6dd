use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{ActionObservation, Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::{Mode, TrapKind};
use std::collections::BTreeMap;
use wasmparser::{Operator, Parser, Payload, WasmFeatures};

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
    check_validity(Profile::Judged, WasmFeatures::WASM2 | WasmFeatures::TAIL_CALL | WasmFeatures::MEMORY64);
}

fn observed(case: &Case, capture: Capture) -> Vec<ActionObservation> {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let run = run_case(case, &[&subject as &dyn Subject], capture);
    run.observations.into_iter().next().expect("the modules are valid").1.actions
}

#[test]
fn most_calls_return_and_the_rest_end_in_many_ways() {
    let (mut calls, mut returned) = (0, 0);
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for case in cases(Profile::Own, 1000) {
        for (action, observed) in case.actions.iter().zip(observed(&case, Capture::Digest)) {
            let Action::Invoke { .. } = action else { continue };
            calls += 1;
            match observed.outcome {
                Outcome::Values(_) => returned += 1,
                Outcome::Trap(trap) => *ends.entry(trap.kind.text()).or_insert(0) += 1,
                // Of an instance that its start function left unfinished.
                Outcome::Usage(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(returned * 2 > calls, "{returned} of {calls} calls returned: {ends:?}");
    for kind in [TrapKind::Host, TrapKind::OutOfFuel, TrapKind::CallStackExhausted] {
        assert!(ends.contains_key(kind.text()), "{} is never met: {ends:?}", kind.text());
    }
}

#[test]
fn hosts_are_called_often_and_do_things() {
    let (mut calls, mut read, mut wrote, mut back) = (0, 0, 0, 0);
    for case in cases(Profile::Own, 200) {
        for observed in observed(&case, Capture::Full) {
            calls += observed.host_calls.count;
            for note in observed.host_calls.first.iter().flat_map(|call| &call.notes) {
                read += u32::from(note.starts_with("read"));
                wrote += u32::from(note.starts_with("wrote"));
                back += u32::from(note.starts_with("called back"));
            }
        }
    }
    assert!(calls > 200 * 10, "{calls} calls of hosts");
    assert!(read > 200 && wrote > 200 && back > 100, "{read} reads, {wrote} writes, {back} calls back");
}

#[test]
fn chains_are_thousands_of_calls_long_now_and_then() {
    let most = cases(Profile::Own, 2000).flat_map(|case| observed(&case, Capture::Digest));
    let most = most.map(|observed| observed.host_calls.count).max();
    assert!(most > Some(1_000), "at most {most:?} calls of hosts in an action");
}

#[test]
fn hosts_are_tail_called_in_every_way() {
    let mut ways = [0; 3];
    for case in cases(Profile::Own, 300) {
        let wasm = &case.modules.last().expect("a module").wasm;
        let mut hosts = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("it decodes") {
                Payload::ImportSection(imports) => hosts = imports.count(),
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().expect("it decodes");
                    for operator in operators {
                        match operator.expect("it decodes") {
                            Operator::ReturnCall { function_index } if function_index < hosts => ways[0] += 1,
                            Operator::ReturnCallIndirect { type_index, .. } if type_index < hosts => {
                                ways[1] += 1
                            }
                            Operator::ReturnCallRef { type_index } if type_index < hosts => ways[2] += 1,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    assert!(ways.iter().all(|way| *way > 50), "{ways:?}");
}
