//! Function bodies that call hosts in every way there is.

use super::{FREE_SLOTS, Plan, Role, TEXT_BYTES};
use crate::draw::Stream;
use crate::generate::linked::operators::Operator;
use crate::generate::linked::types::Ty;
use crate::generate::numbers::{PAGE, constant, distance, encoded, mix, position};
use crate::generate::way::Way;
use crosscheck_engine::opcode::NumericKind;
use wasm_encoder::{BlockType, Encode, HeapType, InstructionSink, MemArg, MemArgTarget};

/// A body being written.
pub(super) struct Body<'a> {
    plan: &'a Plan,
    stream: &'a mut Stream,
    code: Vec<u8>,
    /// Parameters and locals, in order.
    locals: Vec<Ty>,
    /// Whether its module has globals, which the one that stands between has not.
    has_globals: bool,
}

/// A kind of statement and how often it is chosen.
struct Row {
    weight: u32,
    write: fn(&mut Body<'_>),
}

const STATEMENTS: &[Row] = &[
    Row { weight: 5, write: |body| body.hand_over() },
    Row { weight: 4, write: |body| body.exchange() },
    Row { weight: 3, write: |body| body.press() },
    Row { weight: 3, write: |body| body.go_round() },
    Row { weight: 3, write: |body| body.decide() },
    Row { weight: 2, write: |body| body.touch_global() },
    Row { weight: 2, write: |body| body.touch_table() },
    Row { weight: 1, write: |body| body.grow() },
];

impl<'a> Body<'a> {
    /// The bytes of the function of that index, from its locals to its end.
    pub(super) fn write(plan: &'a Plan, func: u32, stream: &'a mut Stream) -> Vec<u8> {
        let defined = (func - plan.first_relay()) as usize;
        let relays = plan.relays.len();
        let written = plan.relays.get(defined).unwrap_or_else(|| &plan.funcs[defined - relays]);
        let params = &written.signature.params;
        let code = Vec::with_capacity(256);
        let has_globals = defined >= relays;
        let mut body = Body { plan, stream, code, locals: params.clone(), has_globals };
        match written.role {
            Role::Passes { host } => body.pass_on(host, 0, true),
            Role::CountsDown { host } => body.count_down(func, host),
            Role::Uses => body.use_hosts(&written.signature.results),
        }
        body.op().end();
        let added = &body.locals[params.len()..];
        let mut function = Vec::with_capacity(body.code.len() + 2 * added.len() + 2);
        (added.len() as u32).encode(&mut function);
        encoded(added).for_each(|ty| {
            1u32.encode(&mut function);
            ty.encode(&mut function);
        });
        function.extend_from_slice(&body.code);
        function
    }

