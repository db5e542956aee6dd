//! The first screen: is it green, what changed, which mode, where to start.

use super::Story;
use super::findings::apart;
use crate::report::fuzz::FindingEntry;
use crate::report::html::{Cell, Html};
use crate::report::night::{Night, State};
use crate::script::Failure;

/// Changes that the first screen names.
const SHOWN_CHANGES: usize = 8;

/// Writes the answers.
pub fn write(html: &mut Html, story: &Story<'_>) {
    let night = story.night;
    let state = night.state();
    let (class, word) = match &state {
        State::Green => ("verdict green", "Green"),
        State::NotGreen => ("verdict red", "Not green"),
        State::Incomplete(_) => ("verdict incomplete", "Incomplete"),
        State::Empty => ("verdict red", "Nothing ran"),
    };
    html.element("div", &[("class", class)], |html| {
        html.simple("strong", word);
        html.text(in_short(night));
    });
    for warning in warnings(night) {
        html.element("p", &[("class", "note")], |html| html.text(warning));
    }
    html.element("div", &[("class", "answers")], |html| {
        html.element("div", &[], |html| {
            html.simple("h3", "What changed");
            changed(html, story);
        });
        html.element("div", &[], |html| {
            html.simple("h3", "Where do I start");
            start(html, night);
        });
    });
    html.simple("h3", "Which mode");
    blame(html, night);
}

/// The whole run in a sentence or two.
fn in_short(night: &Night) -> String {
    let mut told = Vec::new();
    if let Some(spec) = &night.spec {
        let (passed, failed) =
            spec.modes.values().fold((0, 0), |(p, f), counts| (p + counts.passed, f + counts.all_failed()));
        let skipped: u64 = spec.modes.values().map(|counts| counts.skipped).sum();
        told.push(format!(
            "Suite: {passed} assertions passed, {failed} failed, {skipped} skipped in {} modes together.",
            spec.modes.len()
        ));
    }
    if let Some(fuzz) = &night.fuzz {
        told.push(format!(
            "Campaign: {} cases, {} diverge, {:.2} % with a verdict; kinds of finding: {}.",
            fuzz.cases,
            fuzz.diverge,
            fuzz.verdict_rate(),
            fuzz.findings.len()
        ));
    }
    told.join(" ")
}

/// What makes the figures less than they seem.
fn warnings(night: &Night) -> Vec<String> {
    let mut warnings = Vec::new();
    let headers = [
        ("suite", night.spec.as_ref().map(|spec| &spec.header)),
        ("campaign", night.fuzz.as_ref().map(|fuzz| &fuzz.header)),
    ];
    for (what, header) in headers {
        match header {
            None => warnings.push(format!("No {what} ran.")),
            Some(header) if !header.complete => {
                warnings
                    .push(format!("The {what} ended before all was done: these are the figures until then."));
            }
            Some(header) if !header.shard.is_whole() => warnings
                .push(format!("This is only part {} of the {what}.", String::from(header.shard.clone()))),
            Some(_) => {}
        }
    }
    for who in night.spec.iter().flat_map(|spec| spec.without_evidence()) {
        warnings.push(format!("Nothing of the suite was judged in {who}."));
    }
    if let Some(fuzz) = &night.fuzz {
        warnings.extend(fuzz.doubts().into_iter().map(|doubt| format!("Not green: {doubt}.")));
    }
    if let (Some(spec), Some(fuzz)) = (&night.spec, &night.fuzz)
        && spec.header.commit != fuzz.header.commit
    {
        let (a, b) = (&spec.header.commit, &fuzz.header.commit);
        warnings.push(format!("Suite and campaign are of different builds: {a} and {b}."));
    }
    if let Some(spec) = &night.spec {
        warnings.extend(spec.unreadable.iter().map(|file| format!("Could not be read: {file}")));
    }
    warnings
}

