//! What a library executes, asked in processes of its own: what a library does not know may end the process that asks.

use super::super::embedding::observe;
use super::super::probe::features::{ANSWER, EXPORT, Executed, Probe, plain, probes};
use super::super::{Prepared, Unwatched};
use super::Loaded;
use super::api::Api;
use super::store::LibraryStore;
use crate::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crate::hosts::Host;
use crate::observe::{Capture, Outcome};
use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use wasmparser::WasmFeatures;

/// Seconds after which the process that asks is ended. The whole of it takes a fraction of one.
const TIMEOUT_S: u32 = 20;

/// What a probe's process says about a module: that it begins, and how it ended.
const BEGINS: u8 = b'?';
const WORKS: u8 = b'+';
const FAILS: u8 = b'-';

/// Loads a library and makes an engine object, in a process of its own. Fails if that ends the process; whatever else is
/// wrong with the library is told when it is loaded here.
pub(super) fn survive_loading(path: &Path) -> Result<(), String> {
    let status = in_a_process(|_| {
        if let Ok(api) = Api::load(path) {
            // SAFETY: the function has this type. The object is given up with the process.
            unsafe { (api.wasm_engine_new)() };
        }
    });
    match status.map(|(status, _)| status).filter(|status| libc::WIFSIGNALED(*status)) {
        None => Ok(()),
        Some(status) => {
            Err(format!("`{}` ends the process that loads it: {}", path.display(), ended_by(status)))
        }
    }
}

/// What ended a process, in words.
fn ended_by(status: i32) -> String {
    match libc::WTERMSIG(status) {
        libc::SIGALRM => format!("it took more than {TIMEOUT_S} s"),
        signal => format!("signal {signal}"),
    }
}

/// What the library executes, and whether it runs a plain module at all: one that does not executes nothing.
pub(super) fn executed(loaded: &Loaded) -> (bool, Executed) {
    let all: Vec<Probe> = std::iter::once(plain()).chain(probes().iter().copied()).collect();
    let mut answers = Vec::with_capacity(all.len());
    while answers.len() < all.len() {
        let before = answers.len();
        answers.extend(asked(loaded, &all[before..]));
        if answers.len() == before {
            // No process could be made, so nothing can be said for the library.
            answers.resize(all.len(), false);
        }
    }
    let runs_anything = answers[0];
    let mut answers = answers.into_iter().skip(1);
    let works = |_: &Probe| Ok(runs_anything && answers.next() == Some(true));
    let Ok(mut executed) = Executed::ask::<Infallible>(works);
    // The interface does not say who calls a host function.
    executed.makes.shared_hosts = false;
    (runs_anything, executed)
}

/// The answers of one process, as far as it came. One that dies has failed at the module it had begun.
fn asked(loaded: &Loaded, probes: &[Probe]) -> Vec<bool> {
    let Some((_, said)) = in_a_process(|to| answer(loaded, probes, to)) else { return Vec::new() };
    let count = said.iter().filter(|byte| **byte == BEGINS).count();
    let mut answers: Vec<bool> =
        said.iter().filter(|byte| **byte != BEGINS).map(|byte| *byte == WORKS).collect();
    answers.resize(count, false);
    answers
}

/// Does something in a process of its own, which says what it finds through a pipe: how the process ended, and what it
/// said. `None` if there can be no such process.
fn in_a_process(what: impl FnOnce(&mut File)) -> Option<(i32, Vec<u8>)> {
    let (mut from, to) = std::io::pipe().ok()?;
    // SAFETY: the child uses what this process holds at the moment and ends in `_exit`, which runs no handlers. Another
    // thread that holds a lock of the allocator is no danger: the C library makes that one usable after a fork.
    let child = unsafe { libc::fork() };
    match child {
        -1 => None,
        0 => {
            what(&mut alone(to.as_raw_fd()));
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) }
        }
        child => {
            drop(to);
            let mut said = Vec::new();
            // What was said before an error counts.
            let _ = from.read_to_end(&mut said);
            let mut status = 0;
            // SAFETY: waits for a process that was started here.
            unsafe { libc::waitpid(child, &mut status, 0) };
            Some((status, said))
        }
    }
}

/// Makes the process that asks stand alone: without the handlers of its parent, without its streams, and with an end. Gives
/// the pipe to write to.
fn alone(to: i32) -> File {
    // SAFETY: these calls take numbers and constants only. The handlers that this process inherits would report for its
    // parent, and what a library prints is of no interest.
    unsafe {
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGALRM]
        {
            libc::signal(signal, libc::SIG_DFL);
        }
        let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for stream in 0..3 {
            libc::dup2(nowhere, stream);
        }
        libc::alarm(TIMEOUT_S);
        std::os::fd::FromRawFd::from_raw_fd(to)
    }
}

/// The life of the process that asks.
fn answer(loaded: &Loaded, probes: &[Probe], to: &mut File) {
    for probe in probes {
        let begun = to.write_all(&[BEGINS]);
        let verdict = if works(loaded, probe) { WORKS } else { FAILS };
        if begun.and_then(|()| to.write_all(&[verdict])).is_err() {
            break;
        }
    }
}

/// Whether a probe gives its answer.
fn works(loaded: &Loaded, probe: &Probe) -> bool {
    let case = Case {
        modules: vec![CaseModule { name: "probe".into(), wasm: probe.wasm() }],
        hosts: HostPlan::new(0, 0),
        actions: vec![
            Action::Instantiate { module: 0 },
            Action::Invoke { module: 0, export: EXPORT.into(), args: Vec::new() },
        ],
        limits: Limits::default(),
    };
    let host = Host::new(case.hosts, Capture::Digest);
    let store = LibraryStore::new(loaded, case.limits, host, WasmFeatures::all());
    let observed = observe(store, &Prepared::new(&case), Capture::Digest, &mut Unwatched);
    let last = observed.actions.last().map(|action| &action.outcome);
    last == Some(&Outcome::Values(vec![Value::I32(ANSWER)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_the_process_that_asks_is_told_and_does_not_end_this_one() {
        let aborting = |to: &mut File| {
            to.write_all(&[BEGINS]).expect("the pipe is open");
            std::process::abort();
        };
        let (status, said) = in_a_process(aborting).expect("a process can be made");
        assert_eq!(said, [BEGINS]);
        assert!(libc::WIFSIGNALED(status));
        assert_eq!(ended_by(status), format!("signal {}", libc::SIGABRT));
    }
}
