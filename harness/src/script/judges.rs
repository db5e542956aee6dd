//! Scripts through outside engines, a stretch of a script at a time.
//!
//! An engine that dies of a directive fails it; the stretch is asked again without it, so that the rest is judged too.
//! After that, and after anything else that did not happen as the script wants it, a wrong result may follow from what
//! is missing: it is counted as unsupported, with the cause, and only a right one counts.

use super::ScriptFile;
use super::expect::Expectation;
use super::lane::Skip;
use super::outside::{Said, judge, judge_refusal};
use super::questions::{Act, Ask, Expected, Questions, Stretch};
use super::read::{Part, read};
use super::report::{Failure, JudgeReport, SkipEntry};
use super::settings::Settings;
use super::text::Lines;
use crate::case::Case;
use crate::guard::guarded;
use crate::observe::{Observation, Outcome};
use crate::subject::{Acceptance, ScriptRun, Subject};
use crosscheck_engine::{Config, Engine, Mode};
use crosscheck_spec_tests::excuses;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Directives that an engine may die of in one stretch before the rest is given up.
const DEATHS: usize = 8;

/// Where outside engines are asked.
pub trait Bench {
    /// What an engine shows on a case, its death included; none if a module of the case is invalid. Fails if the engine
    /// cannot be asked at all.
    fn observe(&mut self, engine: &Arc<dyn Subject>, case: &Case) -> Result<Option<Observation>, String>;

    /// What an engine says of bytes that may be a module. Fails as [`Bench::observe`] does.
    fn accepts(&mut self, engine: &Arc<dyn Subject>, wasm: &[u8]) -> Result<Acceptance, String>;
}

/// Runs a script through outside engines, a report each. A text that is no script has none.
pub fn judge_script(
    file: &ScriptFile,
    engines: &[Arc<dyn Subject>],
    bench: &mut dyn Bench,
) -> Result<Vec<JudgeReport>, String> {
    if engines.is_empty() {
        return Ok(Vec::new());
    }
    match guarded(|| judge_all(file, engines, bench)) {
        Ok(reports) => reports,
        Err(panic) => Ok(engines.iter().map(|engine| panicked(file, &**engine, &panic)).collect()),
    }
}

fn judge_all(
    file: &ScriptFile,
    engines: &[Arc<dyn Subject>],
    bench: &mut dyn Bench,
) -> Result<Vec<JudgeReport>, String> {
    let lines = Lines::of(&file.text);
    let mode = Mode::all().next().expect("there is a mode");
    let decoder = Engine::new(&Config::new(mode));
    let all = read(file, &lines, |parts| {
        let settings = Settings::of(file)?;
        let (is_metered, is_deterministic) = (settings.is_metered(), settings.is_deterministic);
        let is_due = |part: &Part<'_>| file.line.is_none_or(|only| lines.line(part.span()) <= only);
        let parts = parts.into_iter().filter(is_due).collect();
        let questions = Questions::of(parts, &lines, settings, &decoder);
        let asked = engines.iter().map(|engine| {
            Asking { questions: &questions, engine, bench: &mut *bench, is_metered, is_deterministic }
                .script(file)
        });
        Ok(asked.collect())
    });
    // What is wrong with the text, our lanes say.
    all.unwrap_or_else(|_| Ok(Vec::new()))
}

/// The report of an engine that was not asked about a script, for making its cases panicked.
fn panicked(file: &ScriptFile, engine: &dyn Subject, panic: &str) -> JudgeReport {
    let mut report = JudgeReport::of(engine.name(), engine.version());
    report.counts.steps_failed = 1;
    let message = format!("making cases of this script panicked: {panic}");
    report.failures.push(Failure { file: file.path(), line: 1, mode: engine.name().to_string(), message });
    report
}

/// One engine that is asked about one script.
struct Asking<'q, 'b> {
    questions: &'q Questions<'q>,
    engine: &'q Arc<dyn Subject>,
    bench: &'b mut dyn Bench,
    /// Whether the script counts on this bench's own fuel or depth.
    is_metered: bool,
    /// Whether it asserts bits that only the deterministic profile fixes.
    is_deterministic: bool,
}

/// What is said of a step: not yet anything, or a verdict with the line of its cause.
type Verdicts = Vec<Option<(Said, u32)>>;

impl Asking<'_, '_> {
    fn script(&mut self, file: &ScriptFile) -> Result<JudgeReport, String> {
        // The engine's own runner says nothing of a single line.
        let by_runner = file.line.is_none().then(|| self.engine.run_script(&file.text)).flatten();
        let verdicts = match by_runner {
            Some(run) => self.by_own_runner(&run),
            None => self.verdicts()?,
        };
        Ok(self.report(file, verdicts))
    }

    /// The engine has a runner of scripts, which says one thing about all assertions.
    fn by_own_runner(&self, run: &ScriptRun) -> Verdicts {
        let steps = &self.questions.steps;
        let first = steps.iter().position(|step| step.is_assertion).unwrap_or(0);
        let said = |number: usize| match run {
            ScriptRun::Passed => Said::Passed,
            ScriptRun::NotRun(why) => Said::Unsupported(why.clone()),
            ScriptRun::Failed(why) if number == first => {
                Said::Failed(format!("the engine's own runner of scripts: {why}"))
            }
            ScriptRun::Failed(_) => {
                Said::Unsupported("the engine's own runner fails somewhere in this script".into())
            }
        };
        steps.iter().enumerate().map(|(number, step)| Some((said(number), step.line))).collect()
    }

