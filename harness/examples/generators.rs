//! How many modules a second each generator makes, in whole cases, beside `wasm-smith` and what is done with its
//! modules: `cargo run --release --example generators`.
//!
//! A round gives every generator the same number of case seeds, one after the other, so that whatever else the
//! machine does hits all alike; the medians of the rounds are compared.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use crosscheck::draw::case_seed;
use crosscheck::generate::Generator;
use std::time::Instant;

const ROUNDS: u64 = 15;
const CASES: u64 = 400;

/// What was measured of a generator.
#[derive(Default)]
struct Measured {
    microseconds: Vec<f64>,
    wasm_bytes: usize,
    modules: usize,
}

fn main() {
    let names: Vec<&str> = Generator::names().collect();
    let mut measured: Vec<Measured> = names.iter().map(|_| Measured::default()).collect();
    let mut generator = Generator::default();
    for round in 0..ROUNDS {
        for (name, measured) in names.iter().zip(&mut measured) {
            let start = Instant::now();
            for index in 0..CASES {
                if let Some(case) = generator.case_of(name, case_seed(round, index)) {
                    measured.wasm_bytes += case.wasm_bytes();
                    measured.modules += case.modules.len();
                }
            }
            measured.microseconds.push(start.elapsed().as_secs_f64() * 1e6 / CASES as f64);
        }
    }
    let median = |measured: &Measured| {
        let mut sorted = measured.microseconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let cases = (ROUNDS * CASES) as f64;
    let modules_each = |measured: &Measured| measured.modules as f64 / cases;
    let modules_a_second = |measured: &Measured| modules_each(measured) * 1e6 / median(measured);
    let first = modules_a_second(&measured[0]);
    println!("generator     us/case  modules/case  bytes/case  modules/s  times {}", names[0]);
    for (name, measured) in names.iter().zip(&measured) {
        let modules = modules_a_second(measured);
        println!(
            "{name:10} {:10.1} {:13.2} {:11.0} {modules:10.0} {:12.1}",
            median(measured),
            modules_each(measured),
            measured.wasm_bytes as f64 / cases,
            modules / first
        );
    }
}
