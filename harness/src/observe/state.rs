//! The state of everything in a store after an action: internal entities too, not only exports.

use super::Capture;
use super::values;
use crate::case::{HeapKind, RefValue, TagIdentity, Value};
use crate::digest::Digest;
use crosscheck_engine::faults::fault;
use crosscheck_engine::{AsContext, Extern, Instance, Memory};
use std::collections::BTreeMap;
use std::fmt;

/// Memory is compared in pages of this many bytes; pages of zeros are as good as absent.
pub const OS_PAGE_BYTES: u64 = 4096;

/// Everything a store holds, instance by instance in order of instantiation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// The instances, half-made ones included. An outside engine shows those that were made.
    pub instances: Vec<InstanceState>,
    /// The number of each module's latest instance; none if it has none, or if making it failed.
    pub modules: Vec<Option<u32>>,
    /// The objects that can be reached, in canonical numbering: the reference to object `n`
    /// ([`RefValue::Other`]) refers to the element of that number. No mode makes objects yet, so there are none.
    ///
    /// The numbers follow from a walk, breadth first, that begins with the values of the action's outcome, then the
    /// globals and the tables of each instance in order, and goes on with the values of each object in order. So they are the same for every subject,
    /// wherever its collector keeps objects and however often it runs.
    ///
    /// [`RefValue::Other`]: crate::case::RefValue::Other
    pub gc: Vec<ObjectState>,
}

/// An object that guests made. Fields of 8 or 16 bits are shown as `i32`, zero-extended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectState {
    /// A structure.
    Struct {
        /// Its type.
        ty: TypeIdentity,
        /// Its fields.
        fields: Vec<Value>,
    },
    /// An array.
    Array {
        /// Its type.
        ty: TypeIdentity,
        /// Its elements.
        elements: Vec<Value>,
    },
    /// An exception.
    Exception {
        /// Its tag.
        tag: TagIdentity,
        /// The values that were thrown with it.
        payload: Vec<Value>,
    },
}

/// Which type an object has. Types that are equal across modules are one type, named after the first that declares it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TypeIdentity {
    /// Number of the first instance whose module declares the type, in order of instantiation.
    pub instance: u32,
    /// The first index of the type in that module.
    pub index: u32,
}

/// `instance:index`.
impl fmt::Display for TypeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.instance, self.index)
    }
}

impl ObjectState {
    /// What kind of object it is, as reports and references call it.
    pub fn kind(&self) -> HeapKind {
        match self {
            ObjectState::Struct { .. } => HeapKind::Struct,
            ObjectState::Array { .. } => HeapKind::Array,
            ObjectState::Exception { .. } => HeapKind::Exn,
        }
    }

    /// The identity of its type, or of its tag, as text.
    pub fn identity(&self) -> String {
        match self {
            ObjectState::Struct { ty, .. } | ObjectState::Array { ty, .. } => ty.to_string(),
            ObjectState::Exception { tag, .. } => tag.to_string(),
        }
    }

    /// The values that it holds, in order.
    pub fn values(&self) -> &[Value] {
        match self {
            ObjectState::Struct { fields: values, .. }
            | ObjectState::Array { elements: values, .. }
            | ObjectState::Exception { payload: values, .. } => values,
        }
    }
}

/// `struct 0:3`, `array 0:1`, `exn 0:2`: the kind, and the identity of the type or the tag.
impl fmt::Display for ObjectState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.identity())
    }
}

/// What an instance consists of, imported entities included. An outside engine shows what is exported.
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
    /// Where exported state stands among the above, by name. Functions and tags have no state.
    pub exports: Vec<(String, ExportState)>,
}

/// The number of an exported entity among the entities of its kind that an [`InstanceState`] shows.
///
/// All subjects number what they show their own way: exports are told apart by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportState {
    /// One of [`InstanceState::globals`].
    Global(u32),
    /// One of [`InstanceState::tables`].
    Table(u32),
    /// One of [`InstanceState::memories`].
    Memory(u32),
    /// The subject has it and cannot show it, so it is not compared.
    Unseen,
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

impl MemoryState {
    /// A memory of `bytes` bytes, all zero so far.
    pub fn new(bytes: u64) -> MemoryState {
        MemoryState { bytes, pages: BTreeMap::new() }
    }

    /// Adds what stands at `offset`, a multiple of [`OS_PAGE_BYTES`], but for pages of zeros.
    pub fn add(&mut self, offset: u64, run: &[u8]) {
        self.pages.extend(pages(offset, run).map(|(number, page)| (number, page.to_vec())));
    }
}

