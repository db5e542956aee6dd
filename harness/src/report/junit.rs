//! A run as JUnit XML, for systems that show test results and compare nights.
//!
//! Names say what is tested and never how it went: no counts, seeds or times stand in them, so that a test of one
//! night is found again in the next, red or green. A suite a group of scripts, in which each script is a test, and a
//! skipped test each reason for which some of its assertions did not run; a suite an outside engine; a suite for the
//! campaign, a test a mode, an outside engine and a bug; and one that says whether all of the work was done.

use super::fuzz::{FindingEntry, Fuzz};
use super::header::Header;
use super::night::Night;
use super::page::apart;
use super::spec::{Spec, group_of, in_modes};
use super::standing::without_mode;
use crate::compare::mode_of;
use crate::script::{Failure, JudgeCounts, JudgeReport, ModeCounts};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failures of one script that are spelled out.
const SHOWN_FAILURES: usize = 50;

/// The XML of a run.
pub fn junit(night: &Night) -> String {
    let mut report = Report::new("crosscheck");
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let mut took = 0.0;
    report.add_test_suite(run(night));
    if let Some(spec) = &night.spec {
        report.add_test_suites(suites(spec));
        report.add_test_suites(spec.judges.iter().map(|judge| judged(spec, judge)));
        took += spec.header.wall_s;
    }
    if let Some(fuzz) = &night.fuzz {
        let mut suite = campaign(fuzz);
        suite.set_time(seconds(fuzz.header.wall_s));
        report.add_test_suite(suite);
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

/// Whether all of the work was done, and gave something to judge by.
fn run(night: &Night) -> TestSuite {
    let mut suite = TestSuite::new("run");
    let mut test = |name: &str, wrong: Option<String>| {
        let mut status = TestCaseStatus::success();
        if let Some(wrong) = wrong {
            status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(plain(&wrong));
        }
        let mut test = TestCase::new(name, status);
        test.set_classname("run");
        suite.add_test_case(test);
    };
    let nothing =
        |who: &[&str]| (!who.is_empty()).then(|| format!("nothing was judged in {}", who.join(", ")));
    if let Some(spec) = &night.spec {
        test("suite is complete", incomplete(&spec.header));
        test("suite has evidence", nothing(&spec.without_evidence()));
    }
    if let Some(fuzz) = &night.fuzz {
        test("campaign is complete", incomplete(&fuzz.header));
        let has_evidence = fuzz.agree + fuzz.diverge > 0;
        test("campaign has evidence", (!has_evidence).then(|| "no case got a verdict".to_string()));
    }
    suite
}

fn incomplete(header: &Header) -> Option<String> {
    header.incomplete().map(|why| format!("incomplete: {why}"))
}

/// A suite a group of scripts.
fn suites(spec: &Spec) -> Vec<TestSuite> {
    let mut suites: BTreeMap<&str, (TestSuite, Duration)> = BTreeMap::new();
    let failures = by_file(&spec.failures);
    let skips = skips(spec);
    for (file, modes) in &spec.by_file {
        let (suite, took) = suite_of(&mut suites, file);
        let time = Duration::from_millis(spec.took_ms.get(file).copied().unwrap_or(0));
        *took += time;
        let failures = failures.get(file.as_str()).map_or(&[][..], Vec::as_slice);
        let mut test = TestCase::new(plain(file), script_status(modes, failures));
        test.set_classname(group_of(file)).set_time(time);
        suite.add_test_case(test);
        for (reason, lanes) in skips.get(file.as_str()).into_iter().flatten() {
            let mut status = TestCaseStatus::skipped();
            status.set_message(plain(&format!("{} assertions", in_modes(lanes, spec.modes.len()))));
            let mut test = TestCase::new(plain(&format!("{file}: {reason}")), status);
            test.set_classname(group_of(file));
            suite.add_test_case(test);
        }
    }
    for file in &spec.unreadable {
        let (suite, _) = suite_of(&mut suites, &file.file);
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(plain(&file.to_string()));
        let mut test = TestCase::new(plain(&file.file), status);
        test.set_classname(group_of(&file.file));
        suite.add_test_case(test);
    }
    suites
        .into_values()
        .map(|(mut suite, took)| {
            suite.set_time(took);
            suite
        })
        .collect()
}

fn suite_of<'s, 'f>(
    suites: &'s mut BTreeMap<&'f str, (TestSuite, Duration)>,
    file: &'f str,
) -> &'s mut (TestSuite, Duration) {
    let group = group_of(file);
    suites.entry(group).or_insert_with(|| (TestSuite::new(plain(group)), Duration::ZERO))
}

/// Failures by script, a line each.
fn by_file<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> BTreeMap<&'a str, Vec<String>> {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Failure { file, line, mode, message } in failures {
        files.entry(file).or_default().push(format!("{file}:{line}: {mode}: {}", plain(message)));
    }
    files
}

/// By script and reason, the assertions that did not run in each lane.
type Skips<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeMap<&'a str, u64>>>;

