//! Makes every case of a campaign from a seed and an index alone.
//!
//! A campaign is a seed; its cases are numbered. With both numbers, and the commit, the case can be made
//! again on any machine, in any order, on any shard. So nothing here reads a clock, a hash order or a
//! previous case: what survives between cases is allocations.
//!
//! [`features`](crate::features) says which proposals modules may use; [`draw`](crate::draw) turns numbers into choices.
//! In order: a generator (a row of [`GENERATORS`], a file each) makes modules; [`plan`] adds hosts, actions and limits. What
//! subjects then run the case is not decided here. [`mutate`] damages modules for tests of hostile input.

mod boundary;
mod bulk;
mod canonical;
mod deep;
mod hosts;
mod instances;
mod linked;
pub mod material;
pub mod mutate;
mod numbers;
pub mod plan;
mod shapes;
mod single;
pub mod sink;
pub mod smith;
mod way;

pub use canonical::canonical;

use crate::case::Case;
use crate::draw::{Purpose, Stream, case_seed};
use crate::features::Features;
use material::Material;
use std::sync::Arc;

/// Who is to agree on the cases. The same seed makes the same modules for both, but for what is promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// Our own modes: NaN bits are theirs to agree on, and all of their state is seen.
    #[default]
    Own,
    /// Outside engines too: every new NaN is made canonical by the module itself, because the specification leaves
    /// its bits open (section 4.3.3, "NaN Propagation"), and the sink is exported.
    Judged,
}

/// A case and where it came from.
#[derive(Clone, Debug)]
pub struct Generated {
    /// What is to be run.
    pub case: Case,
    /// The name of the generator that made it.
    pub generator: &'static str,
    /// What the whole case derives from; given to [`plan::plan`] with the same module, it gives the same case.
    pub case_seed: u64,
}

/// Makes cases; keeps allocations between them, and nothing else.
#[derive(Default)]
pub struct Generator {
    features: Features,
    /// What a few of the cases may use instead.
    rarely: Option<Features>,
    profile: Profile,
    material: Option<Arc<Material>>,
    smith: smith::Smith,
}

/// Of a hundred cases beside engines that lack something, how many may have it all the same: for the others.
const RARELY_PERCENT: u32 = 10;

/// A way to make cases, and how often it is chosen.
struct Row {
    name: &'static str,
    weight: u32,
    /// The case of that case seed, or none if the seed's random input made no module.
    case: fn(&mut Generator, u64) -> Option<Case>,
}

/// The name of the generator of cases that others wrote.
const MATERIAL: &str = "material";
/// Of a hundred cases of a campaign that was given material of its own, how many are made of it.
const OWN_MATERIAL_PERCENT: u32 = 50;

/// Every generator. A new one is a file and a row.
const GENERATORS: &[Row] = &[
    Row { name: "smith", weight: 9, case: smith_case },
    Row { name: "linked", weight: 3, case: linked_case },
    Row { name: "boundary", weight: 6, case: boundary_case },
    Row { name: "hosts", weight: 2, case: hosts_case },
    Row { name: "single", weight: 4, case: single_case },
    Row { name: "deep", weight: 1, case: deep_case },
    Row { name: "shapes", weight: 6, case: shapes_case },
    Row { name: "bulk", weight: 3, case: bulk_case },
    Row { name: "instances", weight: 2, case: instances_case },
    Row { name: MATERIAL, weight: 3, case: material_case },
];

impl Generator {
    /// A generator of modules that use at most these features.
    pub fn new(features: Features) -> Generator {
        Generator { features, ..Generator::default() }
    }

    /// The same, of modules that keep a profile's promises.
    pub fn profile(self, profile: Profile) -> Generator {
        Generator { profile, ..self }
    }

    /// The same, with these programs in place of those that are built in. They make half of the cases then.
    pub fn material(self, material: Option<Arc<Material>>) -> Generator {
        Generator { material, ..self }
    }

    /// The same, of modules that mostly use no more than what all of some engines have.
    pub fn mostly(self, common: &Features) -> Generator {
        let common = self.features.and(common);
        let rarely = (common != self.features).then_some(self.features);
        Generator { features: common, rarely, ..self }
    }

    /// Case number `index` of the campaign with that seed: a function of the two numbers, features, profile and
    /// material.
    ///
    /// `None`, in well under one of a thousand, if the generator gave up on this index.
    pub fn case(&mut self, seed: u64, index: u64) -> Option<Generated> {
        let case_seed = case_seed(seed, index);
        let mut choices = Stream::new(case_seed, Purpose::Generator);
        let row = match &self.material {
            Some(_) if choices.percent(OWN_MATERIAL_PERCENT) => generator_called(MATERIAL),
            Some(_) | None => choices.weighted(GENERATORS, |row| row.weight),
        };
        let case = match self.rarely.take_if(|_| choices.percent(RARELY_PERCENT)) {
            Some(rarely) => {
                let mostly = std::mem::replace(&mut self.features, rarely);
                let case = (row.case)(self, case_seed);
                self.rarely = Some(std::mem::replace(&mut self.features, mostly));
                case?
            }
            None => (row.case)(self, case_seed)?,
        };
        Some(Generated { case, generator: row.name, case_seed })
    }

    /// The names of all generators, that of `wasm-smith` first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        GENERATORS.iter().map(|row| row.name)
    }

    /// What the generator of that name makes of a case seed; `None` if it gave up on it.
    ///
    /// # Panics
    ///
    /// If there is no generator of that name.
    pub fn case_of(&mut self, generator: &str, case_seed: u64) -> Option<Case> {
        (generator_called(generator).case)(self, case_seed)
    }
}

fn generator_called(name: &str) -> &'static Row {
    let row = GENERATORS.iter().find(|row| row.name == name);
    row.unwrap_or_else(|| panic!("there is no generator {name}"))
}

fn smith_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    let wasm = generator.smith.module(&generator.features, generator.profile, case_seed)?;
    Some(plan::plan(wasm, case_seed).expect("the rewritten module was decoded before"))
}

fn linked_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(linked::case(&generator.features, generator.profile, case_seed))
}

fn boundary_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(boundary::case(&generator.features, generator.profile, case_seed))
}

fn single_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(single::case(&generator.features, generator.profile, case_seed))
}

fn deep_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(deep::case(&generator.features, generator.profile, case_seed))
}

fn shapes_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(shapes::case(&generator.features, generator.profile, case_seed))
}

fn bulk_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(bulk::case(&generator.features, generator.profile, case_seed))
}

fn instances_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(instances::case(&generator.features, generator.profile, case_seed))
}

fn material_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    material::case(&generator.features, generator.profile, generator.material.as_deref(), case_seed)
}

fn hosts_case(generator: &mut Generator, case_seed: u64) -> Option<Case> {
    Some(hosts::case(&generator.features, generator.profile, case_seed))
}

#[cfg(test)]
mod tests;
