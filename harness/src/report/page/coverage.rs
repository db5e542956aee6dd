//! Opcodes by mode as a heat map: in how many assertions of the suite, and in how many cases of the campaign, a comparison would have noticed
//! a wrong result.

use super::Story;
use crate::campaign::SAMPLE_ONE_IN;
use crate::compare::mode_of;
use crate::coverage::{Counts, Coverage};
use crate::report::chart::short;
use crate::report::html::{Cell, Html};
use crosscheck_engine::Mode;
use crosscheck_engine::opcode::Opcode;
use std::collections::BTreeMap;

/// What the section is about.
struct Subject<'a> {
    suite: &'a Coverage,
    campaign: &'a Coverage,
    /// Modes, in the order of the engine.
    modes: Vec<Mode>,
    nothing: Counts,
}

/// Whether opcodes were counted.
pub fn has_any(story: &Story<'_>) -> bool {
    let night = story.night;
    let suite = night.spec.as_ref().is_some_and(|spec| !spec.coverage.opcodes.is_empty());
    suite || night.fuzz.as_ref().is_some_and(|fuzz| fuzz.sampled > 0)
}

/// Writes the section.
pub fn write(html: &mut Html, story: &Story<'_>) {
    let nothing = Coverage::default();
    let (spec, fuzz) = (story.night.spec.as_ref(), story.night.fuzz.as_ref());
    let suite = spec.map_or(&nothing, |spec| &spec.coverage);
    let campaign = fuzz.map_or(&nothing, |fuzz| &fuzz.coverage);
    let ran = |mode: &Mode| {
        let lanes = spec.iter().flat_map(|spec| spec.lanes());
        let mut lanes = lanes.chain(fuzz.iter().flat_map(|fuzz| fuzz.modes.iter().map(String::as_str)));
        lanes.any(|lane| mode_of(lane) == mode.name())
    };
    let modes = Mode::all().filter(ran).collect();
    let subject = Subject { suite, campaign, modes, nothing: Counts::default() };
    html.simple(
        "p",
        "Suite: assertions that hold and during which the opcode was executed. Fuzz: cases on which all subjects agree \
         and during which it was executed, once a case.",
    );
    if let Some(fuzz) = fuzz {
        html.simple(
            "p",
            format!(
                "Fuzz counts a sample: {} of {} cases, one in {SAMPLE_ONE_IN}, drawn by the seed and run once more in the reference.",
                fuzz.sampled, fuzz.cases
            ),
        );
    }
    html.simple(
        "p",
        "What is executed is what the reference tells, and all modes that agree with it executed the same. A dash is \
         an opcode that the mode does not execute yet; a zero on red one that it does and that was not looked at.",
    );
    let mut proposals: BTreeMap<String, Vec<Opcode>> = BTreeMap::new();
    for opcode in Opcode::all() {
        proposals.entry(opcode.row().proposal.to_string()).or_default().push(opcode);
    }
    subject.totals(html, &proposals);
    for (proposal, opcodes) in &proposals {
        if subject.modes.iter().any(|mode| opcodes.iter().any(|opcode| mode.executes(*opcode))) {
            html.details(format!("{proposal}: {} opcodes", opcodes.len()), |html| {
                subject.heat(html, proposal, opcodes)
            });
        }
    }
}

impl Subject<'_> {
    fn columns(&self, first: &'static str) -> Vec<String> {
        let pairs = self.modes.iter().flat_map(|mode| {
            let name = mode.name();
            [format!("{name}: suite"), format!("{name}: fuzz")]
        });
        [first.to_string()].into_iter().chain(pairs).collect()
    }

    /// Figures of suite and campaign.
    fn counts(&self, opcode: Opcode) -> [&Counts; 2] {
        [self.suite, self.campaign].map(|of| of.opcodes.get(opcode.text()).unwrap_or(&self.nothing))
    }

    /// How many opcodes of each proposal were seen.
    fn totals(&self, html: &mut Html, proposals: &BTreeMap<String, Vec<Opcode>>) {
        let columns = self.columns("proposal");
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        html.table(
            "Opcodes in which a fault would be noticed, of those the mode executes",
            &columns,
            |rows| {
                for (proposal, opcodes) in proposals {
                    let mut cells = Vec::new();
                    for mode in &self.modes {
                        let executed: Vec<Opcode> =
                            opcodes.iter().copied().filter(|opcode| mode.executes(*opcode)).collect();
                        for which in 0..2 {
                            let seen = |opcode: &&Opcode| self.judged(**opcode, *mode, which) > 0;
                            let seen = executed.iter().filter(seen).count();
                            cells.push(match executed.len() {
                                0 => Cell::words("–").class("soft-number"),
                                all => Cell::number(format!("{seen} of {all}")),
                            });
                        }
                    }
                    rows.row(proposal, cells);
                }
            },
        );
    }

    fn judged(&self, opcode: Opcode, mode: Mode, which: usize) -> u64 {
        let of_mode = self.counts(opcode)[which].judged.iter();
        of_mode.filter(|(lane, _)| mode_of(lane) == mode.name()).map(|(_, count)| *count).max().unwrap_or(0)
    }

    /// A row an opcode.
    fn heat(&self, html: &mut Html, proposal: &str, opcodes: &[Opcode]) {
        let columns = self.columns("opcode");
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        html.table(&format!("Assertions and sampled cases of {proposal}"), &columns, |rows| {
            for opcode in opcodes {
                let cells = self.modes.iter().flat_map(|mode| {
                    [0, 1].map(|which| {
                        let judged = self.judged(*opcode, *mode, which);
                        let executed = self.counts(*opcode)[which].executed;
                        match (mode.executes(*opcode), judged) {
                            (false, 0) => Cell::words("–").class("none"),
                            _ => Cell::words(short(judged as f64))
                                .class(heat(judged))
                                .title(format!("{judged} of {executed} in which it is executed")),
                        }
                    })
                });
                rows.row(opcode.text(), cells);
            }
        });
    }
}

/// How warm so many are.
fn heat(count: u64) -> &'static str {
    match count {
        0 => "h0",
        1..10 => "h1",
        10..100 => "h2",
        100..1000 => "h3",
        1000.. => "h4",
    }
}
