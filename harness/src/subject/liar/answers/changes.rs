//! What of the observation each lie changes.

use super::{
    ENDS, HOST_THROWS, LIMIT, LINK, NULL, RETURNS, THROWS, TRAPS, UNDEFINED, UNFIT_CALLEE, UNFIT_FLOAT, USAGE,
};
use super::{
    array, calls, exception, frames, function, instance, page, reference, state, structure, thrown, trap,
    values,
};
use crate::case::{FuncIdentity, HeapKind, RefValue, TagIdentity, Value};
use crate::observe::leaves::Field::{self, *};
use crate::observe::{ExportState, ObjectState, Observation, Outcome, TypeIdentity};
use crate::subject::liar::{Lie, Shows, Specimen};
use crosscheck_engine::TrapKind;

/// The lies.
pub(in crate::subject::liar) fn lies() -> Vec<Lie> {
    let groups = [
        ends(),
        results(),
        traps(),
        exceptions(),
        kinds_of_trap(),
        host_calls(),
        states(),
        memories_and_exports(),
        objects(),
    ];
    groups.into_iter().flatten().collect()
}

fn lie(name: &'static str, fields: &'static [Field], change: fn(&mut Observation)) -> Lie {
    let specimen = Specimen::Answer(change);
    Lie { name, fields, shows: Shows::Nothing(""), unseen_without: &[], specimen }
}

/// How actions end.
fn ends() -> Vec<Lie> {
    vec![
        lie("answer-actions", &[Actions], |o| o.actions.truncate(LIMIT))
            .seen("outcome|count", "action 11: how many actions were observed: 12 against 11")
            .unseen_without(&["depth", "to_the_end"]),
        lie("answer-more-actions", &[Actions], |o| o.actions.push(o.actions[ENDS].clone()))
            .seen("outcome|count", "action 12: how many actions were observed: 12 against 13")
            .unseen_without(&["depth", "to_the_end"]),
        lie("answer-fuel", &[FuelLeft], |o| o.actions[RETURNS].fuel_left |= 1 << 63)
            .seen("fuel|", "action 0: fuel left: 1000 against 9223372036854776808")
            .unseen_without(&["fuel"]),
        lie("answer-fuel-of-trap", &[FuelLeft], |o| o.actions[TRAPS].fuel_left -= 1)
            .seen("fuel|", "action 1: fuel left: 1000 against 999")
            .unseen_without(&["fuel"]),
        lie("answer-digest", &[StateDigest], |o| o.actions[RETURNS].state_digest ^= 1 << 63)
            .by_digest("unstable|", "action 0: digest of the state: ...")
            .unseen_without(&["internal_state"]),
        lie("answer-trap", &[Trap, Values], |o| {
            o.actions[ENDS].outcome = Outcome::trap(TrapKind::Unreachable, None);
        })
        .seen("outcome|values/unreachable", "action 10: how it ended: i32:0x0 against trap: unreachable"),
        lie("answer-exception", &[Exception, Values], |o| {
            o.actions[ENDS].outcome =
                Outcome::Exception { tag: TagIdentity::Wasm { instance: 0, tag: 1 }, payload: vec![] };
        })
        .seen("outcome|values/exception", "action 10: how it ended: i32:0x0 against exception: tag 0:1"),
        lie("answer-link", &[Link, Values], |o| o.actions[ENDS].outcome = Outcome::Link(String::new()))
            .seen("outcome|values/link", "action 10: how it ended: i32:0x0 against link: "),
        lie("answer-usage", &[Usage, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Usage(String::new());
        })
        .seen("outcome|values/usage", "action 10: how it ended: i32:0x0 against usage: "),
        lie("answer-limit", &[Limit, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Limit(String::new());
        })
        .seen("outcome|values/limit", "action 10: how it ended: i32:0x0 against limit: ")
        .unseen_without(&["depth"]),
        lie("answer-values", &[Values, Link], |o| o.actions[LINK].outcome = Outcome::Values(vec![]))
            .seen("outcome|link/values", "action 4: how it ended: link: words against ok"),
        lie("answer-unsupported", &[Unsupported, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Unsupported("something".into());
        })
        .free(
            "what a subject does not execute says nothing of others; where fewer than two execute \
                 a case, it is inconclusive",
        ),
        lie("answer-unclear", &[Unclear, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Unclear("something".into());
        })
        .free("what is not understood is counted with the reasons for which nothing was compared"),
        lie("answer-resources", &[Resources, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Resources("something".into());
        })
        .inconclusive("the operating system refused memory"),
        lie("answer-crash", &[Crash, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Crash("SIGSEGV at 0x0".into());
        })
        .seen("crash|SIGSEGV", "action 10: fast-interp fails: no crash against crash: SIGSEGV at 0x0"),
        lie("answer-panic", &[Crash, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Crash("panic: oh".into());
        })
        .seen("crash|panic", "action 10: fast-interp fails: no crash against crash: panic: oh"),
        lie("answer-hang", &[Hang, Values], |o| {
            o.actions[ENDS].outcome = Outcome::Hang("no answer".into());
        })
        .seen("hang|", "action 10: fast-interp fails: no hang against hang: no answer"),
        lie("answer-link-message", &[Message], |o| {
            o.actions[LINK].outcome = Outcome::Link("other words".into());
        })
        .free("messages are for people: that both are refused is what counts"),
        lie("answer-usage-message", &[Message], |o| {
            o.actions[USAGE].outcome = Outcome::Usage("other words".into());
        })
        .free("messages are for people: that both are refused is what counts"),
        lie("answer-limit-message", &[Message], |o| {
            o.actions[LIMIT].outcome = Outcome::Limit("other words".into());
        })
        .free("messages are for people: that both are refused is what counts"),
    ]
}

