//! The compiler: one pass over a body, its machine code written at once.
//!
//! In the order of a function's life: the prologue and the walk over its opcodes are here; [`registers`]
//! finds registers for operands and keeps locals in some; [`control`] is blocks and branches; [`calls`] is
//! calls; [`memory`] and [`table`] are memories, globals, tables and references; [`stubs`] is the code after
//! the function. What computes is selected by the [`Target`].
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
//!
//! [`registers`]: super::registers
//! [`control`]: super::control
//! [`calls`]: super::calls
//! [`memory`]: super::memory
//! [`table`]: super::table
//! [`stubs`]: super::stubs

use super::control::Block;
use super::memory::Access;
use super::operand::{Operand, Place, Slot, Ty};
use super::registers::Registers;
use super::scan::Scan;
use super::stubs::Stub;
use super::target::{Assembler, Target};
use crate::faults::fault;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, FuelSegment, FuncBody, ModuleInner};
use crate::native::activation::{Place as ArgumentPlace, places_in};
use crate::native::code::{CodeMap, FuncRange};
use crate::native::link::{Plan, Region};
use crate::native::width::Width;
use crate::opcode::reader::Reader;
use crate::opcode::{Const, Nesting, Opcode, Parametric, Variable};
use crate::trap::TrapKind;
use crate::types::ValType;
use crate::val::{NOT_NULL, references_are_zeroed};

/// Slots of a frame's cost that hold return address and frame pointer.
const FRAME_RECORD_SLOTS: u32 = 2;

/// Where the code of an opcode begins, for listings.
pub(super) struct Mark {
    pub code: u32,
    /// File offset of the opcode.
    pub wasm: u32,
    /// Where values are, if control may have arrived from elsewhere.
    pub state: Option<String>,
}

/// The way through a function's body.
pub(super) struct Walk<'m> {
    func: DefinedFuncIndex,
    body: &'m FuncBody,
    reader: Reader<'m>,
    /// Where the function's code begins.
    start: u32,
    /// Its first call in the plan.
    first_call: u32,
    /// Whether control may have arrived from elsewhere before the next opcode.
    merged: bool,
}

/// The compiler. What belongs to one function is cleared for the next but keeps its memory.
pub(super) struct Compiler<'m, T: Target> {
    pub(super) module: &'m ModuleInner,
    pub(super) settings: Settings,
    pub(super) asm: T::Asm,
    pub(super) plan: Plan,
    pub(super) map: CodeMap,
    /// A mark for each opcode, if a listing is asked for.
    pub(super) marks: Option<Vec<Mark>>,

    pub(super) scan: Scan,
    chosen: Vec<u32>,
    pub(super) regs: Registers<T>,
    /// Types of parameters and locals.
    pub(super) local_types: Vec<Ty>,
    frame_cost: u32,
    /// File offset of the opcode that is being compiled.
    pub(super) offset: u32,
    /// Index of the next fuel segment.
    segment: usize,
    pub(super) reachable: bool,
    pub(super) blocks: Vec<Block<T>>,
    pub(super) stack: Vec<Operand<T>>,
    pub(super) stubs: Vec<Stub<T>>,
    /// Calls since the last islands: positions in the plan.
    pub(super) pending_calls: usize,
    pub(super) uses_memory: bool,
    /// Whether the opcode of a drawn fault has its traps mixed up.
    #[cfg(feature = "planted-faults")]
    pub(super) traps_otherwise: bool,
}

