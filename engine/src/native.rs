//! What compiled modes stand on: memory for code, ways in and out of it, and maps from machine code back to
//! the module.
//!
//! In the order of a module's life: a mode writes code into a [`buffer`] through the assembler of a machine ([`x64`]),
//! [`link`] plans where each function and island goes and fills in the distances of calls, [`verify`] decodes the
//! result and proves where every branch goes, [`code`] makes it executable and remembers what each place in it stands
//! for, some of it in [`side_tables`]. [`context`] is what running code reads and writes; [`thunks`] are the pieces of
//! code through which control gets in and out; [`activation`] enters code and finds out how it ended; [`helpers`] are
//! the functions that code calls; [`lazy`] compiles a function when it is first called.
//!
//! None of these knows a machine. What they need of one is an [`arch::Arch`]; [`host`] says which machine's code runs
//! in this process.
//!
//! The rules of compiled code:
//!
//! - It runs on the store's stack, never on the thread's. The trampolines switch stacks, so a frame is
//!   exactly as large as its cost and the depth budget is an address to compare with.
//! - It holds no host address. Everything is found through the context register or relative to itself.
//! - A frame is what the frame pointer says: caller's frame pointer, then return address. Unwinding is
//!   setting the stack pointer; no Rust frame is ever between.
//! - No register keeps its value across a call. The machine names which registers carry arguments.

pub(crate) mod activation;
pub(crate) mod arch;
pub(crate) mod buffer;
pub(crate) mod code;
pub(crate) mod context;
pub(crate) mod helpers;
pub(crate) mod host;
pub(crate) mod lazy;
pub(crate) mod link;
pub(crate) mod side_tables;
pub(crate) mod thunks;
pub(crate) mod verify;
pub(crate) mod width;
pub(crate) mod x64;
