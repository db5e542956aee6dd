//! Which operand has which register, and which locals live in registers.

use super::compiler::{Compiler, Stub};
use super::operand::{Operand, Place, Ty};
use crate::faults::Fault;
use crate::limits::Settings;
use crate::native::x64::asm::*;
use crate::native::x64::{FLOAT_SCRATCH, FUEL, SCRATCH};

mod locals;
mod merge;

pub(super) use merge::Arrival;

/// Registers for operands, the most wanted first.
const INTS: [Gpr; 5] = [RAX, RCX, RDX, RSI, RDI];
/// Registers for locals; the last only where it does not hold the fuel.
const INT_HOMES: [Gpr; 6] = [RBX, R12, R13, R8, R9, FUEL];
const FLOATS: [Xmm; 8] = [Xmm(0), Xmm(1), Xmm(2), Xmm(3), Xmm(4), Xmm(5), Xmm(6), Xmm(7)];
const FLOAT_HOMES: [Xmm; 7] = [Xmm(8), Xmm(9), Xmm(10), Xmm(11), Xmm(12), Xmm(13), Xmm(14)];
/// How many of each the lane of few registers leaves: no instruction holds more at once.
const FEW_INTS: usize = 4;
const FEW_FLOATS: usize = 3;

/// Owner of a register that no operand on the stack has.
const NOBODY: u32 = u32::MAX;

/// The number of a local's register among all: integers first, then floats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Home {
    Slot,
    Int(Gpr),
    Float(Xmm),
}

/// State of the registers and of the locals that live in them.
pub(super) struct Registers {
    few: bool,
    /// Whether code counts fuel.
    fuel: bool,
    /// Free registers by number.
    free_ints: u16,
    free_floats: u16,
    int_owners: [u32; 16],
    float_owners: [u32; 16],
    homes: Vec<Home>,
    /// Locals that live in registers.
    residents: Vec<u32>,
    /// How many operands mean each local.
    references: Vec<u32>,
    /// Of the registers of locals, those that hold the local, and those whose slot is out of date; bits
    /// 0 to 15 are integer registers, 16 to 31 floats.
    valid: u32,
    dirty: u32,
    /// Operands below are constants or in their slots.
    settled: usize,
    /// Operands that may hold NaN bits that are not canonical.
    raw_nans: u32,
}

impl Registers {
    pub fn new(settings: &Settings) -> Registers {
        Registers {
            few: settings.few_registers,
            fuel: settings.fuel,
            free_ints: 0,
            free_floats: 0,
            int_owners: [NOBODY; 16],
            float_owners: [NOBODY; 16],
            homes: Vec::new(),
            residents: Vec::new(),
            references: Vec::new(),
            valid: 0,
            dirty: 0,
            settled: 0,
            raw_nans: 0,
        }
    }

    /// How many locals may live in registers, integers and floats.
    pub fn homes(&self) -> (usize, usize) {
        match (self.few, self.fuel) {
            (true, _) => (0, 0),
            (false, true) => (INT_HOMES.len() - 1, FLOAT_HOMES.len()),
            (false, false) => (INT_HOMES.len(), FLOAT_HOMES.len()),
        }
    }

    /// Begins a function; the chosen locals live in registers, a parameter where it arrives if it can stay:
    /// then no home is where another parameter waits for its own.
    pub fn begin(&mut self, types: &[Ty], chosen: &[u32], arrivals: impl Fn(u32) -> Option<Gpr>) {
        self.free_all();
        self.homes.clear();
        self.homes.resize(types.len(), Home::Slot);
        self.references.clear();
        self.references.resize(types.len(), 0);
        self.residents.clear();
        self.residents.extend_from_slice(chosen);
        let mut ints = INT_HOMES.iter().fold(0u16, |mask, reg| mask | 1 << reg.0);
        for local in chosen {
            if let Some(reg) = arrivals(*local).filter(|reg| ints & 1 << reg.0 != 0) {
                self.homes[*local as usize] = Home::Int(reg);
                ints &= !(1 << reg.0);
            }
        }
        let mut ints = INT_HOMES.into_iter().filter(|reg| ints & 1 << reg.0 != 0);
        let mut floats = FLOAT_HOMES.into_iter();
        for local in chosen {
            let home = &mut self.homes[*local as usize];
            if *home != Home::Slot {
                continue;
            }
            *home = match types[*local as usize].float() {
                Some(_) => Home::Float(floats.next().expect("no more were chosen than there are")),
                None => Home::Int(ints.next().expect("no more were chosen than there are")),
            };
        }
        self.valid = 0;
        self.dirty = 0;
        self.settled = 0;
        self.raw_nans = 0;
    }

