//! State that changes under its reader: callees that set globals, grow memories and tables and replace elements, and
//! looks at all of that before and after a call.
//!
//! What a caller has read it may keep only as long as nothing else runs: the base and the length of a memory, the
//! value of a global, what an element of a table leads to. Callees here change what their caller has just looked at,
//! whether they are called directly, by an element, by a reference, in another module or by way of a host.

use super::walk::Body;
use super::{Choices, GLOBAL_COUNT, GLOBALS, Plan, SINK, SLOT_FUNCS, SLOT_TABLE, SLOTS, Signature, Stream};
use crate::generate::linked::operators::{loads, stores};
use crate::generate::linked::types::Ty;
use crate::generate::numbers::{self, PAGE, distance, position};
use wasm_encoder::{BlockType, Encode, Function, InstructionSink, MemArg, MemArgTarget};

/// A function that computes little and changes state.
pub(super) struct Callee {
    pub signature: Signature,
    effects: Vec<Effect>,
}

/// What a callee changes.
#[derive(Clone, Copy)]
enum Effect {
    /// A global, to one of the parameters or a constant.
    SetGlobal {
        ty: Ty,
        second: bool,
    },
    GrowMemory {
        memory: u32,
        pages: u32,
    },
    Store {
        memory: u32,
        address: u32,
    },
    GrowSlots,
    /// An element of the second table, to one of the functions that may stand there.
    SetSlot {
        slot: u32,
        number: u32,
    },
}

/// A look at state.
#[derive(Clone, Copy)]
enum Look {
    Global {
        ty: Ty,
        second: bool,
    },
    MemorySize(u32),
    /// Bytes near the start of a memory.
    Load {
        memory: u32,
        address: u32,
        ty: Ty,
    },
    /// The last bytes that a memory has now.
    LoadLast(u32),
    TableSize,
    /// What the function in a slot gives.
    CallSlot(u32),
    /// Bytes of a page that is there only once the memory has grown.
    LoadBeyond(u32),
}

/// Index of the global of a type.
fn global(ty: Ty, second: bool) -> u32 {
    GLOBALS + position(ty) + if second { GLOBAL_COUNT / 2 } else { 0 }
}

fn address_constant(choices: &Choices, address: u64, op: &mut InstructionSink) {
    match choices.memory64 {
        true => op.i64_const(address as i64),
        false => op.i32_const(address as i32),
    };
}

fn mem_arg(memory: u32, offset: u64, align: u32) -> MemArg {
    MemArg { offset, align, target: MemArgTarget::Memory(memory), ordering: None }
}

impl Callee {
    pub fn draw(signature: Signature, choices: &Choices, stream: &mut Stream) -> Callee {
        let count = *stream.pick(&[0, 1, 1, 2, 3]);
        let effects = (0..count).map(|_| Effect::draw(choices, stream)).collect();
        Callee { signature, effects }
    }

    /// One of the functions that may stand in the second table.
    pub fn for_slot(plan: &Plan, stream: &mut Stream) -> u32 {
        plan.first_slot_func() + stream.below(u64::from(SLOT_FUNCS)) as u32
    }

    /// What a call costs at most.
    pub fn cost(&self) -> u64 {
        (10 + 7 * self.signature.params.len() + 3 * self.signature.results.len() + 8 * self.effects.len())
            as u64
    }

    /// The function looks at all its parameters, changes what it changes, and gives some of them back.
    pub fn body(&self, plan: &Plan, stream: &mut Stream) -> Function {
        let Signature { params, results } = &self.signature;
        let mut function = Function::new([]);
        let mut op = function.instructions();
        for (local, ty) in (0u32..).zip(params) {
            op.local_get(local);
            numbers::mix(*ty, SINK, distance(stream), &mut op);
        }
        for effect in &self.effects {
            effect.write(plan, params, stream, &mut op);
        }
        for ty in results {
            match param_of(params, *ty, stream) {
                Some(local) if stream.percent(70) => op.local_get(local),
                _ => {
                    numbers::constant(*ty, stream, &mut op);
                    &mut op
                }
            };
        }
        op.end();
        function
    }
}

