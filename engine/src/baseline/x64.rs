//! The compiler for x86-64: one pass over a body, machine code behind.
//!
//! In the order of a function's life: the prologue and the walk over its opcodes are here; [`registers`]
//! finds registers for operands and keeps locals in some; [`control`] is blocks and branches; [`calls`] is
//! calls; [`integer`], [`float`], [`convert`], [`memory`] and [`table`] are the rest of the instructions.
//!
//! What is true between instructions:
//!
//! - An operand in a register has the register to itself. An `i32` in a register has a clear upper half;
//!   in a slot its upper half is anything.
//! - The operands below `settled` are constants or in their own slots.
//! - A local that lives in a register is valid there, in its slot, or in both.
//!
//! Where control may arrive from several places: operands below the label are constants or in their slots;
//! a label's single value is in the result register, several are in their slots; locals that live in
//! registers are valid there.

mod calls;
mod control;
mod convert;
mod float;
mod integer;
mod memory;
#[cfg(feature = "planted-faults")]
mod planted;
mod registers;
mod table;

use super::operand::{Operand, Place, Ty};
use super::scan::Scan;
use crate::faults::Fault as Planted;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, FuelSegment, FuncBody, ModuleInner};
use crate::native::activation::{Place as ArgumentPlace, places};
use crate::native::code::{CodeMap, Fault, FuncRange, Site};
use crate::native::link::{CallSite, Plan, Region};
use crate::native::x64::asm::*;
use crate::native::x64::thunks::field;
use crate::native::x64::{FLOAT_ARGUMENTS, FLOAT_SCRATCH, FUEL, INT_ARGUMENTS, MEMORY, SCRATCH};
use crate::opcode::reader::Reader;
use crate::opcode::{Const, Nesting, Opcode, Parametric, Variable};
use crate::trap::TrapKind;
use crate::val::{NOT_NULL, references_are_zeroed};
use control::Block;
use registers::Registers;
use std::ops::Range;

pub(super) use control::executes;

/// Frames larger than this compare before they move the stack pointer.
const LARGE_FRAME_BYTES: u32 = 32 << 10;
/// Functions begin at multiples of this.
const ALIGNMENT: usize = 16;
/// Slots of a frame's cost that hold return address and frame pointer.
const FRAME_RECORD_SLOTS: u32 = 2;

/// Code that runs rarely, put behind the function.
enum Stub {
    /// Raises a trap.
    Trap { label: Label, kind: TrapKind, wasm: u32 },
    /// Gives back what was charged, and raises the trap for want of fuel.
    Fuel { label: Label, cost: u32, wasm: u32 },
    /// Replaces a NaN by the canonical one.
    Nan { label: Label, back: Label, float: Float, reg: Xmm },
    /// Calls what runs in another instance.
    Other { label: Label, back: Label, wasm: u32 },
    /// Gives up the frame, and calls what runs in another instance.
    TailOther { label: Label },
    /// Asks whether a function's type is a subtype.
    Subtype { label: Label, back: Label, ty: u32, wasm: u32 },
    /// The distances of a jump table.
    Table { label: Label, targets: Vec<Label> },
}

/// Where the code of an opcode begins, for people who want to see it.
pub(super) struct Mark {
    pub code: u32,
    /// File offset of the opcode.
    pub wasm: u32,
    /// Where values are, if control may have arrived from elsewhere.
    pub state: Option<String>,
}

/// The compiler. What belongs to one function is cleared for the next but keeps its memory.
pub(super) struct Compiler<'m> {
    module: &'m ModuleInner,
    settings: Settings,
    pub asm: Asm,
    pub plan: Plan,
    pub map: CodeMap,
    /// A mark for each opcode; only where somebody asked.
    pub marks: Option<Vec<Mark>>,

    scan: Scan,
    chosen: Vec<u32>,
    regs: Registers,
    /// Types of parameters and locals.
    local_types: Vec<Ty>,
    frame_cost: u32,
    /// File offset of the opcode that is being compiled.
    offset: u32,
    /// Index of the next fuel segment.
    segment: usize,
    reachable: bool,
    blocks: Vec<Block>,
    stack: Vec<Operand>,
    stubs: Vec<Stub>,
    /// Calls since the last islands: positions in the plan.
    pending_calls: usize,
    uses_memory: bool,
    /// Whether the opcode of a drawn fault has its traps mixed up.
    #[cfg(feature = "planted-faults")]
    traps_otherwise: bool,
}

