//! Reads bodies as nodes: an instruction with what makes its operands, or a block up to its end.

use crosscheck_engine::opcode::{Control, Opcode, Variable};
use std::ops::Range;
use wasmparser::{
    FuncValidator, FuncValidatorAllocations, FunctionBody, OperatorsReader, ValType, ValidPayload, Validator,
    ValidatorResources, WasmFeatures, WasmModuleResources,
};

/// Something an instruction takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operand {
    /// What makes it, with all that goes into it.
    pub bytes: Range<usize>,
    /// Its type, if what makes it makes nothing else.
    pub ty: Option<ValType>,
}

/// An instruction with its operands, or a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub bytes: Range<usize>,
    pub opcode: Opcode,
    pub operands: Vec<Operand>,
    pub results: Box<[ValType]>,
    /// The insides of a block: one, or the two arms of an `if`.
    pub inside: Vec<Range<usize>>,
}

/// A function body. Offsets are the module's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    pub number: usize,
    /// Where the declarations of locals begin.
    pub start: usize,
    /// The instructions, without the last `end`.
    pub code: Range<usize>,
    pub params: usize,
    /// Types of parameters and locals.
    pub locals: Vec<ValType>,
    pub results: Box<[ValType]>,
    pub nodes: Vec<Node>,
    /// Neighbouring statements - nodes that leave nothing - of each block.
    pub sequences: Vec<Vec<Range<usize>>>,
    /// Where locals are named, and which.
    pub local_uses: Vec<(Range<usize>, u32)>,
}

/// All bodies of a module; none if it is not valid.
pub fn bodies(wasm: &[u8]) -> Vec<Body> {
    read(wasm).unwrap_or_default()
}

fn read(wasm: &[u8]) -> wasmparser::Result<Vec<Body>> {
    let features = WasmFeatures::WASM3 | WasmFeatures::THREADS | WasmFeatures::WIDE_ARITHMETIC;
    let mut validator = Validator::new_with_features(features);
    let mut allocations = FuncValidatorAllocations::default();
    let mut bodies = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let ValidPayload::Func(func, body) = validator.payload(&payload?)? {
            let mut func = func.into_validator(allocations);
            bodies.push(read_body(wasm, bodies.len(), &mut func, &body)?);
            allocations = func.into_allocations();
        }
    }
    Ok(bodies)
}

/// A value on the stack: where what makes it begins and ends.
type Item = Operand;

/// A block that has begun.
struct Open {
    start: usize,
    opcode: Opcode,
    operands: Vec<Operand>,
    inside: usize,
    arms: Vec<Range<usize>>,
    height: usize,
    statements: Vec<Range<usize>>,
}

struct Reading {
    stack: Vec<Item>,
    open: Vec<Open>,
    nodes: Vec<Node>,
    sequences: Vec<Vec<Range<usize>>>,
}

impl Reading {
    /// Takes operands, as many as the block has.
    fn take(&mut self, count: usize) -> Vec<Operand> {
        let height = self.open.last().map_or(0, |open| open.height);
        let first = self.stack.len().saturating_sub(count).max(height.min(self.stack.len()));
        self.stack.split_off(first)
    }

    /// Adds a node: its results go to the stack, or it is a statement.
    fn node(&mut self, node: Node) {
        let bytes = node.bytes.clone();
        let ty = if let [one] = *node.results { Some(one) } else { None };
        self.stack.extend(node.results.iter().map(|_| Item { bytes: bytes.clone(), ty }));
        if node.results.is_empty()
            && let Some(open) = self.open.last_mut()
        {
            open.statements.push(bytes);
        }
        self.nodes.push(node);
    }

    fn end_arm(&mut self, at: usize) {
        let open = self.open.last_mut().expect("validation pairs blocks and ends");
        self.sequences.push(std::mem::take(&mut open.statements));
        open.arms.push(open.inside..at);
    }
}

