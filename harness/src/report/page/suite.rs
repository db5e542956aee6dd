//! The suite by group and mode, with every failure and every skip and its reason.

use super::Story;
use crate::report::html::{Cell, Html};
use crate::report::spec::{Spec, group_of, in_modes};
use crate::report::standing::without_mode;
use crate::script::{Failure, JudgeCounts, JudgeReport, ModeCounts};
use std::collections::{BTreeMap, BTreeSet};

/// Failures that are listed.
const SHOWN_FAILURES: usize = 1000;
/// Lines of one script that are named for one reason.
const SHOWN_LINES: usize = 40;

/// Whether scripts ran.
pub fn has_any(story: &Story<'_>) -> bool {
    story.night.spec.is_some()
}

/// Writes the section.
pub fn write(html: &mut Html, story: &Story<'_>) {
    let Some(spec) = &story.night.spec else { return };
    let lanes = spec.lanes();
    let columns: Vec<&str> = ["group", "files"].into_iter().chain(lanes.iter().copied()).collect();
    html.table("Assertions passed, and in brackets those failed, skipped or excused", &columns, |rows| {
        for (name, group) in spec.groups() {
            let cells = lanes.iter().map(|lane| figures(group.modes.get(*lane)));
            rows.row(name, [Cell::number(group.files)].into_iter().chain(cells));
        }
        let cells = lanes.iter().map(|lane| figures(spec.modes.get(*lane)));
        rows.row("all", [Cell::number(spec.files)].into_iter().chain(cells));
    });
    failures(html, "Failures", &spec.failures.iter().collect::<Vec<_>>());
    judges(html, spec);
    skips(html, spec);
    excuses(html, spec);
}

fn figures(counts: Option<&ModeCounts>) -> Cell {
    let counts = counts.copied().unwrap_or_default();
    figures_and(counts, (counts.skipped, "skipped"))
}

/// Figures with what was not run, and the word for that.
fn figures_and(counts: ModeCounts, not_run: (u64, &str)) -> Cell {
    let (passed, failed) = (counts.passed, counts.all_failed());
    let others = [(failed, "failed"), not_run, (counts.excused, "excused")];
    let others: Vec<String> = others
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let text =
        if others.is_empty() { passed.to_string() } else { format!("{passed} ({})", others.join(", ")) };
    Cell::words(text).class(match (failed, passed) {
        (0, 0) => "soft-figures",
        (0, _) => "figures",
        _ => "bad-figures",
    })
}

fn failures(html: &mut Html, title: &str, failures: &[&Failure]) {
    if failures.is_empty() {
        return;
    }
    html.element("details", &[("open", "")], |html| {
        html.simple("summary", format!("{title}: {}", failures.len()));
        html.table(title, &["where", "who", "what"], |rows| {
            for failure in failures.iter().take(SHOWN_FAILURES) {
                let cells = [Cell::words(&failure.mode), Cell::words(&failure.message)];
                rows.row(format!("{}:{}", failure.file, failure.line), cells);
            }
        });
        if failures.len() > SHOWN_FAILURES {
            html.simple("p", format!("The other {} are in spec.json.", failures.len() - SHOWN_FAILURES));
        }
    });
}

