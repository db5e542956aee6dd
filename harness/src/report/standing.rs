//! How each assertion stood in a run of scripts, and what became better or worse since another run.
//!
//! What is not listed passed. A skip stands at the line of its cause and counts what the cause keeps from running.

use super::conformance;
use super::spec::Spec;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// How a line of a script stands in one mode. The later, the worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It holds.
    Passed,
    /// It fails, and a later standard explains why.
    Excused,
    /// So many assertions do not run.
    Skipped(u64),
    /// It does not hold.
    Failed,
}

/// A line of a script in one mode.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The script.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The lane.
    pub mode: String,
}

/// Everything that did not pass, and what ran.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standings {
    /// The lanes that ran.
    pub modes: Vec<String>,
    /// Assertions that passed, by script and lane; only what is known.
    pub passed: BTreeMap<String, BTreeMap<String, u64>>,
    /// Everything that did not pass, and why.
    pub lines: BTreeMap<Place, (Standing, String)>,
}

/// A line that stands otherwise than before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where; line 0 is about the whole script.
    pub place: Place,
    /// How it stood.
    pub before: Standing,
    /// How it stands.
    pub now: Standing,
    /// What is known about it: of now if it is worse, of before if it is better.
    pub message: String,
}

/// What is different between two runs of scripts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// What got worse.
    pub worse: Vec<Change>,
    /// What got better.
    pub better: Vec<Change>,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Passed => f.write_str("passed"),
            Standing::Excused => f.write_str("excused"),
            Standing::Skipped(count) => write!(f, "{count} skipped"),
            Standing::Failed => f.write_str("failed"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { place: Place { file, line, mode }, before, now, message } = self;
        match line {
            0 => write!(f, "{file}: {mode}: {message}"),
            _ => write!(f, "{file}:{line}: {mode}: {now}, was {before}: {message}"),
        }
    }
}

impl Standings {
    /// Those of a baseline: a `spec.json`, or a page that `--bless` wrote. Fails with one line that names the file.
    pub fn load(path: &Path) -> Result<Standings, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: cannot read: {error}", path.display()))?;
        if text.trim_start().starts_with('{') {
            let spec: Spec =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            return Ok(Standings::of(&spec));
        }
        conformance::read(&text).map_err(|error| format!("{}:{error}", path.display()))
    }

    /// How everything stood in a run.
    pub fn of(spec: &Spec) -> Standings {
        let mut standings =
            Standings { modes: spec.lanes().into_iter().map(Into::into).collect(), ..Standings::default() };
        for (file, modes) in &spec.by_file {
            let passed = modes.iter().map(|(mode, counts)| (mode.clone(), counts.passed));
            standings.passed.insert(file.clone(), passed.collect());
        }
        for skip in &spec.skips {
            // A report of an earlier version does not say which lanes.
            let modes = if skip.modes.is_empty() { &standings.modes.clone() } else { &skip.modes };
            for mode in modes {
                let reason = without_mode(&skip.reason, mode);
                standings.note(&skip.file, skip.line, mode, Standing::Skipped(skip.count), reason);
            }
        }
        for excuse in &spec.excuses {
            // As for skips.
            let modes = if excuse.modes.is_empty() { &standings.modes.clone() } else { &excuse.modes };
            for mode in modes {
                standings.note(&excuse.file, excuse.line, mode, Standing::Excused, &excuse.reason);
            }
        }
        for failure in &spec.failures {
            standings.note(&failure.file, failure.line, &failure.mode, Standing::Failed, &failure.message);
        }
        standings
    }

    /// Notes how a line stands, unless it is known to stand worse. Skips of several causes on a line add up.
    pub fn note(&mut self, file: &str, line: u32, mode: &str, standing: Standing, reason: &str) {
        let place = Place { file: file.into(), line, mode: mode.into() };
        let (known, why) = self.lines.entry(place).or_insert((Standing::Passed, String::new()));
        let standing = match (*known, standing) {
            (Standing::Skipped(known), Standing::Skipped(more)) => Standing::Skipped(known + more),
            (_, standing) => standing,
        };
        if *known < standing {
            (*known, *why) = (standing, reason.to_string());
        }
    }

    /// What is different since `before`, in the scripts and modes that both ran. If `whole`, a script that was there
    /// before and no longer runs is worse.
    pub fn since(&self, before: &Standings, whole: bool) -> Changes {
        let both = |place: &&Place| {
            let ran =
                |run: &Standings| run.modes.contains(&place.mode) && run.passed.contains_key(&place.file);
            ran(self) && ran(before)
        };
        let mut changes = Changes::default();
        let places: BTreeSet<&Place> = self.lines.keys().chain(before.lines.keys()).filter(both).collect();
        let passed = &(Standing::Passed, String::new());
        let mut explained = BTreeSet::new();
        for place in places {
            let (was, why_before) = before.lines.get(place).unwrap_or(passed);
            let (is, why_now) = self.lines.get(place).unwrap_or(passed);
            if is == was {
                continue;
            }
            explained.insert((&place.file, &place.mode));
            let (list, message) =
                if is > was { (&mut changes.worse, why_now) } else { (&mut changes.better, why_before) };
            list.push(Change { place: place.clone(), before: *was, now: *is, message: message.clone() });
        }
        for (file, modes) in &before.passed {
            let about = |mode: &str, message: String| Change {
                place: Place { file: file.clone(), line: 0, mode: mode.to_string() },
                before: Standing::Passed,
                now: Standing::Skipped(0),
                message,
            };
            let Some(now) = self.passed.get(file) else {
                if whole {
                    changes.worse.push(about("every mode", "this script no longer runs".into()));
                }
                continue;
            };
            for (mode, passed) in modes {
                let Some(now) = now.get(mode).filter(|_| !explained.contains(&(file, mode))) else {
                    continue;
                };
                if now < passed {
                    let message = format!("{now} assertions pass, {passed} did");
                    changes.worse.push(about(mode, message));
                }
            }
        }
        changes
    }
}

