//! Walks over a script's directives: each is done in every lane, judged, compared and counted.

use super::build::{Built, Refusal, build};
use super::compare::{Extent, compare_all_state, compare_outcomes, compare_state};
use super::expect::{Expectation, Verdict, judge, judge_refusal};
use super::lane::{Action, Becomes, LaneState, Outcome, Skip, id};
use super::report::{DIFFERS, ExcuseEntry, Failure, ScriptReport, SkipEntry, Unreadable};
use super::settings::Settings;
use super::text::Lines;
use super::{Lane, LaneDeath, Options, ScriptFile, ScriptWatch};
use crate::coverage::Executed;
use crosscheck_engine::{Engine, Mode};
use crosscheck_spec_tests::excuses;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastThread};

/// Runs one script. Fails if the text is not a script.
pub(super) fn run(
    file: &ScriptFile,
    lanes: &[Lane],
    options: &Options,
    deaths: &[LaneDeath],
    watch: &mut dyn ScriptWatch,
) -> Result<ScriptReport, Unreadable> {
    let lines = Lines::of(&file.text);
    let unreadable = |error: wast::Error| Unreadable {
        file: file.path(),
        line: lines.line(error.span()),
        column: lines.column(error.span()),
        message: error.message(),
    };
    let mut lexer = Lexer::new(&file.text);
    // The suite has names in right-to-left scripts on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(unreadable)?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(unreadable)?;

    let Some((first, others)) = lanes.split_first() else {
        return Ok(ScriptReport { files: 1, ..ScriptReport::default() });
    };
    let settings = Settings::of(file)?;
    let first = settings.lane(first);
    let engine = Engine::new(&first.config);
    let state = |lane: &Lane, engine: Engine| LaneState::new(lane, engine, settings.fuel, settings.hosts);
    let mut states = vec![state(&first, engine.clone())];
    let others = others.iter().map(|lane| settings.lane(lane));
    states.extend(others.map(|lane| state(&lane, engine.sibling(&lane.config))));
    let executed = Arc::new(Executed::default());
    for (lane, state) in lanes.iter().zip(&mut states) {
        if lane.config.mode() == Mode::Interp {
            state.store.set_trace(Some(executed.clone()));
        }
    }
    let report = ScriptReport { files: 1, ..ScriptReport::of_lanes(lanes) };
    let skips = BTreeMap::new();
    let mut run = Run {
        file,
        options,
        deaths,
        watch,
        engine,
        lanes: states,
        executed,
        skips,
        report,
        line: 0,
        directive: 0,
    };
    for (number, directive) in script.directives.into_iter().enumerate() {
        run.line = lines.line(directive.span());
        run.directive = number as u32;
        run.watch.begins(None, run.directive);
        match run.death(None) {
            Some(message) => run.die_everywhere(&message),
            None => run.directive(directive),
        }
    }
    Ok(run.finish())
}

struct Run<'a> {
    file: &'a ScriptFile,
    options: &'a Options,
    /// Where lanes are known to die.
    deaths: &'a [LaneDeath],
    watch: &'a mut dyn ScriptWatch,
    /// Decodes; all lanes' engines are its siblings.
    engine: Engine,
    lanes: Vec<LaneState>,
    /// What lanes of the reference executed of the present directive.
    executed: Arc<Executed>,
    /// Directives skipped, by cause, and the lanes.
    skips: BTreeMap<Skip, Skipped>,
    report: ScriptReport,
    /// Where the present directive starts.
    line: u32,
    /// The present directive's number.
    directive: u32,
}

/// What one cause kept from running.
#[derive(Default)]
struct Skipped {
    directives: u64,
    lanes: BTreeSet<usize>,
}

/// Whether a directive asserts something, which decides how it is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Assertion,
    Step,
}

