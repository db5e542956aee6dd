//! What the programs do without a fuzzer.

use std::process::ExitCode;

/// Runs the target of that name on each file that the command line names. Fails with one line if one cannot be read.
///
/// # Panics
///
/// If subjects differ, as under the fuzzer.
#[allow(clippy::print_stderr, reason = "the one line")]
pub fn repeat(name: &str) -> ExitCode {
    let target = crosscheck::fuzz::target(name).expect("every program has its row");
    for file in std::env::args_os().skip(1) {
        match std::fs::read(&file) {
            Ok(bytes) => target.run(&bytes),
            Err(error) => {
                eprintln!("error: {}: cannot read: {error}", file.to_string_lossy());
                return ExitCode::from(2);
            }
        };
    }
    ExitCode::SUCCESS
}
