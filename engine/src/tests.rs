//! What tests of several rooms share: a look at the machine code of optimised builds.

#[cfg(not(debug_assertions))]
pub(crate) mod handlers;
#[cfg(all(not(debug_assertions), target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod jumps;