impl Run<'_> {
    fn directive(&mut self, directive: WastDirective<'_>) {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name();
                self.module(Kind::Step, &mut module, Becomes::Current(id(name)), &Expectation::Success);
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name();
                self.module(Kind::Step, &mut module, Becomes::Definition(id(name)), &Expectation::Success);
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let action = Action::Instance { definition: id(module), name: id(instance) };
                self.perform(Kind::Step, &action, &Expectation::Success);
            }
            WastDirective::Register { name, module, .. } => {
                let action = Action::Register { module: id(module), under: name };
                self.perform(Kind::Step, &action, &Expectation::Success);
            }
            WastDirective::Invoke(invoke) => {
                self.perform(Kind::Step, &Action::Invoke(&invoke), &Expectation::Success);
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                self.execute(exec, &Expectation::Results(&results));
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                self.execute(exec, &Expectation::Trap(message));
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.perform(Kind::Assertion, &Action::Invoke(&call), &Expectation::Trap(message));
            }
            WastDirective::AssertException { exec, .. } => self.execute(exec, &Expectation::Exception),
            WastDirective::AssertSuspension { exec, .. } => self.execute(exec, &Expectation::Suspension),
            WastDirective::AssertUnlinkable { module, message, .. } => {
                let expectation = Expectation::Unlinkable(message);
                self.module(Kind::Assertion, &mut QuoteWat::Wat(module), Becomes::NeverLinked, &expectation);
            }
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. }
            | WastDirective::AssertInvalidCustom { module, message, .. }
            | WastDirective::AssertMalformedCustom { module, message, .. } => self.refusal(module, message),
            WastDirective::Thread(thread) => self.thread(&thread),
            WastDirective::Wait { .. } => self.skip_everywhere(1, 0),
        }
    }

    fn execute(&mut self, exec: WastExecute<'_>, expectation: &Expectation<'_>) {
        match exec {
            WastExecute::Invoke(invoke) => {
                self.perform(Kind::Assertion, &Action::Invoke(&invoke), expectation);
            }
            WastExecute::Wat(module) => {
                self.module(Kind::Assertion, &mut QuoteWat::Wat(module), Becomes::Nothing, expectation);
            }
            WastExecute::Get { module, global, .. } => {
                self.perform(Kind::Assertion, &Action::Get { module: id(module), global }, expectation);
            }
        }
    }

    fn module(
        &mut self,
        kind: Kind,
        module: &mut QuoteWat<'_>,
        becomes: Becomes<'_>,
        expectation: &Expectation<'_>,
    ) {
        let skip = |line, reason: &str| Action::Skip { skip: Skip { line, reason: reason.into() }, becomes };
        match &build(&self.engine, module) {
            Built::Module(module) => {
                let action = match becomes {
                    Becomes::Definition(name) => Action::Definition { module, name },
                    Becomes::Current(_) | Becomes::Nothing | Becomes::NeverLinked => {
                        Action::Module { module, becomes }
                    }
                };
                self.perform(kind, &action, expectation);
            }
            Built::Skipped(reason) => self.perform(kind, &skip(self.line, reason), expectation),
            Built::Refused(Refusal { needs: Some(proposal), .. }) => {
                self.perform(kind, &skip(self.line, &proposal.reason()), expectation);
            }
            Built::Refused(Refusal { message, needs: None }) => {
                self.perform(kind, &Action::Refused { becomes, message }, expectation);
            }
            Built::Panicked(message) => {
                let message = format!("decoding panicked: {message}");
                self.perform(kind, &Action::Refused { becomes, message: &message }, expectation);
            }
        }
    }

    fn refusal(&mut self, mut module: QuoteWat<'_>, wanted: &str) {
        let skip = |line, reason: String| Verdict::Skipped(Skip { line, reason: reason.into() });
        let verdict = match build(&self.engine, &mut module) {
            Built::Module(_) => judge_refusal(Err(wanted)),
            Built::Refused(Refusal { needs: Some(proposal), .. }) if proposal.hides_the_rule => {
                skip(self.line, proposal.reason())
            }
            Built::Refused(_) => judge_refusal(Ok(())),
            Built::Skipped(reason) => skip(self.line, reason),
            Built::Panicked(message) => Verdict::Failed(format!("decoding panicked: {message}")),
        };
        let verdicts = vec![self.excuse(verdict); self.lanes.len()];
        self.count(Kind::Assertion, verdicts);
    }

    fn perform(&mut self, kind: Kind, action: &Action<'_>, expectation: &Expectation<'_>) {
        let (directive, line) = (self.directive, self.line);
        let mut outcomes = Vec::with_capacity(self.lanes.len());
        for number in 0..self.lanes.len() {
            self.watch.begins(Some(number), directive);
            outcomes.push(match self.death(Some(number as u32)) {
                Some(message) => self.lanes[number].die(&message, line),
                None => self.lanes[number].perform(action, directive, line),
            });
        }
        self.watch.begins(None, directive);
        let verdict = |(lane, outcome): (&LaneState, &Outcome)| {
            let verdict = judge(expectation, outcome);
            match (&verdict, outcome, &lane.clouded) {
                (Verdict::Failed(_), Outcome::Died(_), _) => verdict,
                (Verdict::Failed(_), _, Some(skip)) => Verdict::Skipped(skip.clone()),
                _ => self.excuse(verdict),
            }
        };
        let mut verdicts: Vec<_> = self.lanes.iter().zip(&outcomes).map(verdict).collect();
        self.compare(&outcomes, &mut verdicts);
        self.count(kind, verdicts);
    }

    /// What a lane, or the runner, is known to die of in the present directive.
    fn death(&self, lane: Option<u32>) -> Option<String> {
        let here = |death: &&LaneDeath| death.directive == self.directive && death.lane == lane;
        self.deaths.iter().find(here).map(|death| death.message.clone())
    }

    /// Ends every lane here: the runner died, and nobody knows for whom.
    fn die_everywhere(&mut self, message: &str) {
        let line = self.line;
        let verdict = |lane: &mut LaneState| judge(&Expectation::Success, &lane.die(message, line));
        let verdicts = self.lanes.iter_mut().map(verdict).collect();
        self.count(Kind::Step, verdicts);
    }

    /// Compares each lane with the first one that ran, and turns a difference into a failure.
    fn compare(&mut self, outcomes: &[Outcome], verdicts: &mut [Verdict]) {
        let ran = |at: &usize| match &outcomes[*at] {
            Outcome::Values(_) | Outcome::Error(_) => self.lanes[*at].clouded.is_none(),
            Outcome::Skipped(_) | Outcome::Broken(_) | Outcome::Died(_) => false,
        };
        let ran: Vec<_> = (0..outcomes.len()).filter(ran).collect();
        let Some((&first, others)) = ran.split_first() else { return };
        for &at in others {
            let (a, b) = (&self.lanes[first], &self.lanes[at]);
            let mut difference = compare_outcomes((a, &outcomes[first]), (b, &outcomes[at]));
            if difference.is_none() && self.options.compare_state && !b.is_apart {
                difference = match (a.touched, b.touched) {
                    (Some(x), Some(y)) => compare_state((a, x), (b, y), Extent::Quick),
                    (None, _) | (_, None) => None,
                };
                self.lanes[at].is_apart = difference.is_some();
            }
            let Some(difference) = difference else { continue };
            match &mut verdicts[at] {
                // The lane has said already that something is wrong here.
                Verdict::Failed(_) => {}
                verdict @ (Verdict::Passed | Verdict::Excused(_) | Verdict::Skipped(_)) => {
                    *verdict = Verdict::Failed(format!("{DIFFERS}: {difference}"));
                }
            }
        }
    }

    /// An excused directive must fail, in the way that its excuse says.
    fn excuse(&self, verdict: Verdict) -> Verdict {
        let Some(excuse) = excuses::find(&self.file.group, &self.file.name, self.line) else {
            return verdict;
        };
        match verdict {
            Verdict::Passed => Verdict::Failed(format!("the excuse is no longer needed: {}", excuse.reason)),
            Verdict::Failed(message) if message.contains(excuse.instead) => Verdict::Excused(excuse.reason),
            Verdict::Failed(message) => Verdict::Failed(format!("{message}, excused is: {}", excuse.instead)),
            Verdict::Excused(_) | Verdict::Skipped(_) => verdict,
        }
    }

    fn count(&mut self, kind: Kind, verdicts: Vec<Verdict>) {
        let assertions = match kind {
            Kind::Assertion => 1,
            Kind::Step => 0,
        };
        let mut causes: BTreeMap<Skip, BTreeSet<usize>> = BTreeMap::new();
        let mut excused = None;
        let mut right = Vec::with_capacity(verdicts.len());
        for (lane, ((name, counts), verdict)) in self.report.modes.iter_mut().zip(verdicts).enumerate() {
            match verdict {
                Verdict::Passed => {
                    counts.passed += assertions;
                    if kind == Kind::Assertion {
                        right.push(name.as_str());
                    }
                }
                Verdict::Failed(message) => {
                    counts.failed += 1;
                    let (file, mode) = (self.file.path(), name.clone());
                    self.report.failures.push(Failure { file, line: self.line, mode, message });
                }
                Verdict::Excused(reason) => {
                    counts.excused += assertions;
                    excused = Some(reason);
                }
                Verdict::Skipped(skip) => {
                    counts.skipped += assertions;
                    causes.entry(skip).or_default().insert(lane);
                }
            }
        }
        self.report.coverage.count(&self.executed.take(), right.into_iter());
        for (cause, lanes) in causes {
            let skipped = self.skips.entry(cause).or_default();
            skipped.directives += 1;
            skipped.lanes.extend(lanes);
        }
        if let Some(reason) = excused {
            let (file, reason) = (self.file.path(), reason.to_string());
            self.report.excuses.push(ExcuseEntry { file, line: self.line, reason });
        }
    }

    /// A thread may touch whatever it shares, so everything after it is clouded.
    fn thread(&mut self, thread: &WastThread<'_>) {
        let (directives, assertions) = inside(thread);
        self.skip_everywhere(1 + directives, assertions);
    }

    /// Skips directives that stand on one line, for want of threads.
    fn skip_everywhere(&mut self, directives: u64, assertions: u64) {
        let reason = "scripts with several threads are not run (threads)".into();
        let skip = Skip { line: self.line, reason };
        for lane in &mut self.lanes {
            lane.clouded.get_or_insert_with(|| skip.clone());
        }
        for (_, counts) in &mut self.report.modes {
            counts.skipped += assertions;
        }
        let skipped = self.skips.entry(skip).or_default();
        skipped.directives += directives;
        skipped.lanes.extend(0..self.lanes.len());
    }

    fn finish(mut self) -> ScriptReport {
        let comparable = |lane: &LaneState| lane.dead.is_none() && lane.clouded.is_none() && !lane.is_apart;
        if let Some(first) = self.lanes.iter().position(comparable).filter(|_| self.options.compare_state) {
            for at in first + 1..self.lanes.len() {
                let (a, b) = (&self.lanes[first], &self.lanes[at]);
                let difference = if comparable(b) { compare_all_state(a, b) } else { None };
                let Some(difference) = difference else { continue };
                let (name, counts) = &mut self.report.modes[at];
                counts.failed += 1;
                let message = format!("{DIFFERS} at the end of the script: {difference}");
                let (file, mode) = (self.file.path(), name.clone());
                self.report.failures.push(Failure { file, line: self.line, mode, message });
            }
        }
        let file = self.file.path();
        let name = |lane: usize| self.lanes[lane].name.clone();
        let entry = |(Skip { line, reason }, skipped): (Skip, Skipped)| SkipEntry {
            file: file.clone(),
            line,
            count: skipped.directives,
            modes: skipped.lanes.into_iter().map(name).collect(),
            reason: reason.to_string(),
        };
        self.report.skips = self.skips.into_iter().map(entry).collect();
        self.report
    }
}

/// How many directives, and how many assertions among them, stand inside a thread.
fn inside(thread: &WastThread<'_>) -> (u64, u64) {
    thread.directives.iter().fold((0, 0), |(directives, assertions), directive| match directive {
        WastDirective::Module(_)
        | WastDirective::ModuleDefinition(_)
        | WastDirective::ModuleInstance { .. }
        | WastDirective::Register { .. }
        | WastDirective::Invoke(_)
        | WastDirective::Wait { .. } => (directives + 1, assertions),
        WastDirective::AssertMalformed { .. }
        | WastDirective::AssertInvalid { .. }
        | WastDirective::AssertInvalidCustom { .. }
        | WastDirective::AssertMalformedCustom { .. }
        | WastDirective::AssertTrap { .. }
        | WastDirective::AssertReturn { .. }
        | WastDirective::AssertExhaustion { .. }
        | WastDirective::AssertUnlinkable { .. }
        | WastDirective::AssertException { .. }
        | WastDirective::AssertSuspension { .. } => (directives + 1, assertions + 1),
        WastDirective::Thread(thread) => {
            let (more, asserting) = inside(thread);
            (directives + 1 + more, assertions + asserting)
        }
    })
}
