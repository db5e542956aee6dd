use super::*;
use crate::case::Action;
use crosscheck_engine::opcode::{Opcode, Proposal};
use crosscheck_engine::{Config, Engine, Mode, Module};
use wasmparser::{Operator, Parser, Payload, Validator, WasmFeatures};

fn case(generator: &mut Generator, seed: u64, index: u64) -> Case {
    generator.case(seed, index).expect("these indices make modules").case
}

/// Every module of the cases validates under the proposals it may use.
pub(super) fn check_modules(cases: impl Iterator<Item = Case>, allowed: WasmFeatures) {
    for (index, case) in cases.enumerate() {
        for module in &case.modules {
            let validated = Validator::new_with_features(allowed).validate_all(&module.wasm);
            let error = validated.err().map(|error| error.to_string());
            assert_eq!(error, None, "case {index}, module {}", module.name);
        }
    }
}

/// Every module of the first cases of a seed validates under the proposals it may use.
fn check_validity(features: Features, allowed: WasmFeatures, cases: u64) {
    let mut generator = Generator::new(features);
    check_modules((0..cases).filter_map(|index| Some(generator.case(3, index)?.case)), allowed);
}

#[test]
fn modules_use_no_proposal_that_is_not_executed() {
    let allowed = WasmFeatures::WASM2.difference(WasmFeatures::SIMD)
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::MEMORY64
        | WasmFeatures::WIDE_ARITHMETIC
        // Typed function references; of the rest of the proposal only subtypes of function types.
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::GC;
    check_validity(Features::executed(), allowed, 3000);
}

#[test]
fn modules_have_only_what_every_mode_executes() {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let mut generator = Generator::default();
    for index in 0..1000 {
        for module in &case(&mut generator, 8, index).modules {
            let decoded = Module::decode(&engine, module.wasm.as_slice()).expect("the module is valid");
            for mode in Mode::all() {
                let prepared = decoded.prepare(&engine.sibling(&Config::new(mode)));
                assert_eq!(prepared.err(), None, "case {index} in {mode}");
            }
        }
    }
}

#[test]
fn modules_with_everything_on_validate() {
    let allowed = Module::FEATURES;
    check_validity(Features::all(), allowed, 1500);
}

#[test]
fn judged_modules_validate() {
    let mut generator = Generator::new(Features::all()).profile(Profile::Judged);
    let allowed = Module::FEATURES;
    for index in 0..500 {
        let Some(generated) = generator.case(3, index) else { continue };
        let validated = Validator::new_with_features(allowed).validate_all(&generated.case.modules[0].wasm);
        assert_eq!(validated.err().map(|error| error.to_string()), None, "case {index}");
    }
}

#[test]
fn beside_engines_that_lack_something_most_cases_do_without() {
    let common = Features { memory64: false, multi_memory: false, ..Features::all() };
    let lacking = Module::FEATURES.difference(WasmFeatures::MEMORY64 | WasmFeatures::MULTI_MEMORY);
    let mut generator = Generator::new(Features::executed()).mostly(&common);
    let mut beyond = |index: &u64| {
        let valid = |wasm: &Vec<u8>| Validator::new_with_features(lacking).validate_all(wasm).is_ok();
        let made = generator.case(2, *index);
        made.is_some_and(|made| !made.case.modules.iter().all(|module| valid(&module.wasm)))
    };
    let first: Vec<u64> = (0..600).filter(&mut beyond).collect();
    assert!((5..90).contains(&first.len()), "{} cases go beyond", first.len());
    // And which ones do is a matter of their numbers.
    assert!(first.iter().rev().all(&mut beyond));
}

#[test]
fn a_case_depends_on_its_numbers_only() {
    let mut in_order = Generator::default();
    let mut backwards = Generator::default();
    let mut expected: Vec<_> = (0..50).map(|index| case(&mut in_order, 9, index).to_bytes()).collect();
    for index in (0..50).rev() {
        assert_eq!(Some(case(&mut backwards, 9, index).to_bytes()), expected.pop());
    }
}

#[test]
fn a_bare_module_and_its_case_seed_give_the_case_again() {
    let mut generator = Generator::default();
    let mut generated = (0..).filter_map(|index| generator.case(1, index));
    let generated =
        generated.find(|generated| generated.generator == "smith").expect("most are of this generator");
    let wasm = generated.case.modules[0].wasm.clone();
    let again = plan::plan(wasm, generated.case_seed).expect("the module decodes");
    assert_eq!(again, generated.case);
}

#[test]
fn random_modules_are_never_given_up() {
    let mut generator = Generator::default();
    let given_up = (0..2000).filter(|index| generator.case(11, *index).is_none()).count();
    assert_eq!(given_up, 0);
}

