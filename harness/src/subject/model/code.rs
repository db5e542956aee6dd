//! The code of a function, with what is known of it before it runs: where its blocks end, what its straight-line segments cost,
//! and how many slots a frame of it takes.

use super::module::{Module, is_executed};
use super::types::{Types, ValueType};
use crate::observe::Outcome;
use wasmparser::{BlockType, FunctionBody, Operator};

/// What a frame costs beside its parameters, locals and operands.
const FRAME_SLOTS: u32 = 8;
/// Why a body can be read.
const VALID: &str = "the module is valid";

/// The code of a function.
#[derive(Debug)]
pub(super) struct Code<'a> {
    /// Its index in its module.
    pub func: u32,
    pub result_count: usize,
    /// The types of the locals that are no parameters.
    pub locals: Vec<ValueType>,
    pub steps: Vec<Step<'a>>,
    /// Slots of the depth budget that a frame takes.
    pub frame_cost: u32,
}

/// An instruction.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub operator: Operator<'a>,
    /// The file offset of its opcode.
    pub offset: u32,
    /// What the straight-line segment costs that begins here; 0 if none does.
    pub cost: u64,
    /// Of a `block`, `loop`, `if` and `else`: what it encloses.
    pub block: Block,
}

/// A block, as seen from its first instruction.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Block {
    pub params: usize,
    pub results: usize,
    /// The number of its `end` in the code.
    pub end: usize,
    /// The number of its `else`, if it has one.
    pub otherwise: Option<usize>,
}

/// A block that is being read.
struct Open {
    /// The number of its first instruction; none for the function itself.
    first: Option<usize>,
    otherwise: Option<usize>,
    /// Operands below its parameters.
    height: usize,
    params: usize,
    results: usize,
    /// Whether nothing reaches the block.
    is_dead: bool,
}

/// A body that is being read.
struct Reading<'r, 'a> {
    module: &'r Module<'a>,
    types: &'r Types,
    steps: Vec<Step<'a>>,
    open: Vec<Open>,
    height: usize,
    highest: usize,
    /// Whether nothing reaches the next instruction.
    is_dead: bool,
    /// The number of the first instruction of the segment that is being counted.
    segment: Option<usize>,
}

impl<'a> Code<'a> {
    /// Reads a body of a module, all of whose other sections were read. Fails on what the model leaves out.
    pub fn decode(
        module: &Module<'a>,
        types: &Types,
        func: u32,
        body: &FunctionBody<'a>,
    ) -> Result<Code<'a>, Outcome> {
        let signature = types.signature(module.types[module.funcs[func as usize] as usize]);
        let (param_count, result_count) = (signature.params.len(), signature.results.len());
        let mut locals = Vec::new();
        for declaration in body.get_locals_reader().expect(VALID) {
            let (count, ty) = declaration.expect(VALID);
            let ty = module.scope().value_type(ty)?;
            locals.extend(std::iter::repeat_n(ty, count as usize));
        }
        let whole = Open {
            first: None,
            otherwise: None,
            height: 0,
            params: 0,
            results: result_count,
            is_dead: false,
        };
        let mut reading = Reading {
            module,
            types,
            steps: Vec::new(),
            open: vec![whole],
            height: 0,
            highest: 0,
            is_dead: false,
            segment: None,
        };
        let mut reader = body.get_operators_reader().expect(VALID);
        while !reader.eof() {
            let (operator, offset) = reader.read_with_offset().expect(VALID);
            is_executed(&operator)?;
            reading.step(operator, offset as u32);
        }
        let slots = param_count + locals.len() + reading.highest;
        let frame_cost = FRAME_SLOTS + slots as u32;
        Ok(Code { func, result_count, locals, steps: reading.steps, frame_cost })
    }
}

