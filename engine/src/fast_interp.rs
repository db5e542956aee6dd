//! Scaffold of the room.
use crate::{
    backtrace::RawFrame,
    error::Error,
    executor::{Code, ExplainedLine, Executor},
    limits::Settings,
    module::{DefinedFuncIndex, ModuleInner},
    opcode::Opcode,
    store::{FuncId, StoreInner},
};
use std::sync::Arc;
pub(crate) struct FastInterp;
struct C;
impl Code for C {
    fn entry(&self, _: DefinedFuncIndex) -> *const () {
        std::ptr::null()
    }
}
impl Executor for FastInterp {
    fn name(&self) -> &'static str {
        "fast-interp"
    }
    fn executes(&self, _: Opcode) -> bool {
        false
    }
    fn compile(&self, _: &Arc<ModuleInner>, _: &Settings) -> Result<Arc<dyn Code>, Error> {
        Ok(Arc::new(C))
    }
    fn explain(&self, _: &Arc<ModuleInner>, _: &Settings, _: DefinedFuncIndex) -> Vec<ExplainedLine> { Vec::new() }
    fn call(&self, _: &mut StoreInner, _: FuncId, _: &mut [u64]) -> Result<(), Error> {
        Ok(())
    }
    fn walk(&self, _: &StoreInner, _: usize, _: usize, _: &mut dyn FnMut(RawFrame)) {}
}