/// How much of one run another one covers, in scripts a mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// All of the one run.
    pub rows: usize,
    /// Those that the other did not run.
    pub missing: usize,
}

impl Standings {
    /// How much of a baseline this run covers.
    pub fn coverage_of(&self, baseline: &Standings) -> Coverage {
        let rows =
            baseline.passed.iter().flat_map(|(file, modes)| modes.keys().map(move |mode| (file, mode)));
        let ran =
            |(file, mode): &(&String, &String)| self.modes.contains(*mode) && self.passed.contains_key(*file);
        let (rows, missing) =
            rows.fold((0, 0), |(rows, missing), row| (rows + 1, missing + usize::from(!ran(&row))));
        Coverage { rows, missing }
    }
}

/// A reason without the mode that it begins with, so that it is the same in all modes.
pub fn without_mode<'a>(reason: &'a str, mode: &str) -> &'a str {
    reason.strip_prefix(mode).map_or(reason, str::trim_start)
}

impl Changes {
    /// The changes as lines for people, at most so many of each kind.
    pub fn lines(&self, shown: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (word, list) in [("WORSE", &self.worse), ("better", &self.better)] {
            lines.extend(list.iter().take(shown).map(|change| format!("{word}: {change}")));
            if list.len() > shown {
                lines.push(format!("{word}: and {} more", list.len() - shown));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings(passed: u64, lines: &[(u32, Standing)]) -> Standings {
        let mut standings = Standings { modes: vec!["interp".into()], ..Standings::default() };
        standings.passed.insert("a.wast".into(), BTreeMap::from([("interp".into(), passed)]));
        for (line, standing) in lines {
            standings.note("a.wast", *line, "interp", *standing, "why");
        }
        standings
    }

    fn told(changes: &[Change]) -> Vec<String> {
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_assertion_that_fails_now_is_named() {
        let before = standings(3, &[(7, Standing::Skipped(4))]);
        let now = standings(2, &[(7, Standing::Skipped(4)), (9, Standing::Failed)]);
        let changes = now.since(&before, true);
        assert_eq!(told(&changes.worse), ["a.wast:9: interp: failed, was passed: why"]);
        assert_eq!(told(&changes.better), [""; 0]);
        let back = before.since(&now, true);
        assert_eq!(told(&back.better), ["a.wast:9: interp: passed, was failed: why"]);
        assert_eq!(told(&back.worse), [""; 0]);
    }

    #[test]
    fn more_skips_of_one_cause_are_worse_and_an_excuse_is_worse_than_a_pass() {
        let before = standings(3, &[(7, Standing::Skipped(4))]);
        let now = standings(3, &[(7, Standing::Skipped(5)), (8, Standing::Excused)]);
        let changes = now.since(&before, true);
        let worse =
            ["a.wast:7: interp: 5 skipped, was 4 skipped: why", "a.wast:8: interp: excused, was passed: why"];
        assert_eq!(told(&changes.worse), worse);
    }

    #[test]
    fn what_one_of_two_did_not_run_is_no_change() {
        let before = standings(3, &[(7, Standing::Failed)]);
        let mut now = standings(3, &[]);
        now.modes = vec!["baseline".into()];
        assert_eq!(now.since(&before, false), Changes::default());
        let nothing = Standings { modes: vec!["interp".into()], ..Standings::default() };
        assert_eq!(nothing.since(&before, false), Changes::default());
        let gone = nothing.since(&before, true);
        assert_eq!(told(&gone.worse), ["a.wast: every mode: this script no longer runs"]);
    }

    #[test]
    fn assertions_that_vanish_are_missed() {
        let changes = standings(2, &[]).since(&standings(3, &[]), true);
        assert_eq!(told(&changes.worse), ["a.wast: interp: 2 assertions pass, 3 did"]);
    }
}
