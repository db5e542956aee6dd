use super::*;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::Mode;
use wasmparser::{Operator as Instruction, Parser, Payload, WasmFeatures};

fn cases(profile: Profile, count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(move |index| case(&Features::executed(), profile, case_seed(6, index)))
}

#[test]
fn modules_validate() {
    check_modules(cases(Profile::Own, 1000), WasmFeatures::WASM3);
}

#[test]
fn modules_for_outside_judges_have_no_typed_references() {
    let allowed =
        WasmFeatures::WASM2 | WasmFeatures::TAIL_CALL | WasmFeatures::MULTI_MEMORY | WasmFeatures::MEMORY64;
    check_modules(cases(Profile::Judged, 500), allowed);
}

#[test]
fn modules_without_features_validate() {
    let features = Features {
        multi_value: false,
        tail_call: false,
        reference_types: false,
        function_references: false,
        sign_extension: false,
        saturating_conversions: false,
        memory64: false,
        multi_memory: false,
        ..Features::executed()
    };
    let cases = (0..300).map(|index| case(&features, Profile::Own, case_seed(6, index)));
    check_modules(cases, WasmFeatures::WASM1 | WasmFeatures::BULK_MEMORY);
}

#[test]
fn most_calls_return() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned) = (0, 0);
    let mut ends = std::collections::BTreeMap::new();
    for case in cases(Profile::Own, 500) {
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
    assert!(returned * 10 > calls * 8, "{returned} of {calls} calls returned: {ends:?}");
}

#[test]
fn blocks_have_parameters_and_several_results() {
    let mut shapes = [[0; 5]; 5];
    let mut tables = 0;
    for case in cases(Profile::Own, 200) {
        let wasm = &case.modules.last().expect("a case has a module").wasm;
        let mut types = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("it decodes") {
                Payload::TypeSection(section) => {
                    let section = section.into_iter_err_on_gc_types();
                    types.extend(section.map(|ty| ty.expect("only function types are made")));
                }
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().expect("it decodes");
                    for operator in operators {
                        match operator.expect("it decodes") {
                            Instruction::Block { blockty: wasmparser::BlockType::FuncType(ty) }
                            | Instruction::Loop { blockty: wasmparser::BlockType::FuncType(ty) }
                            | Instruction::If { blockty: wasmparser::BlockType::FuncType(ty) } => {
                                let ty = &types[ty as usize];
                                shapes[ty.params().len().min(4)][ty.results().len().min(4)] += 1;
                            }
                            Instruction::BrTable { targets } => tables += usize::from(targets.len() > 4),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let seen = shapes.iter().flatten().filter(|count| **count > 5).count();
    assert!(seen >= 22, "{shapes:?}");
    assert!(tables > 100, "{tables} tables have more than four arms");
}
