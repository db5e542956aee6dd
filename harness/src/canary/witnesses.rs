//! Cases of which only one comparison of the harness can see what is wrong with them.
//!
//! A harness that is blind in one eye finds nothing and says that all is well. So for each comparison there is a
//! witness: a small case, and a fault of the engine that shows in nothing else. To know whether the
//! harness sees, all of them are run; each must diverge.

use super::{plant, unplant};
use crate::case::{Action, Case};
use crate::compare::{Kind, Verdict};
use crate::generate::plan::plan;
use crate::observe::Capture;
use crate::run::Ground;
use crate::subject::{Lane, LaneSubject, Task};
use crate::trial::run_task;
use crate::worker::{Options, PLANTED, Workers};
use crosscheck_engine::Mode;
use std::ffi::OsString;

/// A case that one comparison must see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Witness {
    /// The harness's fault that makes this comparison blind.
    pub blinded_by: &'static str,
    /// The engine's fault that it must see.
    pub fault: &'static str,
    /// The module, of which `f` is called.
    pub module: &'static str,
    /// What differs.
    pub kind: Kind,
}

/// A witness for each fault of the harness.
pub const WITNESSES: &[Witness] = &[
    Witness {
        blinded_by: "compare-ignores-the-sign-of-zero",
        fault: "interp:f32.min:corner/zeros-of-both-signs/31",
        module: r#"(module (func (export "f") (result f32) (f32.min (f32.const 0) (f32.const -0))))"#,
        kind: Kind::Values,
    },
    Witness {
        blinded_by: "compare-skips-memory-size",
        fault: "interp-memory-grows-a-page-more",
        module: r#"(module (memory 1) (func (export "f") (drop (memory.grow (i32.const 1)))))"#,
        kind: Kind::MemorySize,
    },
    Witness {
        blinded_by: "compare-drops-backtraces",
        fault: "native-innermost-frame-at-zero",
        module: r#"(module (func (export "f") unreachable))"#,
        kind: Kind::Frames,
    },
];

impl Witness {
    /// Whether the harness sees what is wrong; with its own fault planted if `blind` says so. `program` is this
    /// program, which runs as a worker.
    ///
    /// Fails if no worker can be had, or nothing here has the fault, so it cannot be said.
    pub fn is_seen(&self, program: &OsString, blind: bool) -> Result<bool, String> {
        let case = self.case()?;
        // Some of what is compared is digested where it is observed.
        let planted =
            if blind { format!("{},{}", self.fault, self.blinded_by) } else { self.fault.to_string() };
        let command = vec![program.clone(), PLANTED.into(), planted.into()];
        let workers = Workers::start(Options { command, ..Options::of("") })?;
        let subjects = Mode::all().map(|mode| LaneSubject::shared(Lane::plain(mode))).collect();
        if blind {
            plant(self.blinded_by)?;
        }
        let run = run_task(Ground::Workers(&workers), &Task { case, subjects }, Capture::Digest);
        if blind {
            unplant();
        }
        match run?.verdict {
            Verdict::Diverge(divergence) if divergence.first.kind == self.kind => Ok(true),
            Verdict::Diverge(divergence) => Err(format!("{}: {}", self.fault, divergence.first)),
            Verdict::Agree => Ok(false),
            Verdict::Inconclusive(reason) => Err(reason),
            Verdict::Invalid => Err("the witness is no valid module".into()),
        }
    }

    fn case(&self) -> Result<Case, String> {
        let buffer = wast::parser::ParseBuffer::new(self.module).map_err(|error| error.to_string())?;
        let module = wast::parser::parse::<wast::Wat>(&buffer).and_then(|mut module| module.encode());
        let wasm = module.map_err(|error| error.to_string())?;
        let mut case = plan(wasm, 0).map_err(|error| error.to_string())?;
        case.actions = vec![
            Action::Instantiate { module: 0 },
            Action::Invoke { module: 0, export: "f".into(), args: Vec::new() },
        ];
        Ok(case)
    }
}
