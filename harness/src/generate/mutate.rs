//! Makes hostile bytes of a valid module: damaged files, and modules that no generator would make.
//!
//! Two sorts of damage. Blind: bits, bytes and ranges anywhere, which mostly ends in the decoder, in all its
//! corners. Knowing: an opcode becomes another of the same type, a constant a boundary, a section the
//! other module's; much of that is still valid, and gets as far as execution.
//!
//! A function of bytes and choices alone. What is done with the outcome is decided elsewhere.

use crate::draw::Stream;
use crosscheck_engine::opcode::{Const, Numeric, NumericKind, Opcode};
use std::sync::LazyLock;
use wasmparser::{Parser, Payload};

/// For each scalar operator, in the order of the table, the bytes of those that may stand in its place: they take and
/// give the same types and are of the same [`Sort`].
static SIBLINGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let of = |one: &Numeric| {
        let sort = Sort::of(one.kind());
        let may_stand_for = |other: &&Numeric| {
            let (one, other) = (one.row(), other.row());
            one.operands == other.operands && one.results == other.results
        };
        let siblings = Numeric::ALL.iter().filter(may_stand_for);
        let of_sort = siblings.filter(|other| sort.is_some() && Sort::of(other.kind()) == sort);
        of_sort.filter_map(|other| Opcode::from(*other).byte()).collect()
    };
    Numeric::ALL.iter().map(of).collect()
});

/// Operators of which one may become another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Compares,
    Counts,
    Computes,
}

impl Sort {
    /// The sort of operators of a kind; `None` if they stay what they are.
    fn of(kind: NumericKind) -> Option<Sort> {
        match kind {
            NumericKind::Comparison => Some(Sort::Compares),
            NumericKind::BitCount => Some(Sort::Counts),
            NumericKind::Arithmetic
            | NumericKind::Division
            | NumericKind::Remainder
            | NumericKind::Bitwise
            | NumericKind::Shift
            | NumericKind::Sign
            | NumericKind::Rounding => Some(Sort::Computes),
            NumericKind::Test
            | NumericKind::SignExtension
            | NumericKind::Resize
            | NumericKind::Truncation
            | NumericKind::Saturation
            | NumericKind::Conversion
            | NumericKind::Precision
            | NumericKind::Reinterpretation => None,
        }
    }
}

/// Bytes on which decoders and arithmetic have their edges.
const EDGES: &[u8] = &[0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfc, 0xfd, 0xfe, 0xff];

/// A way to damage bytes, and how often it is chosen.
struct Row {
    weight: u32,
    damage: fn(&mut Vec<u8>, &[u8], &mut Stream),
}

const BLIND: &[Row] = &[
    Row { weight: 2, damage: |bytes, _, stream| flip_bit(bytes, stream) },
    Row { weight: 2, damage: |bytes, _, stream| place_edge(bytes, stream) },
    Row { weight: 1, damage: truncate },
    Row { weight: 1, damage: remove_range },
    Row { weight: 1, damage: repeat_range },
    Row { weight: 1, damage: splice },
    Row { weight: 1, damage: swap_section },
];

const KNOWING: &[Row] = &[
    Row { weight: 15, damage: |bytes, _, stream| change_instruction(bytes, stream) },
    Row { weight: 1, damage: swap_section },
];

/// The module with one to four damages done to it; `donor` is where foreign parts come from.
///
/// Any bytes will do for both: what does not parse is damaged blindly. In half of all mutants no damage is blind
/// that need not be, because one that is mostly undoes the others.
pub fn mutate(wasm: &[u8], donor: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = wasm.to_vec();
    let rows = if stream.percent(50) { KNOWING } else { BLIND };
    for _ in 0..stream.between(1, 4) {
        let row = stream.weighted(rows, |row| row.weight);
        (row.damage)(&mut bytes, donor, stream);
    }
    bytes
}

fn flip_bit(bytes: &mut [u8], stream: &mut Stream) {
    if let Some(byte) = any(bytes, stream) {
        *byte ^= 1 << stream.below(8);
    }
}

