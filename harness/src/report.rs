//! Totals as people read them and as machines do. Runs nothing, judges nothing.
//!
//! `spec` and `fuzz` are what runs add up to, as JSON under a common `header`; two shards of the same work make the
//! whole. `standing` says what got better or worse between two runs of scripts, one of which may be the blessed page
//! that `conformance` writes and reads. `night` reads folders of runs, and the rest shows them: `summary` on a
//! terminal, `junit` to systems that show test results, `page` in a browser (`html` and `chart` are what it is
//! written with).

mod chart;
pub mod conformance;
pub mod fuzz;
pub mod header;
mod html;
mod junit;
pub mod night;
mod page;
pub mod spec;
pub mod standing;
mod summary;

pub use header::{Clock, Times};
pub use summary::{fuzz_summary, since_summary, spec_summary};

use crate::corpus::write_whole;
use night::{Night, Point, Since};
use page::Story;
use serde::Serialize;
use std::path::Path;

/// The page of a run, in its folder.
pub const PAGE_FILE: &str = "report.html";
/// A run as JUnit XML, in its folder.
pub const JUNIT_FILE: &str = "junit.xml";
/// A run and what it was held against, as JSON, in its folder.
pub const WHOLE_FILE: &str = "report.json";

/// `report.json`.
#[derive(Serialize)]
struct Whole<'a> {
    schema: u32,
    name: &'a str,
    green: bool,
    state: &'static str,
    missing: Vec<String>,
    spec: &'a Option<spec::Spec>,
    fuzz: &'a Option<fuzz::Fuzz>,
    since: &'a Option<Since>,
    trend: &'a [Point],
}

/// The last of some nights, beside the one before it and all others, as text: JSON, JUnit and the page.
pub struct Rendered {
    /// `report.json`.
    pub json: String,
    /// `junit.xml`.
    pub junit: String,
    /// `report.html`.
    pub page: String,
    /// What is different since the night before.
    pub since: Option<Since>,
}

impl Rendered {
    /// Renders the last of some nights, the earliest of which comes first.
    pub fn of(nights: &[Night]) -> Option<Rendered> {
        let (night, earlier) = nights.split_last()?;
        let since = earlier.last().map(|before| night.since(before));
        let trend: Vec<Point> = nights.iter().map(Night::point).collect();
        let whole = Whole {
            schema: 1,
            name: &night.name,
            green: night.is_green(),
            state: night.state().word(),
            missing: night.missing(),
            spec: &night.spec,
            fuzz: &night.fuzz,
            since: &since,
            trend: &trend,
        };
        let page = page::page(&Story { night, since: since.as_ref(), trend: &trend });
        Some(Rendered { json: pretty(&whole), junit: junit::junit(night), page, since })
    }

    /// Writes all of it into a folder. Fails with a line that names the file.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        for (name, text) in [(WHOLE_FILE, &self.json), (JUNIT_FILE, &self.junit), (PAGE_FILE, &self.page)] {
            write_text(&folder.join(name), text)?;
        }
        Ok(())
    }
}

/// Writes a JSON file whole or not at all; fails with a line that names it.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), String> {
    write_text(path, &pretty(value))
}

/// Writes a text whole or not at all; fails with a line that names the file.
pub fn write_text(path: &Path, text: &str) -> Result<(), String> {
    write_whole(path, text.as_bytes()).map_err(|error| format!("{}: cannot write: {error}", path.display()))
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("a report always has a text") + "\n"
}
