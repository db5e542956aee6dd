use super::*;
use crate::case::CaseModule;
use crate::draw::case_seed;
use crate::generate::tests::check_modules;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Subject};
use crate::trial::run_case;
use crosscheck_engine::Mode;
use std::collections::BTreeMap;

fn all_made(profile: Profile, count: u64) -> impl Iterator<Item = Made> {
    let features = Features::executed();
    (0..count).map(move |index| {
        made(&features, profile, None, case_seed(6, index)).expect("there are programs for all features")
    })
}

fn cases(profile: Profile, count: u64) -> impl Iterator<Item = Case> {
    all_made(profile, count).map(|made| made.0)
}

fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

/// A program of one module, which is instantiated.
fn program(wat: &str) -> Case {
    let module = CaseModule { name: plan::MODULE_NAME.into(), wasm: encode(wat) };
    let case = plan::plan(module.wasm.clone(), 1).expect("the module decodes");
    Case { modules: vec![module], actions: vec![Action::Instantiate { module: 0 }], ..case }
}

#[test]
fn modules_validate_and_are_small() {
    let executed = allowed(&Features::executed());
    check_modules(cases(Profile::Own, 2000), executed);
    let bytes: usize = cases(Profile::Own, 500).map(|case| case.wasm_bytes()).sum();
    let modules: usize = cases(Profile::Own, 500).map(|case| case.modules.len()).sum();
    let mean = bytes / modules;
    assert!((300..2000).contains(&mean), "{mean} bytes in the mean");
}

#[test]
fn modules_for_outside_judges_validate_and_make_canonical_nans() {
    let executed = allowed(&Features::executed());
    for case in cases(Profile::Judged, 300) {
        check_modules(std::iter::once(case.clone()), executed);
        for module in &case.modules {
            // What is canonical already gets no second cure: the text says how often one follows its operator.
            let text = wasmprinter::print_bytes(&module.wasm).expect("a valid module can be printed");
            let makes_nans = text.lines().any(|line| line.trim().starts_with("f64.sqrt"));
            assert!(!makes_nans || text.contains("f64.eq") || text.contains("f64.ne"), "{text}");
        }
    }
}

#[test]
fn modules_without_features_validate() {
    let features = Features {
        multi_value: false,
        tail_call: false,
        reference_types: false,
        function_references: false,
        bulk_memory: false,
        sign_extension: false,
        saturating_conversions: false,
        extended_const: false,
        memory64: false,
        multi_memory: false,
        wide_arithmetic: false,
        shared_hosts: false,
        ..Features::executed()
    };
    let made = (0..300).filter_map(|index| case(&features, Profile::Own, None, case_seed(6, index)));
    let made: Vec<_> = made.collect();
    assert_eq!(made.len(), 300);
    check_modules(made.into_iter(), WasmFeatures::WASM1);
}

#[test]
fn everything_that_can_be_made_of_a_program_is_made() {
    let mut makings: BTreeMap<Making, usize> = BTreeMap::new();
    let mut steps: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, making, done) in all_made(Profile::Own, 1500) {
        // What came of nothing is the program as it was.
        if making == Making::Whole || !done.is_empty() {
            *makings.entry(making).or_default() += 1;
        }
        done.iter().for_each(|step| *steps.entry(step).or_default() += 1);
    }
    assert!(MAKINGS.iter().all(|(making, _)| makings.get(making) > Some(&80)), "{makings:?}, {steps:?}");
    let expected = shape::names().chain(["spliced", "preserving", "mutated"]);
    let rare: Vec<&str> = expected.filter(|name| steps.get(name) < Some(&15)).collect();
    assert!(rare.is_empty(), "hardly ever: {rare:?} of {steps:?}");
}

