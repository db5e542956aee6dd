//! Rewrites one function body: copies its bytes, and splices in what is new.
//!
//! The operators are walked together with the validator, which knows the operand types and what is reachable.
//! Unreachable code is copied as it is.

mod float;

use super::{Additions, Taming};
use crate::draw::Stream;
use crate::generate::Profile;
pub(in crate::generate) use float::Float;
use wasm_encoder::{BlockType, Encode, InstructionSink};
use wasmparser::{
    BinaryReaderError, FrameKind, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
    MemArg, MemArgTarget, Operator, OperatorsReader, ValType, ValidatorResources, WasmModuleResources,
};

/// Rewrites function bodies; keeps allocations between them.
#[derive(Default)]
pub(super) struct FunctionRewriter {
    allocations: FuncValidatorAllocations,
    instructions: Vec<u8>,
    insertion: Vec<u8>,
}

/// What the rewriting of a module's functions has to go by.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The whole module.
    pub(super) wasm: &'a [u8],
    /// What may be referred to that is new.
    pub(super) additions: &'a Additions,
    /// How much is tamed.
    pub(super) taming: &'a Taming,
    /// Whether NaNs are made canonical.
    pub(super) profile: Profile,
}

impl FunctionRewriter {
    /// Appends the new body, its size in front, to `out`. Fails on an invalid body.
    pub(super) fn rewrite(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
        context: Context<'_>,
        stream: &mut Stream,
        out: &mut Vec<u8>,
    ) -> Result<(), BinaryReaderError> {
        let function_type = function.ty;
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let code_start = reader.original_position() as usize;
        let mut operators = OperatorsReader::new(reader);
        let mut walk = Walk {
            results: results_of(validator.resources(), function_type),
            first_new_local: validator.len_locals(),
            new_locals: Vec::new(),
            rounds_local: None,
            context,
            validator,
        };
        self.instructions.clear();
        let mut copied = code_start;
        while !operators.eof() {
            let start = operators.original_position();
            let operator = operators.read()?;
            let end = operators.original_position() as usize;
            self.insertion.clear();
            let place = walk.edit(&operator, stream, &mut self.insertion);
            walk.validator.op(start, &operator)?;
            let (until, from) = match place {
                Place::Nowhere => continue,
                Place::Before => (start as usize, start as usize),
                Place::Instead => (start as usize, end),
                Place::After => (end, end),
            };
            self.instructions.extend_from_slice(&context.wasm[copied..until]);
            self.instructions.extend_from_slice(&self.insertion);
            copied = from;
        }
        self.instructions.extend_from_slice(&context.wasm[copied..body.range().end as usize]);

        let groups = body.get_locals_reader()?;
        let old_groups = &context.wasm[groups.original_position() as usize..code_start];
        let mut locals = Vec::with_capacity(old_groups.len() + 16);
        (groups.get_count() + walk.new_locals.len() as u32).encode(&mut locals);
        locals.extend_from_slice(old_groups);
        for ty in &walk.new_locals {
            1u32.encode(&mut locals);
            ty.encode(&mut locals);
        }
        ((locals.len() + self.instructions.len()) as u32).encode(out);
        out.extend_from_slice(&locals);
        out.extend_from_slice(&self.instructions);
        self.allocations = walk.validator.into_allocations();
        Ok(())
    }
}

/// Where new bytes go, relative to an operator of the old body.
enum Place {
    /// There are none.
    Nowhere,
    Before,
    Instead,
    After,
}

/// The state of walking one body.
struct Walk<'a> {
    context: Context<'a>,
    validator: FuncValidator<ValidatorResources>,
    /// Result types of the function.
    results: Vec<ValType>,
    /// How many locals there were, parameters included.
    first_new_local: u32,
    /// Types of the locals that were added.
    new_locals: Vec<wasm_encoder::ValType>,
    /// The local that counts rounds of loops, once there is a loop.
    rounds_local: Option<u32>,
}

