//! Reductions of generated cases to what a question needs.

use super::*;
use crate::generate::{Features, Generator};
use crate::observe::{Capture, Outcome};
use crate::run::run_case;
use crate::subject::{Lane, LaneSubject};
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

#[test]
fn blocks_are_taken_apart_though_branches_go_past_them() {
    let wat = "(module (memory 1) (func (export \"f\") (param i32)
        (block (block (br_if 1 (local.get 0)) (br_if 0 (local.get 0))) (drop (memory.size)))))";
    let buffer = wast::parser::ParseBuffer::new(wat).expect("it is text");
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("it is a module");
    let wasm = module.encode().expect("it can be encoded");
    let case = crate::generate::plan::plan(wasm, 1).expect("it is a module");
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
