//! Where in a text a module goes wrong: the line of the instruction that an offset in the binary stands for.

use super::{Failure, input};
use crosscheck_engine::Error;
use gimli::{DebugLine, DebugLineOffset, LittleEndian};
use std::path::Path;
use wasmparser::{Parser, Payload};
use wast::core::{EncodeOptions, GenerateDwarf};

/// What is wrong with the module of a file: the offset and, if the file is text, line and column.
pub fn refused(file: &Path, error: &Error) -> Failure {
    let line = match error {
        Error::Invalid { offset, .. } => line_of(file, *offset),
        Error::Link(_)
        | Error::Usage(_)
        | Error::Unsupported(_)
        | Error::Limit(_)
        | Error::Resources(_)
        | Error::Trap(_)
        | Error::Exception(_) => None,
    };
    let line = line.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
    Failure::Usage(format!("{}{line}: {error}", file.display()))
}

/// Line and column, from 1, of the instruction of a text module whose code that offset is in. None if the file is no
/// text, or the offset is not in a function's body.
fn line_of(file: &Path, offset: u64) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut module = None;
    input::parse(&text, |wat| {
        let mut options = EncodeOptions::new();
        options.dwarf(Path::new("module.wat"), &text, GenerateDwarf::Lines);
        module = options.encode_wat(wat).ok();
    })
    .ok()?;
    let wasm = module?;
    let (mut code, mut lines) = (None, None);
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.ok()? {
            payload @ Payload::CodeSectionStart { .. } => code = payload.as_section().map(|(_, range)| range),
            Payload::CustomSection(section) if section.name() == ".debug_line" => {
                lines = Some(section.data())
            }
            _ => {}
        }
    }
    let code = code.filter(|code| (code.start..code.end).contains(&offset))?;
    let table = DebugLine::new(lines?, LittleEndian);
    let program = table.program(DebugLineOffset(0), 4, None, None).ok()?;
    let mut rows = program.rows();
    let mut found = None;
    while let Some((_, row)) = rows.next_row().ok()? {
        if row.end_sequence() || row.address() > offset - code.start {
            continue;
        }
        if found.as_ref().is_none_or(|(address, _)| *address <= row.address()) {
            let column = match row.column() {
                gimli::ColumnType::LeftEdge => 1,
                gimli::ColumnType::Column(column) => column.get(),
            };
            found = Some((row.address(), (row.line()?.get(), column)));
        }
    }
    found.map(|(_, place)| place)
}
