//! What the header lines of a script ask for: fuel, limits, and with which switches modes run.
//!
//! | header | meaning |
//! | --- | --- |
//! | `;;! fuel: N` | fuel for each action |
//! | `;;! depth-slots: N` | slots for all frames |
//! | `;;! host-depth: N` | how deep hosts may call back |
//! | `;;! memory-bytes: N` | bytes to which one memory may grow |
//! | `;;! table-elements: N` | elements to which one table may grow |
//! | `;;! hosts: SEED N [M]` | what no module provides is a host's that behaves as that seed says, traps in one of N calls and throws in one of M, 0 for never |
//! | `;;! profile: deterministic` | it asserts bits of NaNs that only the deterministic profile fixes, so other engines may differ |
//! | `;;! lanes: a b+switch` | these modes run with these switches; all others as they are |
//!
//! Other keys are for other readers.

use super::text::numbered_headers;
use super::{Lane, ScriptFile, Unreadable};
use crate::case::{self, HostPlan};
use crate::subject;
use crosscheck_engine::Limits;

/// What a script asks for.
pub(super) struct Settings {
    /// Fuel for each action.
    pub fuel: Option<u64>,
    /// How the host behaves that provides what no module does.
    pub hosts: Option<HostPlan>,
    /// Whether it asserts bits that only the deterministic profile fixes.
    pub is_deterministic: bool,
    limits: Option<Limits>,
    lanes: Vec<subject::Lane>,
}

impl Settings {
    /// The settings in the headers of a script. Fails on a value that makes no sense.
    pub fn of(file: &ScriptFile) -> Result<Settings, Unreadable> {
        let mut settings =
            Settings { fuel: None, hosts: None, limits: None, is_deterministic: false, lanes: Vec::new() };
        for (line, key, value) in numbered_headers(&file.text) {
            settings.read(&key, &value).map_err(|message| Unreadable {
                file: file.path(),
                line,
                column: 1,
                message: format!("header `{key}`: {message}"),
            })?;
        }
        Ok(settings)
    }

    fn read(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("expected a number, not `{value}`"));
        let small =
            || value.parse::<u32>().map_err(|_| format!("expected a number of 32 bits, not `{value}`"));
        let limits = self.limits.unwrap_or_default();
        match key {
            "fuel" => self.fuel = Some(number()?),
            "depth-slots" => self.limits = Some(Limits { depth_slots: small()?, ..limits }),
            "host-depth" => self.limits = Some(Limits { host_reentries: small()?, ..limits }),
            "memory-bytes" => self.limits = Some(Limits { memory_bytes: number()?, ..limits }),
            "table-elements" => self.limits = Some(Limits { table_elements: number()?, ..limits }),
            "profile" if value == "deterministic" => self.is_deterministic = true,
            "profile" => return Err(format!("expected `deterministic`, not `{value}`")),
            "hosts" => self.hosts = Some(host_plan(value)?),
            "lanes" => self.lanes = value.split_whitespace().map(str::parse).collect::<Result<_, _>>()?,
            _ => {}
        }
        Ok(())
    }

    /// How hosts of a case behave that outside engines run.
    pub fn case_hosts(&self) -> HostPlan {
        self.hosts.unwrap_or(HostPlan::new(0, 0))
    }

    /// The limits of a case that outside engines run. Room for frames is theirs to have, unless the script says how much.
    pub fn case_limits(&self) -> case::Limits {
        let roomy = case::Limits { fuel: self.fuel, ..case::Limits::default() };
        match self.limits {
            None => roomy,
            Some(limits) => case::Limits {
                depth_slots: limits.depth_slots,
                host_depth: limits.host_reentries,
                memory_bytes: limits.memory_bytes,
                table_elements: limits.table_elements,
                ..roomy
            },
        }
    }

    /// Whether the script counts on this bench's own fuel or depth.
    pub fn is_metered(&self) -> bool {
        let depth = Limits::default();
        let is_default = |limits: Limits| {
            (limits.depth_slots, limits.host_reentries) == (depth.depth_slots, depth.host_reentries)
        };
        self.fuel.is_some() || !self.limits.is_none_or(is_default)
    }

    /// A lane as the script wants it, under its own name.
    pub fn lane(&self, lane: &Lane) -> Lane {
        let with_switches = self.lanes.iter().find(|asked| asked.mode.name() == lane.name);
        let mut config = with_switches.map_or(lane.config, subject::Lane::config);
        if self.fuel.is_some() && with_switches.is_none() {
            config = config.fuel(true);
        }
        if let Some(limits) = self.limits {
            config = config.limits(limits);
        }
        Lane { name: lane.name.clone(), config }
    }
}

fn host_plan(value: &str) -> Result<HostPlan, String> {
    let parsed = || {
        let mut words = value.split_whitespace();
        let plan = HostPlan::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let throw_one_in = words.next().map_or(Some(0), |word| word.parse().ok())?;
        words.next().is_none().then_some(HostPlan { throw_one_in, ..plan })
    };
    parsed().ok_or_else(|| format!("expected a seed and a number, and perhaps another, not `{value}`"))
}