fn place_edge(bytes: &mut [u8], stream: &mut Stream) {
    if let Some(byte) = any(bytes, stream) {
        *byte = *stream.pick(EDGES);
    }
}

fn any<'a>(bytes: &'a mut [u8], stream: &mut Stream) -> Option<&'a mut u8> {
    let last = bytes.len().checked_sub(1)?;
    Some(&mut bytes[stream.between(0, last)])
}

fn truncate(bytes: &mut Vec<u8>, _: &[u8], stream: &mut Stream) {
    bytes.truncate(stream.between(0, bytes.len()));
}

fn remove_range(bytes: &mut Vec<u8>, _: &[u8], stream: &mut Stream) {
    bytes.drain(range(bytes, stream));
}

fn repeat_range(bytes: &mut Vec<u8>, _: &[u8], stream: &mut Stream) {
    let range = range(bytes, stream);
    let again = bytes[range.clone()].to_vec();
    bytes.splice(range.start..range.start, again);
}

fn splice(bytes: &mut Vec<u8>, donor: &[u8], stream: &mut Stream) {
    let foreign = donor[range(donor, stream)].to_vec();
    let range = range(bytes, stream);
    bytes.splice(range, foreign);
}

/// A short range, perhaps empty.
fn range(bytes: &[u8], stream: &mut Stream) -> std::ops::Range<usize> {
    let start = stream.between(0, bytes.len());
    start..start + stream.between(0, (bytes.len() - start).min(40))
}

/// Puts the donor's section in the place of the one of the same kind.
fn swap_section(bytes: &mut Vec<u8>, donor: &[u8], stream: &mut Stream) {
    let (own, foreign) = (sections(bytes), sections(donor));
    if own.is_empty() {
        return;
    }
    let (id, range) = stream.pick(&own).clone();
    let candidates: Vec<_> = foreign.into_iter().filter(|section| section.0 == id).collect();
    if !candidates.is_empty() {
        let foreign = donor[stream.pick(&candidates).1.clone()].to_vec();
        bytes.splice(range, foreign);
    }
}

/// The sections up to the first that cannot be read: id, and range with id and size.
fn sections(bytes: &[u8]) -> Vec<(u8, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut end = 8;
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { break };
        let Some((id, contents)) = payload.as_section() else { continue };
        // A code section may claim more than there is: its bodies are read one by one.
        let start = std::mem::replace(&mut end, contents.end as usize);
        found.extend(bytes.get(start..end).map(|_| (id, start..end)));
    }
    found
}

/// Changes an instruction of some body so that its types stay.
fn change_instruction(bytes: &mut [u8], stream: &mut Stream) {
    let places = places(bytes);
    if places.is_empty() {
        return flip_bit(bytes, stream);
    }
    match *stream.pick(&places) {
        Place::Opcode { at, siblings } => bytes[at] = *stream.pick(siblings),
        // The last byte keeps its place, so that the number keeps its length.
        Place::Number { start, end } => {
            for byte in &mut bytes[start..end] {
                *byte = *byte & 0x80 | stream.u32() as u8 & 0x7f;
            }
            // A number of full length has less than seven bits in its last byte: all of them signs.
            if end - start == 5 || end - start == 10 {
                bytes[end - 1] = if stream.percent(50) { 0x7f } else { 0x00 };
            }
        }
        Place::Float { start, end } => stream.fill(&mut bytes[start..end]),
    }
}

/// Something in a body that may change without changing a type.
enum Place {
    Opcode { at: usize, siblings: &'static [u8] },
    Number { start: usize, end: usize },
    Float { start: usize, end: usize },
}

fn places(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { break };
        let Payload::CodeSectionEntry(body) = payload else { continue };
        let Ok(operators) = body.get_operators_reader() else { continue };
        let mut offsets: Vec<usize> = operators
            .into_iter_with_offsets()
            .map_while(|operator| operator.ok().map(|(_, offset)| offset as usize))
            .collect();
        offsets.push(body.range().end as usize);
        for pair in offsets.windows(2) {
            places.extend(place(bytes, pair[0], pair[1]));
        }
    }
    places
}

