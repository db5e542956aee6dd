//! Instances: making one from a module and its imports, and looking at what it consists of.
//!
//! Instantiation follows the order of the specification (section 4.7, "Modules"): imports are
//! matched, entities allocated, segments written one after the other, the start function called.
//! What a failing instantiation wrote stays written, and the half-made instance stays in the store.

use crate::engine::Engine;
use crate::entities::{Global, Memory, Table, add_memory, add_table};
use crate::error::Error;
use crate::executor::{Code, ExplainedLine};
use crate::faults::fault;
use crate::handle::{Func, Stored, Tag};
use crate::module::{
    ConstExpr, ConstOp, DefinedFuncIndex, ElemItems, ExternKind, ExternType, FuncIndex, Import, ModuleInner,
    SegmentMode,
};
use crate::store::{
    AsContext, AsContextMut, Entry, FuncId, FuncKind, FuncRecord, GlobalEntity, InstanceEntity, InstanceId,
    InstanceLinks, StoreInner,
};
use crate::trap::TrapKind;
use crate::types::{FuncType, MemoryType, TableType};
use crate::val::{NULL_SLOT, func_slot};
use std::ops::Range;
use std::sync::Arc;

/// A valid module, prepared for an engine. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    pub(crate) inner: Arc<ModuleInner>,
    pub(crate) code: Arc<dyn Code>,
    engine: Engine,
}

impl Module {
    /// What modules may contain, to the validator: WebAssembly 3.0, threads, wide arithmetic and custom page sizes.
    pub const FEATURES: wasmparser::WasmFeatures = crate::module::FEATURES;

    /// Decodes, validates and prepares a module.
    ///
    /// Fails with the offset of what is wrong ([`Error::Invalid`]), or if the engine's mode does not
    /// execute something the module contains ([`Error::Unsupported`]).
    pub fn new(engine: &Engine, bytes: impl Into<Arc<[u8]>>) -> Result<Module, Error> {
        Module::decode(engine, bytes)?.prepare(engine)
    }

    /// Decodes and validates, so that several sibling engines can prepare the same module.
    pub fn decode(engine: &Engine, bytes: impl Into<Arc<[u8]>>) -> Result<DecodedModule, Error> {
        Ok(DecodedModule {
            inner: Arc::new(ModuleInner::decode(bytes.into(), engine.types())?),
            engine: engine.clone(),
        })
    }

    /// What it needs.
    pub fn imports(&self) -> &[Import] {
        &self.inner.imports
    }

    /// What it offers.
    pub fn exports(&self) -> impl Iterator<Item = (&str, ExternType)> {
        exports(&self.inner)
    }

    /// The functions it defines, with their names and the file offsets of their code.
    pub fn functions(&self) -> impl Iterator<Item = (FuncIndex, String, Range<u32>)> {
        (0..self.inner.bodies.len() as u32).map(|index| {
            let func = self.inner.func_index(DefinedFuncIndex(index));
            let code = self.inner.body(DefinedFuncIndex(index)).code.clone();
            (func, self.inner.func_name(func.0), code)
        })
    }

    /// Bytes of machine code that it has become so far; 0 in modes that make none.
    pub fn code_bytes(&self) -> usize {
        self.code.code_bytes()
    }

    /// The machine code that it has become so far; nothing in modes that make none. The same module in the
    /// same lane becomes the same bytes in every process.
    pub fn machine_code(&self) -> Vec<u8> {
        self.code.machine_code()
    }

    /// What the engine's mode makes of a function; `None` for imports and beyond the last function.
    pub fn explain(&self, func: FuncIndex) -> Option<Vec<ExplainedLine>> {
        let defined =
            self.inner.defined(func).filter(|defined| (defined.0 as usize) < self.inner.bodies.len())?;
        Some(self.engine.executor().explain(&self.inner, self.engine.settings(), defined))
    }
}

/// A valid module that no mode has prepared yet.
#[derive(Clone)]
pub struct DecodedModule {
    inner: Arc<ModuleInner>,
    engine: Engine,
}

