//! Code that is compiled when it is first called.
//!
//! Every function begins as a stub that jumps to the compiler with the function's number. Callers go
//! through a table of entries, in which the stub is replaced once there is something better.

use super::arch::Arch;
use super::code::{CodeMap, CodeUnit};
use super::host::Host;
use crate::error::Error;
use crate::executor::Code;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

/// How a mode compiles one function.
pub(crate) type CompileFunction = fn(&ModuleInner, &Settings, DefinedFuncIndex) -> Compiled;

/// What became of a function when it was first called.
type Compiled = Result<Box<CodeUnit>, Error>;

/// A module's code as far as it has been called.
pub(crate) struct LazyCode {
    stubs: Box<CodeUnit>,
    /// What callers go through.
    entries: Box<[AtomicPtr<()>]>,
    units: Box<[OnceLock<Compiled>]>,
    settings: Settings,
    compile: CompileFunction,
}

impl LazyCode {
    /// Stubs for all functions of a module.
    pub fn new(
        module: &ModuleInner,
        settings: &Settings,
        compile: CompileFunction,
    ) -> Result<Arc<LazyCode>, Error> {
        let (code, starts) = Host::lazy_stubs(module.bodies.len() as u32);
        let stubs = CodeUnit::publish(&code, CodeMap::default())?;
        let entry = |start: &u32| AtomicPtr::new(stubs.address(*start).cast_mut().cast());
        let entries = starts.iter().map(entry).collect();
        let units = starts.iter().map(|_| OnceLock::new()).collect();
        Ok(Arc::new(LazyCode { stubs, entries, units, settings: *settings, compile }))
    }
}

impl Code for LazyCode {
    fn entry(&self, func: DefinedFuncIndex) -> *const () {
        self.entries[func.0 as usize].load(Ordering::Acquire)
    }

    fn compile_now(&self, module: &Arc<ModuleInner>, func: DefinedFuncIndex) -> Result<*const (), Error> {
        let unit = self.units[func.0 as usize].get_or_init(|| (self.compile)(module, &self.settings, func));
        let unit = unit.as_ref().map_err(Clone::clone)?;
        let entry: *const () = unit.address(0).cast();
        self.entries[func.0 as usize].store(entry.cast_mut(), Ordering::Release);
        Ok(entry)
    }

    fn entries(&self) -> *const *const () {
        self.entries.as_ptr().cast()
    }

    fn code_bytes(&self) -> usize {
        let compiled = self.units.iter().filter_map(|unit| unit.get()?.as_ref().ok());
        self.stubs.bytes() + compiled.map(|unit| unit.bytes()).sum::<usize>()
    }

    fn machine_code(&self) -> Vec<u8> {
        let compiled = self.units.iter().filter_map(|unit| unit.get()?.as_ref().ok());
        let parts = std::iter::once(&self.stubs).chain(compiled);
        parts.flat_map(|unit| unit.code()).copied().collect()
    }
}
