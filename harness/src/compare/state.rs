//! What differs between two states. Between lanes that is everything; an outside engine shows only what modules export.

use super::{Kind, Side, same_value};
use crate::case::Value;
use crate::observe::{ExportState, InstanceState, MemoryState, ObjectState, State, TableState};
use crate::subject::Capabilities;
use crosscheck_engine::faults::fault;

/// What of the state differs: kind, where exactly, and both sides.
pub(super) type FoundState = (Kind, String, Side, Side);

pub(super) fn state_difference(a: &State, b: &State, both: Capabilities) -> Option<FoundState> {
    // Who shows exports only numbers entities its own way and keeps no half-made instances.
    if !both.internal_state {
        return exported_difference(a, b, both);
    }
    if let Some(found) = count_difference("instances", a.instances.len(), b.instances.len()) {
        return Some(found);
    }
    let pairs = a.instances.iter().zip(&b.instances).enumerate();
    let found = pairs.into_iter().find_map(|(number, (a, b))| {
        let (kind, exactly, left, right) = instance_difference(a, b, both)?;
        Some((kind, format!("instance {number}, {exactly}"), left, right))
    });
    found
        .or_else(|| latest_difference(&a.modules, &b.modules))
        .or_else(|| object_difference(&a.gc, &b.gc, both))
}

/// Compares which instance each module's latest is.
fn latest_difference(a: &[Option<u32>], b: &[Option<u32>]) -> Option<FoundState> {
    let counted = count_difference("modules", a.len(), b.len());
    let number = |side: &Option<u32>| side.map_or(Side::text("none"), Side::text);
    let latest = |(module, (left, right)): (usize, (&Option<u32>, &Option<u32>))| {
        let told =
            || (Kind::Instances, format!("latest instance of module {module}"), number(left), number(right));
        (left != right).then(told)
    };
    counted.or_else(|| a.iter().zip(b).enumerate().find_map(latest))
}

/// That there are more of something on one side.
fn count_difference(what: &str, left: usize, right: usize) -> Option<FoundState> {
    let told = || (Kind::Instances, format!("number of {what}"), Side::text(left), Side::text(right));
    (left != right).then(told)
}

/// Compares object by object: the numbers are canonical, so equal graphs are equal lists.
fn object_difference(a: &[ObjectState], b: &[ObjectState], both: Capabilities) -> Option<FoundState> {
    let differs = |exactly: String, left: Side, right: Side| Some((Kind::Objects, exactly, left, right));
    for (number, (a, b)) in a.iter().zip(b).enumerate() {
        if (a.kind(), a.identity()) != (b.kind(), b.identity()) {
            return differs(format!("what object {number} is"), Side::text(a), Side::text(b));
        }
        let (left, right) = (a.values(), b.values());
        if left.len() != right.len() {
            let sides = (Side::text(left.len()), Side::text(right.len()));
            return differs(format!("number of values in object {number}"), sides.0, sides.1);
        }
        let mut values = left.iter().zip(right).enumerate();
        if let Some((index, (left, right))) = values.find(|(_, (a, b))| !same_value(a, b, both)) {
            let sides = (Side::Value(left.clone()), Side::Value(right.clone()));
            return differs(format!("object {number}, value {index}"), sides.0, sides.1);
        }
    }
    let counts = (Side::text(a.len()), Side::text(b.len()));
    if a.len() == b.len() { None } else { differs("number of objects".into(), counts.0, counts.1) }
}

/// Compares what the latest instances of the modules export, name by name.
fn exported_difference<'s>(a: &'s State, b: &'s State, both: Capabilities) -> Option<FoundState> {
    let no_instance = InstanceState::default();
    let pairs = a.modules.iter().zip(&b.modules).enumerate();
    pairs.into_iter().find_map(|(module, (left, right))| {
        let of = |state: &'s State, number: &Option<u32>| state.instances.get((*number)? as usize);
        let (left, right) = (of(a, left).unwrap_or(&no_instance), of(b, right).unwrap_or(&no_instance));
        if left.exports.len() != right.exports.len() {
            let sides = (Side::text(left.exports.len()), Side::text(right.exports.len()));
            let exactly = format!("number of exports of module {module} that have a state");
            return Some((Kind::Instances, exactly, sides.0, sides.1));
        }
        left.exports.iter().find_map(|(name, place)| {
            let other = right.exports.iter().find(|(other, _)| other == name).map(|(_, place)| *place);
            let (kind, exactly, ours, theirs) = export_difference((left, *place), (right, other), both)?;
            Some((kind, format!("module {module}, export `{name}`, {exactly}"), ours, theirs))
        })
    })
}

fn export_difference(
    (a, left): (&InstanceState, ExportState),
    (b, right): (&InstanceState, Option<ExportState>),
    both: Capabilities,
) -> Option<FoundState> {
    match (left, right) {
        (ExportState::Unseen, Some(_)) | (_, Some(ExportState::Unseen)) => None,
        (ExportState::Global(left), Some(ExportState::Global(right))) => {
            global_difference("global", a.globals.get(left as usize)?, b.globals.get(right as usize)?, both)
        }
        (ExportState::Table(left), Some(ExportState::Table(right))) => {
            table_difference("table", a.tables.get(left as usize)?, b.tables.get(right as usize)?, both)
        }
        (ExportState::Memory(left), Some(ExportState::Memory(right))) => {
            memory_difference("memory", a.memories.get(left as usize)?, b.memories.get(right as usize)?)
        }
        (left, right) => {
            let right = right.map_or("nothing".into(), |right| format!("{right:?}"));
            Some((
                Kind::Instances,
                "what it is".into(),
                Side::text(format_args!("{left:?}")),
                Side::Text(right),
            ))
        }
    }
}

