//! Where a command's subjects run: in workers, or in this process if that is asked for.

use super::{Common, Failure};
use crate::run::Ground;
use crate::script::{self, Lane, Options as ScriptOptions, ScriptFile, ScriptReport};
use crate::subject::Subject;
#[cfg(unix)]
use crate::worker::{self, Workers};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What must live as long as the run: the workers, if there are any.
pub struct Field {
    #[cfg(unix)]
    workers: Option<Workers>,
}

impl Field {
    /// This process.
    pub fn in_process() -> Field {
        Field {
            #[cfg(unix)]
            workers: None,
        }
    }

    /// Workers as the options want them. Fails if they do not start, or are of another time.
    #[cfg(unix)]
    pub fn of_workers(common: &Common) -> Result<Field, Failure> {
        let options = match &common.worker {
            None => worker::Options::own(),
            // A command of several words, but for a program whose name has spaces.
            Some(command) if std::path::Path::new(command).exists() => Ok(worker::Options::of(command)),
            Some(command) => {
                let command = command.split_whitespace().map(Into::into).collect();
                Ok(worker::Options { command, ..worker::Options::of("") })
            }
        };
        let options = options.map(|options| worker::Options { timeout: common.timeout, ..options });
        let workers = options.and_then(Workers::start).map_err(Failure::Bench)?;
        Ok(Field { workers: Some(workers) })
    }

    /// Workers need a Unix.
    #[cfg(not(unix))]
    pub fn of_workers(common: &Common) -> Result<Field, Failure> {
        match &common.worker {
            None => Ok(Field::in_process()),
            Some(_) => Err(Failure::Usage("--worker: this platform has no workers".into())),
        }
    }

    /// What the workers said of themselves, if they are not this program.
    pub fn worker_json(&self, common: &Common) -> Option<Json> {
        #[cfg(unix)]
        if let (Some(workers), Some(command)) = (&self.workers, &common.worker) {
            let greeting = workers.greeting();
            return Some(json!({
                "command": command,
                "build": greeting.build,
                "arch": greeting.arch,
                "cpu_features": greeting.cpu_features,
                "subjects": greeting.subjects,
                "switches": greeting.switches,
            }));
        }
        None
    }

    /// Where cases run.
    pub fn ground(&self) -> Ground<'_> {
        #[cfg(unix)]
        if let Some(workers) = &self.workers {
            return Ground::Workers(workers);
        }
        Ground::InProcess
    }

    /// Runs scripts there. Fails if no worker can be had.
    pub fn run_files(
        &self,
        files: &[ScriptFile],
        lanes: &[Lane],
        judges: &[Arc<dyn Subject>],
        stop: &AtomicBool,
        progress: &(dyn Fn(&ScriptFile, &ScriptReport) + Sync),
    ) -> Result<ScriptReport, String> {
        let options = ScriptOptions::default();
        #[cfg(unix)]
        if let Some(workers) = &self.workers {
            return worker::scripts::run_files_beside(
                workers, files, lanes, judges, &options, stop, progress,
            );
        }
        script::run_files_beside(files, lanes, judges, &options, stop, progress)
    }
}
