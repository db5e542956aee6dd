//! The state of everything in a store after an action: internal entities too, not only exports.

use super::Capture;
use crate::case::Value;
use crate::digest::Digest;
use crate::subject::values;
use crosscheck_engine::{AsContext, Instance};
use std::collections::BTreeMap;

/// Memory is compared in pages of this many bytes; pages of zeros are as good as absent.
pub const OS_PAGE_BYTES: u64 = 4096;

/// Everything a store holds, instance by instance in order of instantiation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// The instances, half-made ones included.
    pub instances: Vec<InstanceState>,
}

/// What an instance consists of, imported entities included.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InstanceState {
    /// Values of the globals.
    pub globals: Vec<Value>,
    /// The tables.
    pub tables: Vec<TableState>,
    /// The memories.
    pub memories: Vec<MemoryState>,
    /// Numbers of dropped element segments.
    pub dropped_elems: Vec<u32>,
    /// Numbers of dropped data segments.
    pub dropped_datas: Vec<u32>,
}

/// A table: its size, and its elements but for nulls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableState {
    /// Elements, nulls included.
    pub elements: u64,
    /// Those that are not null.
    pub non_null: BTreeMap<u64, Value>,
}

/// A memory: its size, and its pages but for those of zeros.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemoryState {
    /// Size in bytes.
    pub bytes: u64,
    /// Contents by the number of the page ([`OS_PAGE_BYTES`]).
    pub pages: BTreeMap<u64, Vec<u8>>,
}

/// The state of a store: its digest, and the state itself if asked for.
///
/// What this costs follows the pages that were touched, not those that were declared.
pub fn capture_state(store: &impl AsContext, capture: Capture) -> (u64, Option<State>) {
    let mut digest = Digest::default();
    let mut state = (capture == Capture::Full).then(State::default);
    for instance in Instance::all(store) {
        let mut detail = state.is_some().then(InstanceState::default);
        capture_instance(store, instance, &mut digest, detail.as_mut());
        if let Some(state) = &mut state {
            state.instances.extend(detail);
        }
    }
    (digest.finish(), state)
}

fn capture_instance(
    store: &impl AsContext,
    instance: Instance,
    digest: &mut Digest,
    mut detail: Option<&mut InstanceState>,
) {
    for global in instance.globals(store) {
        let value = values::observed(store, global.get(store), global.ty(store).content);
        values::digest(&value, digest);
        if let Some(detail) = detail.as_deref_mut() {
            detail.globals.push(value);
        }
    }
    for table in instance.tables(store) {
        let element = crosscheck_engine::ValType::Ref(table.ty(store).element);
        let elements = table.len(store);
        digest.u64(elements);
        let mut seen = TableState { elements, non_null: BTreeMap::new() };
        table.non_null(store, |index, value| {
            let value = values::observed(store, value, element);
            digest.u64(index);
            values::digest(&value, digest);
            if detail.is_some() {
                seen.non_null.insert(index, value);
            }
        });
        if let Some(detail) = detail.as_deref_mut() {
            detail.tables.push(seen);
        }
    }
    for memory in instance.memories(store) {
        let bytes = memory.len(store);
        digest.u64(bytes);
        let mut seen = MemoryState { bytes, pages: BTreeMap::new() };
        memory.touched(store, |offset, run| {
            // Runs start at pages of the operating system, which are multiples of ours.
            for (index, page) in run.chunks(OS_PAGE_BYTES as usize).enumerate() {
                if is_zero(page) {
                    continue;
                }
                let number = offset / OS_PAGE_BYTES + index as u64;
                digest.u64(number);
                digest.bytes(page);
                if detail.is_some() {
                    seen.pages.insert(number, page.to_vec());
                }
            }
        });
        if let Some(detail) = detail.as_deref_mut() {
            detail.memories.push(seen);
        }
    }
    let dropped = |flags: Vec<bool>| -> Vec<u32> {
        let numbered = flags.into_iter().zip(0u32..);
        numbered.filter(|(dropped, _)| *dropped).map(|(_, number)| number).collect()
    };
    let elems = dropped(instance.dropped_elems(store));
    let datas = dropped(instance.dropped_datas(store));
    for number in &elems {
        digest.u64(u64::from(*number) | 1 << 32);
    }
    for number in &datas {
        digest.u64(u64::from(*number) | 1 << 33);
    }
    if let Some(detail) = detail {
        detail.dropped_elems = elems;
        detail.dropped_datas = datas;
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<32>();
    blocks.iter().all(|block| *block == [0; 32]) && rest.iter().all(|byte| *byte == 0)
}
