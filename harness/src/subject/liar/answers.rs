//! Lies about an observation that is written down: of every field, also of what no mode makes yet.

mod changes;

use crate::case::{
    Action, Case, CaseModule, FuncIdentity, HeapKind, HostPlan, Limits, RefValue, TagIdentity, Value,
};
use crate::digest::Digest;
use crate::observe::{
    ActionObservation, Capture, ExportState, Frame, Frames, HostCall, HostCalls, InstanceState, MemoryState,
    ObjectState, Observation, Outcome, State, TableState, TrapObservation, TypeIdentity,
};
use crosscheck_engine::TrapKind;
use std::collections::BTreeMap;
use std::fmt::Debug;

// The actions of the observation, by how they end.
const RETURNS: usize = 0;
const TRAPS: usize = 1;
const THROWS: usize = 2;
const HOST_THROWS: usize = 3;
const LINK: usize = 4;
const USAGE: usize = 5;
const UNDEFINED: usize = 6;
const UNFIT_CALLEE: usize = 7;
const UNFIT_FLOAT: usize = 8;
const NULL: usize = 9;
const ENDS: usize = 10;
/// The last one: where depths are not compared, nothing is after it.
const LIMIT: usize = 11;

pub(super) use changes::lies;

/// The case that is said to show the observation. No engine runs it.
pub(super) fn case() -> Case {
    let module = CaseModule { name: "m0".into(), wasm: b"\0asm\x01\0\0\0".to_vec() };
    Case {
        modules: vec![module],
        hosts: HostPlan::new(0, 0),
        actions: vec![Action::Read { module: 0, export: "g".into() }; LIMIT + 1],
        limits: Limits::default(),
    }
}

/// What a subject shows that lies in this way, or does not lie.
pub(super) fn shown(lie: Option<fn(&mut Observation)>, capture: Capture) -> Observation {
    let mut observation = truth();
    if let Some(lie) = lie {
        lie(&mut observation);
    }
    observation.actions.iter_mut().for_each(|action| seal(action, capture));
    observation
}

/// Makes digests of what is spelled out, and leaves out what was not asked for.
fn seal(action: &mut ActionObservation, capture: Capture) {
    let is_full = capture == Capture::Full;
    action.state_digest ^= digest(&action.state);
    action.host_calls.digest ^= digest(&action.host_calls.first);
    if let Outcome::Trap(TrapObservation { frames: Some(frames), .. }) = &mut action.outcome {
        let unnamed = frames.kept.iter().map(|frame| (frame.number, frame.function, frame.offset));
        frames.hash ^= digest(&unnamed.collect::<Vec<_>>());
        frames.kept.retain(|_| is_full);
    }
    action.host_calls.first.retain(|_| is_full);
    action.state = action.state.take().filter(|_| is_full);
}

fn digest(shown: &impl Debug) -> u64 {
    let mut digest = Digest::default();
    digest.text(&format!("{shown:?}"));
    digest.finish()
}

fn truth() -> Observation {
    let exception = |tag| Outcome::Exception { tag, payload: vec![Value::I32(3), Value::I64(4)] };
    let outcomes = [
        Outcome::Values(results()),
        Outcome::Trap(true_trap()),
        exception(TagIdentity::Wasm { instance: 1, tag: 2 }),
        exception(TagIdentity::Host(3)),
        Outcome::Link("words".into()),
        Outcome::Usage("words".into()),
        Outcome::trap(TrapKind::UndefinedElement, None),
        Outcome::trap(TrapKind::UninitializedElement, None),
        Outcome::trap(TrapKind::InvalidConversionToInteger, None),
        Outcome::trap(TrapKind::NullReference, None),
        Outcome::Values(vec![Value::I32(0)]),
        Outcome::Limit("words".into()),
    ];
    let action = |outcome| ActionObservation {
        outcome,
        fuel_left: 1000,
        host_calls: HostCalls { count: 5, digest: 0, first: (0..5).map(true_call).collect() },
        state_digest: 0,
        state: Some(State::default()),
    };
    let mut observation = Observation { actions: outcomes.into_iter().map(action).collect() };
    // What is left behind is lied about after a trap, where it is most easily forgotten.
    observation.actions[TRAPS].state = Some(true_state());
    observation
}

/// A value of every kind.
fn results() -> Vec<Value> {
    vec![
        Value::I32(7),
        Value::I64(7),
        Value::F32(0),
        Value::F64(0x7ff8_0000_0000_0000),
        Value::V128(7),
        Value::Ref(RefValue::Null(HeapKind::Func)),
        Value::Ref(RefValue::Extern(7)),
        function(1, 3),
        Value::Ref(RefValue::Func(FuncIdentity::Host(7))),
        Value::Ref(RefValue::I31(7)),
        reference(HeapKind::Struct, 0),
    ]
}

