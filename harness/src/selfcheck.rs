//! The bench checks itself: subjects lie in one place each, and every lie must be seen for what it is.
//!
//! What is checked is all that stands between a mode's answer and a verdict, and what verdicts are counted and told by:
//! capture, digests, their bytes, the way through workers, comparison, fingerprints, totals, findings on disk and
//! reports. The lies are rows of [`Lie::all`]; each says what a comparison is to tell of it, to the word.
//!
//! Every lie is told on four grounds: in this process, in workers, in the shards of a campaign, and in one that was
//! resumed from disk. A lie about a field that is free must not be seen anywhere.

mod capabilities;
mod totals;

use crate::case::Case;
use crate::compare::Verdict;
use crate::observe::leaves::{Field, differing};
use crate::observe::{Capture, Observation};
use crate::run::Ground;
use crate::subject::Task;
use crate::subject::liar::{Lie, Shows, With};
use crate::trial::run_task;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// What the check came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How many lies were told.
    pub lies: usize,
    /// On how many grounds.
    pub grounds: usize,
    /// What was not seen for what it is; empty if all is well.
    pub missed: Vec<Missed>,
}

/// Something that the bench is blind to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missed {
    /// On which ground.
    pub ground: String,
    /// Which lie, and what it is about; or which total is wrong.
    pub what: String,
    /// What was expected and what there was.
    pub told: String,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.ground, self.what, self.told)
    }
}

/// `159 lies on 4 grounds, all seen`
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { lies, grounds, missed } = self;
        write!(f, "{lies} lies on {grounds} grounds, ")?;
        if missed.is_empty() { f.write_str("all seen") } else { write!(f, "{} NOT SEEN", missed.len()) }
    }
}

/// A lie with the case on which it is told and what each subject showed there, spelled out: the truth first, then the
/// lie.
struct Told {
    lie: &'static Lie,
    task: Task,
    observations: Vec<(String, Observation)>,
}

/// Tells every lie on every ground. `ground` is where subjects run; `folder`, which is made and removed, is for what a
/// campaign leaves on disk. Fails if no worker can be had or the folder cannot be written.
pub fn check(ground: Ground<'_>, folder: &Path) -> Result<Checked, String> {
    let tell = |lie| tell(lie, ground);
    let told: Result<Vec<(Told, Vec<Missed>)>, String> = Lie::all().par_iter().map(tell).collect();
    let (told, missed): (Vec<Told>, Vec<Vec<Missed>>) = told?.into_iter().unzip();
    let mut missed = missed.concat();
    missed.extend(capabilities::check(&told));
    missed.extend(totals::check(&told, ground, folder)?);
    Ok(Checked { lies: told.len(), grounds: 3 + usize::from(has_workers(ground)), missed })
}

/// Tells a lie in this process and in workers.
fn tell(lie: &'static Lie, ground: Ground<'_>) -> Result<(Told, Vec<Missed>), String> {
    let (task, mut missed) = (lie.task(), Vec::new());
    run(Ground::InProcess, "in this process", lie, &task, Capture::Digest, &mut missed)?;
    let observations = run(Ground::InProcess, "in this process", lie, &task, Capture::Full, &mut missed)?;
    missed.extend(misplaced(lie, &observations));
    if has_workers(ground) {
        run(ground, "in workers", lie, &task, Capture::Digest, &mut missed)?;
        let seen = run(ground, "in workers", lie, &task, Capture::Full, &mut missed)?;
        if seen != observations {
            missed.push(Missed::of(lie, "in workers", "what subjects show arrives as something else"));
        }
    }
    Ok((Told { lie, task, observations }, missed))
}

#[cfg(unix)]
fn has_workers(ground: Ground<'_>) -> bool {
    ground.workers().is_some()
}

#[cfg(not(unix))]
fn has_workers(_: Ground<'_>) -> bool {
    false
}

/// Tells a lie somewhere; what each subject showed.
fn run(
    ground: Ground<'_>,
    name: &str,
    lie: &Lie,
    task: &Task,
    capture: Capture,
    missed: &mut Vec<Missed>,
) -> Result<Vec<(String, Observation)>, String> {
    let run = run_task(ground, task, capture)?;
    let (expected, seen) = (lie.verdict(capture), shown(&run.verdict));
    if !is_told(&expected, &seen) {
        missed.push(Missed::of(
            lie,
            name,
            &format!("with {capture:?}: expected {expected}, and there is {seen}"),
        ));
    }
    Ok(run.observations)
}

/// A verdict in words: all that a finding says.
fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Agree => "nothing".into(),
        Verdict::Diverge(divergence) => format!("{}: {}", divergence.fingerprint(), divergence.first),
        Verdict::Inconclusive(reason) => format!("inconclusive: {reason}"),
        Verdict::Invalid => "an invalid case".into(),
    }
}

/// Whether what is seen is what was expected, whose end `...` stands for anything.
fn is_told(expected: &str, seen: &str) -> bool {
    match expected.strip_suffix("...") {
        Some(beginning) => seen.starts_with(beginning),
        None => seen == expected,
    }
}

/// A lie that is not where its row says: then it would show nothing about the bench.
fn misplaced(lie: &Lie, observations: &[(String, Observation)]) -> Option<Missed> {
    let [(_, truth), (_, liar), (_, other)] = observations else {
        return Some(Missed::of(lie, "in this process", "three subjects are to run"));
    };
    let expected: BTreeSet<Field> = lie.fields.iter().copied().collect();
    let mut found = differing(truth, liar);
    // Digests cover more than one field; that they do is what the lie is to show.
    found.retain(|field| !field.is_digest() || expected.contains(field));
    let is_alone = differing(truth, other).is_empty();
    (found != expected || !is_alone).then(|| {
        Missed::of(lie, "in this process", &format!("expected a lie in {expected:?}, and there is {found:?}"))
    })
}

impl Lie {
    /// What is to be said of it, in the words of [`shown`].
    fn verdict(&self, capture: Capture) -> String {
        match self.shows {
            Shows::Difference { what, told, with } if with.is(capture) => {
                format!("{}: {told}", fingerprint(what))
            }
            Shows::Difference { .. } | Shows::Nothing(_) => "nothing".into(),
            Shows::Inconclusive(reason) => format!("inconclusive: {reason}"),
        }
    }
}

/// The fingerprint of a lie: the liar stands alone, whose name is that of one mode among two.
fn fingerprint(what: &str) -> String {
    format!("fast-interp / interp|{what}")
}

impl With {
    fn is(self, capture: Capture) -> bool {
        match self {
            With::Both => true,
            With::Digest => capture == Capture::Digest,
            With::Full => capture == Capture::Full,
        }
    }
}

impl Missed {
    fn of(lie: &Lie, ground: &str, told: &str) -> Missed {
        let what = format!("the lie {} about {:?}", lie.name, lie.fields);
        Missed { ground: ground.into(), what, told: told.into() }
    }
}

impl Told {
    fn case(&self) -> &Case {
        &self.task.case
    }
}

#[cfg(test)]
mod tests;
