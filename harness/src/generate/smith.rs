//! Modules by `wasm-smith` from random bytes, under a configuration that each case draws anew.
//!
//! Swarm testing (Groce and others, ISSTA 2012): a generator with everything on makes modules in which everything
//! is rare. So each case first draws which proposals, instruction kinds and sizes it has, and cases
//! differ from each other more than by their bytes. What is drawn stands in two tables.
//!
//! The module is then rewritten by [`sink`](super::sink), so that calls return and what they compute is seen.

use super::Profile;
use super::sink::{Rewriter, Taming};
use crate::draw::{Purpose, Stream};
use crate::features::Features;
use arbitrary::Unstructured;
use wasm_smith::{Config, InstructionKind, InstructionKinds, MemoryOffsetChoices, Module};

/// Makes modules; keeps the input buffer and the rewriter's allocations between them.
#[derive(Default)]
pub struct Smith {
    input: Vec<u8>,
    rewriter: Rewriter,
}

impl Smith {
    /// The module of that case; `None` if its random bytes make none.
    pub fn module(&mut self, features: &Features, profile: Profile, case_seed: u64) -> Option<Vec<u8>> {
        let mut stream = Stream::new(case_seed, Purpose::Module);
        let mut config = configuration(features, &mut stream);
        self.input.resize(stream.between(INPUT_BYTES.0, INPUT_BYTES.1), 0);
        stream.fill(&mut self.input);
        let module = match Module::new(config.clone(), &mut Unstructured::new(&self.input)) {
            Ok(module) => module,
            // An import took the one place that a definition was to have. The same input without demands
            // keeps the import; other input would mean that imports of memories and tables are rare.
            Err(_) => {
                config.min_memories = 0;
                config.min_tables = 0;
                Module::new(config.clone(), &mut Unstructured::new(&self.input)).ok()?
            }
        };
        let mut rewriting = Stream::new(case_seed, Purpose::Rewrite);
        let taming = Taming::draw(!config.disallow_traps, &mut rewriting);
        let rewritten = self.rewriter.rewrite(&module.to_bytes(), &taming, profile, &mut rewriting);
        Some(rewritten.expect("wasm-smith makes valid modules and the rewriter knows their features"))
    }
}

/// Random bytes that a module is made from, at least and at most. About as many bytes of wasm come out, at
/// 0.2 us a byte, nearly all of it in choosing instructions; longer modules find less for the time.
const INPUT_BYTES: (usize, usize) = (220, 880);

/// Something that a case has or has not.
struct Switch {
    /// In how many of a hundred cases it is on, where the features allow it.
    percent: u32,
    allowed: fn(&Features) -> bool,
    set: fn(&mut Config, bool),
}

