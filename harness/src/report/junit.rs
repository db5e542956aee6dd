//! A run as JUnit XML, for systems that show test results: a suite a group, a test a script and mode; then a suite for the
//! campaign, a test a finding.

use super::fuzz::Fuzz;
use super::night::Night;
use super::spec::{Spec, group_of};
use crate::script::ModeCounts;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::time::Duration;

/// Failures of one script in one mode that are spelled out.
const SHOWN_FAILURES: usize = 50;

/// The XML of a run.
pub fn junit(night: &Night) -> String {
    let mut report = Report::new("crosscheck");
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let mut took = 0.0;
    if let Some(spec) = &night.spec {
        report.add_test_suites(suites(spec));
        took += spec.header.wall_s;
    }
    if let Some(fuzz) = &night.fuzz {
        report.add_test_suite(campaign(fuzz));
        took += fuzz.header.wall_s;
    }
    report.set_time(seconds(took));
    without_sum_of_skips(&report.to_string().expect("text without control characters is XML"))
}

/// The outermost element without `skipped`, which the schema that Jenkins holds files against does not know there; every
/// suite has its own.
fn without_sum_of_skips(text: &str) -> String {
    let sum =
        text.split_once(" skipped=\"").and_then(|(before, rest)| Some((before, rest.split_once('"')?.1)));
    sum.map_or_else(|| text.to_string(), |(before, after)| format!("{before}{after}"))
}

/// A suite a group of scripts.
fn suites(spec: &Spec) -> Vec<TestSuite> {
    let mut failures: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for failure in &spec.failures {
        let line = format!("{}:{}: {}", failure.file, failure.line, plain(&failure.message));
        failures.entry((&failure.file, &failure.mode)).or_default().push(line);
    }
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for (file, modes) in &spec.by_file {
        let group = group_of(file);
        let suite = suites.entry(group).or_insert_with(|| TestSuite::new(group));
        for (mode, counts) in modes {
            let failed = failures.get(&(file.as_str(), mode.as_str())).map_or(&[][..], Vec::as_slice);
            let mut test = TestCase::new(file.as_str(), status(counts, failed));
            test.set_classname(mode.as_str());
            suite.add_test_case(test);
        }
    }
    for file in &spec.unreadable {
        let suite =
            suites.entry(group_of(&file.file)).or_insert_with(|| TestSuite::new(group_of(&file.file)));
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(plain(&file.to_string()));
        suite.add_test_case(TestCase::new(file.file.as_str(), status));
    }
    suites.into_values().collect()
}

fn status(counts: &ModeCounts, failures: &[String]) -> TestCaseStatus {
    let ModeCounts { passed, failed, skipped, excused } = counts;
    if *failed > 0 || !failures.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format!("{failed} failed, {passed} passed, {skipped} skipped, {excused} excused"));
        status.set_description(failures[..failures.len().min(SHOWN_FAILURES)].join("\n"));
        return status;
    }
    if *passed == 0 && *skipped > 0 {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("{skipped} skipped"));
        return status;
    }
    TestCaseStatus::success()
}

/// A suite for the campaign: one test that all cases agree, and one for each finding.
fn campaign(fuzz: &Fuzz) -> TestSuite {
    let mut suite = TestSuite::new("campaign");
    let name = format!("seed {}: {} cases through {}", fuzz.seed, fuzz.cases, fuzz.modes.join(", "));
    let status = match fuzz.diverge {
        0 => TestCaseStatus::success(),
        diverge => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{diverge} cases diverge"));
            status
        }
    };
    suite.add_test_case(TestCase::new(name, status));
    for judge in &fuzz.judges {
        let status = judge.doubt(fuzz.cases).map_or_else(TestCaseStatus::success, |doubt| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(plain(&doubt));
            status
        });
        let mut test = TestCase::new(judge.subject.as_str(), status);
        test.set_classname("judge");
        suite.add_test_case(test);
    }
    for finding in &fuzz.findings {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(plain(&finding.first_difference));
        status.set_description(plain(&format!("{}\n{}", finding.triage, finding.replay)));
        let mut test = TestCase::new(plain(&finding.fingerprint), status);
        test.set_classname("finding");
        suite.add_test_case(test);
    }
    suite
}

/// The text without what XML cannot say.
fn plain(text: &str) -> String {
    let is_allowed =
        |c: &char| matches!(c, '\t' | '\n') || (*c >= ' ' && !matches!(*c, '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(is_allowed).collect()
}
