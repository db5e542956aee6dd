//! Which proposals modules may use: those of a campaign, and those that an engine executes.
//!
//! The ceiling is what every mode executes; under it each generated case draws its own subset. When the modes
//! learn a proposal, its line in [`Features::executed`] goes.

use wasmparser::WasmFeatures;

/// Proposals beyond the first version of WebAssembly, which is always on with mutable globals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Features {
    /// `i32.extend8_s` and its family.
    pub sign_extension: bool,
    /// `i32.trunc_sat_f32_s` and its family.
    pub saturating_conversions: bool,
    /// Several results, and blocks with parameters.
    pub multi_value: bool,
    /// `memory.fill` and its family, passive segments.
    pub bulk_memory: bool,
    /// `externref`, several tables, instructions on tables.
    pub reference_types: bool,
    /// `return_call` and its family.
    pub tail_call: bool,
    /// Arithmetic in constant expressions.
    pub extended_const: bool,
    /// Several memories.
    pub multi_memory: bool,
    /// 64-bit memories and tables.
    pub memory64: bool,
    /// References to functions of one type, and subtypes of function types.
    pub function_references: bool,
    /// Structures, arrays, `i31` and casts, and typed function references in modules of `wasm-smith`.
    pub gc: bool,
    /// Tags, `throw`, `try_table`.
    pub exceptions: bool,
    /// Vector instructions.
    pub simd: bool,
    /// Relaxed vector instructions.
    pub relaxed_simd: bool,
    /// Shared memories and atomic instructions.
    pub threads: bool,
    /// `i64.add128` and its family.
    pub wide_arithmetic: bool,
    /// Host functions in tables that modules share: not every engine says which instance calls one.
    pub shared_hosts: bool,
}

impl Features {
    /// What every mode executes today.
    pub fn executed() -> Features {
        Features {
            gc: false,
            exceptions: false,
            simd: false,
            relaxed_simd: false,
            threads: false,
            ..Features::all()
        }
    }

    /// What stays within what a reader of modules takes. Whose hosts may be shared is none of its business.
    pub fn within(features: WasmFeatures) -> Features {
        let has = |feature| features.contains(feature);
        Features {
            sign_extension: has(WasmFeatures::SIGN_EXTENSION),
            saturating_conversions: has(WasmFeatures::SATURATING_FLOAT_TO_INT),
            multi_value: has(WasmFeatures::MULTI_VALUE),
            bulk_memory: has(WasmFeatures::BULK_MEMORY),
            reference_types: has(WasmFeatures::REFERENCE_TYPES),
            tail_call: has(WasmFeatures::TAIL_CALL),
            extended_const: has(WasmFeatures::EXTENDED_CONST),
            multi_memory: has(WasmFeatures::MULTI_MEMORY),
            memory64: has(WasmFeatures::MEMORY64),
            function_references: has(WasmFeatures::FUNCTION_REFERENCES),
            gc: has(WasmFeatures::GC),
            exceptions: has(WasmFeatures::EXCEPTIONS),
            simd: has(WasmFeatures::SIMD),
            relaxed_simd: has(WasmFeatures::RELAXED_SIMD),
            threads: has(WasmFeatures::THREADS),
            wide_arithmetic: has(WasmFeatures::WIDE_ARITHMETIC),
            shared_hosts: true,
        }
    }

    /// What both have.
    pub fn and(&self, other: &Features) -> Features {
        Features {
            sign_extension: self.sign_extension && other.sign_extension,
            saturating_conversions: self.saturating_conversions && other.saturating_conversions,
            multi_value: self.multi_value && other.multi_value,
            bulk_memory: self.bulk_memory && other.bulk_memory,
            reference_types: self.reference_types && other.reference_types,
            tail_call: self.tail_call && other.tail_call,
            extended_const: self.extended_const && other.extended_const,
            multi_memory: self.multi_memory && other.multi_memory,
            memory64: self.memory64 && other.memory64,
            function_references: self.function_references && other.function_references,
            gc: self.gc && other.gc,
            exceptions: self.exceptions && other.exceptions,
            simd: self.simd && other.simd,
            relaxed_simd: self.relaxed_simd && other.relaxed_simd,
            threads: self.threads && other.threads,
            wide_arithmetic: self.wide_arithmetic && other.wide_arithmetic,
            shared_hosts: self.shared_hosts && other.shared_hosts,
        }
    }

    /// Everything that the generators know.
    pub fn all() -> Features {
        Features {
            sign_extension: true,
            saturating_conversions: true,
            multi_value: true,
            bulk_memory: true,
            reference_types: true,
            tail_call: true,
            extended_const: true,
            multi_memory: true,
            memory64: true,
            function_references: true,
            gc: true,
            exceptions: true,
            simd: true,
            relaxed_simd: true,
            threads: true,
            wide_arithmetic: true,
            shared_hosts: true,
        }
    }
}

impl Default for Features {
    fn default() -> Features {
        Features::executed()
    }
}
