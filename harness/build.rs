//! Notes which commit and compiler a build is, for reports.

use std::process::Command;

fn first_line(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_string()
}

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    println!("cargo::rustc-env=CROSSCHECK_RUSTC={}", first_line(&rustc, &["--version"]));
    println!(
        "cargo::rustc-env=CROSSCHECK_COMMIT={}",
        first_line("git", &["rev-parse", "--short=12", "HEAD"])
    );
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
}