/// What actions return.
fn results() -> Vec<Lie> {
    vec![
        lie("answer-one-result-less", &[ResultCount], |o| {
            values(o).pop();
        })
        .seen("values|count", "action 0: number of results: 11 against 10"),
        lie("answer-i32", &[Result, I32], |o| values(o)[0] = Value::I32(7 | 1 << 31))
            .seen("values|i32", "action 0: result 0: i32:0x7 against i32:0x80000007"),
        lie("answer-i64", &[Result, I64], |o| values(o)[1] = Value::I64(7 | 1 << 63))
            .seen("values|i64", "action 0: result 1: i64:0x7 against i64:0x8000000000000007"),
        lie("answer-f32-zero", &[Result, F32], |o| values(o)[2] = Value::F32(1 << 31))
            .seen("values|f32", "action 0: result 2: f32:0x00000000 against f32:0x80000000"),
        lie("answer-f64-nan", &[Result, F64], |o| values(o)[3] = Value::F64(0xfff8_0000_0000_0000))
            .seen("values|f64", "action 0: result 3: f64:0x7ff8000000000000 against f64:0xfff8000000000000")
            .unseen_without(&["nan_bits"]),
        lie("answer-v128-low", &[Result, V128], |o| values(o)[4] = Value::V128(6)).seen(
            "values|v128",
            "action 0: result 4: v128:0x00000000000000000000000000000007 against \
                 v128:0x00000000000000000000000000000006",
        ),
        lie("answer-v128-high", &[Result, V128], |o| values(o)[4] = Value::V128(7 | 1 << 127)).seen(
            "values|v128",
            "action 0: result 4: v128:0x00000000000000000000000000000007 against \
                 v128:0x80000000000000000000000000000007",
        ),
        lie("answer-null-kind", &[Result, NullKind], |o| {
            values(o)[5] = Value::Ref(RefValue::Null(HeapKind::NoFunc));
        })
        .free("a null has no type at run time: the kind is that of the place where it was seen"),
        lie("answer-null", &[Result], |o| values(o)[5] = Value::Ref(RefValue::Extern(0)))
            .seen("values|ref", "action 0: result 5: ref.null func against ref.extern 0"),
        lie("answer-extern", &[Result, Extern], |o| {
            values(o)[6] = Value::Ref(RefValue::Extern(7 | 1 << 31));
        })
        .seen("values|ref", "action 0: result 6: ref.extern 7 against ref.extern 2147483655"),
        lie("answer-function", &[Result, Function], |o| values(o)[7] = function(1, 3 | 1 << 31))
            .seen("values|ref", "action 0: result 7: ref.func 1:3 against ref.func 1:2147483651")
            .unseen_without(&["function_identity"]),
        lie("answer-function-instance", &[Result, FunctionInstance], |o| {
            values(o)[7] = function(1 << 31, 3);
        })
        .seen("values|ref", "action 0: result 7: ref.func 1:3 against ref.func 2147483648:3")
        .unseen_without(&["function_identity"]),
        lie("answer-host-function", &[Result, HostFunction], |o| {
            values(o)[8] = Value::Ref(RefValue::Func(FuncIdentity::Host(1 << 31)));
        })
        .seen("values|ref", "action 0: result 8: ref.func host 7 against ref.func host 2147483648")
        .unseen_without(&["function_identity"]),
        lie("answer-whose-function", &[Result], |o| values(o)[8] = function(0, 5))
            .seen("values|ref", "action 0: result 8: ref.func host 7 against ref.func 0:5")
            .unseen_without(&["function_identity"]),
        lie("answer-i31", &[Result, I31], |o| values(o)[9] = Value::Ref(RefValue::I31(7 | 1 << 30)))
            .seen("values|ref", "action 0: result 9: ref.i31 0x7 against ref.i31 0x40000007"),
        lie("answer-reference", &[Result, Reference], |o| {
            values(o)[10] = reference(HeapKind::Struct, 1 << 31);
        })
        .seen("values|ref", "action 0: result 10: ref.struct #0 against ref.struct #2147483648"),
        lie("answer-reference-kind", &[Result, ReferenceKind], |o| {
            values(o)[10] = reference(HeapKind::Array, 0);
        })
        .seen("values|ref", "action 0: result 10: ref.struct #0 against ref.array #0"),
        lie("answer-type", &[Result], |o| values(o)[0] = Value::F32(7))
            .seen("values|i32", "action 0: result 0: i32:0x7 against f32:0x00000007"),
    ]
}

