//! Crosscheck: runs what others wrote and what it generates through every mode of the engine, and
//! compares everything that can be observed.

pub mod script;
