//! What a command means by what it prints, and by how it ends.

use super::process::Finished;
use crate::guard::signal_name;
use crate::subject::ScriptRun;
use crate::subject::trap_text::trap_kind;
use crosscheck_engine::TrapKind;
use std::os::unix::process::ExitStatusExt;

/// Characters of a line that are shown.
const LONGEST_LINE: usize = 160;
/// The code with which a Rust program ends that panics.
const PANIC_CODE: i32 = 101;
/// What a shell adds to the number of the signal that ended its command.
const SHELL_SIGNAL_CODE: i32 = 128;

/// How a process ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// With as many integers as were asked for, the last of which is the one that was agreed on.
    Values(Vec<u64>),
    /// With as many integers, but for the last one.
    Strange(Vec<u64>),
    /// With a trap.
    Trap(TrapKind),
    /// By a signal, a panic or the report of a sanitizer.
    Crash(String),
    /// Not in time.
    Hang,
    /// Not by itself: it could not be started, or was killed from outside.
    Resources(String),
    /// Otherwise; the last thing that it said.
    Unclear(String),
}

/// How a command ended that was to print so many integers, one at least; `is_last` knows the last.
pub(super) fn ended(finished: &Finished, integers: usize, is_last: fn(u64) -> bool) -> Ended {
    let Some(status) = finished.status else { return Ended::Hang };
    let stdout = String::from_utf8_lossy(&finished.stdout);
    let stderr = String::from_utf8_lossy(&finished.stderr);
    if let Some(crash) = crash(&stdout, &stderr, status.signal(), status.code()) {
        return crash;
    }
    let both = format!("{stdout}\n{stderr}");
    // Engines print results on either stream, and what is not a number between them.
    let streams = [&*stdout, &*stderr, &*both];
    let printed = streams.iter().map(|text| words(text).filter_map(integer).collect::<Vec<u64>>());
    let printed: Vec<_> = printed.filter(|printed| status.success() && printed.len() == integers).collect();
    if let Some(values) = printed.iter().find(|printed| printed.last().is_some_and(|last| is_last(*last))) {
        return Ended::Values(values.clone());
    }
    // The words for a trap may have numbers in them.
    match (trap_kind(&both), printed.into_iter().next()) {
        (Some(kind), _) => Ended::Trap(kind),
        (None, Some(printed)) => Ended::Strange(printed),
        (None, None) => Ended::Unclear(last_line(&stdout, &stderr).unwrap_or_else(|| match status.code() {
            Some(code) => format!("nothing, and ends with code {code}"),
            None => "nothing".to_string(),
        })),
    }
}

/// What a command says of a script that it was to run.
pub(super) fn of_script(finished: &Finished) -> ScriptRun {
    let Some(status) = finished.status else { return ScriptRun::Failed("it does not end in time".into()) };
    if status.success() {
        return ScriptRun::Passed;
    }
    let stdout = String::from_utf8_lossy(&finished.stdout);
    let stderr = String::from_utf8_lossy(&finished.stderr);
    ScriptRun::Failed(match (last_line(&stdout, &stderr), status.signal(), status.code()) {
        (_, Some(signal), _) => signal_name(signal),
        (Some(line), None, _) => line,
        (None, None, code) => format!("it ends with code {}, without a word", code.unwrap_or(-1)),
    })
}

/// That the engine itself failed, if it did.
fn crash(stdout: &str, stderr: &str, signal: Option<i32>, code: Option<i32>) -> Option<Ended> {
    for text in [stderr, stdout] {
        if let Some(report) = text.lines().find_map(sanitizer_report) {
            return Some(Ended::Crash(report));
        }
    }
    // A wrapper that is a shell ends with the signal of what it started in its code. Wasmtime's program ends with that
    // of SIGABRT where a module traps, and says so.
    let is_trap = || {
        let both = format!("{stdout}\n{stderr}");
        trap_kind(&both).is_some() && !ASSERTIONS.iter().any(|words| both.contains(words))
    };
    let of_shell =
        code.filter(|code| (SHELL_SIGNAL_CODE + 1..SHELL_SIGNAL_CODE + 32).contains(code) && !is_trap());
    if let Some(signal) = signal.or(of_shell.map(|code| code - SHELL_SIGNAL_CODE)) {
        let name = signal_name(signal);
        if matches!(signal, libc::SIGKILL | libc::SIGTERM | libc::SIGINT | libc::SIGHUP) {
            return Some(Ended::Resources(format!("{name} was sent to a command")));
        }
        let line = last_line(stdout, stderr).map(|line| format!(": {line}")).unwrap_or_default();
        return Some(Ended::Crash(format!("{name}{line}")));
    }
    if stderr.lines().any(|line| line.starts_with("goroutine ")) {
        let message = stderr.lines().find_map(|line| line.strip_prefix("panic: "));
        return Some(Ended::Crash(cut(&format!("panic: {}", message.unwrap_or("no message")))));
    }
    let panicked = stderr.lines().position(|line| line.contains("panicked at"));
    (code == Some(PANIC_CODE) || panicked.is_some()).then(|| {
        // Rust's message stands in the line after the place.
        let message = panicked.map(|line| {
            let place = stderr.lines().nth(line).and_then(|line| line.split_once("panicked at "));
            let place = place.map(|(_, place)| place.trim_end_matches(':')).unwrap_or_default();
            let message = stderr.lines().nth(line + 1).unwrap_or_default();
            cut(&format!("{message} at {place}"))
        });
        let message = message.or_else(|| last_line(stdout, stderr)).unwrap_or_else(|| "no message".into());
        Ended::Crash(format!("panic: {message}"))
    })
}

