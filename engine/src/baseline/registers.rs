//! Which operand has which register, and which locals live in registers.

use super::compiler::Compiler;
use super::operand::{Operand, Place, Slot, Ty};
use super::stubs::Stub;
use super::target::{Assembler, Register, Target};
use crate::faults::fault;
use crate::limits::Settings;
use crate::native::width::{Float, Width};
use crate::slots::{LocalIndex, SlotIndex};

mod locals;
mod merge;

pub(super) use merge::Arrival;

/// Owner of a register that no operand on the stack has.
const UNOWNED: u32 = u32::MAX;

/// Where a local lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Home<T: Target> {
    Slot,
    Int(T::Int),
    Float(T::Float),
}

/// State of the registers and of the locals that live in them.
pub(super) struct Registers<T: Target> {
    few: bool,
    /// Whether code counts fuel.
    fuel: bool,
    /// Free registers by number.
    free_ints: u16,
    free_floats: u16,
    int_owners: [u32; 16],
    float_owners: [u32; 16],
    homes: Vec<Home<T>>,
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

impl<T: Target> Registers<T> {
    pub fn new(settings: &Settings) -> Registers<T> {
        Registers {
            few: settings.few_registers,
            fuel: settings.fuel,
            free_ints: 0,
            free_floats: 0,
            int_owners: [UNOWNED; 16],
            float_owners: [UNOWNED; 16],
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
            (false, true) => (T::INT_HOMES.len() - 1, T::FLOAT_HOMES.len()),
            (false, false) => (T::INT_HOMES.len(), T::FLOAT_HOMES.len()),
        }
    }

    /// Begins a function; the chosen locals live in registers, a parameter where it arrives if it can stay:
    /// then no home is where another parameter waits for its own.
    pub fn begin(&mut self, types: &[Ty], chosen: &[u32], arrivals: impl Fn(u32) -> Option<T::Int>) {
        self.free_all();
        self.homes.clear();
        self.homes.resize(types.len(), Home::Slot);
        self.references.clear();
        self.references.resize(types.len(), 0);
        self.residents.clear();
        self.residents.extend_from_slice(chosen);
        let mut ints = mask(T::INT_HOMES);
        for local in chosen {
            if let Some(reg) = arrivals(*local).filter(|reg| ints & bit(*reg) != 0) {
                self.homes[*local as usize] = Home::Int(reg);
                ints &= !bit(reg);
            }
        }
        let mut ints = T::INT_HOMES.iter().copied().filter(|reg| ints & bit(*reg) != 0);
        let mut floats = T::FLOAT_HOMES.iter().copied();
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
        let (ints, floats) =
            if self.few { (T::FEW_INTS, T::FEW_FLOATS) } else { (T::INTS.len(), T::FLOATS.len()) };
        self.free_ints = mask(&T::INTS[..ints]);
        self.free_floats = mask(&T::FLOATS[..floats]);
        self.int_owners = [UNOWNED; 16];
        self.float_owners = [UNOWNED; 16];
    }
}

/// A register's place in a table of its class.
fn index_of(reg: impl Register) -> usize {
    usize::from(reg.number())
}

/// A register in a set of its class.
fn bit(reg: impl Register) -> u16 {
    1 << reg.number()
}

/// Registers of a class as a set.
fn mask(regs: &[impl Register]) -> u16 {
    regs.iter().fold(0, |mask, reg| mask | bit(*reg))
}

/// The register of a local in a set of both classes.
fn home_bit<T: Target>(home: Home<T>) -> u32 {
    match home {
        Home::Slot => 0,
        Home::Int(reg) => 1 << reg.number(),
        Home::Float(reg) => 1 << (16 + reg.number()),
    }
}

/// Where a result may go at once: the register of the local that the next instruction sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LocalTarget<R> {
    pub reg: R,
    pub local: u32,
}

