//! `run`: a plain runtime, for trying one module in one mode.

use super::input::read_module;
use super::{Done, Exit, Failure, show};
use crate::case::Value;
use crate::hosts::named;
use crate::subject::values;
use clap::Args;
use crosscheck_engine::{
    Config, Engine, Error, Extern, Func, Linker, Mode, Module, Store, Trap, Val, ValType,
};
use std::path::{Path, PathBuf};

/// Options of `run`.
#[derive(Args)]
pub struct Run {
    /// The module, binary or text
    file: PathBuf,
    /// The mode that runs it
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
        let mode: Mode = self.mode.parse().map_err(|error| Failure::Usage(format!("--mode: {error}")))?;
        let bytes = read_module(&self.file)?;
        let engine = Engine::new(&Config::new(mode).fuel(self.fuel.is_some()));
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
        if args.len() != ty.params().len() {
            let (wanted, given) = (ty.params().len(), args.len());
            return Err(Failure::Usage(format!(
                "--invoke: `{name}` takes {wanted} arguments {ty}, {given} given"
            )));
        }
        let mut params = Vec::with_capacity(args.len());
        for (text, ty) in args.iter().zip(ty.params()) {
            params.push(
                argument(store, text, *ty).map_err(|error| Failure::Usage(format!("--invoke: {error}")))?,
            );
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

/// An argument: a number in decimal or with 0x (the bits, for floats), `null`, or a host object's number.
fn argument(store: &mut Store<named::Host>, text: &str, ty: ValType) -> Result<Val, String> {
    let wrong = || format!("`{text}` is not a value of type {ty}");
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let hex = hex.map(|digits| u128::from_str_radix(&digits.replace('_', ""), 16));
    let value = match (ty, hex) {
        (ValType::I32, Some(Ok(bits))) => Value::I32(u32::try_from(bits).map_err(|_| wrong())?),
        (ValType::I64, Some(Ok(bits))) => Value::I64(u64::try_from(bits).map_err(|_| wrong())?),
        (ValType::F32, Some(Ok(bits))) => Value::F32(u32::try_from(bits).map_err(|_| wrong())?),
        (ValType::F64, Some(Ok(bits))) => Value::F64(u64::try_from(bits).map_err(|_| wrong())?),
        (ValType::V128, Some(Ok(bits))) => Value::V128(bits),
        (ValType::I32, None) => {
            let number: i64 = text.parse().map_err(|_| wrong())?;
            let signed = i32::try_from(number).map(|number| number as u32);
            Value::I32(signed.or_else(|_| u32::try_from(number)).map_err(|_| wrong())?)
        }
        (ValType::I64, None) => {
            let number: i128 = text.parse().map_err(|_| wrong())?;
            let signed = i64::try_from(number).map(|number| number as u64);
            Value::I64(signed.or_else(|_| u64::try_from(number)).map_err(|_| wrong())?)
        }
        (ValType::F32, None) => Value::F32(text.parse::<f32>().map_err(|_| wrong())?.to_bits()),
        (ValType::F64, None) => Value::F64(text.parse::<f64>().map_err(|_| wrong())?.to_bits()),
        (ValType::Ref(ty), _) if text == "null" && ty.nullable => values::null(ty),
        (ValType::EXTERNREF, None) => {
            let number = text.parse().map_err(|_| wrong())?;
            Value::Ref(crate::case::RefValue::Extern(number))
        }
        (ValType::V128 | ValType::Ref(_), _) | (_, Some(Err(_))) => return Err(wrong()),
    };
    values::to_val(store, &value).ok_or_else(wrong)
}
