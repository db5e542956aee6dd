//! Takes away the operands below those that an instruction takes.
//!
//! A call that does not return leaves none of them. So a module without them does the same, but for an engine that
//! forgets to drop them.

use super::{Globals, Held, Place, Route, place, with_insertion};
use crate::wasm::sections::GLOBAL_SECTION;
use wasm_encoder::InstructionSink;

/// The module with the operands of the innermost block dropped that are below those the instruction at an offset takes;
/// `None` if there are none, or if one is of a type that no new global can hold.
pub fn without_operands_below(wasm: &[u8], offset: u32) -> Option<Vec<u8>> {
    let Place { body, operands, arity, globals, .. } = place(wasm, offset).ok()?;
    let taken: Option<Vec<Held>> = operands.iter().take(arity?.operands as usize).copied().collect();
    let taken = taken?;
    let below = operands.len() - taken.len();
    if below == 0 || taken.iter().any(|held| !held.is_exact) {
        return None;
    }
    // What is taken waits in globals: an engine that leaves operands on its stack may find locals there, too.
    let mut globals = Globals { first: globals, entries: Vec::new(), count: 0 };
    let (first, mut code) = (globals.first, Vec::new());
    taken.iter().for_each(|held| globals.take(held.ty, Route::Direct, &mut code));
    let mut sink = InstructionSink::new(&mut code);
    (0..below).for_each(|_| _ = sink.drop());
    (first..first + globals.count).rev().for_each(|global| _ = sink.global_get(global));
    let mut sections = with_insertion(wasm, body, offset as usize, code).ok()?;
    sections.extend(GLOBAL_SECTION, globals.count, &globals.entries).ok()?;
    Some(sections.module())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::instruction::instructions;

    #[test]
    fn what_is_below_is_dropped_and_what_is_taken_stays() {
        let wat = r#"(module
            (func $f (param i32 i64))
            (func (export "g") (local f32)
                f32.const 1
                local.get 0
                i32.const 2
                i64.const 3
                return_call $f))"#;
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        let wasm = module.encode().expect("the test's text can be encoded");
        let call_of = |wasm: &[u8]| {
            let functions = instructions(wasm).expect("the module is valid");
            functions[1].iter().nth_back(1).expect("it has a call before its end").at
        };
        let call = call_of(&wasm);
        let without = without_operands_below(&wasm, call).expect("two operands are below");
        wasmparser::Validator::new().validate_all(&without).expect("the module is valid");
        let call = call_of(&without);
        let place = place(&without, call).expect("there is an instruction");
        assert_eq!(place.operands.len(), 2);
        assert!(without_operands_below(&without, call).is_none());
    }
}
