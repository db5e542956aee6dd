//! Findings of planted faults are reduced to a script that shows the fault and hardly anything else.

#![cfg(feature = "planted-faults")]

use crosscheck::campaign::{Campaign, Lanes};
use crosscheck::case::Case;
use crosscheck::compare::{Kind, Verdict};
use crosscheck::events::{Events, Tally};
use crosscheck::features::Features;
use crosscheck::finding::Finding;
use crosscheck::fingerprint::Fingerprint;
use crosscheck::observe::Capture;
use crosscheck::reduce::{Reducer, code_bytes, to_script_on};
use crosscheck::relative::Relatives;
use crosscheck::run::Ground;
use crosscheck::script::{self, Options, ScriptFile, run_script};
use crosscheck::subject::{LaneSubject, Subject, named};
use crosscheck::triage::{Budget, Question};
use crosscheck::trial::{CaseRun, run_case};
#[cfg(unix)]
use crosscheck::worker::{self, Workers};
use crosscheck_engine::Mode;
use crosscheck_engine::faults::{Fault, plant};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Faults, each with the opcode that it is about. None ends the process, which is the test's own.
const FAULTS: &[(&str, &str)] = &[
    ("interp-branch-keeps-lower-operands", "br"),
    ("fast-interp-branch-forgets-negation", "eqz"),
    ("numeric-i32-rem-s-keeps-divisor-sign", "i32.rem_s"),
];

/// Faults of compiled modes.
const COMPILED: &[(&str, &str)] = &[
    ("baseline-values-carried-from-the-top", "br"),
    ("baseline-jump-table-takes-the-locals-register", "br_table"),
    ("baseline-flags-lost-to-canonical-nan", "f"),
    ("baseline-written-local-changes-operands", "local."),
    ("baseline-guarded-offset-wraps", "offset="),
    ("baseline-constant-extends-its-sign", "const"),
    ("baseline-long-constant-stored-short", "store"),
    ("baseline-long-shift-masks-five-bits", "i64."),
    ("baseline-shift-by-width-clears", "i"),
    ("baseline-nan-seen-in-stores", "store"),
    ("baseline-nan-seen-by-reinterpretation", "reinterpret"),
    ("baseline-fuel-of-the-next-segment", "fuel"),
    ("baseline-frame-one-slot-large", "call"),
    ("native-memory-length-kept-after-growth", "memory.grow"),
    ("native-memory-length-kept-after-crossing", "call"),
    ("baseline-address-for-host-misses-its-addend", "call"),
];

/// Faults of calls that do not reach what they call. Whoever checks the code ends the mode, not the process.
const FAR: &[&str] = &["native-branch-out-of-range-is-cut", "native-island-written-one-place-on"];

/// A fault is planted for the whole process, so one test at a time.
static PLANTING: Mutex<()> = Mutex::new(());

/// Ends the campaign with the first finding that is wanted.
struct UntilFound<'a>(&'a AtomicBool, fn(&Finding) -> bool);

