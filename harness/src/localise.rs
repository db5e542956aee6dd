//! Finds where two subjects first part: the instruction, its operands, and what each made of it.
//!
//! Two instruments. *Fuel* changes nothing in the module: both subjects run with less and less of it until they agree,
//! which gives the segment whose effects are seen first. *Probes* look inside: the module is rewritten so that it stops
//! before one instruction and shows operands and locals ([`probe`]). The instructions that the reference executes, in
//! order ([`path`]), are the places to stop at; the first place that shows a difference names the instruction
//! before it ([`search`]).
//!
//! That a probe shows no difference may be the probe's doing, that it shows one may not, but for a fault in the
//! very way in which values are shown; so each is shown in two ways, and both must differ.

pub mod path;
pub mod probe;
mod search;

use crate::case::{Action, Case, Value};
use crate::compare::{self, Difference, Divergence, Kind, Verdict};
use crate::observe::{Capture, Observation, Outcome};
use crate::run::{Ground, made_of};
use crate::subject::{Capabilities, Lane, Subject, Task};
use crate::trial::{CaseRun, run_task};
use crate::wasm::text::wasm_lines;
use crosscheck_engine::opcode::Opcode;
use path::{Path, Step};
use probe::{Route, Show, What};
use search::{Bench, Shown, Visible};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Lines of wasm that are shown before the instruction, and after it.
const AROUND: (usize, usize) = (6, 4);

/// How closely the place is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// The instruction.
    Instruction,
    /// A straight-line run of instructions, of which the first is named.
    Segment,
    /// The action: no instruction was executed before subjects parted, or none could be looked at.
    Action,
}

/// Where two subjects first part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Localisation {
    /// How closely the place is known.
    pub precision: Precision,
    /// Why it is not known more closely, or what else is to be minded.
    pub remark: Option<String>,
    /// Number of the action that makes them part.
    pub action: usize,
    /// The place; none if only the action is known.
    pub place: Option<Place>,
    /// Operands of the instruction as the reference shows them, deepest first.
    pub operands: Vec<Sight>,
    /// What differs first, with both sides.
    pub difference: String,
    /// What the reference shows there.
    pub reference: Side,
    /// What the guilty subject shows there.
    pub guilty: Side,
    /// The wasm around the place, the place marked.
    pub wasm: Vec<String>,
    /// Whether the instruction leaves other values, and not only later ones are seen, or it is left for elsewhere.
    #[serde(default)]
    pub leaves_other_values: bool,
    /// What the guilty subject made of the instruction.
    pub machine_code: Vec<String>,
    /// Cases that were run to find out.
    pub runs: u64,
}

/// An instruction of a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Number of the module in the case.
    pub module: u32,
    /// Number of the instance; none if it is the module's code that is to blame, before any instance runs it.
    pub instance: Option<u32>,
    /// Index of the function, imports counted.
    pub function: u32,
    /// What people call the function.
    pub name: String,
    /// File offset of the opcode.
    pub offset: u32,
    /// The opcode.
    #[serde(with = "opcode_text")]
    pub opcode: Opcode,
    /// Which execution of it by the instance (1 is the first), where that is known.
    pub execution: Option<u32>,
}

/// What one subject shows at a place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Side {
    /// The subject.
    pub name: String,
    /// What it shows.
    pub shows: Vec<Sight>,
}

/// Something that a subject shows: as people read it, and the values in it. A record has the text only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Sight {
    /// As people read it.
    pub text: String,
    /// The values in it, in order.
    pub values: Vec<Value>,
}

impl Sight {
    /// A value, after what it is called.
    fn named(name: &str, value: &Value) -> Sight {
        Sight { text: format!("{name}: {value}"), values: vec![value.clone()] }
    }

    /// A value.
    fn bare(value: &Value) -> Sight {
        Sight { text: value.to_string(), values: vec![value.clone()] }
    }
}

impl From<&compare::Side> for Sight {
    fn from(side: &compare::Side) -> Sight {
        Sight { text: side.to_string(), values: side.values().into_iter().cloned().collect() }
    }
}

impl From<String> for Sight {
    fn from(text: String) -> Sight {
        Sight { text, values: Vec::new() }
    }
}

impl From<Sight> for String {
    fn from(sight: Sight) -> String {
        sight.text
    }
}

