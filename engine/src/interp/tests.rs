//! What the mode does on modules small enough to work out by hand.
//!
//! Debug builds hold every side table against its checker, so the tests here look at behaviour; those in
//! `tables` look at the tables and at the checker itself.

mod bulk;
mod calls;
mod control;
mod dispatch;
mod fuel;
#[cfg(all(not(debug_assertions), target_arch = "x86_64", target_os = "linux"))]
mod jumps;
mod numbers;
mod tables;
mod traces;

use crate::{
    Caller, Config, Engine, Error, Func, Instance, Limits, Linker, Mode, Module, Store, Trap, TrapKind, Val,
};

/// Bytes of a module in text form.
fn assemble(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).unwrap();
    let mut module =
        wast::parser::parse::<wast::Wat>(&buffer).unwrap_or_else(|error| panic!("{text}: {error}"));
    module.encode().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn config() -> Config {
    Config::new(Mode::Interp)
}

/// A store with one instance, whose imports come from [`hosts`].
struct World {
    store: Store<Vec<i32>>,
    instance: Instance,
    bytes: Vec<u8>,
}

/// Host functions that modules here may import from `host`; what `log` is given ends in the store's data.
fn hosts(store: &mut Store<Vec<i32>>) -> Linker<Vec<i32>> {
    let mut linker = Linker::new();
    let log = Func::wrap(&mut *store, "host.log", |mut caller: Caller<'_, Vec<i32>>, value: i32| {
        caller.data_mut().push(value);
        Ok(())
    });
    let sum = Func::wrap(&mut *store, "host.sum", |_: Caller<'_, Vec<i32>>, (a, b): (i32, i32)| {
        Ok(a.wrapping_add(b))
    });
    let three = Func::wrap(&mut *store, "host.three", |_: Caller<'_, Vec<i32>>, (): ()| Ok((1, 2, 3)));
    let fail = Func::wrap(&mut *store, "host.fail", |_: Caller<'_, Vec<i32>>, (): ()| -> Result<(), Error> {
        Err(Trap::host("the host refuses").into())
    });
    let again = Func::wrap(&mut *store, "host.again", |mut caller: Caller<'_, Vec<i32>>, argument: i32| {
        let again = caller.export("again").and_then(crate::Extern::func).expect("the guest exports `again`");
        let again = again.typed::<i32, i32>(&caller)?;
        again.call(&mut caller, argument)
    });
    let who = Func::wrap(&mut *store, "host.who", |caller: Caller<'_, Vec<i32>>, (): ()| {
        Ok(caller.instance().map_or(-1, |instance| instance as i32))
    });
    for (name, func) in
        [("log", log), ("sum", sum), ("three", three), ("fail", fail), ("again", again), ("who", who)]
    {
        linker.define("host", name, func);
    }
    linker
}

impl World {
    fn new(text: &str) -> World {
        World::with(config(), text)
    }

    fn with(config: Config, text: &str) -> World {
        let bytes = assemble(text);
        let mut store = Store::new(&Engine::new(&config), Vec::new());
        store.set_fuel(1_000_000_000);
        let module = Module::new(store.engine(), bytes.clone()).unwrap();
        let instance = hosts(&mut store).instantiate(&mut store, &module).unwrap();
        World { store, instance, bytes }
    }

    fn call(&mut self, name: &str, arguments: &[Val]) -> Result<Vec<Val>, Error> {
        call(&mut self.store, &self.instance, name, arguments)
    }

    fn trap(&mut self, name: &str, arguments: &[Val]) -> Trap {
        self.call(name, arguments).expect_err("it traps").as_trap().expect("it traps").clone()
    }

    /// Offset of the only place where these bytes stand in the module.
    #[track_caller]
    fn find(&self, bytes: &[u8]) -> u32 {
        let mut places = self.bytes.windows(bytes.len()).enumerate().filter(|(_, window)| *window == bytes);
        let (place, _) = places.next().expect("the bytes stand in the module");
        assert!(places.next().is_none(), "the bytes stand there once");
        place as u32
    }
}

fn call(
    store: &mut Store<Vec<i32>>,
    instance: &Instance,
    name: &str,
    arguments: &[Val],
) -> Result<Vec<Val>, Error> {
    let func = instance.func(&*store, name).unwrap_or_else(|| panic!("{name} is exported"));
    let results = func.ty(&*store).results().len();
    let mut results = vec![Val::I32(0); results];
    func.call(&mut *store, arguments, &mut results)?;
    Ok(results)
}

/// Frames of a trap as `name@offset`, innermost first.
fn frames(trap: &Trap) -> Vec<String> {
    let frames = trap.backtrace().expect("backtraces are on").frames();
    frames.map(|(_, frame)| frame.to_string()).collect()
}

/// Calls an export with and without fuel, and with memory that moves, and compares its results.
#[track_caller]
fn check(text: &str, name: &str, arguments: &[Val], expected: &[Val]) {
    for config in [config(), config().fuel(true), config().moving_memory(true)] {
        assert_eq!(World::with(config, text).call(name, arguments).unwrap(), expected, "{text}");
    }
}

/// As [`check`], for a trap.
#[track_caller]
fn check_trap(text: &str, name: &str, arguments: &[Val], expected: TrapKind) {
    for config in [config(), config().fuel(true)] {
        assert_eq!(World::with(config, text).trap(name, arguments).kind(), expected, "{text}");
    }
}

/// As [`check`], for functions of integers.
#[track_caller]
fn check_i32(text: &str, arguments: &[i32], expected: i32) {
    let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
    check(text, "f", &arguments, &[Val::I32(expected)]);
}

fn small_depth(slots: u32) -> Config {
    config().limits(Limits { depth_slots: slots, ..Limits::default() })
}
