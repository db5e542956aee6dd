//! Crosscheck.
fn main() {}
