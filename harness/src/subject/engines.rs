//! A file of engines, in TOML: what `--engines FILE` reads.
//!
//! ```toml
//! [engine.wabt]
//! command = "wasm-interp --enable-all --run-all-exports FILE"
//! min_judged = 50
//!
//! [engine.ours]
//! library = "build/libours.so"
//!
//! [engine.theirs]
//! protocol = "python3 driver.py"
//!
//! [engine.wasm3]
//! preset = "wasm3"
//! program = "/opt/wasm3/bin/wasm3"
//! features = ["bulk-memory"]
//! script = "wasm3-spec SCRIPT"
//! ```

use super::probe::features::probes;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use wasmparser::WasmFeatures;

/// Stands in the command that runs a script for the script's file.
const SCRIPT: &str = "SCRIPT";

/// An engine of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Engine {
    /// What it is called.
    pub name: String,
    /// What [`named`](super::named) makes the subject from.
    pub definition: String,
    /// What it executes, if the file says so; else it is asked.
    pub features: Option<WasmFeatures>,
    /// The smallest share of cases that it must be compared on, in percent, if the file says so.
    pub min_judged: Option<f64>,
    /// The command that runs a whole script, with the word `SCRIPT` where its file goes, if the engine has one.
    pub script: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    engine: BTreeMap<String, Spanned<Row>>,
}

/// A table of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    command: Option<String>,
    library: Option<String>,
    protocol: Option<String>,
    preset: Option<String>,
    program: Option<String>,
    features: Option<Vec<String>>,
    min_judged: Option<f64>,
    script: Option<String>,
}

/// The engines of a file. Fails with one line that says where it is wrong, and what was expected.
pub fn read(path: &Path) -> Result<Vec<Engine>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|(line, message)| format!("{}:{line}: {message}", path.display()))
}

/// The engines of a file's text; else a line and what is wrong there.
fn parse(text: &str) -> Result<Vec<Engine>, (usize, String)> {
    let line = |span: Range<usize>| text[..span.start.min(text.len())].matches('\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|error| {
        let message = error.message().trim().replace('\n', ", ");
        (error.span().map_or(1, line), message)
    })?;
    let engines: Result<Vec<Engine>, _> = file
        .engine
        .into_iter()
        .map(|(name, row)| {
            let place = line(row.span());
            let wrong = |why| (place, format!("engine `{name}`: {why}"));
            row.into_inner().engine(&name).map_err(wrong)
        })
        .collect();
    match engines?.as_slice() {
        [] => Err((1, "expected a table `[engine.NAME]`".to_string())),
        engines => Ok(engines.to_vec()),
    }
}

impl Row {
    fn engine(self, name: &str) -> Result<Engine, String> {
        let what = match (&self.command, &self.library, &self.protocol, &self.preset) {
            (Some(command), None, None, None) => command.clone(),
            (None, Some(path), None, None) => format!("lib:{path}"),
            (None, None, Some(command), None) => format!("pipe:{command}"),
            (None, None, None, Some(preset)) => match &self.program {
                Some(program) => format!("preset:{preset} {}", shell_words::quote(program)),
                None => format!("preset:{preset}"),
            },
            _ => return Err("expected one of `command`, `library`, `protocol` and `preset`".to_string()),
        };
        if self.program.is_some() && self.preset.is_none() {
            return Err("`program` belongs to a `preset`".to_string());
        }
        if self.features.is_some() && self.command.is_none() && self.preset.is_none() {
            return Err("`features` can be said of commands only; other engines are asked".to_string());
        }
        if self.min_judged.is_some_and(|share| !(0.0..=100.0).contains(&share)) {
            return Err("`min_judged`: expected a share from 0 to 100".to_string());
        }
        if self.script.is_some() && self.command.is_none() && self.preset.is_none() {
            return Err(
                "`script` can be said of commands only; other engines run directive by directive".into()
            );
        }
        if self.script.as_ref().is_some_and(|script| !script.contains(SCRIPT)) {
            return Err(format!("`script`: expected the word {SCRIPT}, where the script's file goes"));
        }
        let features = self.features.map(|names| features(&names)).transpose()?;
        let definition = format!("{name}={what}");
        let (min_judged, script) = (self.min_judged, self.script);
        Ok(Engine { name: name.to_string(), definition, features, min_judged, script })
    }
}

/// What features an engine has of which these are named. Fails with what names there are.
fn features(names: &[String]) -> Result<WasmFeatures, String> {
    let mut has = WasmFeatures::WASM1;
    for name in names {
        let probe = probes().iter().find(|probe| probe.name.replace(' ', "-") == *name);
        has |= probe.map(|probe| probe.feature).ok_or_else(|| {
            let known: Vec<String> = probes().iter().map(|probe| probe.name.replace(' ', "-")).collect();
            format!("`features`: there is no `{name}`; there is {}", known.join(", "))
        })?;
    }
    Ok(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_engine_has_its_definition() {
        let text = r#"
            [engine.a]
            command = "x NAME FILE"
            [engine.b]
            library = "/l.so"
            min_judged = 7
            [engine.c]
            protocol = "python3 d.py"
            [engine.d]
            preset = "wasm3"
            program = "/my programs/wasm3"
            features = ["bulk-memory"]
            script = "s SCRIPT"
        "#;
        let engines = parse(text).expect("it is right");
        let definitions: Vec<&str> = engines.iter().map(|engine| engine.definition.as_str()).collect();
        assert_eq!(
            definitions,
            ["a=x NAME FILE", "b=lib:/l.so", "c=pipe:python3 d.py", "d=preset:wasm3 '/my programs/wasm3'"]
        );
        assert_eq!(engines[1].min_judged, Some(7.0));
        assert_eq!(engines[3].features, Some(WasmFeatures::WASM1 | WasmFeatures::BULK_MEMORY));
        assert_eq!(engines[3].script.as_deref(), Some("s SCRIPT"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_line() {
        let wrong = |text: &str| parse(text).expect_err("it is wrong");
        let (line, message) = wrong("[engine.a]\ncommand = \"x FILE\"\nspeed = 3\n");
        assert_eq!(line, 3);
        assert!(message.contains("unknown field `speed`"), "{message}");
        let (line, message) = wrong("\n[engine.a]\ncommand = 3\n");
        assert_eq!(line, 3);
        assert!(message.contains("invalid type: integer `3`, expected a string"), "{message}");
        assert_eq!(wrong("[engine.a\n").0, 1);
        assert_eq!(wrong("").1, "expected a table `[engine.NAME]`");
        let one = "engine `b`: expected one of `command`, `library`, `protocol` and `preset`";
        let (line, message) = wrong("[engine.a]\npreset = \"wasm3\"\n[engine.b]\nmin_judged = 3\n");
        assert_eq!((line, message.as_str()), (3, one));
        assert!(
            wrong("[engine.a]\ncommand = \"x\"\nfeatures = [\"speed\"]").1.contains("there is no `speed`")
        );
        assert!(wrong("[engine.a]\ncommand = \"x\"\nmin_judged = 101").1.contains("from 0 to 100"));
        assert!(wrong("[engine.a]\nlibrary = \"x\"\nprogram = \"y\"").1.contains("belongs to a `preset`"));
        assert!(wrong("[engine.a]\ncommand = \"x\"\nscript = \"y\"").1.contains("expected the word SCRIPT"));
    }
}
