//! What exists in a case: functions, memories, tables and globals, who owns them, and who imports them.

use super::Choices;
use super::types::{Ty, Types};
use crate::draw::Stream;

/// Everything that the modules of a case own and share.
pub(super) struct World {
    pub choices: Choices,
    pub types: Types,
    /// The functions that modules define, those of lower types first.
    pub funcs: Vec<Func>,
    pub memories: Vec<Memory>,
    pub tables: Vec<Table>,
    pub globals: Vec<Global>,
    /// The modules, in the order of instantiation.
    pub views: Vec<View>,
}

/// A function that a module defines.
pub(super) struct Func {
    pub owner: usize,
    pub ty: usize,
}

pub(super) struct Memory {
    pub owner: usize,
    pub pages: u64,
    pub maximum: Option<u64>,
    pub is_64: bool,
}

pub(super) struct Table {
    pub owner: usize,
    pub element: Ty,
    pub maximum: Option<u64>,
    pub is_64: bool,
    /// Function that stands in every slot at first, of the owner; needed where null may not.
    pub filler: Option<usize>,
    /// Who puts what into which slot, once all are instantiated.
    pub slots: Vec<Option<Slot>>,
}

/// What a module puts into a slot of a table.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub module: usize,
    /// Function index in that module.
    pub func: u32,
    pub ty: usize,
}

pub(super) struct Global {
    pub owner: usize,
    pub ty: Ty,
    pub mutable: bool,
}

/// What one module sees, by its own indices.
#[derive(Default)]
pub(super) struct View {
    pub funcs: Vec<Seen>,
    pub memories: Vec<usize>,
    pub tables: Vec<usize>,
    pub globals: Vec<usize>,
    /// Indices of the function types of the pool.
    pub types: Vec<u32>,
    pub type_section: wasm_encoder::TypeSection,
    /// Functions that bodies take references to.
    pub referenced: Vec<bool>,
    /// Element segments of `funcref`, passive, after the active ones.
    pub passive_elements: Vec<Vec<u32>>,
    /// How many element segments come before the passive ones.
    pub active_elements: u32,
    /// Passive data segments, before the active ones.
    pub passive_data: Vec<Vec<u8>>,
}

/// A function that a module sees.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub origin: Origin,
    pub ty: usize,
}

/// Where a function comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A module defines it; the number in [`World::funcs`].
    Defined(usize),
    /// The host provides it to this module.
    Host,
}

/// The global that everything is mixed into; every module has it.
pub(super) const SINK: usize = 0;
/// A constant `i32` that offsets of segments may use.
pub(super) const BASE: usize = 1;
/// What [`BASE`] holds.
pub(super) const BASE_VALUE: u32 = 2;

/// What function number so and so is exported as.
pub(super) fn func_name(number: usize) -> String {
    format!("f{number}")
}

/// What a global is exported as.
pub(super) fn global_name(number: usize) -> String {
    format!("g{number}")
}

impl World {
    /// Draws a world.
    pub fn draw(choices: Choices, stream: &mut Stream) -> World {
        let types = Types::draw(&choices, stream);
        let mut world = World {
            choices,
            types,
            funcs: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            views: Vec::new(),
        };
        world.draw_funcs(stream);
        world.draw_memories(stream);
        world.draw_tables(stream);
        world.draw_globals(stream);
        for module in 0..world.choices.modules {
            let view = world.view(module, stream);
            world.views.push(view);
        }
        world.fill_tables(stream);
        world
    }

    fn owner(&self, stream: &mut Stream) -> usize {
        stream.below(self.choices.modules as u64) as usize
    }

    fn draw_funcs(&mut self, stream: &mut Stream) {
        for ty in 0..self.types.pool.len() {
            for _ in 0..stream.between(1, 2) {
                let owner = self.owner(stream);
                self.provide(ty, owner);
                self.funcs.push(Func { owner, ty });
            }
        }
    }

