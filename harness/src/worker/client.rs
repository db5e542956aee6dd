//! The parent's end of a worker: starting it, talking to it without ever waiting for ever, and reaping it.
//!
//! Both pipes are read and written as they are ready, so that two sides that write at once don't wait for one another.
//! A worker that says nothing for too long, or takes too much memory, is killed.

use super::death::{Cause, Death};
use super::protocol::{self, Crash, Greeting, Message, VERSION};
use crate::subject::command::{LIMIT_VARIABLE, limit_for, scratch};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one action may take by default.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Memory that a worker may really use.
const RESIDENT_BYTES: u64 = 4 << 30;
/// Between two looks at the memory of a worker that keeps us waiting.
const LOOK: Duration = Duration::from_millis(200);
/// How long a worker may take to greet.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a worker that has closed its pipe may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of requests that a worker writes, reads, decodes and validates in a second at the very least, in all modes.
const DECODED_BYTES_PER_S: usize = 4 << 20;
/// Bytes of standard error that are kept: the last ones say why.
const TOLD_BYTES: usize = 4096;

/// Which program the workers are, and what is expected of them.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program and its first arguments, to which [`ARGUMENT`](super::ARGUMENT) is added.
    pub command: Vec<OsString>,
    /// How long a worker may say nothing while it has something to do: a single action takes less.
    pub timeout: Duration,
    /// Memory that a worker may really use, in bytes. Looked at now and then, where the system tells.
    pub resident_bytes: u64,
}

impl Options {
    /// Workers that are that program.
    pub fn of(program: impl Into<OsString>) -> Options {
        Options { command: vec![program.into()], timeout: TIMEOUT, resident_bytes: RESIDENT_BYTES }
    }

    /// Workers that are this program. Fails if it can't tell where it is.
    pub fn own() -> Result<Options, String> {
        let program: PathBuf = std::env::current_exe()
            .map_err(|error| format!("cannot find this program to start it: {error}"))?;
        Ok(Options::of(program))
    }

    fn name(&self) -> String {
        let parts: Vec<_> = self.command.iter().map(|part| part.to_string_lossy()).collect();
        parts.join(" ")
    }
}

/// When waiting for a worker ends although the worker is alive, and how long it may take over an action.
#[derive(Clone, Copy, Default)]
pub struct Halt<'a> {
    /// Ends the wait once it is set.
    pub stop: Option<&'a AtomicBool>,
    /// Ends the wait at that time.
    pub until: Option<Instant>,
    /// A shorter timeout than the workers' own, for a case in which a subject is known to hang. Cases are then run
    /// subject by subject from the start.
    pub hang_timeout: Option<Duration>,
}

impl Halt<'_> {
    /// Whether it is time to stop waiting.
    pub fn is_over(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
            || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// The error of what was asked of a worker and given up because of a [`Halt`].
pub const HALTED: &str = "stopped before it was done";

/// Workers that are started as they are needed, and used again and again.
pub struct Workers {
    options: Options,
    greeting: Greeting,
    idle: Mutex<Vec<Client>>,
    lost: AtomicU64,
}

impl Workers {
    /// Starts the first worker. Fails if it does not start, or speaks another protocol.
    pub fn start(options: Options) -> Result<Workers, String> {
        let (client, greeting) = Client::start(&options)?;
        Ok(Workers { options, greeting, idle: Mutex::new(vec![client]), lost: AtomicU64::new(0) })
    }

    /// What the first worker said of itself.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// How long a worker may say nothing while it has something to do.
    pub fn timeout(&self) -> Duration {
        self.options.timeout
    }

    /// How many workers ended without being asked to.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// A worker for oneself. Fails if none can be started.
    pub fn lease(&self) -> Result<Lease<'_>, String> {
        self.lease_until(Halt::default())
    }

    /// As [`Workers::lease`], for no longer than that: from then on whatever is asked fails with [`HALTED`].
    pub fn lease_until<'w>(&'w self, halt: Halt<'w>) -> Result<Lease<'w>, String> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut lease = Lease { workers: self, client: idle, lost: 0, halt };
        lease.client()?;
        Ok(lease)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        // First tell all of them, so that they end at the same time.
        idle.iter_mut().for_each(|client| drop(client.stdin.take()));
        idle.clear();
    }
}

