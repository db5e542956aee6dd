//! Adds up what was found, by room.

use crate::hunt::Hunted;
use crate::mutant::Mutant;
use crate::room::Room;
use serde::{Deserialize, Serialize};

/// What became of a mutant.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its number in this draw.
    pub number: usize,
    /// What it is.
    #[serde(flatten)]
    pub mutant: Mutant,
    /// What the search came to.
    #[serde(flatten)]
    pub hunted: Hunted,
    /// Why it cannot be found, if it was not and there is a reason.
    pub unreachable: Option<String>,
}

/// Why a mutant cannot be found by anything that runs programs.
#[derive(Clone, Debug, Deserialize)]
pub struct Argument {
    /// The file.
    pub file: String,
    /// The function, with its type.
    pub function: String,
    /// What stands there; any if it is left out.
    pub original: Option<String>,
    /// What stands there in the mutant; anything if it is left out.
    pub replacement: Option<String>,
    /// Why no program shows it.
    pub why: String,
}

#[derive(Deserialize)]
struct Arguments {
    #[serde(default)]
    argument: Vec<Argument>,
}

/// Reads a list of arguments. Fails if it is not one.
pub fn arguments(text: &str) -> Result<Vec<Argument>, String> {
    toml::from_str::<Arguments>(text).map(|list| list.argument).map_err(|error| error.to_string())
}

impl Argument {
    /// Whether it is about this mutant.
    pub fn is_about(&self, mutant: &Mutant) -> bool {
        let fits = |asked: &Option<String>, text: &str| asked.as_ref().is_none_or(|asked| asked == text);
        mutant.file.as_os_str() == self.file.as_str()
            && mutant.function == self.function
            && fits(&self.original, &mutant.original)
            && fits(&self.replacement, &mutant.replacement)
    }
}

/// How many mutants of a room were found by what.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Score {
    /// All of them.
    pub drawn: usize,
    /// Those of which is said why they cannot be found.
    pub unreachable: usize,
    /// Found by the short campaign alone, as far as the suite was asked.
    pub campaign: usize,
    /// Found by the suite and not by the short campaign.
    pub suite: usize,
    /// Found by both.
    pub both: usize,
    /// Found only by the check of the harness by itself.
    pub own_check: usize,
    /// Found only by the long campaign.
    pub more: usize,
    /// Found by nothing, though it was executed.
    pub survived: usize,
    /// Not even executed.
    pub not_executed: usize,
}

impl Score {
    /// The score of those rows that are of the room, or of all.
    pub fn of(rows: &[Row], room: Option<Room>) -> Score {
        let mut score = Score::default();
        for row in rows.iter().filter(|row| room.is_none_or(|room| row.mutant.room == room)) {
            let hunted = &row.hunted;
            score.drawn += 1;
            let counted = match (hunted.by_campaign(), hunted.by_suite()) {
                (true, true) => &mut score.both,
                (true, false) => &mut score.campaign,
                (false, true) => &mut score.suite,
                (false, false) if hunted.by_own_check() => &mut score.own_check,
                (false, false) if hunted.is_found() => &mut score.more,
                (false, false) if row.unreachable.is_some() => &mut score.unreachable,
                (false, false) if hunted.reached => &mut score.survived,
                (false, false) => &mut score.not_executed,
            };
            *counted += 1;
        }
        score
    }

    /// Those that can be found.
    pub fn reachable(&self) -> usize {
        self.drawn - self.unreachable
    }

    /// Those that were found.
    pub fn found(&self) -> usize {
        self.reachable() - self.survived - self.not_executed
    }

    /// Found by all means together, in percent of those that can be found.
    pub fn percent(&self) -> f64 {
        percent(self.found(), self.reachable())
    }

    /// Found by the short campaign, in percent of those that can be found.
    pub fn campaign_percent(&self) -> f64 {
        percent(self.campaign + self.both, self.reachable())
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// CPU seconds to find one of those that were found, in the median.
pub fn median_cpu(rows: &[Row]) -> f64 {
    let mut seconds: Vec<f64> =
        rows.iter().filter(|row| row.hunted.is_found()).map(|row| row.hunted.cpu_to_find()).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}

/// The table by room, a line a room and one for all.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<12} {:>5} {:>5} {:>8} {:>5} {:>5} {:>9} {:>5} {:>8} {:>12} {:>8} {:>9}\n",
        "room",
        "drawn",
        "not",
        "campaign",
        "suite",
        "both",
        "own check",
        "more",
        "survived",
        "not executed",
        "found %",
        "campaign %"
    );
    let rooms = Room::ALL.into_iter().map(Some).chain([None]);
    for room in rooms {
        let score = Score::of(rows, room);
        if score.drawn == 0 {
            continue;
        }
        text.push_str(&format!(
            "{:<12} {:>5} {:>5} {:>8} {:>5} {:>5} {:>9} {:>5} {:>8} {:>12} {:>8.1} {:>9.1}\n",
            room.map_or("all", Room::name),
            score.drawn,
            score.unreachable,
            score.campaign,
            score.suite,
            score.both,
            score.own_check,
            score.more,
            score.survived,
            score.not_executed,
            score.percent(),
            score.campaign_percent(),
        ));
    }
    text
}
