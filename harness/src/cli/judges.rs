//! Outside engines as the command line names them, and what is asked of them before they judge.

use super::{Common, Failure};
use crate::events::least_share;
use crate::inquiry;
use crate::run::Ground;
use crate::subject::engines::{self, Engine};
use crate::subject::{self, Subject};
use std::sync::Arc;

impl Common {
    /// The outside engines that were asked for: those of `--with`, else all of the file. Fails before anything runs if
    /// one cannot be had.
    pub(super) fn judges(&self) -> Result<Vec<Arc<dyn Subject>>, Failure> {
        if self.with.is_empty() && self.engines.is_none() {
            return Ok(Vec::new());
        }
        #[cfg(unix)]
        subject::command::prepare(self.timeout).map_err(Failure::Bench)?;
        let file = self.engines_of_file()?;
        let mut judges: Vec<Arc<dyn Subject>> = Vec::new();
        for name in self.named(&file) {
            let engine = file.iter().find(|engine| engine.name == name);
            let judge = match engine {
                Some(engine) => of_file(engine)?,
                None => judge(&name, &file)?,
            };
            if judges.iter().any(|other| other.name() == judge.name()) {
                return Err(Failure::Usage(format!("--with: {} is named twice", judge.name())));
            }
            judges.push(judge);
        }
        Ok(judges)
    }

    /// The engines of the file of `--engines`.
    fn engines_of_file(&self) -> Result<Vec<Engine>, Failure> {
        let engines = self.engines.as_ref().map(|path| engines::read(path)).transpose();
        engines.map(Option::unwrap_or_default).map_err(|error| Failure::Usage(format!("--engines: {error}")))
    }

    /// What was asked for, one by one. A comma splits plain names only: in a command it may stand for itself.
    fn named(&self, file: &[Engine]) -> Vec<String> {
        if self.with.is_empty() {
            return file.iter().map(|engine| engine.name.clone()).collect();
        }
        let split = |text: &String| match text.contains('=') {
            true => vec![text.clone()],
            false => text.split(',').map(str::to_string).collect(),
        };
        self.with.iter().flat_map(split).collect()
    }

    /// The smallest share of so many cases that an engine must be compared on, in percent. What follows from its
    /// capabilities is a [mean](least_share); what the user says is meant as it is said.
    pub(super) fn least_judged(&self, judge: &dyn Subject, cases: u64) -> Result<f64, Failure> {
        let file = self.engines_of_file()?;
        let of_file =
            file.iter().find(|engine| engine.name == judge.name()).and_then(|engine| engine.min_judged);
        if let Some(said) = self.min_judged.or(of_file) {
            return Ok(said);
        }
        Ok(least_share(judge.least_judged(), cases))
    }

    /// Tells of the outside engines among some subjects that do not work; whether there is one.
    #[allow(clippy::print_stderr, reason = "it is why nothing runs")]
    pub(super) fn tells_of_unfit(
        &self,
        ground: Ground<'_>,
        subjects: &[Arc<dyn Subject>],
    ) -> Result<bool, Failure> {
        let judges: Vec<_> = subjects.iter().filter(|subject| subject.is_outside()).cloned().collect();
        let unfit = inquiry::unfit(ground, &judges).map_err(Failure::Bench)?;
        unfit.iter().for_each(|unfit| eprintln!("error: {}", unfit.why));
        Ok(!unfit.is_empty())
    }
}

/// The subject of an engine of the file.
fn of_file(engine: &Engine) -> Result<Arc<dyn Subject>, Failure> {
    let wrong = |error| Failure::Usage(format!("--engines: engine `{}`: {error}", engine.name));
    let subject = subject::named(&engine.definition).map_err(wrong)?;
    #[cfg(unix)]
    if let Some(features) = engine.features {
        subject::command::claim(&engine.definition, features).map_err(wrong)?;
    }
    #[cfg(unix)]
    if let Some(script) = &engine.script {
        let wrong = |error| wrong(format!("`script`: {error}"));
        subject::command::run_scripts_by(&engine.definition, script).map_err(wrong)?;
    }
    Ok(subject)
}

/// The subject of a name or definition.
fn judge(name: &str, file: &[Engine]) -> Result<Arc<dyn Subject>, Failure> {
    if !subject::is_known(name) && !name.contains('=') {
        let of_file = file.iter().map(|engine| engine.name.clone());
        let known: Vec<String> = of_file.chain(subject::known().map(str::to_string)).collect();
        let known = known.join(", ");
        return Err(Failure::Usage(format!(
            "--with: no outside engine is called `{name}`; there is {known}, or LABEL=COMMAND"
        )));
    }
    subject::named(name).map_err(|error| Failure::Usage(format!("--with {name}: {error}")))
}
