//! What is done with a divergence before people see it: the smallest case that diverges the same way, a script of it,
//! the instruction at which its subjects part, and the simplest case of its bug.

mod question;

pub use question::{Budget, Investigation, Question};
