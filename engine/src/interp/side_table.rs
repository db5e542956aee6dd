//! The side table: what a branch must know that the bytes do not say where it stands.
//!
//! WebAssembly's branches name a label by its depth; where that is in the bytes, and how high the operand
//! stack is there, would take a search. The table has the answers in the order in which straight-line
//! execution needs them, so the machine keeps one pointer into it (`stp`) beside the program counter:
//! an instruction that does not branch steps over its entries, one that does adds the entry's two
//! displacements to the two pointers. The idea is that of B. L. Titzer, "A fast in-place interpreter for
//! WebAssembly" (OOPSLA 2022).
//!
//! With fuel on, the table also has a charge for every place where a straight-line segment may begin.
//! How many entries an opcode owns depends on the opcode alone (see [`entries_of`]), not on whether
//! it can be reached; entries of unreachable instructions say nothing useful and are never read.

use crate::module::{FuelSegment, FuncBody, FuncIndex, ModuleInner};
use crate::opcode::reader::Reader;
use crate::opcode::{Boundary, Control, Opcode, Parametric, Variable};
use crate::slots::{Extent, Heights, Layout, LocalIndex, Row, Signature, Width};

/// One entry: a transfer of control or a charge of fuel; which of them, the instruction knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    first: u32,
    second: u32,
    third: u32,
    fourth: u32,
}

/// Control goes somewhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Transfer {
    /// Bytes from the branching opcode to the next one to execute.
    pub pc: i32,
    /// Entries from this one to the next one to use.
    pub stp: i32,
    /// Slots of the operands that come along, from the top of the stack down.
    pub keep_slots: u32,
    /// Slots of the operands below those, which are dropped.
    pub drop_slots: u32,
}

/// A straight-line segment begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Charge {
    /// What it costs; 0 if there is nothing to pay for before the next charge.
    pub cost: u32,
    /// File offset of the first opcode that costs anything.
    pub site: u32,
}

impl From<Transfer> for Entry {
    #[inline(always)]
    fn from(to: Transfer) -> Entry {
        Entry { first: to.pc as u32, second: to.stp as u32, third: to.keep_slots, fourth: to.drop_slots }
    }
}

impl From<Charge> for Entry {
    #[inline(always)]
    fn from(charge: Charge) -> Entry {
        Entry { first: charge.cost, second: charge.site, third: 0, fourth: 0 }
    }
}

impl Entry {
    /// The entry as a transfer.
    #[inline(always)]
    pub fn transfer(self) -> Transfer {
        Transfer {
            pc: self.first as i32,
            stp: self.second as i32,
            keep_slots: self.third,
            drop_slots: self.fourth,
        }
    }

    /// The entry as a charge.
    #[inline(always)]
    pub fn charge(self) -> Charge {
        Charge { cost: self.first, site: self.second }
    }
}

/// How many entries an opcode owns: transfers, then charges. `immediates` stands after the opcode.
pub(super) fn entries_of(opcode: Opcode, mut immediates: Reader<'_>, fuel: bool) -> (usize, usize) {
    use Control as C;
    let Opcode::Control(control) = opcode else { return (0, 0) };
    let transfers = match control {
        C::Nop | C::Block | C::Loop | C::End | C::Unreachable => 0,
        C::Call | C::CallIndirect | C::CallRef => 0,
        C::Return | C::ReturnCall | C::ReturnCallIndirect | C::ReturnCallRef => 0,
        C::If | C::Else | C::Br | C::BrIf | C::BrOnNull | C::BrOnNonNull => 1,
        C::BrTable => immediates.labels().len(),
        C::Throw | C::ThrowRef | C::TryTable | C::BrOnCast | C::BrOnCastFail => not_executed(opcode),
    };
    (transfers, usize::from(fuel && begins_segment(opcode)))
}

/// Whether a segment may begin right after the opcode. Opcodes before which one ends are free.
fn begins_segment(opcode: Opcode) -> bool {
    match opcode.structure().boundary {
        Boundary::Before | Boundary::Behind => true,
        Boundary::Inside | Boundary::Last => false,
    }
}

fn not_executed(opcode: Opcode) -> ! {
    unreachable!("modules that contain {opcode} are refused before they are compiled")
}

