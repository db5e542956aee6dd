//! Ends what commands leave running when the process that started them is killed.
//!
//! A worker is killed with SIGKILL when an action hangs, so it cannot end its commands itself, and `PR_SET_PDEATHSIG`
//! reaches only direct children: a wrapper script dies, the engine that it started goes on. So each process that starts
//! commands has a watchdog, a child that waits at a pipe. Each command leads a session of its own and writes its number
//! to the pipe before it becomes the command, so there is no moment in which it runs unknown. When the pipe closes, for
//! whatever reason, the watchdog kills the groups that are left, and removes the modules that were written for them.
//! It knows process groups: a process that leaves its command's session on purpose is not followed.
//!
//! The watchdog is a fork without an exec: it must work in every program that uses this library, and those do not all
//! know an argument that would make them one. So it makes system calls only, on memory that was prepared before.

use super::scratch;
use std::ffi::CString;
use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Commands of one process that run at the same time, at most: there is one a thread.
const MOST_GROUPS: usize = 2 * scratch::MOST_FILES;
/// Bytes of a message: the number of a group that begins, or minus the number of one that has ended.
const MESSAGE_BYTES: usize = size_of::<libc::pid_t>();

/// The watchdog of this process, once there was a command.
static WATCHDOG: Mutex<Option<Watchdog>> = Mutex::new(None);

struct Watchdog {
    line: PipeWriter,
    process: libc::pid_t,
}

fn watchdog() -> MutexGuard<'static, Option<Watchdog>> {
    WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the watchdog if there is none. Fails if it does not start.
pub(super) fn ready() -> io::Result<()> {
    line().map(|_| ())
}

/// The pipe to the watchdog: a descriptor of its own, so that ending the watchdog meanwhile does not give the number to
/// something else.
fn line() -> io::Result<PipeWriter> {
    let mut watchdog = watchdog();
    let present = match watchdog.take() {
        Some(present) => present,
        None => Watchdog::start()?,
    };
    let line = present.line.try_clone();
    *watchdog = Some(present);
    line
}

/// Starts a command in a session of its own, watched. Fails if it does not start.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    let line = line()?;
    let fd = line.as_raw_fd();
    // SAFETY: between fork and exec `announce` makes system calls only and allocates nothing.
    unsafe { command.pre_exec(move || announce(fd)) };
    command.spawn()
}

/// In the process that becomes a command: makes it the leader of a session and tells the watchdog.
fn announce(line: RawFd) -> io::Result<()> {
    // SAFETY: the calls take numbers, and `write` reads as many bytes as the number has.
    unsafe {
        libc::setsid();
        let process = libc::getpid();
        // Without a watchdog the write fails, and the command is not started; it must not die of a signal that looks
        // like its own.
        let before = libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let written = libc::write(line, (&raw const process).cast(), MESSAGE_BYTES);
        let error = io::Error::last_os_error();
        libc::signal(libc::SIGPIPE, before);
        if written == MESSAGE_BYTES as isize { Ok(()) } else { Err(error) }
    }
}

/// Kills all that is left of a command whose leader was not yet waited for: its number cannot be another's.
pub(super) fn end_group(leader: &Child) {
    let Ok(process) = libc::pid_t::try_from(leader.id()) else { return };
    // SAFETY: the call takes numbers.
    unsafe { libc::kill(-process, libc::SIGKILL) };
    if let Some(watchdog) = &mut *watchdog() {
        // A watchdog that no longer reads kills no groups either.
        let _ = watchdog.line.write_all(&(-process).to_ne_bytes());
    }
}

/// Ends the watchdog of this process and waits for it. No command must be under way.
pub(super) fn end() {
    let Some(Watchdog { line, process }) = watchdog().take() else { return };
    drop(line);
    let mut status = 0;
    // SAFETY: the call takes a number, and a place for one.
    while unsafe { libc::waitpid(process, &mut status, 0) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

impl Watchdog {
    /// Forks it. Fails if the system has no process or pipe to give.
    fn start() -> io::Result<Watchdog> {
        let (ear, line) = io::pipe()?;
        let folder = CString::new(scratch::folder()?.as_os_str().as_encoded_bytes())?;
        let files = texts(scratch::own_files()?)?;
        let shared = texts(std::iter::once(scratch::shared_file()?))?;
        // SAFETY: the child makes system calls only, which is allowed after a fork in a process with threads.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => watch(ear.as_raw_fd(), &folder, &files, &shared),
            process => Ok(Watchdog { line, process }),
        }
    }
}

/// Paths as the system takes them.
fn texts(paths: impl Iterator<Item = PathBuf>) -> io::Result<Vec<CString>> {
    paths.map(|path| Ok(CString::new(path.into_os_string().into_encoded_bytes())?)).collect()
}

/// The watchdog's life. Nothing here may allocate, panic or take a lock.
fn watch(ear: RawFd, folder: &CString, files: &[CString], shared: &[CString]) -> ! {
    let mut groups: [libc::pid_t; MOST_GROUPS] = [0; MOST_GROUPS];
    // SAFETY: the calls take numbers, texts that end in zero, and places in memory of the size that is given.
    unsafe {
        // An interrupt from the terminal is not for it.
        libc::setsid();
        // Pipes and locks of the process are not to be held open by it. Its ear becomes standard input.
        libc::dup2(ear, 0);
        close_from(1);
        loop {
            let mut number: libc::pid_t = 0;
            let read = libc::read(0, (&raw mut number).cast(), MESSAGE_BYTES);
            if read == MESSAGE_BYTES as isize {
                let (old, new) = if number < 0 { (-number, 0) } else { (0, number) };
                if let Some(group) = groups.iter_mut().find(|group| **group == old) {
                    *group = new;
                }
            } else if read == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                break;
            }
        }
        for group in groups {
            if group != 0 {
                libc::kill(-group, libc::SIGKILL);
            }
        }
        for file in files {
            libc::unlink(file.as_ptr());
        }
        // The run's folder goes too if the run is over: then its lock is free. Other watchdogs share it.
        let folder_fd = libc::open(folder.as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC);
        if folder_fd >= 0 && is_over(folder_fd) {
            for file in shared {
                libc::unlink(file.as_ptr());
            }
            libc::rmdir(folder.as_ptr());
        }
        libc::_exit(0)
    }
}

/// Whether the run is over that holds a lock on a folder. A run that is killed loses its workers first and its lock when
/// the last of its threads has ended, so it gets a moment.
///
/// # Safety
///
/// The descriptor must be open. As everything in a watchdog this makes system calls only.
unsafe fn is_over(folder: RawFd) -> bool {
    const LOOKS: u32 = 50;
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    for _ in 0..LOOKS {
        // SAFETY: the calls take numbers, and a time that outlives the call.
        unsafe {
            if libc::flock(folder, libc::LOCK_SH | libc::LOCK_NB) == 0 {
                return true;
            }
            libc::nanosleep(&pause, std::ptr::null_mut());
        }
    }
    false
}

/// Closes all descriptors from that number on.
///
/// # Safety
///
/// Nothing in this process may use them any more.
unsafe fn close_from(first: RawFd) {
    // SAFETY: the calls take numbers; the caller does without the descriptors.
    unsafe {
        #[cfg(target_os = "linux")]
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) == 0 {
            return;
        }
        let open = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 1 << 16) as RawFd;
        for fd in first..open {
            libc::close(fd);
        }
    }
}
