//! What the program says is fit for a terminal, and says what a person needs to go on.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("crosscheck-words-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a temporary file");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn crosscheck(folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
    command.args(args).current_dir(&folder.0).output().expect("the program starts")
}

/// What the program prints, and how it ends.
fn printed(folder: &Folder, args: &[&str]) -> (String, Option<i32>) {
    let output = crosscheck(folder, args);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    (stdout + &String::from_utf8_lossy(&output.stderr), output.status.code())
}

#[track_caller]
fn says(folder: &Folder, args: &[&str], exit: i32, parts: &[&str]) -> String {
    let (printed, code) = printed(folder, args);
    assert_eq!(code, Some(exit), "{args:?}: {printed}");
    for part in parts {
        assert!(printed.contains(part), "{args:?}: `{part}` is not in: {printed}");
    }
    printed
}

/// A module whose exported function of that name is called, and traps.
fn hostile(name: &str) -> String {
    format!(
        r#"(module (func (export "{name}") (unreachable)) (func (export "g") (result i32) (call 0) (i32.const 1)))"#
    )
}

#[test]
fn names_of_modules_do_nothing_to_a_terminal() {
    let folder = Folder::new("names");
    let long = "x".repeat(100_000);
    for (name, shown) in [
        (r"\1b[2Jgone", r"\u{1b}[2Jgone"),
        (r"a\0a#01: 0x0000 - forged", r"a\u{a}#01: 0x0000 - forged"),
        ("left\u{202e}right", r"left\u{202e}right"),
        (long.as_str(), "... (99900 more bytes)"),
    ] {
        let file = folder.file("hostile.wat", &hostile(name));
        for args in [
            &["run", &file, "--invoke", "g"][..],
            &["replay", &file],
            &["run", &file, "--invoke", "none-such"],
        ] {
            let (printed, _) = printed(&folder, args);
            assert!(printed.contains(shown), "{args:?}: {printed}");
            let plain = printed.chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}'));
            assert!(plain && printed.len() < 20_000, "{args:?}: {printed:?}");
        }
        let import = folder.file("import.wat", &format!("(module (import \"env\" \"{name}\" (func)))"));
        says(&folder, &["run", &import], 2, &["unknown import env.", shown]);
    }
}

#[test]
fn arguments_are_numbers_as_the_text_format_has_them_and_results_are_decimal_too() {
    let folder = Folder::new("numbers");
    let file = folder.file(
        "numbers.wat",
        r#"(module (func (export "f") (param f32) (result f32) (local.get 0)) (func (export "i") (param i32) (result i32) (local.get 0)))"#,
    );
    for (argument, shown) in [
        ("-inf", "f32:0xff800000 (-inf)"),
        ("-nan", "f32:0xffc00000 (-nan)"),
        ("-.5", "f32:0xbf000000 (-0.5)"),
        ("1.5", "f32:0x3fc00000 (1.5)"),
    ] {
        says(&folder, &["run", &file, "--invoke", "f", argument], 0, &[shown]);
    }
    says(&folder, &["run", &file, "--invoke", "i", "-0x1"], 0, &["i32:0xffffffff (-1)"]);
    says(&folder, &["replay", &file, "--invoke", "f", "-inf"], 0, &["f32:0xff800000 (-inf)"]);
}

#[test]
fn a_trap_names_functions_as_their_authors_do_and_says_what_was_accessed() {
    let folder = Folder::new("traps");
    let file = folder.file(
        "mangled.wat",
        r#"(module (memory 1) (func $_ZN4core3fmt9Formatter3pad17h1b2c3d4e5f60718aE (export "f") (result i32)
             (i32.load offset=16 (i32.const 0xfffff))))"#,
    );
    let told = [
        "core::fmt::Formatter::pad",
        "i32.load at 0x10000f (0xfffff + offset 0x10)",
        "memory 0 has 0x10000 bytes",
    ];
    for mode in ["interp", "fast-interp"] {
        says(&folder, &["run", &file, "--mode", mode, "--invoke", "f"], 1, &told);
    }
    says(&folder, &["replay", &file, "--invoke", "f"], 0, &told);
}

#[test]
fn errors_say_what_there_is_and_what_is_missing() {
    let folder = Folder::new("errors");
    let file = folder.file(
        "imports.wat",
        r#"(module (import "env" "a" (func (param i32))) (import "env" "b" (global (mut i64))) (import "env" "c" (memory 1 2)))"#,
    );
    let missing = ["env.a (func [i32] -> [])", "env.b (global mut i64)", "env.c (memory 1..2)"];
    says(&folder, &["run", &file], 2, &missing);
    let unfit = folder.file("unfit.wat", r#"(module (import "env" "sum" (func (param f32))))"#);
    let both =
        ["incompatible import type for env.sum (func [f32] -> [])", "given is func [i32 i32] -> [i32]"];
    says(&folder, &["run", &unfit, "--host", "seed-cases"], 2, &both);
    let exports =
        folder.file("exports.wat", r#"(module (func (export "calculate")) (func (export "other")))"#);
    says(&folder, &["run", &exports, "--invoke", "calculat"], 2, &["did you mean `calculate`?"]);
    says(&folder, &["run", &exports, "--invoke", "x"], 2, &["there is calculate, other"]);
    says(&folder, &["fuzz", "--sed", "1"], 2, &["--seed"]);
    let vectors = folder.file("vectors.wat", "(module (func) (func (param v128)))");
    says(&folder, &["run", &vectors], 2, &["vector values, as in type 1"]);
    let vector = folder.file("vector.wat", "(module (func) (func $sum (drop (v128.const i32x4 0 0 0 0))))");
    says(&folder, &["run", &vector], 2, &["in function 1 `sum` at offset 0x", "v128.const"]);
}

#[test]
fn an_invalid_text_is_told_with_the_line_and_the_function() {
    let folder = Folder::new("invalid");
    let file = folder.file(
        "invalid.wat",
        "(module\n  (func (export \"fine\"))\n  (func $bad (result i32)\n    i32.const 1\n    i64.const 2\n    i32.add))\n",
    );
    for command in ["run", "replay"] {
        says(
            &folder,
            &[command, &file],
            2,
            &["invalid.wat:6:5: at offset 0x", "in function 1 `bad`: type mismatch"],
        );
    }
}

#[test]
fn times_have_parts_and_colour_is_asked_for() {
    let folder = Folder::new("options");
    says(
        &folder,
        &["fuzz", "--cases", "10", "--time", "1h30m", "--seed", "1"],
        0,
        &["report: reports/latest/report.html"],
    );
    for wrong in ["30m1h", "5x", "h", ""] {
        says(&folder, &["fuzz", "--time", wrong], 2, &["1h30m"]);
    }
    let file = folder.file("add.wat", r#"(module (func (export "f") (result i32) (i32.const 1)))"#);
    let agree = |color: &str| says(&folder, &["replay", &file, "--color", color], 0, &["verdict: agree"]);
    assert!(agree("always").contains("\x1b[32mverdict: agree"));
    assert!(!agree("never").contains('\x1b'));
    assert!(!agree("auto").contains('\x1b'), "a pipe is no terminal");
}
