//! What every report starts with: which build ran where, on what, and for how long.

use crate::machine::cpu_features;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Measures a run: wall clock, and CPU time with that of child processes.
pub struct Clock {
    wall: Instant,
    started_s: u64,
    cpu_s: f64,
}

/// What a run took, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Times {
    /// When it began, in seconds since 1970.
    pub started_s: u64,
    /// By the clock on the wall.
    pub wall_s: f64,
    /// On all processors, child processes included.
    pub cpu_s: f64,
}

impl Clock {
    /// Starts measuring.
    pub fn start() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let started_s = since.map_or(0, |since| since.as_secs());
        Clock { wall: Instant::now(), started_s, cpu_s: cpu_seconds() }
    }

    /// How long ago that was.
    pub fn elapsed(&self) -> Duration {
        self.wall.elapsed()
    }

    /// What has passed since.
    pub fn stop(&self) -> Times {
        let (wall_s, cpu_s) = (self.wall.elapsed().as_secs_f64(), cpu_seconds() - self.cpu_s);
        Times { started_s: self.started_s, wall_s, cpu_s }
    }
}

/// CPU seconds of this process and its ended children.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let of = |who| {
        // SAFETY: the structure is plain numbers, for which all zeros is a value, and the call only fills it.
        let usage = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(who, &mut usage);
            usage
        };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        seconds(usage.ru_utime) + seconds(usage.ru_stime)
    };
    of(libc::RUSAGE_SELF) + of(libc::RUSAGE_CHILDREN)
}

/// This platform does not tell; the wall clock of one thread is the nearest thing.
#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// What every JSON file starts with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The version of the file's shape.
    pub schema: u32,
    /// Which commit the bench was built from.
    pub commit: String,
    /// Which compiler built it.
    pub rustc: String,
    /// What it ran on.
    pub arch: String,
    /// Features of the processor that change which code runs.
    pub cpu_features: Vec<String>,
    /// The subjects that ran.
    pub lanes: Vec<String>,
    /// The arguments of the command.
    pub argv: Vec<String>,
    /// Which part of the work this is: `0/1` is all of it.
    pub shard: Shard,
    /// When it began, in seconds since 1970.
    #[serde(default)]
    pub started_s: u64,
    /// Seconds by the clock on the wall.
    pub wall_s: f64,
    /// Seconds on all processors, child processes included.
    pub cpu_s: f64,
    /// Whether all that was asked for was done.
    pub complete: bool,
    /// Who ran the subjects, if it was another program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Json>,
}

/// Parts of the work, as `I/N` or, of several that were merged, `I+J/N`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// Which parts.
    pub parts: Vec<u64>,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// A part of so many.
    pub fn new((part, of): (u64, u64)) -> Shard {
        Shard { parts: vec![part], of }
    }

    /// Whether the other is another part of the same work.
    pub fn is_complemented_by(&self, other: &Shard) -> bool {
        self.of == other.of && self.of > 1 && other.parts.iter().all(|part| !self.parts.contains(part))
    }

    /// Whether this is all of the work.
    pub fn is_whole(&self) -> bool {
        self.parts.len() as u64 == self.of
    }

    fn add(&mut self, other: &Shard) {
        self.parts.extend(&other.parts);
        self.parts.sort_unstable();
        if self.is_whole() {
            *self = Shard::new((0, 1));
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Shard, String> {
        let read = || {
            let (parts, of) = text.split_once('/')?;
            let parts: Option<Vec<u64>> = parts.split('+').map(|part| part.parse().ok()).collect();
            let (parts, of) = (parts?, of.parse().ok()?);
            parts.iter().all(|part| *part < of).then_some(Shard { parts, of })
        };
        read().ok_or_else(|| format!("expected a shard like 0/4, not `{text}`"))
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        let parts: Vec<String> = shard.parts.iter().map(u64::to_string).collect();
        format!("{}/{}", parts.join("+"), shard.of)
    }
}

impl Header {
    /// The header of a run of this program.
    pub fn new(lanes: Vec<String>, shard: (u64, u64), times: &Times, complete: bool) -> Header {
        Header {
            schema: 1,
            commit: env!("CROSSCHECK_COMMIT").into(),
            rustc: env!("CROSSCHECK_RUSTC").into(),
            arch: std::env::consts::ARCH.into(),
            cpu_features: cpu_features().into_iter().map(Into::into).collect(),
            lanes,
            argv: std::env::args().skip(1).collect(),
            shard: Shard::new(shard),
            started_s: times.started_s,
            wall_s: times.wall_s,
            cpu_s: times.cpu_s,
            complete,
            worker: None,
        }
    }

    /// Why this is not all of the work, if it is not: it ended early, or is a part.
    pub fn incomplete(&self) -> Option<String> {
        if !self.complete {
            return Some("ended before all was done".to_string());
        }
        (!self.shard.is_whole()).then(|| format!("shard {}", String::from(self.shard.clone())))
    }

    /// Adds another part of the same work, which ran beside this one.
    pub fn add(&mut self, other: &Header) {
        for lane in &other.lanes {
            if !self.lanes.contains(lane) {
                self.lanes.push(lane.clone());
            }
        }
        self.shard.add(&other.shard);
        self.started_s = self.started_s.min(other.started_s);
        self.wall_s = self.wall_s.max(other.wall_s);
        self.cpu_s += other.cpu_s;
        self.complete &= other.complete;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_same_work_make_the_whole() {
        let shard = |text: &str| Shard::try_from(text.to_string());
        let (mut first, second) = (shard("1/3").expect("a part"), shard("0/3").expect("a part"));
        assert!(first.is_complemented_by(&second) && !first.is_complemented_by(&first.clone()));
        first.add(&second);
        assert_eq!(String::from(first.clone()), "0+1/3");
        assert_eq!(shard("0+1/3"), Ok(first.clone()));
        first.add(&shard("2/3").expect("a part"));
        assert_eq!(String::from(first), "0/1");
        assert!(!Shard::new((0, 1)).is_complemented_by(&Shard::new((0, 1))), "the whole has no other part");
        assert!(shard("3/3").is_err() && shard("a/3").is_err() && shard("1").is_err());
    }
}
