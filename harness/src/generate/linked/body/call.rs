//! Calls: direct, through a table and through a reference, of functions of any module, in place and in the end.

use super::super::types::Ty;
use super::super::world::{Origin, pick};
use super::{BUDGETS, Body};

/// How a callee is reached.
#[derive(Clone, Copy)]
enum Callee {
    /// By its index.
    Direct(u32),
    /// By a slot of a table of the module.
    Slot { table: u32, slot: u64 },
    /// By a reference.
    Reference,
}

impl<'a> Body<'a> {
    /// Whether a call of a function of the type still fits into what this body may cost.
    pub(super) fn affordable(&self, number: usize) -> bool {
        // Every round costs as much.
        let share = if self.ty.rounds.is_some() { 8 } else { 1 };
        let budget = BUDGETS[self.ty.height as usize] / share;
        self.cost + self.times * (self.costs[number] + 10) <= budget
    }

    /// Whether all arguments can be made.
    pub(super) fn callable(&self, number: usize) -> bool {
        self.world.types.pool[number].params.iter().all(|param| self.available(*param))
    }

    /// Calls some lower function whose results are wanted; gives their types. Writes nothing if there is none.
    pub(super) fn call(&mut self, wanted: impl Fn(&[Ty]) -> bool) -> Option<&'a [Ty]> {
        let pool = &self.world.types.pool;
        let (number, callee) = self.choose(|number| wanted(&pool[number].results))?;
        self.left -= 2;
        self.write_call(number, callee, false);
        Some(&pool[number].results)
    }

    /// Ends the body with a tail call, if some lower function gives the same results.
    pub(super) fn tail_call(&mut self) -> bool {
        let (pool, results) = (&self.world.types.pool, &self.ty.results);
        let found = self.choose(|number| pool[number].results == *results);
        if let Some((number, callee)) = found {
            self.write_call(number, callee, true);
        }
        found.is_some()
    }

    /// Calls a function of this one's type, a round less to go. Writes nothing if none is within reach.
    pub(super) fn call_again(&mut self, tail: bool) -> bool {
        let number = self.number;
        let Some(callee) = self.way_to(number) else { return false };
        if !self.callable(number) {
            return false;
        }
        self.op().local_get(0).i32_const(1).i32_sub();
        self.arguments(number, 1, callee);
        self.transfer(number, callee, tail);
        true
    }

    /// A type that is wanted, within reach and not too dear, and a way to call a function of it.
    fn choose(&mut self, wanted: impl Fn(usize) -> bool) -> Option<(usize, Callee)> {
        let height = self.ty.height;
        let pool = &self.world.types.pool;
        let fits = |number: &usize| {
            let lower = pool[*number].height < height;
            lower && wanted(*number) && self.affordable(*number) && self.callable(*number)
        };
        let candidates: Vec<usize> = (0..pool.len()).filter(fits).collect();
        let number = pick(candidates.iter().copied(), self.stream)?;
        let callee = if self.wild() { self.any_slot() } else { self.way_to(number) };
        Some((number, callee?))
    }

    /// A way to a function of the type, if there is any; one that may lead to another module rather.
    fn way_to(&mut self, number: usize) -> Option<Callee> {
        let direct = self.direct(number);
        let slot = self.slot_of(number);
        let reference = self.choices.typed && self.has_function_of(number);
        let reference = reference.then_some(Callee::Reference);
        let ways = [direct, direct, slot, slot, slot, reference, reference];
        pick(ways.into_iter().flatten(), self.stream)
    }

    /// A function of exactly the type: a subtype may take and give other values.
    fn direct(&mut self, number: usize) -> Option<Callee> {
        let fitting = self.view.funcs.iter().enumerate().filter(|(_, seen)| seen.ty == number);
        let (world, module) = (self.world, self.module);
        let imported = fitting.clone().filter(|(_, seen)| match seen.origin {
            Origin::Defined(number) => world.funcs[number].owner != module,
            Origin::Host => true,
        });
        let found = if self.stream.percent(60) { pick(imported, self.stream) } else { None };
        let found = found.or_else(|| pick(fitting, self.stream));
        found.map(|(index, _)| Callee::Direct(index as u32))
    }

    /// A slot that holds a function of the type or a subtype, as far as is known.
    fn slot_of(&mut self, number: usize) -> Option<Callee> {
        let (types, tables) = (&self.world.types, &self.world.tables);
        let slots = self.view.tables.iter().enumerate().flat_map(|(index, table)| {
            let slots = tables[*table].slots.iter().enumerate();
            let fitting =
                slots.filter(|(_, slot)| slot.is_some_and(|held| types.is_subtype(held.ty, number)));
            fitting.map(move |(slot, _)| Callee::Slot { table: index as u32, slot: slot as u64 })
        });
        pick(slots, self.stream)
    }

    fn any_slot(&mut self) -> Option<Callee> {
        let table = pick(0..self.view.tables.len() as u32, self.stream)?;
        let slots = self.world.tables[self.view.tables[table as usize]].slots.len() as u64;
        Some(Callee::Slot { table, slot: self.stream.below(slots + 1) })
    }

    fn write_call(&mut self, number: usize, callee: Callee, tail: bool) {
        let given = match self.world.types.pool[number].rounds {
            Some(_) if self.stream.percent(70) => {
                let rounds = self.stream.below(6) as i32;
                self.op().i32_const(rounds);
                1
            }
            Some(_) | None => 0,
        };
        self.arguments(number, given, callee);
        self.transfer(number, callee, tail);
        self.cost += self.times * self.costs[number];
    }

    /// The arguments that are not given yet, and after them what leads to the callee.
    fn arguments(&mut self, number: usize, given: usize, callee: Callee) {
        for param in &self.world.types.pool[number].params[given..] {
            self.value(*param, 1);
        }
        match callee {
            Callee::Direct(_) => {}
            Callee::Slot { table, slot } => {
                let is_64 = self.world.tables[self.view.tables[table as usize]].is_64;
                self.index(is_64, slot);
            }
            Callee::Reference => {
                let nullable = self.wild();
                self.value(Ty::Typed { of: number, nullable }, 1);
            }
        }
    }

    fn transfer(&mut self, number: usize, callee: Callee, tail: bool) {
        let ty = self.view.types[number];
        match (callee, tail) {
            (Callee::Direct(func), false) => self.op().call(func),
            (Callee::Direct(func), true) => self.op().return_call(func),
            (Callee::Slot { table, .. }, false) => self.op().call_indirect(table, ty),
            (Callee::Slot { table, .. }, true) => self.op().return_call_indirect(table, ty),
            (Callee::Reference, false) => self.op().call_ref(ty),
            (Callee::Reference, true) => self.op().return_call_ref(ty),
        };
    }
}