fn instance_difference(a: &InstanceState, b: &InstanceState, both: Capabilities) -> Option<FoundState> {
    let globals = a.globals.iter().zip(&b.globals).enumerate();
    let memories = a.memories.iter().zip(&b.memories).enumerate();
    let tables = a.tables.iter().zip(&b.tables).enumerate();
    // Half-made instances have everything that their modules have.
    let found = count_difference("globals", a.globals.len(), b.globals.len())
        .or_else(|| count_difference("memories", a.memories.len(), b.memories.len()))
        .or_else(|| count_difference("tables", a.tables.len(), b.tables.len()))
        .or_else(|| {
            globals.into_iter().find_map(|(n, (a, b))| global_difference(&format!("global {n}"), a, b, both))
        })
        .or_else(|| {
            memories.into_iter().find_map(|(n, (a, b))| memory_difference(&format!("memory {n}"), a, b))
        })
        .or_else(|| {
            tables.into_iter().find_map(|(n, (a, b))| table_difference(&format!("table {n}"), a, b, both))
        });
    if found.is_none() && (&a.dropped_elems, &a.dropped_datas) != (&b.dropped_elems, &b.dropped_datas) {
        let text = |side: &InstanceState| {
            Side::text(format_args!("elems {:?}, datas {:?}", side.dropped_elems, side.dropped_datas))
        };
        return Some((Kind::Dropped, "dropped segments".into(), text(a), text(b)));
    }
    found.or_else(|| exports_difference(&a.exports, &b.exports))
}

/// Compares which entities exports are: all lanes number them alike.
fn exports_difference(a: &[(String, ExportState)], b: &[(String, ExportState)]) -> Option<FoundState> {
    let counted = count_difference("exports", a.len(), b.len());
    let text = |(name, place): &(String, ExportState)| Side::text(format_args!("`{name}` is {place:?}"));
    counted.or_else(|| {
        let (number, (left, right)) = a.iter().zip(b).enumerate().find(|(_, (left, right))| left != right)?;
        Some((Kind::Instances, format!("export {number}"), text(left), text(right)))
    })
}

fn global_difference(what: &str, left: &Value, right: &Value, both: Capabilities) -> Option<FoundState> {
    let differs = !same_value(left, right, both);
    differs.then(|| (Kind::Global, what.to_string(), Side::Value(left.clone()), Side::Value(right.clone())))
}

fn memory_difference(what: &str, left: &MemoryState, right: &MemoryState) -> Option<FoundState> {
    if left.bytes != right.bytes && !fault!("compare-skips-memory-size") {
        let bytes = |side: &MemoryState| Side::text(format_args!("{} bytes", side.bytes));
        let sides = (bytes(left), bytes(right));
        return Some((Kind::MemorySize, format!("size of {what}"), sides.0, sides.1));
    }
    let (address, left, right) = first_byte(left, right)?;
    let exactly = format!("{what} differs first at {address:#x}");
    let byte = |byte: u8| Side::text(format_args!("{byte:#04x}"));
    Some((Kind::MemoryBytes, exactly, byte(left), byte(right)))
}

fn table_difference(
    what: &str,
    left: &TableState,
    right: &TableState,
    both: Capabilities,
) -> Option<FoundState> {
    if left.elements != right.elements {
        let sides = (Side::text(left.elements), Side::text(right.elements));
        return Some((Kind::TableSize, format!("size of {what}"), sides.0, sides.1));
    }
    let indices = left.non_null.keys().chain(right.non_null.keys());
    let different = |index: &&u64| match (left.non_null.get(index), right.non_null.get(index)) {
        (Some(left), Some(right)) => !same_value(left, right, both),
        (left, right) => left.is_some() != right.is_some(),
    };
    let index = indices.filter(different).min()?;
    let element = |side: Option<&Value>| side.map_or(Side::text("null"), |value| Side::Value(value.clone()));
    let sides = (element(left.non_null.get(index)), element(right.non_null.get(index)));
    Some((Kind::TableElement, format!("{what}, element {index}"), sides.0, sides.1))
}

/// Address of the first byte that differs, and the two bytes. Pages that are absent are zeros.
pub(crate) fn first_byte(left: &MemoryState, right: &MemoryState) -> Option<(u64, u8, u8)> {
    let mut numbers: Vec<u64> = left.pages.keys().chain(right.pages.keys()).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let (left, right) = (left.pages.get(&number), right.pages.get(&number));
        // Nearly all pages are equal, and looking at bytes one by one takes much longer.
        if left == right {
            continue;
        }
        let byte = |side: Option<&Vec<u8>>, offset: usize| {
            side.and_then(|page| page.get(offset)).copied().unwrap_or(0)
        };
        let different = (0..crate::observe::OS_PAGE_BYTES as usize)
            .find(|offset| byte(left, *offset) != byte(right, *offset));
        if let Some(offset) = different {
            let address = number * crate::observe::OS_PAGE_BYTES + offset as u64;
            return Some((address, byte(left, offset), byte(right, offset)));
        }
    }
    None
}
