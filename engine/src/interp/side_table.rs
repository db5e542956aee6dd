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
use crate::opcode::reader::{BlockType, Reader};
use crate::opcode::{Boundary, Control, Opcode};

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
    /// Operands from the top of the stack that come along.
    pub keep: u32,
    /// Operands below those that are dropped.
    pub drop: u32,
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
        Entry { first: to.pc as u32, second: to.stp as u32, third: to.keep, fourth: to.drop }
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
        Transfer { pc: self.first as i32, stp: self.second as i32, keep: self.third, drop: self.fourth }
    }

    /// The entry as a charge.
    #[inline(always)]
    pub fn charge(self) -> Charge {
        Charge { cost: self.first, site: self.second }
    }
}

/// How many entries an opcode owns: transfers, then charges. `immediates` stands behind the opcode.
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

/// Whether a segment may begin right behind the opcode. Those before which one ends are free.
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
struct Label {
    /// Operands below the block's parameters.
    height: u32,
    params: u32,
    results: u32,
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
    labels: Vec<Label>,
    /// Operands on the stack; meaningless in dead code.
    height: u32,
    dead: bool,
}

impl<'a> Builder<'a> {
    /// A builder with nothing built.
    pub fn new(module: &'a ModuleInner, fuel: bool) -> Builder<'a> {
        let entries = Vec::with_capacity(module.bytes.len() / 16);
        Builder { module, fuel, entries, labels: Vec::new(), height: 0, dead: false }
    }

    /// Adds a function's entries; gives the position of its first one.
    pub fn add(&mut self, func: FuncIndex, body: &FuncBody) -> usize {
        let first = self.entries.len();
        let code = &self.module.bytes[body.code.start as usize..body.code.end as usize];
        let mut reader = Reader::new(code, body.code.start);
        let mut segments = body.fuel.iter().copied().peekable();
        let results = self.module.func_type(func).results().len() as u32;
        self.height = 0;
        self.dead = false;
        self.push_label(0, results, Target::Awaited { newest: NONE });
        let mut charge = self.push_charge();
        while !reader.is_done() {
            let (at, opcode) = reader.opcode();
            if self.fuel
                && let Some(FuelSegment { cost, .. }) = segments.next_if(|next| next.offset == at)
            {
                self.entries[charge as usize] = Charge { cost, site: at }.into();
            }
            let Opcode::Control(control) = opcode else {
                reader.skip_immediates(opcode);
                let row = opcode.row();
                self.pop(row.operands.len() as u32);
                self.push(row.results.len() as u32);
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

    /// Follows a control instruction; gives the position of its charge, if it has one.
    fn control(&mut self, control: Control, at: u32, reader: &mut Reader<'_>) -> Option<u32> {
        use Control as C;
        match control {
            C::Nop => None,
            C::Unreachable | C::Return => self.end_of_reach(),
            C::Block => {
                let (params, results) = self.arity(reader.block_type());
                self.pop(params);
                self.push_label(params, results, Target::Awaited { newest: NONE });
                None
            }
            C::Loop => {
                let (params, results) = self.arity(reader.block_type());
                self.pop(params);
                let target = Target::Known { at: reader.at(), entry: self.next_entry() };
                self.push_label(params, results, target);
                Some(self.push_charge())
            }
            C::If => {
                let (params, results) = self.arity(reader.block_type());
                self.pop(params + 1);
                let to_else = self.push_waiting(NONE, at, params, 0);
                self.push_label(params, results, Target::Awaited { newest: NONE });
                self.top_label().to_else = to_else;
                Some(self.push_charge())
            }
            C::Else => {
                let results = self.top_label().results;
                self.wait_for(0, at, results, 0);
                let label = self.top_label();
                let (to_else, dead, height) = (label.to_else, label.dead, label.height + label.params);
                label.to_else = NONE;
                self.resolve(to_else, at + 1);
                self.dead = dead;
                self.height = height;
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
                self.push(1);
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
        self.push(ty.results().len() as u32);
        Some(self.push_charge())
    }

    fn arity(&self, ty: BlockType) -> (u32, u32) {
        match ty {
            BlockType::Empty => (0, 0),
            BlockType::Value(_) => (0, 1),
            BlockType::Type(index) => {
                let ty = self.module.func_type_at(index);
                (ty.params().len() as u32, ty.results().len() as u32)
            }
        }
    }

    /// The `end` of a block: who waited for it goes behind it. The `end` of the function is itself where
    /// branches to the outermost label go, because it is what returns.
    fn end(&mut self, at: u32) -> u32 {
        let label = self.labels.pop().expect("validation balances blocks and ends");
        let target = if self.labels.is_empty() { at } else { at + 1 };
        if let Target::Awaited { newest } = label.target {
            self.resolve(newest, target);
        }
        self.resolve(label.to_else, target);
        self.dead = label.dead;
        self.height = label.height + label.results;
        self.push_charge()
    }

    fn branch(&mut self, depth: u32, at: u32) {
        let position = self.labels.len() - 1 - depth as usize;
        let label = &self.labels[position];
        let entry = self.next_entry();
        match label.target {
            Target::Known { at: to, entry: to_entry } => {
                let (keep, pc) = (label.params, to.wrapping_sub(at) as i32);
                let drop = self.height.saturating_sub(label.height + keep);
                let stp = to_entry.wrapping_sub(entry) as i32;
                self.entries.push(Transfer { pc, stp, keep, drop }.into());
            }
            Target::Awaited { .. } => {
                let keep = label.results;
                // Only dead code has fewer operands than that.
                let drop = self.height.saturating_sub(label.height + keep);
                self.wait_for(depth, at, keep, drop);
            }
        }
    }

    /// Adds a transfer to the end of the block at `depth`.
    fn wait_for(&mut self, depth: u32, at: u32, keep: u32, drop: u32) {
        let position = self.labels.len() - 1 - depth as usize;
        let Target::Awaited { newest } = self.labels[position].target else {
            unreachable!("only loops are branched to backwards")
        };
        let newest = self.push_waiting(newest, at, keep, drop);
        self.labels[position].target = Target::Awaited { newest };
    }

    fn push_waiting(&mut self, next: u32, at: u32, keep: u32, drop: u32) -> u32 {
        let entry = self.next_entry();
        self.entries.push(Entry { first: next, second: at, third: keep, fourth: drop });
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
            let transfer = Transfer { pc, stp, keep: waiting.third, drop: waiting.fourth };
            self.entries[position as usize] = transfer.into();
            position = waiting.first;
        }
    }

    fn push_label(&mut self, params: u32, results: u32, target: Target) {
        let (height, dead) = (self.height, self.dead);
        self.labels.push(Label { height, params, results, target, to_else: NONE, dead });
        self.push(params);
    }

    fn top_label(&mut self) -> &mut Label {
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
        debug_assert!(self.dead || self.height >= count, "validation keeps the stack deep enough");
        self.height = self.height.saturating_sub(count);
    }

    fn push(&mut self, count: u32) {
        self.height += count;
    }
}
