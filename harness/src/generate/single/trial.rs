//! A trial: a function with one instruction, what makes its operands, and what shows its results.

use super::{Choices, FIRST_TRIAL, GLOBALS, REFERENCE_GLOBALS, SEGMENT_BYTES, SEGMENTS, SINK, SLOTS};
use crate::case::{HeapKind, RefValue, Value};
use crate::draw::{Stream, values};
use crate::generate::linked::operators::Operator;
use crate::generate::linked::types::Ty;
use crate::generate::numbers::{
    NUMBERS, PAGE, Signature, constant, constant_of, distance, encoded, mix, number_type, position,
};
use crate::generate::sink::Float;
use crate::wasm::instruction::write_code;
use crosscheck_engine::opcode::{self, Family, Immediate, Numeric, Opcode, Operand, Row};
use wasm_encoder::{BlockType, Encode, HeapType, InstructionSink, MemArg, MemArgTarget};

/// Where values go that are stored only to be loaded again: away from what is tried.
const SCRATCH: i32 = 4096;

/// A function with one instruction.
pub(super) struct Trial {
    pub signature: Signature,
    /// What the parameters are for.
    pub params: Vec<Role>,
    /// Locals and instructions.
    pub code: Vec<u8>,
}

/// Divisions that look at signs.
const DIVISIONS: [Numeric; 4] = [Numeric::I32DivS, Numeric::I32RemS, Numeric::I64DivS, Numeric::I64RemS];

/// What an operand is for, which says what is worth trying.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// A number, or a reference.
    Any(Ty),
    /// The address of an access of that width and offset.
    Place { ty: Ty, offset: u64, width: u64 },
    /// What is divided, with a sign.
    Dividend { ty: Ty },
    /// What it is divided by.
    Divisor { ty: Ty },
    /// Where a range begins that is part of that many bytes or slots.
    Start { ty: Ty, of: u64 },
    /// How long it is, or by how much something grows.
    Length { ty: Ty, of: u64 },
}

impl Role {
    fn ty(self) -> Ty {
        match self {
            Role::Any(ty)
            | Role::Dividend { ty }
            | Role::Divisor { ty }
            | Role::Place { ty, .. }
            | Role::Start { ty, .. }
            | Role::Length { ty, .. } => ty,
        }
    }

    /// A value to try.
    pub(super) fn draw(self, stream: &mut Stream) -> Value {
        let number = match self {
            Role::Any(Ty::Extern) if stream.percent(25) => {
                return Value::Ref(RefValue::Null(HeapKind::Extern));
            }
            Role::Any(Ty::Extern) => return Value::Ref(RefValue::Extern(stream.below(4) as u32)),
            Role::Any(Ty::Func | Ty::Typed { .. }) => return Value::Ref(RefValue::Null(HeapKind::Func)),
            // One pair of all overflows, and a few look like it in half of their bits.
            Role::Dividend { ty: Ty::I64 } if stream.percent(35) => {
                *stream.pick(&[1 << 63, i64::from(i32::MIN) as u64, 1 << 31, 1 << 63 | 1 << 31])
            }
            Role::Dividend { ty: Ty::I32 } if stream.percent(35) => 1 << 31,
            Role::Divisor { .. } if stream.percent(35) => {
                *stream.pick(&[u64::MAX, u64::MAX, u32::MAX.into(), 0, 1])
            }
            Role::Dividend { ty } | Role::Divisor { ty } => return Role::Any(ty).draw(stream),
            Role::Any(ty @ (Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64)) => {
                return values::value(number_type(ty), stream).expect("a number");
            }
            Role::Place { offset, width, .. } => {
                let last = PAGE - width;
                let place = match stream.below(8) {
                    0..3 => last - stream.below(3),
                    3 => stream.below(12),
                    4 | 5 => stream.below(last),
                    6 => last + 1 + stream.below(width),
                    _ => *stream.pick(&[2 * PAGE - width, 1 << 31, (1 << 32) - width, 1 << 32]),
                };
                // An offset that exceeds the place makes the address wrap.
                if stream.percent(80) { place.max(offset) - offset } else { place.wrapping_sub(offset) }
            }
            Role::Start { of, .. } => match stream.below(8) {
                0..5 => stream.below(of / 2),
                5 => of - stream.below(of.min(9)),
                6 => stream.below(4),
                _ => *stream.pick(&[of + 1, 1 << 31, u32::MAX as u64, 1 << 32]),
            },
            Role::Length { of, .. } => match stream.below(8) {
                0 => 0,
                1..6 => stream.below(1 + (of / 2).min(70)),
                6 => of - stream.below(of.min(4)),
                _ => *stream.pick(&[of, of + 1, u32::MAX as u64, 1 << 32]),
            },
        };
        if self.ty() == Ty::I64 { Value::I64(number) } else { Value::I32(number as u32) }
    }
}

