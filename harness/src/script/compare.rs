//! Holds lanes against each other: what an action gave, and what it left behind.

use super::lane::{LaneState, Outcome};
use super::value::{TagName, Value, list};
use crosscheck_engine::{Backtrace, Error, Exception, Frame, Global, Instance, Memory, Table, Trap};

/// How much of the state is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// After an action: what is small, and the start of what is large.
    Quick,
    /// At the end of a script: everything, but for tables beyond a million elements.
    Whole,
}

impl Extent {
    fn memory_bytes(self) -> u64 {
        match self {
            Extent::Quick => 1 << 20,
            Extent::Whole => u64::MAX,
        }
    }

    fn table_elements(self) -> u64 {
        match self {
            Extent::Quick => 1 << 8,
            Extent::Whole => 1 << 20,
        }
    }
}

/// How two lanes' outcomes of one action differ; `None` if they agree or cannot be compared.
pub(super) fn compare_outcomes(
    (a, left): (&LaneState, &Outcome),
    (b, right): (&LaneState, &Outcome),
) -> Option<String> {
    let difference = match (left, right) {
        (Outcome::Values(x), Outcome::Values(y)) => {
            (x != y).then(|| format!("{} gives {left}, {} gives {right}", a.name, b.name))
        }
        (Outcome::Error(Error::Trap(x)), Outcome::Error(Error::Trap(y))) => compare_traps((a, x), (b, y)),
        (Outcome::Error(Error::Exception(x)), Outcome::Error(Error::Exception(y))) => {
            compare_exceptions((a, x), (b, y))
        }
        // What the operating system refuses says nothing about a mode.
        (Outcome::Error(Error::Resources(_)), _) | (_, Outcome::Error(Error::Resources(_))) => return None,
        (Outcome::Error(x), Outcome::Error(y)) => {
            (x != y).then(|| format!("{} gives {left}, {} gives {right}", a.name, b.name))
        }
        (Outcome::Values(_), Outcome::Error(_)) | (Outcome::Error(_), Outcome::Values(_)) => {
            Some(format!("{} gives {left}, {} gives {right}", a.name, b.name))
        }
        (Outcome::Skipped(_) | Outcome::Broken(_) | Outcome::Died(_), _)
        | (_, Outcome::Skipped(_) | Outcome::Broken(_) | Outcome::Died(_)) => return None,
    };
    difference.or_else(|| compare_logs(a, b)).or_else(|| compare_fuel(a, b))
}

fn compare_logs(a: &LaneState, b: &LaneState) -> Option<String> {
    let (x, y) = (a.store.data().total(), b.store.data().total());
    let Some(at) = a.store.data().first_difference(b.store.data()) else {
        let differ = a.store.data().is_asked_otherwise(b.store.data());
        return differ.then(|| format!("host calls differ; {} makes {x}, {} makes {y}", a.name, b.name));
    };
    Some(format!("host calls differ from number {at} on; {} makes {x}, {} makes {y}", a.name, b.name))
}

fn compare_fuel(a: &LaneState, b: &LaneState) -> Option<String> {
    let (x, y) = (a.fuel_used()?, b.fuel_used()?);
    (x != y).then(|| format!("{} uses {x} fuel, {} uses {y}", a.name, b.name))
}

/// By tag and values: where an exception was thrown, programs cannot see.
fn compare_exceptions((a, x): (&LaneState, &Exception), (b, y): (&LaneState, &Exception)) -> Option<String> {
    let seen = |lane: &LaneState, exception: &Exception| {
        let payload: Vec<Value> = exception.payload().iter().map(|value| lane.value(*value)).collect();
        (lane.tag(exception.tag()), payload)
    };
    let (x, y) = (seen(a, x), seen(b, y));
    let text = |(tag, payload): &(TagName, Vec<Value>)| format!("{tag} with {}", list(payload));
    (x != y).then(|| format!("{} throws {}, {} throws {}", a.name, text(&x), b.name, text(&y)))
}

fn compare_traps((a, x): (&LaneState, &Trap), (b, y): (&LaneState, &Trap)) -> Option<String> {
    if x.kind() != y.kind() || x.message() != y.message() {
        return Some(format!("{} gives trap: {x}, {} gives trap: {y}", a.name, b.name));
    }
    if x.site() != y.site() {
        let site = |trap: &Trap| trap.site().map_or("nowhere".to_string(), |site| format!("{site:#x}"));
        return Some(format!("{x}: {} traps at {}, {} at {}", a.name, site(x), b.name, site(y)));
    }
    // A lane may be set to take none.
    compare_backtraces((a, x.backtrace()?), (b, y.backtrace()?))
}

