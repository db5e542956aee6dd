//! Shows a side table to people: a line an entry, beside the instruction that owns it.

use super::ModuleCode;
use super::side_table::entries_of;
use crate::executor::ExplainedLine;
use crate::module::DefinedFuncIndex;
use crate::opcode::reader::Reader;

impl ModuleCode {
    /// The side table of a function, a line an entry.
    ///
    /// ```text
    /// br_if      -> 0x002e stp 4 keep 1 drop 2
    /// br_if      charge 3 at 0x0026
    /// ```
    pub(super) fn describe(&self, func: DefinedFuncIndex) -> Vec<ExplainedLine> {
        let body = self.module.body(func);
        let code = &self.module.bytes[body.code.start as usize..body.code.end as usize];
        let mut reader = Reader::new(code, body.code.start);
        let mut entries = self.table_of(func).iter().enumerate();
        let mut lines = Vec::new();
        let mut line = |at: u32, owner: &str, charges: bool| {
            let Some((position, entry)) = entries.next() else { return };
            let text = if charges {
                let charge = entry.charge();
                match charge.cost {
                    0 => format!("{owner:14} charge 0"),
                    cost => format!("{owner:14} charge {cost} at {:#06x}", charge.site),
                }
            } else {
                let to = entry.transfer();
                let (pc, stp) = (i64::from(at) + i64::from(to.pc), position as i64 + i64::from(to.stp));
                let (keep, drop) = (to.keep_slots, to.drop_slots);
                format!("{owner:14} -> {pc:#06x} stp {stp} keep {keep} drop {drop}")
            };
            lines.push(ExplainedLine { offset: at, text, is_state: false });
        };
        if self.fuel {
            line(body.code.start, "entry", true);
        }
        while !reader.is_done() {
            let (at, opcode) = reader.opcode();
            let (transfers, charges) = entries_of(opcode, reader, self.fuel);
            (0..transfers).for_each(|_| line(at, opcode.text(), false));
            (0..charges).for_each(|_| line(at, opcode.text(), true));
            reader.skip_immediates(opcode);
        }
        lines
    }
}
