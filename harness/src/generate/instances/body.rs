//! Functions that look at what is their instance's own, call another instance, and look again.

use super::module::HOST;
use super::{NEXT, NUMBERS, OWN_GLOBALS, Plan, REGISTERED, SINK, Signature, Stream, TYPES, Ty};
use crate::generate::numbers::{PAGE, constant, distance, encoded, mix, position};
use std::ops::Range;
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget};

/// The parameter that says how often to go on.
const ROUNDS: u32 = 0;

/// What the module of a function has.
pub(super) struct Home {
    /// Index of its first function.
    pub first: u32,
    /// Functions that can be called directly, registered ones in their order, perhaps more than once.
    pub direct: Range<u32>,
    /// Indices of memories.
    pub memories: u32,
    /// Whether it has a passive data segment.
    pub has_segment: bool,
}

/// The passive data segment, and its length.
const SEGMENT: u32 = 0;
pub(super) const SEGMENT_BYTES: u32 = 16;

/// A look at something that is the instance's own.
#[derive(Clone, Copy)]
enum Look {
    Global(Ty),
    MemorySize(u32),
    Load {
        memory: u32,
        address: u32,
    },
    /// The last bytes that the memory has now.
    LoadLast(u32),
    Local(u32),
}

/// A body being written.
pub(super) struct Body<'a> {
    plan: &'a Plan,
    home: &'a Home,
    signature: &'a Signature,
    stream: &'a mut Stream,
    code: Vec<u8>,
}

impl<'a> Body<'a> {
    pub fn write(plan: &'a Plan, home: &'a Home, number: u32, stream: &'a mut Stream) -> Function {
        let signature = plan.registered_type(number);
        let mut body = Body { plan, home, signature, stream, code: Vec::new() };
        body.op().local_get(ROUNDS).i32_const(0).i32_le_s().if_(BlockType::Empty);
        body.results();
        body.op().return_().end();
        for _ in 0..body.stream.between(1, 4) {
            body.change();
        }
        let looks: Vec<Look> = (0..body.stream.between(1, 4)).map(|_| body.look()).collect();
        let tys: Vec<Ty> = looks.iter().map(|look| body.see(*look)).collect();
        if plan.choices.tail && body.stream.percent(30) {
            // What was seen stays behind.
            body.go_on(true);
        } else {
            body.go_on(false);
            signature.results.iter().rev().for_each(|ty| body.mix(*ty));
            looks.iter().for_each(|look| {
                let ty = body.see(*look);
                body.mix(ty);
            });
            tys.iter().rev().for_each(|ty| body.mix(*ty));
            body.results();
        }
        body.op().end();
        let mut function = Function::new_with_locals_types(encoded(&NUMBERS));
        function.raw(body.code);
        function
    }