/// By which way an operand comes.
#[derive(Clone, Copy)]
enum Way {
    Straight,
    Local,
    Global,
    /// Stored and loaded again.
    Memory,
    /// Through a function that gives it back.
    Call,
    /// Out of a block, by a branch from above another value.
    Block,
    /// One of two, as a number says.
    Select,
    /// The lower half of something longer.
    Half,
}

const WAYS: [Way; 12] = [
    Way::Straight,
    Way::Straight,
    Way::Straight,
    Way::Straight,
    Way::Local,
    Way::Local,
    Way::Global,
    Way::Memory,
    Way::Call,
    Way::Block,
    Way::Select,
    Way::Half,
];

/// What becomes of the results.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    /// The function returns them.
    Return,
    /// So it does, by way of a local.
    Local,
    Global,
    Mix,
    /// Stored in memory, whose address waits below the operands.
    Store,
    /// Taken at once by an `if`.
    If,
    /// Taken at once by a branch out of a block that begins before the operands.
    Branch,
}

const SHOWS: [Show; 12] = [
    Show::Return,
    Show::Return,
    Show::Return,
    Show::Return,
    Show::Return,
    Show::Local,
    Show::Global,
    Show::Mix,
    Show::Store,
    Show::If,
    Show::Branch,
    Show::Branch,
];

/// The types of the locals that every trial has after its parameters, the last two if there are references.
const LOCALS: [Ty; 6] = [Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::Func, Ty::Extern];

/// A trial being written.
struct Writer<'a> {
    choices: &'a Choices,
    stream: &'a mut Stream,
    row: &'static Row,
    /// What `Operand::Any` and `Operand::Ref` stand for here.
    subject: Ty,
    /// The memory or table that the instruction is about.
    index: u32,
    /// The offset of an access.
    offset: u64,
    params: Vec<Role>,
    code: Vec<u8>,
}

impl Trial {
    /// A trial of the instruction.
    pub(super) fn write(row: &'static Row, choices: &Choices, stream: &mut Stream) -> Trial {
        let (index, subject) = subject(row, choices, stream);
        let offset = match stream.below(8) {
            0..3 => 0,
            3 | 4 => stream.below(17),
            5 => stream.below(PAGE - 8),
            6 => PAGE - 16 + stream.below(16),
            _ => *stream.pick(&[1 << 31, u64::from(u32::MAX), (1 << 32) - 8, PAGE]),
        };
        let code = Vec::with_capacity(128);
        let mut writer = Writer { choices, stream, row, subject, index, offset, params: Vec::new(), code };
        let roles: Vec<Role> = (0..row.operands.len()).map(|number| writer.role(number)).collect();
        let is_param: Vec<bool> = roles.iter().map(|role| writer.is_param(*role)).collect();
        writer.params = roles.iter().zip(&is_param).filter(|(_, is)| **is).map(|(role, _)| *role).collect();
        let mut tys: Vec<Ty> = row.results.iter().map(|result| writer.ty(*result)).collect();
        if row.opcode == Opcode::Variable(opcode::Variable::LocalSet) {
            // What it has written is read again.
            tys.push(subject);
        }
        let show = writer.show(&tys);
        writer.begin(show);
        let spilled = writer.stream.percent(25).then(|| writer.stream.below(3) as usize);
        let mut param = 0;
        for (number, role) in roles.iter().enumerate() {
            writer.operand(*role, is_param[number].then_some(param));
            param += u32::from(is_param[number]);
            if spilled == Some(number) {
                writer.press();
            }
        }
        writer.instruction();
        let results = writer.finish(show, tys);
        let Writer { params, code: body, .. } = writer;
        let locals = if choices.references { &LOCALS[..] } else { &LOCALS[..NUMBERS.len()] };
        let mut code = Vec::with_capacity(body.len() + 16);
        (locals.len() as u32).encode(&mut code);
        encoded(locals).for_each(|ty| {
            1u32.encode(&mut code);
            ty.encode(&mut code);
        });
        code.extend_from_slice(&body);
        let tys = params.iter().map(|role| role.ty()).collect();
        Trial { signature: Signature { params: tys, results }, params, code }
    }
}