impl Walk<'_> {
    /// Writes what an operator needs before it, instead of it or after it. Called before the operator is validated.
    fn edit(&mut self, operator: &Operator<'_>, stream: &mut Stream, code: &mut Vec<u8>) -> Place {
        let frame =
            self.validator.get_control_frame(0).expect("the function's frame ends with the last operator");
        if frame.unreachable {
            return Place::Nowhere;
        }
        let taming = self.context.taming;
        if self.context.profile == Profile::Judged
            && let Some(float) = Float::of_new_nans(operator)
        {
            let scratch = self.scratch_local(float.local());
            float.canonicalise(scratch, code);
            return Place::After;
        }
        match operator {
            Operator::Drop => {
                let ty = self.top().expect("`drop` has an operand");
                self.mix_into_sink(ty, stream, code);
                Place::Instead
            }
            Operator::Unreachable if stream.percent(taming.unreachables_percent) => self.leave_block(code),
            Operator::Loop { .. } => match taming.rounds {
                Some(rounds) => self.count_rounds(rounds, code),
                None => Place::Nowhere,
            },
            _ if taming.operands_percent == 0 => Place::Nowhere,
            Operator::CallIndirect { type_index, table_index: 0 }
            | Operator::ReturnCallIndirect { type_index, table_index: 0 } => {
                let tame = stream.percent(taming.operands_percent);
                self.choose_callee(*type_index, tame, stream, code)
            }
            Operator::I32DivS | Operator::I32DivU | Operator::I32RemS | Operator::I32RemU => {
                if !stream.percent(taming.operands_percent) {
                    return Place::Nowhere;
                }
                InstructionSink::new(code).i32_const(1).i32_or();
                Place::Before
            }
            Operator::I64DivS | Operator::I64DivU | Operator::I64RemS | Operator::I64RemU => {
                if !stream.percent(taming.operands_percent) {
                    return Place::Nowhere;
                }
                InstructionSink::new(code).i64_const(1).i64_or();
                Place::Before
            }
            other => match memory_access(other) {
                Some(access) if stream.percent(taming.operands_percent) => {
                    self.mask_address(access, stream, code)
                }
                Some(_) | None => Place::Nowhere,
            },
        }
    }

    /// The type of the topmost operand; `None` if there is none or it may be of any type.
    fn top(&self) -> Option<ValType> {
        self.validator.get_operand_type(0).flatten()
    }

    fn new_local(&mut self, ty: wasm_encoder::ValType) -> u32 {
        self.new_locals.push(ty);
        self.first_new_local + self.new_locals.len() as u32 - 1
    }

    /// A new local of the type, shared by all that need one for a moment only.
    fn scratch_local(&mut self, ty: wasm_encoder::ValType) -> u32 {
        let known = (0..).zip(&self.new_locals).find(|(number, known)| {
            **known == ty && Some(self.first_new_local + number) != self.rounds_local
        });
        match known {
            Some((number, _)) => self.first_new_local + number,
            None => self.new_local(ty),
        }
    }

    /// Pops a value, and turns and mixes its bits into the sink.
    fn mix_into_sink(&self, ty: ValType, stream: &mut Stream, code: &mut Vec<u8>) {
        let mut sink = InstructionSink::new(code);
        match ty {
            ValType::I32 => sink.i64_extend_i32_u(),
            ValType::I64 => &mut sink,
            ValType::F32 => sink.i32_reinterpret_f32().i64_extend_i32_u(),
            ValType::F64 => sink.i64_reinterpret_f64(),
            ValType::V128 => sink.i64x2_extract_lane(stream.below(2) as u8),
            ValType::Ref(_) => sink.ref_is_null().i64_extend_i32_u(),
        };
        // An odd distance visits every bit in the end; less than 64 is one byte.
        let distance = 1 + 2 * stream.below(32) as i64;
        let global = self.context.additions.sink;
        sink.global_get(global).i64_const(distance).i64_rotl().i64_xor().global_set(global);
    }

    /// Leaves the innermost block with default values, or the function if the block is a loop.
    fn leave_block(&self, code: &mut Vec<u8>) -> Place {
        let frame = self.validator.get_control_frame(0).expect("there is a frame");
        if frame.kind == FrameKind::Loop {
            if push_defaults(&self.results, code).is_none() {
                return Place::Nowhere;
            }
            InstructionSink::new(code).return_();
            return Place::Instead;
        }
        let results = match frame.block_type {
            wasmparser::BlockType::Empty => Vec::new(),
            wasmparser::BlockType::Type(ty) => vec![ty],
            wasmparser::BlockType::FuncType(index) => results_of(self.validator.resources(), index),
        };
        if push_defaults(&results, code).is_none() {
            return Place::Nowhere;
        }
        InstructionSink::new(code).br(0);
        Place::Instead
    }

    /// At the head of a loop: leaves the function if its loops went round often enough.
    fn count_rounds(&mut self, rounds: i32, code: &mut Vec<u8>) -> Place {
        let mut leaving = Vec::with_capacity(16);
        if push_defaults(&self.results, &mut leaving).is_none() {
            return Place::Nowhere;
        }
        let local = match self.rounds_local {
            Some(local) => local,
            None => {
                let local = self.new_local(wasm_encoder::ValType::I32);
                *self.rounds_local.insert(local)
            }
        };
        let mut sink = InstructionSink::new(code);
        sink.local_get(local).i32_const(1).i32_add().local_tee(local).i32_const(rounds).i32_gt_u();
        sink.if_(BlockType::Empty);
        code.extend_from_slice(&leaving);
        InstructionSink::new(code).return_().end();
        Place::After
    }

    /// Replaces the index of a `call_indirect` by that of a slot with a function of its type, if there is one.
    ///
    /// If not, the index is made small: it then meets another type, a null or the end of the table, where a
    /// random index meets the end only.
    fn choose_callee(&self, type_index: u32, tame: bool, stream: &mut Stream, code: &mut Vec<u8>) -> Place {
        let additions = self.context.additions;
        // The table is empty, has 64-bit indices, or holds other references.
        if additions.slots.is_empty() {
            return Place::Nowhere;
        }
        let wanted = additions.types[type_index as usize];
        let matching = || (0..).zip(&additions.slot_types).filter(|(_, ty)| **ty == wanted);
        let count = if tame { matching().count() as u64 } else { 0 };
        if count == 0 {
            InstructionSink::new(code).i32_const(15).i32_and();
            return Place::Before;
        }
        let (slot, _) = matching().nth(stream.below(count) as usize).expect("there are so many");
        self.mix_into_sink(ValType::I32, stream, code);
        InstructionSink::new(code).i32_const(slot);
        Place::Before
    }

    /// Masks the address of a load or store so that it lies in the memory's first half, or lower.
    ///
    /// What the offset adds may still lead out of bounds.
    fn mask_address(&mut self, access: Access, stream: &mut Stream, code: &mut Vec<u8>) -> Place {
        let memory = self.validator.resources().memory_at(access.memory).expect("the access is valid");
        let bytes = memory.initial.saturating_mul(1 << 16);
        if bytes == 0 {
            return Place::Nowhere;
        }
        let mask = (u64::MAX >> bytes.leading_zeros()) >> (1 + stream.below(10));
        let stored = if access.stores { self.top().and_then(encoded) } else { None };
        if access.stores && stored.is_none() {
            return Place::Nowhere;
        }
        let scratch = stored.map(|ty| self.scratch_local(ty));
        let mut sink = InstructionSink::new(code);
        if let Some(scratch) = scratch {
            sink.local_set(scratch);
        }
        if memory.memory64 {
            sink.i64_const(mask as i64).i64_and();
        } else {
            sink.i32_const(mask as u32 as i32).i32_and();
        }
        if let Some(scratch) = scratch {
            sink.local_get(scratch);
        }
        Place::Before
    }
}

