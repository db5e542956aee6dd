//! Cases of two or three modules that share memories, tables, globals and functions.
//!
//! What goes wrong between instances needs two of them: a callee that grows the memory its caller holds in a
//! register, a table slot that another module filled, a tail call that leaves the instance, a global that changed
//! under a call, a type that is the same under another index, a backtrace through both. `wasm-smith` makes
//! one module at a time, and none of the typed function references without the rest of garbage collection. So this
//! generator is our own, and made for calls:
//!
//! - [`types`] draws the function types that all modules share, in an order that makes calls end;
//! - [`world`] draws what exists, who owns it, who imports it, and what the tables hold at first;
//! - [`body`] writes function bodies that compute, store and call each other in every way there is;
//! - [`module`] puts a module together.
//!
//! Every choice comes from the case's stream; [`Choices`] are drawn first, so that cases differ more from each
//! other than by their bodies. A case costs a fifth of one of `wasm-smith`, for twice the bytes.

mod body;
mod module;
pub(super) mod operators;
pub(super) mod types;
mod world;

use super::{Profile, plan};
use crate::case::{Action, Case, CaseModule, HeapKind, RefValue, Value};
use crate::draw::{Purpose, Stream, values};
use crate::features::Features;
use types::Ty;
use world::World;

/// What a case has and has not.
struct Choices {
    /// Float arithmetic and float types.
    floats: bool,
    sign_extension: bool,
    saturating: bool,
    multi_value: bool,
    bulk: bool,
    /// References as values, several tables.
    references: bool,
    tail: bool,
    extended_const: bool,
    multi_memory: bool,
    memory64: bool,
    /// Host functions beside those of modules, and wherever those are: in shared tables too.
    hosts: bool,
    /// Typed function references and subtypes of function types.
    typed: bool,
    /// New NaNs are made canonical by the modules.
    canonical_nans: bool,
    /// How often, of a hundred, an operand or a target is left as dangerous as it comes.
    wild: u32,
    /// Which kinds of statements bodies have, by their number.
    statements: u32,
    /// The greatest height of a type.
    top: u32,
    modules: usize,
}

impl Choices {
    fn draw(features: &Features, profile: Profile, stream: &mut Stream) -> Choices {
        let own = profile == Profile::Own;
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        let references = on(features.reference_types, 90);
        Choices {
            floats: on(true, 80),
            sign_extension: on(features.sign_extension, 80),
            saturating: on(features.saturating_conversions, 80),
            multi_value: on(features.multi_value, 80),
            bulk: on(features.bulk_memory, 70),
            references,
            tail: on(features.tail_call, 80),
            extended_const: on(features.extended_const, 60),
            multi_memory: on(features.multi_memory, 30),
            memory64: on(features.memory64, 25),
            hosts: features.shared_hosts,
            typed: on(features.function_references && references && own, 75),
            canonical_nans: !own,
            wild: *stream.pick(&[0, 1, 3, 8, 20]),
            statements: stream.u32() | stream.u32(),
            top: stream.between(2, 3) as u32,
            modules: if stream.percent(20) { 3 } else { 2 },
        }
    }

    /// A type of numbers.
    fn number(&self, stream: &mut Stream) -> Ty {
        if self.floats {
            *stream.pick(&[Ty::I32, Ty::I32, Ty::I64, Ty::I64, Ty::F32, Ty::F64])
        } else {
            *stream.pick(&[Ty::I32, Ty::I64])
        }
    }
}

/// Names of the modules, by which they import from each other.
const MODULE_NAMES: [&str; 3] = ["a", "b", "c"];

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let choices = Choices::draw(features, profile, &mut stream);
    let mut world = World::draw(choices, &mut stream);
    let bodies = body::bodies(&mut world, &mut stream);
    let modules = (0..world.choices.modules)
        .map(|number| CaseModule {
            name: MODULE_NAMES[number].to_owned(),
            wasm: module::encode(&world, number, &bodies, &mut stream),
        })
        .collect();
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (hosts, limits) = plan::surroundings(&mut stream);
    let actions = actions(&world, &mut stream);
    Case { modules, hosts, actions, limits }
}

/// Instantiates everything in order, with calls between and after; perhaps something once more.
fn actions(world: &World, stream: &mut Stream) -> Vec<Action> {
    let mut actions = Vec::with_capacity(12);
    let modules = world.choices.modules;
    for module in 0..modules {
        actions.push(Action::Instantiate { module: module as u32 });
        // Its slots in the tables of others are there by now, those of later modules are not.
        if module + 1 < modules && stream.percent(20) {
            add_call(world, module + 1, stream, &mut actions);
        }
    }
    for _ in 0..stream.between(4, 8) {
        add_call(world, modules, stream, &mut actions);
    }
    if stream.percent(15) {
        // A second instance of the same code, with the functions of the first still in the tables.
        actions.push(Action::Instantiate { module: stream.below(modules as u64) as u32 });
        for _ in 0..2 {
            add_call(world, modules, stream, &mut actions);
        }
    }
    if stream.percent(20) {
        let global = stream.below(world.globals.len() as u64) as usize;
        let module = world.globals[global].owner as u32;
        actions.push(Action::Read { module, export: world::global_name(global) });
    }
    actions
}

/// Adds a call of a function that one of the first modules defines, if values from outside will do for it.
fn add_call(world: &World, modules: usize, stream: &mut Stream, actions: &mut Vec<Action>) {
    // The higher a function, the more it calls.
    let mut number = stream.below(world.funcs.len() as u64) as usize;
    number = number.max(stream.below(world.funcs.len() as u64) as usize);
    let func = &world.funcs[number];
    if func.owner >= modules {
        return;
    }
    let params = &world.types.pool[func.ty].params;
    let args: Option<Vec<Value>> = params.iter().map(|ty| argument(*ty, stream)).collect();
    if let Some(args) = args {
        let (module, export) = (func.owner as u32, world::func_name(number));
        actions.push(Action::Invoke { module, export, args });
    }
}

/// A value from outside; `None` for references that cannot be null.
fn argument(ty: Ty, stream: &mut Stream) -> Option<Value> {
    use wasmparser::ValType;
    match ty {
        Ty::I32 => values::value(ValType::I32, stream),
        Ty::I64 => values::value(ValType::I64, stream),
        Ty::F32 => values::value(ValType::F32, stream),
        Ty::F64 => values::value(ValType::F64, stream),
        Ty::Extern => values::value(ValType::EXTERNREF, stream),
        Ty::Func | Ty::Typed { nullable: true, .. } => Some(Value::Ref(RefValue::Null(HeapKind::Func))),
        Ty::Typed { nullable: false, .. } => None,
    }
}

#[cfg(test)]
mod tests;
