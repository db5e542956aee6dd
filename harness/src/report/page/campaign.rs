//! The campaign: verdicts, traps, what could not be said, how fast it went; and which build it was.

use super::Story;
use crate::compare::mode_of;
use crate::events::{Judged, percent};
use crate::report::chart::{self, Series};
use crate::report::fuzz::{Fuzz, Judge, Throughput};
use crate::report::header::Header;
use crate::report::html::{Cell, Html};
use std::collections::BTreeMap;

/// Whether there was one.
pub fn has_any(story: &Story<'_>) -> bool {
    story.night.fuzz.is_some()
}

/// Writes who ran how many cases, and differed in how many kinds of finding.
pub fn verdicts(html: &mut Html, story: &Story<'_>) {
    let Some(fuzz) = &story.night.fuzz else { return };
    let all = [
        ("agree", fuzz.agree),
        ("diverge", fuzz.diverge),
        ("inconclusive", fuzz.inconclusive_cases()),
        ("invalid", fuzz.invalid),
        ("all", fuzz.cases),
    ];
    html.table("Cases by verdict", &["verdict", "cases", "share"], |rows| {
        for (verdict, count) in all {
            let class = if verdict == "diverge" && count > 0 { "bad-number" } else { "number" };
            let share = format!("{:.2} %", percent(count, fuzz.cases));
            rows.row(verdict, [Cell::number(count).class(class), Cell::number(share)]);
        }
    });
    switches(html, fuzz);
    html.details(format!("All {} lanes", fuzz.by_lane.len()), |html| {
        let columns = ["lane", "cases", "left out", "findings"];
        html.table("A lane that counts no fuel is left out of cases that run out of it", &columns, |rows| {
            for (lane, cases) in &fuzz.by_lane {
                let left_out = fuzz.left_out.get(lane).copied().unwrap_or(0);
                let takes_part = |names: &[Vec<String>]| names.iter().flatten().any(|name| name == lane);
                let findings = fuzz.findings.iter().filter(|finding| takes_part(&finding.subjects)).count();
                rows.row(lane, [*cases, left_out, findings as u64].map(Cell::number));
            }
        });
    });
    if !fuzz.judges.is_empty() {
        judges(html, fuzz);
    }
}

/// Writes on how much outside engines were truly compared, and what is never compared with them.
fn judges(html: &mut Html, fuzz: &Fuzz) {
    let differ =
        format!("On {} cases all modes agree and only outside engines differ.", fuzz.judged_differences);
    html.simple("p", differ);
    let columns = ["engine", "compared", "share", "to the end", "actions", "unsupported", "not understood"];
    html.table("Cases on which outside engines were compared", &columns, |rows| {
        for Judge { subject, version, judged, .. } in &fuzz.judges {
            let Judged { compared, to_the_end, actions, of_actions, unsupported, unclear } = judged;
            let share = |part: u64, of: u64| Cell::number(format!("{:.1} %", percent(part, of)));
            let name = version.as_ref().map_or(subject.clone(), |version| format!("{subject} ({version})"));
            let cells = [
                Cell::number(*compared),
                share(*compared, fuzz.cases),
                Cell::number(*to_the_end),
                share(*actions, *of_actions),
                Cell::number(unsupported.values().sum::<u64>()),
                Cell::number(unclear.values().sum::<u64>()),
            ];
            rows.row(&name, cells);
        }
    });
    for Judge { subject, not_compared, .. } in &fuzz.judges {
        html.simple("p", format!("Never compared with {subject}: {}.", not_compared.join(", ")));
    }
    let (mut unsupported, mut unclear) = (BTreeMap::new(), BTreeMap::new());
    for Judge { subject, judged, .. } in &fuzz.judges {
        let named = |(why, count): (&String, &u64)| (format!("{subject}: {why}"), *count);
        unsupported.extend(judged.unsupported.iter().map(named));
        unclear.extend(judged.unclear.iter().map(named));
    }
    let tables = [
        ("What outside engines do not execute", unsupported),
        ("What of outside engines is not understood", unclear),
    ];
    for (title, reasons) in tables.iter().filter(|(_, reasons)| !reasons.is_empty()) {
        counted(html, title, "reason", reasons);
    }
}

/// Writes how many cases each mode ran with each switch.
fn switches(html: &mut Html, fuzz: &Fuzz) {
    let mut switches: Vec<&str> = fuzz.by_lane.keys().flat_map(|lane| lane.split('+').skip(1)).collect();
    switches.sort_unstable();
    switches.dedup();
    let columns: Vec<&str> = ["mode", "cases"].into_iter().chain(switches.iter().copied()).collect();
    let mut modes: Vec<&str> = fuzz.modes.iter().map(|lane| mode_of(lane)).collect();
    modes.extend(fuzz.judges.iter().map(|judge| &*judge.subject));
    modes.dedup();
    html.table("Runs of each mode, and those of them with each switch on", &columns, |rows| {
        for mode in modes {
            let lanes = || fuzz.by_lane.iter().filter(|(lane, _)| mode_of(lane) == mode);
            let with = |switch: &&str| {
                let has = |lane: &str| lane.split('+').skip(1).any(|name| name == *switch);
                lanes().filter(|(lane, _)| has(lane)).map(|(_, cases)| cases).sum::<u64>()
            };
            let all: u64 = lanes().map(|(_, cases)| cases).sum();
            rows.row(
                mode,
                [Cell::number(all)].into_iter().chain(switches.iter().map(with).map(Cell::number)),
            );
        }
    });
}

