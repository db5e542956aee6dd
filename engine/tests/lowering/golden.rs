//! Reads golden files, and holds what is expected against what comes out or rewrites the expectation. What is made of
//! the modules is not decided here.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The line from which on a file holds the expectation.
const LOWERED: &str = ";; lowered:\n";

/// How the first line of a file begins that has settings.
const WITH: &str = ";;! with: ";

/// What was made of a function.
pub struct Function {
    pub index: u32,
    pub name: String,
    /// File offsets of its body.
    pub code: Range<u32>,
    pub lines: Vec<Line>,
}

/// A line of it.
pub struct Line {
    /// File offset of the opcode that it belongs to.
    pub offset: u32,
    pub text: String,
    /// Whether it is not code but says where values are, which is shown in files with the setting `state`.
    pub is_state: bool,
}

/// Holds every file of a folder against what `lower` makes of its module under its settings, or rewrites it. `tests`
/// selects the tests of these files for `cargo test`.
pub fn check(folder: &str, tests: &str, lower: impl Fn(&[u8], &[&str]) -> Vec<Function>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lowering").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of golden files");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are no golden files in {}", folder.display());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable file");
        let input = text.split_once(LOWERED).map_or(text.as_str(), |(input, _)| input).trim_end();
        let now = format!("{input}\n\n{LOWERED}{}", lowered(input, &lower));
        if now == text {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, now).expect("a writable file");
        } else {
            wrong.push(format!("{}:\n{}", file.display(), first_difference(&text, &now)));
        }
    }
    let advice = format!("if the new code is right: `BLESS=1 cargo test -p crosscheck-engine {tests}`");
    assert!(wrong.is_empty(), "{}\n{advice}", wrong.join("\n"));
}

/// What is made of a module in text, as comment lines.
fn lowered(input: &str, lower: impl Fn(&[u8], &[&str]) -> Vec<Function>) -> String {
    let settings = input.lines().find_map(|line| line.strip_prefix(WITH)).unwrap_or_default();
    let settings: Vec<&str> = settings.split(", ").filter(|setting| !setting.is_empty()).collect();
    let (shown, settings): (Vec<&str>, Vec<&str>) =
        settings.into_iter().partition(|setting| *setting == "state");
    let buffer = wast::parser::ParseBuffer::new(input).expect("tokens of the text format");
    let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("a module in the text format");
    let wasm = module.encode().expect("a module that can be encoded");
    let text = instructions(&wasm);
    let mut all = String::new();
    for Function { index, name, code, lines } in lower(&wasm, &settings) {
        let lines = lines.iter().filter(|line| !line.is_state || !shown.is_empty());
        let mut of: BTreeMap<u32, Vec<&Line>> = BTreeMap::new();
        lines.for_each(|line| of.entry(line.offset).or_default().push(line));
        for (offset, _) in text.range(code) {
            of.entry(*offset).or_default();
        }
        writeln!(all, ";; function {index} {name}").expect("strings take everything");
        for (offset, lines) in of {
            let text = text.get(&offset).map_or("", String::as_str);
            writeln!(all, ";; {}", format!("{offset:#06x}  {text}").trim_end())
                .expect("strings take everything");
            for line in lines {
                writeln!(all, ";;     | {}", line.text.trim_end()).expect("strings take everything");
            }
        }
    }
    all
}

/// The text of each instruction of a module, by file offset.
fn instructions(wasm: &[u8]) -> BTreeMap<u32, String> {
    let mut storage = String::new();
    let lines =
        wasmprinter::Config::new().offsets_and_lines(wasm, &mut storage).expect("a module that prints");
    lines.filter_map(|(offset, text)| Some((offset? as u32, text.trim().to_string()))).collect()
}

/// Where two texts part, with a few lines before and after.
fn first_difference(expected: &str, now: &str) -> String {
    let (expected, now): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), now.lines().collect());
    let same = expected.iter().zip(&now).take_while(|(left, right)| left == right).count();
    let part = |lines: &[&str], sign: char| {
        let shown = lines.iter().skip(same).take(8);
        shown.fold(String::new(), |text, line| format!("{text}  {sign} {line}\n"))
    };
    let before = same.checked_sub(1).map_or("", |line| expected[line]);
    format!("after line {same} `{before}`\n{}{}", part(&expected, '-'), part(&now, '+'))
}
