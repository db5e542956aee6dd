//! How the host behaves towards a case: the same for every subject, from numbers alone.
//!
//! A host function that always returns zero hides every bug in what becomes of its results. So each
//! import has a character that follows from the plan's seed and the import's number: some only answer,
//! some read or write the caller's memory, some call back into the module, some trap now and then. What
//! a call does follows from the seed, the import and how often it was called before.
//!
//! The world a host function acts on is a trait, so that an outside engine gets the very same host.
//! Host functions that people name (`run --host`) are in [`named`].

pub mod named;

use crate::case::{HostPlan, RefValue, Value};
use crate::digest::Digest;
use crate::draw::{Purpose, Stream, case_seed, values as arguments};
use crate::observe::{Capture, HostCall, HostCalls, values};
use crosscheck_engine::ValType;

/// Host calls that a full observation spells out; the digest covers all.
const SPELLED_OUT: usize = 256;
/// The words of a host that traps.
const REFUSES: &str = "the host refuses";
/// The words of a named host function that was given a range outside of memory.
pub(crate) const OUT_OF_BOUNDS: &str = "out of bounds memory access";
/// Host functions inside host functions call back no deeper than this.
const DEEPEST_CALL_BACK: u32 = 3;

/// What a host function can do to the world of the subject that called it.
pub trait World {
    /// Bytes of the calling instance's exported first memory, if it has one.
    fn memory_bytes(&mut self) -> Option<u64>;
    /// Copies bytes out; `false` if they are not all inside.
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool;
    /// Copies bytes in; `false`, writing nothing, if they do not all fit.
    fn write(&mut self, address: u64, bytes: &[u8]) -> bool;
    /// Parameter types of the functions the calling instance exports, in the order of its exports.
    fn exported_funcs(&mut self) -> Vec<Vec<ValType>>;
    /// The number of the one of that name among them.
    fn exported_func(&mut self, name: &str) -> Option<usize>;
    /// Calls one of them; its results, or `None` if it failed, which then is how the host call fails.
    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>>;
    /// The state that lives as long as the store.
    fn host(&mut self) -> &mut Host;
}

/// Why a host function did not return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It traps with these words.
    Trap(&'static str),
    /// A named function was given a range that is not all inside of its caller's memory.
    OutOfBounds,
    /// A call back failed; its failure goes on.
    CallBack,
}

/// What one case's host remembers.
#[derive(Debug)]
pub struct Host {
    plan: HostPlan,
    capture: Capture,
    /// Calls so far, by import.
    counts: Vec<u64>,
    digest: Digest,
    calls: HostCalls,
    depth: u32,
    /// What calls did, in the order in which they began, if that is recorded.
    played: Option<Vec<Played>>,
    /// Whether named functions print.
    prints: bool,
    /// Whether what is out of bounds traps as it does in the engine.
    traps_as_engine: bool,
}

/// A call of a host function with what it did, which is enough to play it again without a host.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Played {
    /// The import's number.
    pub(crate) import: u32,
    /// What it answered; none if it failed.
    pub(crate) results: Option<Vec<Value>>,
    /// What it did besides.
    pub(crate) deed: Deed,
}

/// What a host function does to the instance that calls it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Deed {
    /// Nothing that can be seen later.
    Nothing,
    /// Writes into its exported first memory.
    Writes { address: u64, bytes: Vec<u8> },
    /// Calls a function, which has that number among those that it exports.
    CallsBack { number: usize, args: Vec<Value> },
}

/// What an import does besides answering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Character {
    Answers,
    Reads,
    Writes,
    CallsBack,
}

/// Whether that import of a case calls back, now and then.
pub(crate) fn calls_back(plan: HostPlan, import: u32) -> bool {
    character(plan, import) == Character::CallsBack
}

/// Whether that import of a case reads its caller's memory.
pub(crate) fn reads(plan: HostPlan, import: u32) -> bool {
    character(plan, import) == Character::Reads
}

/// Whether that import of a case writes its caller's memory.
pub(crate) fn writes(plan: HostPlan, import: u32) -> bool {
    character(plan, import) == Character::Writes
}

const CHARACTERS: [Character; 8] = [
    Character::Answers,
    Character::Answers,
    Character::Answers,
    Character::Answers,
    Character::Reads,
    Character::Reads,
    Character::Writes,
    Character::CallsBack,
];

fn stream(plan: HostPlan, import: u32, count: u64) -> Stream {
    Stream::new(case_seed(plan.seed, u64::from(import) << 40 | count), Purpose::Hosts)
}

fn character(plan: HostPlan, import: u32) -> Character {
    // The count that no call ever has.
    *stream(plan, import, (1 << 40) - 1).pick(&CHARACTERS)
}

