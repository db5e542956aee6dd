//! Choosing a mode and its settings, and making engines from that.

use crate::engine::Engine;
use crate::limits::{Limits, Settings};
use crate::mode::Mode;
use std::sync::Arc;

/// A mode and its settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    mode: Mode,
    settings: Settings,
}

impl Config {
    /// A mode with default settings: no fuel, backtraces, memory that stays, generous limits.
    pub fn new(mode: Mode) -> Config {
        Config { mode, settings: Settings::default() }
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether execution consumes fuel (see [`crate::Store::set_fuel`]).
    pub fn fuel(mut self, on: bool) -> Config {
        self.settings.fuel = on;
        self
    }

    /// Whether traps carry backtraces.
    pub fn backtraces(mut self, on: bool) -> Config {
        self.settings.without_backtraces = !on;
        self
    }

    /// Whether memories move to a new address on every growth, leaving poison behind.
    pub fn moving_memory(mut self, on: bool) -> Config {
        self.settings.moving_memory = on;
        self
    }

    /// Whether compiled code checks bounds by comparing, even where a fault would tell.
    pub fn explicit_bounds(mut self, on: bool) -> Config {
        self.settings.explicit_bounds = on;
        self
    }

    /// Whether compiled code makes do with as few registers as it can.
    pub fn few_registers(mut self, on: bool) -> Config {
        self.settings.few_registers = on;
        self
    }

    /// Whether compiled code pretends that direct calls reach the nearest bytes only, so that it needs islands.
    pub fn short_branches(mut self, on: bool) -> Config {
        self.settings.short_branches = on;
        self
    }

    /// Whether compiled modes compile functions when they are first called.
    pub fn lazy(mut self, on: bool) -> Config {
        self.settings.lazy = on;
        self
    }

    /// Whether compiled code is decoded and checked before it runs: on unless switched off.
    pub fn verify_code(mut self, on: bool) -> Config {
        self.settings.unverified = !on;
        self
    }

    /// Whether compiled code leaves NaN bits as the hardware makes them: outside of the deterministic
    /// profile, and faster.
    pub fn free_nan_bits(mut self, on: bool) -> Config {
        self.settings.free_nan_bits = on;
        self
    }

    /// What stores may use.
    pub fn limits(mut self, limits: Limits) -> Config {
        self.settings.limits = limits;
        self
    }
}

impl Engine {
    /// An engine with types of its own.
    pub fn new(config: &Config) -> Engine {
        Engine::from_parts(config.mode.executor(), config.settings, Arc::default())
    }

    /// An engine that shares this one's types, so that a module decoded once can run in both.
    pub fn sibling(&self, config: &Config) -> Engine {
        Engine::from_parts(config.mode.executor(), config.settings, self.shared_types())
    }
}
