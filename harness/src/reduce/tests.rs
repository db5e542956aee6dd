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
