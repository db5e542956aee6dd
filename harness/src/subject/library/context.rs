//! A store of a library's and all that was made in it, which is deleted with it.

use super::super::trap_text::{is_about_a_switch, trap_kind};
use super::Loaded;
use super::api::{self, Api, Engine, Extern, Func, Instance, Module, Payload, Store, Trap, Val, Vector};
use super::shape::{self, SOME_FUNCTION, Shape};
use crate::case::Value;
use crate::hosts::Host;
use crate::observe::{Frame, Frames, Outcome, TableState, TrapObservation};
use std::cell::{OnceCell, RefCell, UnsafeCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What an instance exports, by name.
pub type Exported = Rc<[(String, Item)]>;

/// A function, global, table or memory, which lives as long as the store.
#[derive(Clone)]
pub struct Item {
    pub pointer: *mut Extern,
    pub kind: ItemKind,
}

/// What an item is, as far as it can be used through the interface.
#[derive(Clone)]
pub enum ItemKind {
    Func(Rc<Signature>),
    /// A global whose value crosses as it is.
    Global(Shape),
    /// A table of functions.
    FuncTable,
    Memory,
    /// Something with a state that does not cross the interface.
    Unseen,
}

/// How a function is called.
#[derive(Default)]
pub struct Signature {
    pub params: Vec<Shape>,
    pub results: Vec<Shape>,
    /// A module that stands between, for a type that the interface does not have, or what is wrong with it.
    pub adapter: Option<Result<Vec<u8>, String>>,
    /// The adapter's function, once it is made.
    pub adapted: OnceCell<*mut Extern>,
}

/// A store of the library's, and all that was made in it.
pub struct Context<'a> {
    loaded: &'a Loaded,
    engine: *mut Engine,
    pub store: *mut Store,
    host: UnsafeCell<Host>,
    /// How the trap that is on its way through the guest is to be observed, if a host function began it.
    pub pending: RefCell<Option<Outcome>>,
    /// By how much offsets in the only module are larger than those in what the library compiled; none if there are
    /// several modules, for frames do not say of which they are.
    pub shift: RefCell<Option<i64>>,
    modules: RefCell<Vec<*mut Module>>,
    instances: RefCell<Vec<(*mut Instance, Vector<*mut Extern>)>>,
    pub funcs: RefCell<Vec<*mut Func>>,
}

impl<'a> Context<'a> {
    /// An empty store.
    pub fn new(loaded: &'a Loaded, host: Host) -> Context<'a> {
        let engine = loaded.engine();
        // SAFETY: the engine is alive until the store is deleted.
        let store = unsafe { (loaded.api.wasm_store_new)(engine) };
        Context {
            loaded,
            engine,
            store,
            host: UnsafeCell::new(host),
            pending: RefCell::default(),
            shift: RefCell::default(),
            modules: RefCell::default(),
            instances: RefCell::default(),
            funcs: RefCell::default(),
        }
    }

    pub fn api(&self) -> &'a Api {
        &self.loaded.api
    }

    /// Compiles a module.
    pub fn module(&self, wasm: &[u8]) -> Result<*mut Module, Outcome> {
        let mut bytes = wasm.to_vec();
        // SAFETY: the store is alive and the bytes are only read.
        let module = unsafe { (self.api().wasm_module_new)(self.store, &Vector::over(&mut bytes)) };
        if module.is_null() {
            return Err(Outcome::Link("the library refuses the module".into()));
        }
        self.modules.borrow_mut().push(module);
        Ok(module)
    }

    /// Instantiates a module with imports in the library's order; what it exports, in the library's order.
    pub fn instance(
        &self,
        module: *mut Module,
        mut imports: Vec<*mut Extern>,
    ) -> Result<Vec<*mut Extern>, Outcome> {
        let mut trap = std::ptr::null_mut();
        // SAFETY: module, imports and store are alive and belong together.
        let instance = unsafe {
            (self.api().wasm_instance_new)(self.store, module, &Vector::over(&mut imports), &mut trap)
        };
        if instance.is_null() || !trap.is_null() {
            return Err(self.not_made(trap));
        }
        let mut exports = Vector::empty();
        // SAFETY: the vector is filled, and deleted with the store.
        let pointers = unsafe {
            (self.api().wasm_instance_exports)(instance, &mut exports);
            exports.items().to_vec()
        };
        self.instances.borrow_mut().push((instance, exports));
        Ok(pointers)
    }

    /// What a module that exports one thing exports.
    pub fn only_export(&self, wasm: &[u8], imports: Vec<*mut Extern>) -> Result<*mut Extern, Outcome> {
        let exports = self.instance(self.module(wasm)?, imports)?;
        exports.first().copied().ok_or_else(|| Outcome::Crash("the library shows no exports".to_string()))
    }

