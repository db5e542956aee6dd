//! Exercises on ranges: where they start, how long they are, and what is looked at afterwards.

use super::{DROPPED, DROPPED_LENGTH, GATES, GLOBALS, Object, PAGE, SEGMENTS, SINK, Stream, Ty, World};
use crate::generate::linked::operators::{loads, stores};
use crate::generate::numbers::{NUMBERS, constant, distance, mix, position};
use wasm_encoder::{BlockType, Encode, Function, HeapType, InstructionSink, MemArg, MemArgTarget};

/// The parameters: bits that let something dangerous happen, and a number. Two locals, one a type of index, follow.
const GATE: u32 = 0;
const NUMBER: u32 = 1;
const LOCALS: [u32; 2] = [2, 3];
/// Functions that may be referred to in all modules of all cases.
const REFERABLE: u64 = 5;

/// What a range is part of, by its index in the module.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Memory(u32),
    Table(u32),
}

/// A number that an operand is: so much more than a size, or than zero.
#[derive(Clone, Copy)]
struct Number {
    size_of: Option<Of>,
    add: i64,
}

const fn fixed(add: i64) -> Number {
    Number { size_of: None, add }
}

/// What an exercise does.
struct Row {
    weight: u32,
    write: fn(&mut Body<'_>),
}

const EXERCISES: &[Row] = &[
    Row { weight: 8, write: |body| body.copy() },
    Row { weight: 5, write: |body| body.init() },
    Row { weight: 2, write: |body| body.init_dropped() },
    Row { weight: 4, write: |body| body.fill() },
    Row { weight: 3, write: |body| body.grow() },
    Row { weight: 5, write: |body| body.access() },
    Row { weight: 2, write: |body| body.element() },
    Row { weight: 2, write: |body| body.globals() },
];

/// A body being written.
pub(super) struct Body<'a> {
    world: &'a World,
    stream: &'a mut Stream,
    code: Vec<u8>,
}

