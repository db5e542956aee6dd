//! Proves a side table right, whatever made it.
//!
//! The checker walks the bytes once more with another decoder, and takes operand heights, and the types of
//! operands that may be vectors, from the validator, not from the builder's own count. It notes what every entry should say in terms of blocks, and
//! when all blocks have been seen it compares. Debug builds check every module; a wrong table is a fault
//! of this engine, and is caught before anything runs.

use super::ModuleCode;
use super::side_table::{Charge, Entry, Transfer};
use crate::module::{DefinedFuncIndex, FuncBody, FuncIndex};
use crate::slots::{Row, Signature, Width};
use std::ops::Range;
use wasmparser::{
    BlockType, FuncToValidate, FuncValidator, FunctionBody, Operator, Parser, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

/// A block by the order in which blocks begin; the function's own is the first.
type Block = usize;

/// Where a transfer should go.
enum Target {
    /// To the label of a block: its start if it is a loop, else after its end.
    Label(Block),
    /// To the `else` of an `if`, or after its end if it has none.
    Else(Block),
}

/// What an entry should say.
enum Expected {
    /// `at` is the branching opcode. Nothing is expected of an instruction that cannot be reached.
    Transfer { at: u32, live: bool, target: Target, keep_slots: u32, drop_slots: u32 },
    /// The segment that begins between `from` and the next place where one may begin.
    Charge { from: u32 },
}

/// A place in the code, and the entry to be used there.
type Place = (u32, usize);

#[derive(Default)]
struct Blocks {
    loop_starts: Vec<Option<Place>>,
    elses: Vec<Option<Place>>,
    ends: Vec<Option<Place>>,
}

impl Blocks {
    fn open(&mut self, loop_start: Option<Place>) -> Block {
        self.loop_starts.push(loop_start);
        self.elses.push(None);
        self.ends.push(None);
        self.ends.len() - 1
    }

    fn place(&self, target: &Target) -> Option<Place> {
        match *target {
            Target::Label(block) => self.loop_starts[block].or(self.ends[block]),
            Target::Else(block) => self.elses[block].or(self.ends[block]),
        }
    }
}

/// What is gathered of one function.
#[derive(Default)]
struct Walk {
    blocks: Blocks,
    /// Open blocks, and whether each began in dead code.
    open: Vec<(Block, bool)>,
    expected: Vec<Expected>,
    /// Offsets of the instructions that segments end at or before.
    boundaries: Vec<u32>,
    fuel: bool,
}

impl ModuleCode {
    /// Compares every entry of every function; fails with the first that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        let failed = |error: wasmparser::Error| format!("the module is no longer valid: {error}");
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let mut position = 0;
        for payload in Parser::new(0).parse_all(&self.module.bytes) {
            let valid = validator.payload(&payload.map_err(failed)?).map_err(failed)?;
            let ValidPayload::Func(function, bytes) = valid else { continue };
            let func = DefinedFuncIndex(position);
            let walk = self.walk(function, &bytes).map_err(failed)?;
            walk.compare(self.table_of(func), self.module.body(func)).map_err(|fault| {
                let lines =
                    self.describe(func).into_iter().map(|line| format!("{:#06x} {}", line.offset, line.text));
                let table = lines.collect::<Vec<_>>().join("\n");
                format!("function {}: {fault}\n{table}", self.module.func_index(func).0)
            })?;
            position += 1;
        }
        Ok(())
    }

    fn walk(
        &self,
        function: FuncToValidate<ValidatorResources>,
        bytes: &FunctionBody<'_>,
    ) -> Result<Walk, wasmparser::Error> {
        let mut validator = function.into_validator(Default::default());
        validator.read_locals(&mut bytes.get_binary_reader())?;
        let mut operators = bytes.get_operators_reader()?;
        let mut walk = Walk { fuel: self.fuel, ..Walk::default() };
        walk.enter(None, false);
        walk.charge(operators.original_position() as u32);
        while !operators.eof() {
            let at = operators.original_position() as u32;
            let operator = operators.read()?;
            let after = operators.original_position() as u32;
            let unreachable = validator.get_control_frame(0).is_some_and(|frame| frame.unreachable);
            let dead = unreachable || walk.open.last().is_some_and(|(_, dead)| *dead);
            // A branch that has taken `popped` operands before it looks at its label. Heights may be
            // nonsense where code is dead.
            let branch = |walk: &mut Walk, depth: u32, popped: u32| {
                let label = validator.get_control_frame(depth as usize).expect("validation knows the label");
                let signature = self.signature(label.block_type);
                let block = walk.open[walk.open.len() - 1 - depth as usize].0;
                let is_loop = walk.blocks.loop_starts[block].is_some();
                let is_function = depth as usize == walk.open.len() - 1;
                let keep = match (is_function, is_loop) {
                    (true, _) => results_of_function(&validator, self),
                    (false, true) => signature.params,
                    (false, false) => signature.results,
                };
                let (below, above) = (label.height as u32, popped + keep.values());
                let drop_slots = slots_between(&validator, below, above, self.module.vectors.is_some());
                walk.transfer(at, !dead, Target::Label(block), keep.slots(), drop_slots);
            };
            match &operator {
                Operator::Block { .. } => _ = walk.enter(None, dead),
                Operator::Loop { .. } => {
                    let place = (after, walk.expected.len());
                    walk.enter(Some(place), dead);
                    walk.boundary(at, after);
                }
                Operator::If { blockty } => {
                    let params = self.signature(*blockty).params;
                    let block = walk.enter(None, dead);
                    walk.transfer(at, !dead, Target::Else(block), params.slots(), 0);
                    walk.boundary(at, after);
                }
                Operator::Else => {
                    let block = walk.open.last().expect("validation balances blocks").0;
                    let frame = validator.get_control_frame(0).expect("validation balances blocks");
                    let results = self.signature(frame.block_type).results;
                    walk.transfer(at, !dead, Target::Label(block), results.slots(), 0);
                    walk.blocks.elses[block] = Some((after, walk.expected.len()));
                    walk.boundary(at, after);
                }
                Operator::End => {
                    let (block, _) = walk.open.pop().expect("validation balances blocks");
                    // The function's own end is executed by branches to it.
                    let place = if walk.open.is_empty() { at } else { after };
                    walk.blocks.ends[block] = Some((place, walk.expected.len()));
                    walk.boundary(at, after);
                }
                Operator::Br { relative_depth } => branch(&mut walk, *relative_depth, 0),
                Operator::BrIf { relative_depth } => {
                    branch(&mut walk, *relative_depth, 1);
                    walk.boundary(at, after);
                }
                Operator::BrTable { targets } => {
                    for depth in targets.targets() {
                        branch(&mut walk, depth?, 1);
                    }
                    branch(&mut walk, targets.default(), 1);
                }
                Operator::BrOnNull { relative_depth } => {
                    branch(&mut walk, *relative_depth, 1);
                    walk.boundary(at, after);
                }
                Operator::BrOnNonNull { relative_depth } => {
                    branch(&mut walk, *relative_depth, 0);
                    walk.boundary(at, after);
                }
                Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. } => {
                    walk.boundary(at, after);
                }
                // Nothing else branches and goes on.
                _ => {}
            }
            validator.op(u64::from(at), &operator)?;
        }
        Ok(walk)
    }

    fn signature(&self, ty: BlockType) -> Signature<'_> {
        match ty {
            BlockType::Empty => Signature { params: Row::EMPTY, results: Row::EMPTY },
            BlockType::Type(ty) => Signature { params: Row::EMPTY, results: Row::single(Width::of_read(ty)) },
            BlockType::FuncType(index) => Signature::of(self.module.func_type_at(index)),
        }
    }
}