/// Traps.
fn traps() -> Vec<Lie> {
    vec![
        lie("answer-trap-kind", &[TrapKind], |o| trap(o).kind = TrapKind::Unreachable)
            .seen("trap-kind|host trap/unreachable", "action 1: why it trapped: no against no"),
        lie("answer-trap-message", &[TrapMessage], |o| trap(o).message = Some("no!".into()))
            .seen("trap-kind|host trap/host trap", "action 1: why it trapped: no against no!"),
        lie("answer-trap-no-message", &[TrapMessage], |o| trap(o).message = None)
            .seen("trap-kind|host trap/host trap", "action 1: why it trapped: no against host trap"),
        lie("answer-trap-site", &[TrapSite], |o| trap(o).site = Some(9 | 1 << 31))
            .seen("trap-site|host trap", "action 1: where it trapped: 0x0009 against 0x80000009")
            .unseen_without(&["trap_sites"]),
        lie("answer-trap-no-site", &[TrapSite], |o| trap(o).site = None)
            .seen("trap-site|host trap", "action 1: where it trapped: 0x0009 against nowhere")
            .unseen_without(&["trap_sites"]),
        lie("answer-frames", &[TrapFrames], |o| trap(o).frames = None)
            .seen("frames|host trap", "action 1: whether it has a backtrace: a backtrace against none")
            .unseen_without(&["backtraces"]),
        lie("answer-frame-count", &[FrameCount], |o| frames(o).count |= 1 << 40)
            .seen("frames|host trap", "action 1: number of frames: 3 against 1099511627779")
            .unseen_without(&["backtraces"]),
        lie("answer-frame-hash", &[FrameHash], |o| frames(o).hash ^= 1 << 63)
            .seen("frames|host trap", "action 1: hash of all frames: ...")
            .unseen_without(&["backtraces"]),
        lie("answer-frames-kept", &[FramesKept], |o| {
            frames(o).kept.pop();
        })
        .seen("frames|host trap", "action 1: hash of all frames: ...")
        .unseen_without(&["backtraces"]),
        lie("answer-frame-number", &[FrameNumber], |o| frames(o).kept[1].number = 1 << 40)
            .seen(
                "frames|host trap",
                "action 1: frame: #01: 0x0005 - $f7 against #1099511627776: 0x0005 - $f7",
            )
            .unseen_without(&["backtraces"]),
        lie("answer-frame-instance", &[FrameInstance], |o| {
            frames(o).kept[1].function = Some((1 << 31, 7));
        })
        .seen(
            "frames|host trap",
            "action 1: frame: #01: 0x0005 - $f7 (1:7) against #01: 0x0005 - $f7 (2147483648:7)",
        )
        .unseen_without(&["backtraces"]),
        lie("answer-frame-function", &[FrameFunction], |o| {
            frames(o).kept[1].function = Some((1, 7 | 1 << 31));
        })
        .seen(
            "frames|host trap",
            "action 1: frame: #01: 0x0005 - $f7 (1:7) against #01: 0x0005 - $f7 (1:2147483655)",
        )
        .unseen_without(&["backtraces"]),
        lie("answer-frame-offset", &[FrameOffset], |o| frames(o).kept[2].offset = Some(5 | 1 << 31))
            .seen("frames|host trap", "action 1: frame: #02: 0x0005 - f against #02: 0x80000005 - f")
            .unseen_without(&["backtraces"]),
        lie("answer-frame-name", &[FrameName], |o| frames(o).kept[0].name = "env.other".into())
            .in_full("frames|host trap", "action 1: frame: #00: host - env.a against #00: host - env.other")
            .unseen_without(&["backtraces"]),
    ]
}