/// Writes what happened in it.
pub fn write(html: &mut Html, story: &Story<'_>) {
    let Some(fuzz) = &story.night.fuzz else { return };
    html.simple(
        "p",
        format!(
            "Seed {}, {} cases, next index {}; {:.0} cases a CPU-second; modules of {} bytes in the mean.",
            fuzz.seed,
            fuzz.cases,
            fuzz.next_index,
            fuzz.cases_per_cpu_s,
            fuzz.mean_wasm_bytes.unwrap_or(0)
        ),
    );
    html.simple(
        "p",
        format!(
            "{} calls, of which {:.1} % returned; {} calls of host functions; {} crashes, {} hangs, {} workers replaced.",
            fuzz.calls,
            percent(fuzz.returned, fuzz.calls),
            fuzz.host_calls,
            fuzz.crashes,
            fuzz.hangs,
            fuzz.workers_lost
        ),
    );
    counted(html, "Kinds of trap that the reference reached", "trap", &fuzz.traps);
    if !fuzz.inconclusive.is_empty() {
        counted(html, "Cases about which nothing can be said", "reason", &fuzz.inconclusive);
    }
    if fuzz.unexamined > 0 {
        html.simple(
            "p",
            format!("{} differences that look like known ones were only counted.", fuzz.unexamined),
        );
    }
    html.element("div", &[("class", "charts")], |html| throughput(html, fuzz));
}

fn counted(html: &mut Html, caption: &str, name: &str, counts: &BTreeMap<String, u64>) {
    let all: u64 = counts.values().sum();
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(what, count)| (std::cmp::Reverse(**count), what.as_str()));
    html.table(caption, &[name, "count", "share"], |rows| {
        for (what, count) in sorted {
            rows.row(what, [Cell::number(count), Cell::number(format!("{:.1} %", percent(*count, all)))]);
        }
    });
}

fn throughput(html: &mut Html, fuzz: &Fuzz) {
    for (number, Throughput { stretch_s, cases }) in fuzz.throughput.iter().enumerate() {
        // The last stretch is not over when the run is.
        let over = &cases[..cases.len().saturating_sub(1)];
        if over.len() < 2 {
            continue;
        }
        let values: Vec<Option<f64>> = over.iter().map(|cases| Some(*cases as f64 / stretch_s)).collect();
        let labels: Vec<String> =
            (0..over.len()).map(|at| format!("after {:.0} s", at as f64 * stretch_s)).collect();
        let part = if fuzz.throughput.len() > 1 { format!(", shard {}", number + 1) } else { String::new() };
        let title = format!("Cases a second{part}, over {stretch_s:.0} s each");
        let end = format!("{:.0} s", over.len() as f64 * stretch_s);
        chart::line(html, &Series { title: &title, values: &values, ends: ("0 s", &end), labels: &labels });
    }
}

/// Writes which build ran where.
pub fn build(html: &mut Html, story: &Story<'_>) {
    let night = story.night;
    let headers = [
        ("suite", night.spec.as_ref().map(|spec| &spec.header)),
        ("campaign", night.fuzz.as_ref().map(|fuzz| &fuzz.header)),
    ];
    for (what, header) in headers {
        let Some(header) = header else { continue };
        let Header { commit, rustc, arch, cpu_features, argv, shard, wall_s, cpu_s, .. } = header;
        html.table(&format!("What the {what} ran on"), &["", "value"], |rows| {
            let mut row = |name: &str, value: String| rows.row(name, [Cell::words(value)]);
            row("began", date(header.started_s));
            row("commit", commit.clone());
            row("compiler", rustc.clone());
            row("processor", format!("{arch} with {}", cpu_features.join(" ")));
            row("arguments", argv.join(" "));
            row("shard", String::from(shard.clone()));
            row("took", format!("{wall_s:.1} s, {cpu_s:.1} CPU-seconds"));
            if let Some(worker) = &header.worker {
                row("subjects ran in", worker["command"].as_str().unwrap_or_default().to_string());
            }
        });
    }
}

/// A time as people write it, in UTC.
fn date(seconds: u64) -> String {
    // Days to a date of the Gregorian calendar, counted in years that begin in March, so that a leap day comes last.
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_273_199), "2026-11-21 14:59 UTC");
    }
}
