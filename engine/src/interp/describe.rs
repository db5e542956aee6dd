//! Shows a side table to people: a line an entry, beside the instruction that owns it.

use super::ModuleCode;
use super::side_table::entries_of;
use crate::module::DefinedFuncIndex;
use crate::opcode::reader::Reader;
use std::fmt::Write;

impl ModuleCode {
    /// The side table of a function as lines of text; offsets are those of the file.
    ///
    /// ```text
    /// 0x0024 br_if      -> 0x002e stp 4 keep 1 drop 2
    /// 0x0024 br_if      charge 3 at 0x0026
    /// ```
    pub(super) fn describe(&self, func: DefinedFuncIndex) -> String {
        let body = self.module.body(func);
        let code = &self.module.bytes[body.code.start as usize..body.code.end as usize];
        let mut reader = Reader::new(code, body.code.start);
        let mut entries = self.table_of(func).iter().enumerate();
        let mut text = String::new();
        let mut line = |at: u32, owner: &str, charges: bool| {
            let Some((position, entry)) = entries.next() else { return };
            let written = if charges {
                let charge = entry.charge();
                match charge.cost {
                    0 => writeln!(text, "{at:#06x} {owner:14} charge 0"),
                    cost => writeln!(text, "{at:#06x} {owner:14} charge {cost} at {:#06x}", charge.site),
                }
            } else {
                let to = entry.transfer();
                let (pc, stp) = (i64::from(at) + i64::from(to.pc), position as i64 + i64::from(to.stp));
                let (keep, drop) = (to.keep, to.drop);
                writeln!(text, "{at:#06x} {owner:14} -> {pc:#06x} stp {stp} keep {keep} drop {drop}")
            };
            written.expect("writing to a string does not fail");
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
        text
    }
}