/// Exceptions.
fn exceptions() -> Vec<Lie> {
    vec![
        lie("answer-tag-instance", &[TagInstance], |o| {
            exception(o, THROWS).0.clone_from(&TagIdentity::Wasm { instance: 1 << 31, tag: 2 });
        })
        .seen("exception|tag", "action 2: tag of the exception: 1:2 against 2147483648:2")
        .unseen_without(&["function_identity"]),
        lie("answer-tag", &[TagIndex], |o| {
            exception(o, THROWS).0.clone_from(&TagIdentity::Wasm { instance: 1, tag: 1 << 31 });
        })
        .seen("exception|tag", "action 2: tag of the exception: 1:2 against 1:2147483648")
        .unseen_without(&["function_identity"]),
        lie("answer-host-tag", &[HostTag], |o| {
            exception(o, HOST_THROWS).0.clone_from(&TagIdentity::Host(1 << 31));
        })
        .seen("exception|tag", "action 3: tag of the exception: host 3 against host 2147483648")
        .unseen_without(&["function_identity"]),
        lie("answer-payload", &[Payload, I64], |o| exception(o, THROWS).1[1] = Value::I64(5))
            .seen("exception|i64", "action 2: exception value 1: i64:0x4 against i64:0x5"),
        lie("answer-payload-count", &[PayloadCount], |o| {
            exception(o, THROWS).1.pop();
        })
        .seen("exception|count", "action 2: number of exception values: 2 against 1"),
    ]
}

/// Kinds of trap that not all engines tell apart.
fn kinds_of_trap() -> Vec<Lie> {
    vec![
        lie("answer-undefined-element", &[TrapKind], |o| {
            o.actions[UNDEFINED].outcome = Outcome::trap(TrapKind::TableOutOfBounds, None);
        })
        .seen(
            "trap-kind|undefined element/out of bounds table access",
            "action 6: why it trapped: undefined element against out of bounds table access",
        )
        .unseen_without(&["undefined_elements"]),
        lie("answer-unfit-callee", &[TrapKind], |o| {
            o.actions[UNFIT_CALLEE].outcome = Outcome::trap(TrapKind::IndirectCallTypeMismatch, None);
        })
        .seen(
            "trap-kind|uninitialized element/indirect call type mismatch",
            "action 7: why it trapped: uninitialized element against indirect call type mismatch",
        )
        .unseen_without(&["unfit_callees"]),
        lie("answer-unfit-float", &[TrapKind], |o| {
            o.actions[UNFIT_FLOAT].outcome = Outcome::trap(TrapKind::IntegerOverflow, None);
        })
        .seen(
            "trap-kind|invalid conversion to integer/integer overflow",
            "action 8: why it trapped: invalid conversion to integer against integer overflow",
        )
        .unseen_without(&["unfit_floats"]),
        lie("answer-kind-of-null", &[TrapKind], |o| {
            o.actions[NULL].outcome = Outcome::trap(TrapKind::NullStructureReference, None);
        })
        .seen(
            "trap-kind|null reference/null structure reference",
            "action 9: why it trapped: null reference against null structure reference",
        )
        .unseen_without(&["null_kinds"]),
    ]
}