/// The state of a store: its digest, and the state itself if asked for. `latest` is each module's latest instance.
///
/// What this costs follows the pages that were touched, not those that were declared.
pub fn capture_state(
    store: &impl AsContext,
    latest: &[Option<Instance>],
    capture: Capture,
) -> (u64, Option<State>) {
    let mut digest = Digest::default();
    let mut state = (capture == Capture::Full).then(State::default);
    let instances = Instance::all(store);
    let mut digested = Vec::new();
    for instance in &instances {
        let mut detail = state.is_some().then(InstanceState::default);
        capture_instance(store, *instance, &mut digested, &mut digest, detail.as_mut());
        if let Some(state) = &mut state {
            state.instances.extend(detail);
        }
    }
    let numbers = latest.iter().map(|wanted| number_of(&instances, wanted.as_ref()?));
    let modules: Vec<Option<u32>> = numbers.collect();
    digest_modules(&modules, &mut digest);
    if let Some(state) = &mut state {
        state.modules = modules;
    }
    (digest.finish(), state)
}

impl ExportState {
    /// What sort of entity it is, as a number, and its place among those.
    pub(super) fn code(&self) -> (u8, u32) {
        match *self {
            ExportState::Global(number) => (0, number),
            ExportState::Table(number) => (1, number),
            ExportState::Memory(number) => (2, number),
            ExportState::Unseen => (3, 0),
        }
    }
}

/// Takes into a digest which instance is the latest of each module.
pub(crate) fn digest_modules(modules: &[Option<u32>], digest: &mut Digest) {
    modules.iter().for_each(|number| digest.u64(number.map_or(u64::MAX, u64::from)));
}

/// Takes into a digest what an instance exports that has a state.
pub(crate) fn digest_exports(exports: &[(String, ExportState)], digest: &mut Digest) {
    for (name, place) in exports {
        let (kind, number) = place.code();
        digest.text(name);
        digest.u64(u64::from(kind) << 32 | u64::from(number));
    }
}

fn number_of<T: PartialEq>(all: &[T], wanted: &T) -> Option<u32> {
    all.iter().position(|other| other == wanted).map(|number| number as u32)
}

fn capture_instance(
    store: &impl AsContext,
    instance: Instance,
    digested: &mut Vec<Memory>,
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
            let is_function = matches!(value, Value::Ref(RefValue::Func(_)));
            digest.u64(index);
            if !(fault!("digest-takes-functions-for-the-same") && is_function) {
                values::digest(&value, digest);
            }
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
        // A memory that instances share is taken in once; after its length stands which one it is.
        if !fault!("compare-skips-memory-size") {
            digest.u64(bytes);
        }
        let known = number_of(digested, &memory);
        digest.u64(known.map_or(u64::MAX, u64::from));
        if known.is_none() {
            digested.push(memory);
        } else if detail.is_none() {
            continue;
        }
        let mut seen = MemoryState::new(bytes);
        memory.touched(store, |offset, run| {
            // Runs start at pages of the operating system, which are multiples of ours.
            for (number, page) in pages(offset, run).filter(|_| known.is_none()) {
                digest.u64(number);
                digest.bytes(page);
            }
            if detail.is_some() {
                seen.add(offset, run);
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
    let exports = exports(store, instance);
    digest_exports(&exports, digest);
    if let Some(detail) = detail {
        detail.dropped_elems = elems;
        detail.dropped_datas = datas;
        detail.exports = exports;
    }
}

/// Where an instance's exports stand among its entities.
fn exports(store: &impl AsContext, instance: Instance) -> Vec<(String, ExportState)> {
    let (globals, tables) = (instance.globals(store), instance.tables(store));
    let memories = instance.memories(store);
    let place = |item: Extern| match item {
        Extern::Global(global) => number_of(&globals, &global).map(ExportState::Global),
        Extern::Table(table) => number_of(&tables, &table).map(ExportState::Table),
        Extern::Memory(memory) => number_of(&memories, &memory).map(ExportState::Memory),
        Extern::Func(_) | Extern::Tag(_) => None,
    };
    instance.exports(store).into_iter().filter_map(|(name, item)| Some((name, place(item)?))).collect()
}

/// The pages of a run at `offset` but for those of zeros, by their numbers.
fn pages(offset: u64, run: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let numbered = (offset / OS_PAGE_BYTES..).zip(run.chunks(OS_PAGE_BYTES as usize));
    numbered.filter(|(_, page)| !is_zero(page))
}

fn is_zero(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<32>();
    blocks.iter().all(|block| *block == [0; 32]) && rest.iter().all(|byte| *byte == 0)
}
