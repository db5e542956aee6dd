//! The one trait through which the floor calls a mode.

use crate::backtrace::RawFrame;
use crate::error::Error;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::opcode::Opcode;
use crate::store::{FuncId, StoreInner};
use std::any::Any;
use std::sync::Arc;

/// A line of what a mode made of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExplainedLine {
    /// File offset of the opcode it belongs to.
    pub offset: u32,
    /// The line, in the mode's own notation.
    pub text: String,
    /// Whether it is not code but says where values are when the opcode begins.
    pub is_state: bool,
}

/// How a mode executes an opcode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Execution {
    /// It interprets it.
    Interpreted,
    /// Its compiler writes the whole of it into the code.
    Inline,
    /// Its code calls a function of the runtime for it.
    Helper,
}

/// How one mode prepares and runs code.
pub(crate) trait Executor: Send + Sync {
    /// The mode's name, as people type it.
    fn name(&self) -> &'static str;

    /// Whether the mode executes an opcode.
    fn executes(&self, opcode: Opcode) -> bool;

    /// How it executes an opcode that it executes.
    fn execution(&self, _: Opcode) -> Execution {
        Execution::Interpreted
    }

    /// Whether its code relies on faults to check the bounds of memories.
    fn uses_guard_regions(&self) -> bool {
        false
    }

    /// Prepares a module, all of whose opcodes the mode executes.
    fn compile(&self, module: &Arc<ModuleInner>, settings: &Settings) -> Result<Arc<dyn Code>, Error>;

    /// What the mode makes of a function, in the order of the function's code.
    fn explain(
        &self,
        module: &Arc<ModuleInner>,
        settings: &Settings,
        func: DefinedFuncIndex,
    ) -> Vec<ExplainedLine>;

    /// Calls a wasm function. `slots` holds the arguments from its start, and the results when the
    /// call returns. On failure the trap is already located.
    ///
    /// The store has pushed a guest activation; the executor keeps it up to date with
    /// [`StoreInner::leave`] before anything else may look at the stack.
    fn call(&self, store: &mut StoreInner, func: FuncId, slots: &mut [u64]) -> Result<(), Error>;

    /// Visits the frames of an activation, innermost first. `top` is what the executor last passed to
    /// [`StoreInner::leave`]; `base` is where its part of the stack begins.
    fn walk(&self, store: &StoreInner, top: usize, base: usize, visit: &mut dyn FnMut(RawFrame));
}

/// What a mode made of a module.
pub(crate) trait Code: Any + Send + Sync {
    /// What calls of a function in this mode start from: private to the mode, alive as long as the code.
    fn entry(&self, func: DefinedFuncIndex) -> *const ();

    /// Compiles a function that was left for its first call, and gives its entry; for modes that do so.
    fn compile_now(&self, _: &Arc<ModuleInner>, _: DefinedFuncIndex) -> Result<*const (), Error> {
        unreachable!("the mode leaves nothing for later")
    }

    /// Bytes of machine code so far; 0 for modes that make none.
    fn code_bytes(&self) -> usize {
        0
    }

    /// The machine code so far; nothing for modes that make none.
    fn machine_code(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Where the native code of each function begins, for modes that compile to it; else null.
    fn entries(&self) -> *const *const () {
        std::ptr::null()
    }
}
