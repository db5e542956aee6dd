//! Totals as a terminal shows them, on part of a screen.

use super::fuzz::{Fuzz, Judge};
use super::night::Since;
use super::spec::{Spec, in_modes};
use crate::events::{Judged, percent};
use crate::script::{Failure, JudgeCounts, ModeCounts};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Reasons for skips, and kinds of trap, that a summary shows.
const SHOWN_REASONS: usize = 6;
/// Changes of each kind that a summary shows.
const SHOWN_CHANGES: usize = 10;

/// What scripts came to, on part of a screen: `shown` failures at most; every skip and excuse if `verbose`.
pub fn spec_summary(report: &Spec, shown: usize, verbose: bool) -> String {
    let mut text = String::from("scripts (assertions in each mode)");
    let mut line = |name: &str, value: String| {
        let _ = write!(text, "\n  {name:<14}{value}");
    };
    for mode in report.lanes() {
        let ModeCounts { passed, failed, skipped, excused, steps_failed, .. } = report.modes[mode];
        let others =
            if steps_failed == 0 { String::new() } else { format!("; {OTHERS_FAILED}{steps_failed}") };
        line(mode, format!("{passed} passed, {failed} failed, {skipped} skipped, {excused} excused{others}"));
    }
    line(
        "files",
        format!("{} in {:.1} s ({:.1} CPU-seconds)", report.files, report.header.wall_s, report.header.cpu_s),
    );
    skips(report, verbose, &mut line);
    if verbose {
        for excuse in &report.excuses {
            line("excused", format!("{}:{}: {}", excuse.file, excuse.line, excuse.reason));
        }
    }
    let told = |failure: &Failure, who: &str| {
        format!("{}:{}: {who}: {}", failure.file, failure.line, failure.message)
    };
    for failure in report.failures.iter().take(shown) {
        line("FAILED", told(failure, &failure.mode));
    }
    if report.failures.len() > shown {
        line("FAILED", format!("and {} more; all are in spec.json", report.failures.len() - shown));
    }
    judges(report, shown, &mut line, told);
    if let Some(why) = report.header.incomplete() {
        line("incomplete", why);
    }
    let without = report.without_evidence();
    if !without.is_empty() {
        line("no evidence", format!("nothing was judged in {}", without.join(", ")));
    }
    text
}

/// What else failed: directives that assert nothing, and state at the end of a script.
const OTHERS_FAILED: &str = "other failures: ";

/// Reasons for skips with their assertions: all of them together are what was skipped.
fn skips(report: &Spec, verbose: bool, line: &mut impl FnMut(&str, String)) {
    let mut reasons = report.skipped_by_reason(if verbose { |reason| reason } else { what_is_missing });
    // What kept no assertion from running, only other directives, is for those who want to know all.
    reasons.retain(|(_, modes)| verbose || modes.values().any(|count| *count > 0));
    let shown = if verbose { usize::MAX } else { SHOWN_REASONS };
    for (reason, modes) in reasons.iter().take(shown) {
        line("skipped", format!("{}: {reason}", in_modes(modes, report.modes.len())));
    }
    if reasons.len() > shown {
        let mut rest: BTreeMap<&str, u64> = BTreeMap::new();
        for (mode, count) in reasons[shown..].iter().flat_map(|(_, modes)| modes) {
            *rest.entry(mode).or_default() += count;
        }
        let more = reasons.len() - shown;
        let count = in_modes(&rest, report.modes.len());
        line("skipped", format!("{count}: {more} more reasons; all are in spec.json"));
    }
}