impl DecodedModule {
    /// Prepares it for an engine, which must be a sibling of the one that decoded it.
    ///
    /// Fails with [`Error::Unsupported`] if the mode does not execute something it contains.
    pub fn prepare(&self, engine: &Engine) -> Result<Module, Error> {
        assert!(engine.is_sibling(&self.engine), "a module is prepared for engines that share its types");
        let executor = engine.executor();
        if let Some(opcode) = self.inner.opcodes.iter().find(|opcode| !executor.executes(*opcode)) {
            let place = self.inner.first_place_of(opcode);
            return Err(Error::unsupported_opcode(executor.name(), opcode, place));
        }
        if let Some(place) = self.inner.vectors.as_ref().filter(|_| !self.inner.bodies.is_empty()) {
            return Err(Error::unsupported(format!("vector values, as in {place} (simd),")));
        }
        if self.inner.memories.iter().any(|memory| memory.shared) {
            return Err(Error::unsupported("shared memories (threads)"));
        }
        let code = executor.compile(&self.inner, engine.settings())?;
        Ok(Module { inner: self.inner.clone(), code, engine: engine.clone() })
    }

    /// What it needs.
    pub fn imports(&self) -> &[Import] {
        &self.inner.imports
    }

    /// What it offers.
    pub fn exports(&self) -> impl Iterator<Item = (&str, ExternType)> {
        exports(&self.inner)
    }

    /// The opcodes it contains.
    pub fn opcodes(&self) -> &crate::module::OpcodeSet {
        &self.inner.opcodes
    }

    /// The function type of a function import or export, by its canonical id.
    pub fn func_type(&self, id: crate::types::TypeId) -> Arc<FuncType> {
        self.engine.types().func_type(id).expect("functions have function types")
    }
}

fn exports(module: &ModuleInner) -> impl Iterator<Item = (&str, ExternType)> {
    module.exports.iter().map(|export| {
        let index = export.index as usize;
        let ty = match export.kind {
            ExternKind::Func => ExternType::Func(module.types[module.funcs[index] as usize]),
            ExternKind::Table => ExternType::Table(module.tables[index].ty),
            ExternKind::Memory => ExternType::Memory(module.memories[index]),
            ExternKind::Global => ExternType::Global(module.global_types[index]),
            ExternKind::Tag => ExternType::Tag(module.tags[index]),
        };
        (export.name.as_str(), ty)
    })
}

/// Something that modules import and export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
    /// A tag.
    Tag(Tag),
}

impl Extern {
    /// The function, if it is one.
    pub fn func(self) -> Option<Func> {
        if let Extern::Func(func) = self { Some(func) } else { None }
    }

    /// The memory, if it is one.
    pub fn memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The table, if it is one.
    pub fn table(self) -> Option<Table> {
        if let Extern::Table(table) = self { Some(table) } else { None }
    }

    /// The global, if it is one.
    pub fn global(self) -> Option<Global> {
        if let Extern::Global(global) = self { Some(global) } else { None }
    }
}

/// An instance of a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Instance {
    stored: Stored,
}