fn compare_backtraces((a, x): (&LaneState, &Backtrace), (b, y): (&LaneState, &Backtrace)) -> Option<String> {
    if x.count() != y.count() {
        return Some(format!("{} has {} frames, {} has {}", a.name, x.count(), b.name, y.count()));
    }
    // A lane that skipped a module numbers its instances differently, so the frames are compared by
    // the directive that made their instance; the hash only where the numbers mean the same.
    let differing = x.frames().zip(y.frames()).find(|((_, p), (_, q))| !same_frame((a, p), (b, q)));
    if let Some(((number, p), (_, q))) = differing {
        return Some(format!("frame #{number:02}: {} has {p}, {} has {q}", a.name, b.name));
    }
    let hashes_differ = a.directives == b.directives && x.hash() != y.hash();
    hashes_differ.then(|| format!("the frames that {} and {} leave out differ", a.name, b.name))
}

fn same_frame((a, p): (&LaneState, &Frame), (b, q): (&LaneState, &Frame)) -> bool {
    let made_by =
        |lane: &LaneState, frame: &Frame| frame.instance().map(|instance| lane.directives[instance as usize]);
    p.kind() == q.kind()
        && p.func() == q.func()
        && p.offset() == q.offset()
        && made_by(a, p) == made_by(b, q)
        && p.name() == q.name()
}

/// The first difference between what two lanes' instances consist of; `None` if there is none.
pub(super) fn compare_state(
    (a, left): (&LaneState, Instance),
    (b, right): (&LaneState, Instance),
    extent: Extent,
) -> Option<String> {
    let names =
        |what: String, x: String, y: String| format!("{what}: {} has {x}, {} has {y}", a.name, b.name);
    let globals = left.globals(&a.store).into_iter().zip(right.globals(&b.store));
    for (index, (x, y)) in globals.enumerate() {
        let (x, y) = (global(a, x), global(b, y));
        if x != y {
            return Some(names(format!("global {index}"), x.to_string(), y.to_string()));
        }
    }
    let tables = left.tables(&a.store).into_iter().zip(right.tables(&b.store));
    for (index, (x, y)) in tables.enumerate() {
        if let Some((place, x, y)) = compare_tables((a, x), (b, y), extent) {
            return Some(names(format!("table {index}{place}"), x, y));
        }
    }
    let memories = left.memories(&a.store).into_iter().zip(right.memories(&b.store));
    for (index, (x, y)) in memories.enumerate() {
        if let Some((place, x, y)) = compare_memories((a, x), (b, y), extent) {
            return Some(names(format!("memory {index}{place}"), x, y));
        }
    }
    let dropped = |lane: &LaneState, instance: Instance| {
        (instance.dropped_elems(&lane.store), instance.dropped_datas(&lane.store))
    };
    let (x, y) = (dropped(a, left), dropped(b, right));
    (x != y).then(|| names("dropped segments".to_string(), format!("{x:?}"), format!("{y:?}")))
}

/// As [`compare_state`], for every instance that the same directive made in both lanes.
pub(super) fn compare_all_state(a: &LaneState, b: &LaneState) -> Option<String> {
    let instances = |lane: &LaneState| {
        let directives = lane.directives.iter().copied();
        directives.zip(Instance::all(&lane.store)).collect::<Vec<_>>()
    };
    let right = instances(b);
    instances(a).into_iter().find_map(|(directive, left)| {
        let (_, right) = right.iter().find(|(other, _)| *other == directive)?;
        compare_state((a, left), (b, *right), Extent::Whole)
    })
}

fn global(lane: &LaneState, global: Global) -> Value {
    lane.value(global.get(&lane.store))
}

/// Where a memory or table differs, and what stands there in either lane.
type Place = (String, String, String);

