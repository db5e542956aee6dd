//! Reads bodies as nodes: an instruction with what makes its operands, or a block up to its end.

use crosscheck_engine::Module;
use crosscheck_engine::opcode::{Control, Immediate, Nesting, Opcode};
use std::ops::Range;
use wasmparser::{
    BinaryReader, FuncValidator, FuncValidatorAllocations, FunctionBody, OperatorsReader, ValType,
    ValidPayload, Validator, ValidatorResources, WasmModuleResources,
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
    /// Where the opcode stands, or that which begins the block.
    pub at: usize,
    pub opcode: Opcode,
    /// What follows the opcode.
    pub immediates: Range<usize>,
    /// How many labels there are around it, the function's included. So it is the number of a block's own label.
    pub level: u32,
    pub operands: Vec<Operand>,
    pub results: Box<[ValType]>,
    /// The insides of a block: one, or the two arms of an `if`.
    pub inside: Vec<Range<usize>>,
}

/// The inside of a block, an arm of an `if`, or a whole function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arm {
    pub inside: Range<usize>,
    /// Where its own instructions stand, those of blocks inside left out.
    pub instructions: Vec<usize>,
    /// Neighbouring statements: nodes that leave nothing.
    pub statements: Vec<Range<usize>>,
}

/// An index that an instruction names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    pub bytes: Range<usize>,
    /// `Label`, `Local`, `Func` or `Type`.
    pub of: Immediate,
    /// The index; of labels the number of the label, counted from the function's, which is 0.
    pub index: u32,
    /// Of labels, the relative depth.
    pub depth: u32,
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
    /// What the end of the code finds on the stack: the results, or the topmost ones where control does not get there.
    pub left: Vec<Operand>,
    pub nodes: Vec<Node>,
    pub arms: Vec<Arm>,
    /// In the order of the code.
    pub names: Vec<Name>,
}

impl Body {
    /// Where locals are named, and which.
    pub fn local_names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().filter(|name| name.of == Immediate::Local)
    }

    /// The names within a range of code.
    pub fn names_in(&self, range: &Range<usize>) -> impl Iterator<Item = &Name> {
        let (start, end) = (range.start, range.end);
        self.names.iter().filter(move |name| start <= name.bytes.start && name.bytes.end <= end)
    }
}

/// All bodies of a module; none if it is not valid.
pub fn bodies(wasm: &[u8]) -> Vec<Body> {
    read(wasm).unwrap_or_default()
}

fn read(wasm: &[u8]) -> wasmparser::Result<Vec<Body>> {
    let mut validator = Validator::new_with_features(Module::FEATURES);
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
    /// What is known of it already.
    node: Node,
    /// The present arm.
    arm: Arm,
    height: usize,
}

