//! Crosscheck.

pub mod case;
pub mod generate;