/// An opcode in a record is its name in the text format.
mod opcode_text {
    use crosscheck_engine::opcode::Opcode;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(opcode: &Opcode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(opcode.text())
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Opcode, D::Error> {
        let text = String::deserialize(deserializer)?;
        Opcode::from_text(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no opcode")))
    }
}

/// Finds where two subjects first part on a case. Fails if they do not, if it is told to stop, or if no worker can
/// be had.
pub fn localise(
    ground: Ground<'_>,
    case: &Case,
    reference: &Arc<dyn Subject>,
    guilty: &Arc<dyn Subject>,
    stop: &AtomicBool,
) -> Result<Localisation, String> {
    let subjects = [reference.clone(), guilty.clone()];
    let task = Task { case: case.clone(), subjects: subjects.to_vec() };
    let whole = run_task(ground, &task, Capture::Full)?;
    let (case, whole, first) = cut(ground, case, &subjects, whole)?;
    let bench = Bench { ground, case, subjects, stop, first, runs: 2 };
    let mut seen = whole.observations.into_iter().map(|(_, seen)| seen);
    let (reference, guilty) = (seen.next().unwrap_or_default(), seen.next().unwrap_or_default());
    Search { bench, reference, guilty }.run()
}

/// Who is held against whom: the first of the group that is right, and the first of another one.
pub fn parties(divergence: &Divergence, subjects: &[Arc<dyn Subject>]) -> Option<[Arc<dyn Subject>; 2]> {
    let groups = &divergence.groups;
    let right = groups.get(divergence.right())?;
    let wrong = groups.iter().find(|group| *group != right)?;
    let first_of = |group: &Vec<String>| {
        let name = group.first()?;
        subjects.iter().find(|subject| subject.name() == name).cloned()
    };
    Some([first_of(right)?, first_of(wrong)?])
}

/// The case up to the action that makes subjects part, and what they show of it.
fn cut(
    ground: Ground<'_>,
    case: &Case,
    subjects: &[Arc<dyn Subject>; 2],
    whole: CaseRun,
) -> Result<(Case, CaseRun, Difference), String> {
    let Verdict::Diverge(divergence) = &whole.verdict else {
        return Err(format!("{} and {} do not differ", subjects[0].name(), subjects[1].name()));
    };
    let shortest = divergence.first.action + 1;
    // A subject that runs the actions of a case as one program can show at an earlier action what a later one did.
    let is_one_program = subjects.iter().any(|subject| !subject.capabilities().to_the_end);
    let longest = if is_one_program { case.actions.len() } else { shortest };
    for length in shortest..=longest {
        let mut cut = case.clone();
        cut.actions.truncate(length);
        let task = Task { case: cut.clone(), subjects: subjects.to_vec() };
        let run = run_task(ground, &task, Capture::Full)?;
        match &run.verdict {
            Verdict::Diverge(divergence) => {
                let first = Difference { action: length - 1, ..divergence.first.clone() };
                return Ok((cut, run, first));
            }
            Verdict::Agree | Verdict::Inconclusive(_) | Verdict::Invalid => {}
        }
    }
    Err("the case does not diverge the same way twice".to_string())
}

/// A search under way.
struct Search<'a> {
    bench: Bench<'a>,
    /// What the reference shows of the case as it is.
    reference: Observation,
    /// What the guilty subject shows of it.
    guilty: Observation,
}

impl Search<'_> {
    fn run(mut self) -> Result<Localisation, String> {
        if let Some(found) = self.blamed_by_frames() {
            return Ok(found);
        }
        let silent = self.bench.subjects.iter().find(|subject| !shows_probes(subject.capabilities()));
        if let Some(silent) = silent {
            return Ok(self.action(&format!("{} shows nothing of what a probe leaves", silent.name())));
        }
        let visible = self.bench.visible(&self.reference)?;
        let Some(path) = self.bench.path(&self.reference, visible.as_ref())? else {
            return Ok(self.segment(
                None,
                visible.as_ref(),
                "no execution path: `interp` itself fails on this case",
            ));
        };
        match self.bench.first_difference(&path)? {
            Some(found) => self.before(&path, found, visible.as_ref()),
            None => match path.steps.last() {
                None => self.before_any(&path),
                Some(last)
                    if self.traps_at(last) || (!path.is_cut && self.bench.survives(&path, last)?) =>
                {
                    self.described(&path, last, None)
                }
                Some(_) => {
                    let remark = "probes show no difference, or make it vanish";
                    Ok(self.segment(Some(&path), visible.as_ref(), remark))
                }
            },
        }
    }

