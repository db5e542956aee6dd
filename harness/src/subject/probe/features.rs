//! Which proposals an engine executes: a tiny module for each, which needs that proposal and says when it works.
//!
//! Every module exports a function [`EXPORT`] without parameters that gives the `i32` [`ANSWER`], after it has
//! used what the proposal adds. An engine that refuses the module, traps or gives anything else does not execute the
//! proposal, or only a part of it.

use crate::features::Features;
use wasmparser::WasmFeatures;

/// What each probe exports its function by.
pub const EXPORT: &str = "probe";
/// What the function of each probe gives.
pub const ANSWER: u32 = 7;

/// A proposal, and a module that needs it.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// What the proposal is called.
    pub name: &'static str,
    /// The proposal, as a reader of modules knows it.
    pub feature: WasmFeatures,
    /// What the module has beside its function, in text.
    fields: &'static str,
    /// The body of the function, which leaves [`ANSWER`].
    body: &'static str,
}

impl Probe {
    /// The module's bytes.
    pub fn wasm(&self) -> Vec<u8> {
        let Probe { fields, body, .. } = self;
        let text = format!("(module {fields} (func (export {EXPORT:?}) (result i32) {body}))");
        let buffer = wast::parser::ParseBuffer::new(&text).expect("the text is a constant");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the text is a constant");
        module.encode().expect("the text is a constant")
    }
}

/// A probe for every proposal that [`Features`] names.
pub fn probes() -> &'static [Probe] {
    &PROBES
}

/// A module that needs no proposal: an engine that does not give [`ANSWER`] for it cannot be asked anything.
pub fn plain() -> Probe {
    Probe { name: "WebAssembly 1.0", feature: WasmFeatures::WASM1, fields: "", body: "i32.const 7" }
}

/// What an engine executes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Executed {
    /// The proposals, for a reader of modules: a valid module within these that the engine refuses is a difference.
    pub reads: WasmFeatures,
    /// The same, for generators. Whether hosts may be shared is not a question of proposals, and is taken to be so.
    pub makes: Features,
}

impl Executed {
    /// Asks for each proposal whether its probe works. Fails as soon as the question cannot be asked.
    pub fn ask<E>(mut works: impl FnMut(&Probe) -> Result<bool, E>) -> Result<Executed, E> {
        let mut reads = WasmFeatures::WASM1;
        for probe in &PROBES {
            if works(probe)? {
                reads |= probe.feature;
            }
        }
        Ok(Executed { reads, makes: Features::within(reads) })
    }
}

