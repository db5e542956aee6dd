//! A case under way in a library.

use super::super::bounded::{Unbounded, bounded};
use super::super::embedding::{Embedding, Entity, HostFunction, Provided, ProvidedItem};
use super::super::provider::provider;
use super::super::surface::{Surface, with_start_exported};
use super::Loaded;
use super::api::{self, Api, EXTERN_FUNC, EXTERN_GLOBAL, EXTERN_MEMORY, EXTERN_TABLE, Module, Vector};
use super::context::{Context, Exported, Item, ItemKind, Signature, text};
use super::host::{Env, call_host, drop_env};
use super::shape::{self, Shape, are_plain, is_function};
use crate::case::{Limits, Value};
use crate::hosts::Host;
use crate::observe::{MemoryState, Outcome};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;
use wasmparser::{ExternalKind, Parser, TypeRef, WasmFeatures};

/// Number of the section of function bodies.
const CODE_SECTION: u8 = 10;

/// A module that the library has compiled.
pub struct Compiled {
    pointer: *mut Module,
    /// What stands at the border of the module that it was compiled from.
    surface: Surface,
    /// Which import of the module each one is that the library asks for, in the library's order.
    order: Vec<usize>,
    /// Whether the start function is exported, to be called from here.
    exports_start: bool,
    /// What the instance to come exports, for the host functions that it imports.
    caller: Rc<OnceCell<Exported>>,
}

/// A store of the library's for a case.
pub struct LibraryStore<'a> {
    /// In a box: host functions point to it.
    context: Box<Context<'a>>,
    limits: Limits,
    features: WasmFeatures,
    /// Modules compiled so far.
    compiled: usize,
}

impl<'a> LibraryStore<'a> {
    /// An empty store. `features` is what the library executes.
    pub fn new(loaded: &'a Loaded, limits: Limits, host: Host, features: WasmFeatures) -> LibraryStore<'a> {
        LibraryStore { context: Box::new(Context::new(loaded, host)), limits, features, compiled: 0 }
    }

    fn api(&self) -> &'a Api {
        self.context.api()
    }

    /// The module with the limits of the case as its own.
    fn bounded<'w>(&self, wasm: &'w [u8]) -> Result<Cow<'w, [u8]>, Outcome> {
        bounded(wasm, &self.limits).map_err(|error| match error {
            Unbounded::TooLarge(what) => Outcome::Limit(what),
            Unbounded::Unreadable(what) => unreadable(what),
        })
    }

    /// Names of a module's exports, in the order in which instances have them.
    fn export_names(&self, module: *mut Module) -> Vec<String> {
        let api = self.api();
        let mut exports = Vector::empty();
        // SAFETY: the vector is filled and then deleted, and names are copied before.
        unsafe {
            (api.wasm_module_exports)(module, &mut exports);
            let names = exports.items().iter().map(|export| text(&*(api.wasm_exporttype_name)(*export)));
            let names = names.collect();
            (api.wasm_exporttype_vec_delete)(&mut exports);
            names
        }
    }

    /// Which import of ours each one is that the library asks for. Several may have one name, and are told by their kind.
    fn import_order(
        &self,
        module: *mut Module,
        names: &[(String, String)],
        surface: &Surface,
    ) -> Option<Vec<usize>> {
        let api = self.api();
        let mut imports = Vector::empty();
        // SAFETY: the vector is filled and then deleted, and what is needed of it is copied before.
        let asked: Vec<(String, String, u8)> = unsafe {
            (api.wasm_module_imports)(module, &mut imports);
            let read = |import: &*mut api::ImportType| {
                let kind = (api.wasm_externtype_kind)((api.wasm_importtype_type)(*import));
                let module = text(&*(api.wasm_importtype_module)(*import));
                (module, text(&*(api.wasm_importtype_name)(*import)), kind)
            };
            let asked = imports.items().iter().map(read).collect();
            (api.wasm_importtype_vec_delete)(&mut imports);
            asked
        };
        let mut used = vec![false; names.len()];
        let find = |(module, name, kind): (String, String, u8)| {
            let is_it = |number: &usize| {
                let named = &names[*number];
                !used[*number]
                    && (&named.0, &named.1) == (&module, &name)
                    && extern_kind(&surface.imports[*number]) == Some(kind)
            };
            let found = (0..names.len()).find(is_it)?;
            used[found] = true;
            Some(found)
        };
        asked.into_iter().map(find).collect()
    }

    /// A host function of the type of an import.
    fn host_function(&self, module: &Compiled, import: u32, function: HostFunction) -> Result<Item, Outcome> {
        let (TypeRef::Func(ty) | TypeRef::FuncExact(ty)) = module.surface.imports[import as usize] else {
            unreachable!("the import is a function")
        };
        let signature = signature(&module.surface, ty, shape::host);
        let context: *const Context<'static> = (&raw const *self.context).cast();
        let (params, results) = (signature.params.clone(), signature.results.clone());
        let env = Env { context, function, params, results, caller: module.caller.clone() };
        let api = self.api();
        // SAFETY: the types go to the function type, the function type is deleted, the environment goes to the
        // function, which ends it with the store, and the context outlives the store.
        let (func, pointer) = unsafe {
            let mut params = types(api, &shape::kinds(&signature.params, true));
            let mut results = types(api, &shape::kinds(&signature.results, false));
            let ty = (api.wasm_functype_new)(&mut params, &mut results);
            let env = Box::into_raw(Box::new(env)).cast();
            let func = (api.wasm_func_new_with_env)(self.context.store, ty, call_host, env, Some(drop_env));
            (api.wasm_functype_delete)(ty);
            (func, (api.wasm_func_as_extern)(func))
        };
        self.context.funcs.borrow_mut().push(func);
        let pointer = match &signature.adapter {
            None => pointer,
            Some(Ok(wasm)) => self.context.only_export(wasm, vec![pointer])?,
            Some(Err(what)) => return Err(Outcome::Unsupported(what.clone())),
        };
        // Nothing calls it but guests, and what they export again has a kind of its own.
        Ok(Item { pointer, kind: ItemKind::Unseen })
    }
}