impl<'m, T: Target> Compiler<'m, T> {
    pub fn new(module: &'m ModuleInner, settings: &Settings) -> Compiler<'m, T> {
        Compiler {
            module,
            settings: *settings,
            asm: T::Asm::default(),
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
        let mut walk = self.start(func);
        while self.step(&mut walk) {}
        self.finish(walk);
    }

    /// Writes what comes before the first opcode of a function.
    pub fn start(&mut self, func: DefinedFuncIndex) -> Walk<'m> {
        let module = self.module;
        let body = module.body(func);
        self.asm.align();
        let start = self.asm.here();
        let first_call = self.plan.calls.len() as u32;
        let code = &module.bytes[body.code.start as usize..body.code.end as usize];
        let reader = Reader::new(code, body.code.start);
        self.begin(func, body, reader);
        self.prologue(func, body);
        Walk { func, body, reader, start, first_call, merged: true }
    }

    /// Compiles the next opcode; says whether there is another.
    pub fn step(&mut self, walk: &mut Walk<'m>) -> bool {
        let (offset, opcode) = walk.reader.opcode();
        self.offset = offset;
        let is_asked_for = self.marks.is_some();
        let state = (is_asked_for && walk.merged).then(|| self.describe_state());
        self.mark(offset, state);
        walk.merged = opcode.structure().nesting != Nesting::Inside;
        if self.settings.fuel {
            self.charge(&walk.body.fuel);
        }
        self.operator(opcode, &mut walk.reader);
        if !self.reachable {
            walk.reader.skip_unreachable();
        }
        self.islands_in_time();
        !self.blocks.is_empty()
    }

    /// Writes what comes after the last opcode of a function.
    pub fn finish(&mut self, walk: Walk<'m>) {
        let Walk { func, body, start, first_call, .. } = walk;
        self.mark(body.code.end, None);
        // The stubs may be many, and none of them is a direct call.
        self.flush_islands();
        self.emit_code_stubs();
        let end = self.asm.here();
        let tables = self.emit_tables();
        let calls = first_call..self.plan.calls.len() as u32;
        self.plan.branches.extend(self.asm.branches());
        self.plan.regions.push(Region { func, bytes: start..self.asm.here(), calls });
        self.map.funcs.push(FuncRange { func, code: start..end, tables, frame_slots: self.frame_cost });
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
        let arrivals = |local: u32| match places::<T>(ty.params()).nth(local as usize) {
            Some(ArgumentPlace::Int(index)) => Some(T::INT_ARGUMENTS[index]),
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
        self.offset = body.code.start;
        let extra = u32::from(fault!("baseline-frame-one-slot-large"));
        let exhausted = self.trap(TrapKind::CallStackExhausted);
        self.asm.enter(8 * (self.frame_cost - FRAME_RECORD_SLOTS + extra), exhausted);
        if self.uses_memory {
            self.asm.load_memory_base();
        }
        self.receive_parameters(func);
        self.clear_locals(body.layout.params().values);
    }

    fn receive_parameters(&mut self, func: DefinedFuncIndex) {
        let ty = self.module.func_type(self.module.func_index(func)).clone();
        // Those first that leave their register for a slot: it may be the home of another.
        for homed in [false, true] {
            for (local, place) in places::<T>(ty.params()).enumerate() {
                let local_ty = self.local_types[local];
                if self.has_home(local as u32) != homed {
                    continue;
                }
                match place {
                    ArgumentPlace::Int(index) => {
                        self.home_int(local as u32, local_ty, T::INT_ARGUMENTS[index]);
                    }
                    ArgumentPlace::Float(index) => {
                        self.home_float(local as u32, local_ty, T::FLOAT_ARGUMENTS[index]);
                    }
                    ArgumentPlace::Slot(_) => {}
                }
            }
        }
        let mut buffer = false;
        for (local, place) in places::<T>(ty.params()).enumerate() {
            let local_ty = self.local_types[local];
            match place {
                ArgumentPlace::Int(_) | ArgumentPlace::Float(_) => {}
                ArgumentPlace::Slot(slot) => {
                    if !buffer {
                        buffer = true;
                        self.asm.find_arguments();
                    }
                    let from = Slot::Found(slot);
                    match local_ty.float() {
                        // Neither of these registers is an argument's.
                        Some(float) => {
                            self.asm.load_float(float, T::FLOAT_SCRATCH, from);
                            self.home_float(local as u32, local_ty, T::FLOAT_SCRATCH);
                        }
                        None => {
                            self.asm.load_int(local_ty.width(), T::CALLEE, from);
                            self.home_int(local as u32, local_ty, T::CALLEE);
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
            self.asm.clear_slots(params, slots as u32);
            return;
        }
        for local in params..locals as u32 {
            if !self.has_home(local) {
                self.asm.store_const(Width::W64, self.local_slot(local), 0);
            }
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
                let next = fault!("baseline-fuel-of-the-next-segment");
                let segment = segments.get(self.segment).filter(|_| next).unwrap_or(segment);
                let label = self.asm.label();
                self.asm.charge(segment.cost, label);
                self.stubs.push(Stub::Fuel { label, cost: segment.cost, wasm: self.offset });
            }
        }
    }

    fn operator(&mut self, opcode: Opcode, reader: &mut Reader) {
        #[cfg(feature = "planted-faults")]
        if let Some(drawn) = crate::faults::drawn_in(crate::faults::Room::Baseline)
            && drawn.opcode == opcode
        {
            return T::wrong_operator(self, &drawn, reader);
        }
        self.sound_operator(opcode, reader);
    }

    pub(super) fn sound_operator(&mut self, opcode: Opcode, reader: &mut Reader) {
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
                T::load(self, Access::of_load(load), to, reader);
            }
            Opcode::Store(store) => T::store(self, Access::of_store(store), reader.mem_arg()),
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
            Opcode::Numeric(numeric) => T::numeric(self, numeric, reader),
            Opcode::Wide(wide) => T::wide(self, wide),
            Opcode::Reference(reference) => self.reference(reference, reader),
            Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => {
                unreachable!("modules with opcodes that the mode does not execute are refused")
            }
        }
    }

    pub(super) fn push_const(&mut self, ty: Ty, value: u64) {
        self.push(ty, Place::Const(value));
    }
}

/// Where the arguments of a function travel, in order.
pub(super) fn places<T: Target>(params: &[ValType]) -> impl Iterator<Item = ArgumentPlace> + '_ {
    places_in(params, T::INT_ARGUMENTS.len(), T::FLOAT_ARGUMENTS.len())
}
