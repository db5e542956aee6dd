//! Reads and writes single instructions.

use crosscheck_engine::opcode::reader::Reader;
use crosscheck_engine::opcode::{Immediate, Opcode, Row};
use wasm_encoder::Encode;
use wasmparser::{BinaryReaderError, Parser, Payload};

/// An instruction of a function body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// File offset of the opcode.
    pub at: u32,
    /// The opcode.
    pub opcode: Opcode,
    /// What is added to the address, if it is an access; else 0.
    pub access_offset: u64,
}

/// The instructions of each function that a module defines, the last `end` included. Fails on a module that cannot be
/// read.
pub fn instructions(wasm: &[u8]) -> Result<Vec<Vec<Instruction>>, BinaryReaderError> {
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        let mut instructions = Vec::new();
        for item in body.get_operators_reader()?.into_iter_with_offsets() {
            let (_, at) = item?;
            // The parser may know proposals that the table has no rows for.
            let Some((opcode, length)) = Opcode::decode(&wasm[at as usize..]) else { continue };
            let is_access = opcode.row().immediates.first() == Some(&Immediate::MemArg);
            let immediates = || Reader::new(&wasm[at as usize + length..], 0);
            let access_offset = if is_access { immediates().mem_arg().offset } else { 0 };
            instructions.push(Instruction { at: at as u32, opcode, access_offset });
        }
        functions.push(instructions);
    }
    Ok(functions)
}

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
