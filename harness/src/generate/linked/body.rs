//! Function bodies: statements that compute, store and call.
//!
//! A body is written front to back, straight to bytes. [`value`] writes an expression of a wanted type, [`call`] a
//! call of any kind; here stand the statements around them. Nothing computed is dropped: it is
//! stored, set, mixed into the sink or returned.
//!
//! Calls end by the heights of types (see `types`), loops by a counter that nothing else touches. So that
//! they end within the fuel of a case, every body adds up what it can cost at most, and makes no call that would
//! cost too much.

mod call;
mod value;

use super::Choices;
use super::operators::stores;
use super::types::{FuncType, Ty};
use super::world::{SINK, View, World, pick};
use crate::draw::Stream;
use wasm_encoder::{BlockType, Encode, HeapType, InstructionSink, MemArg, MemArgTarget};

/// What a body may cost at most, in instructions, by the height of its type.
const BUDGETS: [u64; 4] = [60, 300, 1_200, 4_000];

/// The bodies of all functions, in the order of [`World::funcs`], without their sizes.
pub(super) fn bodies(world: &mut World, stream: &mut Stream) -> Vec<Vec<u8>> {
    // The dearest function of each type; those of lower types are known before they are called.
    let mut costs = vec![1; world.types.pool.len()];
    let mut bodies = Vec::with_capacity(world.funcs.len());
    let mut referenced = Vec::new();
    for number in 0..world.funcs.len() {
        let (module, ty) = (world.funcs[number].owner, world.funcs[number].ty);
        let mut body = Body::new(world, module, ty, &costs, stream);
        body.write();
        let (bytes, cost) = body.finish(&mut referenced);
        bodies.push(bytes);
        referenced.drain(..).for_each(|func: u32| world.views[module].referenced[func as usize] = true);
        // A supertype's tables and references hold functions of its subtypes.
        let mut of = Some(ty);
        while let Some(ty) = of {
            costs[ty] = cost.max(costs[ty]);
            of = world.types.pool[ty].supertype;
        }
    }
    bodies
}

/// A body being written.
struct Body<'a> {
    world: &'a World,
    view: &'a View,
    module: usize,
    choices: &'a Choices,
    ty: &'a FuncType,
    /// The type's number in the pool.
    number: usize,
    costs: &'a [u64],
    stream: &'a mut Stream,
    code: Vec<u8>,
    /// Parameters and locals, in order.
    locals: Vec<Ty>,
    /// Those that expressions read and statements set: the first ones, but for a counter of rounds.
    variables: std::ops::Range<u32>,
    /// Locals for a moment's use, one a type.
    scratch: [Option<u32>; 4],
    /// Functions that references were taken to.
    referenced: Vec<u32>,
    /// Enclosing labels, innermost last: whether they can be left without values.
    labels: Vec<bool>,
    /// How much more is to be written, in expressions.
    left: i32,
    /// What it costs at most so far, and how often what is written now is executed.
    cost: u64,
    times: u64,
}