/// Which memory or table an instruction is about, and the type of what it takes or gives that is of any type.
fn subject(row: &Row, choices: &Choices, stream: &mut Stream) -> (u32, Ty) {
    let any = if choices.references { &LOCALS[..] } else { &NUMBERS[..] };
    match row.opcode {
        Opcode::Table(opcode::Table::TableInit) => (*stream.pick(&[0, 2]), Ty::Func),
        Opcode::Table(_) => *stream.pick(&[(0, Ty::Func), (1, Ty::Extern), (2, Ty::Func)]),
        Opcode::Reference(opcode::Reference::RefFunc) => (0, Ty::Func),
        Opcode::Reference(_) => (0, *stream.pick(&[Ty::Func, Ty::Extern])),
        Opcode::Parametric(opcode::Parametric::Select) => (0, *stream.pick(&NUMBERS)),
        Opcode::Load(_) | Opcode::Store(_) | Opcode::Memory(_) => {
            (stream.below(u64::from(choices.memories())) as u32, Ty::I32)
        }
        Opcode::Parametric(_) | Opcode::Variable(_) => (0, *stream.pick(any)),
        Opcode::Control(_)
        | Opcode::Const(_)
        | Opcode::Numeric(_)
        | Opcode::Wide(_)
        | Opcode::Gc(_)
        | Opcode::Vector(_)
        | Opcode::VectorMemory(_)
        | Opcode::Atomic(_) => (0, Ty::I32),
    }
}

