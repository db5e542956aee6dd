//! The suite by group and mode, with every failure and every skip and its reason.

use super::Story;
use crate::report::html::{Cell, Html};
use crate::report::spec::{Spec, group_of};
use crate::report::standing::without_mode;
use crate::script::ModeCounts;
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
    html.table("Passed, and in brackets what is failed, skipped or excused", &columns, |rows| {
        for (name, group) in spec.groups() {
            let cells = lanes.iter().map(|lane| figures(group.modes.get(*lane)));
            rows.row(name, [Cell::number(group.files)].into_iter().chain(cells));
        }
        let cells = lanes.iter().map(|lane| figures(spec.modes.get(*lane)));
        rows.row("all", [Cell::number(spec.files)].into_iter().chain(cells));
    });
    failures(html, spec);
    skips(html, spec);
    excuses(html, spec);
}

fn figures(counts: Option<&ModeCounts>) -> Cell {
    let ModeCounts { passed, failed, skipped, excused } = counts.copied().unwrap_or_default();
    let others = [(failed, "failed"), (skipped, "skipped"), (excused, "excused")];
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

fn failures(html: &mut Html, spec: &Spec) {
    if spec.failures.is_empty() {
        return;
    }
    html.element("details", &[("open", "")], |html| {
        html.simple("summary", format!("Failures: {}", spec.failures.len()));
        html.table("Failures", &["where", "mode", "what"], |rows| {
            for failure in spec.failures.iter().take(SHOWN_FAILURES) {
                let cells = [Cell::words(&failure.mode), Cell::words(&failure.message)];
                rows.row(format!("{}:{}", failure.file, failure.line), cells);
            }
        });
        if spec.failures.len() > SHOWN_FAILURES {
            html.simple("p", format!("The other {} are in spec.json.", spec.failures.len() - SHOWN_FAILURES));
        }
    });
}

/// What one reason keeps from running.
#[derive(Default)]
struct Kept<'a> {
    modes: BTreeSet<&'a str>,
    /// By script and line, directives.
    files: BTreeMap<&'a str, BTreeMap<u32, u64>>,
}

impl Kept<'_> {
    fn directives(&self) -> u64 {
        self.files.values().flat_map(|lines| lines.values()).sum()
    }
}

/// By reason, then by script: lines, and how many directives each of them keeps from running.
fn skips(html: &mut Html, spec: &Spec) {
    let mut reasons: BTreeMap<&str, Kept<'_>> = BTreeMap::new();
    for skip in &spec.skips {
        for mode in &skip.modes {
            let kept = reasons.entry(without_mode(&skip.reason, mode)).or_default();
            kept.modes.insert(mode);
            let known = kept.files.entry(&skip.file).or_default().entry(skip.line).or_default();
            *known = skip.count.max(*known);
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, kept)| (std::cmp::Reverse(kept.directives()), *reason));
    if !reasons.is_empty() {
        html.simple("h3", "Skips");
    }
    for (reason, kept) in reasons {
        let all = kept.modes.len() == spec.modes.len();
        let modes: Vec<&str> = kept.modes.iter().copied().collect();
        let who = if all { "every mode".to_string() } else { modes.join(", ") };
        html.details(format!("{} directives ({who}): {reason}", kept.directives()), |html| {
            let caption = format!("Skipped: {reason}");
            html.table(&caption, &["script", "directives", "lines of the causes"], |rows| {
                for (file, lines) in &kept.files {
                    let told = |(line, count): (&u32, &u64)| match count {
                        1 => line.to_string(),
                        count => format!("{line} ({count})"),
                    };
                    let mut told: Vec<String> = lines.iter().take(SHOWN_LINES).map(told).collect();
                    if lines.len() > SHOWN_LINES {
                        told.push(format!("and {} more", lines.len() - SHOWN_LINES));
                    }
                    let count: u64 = lines.values().sum();
                    rows.row(file, [Cell::number(count), Cell::words(told.join(", "))]);
                }
            });
        });
    }
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
