//! What of WebAssembly a release of V8 executes: asked for, since it changes with releases and flags.

use super::node::Node;
use crate::generate::Features;
use std::io;
use wasmparser::WasmFeatures;

/// A proposal: a module that needs it, and what it is to those who read modules.
struct Proposal {
    needs: &'static str,
    reads: WasmFeatures,
}

const PROPOSALS: [Proposal; 16] = [
    Proposal {
        needs: "(func (result i32) (i32.extend8_s (i32.const 0)))",
        reads: WasmFeatures::SIGN_EXTENSION,
    },
    Proposal {
        needs: "(func (result i32) (i32.trunc_sat_f32_s (f32.const 0)))",
        reads: WasmFeatures::SATURATING_FLOAT_TO_INT,
    },
    Proposal {
        needs: "(func (result i32 i32) (block (result i32 i32) (i32.const 0) (i32.const 0)))",
        reads: WasmFeatures::MULTI_VALUE,
    },
    Proposal { needs: r#"(memory 1) (data "") (func (data.drop 0))"#, reads: WasmFeatures::BULK_MEMORY },
    Proposal {
        needs: "(table 1 externref) (table 1 funcref) (func (result i32) (table.size 1))",
        reads: WasmFeatures::REFERENCE_TYPES,
    },
    Proposal { needs: "(func return_call 0)", reads: WasmFeatures::TAIL_CALL },
    Proposal {
        needs: "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        reads: WasmFeatures::EXTENDED_CONST,
    },
    Proposal { needs: "(memory 1) (memory 1)", reads: WasmFeatures::MULTI_MEMORY },
    Proposal { needs: "(memory i64 1) (table i64 1 funcref)", reads: WasmFeatures::MEMORY64 },
    Proposal {
        needs: "(type (func)) (func (param (ref null 0)) (call_ref 0 (local.get 0)))",
        reads: WasmFeatures::FUNCTION_REFERENCES,
    },
    Proposal { needs: "(type (struct)) (func (result anyref) (struct.new 0))", reads: WasmFeatures::GC },
    Proposal {
        needs: "(tag) (func (block $b (result exnref) (try_table (catch_all_ref $b)) (return)) (throw_ref))",
        reads: WasmFeatures::EXCEPTIONS,
    },
    Proposal { needs: "(func (result v128) (v128.const i64x2 0 0))", reads: WasmFeatures::SIMD },
    Proposal {
        needs: "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))",
        reads: WasmFeatures::RELAXED_SIMD,
    },
    Proposal { needs: "(memory 1 1 shared) (func atomic.fence)", reads: WasmFeatures::THREADS },
    Proposal {
        needs: "(func (result i64 i64) (i64.mul_wide_u (i64.const 1) (i64.const 1)))",
        reads: WasmFeatures::WIDE_ARITHMETIC,
    },
];

/// What a release executes.
#[derive(Clone, Debug)]
pub(super) struct Executed {
    /// A valid module within these that it refuses is a difference.
    pub reads: WasmFeatures,
    /// What may be generated for it.
    pub makes: Features,
}

impl Executed {
    /// Asks a process.
    pub fn of(node: &mut Node) -> io::Result<Executed> {
        let mut reads = WasmFeatures::WASM1;
        for proposal in &PROPOSALS {
            reads.set(proposal.reads, node.accepts(&encode(proposal.needs))?);
        }
        // JavaScript does not say who calls, see `links`.
        let makes = Features { shared_hosts: false, ..Features::within(reads) };
        Ok(Executed { reads, makes })
    }
}

fn encode(fields: &str) -> Vec<u8> {
    let text = format!("(module {fields})");
    let buffer = wast::parser::ParseBuffer::new(&text).expect("the text is a constant");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the text is a constant");
    module.encode().expect("the text is a constant")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::Validator;

    #[test]
    fn every_module_needs_its_proposal_and_is_valid_with_it() {
        for Proposal { needs, reads } in &PROPOSALS {
            let wasm = encode(needs);
            let all = crosscheck_engine::Module::FEATURES;
            Validator::new_with_features(all).validate_all(&wasm).unwrap_or_else(|e| panic!("{needs}: {e}"));
            let others = all.difference(*reads);
            assert!(Validator::new_with_features(others).validate_all(&wasm).is_err(), "{needs}");
        }
    }
}