impl<'m> Compiler<'m> {
    pub fn new(module: &'m ModuleInner, settings: &Settings) -> Compiler<'m> {
        Compiler {
            module,
            settings: *settings,
            asm: Asm::default(),
            plan: Plan::default(),
            map: CodeMap { imported_funcs: module.imported_funcs, ..CodeMap::default() },
            marks: None,
            scan: Scan::default(),
            chosen: Vec::new(),
            regs: Registers::new(settings),
            local_types: Vec::new(),
            frame_cost: 0,
            offset: 0,
            segment: 0,
            reachable: true,
            blocks: Vec::new(),
            stack: Vec::new(),
            stubs: Vec::new(),
            pending_calls: 0,
            uses_memory: false,
            #[cfg(feature = "planted-faults")]
            traps_otherwise: false,
        }
    }

    /// Compiles a function; its entry is where the code begins that is added.
    pub fn function(&mut self, func: DefinedFuncIndex) {
        let module = self.module;
        let body = module.body(func);
        while !self.asm.code.len().is_multiple_of(ALIGNMENT) {
            self.asm.int3();
        }
        let start = self.asm.here();
        let first_call = self.plan.calls.len();
        let code = &module.bytes[body.code.start as usize..body.code.end as usize];
        let reader = Reader::new(code, body.code.start);
        self.begin(func, body, reader);
        self.prologue(func, body);
        self.operators(body, reader);
        self.mark(body.code.end, None);
        // The stubs may be many, and none of them is a direct call.
        self.flush_islands();
        self.emit_code_stubs();
        let end = self.asm.here();
        let tables = self.emit_tables();
        let calls = first_call as u32..self.plan.calls.len() as u32;
        self.plan.branches.extend(self.asm.branches());
        self.plan.regions.push(Region { func, bytes: start..self.asm.here(), calls });
        self.map.funcs.push(FuncRange { func, code: start..end, tables });
        self.asm.forget_labels();
    }

    fn begin(&mut self, func: DefinedFuncIndex, body: &FuncBody, reader: Reader) {
        let ty = self.module.func_type(self.module.func_index(func));
        self.local_types.clear();
        self.local_types.extend(body.layout.types().map(Ty::of));
        self.scan.body(reader, self.local_types.len());
        self.uses_memory = self.scan.uses_memory;
        let (ints, floats) = self.regs.homes();
        self.scan.best(&self.local_types, ints, floats, &mut self.chosen);
        let arrivals = |local: u32| match places(ty.params()).nth(local as usize) {
            Some(ArgumentPlace::Int(index)) => Some(INT_ARGUMENTS[index]),
            Some(ArgumentPlace::Float(_) | ArgumentPlace::Slot(_)) | None => None,
        };
        self.regs.begin(&self.local_types, &self.chosen, arrivals);
        self.frame_cost = body.frame_cost;
        self.segment = 0;
        self.reachable = true;
        self.blocks.clear();
        self.stack.clear();
        self.stubs.clear();
        self.pending_calls = self.plan.calls.len();
        let results = ty.results().iter().map(|ty| Ty::of(*ty)).collect();
        self.blocks.push(Block::function(results));
    }

    fn prologue(&mut self, func: DefinedFuncIndex, body: &FuncBody) {
        const W64: Width = Width::W64;
        self.offset = body.code.start;
        let extra = u32::from(const { Planted::named("baseline-frame-one-slot-large") }.is_planted());
        let bytes = 8 * (self.frame_cost - FRAME_RECORD_SLOTS + extra);
        self.asm.push(RBP);
        self.asm.mov_rr(W64, RBP, RSP);
        let exhausted = self.trap(TrapKind::CallStackExhausted);
        if bytes <= LARGE_FRAME_BYTES {
            self.asm.alu_ri(W64, Alu::Sub, RSP, bytes as i32);
            self.asm.alu_rm(W64, Alu::Cmp, RSP, field!(stack_limit));
            self.asm.jcc(Cond::Below, exhausted);
        } else {
            self.asm.lea(W64, RAX, Mem::at(RSP, -(bytes as i32)));
            self.asm.alu_rm(W64, Alu::Cmp, RAX, field!(stack_limit));
            self.asm.jcc(Cond::Below, exhausted);
            self.asm.mov_rr(W64, RSP, RAX);
        }
        if self.uses_memory {
            self.reload_memory();
        }
        self.receive_parameters(func);
        self.clear_locals(body.layout.params().values);
    }

    fn reload_memory(&mut self) {
        self.asm.mov_rm(Width::W64, MEMORY, field!(memory_base));
    }

    fn receive_parameters(&mut self, func: DefinedFuncIndex) {
        let ty = self.module.func_type(self.module.func_index(func)).clone();
        // Those first that leave their register for a slot: it may be the home of another.
        for homed in [false, true] {
            for (local, place) in places(ty.params()).enumerate() {
                let local_ty = self.local_types[local];
                if self.has_home(local as u32) != homed {
                    continue;
                }
                match place {
                    ArgumentPlace::Int(index) => {
                        self.home_int(local as u32, local_ty, INT_ARGUMENTS[index]);
                    }
                    ArgumentPlace::Float(index) => {
                        self.home_float(local as u32, local_ty, FLOAT_ARGUMENTS[index]);
                    }
                    ArgumentPlace::Slot(_) => {}
                }
            }
        }
        let mut buffer = false;
        for (local, place) in places(ty.params()).enumerate() {
            let local_ty = self.local_types[local];
            match place {
                ArgumentPlace::Int(_) | ArgumentPlace::Float(_) => {}
                ArgumentPlace::Slot(slot) => {
                    if !buffer {
                        buffer = true;
                        self.asm.mov_rm(Width::W64, SCRATCH, field!(arguments));
                    }
                    let from = Mem::at(SCRATCH, 8 * slot as i32);
                    match local_ty.float() {
                        // The vector scratch register is no argument, and rax is none either.
                        Some(float) => {
                            self.asm.movs_rm(float, FLOAT_SCRATCH, from);
                            self.home_float(local as u32, local_ty, FLOAT_SCRATCH);
                        }
                        None => {
                            self.asm.mov_rm(local_ty.width(), RAX, from);
                            self.home_int(local as u32, local_ty, RAX);
                        }
                    }
                }
            }
        }
    }

    /// Makes the declared locals zero or null.
    fn clear_locals(&mut self, params: u32) {
        let locals = self.local_types.len();
        for local in params as usize..locals {
            self.clear_home(local as u32);
        }
        self.zero_slots(params, locals);
        if references_are_zeroed() {
            for local in params..locals as u32 {
                if self.local_types[local as usize] == Ty::Ref {
                    self.push_const(Ty::Ref, NOT_NULL);
                    self.variable(Variable::LocalSet, local);
                }
            }
        }
    }

    /// Zeroes the slots of the declared locals that have no register.
    fn zero_slots(&mut self, params: u32, locals: usize) {
        /// More slots than this are cleared by a loop.
        const FEW: usize = 8;
        let slots = locals - params as usize;
        if slots == 0 {
            return;
        }
        if slots > FEW {
            self.asm.lea(Width::W64, RDI, self.local_slot(locals as u32 - 1));
            self.asm.mov_ri(RCX, slots as u64);
            self.asm.mov_ri(RAX, 0);
            self.asm.rep_stosq();
            return;
        }
        for local in params..locals as u32 {
            if !self.has_home(local) {
                self.asm.mov_mi(Width::W64, self.local_slot(local), 0);
            }
        }
    }

    fn operators(&mut self, body: &FuncBody, mut reader: Reader) {
        let mut merged = true;
        while !self.blocks.is_empty() {
            let (offset, opcode) = reader.opcode();
            self.offset = offset;
            let is_asked_for = self.marks.is_some();
            let state = (is_asked_for && merged).then(|| self.describe_state());
            self.mark(offset, state);
            merged = opcode.structure().nesting != Nesting::Inside;
            if self.settings.fuel {
                self.charge(&body.fuel);
            }
            self.operator(opcode, &mut reader);
            if !self.reachable {
                reader.skip_unreachable();
            }
            self.islands_in_time();
        }
    }

    fn mark(&mut self, wasm: u32, state: Option<String>) {
        let code = self.asm.here();
        if let Some(marks) = &mut self.marks {
            marks.push(Mark { code, wasm, state });
        }
    }

    /// Charges for the segment that begins at the current opcode, if one does.
    fn charge(&mut self, segments: &[FuelSegment]) {
        while let Some(segment) = segments.get(self.segment) {
            if segment.offset > self.offset {
                return;
            }
            self.segment += 1;
            if segment.offset == self.offset {
                let next = const { Planted::named("baseline-fuel-of-the-next-segment") }.is_planted();
                let segment = segments.get(self.segment).filter(|_| next).unwrap_or(segment);
                let label = self.asm.label();
                self.asm.alu_ri(Width::W64, Alu::Sub, FUEL, segment.cost as i32);
                self.asm.jcc(Cond::Below, label);
                self.stubs.push(Stub::Fuel { label, cost: segment.cost, wasm: self.offset });
            }
        }
    }

    fn operator(&mut self, opcode: Opcode, reader: &mut Reader) {
        #[cfg(feature = "planted-faults")]
        if let Some(drawn) = crate::faults::drawn_in(crate::faults::Room::Baseline)
            && drawn.opcode == opcode
        {
            return self.wrong_operator(&drawn, reader);
        }
        self.sound_operator(opcode, reader);
    }

    fn sound_operator(&mut self, opcode: Opcode, reader: &mut Reader) {
        match opcode {
            Opcode::Control(control) => self.control(control, reader),
            Opcode::Parametric(parametric) => match parametric {
                Parametric::Drop => {
                    let operand = self.pop();
                    self.free(operand);
                }
                Parametric::Select => self.select(),
                Parametric::SelectT => {
                    reader.select_type();
                    self.select();
                }
            },
            Opcode::Variable(variable) => self.variable(variable, reader.u32()),
            Opcode::Table(table) => self.table(table, reader),
            Opcode::Load(load) => {
                let to = reader.mem_arg();
                self.load(load, to, reader);
            }
            Opcode::Store(store) => self.store(store, reader.mem_arg()),
            Opcode::Memory(memory) => self.memory(memory, reader),
            Opcode::Const(constant) => match constant {
                Const::I32Const => {
                    let value = reader.i32() as u32;
                    self.push_const(Ty::I32, u64::from(value));
                }
                Const::I64Const => {
                    let value = reader.i64() as u64;
                    self.push_const(Ty::I64, value);
                }
                Const::F32Const => {
                    let bits = reader.f32_bits();
                    self.push_const(Ty::F32, u64::from(bits));
                }
                Const::F64Const => {
                    let bits = reader.f64_bits();
                    self.push_const(Ty::F64, bits);
                }
            },
            Opcode::Numeric(numeric) => self.numeric(numeric, reader),
            Opcode::Wide(wide) => self.wide(wide),
            Opcode::Reference(reference) => self.reference(reference, reader),
            Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }

    fn push_const(&mut self, ty: Ty, value: u64) {
        self.push(ty, Place::Const(value));
    }

    /// Where the current instruction jumps if it traps.
    fn trap(&mut self, kind: TrapKind) -> Label {
        #[cfg(feature = "planted-faults")]
        let kind = if self.traps_otherwise { crate::faults::drawn::other_trap(kind) } else { kind };
        let wasm = self.offset;
        for stub in self.stubs.iter().rev().take(2) {
            if let Stub::Trap { label, kind: other, wasm: at } = stub
                && *other == kind
                && (*at == wasm
                    || const { Planted::named("baseline-traps-of-a-kind-share-their-row") }.is_planted())
            {
                return *label;
            }
        }
        let label = self.asm.label();
        self.stubs.push(Stub::Trap { label, kind, wasm });
        label
    }

    /// Notes that the instruction just written was a call by the current opcode.
    fn site(&mut self) {
        self.site_of(self.offset, None);
    }

    fn site_of(&mut self, wasm: u32, trap: Option<TrapKind>) {
        self.map.sites.push(Site { code: self.asm.here(), wasm, trap });
    }

    /// Notes that the next instruction may fault.
    fn fault(&mut self) {
        self.map.faults.push(Fault { code: self.asm.here(), wasm: self.offset });
    }

    fn emit_code_stubs(&mut self) {
        let stubs = std::mem::take(&mut self.stubs);
        for stub in &stubs {
            match *stub {
                Stub::Trap { label, kind, wasm } => {
                    self.asm.bind(label);
                    self.call_trap(kind, wasm);
                }
                Stub::Fuel { label, cost, wasm } => {
                    self.asm.bind(label);
                    self.asm.alu_ri(Width::W64, Alu::Add, FUEL, cost as i32);
                    self.call_trap(TrapKind::OutOfFuel, wasm);
                }
                Stub::Nan { label, back, float, reg } => {
                    self.asm.bind(label);
                    let bits = match float {
                        Float::Single => 0x7fc0_0000,
                        Float::Double => 0x7ff8_0000_0000_0000,
                    };
                    self.asm.mov_ri(SCRATCH, bits);
                    self.asm.mov_xr(Width::W64, reg, SCRATCH);
                    self.asm.jmp(back);
                }
                Stub::Other { label, back, wasm } => {
                    self.asm.bind(label);
                    self.asm.call_m(field!(call_other));
                    self.site_of(wasm, None);
                    self.asm.jmp(back);
                }
                Stub::TailOther { label } => {
                    self.asm.bind(label);
                    self.asm.leave();
                    self.asm.jmp_m(field!(tail_other));
                }
                Stub::Subtype { label, back, ty, wasm } => {
                    self.asm.bind(label);
                    self.asm.mov_ri(RAX, u64::from(ty));
                    self.asm.call_m(field!(check_subtype));
                    self.site_of(wasm, None);
                    self.asm.jmp(back);
                }
                Stub::Table { .. } => {}
            }
        }
        self.stubs = stubs;
    }

    fn call_trap(&mut self, kind: TrapKind, wasm: u32) {
        self.asm.call_m(field!(trap));
        self.site_of(wasm, Some(kind));
    }

    /// Jump tables come last: they are not code.
    fn emit_tables(&mut self) -> Vec<Range<u32>> {
        let mut tables = Vec::new();
        let stubs = std::mem::take(&mut self.stubs);
        for stub in &stubs {
            if let Stub::Table { label, targets } = stub {
                self.asm.bind(*label);
                let origin = self.asm.here();
                for target in targets {
                    self.asm.distance_data(origin, *target);
                    self.plan.targets.push(self.asm.position(*target));
                }
                tables.push(origin..self.asm.here());
            }
        }
        self.stubs = stubs;
        tables
    }

    /// In the lane of short branches: writes islands while the pending calls still reach them. To be called
    /// between instructions of the module, and between the values of one that moves many; touches neither
    /// registers nor flags.
    fn islands_in_time(&mut self) {
        /// Room for the most code between two chances.
        const MARGIN: u32 = 1536;
        if !self.settings.short_branches {
            return;
        }
        let Some(first) = self.plan.calls.get(self.pending_calls) else { return };
        let count = (self.plan.calls.len() - self.pending_calls) as u32;
        let islands = count * crate::native::x64::ISLAND_BYTES;
        let reach = *crate::native::x64::ISLAND_RANGE.end() as u32;
        if self.asm.here() + islands + MARGIN < first.at + reach {
            return;
        }
        self.islands();
    }

    /// Writes islands in the middle of code.
    fn islands(&mut self) {
        let over = self.asm.label();
        self.asm.jmp(over);
        self.flush_islands();
        self.asm.bind(over);
    }

    /// Writes an island for every pending call.
    fn flush_islands(&mut self) {
        if !self.settings.short_branches {
            return;
        }
        for call in self.pending_calls..self.plan.calls.len() {
            let island = self.asm.here();
            for _ in 0..crate::native::x64::ISLAND_BYTES {
                self.asm.int3();
            }
            self.plan.calls[call].island = Some(island);
        }
        self.pending_calls = self.plan.calls.len();
    }

    /// Notes a direct call or jump whose distance is at `at`.
    fn linked(&mut self, at: u32, target: DefinedFuncIndex) {
        self.plan.calls.push(CallSite { at, target, island: None });
    }
}
