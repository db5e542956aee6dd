//! Any engine with a command line as a subject: `--with 'iwasm=iwasm -f NAME FILE'`.
//!
//! Such a command instantiates a file and calls one function, and that is all there is: no second call on the instance,
//! no host of ours, no look at memories. So a case is rewritten ([`driver`]) to one call that makes all its calls,
//! gives arguments as constants and takes results as bits, and each process does a case up to some action.
//!
//! What cannot be asked that way is left out, and the reference says what it is, for it runs the case first: whatever
//! comes after a trap, and whatever calls the host or runs out of something. The observation ends there
//! ([`Capabilities::to_the_end`]). What the command does not accept, or says in words that nobody here
//! understands, is [`Outcome::Unsupported`] and never a difference.

mod driver;

use super::trap_text::trap_kind;
use super::{Capabilities, Lane, LaneSubject, Prepared, Subject, Unwatched, Watch};
use crate::case::{Action, Case};
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crosscheck_engine::{Mode, TrapKind};
use driver::Driver;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// Stands for the name of the function to call.
const NAME: &str = "NAME";
/// Stands for the module's file.
const FILE: &str = "FILE";
/// Stands for the arguments of the call, of which there are none.
const ARGS: &str = "ARGS";

/// An engine with a command line.
#[derive(Clone, Debug)]
pub struct CommandSubject {
    /// What people call it: the label.
    name: String,
    /// The whole of it: `LABEL=COMMAND`.
    definition: String,
    /// The command's words.
    words: Vec<String>,
}

impl CommandSubject {
    /// The subject of `LABEL=COMMAND`; none if the text is not one. Fails with what is wrong with the command.
    pub fn parse(text: &str) -> Option<Result<CommandSubject, String>> {
        let (label, command) = text.split_once('=')?;
        let words: Vec<String> = command.split_whitespace().map(str::to_string).collect();
        let lacks = |placeholder: &str| !words.iter().any(|word| word == placeholder);
        let wrong = if label.is_empty() || label.contains(char::is_whitespace) {
            Some("expected LABEL=COMMAND, with a label without spaces".to_string())
        } else if lacks(NAME) || lacks(FILE) {
            Some(format!(
                "expected words {NAME} and {FILE} in `{command}`, where the function's name and the file go"
            ))
        } else if !is_there(&words[0]) {
            Some(format!("there is no program `{}`", words[0]))
        } else {
            None
        };
        Some(match wrong {
            Some(wrong) => Err(wrong),
            None => Ok(CommandSubject { name: label.to_string(), definition: text.to_string(), words }),
        })
    }

    fn run(&self, driver: &Driver) -> Ended {
        let file = match Scratch::write(&driver.wasm) {
            Ok(file) => file,
            Err(error) => return Ended::Resources(format!("cannot write a module for a command: {error}")),
        };
        let words = self.words.iter().filter(|word| *word != ARGS).map(|word| match word.as_str() {
            NAME => driver.name.as_str().into(),
            FILE => file.0.as_os_str().to_owned(),
            other => other.into(),
        });
        let words: Vec<std::ffi::OsString> = words.collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        die_with_parent(&mut command);
        match command.output() {
            Ok(output) => ended(&output, driver.integers()),
            Err(error) => Ended::Resources(format!("cannot start `{}`: {error}", self.words[0])),
        }
    }

    /// What the command shows of the actions of a plan.
    fn outcomes(&self, prepared: &Prepared<'_>, plan: &Plan) -> Result<Vec<Outcome>, Outcome> {
        let imports = match &prepared.modules[0] {
            Ok(module) => module.imports(),
            Err(error) => return Err(Outcome::Link(error.to_string())),
        };
        let drive =
            |actions: &[Action]| Driver::new(prepared.case, imports, actions).map_err(Outcome::Unsupported);
        let actions = &prepared.case.actions;
        let quiet = drive(&actions[..plan.returning])?;
        let mut outcomes = Vec::with_capacity(plan.returning + 1);
        if let Ended::Values(integers) = self.run(&quiet) {
            outcomes.extend(quiet.values(&integers).into_iter().map(Outcome::Values));
            if !plan.ends_in_a_trap {
                return Ok(outcomes);
            }
        }
        // One that should return did not, or one that should not comes last: which, and how?
        for end in outcomes.len() + 1..=plan.returning + usize::from(plan.ends_in_a_trap) {
            let driver = drive(&actions[..end])?;
            let outcome = match self.run(&driver) {
                Ended::Values(integers) => {
                    Outcome::Values(driver.values(&integers).pop().expect("there is an action"))
                }
                Ended::Trap(kind) => Outcome::trap(kind, None),
                Ended::Crash(message) => Outcome::Crash(message),
                Ended::Resources(message) => Outcome::Resources(message),
                Ended::Unclear(message) => return Err(Outcome::Unsupported(message)),
            };
            let is_last = !matches!(outcome, Outcome::Values(_));
            outcomes.push(outcome);
            if is_last {
                break;
            }
        }
        Ok(outcomes)
    }
}

impl Subject for CommandSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { nan_bits: true, ..Capabilities::NONE }
    }

    /// It is not asked for what ran out of fuel.
    fn ends_by_itself(&self) -> bool {
        true
    }

    fn observe(&self, prepared: &Prepared<'_>, _: Capture, watch: &mut dyn Watch) -> Observation {
        watch.begins(0);
        let plan = Plan::of(prepared);
        let outcomes = match plan {
            Ok(plan) => self.outcomes(prepared, &plan),
            Err(why) => Err(Outcome::Unsupported(why)),
        };
        let outcomes = outcomes.unwrap_or_else(|outcome| vec![outcome]);
        let mut actions = Vec::with_capacity(outcomes.len());
        for (number, outcome) in outcomes.into_iter().enumerate() {
            if number > 0 {
                watch.begins(number);
            }
            let observed = ActionObservation::last(outcome);
            watch.ended(&observed);
            actions.push(observed);
        }
        Observation { actions }
    }
}

