//! Walks over a script's directives: each is done in every lane, judged, compared and counted.

use super::build::{Built, Edition, Refusal, build, custom_refusal, refusal};
use super::compare::{Extent, compare_all_state, compare_outcomes, compare_state};
use super::expect::{Expectation, Verdict, judge, judge_refusal};
use super::lane::{Action, Becomes, LaneState, Outcome, Skip, id};
use super::read::{Part, Unread, read};
use super::report::{DIFFERS, ExcuseEntry, Failure, ModeCounts, ScriptReport, SkipEntry, Unreadable};
use super::settings::Settings;
use super::text::Lines;
use super::{Lane, LaneDeath, Options, ScriptFile, ScriptWatch};
use crate::coverage::Executed;
use crosscheck_engine::{Engine, Mode};
use crosscheck_spec_tests::excuses;
use std::collections::BTreeMap;
use std::sync::Arc;
use wast::{QuoteWat, WastDirective, WastExecute, WastThread};

/// Runs one script. Fails if the text is not a script.
pub(super) fn run(
    file: &ScriptFile,
    lanes: &[Lane],
    options: &Options,
    deaths: &[LaneDeath],
    watch: &mut dyn ScriptWatch,
) -> Result<ScriptReport, Unreadable> {
    let lines = Lines::of(&file.text);
    read(file, &lines, |parts| run_parts(file, parts, &lines, lanes, options, deaths, watch))
}

fn run_parts(
    file: &ScriptFile,
    parts: Vec<Part<'_>>,
    lines: &Lines,
    lanes: &[Lane],
    options: &Options,
    deaths: &[LaneDeath],
    watch: &mut dyn ScriptWatch,
) -> Result<ScriptReport, Unreadable> {
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
        edition: Edition::of(&file.group),
        engine,
        lanes: states,
        executed,
        skips,
        report,
        line: 0,
        directive: 0,
    };
    let mut is_before = file.line.is_some();
    for (number, part) in parts.into_iter().enumerate() {
        let line = lines.line(part.span());
        if file.line.is_some_and(|only| line > only) {
            break;
        }
        run.line = line;
        if is_before && file.line == Some(line) {
            run.forget();
            is_before = false;
        }
        run.directive = number as u32;
        run.watch.begins(None, run.directive);
        match (run.death(None), part) {
            (Some(message), part) => run.die_everywhere(Kind::of(&part), &message),
            (None, Part::Directive(directive)) => run.directive(*directive),
            (None, Part::Unread(unread)) => run.unread(&unread),
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
    edition: Edition,
    /// Decodes; all lanes' engines are its siblings.
    engine: Engine,
    lanes: Vec<LaneState>,
    /// What lanes of the reference executed of the present directive.
    executed: Arc<Executed>,
    /// What was skipped, by cause.
    skips: BTreeMap<Skip, Skipped>,
    report: ScriptReport,
    /// Where the present directive starts.
    line: u32,
    /// The present directive's number.
    directive: u32,
}

/// Assertions that one cause kept from running, by lane; none where it kept only other directives.
type Skipped = BTreeMap<usize, u64>;

/// Whether a directive asserts something, which decides how it is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Assertion,
    Step,
}

impl Kind {
    fn of(part: &Part<'_>) -> Kind {
        let asserts = match part {
            Part::Directive(directive) => asserts(directive),
            Part::Unread(unread) => unread.is_assertion(),
        };
        if asserts { Kind::Assertion } else { Kind::Step }
    }

    /// How many assertions it is.
    fn assertions(self) -> u64 {
        match self {
            Kind::Assertion => 1,
            Kind::Step => 0,
        }
    }
}

