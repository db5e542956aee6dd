//! Whether each capability switches off exactly what it names.

use super::{Missed, Told};
use crate::compare::{Testimony, Verdict, judge};
use crate::observe::leaves::Field;
use crate::subject::Capabilities;
use crate::subject::liar::{Shows, With};

/// Judges every lie of a liar that lacks one capability, for each of them: it is unseen if its row names the capability,
/// and seen if not.
pub(super) fn check(told: &[Told]) -> Vec<Missed> {
    let mut all = Capabilities::ALL;
    let mut lacking: Vec<Vec<&str>> = all.rows().iter().map(|(name, _)| vec![*name]).collect();
    // Exported state is part of all state, so it is missed only where that is.
    lacking.push(vec!["internal_state", "exported_state"]);
    lacking.iter().flat_map(|lacks| told.iter().filter_map(|told| wrong(told, lacks))).collect()
}

fn wrong(told: &Told, lacks: &[&str]) -> Option<Missed> {
    let Shows::Difference { with, .. } = told.lie.shows else { return None };
    let mut capabilities = Capabilities::ALL;
    for (name, has) in &mut capabilities.rows() {
        **has = !lacks.contains(name);
    }
    let testimonies = told.observations.iter().take(2).zip([Capabilities::ALL, capabilities]);
    let testimonies: Vec<Testimony<'_>> = testimonies
        .map(|((name, observation), capabilities)| Testimony { name, capabilities, observation })
        .collect();
    let is_seen = matches!(judge(&testimonies), Verdict::Diverge(_));
    let is_stateless = lacks.len() > 1 && (Field::Instances..=Field::Thrown).contains(&told.lie.fields[0]);
    let is_named = told.lie.unseen_without.iter().any(|name| lacks.contains(name));
    // Without exported state digests are all there is.
    let is_shown = with != With::Digest || lacks == ["exported_state"];
    let is_expected = is_shown && !is_named && !is_stateless;
    (is_seen != is_expected).then(|| {
        let told_as = if is_seen { "it is seen, and is not to be" } else { "it is not seen" };
        Missed::of(told.lie, &format!("without {}", lacks.join(" and ")), told_as)
    })
}