/// Outside engines: their figures, a table by group, and what they get wrong.
fn judges(
    report: &Spec,
    shown: usize,
    line: &mut impl FnMut(&str, String),
    told: impl Fn(&Failure, &str) -> String,
) {
    let figures = |counts: &JudgeCounts| {
        let JudgeCounts { passed, failed, unsupported, excused, steps_failed } = counts;
        let others =
            if *steps_failed == 0 { String::new() } else { format!("; {OTHERS_FAILED}{steps_failed}") };
        format!("{passed} passed, {failed} failed, {unsupported} unsupported, {excused} excused{others}")
    };
    for judge in &report.judges {
        let release = judge.version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
        line("judge", format!("{}{release}: {}", judge.name, figures(&judge.counts)));
        for (name, group) in report.groups() {
            if let Some(counts) = group.judges.get(&judge.name) {
                line("", format!("{name:<24} {}", figures(counts)));
            }
        }
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &judge.unsupported {
            *reasons.entry(&entry.reason).or_default() += entry.count;
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        for (reason, count) in reasons.iter().take(SHOWN_REASONS) {
            line("unsupported", format!("{count}: {reason}"));
        }
        if reasons.len() > SHOWN_REASONS {
            let rest: u64 = reasons[SHOWN_REASONS..].iter().map(|(_, count)| count).sum();
            let more = reasons.len() - SHOWN_REASONS;
            line("unsupported", format!("{rest}: {more} more reasons; all are in spec.json"));
        }
        for failure in judge.failures.iter().take(shown) {
            line("JUDGE FAILED", told(failure, &format!("{}{release}", judge.name)));
        }
        if judge.failures.len() > shown {
            let rest = judge.failures.len() - shown;
            line("JUDGE FAILED", format!("and {rest} more of {}; all are in spec.json", judge.name));
        }
    }
}

/// The proposal that a reason for a skip names in parentheses, else the reason.
fn what_is_missing(reason: &str) -> &str {
    let proposal = reason.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    proposal.map_or(reason, |(proposal, _)| proposal)
}

/// A campaign's totals on part of a screen.
pub fn fuzz_summary(tally: &Fuzz) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    let modes = tally.modes.join(", ");
    line("seed", format!("{} ({modes})", tally.seed));
    line(
        "cases",
        format!(
            "{}: {} agree, {} diverge{}, {} inconclusive, {} invalid",
            tally.cases,
            tally.agree,
            tally.diverge,
            of_judges(tally),
            tally.inconclusive_cases(),
            tally.invalid
        ),
    );
    line("verdicts", format!("{:.2} % of valid cases", tally.verdict_rate()));
    for (reason, count) in &tally.inconclusive {
        line("inconclusive", format!("{count}: {reason}"));
    }
    let returned = percent(tally.returned, tally.calls);
    line("calls", format!("{}, {returned:.1} % returned; {} host calls", tally.calls, tally.host_calls));
    let traps: u64 = tally.traps.values().sum();
    let mut kinds: Vec<_> = tally.traps.iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), kind.as_str()));
    let kinds = kinds.iter().take(SHOWN_REASONS);
    let kinds: Vec<_> =
        kinds.map(|(kind, count)| format!("{kind} {:.1} %", percent(**count, traps))).collect();
    line("traps", format!("{traps}: {}", kinds.join(", ")));
    if tally.crashes + tally.hangs + tally.workers_lost > 0 {
        let Fuzz { crashes, hangs, workers_lost, .. } = tally;
        line("failures", format!("{crashes} crashes, {hangs} hangs; {workers_lost} workers replaced"));
    }
    for Judge { subject, version, not_compared, judged, .. } in &tally.judges {
        let release = version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
        let Judged { compared, to_the_end, actions, of_actions, unsupported, unclear } = judged;
        let (of_cases, of_calls) = (percent(*compared, tally.cases), percent(*actions, *of_actions));
        line(
            "judge",
            format!(
                "{subject}{release}: compared on {compared} cases ({of_cases:.1} %), {to_the_end} of them to the end; {of_calls:.1} % of actions"
            ),
        );
        if !not_compared.is_empty() {
            line("", format!("not compared: {}", not_compared.join(", ")));
        }
        let left_out = tally.left_out.get(subject).copied().unwrap_or(0);
        if left_out > 0 {
            line("", format!("left out of {left_out} cases that would not end"));
        }
        for (word, reasons) in [("unsupported", unsupported), ("not understood", unclear)] {
            let mut reasons: Vec<_> = reasons.iter().collect();
            reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), reason.as_str()));
            for (reason, count) in reasons.iter().take(SHOWN_REASONS) {
                line("", format!("{word} in {count}: {reason}"));
            }
        }
    }
    for doubt in tally.doubts() {
        line("NOT GREEN", doubt);
    }
    line(
        "speed",
        format!(
            "{:.0} cases per CPU-second, {:.1} s; modules of {} bytes in the mean",
            tally.cases_per_cpu_s,
            tally.header.wall_s,
            tally.mean_wasm_bytes.unwrap_or(0)
        ),
    );
    for finding in &tally.findings {
        line("finding", format!("{} x {}", finding.cases.unwrap_or(1), finding.fingerprint));
        line("", finding.first_difference.clone());
        line("", finding.triage.clone());
    }
    for (bug, (findings, cases)) in tally.bugs() {
        line("bug", format!("{bug}: {findings} of the findings, {cases} cases"));
    }
    text.pop();
    text
}

/// How many of the differences are of outside engines only, if any is.
fn of_judges(tally: &Fuzz) -> String {
    match tally.judged_differences {
        0 => String::new(),
        all if all == tally.diverge => " (outside engines only)".into(),
        some => format!(" ({some} of outside engines only)"),
    }
}

/// What is different since the night before, on part of a screen.
pub fn since_summary(since: &Since) -> String {
    let mut lines = since.scripts.lines(SHOWN_CHANGES);
    lines.extend(since.new_findings.iter().map(|finding| format!("NEW finding: {finding}")));
    lines.extend(since.gone_findings.iter().map(|finding| format!("no longer found: {finding}")));
    if lines.is_empty() {
        lines.push("nothing".into());
    }
    format!("since {}\n  {}", since.before, lines.join("\n  "))
}
