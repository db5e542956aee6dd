//! The modes: the only file of the engine that names them. One row a mode.

use crate::executor::{Execution, Executor};
use std::fmt;
use std::str::FromStr;

/// One way the engine executes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Mode {
    /// In-place interpreter over the module's own bytes.
    Interp,
    /// Register interpreter over lowered code.
    FastInterp,
    /// Machine code in one pass; available on x86-64 Linux.
    Baseline,
}

struct Row {
    mode: Mode,
    summary: &'static str,
    executor: &'static dyn Executor,
    /// Whether what the mode makes can run in this process.
    runs_here: bool,
}

const ROWS: &[Row] = &[
    Row {
        mode: Mode::Interp,
        summary: "in-place interpreter over the module's own bytes, with a side table",
        executor: &crate::interp::Interp,
        runs_here: true,
    },
    Row {
        mode: Mode::FastInterp,
        summary: "register interpreter over code lowered from the module",
        executor: &crate::fast_interp::FastInterp,
        runs_here: true,
    },
    #[cfg(target_os = "linux")]
    Row {
        mode: Mode::Baseline,
        summary: "machine code made in one pass over the module's bytes",
        executor: &crate::baseline::Baseline,
        runs_here: cfg!(target_arch = "x86_64"),
    },
];

impl Mode {
    /// Every mode that runs here, the reference first.
    pub fn all() -> impl Iterator<Item = Mode> {
        ROWS.iter().filter(|row| row.runs_here).map(|row| row.mode)
    }

    /// Its name, as people type it.
    pub fn name(self) -> &'static str {
        self.executor().name()
    }

    /// What it is, in a line.
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// Whether it makes machine code.
    pub fn is_compiled(self) -> bool {
        match self {
            Mode::Interp | Mode::FastInterp => false,
            Mode::Baseline => true,
        }
    }

    /// Whether it executes an opcode.
    pub fn executes(self, opcode: crate::opcode::Opcode) -> bool {
        self.executor().executes(opcode)
    }

    /// How it executes an opcode; `None` if it does not.
    pub fn execution(self, opcode: crate::opcode::Opcode) -> Option<Execution> {
        self.executes(opcode).then(|| self.executor().execution(opcode))
    }

    pub(crate) fn executor(self) -> &'static dyn Executor {
        self.row().executor
    }

    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.mode == self).expect("every mode has a row")
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Mode, String> {
        Mode::all().find(|mode| mode.name() == name).ok_or_else(|| {
            let known: Vec<_> = Mode::all().map(Mode::name).collect();
            format!("no mode is called `{name}`; there are {}", known.join(", "))
        })
    }
}
