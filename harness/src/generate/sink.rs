//! Rewrites a generated module so that its calls return, and what they compute is seen.
//!
//! Random code has three habits that hide faults: values are dropped, calls end early in `unreachable`, and loops
//! never end. So, function by function, on the bytes:
//!
//! - `drop` of a value becomes a mix of its bits into a new global, the *sink*. All globals are observed,
//!   so a wrong value anywhere on the way shows. (Rotating before mixing keeps two equal values from
//!   cancelling each other.)
//! - most reachable `unreachable`s leave the block, or the function, with default values instead;
//! - loops count their rounds in a new local and leave the function when it is enough;
//! - in modules that may trap: most addresses are masked, most divisors made odd, most indices of
//!   `call_indirect` led to a function of the right type, which a new element segment provides
//!   (`wasm-smith` makes empty ones only). Enough stays untamed for every kind of trap.
//!
//! For outside judges ([`Profile::Judged`]) NaNs are made canonical where they arise, and the sink is exported.
//!
//! What is new goes to the end of its index space, so no index changes, and everything else stays identical to the
//! byte. The sizes of sections and bodies change, and so do file offsets, which are not in use yet.

mod function;

use super::Profile;
use crate::draw::Stream;
use crate::wasm::sections::{ELEMENT_SECTION, EXPORT_SECTION, GLOBAL_SECTION, extend_section, rank};
use crosscheck_engine::Module;
pub(super) use function::Float;
use function::{Context, FunctionRewriter};
use wasm_encoder::{Encode, InstructionSink};
use wasmparser::types::{CoreTypeId, TypesRef};
use wasmparser::{
    BinaryReader, BinaryReaderError, ExportSectionReader, Parser, Payload, RefType, ValidPayload, Validator,
};

/// How a case is kept from ending too soon; drawn once a case, so that some cases are left wild.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taming {
    /// Of a hundred reachable `unreachable`s, how many are replaced.
    pub unreachables_percent: u32,
    /// After how many rounds, over all loops of a function's activation, it returns; `None` leaves loops alone.
    pub rounds: Option<i32>,
    /// Of a hundred addresses, divisors and indices, how many are tamed.
    pub operands_percent: u32,
}

/// Rounds and their weight.
const ROUNDS: &[(Option<i32>, u32)] = &[(Some(2), 2), (Some(10), 4), (Some(60), 2), (None, 1)];
/// Percentages of tamed operands and their weight.
const OPERANDS_PERCENT: &[(u32, u32)] = &[(0, 2), (70, 4), (95, 3)];

impl Taming {
    /// The taming of one case, whose module has trapping instructions or not.
    pub fn draw(traps: bool, stream: &mut Stream) -> Taming {
        let rounds = stream.weighted(ROUNDS, |row| row.1).0;
        let operands_percent = stream.weighted(OPERANDS_PERCENT, |row| row.1).0;
        Taming {
            unreachables_percent: 75,
            rounds,
            operands_percent: if traps { operands_percent } else { 0 },
        }
    }
}

/// Rewrites modules; keeps allocations between them.
#[derive(Default)]
pub struct Rewriter {
    functions: FunctionRewriter,
    code: Vec<u8>,
}

/// What functions may refer to that is new, and what they need to know of the module for it.
struct Additions {
    /// Index of the sink, a mutable `i64` global.
    sink: u32,
    /// The functions that the new element segment puts into the first slots of table 0.
    slots: Vec<u32>,
    /// The types of those functions.
    slot_types: Vec<CoreTypeId>,
    /// The module's types, by index.
    types: Vec<CoreTypeId>,
}

/// At most so many slots of a table are filled.
const MAX_SLOTS: u64 = 8;