/// A parameter of the type.
fn param_of(params: &[Ty], ty: Ty, stream: &mut Stream) -> Option<u32> {
    let fitting: Vec<u32> =
        (0u32..).zip(params).filter(|(_, param)| **param == ty).map(|(local, _)| local).collect();
    (!fitting.is_empty()).then(|| *stream.pick(&fitting))
}

impl Effect {
    fn draw(choices: &Choices, stream: &mut Stream) -> Effect {
        let memory = stream.below(u64::from(choices.memories)) as u32;
        match stream.below(if choices.slots { 10 } else { 7 }) {
            0..3 => Effect::SetGlobal { ty: choices.number(stream), second: stream.percent(50) },
            3 | 4 => Effect::GrowMemory { memory, pages: stream.between(0, 2) as u32 },
            5 | 6 => Effect::Store { memory, address: stream.below(32) as u32 },
            7 => Effect::GrowSlots,
            _ => {
                let slot = stream.below(u64::from(SLOTS)) as u32;
                Effect::SetSlot { slot, number: stream.below(u64::from(SLOT_FUNCS)) as u32 }
            }
        }
    }

    fn write(self, plan: &Plan, params: &[Ty], stream: &mut Stream, op: &mut InstructionSink) {
        let mix_size = |op: &mut InstructionSink, is_long: bool| {
            numbers::mix(if is_long { Ty::I64 } else { Ty::I32 }, SINK, 5, op);
        };
        let slot_func = |number| plan.first_slot_func() + number;
        match self {
            Effect::SetGlobal { ty, second } => {
                match param_of(params, ty, stream) {
                    Some(local) => {
                        op.local_get(local);
                    }
                    None => numbers::constant(ty, stream, op),
                }
                op.global_set(global(ty, second));
            }
            Effect::GrowMemory { memory, pages } => {
                address_constant(&plan.choices, u64::from(pages), op);
                op.memory_grow(memory);
                mix_size(op, plan.choices.memory64);
            }
            Effect::Store { memory, address } => {
                address_constant(&plan.choices, u64::from(address), op);
                op.global_get(SINK).i64_store(mem_arg(memory, 0, 0));
            }
            Effect::GrowSlots => {
                op.ref_func(slot_func(0)).i32_const(1).table_grow(SLOT_TABLE);
                mix_size(op, false);
            }
            Effect::SetSlot { slot, number } => {
                op.i32_const(slot as i32).ref_func(slot_func(number)).table_set(SLOT_TABLE);
            }
        }
    }
}

