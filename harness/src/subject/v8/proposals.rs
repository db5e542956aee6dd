//! What of WebAssembly a release of V8 executes: asked for, since it changes with releases and flags.

use super::node::Node;
use crate::generate::Features;
use std::io;
use wasmparser::WasmFeatures;

/// A proposal: a module that needs it, and what it is to those who read and those who make modules.
struct Proposal {
    needs: &'static str,
    reads: WasmFeatures,
    makes: fn(&mut Features) -> &mut bool,
}

const PROPOSALS: [Proposal; 16] = [
    Proposal {
        needs: "(func (result i32) (i32.extend8_s (i32.const 0)))",
        reads: WasmFeatures::SIGN_EXTENSION,
        makes: |features| &mut features.sign_extension,
    },
    Proposal {
        needs: "(func (result i32) (i32.trunc_sat_f32_s (f32.const 0)))",
        reads: WasmFeatures::SATURATING_FLOAT_TO_INT,
        makes: |features| &mut features.saturating_conversions,
    },
    Proposal {
        needs: "(func (result i32 i32) (block (result i32 i32) (i32.const 0) (i32.const 0)))",
        reads: WasmFeatures::MULTI_VALUE,
        makes: |features| &mut features.multi_value,
    },
    Proposal {
        needs: r#"(memory 1) (data "") (func (data.drop 0))"#,
        reads: WasmFeatures::BULK_MEMORY,
        makes: |features| &mut features.bulk_memory,
    },
    Proposal {
        needs: "(table 1 externref) (table 1 funcref) (func (result i32) (table.size 1))",
        reads: WasmFeatures::REFERENCE_TYPES,
        makes: |features| &mut features.reference_types,
    },
    Proposal {
        needs: "(func return_call 0)",
        reads: WasmFeatures::TAIL_CALL,
        makes: |features| &mut features.tail_call,
    },
    Proposal {
        needs: "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        reads: WasmFeatures::EXTENDED_CONST,
        makes: |features| &mut features.extended_const,
    },
    Proposal {
        needs: "(memory 1) (memory 1)",
        reads: WasmFeatures::MULTI_MEMORY,
        makes: |features| &mut features.multi_memory,
    },
    Proposal {
        needs: "(memory i64 1) (table i64 1 funcref)",
        reads: WasmFeatures::MEMORY64,
        makes: |features| &mut features.memory64,
    },
    Proposal {
        needs: "(type (func)) (func (param (ref null 0)) (call_ref 0 (local.get 0)))",
        reads: WasmFeatures::FUNCTION_REFERENCES,
        makes: |features| &mut features.function_references,
    },
    Proposal {
        needs: "(type (struct)) (func (result anyref) (struct.new 0))",
        reads: WasmFeatures::GC,
        makes: |features| &mut features.gc,
    },
    Proposal {
        needs: "(tag) (func (block $b (result exnref) (try_table (catch_all_ref $b)) (return)) (throw_ref))",
        reads: WasmFeatures::EXCEPTIONS,
        makes: |features| &mut features.exceptions,
    },
    Proposal {
        needs: "(func (result v128) (v128.const i64x2 0 0))",
        reads: WasmFeatures::SIMD,
        makes: |features| &mut features.simd,
    },
    Proposal {
        needs: "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))",
        reads: WasmFeatures::RELAXED_SIMD,
        makes: |features| &mut features.relaxed_simd,
    },
    Proposal {
        needs: "(memory 1 1 shared) (func atomic.fence)",
        reads: WasmFeatures::THREADS,
        makes: |features| &mut features.threads,
    },
    Proposal {
        needs: "(func (result i64 i64) (i64.mul_wide_u (i64.const 1) (i64.const 1)))",
        reads: WasmFeatures::WIDE_ARITHMETIC,
        makes: |features| &mut features.wide_arithmetic,
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
        // JavaScript does not say who calls, see `links`.
        let makes = Features { shared_hosts: false, ..Features::all() };
        let mut executed = Executed { reads: WasmFeatures::WASM1, makes };
        for Proposal { needs, reads, makes } in &PROPOSALS {
            let has = node.accepts(&encode(needs))?;
            executed.reads.set(*reads, has);
            *makes(&mut executed.makes) = has;
        }
        Ok(executed)
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
        for Proposal { needs, reads, .. } in &PROPOSALS {
            let wasm = encode(needs);
            let all = crosscheck_engine::Module::FEATURES;
            Validator::new_with_features(all).validate_all(&wasm).unwrap_or_else(|e| panic!("{needs}: {e}"));
            let others = all.difference(*reads);
            assert!(Validator::new_with_features(others).validate_all(&wasm).is_err(), "{needs}");
        }
    }
}
