//! Writes the listing: one line an instruction, and what the instruction reads and writes.

use super::{FLOAT_SCRATCH, FUEL, Float, Int, Location, Loses, Outcome, Recording};
use crate::baseline::operand::Slot;
use crate::baseline::target::{Assembler, Disassembled, Register, Target};
use crate::module::DefinedFuncIndex;
use crate::native::helpers::Helper;
use crate::native::link::Branch;
use crate::native::width::{Float as Precision, Width};

/// A place that branches name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::baseline::tests) struct Label(u32);

/// An instruction.
pub(super) struct Written {
    pub text: String,
    pub reads: Vec<Location>,
    pub writes: Vec<Location>,
    pub loses: Loses,
    /// Where it may go besides the next instruction: positions, once the labels were forgotten.
    pub targets: Vec<u32>,
    /// Whether control may go on to the next instruction.
    pub goes_on: bool,
    labels: Vec<Label>,
    /// The jump table by which it goes, and the number of its entries.
    table: Option<(Label, u32)>,
}

/// A listing under construction. A position in it is the number of an instruction.
#[derive(Default)]
pub(in crate::baseline::tests) struct Listing {
    instructions: Vec<Written>,
    /// Where the labels are, as far as they are bound.
    labels: Vec<Option<u32>>,
    /// The first instruction of the function.
    start: usize,
    /// Slots of the function's frame.
    slots: u32,
    /// What a return hands over.
    pub(super) returned: Option<Location>,
}

/// Builds an instruction by what it does.
pub(super) struct Line<'a> {
    listing: &'a mut Listing,
    written: Written,
}

impl Line<'_> {
    pub fn reads(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.written.reads.extend(locations);
        self
    }

    pub fn writes(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.written.writes.extend(locations);
        self
    }

    pub fn loses(mut self, loses: Loses) -> Self {
        self.written.loses = loses;
        self
    }

    pub fn may_go(mut self, label: Label) -> Self {
        self.written.labels.push(label);
        self
    }

    pub fn goes_by(mut self, table: Label, count: u32) -> Self {
        self.written.table = Some((table, count));
        self.ends()
    }

    pub fn ends(mut self) -> Self {
        self.written.goes_on = false;
        self
    }

    pub fn done(self) {
        self.listing.instructions.push(self.written);
    }
}

impl Listing {
    /// The instructions from one on.
    pub(super) fn since(&self, first: u32) -> &[Written] {
        &self.instructions[first as usize..]
    }

    /// An instruction reads more than was known when it was written.
    pub(super) fn add_reads(&mut self, at: u32, locations: impl IntoIterator<Item = Location>) {
        self.instructions[at as usize].reads.extend(locations);
    }

    /// Begins an instruction, which is written by [`Line::done`].
    pub(super) fn line(&mut self, text: impl Into<String>) -> Line<'_> {
        let written = Written {
            text: text.into(),
            reads: Vec::new(),
            writes: Vec::new(),
            loses: Loses::Nothing,
            targets: Vec::new(),
            goes_on: true,
            labels: Vec::new(),
            table: None,
        };
        Line { listing: self, written }
    }

    /// A slot's text, and what must be there before the slot can be reached.
    fn slot(&self, slot: Slot) -> (String, Option<Location>, Option<Location>) {
        match slot {
            Slot::Frame(index) => {
                assert!(index < self.slots, "slot {index} is within the frame of {} slots", self.slots);
                (format!("[s{index}]"), None, Some(Location::Slot(index)))
            }
            Slot::Found(index) => (format!("[p+{index}]"), Some(Location::Scratch), None),
        }
    }

    /// `to = from`, where the text of neither says what it is.
    fn copy(&mut self, to: Location, from: Location, text: String) {
        self.line(text).reads([from]).writes([to]).done();
    }

    fn load(&mut self, to: (String, Location), from: Slot, bits: u32) {
        let (text, base, slot) = self.slot(from);
        self.line(format!("{} = {text}:{bits}", to.0)).reads(base).reads(slot).writes([to.1]).done();
    }

    fn store(&mut self, to: Slot, from: (String, Location), bits: u32) {
        let (text, base, slot) = self.slot(to);
        self.line(format!("{text}:{bits} = {}", from.0)).reads(base).reads([from.1]).writes(slot).done();
    }

    /// Finds something, whose address comes into the scratch register.
    fn find(&mut self, text: String, reads: Option<Location>) {
        self.line(format!("p = {text}")).reads(reads).writes([Location::Scratch]).done();
    }

    /// A call of whatever the text says, after which nothing is in registers but a result.
    fn call(&mut self, text: String, reads: Option<Location>) {
        let results = [int(Recording::INT_RESULT).1, float(Recording::FLOAT_RESULT).1];
        self.line(text).reads(reads).loses(Loses::Registers).writes(results).done();
    }

    fn tail(&mut self, text: String, reads: Option<Location>) {
        self.line(text).reads(reads).ends().done();
    }
}

