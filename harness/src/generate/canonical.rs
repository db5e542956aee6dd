//! A module with every NaN that it makes made canonical, and nothing else changed.
//!
//! The specification leaves open which NaN an operator gives (section 4.3.3, "NaN Propagation"), so two right engines may
//! differ in its bits, and then in whatever a program makes of them: an integer, a byte of memory, an argument of the host.
//! Generated modules for judges make theirs canonical as they are generated ([`Profile::Judged`](super::Profile)); this
//! does the same to a module that a person wrote, so that it can be held against other engines to the bit.

use super::sink::Float;
use crosscheck_engine::Module;
use wasm_encoder::Encode;
use wasmparser::{BinaryReaderError, FunctionBody, Parser, Payload, Validator};

/// Number of the section of function bodies.
const CODE_SECTION: u8 = 10;

/// The module with canonical NaNs; none if it makes no NaN. Fails on a module that is not valid.
pub fn canonical(wasm: &[u8]) -> Result<Option<Vec<u8>>, BinaryReaderError> {
    let types = Validator::new_with_features(Module::FEATURES).validate_all(wasm)?;
    let types = types.as_ref();
    let mut output = wasm[..8].to_vec();
    let (mut bodies, mut left, mut is_changed) = (Vec::new(), 0, false);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::CodeSectionStart { count, .. } => {
                left = *count;
                bodies.clear();
                count.encode(&mut bodies);
                if left > 0 {
                    continue;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let function = types.core_function_at(types.function_count() - left);
                let params = types[function].unwrap_func().params().len();
                let rewritten = rewritten(wasm, body, params as u32)?;
                let range = body.range();
                let old = &wasm[range.start as usize..range.end as usize];
                is_changed |= rewritten.is_some();
                rewritten.as_deref().unwrap_or(old).encode(&mut bodies);
                left -= 1;
                if left == 0 {
                    output.push(CODE_SECTION);
                    bodies.encode(&mut output);
                }
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            output.push(id);
            wasm[range.start as usize..range.end as usize].encode(&mut output);
        }
    }
    Ok(is_changed.then_some(output))
}

/// A body with canonical NaNs; none if it makes none.
fn rewritten(
    wasm: &[u8],
    body: &FunctionBody<'_>,
    params: u32,
) -> Result<Option<Vec<u8>>, BinaryReaderError> {
    let mut scratch = Scratch { next: params, locals: Vec::new() };
    let mut declared = 0;
    for group in body.get_locals_reader()? {
        scratch.next += group?.0;
        declared += 1;
    }
    let mut operators = body.get_operators_reader()?;
    let first = operators.original_position() as usize;
    let (mut code, mut copied) = (Vec::new(), first);
    let mut places = Vec::new();
    while !operators.eof() {
        let operator = operators.read()?;
        if let Some(float) = Float::of_new_nans(&operator) {
            places.push((operators.original_position() as usize, float));
        }
    }
    if places.is_empty() {
        return Ok(None);
    }
    for (end, float) in places {
        code.extend_from_slice(&wasm[copied..end]);
        copied = end;
        float.canonicalise(scratch.local(float), &mut code);
    }
    let range = body.range();
    code.extend_from_slice(&wasm[copied..range.end as usize]);

    let mut new = Vec::with_capacity(code.len() + 16);
    (declared + scratch.locals.len() as u32).encode(&mut new);
    // The declarations as they were, after their count.
    let mut reader = wasmparser::BinaryReader::new(&wasm[range.start as usize..first], 0);
    reader.read_var_u32()?;
    new.extend_from_slice(&wasm[range.start as usize + reader.original_position() as usize..first]);
    for (float, _) in &scratch.locals {
        1u32.encode(&mut new);
        float.local().encode(&mut new);
    }
    new.extend_from_slice(&code);
    Ok(Some(new))
}

/// Locals that hold a value while it is looked at, one a shape.
struct Scratch {
    /// The number of the next new local.
    next: u32,
    locals: Vec<(Float, u32)>,
}

impl Scratch {
    fn local(&mut self, float: Float) -> u32 {
        if let Some((_, local)) = self.locals.iter().find(|(other, _)| *other == float) {
            return *local;
        }
        let local = self.next;
        self.next += 1;
        self.locals.push((float, local));
        local
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(wat: &str) -> Vec<u8> {
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        module.encode().expect("the test's text can be encoded")
    }

    fn of(wat: &str) -> Option<Vec<u8>> {
        let made = canonical(&encode(wat)).expect("the module is valid");
        if let Some(wasm) = &made {
            Validator::new_with_features(Module::FEATURES).validate_all(wasm).expect("the copy is valid");
        }
        made
    }

    #[test]
    fn every_operator_that_makes_nans_is_followed_by_its_cure() {
        let wat = r#"(module (import "h" "f" (func (param f32))) (memory 1) (data (i32.const 0) "x")
            (func (export "one") (param i32 f32) (result i32) (local i64 f64)
                (drop (f64.sqrt (local.get 3))) (f32.div (local.get 1) (f32.const 0)) (f32.neg)
                (f32.add (local.get 1)) (i32.reinterpret_f32))
            (func (export "two") (result i32) (i32.const 1))
            (func (export "three") (param f64) (result f64) (f64.min (local.get 0) (local.get 0))))"#;
        let text = wasmprinter::print_bytes(of(wat).expect("it makes NaNs")).expect("it can be printed");
        assert_eq!(text.matches("select").count(), 4, "{text}");
        assert_eq!(text.matches("f32.eq").count(), 2, "{text}");
        assert!(text.contains("(local i64 f64 f64 f32)"), "{text}");
    }

    #[test]
    fn what_makes_no_nan_stays_as_it_is() {
        assert_eq!(of(r#"(module (func (param f32) (result f32) (f32.neg (local.get 0))))"#), None);
        assert_eq!(of("(module)"), None);
        assert!(canonical(b"\0asm\x01\0\0\0\x0a").is_err());
    }
}