fn compare_tables((a, x): (&LaneState, Table), (b, y): (&LaneState, Table), extent: Extent) -> Option<Place> {
    let (elements, others) = (x.len(&a.store), y.len(&b.store));
    if elements != others {
        return Some((" size".to_string(), elements.to_string(), others.to_string()));
    }
    let element = |lane: &LaneState, table: Table, index| {
        lane.value(table.get(&lane.store, index).expect("the index is below the length"))
    };
    (0..elements.min(extent.table_elements())).find_map(|index| {
        let (x, y) = (element(a, x, index), element(b, y, index));
        (x != y).then(|| (format!(" element {index}"), x.to_string(), y.to_string()))
    })
}

fn compare_memories(
    (a, x): (&LaneState, Memory),
    (b, y): (&LaneState, Memory),
    extent: Extent,
) -> Option<Place> {
    let (bytes, others) = (x.len(&a.store), y.len(&b.store));
    if bytes != others {
        return Some((" size in bytes".to_string(), bytes.to_string(), others.to_string()));
    }
    if bytes > extent.memory_bytes() {
        return None;
    }
    // Either lane may leave out zeros that the other one shows, so both are asked.
    let first = first_difference((a, x), (b, y)).into_iter().chain(first_difference((b, y), (a, x))).min()?;
    let byte = |lane: &LaneState, memory: Memory| {
        let mut byte = [0];
        memory.read(&lane.store, first, &mut byte).expect("the place was just read");
        format!("{:#04x}", byte[0])
    };
    Some((format!(" first at {first:#x}"), byte(a, x), byte(b, y)))
}

/// The first place where the touched bytes of one memory differ from another memory of the same size.
fn first_difference((a, x): (&LaneState, Memory), (b, y): (&LaneState, Memory)) -> Option<u64> {
    let mut buffer = vec![0; 1 << 16];
    let mut first = None;
    x.touched(&a.store, |start, run| {
        for (number, bytes) in run.chunks(buffer.len()).enumerate() {
            if first.is_some() {
                return;
            }
            let offset = start + (number << 16) as u64;
            let others = &mut buffer[..bytes.len()];
            y.read(&b.store, offset, others).expect("the memories are of one size");
            if bytes != others {
                let at = bytes.iter().zip(others).position(|(x, y)| x != y);
                first = at.map(|at| offset + at as u64);
            }
        }
    });
    first
}

#[cfg(test)]
mod tests {
    use super::super::Lane;
    use super::super::build::{Built, build};
    use super::super::lane::{Action, Becomes, HostLog};
    use super::*;
    use crosscheck_engine::{Config, Engine, FuncType, Mode, Tag, TrapKind, Val, ValType};
    use wast::QuoteWat;
    use wast::parser::{self, ParseBuffer};

