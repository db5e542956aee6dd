//! How far a campaign has come, so that it can be gone on with after whatever ended it.
//!
//! Written after every batch, when the findings of that batch are saved. A batch that was under way is run again;
//! it gives the same findings, which are there already and not counted yet.

use super::{FINDINGS, write_whole};
use crate::events::Tally;
use crate::finding::Finding;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The name of the file in the report's folder.
const FILE: &str = "campaign.json";

/// What must be the same if a campaign is to be gone on with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// Which build runs it: another one may generate other cases, or judge otherwise.
    pub commit: String,
    /// What all cases derive from.
    pub seed: u64,
    /// The first index.
    pub first: u64,
    /// Which part of the indices.
    pub shard: (u64, u64),
    /// The subjects, by name.
    pub subjects: Vec<String>,
    /// What tells the programs that it was given, if it was given any.
    #[serde(default)]
    pub material: Option<String>,
}

/// A campaign under way.
#[derive(Debug, Serialize, Deserialize)]
struct State<T> {
    schema: u32,
    campaign: Identity,
    tally: T,
    /// Folders below `findings`, in the order of `tally.findings`.
    findings: Vec<String>,
}

/// Writes how far a campaign has come into the report's folder.
pub fn save(report: &Path, campaign: &Identity, tally: &Tally) -> io::Result<()> {
    let findings = tally.findings.iter().map(Finding::folder_name).collect();
    let state = State { schema: 1, campaign: campaign.clone(), tally, findings };
    let text = serde_json::to_string_pretty(&state).expect("totals always have a text") + "\n";
    write_whole(&report.join(FILE), text.as_bytes())
}

/// What a campaign of that identity has come to; nothing if none was begun in that folder.
///
/// Fails with one line if what is there cannot be read, or is another campaign.
pub fn load(report: &Path, campaign: &Identity) -> Result<Option<Tally>, String> {
    let Some(state) = read(report)? else { return Ok(None) };
    if let Some(what) = state.campaign.difference(campaign) {
        return Err(format!("{}: another campaign was begun here: {what}", report.join(FILE).display()));
    }
    let folder = report.join(FINDINGS);
    let findings: Result<_, String> =
        state.findings.iter().map(|name| Finding::load(&folder.join(name))).collect();
    Ok(Some(Tally { findings: findings?, ..state.tally }))
}

/// The seed of the campaign that was begun in that folder, if one was. Fails as [`load`] does.
pub fn seed(report: &Path) -> Result<Option<u64>, String> {
    Ok(read(report)?.map(|state| state.campaign.seed))
}

fn read(report: &Path) -> Result<Option<State<Tally>>, String> {
    let path = report.join(FILE);
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| format!("{}: cannot read: {error}", path.display()))?,
    };
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

impl Identity {
    /// What of another campaign is not the same, if anything.
    fn difference(&self, other: &Identity) -> Option<String> {
        let told =
            |name: &str, was: String, is: String| (was != is).then(|| format!("{name} {was}, not {is}"));
        let shard = |(part, of): (u64, u64)| format!("{part}/{of}");
        let material = |given: &Option<String>| given.clone().unwrap_or_else(|| "that is built in".into());
        told("seed", self.seed.to_string(), other.seed.to_string())
            .or_else(|| told("start", self.first.to_string(), other.first.to_string()))
            .or_else(|| told("shard", shard(self.shard), shard(other.shard)))
            .or_else(|| told("subjects", self.subjects.join(","), other.subjects.join(",")))
            .or_else(|| told("material", material(&self.material), material(&other.material)))
            .or_else(|| told("build", self.commit.clone(), other.commit.clone()))
    }
}