/// Host calls.
fn host_calls() -> Vec<Lie> {
    vec![
        lie("answer-host-call-count", &[HostCallCount], |o| calls(o).count |= 1 << 40)
            .seen("host-calls|", "action 1: host calls: 5 calls, digest ..."),
        lie("answer-host-call-digest", &[HostCallDigest], |o| calls(o).digest ^= 1 << 63)
            .seen("host-calls|", "action 1: host calls: 5 calls, digest ...")
            .unseen_without(&["nan_bits", "function_identity"]),
        lie("answer-host-calls", &[HostCallsSpelledOut], |o| {
            calls(o).first.pop();
        })
        .seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against no call",
        ),
        lie("answer-host-import", &[HostImport], |o| calls(o).first[0].import = "env.other".into()).seen(
            "host-calls|",
            "action 1: host call 0: env.a(i32:0x0 f64:0x0000000000000000) ->   against \
                 env.other(i32:0x0 f64:0x0000000000000000) ->  ",
        ),
        lie("answer-host-arg", &[HostArg, F64], |o| calls(o).first[4].args[1] = Value::F64(8)).seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against env.a(i32:0x4 f64:0x0000000000000008) -> i32:0x0 read, wrote",
        ),
        lie("answer-host-arg-count", &[HostArgCount], |o| {
            calls(o).first[4].args.pop();
        })
        .seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against env.a(i32:0x4) -> i32:0x0 read, wrote",
        ),
        lie("answer-host-result", &[HostResult, I32], |o| {
            calls(o).first[4].results = Some(vec![Value::I32(1)]);
        })
        .seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x1 read, wrote",
        ),
        lie("answer-host-result-count", &[HostResultCount], |o| {
            calls(o).first[4].results = Some(vec![]);
        })
        .seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against env.a(i32:0x4 f64:0x0000000000000000) ->  read, wrote",
        ),
        lie("answer-host-refuses", &[HostRefuses], |o| calls(o).first[0].results = None).seen(
            "host-calls|",
            "action 1: host call 0: env.a(i32:0x0 f64:0x0000000000000000) ->   against \
                 env.a(i32:0x0 f64:0x0000000000000000) -> refused ",
        ),
        lie("answer-note", &[Note], |o| calls(o).first[4].notes[1] = "something else".into()).seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, something else",
        ),
        lie("answer-note-count", &[NoteCount], |o| {
            calls(o).first[4].notes.pop();
        })
        .seen(
            "host-calls|",
            "action 1: host call 4: env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read, wrote \
                 against env.a(i32:0x4 f64:0x0000000000000000) -> i32:0x0 read",
        ),
    ]
}