    /// Whether the reference traps at a step. The guilty subject comes as far in the same state, and does not.
    fn traps_at(&self, step: &Step) -> bool {
        let outcome = self.reference.actions.get(self.bench.first.action).map(|seen| &seen.outcome);
        matches!(outcome, Some(Outcome::Trap(trap)) if trap.site == Some(step.offset))
    }

    /// The instruction that a compiler names that found its own code wrong.
    fn told_by_crash(&self, path: &Path) -> Option<Place> {
        let message = self.guilty.actions.last()?.outcome.failure()?;
        let (_, told) = message.rsplit_once("(wasm 0x")?;
        let offset = u32::from_str_radix(told.split_once(')')?.0, 16).ok()?;
        let module = match self.bench.case.actions.get(self.bench.first.action)? {
            Action::Instantiate { module } | Action::Invoke { module, .. } | Action::Read { module, .. } => {
                *module
            }
        };
        place_of(&self.bench.case, path, module, offset)
    }

    /// What can be said if subjects part before an instruction is executed: which one a compiler fails on, if one does.
    fn before_any(&mut self, path: &Path) -> Result<Localisation, String> {
        if self.bench.first.kind == Kind::Crash {
            if let Some(place) = self.told_by_crash(path) {
                return Ok(self.at(Precision::Instruction, None, Some(place)));
            }
            if let Some((module, offset)) = self.bench.failing_code()?
                && let Some(place) = place_of(&self.bench.case, path, module, offset)
            {
                return Ok(self.at(Precision::Instruction, None, Some(place)));
            }
        }
        Ok(self.action("they part before the first instruction is executed"))
    }