fn changed(html: &mut Html, story: &Story<'_>) {
    let Some(since) = story.since else {
        html.simple("p", "There is no earlier run in this folder to hold it against.");
        return;
    };
    let mut told = Vec::new();
    told.extend(since.new_findings.iter().map(|finding| format!("New finding: {finding}")));
    told.extend(since.scripts.worse.iter().map(|change| format!("Worse: {change}")));
    told.extend(since.gone_findings.iter().map(|finding| format!("No longer found: {finding}")));
    told.extend(since.scripts.better.iter().map(|change| format!("Better: {change}")));
    html.element("p", &[], |html| match told.len() {
        0 => html.text(format!("Nothing, since {}.", since.before)),
        count => html.text(format!("Since {}, in {count} places:", since.before)),
    });
    let list = |html: &mut Html, lines: &[String]| {
        html.element("ul", &[], |html| lines.iter().for_each(|line| html.simple("li", line)));
    };
    if !told.is_empty() {
        list(html, &told[..told.len().min(SHOWN_CHANGES)]);
    }
    if told.len() > SHOWN_CHANGES {
        let rest = &told[SHOWN_CHANGES..told.len().min(500)];
        html.details(format!("{} more", told.len() - SHOWN_CHANGES), |html| list(html, rest));
    }
}

fn start(html: &mut Html, night: &Night) {
    let findings = night.fuzz.iter().flat_map(|fuzz| &fuzz.findings);
    let severe = |finding: &&FindingEntry| {
        let crashes = finding.kind == "crash" || finding.kind == "hang";
        (!crashes, std::cmp::Reverse(finding.cases))
    };
    if let Some(finding) = findings.min_by_key(severe) {
        html.simple("p", format!("With {}: {}", finding.fingerprint, finding.first_difference));
        html.simple("p", &finding.triage);
        html.listing("The command that repeats it", &finding.replay);
        return;
    }
    let failures = night.spec.iter().flat_map(|spec| &spec.failures);
    if let Some(failure) = night.spec.iter().flat_map(|spec| spec.judge_failures()).next()
        && night.spec.iter().all(|spec| spec.failures.is_empty())
    {
        let Failure { file, line, mode, message } = failure;
        html.simple("p", format!("With {file}:{line} in {mode}, an outside engine: {message}"));
        return;
    }
    if let Some(failure) = failures.min_by_key(|failure| !failure.is_difference()) {
        let Failure { file, line, mode, message } = failure;
        html.simple("p", format!("With {file}:{line} in {mode}: {message}"));
        let group = crate::report::spec::group_of(file);
        html.listing(
            "The command that repeats it",
            &format!("cargo run --release -- spec {group} --modes {mode}"),
        );
        return;
    }
    if night.is_empty() {
        html.simple("p", "Nothing ran, so there is nothing to say yet.");
    } else {
        html.simple(
            "p",
            "Nothing to repair. What is not looked at yet stands under Suite (skips) and Coverage.",
        );
    }
}

/// A row a mode: what points at it.
fn blame(html: &mut Html, night: &Night) {
    let lanes = night.spec.iter().flat_map(|spec| spec.lanes());
    let ran = night.fuzz.iter().flat_map(|fuzz| fuzz.modes.iter().map(String::as_str));
    let judges = night.fuzz.iter().flat_map(|fuzz| fuzz.judges.iter().map(|judge| &*judge.subject));
    let mut modes: Vec<String> = Vec::new();
    for name in lanes.chain(ran).chain(judges).map(mode) {
        if !modes.contains(&name) {
            modes.push(name);
        }
    }
    html.table(
        "What points at each mode",
        &["mode", "suite failures", "differences between modes", "findings in which it stands apart"],
        |rows| {
            for name in &modes {
                let failures: Vec<&Failure> = night
                    .spec
                    .iter()
                    .flat_map(|spec| &spec.failures)
                    .filter(|failure| mode(&failure.mode) == *name)
                    .collect();
                let differences = failures.iter().filter(|failure| failure.is_difference()).count();
                let findings = night.fuzz.iter().flat_map(|fuzz| &fuzz.findings);
                let apart = findings.filter(|finding| apart(finding).contains(name)).count();
                let figures = [failures.len(), differences, apart];
                let cell = |figure: usize| match figure {
                    0 => Cell::number(0),
                    figure => Cell::number(figure).class("bad-number"),
                };
                rows.row(name, figures.map(cell));
            }
        },
    );
}

fn mode(lane: &str) -> String {
    crate::compare::mode_of(lane).to_string()
}
