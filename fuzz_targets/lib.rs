//! Plugs the targets of `crosscheck::fuzz` into libFuzzer. Without a fuzzer, each program repeats the files it is given.

#[cfg(not(fuzzing))]
mod repeat;
#[cfg(not(fuzzing))]
pub use repeat::repeat;

#[cfg(fuzzing)]
pub use libfuzzer_sys;

#[cfg(fuzzing)]
use crosscheck::fuzz;

/// One step of libFuzzer on the target of that name.
#[cfg(fuzzing)]
pub fn run(name: &str, bytes: &[u8]) -> libfuzzer_sys::Corpus {
    #[cfg(feature = "planted-faults")]
    plant();
    let target = fuzz::target(name).expect("every program has its row");
    if target.run(bytes) { libfuzzer_sys::Corpus::Keep } else { libfuzzer_sys::Corpus::Reject }
}

/// Plants the fault that `CROSSCHECK_FAULT` names, to see that a session finds it.
#[cfg(all(fuzzing, feature = "planted-faults"))]
fn plant() {
    use crosscheck_engine::faults::{Fault, plant};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        plant(std::env::var("CROSSCHECK_FAULT").ok().as_deref().map(Fault::named));
    });
}

/// New bytes in place of old ones, of which there are `size`; gives how many there are now.
#[cfg(fuzzing)]
pub fn mutate(name: &str, bytes: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    forgive_mutators();
    let target = fuzz::target(name).expect("every program has its row");
    let made =
        std::panic::catch_unwind(|| target.mutate.and_then(|mutate| mutate(&bytes[..size], most, seed)));
    match made.ok().flatten() {
        Some(new) => {
            bytes[..new.len()].copy_from_slice(&new);
            new.len()
        }
        None => libfuzzer_sys::fuzzer_mutate(bytes, size, most),
    }
}

/// libFuzzer's library ends the process at any panic. One of wasm-mutate is no finding, and there is another mutation.
#[cfg(fuzzing)]
fn forgive_mutators() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let end = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_theirs =
                |crate_name| panic.location().is_some_and(|place| place.file().contains(crate_name));
            if !["wasm-mutate", "egg"].into_iter().any(is_theirs) {
                end(panic);
            }
        }));
    });
}

/// Makes a program of the target of that name.
#[macro_export]
#[cfg(fuzzing)]
macro_rules! target {
    ($name:literal) => {
        use $crate::libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
        fuzz_target!(|bytes: &[u8]| -> Corpus { $crate::run($name, bytes) });
        fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
            $crate::mutate($name, bytes, size, most, seed)
        });
    };
}

/// Makes a program of the target of that name.
#[macro_export]
#[cfg(not(fuzzing))]
macro_rules! target {
    ($name:literal) => {
        fn main() -> std::process::ExitCode {
            $crate::repeat($name)
        }
    };
}
