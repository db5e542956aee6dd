//! Golden files: what each mode makes of small modules, line by line.
//!
//! A file below `engine/tests/lowering/<mode>` is a module in the text format, named after what it shows. Below the
//! module, from the line `;; lowered:` on, stands what the mode made of it: each instruction with its file offset, and
//! under it the side table entries, the register code or the machine code.
//!
//! `BLESS=1 cargo test -p crosscheck-engine --test lowering` writes what the interpreters make of the modules today, the
//! same with `--lib lowering` what the single-pass compiler makes of them for each machine, on any host; the difference
//! is then read before it is committed. A first line `;;! with: few-registers, fuel` prepares the module with
//! these settings; without it fuel is not counted. `state` also shows where the single-pass compiler has its operands.

#[path = "lowering/golden.rs"]
mod golden;

use crosscheck_engine::{Config, Engine, Mode, Module};
use golden::{Function, Line};

#[test]
fn interp_makes_these_side_tables() {
    check("interp", "interp");
}

#[test]
fn fast_interp_makes_this_register_code() {
    check("fast-interp", "fast-interp");
}

/// Holds every file of a folder against what the mode makes of it, or rewrites it.
fn check(folder: &str, mode: &str) {
    golden::check(folder, "--test lowering", |wasm, settings| lower(wasm, settings, mode));
}

/// What a mode makes of a module.
fn lower(wasm: &[u8], settings: &[&str], mode: &str) -> Vec<Function> {
    let mode: Mode = mode.parse().expect("a mode");
    let config = settings.iter().fold(Config::new(mode).fuel(false), |config, setting| match *setting {
        "fuel" => config.fuel(true),
        _ => panic!("no setting is called `{setting}`"),
    });
    let module = Module::new(&Engine::new(&config), wasm).expect("a valid module that the mode executes");
    let functions = module.functions().map(|(func, name, code)| {
        let lines = module.explain(func).expect("the module defines the function");
        let line = |line: crosscheck_engine::ExplainedLine| Line {
            offset: line.offset,
            text: line.text,
            is_state: line.is_state,
        };
        Function { index: func.0, name, code, lines: lines.into_iter().map(line).collect() }
    });
    functions.collect()
}
