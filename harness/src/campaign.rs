//! Runs a campaign: generated cases, each a function of seed and index, on lanes that are drawn by lot.
//!
//! Cases are taken in batches, and a batch in chunks, a thread a chunk. What a campaign comes to does not depend on how
//! many threads there are, nor on where subjects run.

use crate::case::{Action, Case};
use crate::compare::{Verdict, mode_of};
use crate::draw::{Purpose, Stream, case_seed};
use crate::events::{Events, Tally};
use crate::features::Features;
use crate::generate::material::Material;
use crate::generate::{Generated, Generator, Profile};
use crate::guard::guarded;
use crate::observe::{Capture, Outcome};
use crate::run::Ground;
use crate::subject::{
    Lane, LaneSubject, ModelSubject, Shown, Subject, Switch, Task, Trace, Unwatched, observe_all,
};
use crate::trial::{CaseRun, at_least, closer, judged, wants_a_closer_look};
#[cfg(unix)]
use crate::worker::{Feed, Lease};
use crosscheck_engine::Mode;
use rayon::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Cases between two looks at the clock and at the stop flag.
const BATCH_CASES: u64 = 256;
/// How long a campaign whose time is up may take over what comes before a divergence that was found.
const AFTER_TIME: Duration = Duration::from_secs(2);
/// Cases that one thread takes at a time.
const CHUNK_CASES: usize = 32;
/// Differences that look alike at first sight of which each is looked at closely, and one in how many after that:
/// a fault that half of all cases show must not make the campaign twice as slow.
const CLOSE_LOOKS: u64 = 8;
const CLOSE_LOOKS_ONE_IN: u64 = 16;
/// Of how many cases one is run once more, to see which opcodes it executes.
pub const SAMPLE_ONE_IN: u64 = 32;

/// Which lanes a campaign runs.
#[derive(Clone, Debug)]
pub enum Lanes {
    /// These modes, each case with its own draw of switches.
    Swarm(Vec<Mode>),
    /// Exactly these lanes on every case.
    Fixed(Vec<Lane>),
}

impl Lanes {
    /// The lanes for a case, the reference first.
    pub fn draw(&self, case_seed: u64) -> Vec<Lane> {
        match self {
            Lanes::Fixed(lanes) => lanes.clone(),
            Lanes::Swarm(modes) => {
                let mut stream = Stream::new(case_seed, Purpose::Lanes);
                let mut lanes = Vec::with_capacity(modes.len() + 1);
                for mode in modes {
                    lanes.push(draw(&mut stream, *mode));
                    // Beside its sibling, not instead: it is left out where fuel runs out.
                    let unmetered = draw(&mut stream, *mode).with(Switch::NoFuel);
                    if stream.percent(15) {
                        lanes.push(unmetered);
                    }
                }
                lanes
            }
        }
    }

    /// The names of what may run.
    pub fn names(&self) -> Vec<String> {
        match self {
            Lanes::Swarm(modes) => modes.iter().map(|mode| mode.name().to_string()).collect(),
            Lanes::Fixed(lanes) => lanes.iter().map(Lane::to_string).collect(),
        }
    }
}

/// A mode with switches as the stream has it.
fn draw(stream: &mut Stream, mode: Mode) -> Lane {
    let likely = [
        (Switch::NoBacktraces, 15),
        (Switch::MovingMemory, 25),
        (Switch::ExplicitBounds, 25),
        (Switch::FewRegisters, 25),
        (Switch::ShortBranches, 25),
        (Switch::Lazy, 15),
    ];
    let applying = likely.into_iter().filter(|(switch, _)| switch.applies_to(mode));
    applying.fold(
        Lane::plain(mode),
        |lane, (switch, percent)| {
            if stream.percent(percent) { lane.with(switch) } else { lane }
        },
    )
}

/// A campaign: generated cases, each a function of seed and index.
pub struct Campaign {
    /// What all cases derive from.
    pub seed: u64,
    /// First index.
    pub first: u64,
    /// How many indices; `None` goes on until the time is up or it is stopped.
    pub cases: Option<u64>,
    /// How long at most.
    pub time: Option<Duration>,
    /// This machine's part: indices that leave `shard.0` when divided by `shard.1`.
    pub shard: (u64, u64),
    /// Which lanes run.
    pub lanes: Lanes,
    /// Outside engines that run beside them.
    pub judges: Vec<Arc<dyn Subject>>,
    /// Share of the cases that the model runs too, in percent; which ones follows from their seeds.
    pub model_percent: u32,
    /// What generated modules may use.
    pub features: Features,
    /// Programs that half of the cases are made of, if there are any.
    pub material: Option<Arc<Material>>,
}

