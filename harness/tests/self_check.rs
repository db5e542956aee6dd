//! The bench's check of itself with workers, as `check` makes it.

#![cfg(unix)]

use crosscheck::run::Ground;
use crosscheck::selfcheck::check;
use crosscheck::worker::{Options, Workers};

#[test]
fn every_lie_is_seen_on_every_ground() {
    let workers = Workers::start(Options::of(env!("CARGO_BIN_EXE_crosscheck"))).expect("a worker");
    let folder = std::env::temp_dir().join(format!("crosscheck-self-check-{}", std::process::id()));
    let checked = check(Ground::Workers(&workers), &folder).expect("workers and a folder are to be had");
    let missed: Vec<String> = checked.missed.iter().map(ToString::to_string).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert_eq!(checked.grounds, 4);
    assert!(!folder.exists(), "what was written is removed");
}
