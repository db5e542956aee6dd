//! A linker: definitions by name, from which imports are satisfied.

use crate::error::Error;
use crate::func::{Caller, WasmValues};
use crate::handle::{Func, Val};
use crate::instance::{Extern, Instance, Module};
use crate::store::Store;
use crate::types::FuncType;
use std::collections::HashMap;
use std::marker::PhantomData;

/// Imports that an error lists.
const MISSING_TOLD: usize = 20;

/// Definitions by module and name, for stores with data `T`. A later definition replaces an earlier one.
pub struct Linker<T> {
    names: HashMap<(String, String), Extern>,
    data: PhantomData<T>,
}

impl<T> Default for Linker<T> {
    fn default() -> Linker<T> {
        Linker { names: HashMap::new(), data: PhantomData }
    }
}

impl<T: Send + 'static> Linker<T> {
    /// A linker without definitions.
    pub fn new() -> Linker<T> {
        Linker::default()
    }

    /// Defines anything.
    pub fn define(&mut self, module: &str, name: &str, item: impl Into<Extern>) -> &mut Linker<T> {
        self.names.insert((module.to_string(), name.to_string()), item.into());
        self
    }

    /// Defines a host function of any type; backtraces call it `module.name`.
    pub fn func_new(
        &mut self,
        store: &mut Store<T>,
        (module, name): (&str, &str),
        ty: FuncType,
        call: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static,
    ) -> &mut Linker<T> {
        let func = Func::new(store, &format!("{module}.{name}"), ty, call);
        self.define(module, name, func)
    }

    /// Defines a host function whose type is that of a closure; backtraces call it `module.name`.
    pub fn func_wrap<P: WasmValues, R: WasmValues>(
        &mut self,
        store: &mut Store<T>,
        (module, name): (&str, &str),
        call: impl Fn(Caller<'_, T>, P) -> Result<R, Error> + Send + Sync + 'static,
    ) -> &mut Linker<T> {
        let func = Func::wrap(store, &format!("{module}.{name}"), call);
        self.define(module, name, func)
    }

    /// Defines all exports of an instance under a module name.
    pub fn instance(&mut self, store: &Store<T>, module: &str, instance: Instance) -> &mut Linker<T> {
        for (name, item) in instance.exports(store) {
            self.define(module, &name, item);
        }
        self
    }

    /// A definition by its name.
    pub fn get(&self, module: &str, name: &str) -> Option<Extern> {
        self.names.get(&(module.to_string(), name.to_string())).copied()
    }

    /// Instantiates a module with imports from here; fails with "unknown import" and a list of those that are not
    /// defined, with their types.
    pub fn instantiate(&self, store: &mut Store<T>, module: &Module) -> Result<Instance, Error> {
        let mut imports = Vec::with_capacity(module.imports().len());
        let mut missing = Vec::new();
        for import in module.imports() {
            match self.get(&import.module, &import.name) {
                Some(item) => imports.push(item),
                None => missing.push(import),
            }
        }
        if missing.is_empty() {
            return Instance::new(store, module, &imports);
        }
        let types = store.engine().types();
        let told = missing.iter().take(MISSING_TOLD).map(|import| import.describe(types));
        let told = told.collect::<Vec<_>>().join(", ");
        let more = missing.len().saturating_sub(MISSING_TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Err(Error::Link(format!("unknown import {told}{more}")))
    }
}

macro_rules! extern_from {
    ($($kind:ident $path:path;)*) => {$(
        impl From<$path> for Extern {
            fn from(item: $path) -> Extern {
                Extern::$kind(item)
            }
        }
    )*};
}

extern_from! {
    Func Func;
    Memory crate::entities::Memory;
    Table crate::entities::Table;
    Global crate::entities::Global;
    Tag crate::handle::Tag;
}
