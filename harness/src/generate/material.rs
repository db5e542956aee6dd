//! Cases of programs that others wrote: as they are, mutated, spliced into one another, and with shapes in their code.
//!
//! What people write is unlike what a generator makes: it computes something, and asks for the corners that its author
//! thought of. Sources are the scripts of the official suite, the scripts of our own corpus, and whatever
//! folder a campaign is given. A program keeps the calls that its script makes, or some of them that follow one
//! another; then come calls with arguments at borders. What is made of its modules is drawn ([`Making`]).
//!
//! In order: [`sources`] has the programs; [`mutated`], [`splice`] and [`shape`] change a module, the latter two by
//! way of [`change`]. All that comes of it is validated, and what is not valid is not taken.

mod call;
mod change;
mod mutated;
mod shape;
mod sources;
mod splice;
#[cfg(test)]
mod tests;

use super::{Profile, canonical, plan};
use crate::case::{Action, Case, HostPlan};
use crate::digest::Digest;
use crate::draw::{Purpose, Stream};
use crate::features::Features;
use crosscheck_engine::Module;
use std::collections::BTreeSet;
use wasmparser::{Parser, Payload, TypeRef, Validator, WasmFeatures};

/// Programs that a campaign is given.
#[derive(Clone, Debug)]
pub struct Material {
    programs: Vec<Case>,
}

impl Material {
    /// Of these programs those that use no other proposals; none if there are none.
    pub fn new(mut programs: Vec<Case>, features: &Features) -> Option<Material> {
        let allowed = allowed(features);
        programs.retain(|program| is_valid(program, allowed));
        (!programs.is_empty()).then_some(Material { programs })
    }

    /// The programs of both.
    pub fn and(mut self, other: Material) -> Material {
        self.programs.extend(other.programs);
        self
    }

    /// How many programs there are.
    pub fn count(&self) -> usize {
        self.programs.len()
    }

    /// What tells it from other material.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        self.programs.iter().for_each(|program| digest.bytes(&program.to_bytes()));
        digest.finish()
    }
}

/// What is made of a program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Making {
    /// It stays as it is.
    Whole,
    /// wasm-mutate changes a module, and keeps what it computes.
    Preserved,
    /// wasm-mutate changes a module in any way.
    Mutated,
    /// It gets a function of another program.
    Spliced,
    /// Its code gets shapes.
    Shaped,
}

/// All of them, and how often each is drawn.
const MAKINGS: [(Making, u32); 5] = [
    (Making::Whole, 3),
    (Making::Preserved, 2),
    (Making::Mutated, 3),
    (Making::Spliced, 4),
    (Making::Shaped, 8),
];

/// Bytes of all modules of a program that is built in.
const MOST_BYTES: usize = 6000;
/// Bytes of a module beyond which it stays as it is: to change it takes long.
const MOST_CHANGED_BYTES: usize = 1 << 16;
/// Modules of a case.
const MOST_MODULES: usize = 5;
/// Calls of a script that a case keeps.
const MOST_CALLS: usize = 12;
/// Attempts at a program that uses no more than it may.
const TRIES: usize = 200;

/// The case of that case seed; none if no program was found that uses no more than the features.
pub(super) fn case(
    features: &Features,
    profile: Profile,
    material: Option<&Material>,
    case_seed: u64,
) -> Option<Case> {
    Some(made(features, profile, material, case_seed)?.0)
}

