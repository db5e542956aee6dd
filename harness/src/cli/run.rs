//! `run`: a plain runtime, for trying one module in one mode.

use super::input::read_module;
use super::place::refused;
use super::{Done, Exit, Failure, argument, did_you_mean, named_hosts, show};
use crate::case::HostPlan;
use crate::guard::guarded;
use crate::hosts::Host;
use crate::names::readable;
use crate::observe::{Capture, capture_state, values};
use crate::subject::access::{AtSite, WATCHED_FUEL};
use crate::subject::{Lane, Switch, Trace, define_named_hosts};
use clap::Args;
use crosscheck_engine::{
    Engine, Error, Extern, Func, Linker, Module, Shown, ShownMessage, Store, Trap, TrapKind, Val,
};
use std::path::PathBuf;

/// Options of `run`.
#[derive(Args)]
pub struct Run {
    /// The module, binary or text
    file: PathBuf,
    /// The mode or lane that runs it, e.g. `baseline+explicit-bounds`
    #[arg(long, default_value = "interp")]
    mode: String,
    /// The function to call and its arguments, decimal or 0x (bits, for floats); default `_start`, if there is one
    #[arg(long, num_args = 1.., allow_negative_numbers = true, value_names = ["NAME", "ARG"])]
    invoke: Vec<String>,
    /// Built-in host functions to link
    #[arg(long)]
    host: Vec<String>,
    /// Fuel to run with; default: as much as it takes
    #[arg(long)]
    fuel: Option<u64>,
}

impl Run {
    /// Instantiates, calls, prints results or the trap.
    pub fn run(&self) -> Done {
        let lane: Lane = self.mode.parse().map_err(|error| Failure::Usage(format!("--mode: {error}")))?;
        if self.fuel.is_some() && lane.has(Switch::NoFuel) {
            return Err(Failure::Usage(format!("--fuel: {lane} counts no fuel")));
        }
        let bytes = read_module(&self.file)?;
        let engine = Engine::new(&lane.config().fuel(self.fuel.is_some()));
        let module = Module::new(&engine, bytes.as_slice()).map_err(|error| refused(&self.file, &error))?;
        let mut store = Store::new(&engine, self.host_of_program(false)?);
        store.set_fuel(self.fuel.unwrap_or(0));
        let instance = match self.linker(&mut store)?.instantiate(&mut store, &module) {
            Ok(instance) => instance,
            Err(error) => return self.failed(&bytes, &store, error),
        };
        let (name, args) = match self.invoke.split_first() {
            Some((name, args)) => (name.as_str(), args),
            None => ("_start", &[][..]),
        };
        let Some(func) = instance.export(&store, name).and_then(Extern::func) else {
            if self.invoke.is_empty() {
                return Ok(Exit::Green);
            }
            let file = self.file.display();
            let exports = instance.exports(&store).into_iter();
            let functions: Vec<String> =
                exports.filter(|(_, item)| item.func().is_some()).map(|(name, _)| name).collect();
            let there_is = did_you_mean(name, functions.iter().map(String::as_str));
            return Err(Failure::Usage(format!(
                "{file}: no exported function is called `{}`; {there_is}",
                Shown(name)
            )));
        };
        let args = arguments(&mut store, func, name, args)?;
        let ty = func.ty(&store);
        // Overwritten by the call, whatever they are.
        let mut results = vec![Val::I32(0); ty.results().len()];
        match func.call(&mut store, &args, &mut results) {
            Ok(()) => {
                for (value, ty) in results.iter().zip(ty.results()) {
                    show(values::observed(&store, *value, *ty).described());
                }
                Ok(Exit::Green)
            }
            Err(error) => self.failed(&bytes, &store, error),
        }
    }

    /// The built-in hosts that were asked for.
    fn host_of_program(&self, is_quiet: bool) -> Result<Host, Failure> {
        let plan = HostPlan { named: named_hosts(&self.host)?, ..HostPlan::new(0, 0) };
        Ok(Host::of_program(plan, is_quiet))
    }