/// How far a case can be asked of a command.
struct Plan {
    /// Actions that return and call no host, from the first on.
    returning: usize,
    /// Whether the next one traps, without a host.
    ends_in_a_trap: bool,
}

impl Plan {
    /// The plan for a case, by what the reference shows. Fails with why nothing of it can be asked.
    fn of(prepared: &Prepared<'_>) -> Result<Plan, String> {
        let case: &Case = prepared.case;
        if case.modules.len() != 1 {
            return Err("a command takes one module".into());
        }
        let reference = Mode::all().next().expect("there is a mode");
        let reference = LaneSubject::new(Lane::plain(reference));
        let shown = reference.observe(prepared, Capture::Digest, &mut Unwatched);
        let mut plan = Plan { returning: 0, ends_in_a_trap: false };
        for (number, (action, seen)) in case.actions.iter().zip(&shown.actions).enumerate() {
            let is_instantiation = matches!(action, Action::Instantiate { .. });
            if seen.host_calls.count > 0 || is_instantiation != (number == 0) {
                break;
            }
            match &seen.outcome {
                Outcome::Values(_) => plan.returning += 1,
                Outcome::Trap(trap) => {
                    let exhausted = [TrapKind::OutOfFuel, TrapKind::CallStackExhausted];
                    plan.ends_in_a_trap = !exhausted.contains(&trap.kind);
                    break;
                }
                Outcome::Link(_)
                | Outcome::Limit(_)
                | Outcome::Unsupported(_)
                | Outcome::Resources(_)
                | Outcome::Crash(_)
                | Outcome::Hang(_) => break,
            }
        }
        if plan.returning == 0 && !plan.ends_in_a_trap {
            return Err("nothing happens before the host is called or something runs out".into());
        }
        Ok(plan)
    }
}

/// How a process ended.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ended {
    /// With as many integers as were asked for.
    Values(Vec<u64>),
    /// With a trap.
    Trap(TrapKind),
    /// By a signal.
    Crash(String),
    /// Not at all, for it could not be started.
    Resources(String),
    /// Otherwise; the first thing that it said.
    Unclear(String),
}

fn ended(output: &Output, integers: usize) -> Ended {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&output.status) {
        return Ended::Crash(format!("signal {signal}"));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let said = format!("{}\n{stdout}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        let printed: Vec<u64> = words(&stdout).filter_map(integer).collect();
        // What a command that has nothing to print prints nevertheless says nothing.
        if printed.len() == integers || integers == 0 && trap_kind(&said).is_none() {
            return Ended::Values(if integers == 0 { Vec::new() } else { printed });
        }
    }
    match trap_kind(&said) {
        Some(kind) => Ended::Trap(kind),
        None => {
            let first = said.lines().map(str::trim).find(|line| !line.is_empty());
            Ended::Unclear(format!("the command says: {}", first.unwrap_or("nothing")))
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '(' | ')'))
        .filter(|word| !word.is_empty())
}

/// An integer as engines print it: `i32:0x2a`, `0x2a:i32`, `42`, `-1`.
fn integer(word: &str) -> Option<u64> {
    let word = word.trim_start_matches("i32:").trim_start_matches("i64:");
    let word = word.trim_end_matches(":i32").trim_end_matches(":i64");
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    word.parse::<i64>().map(|number| number as u64).or_else(|_| word.parse::<u64>()).ok()
}

/// Whether a program of that name can be started.
fn is_there(program: &str) -> bool {
    if program.contains(std::path::MAIN_SEPARATOR) {
        return Path::new(program).is_file();
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// A worker that is killed because its command hangs takes the command with it.
fn die_with_parent(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let settle = || {
            // SAFETY: the call takes numbers only.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            Ok(())
        };
        // SAFETY: between fork and exec `settle` makes one system call and allocates nothing.
        unsafe { command.pre_exec(settle) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// A file that is gone when nobody needs it any more.
struct Scratch(PathBuf);

impl Scratch {
    fn write(bytes: &[u8]) -> std::io::Result<Scratch> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("crosscheck-{}-{number}.wasm", std::process::id());
        let scratch = Scratch(std::env::temp_dir().join(name));
        std::fs::write(&scratch.0, bytes)?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Whoever cleans up a folder of temporary files takes what cannot be removed here.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_understood_as_engines_print_them() {
        let printed = |text: &str| words(text).filter_map(integer).collect::<Vec<_>>();
        assert_eq!(printed("i32:0x2a\ni64:0xffffffffffffffff"), [42, u64::MAX]);
        assert_eq!(printed("0x2a:i32,0x1:i64"), [42, 1]);
        assert_eq!(printed("-1\n18446744073709551615"), [u64::MAX, u64::MAX]);
        assert_eq!(printed("[42]"), [42]);
        assert!(printed("warning: slow").is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_command_is_said() {
        assert!(CommandSubject::parse("wasmi").is_none());
        let wrong =
            |text: &str| CommandSubject::parse(text).expect("there is a `=`").expect_err("it is wrong");
        assert!(wrong("x=true FILE").contains("expected words NAME and FILE"));
        assert!(wrong("=true NAME FILE").contains("LABEL"));
        assert_eq!(
            wrong("x=no-such-program-anywhere NAME FILE"),
            "there is no program `no-such-program-anywhere`"
        );
    }
}
