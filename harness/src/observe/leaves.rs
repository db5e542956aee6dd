//! An observation leaf by leaf, each with the field that it is of.
//!
//! What two observations differ in is asked here by the bench's check of itself, which must not trust `compare`. All
//! structures are taken apart without `..`, so a field that is added to one of them does not compile until it stands
//! here; and a [`Field`] that stands here without a lie about it fails that check.

use super::{
    ActionObservation, ExportState, Frame, Frames, HostCall, HostCalls, InstanceState, MemoryState,
    ObjectState, Observation, Outcome, State, TableState, TrapObservation, TypeIdentity,
};
use crate::case::{FuncIdentity, RefValue, TagIdentity, Value};
use crate::digest::Digest;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// Makes the enumeration, and the list of all that is in it.
macro_rules! fields {
    ($($name:ident)*) => {
        /// A field of an observation, a variant of one of its enumerations, or the length of one of its lists.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[allow(missing_docs, reason = "each is named after what it is in the structures that `leaves` takes apart")]
        pub enum Field { $($name),* }

        impl Field {
            /// Every field.
            pub const ALL: &[Field] = &[$(Field::$name),*];
        }
    };
}

fields! {
    Actions FuelLeft StateDigest
    Values Trap Exception Link Usage Limit Unsupported Unclear Resources Crash Hang
    ResultCount Result PayloadCount Payload Message
    TrapKind TrapMessage TrapSite TrapFrames
    FrameCount FrameHash FramesKept FrameNumber FrameInstance FrameFunction FrameOffset FrameName
    HostCallCount HostCallDigest HostCallsSpelledOut HostImport HostArgCount HostArg HostRefuses HostResultCount
    HostResult NoteCount Note
    Instances Modules ModuleInstance Objects
    GlobalCount Global TableCount TableSize TableElement MemoryCount MemorySize MemoryPage
    DroppedElem DroppedData ExportCount ExportName ExportKind ExportNumber
    ObjectKind ObjectType ObjectTag FieldCount StructField ElementCount ArrayElement ThrownCount Thrown
    I32 I64 F32 F64 V128 NullKind Extern FunctionInstance Function HostFunction I31 ReferenceKind Reference
    TypeInstance TypeIndex TagInstance TagIndex HostTag
}

impl Field {
    /// Whether it is a digest of others.
    pub fn is_digest(self) -> bool {
        matches!(self, Field::StateDigest | Field::HostCallDigest | Field::FrameHash)
    }
}

/// A leaf: the field that it is of, and what stands there.
type Leaf = (Field, String);

/// The leaves of an observation, by path.
#[derive(Default)]
struct Leaves {
    path: String,
    leaves: BTreeMap<String, Leaf>,
}

/// The fields in which two observations differ. What is there on one side only is not counted: the length of its list,
/// or the variant that has it, differs.
pub fn differing(left: &Observation, right: &Observation) -> BTreeSet<Field> {
    let (left, right) = (leaves(left), leaves(right));
    let both = left.iter().filter_map(|(path, leaf)| Some((leaf, right.get(path)?)));
    both.filter(|(left, right)| left != right).flat_map(|(left, right)| [left.0, right.0]).collect()
}

fn leaves(observation: &Observation) -> BTreeMap<String, Leaf> {
    let mut leaves = Leaves::default();
    let Observation { actions } = observation;
    leaves.list("action", Field::Actions, actions, Leaves::action);
    leaves.leaves
}

impl Leaves {
    fn leaf(&mut self, name: &str, field: Field, shown: impl fmt::Debug) {
        self.leaves.insert(format!("{}/{name}", self.path), (field, format!("{shown:?}")));
    }

    /// What stands below a name.
    fn below(&mut self, name: &str, visit: impl FnOnce(&mut Leaves)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(name);
        visit(self);
        self.path.truncate(length);
    }

    fn list<T>(&mut self, name: &str, count: Field, items: &[T], visit: impl Fn(&mut Leaves, &T)) {
        self.leaf(&format!("{name}s"), count, items.len());
        for (number, item) in items.iter().enumerate() {
            self.below(&format!("{name}{number}"), |leaves| visit(leaves, item));
        }
    }

    fn values(&mut self, name: &str, count: Field, item: Field, values: &[Value]) {
        self.list(name, count, values, |leaves, value| leaves.value(item, value));
    }

