//! Crosscheck.

pub mod case;