impl Writer<'_> {
    fn op(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    /// The type of an operand or result.
    fn ty(&self, operand: Operand) -> Ty {
        match operand {
            Operand::I32 => Ty::I32,
            Operand::I64 => Ty::I64,
            Operand::F32 => Ty::F32,
            Operand::F64 => Ty::F64,
            Operand::Address if self.row.family == Family::Table => Ty::I32,
            Operand::Address => self.choices.address(),
            Operand::Ref | Operand::Any => self.subject,
            Operand::V128 | Operand::Many => unreachable!("no such instruction is tried"),
        }
    }

    /// What the operand of that number is for.
    fn role(&self, number: usize) -> Role {
        let operands = self.row.operands;
        let ty = self.ty(operands[number]);
        let is_last = number + 1 == operands.len();
        let grows = is_last && self.row.results == [Operand::Address];
        match self.row.opcode {
            Opcode::Load(load) if number == 0 => self.place(ty, load.width()),
            Opcode::Store(store) if number == 0 => self.place(ty, store.width()),
            Opcode::Memory(_) | Opcode::Table(_) if grows => Role::Length { ty, of: 3 },
            Opcode::Memory(memory) if ty == Ty::I32 || ty == Ty::I64 => {
                let of_segment = memory == opcode::Memory::MemoryInit && number > 0;
                let of = if of_segment { SEGMENT_BYTES } else { PAGE };
                if is_last { Role::Length { ty, of } } else { Role::Start { ty, of } }
            }
            Opcode::Table(table) if ty == Ty::I32 => {
                let of = if table == opcode::Table::TableInit && number > 0 { 3 } else { SLOTS };
                let is_length = is_last && operands.len() > 1;
                if is_length { Role::Length { ty, of } } else { Role::Start { ty, of } }
            }
            Opcode::Numeric(numeric) if DIVISIONS.contains(&numeric) => {
                if is_last {
                    Role::Divisor { ty }
                } else {
                    Role::Dividend { ty }
                }
            }
            _ => Role::Any(ty),
        }
    }

    fn place(&self, ty: Ty, width: u32) -> Role {
        Role::Place { ty, offset: self.offset, width: u64::from(width) }
    }

    fn is_param(&mut self, role: Role) -> bool {
        // From outside only null can be had of functions.
        self.stream.percent(if role.ty() == Ty::Func { 10 } else { 55 })
    }

    fn local(&self, ty: Ty) -> u32 {
        let position = LOCALS.iter().position(|local| *local == ty).expect("there is one of each type");
        (self.params.len() + position) as u32
    }

    fn global(ty: Ty) -> u32 {
        match ty {
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => GLOBALS + position(ty),
            Ty::Func | Ty::Typed { .. } => REFERENCE_GLOBALS,
            Ty::Extern => REFERENCE_GLOBALS + 1,
        }
    }

    // Operands.

    /// An operand, by some way.
    fn operand(&mut self, role: Role, param: Option<u32>) {
        let ty = role.ty();
        let is_number = matches!(ty, Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64);
        let way = *self.stream.pick(&WAYS);
        match way {
            Way::Straight => self.base(role, param),
            Way::Local => {
                self.base(role, param);
                let local = self.local(ty);
                self.op().local_set(local).local_get(local);
            }
            Way::Global => {
                self.base(role, param);
                let global = Self::global(ty);
                self.op().global_set(global).global_get(global);
            }
            Way::Memory if is_number => {
                self.scratch();
                self.base(role, param);
                self.store(ty);
                self.scratch();
                let mut op = self.op();
                match ty {
                    Ty::I32 => op.i32_load(SCRATCH_ARG),
                    Ty::I64 => op.i64_load(SCRATCH_ARG),
                    Ty::F32 => op.f32_load(SCRATCH_ARG),
                    _ => op.f64_load(SCRATCH_ARG),
                };
            }
            Way::Call if is_number => {
                self.base(role, param);
                self.op().call(position(ty));
            }
            Way::Block => {
                self.op().block(BlockType::Result(ty.encoded(&[])));
                let junk = *self.stream.pick(&NUMBERS);
                constant(junk, self.stream, &mut InstructionSink::new(&mut self.code));
                self.base(role, param);
                self.op().br(0).end();
            }
            Way::Select if is_number => {
                self.base(role, param);
                constant(ty, self.stream, &mut InstructionSink::new(&mut self.code));
                if self.stream.percent(50) {
                    self.op().i32_const(1).select();
                } else {
                    self.op().global_get(GLOBALS).i32_const(1).i32_or().select();
                }
            }
            Way::Half if is_number => {
                self.base(role, param);
                let mut op = self.op();
                match ty {
                    Ty::I32 => op.i64_extend_i32_s().i64_const(-1 << 32).i64_xor().i32_wrap_i64(),
                    Ty::I64 => op.f64_reinterpret_i64().i64_reinterpret_f64(),
                    Ty::F32 => op.i32_reinterpret_f32().f32_reinterpret_i32(),
                    _ => op.i64_reinterpret_f64().f64_reinterpret_i64(),
                };
            }
            Way::Memory | Way::Call | Way::Select | Way::Half => self.base(role, param),
        }
    }

    /// A parameter or a constant.
    fn base(&mut self, role: Role, param: Option<u32>) {
        if let Some(param) = param {
            self.op().local_get(param);
            return;
        }
        match (role.ty(), self.stream.below(3)) {
            (Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64, _) => {
                let value = role.draw(self.stream);
                constant_of(&value, &mut self.op());
            }
            (Ty::Extern, 0) => {
                self.op().ref_null(HeapType::EXTERN);
            }
            (Ty::Extern, _) => {
                let slot = self.stream.below(SLOTS) as i32;
                self.op().i32_const(slot).table_get(1);
            }
            (Ty::Func | Ty::Typed { .. }, 0) => {
                self.op().ref_null(HeapType::FUNC);
            }
            (Ty::Func | Ty::Typed { .. }, _) => {
                let func = self.stream.below(u64::from(FIRST_TRIAL)) as u32;
                self.op().ref_func(func);
            }
        }
    }

    fn scratch(&mut self) {
        let memory64 = self.choices.memory64;
        let mut op = self.op();
        if memory64 {
            op.i64_const(i64::from(SCRATCH));
        } else {
            op.i32_const(SCRATCH);
        }
    }

    fn store(&mut self, ty: Ty) {
        let mut op = self.op();
        match ty {
            Ty::I32 => op.i32_store(SCRATCH_ARG),
            Ty::I64 => op.i64_store(SCRATCH_ARG),
            Ty::F32 => op.f32_store(SCRATCH_ARG),
            _ => op.f64_store(SCRATCH_ARG),
        };
    }

    /// More values than registers come and go above what is there.
    fn press(&mut self) {
        let tys: Vec<Ty> = (0..self.stream.between(4, 20)).map(|_| *self.stream.pick(&NUMBERS)).collect();
        for ty in &tys {
            let local = self.local(*ty);
            let way = self.stream.below(3);
            let mut op = self.op();
            match (way, ty) {
                (0, _) => op.local_get(local),
                (1, Ty::I64) => op.global_get(SINK),
                (_, _) => op.global_get(Self::global(*ty)),
            };
        }
        tys.iter().rev().for_each(|ty| self.mix(*ty));
    }

    // The instruction.

    fn instruction(&mut self) {
        if self.row.opcode == Opcode::Variable(opcode::Variable::LocalGet) && self.stream.percent(70) {
            let (subject, local) = (self.subject, self.local(self.subject));
            self.base(Role::Any(subject), None);
            self.op().local_set(local);
        }
        write_code(self.row, &mut self.code);
        self.row.immediates.iter().for_each(|immediate| self.immediate(*immediate));
        if self.row.opcode == Opcode::Variable(opcode::Variable::LocalSet) {
            let local = self.local(self.subject);
            self.op().local_get(local);
        }
    }

    fn immediate(&mut self, immediate: Immediate) {
        let Writer { stream, index, .. } = self;
        let segment = if stream.percent(85) { 0 } else { stream.below(u64::from(SEGMENTS)) as u32 };
        match immediate {
            Immediate::Func => (stream.below(u64::from(FIRST_TRIAL)) as u32).encode(&mut self.code),
            Immediate::Table => {
                index.encode(&mut self.code);
                // The other one of `table.copy`, of the same type.
                *index = if *index == 1 { 1 } else { *stream.pick(&[0, 2]) };
            }
            Immediate::Memory => {
                index.encode(&mut self.code);
                *index = stream.below(u64::from(self.choices.memories())) as u32;
            }
            Immediate::MemArg => {
                let natural = match self.row.opcode {
                    Opcode::Load(load) => load.width().ilog2(),
                    Opcode::Store(store) => store.width().ilog2(),
                    _ => 0,
                };
                let align = stream.below(u64::from(natural) + 1) as u32;
                let target = MemArgTarget::Memory(*index);
                MemArg { offset: self.offset, align, target, ordering: None }.encode(&mut self.code);
            }
            Immediate::Local => self.local(self.subject).encode(&mut self.code),
            Immediate::Global => Self::global(self.subject).encode(&mut self.code),
            Immediate::Data | Immediate::Elem => segment.encode(&mut self.code),
            Immediate::HeapType => {
                let heap_type = if self.subject == Ty::Extern { HeapType::EXTERN } else { HeapType::FUNC };
                heap_type.encode(&mut self.code);
            }
            Immediate::SelectTypes => {
                1u32.encode(&mut self.code);
                self.subject.encoded(&[]).encode(&mut self.code);
            }
            Immediate::I32 | Immediate::I64 | Immediate::F32 | Immediate::F64 => {
                let ty = self.ty(self.row.results[0]);
                let value = Role::Any(ty).draw(self.stream);
                let start = self.code.len();
                constant_of(&value, &mut self.op());
                // The opcode is there already.
                self.code.remove(start);
            }
            Immediate::BlockType
            | Immediate::Label
            | Immediate::Labels
            | Immediate::Type
            | Immediate::Tag
            | Immediate::Field
            | Immediate::CastFlags
            | Immediate::V128
            | Immediate::Lane
            | Immediate::Lanes16
            | Immediate::Count
            | Immediate::Catches
            | Immediate::Reserved => unreachable!("no instruction that is tried has one"),
        }
    }

    // Results.

    /// A way to show results of these types.
    fn show(&mut self, tys: &[Ty]) -> Show {
        let show = *self.stream.pick(&SHOWS);
        let is_number = |ty: &Ty| matches!(ty, Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64);
        match (show, tys) {
            (_, []) => Show::Return,
            (Show::If | Show::Branch, [Ty::I32]) | (Show::Global | Show::Local, [_]) => show,
            (Show::Store, [ty]) if is_number(ty) => show,
            (Show::Mix, tys) if tys.iter().all(is_number) => show,
            (_, [_]) => Show::Return,
            (_, _) if self.choices.multi_value => Show::Return,
            (_, _) => Show::Mix,
        }
    }

    fn begin(&mut self, show: Show) {
        match show {
            Show::Branch => {
                self.op().block(BlockType::Empty);
            }
            Show::Store => self.scratch(),
            Show::Return | Show::Local | Show::Global | Show::Mix | Show::If => {}
        }
    }

    /// Shows the results; gives the types of those that the function returns.
    fn finish(&mut self, show: Show, tys: Vec<Ty>) -> Vec<Ty> {
        if self.choices.judged {
            self.canonicalise(&tys);
        }
        let returned = match show {
            Show::Return => tys,
            Show::Local => {
                let local = self.local(tys[0]);
                self.op().local_set(local).local_get(local);
                tys
            }
            Show::Global => {
                self.op().global_set(Self::global(tys[0]));
                Vec::new()
            }
            Show::Mix => {
                tys.iter().rev().for_each(|ty| self.mix(*ty));
                Vec::new()
            }
            Show::Store => {
                self.store(tys[0]);
                Vec::new()
            }
            Show::If => {
                self.op().if_(BlockType::Result(Ty::I64.encoded(&[]))).i64_const(-1).else_();
                self.op().i64_const(1).end();
                vec![Ty::I64]
            }
            Show::Branch => {
                self.op().br_if(0).i64_const(1).global_set(SINK).end();
                Vec::new()
            }
        };
        self.op().end();
        returned
    }

    /// Makes a NaN canonical whose bits the specification leaves open.
    fn canonicalise(&mut self, tys: &[Ty]) {
        let (Opcode::Numeric(opcode), [ty]) = (self.row.opcode, tys) else { return };
        let operator = Operator::giving(*ty).iter().find(|operator| operator.opcode == opcode);
        if operator.is_some_and(|operator| operator.new_nans) {
            let shape = if *ty == Ty::F32 { Float::F32 } else { Float::F64 };
            let scratch = self.local(*ty);
            shape.canonicalise(scratch, &mut self.code);
        }
    }

    fn mix(&mut self, ty: Ty) {
        let distance = distance(self.stream);
        mix(ty, SINK, distance, &mut self.op());
    }
}

const SCRATCH_ARG: MemArg = MemArg { offset: 0, align: 0, target: MemArgTarget::Memory(0), ordering: None };
