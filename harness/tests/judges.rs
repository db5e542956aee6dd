//! Judges that do not work are told of, and nothing is green beside them.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of a test's own.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("crosscheck-judges-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room");
        Place(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the program ended, and what it printed on both streams.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn crosscheck(arguments: &[&str]) -> Ran {
    let output =
        Command::new(env!("CARGO_BIN_EXE_crosscheck")).args(arguments).output().expect("it can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the test's paths are text")
}

/// Our own program as an outside engine, with something before and after it in a shell.
fn ours(before: &str, after: &str) -> String {
    let program = env!("CARGO_BIN_EXE_crosscheck");
    format!(
        r#"ours=sh -c '{before} "{program}" run "$0" --mode fast-interp --invoke "$1" {after}' FILE NAME"#
    )
}

/// A campaign beside a judge that does not work ends at once, with a sentence, and no report of it is green.
#[track_caller]
fn is_not_green(name: &str, judge: &str, expected: &str) {
    let place = Place::new(name);
    let (report, junit) = (place.file("report"), place.file("junit.xml"));
    let (report_path, junit_path) = (path(&report), path(&junit));
    let options = [
        "fuzz",
        "--cases",
        "512",
        "--with",
        judge,
        "--report",
        report_path,
        "--junit",
        junit_path,
        "--timeout",
        "4s",
    ];
    let Ran { code, stdout, stderr } = crosscheck(&options);
    assert_eq!(code, Some(3), "{stdout}{stderr}");
    assert!(stdout.contains(expected), "expected `{expected}` in:\n{stdout}{stderr}");
    assert!(stdout.contains("NOT GREEN"), "{stdout}");
    let page = fs::read_to_string(report.join("report.html")).expect("the page was written");
    assert!(page.contains("Not green"), "the page is green");
    let junit = fs::read_to_string(junit).expect("the results were written");
    assert!(junit.contains("<failure"), "{junit}");
    let Ran { code, stdout, .. } = crosscheck(&["report", report_path]);
    assert_ne!(code, Some(0), "{stdout}");
}

#[test]
fn one_that_always_panics() {
    let judge = r#"bad=sh -c 'echo "thread main panicked at src/a.rs:3:1:" >&2; echo "no slot" >&2; exit 101' FILE NAME"#;
    let expected = r#"asked for a function that gives 42 it shows "crash: panic: no slot at src/a.rs:3:1""#;
    is_not_green("panics", judge, expected);
}

#[test]
fn one_that_refuses_everything() {
    let judge = "bad=sh -c 'echo cannot load module >&2; exit 1' FILE NAME";
    is_not_green("refuses", judge, "the command refuses a valid module: cannot load module");
}

#[test]
fn one_that_prints_garbage() {
    is_not_green(
        "garbage",
        "bad=echo 7 FILE NAME",
        "the engine `bad` does not work: asked for a function that gives 42",
    );
    is_not_green("numbers", "bad=echo 1 2 FILE NAME", "the engine `bad` does not work");
}

#[test]
fn one_that_prints_nothing() {
    is_not_green("nothing", "bad=true FILE NAME", "nothing, and ends with code 0");
}

#[test]
fn one_that_never_ends() {
    is_not_green("hangs", "bad=sh -c 'while :; do :; done' FILE NAME", "hang: not done in 0.5 s");
}

#[test]
fn one_that_is_a_sanitizers_build_with_a_report() {
    let judge = ours("echo \"==1==ERROR: AddressSanitizer: SEGV on unknown address 0x0\" >&2;", "");
    is_not_green("sanitizer", &judge, "crash: AddressSanitizer: SEGV");
}

#[test]
fn one_that_is_compared_on_too_little() {
    // It refuses what is larger than the modules that it is asked at first, in words that say that it may.
    let judge = ours(r#"if [ $(wc -c < "$0") -gt 400 ]; then echo "limit exceeded" >&2; exit 1; fi;"#, "");
    is_not_green("little", &judge, "the engine `ours` was compared on ");
}

#[test]
fn the_share_that_is_asked_for_is_the_users() {
    let place = Place::new("share");
    let report = place.file("report");
    let judge = ours(r#"if [ $(wc -c < "$0") -gt 1200 ]; then echo "limit exceeded" >&2; exit 1; fi;"#, "");
    let fuzz = |share: &str| {
        let options =
            ["fuzz", "--cases", "100", "--with", &judge, "--min-judged", share, "--report", path(&report)];
        let Ran { code, stdout, stderr } = crosscheck(&options);
        (code, format!("{stdout}{stderr}"))
    };
    let (code, printed) = fuzz("1");
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = fuzz("99");
    assert_eq!(code, Some(3), "{printed}");
    let (code, printed) = fuzz("101");
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("expected a share from 0 to 100"), "{printed}");
}

#[test]
fn other_commands_ask_first_too() {
    let place = Place::new("others");
    let file = place.file("m.wat");
    fs::write(&file, r#"(module (func (export "f") (result i32) (i32.const 1)))"#).expect("there is room");
    let report = place.file("report");
    let judge = "bad=true FILE NAME";
    let Ran { code, stdout, stderr } = crosscheck(&["check", "--report", path(&report), "--with", judge]);
    assert_eq!(code, Some(3), "{stdout}{stderr}");
    assert!(stdout.contains("the engine `bad` does not work") && !stdout.contains("passed"), "{stdout}");
    for command in ["replay", "reduce"] {
        let Ran { code, stdout, stderr } =
            crosscheck(&[command, path(&file), "--with", "bad=true FILE NAME"]);
        assert_eq!(code, Some(3), "{command}: {stdout}{stderr}");
        assert!(stderr.starts_with("error: the engine `bad` does not work: "), "{command}: {stderr}");
    }
}

/// Usage that is wrong ends with 2 and one line.
#[track_caller]
fn is_refused(options: &[&str], expected: &str) {
    let Ran { code, stdout, stderr } = crosscheck(&[&["fuzz", "--cases", "1"], options].concat());
    assert_eq!(code, Some(2), "{stdout}{stderr}");
    assert!(stderr.contains(expected) && stderr.lines().count() == 1, "expected `{expected}` in: {stderr}");
}

#[test]
fn what_cannot_be_had_is_refused_before_anything_runs() {
    is_refused(&["--with", "bad=no-such-program FILE"], "there is no program `no-such-program`");
    is_refused(&["--with", "bad=/ FILE"], "`/` is a folder, not a program");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    is_refused(&["--with", &format!("bad='{file}' FILE")], "is not executable");
    is_refused(&["--with", "nobody"], "no outside engine is called `nobody`; there is model, wasmi, ");
    is_refused(&["--with", "a=true FILE", "--with", "a=echo FILE"], "a is named twice");
    is_refused(&["--with", "interp=true FILE"], "`interp` is a mode of this program");
    is_refused(&["--engines", "no-such-file"], "no-such-file");
}

#[test]
fn engines_of_a_file_run_by_their_names() {
    let place = Place::new("file");
    let engines = place.file("engines.toml");
    let program = env!("CARGO_BIN_EXE_crosscheck");
    let text = format!(
        "[engine.ours]\ncommand = '\"{program}\" run FILE --invoke=NAME'\nmin_judged = 1\n\
         [engine.bad]\ncommand = \"true FILE\"\n"
    );
    fs::write(&engines, text).expect("there is room");
    let report = place.file("report");
    let options = ["fuzz", "--cases", "20", "--engines", path(&engines), "--report", path(&report)];
    let Ran { code, stdout, stderr } = crosscheck(&[&options[..], &["--with", "ours"]].concat());
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("judge         ours: compared on "), "{stdout}");
    let Ran { code, stdout, stderr } = crosscheck(&options);
    assert_eq!(code, Some(3), "{stdout}{stderr}");
    assert!(stdout.contains("the engine `bad` does not work"), "{stdout}");
    is_refused(&["--engines", path(&engines), "--with", "theirs"], "there is bad, ours, model, wasmi, ");
    fs::write(&engines, "[engine.ours]\nspeed = 3\n").expect("there is room");
    is_refused(&["--engines", path(&engines)], "engines.toml:2: unknown field `speed`");
}
