//! Lies about an observation that is written down: of every field, also of what no mode makes yet.

use super::{Field, Lie, Shows, Specimen};
use crate::case::{
    Action, Case, CaseModule, FuncIdentity, HeapKind, HostPlan, Limits, RefValue, TagIdentity, Value,
};
use crate::digest::Digest;
use crate::observe::{
    ActionObservation, Capture, ExportState, Frame, Frames, HostCall, HostCalls, InstanceState, MemoryState,
    ObjectState, Observation, Outcome, State, TableState, TrapObservation, TypeIdentity,
};
use Field::*;
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
const LIMIT: usize = 6;
const UNDEFINED: usize = 7;
const UNFIT_CALLEE: usize = 8;
const UNFIT_FLOAT: usize = 9;
const NULL: usize = 10;
const LAST: usize = 11;

/// The lies.
pub(super) fn lies() -> Vec<Lie> {
    [ends(), traps_and_exceptions(), host_calls(), states()].into_iter().flatten().collect()
}

/// How actions end, and what they return.
fn ends() -> Vec<Lie> {
    vec![
        lie("answer-actions", &[Actions, FuelLeft, StateDigest, HostCallCount, HostCallDigest, HostCallsSpelledOut, Values, ResultCount, Modules, Objects, Instances], |o| { o.actions.truncate(LAST); }).seen("?", "?").unseen_without(&["to_the_end"]),
        lie("answer-more-actions", &[Actions], |o| { o.actions.push(o.actions[LAST].clone()); }).seen("?", "?"),
        lie("answer-fuel", &[FuelLeft], |o| { o.actions[RETURNS].fuel_left |= 1 << 63; }).seen("?", "?").unseen_without(&["fuel"]),
        lie("answer-fuel-of-trap", &[FuelLeft], |o| { o.actions[TRAPS].fuel_left -= 1; }).seen("?", "?").unseen_without(&["fuel"]),
        lie("answer-digest", &[StateDigest], |o| { o.actions[RETURNS].state_digest ^= 1 << 63; }).by_digest("?", "?").unseen_without(&["internal_state"]),
        lie("answer-trap", &[Trap, Values, ResultCount, TrapKind, TrapMessage, TrapSite, TrapFrames], |o| { o.actions[LAST].outcome = Outcome::trap(TrapKind::Unreachable, None); }).seen("?", "?"),
        lie("answer-exception", &[Exception, Values, ResultCount, PayloadCount, TagInstance, TagIndex], |o| { o.actions[LAST].outcome = Outcome::Exception { tag: TagIdentity::Wasm { instance: 0, tag: 1 }, payload: vec![] }; }).seen("?", "?"),
        lie("answer-link", &[Link, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Link(String::new()); }).seen("?", "?"),
        lie("answer-usage", &[Usage, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Usage(String::new()); }).seen("?", "?"),
        lie("answer-limit", &[Limit, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Limit(String::new()); }).seen("?", "?").unseen_without(&["depth"]),
        lie("answer-values", &[Values, Link, ResultCount, Message], |o| { o.actions[LINK].outcome = Outcome::Values(vec![]); }).seen("?", "?"),
        lie("answer-unsupported", &[Unsupported, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Unsupported("something".into()); }).free("what a subject does not execute says nothing of others; where fewer than two execute a case, it is inconclusive"),
        lie("answer-unclear", &[Unclear, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Unclear("something".into()); }).free("what is not understood is counted with the reasons for which nothing was compared"),
        lie("answer-resources", &[Resources, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Resources("something".into()); }).inconclusive("the operating system refused memory"),
        lie("answer-crash", &[Crash, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Crash("SIGSEGV at 0x0".into()); }).seen("?", "?"),
        lie("answer-panic", &[Crash, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Crash("panic: oh".into()); }).seen("?", "?"),
        lie("answer-hang", &[Hang, Values, ResultCount, Message], |o| { o.actions[LAST].outcome = Outcome::Hang("no answer".into()); }).seen("?", "?"),
        lie("answer-link-message", &[Message], |o| { o.actions[LINK].outcome = Outcome::Link("other words".into()); }).free("messages are for people: that both are refused is what counts"),
        lie("answer-usage-message", &[Message], |o| { o.actions[USAGE].outcome = Outcome::Usage("other words".into()); }).free("messages are for people: that both are refused is what counts"),
        lie("answer-limit-message", &[Message], |o| { o.actions[LIMIT].outcome = Outcome::Limit("other words".into()); }).free("messages are for people: that both are refused is what counts"),
        lie("answer-one-result-less", &[ResultCount, Result, Reference, ReferenceKind], |o| { values(o).pop(); }).seen("?", "?"),
        lie("answer-i32", &[Result, I32], |o| { values(o)[0] = Value::I32(7 | 1 << 31); }).seen("?", "?"),
        lie("answer-i64", &[Result, I64], |o| { values(o)[1] = Value::I64(7 | 1 << 63); }).seen("?", "?"),
        lie("answer-f32-zero", &[Result, F32], |o| { values(o)[2] = Value::F32(1 << 31); }).seen("?", "?"),
        lie("answer-f64-nan", &[Result, F64], |o| { values(o)[3] = Value::F64(0xfff8_0000_0000_0000); }).seen("?", "?").unseen_without(&["nan_bits"]),
        lie("answer-v128-low", &[Result, V128], |o| { values(o)[4] = Value::V128(6); }).seen("?", "?"),
        lie("answer-v128-high", &[Result, V128], |o| { values(o)[4] = Value::V128(7 | 1 << 127); }).seen("?", "?"),
        lie("answer-null-kind", &[Result, NullKind], |o| { values(o)[5] = Value::Ref(RefValue::Null(HeapKind::NoFunc)); }).free("a null has no type at run time: the kind is that of the place where it was seen"),
        lie("answer-null", &[Result, NullKind, Extern], |o| { values(o)[5] = Value::Ref(RefValue::Extern(0)); }).seen("?", "?"),
        lie("answer-extern", &[Result, Extern], |o| { values(o)[6] = Value::Ref(RefValue::Extern(7 | 1 << 31)); }).seen("?", "?"),
        lie("answer-function", &[Result, Function], |o| { values(o)[7] = function(1, 3 | 1 << 31); }).seen("?", "?").unseen_without(&["function_identity"]),
        lie("answer-function-instance", &[Result, FunctionInstance], |o| { values(o)[7] = function(1 << 31, 3); }).seen("?", "?").unseen_without(&["function_identity"]),
        lie("answer-host-function", &[Result, HostFunction], |o| { values(o)[8] = Value::Ref(RefValue::Func(FuncIdentity::Host(1 << 31))); }).seen("?", "?").unseen_without(&["function_identity"]),
        lie("answer-whose-function", &[Result, HostFunction, Function, FunctionInstance], |o| { values(o)[8] = function(0, 5); }).seen("?", "?").unseen_without(&["function_identity"]),
        lie("answer-i31", &[Result, I31], |o| { values(o)[9] = Value::Ref(RefValue::I31(7 | 1 << 30)); }).seen("?", "?"),
        lie("answer-reference", &[Result, Reference], |o| { values(o)[10] = reference(HeapKind::Struct, 1 << 31); }).seen("?", "?"),
        lie("answer-reference-kind", &[Result, ReferenceKind], |o| { values(o)[10] = reference(HeapKind::Array, 0); }).seen("?", "?"),
        lie("answer-type", &[Result, I32, F32], |o| { values(o)[0] = Value::F32(7); }).seen("?", "?"),
    ]
}

