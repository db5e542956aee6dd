//! A campaign that is killed again and again, and gone on with each time, comes to what one that nobody disturbs
//! comes to: no finding lost, none counted twice, nothing half-written read as whole.

#![cfg(all(feature = "planted-faults", unix))]

use crosscheck::corpus::finding::Record;
use crosscheck::finding::Finding;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const KILLS: u32 = 50;
const CASES: u64 = 7_168;

/// A campaign that finds something in about every twentieth case.
fn campaign(report: &Path) -> Child {
    let program = env!("CARGO_BIN_EXE_crosscheck");
    let worker = format!("{program} {} fast-interp-branch-forgets-negation", crosscheck::worker::PLANTED);
    let mut command = Command::new(program);
    command.args([
        "fuzz",
        "--worker",
        &worker,
        "--seed",
        "5",
        "--modes",
        "interp,fast-interp",
        "--resume",
        "--reduce-time",
        "1s",
    ]);
    command.args(["--cases", &CASES.to_string(), "--report"]).arg(report);
    command.stdout(Stdio::null()).spawn().expect("the binary stands beside the tests")
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("crosscheck-resume-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a temporary folder");
    path
}

fn json(path: &Path) -> Option<Json> {
    let bytes = std::fs::read(path).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// How far a campaign has come, and how many findings are on disk.
fn progress(report: &Path) -> (u64, usize) {
    let state = json(&report.join("campaign.json"));
    let next = state.map_or(0, |state| state["tally"]["next_index"].as_u64().expect("an index"));
    (next, findings(report).len())
}

/// The folders of all findings; each of them is whole.
fn findings(report: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(report.join("findings")) else { return BTreeSet::new() };
    let entries = entries.map(|entry| entry.expect("an entry").path());
    let is_built = |path: &PathBuf| !name(path).starts_with('.');
    entries.filter(is_built).inspect(|path| assert_is_whole(path)).map(|path| name(&path)).collect()
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn assert_is_whole(folder: &Path) {
    let finding = Finding::load(folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(finding.folder_name(), name(folder));
    if Record::load(folder).expect("just read").reduced.is_some() {
        for file in ["reduced.wast", "reduced.xchk"] {
            assert!(folder.join(file).exists(), "{}: no {file}", folder.display());
        }
    }
}

#[test]
fn a_campaign_killed_fifty_times_comes_to_what_an_undisturbed_one_does() {
    let calm = folder("calm");
    assert_eq!(campaign(&calm).wait().expect("it ends").code(), Some(1), "it has findings");
    let mut draw = 0x2545_f491_4f6c_dd1d_u64;
    let mut kills = 0;
    // On a busy machine a campaign may end before it was killed often enough; then another is begun.
    for _ in 0..KILLS {
        let killed = folder("killed");
        kills += kill_at_random(&killed, &mut draw, KILLS - kills);
        assert_eq!(campaign(&killed).wait().expect("it ends").code(), Some(1), "after {kills} kills");
        assert_came_to_the_same(&calm, &killed, kills);
        std::fs::remove_dir_all(killed).expect("ours");
        if kills == KILLS {
            break;
        }
    }
    assert_eq!(kills, KILLS, "campaigns ended before they were killed");
    std::fs::remove_dir_all(calm).expect("ours");
}

/// Begins or resumes a campaign and kills it, so many times or until it ends; gives how many times it was killed.
fn kill_at_random(killed: &Path, draw: &mut u64, most: u32) -> u32 {
    for kills in 0..most {
        let mut child = campaign(killed);
        *draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Some die before they have done anything, some in the middle of a batch, some while they save or reduce.
        let (begun, saved) = progress(killed);
        let (until, looks) = (begun + 256 * (*draw >> 63), *draw >> 40 & 0xff);
        let mut looked = 0;
        loop {
            let (next, now_saved) = progress(killed);
            if next >= until || now_saved > saved {
                looked += 1;
            }
            if looked > looks {
                break;
            }
            if child.try_wait().expect("its state").is_some() {
                return kills;
            }
            std::thread::yield_now();
        }
        child.kill().expect("it is ours");
        child.wait().expect("it was killed");
    }
    most
}

fn assert_came_to_the_same(calm: &Path, killed: &Path, kills: u32) {
    let [calm_json, killed_json] =
        [calm, killed].map(|report| json(&report.join("fuzz.json")).expect("a report"));
    for field in [
        "cases",
        "next_index",
        "agree",
        "diverge",
        "invalid",
        "inconclusive",
        "crashes",
        "unexamined",
        "by_lane",
        "calls",
        "returned",
        "host_calls",
        "traps",
    ] {
        assert_eq!(calm_json[field], killed_json[field], "{field} after {kills} kills");
    }
    let counts = |json: &Json| {
        let findings = json["findings"].as_array().expect("a list").clone();
        findings
            .into_iter()
            .map(|finding| (finding["fingerprint"].clone(), finding["cases"].clone()))
            .collect()
    };
    let (calm_counts, killed_counts): (Vec<_>, Vec<_>) = (counts(&calm_json), counts(&killed_json));
    assert_eq!(calm_counts, killed_counts);
    assert_eq!(findings(calm), findings(killed));
}
