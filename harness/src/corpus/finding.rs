//! A finding on disk: a folder with the case, its modules, `finding.json` for machines and `finding.md` for people;
//! once it was looked into, also the script and the case it was reduced to.

use super::{Started, building, write_whole};
use crate::case::Case;
use crate::compare::{Difference, Divergence};
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::localise::Localisation;
use crate::subject::{Definitions, is_outside};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What became of a finding that was looked into.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reduction {
    /// How the reduced case diverges; its modes are one of each group.
    pub fingerprint: Fingerprint,
    /// The first difference of the reduced case.
    pub first_difference: String,
    /// What makes it the same bug as another, by what its simplest relative shows.
    pub bug: Fingerprint,
    /// The simplest relative as a script, if there is one.
    #[serde(default)]
    pub relative: Option<String>,
    /// Why there is none.
    #[serde(default)]
    pub no_relative: Option<String>,
    /// Whether taking away what the name of the bug tells was tried, and nothing differed any more.
    #[serde(default)]
    pub is_tried: bool,
    /// Bytes of the reduced modules.
    pub wasm_bytes: usize,
    /// Bytes of their function bodies.
    pub code_bytes: usize,
    /// Cases that were tried.
    pub tried: u64,
    /// Seconds it took.
    pub seconds: f64,
    /// Where subjects part in the reduced case, if that was found out.
    pub localised: Option<Localisation>,
    /// Why it was not.
    pub not_localised: Option<String>,
}

/// How sure it is that two findings of one name of a bug are of one bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kinship {
    /// The same bug.
    Same,
    /// Perhaps the same: nothing that was tried tells them apart, and nothing says that they are one.
    Perhaps,
}

impl Reduction {
    /// How sure it is that this is of the same bug as an earlier one of the same name.
    ///
    /// Between our modes the name of a bug with a relative says it: their lanes show what it takes to make a bug. An
    /// outside engine is one party that has no lanes, so its names say less. There the same experiment must say so, or
    /// the subjects must part at the same instruction and differ in the same way first.
    pub fn kinship(&self, earlier: &Reduction) -> Kinship {
        let is_related = self.no_relative.is_none() && earlier.no_relative.is_none();
        let opcode = |reduction: &Reduction| {
            let place = reduction.localised.as_ref().and_then(|localised| localised.place.as_ref());
            place.map(|place| place.opcode)
        };
        let is_same = if self.bug.is_about_outside() {
            let parts_alike = opcode(self).is_some()
                && opcode(self) == opcode(earlier)
                && self.fingerprint.what() == earlier.fingerprint.what();
            self.is_tried && earlier.is_tried || is_related && parts_alike
        } else {
            is_related
        };
        if is_same { Kinship::Same } else { Kinship::Perhaps }
    }
}

/// The name of the file that holds a finding's case.
pub const CASE_FILE: &str = "case.xchk";
/// The name of the script that a finding was reduced to.
pub const REDUCED_FILE: &str = "reduced.wast";
/// The name of the case that a finding was reduced to.
const REDUCED_CASE_FILE: &str = "reduced.xchk";
/// The name of the file that says what a finding is.
const RECORD_FILE: &str = "finding.json";
/// The same for people.
const PAGE_FILE: &str = "finding.md";

/// The name of the file with all that the subjects of a finding showed.
const SEEN_FILE: &str = "observations.json";

/// `finding.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    schema: u32,
    /// What makes it the same bug as another.
    pub fingerprint: String,
    seed: u64,
    index: u64,
    generator: String,
    /// Subjects that agree with one another, the reference's group first.
    pub subjects: Vec<Vec<String>>,
    /// What subjects are whose name alone does not say it.
    #[serde(default)]
    pub definitions: Definitions,
    kind: String,
    first_difference: String,
    /// What differs first, with both sides.
    pub difference: Difference,
    triage: String,
    replay: String,
    commit: String,
    rustc: String,
    arch: String,
    /// What it was reduced to, if it was.
    pub reduced: Option<Reduction>,
    /// Why it was not reduced, if that was tried.
    pub not_reduced: Option<String>,
}

impl Finding {
    /// The name of its folder: what it is and where it came from.
    pub fn folder_name(&self) -> String {
        format!("{}-{}-{}", self.divergence.fingerprint().short(), self.seed, self.index)
    }

    /// The one command that repeats it, from the folder it was saved in: on the lanes that it was found with, for a
    /// switch may be what it takes, and started as the campaign was.
    pub fn replay_command(&self, folder: &Path, started: &Started) -> String {
        let names = || self.divergence.groups.iter().flatten().map(String::as_str);
        let (outside, lanes): (Vec<&str>, Vec<&str>) = names().partition(|name| is_outside(name));
        let mut words = vec!["replay".to_string(), folder.display().to_string()];
        words.extend(["--modes".to_string(), lanes.join(",")]);
        for name in outside {
            let definition = self.definitions.get(name).map_or(name, String::as_str);
            words.extend(["--with".to_string(), definition.to_string()]);
        }
        started.command(&words)
    }

