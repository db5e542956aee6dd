//! Cases about the shape of code: blocks that take and give values, branches over operands that are left behind, code that
//! cannot be reached, and state that a callee changes between two looks of its caller.
//!
//! What a compiler must know at each point is what the operand stack holds, and where. It goes wrong where paths meet:
//! at an `else` that begins with parameters again, at a label that was reached first by another branch, behind a branch
//! that always goes away, at a loop whose values come back in another order. So a body here is a *walk* ([`walk`]): the
//! generator keeps the types on the stack, and every step takes what happens to be on top and leaves what it makes.
//! Operands pile up below blocks, calls and branches by themselves. [`control`] writes the structured instructions and the
//! branches, with code behind those that always leave; [`state`] writes the callees that change globals, memories and
//! tables, and the looks before and after; [`crowd`] makes more of one thing than fits: labels, operands, locals,
//! arguments, arms.
//!
//! Everything computed is seen: mixed into the sink, stored, set or returned. Loops end by counters that nothing else
//! touches, and calls go to earlier functions only.

mod control;
mod crowd;
mod module;
mod state;
#[cfg(test)]
mod tests;
mod walk;

use super::Profile;
use super::linked::operators::Operator;
use super::linked::types::Ty;
use super::numbers::{NUMBERS, Signature, number_type};
use super::plan;
use crate::case::{Action, Case, CaseModule, Value};
use crate::draw::{Purpose, Stream, values};
use crate::features::Features;
use crosscheck_engine::opcode::Proposal;
use crowd::Crowd;
use state::Callee;
use walk::Body;
use wasm_encoder::Function;

/// Name of the module that owns memories, tables, globals and callees, if that is another one.
const PROVIDER: &str = "p";
/// The global that everything is mixed into.
const SINK: u32 = 0;
/// The first of the globals that code reads and callees change, one a type and then one a type again.
const GLOBALS: u32 = 1;
/// How many of them there are.
const GLOBAL_COUNT: u32 = 8;
/// The table whose elements callees replace; the first one holds all functions in their order.
const SLOT_TABLE: u32 = 1;
/// Elements of that table.
const SLOTS: u32 = 4;
/// How many callees may stand in it: they have the same type, and come after those that give back their parameter.
const SLOT_FUNCS: u32 = 3;
/// Callees that give back their only parameter, one a type.
const SAME: u32 = NUMBERS.len() as u32;

/// What a case has and has not.
struct Choices {
    floats: bool,
    multi_value: bool,
    tail: bool,
    /// A second table, whose elements are replaced.
    slots: bool,
    /// Calls by reference.
    references: bool,
    sign_extension: bool,
    saturating: bool,
    /// Addresses are 64 bits wide.
    memory64: bool,
    memories: u32,
    /// NaN bits that the specification leaves open are compared.
    nan_bits: bool,
    /// Callees, memories, tables and globals belong to another module.
    provider: bool,
    /// Host functions may stand in the tables of another module.
    shared_hosts: bool,
    /// How often, of a hundred, what may trap is left to it.
    wild: u32,
}

impl Choices {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Choices {
        let own = profile == Profile::Own;
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        let several = on(features.multi_memory, 20);
        Choices {
            floats: on(true, 90),
            multi_value: on(features.multi_value, 95),
            tail: on(features.tail_call, 85),
            slots: on(features.reference_types, 85),
            references: on(features.function_references && own, 60),
            sign_extension: on(features.sign_extension, 80),
            saturating: on(features.saturating_conversions, 80),
            memory64: on(features.memory64, 10),
            nan_bits: own,
            provider: on(true, 35),
            shared_hosts: features.shared_hosts,
            memories: if several { *stream.pick(&[2, 2, 3, 9]) } else { 1 },
            wild: *stream.pick(&[0, 0, 2, 8]),
        }
    }

    fn number(&self, stream: &mut Stream) -> Ty {
        if self.floats { *stream.pick(&NUMBERS) } else { *stream.pick(&NUMBERS[..2]) }
    }

    fn numbers(&self, low: usize, high: usize, stream: &mut Stream) -> Vec<Ty> {
        (0..stream.between(low, high)).map(|_| self.number(stream)).collect()
    }

    /// How many results a function, or a block, may have.
    fn most_results(&self) -> usize {
        if self.multi_value { 4 } else { 1 }
    }

    /// Whether the case may use an operator.
    fn allows(&self, operator: &Operator) -> bool {
        let proposal = match operator.proposal {
            Proposal::SignExtensionOps => self.sign_extension,
            Proposal::NontrappingFloatToInt => self.saturating,
            other => other == Proposal::Mvp,
        };
        proposal && (self.nan_bits || !operator.new_nans)
    }

    /// The type of addresses.
    fn address(&self) -> Ty {
        if self.memory64 { Ty::I64 } else { Ty::I32 }
    }
}

/// Everything that the modules of a case have in common.
struct Plan {
    choices: Choices,
    /// Host functions, which come first in the index space.
    hosts: Vec<Signature>,
    /// Then functions that compute little and change state.
    callees: Vec<Callee>,
    /// Then the walks.
    walks: Vec<Signature>,
    /// What there is much of in the last walk.
    crowd: Option<Crowd>,
    /// Pages to which memories may grow.
    maximum: u64,
}

