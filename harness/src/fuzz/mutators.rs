//! New inputs of old ones, for targets whose bytes must stay modules.
//!
//! A fuzzer that flips bits in wasm mostly makes what is refused. So these make a new case with a generator of
//! the campaign's, or keep the modules and change hosts, calls and arguments, or have wasm-mutate change a module
//! while what calls it stays. Which, and how, follows from the old bytes and the fuzzer's seed.

use super::{envelope, seed_of};
use crate::case::{Action, Case};
use crate::draw::{Purpose, Stream, case_seed, values};
use crate::features::Features;
use crate::generate::{Generator, plan};
use crosscheck_engine::Module;
use wasm_mutate::WasmMutate;
use wasmparser::Validator;

/// Makes new bytes of old ones, at most so many; `None` if nothing came of it. The number is the fuzzer's seed.
pub type Mutate = fn(&[u8], usize, u32) -> Option<Vec<u8>>;

/// How much work wasm-mutate may do at a time.
const MUTATION_FUEL: u64 = 100;

/// See the target of that name.
pub fn differential(bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    vary(Some("smith"), bytes, most, seed)
}

/// See the target of that name.
pub fn single_instruction(bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    vary(Some("single"), bytes, most, seed)
}

/// See the target of that name.
pub fn host_calls(bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    vary(Some("hosts"), bytes, most, seed)
}

/// See the target of that name.
pub fn link(bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    vary(Some("linked"), bytes, most, seed)
}

/// See the target of that name.
pub fn mutate(bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    vary(None, bytes, most, seed)
}

/// A variation; with a generator, now and then something that owes nothing to the old bytes.
fn vary(generator: Option<&str>, bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    let mut stream = Stream::new(case_seed(seed_of(bytes), u64::from(seed)), Purpose::Mutation);
    let old = envelope::read(bytes).filter(|case| !case.modules.is_empty());
    let case = match (old, generator) {
        // Without anything to vary, even a target that only varies needs a module to begin with.
        (None, generator) => fresh(generator.unwrap_or("smith"), &mut stream),
        (Some(_), Some(generator)) if stream.percent(30) => fresh(generator, &mut stream),
        (Some(old), _) if stream.percent(35) => with_other_calls(old, &mut stream),
        (Some(old), _) => {
            let mutant = with_another_module(old.clone(), &mut stream);
            // What wasm-mutate cannot read - typed references, say - still has calls.
            mutant.or_else(|| with_other_calls(old, &mut stream))
        }
    };
    envelope::write(&case?).filter(|bytes| bytes.len() <= most)
}

fn fresh(generator: &str, stream: &mut Stream) -> Option<Case> {
    Generator::new(Features::executed()).case_of(generator, stream.u64())
}

/// The same modules with other hosts, calls, arguments and limits; `None` of a module whose insides cannot be read.
fn with_other_calls(mut case: Case, stream: &mut Stream) -> Option<Case> {
    if case.modules.len() > 1 {
        // What modules with partners can be called with only their generator knows; other values always fit.
        for action in &mut case.actions {
            let Action::Invoke { args, .. } = action else { continue };
            args.iter_mut().for_each(|arg| *arg = values::another(arg, stream));
        }
        (case.hosts, case.limits) = plan::surroundings(stream);
        return Some(case);
    }
    let wasm = std::mem::take(&mut case.modules[0].wasm);
    plan::plan(wasm, stream.u64()).ok()
}

/// One module changed by wasm-mutate; `None` if it found nothing to change.
fn with_another_module(mut case: Case, stream: &mut Stream) -> Option<Case> {
    let number = stream.below(case.modules.len() as u64) as usize;
    let mut mutate = WasmMutate::default();
    mutate.seed(stream.u64()).fuel(MUTATION_FUEL);
    let wasm = std::mem::take(&mut case.modules[number].wasm);
    // Of modules that are not valid the mutator may panic.
    Validator::new_with_features(Module::FEATURES).validate_all(&wasm).ok()?;
    case.modules[number].wasm = mutate.run(&wasm).ok()?.find_map(Result::ok)?;
    Some(case)
}
