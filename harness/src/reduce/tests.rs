//! Reductions of generated cases to what a question needs.

use super::*;
use crate::case::Value;
use crate::features::Features;
use crate::generate::Generator;
use crate::observe::{Capture, Outcome};
use crate::subject::{Lane, LaneSubject, Trace};
use crate::trial::run_case;
use crosscheck_engine::{Mode, TrapKind};

fn traps(case: &Case, kind: TrapKind) -> bool {
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let run = run_case(case, &[&subject], Capture::Digest);
    run.observations
        .iter()
        .flat_map(|(_, observation)| &observation.actions)
        .any(|action| matches!(&action.outcome, Outcome::Trap(trap) if trap.kind == kind))
}

/// The first generated cases that trap so, each reduced while it does.
fn reduced(kind: TrapKind, count: usize) -> Vec<Reduced> {
    let mut generator = Generator::new(Features::executed());
    let interesting = |case: &Case| traps(case, kind);
    let (stop, silent) = (AtomicBool::new(false), |_: &Case| ());
    (0..)
        .filter_map(|index| generator.case(99, index))
        .map(|generated| generated.case)
        .filter(interesting)
        .take(count)
        .map(|case| Reducer::new(&case, &interesting, &stop, &silent).expect("it is interesting").run())
        .collect()
}

#[test]
fn traps_are_reduced_to_hardly_more_than_the_instruction() {
    let kinds =
        [TrapKind::IntegerDivideByZero, TrapKind::MemoryOutOfBounds, TrapKind::IndirectCallTypeMismatch];
    let mut sizes = Vec::new();
    for kind in kinds {
        for reduced in reduced(kind, 3) {
            assert!(traps(&reduced.case, kind), "{kind} stays");
            sizes.push(code_bytes(&reduced.case));
        }
    }
    sizes.sort_unstable();
    assert!(sizes[sizes.len() / 2] <= 30 && sizes[sizes.len() - 1] <= 60, "bytes of code: {sizes:?}");
}

#[test]
fn a_reduction_is_repeatable() {
    let once = reduced(TrapKind::IntegerDivideByZero, 1);
    assert_eq!(once[0].case, reduced(TrapKind::IntegerDivideByZero, 1)[0].case);
}

#[test]
fn what_is_not_interesting_is_refused_and_so_is_a_question_that_all_answer() {
    let case = Generator::new(Features::executed()).case(1, 0).expect("it generates").case;
    let (stop, silent) = (AtomicBool::new(false), |_: &Case| ());
    let refused = |interesting: &Interesting<'_>| Reducer::new(&case, interesting, &stop, &silent).err();
    assert_eq!(refused(&|_| false), Some(Refused::Uninteresting));
    assert_eq!(refused(&|_| true), Some(Refused::EmptyIsInteresting));
}

#[test]
fn a_reduction_that_is_stopped_keeps_the_best_so_far() {
    let case = Generator::new(Features::executed()).case(1, 0).expect("it generates").case;
    let stop = AtomicBool::new(true);
    let interesting = |case: &Case| !case.modules.is_empty();
    let reduced = Reducer::new(&case, &interesting, &stop, &|_| ()).expect("it is interesting").run();
    assert_eq!(reduced.case, case);
}

/// Whether the reference executes an opcode somewhere in a case.
fn executes(case: &Case, opcode: &str) -> bool {
    let look = Look::at(case);
    let mut bodies = look.bodies().iter().enumerate();
    bodies.any(|(module, bodies)| {
        let mut nodes = bodies.iter().flat_map(|body| &body.nodes);
        nodes.any(|node| node.opcode.text() == opcode && look.trace().seen(module, node.at).is_some())
    })
}

