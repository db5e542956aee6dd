//! Runs cases on subjects, and judges nothing.
//!
//! Where subjects run is the [`Ground`]: in this process, which is simple and dies with them, or in worker
//! processes. What is asked of them, and what they answer, is the same on both.

use crate::disassembly::{self, not_shown};
use crate::guard::guarded;
use crate::observe::Capture;
use crate::subject::{Lane, Shown, Subject, Task, Unwatched, observe_all};
#[cfg(unix)]
use crate::worker::{Halt, Lease, Workers};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Where subjects run.
#[derive(Clone, Copy)]
pub enum Ground<'a> {
    /// In this process. What kills a subject ends the run; nothing but a debugger wants that.
    InProcess,
    /// In worker processes.
    #[cfg(unix)]
    Workers(&'a Workers),
    /// In worker processes, for no longer than that.
    #[cfg(unix)]
    Halting(&'a Workers, Halt<'a>),
    /// Workers need a Unix; this borrows for them elsewhere, and cannot be made.
    #[cfg(not(unix))]
    Workers(&'a std::convert::Infallible),
}

impl<'a> Ground<'a> {
    /// This ground until `stop` is set or the time comes: from then on what is asked there fails, also while a subject
    /// hangs. In this process nothing can be ended from outside.
    pub fn until(self, stop: &'a AtomicBool, until: Option<Instant>) -> Ground<'a> {
        #[cfg(unix)]
        if let Some((workers, halt)) = self.workers() {
            return Ground::Halting(workers, Halt { stop: Some(stop), until, ..halt });
        }
        let _ = (stop, until);
        self
    }

    /// This ground for a case in which a subject hangs: a far shorter timeout shows that as well.
    pub fn expecting_a_hang(self) -> Ground<'a> {
        /// The usual timeout is for the slowest of machines and cases; a subject that used it up once on a case is
        /// known to hang.
        const SHARE: u32 = 20;
        #[cfg(unix)]
        if let Some((workers, halt)) = self.workers() {
            let hang_timeout = Some(workers.timeout() / SHARE);
            return Ground::Halting(workers, Halt { hang_timeout, ..halt });
        }
        self
    }

    /// The workers, and until when they are asked; none if subjects run in this process.
    #[cfg(unix)]
    pub fn workers(self) -> Option<(&'a Workers, Halt<'a>)> {
        match self {
            Ground::InProcess => None,
            Ground::Workers(workers) => Some((workers, Halt::default())),
            Ground::Halting(workers, halt) => Some((workers, halt)),
        }
    }

    /// What runs cases there, one after the other. Fails if no worker can be had.
    pub fn runner(self) -> Result<Runner<'a>, String> {
        #[cfg(unix)]
        if let Some((workers, halt)) = self.workers() {
            return Ok(Runner::Worker(Box::new(workers.lease_until(halt)?)));
        }
        Ok(Runner::InProcess)
    }
}

/// Runs cases one after the other.
pub enum Runner<'a> {
    /// In this process.
    InProcess,
    /// In a worker process, which is replaced if it dies.
    #[cfg(unix)]
    Worker(Box<Lease<'a>>),
    /// Workers need a Unix; this borrows for them elsewhere, and cannot be made.
    #[cfg(not(unix))]
    Worker(&'a std::convert::Infallible),
}

impl Runner<'_> {
    /// What the subjects of a task show. Fails if no worker can be had, or time is up.
    pub fn shown(&mut self, task: &Task, capture: Capture) -> Result<Shown, String> {
        match self {
            Runner::InProcess => {
                let subjects: Vec<&dyn Subject> = task.subjects.iter().map(|subject| &**subject).collect();
                Ok(observe_all(&task.case, &subjects, capture, &mut Unwatched))
            }
            #[cfg(unix)]
            Runner::Worker(lease) => lease.quickly(task, capture),
            #[cfg(not(unix))]
            Runner::Worker(never) => match **never {},
        }
    }
}

/// What a lane makes of an instruction of a module, line by line, on that ground: compiling the module may panic, crash
/// or hang. What keeps it from being shown is a line, too.
pub fn made_of(ground: Ground<'_>, lane: Lane, wasm: &[u8], function: u32, offset: u32) -> Vec<String> {
    #[cfg(unix)]
    if let Some((workers, halt)) = ground.workers() {
        let lines = workers
            .lease_until(halt)
            .and_then(|mut lease| lease.explain(&lane.to_string(), wasm, function, offset));
        return lines.unwrap_or_else(not_shown);
    }
    guarded(|| disassembly::made_of(lane, wasm, function, offset)).unwrap_or_else(not_shown)
}
