//! The reducer beside the registry's `wasm-shrink`, on the same question about the same findings.
//!
//! Each finding is a module of two to thirty kilobytes in which a planted fault shows. Both may change the module and
//! nothing else: what is done to it, its hosts and its limits stay. Both ask the same question, whether the
//! subjects still differ with the same fingerprint, in this process and on one thread, one after the other for each
//! finding. `wasm-shrink` has its default budget: it ends after 1000 attempts in a row that make nothing smaller.
//! The reducer ends when no pass finds anything; it is run once more with a thread a core, for the time by the clock
//! on the wall.

use crate::measure::{Clock, geometric_mean};
use crosscheck::canary::{plant, unplant};
use crosscheck::case::{Case, CaseModule};
use crosscheck::compare::{Kind, Verdict};
use crosscheck::draw::{Purpose, Stream, case_seed};
use crosscheck::generate::Profile;
use crosscheck::generate::plan::{self, MODULE_NAME};
use crosscheck::generate::sink::{Rewriter, Taming};
use crosscheck::guard::guarded;
use crosscheck::observe::Capture;
use crosscheck::reduce::{Reducer, code_bytes};
use crosscheck::run::Ground;
use crosscheck::subject::{Lane, LaneSubject, Subject, Task};
use crosscheck::triage::Question;
use crosscheck::trial::run_task;
use crosscheck_engine::Mode;
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use wasm_shrink::WasmShrink;

/// Faults that end no process. Those of which no finding turns up are left out.
const FAULTS: &[&str] = &[
    "interp-branch-keeps-lower-operands",
    "interp-memory-grows-a-page-more",
    "baseline-flags-lost-to-canonical-nan",
    "baseline-written-local-changes-operands",
    "baseline-guarded-offset-wraps",
    "baseline-constant-extends-its-sign",
    "baseline-long-shift-masks-five-bits",
    "interp:i32.sub:swapped",
    "fast-interp:i64.mul:flipped/5",
    "baseline-fuel-of-the-next-segment",
    "baseline:i32.xor:instead/i32.or",
    "baseline-frame-one-slot-large",
    "native-memory-length-kept-after-growth",
    "native-innermost-frame-at-zero",
    "fast-interp:f64.add:flipped/0",
    "baseline-shift-by-width-clears",
    "interp:i64.load:upper-lost",
    "fast-interp-branch-forgets-negation",
    "baseline:i64.sub:flipped/31",
    "interp:f64.mul:flipped/40",
    "fast-interp:i32.shr_u:swapped",
    "baseline-nan-seen-by-reinterpretation",
    "interp:i32.and:instead/i32.xor",
    "baseline-nan-seen-behind-branches",
    "baseline-values-carried-from-the-top",
    "baseline-long-constant-stored-short",
];

/// What modules measure, in bytes: the first of the findings and the last, and the others in between.
const SIZES: (f64, f64) = (2_000.0, 30_000.0);
/// How far from its size a module may be, as a factor.
const SPREAD: f64 = 1.25;
/// Modules that are tried for a finding.
const TRIED: u64 = 3_000;

/// A case in which a fault shows.
struct Finding {
    case: Case,
    question: Question<'static>,
}

/// What a reducer made of a finding.
struct Outcome {
    case: Case,
    seconds: f64,
    /// Why it did not come to its end.
    failure: Option<String>,
}

/// A finding and what became of it.
struct Row {
    fault: &'static str,
    before: Case,
    ours: Outcome,
    theirs: Outcome,
    /// Seconds of the reducer by the clock on the wall, with a thread a core.
    wall_s: f64,
}

/// Reduces so many findings with both, prints a table, and gives the same for machines.
pub fn compare(count: usize) -> Result<Json, String> {
    let subjects: Vec<Arc<dyn Subject>> =
        Mode::all().map(|mode| LaneSubject::shared(Lane::plain(mode))).collect();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.map_err(|error| format!("cannot start a thread: {error}"))?;
    println!("{}", headings());
    let mut rows = Vec::new();
    for fault in FAULTS {
        if rows.len() == count {
            break;
        }
        let part = rows.len() as f64 / (count.max(2) - 1) as f64;
        plant(fault)?;
        let found = find(SIZES.0 * (SIZES.1 / SIZES.0).powf(part), &subjects);
        let row = found.map(|finding| {
            // Who goes first may find caches cold.
            let (ours, theirs) = one.install(|| {
                if rows.len() % 2 == 0 {
                    let ours = reduced(&finding);
                    (ours, shrunk(&finding))
                } else {
                    let theirs = shrunk(&finding);
                    (reduced(&finding), theirs)
                }
            });
            let started = Instant::now();
            let again = reduced(&finding);
            let wall_s = started.elapsed().as_secs_f64();
            assert_eq!(again.case, ours.case, "a reduction does not depend on the number of threads");
            Row { fault, before: finding.case, ours, theirs, wall_s }
        });
        unplant();
        match row {
            Some(row) => {
                println!("{}", line(&row));
                rows.push(row);
            }
            None => println!("{fault:<48} shows in none of {TRIED} modules"),
        }
    }
    println!("{}", totals(&rows));
    Ok(rows.iter().map(as_json).collect())
}

