//! Turns a panic of the engine or of its libraries into a message with its place, without a report on
//! standard error: it is a finding, and is listed with the others.

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