/// A kind of statement.
struct Row {
    weight: u32,
    allowed: fn(&Body<'_>) -> bool,
    write: fn(&mut Body<'_>),
}

const fn row(weight: u32, allowed: fn(&Body<'_>) -> bool, write: fn(&mut Body<'_>)) -> Row {
    Row { weight, allowed, write }
}

/// The statements. Each case has about three quarters of them; the first three are in all.
const STATEMENTS: &[Row] = &[
    row(8, |_| true, |body| body.set_local()),
    row(8, |_| true, |body| body.call_and_keep()),
    row(4, |_| true, |body| body.mix()),
    row(6, |body| !body.view.memories.is_empty(), |body| body.store()),
    row(4, |_| true, |body| body.set_global()),
    row(3, |_| true, |body| body.branch()),
    row(3, |body| body.times < 100, |body| body.repeat()),
    row(2, |_| true, |body| body.leave()),
    row(2, |_| true, |body| body.switch()),
    row(1, |body| !body.view.memories.is_empty(), |body| body.grow_memory()),
    row(2, |body| body.choices.bulk && !body.view.memories.is_empty(), |body| body.bulk_memory()),
    row(2, |body| body.choices.references && !body.view.tables.is_empty(), |body| body.set_slot()),
    row(1, |body| body.choices.references && !body.view.tables.is_empty(), |body| body.grow_table()),
    row(1, |body| body.choices.bulk && !body.view.tables.is_empty(), |body| body.bulk_table()),
    row(3, |body| body.choices.typed, |body| body.try_reference()),
    row(1, |body| body.choices.wild > 0, |body| body.fail_perhaps()),
];

impl<'a> Body<'a> {
    fn new(
        world: &'a World,
        module: usize,
        number: usize,
        costs: &'a [u64],
        stream: &'a mut Stream,
    ) -> Body<'a> {
        let ty = &world.types.pool[number];
        let mut locals = ty.params.clone();
        for _ in 0..stream.between(1, 5) {
            locals.push(world.types.any(u32::MAX, &world.choices, stream));
        }
        let variables = u32::from(ty.rounds.is_some())..locals.len() as u32;
        let left = stream.between(6, 26) as i32;
        Body {
            world,
            view: &world.views[module],
            module,
            choices: &world.choices,
            ty,
            number,
            costs,
            stream,
            code: Vec::with_capacity(200),
            locals,
            variables,
            scratch: [None; 4],
            referenced: Vec::new(),
            labels: Vec::new(),
            left,
            cost: 0,
            times: 1,
        }
    }

    /// The whole body with its locals, and what it can cost.
    fn finish(self, referenced: &mut Vec<u32>) -> (Vec<u8>, u64) {
        referenced.extend(self.referenced);
        let own = &self.locals[self.ty.params.len()..];
        let mut bytes = Vec::with_capacity(self.code.len() + 16);
        (own.len() as u32).encode(&mut bytes);
        for ty in own {
            1u32.encode(&mut bytes);
            ty.encoded(&self.view.types).encode(&mut bytes);
        }
        bytes.extend_from_slice(&self.code);
        let rounds = self.ty.rounds.map_or(1, |mask| u64::from(mask) + 1);
        (bytes, self.cost * rounds)
    }

    /// Where the next instruction goes; counts it.
    fn op(&mut self) -> InstructionSink<'_> {
        self.cost += self.times;
        InstructionSink::new(&mut self.code)
    }

    fn write(&mut self) {
        // Locals without a default are set before anything may read them; until then they are no variables.
        let variables = self.variables.clone();
        self.variables = variables.start..self.ty.params.len() as u32;
        for local in self.ty.params.len()..variables.end as usize {
            let ty = self.locals[local];
            if !ty.has_default() {
                if !self.available(ty) {
                    let Ty::Typed { of, .. } = ty else { unreachable!("every other type has a default") };
                    self.locals[local] = Ty::Typed { of, nullable: true };
                    continue;
                }
                self.value(ty, 0);
                self.op().local_set(local as u32);
            }
        }
        self.variables = variables;
        if let Some(mask) = self.ty.rounds {
            return self.rounds(mask);
        }
        while self.left > 0 {
            self.statement();
        }
        if self.choices.tail && self.stream.percent(50) && self.tail_call() {
            self.op().end();
            return;
        }
        self.results(2);
        self.op().end();
    }

    /// Writes the function's results.
    fn results(&mut self, depth: u32) {
        for ty in &self.ty.results {
            self.value(*ty, depth);
        }
    }

    /// Some statements, then a call of a function of the same type with a round less, wherever that function is.
    fn rounds(&mut self, mask: u32) {
        self.op().local_get(0).i32_const(mask as i32).i32_and().local_tee(0).i32_eqz();
        self.op().if_(BlockType::Empty);
        self.labels.push(true);
        self.left = self.left.min(6);
        self.results(1);
        self.op().return_().end();
        self.labels.pop();
        self.left = self.left.max(3);
        while self.left > 0 {
            self.statement();
        }
        // A tower of frames is only built where the stack has room for it.
        let tail = self.choices.tail && (mask > 15 || self.stream.percent(70));
        let goes_on = (tail || mask <= 15) && self.call_again(tail);
        if !goes_on {
            self.results(1);
        }
        self.op().end();
    }

    fn statement(&mut self) {
        self.left -= 1;
        let has = |(number, row): &(usize, &Row)| {
            (*number < 3 || self.choices.statements >> number & 1 == 1) && (row.allowed)(self)
        };
        let allowed: u32 = STATEMENTS.iter().enumerate().filter(has).map(|(number, _)| 1 << number).sum();
        let weight = |(number, row): (usize, &Row)| row.weight * (allowed >> number & 1);
        let total: u32 = STATEMENTS.iter().enumerate().map(weight).sum();
        let mut choice = self.stream.below(u64::from(total)) as u32;
        for row in STATEMENTS.iter().enumerate() {
            let weight = weight(row);
            if choice < weight {
                return (row.1.write)(self);
            }
            choice -= weight;
        }
    }

    /// Statements inside a block that can be left without values.
    fn inner(&mut self, most: usize) {
        self.labels.push(true);
        for _ in 0..self.stream.between(1, most) {
            self.statement();
        }
        self.labels.pop();
    }

