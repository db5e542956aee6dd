//! What compiled code keeps to whatever it computes: it is the same bytes everywhere, it can be written or run but
//! never both, and a store that traps writes nothing.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use crosscheck::features::Features;
use crosscheck::generate::Generator;
use crosscheck::subject::{Lane, Switch};
use crosscheck_engine::{
    Engine, Error, Extern, FuncType, Instance, Linker, Mode, Module, Store, TrapKind, Val, ValType,
};
use crosscheck_spec_tests::Group;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The memory map is the process's, so one test at a time.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each compiled mode plain, with each switch and with all of them.
fn lanes() -> Vec<Lane> {
    let compiled = Mode::all().filter(|mode| mode.is_compiled());
    compiled
        .flat_map(|mode| {
            let applying: Vec<Switch> = Switch::all().filter(|switch| switch.applies_to(mode)).collect();
            let all = applying.iter().fold(Lane::plain(mode), |lane, switch| lane.with(*switch));
            let each: Vec<Lane> = applying.iter().map(|switch| switch.lane(mode)).collect();
            [Lane::plain(mode), all].into_iter().chain(each)
        })
        .collect()
}

fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

/// Modules of a campaign.
fn generated(cases: u64) -> Vec<Vec<u8>> {
    let mut generator = Generator::new(Features::executed());
    let cases = (0..cases).filter_map(|index| generator.case(9, index));
    cases.flat_map(|generated| generated.case.modules).map(|module| module.wasm).collect()
}

// Determinism.

/// How the line begins on which a process tells its digest.
const DIGEST: &str = "digest of all code: ";

/// A digest of what modules become in every lane. Lazy lanes compile what is called, so functions without
/// parameters are called.
fn digest(modules: &[Vec<u8>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for lane in lanes() {
        let engine = Engine::new(&lane.config());
        for wasm in modules {
            let Ok(module) = Module::new(&engine, wasm.as_slice()) else { continue };
            run(lane, &engine, &module);
            module.machine_code().hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Instantiates a module if it needs nothing, and calls what it exports, in lanes where that ends.
fn run(lane: Lane, engine: &Engine, module: &Module) {
    if lane.has(Switch::NoFuel) {
        return;
    }
    let mut store = Store::new(engine, ());
    store.set_fuel(1000);
    let Ok(instance) = Linker::new().instantiate(&mut store, module) else { return };
    let names: Vec<String> = module.exports().map(|(name, _)| name.to_string()).collect();
    for name in &names {
        let Some(func) = instance.func(&store, name) else { continue };
        let ty: FuncType = func.ty(&store);
        let default = |ty: &ValType| Val::default_of(*ty, engine.types());
        let params = ty.params().iter().map(default).collect::<Option<Vec<_>>>();
        if let Some(params) = params {
            let mut results = vec![Val::I32(0); ty.results().len()];
            let _ = func.call(&mut store, &params, &mut results);
        }
    }
}

#[test]
fn three_processes_make_the_same_bytes() {
    let _one = alone();
    let own = digest(&generated(60));
    for _ in 0..2 {
        let program = std::env::current_exe().expect("this program is a file");
        let output = Command::new(program)
            .args(["--exact", "a_process_tells_its_digest", "--nocapture", "--test-threads=1"])
            .output()
            .expect("this program runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = told.lines().find_map(|line| line.split_once(DIGEST));
        let (_, other) = line.unwrap_or_else(|| panic!("no digest: {told}"));
        assert_eq!(other.trim(), format!("{own:016x}"), "two processes differ");
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "its parent reads what it prints")]
fn a_process_tells_its_digest() {
    let _one = alone();
    println!("{DIGEST}{:016x}", digest(&generated(60)));
}

#[test]
fn engines_that_number_types_differently_make_the_same_bytes() {
    let _one = alone();
    let module = encode(
        r#"(module (type $a (func (param i32) (result f64))) (type $b (func (param i64 i64)))
            (rec (type $c (sub (func (param externref)))) (type $d (sub $c (func (param externref)))))
            (table 4 funcref) (elem (i32.const 0) func $f $g $h)
            (func $f (type $a) (f64.const 1)) (func $g (type $b)) (func $h (type $d))
            (func (export "f") (param i32)
                (drop (call_indirect (type $a) (i32.const 1) (local.get 0)))
                (call_indirect (type $b) (i64.const 1) (i64.const 2) (local.get 0))
                (call_indirect (type $c) (ref.null extern) (local.get 0))))"#,
    );
    let others: Vec<Vec<u8>> = generated(20);
    for lane in lanes() {
        let code = |before: &[Vec<u8>]| {
            let engine = Engine::new(&lane.config());
            for other in before {
                let _ = Module::decode(&engine, other.as_slice());
            }
            Module::new(&engine, module.as_slice()).expect("a valid module").machine_code()
        };
        let first = code(&[]);
        assert!(!first.is_empty());
        assert!(first == code(&others), "{lane}");
    }
}

// Memory for code.

/// A mapping of this process.
struct Mapping {
    access: String,
    bytes: usize,
    line: String,
}

fn mappings() -> Vec<Mapping> {
    let text = std::fs::read_to_string("/proc/self/maps").expect("Linux tells a process its mappings");
    text.lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let (from, to) = words.next().and_then(|range| range.split_once('-')).expect("a range");
            let address = |text| usize::from_str_radix(text, 16).expect("an address");
            let bytes = address(to) - address(from);
            Mapping { access: words.next().expect("an access").into(), bytes, line: line.into() }
        })
        .collect()
}

/// Bytes of anonymous memory that can be run. What has a name behind the inode is the program and its libraries.
fn code_bytes() -> usize {
    let code = mappings()
        .into_iter()
        .filter(|mapping| mapping.access.contains('x') && mapping.line.split_whitespace().count() == 5);
    code.map(|mapping| mapping.bytes).sum()
}

#[test]
fn no_mapping_is_ever_both_writable_and_executable() {
    let _one = alone();
    let modules = generated(12);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|thread| {
                let (modules, done) = (&modules, &done);
                scope.spawn(move || {
                    let lanes = lanes();
                    for lane in lanes.iter().cycle().skip(thread) {
                        compile_and_run(*lane, modules);
                        if done.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                })
            })
            .collect();
        for _ in 0..200 {
            for mapping in mappings() {
                let both = mapping.access.contains('w') && mapping.access.contains('x');
                assert!(!both, "{}", mapping.line);
            }
        }
        done.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().expect("it compiles and runs"));
    });
}

