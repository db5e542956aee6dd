//! Which opcodes were executed, and which of that was judged.
//!
//! The reference tells through its trace hook, which costs nothing without a listener. An opcode is counted once a
//! directive of a script or once a case, however often it is executed there: what matters is in how many situations
//! a comparison would have noticed.

use crate::case::bytes::{DecodeError, Reader, Writer};
use crosscheck_engine::Trace;
use crosscheck_engine::opcode::Opcode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

const BITS: usize = u64::BITS as usize;

/// Opcodes that were executed since they were last asked for. A trace, for stores of the reference.
pub struct Executed([AtomicU64; Opcode::COUNT.div_ceil(BITS)]);

/// How often opcodes were executed, and how often each mode was right about them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Coverage {
    /// By the text of the opcode. Those that were never executed are not there.
    pub opcodes: BTreeMap<String, Counts>,
}

/// One opcode's figures.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Directives or cases in which it was executed.
    pub executed: u64,
    /// By mode, those of them in which the mode was judged and found right.
    pub judged: BTreeMap<String, u64>,
}

impl Default for Executed {
    fn default() -> Executed {
        Executed(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Executed {
    /// What was executed, which is forgotten.
    pub fn take(&self) -> Vec<Opcode> {
        let words: Vec<u64> = self.0.iter().map(|word| word.swap(0, Ordering::Relaxed)).collect();
        if words.iter().all(|word| *word == 0) {
            return Vec::new();
        }
        Opcode::all()
            .filter(|opcode| words[opcode.index() / BITS] >> (opcode.index() % BITS) & 1 == 1)
            .collect()
    }
}

impl Trace for Executed {
    fn instruction(&self, _: u32, _: u32, opcode: Opcode, _: &[u64]) {
        let (word, bit) = (&self.0[opcode.index() / BITS], 1 << (opcode.index() % BITS));
        // A read is cheap, and nearly every instruction was executed before.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl Coverage {
    /// Counts a directive or a case that executed these, in which those modes were found right.
    pub fn count<'a>(&mut self, executed: &[Opcode], judged: impl Iterator<Item = &'a str> + Clone) {
        for opcode in executed {
            let text = opcode.text();
            if !self.opcodes.contains_key(text) {
                self.opcodes.insert(text.to_string(), Counts::default());
            }
            let counts = self.opcodes.get_mut(text).expect("just put there");
            counts.executed += 1;
            for mode in judged.clone() {
                match counts.judged.get_mut(mode) {
                    Some(count) => *count += 1,
                    None => drop(counts.judged.insert(mode.to_string(), 1)),
                }
            }
        }
    }

    /// Adds another part's figures.
    pub fn add(&mut self, other: &Coverage) {
        for (opcode, counts) in &other.opcodes {
            let total = self.opcodes.entry(opcode.clone()).or_default();
            total.executed += counts.executed;
            for (mode, count) in &counts.judged {
                *total.judged.entry(mode.clone()).or_default() += count;
            }
        }
    }

    /// Appends the figures.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.opcodes.len());
        for (opcode, counts) in &self.opcodes {
            writer.string(opcode);
            writer.u64(counts.executed);
            writer.count(counts.judged.len());
            for (mode, count) in &counts.judged {
                writer.string(mode);
                writer.u64(*count);
            }
        }
    }

    /// Reads what [`Coverage::write`] appended.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Coverage, DecodeError> {
        let opcodes = reader.list(16, |reader| {
            let (opcode, executed) = (reader.string()?.to_string(), reader.u64()?);
            let judged = reader.list(12, |reader| Ok((reader.string()?.to_string(), reader.u64()?)))?;
            Ok((opcode, Counts { executed, judged: judged.into_iter().collect() }))
        })?;
        Ok(Coverage { opcodes: opcodes.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opcode(text: &str) -> Opcode {
        Opcode::from_text(text).expect("an opcode")
    }

    #[test]
    fn what_was_executed_is_told_once() {
        let executed = Executed::default();
        let all: Vec<Opcode> = Opcode::all().collect();
        let (first, last) = (all[0], all[all.len() - 1]);
        for opcode in [last, first, last] {
            executed.instruction(0, 0, opcode, &[]);
        }
        assert_eq!(executed.take(), [first, last]);
        assert_eq!(executed.take(), []);
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let (add, drop) = (opcode("i32.add"), opcode("drop"));
        let (mut whole, mut first, mut second) = <(Coverage, Coverage, Coverage)>::default();
        for (part, opcodes, modes) in
            [(&mut first, &[add, drop][..], &["interp"][..]), (&mut second, &[add], &["interp", "baseline"])]
        {
            part.count(opcodes, modes.iter().copied());
            whole.count(opcodes, modes.iter().copied());
        }
        first.add(&second);
        assert_eq!(first, whole);
        assert_eq!(whole.opcodes["i32.add"].judged["interp"], 2);
        assert_eq!(whole.opcodes["i32.add"].judged["baseline"], 1);
    }

    #[test]
    fn figures_survive_the_way_through_bytes() {
        let mut coverage = Coverage::default();
        coverage.count(&[opcode("i32.add"), opcode("drop")], ["interp", "fast-interp"].into_iter());
        let mut writer = Writer::default();
        coverage.write(&mut writer);
        let bytes = writer.finish();
        assert_eq!(Coverage::read(&mut Reader::new(&bytes)), Ok(coverage));
    }
}