/// A scalar access to memory.
struct Access {
    memory: u32,
    /// Whether the value to store lies above the address.
    stores: bool,
}

fn memory_access(operator: &Operator<'_>) -> Option<Access> {
    let access = |memarg: &MemArg, stores| match memarg.target {
        MemArgTarget::Memory(memory) => Some(Access { memory, stores }),
        MemArgTarget::Array(_) => None,
    };
    match operator {
        Operator::I32Load { memarg }
        | Operator::I64Load { memarg }
        | Operator::F32Load { memarg }
        | Operator::F64Load { memarg }
        | Operator::I32Load8S { memarg }
        | Operator::I32Load8U { memarg }
        | Operator::I32Load16S { memarg }
        | Operator::I32Load16U { memarg }
        | Operator::I64Load8S { memarg }
        | Operator::I64Load8U { memarg }
        | Operator::I64Load16S { memarg }
        | Operator::I64Load16U { memarg }
        | Operator::I64Load32S { memarg }
        | Operator::I64Load32U { memarg }
        | Operator::V128Load { memarg } => access(memarg, false),
        Operator::I32Store { memarg }
        | Operator::I64Store { memarg }
        | Operator::F32Store { memarg }
        | Operator::F64Store { memarg }
        | Operator::I32Store8 { memarg }
        | Operator::I32Store16 { memarg }
        | Operator::I64Store8 { memarg }
        | Operator::I64Store16 { memarg }
        | Operator::I64Store32 { memarg }
        | Operator::V128Store { memarg } => access(memarg, true),
        _ => None,
    }
}

/// Result types of a function type of the module.
fn results_of(resources: &ValidatorResources, type_index: u32) -> Vec<ValType> {
    let ty = resources.sub_type_at(type_index).expect("the type was validated");
    ty.unwrap_func().results().to_vec()
}

/// The type as the encoder has it; `None` for references, which nothing here stores.
fn encoded(ty: ValType) -> Option<wasm_encoder::ValType> {
    match ty {
        ValType::I32 => Some(wasm_encoder::ValType::I32),
        ValType::I64 => Some(wasm_encoder::ValType::I64),
        ValType::F32 => Some(wasm_encoder::ValType::F32),
        ValType::F64 => Some(wasm_encoder::ValType::F64),
        ValType::V128 => Some(wasm_encoder::ValType::V128),
        ValType::Ref(_) => None,
    }
}

/// Pushes zero of each type; `None`, and nothing written, if a type has none that is easily written.
fn push_defaults(types: &[ValType], code: &mut Vec<u8>) -> Option<()> {
    let start = code.len();
    for ty in types {
        let mut sink = InstructionSink::new(code);
        match ty {
            ValType::I32 => sink.i32_const(0),
            ValType::I64 => sink.i64_const(0),
            ValType::F32 => sink.f32_const(0.0.into()),
            ValType::F64 => sink.f64_const(0.0.into()),
            ValType::V128 => sink.v128_const(0),
            ValType::Ref(ty) if *ty == wasmparser::RefType::FUNCREF => {
                sink.ref_null(wasm_encoder::HeapType::FUNC)
            }
            ValType::Ref(ty) if *ty == wasmparser::RefType::EXTERNREF => {
                sink.ref_null(wasm_encoder::HeapType::EXTERN)
            }
            ValType::Ref(_) => {
                code.truncate(start);
                return None;
            }
        };
    }
    Some(())
}