fn compile_and_run(lane: Lane, modules: &[Vec<u8>]) {
    let engine = Engine::new(&lane.config());
    for wasm in modules {
        if let Ok(module) = Module::new(&engine, wasm.as_slice()) {
            run(lane, &engine, &module);
        }
    }
}

#[test]
fn freed_code_is_not_executable() {
    let _one = alone();
    let modules = generated(40);
    let (lanes, plain) = (lanes(), lanes()[0]);
    // The trampolines stay; the first call makes them.
    compile_and_run(plain, &modules[..4]);
    let before = code_bytes();
    {
        let engine = Engine::new(&plain.config());
        let kept: Vec<_> = modules.iter().map(|wasm| Module::new(&engine, wasm.as_slice())).collect();
        assert!(code_bytes() > before, "{} modules are code", kept.len());
    }
    lanes.iter().for_each(|lane| compile_and_run(*lane, &modules));
    assert_eq!(code_bytes(), before);
}

// Stores.

#[test]
fn a_store_that_reaches_over_the_end_writes_nothing() {
    const PAGE: u32 = 65_536;
    let stores = [
        ("i32.store8", "i32", 1),
        ("i32.store16", "i32", 2),
        ("i32.store", "i32", 4),
        ("i64.store8", "i64", 1),
        ("i64.store16", "i64", 2),
        ("i64.store32", "i64", 4),
        ("i64.store", "i64", 8),
        ("f32.store", "f32", 4),
        ("f64.store", "f64", 8),
    ];
    let exports: String = stores
        .iter()
        .map(|(name, ty, _)| {
            format!(
                "(func (export \"{name}\") (param i32 {ty}) ({name} (local.get 0) (local.get 1)))
                 (func (export \"{name} const\") (param i32 {ty}) ({name} (local.get 0) ({ty}.const 1)))
                 (func (export \"{name} offset\") (param i32 {ty}) ({name} offset=3 (local.get 0) (local.get 1)))"
            )
        })
        .collect();
    let module = encode(&format!(
        "(module (memory (export \"memory\") 1 3) {exports}
            (func (export \"grow\") (drop (memory.grow (i32.const 1)))))"
    ));
    for lane in lanes() {
        let engine = Engine::new(&lane.config());
        let module = Module::new(&engine, module.as_slice()).expect("a valid module");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it can be instantiated");
        for pages in 1..=3 {
            store.set_fuel(1 << 30);
            let end = PAGE * pages;
            for (name, ty, width) in stores {
                for (suffix, offset) in [("", 0), (" const", 0), (" offset", 3)] {
                    for start in end - 12..=end + 2 {
                        check(&mut store, instance, &format!("{name}{suffix}"), start - offset, ty, {
                            (start, width, end)
                        });
                    }
                }
            }
            let grow = instance.func(&store, "grow").expect("it is exported");
            grow.call(&mut store, &[], &mut []).expect("it grows or does not");
        }
    }
}

/// Calls a store of `width` bytes at `start`, and looks at the memory that ends at `end`.
fn check(
    store: &mut Store<()>,
    instance: Instance,
    name: &str,
    address: u32,
    ty: &str,
    (start, width, end): (u32, u32, u32),
) {
    /// What the memory holds before.
    const BEFORE: [u8; 32] = [0xaa; 32];
    let memory = instance.export(&*store, "memory").and_then(Extern::memory).expect("it is exported");
    memory.write(&mut *store, u64::from(end) - 32, &BEFORE).expect("within bounds");
    let value = match ty {
        "i32" => Val::I32(0x1122_3344),
        "i64" => Val::I64(0x1122_3344_5566_7788),
        "f32" => Val::F32(0x1122_3344),
        _ => Val::F64(0x1122_3344_5566_7788),
    };
    let func = instance.func(&*store, name).expect("it is exported");
    let outcome = func.call(&mut *store, &[Val::I32(address as i32), value], &mut []);
    let mut after = [0; 32];
    memory.read(&*store, u64::from(end) - 32, &mut after).expect("within bounds");
    if start + width <= end {
        outcome.expect("within bounds");
        let written = (start - (end - 32)) as usize..(start - (end - 32) + width) as usize;
        assert!(after[written.clone()] != BEFORE[written.clone()], "{name} at {start:#x}");
        after[written.clone()].copy_from_slice(&BEFORE[written]);
    } else {
        let kind = match outcome {
            Err(Error::Trap(trap)) => trap.kind(),
            other => panic!("{name} at {start:#x}: {other:?}"),
        };
        assert_eq!(kind, TrapKind::MemoryOutOfBounds);
    }
    assert_eq!(after, BEFORE, "{name} at {start:#x}");
}

// Verification.

/// Every module of every script that can be decoded.
fn modules_of_the_suite() -> Vec<Vec<u8>> {
    let mut modules = Vec::new();
    let files = Group::all().flat_map(Group::files);
    let mut texts: Vec<String> = files.map(|file| file.text.into()).collect();
    texts.sort();
    texts.dedup();
    for text in &texts {
        let mut lexer = wast::lexer::Lexer::new(text);
        lexer.allow_confusing_unicode(true);
        let Ok(buffer) = wast::parser::ParseBuffer::new_with_lexer(lexer) else { continue };
        let Ok(script) = wast::parser::parse::<wast::Wast<'_>>(&buffer) else { continue };
        modules.extend(script.directives.into_iter().filter_map(|directive| match directive {
            wast::WastDirective::Module(mut module)
            | wast::WastDirective::ModuleDefinition(mut module)
            | wast::WastDirective::AssertInvalid { mut module, .. } => module.encode().ok(),
            _ => None,
        }));
    }
    modules
}

/// Compiling panics if the verifier finds a fault, so it is enough to compile.
#[test]
fn code_of_all_modules_of_the_suite_and_of_a_campaign_passes_verification_in_every_lane() {
    let _one = alone();
    let mut modules = modules_of_the_suite();
    modules.extend(generated(300));
    let seeds = [env!("CARGO_MANIFEST_DIR"), "..", "corpus", "seeds"].iter().collect::<std::path::PathBuf>();
    for entry in std::fs::read_dir(seeds).expect("the seed cases are there") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            modules.push(std::fs::read(path).expect("a readable file"));
        }
    }
    let engine = Engine::new(&lanes()[0].config());
    let siblings: Vec<Engine> = lanes().iter().map(|lane| engine.sibling(&lane.config())).collect();
    let mut compiled = 0;
    for wasm in &modules {
        let Ok(decoded) = Module::decode(&engine, wasm.as_slice()) else { continue };
        for (lane, sibling) in lanes().iter().zip(&siblings) {
            // Refused is what the mode does not execute.
            let Ok(module) = decoded.prepare(sibling) else { continue };
            run(*lane, sibling, &module);
            compiled += 1;
        }
    }
    assert!(compiled > 10_000, "{compiled} of {} modules", modules.len());
}
