//! What was found: who differs, both sides' values, the reduced script, and all that is known.

use super::Story;
use crate::compare::mode_of;
use crate::compare::right;
use crate::corpus::finding::Record;
use crate::report::fuzz::FindingEntry;
use crate::report::html::{Cell, Html};
use crate::report::night::Night;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Findings that are shown with all that is known. More are the work of a person who has dealt with these.
const SHOWN: usize = 40;
/// Bytes of one listing; a page must stay one that a browser opens at once.
const LISTING_BYTES: usize = 12_000;

/// Whether anything was found.
pub fn has_any(story: &Story<'_>) -> bool {
    story.night.fuzz.as_ref().is_some_and(|fuzz| !fuzz.findings.is_empty())
}

/// The modes that stand apart from those that are taken to be right.
pub fn apart(finding: &FindingEntry) -> BTreeSet<String> {
    let right = right(&finding.subjects);
    let groups = finding.subjects.iter().enumerate().filter(|(group, _)| *group != right);
    groups.flat_map(|(_, names)| names).map(|name| mode_of(name).to_string()).collect()
}

/// Writes the section.
pub fn write(html: &mut Html, story: &Story<'_>) {
    let Some(fuzz) = &story.night.fuzz else { return };
    html.table("One row for each kind of finding", &["finding", "cases", "stands apart", "bug"], |rows| {
        for finding in &fuzz.findings {
            let cases = finding.cases.map_or("1".to_string(), |cases| cases.to_string());
            let apart: Vec<String> = apart(finding).into_iter().collect();
            let cells = [
                Cell::number(cases),
                Cell::words(apart.join(" ")),
                Cell::words(finding.bug.as_deref().unwrap_or("not known")),
            ];
            rows.row(&finding.fingerprint, cells);
        }
    });
    for (number, finding) in fuzz.findings.iter().take(SHOWN).enumerate() {
        // The first is what most readers want next.
        let open: &[(&str, &str)] = if number == 0 { &[("open", "")] } else { &[] };
        html.element("details", open, |html| {
            html.simple("summary", &finding.fingerprint);
            one(html, story.night, finding);
        });
    }
    if fuzz.findings.len() > SHOWN {
        let rest = fuzz.findings.len() - SHOWN;
        html.simple("p", format!("{rest} more are in the folder of findings and in the JSON files."));
    }
}

fn one(html: &mut Html, night: &Night, finding: &FindingEntry) {
    let folder = folder(night, finding);
    let file = |name: &str| folder.as_ref().and_then(|folder| fs::read_to_string(folder.join(name)).ok());
    let record = folder.as_ref().and_then(|folder| Record::load(folder).ok());
    let groups: Vec<String> = finding.subjects.iter().map(|group| group.join(" ")).collect();
    html.table("What differs", &["", "value"], |rows| {
        rows.row("who differs", [Cell::words(groups.join(" / "))]);
        rows.row("first difference", [Cell::words(&finding.first_difference)]);
        if let Some(Record { difference, .. }) = &record {
            rows.row("the reference shows", [Cell::words(&difference.left)]);
            rows.row("the other shows", [Cell::words(&difference.right)]);
        }
        rows.row("look first at", [Cell::words(&finding.triage)]);
        rows.row("origin", [Cell::words(format!("seed {}, case {}", finding.seed, finding.index))]);
    });
    html.simple("p", "See it again:");
    html.listing("The command that repeats it", &finding.replay);
    match file("reduced.wast") {
        Some(script) => {
            html.simple("p", "Reduced:");
            html.listing("The reduced script", shortened(&script));
        }
        None => html.element("p", &[("class", "soft")], |html| {
            let why = record.as_ref().and_then(|record| record.not_reduced.as_deref());
            html.text(why.map_or("Not reduced.".into(), |why| format!("Not reduced: {why}.")));
        }),
    }
    let reduction = record.and_then(|record| record.reduced);
    if let Some(place) = reduction.and_then(|reduction| reduction.localised) {
        html.simple("p", "Where they part in it:");
        html.listing("The instruction, and what was made of it", shortened(&place.to_string()));
    }
    if let Some(page) = file("finding.md") {
        html.details("Everything that is known", |html| html.listing("finding.md", shortened(&page)));
    }
}

/// Where the finding is now: below one of the night's folders, wherever they were moved to.
fn folder(night: &Night, finding: &FindingEntry) -> Option<PathBuf> {
    let name = Path::new(&finding.path).file_name()?;
    night.folders.iter().map(|folder| folder.join("findings").join(name)).find(|folder| folder.is_dir())
}

fn shortened(text: &str) -> &str {
    let end = text.floor_char_boundary(LISTING_BYTES);
    text[..end].trim_end()
}