    fn verdicts(&mut self) -> Result<Verdicts, String> {
        let mut verdicts: Verdicts = vec![None; self.questions.steps.len()];
        for (step, verdict) in self.questions.steps.iter().zip(&mut verdicts) {
            *verdict = match (&step.ask, &step.expected) {
                (Ask::Nothing(skip), _) => Some((Said::Unsupported(skip.reason.to_string()), skip.line)),
                (Ask::Naming, _) => Some((Said::Passed, step.line)),
                (Ask::IsValid(wasm), Expected::Refusal(wanted)) => {
                    let acceptance = self.bench.accepts(self.engine, wasm)?;
                    Some((judge_refusal(wanted, &acceptance), step.line))
                }
                (Ask::IsValid(_) | Ask::Act { .. }, _) => None,
            };
        }
        for stretch in &self.questions.stretches {
            self.stretch(stretch, &mut verdicts)?;
        }
        Ok(verdicts)
    }

    fn stretch(&mut self, stretch: &Stretch, verdicts: &mut Verdicts) -> Result<(), String> {
        let mut state = StretchState { gone: HashMap::new(), removed: BTreeSet::new(), clouded: None };
        if let Some((_, line)) = self.first_unasked(stretch) {
            state.clouded = Some(line);
        }
        let mut deaths = 0;
        loop {
            let steps = self.due(stretch, &mut state, verdicts);
            if steps.iter().all(|step| verdicts[*step].is_some()) {
                return Ok(());
            }
            let (case, before) = self.questions.case(stretch, &steps);
            let Some(observation) = self.bench.observe(self.engine, &case)? else {
                self.give_up(&steps, "a module is invalid to this build", verdicts);
                return Ok(());
            };
            let outcomes = observation.actions.iter().map(|action| &action.outcome);
            if let Some(failed) = outcomes.clone().take(before).find(|o| !matches!(o, Outcome::Values(_))) {
                let why = format!("`spectest` cannot be made: {}", failed.describe());
                self.give_up(&steps, &why, verdicts);
                return Ok(());
            }
            let mut last = None;
            for (step, outcome) in steps.iter().zip(outcomes.skip(before)) {
                last = Some((*step, outcome));
                // What is done with an instance that there is not says nothing, unless the engine dies of it.
                if self.gone(*step, &state).is_none() || outcome.failure().is_some() {
                    self.note(*step, outcome, &mut state, verdicts);
                }
            }
            let is_whole = observation.actions.len() == case.actions.len();
            match last {
                Some((step, outcome)) if outcome.failure().is_some() => {
                    deaths += 1;
                    state.remove(step, self.questions.steps[step].line);
                    if deaths == DEATHS {
                        let why = format!("the engine died {DEATHS} times in this part of the script");
                        self.give_up(&steps, &why, verdicts);
                        return Ok(());
                    }
                }
                // An instance is dead from here on, so what it is needed for is no longer due.
                _ if is_whole => {
                    if self.due(stretch, &mut state, verdicts).len() == steps.len() {
                        return Ok(());
                    }
                }
                // It shows nothing after this action.
                Some((step, _)) => state.remove(step, self.questions.steps[step].line),
                None => {
                    self.give_up(&steps, "the engine shows nothing", verdicts);
                    return Ok(());
                }
            }
        }
    }

    /// The first step of a stretch about which nothing can be asked, though it would change something.
    fn first_unasked(&self, stretch: &Stretch) -> Option<(usize, u32)> {
        let steps = stretch.steps.iter().map(|step| (*step, self.questions.steps[*step].line));
        steps.into_iter().find(|(step, _)| self.is_spared(*step))
    }

    /// Whether a step would never end where no fuel is counted.
    fn is_spared(&self, step: usize) -> bool {
        let expects_no_fuel = matches!(self.questions.steps[step].expected, Expected::Trap("out of fuel"));
        expects_no_fuel && !self.engine.ends_by_itself()
    }

    /// The steps that can be asked together now; those that never can get their verdict.
    fn due(&self, stretch: &Stretch, state: &mut StretchState, verdicts: &mut Verdicts) -> Vec<usize> {
        let mut due = Vec::with_capacity(stretch.steps.len());
        for number in &stretch.steps {
            let Ask::Act { instance, act } = &self.questions.steps[*number].ask else { continue };
            let gone = self.gone(*number, state);
            if let (Some(skip), Act::Instantiate) = (&gone, act) {
                state.gone.entry(*instance).or_insert_with(|| skip.clone());
            }
            let gone = match self.is_spared(*number) {
                true => Some(Skip {
                    line: self.questions.steps[*number].line,
                    reason: "the engine counts no fuel".into(),
                }),
                false => gone,
            };
            match gone {
                Some(skip) => {
                    let verdict = (Said::Unsupported(skip.reason.to_string()), skip.line);
                    verdicts[*number].get_or_insert(verdict);
                }
                None if !state.removed.contains(number) => due.push(*number),
                None => {}
            }
        }
        due
    }

