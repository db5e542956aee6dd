//! Tables for people: times of the engine that the others are compared with, ratios for the others.

use crate::Row;
use crate::compile::Step;
use crate::contestants::{BASELINE, Group};
use crate::measure::geometric_mean;
use std::fmt::Write;

/// Columns of numbers are this wide.
const WIDTH: usize = 13;

/// A line a kernel, a column an engine, and the geometric means. Ratios above 1 are slower.
pub fn kernels(group: &Group, rows: &[Row]) -> String {
    let mut out = String::new();
    let unit_index = group.unit_index();
    let unit = format!("{}, ms", group.unit);
    let _ = write!(out, "{:<42}{unit:>WIDTH$}", group.title);
    let others: Vec<_> = group.names().enumerate().filter(|(index, _)| *index != unit_index).collect();
    for (_, name) in &others {
        let _ = write!(out, "{name:>WIDTH$}");
    }
    out.push('\n');
    let mut ratios = vec![Vec::new(); others.len()];
    for row in rows {
        let unit = row.median_ms(unit_index);
        let shown = unit.map_or("-".to_string(), |unit| format!("{unit:.1}"));
        let _ = write!(out, "{:<12}{:<30}{shown:>WIDTH$}", row.kernel.name, row.kernel.about);
        for ((index, _), ratios) in others.iter().zip(&mut ratios) {
            let shown = match row.ratio(*index, unit_index) {
                Some(ratio) => {
                    ratios.push(ratio);
                    format!("{ratio:.2}")
                }
                None => "-".to_string(),
            };
            let _ = write!(out, "{shown:>WIDTH$}");
        }
        out.push('\n');
    }
    let _ = write!(out, "{:<42}{:>WIDTH$}", "geometric mean", "1");
    for ratios in ratios {
        let mean = geometric_mean(&ratios).map_or("-".to_string(), |mean| format!("{mean:.2}"));
        let _ = write!(out, "{mean:>WIDTH$}");
    }
    out.push('\n');
    out
}

/// A line a step: its time and its ratio to eager translation in the engine the others are compared with.
pub fn steps(file: &str, bytes: usize, steps: &[Step]) -> String {
    let unit = steps.iter().find(|step| step.name == BASELINE).and_then(|step| step.times.as_ref().ok());
    let unit = unit.map(crate::measure::Samples::median_ms);
    let mut out = format!("{file}, {bytes} bytes\n{:<30}{:>WIDTH$}{:>WIDTH$}\n", "", "ms", "ratio");
    for step in steps {
        let _ = match &step.times {
            Ok(samples) => {
                let median = samples.median_ms();
                let ratio = unit.map_or("-".to_string(), |unit| format!("{:.2}", median / unit));
                writeln!(out, "{:<30}{median:>WIDTH$.3}{ratio:>WIDTH$}", step.name)
            }
            Err(reason) => writeln!(out, "{:<30}{:>WIDTH$}  {reason}", step.name, "-"),
        };
    }
    out
}

impl Row {
    /// An engine's median.
    pub fn median_ms(&self, engine: usize) -> Option<f64> {
        Some(self.engines[engine].as_ref().ok()?.median_ms())
    }

    /// An engine's median by that of another.
    pub fn ratio(&self, engine: usize, unit: usize) -> Option<f64> {
        Some(self.median_ms(engine)? / self.median_ms(unit)?)
    }
}
