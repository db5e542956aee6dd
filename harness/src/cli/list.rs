//! `modes` and `ops`: what there is, and what covers it.

use super::{Done, Exit, show};
use crate::subject::{self, Lane};
use clap::Args;
use crosscheck_engine::opcode::Opcode;
use crosscheck_engine::{Execution, Mode};
use std::collections::BTreeMap;

/// Prints the modes, the lane switches and the outside engines.
pub fn modes() -> Done {
    for mode in Mode::all() {
        show(format_args!("{:<14}{}", mode.name(), mode.summary()));
    }
    show("\nlane switches (MODE+SWITCH):");
    Lane::switches().for_each(|switch| show(format_args!("  {switch}")));
    show("\noutside engines (--with NAME):");
    for outside in subject::outside() {
        let there = if outside.is_built_in() { "in this build" } else { outside.needs };
        show(format_args!("  {}: {there}", outside.name));
    }
    #[cfg(unix)]
    for preset in subject::command::presets() {
        show(format_args!(
            "  {}, or LABEL=preset:{} PROGRAM: {}",
            preset.name,
            preset.name,
            preset.template()
        ));
    }
    show("  LABEL=COMMAND: any command that calls a function of a file, like 'iwasm=iwasm -f NAME FILE'");
    Ok(Exit::Green)
}

/// Options of `ops`.
#[derive(Args)]
pub struct Ops {
    /// Only opcodes that some mode does not execute
    #[arg(long)]
    missing: bool,
}

impl Ops {
    /// Prints a row an opcode: code, text, proposal, modes.
    pub fn run(&self) -> Done {
        let mut totals: BTreeMap<&'static str, usize> = BTreeMap::new();
        for opcode in Opcode::all() {
            let row = opcode.row();
            let modes: Vec<String> = Mode::all().filter_map(|mode| executed_by(mode, opcode)).collect();
            for mode in Mode::all().filter(|mode| mode.executes(opcode)) {
                *totals.entry(mode.name()).or_default() += 1;
            }
            if self.missing && modes.len() == Mode::all().count() {
                continue;
            }
            let executed = if modes.is_empty() { "no mode yet".to_string() } else { modes.join(" ") };
            let code = row.code.to_string();
            show(format_args!("{code:<12}{:<34}{:<38}{executed}", row.text, row.proposal.to_string()));
        }
        show("");
        for mode in Mode::all() {
            let executed = totals.get(mode.name()).copied().unwrap_or(0);
            show(format_args!("{}: executes {executed} of {} opcodes", mode.name(), Opcode::COUNT));
        }
        Ok(Exit::Green)
    }
}

/// A mode's name if it executes an opcode, and how its code does so if it compiles.
fn executed_by(mode: Mode, opcode: Opcode) -> Option<String> {
    Some(match mode.execution(opcode)? {
        Execution::Interpreted => mode.name().to_string(),
        Execution::Inline => format!("{}:inline", mode.name()),
        Execution::Helper => format!("{}:helper", mode.name()),
    })
}
