//! Runs cases on subjects: one case, or a campaign of them. Judging is left to `compare`.

use crate::case::{Action, Case};
use crate::compare::{Testimony, Verdict, judge};
use crate::corpus::Finding;
use crate::events::{Events, Tally};
use crate::generate::stream::{Purpose, Stream, case_seed};
use crate::generate::{Features, Generated, Generator, Profile};
use crate::observe::{Capture, Observation, Outcome};
use crate::subject::{Lane, LaneSubject, Prepared, Subject};
use crosscheck_engine::{Mode, TrapKind};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Cases between two looks at the clock and at the stop flag.
const BATCH_CASES: u64 = 256;

/// What happened to one case.
pub struct CaseRun {
    /// The verdict.
    pub verdict: Verdict,
    /// What each subject showed, spelled out if they differ; the reference first.
    pub observations: Vec<(String, Observation)>,
    /// Lanes left out because the reference ran out of fuel, which they do not count.
    pub left_out: Vec<String>,
}

/// Runs a case on every subject, the reference first, and judges.
pub fn run_case(case: &Case, subjects: &[&dyn Subject], capture: Capture) -> CaseRun {
    let prepared = Prepared::new(case);
    if prepared.invalid().is_some() {
        return CaseRun { verdict: Verdict::Invalid, observations: Vec::new(), left_out: Vec::new() };
    }
    // Subjects that cannot show internal state have no digest to compare: they need everything spelled out.
    let outside = subjects.iter().any(|subject| !subject.capabilities().internal_state);
    let capture = if outside { Capture::Full } else { capture };
    let run = observe_all(&prepared, subjects, capture);
    match run.verdict {
        // A digest says that, not what: look again, closer.
        Verdict::Diverge(_) if capture == Capture::Digest => {
            let closer = observe_all(&prepared, subjects, Capture::Full);
            match closer.verdict {
                Verdict::Diverge(_) => closer,
                // The second look did not show it again. Say what the first one saw.
                _ => run,
            }
        }
        _ => run,
    }
}

fn observe_all(prepared: &Prepared<'_>, subjects: &[&dyn Subject], capture: Capture) -> CaseRun {
    let mut observations: Vec<(&dyn Subject, Observation)> = Vec::with_capacity(subjects.len());
    let mut left_out = Vec::new();
    for subject in subjects {
        let reference = observations.first().map(|(_, observation)| observation);
        if !subject.ends_by_itself() && reference.is_some_and(ran_out_of_fuel) {
            left_out.push(subject.name().to_string());
            continue;
        }
        observations.push((*subject, subject.observe(prepared, capture)));
    }
    let testimonies: Vec<_> = observations
        .iter()
        .map(|(subject, observation)| Testimony {
            name: subject.name(),
            capabilities: subject.capabilities(),
            observation,
        })
        .collect();
    let verdict = judge(&testimonies);
    let named =
        |(subject, observation): (&dyn Subject, Observation)| (subject.name().to_string(), observation);
    CaseRun { verdict, observations: observations.into_iter().map(named).collect(), left_out }
}

fn ran_out_of_fuel(observation: &Observation) -> bool {
    observation
        .actions
        .iter()
        .any(|action| matches!(&action.outcome, Outcome::Trap(trap) if trap.kind == TrapKind::OutOfFuel))
}

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
                    let mut draw = || Lane {
                        no_backtraces: stream.percent(15),
                        moving_memory: stream.percent(25),
                        ..Lane::plain(*mode)
                    };
                    lanes.push(draw());
                    // Beside its sibling, not instead: it is left out where fuel runs out.
                    let unmetered = Lane { no_fuel: true, ..draw() };
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

/// A campaign: generated cases, each a function of seed and index.
pub struct Campaign {
    /// What all cases derive from.
    pub seed: u64,
    /// First index.
    pub first: u64,
    /// How many indices; `None` goes on until the time is up or somebody stops it.
    pub cases: Option<u64>,
    /// How long at most.
    pub time: Option<Duration>,
    /// This machine's part: indices that leave `shard.0` when divided by `shard.1`.
    pub shard: (u64, u64),
    /// Which lanes run.
    pub lanes: Lanes,
    /// Outside engines that run beside them.
    pub judges: Vec<Arc<dyn Subject>>,
    /// What generated modules may use.
    pub features: Features,
}

