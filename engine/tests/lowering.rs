//! Golden files: what each mode makes of small modules, line by line.
//!
//! A file below `engine/tests/lowering/<mode>` is a module in the text format, named after what it shows. Below the
//! module, from the line `;; lowered:` on, stands what the mode made of it: each instruction with its file offset, and
//! under it the side table entries, the register code or the machine code.
//!
//! `BLESS=1 cargo test -p crosscheck-engine --test lowering` writes what the modes make of the modules today; the
//! difference is then read before it is committed. A first line `;;! with: few-registers, fuel` prepares the module with
//! these settings; without it fuel is not counted. `state` also shows where the single-pass compiler has its operands.

use crosscheck_engine::{Config, Engine, ExplainedLine, Mode, Module};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The line from which on a file holds the expectation.
const LOWERED: &str = ";; lowered:\n";

/// How the first line of a file begins that has settings.
const WITH: &str = ";;! with: ";

#[test]
fn interp_makes_these_side_tables() {
    check("interp", "interp");
}

#[test]
fn fast_interp_makes_this_register_code() {
    check("fast-interp", "fast-interp");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn baseline_makes_this_machine_code_for_x64() {
    check("baseline-x64", "baseline");
}

/// Holds every file of a folder against what the mode makes of it, or rewrites it.
fn check(folder: &str, mode: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lowering").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of golden files");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are no golden files in {}", folder.display());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable file");
        let input = text.split_once(LOWERED).map_or(text.as_str(), |(input, _)| input).trim_end();
        let now = format!("{input}\n\n{LOWERED}{}", lowered(input, mode));
        if now == text {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, now).expect("a writable file");
        } else {
            wrong.push(format!("{}:\n{}", file.display(), first_difference(&text, &now)));
        }
    }
    let advice = "if the new code is right: `BLESS=1 cargo test -p crosscheck-engine --test lowering`";
    assert!(wrong.is_empty(), "{}\n{advice}", wrong.join("\n"));
}

/// What a mode makes of a module in text, as comment lines.
fn lowered(input: &str, mode: &str) -> String {
    let settings = input.lines().find_map(|line| line.strip_prefix(WITH)).unwrap_or_default();
    let settings: Vec<&str> = settings.split(", ").filter(|setting| !setting.is_empty()).collect();
    let mode: Mode = mode.parse().expect("a mode");
    let config = settings.iter().fold(Config::new(mode).fuel(false), |config, setting| match *setting {
        "fuel" => config.fuel(true),
        "few-registers" => config.few_registers(true),
        "short-branches" => config.short_branches(true),
        "explicit-bounds" => config.explicit_bounds(true),
        "state" => config,
        _ => panic!("no setting is called `{setting}`"),
    });
    let buffer = wast::parser::ParseBuffer::new(input).expect("tokens of the text format");
    let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("a module in the text format");
    let wasm = module.encode().expect("a module that can be encoded");
    let text = instructions(&wasm);
    let module = Module::new(&Engine::new(&config), wasm).expect("a valid module that the mode executes");
    let mut all = String::new();
    for (func, name, code) in module.functions() {
        let lines = module.explain(func).expect("the module defines the function");
        let lines = lines.iter().filter(|line| !line.is_state || settings.contains(&"state"));
        let mut of: BTreeMap<u32, Vec<&ExplainedLine>> = BTreeMap::new();
        lines.for_each(|line| of.entry(line.offset).or_default().push(line));
        text.range(code).for_each(|(offset, _)| drop(of.entry(*offset).or_default()));
        writeln!(all, ";; function {} {name}", func.0).expect("strings take everything");
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
