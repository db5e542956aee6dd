//! Notes which commit and compiler a build is, for reports, and lists the scripts of the corpus, for generators.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn first_line(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_string()
}

/// The scripts below a folder, sorted.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(scripts(&path));
        } else if path.extension().is_some_and(|ending| ending == "wast") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Writes the names and texts of the scripts of the corpus as a list that the crate includes.
fn list_corpus() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"));
    let corpus = root.join("../corpus");
    let mut list = String::from("&[\n");
    for folder in ["outside", "regressions"] {
        println!("cargo::rerun-if-changed=../corpus/{folder}");
        for path in scripts(&corpus.join(folder)) {
            let name = path.strip_prefix(&corpus).expect("it was listed below the corpus");
            let name = name.to_string_lossy().replace('\\', "/");
            writeln!(list, "    ({name:?}, include_str!({:?})),", path.to_string_lossy())
                .expect("a text takes what is written");
        }
    }
    list.push_str("]\n");
    let output = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    std::fs::write(output.join("corpus.rs"), list).expect("cargo's folder takes a file");
}

fn main() {
    list_corpus();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    println!("cargo::rustc-env=CROSSCHECK_RUSTC={}", first_line(&rustc, &["--version"]));
    println!(
        "cargo::rustc-env=CROSSCHECK_COMMIT={}",
        first_line("git", &["rev-parse", "--short=12", "HEAD"])
    );
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
}