pub(super) fn int(reg: Int) -> (String, Location) {
    (reg.name(), Location::Int(reg))
}

pub(super) fn float(reg: Float) -> (String, Location) {
    (reg.name(), Location::Float(reg))
}

fn bits(width: Width) -> u32 {
    match width {
        Width::W32 => 32,
        Width::W64 => 64,
    }
}

fn condition(outcome: Outcome) -> &'static str {
    if outcome.is_inverted { "not t" } else { "t" }
}

impl Assembler<Recording> for Listing {
    fn reserve(&mut self, _: usize) {}

    fn into_bytes(self) -> Vec<u8> {
        let end = self.here();
        let lines = self.disassemble(end).into_iter().map(|line| line.text);
        lines.collect::<Vec<_>>().join("\n").into_bytes()
    }

    fn here(&self) -> u32 {
        self.instructions.len() as u32
    }

    fn disassemble(&self, end: u32) -> Vec<Disassembled> {
        let line = |(start, written): (u32, &Written)| {
            let targets: Vec<String> =
                written.targets.iter().map(|target| format!(" -> {target:06x}")).collect();
            Disassembled {
                start,
                end: start + 1,
                text: format!("{}{}", written.text, targets.concat()),
                mnemonic: written.text.clone(),
            }
        };
        (0..end).zip(&self.instructions).map(line).collect()
    }

    fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() as u32 - 1)
    }

    fn bind(&mut self, label: Label) {
        let here = self.here();
        let place = &mut self.labels[label.0 as usize];
        assert_eq!(*place, None, "a label has one place");
        *place = Some(here);
    }

    fn position(&self, label: Label) -> u32 {
        self.labels[label.0 as usize].expect("a label that is gone to is bound")
    }

    fn forget_labels(&mut self) {
        for at in self.start..self.instructions.len() {
            let written = &self.instructions[at];
            let mut targets: Vec<u32> = written.labels.iter().map(|label| self.position(*label)).collect();
            if let Some((table, count)) = written.table {
                let entries = self.position(table) as usize..;
                let entries = self.instructions[entries].iter().take(count as usize);
                targets.extend(entries.flat_map(|entry| &entry.labels).map(|label| self.position(*label)));
            }
            self.instructions[at].targets = targets;
        }
        self.labels.clear();
    }

    fn branches(&self) -> impl Iterator<Item = Branch> {
        std::iter::empty()
    }

    fn jump(&mut self, label: Label) {
        self.line("jump").may_go(label).ends().done();
    }

    fn align(&mut self) {
        self.start = self.instructions.len();
    }

    fn enter(&mut self, bytes: u32, exhausted: Label) {
        self.slots = bytes / 8;
        self.line(format!("enter {}", self.slots)).may_go(exhausted).done();
    }

    fn ret(&mut self) {
        self.tail("return".to_string(), self.returned);
    }

    fn copy_int(&mut self, width: Width, to: Int, from: Int) {
        self.copy(
            Location::Int(to),
            Location::Int(from),
            format!("{} = {}:{}", to.name(), from.name(), bits(width)),
        );
    }

    fn copy_float(&mut self, to: Float, from: Float) {
        self.copy(Location::Float(to), Location::Float(from), format!("{} = {}", to.name(), from.name()));
    }

    fn exchange_ints(&mut self, one: Int, other: Int) {
        self.copy(Location::Scratch, Location::Int(one), format!("p = {}", one.name()));
        self.copy_int(Width::W64, one, other);
        self.copy(Location::Int(other), Location::Scratch, format!("{} = p", other.name()));
    }

    fn exchange_floats(&mut self, one: Float, other: Float) {
        self.copy_float(FLOAT_SCRATCH, one);
        self.copy_float(one, other);
        self.copy_float(other, FLOAT_SCRATCH);
    }

    fn set_int(&mut self, to: Int, value: u64) {
        self.line(format!("{} = {value:#x}", to.name())).writes([Location::Int(to)]).done();
    }

    fn clear_int(&mut self, to: Int) {
        let line = self.line(format!("{} = 0", to.name()));
        line.writes([Location::Int(to)]).loses(Loses::Outcome).done();
    }

    fn set_float(&mut self, precision: Precision, to: Float, value: u64) {
        let text = format!("{} = {value:#x}:{}", to.name(), bits(precision.width()));
        self.line(text).writes([Location::Float(to)]).done();
    }

    fn load_int(&mut self, width: Width, to: Int, from: Slot) {
        self.load(int(to), from, bits(width));
    }

    fn store_int(&mut self, width: Width, to: Slot, from: Int) {
        self.store(to, int(from), bits(width));
    }

    fn load_float(&mut self, precision: Precision, to: Float, from: Slot) {
        self.load(float(to), from, bits(precision.width()));
    }

    fn store_float(&mut self, precision: Precision, to: Slot, from: Float) {
        self.store(to, float(from), bits(precision.width()));
    }

    fn store_const(&mut self, width: Width, to: Slot, value: u64) {
        assert!(matches!(to, Slot::Frame(_)), "the scratch register is needed for the value");
        self.line(format!("p = {value:#x}")).writes([Location::Scratch]).done();
        self.store(to, ("p".to_string(), Location::Scratch), bits(width));
    }

    fn copy_slot(&mut self, width: Width, to: Slot, from: Slot) {
        self.load(float(FLOAT_SCRATCH), from, bits(width));
        self.store(to, float(FLOAT_SCRATCH), bits(width));
    }

    fn clear_slots(&mut self, first: u32, count: u32) {
        let slots = (first..first + count).map(Location::Slot);
        assert!(first + count <= self.slots, "the slots are within the frame");
        let text = format!("[s{first}..s{}]:64 = 0", first + count - 1);
        self.line(text).writes(slots).loses(Loses::Ints).done();
    }

    fn test_nonzero(&mut self, width: Width, reg: Int) -> Outcome {
        self.compare(format!("t = {}:{} != 0", reg.name(), bits(width)), [Location::Int(reg)])
    }

    fn jump_if(&mut self, test: Outcome, label: Label) {
        let line = self.line(format!("jump if {}", condition(test)));
        line.reads([Location::Outcome(test.comparison)]).may_go(label).done();
    }

    fn set_from(&mut self, test: Outcome, to: Int) {
        let line = self.line(format!("{} = {}", to.name(), condition(test)));
        line.reads([Location::Outcome(test.comparison)]).writes([Location::Int(to)]).done();
    }

    fn select_int(&mut self, test: Outcome, width: Width, to: Int, from: Int) {
        let bits = bits(width);
        let text =
            format!("{to} = {} ? {to}:{bits} : {}:{bits}", condition(test), from.name(), to = to.name());
        let reads = [Location::Outcome(test.comparison), Location::Int(to), Location::Int(from)];
        self.line(text).reads(reads).writes([Location::Int(to)]).done();
    }

    fn select_float(&mut self, test: Outcome, to: Float, from: Float) {
        let text = format!("{to} = {} ? {to} : {}", condition(test), from.name(), to = to.name());
        let reads = [Location::Outcome(test.comparison), Location::Float(to), Location::Float(from)];
        self.line(text).reads(reads).writes([Location::Float(to)]).done();
    }

    fn jump_if_nan(&mut self, precision: Precision, reg: Float, label: Label) {
        let line = self.line(format!("jump if {}:{} is NaN", reg.name(), bits(precision.width())));
        line.reads([Location::Float(reg)]).loses(Loses::Outcome).may_go(label).done();
    }

    fn set_nan(&mut self, precision: Precision, reg: Float) {
        let line = self.line(format!("{} = NaN:{}", reg.name(), bits(precision.width())));
        line.writes([Location::Float(reg)]).done();
    }

    fn jump_if_null(&mut self, reference: Int, label: Label) {
        let line = self.line(format!("jump if {} is null", reference.name()));
        line.reads([Location::Int(reference)]).loses(Loses::Outcome).may_go(label).done();
    }

    fn jump_by_table(&mut self, index: Int, count: u32, otherwise: Label, table: Label) {
        let line = self.line(format!("jump by {} of {count}", index.name()));
        line.reads([Location::Int(index)])
            .loses(Loses::Outcome)
            .may_go(otherwise)
            .goes_by(table, count)
            .done();
    }

    fn table_entry(&mut self, _: u32, target: Label) {
        self.line("entry").may_go(target).ends().done();
    }

    fn charge(&mut self, cost: u32, exhausted: Label) {
        let line = self.line(format!("{} -= {cost}", FUEL.name()));
        let fuel = [Location::Int(FUEL)];
        line.reads(fuel).writes(fuel).loses(Loses::Outcome).may_go(exhausted).done();
    }

    fn refund(&mut self, cost: u32) {
        let fuel = [Location::Int(FUEL)];
        self.line(format!("{} += {cost}", FUEL.name())).reads(fuel).writes(fuel).done();
    }

    fn load_memory_base(&mut self) {
        self.line("m = base of memory 0").writes([Location::Memory]).done();
    }

    fn find_arguments(&mut self) {
        self.find("arguments".to_string(), None);
    }

    fn store_argument(&mut self, width: Width, slot: u32, value: u64) {
        self.set_float(Precision::Double, FLOAT_SCRATCH, value);
        self.find_arguments();
        self.store(Slot::Found(slot), float(FLOAT_SCRATCH), bits(width));
    }

    fn find_global(&mut self, index: u32) {
        self.find(format!("global {index}"), None);
    }

    fn memory_size(&mut self, to: Int, memory: u32, page_log2: u32) {
        let text = format!("{} = size of memory {memory} >> {page_log2}", to.name());
        self.line(text).writes([Location::Int(to)]).done();
    }

    fn table_size(&mut self, to: Int, table: u32) {
        self.line(format!("{} = size of table {table}", to.name())).writes([Location::Int(to)]).done();
    }

    fn table_get(&mut self, table: u32, index: Int, otherwise: Label) {
        let line = self.line(format!("{index} = table {table}[{index}]", index = index.name()));
        let index = [Location::Int(index)];
        line.reads(index).writes(index).loses(Loses::Outcome).may_go(otherwise).done();
    }

    fn table_set(&mut self, table: u32, index: Int, value: Int, otherwise: Label) {
        let line = self.line(format!("table {table}[{}] = {}", index.name(), value.name()));
        let reads = [Location::Int(index), Location::Int(value)];
        line.reads(reads).loses(Loses::Outcome).may_go(otherwise).done();
    }

    fn func_reference(&mut self, to: Int, func: u32) {
        self.line(format!("{} = function {func}", to.name())).writes([Location::Int(to)]).done();
    }

    fn call_linked(&mut self) -> u32 {
        self.call("call".to_string(), None);
        self.here() - Recording::DISTANCE_BYTES
    }

    fn tail_linked(&mut self) -> u32 {
        self.tail("tail call".to_string(), None);
        self.here() - Recording::DISTANCE_BYTES
    }

    fn call_entry(&mut self, func: DefinedFuncIndex) {
        self.call(format!("call entry {}", func.0), None);
    }

    fn tail_entry(&mut self, func: DefinedFuncIndex) {
        self.tail(format!("tail call entry {}", func.0), None);
    }

    fn find_import(&mut self, func: u32) {
        self.find(format!("function {func}"), None);
    }

    fn find_callee(&mut self) {
        let (text, callee) = int(Recording::CALLEE);
        self.find(format!("function of {text}"), Some(callee));
    }

    fn jump_if_other_type(&mut self, ty: u32, otherwise: Label) {
        let line = self.line(format!("jump if type of p is not {ty}"));
        line.reads([Location::Scratch]).loses(Loses::Outcome).may_go(otherwise).done();
    }

    fn check_subtype(&mut self, ty: u32) {
        let line = self.line(format!("check that type of p is below {ty}"));
        line.reads([Location::Scratch]).loses(Loses::Outcome).done();
    }

    fn jump_if_other_instance(&mut self, otherwise: Label) {
        let line = self.line("jump if instance of p is another");
        line.reads([Location::Scratch]).loses(Loses::Outcome).may_go(otherwise).done();
    }

    fn call_found(&mut self) {
        self.call("call p".to_string(), Some(Location::Scratch));
    }

    fn tail_found(&mut self) {
        self.tail("tail call p".to_string(), Some(Location::Scratch));
    }

    fn call_other(&mut self) {
        self.call("call p in its instance".to_string(), Some(Location::Scratch));
    }

    fn tail_other(&mut self) {
        self.tail("tail call p in its instance".to_string(), Some(Location::Scratch));
    }

    fn call_helper(&mut self, helper: Helper) {
        self.call(format!("call {helper:?}"), None);
    }

    fn call_trap(&mut self) {
        self.tail("trap".to_string(), None);
    }

    fn island(&mut self) {
        self.tail("island".to_string(), None);
    }
}

impl Listing {
    /// Writes a comparison.
    pub(super) fn compare(&mut self, text: String, reads: impl IntoIterator<Item = Location>) -> Outcome {
        let comparison = self.here();
        let line = self.line(text).reads(reads).loses(Loses::Outcome);
        line.writes([Location::Outcome(comparison)]).done();
        Outcome { comparison, is_inverted: false }
    }
}
