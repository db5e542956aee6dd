//! Host functions that people name: `run --host NAME`, `replay --host NAME`, and what cases may import by name.
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
//!
//! Addresses are in the caller's exported first memory; a range that is not all inside, or a string without an end,
//! is an access out of bounds.

use super::{Deed, REFUSES, Refusal, World};
use crate::case::{NamedHosts, Value};
use crate::draw::Stream;
use crosscheck_engine::ValType::{self, F32, F64, I32, I64};

/// A set of functions under one name.
struct Set {
    name: &'static str,
    /// The module that its functions are imported from.
    module: &'static str,
    functions: &'static [Named],
}

/// A host function that people name.
pub(crate) struct Named {
    /// The name it is imported by.
    pub(crate) name: &'static str,
    /// Its parameters.
    pub(crate) params: &'static [ValType],
    /// Its results.
    pub(crate) results: &'static [ValType],
    what: What,
}

/// What a function does.
#[derive(Clone, Copy)]
enum What {
    Print,
    PrintText,
    Next,
    Sum,
    Length,
    Fill,
    Again,
    Trap,
    ToUpper,
    CopyString,
}

const fn named(
    name: &'static str,
    params: &'static [ValType],
    results: &'static [ValType],
    what: What,
) -> Named {
    Named { name, params, results, what }
}

const SUM: Named = named("sum", &[I32, I32], &[I32], What::Sum);

static SETS: [Set; 2] = [
    Set {
        name: "crosscheck",
        module: "crosscheck",
        functions: &[
            named("print_i32", &[I32], &[], What::Print),
            named("print_i64", &[I64], &[], What::Print),
            named("print_f32", &[F32], &[], What::Print),
            named("print_f64", &[F64], &[], What::Print),
            named("print", &[I32, I32], &[], What::PrintText),
            named("next_i32", &[], &[I32], What::Next),
            named("next_i64", &[], &[I64], What::Next),
            named("next_f64", &[], &[F64], What::Next),
            SUM,
            named("length", &[I32], &[I32], What::Length),
            named("fill", &[I32, I32, I32], &[], What::Fill),
            named("again", &[I32], &[I32], What::Again),
            named("trap", &[], &[], What::Trap),
        ],
    },
    Set {
        name: "seed-cases",
        module: "env",
        functions: &[
            named("toupper", &[I32], &[I32], What::ToUpper),
            named("foo2", &[I32, I32, I32], &[], What::CopyString),
            SUM,
        ],
    },
];

/// The number of a set. Fails with what there is if there is none of that name.
pub fn set(name: &str) -> Result<u8, String> {
    let number = SETS.iter().position(|set| set.name == name);
    number.map(|number| number as u8).ok_or_else(|| {
        let known: Vec<&str> = SETS.iter().map(|set| set.name).collect();
        format!("--host: no host is called `{name}`; there are {}", known.join(", "))
    })
}

/// The functions of the sets of a plan, with the modules that they are imported from.
pub(crate) fn functions(named: NamedHosts) -> impl Iterator<Item = (&'static str, &'static Named)> {
    let sets = (0..).zip(&SETS).filter(move |(number, _)| named.has(*number));
    sets.flat_map(|(_, set)| set.functions.iter().map(|function| (set.module, function)))
}

/// The function that an import, `module.name`, stands for in a plan.
pub(super) fn find(named: NamedHosts, import: &str) -> Option<&'static Named> {
    if named == NamedHosts::NONE {
        return None;
    }
    let (module, name) = import.split_once('.')?;
    functions(named)
        .find(|(of, function)| *of == module && function.name == name)
        .map(|(_, function)| function)
}