impl Body<'_> {
    fn look(&mut self) -> Look {
        let ty = self.number();
        let memory = self.memory();
        match self.stream.below(if self.plan.choices.slots { 10 } else { 7 }) {
            0 | 1 => Look::Global { ty, second: self.stream.percent(50) },
            2 => Look::MemorySize(memory),
            3 | 4 => Look::Load { memory, address: self.stream.below(32) as u32, ty },
            5 => Look::LoadLast(memory),
            6 if self.wild() => Look::LoadBeyond(memory),
            6 => Look::LoadLast(memory),
            7 => Look::TableSize,
            _ => Look::CallSlot(self.stream.below(u64::from(SLOTS)) as u32),
        }
    }

    /// Pushes what a look sees.
    fn see(&mut self, look: Look) {
        let address = self.plan.choices.address();
        match look {
            Look::Global { ty, second } => {
                self.op().global_get(global(ty, second));
                self.push(ty);
            }
            Look::MemorySize(memory) => {
                self.op().memory_size(memory);
                self.push(address);
            }
            Look::Load { memory, address, ty } => self.load_at(ty, memory, u64::from(address)),
            Look::LoadLast(memory) => {
                let back = 8 + self.stream.below(16) as i64;
                self.last_address(memory, back);
                self.op().i64_load(mem_arg(memory, 0, 0));
                self.push(Ty::I64);
            }
            Look::LoadBeyond(memory) => {
                let place = self.plan.maximum * PAGE - 8;
                self.load_at(Ty::I64, memory, place);
            }
            Look::TableSize => {
                self.op().table_size(SLOT_TABLE);
                self.push(Ty::I32);
            }
            Look::CallSlot(slot) => {
                let func = self.plan.first_slot_func();
                let signature = self.plan.signature(func);
                self.want(&signature.params);
                self.op().i32_const(slot as i32).call_indirect(SLOT_TABLE, func);
                self.take(signature.params.len());
                self.push_all(&signature.results);
            }
        }
    }

    /// The address so many bytes before the end that a memory has now.
    fn last_address(&mut self, memory: u32, back: i64) {
        let is_long = self.plan.choices.memory64;
        let mut op = self.op();
        op.memory_size(memory);
        if is_long {
            op.i64_const(PAGE as i64).i64_mul().i64_const(back).i64_sub();
        } else {
            op.i32_const(PAGE as i32).i32_mul().i32_const(back as i32).i32_sub();
        }
    }

    /// A load of some width from a place, by way of address and offset.
    fn load_at(&mut self, ty: Ty, memory: u32, place: u64) {
        let access = *self.stream.pick(loads(ty));
        let offset = self.stream.below(place + 1);
        let align = self.stream.below(u64::from(access.width) + 1) as u32;
        address_constant(&self.plan.choices, place - offset, &mut self.op());
        self.code.push(access.code);
        mem_arg(memory, offset, align).encode(&mut self.code);
        self.push(ty);
    }

    /// Some bytes near the start of a memory, or near its end.
    pub(super) fn load(&mut self, ty: Ty) {
        let memory = self.memory();
        let place = if self.stream.percent(70) { self.stream.below(32) } else { PAGE - 8 };
        self.load_at(ty, memory, place);
    }

    /// The topmost value goes to memory.
    pub(super) fn store(&mut self, ty: Ty) {
        let access = *self.stream.pick(stores(ty));
        let (memory, place) = (self.memory(), self.stream.below(32));
        let local = self.local(ty);
        let op = &mut self.op();
        op.local_set(local);
        address_constant(&self.plan.choices, place, &mut self.op());
        self.op().local_get(local);
        self.code.push(access.code);
        mem_arg(memory, 0, 0).encode(&mut self.code);
    }

    fn memory(&mut self) -> u32 {
        self.stream.below(u64::from(self.plan.choices.memories)) as u32
    }

    /// Looks at state, calls what may change it, and looks again; what was seen first waits on the stack.
    pub(super) fn look_around_a_call(&mut self) {
        let looks: Vec<Look> = (0..self.stream.between(1, 3)).map(|_| self.look()).collect();
        if self.stream.percent(25) {
            return self.rounds(|body| body.look_and_call(&looks, true));
        }
        let is_kept = self.stream.percent(40);
        self.look_and_call(&looks, is_kept);
    }

    fn look_and_call(&mut self, looks: &[Look], is_kept: bool) {
        let height = self.height();
        looks.iter().for_each(|look| self.see(*look));
        self.change();
        looks.iter().for_each(|look| self.see(*look));
        while is_kept && self.height() > height {
            self.keep();
        }
    }

    /// Calls something that changes state, or changes it here.
    fn change(&mut self) {
        match self.stream.below(8) {
            0 => {
                let effect = Effect::draw(&self.plan.choices, self.stream);
                let params = &self.plan.walks[self.number].params;
                effect.write(self.plan, params, self.stream, &mut InstructionSink::new(&mut self.code));
            }
            1 if !self.plan.hosts.is_empty() => {
                let host = self.stream.below(self.plan.hosts.len() as u64) as u32;
                self.call(host);
            }
            2 => {
                // In one arm only.
                self.condition();
                self.op().if_(BlockType::Empty);
                self.take(1);
                self.in_arm(|body| body.call_callee());
                self.op().end();
            }
            _ => self.call_callee(),
        }
    }

    fn call_callee(&mut self) {
        let number = self.stream.below(self.plan.callees.len() as u64) as u32;
        self.call(self.plan.first_callee() + number);
    }
}