    /// Gives the owner of a function what its results need: one that is not null is a function of the owner's own.
    fn provide(&mut self, ty: usize, owner: usize) {
        for result in self.types.pool[ty].results.clone() {
            if let Ty::Typed { of, nullable: false } = result
                && !self.funcs.iter().any(|func| (func.owner, func.ty) == (owner, of))
            {
                self.provide(of, owner);
                let at = self.funcs.partition_point(|func| func.ty <= of);
                self.funcs.insert(at, Func { owner, ty: of });
            }
        }
    }

    fn draw_memories(&mut self, stream: &mut Stream) {
        let count = if self.choices.multi_memory { 2 } else { 1 };
        for number in 0..count {
            let owner = if number == 0 { 0 } else { self.owner(stream) };
            let pages = if stream.percent(20) { 2 } else { 1 };
            let maximum = stream.percent(60).then(|| pages + stream.below(4));
            let is_64 = self.choices.memory64 && stream.percent(60);
            self.memories.push(Memory { owner, pages, maximum, is_64 });
        }
    }

    fn draw_tables(&mut self, stream: &mut Stream) {
        let count = if self.choices.references { stream.between(1, 3) } else { 1 };
        for number in 0..count {
            let owner = if number == 0 { 0 } else { self.owner(stream) };
            let typed = self.choices.typed && number > 0 && stream.percent(70);
            let (mut element, mut filler) = (Ty::Func, None);
            if typed {
                let of = stream.below(self.types.pool.len() as u64) as usize;
                // The first one of the owner's, by whatever index it turns out to have there.
                filler = self.funcs.iter().position(|func| (func.owner, func.ty) == (owner, of));
                filler = filler.filter(|_| stream.percent(40));
                element = Ty::Typed { of, nullable: filler.is_none() };
            }
            let size = stream.between(4, 10);
            let maximum = stream.percent(50).then(|| size as u64 + stream.below(6));
            let is_64 = self.choices.memory64 && stream.percent(30);
            self.tables.push(Table { owner, element, maximum, is_64, filler, slots: vec![None; size] });
        }
    }

    fn draw_globals(&mut self, stream: &mut Stream) {
        self.globals.push(Global { owner: 0, ty: Ty::I64, mutable: true });
        self.globals.push(Global { owner: 0, ty: Ty::I32, mutable: false });
        for _ in 0..stream.between(1, 6) {
            let owner = self.owner(stream);
            let mut ty = self.types.any(u32::MAX, &self.choices, stream);
            if let Ty::Typed { of, nullable: false } = ty
                && !self.funcs.iter().any(|func| func.owner == owner && self.types.is_subtype(func.ty, of))
            {
                ty = Ty::Typed { of, nullable: true };
            }
            self.globals.push(Global { owner, ty, mutable: stream.percent(80) });
        }
    }

