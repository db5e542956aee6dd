//! Crosscheck's harness: runs the same case through every mode, compares everything that can be
//! observed, and says who differs and where.
//!
//! Modules stand in groups, and a module imports none of a later group. ARCHITECTURE.md says what each is, and lists
//! its imports.

// Plain data and what everything stands on.
pub mod case;
pub mod digest;
pub mod guard;
pub mod machine;
pub mod names;

pub mod coverage;
pub mod draw;
pub mod features;
mod wasm;

// A case, its hosts, what can run it, and what that shows.
pub mod observe;

pub mod hosts;

pub mod subject;

pub mod disassembly;

// Judging what was shown.
pub mod compare;

pub mod finding;
pub mod fingerprint;

pub mod events;

// Where cases come from, and where they run.
pub mod generate;
pub mod script;

#[cfg(unix)]
pub mod worker;

pub mod run;

pub mod trial;

// What is done with a divergence.
pub mod inquiry;
pub mod localise;
pub mod reduce;

pub mod relative;

pub mod corpus;

pub mod campaign;
pub mod triage;

// Reports, and programs.
pub mod report;

pub mod selfcheck;

#[cfg(all(feature = "planted-faults", unix))]
pub mod canary;
pub mod fuzz;

pub mod cli;
