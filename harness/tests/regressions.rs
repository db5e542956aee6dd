//! Every script of `corpus/regressions` passes in every mode and with every switch thrown.

use crosscheck::script::{self, Options, ScriptFile};
use crosscheck::subject::{Lane, Switch};
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
fn with_each_switch_and_with_all_of_them() {
    let lanes = Mode::all().flat_map(|mode| {
        let applying: Vec<Switch> = Switch::all().filter(|switch| switch.applies_to(mode)).collect();
        let all = applying.iter().fold(Lane::plain(mode), |lane, switch| lane.with(*switch));
        applying.into_iter().map(move |switch| switch.lane(mode)).chain([all])
    });
    passes(&lanes.collect::<Vec<_>>());
}
