//! Worker processes: subjects run where they may die.
//!
//! A compiled mode fails by a signal, an endless loop or memory without end, and a bench that falls with it reports
//! nothing. So subjects run in workers: the same program, started again with [`ARGUMENT`], that is
//! sent cases and scripts as bytes and answers with observations as bytes. Parent and worker share no memory and no
//! seed, so a worker may be another build of the program ([`Options::command`]): older, for another machine,
//! under an emulator.
//!
//! In order: [`protocol`] says what travels; [`serve`] is a worker's life; [`crash`] are its last words;
//! [`client`] is the parent's end of one worker, and [`death`] what it finds there; [`cases`] and [`scripts`] see to it that every case and
//! script gets an answer, whatever dies on the way. Nothing here judges.
//!
//! How a crash is attributed to a subject: answers come in order, so the first case without one was under way. It is
//! asked for again, one subject at a time, with a word before every action ([`protocol::Message::Begins`]): what dies
//! then is known to the action. Signals that people and the system send to healthy processes must come twice.

pub mod cases;
pub mod client;
pub mod crash;
pub mod death;
pub mod protocol;
pub mod scripts;
pub mod serve;

pub use cases::Feed;
pub use client::{HALTED, Halt, Lease, Options, Workers};
pub use death::Death;
pub use serve::{serve, serve_as};

#[cfg(test)]
mod tests;

/// The argument that makes the program a worker.
pub const ARGUMENT: &str = "__worker";

/// Stands before any other argument, followed by the names of faults: the process runs with those faults. For workers,
/// which may die of them.
#[cfg(feature = "planted-faults")]
pub const PLANTED: &str = "__planted";