/// Does what a function is named for.
pub(super) fn act(
    function: &Named,
    world: &mut impl World,
    args: &[Value],
    results: &[ValType],
    stream: &mut Stream,
    notes: &mut Vec<String>,
    deed: &mut Deed,
) -> Result<Vec<Value>, Refusal> {
    let fits = args.len() == function.params.len()
        && args.iter().zip(function.params).all(|(arg, ty)| is_of(arg, *ty));
    if !fits || results != function.results {
        return Err(Refusal::Trap("the host function of this name has another type"));
    }
    let number = |place: usize| match args[place] {
        Value::I32(bits) => u64::from(bits),
        _ => unreachable!("its type was looked at"),
    };
    let one = |value: u32| Ok(vec![Value::I32(value)]);
    match function.what {
        What::Print => tell(world, args[0].to_string(), notes),
        What::PrintText => {
            let bytes = read(world, number(0), number(1))?;
            tell(world, String::from_utf8_lossy(&bytes).into_owned(), notes);
        }
        What::Next => {
            return Ok(vec![match function.results {
                [I64] => Value::I64(stream.u64()),
                [F64] => Value::F64((f64::from(stream.u32()) / 16.0).to_bits()),
                _ => Value::I32(stream.u32()),
            }]);
        }
        What::Sum => {
            let bytes = read(world, number(0), number(1))?;
            return one(bytes.iter().fold(0, |sum, byte| sum.wrapping_add(u32::from(*byte))));
        }
        What::Length => return one(string(world, number(0))?.len() as u32),
        What::Fill => {
            let bytes = vec![number(2) as u8; within(world, number(0), number(1))?];
            write(world, number(0), bytes, deed)?;
        }
        What::Again => {
            let no_export = Refusal::Trap("the caller exports no function `again`");
            let number = world.exported_func("again").ok_or(no_export)?;
            *deed = Deed::CallsBack { number, args: args.to_vec() };
            return world.call_exported_func(number, args).ok_or(Refusal::CallBack);
        }
        What::Trap => return Err(Refusal::Trap(REFUSES)),
        What::ToUpper => {
            let character = number(0) as u32;
            return one(u8::try_from(character).map_or(character, |byte| byte.to_ascii_uppercase().into()));
        }
        What::CopyString => {
            let string = string(world, number(0))?;
            let length = within(world, number(1), number(2))?;
            let Some(room) = length.checked_sub(1) else { return Ok(Vec::new()) };
            let mut bytes = string[..string.len().min(room)].to_vec();
            bytes.resize(length, 0);
            write(world, number(1), bytes, deed)?;
        }
    }
    Ok(Vec::new())
}

fn is_of(value: &Value, ty: ValType) -> bool {
    matches!(
        (value, ty),
        (Value::I32(_), I32) | (Value::I64(_), I64) | (Value::F32(_), F32) | (Value::F64(_), F64)
    )
}

#[allow(clippy::print_stdout, reason = "printing is what these functions are for")]
fn tell(world: &mut impl World, line: String, notes: &mut Vec<String>) {
    if world.host().prints {
        println!("{line}");
    }
    notes.push(format!("printed {line:?}"));
}

/// The length of a range, if all of it is inside the caller's memory.
fn within(world: &mut impl World, address: u64, length: u64) -> Result<usize, Refusal> {
    let bytes = world.memory_bytes().ok_or(Refusal::OutOfBounds)?;
    let is_inside = address.checked_add(length).is_some_and(|end| end <= bytes);
    if is_inside { Ok(length as usize) } else { Err(Refusal::OutOfBounds) }
}

fn read(world: &mut impl World, address: u64, length: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![0; within(world, address, length)?];
    if world.read(address, &mut bytes) { Ok(bytes) } else { Err(Refusal::OutOfBounds) }
}

fn write(world: &mut impl World, address: u64, bytes: Vec<u8>, deed: &mut Deed) -> Result<(), Refusal> {
    if !world.write(address, &bytes) {
        return Err(Refusal::OutOfBounds);
    }
    *deed = Deed::Writes { address, bytes };
    Ok(())
}

/// The bytes before the next zero byte.
fn string(world: &mut impl World, address: u64) -> Result<Vec<u8>, Refusal> {
    /// Bytes that are read at a time.
    const CHUNK: u64 = 256;
    let end = world.memory_bytes().ok_or(Refusal::OutOfBounds)?;
    let mut string = Vec::new();
    loop {
        let at = address + string.len() as u64;
        let left = end.checked_sub(at).filter(|left| *left > 0).ok_or(Refusal::OutOfBounds)?;
        let chunk = read(world, at, left.min(CHUNK))?;
        match chunk.iter().position(|byte| *byte == 0) {
            Some(zero) => {
                string.extend_from_slice(&chunk[..zero]);
                return Ok(string);
            }
            None => string.extend_from_slice(&chunk),
        }
    }
}
