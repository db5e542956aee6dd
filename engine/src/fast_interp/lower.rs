//! Lowering: one pass over a valid body that makes register code of it.
//!
//! The operand stack exists only here. An entry is a value that its producer put into the entry's own
//! slot, a local that has not been read yet, or a constant; so `local.get` and constants emit nothing and
//! become operands of whatever takes them. Three things keep that true:
//!
//! - A local that is about to be written is first copied for the entries that still mean its old value
//!   (see [`stack`]).
//! - Where control may arrive from several places, everything is in its own slot: entries that mean
//!   locals are copied before a block begins, results before it ends (see [`control`]).
//! - What an accumulator holds besides a slot is known between such places only (see [`emit`]).
//!
//! Code that control cannot reach is passed over.

mod calls;
mod compute;
mod control;
mod emit;
mod stack;

use super::code::{FuncEntry, HEADER_SLOTS, ModuleCode};
use super::listing::Listed;
use super::tables::Tables;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, FuelSegment, FuncBody, FuncIndex, ModuleInner};
use crate::opcode::reader::Reader;
use crate::opcode::{Const, Control, Opcode, Parametric, Variable};
use crate::slots::{Heights, Layout, Row, Signature, Width};
use control::{Kind, Label, Patch};
use emit::{Comparison, LastResult, Mirrors, NO_MIRRORS};
use stack::{Entry, Operand};
use std::ops::Range;

/// Slots that a function with more than 2^16 of them keeps free in their lower part.
const SCRATCH_SLOTS: u32 = 4;
/// Slots that a 16-bit field can name.
const NEAR_SLOTS: u32 = 1 << 16;

/// Lowers all functions of a module.
pub(super) fn lower_module(module: &ModuleInner, settings: &Settings) -> ModuleCode {
    let mut lowering = Lowering::new(module, settings);
    let starts: Vec<u32> =
        (0..module.bodies.len() as u32).map(|index| lowering.function(DefinedFuncIndex(index))).collect();
    let Lowering { words, sites, mut entries, .. } = lowering;
    for (entry, start) in entries.iter_mut().zip(starts) {
        entry.code = words[start as usize..].as_ptr();
    }
    ModuleCode { words, entries, sites }
}

/// Lowers one function and lists its instructions.
pub(super) fn list_function(
    module: &ModuleInner,
    settings: &Settings,
    func: DefinedFuncIndex,
) -> (Vec<u64>, Vec<Listed>) {
    let mut lowering = Lowering::new(module, settings);
    lowering.listing = Some(Vec::new());
    lowering.function(func);
    (lowering.words, lowering.listing.expect("just set"))
}

/// How the current function's frame is laid out.
struct Frame<'m> {
    /// Where the locals lie, were there no header among them; absent before the first function.
    layout: Option<&'m Layout>,
    /// Slots of the parameters: the header follows.
    param_slots: u32,
    cost: u32,
    /// Slot of the lowest operand.
    first_operand: u32,
}

/// Where the operand stack begins: after parameters, header, locals, and scratch slots if slots get
/// so many that a field cannot name them all.
fn first_operand(body: &FuncBody) -> u32 {
    let slots = HEADER_SLOTS + body.layout.locals().slots;
    if slots + body.operand_slots > NEAR_SLOTS { slots + SCRATCH_SLOTS } else { slots }
}

/// The state of the pass. What belongs to one function is cleared for the next but keeps its memory.
struct Lowering<'m> {
    module: &'m ModuleInner,
    tables: &'static Tables,
    fuel: bool,
    words: Vec<u64>,
    sites: Vec<(u32, u32)>,
    entries: Vec<FuncEntry>,
    listing: Option<Vec<Listed>>,

    frame: Frame<'m>,
    /// File offset of the opcode that is being lowered.
    offset: u32,
    /// Index of the next fuel segment.
    segment: usize,
    reachable: bool,
    labels: Vec<Label<'m>>,
    patches: Vec<Patch>,

    stack: Vec<Entry>,
    /// Where the entries' own slots are.
    heights: Heights,
    /// Position of the highest entry that means each local.
    latest: Vec<u32>,
    /// Entries that mean locals; all of them are at `settled` or higher.
    lazy: u32,
    settled: usize,
    /// Positions of long runs of entries that are in their own slots, lowest first; there may be more
    /// such entries.
    owned: Vec<Range<usize>>,
    /// The operands that an instruction takes together, lowest first.
    taken: Vec<Operand>,

    mirrors: Mirrors,
    last: LastResult,
    comparison: Option<Comparison>,
}

