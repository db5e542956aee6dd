//! What `replay`, `reduce`, `adopt` and `fuzz` say is true: no green without evidence, and commands that repeat.

#![cfg(unix)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_crosscheck");

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("crosscheck-evidence-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path.display().to_string()
    }

    /// A judge that gives wrong answers in modules of some size: small ones, with which it is tried, it gets right.
    fn liar(&self) -> String {
        let script = format!(
            "lie='$!s/0x[0-9a-f]*/0x5eed/'\n[ $(wc -c < \"$2\") -lt 220 ] && lie=''\n\
             '{PROGRAM}' run \"$2\" --invoke \"$1\" | sed \"$lie\"\n"
        );
        format!("liar=sh {} NAME FILE", self.file("liar.sh", script))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn crosscheck(folder: &Folder, args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).current_dir(&folder.0).output().expect("the program starts")
}

/// Runs the program and checks how it ends; gives what it prints.
fn ends(folder: &Folder, args: &[&str], exit: i32) -> String {
    let output = crosscheck(folder, args);
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {printed}");
    printed
}

fn holds(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "`{part}` is not in: {printed}");
    }
}

const ADD: &str = r#"(module (memory 17) (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;

#[test]
fn a_bare_module_gets_the_room_that_programs_are_used_to() {
    let folder = Folder::new("room");
    let file = folder.file("add.wat", ADD);
    // With some of these seeds a campaign would allow the module a single page.
    for seed in 0..8 {
        ends(&folder, &["replay", &file, "--seed", &seed.to_string()], 0);
    }
}

#[test]
fn agreement_on_nothing_is_not_green() {
    let folder = Folder::new("nothing");
    let silent = folder.file("silent.wat", "(module (func))");
    holds(&ends(&folder, &["replay", &silent], 3), &["verdict: agree", "no evidence: nothing was called"]);
    let large = folder.file("large.wat", r#"(module (table 20000000 funcref) (func (export "f")))"#);
    let printed = ends(&folder, &["replay", &large], 3);
    holds(&printed, &["no evidence: the module was not instantiated", "calls were not made"]);
    assert!(!printed.contains("invoke"), "{printed}");
    let endless = folder.file("endless.wat", r#"(module (func (export "f") (loop (br 0))))"#);
    let out_of_fuel = ends(&folder, &["replay", &endless, "--fuel", "100"], 3);
    holds(&out_of_fuel, &["no evidence: every call ran out of fuel"]);
    // A start function is code, too.
    let start = folder.file("start.wat", "(module (func) (start 0))");
    ends(&folder, &["replay", &start], 0);
}

#[test]
fn replay_calls_what_it_is_told_to() {
    let folder = Folder::new("invoke");
    let file = folder.file("add.wat", ADD);
    let printed = ends(&folder, &["replay", &file, "--invoke", "add", "40", "2"], 0);
    holds(&printed, &["invoke \"add\" i32:0x28 i32:0x2", "i32:0x2a"]);
    holds(&ends(&folder, &["replay", &file, "--invoke", "sub"], 2), &["`sub`", "there is add"]);
    holds(
        &ends(&folder, &["replay", &file, "--invoke", "add", "1"], 2),
        &["takes 2 arguments (i32 i32), 1 given"],
    );
    let lane = "fast-interp+moving-memory";
    holds(&ends(&folder, &["run", &file, "--mode", lane, "--invoke", "add", "1", "2"], 0), &["i32:0x3"]);
}

#[test]
#[allow(clippy::print_stdout, reason = "what was not tested is said")]
fn replay_offers_the_named_hosts_of_run_to_every_subject() {
    let folder = Folder::new("hosts");
    let text = r#"(module
      (import "crosscheck" "sum" (func $sum (param i32 i32) (result i32)))
      (import "crosscheck" "fill" (func $fill (param i32 i32 i32)))
      (import "crosscheck" "again" (func $again (param i32) (result i32)))
      (import "crosscheck" "print_i32" (func $print (param i32)))
      (memory (export "memory") 1)
      (func (export "f") (param i32) (result i32)
        (call $fill (i32.const 8) (i32.const 4) (i32.const 5))
        (call $print (i32.const 7))
        (i32.add (call $sum (i32.const 8) (i32.const 4)) (call $again (local.get 0))))
      (func (export "again") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 100)))
      (func (export "beyond") (result i32) (call $sum (i32.const 65535) (i32.const 2))))"#;
    let file = folder.file("hosts.wat", text);
    let hosts = ["--host", "crosscheck"];
    let printed = ends(&folder, &[&["run", &file][..], &hosts, &["--invoke", "f", "2"]].concat(), 0);
    holds(&printed, &["i32:0x7\n", "i32:0xdc (220)"]);
    let printed = ends(&folder, &[&["replay", &file][..], &hosts, &["--invoke", "f", "2"]].concat(), 0);
    holds(&printed, &["i32:0xdc (220)", "host: crosscheck.print_i32(i32:0x7)", "verdict: agree"]);
    for command in ["run", "replay"] {
        let exit = i32::from(command == "run");
        let printed = ends(&folder, &[&[command, &file][..], &hosts, &["--invoke", "beyond"]].concat(), exit);
        holds(&printed, &["trap: out of bounds memory access"]);
    }
    holds(&ends(&folder, &["replay", &file, "--host", "nowhere"], 2), &["nowhere", "crosscheck, seed-cases"]);
    if Command::new("node").arg("--version").output().is_ok() {
        let judged = [&["replay", &file][..], &hosts, &["--invoke", "f", "2", "--with", "v8"]].concat();
        holds(&ends(&folder, &judged, 0), &["verdict: agree"]);
    } else {
        println!("NOT TESTED beside V8: there is no node");
    }
}

