//! Machine code as text.

use crate::baseline::target::Disassembled;
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

/// The instructions of code that begins at offset 0.
pub(super) fn disassemble(code: &[u8]) -> Vec<Disassembled> {
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_branch_leading_zeros(false);
    formatter.options_mut().set_hex_prefix("0x");
    formatter.options_mut().set_hex_suffix("");
    let instructions = Decoder::with_ip(64, code, 0, DecoderOptions::NONE).into_iter();
    instructions
        .map(|instruction| {
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            Disassembled {
                start: instruction.ip() as u32,
                end: instruction.next_ip() as u32,
                text,
                mnemonic: format!("{:?}", instruction.mnemonic()).to_lowercase(),
            }
        })
        .collect()
}