#[test]
fn what_executes_an_opcode_is_reduced_to_little_else_and_stays_valid() {
    let (stop, silent) = (AtomicBool::new(false), |_: &Case| ());
    for opcode in ["memory.grow", "br_table", "call_indirect", "f64.div", "loop", "select", "table.get"] {
        let mut generator = Generator::new(Features::executed());
        let interesting = |case: &Case| executes(case, opcode);
        let cases = (0..5_000).filter_map(|index| generator.case(7, index)).map(|generated| generated.case);
        for case in cases.filter(interesting).take(2) {
            let reducer = Reducer::new(&case, &interesting, &stop, &silent);
            let reduced = reducer.expect("it is interesting").run();
            assert!(executes(&reduced.case, opcode), "{opcode} stays");
            assert!(reduced.case.modules.iter().all(|module| is_valid(&module.wasm)), "{opcode}");
            let bytes = code_bytes(&reduced.case);
            let text = reduced.case.modules.iter().map(|module| wasmprinter::print_bytes(&module.wasm));
            assert!(
                bytes <= 30,
                "{opcode}: {bytes} bytes of code are left: {}",
                text.map(Result::unwrap_or_default).collect::<String>()
            );
            let by_pass: u64 = reduced.passes.iter().map(|pass| pass.kept).sum();
            assert_eq!(by_pass, reduced.kept, "the table by pass is complete");
        }
    }
}

/// A case of a module in text.
fn case_of(wat: &str) -> Case {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("it is text");
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("it is a module");
    let wasm = module.encode().expect("it can be encoded");
    crate::generate::plan::plan(wasm, 1).expect("it is a module")
}

#[test]
fn operands_that_one_call_makes_are_no_trouble() {
    let case = case_of(
        "(module (global (mut i32) (i32.const 0))
            (func $two (result i32 i32) (i32.const 1) (i32.const 2))
            (func (export \"f\") (result i32)
                (call $two) (i32.eqz) (global.set 0 (i32.const 3)) (i32.add)))",
    );
    let proposals = PASSES.iter().flat_map(|pass| (pass.propose)(&Look::at(&case)));
    let made = proposals.filter_map(|proposal| proposal.made(&case, &Cost::of(&case)));
    assert!(made.count() > 10);
}

#[test]
fn blocks_are_taken_apart_though_branches_go_past_them() {
    let case = case_of(
        "(module (memory 1) (func (export \"f\") (param i32)
            (block (block (br_if 1 (local.get 0)) (br_if 0 (local.get 0))) (drop (memory.size)))))",
    );
    let printed: Vec<String> = body::blocks::unwrapped(&Look::at(&case))
        .iter()
        .filter_map(|proposal| proposal.made(&case, &Cost::of(&case)))
        .filter(|case| is_valid(&case.modules[0].wasm))
        .map(|case| wasmprinter::print_bytes(&case.modules[0].wasm).expect("it can be printed"))
        .collect();
    assert_eq!(printed.len(), 2, "{printed:?}");
    for text in printed {
        // Both go to the block that is left.
        assert_eq!(text.matches("br_if 0").count() + text.matches("br_if 1").count(), 2, "{text}");
        assert_eq!(text.matches("block").count(), 1, "{text}");
    }
}

/// What a pass makes of a case: the modules of each valid proposal, as text.
fn made(name: &str, case: &Case) -> Vec<String> {
    let pass = PASSES.iter().find(|pass| pass.name == name).expect("a pass has that name");
    let proposals = (pass.propose)(&Look::at(case)).into_iter();
    let cases = proposals.filter_map(|proposal| proposal.made(case, &Cost::of(case)));
    let valid = cases.filter(|case| case.modules.iter().all(|module| is_valid(&module.wasm)));
    let text = |case: &Case| {
        let modules = case.modules.iter().map(|module| wasmprinter::print_bytes(&module.wasm));
        modules.collect::<Result<String, _>>().expect("it can be printed")
    };
    valid.map(|case| text(&case)).collect()
}