#[test]
fn the_worst_file_decides_in_any_order_and_no_file_stops_the_others() {
    let folder = Folder::new("order");
    let good = folder.file("good.wat", ADD);
    let silent = folder.file("silent.wat", "(module)");
    let bad = folder.file("bad.wasm", b"\0asm");
    for (files, exit) in
        [([&good, &silent], 3), ([&silent, &good], 3), ([&bad, &good], 2), ([&good, &bad], 2)]
    {
        let printed = ends(&folder, &["replay", files[0], files[1]], exit);
        if exit == 2 {
            holds(&printed, &["error: ", "bad.wasm", "verdict: agree"]);
        }
    }
    holds(&ends(&folder, &["replay", &good, &silent, "--json", "x.json"], 2), &["--json", "one file"]);
}

#[test]
fn a_large_request_is_no_hang() {
    let folder = Folder::new("large");
    // A module with a custom section of 48 MiB.
    let size: u32 = 48 << 20;
    let mut wasm = b"\0asm\x01\0\0\0\0".to_vec();
    let mut length = size + 2;
    while length > 0x7f {
        wasm.push(length as u8 | 0x80);
        length >>= 7;
    }
    wasm.push(length as u8);
    wasm.extend_from_slice(b"\x01x");
    wasm.resize(wasm.len() + size as usize, 0x55);
    // A function that is called when it is instantiated.
    wasm.extend_from_slice(b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x08\x01\0\x0a\x04\x01\x02\0\x0b");
    let file = folder.file("large.wasm", wasm);
    let printed = ends(&folder, &["replay", &file, "--timeout", "100ms", "--modes", "interp,fast-interp"], 0);
    holds(&printed, &["verdict: agree"]);
}

/// The command that a finding ends with.
fn command_of(printed: &str) -> String {
    let lines = printed.lines().map(str::trim);
    let told = lines.skip_while(|line| !line.starts_with("finding: ")).nth(1);
    told.unwrap_or_else(|| panic!("no finding in: {printed}")).to_string()
}

#[test]
fn the_command_that_repeats_a_finding_is_whole() {
    let folder = Folder::new("repeats");
    let liar = folder.liar();
    let options =
        ["--seed", "3", "--cases", "64", "--modes", "interp", "--reduce-time", "0s", "--timeout", "5s"];
    let args: Vec<&str> = ["fuzz", "--with", &liar].into_iter().chain(options).collect();
    let printed = ends(&folder, &args, 1);
    let command = command_of(&printed);
    holds(&command, &["replay", "--with", "liar=sh", "--timeout 5000ms"]);
    assert!(!command.contains("cargo"), "{command}");
    let again = Command::new("sh").args(["-c", &command]).current_dir(&folder.0).output().expect("a shell");
    let told = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(again.status.code(), Some(1), "{command}: {told}{}", String::from_utf8_lossy(&again.stderr));
    holds(&told, &["verdict: diverge", "≠ liar"]);
    // Without the judge that lied, the finding does not show, and that is told.
    let finding = finding_in(&folder.0.join("reports/latest/findings"));
    let fine = ends(&folder, &["replay", &finding, "--modes", "interp,fast-interp"], 3);
    holds(&fine, &["recorded: diverge", "now: agree"]);
    holds(&ends(&folder, &["reduce", &finding, "--modes", "interp,fast-interp"], 3), &["recorded: diverge"]);
    assert!(Path::new(&finding).join("observations.json").exists());
}

fn finding_in(findings: &Path) -> String {
    let mut entries = std::fs::read_dir(findings).expect("a folder of findings");
    entries.next().expect("a finding").expect("an entry").path().display().to_string()
}

#[test]
fn findings_of_an_earlier_campaign_are_put_aside() {
    let folder = Folder::new("aside");
    let liar = folder.liar();
    let first = ["fuzz", "--with", &liar, "--seed", "3", "--cases", "64", "--modes", "interp"];
    ends(&folder, &[&first[..], &["--reduce-time", "0s"]].concat(), 1);
    let printed = ends(&folder, &["fuzz", "--cases", "20"], 0);
    holds(&printed, &["findings of an earlier campaign are now in", "findings-1"]);
    assert!(!folder.0.join("reports/latest/findings").exists());
    finding_in(&folder.0.join("reports/latest/findings-1"));
    // Each campaign without a seed draws its own, and says which.
    let seed = |printed: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix("seed ")?.parse::<u64>().ok());
        line.unwrap_or_else(|| panic!("no seed in: {printed}"))
    };
    assert_ne!(seed(&printed), seed(&ends(&folder, &["fuzz", "--cases", "20"], 0)));
}