/// What sanitizers of C and C++ begin their reports with.
const SANITIZERS: [&str; 5] =
    ["AddressSanitizer", "MemorySanitizer", "ThreadSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer"];

/// What programs say that abort because they doubt themselves.
const ASSERTIONS: [&str; 3] = ["Assertion ", "assertion failed", "terminate called"];

/// The report of a sanitizer, without what is another number each time, if the line begins one.
fn sanitizer_report(line: &str) -> Option<String> {
    let begins =
        |name: &&&str| line.contains(&format!("ERROR: {name}")) || line.contains(&format!("WARNING: {name}"));
    if let Some(name) = SANITIZERS.iter().find(begins) {
        let report = line.split_once(name).map(|(_, report)| report.trim_start_matches(':').trim());
        let report = report.and_then(|report| report.split(" on ").next()).unwrap_or_default();
        return Some(cut(&format!("{name}: {}", report.split(" (pid=").next().unwrap_or_default())));
    }
    // UndefinedBehaviorSanitizer does not name itself: `file.c:3:5: runtime error: ...`.
    let (place, report) = line.split_once(": runtime error: ")?;
    let is_place = place.rsplit(':').next().is_some_and(|column| column.parse::<u32>().is_ok());
    is_place.then(|| cut(&format!("UndefinedBehaviorSanitizer: {report}")))
}

/// The last line that says something; that of the complaints first.
pub(super) fn last_line(stdout: &str, stderr: &str) -> Option<String> {
    let last = |text: &str| {
        let line =
            text.lines().rev().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("note:"));
        line.map(cut)
    };
    last(stderr).or_else(|| last(stdout))
}

/// A line that fits into a message, without what would move the cursor of a terminal.
fn cut(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(LONGEST_LINE).collect()
}