const IMPORTS: &str =
    "(module (import \"e\" \"f\" (func (param i32) (result i64))) (import \"e\" \"g\" (global i32))
    (import \"e\" \"h\" (func (result f32))) (import \"e\" \"m\" (memory 1)) (func (export \"x\") (result i64)
        (drop (call 1)) (drop (i32.load (i32.const 0))) (call 0 (global.get 0))))";

#[test]
fn imports_become_definitions() {
    let case = case_of(IMPORTS);
    let made = made("imports", &case);
    let has = |parts: &[&str]| made.iter().any(|text| parts.iter().all(|part| text.contains(part)));
    assert!(has(&["(memory (;0;) 1)", "\"f\" (func", "\"g\" (global"]), "{made:?}");
    assert!(has(&["(global (;0;) i32 i32.const 0)", "\"m\" (memory"]), "{made:?}");
    assert!(has(&["\"f\" (func", "(func (;1;) (type 1) (result f32)"]), "the last alone: {made:?}");
    assert!(has(&["(func (;0;) (type 0) (param i32) (result i64)", "i64.const 0"]), "both: {made:?}");
}

#[test]
fn imports_become_what_the_host_answered() {
    let mut case = case_of(IMPORTS);
    (case.hosts.seed, case.hosts.trap_one_in) = (5, 0);
    let answers = Trace::answers(&case);
    let Some([Value::I64(answer)]) = answers.get("e.f").map(Vec::as_slice) else { panic!("{answers:?}") };
    let constant = format!("i64.const {}", *answer as i64);
    assert!(*answer != 0 && made("imports", &case).iter().any(|text| text.contains(&constant)), "{constant}");
}

#[test]
fn a_module_plays_the_host_and_stays() {
    let case = case_of(IMPORTS);
    let proposals = hosts::played(&Look::at(&case));
    let played: Vec<Case> =
        proposals.iter().filter_map(|proposal| proposal.made(&case, &Cost::of(&case))).collect();
    assert!(!played.is_empty());
    for played in played {
        assert!(played.modules.iter().all(|module| is_valid(&module.wasm)));
        assert_eq!((played.modules.len(), played.actions.len()), (2, case.actions.len() + 1));
        assert!(proposal::hosts_of(&played).is_empty());
        let without = Proposal::Case(case.clone()).made(&played, &Cost::of(&played));
        assert_eq!(without, None, "no pass goes back to a host");
        let subject = LaneSubject::new(Lane::plain(Mode::Interp));
        let run = run_case(&played, &[&subject], Capture::Digest);
        let linked = &run.observations[0].1.actions[1].outcome;
        assert_eq!(*linked, Outcome::Values(Vec::new()), "it links");
    }
}

#[test]
fn a_script_has_the_host_of_its_case() {
    use crate::script::{self, Options, ScriptFile, run_script};
    let mut generator = Generator::new(Features::executed());
    let subject = LaneSubject::new(Lane::plain(Mode::Interp));
    let cases = (0..2_000).filter_map(|index| generator.case_of("smith", index));
    let mut assertions = 0;
    for case in cases.filter(|case| !proposal::hosts_of(case).is_empty()).take(60) {
        let run = run_case(&case, &[&subject], Capture::Full);
        let (_, seen) = run.observations.first().expect("a subject ran it");
        if !matches!(seen.actions[0].outcome, Outcome::Values(_)) {
            // A reference that cannot be null is more than the host has.
            continue;
        }
        let text = to_script(&case, seen, &[]).expect("it can be printed");
        let file = ScriptFile::new("case.wast", text.clone());
        let report = run_script(&file, &script::Lane::all_modes(), &Options::default());
        let report = report.unwrap_or_else(|unreadable| panic!("{unreadable}\n{text}"));
        assert!(report.failures.is_empty(), "{:?}\n{text}", report.failures);
        assertions += text.matches("(assert_return").count();
    }
    assert!(assertions > 60, "{assertions}");
}

mod passes;