impl<T: Target> Compiler<'_, T> {
    // Slots.

    pub(super) fn local_slot(&self, local: u32) -> Slot {
        Slot::Frame(self.layout().local(LocalIndex(local)).slot.0)
    }

    /// A slot of an operand, which is counted from the lowest operand's.
    pub(super) fn operand_slot(&self, slot: SlotIndex) -> Slot {
        Slot::Frame(self.layout().locals().slots + slot.0)
    }

    /// The first slot of an operand that has so many operands below it.
    pub(super) fn slot_above(&self, operands: usize) -> SlotIndex {
        match operands.checked_sub(1).map(|below| &self.stack[below]) {
            None => SlotIndex(0),
            Some(below) => SlotIndex(below.slot.0 + below.ty.slots()),
        }
    }

    pub(super) fn has_home(&self, local: u32) -> bool {
        self.regs.homes[local as usize] != Home::Slot
    }

    // The stack.

    pub(super) fn push(&mut self, ty: Ty, place: Place<T>) {
        let index = self.stack.len() as u32;
        match place {
            Place::Int(reg) => self.regs.int_owners[index_of(reg)] = index,
            Place::Float(reg) => self.regs.float_owners[index_of(reg)] = index,
            Place::Local(local) => self.regs.references[local as usize] += 1,
            Place::Const(_) | Place::Slot | Place::Outcome(_) => {}
        }
        let slot = self.slot_above(self.stack.len());
        self.stack.push(Operand { ty, place, raw_nan: false, slot });
    }

    /// Pushes a float that may be a NaN of any bits.
    pub(super) fn push_raw(&mut self, ty: Ty, reg: T::Float) {
        self.push(ty, Place::Float(reg));
        if !self.settings.free_nan_bits {
            self.stack.last_mut().expect("just pushed").raw_nan = true;
            self.regs.raw_nans += 1;
        }
    }

    /// Pushes a result that may be NaN; one in its target is made canonical at once, for it is seen next.
    pub(super) fn push_float(&mut self, ty: Ty, reg: T::Float, target: Option<LocalTarget<T::Float>>) {
        let Some(target) = target else { return self.push_raw(ty, reg) };
        if !self.settings.free_nan_bits {
            self.canonical_reg(ty.float().expect("a float result"), reg);
        }
        self.push_target(ty, target.local);
    }

    /// Takes the top operand; a register of it belongs to the instruction from now on.
    pub(super) fn pop(&mut self) -> Operand<T> {
        let operand = self.stack.pop().expect("validation keeps the stack deep enough");
        self.regs.settled = self.regs.settled.min(self.stack.len());
        match operand.place {
            Place::Int(reg) => self.regs.int_owners[index_of(reg)] = UNOWNED,
            Place::Float(reg) => self.regs.float_owners[index_of(reg)] = UNOWNED,
            Place::Local(local) => self.regs.references[local as usize] -= 1,
            Place::Const(_) | Place::Slot | Place::Outcome(_) => {}
        }
        self.regs.raw_nans -= u32::from(operand.raw_nan);
        operand
    }

    /// Takes the top operand with canonical NaN bits, for instructions that show the bits.
    pub(super) fn pop_seen(&mut self) -> Operand<T> {
        let position = self.stack.len() - 1;
        self.canonical(position);
        self.pop()
    }

    /// Gives back the register of an operand that was taken.
    pub(super) fn free(&mut self, operand: Operand<T>) {
        match operand.place {
            Place::Int(reg) => self.free_int(reg),
            Place::Float(reg) => self.free_float(reg),
            Place::Const(_) | Place::Local(_) | Place::Slot | Place::Outcome(_) => {}
        }
    }

    pub(super) fn free_int(&mut self, reg: T::Int) {
        self.regs.free_ints |= bit(reg);
    }

    pub(super) fn free_float(&mut self, reg: T::Float) {
        self.regs.free_floats |= bit(reg);
    }

    // Registers.

    /// A register for the instruction, none of `but`.
    pub(super) fn alloc_int_but(&mut self, but: &[T::Int]) -> T::Int {
        let avoid = mask(but);
        for reg in T::INTS {
            if self.regs.free_ints & !avoid & bit(*reg) != 0 {
                self.regs.free_ints &= !bit(*reg);
                return *reg;
            }
        }
        let owners = self.regs.int_owners;
        let owned = |reg: &T::Int| owners[index_of(*reg)] != UNOWNED && avoid & bit(*reg) == 0;
        let deepest = T::INTS.iter().copied().filter(owned).min_by_key(|reg| owners[index_of(*reg)]);
        let reg = deepest.expect("no instruction holds all registers at once");
        self.spill(owners[index_of(reg)] as usize);
        self.regs.free_ints &= !bit(reg);
        reg
    }

    pub(super) fn alloc_int(&mut self) -> T::Int {
        self.alloc_int_but(&[])
    }

    pub(super) fn alloc_float(&mut self) -> T::Float {
        for reg in T::FLOATS {
            if self.regs.free_floats & bit(*reg) != 0 {
                self.regs.free_floats &= !bit(*reg);
                return *reg;
            }
        }
        let owners = self.regs.float_owners;
        let owned = |reg: &T::Float| owners[index_of(*reg)] != UNOWNED;
        let deepest = T::FLOATS.iter().copied().filter(owned).min_by_key(|reg| owners[index_of(*reg)]);
        let reg = deepest.expect("no instruction holds all registers at once");
        self.spill(owners[index_of(reg)] as usize);
        self.regs.free_floats &= !bit(reg);
        reg
    }

    /// Takes a certain register, which the instruction does not hold: an operand there moves elsewhere.
    pub(super) fn claim_int(&mut self, reg: T::Int) {
        let owner = self.regs.int_owners[index_of(reg)];
        if owner != UNOWNED {
            if self.regs.free_ints != 0 {
                let other = self.alloc_int();
                let ty = self.stack[owner as usize].ty;
                self.asm.copy_int(ty.width(), other, reg);
                self.stack[owner as usize].place = Place::Int(other);
                self.regs.int_owners[index_of(other)] = owner;
                self.regs.int_owners[index_of(reg)] = UNOWNED;
            } else {
                self.spill(owner as usize);
            }
        }
        self.regs.free_ints &= !bit(reg);
    }

    pub(super) fn claim_float(&mut self, reg: T::Float) {
        let owner = self.regs.float_owners[index_of(reg)];
        if owner != UNOWNED {
            if self.regs.free_floats != 0 {
                let other = self.alloc_float();
                self.asm.copy_float(other, reg);
                self.stack[owner as usize].place = Place::Float(other);
                self.regs.float_owners[index_of(other)] = owner;
                self.regs.float_owners[index_of(reg)] = UNOWNED;
            } else {
                self.spill(owner as usize);
            }
        }
        self.regs.free_floats &= !bit(reg);
    }

    /// Puts an operand of the stack into its own slot. Changes no outcome of a comparison unless its NaN bits are raw.
    pub(super) fn spill(&mut self, position: usize) {
        self.canonical(position);
        let operand = self.stack[position];
        let slot = self.operand_slot(operand.slot);
        self.store_slot(slot, operand);
        match operand.place {
            Place::Int(reg) => {
                self.regs.int_owners[index_of(reg)] = UNOWNED;
                self.free_int(reg);
            }
            Place::Float(reg) => {
                self.regs.float_owners[index_of(reg)] = UNOWNED;
                self.free_float(reg);
            }
            Place::Local(local) => self.regs.references[local as usize] -= 1,
            Place::Const(_) | Place::Slot => {}
            Place::Outcome(_) => unreachable!("the instruction after a comparison takes the outcome"),
        }
        self.stack[position].place = Place::Slot;
    }

    /// Copies an operand's value to a slot, which may be its own.
    pub(super) fn store_slot(&mut self, slot: Slot, operand: Operand<T>) {
        let width = operand.ty.width();
        match operand.place {
            Place::Const(value) => self.asm.store_const(width, slot, value),
            Place::Int(reg) => self.asm.store_int(width, slot, reg),
            Place::Float(reg) => self.store_float(operand.ty, slot, reg),
            Place::Local(local) => {
                self.make_valid(local);
                match self.regs.homes[local as usize] {
                    Home::Slot => {
                        let from = self.local_slot(local);
                        self.asm.copy_slot(width, slot, from);
                    }
                    Home::Int(reg) => self.asm.store_int(width, slot, reg),
                    Home::Float(reg) => self.store_float(operand.ty, slot, reg),
                }
            }
            Place::Slot => {
                let own = self.operand_slot(operand.slot);
                if own != slot {
                    self.asm.copy_slot(width, slot, own);
                }
            }
            Place::Outcome(_) => unreachable!("the instruction after a comparison takes the outcome"),
        }
    }

    fn store_float(&mut self, ty: Ty, slot: Slot, reg: T::Float) {
        let float = ty.float().expect("only floats are in floating-point registers");
        self.asm.store_float(float, slot, reg);
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

    pub(super) fn canonical_reg(&mut self, float: Float, reg: T::Float) {
        let (label, back) = (self.asm.label(), self.asm.label());
        self.asm.jump_if_nan(float, reg, label);
        self.asm.bind(back);
        self.stubs.push(Stub::Nan { label, back, float, reg });
    }

    /// Makes all NaN bits canonical: before a comparison, whose outcome must last.
    pub(super) fn canonical_all(&mut self) {
        if self.regs.raw_nans == 0 {
            return;
        }
        for owner in self.regs.float_owners {
            if owner != UNOWNED {
                self.canonical(owner as usize);
            }
        }
    }

    /// Puts all operands into their slots, constants excepted. Changes no outcome of a comparison if NaN bits are canonical.
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
                Place::Outcome(_) => unreachable!("the instruction after a comparison takes the outcome"),
            }
        }
        self.regs.settled = self.regs.settled.max(end);
    }

    /// Puts what lies in registers below a position into slots: before a call.
    pub(super) fn settle_registers_below(&mut self, end: usize) {
        let mut owners = [UNOWNED; 32];
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
    pub(super) fn own_int(&mut self, operand: Operand<T>) -> T::Int {
        match operand.place {
            Place::Int(reg) => reg,
            _ => {
                let reg = self.alloc_int();
                self.load_int(reg, operand);
                reg
            }
        }
    }

    /// Copies an integer operand that was taken to a register. Changes no outcome of a comparison.
    pub(super) fn load_int(&mut self, to: T::Int, operand: Operand<T>) {
        let width = operand.ty.width();
        match operand.place {
            Place::Const(value) => self.asm.set_int(to, value),
            Place::Int(reg) => {
                if reg != to {
                    self.asm.copy_int(width, to, reg);
                }
            }
            Place::Local(local) => {
                self.make_valid(local);
                match self.regs.homes[local as usize] {
                    Home::Slot => {
                        let slot = self.local_slot(local);
                        self.asm.load_int(width, to, slot);
                    }
                    Home::Int(reg) => self.asm.copy_int(width, to, reg),
                    Home::Float(_) => unreachable!("an integer does not live in a float's register"),
                }
            }
            Place::Slot => {
                let slot = self.operand_slot(operand.slot);
                let wide = fault!("baseline-slot-read-wide");
                self.asm.load_int(if wide { Width::W64 } else { width }, to, slot);
            }
            Place::Float(_) | Place::Outcome(_) => unreachable!("not an integer operand"),
        }
    }

    /// The value in a register that the instruction only reads. Belongs to the instruction if the operand
    /// says so after this: it is replaced by what must be freed.
    pub(super) fn read_int(&mut self, operand: &mut Operand<T>) -> T::Int {
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

    /// Whether the operand's value is in a certain register.
    pub(super) fn is_in(&self, operand: &Operand<T>, reg: T::Int) -> bool {
        match operand.place {
            Place::Int(own) => own == reg,
            Place::Local(local) => self.regs.homes[local as usize] == Home::Int(reg),
            Place::Const(_) | Place::Float(_) | Place::Slot | Place::Outcome(_) => false,
        }
    }

    /// The register that a local lives in, valid or not.
    pub(super) fn home_of(&self, operand: &Operand<T>) -> Option<T::Int> {
        match operand.place {
            Place::Local(local) => match self.regs.homes[local as usize] {
                Home::Int(reg) => Some(reg),
                Home::Slot | Home::Float(_) => None,
            },
            Place::Const(_) | Place::Int(_) | Place::Float(_) | Place::Slot | Place::Outcome(_) => None,
        }
    }

    /// The float in a register that the instruction may overwrite.
    pub(super) fn own_float(&mut self, operand: Operand<T>) -> T::Float {
        match operand.place {
            Place::Float(reg) => reg,
            _ => {
                let reg = self.alloc_float();
                self.load_float(reg, operand);
                reg
            }
        }
    }

    /// Copies a float operand that was taken to a register. Changes no outcome of a comparison.
    pub(super) fn load_float(&mut self, to: T::Float, operand: Operand<T>) {
        let float = operand.ty.float().expect("a float operand");
        match operand.place {
            Place::Const(value) => self.asm.set_float(float, to, value),
            Place::Float(reg) => {
                if reg != to {
                    self.asm.copy_float(to, reg);
                }
            }
            Place::Local(local) => {
                self.make_valid(local);
                match self.regs.homes[local as usize] {
                    Home::Slot => {
                        let slot = self.local_slot(local);
                        self.asm.load_float(float, to, slot);
                    }
                    Home::Float(reg) => self.asm.copy_float(to, reg),
                    Home::Int(_) => unreachable!("a float does not live in an integer's register"),
                }
            }
            Place::Slot => {
                let slot = self.operand_slot(operand.slot);
                self.asm.load_float(float, to, slot);
            }
            Place::Int(_) | Place::Outcome(_) => unreachable!("not a float operand"),
        }
    }

    /// The float in a register that the instruction only reads; as [`Compiler::read_int`].
    pub(super) fn read_float(&mut self, operand: &mut Operand<T>) -> T::Float {
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
    pub(super) fn valid_home(&self, operand: &Operand<T>) -> Option<T::Int> {
        self.home_of(operand).filter(|reg| self.regs.valid & home_bit(Home::<T>::Int(*reg)) != 0)
    }

    /// The floating-point register that holds the local an operand means, if it does.
    pub(super) fn valid_float_home(&self, operand: &Operand<T>) -> Option<T::Float> {
        match operand.place {
            Place::Local(local) => match self.regs.homes[local as usize] {
                home @ Home::Float(reg) if self.regs.valid & home_bit(home) != 0 => Some(reg),
                Home::Float(_) | Home::Int(_) | Home::Slot => None,
            },
            Place::Const(_) | Place::Int(_) | Place::Float(_) | Place::Slot | Place::Outcome(_) => None,
        }
    }

    /// The register of the local that the operand means, made valid.
    pub(super) fn float_home(&mut self, operand: &Operand<T>) -> Option<T::Float> {
        if let Place::Local(local) = operand.place
            && let Home::Float(reg) = self.regs.homes[local as usize]
        {
            self.make_valid(local);
            return Some(reg);
        }
        None
    }

    /// The slot that an operand is in, if it is in memory.
    pub(super) fn slot_of(&self, operand: &Operand<T>) -> Option<Slot> {
        match operand.place {
            Place::Slot => Some(self.operand_slot(operand.slot)),
            Place::Local(local) if !self.has_home(local) => Some(self.local_slot(local)),
            Place::Const(_) | Place::Int(_) | Place::Float(_) | Place::Local(_) | Place::Outcome(_) => None,
        }
    }

    /// Where operands and locals are, for listings.
    pub(super) fn describe_state(&self) -> String {
        let operand = |operand: &Operand<T>| {
            let ty = format!("{:?}", operand.ty).to_lowercase();
            match operand.place {
                Place::Const(value) => format!("{ty} {value:#x}"),
                Place::Local(local) => format!("{ty} local {local}"),
                Place::Int(reg) => format!("{ty} {}", reg.name()),
                Place::Float(reg) => format!("{ty} {}", reg.name()),
                Place::Slot => format!("{ty} slot {}", operand.slot.0),
                Place::Outcome(_) => format!("{ty} flags"),
            }
        };
        let local = |local: &u32| {
            let home = self.regs.homes[*local as usize];
            let place = match home {
                Home::Slot => "slot".to_string(),
                Home::Int(reg) => reg.name(),
                Home::Float(reg) => reg.name(),
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
