//! What `crosscheck faults` does, in short: every planted fault has a row and who is to find it does.

#![cfg(all(feature = "planted-faults", unix, target_arch = "x86_64"))]

use crosscheck::campaign::{Campaign, Lanes};
use crosscheck::canary::{Found, HARNESS_ROWS, Hunt, Hunted, Planted};
use crosscheck::events::{Events, Tally};
use crosscheck::features::Features;
use crosscheck::run::Ground;
use crosscheck::worker::{Options, Workers};
use crosscheck_engine::Mode;
use crosscheck_engine::faults::Room;
use crosscheck_engine::faults::table::{ROWS, Row, SeenBy};
use crosscheck_engine::numeric::planted::draw;
use crosscheck_engine::opcode::Opcode;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_crosscheck");

/// The faults of the harness are planted in this process, so one test at a time.
static PLANTING: Mutex<()> = Mutex::new(());

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(HARNESS_ROWS)
}

/// Names in the code of a folder that faults are planted under.
fn names_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path: PathBuf = entry.expect("readable").path();
        if path.is_dir() {
            names_in(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("readable");
            let uses = text.split("fault!(").skip(1).chain(text.split("Fault::named(").skip(1));
            let calls = uses.filter_map(|rest| rest.trim_start().strip_prefix('"'));
            names.extend(calls.filter_map(|rest| rest.split('"').next()).map(str::to_string));
        }
    }
}

#[test]
fn every_name_in_the_code_has_a_row_and_every_row_is_in_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    names_in(&root.join("../engine/src"), &mut names);
    names_in(&root.join("src"), &mut names);
    let listed: BTreeSet<String> = rows().map(|row| row.name.to_string()).collect();
    assert_eq!(names, listed);
    assert_eq!(rows().count(), listed.len(), "no name is listed twice");
}

#[test]
fn opcodes_of_rows_exist() {
    for row in rows() {
        for opcode in row.opcodes {
            assert!(Opcode::from_text(opcode).is_some(), "{}: {opcode}", row.name);
        }
    }
}

#[test]
fn faults_are_spread_over_all_rooms() {
    for room in Room::ALL {
        assert!(rows().filter(|row| row.room == room).count() >= 2, "{}", room.name());
    }
}

fn hunt(planted: &Planted) -> Hunted {
    hunt_on(planted, 0)
}

/// The same, going on to more findings to see which bugs they are told to be of.
fn hunt_on(planted: &Planted, more: u64) -> Hunted {
    let stop = AtomicBool::new(false);
    let hunt = Hunt { program: PROGRAM.into(), seed: 1, time: Duration::from_secs(120), more, stop: &stop };
    hunt.hunt(planted).unwrap_or_else(|error| panic!("{planted}: {error}"))
}

#[test]
fn faults_in_shared_code_are_found_by_the_script_that_their_row_names() {
    let shared: Vec<&'static Row> = rows().filter(|row| row.room == Room::Floor).collect();
    assert!(shared.len() >= 5);
    for row in shared {
        assert!(matches!(row.seen_by, SeenBy::Suite { .. }), "{}", row.name);
        let found = hunt(&Planted::Named(row)).found;
        assert!(matches!(found, Some(Found::Suite { .. })), "{}: {found:?}", row.name);
    }
}

struct Silent;

impl Events for Silent {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
    fn finding(&mut self, _: &crosscheck::finding::Finding) {}
}

#[test]
fn no_comparison_of_modes_sees_a_fault_in_what_they_share() {
    for name in ["store-data-segment-loses-its-last-byte", "store-element-segment-is-reversed"] {
        let command = vec![PROGRAM.into(), crosscheck::worker::PLANTED.into(), name.into()];
        let workers = Workers::start(Options { command, ..Options::of("") }).expect("a worker");
        let campaign = Campaign {
            seed: 1,
            first: 0,
            cases: Some(600),
            time: None,
            shard: (0, 1),
            lanes: Lanes::Swarm(Mode::all().collect()),
            judges: Vec::new(),
            model_percent: 0,
            features: Features::executed(),
            material: None,
        };
        let tally = campaign.run_on(Ground::Workers(&workers), &mut Silent, &AtomicBool::new(false));
        assert_eq!(tally.expect("workers are to be had").diverge, 0, "{name}");
    }
}

#[test]
fn a_harness_that_is_blind_in_one_eye_is_noticed() {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    for row in HARNESS_ROWS {
        let found = hunt(&Planted::Named(row)).found;
        assert!(matches!(found, Some(Found::SelfCheck { .. })), "{}: {found:?}", row.name);
    }
}

/// A campaign finds the fault, blames its room, and the finding is reduced.
fn is_found(planted: &Planted) {
    match hunt(planted).found {
        Some(Found::Case { is_room_right, reduced, difference, .. }) => {
            assert!(is_room_right, "{planted}: {difference}");
            reduced.unwrap_or_else(|why| panic!("{planted}: {why}"));
        }
        other => panic!("{planted}: {other:?}"),
    }
}

#[test]
fn the_failures_of_others_are_found_here() {
    for name in [
        // The first frame of a call stack is printed as 0x0000.
        "native-innermost-frame-at-zero",
        // A tail call to a host resumes from a freed frame.
        "interp-tail-call-to-host-resumes-freed-frame",
        "fast-interp-tail-call-to-host-resumes-freed-frame",
        // The address of a buffer goes wrong on its way to a host.
        "baseline-address-for-host-misses-its-addend",
        // A branch out of range, and an island that overwrites what is behind it.
        "native-branch-out-of-range-is-cut",
        "native-island-written-one-place-on",
    ] {
        is_found(&name.parse().expect("a row"));
    }
}

#[test]
fn drawn_faults_are_found() {
    for drawn in &draw(1, 20)[..10] {
        is_found(&Planted::Drawn(*drawn));
    }
}

/// The bugs that findings of a fault are told to be of, and in how many ways the findings looked.
fn bugs_of(name: &str) -> (Vec<String>, usize) {
    let hunted = hunt_on(&name.parse().unwrap_or_else(|error| panic!("{error}")), 12);
    (hunted.bugs.into_keys().collect(), hunted.looks.len())
}

#[test]
fn one_bug_is_one_however_it_is_seen() {
    for name in [
        "baseline-memory-base-kept-after-calls",
        "baseline-wrap-keeps-upper-half",
        "native-innermost-frame-at-zero",
        "interp:i32.and:instead/i32.shr_s",
    ] {
        let (bugs, looks) = bugs_of(name);
        assert!(looks > 1, "{name} is seen in {looks} ways only");
        assert_eq!(bugs.len(), 1, "{name}: {bugs:?}");
    }
}

#[test]
fn bugs_at_one_instruction_are_told_apart() {
    let mut all = BTreeSet::new();
    for (name, expected) in [
        ("baseline-guarded-offset-wraps", "baseline|outcome|load|without explicit-bounds, address"),
        ("baseline-checked-offset-wraps", "baseline|outcome|load|with explicit-bounds, address"),
        (
            "baseline-constant-address-wraps",
            "baseline|outcome|load|without explicit-bounds, constant operand",
        ),
        ("baseline-memory-base-kept-after-calls", "baseline|outcome|load|without explicit-bounds, linked"),
    ] {
        let (bugs, _) = bugs_of(name);
        assert!(bugs.iter().any(|bug| bug == expected), "{name}: {bugs:?}");
        all.insert(bugs);
    }
    assert_eq!(all.len(), 4);
}
