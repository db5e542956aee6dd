//! Crosscheck's harness: runs the same case through every mode, compares everything that can be
//! observed, and says who differs and where.
//!
//! The modules stand in the order of a case's life.

pub mod cli;

pub mod case;
pub mod features;
pub mod hosts;
pub mod subject;
mod wasm;

pub mod draw;
pub mod generate;
pub mod script;

pub mod run;
#[cfg(unix)]
pub mod worker;

pub mod observe;

pub mod compare;
pub mod fingerprint;

pub mod inquiry;
pub mod localise;
pub mod reduce;
pub mod relative;
pub mod trial;

pub mod campaign;
#[cfg(all(feature = "planted-faults", unix))]
pub mod canary;
pub mod corpus;
pub mod coverage;
pub mod events;
pub mod finding;
pub mod fuzz;
pub mod report;
pub mod triage;

pub mod digest;
pub mod disassembly;
pub mod guard;
pub mod machine;
pub mod names;
