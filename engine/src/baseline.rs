//! Mode `baseline`: machine code in one pass over the validated bytes.
//!
//! [`scan`] looks at a body to see which locals deserve a register; [`compiler`] walks over its opcodes, following an
//! abstract stack of [`operand`]s; a [`target`] selects and writes the instructions of a machine, [`x64`] those of
//! x86-64. `native` links the code, checks it with the help of the [`ledger`], makes it executable and runs it. [`explain`] shows what became of each
//! instruction.

mod calls;
mod compiler;
mod conditions;
mod control;
mod explain;
mod ledger;
mod memory;
mod operand;
mod registers;
mod scan;
mod stubs;
mod table;
mod target;
mod x64;

#[cfg(test)]
mod tests;

use crate::backtrace::RawFrame;
use crate::error::Error;
use crate::executor::{Code, Execution, Executor, ExplainedLine};
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};
use crate::native::arch::Arch;
use crate::native::code::{CodeMap, CodeUnit};
use crate::native::host::{self, Host};
use crate::native::lazy::LazyCode;
use crate::native::link::{Plan, call_range};
use crate::native::verify::ledger::Ledger;
use crate::native::{activation, verify};
use crate::opcode::{Memory, Opcode, Reference, Table};
use crate::store::{FuncId, StoreInner};
use compiler::Compiler;
use ledger::SinglePass;
use std::marker::PhantomData;
use std::sync::Arc;
use target::{Assembler, Target};

/// The mode.
pub(crate) struct Baseline;

impl Executor for Baseline {
    fn name(&self) -> &'static str {
        "baseline"
    }

    fn executes(&self, opcode: Opcode) -> bool {
        match opcode {
            Opcode::Control(control) => control::executes(control),
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

    fn execution(&self, opcode: Opcode) -> Execution {
        match opcode {
            Opcode::Memory(memory) => match memory {
                Memory::MemorySize => Execution::Inline,
                Memory::MemoryGrow
                | Memory::MemoryInit
                | Memory::DataDrop
                | Memory::MemoryCopy
                | Memory::MemoryFill => Execution::Helper,
            },
            Opcode::Table(table) => match table {
                Table::TableGet | Table::TableSet | Table::TableSize => Execution::Inline,
                Table::TableInit
                | Table::ElemDrop
                | Table::TableCopy
                | Table::TableGrow
                | Table::TableFill => Execution::Helper,
            },
            Opcode::Control(_)
            | Opcode::Parametric(_)
            | Opcode::Variable(_)
            | Opcode::Load(_)
            | Opcode::Store(_)
            | Opcode::Const(_)
            | Opcode::Numeric(_)
            | Opcode::Wide(_)
            | Opcode::Reference(_)
            | Opcode::Gc(_)
            | Opcode::Vector(_)
            | Opcode::VectorMemory(_)
            | Opcode::Atomic(_) => Execution::Inline,
        }
    }

    fn uses_guard_regions(&self) -> bool {
        true
    }

    fn compile(&self, module: &Arc<ModuleInner>, settings: &Settings) -> Result<Arc<dyn Code>, Error> {
        if let Some(missing) = host::missing() {
            return Err(Error::unsupported(missing));
        }
        if settings.lazy {
            return Ok(LazyCode::new(module, settings, compile_function)?);
        }
        let count = module.bodies.len() as u32;
        let unit = compile(module, settings, (0..count).map(DefinedFuncIndex))?;
        let entries = unit.map().funcs.iter().map(|func| unit.address(func.code.start).cast()).collect();
        Ok(Arc::new(EagerCode { unit, entries }))
    }

    fn explain(
        &self,
        module: &Arc<ModuleInner>,
        settings: &Settings,
        func: DefinedFuncIndex,
    ) -> Vec<ExplainedLine> {
        explain::explain::<Host>(module, settings, func)
    }

    fn call(&self, store: &mut StoreInner, func: FuncId, slots: &mut [u64]) -> Result<(), Error> {
        activation::call(store, func, slots)
    }

    fn walk(&self, _: &StoreInner, top: usize, _: usize, visit: &mut dyn FnMut(RawFrame)) {
        activation::walk(top, visit);
    }
}

/// Functions' code for a machine with everything that is known about it, not yet executable.
struct Linked<T> {
    code: Vec<u8>,
    plan: Plan,
    map: CodeMap,
    target: PhantomData<T>,
}

impl<T: Target + Arch> Linked<T> {
    /// Compiles functions together.
    fn new(
        module: &ModuleInner,
        settings: &Settings,
        funcs: impl Iterator<Item = DefinedFuncIndex>,
    ) -> Linked<T> {
        let mut compiler = Compiler::<T>::new(module, settings);
        let bytes: usize = module.bodies.iter().map(|body| body.code.len()).sum();
        /// Bytes of code that a byte of a body becomes, roughly.
        const GROWTH: usize = 6;
        compiler.asm.reserve(if settings.lazy { 0 } else { GROWTH * bytes });
        funcs.for_each(|func| compiler.function(func));
        let Compiler { asm, plan, map, .. } = compiler;
        let mut code = asm.into_bytes();
        plan.write::<T>(&mut code, &call_range::<T>(settings));
        Linked { code, plan, map, target: PhantomData }
    }

    /// Checks everything; the ledger says what the code must have.
    fn verify<L: Ledger>(&self, module: &ModuleInner, settings: &Settings) -> Result<(), String> {
        let (Linked { code, plan, map, .. }, range) = (self, call_range::<T>(settings));
        verify::verify::<T, L>(&verify::Subject { code, plan, map, range: &range, module, settings })
    }
}

/// Compiles functions together, and makes them executable.
fn compile(
    module: &ModuleInner,
    settings: &Settings,
    funcs: impl Iterator<Item = DefinedFuncIndex>,
) -> Result<Box<CodeUnit>, Error> {
    let linked = Linked::<Host>::new(module, settings, funcs);
    if !settings.unverified
        && let Err(message) = linked.verify::<SinglePass>(module, settings)
    {
        panic!("the code of a module is not what it should be: {message}");
    }
    CodeUnit::publish(&linked.code, linked.map)
}

fn compile_function(
    module: &ModuleInner,
    settings: &Settings,
    func: DefinedFuncIndex,
) -> Result<Box<CodeUnit>, Error> {
    compile(module, settings, std::iter::once(func))
}

/// A module's code, all of it compiled.
struct EagerCode {
    unit: Box<CodeUnit>,
    entries: Box<[*const ()]>,
}

// SAFETY: the addresses are of immutable code that lives as long as this.
unsafe impl Send for EagerCode {}
// SAFETY: as above.
unsafe impl Sync for EagerCode {}

impl Code for EagerCode {
    fn entry(&self, func: DefinedFuncIndex) -> *const () {
        self.entries[func.0 as usize]
    }

    fn entries(&self) -> *const *const () {
        self.entries.as_ptr()
    }

    fn code_bytes(&self) -> usize {
        self.unit.bytes()
    }

    fn machine_code(&self) -> Vec<u8> {
        self.unit.code().to_vec()
    }
}