    /// The host.
    ///
    /// # Safety
    ///
    /// No other reference to it is used as long as this one.
    #[allow(clippy::mut_from_ref, reason = "host functions get it through pointers of the library's")]
    pub unsafe fn host(&self) -> &mut Host {
        // SAFETY: as the caller says.
        unsafe { &mut *self.host.get() }
    }

    /// A trap whose words do not matter: see [`Context::pending`].
    pub fn new_trap(&self) -> *mut Trap {
        let mut message = *b"host\0";
        // SAFETY: the words are read, and the trap goes to the library.
        unsafe { (self.api().wasm_trap_new)(self.store, &Vector::over(&mut message)) }
    }

    /// Calls a function.
    pub fn call(&self, item: &Item, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let ItemKind::Func(signature) = &item.kind else { unreachable!("only functions are called") };
        let args = shape::fitted(&signature.params, args);
        let vals = shape::into_guest(&args);
        let mut vals =
            vals.map_err(|value| Outcome::Unsupported(format!("the C API cannot pass {value}")))?;
        let pointer = self.callable(item.pointer, signature)?;
        let answer = Val { kind: api::I32, of: Payload { bits64: 0 } };
        let mut answers = vec![answer; shape::kinds(&signature.results, true).len()];
        // SAFETY: the item is a function, and there are as many values as it takes and gives.
        let trap = unsafe {
            let func = (self.api().wasm_extern_as_func)(pointer);
            (self.api().wasm_func_call)(func, &Vector::over(&mut vals), &mut Vector::over(&mut answers))
        };
        if !trap.is_null() {
            return Err(self.trapped(trap));
        }
        let values = shape::out_of_guest(&signature.results, &answers);
        self.delete_references(&answers);
        Ok(values)
    }

    /// The function itself, or what an adapter makes of it.
    fn callable(&self, func: *mut Extern, signature: &Signature) -> Result<*mut Extern, Outcome> {
        let wasm = match &signature.adapter {
            None => return Ok(func),
            Some(Ok(wasm)) => wasm,
            Some(Err(what)) => return Err(Outcome::Unsupported(what.clone())),
        };
        if let Some(adapted) = signature.adapted.get() {
            return Ok(*adapted);
        }
        let adapted = self.only_export(wasm, vec![func])?;
        Ok(*signature.adapted.get_or_init(|| adapted))
    }

    /// Deletes the references among values that the library gave away.
    fn delete_references(&self, vals: &[Val]) {
        for val in vals.iter().filter(|val| val.kind == api::FUNCREF) {
            // SAFETY: the kind says that it is a reference, which nothing uses any more.
            unsafe {
                if !val.of.reference.is_null() {
                    (self.api().wasm_ref_delete)(val.of.reference);
                }
            }
        }
    }

    /// How a trap is observed; it is deleted.
    fn trapped(&self, trap: *mut Trap) -> Outcome {
        let (text, frames) = (self.message(trap), self.frames(trap));
        // SAFETY: the trap is ours and not used any more.
        unsafe { (self.api().wasm_trap_delete)(trap) };
        if let Some(pending) = self.pending.take() {
            return pending;
        }
        match trap_kind(&text) {
            Some(kind) => {
                let site = frames.as_ref().and_then(|frames| frames.kept.first()?.offset);
                Outcome::Trap(TrapObservation { kind, message: None, site, frames })
            }
            None if is_about_resources(&text) => Outcome::Resources(text),
            None => Outcome::Crash(format!("a trap that is not known: {text}")),
        }
    }

    /// How an instance that was not made is observed: as a trap, if it is one, else its imports do not fit.
    fn not_made(&self, trap: *mut Trap) -> Outcome {
        if trap.is_null() {
            return Outcome::Link("the library does not instantiate the module and does not say why".into());
        }
        let text = self.message(trap);
        match (self.trapped(trap), trap_kind(&text)) {
            (Outcome::Crash(_), None) if is_about_a_switch(&text) => Outcome::Unsupported(text),
            (Outcome::Crash(_), None) => Outcome::Link(text),
            (seen, _) => seen,
        }
    }

    fn message(&self, trap: *const Trap) -> String {
        let mut message = Vector::empty();
        // SAFETY: the vector is filled, copied and deleted.
        unsafe {
            (self.api().wasm_trap_message)(trap, &mut message);
            let text = text(&message);
            (self.api().wasm_byte_vec_delete)(&mut message);
            text.trim_end_matches('\0').to_string()
        }
    }