    /// A variable of exactly the type.
    fn variable(&mut self, ty: Ty) -> Option<u32> {
        let locals = &self.locals;
        pick(self.variables.clone().filter(|local| locals[*local as usize] == ty), self.stream)
    }

    fn any_variable(&mut self) -> Option<u32> {
        pick(self.variables.clone(), self.stream)
    }

    /// A new local that statements and expressions leave alone.
    fn new_local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    fn scratch(&mut self, ty: Ty) -> u32 {
        let place = match ty {
            Ty::I32 => 0,
            Ty::I64 => 1,
            Ty::F32 => 2,
            Ty::F64 => 3,
            Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("only numbers are kept for a moment"),
        };
        match self.scratch[place] {
            Some(local) => local,
            None => {
                let local = self.new_local(ty);
                *self.scratch[place].insert(local)
            }
        }
    }

    fn global(&mut self, wanted: impl Fn(Ty, bool) -> bool + Clone) -> Option<(u32, Ty)> {
        let globals = &self.world.globals;
        let seen = self.view.globals.iter().enumerate();
        let fitting = seen.filter(|(_, global)| wanted(globals[**global].ty, globals[**global].mutable));
        let (index, global) = pick(fitting, self.stream)?;
        Some((index as u32, globals[*global].ty))
    }

    /// Whether the next operand or target stays as dangerous as it comes.
    fn wild(&mut self) -> bool {
        let percent = self.choices.wild;
        percent > 0 && self.stream.percent(percent)
    }

    fn any_number(&mut self) -> Ty {
        self.choices.number(self.stream)
    }

    /// The topmost value, of that type, goes where it can be seen later.
    fn keep(&mut self, ty: Ty) {
        if self.stream.percent(50)
            && let Some(local) = self.variable(ty)
        {
            self.op().local_set(local);
            return;
        }
        match ty {
            Ty::I32 => self.op().i64_extend_i32_u(),
            Ty::I64 => &mut self.op(),
            Ty::F32 => self.op().i32_reinterpret_f32().i64_extend_i32_u(),
            Ty::F64 => self.op().i64_reinterpret_f64(),
            Ty::Typed { .. } | Ty::Func | Ty::Extern => self.op().ref_is_null().i64_extend_i32_u(),
        };
        let distance = 1 + 2 * self.stream.below(32) as i64;
        self.op().global_get(SINK as u32).i64_const(distance).i64_rotl().i64_xor().global_set(SINK as u32);
        self.cost += 4 * self.times;
    }

    // Statements.

    fn set_local(&mut self) {
        if let Some(local) = self.any_variable() {
            let ty = self.locals[local as usize];
            if self.available(ty) {
                self.value(ty, 3);
                self.op().local_set(local);
            }
        }
    }

    fn mix(&mut self) {
        let ty = self.any_number();
        self.value(ty, 3);
        self.keep(ty);
    }

    fn call_and_keep(&mut self) {
        if let Some(results) = self.call(|_| true) {
            for ty in results.iter().rev() {
                self.keep(*ty);
            }
        }
    }

    fn store(&mut self) {
        let ty = self.any_number();
        let access = *self.stream.pick(stores(ty));
        let memory = self.address();
        self.value(ty, 2);
        self.access(access, memory);
    }

    fn set_global(&mut self) {
        let Some((index, ty)) = self.global(|_, mutable| mutable) else { return };
        if self.available(ty) {
            self.value(ty, 2);
            self.op().global_set(index);
        }
    }

    fn branch(&mut self) {
        self.value(Ty::I32, 2);
        self.op().if_(BlockType::Empty);
        self.inner(2);
        if self.stream.percent(50) {
            self.op().else_();
            self.inner(2);
        }
        self.op().end();
    }

    /// A loop of a few rounds, with a way out.
    fn repeat(&mut self) {
        let rounds = self.stream.between(1, 6) as u64;
        let counter = self.new_local(Ty::I32);
        self.op().i32_const(rounds as i32).local_set(counter).block(BlockType::Empty).loop_(BlockType::Empty);
        let times = self.times;
        self.times *= rounds;
        // Out of the block is a way; round again without counting is none.
        self.labels.push(true);
        self.labels.push(false);
        for _ in 0..self.stream.between(1, 3) {
            self.statement();
        }
        self.labels.pop();
        self.labels.pop();
        self.op().local_get(counter).i32_const(1).i32_sub().local_tee(counter).br_if(0);
        self.cost += 4 * self.times;
        self.times = times;
        self.op().end().end();
    }