impl Body<'_> {
    pub fn write(world: &World, stream: &mut Stream) -> Function {
        let mut body = Body { world, stream, code: Vec::new() };
        for _ in 0..body.stream.between(2, 7) {
            let row = body.stream.weighted(EXERCISES, |row| row.weight);
            // Something waits on the stack.
            let below = if body.stream.percent(30) { Some(*body.stream.pick(&NUMBERS)) } else { None };
            if let Some(ty) = below {
                constant(ty, body.stream, &mut InstructionSink::new(&mut body.code));
            }
            (row.write)(&mut body);
            if let Some(ty) = below {
                body.mix(ty);
            }
        }
        body.op().end();
        let mut function = Function::new_with_locals_types([Ty::I32.encoded(&[]), Ty::I64.encoded(&[])]);
        function.raw(body.code);
        function
    }

    fn op(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn mix(&mut self, ty: Ty) {
        mix(ty, SINK, distance(self.stream), &mut self.op());
    }

    fn wild(&mut self) -> bool {
        self.stream.percent(self.world.wild)
    }

    /// Does something that traps in the calls that have one of the bits only.
    fn gated(&mut self, write: impl FnOnce(&mut Self)) {
        let bit = 1 << self.stream.below(u64::from(GATES));
        self.op().local_get(GATE).i32_const(bit).i32_and().if_(BlockType::Empty);
        write(self);
        self.op().end();
    }

    // Objects and numbers.

    fn any_memory(&mut self) -> u32 {
        self.stream.below(self.world.memory_views.len() as u64) as u32
    }

    fn any_table(&mut self) -> u32 {
        self.stream.below(self.world.table_views.len() as u64) as u32
    }

    fn any(&mut self) -> Of {
        if self.stream.percent(55) { Of::Memory(self.any_memory()) } else { Of::Table(self.any_table()) }
    }

    fn object(&self, of: Of) -> Object {
        match of {
            Of::Memory(index) => self.world.memory(index),
            Of::Table(index) => self.world.table(index),
        }
    }

    /// How large it is at least, in bytes or elements.
    fn least(&self, of: Of) -> i64 {
        match of {
            Of::Memory(index) => (self.world.memory(index).minimum * PAGE) as i64,
            Of::Table(index) => self.world.table(index).minimum as i64,
        }
    }

    /// Another index of the same object, or the same.
    fn alias(&mut self, of: Of) -> Of {
        let (views, index) = match of {
            Of::Memory(index) => (&self.world.memory_views, index),
            Of::Table(index) => (&self.world.table_views, index),
        };
        let same = (0u32..).zip(views).filter(|(_, object)| **object == views[index as usize]);
        let same: Vec<u32> = same.map(|(index, _)| index).collect();
        match of {
            Of::Memory(_) => Of::Memory(*self.stream.pick(&same)),
            Of::Table(_) => Of::Table(*self.stream.pick(&same)),
        }
    }

    fn same_object(&self, one: Of, other: Of) -> bool {
        let (memories, tables) = (&self.world.memory_views, &self.world.table_views);
        match (one, other) {
            (Of::Memory(one), Of::Memory(other)) => memories[one as usize] == memories[other as usize],
            (Of::Table(one), Of::Table(other)) => tables[one as usize] == tables[other as usize],
            (Of::Memory(_), Of::Table(_)) | (Of::Table(_), Of::Memory(_)) => false,
        }
    }

    /// Pushes a number as an operand of a type; more bits than the type has are cut off.
    fn push(&mut self, number: Number, ty: Ty) {
        let Some(of) = number.size_of else { return self.push_fixed(number.add, ty) };
        // A size is right whichever index it is asked of.
        let of = self.alias(of);
        let is_64 = self.object(of).is_64;
        let mut op = self.op();
        match of {
            Of::Memory(index) => op.memory_size(index),
            Of::Table(index) => op.table_size(index),
        };
        if !is_64 {
            op.i64_extend_i32_u();
        }
        if let Of::Memory(_) = of {
            op.i64_const(PAGE as i64).i64_mul();
        }
        if number.add != 0 {
            op.i64_const(number.add).i64_add();
        }
        if ty == Ty::I32 {
            self.dirty();
            self.op().i32_wrap_i64();
        }
    }

    fn push_fixed(&mut self, value: i64, ty: Ty) {
        let local = LOCALS[usize::from(ty == Ty::I64)];
        let way = self.stream.below(5);
        let mut op = self.op();
        match (way, ty) {
            (0, Ty::I32) => {
                op.i64_const(value);
                self.dirty();
                self.op().i32_wrap_i64();
            }
            (1, Ty::I32) => {
                op.i32_const(value as i32).local_set(local).local_get(local);
            }
            (1, _) => {
                op.i64_const(value).local_set(local).local_get(local);
            }
            (_, Ty::I32) => {
                op.i32_const(value as i32);
            }
            _ => {
                op.i64_const(value);
            }
        }
    }

    /// Something in the upper half of a number whose lower half is meant.
    fn dirty(&mut self) {
        if self.stream.percent(60) {
            self.op().local_get(NUMBER).i64_const(32).i64_shl().i64_xor();
        }
    }

    /// A length that fits into so many.
    fn length(&mut self, most: i64) -> i64 {
        const LENGTHS: &[i64] =
            &[0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 128, 4096, 1 << 16];
        let length = match self.stream.below(8) {
            0 => 0,
            1 => most,
            _ => *self.stream.pick(LENGTHS),
        };
        length.min(most)
    }

    /// Where a range of that length starts inside: at the start, somewhere, or so that it ends at the end.
    fn inside(&mut self, of: Of, length: i64) -> Number {
        let room = self.least(of) - length;
        match self.stream.below(5) {
            0 => fixed(0),
            1 => fixed(self.stream.below(room as u64 + 1) as i64),
            2 => fixed(self.stream.between(0, 40.min(room as usize)) as i64),
            _ => Number { size_of: Some(of), add: -length },
        }
    }

    /// Where a range of that length starts that does not end inside, but may seem to.
    fn outside(&mut self, of: Of, length: i64, others: &[Of]) -> Number {
        let is_64 = self.object(of).is_64;
        match self.stream.below(6) {
            0 | 1 => Number { size_of: Some(of), add: 1 - length },
            // The carry of start and length gets lost.
            2 if length > 1 => fixed(if is_64 { -1 } else { 0xffff_ffff }),
            // The upper half does.
            3 if is_64 => fixed((1 << 32) + self.stream.below(4) as i64),
            // It is inside of another object, if that is larger.
            4 if !others.is_empty() => {
                let other = *self.stream.pick(others);
                Number { size_of: Some(other), add: -length }
            }
            _ => Number { size_of: Some(of), add: 1 },
        }
    }

    /// A length that no object has, but whose lower half, or whose sum with a start, may seem to fit.
    fn absurd(&mut self, length: i64, ty: Ty) -> i64 {
        match (ty, self.stream.below(3)) {
            (Ty::I64, 0 | 1) => length + (1 << 32),
            _ => -1 - self.stream.below(4) as i64,
        }
    }

    // Exercises.

    /// A copy inside of an object, by way of one index or of two, or from one to another.
    fn copy(&mut self) {
        let to = self.any();
        let from = match to {
            _ if self.stream.percent(55) => self.alias(to),
            Of::Memory(_) => Of::Memory(self.any_memory()),
            Of::Table(_) => Of::Table(self.any_table()),
        };
        let most = self.least(to).min(self.least(from));
        let mut length = self.length(most);
        let is_bad = self.wild();
        let (start, source) = if is_bad {
            let others = [to, from];
            match self.stream.below(3) {
                0 => (self.outside(to, length, &others), self.inside(from, length)),
                1 => (self.inside(to, length), self.outside(from, length, &others)),
                _ => (self.outside(to, length, &others), self.outside(from, length, &others)),
            }
        } else if self.same_object(to, from) {
            let near = [0, 1, 2, 3, 8, length - 1, length, length + 1];
            let apart = (*self.stream.pick(&near)).clamp(0, most);
            length = length.min(most - apart);
            let low = self.inside(to, length + apart);
            let high = Number { add: low.add + apart, ..low };
            if self.stream.percent(50) { (high, low) } else { (low, high) }
        } else {
            (self.inside(to, length), self.inside(from, length))
        };
        let (to_type, from_type) = (self.object(to).index(), self.object(from).index());
        // The length has the smaller type.
        let length_type = if to_type == Ty::I64 { from_type } else { Ty::I32 };
        if is_bad && self.stream.percent(30) {
            length = self.absurd(length, length_type);
        }
        let write = |body: &mut Self| {
            body.push(start, to_type);
            body.push(source, from_type);
            body.push(fixed(length), length_type);
            match (to, from) {
                (Of::Memory(to), Of::Memory(from)) => body.op().memory_copy(to, from),
                (Of::Table(to), Of::Table(from)) => body.op().table_copy(to, from),
                (Of::Memory(_), Of::Table(_)) | (Of::Table(_), Of::Memory(_)) => {
                    unreachable!("a copy is between two of a kind")
                }
            };
        };
        if is_bad {
            self.gated(write)
        } else {
            write(self)
        }
        self.look_at(to, start, is_bad);
    }

    /// Looks at what is at a place that is inside of an object.
    fn look_at(&mut self, of: Of, start: Number, is_bad: bool) {
        // What starts right at the end is not looked at.
        let least = self.least(of) - 8;
        if is_bad || least < 0 || start.size_of.is_some_and(|_| start.add > -8) || start.add > least {
            return;
        }
        let of = self.alias(of);
        let ty = self.object(of).index();
        self.push(start, ty);
        match of {
            Of::Memory(index) => {
                let arg = mem_arg(index, 0);
                self.op().i64_load(arg);
                self.mix(Ty::I64);
            }
            Of::Table(index) => {
                self.op().table_get(index).ref_is_null();
                self.mix(Ty::I32);
            }
        }
    }

    /// Part of a segment goes into an object.
    fn init(&mut self) {
        let of = self.any();
        let segment = self.stream.below(SEGMENTS.len() as u64) as u32;
        let held = SEGMENTS[segment as usize] as i64;
        let length = self.length(held.min(self.least(of)));
        let is_bad = self.wild();
        let from_end = fixed(held - length);
        let (start, source) = match self.stream.below(2) {
            0 if is_bad => (self.inside(of, length), fixed(held - length + 1)),
            _ if is_bad => (self.outside(of, length, &[]), from_end),
            0 => (self.inside(of, length), fixed(self.stream.below((held - length) as u64 + 1) as i64)),
            _ => (self.inside(of, length), from_end),
        };
        let write = |body: &mut Self| body.write_init(of, segment, start, source, length);
        if is_bad {
            self.gated(write)
        } else {
            write(self)
        }
        self.look_at(of, start, is_bad);
    }

    fn write_init(&mut self, of: Of, segment: u32, start: Number, source: Number, length: i64) {
        let ty = self.object(of).index();
        self.push(start, ty);
        self.push(source, Ty::I32);
        self.push(fixed(length), Ty::I32);
        match of {
            Of::Memory(index) => self.op().memory_init(index, segment),
            Of::Table(index) => self.op().table_init(index, segment),
        };
    }

    /// A segment is dropped, and has nothing in it any more.
    fn init_dropped(&mut self) {
        let of = self.any();
        match of {
            Of::Memory(_) => self.op().data_drop(DROPPED),
            Of::Table(_) => self.op().elem_drop(DROPPED),
        };
        let start = self.inside(of, 0);
        self.write_init(of, DROPPED, start, fixed(0), 0);
        if self.wild() {
            let length = self.stream.between(0, DROPPED_LENGTH as usize).min(self.least(of) as usize) as i64;
            let start = self.inside(of, length);
            let source = fixed(i64::from(length == 0));
            self.gated(|body| body.write_init(of, DROPPED, start, source, length));
        }
    }

    fn fill(&mut self) {
        let of = self.any();
        let most = self.least(of);
        let mut length = self.length(most);
        let is_bad = self.wild();
        let is_absurd = is_bad && self.stream.percent(30);
        let start =
            if is_bad && !is_absurd { self.outside(of, length, &[]) } else { self.inside(of, length) };
        if is_absurd {
            let ty = self.object(of).index();
            length = self.absurd(length, ty);
        }
        let write = |body: &mut Self| body.write_fill(of, start, length);
        if is_bad {
            self.gated(write)
        } else {
            write(self)
        }
        self.look_at(of, start, is_bad);
    }

    fn write_fill(&mut self, of: Of, start: Number, length: i64) {
        let ty = self.object(of).index();
        self.push(start, ty);
        match of {
            Of::Memory(index) => {
                let value = self.stream.u32() as i32;
                self.op().i32_const(value);
                self.push(fixed(length), ty);
                self.op().memory_fill(index);
            }
            Of::Table(index) => {
                self.reference();
                self.push(fixed(length), ty);
                self.op().table_fill(index);
            }
        }
    }

    /// Null, or some function.
    fn reference(&mut self) {
        // A function that has been put into some element of a table of the same module may be referred to.
        let func = self.stream.below(REFERABLE.min(SEGMENTS[0])) as u32;
        if self.stream.percent(40) {
            self.op().ref_null(HeapType::FUNC);
        } else {
            self.op().ref_func(func);
        }
    }

    /// Growth here or in a callee, between two looks at the size, and then what has been won is used.
    fn grow(&mut self) {
        let of = self.any();
        let ty = self.object(of).index();
        let size = Number { size_of: Some(of), add: 0 };
        self.push(size, ty);
        let amount = *self.stream.pick(&[0, 1, 1, 2, 5, -1, 1 << 31]);
        match (of, self.stream.percent(50)) {
            (Of::Memory(index), true) => {
                self.push(fixed(amount), ty);
                self.op().memory_grow(index);
            }
            (Of::Table(index), true) => {
                self.reference();
                self.push(fixed(amount), ty);
                self.op().table_grow(index);
            }
            (Of::Memory(index), false) => {
                let object = self.world.memory_views[index as usize];
                self.op().call(object as u32);
            }
            (Of::Table(index), false) => {
                let object = self.world.table_views[index as usize] + self.world.memories.len();
                self.op().call(object as u32);
            }
        }
        self.mix(ty);
        self.mix(ty);
        self.push(size, ty);
        self.mix(ty);
        let of = self.alias(of);
        let length = self.length(self.least(of));
        self.write_fill(of, Number { size_of: Some(of), add: -length }, length);
    }

    /// A load or store that ends at the end, or whose address and offset add up to more than there is.
    fn access(&mut self) {
        const FAR: &[u64] = &[0x7fff_ffff, 0x8000_0000, 0x8000_0008, 0xffff_0000, 0xffff_fff8, 0xffff_ffff];
        let memory = self.any_memory();
        let of = Of::Memory(memory);
        let object = self.object(of);
        let ty = *self.stream.pick(&NUMBERS);
        let is_load = self.stream.percent(50);
        let access = *self.stream.pick(if is_load { loads(ty) } else { stores(ty) });
        let width = 1i64 << access.width;
        let is_bad = self.wild();
        let way = self.stream.below(3);
        let (number, offset) = match (is_bad, way) {
            (false, 0) => (fixed(self.stream.below(64) as i64), self.stream.below(64)),
            (false, _) => {
                let offset = self.stream.below((self.least(of) - width + 1) as u64);
                (Number { size_of: Some(of), add: -width - offset as i64 }, offset)
            }
            // The last byte is right behind the end.
            (true, 0) => {
                let offset = self.stream.below(self.least(of) as u64 - 8);
                (Number { size_of: Some(of), add: 1 - width - offset as i64 }, offset)
            }
            // The sum comes round to the start.
            (true, 1) => {
                let offset = *self.stream.pick(FAR);
                let limit = if object.is_64 { 0 } else { 1u64 << 32 };
                let place = self.stream.below(32);
                (fixed(limit.wrapping_sub(offset).wrapping_add(place) as i64), offset)
            }
            (true, _) => (fixed(self.stream.below(16) as i64), *self.stream.pick(FAR)),
        };
        let write = |body: &mut Self| {
            body.push(number, object.index());
            if !is_load {
                constant(ty, body.stream, &mut InstructionSink::new(&mut body.code));
            }
            body.code.push(access.code);
            mem_arg(memory, offset).encode(&mut body.code);
            if is_load {
                body.mix(ty);
            }
        };
        if is_bad { self.gated(write) } else { write(self) }
    }

    /// An element at the end is set by way of one index, and looked at by way of another.
    fn element(&mut self) {
        let of = Of::Table(self.any_table());
        let ty = self.object(of).index();
        let is_bad = self.wild();
        let number = if is_bad { self.outside(of, 1, &[]) } else { self.inside(of, 1) };
        let other = self.alias(of);
        let (Of::Table(table), Of::Table(other)) = (of, other) else {
            unreachable!("an alias is of the same kind")
        };
        let write = |body: &mut Self| {
            body.push(number, ty);
            body.reference();
            body.op().table_set(table);
            body.push(number, ty);
            body.op().table_get(other).ref_is_null();
            body.mix(Ty::I32);
        };
        if is_bad { self.gated(write) } else { write(self) }
    }

    /// A global is read by way of one index, set by way of another, and read again.
    fn globals(&mut self) {
        let ty = *self.stream.pick(&NUMBERS);
        let views = u64::from(self.world.global_views());
        let mut view = || GLOBALS + position(ty) + NUMBERS.len() as u32 * self.stream.below(views) as u32;
        let [first, second, third] = [view(), view(), view()];
        self.op().global_get(first);
        constant(ty, self.stream, &mut InstructionSink::new(&mut self.code));
        self.op().global_set(second).global_get(third);
        self.mix(ty);
        self.mix(ty);
    }
}

fn mem_arg(memory: u32, offset: u64) -> MemArg {
    MemArg { offset, align: 0, target: MemArgTarget::Memory(memory), ordering: None }
}