impl Events for UntilFound<'_> {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
    fn finding(&mut self, finding: &Finding) {
        if (self.1)(finding) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether what differs is memory, a global, and nothing that a call returns.
fn is_hidden(finding: &Finding) -> bool {
    matches!(finding.divergence.first.kind, Kind::MemoryBytes | Kind::MemorySize | Kind::Global)
}

fn is_quiet(finding: &Finding) -> bool {
    !matches!(finding.divergence.first.kind, Kind::Crash | Kind::Hang)
}

fn campaign(cases: u64) -> Campaign {
    Campaign {
        seed: 1,
        first: 0,
        cases: Some(cases),
        time: None,
        shard: (0, 1),
        lanes: Lanes::Swarm(Mode::all().collect()),
        judges: Vec::new(),
        model_percent: 0,
        features: Features::executed(),
        material: None,
    }
}

/// The first finding of a campaign that is wanted.
fn find(fault: &str, wanted: fn(&Finding) -> bool) -> Finding {
    let campaign = campaign(5_000);
    let stop = AtomicBool::new(false);
    let findings = campaign.run(&mut UntilFound(&stop, wanted), &stop).findings;
    let first = findings.into_iter().filter(wanted).min_by_key(|finding| finding.index);
    first.unwrap_or_else(|| panic!("{fault} is found"))
}

fn run(case: &Case, lanes: &[LaneSubject]) -> CaseRun {
    let subjects: Vec<&dyn Subject> = lanes.iter().map(|lane| lane as &dyn Subject).collect();
    run_case(case, &subjects, Capture::Digest)
}

fn fingerprint(run: &CaseRun) -> Option<Fingerprint> {
    if let Verdict::Diverge(divergence) = &run.verdict { Some(divergence.fingerprint()) } else { None }
}

/// Finds a fault and reduces what was found: bytes of code, and the script.
fn reduced(fault: &'static str, wanted: fn(&Finding) -> bool) -> (usize, String) {
    let finding = find(fault, wanted);
    let lane = |group: &Vec<String>| LaneSubject::new(group[0].parse().expect("groups are of lanes"));
    let lanes: Vec<LaneSubject> = finding.divergence.groups.iter().map(lane).collect();
    let wanted = fingerprint(&run(&finding.case, &lanes)).expect("one of each group differs too");
    let interesting = |case: &Case| fingerprint(&run(case, &lanes)) == Some(wanted.clone());
    let (stop, silent) = (AtomicBool::new(false), |_: &Case| ());
    let reducer = Reducer::new(&finding.case, &interesting, &stop, &silent);
    let reduced = reducer.unwrap_or_else(|refused| panic!("{fault}: {refused:?}")).run();
    let last = run(&reduced.case, &lanes);
    assert_eq!(fingerprint(&last), Some(wanted), "{fault}: still the same bug");
    let names: Vec<&str> = lanes.iter().map(LaneSubject::name).collect();
    let script = to_script_on(&reduced.case, &last.observations[0].1, &names, &[]);
    (code_bytes(&reduced.case), script.expect("it can be printed"))
}

/// Whether a script fails in some mode.
fn fails(script: &str) -> bool {
    let file = ScriptFile::new("reduced.wast", script.to_string());
    let report = run_script(&file, &script::Lane::all_modes(), &Options::default());
    !report.unwrap_or_else(|unreadable| panic!("{unreadable}\n{script}")).failures.is_empty()
}

/// Faults that change memory, and nothing that a call returns.
const HIDDEN: &[&str] = &["baseline-long-constant-stored-short", "interp-memory-grows-a-page-more"];

#[test]
fn what_no_export_shows_becomes_a_result() {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    for fault in HIDDEN {
        plant(Some(Fault::named(fault)));
        let hidden = find(fault, is_hidden);
        let all: Vec<Arc<dyn Subject>> =
            hidden.divergence.groups.iter().flatten().map(|name| named(name).expect("a lane")).collect();
        let question = Question::new(Ground::InProcess, &hidden.case, &hidden.divergence, &all);
        let stop = AtomicBool::new(false);
        let budget = Budget { stop: &stop, time: None };
        let found = question.and_then(|question| question.investigate(&hidden.case, &budget, &|_| ()));
        let script = found.unwrap_or_else(|why| panic!("{fault}: {why}")).script;
        // As another engine's runner has it: nothing is compared but what the script says.
        let file = ScriptFile::new("reduced.wast", script.clone());
        let options = Options { compare_state: false };
        let failures = || {
            let report = run_script(&file, &script::Lane::all_modes(), &options).expect("it is a script");
            report.failures.iter().filter(|failure| failure.message.starts_with("expected")).count()
        };
        let with_fault = failures();
        plant(None);
        assert!(script.contains("\"differs\""), "{fault}: {script}");
        assert!(with_fault > 0, "{fault}: {script}");
        assert_eq!(failures(), 0, "{fault}: {script}");
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "how much of the margin is left")]
fn findings_of_planted_faults_become_small_scripts() {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled: &[_] = if Mode::all().any(|mode| mode.is_compiled()) { COMPILED } else { &[] };
    let mut sizes = Vec::new();
    for (name, opcode) in FAULTS.iter().chain(compiled) {
        if compiled.is_empty() && name.starts_with("numeric") {
            // Both interpreters share it.
            continue;
        }
        plant(Some(Fault::named(name)));
        let (bytes, script) = reduced(name, is_quiet);
        let shows = fails(&script);
        plant(None);
        assert!(shows, "{name}: the script shows it again\n{script}");
        // Instances that call each other through a shared table keep more: the median says how much as a rule.
        assert!(bytes <= 110, "{name}: {bytes} bytes of code are left\n{script}");
        assert!(script.contains(opcode), "{name}: {script}");
        sizes.push(bytes);
    }
    sizes.sort_unstable();
    println!("bytes of code: {sizes:?}");
    assert!(sizes[sizes.len() / 2] <= 30, "bytes of code: {sizes:?}");
}

#[test]
fn calls_that_do_not_reach_need_hardly_any_code_to_show_it() {
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    let is_compiled = Mode::all().any(|mode| mode.is_compiled());
    for fault in FAR.iter().filter(|_| is_compiled) {
        plant(Some(Fault::named(fault)));
        let (bytes, script) = reduced(fault, |_| true);
        plant(None);
        assert!(bytes <= 60, "{fault}: {bytes} bytes of code are left\n{script}");
        assert!(script.contains("short-branches"), "{fault}: {script}");
    }
}

#[test]
#[cfg(unix)]
fn looking_for_relatives_never_watches_here_what_would_end_this_process() {
    const FAULT: &str = "interp-tail-call-to-host-resumes-freed-frame";
    let _one = PLANTING.lock().unwrap_or_else(PoisonError::into_inner);
    let program = env!("CARGO_BIN_EXE_crosscheck");
    let command = vec![program.into(), worker::PLANTED.into(), FAULT.into()];
    let workers = Workers::start(worker::Options { command, ..worker::Options::of("") }).expect("a worker");
    let ground = Ground::Workers(&workers);
    let stop = AtomicBool::new(false);
    let crashes = |finding: &Finding| !is_quiet(finding);
    let tally = campaign(5_000).run_on(ground, &mut UntilFound(&stop, crashes), &stop);
    let findings = tally.expect("workers are to be had").findings;
    let crash = findings.iter().find(|finding| crashes(finding)).expect("there is one");
    let running = AtomicBool::new(false);
    let relatives = |is_traceable| Relatives {
        ground,
        right: named("fast-interp").expect("a mode"),
        wrong: named("interp").expect("a mode"),
        is_traceable,
        stop: &running,
        until: Instant::now() + Duration::from_secs(600),
    };
    // Now it would happen in this process as well.
    plant(Some(Fault::named(FAULT)));
    let watched = relatives(true).simplest(&crash.case, None);
    let unwatched = relatives(false).simplest(&crash.case, None);
    plant(None);
    assert!(watched.is_err(), "what crashes is not taken, for it would be watched");
    let unwatched = unwatched.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(unwatched.signature.to_string(), "outcome|tail call");
}