fn skips(spec: &Spec) -> Skips<'_> {
    let mut skips: Skips<'_> = BTreeMap::new();
    for skip in spec.skips.iter().filter(|skip| skip.count > 0) {
        for mode in &skip.modes {
            let reasons = skips.entry(&skip.file).or_default();
            let lanes = reasons.entry(without_mode(&skip.reason, mode)).or_default();
            *lanes.entry(mode).or_default() += skip.count;
        }
    }
    skips
}

/// How a script went, in all modes together.
fn script_status(modes: &BTreeMap<String, ModeCounts>, failures: &[String]) -> TestCaseStatus {
    let told = modes.iter().map(|(mode, counts)| {
        let ModeCounts { passed, skipped, excused, .. } = counts;
        let failed = counts.all_failed();
        format!("{mode}: {passed} passed, {failed} failed, {skipped} skipped, {excused} excused")
    });
    let told: Vec<String> = told.collect();
    if !failures.is_empty() || modes.values().any(|counts| counts.all_failed() > 0) {
        return failed(&told.join("; "), failures);
    }
    if modes.values().all(|counts| !counts.has_evidence()) {
        return skipped(&told.join("; "));
    }
    TestCaseStatus::success()
}

fn failed(message: &str, failures: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(plain(message));
    status.set_description(failures[..failures.len().min(SHOWN_FAILURES)].join("\n"));
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(plain(message));
    status
}

/// A suite for an outside engine: a test a script.
fn judged(spec: &Spec, judge: &JudgeReport) -> TestSuite {
    let name = format!("judge {}", judge.name);
    let mut suite = TestSuite::new(plain(&name));
    let failures = by_file(&judge.failures);
    for (file, judges) in &spec.judged_files {
        let Some(counts) = judges.get(&judge.name) else { continue };
        let JudgeCounts { passed, unsupported, excused, .. } = counts;
        let wrong = counts.all_failed();
        let told = format!("{passed} passed, {wrong} failed, {unsupported} unsupported, {excused} excused");
        let failures = failures.get(file.as_str()).map_or(&[][..], Vec::as_slice);
        let status = if wrong > 0 {
            failed(&told, failures)
        } else if counts.has_evidence() {
            TestCaseStatus::success()
        } else {
            skipped(&told)
        };
        let mut test = TestCase::new(plain(file), status);
        test.set_classname(plain(&name));
        suite.add_test_case(test);
    }
    suite
}

/// A suite for the campaign: that cases agree, in all and by mode and outside engine, and a test a bug.
fn campaign(fuzz: &Fuzz) -> TestSuite {
    let mut suite = TestSuite::new("campaign");
    let mut add = |class: &str, name: &str, status: TestCaseStatus| {
        let mut test = TestCase::new(plain(name), status);
        test.set_classname(class);
        suite.add_test_case(test);
    };
    add(
        "campaign",
        "all cases agree",
        match fuzz.diverge {
            0 => TestCaseStatus::success(),
            diverge => failed(&format!("{diverge} of {} cases diverge", fuzz.cases), &[]),
        },
    );
    let apart: Vec<(BTreeSet<String>, &FindingEntry)> =
        fuzz.findings.iter().map(|finding| (apart(finding), finding)).collect();
    let modes: BTreeSet<&str> = fuzz.modes.iter().map(|lane| mode_of(lane)).collect();
    let judges = fuzz.judges.iter().map(|judge| judge.subject.as_str());
    for name in modes.into_iter().chain(judges) {
        let findings = apart.iter().filter(|(apart, _)| apart.contains(name));
        let told: Vec<String> = findings.map(|(_, finding)| told(finding)).collect();
        add(
            "campaign",
            name,
            match told.len() {
                0 => doubt(fuzz, name).map_or_else(TestCaseStatus::success, |doubt| failed(&doubt, &[])),
                count => failed(&format!("stands apart in {count} findings"), &told),
            },
        );
    }
    let mut bugs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in &fuzz.findings {
        let bug = finding.bug.as_deref().unwrap_or(&finding.fingerprint);
        bugs.entry(bug).or_default().push(told(finding));
    }
    for (bug, findings) in &bugs {
        let first = findings[0].lines().next().unwrap_or_default();
        add("bug", bug, failed(first, findings));
    }
    suite
}

/// Why an outside engine's agreement says nothing, if it does not.
fn doubt(fuzz: &Fuzz, name: &str) -> Option<String> {
    let judge = fuzz.judges.iter().find(|judge| judge.subject == name);
    judge.and_then(|judge| judge.doubt(fuzz.cases))
}

fn told(finding: &FindingEntry) -> String {
    let FindingEntry { fingerprint, first_difference, triage, replay, .. } = finding;
    plain(&format!("{first_difference}\n{fingerprint}\n{triage}\n{replay}"))
}

/// The text without what XML cannot say.
fn plain(text: &str) -> String {
    let is_allowed =
        |c: &char| matches!(c, '\t' | '\n') || (*c >= ' ' && !matches!(*c, '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(is_allowed).collect()
}