/// Traps, backtraces and exceptions.
fn traps_and_exceptions() -> Vec<Lie> {
    vec![
        lie("answer-trap-kind", &[TrapKind], |o| {
            trap(o).kind = TrapKind::Unreachable;
        })
        .seen("?", "?"),
        lie("answer-trap-message", &[TrapMessage], |o| {
            trap(o).message = Some("no!".into());
        })
        .seen("?", "?"),
        lie("answer-trap-no-message", &[TrapMessage], |o| {
            trap(o).message = None;
        })
        .seen("?", "?"),
        lie("answer-trap-site", &[TrapSite], |o| {
            trap(o).site = Some(9 | 1 << 31);
        })
        .seen("?", "?")
        .unseen_without(&["trap_sites"]),
        lie("answer-trap-no-site", &[TrapSite], |o| {
            trap(o).site = None;
        })
        .seen("?", "?")
        .unseen_without(&["trap_sites"]),
        lie(
            "answer-frames",
            &[
                TrapFrames,
                FrameCount,
                FrameHash,
                FramesKept,
                FrameNumber,
                FrameInstance,
                FrameFunction,
                FrameOffset,
                FrameName,
            ],
            |o| {
                trap(o).frames = None;
            },
        )
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-count", &[FrameCount], |o| {
            frames(o).count |= 1 << 40;
        })
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-hash", &[FrameHash], |o| {
            frames(o).hash ^= 1 << 63;
        })
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie(
            "answer-frames-kept",
            &[FramesKept, FrameNumber, FrameInstance, FrameFunction, FrameOffset, FrameName],
            |o| {
                frames(o).kept.pop();
            },
        )
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-number", &[FrameNumber], |o| {
            frames(o).kept[1].number = 1 << 40;
        })
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-instance", &[FrameInstance], |o| {
            frames(o).kept[1].function = Some((1 << 31, 7));
        })
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-function", &[FrameFunction], |o| {
            frames(o).kept[1].function = Some((1, 7 | 1 << 31));
        })
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-offset", &[FrameOffset], |o| {
            frames(o).kept[2].offset = Some(5 | 1 << 31);
        })
        .seen("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-name", &[FrameName], |o| {
            frames(o).kept[0].name = "env.other".into();
        })
        .in_full("?", "?")
        .unseen_without(&["backtraces"]),
        lie("answer-tag-instance", &[TagInstance], |o| {
            exception(o, THROWS).0.clone_from(&TagIdentity::Wasm { instance: 1 << 31, tag: 2 });
        })
        .seen("?", "?")
        .unseen_without(&["function_identity"]),
        lie("answer-tag", &[TagIndex], |o| {
            exception(o, THROWS).0.clone_from(&TagIdentity::Wasm { instance: 1, tag: 1 << 31 });
        })
        .seen("?", "?")
        .unseen_without(&["function_identity"]),
        lie("answer-host-tag", &[HostTag], |o| {
            exception(o, HOST_THROWS).0.clone_from(&TagIdentity::Host(1 << 31));
        })
        .seen("?", "?")
        .unseen_without(&["function_identity"]),
        lie("answer-payload", &[Payload, I64], |o| {
            exception(o, THROWS).1[1] = Value::I64(5);
        })
        .seen("?", "?"),
        lie("answer-payload-count", &[PayloadCount, Payload, I64], |o| {
            exception(o, THROWS).1.pop();
        })
        .seen("?", "?"),
        lie("answer-undefined-element", &[TrapKind], |o| {
            o.actions[UNDEFINED].outcome = Outcome::trap(TrapKind::TableOutOfBounds, None);
        })
        .seen("?", "?")
        .unseen_without(&["undefined_elements"]),
        lie("answer-unfit-callee", &[TrapKind], |o| {
            o.actions[UNFIT_CALLEE].outcome = Outcome::trap(TrapKind::IndirectCallTypeMismatch, None);
        })
        .seen("?", "?")
        .unseen_without(&["unfit_callees"]),
        lie("answer-unfit-float", &[TrapKind], |o| {
            o.actions[UNFIT_FLOAT].outcome = Outcome::trap(TrapKind::IntegerOverflow, None);
        })
        .seen("?", "?")
        .unseen_without(&["unfit_floats"]),
        lie("answer-kind-of-null", &[TrapKind], |o| {
            o.actions[NULL].outcome = Outcome::trap(TrapKind::NullStructureReference, None);
        })
        .seen("?", "?")
        .unseen_without(&["null_kinds"]),
    ]
}

