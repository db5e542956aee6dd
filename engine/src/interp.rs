//! In-place interpreter: executes the module's own bytes, with a side table for its branches.
//!
//! The literal, obvious mode, to be held beside the specification: one handler an opcode, operands on
//! a stack of slots, immediates decoded where they stand. What it shares with the other modes is the floor
//! alone: numeric meanings, the store, fuel segments and frame costs.
//!
//! In the order to read: [`side_table`] is made when a module is prepared (`check` proves it right in debug
//! builds, `describe` shows it to people); `frame` says how calls lie on the stack; `machine` is the running
//! state; `dispatch` goes from opcode to handler; `control`, `simple`, `numeric` and `bulk` are the handlers.

mod bulk;
mod check;
mod control;
mod describe;
mod dispatch;
mod frame;
mod machine;
mod numeric;
mod side_table;
mod simple;

#[cfg(test)]
mod tests;

use crate::backtrace::RawFrame;
use crate::error::Error;
use crate::executor::{Code, Executor, ExplainedLine};
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::opcode::Opcode;
use crate::store::{FuncId, FuncKind, StoreInner};
use dispatch::Table;
use frame::{Frame, FuncCode};
use machine::{Machine, NoTrace, Return, StoreTrace, Trace};
use side_table::{Builder, Entry};
use std::any::Any;
use std::sync::{Arc, OnceLock};

/// The mode.
pub(crate) struct Interp;

/// What the mode makes of a module: where its functions lie in its bytes, and their side tables.
struct ModuleCode {
    /// Holds the bytes that are executed.
    module: Arc<ModuleInner>,
    fuel: bool,
    imported_funcs: u32,
    funcs: Box<[FuncCode]>,
    /// The side tables of all functions, one after the other.
    entries: Box<[Entry]>,
}

impl Executor for Interp {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn executes(&self, opcode: Opcode) -> bool {
        dispatch::handler_of::<NoTrace, false>(opcode).is_some()
    }

    fn compile(&self, module: &Arc<ModuleInner>, settings: &Settings) -> Result<Arc<dyn Code>, Error> {
        let code = ModuleCode::new(module.clone(), settings.fuel);
        if cfg!(debug_assertions) {
            code.check().unwrap_or_else(|fault| panic!("the side table is wrong: {fault}"));
        }
        Ok(Arc::new(code))
    }

    fn explain(
        &self,
        module: &Arc<ModuleInner>,
        settings: &Settings,
        func: DefinedFuncIndex,
    ) -> Vec<ExplainedLine> {
        ModuleCode::new(module.clone(), settings.fuel).describe(func)
    }

    fn call(&self, store: &mut StoreInner, func: FuncId, slots: &mut [u64]) -> Result<(), Error> {
        static QUIET: Tables<NoTrace> = Tables::new();
        static TRACED: Tables<StoreTrace> = Tables::new();
        match store.trace.clone().map(StoreTrace) {
            None => QUIET.call(store, func, slots, &mut NoTrace),
            Some(mut trace) => TRACED.call(store, func, slots, &mut trace),
        }
    }

    fn walk(&self, _: &StoreInner, top: usize, _: usize, visit: &mut dyn FnMut(RawFrame)) {
        let top: *const Frame = std::ptr::with_exposed_provenance(top);
        // SAFETY: the machine leaves with its innermost frame, or null.
        unsafe { frame::walk(top, visit) };
    }
}

/// The dispatch tables of a kind of trace, made when they are first needed.
struct Tables<T: Trace> {
    without_fuel: OnceLock<Table<T, false>>,
    with_fuel: OnceLock<Table<T, true>>,
}

impl<T: Trace> Tables<T> {
    const fn new() -> Tables<T> {
        Tables { without_fuel: OnceLock::new(), with_fuel: OnceLock::new() }
    }

