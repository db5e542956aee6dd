//! A driver for the line protocol (`PROTOCOL.md`) that asks this project's interpreter.
//!
//! ```sh
//! cargo build -p crosscheck --example line_driver
//! crosscheck fuzz --cases 1000 --with 'twin=pipe:target/debug/examples/line_driver'
//! ```

use crosscheck_engine::{
    AsContextMut, Caller, Config, Engine, Error, Extern, ExternRef, ExternType, Func, Instance, Mode, Module,
    Store, Trap, Val,
};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write as _, stdin, stdout};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Modules and instances by their numbers.
#[derive(Default)]
struct Made {
    modules: HashMap<String, Module>,
    instances: HashMap<String, Instance>,
}

type Shared = Arc<Mutex<Made>>;

/// The driver: ends with the input, or at a line that it does not understand.
pub fn main() -> ExitCode {
    let engine = Engine::new(&Config::new(Mode::all().next().expect("there is a mode")));
    let (mut store, mut made) = (Store::new(&engine, ()), Shared::default());
    while let Some(line) = hear() {
        let answer = match line.as_str() {
            "crosscheck 1" => Some("crosscheck 1 the interpreter of this project".to_string()),
            "reset" => {
                (store, made) = (Store::new(&engine, ()), Shared::default());
                Some("ok".to_string())
            }
            _ => obey(&mut store, &engine, &made, &line),
        };
        let Some(answer) = answer else { return ExitCode::FAILURE };
        say(&answer);
    }
    ExitCode::SUCCESS
}

fn hear() -> Option<String> {
    stdin().lock().lines().next()?.ok()
}

fn say(line: &str) {
    // Who does not listen any more ends this process.
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What a line asks for; none if it cannot be understood.
fn obey(store: &mut impl AsContextMut, engine: &Engine, made: &Shared, line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (verb, number) = (words.next()?, words.next()?);
    let locked = || made.lock().unwrap_or_else(PoisonError::into_inner);
    if verb == "module" {
        return Some(match Module::new(engine, bytes(words.next()?)?) {
            Ok(module) => {
                locked().modules.insert(number.to_string(), module);
                "ok".to_string()
            }
            Err(error) => format!("refused {error}"),
        });
    }
    if verb == "instance" {
        let module = locked().modules.get(words.next()?)?.clone();
        let imports = imports(store, engine, made, &module, words)?;
        return Some(match Instance::new(&mut *store, &module, &imports) {
            Ok(instance) => {
                locked().instances.insert(number.to_string(), instance);
                "ok".to_string()
            }
            Err(error) => failed(&error),
        });
    }
    let instance = *locked().instances.get(number)?;
    let item = instance.export(&*store, &String::from_utf8(bytes(words.next()?)?).ok()?)?;
    let mut answer = String::new();
    match (verb, item) {
        ("call", Extern::Func(func)) => {
            let args = words.map(|word| value(store, word)).collect::<Option<Vec<Val>>>()?;
            let mut results = vec![Val::I32(0); func.ty(&*store).results().len()];
            match func.call(&mut *store, &args, &mut results) {
                Ok(()) => answer = values(store, &results),
                Err(error) => answer = failed(&error),
            }
        }
        ("global", Extern::Global(global)) => answer = values(store, &[global.get(&*store)]),
        ("table", Extern::Table(table)) => {
            let _ = write!(answer, "table {}", table.len(&*store));
            table.non_null(&*store, |index, _| _ = write!(answer, " {index}"));
        }
        ("memory", Extern::Memory(memory)) => {
            let _ = write!(answer, "memory {}", memory.len(&*store));
            memory.touched(&*store, |offset, run| _ = write!(answer, " {offset}:{}", hex(run)));
        }
        ("size", Extern::Memory(memory)) => answer = format!("size {}", memory.len(&*store)),
        ("read", Extern::Memory(memory)) => {
            let address = words.next()?.parse().ok()?;
            let mut buffer = vec![0; words.next()?.parse().ok()?];
            answer = match memory.read(&*store, address, &mut buffer) {
                Ok(()) => format!("bytes {}", hex(&buffer)),
                Err(error) => format!("refused {error}"),
            };
        }
        ("write", Extern::Memory(memory)) => {
            let address = words.next()?.parse().ok()?;
            answer = match memory.write(&mut *store, address, &bytes(words.next()?)?) {
                Ok(()) => "ok".to_string(),
                Err(error) => format!("refused {error}"),
            };
        }
        _ => return None,
    }
    Some(answer)
}

fn imports<'w>(
    store: &mut impl AsContextMut,
    engine: &Engine,
    made: &Shared,
    module: &Module,
    words: impl Iterator<Item = &'w str>,
) -> Option<Vec<Extern>> {
    let mut imports = Vec::new();
    for (word, import) in words.zip(module.imports()) {
        let (from, what) = word.split_once(':')?;
        if from != "host" {
            let instance = *made.lock().unwrap_or_else(PoisonError::into_inner).instances.get(from)?;
            imports.push(instance.export(&*store, &String::from_utf8(bytes(what)?).ok()?)?);
            continue;
        }
        let ExternType::Func(ty) = import.ty else { return None };
        let ty = (*engine.types().func_type(ty)?).clone();
        let (number, engine, made) = (what.to_string(), engine.clone(), made.clone());
        let host = move |mut caller: Caller<'_, ()>, args: &[Val], results: &mut [Val]| {
            let said = values(&mut caller, args);
            say(&format!("host {number}{}", said.trim_start_matches("values")));
            host_answers(&mut caller, &engine, &made, results)
        };
        imports.push(Extern::Func(Func::new(&mut *store, "host", ty, host)));
    }
    Some(imports)
}