/// A case, what was made of the program, and what was done for it: rounds of wasm-mutate, or shapes by name.
type Made = (Case, Making, Vec<&'static str>);

fn made(features: &Features, profile: Profile, material: Option<&Material>, case_seed: u64) -> Option<Made> {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let programs = Programs { features, allowed: allowed(features), material };
    let mut case = programs.draw(&mut stream)?;
    let module = stream.below(case.modules.len() as u64) as usize;
    let making = stream.weighted(&MAKINGS, |making| making.1).0;
    let before = case.modules[module].wasm.clone();
    let (changed, steps) = if before.len() > MOST_CHANGED_BYTES {
        (before.clone(), Vec::new())
    } else {
        programs.changed(making, &before, case.modules.len() == 1, &mut stream)
    };
    plan::keep_fitting(&mut case.actions, module as u32, &before, &changed).ok()?;
    case.modules[module].wasm = changed;
    if profile == Profile::Judged {
        for module in &mut case.modules {
            module.wasm = canonical(&module.wasm).ok()?.unwrap_or_else(|| std::mem::take(&mut module.wasm));
        }
    }
    let mut planned = Stream::new(case_seed, Purpose::Plan);
    let (hosts, limits) = plan::surroundings(&mut planned);
    // What a script says of its hosts it says for a reason, so some cases keep it. No subject has hosts that throw.
    let hosts = if planned.percent(30) { case.hosts } else { hosts };
    case.hosts = HostPlan { named: case.hosts.named, throw_one_in: 0, ..hosts };
    case.limits = limits;
    let last = case.modules.len() - 1;
    // What was changed is what is to be called; now and then it is what uses it.
    let called = if planned.percent(70) { module } else { planned.between(0, last) };
    let wasm = case.modules[called].wasm.clone();
    plan::add_calls_of(called as u32, &wasm, &mut planned, &mut case.actions).ok()?;
    Some((case, making, steps))
}

/// The programs of which cases are made.
struct Programs<'a> {
    features: &'a Features,
    allowed: WasmFeatures,
    material: Option<&'a Material>,
}

impl Programs<'_> {
    /// A program, with at most so many modules and calls.
    fn draw(&self, stream: &mut Stream) -> Option<Case> {
        (0..TRIES).find_map(|_| {
            let given = self.material.map(|material| stream.pick(&material.programs));
            let case = match given {
                Some(program) => program,
                None => sources::built_in(stream)?,
            };
            let mut case = narrowed(case, stream)?;
            let is_small = given.is_some() || case.wasm_bytes() <= MOST_BYTES;
            if !is_small || !self.takes(&case) {
                return None;
            }
            keep_some_calls(&mut case, stream);
            Some(case)
        })
    }

    fn takes(&self, case: &Case) -> bool {
        let shares_hosts = case.modules.len() > 1 && imports_functions_of_hosts(case);
        is_valid(case, self.allowed) && (self.features.shared_hosts || !shares_hosts)
    }

    /// A module with something done to it, and what was done.
    fn changed(
        &self,
        making: Making,
        wasm: &[u8],
        is_alone: bool,
        stream: &mut Stream,
    ) -> (Vec<u8>, Vec<&'static str>) {
        match making {
            Making::Whole => (wasm.to_vec(), Vec::new()),
            Making::Preserved | Making::Mutated => {
                let preserving = making == Making::Preserved;
                mutated::mutated(wasm, preserving, is_alone, self.allowed, stream)
            }
            Making::Spliced => {
                let donor = self.draw(stream).map(|donor| stream.pick(&donor.modules).wasm.clone());
                let spliced = donor.and_then(|donor| splice::spliced(wasm, &donor, self.allowed, stream));
                let Some(spliced) = spliced else { return (wasm.to_vec(), Vec::new()) };
                let count = stream.between(0, 3);
                let (shaped, mut steps) = shape::shaped(spliced, count, self.allowed, stream);
                steps.push("spliced");
                (shaped, steps)
            }
            Making::Shaped => {
                let count = *stream.pick(&[1, 2, 3, 5, 8]);
                shape::shaped(wasm.to_vec(), count, self.allowed, stream)
            }
        }
    }
}