    fn op(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn wild(&mut self) -> bool {
        let percent = self.plan.choices.wild;
        percent > 0 && self.stream.percent(percent)
    }

    fn new_local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    /// A local of the type, new if need be.
    fn local(&mut self, ty: Ty) -> u32 {
        let start = self.stream.between(0, self.locals.len());
        let numbers = (start..self.locals.len()).chain(0..start);
        let found = numbers.into_iter().find(|number| self.locals[*number] == ty);
        found.map_or_else(|| self.new_local(ty), |number| number as u32)
    }

    // Whole bodies.

    /// Gives a host this function's parameters, all or but the first, and returns what it gives.
    fn pass_on(&mut self, host: u32, first: u32, is_last: bool) {
        (first..self.locals.len() as u32).for_each(|local| {
            self.op().local_get(local);
        });
        let tail = self.plan.choices.tail && self.stream.percent(75);
        self.transfer(host, tail);
        if !tail && !is_last {
            self.op().return_();
        }
    }

    /// Calls itself again until its first parameter is zero; then the host.
    fn count_down(&mut self, func: u32, host: u32) {
        self.op().local_get(0).i32_eqz().if_(BlockType::Empty);
        self.pass_on(host, 1, false);
        self.op().end();
        self.op().local_get(0).i32_const(1).i32_sub();
        let params = self.locals.clone();
        for (local, ty) in (1u32..).zip(&params[1..]) {
            self.op().local_get(local);
            // Places in memory stay what they are; a number more often than not.
            if self.stream.percent(20) {
                match ty {
                    Ty::I32 => self.op().i32_const(1).i32_xor(),
                    Ty::I64 => self.op().i64_const(1).i64_xor(),
                    Ty::F32 => self.op().f32_neg(),
                    Ty::F64 => self.op().f64_neg(),
                    Ty::Func | Ty::Extern | Ty::Typed { .. } => continue,
                };
            }
        }
        let tail = self.plan.choices.tail && self.stream.percent(80);
        self.transfer(func, tail);
    }

    fn use_hosts(&mut self, results: &[Ty]) {
        for _ in 0..self.stream.between(1, 4) {
            let row = self.stream.weighted(STATEMENTS, |row| row.weight);
            (row.write)(self);
        }
        let fitting = |func: &u32| self.plan.signature(*func).results == results;
        let fitting: Vec<u32> = (0..self.plan.callable()).filter(fitting).collect();
        if self.plan.choices.tail && !fitting.is_empty() && self.stream.percent(70) {
            let func = *self.stream.pick(&fitting);
            self.arguments(func, 1);
            self.transfer(func, true);
        } else {
            results.iter().for_each(|ty| self.value(*ty, 1));
        }
    }

    // Statements.

    /// Writes a buffer, gives it to the host, and reads it again.
    fn hand_over(&mut self) {
        let place = self.place();
        let bytes = self.stream.between(1, 24) as u64;
        if self.plan.choices.bulk && self.stream.percent(50) {
            self.address(place);
            match self.stream.below(3) {
                0 => {
                    let byte = self.stream.below(256) as i32;
                    self.op().i32_const(byte);
                    self.address(bytes);
                    self.op().memory_fill(0);
                }
                1 => {
                    let from = self.stream.below((TEXT_BYTES - 24) as u64);
                    self.address(from);
                    self.address(bytes);
                    self.op().memory_copy(0, 0);
                }
                _ => {
                    // An active segment is dropped, so that only nothing can be had of it.
                    let bytes = if self.wild() { bytes as i32 } else { 0 };
                    self.op().i32_const(0).i32_const(bytes).memory_init(0, 0);
                }
            }
        } else {
            for at in (0..bytes).step_by(8) {
                self.address(place + at);
                self.value(Ty::I64, 1);
                self.op().i64_store(arg(0));
            }
        }
        let takes_place = |func: &u32| {
            let params = &self.plan.signature(*func).params;
            params.iter().find(|ty| matches!(ty, Ty::I32 | Ty::I64)) == Some(&self.plan.choices.address())
        };
        let hosts: Vec<u32> = (0..self.plan.first_func()).filter(takes_place).collect();
        if let Some(host) = (!hosts.is_empty()).then(|| *self.stream.pick(&hosts)) {
            self.arguments_with(host, place, bytes, 1);
            self.transfer(host, false);
            self.keep_all(&self.plan.signature(host).results);
        }
        for at in (0..bytes).step_by(8) {
            self.address(place);
            self.op().i64_load(arg(at));
            self.mix(Ty::I64);
        }
    }

    /// Calls something and looks at what it gives.
    fn exchange(&mut self) {
        let func = self.stream.below(u64::from(self.plan.callable())) as u32;
        self.arguments(func, 1);
        self.transfer(func, false);
        self.keep_all(&self.plan.signature(func).results);
    }

    /// Values wait below a call of the host.
    fn press(&mut self) {
        let waiting = self.plan.choices.some(1, 9, self.stream);
        waiting.iter().for_each(|ty| self.value(*ty, 1));
        self.exchange();
        self.keep_all(&waiting);
    }

    /// Calls the same thing again and again.
    fn go_round(&mut self) {
        let left = self.new_local(Ty::I32);
        let rounds = self.plan.choices.rounds(self.stream).max(1) as i32;
        self.op().i32_const(rounds).local_set(left).loop_(BlockType::Empty);
        self.exchange();
        self.op().local_get(left).i32_const(1).i32_sub().local_tee(left).br_if(0).end();
    }

    /// Goes one way or the other as the host says.
    fn decide(&mut self) {
        self.value(Ty::I32, 2);
        if self.stream.percent(50) {
            self.op().i32_const(1).i32_and();
        }
        self.op().if_(BlockType::Empty);
        self.exchange();
        self.op().else_();
        let ty = self.plan.choices.number(self.stream);
        self.value(ty, 2);
        self.mix(ty);
        self.op().end();
    }

    /// Writes a global of the host, or one that hosts which call back see.
    fn touch_global(&mut self) {
        let of_host: Vec<u32> =
            (0u32..).zip(&self.plan.imported).filter(|(_, (_, mutable))| *mutable).map(|row| row.0).collect();
        let (global, ty) = if !of_host.is_empty() && self.stream.percent(60) {
            let global = *self.stream.pick(&of_host);
            (global, self.plan.imported[global as usize].0)
        } else {
            let ty = self.plan.choices.number(self.stream);
            (self.plan.first_global() + position(ty), ty)
        };
        self.value(ty, 2);
        self.op().global_set(global);
    }

    /// Puts a function into a free slot and calls it there.
    fn touch_table(&mut self) {
        let func = self.stream.below(u64::from(self.plan.callable())) as u32;
        if !self.plan.choices.references {
            return self.exchange();
        }
        let slot = (self.plan.func_count() + self.stream.below(u64::from(FREE_SLOTS)) as u32) as i32;
        self.op().i32_const(slot);
        if self.stream.percent(50) {
            self.op().ref_func(func);
        } else {
            self.op().i32_const(func as i32).table_get(0);
        }
        self.op().table_set(0);
        self.arguments(func, 1);
        self.op().i32_const(slot).call_indirect(0, func);
        self.keep_all(&self.plan.signature(func).results);
    }

    /// More memory for the next callee.
    fn grow(&mut self) {
        self.address(1);
        self.op().memory_grow(0);
        self.mix(self.plan.choices.address());
    }

    // Calls.

    /// Arguments for a function, places in memory among them.
    fn arguments(&mut self, func: u32, depth: u32) {
        let place = self.place();
        let bytes = *self.stream.pick(&[0, 1, 4, 7, 8, 24]);
        self.arguments_with(func, place, bytes, depth);
    }

    /// The same with a certain place and length, for hosts take their first two integers for that.
    fn arguments_with(&mut self, func: u32, place: u64, bytes: u64, depth: u32) {
        let signature = self.plan.signature(func);
        let mut left = &[place, bytes][..];
        let mut params = &signature.params[..];
        let defined =
            func.checked_sub(self.plan.first_func()).map(|number| self.plan.funcs[number as usize].role);
        if let Some(Role::CountsDown { .. }) = defined {
            let rounds = self.plan.choices.rounds(self.stream) as i32;
            self.op().i32_const(rounds);
            params = &params[1..];
        }
        for ty in params {
            match (left, ty) {
                ([number, rest @ ..], Ty::I32 | Ty::I64) => {
                    left = rest;
                    match ty {
                        _ if self.stream.percent(10) => self.value(*ty, depth),
                        Ty::I32 => {
                            self.op().i32_const(*number as i32);
                        }
                        _ => {
                            self.op().i64_const(*number as i64);
                        }
                    }
                }
                _ => self.value(*ty, depth),
            }
        }
    }

    /// Calls a function whose arguments are there.
    fn transfer(&mut self, func: u32, tail: bool) {
        let way = match self.stream.below(4) {
            0 | 1 => Way::Direct,
            2 if self.plan.choices.typed => Way::Reference,
            _ => Way::Table,
        };
        match way {
            Way::Direct => {}
            Way::Table if self.wild() => self.value(Ty::I32, 0),
            Way::Table if self.stream.percent(30) => {
                // An index that is not known before.
                let local = self.local(Ty::I32);
                self.op().local_get(local).i32_const(0).i32_and().i32_const(func as i32).i32_or();
            }
            Way::Table => {
                self.op().i32_const(func as i32);
            }
            Way::Reference => {
                self.op().ref_func(func);
            }
        }
        way.call(func, tail, &mut self.op());
    }

    // Values.

    /// A value made by at most so many calls and operators on top of each other.
    fn value(&mut self, ty: Ty, depth: u32) {
        match ty {
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => self.number(ty, depth),
            Ty::Extern => {
                let local = self.local(Ty::Extern);
                self.op().local_get(local);
            }
            Ty::Func | Ty::Typed { .. } => match self.stream.below(3) {
                0 => {
                    self.op().ref_null(HeapType::FUNC);
                }
                1 => {
                    let func = self.stream.below(u64::from(self.plan.first_func())) as u32;
                    self.op().ref_func(func);
                }
                _ => {
                    let local = self.local(Ty::Func);
                    self.op().local_get(local);
                }
            },
        }
    }

    fn number(&mut self, ty: Ty, depth: u32) {
        match self.stream.below(12) {
            0..3 => constant(ty, self.stream, &mut InstructionSink::new(&mut self.code)),
            3..6 => {
                let local = self.local(ty);
                self.op().local_get(local);
            }
            6 | 7 if self.has_globals => {
                let of_host: Vec<u32> = (0u32..)
                    .zip(&self.plan.imported)
                    .filter(|(_, (of, _))| *of == ty)
                    .map(|row| row.0)
                    .collect();
                let own = self.plan.first_global() + position(ty);
                let global = if of_host.is_empty() { own } else { *self.stream.pick(&of_host) };
                self.op().global_get(global);
            }
            8 | 9 if depth > 0 => self.answer(ty, depth),
            10 if depth > 0 && matches!(ty, Ty::I32 | Ty::I64) => {
                self.number(ty, depth - 1);
                self.number(ty, depth - 1);
                let kind = *self.stream.pick(&[NumericKind::Arithmetic, NumericKind::Bitwise]);
                self.stream.pick(&Operator::of_kind(kind, ty)).write(&mut self.code);
            }
            _ => {
                let place = self.stream.below((TEXT_BYTES - 8) as u64);
                self.address(place);
                let mut op = self.op();
                match ty {
                    Ty::I32 => op.i32_load(arg(0)),
                    Ty::I64 => op.i64_load(arg(0)),
                    Ty::F32 => op.f32_load(arg(0)),
                    _ => op.f64_load(arg(0)),
                };
            }
        }
    }

    /// What a host gives that gives one such number.
    fn answer(&mut self, ty: Ty, depth: u32) {
        let fitting = |func: &u32| self.plan.signature(*func).results == [ty];
        let fitting: Vec<u32> = (0..self.plan.first_func()).filter(fitting).collect();
        if fitting.is_empty() {
            return self.number(ty, depth - 1);
        }
        let func = *self.stream.pick(&fitting);
        self.arguments(func, depth - 1);
        self.transfer(func, false);
    }

    /// A place for a buffer: in the text, anywhere, or up to the last byte.
    fn place(&mut self) -> u64 {
        match self.stream.below(4) {
            0 | 1 => self.stream.below(TEXT_BYTES as u64),
            2 => PAGE - 24 - self.stream.below(16),
            _ => self.stream.below(PAGE - 24),
        }
    }

    fn address(&mut self, address: u64) {
        let memory64 = self.plan.choices.memory64;
        let mut op = self.op();
        if memory64 {
            op.i64_const(address as i64);
        } else {
            op.i32_const(address as i32);
        }
    }

    /// The topmost values, which have these types, go where they can be seen.
    fn keep_all(&mut self, tys: &[Ty]) {
        tys.iter().rev().for_each(|ty| self.keep(*ty));
    }

    fn keep(&mut self, ty: Ty) {
        match ty {
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => match self.stream.below(8) {
                0 => {
                    let local = self.local(ty);
                    self.op().local_set(local);
                }
                1 => {
                    let global = self.plan.first_global() + position(ty);
                    self.op().global_set(global);
                }
                _ => self.mix(ty),
            },
            Ty::Extern | Ty::Func | Ty::Typed { .. } => {
                let local = self.local(ty);
                self.op().local_tee(local).ref_is_null();
                self.mix(Ty::I32);
            }
        }
    }

    fn mix(&mut self, ty: Ty) {
        let distance = distance(self.stream);
        mix(ty, self.plan.sink(), distance, &mut self.op());
    }
}

fn arg(offset: u64) -> MemArg {
    MemArg { offset, align: 0, target: MemArgTarget::Memory(0), ordering: None }
}
