//! Draws mutants by lot.

use crate::find::{self, Fields};
use crate::mutant::{Kind, Mutant};
use crate::room::{Room, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The crates whose structures say which fields are alike.
const CRATES: &[&str] = &["engine/src", "harness/src"];

/// Every mutant of these files of the room, in the order of files and lines. Fails on what cannot be read, or is not Rust.
pub fn all(root: &Path, room: Room, files: &[PathBuf], fields: &Fields) -> Result<Vec<Mutant>, String> {
    let mut mutants = Vec::new();
    for file in files {
        let text = read(&root.join(file))?;
        mutants.extend(find::mutants(room, file, &text, fields)?);
    }
    Ok(mutants)
}

/// The fields of all structures. Fails on what cannot be read, or is not Rust.
pub fn fields(root: &Path) -> Result<Fields, String> {
    let mut fields = Fields::default();
    for place in CRATES {
        for file in crate::room::rust_files(root, place)? {
            fields.add(&read(&root.join(&file))?).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(fields)
}

/// Choices that are the same on every machine: SplitMix64. The bench's own are not used: they are among what is mutated.
struct Choices(u64);

impl Choices {
    /// A number less than `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * bound as u128) >> 64) as usize
    }
}

/// The mutants of a room in the order of a seed: of each kind in turn one that was not drawn before, so that rare kinds
/// are as likely to be drawn as frequent ones.
pub fn shuffled(mutants: Vec<Mutant>, room: Room, seed: u64) -> Vec<Mutant> {
    let mut choices = Choices(seed.wrapping_mul(Room::ALL.len() as u64).wrapping_add(room as u64));
    let mut kinds: BTreeMap<Kind, Vec<Mutant>> = BTreeMap::new();
    for mutant in mutants {
        kinds.entry(mutant.kind).or_default().push(mutant);
    }
    let mut kinds: Vec<Vec<Mutant>> = kinds.into_values().collect();
    let mut drawn = Vec::new();
    while !kinds.is_empty() {
        // Which kind comes first is drawn anew each time around.
        for place in (1..kinds.len()).rev() {
            kinds.swap(place, choices.below(place + 1));
        }
        for kind in &mut kinds {
            let chosen = choices.below(kind.len());
            drawn.push(kind.swap_remove(chosen));
        }
        kinds.retain(|kind| !kind.is_empty());
    }
    drawn
}

/// The first so many that lie apart: two changes of the same text cannot both be written.
pub fn apart(shuffled: &[Mutant], wanted: usize, spoilt: &[Mutant]) -> Vec<Mutant> {
    let mut chosen: Vec<Mutant> = Vec::new();
    let overlap = |one: &Mutant, other: &Mutant| {
        one.file == other.file && one.range.start <= other.range.end && other.range.start <= one.range.end
    };
    for mutant in shuffled {
        if chosen.len() == wanted {
            break;
        }
        let is_free = !chosen.iter().any(|other| overlap(mutant, other));
        if is_free && !spoilt.contains(mutant) {
            chosen.push(mutant.clone());
        }
    }
    chosen
}