impl Host {
    /// A host that has not been called yet.
    pub fn new(plan: HostPlan, capture: Capture) -> Host {
        let calls = HostCalls::default();
        let (counts, digest, played) = (Vec::new(), Digest::default(), None);
        Host { plan, capture, counts, digest, calls, depth: 0, played, prints: false, traps_as_engine: false }
    }

    /// The host of a program that a person runs: it prints, unless it is to be quiet, and what is out of bounds traps as
    /// it does in the engine.
    pub fn of_program(plan: HostPlan, is_quiet: bool) -> Host {
        Host { prints: !is_quiet, traps_as_engine: true, ..Host::new(plan, Capture::Digest) }
    }

    /// Whether what is out of bounds traps as it does in the engine, and not as hosts do.
    pub(crate) fn traps_as_engine(&self) -> bool {
        self.traps_as_engine
    }

    /// Whether its functions are to throw exceptions, which no subject can do yet.
    pub(crate) fn throws(&self) -> bool {
        self.plan.throw_one_in != 0
    }

    /// The same, which also records what its calls do.
    pub(crate) fn recording(plan: HostPlan, capture: Capture) -> Host {
        Host { played: Some(Vec::new()), ..Host::new(plan, capture) }
    }

    /// What was recorded so far.
    pub(crate) fn played(&self) -> &[Played] {
        self.played.as_deref().unwrap_or_default()
    }

    fn begin_to_play(&mut self, import: u32) -> Option<usize> {
        let played = self.played.as_mut()?;
        played.push(Played { import, results: None, deed: Deed::Nothing });
        Some(played.len() - 1)
    }

    /// The calls since the last time this was asked.
    pub fn take_calls(&mut self) -> HostCalls {
        let digest = std::mem::take(&mut self.digest).finish();
        HostCalls { digest, ..std::mem::take(&mut self.calls) }
    }

    /// The value a host global of import number `import` holds.
    pub fn global(&self, import: u32, ty: ValType) -> Option<Value> {
        answer(ty, &mut stream(self.plan, import, 0))
    }

    fn begin(&mut self, import: u32) -> Stream {
        let index = import as usize;
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        stream(self.plan, import, self.counts[index])
    }

    fn log(
        &mut self,
        name: &str,
        args: &[Value],
        results: Option<&[Value]>,
        notes: Vec<String>,
        import: u32,
    ) {
        // Imports of two modules may have one number, and hosts of one number behave alike.
        self.digest.u64(u64::from(import));
        self.digest.text(name);
        args.iter().for_each(|value| values::digest(value, &mut self.digest));
        match results {
            Some(results) => results.iter().for_each(|value| values::digest(value, &mut self.digest)),
            None => self.digest.text("refused"),
        }
        notes.iter().for_each(|note| self.digest.text(note));
        self.calls.count += 1;
        if self.capture == Capture::Full && self.calls.first.len() < SPELLED_OUT {
            let (import, args, results) = (name.to_string(), args.to_vec(), results.map(<[Value]>::to_vec));
            self.calls.first.push(HostCall { import, args, results, notes });
        }
    }
}

/// Calls host function number `import`, known as `name`, with `args`; gives a value for each of `results`.
pub fn call(
    world: &mut impl World,
    import: u32,
    name: &str,
    args: &[Value],
    results: &[ValType],
) -> Result<Vec<Value>, Refusal> {
    let mut stream = world.host().begin(import);
    let place = world.host().begin_to_play(import);
    let (mut notes, mut deed) = (Vec::new(), Deed::Nothing);
    let outcome = match named::find(world.host().plan.named, name) {
        Some(function) => named::act(function, world, args, results, &mut stream, &mut notes, &mut deed),
        None => act(world, import, args, results, &mut stream, &mut notes, &mut deed),
    };
    if let (Some(place), Some(played)) = (place, &mut world.host().played) {
        played[place] = Played { import, results: outcome.as_ref().ok().cloned(), deed };
    }
    world.host().log(name, args, outcome.as_deref().ok(), notes, import);
    outcome
}

fn act(
    world: &mut impl World,
    import: u32,
    args: &[Value],
    results: &[ValType],
    stream: &mut Stream,
    notes: &mut Vec<String>,
    deed: &mut Deed,
) -> Result<Vec<Value>, Refusal> {
    let trap_one_in = world.host().plan.trap_one_in;
    if trap_one_in > 0 && stream.below(u64::from(trap_one_in)) == 0 {
        return Err(Refusal::Trap(REFUSES));
    }
    match character(world.host().plan, import) {
        Character::Answers => {}
        Character::Reads => read_memory(world, args, stream, notes),
        Character::Writes => write_memory(world, args, stream, notes, deed),
        Character::CallsBack => call_back(world, stream, notes, deed)?,
    }
    let answer = |ty: &ValType| answer(*ty, stream).ok_or(Refusal::Trap("the host has no such value"));
    results.iter().map(answer).collect()
}

