//! What every mode makes of many modules, a digest a line: `cargo run --release --example code_digests > before`,
//! and again after a change that must not alter code. `diff` then says which modules became something else.
//!
//! The modules are those of 2,000 generated cases, of every script of the suite, and of the `.wat` and `.wasm` files
//! that are named as arguments. Each is prepared in every mode, plain and with every switch of its lanes, with fuel and
//! without. A digest covers the listing of every function (side tables, register code, disassembly) and the
//! machine code as it is linked.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use crosscheck::digest::Digest;
use crosscheck::features::Features;
use crosscheck::generate::Generator;
use crosscheck::subject::{Lane, Switch};
use crosscheck_engine::{Engine, FuncIndex, Mode, Module};
use crosscheck_spec_tests::Group;
use std::fs;

const SEED: u64 = 14;
const CASES: u64 = 2000;

fn main() {
    let lanes = lanes();
    let show = |name: &str, wasm: &[u8]| {
        for (lane, engine) in &lanes {
            // What a mode does not execute it refuses, and that should not change either.
            match Module::new(engine, wasm) {
                Ok(module) => println!("{name} {lane} {:016x}", digest(&module)),
                Err(error) => println!("{name} {lane} {error:.60}"),
            }
        }
    };
    let mut generator = Generator::new(Features::executed());
    for index in 0..CASES {
        let Some(generated) = generator.case(SEED, index) else { continue };
        for (number, module) in generated.case.modules.iter().enumerate() {
            show(&format!("generated:{index}.{number}"), &module.wasm);
        }
    }
    for group in Group::all() {
        for file in group.files() {
            for (number, wasm) in modules(file.text).iter().enumerate() {
                show(&format!("{}/{}:{number}", group.name(), file.name), wasm);
            }
        }
    }
    for path in std::env::args().skip(1) {
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let name = path.rsplit('/').next().unwrap_or_default().to_string();
        match std::str::from_utf8(&bytes) {
            Ok(text) => modules(text).iter().for_each(|wasm| show(&name, wasm)),
            Err(_) => show(&name, &bytes),
        }
    }
}

/// Every mode plain and with each switch that applies to it.
fn lanes() -> Vec<(Lane, Engine)> {
    let of_mode = |mode| {
        let switches = Switch::all().filter(move |switch| switch.applies_to(mode));
        std::iter::once(Lane::plain(mode)).chain(switches.map(move |switch| switch.lane(mode)))
    };
    Mode::all().flat_map(of_mode).map(|lane| (lane, Engine::new(&lane.config()))).collect()
}

fn digest(module: &Module) -> u64 {
    let mut digest = Digest::default();
    let functions: Vec<FuncIndex> = module.functions().map(|(func, _, _)| func).collect();
    for func in functions {
        for line in module.explain(func).expect("the module defines it") {
            digest.u64(u64::from(line.offset));
            digest.text(&line.text);
        }
    }
    digest.bytes(&module.machine_code());
    digest.finish()
}

/// The modules of a script, or the one of a `.wat` file, that can be encoded.
fn modules(text: &str) -> Vec<Vec<u8>> {
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = wast::parser::ParseBuffer::new_with_lexer(lexer) else { return Vec::new() };
    let Ok(script) = wast::parser::parse::<wast::Wast<'_>>(&buffer) else { return Vec::new() };
    let wats = script.directives.into_iter().filter_map(|directive| match directive {
        wast::WastDirective::Module(module) | wast::WastDirective::ModuleDefinition(module) => Some(module),
        _ => None,
    });
    wats.filter_map(|mut module| module.encode().ok()).collect()
}