impl Instance {
    /// Instantiates a module with its imports in order.
    ///
    /// Fails if an import does not fit ([`Error::Link`]; nothing has happened then), by a limit, or with
    /// the trap of a segment or of the start function.
    pub fn new(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance, Error> {
        let store = store.context_mut().0;
        assert!(module.engine.same(&store.engine), "a module is instantiated in a store of its engine");
        check_imports(store, &module.inner, imports)?;
        let id = allocate(store, module, imports)?;
        write_elems(store, id)?;
        write_datas(store, id)?;
        if let Some(start) = module.inner.start {
            let start = store.instance(id).funcs[start as usize];
            store.invoke(start, &mut [])?;
        }
        Ok(Instance { stored: store.stored(id.0) })
    }

    /// All instances of a store in order of instantiation, those that failed half-way included.
    pub fn all(store: impl AsContext) -> Vec<Instance> {
        let store = store.context().0;
        (0..store.instances.len() as u32).map(|index| Instance { stored: store.stored(index) }).collect()
    }

    /// An export by its name.
    pub fn export(&self, store: impl AsContext, name: &str) -> Option<Extern> {
        let store = store.context().0;
        export(store, self.id(store), name)
    }

    /// An exported function by its name.
    pub fn func(&self, store: impl AsContext, name: &str) -> Option<Func> {
        self.export(store, name)?.func()
    }

    /// All exports in order.
    pub fn exports(&self, store: impl AsContext) -> Vec<(String, Extern)> {
        let store = store.context().0;
        let entity = store.instance(self.id(store));
        let exports = entity.module.exports.iter();
        exports
            .map(|export| (export.name.clone(), external(store, entity, export.kind, export.index)))
            .collect()
    }

    /// All its memories, imported and internal ones included.
    pub fn memories(&self, store: impl AsContext) -> Vec<Memory> {
        let store = store.context().0;
        let memories = store.instance(self.id(store)).memories.iter();
        memories.map(|index| Memory { stored: store.stored(*index) }).collect()
    }

    /// All its tables, imported and internal ones included.
    pub fn tables(&self, store: impl AsContext) -> Vec<Table> {
        let store = store.context().0;
        let tables = store.instance(self.id(store)).tables.iter();
        tables.map(|index| Table { stored: store.stored(*index) }).collect()
    }

    /// All its globals, imported and internal ones included.
    pub fn globals(&self, store: impl AsContext) -> Vec<Global> {
        let store = store.context().0;
        let globals = store.instance(self.id(store)).globals.iter();
        globals.map(|index| Global { stored: store.stored(*index) }).collect()
    }

    /// Which element segments are dropped.
    pub fn dropped_elems(&self, store: impl AsContext) -> Vec<bool> {
        let store = store.context().0;
        store.instance(self.id(store)).dropped_elems.to_vec()
    }

    /// Which data segments are dropped.
    pub fn dropped_datas(&self, store: impl AsContext) -> Vec<bool> {
        let store = store.context().0;
        store.instance(self.id(store)).dropped_datas.to_vec()
    }

    fn id(&self, store: &StoreInner) -> InstanceId {
        InstanceId(store.own(self.stored))
    }
}

pub(crate) fn export(store: &StoreInner, id: InstanceId, name: &str) -> Option<Extern> {
    let entity = store.instance(id);
    let export = entity.module.exports.iter().find(|export| export.name == name)?;
    Some(external(store, entity, export.kind, export.index))
}

fn external(store: &StoreInner, entity: &InstanceEntity, kind: ExternKind, index: u32) -> Extern {
    let index = index as usize;
    match kind {
        ExternKind::Func => Extern::Func(store.func_handle(entity.funcs[index])),
        ExternKind::Table => Extern::Table(Table { stored: store.stored(entity.tables[index]) }),
        ExternKind::Memory => Extern::Memory(Memory { stored: store.stored(entity.memories[index]) }),
        ExternKind::Global => Extern::Global(Global { stored: store.stored(entity.globals[index]) }),
        ExternKind::Tag => Extern::Tag(Tag { stored: store.stored(entity.tags[index]) }),
    }
}

fn check_imports(store: &StoreInner, module: &ModuleInner, imports: &[Extern]) -> Result<(), Error> {
    if imports.len() != module.imports.len() {
        let (given, wanted) = (imports.len(), module.imports.len());
        return Err(Error::Link(format!("{given} imports given where the module has {wanted}")));
    }
    for (import, given) in module.imports.iter().zip(imports) {
        if !import_fits(store, &import.ty, given) {
            let wanted = import.describe(store.engine.types());
            let given = type_of(store, given).describe(store.engine.types());
            return Err(Error::Link(format!("incompatible import type for {wanted}: given is {given}")));
        }
    }
    Ok(())
}

/// The type of something given, with the size that it has now.
fn type_of(store: &StoreInner, given: &Extern) -> ExternType {
    match given {
        Extern::Func(func) => ExternType::Func(store.func(FuncId(store.own(func.stored))).ty),
        Extern::Table(table) => {
            let table = &store.tables[store.own(table.stored) as usize];
            ExternType::Table(TableType { minimum: table.elements.len() as u64, ..table.ty })
        }
        Extern::Memory(memory) => {
            let memory = &store.memories[store.own(memory.stored) as usize];
            ExternType::Memory(MemoryType { minimum: memory.pages(), ..memory.ty })
        }
        Extern::Global(global) => ExternType::Global(store.globals[store.own(global.stored) as usize].ty),
        Extern::Tag(tag) => ExternType::Tag(store.tags[store.own(tag.stored) as usize]),
    }
}

/// Whether what is given matches what is asked for (specification, section 4.5.3, "External Types").
fn import_fits(store: &StoreInner, wanted: &ExternType, given: &Extern) -> bool {
    let types = store.engine.types();
    // A limit is matched if what exists is at least as large and can grow no further.
    let limits = |size: u64, maximum: Option<u64>, minimum: u64, bound: Option<u64>| {
        (size >= minimum || fault!("store-import-minimum-ignored"))
            && bound.is_none_or(|bound| maximum.is_some_and(|maximum| maximum <= bound))
    };
    match (wanted, given) {
        (ExternType::Func(wanted), Extern::Func(func)) => {
            types.is_subtype(store.func(FuncId(store.own(func.stored))).ty, *wanted)
        }
        (ExternType::Table(wanted), Extern::Table(table)) => {
            let table = &store.tables[store.own(table.stored) as usize];
            table.ty.element == wanted.element
                && table.ty.is_64 == wanted.is_64
                && limits(table.elements.len() as u64, table.ty.maximum, wanted.minimum, wanted.maximum)
        }
        (ExternType::Memory(wanted), Extern::Memory(memory)) => {
            let memory = &store.memories[store.own(memory.stored) as usize];
            memory.ty.is_64 == wanted.is_64
                && memory.ty.shared == wanted.shared
                && memory.ty.page_size_log2 == wanted.page_size_log2
                && limits(memory.pages(), memory.ty.maximum, wanted.minimum, wanted.maximum)
        }
        (ExternType::Global(wanted), Extern::Global(global)) => {
            let ty = store.globals[store.own(global.stored) as usize].ty;
            ty.mutable == wanted.mutable
                && if ty.mutable {
                    ty.content == wanted.content
                } else {
                    types.matches(ty.content, wanted.content)
                }
        }
        (ExternType::Tag(wanted), Extern::Tag(tag)) => store.tags[store.own(tag.stored) as usize] == *wanted,
        _ => false,
    }
}

fn allocate(store: &mut StoreInner, module: &Module, imports: &[Extern]) -> Result<InstanceId, Error> {
    store.check_entities(store.instances.len(), "instances")?;
    let inner = &module.inner;
    let id = InstanceId(store.instances.len() as u32);
    let (mut funcs, mut tables, mut memories, mut globals, mut tags) =
        (vec![], vec![], vec![], vec![], vec![]);
    for import in imports {
        match import {
            Extern::Func(func) => funcs.push(FuncId(store.own(func.stored))),
            Extern::Table(table) => tables.push(store.own(table.stored)),
            Extern::Memory(memory) => memories.push(store.own(memory.stored)),
            Extern::Global(global) => globals.push(store.own(global.stored)),
            Extern::Tag(tag) => tags.push(store.own(tag.stored)),
        }
    }
    // Memories first: they are what can fail, and before anything else of the instance exists.
    for ty in &inner.memories[inner.imported_memories as usize..] {
        memories.push(add_memory(store, *ty)?);
    }
    for defined in 0..inner.bodies.len() as u32 {
        let func = DefinedFuncIndex(defined);
        let type_index = inner.funcs[inner.func_index(func).0 as usize];
        funcs.push(store.add_func(FuncRecord {
            ty: inner.types[type_index as usize],
            func_type: inner.func_type_at(type_index).clone(),
            kind: FuncKind::Wasm { instance: id, func, entry: Entry(module.code.entry(func)) },
        }));
    }
    for ty in &inner.tags[inner.imported_tags as usize..] {
        store.tags.push(*ty);
        tags.push(store.tags.len() as u32 - 1);
    }
    for decl in &inner.globals {
        let value = evaluate(store, &decl.init, &Scope::Making { funcs: &funcs, globals: &globals })?;
        store.globals.push(GlobalEntity { ty: decl.ty, value: Box::new(value) });
        globals.push(store.globals.len() as u32 - 1);
    }
    for decl in &inner.tables[inner.imported_tables as usize..] {
        let init = match &decl.init {
            Some(expr) => evaluate(store, expr, &Scope::Making { funcs: &funcs, globals: &globals })?[0],
            None => NULL_SLOT,
        };
        tables.push(add_table(store, decl.ty, init)?);
    }
    let scope = Scope::Making { funcs: &funcs, globals: &globals };
    let elems = inner.elems.iter().map(|segment| match &segment.items {
        ElemItems::Functions(items) => {
            Ok(items.iter().map(|func| func_slot(funcs[*func as usize])).collect())
        }
        ElemItems::Expressions(items) => {
            items.iter().map(|expr| Ok(evaluate(store, expr, &scope)?[0])).collect()
        }
    });
    let elems = elems.collect::<Result<_, Error>>()?;
    let links = InstanceLinks {
        memories: memories.iter().map(|memory| store.memories[*memory as usize].link()).collect(),
        tables: tables.iter().map(|table| &raw const *store.tables[*table as usize].link).collect(),
        globals: globals
            .iter()
            .map(|global| (&raw mut *store.globals[*global as usize].value).cast())
            .collect(),
    };
    store.instances.push(Box::new(InstanceEntity {
        module: inner.clone(),
        code: module.code.clone(),
        funcs: funcs.into(),
        tables: tables.into(),
        memories: memories.into(),
        globals: globals.into(),
        tags: tags.into(),
        elems,
        dropped_elems: vec![false; inner.elems.len()].into(),
        dropped_datas: vec![false; inner.datas.len()].into(),
        links,
    }));
    Ok(id)
}

/// What the indices of a constant expression mean.
enum Scope<'a> {
    /// The functions and the globals so far of an instance that is being made.
    Making { funcs: &'a [FuncId], globals: &'a [u32] },
    /// The functions and the globals of an instance of the store.
    Made(InstanceId),
}

