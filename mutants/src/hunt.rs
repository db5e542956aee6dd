//! Runs the bench with one mutant switched on, and sees whether it says so.

use crate::tree::{CHOSEN, REACHED};
use serde::Serialize;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What runs the check of the harness by itself, and then the suite.
const CHECK: &str = "check --cases 100";

/// How the mutants are looked for.
pub struct Hunt {
    /// The program with all mutants in it.
    pub program: PathBuf,
    /// Where reports and notes go, a folder a mutant.
    pub folder: PathBuf,
    /// What the cases of campaigns derive from.
    pub seed: u64,
    /// Cases of the short campaign.
    pub cases: u64,
    /// Cases of the long one, which is for what neither the short one nor the suite finds.
    pub more: u64,
    /// What a part of the search may take, in CPU seconds and twice that by the clock.
    pub budget: Duration,
    /// Whether the suite runs for what the campaign has found, too.
    pub both: bool,
}

/// What became of the search for one mutant.
#[derive(Clone, Debug, Serialize)]
pub struct Hunted {
    /// What the short campaign said, and what that took.
    pub campaign: Said,
    /// What the check of the harness by itself and then the suite said; `None` if they were not asked.
    pub check: Option<Said>,
    /// What the rest of the long campaign said; `None` if it was not asked.
    pub more: Option<Said>,
    /// Whether the mutant was executed at all.
    pub reached: bool,
}

/// What a run of the bench said.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Said {
    /// How it ended.
    pub how: How,
    /// CPU seconds until then, those of workers included.
    pub cpu_s: f64,
}

/// How a run of the bench ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// All is well: the mutant was not noticed.
    Green,
    /// There is a finding or a failure.
    Found,
    /// The bench said that something is wrong with it, or nothing ran.
    Fault,
    /// The bench panicked or died of a signal.
    Died,
    /// It did not end in time.
    Endless,
}

impl How {
    /// Whether it was noticed.
    pub fn is_noticed(self) -> bool {
        self != How::Green
    }
}

impl Hunted {
    /// Whether the short campaign noticed.
    pub fn by_campaign(&self) -> bool {
        self.campaign.how.is_noticed()
    }

    /// Whether the suite noticed.
    pub fn by_suite(&self) -> bool {
        self.check.as_ref().is_some_and(|said| said.how.is_noticed() && said.how != How::Fault)
    }

    /// Whether the check of the harness by itself noticed, after which no suite runs.
    pub fn by_own_check(&self) -> bool {
        self.check.as_ref().is_some_and(|said| said.how == How::Fault)
    }

    /// Whether anything noticed.
    pub fn is_found(&self) -> bool {
        let by_more = self.more.as_ref().is_some_and(|said| said.how.is_noticed());
        self.by_campaign() || self.by_suite() || self.by_own_check() || by_more
    }

    /// CPU seconds until it was first noticed, the parts of the search in their order.
    pub fn cpu_to_find(&self) -> f64 {
        let parts = [Some(&self.campaign), self.check.as_ref(), self.more.as_ref()];
        let mut cpu_s = 0.0;
        for said in parts.into_iter().flatten() {
            cpu_s += said.cpu_s;
            if said.how.is_noticed() {
                break;
            }
        }
        cpu_s
    }
}

impl Hunt {
    /// Sees whether the bench is green while no mutant is switched on: else nothing that it says is about a mutant. Fails
    /// if it is not, or cannot be started.
    pub fn expect_green(&self) -> Result<(), String> {
        let (folder, none) = (self.folder.join("none"), "none");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for arguments in [self.campaign(0, self.cases), words(CHECK)] {
            let said = self.run(none, &folder, &folder.join("reached"), &arguments)?;
            if said.how.is_noticed() {
                let command = arguments.join(" ");
                return Err(format!(
                    "without any mutant `crosscheck {command}` ends as {:?}: see {}",
                    said.how,
                    folder.display()
                ));
            }
        }
        Ok(())
    }

    /// Looks for the mutant of that number. Fails if the program cannot be started.
    pub fn hunt(&self, number: usize) -> Result<Hunted, String> {
        let folder = self.folder.join(number.to_string());
        // What an earlier search left is not this one's.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let note = folder.join("reached");
        let name = number.to_string();
        let run = |arguments: &[String]| self.run(&name, &folder, &note, arguments);
        let campaign = run(&self.campaign(0, self.cases))?;
        let is_found = campaign.how.is_noticed();
        let check = (self.both || !is_found).then(|| run(&words(CHECK))).transpose()?;
        let is_found = is_found || check.as_ref().is_some_and(|said| said.how.is_noticed());
        let is_longer = !is_found && self.more > self.cases;
        let more = is_longer.then(|| run(&self.campaign(self.cases, self.more - self.cases))).transpose()?;
        Ok(Hunted { campaign, check, more, reached: note.exists() })
    }

    fn campaign(&self, start: u64, cases: u64) -> Vec<String> {
        words(&format!(
            "fuzz --seed {} --start {start} --cases {cases} --fail-fast --reduce-time 0s --timeout 2s",
            self.seed
        ))
    }

    fn run(&self, mutant: &str, folder: &Path, note: &Path, arguments: &[String]) -> Result<Said, String> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .args(["--jobs", "1", "--report"])
            .arg(folder.join("report"))
            .env(CHOSEN, mutant)
            .env(REACHED, note)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, so that its workers end with it.
            .process_group(0);
        // SAFETY: the call is made between fork and exec, where it is allowed, and asks for nothing but a signal.
        #[cfg(target_os = "linux")]
        unsafe {
            // Ctrl-C ends this program alone: what it started must not go on.
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let child = command.spawn().map_err(|error| format!("{}: {error}", self.program.display()))?;
        let (how, cpu_s) = wait(child.id(), self.budget);
        Ok(Said { how, cpu_s })
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_string).collect()
}

/// Waits for a process, and kills its group if it takes too long: how it ended, and the CPU seconds of it and of those
/// that it waited for.
fn wait(process: u32, budget: Duration) -> (How, f64) {
    let until = Instant::now() + budget * 2;
    let process = process as libc::pid_t;
    let mut killed = false;
    loop {
        let mut status = 0;
        // SAFETY: the structure is plain numbers, for which all zeros is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the process is a child that is not yet waited for; the call fills the two variables.
        let ended = unsafe { libc::wait4(process, &mut status, libc::WNOHANG, &mut usage) };
        if ended == process {
            // What it left behind, if it died and could not end its workers.
            kill_group(process);
            let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
            let how = if killed { How::Endless } else { how(ExitStatus::from_raw(status)) };
            return (how, seconds(usage.ru_utime) + seconds(usage.ru_stime));
        }
        if !killed && Instant::now() > until {
            killed = true;
            kill_group(process);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn kill_group(process: libc::pid_t) {
    // SAFETY: the group is the child's own; a group that is gone is an error that says nothing.
    unsafe { libc::kill(-process, libc::SIGKILL) };
}

fn how(status: ExitStatus) -> How {
    match status.code() {
        Some(0) => How::Green,
        Some(1) => How::Found,
        Some(101) | None => How::Died,
        Some(_) => How::Fault,
    }
}
