//! `run`: a plain runtime, for trying one module in one mode.

use super::input::read_module;
use super::{Done, Exit, Failure, argument, show};
use crate::hosts::named;
use crate::subject::{Lane, Switch, values};
use clap::Args;
use crosscheck_engine::{Engine, Error, Extern, Func, Linker, Module, Store, Trap, Val};
use std::path::{Path, PathBuf};

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
        let module = Module::new(&engine, bytes).map_err(|error| refused(&self.file, &error))?;
        let mut store = Store::new(&engine, named::Host::default());
        store.set_fuel(self.fuel.unwrap_or(0));
        let mut linker = Linker::new();
        for name in &self.host {
            named::define(name, &mut linker, &mut store).map_err(Failure::Usage)?;
        }
        let instance = match linker.instantiate(&mut store, &module) {
            Ok(instance) => instance,
            Err(Error::Trap(trap)) => return Ok(trapped(&trap)),
            Err(error) => return Err(refused(&self.file, &error)),
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
            return Err(Failure::Usage(format!("{file}: no exported function is called `{name}`")));
        };
        self.call(&mut store, func, name, args)
    }

    fn call(&self, store: &mut Store<named::Host>, func: Func, name: &str, args: &[String]) -> Done {
        let ty = func.ty(&*store);
        let wrong = |error: String| Failure::Usage(format!("--invoke: {error}"));
        let given = argument::parse_all(name, args, ty.params()).map_err(wrong)?;
        let mut params = Vec::with_capacity(given.len());
        for value in &given {
            let cannot = || wrong(format!("cannot pass {value} from outside"));
            params.push(values::to_val(store, value).ok_or_else(cannot)?);
        }
        let mut results: Vec<Val> =
            ty.results().iter().map(|ty| Val::default_of(*ty).unwrap_or(Val::FuncRef(None))).collect();
        match func.call(&mut *store, &params, &mut results) {
            Ok(()) => {
                for (value, ty) in results.iter().zip(ty.results()) {
                    show(values::observed(store, *value, *ty));
                }
                Ok(Exit::Green)
            }
            Err(Error::Trap(trap)) => Ok(trapped(&trap)),
            Err(error) => Err(refused(&self.file, &error)),
        }
    }
}

fn refused(file: &Path, error: &Error) -> Failure {
    Failure::Usage(format!("{}: {error}", file.display()))
}

#[allow(clippy::print_stderr, reason = "traps go to stderr, results to stdout")]
fn trapped(trap: &Trap) -> Exit {
    eprintln!("trap: {trap}");
    if let Some(backtrace) = trap.backtrace() {
        eprint!("{backtrace}");
    }
    Exit::Failures
}