impl Scope<'_> {
    fn func(&self, store: &StoreInner, index: u32) -> FuncId {
        match self {
            Scope::Making { funcs, .. } => funcs[index as usize],
            Scope::Made(id) => store.instance(*id).funcs[index as usize],
        }
    }

    fn global(&self, store: &StoreInner, index: u32) -> [u64; 2] {
        let global = match self {
            Scope::Making { globals, .. } => globals[index as usize],
            Scope::Made(id) => store.instance(*id).globals[index as usize],
        };
        *store.globals[global as usize].value
    }
}

/// The value of a constant expression. It may change the store and fail, as an expression that makes objects does,
/// once a mode executes those.
fn evaluate(store: &mut StoreInner, expr: &ConstExpr, scope: &Scope<'_>) -> Result<[u64; 2], Error> {
    let mut stack: Vec<[u64; 2]> = Vec::with_capacity(2);
    for op in &expr.ops {
        let mut binary = |f: fn(u64, u64) -> u64| {
            let right = stack.pop().expect("validation keeps the stack deep enough");
            let left = stack.pop().expect("validation keeps the stack deep enough");
            [f(left[0], right[0]), 0]
        };
        let value = match op {
            ConstOp::Slot(slot) => [*slot, 0],
            ConstOp::Vector(bits) => [*bits as u64, (bits >> 64) as u64],
            ConstOp::Null => [NULL_SLOT, 0],
            ConstOp::GlobalGet(index) => scope.global(store, *index),
            ConstOp::RefFunc(index) => [func_slot(scope.func(store, *index)), 0],
            ConstOp::I32Add => binary(|a, b| u64::from((a as u32).wrapping_add(b as u32))),
            ConstOp::I32Sub => binary(|a, b| u64::from((a as u32).wrapping_sub(b as u32))),
            ConstOp::I32Mul => binary(|a, b| u64::from((a as u32).wrapping_mul(b as u32))),
            ConstOp::I64Add => binary(u64::wrapping_add),
            ConstOp::I64Sub => binary(u64::wrapping_sub),
            ConstOp::I64Mul => binary(u64::wrapping_mul),
            ConstOp::Unsupported => unreachable!("modules with opcodes that no mode executes are refused"),
        };
        stack.push(value);
    }
    Ok(stack.pop().expect("validation leaves one value"))
}