impl Campaign {
    /// Runs it in this process, on rayon's current thread pool, telling `events` as it goes; gives the totals.
    ///
    /// Stops early, with what there is, once `stop` is set.
    pub fn run(&self, events: &mut dyn Events, stop: &AtomicBool) -> Tally {
        self.run_on(Ground::InProcess, events, stop).expect("only workers are hard to come by")
    }

    /// As [`Campaign::run`], on that ground: a worker a thread. Fails if no worker can be had.
    pub fn run_on(
        &self,
        ground: Ground<'_>,
        events: &mut dyn Events,
        stop: &AtomicBool,
    ) -> Result<Tally, String> {
        self.go_on(Tally::new(self.seed, self.first), ground, events, stop)
    }

    /// As [`Campaign::run_on`], from where an earlier run of the same campaign came to.
    pub fn go_on(
        &self,
        tally: Tally,
        ground: Ground<'_>,
        events: &mut dyn Events,
        stop: &AtomicBool,
    ) -> Result<Tally, String> {
        let started = Instant::now();
        let is_late = || self.time.is_some_and(|time| started.elapsed() >= time);
        let ends = Ends { stop, is_late: &is_late };
        self.go_on_until(ends, &|| self.source(), tally, ground, events, started)
    }

    /// As [`Campaign::go_on`], with tasks that are given in place of cases that are made: an index is the place of a task
    /// among them, and goes round.
    pub(crate) fn go_on_with(
        &self,
        tasks: &[Task],
        tally: Tally,
        ground: Ground<'_>,
        events: &mut dyn Events,
        stop: &AtomicBool,
    ) -> Result<Tally, String> {
        let ends = Ends { stop, is_late: &|| false };
        self.go_on_until(ends, &|| Source::Given(tasks), tally, ground, events, Instant::now())
    }

    /// As [`Campaign::go_on`], with the caller's clock, and cases from where the caller says.
    ///
    /// Time may be up in the middle of a batch. Then what counts is what was done before the first case that was not;
    /// but a divergence always counts, so what comes before one is run to its end.
    fn go_on_until<'s>(
        &self,
        ends: Ends<'_>,
        source: &(dyn Fn() -> Source<'s> + Sync),
        mut tally: Tally,
        ground: Ground<'_>,
        events: &mut dyn Events,
        started: Instant,
    ) -> Result<Tally, String> {
        tally.earlier_cases = tally.cases;
        let deadline = self.time.and_then(|time| started.checked_add(time));
        let ground = ground.until(ends.stop, deadline);
        let end = self.cases.map(|cases| self.first.saturating_add(cases));
        let mut next = tally.next_index;
        let mut complete = true;
        while end.is_none_or(|end| next < end) {
            if ends.now() {
                // Who asks only for a time gets all that was asked for when it is up.
                complete = self.cases.is_none() && !ends.stop.load(Ordering::Relaxed);
                break;
            }
            let until = end.map_or(next + BATCH_CASES, |end| end.min(next + BATCH_CASES));
            let indices: Vec<u64> =
                (next..until).filter(|index| index % self.shard.1 == self.shard.0).collect();
            let parts: Result<Vec<Part>, String> = indices
                .par_chunks(CHUNK_CASES)
                .map_init(source, |source, indices| {
                    self.chunk(ground, source, indices, &tally.glances, Some(ends))
                })
                .collect();
            let mut parts = parts?;
            let diverging = parts.iter().rposition(|part| part.tally.diverge > 0);
            let counts = diverging.map_or(0, |last| last + 1);
            // A user who interrupts wants an end: what comes after the first case that was not done is found again.
            let counts = if ends.stop.load(Ordering::Relaxed) { 0 } else { counts };
            let unhurried = ground.until(ends.stop, Some(Instant::now() + AFTER_TIME));
            for (part, indices) in parts.iter_mut().zip(indices.chunks(CHUNK_CASES)).take(counts) {
                if part.cut.is_some() {
                    *part = self.chunk(unhurried, &mut source(), indices, &tally.glances, None)?;
                }
            }
            next = until;
            for part in parts {
                for finding in tally.merge(part.tally) {
                    events.finding(&finding);
                }
                if let Some(index) = part.cut {
                    next = index;
                    break;
                }
            }
            tally.next_index = next;
            events.progress(&tally, end.map(|end| end - self.first), started.elapsed());
        }
        tally.complete = complete;
        Ok(tally)
    }