impl Plan {
    fn draw(choices: Choices, stream: &mut Stream) -> Plan {
        let crowd = stream.percent(40).then(|| Crowd::draw(stream));
        let most_params = |stream: &mut Stream| *stream.pick(&[3, 6, 6, 12, 40]);
        // The table that holds all functions belongs to the provider.
        let most_hosts = if choices.provider && !choices.shared_hosts { 0 } else { 2 };
        let hosts = (0..stream.between(0, 2).min(most_hosts))
            .map(|_| {
                let most = most_params(stream);
                Signature {
                    params: choices.numbers(0, most, stream),
                    results: choices.numbers(0, choices.most_results(), stream),
                }
            })
            .collect();
        let mut signatures: Vec<Signature> =
            NUMBERS.iter().map(|ty| Signature { params: vec![*ty], results: vec![*ty] }).collect();
        let slot = Signature { params: choices.numbers(0, 2, stream), results: vec![choices.number(stream)] };
        signatures.extend((0..SLOT_FUNCS).map(|_| slot.clone()));
        for _ in 0..stream.between(1, 3) {
            let most = most_params(stream);
            let params = choices.numbers(0, most, stream);
            let results = if choices.multi_value { *stream.pick(&[1, 2, 4, 12]) } else { 1 };
            signatures.push(Signature { params, results: choices.numbers(0, results, stream) });
        }
        let callees = signatures.into_iter().map(|signature| Callee::draw(signature, &choices, stream));
        let callees: Vec<Callee> = callees.collect();
        let walks = (0..stream.between(2, 4))
            .map(|_| {
                let most = *stream.pick(&[2, 4, 4, 6, 6, 40]);
                let mut params = choices.numbers(0, most, stream);
                params.insert(stream.between(0, params.len()), Ty::I32);
                let results = if choices.tail && stream.percent(50) {
                    // Those of a callee, so that a tail call may be the end.
                    stream.pick(&callees).signature.results.clone()
                } else {
                    choices.numbers(0, choices.most_results(), stream)
                };
                Signature { params, results }
            })
            .collect();
        let maximum = stream.between(2, 5) as u64;
        Plan { choices, hosts, callees, walks, crowd, maximum }
    }

    /// Every function, in the order of the index space.
    fn signatures(&self) -> impl Iterator<Item = &Signature> + Clone {
        let callees = self.callees.iter().map(|callee| &callee.signature);
        self.hosts.iter().chain(callees).chain(&self.walks)
    }

    fn signature(&self, func: u32) -> &Signature {
        self.signatures().nth(func as usize).expect("the function exists")
    }

    /// Index of the first callee.
    fn first_callee(&self) -> u32 {
        self.hosts.len() as u32
    }

    /// Index of the first function that may stand in the slots.
    fn first_slot_func(&self) -> u32 {
        self.first_callee() + SAME
    }

    /// Index of the first walk.
    fn first_walk(&self) -> u32 {
        (self.hosts.len() + self.callees.len()) as u32
    }

    fn functions(&self) -> u32 {
        self.first_walk() + self.walks.len() as u32
    }

    /// Whether one function has more locals and operands than others have in all.
    fn is_giant(&self) -> bool {
        self.crowd == Some(Crowd::Giant)
    }
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let choices = Choices::draw(features, profile, &mut stream);
    let plan = Plan::draw(choices, &mut stream);
    let callees: Vec<Function> = plan.callees.iter().map(|callee| callee.body(&plan, &mut stream)).collect();
    let mut blocks = Vec::new();
    let mut costs = Vec::new();
    let walks: Vec<Function> = (0..plan.walks.len())
        .map(|number| {
            let (function, cost) = Body::write(&plan, number, &costs, &mut blocks, &mut stream);
            costs.push(cost);
            function
        })
        .collect();
    let mut modules = Vec::new();
    if plan.choices.provider {
        let wasm = module::provider(&plan, &callees, &mut stream);
        modules.push(CaseModule { name: PROVIDER.to_owned(), wasm });
    }
    let wasm = module::user(&plan, &callees, &walks, &blocks, &mut stream);
    modules.push(CaseModule { name: plan::MODULE_NAME.to_owned(), wasm });
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (mut hosts, mut limits) = plan::surroundings(&mut stream);
    plan::rather_call_back(&mut hosts, &mut stream);
    limits.table_elements = limits.table_elements.max(u64::from(plan.functions() + SLOTS));
    limits.depth_slots = limits.depth_slots.max(2_000);
    if plan.is_giant() {
        limits.depth_slots = 400_000;
        limits.fuel = Some(400_000);
    }
    let actions = actions(&plan, modules.len() as u32, &mut stream);
    Case { modules, hosts, actions, limits }
}

/// Instantiates everything, and calls every walk with several arguments, and callees now and then.
fn actions(plan: &Plan, modules: u32, stream: &mut Stream) -> Vec<Action> {
    let mut actions: Vec<Action> = (0..modules).map(|module| Action::Instantiate { module }).collect();
    let module = modules - 1;
    let rounds = if plan.is_giant() { 1 } else { stream.between(2, 3) };
    let mut call = |export: String, signature: &Signature, stream: &mut Stream| {
        let args: Vec<Value> = signature
            .params
            .iter()
            .map(|ty| values::value(number_type(*ty), stream).expect("a number"))
            .collect();
        actions.push(Action::Invoke { module, export, args });
    };
    for _ in 0..rounds {
        for (number, signature) in plan.walks.iter().enumerate() {
            call(format!("w{number}"), signature, stream);
        }
        if stream.percent(30) {
            let number = stream.below(plan.callees.len() as u64) as usize;
            call(format!("c{number}"), &plan.callees[number].signature, stream);
        }
    }
    actions
}