    /// Where only the calls differ through which a trap happened, the first frame that differs says which call.
    fn blamed_by_frames<'s>(&'s self) -> Option<Localisation> {
        if self.bench.first.kind != Kind::Frames {
            return None;
        }
        let frames = |side: &'s Observation| {
            let action = side.actions.get(self.bench.first.action)?;
            match &action.outcome {
                Outcome::Trap(trap) => trap.frames.as_ref().map(|frames| &frames.kept),
                _ => None,
            }
        };
        let (ours, theirs) = (frames(&self.reference)?, frames(&self.guilty)?);
        let differ = |(number, frame): &(usize, &crate::observe::Frame)| theirs.get(*number) != Some(*frame);
        let (_, frame) = ours.iter().enumerate().find(differ)?;
        let ((instance, _), offset) = (frame.function?, frame.offset?);
        let path = Path::without_steps(&self.bench.case, &self.reference).ok()?;
        let place = place(&self.bench.case, &path, instance, offset, None)?;
        Some(self.at(Precision::Instruction, None, Some(place)))
    }

    /// The instruction before the place that shows a difference.
    fn before(
        &mut self,
        path: &Path,
        (found, route): (usize, Route),
        visible: Option<&Visible>,
    ) -> Result<Localisation, String> {
        let seen = self.bench.look(path, &path.steps[found], Show::All, route, Capture::Full)?;
        let seen = match seen {
            Some(seen) if seen.difference.is_some() => Some(seen),
            // Naming locals has made it vanish.
            _ => self.bench.look(path, &path.steps[found], Show::Operands, route, Capture::Full)?,
        };
        // A subject that takes another path charges other fuel, but does not come to the same place either.
        let charges = |seen: &Shown| seen.difference.as_ref().is_some_and(|found| found.kind == Kind::Fuel);
        if visible.is_some_and(|visible| visible.segment.is_some()) && seen.as_ref().is_some_and(charges) {
            return Ok(self.segment(Some(path), visible, "fuel is charged a segment at a time"));
        }
        if found == 0 {
            return self.before_any(path);
        }
        let blamed = self.blamed(path, found, seen.as_ref());
        self.described(path, &path.steps[blamed], seen.as_ref())
    }

    /// The step to blame for a difference before step `found`: the one before, but for a call that came back. Where not
    /// its results differ but what its caller had in hand, it is the call that lost it, not the callee's last
    /// instruction; or the tail call after it, without which the call would have come back from the callee itself.
    fn blamed(&self, path: &Path, found: usize, seen: Option<&Shown>) -> usize {
        let (before, step) = (found - 1, &path.steps[found]);
        let same_call = |number: &usize| path.steps[*number].activation == step.activation;
        if same_call(&before) {
            return before;
        }
        let Some(call) = (0..before).rev().find(same_call) else { return before };
        let results = path.arity(&self.bench.case, &path.steps[call]).map_or(0, |arity| arity.results);
        let is_result = |what: &What| matches!(what, What::Operand(number) if *number < results);
        let lost = seen.is_some_and(|seen| {
            // Who fails at once where it comes back has nothing left to show.
            let shows_nothing = seen.values[1].is_empty() && !seen.values[0].is_empty();
            shows_nothing || differing(seen).iter().any(|(what, _, _)| !is_result(what))
        });
        if lost { path.tail_call_into(before).unwrap_or(call) } else { before }
    }

    /// All about an instruction.
    fn described(&mut self, path: &Path, step: &Step, seen: Option<&Shown>) -> Result<Localisation, String> {
        let arity = path.arity(&self.bench.case, step);
        let before = self.bench.look(path, step, Show::Operands, Route::Direct, Capture::Full)?;
        let place = place(&self.bench.case, path, step.instance, step.offset, Some(step.execution));
        let mut found = self.at(Precision::Instruction, None, place);
        let operands = arity.map_or(0, |arity| arity.operands);
        let taken = |what: &What| matches!(what, What::Operand(number) if *number < operands);
        if let Some(before) = before {
            let taken = before.values[0].iter().filter(|(what, _)| taken(what));
            found.operands = taken.map(|(_, value)| Sight::bare(value)).collect();
            found.operands.reverse();
        }
        if let Some(seen) = seen {
            if let Some(difference) = &seen.difference {
                tell(&mut found, difference);
            }
            let differing = differing(seen);
            let results = arity.map_or(0, |arity| arity.results);
            let sight = |what: &What, value: &Value| Sight::named(&name(what, results), value);
            let comes_here = differing.iter().any(|(_, _, theirs)| !probe::is_untouched(theirs));
            if let (true, [(what, ours, theirs), ..]) = (comes_here, differing.as_slice()) {
                found.leaves_other_values = true;
                found.reference.shows = differing.iter().map(|(what, ours, _)| sight(what, ours)).collect();
                found.guilty.shows = differing.iter().map(|(what, _, theirs)| sight(what, theirs)).collect();
                found.difference = format!("{}: {ours} against {theirs}", name(what, results));
            } else if !differing.is_empty() {
                found.reference.shows = differing.iter().map(|(what, ours, _)| sight(what, ours)).collect();
                found.guilty.shows.insert(0, Sight::from("goes elsewhere".to_string()));
            }
        }
        Ok(found)
    }

    /// The segment whose effects are seen first; only the action, if that is not known either.
    fn segment(&self, path: Option<&Path>, visible: Option<&Visible>, remark: &str) -> Localisation {
        let segment = visible.and_then(|visible| visible.segment);
        let own;
        let path = match path {
            Some(path) => Some(path),
            None => {
                own = Path::without_steps(&self.bench.case, &self.reference).ok();
                own.as_ref()
            }
        };
        let place = segment
            .zip(path)
            .and_then(|((instance, offset), path)| place(&self.bench.case, path, instance, offset, None));
        let precision = if place.is_some() { Precision::Segment } else { Precision::Action };
        self.at(precision, Some(remark), place)
    }

    fn action(&self, remark: &str) -> Localisation {
        self.at(Precision::Action, Some(remark), None)
    }

    fn at(&self, precision: Precision, remark: Option<&str>, place: Option<Place>) -> Localisation {
        let Bench { ground, case, subjects, first, runs, .. } = &self.bench;
        let side = |subject: &Arc<dyn Subject>| Side { name: subject.name().to_string(), shows: Vec::new() };
        let wasm = |place: &Place| case.modules[place.module as usize].wasm.as_slice();
        let made = |place: &Place| {
            let lane: Lane = subjects[1].name().parse().ok()?;
            Some(made_of(*ground, lane, wasm(place), place.function, place.offset))
        };
        let mut found = Localisation {
            precision,
            remark: remark.map(str::to_string),
            action: first.action,
            operands: Vec::new(),
            difference: String::new(),
            reference: side(&subjects[0]),
            guilty: side(&subjects[1]),
            wasm: place.as_ref().map_or(Vec::new(), |place| around(wasm(place), place.offset)),
            leaves_other_values: false,
            machine_code: place.as_ref().and_then(made).unwrap_or_default(),
            runs: *runs,
            place,
        };
        tell(&mut found, first);
        found
    }
}