impl<'a> Reading<'_, 'a> {
    fn step(&mut self, operator: Operator<'a>, offset: u32) {
        let number = self.steps.len();
        let block = Block::default();
        self.steps.push(Step { operator, offset, cost: 0, block });
        let operator = self.steps[number].operator.clone();
        self.count(&operator, number);
        self.follow(&operator, number);
        if !self.is_dead {
            self.highest = self.highest.max(self.height);
        }
        self.is_dead |= never_goes_on(&operator);
    }

    /// Counts the instruction to its segment.
    fn count(&mut self, operator: &Operator<'_>, number: usize) {
        use Operator as O;
        match operator {
            O::Block { .. } => return,
            O::Loop { .. } | O::Else | O::End => {
                self.segment = None;
                return;
            }
            _ => {}
        }
        if !self.is_dead {
            let first = *self.segment.get_or_insert(number);
            self.steps[first].cost += 1;
        }
        if ends_segment(operator) {
            self.segment = None;
        }
    }

    /// Follows what the instruction does to the blocks that are open and to the height of the operands.
    fn follow(&mut self, operator: &Operator<'_>, number: usize) {
        use Operator as O;
        match operator {
            O::Block { blockty } | O::Loop { blockty } => self.begin(*blockty, number),
            O::If { blockty } => {
                self.lower(1);
                self.begin(*blockty, number);
            }
            O::Else => {
                let open = self.open.last_mut().expect(VALID);
                open.otherwise = Some(number);
                (self.height, self.is_dead) = (open.height + open.params, open.is_dead);
            }
            O::End => {
                let open = self.open.pop().expect(VALID);
                (self.height, self.is_dead) = (open.height + open.results, open.is_dead);
                if let Some(first) = open.first {
                    let Open { params, results, otherwise, .. } = open;
                    let block = Block { params, results, end: number, otherwise };
                    self.steps[first].block = block;
                    if let Some(otherwise) = otherwise {
                        self.steps[otherwise].block = block;
                    }
                }
            }
            O::Call { function_index } => self.call(self.module.funcs[*function_index as usize], 0),
            O::CallIndirect { type_index, .. } | O::CallRef { type_index } => self.call(*type_index, 1),
            O::BrIf { .. } | O::BrOnNonNull { .. } => self.lower(1),
            // The reference stays if there is no branch.
            O::BrOnNull { .. } => {}
            other if never_goes_on(other) => {}
            other => {
                let (pops, pushes) = fixed_arity(other);
                self.lower(pops);
                self.height += pushes;
            }
        }
    }

    fn begin(&mut self, ty: BlockType, number: usize) {
        let (params, results) = match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => self.arity(index),
        };
        self.lower(params);
        let (first, height, is_dead) = (Some(number), self.height, self.is_dead);
        self.height += params;
        self.open.push(Open { first, otherwise: None, height, params, results, is_dead });
    }

    fn call(&mut self, ty: u32, besides: usize) {
        let (params, results) = self.arity(ty);
        self.lower(params + besides);
        self.height += results;
    }

    /// Takes operands off, of which there may be too few only where nothing comes by.
    fn lower(&mut self, count: usize) {
        assert!(self.is_dead || self.height >= count, "{VALID}");
        self.height = self.height.saturating_sub(count);
    }

    fn arity(&self, ty: u32) -> (usize, usize) {
        let signature = self.types.signature(self.module.types[ty as usize]);
        (signature.params.len(), signature.results.len())
    }
}

/// Whether control never reaches what follows.
fn never_goes_on(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Unreachable
            | O::Br { .. }
            | O::BrTable { .. }
            | O::Return
            | O::ReturnCall { .. }
            | O::ReturnCallIndirect { .. }
            | O::ReturnCallRef { .. }
    )
}

/// Whether a segment ends behind the instruction: it is a call, a branch, an `if` or a return.
fn ends_segment(operator: &Operator<'_>) -> bool {
    use Operator as O;
    never_goes_on(operator)
        || matches!(
            operator,
            O::If { .. }
                | O::BrIf { .. }
                | O::BrOnNull { .. }
                | O::BrOnNonNull { .. }
                | O::Call { .. }
                | O::CallIndirect { .. }
                | O::CallRef { .. }
        )
}

/// How many operands an instruction takes and puts that does not depend on types.
fn fixed_arity(operator: &Operator<'_>) -> (usize, usize) {
    macro_rules! arity {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => arity!(@one $($ann)*),)*
                _ => unreachable!("it is not executed"),
            }
        };
        (@one arity $pops:tt -> $pushes:tt) => { ($pops, $pushes) };
        (@one arity memarg $pops:tt -> $pushes:tt) => { ($pops, $pushes) };
        (@one arity custom) => { unreachable!("its arity depends on types") };
    }
    wasmparser::for_each_operator!(arity)
}
