//! The example of an engine of one's own finds its fault, through workers too.
//!
//! This program is the test and the example: with arguments like the example's it is that, and so are the workers it
//! starts. That is why it has its own `main`.

#[path = "../examples/own_engine.rs"]
mod own_engine;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What tells a run of the example from a run of the tests.
const AS_EXAMPLE: &str = "--with=toy";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if is_worker(&arguments) || arguments.iter().any(|argument| argument == AS_EXAMPLE) {
        return own_engine::main();
    }
    the_toy_differs_in_what_it_does_wrong_and_nowhere_else();
    a_campaign_counts_what_the_toy_was_compared_on();
    scripts_go_through_the_toy_and_what_it_gets_wrong_makes_them_fail();
    ExitCode::SUCCESS
}

#[cfg(unix)]
fn is_worker(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|first| first == crosscheck::worker::ARGUMENT)
}

/// Workers need a Unix.
#[cfg(not(unix))]
fn is_worker(_: &[String]) -> bool {
    false
}

/// What the example prints, and how it ends.
fn example(arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(std::env::current_exe().expect("a program has a path"));
    let output = command.args(arguments).arg(AS_EXAMPLE).output().expect("it can be started");
    (String::from_utf8(output.stdout).expect("it prints text"), output.status.code())
}

fn the_toy_differs_in_what_it_does_wrong_and_nowhere_else() {
    let wat: PathBuf = [env!("CARGO_MANIFEST_DIR"), "examples", "own_engine.wat"].iter().collect();
    let (printed, code) = example(&["replay", &wat.display().to_string()]);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("verdict: diverge: ") && printed.contains(" / toy\n"), "{printed}");
    assert!(printed.contains("result 0: i32:0x2 against i32:0x0"), "{printed}");
    assert!(printed.contains("look at: all modes agree, an outside engine differs"), "{printed}");
}

fn a_campaign_counts_what_the_toy_was_compared_on() {
    let report = std::env::temp_dir().join(format!("crosscheck-own-engine-{}", std::process::id()));
    let (printed, code) = example(&["fuzz", "--cases", "64", "--report", &report.display().to_string()]);
    std::fs::remove_dir_all(&report).expect("the report was written");
    // It has next to nothing of what campaigns use, and says so: that is no evidence.
    assert_eq!(code, Some(3), "{printed}");
    assert!(printed.contains("judge         toy: compared on "), "{printed}");
    assert!(printed.contains("NOT GREEN     the engine `toy` was compared on "), "{printed}");
    assert!(printed.contains(": the toy has no "), "{printed}");
}

fn scripts_go_through_the_toy_and_what_it_gets_wrong_makes_them_fail() {
    let folder = std::env::temp_dir().join(format!("crosscheck-own-engine-scripts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let script = folder.join("shl.wast");
    let text = r#"(module (func (export "shl") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1))))
(assert_return (invoke "shl" (i32.const 1) (i32.const 1)) (i32.const 2))
(assert_return (invoke "shl" (i32.const 1) (i32.const 33)) (i32.const 2))
(assert_invalid (module (func (result i32))) "type mismatch")
(module (func (export "mul") (result i32) (i32.mul (i32.const 2) (i32.const 3))))
(assert_return (invoke "mul") (i32.const 6))
"#;
    std::fs::write(&script, text).expect("a temporary file");
    let (script, report) = (script.display().to_string(), folder.join("report").display().to_string());
    for command in ["spec", "replay"] {
        let (printed, code) = example(&[command, &script, "--report", &report]);
        assert_eq!(code, Some(1), "{command}: {printed}");
        for told in [
            "interp        4 passed, 0 failed, 0 skipped, 0 excused",
            "judge         toy: 1 passed, 1 failed, 2 unsupported, 0 excused",
            ":3: toy: expected [i32:0x2], got i32:0x0",
            "the toy has no",
        ] {
            assert!(printed.contains(told), "{command}: {told} is not in {printed}");
        }
        let read =
            |name: &str| std::fs::read_to_string(folder.join("report").join(name)).expect("it was written");
        let spec: serde_json::Value = serde_json::from_str(&read("spec.json")).expect("JSON");
        assert_eq!(
            (&spec["failures"], &spec["judges"][0]["failures"][0]["line"]),
            (&serde_json::json!([]), &3.into())
        );
        let schema: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../reports/schema/spec.json"].iter().collect();
        let schema = std::fs::read_to_string(schema).expect("the schema");
        let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
        for field in spec.as_object().expect("an object").keys() {
            assert!(schema["properties"].get(field).is_some(), "{field} is not documented");
        }
        assert!(
            read("junit.xml").contains(
                "<testsuite name=\"judge toy\" tests=\"1\" skipped=\"0\" errors=\"0\" failures=\"1\""
            )
        );
        assert!(read("report.html").contains("What outside engines get wrong: 1"));
    }
    std::fs::remove_dir_all(&folder).expect("it is there");
}