/// What hosts are called with.
fn host_calls() -> Vec<Lie> {
    vec![
        lie("answer-host-call-count", &[HostCallCount], |o| {
            calls(o).count |= 1 << 40;
        })
        .seen("?", "?"),
        lie("answer-host-call-digest", &[HostCallDigest], |o| {
            calls(o).digest ^= 1 << 63;
        })
        .seen("?", "?"),
        lie(
            "answer-host-calls",
            &[HostCallsSpelledOut, HostImport, HostArgCount, HostRefuses, HostResultCount, NoteCount],
            |o| {
                calls(o).first.pop();
            },
        )
        .seen("?", "?"),
        lie("answer-host-import", &[HostImport], |o| {
            calls(o).first[0].import = "env.other".into();
        })
        .seen("?", "?"),
        lie("answer-host-arg", &[HostArg, F64], |o| {
            calls(o).first[4].args[1] = Value::F64(8);
        })
        .seen("?", "?"),
        lie("answer-host-arg-count", &[HostArgCount, HostArg, F64], |o| {
            calls(o).first[4].args.pop();
        })
        .seen("?", "?"),
        lie("answer-host-result", &[HostResult, I32], |o| {
            calls(o).first[4].results = Some(vec![Value::I32(1)]);
        })
        .seen("?", "?"),
        lie("answer-host-result-count", &[HostResultCount, HostResult, I32], |o| {
            calls(o).first[4].results = Some(vec![]);
        })
        .seen("?", "?"),
        lie("answer-host-refuses", &[HostRefuses], |o| {
            calls(o).first[0].results = None;
        })
        .seen("?", "?"),
        lie("answer-note", &[Note], |o| {
            calls(o).first[4].notes[1] = "something else".into();
        })
        .seen("?", "?"),
        lie("answer-note-count", &[NoteCount, Note], |o| {
            calls(o).first[4].notes.pop();
        })
        .seen("?", "?"),
    ]
}

