//! Findings of planted faults are localised to the opcode that has the fault.

use crosscheck::campaign::Lanes;
use crosscheck::case::Case;
use crosscheck::compare::{Divergence, Verdict};
use crosscheck::draw::case_seed;
use crosscheck::features::Features;
use crosscheck::generate::Generator;
use crosscheck::localise::{Localisation, Precision, localise};
use crosscheck::observe::Capture;
use crosscheck::reduce::Reducer;
use crosscheck::run::Ground;
use crosscheck::subject::{LaneSubject, Subject, Task, named};
use crosscheck::trial::{CaseRun, run_task};
use crosscheck::worker::{Options, Workers};
use crosscheck_engine::Mode;
use crosscheck_engine::opcode::{Load, Store};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The cases of a generator that a test looks at.
#[derive(Clone, Copy)]
struct Cases {
    generator: &'static str,
    /// What they derive from. Where it is not 1, what is seen first in the first case of seed 1 is not what is wrong: a
    /// later access, or the call that a tail call was reached by.
    seed: u64,
}

const BOUNDARY: Cases = Cases { generator: "boundary", seed: 1 };

/// The first case on which the modes differ, and how. Not a campaign's first finding, which changes with every
/// generator that there is.
fn first(ground: Ground<'_>, from: Cases, fault: &str) -> (Case, Divergence) {
    let mut cases = Generator::new(Features::executed());
    for index in 0..10_000 {
        let case_seed = case_seed(from.seed, index);
        let Some(case) = cases.case_of(from.generator, case_seed) else { continue };
        let lanes = Lanes::Swarm(Mode::all().collect()).draw(case_seed);
        let subjects = lanes.into_iter().map(LaneSubject::shared).collect();
        let task = Task { case, subjects };
        let run = run_task(ground, &task, Capture::Digest).expect("workers are to be had");
        if let Verdict::Diverge(divergence) = run.verdict {
            return (task.case, divergence);
        }
    }
    panic!("{fault} was not found")
}

/// What the localiser says of a fault's first finding, as found and reduced.
fn localised(from: Cases, fault: &str) -> [Localisation; 2] {
    let program: [OsString; 3] =
        [env!("CARGO_BIN_EXE_crosscheck").into(), crosscheck::worker::PLANTED.into(), fault.into()];
    let workers = Workers::start(Options { command: program.into(), ..Options::of("") }).expect("a worker");
    let ground = Ground::Workers(&workers);
    let (case, divergence) = first(ground, from, fault);
    let subjects: Vec<Arc<dyn Subject>> =
        divergence.groups.iter().map(|group| named(&group[0]).expect("a lane")).collect();
    let run = |case: &Case| -> CaseRun {
        let task = Task { case: case.clone(), subjects: subjects.clone() };
        run_task(ground, &task, Capture::Digest).expect("workers are to be had")
    };
    let fingerprint = |case: &Case| match run(case).verdict {
        Verdict::Diverge(divergence) => Some(divergence.fingerprint()),
        Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => None,
    };
    let wanted = fingerprint(&case);
    let interesting = |case: &Case| fingerprint(case) == wanted;
    let (go, silent) = (AtomicBool::new(false), |_: &Case| ());
    let reduced = Reducer::new(&case, &interesting, &go, &silent).expect("it diverges").run().case;
    let on = |case: &Case| {
        let found = localise(ground, case, &subjects[0], &subjects[1], &go);
        found.unwrap_or_else(|error| panic!("{fault}: {error}"))
    };
    [on(&case), on(&reduced)]
}

/// Every load and store.
fn accesses() -> Vec<&'static str> {
    let loads = Load::ALL.iter().map(|load| load.row().text);
    loads.chain(Store::ALL.iter().map(|store| store.row().text)).collect()
}

/// The localiser names one of these opcodes for the fault, in the finding as it is and in the reduced one.
fn names(fault: &str, opcodes: &[&str]) {
    names_in(BOUNDARY, fault, opcodes);
}

/// The same, in one of those cases.
fn names_in(from: Cases, fault: &str, opcodes: &[&str]) {
    for found in localised(from, fault) {
        let opcode = found.place.as_ref().map_or("", |place| place.opcode.text());
        assert!(opcodes.contains(&opcode), "{fault}: {found}");
        assert_eq!(found.precision, Precision::Instruction, "{fault}: {found}");
    }
}

// Interpreters and what they share.

#[test]
fn a_branch_that_keeps_operands() {
    names("interp-branch-keeps-lower-operands", &["br", "br_if", "br_table", "return"]);
}

#[test]
fn a_comparison_that_the_branch_turns_round() {
    names("fast-interp-branch-forgets-negation", &["if", "br_if"]);
}

#[test]
fn a_numeric_meaning_that_two_modes_share() {
    names("numeric-i32-rem-s-keeps-divisor-sign", &["i32.rem_s"]);
}

// Single-pass code.

