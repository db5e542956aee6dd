//! Reading what the user points at: one clear line if it cannot be read.

use super::{Failure, place, show};
use crate::case::{Case, Limits};
use crate::corpus::finding::CASE_FILE;
use crate::fuzz;
use crate::generate::{canonical, plan};
use crate::guard::guarded;
use crosscheck_engine::{Config, Engine, Mode, Module, ShownMessage};
use std::path::Path;

/// Files beyond this size are refused before they are read: a case with it would not fit into a message to a worker.
const LARGEST_FILE_BYTES: u64 = (1 << 30) - (1 << 20);

/// Fuel for each action of a bare module: a fraction of a second in the slowest mode.
const MODULE_FUEL: u64 = 10_000_000;

/// What a file turned out to be.
pub enum Input {
    /// A binary module, as it was or as its text encodes to.
    Module(Vec<u8>),
    /// A script.
    Script(String),
    /// A case.
    Case(Case),
}

/// Reads a file, whatever it is: by its ending, else by how it starts. A folder is a finding.
pub fn read(path: &Path) -> Result<Input, Failure> {
    if path.is_dir() {
        let case = path.join(CASE_FILE);
        if !case.exists() {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "{path}: this folder is no finding: it holds no {CASE_FILE}"
            )));
        }
        return read(&case);
    }
    let bytes = read_bytes(path)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "wasm" => Ok(Input::Module(bytes)),
        "wast" => Ok(Input::Script(text(path, bytes)?)),
        "wat" => module_text(path, bytes),
        "xchk" => case(path, &bytes),
        _ if bytes.starts_with(b"\0asm") => Ok(Input::Module(bytes)),
        _ if bytes.starts_with(b"xchk") => case(path, &bytes),
        _ if bytes.is_empty() => Err(Failure::Usage(format!(
            "{}: at offset 0x0: the file is empty; a module, a script or a case is expected",
            path.display()
        ))),
        _ => module_text(path, bytes),
    }
}

/// Reads a file, for what a fuzz target would take it for - an artifact, or a file of its corpus - if one is named.
pub fn read_for(path: &Path, target: Option<&str>) -> Result<Input, Failure> {
    let Some(name) = target else { return read(path) };
    let target = fuzz::target(name).map_err(|error| Failure::Usage(format!("--target: {error}")))?;
    match (target.read)(&read_bytes(path)?) {
        fuzz::Input::Case(case) => Ok(Input::Case(case)),
        fuzz::Input::Script(text) => Ok(Input::Script(text)),
        fuzz::Input::Nothing => Err(Failure::Usage(format!(
            "{}: at offset 0x0: the fuzz target {name} makes nothing of this",
            path.display()
        ))),
    }
}

/// The case of a bare module: what hosts do, what is called and with which arguments derives from the seed, as in a
/// campaign; the limits are those of `run`. Fails on a module that is not valid: what is to be called is read from the decoded module.
pub fn module_case(path: &Path, wasm: Vec<u8>, seed: u64) -> Result<Case, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let engine = Engine::new(&Config::new(Mode::Interp));
    // A decoder that panics is a finding, which every subject will show.
    if let Ok(decoded) = guarded(|| Module::decode(&engine, wasm.as_slice())) {
        decoded.map_err(|error| place::refused(path, &error))?;
    }
    let case = plan::plan(wasm, seed).map_err(|error| refused(&error))?;
    // A campaign draws tight limits, for they are what it tries. A module of a person gets the room of `run`.
    Ok(Case { limits: Limits { fuel: Some(MODULE_FUEL), ..Limits::default() }, ..case })
}

/// A bare module as it is held against other engines: a copy that makes its NaNs canonical, which people are told, for the
/// specification leaves their bits open and they flow into all that a program does. Without judges it is the module itself.
pub fn for_judges(path: &Path, wasm: Vec<u8>, has_judges: bool) -> Result<Vec<u8>, Failure> {
    if !has_judges {
        return Ok(wasm);
    }
    match canonical(&wasm) {
        Ok(Some(copy)) => {
            let path = path.display();
            show(format_args!(
                "{path}: NaN results are made canonical in a copy of the module; offsets are the copy's"
            ));
            Ok(copy)
        }
        // The decoder says what is wrong with an invalid module.
        Ok(None) | Err(_) => Ok(wasm),
    }
}

/// Reads a module, binary or text; anything else is an error.
pub fn read_module(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.is_dir() {
        return Err(Failure::Usage(format!("{}: this is a folder; a module is expected", path.display())));
    }
    let other = match read(path)? {
        Input::Module(bytes) => return Ok(bytes),
        Input::Script(_) => "script",
        Input::Case(_) => "case",
    };
    Err(Failure::Usage(format!("{}: this is a {other}; a module is expected", path.display())))
}

/// Reads a script, which is any text here: whether it is a script is the runner's to say.
pub fn read_script(path: &Path) -> Result<String, Failure> {
    text(path, read_bytes(path)?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| Failure::Usage(format!("{}: cannot read: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > LARGEST_FILE_BYTES {
        let path = path.display();
        return Err(Failure::Usage(format!("{path}: {size} bytes; at most {LARGEST_FILE_BYTES} are read")));
    }
    std::fs::read(path).map_err(cannot)
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Failure::Usage(format!("{}: at offset {offset:#x}: expected UTF-8 text", path.display()))
    })
}

fn case(path: &Path, bytes: &[u8]) -> Result<Input, Failure> {
    let case = Case::from_bytes(bytes);
    case.map(Input::Case).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn module_text(path: &Path, bytes: Vec<u8>) -> Result<Input, Failure> {
    let text = text(path, bytes)?;
    encode(&text).map(Input::Module).map_err(|error| Failure::Usage(text_error(path, &text, &error)))
}

fn encode(text: &str) -> Result<Vec<u8>, wast::Error> {
    parse(text, |module| module.encode())?
}

/// Reads the text of a module, and hands it to `work`.
pub fn parse<T>(text: &str, work: impl FnOnce(&mut wast::Wat<'_>) -> T) -> Result<T, wast::Error> {
    let mut lexer = wast::lexer::Lexer::new(text);
    // As in scripts: names in right-to-left scripts are names.
    lexer.allow_confusing_unicode(true);
    let mut buffer = wast::parser::ParseBuffer::new_with_lexer(lexer)?;
    // For lines of what is invalid.
    buffer.track_instr_spans(true);
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer)?;
    Ok(work(&mut module))
}

/// A text error in one line: file, line and column (from 1), offset, what is wrong.
pub fn text_error(path: &Path, text: &str, error: &wast::Error) -> String {
    let (line, column) = error.span().linecol_in(text);
    let (line, column, offset) = (line + 1, column + 1, error.span().offset());
    format!("{}:{line}:{column}: at offset {offset:#x}: {}", path.display(), ShownMessage(&error.message()))
}
