//! How fast the modes are, beside releases of wasmi and wasmtime, in ratios that carry from one machine to another.
//!
//! ```sh
//! cargo run -p crosscheck-bench --profile bench                        # all kernels, fuel off and on
//! cargo run -p crosscheck-bench --profile bench -- fib sha             # kernels whose name contains one of these
//! cargo run -p crosscheck-bench --profile bench -- --compile app.wasm  # decoding, validating, preparing
//! cargo run -p crosscheck-bench --profile bench -- --compile-small 200 # the same of small generated modules
//! cargo run -p crosscheck-bench --profile bench --features peers       # wasmtime's compilers as well
//! cargo run -p crosscheck-bench --profile bench --features shrink -- --shrink  # the reducer beside wasm-shrink
//! ```
//!
//! What is compared runs interleaved in one process, A B C A B C, on the CPU time of one thread: a machine that is
//! busy, or slows down as it warms, does it to all of them. Absolute times are shown once, for the engine that
//! the others are compared with. Every call's result is checked, so nothing is fast by being wrong.
//!
//! In the order to read: [`kernels`] are the programs, [`contestants`] what runs them, [`measure`] the clock and the
//! order, [`compile`] the other question, [`small`] modules for it, [`table`] and [`json`] how it is shown. `shrink` asks about reductions.

#![allow(clippy::print_stdout, reason = "a table on standard output is what the program is for")]

mod compile;
mod contestants;
mod json;
mod kernels;
mod measure;
#[cfg(all(feature = "shrink", unix))]
mod shrink;
mod small;
mod table;

use clap::Parser;
use contestants::{Contestant, Group};
use kernels::{KERNELS, Kernel};
use measure::{Clock, Samples};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// How fast the modes are, beside wasmi
#[derive(Parser)]
#[command(name = "crosscheck-bench")]
struct Options {
    /// Only kernels whose name contains one of these
    filters: Vec<String>,
    /// Rounds: calls of every kernel in every engine, beside one call that warms it up
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure decoding, validating and preparing of these modules instead of running kernels
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "filters")]
    compile: Vec<PathBuf>,
    /// Measure the same of so many small generated modules together
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["filters", "compile"])]
    compile_small: Option<usize>,
    /// Reduce so many findings of planted faults with the reducer and with wasm-shrink
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "20")]
    #[arg(conflicts_with_all = ["filters", "compile", "compile_small"])]
    shrink: Option<usize>,
    /// Write every sample here, for machines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// One kernel's times in all engines of a group.
struct Row {
    kernel: &'static Kernel,
    /// In the order of [`Group::names`]; what an engine that cannot run it says instead.
    engines: Vec<Result<Samples, String>>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match (options.shrink, options.compile_small) {
        (Some(count), _) => compare_shrinking(&options, count),
        (None, Some(count)) => compile_small(&options, count),
        (None, None) if options.compile.is_empty() => run_kernels(&options),
        (None, None) => compile_files(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            #[allow(clippy::print_stderr, reason = "the one line that says why there is no table")]
            {
                eprintln!("error: {message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run_kernels(options: &Options) -> Result<(), String> {
    let wanted = |kernel: &&Kernel| {
        options.filters.is_empty()
            || options.filters.iter().any(|filter| kernel.name.contains(filter.as_str()))
    };
    let kernels: Vec<&'static Kernel> = KERNELS.iter().filter(wanted).collect();
    if kernels.is_empty() {
        let known: Vec<&str> = KERNELS.iter().map(|kernel| kernel.name).collect();
        return Err(format!("no kernel has such a name; there are {}", known.join(", ")));
    }
    let clock = Clock::start();
    let mut seen = Vec::new();
    for group in contestants::groups() {
        let rows: Result<Vec<Row>, String> =
            kernels.iter().map(|kernel| run_kernel(kernel, &group, options.rounds, &clock)).collect();
        let rows = rows?;
        println!("{}", table::kernels(&group, &rows));
        seen.extend(json::rows(&group, &rows));
    }
    write_json(options, "run", seen.into())
}

/// Runs a kernel in all engines of a group, one call each in turn.
fn run_kernel(kernel: &'static Kernel, group: &Group, rounds: u32, clock: &Clock) -> Result<Row, String> {
    let wasm = kernel.wasm()?;
    let mut contestants: Vec<Result<Contestant, String>> = group.instances(&wasm);
    let mut engines = vec![Ok(Samples::default()); contestants.len()];
    for round in 0..=rounds {
        for ((contestant, samples), name) in contestants.iter_mut().zip(&mut engines).zip(group.names()) {
            let contestant = match contestant {
                Ok(contestant) => contestant,
                Err(reason) => {
                    *samples = Err(reason.clone());
                    continue;
                }
            };
            let (result, time) = clock.time(|| contestant.call(kernel.argument));
            let result = result.map_err(|error| format!("{}: {name}: {error}", kernel.name))?;
            if result != kernel.expected {
                let (expected, kernel) = (kernel.expected, kernel.name);
                return Err(format!("{kernel}: {name} computes {result:#018x}, not {expected:#018x}"));
            }
            // The first call is slower in engines that put work off until then.
            if round > 0
                && let Ok(samples) = samples
            {
                samples.push(time);
            }
        }
    }
    Ok(Row { kernel, engines })
}

fn compile_files(options: &Options) -> Result<(), String> {
    let mut reports = Vec::new();
    for file in &options.compile {
        let bytes =
            std::fs::read(file).map_err(|error| format!("{}: cannot read: {error}", file.display()))?;
        let title = file.display().to_string();
        reports.push(compile_modules(options, &title, &[bytes])?);
    }
    write_json(options, "compile", json!(reports))
}

fn compile_small(options: &Options, count: usize) -> Result<(), String> {
    let title = format!("{count} generated modules");
    let report = compile_modules(options, &title, &small::modules(count))?;
    write_json(options, "compile", json!([report]))
}

#[cfg(all(feature = "shrink", unix))]
fn compare_shrinking(options: &Options, count: usize) -> Result<(), String> {
    write_json(options, "shrink", shrink::compare(count)?)
}

#[cfg(not(all(feature = "shrink", unix)))]
fn compare_shrinking(_: &Options, _: usize) -> Result<(), String> {
    Err("this build has no wasm-shrink; build with `--features shrink`".into())
}

fn compile_modules(options: &Options, title: &str, modules: &[Vec<u8>]) -> Result<serde_json::Value, String> {
    let steps = compile::measure(modules, options.rounds, &Clock::start())
        .map_err(|error| format!("{title}: {error}"))?;
    let bytes = modules.iter().map(Vec::len).sum();
    println!("{}", table::steps(title, bytes, &steps));
    Ok(json::steps(title, bytes, &steps))
}

fn write_json(options: &Options, question: &str, answer: serde_json::Value) -> Result<(), String> {
    let Some(path) = &options.json else { return Ok(()) };
    let document = json!({
        "schema": 1,
        "argv": std::env::args().collect::<Vec<_>>(),
        "arch": std::env::consts::ARCH,
        "debug_assertions": cfg!(debug_assertions),
        "clock": Clock::NAME,
        "rounds": options.rounds,
        question: answer,
    });
    let text = serde_json::to_string_pretty(&document).expect("a JSON value has a text");
    std::fs::write(path, text + "\n").map_err(|error| format!("{}: cannot write: {error}", path.display()))
}