const PROBES: [Probe; 16] = [
    Probe {
        name: "sign extension",
        feature: WasmFeatures::SIGN_EXTENSION,
        fields: "",
        body: "(drop (i64.extend32_s (i64.const 1))) (i32.extend8_s (i32.const 0x707))",
    },
    Probe {
        name: "saturating conversions",
        feature: WasmFeatures::SATURATING_FLOAT_TO_INT,
        fields: "",
        body: "(i32.add (i32.trunc_sat_f32_u (f32.const -1)) (i32.trunc_sat_f64_s (f64.const 7.5)))",
    },
    Probe {
        name: "multiple values",
        feature: WasmFeatures::MULTI_VALUE,
        fields: "(func $two (result i32 i32) i32.const 3 i32.const 4)",
        body: "call $two (block (param i32 i32) (result i32 i32) (br 0)) i32.add",
    },
    Probe {
        name: "bulk memory",
        feature: WasmFeatures::BULK_MEMORY,
        fields: r#"(memory 1) (data "\07") (table 2 funcref) (elem func)"#,
        body: "(memory.init 0 (i32.const 1) (i32.const 0) (i32.const 1)) (data.drop 0)
            (memory.copy (i32.const 2) (i32.const 1) (i32.const 1))
            (memory.fill (i32.const 1) (i32.const 0) (i32.const 1))
            (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0)) (elem.drop 0)
            (table.copy (i32.const 1) (i32.const 0) (i32.const 1))
            (i32.load (i32.const 2))",
    },
    Probe {
        name: "reference types",
        feature: WasmFeatures::REFERENCE_TYPES,
        fields: r#"(table 1 externref) (table 1 funcref) (func $f (export "f"))"#,
        body: "(table.set 1 (i32.const 0) (ref.func $f))
            (table.set 0 (i32.const 0) (select (result externref)
                (ref.null extern) (table.get 0 (i32.const 0)) (i32.const 1)))
            (table.fill 1 (i32.const 0) (ref.null func) (i32.const 1))
            (i32.add (ref.is_null (table.get 1 (i32.const 0)))
                (i32.add (table.grow 0 (ref.null extern) (i32.const 4)) (table.size 0)))",
    },
    Probe {
        name: "tail calls",
        feature: WasmFeatures::TAIL_CALL,
        fields: "(type $t (func (param i32) (result i32))) (table funcref (elem $one $two))
            (func $one (type $t) (return_call $two (local.get 0)))
            (func $two (type $t) (local.get 0))",
        body: "(return_call_indirect (type $t) (i32.const 7) (i32.const 0))",
    },
    Probe {
        name: "extended constant expressions",
        feature: WasmFeatures::EXTENDED_CONST,
        fields: "(global $g i32 (i32.add (i32.mul (i32.const 2) (i32.const 4)) (i32.const -1)))",
        body: "global.get $g",
    },
    Probe {
        name: "multiple memories",
        feature: WasmFeatures::MULTI_MEMORY,
        fields: "(memory 1) (memory 7)",
        body: "(i32.store 1 offset=65536 (i32.const 4) (i32.load 0 (i32.const 0))) (memory.size 1)",
    },
    Probe {
        name: "64-bit memories and tables",
        feature: WasmFeatures::MEMORY64,
        fields: "(memory i64 1) (table i64 3 funcref)",
        body: "(i32.store (i64.const 8) (i32.const 3)) (i32.wrap_i64 (i64.add
            (i64.add (memory.size) (i64.extend_i32_u (i32.load (i64.const 8)))) (table.size)))",
    },
    Probe {
        name: "typed function references",
        feature: WasmFeatures::FUNCTION_REFERENCES,
        fields: "(type $t (func (result i32))) (func $f (export \"f\") (type $t) i32.const 7)",
        body: "(local (ref null $t)) (local.set 0 (ref.func $f)) (call_ref $t (ref.as_non_null (local.get 0)))",
    },
    Probe {
        name: "garbage collection",
        feature: WasmFeatures::GC,
        fields: "(type $s (struct (field i32))) (type $a (array (mut i8)))",
        body: "(i32.add (struct.get $s 0 (ref.cast (ref $s) (struct.new $s (i32.const 2))))
            (i32.add (array.len (array.new_default $a (i32.const 4))) (ref.test i31ref (ref.i31 (i32.const 0)))))",
    },
    Probe {
        name: "exceptions",
        feature: WasmFeatures::EXCEPTIONS,
        fields: "(tag $e (param i32))",
        body: "(block $all (result exnref)
                (block $caught (result i32)
                    (try_table (catch $e $caught) (throw $e (i32.const 7))) unreachable)
                return (try_table (catch_all_ref $all)) unreachable)
            throw_ref",
    },
    Probe {
        name: "vector instructions",
        feature: WasmFeatures::SIMD,
        fields: "",
        body: "(i32x4.extract_lane 1 (i32x4.add (i32x4.splat (i32.const 3)) (v128.const i32x4 1 4 1 1)))",
    },
    Probe {
        name: "relaxed vector instructions",
        feature: WasmFeatures::RELAXED_SIMD,
        fields: "",
        body: "(i8x16.extract_lane_u 0
            (i8x16.relaxed_swizzle (i8x16.splat (i32.const 7)) (v128.const i64x2 0 0)))",
    },
    Probe {
        name: "threads",
        feature: WasmFeatures::THREADS,
        fields: "(memory 1 1 shared)",
        body: "(i32.atomic.store (i32.const 0) (i32.const 7)) atomic.fence
            (i32.atomic.rmw.add (i32.const 0) (i32.const 1))",
    },
    Probe {
        name: "wide arithmetic",
        feature: WasmFeatures::WIDE_ARITHMETIC,
        fields: "",
        body: "(i64.mul_wide_u (i64.const 7) (i64.const 1)) drop i32.wrap_i64",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_engine::{Config, Engine, Instance, Mode, Module, Store, Val};
    use wasmparser::Validator;

    #[test]
    fn every_module_needs_its_proposal_and_is_valid_with_it() {
        let all = Module::FEATURES;
        for probe in probes() {
            let (name, wasm) = (probe.name, probe.wasm());
            Validator::new_with_features(all).validate_all(&wasm).unwrap_or_else(|e| panic!("{name}: {e}"));
            let others = all.difference(probe.feature);
            assert!(Validator::new_with_features(others).validate_all(&wasm).is_err(), "{name}");
        }
    }

    /// What a proposal stands on. Everything else stands on the first version alone.
    fn below(feature: WasmFeatures) -> WasmFeatures {
        match feature {
            WasmFeatures::FUNCTION_REFERENCES | WasmFeatures::EXCEPTIONS | WasmFeatures::MEMORY64 => {
                WasmFeatures::REFERENCE_TYPES
            }
            WasmFeatures::GC => WasmFeatures::REFERENCE_TYPES.union(WasmFeatures::FUNCTION_REFERENCES),
            WasmFeatures::RELAXED_SIMD => WasmFeatures::SIMD,
            _ => WasmFeatures::empty(),
        }
    }

    #[test]
    fn every_module_needs_nothing_but_its_proposal_and_what_that_stands_on() {
        for probe in probes() {
            let just = WasmFeatures::WASM1 | probe.feature | below(probe.feature);
            let validated = Validator::new_with_features(just).validate_all(&probe.wasm());
            validated.unwrap_or_else(|e| panic!("{}: {e}", probe.name));
        }
    }

    #[test]
    fn every_mode_gives_the_answer_of_each_proposal_that_it_executes() {
        for mode in Mode::all() {
            let engine = Engine::new(&Config::new(mode));
            let works = |probe: &Probe| -> Result<bool, std::convert::Infallible> {
                let Ok(module) = Module::new(&engine, probe.wasm()) else { return Ok(false) };
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
                let func = instance.func(&store, EXPORT).expect("the export is there");
                let mut results = [Val::I32(0)];
                func.call(&mut store, &[], &mut results).unwrap_or_else(|e| panic!("{}: {e:?}", probe.name));
                assert!(matches!(results[0], Val::I32(7)), "{}: {:?}", probe.name, results[0]);
                Ok(true)
            };
            assert_eq!(Executed::ask(works).map(|executed| executed.makes), Ok(Features::executed()));
        }
    }
}