impl Campaign {
    /// Runs it on rayon's current thread pool, telling `events` as it goes; gives the totals.
    ///
    /// Stops early, with what there is, once `stop` is set.
    pub fn run(&self, events: &mut dyn Events, stop: &AtomicBool) -> Tally {
        let started = Instant::now();
        let mut tally = Tally::new(self.seed, self.first);
        let end = self.cases.map(|cases| self.first.saturating_add(cases));
        let mut next = self.first;
        let mut complete = true;
        while end.is_none_or(|end| next < end) {
            let late = self.time.is_some_and(|time| started.elapsed() >= time);
            if late || stop.load(Ordering::Relaxed) {
                complete = late && self.cases.is_none();
                break;
            }
            let until = end.map_or(next + BATCH_CASES, |end| end.min(next + BATCH_CASES));
            let indices: Vec<u64> =
                (next..until).filter(|index| index % self.shard.1 == self.shard.0).collect();
            let outcomes: Vec<Tally> = indices
                .par_chunks(32)
                .map_init(
                    || self.generator(),
                    |generator, indices| {
                        let mut part = Tally::new(self.seed, self.first);
                        indices.iter().for_each(|index| self.one(generator, *index, &mut part));
                        part
                    },
                )
                .collect();
            for part in outcomes {
                for finding in tally.merge(part) {
                    events.finding(&finding);
                }
            }
            next = until;
            tally.next_index = next;
            events.progress(&tally, end.map(|end| end - self.first), started.elapsed());
        }
        tally.complete = complete;
        tally
    }

    /// What makes the cases. Beside outside engines it makes such that all can agree on.
    pub fn generator(&self) -> Generator {
        let profile = if self.judges.is_empty() { Profile::Own } else { Profile::Judged };
        Generator::new(self.features.clone()).profile(profile)
    }

    /// The subjects for a case, the reference first.
    pub fn subjects(&self, case_seed: u64) -> Vec<Arc<dyn Subject>> {
        let lanes = self.lanes.draw(case_seed).into_iter();
        let lanes = lanes.map(|lane| Arc::new(LaneSubject::new(lane)) as Arc<dyn Subject>);
        lanes.chain(self.judges.iter().cloned()).collect()
    }

    fn one(&self, generator: &mut Generator, index: u64, tally: &mut Tally) {
        tally.cases += 1;
        let Some(Generated { case, generator, .. }) = generator.case(self.seed, index) else {
            tally.inconclusive("the generator gave up");
            return;
        };
        let subjects = self.subjects(case_seed(self.seed, index));
        let subjects: Vec<&dyn Subject> = subjects.iter().map(|subject| &**subject).collect();
        let run = run_case(&case, &subjects, Capture::Digest);
        count(&case, &run, tally);
        match run.verdict {
            Verdict::Agree => tally.agree += 1,
            Verdict::Invalid => tally.invalid += 1,
            Verdict::Inconclusive(reason) => tally.inconclusive(&reason),
            Verdict::Diverge(divergence) => {
                tally.diverge += 1;
                let finding = Finding { seed: self.seed, index, generator, case, divergence };
                tally.findings.push(finding);
            }
        }
    }
}

/// What the reference showed, for the statistics.
fn count(case: &Case, run: &CaseRun, tally: &mut Tally) {
    tally.wasm_bytes += case.modules.iter().map(|module| module.wasm.len() as u64).sum::<u64>();
    for (name, _) in &run.observations {
        *tally.by_lane.entry(name.clone()).or_default() += 1;
    }
    for name in &run.left_out {
        *tally.left_out.entry(name.clone()).or_default() += 1;
    }
    let Some((_, reference)) = run.observations.first() else { return };
    for (action, observed) in case.actions.iter().zip(&reference.actions) {
        if let Action::Invoke { .. } = action {
            tally.calls += 1;
            tally.returned += u64::from(matches!(observed.outcome, Outcome::Values(_)));
        }
        tally.host_calls += observed.host_calls.count;
        match &observed.outcome {
            Outcome::Trap(trap) => *tally.traps.entry(trap.kind.text()).or_default() += 1,
            Outcome::Crash(_) => tally.crashes += 1,
            Outcome::Values(_)
            | Outcome::Link(_)
            | Outcome::Limit(_)
            | Outcome::Unsupported(_)
            | Outcome::Resources(_) => {}
        }
    }
}