#[test]
fn programs_run_as_their_scripts_have_them_run() {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let (mut calls, mut returned, mut instantiated, mut instances) = (0, 0, 0, 0);
    for case in cases(Profile::Own, 500) {
        let run = run_case(&case, &[&subject as &dyn Subject], Capture::Digest);
        let actions = &run.observations.first().expect("the modules are valid").1.actions;
        for (action, observed) in case.actions.iter().zip(actions) {
            let is_fine = u32::from(matches!(observed.outcome, Outcome::Values(_)));
            match action {
                Action::Instantiate { .. } => {
                    (instances, instantiated) = (instances + 1, instantiated + is_fine)
                }
                Action::Invoke { .. } => (calls, returned) = (calls + 1, returned + is_fine),
                Action::Read { .. } => {}
            }
        }
    }
    assert!(instantiated * 100 > instances * 85, "{instantiated} of {instances} instances");
    assert!(returned * 10 > calls * 5, "{returned} of {calls} calls returned");
}

#[test]
fn linked_modules_come_with_what_they_import() {
    let mut linked = 0;
    for case in cases(Profile::Own, 600) {
        assert!(case.modules.len() <= MOST_MODULES);
        for module in &case.modules {
            for (from, _) in imports(&module.wasm) {
                let is_there = case.modules.iter().any(|other| other.name == from);
                assert!(is_there || !from.starts_with("script."), "{} imports from {from}", module.name);
                linked += usize::from(is_there);
            }
        }
    }
    assert!(linked > 100, "{linked} imports from other modules");
}

#[test]
fn given_programs_take_the_place_of_those_that_are_built_in() {
    let features = Features::executed();
    let vectors = program(r#"(module (func (export "v") (result v128) (v128.const i64x2 1 2)))"#);
    assert!(Material::new(vec![vectors.clone()], &features).is_none());
    let given = program(
        r#"(module (func (export "given by a test") (param i32) (result i32)
        (i32.add (local.get 0) (i32.mul (i32.const 3) (local.get 0)))))"#,
    );
    let material = Material::new(vec![vectors, given.clone()], &features).expect("one of them is usable");
    assert_eq!(material.count(), 1);
    let names = |case: &Case| {
        case.actions.iter().any(|action| match action {
            Action::Invoke { export, .. } => export == "given by a test",
            Action::Instantiate { .. } | Action::Read { .. } => false,
        })
    };
    let made =
        |index| case(&features, Profile::Own, Some(&material), case_seed(1, index)).expect("it is usable");
    let called = (0..50).map(made).filter(names).count();
    assert!(called > 35, "{called} of 50 cases call what was given");
    let other = program(r#"(module (func (export "f")))"#);
    let other = Material::new(vec![given, other], &features).expect("both are usable");
    assert_ne!(material.digest(), other.digest());
}

#[test]
fn a_given_program_stays_valid_whatever_its_operators_are() {
    let features = Features::executed();
    // Labels to the outside, results that several instructions take, a block with parameters, a tail call.
    let given = program(
        r#"(module (memory 1) (global $g (mut f64) (f64.const 1)) (table 2 funcref)
        (func $two (param i32) (result i32 i64) (local.get 0) (i64.extend_i32_u (local.get 0)))
        (func $tail (param i32) (result i32) (return_call $f (local.get 0)))
        (func $f (export "f") (param i32) (result i32) (local $i i32)
          (block $out (result i32)
            (loop $again
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $out (i32.load8_u offset=3 (local.get $i)) (i32.gt_u (local.get $i) (local.get 0)))
              (drop)
              (br_if $again (i32.lt_u (local.get $i) (i32.const 9))))
            (call $two (i32.const 4)) (i32.wrap_i64) (i32.add)
            (if (param i32) (result i32) (local.get 0) (then (i32.const 1) (i32.sub)) (else (return))))))"#,
    );
    let material = Material::new(vec![given], &features).expect("it is usable");
    let made: Vec<_> = (0..300)
        .map(|index| {
            made(&features, Profile::Own, Some(&material), case_seed(3, index)).expect("it is usable")
        })
        .collect();
    let shapes: BTreeSet<&str> = made.iter().flat_map(|made| made.2.iter().copied()).collect();
    assert!(shape::names().all(|name| shapes.contains(name)), "{shapes:?}");
    check_modules(made.into_iter().map(|made| made.0), allowed(&features));
}