/// Instances, globals and tables.
fn states() -> Vec<Lie> {
    vec![
        lie("answer-instances", &[Instances], |o| {
            state(o).instances.pop();
        })
        .seen("instances|instances", "action 1: number of instances: 2 against 1")
        .unseen_without(&["internal_state"]),
        lie("answer-modules", &[Modules], |o| {
            state(o).modules.pop();
        })
        .seen("instances|instances", "action 1: number of modules: 2 against 1")
        .unseen_without(&["internal_state"]),
        lie("answer-module", &[ModuleInstance], |o| state(o).modules.swap(0, 1))
            .seen("instances|instances", "action 1: latest instance of module 0: 0 against none"),
        lie("answer-global", &[Global, F32], |o| instance(o).globals[1] = Value::F32(0))
            .seen("global|global", "action 1: instance 0, global 1: f32:0x80000000 against f32:0x00000000")
            .unseen_without(&["internal_state"]),
        lie("answer-global-count", &[GlobalCount], |o| {
            instance(o).globals.pop();
        })
        .seen("instances|instances", "action 1: instance 0, number of globals: 2 against 1")
        .unseen_without(&["internal_state"]),
        lie("answer-table-count", &[TableCount], |o| {
            instance(o).tables.pop();
        })
        .seen("instances|instances", "action 1: instance 0, number of tables: 2 against 1")
        .unseen_without(&["internal_state"]),
        lie("answer-table-size", &[TableSize], |o| instance(o).tables[1].elements |= 1 << 40)
            .seen("table-size|table-size", "action 1: instance 0, size of table 1: 2 against 1099511627778")
            .unseen_without(&["internal_state"]),
        lie("answer-table-element", &[TableElement, Function], |o| {
            instance(o).tables[0].non_null.insert(1, function(0, 5));
        })
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.func 0:4 against ref.func 0:5",
        )
        .unseen_without(&["internal_state", "function_identity"]),
        lie("answer-table-null", &[TableElement], |o| {
            instance(o).tables[0].non_null.remove(&1);
        })
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.func 0:4 against null",
        )
        .unseen_without(&["internal_state"]),
        lie("answer-table-index", &[TableElement], |o| {
            let element = instance(o).tables[0].non_null.remove(&1).into_iter();
            instance(o).tables[0].non_null.extend(element.map(|value| (2, value)));
        })
        .seen(
            "table-element|table-element",
            "action 1: instance 0, table 0, element 1: ref.func 0:4 against null",
        )
        .unseen_without(&["internal_state"]),
    ]
}

/// Memories, segments and exports.
fn memories_and_exports() -> Vec<Lie> {
    vec![
        lie("answer-memory-count", &[MemoryCount], |o| {
            instance(o).memories.pop();
        })
        .seen("instances|instances", "action 1: instance 0, number of memories: 2 against 1")
        .unseen_without(&["internal_state"]),
        lie("answer-memory-size", &[MemorySize], |o| instance(o).memories[1].bytes |= 1 << 40).seen(
            "memory-size|memory-size",
            "action 1: instance 0, size of memory 1: 65536 bytes against 1099511693312 bytes",
        ),
        lie("answer-memory-byte", &[MemoryPage], |o| page(o)[4095] = 3)
            .seen(
                "memory-bytes|memory-bytes",
                "action 1: instance 0, memory 0 differs first at 0xffff: 0x01 against 0x03",
            )
            .unseen_without(&["internal_state"]),
        lie("answer-memory-page", &[MemoryPage], |o| instance(o).memories[0].pages.clear())
            .seen(
                "memory-bytes|memory-bytes",
                "action 1: instance 0, memory 0 differs first at 0xf000: 0x01 against 0x00",
            )
            .unseen_without(&["internal_state"]),
        lie("answer-dropped-elem", &[DroppedElem], |o| instance(o).dropped_elems = vec![1 << 31])
            .seen(
                "dropped|dropped",
                "action 1: instance 0, dropped segments: elems [1], datas [0, 2] against elems \
                 [2147483648], datas [0, 2]",
            )
            .unseen_without(&["internal_state"]),
        lie("answer-dropped-data", &[DroppedData], |o| instance(o).dropped_datas.push(1 << 31))
            .seen(
                "dropped|dropped",
                "action 1: instance 0, dropped segments: elems [1], datas [0, 2] against elems [1], \
                 datas [0, 2, 2147483648]",
            )
            .unseen_without(&["internal_state"]),
        lie("answer-export-count", &[ExportCount], |o| {
            instance(o).exports.pop();
        })
        .seen("instances|instances", "action 1: instance 0, number of exports: 2 against 1"),
        lie("answer-export-name", &[ExportName], |o| instance(o).exports[0].0 = "other".into()).seen(
            "instances|instances",
            "action 1: instance 0, export 0: `g` is Global(0) against `other` is Global(0)",
        ),
        lie("answer-export-kind", &[ExportKind], |o| instance(o).exports[0].1 = ExportState::Table(0)).seen(
            "instances|instances",
            "action 1: instance 0, export 0: `g` is Global(0) against `g` is Table(0)",
        ),
        lie("answer-export-number", &[ExportNumber], |o| {
            instance(o).exports[0].1 = ExportState::Global(1);
        })
        .seen(
            "instances|instances",
            "action 1: instance 0, export 0: `g` is Global(0) against `g` is Global(1)",
        ),
    ]
}