    fn linker(&self, store: &mut Store<Host>) -> Result<Linker<Host>, Failure> {
        let mut linker = Linker::new();
        define_named_hosts(named_hosts(&self.host)?, &mut linker, store);
        Ok(linker)
    }

    /// What an error of the program ends with: words on standard error, or for errors that are not its own a failure.
    fn failed(&self, wasm: &[u8], store: &Store<Host>, error: Error) -> Done {
        match error {
            Error::Trap(trap) => Ok(self.trapped(wasm, &trap)),
            Error::Exception(exception) => {
                tell_exception(&values::exception(store, &exception).describe());
                Ok(Exit::Failures)
            }
            Error::Invalid { .. }
            | Error::Link(_)
            | Error::Usage(_)
            | Error::Unsupported(_)
            | Error::Limit(_)
            | Error::Resources(_) => Err(refused(&self.file, &error)),
        }
    }

    /// Tells of a trap, on standard error.
    fn trapped(&self, wasm: &[u8], trap: &Trap) -> Exit {
        tell(trap);
        if let (TrapKind::MemoryOutOfBounds, Some(site)) = (trap.kind(), trap.site())
            && let Some(access) = guarded(|| self.access(wasm, site)).ok().flatten()
        {
            tell_access(&access);
        }
        Exit::Failures
    }

    /// What the access at an offset was about: does everything once more, in silence, where it can be watched.
    fn access(&self, wasm: &[u8], site: u32) -> Option<String> {
        let engine = Engine::new(&Lane::plain(Trace::MODE).config().fuel(true));
        let module = Module::new(&engine, wasm).ok()?;
        let mut store = Store::new(&engine, self.host_of_program(true).ok()?);
        store.set_fuel(self.fuel.unwrap_or(WATCHED_FUEL).min(WATCHED_FUEL));
        let at_site = AtSite::new(site);
        store.set_trace(Some(at_site.clone()));
        let linker = self.linker(&mut store).ok()?;
        if let Ok(instance) = linker.instantiate(&mut store, &module) {
            let (name, args) =
                self.invoke.split_first().map_or(("_start", &[][..]), |(name, args)| (name, args));
            let func = instance.export(&store, name).and_then(Extern::func)?;
            let args = arguments(&mut store, func, name, args).ok()?;
            let ty = func.ty(&store);
            let mut results = vec![Val::I32(0); ty.results().len()];
            func.call(&mut store, &args, &mut results).err()?;
        }
        let (_, state) = capture_state(&store, &[], Capture::Full);
        at_site.describe(wasm, &state?)
    }
}

/// What a function is called with. Fails with what was expected.
fn arguments(store: &mut Store<Host>, func: Func, name: &str, args: &[String]) -> Result<Vec<Val>, Failure> {
    let wrong = |error: String| Failure::Usage(format!("--invoke: {error}"));
    let ty = func.ty(&*store);
    let given = argument::parse_all(name, args, ty.params()).map_err(wrong)?;
    let mut params = Vec::with_capacity(given.len());
    for value in &given {
        let cannot = || wrong(format!("cannot pass {value} from outside"));
        params.push(values::to_val(store, value).ok_or_else(cannot)?);
    }
    Ok(params)
}

#[allow(clippy::print_stderr, reason = "traps go to stderr, results to stdout")]
fn tell_access(access: &str) {
    eprintln!("  {access}");
}

#[allow(clippy::print_stderr, reason = "exceptions go to stderr as traps do")]
fn tell_exception(exception: &str) {
    eprintln!("uncaught {}", ShownMessage(exception));
}

#[allow(clippy::print_stderr, reason = "traps go to stderr, results to stdout")]
fn tell(trap: &Trap) {
    eprintln!("trap: {}", ShownMessage(&trap.to_string()));
    let mut expected = 0;
    for (number, frame) in trap.backtrace().iter().flat_map(|backtrace| backtrace.frames()) {
        if number != expected {
            eprintln!("     ... {} frames ...", number - expected);
        }
        let name = readable(&frame.name());
        match frame.offset() {
            Some(offset) => eprintln!("#{number:02}: {offset:#06x} - {name}"),
            None => eprintln!("#{number:02}: host - {name}"),
        }
        expected = number + 1;
    }
}