fn place(bytes: &[u8], at: usize, end: usize) -> Option<Place> {
    // Opcodes of proposals that the engine's table leaves out are not there.
    match Opcode::decode(&bytes[at..])?.0 {
        Opcode::Const(Const::I32Const | Const::I64Const) => Some(Place::Number { start: at + 1, end }),
        Opcode::Const(Const::F32Const | Const::F64Const) => Some(Place::Float { start: at + 1, end }),
        Opcode::Numeric(numeric) => {
            let siblings = &*SIBLINGS[numeric as usize];
            (!siblings.is_empty()).then_some(Place::Opcode { at, siblings })
        }
        Opcode::Control(_)
        | Opcode::Parametric(_)
        | Opcode::Variable(_)
        | Opcode::Table(_)
        | Opcode::Load(_)
        | Opcode::Store(_)
        | Opcode::Memory(_)
        | Opcode::Wide(_)
        | Opcode::Reference(_)
        | Opcode::Gc(_)
        | Opcode::Vector(_)
        | Opcode::VectorMemory(_)
        | Opcode::Atomic(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    /// (module (func (export "f") (result i32) (i32.add (i32.const 1000) (i32.const -7))))
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x0a\x01\x08\0\x41\xe8\x07\x41\x79\x6a\x0b";

    fn stream(case_seed: u64) -> Stream {
        Stream::new(case_seed, Purpose::Mutation)
    }

    fn is_valid(bytes: &[u8]) -> bool {
        wasmparser::Validator::new().validate_all(bytes).is_ok()
    }

    #[test]
    fn a_changed_instruction_leaves_a_valid_module() {
        let mut seen = std::collections::HashSet::new();
        for seed in 0..500 {
            let mut bytes = MODULE.to_vec();
            change_instruction(&mut bytes, &mut stream(seed));
            assert!(is_valid(&bytes), "seed {seed}: {bytes:02x?}");
            seen.insert(bytes);
        }
        assert!(seen.len() > 100, "only {} different modules", seen.len());
    }

    #[test]
    fn operators_become_others_of_the_same_types_and_sort() {
        let siblings = |opcode: Numeric| SIBLINGS[opcode as usize].clone();
        let bytes = |range: std::ops::RangeInclusive<u8>| range.collect::<Vec<u8>>();
        assert_eq!(siblings(Numeric::I32Shl), bytes(0x6a..=0x78));
        assert_eq!(siblings(Numeric::I64LtU), bytes(0x51..=0x5a));
        assert_eq!(siblings(Numeric::I64Ctz), bytes(0x79..=0x7b));
        assert_eq!(siblings(Numeric::F32Sqrt), bytes(0x8b..=0x91));
        assert_eq!(siblings(Numeric::F64Copysign), bytes(0xa0..=0xa6));
        assert!(siblings(Numeric::I32Eqz).is_empty());
        assert!(siblings(Numeric::I32Extend8S).is_empty());
        assert!(siblings(Numeric::I32TruncF32S).is_empty());
    }

    #[test]
    fn sections_are_found_whole() {
        let found = sections(MODULE);
        let ids: Vec<u8> = found.iter().map(|section| section.0).collect();
        assert_eq!(ids, [1, 3, 7, 10]);
        assert_eq!(found[0].1, 8..15);
        assert_eq!(found[3].1.end, MODULE.len());
    }

    #[test]
    fn a_section_of_itself_changes_nothing() {
        let mut bytes = MODULE.to_vec();
        swap_section(&mut bytes, MODULE, &mut stream(1));
        assert_eq!(bytes, MODULE);
    }

    #[test]
    fn the_same_seed_makes_the_same_mutant() {
        let mutant = |seed| mutate(MODULE, MODULE, &mut stream(seed));
        assert!((0..200).all(|seed| mutant(seed) == mutant(seed)));
    }

    #[test]
    fn nothing_is_too_short_to_be_damaged() {
        for seed in 0..500 {
            mutate(&[], &[], &mut stream(seed));
            mutate(b"\0", MODULE, &mut stream(seed));
            mutate(&MODULE[..9], &[], &mut stream(seed));
        }
    }
}
