//! A list of all handlers that were asked for by their type in this process.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

static NOTED: LazyLock<Mutex<BTreeMap<u64, &'static str>>> = LazyLock::new(Mutex::default);

/// Notes a handler: its address, and the name of its type. Handlers with the same code may be one.
pub(crate) fn note(address: u64, name: &'static str) {
    NOTED.lock().expect("nothing panics while it is locked").insert(address, name);
}

/// Addresses and names of the handlers so far.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) fn noted() -> BTreeMap<u64, &'static str> {
    NOTED.lock().expect("nothing panics while it is locked").clone()
}