impl Run<'_> {
    /// Takes back all counts: what was done so far only prepared what is judged.
    fn forget(&mut self) {
        let modes = self.report.modes.drain(..).map(|(name, _)| (name, ModeCounts::default())).collect();
        self.report = ScriptReport { files: 1, modes, ..ScriptReport::default() };
        self.skips.clear();
    }

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
            WastDirective::AssertInvalid { mut module, message, .. }
            | WastDirective::AssertMalformed { mut module, message, .. } => {
                self.refusal(refusal(&self.engine, &mut module, self.edition), message);
            }
            WastDirective::AssertInvalidCustom { mut module, message, .. }
            | WastDirective::AssertMalformedCustom { mut module, message, .. } => {
                self.refusal(custom_refusal(&self.engine, &mut module, self.edition), message);
            }
            WastDirective::Thread(thread) => self.thread(&thread),
            WastDirective::Wait { .. } => self.skip_everywhere(0),
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
            Built::Refused(message) => {
                self.perform(kind, &Action::Refused { becomes, message }, expectation);
            }
            Built::Panicked(message) => {
                let message = format!("decoding panicked: {message}");
                self.perform(kind, &Action::Refused { becomes, message: &message }, expectation);
            }
        }
    }

    /// A directive that cannot be read is skipped, and so is what needs its module.
    fn unread(&mut self, unread: &Unread) {
        let kind = if unread.is_assertion() { Kind::Assertion } else { Kind::Step };
        let becomes = match unread.is_assertion() {
            true => Becomes::NeverLinked,
            false => Becomes::Current(unread.name.as_deref()),
        };
        let skip = Skip { line: self.line, reason: unread.reason().into() };
        self.perform(kind, &Action::Skip { skip, becomes }, &Expectation::Success);
    }

    fn refusal(&mut self, refusal: Refusal, wanted: &str) {
        let verdict = match refusal {
            Refusal::Accepted => judge_refusal(Err(wanted)),
            Refusal::Refused => judge_refusal(Ok(())),
            Refusal::Skipped(reason) => Verdict::Skipped(Skip { line: self.line, reason: reason.into() }),
            Refusal::Panicked(message) => Verdict::Failed(format!("decoding panicked: {message}")),
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
            let verdict = judge(expectation, outcome, line);
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

    /// Ends every lane here: the runner died, and of which lane is not known.
    fn die_everywhere(&mut self, kind: Kind, message: &str) {
        let line = self.line;
        let verdict = |lane: &mut LaneState| judge(&Expectation::Success, &lane.die(message, line), line);
        let verdicts = self.lanes.iter_mut().map(verdict).collect();
        self.count(kind, verdicts);
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
        let assertions = kind.assertions();
        let mut excused: Option<(&'static str, Vec<String>)> = None;
        let mut right = Vec::with_capacity(verdicts.len());
        for (lane, ((name, counts), verdict)) in self.report.modes.iter_mut().zip(verdicts).enumerate() {
            match verdict {
                Verdict::Passed => {
                    counts.passed += assertions;
                    counts.steps += 1 - assertions;
                    if kind == Kind::Assertion {
                        right.push(name.as_str());
                    }
                }
                Verdict::Failed(message) => {
                    counts.failed += assertions;
                    counts.steps_failed += 1 - assertions;
                    let (file, mode) = (self.file.path(), name.clone());
                    self.report.failures.push(Failure { file, line: self.line, mode, message });
                }
                Verdict::Excused(reason) => {
                    counts.excused += assertions;
                    excused.get_or_insert((reason, Vec::new())).1.push(name.clone());
                }
                Verdict::Skipped(skip) => {
                    counts.skipped += assertions;
                    *self.skips.entry(skip).or_default().entry(lane).or_default() += assertions;
                }
            }
        }
        self.report.coverage.count(&self.executed.take(), right.into_iter());
        if let Some((reason, modes)) = excused {
            let (file, reason) = (self.file.path(), reason.to_string());
            self.report.excuses.push(ExcuseEntry { file, line: self.line, modes, reason });
        }
    }

    /// A thread may touch whatever it shares, so everything after it is clouded.
    fn thread(&mut self, thread: &WastThread<'_>) {
        self.skip_everywhere(inside(thread));
    }

    /// Skips what stands on one line, with so many assertions, for want of threads.
    fn skip_everywhere(&mut self, assertions: u64) {
        let reason = "scripts with several threads are not run (threads)".into();
        let skip = Skip { line: self.line, reason };
        for lane in &mut self.lanes {
            lane.clouded.get_or_insert_with(|| skip.clone());
        }
        for (_, counts) in &mut self.report.modes {
            counts.skipped += assertions;
        }
        let skipped = self.skips.entry(skip).or_default();
        (0..self.lanes.len()).for_each(|lane| *skipped.entry(lane).or_default() += assertions);
    }

    fn finish(mut self) -> ScriptReport {
        let comparable = |lane: &LaneState| lane.dead.is_none() && lane.clouded.is_none() && !lane.is_apart;
        if let Some(first) = self.lanes.iter().position(comparable).filter(|_| self.options.compare_state) {
            for at in first + 1..self.lanes.len() {
                let (a, b) = (&self.lanes[first], &self.lanes[at]);
                let difference = if comparable(b) { compare_all_state(a, b) } else { None };
                let Some(difference) = difference else { continue };
                let (name, counts) = &mut self.report.modes[at];
                counts.steps_failed += 1;
                let message = format!("{DIFFERS} at the end of the script: {difference}");
                let (file, mode) = (self.file.path(), name.clone());
                self.report.failures.push(Failure { file, line: self.line, mode, message });
            }
        }
        let file = self.file.path();
        for (Skip { line, reason }, lanes) in self.skips {
            let mut by_count: BTreeMap<u64, Vec<String>> = BTreeMap::new();
            for (lane, count) in lanes {
                by_count.entry(count).or_default().push(self.lanes[lane].name.clone());
            }
            self.report.skips.extend(by_count.into_iter().map(|(count, modes)| SkipEntry {
                file: file.clone(),
                line,
                count,
                modes,
                reason: reason.to_string(),
            }));
        }
        self.report
    }
}

/// How many assertions stand inside a thread.
pub(super) fn inside(thread: &WastThread<'_>) -> u64 {
    let assertions = thread.directives.iter().map(|directive| match directive {
        WastDirective::Thread(thread) => inside(thread),
        other => u64::from(asserts(other)),
    });
    assertions.sum()
}

/// Whether a directive asserts something.
fn asserts(directive: &WastDirective<'_>) -> bool {
    match directive {
        WastDirective::Module(_)
        | WastDirective::ModuleDefinition(_)
        | WastDirective::ModuleInstance { .. }
        | WastDirective::Register { .. }
        | WastDirective::Invoke(_)
        | WastDirective::Thread(_)
        | WastDirective::Wait { .. } => false,
        WastDirective::AssertMalformed { .. }
        | WastDirective::AssertInvalid { .. }
        | WastDirective::AssertInvalidCustom { .. }
        | WastDirective::AssertMalformedCustom { .. }
        | WastDirective::AssertTrap { .. }
        | WastDirective::AssertReturn { .. }
        | WastDirective::AssertExhaustion { .. }
        | WastDirective::AssertUnlinkable { .. }
        | WastDirective::AssertException { .. }
        | WastDirective::AssertSuspension { .. } => true,
    }
}