/// A case of about that size in which the fault shows.
fn find(bytes: f64, subjects: &[Arc<dyn Subject>]) -> Option<Finding> {
    let wanted = bytes / SPREAD..bytes * SPREAD;
    let mut rewriter = Rewriter::default();
    let modules = (0..TRIED).filter_map(|index| module(bytes, case_seed(bytes as u64, index), &mut rewriter));
    let mut cases = modules
        .filter(|(wasm, _)| wanted.contains(&(wasm.len() as f64)))
        .filter_map(|(wasm, seed)| plan::plan(wasm, seed).ok());
    cases.find_map(|case| {
        let task = Task { case: case.clone(), subjects: subjects.to_vec() };
        let run = run_task(Ground::InProcess, &task, Capture::Digest).ok()?;
        let Verdict::Diverge(divergence) = run.verdict else { return None };
        if matches!(divergence.first.kind, Kind::Crash | Kind::Hang) {
            return None;
        }
        let question = Question::new(Ground::InProcess, &case, &divergence, subjects).ok()?;
        Some(Finding { case, question })
    })
}

/// A generated module of about that size, of instructions that `wasm-shrink` rewrites too, and its seed.
fn module(bytes: f64, seed: u64, rewriter: &mut Rewriter) -> Option<(Vec<u8>, u64)> {
    let mut stream = Stream::new(seed, Purpose::Module);
    // What `wasm-smith` takes and what it gives are about as long; rewriting makes it half as long again.
    let mut input = vec![0; (bytes * (0.4 + 0.1 * stream.below(8) as f64)) as usize];
    stream.fill(&mut input);
    let functions = (bytes / 400.0) as usize;
    let config = wasm_smith::Config {
        min_funcs: functions.max(4),
        max_funcs: functions * 2 + 8,
        max_instructions: stream.between(100, 600),
        max_imports: stream.between(0, 4),
        max_globals: stream.between(0, 12),
        max_types: stream.between(2, 12),
        min_types: 2,
        max_memories: 1,
        min_memories: 1,
        max_tables: 1,
        max_memory32_bytes: 4 << 16,
        max_table_elements: 100,
        max_data_segments: 4,
        max_element_segments: 3,
        export_everything: true,
        disallow_traps: stream.percent(60),
        bulk_memory_enabled: true,
        multi_value_enabled: true,
        compact_imports_enabled: false,
        custom_descriptors_enabled: false,
        custom_page_sizes_enabled: false,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        generate_custom_sections: false,
        memory64_enabled: false,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        shared_everything_threads_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..wasm_smith::Config::default()
    };
    let traps = !config.disallow_traps;
    let module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&input)).ok()?;
    let mut rewriting = Stream::new(seed, Purpose::Rewrite);
    let taming = Taming::draw(traps, &mut rewriting);
    let wasm = rewriter.rewrite(&module.to_bytes(), &taming, Profile::Own, &mut rewriting).ok()?;
    Some((wasm, seed))
}

/// What the reducer makes of a finding, on rayon's current threads.
fn reduced(finding: &Finding) -> Outcome {
    let Case { actions, hosts, limits, .. } = &finding.case;
    let shows = |case: &Case| {
        let is_same =
            case.modules.len() == 1 && (&case.actions, &case.hosts, &case.limits) == (actions, hosts, limits);
        is_same && finding.question.is_shown_by(case)
    };
    let (stop, silent) = (AtomicBool::new(false), |_: &Case| ());
    let (reduced, time) = Clock::start()
        .time(|| Reducer::new(&finding.case, &shows, &stop, &silent).map(|reducer| reducer.run().case));
    let failure = reduced.as_ref().err().map(|refused| format!("{refused:?}"));
    let case = reduced.unwrap_or_else(|_| finding.case.clone());
    Outcome { case, seconds: time.as_secs_f64(), failure }
}