    /// What makes the cases. Beside outside engines it makes such that all can agree on, and mostly run.
    pub fn generator(&self) -> Generator {
        let profile = if self.judges.is_empty() { Profile::Own } else { Profile::Judged };
        let all = self.judges.iter().fold(Features::all(), |all, judge| all.and(&judge.features()));
        Generator::new(self.features.clone()).profile(profile).mostly(&all).material(self.material.clone())
    }

    fn source(&self) -> Source<'_> {
        Source::Made(self, Box::new(self.generator()))
    }

    /// The model, if it runs some of the cases.
    pub fn model(&self) -> Option<Arc<dyn Subject>> {
        (self.model_percent > 0).then(ModelSubject::shared)
    }

    /// The subjects for a case, the reference first.
    pub fn subjects(&self, case_seed: u64) -> Vec<Arc<dyn Subject>> {
        let lanes = self.lanes.draw(case_seed).into_iter().map(LaneSubject::shared);
        let has_model = Stream::new(case_seed, Purpose::Model).percent(self.model_percent);
        let model = self.model().filter(|_| has_model);
        lanes.chain(model).chain(self.judges.iter().cloned()).collect()
    }

    /// Runs the cases of these indices, one after the other. `glances` is what was looked at closely before.
    fn chunk(
        &self,
        ground: Ground<'_>,
        source: &mut Source<'_>,
        indices: &[u64],
        glances: &BTreeMap<String, u64>,
        ends: Option<Ends<'_>>,
    ) -> Result<Part, String> {
        let part = Tally::new(self.seed, self.first);
        let (indices, asked) = (indices.iter(), VecDeque::new());
        let given_up = Vec::new();
        let mut chunk =
            Chunk { campaign: self, source, indices, glances, asked, given_up, part, ends, cut: None };
        #[cfg(unix)]
        if let Some((workers, halt)) = ground.workers() {
            match workers.lease_until(halt) {
                Ok(mut lease) => chunk.pass_through(&mut lease)?,
                Err(_) if halt.is_over() => chunk.leave_the_rest(),
                Err(error) => return Err(error),
            }
            return Ok(chunk.ended());
        }
        chunk.pass_here();
        Ok(chunk.ended())
    }
}

/// Where the tasks of a campaign come from.
enum Source<'a> {
    /// A generator makes them.
    Made(&'a Campaign, Box<Generator>),
    /// They are given.
    Given(&'a [Task]),
}

impl Source<'_> {
    /// The task of that index and what made it; none if the generator made none.
    fn task(&mut self, index: u64) -> Option<(Task, &'static str)> {
        match self {
            Source::Given(tasks) => {
                let place = index.checked_rem(tasks.len() as u64)?;
                Some((tasks[place as usize].clone(), "given"))
            }
            Source::Made(campaign, generator) => {
                let made = guarded(|| generator.case(campaign.seed, index)).unwrap_or_else(|_| {
                    // What a panic left makes no other cases.
                    **generator = campaign.generator();
                    None
                });
                let Generated { case, generator, .. } = made?;
                let subjects = campaign.subjects(case_seed(campaign.seed, index));
                Some((Task { case, subjects }, generator))
            }
        }
    }
}

/// When a campaign ends before it is done.
#[derive(Clone, Copy)]
struct Ends<'a> {
    /// Set when it is to end.
    stop: &'a AtomicBool,
    /// Time is up.
    is_late: &'a (dyn Fn() -> bool + Sync),
}

impl Ends<'_> {
    fn now(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || (self.is_late)()
    }
}

/// What became of some consecutive cases.
struct Part {
    tally: Tally,
    /// The first index that was not done, if the campaign ended before.
    cut: Option<u64>,
}

/// Some consecutive cases of a campaign under way.
struct Chunk<'a, 's> {
    campaign: &'a Campaign,
    source: &'a mut Source<'s>,
    indices: std::slice::Iter<'a, u64>,
    /// What was looked at closely in batches before this one. What this one looks at does not count yet, for who
    /// looks first depends on threads.
    glances: &'a BTreeMap<String, u64>,
    /// Where the tasks that are made and not done come from, in order.
    asked: VecDeque<Origin>,
    /// Indices after the last task that was made, of which the generator made none.
    given_up: Vec<u64>,
    part: Tally,
    /// When to leave the rest; none if it must be done.
    ends: Option<Ends<'a>>,
    /// The first index that was left.
    cut: Option<u64>,
}

