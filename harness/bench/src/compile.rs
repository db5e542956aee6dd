//! How long modules take from bytes to something that can be instantiated.
//!
//! Steps contain one another: validation alone is what nobody can do without, decoding adds what all our modes
//! share, and a mode adds what it makes of the module; the compiled mode's part is shown alone as well, without and
//! with the proof that its code is well-formed. Others do all steps at once. wasmi translates eagerly here; by
//! default it puts that off until functions are called.

use crate::contestants::{BASELINE, text};
#[cfg(feature = "peers")]
use crate::contestants::{COMPILERS, compiler};
use crate::measure::{Clock, Samples};
use crosscheck_engine::{Config, DecodedModule, Engine, Mode, Module};
use std::sync::Arc;

/// A way to treat modules, and how long it took.
pub struct Step {
    /// What people call it.
    pub name: String,
    /// Its times; what refused a module instead.
    pub times: Result<Samples, String>,
}

/// A module that is measured.
struct Subject {
    bytes: Arc<[u8]>,
    decoded: DecodedModule,
}

type Work = Box<dyn Fn(&Subject) -> Result<(), String>>;

/// Measures every step on all modules together, interleaved. Fails if one is no valid module.
pub fn measure(modules: &[Vec<u8>], rounds: u32, clock: &Clock) -> Result<Vec<Step>, String> {
    let mode = Mode::all().next().ok_or("there are no modes")?;
    let engine = Engine::new(&Config::new(mode));
    let subject = |bytes: &Vec<u8>| {
        let decoded = Module::decode(&engine, bytes.as_slice()).map_err(text)?;
        Ok(Subject { bytes: bytes.as_slice().into(), decoded })
    };
    let subjects: Vec<Subject> = modules.iter().map(subject).collect::<Result<_, String>>()?;
    let work = work(&engine)?;
    let mut steps: Vec<Step> =
        work.iter().map(|(name, _)| Step { name: name.clone(), times: Ok(Samples::default()) }).collect();
    for round in 0..=rounds {
        for (step, (_, work)) in steps.iter_mut().zip(&work) {
            let Ok(samples) = &mut step.times else { continue };
            match clock.time(|| subjects.iter().try_for_each(work)) {
                // The first round warms up allocator and caches.
                (Ok(()), time) if round > 0 => samples.push(time),
                (Ok(()), _) => {}
                (Err(reason), _) => step.times = Err(reason),
            }
        }
    }
    Ok(steps)
}

/// Every step by name. What is prepared without being decoded was decoded by a sibling of the engine.
fn work(engine: &Engine) -> Result<Vec<(String, Work)>, String> {
    let mut work: Vec<(String, Work)> = vec![("validation alone".into(), Box::new(|it| validate(&it.bytes)))];
    let decoder = engine.clone();
    let decode = move |it: &Subject| Module::decode(&decoder, it.bytes.clone()).map(drop).map_err(text);
    work.push(("decoding for all modes".into(), Box::new(decode)));
    for mode in Mode::all() {
        let engine = Engine::new(&Config::new(mode));
        let prepare = move |it: &Subject| Module::new(&engine, it.bytes.clone()).map(drop).map_err(text);
        work.push((mode.name().into(), Box::new(prepare)));
    }
    for mode in Mode::all().filter(|mode| mode.name() == "baseline") {
        for (what, verified) in [("code alone", false), ("code, verified", true)] {
            let engine = engine.sibling(&Config::new(mode).verify_code(verified));
            let prepare = move |it: &Subject| it.decoded.prepare(&engine).map(drop).map_err(text);
            work.push((format!("{}: {what}", mode.name()), Box::new(prepare)));
        }
    }
    work.push((BASELINE.into(), Box::new(|it| wasmi_eager(&it.bytes))));
    #[cfg(feature = "peers")]
    for (name, strategy) in COMPILERS {
        let engine = compiler(strategy)?;
        let compile = move |it: &Subject| wasmtime::Module::new(&engine, &it.bytes).map(drop).map_err(text);
        work.push((name.into(), Box::new(compile)));
    }
    Ok(work)
}

fn validate(bytes: &[u8]) -> Result<(), String> {
    wasmparser::Validator::new().validate_all(bytes).map(drop).map_err(text)
}

fn wasmi_eager(bytes: &[u8]) -> Result<(), String> {
    let mut config = wasmi::Config::default();
    config.compilation_mode(wasmi::CompilationMode::Eager);
    wasmi::Module::new(&wasmi::Engine::new(&config), bytes).map(drop).map_err(text)
}
