//! Cases in which one module has several instances that call each other.
//!
//! Instances of a module share their code and nothing else: each has its own memory, globals and segments. What tells
//! them apart while they run is one pointer, and every way from one to another must change it and change it back:
//! a call of an import, a call by a table that all of them have filled, a tail call that leaves for good, a host that calls
//! back, a trap. So a case has a module that owns a table ([`shared`]); a module that puts its functions there whenever
//! it is instantiated, which happens several times; and a third one that imports from whatever instance was the
//! latest. Their functions ([`body`]) go round and round between instances, often until fuel or depth is used up, and each
//! time look at what is their own before and after.

mod body;
mod module;
#[cfg(test)]
mod tests;

use super::linked::types::Ty;
use super::numbers::{NUMBERS, Signature, number_type};
use super::{Profile, linked, plan};
use crate::case::{Action, Case, CaseModule, Value};
use crate::draw::{Purpose, Stream, values};
use crate::features::Features;

/// The module that owns the table, that which is instantiated several times, and that which imports from it.
const NAMES: [&str; 3] = ["t", "a", "b"];
/// The shared globals: what everything is mixed into, and how many elements of the table are taken.
const SINK: u32 = 0;
const NEXT: u32 = 1;
/// The first of an instance's own globals, one a type.
const OWN_GLOBALS: u32 = 2;
/// Functions that each instance puts into the table.
const REGISTERED: u32 = 4;
/// Their types: every other one has the same.
const TYPES: u32 = 2;
/// Functions of the module that imports.
const IMPORTERS: u32 = 2;
/// How often functions go on calling: a few times, or until something is used up.
const ROUNDS: &[u32] = &[0, 1, 2, 5, 5, 12, 12, 30, 100, 2_000, 0x7fff_ffff];

/// What a case has and has not.
struct Choices {
    floats: bool,
    multi_value: bool,
    tail: bool,
    /// A passive data segment.
    bulk: bool,
    /// Calls by reference.
    references: bool,
    /// The module that imports has the same memory twice.
    two_memories: bool,
    memory64: bool,
}

/// Everything that the modules of a case have in common.
struct Plan {
    choices: Choices,
    /// The types of registered functions; the first parameter is how often to go on.
    types: Vec<Signature>,
    /// A host function.
    host: Signature,
}

impl Plan {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Plan {
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        let choices = Choices {
            floats: on(true, 80),
            multi_value: on(features.multi_value, 80),
            tail: on(features.tail_call, 60),
            bulk: on(features.bulk_memory, 60),
            references: on(features.function_references && profile == Profile::Own, 60),
            two_memories: on(features.multi_memory, 50),
            memory64: on(features.memory64, 10),
        };
        let numbers = |low: usize, high: usize, stream: &mut Stream| -> Vec<Ty> {
            let types = if choices.floats { &NUMBERS[..] } else { &NUMBERS[..2] };
            (0..stream.between(low, high)).map(|_| *stream.pick(types)).collect()
        };
        let most = if choices.multi_value { 3 } else { 1 };
        // The same results, so that a tail call may go to a function of the other type.
        let results = numbers(0, most, stream);
        let types = (0..TYPES as usize)
            .map(|number| {
                let mut params = vec![Ty::I32];
                params.extend(numbers(number, 4 + 8 * number, stream));
                Signature { params, results: results.clone() }
            })
            .collect();
        let host = Signature { params: numbers(0, 3, stream), results: numbers(0, 1, stream) };
        Plan { choices, types, host }
    }

    fn registered_type(&self, number: u32) -> &Signature {
        &self.types[(number % TYPES) as usize]
    }
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    if !features.reference_types {
        // Instances cannot put themselves into a table.
        return linked::case(features, profile, case_seed);
    }
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let plan = Plan::draw(features, profile, &mut stream);
    let wasm = [
        module::shared(&mut stream),
        module::registering(&plan, &mut stream),
        module::importing(&plan, &mut stream),
    ];
    let modules = NAMES.into_iter().zip(wasm).map(|(name, wasm)| CaseModule { name: name.to_owned(), wasm });
    let modules = modules.collect();
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (mut hosts, mut limits) = plan::surroundings(&mut stream);
    plan::rather_call_back(&mut hosts, &mut stream);
    limits.table_elements = limits.table_elements.max(100);
    let mut actions: Vec<Action> =
        (0..NAMES.len() as u32).map(|module| Action::Instantiate { module }).collect();
    for _ in 0..stream.between(1, 2) {
        actions.push(Action::Instantiate { module: 1 });
    }
    for _ in 0..stream.between(5, 9) {
        match stream.below(12) {
            0 => actions.push(Action::Instantiate { module: *stream.pick(&[1, 2]) }),
            1..6 => {
                let number = stream.below(u64::from(REGISTERED)) as u32;
                actions.push(call(&plan, 1, number, &mut stream));
            }
            _ => {
                let number = stream.below(u64::from(IMPORTERS)) as u32;
                actions.push(call(&plan, 2, number, &mut stream));
            }
        }
    }
    Case { modules, hosts, actions, limits }
}

fn call(plan: &Plan, module: u32, number: u32, stream: &mut Stream) -> Action {
    let params = &plan.registered_type(number).params;
    let rest = params[1..].iter().map(|ty| values::value(number_type(*ty), stream).expect("a number"));
    let rest: Vec<Value> = rest.collect();
    let mut args = vec![Value::I32(*stream.pick(ROUNDS))];
    args.extend(rest);
    Action::Invoke { module, export: format!("f{number}"), args }
}
