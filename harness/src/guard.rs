//! How running code fails, as a message: a panic of the engine or of its libraries, with its place, and the names of
//! signals.
//!
//! A guarded panic is not reported on standard error: it is a finding, and is listed with the others.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs something that may panic; a panic gives its message and place.
///
/// What the panic left inconsistent must not be used again: the lane that panicked is dead.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    listen();
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(before);
    result.map_err(|_| MESSAGE.take())
}

/// From now on a panic inside a guard is noted, and one outside goes the way it went before.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                return before(panic);
            }
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
            MESSAGE.set(format!("{message}{}", place.unwrap_or_default()));
        }));
    });
}

/// The signals that end a faulty program, and their names.
#[cfg(unix)]
pub const FATAL_SIGNALS: [(i32, &str); 7] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGSYS, "SIGSYS"),
];

/// Signals that other processes and the system send, and their names.
#[cfg(unix)]
const SENT_SIGNALS: [(i32, &str); 6] = [
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGXCPU, "SIGXCPU"),
];

/// The name of a signal.
#[cfg(unix)]
pub fn signal_name(signal: i32) -> String {
    let row = FATAL_SIGNALS.iter().chain(&SENT_SIGNALS).find(|(number, _)| *number == signal);
    row.map_or_else(|| format!("SIG{signal}"), |(_, name)| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_its_message_and_place() {
        let message = guarded(|| panic!("number {}", 7)).expect_err("it panics");
        assert!(message.starts_with("number 7 at ") && message.contains("guard.rs:"), "{message}");
    }

    #[test]
    fn what_does_not_panic_gives_its_result() {
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