    /// Writes the finding as a folder below `findings` and gives its path.
    ///
    /// The folder is filled under another name and renamed when it is complete, so a folder of that name is complete.
    pub fn save(&self, findings: &Path, started: &Started) -> io::Result<PathBuf> {
        let target = findings.join(self.folder_name());
        if target.exists() {
            return Ok(target);
        }
        let building = building(&target);
        if building.exists() {
            fs::remove_dir_all(&building)?;
        }
        fs::create_dir_all(&building)?;
        fs::write(building.join(CASE_FILE), self.case.to_bytes())?;
        for (number, module) in self.case.modules.iter().enumerate() {
            fs::write(building.join(format!("module-{number}.wasm")), &module.wasm)?;
        }
        let record = self.record(&target, started);
        let seen = serde_json::to_string_pretty(&self.seen).expect("observations always have a text");
        fs::write(building.join(SEEN_FILE), seen + "\n")?;
        fs::write(building.join(RECORD_FILE), record.json())?;
        fs::write(building.join(PAGE_FILE), record.page(None))?;
        fs::rename(&building, &target)?;
        Ok(target)
    }

    fn record(&self, folder: &Path, started: &Started) -> Record {
        Record {
            schema: 1,
            fingerprint: self.divergence.fingerprint().to_string(),
            seed: self.seed,
            index: self.index,
            generator: self.generator.clone(),
            subjects: self.divergence.groups.clone(),
            definitions: self.definitions.clone(),
            kind: self.divergence.first.kind.word().into(),
            first_difference: self.divergence.first.to_string(),
            difference: self.divergence.first.clone(),
            triage: self.divergence.triage().to_string(),
            replay: self.replay_command(folder, started),
            commit: env!("CROSSCHECK_COMMIT").into(),
            rustc: env!("CROSSCHECK_RUSTC").into(),
            arch: std::env::consts::ARCH.into(),
            reduced: None,
            not_reduced: None,
        }
    }

    /// The finding that was saved in a folder. Fails with a line that names the file if it cannot be read.
    pub fn load(folder: &Path) -> Result<Finding, String> {
        let record = Record::load(folder)?;
        let path = folder.join(CASE_FILE);
        let bytes = fs::read(&path).map_err(|error| format!("{}: cannot read: {error}", path.display()))?;
        let case = Case::from_bytes(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        let Record { seed, index, generator, subjects, difference, definitions, .. } = record;
        let divergence = Divergence { groups: subjects, first: difference };
        Ok(Finding { seed, index, generator, case, divergence, definitions, seen: Json::Null })
    }
}

impl Record {
    /// What is known of the finding in a folder. Fails with a line that names the file if it cannot be read.
    pub fn load(folder: &Path) -> Result<Record, String> {
        let path = folder.join(RECORD_FILE);
        let bytes = fs::read(&path).map_err(|error| format!("{}: cannot read: {error}", path.display()))?;
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Whether the finding was looked into before.
    pub fn was_looked_into(&self) -> bool {
        self.reduced.is_some() || self.not_reduced.is_some()
    }

    /// Adds what looking into it gave: the reduced case and its script, or why there is none. The record changes
    /// last, so what it names is there.
    pub fn looked_into(
        mut self,
        folder: &Path,
        found: Result<(Reduction, &Case, &str), String>,
    ) -> io::Result<Record> {
        let mut script = None;
        match found {
            Ok((reduction, case, text)) => {
                write_whole(&folder.join(REDUCED_CASE_FILE), &case.to_bytes())?;
                write_whole(&folder.join(REDUCED_FILE), text.as_bytes())?;
                (self.reduced, self.not_reduced) = (Some(reduction), None);
                script = Some(text);
            }
            Err(reason) => self.not_reduced = Some(reason),
        }
        write_whole(&folder.join(PAGE_FILE), self.page(script).as_bytes())?;
        write_whole(&folder.join(RECORD_FILE), self.json().as_bytes())?;
        Ok(self)
    }

    fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a record always has a text") + "\n"
    }

