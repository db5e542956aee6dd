//! Host functions as code of the module: each call does and answers what the host did and answered in a run before.
//!
//! A process that runs a command cannot call back into this one. But what a host does follows from the case alone, and
//! the reference runs the case first; so every call that it made is written down in the module, by the number of the
//! function and of the call. What the calls are given is mixed into a global, which the module answers as well.

use super::driver::{Import, constant_into, is_of};
use crate::hosts::{Deed, Played};
use std::collections::BTreeMap;
use wasm_encoder::{
    BlockType, ConstExpr, Function, GlobalSection, GlobalType, InstructionSink, MemArg, MemArgTarget, ValType,
};

/// Host calls that are written down, at most.
pub(super) const MOST_CALLS: usize = 200;
/// An odd number without a pattern: multiplying by it mixes.
const MIXER: i64 = 0x9e37_79b9_7f4a_7c15_u64 as i64;
const ROTATION: i64 = 29;

/// The memory that hosts write, at an address without an offset.
const FIRST_MEMORY: MemArg = MemArg { offset: 0, align: 0, target: MemArgTarget::Memory(0), ordering: None };

/// The calls of a run, by the host function's number.
#[derive(Clone, Debug, Default)]
pub(super) struct Play<'a> {
    by_number: BTreeMap<u32, Vec<&'a Played>>,
}

/// What the code of host functions needs to know of the module around it.
pub(super) struct Stage<'a> {
    /// The first of the globals that are added: the mixture, then a counter for each number.
    pub(super) first_global: u32,
    /// Whether addresses of the memory that hosts write are of 64 bits; none if it is not known which that is.
    pub(super) memory_is_64: Option<bool>,
    /// Functions that are called back, by their number among the exported ones, with their parameters and how many
    /// results they have; none if it is not known who is called back.
    pub(super) callable: Option<&'a [(u32, Vec<ValType>, usize)]>,
}

impl<'a> Play<'a> {
    /// The calls of a run, in the order in which they began.
    pub(super) fn new(played: &'a [Played]) -> Play<'a> {
        let mut play = Play::default();
        for call in played {
            play.by_number.entry(call.import).or_default().push(call);
        }
        play
    }

    /// Whether there is a call.
    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// Adds the globals.
    pub(super) fn add_globals(&self, globals: &mut GlobalSection) {
        let mutable = |val_type| GlobalType { val_type, mutable: true, shared: false };
        globals.global(mutable(ValType::I64), &ConstExpr::i64_const(0));
        for _ in self.by_number.keys() {
            globals.global(mutable(ValType::I32), &ConstExpr::i32_const(0));
        }
    }

    /// Writes that so many calls were made before, of all in order.
    pub(super) fn set_counters(&self, played: &[Played], first_global: u32, sink: &mut InstructionSink<'_>) {
        for (number, counter) in self.by_number.keys().zip(first_global + 1..) {
            let count = played.iter().filter(|call| call.import == *number).count();
            sink.i32_const(count as i32).global_set(counter);
        }
    }

    /// The code of a host function. Fails with what cannot be played.
    pub(super) fn body(&self, import: &Import, stage: &Stage<'_>) -> Result<Function, String> {
        let Import { number, params, results } = import;
        let mut body = Function::new([(1, ValType::I32)]);
        let mut sink = body.instructions();
        let Some(place) = self.by_number.keys().position(|known| known == number) else {
            // A subject that calls it although the reference did not shows so.
            sink.unreachable().end();
            return Ok(body);
        };
        let (calls, count) = (&self.by_number[number], params.len() as u32);
        let counter = stage.first_global + 1 + place as u32;
        sink.global_get(counter).local_tee(count).i32_const(1).i32_add().global_set(counter);
        mix(stage.first_global, &mut sink, |sink| {
            sink.i64_const(i64::from(*number));
        });
        for (ty, local) in params.iter().zip(0..) {
            for part in 0..if *ty == ValType::V128 { 2 } else { 1 } {
                mix(stage.first_global, &mut sink, |sink| {
                    sink.local_get(local);
                    as_i64(*ty, part, sink);
                });
            }
        }
        (0..=calls.len()).for_each(|_| {
            sink.block(BlockType::Empty);
        });
        let targets: Vec<u32> = (0..calls.len() as u32).collect();
        sink.local_get(count).br_table(targets, calls.len() as u32);
        for call in calls {
            sink.end();
            act(call, results, stage, &mut sink)?;
            sink.return_();
        }
        sink.end().unreachable().end();
        Ok(body)
    }
}

/// Mixes a number into the global.
fn mix(global: u32, sink: &mut InstructionSink<'_>, number: impl FnOnce(&mut InstructionSink<'_>)) {
    sink.global_get(global);
    number(sink);
    sink.i64_xor().i64_const(MIXER).i64_mul().i64_const(ROTATION).i64_rotl().global_set(global);
}

/// A value, or a half of a vector, as an integer of 64 bits.
fn as_i64(ty: ValType, part: u8, sink: &mut InstructionSink<'_>) {
    match ty {
        ValType::I32 => sink.i64_extend_i32_u(),
        ValType::I64 => sink,
        ValType::F32 => sink.i32_reinterpret_f32().i64_extend_i32_u(),
        ValType::F64 => sink.i64_reinterpret_f64(),
        ValType::V128 => sink.i64x2_extract_lane(part),
        ValType::Ref(_) => sink.ref_is_null().i64_extend_i32_u(),
    };
}

/// What one call does and answers; what follows is not reached if it failed.
fn act(
    call: &Played,
    types: &[ValType],
    stage: &Stage<'_>,
    sink: &mut InstructionSink<'_>,
) -> Result<(), String> {
    match &call.deed {
        Deed::Nothing => {}
        Deed::Writes { address, bytes } => {
            let is_64 = stage.memory_is_64.ok_or("it is not known which memory a host writes")?;
            for (byte, address) in bytes.iter().zip(*address..) {
                if is_64 {
                    sink.i64_const(address as i64);
                } else {
                    sink.i32_const(address as i32);
                }
                sink.i32_const(i32::from(*byte)).i32_store8(FIRST_MEMORY);
            }
        }
        Deed::CallsBack { number, args } => {
            let callable = stage.callable.ok_or("it is not known whom a host calls back")?;
            let (func, params, results) = callable.get(*number).ok_or("a host calls back nobody")?;
            for (arg, ty) in args.iter().zip(params) {
                constant_into(arg, *ty, sink)?;
            }
            sink.call(*func);
            (0..*results).for_each(|_| {
                sink.drop();
            });
        }
    }
    let Some(results) = &call.results else {
        sink.unreachable();
        return Ok(());
    };
    let fits = results.len() == types.len() && results.iter().zip(types).all(|(value, ty)| is_of(value, *ty));
    if !fits {
        // A function of another type that has the same number in another module.
        sink.unreachable();
        return Ok(());
    }
    results.iter().zip(types).try_for_each(|(value, ty)| constant_into(value, *ty, sink))
}
