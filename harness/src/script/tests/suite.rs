//! The official suite and our own scripts, whole.

use super::super::*;
use crosscheck_spec_tests::Group;
use crosscheck_spec_tests::excuses;

fn run_groups(groups: impl Iterator<Item = Group>) -> ScriptReport {
    let files: Vec<ScriptFile> = groups.flat_map(Group::files).map(ScriptFile::from).collect();
    let lanes = Lane::all_modes();
    run_files(&files, &lanes, &Options::default(), &AtomicBool::new(false), &|_, _| {})
}

fn assert_clean(report: &ScriptReport) {
    let failures: Vec<_> = report.failures.iter().take(20).collect();
    assert!(report.is_clean(), "{} failures, first {failures:#?}", report.failures.len());
}

#[test]
fn nothing_in_the_suite_fails_and_every_assertion_is_accounted_for() {
    let report = run_groups(Group::all().filter(|group| group.is_official()));
    assert_clean(&report);
    for (mode, counts) in &report.modes {
        assert_eq!(counts.passed + counts.skipped + counts.excused, 136_252, "in {mode}");
        assert!(counts.excused as usize <= excuses::all().count(), "in {mode}");
    }
}

#[test]
fn nothing_in_our_own_scripts_fails() {
    assert_clean(&run_groups(Group::all().filter(|group| !group.is_official())));
}

#[test]
fn the_third_edition_needs_no_excuse() {
    let edition: Group = "wasm-v3".parse().expect("a known group");
    let report = run_groups([edition].into_iter());
    assert_eq!(report.excuses, []);
    let (_, counts) = &report.modes[0];
    assert_eq!(counts.passed + counts.skipped, 20_024);
}
