//! Mode `fast-interp`: a register interpreter over code that is lowered once.
//!
//! In the order of a function's life: [`lower`] turns a body into register code ([`code`]), looking up
//! handlers in [`tables`]; [`dispatch`] gets from one instruction to the next; the [`handlers`] are the
//! instructions; [`context`] is what an activation keeps beside registers, and where the frames of a
//! backtrace are found. [`listing`] shows the code of a function to people.
//!
//! What makes it fast: locals and constants are operands, not instructions; results stay in an
//! accumulator for the next instruction and go straight into locals; comparisons are part of branches;
//! arguments lie where the callee's frame begins; handlers jump to one another.

mod code;
mod context;
mod dispatch;
mod handlers;
mod listing;
mod lower;
mod tables;

#[cfg(test)]
mod tests;

use crate::backtrace::RawFrame;
use crate::error::Error;
use crate::executor::{Code, Executor, ExplainedLine};
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::opcode::{Control, Opcode, Reference};
use crate::store::{FuncId, FuncKind, StoreInner};
use context::Context;
use handlers::call::first_call;
use std::sync::Arc;

/// The mode.
pub(crate) struct FastInterp;

impl Executor for FastInterp {
    fn name(&self) -> &'static str {
        "fast-interp"
    }

    fn executes(&self, opcode: Opcode) -> bool {
        match opcode {
            Opcode::Control(control) => executes_control(control),
            Opcode::Reference(reference) => match reference {
                Reference::RefNull | Reference::RefIsNull | Reference::RefFunc | Reference::RefAsNonNull => {
                    true
                }
                Reference::RefEq => false,
            },
            Opcode::Parametric(_)
            | Opcode::Variable(_)
            | Opcode::Table(_)
            | Opcode::Load(_)
            | Opcode::Store(_)
            | Opcode::Memory(_)
            | Opcode::Const(_)
            | Opcode::Numeric(_)
            | Opcode::Wide(_) => true,
            Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => false,
        }
    }

    fn compile(&self, module: &Arc<ModuleInner>, settings: &Settings) -> Result<Arc<dyn Code>, Error> {
        Ok(Arc::new(lower::lower_module(module, settings)))
    }

    fn explain(
        &self,
        module: &Arc<ModuleInner>,
        settings: &Settings,
        func: DefinedFuncIndex,
    ) -> Vec<ExplainedLine> {
        let (words, listing) = lower::list_function(module, settings, func);
        let layout = &module.body(func).layout;
        listing::describe(&words, &listing, layout.params().slots, layout.locals().slots)
    }

    fn call(&self, store: &mut StoreInner, func: FuncId, slots: &mut [u64]) -> Result<(), Error> {
        let record = store.func(func);
        let FuncKind::Wasm { instance, entry, .. } = record.kind else {
            unreachable!("the store calls host functions itself")
        };
        let (params, results) = (record.func_type.param_slots(), record.func_type.result_slots());
        let base = store.stack_top();
        let mut context = Context::new(store, instance)?;
        // SAFETY: the stack is as long as the budget allows frames to be, and free from `base` on.
        let fp = unsafe { context.stack.add(base) };
        // SAFETY: the frame has room for arguments and results, and `slots` is as long as either.
        unsafe { fp.copy_from_nonoverlapping(slots.as_ptr(), params as usize) };
        // SAFETY: the entry is that of the function, which belongs to the context's instance.
        if let Some(machine) = unsafe { first_call(&mut context, entry.0.cast(), fp) } {
            // SAFETY: the machine stands at the function's first instruction.
            unsafe { dispatch::start(machine) };
        }
        context.hand_over();
        context.outcome?;
        // SAFETY: as above; the results lie where the frame began.
        unsafe { fp.copy_to_nonoverlapping(slots.as_mut_ptr(), results as usize) };
        Ok(())
    }

    fn walk(&self, store: &StoreInner, top: usize, _: usize, visit: &mut dyn FnMut(RawFrame)) {
        // SAFETY: what this mode passes to `leave` is the address of the activation's context, which
        // lives until the activation is over.
        let context = unsafe { &*std::ptr::with_exposed_provenance::<Context>(top) };
        context.walk(store, visit);
    }
}

fn executes_control(opcode: Control) -> bool {
    match opcode {
        Control::Unreachable
        | Control::Nop
        | Control::Block
        | Control::Loop
        | Control::If
        | Control::Else
        | Control::End
        | Control::Br
        | Control::BrIf
        | Control::BrTable
        | Control::Return
        | Control::Call
        | Control::CallIndirect
        | Control::CallRef
        | Control::ReturnCall
        | Control::ReturnCallIndirect
        | Control::ReturnCallRef
        | Control::BrOnNull
        | Control::BrOnNonNull => true,
        Control::TryTable
        | Control::Throw
        | Control::ThrowRef
        | Control::BrOnCast
        | Control::BrOnCastFail => false,
    }
}
