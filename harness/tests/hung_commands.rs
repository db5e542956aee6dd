//! Commands that hang leave no process and no file, however the run ends.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Modules that the wrapper hangs at, at least: those of more bytes. What asks whether an engine works is smaller.
const HANGS_FROM_BYTES: usize = 700;

/// A folder of a test's own, with a wrapper script in it.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("crosscheck-hung-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("temporary")).expect("there is room");
        let pipe = folder.join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("it can be started").success());
        // The shell in between is what a killed worker used to leave. All of them hold the pipe open.
        let script = format!(
            "#!/bin/sh
if [ $(wc -c < \"$1\") -gt {HANGS_FROM_BYTES} ]; then
    exec 9> '{pipe}'
    echo hangs >&9
    sh -c 'while :; do :; done'
    exit
fi
'{program}' run \"$1\" --invoke \"$2\"
",
            pipe = pipe.display(),
            program = env!("CARGO_BIN_EXE_crosscheck"),
        );
        let wrapper = folder.join("wrapper");
        fs::write(&wrapper, script).expect("there is room");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o700)).expect("it is ours");
        Place { folder }
    }

    /// A campaign beside the wrapper.
    fn campaign(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        command.env("TMPDIR", self.temporary()).args(["fuzz", "--seed=5", "--reduce-time=0s"]);
        command.arg("--modes=interp").arg(format!("--report={}", self.folder.join("report").display()));
        let wrapper = self.folder.join("wrapper");
        command.arg(format!("--with=wrapped='{}' FILE NAME", wrapper.display())).args(options);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The pipe that hung processes hold open. Opening it to read waits for the first of them.
    fn pipe(&self) -> BufReader<File> {
        BufReader::new(File::open(self.folder.join("pipe")).expect("it is there"))
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join("temporary")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be read").path()).collect()
}

/// The hangs that were told of before the last process that could tell of one had ended.
fn read_to_the_end(pipe: BufReader<File>) -> usize {
    pipe.lines().map(|line| assert_eq!(line.expect("it can be read"), "hangs")).count()
}

#[test]
fn hung_commands_behind_a_shell_leave_nothing_at_the_end_of_a_run() {
    let place = Place::new("end");
    let campaign =
        place.campaign(&["--cases=70", "--timeout=800ms", "--jobs=2"]).spawn().expect("it can be started");
    // A thread reads while the run goes on, so that no writer waits; after it, none may be left that writes.
    let reader = std::thread::spawn({
        let pipe = place.pipe();
        move || read_to_the_end_of_all(pipe)
    });
    let Output { status, stdout, stderr } = campaign.wait_with_output().expect("it ends");
    let printed = String::from_utf8_lossy(&stdout);
    assert_eq!(status.code(), Some(1), "{printed}{}", String::from_utf8_lossy(&stderr));
    assert_eq!(files(&place.temporary()), Vec::<PathBuf>::new());
    // One last writer, after whom the pipe has ended if no other holds it open.
    fs::write(place.folder.join("pipe"), "over\n").expect("the thread reads");
    let hangs = reader.join().expect("only these words are written");
    assert!(hangs >= 42, "{hangs} hangs; {printed}");
    assert!(printed.contains(" hangs"), "{printed}");
}

/// Counts hangs until the word that the run is over, and then waits for the end of the pipe.
fn read_to_the_end_of_all(mut pipe: BufReader<File>) -> usize {
    let mut hangs = 0;
    let mut is_over = false;
    while !is_over {
        let mut line = String::new();
        pipe.read_line(&mut line).expect("it can be read");
        match line.as_str() {
            "hangs\n" => hangs += 1,
            "over\n" => is_over = true,
            // Between two writers there is none.
            "" => std::thread::yield_now(),
            other => panic!("{other}"),
        }
    }
    let mut rest = String::new();
    pipe.read_to_string(&mut rest).expect("it can be read");
    assert_eq!(rest, "");
    hangs
}

/// Kills a process when it is no longer needed, should the test fail before.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn hung_commands_behind_a_shell_leave_nothing_when_the_run_is_killed() {
    let place = Place::new("killed");
    // One worker, and so one watchdog after whom nothing is to be left: the one that ends the hung command.
    let mut campaign = place.campaign(&["--timeout=1h", "--jobs=1"]);
    let mut campaign =
        Killed(campaign.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started"));
    let mut pipe = place.pipe();
    let mut line = String::new();
    pipe.read_line(&mut line).expect("a command hangs");
    assert_eq!(line, "hangs\n");
    campaign.0.kill().expect("it is ours");
    campaign.0.wait().expect("it was killed");
    // This ends only when no hung process is left. The watchdog that ended them then removes the files.
    read_to_the_end(pipe);
    for _ in 0..300 {
        if files(&place.temporary()).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("left: {:?}", files(&place.temporary()));
}