/// Where an active segment goes: an unsigned number of the target's address type.
fn offset(store: &mut StoreInner, id: InstanceId, expr: &ConstExpr) -> Result<u64, Error> {
    Ok(evaluate(store, expr, &Scope::Made(id))?[0])
}

fn write_elems(store: &mut StoreInner, id: InstanceId) -> Result<(), Error> {
    let module = store.instance(id).module.clone();
    for (index, segment) in module.elems.iter().enumerate() {
        match &segment.mode {
            SegmentMode::Passive => continue,
            SegmentMode::Declared => {}
            SegmentMode::Active { target, offset: expr } => {
                let start = offset(store, id, expr)?;
                let entity = &store.instances[id.0 as usize];
                let items = &entity.elems[index];
                let table = &mut store.tables[entity.tables[*target as usize] as usize];
                let end =
                    start.checked_add(items.len() as u64).filter(|end| *end <= table.elements.len() as u64);
                let Some(end) = end else {
                    return Err(store.trap(TrapKind::TableOutOfBounds, segment.offset));
                };
                let target = &mut table.elements[start as usize..end as usize];
                target.copy_from_slice(items);
                if fault!("store-element-segment-is-reversed") {
                    target.reverse();
                }
            }
        }
        drop_elem(store, id, index as u32);
    }
    Ok(())
}

