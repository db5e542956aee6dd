//! Every script of `corpus/regressions` passes in every mode and with every switch thrown.

use crosscheck::script::{self, Options, ScriptFile};
use crosscheck::subject::Lane;
use crosscheck_engine::Mode;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

fn passes(lanes: &[Lane]) {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "corpus", "regressions"].iter().collect();
    let files: Vec<ScriptFile> = script::scripts_below(&folder)
        .expect("a readable folder")
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a readable script");
            ScriptFile::new(path.display().to_string(), text)
        })
        .collect();
    assert!(!files.is_empty(), "there are regressions");
    let lanes: Vec<script::Lane> = lanes.iter().map(|lane| script::Lane::from(*lane)).collect();
    let report = script::run_files(&files, &lanes, &Options::default(), &AtomicBool::new(false), &|_, _| {});
    assert!(report.is_clean(), "{:#?} {:#?}", report.failures, report.unreadable);
    for (lane, counts) in &report.modes {
        assert!(counts.passed > 0 && counts.skipped == 0, "{lane}: {counts:?}");
    }
}

#[test]
fn in_every_mode() {
    passes(&Mode::all().map(Lane::plain).collect::<Vec<_>>());
}

#[test]
fn without_fuel_and_backtraces_and_with_memory_that_moves() {
    let switched =
        |mode| Lane { no_fuel: true, no_backtraces: true, moving_memory: true, ..Lane::plain(mode) };
    passes(&Mode::all().map(switched).collect::<Vec<_>>());
}