#[test]
fn cases_instantiate_first_and_then_call() {
    let mut generator = Generator::default();
    let mut calls = 0;
    for index in 0..200 {
        let case = case(&mut generator, 5, index);
        assert_eq!(case.actions[0], Action::Instantiate { module: 0 });
        calls += case.actions.iter().filter(|action| matches!(action, Action::Invoke { .. })).count();
    }
    assert!(calls > 600, "{calls} calls in 200 cases");
}

/// How many reachable instructions drop a value, and how many instructions there are.
fn drops(wasm: &[u8]) -> (usize, usize) {
    let (mut dropped, mut all) = (0, 0);
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    for payload in Parser::new(0).parse_all(wasm) {
        let valid = validator.payload(&payload.expect("a generated module decodes")).expect("and validates");
        let wasmparser::ValidPayload::Func(function, body) = valid else { continue };
        let mut function = function.into_validator(Default::default());
        let mut reader = body.get_binary_reader();
        function.read_locals(&mut reader).expect("and validates");
        let mut reader = wasmparser::OperatorsReader::new(reader);
        while !reader.eof() {
            let offset = reader.original_position();
            let operator = reader.read().expect("a generated module decodes");
            let frames = 0..function.control_stack_height() as usize;
            let dead = |depth| function.get_control_frame(depth).is_some_and(|frame| frame.unreachable);
            dropped += usize::from(operator == Operator::Drop && !frames.into_iter().any(dead));
            all += 1;
            function.op(offset, &operator).expect("and validates");
        }
    }
    (dropped, all)
}

#[test]
fn hardly_a_value_is_dropped() {
    let mut generator = Generator::default();
    let (mut dropped, mut all) = (0, 0);
    for index in 0..300 {
        let generated = generator.case(6, index).expect("these indices make modules");
        if ["single", MATERIAL].contains(&generated.generator) {
            // To drop a value is an instruction, too, and what others wrote has its reasons.
            continue;
        }
        let (more_dropped, more) = drops(&generated.case.modules[0].wasm);
        dropped += more_dropped;
        all += more;
    }
    assert!(dropped * 10_000 < all, "{dropped} of {all} instructions drop a value");
}

#[test]
fn every_opcode_that_modes_execute_is_generated() {
    let mut generator = Generator::default();
    let mut met = vec![0; Opcode::COUNT];
    for index in 0..4000 {
        for module in &case(&mut generator, 4, index).modules {
            for payload in Parser::new(0).parse_all(&module.wasm) {
                let Payload::CodeSectionEntry(body) = payload.expect("it decodes") else { continue };
                let mut operators = body.get_operators_reader().expect("it decodes");
                while !operators.eof() {
                    let at = operators.original_position() as usize;
                    operators.read().expect("it decodes");
                    let (opcode, _) = Opcode::decode(&module.wasm[at..]).expect("it is in the table");
                    met[opcode.index()] += 1;
                }
            }
        }
    }
    let is_executed = |opcode: &Opcode| match opcode.row().proposal {
        Proposal::Mvp
        | Proposal::SignExtensionOps
        | Proposal::NontrappingFloatToInt
        | Proposal::BulkMemory
        | Proposal::ReferenceTypes
        | Proposal::TailCall
        | Proposal::FunctionReferences
        | Proposal::WideArithmetic => true,
        Proposal::Gc
        | Proposal::ExceptionHandling
        | Proposal::Simd
        | Proposal::RelaxedSimd
        | Proposal::Threads => false,
    };
    let rare = Opcode::all().filter(is_executed).filter(|opcode| met[opcode.index()] < 5);
    let rare: Vec<&str> = rare.map(Opcode::text).collect();
    assert!(rare.is_empty(), "hardly ever generated: {rare:?}");
}

/// FNV-1a, which is enough to notice a change.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn seeds_mean_what_they_meant() {
    let mut generator = Generator::default();
    let hashes = [(1, 0), (1, 1), (1, 19_999), (u64::MAX, 7)]
        .map(|(seed, index)| format!("{:#018x}", hash(&case(&mut generator, seed, index).to_bytes())));
    // A change here is a change of what every reported seed means: say so in the commit that blesses it.
    assert_eq!(hashes, BLESSED);
}

const BLESSED: [&str; 4] =
    ["0xcb3325d4c2ef26e8", "0x7f23e4874c824add", "0x333f1313be060151", "0x43e478a7d2ba16d9"];

#[test]
fn a_function_that_nobody_can_call_from_outside_is_not_called() {
    // (module (func (export "f") (param (ref null nocont)))), which was not validated.
    let wasm =
        b"\0asm\x01\0\0\0\x01\x05\x01\x60\x01\x75\0\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x04\x01\x02\0\x0b";
    for case_seed in 0..20 {
        let case = plan::plan(wasm.to_vec(), case_seed).expect("it decodes");
        assert_eq!(case.actions, [Action::Instantiate { module: 0 }]);
    }
}
