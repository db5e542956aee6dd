//! The calls that led to a trap: frames, innermost first.
//!
//! A deep recursion has hundreds of thousands of frames, so a backtrace keeps the 64 innermost and
//! the 16 outermost, how many there were, and a hash of all of them: two modes whose traces differ
//! only in the middle still differ.

use crate::module::ModuleInner;
use crate::names::Shown;
use std::collections::VecDeque;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Innermost frames that are kept.
pub const INNERMOST: usize = 64;
/// Outermost frames that are kept.
pub const OUTERMOST: usize = 16;

/// Whose code a frame runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FrameKind {
    /// A function of a module.
    Wasm,
    /// A function of the embedder.
    Host,
}

/// One call in progress.
#[derive(Clone)]
pub struct Frame {
    pub(crate) kind: FrameKind,
    /// Number of the instance in its store, in order of instantiation; 0 for hosts.
    pub(crate) instance: u32,
    /// Function index in the module (imports count); 0 for hosts.
    pub(crate) func: u32,
    /// File offset of the call or trapping instruction; `None` for hosts.
    pub(crate) offset: Option<u32>,
    /// Where a wasm frame finds its name; names are formatted only when they are read.
    pub(crate) name: FrameName,
}

#[derive(Clone)]
pub(crate) enum FrameName {
    Wasm(Arc<ModuleInner>),
    Host(Arc<str>),
}

impl Frame {
    /// Whose code this frame runs.
    pub fn kind(&self) -> FrameKind {
        self.kind
    }

    /// Number of the frame's instance in its store, in order of instantiation; `None` for hosts.
    pub fn instance(&self) -> Option<u32> {
        (self.kind == FrameKind::Wasm).then_some(self.instance)
    }

    /// Function index in the module, imports counted; `None` for hosts.
    pub fn func(&self) -> Option<u32> {
        (self.kind == FrameKind::Wasm).then_some(self.func)
    }

    /// File offset of the opcode of the call or trapping instruction; `None` for hosts.
    pub fn offset(&self) -> Option<u32> {
        self.offset
    }

    /// Import, then name section, then export, else `$fN`; for hosts the name they were defined by.
    pub fn name(&self) -> String {
        match &self.name {
            FrameName::Wasm(module) => module.func_name(self.func),
            FrameName::Host(name) => name.to_string(),
        }
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Frame) -> bool {
        self.kind == other.kind
            && self.instance == other.instance
            && self.func == other.func
            && self.offset == other.offset
            && self.name() == other.name()
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{offset:#06x} - {}", Shown(&self.name())),
            None => write!(f, "host - {}", Shown(&self.name())),
        }
    }
}

/// The frames of a trap, shortened in the middle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backtrace {
    innermost: Vec<Frame>,
    outermost: Vec<Frame>,
    count: u64,
    hash: u64,
}

impl Backtrace {
    /// The innermost frames, innermost first; all of them if there are at most [`INNERMOST`].
    pub fn innermost(&self) -> &[Frame] {
        &self.innermost
    }

    /// The outermost frames that `innermost` does not hold, still innermost first.
    pub fn outermost(&self) -> &[Frame] {
        &self.outermost
    }

    /// How many frames there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A hash of all frames: kind, instance, function and offset. Stable across builds and machines.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Kept frames with their distance from the innermost one.
    pub fn frames(&self) -> impl Iterator<Item = (u64, &Frame)> {
        let first_outer = self.count - self.outermost.len() as u64;
        let inner = self.innermost.iter().enumerate().map(|(i, frame)| (i as u64, frame));
        let outer = self.outermost.iter().enumerate().map(move |(i, frame)| (first_outer + i as u64, frame));
        inner.chain(outer)
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut expected = 0;
        for (number, frame) in self.frames() {
            if number != expected {
                writeln!(f, "     ... {} frames ...", number - expected)?;
            }
            writeln!(f, "#{number:02}: {frame}")?;
            expected = number + 1;
        }
        Ok(())
    }
}

/// A frame whose name has not been asked for yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawFrame {
    pub kind: FrameKind,
    /// Number of the instance in its store; for hosts the number of the function in its store.
    pub owner: u32,
    /// Function index in the module; 0 for hosts.
    pub func: u32,
    /// File offset of the call or trapping instruction; 0 for hosts.
    pub offset: u32,
}

/// Collects frames, innermost first, without keeping more than a backtrace shows.
#[derive(Default)]
pub(crate) struct BacktraceBuilder {
    innermost: Vec<RawFrame>,
    outermost: VecDeque<RawFrame>,
    count: u64,
    hash: Fnv,
}

impl BacktraceBuilder {
    /// Adds the next frame outwards.
    pub fn push(&mut self, frame: RawFrame) {
        match frame.kind {
            FrameKind::Wasm => (0u8, frame.owner, frame.func, frame.offset).hash(&mut self.hash),
            // Hosts are told apart by name, and names are compared where frames are kept.
            FrameKind::Host => 1u8.hash(&mut self.hash),
        }
        self.count += 1;
        if self.innermost.len() < INNERMOST {
            self.innermost.push(frame);
        } else {
            if self.outermost.len() == OUTERMOST {
                self.outermost.pop_front();
            }
            self.outermost.push_back(frame);
        }
    }

    /// The backtrace of all frames pushed; `name` finds out where a frame has its name from.
    pub fn finish(self, name: impl Fn(&RawFrame) -> FrameName) -> Backtrace {
        let frame = |raw: &RawFrame| Frame {
            kind: raw.kind,
            instance: raw.owner,
            func: raw.func,
            offset: (raw.kind == FrameKind::Wasm).then_some(raw.offset),
            name: name(raw),
        };
        Backtrace {
            innermost: self.innermost.iter().map(frame).collect(),
            outermost: self.outermost.iter().map(frame).collect(),
            count: self.count,
            hash: self.hash.0,
        }
    }
}

/// FNV-1a: the standard library's hashers promise nothing across versions, and this hash is saved.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }
}