fn function(instance: u32, func: u32) -> Value {
    Value::Ref(RefValue::Func(FuncIdentity::Wasm { instance, func }))
}

fn reference(kind: HeapKind, number: u32) -> Value {
    Value::Ref(RefValue::Other { kind, number })
}

fn true_trap() -> TrapObservation {
    let frame = |number, function: Option<(u32, u32)>, name: &str| Frame {
        number,
        function,
        offset: function.map(|_| 5),
        name: name.into(),
    };
    let kept = vec![frame(0, None, "env.a"), frame(1, Some((1, 7)), "$f7"), frame(2, Some((0, 2)), "f")];
    TrapObservation {
        kind: TrapKind::Host,
        message: Some("no".into()),
        site: Some(9),
        frames: Some(Frames { count: 3, hash: 0, kept }),
    }
}

fn true_call(number: u32) -> HostCall {
    HostCall {
        import: "env.a".into(),
        args: vec![Value::I32(number), Value::F64(0)],
        results: Some(if number == 4 { vec![Value::I32(0)] } else { Vec::new() }),
        notes: if number == 4 { vec!["read".into(), "wrote".into()] } else { Vec::new() },
    }
}

fn true_state() -> State {
    let size = 1 << 16;
    let instance = InstanceState {
        globals: vec![Value::I64(4), Value::F32(1 << 31)],
        tables: vec![
            TableState { elements: 9, non_null: BTreeMap::from([(1, function(0, 4))]) },
            TableState { elements: 2, non_null: BTreeMap::new() },
        ],
        memories: vec![
            MemoryState { bytes: size, pages: BTreeMap::from([(15, vec![1; 4096])]) },
            MemoryState { bytes: size, pages: BTreeMap::new() },
        ],
        dropped_elems: vec![1],
        dropped_datas: vec![0, 2],
        exports: vec![("g".into(), ExportState::Global(0)), ("m".into(), ExportState::Memory(1))],
    };
    State {
        instances: vec![instance, InstanceState::default()],
        modules: vec![Some(0), None],
        gc: vec![
            structure(0, 3, 1),
            array(vec![Value::I32(5), Value::I32(6)]),
            thrown(0, vec![Value::I32(8)]),
        ],
    }
}

fn structure(instance: u32, index: u32, field: u32) -> ObjectState {
    ObjectState::Struct { ty: TypeIdentity { instance, index }, fields: vec![Value::I32(field)] }
}

fn array(elements: Vec<Value>) -> ObjectState {
    ObjectState::Array { ty: TypeIdentity { instance: 0, index: 4 }, elements }
}

fn thrown(tag: u32, payload: Vec<Value>) -> ObjectState {
    ObjectState::Exception { tag: TagIdentity::Wasm { instance: 0, tag }, payload }
}

// The parts of the observation that lies change.

fn values(observation: &mut Observation) -> &mut Vec<Value> {
    match &mut observation.actions[RETURNS].outcome {
        Outcome::Values(values) => values,
        other => unreachable!("the action returns: {other:?}"),
    }
}

fn trap(observation: &mut Observation) -> &mut TrapObservation {
    match &mut observation.actions[TRAPS].outcome {
        Outcome::Trap(trap) => trap,
        other => unreachable!("the action traps: {other:?}"),
    }
}

fn frames(observation: &mut Observation) -> &mut Frames {
    trap(observation).frames.as_mut().expect("the trap has a backtrace")
}

fn exception(observation: &mut Observation, action: usize) -> (&mut TagIdentity, &mut Vec<Value>) {
    match &mut observation.actions[action].outcome {
        Outcome::Exception { tag, payload } => (tag, payload),
        other => unreachable!("the action throws: {other:?}"),
    }
}

fn calls(observation: &mut Observation) -> &mut HostCalls {
    &mut observation.actions[TRAPS].host_calls
}

fn state(observation: &mut Observation) -> &mut State {
    observation.actions[TRAPS].state.as_mut().expect("the state is spelled out until it is sealed")
}

fn instance(observation: &mut Observation) -> &mut InstanceState {
    &mut state(observation).instances[0]
}

fn page(observation: &mut Observation) -> &mut Vec<u8> {
    instance(observation).memories[0].pages.get_mut(&15).expect("the page is written")
}