    /// What a module imports of the modules before it, and what it has itself.
    fn view(&self, module: usize, stream: &mut Stream) -> View {
        let mut view = View::default();
        view.types = self.types.encode(&mut view.type_section, stream);
        for (number, func) in self.funcs.iter().enumerate() {
            if func.owner < module && stream.percent(60) {
                view.funcs.push(Seen { origin: Origin::Defined(number), ty: func.ty });
            }
        }
        for _ in 0..stream.below(3) {
            let ty = stream.below(self.types.pool.len() as u64) as usize;
            // Hosts have no functions to answer with.
            let answers = self.types.pool[ty].results.iter().all(|ty| ty.has_default());
            if answers && self.types.is_plain(ty) && self.choices.hosts {
                let at = stream.between(0, view.funcs.len());
                view.funcs.insert(at, Seen { origin: Origin::Host, ty });
            }
        }
        for (number, func) in self.funcs.iter().enumerate().filter(|(_, func)| func.owner == module) {
            view.funcs.push(Seen { origin: Origin::Defined(number), ty: func.ty });
        }
        view.referenced = vec![false; view.funcs.len()];
        let mut sees = |owner: usize, always: bool| owner < module && (stream.percent(80) || always);
        // Imports come first in each index space.
        let first = |(number, owner): (usize, usize)| sees(owner, number <= BASE).then_some(number);
        let memories = self.memories.iter().map(|memory| memory.owner).enumerate();
        let tables = self.tables.iter().map(|table| table.owner).enumerate();
        let globals = self.globals.iter().map(|global| global.owner).enumerate();
        let imported: [Vec<usize>; 3] = {
            let mut first = first;
            [
                memories.clone().filter_map(&mut first).collect(),
                tables.clone().filter_map(&mut first).collect(),
                globals.clone().filter_map(&mut first).collect(),
            ]
        };
        let own = |(number, owner): (usize, usize)| (owner == module).then_some(number);
        [view.memories, view.tables, view.globals] = imported;
        view.memories.extend(memories.filter_map(own));
        view.tables.extend(tables.filter_map(own));
        view.globals.extend(globals.filter_map(own));
        if self.choices.bulk {
            for _ in 0..stream.below(3) {
                let bytes = (0..stream.between(1, 20)).map(|_| stream.u32() as u8).collect();
                view.passive_data.push(bytes);
            }
            for _ in 0..stream.below(3) {
                let funcs = view.funcs.len() as u64;
                if funcs > 0 {
                    let any = (0..stream.between(1, 5)).map(|_| stream.below(funcs) as u32).collect();
                    view.passive_elements.push(any);
                }
            }
        }
        view
    }

    /// Decides who puts what into which slot; runs of slots go to one module.
    fn fill_tables(&mut self, stream: &mut Stream) {
        for number in 0..self.tables.len() {
            let mut slot = 0;
            while slot < self.tables[number].slots.len() {
                let module = self.owner(stream);
                let run = stream.between(1, 4);
                for _ in 0..run {
                    if slot < self.tables[number].slots.len() && !stream.percent(8) {
                        self.tables[number].slots[slot] = self.filling(number, module, stream);
                    }
                    slot += 1;
                }
            }
        }
        for module in 0..self.views.len() {
            let runs: usize = (0..self.views[module].tables.len())
                .map(|table| self.runs(module, self.views[module].tables[table]).len())
                .sum();
            self.views[module].active_elements = runs as u32;
        }
    }

    /// What a module has to put into a slot of a table, if it sees the table.
    fn filling(&self, table: usize, module: usize, stream: &mut Stream) -> Option<Slot> {
        let view = &self.views[module];
        if !view.tables.contains(&table) {
            return None;
        }
        let element = self.tables[table].element;
        let fits = |seen: &Seen| self.types.fits(Ty::Typed { of: seen.ty, nullable: false }, element);
        let func = pick(view.funcs.iter().enumerate().filter(|(_, seen)| fits(seen)), stream)?;
        Some(Slot { module, func: func.0 as u32, ty: func.1.ty })
    }

    /// Runs of neighbouring slots that a module fills: where they begin, and the functions.
    pub fn runs(&self, module: usize, table: usize) -> Vec<(usize, Vec<u32>)> {
        let mut runs: Vec<(usize, Vec<u32>)> = Vec::new();
        for (number, slot) in self.tables[table].slots.iter().enumerate() {
            let Some(slot) = slot.filter(|slot| slot.module == module) else { continue };
            match runs.last_mut() {
                Some((start, funcs)) if *start + funcs.len() == number => funcs.push(slot.func),
                _ => runs.push((number, vec![slot.func])),
            }
        }
        runs
    }
}

/// One of the items, if there are any.
pub(super) fn pick<T>(items: impl Iterator<Item = T> + Clone, stream: &mut Stream) -> Option<T> {
    let count = items.clone().count() as u64;
    if count == 0 { None } else { items.clone().nth(stream.below(count) as usize) }
}
