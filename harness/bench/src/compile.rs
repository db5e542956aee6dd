//! How long a module takes from bytes to something that can be instantiated.
//!
//! Steps contain one another: validation alone is what nobody can do without, decoding adds what all our modes
//! share, and a mode adds what it makes of the module. wasmi translates eagerly here; by default it puts that
//! off until functions are called.

use crate::contestants::BASELINE;
use crate::measure::{Clock, Samples};
use crosscheck_engine::{Config, Engine, Mode, Module};
use std::sync::Arc;

/// A way to treat a module, and how long it took.
pub struct Step {
    /// What people call it.
    pub name: String,
    /// Its times; what refused the module instead.
    pub times: Result<Samples, String>,
}

type Work<'a> = Box<dyn Fn() -> Result<(), String> + 'a>;

/// Measures every step, interleaved. Fails if the bytes are no valid module.
pub fn measure(bytes: &[u8], rounds: u32, clock: &Clock) -> Result<Vec<Step>, String> {
    validate(bytes)?;
    let mut work: Vec<(String, Work<'_>)> = vec![("validation alone".into(), Box::new(|| validate(bytes)))];
    let shared: Arc<[u8]> = bytes.into();
    for mode in Mode::all() {
        let config = Config::new(mode);
        if work.len() == 1 {
            let bytes = shared.clone();
            let decode = move || Module::decode(&Engine::new(&config), bytes.clone()).map(drop);
            work.push(("decoding for all modes".into(), Box::new(move || decode().map_err(text))));
        }
        let bytes = shared.clone();
        let prepare = move || Module::new(&Engine::new(&config), bytes.clone()).map(drop);
        work.push((mode.name().into(), Box::new(move || prepare().map_err(text))));
    }
    work.push((BASELINE.into(), Box::new(|| wasmi_eager(bytes))));
    let mut steps: Vec<Step> =
        work.iter().map(|(name, _)| Step { name: name.clone(), times: Ok(Samples::default()) }).collect();
    for round in 0..=rounds {
        for (step, (_, work)) in steps.iter_mut().zip(&work) {
            let Ok(samples) = &mut step.times else { continue };
            match clock.time(work) {
                // The first round warms up allocator and caches.
                (Ok(()), time) if round > 0 => samples.push(time),
                (Ok(()), _) => {}
                (Err(reason), _) => step.times = Err(reason),
            }
        }
    }
    Ok(steps)
}

fn validate(bytes: &[u8]) -> Result<(), String> {
    wasmparser::Validator::new().validate_all(bytes).map(drop).map_err(text)
}

fn wasmi_eager(bytes: &[u8]) -> Result<(), String> {
    let mut config = wasmi::Config::default();
    config.compilation_mode(wasmi::CompilationMode::Eager);
    wasmi::Module::new(&wasmi::Engine::new(&config), bytes).map(drop).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
