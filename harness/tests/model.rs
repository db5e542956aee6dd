//! The model is right where the official suite says what is right, and a campaign runs it on its share of the cases.

use crosscheck::script::{Options, ScriptFile, run_files_beside};
use crosscheck::subject::ModelSubject;
use crosscheck_spec_tests::Group;
use std::fs;
use std::process::Command;
use std::sync::atomic::AtomicBool;

/// What the model leaves out, in the words of its reasons: what no mode executes, and what is about text and validity.
const LEFT_OUT: [&str; 8] = [
    "the model stands on the validator",
    "malformed text",
    "(exception-handling)",
    "(gc)",
    "(simd)",
    "(threads)",
    "an import is missing",
    "it may follow from a directive",
];

#[test]
fn it_passes_what_it_executes_of_the_editions_of_the_standard() {
    let editions = ["wasm-v1", "wasm-v2", "wasm-v3", "own"];
    let groups = editions.map(|name| name.parse::<Group>().expect("a group of the suite"));
    let files: Vec<ScriptFile> = groups.into_iter().flat_map(Group::files).map(ScriptFile::from).collect();
    let stop = AtomicBool::new(false);
    let model = [ModelSubject::shared()];
    let report = run_files_beside(&files, &[], &model, &Options::default(), &stop, &|_, _| ());
    let judge = report.expect("it runs in this process").judges.pop().expect("it was asked");
    assert!(judge.failures.is_empty(), "{:#?}", judge.failures);
    assert!(judge.counts.passed > 57_000, "{:?}", judge.counts);
    let is_known = |reason: &str| LEFT_OUT.iter().any(|known| reason.contains(known));
    let others: Vec<_> = judge.unsupported.iter().filter(|entry| !is_known(&entry.reason)).collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// What `fuzz` prints with these options more, and how it ends.
fn fuzz(name: &str, more: &[&str]) -> (Option<i32>, String) {
    let report = std::env::temp_dir().join(format!("crosscheck-model-{}-{name}", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
    command.args(["fuzz", "--seed", "3", "--report"]).arg(&report).args(more);
    let output = command.output().expect("the program starts");
    let _ = fs::remove_dir_all(&report);
    let told = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&told).into_owned())
}

#[test]
fn a_campaign_says_on_how_many_cases_the_model_was_compared() {
    let (code, told) = fuzz("share", &["--cases", "200"]);
    assert_eq!(code, Some(0), "{told}");
    let compared = told.split("model: compared on ").nth(1).expect("it says so");
    let compared: u64 = compared.split(' ').next().and_then(|count| count.parse().ok()).expect("a figure");
    assert!((70..=130).contains(&compared), "{told}");

    let (code, told) = fuzz("all", &["--cases", "60", "--with", "model"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("model: compared on 60 cases (100.0 %), 60 of them to the end"), "{told}");

    let (code, told) = fuzz("none", &["--cases", "60", "--model", "0"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(!told.contains("model: compared"), "{told}");
}
