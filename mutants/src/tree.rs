//! A copy of the workspace in which every drawn mutant is written, each switched on by its number.
//!
//! One build has all of them: the text `(if mutant::on(7) { a <= b } else { a < b })` stands where `a < b` stood. What
//! the compiler refuses is thrown out and others are drawn instead, until all of it compiles.

use crate::mutant::Mutant;
use crate::room::read;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The environment variable with the number of the mutant that is switched on.
pub const CHOSEN: &str = "CROSSCHECK_MUTANT";
/// The environment variable with the file that is made when the mutant is first executed.
pub const REACHED: &str = "CROSSCHECK_MUTANT_REACHED";

/// What the engine is given so that it knows which mutant is switched on. It is part of the copy alone.
const HOOK: &str = include_str!("hook.rs.txt");

/// Folders that are copied, and files beside them.
const COPIED: &[&str] = &["Cargo.toml", "Cargo.lock", "engine", "harness", "spec-tests", "corpus", "reports"];

/// The copy.
pub struct Tree {
    /// Where it is.
    pub root: PathBuf,
    /// Where the mutants stand in each of its files, by number.
    written: BTreeMap<PathBuf, Vec<(usize, Range<usize>)>>,
}

impl Tree {
    /// Copies the workspace at `source` to `root`. Fails on what cannot be copied.
    pub fn copy(source: &Path, root: &Path) -> Result<Tree, String> {
        for name in COPIED {
            copy(&source.join(name), &root.join(name))?;
        }
        let manifest = root.join("Cargo.toml");
        let text = read(&manifest)?;
        let members =
            |line: &str| match line.starts_with("members = ") || line.starts_with("default-members = ") {
                true => format!(
                    "{} [\"engine\", \"harness\", \"spec-tests\"]",
                    line.split_inclusive('=').next().unwrap_or_default()
                ),
                false => line.to_string(),
            };
        write(&manifest, &text.lines().map(members).collect::<Vec<_>>().join("\n"))?;
        write(&root.join("engine/src/mutant.rs"), HOOK)?;
        let library = root.join("engine/src/lib.rs");
        let text = read(&library)?;
        let place = text.find("\nmod config;").ok_or("engine/src/lib.rs has no `mod config;`")?;
        let (before, after) = text.split_at(place);
        write(
            &library,
            &format!("{before}\nextern crate self as crosscheck_engine;\npub mod mutant;{after}"),
        )?;
        let main = root.join("harness/src/main.rs");
        let text = read(&main)?;
        let started = text.replace(
            "crosscheck::cli::main()",
            "crosscheck_engine::mutant::switch_on();\n    crosscheck::cli::main()",
        );
        write(&main, &started)?;
        Ok(Tree { root: root.to_path_buf(), written: BTreeMap::new() })
    }

    /// Writes mutants into the copy, each by its place in the list, and nothing else.
    pub fn write(&mut self, source: &Path, mutants: &[Mutant]) -> Result<(), String> {
        let mut files: BTreeMap<&Path, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in mutants.iter().enumerate() {
            files.entry(&mutant.file).or_default().push((number, mutant));
        }
        let before = std::mem::take(&mut self.written);
        // What had a mutant before and has none now.
        for file in before.keys().filter(|file| !files.contains_key(file.as_path())) {
            write(&self.root.join(file), &read(&source.join(file))?)?;
        }
        for (file, mut mutants) in files {
            mutants.sort_by_key(|(_, mutant)| mutant.range.start);
            let text = read(&source.join(file))?;
            let (mut out, mut places, mut done) = (String::new(), Vec::new(), 0);
            for (number, mutant) in mutants {
                out.push_str(&text[done..mutant.range.start]);
                let from = out.len();
                // An insertion replaces nothing.
                match mutant.range.is_empty() {
                    true => out.push_str(&format!(
                        "if ::crosscheck_engine::mutant::on({number}) {{ {} }} ",
                        mutant.replacement
                    )),
                    false => out.push_str(&mutant.switchable(number)),
                }
                places.push((number, from..out.len()));
                done = mutant.range.end;
            }
            out.push_str(&text[done..]);
            let path = self.root.join(file);
            // Cargo looks at the time of a file: what is the same stays.
            if read(&path)? != out {
                write(&path, &out)?;
            }
            self.written.insert(file.to_path_buf(), places);
        }
        Ok(())
    }

    /// The numbers of the mutants that do not compile; none if all do. Fails if the compiler fails without naming one.
    pub fn spoilt(&self) -> Result<Vec<usize>, String> {
        let output = self
            .cargo("check")
            .args(["--message-format", "json", "-p", "crosscheck-engine", "-p", "crosscheck", "--keep-going"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        if output.status.success() {
            return Ok(Vec::new());
        }
        let mut spoilt = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(Message { message: Some(message) }) = serde_json::from_str::<Message>(line) else {
                continue;
            };
            if message.level == "error" {
                spoilt.extend(self.blamed(&message));
            }
        }
        spoilt.sort_unstable();
        spoilt.dedup();
        if spoilt.is_empty() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("the copy does not compile, and no mutant is to blame:\n{text}"));
        }
        Ok(spoilt)
    }

    /// The mutants that an error is about: those in its spans, or the nearest of the file.
    fn blamed(&self, message: &Error) -> Vec<usize> {
        let mut blamed = Vec::new();
        for is_primary in [true, false] {
            for span in message.spans.iter().filter(|span| span.is_primary == is_primary) {
                let Some(places) = self.written.get(Path::new(&span.file_name)) else { continue };
                let inside = places
                    .iter()
                    .filter(|(_, place)| place.start < span.byte_end && span.byte_start < place.end);
                blamed.extend(inside.map(|(number, _)| *number));
            }
            if !blamed.is_empty() {
                return blamed;
            }
        }
        for span in message.spans.iter().filter(|span| span.is_primary) {
            let Some(places) = self.written.get(Path::new(&span.file_name)) else { continue };
            let nearest = places.iter().min_by_key(|(_, place)| place.start.abs_diff(span.byte_start));
            blamed.extend(nearest.map(|(number, _)| *number));
        }
        blamed
    }

    /// The program that is built of the copy at `root`.
    pub fn program(root: &Path) -> PathBuf {
        root.join("target/release/crosscheck")
    }

    /// Builds the program. Fails with what the compiler says.
    pub fn build(&self) -> Result<(), String> {
        let output = self
            .cargo("build")
            .args(["--release", "-p", "crosscheck"])
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Cargo, told to build sooner rather than faster code: nothing is measured here.
    fn cargo(&self, what: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(&self.root)
            .arg(what)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("RUSTFLAGS", "-Awarnings")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        command
    }
}

#[derive(Deserialize)]
struct Message {
    message: Option<Error>,
}

#[derive(Deserialize)]
struct Error {
    level: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

/// Copies a file, or a folder without what cargo built in it, over what is there; what is the same is not touched.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let fails = |error: std::io::Error| format!("{}: {error}", from.display());
    if !from.is_dir() {
        let bytes = std::fs::read(from).map_err(fails)?;
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(fails)?;
        }
        let is_same = std::fs::read(to).is_ok_and(|there| there == bytes);
        return if is_same { Ok(()) } else { std::fs::write(to, bytes).map_err(fails) };
    }
    for entry in std::fs::read_dir(from).map_err(fails)? {
        let entry = entry.map_err(fails)?;
        if entry.file_name() != "target" {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
