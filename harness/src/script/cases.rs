//! A script as cases: the modules that share something, and what the script does with them in its order.
//!
//! What the script expects is left out. Steps that no case can have - a module that must be refused, an argument that
//! no host can make - are left out too.

use super::questions::{Ask, Questions};
use super::read::read;
use super::settings::Settings;
use super::text::Lines;
use super::{ScriptFile, Unreadable};
use crate::case::Case;
use crosscheck_engine::{Config, Engine, Mode};

/// The cases of a script, one for each set of modules that are linked to one another. Fails if the text is not a script.
pub fn cases(file: &ScriptFile) -> Result<Vec<Case>, Unreadable> {
    let lines = Lines::of(&file.text);
    let engine = Engine::new(&Config::new(Mode::Interp));
    read(file, &lines, |parts| {
        let questions = Questions::of(parts, &lines, Settings::of(file)?, &engine);
        let is_act = |step: &usize| matches!(questions.steps[*step].ask, Ask::Act { .. });
        let stretches = questions.stretches.iter();
        let of = stretches.map(|stretch| {
            let steps: Vec<usize> = stretch.steps.iter().copied().filter(is_act).collect();
            questions.case(stretch, &steps).0
        });
        Ok(of.collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Action, Value};

    const SCRIPT: &str = r#"
        (module $a (func (export "f") (param i32) (result i32) (local.get 0)))
        (register "a" $a)
        (assert_return (invoke "f" (i32.const 7)) (i32.const 7))
        (module (import "a" "f" (func (param i32) (result i32))))
        (module (func (export "g") (unreachable)))
        (assert_trap (invoke "g") "unreachable")
        (assert_invalid (module (func (result i32))) "type mismatch")"#;

    #[test]
    fn modules_that_share_something_are_one_case_with_their_own_calls() {
        let cases = cases(&ScriptFile::new("test", SCRIPT)).expect("the text is a script");
        assert_eq!(cases.iter().map(|case| case.modules.len()).collect::<Vec<_>>(), [2, 1]);
        let call = Action::Invoke { module: 0, export: "f".into(), args: vec![Value::I32(7)] };
        let [first, second] = [0, 1].map(|module| Action::Instantiate { module });
        assert_eq!(cases[0].actions, [first.clone(), call, second]);
        let call = Action::Invoke { module: 0, export: "g".into(), args: Vec::new() };
        assert_eq!(cases[1].actions, [first, call]);
    }

    #[test]
    fn a_text_that_is_no_script_is_refused() {
        assert!(cases(&ScriptFile::new("test", "(module")).is_err());
    }
}