/// One worker, for one thread at a time; another one if it dies.
pub struct Lease<'w> {
    workers: &'w Workers,
    client: Option<Client>,
    lost: u64,
    halt: Halt<'w>,
}

impl Lease<'_> {
    /// How many workers this lease has seen dying.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether nothing is to be had from this lease any more.
    pub fn is_over(&self) -> bool {
        self.halt.is_over()
    }

    /// Whether cases are run subject by subject from the start.
    pub(super) fn expects_a_hang(&self) -> bool {
        self.halt.hang_timeout.is_some()
    }

    /// The process of the present worker.
    pub fn process(&self) -> Option<u32> {
        self.client.as_ref().map(|client| client.child.id())
    }

    pub(super) fn client(&mut self) -> Result<&mut Client, String> {
        if self.client.is_none() {
            self.client = Some(Client::start(&self.workers.options)?.0);
        }
        Ok(self.client.as_mut().expect("just started"))
    }

    /// The next message of the present worker, or how it died. Fails if no worker can be had, or if the lease is over
    /// before the worker says anything; that worker is then killed.
    pub(super) fn receive(&mut self) -> Result<Result<Message, Death>, String> {
        let options = &self.workers.options;
        self.client()?;
        let client = self.client.as_mut().expect("there is one");
        let timeout = self.halt.hang_timeout.map_or(options.timeout, |short| short.min(options.timeout));
        match client.receive(timeout, options.resident_bytes, &self.halt) {
            Some(Ok(message)) => Ok(Ok(message)),
            Some(Err(death)) => {
                self.client = None;
                self.lost += 1;
                self.workers.lost.fetch_add(1, Ordering::Relaxed);
                Ok(Err(death))
            }
            None => {
                self.client = None;
                Err(HALTED.to_string())
            }
        }
    }

    /// What to say of a message that answers nothing that was asked, or of a refusal.
    pub(super) fn unexpected(&self, message: &Message) -> String {
        let worker = self.workers.options.name();
        match message {
            Message::Refused(why) => format!("the worker `{worker}` refuses: {why}"),
            _ => format!("the worker `{worker}` answers what was not asked"),
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // One that still has something to say is of no use to the next.
        if let Some(client) = self.client.take().filter(|client| client.owed == 0) {
            self.workers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
    }
}

/// A worker process and what is on its way from and to it.
pub(super) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: ChildStderr,
    /// What is still to be written, from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    /// What was read, from `taken` on not yet looked at.
    incoming: Vec<u8>,
    taken: usize,
    told: Vec<u8>,
    words: Option<Crash>,
    /// Set once the worker has closed its pipe.
    gone: bool,
    /// Set once it has closed its standard error.
    is_mute: bool,
    /// Requests without an answer.
    owed: u64,
    /// Bytes of requests since there was none without an answer.
    owed_bytes: usize,
}

/// Which pipes of a worker are ready.
#[derive(Clone, Copy)]
struct Ready {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl Client {
    fn start(options: &Options) -> Result<(Client, Greeting), String> {
        let name = options.name();
        let cannot = |error: io::Error| format!("cannot start the worker `{name}`: {error}");
        let (program, arguments) = options
            .command
            .split_first()
            .ok_or_else(|| "no program is named to be the worker".to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).arg(super::ARGUMENT);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let limit = limit_for(options.timeout).as_millis();
        command.env(LIMIT_VARIABLE, limit.to_string());
        if let Some(folder) = scratch::made() {
            command.env(scratch::VARIABLE, folder);
        }
        // An interrupt from the terminal is for the parent, which then lets its workers finish.
        command.process_group(0);
        let mut child = command.spawn().map_err(cannot)?;
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        let mut client = Client {
            child,
            stdin: None,
            stdout,
            stderr,
            outgoing: Vec::new(),
            sent: 0,
            incoming: Vec::new(),
            taken: 0,
            told: Vec::new(),
            words: None,
            gone: false,
            is_mute: false,
            owed: 1,
            owed_bytes: 0,
        };
        let pipes = [stdin.as_raw_fd(), client.stdout.as_raw_fd(), client.stderr.as_raw_fd()];
        client.stdin = Some(stdin);
        pipes.into_iter().try_for_each(do_not_wait).map_err(cannot)?;
        let greeting = match client.receive(STARTUP_TIMEOUT, u64::MAX, &Halt::default()) {
            Some(Ok(Message::Greeting(greeting))) => greeting,
            Some(Err(death)) => {
                let why = death.outcome().describe();
                return Err(format!("the program `{name}` is no worker: it does not greet ({why})"));
            }
            Some(Ok(_)) | None => {
                return Err(format!("the program `{name}` is no worker: it does not greet"));
            }
        };
        if greeting.protocol != VERSION {
            let theirs = greeting.protocol;
            return Err(format!(
                "the worker `{name}` speaks version {theirs} of the protocol, this program version {VERSION}"
            ));
        }
        client.owed = 0;
        Ok((client, greeting))
    }