/// Does what it is told until the host answers.
fn host_answers(
    caller: &mut Caller<'_, ()>,
    engine: &Engine,
    made: &Shared,
    results: &mut [Val],
) -> Result<(), Error> {
    while let Some(line) = hear() {
        if line == "trap" {
            return Err(Trap::host("the host refuses").into());
        }
        let given = line.strip_prefix("values");
        if let Some(given) = given {
            for (result, word) in results.iter_mut().zip(given.split_whitespace()) {
                *result = value(caller, word).unwrap_or(Val::I32(0));
            }
            return Ok(());
        }
        let Some(answer) = obey(caller, engine, made, &line) else { break };
        say(&answer);
    }
    std::process::exit(1)
}

fn failed(error: &Error) -> String {
    match error {
        Error::Trap(trap) => format!("trap {}", trap.kind()),
        Error::Limit(words) => format!("limit {words}"),
        // Drivers say in one way that a program did not return; the words tell which.
        Error::Exception(exception) => format!("trap {exception}"),
        Error::Invalid { .. }
        | Error::Link(_)
        | Error::Usage(_)
        | Error::Unsupported(_)
        | Error::Resources(_) => format!("refused {error}"),
    }
}

fn values(store: &mut impl AsContextMut, values: &[Val]) -> String {
    let mut text = String::from("values");
    for value in values {
        let _ = match value {
            Val::I32(value) => write!(text, " i32:{:x}", *value as u32),
            Val::I64(value) => write!(text, " i64:{:x}", *value as u64),
            Val::F32(bits) => write!(text, " f32:{bits:x}"),
            Val::F64(bits) => write!(text, " f64:{bits:x}"),
            Val::V128(bits) => write!(text, " v128:{bits:x}"),
            Val::FuncRef(func) => write!(text, " func:{}", if func.is_some() { "some" } else { "null" }),
            Val::ExternRef(None) => write!(text, " extern:null"),
            Val::ExternRef(Some(object)) => match object.data(&*store).downcast_ref::<u32>() {
                Some(number) => write!(text, " extern:{number:x}"),
                None => write!(text, " extern:0"),
            },
            Val::Any(None) | Val::Exn(None) => write!(text, " ref:null"),
            Val::Any(Some(_)) | Val::Exn(Some(_)) => write!(text, " ref:some"),
        };
    }
    text
}

fn value(store: &mut impl AsContextMut, word: &str) -> Option<Val> {
    let (ty, bits) = word.split_once(':')?;
    let narrow = || u32::from_str_radix(bits, 16).ok();
    let wide = || u64::from_str_radix(bits, 16).ok();
    Some(match (ty, bits) {
        ("i32", _) => Val::I32(narrow()? as i32),
        ("i64", _) => Val::I64(wide()? as i64),
        ("f32", _) => Val::F32(narrow()?),
        ("f64", _) => Val::F64(wide()?),
        ("v128", _) => Val::V128(u128::from_str_radix(bits, 16).ok()?),
        ("func", "null") => Val::FuncRef(None),
        ("extern", "null") => Val::ExternRef(None),
        ("extern", _) => Val::ExternRef(Some(ExternRef::new(store, narrow()?))),
        ("ref", "null") => Val::Any(None),
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if digits.is_empty() { "-".to_string() } else { digits }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    if text == "-" { Some(Vec::new()) } else { text.as_bytes().chunks(2).map(byte).collect() }
}
