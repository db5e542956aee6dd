//! Holds lanes against each other: what an action gave, and what it left behind.

use super::lane::{LaneState, Outcome};
use super::value::Value;
use crosscheck_engine::{Backtrace, Error, Frame, Global, Instance, Memory, Table, Trap};

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
        // What the operating system refuses says nothing about a mode.
        (Outcome::Error(Error::Resources(_)), _) | (_, Outcome::Error(Error::Resources(_))) => return None,
        (Outcome::Error(x), Outcome::Error(y)) => {
            (x != y).then(|| format!("{} gives {left}, {} gives {right}", a.name, b.name))
        }
        (Outcome::Values(_), Outcome::Error(_)) | (Outcome::Error(_), Outcome::Values(_)) => {
            Some(format!("{} gives {left}, {} gives {right}", a.name, b.name))
        }
        (Outcome::Skipped(_) | Outcome::Broken(_) | Outcome::Panicked(_), _)
        | (_, Outcome::Skipped(_) | Outcome::Broken(_) | Outcome::Panicked(_)) => return None,
    };
    difference.or_else(|| compare_logs(a, b)).or_else(|| compare_fuel(a, b))
}

fn compare_logs(a: &LaneState, b: &LaneState) -> Option<String> {
    let at = a.store.data().first_difference(b.store.data())?;
    let (x, y) = (a.store.data().total(), b.store.data().total());
    Some(format!("host calls differ from number {at} on; {} makes {x}, {} makes {y}", a.name, b.name))
}

fn compare_fuel(a: &LaneState, b: &LaneState) -> Option<String> {
    let (x, y) = (a.fuel_used()?, b.fuel_used()?);
    (x != y).then(|| format!("{} uses {x} fuel, {} uses {y}", a.name, b.name))
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