/// Where a case comes from.
struct Origin {
    index: u64,
    generator: &'static str,
    /// Indices just before it of which the generator made no case; they count when this one does.
    given_up: Vec<u64>,
}

impl Origin {
    /// The first index that is not done if this one is not.
    #[cfg(unix)]
    fn first(&self) -> u64 {
        self.given_up.first().copied().unwrap_or(self.index)
    }
}

impl Chunk<'_, '_> {
    /// The next case, if there is one.
    fn make(&mut self) -> Option<Task> {
        loop {
            let index = *self.indices.as_slice().first()?;
            if self.cut.is_none() && self.ends.is_some_and(|ends| ends.now()) {
                self.cut = Some(index);
            }
            if self.cut.is_some() {
                return None;
            }
            self.indices.next();
            let Some((task, generator)) = self.source.task(index) else {
                self.given_up.push(index);
                continue;
            };
            let given_up = std::mem::take(&mut self.given_up);
            self.asked.push_back(Origin { index, generator, given_up });
            return Some(task);
        }
    }

    /// Where the case comes from that was done next, which counts from now on.
    fn done(&mut self) -> Origin {
        let origin = self.asked.pop_front().expect("a task is asked for before it is done");
        self.part.cases += 1;
        self.count_given_up(origin.given_up.len());
        origin
    }

    fn count_given_up(&mut self, count: usize) {
        self.part.cases += count as u64;
        (0..count).for_each(|_| self.part.inconclusive("the generator gave up"));
    }

    /// What became of all of it.
    fn ended(mut self) -> Part {
        if self.cut.is_none() {
            self.count_given_up(self.given_up.len());
        }
        Part { tally: self.part, cut: self.cut }
    }

    /// Leaves what was asked and not answered, and what was not asked, for another time.
    #[cfg(unix)]
    fn leave_the_rest(&mut self) {
        let made = self.asked.front().map(Origin::first).or_else(|| self.given_up.first().copied());
        let first = made.or_else(|| self.indices.as_slice().first().copied());
        self.asked.clear();
        self.cut = first.or(self.cut);
    }

    /// Counts what became of a case.
    fn settle(&mut self, origin: Origin, task: Task, run: CaseRun) {
        count(&task.case, &run, &mut self.part);
        match &run.verdict {
            Verdict::Agree => {
                self.part.agree += 1;
                self.sample(&origin, &task.case, &run);
            }
            Verdict::Invalid => self.part.invalid += 1,
            Verdict::Inconclusive(reason) => self.part.inconclusive(reason),
            Verdict::Diverge(_) => {
                self.part.diverge += 1;
                let found = run.finding(task, origin.generator, self.campaign.seed, origin.index);
                self.part.findings.extend(found);
            }
        }
    }

    /// Looks at what is executed of some of the cases on which all agree; which ones follows from the seed.
    fn sample(&mut self, origin: &Origin, case: &Case, run: &CaseRun) {
        if !case_seed(self.campaign.seed, origin.index).is_multiple_of(SAMPLE_ONE_IN) {
            return;
        }
        let mut modes: Vec<&str> = run.observations.iter().map(|(name, _)| mode_of(name)).collect();
        modes.sort_unstable();
        modes.dedup();
        self.part.sampled += 1;
        self.part.coverage.count(&Trace::opcodes_of(case), modes.into_iter());
    }

    /// Whether a case gets the closer look that it wants. If not, it is counted, and that is all.
    fn gets_a_closer_look(&mut self, origin: &Origin, task: &Task, run: &CaseRun) -> bool {
        let Verdict::Diverge(divergence) = &run.verdict else { return false };
        let glance = divergence.fingerprint().to_string();
        let is_drawn = case_seed(self.campaign.seed, origin.index).is_multiple_of(CLOSE_LOOKS_ONE_IN);
        if self.glances.get(&glance).is_some_and(|looks| *looks >= CLOSE_LOOKS) && !is_drawn {
            count(&task.case, run, &mut self.part);
            self.part.diverge += 1;
            self.part.unexamined += 1;
            return false;
        }
        *self.part.glances.entry(glance).or_default() += 1;
        true
    }

