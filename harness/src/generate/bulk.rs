//! Cases about ranges: operations on whole stretches of memories and tables, and accesses whose address is a sum.
//!
//! A range has a start and a length, an object has a size, a copy has two of each, and every one of these numbers may
//! be taken for another: the bounds of the wrong object, the length of the wrong type, the size from before a
//! growth, a sum that has lost its carry, a direction that overwrites what is still to be read. So the operands here
//! depend on each other ([`body`]): ranges end where their object ends, or one beyond; they touch, overlap by one, lie
//! on each other, in both orders; objects are of different sizes and index types. Sizes are asked for when the code runs,
//! so that the borders are met after growth, too.
//!
//! Often the objects belong to another module ([`World`]), and are imported more than once: then two indices mean one object,
//! and what is done by way of the one must be seen by way of the other.

mod body;
mod module;
#[cfg(test)]
mod tests;

use super::Profile;
use super::linked::types::Ty;
use super::numbers::PAGE;
use super::{boundary, plan};
use crate::case::{Action, Case, CaseModule, Value};
use crate::draw::{Purpose, Stream};
use crate::features::Features;
use body::Body;

/// Name of the module that owns everything, if that is another one.
const PROVIDER: &str = "p";
/// The global that everything is mixed into.
const SINK: u32 = 0;
/// Then come four globals, one a type, and after them the same four again.
const GLOBALS: u32 = 1;
/// Bytes of the passive data segments, and elements of the passive element segments.
const SEGMENTS: [u64; 3] = [24, 7, 0];
/// The number of the segment that is dropped before it is used.
const DROPPED: u32 = SEGMENTS.len() as u32;
/// Elements or bytes that it had.
const DROPPED_LENGTH: u64 = 5;

/// Bits of the parameter that lets dangerous things happen.
const GATES: u32 = 2;

/// A memory or a table.
#[derive(Clone, Copy)]
struct Object {
    /// Pages or elements at first.
    minimum: u64,
    maximum: u64,
    is_64: bool,
}

impl Object {
    /// The type of its indices and sizes.
    fn index(self) -> Ty {
        if self.is_64 { Ty::I64 } else { Ty::I32 }
    }
}

/// Everything that there is, and by which indices the code knows it.
struct World {
    memories: Vec<Object>,
    tables: Vec<Object>,
    /// Which memory each memory index means, and which table each table index.
    memory_views: Vec<usize>,
    table_views: Vec<usize>,
    has_provider: bool,
    /// How often, of a hundred, what traps is done in some calls of a function.
    wild: u32,
    /// Functions with exercises.
    bodies: usize,
}

impl World {
    fn draw(features: &Features, stream: &mut Stream) -> World {
        // All of them are drawn, so that a feature that is off leaves the other choices alone.
        let mut on = |allowed: bool, percent| stream.percent(percent) && allowed;
        let several = on(features.multi_memory, 60);
        let is_long = on(features.memory64, 50);
        let has_provider = on(true, 60);
        let mut objects = |low: usize, high: usize, sizes: &[u64], more: &[u64]| -> Vec<Object> {
            (0..stream.between(low, high))
                .map(|_| {
                    let minimum = *stream.pick(sizes);
                    let maximum = minimum + *stream.pick(more);
                    Object { minimum, maximum, is_64: stream.percent(50) && is_long }
                })
                .collect()
        };
        let memories = objects(1, if several { 3 } else { 1 }, &[1, 1, 2, 3], &[0, 1, 3]);
        let tables = objects(1, 3, &[1, 5, 10, 20, 30], &[0, 1, 10]);
        let mut views = |count: usize, may_repeat: bool| -> Vec<usize> {
            let mut views: Vec<usize> = (0..count).collect();
            if has_provider && may_repeat {
                (0..stream.between(0, 2)).for_each(|_| views.push(stream.below(count as u64) as usize));
                let turn = stream.between(0, views.len() - 1);
                views.rotate_left(turn);
            }
            views
        };
        let memory_views = views(memories.len(), several);
        let table_views = views(tables.len(), true);
        let wild = *stream.pick(&[5, 20, 50]);
        let bodies = stream.between(3, 6);
        World { memories, tables, memory_views, table_views, has_provider, wild, bodies }
    }

    /// The memory that an index means.
    fn memory(&self, index: u32) -> Object {
        self.memories[self.memory_views[index as usize]]
    }

    fn table(&self, index: u32) -> Object {
        self.tables[self.table_views[index as usize]]
    }

    /// Functions that grow one of the objects by one, memories first.
    fn growers(&self) -> u32 {
        (self.memories.len() + self.tables.len()) as u32
    }

    /// How many globals each set of four has indices for.
    fn global_views(&self) -> u32 {
        if self.has_provider { 2 } else { 1 }
    }
}

/// The case that derives from that number.
pub fn case(features: &Features, profile: Profile, case_seed: u64) -> Case {
    if !(features.bulk_memory && features.reference_types) {
        // Nothing is left to be tried.
        return boundary::case(features, profile, case_seed);
    }
    let mut stream = Stream::new(case_seed, Purpose::Module);
    let world = World::draw(features, &mut stream);
    let bodies: Vec<_> = (0..world.bodies).map(|_| Body::write(&world, &mut stream)).collect();
    let mut modules = Vec::new();
    if world.has_provider {
        let wasm = module::provider(&world, &mut stream);
        modules.push(CaseModule { name: PROVIDER.to_owned(), wasm });
    }
    let wasm = module::user(&world, &bodies, &mut stream);
    modules.push(CaseModule { name: plan::MODULE_NAME.to_owned(), wasm });
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (hosts, mut limits) = plan::surroundings(&mut stream);
    let largest = |objects: &[Object]| objects.iter().map(|object| object.minimum).max().unwrap_or(0);
    limits.table_elements = limits.table_elements.max(largest(&world.tables));
    limits.memory_bytes = limits.memory_bytes.max(largest(&world.memories) * PAGE);
    limits.fuel = limits.fuel.map(|fuel| fuel.max(8_000));
    let mut actions: Vec<Action> =
        (0..modules.len() as u32).map(|module| Action::Instantiate { module }).collect();
    let module = modules.len() as u32 - 1;
    // Each bit lets some dangerous things happen; without them everything is run through once.
    for gate in 0..1 << GATES {
        for number in 0..world.bodies {
            if gate == 0 || stream.percent(60) {
                let args = vec![Value::I32(gate), Value::I64(stream.u64())];
                actions.push(Action::Invoke { module, export: format!("b{number}"), args });
            }
        }
    }
    Case { modules, hosts, actions, limits }
}