    /// An enclosing label that can be left without values, by its depth.
    fn way_out(&mut self) -> Option<u32> {
        let labels = &self.labels;
        let open = (0..labels.len()).filter(|depth| labels[labels.len() - 1 - depth]);
        pick(open, self.stream).map(|depth| depth as u32)
    }

    fn leave(&mut self) {
        match self.way_out() {
            Some(depth) => {
                self.value(Ty::I32, 2);
                self.op().br_if(depth);
            }
            None if self.labels.is_empty() => {
                self.value(Ty::I32, 2);
                self.op().if_(BlockType::Empty);
                self.labels.push(true);
                self.results(1);
                self.labels.pop();
                self.op().return_().end();
            }
            None => {}
        }
    }

    /// Blocks in each other, and a table of branches that leaves some of them.
    fn switch(&mut self) {
        let depth = self.stream.between(2, 4) as u32;
        (0..depth).for_each(|_| {
            self.op().block(BlockType::Empty);
        });
        self.value(Ty::I32, 1);
        if !self.wild() {
            self.op().i32_const(7).i32_and();
        }
        let targets: Vec<u32> =
            (0..self.stream.between(1, 5)).map(|_| self.stream.below(u64::from(depth)) as u32).collect();
        let default = self.stream.below(u64::from(depth)) as u32;
        self.op().br_table(targets, default);
        for left in (0..depth).rev() {
            self.op().end();
            if left > 0 {
                // What follows is still inside the outer ones.
                (0..left).for_each(|_| self.labels.push(true));
                self.mix();
                self.labels.truncate(self.labels.len() - left as usize);
            }
        }
    }

    fn grow_memory(&mut self) {
        let memory = self.stream.below(self.view.memories.len() as u64) as u32;
        let pages = self.stream.below(3);
        if self.world.memories[self.view.memories[memory as usize]].is_64 {
            self.op().i64_const(pages as i64).memory_grow(memory);
            self.keep(Ty::I64);
        } else {
            self.op().i32_const(pages as i32).memory_grow(memory);
            self.keep(Ty::I32);
        }
    }

    /// A number below some bound as an address of that width.
    fn small(&mut self, is_64: bool, bound: u64) {
        let number = self.stream.below(bound) as i64;
        if is_64 {
            self.op().i64_const(number);
        } else {
            self.op().i32_const(number as i32);
        }
    }

    fn bulk_memory(&mut self) {
        let memories = &self.view.memories;
        let to = self.stream.below(memories.len() as u64) as u32;
        let from = self.stream.below(memories.len() as u64) as u32;
        let is_64 = |memory: u32| self.world.memories[memories[memory as usize]].is_64;
        let (to_64, from_64) = (is_64(to), is_64(from));
        let data = self.view.passive_data.len() as u64;
        match self.stream.below(4) {
            0 => {
                self.small(to_64, 0xff00);
                self.value(Ty::I32, 1);
                self.small(to_64, 200);
                self.op().memory_fill(to);
            }
            1 | 2 if data > 0 => {
                let segment = self.stream.below(data) as u32;
                let length = self.view.passive_data[segment as usize].len() as u64;
                let start = self.stream.below(length);
                self.small(to_64, 0xff00);
                self.op().i32_const(start as i32);
                // Beyond the segment's end it traps, as it does once the segment is dropped.
                let most = if self.wild() { 30 } else { length - start + 1 };
                self.small(false, most);
                self.op().memory_init(to, segment);
                if self.stream.percent(10) {
                    self.op().data_drop(segment);
                }
            }
            _ => {
                self.small(to_64, 0xff00);
                self.small(from_64, 0xff00);
                self.small(to_64 && from_64, 200);
                self.op().memory_copy(to, from);
            }
        }
    }

    fn any_table(&mut self) -> (u32, &'a super::world::Table) {
        let index = self.stream.below(self.view.tables.len() as u64) as u32;
        (index, &self.world.tables[self.view.tables[index as usize]])
    }

    /// Puts a function into a slot that held one of its kind, mostly.
    fn set_slot(&mut self) {
        let (index, table) = self.any_table();
        let slot = self.stream.below(table.slots.len() as u64 + u64::from(self.choices.wild > 4));
        let held = table.slots.get(slot as usize).copied().flatten();
        let value = match held {
            Some(held) if !self.wild() => Ty::Typed { of: held.ty, nullable: false },
            Some(_) | None => table.element,
        };
        let func = match value {
            Ty::Typed { of, .. } => self.function_of(of),
            _ => None,
        };
        if func.is_none() && !self.available(table.element) {
            return;
        }
        self.index(table.is_64, slot);
        match func {
            Some(func) => self.reference_to(func),
            None => self.value(table.element, 1),
        }
        self.op().table_set(index);
    }