fn results_of_function<'c>(validator: &FuncValidator<ValidatorResources>, code: &'c ModuleCode) -> Row<'c> {
    Row::results(code.module.func_type(FuncIndex(validator.index())))
}

/// Slots of the operands that have at least `below` operands below them and `above` above them.
fn slots_between(
    validator: &FuncValidator<ValidatorResources>,
    below: u32,
    above: u32,
    may_be_vectors: bool,
) -> u32 {
    let values = validator.operand_stack_height().wrapping_sub(below.wrapping_add(above));
    if !may_be_vectors {
        return values;
    }
    let operands =
        (above..above.saturating_add(values)).map_while(|depth| validator.get_operand_type(depth as usize));
    operands.map(|ty| ty.map_or(1, |ty| Width::of_read(ty).slots())).sum()
}

impl Walk {
    fn enter(&mut self, loop_start: Option<Place>, dead: bool) -> Block {
        let block = self.blocks.open(loop_start);
        self.open.push((block, dead));
        block
    }

    fn transfer(&mut self, at: u32, live: bool, target: Target, keep_slots: u32, drop_slots: u32) {
        self.expected.push(Expected::Transfer { at, live, target, keep_slots, drop_slots });
    }

    fn charge(&mut self, from: u32) {
        if self.fuel {
            self.expected.push(Expected::Charge { from });
        }
    }

    /// A segment ends with the instruction from `at` on, and one may begin after it.
    fn boundary(&mut self, at: u32, after: u32) {
        self.boundaries.push(at);
        self.charge(after);
    }

    fn compare(&self, entries: &[Entry], body: &FuncBody) -> Result<(), String> {
        if entries.len() != self.expected.len() {
            return Err(format!("{} entries where {} are used", entries.len(), self.expected.len()));
        }
        let mut paid = 0;
        for (position, (entry, expected)) in entries.iter().zip(&self.expected).enumerate() {
            match expected {
                Expected::Transfer { live: false, .. } => {}
                Expected::Transfer { at, target, keep_slots, drop_slots, .. } => {
                    let (to, to_entry) = self.blocks.place(target).ok_or("a block has no end")?;
                    let pc = (i64::from(to) - i64::from(*at)) as i32;
                    let stp = (to_entry as i64 - position as i64) as i32;
                    let right = Transfer { pc, stp, keep_slots: *keep_slots, drop_slots: *drop_slots };
                    if entry.transfer() != right {
                        return Err(format!("entry {position} at {at:#x} is not {right:?}"));
                    }
                }
                Expected::Charge { from } => {
                    let right = segment(body, self.until_boundary(*from, body));
                    paid += usize::from(right.cost > 0);
                    if entry.charge() != right {
                        return Err(format!("entry {position} is not {right:?}"));
                    }
                }
            }
        }
        if self.fuel && paid != body.fuel.len() {
            return Err(format!("{paid} of {} segments are paid for", body.fuel.len()));
        }
        Ok(())
    }

    /// From a place where a segment may begin to the next instruction that ends one, that included.
    fn until_boundary(&self, from: u32, body: &FuncBody) -> Range<u32> {
        let next = self.boundaries.partition_point(|at| *at < from);
        from..self.boundaries.get(next).map_or(body.code.end, |at| at + 1)
    }
}

/// The segment that begins within a range; one that costs nothing if none does.
fn segment(body: &FuncBody, range: Range<u32>) -> Charge {
    let first = body.fuel.partition_point(|segment| segment.offset < range.start);
    match body.fuel.get(first) {
        Some(segment) if range.contains(&segment.offset) => {
            Charge { cost: segment.cost, site: segment.offset }
        }
        _ => Charge { cost: 0, site: 0 },
    }
}
