//! Whether a judge works at all: a handful of modules whose answers are known, before anything is judged by it.
//!
//! An engine that is given in the wrong form refuses everything or answers at random, and a campaign beside it is green
//! without evidence, or red for hours. So it is asked first. The answer to the first question must be right; what the others need an engine
//! may lack, but it must not answer them wrongly.

use crate::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crate::observe::{ActionObservation, Capture, Outcome};
use crate::run::Ground;
use crate::subject::{Subject, Task};
use crate::trial::run_task;
use crosscheck_engine::TrapKind;
use std::sync::Arc;

/// A function without parameters of a module of its own, and what calling it gives.
struct Inquiry {
    /// What it is, as a sentence goes on after "asked for".
    what: &'static str,
    /// The module, in text.
    wat: &'static str,
    args: &'static [Value],
    answer: Answer,
}

enum Answer {
    Values(&'static [Value]),
    Trap(TrapKind),
}

const EXPORT: &str = "answer";

const INQUIRIES: [Inquiry; 6] = [
    Inquiry {
        what: "a function that gives 42",
        wat: r#"(module (func (export "answer") (result i32) i32.const 42))"#,
        args: &[],
        answer: Answer::Values(&[Value::I32(42)]),
    },
    Inquiry {
        what: "the sum of 40 and -7",
        wat: r#"(module (func (export "answer") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1))))"#,
        args: &[Value::I32(40), Value::I32(-7i32 as u32)],
        answer: Answer::Values(&[Value::I32(33)]),
    },
    Inquiry {
        what: "a product of 64 bits",
        wat: r#"(module (func (export "answer") (param i64) (result i64)
            (i64.mul (local.get 0) (i64.const -3))))"#,
        args: &[Value::I64(0x1_0000_0001)],
        answer: Answer::Values(&[Value::I64(-0x3_0000_0003i64 as u64)]),
    },
    Inquiry {
        what: "what a memory holds",
        wat: r#"(module (memory 1) (data (i32.const 8) "\2a\00\01\ff")
            (func (export "answer") (result i32) (i32.load (i32.const 8))))"#,
        args: &[],
        answer: Answer::Values(&[Value::I32(0xff01_002a)]),
    },
    Inquiry {
        what: "a function that divides by zero",
        wat: r#"(module (func (export "answer") (param i32) (result i32)
            (i32.div_u (i32.const 7) (local.get 0))))"#,
        args: &[Value::I32(0)],
        answer: Answer::Trap(TrapKind::IntegerDivideByZero),
    },
    Inquiry {
        what: "a function that is not to be reached",
        wat: r#"(module (func (export "answer") (result i32) unreachable))"#,
        args: &[],
        answer: Answer::Trap(TrapKind::Unreachable),
    },
];

/// A judge that does not work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfit {
    /// Its name.
    pub judge: String,
    /// What it was asked, what it showed and what it is, in a sentence.
    pub why: String,
}

/// The judges that do not work. Fails if no worker can be had.
pub fn unfit(ground: Ground<'_>, judges: &[Arc<dyn Subject>]) -> Result<Vec<Unfit>, String> {
    let mut unfit = Vec::new();
    for judge in judges {
        if let Some(why) = fault(ground, judge)? {
            unfit.push(Unfit { judge: judge.name().to_string(), why });
        }
    }
    Ok(unfit)
}

/// What is wrong with a judge, if anything is: the first thing that shows.
fn fault(ground: Ground<'_>, judge: &Arc<dyn Subject>) -> Result<Option<String>, String> {
    for (number, inquiry) in INQUIRIES.iter().enumerate() {
        let task = Task { case: inquiry.case(), subjects: vec![judge.clone()] };
        let run = run_task(ground, &task, Capture::Digest)?;
        // The call, or that the module could not even be instantiated.
        let actions = run.observations.first().map_or(&[][..], |(_, seen)| &seen.actions);
        let fails = |action: &&ActionObservation| !matches!(action.outcome, Outcome::Values(_));
        let shown = actions.iter().find(fails).or(actions.last());
        let shown = shown.map_or(Outcome::Unsupported("nothing".into()), |action| action.outcome.clone());
        let lacks = matches!(shown, Outcome::Unsupported(_) | Outcome::Unclear(_));
        if inquiry.is_answered_by(&shown) || lacks && number > 0 {
            continue;
        }
        let Inquiry { what, answer, .. } = inquiry;
        let definition = match judge.definition() {
            name if name == judge.name() => String::new(),
            definition => format!("; it is `{definition}`"),
        };
        return Ok(Some(format!(
            "the engine `{}` does not work: asked for {what} it shows \"{}\" where \"{}\" is expected{definition}",
            judge.name(),
            shown.describe(),
            answer.describe(),
        )));
    }
    Ok(None)
}

impl Inquiry {
    fn case(&self) -> Case {
        let buffer = wast::parser::ParseBuffer::new(self.wat).expect("the text is a constant");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the text is a constant");
        let wasm = module.encode().expect("the text is a constant");
        let export = EXPORT.to_string();
        Case {
            modules: vec![CaseModule { name: "inquiry".into(), wasm }],
            hosts: HostPlan::new(0, 0),
            actions: vec![
                Action::Instantiate { module: 0 },
                Action::Invoke { module: 0, export, args: self.args.to_vec() },
            ],
            limits: Limits { fuel: Some(1000), ..Limits::default() },
        }
    }

    fn is_answered_by(&self, shown: &Outcome) -> bool {
        match (&self.answer, shown) {
            (Answer::Values(expected), Outcome::Values(values)) => values == expected,
            (Answer::Trap(kind), Outcome::Trap(trap)) => trap.kind == *kind,
            _ => false,
        }
    }
}

impl Answer {
    fn describe(&self) -> String {
        match self {
            Answer::Values(values) => Outcome::Values(values.to_vec()).describe(),
            Answer::Trap(kind) => Outcome::trap(*kind, None).describe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{Lane, LaneSubject};
    use crosscheck_engine::Mode;

    #[test]
    fn every_mode_gives_the_answers() {
        for mode in Mode::all() {
            let subject = LaneSubject::shared(Lane::plain(mode));
            assert_eq!(unfit(Ground::InProcess, &[subject]), Ok(Vec::new()));
        }
    }
}
