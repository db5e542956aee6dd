//! How counts went from night to night.

use super::Story;
use crate::report::chart::{self, Series, short};
use crate::report::html::{Cell, Html};
use crate::report::night::Point;

/// What is drawn of a night: its title, and the value if the night has one.
type Line = (&'static str, fn(&Point) -> Option<f64>);

const LINES: [Line; 6] = [
    ("Assertions that passed, all modes together", |point| point.passed.map(|count| count as f64)),
    ("Assertions that failed", |point| point.failed.map(|count| count as f64)),
    ("Assertions that were skipped", |point| point.skipped.map(|count| count as f64)),
    ("Kinds of finding", |point| point.findings.map(|count| count as f64)),
    ("Cases", |point| point.cases.map(|count| count as f64)),
    ("Cases a CPU-second", |point| point.cases_per_cpu_s),
];

/// Whether there is more than one night.
pub fn has_any(story: &Story<'_>) -> bool {
    story.trend.len() > 1
}

/// Writes the section.
pub fn write(html: &mut Html, story: &Story<'_>) {
    let (Some(first), Some(last)) = (story.trend.first(), story.trend.last()) else { return };
    let labels: Vec<String> = story.trend.iter().map(|point| point.name.clone()).collect();
    html.element("div", &[("class", "charts")], |html| {
        for (title, of) in LINES {
            let values: Vec<Option<f64>> = story.trend.iter().map(of).collect();
            if values.iter().flatten().count() > 1 {
                let ends = (&*first.name, &*last.name);
                chart::line(html, &Series { title, values: &values, ends, labels: &labels });
            }
        }
    });
    html.details("The same in figures", |html| {
        let columns =
            ["night", "passed", "failed", "skipped", "findings", "cases", "cases a CPU-second", "commit"];
        html.table("Nights, the earliest first", &columns, |rows| {
            for point in story.trend {
                let count =
                    |count: Option<u64>| Cell::number(count.map_or("–".into(), |count| count.to_string()));
                let Point { passed, failed, skipped, findings, cases, cases_per_cpu_s, .. } = point;
                let rate = Cell::number(cases_per_cpu_s.map_or("–".into(), short));
                let counts = [*passed, *failed, *skipped, *findings, *cases].map(count);
                rows.row(&point.name, counts.into_iter().chain([rate, Cell::words(&point.commit)]));
            }
        });
    });
}
