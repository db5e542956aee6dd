//! What the pass writes for each machine, on any host: listings of small modules are golden files. For the recording
//! machine all modules of the official suite are checked as well.

use super::golden::{self, Function, Line};
use super::recording::{Recording, compile_checked};
use super::{SinglePass, lanes};
use crate::baseline::compiler::Compiler;
use crate::baseline::explain::explain;
use crate::baseline::target::Target;
use crate::config::Config;
use crate::engine::Engine;
use crate::executor::ExplainedLine;
use crate::limits::Settings;
use crate::mode::Mode;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::native::x64::X64;
use std::collections::HashSet;

/// Compiles all functions of a module, and checks them; panics with what is wrong.
fn check_module(name: &str, module: &ModuleInner, settings: &Settings) {
    let mut compiler = Compiler::<Recording>::new(module, settings);
    for func in 0..module.bodies.len() as u32 {
        let checked = compile_checked(&mut compiler, module, settings, DefinedFuncIndex(func));
        if let Err(message) = checked {
            panic!("{name}, function {func}, {settings:?}: {message}");
        }
    }
}

/// The modules of a script that can be encoded.
fn modules_of(script: &str) -> Vec<Vec<u8>> {
    let mut lexer = wast::lexer::Lexer::new(script);
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer);
    let Ok(buffer) = buffer else { return Vec::new() };
    let Ok(script) = wast::parser::parse::<wast::Wast<'_>>(&buffer) else { return Vec::new() };
    let modules = script.directives.into_iter().filter_map(|directive| match directive {
        wast::WastDirective::Module(module) | wast::WastDirective::ModuleDefinition(module) => Some(module),
        _ => None,
    });
    modules.filter_map(|mut module| module.encode().ok()).collect()
}

#[test]
fn every_module_of_the_suite_compiles_for_another_machine() {
    let engine = Engine::new(&Config::new(Mode::Baseline));
    // Editions of the standard share most of their modules.
    let (mut seen, mut count) = (HashSet::new(), 0);
    for group in crosscheck_spec_tests::Group::all() {
        for file in group.files() {
            let name = format!("{}/{}", group.name(), file.name);
            for wasm in modules_of(file.text) {
                if !seen.insert(wasm.clone()) {
                    continue;
                }
                let Ok(module) = ModuleInner::decode(wasm.into(), engine.types()) else { continue };
                // What the mode refuses, the pass need not compile.
                let is_executed = module.opcodes.iter().all(|opcode| Mode::Baseline.executes(opcode));
                if !is_executed || module.vectors.is_some() {
                    continue;
                }
                lanes().iter().for_each(|settings| check_module(&name, &module, settings));
                count += 1;
            }
        }
    }
    assert!(count > 1000, "{count} modules");
}

/// What the pass makes of a module for a machine, and what it must pass before.
fn lower<T: Target>(wasm: &[u8], names: &[&str], check: fn(&ModuleInner, &Settings)) -> Vec<Function> {
    let config = names.iter().fold(Config::new(Mode::Baseline).fuel(false), |config, name| match *name {
        "fuel" => config.fuel(true),
        "few-registers" => config.few_registers(true),
        "short-branches" => config.short_branches(true),
        "explicit-bounds" => config.explicit_bounds(true),
        _ => panic!("no setting is called `{name}`"),
    });
    let engine = Engine::new(&config);
    let module = ModuleInner::decode(wasm.to_vec().into(), engine.types()).expect("a valid module");
    check(&module, engine.settings());
    let function = |func| {
        let lines = explain::<T>(&module, engine.settings(), func).into_iter();
        let line =
            |line: ExplainedLine| Line { offset: line.offset, text: line.text, is_state: line.is_state };
        let index = module.func_index(func).0;
        let code = module.body(func).code.clone();
        Function { index, name: module.func_name(index), code, lines: lines.map(line).collect() }
    };
    (0..module.bodies.len() as u32).map(DefinedFuncIndex).map(function).collect()
}

#[test]
fn the_pass_writes_these_listings_for_the_recording_machine() {
    golden::check("recording", "--lib lowering", |wasm, names| {
        lower::<Recording>(wasm, names, |module, settings| {
            check_module("the file's module", module, settings)
        })
    });
}

#[test]
fn the_pass_writes_this_machine_code_for_x64() {
    golden::check("baseline-x64", "--lib lowering", |wasm, names| {
        lower::<X64>(wasm, names, |module, settings| {
            let linked = super::Linked::all(module, settings);
            assert_eq!(linked.verify::<SinglePass>(module, settings), Ok(()));
        })
    });
}
