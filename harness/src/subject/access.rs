//! What an access to memory that trapped was about: its address, its size, and the memory's.
//!
//! A trap says where it happened and not with which operands, for compiled code does not keep them. So the program runs
//! once more in the interpreter that can be watched, and the operands are noted when the instruction is executed.

use super::{Lane, LaneSubject, Prepared, Subject, Trace, Unwatched, first_actions};
use crate::case::Case;
use crate::guard::guarded;
use crate::observe::{Capture, Outcome, State};
use crosscheck_engine::TrapKind;
use crosscheck_engine::opcode::Opcode;
use crosscheck_engine::opcode::reader::{MemArg, Reader};
use std::sync::{Arc, Mutex, PoisonError};

/// Operands kept: a bulk operation has three.
const KEPT: usize = 3;
/// Fuel for the run that is watched: a longer one is not worth the wait.
pub const WATCHED_FUEL: u64 = 20_000_000;

/// Notes the operands of one instruction each time it is executed.
pub struct AtSite {
    offset: u32,
    last: Mutex<Option<(u32, [u64; KEPT])>>,
}

impl AtSite {
    /// Watches the instruction at that file offset.
    pub fn new(offset: u32) -> Arc<AtSite> {
        Arc::new(AtSite { offset, last: Mutex::default() })
    }

    /// The access in words, if the instruction is one that accesses memory. `state` is that after the trap.
    pub fn describe(&self, wasm: &[u8], state: &State) -> Option<String> {
        let (instance, operands) = (*self.last.lock().unwrap_or_else(PoisonError::into_inner))?;
        let mut reader = Reader::new(wasm.get(self.offset as usize..)?, self.offset);
        let (_, opcode) = reader.opcode();
        // A store has the value above the address.
        let address = match opcode {
            Opcode::Load(_) => operands[0],
            Opcode::Store(_) => operands[1],
            Opcode::Memory(_) => {
                let [length, second, first] = operands;
                return Some(format!(
                    "{opcode} with operands {first:#x}, {second:#x} and length {length:#x}"
                ));
            }
            _ => return None,
        };
        let MemArg { memory, offset, .. } = reader.mem_arg();
        let at = u128::from(address) + u128::from(offset);
        let bytes = state.instances.get(instance as usize)?.memories.get(memory as usize)?.bytes;
        Some(format!(
            "{opcode} at {at:#x} ({address:#x} + offset {offset:#x}); memory {memory} has {bytes:#x} bytes"
        ))
    }
}

impl crosscheck_engine::Trace for AtSite {
    fn instruction(&self, instance: u32, offset: u32, _: Opcode, operands: &[u64]) {
        if offset == self.offset {
            let mut kept = [0; KEPT];
            kept.iter_mut().zip(operands.iter().rev()).for_each(|(kept, operand)| *kept = *operand);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((instance, kept));
        }
    }
}

/// The access of a case's action that trapped at that offset; none if it cannot be found out.
pub fn of_action(case: &Case, action: usize, site: u32) -> Option<String> {
    let mut watched = first_actions(case, action + 1).into_owned();
    watched.limits.fuel = Some(watched.limits.fuel.map_or(WATCHED_FUEL, |fuel| fuel.min(WATCHED_FUEL)));
    let at_site = AtSite::new(site);
    let subject = LaneSubject::new(Lane::plain(Trace::MODE)).traced(at_site.clone());
    let seen = guarded(|| {
        let prepared = Prepared::new(&watched);
        let is_valid = prepared.invalid().is_none();
        is_valid.then(|| subject.observe(&prepared, Capture::Full, &mut Unwatched))
    });
    let seen = seen.ok()??;
    let last = seen.actions.get(action)?;
    let frame = match &last.outcome {
        Outcome::Trap(trap) if trap.kind == TrapKind::MemoryOutOfBounds => {
            trap.frames.as_ref()?.kept.first()?
        }
        _ => return None,
    };
    let state = last.state.as_ref()?;
    let instance = frame.function?.0;
    let module = state.modules.iter().position(|latest| *latest == Some(instance))?;
    at_site.describe(&case.modules[module].wasm, state)
}