impl Rewriter {
    /// The module, rewritten. Fails on a module that is not valid.
    pub fn rewrite(
        &mut self,
        wasm: &[u8],
        taming: &Taming,
        profile: Profile,
        stream: &mut Stream,
    ) -> Result<Vec<u8>, BinaryReaderError> {
        let mut validator = Validator::new_with_features(Module::FEATURES);
        let mut output = Output { wasm, copied: 0, bytes: Vec::with_capacity(wasm.len() * 2) };
        let mut additions: Option<Additions> = None;
        // The sections that additions still have to go into, first one last.
        let mut due = match profile {
            Profile::Own => vec![ELEMENT_SECTION, GLOBAL_SECTION],
            Profile::Judged => vec![ELEMENT_SECTION, EXPORT_SECTION, GLOBAL_SECTION],
        };
        let mut bodies_left = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            let valid = validator.payload(&payload)?;
            if let ValidPayload::Func(function, body) = valid {
                let additions = additions.as_ref().expect("the code follows the globals");
                let context = Context { wasm, additions, taming, profile };
                self.functions.rewrite(function, &body, context, stream, &mut self.code)?;
                bodies_left -= 1;
                if bodies_left == 0 {
                    output.replace(10, &self.code, body.range().end);
                }
                continue;
            }
            let Some((section, range)) = payload.as_section() else { continue };
            let rank_here = rank(section);
            while let Some(next) = due.pop_if(|next| rank(*next) <= rank_here) {
                let types = validator.types(0).expect("the module has begun");
                let additions = additions.get_or_insert_with(|| Additions::new(types, stream));
                let old =
                    if next == section { &wasm[range.start as usize..range.end as usize] } else { &[0] };
                let (count, entry) = match next {
                    EXPORT_SECTION => (1, additions.sink_export(old)?),
                    other => additions.entry(other, stream),
                };
                if next == section || count > 0 {
                    let extended = extend_section(old, count, &entry)?;
                    let end = if next == section { range.end } else { output.copied as u64 };
                    output.replace(next, &extended, end);
                }
            }
            if let Payload::CodeSectionStart { count, .. } = payload {
                bodies_left = count;
                self.code.clear();
                count.encode(&mut self.code);
                if count == 0 {
                    output.copy_to(range.end);
                }
            } else {
                output.copy_to(range.end);
            }
        }
        Ok(output.bytes)
    }
}

impl Additions {
    /// Additions to a module of which everything up to its globals is known.
    fn new(types: TypesRef<'_>, stream: &mut Stream) -> Additions {
        let functions = u64::from(types.function_count());
        let mut slot_count = 0;
        if functions > 0 && types.table_count() > 0 {
            let table = types.table_at(0);
            if table.element_type == RefType::FUNCREF && !table.table64 && !table.shared {
                slot_count = table.initial.min(MAX_SLOTS);
            }
        }
        let slots: Vec<u32> = (0..slot_count).map(|_| stream.below(functions) as u32).collect();
        let type_count = types.core_type_count_in_module();
        Additions {
            sink: types.global_count(),
            slot_types: slots.iter().map(|slot| types.core_function_at(*slot)).collect(),
            slots,
            types: (0..type_count).map(|index| types.core_type_at_in_module(index)).collect(),
        }
    }

    /// The export of the sink, under a name that none of the old exports has.
    fn sink_export(&self, old: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
        let mut name = "sink".to_owned();
        let exports: Vec<_> =
            ExportSectionReader::new(BinaryReader::new(old, 0))?.into_iter().collect::<Result<_, _>>()?;
        while exports.iter().any(|export| export.name == name) {
            name.push('_');
        }
        let mut entry = Vec::with_capacity(16);
        name.encode(&mut entry);
        wasm_encoder::ExportKind::Global.encode(&mut entry);
        self.sink.encode(&mut entry);
        Ok(entry)
    }

    /// How many entries are added to a section of globals or element segments, and their bytes.
    fn entry(&self, section: u8, stream: &mut Stream) -> (u32, Vec<u8>) {
        let mut entry = Vec::with_capacity(16);
        if section == GLOBAL_SECTION {
            // A start value other than zero: mixing zeros into zero would show nothing.
            wasm_encoder::ValType::I64.encode(&mut entry);
            entry.push(1);
            InstructionSink::new(&mut entry).i64_const(stream.u64() as i64).end();
            return (1, entry);
        }
        assert_eq!(section, ELEMENT_SECTION, "only globals and element segments are added");
        if self.slots.is_empty() {
            return (0, entry);
        }
        entry.push(0);
        InstructionSink::new(&mut entry).i32_const(0).end();
        self.slots.as_slice().encode(&mut entry);
        (1, entry)
    }
}

/// The new module as far as it is written, and how far the old one was copied.
struct Output<'a> {
    wasm: &'a [u8],
    copied: usize,
    bytes: Vec<u8>,
}

impl Output<'_> {
    /// Copies the old module up to an offset.
    fn copy_to(&mut self, end: u64) {
        self.bytes.extend_from_slice(&self.wasm[self.copied..end as usize]);
        self.copied = end as usize;
    }

    /// Writes a section in place of what the old module has up to an offset.
    fn replace(&mut self, section: u8, content: &[u8], end: u64) {
        self.bytes.push(section);
        content.encode(&mut self.bytes);
        self.copied = end as usize;
    }
}

#[cfg(test)]
mod tests;
