//! Scripts through outside engines, from the command line: commands, runners of their own, libraries.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// A folder of a test's own, with a script in it.
struct Place(PathBuf);

const SCRIPT: &str = r#"(module (memory 1) (global $calls (mut i32) (i32.const 0))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "half") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5)))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
(assert_return (invoke "add" (i32.const 1) (i32.const -2)) (i32.const -1))
(assert_trap (invoke "load" (i32.const 65536)) "out of bounds memory access")
(assert_return (invoke "half" (f64.const 3)) (f64.const 1.5))
(assert_return (invoke "count") (i32.const 1))
(assert_return (invoke "count") (i32.const 2))
"#;

impl Place {
    fn new(name: &str) -> Place {
        let path =
            std::env::temp_dir().join(format!("crosscheck-script-judges-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room");
        fs::write(path.join("script.wast"), SCRIPT).expect("there is room");
        Place(path)
    }

    /// Runs `spec script.wast` there; gives how it ended and what it printed.
    fn spec(&self, more: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        command.args(["spec", "script.wast", "--report", "report"]).args(more).current_dir(&self.0);
        let output = command.output().expect("the program starts");
        let told = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.code(), String::from_utf8_lossy(&told).into_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Our own program as another engine's command: of each result only the bits.
fn ours() -> String {
    let program = env!("CARGO_BIN_EXE_crosscheck");
    format!(r#"sh -c '"{program}" run "$0" --mode fast-interp --invoke "$1" | cut -d " " -f 1' FILE NAME"#)
}

#[test]
fn a_command_is_asked_call_by_call_and_again_after_a_trap() {
    let place = Place::new("command");
    let ours = format!("ours={}", ours());
    let (code, told) = place.spec(&["--with", &ours]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("ours: 5 passed, 0 failed, 0 unsupported, 0 excused"), "{told}");
}

#[test]
fn a_runner_of_its_own_is_given_the_whole_script() {
    let place = Place::new("runner");
    let program = env!("CARGO_BIN_EXE_crosscheck");
    let engine = |name: &str, script: &str| {
        format!("[engine.{name}]\ncommand = '''{}'''\nscript = \"{script}\"\n", ours())
    };
    let right = format!("{program} spec SCRIPT --report {}", place.0.join("inner").display());
    let engines = [
        engine("right", &right),
        engine("wrong", "sh -c 'echo 4 of 5 passed >&2; exit 1' SCRIPT"),
        engine("dead", "sh -c 'kill -SEGV $$' SCRIPT"),
    ];
    fs::write(place.0.join("engines.toml"), engines.concat()).expect("there is room");
    let (code, told) = place.spec(&["--engines", "engines.toml", "--with", "right"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("right: 5 passed, 0 failed, 0 unsupported, 0 excused"), "{told}");
    assert!(place.0.join("inner/spec.json").exists(), "its own runner ran");
    for (name, message) in [("wrong", "4 of 5 passed"), ("dead", "SIGSEGV")] {
        let (code, told) = place.spec(&["--engines", "engines.toml", "--with", name]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(&format!("{name}: 0 passed, 1 failed, 4 unsupported")), "{told}");
        let failure = format!("script.wast:7: {name}: the engine's own runner of scripts: {message}");
        assert!(told.contains(&failure), "{failure} is not in {told}");
    }
    fs::write(place.0.join("engines.toml"), engine("none", "/nowhere/at/all SCRIPT")).expect("there is room");
    let (code, told) = place.spec(&["--engines", "engines.toml"]);
    assert_eq!((code, told.lines().count()), (Some(2), 1), "{told}");
    assert!(told.contains("engine `none`: `script`: there is no program `/nowhere/at/all`"), "{told}");
}

#[test]
fn an_engine_that_does_not_work_is_told_of_and_nothing_is_green() {
    let place = Place::new("unfit");
    let (code, told) = place.spec(&["--with", "bad=sh -c 'echo no >&2; exit 101' FILE NAME"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("the engine `bad` does not work"), "{told}");
    let page = fs::read_to_string(place.0.join("report/report.html")).expect("the page was written");
    assert!(page.contains("Nothing ran"), "the page does not say so");
}

/// The library is the one that `CROSSCHECK_C_API_LIBRARY` names. Of threads an engine may have all but shared memories.
#[test]
fn a_library_passes_what_it_executes_of_the_first_edition_and_of_threads() {
    let Ok(library) = std::env::var("CROSSCHECK_C_API_LIBRARY") else {
        let why = "NOT TESTED: CROSSCHECK_C_API_LIBRARY names no library with the C API";
        let _ = writeln!(std::io::stderr(), "{why}");
        return;
    };
    let place = Place::new("library");
    let (code, told) = place.spec(&["wasm-v1", "threads", "--with", &format!("library=lib:{library}")]);
    assert_eq!(code, Some(0), "{told}");
    let spec = fs::read_to_string(place.0.join("report/spec.json")).expect("it was written");
    let spec: serde_json::Value = serde_json::from_str(&spec).expect("JSON");
    let counts = &spec["judges"][0]["counts"];
    let passed = counts["passed"].as_u64().expect("a figure");
    assert!(passed > 15_000, "{passed} assertions pass");
    assert_eq!((&counts["failed"], &counts["steps_failed"]), (&0.into(), &0.into()), "{told}");
}