/// What a module may use under these features.
fn allowed(features: &Features) -> WasmFeatures {
    let gone = [
        (features.sign_extension, WasmFeatures::SIGN_EXTENSION),
        (features.saturating_conversions, WasmFeatures::SATURATING_FLOAT_TO_INT),
        (features.multi_value, WasmFeatures::MULTI_VALUE),
        (features.bulk_memory, WasmFeatures::BULK_MEMORY),
        (features.reference_types, WasmFeatures::REFERENCE_TYPES),
        (features.tail_call, WasmFeatures::TAIL_CALL),
        (features.extended_const, WasmFeatures::EXTENDED_CONST),
        (features.multi_memory, WasmFeatures::MULTI_MEMORY),
        (features.memory64, WasmFeatures::MEMORY64),
        (features.function_references, WasmFeatures::FUNCTION_REFERENCES),
        (features.gc, WasmFeatures::GC),
        (features.exceptions, WasmFeatures::EXCEPTIONS),
        (features.simd, WasmFeatures::SIMD),
        (features.relaxed_simd, WasmFeatures::RELAXED_SIMD),
        (features.threads, WasmFeatures::THREADS),
        (features.wide_arithmetic, WasmFeatures::WIDE_ARITHMETIC),
        // No feature of the generators: engines differ in whether they have it.
        (false, WasmFeatures::CUSTOM_PAGE_SIZES),
    ];
    let gone = gone.into_iter().filter(|(is_there, _)| !is_there).map(|(_, feature)| feature);
    gone.fold(Module::FEATURES, WasmFeatures::difference)
}

fn is_valid(case: &Case, allowed: WasmFeatures) -> bool {
    let is_valid = |wasm: &[u8]| Validator::new_with_features(allowed).validate_all(wasm).is_ok();
    !case.modules.is_empty() && case.modules.iter().all(|module| is_valid(&module.wasm))
}

/// The imports of a module: their modules' names, and whether it is a function.
fn imports(wasm: &[u8]) -> Vec<(String, bool)> {
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        if let Payload::ImportSection(section) = payload {
            imports.extend(section.into_imports().map_while(Result::ok).map(|import| {
                (import.module.to_owned(), matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)))
            }));
        }
    }
    imports
}

fn imports_functions_of_hosts(case: &Case) -> bool {
    let is_module = |name: &str| case.modules.iter().any(|module| module.name == name);
    let mut imports = case.modules.iter().flat_map(|module| imports(&module.wasm));
    imports.any(|(module, is_function)| is_function && !is_module(&module))
}

/// The program with one of its modules, what that imports from, and some of what imports from these. None if that is too
/// much.
fn narrowed(case: &Case, stream: &mut Stream) -> Option<Case> {
    if case.modules.len() == 1 {
        return Some(case.clone());
    }
    let place =
        |name: &str, below: usize| case.modules[..below].iter().rposition(|module| module.name == name);
    let links: Vec<BTreeSet<usize>> = (0..case.modules.len())
        .map(|module| {
            let imports = imports(&case.modules[module].wasm);
            imports.iter().filter_map(|(name, _)| place(name, module)).collect()
        })
        .collect();
    let mut kept = BTreeSet::from([stream.below(case.modules.len() as u64) as usize]);
    // Links go to earlier modules, so one round from the last to the first finds all.
    for module in (0..case.modules.len()).rev() {
        if kept.contains(&module) {
            kept.extend(&links[module]);
        }
    }
    for (module, links) in links.iter().enumerate() {
        let uses_kept = !links.is_empty() && links.is_subset(&kept);
        if uses_kept && kept.len() < MOST_MODULES && stream.percent(50) {
            kept.insert(module);
        }
    }
    if kept.len() > MOST_MODULES {
        return None;
    }
    let modules = kept.iter().map(|module| case.modules[*module].clone()).collect();
    let now = |module: u32| kept.iter().position(|kept| *kept == module as usize).map(|now| now as u32);
    let actions = case.actions.iter().filter_map(|action| {
        let mut action = action.clone();
        let (Action::Instantiate { module } | Action::Invoke { module, .. } | Action::Read { module, .. }) =
            &mut action;
        *module = now(*module)?;
        Some(action)
    });
    Some(Case { modules, actions: actions.collect(), ..case.clone() })
}

/// Leaves out all calls of the script but some that follow one another.
fn keep_some_calls(case: &mut Case, stream: &mut Stream) {
    let is_call = |action: &Action| !matches!(action, Action::Instantiate { .. });
    let count = case.actions.iter().filter(|action| is_call(action)).count();
    let first = stream.below(count.saturating_sub(MOST_CALLS) as u64 + 1) as usize;
    let mut number = 0;
    case.actions.retain(|action| {
        let is_kept = !is_call(action) || (first..first + MOST_CALLS).contains(&number);
        number += usize::from(is_call(action));
        is_kept
    });
}
