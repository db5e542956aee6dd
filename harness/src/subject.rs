//! Whatever the harness can run a case on: a lane of our engine, or an outside engine.
//!
//! A subject turns a case into an observation and judges nothing. What it cannot promise stands in its
//! capability row, which `compare` reads and reports print.

mod lane;
pub mod values;
#[cfg(feature = "wasmi")]
mod wasmi;

use crate::case::Case;
use crate::observe::{Capture, Observation};
use crosscheck_engine::{DecodedModule, Engine, Error, Module};

#[cfg(feature = "wasmi")]
pub use self::wasmi::WasmiSubject;
pub use lane::{Lane, LaneSubject, Switch};

/// What of an observation a subject vouches for. What two subjects do not both vouch for is not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Fuel left, and where it runs out.
    pub fuel: bool,
    /// The call depth at which the stack is exhausted.
    pub depth: bool,
    /// The instruction a trap happened at.
    pub trap_sites: bool,
    /// The calls a trap happened through.
    pub backtraces: bool,
    /// The bits of NaN results.
    pub nan_bits: bool,
    /// Entities that are not exported, table elements and dropped segments.
    pub internal_state: bool,
    /// The identity of functions in results and host arguments.
    pub function_identity: bool,
    /// Which trap an index beyond a table's end is: `call_indirect`'s own or that of all other accesses.
    pub undefined_elements: bool,
}

impl Capabilities {
    /// Everything: the deterministic contract.
    pub const ALL: Capabilities = Capabilities {
        fuel: true,
        depth: true,
        trap_sites: true,
        backtraces: true,
        nan_bits: true,
        internal_state: true,
        function_identity: true,
        undefined_elements: true,
    };

    /// What both vouch for.
    pub fn and(self, other: Capabilities) -> Capabilities {
        Capabilities {
            fuel: self.fuel && other.fuel,
            depth: self.depth && other.depth,
            trap_sites: self.trap_sites && other.trap_sites,
            backtraces: self.backtraces && other.backtraces,
            nan_bits: self.nan_bits && other.nan_bits,
            internal_state: self.internal_state && other.internal_state,
            function_identity: self.function_identity && other.function_identity,
            undefined_elements: self.undefined_elements && other.undefined_elements,
        }
    }

    /// What is left out, in words.
    pub fn left_out(self) -> Vec<&'static str> {
        let rows = [
            (self.fuel, "fuel"),
            (self.depth, "depth"),
            (self.trap_sites, "trap sites"),
            (self.backtraces, "backtraces"),
            (self.nan_bits, "NaN bits"),
            (self.internal_state, "internal state"),
            (self.function_identity, "function identity"),
            (self.undefined_elements, "undefined elements"),
        ];
        rows.into_iter().filter(|(has, _)| !has).map(|(_, what)| what).collect()
    }
}

/// A case with its modules decoded once for all of our lanes.
pub struct Prepared<'a> {
    /// The case.
    pub case: &'a Case,
    /// The engine whose siblings may prepare the modules.
    pub engine: Engine,
    /// The modules; what is wrong with the invalid ones.
    pub modules: Vec<Result<DecodedModule, Error>>,
}

impl<'a> Prepared<'a> {
    /// Decodes and validates the modules of a case.
    pub fn new(case: &'a Case) -> Prepared<'a> {
        let mode = crosscheck_engine::Mode::all().next().expect("there is a mode");
        let engine = Engine::new(&crosscheck_engine::Config::new(mode));
        let modules =
            case.modules.iter().map(|module| Module::decode(&engine, module.wasm.as_slice())).collect();
        Prepared { case, engine, modules }
    }

    /// What is wrong with the first invalid module, and which it is.
    pub fn invalid(&self) -> Option<(usize, &Error)> {
        self.modules.iter().enumerate().find_map(|(index, module)| Some((index, module.as_ref().err()?)))
    }
}

/// Whatever can run a case.
pub trait Subject: Send + Sync {
    /// What people call it: a lane's name, or an engine's.
    fn name(&self) -> &str;

    /// What it vouches for.
    fn capabilities(&self) -> Capabilities;

    /// Whether it ends even a case that never ends; if not, it is spared those that ran out of fuel elsewhere.
    fn ends_by_itself(&self) -> bool {
        self.capabilities().fuel
    }

    /// Runs a case, all of whose modules are valid.
    fn observe(&self, prepared: &Prepared<'_>, capture: Capture) -> Observation;
}