/// Objects.
fn objects() -> Vec<Lie> {
    vec![
        lie("answer-objects", &[Objects], |o| {
            state(o).gc.pop();
        })
        .seen("objects|objects", "action 1: number of objects: 3 against 2")
        .unseen_without(&["internal_state"]),
        lie("answer-object-kind", &[ObjectKind], |o| {
            state(o).gc[0] =
                ObjectState::Array { ty: TypeIdentity { instance: 0, index: 3 }, elements: vec![] };
        })
        .seen("objects|objects", "action 1: what object 0 is: struct 0:3 against array 0:3")
        .unseen_without(&["internal_state"]),
        lie("answer-object-type", &[ObjectType, TypeIndex], |o| {
            state(o).gc[0] = structure(0, 3 | 1 << 31, 1);
        })
        .seen("objects|objects", "action 1: what object 0 is: struct 0:3 against struct 0:2147483651")
        .unseen_without(&["internal_state"]),
        lie("answer-object-type-instance", &[ObjectType, TypeInstance], |o| {
            state(o).gc[0] = structure(1 << 31, 3, 1);
        })
        .seen("objects|objects", "action 1: what object 0 is: struct 0:3 against struct 2147483648:3")
        .unseen_without(&["internal_state"]),
        lie("answer-object-field", &[StructField, I32], |o| state(o).gc[0] = structure(0, 3, 0))
            .seen("objects|objects", "action 1: object 0, value 0: i32:0x1 against i32:0x0")
            .unseen_without(&["internal_state"]),
        lie("answer-object-field-count", &[FieldCount], |o| {
            state(o).gc[0] =
                ObjectState::Struct { ty: TypeIdentity { instance: 0, index: 3 }, fields: vec![] };
        })
        .seen("objects|objects", "action 1: number of values in object 0: 1 against 0")
        .unseen_without(&["internal_state"]),
        lie("answer-object-element", &[ArrayElement, I32], |o| {
            state(o).gc[1] = array(vec![Value::I32(5), Value::I32(0)]);
        })
        .seen("objects|objects", "action 1: object 1, value 1: i32:0x6 against i32:0x0")
        .unseen_without(&["internal_state"]),
        lie("answer-object-element-count", &[ElementCount], |o| {
            state(o).gc[1] = array(vec![Value::I32(5)]);
        })
        .seen("objects|objects", "action 1: number of values in object 1: 2 against 1")
        .unseen_without(&["internal_state"]),
        lie("answer-object-tag", &[ObjectTag, TagIndex], |o| {
            state(o).gc[2] = thrown(1, vec![Value::I32(8)]);
        })
        .seen("objects|objects", "action 1: what object 2 is: exn 0:0 against exn 0:1")
        .unseen_without(&["internal_state"]),
        lie("answer-object-thrown", &[Thrown, I32], |o| state(o).gc[2] = thrown(0, vec![Value::I32(9)]))
            .seen("objects|objects", "action 1: object 2, value 0: i32:0x8 against i32:0x9")
            .unseen_without(&["internal_state"]),
        lie("answer-object-thrown-count", &[ThrownCount], |o| state(o).gc[2] = thrown(0, vec![]))
            .seen("objects|objects", "action 1: number of values in object 2: 1 against 0")
            .unseen_without(&["internal_state"]),
    ]
}