    fn op(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn mix(&mut self, ty: Ty) {
        mix(ty, SINK, distance(self.stream), &mut self.op());
    }

    /// A local, or a parameter, of the type.
    fn local(&mut self, ty: Ty) -> u32 {
        let params = &self.signature.params;
        let fitting = (1u32..).zip(&params[1..]).filter(|(_, param)| **param == ty).map(|(local, _)| local);
        let mut fitting: Vec<u32> = fitting.collect();
        fitting.push(params.len() as u32 + position(ty));
        *self.stream.pick(&fitting)
    }

    fn number(&mut self) -> Ty {
        *self.stream.pick(if self.plan.choices.floats { &NUMBERS[..] } else { &NUMBERS[..2] })
    }

    /// A value that is at hand.
    fn value(&mut self, ty: Ty) {
        match self.stream.below(3) {
            0 => constant(ty, self.stream, &mut InstructionSink::new(&mut self.code)),
            1 => {
                let local = self.local(ty);
                self.op().local_get(local);
            }
            _ => {
                self.op().global_get(OWN_GLOBALS + position(ty));
            }
        }
    }

    fn results(&mut self) {
        let signature = self.signature;
        signature.results.iter().for_each(|ty| self.value(*ty));
    }

    fn memory(&mut self) -> u32 {
        self.stream.below(u64::from(self.home.memories)) as u32
    }

    fn address(&mut self, address: u32) {
        match self.plan.choices.memory64 {
            true => self.op().i64_const(i64::from(address)),
            false => self.op().i32_const(address as i32),
        };
    }

    // Looks.

    fn look(&mut self) -> Look {
        let memory = self.memory();
        match self.stream.below(7) {
            0 | 1 => Look::Global(self.number()),
            2 => Look::MemorySize(memory),
            3 | 4 => Look::Load { memory, address: self.stream.below(24) as u32 },
            5 => Look::LoadLast(memory),
            _ => {
                let ty = self.number();
                Look::Local(self.local(ty))
            }
        }
    }

    /// Pushes what is seen, and gives its type.
    fn see(&mut self, look: Look) -> Ty {
        let index = if self.plan.choices.memory64 { Ty::I64 } else { Ty::I32 };
        match look {
            Look::Global(ty) => {
                self.op().global_get(OWN_GLOBALS + position(ty));
                ty
            }
            Look::MemorySize(memory) => {
                self.op().memory_size(memory);
                index
            }
            Look::Load { memory, address } => {
                self.address(address);
                self.op().i64_load(mem_arg(memory));
                Ty::I64
            }
            Look::LoadLast(memory) => {
                let mut op = self.op();
                op.memory_size(memory);
                match index {
                    Ty::I64 => op.i64_const(PAGE as i64).i64_mul().i64_const(8).i64_sub(),
                    _ => op.i32_const(PAGE as i32).i32_mul().i32_const(8).i32_sub(),
                };
                op.i64_load(mem_arg(memory));
                Ty::I64
            }
            Look::Local(local) => {
                self.op().local_get(local);
                let params = &self.signature.params;
                let own = |local: usize| NUMBERS[local - params.len()];
                params.get(local as usize).copied().unwrap_or_else(|| own(local as usize))
            }
        }
    }

    // Changes.

    /// Changes something that is the instance's own, or calls the host.
    fn change(&mut self) {
        let ty = self.number();
        match self.stream.below(10) {
            0..3 => {
                self.value(ty);
                self.op().global_set(OWN_GLOBALS + position(ty));
            }
            3 | 4 => {
                let (memory, address) = (self.memory(), self.stream.below(24) as u32);
                self.address(address);
                self.op().global_get(SINK).i64_store(mem_arg(memory));
            }
            5 => {
                // Now and then.
                let memory = self.memory();
                let mask = *self.stream.pick(&[1, 3, 7]);
                self.op().local_get(ROUNDS).i32_const(mask).i32_and().i32_eqz().if_(BlockType::Empty);
                self.address(1);
                self.op().memory_grow(memory);
                self.mix(if self.plan.choices.memory64 { Ty::I64 } else { Ty::I32 });
                self.op().end();
            }
            6 => {
                let plan = self.plan;
                plan.host.params.iter().for_each(|ty| self.value(*ty));
                self.op().call(HOST);
                plan.host.results.iter().rev().for_each(|ty| self.mix(*ty));
            }
            7 => {
                // A call that comes back at once.
                let number = self.stream.below(u64::from(self.home.direct.len() as u32)) as u32;
                self.op().i32_const(0);
                self.arguments(number);
                let func = self.home.direct.start + number;
                self.op().call(func);
                let results = &self.signature.results;
                results.iter().rev().for_each(|ty| self.mix(*ty));
            }
            8 if self.home.has_segment => self.use_segment(),
            _ => {
                self.value(ty);
                let local = self.local(ty);
                self.op().local_set(local);
            }
        }
    }

    /// In some rounds the instance's own segment is dropped, in others it is written to memory, as long as it is there.
    fn use_segment(&mut self) {
        let round = self.stream.below(16) as i32;
        let is_dropped = self.stream.percent(40);
        self.op().local_get(ROUNDS).i32_const(15).i32_and().i32_const(round).i32_eq().if_(BlockType::Empty);
        if is_dropped {
            self.op().data_drop(SEGMENT);
        } else {
            self.address(40);
            let length = self.stream.below(u64::from(SEGMENT_BYTES) + 1) as i32;
            self.op().i32_const(0).i32_const(length).memory_init(0, SEGMENT);
        }
        self.op().end();
    }

    /// Arguments after the first one for the registered function of that number.
    fn arguments(&mut self, number: u32) {
        let plan = self.plan;
        plan.registered_type(number).params[1..].iter().for_each(|ty| self.value(*ty));
    }

    /// Calls a registered function of some instance with a round less.
    fn go_on(&mut self, tail: bool) {
        self.op().local_get(ROUNDS).i32_const(1).i32_sub();
        match self.stream.below(8) {
            0 | 1 => {
                let number = self.stream.below(self.home.direct.len() as u64) as u32;
                self.arguments(number);
                let func = self.home.direct.start + number;
                let mut op = self.op();
                if tail {
                    op.return_call(func)
                } else {
                    op.call(func)
                };
            }
            2 if self.plan.choices.references => {
                let number = self.stream.below(self.home.direct.len() as u64) as u32;
                self.arguments(number);
                let (func, ty) = (self.home.direct.start + number, number % TYPES);
                let mut op = self.op();
                op.ref_func(func);
                if tail {
                    op.return_call_ref(ty)
                } else {
                    op.call_ref(ty)
                };
            }
            _ => {
                let number = self.stream.below(u64::from(REGISTERED)) as u32;
                self.arguments(number);
                self.element(number);
                let ty = number % TYPES;
                let mut op = self.op();
                if tail {
                    op.return_call_indirect(0, ty)
                } else {
                    op.call_indirect(0, ty)
                };
            }
        }
    }

    /// Pushes the index of an element that has the function of that number of one of the instances, another one each round.
    fn element(&mut self, number: u32) {
        let factor = *self.stream.pick(&[1, 1, 1, 3, 5]);
        let start = self.stream.below(8) as i32;
        let count = REGISTERED as i32;
        let mut op = self.op();
        op.local_get(ROUNDS).i32_const(factor).i32_mul().i32_const(start).i32_add();
        op.global_get(NEXT).i32_const(count).i32_div_u().i32_rem_u();
        op.i32_const(count).i32_mul().i32_const(number as i32).i32_add();
    }
}

fn mem_arg(memory: u32) -> MemArg {
    MemArg { offset: 0, align: 0, target: MemArgTarget::Memory(memory), ordering: None }
}
