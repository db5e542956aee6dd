//! What travels comes back as it was, and what is damaged is refused.

use super::death::{Cause, Death};
use super::protocol::*;
use crate::case::{Action, Case, CaseModule, HostPlan, Limits};
use crate::observe::{ActionObservation, Capture, Observation, Outcome};
use crate::script::{Failure, LaneDeath, ModeCounts, ScriptFile, ScriptReport, SkipEntry, Unreadable};
use crate::subject::{Acceptance, Shown};
use std::time::Duration;

fn crash() -> Crash {
    Crash {
        place: Place { subject: 1, step: 2 },
        signal: libc::SIGSEGV,
        address: 0x10,
        pc: 0x7f00_1234,
        near_stack: false,
        code: Some(CodePlace { func: 3, code_offset: 0x12, wasm_offset: 0x158 }),
    }
}

fn messages() -> Vec<Message> {
    let observation = Observation { actions: vec![ActionObservation::panicked("a")] };
    let counts = ModeCounts { passed: 1, failed: 2, skipped: 3, excused: 4, steps: 5, steps_failed: 6 };
    let (file, mode, message) = ("a.wast".to_string(), "interp".to_string(), "b".to_string());
    let report = ScriptReport {
        modes: vec![(mode.clone(), counts)],
        files: 1,
        failures: vec![Failure { file: file.clone(), line: 7, mode, message: message.clone() }],
        skips: vec![SkipEntry {
            file: file.clone(),
            line: 8,
            count: 9,
            modes: vec!["fast-interp".into()],
            reason: "c".into(),
        }],
        ..ScriptReport::default()
    };
    let greeting = Greeting {
        protocol: VERSION,
        build: "0".into(),
        arch: "z80".into(),
        subjects: vec!["interp".into(), "other".into()],
        ..Greeting::default()
    };
    vec![
        Message::Greeting(greeting),
        Message::Case(Shown::Invalid),
        Message::Case(Shown::Observed(vec![Some(observation), None])),
        Message::Script(Ok(report)),
        Message::Script(Err(Unreadable { file, line: 1, column: 2, message })),
        Message::Lines(vec!["mov eax, 1".into(), String::new()]),
        Message::Refused("no".into()),
        Message::Module(Acceptance::Valid),
        Message::Module(Acceptance::Refused("no".into())),
        Message::Module(Acceptance::Unknown("why".into())),
        Message::Module(Acceptance::Failed(Outcome::Crash("signal 11".into()))),
        Message::Begins(Place { subject: 0, step: NONE }),
        Message::Ended(ActionObservation::panicked("b")),
        Message::Crash(crash()),
    ]
}

fn requests() -> Vec<Vec<u8>> {
    let case = Case {
        modules: vec![CaseModule { name: "m".into(), wasm: b"\0asm".to_vec() }],
        hosts: HostPlan::new(1, 2),
        actions: vec![Action::Instantiate { module: 0 }],
        limits: Limits::default(),
    };
    let file = ScriptFile { group: "g".into(), name: "n".into(), text: "(module)".into(), line: Some(3) };
    let deaths = [LaneDeath { lane: None, directive: 1, message: "x".into() }];
    vec![
        Request::case_frame(&case, ["a", "b"].into_iter(), Capture::Full, true),
        Request::script_frame(&file, &["a".into()], true, &deaths, false),
        Request::module_frame("a", b"\0asm"),
        Request::explain_frame("baseline", b"\0asm", 1, 2),
    ]
}

fn whole(bytes: &[u8]) -> Frame<'_> {
    let frame = split(bytes).expect("a frame").expect("in full");
    assert_eq!(frame.bytes, bytes.len());
    frame
}

#[test]
fn every_message_comes_back_as_it_was() {
    for message in messages() {
        let bytes = message.frame();
        let frame = whole(&bytes);
        assert_eq!(Message::read(frame.kind, frame.payload), Ok(message));
    }
}

