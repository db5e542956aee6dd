//! Reads and changes the bytes of modules, for generators, subjects, the reducer and the search for an instruction.
//!
//! In order: [`sections`] takes a module apart and puts it together; [`spaces`] counts what it has, and [`functions`] reads what its
//! functions take; [`tree`] reads
//! function bodies as nodes, and [`edit`] changes them; [`instruction`] writes single instructions; [`joined`] makes one
//! module of several; [`text`] prints a module.

pub mod edit;
pub mod functions;
pub mod instruction;
pub mod joined;
pub mod sections;
pub mod spaces;
pub mod text;
pub mod tree;