/// The words of what a command prints. A value with its type and bits may be followed by what it is in decimal, as
/// `crosscheck run` prints it: that says nothing new.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_separator = |c: char| matches!(c, ',' | ';' | '[' | ']' | '(' | ')');
    let mut before = "";
    let pieces = text.split_whitespace().filter(move |piece| {
        let is_repeated = piece.starts_with('(') && before.contains(":0x");
        before = piece;
        !is_repeated
    });
    pieces.flat_map(move |piece| piece.split(is_separator)).filter(|word| !word.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is understood of a command that ends with this status of `wait` and prints this.
    fn understood(status: i32, stdout: &str, stderr: &str, integers: usize) -> Ended {
        let status = Some(std::process::ExitStatus::from_raw(status));
        let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
        ended(&Finished { status, stdout, stderr }, integers, |last| last == 42)
    }

    /// The status of a process that ends with a code.
    fn code(code: i32) -> i32 {
        code << 8
    }

    fn crash(message: &str) -> Ended {
        Ended::Crash(message.into())
    }

    #[test]
    fn integers_are_understood_as_engines_print_them() {
        let printed = |text: &str| words(text).filter_map(integer).collect::<Vec<_>>();
        assert_eq!(printed("i32:0x2a\ni64:0xffffffffffffffff"), [42, u64::MAX]);
        assert_eq!(printed("0x2a:i32,0x1:i64"), [42, 1]);
        assert_eq!(printed("crosscheck() => i32:42, i64:18446744073709551615"), [42, u64::MAX]);
        assert_eq!(printed("-1\n18446744073709551615"), [u64::MAX, u64::MAX]);
        assert_eq!(printed("[42]"), [42]);
        assert_eq!(printed("i32:0x2a (42)\ni64:0x1 (1)"), [42, 1]);
        assert!(printed("warning: slow").is_empty());
    }

    #[test]
    fn results_count_on_either_stream() {
        assert_eq!(understood(0, "42", "", 1), Ended::Values(vec![42]));
        assert_eq!(understood(0, "", "Result: 42", 1), Ended::Values(vec![42]));
        assert_eq!(understood(0, "42", "warning: 7 is odd\nResult: 2", 1), Ended::Values(vec![42]));
        assert_eq!(understood(0, "1", "Result: 42", 1), Ended::Values(vec![42]));
        assert_eq!(understood(0, "41", "", 1), Ended::Strange(vec![41]));
        let trap = "error: out of bounds memory access: access at 0+4 >= max value 0";
        assert_eq!(understood(0, trap, "", 1), Ended::Trap(TrapKind::MemoryOutOfBounds));
        assert_eq!(understood(0, "", "", 1), Ended::Unclear("nothing, and ends with code 0".into()));
        assert_eq!(understood(0, "42 43", "", 1), Ended::Unclear("42 43".into()));
        assert_eq!(understood(code(1), "42", "", 1), Ended::Unclear("42".into()));
    }

    #[test]
    fn a_panic_is_a_failure_of_the_engine() {
        let stderr = "thread 'main' panicked at src/main.rs:7:9:\nno slot\nnote: run with `RUST_BACKTRACE=1`";
        assert_eq!(understood(code(101), "", stderr, 1), crash("panic: no slot at src/main.rs:7:9"));
        // Of another thread, while the program goes on.
        assert_eq!(understood(0, "42", stderr, 1), crash("panic: no slot at src/main.rs:7:9"));
        assert_eq!(understood(code(101), "", "", 1), crash("panic: no message"));
    }

    #[test]
    fn a_signal_is_a_failure_of_the_engine_behind_a_shell_too() {
        assert_eq!(understood(libc::SIGSEGV, "", "", 1), crash("SIGSEGV"));
        let assertion = "a.c:3: f: Assertion `p' failed.";
        assert_eq!(understood(libc::SIGABRT, "", assertion, 1), crash(&format!("SIGABRT: {assertion}")));
        assert_eq!(understood(code(128 + libc::SIGSEGV), "", "", 1), crash("SIGSEGV"));
        // Wasmtime's program ends so where a module traps.
        let trap = "Error: wasm trap: wasm `unreachable` instruction executed";
        let aborted = code(128 + libc::SIGABRT);
        assert_eq!(understood(aborted, "", trap, 1), Ended::Trap(TrapKind::Unreachable));
        assert_eq!(understood(aborted, "", "Assertion `unreachable' failed.", 1), {
            crash("SIGABRT: Assertion `unreachable' failed.")
        });
        assert!(matches!(understood(libc::SIGKILL, "", "", 1), Ended::Resources(_)));
    }

    #[test]
    fn a_sanitizers_report_is_a_failure_of_the_engine_whatever_it_answers() {
        let address = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x7";
        assert_eq!(understood(code(1), "", address, 1), crash("AddressSanitizer: heap-use-after-free"));
        let undefined = "exec.c:30:5: runtime error: shift exponent 33 is too large";
        let report = "UndefinedBehaviorSanitizer: shift exponent 33 is too large";
        assert_eq!(understood(0, "42", undefined, 1), crash(report));
        let race = "WARNING: ThreadSanitizer: data race (pid=7)";
        assert_eq!(understood(code(66), "", race, 1), crash("ThreadSanitizer: data race"));
        let value = "==1==WARNING: MemorySanitizer: use-of-uninitialized-value";
        assert_eq!(understood(code(1), "", value, 1), crash("MemorySanitizer: use-of-uninitialized-value"));
        // What Go calls a runtime error is no sanitizer's.
        let go = "panic: runtime error: index out of range [3]\n\ngoroutine 1 [running]:";
        assert_eq!(understood(code(2), "", go, 1), crash("panic: runtime error: index out of range [3]"));
    }

    #[test]
    fn the_text_of_a_trap_counts_among_others() {
        let said = "crosscheck() => error: out of bounds memory access: access at 65536+4 >= max value 65536";
        assert_eq!(understood(0, said, "", 2), Ended::Trap(TrapKind::MemoryOutOfBounds));
    }

    #[test]
    fn the_last_line_is_what_is_shown() {
        assert_eq!(last_line("a\nb\n", "c\n\n"), Some("c".into()));
        assert_eq!(last_line("a\n\u{1b}[31mb\n", ""), Some("[31mb".into()));
        assert_eq!(last_line("", ""), None);
    }
}