#[test]
fn upper_halves_of_registers() {
    names_in(Cases { seed: 2, ..BOUNDARY }, "baseline-wrap-keeps-upper-half", &["i32.wrap_i64"]);
}

#[test]
fn registers_across_growth() {
    names("baseline-locals-kept-across-growth", &["memory.grow", "table.grow"]);
}

#[test]
fn flags_across_a_nan() {
    names("baseline-flags-lost-to-canonical-nan", &["br_if", "if", "select", "br_table"]);
}

#[test]
fn operands_that_a_local_changes() {
    names("baseline-written-local-changes-operands", &["local.set", "local.tee"]);
}

#[test]
fn values_carried_in_the_wrong_order() {
    names("baseline-values-carried-from-the-top", &["br", "br_if", "br_table", "return", "end"]);
}

#[test]
fn a_jump_table_in_a_taken_register() {
    names("baseline-jump-table-takes-the-locals-register", &["br_table"]);
}

#[test]
fn a_length_kept_after_growth() {
    // Whatever looks at the length: an access to what has been added, too.
    let looks = [accesses(), vec!["memory.size"]].concat();
    names("native-memory-length-kept-after-growth", &looks);
}

#[test]
fn addresses_that_wrap() {
    names("baseline-guarded-offset-wraps", &accesses());
    names("baseline-checked-offset-wraps", &accesses());
}

#[test]
fn a_constant_address_that_wraps() {
    names("baseline-constant-address-wraps", &accesses());
}

#[test]
fn a_constant_that_extends_its_sign() {
    names("baseline-constant-extends-its-sign", &["i64.xor", "i64.or", "i64.and", "i64.add", "i64.sub"]);
}

#[test]
fn shifts_by_constants() {
    names(
        "baseline-long-shift-masks-five-bits",
        &["i64.rotl", "i64.rotr", "i64.shl", "i64.shr_s", "i64.shr_u"],
    );
}

const DIVISIONS: &[&str] =
    &["i32.div_s", "i32.div_u", "i32.rem_s", "i32.rem_u", "i64.div_s", "i64.div_u", "i64.rem_s", "i64.rem_u"];

#[test]
fn code_that_its_verifier_refuses() {
    names("baseline-constant-divisor-is-trusted", DIVISIONS);
}

#[test]
fn an_instruction_that_kills_its_process() {
    names("baseline-long-minimum-is-32-bits", &["i64.div_s", "i64.rem_s"]);
}

#[test]
fn nans_seen_by_one_instruction() {
    names("baseline-nan-seen-in-stores", &["f32.store", "f64.store"]);
    names("baseline-nan-seen-in-globals", &["global.set"]);
    names("baseline-nan-seen-by-reinterpretation", &["i32.reinterpret_f32", "i64.reinterpret_f64"]);
}

#[test]
fn nans_seen_behind_branches_and_calls() {
    names("baseline-nan-seen-behind-branches", &["br", "br_if", "br_table", "end", "loop", "return"]);
    names("baseline-nan-seen-in-arguments", &["call", "call_indirect", "call_ref"]);
}

#[test]
fn a_tail_call_that_loses_who_is_returned_to() {
    let tail_calls = ["return_call", "return_call_indirect", "return_call_ref"];
    let linked = Cases { generator: "linked", seed: 3 };
    names_in(linked, "native-tail-call-never-crosses-back", &tail_calls);
}

#[test]
fn a_frame_that_is_too_large() {
    names_in(
        Cases { generator: "smith", seed: 1 },
        "baseline-frame-one-slot-large",
        &["call", "call_indirect", "call_ref"],
    );
}

#[test]
fn fuel_is_told_to_the_segment() {
    for found in localised(BOUNDARY, "baseline-fuel-of-the-next-segment") {
        assert_eq!(found.precision, Precision::Segment, "{found}");
    }
}

#[test]
fn replay_tells_where_a_case_parts() {
    let folder = std::env::temp_dir().join(format!("crosscheck-localise-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room");
    let (module, json) = (folder.join("nan.wat"), folder.join("replay.json"));
    let text = "(module (global $g (mut f32) (f32.const 0))
        (func (export \"f\") (global.set $g (f32.div (f32.const 0) (f32.const 0)))))";
    std::fs::write(&module, text).expect("there is room");
    let program = env!("CARGO_BIN_EXE_crosscheck");
    let worker = format!("{program} {} baseline-nan-seen-in-globals", crosscheck::worker::PLANTED);
    let output = std::process::Command::new(program)
        .args(["replay", "--localise", "--worker", &worker, "--json"])
        .args([&json, &module])
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("first parted at `global.set`"), "{told}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).expect("it was written")).expect("it is JSON");
    assert_eq!(json["localised"]["place"]["opcode"], "global.set", "{json}");
    assert_eq!(json["localised"]["guilty"]["name"], "baseline", "{json}");
    let _ = std::fs::remove_dir_all(&folder);
}
