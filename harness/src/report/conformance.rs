//! The blessed table: what the suite comes to in every mode, as a page that people read and later runs are held
//! against.
//!
//! First a table of groups, which is for people; then every script with what passes in each mode, and below it every line that does
//! not pass, which is also for [`read`].

use super::spec::Spec;
use super::standing::{Place, Standing, Standings};
use crate::script::ModeCounts;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How the page begins.
const PREFACE: &str = "# Conformance

What the official suite and our own scripts come to, by group and mode: passed / failed / skipped / excused
assertions. A run of `crosscheck spec --baseline reports/conformance.md` fails on everything that got worse, and
`crosscheck spec --bless reports/conformance.md` writes this page anew.
";

/// How the part begins in which every script is listed.
const SCRIPTS: &str = "## Scripts";

/// The page for a run.
pub fn page(spec: &Spec) -> String {
    let mut text = String::from(PREFACE);
    let lanes = spec.lanes();
    let mut row = |cells: Vec<String>| {
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    row(["group", "files"].into_iter().chain(lanes.iter().copied()).map(Into::into).collect());
    row(["---", "---:"].into_iter().chain(lanes.iter().map(|_| "---:")).map(Into::into).collect());
    let cell = |counts: Option<&ModeCounts>| {
        let counts = counts.copied().unwrap_or_default();
        let ModeCounts { passed, skipped, excused, .. } = counts;
        format!("{passed} / {} / {skipped} / {excused}", counts.all_failed())
    };
    for (name, group) in spec.groups() {
        let counts = lanes.iter().map(|lane| cell(group.modes.get(*lane)));
        row([name.to_string(), group.files.to_string()].into_iter().chain(counts).collect());
    }
    let total = lanes.iter().map(|lane| cell(spec.modes.get(*lane)));
    row(["all".to_string(), spec.files.to_string()].into_iter().chain(total).collect());
    let text = text.replacen("\n| group", "\n\n| group", 1);
    text + &scripts(&Standings::of(spec))
}

/// The list of scripts.
fn scripts(standings: &Standings) -> String {
    let mut text = format!(
        "\n{SCRIPTS}\n\nPassed assertions in {}; one figure if it is the same in all. Below a script, what does not pass.\n\n",
        standings.modes.join(", ")
    );
    for (file, modes) in &standings.passed {
        let figures: Vec<u64> =
            standings.modes.iter().map(|mode| modes.get(mode).copied().unwrap_or(0)).collect();
        let is_same = figures.iter().all(|figure| *figure == figures[0]);
        let shown = if is_same { &figures[..1] } else { &figures[..] };
        let shown: Vec<String> = shown.iter().map(u64::to_string).collect();
        let _ = writeln!(text, "- `{file}` {}", shown.join(" / "));
        let mut lines: BTreeMap<(u32, Standing, &str), Vec<&str>> = BTreeMap::new();
        let first = Place { file: file.clone(), line: 0, mode: String::new() };
        let of_file = standings.lines.range(first..).take_while(|(place, _)| place.file == *file);
        for (place, (standing, reason)) in of_file {
            lines.entry((place.line, *standing, reason)).or_default().push(&place.mode);
        }
        for ((line, standing, reason), modes) in lines {
            let all = modes.len() == standings.modes.len();
            let modes = if all { "all".to_string() } else { modes.join(", ") };
            let _ = writeln!(text, "  - line {line}: {standing} ({modes}): {}", one_line(reason));
        }
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a page says. Fails with the line of the page and what was expected there.
pub fn read(page: &str) -> Result<Standings, String> {
    let mut lines = page.lines().zip(1..).skip_while(|(line, _)| *line != SCRIPTS);
    lines.next().ok_or_else(|| format!("1: expected a spec.json, or a page with `{SCRIPTS}`"))?;
    let mut standings = Standings::default();
    let mut file = None;
    for (line, number) in lines.filter(|(line, _)| !line.is_empty()) {
        let wrong = |expected: &str| format!("{number}: expected {expected}");
        if let Some(rest) = line.strip_prefix("Passed assertions in ") {
            let modes = rest.split_once(';').ok_or_else(|| wrong("modes, then `;`"))?.0;
            standings.modes = modes.split(", ").map(Into::into).collect();
        } else if let Some(rest) = line.strip_prefix("- `") {
            let (name, figures) = rest.split_once("` ").ok_or_else(|| wrong("a script and figures"))?;
            let figures: Option<Vec<u64>> = figures.split(" / ").map(|figure| figure.parse().ok()).collect();
            let figures = figures.ok_or_else(|| wrong("figures of passed assertions"))?;
            let figure = |n: usize| figures.get(n).or(figures.first()).copied().unwrap_or(0);
            if figures.len() > 1 && figures.len() != standings.modes.len() {
                return Err(wrong("one figure, or one a mode"));
            }
            let modes = standings.modes.iter().enumerate().map(|(n, mode)| (mode.clone(), figure(n)));
            standings.passed.insert(name.to_string(), modes.collect());
            file = Some(name);
        } else if let Some(rest) = line.strip_prefix("  - line ") {
            let file = file.ok_or_else(|| wrong("a script before its lines"))?;
            let entry = read_line(rest).ok_or_else(|| wrong("`line N: WHAT (MODES): WHY`"))?;
            let (at, standing, modes, reason) = entry;
            let modes = match modes {
                "all" => standings.modes.clone(),
                modes => modes.split(", ").map(Into::into).collect(),
            };
            for mode in modes {
                standings.note(file, at, &mode, standing, reason);
            }
        } else {
            return Err(wrong("a script, or a line of one"));
        }
    }
    Ok(standings)
}

fn read_line(text: &str) -> Option<(u32, Standing, &str, &str)> {
    let (line, rest) = text.split_once(": ")?;
    let (what, rest) = rest.split_once(" (")?;
    let (modes, reason) = rest.split_once("): ")?;
    let standing = match what {
        "failed" => Standing::Failed,
        "excused" => Standing::Excused,
        _ => Standing::Skipped(what.strip_suffix(" skipped")?.parse().ok()?),
    };
    Some((line.parse().ok()?, standing, modes, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings() -> Standings {
        let modes = vec!["interp".to_string(), "baseline".to_string()];
        let mut standings = Standings { modes, ..Standings::default() };
        for (file, passed) in [("g/a.wast", [3, 2]), ("g/b.wast", [0, 0])] {
            let figures = standings.modes.iter().cloned().zip(passed);
            standings.passed.insert(file.into(), figures.collect());
        }
        standings.note("g/a.wast", 7, "interp", Standing::Excused, "withdrawn: see (3)");
        standings.note("g/a.wast", 7, "baseline", Standing::Excused, "withdrawn: see (3)");
        standings.note("g/a.wast", 9, "baseline", Standing::Failed, "got i32:1 (of 2): no");
        standings.note("g/b.wast", 1, "interp", Standing::Skipped(12), "module (simd)");
        standings
    }

    #[test]
    fn a_page_says_what_was_written_into_it() {
        let page = format!("anything\n{}", scripts(&standings()));
        assert_eq!(read(&page), Ok(standings()));
    }

    #[test]
    fn a_page_that_was_damaged_is_refused_with_the_line() {
        assert!(read("# A page").expect_err("no scripts").starts_with("1: "));
        let page = scripts(&standings()).replace("12 skipped", "some skipped");
        let error = read(&page).expect_err("no number");
        assert!(error.starts_with("10: expected `line N"), "{error}\n{page}");
    }
}