    /// Sends a request, or as much of it as the pipe takes now.
    pub fn ask(&mut self, frame: Vec<u8>) {
        self.owed += 1;
        self.owed_bytes += frame.len();
        if self.outgoing.is_empty() {
            self.outgoing = frame;
        } else {
            self.outgoing.extend_from_slice(&frame);
        }
        self.exchange(Ready { stdin: true, stdout: true, stderr: false });
    }

    /// A message that is there already.
    pub fn at_hand(&mut self) -> Option<Message> {
        // What cannot be understood is found again by `receive`, which does something about it.
        self.take().ok().flatten()
    }

    /// The next message; none if the wait was ended first. After a death there is no other message.
    ///
    /// A large request takes its time before the first action begins: it is written, read and decoded. So the timeout
    /// grows with the bytes that were asked, and counts from when the last of them was written.
    fn receive(
        &mut self,
        timeout: Duration,
        resident_bytes: u64,
        halt: &Halt<'_>,
    ) -> Option<Result<Message, Death>> {
        let mut asked = Instant::now();
        let timeout = timeout + Duration::from_secs((self.owed_bytes / DECODED_BYTES_PER_S) as u64);
        loop {
            match self.take() {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) if self.gone => return Some(Err(self.reap())),
                Ok(None) => {}
                Err(error) => return Some(Err(self.kill(Cause::Garbled(error)))),
            }
            if halt.is_over() {
                return None;
            }
            let waited = asked.elapsed();
            if waited >= timeout {
                return Some(Err(self.kill(Cause::Silence(timeout))));
            }
            let ready = self.wait(LOOK.min(timeout - waited));
            if self.exchange(ready) {
                asked = Instant::now();
            }
            if !ready.stdout && self.resident_bytes() > resident_bytes {
                return Some(Err(self.kill(Cause::Memory(resident_bytes))));
            }
        }
    }

    /// The first message of what was read; last words are kept for the burial.
    fn take(&mut self) -> Result<Option<Message>, String> {
        loop {
            let left = &self.incoming[self.taken..];
            let Some(frame) = protocol::split(left).map_err(|error| error.to_string())? else {
                self.incoming.drain(..self.taken);
                self.taken = 0;
                return Ok(None);
            };
            let message = Message::read(frame.kind, frame.payload).map_err(|error| error.to_string())?;
            self.taken += frame.bytes;
            match message {
                Message::Crash(words) => self.words = Some(words),
                Message::Case(_)
                | Message::Script(_)
                | Message::Lines(_)
                | Message::Module(_)
                | Message::Refused(_) => {
                    self.owed = self.owed.saturating_sub(1);
                    if self.owed == 0 {
                        self.owed_bytes = 0;
                    }
                    return Ok(Some(message));
                }
                Message::Greeting(_) | Message::Begins(_) | Message::Ended(_) => return Ok(Some(message)),
            }
        }
    }

