//! The `crosscheck` program: reads the command line and ends with the exit code of what it did.

fn main() -> std::process::ExitCode {
    crosscheck::cli::main()
}
