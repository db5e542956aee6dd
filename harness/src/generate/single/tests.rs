use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::{Mode, TrapKind};
use std::collections::BTreeMap;
use wasmparser::{Parser, Payload, WasmFeatures};

fn cases(profile: Profile, count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(move |index| case(&Features::executed(), profile, case_seed(6, index)))
}

fn check_validity(profile: Profile, allowed: WasmFeatures) {
    check_modules(cases(profile, 2000), allowed);
}

#[test]
fn modules_validate() {
    check_validity(Profile::Own, WasmFeatures::WASM3 | WasmFeatures::WIDE_ARITHMETIC);
}

#[test]
fn modules_for_outside_judges_have_no_typed_references() {
    check_validity(
        Profile::Judged,
        WasmFeatures::WASM2
            | WasmFeatures::MULTI_MEMORY
            | WasmFeatures::MEMORY64
            | WasmFeatures::WIDE_ARITHMETIC,
    );
}

#[test]
fn every_instruction_that_computes_is_tried() {
    let mut tried = vec![0; Opcode::COUNT];
    for case in cases(Profile::Own, 2000) {
        for payload in Parser::new(0).parse_all(&case.modules[0].wasm) {
            let Payload::CodeSectionEntry(body) = payload.expect("it decodes") else { continue };
            let mut operators = body.get_operators_reader().expect("it decodes");
            while !operators.eof() {
                let at = operators.original_position() as usize;
                operators.read().expect("it decodes");
                let (opcode, _) = Opcode::decode(&case.modules[0].wasm[at..]).expect("it is in the table");
                tried[opcode.index()] += 1;
            }
        }
    }
    let features = Features::executed();
    let everything = Choices {
        multi_value: true,
        bulk: true,
        references: true,
        two_memories: true,
        memory64: true,
        judged: false,
    };
    let rows = ROWS.iter().flatten().filter(|row| everything.allows(row, &features));
    let rare: Vec<&str> =
        rows.clone().filter(|row| tried[row.opcode.index()] < 5).map(|row| row.text).collect();
    assert!(rare.is_empty(), "hardly tried: {rare:?}");
    assert!(rows.count() > 190, "the table has more that computes");
}

#[test]
fn most_calls_return_and_the_rest_end_in_many_ways() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned) = (0, 0);
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for case in cases(Profile::Own, 1000) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Digest);
        let actions = &run.observations.first().expect("the module is valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let Action::Invoke { .. } = action else {
                assert!(matches!(observed.outcome, Outcome::Values(_)), "{:?}", observed.outcome);
                continue;
            };
            calls += 1;
            match &observed.outcome {
                Outcome::Values(_) => returned += 1,
                Outcome::Trap(trap) => *ends.entry(trap.kind.text()).or_insert(0) += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(returned * 4 > calls * 3, "{returned} of {calls} calls returned: {ends:?}");
    for kind in [
        TrapKind::MemoryOutOfBounds,
        TrapKind::TableOutOfBounds,
        TrapKind::IntegerDivideByZero,
        TrapKind::IntegerOverflow,
        TrapKind::InvalidConversionToInteger,
        TrapKind::NullReference,
    ] {
        assert!(ends.contains_key(kind.text()), "{} is never met: {ends:?}", kind.text());
    }
}
