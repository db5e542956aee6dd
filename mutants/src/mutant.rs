//! What a mutant is: a place in the source, and what stands there instead.

use crate::room::Room;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// A small change of the source, as a slip of the pen would make it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mutant {
    /// Where it is counted.
    pub room: Room,
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The function it is in, with its type: `Table::grow`.
    pub function: String,
    /// What sort of change it is.
    pub kind: Kind,
    /// The bytes of the file that it replaces.
    pub range: Range<usize>,
    /// What stands there.
    pub original: String,
    /// What stands there in the mutant.
    pub replacement: String,
    /// Whether these are statements, or an expression with a value.
    pub form: Form,
}

/// What a mutant replaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// An expression, by another of the same type.
    Expression,
    /// A statement, by none or by several.
    Statement,
}

/// Sorts of changes. Mutants are drawn from all that a room has, in turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The condition of an `if` or `while`, or the guard of an arm, is negated.
    NegatedCondition,
    /// A comparison is one off, or the opposite.
    Comparison,
    /// `&&` for `||`, or one side of either is lost.
    Logic,
    /// Another operator of arithmetic.
    Arithmetic,
    /// One side of an operator is lost.
    LostOperand,
    /// A number is one more, one less or nought.
    Constant,
    /// A statement is skipped.
    SkippedStatement,
    /// A statement is executed twice.
    RepeatedStatement,
    /// The arm of a `match` does what the one beside it does.
    NeighbourArm,
    /// Two arguments that follow one another are swapped.
    SwappedArguments,
    /// One argument is given for the one beside it.
    DoubledArgument,
    /// One variable or field for another of the same type.
    AnotherName,
    /// A number loses its upper bits on the way to another type.
    CutWidth,
    /// A method for its sibling: `min` for `max`, `first` for `last`.
    SiblingMethod,
    /// A function does nothing, or always answers the same.
    EmptyFunction,
    /// An `Option` or `Result` has nothing in it, or a flag is always the same.
    FixedAnswer,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::NegatedCondition => "negated-condition",
            Kind::Comparison => "comparison",
            Kind::Logic => "logic",
            Kind::Arithmetic => "arithmetic",
            Kind::LostOperand => "lost-operand",
            Kind::Constant => "constant",
            Kind::SkippedStatement => "skipped-statement",
            Kind::RepeatedStatement => "repeated-statement",
            Kind::NeighbourArm => "neighbour-arm",
            Kind::SwappedArguments => "swapped-arguments",
            Kind::DoubledArgument => "doubled-argument",
            Kind::AnotherName => "another-name",
            Kind::CutWidth => "cut-width",
            Kind::SiblingMethod => "sibling-method",
            Kind::EmptyFunction => "empty-function",
            Kind::FixedAnswer => "fixed-answer",
        }
    }
}

impl Mutant {
    /// The text that stands in the source once for this mutant, which is switched on by its number.
    pub fn switchable(&self, number: usize) -> String {
        let (original, replacement) = (&self.original, &self.replacement);
        let on = format!("::crosscheck_engine::mutant::on({number})");
        match self.form {
            Form::Expression => format!("(if {on} {{ {replacement} }} else {{ {original} }})"),
            Form::Statement => format!("if {on} {{ {replacement} }} else {{ {original} }}"),
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match line.char_indices().nth(70) {
                Some((at, _)) => format!("{}...", &line[..at]),
                None => line,
            }
        };
        let (file, line) = (self.file.display(), self.line);
        let (kind, function) = (self.kind.name(), &self.function);
        let (original, replacement) = (short(&self.original), short(&self.replacement));
        write!(f, "{file}:{line} {function}: {kind}: `{original}` -> `{replacement}`")
    }
}