fn write_datas(store: &mut StoreInner, id: InstanceId) -> Result<(), Error> {
    let module = store.instance(id).module.clone();
    for (index, segment) in module.datas.iter().enumerate() {
        let SegmentMode::Active { target, offset: expr } = &segment.mode else { continue };
        let start = offset(store, id, expr)?;
        let mut bytes = &module.bytes[segment.bytes.start as usize..segment.bytes.end as usize];
        if fault!("store-data-segment-loses-its-last-byte") {
            bytes = &bytes[..bytes.len().saturating_sub(1)];
        }
        let memory = store.instance(id).memories[*target as usize];
        if store.memories[memory as usize].write(start, bytes).is_none() {
            return Err(store.trap(TrapKind::MemoryOutOfBounds, segment.offset));
        }
        store.instances[id.0 as usize].dropped_datas[index] = true;
    }
    Ok(())
}

/// Drops an element segment: it is empty from now on.
pub(crate) fn drop_elem(store: &mut StoreInner, id: InstanceId, index: u32) {
    let entity = &mut store.instances[id.0 as usize];
    entity.elems[index as usize] = Vec::new();
    entity.dropped_elems[index as usize] = true;
}

/// Whether a function's canonical type is, or is declared a subtype of, another.
///
/// Never inlined: the lock inside would cost the dispatch handlers that call this their tail calls.
#[inline(never)]
pub(crate) fn func_matches(store: &StoreInner, func: FuncId, wanted: crate::types::TypeId) -> bool {
    let ty = store.func(func).ty;
    ty == wanted || store.engine.types().is_subtype(ty, wanted)
}