    /// Waits until a pipe is ready, for so long at most.
    fn wait(&self, time: Duration) -> Ready {
        let pipe = |fd: RawFd, events: i16| libc::pollfd { fd, events, revents: 0 };
        let writing = self.stdin.as_ref().filter(|_| !self.outgoing.is_empty());
        let mut pipes = [
            pipe(self.stdout.as_raw_fd(), libc::POLLIN),
            // A descriptor below zero is passed over.
            pipe(writing.map_or(-1, AsRawFd::as_raw_fd), libc::POLLOUT),
            pipe(if self.is_mute { -1 } else { self.stderr.as_raw_fd() }, libc::POLLIN),
        ];
        // Rounded up, so that the last look is not a hundred looks of no time.
        let time_ms = i32::try_from(time.as_millis() + 1).unwrap_or(i32::MAX);
        // SAFETY: the array outlives the call, and its length is passed.
        unsafe { libc::poll(pipes.as_mut_ptr(), pipes.len() as libc::nfds_t, time_ms) };
        let [stdout, stdin, stderr] = pipes.map(|pipe| pipe.revents != 0);
        Ready { stdin, stdout, stderr }
    }

    /// Writes to and reads from the pipes that are ready, as much as they allow without waiting; whether anything was
    /// written.
    fn exchange(&mut self, ready: Ready) -> bool {
        let mut has_written = false;
        if let Some(stdin) = self.stdin.as_mut().filter(|_| ready.stdin && !self.outgoing.is_empty()) {
            match stdin.write(&self.outgoing[self.sent..]) {
                Ok(written) => {
                    has_written = written > 0;
                    self.sent += written;
                }
                Err(error) if is_for_later(&error) => {}
                // The worker no longer reads: it is dying, which its own pipe tells.
                Err(_) => self.sent = self.outgoing.len(),
            }
            // What was sent is given up when all of it was: moving the rest up at every write would be quadratic.
            if self.sent == self.outgoing.len() {
                self.outgoing.clear();
                self.sent = 0;
            }
        }
        if ready.stdout {
            self.gone |= drain(&mut self.stdout, &mut self.incoming);
        }
        if ready.stderr {
            self.is_mute |= drain(&mut self.stderr, &mut self.told);
        }
        let surplus = self.told.len().saturating_sub(TOLD_BYTES);
        self.told.drain(..surplus);
        has_written
    }

    fn kill(&mut self, cause: Cause) -> Death {
        let _ = kill_group(&mut self.child);
        let _ = self.child.wait();
        self.death(cause)
    }

    /// How a worker ended that has closed its pipe.
    fn reap(&mut self) -> Death {
        let status = end(&mut self.child);
        drain(&mut self.stderr, &mut self.told);
        let cause = match status {
            Ok(status) => match status.signal() {
                Some(signal) => Cause::Signal(signal),
                None => Cause::Exit(status.code().unwrap_or(-1)),
            },
            Err(error) => Cause::Garbled(error.to_string()),
        };
        self.death(cause)
    }

    fn death(&mut self, cause: Cause) -> Death {
        Death { cause, words: self.words.take(), told: String::from_utf8_lossy(&self.told).into_owned() }
    }

    /// Memory that the worker really uses; 0 where the system does not tell.
    fn resident_bytes(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap_or_default();
        let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        // SAFETY: the call takes a number and gives one.
        let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        pages * u64::try_from(page_bytes).unwrap_or(0)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A worker that still has something to do would do it to the end.
        if self.owed > 0 {
            let _ = kill_group(&mut self.child);
        }
        drop(self.stdin.take());
        let _ = end(&mut self.child);
    }
}

/// Waits for a process that is about to end, and helps it if it doesn't.
fn end(child: &mut Child) -> io::Result<std::process::ExitStatus> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(50);
    while started.elapsed() < SHUTDOWN_TIMEOUT {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    kill_group(child)?;
    child.wait()
}

/// Kills a worker that was not waited for, and what is between it and this process: an emulator, a wrapper script.
fn kill_group(child: &mut Child) -> io::Result<()> {
    if let Ok(process) = libc::pid_t::try_from(child.id()) {
        // SAFETY: the call takes numbers. The worker leads its group, whose number is not another's before it was waited for.
        unsafe { libc::kill(-process, libc::SIGKILL) };
    }
    child.kill()
}

/// Reads what is there; whether the other side has closed the pipe.
fn drain(pipe: &mut impl Read, into: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 16 << 10];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return true,
            Ok(read) => {
                into.extend_from_slice(&buffer[..read]);
                // Less than asked for is all there was.
                if read < buffer.len() {
                    return false;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return !is_for_later(&error),
        }
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn do_not_wait(fd: RawFd) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the calls only change its flags.
    let done = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        flags >= 0 && libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
