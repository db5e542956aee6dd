//! Puts one module in place of two of which one imports from the other.

use super::proposal::{Look, Proposal};
use crate::wasm::joined::Pair;

/// A module and one that it imports from as one, where the one or where the other stood.
pub fn merged(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for importer in (0..look.case.modules.len()).rev() {
        for provider in (0..importer).rev() {
            let Some(pair) = Pair::of(look.case, provider, importer) else { continue };
            proposals.extend([provider, importer].map(|place| Proposal::Smaller(pair.at(place))));
        }
    }
    proposals
}