    fn free_all(&mut self) {
        let (ints, floats) = if self.few { (FEW_INTS, FEW_FLOATS) } else { (INTS.len(), FLOATS.len()) };
        self.free_ints = INTS[..ints].iter().fold(0, |mask, reg| mask | 1 << reg.0);
        self.free_floats = FLOATS[..floats].iter().fold(0, |mask, reg| mask | 1 << reg.0);
        self.int_owners = [NOBODY; 16];
        self.float_owners = [NOBODY; 16];
    }
}

fn home_bit(home: Home) -> u32 {
    match home {
        Home::Slot => 0,
        Home::Int(reg) => 1 << reg.0,
        Home::Float(reg) => 1 << (16 + reg.0),
    }
}

/// The second operand of an instruction: what the machine can take without a move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Reg(Gpr),
    Mem(Mem),
    Imm(i32),
}

/// Where a result goes: a register of its own, or the register of the local that the next
/// instruction sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Target<R> {
    pub reg: R,
    pub local: u32,
}

impl Compiler<'_> {
    // Slots.

    pub(super) fn local_slot(&self, local: u32) -> Mem {
        Mem::at(RBP, -8 * (local as i32 + 1))
    }

    pub(super) fn operand_slot(&self, index: u32) -> Mem {
        self.local_slot(self.local_types.len() as u32 + index)
    }

    pub(super) fn has_home(&self, local: u32) -> bool {
        self.regs.homes[local as usize] != Home::Slot
    }

    // The stack.

    pub(super) fn push(&mut self, ty: Ty, place: Place) {
        let index = self.stack.len() as u32;
        match place {
            Place::Int(reg) => self.regs.int_owners[reg.0 as usize] = index,
            Place::Float(reg) => self.regs.float_owners[reg.0 as usize] = index,
            Place::Local(local) => self.regs.references[local as usize] += 1,
            Place::Const(_) | Place::Slot | Place::Flags(_) => {}
        }
        self.stack.push(Operand { ty, place, raw_nan: false, index });
    }

    /// Pushes a float that may be a NaN of any bits.
    pub(super) fn push_raw(&mut self, ty: Ty, reg: Xmm) {
        self.push(ty, Place::Float(reg));
        if !self.settings.free_nan_bits {
            self.stack.last_mut().expect("just pushed").raw_nan = true;
            self.regs.raw_nans += 1;
        }
    }

    /// Takes the top operand; a register of it belongs to the instruction from now on.
    pub(super) fn pop(&mut self) -> Operand {
        let operand = self.stack.pop().expect("validation keeps the stack deep enough");
        self.regs.settled = self.regs.settled.min(self.stack.len());
        match operand.place {
            Place::Int(reg) => self.regs.int_owners[reg.0 as usize] = NOBODY,
            Place::Float(reg) => self.regs.float_owners[reg.0 as usize] = NOBODY,
            Place::Local(local) => self.regs.references[local as usize] -= 1,
            Place::Const(_) | Place::Slot | Place::Flags(_) => {}
        }
        self.regs.raw_nans -= u32::from(operand.raw_nan);
        operand
    }

    /// The same, with canonical NaN bits: for whoever can see them.
    pub(super) fn pop_seen(&mut self) -> Operand {
        let position = self.stack.len() - 1;
        self.canonical(position);
        self.pop()
    }

    /// Gives back the register of an operand that was taken.
    pub(super) fn free(&mut self, operand: Operand) {
        match operand.place {
            Place::Int(reg) => self.free_int(reg),
            Place::Float(reg) => self.free_float(reg),
            Place::Const(_) | Place::Local(_) | Place::Slot | Place::Flags(_) => {}
        }
    }

    pub(super) fn free_int(&mut self, reg: Gpr) {
        self.regs.free_ints |= 1 << reg.0;
    }

    pub(super) fn free_float(&mut self, reg: Xmm) {
        self.regs.free_floats |= 1 << reg.0;
    }

    // Registers.

    /// A register for the instruction, none of `but`.
    pub(super) fn alloc_int_but(&mut self, but: &[Gpr]) -> Gpr {
        let avoid = but.iter().fold(0u16, |mask, reg| mask | 1 << reg.0);
        for reg in INTS {
            if self.regs.free_ints & !avoid & 1 << reg.0 != 0 {
                self.regs.free_ints &= !(1 << reg.0);
                return reg;
            }
        }
        let owners = self.regs.int_owners;
        let owned = |reg: &Gpr| owners[reg.0 as usize] != NOBODY && avoid & 1 << reg.0 == 0;
        let deepest = INTS.into_iter().filter(owned).min_by_key(|reg| owners[reg.0 as usize]);
        let reg = deepest.expect("no instruction holds all registers at once");
        self.spill(owners[reg.0 as usize] as usize);
        self.regs.free_ints &= !(1 << reg.0);
        reg
    }

    pub(super) fn alloc_int(&mut self) -> Gpr {
        self.alloc_int_but(&[])
    }

    pub(super) fn alloc_float(&mut self) -> Xmm {
        if self.regs.free_floats != 0 {
            let reg = Xmm(self.regs.free_floats.trailing_zeros() as u8);
            self.regs.free_floats &= !(1 << reg.0);
            return reg;
        }
        let owners = self.regs.float_owners;
        let owned = |reg: &Xmm| owners[reg.0 as usize] != NOBODY;
        let deepest = FLOATS.into_iter().filter(owned).min_by_key(|reg| owners[reg.0 as usize]);
        let reg = deepest.expect("no instruction holds all registers at once");
        self.spill(owners[reg.0 as usize] as usize);
        self.regs.free_floats &= !(1 << reg.0);
        reg
    }

    /// Takes a certain register, which the instruction does not hold: an operand there moves elsewhere.
    pub(super) fn claim_int(&mut self, reg: Gpr) {
        let owner = self.regs.int_owners[reg.0 as usize];
        if owner != NOBODY {
            if self.regs.free_ints != 0 {
                let other = self.alloc_int();
                let ty = self.stack[owner as usize].ty;
                self.asm.mov_rr(ty.width(), other, reg);
                self.stack[owner as usize].place = Place::Int(other);
                self.regs.int_owners[other.0 as usize] = owner;
                self.regs.int_owners[reg.0 as usize] = NOBODY;
            } else {
                self.spill(owner as usize);
            }
        }
        self.regs.free_ints &= !(1 << reg.0);
    }

    pub(super) fn claim_float(&mut self, reg: Xmm) {
        let owner = self.regs.float_owners[reg.0 as usize];
        if owner != NOBODY {
            if self.regs.free_floats != 0 {
                let other = self.alloc_float();
                self.asm.movaps(other, reg);
                self.stack[owner as usize].place = Place::Float(other);
                self.regs.float_owners[other.0 as usize] = owner;
                self.regs.float_owners[reg.0 as usize] = NOBODY;
            } else {
                self.spill(owner as usize);
            }
        }
        self.regs.free_floats &= !(1 << reg.0);
    }

    /// Puts an operand of the stack into its own slot. Touches no flags unless its NaN bits are raw.
    pub(super) fn spill(&mut self, position: usize) {
        self.canonical(position);
        let operand = self.stack[position];
        let slot = self.operand_slot(operand.index);
        self.store_slot(slot, operand);
        match operand.place {
            Place::Int(reg) => {
                self.regs.int_owners[reg.0 as usize] = NOBODY;
                self.free_int(reg);
            }
            Place::Float(reg) => {
                self.regs.float_owners[reg.0 as usize] = NOBODY;
                self.free_float(reg);
            }
            Place::Local(local) => self.regs.references[local as usize] -= 1,
            Place::Const(_) | Place::Slot => {}
            Place::Flags(_) => unreachable!("the instruction after a comparison takes the flags"),
        }
        self.stack[position].place = Place::Slot;
    }

    /// Copies an operand's value to a slot, which may be its own.
    pub(super) fn store_slot(&mut self, slot: Mem, operand: Operand) {
        let width = operand.ty.width();
        match operand.place {
            Place::Const(value) => self.store_const(slot, width, value),
            Place::Int(reg) => self.asm.mov_mr(width, slot, reg),
            Place::Float(reg) => self.store_float(operand.ty, slot, reg),
            Place::Local(local) => {
                self.make_valid(local);
                match self.regs.homes[local as usize] {
                    Home::Slot => {
                        let from = self.local_slot(local);
                        self.copy_slot(width, slot, from);
                    }
                    Home::Int(reg) => self.asm.mov_mr(width, slot, reg),
                    Home::Float(reg) => self.store_float(operand.ty, slot, reg),
                }
            }
            Place::Slot => {
                let own = self.operand_slot(operand.index);
                if own != slot {
                    self.copy_slot(width, slot, own);
                }
            }
            Place::Flags(_) => unreachable!("the instruction after a comparison takes the flags"),
        }
    }

    fn store_float(&mut self, ty: Ty, slot: Mem, reg: Xmm) {
        let float = ty.float().expect("only floats are in floating-point registers");
        self.asm.movs_mr(float, slot, reg);
    }

    /// Stores a constant of the width, through the scratch register if it is large.
    pub(super) fn store_const(&mut self, to: Mem, width: Width, value: u64) {
        match immediate(width, value) {
            Some(value) => self.asm.mov_mi(width, to, value),
            None => {
                debug_assert_ne!(to.base, SCRATCH, "the scratch register is needed for the value");
                self.asm.mov_ri(SCRATCH, value);
                self.asm.mov_mr(width, to, SCRATCH);
            }
        }
    }

    /// Copies a value of the width from slot to slot. Reading more of a slot than was just written to it would
    /// wait for the cache.
    pub(super) fn copy_slot(&mut self, width: Width, to: Mem, from: Mem) {
        let float = match width {
            Width::W32 => Float::Single,
            Width::W64 => Float::Double,
        };
        self.asm.movs_rm(float, FLOAT_SCRATCH, from);
        self.asm.movs_mr(float, to, FLOAT_SCRATCH);
    }

    /// Makes the NaN bits of an operand of the stack canonical.
    pub(super) fn canonical(&mut self, position: usize) {
        let operand = self.stack[position];
        if !operand.raw_nan {
            return;
        }
        let Place::Float(reg) = operand.place else { unreachable!("raw NaN bits are in registers only") };
        self.canonical_reg(operand.ty.float().expect("only floats are NaN"), reg);
        self.stack[position].raw_nan = false;
        self.regs.raw_nans -= 1;
    }

    pub(super) fn canonical_reg(&mut self, float: Float, reg: Xmm) {
        let (label, back) = (self.asm.label(), self.asm.label());
        self.asm.ucomis_rr(float, reg, reg);
        self.asm.jcc(Cond::Parity, label);
        self.asm.bind(back);
        self.stubs.push(Stub::Nan { label, back, float, reg });
    }

    /// Makes all NaN bits canonical: before something that needs the flags from here on.
    pub(super) fn canonical_all(&mut self) {
        if self.regs.raw_nans == 0 {
            return;
        }
        for owner in self.regs.float_owners {
            if owner != NOBODY {
                self.canonical(owner as usize);
            }
        }
    }

    /// Puts all operands into their slots, constants excepted. Touches no flags if NaN bits are canonical.
    pub(super) fn settle(&mut self) {
        self.settle_below(self.stack.len());
    }

    /// The same for those below a position.
    pub(super) fn settle_below(&mut self, end: usize) {
        for position in self.regs.settled..end {
            match self.stack[position].place {
                Place::Const(_) | Place::Slot => {}
                Place::Local(_) | Place::Int(_) | Place::Float(_) => {
                    self.spill(position);
                    self.islands_in_time();
                }
                Place::Flags(_) => unreachable!("the instruction after a comparison takes the flags"),
            }
        }
        self.regs.settled = self.regs.settled.max(end);
    }

    /// Puts what lies in registers below a position into slots: before a call.
    pub(super) fn settle_registers_below(&mut self, end: usize) {
        let mut owners = [NOBODY; 32];
        owners[..16].copy_from_slice(&self.regs.int_owners);
        owners[16..].copy_from_slice(&self.regs.float_owners);
        for owner in owners {
            if (owner as usize) < end {
                self.spill(owner as usize);
            }
        }
    }

    /// Cuts the stack down to a height; what was above is gone.
    pub(super) fn cut(&mut self, height: usize) {
        while self.stack.len() > height {
            let operand = self.pop();
            self.free(operand);
        }
    }

    // Operands of instructions.

    /// The value in a register that the instruction may overwrite.
    pub(super) fn own_int(&mut self, operand: Operand) -> Gpr {
        match operand.place {
            Place::Int(reg) => reg,
            _ => {
                let reg = self.alloc_int();
                self.load_int(reg, operand);
                reg
            }
        }
    }

    /// Copies an integer operand that was taken to a register. Touches no flags.
    pub(super) fn load_int(&mut self, to: Gpr, operand: Operand) {
        let width = operand.ty.width();
        match operand.place {
            Place::Const(value) => self.asm.mov_ri(to, value),
            Place::Int(reg) => {
                if reg != to {
                    self.asm.mov_rr(width, to, reg);
                }
            }
            Place::Local(local) => {
                self.make_valid(local);
                match self.regs.homes[local as usize] {
                    Home::Slot => {
                        let slot = self.local_slot(local);
                        self.asm.mov_rm(width, to, slot);
                    }
                    Home::Int(reg) => self.asm.mov_rr(width, to, reg),
                    Home::Float(_) => unreachable!("an integer does not live in a float's register"),
                }
            }
            Place::Slot => {
                let slot = self.operand_slot(operand.index);
                let wide = const { Fault::named("baseline-slot-read-wide") }.is_planted();
                self.asm.mov_rm(if wide { Width::W64 } else { width }, to, slot);
            }
            Place::Float(_) | Place::Flags(_) => unreachable!("not an integer operand"),
        }
    }

    /// The value in a register that the instruction only reads. Belongs to the instruction if the operand
    /// says so after this: it is replaced by what must be freed.
    pub(super) fn read_int(&mut self, operand: &mut Operand) -> Gpr {
        if let Place::Int(reg) = operand.place {
            return reg;
        }
        if let Place::Local(local) = operand.place
            && let Home::Int(reg) = self.regs.homes[local as usize]
        {
            self.make_valid(local);
            return reg;
        }
        let reg = self.alloc_int();
        self.load_int(reg, *operand);
        operand.place = Place::Int(reg);
        reg
    }

    /// The value as the second operand of an instruction of the width.
    pub(super) fn source(&mut self, operand: &mut Operand, width: Width) -> Source {
        match operand.place {
            Place::Const(value) => {
                if let Some(value) = immediate(width, value) {
                    return Source::Imm(value);
                }
            }
            Place::Slot => return Source::Mem(self.operand_slot(operand.index)),
            Place::Local(local) if self.regs.homes[local as usize] == Home::Slot => {
                return Source::Mem(self.local_slot(local));
            }
            Place::Int(_) | Place::Local(_) | Place::Float(_) | Place::Flags(_) => {}
        }
        Source::Reg(self.read_int(operand))
    }

    /// Whether the operand's value is in a certain register.
    pub(super) fn is_in(&self, operand: &Operand, reg: Gpr) -> bool {
        match operand.place {
            Place::Int(own) => own == reg,
            Place::Local(local) => self.regs.homes[local as usize] == Home::Int(reg),
            Place::Const(_) | Place::Float(_) | Place::Slot | Place::Flags(_) => false,
        }
    }

    /// The register that a local lives in, valid or not.
    pub(super) fn home_of(&self, operand: &Operand) -> Option<Gpr> {
        match operand.place {
            Place::Local(local) => match self.regs.homes[local as usize] {
                Home::Int(reg) => Some(reg),
                Home::Slot | Home::Float(_) => None,
            },
            Place::Const(_) | Place::Int(_) | Place::Float(_) | Place::Slot | Place::Flags(_) => None,
        }
    }

    /// The float in a register that the instruction may overwrite.
    pub(super) fn own_float(&mut self, operand: Operand) -> Xmm {
        match operand.place {
            Place::Float(reg) => reg,
            _ => {
                let reg = self.alloc_float();
                self.load_float(reg, operand);
                reg
            }
        }
    }

    /// Copies a float operand that was taken to a register. Touches no flags.
    pub(super) fn load_float(&mut self, to: Xmm, operand: Operand) {
        let float = operand.ty.float().expect("a float operand");
        match operand.place {
            Place::Const(0) => self.asm.bits_rr(Float::Single, Bits::Xor, to, to),
            Place::Const(value) => {
                self.asm.mov_ri(SCRATCH, value);
                self.asm.mov_xr(operand.ty.width(), to, SCRATCH);
            }
            Place::Float(reg) => {
                if reg != to {
                    self.asm.movaps(to, reg);
                }
            }
            Place::Local(local) => {
                self.make_valid(local);
                match self.regs.homes[local as usize] {
                    Home::Slot => {
                        let slot = self.local_slot(local);
                        self.asm.movs_rm(float, to, slot);
                    }
                    Home::Float(reg) => self.asm.movaps(to, reg),
                    Home::Int(_) => unreachable!("a float does not live in an integer's register"),
                }
            }
            Place::Slot => {
                let slot = self.operand_slot(operand.index);
                self.asm.movs_rm(float, to, slot);
            }
            Place::Int(_) | Place::Flags(_) => unreachable!("not a float operand"),
        }
    }

    /// The float in a register that the instruction only reads; as [`Compiler::read_int`].
    pub(super) fn read_float(&mut self, operand: &mut Operand) -> Xmm {
        if let Place::Float(reg) = operand.place {
            return reg;
        }
        if let Some(reg) = self.float_home(operand) {
            return reg;
        }
        let reg = self.alloc_float();
        self.load_float(reg, *operand);
        operand.place = Place::Float(reg);
        reg
    }

    /// The integer register that holds the local an operand means, if it does.
    pub(super) fn valid_home(&self, operand: &Operand) -> Option<Gpr> {
        self.home_of(operand).filter(|reg| self.regs.valid & home_bit(Home::Int(*reg)) != 0)
    }

    /// The floating-point register that holds the local an operand means, if it does.
    pub(super) fn valid_float_home(&self, operand: &Operand) -> Option<Xmm> {
        match operand.place {
            Place::Local(local) => match self.regs.homes[local as usize] {
                home @ Home::Float(reg) if self.regs.valid & home_bit(home) != 0 => Some(reg),
                Home::Float(_) | Home::Int(_) | Home::Slot => None,
            },
            Place::Const(_) | Place::Int(_) | Place::Float(_) | Place::Slot | Place::Flags(_) => None,
        }
    }

    /// The register of the local that the operand means, made valid.
    pub(super) fn float_home(&mut self, operand: &Operand) -> Option<Xmm> {
        if let Place::Local(local) = operand.place
            && let Home::Float(reg) = self.regs.homes[local as usize]
        {
            self.make_valid(local);
            return Some(reg);
        }
        None
    }

    /// The slot that a float operand is in, if it is in memory.
    pub(super) fn float_memory(&self, operand: &Operand) -> Option<Mem> {
        match operand.place {
            Place::Slot => Some(self.operand_slot(operand.index)),
            Place::Local(local) if self.regs.homes[local as usize] == Home::Slot => {
                Some(self.local_slot(local))
            }
            Place::Const(_) | Place::Int(_) | Place::Float(_) | Place::Local(_) | Place::Flags(_) => None,
        }
    }

    /// Where operands and locals are, for people.
    pub(super) fn describe_state(&self) -> String {
        let operand = |operand: &Operand| {
            let ty = format!("{:?}", operand.ty).to_lowercase();
            match operand.place {
                Place::Const(value) => format!("{ty} {value:#x}"),
                Place::Local(local) => format!("{ty} local {local}"),
                Place::Int(reg) => format!("{ty} {}", reg.name()),
                Place::Float(reg) => format!("{ty} xmm{}", reg.0),
                Place::Slot => format!("{ty} slot {}", operand.index),
                Place::Flags(_) => format!("{ty} flags"),
            }
        };
        let local = |local: &u32| {
            let home = self.regs.homes[*local as usize];
            let place = match home {
                Home::Slot => "slot".to_string(),
                Home::Int(reg) => reg.name().to_string(),
                Home::Float(reg) => format!("xmm{}", reg.0),
            };
            let (valid, dirty) =
                (self.regs.valid & home_bit(home) != 0, self.regs.dirty & home_bit(home) != 0);
            let note = if !valid {
                " (in its slot only)"
            } else if dirty {
                ""
            } else {
                " (and in its slot)"
            };
            format!("local {local} {place}{note}")
        };
        let operands: Vec<String> = self.stack.iter().map(operand).collect();
        let locals: Vec<String> = self.regs.residents.iter().map(local).collect();
        format!("[{}] {}", operands.join(", "), locals.join(", "))
    }
}

/// A constant as a sign-extended 32-bit immediate of an instruction of the width.
pub(super) fn immediate(width: Width, value: u64) -> Option<i32> {
    match width {
        Width::W32 => Some(value as u32 as i32),
        Width::W64 if const { Fault::named("baseline-constant-extends-its-sign") }.is_planted() => {
            u32::try_from(value).map(|value| value as i32).or(i32::try_from(value as i64)).ok()
        }
        Width::W64 => i32::try_from(value as i64).ok(),
    }
}