impl LibraryStore<'_> {
    /// Compiles bytes that may be a module, without anything done to them before.
    pub fn compile_as_it_is(&self, wasm: &[u8]) -> Result<(), Outcome> {
        self.context.module(wasm).map(drop)
    }
}

impl Embedding for LibraryStore<'_> {
    type Module = Compiled;
    type Instance = Exported;
    type Item = Item;

    fn features(&self) -> WasmFeatures {
        self.features
    }

    fn names_callers(&self) -> bool {
        false
    }

    fn begin_action(&mut self) {
        self.context.pending.replace(None);
    }

    fn compile(&mut self, wasm: &[u8]) -> Result<Compiled, Outcome> {
        let surface = Surface::of(wasm).map_err(|error| unreadable(error.to_string()))?;
        if let Some(what) = beyond_the_interface(&surface) {
            return Err(Outcome::Unsupported(format!("the C API has no {what}")));
        }
        let rewritten = self.bounded(wasm)?;
        // A start function that may call the host is called once the instance can be seen from there.
        let start = surface.start.filter(|_| !surface.imported_funcs.is_empty());
        let exported = start.map(|start| with_start_exported(&rewritten, &surface, start));
        let exported = exported.transpose().map_err(|error| unreadable(error.to_string()))?;
        let sent = exported.as_ref().map_or(&*rewritten, |(wasm, _)| wasm);
        let pointer = self.context.module(sent)?;
        self.compiled += 1;
        self.context.shift.replace((self.compiled == 1).then(|| code_start(wasm) - code_start(sent)));
        let order = match surface.imports.is_empty() {
            true => Some(Vec::new()),
            false => self.import_order(pointer, &import_names(wasm), &surface),
        };
        let order = order.ok_or_else(|| {
            Outcome::Crash("the library lists imports that the module does not have".to_string())
        })?;
        Ok(Compiled { pointer, surface, order, exports_start: exported.is_some(), caller: Rc::default() })
    }

    /// What is no function is made by a module: the interface has no 64-bit sizes and few types.
    fn provide(&mut self, module: &Compiled, provided: Provided) -> Result<Item, Outcome> {
        let value = match provided.item {
            ProvidedItem::Func(_, function) => return self.host_function(module, provided.index, function),
            ProvidedItem::Global(_, value) => Some(value),
            ProvidedItem::Memory(_) | ProvidedItem::Table(_) => None,
        };
        let wasm = provider(&module.surface, &[(provided.index, value)]).map_err(Outcome::Unsupported)?;
        let pointer = self.context.only_export(&self.bounded(&wasm)?, Vec::new())?;
        // Nothing looks at what the host provides but through what an instance exports.
        Ok(Item { pointer, kind: ItemKind::Unseen })
    }

    fn instantiate(&mut self, module: &Compiled, imports: Vec<Item>) -> Result<Exported, Outcome> {
        let imports = module.order.iter().map(|number| imports[*number].pointer).collect();
        let pointers = self.context.instance(module.pointer, imports)?;
        let names = self.export_names(module.pointer);
        let surface = &module.surface;
        let mut items = Vec::with_capacity(names.len());
        let mut start = None;
        for (name, pointer) in names.into_iter().zip(pointers) {
            match surface.exports.iter().find(|export| export.name == name) {
                Some(export) => {
                    let kind = item_kind(surface, export.kind, export.index);
                    items.push((name, Item { pointer, kind }));
                }
                None => start = Some(Item { pointer, kind: ItemKind::Func(Rc::default()) }),
            }
        }
        let exported: Exported = items.into();
        // A compiled module is instantiated once.
        let _ = module.caller.set(exported.clone());
        if module.exports_start {
            let start =
                start.ok_or_else(|| Outcome::Crash("the library does not show an export".to_string()))?;
            self.context.call(&start, &[])?;
        }
        Ok(exported)
    }

    fn export(&mut self, instance: &Exported, name: &str) -> Option<Item> {
        instance.iter().find(|(export, _)| export == name).map(|(_, item)| item.clone())
    }

    fn call(&mut self, function: &Item, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        self.context.call(function, args)
    }

    fn look(&mut self, item: &Item) -> Entity {
        match &item.kind {
            ItemKind::Func(_) => Entity::Func,
            ItemKind::Global(shape) => Entity::Global(self.context.global(item, *shape)),
            ItemKind::FuncTable => Entity::Table(self.context.table(item)),
            ItemKind::Memory => {
                // SAFETY: no guest runs while the state is looked at.
                let bytes = unsafe { self.context.memory(item) }.expect("a memory has bytes");
                let mut seen = MemoryState::new(bytes.len() as u64);
                seen.add(0, bytes);
                Entity::Memory(seen)
            }
            ItemKind::Unseen => Entity::Unseen,
        }
    }

    fn host(&mut self) -> &mut Host {
        // SAFETY: no guest runs, so no host function holds a reference to it.
        unsafe { self.context.host() }
    }
}

