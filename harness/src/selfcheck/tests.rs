//! That lies are about everything, and that all of them are seen in this process.

use super::*;

fn folder(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("crosscheck-self-check-{}-{name}", std::process::id()))
}

#[test]
fn every_lie_is_seen_in_this_process() {
    let checked = check(Ground::InProcess, &folder("here")).expect("a folder can be made");
    let missed: Vec<String> = checked.missed.iter().map(ToString::to_string).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert_eq!(checked.grounds, 3);
}

#[test]
fn dump() {
    for lie in Lie::all() {
        let task = lie.task();
        for capture in [Capture::Digest, Capture::Full] {
            let run = run_task(Ground::InProcess, &task, capture).unwrap();
            let fields = match &run.observations[..] {
                [(_, a), (_, b), (_, c)] => format!("{:?} {:?}", differing(a, b), differing(a, c)),
                _ => "INVALID".into(),
            };
            println!("@@{}\t{capture:?}\t{}\t{fields}", lie.name, shown(&run.verdict));
        }
    }
}
