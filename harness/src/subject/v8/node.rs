//! A `node` process: started with our script, fed by its standard input, ended with it.

use super::wire::{Frame, Message, Wire};
use crate::observe::Outcome;
use std::io::{self, ErrorKind};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};

/// What the process runs, handed over on its command line: nothing is written to disk.
const SCRIPT: &str = include_str!("peer.js");
/// The oldest release of node that is asked to: tables and memories behave as the script expects since then.
const LEAST_NODE: u32 = 18;

/// Flags for proposals that V8 has and does not execute by itself. A release that knows one no longer, because it
/// always executes it, takes no notice.
const PROPOSAL_FLAGS: [&str; 9] = [
    "--experimental-wasm-extended-const",
    "--experimental-wasm-return-call",
    "--experimental-wasm-relaxed-simd",
    "--experimental-wasm-memory64",
    "--experimental-wasm-multi-memory",
    "--experimental-wasm-typed-funcref",
    "--experimental-wasm-gc",
    "--experimental-wasm-exnref",
    "--experimental-wasm-wide-arithmetic",
];

/// The process, and the pipe to it.
pub(super) struct Node {
    pub child: Child,
    pub wire: Wire,
    /// Versions of node and V8.
    pub node: String,
    pub v8: String,
}

impl Node {
    /// Starts a process with these flags of V8. Fails, in one line, if there is no node or one that is too old.
    pub fn start(flags: &[&str]) -> Result<Node, String> {
        let mut command = Command::new("node");
        // Collecting on other threads costs more than it saves: cases are small, and the campaign waits.
        command
            .args(["--expose-gc", "--single-threaded-gc", "-e", SCRIPT, "--"])
            .args(PROPOSAL_FLAGS)
            .args(flags);
        // Flags that a release does not know are complained about there.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = spawn(command).map_err(|error| match error.kind() {
            ErrorKind::NotFound => "there is no `node` in PATH".to_string(),
            _ => format!("cannot start `node`: {error}"),
        })?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let wire = Wire::new(to.expect("it is piped"), from.expect("it is piped"));
        let mut node = Node { child, wire, node: String::new(), v8: String::new() };
        let too_old = |version: &str| format!("`node` is {version}, and has to be {LEAST_NODE} or newer");
        match node.wire.receive() {
            Ok(Message::Greeting { node: version, v8 }) => {
                let major = version.split('.').next().and_then(|major| major.parse().ok());
                if major.is_none_or(|major: u32| major < LEAST_NODE) {
                    return Err(too_old(&version));
                }
                (node.node, node.v8) = (version, v8);
                Ok(node)
            }
            Ok(_) | Err(_) => Err("`node` does not run our script".to_string()),
        }
    }

    /// Whether it is still there.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it executes a module that this engine finds valid.
    pub fn accepts(&mut self, wasm: &[u8]) -> io::Result<bool> {
        let mut frame = Frame::new(b'B');
        frame.fields().blob(wasm);
        self.wire.send(frame)?;
        match self.wire.receive()? {
            Message::IsValid(valid) => Ok(valid),
            _ => Err(super::wire::garbled("an answer to another question")),
        }
    }

    /// How it ended, if the pipe says `error`.
    pub fn death(mut self, error: &io::Error) -> Outcome {
        if error.kind() == ErrorKind::InvalidData {
            return Outcome::Crash(format!("what node says is garbled: {error}"));
        }
        match self.child.wait() {
            Ok(status) => ended(status),
            Err(error) => Outcome::Crash(format!("node is gone: {error}")),
        }
    }
}

/// What it shows of V8 that the process ended.
#[cfg(unix)]
fn ended(status: std::process::ExitStatus) -> Outcome {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        // Nothing in the process sends itself this one: the system was short of memory, or a user ended it.
        (Some(libc::SIGKILL), _) => Outcome::Resources("node was killed".to_string()),
        (Some(signal), _) => Outcome::Crash(format!("{} of node", crate::guard::signal_name(signal))),
        (None, code) => Outcome::Crash(format!("node ends with code {}", code.unwrap_or(-1))),
    }
}

#[cfg(not(unix))]
fn ended(status: std::process::ExitStatus) -> Outcome {
    Outcome::Crash(format!("node ends with code {}", status.code().unwrap_or(-1)))
}

/// Starts a process from a thread that lives as long as this process: what Linux takes for the parent, which the
/// child is not to outlive, is a thread.
pub(in crate::subject) fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, SyncSender<io::Result<Child>>);
    static ORDERS: OnceLock<SyncSender<Order>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (orders, taken) = sync_channel::<Order>(0);
        std::thread::spawn(move || {
            for (mut command, answer) in taken {
                settle(&mut command);
                // If it is not taken, the caller is gone.
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, answered) = sync_channel(1);
    let gone = || io::Error::other("the thread that starts processes is gone");
    orders.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

/// An interrupt from the terminal is for this process, which lets node finish. Node may be in a loop without end when
/// this process is killed, and then must not outlive it.
#[cfg(unix)]
fn settle(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
    // SAFETY: between fork and exec only a system call is made, which takes numbers.
    #[cfg(target_os = "linux")]
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

#[cfg(not(unix))]
fn settle(_: &mut Command) {}

impl Drop for Node {
    fn drop(&mut self) {
        // Idle, or of no more use.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