/// An address that an argument suggests, or one near the end of memory.
fn address(args: &[Value], bytes: u64, stream: &mut Stream) -> u64 {
    match integers(args).next() {
        Some(address) if address < bytes => address,
        Some(_) | None => bytes.saturating_sub(stream.below(16)),
    }
}

/// As many bytes as a small second integer says, or some.
fn length(args: &[Value], stream: &mut Stream) -> usize {
    let drawn = stream.between(0, 24);
    match integers(args).nth(1) {
        Some(suggested @ 0..=64) => suggested as usize,
        Some(_) | None => drawn,
    }
}

fn integers(args: &[Value]) -> impl Iterator<Item = u64> + '_ {
    args.iter().filter_map(|value| match value {
        Value::I32(bits) => Some(u64::from(*bits)),
        Value::I64(bits) => Some(*bits),
        Value::F32(_) | Value::F64(_) | Value::V128(_) | Value::Ref(_) => None,
    })
}

fn read_memory(world: &mut impl World, args: &[Value], stream: &mut Stream, notes: &mut Vec<String>) {
    let Some(bytes) = world.memory_bytes() else { return };
    let address = address(args, bytes, stream);
    let mut buffer = vec![0; length(args, stream)];
    if world.read(address, &mut buffer) {
        let mut digest = Digest::default();
        digest.bytes(&buffer);
        notes.push(format!("read {} bytes at {address:#x}: {:016x}", buffer.len(), digest.finish()));
    } else {
        notes.push(format!("could not read {} bytes at {address:#x}", buffer.len()));
    }
}

fn write_memory(
    world: &mut impl World,
    args: &[Value],
    stream: &mut Stream,
    notes: &mut Vec<String>,
    deed: &mut Deed,
) {
    let Some(bytes) = world.memory_bytes() else { return };
    let address = address(args, bytes, stream);
    let mut buffer = vec![0; length(args, stream)];
    stream.fill(&mut buffer);
    let is_written = world.write(address, &buffer);
    let outcome = if is_written { "wrote" } else { "could not write" };
    notes.push(format!("{outcome} {} bytes at {address:#x}", buffer.len()));
    if is_written {
        *deed = Deed::Writes { address, bytes: buffer };
    }
}

fn call_back(
    world: &mut impl World,
    stream: &mut Stream,
    notes: &mut Vec<String>,
    deed: &mut Deed,
) -> Result<(), Refusal> {
    let choice = stream.u64();
    if world.host().depth >= DEEPEST_CALL_BACK || !stream.percent(30) {
        return Ok(());
    }
    let funcs = world.exported_funcs();
    let callable = |(number, params): (usize, &Vec<ValType>)| Some((number, small_arguments(params)?));
    let mut candidates: Vec<_> = funcs.iter().enumerate().filter_map(callable).collect();
    if candidates.is_empty() {
        return Ok(());
    }
    let (number, args) = candidates.swap_remove((choice % candidates.len() as u64) as usize);
    *deed = Deed::CallsBack { number, args: args.clone() };
    world.host().depth += 1;
    let outcome = world.call_exported_func(number, &args);
    world.host().depth -= 1;
    let values = outcome.ok_or(Refusal::CallBack)?;
    // Which function a reference is to is not for every subject to say, and notes are compared by their text.
    let shown = |value: &Value| match value {
        Value::Ref(RefValue::Func(_)) => "ref.func".to_string(),
        other => other.to_string(),
    };
    notes.push(format!("called back: {}", values.iter().map(shown).collect::<Vec<_>>().join(" ")));
    Ok(())
}

/// What a call back is given, small so that loops and recursion end; `None` if not all parameters are numbers.
fn small_arguments(params: &[ValType]) -> Option<Vec<Value>> {
    let small = |ty: &ValType| match ty {
        ValType::I32 => Some(Value::I32(3)),
        ValType::I64 => Some(Value::I64(2)),
        ValType::F32 => Some(Value::F32(1.5f32.to_bits())),
        ValType::F64 => Some(Value::F64(1.5f64.to_bits())),
        ValType::V128 | ValType::Ref(_) => None,
    };
    params.iter().map(small).collect()
}

/// A value for a host to answer with; `None` for references that cannot be null.
fn answer(ty: ValType, stream: &mut Stream) -> Option<Value> {
    let number = match ty {
        ValType::I32 => wasmparser::ValType::I32,
        ValType::I64 => wasmparser::ValType::I64,
        ValType::F32 => wasmparser::ValType::F32,
        ValType::F64 => wasmparser::ValType::F64,
        ValType::V128 => wasmparser::ValType::V128,
        ValType::Ref(ty) => return ty.nullable.then(|| values::null(ty)),
    };
    arguments::value(number, stream)
}