/// What is left behind.
fn states() -> Vec<Lie> {
    vec![
        lie(
            "answer-instances",
            &[Instances, GlobalCount, TableCount, MemoryCount, DroppedElem, DroppedData, ExportCount],
            |o| {
                state(o).instances.pop();
            },
        )
        .seen("?", "?"),
        lie("answer-modules", &[Modules, ModuleInstance], |o| {
            state(o).modules.pop();
        })
        .seen("?", "?"),
        lie("answer-module", &[ModuleInstance], |o| {
            state(o).modules.swap(0, 1);
        })
        .seen("?", "?"),
        lie("answer-global", &[Global, F32], |o| {
            instance(o).globals[1] = Value::F32(0);
        })
        .seen("?", "?"),
        lie("answer-global-count", &[GlobalCount, Global, F32], |o| {
            instance(o).globals.pop();
        })
        .seen("?", "?"),
        lie("answer-table-count", &[TableCount, TableSize], |o| {
            instance(o).tables.pop();
        })
        .seen("?", "?"),
        lie("answer-table-size", &[TableSize], |o| {
            instance(o).tables[1].elements |= 1 << 40;
        })
        .seen("?", "?"),
        lie("answer-table-element", &[TableElement, Function], |o| {
            instance(o).tables[0].non_null.insert(1, function(0, 5));
        })
        .seen("?", "?"),
        lie("answer-table-null", &[TableElement, FunctionInstance, Function], |o| {
            instance(o).tables[0].non_null.remove(&1);
        })
        .seen("?", "?"),
        lie("answer-table-index", &[TableElement, FunctionInstance, Function], |o| {
            let element = instance(o).tables[0].non_null.remove(&1).into_iter();
            instance(o).tables[0].non_null.extend(element.map(|value| (2, value)));
        })
        .seen("?", "?"),
        lie("answer-memory-count", &[MemoryCount, MemorySize], |o| {
            instance(o).memories.pop();
        })
        .seen("?", "?"),
        lie("answer-memory-size", &[MemorySize], |o| {
            instance(o).memories[1].bytes |= 1 << 40;
        })
        .seen("?", "?"),
        lie("answer-memory-byte", &[MemoryPage], |o| {
            page(o)[4095] = 3;
        })
        .seen("?", "?"),
        lie("answer-memory-page", &[MemoryPage], |o| {
            instance(o).memories[0].pages.clear();
        })
        .seen("?", "?"),
        lie("answer-dropped-elem", &[DroppedElem], |o| {
            instance(o).dropped_elems = vec![1 << 31];
        })
        .seen("?", "?"),
        lie("answer-dropped-data", &[DroppedData], |o| {
            instance(o).dropped_datas.push(1 << 31);
        })
        .seen("?", "?"),
        lie("answer-export-count", &[ExportCount, ExportName, ExportKind, ExportNumber], |o| {
            instance(o).exports.pop();
        })
        .seen("?", "?"),
        lie("answer-export-name", &[ExportName], |o| {
            instance(o).exports[0].0 = "other".into();
        })
        .seen("?", "?"),
        lie("answer-export-kind", &[ExportKind], |o| {
            instance(o).exports[0].1 = ExportState::Table(0);
        })
        .seen("?", "?"),
        lie("answer-export-number", &[ExportNumber], |o| {
            instance(o).exports[0].1 = ExportState::Global(1);
        })
        .seen("?", "?"),
        lie(
            "answer-objects",
            &[Objects, ObjectKind, ObjectTag, TagInstance, TagIndex, ThrownCount, Thrown, I32],
            |o| {
                state(o).gc.pop();
            },
        )
        .seen("?", "?"),
        lie("answer-object-kind", &[ObjectKind, FieldCount, ElementCount, StructField, I32], |o| {
            state(o).gc[0] =
                ObjectState::Array { ty: TypeIdentity { instance: 0, index: 3 }, elements: vec![] };
        })
        .seen("?", "?"),
        lie("answer-object-type", &[ObjectType, TypeIndex], |o| {
            state(o).gc[0] = structure(0, 3 | 1 << 31, 1);
        })
        .seen("?", "?"),
        lie("answer-object-type-instance", &[TypeInstance, ObjectType], |o| {
            state(o).gc[0] = structure(1 << 31, 3, 1);
        })
        .seen("?", "?"),
        lie("answer-object-field", &[StructField, I32], |o| {
            state(o).gc[0] = structure(0, 3, 0);
        })
        .seen("?", "?"),
        lie("answer-object-field-count", &[FieldCount, StructField, I32], |o| {
            state(o).gc[0] =
                ObjectState::Struct { ty: TypeIdentity { instance: 0, index: 3 }, fields: vec![] };
        })
        .seen("?", "?"),
        lie("answer-object-element", &[ArrayElement, I32], |o| {
            state(o).gc[1] = array(vec![Value::I32(5), Value::I32(0)]);
        })
        .seen("?", "?"),
        lie("answer-object-element-count", &[ElementCount, ArrayElement, I32], |o| {
            state(o).gc[1] = array(vec![Value::I32(5)]);
        })
        .seen("?", "?"),
        lie("answer-object-tag", &[ObjectTag, TagIndex], |o| {
            state(o).gc[2] = thrown(1, vec![Value::I32(8)]);
        })
        .seen("?", "?"),
        lie("answer-object-thrown", &[Thrown, I32], |o| {
            state(o).gc[2] = thrown(0, vec![Value::I32(9)]);
        })
        .seen("?", "?"),
        lie("answer-object-thrown-count", &[ThrownCount, Thrown, I32], |o| {
            state(o).gc[2] = thrown(0, vec![]);
        })
        .seen("?", "?"),
    ]
}

