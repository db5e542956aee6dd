//! A finding: a divergence, and all that is needed to see it again.

use crate::case::Case;
use crate::compare::Divergence;
use crate::subject::Definitions;
use serde_json::Value as Json;

/// A divergence, with all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The campaign's seed.
    pub seed: u64,
    /// The case's index.
    pub index: u64,
    /// Which generator made it.
    pub generator: String,
    /// The case itself.
    pub case: Case,
    /// What differs.
    pub divergence: Divergence,
    /// What subjects are whose name alone does not say it.
    pub definitions: Definitions,
    /// All that each subject showed, as JSON; nothing if the finding was read from its folder, where it stands.
    pub seen: Json,
}
