//! Totals as people read them and as machines do. Runs nothing, judges nothing.

use crate::corpus::write_whole;
use crate::events::{Tally, percent};
use crate::run::Campaign;
use crate::script::{ModeCounts, ScriptReport};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// Reasons for skips, and kinds of trap, that a summary shows.
const SHOWN_REASONS: usize = 6;

/// Measures a run: wall clock, and CPU time with that of child processes.
pub struct Clock {
    wall: Instant,
    cpu_s: f64,
}

/// What a run took, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Times {
    /// By the clock on the wall.
    pub wall_s: f64,
    /// On all processors, child processes included.
    pub cpu_s: f64,
}

impl Clock {
    /// Starts measuring.
    pub fn start() -> Clock {
        Clock { wall: Instant::now(), cpu_s: cpu_seconds() }
    }

    /// What has passed since.
    pub fn stop(&self) -> Times {
        Times { wall_s: self.wall.elapsed().as_secs_f64(), cpu_s: cpu_seconds() - self.cpu_s }
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
pub fn header(lanes: &[String], shard: (u64, u64), times: &Times, complete: bool) -> Json {
    json!({
        "schema": 1,
        "commit": env!("CROSSCHECK_COMMIT"),
        "rustc": env!("CROSSCHECK_RUSTC"),
        "arch": std::env::consts::ARCH,
        "cpu_features": cpu_features(),
        "lanes": lanes,
        "argv": std::env::args().skip(1).collect::<Vec<_>>(),
        "shard": format!("{}/{}", shard.0, shard.1),
        "wall_s": times.wall_s,
        "cpu_s": times.cpu_s,
        "complete": complete,
    })
}

/// Processor features that change which code runs.
pub fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let all = [
            ("sse4.1", std::is_x86_feature_detected!("sse4.1")),
            ("popcnt", std::is_x86_feature_detected!("popcnt")),
            ("lzcnt", std::is_x86_feature_detected!("lzcnt")),
            ("bmi1", std::is_x86_feature_detected!("bmi1")),
            ("avx", std::is_x86_feature_detected!("avx")),
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("fma", std::is_x86_feature_detected!("fma")),
        ];
        all.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    Vec::new()
}

/// One object of two.
pub fn joined(header: Json, body: Json) -> Json {
    match (header, body) {
        (Json::Object(mut all), Json::Object(more)) => {
            all.extend(more);
            Json::Object(all)
        }
        (header, _) => header,
    }
}

/// Writes a JSON file whole or not at all; fails with a line that names it.
pub fn write_json(path: &Path, value: &Json) -> Result<(), String> {
    let mut text = serde_json::to_vec_pretty(value).expect("a JSON value always has a text");
    text.push(b'\n');
    write_whole(path, &text).map_err(|error| format!("{}: cannot write: {error}", path.display()))
}

/// A campaign's totals as JSON.
pub fn fuzz_json(campaign: &Campaign, tally: &Tally, times: &Times, report: &Path) -> Json {
    let findings: Vec<Json> = tally
        .findings
        .iter()
        .map(|finding| {
            let path = report.join("findings").join(finding.folder_name());
            let fingerprint = finding.divergence.fingerprint().to_string();
            json!({
                "fingerprint": fingerprint,
                "seed": finding.seed,
                "index": finding.index,
                "subjects": finding.divergence.groups,
                "kind": finding.divergence.first.kind,
                "first_difference": finding.divergence.first.to_string(),
                "cases": tally.fingerprints.get(&fingerprint),
                "path": path,
                "replay": finding.replay_command(&path),
            })
        })
        .collect();
    let left_out: Vec<Json> = campaign
        .judges
        .iter()
        .map(|judge| json!({"subject": judge.name(), "not_compared": judge.capabilities().left_out()}))
        .collect();
    let body = json!({
        "seed": tally.seed,
        "cases": tally.cases,
        "next_index": tally.next_index,
        "modes": campaign.lanes.names(),
        "agree": tally.agree,
        "diverge": tally.diverge,
        "invalid": tally.invalid,
        "inconclusive": tally.inconclusive,
        "crashes": tally.crashes,
        "hangs": tally.hangs,
        "workers_lost": tally.workers_lost,
        "unexamined": tally.unexamined,
        "by_lane": tally.by_lane,
        "left_out": tally.left_out,
        "judges": left_out,
        "calls": tally.calls,
        "returned": tally.returned,
        "host_calls": tally.host_calls,
        "traps": tally.traps,
        "mean_wasm_bytes": tally.wasm_bytes.checked_div(tally.cases),
        "cases_per_cpu_s": rate(tally, times),
        "findings": findings,
    });
    let lanes: Vec<String> = tally.by_lane.keys().cloned().collect();
    joined(header(&lanes, campaign.shard, times, tally.complete), body)
}

/// Cases a CPU-second, of those that this run ran.
fn rate(tally: &Tally, times: &Times) -> f64 {
    (tally.cases - tally.earlier_cases) as f64 / times.cpu_s.max(1e-9)
}

/// What scripts came to, on part of a screen: `shown` failures at most; every skip and excuse if `verbose`.
pub fn spec_summary(report: &ScriptReport, times: &Times, shown: usize, verbose: bool) -> String {
    let mut text = String::from("scripts");
    let mut line = |name: &str, value: String| {
        let _ = write!(text, "\n  {name:<14}{value}");
    };
    for (mode, counts) in &report.modes {
        let ModeCounts { passed, failed, skipped, excused } = counts;
        line(mode, format!("{passed} passed, {failed} failed, {skipped} skipped, {excused} excused"));
    }
    line("files", format!("{} in {:.1} s ({:.1} CPU-seconds)", report.files, times.wall_s, times.cpu_s));
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for skip in &report.skips {
        *reasons.entry(if verbose { &skip.reason } else { what_is_missing(&skip.reason) }).or_default() +=
            skip.count;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
    let rest = reasons.len().saturating_sub(SHOWN_REASONS);
    for (reason, count) in reasons.iter().take(if verbose { usize::MAX } else { SHOWN_REASONS }) {
        line("skipped", format!("{count}: {reason}"));
    }
    if rest > 0 && !verbose {
        line("skipped", format!("for {rest} more reasons; all are in spec.json"));
    }
    if verbose {
        for excuse in &report.excuses {
            line("excused", format!("{}:{}: {}", excuse.file, excuse.line, excuse.reason));
        }
    }
    for failure in report.failures.iter().take(shown) {
        line("FAILED", format!("{}:{}: {}: {}", failure.file, failure.line, failure.mode, failure.message));
    }
    if report.failures.len() > shown {
        line("FAILED", format!("and {} more; all are in spec.json", report.failures.len() - shown));
    }
    text
}

/// The proposal that a reason for a skip names in parentheses, else the reason.
fn what_is_missing(reason: &str) -> &str {
    let proposal = reason.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    proposal.map_or(reason, |(proposal, _)| proposal)
}

/// A campaign's totals on part of a screen.
pub fn fuzz_summary(campaign: &Campaign, tally: &Tally, times: &Times) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    let modes = campaign.lanes.names().join(", ");
    line("seed", format!("{} ({modes})", tally.seed));
    line(
        "cases",
        format!(
            "{}: {} agree, {} diverge, {} inconclusive, {} invalid",
            tally.cases,
            tally.agree,
            tally.diverge,
            tally.inconclusive_cases(),
            tally.invalid
        ),
    );
    line("verdicts", format!("{:.2} % of valid cases", tally.verdict_rate()));
    for (reason, count) in &tally.inconclusive {
        line("inconclusive", format!("{count}: {reason}"));
    }
    let returned = tally.return_rate();
    line("calls", format!("{}, {returned:.1} % returned; {} host calls", tally.calls, tally.host_calls));
    let traps: u64 = tally.traps.values().sum();
    let mut kinds: Vec<_> = tally.traps.iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), kind.as_str()));
    let kinds = kinds.iter().take(SHOWN_REASONS);
    let kinds: Vec<_> =
        kinds.map(|(kind, count)| format!("{kind} {:.1} %", percent(**count, traps))).collect();
    line("traps", format!("{traps}: {}", kinds.join(", ")));
    if tally.crashes + tally.hangs + tally.workers_lost > 0 {
        let Tally { crashes, hangs, workers_lost, .. } = tally;
        line("failures", format!("{crashes} crashes, {hangs} hangs; {workers_lost} workers replaced"));
    }
    for judge in &campaign.judges {
        let capabilities = judge.capabilities().left_out().join(", ");
        line("judge", format!("{}; not compared: {capabilities}", judge.name()));
    }
    line(
        "speed",
        format!(
            "{:.0} cases per CPU-second, {:.1} s; modules of {} bytes in the mean",
            rate(tally, times),
            times.wall_s,
            tally.wasm_bytes.checked_div(tally.cases).unwrap_or(0)
        ),
    );
    for finding in &tally.findings {
        let fingerprint = finding.divergence.fingerprint().to_string();
        let times = tally.fingerprints.get(&fingerprint).copied().unwrap_or(1);
        line("finding", format!("{times} x {fingerprint}"));
        line("", format!("{}", finding.divergence.first));
        line("", finding.divergence.triage().to_string());
    }
    text.pop();
    text
}
