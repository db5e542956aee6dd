//! Which machine's code this process runs: the one place that chooses it.

/// The machine that compiled modes write code for when they execute. On a host that has no [`super::arch::Arch`] of its
/// own this is x86-64, whose code can then be compiled, verified and shown, but never run.
pub(crate) type Host = super::x64::X64;

/// What this host lacks to run [`Host`]'s code; `None` if it has everything.
pub(crate) fn missing() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let missing = {
        let is_complete =
            std::arch::is_x86_feature_detected!("sse4.1") && std::arch::is_x86_feature_detected!("popcnt");
        (!is_complete).then_some("this machine's instruction set (it lacks SSE4.1 or POPCNT)")
    };
    #[cfg(not(target_arch = "x86_64"))]
    let missing = Some("compiled code on this machine's architecture");
    missing
}