    /// The frames of a trap, where the library shows them and they are all of one module.
    fn frames(&self, trap: *const Trap) -> Option<Frames> {
        let shift = (*self.shift.borrow())?;
        let api = self.api();
        let (Some(trace), Some(func), Some(offset), Some(delete), true) = (
            api.wasm_trap_trace,
            api.wasm_frame_func_index,
            api.wasm_frame_module_offset,
            api.wasm_frame_vec_delete,
            self.loaded.quirks.traces,
        ) else {
            return None;
        };
        let mut frames = Vector::empty();
        // SAFETY: the vector is filled, read and deleted.
        let kept: Vec<Frame> = unsafe {
            trace(trap, &mut frames);
            let read = |(number, frame): (u64, &*mut api::Frame)| {
                let (func, offset) = (func(*frame), offset(*frame) as i64 + shift);
                let offset = u32::try_from(offset).ok();
                Frame { number, function: Some((0, func)), offset, name: format!("$f{func}") }
            };
            let kept = (0..).zip(frames.items()).map(read).collect();
            delete(&mut frames);
            kept
        };
        Some(Frames { count: kept.len() as u64, hash: 0, kept })
    }

    /// What a global holds whose value crosses as it is.
    pub fn global(&self, item: &Item, shape: Shape) -> Value {
        let mut val = Val { kind: api::I32, of: Payload { bits64: 0 } };
        // SAFETY: the item is a global, and its value is of a kind that the interface has.
        unsafe {
            let global = (self.api().wasm_extern_as_global)(item.pointer);
            (self.api().wasm_global_get)(global, &mut val);
        }
        let value = shape::out_of_guest(&[shape], &[val]).pop().expect("there is a value");
        self.delete_references(&[val]);
        value
    }

    /// What a table of functions holds.
    pub fn table(&self, item: &Item) -> TableState {
        let api = self.api();
        let mut non_null = BTreeMap::new();
        // SAFETY: the item is a table of functions, indices are below its size, and references are deleted.
        let elements = unsafe {
            let table = (api.wasm_extern_as_table)(item.pointer);
            let elements = (api.wasm_table_size)(table);
            for index in 0..elements {
                let element = (api.wasm_table_get)(table, index);
                if !element.is_null() {
                    (api.wasm_ref_delete)(element);
                    non_null.insert(u64::from(index), SOME_FUNCTION);
                }
            }
            elements
        };
        TableState { elements: u64::from(elements), non_null }
    }

    /// The bytes of a memory; none if the item is something else.
    ///
    /// # Safety
    ///
    /// Nothing else uses them as long as the slice is used, and the memory does not grow.
    #[allow(clippy::mut_from_ref, reason = "the bytes are the library's")]
    pub unsafe fn memory(&self, item: &Item) -> Option<&mut [u8]> {
        if !matches!(item.kind, ItemKind::Memory) {
            return None;
        }
        // SAFETY: the item is a memory, and its bytes are where the library says; those of none may be nowhere.
        unsafe {
            let memory = (self.api().wasm_extern_as_memory)(item.pointer);
            let length = (self.api().wasm_memory_data_size)(memory);
            let data = (self.api().wasm_memory_data)(memory);
            let data = if length == 0 { std::ptr::NonNull::dangling().as_ptr() } else { data };
            Some(std::slice::from_raw_parts_mut(data, length))
        }
    }
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        let api = self.api();
        // SAFETY: everything was made in this store and is deleted once, the store after what is in it, and the
        // engine is given back after the store.
        unsafe {
            for (instance, mut exports) in self.instances.get_mut().drain(..) {
                (api.wasm_extern_vec_delete)(&mut exports);
                (api.wasm_instance_delete)(instance);
            }
            self.funcs.get_mut().drain(..).for_each(|func| (api.wasm_func_delete)(func));
            self.modules.get_mut().drain(..).for_each(|module| (api.wasm_module_delete)(module));
            (api.wasm_store_delete)(self.store);
        }
        self.loaded.give_back(self.engine);
    }
}

/// Words of engines that say that the system refused memory.
const RESOURCES: [&str; 4] = ["cannot allocate", "failed to allocate", "out of memory", "outofsystemmemory"];

fn is_about_resources(text: &str) -> bool {
    let text = text.to_lowercase();
    RESOURCES.iter().any(|words| text.contains(words))
}

/// Bytes as text.
pub fn text(bytes: &Vector<u8>) -> String {
    // SAFETY: the vector was filled by the library.
    String::from_utf8_lossy(unsafe { bytes.items() }).into_owned()
}