#[test]
fn every_request_comes_back_as_it_was() {
    let read = |bytes: &[u8]| {
        let frame = whole(bytes);
        Request::read(frame.kind, frame.payload).expect("a request")
    };
    for bytes in requests() {
        let again = match read(&bytes) {
            Request::Case { case, subjects, capture, careful } => {
                Request::case_frame(&case, subjects.iter().map(String::as_str), capture, careful)
            }
            Request::Explain { lane, wasm, function, offset } => {
                Request::explain_frame(&lane, &wasm, function, offset)
            }
            Request::Script { file, lanes, compare_state, deaths, careful } => {
                Request::script_frame(&file, &lanes, compare_state, &deaths, careful)
            }
            Request::Module { subject, wasm } => Request::module_frame(&subject, &wasm),
        };
        assert_eq!(again, bytes);
    }
}

#[test]
fn what_is_damaged_is_refused_without_panic() {
    let messages = messages();
    for good in messages.iter().map(Message::frame).chain(requests()) {
        for cut in 0..good.len() {
            assert_eq!(split(&good[..cut]), Ok(None), "cut at {cut}");
        }
        for position in 4..good.len() {
            for flip in [0xff, 0x01, 0x80] {
                let mut bad = good.clone();
                bad[position] ^= flip;
                let frame = whole(&bad);
                let _ = Message::read(frame.kind, frame.payload);
                let _ = Request::read(frame.kind, frame.payload);
                let short = &frame.payload[..frame.payload.len() / 2];
                let _ = Message::read(frame.kind, short);
                let _ = Request::read(frame.kind, short);
            }
        }
    }
    assert!(split(&[0, 0, 0, 0, 0]).is_err() && split(&[0xff; 5]).is_err());
}

#[test]
fn of_another_version_only_the_version_is_read() {
    let mut bytes = Message::Greeting(Greeting { protocol: VERSION, ..Greeting::default() }).frame();
    bytes[9] += 1;
    bytes.truncate(13);
    let read = Message::read(bytes[4], &bytes[5..]);
    assert_eq!(read, Ok(Message::Greeting(Greeting { protocol: VERSION + 1, ..Greeting::default() })));
}

/// What is said of a death.
fn check(cause: Cause, words: Option<Crash>, told: &str, expected: &str) {
    let death = Death { cause, words, told: told.into() };
    assert_eq!(death.outcome().describe(), expected);
}

#[test]
fn a_death_is_told_by_its_signal_and_place() {
    let segv = Cause::Signal(libc::SIGSEGV);
    let words = crash();
    check(segv.clone(), Some(words), "", "crash: SIGSEGV at f3+0x12 (wasm 0x158), address 0x10");
    let nowhere = Crash { code: None, address: 0x7fff_0000_1234, ..words };
    check(segv.clone(), Some(nowhere), "", "crash: SIGSEGV");
    let exhausted = Crash { near_stack: true, ..nowhere };
    check(segv.clone(), Some(exhausted), "", "crash: SIGSEGV, the native stack is exhausted");
    check(segv, None, "", "crash: SIGSEGV");
    let abort = Crash { signal: libc::SIGABRT, ..nowhere };
    check(Cause::Signal(libc::SIGABRT), Some(abort), "hm\nwhy\n\n", "crash: SIGABRT: why");
    check(Cause::Exit(3), None, "", "crash: the process ends with code 3");
    check(Cause::Silence(Duration::from_secs(10)), None, "", "hang: not done in 10 s");
    check(Cause::Memory(4 << 30), None, "", "crash: out of memory: more than 4096 MiB in use");
}

#[test]
fn only_a_signal_without_words_may_be_somebody_elses() {
    let is_its_own = |cause, words| Death { cause, words, told: String::new() }.is_its_own();
    assert!(!is_its_own(Cause::Signal(libc::SIGKILL), None));
    assert!(is_its_own(Cause::Signal(libc::SIGSEGV), Some(crash())));
    assert!(is_its_own(Cause::Exit(0), None));
}

#[test]
fn outcomes_of_deaths_are_failures() {
    let outcome = Death { cause: Cause::Exit(3), words: None, told: String::new() }.outcome();
    assert!(matches!(&outcome, Outcome::Crash(message) if outcome.failure() == Some(message)));
}
