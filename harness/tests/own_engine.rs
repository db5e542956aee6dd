//! The example of an engine of one's own finds its fault, through workers too.
//!
//! This program is the test and the example: with arguments like the example's it is that, and so are the workers it
//! starts. That is why it has its own `main`.

#[path = "../examples/own_engine.rs"]
mod own_engine;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What tells a run of the example from a run of the tests.
const AS_EXAMPLE: &str = "--with=toy";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if is_worker(&arguments) || arguments.iter().any(|argument| argument == AS_EXAMPLE) {
        return own_engine::main();
    }
    the_toy_differs_in_what_it_does_wrong_and_nowhere_else();
    a_campaign_counts_what_the_toy_was_compared_on();
    ExitCode::SUCCESS
}

#[cfg(unix)]
fn is_worker(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|first| first == crosscheck::worker::ARGUMENT)
}

/// Workers need a Unix.
#[cfg(not(unix))]
fn is_worker(_: &[String]) -> bool {
    false
}

/// What the example prints, and how it ends.
fn example(arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(std::env::current_exe().expect("a program has a path"));
    let output = command.args(arguments).arg(AS_EXAMPLE).output().expect("it can be started");
    (String::from_utf8(output.stdout).expect("it prints text"), output.status.code())
}

fn the_toy_differs_in_what_it_does_wrong_and_nowhere_else() {
    let wat: PathBuf = [env!("CARGO_MANIFEST_DIR"), "examples", "own_engine.wat"].iter().collect();
    let (printed, code) = example(&["replay", &wat.display().to_string()]);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("verdict: diverge: ") && printed.contains(" / toy\n"), "{printed}");
    assert!(printed.contains("result 0: i32:0x2 against i32:0x0"), "{printed}");
    assert!(printed.contains("look at: all modes agree, an outside engine differs"), "{printed}");
}

fn a_campaign_counts_what_the_toy_was_compared_on() {
    let report = std::env::temp_dir().join(format!("crosscheck-own-engine-{}", std::process::id()));
    let (printed, code) = example(&["fuzz", "--cases", "64", "--report", &report.display().to_string()]);
    std::fs::remove_dir_all(&report).expect("the report was written");
    // It has next to nothing of what campaigns use, and says so: that is no evidence.
    assert_eq!(code, Some(3), "{printed}");
    assert!(printed.contains("judge         toy: compared on "), "{printed}");
    assert!(printed.contains("NOT GREEN     the engine `toy` was compared on "), "{printed}");
    assert!(printed.contains(": the toy has no "), "{printed}");
}