    /// The page for people: what differs, where to look, how to see it again.
    fn page(&self, script: Option<&str>) -> String {
        let Record { difference, .. } = self;
        let mut text = format!("# {}\n\n", self.fingerprint);
        let groups: Vec<String> = self.subjects.iter().map(|group| group.join(" ")).collect();
        let rows = [
            ("who differs", groups.join(" / ")),
            ("first difference", format!("action {}, {}", difference.action, difference.exactly)),
            ("left shows", difference.left.to_string()),
            ("right shows", difference.right.to_string()),
            ("look first at", self.triage.clone()),
            ("origin", format!("seed {}, case {}, generator {}", self.seed, self.index, self.generator)),
            ("build", format!("{} ({}, {})", self.commit, self.rustc, self.arch)),
        ];
        text.push_str("| | |\n| --- | --- |\n");
        for (name, value) in rows {
            let _ = writeln!(text, "| {name} | {} |", value.replace('|', "\\|").replace('\n', " "));
        }
        let _ = writeln!(text, "\nSee it again:\n\n```sh\n{}\n```", self.replay);
        match (&self.reduced, script, &self.not_reduced) {
            (Some(reduction), Some(script), _) => {
                let Reduction { bug, wasm_bytes, code_bytes, tried, seconds, .. } = reduction;
                let _ = writeln!(
                    text,
                    "\nThe bug: {bug}\n\nReduced to {wasm_bytes} bytes of wasm, {code_bytes} of them code \
                     ({tried} cases, {seconds:.1} s):\n\n```wasm\n{}\n```",
                    script.trim_end()
                );
                if let Some(reason) = &reduction.no_relative {
                    let _ = writeln!(text, "\nNo simpler case of the bug was found: {reason}.");
                }
                if let Some(relative) = &reduction.relative {
                    let _ = writeln!(
                        text,
                        "\nThe simplest case of the bug, whatever it shows:\n\n```wasm\n{}\n```",
                        relative.trim_end()
                    );
                }
                match (&reduction.localised, &reduction.not_localised) {
                    (Some(localised), _) => {
                        let _ = writeln!(text, "\nIn the reduced case:\n\n```text\n{localised}\n```");
                    }
                    (None, reason) => {
                        let reason = reason.as_deref().unwrap_or("it was not tried");
                        let _ = writeln!(text, "\nNot localised: {reason}.");
                    }
                }
            }
            (_, _, Some(reason)) => {
                let _ = writeln!(text, "\nNot reduced: {reason}.");
            }
            (_, _, None) => text.push_str("\nNot reduced yet: `crosscheck reduce` does it.\n"),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::localise::{Place, Precision, Side};
    use crosscheck_engine::opcode::Opcode;

    fn named(text: &str) -> Fingerprint {
        Fingerprint::from(text.to_string())
    }

    fn reduction(bug: &str, fingerprint: &str, opcode: Option<&str>) -> Reduction {
        let side = || Side { name: String::new(), shows: Vec::new() };
        let place = |opcode: &str| Place {
            module: 0,
            instance: None,
            function: 0,
            name: String::new(),
            offset: 0,
            opcode: Opcode::from_text(opcode).expect("the test names an opcode"),
            execution: None,
        };
        let localised = opcode.map(|opcode| Localisation {
            precision: Precision::Instruction,
            remark: None,
            action: 0,
            place: Some(place(opcode)),
            operands: Vec::new(),
            difference: String::new(),
            reference: side(),
            guilty: side(),
            wasm: Vec::new(),
            leaves_other_values: false,
            machine_code: Vec::new(),
            runs: 0,
        });
        Reduction {
            fingerprint: named(fingerprint),
            first_difference: String::new(),
            bug: named(bug),
            relative: None,
            no_relative: None,
            is_tried: false,
            wasm_bytes: 0,
            code_bytes: 0,
            tried: 0,
            seconds: 0.0,
            localised,
            not_localised: None,
        }
    }

    #[test]
    fn beside_a_judge_one_name_is_one_bug_only_where_subjects_part_alike() {
        let (bug, values) = ("iwasm|values|local", "interp / iwasm|values|ref");
        let null = reduction(bug, values, Some("local.get"));
        assert_eq!(
            null.kinship(&reduction(bug, "baseline / iwasm|values|ref", Some("local.get"))),
            Kinship::Same
        );
        assert_eq!(null.kinship(&reduction(bug, values, Some("loop"))), Kinship::Perhaps);
        assert_eq!(
            null.kinship(&reduction(bug, "interp / iwasm|global|global", Some("local.get"))),
            Kinship::Perhaps
        );
        assert_eq!(reduction(bug, values, None).kinship(&reduction(bug, values, None)), Kinship::Perhaps);
    }

    #[test]
    fn beside_a_judge_the_same_experiment_makes_one_bug_of_what_is_seen_in_several_ways() {
        let bug = "iwasm|outcome|tail call|operands below";
        let seen = |way, is_tried| Reduction { is_tried, ..reduction(bug, way, None) };
        let first = seen("interp / iwasm|values|f32", true);
        assert_eq!(first.kinship(&seen("interp / iwasm|host-calls|", true)), Kinship::Same);
        assert_eq!(first.kinship(&seen("interp / iwasm|host-calls|", false)), Kinship::Perhaps);
    }

    #[test]
    fn beside_a_judge_findings_without_a_relative_are_perhaps_of_one_bug() {
        let found = Reduction {
            no_relative: Some("there was no time left for it".into()),
            ..reduction("iwasm|perhaps|br_table", "interp / iwasm|values|i32", Some("br_table"))
        };
        assert_eq!(found.kinship(&found), Kinship::Perhaps);
    }

    #[test]
    fn between_modes_the_name_of_a_bug_says_it_if_it_has_a_relative() {
        let bug = "baseline|outcome|load|without explicit-bounds, address";
        let (first, second) = (reduction(bug, "a|b|c", Some("i32.load")), reduction(bug, "a|d|e", None));
        assert_eq!(first.kinship(&second), Kinship::Same);
        let seen = "baseline / interp|values|i32";
        let alone =
            || Reduction { no_relative: Some("it was not found".into()), ..reduction(seen, seen, None) };
        assert_eq!(alone().kinship(&alone()), Kinship::Perhaps);
    }
}