    /// Why an instance is not there that a step needs, if one is not.
    fn gone(&self, step: usize, state: &StretchState) -> Option<Skip> {
        let Ask::Act { instance, act } = &self.questions.steps[step].ask else { return None };
        let needs: &[usize] = match act {
            Act::Instantiate => self.questions.links(*instance),
            Act::Invoke { .. } | Act::Read { .. } => std::slice::from_ref(instance),
        };
        needs.iter().find_map(|needed| state.gone.get(needed)).cloned()
    }

    /// Notes what an outcome says of a step, unless it was judged before.
    fn note(&self, number: usize, outcome: &Outcome, state: &mut StretchState, verdicts: &mut Verdicts) {
        let step = &self.questions.steps[number];
        let Some(expectation) = step.expected.of_action() else { return };
        let said = judge(&expectation, outcome, self.engine.capabilities());
        let has_died = outcome.failure().is_some();
        let mut cause = step.line;
        let said = match (said, state.clouded) {
            (Said::Failed(_), Some(line)) if !has_died => {
                cause = line;
                Said::Unsupported(
                    "it may follow from a directive that did not run as the script has it".into(),
                )
            }
            (Said::Failed(_), None) if !has_died && self.is_deterministic => Said::Unsupported(
                "the script asserts NaN bits that only the deterministic profile fixes".into(),
            ),
            (Said::Failed(_), None) if self.is_metered && is_about_room(&step.expected, outcome) => {
                Said::Unsupported("the script counts on fuel and frames of this bench".into())
            }
            (said, _) => said,
        };
        if let Ask::Act { instance, act: Act::Instantiate } = &step.ask
            && !matches!(outcome, Outcome::Values(_))
            && matches!(expectation, Expectation::Success)
        {
            let reason = match &said {
                Said::Unsupported(reason) => reason.clone(),
                Said::Passed | Said::Failed(_) => "the module was not instantiated".to_string(),
            };
            state.gone.insert(*instance, Skip { line: step.line, reason: reason.into() });
        }
        if let Said::Unsupported(_) = said {
            state.clouded.get_or_insert(step.line);
        }
        verdicts[number].get_or_insert((said, cause));
    }

    /// Nothing more is found out about these steps.
    fn give_up(&self, steps: &[usize], why: &str, verdicts: &mut Verdicts) {
        for step in steps {
            let line = self.questions.steps[*step].line;
            verdicts[*step].get_or_insert((Said::Unsupported(why.to_string()), line));
        }
    }

    fn report(&self, file: &ScriptFile, verdicts: Verdicts) -> JudgeReport {
        let mut report = JudgeReport::of(self.engine.name(), self.engine.version());
        let mut unsupported: BTreeMap<(u32, String), u64> = BTreeMap::new();
        for (step, verdict) in self.questions.steps.iter().zip(verdicts) {
            if file.line.is_some_and(|only| only != step.line) {
                continue;
            }
            let (said, cause) = verdict.expect("every step got its verdict");
            let is_excused = excuses::find(&file.group, &file.name, step.line).is_some();
            match said {
                Said::Passed if step.is_assertion => report.counts.passed += 1,
                Said::Passed => {}
                Said::Failed(_) if is_excused => report.counts.excused += 1,
                Said::Failed(message) => {
                    match step.is_assertion {
                        true => report.counts.failed += 1,
                        false => report.counts.steps_failed += 1,
                    }
                    let mode = self.engine.name().to_string();
                    report.failures.push(Failure { file: file.path(), line: step.line, mode, message });
                }
                Said::Unsupported(reason) if step.is_assertion => {
                    report.counts.unsupported += 1;
                    *unsupported.entry((cause, reason)).or_default() += 1;
                }
                Said::Unsupported(_) => {}
            }
        }
        let entry = |((line, reason), count): ((u32, String), u64)| SkipEntry {
            file: file.path(),
            line,
            count,
            modes: vec![self.engine.name().to_string()],
            reason,
        };
        report.unsupported = unsupported.into_iter().map(entry).collect();
        report
    }
}

/// Whether fuel or stack run out, or are expected to.
fn is_about_room(expected: &Expected<'_>, outcome: &Outcome) -> bool {
    let is_expected = matches!(expected, Expected::Trap("out of fuel" | "call stack exhausted"));
    is_expected || outcome.kind() == "exhausted"
}

/// What is known of a stretch while it is asked about.
struct StretchState {
    /// Instances that there are not, and why.
    gone: HashMap<usize, Skip>,
    /// Steps that are left out: the engine died of them, or shows nothing after them.
    removed: BTreeSet<usize>,
    /// The line of the first directive that did not run as the script has it.
    clouded: Option<u32>,
}

impl StretchState {
    fn remove(&mut self, step: usize, line: u32) {
        self.removed.insert(step);
        self.clouded.get_or_insert(line);
    }
}

#[cfg(test)]
mod tests;
