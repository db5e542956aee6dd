//! Host functions that people name: `run --host NAME`, and what cases may import by name.
//!
//! `crosscheck`, module `crosscheck`:
//!
//! | function | what it does |
//! | --- | --- |
//! | `print_i32`, `print_i64`, `print_f32`, `print_f64` | prints its argument, as bits |
//! | `print` (address, length) | prints that many bytes of memory as text |
//! | `next_i32`, `next_i64`, `next_f64` | another value at each call, always in the same order |
//! | `sum` (address, length) -> i32 | adds up bytes |
//! | `length` (address) -> i32 | bytes before the next zero byte |
//! | `fill` (address, length, byte) | fills memory |
//! | `again` (i32) -> i32 | calls the export `again` of its caller with the argument |
//! | `trap` | traps with "the host refuses" |
//!
//! `seed-cases`, module `env`, what the regression modules about native calls need:
//!
//! | function | what it does |
//! | --- | --- |
//! | `toupper` (i32) -> i32 | upper case of an ASCII letter |
//! | `foo2` (string, buffer, length) | copies a string into a buffer, at most length - 1 bytes, pads with zeros, ends with a zero |
//! | `sum` (address, length) -> i32 | adds up bytes |

use crate::generate::stream::{Purpose, Stream};
use crosscheck_engine::{Caller, Error, Func, Linker, Store, Trap};

/// What named host functions remember between calls.
#[derive(Debug)]
pub struct Host {
    stream: Stream,
    /// Whether nothing is printed.
    is_quiet: bool,
}

impl Default for Host {
    fn default() -> Host {
        Host { stream: Stream::new(0, Purpose::Hosts), is_quiet: false }
    }
}

impl Host {
    /// A host that does everything but print.
    pub fn quiet() -> Host {
        Host { is_quiet: true, ..Host::default() }
    }

    #[allow(clippy::print_stdout, reason = "printing is what these functions are for")]
    fn print(&self, line: &str) {
        if !self.is_quiet {
            println!("{line}");
        }
    }
}

/// Defines a set of host functions; fails if there is none of that name.
pub fn define(set: &str, linker: &mut Linker<Host>, store: &mut Store<Host>) -> Result<(), String> {
    match set {
        "crosscheck" => crosscheck(linker, store),
        "seed-cases" => seed_cases(linker, store),
        _ => return Err(format!("--host: no host is called `{set}`; there are crosscheck, seed-cases")),
    }
    Ok(())
}

fn crosscheck(linker: &mut Linker<Host>, store: &mut Store<Host>) {
    let name = |name: &'static str| ("crosscheck", name);
    linker.func_wrap(store, name("print_i32"), |mut caller: Caller<'_, Host>, value: u32| {
        caller.data_mut().print(&format!("i32:{value:#x}"));
        Ok(())
    });
    linker.func_wrap(store, name("print_i64"), |mut caller: Caller<'_, Host>, value: u64| {
        caller.data_mut().print(&format!("i64:{value:#x}"));
        Ok(())
    });
    linker.func_wrap(store, name("print_f32"), |mut caller: Caller<'_, Host>, value: f32| {
        caller.data_mut().print(&format!("f32:{:#010x}", value.to_bits()));
        Ok(())
    });
    linker.func_wrap(store, name("print_f64"), |mut caller: Caller<'_, Host>, value: f64| {
        caller.data_mut().print(&format!("f64:{:#018x}", value.to_bits()));
        Ok(())
    });
    linker.func_wrap(store, name("print"), |mut caller: Caller<'_, Host>, (address, length): (u32, u32)| {
        let bytes = caller.guest_bytes(address.into(), length.into())?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        caller.data_mut().print(&text);
        Ok(())
    });
    linker.func_wrap(store, name("next_i32"), |mut caller: Caller<'_, Host>, ()| {
        Ok(caller.data_mut().stream.u32())
    });
    linker.func_wrap(store, name("next_i64"), |mut caller: Caller<'_, Host>, ()| {
        Ok(caller.data_mut().stream.u64())
    });
    linker.func_wrap(store, name("next_f64"), |mut caller: Caller<'_, Host>, ()| {
        Ok(f64::from(caller.data_mut().stream.u32()) / 16.0)
    });
    linker.func_wrap(store, name("sum"), sum);
    linker.func_wrap(store, name("length"), |caller: Caller<'_, Host>, address: u32| {
        Ok(caller.guest_string(address.into())?.len() as u32)
    });
    linker.func_wrap(
        store,
        name("fill"),
        |mut caller: Caller<'_, Host>, (address, length, byte): (u32, u32, u32)| {
            caller.guest_bytes_mut(address.into(), length.into())?.fill(byte as u8);
            Ok(())
        },
    );
    linker.func_wrap(store, name("again"), |mut caller: Caller<'_, Host>, value: i32| {
        let func: Option<Func> = caller.export("again").and_then(crosscheck_engine::Extern::func);
        let func = func.ok_or_else(|| Trap::host("the caller exports no function `again`"))?;
        func.typed::<i32, i32>(&caller)?.call(&mut caller, value)
    });
    linker.func_wrap(store, name("trap"), |_: Caller<'_, Host>, ()| -> Result<(), Error> {
        Err(Trap::host("the host refuses").into())
    });
}

fn seed_cases(linker: &mut Linker<Host>, store: &mut Store<Host>) {
    linker.func_wrap(store, ("env", "toupper"), |_: Caller<'_, Host>, character: u32| {
        Ok(u8::try_from(character).map_or(character, |byte| byte.to_ascii_uppercase().into()))
    });
    linker.func_wrap(store, ("env", "foo2"), foo2);
    linker.func_wrap(store, ("env", "sum"), sum);
}

fn sum(caller: Caller<'_, Host>, (address, length): (u32, u32)) -> Result<u32, Error> {
    let bytes = caller.guest_bytes(address.into(), length.into())?;
    Ok(bytes.iter().fold(0, |sum, byte| sum.wrapping_add(u32::from(*byte))))
}

fn foo2(mut caller: Caller<'_, Host>, (string, buffer, length): (u32, u32, u32)) -> Result<(), Error> {
    let string = caller.guest_string(string.into())?.to_vec();
    let buffer = caller.guest_bytes_mut(buffer.into(), length.into())?;
    let Some(room) = buffer.len().checked_sub(1) else { return Ok(()) };
    let copied = string.len().min(room);
    buffer[..copied].copy_from_slice(&string[..copied]);
    buffer[copied..].fill(0);
    Ok(())
}