/// What `wasm-shrink` makes of a finding.
fn shrunk(finding: &Finding) -> Outcome {
    let with = |wasm: &[u8]| Case {
        modules: vec![CaseModule { name: MODULE_NAME.to_string(), wasm: wasm.to_vec() }],
        ..finding.case.clone()
    };
    let best = Rc::new(RefCell::new(finding.case.modules[0].wasm.clone()));
    let smallest = Rc::clone(&best);
    let shrink = WasmShrink::default().on_new_smallest(Some(Box::new(move |wasm| {
        smallest.replace(wasm.to_vec());
        Ok(())
    })));
    let (ended, time) = Clock::start().time(|| {
        let wasm = finding.case.modules[0].wasm.clone();
        guarded(|| shrink.run(wasm, |wasm| Ok(finding.question.is_shown_by(&with(wasm)))))
    });
    let failure = match ended {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(panicked) => Some(panicked),
    };
    let case = with(&best.borrow());
    Outcome { case, seconds: time.as_secs_f64(), failure }
}

fn headings() -> String {
    format!(
        "{:<48}{:>7}{:>7} |{:>6}{:>6}{:>8} |{:>7}{:>7}{:>8} |{:>7}{:>8}\n{:<48}{:>7}{:>7} |{:>6}{:>6}{:>8} \
         |{:>7}{:>7}{:>8} |{:>7}{:>8}",
        "",
        "before",
        "",
        "ours",
        "",
        "",
        "theirs",
        "",
        "",
        "",
        "ours",
        "fault",
        "bytes",
        "code",
        "bytes",
        "code",
        "cpu s",
        "bytes",
        "code",
        "cpu s",
        "ratio",
        "wall s"
    )
}

fn line(row: &Row) -> String {
    let Row { fault, before, ours, theirs, wall_s } = row;
    let mut line = format!(
        "{fault:<48}{:>7}{:>7} |{:>6}{:>6}{:>8.2} |{:>7}{:>7}{:>8.2} |{:>7.1}{wall_s:>8.2}",
        before.wasm_bytes(),
        code_bytes(before),
        ours.case.wasm_bytes(),
        code_bytes(&ours.case),
        ours.seconds,
        theirs.case.wasm_bytes(),
        code_bytes(&theirs.case),
        theirs.seconds,
        theirs.seconds / ours.seconds,
    );
    for (who, outcome) in [("ours", ours), ("wasm-shrink", theirs)] {
        if let Some(failure) = &outcome.failure {
            let _ = write!(line, "  {who} gave up: {failure}");
        }
    }
    line
}

fn totals(rows: &[Row]) -> String {
    let median = |of: &dyn Fn(&Row) -> f64| {
        let mut values: Vec<f64> = rows.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let ratios: Vec<f64> = rows.iter().map(|row| row.theirs.seconds / row.ours.seconds).collect();
    let smaller = rows.iter().filter(|row| row.ours.case.wasm_bytes() < row.theirs.case.wasm_bytes()).count();
    let faster = ratios.iter().filter(|ratio| **ratio >= 5.0).count();
    let mut text = format!(
        "{:<48}{:>7}{:>7} |{:>6}{:>6}{:>8.2} |{:>7}{:>7}{:>8.2} |{:>7.1}{:>8.2}\n",
        "median",
        median(&|row| row.before.wasm_bytes() as f64),
        median(&|row| code_bytes(&row.before) as f64),
        median(&|row| row.ours.case.wasm_bytes() as f64),
        median(&|row| code_bytes(&row.ours.case) as f64),
        median(&|row| row.ours.seconds),
        median(&|row| row.theirs.case.wasm_bytes() as f64),
        median(&|row| code_bytes(&row.theirs.case) as f64),
        median(&|row| row.theirs.seconds),
        median(&|row| row.theirs.seconds / row.ours.seconds),
        median(&|row| row.wall_s),
    );
    let _ = write!(
        text,
        "smaller in {smaller} of {}; at least 5 times less CPU time in {faster}, {:.1} times in the geometric mean",
        rows.len(),
        geometric_mean(&ratios).unwrap_or(f64::NAN)
    );
    text
}

fn as_json(row: &Row) -> Json {
    let outcome = |outcome: &Outcome| {
        let wasm = &outcome.case.modules[0].wasm;
        json!({
            "wasm": wasm.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "bytes": outcome.case.wasm_bytes(),
            "code_bytes": code_bytes(&outcome.case),
            "cpu_s": outcome.seconds,
            "failure": outcome.failure,
        })
    };
    json!({
        "fault": row.fault,
        "bytes": row.before.wasm_bytes(),
        "code_bytes": code_bytes(&row.before),
        "ours": outcome(&row.ours),
        "wasm_shrink": outcome(&row.theirs),
        "ours_wall_s": row.wall_s,
    })
}