fn lie(name: &'static str, fields: &'static [Field], change: fn(&mut Observation)) -> Lie {
    let specimen = Specimen::Answer(change);
    Lie { name, fields, shows: Shows::Nothing(""), unseen_without: &[], specimen }
}

/// The case that is said to show the observation. No engine runs it.
pub(super) fn case() -> Case {
    let module = CaseModule { name: "m0".into(), wasm: b"\0asm\x01\0\0\0".to_vec() };
    Case {
        modules: vec![module],
        hosts: HostPlan::new(0, 0),
        actions: vec![Action::Read { module: 0, export: "g".into() }; LAST + 1],
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
        Outcome::Limit("words".into()),
        Outcome::trap(TrapKind::UndefinedElement, None),
        Outcome::trap(TrapKind::UninitializedElement, None),
        Outcome::trap(TrapKind::InvalidConversionToInteger, None),
        Outcome::trap(TrapKind::NullReference, None),
        Outcome::Values(vec![Value::I32(0)]),
    ];
    let action = |outcome| ActionObservation {
        outcome,
        fuel_left: 1000,
        host_calls: HostCalls { count: 5, digest: 0, first: (0..5).map(true_call).collect() },
        state_digest: 0,
        state: Some(true_state()),
    };
    Observation { actions: outcomes.into_iter().map(action).collect() }
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
