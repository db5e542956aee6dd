//! `explain`: what a mode made of a module, beside the wasm.

use super::input::read_module;
use super::{Done, Exit, Failure, show};
use crate::subject::Lane;
use crate::wasm::text::wasm_lines;
use clap::Args;
use crosscheck_engine::{Engine, ExplainedLine, FuncIndex, Module};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// Options of `explain`.
#[derive(Args)]
pub struct Explain {
    /// The module, binary or text
    file: PathBuf,
    /// The mode to explain, or a lane of it (`baseline+few-registers`)
    #[arg(long, default_value = "interp")]
    mode: String,
    /// Only this function, by its index with imports counted
    #[arg(long)]
    func: Option<u32>,
    /// Also where operands and locals are, where blocks begin and end; for compiled modes
    #[arg(long)]
    state: bool,
    /// As prepared for running with fuel
    #[arg(long)]
    fuel: bool,
}

impl Explain {
    /// Prints each function: a line of wasm, and below it what the mode made of it.
    pub fn run(&self) -> Done {
        let mode: Lane = self.mode.parse().map_err(|error| Failure::Usage(format!("--mode: {error}")))?;
        let file = self.file.display();
        let wasm = read_module(&self.file)?;
        let engine = Engine::new(&mode.config().fuel(self.fuel));
        let module =
            Module::new(&engine, wasm.clone()).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
        let text = wasm_lines(&wasm).map_err(|error| Failure::Bench(format!("{file}: {error}")))?;
        let mut shown = 0;
        for (func, name, code) in module.functions() {
            if self.func.is_some_and(|wanted| FuncIndex(wanted) != func) {
                continue;
            }
            shown += 1;
            let mut lines = module.explain(func).expect("the module defines it");
            lines.retain(|line| self.state || !line.is_state);
            show(format_args!("function {} {name} in {mode}", func.0));
            beside(&text, code, &lines).iter().for_each(show);
            show("");
        }
        match self.func {
            Some(func) if shown == 0 => {
                Err(Failure::Usage(format!("{file}: the module defines no function {func}")))
            }
            _ => Ok(Exit::Green),
        }
    }
}

/// Wasm lines of `code`, each followed by the mode's lines for it.
fn beside(text: &BTreeMap<u32, String>, code: Range<u32>, lines: &[ExplainedLine]) -> Vec<String> {
    let mut of: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for line in lines {
        of.entry(line.offset).or_default().push(&line.text);
    }
    for (offset, _) in text.range(code) {
        of.entry(*offset).or_default();
    }
    let mut all = Vec::new();
    for (offset, lines) in of {
        all.push(format!("  {offset:#06x}  {}", text.get(&offset).map_or("", String::as_str)));
        all.extend(lines.into_iter().map(|line| format!("            | {line}")));
    }
    all
}