    const MODULE: &str = r#"(module
        (import "spectest" "memory" (memory 1)) (import "spectest" "table" (table 10 funcref))
        (import "spectest" "print" (func)) (export "f" (func 0))
        (memory 1) (table 2 externref))"#;

    /// Two lanes of one mode after the same module.
    fn lanes() -> (LaneState, LaneState) {
        let config = Config::new(Mode::Interp);
        let engine = Engine::new(&config);
        let buffer = ParseBuffer::new(MODULE).expect("text");
        let mut module = QuoteWat::Wat(parser::parse(&buffer).expect("a module"));
        let Built::Module(module) = build(&engine, &mut module) else { panic!("a valid module") };
        let lane = |name: &str| {
            let lane = Lane { name: name.to_string(), config };
            let mut state = LaneState::new(&lane, engine.sibling(&config), None, None);
            let action = Action::Module { module: &module, becomes: Becomes::Current(None) };
            let outcome = state.perform(&action, 0, 1);
            assert!(matches!(outcome, Outcome::Values(_)), "{outcome}");
            state
        };
        (lane("a"), lane("b"))
    }

    /// What is found after `change` to the second of two equal lanes, quickly and as a whole.
    fn check(change: impl FnOnce(&mut LaneState, Instance), expected: Option<&str>) {
        let (a, mut b) = lanes();
        let instances = (a.touched.expect("just made"), b.touched.expect("just made"));
        change(&mut b, instances.1);
        let quick = compare_state((&a, instances.0), (&b, instances.1), Extent::Quick);
        assert_eq!((quick.as_deref(), compare_all_state(&a, &b).as_deref()), (expected, expected));
    }

    #[test]
    fn equal_lanes_have_equal_state() {
        check(|_, _| (), None);
    }

    #[test]
    fn a_byte_that_differs_is_found_in_either_direction() {
        let change = |lane: &mut LaneState, instance: Instance| {
            instance.memories(&lane.store)[1].write(&mut lane.store, 0x1f04, &[0, 7]).expect("inside");
        };
        check(change, Some("memory 1 first at 0x1f05: a has 0x00, b has 0x07"));
        let (mut a, b) = lanes();
        let instances = (a.touched.expect("just made"), b.touched.expect("just made"));
        change(&mut a, instances.0);
        let found = compare_state((&a, instances.0), (&b, instances.1), Extent::Quick);
        assert_eq!(found.as_deref(), Some("memory 1 first at 0x1f05: a has 0x07, b has 0x00"));
    }

    #[test]
    fn zeros_written_and_zeros_never_touched_are_the_same() {
        let change = |lane: &mut LaneState, instance: Instance| {
            instance.memories(&lane.store)[1].write(&mut lane.store, 0, &[0; 9000]).expect("inside");
        };
        check(change, None);
    }

    #[test]
    fn a_memory_that_grew_in_one_lane_is_found() {
        let change = |lane: &mut LaneState, instance: Instance| {
            instance.memories(&lane.store)[0].grow(&mut lane.store, 1).expect("memory");
        };
        check(change, Some("memory 0 size in bytes: a has 65536, b has 131072"));
    }

    #[test]
    fn a_table_element_that_differs_is_found_by_what_it_is() {
        let change = |lane: &mut LaneState, instance: Instance| {
            let func = instance.func(&lane.store, "f").expect("exported");
            let table = instance.tables(&lane.store)[0];
            table.set(&mut lane.store, 3, Val::FuncRef(Some(func))).expect("inside");
        };
        check(change, Some("table 0 element 3: a has ref.null func, b has ref.func host 0"));
    }

    #[test]
    fn exceptions_differ_by_tag_or_value_and_not_by_their_stores() {
        let (mut a, mut b) = lanes();
        // Each has a new tag of the host.
        let thrown = |lane: &mut LaneState, value: i32| {
            let tag = Tag::new(&mut lane.store, FuncType::new([ValType::I32], []));
            let exception = Exception::new(&lane.store, tag, &[Val::I32(value)]).expect("fits its tag");
            Outcome::Error(exception.into())
        };
        let (one, same) = (thrown(&mut a, 7), thrown(&mut b, 7));
        assert_eq!(compare_outcomes((&a, &one), (&b, &same)), None);
        let other_tag = thrown(&mut b, 7);
        assert_eq!(
            compare_outcomes((&a, &one), (&b, &other_tag)).as_deref(),
            Some("a throws tag host 0 with [i32:0x7], b throws tag host 1 with [i32:0x7]")
        );
        let again = thrown(&mut a, 8);
        assert_eq!(
            compare_outcomes((&a, &again), (&b, &other_tag)).as_deref(),
            Some("a throws tag host 1 with [i32:0x8], b throws tag host 1 with [i32:0x7]")
        );
    }

    #[test]
    fn outcomes_differ_by_value_kind_or_host_calls() {
        let (a, mut b) = lanes();
        let values = |number| Outcome::Values(vec![Value::I32(number)]);
        let trap = |kind| Outcome::Error(Error::Trap(Trap::new(kind)));
        let compare = |b: &LaneState, x: &Outcome, y: &Outcome| compare_outcomes((&a, x), (b, y));
        assert_eq!(compare(&b, &values(1), &values(1)), None);
        assert_eq!(
            compare(&b, &values(1), &values(2)).as_deref(),
            Some("a gives [i32:0x1], b gives [i32:0x2]")
        );
        assert_eq!(
            compare(&b, &values(1), &trap(TrapKind::Unreachable)).as_deref(),
            Some("a gives [i32:0x1], b gives trap: unreachable")
        );
        assert_eq!(
            compare(&b, &trap(TrapKind::IntegerOverflow), &trap(TrapKind::Unreachable)).as_deref(),
            Some("a gives trap: integer overflow, b gives trap: unreachable")
        );
        let log: &mut HostLog = b.store.data_mut();
        log.note("print_i32", &[Val::I32(1)]);
        assert_eq!(
            compare(&b, &values(1), &values(1)).as_deref(),
            Some("host calls differ from number 0 on; a makes 0, b makes 1")
        );
    }
}
