//! What programs do in this mode, from text to results, traps and fuel.

mod branches;
mod calls;
mod control;
mod fuel;
#[cfg(all(not(debug_assertions), target_arch = "x86_64", target_os = "linux"))]
mod jumps;
mod lowering;
mod operands;

use crate::{
    Backtrace, Config, Engine, Error, Func, Instance, Limits, Linker, Mode, Module, Store, Trap, TrapKind,
    Val,
};

fn config() -> Config {
    Config::new(Mode::FastInterp)
}

fn assemble(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).expect("the text has tokens");
    let mut wat = wast::parser::parse::<wast::Wat>(&buffer).expect("the text is a module");
    wat.encode().expect("the module has a binary form")
}

/// A store with one instance, which may import `host.log` (takes an `i32`, remembers it), `host.add`
/// (adds two `i32`), `host.refuse` (traps) and `host.again` (calls the export `inner` of its caller).
fn instantiate(config: &Config, text: &str) -> (Store<Vec<i32>>, Instance) {
    let mut store = Store::new(&Engine::new(config), Vec::new());
    let linker = hosts(&mut store);
    let instance = add_instance(&mut store, &linker, text);
    (store, instance)
}

fn hosts(store: &mut Store<Vec<i32>>) -> Linker<Vec<i32>> {
    let mut linker = Linker::new();
    linker.func_wrap(store, ("host", "log"), |mut caller: crate::Caller<'_, Vec<i32>>, value: i32| {
        caller.data_mut().push(value);
        Ok(())
    });
    linker.func_wrap(store, ("host", "add"), |_: crate::Caller<'_, Vec<i32>>, (a, b): (i32, i32)| Ok(a + b));
    linker.func_wrap(store, ("host", "refuse"), |_: crate::Caller<'_, Vec<i32>>, (): ()| {
        Err::<(), Error>(Trap::host("refused").into())
    });
    linker.func_wrap(store, ("host", "again"), |mut caller: crate::Caller<'_, Vec<i32>>, value: i32| {
        let inner = caller.export("inner").and_then(crate::Extern::func).expect("the caller exports it");
        let inner = inner.typed::<i32, i32>(&caller)?;
        inner.call(&mut caller, value)
    });
    linker
}

fn add_instance(store: &mut Store<Vec<i32>>, linker: &Linker<Vec<i32>>, text: &str) -> Instance {
    let module = Module::new(store.engine(), assemble(text)).expect("the module is valid");
    linker.instantiate(store, &module).expect("the module has what it needs")
}

fn call(store: &mut Store<Vec<i32>>, func: Func, arguments: &[Val]) -> Result<Vec<Val>, Error> {
    let mut results = vec![Val::I32(0); func.ty(&*store).results().len()];
    func.call(store, arguments, &mut results).map(|()| results)
}

fn run_with(config: &Config, text: &str, arguments: &[Val]) -> Result<Vec<Val>, Error> {
    let (mut store, instance) = instantiate(config, text);
    let func = instance.func(&store, "f").expect("tests export f");
    call(&mut store, func, arguments)
}

/// Instantiates a module, and calls its export `f`.
fn run(text: &str, arguments: &[Val]) -> Result<Vec<Val>, Error> {
    run_with(&config(), text, arguments)
}

/// The module's fields, with a call of `f` on `arguments`, give these results.
#[track_caller]
fn check(fields: &str, arguments: &[Val], expected: &[Val]) {
    assert_eq!(run(&format!("(module {fields})"), arguments).as_deref(), Ok(expected));
}

/// The same for functions of `i32`.
#[track_caller]
fn check_i32(fields: &str, arguments: &[i32], expected: &[i32]) {
    let values = |numbers: &[i32]| -> Vec<Val> { numbers.iter().map(|number| Val::I32(*number)).collect() };
    check(fields, &values(arguments), &values(expected));
}

fn trap(outcome: Result<Vec<Val>, Error>) -> Trap {
    match outcome {
        Err(Error::Trap(trap)) => trap,
        other => panic!("{other:?} is no trap"),
    }
}

/// The module's fields, with a call of `f` on `arguments`, trap this way.
#[track_caller]
fn check_trap(fields: &str, arguments: &[Val], expected: TrapKind) -> Trap {
    let trap = trap(run(&format!("(module {fields})"), arguments));
    assert_eq!(trap.kind(), expected);
    assert_eq!(
        trap.site(),
        trap.backtrace().expect("taken").innermost()[0].offset(),
        "the site is innermost"
    );
    trap
}

/// File offsets of an opcode's occurrences in the binary form, found by its bytes.
fn offsets(text: &str, pattern: &[u8]) -> Vec<u32> {
    let bytes = assemble(text);
    let windows = bytes.windows(pattern.len()).enumerate();
    windows.filter(|(_, window)| *window == pattern).map(|(at, _)| at as u32).collect()
}

/// Function index and offset of the frames that were kept.
fn frames(backtrace: &Backtrace) -> Vec<(Option<u32>, Option<u32>)> {
    backtrace.frames().map(|(_, frame)| (frame.func(), frame.offset())).collect()
}
