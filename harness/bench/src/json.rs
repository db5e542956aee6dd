//! The same for machines, every sample included.

use crate::Row;
use crate::compile::Step;
use crate::contestants::Group;
use crate::measure::Samples;
use serde_json::{Map, Value as Json, json};

/// Every kernel with the samples of every engine of a group.
pub fn rows(group: &Group, rows: &[Row]) -> Vec<Json> {
    let row = |row: &Row| {
        let engines = group.names().zip(&row.engines).enumerate();
        let engines: Map<String, Json> = engines
            .map(|(index, (name, samples))| {
                let mut seen = samples_json(samples);
                seen["ratio"] = json!(row.ratio(index, group.unit_index()));
                (name.to_string(), seen)
            })
            .collect();
        json!({
            "kernel": row.kernel.name,
            "argument": row.kernel.argument,
            "checksum": format!("{:#018x}", row.kernel.expected),
            "group": group.title,
            "unit": group.unit,
            "engines": engines,
        })
    };
    rows.iter().map(row).collect()
}

/// Every step of one file.
pub fn steps(file: &str, bytes: usize, steps: &[Step]) -> Json {
    let steps: Map<String, Json> =
        steps.iter().map(|step| (step.name.clone(), samples_json(&step.times))).collect();
    json!({"file": file, "bytes": bytes, "steps": steps})
}

fn samples_json(samples: &Result<Samples, String>) -> Json {
    match samples {
        Ok(samples) => json!({"median_ms": samples.median_ms(), "samples_ms": samples.all_ms()}),
        Err(reason) => json!({"refused": reason}),
    }
}