fn unreadable(what: String) -> Outcome {
    Outcome::Unsupported(format!("the module cannot be rewritten: {what}"))
}

/// How a function of a type is used, by way of an adapter if its type does not cross.
fn signature(surface: &Surface, ty: u32, adapter: fn(&Surface, u32) -> Result<Vec<u8>, String>) -> Signature {
    let signature = surface.types[ty as usize].as_ref().expect("functions have function types");
    let (params, results) =
        (Shape::all(surface, signature.params()), Shape::all(surface, signature.results()));
    let adapter = (!are_plain(params.iter().chain(&results))).then(|| adapter(surface, ty));
    Signature { params, results, adapter, adapted: OnceCell::new() }
}

/// What an export is.
fn item_kind(surface: &Surface, kind: ExternalKind, index: u32) -> ItemKind {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => {
            ItemKind::Func(Rc::new(signature(surface, surface.funcs[index as usize], shape::caller)))
        }
        ExternalKind::Global => match surface.globals[index as usize].content_type {
            // References to functions of one type are as any others when they are looked at.
            wasmparser::ValType::Ref(ty) if is_function(surface, ty) => {
                ItemKind::Global(Shape::Plain(api::FUNCREF))
            }
            ty => match Shape::of(surface, ty) {
                Shape::Plain(kind) => ItemKind::Global(Shape::Plain(kind)),
                Shape::Reference(_) | Shape::Vector => ItemKind::Unseen,
            },
        },
        ExternalKind::Table => {
            let is_seen = is_function(surface, surface.tables[index as usize].ty.element_type);
            if is_seen { ItemKind::FuncTable } else { ItemKind::Unseen }
        }
        ExternalKind::Memory => ItemKind::Memory,
        ExternalKind::Tag => ItemKind::Unseen,
    }
}

/// What of a module's border the interface has no word for.
fn beyond_the_interface(surface: &Surface) -> Option<&'static str> {
    let has_tags = surface.exports_of(ExternalKind::Tag).next().is_some()
        || surface.imports.iter().any(|import| matches!(import, TypeRef::Tag(_)));
    let shared = |index: usize| surface.memories[index].ty.shared;
    let shares = surface.exports_of(ExternalKind::Memory).any(|export| shared(export.index as usize))
        || surface.memories.iter().any(|memory| memory.import.is_some() && memory.ty.shared);
    match (has_tags, shares) {
        (true, _) => Some("tags"),
        (false, true) => Some("shared memories"),
        (false, false) => None,
    }
}

fn extern_kind(ty: &TypeRef) -> Option<u8> {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => Some(EXTERN_FUNC),
        TypeRef::Global(_) => Some(EXTERN_GLOBAL),
        TypeRef::Table(_) => Some(EXTERN_TABLE),
        TypeRef::Memory(_) => Some(EXTERN_MEMORY),
        TypeRef::Tag(_) => None,
    }
}

/// A vector of value types that the library owns.
///
/// # Safety
///
/// The vector goes to something that takes it over.
unsafe fn types(api: &Api, kinds: &[u8]) -> Vector<*mut api::ValType> {
    let mut vector = Vector::empty();
    // SAFETY: the types are copied into a vector that the library makes.
    unsafe {
        let types: Vec<_> = kinds.iter().map(|kind| (api.wasm_valtype_new)(*kind)).collect();
        (api.wasm_valtype_vec_new)(&mut vector, types.len(), types.as_ptr());
    }
    vector
}

/// Module and name of each import, in order.
fn import_names(wasm: &[u8]) -> Vec<(String, String)> {
    let sections = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    let imports = sections.filter_map(|payload| match payload {
        wasmparser::Payload::ImportSection(section) => Some(section),
        _ => None,
    });
    let named = |import: wasmparser::Import<'_>| (import.module.to_string(), import.name.to_string());
    imports.flat_map(|section| section.into_imports().map_while(Result::ok).map(named)).collect()
}

/// The offset at which a module's code section begins; 0 if it has none.
fn code_start(wasm: &[u8]) -> i64 {
    let mut sections = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    sections
        .find_map(|payload| payload.as_section().filter(|(id, _)| *id == CODE_SECTION))
        .map(|(_, range)| range.start as i64)
        .unwrap_or(0)
}