    /// Calls a function by the table that fits the store.
    fn call(
        &self,
        store: &mut StoreInner,
        func: FuncId,
        slots: &mut [u64],
        trace: &mut T,
    ) -> Result<(), Error> {
        let is_metered = store.engine.settings().fuel;
        #[cfg(feature = "planted-faults")]
        if let Some(drawn) = crate::faults::drawn_in(crate::faults::Room::Interp) {
            return match is_metered {
                true => call(store, func, slots, &Table::<T, true>::with_wrong(drawn.opcode), trace),
                false => call(store, func, slots, &Table::<T, false>::with_wrong(drawn.opcode), trace),
            };
        }
        match is_metered {
            true => call(store, func, slots, self.with_fuel.get_or_init(Table::new), trace),
            false => call(store, func, slots, self.without_fuel.get_or_init(Table::new), trace),
        }
    }
}

/// Calls a function whose arguments are in `slots`, which is where its results go.
fn call<T: Trace, const FUEL: bool>(
    store: &mut StoreInner,
    func: FuncId,
    slots: &mut [u64],
    table: &Table<T, FUEL>,
    trace: &mut T,
) -> Result<(), Error> {
    let stack = store.stack_base()?;
    let FuncKind::Wasm { instance, entry, .. } = store.func(func).kind else {
        unreachable!("the store calls host functions itself")
    };
    let entry: *const FuncCode = entry.0.cast();
    // SAFETY: the instance holds its code.
    let callee = unsafe { &*entry };
    // SAFETY: the stack has room for the arguments of the deepest call, and above its top is nothing.
    let fp = unsafe {
        let fp = stack.add(store.stack_top());
        fp.copy_from_nonoverlapping(slots.as_ptr(), callee.param_slots as usize);
        fp
    };
    let mut machine = Machine::new(table, store, trace, instance, stack);
    match machine.enter(callee, instance, fp, Return::OUT) {
        Ok(start) => dispatch::run(&mut machine, start),
        Err(stop) => _ = machine.stop(stop, callee.start),
    }
    machine.outcome?;
    let results = &mut slots[..callee.result_slots as usize];
    // SAFETY: a function returns its results where its arguments were.
    unsafe { fp.copy_to_nonoverlapping(results.as_mut_ptr(), results.len()) };
    Ok(())
}

impl ModuleCode {
    fn new(module: Arc<ModuleInner>, fuel: bool) -> ModuleCode {
        let mut builder = Builder::new(&module, fuel);
        let index = |position: usize| module.func_index(DefinedFuncIndex(position as u32));
        let bodies = || module.bodies.iter().enumerate();
        let first_entries: Vec<usize> = bodies().map(|(i, body)| builder.add(index(i), body)).collect();
        let entries = builder.finish();
        let funcs = bodies().map(|(i, body)| {
            let results = module.func_type(index(i)).result_slots();
            FuncCode::new(index(i), body, results, &module.bytes, &entries[first_entries[i]..])
        });
        let funcs = funcs.collect();
        ModuleCode { imported_funcs: module.imported_funcs, funcs, module, fuel, entries }
    }

    /// This mode's part of a code, which must be its own.
    fn of(code: &dyn Code) -> &ModuleCode {
        let code: &dyn Any = code;
        code.downcast_ref().expect("all functions of a store belong to its mode")
    }

    /// A function that the module defines, by its index; `None` for an import.
    #[inline(always)]
    fn defined(&self, index: u32) -> Option<*const FuncCode> {
        let position = index.checked_sub(self.imported_funcs)?;
        Some(&self.funcs[position as usize])
    }

    /// The side table of a function.
    fn table_of(&self, func: DefinedFuncIndex) -> &[Entry] {
        let first = |position: usize| match self.funcs.get(position) {
            Some(func) => (func.table.addr() - self.entries.as_ptr().addr()) / size_of::<Entry>(),
            None => self.entries.len(),
        };
        &self.entries[first(func.0 as usize)..first(func.0 as usize + 1)]
    }
}

impl Code for ModuleCode {
    fn entry(&self, func: DefinedFuncIndex) -> *const () {
        std::ptr::from_ref(&self.funcs[func.0 as usize]).cast()
    }
}