    /// Runs everything in this process.
    fn pass_here(&mut self) {
        while let Some(task) = self.make() {
            let origin = self.done();
            let subjects: Vec<&dyn Subject> = task.subjects.iter().map(|subject| &**subject).collect();
            let look = |capture| observe_all(&task.case, &subjects, capture, &mut Unwatched);
            let capture = at_least(Capture::Digest, &subjects);
            let run = judged(&subjects, look(capture));
            if !wants_a_closer_look(&run, capture) {
                self.settle(origin, task, run);
            } else if self.gets_a_closer_look(&origin, &task, &run) {
                let run = closer(run, &subjects, look(Capture::Full));
                self.settle(origin, task, run);
            }
        }
    }

    /// Lets a worker run everything. Cases that want a closer look get it when the others are done.
    #[cfg(unix)]
    fn pass_through(&mut self, lease: &mut Lease<'_>) -> Result<(), String> {
        let mut again = Vec::new();
        let lost = lease.lost();
        match lease.many(&mut Passing { chunk: self, again: &mut again }) {
            Err(_) if lease.is_over() => self.leave_the_rest(),
            done => done?,
        }
        for (origin, task, run) in again {
            let subjects: Vec<&dyn Subject> = task.subjects.iter().map(|subject| &**subject).collect();
            let run = match lease.quickly(&task, Capture::Full) {
                // Without time for a closer look, what was seen at first counts.
                Err(_) if lease.is_over() => run,
                shown => closer(run, &subjects, shown?),
            };
            self.settle(origin, task, run);
        }
        self.part.workers_lost += lease.lost() - lost;
        self.part.findings.sort_by_key(|finding| finding.index);
        Ok(())
    }
}

/// A chunk as a worker is fed with it.
#[cfg(unix)]
struct Passing<'a, 'c, 's> {
    chunk: &'a mut Chunk<'c, 's>,
    again: &'a mut Vec<(Origin, Task, CaseRun)>,
}

#[cfg(unix)]
impl Feed for Passing<'_, '_, '_> {
    fn next(&mut self) -> Option<(Task, Capture)> {
        let task = self.chunk.make()?;
        let subjects: Vec<&dyn Subject> = task.subjects.iter().map(|subject| &**subject).collect();
        let capture = at_least(Capture::Digest, &subjects);
        Some((task, capture))
    }

    fn done(&mut self, task: Task, capture: Capture, shown: Shown) {
        let origin = self.chunk.done();
        let subjects: Vec<&dyn Subject> = task.subjects.iter().map(|subject| &**subject).collect();
        let run = judged(&subjects, shown);
        if !wants_a_closer_look(&run, capture) {
            self.chunk.settle(origin, task, run);
        } else if self.chunk.gets_a_closer_look(&origin, &task, &run) {
            self.again.push((origin, task, run));
        }
    }
}

/// What the reference showed, for the statistics.
fn count(case: &Case, run: &CaseRun, tally: &mut Tally) {
    tally.wasm_bytes += case.wasm_bytes() as u64;
    for (name, _) in &run.observations {
        *tally.by_lane.entry(name.clone()).or_default() += 1;
    }
    for name in &run.left_out {
        *tally.left_out.entry(name.clone()).or_default() += 1;
    }
    for (name, compared) in &run.compared {
        tally.judges.entry(name.clone()).or_default().count(case, compared);
    }
    if let Verdict::Diverge(divergence) = &run.verdict {
        tally.judged_differences += u64::from(divergence.is_of_judges());
    }
    for (_, observation) in &run.observations {
        match observation.failure() {
            Some((_, Outcome::Hang(_))) => tally.hangs += 1,
            Some(_) => tally.crashes += 1,
            None => {}
        }
    }
    let Some((_, reference)) = run.observations.first() else { return };
    for (action, observed) in case.actions.iter().zip(&reference.actions) {
        if let Action::Invoke { .. } = action {
            tally.calls += 1;
            tally.returned += u64::from(matches!(observed.outcome, Outcome::Values(_)));
        }
        tally.host_calls += observed.host_calls.count;
        match &observed.outcome {
            Outcome::Trap(trap) => *tally.traps.entry(trap.kind.text().to_string()).or_default() += 1,
            Outcome::Values(_)
            | Outcome::Exception { .. }
            | Outcome::Link(_)
            | Outcome::Usage(_)
            | Outcome::Limit(_)
            | Outcome::Unsupported(_)
            | Outcome::Unclear(_)
            | Outcome::Resources(_)
            | Outcome::Crash(_)
            | Outcome::Hang(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