/// Outside engines by group: what they pass, and what they get wrong.
fn judges(html: &mut Html, spec: &Spec) {
    if spec.judges.is_empty() {
        return;
    }
    html.simple("h3", "Outside engines");
    let release = |judge: &JudgeReport| match &judge.version {
        Some(version) => format!("{} ({version})", judge.name),
        None => judge.name.clone(),
    };
    let names: Vec<String> = spec.judges.iter().map(release).collect();
    let columns: Vec<&str> = std::iter::once("group").chain(names.iter().map(String::as_str)).collect();
    let caption =
        "Assertions that outside engines pass, and in brackets those failed, unsupported or excused";
    html.table(caption, &columns, |rows| {
        for (name, group) in spec.groups() {
            let cells = spec.judges.iter().map(|judge| judged(group.judges.get(&judge.name)));
            rows.row(name, cells);
        }
        rows.row("all", spec.judges.iter().map(|judge| judged(Some(&judge.counts))));
    });
    failures(html, "What outside engines get wrong", &spec.judge_failures().collect::<Vec<_>>());
    for judge in &spec.judges {
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &judge.unsupported {
            *reasons.entry(&entry.reason).or_default() += entry.count;
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        let summary =
            format!("{} assertions that {} was not judged on", judge.counts.unsupported, judge.name);
        html.details(summary, |html| {
            html.table("Why", &["reason", "assertions"], |rows| {
                reasons.iter().for_each(|(reason, count)| rows.row(reason, [Cell::number(count)]));
            });
        });
    }
}

fn judged(counts: Option<&JudgeCounts>) -> Cell {
    let counts = counts.copied().unwrap_or_default();
    let as_mode = ModeCounts {
        passed: counts.passed,
        failed: counts.failed,
        steps_failed: counts.steps_failed,
        excused: counts.excused,
        ..ModeCounts::default()
    };
    figures_and(as_mode, (counts.unsupported, "unsupported"))
}

/// What one reason keeps from running in a mode.
#[derive(Default)]
struct Kept<'a> {
    /// By script and line of the cause, assertions in each mode.
    files: BTreeMap<&'a str, BTreeMap<u32, BTreeMap<&'a str, u64>>>,
}

/// By reason, then by script: lines, and how many assertions each of them keeps from running.
fn skips(html: &mut Html, spec: &Spec) {
    let mut kept: BTreeMap<&str, Kept<'_>> = BTreeMap::new();
    for skip in &spec.skips {
        for mode in &skip.modes {
            let files = &mut kept.entry(without_mode(&skip.reason, mode)).or_default().files;
            let lines = files.entry(&skip.file).or_default();
            *lines.entry(skip.line).or_default().entry(mode).or_default() += skip.count;
        }
    }
    let reasons = spec.skipped_by_reason(|reason| reason);
    if !reasons.is_empty() {
        html.simple("h3", "Skips");
    }
    for (reason, modes) in reasons {
        html.details(format!("{} assertions: {reason}", in_modes(&modes, spec.modes.len())), |html| {
            let caption = format!("Skipped: {reason}");
            html.table(&caption, &["script", "assertions", "lines of the causes"], |rows| {
                for (file, lines) in &kept[reason].files {
                    let told = |(line, modes): (&u32, &BTreeMap<&str, u64>)| match most(modes) {
                        1 => line.to_string(),
                        count => format!("{line} ({count})"),
                    };
                    let mut told: Vec<String> = lines.iter().take(SHOWN_LINES).map(told).collect();
                    if lines.len() > SHOWN_LINES {
                        told.push(format!("and {} more", lines.len() - SHOWN_LINES));
                    }
                    let mut in_file: BTreeMap<&str, u64> = BTreeMap::new();
                    for (mode, count) in lines.values().flatten() {
                        *in_file.entry(mode).or_default() += count;
                    }
                    let count = in_modes(&in_file, spec.modes.len());
                    rows.row(file, [Cell::number(count), Cell::words(told.join(", "))]);
                }
            });
        });
    }
}

fn most(modes: &BTreeMap<&str, u64>) -> u64 {
    modes.values().copied().max().unwrap_or(0)
}

fn excuses(html: &mut Html, spec: &Spec) {
    if spec.excuses.is_empty() {
        return;
    }
    let groups: BTreeSet<&str> = spec.excuses.iter().map(|excuse| group_of(&excuse.file)).collect();
    let summary = format!("{} excused assertions in {} groups", spec.excuses.len(), groups.len());
    html.details(summary, |html| {
        html.table("Excused", &["where", "why it cannot pass"], |rows| {
            for excuse in &spec.excuses {
                rows.row(format!("{}:{}", excuse.file, excuse.line), [Cell::words(&excuse.reason)]);
            }
        });
    });
}
