//! The localiser names the instruction at which subjects part.

mod mutant;
#[cfg(all(feature = "planted-faults", unix, target_arch = "x86_64"))]
mod planted;

use crosscheck::case::{Action, Case, Value};
use crosscheck::compare::Verdict;
use crosscheck::features::Features;
use crosscheck::generate::Generator;
use crosscheck::localise::probe::{self, Probe, Route, Show, What};
use crosscheck::localise::{Localisation, localise};
use crosscheck::observe::{Capture, Outcome};
use crosscheck::run::Ground;
use crosscheck::subject::{Lane, LaneSubject, Subject};
use crosscheck::trial::run_case;
use crosscheck_engine::Mode;
use mutant::{Mutant, bodies, mutations};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Localises in this process.
fn here(case: &Case, reference: &Arc<dyn Subject>, guilty: &Arc<dyn Subject>) -> Localisation {
    let found = localise(Ground::InProcess, case, reference, guilty, &AtomicBool::new(false));
    found.unwrap_or_else(|error| panic!("{error}"))
}

fn lane(mode: Mode) -> Arc<dyn Subject> {
    Arc::new(LaneSubject::new(Lane::plain(mode)))
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "what is missed, and by how much, is what one wants to know of a failure"
)]
fn one_instruction_that_means_another_is_found_in_generated_cases() {
    const WANTED: usize = 60;
    let modes: Vec<Mode> = Mode::all().collect();
    let reference = lane(modes[0]);
    let mut generator = Generator::new(Features::executed());
    let (mut found, mut tried, mut runs) = (0, 0, 0);
    for index in 0.. {
        let Some(generated) = generator.case(7, index) else { continue };
        let case = generated.case;
        let all = mutations(&case);
        // Spread over the bodies, not those in front only.
        for part in 0..all.len().min(6) {
            let mutation = all[(part * all.len() / 6 + index as usize) % all.len()];
            let lane = LaneSubject::new(Lane::plain(modes[tried % modes.len()]));
            let guilty: Arc<dyn Subject> = Arc::new(Mutant { lane, mutation });
            let run = run_case(&case, &[&*reference, &*guilty], Capture::Digest);
            if !matches!(run.verdict, Verdict::Diverge(_)) {
                continue;
            }
            let localisation = here(&case, &reference, &guilty);
            tried += 1;
            runs += localisation.runs;
            let place = localisation.place.as_ref();
            let is_right = place.is_some_and(|place| {
                (place.module as usize, place.offset as usize) == (mutation.module, mutation.offset)
            });
            if is_right {
                found += 1;
            } else {
                println!("case {index}, {mutation:?}: {localisation}");
            }
            break;
        }
        if tried == WANTED {
            break;
        }
    }
    println!("{found} of {tried}, {} runs each", runs / tried as u64);
    assert!(found * 100 >= tried * 90, "{found} of {tried} were found");
}

#[test]
fn probes_leave_generated_modules_valid() {
    let mut generator = Generator::new(Features::executed());
    let mut probed = 0;
    for index in 0..12 {
        let Some(generated) = generator.case(3, index) else { continue };
        for module in &generated.case.modules {
            for offset in bodies(&module.wasm).into_iter().flatten().step_by(7) {
                let offset = offset as u32;
                for (execution, route, show) in [
                    (1, Route::Direct, Show::All),
                    (2, Route::Detour, Show::All),
                    (3, Route::Direct, Show::Operands),
                    (1, Route::Direct, Show::Nothing),
                ] {
                    let probe = Probe { offset, execution, show, route, exported: true };
                    let wasm = probe::probed(&module.wasm, &probe).expect("there is an instruction").wasm;
                    let valid = wasmparser::Validator::new_with_features(crosscheck_engine::Module::FEATURES)
                        .validate_all(&wasm)
                        .map(drop);
                    assert!(valid.is_ok(), "case {index}, {probe:?}: {valid:?}");
                    probed += 1;
                }
            }
        }
    }
    assert!(probed > 1_000, "{probed} probes are too few to mean anything");
}

#[test]
fn a_probe_shows_operands_and_locals_of_one_execution() {
    let text = "(module (func (export \"f\") (param i32) (result i32)
        (loop (result i32)
            (local.set 0 (i32.mul (local.get 0) (i32.const 3)))
            (br_if 0 (i32.lt_u (local.get 0) (i32.const 100)))
            (local.get 0))))";
    let wasm = wast::parser::ParseBuffer::new(text)
        .and_then(|buffer| wast::parser::parse::<wast::Wat<'_>>(&buffer)?.encode())
        .expect("the text is a module");
    let set = wasm.windows(2).position(|bytes| bytes == [0x21, 0]).expect("there is a local.set") as u32;
    let shown = |execution| {
        let (show, route) = (Show::All, Route::Direct);
        let probed = probe::probed(&wasm, &Probe { offset: set, execution, show, route, exported: false });
        let probed = probed.expect("there is an instruction");
        let mut case = crosscheck::generate::plan::plan(probed.wasm.clone(), 0).expect("a small module");
        case.actions = vec![
            Action::Instantiate { module: 0 },
            Action::Invoke { module: 0, export: "f".into(), args: vec![Value::I32(2)] },
        ];
        let run = run_case(&case, &[&*lane(Mode::Interp)], Capture::Full);
        let last = run.observations[0].1.actions.last().expect("two actions").clone();
        match last.outcome {
            Outcome::Trap(trap) => assert_eq!(trap.site, Some(probed.site)),
            other => panic!("{}", other.describe()),
        }
        probed.values(&last.state.expect("it is spelled out"), 0)
    };
    let values =
        |operand, local| vec![(What::Operand(0), Value::I32(operand)), (What::Local(0), Value::I32(local))];
    assert_eq!(shown(1), values(6, 2));
    assert_eq!(shown(3), values(54, 18));
}