/// The proposals and habits that a case draws.
const SWITCHES: &[Switch] = &[
    Switch { percent: 85, allowed: |f| f.sign_extension, set: |c, on| c.sign_extension_ops_enabled = on },
    Switch {
        percent: 85,
        allowed: |f| f.saturating_conversions,
        set: |c, on| c.saturating_float_to_int_enabled = on,
    },
    Switch { percent: 80, allowed: |f| f.multi_value, set: |c, on| c.multi_value_enabled = on },
    Switch { percent: 70, allowed: |f| f.bulk_memory, set: |c, on| c.bulk_memory_enabled = on },
    Switch { percent: 70, allowed: |f| f.reference_types, set: |c, on| c.reference_types_enabled = on },
    Switch {
        percent: 60,
        allowed: |f| f.reference_types,
        set: |c, on| c.max_tables = if on { 4 } else { c.max_tables },
    },
    Switch { percent: 60, allowed: |f| f.tail_call, set: |c, on| c.tail_call_enabled = on },
    Switch { percent: 70, allowed: |f| f.extended_const, set: |c, on| c.extended_const_enabled = on },
    Switch {
        percent: 30,
        allowed: |f| f.multi_memory,
        set: |c, on| c.max_memories = if on { 3 } else { c.max_memories },
    },
    Switch { percent: 30, allowed: |f| f.memory64, set: |c, on| c.memory64_enabled = on },
    Switch { percent: 40, allowed: |f| f.gc, set: |c, on| c.gc_enabled = on },
    Switch { percent: 40, allowed: |f| f.exceptions, set: |c, on| c.exceptions_enabled = on },
    Switch { percent: 50, allowed: |f| f.simd, set: |c, on| c.simd_enabled = on },
    Switch { percent: 50, allowed: |f| f.relaxed_simd, set: |c, on| c.relaxed_simd_enabled = on },
    Switch { percent: 30, allowed: |f| f.threads, set: |c, on| c.threads_enabled = on },
    Switch { percent: 40, allowed: |f| f.wide_arithmetic, set: |c, on| c.wide_arithmetic_enabled = on },
    Switch { percent: 60, allowed: always, set: |c, on| c.disallow_traps = on },
    Switch { percent: 85, allowed: always, set: |c, on| c.allow_floats = on },
    Switch { percent: 30, allowed: always, set: |c, on| c.allow_start_export = on },
    Switch { percent: 15, allowed: always, set: |c, on| c.canonicalize_nans = on },
    Switch { percent: 8, allowed: always, set: |c, on| c.min_uleb_size = if on { 4 } else { 1 } },
    Switch { percent: 80, allowed: always, set: |c, on| c.min_memories = u32::from(on) },
    Switch { percent: 60, allowed: always, set: |c, on| c.min_tables = u32::from(on) },
    Switch {
        percent: 20,
        allowed: always,
        set: |c, on| {
            c.memory_offset_choices =
                if on { MemoryOffsetChoices(6, 3, 1) } else { MemoryOffsetChoices(80, 1, 0) }
        },
    },
];

fn always(_: &Features) -> bool {
    true
}

/// In how many of a hundred cases an instruction kind is on.
const INSTRUCTION_KINDS: &[(InstructionKind, u32)] = &[
    (InstructionKind::Numeric, 95),
    (InstructionKind::Variable, 90),
    (InstructionKind::Control, 90),
    (InstructionKind::Memory, 75),
    (InstructionKind::Parametric, 85),
    (InstructionKind::Reference, 80),
    (InstructionKind::Vector, 80),
    (InstructionKind::Aggregate, 80),
];

fn configuration(features: &Features, stream: &mut Stream) -> Config {
    let mut config = Config {
        export_everything: true,
        generate_custom_sections: false,
        compact_imports_enabled: false,
        custom_descriptors_enabled: false,
        custom_page_sizes_enabled: false,
        shared_everything_threads_enabled: false,
        limit_arrays_in_const_exprs: true,
        max_tables: 1,
        max_memories: 1,
        min_funcs: stream.between(2, 5),
        // Imported functions count too, and must leave room for the least number of definitions.
        max_funcs: stream.between(11, 16),
        min_types: 2,
        max_types: stream.between(2, 12),
        max_imports: stream.between(0, 6),
        max_globals: stream.between(0, 12),
        max_instructions: *stream.pick(&[40, 80, 150, 300]),
        max_data_segments: stream.between(0, 4),
        max_element_segments: stream.between(0, 3),
        // Sizes are drawn by the sixth power, so that below a hundred most tables would be empty.
        max_table_elements: *stream.pick(&[8, 100, 1_000, 1_000]),
        ..Config::default()
    };
    // One case in fifty has memories of some megabytes; untouched pages cost nothing, but asking for them does.
    let pages = if stream.percent(2) { 256 } else { *stream.pick(&[1, 2, 4, 8]) };
    config.max_memory32_bytes = pages << 16;
    config.max_memory64_bytes = u128::from(pages) << 16;
    for switch in SWITCHES {
        // Drawn even where the features forbid it, so that a new feature leaves the other choices alone.
        let on = stream.percent(switch.percent);
        (switch.set)(&mut config, on && (switch.allowed)(features));
    }
    let kinds: Vec<_> = INSTRUCTION_KINDS
        .iter()
        .filter_map(|(kind, percent)| stream.percent(*percent).then_some(*kind))
        .collect();
    config.allowed_instructions = InstructionKinds::new(&kinds);
    config
}
