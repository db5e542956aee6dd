//! The page: one self-contained HTML file that says first whether all is well, what changed, in which mode, and where
//! to start; then everything that was measured.
//!
//! Nothing on it comes from elsewhere. A section is a function; sections are in the order in which people ask.

mod answers;
mod campaign;
mod coverage;
mod findings;
mod suite;
mod trend;

pub use findings::apart;

use super::html::Html;
use super::night::{Night, Point, Since};

/// Everything that the page tells of.
pub struct Story<'a> {
    /// The night it is about.
    pub night: &'a Night,
    /// What changed since the one before, if there was one.
    pub since: Option<&'a Since>,
    /// All nights that are known, this one last.
    pub trend: &'a [Point],
}

/// A part of the page: what people call it, its place, whether there is anything to say, and what.
type Section = (&'static str, &'static str, fn(&Story<'_>) -> bool, fn(&mut Html, &Story<'_>));

const SECTIONS: [Section; 7] = [
    ("Findings", "findings", findings::has_any, findings::write),
    ("Verdicts by mode and lane", "verdicts", campaign::has_any, campaign::verdicts),
    ("Suite", "suite", suite::has_any, suite::write),
    ("Coverage by opcode", "coverage", coverage::has_any, coverage::write),
    ("Campaign", "campaign", campaign::has_any, campaign::write),
    ("Trend", "trend", trend::has_any, trend::write),
    ("Build", "build", |_| true, campaign::build),
];

/// The page.
pub fn page(story: &Story<'_>) -> String {
    let mut html = Html::default();
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| {
            html.void("meta", &[("charset", "utf-8")]);
            html.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            html.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            let word = story.night.state().word();
            html.simple("title", format!("Crosscheck {}: {word}", story.night.name));
            html.style(include_str!("page/style.css"));
        });
        html.element("body", &[], |html| body(html, story));
    });
    format!("<!DOCTYPE html>\n{}\n", html.finish())
}

fn body(html: &mut Html, story: &Story<'_>) {
    html.element("a", &[("class", "skip"), ("href", "#answers")], |html| html.text("Skip to the verdict"));
    html.element("header", &[], |html| {
        html.simple("h1", format!("Crosscheck: {}", story.night.name));
        html.element("nav", &[("aria-label", "Sections")], |html| {
            html.element("ul", &[], |html| {
                for (title, id, _, _) in SECTIONS.iter().filter(|(_, _, has_any, _)| has_any(story)) {
                    html.element("li", &[], |html| {
                        html.element("a", &[("href", &format!("#{id}"))], |html| html.text(title));
                    });
                }
            });
        });
    });
    html.element("main", &[("id", "answers")], |html| {
        answers::write(html, story);
        for (title, id, _, write) in SECTIONS.iter().filter(|(_, _, has_any, _)| has_any(story)) {
            let heading = format!("{id}-heading");
            html.element("section", &[("id", id), ("aria-labelledby", &heading)], |html| {
                html.element("h2", &[("id", &heading)], |html| html.text(title));
                write(html, story);
            });
        }
    });
}
