//! What a program may use, and what a lane switches: everything that decides success or failure
//! of growth, calls and allocation, so that nothing depends on the machine's luck.

/// Upper bounds on what one store may use. Reaching one is the same failure in every mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Bytes one memory may have.
    pub memory_bytes: u64,
    /// Elements one table may have.
    pub table_elements: u64,
    /// Call depth in slots: the sum of the frame costs of all active functions.
    pub depth_slots: u32,
    /// How often host functions may re-enter the guest, one inside the other.
    pub host_reentries: u32,
    /// Instances, memories and tables (of each kind) that one store may hold.
    pub entities: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 4 << 30,
            table_elements: 10_000_000,
            depth_slots: 1 << 20,
            host_reentries: 64,
            entities: 10_000,
        }
    }
}

/// Slots that every frame costs beside its parameters, locals and operands.
pub const FRAME_OVERHEAD_SLOTS: u32 = 8;

/// What an engine is set to, apart from its mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Settings {
    /// Whether execution consumes fuel.
    pub fuel: bool,
    /// Whether traps carry no backtrace.
    pub without_backtraces: bool,
    /// Whether a memory moves to a new address on every growth and its old bytes are poisoned.
    pub moving_memory: bool,
    /// Whether compiled code checks bounds by comparing, even where a fault would tell.
    pub explicit_bounds: bool,
    /// Whether compiled code makes do with as few registers as it can.
    pub few_registers: bool,
    /// Whether compiled code pretends that direct calls reach the nearest bytes only.
    pub short_branches: bool,
    /// Whether functions are compiled when they are first called.
    pub lazy: bool,
    /// Whether NaN bits are whatever the hardware makes of them.
    pub free_nan_bits: bool,
    /// Whether compiled code runs without being verified.
    pub unverified: bool,
    /// Whether memories have room behind them that faults: decided by mode and `explicit_bounds`.
    pub guard_regions: bool,
    /// Upper bounds.
    pub limits: Limits,
}