    fn index(&mut self, is_64: bool, slot: u64) {
        if is_64 {
            self.op().i64_const(slot as i64);
        } else {
            self.op().i32_const(slot as i32);
        }
    }

    fn grow_table(&mut self) {
        let (index, table) = self.any_table();
        if self.available(table.element) {
            self.value(table.element, 1);
            self.small(table.is_64, 3);
            self.op().table_grow(index);
            self.keep(if table.is_64 { Ty::I64 } else { Ty::I32 });
        }
    }

    fn bulk_table(&mut self) {
        let (index, table) = self.any_table();
        let size = table.slots.len() as u64;
        let elements = self.view.passive_elements.len() as u64;
        match self.stream.below(3) {
            0 if elements > 0 && table.element == Ty::Func => {
                let segment = self.stream.below(elements) as u32;
                self.small(table.is_64, size);
                self.op().i32_const(0);
                self.small(false, 2);
                self.op().table_init(index, segment);
                if self.stream.percent(10) {
                    self.op().elem_drop(segment);
                }
            }
            1 if self.choices.references && self.available(table.element) => {
                self.small(table.is_64, size);
                self.value(table.element, 1);
                self.small(table.is_64, 2);
                self.op().table_fill(index);
            }
            _ => {
                // Between slots of one table, a few; most lead to a slot of another type.
                self.small(table.is_64, size);
                self.small(table.is_64, size);
                self.small(table.is_64, 2);
                self.op().table_copy(index, index);
            }
        }
    }

    /// Calls through a reference that may be null, if it is not.
    fn try_reference(&mut self) {
        let wanted = |ty: &FuncType| ty.height < self.ty.height;
        let fits = |number: &usize| {
            wanted(&self.world.types.pool[*number]) && self.affordable(*number) && self.callable(*number)
        };
        let candidates: Vec<usize> = (0..self.costs.len()).filter(fits).collect();
        let Some(of) = pick(candidates.iter().copied(), self.stream) else { return };
        let ty = &self.world.types.pool[of];
        let concrete = self.view.types[of];
        self.op().block(BlockType::Empty);
        self.labels.push(true);
        if ty.params.is_empty() {
            self.value(Ty::Typed { of, nullable: true }, 1);
            self.op().br_on_null(0).call_ref(concrete);
        } else {
            let reference = Ty::Typed { of, nullable: true };
            let local = self.new_local(reference);
            self.value(reference, 1);
            self.op().local_tee(local).ref_is_null().br_if(0);
            for param in &ty.params {
                self.value(*param, 1);
            }
            self.op().local_get(local).br_on_null(0).call_ref(concrete);
        }
        self.cost += 4 * self.times + self.times * self.costs[of];
        for result in ty.results.iter().rev() {
            self.keep(*result);
        }
        self.labels.pop();
        self.op().end();
    }

    /// A trap if some value is what it hardly ever is.
    fn fail_perhaps(&mut self) {
        self.value(Ty::I32, 2);
        self.op().i32_const(7).i32_and().i32_eqz().if_(BlockType::Empty);
        match self.stream.below(3) {
            0 => {
                self.op().i32_const(1).i32_const(0).i32_div_u();
                self.keep(Ty::I32);
            }
            1 if self.choices.typed => {
                let null = HeapType::Concrete(self.view.types[self.number]);
                self.op().ref_null(null).ref_as_non_null();
                self.keep(Ty::Func);
            }
            _ => {
                self.op().unreachable();
            }
        }
        self.op().end();
    }

    // Memory.

    /// Writes an address inside some memory, mostly; gives the memory.
    fn address(&mut self) -> u32 {
        let index = self.stream.below(self.view.memories.len() as u64) as u32;
        let is_64 = self.world.memories[self.view.memories[index as usize]].is_64;
        let mask = 0x7fff >> self.stream.below(11);
        self.value(if is_64 { Ty::I64 } else { Ty::I32 }, 1);
        if !self.wild() {
            if is_64 {
                self.op().i64_const(mask).i64_and();
            } else {
                self.op().i32_const(mask as i32).i32_and();
            }
        }
        index
    }

    fn access(&mut self, access: super::operators::Access, memory: u32) {
        let offset = if self.stream.percent(60) { 0 } else { self.stream.below(0x4000) };
        let align = self.stream.below(u64::from(access.width) + 1) as u32;
        self.cost += self.times;
        self.code.push(access.code);
        MemArg { offset, align, target: MemArgTarget::Memory(memory), ordering: None }.encode(&mut self.code);
    }
}