fn read_body(
    wasm: &[u8],
    number: usize,
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> wasmparser::Result<Body> {
    let mut bytes = body.get_binary_reader();
    let start = bytes.original_position() as usize;
    let ty = validator.resources().type_index_of_function(validator.index());
    let ty = ty.and_then(|index| validator.resources().sub_type_at(index));
    let ty = ty.expect("functions have types").unwrap_func();
    let (params, results) = (ty.params().len(), ty.results().into());
    let mut locals = ty.params().to_vec();
    for _ in 0..bytes.read_var_u32()? {
        let offset = bytes.original_position();
        let (count, ty) = (bytes.read_var_u32()?, bytes.read::<ValType>()?);
        validator.define_locals(offset, count, ty)?;
        locals.extend(std::iter::repeat_n(ty, count as usize));
    }
    let code_start = bytes.original_position() as usize;
    let mut reader = OperatorsReader::new(bytes);
    let function = Open {
        start: code_start,
        opcode: Opcode::Control(Control::Block),
        operands: Vec::new(),
        inside: code_start,
        arms: Vec::new(),
        height: 0,
        statements: Vec::new(),
    };
    let mut reading =
        Reading { stack: Vec::new(), open: vec![function], nodes: Vec::new(), sequences: Vec::new() };
    let mut local_uses = Vec::new();
    let mut last = code_start;
    while !reader.eof() {
        let at = reader.original_position() as usize;
        last = at;
        let operator = reader.read()?;
        let end = reader.original_position() as usize;
        let Some((opcode, length)) = Opcode::decode(&wasm[at..]) else { break };
        if let Opcode::Variable(Variable::LocalGet | Variable::LocalSet | Variable::LocalTee) = opcode {
            let mut index = wasmparser::BinaryReader::new(&wasm[at + length..end], 0);
            local_uses.push((at + length..end, index.read_var_u32()?));
        }
        let (pops, pushes) = operator.operator_arity(&*validator).unwrap_or((0, 0));
        validator.op(at as u64, &operator)?;
        match opcode {
            Opcode::Control(Control::Block | Control::Loop | Control::If | Control::TryTable) => {
                let operands = reading.take(pops as usize);
                let start = operands.first().map_or(at, |operand| operand.bytes.start);
                let (height, statements) = (reading.stack.len(), Vec::new());
                let arms = Vec::new();
                reading.open.push(Open { start, opcode, operands, inside: end, arms, height, statements });
                // What a block takes it finds inside.
                let inside = Item { bytes: end..end, ty: None };
                reading.stack.extend((0..pushes).map(|_| inside.clone()));
            }
            Opcode::Control(Control::Else) => {
                reading.end_arm(at);
                let open = reading.open.last_mut().expect("validation pairs blocks and ends");
                open.inside = end;
                let height = open.height;
                reading.stack.truncate(height);
                let inside = Item { bytes: end..end, ty: None };
                reading.stack.extend((0..pushes).map(|_| inside.clone()));
            }
            Opcode::Control(Control::End) => {
                reading.end_arm(at);
                let open = reading.open.pop().expect("validation pairs blocks and ends");
                if reading.open.is_empty() {
                    break;
                }
                reading.stack.truncate(open.height);
                let results = types(validator, pushes);
                let Open { start, opcode, operands, arms: inside, .. } = open;
                reading.node(Node { bytes: start..end, opcode, operands, results, inside });
            }
            _ => {
                let operands = reading.take(pops as usize);
                let start = operands.first().map_or(at, |operand| operand.bytes.start);
                let results = types(validator, pushes);
                reading.node(Node { bytes: start..end, opcode, operands, results, inside: Vec::new() });
            }
        }
    }
    let Reading { nodes, sequences, .. } = reading;
    Ok(Body { number, start, code: code_start..last, params, locals, results, nodes, sequences, local_uses })
}

/// The types of the topmost operands, as far as they are known.
fn types(validator: &FuncValidator<ValidatorResources>, count: u32) -> Box<[ValType]> {
    let known = (0..count as usize).rev().map(|depth| validator.get_operand_type(depth).flatten());
    known.map(|ty| ty.unwrap_or(ValType::I32)).collect()
}
