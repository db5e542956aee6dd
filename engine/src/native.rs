//! What compiled modes stand on: memory for code, ways in and out of it, and maps from machine code back to
//! the module.
//!
//! In the order of a module's life: a mode writes code into a [`buffer`] through an assembler (`x64`),
//! [`link`] plans where each function and island goes and fills in the distances of calls, [`verify`]
//! decodes the result and proves where every branch goes, [`code`] makes it executable and remembers what
//! each place in it stands for. [`context`] is what running code reads and writes; [`activation`] enters
//! code and finds out how it ended; [`helpers`] are the functions it calls.
//!
//! The rules of compiled code:
//!
//! - It runs on the store's stack, never on the thread's. The trampolines switch stacks, so a frame is
//!   exactly as large as its cost and the depth budget is an address to compare with.
//! - It holds no host address. Everything is found through the context register or relative to itself.
//! - A frame is what the frame pointer says: caller's frame pointer, then return address. Unwinding is
//!   setting the stack pointer; no Rust frame is ever between.
//! - No register keeps its value across a call. `x64` names which registers carry arguments.

pub(crate) mod activation;
pub(crate) mod buffer;
pub(crate) mod code;
pub(crate) mod context;
pub(crate) mod helpers;
pub(crate) mod lazy;
pub(crate) mod link;
pub(crate) mod verify;
pub(crate) mod width;
pub(crate) mod x64;
