//! Writes instructions.

use crosscheck_engine::opcode::Row;
use wasm_encoder::Encode;

/// Writes the code of an instruction: a byte, or a prefix and a number that may be longer.
pub fn write_code(row: &Row, code: &mut Vec<u8>) {
    match row.code.prefix {
        None => code.push(u8::try_from(row.code.value).expect("without a prefix it is a byte")),
        Some(prefix) => {
            code.push(prefix);
            row.code.value.encode(code);
        }
    }
}