#[test]
fn reduce_needs_a_difference_and_two_subjects() {
    let folder = Folder::new("reduce");
    let add = folder.file("add.wat", ADD);
    holds(&ends(&folder, &["reduce", &add, "--modes", "interp"], 2), &["at least two subjects"]);
    holds(&ends(&folder, &["reduce", &add], 0), &["all agree"]);
    let vectors = r#"(module (func (export "f") (drop (v128.const i32x4 0 0 0 0))))"#;
    let unsupported = folder.file("vectors.wat", vectors);
    holds(&ends(&folder, &["reduce", &unsupported], 3), &["nothing can be said"]);
    let silent = folder.file("silent.wat", "(module)");
    holds(&ends(&folder, &["reduce", &silent], 3), &["nothing was compared"]);
}

#[test]
fn adopt_takes_only_what_shows_a_bug_and_only_in_a_checkout() {
    let folder = Folder::new("adopt");
    let good = folder.file("good.wast", "(module (func (export \"f\")))\n(assert_return (invoke \"f\"))\n");
    let bad = folder
        .file("bad.wast", "(module (func (export \"f\")))\n(assert_trap (invoke \"f\") \"unreachable\")\n");
    holds(&ends(&folder, &["adopt", &bad, "calls/a"], 2), &["corpus/regressions", "--corpus"]);
    std::fs::create_dir_all(folder.0.join("corpus/regressions")).expect("a folder");
    holds(&ends(&folder, &["adopt", &good, "calls/a"], 2), &["every mode passes", "--fixed"]);
    ends(&folder, &["adopt", &good, "calls/a", "--fixed"], 0);
    ends(&folder, &["adopt", &bad, "calls/b"], 0);
    let empty = folder.file("empty.wast", "(module)");
    holds(&ends(&folder, &["adopt", &empty, "calls/c", "--fixed"], 0), &["calls/c.wast"]);
    holds(&ends(&folder, &["adopt", &empty, "calls/d"], 2), &["asserts nothing"]);
}

/// Waits until the child has printed that on stdout; gives all that it printed until then.
fn until_printed(child: &mut Child, wanted: &str) -> String {
    let mut printed = Vec::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    let mut byte = [0];
    while !String::from_utf8_lossy(&printed).contains(wanted) {
        assert_eq!(stdout.read(&mut byte).expect("a pipe"), 1, "{}", String::from_utf8_lossy(&printed));
        printed.push(byte[0]);
    }
    String::from_utf8_lossy(&printed).into_owned()
}

fn interrupt(child: &Child) {
    // SAFETY: the process is a child of this one that was not waited for.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
}

#[test]
fn an_interrupted_reduction_keeps_the_best_so_far() {
    let folder = Folder::new("interrupted");
    let liar = folder.liar();
    let cases = ["fuzz", "--with", &liar, "--seed", "3", "--cases", "64", "--modes", "interp"];
    ends(&folder, &[&cases[..], &["--reduce-time", "0s"]].concat(), 1);
    let finding = finding_in(&folder.0.join("reports/latest/findings"));
    let mut command = Command::new(PROGRAM);
    command.args(["reduce", &finding, "-v", "--output", "best.wast"]).current_dir(&folder.0);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    until_printed(&mut child, " bytes, ");
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.0.join("best.wast").exists() || folder.0.join("best.xchk").exists(), "{stdout}");
}
