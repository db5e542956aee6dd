//! Totals as a terminal shows them, on part of a screen.

use super::fuzz::{Fuzz, Judge};
use super::night::Since;
use super::spec::Spec;
use crate::events::{Judged, percent};
use crate::script::ModeCounts;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Reasons for skips, and kinds of trap, that a summary shows.
const SHOWN_REASONS: usize = 6;
/// Changes of each kind that a summary shows.
const SHOWN_CHANGES: usize = 10;

/// What scripts came to, on part of a screen: `shown` failures at most; every skip and excuse if `verbose`.
pub fn spec_summary(report: &Spec, shown: usize, verbose: bool) -> String {
    let mut text = String::from("scripts");
    let mut line = |name: &str, value: String| {
        let _ = write!(text, "\n  {name:<14}{value}");
    };
    for mode in report.lanes() {
        let ModeCounts { passed, failed, skipped, excused } = report.modes[mode];
        line(mode, format!("{passed} passed, {failed} failed, {skipped} skipped, {excused} excused"));
    }
    line(
        "files",
        format!("{} in {:.1} s ({:.1} CPU-seconds)", report.files, report.header.wall_s, report.header.cpu_s),
    );
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for skip in &report.skips {
        *reasons.entry(if verbose { &skip.reason } else { what_is_missing(&skip.reason) }).or_default() +=
            skip.count;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
    let rest = reasons.len().saturating_sub(SHOWN_REASONS);
    for (reason, count) in reasons.iter().take(if verbose { usize::MAX } else { SHOWN_REASONS }) {
        line("skipped", format!("{count}: {reason}"));
    }
    if rest > 0 && !verbose {
        line("skipped", format!("for {rest} more reasons; all are in spec.json"));
    }
    if verbose {
        for excuse in &report.excuses {
            line("excused", format!("{}:{}: {}", excuse.file, excuse.line, excuse.reason));
        }
    }
    for failure in report.failures.iter().take(shown) {
        line("FAILED", format!("{}:{}: {}: {}", failure.file, failure.line, failure.mode, failure.message));
    }
    if report.failures.len() > shown {
        line("FAILED", format!("and {} more; all are in spec.json", report.failures.len() - shown));
    }
    text
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
        line("", format!("not compared: {}", not_compared.join(", ")));
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