struct Reading {
    stack: Vec<Item>,
    open: Vec<Open>,
    nodes: Vec<Node>,
    arms: Vec<Arm>,
    names: Vec<Name>,
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
            open.arm.statements.push(bytes);
        }
        self.nodes.push(node);
    }

    /// Begins a block or an arm, where its inside begins.
    fn arm(at: usize) -> Arm {
        Arm { inside: at..at, instructions: Vec::new(), statements: Vec::new() }
    }

    /// Ends an arm. What follows it, if anything, begins at `next`.
    fn end_arm(&mut self, at: usize, next: usize) {
        let open = self.open.last_mut().expect("validation pairs blocks and ends");
        let mut arm = std::mem::replace(&mut open.arm, Reading::arm(next));
        arm.inside.end = at;
        open.node.inside.push(arm.inside.clone());
        self.arms.push(arm);
    }

    /// What a block takes it finds inside.
    fn push_inside(&mut self, at: usize, count: u32) {
        self.stack.extend((0..count).map(|_| Item { bytes: at..at, ty: None }));
    }

    /// Notes the indices that an instruction names.
    fn note_names(&mut self, wasm: &[u8], opcode: Opcode, range: Range<usize>) -> wasmparser::Result<()> {
        let mut bytes = BinaryReader::new(&wasm[range.clone()], range.start as u64);
        let labels = self.open.len() as u32;
        let mut name = |of: Immediate, bytes: &mut BinaryReader<'_>| -> wasmparser::Result<()> {
            let start = bytes.original_position() as usize;
            let value = bytes.read_var_u32()?;
            let bytes = start..bytes.original_position() as usize;
            let is_label = of == Immediate::Label;
            let index = if is_label { labels.saturating_sub(1 + value) } else { value };
            self.names.push(Name { bytes, of, index, depth: if is_label { value } else { 0 } });
            Ok(())
        };
        for immediate in opcode.row().immediates {
            match immediate {
                Immediate::Label | Immediate::Func | Immediate::Type | Immediate::Local => {
                    name(*immediate, &mut bytes)?;
                }
                Immediate::Labels => {
                    for _ in 0..=bytes.read_var_u32()? {
                        name(Immediate::Label, &mut bytes)?;
                    }
                }
                Immediate::BlockType => {
                    // Indices are positive as signed numbers, types are negative.
                    match wasm[bytes.original_position() as usize] {
                        0x40 => _ = bytes.read_u8()?,
                        first if first & 0xc0 == 0x40 => _ = bytes.read::<ValType>()?,
                        _ => name(Immediate::Type, &mut bytes)?,
                    }
                }
                Immediate::Catches => {
                    for _ in 0..bytes.read_var_u32()? {
                        if bytes.read_u8()? < 2 {
                            bytes.read_var_u32()?;
                        }
                        name(Immediate::Label, &mut bytes)?;
                    }
                }
                Immediate::CastFlags => _ = bytes.read_u8()?,
                // Nothing that is noted follows these.
                Immediate::Table
                | Immediate::Memory
                | Immediate::MemArg
                | Immediate::Global
                | Immediate::Tag
                | Immediate::Data
                | Immediate::Elem
                | Immediate::Field
                | Immediate::HeapType
                | Immediate::SelectTypes
                | Immediate::I32
                | Immediate::I64
                | Immediate::F32
                | Immediate::F64
                | Immediate::V128
                | Immediate::Lane
                | Immediate::Lanes16
                | Immediate::Count
                | Immediate::Reserved => break,
            }
        }
        Ok(())
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
    let (params, results) = (ty.params().len(), Box::<[ValType]>::from(ty.results()));
    let mut locals = ty.params().to_vec();
    for _ in 0..bytes.read_var_u32()? {
        let offset = bytes.original_position();
        let (count, ty) = (bytes.read_var_u32()?, bytes.read::<ValType>()?);
        validator.define_locals(offset, count, ty)?;
        locals.extend(std::iter::repeat_n(ty, count as usize));
    }
    let code_start = bytes.original_position() as usize;
    let mut reader = OperatorsReader::new(bytes);
    let function = Node {
        bytes: code_start..code_start,
        at: code_start,
        opcode: Opcode::Control(Control::Block),
        immediates: code_start..code_start,
        level: 0,
        operands: Vec::new(),
        results: Box::default(),
        inside: Vec::new(),
    };
    let (stack, nodes, arms, names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let open = vec![Open { node: function, arm: Reading::arm(code_start), height: 0 }];
    let mut reading = Reading { stack, open, nodes, arms, names };
    let mut last = code_start;
    let mut left = Vec::new();
    while !reader.eof() {
        let at = reader.original_position() as usize;
        last = at;
        let operator = reader.read()?;
        let end = reader.original_position() as usize;
        let Some((opcode, length)) = Opcode::decode(&wasm[at..]) else { break };
        let immediates = at + length..end;
        reading.note_names(wasm, opcode, immediates.clone())?;
        let (pops, pushes) = operator.operator_arity(&*validator).unwrap_or((0, 0));
        validator.op(at as u64, &operator)?;
        let nesting = opcode.structure().nesting;
        match nesting {
            Nesting::Divides => {
                reading.end_arm(at, end);
                let height = reading.open.last().map_or(0, |open| open.height);
                reading.stack.truncate(height);
                reading.push_inside(end, pushes);
            }
            Nesting::Ends => {
                reading.end_arm(at, end);
                if reading.open.len() == 1 {
                    left = reading.take(results.len());
                }
                let Open { mut node, height, .. } =
                    reading.open.pop().expect("validation pairs blocks and ends");
                if reading.open.is_empty() {
                    break;
                }
                reading.stack.truncate(height);
                node.bytes.end = end;
                node.results = types(validator, pushes);
                reading.node(node);
            }
            Nesting::Begins | Nesting::Inside => {
                let level = reading.open.len() as u32;
                reading.open.last_mut().expect("the function is open").arm.instructions.push(at);
                let operands = reading.take(pops as usize);
                let start = operands.first().map_or(at, |operand| operand.bytes.start);
                let (bytes, results, inside) = (start..end, Box::default(), Vec::new());
                let mut node = Node { bytes, at, opcode, immediates, level, operands, results, inside };
                if nesting == Nesting::Begins {
                    let height = reading.stack.len();
                    reading.open.push(Open { node, arm: Reading::arm(end), height });
                    reading.push_inside(end, pushes);
                } else {
                    node.results = types(validator, pushes);
                    reading.node(node);
                }
            }
        }
    }
    let Reading { nodes, arms, names, .. } = reading;
    Ok(Body { number, start, code: code_start..last, params, locals, results, left, nodes, arms, names })
}

/// The types of the topmost operands, as far as they are known.
fn types(validator: &FuncValidator<ValidatorResources>, count: u32) -> Box<[ValType]> {
    let known = (0..count as usize).rev().map(|depth| validator.get_operand_type(depth).flatten());
    known.map(|ty| ty.unwrap_or(ValType::I32)).collect()
}