impl<'m> Lowering<'m> {
    fn new(module: &'m ModuleInner, settings: &Settings) -> Lowering<'m> {
        // An instruction is some two words and comes from some two bytes; what is reserved but never
        // written costs next to nothing.
        let bytes: usize = module.bodies.iter().map(|body| body.code.len() + 4).sum();
        let entries = (0..module.bodies.len() as u32).map(|index| {
            let (index, body) = (DefinedFuncIndex(index), module.body(DefinedFuncIndex(index)));
            FuncEntry {
                code: std::ptr::null(),
                cost: body.frame_cost,
                param_slots: body.layout.params().slots,
                declared_slots: body.layout.declared_slots(),
                first_offset: body.code.start,
                func: module.func_index(index),
            }
        });
        Lowering {
            module,
            tables: Tables::get(),
            fuel: settings.fuel,
            words: Vec::with_capacity(bytes),
            sites: Vec::new(),
            entries: entries.collect(),
            listing: None,
            frame: Frame { layout: None, param_slots: 0, cost: 0, first_operand: 0 },
            offset: 0,
            segment: 0,
            reachable: true,
            labels: Vec::new(),
            patches: Vec::new(),
            stack: Vec::new(),
            heights: Heights::default(),
            latest: Vec::new(),
            lazy: 0,
            settled: 0,
            owned: Vec::new(),
            taken: Vec::new(),
            mirrors: NO_MIRRORS,
            last: LastResult::NONE,
            comparison: None,
        }
    }
}

impl<'m> Lowering<'m> {
    /// Lowers a function and gives the position of its code.
    fn function(&mut self, func: DefinedFuncIndex) -> u32 {
        let module = self.module;
        let body = module.body(func);
        self.begin_function(body, Row::results(module.func_type(module.func_index(func))));
        let start = self.words.len() as u32;
        let bytes = &module.bytes[body.code.start as usize..body.code.end as usize];
        let mut reader = Reader::new(bytes, body.code.start);
        while !self.labels.is_empty() {
            let (offset, opcode) = reader.opcode();
            self.offset = offset;
            if self.fuel {
                self.charge(&body.fuel);
            }
            self.operator(opcode, &mut reader);
            if !self.reachable {
                reader.skip_unreachable();
            }
        }
        start
    }

    fn begin_function(&mut self, body: &'m FuncBody, results: Row<'m>) {
        self.frame = Frame {
            layout: Some(&body.layout),
            param_slots: body.layout.params().slots,
            cost: body.frame_cost,
            first_operand: first_operand(body),
        };
        self.segment = 0;
        self.reachable = true;
        self.stack.clear();
        self.latest.clear();
        self.heights.start(body.is_wide);
        self.latest.resize(body.layout.locals().values as usize, stack::NO_ENTRY);
        (self.lazy, self.settled) = (0, 0);
        self.owned.clear();
        self.patches.clear();
        self.labels.clear();
        self.labels.push(Label::new(Kind::Function, 0, Signature { params: Row::EMPTY, results }));
        self.join();
    }

    /// Emits the charge of the segment that begins at the current opcode, if one does.
    fn charge(&mut self, segments: &[FuelSegment]) {
        while let Some(segment) = segments.get(self.segment) {
            if segment.offset > self.offset {
                return;
            }
            self.segment += 1;
            if segment.offset == self.offset {
                self.fuel(segment.cost);
            }
        }
    }

    fn operator(&mut self, opcode: Opcode, reader: &mut Reader) {
        match opcode {
            Opcode::Control(control) => self.control(control, reader),
            Opcode::Parametric(parametric) => match parametric {
                Parametric::Drop => _ = self.pop(),
                Parametric::Select => self.select(),
                Parametric::SelectT => {
                    reader.select_type();
                    self.select();
                }
            },
            Opcode::Variable(variable) => {
                let index = reader.u32();
                match variable {
                    Variable::LocalGet => self.push_local(index),
                    Variable::LocalSet => self.local_set(index),
                    Variable::LocalTee => self.local_tee(index),
                    Variable::GlobalGet => self.global_get(index),
                    Variable::GlobalSet => self.global_set(index),
                }
            }
            Opcode::Table(table) => self.table(table, reader),
            Opcode::Load(load) => self.load(load, reader.mem_arg()),
            Opcode::Store(store) => self.store(store, reader.mem_arg()),
            Opcode::Memory(memory) => self.memory(memory, reader),
            Opcode::Const(constant) => {
                let slot = match constant {
                    Const::I32Const => u64::from(reader.i32() as u32),
                    Const::I64Const => reader.i64() as u64,
                    Const::F32Const => u64::from(reader.f32_bits()),
                    Const::F64Const => reader.f64_bits(),
                };
                self.push(Entry::Constant(slot), Width::One);
            }
            Opcode::Numeric(numeric) => self.numeric(numeric),
            Opcode::Wide(wide) => self.wide(wide),
            Opcode::Reference(reference) => self.reference(reference, reader),
            Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }

    fn control(&mut self, opcode: Control, reader: &mut Reader) {
        match opcode {
            Control::Unreachable => self.unreachable(),
            Control::Nop => {}
            Control::Block => self.block(reader.block_type()),
            Control::Loop => self.loop_(reader.block_type()),
            Control::If => self.if_(reader.block_type()),
            Control::Else => self.else_(),
            Control::End => self.end(),
            Control::Br => self.br(reader.u32()),
            Control::BrIf => self.br_if(reader.u32()),
            Control::BrTable => self.br_table(reader.labels()),
            Control::Return => self.return_(),
            Control::Call => self.call(FuncIndex(reader.u32())),
            Control::CallIndirect => self.call_indirect(reader.u32(), reader.u32()),
            Control::CallRef => self.call_ref(reader.u32()),
            Control::ReturnCall => self.return_call(FuncIndex(reader.u32())),
            Control::ReturnCallIndirect => self.return_call_indirect(reader.u32(), reader.u32()),
            Control::ReturnCallRef => self.return_call_ref(reader.u32()),
            Control::BrOnNull => self.br_on_null(reader.u32()),
            Control::BrOnNonNull => self.br_on_non_null(reader.u32()),
            Control::TryTable
            | Control::Throw
            | Control::ThrowRef
            | Control::BrOnCast
            | Control::BrOnCastFail => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }
}
