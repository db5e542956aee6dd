//! A compiler that panics is a finding like any other: it ends no campaign and no reduction, and its message is kept.

#![cfg(all(feature = "planted-faults", unix, target_arch = "x86_64"))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_crosscheck");
const FAULT: &str = "baseline-compiler-panics-at-rotation";
const MESSAGE: &str = "the compiler has no code for a rotation";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("crosscheck-panics-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program with the fault, in all of its processes.
fn faulty(folder: &Folder, args: &[&str]) -> (Output, String) {
    let worker = format!("{PROGRAM} {} {FAULT}", crosscheck::worker::PLANTED);
    let mut command = Command::new(PROGRAM);
    command.args([crosscheck::worker::PLANTED, FAULT]).args(args).args(["--worker", &worker]);
    let output = command.current_dir(&folder.0).output().expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = printed + &String::from_utf8_lossy(&output.stderr);
    (output, printed)
}

fn only_entry(folder: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(folder).expect("a folder of findings");
    entries.next().expect("a finding").expect("an entry").path()
}

#[test]
fn a_compiler_that_panics_ends_no_campaign_and_no_reduction() {
    let folder = Folder::new("campaign");
    let (output, printed) =
        faulty(&folder, &["fuzz", "--seed", "1", "--cases", "1500", "--modes", "interp,baseline"]);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("reduced to"), "{printed}");
    let finding = only_entry(&folder.0.join("reports/latest/findings"));
    let page = std::fs::read_to_string(finding.join("finding.md")).expect("a page");
    assert!(page.contains(MESSAGE), "{page}");
    let (output, printed) = faulty(&folder, &["reduce", &finding.display().to_string()]);
    assert_eq!(output.status.code(), Some(1), "{printed}");
}

#[test]
fn a_function_that_is_compiled_late_keeps_the_message_too() {
    let folder = Folder::new("lazy");
    let file = folder.0.join("rotation.wat");
    let text =
        r#"(module (func (export "f") (param i64) (result i64) (i64.rotl (local.get 0) (i64.const 3))))"#;
    std::fs::write(&file, text).expect("a temporary file");
    let file = file.display().to_string();
    for lane in ["baseline", "baseline+lazy"] {
        let (output, printed) = faulty(&folder, &["replay", &file, "--modes", &format!("interp,{lane}")]);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(printed.contains(&format!("crash: panic: {MESSAGE}")), "{lane}: {printed}");
        assert!(!printed.contains("SIGABRT"), "{lane}: {printed}");
    }
}
