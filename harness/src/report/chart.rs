//! Small charts as SVG in the page.

use super::html::Html;

/// How large a chart is in its own units; on the page it is as wide as there is room.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 140.0;
/// Room left of the lines for figures, and below for what the first and last values are of.
const LEFT: f64 = 52.0;
const BELOW: f64 = 20.0;
const ABOVE: f64 = 10.0;

/// A row of values, left to right; a gap where there is none.
pub struct Series<'a> {
    /// What it shows.
    pub title: &'a str,
    /// The values.
    pub values: &'a [Option<f64>],
    /// What the first and the last value are of.
    pub ends: (&'a str, &'a str),
    /// A word for each value, for those who ask.
    pub labels: &'a [String],
}

/// Draws values as a line from zero, with a point each if there are few.
pub fn line(html: &mut Html, series: &Series<'_>) {
    let most = series.values.iter().flatten().copied().fold(0.0, f64::max).max(1e-9);
    let top = nice(most);
    let count = series.values.len();
    let x = |at: usize| {
        let part = if count < 2 { 0.5 } else { at as f64 / (count - 1) as f64 };
        LEFT + part * (WIDTH - LEFT - 12.0)
    };
    let y = |value: f64| HEIGHT - BELOW - value / top * (HEIGHT - BELOW - ABOVE);
    let last = series.values.iter().rev().flatten().next().map_or("nothing".into(), |last| short(*last));
    let told =
        format!("{}: {} values, the last is {last}, the greatest {}", series.title, count, short(most));
    let size = format!("0 0 {WIDTH} {HEIGHT}");
    html.element("figure", &[], |html| {
        html.simple("figcaption", series.title);
        html.element("svg", &[("viewBox", &size), ("role", "img"), ("aria-label", &told)], |html| {
            for part in [0.0, 0.5, 1.0] {
                let at = y(top * part);
                rule(html, at);
                label(html, LEFT - 6.0, at + 4.0, "end", &short(top * part));
            }
            let mut path = String::new();
            for (at, value) in series.values.iter().enumerate() {
                let Some(value) = value else { continue };
                let starts = at == 0 || series.values[at - 1].is_none();
                path += &format!("{}{:.1} {:.1} ", if starts { "M" } else { "L" }, x(at), y(*value));
            }
            html.element("path", &[("class", "line"), ("d", path.trim_end())], |_| ());
            if count <= 60 {
                for (at, value) in series.values.iter().enumerate() {
                    let Some(value) = value else { continue };
                    let (cx, cy) = (format!("{:.1}", x(at)), format!("{:.1}", y(*value)));
                    html.element("circle", &[("cx", &cx), ("cy", &cy), ("r", "3")], |html| {
                        let of = series.labels.get(at).map_or("", String::as_str);
                        html.simple("title", format!("{of}: {}", short(*value)));
                    });
                }
            }
            label(html, LEFT, HEIGHT - 4.0, "start", series.ends.0);
            label(html, WIDTH - 12.0, HEIGHT - 4.0, "end", series.ends.1);
        });
    });
}

fn rule(html: &mut Html, at: f64) {
    let (y, end, left) = (format!("{at:.1}"), format!("{:.0}", WIDTH - 12.0), format!("{LEFT:.0}"));
    html.element("line", &[("x1", &left), ("x2", &end), ("y1", &y), ("y2", &y)], |_| ());
}

fn label(html: &mut Html, x: f64, y: f64, anchor: &str, text: &str) {
    let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
    html.element("text", &[("x", &x), ("y", &y), ("text-anchor", anchor)], |html| html.text(text));
}

/// The least of 1, 2 and 5 times a power of ten that is not less.
fn nice(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|part| part * power).find(|nice| *nice >= value).unwrap_or(value)
}

/// A number in few characters.
pub fn short(value: f64) -> String {
    match value {
        value if value >= 9_999_500.0 => format!("{:.0}M", value / 1e6),
        value if value >= 999_500.0 => format!("{:.1}M", value / 1e6),
        value if value >= 9_999.5 => format!("{:.0}k", value / 1e3),
        value if value >= 10.0 || value.fract() == 0.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.7, 1.0, 3.2, 740.0, 2001.0].map(nice), [1.0, 1.0, 5.0, 1000.0, 5000.0]);
        assert_eq!([0.5, 7.0, 1500.4, 48_000.0, 1_250_000.0].map(short), ["0.5", "7", "1500", "48k", "1.2M"]);
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let mut html = Html::default();
        let values = [Some(1.0), None, Some(1.0), Some(0.0)];
        line(&mut html, &Series { title: "t", values: &values, ends: ("a", "b"), labels: &[] });
        let text = html.finish();
        let path = text.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a path");
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1), "{path}");
    }
}
