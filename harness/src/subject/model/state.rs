//! The state of everything in the store after an action, spelled out and as the digest that other subjects give.

use super::module::is_func;
use super::store::{Extern, Instance, Store};
use super::value::{Reference, Val};
use crate::digest::Digest;
use crate::observe::{
    Capture, ExportState, InstanceState, MemoryState, State, TableState, digest_exports, digest_modules,
    values,
};

impl Store<'_> {
    /// The digest of the state, and the state itself if everything is to be spelled out. `latest` is each module's latest instance.
    pub fn capture(&self, latest: &[Option<usize>]) -> (u64, Option<State>) {
        let mut digest = Digest::default();
        let mut known = Vec::new();
        let mut state = State::default();
        for instance in &self.instances {
            let shown = self.shown_instance(instance);
            take_in(&shown, &instance.memories, &mut known, &mut digest);
            state.instances.push(shown);
        }
        state.modules = latest.iter().map(|latest| latest.map(|number| number as u32)).collect();
        digest_modules(&state.modules, &mut digest);
        (digest.finish(), (self.capture == Capture::Full).then_some(state))
    }

    fn shown_instance(&self, instance: &Instance<'_>) -> InstanceState {
        let global = |address: &usize| {
            let global = &self.globals[*address];
            self.seen(global.value, global.ty.content)
        };
        let numbers =
            |flags: &[bool]| (0..).zip(flags).filter(|(_, is)| **is).map(|(number, _)| number).collect();
        InstanceState {
            globals: instance.globals.iter().map(global).collect(),
            tables: instance.tables.iter().map(|table| self.shown_table(*table)).collect(),
            memories: instance.memories.iter().map(|memory| self.memories[*memory].seen()).collect(),
            dropped_elems: numbers(&instance.dropped_elems),
            dropped_datas: numbers(&instance.dropped_datas),
            exports: self.shown_exports(instance),
        }
    }

    fn shown_table(&self, address: usize) -> TableState {
        let table = &self.tables[address];
        let elements = (0..).zip(&table.elements).filter(|(_, element)| **element != Reference::Null);
        let seen =
            |(index, element): (u64, &Reference)| (index, self.seen(Val::Ref(*element), table.element));
        TableState { elements: table.size(), non_null: elements.map(seen).collect() }
    }

    /// Where the exports that have a state stand among what is shown: at the first place that has the same address.
    fn shown_exports(&self, instance: &Instance<'_>) -> Vec<(String, ExportState)> {
        let first = |all: &[usize], address| {
            all.iter().position(|other| *other == address).expect("what is exported belongs to the instance")
                as u32
        };
        let exports = instance.module.exports.iter().filter(|(_, kind, _)| !is_func(*kind));
        let place = |item| match item {
            Extern::Global(address) => Some(ExportState::Global(first(&instance.globals, address))),
            Extern::Table(address) => Some(ExportState::Table(first(&instance.tables, address))),
            Extern::Memory(address) => Some(ExportState::Memory(first(&instance.memories, address))),
            Extern::Func(_) => None,
        };
        let placed = exports.filter_map(|(name, kind, index)| {
            Some((name.to_string(), place(instance.item(*kind, *index)?)?))
        });
        placed.collect()
    }
}

/// Takes an instance into the digest. The bytes of a memory that instances share are taken in once.
fn take_in(shown: &InstanceState, memories: &[usize], known: &mut Vec<usize>, digest: &mut Digest) {
    shown.globals.iter().for_each(|value| values::digest(value, digest));
    for table in &shown.tables {
        digest.u64(table.elements);
        for (index, value) in &table.non_null {
            digest.u64(*index);
            values::digest(value, digest);
        }
    }
    for (memory, address) in shown.memories.iter().zip(memories) {
        digest.u64(memory.bytes);
        match known.iter().position(|known| known == address) {
            Some(number) => digest.u64(number as u64),
            None => {
                known.push(*address);
                digest.u64(u64::MAX);
                take_in_bytes(memory, digest);
            }
        }
    }
    shown.dropped_elems.iter().for_each(|number| digest.u64(u64::from(*number) | 1 << 32));
    shown.dropped_datas.iter().for_each(|number| digest.u64(u64::from(*number) | 1 << 33));
    digest_exports(&shown.exports, digest);
}

fn take_in_bytes(memory: &MemoryState, digest: &mut Digest) {
    for (number, page) in &memory.pages {
        digest.u64(*number);
        digest.bytes(page);
    }
}
