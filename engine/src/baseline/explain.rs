//! Shows people what became of each instruction.

use crate::executor::ExplainedLine;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, ModuleInner};

/// The machine code of a function, line by line.
pub(super) fn explain(_: &ModuleInner, _: &Settings, _: DefinedFuncIndex) -> Vec<ExplainedLine> {
    Vec::new()
}