    fn action(&mut self, action: &ActionObservation) {
        let ActionObservation { outcome, fuel_left, host_calls, state_digest, state } = action;
        self.leaf("fuel", Field::FuelLeft, fuel_left);
        self.leaf("digest", Field::StateDigest, state_digest);
        self.outcome(outcome);
        self.host_calls(host_calls);
        // Whether the state is spelled out was asked for: it is nothing that a subject shows.
        if let Some(state) = state {
            self.state(state);
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        let mut ended = |field, message: Option<&String>| {
            self.leaf("outcome", field, field);
            if let Some(message) = message {
                self.leaf("message", Field::Message, message);
            }
        };
        match outcome {
            Outcome::Values(values) => {
                ended(Field::Values, None);
                self.values("result", Field::ResultCount, Field::Result, values);
            }
            Outcome::Trap(trap) => {
                ended(Field::Trap, None);
                self.trap(trap);
            }
            Outcome::Exception { tag, payload } => {
                ended(Field::Exception, None);
                self.tag(*tag);
                self.values("payload", Field::PayloadCount, Field::Payload, payload);
            }
            Outcome::Link(message) => ended(Field::Link, Some(message)),
            Outcome::Usage(message) => ended(Field::Usage, Some(message)),
            Outcome::Limit(message) => ended(Field::Limit, Some(message)),
            Outcome::Unsupported(message) => ended(Field::Unsupported, Some(message)),
            Outcome::Unclear(message) => ended(Field::Unclear, Some(message)),
            Outcome::Resources(message) => ended(Field::Resources, Some(message)),
            Outcome::Crash(message) => ended(Field::Crash, Some(message)),
            Outcome::Hang(message) => ended(Field::Hang, Some(message)),
        }
    }

    fn trap(&mut self, trap: &TrapObservation) {
        let TrapObservation { kind, message, site, frames } = trap;
        self.leaf("kind", Field::TrapKind, kind);
        self.leaf("message", Field::TrapMessage, message);
        self.leaf("site", Field::TrapSite, site);
        self.leaf("has frames", Field::TrapFrames, frames.is_some());
        let Some(Frames { count, hash, kept }) = frames else { return };
        self.leaf("count", Field::FrameCount, count);
        self.leaf("hash", Field::FrameHash, hash);
        self.list("frame", Field::FramesKept, kept, |leaves, frame| {
            let Frame { number, function, offset, name } = frame;
            leaves.leaf("number", Field::FrameNumber, number);
            leaves.leaf("instance", Field::FrameInstance, function.map(|(instance, _)| instance));
            leaves.leaf("function", Field::FrameFunction, function.map(|(_, function)| function));
            leaves.leaf("offset", Field::FrameOffset, offset);
            leaves.leaf("name", Field::FrameName, name);
        });
    }

    fn host_calls(&mut self, calls: &HostCalls) {
        let HostCalls { count, digest, first } = calls;
        self.leaf("calls", Field::HostCallCount, count);
        self.leaf("digest of calls", Field::HostCallDigest, digest);
        self.list("host call", Field::HostCallsSpelledOut, first, |leaves, call| {
            let HostCall { import, args, results, notes } = call;
            leaves.leaf("import", Field::HostImport, import);
            leaves.values("arg", Field::HostArgCount, Field::HostArg, args);
            leaves.leaf("refuses", Field::HostRefuses, results.is_none());
            let results = results.as_deref().unwrap_or_default();
            leaves.values("result", Field::HostResultCount, Field::HostResult, results);
            leaves.list("note", Field::NoteCount, notes, |leaves, note| leaves.leaf("", Field::Note, note));
        });
    }

    fn state(&mut self, state: &State) {
        let State { instances, modules, gc } = state;
        self.list("instance", Field::Instances, instances, Leaves::instance);
        self.list("module", Field::Modules, modules, |leaves, instance| {
            leaves.leaf("", Field::ModuleInstance, instance);
        });
        self.list("object", Field::Objects, gc, Leaves::object);
    }

    fn instance(&mut self, instance: &InstanceState) {
        let InstanceState { globals, tables, memories, dropped_elems, dropped_datas, exports } = instance;
        self.values("global", Field::GlobalCount, Field::Global, globals);
        self.list("table", Field::TableCount, tables, |leaves, table| {
            let TableState { elements, non_null } = table;
            leaves.leaf("size", Field::TableSize, elements);
            leaves.leaf("elements", Field::TableElement, non_null.keys());
            for (index, value) in non_null {
                leaves.below(&format!("element{index}"), |leaves| leaves.value(Field::TableElement, value));
            }
        });
        self.list("memory", Field::MemoryCount, memories, |leaves, memory| {
            let MemoryState { bytes, pages } = memory;
            leaves.leaf("size", Field::MemorySize, bytes);
            leaves.leaf("pages", Field::MemoryPage, pages.keys());
            for (number, page) in pages {
                let mut digest = Digest::default();
                digest.bytes(page);
                leaves.leaf(&format!("page{number}"), Field::MemoryPage, digest.finish());
            }
        });
        // These are sets: what is in one and not in the other is one lie.
        self.leaf("dropped elems", Field::DroppedElem, dropped_elems);
        self.leaf("dropped datas", Field::DroppedData, dropped_datas);
        self.list("export", Field::ExportCount, exports, |leaves, (name, export)| {
            leaves.leaf("name", Field::ExportName, name);
            let (kind, number) = match export {
                ExportState::Global(number) => ("global", Some(number)),
                ExportState::Table(number) => ("table", Some(number)),
                ExportState::Memory(number) => ("memory", Some(number)),
                ExportState::Unseen => ("unseen", None),
            };
            leaves.leaf("kind", Field::ExportKind, kind);
            leaves.leaf("number", Field::ExportNumber, number);
        });
    }

    fn object(&mut self, object: &ObjectState) {
        self.leaf("kind", Field::ObjectKind, object.kind());
        match object {
            ObjectState::Struct { ty, fields } => {
                self.ty(*ty);
                self.values("field", Field::FieldCount, Field::StructField, fields);
            }
            ObjectState::Array { ty, elements } => {
                self.ty(*ty);
                self.values("element", Field::ElementCount, Field::ArrayElement, elements);
            }
            ObjectState::Exception { tag, payload } => {
                self.leaf("tag of object", Field::ObjectTag, tag);
                self.tag(*tag);
                self.values("thrown", Field::ThrownCount, Field::Thrown, payload);
            }
        }
    }

    fn ty(&mut self, ty: TypeIdentity) {
        let TypeIdentity { instance, index } = ty;
        self.leaf("type", Field::ObjectType, ty);
        self.leaf("instance of type", Field::TypeInstance, instance);
        self.leaf("index of type", Field::TypeIndex, index);
    }

    fn tag(&mut self, tag: TagIdentity) {
        match tag {
            TagIdentity::Wasm { instance, tag } => {
                self.leaf("instance of tag", Field::TagInstance, instance);
                self.leaf("index of tag", Field::TagIndex, tag);
            }
            TagIdentity::Host(number) => self.leaf("tag of host", Field::HostTag, number),
        }
    }

    fn value(&mut self, field: Field, value: &Value) {
        self.leaf("", field, value);
        match value {
            Value::I32(bits) => self.leaf("i32", Field::I32, bits),
            Value::I64(bits) => self.leaf("i64", Field::I64, bits),
            Value::F32(bits) => self.leaf("f32", Field::F32, bits),
            Value::F64(bits) => self.leaf("f64", Field::F64, bits),
            Value::V128(bits) => self.leaf("v128", Field::V128, bits),
            Value::Ref(RefValue::Null(kind)) => self.leaf("null", Field::NullKind, kind),
            Value::Ref(RefValue::Extern(number)) => self.leaf("extern", Field::Extern, number),
            Value::Ref(RefValue::Func(FuncIdentity::Wasm { instance, func })) => {
                self.leaf("instance of function", Field::FunctionInstance, instance);
                self.leaf("function", Field::Function, func);
            }
            Value::Ref(RefValue::Func(FuncIdentity::Host(number))) => {
                self.leaf("function of host", Field::HostFunction, number);
            }
            Value::Ref(RefValue::I31(bits)) => self.leaf("i31", Field::I31, bits),
            Value::Ref(RefValue::Other { kind, number }) => {
                self.leaf("kind of reference", Field::ReferenceKind, kind);
                self.leaf("reference", Field::Reference, number);
            }
        }
    }
}
