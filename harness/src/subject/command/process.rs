//! Runs a command to its end, or for so long, and ends all that it started.

use super::watchdog;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Bytes of each stream that are kept. What a broken command prints beyond is read and forgotten.
const KEPT_BYTES: usize = 1 << 20;
/// Between two looks at whether the leader of a command has ended while something else holds its streams open.
const LOOK: Duration = Duration::from_millis(10);
/// The first pause where a command has closed its streams and is about to end.
const SHORT_PAUSE: Duration = Duration::from_micros(50);

/// What a command did.
pub(super) struct Finished {
    /// How it ended; none if it did not in time, and was killed.
    pub(super) status: Option<ExitStatus>,
    /// What it printed.
    pub(super) stdout: Vec<u8>,
    /// What it complained of.
    pub(super) stderr: Vec<u8>,
}

/// Runs a command, for `limit` at most. Fails if it cannot be started.
pub(super) fn run(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = watchdog::spawn(command)?;
    let started = Instant::now();
    let mut stdout = Stream::of(child.stdout.take().expect("it is piped"))?;
    let mut stderr = Stream::of(child.stderr.take().expect("it is piped"))?;
    let mut pause = SHORT_PAUSE;
    let has_ended = loop {
        if stdout.is_closed && stderr.is_closed {
            std::thread::sleep(pause);
            pause = (pause * 2).min(LOOK);
        } else {
            wait([stdout.fd(), stderr.fd()]);
            stdout.drain();
            stderr.drain();
        }
        // Only then is the leader looked at: what it said before its end is read.
        if stdout.is_closed && stderr.is_closed || started.elapsed() >= LOOK {
            if has_ended(&child) {
                break true;
            }
            if started.elapsed() >= limit {
                break false;
            }
        }
    };
    watchdog::end_group(&child);
    let status = child.wait()?;
    stdout.drain();
    stderr.drain();
    let status = has_ended.then_some(status);
    Ok(Finished { status, stdout: stdout.bytes, stderr: stderr.bytes })
}

/// Whether a process has ended. It is not waited for, so that its number stays its own.
fn has_ended(child: &Child) -> bool {
    // SAFETY: all zeros is a value of this plain data, and the call fills it in.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        libc::waitid(libc::P_PID, child.id() as libc::id_t, &mut info, options) == 0 && info.si_signo != 0
    }
}

/// Waits until there is something to read, or for a moment. Descriptors below zero are passed over.
fn wait(fds: [RawFd; 2]) {
    let mut pipes = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: the array outlives the call, and its length is passed.
    unsafe { libc::poll(pipes.as_mut_ptr(), pipes.len() as libc::nfds_t, LOOK.as_millis() as i32) };
}

/// A stream of a command, as far as it was read.
struct Stream<R> {
    pipe: R,
    bytes: Vec<u8>,
    is_closed: bool,
}

impl<R: Read + AsRawFd> Stream<R> {
    fn of(pipe: R) -> io::Result<Stream<R>> {
        // SAFETY: the descriptor is open, and the calls only change its flags.
        let done = unsafe {
            let flags = libc::fcntl(pipe.as_raw_fd(), libc::F_GETFL);
            flags >= 0 && libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
        };
        if done {
            Ok(Stream { pipe, bytes: Vec::new(), is_closed: false })
        } else {
            Err(io::Error::last_os_error())
        }
    }

    fn fd(&self) -> RawFd {
        if self.is_closed { -1 } else { self.pipe.as_raw_fd() }
    }

    /// Reads what is there, but not for ever.
    fn drain(&mut self) {
        let mut buffer = [0; 16 << 10];
        for _ in 0..KEPT_BYTES / buffer.len() {
            match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.is_closed = true;
                    return;
                }
                Ok(read) => {
                    let room = KEPT_BYTES.saturating_sub(self.bytes.len()).min(read);
                    self.bytes.extend_from_slice(&buffer[..room]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_closed |= error.kind() != ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }
}
