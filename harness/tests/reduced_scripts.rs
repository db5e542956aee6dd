//! Reduced scripts are replayed with what their header lines ask for, and a header that asks for nonsense is named.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("crosscheck-headers-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    /// What `replay` says of a script in some modes.
    fn replay(&self, script: &str, modes: &str) -> Output {
        std::fs::write(self.0.join("case.wast"), script).expect("a temporary file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        command.args(["replay", "case.wast", "--modes", modes]).current_dir(&self.0);
        command.output().expect("the program starts")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const MODES: &str = "interp,fast-interp";

/// A header with a script that passes with it only.
const TELLING: &[(&str, &str)] = &[
    (
        "fuel: 50",
        "(module (func (export \"f\") (local i32) (loop
            (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100))))))
        (assert_trap (invoke \"f\") \"out of fuel\")",
    ),
    (
        "depth-slots: 60",
        "(module (func $f (export \"f\") (param i32)
            (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))))))
        (assert_return (invoke \"f\" (i32.const 2)))
        (assert_exhaustion (invoke \"f\" (i32.const 20)) \"call stack exhausted\")",
    ),
    (
        "memory-bytes: 65536",
        "(module (memory 1) (func (export \"f\") (result i32) (memory.grow (i32.const 1))))
        (assert_return (invoke \"f\") (i32.const -1))",
    ),
    (
        "table-elements: 1",
        "(module (table 1 funcref) (func (export \"f\") (result i32) (table.grow (ref.null func) (i32.const 1))))
        (assert_return (invoke \"f\") (i32.const -1))",
    ),
    (
        "hosts: 7 0",
        "(module (import \"env\" \"print\" (func (param i32))) (func (export \"f\") (call 0 (i32.const 1))))
        (assert_return (invoke \"f\"))",
    ),
    (
        "hosts: 7 1",
        "(module (import \"env\" \"print\" (func (param i32))) (func (export \"f\") (call 0 (i32.const 1))))
        (assert_trap (invoke \"f\") \"host trap\")",
    ),
];

#[test]
fn a_script_is_replayed_with_what_its_headers_ask_for() {
    let folder = Folder::new("telling");
    for (header, script) in TELLING {
        for (text, exit) in [(format!(";;! {header}\n{script}"), 0), (script.to_string(), 1)] {
            let output = folder.replay(&text, MODES);
            assert_eq!(output.status.code(), Some(exit), "{text}: {output:?}");
        }
    }
}

#[test]
fn lanes_are_those_that_the_header_names() {
    let folder = Folder::new("lanes");
    let (_, script) = TELLING[0];
    let returns =
        script.replace("(assert_trap (invoke \"f\") \"out of fuel\")", "(assert_return (invoke \"f\"))");
    let text = format!(";; a note\n;;! fuel: 50\n;;! lanes: interp+no-fuel fast-interp\n{returns}");
    for (modes, exit) in [("interp", 0), ("fast-interp", 1)] {
        let output = folder.replay(&text, modes);
        assert_eq!(output.status.code(), Some(exit), "{modes}: {output:?}");
    }
}

#[test]
fn a_header_that_makes_no_sense_is_one_line_with_file_and_line() {
    let folder = Folder::new("nonsense");
    for (header, told) in [
        ("fuel: much", "header `fuel`: expected a number, not `much`"),
        ("fuel: -1", "header `fuel`: expected a number"),
        ("depth-slots: 5000000000", "header `depth-slots`: expected a number of 32 bits"),
        ("memory-bytes:", "header `memory-bytes`: expected a number"),
        ("hosts: 7", "header `hosts`: expected a seed and a number"),
        ("hosts: 7 1 2 3", "header `hosts`: expected a seed and a number, and perhaps another"),
        ("lanes: interp+none", "header `lanes`: no lane switch"),
        ("lanes: nobody", "header `lanes`: "),
    ] {
        let output = folder.replay(&format!(";; a note\n;;! {header}\n(module)"), MODES);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{header}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{header}: {stderr}");
        let expected = format!("error: case.wast:2:1: {told}");
        assert!(stderr.starts_with(&expected), "{header}: {stderr}");
    }
}