/// Whether a subject shows the globals in which a probe leaves what it found.
fn shows_probes(capabilities: Capabilities) -> bool {
    capabilities.internal_state || capabilities.exported_state
}

/// Says what differs.
fn tell(found: &mut Localisation, difference: &Difference) {
    found.difference = format!("{}: {} against {}", difference.exactly, difference.left, difference.right);
    found.reference.shows = vec![Sight::from(&difference.left)];
    found.guilty.shows = vec![Sight::from(&difference.right)];
}

/// What a probe shows differently of the two subjects, results first.
fn differing(seen: &Shown) -> Vec<(What, Value, Value)> {
    let pairs = seen.values[0].iter().zip(&seen.values[1]);
    let differing = pairs.filter(|((_, ours), (_, theirs))| ours != theirs);
    differing.map(|((what, ours), (_, theirs))| (*what, ours.clone(), theirs.clone())).collect()
}

/// What a shown value is called, after an instruction that leaves so many results.
fn name(what: &What, results: u32) -> String {
    match what {
        What::Operand(number) if *number < results => match results {
            1 => "result".to_string(),
            _ => format!("result {}", results - 1 - number),
        },
        What::Operand(number) => format!("operand {} below the topmost", number),
        What::Local(number) => format!("local {number}"),
    }
}

fn place(case: &Case, path: &Path, instance: u32, offset: u32, execution: Option<u32>) -> Option<Place> {
    let place = place_of(case, path, *path.modules.get(instance as usize)?, offset)?;
    Some(Place { instance: Some(instance), execution, ..place })
}

fn place_of(case: &Case, path: &Path, module: u32, offset: u32) -> Option<Place> {
    let function = path.function_of(module, offset)?;
    let wasm = &case.modules[module as usize].wasm;
    let (opcode, _) = Opcode::decode(wasm.get(offset as usize..)?)?;
    Some(Place {
        module,
        instance: None,
        function: function.index,
        name: function.name.clone(),
        offset,
        opcode,
        execution: None,
    })
}

/// Lines of wasm around an offset, which is marked.
fn around(wasm: &[u8], offset: u32) -> Vec<String> {
    let Ok(lines) = wasm_lines(wasm) else { return Vec::new() };
    let mut before: Vec<_> = lines.range(..offset).rev().take(AROUND.0).collect();
    before.reverse();
    let line = |(at, text): (&u32, &String)| {
        let mark = if *at == offset { ">" } else { " " };
        format!("{mark} {at:#06x}  {text}")
    };
    before.into_iter().chain(lines.range(offset..).take(AROUND.1 + 1)).map(line).collect()
}

impl fmt::Display for Localisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Localisation { place, reference, guilty, .. } = self;
        match (self.precision, place) {
            (Precision::Instruction, Some(place)) => write!(f, "first parted at {place}")?,
            (Precision::Segment, Some(place)) => write!(f, "first parted in the segment from {place}")?,
            (Precision::Action, _) | (_, None) => write!(f, "first parted in action {}", self.action)?,
        }
        if let Some(remark) = &self.remark {
            write!(f, "; not more closely: {remark}")?;
        }
        let texts = |sights: &[Sight], between: &str| {
            sights.iter().map(|sight| sight.text.as_str()).collect::<Vec<_>>().join(between)
        };
        if !self.operands.is_empty() {
            write!(f, "\n  operands: {}", texts(&self.operands, " "))?;
        }
        for side in [reference, guilty] {
            write!(f, "\n  {}: {}", side.name, texts(&side.shows, ", "))?;
        }
        for line in &self.wasm {
            write!(f, "\n  {line}")?;
        }
        if !self.machine_code.is_empty() {
            write!(f, "\n  what {} made of it:", guilty.name)?;
            self.machine_code.iter().try_for_each(|line| write!(f, "\n    | {line}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { module, function, name, offset, opcode, execution, .. } = self;
        let opcode = opcode.text();
        write!(f, "`{opcode}` at {offset:#06x} of function {function} `{name}` of module {module}")?;
        match execution {
            Some(execution) if *execution > 1 => write!(f, ", execution {execution}"),
            Some(_) | None => Ok(()),
        }
    }
}
