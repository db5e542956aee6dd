//! Where a trap happened, and through which calls.

use super::store::{Call, FuncKind, Stop, Store};
use crate::observe::{Capture, Frame, Frames, Outcome, TrapObservation};
use crosscheck_engine::TrapKind;

/// Innermost frames that are kept, and outermost ones.
const INNERMOST: u64 = 64;
const OUTERMOST: u64 = 16;

impl Store<'_> {
    /// The end of an action by a trap, at that instruction and through the calls that are in progress. What has ended
    /// an action already, has its place.
    pub fn located(&self, stop: Stop, site: Option<u32>) -> Stop {
        let (kind, message) = match stop {
            Stop::Trap(kind) => (kind, None),
            Stop::Host(words) => (TrapKind::Host, Some(words.to_string())),
            ended @ Stop::Ended(_) => return ended,
        };
        Outcome::Trap(TrapObservation { kind, message, site, frames: Some(self.frames()) }).into()
    }

    /// The calls in progress, innermost first.
    fn frames(&self) -> Frames {
        let count = self.calls.len() as u64;
        let mut hash = 0xcbf2_9ce4_8422_2325;
        let mut kept = Vec::new();
        for (call, number) in self.calls.iter().rev().zip(0..) {
            for byte in identity(call) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            let is_kept = number < INNERMOST || count - number <= OUTERMOST;
            if is_kept && self.capture == Capture::Full {
                kept.push(self.shown(call, number));
            }
        }
        Frames { count, hash, kept }
    }

    fn shown(&self, call: &Call<'_>, number: u64) -> Frame {
        match call {
            Call::Wasm(frame) => Frame {
                number,
                function: Some((frame.instance as u32, frame.code.func)),
                offset: Some(frame.site),
                name: self.instances[frame.instance].module.name_of(frame.code.func),
            },
            Call::Host(func) => {
                let FuncKind::Host { name, .. } = &self.funcs[*func].kind else {
                    unreachable!("the call is of a function of the host's")
                };
                Frame { number, function: None, offset: None, name: name.to_string() }
            }
        }
    }
}

/// What the hash of all frames takes of one: a module's function and instruction, or that it is the host's.
fn identity(call: &Call<'_>) -> Vec<u8> {
    match call {
        Call::Wasm(frame) => {
            let numbers = [frame.instance as u32, frame.code.func, frame.site];
            std::iter::once(0).chain(numbers.into_iter().flat_map(u32::to_le_bytes)).collect()
        }
        Call::Host(_) => vec![1],
    }
}