/// End of a list of entries.
const NONE: u32 = u32::MAX;

/// A block that is open.
struct Label<'a> {
    /// The operands below the block's parameters.
    below: Extent,
    signature: Signature<'a>,
    target: Target,
    /// The entry by which an `if` goes to its `else`, until that is known.
    to_else: u32,
    /// Whether the block itself could not be reached.
    dead: bool,
}

/// Where branches to a label go.
enum Target {
    /// Backwards: a file offset, and an entry's position.
    Known { at: u32, entry: u32 },
    /// Forwards: the newest entry that waits for it. An entry that waits has the next one that does in
    /// its first number, and the file offset of its opcode in the second.
    Awaited { newest: u32 },
}

/// Makes side tables, one function after the other, into one vector.
pub(super) struct Builder<'a> {
    module: &'a ModuleInner,
    fuel: bool,
    entries: Vec<Entry>,
    labels: Vec<Label<'a>>,
    /// The operands on the stack; meaningless in dead code.
    heights: Heights,
    dead: bool,
}

impl<'a> Builder<'a> {
    /// A builder with nothing built.
    pub fn new(module: &'a ModuleInner, fuel: bool) -> Builder<'a> {
        let entries = Vec::with_capacity(module.bytes.len() / 16);
        Builder { module, fuel, entries, labels: Vec::new(), heights: Heights::default(), dead: false }
    }

    /// Adds a function's entries; gives the position of its first one.
    pub fn add(&mut self, func: FuncIndex, body: &FuncBody) -> usize {
        let first = self.entries.len();
        let code = &self.module.bytes[body.code.start as usize..body.code.end as usize];
        let mut reader = Reader::new(code, body.code.start);
        let mut segments = body.fuel.iter().copied().peekable();
        let results = Row::results(self.module.func_type(func));
        self.heights.start(body.is_wide);
        self.dead = false;
        self.push_label(Signature { params: Row::EMPTY, results }, Target::Awaited { newest: NONE });
        let mut charge = self.push_charge();
        while !reader.is_done() {
            let (at, opcode) = reader.opcode();
            if self.fuel
                && let Some(FuelSegment { cost, .. }) = segments.next_if(|next| next.offset == at)
            {
                self.entries[charge as usize] = Charge { cost, site: at }.into();
            }
            let Opcode::Control(control) = opcode else {
                self.straight_line(opcode, &mut reader, &body.layout);
                continue;
            };
            charge = self.control(control, at, &mut reader).unwrap_or(charge);
        }
        assert!(self.labels.is_empty(), "validation balances blocks and ends");
        assert!(!self.fuel || segments.next().is_none(), "every segment begins where a charge is due");
        first
    }

    /// The entries of all functions.
    pub fn finish(self) -> Box<[Entry]> {
        self.entries.into()
    }

    /// Follows an instruction that is not a control instruction.
    #[inline]
    fn straight_line(&mut self, opcode: Opcode, reader: &mut Reader<'_>, layout: &Layout) {
        let row = opcode.row();
        let any = match self.heights.is_wide() {
            false => Width::One,
            true => self.width_of_any(opcode, *reader, layout),
        };
        reader.skip_immediates(opcode);
        self.pop(row.operands.len() as u32);
        for result in row.results {
            self.heights.push(match self.heights.is_wide() {
                false => Width::One,
                true => Width::of_operand(*result).unwrap_or(any),
            });
        }
    }

    /// The width of the operand or result of which the opcode alone does not decide the type. `immediates`
    /// stands after the opcode.
    fn width_of_any(&self, opcode: Opcode, mut immediates: Reader<'_>, layout: &Layout) -> Width {
        match opcode {
            Opcode::Variable(Variable::LocalGet | Variable::LocalSet | Variable::LocalTee) => {
                layout.local(LocalIndex(immediates.u32())).width
            }
            Opcode::Variable(Variable::GlobalGet | Variable::GlobalSet) => {
                Width::of(self.module.global_types[immediates.u32() as usize].content)
            }
            Opcode::Parametric(Parametric::SelectT) => Width::of_read(immediates.select_type()),
            // One of two operands of the same type below the condition. Code that cannot be reached may have
            // fewer operands.
            Opcode::Parametric(Parametric::Select) => {
                self.heights.values().checked_sub(2).map_or(Width::One, |below| self.heights.width(below))
            }
            // These have neither an operand nor a result of that kind, or give back nothing.
            Opcode::Parametric(Parametric::Drop)
            | Opcode::Table(_)
            | Opcode::Load(_)
            | Opcode::Store(_)
            | Opcode::Memory(_)
            | Opcode::Const(_)
            | Opcode::Numeric(_)
            | Opcode::Wide(_)
            | Opcode::Reference(_)
            | Opcode::Vector(_)
            | Opcode::VectorMemory(_)
            | Opcode::Atomic(_) => Width::One,
            Opcode::Control(_) => unreachable!("control instructions are followed by their blocks"),
            Opcode::Gc(_) => not_executed(opcode),
        }
    }

    /// Follows a control instruction; gives the position of its charge, if it has one.
    fn control(&mut self, control: Control, at: u32, reader: &mut Reader<'_>) -> Option<u32> {
        use Control as C;
        match control {
            C::Nop => None,
            C::Unreachable | C::Return => self.end_of_reach(),
            C::Block => {
                let signature = self.module.block_signature(reader.block_type());
                self.pop(signature.params.values());
                self.push_label(signature, Target::Awaited { newest: NONE });
                None
            }
            C::Loop => {
                let signature = self.module.block_signature(reader.block_type());
                self.pop(signature.params.values());
                let target = Target::Known { at: reader.at(), entry: self.next_entry() };
                self.push_label(signature, target);
                Some(self.push_charge())
            }
            C::If => {
                let signature = self.module.block_signature(reader.block_type());
                self.pop(signature.params.values() + 1);
                let to_else = self.push_waiting(NONE, at, signature.params.slots(), 0);
                self.push_label(signature, Target::Awaited { newest: NONE });
                self.top_label().to_else = to_else;
                Some(self.push_charge())
            }
            C::Else => {
                let results = self.top_label().signature.results;
                self.wait_for(0, at, results.slots(), 0);
                let label = self.top_label();
                let (to_else, dead, below, params) =
                    (label.to_else, label.dead, label.below, label.signature.params);
                label.to_else = NONE;
                self.resolve(to_else, at + 1);
                self.dead = dead;
                self.heights.go_back_to(below.values);
                self.heights.push_row(params);
                Some(self.push_charge())
            }
            C::End => Some(self.end(at)),
            C::Br => {
                self.branch(reader.u32(), at);
                self.end_of_reach()
            }
            C::BrIf => {
                self.pop(1);
                self.branch(reader.u32(), at);
                Some(self.push_charge())
            }
            C::BrTable => {
                self.pop(1);
                for depth in reader.labels() {
                    self.branch(depth, at);
                }
                self.end_of_reach()
            }
            C::BrOnNull => {
                self.pop(1);
                self.branch(reader.u32(), at);
                self.heights.push(Width::One);
                Some(self.push_charge())
            }
            C::BrOnNonNull => {
                self.branch(reader.u32(), at);
                self.pop(1);
                Some(self.push_charge())
            }
            C::Call => {
                let func = FuncIndex(reader.u32());
                self.call(self.module.funcs[func.0 as usize], 0)
            }
            C::CallIndirect => {
                let ty = reader.u32();
                reader.u32();
                self.call(ty, 1)
            }
            C::CallRef => {
                let ty = reader.u32();
                self.call(ty, 1)
            }
            C::ReturnCall | C::ReturnCallIndirect | C::ReturnCallRef => {
                reader.skip_immediates(control.into());
                self.end_of_reach()
            }
            C::Throw | C::ThrowRef | C::TryTable | C::BrOnCast | C::BrOnCastFail => {
                not_executed(control.into())
            }
        }
    }

    fn call(&mut self, type_index: u32, callee_operands: u32) -> Option<u32> {
        let ty = self.module.func_type_at(type_index);
        self.pop(callee_operands + ty.params().len() as u32);
        self.heights.push_row(Row::results(ty));
        Some(self.push_charge())
    }

    /// The `end` of a block: branches that waited for it go to what follows. The `end` of the function is itself where
    /// branches to the outermost label go, because it is what returns.
    fn end(&mut self, at: u32) -> u32 {
        let label = self.labels.pop().expect("validation balances blocks and ends");
        let target = if self.labels.is_empty() { at } else { at + 1 };
        if let Target::Awaited { newest } = label.target {
            self.resolve(newest, target);
        }
        self.resolve(label.to_else, target);
        self.dead = label.dead;
        self.heights.go_back_to(label.below.values);
        self.heights.push_row(label.signature.results);
        self.push_charge()
    }

    fn branch(&mut self, depth: u32, at: u32) {
        let position = self.labels.len() - 1 - depth as usize;
        let label = &self.labels[position];
        let entry = self.next_entry();
        // Only dead code has fewer operands than the label keeps.
        let drop_slots =
            |keep_slots: u32| self.heights.slots().saturating_sub(label.below.slots + keep_slots);
        match label.target {
            Target::Known { at: to, entry: to_entry } => {
                let (keep_slots, pc) = (label.signature.params.slots(), to.wrapping_sub(at) as i32);
                let drop_slots = drop_slots(keep_slots);
                let stp = to_entry.wrapping_sub(entry) as i32;
                self.entries.push(Transfer { pc, stp, keep_slots, drop_slots }.into());
            }
            Target::Awaited { .. } => {
                let keep_slots = label.signature.results.slots();
                let drop_slots = drop_slots(keep_slots);
                self.wait_for(depth, at, keep_slots, drop_slots);
            }
        }
    }

    /// Adds a transfer to the end of the block at `depth`.
    fn wait_for(&mut self, depth: u32, at: u32, keep_slots: u32, drop_slots: u32) {
        let position = self.labels.len() - 1 - depth as usize;
        let Target::Awaited { newest } = self.labels[position].target else {
            unreachable!("only loops are branched to backwards")
        };
        let newest = self.push_waiting(newest, at, keep_slots, drop_slots);
        self.labels[position].target = Target::Awaited { newest };
    }

    fn push_waiting(&mut self, next: u32, at: u32, keep_slots: u32, drop_slots: u32) -> u32 {
        let entry = self.next_entry();
        self.entries.push(Entry { first: next, second: at, third: keep_slots, fourth: drop_slots });
        entry
    }

    /// Tells a list of waiting entries that their target is `to`, and that the entry to use there is
    /// the next one to be made.
    fn resolve(&mut self, newest: u32, to: u32) {
        let to_entry = self.next_entry();
        let mut position = newest;
        while position != NONE {
            let waiting = self.entries[position as usize];
            let (pc, stp) = ((to - waiting.second) as i32, (to_entry - position) as i32);
            let transfer = Transfer { pc, stp, keep_slots: waiting.third, drop_slots: waiting.fourth };
            self.entries[position as usize] = transfer.into();
            position = waiting.first;
        }
    }

    fn push_label(&mut self, signature: Signature<'a>, target: Target) {
        let (below, dead) = (self.heights.extent(), self.dead);
        self.labels.push(Label { below, signature, target, to_else: NONE, dead });
        self.heights.push_row(signature.params);
    }

    fn top_label(&mut self) -> &mut Label<'a> {
        self.labels.last_mut().expect("validation balances blocks and ends")
    }

    /// Adds a charge of nothing, where fuel is counted; gives its position.
    fn push_charge(&mut self) -> u32 {
        let entry = self.next_entry();
        if self.fuel {
            self.entries.push(Charge { cost: 0, site: 0 }.into());
        }
        entry
    }

    fn next_entry(&self) -> u32 {
        self.entries.len() as u32
    }

    fn end_of_reach(&mut self) -> Option<u32> {
        self.dead = true;
        None
    }

    fn pop(&mut self, count: u32) {
        let height = self.heights.values();
        debug_assert!(self.dead || height >= count, "validation keeps the stack deep enough");
        // Dead code may take operands of the blocks around it. Their widths must be there when it ends.
        let floor = match (self.heights.is_wide(), self.labels.last()) {
            (true, Some(label)) => label.below.values,
            (false, _) | (true, None) => 0,
        };
        self.heights.go_back_to(height.saturating_sub(count).max(floor));
    }
}
